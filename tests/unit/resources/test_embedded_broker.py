"""The embedded broker, through kafka-python's own clients over its real socket."""

import contextlib
import logging
import re
import resource
import select
import signal
import socket
import sqlite3
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition, errors
from kafka.protocol.admin import CreateTopicsRequest
from kafka.protocol.consumer import FetchRequest, ListOffsetsRequest, OffsetCommitRequest, OffsetFetchRequest
from kafka.protocol.metadata import ApiVersionsRequest, FindCoordinatorRequest, MetadataRequest
from kafka.protocol.producer import InitProducerIdRequest, ProduceRequest
from kafka.record.memory_records import MemoryRecordsBuilder
from kafka.structs import OffsetAndMetadata

from resources.embedded_broker import MAX_BATCH_BYTES, EmbeddedBroker

TOPIC = "essai.tweets.le-pen"
PARTITION = TopicPartition(TOPIC, 0)
ROOT = Path(__file__).parents[3]
QUICK = {"bootstrap_timeout_ms": 20_000, "reconnect_backoff_ms": 10, "reconnect_backoff_max_ms": 50}


@pytest.fixture(autouse=True)
def _quiet_client() -> Iterator[None]:
    logger = logging.getLogger("kafka")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    yield
    logger.setLevel(level)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker(tmp_path / "broker.sqlite") as broker:
        create_topic(broker.address)
        yield broker


class Wire:
    """A connection that sends single requests, as a client could that is not kafka-python."""

    def __init__(self, address: str) -> None:
        host, port = address.split(":")
        self.socket = socket.create_connection((host, int(port)), timeout=60)

    def __enter__(self) -> "Wire":
        return self

    def __exit__(self, *exception: object) -> None:
        self.socket.close()

    def send(self, request: Any, version: int) -> None:
        request.API_VERSION = version
        request.with_header(correlation_id=7)
        self._header = request.header
        self.socket.sendall(request.encode(header=True, framed=True))

    def receive(self) -> Any:
        frame = self._read(struct.unpack(">i", self._read(4))[0])
        return self._header.get_response_class().decode(frame, header=True)

    def ask(self, request: Any, version: int) -> Any:
        self.send(request, version)
        return self.receive()

    def closed_by_broker(self) -> bool:
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True

    def _read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            chunk = self.socket.recv(size - len(data))
            assert chunk, "the broker closed the connection"
            data += chunk
        return data


def create_topic(address: str, name: str = TOPIC, partitions: int = 1) -> None:
    topic = CreateTopicsRequest.CreatableTopic(
        name=name, num_partitions=partitions, replication_factor=1, assignments=[], configs=[]
    )
    with Wire(address) as wire:
        response = wire.ask(CreateTopicsRequest(topics=[topic], timeout_ms=1000, validate_only=False), 4)
    assert response.topics[0].error_code == 0


def batch(*values: bytes, **producer: int) -> bytes:
    builder = MemoryRecordsBuilder(magic=2, compression_type=0, batch_size=1 << 22, **producer)
    for number, value in enumerate(values):
        builder.append(1000 + number, None, value)
    builder.close()
    return bytes(builder.buffer())


def produce(wire: Wire, records: bytes, topic: str = TOPIC, partition: int = 0, acks: int = -1) -> Any:
    topic_class = ProduceRequest.TopicProduceData
    data = topic_class.PartitionProduceData(index=partition, records=records)
    request = ProduceRequest(
        transactional_id=None, acks=acks, timeout_ms=1000, topic_data=[topic_class(name=topic, partition_data=[data])]
    )
    return wire.ask(request, 8).responses[0].partition_responses[0]


def fetch(offset: int = 0, partition_max_bytes: int = 1 << 20, **fields: int) -> FetchRequest:
    topic_class = FetchRequest.FetchTopic
    number = fields.pop("partition", 0)
    partition = topic_class.FetchPartition(
        partition=number, fetch_offset=offset, partition_max_bytes=partition_max_bytes
    )
    fields = {"max_wait_ms": 0, "min_bytes": 1, "max_bytes": 1 << 24, "isolation_level": 0, **fields}
    return FetchRequest(replica_id=-1, topics=[topic_class(topic=TOPIC, partitions=[partition])], **fields)


def new_producer_id(address: str) -> int:
    with Wire(address) as wire:
        response = wire.ask(InitProducerIdRequest(transactional_id=None, transaction_timeout_ms=1000), 1)
    assert response.error_code == 0
    return response.producer_id


