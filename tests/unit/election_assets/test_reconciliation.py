from __future__ import annotations

import gzip
import shutil
from pathlib import Path

import pytest

from election_assets import delta
from election_assets.election import load_election
from election_assets.ingest import ingest
from election_assets.landed import store
from election_assets.reconciliation import Reconciliation, reconcile
from election_assets.schemas import CLEANED_TWEETS
from election_assets.storage import DataRoot
from tests.fakes.landing import CANDIDATE, deliver, keep_raw, message, record

ELECTION = load_election("fr_2022")
FIRST, SECOND = (message("", offset).origin for offset in (1, 2))


def run(spark, root: DataRoot) -> None:
    ingest(spark, root, ELECTION, CANDIDATE, b"a key for tests")


@pytest.fixture(scope="module")
def clean(spark, tmp_path_factory) -> Path:
    """A root where everything adds up: two batches, a repeat in a file and one over files, a refused line."""
    root = DataRoot(tmp_path_factory.mktemp("clean"))
    deliver(root, "b-1", 1, record(1), record(2), record("x"), record(2))
    deliver(root, "b-2", 2, record(2), record(3))
    run(spark, root)
    return root.path


@pytest.fixture
def root(clean, tmp_path) -> DataRoot:
    return DataRoot(Path(shutil.copytree(clean, tmp_path / "root")))


CLEAN = Reconciliation(received=6, quarantined=1, kept=3, repeats=2)


def first_problem(spark, root: DataRoot) -> str:
    """The first problem; there must be one, and each must be a line."""
    problems = reconcile(spark, root, CANDIDATE).problems
    assert problems
    for problem in problems:
        assert problem.endswith(".")
        assert "\n" not in problem
    return problems[0]


def test_what_adds_up_has_no_problem(spark, root):
    assert reconcile(spark, root, CANDIDATE) == CLEAN
    assert reconcile(spark, root, CANDIDATE) == CLEAN, "counting changes nothing"


def test_nothing_received_adds_up(spark, tmp_path):
    assert reconcile(spark, DataRoot(tmp_path), CANDIDATE) == Reconciliation()


@pytest.mark.parametrize("line", [1, 2, 3])
def test_a_landed_line_that_is_gone_is_missed(spark, root, line):
    """Of the first file's three rows; the third is a repeat."""
    file = root.landed_file(CANDIDATE, FIRST)
    lines = file.read_bytes().splitlines(keepends=True)
    assert len(lines) == 4
    file.write_bytes(b"".join(lines[:line] + lines[line + 1 :]))
    assert first_problem(spark, root) == "Batch b-1: 4 received, 2 landed and 1 quarantined."


def test_a_landed_file_that_is_gone_is_missed(spark, root):
    root.landed_file(CANDIDATE, SECOND).unlink()
    assert first_problem(spark, root) == "Batch b-2: 2 received, 0 landed and 0 quarantined."


@pytest.mark.parametrize(("tweet_id", "origin"), [("1", FIRST), ("2", FIRST), ("3", SECOND)])
def test_a_table_row_that_is_gone_is_missed(spark, root, tweet_id, origin):
    delta.delete(spark, root.table(CLEANED_TWEETS.name, CANDIDATE), f"tweet_id = '{tweet_id}'")
    assert first_problem(spark, root).startswith(f"{origin}: the table holds")
    assert reconcile(spark, root, CANDIDATE).kept == 2


def test_a_table_row_that_stands_twice_is_told(spark, root):
    path = root.table(CLEANED_TWEETS.name, CANDIDATE)
    delta.append(delta.read(spark, CLEANED_TWEETS, path).where("tweet_id = '3'"), CLEANED_TWEETS, path)
    assert first_problem(spark, root).startswith(f"{SECOND}: the table holds 2 rows")


def test_table_rows_of_no_delivered_file_are_told(spark, root):
    from pyspark.sql import functions as F

    path = root.table(CLEANED_TWEETS.name, CANDIDATE)
    row = delta.read(spark, CLEANED_TWEETS, path).where("tweet_id = '3'")
    stranger = row.withColumns({"tweet_id": F.lit("9"), "first_origin": F.lit("elsewhere~t~0~1")})
    delta.append(stranger, CLEANED_TWEETS, path)
    assert "elsewhere~t~0~1" in first_problem(spark, root)


