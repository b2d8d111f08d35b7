"""A local stand-in for the recent search of X API v2: it serves an archive over HTTP, as X would serve it.

Unlike X it answers in the order of the archive (files by name), repeats included, and knows no 7-day window.
Every tweet carries `__twarc.retrieved_at` where the archive knows it. Besides X's route there are

- `GET /segments/<id>/2/tweets/search/recent`: the same over one piece of the archive (`archive.Segment`). The id alone
  names file, offsets and content: a piece need not be in a listing to be served.
- `GET /segments`: the pieces, as listed without memory.
- `GET /segments/<id>/summary`: tweets read, problems, and records matched by any query so far.

A piece is read once, at its first use, into a private temporary SQLite file that is gone with the process.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import hmac
import itertools
import json
import re
import sqlite3
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from flask import Flask, Response, request

from election_assets.election import MAX_QUERY_CHARACTERS
from election_assets.schemas import parse_time
from scraper_api.archive import (
    ArchivedTweet,
    Problem,
    Segment,
    find_segment,
    list_files,
    list_segments,
    read_segment,
    storable,
)
from scraper_api.query import QueryError, SearchableTweet, compile_query, searchable

DEFAULT_RATE_LIMIT = 100_000
"""Searches in a window; high enough that a run never meets it (X: 450)."""
WINDOW_SECONDS = 15 * 60
SHOWN_PROBLEMS = 100
_THREADS = 24
"""More than an election has candidates: waitress warns of every request that waits for a thread."""

_PROBLEMS = "https://api.twitter.com/2/problems"
_PARAMETERS = {
    "query", "max_results", "since_id", "until_id", "start_time", "end_time", "next_token", "pagination_token",
    "expansions", "tweet.fields", "user.fields", "place.fields", "media.fields", "poll.fields",
}  # fmt: skip
_EXPANSIONS = {
    "author_id": "author_id",
    "referenced_tweets.id": "referenced_tweets",
    "referenced_tweets.id.author_id": "referenced_tweets",
    "geo.place_id": "geo",
    "in_reply_to_user_id": "in_reply_to_user_id",
}
"""Expansions that are served, and the field of the tweet that each brings with it."""
_FIELDS = {
    "tweet.fields": {
        "article", "attachments", "author_id", "card_uri", "community_id", "context_annotations", "conversation_id",
        "created_at", "display_text_range", "edit_controls", "edit_history_tweet_ids", "entities", "geo", "id",
        "in_reply_to_user_id", "lang", "media_metadata", "non_public_metrics", "note_tweet", "organic_metrics",
        "possibly_sensitive", "promoted_metrics", "public_metrics", "referenced_tweets", "reply_settings", "scopes",
        "source", "text", "withheld",
    },
    "user.fields": {
        "affiliation", "connection_status", "created_at", "description", "entities", "id", "is_identity_verified",
        "location", "most_recent_tweet_id", "name", "parody", "pinned_tweet_id", "profile_banner_url",
        "profile_image_url", "protected", "public_metrics", "receives_your_dm", "subscription", "subscription_type",
        "url", "username", "verified", "verified_followers_count", "verified_type", "withheld",
    },
    "place.fields": {
        "contained_within", "country", "country_code", "full_name", "geo", "id", "name", "place_type",
    },
}  # fmt: skip
"""Fields that can be asked for (docs.x.com, 'Fields')."""
_ALWAYS = {
    "tweet.fields": {"id", "text", "edit_history_tweet_ids"},
    "user.fields": {"id", "name", "username"},
    "place.fields": {"id", "full_name"},
}


class _BadParameter(ValueError):
    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


class _UnknownSegmentError(LookupError):
    """The archive holds no such piece."""


@dataclass(frozen=True)
class _Search:
    """The parameters of a search, checked."""

    query: str
    max_results: int
    filters: tuple[tuple[str, int], ...]
    token: str | None
    expansions: frozenset[str]
    fields: Mapping[str, frozenset[str]]

    def digest(self, scope: str) -> str:
        """Tells the tokens of one search from those of another."""
        return hashlib.sha256(json.dumps([scope, self.query, self.filters]).encode()).hexdigest()[:16]


class _Index:
    """Tweets of pieces in a private SQLite file: each piece read once, each query tested once a piece."""

    def __init__(self, archive: Path) -> None:
        self._archive = archive
        # An empty name is SQLite's own temporary file: readable by its owner alone, gone with the connection.
        self._db = sqlite3.connect("", check_same_thread=False, isolation_level=None)
        self._db.executescript(
            """
            PRAGMA synchronous = OFF;
            PRAGMA cache_size = -32000;
            CREATE TABLE search (key INTEGER PRIMARY KEY, text, hashtags, mentions, author, author_id, lang, kinds);
            CREATE TABLE tweets (key INTEGER PRIMARY KEY, id INTEGER, created INTEGER, body BLOB);
            CREATE TABLE matches (query INTEGER, key INTEGER, PRIMARY KEY (query, key)) WITHOUT ROWID;
            CREATE TABLE problems (piece INTEGER, file, line, kind, reason);
            """
        )
        self._lock = threading.Lock()
        self._pieces: dict[str, int] = {}
        self._counts: dict[int, tuple[int, int]] = {}
        self._queries: dict[str, int] = {}
        self._tested: set[tuple[int, int]] = set()
        self._listing: tuple[object, list[Segment]] = ((), [])

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def segments(self) -> list[Segment]:
        """The pieces of the archive, listed anew when a file's size or time has changed."""
        with self._lock:
            seen = [(file, *_stamp(where)) for file, where in list_files(self._archive).items()]
            if self._listing[0] != seen:
                self._listing = (seen, list_segments(self._archive))
            return self._listing[1]

    def summary(self, segment_id: str) -> dict:
        """Counts and first problems of a piece."""
        with self._lock:
            piece = self._piece(segment_id)
            read, unreadable = self._counts[piece]
            bounds = (piece << 32, (piece + 1) << 32)
            matched = self._db.execute(
                "SELECT count(DISTINCT key) FROM matches WHERE key >= ? AND key < ?", bounds
            ).fetchone()[0]
            rows = self._db.execute(
                "SELECT file, line, kind, reason FROM problems WHERE piece = ? ORDER BY rowid", (piece,)
            )
            problems = [Problem(*row)._asdict() for row in rows]
        return {
            "read": read,
            "unreadable": unreadable,
            "matched": matched,
            "problems": problems,
            "problem_count": unreadable,
        }

    def page(
        self, segment_id: str, query: str, filters: tuple[tuple[str, int], ...], after: int, limit: int
    ) -> list[tuple[int, bytes]]:
        """At most `limit` matches of a piece behind a position: position and packed tweet."""
        conditions = "".join(f" AND {_FILTERS[name]}" for name, _ in filters)
        with self._lock:
            piece = self._piece(segment_id)
            number = self._queries.setdefault(query, len(self._queries))
            self._test(number, query, piece)
            base = piece << 32
            rows = self._db.execute(
                "SELECT t.key, t.body FROM matches m JOIN tweets t ON t.key = m.key"
                f" WHERE m.query = ? AND m.key > ? AND m.key < ?{conditions} ORDER BY m.key LIMIT ?",
                (number, base + after, (piece + 1) << 32, *(value for _, value in filters), limit),
            ).fetchall()
        return [(key - base, body) for key, body in rows]

    def _piece(self, segment_id: str) -> int:
        if segment_id not in self._pieces:
            segment = find_segment(self._archive, segment_id)
            if segment is None:
                raise _UnknownSegmentError(segment_id)
            piece = len(self._pieces)
            with _transaction(self._db):
                self._counts[piece] = self._fill(piece, segment)
            self._pieces[segment_id] = piece
        return self._pieces[segment_id]

    def _fill(self, piece: int, segment: Segment) -> tuple[int, int]:
        read = unreadable = 0
        for item in read_segment(self._archive, segment):
            if isinstance(item, Problem):
                unreadable += 1
                if unreadable <= SHOWN_PROBLEMS:
                    safe = (storable(item.file), item.line, item.kind, storable(item.reason))
                    self._db.execute("INSERT INTO problems VALUES (?, ?, ?, ?, ?)", (piece, *safe))
                continue
            read += 1
            key = (piece << 32) + read
            self._db.execute(
                "INSERT INTO search VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (key, *searchable(item.tweet, item.includes))
            )
            self._db.execute(
                "INSERT INTO tweets VALUES (?, ?, ?, ?)",
                (key, _number(item.tweet.get("id")), _seconds(item.tweet.get("created_at")), _pack(item)),
            )
        return read, unreadable

    def _test(self, number: int, query: str, piece: int) -> None:
        if (number, piece) in self._tested:
            return
        matches = compile_query(query)
        rows = self._db.execute(
            "SELECT text, hashtags, mentions, author, author_id, lang, kinds, key FROM search"
            " WHERE key >= ? AND key < ? ORDER BY key",
            (piece << 32, (piece + 1) << 32),
        )
        found = [(number, row[7]) for row in rows if matches(SearchableTweet._make(row[:7]))]
        with _transaction(self._db):
            self._db.executemany("INSERT INTO matches VALUES (?, ?)", found)
        self._tested.add((number, piece))


