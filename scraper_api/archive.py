"""Archives of tweets on disk: which pieces they have and, a piece at a time, the tweets in them.

An archive is a file or a folder of files. Read are twarc2's JSON lines, a page of X's API v2 a line
(`{data, includes, errors, meta, __twarc}`) or a flattened tweet a line (twarc2 flatten: author, referenced tweets and
place inlined), tweets of API v1.1, JSON arrays of these, plain or gzipped (told by the first bytes, not the name).
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import itertools
import json
import math
import os
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple

MAX_LINE_BYTES = 64 * 2**20
MAX_DOCUMENT_BYTES = 16 * 2**20
"""Largest JSON document over several lines that is read as a whole."""
MAX_NESTING = 100
PATIENCE = 100
"""Lines without any JSON object after which a file is no archive."""

_GZIP_MAGIC = b"\x1f\x8b"
_BLOCK = 2**20


class ArchiveError(ValueError):
    """An archive cannot be found; the message says which path and what to do."""


@dataclass(frozen=True)
class Segment:
    """An immutable piece of one file of an archive.

    Attributes:
        id: Short, safe in a URL, unique for file, start, end and content; `find_segment` finds the piece by it.
        file: Path inside the archive with `/`, or the file's name where the archive is one file.
        start: Offset of the first byte.
        end: Offset after the last byte.
        sha256: Of these bytes, hex; empty where the file could not be read.
    """

    id: str
    file: str
    start: int
    end: int
    sha256: str


class ArchivedTweet(NamedTuple):
    """A tweet of an archive, in the form of X API v2.

    Attributes:
        tweet: As archived, references to others by id alone; any field may be missing or malformed.
        includes: What it refers to and the archive holds: lists `users`, `tweets` and `places`.
        retrieved_at: When it was read from X, as twarc wrote it; None where unknown.
        line: Line of the (unpacked) file, from 1.
    """

    tweet: dict
    includes: dict[str, list[dict]]
    retrieved_at: str | None
    line: int


class Problem(NamedTuple):
    """Something in an archive that gives no tweet.

    Attributes:
        file: As in `Segment`.
        line: Line of the (unpacked) file, from 1.
        kind: unreadable_line, too_long, truncated, errors_only, no_tweets, empty, no_archive or unreadable_file.
        reason: One sentence.
    """

    file: str
    line: int
    kind: str
    reason: str


def list_segments(path: Path, known: Mapping[str, Sequence[Segment]] | None = None) -> list[Segment]:
    """The pieces that an archive consists of now, by file name and offset; hidden files are left out.

    A file is one piece, but for a last line that is still being written (it starts like JSON, is not complete and has
    no line end): that one is a piece of its own. Where a plain file has only grown since, the known pieces stay and
    the new bytes are a further piece, which replaces an unfinished line. A file changed otherwise, and any changed
    gzip file, is one new piece. Only what is returned counts: a known piece that is not returned is replaced.

    Args:
        path: A file or a folder, read with all folders below.
        known: Pieces seen before, by file, in the order in which they were first returned.

    Raises:
        ArchiveError: If the path is neither a file nor a folder.
    """
    known = known or {}
    return [
        segment for file, where in list_files(path).items() for segment in _pieces(where, file, known.get(file, ()))
    ]


def list_files(path: Path) -> dict[str, Path]:
    """The files of an archive: name inside the archive to path, sorted by name, hidden ones left out.

    Raises:
        ArchiveError: If the path is neither a file nor a folder.
    """
    if path.is_file():
        return {path.name: path}
    if not path.is_dir():
        raise ArchiveError(f"ARCHIVE={path}: neither a file nor a folder; give the path of a tweet archive.")
    files = {}
    for folder, folders, names in os.walk(path):
        folders[:] = [name for name in folders if not name.startswith(".")]
        inside = Path(folder).relative_to(path).as_posix()
        for name in names:
            where = os.path.join(folder, name)
            if not name.startswith(".") and (os.path.isfile(where) or os.path.islink(where)):
                files[name if inside == "." else f"{inside}/{name}"] = Path(where)
    return dict(sorted(files.items()))


def find_segment(path: Path, segment_id: str) -> Segment | None:
    """The piece with this id, if the archive still holds these very bytes at this place; None otherwise."""
    parts = re.fullmatch(r"([0-9a-f]{8})-([0-9]{1,15})-([0-9]{1,15})-[0-9a-f]{16}", segment_id)
    for file, where in list_files(path).items() if parts else ():
        if parts and parts[1] == _name_digest(file):
            segment = _segment(where, file, int(parts[2]), int(parts[3]))
            if segment.id == segment_id:
                return segment
    return None


def read_segment(path: Path, segment: Segment) -> Iterator[ArchivedTweet | Problem]:
    """Every tweet and every problem of a piece, in the file's order, a line at a time; never raises for its content.

    A record with a null id, no text or an impossible date is a tweet like every other here. A page that X answered
    with no result is neither a tweet nor a problem.
    """
    try:
        with (path if path.is_file() else path / segment.file).open("rb") as handle:
            yield from _read(handle, segment)
    except OSError as error:
        yield Problem(segment.file, 1, "unreadable_file", f"The file cannot be read: {error.strerror or error}.")


def storable(text: str) -> str:
    """A text about an archive that UTF-8 can carry: the bytes of a file's name that are none are written as escapes."""
    return text.encode(errors="backslashreplace").decode()


