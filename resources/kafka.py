"""Kafka by kafka-python 3: topics made when missing, batches published, messages read up to the end and committed."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import dagster as dg

from election_assets.schemas import MAX_BATCH_BYTES, TWEET_SCHEMA, encode_tweets
from election_assets.transforms.landing import Message
from resources.embedded_services import EmbeddedServicesResource
from resources.kafka_security import KafkaSettingsError, Security

if TYPE_CHECKING:
    from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition

CONNECT_MS = 15_000
LOOK_MS = 10_000
"""For a look at offsets, which is made again soon."""
REQUEST_MS = 30_000
"""One request, and each wait for an answer; below `DELIVERY_MS`, as kafka-python wants it."""
DELIVERY_MS = 60_000
POLL_MS = 1_000
SILENT_SECONDS = 30
"""Without a message or a step forward after which the end of a topic is given up as unreachable."""


Result = TypeVar("Result")

DAY_MS = 86_400_000
DEFAULT_TOPIC_RETENTION_DAYS = 7
SEGMENT_MS = DAY_MS
"""Kafka removes a file of messages, a segment, once its newest one is old enough: so much longer may others stay."""
"""Longer than the landing may stand still, shorter than people's data need to lie in two places."""
MESSAGE_BYTES = 1_048_588
"""The largest message of the topics that are made here: Kafka's own default, whatever the brokers'."""
LEAST_MESSAGE_BYTES = MAX_BATCH_BYTES + 2_000
"""A batch with its headers and what Kafka writes around a message."""


class KafkaUnavailableError(RuntimeError):
    """Kafka cannot be reached or does not take or give what it should."""


@dataclass(frozen=True)
class TopicLag:
    """Where a topic stands, and a group in it; offsets of several partitions are added up.

    Attributes:
        start: Offset of the first message that Kafka still has.
        end: Offset of the next message to come, behind the last that is not part of an open transaction.
        committed: Offset up to which the group has read; None if it never committed.
    """

    start: int
    end: int
    committed: int | None

    @classmethod
    def of(cls, partitions: Sequence[tuple[int, int, int | None]]) -> TopicLag:
        """A topic of partitions, each with its start, end and committed offset.

        One that the group never committed, while it did others, counts as read up to its start.
        """
        starts, ends, committed = zip(*partitions, strict=True)
        if all(offset is None for offset in committed):
            return cls(sum(starts), sum(ends), None)
        read = (start if offset is None else offset for start, offset in zip(starts, committed, strict=True))
        return cls(sum(starts), sum(ends), sum(read))

    @property
    def lag(self) -> int:
        """Messages that wait, the markers of transactions among them."""
        return self.end - max(self.start, self.committed or 0)

    @property
    def lost(self) -> int:
        """Offsets that Kafka removed before the group had read them."""
        return 0 if self.committed is None else max(0, self.start - self.committed)


