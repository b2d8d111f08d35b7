from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable

from election_assets import delta
from election_assets import ingest as ingest_module
from election_assets.election import load_election
from election_assets.ingest import Ingestion, RebuildRefusedError, ingest, ingested_rows
from election_assets.landed import store
from election_assets.reconciliation import reconcile
from election_assets.schemas import CLEANED_TWEETS, INGESTED
from election_assets.storage import DataRoot
from tests.fakes.ingest_process import KEY
from tests.fakes.landing import CANDIDATE, deliver, message, record

ELECTION = load_election("fr_2022")

REPOSITORY = Path(__file__).parents[3]


@pytest.fixture
def root(tmp_path) -> DataRoot:
    return DataRoot(tmp_path)


def origin(offset: int) -> str:
    return message("", offset).origin


def run(spark, root: DataRoot, **options: bool) -> Ingestion:
    return ingest(spark, root, ELECTION, CANDIDATE, KEY, **options)


def table(spark, root: DataRoot) -> dict[str, dict[str, Any]]:
    """The rows of the table by tweet id; an id that stands twice is an error."""
    rows = delta.read(spark, CLEANED_TWEETS, root.table(CLEANED_TWEETS.name, CANDIDATE)).collect()
    found = {row["tweet_id"]: row.asDict() for row in rows}
    assert len(found) == len(rows)
    return found


def days(root: DataRoot) -> dict[str, dict[str, str]]:
    """The table's files by day, each with the digest of its bytes."""
    path = root.table(CLEANED_TWEETS.name, CANDIDATE)
    return {
        day: {name: hashlib.sha256((Path(path) / name).read_bytes()).hexdigest() for name in names}
        for day, names in delta.partition_files(path, "day").items()
    }


def counts(row: dict[str, Any]) -> tuple[int, int, int, int, bool]:
    return row["rows"], row["kept"], row["repeats"], row["quarantined"], row["repeated_delivery"]


def test_new_tweets_repeats_and_refused_lines_are_told_apart(spark, root):
    deliver(
        root,
        "b-1",
        1,
        record(1, text="le premier", like_count="1"),
        record("x"),
        record(2),
        record(1, text="le second", like_count="9", retrieved_at="2022-04-05T13:00:00Z"),
    )
    deliver(root, "b-2", 2, record(2, like_count="5"), record(3, created_at="Fri Mar 25 23:30:00 +0000 2022"))
    added = run(spark, root)
    april, march = dt.date(2022, 4, 1), dt.date(2022, 3, 26)
    assert added == Ingestion(files=2, rows=5, kept=3, repeats=2, quarantined=1, days=(march, april))
    rows = table(spark, root)
    assert {key: (row["day"], row["first_origin"]) for key, row in rows.items()} == {
        "1": (april, origin(1)),
        "2": (april, origin(1)),
        "3": (march, origin(2)),
    }
    assert (rows["1"]["text"], rows["1"]["like_count"]) == ("le premier", 9)
    assert rows["2"]["like_count"] == 5, "of two that were read at once the later counts"
    first, second = ingested_rows(root, CANDIDATE)
    assert (first["origin"], first["batch_id"], first["sequence"]) == (origin(1), "b-1", 1)
    assert (second["origin"], second["batch_id"], second["sequence"]) == (origin(2), "b-2", 2)
    assert counts(first) == (3, 2, 1, 1, False)
    assert counts(second) == (2, 1, 1, 0, False)
    # Nothing is new now, and nothing is written.
    versions = [DeltaTable(root.table(name, CANDIDATE)).version() for name in (CLEANED_TWEETS.name, INGESTED.name)]
    assert run(spark, root) == Ingestion()
    assert versions == [
        DeltaTable(root.table(name, CANDIDATE)).version() for name in (CLEANED_TWEETS.name, INGESTED.name)
    ]
    assert table(spark, root) == rows


