"""A Kafka message becomes landed rows and refused lines; pure functions on bytes."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from election_assets.schemas import (
    COUNT_NAMES,
    KINDS,
    LANDED_V1_NAMES,
    TWEET_SCHEMA,
    TWEET_V1_NAMES,
    fields_of_any_length,
    origin_name,
    parse_time,
)


@dataclass(frozen=True)
class Message:
    """A Kafka message and where it lay.

    Attributes:
        cluster: Id of the cluster.
        topic: Name of the topic.
        partition: Number of the partition.
        offset: Offset in the partition.
        headers: Header values by name, as text.
        value: The CSV.
    """

    cluster: str
    topic: str
    partition: int
    offset: int
    headers: Mapping[str, str]
    value: bytes

    @property
    def origin(self) -> str:
        """The name of the landed file."""
        return origin_name(self.cluster, self.topic, self.partition, self.offset)


@dataclass(frozen=True)
class RefusedLine:
    """A line that does not fit.

    Attributes:
        reason: What is wrong, in one sentence.
        batch_id: The batch it came with, empty if the message did not say.
        line: Number of the record in the message, from 1; 0 is the header line.
        original: The line as it came, without its line end.
    """

    reason: str
    batch_id: str
    line: int
    original: str


@dataclass(frozen=True)
class LandedMessage:
    """What a message becomes.

    Attributes:
        batch_id: The scraper's id of the batch, empty if the message did not say.
        csv: The landed file (`LANDED_V1`), None where the whole message is refused.
        rows: Rows of the landed file.
        refused: The lines that go to quarantine.
    """

    batch_id: str
    csv: bytes | None
    rows: int
    refused: tuple[RefusedLine, ...]


def land(message: Message, candidate: str) -> LandedMessage:
    """Reads a message as `tweet.v1`.

    A message is refused whole, its lines one by one in quarantine, if its headers or its header line are not those of
    `tweet.v1` for this candidate: columns are matched by position later on, so a swapped header would swap values.

    Args:
        message: The message.
        candidate: Key of the candidate whose topic it lay in.
    """
    with fields_of_any_length():
        return _land(message, candidate)


def _land(message: Message, candidate: str) -> LandedMessage:
    batch_id = message.headers.get("batch_id", "")
    try:
        text = message.value.decode()
    except UnicodeDecodeError as error:
        text = message.value.decode(errors="backslashreplace")
        return _refuse_whole(text, batch_id, f"The message is not UTF-8 (byte {error.start}).")
    if problem := _wrong_headers(message.headers, candidate):
        return _refuse_whole(text, batch_id, problem)
    records = _records(text)
    first = next(records, None)
    if first is None or first.fields != TWEET_V1_NAMES:
        return _refuse_whole(text, batch_id, f"The header line is not that of {TWEET_SCHEMA}.")
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(LANDED_V1_NAMES)
    place = [message.cluster, message.topic, str(message.partition), str(message.offset), batch_id]
    rows, refused = 0, []
    for line, record in enumerate(records, 1):
        if problem := record.problem or _misfit(record.fields):
            refused.append(RefusedLine(problem, batch_id, line, record.original))
        else:
            writer.writerow([*record.fields, *place, str(line)])
            rows += 1
    return LandedMessage(batch_id, buffer.getvalue().encode(), rows, tuple(refused))


@dataclass(frozen=True)
class _Record:
    fields: list[str]
    original: str
    problem: str = ""


def _records(text: str) -> Iterator[_Record]:
    """The records of a CSV; after a broken one, reading goes on at the next line."""
    lines = io.StringIO(text, newline="").readlines()
    taken = 0
    while taken < len(lines):
        start = taken

        def following() -> Iterator[str]:
            nonlocal taken
            while taken < len(lines):
                taken += 1
                yield lines[taken - 1]

        try:
            fields = next(csv.reader(following(), strict=True))
        except csv.Error as error:
            taken = start + 1
            yield _Record([], lines[start].rstrip("\r\n"), f"The line is not CSV: {error}.")
        except StopIteration:
            return
        else:
            yield _Record(fields, "".join(lines[start:taken]).rstrip("\r\n"))


def _wrong_headers(headers: Mapping[str, str], candidate: str) -> str:
    if not headers.get("batch_id"):
        return "The message has no header batch_id."
    if headers.get("schema") != TWEET_SCHEMA:
        return f"The message's header schema is {headers.get('schema')!r} and not {TWEET_SCHEMA!r}."
    if headers.get("candidate") != candidate:
        return f"The message's header candidate is {headers.get('candidate')!r} and not {candidate!r}."
    return ""


def _refuse_whole(text: str, batch_id: str, reason: str) -> LandedMessage:
    records = list(_records(text))
    # The header line is no record of the batch, unless it is all there is.
    numbered = list(enumerate(records))[1:] or list(enumerate(records)) or [(0, _Record([], ""))]
    refused = tuple(RefusedLine(reason, batch_id, line, record.original) for line, record in numbered)
    return LandedMessage(batch_id, None, 0, refused)


def _misfit(fields: list[str]) -> str:
    """What keeps a record from being a row; empty if nothing."""
    if len(fields) != len(TWEET_V1_NAMES):
        return f"{len(fields)} fields instead of {len(TWEET_V1_NAMES)}."
    record = dict(zip(TWEET_V1_NAMES, fields, strict=True))
    if not _whole(record["id"]):
        return f"id {record['id']!r} is not a number."
    if not record["text"].strip():
        return "text is empty."
    for name in ("created_at", "retrieved_at"):
        if parse_time(record[name]) is None:
            return f"{name} {record[name]!r} is no possible date."
    if record["kind"] not in KINDS:
        return f"kind {record['kind']!r} is none of {', '.join(KINDS)}."
    for name in COUNT_NAMES:
        if record[name] and not (_whole(record[name]) and len(record[name]) < 19):
            return f"{name} {record[name]!r} is not a whole number."
    return ""


def _whole(text: str) -> bool:
    return text.isascii() and text.isdigit()
