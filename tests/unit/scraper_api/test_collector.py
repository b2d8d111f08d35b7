"""Nothing lost, nothing twice: the collector against a server that plays X, over HTTP."""

import datetime as dt
import gzip
import json
import logging
import multiprocessing
import os
import signal
import sys
import threading
from pathlib import Path

import pytest

from election_assets.election import load_election
from election_assets.schemas import MAX_BATCH_BYTES, TWEET_V1_NAMES, encode_tweets
from scraper_api import collector as collector_module
from scraper_api.collector import Collector, DataRootError, NotCurrent, UnknownBatch, claim_root
from scraper_api.x_client import CollectionError, XClient
from tests.fakes import x_api
from tests.fakes.x_api import TOKEN, FakeX, serving

ELECTION = """
key = "mairie"
name = "Élection du maire"
language = "fr"
time_zone = "Europe/Paris"
first_round = 2022-04-10
second_round = 2022-04-24
topic_prefix = "mairie.tweets"
[[candidates]]
key = "ane"
name = "Âne Têtu"
party = "Les Chardons"
colour = "#111111"
query = "Âne"
[[candidates]]
key = "ane-deux"
name = "Baudet"
party = "Les Avoines"
colour = "#222222"
query = "Baudet"
"""


def tweets(first, last):
    return [{"id": str(1000 + n), "text": f"Texte {n}", "author_id": "7"} for n in range(first, last + 1)]


def ids(batch):
    return [tweet["id"] for tweet in batch.tweets]


def newest_first(first, last):
    return [str(1000 + n) for n in range(last, first - 1, -1)]


@pytest.fixture
def election(tmp_path):
    path = tmp_path / "mairie.toml"
    path.write_text(ELECTION, encoding="utf-8")
    return load_election(str(path))


@pytest.fixture
def fake():
    with serving(FakeX(tweets(1, 250))) as fake:
        yield fake


@pytest.fixture
def client(fake):
    return XClient(TOKEN, fake.url, retries=0, timeout=(5, 5))


@pytest.fixture
def make(tmp_path, election, client):
    """Opens the collector of one data root, as a scraper that starts again does."""
    opened = []

    def open_one(**changes):
        while opened:
            opened.pop().close()
        arguments = {"data_root": tmp_path / "data", "election": election, "source": "x", "client": client}
        opened.append(Collector(**(arguments | changes)))
        return opened[-1]

    yield open_one
    for each in opened:
        each.close()


def collect(collector, key="ane", count=500):
    """Every batch until nothing is new, each acknowledged."""
    batches = []
    while (batch := collector.batch(key, count)).batch_id:
        batches.append(batch)
        collector.acknowledge(batch.batch_id)
    return batches


def test_batches_follow_one_another_and_end(make):
    collector = make()
    batches = collect(collector, count=120)
    root_id = collector.root["root_id"]
    assert [batch.batch_id for batch in batches] == [f"ane-{root_id}-00000{n}" for n in (1, 2, 3)]
    assert [len(batch.tweets) for batch in batches] == [120, 120, 10]
    assert [tweet for batch in batches for tweet in ids(batch)] == newest_first(1, 250)
    last = collector.batch("ane")
    assert (last.batch_id, last.tweets, last.schema) == (None, [], "tweet.v1")
    assert list(batches[0].tweets[0]) == TWEET_V1_NAMES


def test_a_batch_stays_until_it_is_acknowledged(make):
    first = make().batch("ane", 120)
    assert make().batch("ane", 7) == first
    collector = make()
    collector.acknowledge(first.batch_id)
    collector.acknowledge(first.batch_id)
    assert collector.batch("ane", 7).tweets[0]["id"] == "1130"
    collector.acknowledge(first.batch_id)
    assert collector.again(first.batch_id) == first


