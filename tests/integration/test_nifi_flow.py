"""The generated flow in a real NiFi, between a real scraper and a real Kafka."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from election_assets.election import load_election
from election_assets.schemas import MAX_BATCH_RECORDS, TWEET_V1_NAMES
from nifi import flow as names
from nifi.flow import generate, root_group_name
from resources.embedded_services import EmbeddedServicesResource
from resources.kafka import KafkaResource
from scraper_api.__main__ import Service, build_service
from tests.fakes.scraper_proxy import ScraperProxy
from tests.servers.kafka import KafkaServer
from tests.servers.nifi import NiFiServer
from tests.servers.processes import free_port, wait

pytestmark = pytest.mark.integration

PROJECT = Path(__file__).parents[2]
ELECTION_FILE = PROJECT / "tests" / "fakes" / "elections" / "valmarie_2031.toml"
CANDIDATE, NAME = "ormevaux", "Ormevaux"
API_KEY = "a-key-of-tests"

NASTY = (
    "plain",
    "accents éèêëàâäîïôöûüùçœæÿ ŒÆŸ «»… – — ’",
    'quotes " and "" and """, commas ,,, semicolons ; and a \\ and a \\" and \\n',
    "line\nbreaks\r\nof\rall\n\nkinds\n",
    "   leading and trailing blanks   ",
    "\t\ttabs\t",
    "  ",
    '"',
    "'",
    '"all quoted"',
    "=1+1 #hashtag @mention https://t.co/x",
    "😀 👩‍👩‍👧 🇫🇷 e\u0301 \u2028 \u00a0 \u200b \ufeff",
    "null",
    "NaN \\N None",
    "\x01\x1f\x7f control",
    "{'json': [1, 2, \"three\"]} <b>&amp;</b>",
    "#{candidate} ${batch_id} $1",
    "x" * 3000,
)