@contextlib.contextmanager
def producing(address: str, **config: Any) -> Iterator[KafkaProducer]:
    producer = KafkaProducer(bootstrap_servers=address, **QUICK, **config)
    try:
        yield producer
    finally:
        producer.close()


@contextlib.contextmanager
def consuming(address: str, **config: Any) -> Iterator[KafkaConsumer]:
    consumer = KafkaConsumer(bootstrap_servers=address, enable_auto_commit=False, **QUICK, **config)
    try:
        consumer.assign([PARTITION])
        yield consumer
    finally:
        consumer.close()


def read_all(address: str, start: int = 0, **config: Any) -> list[Any]:
    with consuming(address, **config) as consumer:
        consumer.seek(PARTITION, start)
        end = consumer.end_offsets([PARTITION])[PARTITION]
        messages: list[Any] = []
        while consumer.position(PARTITION) < end:
            messages += consumer.poll(1000).get(PARTITION, [])
        return messages


def launch(path: Path, port: str = "0") -> tuple[subprocess.Popen[str], str]:
    command = [sys.executable, "-m", "resources.embedded_broker", str(path), port]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    address = process.stdout.readline().strip()
    assert address, process.communicate()[1]
    return process, address


@contextlib.contextmanager
def launched(path: Path) -> Iterator[tuple[str, Callable[[], None], Callable[[], subprocess.Popen[str]]]]:
    """Runs a broker process; gives its address, a function that kills and restarts it, and one that names it."""
    process, address = launch(path)

    def kill_and_restart() -> None:
        nonlocal process
        process.kill()
        process.communicate()
        process, again = launch(path, address.split(":")[1])
        assert again == address

    try:
        yield address, kill_and_restart, lambda: process
    finally:
        process.kill()
        process.communicate()


def test_messages_arrive_in_order_with_headers_and_accents(broker: EmbeddedBroker) -> None:
    headers = [("batch_id", b"b-1"), ("candidate", "mélenchon".encode()), ("schema", b"tweet.v1")]
    texts = [f"Éric, où êtes-vous ? « n° {number} » 🇫🇷\r\n" for number in range(50)]
    with producing(broker.address) as producer:
        first = [producer.send(TOPIC, text.encode(), key=b"cl\xc3\xa9", headers=headers) for text in texts[:30]]
        producer.flush()
        rest = [producer.send(TOPIC, text.encode(), key=b"cl\xc3\xa9", headers=headers) for text in texts[30:]]
        assert [future.get(30).offset for future in first + rest] == list(range(50))
    messages = read_all(broker.address)
    assert [message.offset for message in messages] == list(range(50))
    assert [message.value.decode() for message in messages] == texts
    assert all(message.headers == headers and message.key == "clé".encode() for message in messages)


def test_a_large_message_passes_and_a_too_large_one_is_refused(broker: EmbeddedBroker) -> None:
    large = bytes(range(256)) * 3516
    assert len(large) > 900_000
    with producing(broker.address, max_request_size=3_000_000) as producer:
        producer.send(TOPIC, large).get(30)
        with pytest.raises(errors.MessageSizeTooLargeError, match="1048588"):
            producer.send(TOPIC, b"x" * 1_200_000).get(30)
    with producing(broker.address) as producer:
        assert producer.send(TOPIC, b"next").get(30).offset == 1
    assert [message.value for message in read_all(broker.address)] == [large, b"next"]


def test_the_largest_batch_is_the_documented_one(broker: EmbeddedBroker) -> None:
    value = bytes(MAX_BATCH_BYTES - 100)
    value += bytes(MAX_BATCH_BYTES - len(batch(value)))
    assert len(batch(value)) == MAX_BATCH_BYTES
    with Wire(broker.address) as wire:
        assert produce(wire, batch(value)).error_code == 0
        assert produce(wire, batch(value + b"x")).error_code == errors.MessageSizeTooLargeError.errno