def test_raw_files_hold_every_record_as_received(make, fake, tmp_path):
    fake.includes = {"users": [{"id": "7", "name": "Été"}, {"id": "8", "name": "Nobody asked"}]}
    fake.tweets[-1]["an unknown field"] = {"kept": ["\ud83d", None]}
    batch = make().batch("ane", 3)
    path = tmp_path / "data" / "raw" / "ane" / f"{batch.batch_id}.jsonl.gz"
    lines = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
    assert [line["tweet"] for line in lines] == list(reversed(fake.tweets))[:3]
    assert lines[0]["includes"] == {"users": [{"id": "7", "name": "Été"}]}
    assert {line["source"] for line in lines} == {"x"}
    assert batch.tweets[0]["author_name"] == "Été"
    assert batch.tweets[0]["retrieved_at"] == lines[0]["retrieved_at"]


def test_since_id_moves_only_after_the_last_page(make, fake):
    collector = make()
    first = collector.batch("ane", 100)
    fake.tweets += tweets(251, 260)
    collector = make()
    collector.acknowledge(first.batch_id)
    rest = collect(collector)
    assert [tweet for batch in [first, *rest] for tweet in ids(batch)] == [
        *newest_first(1, 250),
        *newest_first(251, 260),
    ]
    assert [(asked.get("since_id"), "next_token" in asked) for asked in fake.asked] == [
        (None, False),
        (None, True),
        (None, True),
        ("1250", False),
        ("1260", False),
    ]


def test_a_refused_page_token_begins_the_query_again(make, fake):
    collector = make()
    first = collector.batch("ane", 100)
    collector.acknowledge(first.batch_id)
    fake.before = lambda asked: x_api.TOKEN_REFUSED if asked.get("next_token") == "250-100" else None
    fake.page_size = 60
    rest = [tweet for batch in collect(make()) for tweet in ids(batch)]
    assert rest == newest_first(1, 250)
    assert "began again" in make().status()["candidates"]["ane"]["notes"][0]


def test_a_page_token_refused_again_is_an_error(make, fake, monkeypatch):
    collector = make()
    collector.acknowledge(collector.batch("ane", 100).batch_id)
    fake.before = lambda asked: x_api.TOKEN_REFUSED if "next_token" in asked else None
    collector.acknowledge(collector.batch("ane").batch_id)
    with pytest.raises(CollectionError, match="Invalid 'next_token'"):
        collect(collector)
    assert collector.status()["candidates"]["ane"]["pages"] == 2
    monkeypatch.setattr(collector_module, "RESTART_PAUSE", dt.timedelta(0))
    fake.before = lambda asked: x_api.TOKEN_REFUSED if len(fake.asked) == 6 else None
    assert [tweet for batch in collect(collector) for tweet in ids(batch)] == newest_first(1, 250)


def test_an_empty_page_with_a_token_is_not_the_last(make, fake):
    empty = x_api.Answer(200, {"meta": {"result_count": 0, "next_token": "250-0"}})
    fake.before = lambda asked: None if "next_token" in asked else empty
    assert [tweet for batch in collect(make()) for tweet in ids(batch)] == newest_first(1, 250)


def test_a_page_that_names_itself_as_the_next_is_an_error_and_not_asked_for_ever(make, fake):
    collector = make()
    collector.acknowledge(collector.batch("ane", 100).batch_id)
    again = x_api.Answer(200, {"data": tweets(1, 2), "meta": {"result_count": 2, "next_token": "250-100"}})
    fake.before = lambda asked: again
    with pytest.raises(CollectionError, match="names itself"):
        collector.batch("ane")
    assert len(fake.asked) == 2
    fake.before = lambda asked: None
    assert [tweet for batch in collect(collector) for tweet in ids(batch)] == newest_first(1, 150)


def test_a_since_id_older_than_the_window_is_dropped_with_a_note(make, fake):
    collect(make())
    fake.tweets = tweets(400, 420)
    fake.before = lambda asked: x_api.SINCE_ID_TOO_OLD if asked.get("since_id") == "1250" else None
    collector = make()
    assert [ids(batch) for batch in collect(collector)] == [newest_first(400, 420)]
    [note] = collector.status()["candidates"]["ane"]["notes"]
    assert "1250" in note
    assert "may be missing" in note
    assert collector.batch("ane").batch_id is None
    assert fake.asked[-1]["since_id"] == "1420"