class Flow:
    """One uploaded flow, over NiFi's REST API."""

    def __init__(self, url: str, definition: dict[str, Any]) -> None:
        self._api = f"{url}/nifi-api"
        self._definition = definition
        content = json.dumps(definition).encode()
        self.id = self._call(
            "POST",
            "/process-groups/root/process-groups/upload",
            data={
                "groupName": definition["flowContents"]["name"],
                "positionX": "0",
                "positionY": "0",
                "clientId": "tests",
            },
            files={"file": ("flow.json", content, "application/json")},
        )["id"]

    def _call(self, method: str, path: str, **arguments: Any) -> dict[str, Any]:
        answer = requests.request(method, self._api + path, timeout=60, **arguments)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()

    def set(self, context: str, **values: str) -> None:
        """Sets parameters, their names written with _ in place of . and -."""
        known = self._definition["parameterContexts"][context]["parameters"]
        spelled = {p["name"].replace(".", "_").replace("-", "_"): p for p in known}
        (entity,) = [found for found in self._contexts() if found["component"]["name"] == context]
        parameters = [
            {"parameter": {"name": spelled[name]["name"], "sensitive": spelled[name]["sensitive"], "value": value}}
            for name, value in values.items()
        ]
        component = {
            "id": entity["id"],
            "name": context,
            "parameters": parameters,
            "inheritedParameterContexts": entity["component"]["inheritedParameterContexts"],
        }
        path = f"/parameter-contexts/{entity['id']}/update-requests"
        body = {"id": entity["id"], "revision": entity["revision"], "component": component}
        request = self._call("POST", path, json=body)["request"]
        while not request["complete"]:
            time.sleep(0.1)
            request = self._call("GET", f"{path}/{request['requestId']}")["request"]
        self._call("DELETE", f"{path}/{request['requestId']}")
        assert not request.get("failureReason"), request["failureReason"]

    def enable_services(self) -> None:
        self._call(
            "PUT", f"/flow/process-groups/{self.id}/controller-services", json={"id": self.id, "state": "ENABLED"}
        )
        wait(lambda: all(service["component"]["state"] == "ENABLED" for service in self.services()), "services")

    def services(self) -> list[dict[str, Any]]:
        return self._call("GET", f"/flow/process-groups/{self.id}/controller-services")["controllerServices"]

    def processors(self, group: str = "") -> list[dict[str, Any]]:
        path = f"/process-groups/{group or self.id}/processors?includeDescendantGroups=true"
        return self._call("GET", path)["processors"]

    def group(self, name: str) -> str:
        groups = self._call("GET", f"/flow/process-groups/{self.id}")["processGroupFlow"]["flow"]["processGroups"]
        return next(group["id"] for group in groups if group["component"]["name"] == name)

    def processor(self, group: str, name: str) -> dict[str, Any]:
        return next(p for p in self.processors(group) if p["component"]["name"] == name)

    def start(self, group: str) -> None:
        # A group starts only those of its processors that are known to be valid by then.
        wait(lambda: not self.not_valid(group), "validation")
        self._call("PUT", f"/flow/process-groups/{group}", json={"id": group, "state": "RUNNING"})

    def remove(self) -> None:
        """Removes the group with all that waits in it, and its parameter contexts."""
        self._call("PUT", f"/flow/process-groups/{self.id}", json={"id": self.id, "state": "STOPPED"})
        wait(lambda: not self.threads(self.id), "the threads' ends")
        services = f"/flow/process-groups/{self.id}/controller-services"
        self._call("PUT", services, json={"id": self.id, "state": "DISABLED"})
        wait(lambda: all(service["component"]["state"] == "DISABLED" for service in self.services()), "services")
        self._call("POST", f"/process-groups/{self.id}/empty-all-connections-requests")
        wait(lambda: not self.queued(self.id), "the queues to be empty")
        entity = self._call("GET", f"/process-groups/{self.id}")
        self._call("DELETE", f"/process-groups/{self.id}", params={"version": entity["revision"]["version"]})
        # The one that the others inherit goes last.
        contexts = {c["component"]["name"]: c for c in self._contexts()}
        for name in reversed(self._definition["parameterContexts"]):
            version = contexts[name]["revision"]["version"]
            self._call("DELETE", f"/parameter-contexts/{contexts[name]['id']}", params={"version": version})

    def _contexts(self) -> list[dict[str, Any]]:
        return self._call("GET", "/flow/parameter-contexts")["parameterContexts"]

    def state(self, group: str, name: str, state: str) -> None:
        processor = self.processor(group, name)
        body = {"revision": processor["revision"], "state": state}
        self._call("PUT", f"/processors/{processor['id']}/run-status", json=body)

    def not_valid(self, group: str = "") -> list[tuple[str, list[str]]]:
        """The processors that are not disabled and not valid, with what NiFi says of them."""
        found = [p["component"] for p in self.processors(group)]
        return [
            (p["name"], p.get("validationErrors", []))
            for p in found
            if p["state"] != "DISABLED" and p["validationStatus"] != "VALID"
        ]

    def start_but_poll(self, group: str) -> None:
        """Starts all of a group but its source, which a group that starts would start, too, were it not disabled."""
        self.state(group, names.POLL, "DISABLED")
        self.start(group)
        self.enable(group, names.POLL)

    def enable(self, group: str, source: str) -> None:
        """Makes a disabled processor one that can be run."""
        self.state(group, source, "STOPPED")
        wait(lambda: self.processor(group, source)["component"]["validationStatus"] == "VALID", f"{source} to be valid")

    def run_once(self, group: str, source: str = names.POLL) -> None:
        before = self.generated(group, source)
        self.state(group, source, "RUN_ONCE")
        wait(lambda: self.generated(group, source) > before, f"{source} to run")
        wait(lambda: not self.queued(group) and not self.threads(group), "the group to be empty")

    def generated(self, group: str, source: str) -> int:
        return self.processor(group, source)["status"]["aggregateSnapshot"]["taskCount"]

    def snapshot(self, group: str) -> dict[str, Any]:
        return self._call("GET", f"/flow/process-groups/{group}/status")["processGroupStatus"]["aggregateSnapshot"]

    def queued(self, group: str) -> int:
        return self.snapshot(group)["flowFilesQueued"]

    def threads(self, group: str) -> int:
        return self.snapshot(group)["activeThreadCount"]

    def queued_before(self, group: str, destination: str) -> int:
        def connections(status: dict[str, Any]) -> Iterator[dict[str, Any]]:
            yield from (entity["connectionStatusSnapshot"] for entity in status["connectionStatusSnapshots"])
            for child in status["processGroupStatusSnapshots"]:
                yield from connections(child["processGroupStatusSnapshot"])

        path = f"/flow/process-groups/{group}/status?recursive=true"
        status = self._call("GET", path)["processGroupStatus"]["aggregateSnapshot"]
        return sum(c["flowFilesQueued"] for c in connections(status) if c["destinationName"] == destination)

    def bulletins(self) -> list[str]:
        board = self._call("GET", "/flow/bulletin-board")["bulletinBoard"]["bulletins"]
        return [entity["bulletin"]["message"] for entity in board if "bulletin" in entity]


