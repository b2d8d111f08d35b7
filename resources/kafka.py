"""Kafka by kafka-python 3: topics made when missing, batches published, messages read up to the end and committed."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import dagster as dg

from election_assets.schemas import TWEET_SCHEMA, encode_tweets
from election_assets.transforms.landing import Message
from resources.embedded_services import EmbeddedServicesResource

if TYPE_CHECKING:
    from kafka import KafkaConsumer, KafkaProducer, TopicPartition

CONNECT_MS = 15_000
REQUEST_MS = 30_000
"""One request, and each wait for an answer; below `DELIVERY_MS`, as kafka-python wants it."""
DELIVERY_MS = 60_000
POLL_MS = 1_000
SILENT_SECONDS = 30
"""Without a message or a step forward after which the end of a topic is given up as unreachable."""


class KafkaUnavailableError(RuntimeError):
    """Kafka cannot be reached or does not take or give what it should."""


class KafkaResource(dg.ConfigurableResource):
    """Topics, a producer and a consumer.

    Attributes:
        bootstrap_servers: `host:port`, several separated by commas; empty for the embedded broker of the data root.
        services: The embedded services.
    """

    bootstrap_servers: str = ""
    services: EmbeddedServicesResource

    @property
    def address(self) -> str:
        """Where the brokers are."""
        return self.bootstrap_servers or self.services.addresses().kafka

    @property
    def engine(self) -> str:
        """Which broker it is, for the report."""
        return f"Kafka ({self.bootstrap_servers})" if self.bootstrap_servers else "embedded broker"

    def ensure_topics(self, topics: Iterable[str]) -> str:
        """Makes the topics that are missing, with one partition, and answers the id of the cluster.

        Raises:
            KafkaUnavailableError: If the brokers cannot be reached.
        """
        from kafka import KafkaAdminClient
        from kafka.errors import TopicAlreadyExistsError

        # The brokers' own default, which the embedded broker, a single node of an old version, does not know.
        replication_factor = -1 if self.bootstrap_servers else 1
        connection = self._connection()
        with _sentences(connection), contextlib.closing(KafkaAdminClient(**connection)) as admin:
            for topic in sorted(set(topics) - set(admin.list_topics())):
                with contextlib.suppress(TopicAlreadyExistsError):
                    admin.create_topics(
                        {topic: {"num_partitions": 1, "replication_factor": replication_factor}},
                        wait_for_metadata=True,
                    )
            return str(admin.describe_cluster()["cluster_id"])

    @contextlib.contextmanager
    def producer(self) -> Iterator[Publisher]:
        """A publisher that waits for every acknowledgement (`acks=all`, idempotent)."""
        from kafka import KafkaProducer

        connection = self._connection()
        with _sentences(connection):
            producer = KafkaProducer(
                **connection,
                acks="all",
                enable_idempotence=True,
                delivery_timeout_ms=DELIVERY_MS,
                max_block_ms=CONNECT_MS,
                kafka_client=_client_that_makes_no_topics,
            )
        try:
            yield Publisher(producer, connection)
        finally:
            producer.close(timeout=5)

    @contextlib.contextmanager
    def consumer(self, group: str, cluster: str) -> Iterator[Drain]:
        """A reader of whole topics that commits for a group.

        Args:
            group: The consumer group whose offsets are moved.
            cluster: Id of the cluster, from `ensure_topics`.
        """
        from kafka import KafkaConsumer

        connection = self._connection()
        with _sentences(connection):
            consumer = KafkaConsumer(
                **connection,
                group_id=group,
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                isolation_level="read_committed",
                kafka_client=_client_that_makes_no_topics,
            )
        try:
            yield Drain(consumer, cluster, connection)
        finally:
            consumer.close(autocommit=False, timeout_ms=CONNECT_MS)

    def _connection(self) -> dict[str, Any]:
        _quieten()
        return {
            "bootstrap_servers": self.address.split(","),
            "bootstrap_timeout_ms": CONNECT_MS,
            "request_timeout_ms": REQUEST_MS,
            # Half a minute by default: too long to notice that a broker is back.
            "reconnect_backoff_max_ms": 1_000,
        }


def _client_that_makes_no_topics(**configs: Any) -> Any:
    """What kafka-python 3.0.12 should do for `allow_auto_create_topics=False`, which it takes and does not pass on."""
    from kafka.net.compat import KafkaNetClient

    client = KafkaNetClient(**configs)
    client.cluster.config["allow_auto_create_topics"] = False
    return client


def _quieten() -> None:
    """Leaves kafka-python's log to who sets its level: a line at every refused reconnect drowns the one sentence."""
    logger = logging.getLogger("kafka")
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.CRITICAL)


