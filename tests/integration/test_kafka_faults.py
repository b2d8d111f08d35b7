"""A broker that is killed and comes back while batches are published and landed: nothing lost, nothing twice."""

from __future__ import annotations

import contextlib
import random
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka import KafkaProducer
from pyspark.sql import SparkSession

from election_assets.election import load_election
from election_assets.ingest import ingest, ingested_rows
from election_assets.landed import store
from election_assets.reconciliation import reconcile
from election_assets.schemas import encode_tweets
from election_assets.storage import DataRoot
from resources.embedded_services import EmbeddedServicesResource
from resources.kafka import KafkaResource, KafkaUnavailableError
from tests.fakes.ingest_process import KEY
from tests.fakes.landing import CANDIDATE, keep_raw, record
from tests.servers.kafka import KafkaServer

pytestmark = pytest.mark.integration

ELECTION = load_election("fr_2022")
GROUP = "faults.landing"
BATCHES = 80


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaServer]:
    server = KafkaServer(tmp_path_factory.mktemp("kafka"))
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def kafka(server: KafkaServer) -> KafkaResource:
    return KafkaResource(
        bootstrap_servers=server.bootstrap_servers, services=EmbeddedServicesResource(data_root="/nowhere")
    )


@pytest.fixture
def topic(request: pytest.FixtureRequest) -> str:
    return f"faults.{request.node.name.strip(']').replace('[', '-')}"


class Killer:
    """Kills the server once the test has come past certain steps, and starts it again beside the test.

    The steps are drawn at random; the seed stands in the test's name.
    """

    def __init__(self, server: KafkaServer, seed: int, steps: int, kills: int) -> None:
        self._server = server
        self._steps = set(random.Random(seed).sample(range(1, steps), kills))
        self._starting: threading.Thread | None = None
        self.kills = 0

    def passed(self, step: int) -> None:
        """Kills the server if this is one of the steps and it is up."""
        if step in self._steps and not (self._starting and self._starting.is_alive()):
            self._steps.remove(step)
            self._server.kill()
            self.kills += 1
            self._starting = threading.Thread(target=self._server.start)
            self._starting.start()

    def wait(self) -> None:
        """Returns once the server is up."""
        if self._starting:
            self._starting.join()


@contextlib.contextmanager
def killing(server: KafkaServer, seed: int, steps: int, kills: int = 2) -> Iterator[Killer]:
    killer = Killer(server, seed, steps, kills)
    try:
        yield killer
    finally:
        killer.wait()
    assert killer.kills, "no kill happened, so nothing was tried"


def tweets_of(number: int) -> list[dict[str, str]]:
    """A batch of its own tweets, and one that every batch holds."""
    return [record(1000 + number), record(1, text=f"de nouveau {number}")]


def publish(kafka: KafkaResource, topic: str, numbers: range, killer: Killer | None = None) -> None:
    """As `raw_tweets` does: a batch that Kafka did not acknowledge is published again, by the retry of the step."""
    waiting = list(numbers)
    while waiting:
        with contextlib.suppress(KafkaUnavailableError), kafka.producer() as publisher:
            while waiting:
                number = waiting[0]
                if killer:
                    killer.passed(number)
                publisher.publish(topic, CANDIDATE, f"b-{number:03}", tweets_of(number))
                waiting.pop(0)


def land(kafka: KafkaResource, cluster: str, root: DataRoot, topic: str, killer: Killer | None = None) -> list[str]:
    """As `landed_csv` does, with the retry of the step; the origins in the order in which they were stored."""
    origins: list[str] = []
    while True:
        with contextlib.suppress(KafkaUnavailableError), kafka.consumer(GROUP, cluster) as drain:
            for message in drain.messages(topic):
                store(root, CANDIDATE, message)
                origins.append(message.origin)
                if killer:
                    # After the file stands, before the offset is committed.
                    killer.passed(len(set(origins)))
                drain.commit(message)
            return origins


def batch_of(root: DataRoot, origin: str) -> str:
    return root.landed_file(CANDIDATE, origin).read_text(encoding="utf-8").splitlines()[1].split(",")[-2].strip('"')


