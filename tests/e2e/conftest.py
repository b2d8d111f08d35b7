"""What the browser tests share: a small data root in which the main job ran."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers.processes import free_port

ROOT = Path(__file__).parents[2]
OTHERS = ("ELECTION", "ARCHIVE", "X_BEARER_TOKEN", "INGESTION", "RESULTS_2017", "PSEUDONYM_KEY", "PORT")
"""Settings of the project, besides those by prefix, that a developer may have set and the tests must not see."""


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a fresh data root with a small sample, without any setting of this machine."""
    prefixes = ("DAGSTER_", "SCRAPER_", "KAFKA_", "SPARK_", "SAMPLE_", "NIFI_", "REPORT_", "MAKE", "MFLAGS")
    inherited = {
        name: value for name, value in os.environ.items() if name not in OTHERS and not name.startswith(prefixes)
    }
    root = tmp_path_factory.mktemp("root") / "data"
    own = {"ELECTION_DATA": str(root), "DAGSTER_HOME": str(root / "dagster"), "SAMPLE_TWEETS": "800"}
    env = inherited | own | {"REPORT_PORT": str(free_port())}
    subprocess.run(["make", "-s", "instance"], cwd=ROOT, env=env, check=True)
    return env


@pytest.fixture(scope="session")
def data_root(environment: dict[str, str]) -> Path:
    """A data root in which the main job ran once."""
    done = subprocess.run(
        [sys.executable, "-m", "election_assets.run"],
        cwd=ROOT,
        env=environment | {"PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return Path(environment["ELECTION_DATA"])