# Pieces of files


def _pieces(where: Path, file: str, known: Sequence[Segment]) -> list[Segment]:
    try:
        with where.open("rb") as handle:
            size = os.fstat(handle.fileno()).st_size
            if handle.read(2) == _GZIP_MAGIC:
                return [_make(handle, file, 0, size)]
            pieces = _still_there(handle, file, known, size)
            start = pieces[-1].end if pieces else 0
            if start == size and pieces:
                return pieces
            tail = _unfinished_line(handle, start, size)
            bounds = [start, size] if tail in (None, start) else [start, tail, size]
            return [*pieces, *(_make(handle, file, begin, end) for begin, end in itertools.pairwise(bounds))]
    except OSError:
        return [Segment(_segment_id(file, 0, 0, ""), file, 0, 0, "")]


def _still_there(handle: BinaryIO, file: str, known: Sequence[Segment], size: int) -> list[Segment]:
    """The known pieces from the file's start on, if they are unchanged, without a last one that has to be read anew."""
    starts = [number for number, segment in enumerate(known) if segment.start == 0]
    chain = list(known[starts[-1] :]) if starts else []
    end = 0
    current: list[Segment] = []
    for segment in chain:
        if segment.start < end:
            # A further piece replaced the unfinished line that was known before it.
            current = [earlier for earlier in current if earlier.end <= segment.start]
            end = current[-1].end if current else 0
        if segment.start != end:
            return []
        current.append(segment)
        end = segment.end
    if end > size or any(_make(handle, file, piece.start, piece.end) != piece for piece in current):
        return []
    if current and end < size:
        last = current[-1]
        if last.start == last.end or _unfinished_line(handle, last.start, last.end) is not None:
            current.pop()
    return current


def _unfinished_line(handle: BinaryIO, start: int, end: int) -> int | None:
    """Where the last line between two offsets begins if it has no line end and is the beginning of a JSON text."""
    line = b""
    position = end
    while position > start and b"\n" not in line and len(line) <= MAX_LINE_BYTES:
        step = min(_BLOCK, position - start)
        position -= step
        handle.seek(position)
        line = handle.read(step) + line
    line = line[line.rfind(b"\n") + 1 :]
    if len(line) > MAX_LINE_BYTES or not line.lstrip().startswith((b"{", b"[")) or _decode(line)[1] is None:
        return None
    return end - len(line)