_FILTERS = {
    "since_id": "t.id > ?",
    "until_id": "t.id < ?",
    "start_time": "t.created >= ?",
    "end_time": "t.created < ?",
}
"""A record whose id is no number or whose date is impossible is never inside such bounds."""


@contextlib.contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[None]:
    """All or nothing: a piece that cannot be read to its end leaves no rows behind."""
    db.execute("BEGIN")
    try:
        yield
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def _stamp(where: Path) -> tuple[int, int]:
    try:
        stat = where.stat()
    except OSError:
        return (-1, -1)
    return (stat.st_size, stat.st_mtime_ns)


def _number(value: object) -> int | None:
    written = str(value)
    if not re.fullmatch("[0-9]{1,19}", written):
        return None
    number = int(written)
    return number if number < 2**63 else None


def _seconds(value: object) -> int | None:
    instant = parse_time(value) if isinstance(value, str) else None
    return int(instant.timestamp()) if instant else None


def _pack(item: ArchivedTweet) -> bytes:
    return zlib.compress(json.dumps([item.tweet, item.includes, item.retrieved_at]).encode(), 1)


_Row = tuple[dict, dict[str, list[dict]], str | None]


def _unpack(body: bytes) -> _Row:
    tweet, includes, retrieved_at = json.loads(zlib.decompress(body))
    return tweet, includes, retrieved_at