@pytest.fixture
def upload(nifi_server: NiFiServer) -> Iterator[Callable[[dict[str, Any]], Flow]]:
    flows = []

    def upload(definition: dict[str, Any]) -> Flow:
        flows.append(Flow(nifi_server.url, definition))
        return flows[-1]

    yield upload
    for flow in flows:
        flow.remove()


class Stage:
    """An election of its own with its scraper, its topics and the flow that stands between them."""

    def __init__(self, folder: Path, key: str, tweets: int, api_key: str = "") -> None:
        self.folder = folder
        text = ELECTION_FILE.read_text(encoding="utf-8").replace("valmarie_2031", key).replace("valmarie.essais", key)
        self.election_file = folder / f"{key}.toml"
        self.election_file.write_text(text, encoding="utf-8")
        self.election = load_election(str(self.election_file))
        self.common = root_group_name(self.election)
        archive = folder / "archive.jsonl"
        archive.write_text("".join(json.dumps(page) + "\n" for page in pages(tweets)), encoding="utf-8")
        env = {
            "ELECTION": str(self.election_file),
            "ELECTION_DATA": str(folder / "data"),
            "ARCHIVE": str(archive),
            "SCRAPER_PORT": "0",
            "SCRAPER_API_KEY": api_key,
        }
        self.api_key = api_key
        self.service: Service = build_service(env)
        self.url = self.service.start()
        self.dead_letters = folder / "dead letters"

    def ask(self, path: str) -> dict[str, Any]:
        answer = requests.get(self.url + path, headers={"X-Api-Key": self.api_key}, timeout=60)
        assert answer.ok, answer.text
        return answer.json()

    def counts(self, candidate: str = CANDIDATE) -> dict[str, Any]:
        return self.ask("/status")["candidates"][candidate]

    def published(self, kafka: KafkaServer) -> list[Any]:
        """The messages of the candidate's topic."""
        return read(kafka, self.election.topic(CANDIDATE))


def pages(tweets: int) -> Iterator[dict[str, Any]]:
    """As many tweets of the candidate, in pages of an archive, with all in them that a CSV may break on."""
    users = [
        {"id": str(number), "name": f" {NASTY[number]} ", "username": f"u{number}", "location": NASTY[-number]}
        for number in range(7)
    ]
    for first in range(0, tweets, 100):
        data = [tweet(number) for number in range(first, min(first + 100, tweets))]
        yield {"data": data, "includes": {"users": users}, "meta": {"result_count": len(data)}}


def tweet(number: int) -> dict[str, Any]:
    text = NASTY[number % len(NASTY)]
    return {
        "id": str(1_400_000_000_000_000_000 + number),
        "text": f"{NAME}·{text}" if number // len(NASTY) % 2 else f"{text}·{NAME}",
        "created_at": "2031-09-01T10:00:00.000Z",
        "author_id": str(number % 7),
        **({"lang": "fr"} if number % 3 else {}),
        **({"public_metrics": {"retweet_count": number, "like_count": 0}} if number % 5 else {}),
    }


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Callable[..., Stage]]:
    with contextlib.ExitStack() as stack:

        def make(key: str, tweets: int, api_key: str = "") -> Stage:
            made = Stage(tmp_path, key, tweets, api_key)
            stack.callback(made.service.stop)
            return made

        yield make