def _segment(where: Path, file: str, start: int, end: int) -> Segment:
    try:
        with where.open("rb") as handle:
            return _make(handle, file, start, end)
    except OSError:
        return Segment(_segment_id(file, 0, 0, ""), file, 0, 0, "")


def _make(handle: BinaryIO, file: str, start: int, end: int) -> Segment:
    digest = hashlib.sha256()
    handle.seek(start)
    left = end - start
    while left > 0 and (block := handle.read(min(_BLOCK, left))):
        digest.update(block)
        left -= len(block)
    return Segment(_segment_id(file, start, end, digest.hexdigest()), file, start, end, digest.hexdigest())


def _segment_id(file: str, start: int, end: int, sha256: str) -> str:
    return f"{_name_digest(file)}-{start}-{end}-{sha256[:16]:0<16}"


def _name_digest(file: str) -> str:
    return hashlib.sha256(os.fsencode(file)).hexdigest()[:8]


# Lines of a piece


class _Slice(io.RawIOBase):
    """The bytes of a file between two offsets."""

    def __init__(self, handle: BinaryIO, start: int, end: int) -> None:
        self._handle = handle
        self._left = end - start
        handle.seek(start)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self._handle.read(min(len(buffer), self._left))
        self._left -= len(data)
        buffer[: len(data)] = data
        return len(data)


class _Unpacked(io.RawIOBase):
    """The content of a gzip file, given as soon as it is unpacked: a cut takes nothing with it that stands before."""

    def __init__(self, stream: io.BufferedReader) -> None:
        self._file = gzip.GzipFile(fileobj=stream)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self._file.read1(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def _read(handle: BinaryIO, segment: Segment) -> Iterator[ArchivedTweet | Problem]:
    file, first_line = segment.file, 1
    for begin in range(0, segment.start, _BLOCK):
        handle.seek(begin)
        first_line += handle.read(min(_BLOCK, segment.start - begin)).count(b"\n")
    stream: io.BufferedReader = io.BufferedReader(_Slice(handle, segment.start, segment.end), _BLOCK)
    if segment.start == 0 and stream.peek(2)[:2] == _GZIP_MAGIC:
        stream = io.BufferedReader(_Unpacked(stream), _BLOCK)
    # Until a line looks like JSON, it may turn out that the whole file is no archive: one problem, not one a line.
    doubtful: list[Problem] | None = [] if segment.start == 0 else None
    blank, number = True, first_line
    try:
        for number, line in _lines(stream, first_line):
            if line is not None and not line:
                continue
            blank = False
            found, like_json = _read_line(line, file, number)
            if doubtful is not None and like_json:
                yield from doubtful
                doubtful = None
            if doubtful is None:
                yield from found
                continue
            doubtful.extend(item for item in found if isinstance(item, Problem))
            if len(doubtful) == PATIENCE:
                break
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        yield from doubtful or ()
        cut = isinstance(error, EOFError)
        what = "breaks off" if cut else "is damaged"
        yield Problem(file, number, "truncated", f"The gzip file {what} after line {number}; what precedes is kept.")
        return
    if blank and segment.start == 0:
        yield Problem(file, 1, "empty", "The file is empty.")
    elif doubtful:
        yield Problem(
            file, 1, "no_archive", "The file is no tweet archive: its lines are no JSON objects; remove or convert it."
        )


def _lines(stream: io.BufferedReader, number: int) -> Iterator[tuple[int, bytes | None]]:
    """Lines without their ends and their numbers; None for one that is too long; a JSON document as one line."""
    first, comma = True, b""
    while line := stream.readline(MAX_LINE_BYTES + 1):
        here = number
        number += line.endswith(b"\n")
        if len(line) > MAX_LINE_BYTES and not line.endswith(b"\n"):
            while line and not line.endswith(b"\n"):
                line = stream.readline(_BLOCK)
            number += bool(line)
            yield here, None
            continue
        line = (line.removeprefix(b"\xef\xbb\xbf") if first else line).strip()
        if first and line in (b"[", b"{"):
            document = line + b"\n" + _read_up_to(stream, MAX_DOCUMENT_BYTES)
            if _decode(document)[1] is None:
                yield here, document
                number += document.count(b"\n") - 1
            else:
                # An array with an element a line, too large or too broken to be read as a whole.
                comma = b","
                for part in io.BytesIO(document[len(line) + 1 :]):
                    part = part if part.endswith(b"\n") else part + stream.readline(MAX_LINE_BYTES)
                    yield number, _element(part.strip(), comma)
                    number += part.endswith(b"\n")
        elif line or not first:
            yield here, _element(line, comma)
        first = first and not line


def _read_up_to(stream: io.BufferedReader, size: int) -> bytes:
    blocks: list[bytes] = []
    # A broken gzip file raises again at the next read; what precedes the break must not be lost.
    with contextlib.suppress(EOFError, zlib.error, gzip.BadGzipFile):
        while size > 0 and (block := stream.read1(size)):
            blocks.append(block)
            size -= len(block)
    return b"".join(blocks)


def _element(line: bytes, comma: bytes) -> bytes:
    """A line, or the element of an array that a line holds, without what only structures the array."""
    return b"" if comma and line in (b"[", b"]", b"{", b"}") else line.removesuffix(comma)


_LIKE_JSON = re.compile(rb"\s*[\[{]\s*[\"{\[\]}]")


def _read_line(line: bytes | None, file: str, number: int) -> tuple[Iterable[ArchivedTweet | Problem], bool]:
    """What a line holds, and whether it looks like the JSON of an archive."""
    if line is None:
        return [Problem(file, number, "too_long", f"The line is longer than {MAX_LINE_BYTES // 2**20} MB.")], True
    value, reason = _decode(line)
    if reason:
        return [Problem(file, number, "unreadable_line", reason)], bool(_LIKE_JSON.match(line))
    if not isinstance(value, dict | list):
        return [Problem(file, number, "unreadable_line", "The line is no JSON object.")], False
    return _records(value, file, number), True


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON value")


def _finite(written: str) -> float:
    number = float(written)
    if math.isinf(number):
        raise ValueError("a number is too large")
    return number


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite)