class KafkaResource(dg.ConfigurableResource):
    """Topics, a producer and a consumer.

    Attributes:
        bootstrap_servers: `host:port`, several separated by commas; empty for the embedded broker of the data root.
        security_protocol: PLAINTEXT, SSL or SASL_SSL; empty for PLAINTEXT.
        ssl_cafile: PEM file of the authorities that sign the brokers' certificates; empty for the system's.
        ssl_certfile: PEM file of this client's certificate, where brokers ask for one.
        ssl_keyfile: PEM file of its key.
        ssl_password: Password of that key.
        sasl_mechanism: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512.
        sasl_username: The user.
        sasl_password: Their password.
        topic_retention_days: Days that topics made here keep a message; 0 for ever, empty for the default.
        services: The embedded services.
    """

    bootstrap_servers: str = ""
    security_protocol: str = ""
    ssl_cafile: str = ""
    ssl_certfile: str = ""
    ssl_keyfile: str = ""
    ssl_password: str = ""
    sasl_mechanism: str = ""
    sasl_username: str = ""
    sasl_password: str = ""
    topic_retention_days: str = ""
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

        A topic that is there is left as it is; one that does not keep messages as it should is told in the log.

        Raises:
            KafkaUnavailableError: If the brokers cannot be reached.
            KafkaSettingsError: If the settings contradict each other, or the brokers refuse them.
        """
        from kafka.errors import TopicAlreadyExistsError

        wanted = set(topics)
        # The brokers' own default, which the embedded broker, a single node of an old version, does not know.
        settings: dict[str, Any] = {"num_partitions": 1, "replication_factor": 1}
        if self.bootstrap_servers:
            settings = {"num_partitions": 1, "replication_factor": -1, "configs": self._topic_settings()}
        connection = self._connection()
        with _sentences(connection), _admin(connection) as admin:
            missing = wanted - set(admin.list_topics())
            for topic in sorted(missing):
                with contextlib.suppress(TopicAlreadyExistsError):
                    admin.create_topics({topic: settings}, wait_for_metadata=True)
            for problem in self._problems(admin, wanted - missing).values():
                dg.get_dagster_logger().warning(problem)
            return str(admin.describe_cluster()["cluster_id"])

    def problems(self, topics: Iterable[str]) -> dict[str, str]:
        """The topics that lose messages or keep them for too long, each with a sentence; none of the embedded broker.

        Raises:
            KafkaUnavailableError: If the brokers cannot be reached.
            KafkaSettingsError: If the settings contradict each other, or the brokers refuse them.
        """
        connection = self._connection(self._address_if_up)
        with _sentences(connection), _admin(connection) as admin:
            return self._problems(admin, set(topics) & set(admin.list_topics()))

    def lag(self, group: str, topics: Iterable[str]) -> dict[str, TopicLag]:
        """Where topics stand and how far a group has read them, by topic, without reading a message.

        Topics that do not exist are left out. The embedded services are neither started nor kept up by it.

        Raises:
            KafkaUnavailableError: If the brokers cannot be reached, or the embedded broker does not run.
            KafkaSettingsError: If the settings contradict each other, or the brokers refuse them.
        """
        from kafka import TopicPartition
        from kafka.admin import OffsetSpec

        wanted = set(topics)
        connection = self._connection(self._address_if_up) | {
            "bootstrap_timeout_ms": LOOK_MS,
            "request_timeout_ms": LOOK_MS,
        }
        with _sentences(connection), _admin(connection) as admin:
            partitions = [
                TopicPartition(topic["name"], partition["partition_index"])
                for topic in admin.describe_topics()
                if topic["name"] in wanted
                for partition in topic["partitions"]
            ]
            if not partitions:
                return {}
            starts, ends = (
                admin.list_partition_offsets(dict.fromkeys(partitions, spec), "read_committed")
                for spec in (OffsetSpec.EARLIEST, OffsetSpec.LATEST)
            )
            committed = _when_ready(lambda: admin.list_group_offsets({group: partitions}))[group]
        found: dict[str, TopicLag] = {}
        for topic in sorted({partition.topic for partition in partitions}):
            parts = [partition for partition in partitions if partition.topic == topic]
            read = {part: committed[part].offset for part in parts if part in committed and committed[part].offset >= 0}
            found[topic] = TopicLag.of([(starts[part].offset, ends[part].offset, read.get(part)) for part in parts])
        return found

    def _topic_settings(self) -> dict[str, str]:
        return {
            "cleanup.policy": "delete",
            "retention.ms": str(self._retention_ms()),
            "retention.bytes": "-1",
            "segment.ms": str(SEGMENT_MS),
            "max.message.bytes": str(MESSAGE_BYTES),
            # Else retention counts from what the publisher's clock said.
            "message.timestamp.type": "LogAppendTime",
        }

    def _retention_ms(self) -> int:
        days = self.topic_retention_days.strip() or str(DEFAULT_TOPIC_RETENTION_DAYS)
        if not (days.isascii() and days.isdigit()):
            raise KafkaSettingsError(
                f"KAFKA_TOPIC_RETENTION_DAYS={days} is not a whole number of days; 0 keeps messages for ever."
            )
        return int(days) * DAY_MS or -1

    def _problems(self, admin: KafkaAdminClient, topics: Iterable[str]) -> dict[str, str]:
        from kafka.admin import ConfigResource
        from kafka.errors import IncompatibleBrokerVersion

        names = ["cleanup.policy", "retention.ms", "retention.bytes", "segment.ms", "max.message.bytes"]
        resources = [ConfigResource("TOPIC", topic, dict.fromkeys(names)) for topic in sorted(topics)]
        if not resources:
            return {}
        try:
            described = admin.describe_configs(resources, config_filter="all").get("topic", {})
        except IncompatibleBrokerVersion:
            # The embedded broker: it keeps everything.
            return {}
        retention_ms = self._retention_ms()
        found = {}
        for topic, settings in described.items():
            if problems := _topic_problems({name: one["value"] for name, one in settings.items()}, retention_ms):
                found[topic] = f"Topic {topic} does not keep messages as it should: {'; '.join(problems)}."
        return found

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
            )
        try:
            yield Drain(consumer, cluster, connection)
        finally:
            consumer.close(autocommit=False, timeout_ms=CONNECT_MS)

    def _address_if_up(self) -> str:
        """Where the brokers are, without starting the embedded services or keeping them up."""
        if self.bootstrap_servers:
            return self.bootstrap_servers
        addresses = self.services.addresses_if_up()
        if addresses is None or not addresses.kafka:
            raise KafkaUnavailableError("The embedded broker does not run: nobody uses the embedded services just now.")
        return addresses.kafka

    def _connection(self, address: Callable[[], str] | None = None) -> dict[str, Any]:
        """The options of a client; the settings are looked at before any service is started."""
        from resources.kafka_client import client

        _quieten()
        security = Security(
            self.security_protocol.strip(),
            self.ssl_cafile.strip(),
            self.ssl_certfile.strip(),
            self.ssl_keyfile.strip(),
            self.ssl_password,
            self.sasl_mechanism.strip(),
            self.sasl_username.strip(),
            self.sasl_password,
        )
        options = security.client_options(self.bootstrap_servers)
        servers = address() if address else self.address
        return options | {
            "bootstrap_servers": [server.strip() for server in servers.split(",")],
            "bootstrap_timeout_ms": CONNECT_MS,
            "request_timeout_ms": REQUEST_MS,
            # Half a minute by default: too long to notice that a broker is back.
            "reconnect_backoff_max_ms": 1_000,
            "kafka_client": client,
        }


def _admin(connection: Mapping[str, Any]) -> contextlib.closing[KafkaAdminClient]:
    from kafka import KafkaAdminClient

    return contextlib.closing(KafkaAdminClient(**connection))


def _when_ready(ask: Callable[[], Result]) -> Result:
    """The answer of a broker that may be starting: its groups are not there at once."""
    from kafka.errors import RetriableError

    end = time.monotonic() + LOOK_MS / 1000
    while True:
        try:
            return ask()
        except RetriableError:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)


def _topic_problems(settings: Mapping[str, str], retention_ms: int) -> list[str]:
    """What in a topic's settings may lose messages, or keeps them for longer than they should stay.

    Args:
        settings: The topic's settings as Kafka gives them.
        retention_ms: What is wanted; -1 for ever.
    """
    if not settings:
        return ["its settings cannot be read (does the user have the right DescribeConfigs?)"]
    problems = []
    if "compact" in settings["cleanup.policy"]:
        problems.append(f"cleanup.policy={settings['cleanup.policy']} removes messages by key, set delete")
    kept, wanted = int(settings["retention.ms"]), retention_ms
    if kept != -1 and (wanted == -1 or kept < wanted):
        problems.append(f"retention.ms={kept} is shorter than KAFKA_TOPIC_RETENTION_DAYS, set {wanted}")
    if settings["retention.bytes"] != "-1":
        problems.append(f"retention.bytes={settings['retention.bytes']} removes what was not landed yet, set -1")
    if kept != -1 and int(settings["segment.ms"]) > SEGMENT_MS:
        problems.append(
            f"segment.ms={settings['segment.ms']} keeps messages so much longer than retention.ms, set {SEGMENT_MS}"
        )
    if int(settings["max.message.bytes"]) < LEAST_MESSAGE_BYTES:
        problems.append(
            f"max.message.bytes={settings['max.message.bytes']} refuses batches of up to {MAX_BATCH_BYTES} bytes,"
            f" set {MESSAGE_BYTES}"
        )
    return problems


def _quieten() -> None:
    """Leaves kafka-python's log to who sets its level: a line at every refused reconnect drowns the one sentence."""
    logger = logging.getLogger("kafka")
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.CRITICAL)