def test_committed_offsets_outlive_consumers_and_the_broker(tmp_path: Path) -> None:
    path = tmp_path / "made" / "broker.sqlite"
    with EmbeddedBroker(path) as broker:
        cluster_id = broker.cluster_id
        create_topic(broker.address)
        with producing(broker.address) as producer:
            for number in range(5):
                producer.send(TOPIC, str(number).encode())
        with consuming(broker.address, group_id="landing") as consumer:
            assert consumer.committed(PARTITION) is None
            consumer.commit({PARTITION: OffsetAndMetadata(2, "à suivre", -1)})
        with consuming(broker.address, group_id="landing") as consumer:
            assert consumer.committed(PARTITION) == 2
            consumer.commit({PARTITION: OffsetAndMetadata(3, "à suivre", -1)})
    with EmbeddedBroker(path) as broker:
        assert broker.cluster_id == cluster_id
        with consuming(broker.address, group_id="landing") as consumer:
            assert consumer.committed(PARTITION) == 3
            assert consumer.position(PARTITION) == 3
            assert consumer.beginning_offsets([PARTITION]) == {PARTITION: 0}
            assert consumer.end_offsets([PARTITION]) == {PARTITION: 5}
        with consuming(broker.address, group_id="another") as consumer:
            assert consumer.committed(PARTITION) is None
        with Wire(broker.address) as wire:
            (topic,) = wire.ask(OffsetFetchRequest(group_id="landing", topics=None), 3).topics
        assert topic.name == TOPIC
        assert (topic.partitions[0].committed_offset, topic.partitions[0].metadata) == (3, "à suivre")


def test_a_commit_for_what_does_not_exist_is_refused(broker: EmbeddedBroker) -> None:
    topic_class = OffsetCommitRequest.OffsetCommitRequestTopic

    def commit(topic: str, metadata: str = "", member: str = "") -> int:
        partition = topic_class.OffsetCommitRequestPartition(
            partition_index=0, committed_offset=1, committed_metadata=metadata
        )
        request = OffsetCommitRequest(
            group_id="g",
            generation_id_or_member_epoch=-1,
            member_id=member,
            topics=[topic_class(name=topic, partitions=[partition])],
        )
        with Wire(broker.address) as wire:
            return wire.ask(request, 3).topics[0].partitions[0].error_code

    assert commit(TOPIC) == 0
    assert commit("unknown") == errors.UnknownTopicOrPartitionError.errno
    assert commit(TOPIC, metadata="x" * 5000) == errors.OffsetMetadataTooLargeError.errno
    assert commit(TOPIC, member="someone") == errors.UnknownMemberIdError.errno


def test_what_is_acknowledged_survives_sigkill_once_and_in_order(tmp_path: Path) -> None:
    values = [f"{number:05d}".encode() * 40 for number in range(3000)]
    with launched(tmp_path / "broker.sqlite") as (address, kill_and_restart, _):
        create_topic(address)
        with producing(address, retry_backoff_ms=10) as producer:
            futures = []
            for number, value in enumerate(values):
                futures.append(producer.send(TOPIC, value))
                if number in (1000, 2000):
                    futures[number - 900].get(60)
                    kill_and_restart()
            assert [future.get(60).offset for future in futures] == list(range(3000))
        assert [message.value for message in read_all(address)] == values


def test_a_full_disk_acknowledges_nothing_and_loses_nothing(tmp_path: Path) -> None:
    value = b"x" * 200_000
    with launched(tmp_path / "broker.sqlite") as (address, kill_and_restart, process):
        create_topic(address)
        with Wire(address) as wire:
            stored = produce(wire, batch(value)).base_offset
        pid = process().pid
        _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (300_000, hard))
        with Wire(address) as wire:
            wire.send(produce_request(batch(value)), 8)
            assert wire.closed_by_broker()
        with Wire(address) as wire:
            assert wire.ask(fetch(stored + 1), 6).responses[0].partitions[0].high_watermark == stored + 1
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))
        with Wire(address) as wire:
            assert produce(wire, batch(b"again")).base_offset == stored + 1
        kill_and_restart()
        assert [message.value for message in read_all(address)] == [value, b"again"]


def produce_request(records: bytes) -> ProduceRequest:
    topic_class = ProduceRequest.TopicProduceData
    data = topic_class.PartitionProduceData(index=0, records=records)
    topics = [topic_class(name=TOPIC, partition_data=[data])]
    return ProduceRequest(transactional_id=None, acks=-1, timeout_ms=1000, topic_data=topics)