# The parameters of a search


def _search(arguments: Mapping[str, str]) -> _Search:
    for name in arguments:
        if name not in _PARAMETERS:
            known = ", ".join(sorted(_PARAMETERS))
            raise _BadParameter(name, f"The query parameter [{name}] is not one of [{known}].")
    query = arguments.get("query", "")
    if not query.strip():
        raise _BadParameter("query", "query: may not be empty.")
    if len(query) > MAX_QUERY_CHARACTERS:
        raise _BadParameter("query", f"query: {len(query)} characters, at most {MAX_QUERY_CHARACTERS} are taken.")
    try:
        compile_query(query)
    except QueryError as error:
        raise _BadParameter("query", str(error)) from error
    written = arguments.get("max_results", "10")
    if not re.fullmatch("[0-9]{1,4}", written) or not 10 <= int(written) <= 100:
        raise _BadParameter("max_results", f"max_results: {written!r} is not a whole number between 10 and 100.")
    if "since_id" in arguments and "start_time" in arguments:
        raise _BadParameter("since_id", "since_id: cannot be given together with start_time.")
    filters: list[tuple[str, int]] = []
    for name in ("since_id", "until_id"):
        if name in arguments:
            filters.append((name, _id_parameter(name, arguments[name])))
    for name in ("start_time", "end_time"):
        if name in arguments:
            filters.append((name, _time_parameter(name, arguments[name])))
    expansions = _list_parameter(arguments, "expansions", set(_EXPANSIONS))
    fields = {name: _list_parameter(arguments, name, known) | _ALWAYS[name] for name, known in _FIELDS.items()}
    fields["tweet.fields"] |= {_EXPANSIONS[expansion] for expansion in expansions}
    token = arguments.get("next_token", arguments.get("pagination_token"))
    return _Search(query, int(written), tuple(filters), token, expansions, fields)


def _id_parameter(name: str, written: str) -> int:
    number = _number(written)
    if number is None:
        raise _BadParameter(name, f"{name}: {written!r} is not a tweet id.")
    return number


def _time_parameter(name: str, written: str) -> int:
    instant = parse_time(written)
    if instant is None or not written[0].isdigit():
        raise _BadParameter(name, f"{name}: {written!r} is not a time such as 2022-03-28T00:00:00Z.")
    return int(instant.timestamp() + (0 if instant.microsecond == 0 else 1))


def _list_parameter(arguments: Mapping[str, str], name: str, known: set[str]) -> frozenset[str]:
    values = frozenset(value for value in arguments.get(name, "").split(",") if value)
    for value in sorted(values - known):
        raise _BadParameter(name, f"The `{name}` query parameter value [{value}] is not one of {sorted(known)}.")
    return values