def _brokers(connection: Mapping[str, Any]) -> str:
    return ",".join(connection["bootstrap_servers"])


@contextlib.contextmanager
def _sentences(connection: Mapping[str, Any], topic: str = "") -> Iterator[None]:
    """Turns kafka-python's errors into KafkaUnavailableError, and refusals into KafkaSettingsError."""
    from kafka.errors import KafkaError

    from resources.kafka_client import advice, is_refusal

    try:
        yield
    except KafkaError as error:
        sentence = (
            f"Kafka at {_brokers(connection)}{topic and ', topic '}{topic}: {error};"
            f" {advice(error, connection['security_protocol'])}"
        )
        if is_refusal(error):
            raise KafkaSettingsError(sentence) from error
        raise KafkaUnavailableError(sentence) from error


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
        self._committed: dict[TopicPartition, int] = {}

    def messages(self, topic: str) -> Iterator[Message]:
        """The messages that lie between the group's offsets and the ends of the topic at the time of the call.

        Commit each one after it is safe (`commit`): one that was not is given again at the next call. Finish with one
        call's messages before the next call, which takes the reader over. Offsets that hold no message (of
        transactions) are committed with the end, if all before were.

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
            # Up to where the group may be moved: behind what was given, once that is committed.
            given = dict(before)
            self._committed |= before
            while any(before[partition] < ends[partition] for partition in ends):
                for partition, records in self._consumer.poll(timeout_ms=POLL_MS).items():
                    for record in records:
                        if record.offset < ends[partition]:
                            given[partition] = record.offset + 1
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
            for partition, end in ends.items():
                if self._committed[partition] == given[partition] < end:
                    self._commit(partition, end)

    def commit(self, message: Message) -> None:
        """Moves the group past a message.

        Raises:
            KafkaUnavailableError: If Kafka did not take it; the message comes again.
        """
        from kafka import TopicPartition

        self._commit(TopicPartition(message.topic, message.partition), message.offset + 1)

    def _commit(self, partition: TopicPartition, offset: int) -> None:
        from kafka.structs import OffsetAndMetadata

        with _sentences(self._connection, partition.topic):
            self._consumer.commit({partition: OffsetAndMetadata(offset, "", -1)}, timeout_ms=REQUEST_MS)
        self._committed[partition] = offset

    def _position(self, partition: TopicPartition) -> int:
        position = self._consumer.position(partition, timeout_ms=POLL_MS)
        return -1 if position is None else position

    def _message(self, record: Any) -> Message:
        headers = {name: (value or b"").decode(errors="replace") for name, value in record.headers or ()}
        return Message(self._cluster, record.topic, record.partition, record.offset, headers, record.value or b"")