def read(kafka: KafkaServer, topic: str) -> list[Any]:
    from kafka import KafkaConsumer, TopicPartition

    consumer = KafkaConsumer(bootstrap_servers=kafka.bootstrap_servers, auto_offset_reset="earliest")
    try:
        partitions = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()]
        consumer.assign(partitions)
        ends = consumer.end_offsets(partitions) if partitions else {}
        messages: list[Any] = []
        while any(consumer.position(partition) < end for partition, end in ends.items()):
            for records in consumer.poll(timeout_ms=500).values():
                messages += records
        return messages
    finally:
        consumer.close(autocommit=False)


def kafka_resource(kafka: KafkaServer, stage: Stage) -> KafkaResource:
    services = EmbeddedServicesResource(data_root=str(stage.folder))
    return KafkaResource(bootstrap_servers=kafka.bootstrap_servers, services=services)


def publish_directly(kafka: KafkaServer, stage: Stage, batch_ids: list[str], topic: str) -> list[Any]:
    """What the platform's own publisher makes of the same batches."""
    resource = kafka_resource(kafka, stage)
    resource.ensure_topics([topic])
    with resource.producer() as publisher:
        for batch_id in batch_ids:
            batch = stage.ask(f"/batches/{batch_id}")
            publisher.publish(topic, batch["candidate"], batch_id, batch["tweets"])
    return read(kafka, topic)


def configure(flow: Flow, stage: Stage, kafka: KafkaServer, **others: str) -> None:
    values = {
        "scraper_url": stage.url,
        # A flow that was never given a key is one for a scraper that wants none.
        **({"scraper_api_key": stage.api_key} if stage.api_key else {}),
        "kafka_bootstrap_servers": kafka.bootstrap_servers,
        "dead_letter_folder": str(stage.dead_letters),
        **others,
    }
    kafka_resource(kafka, stage).ensure_topics(stage.election.topic(key) for key in stage.election.candidate_keys)
    flow.set(stage.common, **values)
    flow.enable_services()


def changed(definition: dict[str, Any], processor: str, **values: object) -> dict[str, Any]:
    """The flow with other settings of the processors of this name, so that a test need not wait."""

    def change(group: dict[str, Any]) -> int:
        found = [part for part in group["processors"] if part["name"] == processor]
        for part in found:
            part |= values
        return len(found) + sum(change(inner) for inner in group["processGroups"])

    assert change(definition["flowContents"])
    return definition


def test_the_committed_flow_loads_unchanged_and_every_part_is_valid(upload: Callable[..., Flow]) -> None:
    flow = upload(json.loads((PROJECT / "nifi" / "fr_2022.json").read_text(encoding="utf-8")))
    election = load_election("fr_2022")

    flow.enable_services()
    with contextlib.suppress(AssertionError):
        wait(lambda: not flow.not_valid(), "validation")
    assert flow.not_valid() == []
    processors = flow.processors()
    assert [p["component"]["name"] for p in processors if p["component"]["extensionMissing"]] == []
    assert sorted(p["component"]["name"] for p in processors if p["component"]["state"] == "DISABLED") == sorted(
        [*names.ON_DEMAND] * len(election.candidates) + [names.POLL, names.ASK_NOW]
    )
    for candidate in election.candidates:
        poll = flow.processor(flow.group(candidate.key), names.POLL)["component"]
        assert poll["config"]["schedulingPeriod"] == "#{poll.period}"


def test_every_batch_lands_once_and_equal_to_the_direct_publishers(
    upload: Callable[..., Flow], stage: Callable[..., Stage], kafka_server: KafkaServer
) -> None:
    scene = stage("equal", 2 * MAX_BATCH_RECORDS + 100, API_KEY)
    flow = upload(generate(scene.election))
    configure(flow, scene, kafka_server)
    group = flow.group(CANDIDATE)
    flow.start_but_poll(group)

    flow.run_once(group)

    messages = scene.published(kafka_server)
    batch_ids = [dict(message.headers)["batch_id"].decode() for message in messages]
    direct = publish_directly(kafka_server, scene, batch_ids, f"{scene.election.topic_prefix}.direct")
    assert len(batch_ids) == len(set(batch_ids)) == scene.counts()["acknowledged"] == scene.counts()["batches"] >= 3
    assert scene.counts()["current"] is None
    assert [message.value for message in messages] == [message.value for message in direct]
    assert [dict(message.headers) for message in messages] == [dict(message.headers) for message in direct]
    assert [message.key for message in messages] == [message.key for message in direct]
    rows = [row for m in messages for row in list(csv.reader(io.StringIO(m.value.decode(), newline="")))[1:]]
    sent = [tweet for batch_id in batch_ids for tweet in scene.ask(f"/batches/{batch_id}")["tweets"]]
    assert [dict(zip(TWEET_V1_NAMES, row, strict=True)) for row in rows] == sent
    assert {row[2] for row in rows} >= {f"{NAME}·{text}" for text in NASTY} | {f"{text}·{NAME}" for text in NASTY}
    assert not scene.dead_letters.exists()