def test_a_quarantine_line_that_is_gone_is_missed(spark, root):
    root.quarantine_file(CANDIDATE, FIRST).write_bytes(b"")
    assert first_problem(spark, root) == "Batch b-1: 4 received, 3 landed and 0 quarantined."
    root.quarantine_file(CANDIDATE, FIRST).unlink()
    assert first_problem(spark, root) == "Batch b-1: 4 received, 3 landed and 0 quarantined."


def test_a_raw_record_that_is_gone_is_missed(spark, root):
    file = root.raw(CANDIDATE) / "b-2.jsonl.gz"
    file.write_bytes(gzip.compress(b"".join(gzip.decompress(file.read_bytes()).splitlines(keepends=True)[1:])))
    assert first_problem(spark, root) == "Batch b-2: 1 received, 2 landed and 0 quarantined."


def test_a_raw_file_that_is_gone_makes_its_batch_a_foreign_one(spark, root):
    (root.raw(CANDIDATE) / "b-2.jsonl.gz").unlink()
    assert first_problem(spark, root).startswith(f"Batch b-2 landed ({SECOND}) and is not in ")


def test_a_foreign_batch_is_told(spark, root):
    store(root, CANDIDATE, message("foreign-1", 3, [record(9)]))
    assert first_problem(spark, root).startswith("Batch foreign-1 landed")
    run(spark, root)
    assert first_problem(spark, root).startswith("Batch foreign-1 landed")


def test_a_message_without_batch_is_told_and_no_loss(spark, root):
    store(root, CANDIDATE, message("", 3, [record(9)]))
    assert reconcile(spark, root, CANDIDATE) == Reconciliation(**{**vars(CLEAN), "foreign": 1})


def test_a_second_delivery_is_counted_and_adds_nothing(spark, root):
    store(root, CANDIDATE, message("b-2", 3, [record(2), record(3)]))
    twice = Reconciliation(**{**vars(CLEAN), "repeated_deliveries": 1})
    assert reconcile(spark, root, CANDIDATE) == twice, "landed, not read"
    run(spark, root)
    assert reconcile(spark, root, CANDIDATE) == twice


def test_a_second_delivery_that_was_refused_adds_nothing(spark, root):
    store(root, CANDIDATE, message("b-1", 3, [record(1), record(2), record("x"), record(2)], schema="tweet.v0"))
    assert reconcile(spark, root, CANDIDATE) == Reconciliation(**{**vars(CLEAN), "repeated_deliveries": 1})


def test_a_batch_that_was_refused_whole_and_came_again_is_read(spark, root):
    records = [record(8), record(9)]
    keep_raw(root, "b-3", records)
    store(root, CANDIDATE, message("b-3", 3, records, schema="tweet.v0"))
    found = reconcile(spark, root, CANDIDATE)
    assert (found.problems, found.received, found.quarantined, found.waiting) == ([], 8, 3, 0)
    store(root, CANDIDATE, message("b-3", 4, records))
    run(spark, root)
    found = reconcile(spark, root, CANDIDATE)
    assert (found.problems, found.kept, found.quarantined, found.repeated_deliveries) == ([], 5, 1, 1)


def test_a_batch_that_has_not_landed_waits(spark, root):
    keep_raw(root, "b-3", [record(8), record(9), record("y")])
    assert reconcile(spark, root, CANDIDATE) == Reconciliation(**{**vars(CLEAN), "received": 9, "waiting": 3})


def test_rows_that_landed_and_were_not_read_wait(spark, root):
    deliver(root, "b-3", 3, record(3), record(9), record("y"))
    waiting = {**vars(CLEAN), "received": 9, "waiting": 2, "quarantined": 2}
    assert reconcile(spark, root, CANDIDATE) == Reconciliation(**waiting)
    run(spark, root)
    assert reconcile(spark, root, CANDIDATE) == Reconciliation(received=9, kept=4, repeats=3, quarantined=2)


def test_a_lost_row_of_a_file_that_was_not_read_is_missed(spark, root):
    deliver(root, "b-3", 3, record(8), record(9))
    file = root.landed_file(CANDIDATE, message("", 3).origin)
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:2]))
    assert first_problem(spark, root) == "Batch b-3: 2 received, 1 landed and 0 quarantined."
