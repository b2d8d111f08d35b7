"""NiFiResource against a real NiFi and Kafka: deployment, upgrade with full queues, runs, and every way to log in."""

from __future__ import annotations

import contextlib
import dataclasses
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pandas as pd
import pytest
from kafka import KafkaConsumer, TopicPartition

from election_assets.election import Election, load_election
from election_assets.transforms.results import bundled_results, load_results
from nifi.flow import (
    ASK_NOW,
    CSV_SCHEMA,
    DEAD_LETTER_FOLDER,
    KAFKA_BOOTSTRAP_SERVERS,
    POLL,
    POLL_PERIOD,
    RESULTS_FILE,
    RESULTS_FOLDER,
    RESULTS_URL,
    SCRAPER_API_KEY,
    SCRAPER_URL,
    TOPIC_PREFIX,
    generate,
    root_group_name,
)
from resources.embedded_services import EmbeddedServicesResource
from resources.kafka import KafkaResource
from resources.nifi import NiFiResource
from resources.nifi.api import NiFiError, NiFiUnavailableError
from resources.scraper import ScraperResource
from scraper_api.__main__ import build_service
from tests.servers.kafka import KafkaServer
from tests.servers.nifi import NiFiServer
from tests.servers.processes import free_port, wait

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
VALMARIE = ROOT / "tests" / "fakes" / "elections" / "valmarie_2031.toml"
# A key and topics of its own: the servers are shared.
ELECTION = dataclasses.replace(load_election(str(VALMARIE)), key="valmarie_resource", topic_prefix="resource.tweets")
KEYS = ELECTION.candidate_keys
API_KEY = "un secret"
NOBODY = EmbeddedServicesResource(data_root="/nowhere")


def client(server: NiFiServer, election: Election = ELECTION, **fields: str | int) -> NiFiResource:
    names = {
        "NIFI_URL": "url",
        "NIFI_USERNAME": "username",
        "NIFI_PASSWORD": "password",
        "NIFI_CA_FILE": "ca_file",
        "NIFI_CLIENT_CERTIFICATE": "client_certificate",
        "NIFI_CLIENT_KEY": "client_key",
    }
    settings = {names[name]: value for name, value in server.settings.items() if name in names}
    return NiFiResource(**{**settings, "flow": root_group_name(election), "timeout_seconds": 60, **fields})


@pytest.fixture(scope="module")
def scraper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ScraperResource]:
    folder = tmp_path_factory.mktemp("scraper")
    service = build_service(
        {
            "ELECTION": str(VALMARIE),
            "ELECTION_DATA": str(folder),
            "SCRAPER_PORT": "0",
            "SCRAPER_API_KEY": API_KEY,
            "SAMPLE_TWEETS": "1500",
        }
    )
    try:
        yield ScraperResource(url=service.start(), api_key=API_KEY, services=NOBODY)
    finally:
        service.stop()