def test_polling_by_schedule_delivers_no_batch_twice(
    upload: Callable[..., Flow], stage: Callable[..., Stage], kafka_server: KafkaServer
) -> None:
    scene = stage("scheduled", 3 * MAX_BATCH_RECORDS)
    flow = upload(generate(scene.election))
    configure(flow, scene, kafka_server, poll_period="50 ms")

    flow.start(flow.id)
    wait(lambda: not scene.counts()["current"] and scene.counts()["records"] == 3 * MAX_BATCH_RECORDS, "the tweets")
    polled = flow.generated(flow.group(CANDIDATE), names.POLL)
    wait(lambda: flow.generated(flow.group(CANDIDATE), names.POLL) >= polled + 20, "twenty more polls")

    batch_ids = [dict(message.headers)["batch_id"].decode() for message in scene.published(kafka_server)]
    assert len(batch_ids) == len(set(batch_ids)) == scene.counts()["acknowledged"] >= 3


def test_a_batch_waits_while_kafka_is_out_of_reach_and_is_published_once_it_is_back(
    upload: Callable[..., Flow], stage: Callable[..., Stage], kafka_server: KafkaServer
) -> None:
    scene = stage("outage", 10)
    definition = generate(scene.election)
    (kafka,) = [s for s in definition["flowContents"]["controllerServices"] if s["name"] == names.KAFKA]
    kafka["properties"]["max.block.ms"] = "1 sec"
    flow = upload(definition)
    configure(flow, scene, kafka_server, kafka_bootstrap_servers=f"127.0.0.1:{free_port()}", poll_period="50 ms")
    group = flow.group(CANDIDATE)

    flow.start(group)
    wait(lambda: flow.processor(group, names.PUBLISH)["status"]["aggregateSnapshot"]["taskCount"] >= 2, "a second try")

    assert flow.queued_before(group, names.PUBLISH) == 1
    assert scene.counts()["acknowledged"] == 0
    assert not scene.dead_letters.exists()

    flow.set(scene.common, kafka_bootstrap_servers=kafka_server.bootstrap_servers)
    wait(lambda: scene.counts()["acknowledged"] == 1, "the acknowledgement")

    assert len(scene.published(kafka_server)) == 1


def test_what_kafka_never_took_is_a_dead_letter_and_is_sent_again(
    upload: Callable[..., Flow], stage: Callable[..., Stage], kafka_server: KafkaServer
) -> None:
    scene = stage("refused", 20)
    definition = changed(generate(scene.election), names.PUBLISH, retryCount=1)
    (kafka,) = [s for s in definition["flowContents"]["controllerServices"] if s["name"] == names.KAFKA]
    kafka["properties"]["max.block.ms"] = "1 sec"
    flow = upload(definition)
    configure(flow, scene, kafka_server, kafka_bootstrap_servers=f"127.0.0.1:{free_port()}")
    group = flow.group(CANDIDATE)
    flow.start_but_poll(group)

    flow.run_once(group)

    batch_id = scene.counts()["current"]
    letter = scene.dead_letters / CANDIDATE / f"{batch_id}~not-published.csv"
    assert [path.name for path in letter.parent.iterdir()] == [letter.name]
    assert any(letter.name in message for message in flow.bulletins())
    kept = letter.read_bytes()

    flow.set(scene.common, kafka_bootstrap_servers=kafka_server.bootstrap_servers)
    flow.enable(group, names.READ_DEAD_LETTERS)
    flow.run_once(group, names.READ_DEAD_LETTERS)

    (direct,) = publish_directly(kafka_server, scene, [batch_id], f"{scene.election.topic_prefix}.direct")
    (message,) = scene.published(kafka_server)
    assert message.value == direct.value == kept
    assert dict(message.headers) == dict(direct.headers)
    assert scene.counts()["acknowledged"] == 1
    assert list(letter.parent.iterdir()) == []