def _brokers(connection: Mapping[str, Any]) -> str:
    return ",".join(connection["bootstrap_servers"])


@contextlib.contextmanager
def _sentences(connection: Mapping[str, Any], topic: str = "") -> Iterator[None]:
    """Turns kafka-python's errors into KafkaUnavailableError."""
    from kafka.errors import KafkaError

    try:
        yield
    except KafkaError as error:
        raise KafkaUnavailableError(
            f"Kafka at {_brokers(connection)}{topic and ', topic '}{topic}: {error};"
            " is it up, and is the address right?"
        ) from error


class Publisher:
    """Publishes batches, one message each."""

    def __init__(self, producer: KafkaProducer, connection: Mapping[str, Any]) -> None:
        self._producer = producer
        self._connection = connection

    def publish(self, topic: str, candidate: str, batch_id: str, tweets: Iterable[dict[str, str]]) -> None:
        """Publishes a batch as one message of `tweet.v1` and returns once Kafka has it.

        Raises:
            KafkaUnavailableError: If Kafka did not acknowledge it.
        """
        headers = {"batch_id": batch_id, "candidate": candidate, "schema": TWEET_SCHEMA}
        with _sentences(self._connection, topic):
            self._producer.send(
                topic, value=encode_tweets(tweets), headers=[(name, text.encode()) for name, text in headers.items()]
            ).get(timeout=DELIVERY_MS / 1000)


class Drain:
    """Reads topics from where the group stands to where they end now."""

    def __init__(self, consumer: KafkaConsumer, cluster: str, connection: Mapping[str, Any]) -> None:
        self._consumer = consumer
        self._cluster = cluster
        self._connection = connection

    def messages(self, topic: str) -> Iterator[Message]:
        """The messages that lie between the group's offsets and the ends of the topic at the time of the call.

        Commit each one after it is safe (`commit`): one that was not is given again at the next call. Finish with one
        call's messages before the next call, which takes the reader over.

        Raises:
            KafkaUnavailableError: If the topic is missing or its end cannot be reached.
        """
        from kafka import TopicPartition

        with _sentences(self._connection, topic):
            partitions = [TopicPartition(topic, number) for number in self._consumer.partitions_for_topic(topic)]
            if not partitions:
                raise KafkaUnavailableError(f"Kafka at {_brokers(self._connection)} has no topic {topic}.")
            ends = self._consumer.end_offsets(partitions, timeout_ms=REQUEST_MS)
            # Assigned anew, a partition starts where the group stands, not where the last call stopped reading.
            self._consumer.assign([])
            self._consumer.assign(partitions)
        return self._up_to(ends, topic)

    def _up_to(self, ends: Mapping[TopicPartition, int], topic: str) -> Iterator[Message]:
        with _sentences(self._connection, topic):
            moved = time.monotonic()
            before = {partition: self._position(partition) for partition in ends}
            while any(before[partition] < ends[partition] for partition in ends):
                for partition, records in self._consumer.poll(timeout_ms=POLL_MS).items():
                    for record in records:
                        if record.offset < ends[partition]:
                            yield self._message(record)
                after = {partition: self._position(partition) for partition in ends}
                if after != before:
                    moved = time.monotonic()
                elif time.monotonic() - moved > SILENT_SECONDS:
                    raise KafkaUnavailableError(
                        f"Kafka at {_brokers(self._connection)}: the end of topic {topic} was not reached in"
                        f" {SILENT_SECONDS} s; what was read is kept, the rest comes with the next run."
                    )
                before = after

    def commit(self, message: Message) -> None:
        """Moves the group past a message.

        Raises:
            KafkaUnavailableError: If Kafka did not take it; the message comes again.
        """
        from kafka import TopicPartition
        from kafka.structs import OffsetAndMetadata

        with _sentences(self._connection, message.topic):
            self._consumer.commit(
                {TopicPartition(message.topic, message.partition): OffsetAndMetadata(message.offset + 1, "", -1)},
                timeout_ms=REQUEST_MS,
            )

    def _position(self, partition: TopicPartition) -> int:
        position = self._consumer.position(partition, timeout_ms=POLL_MS)
        return -1 if position is None else position

    def _message(self, record: Any) -> Message:
        headers = {name: (value or b"").decode(errors="replace") for name, value in record.headers or ()}
        return Message(self._cluster, record.topic, record.partition, record.offset, headers, record.value or b"")