@pytest.fixture(scope="module")
def dead_letters(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("dead-letters")


@pytest.fixture(scope="module")
def nifi(
    nifi_server: NiFiServer,
    kafka_server: KafkaServer,
    scraper: ScraperResource,
    dead_letters: Path,
) -> Iterator[NiFiResource]:
    """The flow, deployed and stopped; it is emptied and removed at the end."""
    kafka = KafkaResource(bootstrap_servers=kafka_server.bootstrap_servers, services=NOBODY)
    kafka.ensure_topics(ELECTION.topic(key) for key in KEYS)
    made = client(nifi_server)
    done = made.deploy(
        generate(ELECTION),
        {
            SCRAPER_URL: scraper.url,
            KAFKA_BOOTSTRAP_SERVERS: kafka_server.bootstrap_servers,
            DEAD_LETTER_FOLDER: str(dead_letters),
        },
        {SCRAPER_API_KEY: API_KEY},
    )
    assert f"The flow {made.flow} was made" in done[-1]
    yield made
    remove(made)


def remove(nifi: NiFiResource) -> None:
    nifi.stop()
    api = nifi._api
    number = nifi.snapshot().groups[""]
    services = f"/flow/process-groups/{number}/controller-services"
    api.put(services, {"id": number, "state": "DISABLED"})
    nifi._wait(lambda: [one["name"] for one in nifi._services(number) if one["state"] != "DISABLED"], "not disabled")
    api.post(f"/process-groups/{number}/empty-all-connections-requests", {})
    revision = api.get(f"/process-groups/{number}")["revision"]
    api._call("DELETE", f"/process-groups/{number}", params={"version": revision["version"]})


def messages(server: KafkaServer, key: str) -> list[str]:
    """The batch ids of the messages of a candidate's topic."""
    consumer = KafkaConsumer(bootstrap_servers=server.bootstrap_servers, group_id=None)
    try:
        partition = TopicPartition(ELECTION.topic(key), 0)
        consumer.assign([partition])
        consumer.seek_to_beginning(partition)
        end = consumer.end_offsets([partition])[partition]
        found: list[str] = []
        while consumer.position(partition) < end:
            for records in consumer.poll(timeout_ms=500).values():
                found += [dict(record.headers)["batch_id"].decode() for record in records]
        return found
    finally:
        consumer.close()


def batches(nifi: NiFiResource, key: str) -> list[tuple[str, int]]:
    """The queues with a batch, not with a question that waits for its turn: where from, and how large."""
    return [(queue.source, queue.bytes) for queue in nifi.queues(key) if queue.bytes]


def test_the_second_deployment_changes_nothing(nifi: NiFiResource) -> None:
    root = nifi._api.get(f"/process-groups/{nifi.snapshot().groups['']}")
    assert nifi.deploy(generate(ELECTION), {}, {}) == [f"The flow {nifi.flow} is as it should be: nothing was changed."]
    again = nifi._api.get(f"/process-groups/{nifi.snapshot().groups['']}")
    assert again["revision"] == root["revision"]
    assert nifi.link(KEYS[0]).startswith(f"{nifi.url}/nifi/#/process-groups/")


def test_a_candidate_is_run_until_nothing_is_new(
    nifi: NiFiResource, scraper: ScraperResource, kafka_server: KafkaServer
) -> None:
    with pytest.raises(NiFiError, match=f"start it with python -m resources.nifi start {KEYS[0]}"):
        nifi.run_once(KEYS[0])
    nifi.start(KEYS[0], polling=False)
    assert nifi.run_once(KEYS[0]) == []
    status = scraper.status()["candidates"][KEYS[0]]
    assert status["batches"] == status["acknowledged"] > 1
    published = messages(kafka_server, KEYS[0])
    assert len(published) == len(set(published)) == status["batches"]

    assert nifi.run_once(KEYS[0]) == []
    assert messages(kafka_server, KEYS[0]) == published
    poll = nifi.snapshot().part(KEYS[0], "poll")
    assert poll
    assert poll.state == "Stopped"


def test_a_killed_run_leaves_nifi_asking_by_itself(
    nifi: NiFiResource, scraper: ScraperResource, kafka_server: KafkaServer
) -> None:
    key = KEYS[2]
    before = scraper.status()["candidates"][key]["acknowledged"]
    nifi.set_parameters({KAFKA_BOOTSTRAP_SERVERS: f"127.0.0.1:{free_port()}", POLL_PERIOD: "1 hour"})
    nifi.start(key)

    def state(name: str) -> str:
        part = nifi.snapshot().part(key, name)
        assert part
        return part.state

    fields = {name: getattr(nifi, name) for name in ("url", "flow", "timeout_seconds")}
    run = f"from resources.nifi import NiFiResource; NiFiResource(**{fields!r}).run_once({key!r})"
    waiting = subprocess.Popen([sys.executable, "-c", run], cwd=ROOT)
    try:
        wait(lambda: state(ASK_NOW) == "Stopped" and bool(batches(nifi, key)), "a batch that waits for the broker")
    finally:
        waiting.kill()
        waiting.wait()

    assert state(POLL) == "Running"
    nifi.set_parameters({KAFKA_BOOTSTRAP_SERVERS: kafka_server.bootstrap_servers, POLL_PERIOD: "1 sec"})

    def acknowledged() -> bool:
        status = scraper.status()["candidates"][key]
        return status["current"] is None and status["acknowledged"] == status["batches"] > before

    wait(acknowledged, "the batches that nobody but NiFi asks for")
    nifi.set_parameters({POLL_PERIOD: "1 hour"})
    nifi.start(key)
    assert state(ASK_NOW) == "Disabled"


def test_a_changed_election_is_deployed_with_what_waits_kept(
    nifi: NiFiResource, scraper: ScraperResource, kafka_server: KafkaServer
) -> None:
    """A batch waits for a broker that is not there; the flow around it changes; then the broker comes."""
    key = KEYS[1]
    nifi.set_parameters({KAFKA_BOOTSTRAP_SERVERS: f"127.0.0.1:{free_port()}", POLL_PERIOD: "1 hour"})
    nifi.start(key)
    impatient = nifi.model_copy(update={"timeout_seconds": 10})
    with pytest.raises(NiFiError, match=f"NiFi was not done with {key} in 10 s: 1 FlowFile waits in") as caught:
        impatient.run_once(key)
    assert "to publish" in str(caught.value)
    waiting = batches(nifi, key)
    assert len(waiting) == 1

    without = dataclasses.replace(ELECTION, candidates=(ELECTION.candidates[0], ELECTION.candidates[2]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("resources.nifi.SETTLE_SECONDS", 2)
        with pytest.raises(NiFiError, match="it would remove a queue that holds something"):
            nifi.deploy(generate(without), {}, {})
    assert batches(nifi, key) == waiting

    fewer = dataclasses.replace(ELECTION, candidates=ELECTION.candidates[:2])
    flow = generate(fewer)
    publish = next(
        part
        for group in flow["flowContents"]["processGroups"]
        if group["name"] == key
        for part in group["processGroups"][0]["processors"]
        if part["name"] == "publish"
    )
    publish["properties"]["max.request.size"] = "2 MB"
    done = nifi.deploy(flow, {}, {})
    assert f"Gone: group {KEYS[2]}, group {KEYS[2]}/one-batch." in done
    assert batches(nifi, key) == waiting
    now = nifi.snapshot()
    assert {part.state for part in now.inside(key).parts} == {"Running", "Disabled"}

    assert nifi.set_parameters({KAFKA_BOOTSTRAP_SERVERS: kafka_server.bootstrap_servers}) == [KAFKA_BOOTSTRAP_SERVERS]
    nifi.run_once(key)
    status = scraper.status()["candidates"][key]
    assert (status["current"], status["batches"]) == (None, status["acknowledged"])
    assert len(set(messages(kafka_server, key))) == status["batches"] > 0
    poll = nifi.snapshot().part(key, "poll")
    assert poll
    assert poll.state == "Running"


def test_parameters_are_kept_but_for_those_of_the_election(nifi: NiFiResource) -> None:
    nifi.set_parameters({POLL_PERIOD: "7 min", TOPIC_PREFIX: "by.hand"})
    assert f"{nifi.flow}: {TOPIC_PREFIX} set." in nifi.deploy(generate(ELECTION), {}, {})
    context = nifi._api.get(f"/parameter-contexts/{nifi._contexts()[nifi.flow]}")
    values = {each["parameter"]["name"]: each["parameter"].get("value") for each in context["component"]["parameters"]}
    assert values[POLL_PERIOD] == "7 min"
    assert values[TOPIC_PREFIX] == ELECTION.topic_prefix
    assert '"name": "id"' in values[CSV_SCHEMA]
    assert values[SCRAPER_API_KEY] == "********"


def test_a_scraper_that_refuses_nifi_is_told(nifi: NiFiResource) -> None:
    nifi.start(KEYS[0], polling=False)
    nifi.set_parameters({SCRAPER_API_KEY: "faux"})
    try:
        errors = nifi.run_once(KEYS[0])
    finally:
        nifi.set_parameters({SCRAPER_API_KEY: API_KEY})
    assert [error.group for error in errors] == [f"{KEYS[0]}/one-batch"]
    assert "401" in str(errors[0])


def test_dead_letters_are_sent_again_also_right_after_a_look_that_found_no_folder(
    nifi: NiFiResource, dead_letters: Path
) -> None:
    nifi.start(KEYS[0], polling=False)
    folder = dead_letters / KEYS[0]
    assert not folder.exists()
    assert nifi.resend(KEYS[0]) == []
    folder.mkdir()
    (folder / "no-id~not-json.json").write_text("{", encoding="utf-8")
    for _ in range(2):
        errors = nifi.resend(KEYS[0])
        # Read, found to be no JSON still, and put back under its name.
        assert [error.component for error in errors if error.final] == ["say-dead-letter"]
        assert [letter.name for letter in folder.iterdir()] == ["no-id~not-json.json"]
    reader = nifi.snapshot().part(KEYS[0], "read-dead-letters")
    assert reader
    assert reader.state == "Disabled"


@contextlib.contextmanager
def served(files: Mapping[str, bytes], moved: Mapping[str, str]) -> Iterator[str]:
    """A site with files and redirections by path; its address."""

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = files.get(self.path, b"")
            self.send_response(200 if content else 302 if self.path in moved else 404)
            self.send_header("Location", moved.get(self.path, ""))
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_results_are_fetched_from_any_address_as_one_file(nifi: NiFiResource, tmp_path: Path) -> None:
    """An address without an extension that leads elsewhere; then another one that holds the same round."""
    workbook = (ROOT / "tests" / "unit" / "transforms" / "data" / "ministry.xls").read_bytes()
    first_round = bundled_results().query("round == 1")
    table = ministry_csv(first_round)
    files = {"/files/r%C3%A9sultats%202017.xls": workbook, "/corrected": table}
    folder = tmp_path / "fetched"
    nifi.start()
    with served(files, {"/datasets/r/5b0a6f0e-51c5": "/files/r%C3%A9sultats%202017.xls"}) as site:
        for path, content in (("/datasets/r/5b0a6f0e-51c5", workbook), ("/corrected", table)):
            nifi.set_parameters({RESULTS_URL: f"{site}{path}", RESULTS_FOLDER: str(folder)})
            assert nifi.fetch_results() == []
            assert [(file.name, file.read_bytes()) for file in folder.iterdir()] == [(RESULTS_FILE, content)]
            for source in (folder, folder / RESULTS_FILE):
                assert load_results(source).equals(load_results(content))
        assert load_results(folder)["votes"].sum() == first_round["votes"].sum()

        nifi.set_parameters({RESULTS_URL: f"{site}/nowhere"})
        (error,) = [each for each in nifi.fetch_results() if each.final]
        assert "/nowhere was not fetched: 404" in str(error)
    assert [file.name for file in folder.iterdir()] == [RESULTS_FILE]


def ministry_csv(results: pd.DataFrame) -> bytes:
    """A round in the ministry's layout by department."""
    totals = ["Inscrits", "Abstentions", "Votants", "Blancs", "Nuls", "Exprimés"]
    lines = [";".join(["Code du département", *totals, "Nom", "Voix"])]
    for department, rows in results.groupby("department"):
        counts = rows.iloc[0][["registered", "abstentions", "voters", "blank", "null_votes", "cast"]]
        pairs = [str(value) for row in rows.itertuples() for value in (row.candidate, row.votes)]
        lines.append(";".join([str(department), *map(str, counts), *pairs]))
    return ("\n".join(lines) + "\n").encode()


def test_a_bundle_that_is_missing_is_named(tmp_path: Path) -> None:
    server = NiFiServer(tmp_path, kafka_bundle=False)
    server.start()
    try:
        with pytest.raises(NiFiError, match=r"lacks what the flow needs, .*PublishKafka") as caught:
            client(server).deploy(generate(ELECTION), {}, {})
        assert "nifi-kafka-3-service-nar-2.3.0.nar" in str(caught.value)
    finally:
        server.stop()
    with pytest.raises(NiFiUnavailableError, match="does not answer"):
        client(server).check()


@pytest.mark.parametrize("security", ["certificate", "password"])
def test_a_nifi_that_wants_a_login(security: str, tmp_path: Path) -> None:
    server = NiFiServer(tmp_path, security=security)
    server.start()
    try:
        with pytest.raises(NiFiUnavailableError, match="is not trusted") as caught:
            client(server, ca_file="").check()
        assert "NIFI_CA_FILE" in str(caught.value)
        anonymous = dict.fromkeys(("username", "password", "client_certificate", "client_key"), "")
        with pytest.raises(NiFiUnavailableError, match=r"NIFI_CLIENT_CERTIFICATE"):
            client(server, **anonymous).check()
        if security == "password":
            with pytest.raises(NiFiUnavailableError, match="did not let admin in"):
                client(server, password="faux").check()
        one = dataclasses.replace(ELECTION, candidates=ELECTION.candidates[:1])
        nifi = client(server)
        assert "was made" in nifi.deploy(generate(one), {}, {SCRAPER_API_KEY: API_KEY})[-1]
        nifi.start(KEYS[0], polling=False)
        assert {part.state for part in nifi.snapshot(KEYS[0]).parts} == {"Running", "Stopped", "Disabled"}
        nifi.stop()
        said = subprocess.run(
            [sys.executable, "-m", "resources.nifi", "status"],
            cwd=ROOT,
            env={**server.settings, "ELECTION": str(VALMARIE), "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (said.returncode, "Traceback" in said.stderr) == (1, False)
        assert "has no group 'election-assets valmarie_2031'" in said.stderr
    finally:
        server.stop()