class _Damaging(ScraperProxy):
    """Changes the batches that pass, as a scraper or a network at fault would."""

    damage: Callable[[bytes], bytes] | None = None

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        status, content = super().answer(method, path, body)
        return status, self.damage(content) if method == "GET" and self.damage else content


def _with_what_is_no_record(content: bytes) -> bytes:
    batch = json.loads(content)
    batch["tweets"].insert(3, "no record")
    return json.dumps(batch).encode()


@pytest.mark.parametrize(
    ("key", "damage", "ending"),
    [
        ("cut", lambda content: content[:-9], "~not-json.json"),
        ("newer", lambda content: content.replace(b'"tweet.v1"', b'"tweet.v2"'), "~not-a-batch.json"),
        ("mixed", _with_what_is_no_record, "~incomplete.kept"),
    ],
)
def test_what_cannot_be_converted_is_a_dead_letter_and_is_sent_again_once_mended(
    upload: Callable[..., Flow],
    stage: Callable[..., Stage],
    kafka_server: KafkaServer,
    key: str,
    damage: Callable[[bytes], bytes],
    ending: str,
) -> None:
    scene = stage(key, 20)
    with _Damaging(scene.url).serve() as proxy:
        proxy.damage = damage
        flow = upload(generate(scene.election))
        configure(flow, scene, kafka_server, scraper_url=proxy.url)
        group = flow.group(CANDIDATE)
        flow.start_but_poll(group)

        flow.run_once(group)
        flow.run_once(group)

        (letter,) = (scene.dead_letters / CANDIDATE).iterdir()
        batch_id = scene.counts()["current"]
        assert letter.name.endswith(ending)
        assert any(letter.name in message for message in flow.bulletins())
        assert scene.published(kafka_server) == []
        assert scene.counts()["acknowledged"] == 0

        proxy.damage = None
        if letter.suffix == ".json":
            assert letter.read_bytes() == damage(requests.get(f"{scene.url}/batches/{batch_id}", timeout=60).content)
            letter.write_bytes(requests.get(f"{scene.url}/batches/{batch_id}", timeout=60).content)
            flow.enable(group, names.READ_DEAD_LETTERS)
            flow.run_once(group, names.READ_DEAD_LETTERS)
            assert not letter.exists()
        else:
            # Written as CSV without what is no record: kept to be looked at, and the scraper gives the batch again.
            flow.run_once(group)

    (message,) = scene.published(kafka_server)
    (direct,) = publish_directly(kafka_server, scene, [batch_id], f"{scene.election.topic_prefix}.direct")
    assert (message.value, dict(message.headers)) == (direct.value, dict(direct.headers))
    assert scene.counts()["acknowledged"] == 1


def test_an_acknowledgement_that_the_scraper_refuses_is_a_dead_letter_that_is_not_published_again(
    upload: Callable[..., Flow], stage: Callable[..., Stage], kafka_server: KafkaServer
) -> None:
    scene = stage("deaf", 20)

    class Deaf(ScraperProxy):
        deaf = True

        def answer(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
            if method == "POST" and self.deaf:
                return 409, b'{"error": "not that one"}'
            return super().answer(method, path, body)

    with Deaf(scene.url).serve() as proxy:
        flow = upload(generate(scene.election))
        configure(flow, scene, kafka_server, scraper_url=proxy.url)
        group = flow.group(CANDIDATE)
        flow.start_but_poll(group)
        flow.run_once(group)
        batch_id = scene.counts()["current"]
        (letter,) = (scene.dead_letters / CANDIDATE).iterdir()
        assert letter.name == f"{batch_id}~not-acknowledged.csv"
        assert any("409" in message and "not that one" in message for message in flow.bulletins())

        proxy.deaf = False
        flow.enable(group, names.READ_DEAD_LETTERS)
        flow.run_once(group, names.READ_DEAD_LETTERS)

    assert scene.counts()["acknowledged"] == 1
    assert len(scene.published(kafka_server)) == 1
    assert list(letter.parent.iterdir()) == []
