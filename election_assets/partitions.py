"""The election that this code location serves, and its candidates as the one partitions definition."""

from __future__ import annotations

import os

import dagster as dg

from election_assets.election import load_election
from election_assets.storage import DataRoot

ELECTION = load_election()
DATA_ROOT = DataRoot.from_env(os.environ)
CANDIDATES = dg.StaticPartitionsDefinition(ELECTION.candidate_keys)
ONE_RUN = dg.BackfillPolicy.single_run()
