"""The service over real sockets: its doors, its errors, its start, with the stand-in and with a server that plays X."""

import json
import logging
import os
import signal
import subprocess
import sys
import threading

import pytest
import requests

from election_assets.election import ElectionFileError
from scraper_api.__main__ import Service, build_service
from scraper_api.app import create_app
from scraper_api.collector import Collector, DataRootError
from scraper_api.settings import SettingsError, read_settings
from scraper_api.x_client import XClient
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
name = "Élodie Âne"
party = "Les Chardons"
colour = "#111111"
query = "âne"
[[candidates]]
key = "boeuf"
name = "Bœuf"
party = "Les Labours"
colour = "#222222"
query = "boeuf"
"""
API_KEY = "une-clé-à-garder"


def page(first, last, text="Un âne à l’été 🗳", **extra):
    tweets = [
        {"id": str(n), "text": text, "author_id": "7", "created_at": "2022-04-01T10:00:00.000Z"}
        for n in range(first, last)
    ]
    includes = {"users": [{"id": "7", "name": "Été", "username": "ete"}]}
    return json.dumps({"data": tweets, "includes": includes, "meta": {"result_count": len(tweets)}} | extra) + "\n"


@pytest.fixture
def env(tmp_path):
    (tmp_path / "mairie.toml").write_text(ELECTION, encoding="utf-8")
    archive = tmp_path / "archive"
    archive.mkdir()
    (archive / "a.jsonl").write_text(page(1, 121), encoding="utf-8")
    return {
        "ELECTION": str(tmp_path / "mairie.toml"),
        "ELECTION_DATA": str(tmp_path / "data"),
        "ARCHIVE": str(archive),
        "SCRAPER_PORT": "0",
    }


@pytest.fixture
def start(env):
    services = []

    def start_one(**changes):
        service = build_service(env | changes)
        services.append(service)
        return service.start()

    yield start_one
    for service in services:
        service.stop()


@pytest.fixture
def fake_app(env, tmp_path):
    """The app over a server that plays X, with Flask's test client."""
    with serving(FakeX([{"id": "1", "text": "Un âne"}])) as fake:
        settings = read_settings(env)
        collector = Collector(tmp_path / "x", settings.election, "x", XClient(TOKEN, fake.url, retries=0))
        fake.client = create_app(collector).test_client()
        yield fake
        collector.close()


def test_an_archive_is_collected_batch_by_batch(start):
    url = start()
    first = requests.get(f"{url}/get_twitter", params={"candidat": "elodie ane", "count": 100})
    batch = first.json()
    assert first.headers["Content-Type"] == "application/json"
    assert list(batch) == ["batch_id", "candidate", "schema", "tweets"]
    assert (batch["candidate"], batch["schema"], len(batch["tweets"])) == ("ane", "tweet.v1", 100)
    assert "âne à l’été 🗳".encode() in first.content
    assert list(batch["tweets"][0])[:4] == ["id", "created_at", "text", "lang"]
    assert requests.get(f"{url}/get_twitter?candidat=ane").content == first.content
    assert requests.get(f"{url}/batches/{batch['batch_id']}").content == first.content
    for _ in range(2):
        answer = requests.post(f"{url}/batches/{batch['batch_id']}/ack")
        assert (answer.status_code, answer.json()["acknowledged"]) == (200, True)
    second = requests.get(f"{url}/get_twitter?candidat=ANE").json()
    assert [tweet["id"] for tweet in second["tweets"]] == [str(n) for n in range(101, 121)]
    requests.post(f"{url}/batches/{second['batch_id']}/ack")
    empty = {"batch_id": None, "candidate": "ane", "schema": "tweet.v1", "tweets": []}
    assert requests.get(f"{url}/get_twitter?candidat=ane").json() == empty


def drain(url, key):
    found = []
    while (batch := requests.get(f"{url}/get_twitter", params={"candidat": key}).json())["batch_id"]:
        found += [tweet["id"] for tweet in batch["tweets"]]
        requests.post(f"{url}/batches/{batch['batch_id']}/ack")
    return found