def _decode(line: bytes) -> tuple[object, str | None]:
    """The value of a JSON text, or None and why it has none."""
    try:
        value = _DECODER.decode(line.decode())
    except UnicodeDecodeError:
        return None, "The line is not UTF-8."
    except json.JSONDecodeError as error:
        return None, f"The line is no complete JSON: {error.msg} from character {error.pos + 1} on."
    except (ValueError, RecursionError) as error:
        return None, f"The line is no usable JSON: {error}."
    if line.count(b"{") + line.count(b"[") > MAX_NESTING and _too_deep(value):
        return None, f"The line is nested deeper than {MAX_NESTING}."
    return value, None


def _too_deep(value: object) -> bool:
    level = [value]
    for _ in range(MAX_NESTING):
        level = [
            child
            for parent in level
            for child in (parent.values() if isinstance(parent, dict) else parent)  # type: ignore[attr-defined]
            if isinstance(child, dict | list)
        ]
        if not level:
            return False
    return True


# Records of a line

_SIGNS = {
    "text",
    "full_text",
    "author_id",
    "edit_history_tweet_ids",
    "conversation_id",
    "referenced_tweets",
    "in_reply_to_user_id",
    "lang",
}
"""A record with one of these fields is a tweet, however malformed; users, lists, counts and verdicts have none."""


def _is_tweet(record: object) -> bool:
    return isinstance(record, dict) and not _SIGNS.isdisjoint(record) and "username" not in record


