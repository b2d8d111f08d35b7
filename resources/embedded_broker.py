"""The embedded broker: a single-node Kafka broker on loopback over one SQLite file, for trying things out.

It speaks the part of Kafka's protocol that this project's client needs (https://kafka.apache.org/protocol), encoded
and decoded by kafka-python's own message classes. It has no replication, transactions, consumer group membership,
retention, compaction, encryption or authentication. What it acknowledges is on disk.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import logging
import re
import secrets
import signal
import sqlite3
import struct
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from kafka import errors
from kafka.protocol.admin import CreateTopicsRequest, CreateTopicsResponse
from kafka.protocol.consumer import (
    FetchRequest,
    FetchResponse,
    ListOffsetsRequest,
    ListOffsetsResponse,
    OffsetCommitRequest,
    OffsetCommitResponse,
    OffsetFetchRequest,
    OffsetFetchResponse,
    OffsetSpec,
)
from kafka.protocol.metadata import (
    ApiVersionsRequest,
    ApiVersionsResponse,
    CoordinatorType,
    FindCoordinatorRequest,
    FindCoordinatorResponse,
    MetadataRequest,
    MetadataResponse,
)
from kafka.protocol.producer import (
    InitProducerIdRequest,
    InitProducerIdResponse,
    ProduceRequest,
    ProduceResponse,
)
from kafka.record.default_records import DefaultRecordBatch

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
NODE_ID = 0
MAX_BATCH_BYTES = 1048588
"""Kafka's default `message.max.bytes`: 1 MiB and the 12 bytes in front of a batch."""
MAX_REQUEST_BYTES = 16 << 20
MAX_FETCH_BYTES = 16 << 20
MAX_PARTITIONS = 1000
MAX_METADATA_CHARS = 4096
PIPELINED_REQUESTS = 16
SEQUENCES = 1 << 31
"""A producer's sequence numbers count modulo this."""

_APPLICATION_ID = 0x4B61666B
_FILE_VERSION = 1
_SCHEMA = f"""
BEGIN;
CREATE TABLE broker (cluster_id TEXT NOT NULL, first_producer_id INTEGER NOT NULL, next_producer_id INTEGER NOT NULL);
CREATE TABLE partitions (
    id INTEGER PRIMARY KEY, topic TEXT NOT NULL, number INTEGER NOT NULL, UNIQUE (topic, number));
CREATE TABLE batches (
    partition_id INTEGER NOT NULL, base_offset INTEGER NOT NULL, last_offset INTEGER NOT NULL,
    max_timestamp INTEGER NOT NULL, producer_id INTEGER NOT NULL, producer_epoch INTEGER NOT NULL,
    base_sequence INTEGER NOT NULL, last_sequence INTEGER NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (partition_id, base_offset));
CREATE INDEX batches_by_producer ON batches (partition_id, producer_id, base_offset);
CREATE TABLE committed_offsets (
    consumer_group TEXT NOT NULL, topic TEXT NOT NULL, partition INTEGER NOT NULL, committed_offset INTEGER NOT NULL,
    metadata TEXT NOT NULL, PRIMARY KEY (consumer_group, topic, partition)) WITHOUT ROWID;
PRAGMA application_id = {_APPLICATION_ID};
PRAGMA user_version = {_FILE_VERSION};
COMMIT;
"""


@dataclass
class _Partition:
    """A partition: `log_end` is the next offset to give out, `high_watermark` the first that is not yet on disk."""

    id: int
    log_end: int
    high_watermark: int


