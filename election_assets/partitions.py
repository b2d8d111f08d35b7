"""The election that this code location serves, and its candidates as the one partitions definition."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager

import dagster as dg

from election_assets.election import load_election
from election_assets.storage import DataRoot

ELECTION = load_election()
DATA_ROOT = DataRoot.from_env(os.environ)
CANDIDATES = dg.StaticPartitionsDefinition(ELECTION.candidate_keys)
ONE_RUN = dg.BackfillPolicy.single_run()


def alone(name: str) -> AbstractContextManager[None]:
    """Holds a lock that runs of this data root share, for work on what belongs to no single candidate.

    Such as a table that joins them: Delta takes two replacements of an empty table, or two appends, for no conflict and
    keeps the rows of both.
    """
    # No candidate's key holds a `_`, so the name is free beside theirs.
    return DATA_ROOT.lock(f"_{name}")