def _records(value: dict | list, file: str, line: int) -> Iterator[ArchivedTweet | Problem]:
    if isinstance(value, list):
        if not any(isinstance(item, dict) for item in value):
            yield Problem(file, line, "no_tweets", "The line is a list without any object.")
            return
        for item in value:
            yield from _records(item, file, line) if isinstance(item, dict) else [_no_object(file, line)]
    elif _is_tweet(value):
        yield _archived(value, {}, {}, {}, None, line)
    elif isinstance(value.get("statuses"), list):
        yield from _page({**value, "data": value["statuses"]}, file, line)
    else:
        yield from _page(value, file, line)


def _no_object(file: str, line: int) -> Problem:
    return Problem(file, line, "unreadable_line", "A record of the page is no JSON object.")


def _page(page: dict, file: str, line: int) -> Iterator[ArchivedTweet | Problem]:
    data = page.get("data")
    records = data if isinstance(data, list) else [data] if isinstance(data, dict) else []
    if not any(_is_tweet(record) for record in records):
        problem = _why_no_tweets(page, records)
        if problem:
            yield Problem(file, line, *problem)
        return
    users, tweets, places = (_by_id(_objects(page.get("includes"), kind)) for kind in ("users", "tweets", "places"))
    retrieved_at = _retrieved_at(page)
    for record in records:
        if isinstance(record, dict):
            yield _archived(record, users, tweets, places, retrieved_at, line)
        else:
            yield _no_object(file, line)


def _why_no_tweets(page: dict, records: list) -> tuple[str, str] | None:
    errors, meta = page.get("errors"), page.get("meta")
    if errors and not records:
        titles = {str(error.get("title") or "untitled") for error in _objects(page, "errors")} or {"untitled"}
        title = ", ".join(sorted(titles)[:3])[:100].encode(errors="replace").decode()
        return "errors_only", f"The page holds no tweet but errors of X ({title})."
    if not records and isinstance(meta, dict) and meta.get("result_count") == 0:
        return None
    names = {name for record in records if isinstance(record, dict) for name in record} or set(page)
    if "tweet_count" in names:
        what = "counts of tweets"
    elif "username" in names:
        what = "users"
    elif "member_count" in names:
        what = "lists"
    elif "data" in page and not records:
        what = "nothing"
    else:
        what = "other objects"
    return "no_tweets", f"The line holds {what}, no tweets."


def _retrieved_at(holder: dict) -> str | None:
    written = _object(holder, "__twarc").get("retrieved_at")
    return written if isinstance(written, str) else None


def _objects(holder: object, name: str) -> list[dict]:
    values = holder.get(name) if isinstance(holder, dict) else None
    return [value for value in values if isinstance(value, dict)] if isinstance(values, list) else []


def _object(holder: dict, name: str) -> dict:
    value = holder.get(name)
    return value if isinstance(value, dict) else {}


def _by_id(objects: Iterable[dict]) -> dict[str, dict]:
    return {str(item["id"]): item for item in objects if item.get("id") is not None}


def _archived(
    record: dict,
    users: Mapping[str, dict],
    tweets: Mapping[str, dict],
    places: Mapping[str, dict],
    retrieved_at: str | None,
    line: int,
) -> ArchivedTweet:
    retrieved_at = _retrieved_at(record) or retrieved_at
    own: dict[str, dict[str, dict]] = {"users": {}, "tweets": {}, "places": {}}
    if isinstance(record.get("user"), dict) and ("id_str" in record or "full_text" in record):
        tweet = _from_v1(record, own)
    else:
        tweet = _unflatten(record, own)
    users, tweets, places = (
        {**mine, **shared} if mine else shared
        for mine, shared in ((own["users"], users), (own["tweets"], tweets), (own["places"], places))
    )
    references = [tweets[key] for key in _reference_ids(tweet) if key in tweets]
    people = [
        tweet.get("author_id"),
        tweet.get("in_reply_to_user_id"),
        *(other.get("author_id") for other in references),
    ]
    geo = tweet.get("geo")
    place = places.get(str(geo.get("place_id"))) if isinstance(geo, dict) else None
    includes = {
        "users": [users[key] for key in dict.fromkeys(map(str, people)) if key in users],
        "tweets": references,
        "places": [place] if place else [],
    }
    return ArchivedTweet(tweet, includes, retrieved_at, line)


