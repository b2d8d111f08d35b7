"""Files go when they have served; every count stays."""

import datetime as dt
import os
from dataclasses import asdict

import pytest

from election_assets.election import load_election
from election_assets.ingest import RebuildRefusedError, ingest
from election_assets.landed import store
from election_assets.reconciliation import Reconciliation, reconcile
from election_assets.retention import RetiredBatch, retention_days, retire, retired
from election_assets.run_record import run_record
from election_assets.storage import RAW_SUFFIX, DataRoot
from tests.fakes.landing import CANDIDATE, deliver, keep_raw, message, record

ELECTION = load_election("fr_2022")
NOW = dt.datetime(2022, 6, 1, tzinfo=dt.UTC)
OLD = NOW - dt.timedelta(days=100)
BEFORE = NOW - dt.timedelta(days=90)
ORIGINS = {offset: message("", offset).origin for offset in range(1, 6)}


def age(root: DataRoot, batch_id: str, instant: dt.datetime = OLD) -> None:
    os.utime(root.raw(CANDIDATE) / f"{batch_id}{RAW_SUFFIX}", (instant.timestamp(), instant.timestamp()))


def read(spark, root: DataRoot) -> None:
    ingest(spark, root, ELECTION, CANDIDATE, b"a key for tests")


@pytest.fixture
def root(spark, tmp_path) -> DataRoot:
    """Two batches, the first delivered twice and with a refused line; a third that was refused whole."""
    root = DataRoot(tmp_path)
    deliver(root, "b-1", 1, record(1), record(2), record("x"), record(2))
    deliver(root, "b-1", 2, record(1), record(2), record("x"), record(2))
    deliver(root, "b-2", 3, record(2), record(3))
    keep_raw(root, "b-3", [record(9)])
    store(root, CANDIDATE, message("b-3", 4, [record(9)], schema="tweet.v0"))
    read(spark, root)
    return root


ALL = Reconciliation(received=7, quarantined=2, kept=3, repeats=2, repeated_deliveries=1)


def test_the_counts_are_the_same_before_and_after(spark, root):
    assert reconcile(spark, root, CANDIDATE) == ALL
    age(root, "b-1")
    age(root, "b-3")
    assert retire(root, CANDIDATE, BEFORE) == 2
    assert reconcile(spark, root, CANDIDATE) == ALL
    assert root.batch_ids(CANDIDATE) == ["b-2"]
    assert root.origins(CANDIDATE) == [ORIGINS[3]]
    assert root.quarantined_lines(CANDIDATE) == {}
    assert retired(root, CANDIDATE) == {
        "b-1": RetiredBatch("b-1", 4, 1, (ORIGINS[1], ORIGINS[2])),
        "b-3": RetiredBatch("b-3", 1, 1, (ORIGINS[4],)),
    }


def test_a_batch_that_is_delivered_again_after_its_end_leaves_no_file(spark, root):
    age(root, "b-1")
    assert retire(root, CANDIDATE, BEFORE) == 1
    store(root, CANDIDATE, message("b-1", 5, [record(1), record(2), record("x"), record(2)]))
    assert retire(root, CANDIDATE, BEFORE) == 0
    assert ORIGINS[5] in root.origins(CANDIDATE)
    read(spark, root)
    assert retire(root, CANDIDATE, BEFORE) == 0
    assert root.origins(CANDIDATE) == [ORIGINS[3]]
    assert ORIGINS[5] not in root.quarantined_lines(CANDIDATE)
    assert reconcile(spark, root, CANDIDATE) == ALL


def test_young_batches_and_those_that_were_not_read_stay(spark, root):
    deliver(root, "b-4", 5, record(4))
    keep_raw(root, "b-5", [record(5)])
    age(root, "b-4")
    age(root, "b-5")
    assert retire(root, CANDIDATE, BEFORE) == 0
    assert root.batch_ids(CANDIDATE) == ["b-1", "b-2", "b-3", "b-4", "b-5"]


def test_a_crash_before_the_files_are_gone_is_made_good(spark, root):
    age(root, "b-1")
    kept = {path: path.read_bytes() for path in root.path.glob("[rlq]*/macron/*") if path.is_file()}
    retire(root, CANDIDATE, BEFORE)
    for path, content in kept.items():
        path.write_bytes(content)
    age(root, "b-1")
    assert reconcile(spark, root, CANDIDATE) == ALL
    assert retire(root, CANDIDATE, BEFORE) == 1
    assert reconcile(spark, root, CANDIDATE) == ALL


def test_a_lost_table_row_is_found_though_the_file_is_gone(spark, root):
    age(root, "b-1")
    retire(root, CANDIDATE, BEFORE)
    spark.sql(f"DELETE FROM delta.`{root.table('cleaned_tweets', CANDIDATE)}` WHERE tweet_id = '1'").collect()
    found = reconcile(spark, root, CANDIDATE)
    assert found.problems[0] == f"{ORIGINS[1]}: the table holds 1 rows that first came from it, and 2 once."


def test_a_deletion_that_was_asked_for_is_no_loss(spark, root):
    age(root, "b-1")
    retire(root, CANDIDATE, BEFORE)
    root.tombstones_file.write_text("1\n")
    read(spark, root)
    found = reconcile(spark, root, CANDIDATE)
    assert found.problems == []
    assert (found.kept, found.deleted, found.received) == (2, 1, 7)


def test_what_comes_later_is_read_and_the_table_is_not_made_anew(spark, root):
    age(root, "b-1")
    retire(root, CANDIDATE, BEFORE)
    deliver(root, "b-4", 5, record(1), record(4))
    read(spark, root)
    found = reconcile(spark, root, CANDIDATE)
    assert found.problems == []
    assert (found.received, found.kept, found.repeats) == (9, 4, 3)
    with pytest.raises(RebuildRefusedError, match=f"{ORIGINS[1]}.*gone|gone.*{ORIGINS[1]}"):
        ingest(spark, root, ELECTION, CANDIDATE, b"a key for tests", rebuild=True)


def test_the_record_of_a_run_still_counts_everything(spark, root):
    (root.path / "root.json").write_text('{"election": "fr_2022", "source": "sample", "root_id": "0"}')

    def total() -> dict:
        record = run_record(
            root,
            ELECTION,
            run_id="r",
            errors={},
            notes={},
            archive=None,
            engines={},
            seconds={},
            now=dt.datetime.now(dt.UTC),
        )
        return record["candidates"][CANDIDATE]["root"]

    before = total()
    age(root, "b-1")
    age(root, "b-3")
    retire(root, CANDIDATE, BEFORE)
    assert total() == before
    assert {name: count for name, count in asdict(ALL).items() if name in before} == before


@pytest.mark.parametrize(("written", "days"), [("", 90), ("30", 30), ("0", None)])
def test_the_days_are_read(written, days):
    assert retention_days({"RETENTION_DAYS": written}) == days


@pytest.mark.parametrize("written", ["-1", "a week", "1.5", "²"])
def test_other_days_are_refused(written):
    with pytest.raises(ValueError, match="is not a whole number of days"):
        retention_days({"RETENTION_DAYS": written})
