"""The README says what is so: the variables that the code reads, the commands that Make knows."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
READERS = {"secret", "_whole_number"}
"""Functions of the project that read the variable that an argument names."""
CONVENTIONS = {"CI", "NO_COLOR", "TERM"}
"""What terminals and their surroundings tell every program: no settings of the project."""


def variables_read() -> set[str]:
    return {
        name for package in ("election_assets", "resources", "scraper_api") for name in _variables_of(ROOT / package)
    }


def _variables_of(package: Path) -> Iterator[str]:
    for file in package.rglob("*.py"):
        module = ast.parse(file.read_text(encoding="utf-8"))
        constants = {
            node.targets[0].id: node.value
            for node in module.body
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        }
        for node in ast.walk(module):
            for name in _names(node):
                constant = constants.get(name.id) if isinstance(name, ast.Name) else name
                if isinstance(constant, ast.Constant) and isinstance(constant.value, str):
                    yield constant.value


def _names(node: ast.AST) -> list[ast.expr]:
    """What stands in the place of a variable's name in `env.get(...)`, `env[...]` and calls of `READERS`."""
    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Attribute) and node.func.attr == "get" and _is_environment(node.func.value):
            return node.args[:1]
        return node.args if isinstance(node.func, ast.Name) and node.func.id in READERS else []
    return [node.slice] if isinstance(node, ast.Subscript) and _is_environment(node.value) else []


def _is_environment(node: ast.expr) -> bool:
    return getattr(node, "id", "") == "env" or getattr(node, "attr", "") == "environ"


def test_the_table_of_settings_lists_the_variables_that_the_code_reads() -> None:
    table = README.split("## Settings")[1].split("## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("| `")]
    listed = {name for row in rows for name in re.findall(r"`([A-Z0-9_]+)`", row.split("|")[1])}
    assert listed == variables_read() - CONVENTIONS


@pytest.mark.parametrize("command", ["run", "dev", "test", "check", "services-test", "bench", "lock"])
def test_every_command_is_in_the_readme_and_in_make(command: str) -> None:
    assert f"make {command}" in README
    assert re.search(rf"^{command}:.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_what_the_readme_links_to_is_there() -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", README):
        assert (ROOT / target).is_file(), target