def test_what_is_pending_comes_before_the_error(make, fake):
    fake.before = lambda asked: x_api.RATE_LIMIT if len(fake.asked) > 2 else None
    collector = make()
    batch = collector.batch("ane")
    assert ids(batch) == newest_first(51, 250)
    assert "no more requests" in collector.status()["candidates"]["ane"]["error"]
    collector.acknowledge(batch.batch_id)
    with pytest.raises(CollectionError) as caught:
        collector.batch("ane")
    assert caught.value.retry_at == "2022-04-10T15:00:00Z"
    fake.before = lambda asked: None
    assert ids(collector.batch("ane")) == newest_first(1, 50)
    assert collector.status()["candidates"]["ane"]["error"] is None


@pytest.mark.parametrize(
    ("answer", "kind", "sentence"),
    [
        (x_api.UNAUTHORIZED, "token", "refuses the bearer token"),
        (x_api.CREDITS_DEPLETED, "credits", "credits of the account at X are spent"),
        (x_api.NOT_ENROLLED, "forbidden", "attached to a Project"),
        (x_api.RATE_LIMIT, "rate", "again after 2022-04-10T15:00:00Z"),
        (x_api.USAGE_CAP, "cap", "The monthly cap on posts"),
        (x_api.BAD_QUERY, "request", "missing EOF"),
        (x_api.BROKEN, "server", "failed \\(500\\)"),
        (x_api.ERRORS_ONLY, "answer", "errors only: Try again."),
        (x_api.NO_JSON, "answer", "no JSON"),
        (x_api.Answer(200, {"data": "x"}), "answer", "no list of tweets"),
        (x_api.Answer(400, [1]), "request", "no reason given"),
        (x_api.Answer(429, {"title": 5}, {"x-rate-limit-reset": "soon"}), "rate", "in 15 minutes"),
        (x_api.Answer(302, {}, {"Location": "http://127.0.0.1:1/"}), "answer", "unexpected status 302"),
        (x_api.Answer(401, {"detail": TOKEN}), "token", "X_BEARER_TOKEN"),
        (x_api.Answer(403, {"detail": f"Who is {TOKEN}?"}), "forbidden", "Who is \\*\\*\\*"),
    ],
)
def test_every_refusal_is_one_sentence(make, fake, answer, kind, sentence, caplog):
    caplog.set_level(logging.DEBUG)
    fake.before = lambda asked: answer
    collector = make()
    with pytest.raises(CollectionError, match=sentence) as caught:
        collector.batch("ane")
    assert caught.value.kind == kind
    assert "\n" not in caught.value.sentence
    assert collector.status()["candidates"]["ane"]["error"] == caught.value.sentence
    assert TOKEN not in caplog.text + repr(collector.status())
    fake.before = lambda asked: None
    assert len(collector.batch("ane-deux").tweets) == 250


def test_a_failure_that_passes_is_tried_again(make, fake):
    fake.before = lambda asked: x_api.BROKEN if len(fake.asked) < 3 else None
    collector = make(client=XClient(TOKEN, fake.url, retries=2, back_off=0.001))
    assert len(collector.batch("ane").tweets) == 250


@pytest.mark.parametrize(
    ("client", "sentence"),
    [
        (lambda url: XClient(TOKEN, url, timeout=(5, 0.05), retries=1, back_off=0), "did not answer within 0.05 s"),
        (lambda url: XClient(TOKEN, "http://127.0.0.1:1", retries=1, back_off=0), "cannot be reached"),
        (lambda url: XClient("another", url), "refuses the bearer token"),
    ],
)
def test_a_source_out_of_reach_is_one_sentence(make, fake, client, sentence):
    fake.before = lambda asked: x_api.HANG
    with pytest.raises(CollectionError, match=sentence):
        make(client=client(fake.url)).batch("ane")