def test_an_archive_that_grows_gives_what_is_new_and_counts_what_it_held(start, env, tmp_path):
    first = build_service(env)
    url = first.start()
    assert len(drain(url, "ane")) == 120
    assert requests.get(f"{url}/status").json()["archive"]["segments_done"] == 0
    first.stop()
    url = start()
    assert drain(url, "boeuf") == []
    counts = requests.get(f"{url}/status").json()["archive"]
    assert (counts["read"], counts["unreadable"], counts["matched_no_candidate"]) == (120, 0, 0)
    with (tmp_path / "archive" / "a.jsonl").open("a", encoding="utf-8") as file:
        file.write("{this is no JSON\n" + page(200, 203) + page(300, 305, "Ni l’un ni l’autre"))
    (tmp_path / "archive" / "b.jsonl").write_text(page(400, 401, "Un bœuf et un boeuf"), encoding="utf-8")
    assert drain(url, "ane") == ["200", "201", "202"]
    assert drain(url, "boeuf") == ["400"]
    counts = requests.get(f"{url}/status").json()["archive"]
    assert (counts["read"], counts["unreadable"], counts["matched_no_candidate"]) == (129, 1, 5)
    assert counts["problem_count"] == 1
    assert counts["problems"][0]["file"] == "a.jsonl"
    assert counts["segments"] == counts["segments_done"] == 3


def test_a_file_that_goes_away_is_a_note_and_an_archive_that_does_an_error(start, tmp_path):
    (tmp_path / "archive" / "b.jsonl").write_text(page(400, 900), encoding="utf-8")
    url = start()
    batch = requests.get(f"{url}/get_twitter?candidat=ane").json()["batch_id"]
    (tmp_path / "archive" / "b.jsonl").unlink()
    requests.post(f"{url}/batches/{batch}/ack")
    assert drain(url, "ane") == [str(n) for n in range(780, 800)]
    [note] = requests.get(f"{url}/status").json()["candidates"]["ane"]["notes"]
    assert "b.jsonl left the archive before it was read" in note
    (tmp_path / "archive" / "b.jsonl").write_text(page(400, 900), encoding="utf-8")
    assert drain(url, "ane") == [str(n) for n in range(800, 900)]
    for name in ("a.jsonl", "b.jsonl"):
        (tmp_path / "archive" / name).unlink()
    (tmp_path / "archive").rmdir()
    answer = requests.get(f"{url}/get_twitter?candidat=ane")
    assert answer.status_code == 502
    assert "archive" in answer.json()["error"]


def test_a_candidate_or_query_that_is_new_searches_what_others_have_read(start, env, tmp_path):
    (tmp_path / "archive" / "b.jsonl").write_text(page(400, 403, "Une mule"), encoding="utf-8")
    service = build_service(env)
    url = service.start()
    assert [len(drain(url, key)) for key in ("ane", "boeuf")] == [120, 0]
    assert requests.get(f"{url}/status").json()["archive"]["matched_no_candidate"] == 3
    service.stop()
    added = ELECTION[ELECTION.rindex("[[") :].replace("oeuf", "outon").replace("Bœuf", "Bouton")
    changed = ELECTION.replace('query = "boeuf"', 'query = "mule"') + added
    (tmp_path / "mairie.toml").write_text(changed, encoding="utf-8")
    url = start()
    assert [drain(url, key) for key in ("ane", "boeuf", "bouton")] == [[], ["400", "401", "402"], []]
    status = requests.get(f"{url}/status").json()
    assert status["archive"]["matched_no_candidate"] == 0
    [note] = status["candidates"]["boeuf"]["notes"]
    assert "searched again" in note


def test_a_file_whose_name_is_no_text_is_read_and_named(start, env, tmp_path):
    odd = os.fsencode(tmp_path / "archive") + b"/\xe9t\xe9.jsonl"
    with open(odd, "w", encoding="utf-8") as file:
        file.write("{this is no JSON\n" + page(400, 1000))
    service = build_service(env)
    url = service.start()
    batch = requests.get(f"{url}/get_twitter?candidat=ane").json()
    service.stop()
    url = start()
    requests.post(f"{url}/batches/{batch['batch_id']}/ack")
    assert drain(url, "ane") == [str(n) for n in range(780, 1000)]
    assert drain(url, "boeuf") == []
    assert requests.get(f"{url}/status").json()["archive"]["problems"][0]["file"] == r"\udce9t\udce9.jsonl"
    os.truncate(odd, 0)
    with open(odd, "w", encoding="utf-8") as file:
        file.write(page(2000, 2500))
    assert len(requests.get(f"{url}/get_twitter?candidat=ane").json()["tweets"]) == 500
    os.remove(odd)
    drain(url, "ane")
    assert drain(url, "boeuf") == []
    [note] = requests.get(f"{url}/status").json()["candidates"]["boeuf"]["notes"]
    assert r"\udce9t\udce9.jsonl left the archive" in note