@pytest.mark.parametrize("seed", [1, 2])
def test_killed_while_batches_are_published(
    server: KafkaServer, kafka: KafkaResource, tmp_path: Path, topic: str, seed: int
) -> None:
    cluster, root = kafka.ensure_topics([topic]), DataRoot(tmp_path)
    with killing(server, seed, BATCHES) as killer:
        publish(kafka, topic, range(BATCHES), killer)
    assert kafka.ensure_topics([topic]) == cluster
    origins = land(kafka, cluster, root, topic)
    assert len(origins) == len(set(origins)) == len(root.origins(CANDIDATE))
    batches = [batch_of(root, origin) for origin in root.origins(CANDIDATE)]
    # In order, and a batch that was sent again stands at once behind itself.
    assert batches == sorted(batches)
    assert set(batches) == {f"b-{number:03}" for number in range(BATCHES)}
    assert kafka.lag(GROUP, [topic])[topic].lag == 0


@pytest.mark.parametrize("seed", [1, 2])
def test_killed_while_batches_are_landed(
    server: KafkaServer, kafka: KafkaResource, tmp_path: Path, topic: str, seed: int
) -> None:
    cluster, root = kafka.ensure_topics([topic]), DataRoot(tmp_path)
    publish(kafka, topic, range(BATCHES))
    with killing(server, seed, BATCHES) as killer:
        origins = land(kafka, cluster, root, topic, killer)
    assert set(origins) == set(root.origins(CANDIDATE))
    assert [batch_of(root, origin) for origin in root.origins(CANDIDATE)] == [
        f"b-{number:03}" for number in range(BATCHES)
    ]
    lag = kafka.lag(GROUP, [topic])[topic]
    assert (lag.start, lag.end, lag.committed) == (0, BATCHES, BATCHES)
    assert land(kafka, cluster, root, topic) == []


def test_killed_before_the_first_commit_of_a_reader(
    server: KafkaServer, kafka: KafkaResource, tmp_path: Path, topic: str
) -> None:
    cluster, root = kafka.ensure_topics([topic]), DataRoot(tmp_path)
    publish(kafka, topic, range(3))
    with kafka.consumer(GROUP, cluster) as drain:
        first = next(drain.messages(topic))
        store(root, CANDIDATE, first)
        server.kill()
    server.start()
    assert kafka.lag(GROUP, [topic])[topic].lag == 3
    assert land(kafka, cluster, root, topic)[0] == first.origin
    assert len(root.origins(CANDIDATE)) == 3


def test_a_batch_that_kafka_holds_twice_counts_once(
    server: KafkaServer, kafka: KafkaResource, spark: SparkSession, tmp_path: Path, topic: str
) -> None:
    cluster, root = kafka.ensure_topics([topic]), DataRoot(tmp_path)
    for number in range(4):
        keep_raw(root, f"b-{number:03}", tweets_of(number))
    publish(kafka, topic, range(2))
    # Its acknowledgement was lost: the publisher sends the batch again, and a transactional one with gaps in between.
    publish(kafka, topic, range(1, 3))
    producer = KafkaProducer(bootstrap_servers=server.bootstrap_servers, transactional_id="faults-nifi")
    with contextlib.closing(producer):
        producer.init_transactions()
        for end in (producer.abort_transaction, producer.commit_transaction, producer.commit_transaction):
            producer.begin_transaction()
            headers = [("batch_id", b"b-003"), ("candidate", CANDIDATE.encode()), ("schema", b"tweet.v1")]
            producer.send(topic, value=encode_tweets(tweets_of(3)), headers=headers)
            producer.flush()
            end()
    origins = land(kafka, cluster, root, topic)
    # 4 and 5 are the batch that was given up and its marker, 7 a marker.
    assert [int(origin.rpartition("~")[2]) for origin in origins] == [0, 1, 2, 3, 6, 8]
    assert kafka.lag(GROUP, [topic])[topic].lag == 0
    ingest(spark, root, ELECTION, CANDIDATE, KEY)
    found = reconcile(spark, root, CANDIDATE)
    assert found.problems == []
    assert (found.received, found.kept, found.repeats, found.repeated_deliveries) == (8, 5, 3, 2)
    assert [row["repeated_delivery"] for row in ingested_rows(root, CANDIDATE)] == [
        False,
        False,
        True,
        False,
        False,
        True,
    ]