@pytest.mark.parametrize("token", ["", "two words", "line\n", "é"])
def test_a_token_that_no_header_can_carry_is_refused_unseen(token):
    with pytest.raises(ValueError, match="copy it again") as caught:
        XClient(token)
    assert not token or token not in str(caught.value)


def test_a_batch_stays_below_kafkas_limit(make, fake):
    fake.tweets = [tweet | {"text": 'é"' * 3000} for tweet in tweets(1, 250)]
    batches = collect(make())
    assert [tweet for batch in batches for tweet in ids(batch)] == newest_first(1, 250)
    sizes = [len(encode_tweets(batch.tweets)) for batch in batches]
    assert all(MAX_BATCH_BYTES - 13_000 < size <= MAX_BATCH_BYTES for size in sizes[:-1])
    assert len(sizes) == 4


def test_malformed_records_are_served_like_others(make, fake):
    fake.tweets = [*tweets(1, 2), {"id": None, "text": None}, {"text": "no id", "created_at": "31/02/2022"}]
    [batch] = collect(make())
    assert ids(batch) == ["", "", "1002", "1001"]
    assert collect(make()) == []
    assert fake.asked[-1]["since_id"] == "1002"


def test_candidates_are_apart(make):
    collector = make()
    one, two = collector.batch("ane", 10), collector.batch("ane-deux", 10)
    collector.acknowledge(two.batch_id)
    assert collector.batch("ane", 10) == one
    assert collector.batch("ane-deux", 10).batch_id != two.batch_id
    with pytest.raises(KeyError):
        collector.batch("boeuf")