def _token(digest: str, segment_id: str, position: int) -> str:
    return base64.urlsafe_b64encode(f"{digest}.{segment_id}.{position}".encode()).decode().rstrip("=")


def _read_token(token: str, digest: str) -> tuple[str, int]:
    try:
        written = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode("ascii")
    except (binascii.Error, ValueError):
        written = ""
    found = re.fullmatch(r"([0-9a-f]{16})\.([0-9a-z-]{1,80})\.([0-9]{1,9})", written)
    if not found or found[1] != digest:
        raise _BadParameter("next_token", "next_token: the token is not one of this search.")
    return found[2], int(found[3])


# The body of an answer


def _answer(
    rows: list[tuple[dict, dict[str, list[dict]], str | None]], search: _Search, next_token: str | None
) -> dict:
    answer: dict = {}
    data = []
    included: dict[str, dict[str, dict]] = {"users": {}, "tweets": {}, "places": {}}
    fields = search.fields["tweet.fields"]
    for tweet, includes, retrieved_at in rows:
        served = {"id": tweet.get("id"), **_only(tweet, fields)}
        if retrieved_at is not None:
            served["__twarc"] = {"retrieved_at": retrieved_at}
        data.append(served)
        for kind, item in _included(tweet, includes, search.expansions):
            # Of an object that the page's records hold in several states, the last of the archive is served.
            included[kind][str(item.get("id"))] = item
    if data:
        answer["data"] = data
    kinds = {"users": "user.fields", "tweets": "tweet.fields", "places": "place.fields"}
    objects = {kind: [_only(item, search.fields[kinds[kind]]) for item in included[kind].values()] for kind in kinds}
    if any(objects.values()):
        answer["includes"] = {kind: items for kind, items in objects.items() if items}
    numbers = sorted(number for tweet, _, _ in rows if (number := _number(tweet.get("id"))) is not None)
    meta: dict = {"newest_id": str(numbers[-1]), "oldest_id": str(numbers[0])} if numbers else {}
    meta["result_count"] = len(rows)
    if next_token:
        meta["next_token"] = next_token
    answer["meta"] = meta
    return answer


def _only(item: dict, fields: frozenset[str]) -> dict:
    return {name: value for name, value in item.items() if name in fields}


def _included(tweet: dict, includes: dict[str, list[dict]], expansions: frozenset[str]) -> Iterator[tuple[str, dict]]:
    wanted = []
    if "author_id" in expansions:
        wanted.append(tweet.get("author_id"))
    if "in_reply_to_user_id" in expansions:
        wanted.append(tweet.get("in_reply_to_user_id"))
    if "referenced_tweets.id.author_id" in expansions:
        wanted.extend(other.get("author_id") for other in includes["tweets"])
    people = {str(person) for person in wanted if person is not None}
    yield from (("users", user) for user in includes["users"] if str(user.get("id")) in people)
    if "referenced_tweets.id" in expansions:
        yield from (("tweets", other) for other in includes["tweets"])
    if "geo.place_id" in expansions:
        yield from (("places", place) for place in includes["places"])


