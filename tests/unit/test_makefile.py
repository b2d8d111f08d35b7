"""Make resolves the data root, wherever it is named."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("environment", "arguments", "folder"),
    [
        ({}, [], "data"),
        ({"ELECTION_DATA": ""}, [], "data"),
        ({"ELECTION_DATA": "data-x"}, [], "data-x"),
        ({"ELECTION_DATA": "data-x"}, ["ELECTION_DATA=data-y"], "data-y"),
        ({}, ["ELECTION_DATA="], "data"),
    ],
)
def test_the_instance_lies_in_the_data_root(environment: dict[str, str], arguments: list[str], folder: str) -> None:
    env = {name: value for name, value in os.environ.items() if name not in ("ELECTION_DATA", "MAKEFLAGS")}
    said = subprocess.run(
        ["make", "--no-print-directory", "-n", "instance", *arguments],
        cwd=ROOT,
        env=env | environment,
        text=True,
        capture_output=True,
        check=True,
    ).stdout
    assert said.splitlines()[0] == f"mkdir -p {ROOT}/{folder}/dagster"
