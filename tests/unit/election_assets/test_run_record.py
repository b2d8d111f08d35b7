from __future__ import annotations

import datetime as dt
import json
from importlib.metadata import version
from typing import Any

import pytest

from election_assets.election import load_election
from election_assets.ingest import ingest
from election_assets.landed import store
from election_assets.run_record import COUNTS, PACKAGES, run_record
from election_assets.storage import DataRoot, DataRootError, write_atomically
from tests.fakes.landing import CANDIDATE, deliver, keep_raw, message, record

ELECTION = load_election("fr_2022")
NOTHING = dict.fromkeys(COUNTS, 0)


@pytest.fixture
def root(tmp_path) -> DataRoot:
    root = DataRoot(tmp_path)
    info = {"election": "fr_2022", "source": "sample", "root_id": "0a1b2c3d"}
    write_atomically(tmp_path / "root.json", json.dumps(info).encode())
    return root


def run(spark, root: DataRoot) -> None:
    ingest(spark, root, ELECTION, CANDIDATE, b"a key for tests")


def report(root: DataRoot, **given: Any) -> dict[str, Any]:
    """Makes a record and leaves it where the report does."""
    made = run_record(
        root,
        ELECTION,
        **{
            "run_id": "run-1",
            "errors": {},
            "notes": {},
            "archive": None,
            "engines": {"spark": "Sail"},
            "seconds": {},
            "now": dt.datetime.now(dt.UTC),
            **given,
        },
    )
    write_atomically(root.report / "run.json", json.dumps(made).encode())
    return made


def counts(
    received: int, repeats: int, quarantined: int, kept: int, repeated_deliveries: int = 0, waiting: int = 0
) -> dict[str, int]:
    return dict(zip(COUNTS, (received, repeats, quarantined, kept, repeated_deliveries, 0, waiting), strict=True))


def test_a_run_counts_since_the_report_before_and_the_root_since_it_began(spark, root):
    deliver(root, "b-1", 1, record(1), record(2), record("x"), record(2))
    run(spark, root)
    first = report(root)
    assert first["candidates"][CANDIDATE]["run"] == first["candidates"][CANDIDATE]["root"] == counts(4, 1, 1, 2)
    assert first["total"] == {"run": counts(4, 1, 1, 2), "root": counts(4, 1, 1, 2)}
    assert first["since"] is None
    assert list(first["candidates"]) == ELECTION.candidate_keys
    assert first["candidates"]["le-pen"] == {"run": NOTHING, "root": NOTHING, "error": None, "notes": []}

    # Two runs between two reports are both told of; a second delivery adds to nothing but its own count.
    deliver(root, "b-2", 2, record(2), record(3))
    run(spark, root)
    store(root, CANDIDATE, message("b-1", 3, [record(1), record(2), record("x"), record(2)]))
    run(spark, root)
    second = report(root)
    assert second["since"] == first["made_at"]
    assert second["candidates"][CANDIDATE] == {
        "run": counts(2, 1, 0, 1, repeated_deliveries=1),
        "root": counts(6, 2, 1, 3, repeated_deliveries=1),
        "error": None,
        "notes": [],
    }

    third = report(root)
    assert third["total"] == {"run": NOTHING, "root": counts(6, 2, 1, 3, repeated_deliveries=1)}


def test_what_is_read_within_the_second_of_a_report_is_told_once(spark, root):
    deliver(root, "b-1", 1, record(1))
    before = dt.datetime.now(dt.UTC)
    run(spark, root)
    assert report(root, now=before)["total"]["run"] == NOTHING, "read after the report's time"
    after = dt.datetime.now(dt.UTC)
    assert report(root, now=after)["total"]["run"] == counts(1, 0, 0, 1)
    assert report(root, now=after + dt.timedelta(microseconds=1))["total"]["run"] == NOTHING


def test_a_batch_that_was_refused_whole_is_quarantined_in_the_counts(spark, root):
    deliver(root, "b-1", 1, record(1))
    records = [record(2), record(3)]
    keep_raw(root, "b-2", records)
    for offset in (2, 3):
        store(root, CANDIDATE, message("b-2", offset, records, schema="tweet.v0"))
    run(spark, root)
    # The file's time is the kernel's coarse clock, so the report is made a little later.
    later = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=1)
    first = report(root, now=later)["candidates"][CANDIDATE]
    assert first["run"] == first["root"] == counts(3, 0, 2, 1)
    second = report(root, now=later + dt.timedelta(seconds=1))["candidates"][CANDIDATE]
    assert second == {"run": NOTHING, "root": counts(3, 0, 2, 1), "error": None, "notes": []}
    # It comes again as it should, and counts as what it now is.
    store(root, CANDIDATE, message("b-2", 4, records))
    run(spark, root)
    assert report(root)["candidates"][CANDIDATE]["root"] == counts(3, 0, 0, 3)


def test_what_waits_is_told_since_the_root_began(root):
    keep_raw(root, "b-1", [record(1), record(2)])
    made = report(root)["candidates"][CANDIDATE]
    assert (made["run"], made["root"]) == (NOTHING, counts(2, 0, 0, 0, waiting=2))


def test_the_rest_is_told_as_given(root):
    now = dt.datetime(2022, 4, 10, 18, 5, tzinfo=dt.UTC)
    archive = {"read": 7, "unreadable": 1, "matched_no_candidate": 2, "problems": [], "problem_count": 1}
    made = report(
        root,
        run_id="run-9",
        errors={"le-pen": "X answered 503."},
        notes={"le-pen": ["Tweets may be missing."]},
        archive=archive,
        seconds={"raw_tweets": 1.23456},
        now=now,
    )
    assert made["election"] == {"key": "fr_2022", "name": ELECTION.name}
    assert (made["source"], made["made_at"], made["run_id"]) == ("sample", "2022-04-10T18:05:00+00:00", "run-9")
    assert made["candidates"]["le-pen"]["error"] == "X answered 503."
    assert made["candidates"][CANDIDATE]["error"] is None
    assert made["candidates"]["le-pen"]["notes"] == ["Tweets may be missing."]
    assert made["candidates"][CANDIDATE]["notes"] == []
    assert made["archive"] == archive
    assert made["engines"] == {"spark": "Sail"}
    assert made["seconds"] == {"raw_tweets": 1.23}
    assert made["versions"] == {package: version(package) for package in PACKAGES}


@pytest.mark.parametrize("broken", ["", "{", "{}", '{"made_at": "yesterday"}'])
def test_an_unreadable_report_before_is_as_none(spark, root, broken):
    write_atomically(root.report / "run.json", broken.encode())
    deliver(root, "b-1", 1, record("x"))
    run(spark, root)
    assert report(root)["total"]["run"] == counts(1, 0, 1, 0)


def test_a_root_of_another_election_has_no_record(root):
    write_atomically(root.path / "root.json", b'{"election": "x", "source": "sample", "root_id": "0"}')
    with pytest.raises(DataRootError):
        report(root)


def test_a_tweet_declared_deleted_before_it_came_is_told(spark, root):
    root.tombstones_file.write_text("2\n")
    deliver(root, "b-1", 1, record(1), record(2))
    run(spark, root)
    assert report(root)["total"]["root"] == {**counts(2, 0, 0, 1), "deleted": 1}