def _reference_ids(tweet: dict) -> list[str]:
    return list(dict.fromkeys(str(reference.get("id")) for reference in _objects(tweet, "referenced_tweets")))


def _unflatten(record: dict, own: dict[str, dict[str, dict]]) -> dict:
    """A tweet as X gave it, from one that twarc2 flattened; what was inlined goes to `own`."""
    tweet = {key: value for key, value in record.items() if key not in ("author", "in_reply_to_user", "__twarc")}
    for name, reference in (("author", "author_id"), ("in_reply_to_user", "in_reply_to_user_id")):
        user = record.get(name)
        if isinstance(user, dict) and user:
            user = {"id": record.get(reference), **user}
            own["users"].update(_by_id([user]))
            tweet.setdefault(reference, user["id"])
    if isinstance(record.get("referenced_tweets"), list):
        tweet["referenced_tweets"] = [_reference(item, own) for item in record["referenced_tweets"]]
    geo = record.get("geo")
    if isinstance(geo, dict) and ("place" in geo or "full_name" in geo):
        place = geo.get("place")
        if not isinstance(place, dict):
            place = {key: value for key, value in geo.items() if key not in ("place_id", "coordinates", "place")}
        place = {"id": geo.get("place_id"), **place}
        own["places"].update(_by_id([place]))
        kept = {key: geo[key] for key in ("coordinates",) if key in geo}
        tweet["geo"] = {"place_id": geo.get("place_id") or place["id"], **kept}
    return tweet


def _reference(item: object, own: dict[str, dict[str, dict]]) -> object:
    if not isinstance(item, dict) or item.keys() <= {"type", "id"}:
        return item
    whole = _unflatten({key: value for key, value in item.items() if key != "type"}, own)
    own["tweets"].update(_by_id([whole]))
    return {"type": item.get("type"), "id": item.get("id")}


_V1_REFERENCES = (("retweeted", "retweeted_status"), ("quoted", "quoted_status"))


def _from_v1(status: dict, own: dict[str, dict[str, dict]]) -> dict:
    """A tweet of API v1.1 in the form of v2 (docs.x.com, 'Data formats: standard v1.1 to v2')."""
    user, extended = _object(status, "user"), _object(status, "extended_tweet")
    text = extended.get("full_text") or status.get("full_text") or status.get("text")
    references: list[dict] = []
    for kind, name in _V1_REFERENCES:
        original = status.get(name)
        if isinstance(original, dict):
            whole = _from_v1(original, own)
            own["tweets"].update(_by_id([whole]))
            references.append({"type": kind, "id": whole["id"]})
    if status.get("in_reply_to_status_id_str"):
        references.append({"type": "replied_to", "id": status["in_reply_to_status_id_str"]})
    author = {
        "id": user.get("id_str"),
        "name": user.get("name"),
        "username": user.get("screen_name"),
        "location": user.get("location"),
        "public_metrics": {"followers_count": user.get("followers_count")},
    }
    own["users"].update(_by_id([author]))
    tweet = {
        "id": status.get("id_str"),
        "text": text,
        "created_at": status.get("created_at"),
        "lang": status.get("lang"),
        "author_id": user.get("id_str"),
        "in_reply_to_user_id": status.get("in_reply_to_user_id_str"),
        "referenced_tweets": references,
        "public_metrics": {
            "retweet_count": status.get("retweet_count"),
            "reply_count": status.get("reply_count"),
            "like_count": status.get("favorite_count"),
            "quote_count": status.get("quote_count"),
        },
    }
    place = status.get("place")
    if isinstance(place, dict) and place.get("id"):
        own["places"].update(_by_id([place]))
        tweet["geo"] = {"place_id": place["id"]}
    return {key: value for key, value in tweet.items() if key == "id" or value not in (None, [])}