def test_only_the_days_of_what_is_new_are_written(spark, root):
    deliver(
        root,
        "b-1",
        1,
        record(1, created_at="2022-04-01T12:00:00Z"),
        record(2, created_at="2022-04-02T12:00:00Z"),
        record(3, created_at="2022-04-03T12:00:00Z"),
    )
    run(spark, root)
    before = days(root)
    assert sorted(before) == ["2022-04-01", "2022-04-02", "2022-04-03"]
    deliver(
        root,
        "b-2",
        2,
        record(2, created_at="2022-04-02T12:00:00Z", like_count="8", retrieved_at="2022-04-06T12:00:00Z"),
        record(4, created_at="2022-03-20T12:00:00Z"),
    )
    added = run(spark, root)
    assert (added.kept, added.repeats) == (1, 1)
    assert added.days == (dt.date(2022, 3, 20), dt.date(2022, 4, 2))
    after = days(root)
    assert sorted(after) == ["2022-03-20", "2022-04-01", "2022-04-02", "2022-04-03"]
    assert after["2022-04-01"] == before["2022-04-01"]
    assert after["2022-04-03"] == before["2022-04-03"]
    assert after["2022-04-02"] != before["2022-04-02"]
    rows = table(spark, root)
    assert (rows["2"]["like_count"], rows["2"]["first_origin"]) == (8, origin(1))
    assert rows["4"]["first_origin"] == origin(2)


def several_deliveries(spark, root: DataRoot) -> None:
    """Ingests four batches one by one: higher counts, lower but later ones, higher but older ones, a repeated batch."""
    deliver(root, "b-1", 1, record(1, like_count="5"), record(2, text="deux"), record("x"))
    run(spark, root)
    later = record(1, text="changé", like_count="7", author_followers="70", retrieved_at="2022-04-06T12:00:00Z")
    deliver(root, "b-2", 2, later, record(3, created_at="2022-03-20T12:00:00Z"), record(3, like_count="2"))
    run(spark, root)
    assert (table(spark, root)["1"]["like_count"], table(spark, root)["1"]["author_followers"]) == (7, 70)
    deliver(root, "b-3", 3, record(1, like_count="6", retrieved_at="2022-04-07T12:00:00Z"))
    run(spark, root)
    assert table(spark, root)["1"]["like_count"] == 6, "lower, but read later"
    deliver(root, "b-4", 5, record(1, like_count="99", retrieved_at="2022-04-05T18:00:00Z"), record(4))
    run(spark, root)
    assert table(spark, root)["1"]["like_count"] == 6, "higher, but read before"


def test_counts_follow_the_time_they_were_read_and_a_rebuild_makes_equal_rows(spark, root):
    several_deliveries(spark, root)
    store(root, CANDIDATE, message("b-2", 6, [record(1, text="changé", like_count="7"), record(3), record(3)]))
    again = run(spark, root)
    assert (again.files, again.kept, again.repeats, again.repeated_deliveries) == (1, 0, 0, 1)
    rows, read = table(spark, root), ingested_rows(root, CANDIDATE)
    assert rows["1"]["text"] == "Bonjour 1"
    assert [row["repeated_delivery"] for row in read] == [False, False, False, False, True]

    rebuilt = run(spark, root, rebuild=True)
    assert table(spark, root) == rows
    assert (rebuilt.files, rebuilt.kept, rebuilt.repeats, rebuilt.quarantined) == (5, 4, 4, 1)
    assert rebuilt.repeated_deliveries == 1

    def told(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{name: value for name, value in row.items() if name != "ingested_at"} for row in rows]

    assert told(ingested_rows(root, CANDIDATE)) == told(read)
    assert run(spark, root) == Ingestion()
    assert DeltaTable(root.table(CLEANED_TWEETS.name, CANDIDATE)).metadata().partition_columns == ["day"]
    assert reconcile(spark, root, CANDIDATE).problems == []


def test_a_tweet_that_comes_back_with_another_date_is_still_one_row(spark, root):
    deliver(root, "b-1", 1, record(1), record(2))
    run(spark, root)
    changed = record(1, created_at="2022-03-02T12:00:00Z", like_count="8", retrieved_at="2022-04-06T12:00:00Z")
    deliver(root, "b-2", 2, changed, record(3, created_at="2022-03-02T12:00:00Z"))
    added = run(spark, root)
    assert (added.kept, added.repeats) == (1, 1)
    rows = table(spark, root)
    assert set(rows) == {"1", "2", "3"}
    assert (rows["1"]["day"], rows["1"]["like_count"]) == (dt.date(2022, 4, 1), 8)
    assert reconcile(spark, root, CANDIDATE).problems == []
    run(spark, root, rebuild=True)
    assert table(spark, root) == rows


