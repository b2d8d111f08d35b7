"""Kafka by kafka-python 3: topics made when missing, batches published, messages read up to the end and committed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import dagster as dg

from election_assets.schemas import TWEET_SCHEMA, encode_tweets
from election_assets.transforms.landing import Message
from resources.services import EmbeddedServicesResource

if TYPE_CHECKING:
    from kafka import KafkaConsumer, KafkaProducer

CONNECT_MS = 15_000
DELIVERY_MS = 60_000
POLL_MS = 1_000
SILENT_POLLS = 30
"""Polls without a message or a step forward after which the end of a topic is given up as unreachable."""


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
        with self._sentences(), contextlib.closing(KafkaAdminClient(**self._connection())) as admin:
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

        with self._sentences():
            producer = KafkaProducer(
                **self._connection(), acks="all", enable_idempotence=True, delivery_timeout_ms=DELIVERY_MS
            )
        try:
            yield Publisher(producer, self)
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

        with self._sentences():
            consumer = KafkaConsumer(
                **self._connection(),
                group_id=group,
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                isolation_level="read_committed",
            )
        try:
            yield Drain(consumer, cluster, self)
        finally:
            consumer.close(autocommit=False)

    def _connection(self) -> dict[str, Any]:
        return {"bootstrap_servers": self.address.split(","), "bootstrap_timeout_ms": CONNECT_MS}

    @contextlib.contextmanager
    def _sentences(self) -> Iterator[None]:
        from kafka.errors import KafkaError

        try:
            yield
        except KafkaError as error:
            raise KafkaUnavailableError(
                f"Kafka at {self.address}: {type(error).__name__}: {error}; is it up, and is the address right?"
            ) from error


class Publisher:
    """Publishes batches, one message each."""

    def __init__(self, producer: KafkaProducer, kafka: KafkaResource) -> None:
        self._producer = producer
        self._kafka = kafka

    def publish(self, topic: str, candidate: str, batch_id: str, tweets: Iterable[dict[str, str]]) -> None:
        """Publishes a batch as one message of `tweet.v1` and returns once Kafka has it.

        Raises:
            KafkaUnavailableError: If Kafka did not acknowledge it.
        """
        headers = {"batch_id": batch_id, "candidate": candidate, "schema": TWEET_SCHEMA}
        with self._kafka._sentences():
            self._producer.send(
                topic, value=encode_tweets(tweets), headers=[(name, text.encode()) for name, text in headers.items()]
            ).get(timeout=DELIVERY_MS / 1000)


class Drain:
    """Reads topics from where the group stands to where they end now."""

    def __init__(self, consumer: KafkaConsumer, cluster: str, kafka: KafkaResource) -> None:
        self._consumer = consumer
        self._cluster = cluster
        self._kafka = kafka

    def messages(self, topic: str) -> Iterator[Message]:
        """The messages that lie between the group's offsets and the ends of the topic at the time of the call.

        Commit each one after it is safe (`commit`): one that was not is given again at the next call.

        Raises:
            KafkaUnavailableError: If the topic is missing or its end cannot be reached.
        """
        from kafka import TopicPartition

        with self._kafka._sentences():
            partitions = [TopicPartition(topic, number) for number in self._consumer.partitions_for_topic(topic) or ()]
            if not partitions:
                raise KafkaUnavailableError(f"Kafka at {self._kafka.address} has no topic {topic}.")
            self._consumer.assign(partitions)
            ends = self._consumer.end_offsets(partitions)
            silent = 0
            open_partitions = {partition for partition in partitions if self._position(partition) < ends[partition]}
            while open_partitions:
                before = {partition: self._position(partition) for partition in open_partitions}
                for records in self._consumer.poll(timeout_ms=POLL_MS).values():
                    for record in records:
                        yield self._message(record)
                after = {partition: self._position(partition) for partition in open_partitions}
                silent = silent + 1 if after == before else 0
                if silent > SILENT_POLLS:
                    raise KafkaUnavailableError(
                        f"Kafka at {self._kafka.address}: the end of topic {topic} was not reached in"
                        f" {SILENT_POLLS * POLL_MS // 1000} s; what was read is kept, the rest comes with the next run."
                    )
                open_partitions = {partition for partition in open_partitions if after[partition] < ends[partition]}

    def commit(self, message: Message) -> None:
        """Moves the group past a message."""
        from kafka import TopicPartition
        from kafka.structs import OffsetAndMetadata

        with self._kafka._sentences():
            self._consumer.commit(
                {TopicPartition(message.topic, message.partition): OffsetAndMetadata(message.offset + 1, "", -1)}
            )

    def _position(self, partition: Any) -> int:
        return self._consumer.position(partition)

    def _message(self, record: Any) -> Message:
        headers = {name: (value or b"").decode(errors="replace") for name, value in record.headers or ()}
        return Message(self._cluster, record.topic, record.partition, record.offset, headers, record.value or b"")