def test_two_requests_at_once_get_the_same_batch(make):
    collector = make()
    batches = []
    threads = [threading.Thread(target=lambda: batches.append(collector.batch("ane", 150))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert batches == [batches[0]] * 4
    assert collector.status()["candidates"]["ane"]["batches"] == 1


def test_unknown_batches_are_refused(make, tmp_path):
    collector = make()
    batch = collector.batch("ane", 10)
    unknown = batch.batch_id.removesuffix("1") + "9"
    for call in (collector.acknowledge, collector.again):
        with pytest.raises(UnknownBatch, match=unknown):
            call(unknown)
        with pytest.raises(UnknownBatch):
            call("../../root")
    path = tmp_path / "data" / "raw" / "ane" / f"{batch.batch_id}.jsonl.gz"
    path.rename(tmp_path / "away")
    with pytest.raises(UnknownBatch, match="is gone"):
        collector.again(batch.batch_id)
    with pytest.raises(DataRootError, match="is gone: restore"):
        collector.batch("ane")


def test_a_batch_that_a_restored_state_does_not_know_is_not_current_and_never_overwritten(make, tmp_path):
    collector = make()
    first = collector.batch("ane", 10)
    known = tmp_path / "data" / "raw" / "ane" / f"{first.batch_id}.jsonl.gz"
    stray = known.with_name(known.name.replace("000001", "000002"))
    stray.write_bytes(b"of another day")
    with pytest.raises(NotCurrent, match="000002"):
        collector.acknowledge(first.batch_id.replace("000001", "000002"))
    collector.acknowledge(first.batch_id)
    assert collector.batch("ane", 10).batch_id.endswith("-000003")
    assert stray.read_bytes() == b"of another day"


def test_status_counts_since_the_root_began(make):
    collector = make()
    collect(collector, count=100)
    collector = make()
    assert collector.status()["candidates"]["ane"] == {
        "batches": 3,
        "records": 250,
        "acknowledged": 3,
        "current": None,
        "pending": 0,
        "pages": 5,
        "partial_errors": 0,
        "error": None,
        "notes": [],
    }
    assert collector.status()["archive"] is None


def test_partial_errors_of_a_page_are_counted(make, fake):
    page = {"data": tweets(1, 3), "errors": [{"title": "Not Found Error"}] * 2, "meta": {"result_count": 3}}
    fake.before = lambda asked: x_api.Answer(200, page) if len(fake.asked) == 1 else None
    collector = make()
    assert len(collector.batch("ane", 3).tweets) == 3
    assert collector.status()["candidates"]["ane"]["partial_errors"] == 2


def test_a_changed_query_begins_anew_from_what_was_collected(make, fake, election, tmp_path):
    collector = make()
    collector.acknowledge(collector.batch("ane", 100).batch_id)
    changed = tmp_path / "changed.toml"
    changed.write_text(ELECTION.replace('query = "Âne"', 'query = "Âne OR Bourrique"'), encoding="utf-8")
    collector = make(election=load_election(str(changed)))
    collector.batch("ane", 10)
    assert fake.asked[-1]["query"] == "Âne OR Bourrique"
    assert "next_token" not in fake.asked[-1]
    assert "query changed" in collector.status()["candidates"]["ane"]["notes"][0]


def test_a_data_root_belongs_to_one_election_and_source(make, election, client, tmp_path):
    make()
    for other, source in (("fr_2022", "x"), ("mairie", "sample")):
        with pytest.raises(DataRootError, match=f"holds data of election mairie from source x, not of {other}"):
            claim_root(tmp_path / "data", other, source)
    with pytest.raises(DataRootError, match="Another scraper is running"):
        Collector(tmp_path / "data", election, "x", client)
    (tmp_path / "data" / "root.json").write_text("{")
    with pytest.raises(DataRootError, match="is damaged"):
        claim_root(tmp_path / "data", "mairie", "x")
    (tmp_path / "file").touch()
    with pytest.raises(DataRootError, match="cannot be used as ELECTION_DATA"):
        claim_root(tmp_path / "file" / "data", "mairie", "x")


def test_racing_claims_end_with_one_content(tmp_path):
    barrier = threading.Barrier(8)
    roots = []

    def claim():
        barrier.wait()
        roots.append(claim_root(tmp_path / "data", "mairie", "x"))

    threads = [threading.Thread(target=claim) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert roots == [json.loads((tmp_path / "data" / "root.json").read_text())] * 8
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["root.json"]


def test_a_newer_or_damaged_state_is_refused(make, election, client, tmp_path):
    collector = make()
    collector._db.execute("PRAGMA user_version = 99")
    with pytest.raises(DataRootError, match="newer version"):
        make()
    state = tmp_path / "data" / "raw" / "collection.sqlite"
    state.write_bytes(b"no database at all" * 100)
    with pytest.raises(DataRootError, match="damaged"):
        make()


def _consume(root: Path, election, url: str, received: Path, kill_at: int) -> None:
    """Collects everything, writing each batch down before acknowledging it; dies at a line of the collector."""
    passed = 0

    def count(frame, event, argument):
        nonlocal passed
        passed += event == "line"
        if passed == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        return count

    def trace(frame, event, argument):
        return count if frame.f_code.co_filename == collector_module.__file__ else None

    if kill_at:
        sys.settrace(trace)
    collector = Collector(root, election, "x", XClient(TOKEN, url, retries=0))
    while (batch := collector.batch("ane", 20)).batch_id:
        with received.open("a") as file:
            file.write(json.dumps([batch.batch_id, batch.tweets]) + "\n")
        collector.acknowledge(batch.batch_id)
    collector.close()
    sys.settrace(None)


@pytest.mark.parametrize("kill_at", range(20, 700, 31))
def test_a_kill_anywhere_loses_nothing_and_serves_nothing_twice(election, fake, tmp_path, kill_at):
    fake.tweets, fake.page_size = tweets(1, 27), 10
    root, received = tmp_path / "data", tmp_path / "received"
    process = multiprocessing.get_context("fork").Process(
        target=_consume, args=[root, election, fake.url, received, kill_at]
    )
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    _consume(root, election, fake.url, received, 0)
    batches: dict[str, list] = {}
    for line in received.read_text().splitlines():
        batch_id, records = json.loads(line)
        assert batches.setdefault(batch_id, records) == records
    assert [record["id"] for records in batches.values() for record in records] == newest_first(1, 27)
    assert {path.name.removesuffix(".jsonl.gz") for path in (root / "raw" / "ane").iterdir()} == set(batches)