def test_the_sample_is_made_once_and_served(start, tmp_path):
    url = start(ARCHIVE="", ELECTION="fr_2022", SAMPLE_TWEETS="300")
    corpus = tmp_path / "data" / "sample" / "corpus.jsonl.gz"
    made = corpus.stat().st_ino, corpus.stat().st_mtime_ns
    assert drain(url, "macron")
    assert requests.get(f"{url}/health").json()["source"] == "sample"
    with pytest.raises(DataRootError, match="Another scraper is running"):
        start(ARCHIVE="", ELECTION="fr_2022")
    assert (corpus.stat().st_ino, corpus.stat().st_mtime_ns) == made
    assert [path.name for path in corpus.parent.iterdir()] == ["corpus.jsonl.gz"]


@pytest.mark.parametrize(
    ("method", "path", "status", "sentence"),
    [
        ("GET", "/get_twitter", 400, "Name a candidate"),
        ("GET", "/get_twitter?candidat=%20", 400, "Name a candidate"),
        ("GET", "/get_twitter?candidat=ane&count=0", 400, "count=0 is not a whole number from 1 to 500"),
        ("GET", "/get_twitter?candidat=ane&count=501", 400, "from 1 to 500"),
        ("GET", "/get_twitter?candidat=ane&count=", 400, "from 1 to 500"),
        ("GET", "/get_twitter?candidat=ane&count=%C2%B2", 400, "from 1 to 500"),
        ("GET", "/get_twitter?candidat=poule", 404, "mairie has no candidate 'poule'; they are ane, boeuf."),
        ("GET", "/batches/nothing", 404, "There is no batch 'nothing'."),
        ("POST", "/batches/nothing/ack", 404, "There is no batch 'nothing'."),
        ("GET", "/nothing", 404, "There is nothing at this path"),
        ("POST", "/get_twitter?candidat=ane", 405, "does not take this method"),
        ("GET", "/batches/x/ack", 405, "does not take this method"),
    ],
)
def test_a_wrong_request_is_told_in_one_sentence(fake_app, method, path, status, sentence):
    answer = fake_app.client.open(path, method=method)
    assert answer.status_code == status
    assert list(answer.json) == ["error"]
    assert sentence in answer.json["error"]


def test_a_batch_that_is_not_current_is_a_conflict(fake_app, tmp_path):
    folder = tmp_path / "x" / "raw" / "ane"
    folder.mkdir()
    (folder / "ane-0-000001.jsonl.gz").touch()
    answer = fake_app.client.post("/batches/ane-0-000001/ack")
    assert (answer.status_code, list(answer.json)) == (409, ["error"])


def test_a_failing_source_is_a_bad_gateway_that_says_when_to_try_again(fake_app):
    fake_app.before = lambda asked: x_api.RATE_LIMIT
    answer = fake_app.client.get("/get_twitter?candidat=ane")
    assert (answer.status_code, answer.json["retry_at"]) == (502, "2022-04-10T15:00:00Z")
    fake_app.before = lambda asked: x_api.UNAUTHORIZED
    answer = fake_app.client.get("/get_twitter?candidat=ane")
    assert (answer.status_code, list(answer.json)) == (502, ["error"])


def test_a_data_root_that_cannot_be_written_is_told_and_loses_nothing(fake_app, tmp_path):
    in_the_way = tmp_path / "x" / "raw" / "ane"
    in_the_way.write_text("a file where the folder should be")
    answer = fake_app.client.get("/get_twitter?candidat=ane")
    assert answer.status_code == 500
    assert "cannot be read or written" in answer.json["error"]
    in_the_way.unlink()
    assert [tweet["id"] for tweet in fake_app.client.get("/get_twitter?candidat=ane").json["tweets"]] == ["1"]


def test_candidates_come_in_the_elections_order_with_their_topics(fake_app):
    batch = fake_app.client.get("/get_twitter?candidat=ane").json["batch_id"]
    assert fake_app.client.get("/candidates").json == {
        "election": "mairie",
        "candidates": [
            {
                "key": "ane",
                "name": "Élodie Âne",
                "party": "Les Chardons",
                "topic": "mairie.tweets.ane",
                "current_batch": batch,
            },
            {
                "key": "boeuf",
                "name": "Bœuf",
                "party": "Les Labours",
                "topic": "mairie.tweets.boeuf",
                "current_batch": None,
            },
        ],
    }


