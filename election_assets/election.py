"""What an election is: its candidates, dates, language and topics, read from one TOML file."""

from __future__ import annotations

import datetime as dt
import os
import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

BUNDLED_FOLDER = Path(__file__).parent / "elections"
DEFAULT_ELECTION = "fr_2022"

MAX_QUERY_CHARACTERS = 512
"""X's limit for a recent-search query (docs.x.com, 'Build a query')."""

MAX_EVENT_CHARACTERS = 60

_KEY = re.compile(r"[a-z][a-z0-9-]*")
_ELECTION_KEY = re.compile(r"[a-z][a-z0-9_-]*")
_TOPIC_PREFIX = re.compile(r"[A-Za-z0-9._-]{1,150}")
_HANDLE = re.compile(r"[A-Za-z0-9_]{1,15}")
_WORD = re.compile(r"\w+")


class ElectionFileError(ValueError):
    """An election file cannot be used; the message names the file, the candidate and the field."""


@dataclass(frozen=True)
class Candidate:
    """One candidate of an election.

    Attributes:
        key: Identifier in partitions, folders and topics, such as `le-pen`.
        name: Name as a reader writes it, with accents.
        party: Party or movement.
        colour: Colour in the pictures, as `#rrggbb`.
        query: Search query in X's query language, at most 512 characters.
        handles: The candidate's own X handles, without `@`; these are never made pseudonyms.
        names: How a text names the candidate, the full name first; compared without case and accents.
    """

    key: str
    name: str
    party: str
    colour: str
    query: str
    handles: tuple[str, ...]
    names: tuple[str, ...]


@dataclass(frozen=True)
class Event:
    """Something in the campaign that a reader looks for in a curve.

    Attributes:
        date: The day, in the election's time zone.
        title: What happened, in the election's language, at most `MAX_EVENT_CHARACTERS` characters.
    """

    date: dt.date
    title: str


@dataclass(frozen=True)
class Election:
    """One election: what is collected, when, and under which names.

    Attributes:
        key: Identifier of the election, such as `fr_2022`.
        name: Title in the election's language.
        language: ISO 639-1 code of the language whose texts are scored.
        time_zone: IANA name of the zone that defines a day.
        first_round: Date of the first round.
        second_round: Date of the second round.
        topic_prefix: Prefix of the Kafka topics; a topic is `<prefix>.<candidate key>`.
        candidates: In the file's order, which is also the order of the partitions.
        path: The file it was read from.
        events: Those of the campaign that the file names, by date.
    """

    key: str
    name: str
    language: str
    time_zone: str
    first_round: dt.date
    second_round: dt.date
    topic_prefix: str
    candidates: tuple[Candidate, ...]
    path: Path
    events: tuple[Event, ...] = ()

    @property
    def candidate_keys(self) -> list[str]:
        """The candidates' keys, in the file's order."""
        return [candidate.key for candidate in self.candidates]

    def candidate(self, key: str) -> Candidate:
        """The candidate with this key.

        Raises:
            KeyError: If no candidate has it.
        """
        for candidate in self.candidates:
            if candidate.key == key:
                return candidate
        raise KeyError(f"{self.key} has no candidate {key!r}")

    def find(self, name_or_key: str) -> Candidate | None:
        """The candidate with this key or name, compared without accents and case; None if there is none."""
        wanted = fold(name_or_key)
        for candidate in self.candidates:
            if wanted in {fold(candidate.key), *(fold(name) for name in candidate.names)}:
                return candidate
        return None

    def topic(self, candidate_key: str) -> str:
        """The Kafka topic of a candidate."""
        return f"{self.topic_prefix}.{candidate_key}"


def fold(text: str) -> str:
    """Text for comparing names: lower case, without accents, words separated by one space."""
    if not text.isascii():
        text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return " ".join(_WORD.findall(text.casefold()))


def load_election(name_or_path: str | None = None) -> Election:
    """Reads an election file.

    Args:
        name_or_path: A bundled name (`fr_2022`) or the path of a TOML file; the environment's ELECTION, then
            `fr_2022`, if None.

    Raises:
        ElectionFileError: If the file is missing or wrong; the message names file, candidate and field.
    """
    wanted = name_or_path or os.environ.get("ELECTION") or DEFAULT_ELECTION
    bundled = BUNDLED_FOLDER / f"{wanted}.toml"
    path = bundled if _ELECTION_KEY.fullmatch(wanted) and bundled.is_file() else Path(wanted)
    if not path.is_file():
        names = ", ".join(sorted(file.stem for file in BUNDLED_FOLDER.glob("*.toml")))
        raise ElectionFileError(
            f"ELECTION={wanted}: neither a bundled election ({names}) nor the path of a file; give one of the two."
        )
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ElectionFileError(f"{path}: not a TOML file in UTF-8: {error}.") from error
    return _election(content, path)