def test_a_resent_batch_is_stored_once_even_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "broker.sqlite"
    with EmbeddedBroker(path) as broker:
        create_topic(broker.address)
        producer_id = new_producer_id(broker.address)
        batches = [
            batch(b"a", b"b", producer_id=producer_id, producer_epoch=0, base_sequence=sequence)
            for sequence in range(0, 20, 2)
        ]
        with Wire(broker.address) as wire:
            assert [produce(wire, records).base_offset for records in batches] == list(range(0, 20, 2))
            assert [produce(wire, records).base_offset for records in batches] == list(range(0, 20, 2))
    with EmbeddedBroker(path) as broker:
        with Wire(broker.address) as wire:
            again = produce(wire, batches[-1])
            assert (again.error_code, again.base_offset) == (0, 18)
            following = batch(b"c", producer_id=producer_id, producer_epoch=0, base_sequence=20)
            assert produce(wire, following).base_offset == 20
        assert [message.value for message in read_all(broker.address)] == [b"a", b"b"] * 10 + [b"c"]
        assert new_producer_id(broker.address) > producer_id


def test_sequences_that_do_not_follow_are_refused(broker: EmbeddedBroker) -> None:
    producer_id = new_producer_id(broker.address)

    def send(sequence: int, epoch: int = 0, producer: int = producer_id) -> int:
        records = batch(b"a", b"b", producer_id=producer, producer_epoch=epoch, base_sequence=sequence)
        with Wire(broker.address) as wire:
            return produce(wire, records).error_code

    assert send(2) == errors.OutOfOrderSequenceNumberError.errno
    assert send(0) == 0
    assert send(4) == errors.OutOfOrderSequenceNumberError.errno
    assert send(1) == errors.OutOfOrderSequenceNumberError.errno
    assert send(2) == 0
    assert send(1, epoch=1) == errors.OutOfOrderSequenceNumberError.errno
    assert send(0, epoch=1) == 0
    assert send(4, epoch=0) == errors.InvalidProducerEpochError.errno
    assert send(0, producer=producer_id + 1) == errors.UnknownProducerIdError.errno
    assert len(read_all(broker.address)) == 6


def test_corrupt_batches_are_refused(broker: EmbeddedBroker) -> None:
    good = batch("Le débat".encode())
    legacy = MemoryRecordsBuilder(magic=1, compression_type=0, batch_size=1000)
    legacy.append(1000, None, b"a long enough value to be as long as a batch of today")
    legacy.close()
    corrupt = errors.CorruptRecordError.errno
    with Wire(broker.address) as wire:
        assert produce(wire, good[:-1] + bytes([good[-1] ^ 1])).error_code == corrupt
        assert produce(wire, b"").error_code == corrupt
        assert produce(wire, good[:40]).error_code == corrupt
        assert produce(wire, good[:-1]).error_code == errors.InvalidRecordError.errno
        assert produce(wire, good + good).error_code == errors.InvalidRecordError.errno
        assert produce(wire, bytes(legacy.buffer())).error_code == errors.UnsupportedForMessageFormatError.errno
        assert produce(wire, good, acks=5).error_code == errors.InvalidRequiredAcksError.errno
        assert produce(wire, good).base_offset == 0


def test_compressed_messages_pass(broker: EmbeddedBroker) -> None:
    values = ["déjà vu ".encode() * 500, b"", b"fin"]
    with producing(broker.address, compression_type="gzip", linger_ms=20) as producer:
        for value in values:
            producer.send(TOPIC, value)
    assert [message.value for message in read_all(broker.address)] == values


def test_unknown_topics_are_made_only_for_clients_that_allow_it(broker: EmbeddedBroker) -> None:
    unknown = errors.UnknownTopicOrPartitionError.errno

    def metadata(name: str, allow: bool) -> Any:
        topics = [MetadataRequest.MetadataRequestTopic(name=name)]
        with Wire(broker.address) as wire:
            return wire.ask(MetadataRequest(topics=topics, allow_auto_topic_creation=allow), 5).topics[0]

    with Wire(broker.address) as wire:
        assert produce(wire, batch(b"x"), topic="neuf").error_code == unknown
        assert produce(wire, batch(b"x"), partition=1).error_code == unknown
        assert wire.ask(fetch(partition=1), 6).responses[0].partitions[0].error_code == unknown
        assert list_offset(wire, -1, topic="neuf").error_code == unknown
    assert metadata("neuf", allow=False).error_code == unknown
    assert metadata("bad name", allow=True).error_code == errors.InvalidTopicError.errno
    made = metadata("neuf", allow=True)
    assert (made.error_code, len(made.partitions)) == (0, 1)
    with Wire(broker.address) as wire:
        assert produce(wire, batch(b"x"), topic="neuf").base_offset == 0
    with producing(broker.address) as producer:
        assert producer.send("tout.neuf", b"x").get(30).offset == 0