def test_with_a_key_every_door_but_health_wants_it(start, caplog):
    caplog.set_level(logging.DEBUG)
    url = start(SCRAPER_API_KEY=API_KEY)
    key = API_KEY.encode()
    assert requests.get(f"{url}/health").json()["status"] == "ok"
    for path in ("/candidates", "/status", "/get_twitter?candidat=ane", "/nothing", "/health/"):
        for headers in ({}, {"X-Api-Key": "another"}, {"Authorization": "Bearer "}, {"Authorization": b"Basic " + key}):
            answer = requests.get(url + path, headers=headers)
            assert (answer.status_code, list(answer.json())) == (401, ["error"])
    assert requests.post(f"{url}/batches/x/ack").status_code == 401
    for headers in ({"X-Api-Key": key}, {"Authorization": b"Bearer " + key}):
        assert requests.get(f"{url}/candidates", headers=headers).status_code == 200
    assert API_KEY not in caplog.text


@pytest.mark.parametrize(
    ("changes", "error", "sentence"),
    [
        ({"X_BEARER_TOKEN": TOKEN}, SettingsError, "X_BEARER_TOKEN and ARCHIVE are both set"),
        ({"ARCHIVE": "/no/such/archive"}, SettingsError, "ARCHIVE=/no/such/archive: there is no such file or folder"),
        ({"SCRAPER_HOST": "0.0.0.0"}, SettingsError, "set SCRAPER_API_KEY"),
        ({"SCRAPER_HOST": "::"}, SettingsError, "set SCRAPER_API_KEY"),
        ({"SCRAPER_HOST": "a.name"}, SettingsError, "set SCRAPER_API_KEY"),
        ({"SCRAPER_PORT": "80000"}, SettingsError, "SCRAPER_PORT=80000 is not a whole number"),
        ({"SAMPLE_TWEETS": "many"}, SettingsError, "SAMPLE_TWEETS=many is not a whole number"),
        ({"X_BEARER_TOKEN": "two words", "ARCHIVE": ""}, SettingsError, "X_BEARER_TOKEN: .* copy it again"),
        ({"ELECTION": "fr_1848"}, ElectionFileError, "neither a bundled election"),
    ],
)
def test_an_environment_that_cannot_be_is_told_in_one_sentence(start, env, changes, error, sentence):
    with pytest.raises(error, match=sentence):
        start(**changes)


def test_a_taken_port_is_told_and_leaves_the_data_root_free(start):
    port = start().rpartition(":")[2]
    with pytest.raises(SettingsError, match=f"127.0.0.1:{port} cannot be listened on"):
        start(SCRAPER_PORT=port)


def test_a_service_stops_and_starts_again(env):
    service = build_service(env)
    url = service.start()
    batch = requests.get(f"{url}/get_twitter?candidat=ane").content
    service.stop()
    service.stop()
    with pytest.raises(requests.ConnectionError):
        requests.get(url)
    assert not [thread for thread in threading.enumerate() if thread.name in ("scraper_api", "stand-in")]
    again = Service(read_settings(env))
    assert requests.get(f"{again.start()}/get_twitter?candidat=ane").content == batch
    again.stop()


def test_settings_never_show_a_key(env):
    settings = read_settings(env | {"ARCHIVE": "", "X_BEARER_TOKEN": TOKEN, "SCRAPER_API_KEY": API_KEY})
    assert settings.bearer_token == TOKEN
    assert TOKEN not in repr(settings)
    assert API_KEY not in repr(settings)


def test_the_program_prints_its_address_and_ends_when_told(env):
    command = [sys.executable, "-m", "scraper_api"]
    program = subprocess.Popen(command, env=os.environ | env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    url = program.stdout.readline().strip()
    assert requests.get(f"{url}/health").json()["election"] == "mairie"
    refused = subprocess.run(command, env=os.environ | env, capture_output=True, text=True)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.count("\n") == 1
    assert "Another scraper is running" in refused.stderr
    program.send_signal(signal.SIGTERM)
    rest, _ = program.communicate(timeout=30)
    assert (program.returncode, rest) == (0, "")