def _election(content: Mapping[str, object], path: Path) -> Election:
    table = _Table(content, str(path))
    table.refuse_others(
        *("key", "name", "language", "time_zone", "first_round", "second_round", "topic_prefix", "candidates"), "events"
    )
    key = table.text("key", _ELECTION_KEY, "lower-case letters, digits, - and _")
    time_zone = table.text("time_zone")
    try:
        ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise table.error("time_zone", f"{time_zone!r} is no IANA time zone, such as 'Europe/Paris'") from error
    first, second = table.date("first_round"), table.date("second_round")
    if second <= first:
        raise table.error("second_round", f"{second} is not after the first round, {first}")
    entries = table.tables("candidates")
    if not entries:
        raise table.error("candidates", "write at least one [[candidates]] table")
    candidates = tuple(_candidates(entries, path))
    return Election(
        key=key,
        name=table.text("name"),
        language=table.text("language", re.compile("[a-z]{2}"), "an ISO 639-1 code such as 'fr'"),
        time_zone=time_zone,
        first_round=first,
        second_round=second,
        topic_prefix=table.text("topic_prefix", _TOPIC_PREFIX, "letters, digits, '.', '_' and '-'"),
        candidates=candidates,
        path=path,
        events=tuple(sorted(_events(table.tables("events"), path), key=lambda event: event.date)),
    )


def _events(entries: list[Mapping[str, object]], path: Path) -> Iterator[Event]:
    for number, entry in enumerate(entries, 1):
        table = _Table(entry, f"{path}, event {number} ({entry.get('title') or 'without title'})")
        table.refuse_others("date", "title")
        title = table.text("title")
        if len(title) > MAX_EVENT_CHARACTERS:
            raise table.error("title", f"{len(title)} characters, and a mark has room for {MAX_EVENT_CHARACTERS}")
        yield Event(table.date("date"), title)


def _candidates(entries: list[Mapping[str, object]], path: Path) -> Iterator[Candidate]:
    owners: dict[tuple[str, str], str] = {}
    for number, entry in enumerate(entries, 1):
        label = entry.get("key") or entry.get("name") or "without key"
        table = _Table(entry, f"{path}, candidate {number} ({label})")
        table.refuse_others("key", "name", "party", "colour", "query", "handles", "names")
        name = table.text("name")
        if not fold(name):
            raise table.error("name", f"{name!r} has no letter")
        query = table.text("query")
        if len(query) > MAX_QUERY_CHARACTERS:
            raise table.error("query", f"{len(query)} characters, and X takes at most {MAX_QUERY_CHARACTERS}")
        if query.count('"') % 2 or not _balanced(query):
            raise table.error("query", "a quotation mark or parenthesis is not closed")
        handles = table.texts("handles")
        for handle in handles:
            if not _HANDLE.fullmatch(handle):
                raise table.error("handles", f"{handle!r} is no X handle: 1 to 15 letters, digits or _, without @")
        names = table.texts("names")
        candidate = Candidate(
            key=table.text("key", _KEY, "a lower-case letter, then lower-case letters, digits and -"),
            name=name,
            party=table.text("party"),
            colour=_colour(table),
            query=query,
            handles=handles,
            names=(name, *(other for other in names if fold(other) != fold(name))),
        )
        for field, value in [("key", candidate.key), *(("names", fold(other)) for other in candidate.names)]:
            if (field, value) in owners:
                raise table.error(field, f"{value!r} is already that of candidate {owners[field, value]}")
            owners[field, value] = f"{number} ({candidate.key})"
        yield candidate


def _colour(table: _Table) -> str:
    from PIL import ImageColor

    written = table.text("colour")
    problem = table.error("colour", f"{written!r} is no colour; write #rrggbb or a CSS colour name")
    try:
        red, green, blue = ImageColor.getrgb(written)[:3]
    except ValueError as error:
        raise problem from error
    # Pillow lets rgb(999,0,0) pass.
    if max(red, green, blue) > 255:
        raise problem
    return f"#{red:02x}{green:02x}{blue:02x}"


def _balanced(query: str) -> bool:
    """Whether the parentheses outside of phrases close one another."""
    depth = 0
    for sign in re.sub('"[^"]*"', "", query):
        depth += (sign == "(") - (sign == ")")
        if depth < 0:
            return False
    return depth == 0


class _Table:
    """A TOML table whose errors say where it stands."""

    def __init__(self, content: Mapping[str, object], where: str) -> None:
        self._content = content
        self._where = where

    def error(self, field: str, problem: str) -> ElectionFileError:
        return ElectionFileError(f"{self._where}, field '{field}': {problem}.")

    def refuse_others(self, *known: str) -> None:
        for field in self._content:
            if field not in known:
                raise self.error(field, f"unknown; the fields are {', '.join(known)}")

    def required(self, field: str) -> object:
        if field not in self._content:
            raise self.error(field, "missing")
        return self._content[field]

    def tables(self, field: str) -> list[Mapping[str, object]]:
        value = self._content.get(field, [])
        if not isinstance(value, list) or not all(isinstance(entry, Mapping) for entry in value):
            raise self.error(field, f"write [[{field}]] tables")
        return value

    def text(self, field: str, pattern: re.Pattern[str] | None = None, rule: str = "") -> str:
        value = self.required(field)
        if not isinstance(value, str) or not value.strip():
            raise self.error(field, f"{value!r} is not a text")
        if pattern and not pattern.fullmatch(value):
            raise self.error(field, f"{value!r} is not {rule}")
        return value

    def texts(self, field: str) -> tuple[str, ...]:
        value = self._content.get(field, [])
        if not isinstance(value, list) or not all(isinstance(item, str) and fold(item) for item in value):
            raise self.error(field, f"{value!r} is not a list of texts")
        return tuple(value)

    def date(self, field: str) -> dt.date:
        value = self.required(field)
        if not isinstance(value, dt.date) or isinstance(value, dt.datetime):
            raise self.error(field, f"{value!r} is not a date; write it as 2022-04-10, without quotes")
        return value