class _Store:
    """The broker's SQLite file: topics, record batches as received, committed offsets, producer ids.

    Writes open a transaction that `commit` or `rollback` ends. Errors that a client is to be told are raised as
    kafka-python's `BrokerResponseError`, errors of the file as `sqlite3.Error`.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._db = sqlite3.connect(path, timeout=1, isolation_level=None)
        self.topics: dict[str, list[_Partition]] = {}
        try:
            self._open()
        except sqlite3.Error as error:
            self._db.close()
            if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                reason = "another embedded broker has it open: use that one, or stop it"
            else:
                reason = f"{error}; move it away, or give another path"
            raise RuntimeError(f"The embedded broker cannot open {path}: {reason}.") from error
        except RuntimeError:
            self._db.close()
            raise

    def _open(self) -> None:
        # The lock lives as long as the connection, so two brokers can never give out the same offset.
        self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
        tables = self._value("SELECT count(*) FROM sqlite_master")
        version = (self._value("PRAGMA application_id"), self._value("PRAGMA user_version"))
        if tables and version != (_APPLICATION_ID, _FILE_VERSION):
            raise RuntimeError(
                f"{self._path} was not written by this version of the embedded broker: "
                "move it away, or give another path."
            )
        self._db.execute("PRAGMA journal_mode = WAL")
        # FULL, since an offset lost with the power would be given out again, and offsets name the landed files.
        self._db.execute("PRAGMA synchronous = FULL")
        if not tables:
            self._db.executescript(_SCHEMA)
        self._db.execute("BEGIN EXCLUSIVE")
        if not self._value("SELECT count(*) FROM broker"):
            cluster_id = base64.urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=")
            # A random start, so that the id of a producer that outlived another file is not taken for one of ours.
            first = secrets.randbits(47)
            self._db.execute("INSERT INTO broker VALUES (?, ?, ?)", (cluster_id, first, first))
        self._db.execute("COMMIT")
        self.cluster_id: str = self._value("SELECT cluster_id FROM broker")
        self._load()

    def _load(self) -> None:
        self.topics = {}
        for partition_id, topic in self._db.execute(
            "SELECT id, topic FROM partitions ORDER BY topic, number"
        ).fetchall():
            end = self._value(
                "SELECT last_offset + 1 FROM batches WHERE partition_id = ? ORDER BY base_offset DESC LIMIT 1",
                partition_id,
            )
            self.topics.setdefault(topic, []).append(_Partition(partition_id, end or 0, end or 0))

    def _value(self, sql: str, *parameters: Any) -> Any:
        row = self._db.execute(sql, parameters).fetchone()
        return row and row[0]

    @property
    def pending(self) -> bool:
        """Whether something is written and not committed."""
        return self._db.in_transaction

    def _begin(self) -> None:
        if not self._db.in_transaction:
            self._db.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        """Puts what is pending on disk."""
        self._db.execute("COMMIT")
        for partitions in self.topics.values():
            for partition in partitions:
                partition.high_watermark = partition.log_end

    def rollback(self) -> None:
        """Forgets what is pending."""
        # A full disk makes SQLite end the transaction by itself.
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")
        self._load()

    def close(self) -> None:
        """Closes the file."""
        self._db.close()

    def partition(self, topic: str, number: int) -> _Partition:
        """Finds a partition; raises UnknownTopicOrPartitionError."""
        partitions = self.topics.get(topic, [])
        if not 0 <= number < len(partitions):
            raise errors.UnknownTopicOrPartitionError(f"There is no partition {number} of topic {topic}.")
        return partitions[number]

    def create_topic(self, topic: str, partitions: int, validate_only: bool = False) -> None:
        """Creates a topic with `partitions` empty partitions."""
        if not re.fullmatch(r"[A-Za-z0-9._-]{1,249}", topic) or topic in (".", ".."):
            raise errors.InvalidTopicError(f"{topic!r} is no topic name: use 1 to 249 of A-Z a-z 0-9 . _ -")
        if topic in self.topics:
            raise errors.TopicAlreadyExistsError(f"Topic {topic} exists.")
        if not 1 <= partitions <= MAX_PARTITIONS:
            raise errors.InvalidPartitionsError(f"A topic has 1 to {MAX_PARTITIONS} partitions, not {partitions}.")
        if validate_only:
            return
        self._begin()
        created = []
        for number in range(partitions):
            cursor = self._db.execute("INSERT INTO partitions (topic, number) VALUES (?, ?)", (topic, number))
            created.append(_Partition(cursor.lastrowid or 0, 0, 0))
        self.topics[topic] = created

    def new_producer_id(self) -> int:
        """Gives out a producer id that was never given out before."""
        self._begin()
        return self._value("UPDATE broker SET next_producer_id = next_producer_id + 1 RETURNING next_producer_id - 1")

    def append(self, topic: str, number: int, records: bytes) -> int:
        """Appends one record batch to a partition.

        Args:
            topic: The topic.
            number: The partition's number.
            records: One record batch of magic 2, as Kafka's protocol has it. The records in it are not opened.

        Returns:
            The offset of the first record. For a batch that its producer sent before, the offset it got then.
        """
        partition = self.partition(topic, number)
        batch = _checked_batch(records)
        if batch.has_producer_id():
            stored = self._stored_offset(partition, batch)
            if stored is not None:
                return stored
        self._begin()
        base, last = partition.log_end, partition.log_end + batch.last_offset_delta
        self._db.execute(
            "INSERT INTO batches VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(partition.id, base, last, batch.max_timestamp),
                *(batch.producer_id, batch.producer_epoch, batch.base_sequence, batch.last_sequence),
                struct.pack(">q", base) + records[8:],
            ),
        )
        partition.log_end = last + 1
        return base

    def _stored_offset(self, partition: _Partition, batch: DefaultRecordBatch) -> int | None:
        """Tells the offset of a batch that is stored already, or None for the next one of its producer."""
        issued = self._value(
            "SELECT 1 FROM broker WHERE ? >= first_producer_id AND ? < next_producer_id", *[batch.producer_id] * 2
        )
        if not issued:
            raise errors.UnknownProducerIdError(f"Producer id {batch.producer_id} was not given out by this broker.")
        if batch.producer_epoch < 0 or batch.base_sequence < 0:
            raise errors.InvalidRecordError("A batch with a producer id needs an epoch and a sequence.")
        previous = self._db.execute(
            "SELECT producer_epoch, last_sequence FROM batches WHERE partition_id = ? AND producer_id = ? "
            "ORDER BY base_offset DESC LIMIT 1",
            (partition.id, batch.producer_id),
        ).fetchone()
        epoch, sequence = previous or (batch.producer_epoch, -1)
        if batch.producer_epoch < epoch:
            raise errors.InvalidProducerEpochError(f"Epoch {batch.producer_epoch} is over: the current one is {epoch}.")
        expected = 0 if batch.producer_epoch > epoch else (sequence + 1) % SEQUENCES
        if batch.base_sequence == expected:
            return None
        stored = self._value(
            "SELECT base_offset FROM batches WHERE partition_id = ? AND producer_id = ? AND producer_epoch = ? "
            "AND base_sequence = ? AND last_sequence = ? ORDER BY base_offset DESC LIMIT 1",
            *(partition.id, batch.producer_id, batch.producer_epoch, batch.base_sequence, batch.last_sequence),
        )
        if stored is None:
            raise errors.OutOfOrderSequenceNumberError(
                f"Producer {batch.producer_id} sent sequence {batch.base_sequence} where {expected} is next."
            )
        return stored

    def read(self, partition: _Partition, offset: int, max_bytes: int, at_least_one: bool) -> bytes:
        """Reads whole record batches from the one that holds `offset`, up to `max_bytes` bytes."""
        if not 0 <= offset <= partition.high_watermark:
            raise errors.OffsetOutOfRangeError(f"Offset {offset} is not within 0 and {partition.high_watermark}.")
        if offset == partition.high_watermark:
            return b""
        bodies: list[bytes] = []
        size = 0
        cursor = self._db.execute(
            "SELECT body FROM batches WHERE partition_id = ?1 AND base_offset < ?3 AND base_offset >= "
            "(SELECT max(base_offset) FROM batches WHERE partition_id = ?1 AND base_offset <= ?2) ORDER BY base_offset",
            (partition.id, offset, partition.high_watermark),
        )
        with contextlib.closing(cursor):
            for (body,) in cursor:
                size += len(body)
                if size > max_bytes and (bodies or not at_least_one):
                    break
                bodies.append(body)
        return b"".join(bodies)

    def offset_at(self, partition: _Partition, timestamp: int) -> tuple[int, int]:
        """Finds (offset, timestamp) of the first record at or after a timestamp in ms, (-1, -1) if there is none.

        Raises UnsupportedCompressionTypeError where the batch is compressed by a codec that is not installed.
        """
        body = self._value(
            "SELECT body FROM batches WHERE partition_id = ? AND max_timestamp >= ? AND base_offset < ? "
            "ORDER BY base_offset LIMIT 1",
            *(partition.id, timestamp, partition.high_watermark),
        )
        if body is None:
            return -1, -1
        batch = DefaultRecordBatch(body)
        last = batch.last_offset, batch.max_timestamp
        try:
            return next(((r.offset, r.timestamp) for r in batch if r.timestamp >= timestamp), last)
        except errors.UnsupportedCodecError as error:
            raise errors.UnsupportedCompressionTypeError(str(error)) from error

    def commit_offset(self, group: str, topic: str, number: int, offset: int, metadata: str | None) -> None:
        """Keeps the committed offset of a consumer group."""
        self.partition(topic, number)
        if len(metadata or "") > MAX_METADATA_CHARS:
            raise errors.OffsetMetadataTooLargeError(f"Metadata holds at most {MAX_METADATA_CHARS} characters.")
        self._begin()
        self._db.execute(
            "INSERT OR REPLACE INTO committed_offsets VALUES (?, ?, ?, ?, ?)",
            (group, topic, number, offset, metadata or ""),
        )

    def committed_offset(self, group: str, topic: str, number: int) -> tuple[int, str]:
        """Tells (offset, metadata) that a consumer group committed, (-1, '') for none."""
        row = self._db.execute(
            "SELECT committed_offset, metadata FROM committed_offsets "
            "WHERE consumer_group = ? AND topic = ? AND partition = ?",
            (group, topic, number),
        ).fetchone()
        return row or (-1, "")

    def committed_partitions(self, group: str) -> dict[str, list[int]]:
        """Lists the partitions that a consumer group committed offsets of, by topic."""
        found: dict[str, list[int]] = {}
        sql = "SELECT topic, partition FROM committed_offsets WHERE consumer_group = ?"
        for topic, number in self._db.execute(sql, (group,)):
            found.setdefault(topic, []).append(number)
        return found


def _checked_batch(records: bytes) -> DefaultRecordBatch:
    """Decodes the header of what must be one whole record batch of magic 2, and checks size, CRC and kind."""
    header_bytes = DefaultRecordBatch.HEADER_STRUCT.size
    if len(records) < header_bytes:
        raise errors.CorruptRecordError(f"A record batch has at least {header_bytes} bytes.")
    if len(records) > MAX_BATCH_BYTES:
        raise errors.MessageSizeTooLargeError(f"A batch of {len(records)} bytes is over the {MAX_BATCH_BYTES} allowed.")
    batch = DefaultRecordBatch(records)
    if batch.magic != 2:
        raise errors.UnsupportedForMessageFormatError(f"Record batches have magic 2, not {batch.magic}.")
    if batch.size_in_bytes != len(records):
        raise errors.InvalidRecordError("A partition takes exactly one record batch in a request.")
    if not batch.validate_crc():
        raise errors.CorruptRecordError("The batch does not match its CRC.")
    if batch.records_count < 1 or batch.last_offset_delta != batch.records_count - 1:
        raise errors.InvalidRecordError("The batch's number of records does not match its offsets.")
    if batch.is_transactional or batch.is_control_batch:
        raise errors.InvalidTxnStateError("The embedded broker has no transactions.")
    return batch


class _Refusal(Exception):
    """A connection has to be closed; the message says why."""


class _Api(NamedTuple):
    """One request kind: its class, the versions that are spoken, and what answers it."""

    request: Any
    min_version: int
    max_version: int
    answer: Callable[[Any], Any]


class _Answer(NamedTuple):
    """What goes back for a request, in the order of the requests, once `flush` says that it is on disk.

    A fetch stands here as its request: it is answered when its turn comes, and may wait for messages.
    """

    correlation_id: int
    version: int
    message: Any
    flush: asyncio.Future[bool] | None


class EmbeddedBroker:
    """A Kafka broker on 127.0.0.1 that runs in a daemon thread of this process.

    Args:
        path: The SQLite file that holds everything; made if it does not exist. One broker at a time opens it.
        port: The port to bind; 0 takes any free one at each start.
    """

    def __init__(self, path: Path, port: int = 0) -> None:
        self._path = Path(path)
        self._wanted_port = port
        self._port: int | None = None
        self._thread: threading.Thread | None = None
        self._apis = {
            api.request.API_KEY: api
            for api in (
                _Api(ProduceRequest, 3, 8, self._produce),
                _Api(FetchRequest, 4, 6, lambda request: request),
                _Api(ListOffsetsRequest, 1, 3, self._list_offsets),
                _Api(MetadataRequest, 4, 5, self._metadata),
                _Api(OffsetCommitRequest, 2, 3, self._offset_commit),
                _Api(OffsetFetchRequest, 1, 3, self._offset_fetch),
                _Api(FindCoordinatorRequest, 0, 2, self._find_coordinator),
                _Api(ApiVersionsRequest, 0, 4, self._api_versions),
                _Api(CreateTopicsRequest, 2, 4, self._create_topics),
                _Api(InitProducerIdRequest, 0, 1, self._init_producer_id),
            )
        }

    @property
    def address(self) -> str:
        """Where the broker listens, as 'host:port'."""
        return f"{HOST}:{self._started_port()}"

    @property
    def cluster_id(self) -> str:
        """The cluster's id: 22 characters of base64url, made once for a file."""
        self._started_port()
        return self._cluster_id

    def _started_port(self) -> int:
        if self._port is None:
            raise RuntimeError("The embedded broker is not running: call start() first.")
        return self._port

    def start(self) -> None:
        """Opens the file, binds the port and serves until `stop`.

        Raises:
            RuntimeError: It runs already, the port is taken, or the file cannot be opened or belongs to another broker.
        """
        if self._thread is not None:
            raise RuntimeError(f"The embedded broker runs already, on {self.address}.")
        ready: Future[int] = Future()
        thread = threading.Thread(target=lambda: asyncio.run(self._run(ready)), name="embedded-broker", daemon=True)
        thread.start()
        self._port = ready.result()
        self._thread = thread
        log.info(
            "Embedded broker on %s over %s, for trying things out; KAFKA_BOOTSTRAP_SERVERS names a real one.",
            *(self.address, self._path),
        )

    def stop(self) -> None:
        """Closes all connections and the file; does nothing if it is not running."""
        if self._thread is None:
            return
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()
        self._thread = self._port = None

    def __enter__(self) -> EmbeddedBroker:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    async def _run(self, ready: Future[int]) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        self._appended = asyncio.Event()
        self._flush: asyncio.Future[bool] | None = None
        self._connections: set[asyncio.Task[None]] = set()

        def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            connection = self._loop.create_task(self._serve(reader, writer))
            self._connections.add(connection)
            # Not in the task itself, which never begins if the broker stops just now.
            connection.add_done_callback(lambda task: disconnect(task, writer))

        def disconnect(connection: asyncio.Task[None], writer: asyncio.StreamWriter) -> None:
            self._connections.discard(connection)
            if self._stopping.is_set():
                writer.transport.abort()
            else:
                writer.close()

        try:
            self._store = _Store(self._path)
            self._cluster_id = self._store.cluster_id
        except Exception as error:
            ready.set_exception(error)
            return
        with contextlib.closing(self._store):
            try:
                server = await asyncio.start_server(connected, HOST, self._wanted_port, limit=MAX_BATCH_BYTES)
            except (OSError, OverflowError) as error:
                reason = f"The embedded broker cannot listen on {HOST}:{self._wanted_port}: {error}."
                ready.set_exception(RuntimeError(reason))
                return
            ready.set_result(server.sockets[0].getsockname()[1])
            await self._stopping.wait()
            # Accept no more, let what is just being accepted get here, then close: asyncio would leave it open.
            self._loop.remove_reader(server.sockets[0].fileno())
            for _ in range(3):
                await asyncio.sleep(0)
            server.close()
            for connection in self._connections:
                connection.cancel()
            await asyncio.gather(*self._connections, return_exceptions=True)
            self._commit()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = "{}:{}".format(*writer.get_extra_info("peername")[:2])
        answers: asyncio.Queue[_Answer] = asyncio.Queue(PIPELINED_REQUESTS)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._receive(reader, answers))
                tasks.create_task(self._send(writer, answers))
        except* (OSError, EOFError):
            log.debug("Client %s went away.", peer)
        except* _Refusal as refusals:
            log.warning("Closed the connection of %s: %s", peer, refusals.exceptions[0])
        except* Exception:
            log.exception("Closed the connection of %s after an error of the embedded broker.", peer)

    async def _receive(self, reader: asyncio.StreamReader, answers: asyncio.Queue[_Answer]) -> None:
        while True:
            (size,) = struct.unpack(">i", await reader.readexactly(4))
            if not 8 <= size <= MAX_REQUEST_BYTES:
                raise _Refusal(f"a request has 8 to {MAX_REQUEST_BYTES} bytes, not {size}.")
            await answers.put(self._handle(await reader.readexactly(size)))

    async def _send(self, writer: asyncio.StreamWriter, answers: asyncio.Queue[_Answer]) -> None:
        while True:
            correlation_id, version, message, flush = await answers.get()
            if isinstance(message, FetchRequest):
                message = await self._fetch(message)
            elif flush is not None and not await asyncio.shield(flush):
                raise _Refusal("what it sent could not be written.")
            if message is not None:
                # In this order: a response that has its header does not take a version any more.
                message.API_VERSION = version
                message.with_header(correlation_id=correlation_id)
                writer.write(message.encode(header=True, framed=True))
                await writer.drain()

    def _handle(self, frame: bytes) -> _Answer:
        key, version, correlation_id = struct.unpack_from(">hhi", frame)
        api = self._apis.get(key)
        if api is None or not api.min_version <= version <= api.max_version:
            if key == ApiVersionsRequest.API_KEY:
                # A newer client asks in its own version first and, told so in version 0, asks again in ours.
                message = self._api_versions(None)
                message.error_code = errors.UnsupportedVersionError.errno
                return _Answer(correlation_id, 0, message, None)
            raise _Refusal(f"the embedded broker does not speak API {key} version {version}.")
        try:
            request = api.request.decode(frame, version=version, header=True)
        except Exception as error:  # The decoder raises whatever the bytes make it stumble over.
            raise _Refusal(f"it sent a malformed {api.request.name}: {error}.") from error
        try:
            message = api.answer(request)
        except sqlite3.Error as error:
            self._abandon(error)
            raise _Refusal("what it sent could not be written or read.") from error
        finally:
            if self._store.pending and self._flush is None:
                self._flush = self._loop.create_future()
                # Soon, not now: requests that are already here share one commit.
                self._loop.call_soon(self._commit)
        return _Answer(correlation_id, version, message, self._flush)

    def _commit(self) -> None:
        if self._flush is None:
            return
        try:
            self._store.commit()
        except sqlite3.Error as error:
            self._abandon(error)
            return
        self._flush.set_result(True)
        self._flush = None
        self._appended.set()
        self._appended = asyncio.Event()

    def _abandon(self, error: sqlite3.Error) -> None:
        log.error("The embedded broker cannot use %s: %s. Nothing of it was acknowledged.", self._path, error)
        if self._flush is not None:
            self._flush.set_result(False)
            self._flush = None
        self._store.rollback()

    def _api_versions(self, request: Any) -> ApiVersionsResponse:
        keys = [
            ApiVersionsResponse.ApiVersion(api_key=key, min_version=api.min_version, max_version=api.max_version)
            for key, api in self._apis.items()
        ]
        return ApiVersionsResponse(error_code=0, api_keys=keys)

    def _metadata(self, request: Any) -> MetadataResponse:
        names = list(self._store.topics) if request.topics is None else [topic.name for topic in request.topics]
        return MetadataResponse(
            brokers=[MetadataResponse.MetadataResponseBroker(node_id=NODE_ID, host=HOST, port=self._port)],
            cluster_id=self._cluster_id,
            controller_id=NODE_ID,
            topics=[self._topic_metadata(name, request.allow_auto_topic_creation) for name in names],
        )

    def _topic_metadata(self, name: str, create: bool) -> Any:
        topic_class = MetadataResponse.MetadataResponseTopic
        partition_class = topic_class.MetadataResponsePartition
        if name not in self._store.topics:
            if not create:
                code = errors.UnknownTopicOrPartitionError.errno
                return topic_class(error_code=code, name=name, partitions=[])
            try:
                self._store.create_topic(name, 1)
            except errors.BrokerResponseError as error:
                return topic_class(error_code=error.errno, name=name, partitions=[])
        partitions = [
            partition_class(
                error_code=0,
                partition_index=number,
                leader_id=NODE_ID,
                replica_nodes=[NODE_ID],
                isr_nodes=[NODE_ID],
                offline_replicas=[],
            )
            for number in range(len(self._store.topics[name]))
        ]
        return topic_class(error_code=0, name=name, partitions=partitions)

    def _create_topics(self, request: Any) -> CreateTopicsResponse:
        results = []
        for topic in request.topics:
            result = CreateTopicsResponse.CreatableTopicResult(name=topic.name, error_code=0, error_message=None)
            try:
                if topic.replication_factor not in (-1, 1):
                    raise errors.InvalidReplicationFactorError("The embedded broker is one node: ask for 1 replica.")
                if topic.assignments:
                    raise errors.InvalidReplicationAssignmentError("The embedded broker assigns replicas by itself.")
                partitions = 1 if topic.num_partitions == -1 else topic.num_partitions
                self._store.create_topic(topic.name, partitions, request.validate_only)
                if topic.configs:
                    names = ", ".join(config.name for config in topic.configs)
                    log.warning("The embedded broker has no topic settings: %s of %s ignored.", names, topic.name)
            except errors.BrokerResponseError as error:
                result.error_code, result.error_message = error.errno, error.args[0]
            results.append(result)
        return CreateTopicsResponse(topics=results)

    def _init_producer_id(self, request: Any) -> InitProducerIdResponse:
        if request.transactional_id is not None:
            code = errors.TransactionalIdAuthorizationFailedError.errno
            return InitProducerIdResponse(error_code=code, producer_id=-1, producer_epoch=-1)
        return InitProducerIdResponse(error_code=0, producer_id=self._store.new_producer_id(), producer_epoch=0)

    def _produce(self, request: Any) -> ProduceResponse | None:
        topic_class = ProduceResponse.TopicProduceResponse
        partition_class = topic_class.PartitionProduceResponse
        topics = []
        for topic in request.topic_data:
            partitions = []
            for data in topic.partition_data:
                result = partition_class(
                    index=data.index, error_code=0, base_offset=-1, log_append_time_ms=-1, log_start_offset=-1
                )
                result.record_errors, result.error_message = [], None
                try:
                    if request.acks not in (-1, 0, 1):
                        raise errors.InvalidRequiredAcksError(f"acks is -1, 0 or 1, not {request.acks}.")
                    result.base_offset = self._store.append(topic.name, data.index, data.records or b"")
                    result.log_start_offset = 0
                except errors.BrokerResponseError as error:
                    result.error_code, result.error_message = error.errno, error.args[0]
                    if request.acks == 0:
                        log.warning("Refused a batch that nobody waits for (acks=0): %s", result.error_message)
                partitions.append(result)
            topics.append(topic_class(name=topic.name, partition_responses=partitions))
        return ProduceResponse(responses=topics) if request.acks != 0 else None

    async def _fetch(self, request: Any) -> FetchResponse:
        deadline = self._loop.time() + request.max_wait_ms / 1000
        while True:
            appended = self._appended
            response, size, failed = self._read(request)
            left = deadline - self._loop.time()
            if failed or size >= request.min_bytes or left <= 0:
                return response
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await appended.wait()

    def _read(self, request: Any) -> tuple[FetchResponse, int, bool]:
        """Reads what a fetch asks for: the response, the bytes of records in it, and whether a partition failed."""
        topic_class = FetchResponse.FetchableTopicResponse
        max_bytes = min(request.max_bytes, MAX_FETCH_BYTES)
        size, failed, topics = 0, False, []
        for topic in request.topics:
            partitions = []
            for asked in topic.partitions:
                data = topic_class.PartitionData(
                    partition_index=asked.partition, error_code=0, high_watermark=-1, last_stable_offset=-1
                )
                data.log_start_offset, data.aborted_transactions, data.records = -1, [], b""
                try:
                    partition = self._store.partition(topic.topic, asked.partition)
                    data.high_watermark = data.last_stable_offset = partition.high_watermark
                    data.log_start_offset = 0
                    room = min(asked.partition_max_bytes, max_bytes - size)
                    # A batch over the limits is sent alone: the client could never get past it otherwise.
                    data.records = self._store.read(partition, asked.fetch_offset, room, at_least_one=size == 0)
                    size += len(data.records)
                except errors.BrokerResponseError as error:
                    data.error_code, failed = error.errno, True
                partitions.append(data)
            topics.append(topic_class(topic=topic.topic, partitions=partitions))
        return FetchResponse(responses=topics), size, failed

    def _list_offsets(self, request: Any) -> ListOffsetsResponse:
        topic_class = ListOffsetsResponse.ListOffsetsTopicResponse
        topics = []
        for topic in request.topics:
            partitions = []
            for asked in topic.partitions:
                result = topic_class.ListOffsetsPartitionResponse(partition_index=asked.partition_index, error_code=0)
                result.offset = result.timestamp = -1
                try:
                    partition = self._store.partition(topic.name, asked.partition_index)
                    if asked.timestamp == OffsetSpec.LATEST:
                        result.offset = partition.high_watermark
                    elif asked.timestamp == OffsetSpec.EARLIEST:
                        result.offset = 0
                    elif asked.timestamp >= 0:
                        result.offset, result.timestamp = self._store.offset_at(partition, asked.timestamp)
                    else:
                        raise errors.InvalidRequestError(f"There are no offsets for {asked.timestamp}.")
                except errors.BrokerResponseError as error:
                    result.error_code = error.errno
                partitions.append(result)
            topics.append(topic_class(name=topic.name, partitions=partitions))
        return ListOffsetsResponse(topics=topics)

    def _find_coordinator(self, request: Any) -> FindCoordinatorResponse:
        if request.key_type != CoordinatorType.GROUP:
            return FindCoordinatorResponse(
                error_code=errors.TransactionalIdAuthorizationFailedError.errno,
                error_message="The embedded broker has no transactions.",
                node_id=-1,
                host="",
                port=-1,
            )
        return FindCoordinatorResponse(error_code=0, error_message=None, node_id=NODE_ID, host=HOST, port=self._port)

    def _offset_commit(self, request: Any) -> OffsetCommitResponse:
        topic_class = OffsetCommitResponse.OffsetCommitResponseTopic
        topics = []
        for topic in request.topics:
            partitions = []
            for data in topic.partitions:
                result = topic_class.OffsetCommitResponsePartition(partition_index=data.partition_index, error_code=0)
                try:
                    if request.member_id or request.generation_id_or_member_epoch >= 0:
                        raise errors.UnknownMemberIdError("Consumer groups have no members here: use assign().")
                    self._store.commit_offset(
                        *(request.group_id, topic.name, data.partition_index),
                        *(data.committed_offset, data.committed_metadata),
                    )
                except errors.BrokerResponseError as error:
                    result.error_code = error.errno
                partitions.append(result)
            topics.append(topic_class(name=topic.name, partitions=partitions))
        return OffsetCommitResponse(topics=topics)

    def _offset_fetch(self, request: Any) -> OffsetFetchResponse:
        topic_class = OffsetFetchResponse.OffsetFetchResponseTopic
        if request.topics is None:
            asked = self._store.committed_partitions(request.group_id)
        else:
            asked = {topic.name: topic.partition_indexes for topic in request.topics}
        topics = []
        for topic, numbers in asked.items():
            partitions = []
            for number in numbers:
                offset, metadata = self._store.committed_offset(request.group_id, topic, number)
                partitions.append(
                    topic_class.OffsetFetchResponsePartition(
                        partition_index=number, committed_offset=offset, metadata=metadata, error_code=0
                    )
                )
            topics.append(topic_class(name=topic, partitions=partitions))
        return OffsetFetchResponse(topics=topics, error_code=0)


def main(arguments: list[str] | None = None) -> None:
    """Serves until SIGTERM or SIGINT; prints the broker's address as the one line on stdout."""
    parser = argparse.ArgumentParser(prog="python -m resources.embedded_broker", description=__doc__)
    parser.add_argument("path", type=Path, help="the SQLite file that holds everything")
    parser.add_argument("port", type=int, nargs="?", default=0, help="the port to bind; any free one by default")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    # Blocked before the broker's thread starts, which inherits it: only sigwait below takes these signals.
    signals = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    broker = EmbeddedBroker(options.path, options.port)
    try:
        broker.start()
    except RuntimeError as error:
        parser.exit(1, f"{error}\n")
    print(broker.address, flush=True)
    signal.sigwait(signals)
    broker.stop()


if __name__ == "__main__":
    main()