def test_the_admin_client_creates_and_lists_topics(broker: EmbeddedBroker) -> None:
    admin = KafkaAdminClient(bootstrap_servers=broker.address, **QUICK)
    try:
        admin.create_topics({"b.tweets": {"num_partitions": 3, "replication_factor": 1}})
        admin.create_topics(["c.tweets"])
        assert sorted(admin.list_topics()) == ["b.tweets", "c.tweets", TOPIC]
        assert [len(topic["partitions"]) for topic in admin.describe_topics(["b.tweets"])] == [3]
        assert admin.describe_cluster()["cluster_id"] == broker.cluster_id
        assert re.fullmatch(r"[A-Za-z0-9_-]{22}", broker.cluster_id)
        for name, options, refusal in (
            ("b.tweets", {}, errors.TopicAlreadyExistsError),
            ("é", {}, errors.InvalidTopicError),
            ("d", {"num_partitions": 0}, errors.InvalidPartitionsError),
            ("d", {"replication_factor": 3}, errors.InvalidReplicationFactorError),
            ("d", {"assignments": {0: [0]}}, errors.InvalidReplicationAssignmentError),
        ):
            with pytest.raises(refusal):
                admin.create_topics({name: options})
        admin.create_topics(["d"], validate_only=True)
        assert "d" not in admin.list_topics()
    finally:
        admin.close()


def test_partitions_have_their_own_offsets(broker: EmbeddedBroker) -> None:
    create_topic(broker.address, "two", partitions=2)
    with producing(broker.address) as producer:
        offsets = [producer.send("two", b"x", partition=number).get(30).offset for number in (0, 1, 1, 0, 1)]
    assert offsets == [0, 0, 1, 1, 2]


def test_a_read_committed_consumer_reads_everything(broker: EmbeddedBroker) -> None:
    with producing(broker.address) as producer:
        for number in range(3):
            producer.send(TOPIC, str(number).encode())
    messages = read_all(broker.address, isolation_level="read_committed")
    assert [message.value for message in messages] == [b"0", b"1", b"2"]


def test_transactions_are_refused(broker: EmbeddedBroker) -> None:
    refused = errors.TransactionalIdAuthorizationFailedError.errno
    with Wire(broker.address) as wire:
        coordinator = wire.ask(FindCoordinatorRequest(key="t", key_type=1), 2)
        assert (coordinator.error_code, "no transactions" in coordinator.error_message) == (refused, True)
        request = InitProducerIdRequest(transactional_id="t", transaction_timeout_ms=1000)
        assert wire.ask(request, 1).error_code == refused
        producer_id = new_producer_id(broker.address)
        records = batch(b"x", producer_id=producer_id, producer_epoch=0, base_sequence=0, transactional=True)
        assert produce(wire, records).error_code == errors.InvalidTxnStateError.errno
    with producing(broker.address, transactional_id="t") as producer, pytest.raises(errors.KafkaError):
        producer.init_transactions()