class _RateLimit:
    """Counts searches in windows of 15 minutes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._reset = 0
        self._used = 0

    def take(self) -> tuple[bool, dict[str, str]]:
        """Whether one more search is allowed, and the headers that tell."""
        with self._lock:
            now = int(time.time())
            if now >= self._reset:
                self._reset, self._used = now + WINDOW_SECONDS, 0
            allowed = self._used < self._limit
            self._used += allowed
            headers = {
                "x-rate-limit-limit": str(self._limit),
                "x-rate-limit-remaining": str(self._limit - self._used),
                "x-rate-limit-reset": str(self._reset),
            }
        return allowed, headers


def _json(body: dict, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    kind = "application/json" if status < 400 else "application/problem+json"
    return Response(json.dumps(body), status, headers, content_type=f"{kind}; charset=utf-8")


def create_stand_in(archive: Path, bearer_token: str, rate_limit: int = DEFAULT_RATE_LIMIT) -> Flask:
    """The stand-in as a Flask application.

    Args:
        archive: A file or folder that `archive.list_segments` reads.
        bearer_token: What requests must bring as `Authorization: Bearer <token>`.
        rate_limit: Searches that are answered in a window of 15 minutes.

    Raises:
        ArchiveError: If the archive does not exist.
    """
    list_files(archive)
    app = Flask("stand_in")
    index = _Index(archive)
    limiter = _RateLimit(rate_limit)
    expected = f"Bearer {bearer_token}".encode()

    @app.before_request
    def authorize() -> Response | None:
        given = request.headers.get("Authorization", "").encode(errors="replace")
        if hmac.compare_digest(given, expected):
            return None
        return _json({"title": "Unauthorized", "type": "about:blank", "status": 401, "detail": "Unauthorized"}, 401)

    def pages(search: _Search, segment_id: str | None) -> dict:
        digest = search.digest(segment_id or "")
        first, after = (None, 0) if search.token is None else _read_token(search.token, digest)
        ids = [segment_id] if segment_id else [segment.id for segment in index.segments()]
        if first is not None and first not in ids:
            raise _BadParameter("next_token", "next_token: the archive has changed; start the search anew.")
        rows: list[tuple[str, int, bytes]] = []
        for current in itertools.dropwhile(lambda candidate: first is not None and candidate != first, ids):
            missing = search.max_results + 1 - len(rows)
            found = index.page(current, search.query, search.filters, after, missing)
            rows.extend((current, position, body) for position, body in found)
            after = 0
            if len(rows) > search.max_results:
                break
        page = rows[: search.max_results]
        next_token = _token(digest, page[-1][0], page[-1][1]) if len(rows) > len(page) else None
        return _answer([_unpack(body) for _, _, body in page], search, next_token)

    def limited(answer: Callable[[], dict]) -> Response:
        allowed, headers = limiter.take()
        if not allowed:
            body = {"title": "Too Many Requests", "detail": "Too Many Requests", "type": "about:blank", "status": 429}
            return _json(body, 429, headers)
        try:
            return _json(answer(), 200, headers)
        except _UnknownSegmentError as error:
            answered = not_found(error)
            answered.headers.update(headers)
            return answered
        except _BadParameter as error:
            value = request.args.getlist(error.name)
            body = {
                "errors": [{"parameters": {error.name: value}, "message": str(error)}],
                "title": "Invalid Request",
                "detail": "One or more parameters to your request was invalid.",
                "type": f"{_PROBLEMS}/invalid-request",
            }
            return _json(body, 400, headers)

    @app.get("/2/tweets/search/recent")
    def search_all() -> Response:
        return limited(lambda: pages(_search(request.args), None))

    @app.get("/segments/<segment_id>/2/tweets/search/recent")
    def search_segment(segment_id: str) -> Response:
        return limited(lambda: pages(_search(request.args), segment_id))

    @app.get("/segments")
    def segments() -> Response:
        return _json({"segments": [asdict(segment) for segment in index.segments()]})

    @app.get("/segments/<segment_id>/summary")
    def summary(segment_id: str) -> Response:
        return _json(index.summary(segment_id))

    @app.errorhandler(_UnknownSegmentError)
    @app.errorhandler(404)
    def not_found(error: Exception) -> Response:
        what = f"piece {error}" if isinstance(error, _UnknownSegmentError) else f"page {request.path}"
        body = {
            "title": "Not Found Error",
            "type": f"{_PROBLEMS}/resource-not-found",
            "status": 404,
            "detail": f"The archive has no {what}; it may have changed since it was listed.",
        }
        return _json(body, 404)

    app.extensions["stand_in"] = index
    return app


class StandIn:
    """The stand-in on 127.0.0.1, served by waitress in a thread of its own; a context manager.

    Attributes:
        url: Address without a path, such as `http://127.0.0.1:40123`.
    """

    def __init__(
        self, archive: Path, bearer_token: str, *, port: int = 0, rate_limit: int = DEFAULT_RATE_LIMIT
    ) -> None:
        from waitress.server import create_server

        self._app = create_stand_in(archive, bearer_token, rate_limit)
        self._server = create_server(self._app, host="127.0.0.1", port=port, threads=_THREADS, ident="stand-in")
        self.url = f"http://127.0.0.1:{self._server.effective_port}"
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="stand-in", daemon=True)
        self._thread.start()

    def __enter__(self) -> StandIn:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stops serving and removes the temporary file; a second call does nothing."""
        from waitress import wasyncore

        if not self._stopping.is_set():
            self._stopping.set()
            self._server.trigger.pull_trigger()
            self._thread.join()
            # Only now: neither the loop nor a request waits on what is closed.
            self._server.task_dispatcher.shutdown()
            wasyncore.close_all(self._server._map)
            self._app.extensions["stand_in"].close()

    def _serve(self) -> None:
        from waitress import wasyncore

        while not self._stopping.is_set():
            wasyncore.loop(timeout=1, use_poll=True, map=self._server._map, count=1)