def test_a_batch_that_comes_twice_adds_nothing(spark, root):
    records = [record(1), record(2), record("x")]
    deliver(root, "b-1", 1, *records)
    store(root, CANDIDATE, message("b-1", 4, records))
    added = run(spark, root)
    assert added == Ingestion(
        files=2, rows=4, kept=2, quarantined=1, repeated_deliveries=1, days=(dt.date(2022, 4, 1),)
    )
    before = days(root)
    store(root, CANDIDATE, message("b-1", 9, records))
    assert run(spark, root) == Ingestion(files=1, rows=2, repeated_deliveries=1)
    assert days(root) == before
    assert {row["first_origin"] for row in table(spark, root).values()} == {origin(1)}
    assert [counts(row) for row in ingested_rows(root, CANDIDATE)] == [
        (2, 2, 0, 1, False),
        (2, 0, 0, 0, True),
        (2, 0, 0, 0, True),
    ]


def test_messages_without_rows_are_read_once_and_are_no_repeats(spark, root):
    deliver(root, "b-1", 1, record("x"))
    for offset in (2, 3):
        store(root, CANDIDATE, message(f"empty-{offset}", offset, []))
    assert run(spark, root) == Ingestion(files=3, quarantined=1)
    assert run(spark, root) == Ingestion()
    assert table(spark, root) == {}


def test_a_rebuild_without_the_files_is_refused_naming_them(spark, root):
    deliver(root, "b-1", 1, record(1))
    deliver(root, "b-2", 2, record(2))
    run(spark, root)
    deliver(root, "b-3", 3, record(3))
    rows = table(spark, root)
    root.landed_file(CANDIDATE, origin(2)).unlink()
    with pytest.raises(RebuildRefusedError) as raised:
        run(spark, root, rebuild=True)
    assert origin(2) in str(raised.value)
    assert origin(1) not in str(raised.value)
    assert CANDIDATE in str(raised.value)
    assert table(spark, root) == rows
    assert run(spark, root).kept == 1, "what is new is still added"


def test_a_rebuild_reads_what_was_not_read_yet_too(spark, root):
    deliver(root, "b-1", 1, record(1))
    run(spark, root)
    deliver(root, "b-2", 2, record(2), record(1))
    assert (added := run(spark, root, rebuild=True)).kept == 2
    assert added.repeats == 1
    assert set(table(spark, root)) == {"1", "2"}


def test_deleted_tweets_leave_the_table_and_do_not_come_back(spark, root):
    deliver(root, "b-1", 1, record(1), record(2, created_at="2022-04-02T12:00:00Z"), record(3))
    run(spark, root)
    before = days(root)
    root.tombstones_file.write_text("1\n77\n")
    assert run(spark, root) == Ingestion()
    assert set(table(spark, root)) == {"2", "3"}
    assert days(root)["2022-04-02"] == before["2022-04-02"]
    deliver(root, "b-2", 2, record(1), record(4), record(77))
    added = run(spark, root)
    assert (added.rows, added.kept, added.repeats) == (3, 1, 0)
    rows = table(spark, root)
    assert set(rows) == {"2", "3", "4"}
    found = reconcile(spark, root, CANDIDATE)
    assert (found.problems, found.deleted, found.kept) == ([], 3, 3)
    run(spark, root, rebuild=True)
    assert table(spark, root) == rows