def test_two_producers_at_once(broker: EmbeddedBroker) -> None:
    def send(name: bytes) -> None:
        with producing(broker.address) as producer:
            for number in range(500):
                producer.send(TOPIC, b"%s %d" % (name, number))

    threads = [threading.Thread(target=send, args=(name,)) for name in (b"nifi", b"direct")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    values = [message.value for message in read_all(broker.address)]
    assert len(values) == 1000
    for name in (b"nifi", b"direct"):
        assert [v for v in values if v.startswith(name)] == [b"%s %d" % (name, number) for number in range(500)]


def test_a_long_poll_ends_when_a_message_arrives(broker: EmbeddedBroker) -> None:
    with Wire(broker.address) as waiting, Wire(broker.address) as wire:
        waiting.send(fetch(max_wait_ms=50_000), 6)
        for _ in range(3):
            wire.ask(ApiVersionsRequest(), 0)
        assert select.select([waiting.socket], [], [], 0)[0] == []
        produce(wire, batch(b"enfin"))
        partition = waiting.receive().responses[0].partitions[0]
        assert (partition.error_code, partition.high_watermark) == (0, 1)
        assert bytes(partition.records)[8:] == batch(b"enfin")[8:]
        assert wire.ask(fetch(1, max_wait_ms=1), 6).responses[0].partitions[0].records == b""


def test_fetch_honours_sizes_and_offsets(broker: EmbeddedBroker) -> None:
    records = [batch(bytes([65 + number]) * 1000) for number in range(6)]
    size = len(records[0])
    with Wire(broker.address) as wire:
        for one in records:
            produce(wire, one)

        def fetched(offset: int, limit: int, total: int = 1 << 20) -> tuple[int, int]:
            partition = wire.ask(fetch(offset, limit, max_bytes=total), 6).responses[0].partitions[0]
            return partition.error_code, len(partition.records)

        assert fetched(0, 1 << 20) == (0, 6 * size)
        assert fetched(4, 1 << 20) == (0, 2 * size)
        assert fetched(0, 3 * size) == (0, 3 * size)
        assert fetched(0, 3 * size - 1) == (0, 2 * size)
        assert fetched(0, 1 << 20, total=2 * size) == (0, 2 * size)
        assert fetched(0, 1) == (0, size)
        assert fetched(6, 1 << 20) == (0, 0)
        assert fetched(7, 1 << 20) == (errors.OffsetOutOfRangeError.errno, 0)
        assert fetched(-1, 1 << 20) == (errors.OffsetOutOfRangeError.errno, 0)


def list_offset(wire: Wire, timestamp: int, topic: str = TOPIC) -> Any:
    topic_class = ListOffsetsRequest.ListOffsetsTopic
    partition = topic_class.ListOffsetsPartition(partition_index=0, timestamp=timestamp)
    request = ListOffsetsRequest(isolation_level=0, topics=[topic_class(name=topic, partitions=[partition])])
    return wire.ask(request, 3).topics[0].partitions[0]


def test_offsets_are_found_by_time_and_inside_a_batch(broker: EmbeddedBroker) -> None:
    with Wire(broker.address) as wire:
        produce(wire, batch(b"a", b"b", b"c"))
        assert [list_offset(wire, when).offset for when in (-2, -1, 0, 1000, 1001, 1002, 1003)] == [
            0,
            3,
            0,
            0,
            1,
            2,
            -1,
        ]
        assert list_offset(wire, -9).error_code == errors.InvalidRequestError.errno
    with consuming(broker.address) as consumer:
        consumer.seek(PARTITION, 1)
        messages = consumer.poll(30_000)[PARTITION]
    assert [(message.offset, message.value) for message in messages] == [(1, b"b"), (2, b"c")]


def test_what_is_not_kafka_closes_its_connection_alone(
    broker: EmbeddedBroker, caplog: pytest.LogCaptureFixture
) -> None:
    frames = {
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n": "bytes",
        struct.pack(">ihhih", 10, 99, 0, 1, -1): "API 99 version 0",
        struct.pack(">ihhih", 10, 1, 17, 1, -1): "API 1 version 17",
        struct.pack(">ihhihi", 14, 3, 5, 1, -1, 1000): "malformed MetadataRequest",
        struct.pack(">i", -5): "bytes",
    }
    with Wire(broker.address) as bystander:
        for frame, reason in frames.items():
            caplog.clear()
            with Wire(broker.address) as wire:
                wire.socket.sendall(frame)
                assert wire.closed_by_broker()
            warnings = [record for record in caplog.records if record.name == "resources.embedded_broker"]
            assert [record.levelname for record in warnings] == ["WARNING"]
            assert reason in warnings[0].getMessage()
        assert produce(bystander, batch(b"x")).base_offset == 0


@given(frame=st.binary(min_size=8, max_size=200), key=st.sampled_from([0, 1, 2, 3, 8, 9, 10, 18, 19, 22]))
@settings(max_examples=60, deadline=None)
def test_no_request_kills_the_broker(shared: EmbeddedBroker, frame: bytes, key: int) -> None:
    request = struct.pack(">hhih", key, {0: 8, 1: 6, 3: 5, 19: 4, 22: 1}.get(key, 2), 1, -1) + frame
    with Wire(shared.address) as wire:
        wire.socket.sendall(struct.pack(">i", len(request)) + request)
        wire.socket.shutdown(socket.SHUT_WR)
        while select.select([wire.socket], [], [], 60)[0]:
            with contextlib.suppress(ConnectionResetError):
                if wire.socket.recv(1 << 16):
                    continue
            break
    with Wire(shared.address) as wire:
        assert wire.ask(ApiVersionsRequest(), 0).error_code == 0


def test_a_newer_client_is_told_the_versions(broker: EmbeddedBroker) -> None:
    with Wire(broker.address) as wire:
        wire.socket.sendall(struct.pack(">ihhih", 10, 18, 9, 1, -1))
        wire._header = ApiVersionsRequest(version=0).header_class(
            request_api_key=18, request_api_version=0, correlation_id=1, client_id=None
        )
        response = wire.receive()
    assert response.error_code == errors.UnsupportedVersionError.errno
    assert {key.api_key for key in response.api_keys} == {0, 1, 2, 3, 8, 9, 10, 18, 19, 22}


def test_it_listens_on_loopback_alone(broker: EmbeddedBroker) -> None:
    host, port = broker.address.split(":")
    assert host == "127.0.0.1"
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", int(port)), timeout=5)


def test_a_file_has_one_broker(broker: EmbeddedBroker, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"broker\.sqlite: another embedded broker has it open"):
        EmbeddedBroker(tmp_path / "broker.sqlite").start()
    with pytest.raises(RuntimeError, match="runs already"):
        broker.start()
    port = int(broker.address.split(":")[1])
    with pytest.raises(RuntimeError, match=f"cannot listen on 127.0.0.1:{port}"):
        EmbeddedBroker(tmp_path / "other.sqlite", port).start()
    with Wire(broker.address) as wire:
        assert produce(wire, batch(b"x")).base_offset == 0


def test_a_file_that_is_not_its_own_is_left_alone(tmp_path: Path) -> None:
    text, foreign = tmp_path / "notes.txt", tmp_path / "foreign.sqlite"
    text.write_text("Ceci n'est pas une base de données, mais un texte assez long." * 20)
    with contextlib.closing(sqlite3.connect(foreign)) as database:
        database.execute("CREATE TABLE kept (x)")
    for path in (text, foreign):
        before = path.read_bytes()
        with pytest.raises(RuntimeError, match=path.name):
            EmbeddedBroker(path).start()
        assert path.read_bytes() == before


def test_stop_and_start_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    broker = EmbeddedBroker(tmp_path / "broker.sqlite")
    with pytest.raises(RuntimeError, match="not running"):
        _ = broker.address
    broker.stop()
    with caplog.at_level(logging.INFO, "resources.embedded_broker"):
        broker.start()
    assert "KAFKA_BOOTSTRAP_SERVERS" in caplog.text
    caplog.clear()
    create_topic(broker.address)
    with Wire(broker.address) as waiting:
        waiting.send(fetch(max_wait_ms=50_000), 6)
        broker.stop()
        assert waiting.closed_by_broker()
    with broker, Wire(broker.address) as wire:
        assert produce(wire, batch(b"x")).base_offset == 0
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_the_command_prints_its_address_and_ends_cleanly(tmp_path: Path, ending: signal.Signals) -> None:
    process, address = launch(tmp_path / "broker.sqlite")
    with Wire(address) as wire:
        assert wire.ask(ApiVersionsRequest(), 0).error_code == 0
    process.send_signal(ending)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, "")
    assert len(err.splitlines()) == 1
    assert "KAFKA_BOOTSTRAP_SERVERS" in err
    assert not (tmp_path / "broker.sqlite-wal").exists()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker(tmp_path_factory.mktemp("shared") / "broker.sqlite") as broker:
        create_topic(broker.address)
        yield broker


@pytest.fixture(scope="module")
def shared_producer(shared: EmbeddedBroker) -> Iterator[KafkaProducer]:
    with producing(shared.address) as producer:
        yield producer


MESSAGE = st.fixed_dictionaries(
    {
        "key": st.none() | st.binary(max_size=40),
        "value": st.none() | st.binary(max_size=3000),
        "headers": st.lists(st.tuples(st.text(max_size=10), st.binary(max_size=30)), max_size=4),
    }
).filter(lambda message: message["key"] is not None or message["value"] is not None)


@given(messages=st.lists(MESSAGE, min_size=1, max_size=8))
@settings(max_examples=25, deadline=None)
def test_what_goes_in_comes_out(shared: EmbeddedBroker, shared_producer: KafkaProducer, messages: list[Any]) -> None:
    sent = [shared_producer.send(TOPIC, **message) for message in messages]
    shared_producer.flush()
    received = read_all(shared.address, sent[0].get(30).offset)
    assert [(m.key, m.value, list(m.headers)) for m in received] == [
        (message["key"], message["value"], message["headers"]) for message in messages
    ]
