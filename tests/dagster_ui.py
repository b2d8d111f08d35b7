"""What the browser tests of several set-ups ask Dagster's webserver, and how they take pictures of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

BACKFILL = """mutation ($p: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $p) { __typename
    ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }"""
STATUS = """query ($id: String!) { partitionBackfillOrError(backfillId: $id) { __typename
    ... on PartitionBackfill { status runs { id status runConfigYaml } } } }"""


def shoot(page: Page, path: Path) -> None:
    """Takes a picture once nothing is loading any more."""
    page.wait_for_load_state("networkidle")
    page.screenshot(path=path)