def test_many_files_go_in_several_merges_with_the_same_result(spark, root, tmp_path, monkeypatch):
    other = DataRoot(tmp_path / "other")
    for each in (root, other):
        for number in range(5):
            day = f"2022-04-0{number % 2 + 1}T12:00:00Z"
            likes = {"like_count": str(number), "retrieved_at": f"2022-04-0{9 - number}T12:00:00Z"}
            deliver(each, f"b-{number}", number, record(number, created_at=day), record(100, **likes), record(number))
        store(each, CANDIDATE, message("b-0", 5, [record(0)]))
    at_once = run(spark, root)
    monkeypatch.setattr(ingest_module, "FILES_A_MERGE", 2)
    in_steps = run(spark, other)
    assert in_steps == at_once
    assert (at_once.files, at_once.kept, at_once.repeats, at_once.repeated_deliveries) == (6, 6, 9, 1)
    assert table(spark, other) == table(spark, root)
    assert table(spark, root)["100"]["like_count"] == 0, "the counts read last are those of the first file"
    assert [row["sequence"] for row in ingested_rows(other, CANDIDATE)] == [1, 2, 3, 4, 5, 6]
    assert DeltaTable(other.table(INGESTED.name, CANDIDATE)).version() == 3


@contextlib.contextmanager
def ingesting(root: DataRoot, end: str) -> Iterator[subprocess.Popen[str]]:
    """Another process with an engine of its own, ready to ingest at a line on its input."""
    command = [sys.executable, "-m", "tests.fakes.ingest_process", str(root.path), CANDIDATE, end]
    process = subprocess.Popen(
        command,
        cwd=REPOSITORY,
        # The session of this process leaves its own address there.
        env={name: value for name, value in os.environ.items() if not name.startswith("SPARK_")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def go(*processes: subprocess.Popen[str]) -> None:
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()


def test_killed_between_merge_and_ingested_the_files_are_read_again(spark, root):
    deliver(root, "b-1", 1, record(1), record(2))
    run(spark, root)
    deliver(root, "b-2", 2, record(2, like_count="4", retrieved_at="2022-04-06T12:00:00Z"), record(3), record(3))
    store(root, CANDIDATE, message("b-2", 3, [record(2), record(3), record(3)]))
    deliver(root, "b-3", 4, record(3), record(4), record("x"))
    with ingesting(root, "dies") as process:
        go(process)
        assert process.wait(timeout=120) == -signal.SIGKILL
    # The MERGE was committed, the files were not written down as read.
    merged = table(spark, root)
    assert set(merged) == {"1", "2", "3", "4"}
    assert [row["origin"] for row in ingested_rows(root, CANDIDATE)] == [origin(1)]
    meanwhile = reconcile(spark, root, CANDIDATE)
    assert (meanwhile.problems, meanwhile.kept, meanwhile.waiting, meanwhile.quarantined) == ([], 2, 5, 1)

    added = run(spark, root)
    assert (added.files, added.kept, added.repeats, added.quarantined, added.repeated_deliveries) == (3, 2, 3, 1, 1)
    assert table(spark, root) == merged
    found = reconcile(spark, root, CANDIDATE)
    assert found.problems == []
    assert (found.received, found.kept, found.repeats, found.quarantined, found.waiting) == (8, 4, 3, 1, 0)
    run(spark, root, rebuild=True)
    assert table(spark, root) == merged


def test_two_processes_at_once_read_each_file_once(spark, root):
    for number in range(4):
        deliver(root, f"b-{number}", number, record(number), record(100, like_count=str(number)))
    with ingesting(root, "lives") as one, ingesting(root, "lives") as other:
        go(one, other)
        told = [json.loads(process.stdout.readline()) for process in (one, other)]
    assert sorted(each["files"] for each in told) == [0, 4]
    assert sum(each["kept"] for each in told) == 5
    assert set(table(spark, root)) == {"0", "1", "2", "3", "100"}
    assert [row["sequence"] for row in ingested_rows(root, CANDIDATE)] == [1, 2, 3, 4]
    assert reconcile(spark, root, CANDIDATE).problems == []


def test_what_was_deleted_later_no_longer_counts_as_kept(spark, root):
    deliver(root, "b-1", 1, record(1), record(2), record(3))
    deliver(root, "b-2", 2, record(3), record(4))
    run(spark, root)
    root.tombstones_file.write_text("1\n4\n")
    run(spark, root)
    assert [(row["kept"], row["repeats"]) for row in ingested_rows(root, CANDIDATE)] == [(2, 0), (0, 1)]
    run(spark, root)
    assert [(row["kept"], row["repeats"]) for row in ingested_rows(root, CANDIDATE)] == [(2, 0), (0, 1)]
