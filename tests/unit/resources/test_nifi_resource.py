"""NiFiResource against a small fake of NiFi's API; `tests/integration/test_nifi_operated.py` has the real one."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaAdminClient

import resources.nifi
import resources.nifi.api
from election_assets.election import load_election
from nifi.flow import (
    KAFKA_BOOTSTRAP_SERVERS,
    KAFKA_SASL_PASSWORD,
    SCRAPER_API_KEY,
    SCRAPER_URL,
    TOPIC_PREFIX,
    generate,
    root_group_name,
)
from resources import build_resources
from resources.embedded_broker import EmbeddedBroker
from resources.nifi import NiFiResource
from resources.nifi.__main__ import main, parameters_of
from resources.nifi.api import NiFiError, NiFiLateError, NiFiUnavailableError
from resources.nifi.flow import fingerprint
from tests.fakes.nifi_api import FakeNiFi

VALMARIE = Path(__file__).parents[2] / "fakes" / "elections" / "valmarie_2031.toml"
ELECTION = load_election(str(VALMARIE))
FLOW = generate(ELECTION)
NAME = root_group_name(ELECTION)
ASKED = {SCRAPER_URL: "http://scraper.test:8000", KAFKA_BOOTSTRAP_SERVERS: "broker.test:9092"}
SECRET = {SCRAPER_API_KEY: "un secret"}
KEYS = ELECTION.candidate_keys


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources.nifi, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(resources.nifi.api, "POLL_SECONDS", 0.001)
    monkeypatch.setattr(resources.nifi, "SETTLE_SECONDS", 0.2)


@pytest.fixture
def nifi() -> Iterator[FakeNiFi]:
    with FakeNiFi(FLOW).serve() as fake:
        yield fake


def resource(nifi: FakeNiFi, **fields: Any) -> NiFiResource:
    return NiFiResource(**{"url": nifi.url, "flow": NAME, "timeout_seconds": 1, **fields})


def deployed(nifi: FakeNiFi, **fields: Any) -> NiFiResource:
    client = resource(nifi, **fields)
    client.deploy(FLOW, ASKED, {})
    nifi.calls.clear()
    return client


def sentence(caught: pytest.ExceptionInfo[NiFiError]) -> str:
    assert "\n" not in str(caught.value)
    return str(caught.value)


def value(nifi: FakeNiFi, context: str, parameter: str) -> str | None:
    (found,) = [each["component"] for each in nifi.contexts.values() if each["component"]["name"] == context]
    return {each["parameter"]["name"]: each["parameter"]["value"] for each in found["parameters"]}[parameter]


def writes(nifi: FakeNiFi) -> list[tuple[str, str]]:
    return [(method, path) for method, path in nifi.calls if method != "GET"]


# --- who is let in ---------------------------------------------------------------------------------------------------


def test_a_token_is_asked_for_once_and_again_when_it_has_run_out(nifi: FakeNiFi) -> None:
    nifi.import_flow(FLOW)
    nifi.login = ("moi", "été")
    client = resource(nifi, username="moi", password="été")
    client.check()
    client.check()
    assert nifi.calls.count(("POST", "/access/token")) == 1
    nifi.tokens.clear()
    client.check()
    assert nifi.calls.count(("POST", "/access/token")) == 2


def test_a_wrong_password_is_told_and_not_tried_again_by_dagster(nifi: FakeNiFi) -> None:
    nifi.login = ("moi", "été")
    with pytest.raises(NiFiUnavailableError, match="did not let moi in") as caught:
        resource(nifi, username="moi", password="hiver").check()
    assert "NIFI_USERNAME and NIFI_PASSWORD" in sentence(caught)
    assert "hiver" not in sentence(caught)
    assert not caught.value.temporary


def test_a_login_that_is_missing_is_told(nifi: FakeNiFi) -> None:
    nifi.login = ("moi", "été")
    with pytest.raises(NiFiUnavailableError, match="lets nobody in without a login") as caught:
        resource(nifi).check()
    assert "NIFI_CLIENT_CERTIFICATE" in sentence(caught)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"url": ""}, "NIFI_URL names no address"),
        ({"url": "nifi:8443"}, "NIFI_URL is 'nifi:8443'"),
        ({"url": "http://moi:secret@nifi.test"}, "NIFI_URL holds a user name"),
        ({"url": "http://nifi.test", "username": "moi", "password": "été"}, "NIFI_PASSWORD would go to http://nifi"),
        ({"url": "https://nifi.test", "username": "moi"}, "NIFI_PASSWORD is missing"),
        ({"url": "https://nifi.test", "client_key": "k.pem"}, "without NIFI_CLIENT_CERTIFICATE"),
        ({"url": "https://127.0.0.1:1", "ca_file": "/nowhere/ca.pem"}, "correct NIFI_CA_FILE"),
    ],
)
def test_settings_that_cannot_be_right_are_told(fields: dict[str, str], said: str) -> None:
    with pytest.raises(NiFiUnavailableError) as caught:
        NiFiResource(flow=NAME, **fields).check()
    assert said in sentence(caught)
    assert "secret" not in sentence(caught)


def test_nothing_that_listens_is_one_sentence_and_worth_another_try() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(NiFiUnavailableError, match=f"NiFi at http://127.0.0.1:{port} does not answer") as caught:
            NiFiResource(url=f"http://127.0.0.1:{port}", flow=NAME).check()
    assert "start it, or correct NIFI_URL" in sentence(caught)
    assert caught.value.temporary


def test_an_address_of_something_else_is_told(nifi: FakeNiFi, monkeypatch: pytest.MonkeyPatch) -> None:
    for status, content in ((404, "nothing here"), (200, "<html>")):
        monkeypatch.setattr(nifi, "answer", lambda *_, found=(status, content): found)
        for ask in (lambda: resource(nifi).check(), lambda: resource(nifi).deploy(FLOW, {}, {})):
            with pytest.raises(NiFiUnavailableError) as caught:
                ask()
            assert "NIFI_URL" in sentence(caught)


def test_a_secret_is_not_sent_unencrypted_to_another_machine(nifi: FakeNiFi, monkeypatch: pytest.MonkeyPatch) -> None:
    client = resource(nifi)
    monkeypatch.setattr(resources.nifi.api, "_is_loopback", lambda url: False)
    with pytest.raises(NiFiUnavailableError, match=f"The parameter {SCRAPER_API_KEY} would go to"):
        client.deploy(FLOW, ASKED, SECRET)
    assert not nifi.contexts


def test_links_lead_where_a_browser_finds_nifi(nifi: FakeNiFi, tmp_path: Path) -> None:
    client = deployed(nifi)
    page = f"/nifi/#/process-groups/{client.snapshot().groups[KEYS[0]]}"
    assert client.link(KEYS[0]) == nifi.url + page
    env = {"ELECTION": str(VALMARIE), "ELECTION_DATA": str(tmp_path)}
    for address in ("https://nifi.example.org:8443", "https://nifi.example.org:8443/nifi/"):
        named = build_resources({**env, "NIFI_UI_URL": address})["nifi"].ui_url
        assert resource(nifi, ui_url=named).link(KEYS[0]) == f"https://nifi.example.org:8443{page}"


# --- deployment ------------------------------------------------------------------------------------------------------


def test_a_flow_is_deployed_once_and_then_left_alone(nifi: FakeNiFi) -> None:
    client = resource(nifi)
    done = client.deploy(FLOW, ASKED, SECRET)
    assert f"The flow {NAME} was made" in done[-1]
    assert nifi.enabled
    assert value(nifi, NAME, SCRAPER_URL) == "http://scraper.test:8000"
    assert value(nifi, NAME, SCRAPER_API_KEY) == "un secret"
    assert value(nifi, NAME, KAFKA_SASL_PASSWORD) == ""
    assert value(nifi, f"{NAME} {KEYS[0]}", "candidate") == KEYS[0]
    nifi.calls.clear()

    assert client.deploy(FLOW, ASKED, {}) == [f"The flow {NAME} is as it should be: nothing was changed."]
    assert not writes(nifi)
    assert client.deploy(FLOW, ASKED, SECRET) == [f"{NAME}: {SCRAPER_API_KEY} set again from the environment."]


def test_a_changed_election_replaces_the_flow_in_place(nifi: FakeNiFi) -> None:
    client = deployed(nifi)
    client.start(KEYS[0])
    fewer = dataclasses.replace(ELECTION, candidates=ELECTION.candidates[:2], topic_prefix="autre")
    done = client.deploy(generate(fewer), {}, {})
    assert f"{NAME}: {TOPIC_PREFIX} set." in done
    assert f"Gone: group {KEYS[2]}, group {KEYS[2]}/one-batch." in done
    assert value(nifi, NAME, SCRAPER_URL) == "http://scraper.test:8000"
    now = client.snapshot()
    assert KEYS[2] not in now.groups
    assert {part.state for part in now.inside(KEYS[0]).parts} == {"Running", "Disabled"}
    assert {part.state for part in now.inside(KEYS[1]).parts} == {"Stopped", "Disabled"}


def test_a_change_by_hand_is_undone(nifi: FakeNiFi) -> None:
    client = deployed(nifi)
    assert nifi.flow
    nifi.flow["processGroups"][0]["processors"][0]["schedulingPeriod"] = "1 sec"
    assert "was changed in place: 0 parts are new, 0 are gone" in client.deploy(FLOW, {}, {})[0]
    assert nifi.flow["processGroups"][0]["processors"][0]["schedulingPeriod"] != "1 sec"


def test_a_queue_that_holds_something_is_not_removed(nifi: FakeNiFi) -> None:
    client = deployed(nifi)
    nifi.stuck = [(KEYS[2], "poll", "asks")]
    fewer = generate(dataclasses.replace(ELECTION, candidates=ELECTION.candidates[:2]))
    with pytest.raises(NiFiError, match="it would remove a queue that holds something") as caught:
        client.deploy(fewer, {}, {})
    assert f"1 FlowFile waits in {KEYS[2]} from poll to asks" in sentence(caught)
    assert KEYS[2] in client.snapshot().groups


def test_a_bundle_that_is_not_installed_is_named_with_its_files(nifi: FakeNiFi) -> None:
    nifi.types = {(name, artifact) for name, artifact in nifi.types if "kafka" not in artifact}
    with pytest.raises(NiFiError, match="lacks what the flow needs, PublishKafka, Kafka3ConnectionService") as caught:
        resource(nifi).deploy(FLOW, ASKED, SECRET)
    for file in ("nifi-kafka-nar", "nifi-kafka-3-service-nar", "nifi-kafka-service-api-nar"):
        assert f"{file}-2.3.0.nar" in sentence(caught)
    assert nifi.flow is None
    assert not nifi.contexts


def test_what_is_not_valid_is_told_with_its_errors(nifi: FakeNiFi) -> None:
    nifi.invalid = {"publish": "'Topic Name' is invalid because it is empty."}
    with pytest.raises(NiFiError, match="3 components of the flow in NiFi are not valid: publish: 'Topic Name'"):
        resource(nifi).deploy(FLOW, ASKED, SECRET)


def test_parameters_are_set_where_they_differ(nifi: FakeNiFi) -> None:
    client = deployed(nifi)
    assert client.set_parameters({**ASKED, SCRAPER_URL: "http://autre.test"}) == [SCRAPER_URL]
    assert value(nifi, NAME, SCRAPER_URL) == "http://autre.test"
    with pytest.raises(NiFiError, match="has no parameter nothing"):
        client.set_parameters({"nothing": "1"})
    with pytest.raises(NiFiError, match="has no parameter context 'autre'"):
        client.set_parameters({}, "autre")


def test_a_change_is_tried_again_where_somebody_was_faster(nifi: FakeNiFi) -> None:
    client = deployed(nifi)
    client.start(KEYS[0], polling=False)
    nifi.stale = 3
    client.run_once(KEYS[0])
    assert nifi.stale == 0


# --- running ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("polling", [True, False])
def test_a_candidate_is_run_once_and_left_as_it_was_found(nifi: FakeNiFi, polling: bool) -> None:
    client = deployed(nifi)
    client.start(KEYS[0], polling=polling)
    ran: list[str] = []
    nifi.published = ran.append
    assert client.run_once(KEYS[0]) == []
    assert ran == [KEYS[0]]
    states = [client.snapshot().part(KEYS[0], name) for name in ("poll", "ask-now")]
    assert [part.state for part in states if part] == ["Running" if polling else "Stopped", "Disabled"]


def test_a_run_that_is_killed_leaves_nifi_polling_and_nothing_else_running(nifi: FakeNiFi) -> None:
    client = deployed(nifi)
    client.start(KEYS[0])

    def state(name: str) -> str:
        part = client.snapshot().part(KEYS[0], name)
        assert part
        return part.state

    def leave() -> None:
        part = client.snapshot().part(KEYS[0], "ask-now")
        assert part
        nifi.states[part.id] = "STOPPED"

    seen: list[str] = []
    nifi.published = lambda candidate: seen.append(state("poll"))
    leave()
    client.run_once(KEYS[0])
    assert seen == [state("poll")] == ["Running"]
    assert state("ask-now") == "Disabled"

    leave()
    client.start(KEYS[0])
    assert state("ask-now") == "Disabled"


def test_trouble_tells_what_waits_and_leaves_it_polling(nifi: FakeNiFi) -> None:
    client = deployed(nifi)
    client.start(KEYS[0])

    def stick(candidate: str) -> None:
        nifi.stuck = [(f"{candidate}/one-batch", "check-count", "publish")]
        nifi.bulletins.append((f"{candidate}/one-batch", "publish", "ERROR", "No broker\nanswers"))

    nifi.published = stick
    nifi.bulletins = [(f"{KEYS[0]}/one-batch", "publish", "ERROR", "of yesterday")]
    with pytest.raises(NiFiError, match=f"NiFi was not done with {KEYS[0]} in 1 s: 1 FlowFile waits in") as caught:
        client.run_once(KEYS[0])
    said = sentence(caught)
    assert f"in {KEYS[0]}/one-batch from check-count to publish" in said
    assert "No broker answers" in said
    assert "of yesterday" not in said
    assert client.link(KEYS[0]) in said
    poll = client.snapshot().part(KEYS[0], "poll")
    assert poll
    assert poll.state == "Running"


def test_a_run_may_be_given_less_time_and_what_is_done_by_then_is_done(nifi: FakeNiFi) -> None:
    client = deployed(nifi)
    client.start(KEYS[0])
    assert client.run_once(KEYS[0], 0) == []
    nifi.stuck = [(f"{KEYS[0]}/one-batch", "check-count", "publish")]
    with pytest.raises(NiFiLateError, match=f"NiFi was not done with {KEYS[0]} in 0 s: 1 FlowFile waits"):
        client.run_once(KEYS[0], 0)


@pytest.mark.parametrize("written", ["0", "-1", "1.5", "bientôt"])
def test_a_time_that_makes_no_sense_is_told(
    written: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NIFI_TIMEOUT_SECONDS", written)
    assert main(["status"]) == 1
    assert capsys.readouterr().err.startswith(f"NIFI_TIMEOUT_SECONDS={written} is not a whole number of seconds")


def test_a_group_that_is_stopped_is_told(nifi: FakeNiFi) -> None:
    client = deployed(nifi)
    with pytest.raises(NiFiError, match=f"start it with python -m resources.nifi start {KEYS[1]}"):
        client.run_once(KEYS[1])


def test_a_flow_or_group_that_is_missing_is_told(nifi: FakeNiFi) -> None:
    with pytest.raises(NiFiError, match=f"has no group '{NAME}': deploy the flow with python -m resources.nifi deploy"):
        resource(nifi).run_once(KEYS[0])
    with pytest.raises(NiFiError, match="has no group 'personne'"):
        deployed(nifi).run_once("personne")
    with pytest.raises(NiFiError, match=f"{KEYS[0]}/one-batch is only a part of a group: start {KEYS[0]}"):
        deployed(nifi).start(f"{KEYS[0]}/one-batch")


def test_dead_letters_and_results_have_sources_that_are_disabled_again(nifi: FakeNiFi) -> None:
    client = deployed(nifi)
    client.start()
    ran: list[str] = []
    nifi.published = ran.append
    client.resend(KEYS[1])
    client.fetch_results()
    assert ran == [KEYS[1], KEYS[1], "results"]
    now = client.snapshot()
    names = ("poll", "ask-now", "fetch")
    states = [now.part(KEYS[1], "read-dead-letters"), *(now.part("results", name) for name in names)]
    assert [part.state for part in states if part] == ["Disabled", "Disabled", "Disabled", "Running"]
    client.start("results")
    states = [client.snapshot().part("results", name) for name in names]
    assert [part.state for part in states if part] == ["Running", "Disabled", "Running"]
    client.stop()
    assert {part.state for part in client.snapshot().parts} == {"Stopped", "Disabled"}


def test_a_candidate_that_never_had_dead_letters_has_none_to_send_again(nifi: FakeNiFi) -> None:
    client = deployed(nifi)
    client.start()
    nifi.published = lambda group: pytest.fail(f"{group} was run")
    nifi.invalid = {"read-dead-letters": "'Input Directory' is invalid because Directory does not exist"}
    assert client.resend(KEYS[0]) == []
    nifi.invalid = {"read-dead-letters": "'File Filter' is invalid"}
    with pytest.raises(NiFiError, match="not valid: read-dead-letters: 'File Filter' is invalid"):
        client.resend(KEYS[0])
    part = client.snapshot().part(KEYS[0], "read-dead-letters")
    assert part
    assert part.state == "Disabled"


# --- pure parts and the command line ---------------------------------------------------------------------------------


def test_a_fingerprint_knows_what_a_flow_does_and_not_how_it_lies() -> None:
    contents = FLOW["flowContents"]
    moved = copy.deepcopy(contents)
    moved["processGroups"].reverse()
    moved["processGroups"][0]["position"] = {"x": 7.0, "y": 7.0}
    assert fingerprint(moved) == fingerprint(contents)
    changed = copy.deepcopy(contents)
    changed["processGroups"][0]["processGroups"][0]["flowFileConcurrency"] = "UNBOUNDED"
    assert fingerprint(changed) != fingerprint(contents)


def test_parameters_come_from_the_environment() -> None:
    parameters, secret = parameters_of(
        {
            "SCRAPER_URL": "http://here:8000/",
            "KAFKA_BOOTSTRAP_SERVERS": "here:9092",
            "NIFI_KAFKA_BOOTSTRAP_SERVERS": "there:9092",
            "SCRAPER_API_KEY": "un secret",
            "NIFI_RESULTS_URL": " ",
        }
    )
    assert parameters == {SCRAPER_URL: "http://here:8000", KAFKA_BOOTSTRAP_SERVERS: "there:9092"}
    assert secret == {SCRAPER_API_KEY: "un secret"}


def test_dagster_is_given_the_names_of_secrets(tmp_path: Path) -> None:
    env = {"ELECTION": str(VALMARIE), "ELECTION_DATA": str(tmp_path), "NIFI_PASSWORD": "été", "NIFI_URL": "https://n"}
    made = build_resources(env)["nifi"]
    assert made.flow == NAME
    assert "été" not in repr(made)


@pytest.fixture
def named(nifi: FakeNiFi, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeNiFi:
    """The NiFi that the environment names, and nothing else of the platform."""
    for name in [name for name in os.environ if name.startswith(("NIFI_", "KAFKA_", "SCRAPER_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("ELECTION", str(VALMARIE))
    monkeypatch.setenv("ELECTION_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("NIFI_URL", nifi.url)
    monkeypatch.setenv("NIFI_SCRAPER_URL", "http://scraper.test:8000")
    return nifi


def test_a_deployment_makes_the_topics_where_the_brokers_are_named(
    named: FakeNiFi, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with EmbeddedBroker(tmp_path / "broker.sqlite") as broker:
        monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", broker.address)
        monkeypatch.setenv("NIFI_KAFKA_BOOTSTRAP_SERVERS", "there:9092")
        assert main(["deploy"]) == 0
        assert value(named, NAME, KAFKA_BOOTSTRAP_SERVERS) == "there:9092"
        with contextlib.closing(KafkaAdminClient(bootstrap_servers=broker.address)) as admin:
            assert set(admin.list_topics()) == {ELECTION.topic(key) for key in KEYS}
    monkeypatch.setenv("KAFKA_SSL_CAFILE", "/ca.pem")
    assert main(["deploy"]) == 1
    assert capsys.readouterr().err.startswith("KAFKA_SSL_CAFILE is set, but KAFKA_SECURITY_PROTOCOL is PLAINTEXT")


def test_a_data_root_that_cannot_be_locked_is_told(
    named: FakeNiFi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["deploy"]) == main(["start", "--no-polling"]) == 0
    (tmp_path / "a-file").touch()
    for place, said in ((tmp_path / "a-file", f"{tmp_path}/a-file/locks (Not a directory)"), ("/données", "/données")):
        monkeypatch.setenv("ELECTION_DATA", str(place))
        capsys.readouterr()
        for command in (["run", KEYS[0]], ["resend"]):
            assert main(command) == 2
            told = capsys.readouterr().err
            assert (said in told, "ELECTION_DATA" in told, told.count("\n")) == (True, True, 1)


def test_the_command_line(named: FakeNiFi, capsys: pytest.CaptureFixture[str]) -> None:
    nifi = named
    assert main(["status"]) == 1
    assert "deploy the flow with python -m resources.nifi deploy" in capsys.readouterr().err
    assert main(["deploy"]) == 0
    assert value(nifi, NAME, SCRAPER_URL) == "http://scraper.test:8000"
    assert main(["start", "--no-polling"]) == 0
    assert main(["run", KEYS[0]]) == 0
    capsys.readouterr()
    assert main(["status"]) == 0
    out = capsys.readouterr().out
    assert f"{KEYS[0]}: 2 disabled, 22 running, 1 stopped; 0 FlowFiles wait" in out
    nifi.published = lambda key: nifi.bulletins.append((f"{key}/one-batch", "publish", "ERROR", "no route"))
    assert main(["resend", KEYS[0]]) == 0
    healed = f"{KEYS[0]}/one-batch/publish: no route\n" * 2 + f"{KEYS[0]}: dead letters were sent again.\n"
    assert capsys.readouterr().out == healed
    nifi.published = lambda key: nifi.bulletins.append((key, "say-not-fetched", "ERROR", "404"))
    assert main(["results"]) == 1
    assert capsys.readouterr().out == "results/say-not-fetched: 404\n"
    assert main(["stop"]) == 0
