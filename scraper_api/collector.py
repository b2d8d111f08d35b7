"""Collects pages and cuts them into batches so that nothing is lost and nothing served twice, whatever crashes.

State is `raw/collection.sqlite` under the data root: how far each query has come, the records of every page received
and not yet cut into a batch, and the batches. What was cut lies in `raw/<candidate>/<batch id>.jsonl.gz`, as received.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import gzip
import json
import logging
import os
import re
import secrets
import sqlite3
import threading
import zlib
from collections.abc import Callable, Iterator
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from typing import Any

from election_assets.election import Candidate, Election
from election_assets.schemas import MAX_BATCH_BYTES, MAX_BATCH_RECORDS, TWEET_SCHEMA, encode_tweets, parse_time
from scraper_api.archive import ArchiveError, Segment, list_files, list_segments, storable
from scraper_api.records import Includes, csv_bytes, flat_record, utc_text
from scraper_api.x_client import CollectionError, Page, XClient

log = logging.getLogger(__name__)

STATE_VERSION = 1
_STATE = """
CREATE TABLE candidate (
    key TEXT PRIMARY KEY, query TEXT NOT NULL, pages INTEGER NOT NULL DEFAULT 0,
    partial_errors INTEGER NOT NULL DEFAULT 0, error TEXT
);
CREATE TABLE cursor (
    candidate TEXT, segment TEXT, running INTEGER NOT NULL DEFAULT 0, done INTEGER NOT NULL DEFAULT 0,
    since_id TEXT, next_token TEXT, newest_id TEXT, restarted_at TEXT, PRIMARY KEY (candidate, segment)
);
CREATE TABLE pending (
    number INTEGER PRIMARY KEY AUTOINCREMENT, candidate TEXT NOT NULL, csv_bytes INTEGER NOT NULL, line BLOB NOT NULL
);
CREATE INDEX pending_of_candidate ON pending (candidate, number);
CREATE TABLE batch (
    batch_id TEXT PRIMARY KEY, candidate TEXT NOT NULL, number INTEGER NOT NULL, state TEXT NOT NULL,
    records INTEGER NOT NULL, last_pending INTEGER NOT NULL, UNIQUE (candidate, number)
);
CREATE TABLE segment (
    position INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, file TEXT NOT NULL, start INTEGER NOT NULL,
    "end" INTEGER NOT NULL, sha256 TEXT NOT NULL, replaced INTEGER NOT NULL DEFAULT 0,
    read INTEGER, unreadable INTEGER, matched INTEGER, problems TEXT, problem_count INTEGER
);
CREATE TABLE note (number INTEGER PRIMARY KEY AUTOINCREMENT, candidate TEXT NOT NULL, note TEXT NOT NULL);
"""
_CUT, _CURRENT, _ACKNOWLEDGED = "cut", "current", "acknowledged"
"""A batch's states: decided but perhaps not in its file yet; waiting to be acknowledged; done."""

_X = ""
"""The segment of a source that has none."""

RESTART_PAUSE = dt.timedelta(minutes=15)
"""A source that refuses every page token would else give the first page again and again, without end."""

MAX_PROBLEMS = 100
"""Problems of an archive that are listed one by one; the others are counted."""


class DataRootError(Exception):
    """The data root cannot be used; the message is one sentence."""


class UnknownBatch(Exception):
    """No batch has this id, or its raw file is gone."""


class NotCurrent(Exception):
    """The batch is known, but it is not the one that waits to be acknowledged."""


@dataclass(frozen=True)
class Batch:
    """What is handed out at once; `batch_id` is None and `tweets` empty where there is nothing new.

    Attributes:
        batch_id: `<candidate>-<id of the data root>-<number>`.
        candidate: Key of the candidate.
        schema: `schemas.TWEET_SCHEMA`.
        tweets: Flat records, columns of `schemas.TWEET_V1`.
    """

    batch_id: str | None
    candidate: str
    schema: str
    tweets: list[dict[str, str]]


@dataclass(frozen=True)
class _Cursor:
    """How far one query has come in one segment, or at X."""

    running: bool = False
    done: bool = False
    since_id: str | None = None
    next_token: str | None = None
    newest_id: str | None = None
    restarted_at: str | None = None


def claim_root(data_root: Path, election: str, source: str) -> dict[str, str]:
    """Makes the folder the data root of one election and one source, or finds that it is.

    Returns:
        The content of `root.json`: election, source, root_id (8 hex digits), created_at.

    Raises:
        DataRootError: If it belongs to another election or source, or cannot be written.
    """
    path = data_root / "root.json"
    try:
        if not path.exists():
            data_root.mkdir(parents=True, exist_ok=True)
            root = {
                "election": election,
                "source": source,
                "root_id": secrets.token_hex(4),
                "created_at": _now(),
            }
            beside = data_root / f".root.{secrets.token_hex(8)}.json"
            _write_synced(beside, json.dumps(root, indent=2).encode() + b"\n")
            # Of two processes at once the second finds the name taken; a rename would replace the first one's file.
            with contextlib.suppress(FileExistsError):
                os.link(beside, path)
            beside.unlink()
            _sync_folder(data_root)
        root = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataRootError(f"{data_root} cannot be used as ELECTION_DATA: {error.strerror or error}.") from error
    except ValueError as error:
        raise DataRootError(f"{path} is damaged: restore it, or choose another ELECTION_DATA.") from error
    if not isinstance(root, dict) or not all(
        isinstance(root.get(name), str) for name in ("election", "source", "root_id")
    ):
        raise DataRootError(f"{path} is damaged: restore it, or choose another ELECTION_DATA.")
    if (root["election"], root["source"]) != (election, source):
        raise DataRootError(
            f"{data_root} holds data of election {root['election']} from source {root['source']}, not of {election} "
            f"from {source}: choose another ELECTION_DATA."
        )
    return root


class Collector:
    """The state of one data root and the source that fills it; safe to use from several threads.

    Args:
        data_root: The folder of ELECTION_DATA.
        election: Whose candidates are searched for.
        source: One of `schemas.SOURCES`.
        client: Talks to X, or to the stand-in that serves `archive`.
        archive: File or folder of the archive that the stand-in serves; None for X.

    Raises:
        DataRootError: If the data root belongs to another election, source or running scraper.
    """

    def __init__(
        self, data_root: Path, election: Election, source: str, client: XClient, archive: Path | None = None
    ) -> None:
        self.election = election
        self.source = source
        self.root = claim_root(data_root, election.key, source)
        self._client = client
        self._archive = archive
        self._raw = data_root / "raw"
        self._raw.mkdir(exist_ok=True)
        self._lock_file = _lock_root(self._raw / "scraper.lock")
        try:
            self._db = _open_state(self._raw / "collection.sqlite")
        except BaseException:
            os.close(self._lock_file)
            raise
        self._db_lock = threading.RLock()
        self._listing_lock = threading.Lock()
        self._listing: tuple[object, list[Segment]] = (None, [])
        self._asked: set[tuple[str, str]] = set()
        self._candidate_locks = {candidate.key: threading.Lock() for candidate in election.candidates}
        for candidate in election.candidates:
            self._remember(candidate)

    def close(self) -> None:
        """Closes the state and lets another process have the data root."""
        with self._db_lock:
            self._db.close()
            os.close(self._lock_file)

    def batch(self, candidate_key: str, count: int = MAX_BATCH_RECORDS) -> Batch:
        """The candidate's current batch; the next one is collected and cut if there is none.

        Args:
            candidate_key: Key of a candidate of the election.
            count: The most records of a batch that is cut now.

        Raises:
            CollectionError: If the source fails and nothing is pending.
            DataRootError: If the current batch's raw file is gone or the data root cannot be written.
        """
        candidate = self.election.candidate(candidate_key)
        with self._candidate_locks[candidate.key]:
            current = self._unacknowledged(candidate.key)
            if current is None:
                self._collect(candidate, count)
                current = self._cut(candidate.key, count)
            if current is None:
                return Batch(None, candidate.key, TWEET_SCHEMA, [])
            batch_id, state = current
            if state == _CUT:
                self._write(batch_id)
            try:
                return self._read(batch_id, candidate.key)
            except FileNotFoundError as error:
                raise DataRootError(
                    f"The raw file of batch {batch_id}, not acknowledged yet, is gone: restore {error.filename}."
                ) from error

    def acknowledge(self, batch_id: str) -> None:
        """Moves on from the current batch; a batch that was acknowledged before stays so.

        Raises:
            UnknownBatch: If no batch has this id.
            NotCurrent: If its raw file is there but the state does not know it, as after an older state was restored.
        """
        with self._transaction() as db:
            row = db.execute("SELECT state FROM batch WHERE batch_id = ?", [batch_id]).fetchone()
            if row and row[0] != _CUT:
                db.execute("UPDATE batch SET state = ? WHERE batch_id = ?", [_ACKNOWLEDGED, batch_id])
                return
        if not row and self._stray(batch_id):
            raise NotCurrent(f"Batch {batch_id} is not the current batch of its candidate.")
        raise UnknownBatch(f"There is no batch {batch_id!r}.")

    def again(self, batch_id: str) -> Batch:
        """A batch as it was handed out, read back from its raw file.

        Raises:
            UnknownBatch: If no batch has this id, or its raw file is gone.
        """
        with self._transaction() as db:
            row = db.execute("SELECT candidate, state FROM batch WHERE batch_id = ?", [batch_id]).fetchone()
        if not row or row[1] == _CUT:
            raise UnknownBatch(f"There is no batch {batch_id!r}.")
        try:
            return self._read(batch_id, row[0])
        except FileNotFoundError as error:
            raise UnknownBatch(f"The raw file of batch {batch_id} is gone from {error.filename}.") from error

    def current(self, candidate_key: str) -> str | None:
        """The id of the batch that waits to be acknowledged."""
        row = self._unacknowledged(candidate_key)
        return row[0] if row and row[1] == _CURRENT else None

    def status(self) -> dict[str, Any]:
        """Counts since the root began.

        Returns:
            election, source, root_id; `candidates`: by key `batches` cut, `records` in them, `acknowledged` batches,
            `current` batch id, `pending` records kept and not cut, `pages`, `partial_errors` (things X could not give
            with a page), `error` (the last one, None once a page came) and `notes`; `archive`: None, or `read`,
            `unreadable`, `matched_no_candidate`, `problems` (the first 100: file, line, kind, reason),
            `problem_count`, `segments` and `segments_done` (only those done by every candidate count).
        """
        return {
            **{name: self.root[name] for name in ("election", "source", "root_id")},
            "candidates": {key: self._candidate_status(key) for key in self.election.candidate_keys},
            "archive": self._archive_status() if self._archive else None,
        }

    # --- state -------------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._db_lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def _remember(self, candidate: Candidate) -> None:
        with self._transaction() as db:
            row = db.execute("SELECT query FROM candidate WHERE key = ?", [candidate.key]).fetchone()
            if not row:
                db.execute("INSERT INTO candidate (key, query) VALUES (?, ?)", [candidate.key, candidate.query])
            elif row[0] != candidate.query:
                db.execute("UPDATE candidate SET query = ? WHERE key = ?", [candidate.query, candidate.key])
                if self._archive:
                    db.execute("DELETE FROM cursor WHERE candidate = ?", [candidate.key])
                    note = "The query changed: the archive is searched again, so what was found before comes again."
                else:
                    # A page token belongs to its query.
                    db.execute("UPDATE cursor SET next_token = NULL WHERE candidate = ?", [candidate.key])
                    note = "The query changed: what was searched to its end is not searched again."
                self._note(candidate.key, note)

    def _note(self, key: str, note: str) -> None:
        log.warning("%s: %s", key, note)
        stamped = f"{_now()}: {storable(note)}"
        self._db.execute("INSERT INTO note (candidate, note) VALUES (?, ?)", [key, stamped])

    def _cursor(self, key: str, segment: str) -> _Cursor:
        with self._transaction() as db:
            row = db.execute(
                "SELECT running, done, since_id, next_token, newest_id, restarted_at FROM cursor"
                " WHERE candidate = ? AND segment = ?",
                [key, segment],
            ).fetchone()
        return _Cursor(bool(row[0]), bool(row[1]), *row[2:]) if row else _Cursor()

    def _save(self, key: str, segment: str, cursor: _Cursor, note: str = "") -> None:
        with self._transaction() as db:
            self._put(db, key, segment, cursor)
            if note:
                self._note(key, note)

    def _put(self, db: sqlite3.Connection, key: str, segment: str, cursor: _Cursor) -> None:
        db.execute(
            "INSERT OR REPLACE INTO cursor"
            " (candidate, segment, running, done, since_id, next_token, newest_id, restarted_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [key, segment, *astuple(cursor)],
        )

    def _pending(self, key: str) -> tuple[int, int]:
        with self._transaction() as db:
            return db.execute(
                "SELECT count(*), coalesce(sum(csv_bytes), 0) FROM pending WHERE candidate = ?", [key]
            ).fetchone()

    # --- collecting --------------------------------------------------------------------------------------------------

    def _collect(self, candidate: Candidate, count: int) -> None:
        """Fetches pages until `count` records or a batch's bytes are pending, or nothing more is to be had."""

        def enough() -> bool:
            records, size = self._pending(candidate.key)
            return records >= count or size >= MAX_BATCH_BYTES

        try:
            if self._archive:
                self._collect_archive(candidate, enough)
            else:
                self._collect_x(candidate, enough)
        except CollectionError as error:
            log.warning("%s: %s", candidate.key, error.sentence)
            with self._transaction() as db:
                db.execute("UPDATE candidate SET error = ? WHERE key = ?", [storable(error.sentence), candidate.key])
            if not self._pending(candidate.key)[0]:
                raise

    def _collect_x(self, candidate: Candidate, enough: Callable[[], bool]) -> None:
        begun = False
        while not enough():
            cursor = self._cursor(candidate.key, _X)
            if not cursor.running:
                # A query that an earlier call began may be old by now, so its end is not yet the end of what is new.
                if begun:
                    return
                begun = True
                self._save(candidate.key, _X, _Cursor(running=True, since_id=cursor.since_id))
            self._query(candidate, _X, "", enough)

    def _collect_archive(self, candidate: Candidate, enough: Callable[[], bool]) -> None:
        with self._transaction() as db:
            rows = db.execute("SELECT segment FROM cursor WHERE candidate = ? AND done", [candidate.key]).fetchall()
        done = {segment for (segment,) in rows}
        for segment in self._segments():
            if segment.id in done:
                continue
            if enough():
                return
            try:
                self._query(candidate, segment.id, f"/segments/{segment.id}", enough)
            except CollectionError as error:
                if error.kind != "not_found" or segment.id in {other.id for other in self._segments(fresh=True)}:
                    raise
        if not enough():
            self._note_gone(candidate.key)
            self._summarize()

    def _query(self, candidate: Candidate, segment: str, path: str, enough: Callable[[], bool]) -> None:
        """Goes on with one query to its last page, or until it is enough."""
        while not enough():
            cursor = self._cursor(candidate.key, segment)
            if cursor.done or (segment == _X and not cursor.running):
                return
            try:
                page = self._client.search_page(
                    candidate.query, since_id=cursor.since_id, next_token=cursor.next_token, path=path
                )
            except CollectionError as error:
                if error.kind == "since_id" and cursor.since_id:
                    note = (
                        f"X no longer reaches back to tweet {cursor.since_id}: collected again from the start of X's "
                        "window; tweets between the two may be missing."
                    )
                    self._save(candidate.key, segment, _Cursor(running=True, newest_id=cursor.newest_id), note)
                elif error.kind in ("next_token", "request") and cursor.next_token and _may_restart(cursor):
                    note = "The source refused the remembered page: the query began again, so some tweets come again."
                    again = replace(cursor, next_token=None, restarted_at=_now())
                    self._save(candidate.key, segment, again, note)
                else:
                    raise
                continue
            if page.next_token and page.next_token == cursor.next_token:
                raise CollectionError("answer", "The source gave a page that names itself as the next one; try later.")
            self._asked.add((segment, candidate.key))
            self._keep(candidate.key, segment, cursor, page)

    def _keep(self, key: str, segment: str, cursor: _Cursor, page: Page) -> None:
        """Commits a page's records together with the place where the query goes on."""
        now = _now()
        includes = Includes(page.includes)
        rows = []
        for tweet in page.tweets:
            own = includes.of(tweet)
            flat = flat_record(tweet, own, now, self.source)
            line = {"retrieved_at": flat["retrieved_at"], "source": self.source, "tweet": tweet, "includes": own}
            rows.append([key, csv_bytes(flat), zlib.compress(json.dumps(line, separators=(",", ":")).encode(), 1)])
        ids = [tweet.get("id") for tweet in page.tweets if isinstance(tweet, dict)]
        newest = _largest([cursor.newest_id, page.newest_id, *ids])
        if page.next_token:
            moved = replace(cursor, running=True, next_token=page.next_token, newest_id=newest)
        elif segment == _X:
            moved = _Cursor(since_id=_largest([cursor.since_id, newest]))
        else:
            moved = _Cursor(done=True)
        with self._transaction() as db:
            db.executemany("INSERT INTO pending (candidate, csv_bytes, line) VALUES (?, ?, ?)", rows)
            self._put(db, key, segment, moved)
            if moved.done:
                # Of a candidate or a query that is new, the archive's counts do not know yet.
                db.execute("UPDATE segment SET matched = NULL WHERE id = ?", [segment])
            db.execute(
                "UPDATE candidate SET pages = pages + 1, partial_errors = partial_errors + ?, error = NULL"
                " WHERE key = ?",
                [page.partial_errors, key],
            )

    def _segments(self, fresh: bool = False) -> list[Segment]:
        """The archive's segments, in order; listed anew only when a file's name, size or time changed."""
        assert self._archive is not None
        with self._listing_lock:
            try:
                seen = _look(self._archive)
                if fresh or seen != self._listing[0]:
                    self._listing = (seen, self._list_segments(self._archive))
            except ArchiveError as error:
                raise CollectionError("archive", storable(str(error))) from error
            except OSError as error:
                sentence = storable(f"The archive {self._archive} cannot be read: {error}.")
                raise CollectionError("archive", sentence) from error
            return self._listing[1]

    def _list_segments(self, archive: Path) -> list[Segment]:
        known: dict[str, list[Segment]] = {}
        with self._transaction() as db:
            rows = db.execute('SELECT id, file, start, "end", sha256 FROM segment ORDER BY position').fetchall()
        for segment_id, file, *rest in rows:
            segment = Segment(segment_id, os.fsdecode(file), *rest)
            known.setdefault(segment.file, []).append(segment)
        listed = list_segments(archive, known)
        with self._transaction() as db:
            db.executemany(
                'INSERT OR IGNORE INTO segment (id, file, start, "end", sha256) VALUES (?, ?, ?, ?, ?)',
                # As bytes: a file's name need not be text.
                [[one.id, os.fsencode(one.file), one.start, one.end, one.sha256] for one in listed],
            )
            current, files = {segment.id for segment in listed}, {segment.file for segment in listed}
            db.executemany(
                "UPDATE segment SET replaced = ? WHERE id = ?",
                [[one.file in files and one.id not in current, one.id] for pieces in known.values() for one in pieces],
            )
        return listed

    def _note_gone(self, key: str) -> None:
        """Notes, once a file, what left the archive before this candidate's query came to its end."""
        with self._transaction() as db:
            # What replaces a piece holds its content, too, and is read from its start.
            rows = db.execute(
                "SELECT id, file FROM segment LEFT JOIN cursor ON segment = id AND candidate = ?"
                " WHERE NOT coalesce(done, 0) AND NOT replaced ORDER BY position",
                [key],
            ).fetchall()
            noted = {
                note.partition(": ")[2] for (note,) in db.execute("SELECT note FROM note WHERE candidate = ?", [key])
            }
        listed = {segment.id for segment in self._segments()}
        for file in dict.fromkeys(os.fsdecode(file) for segment, file in rows if segment not in listed):
            note = storable(f"{file} left the archive before it was read to its end; put back, it is read on.")
            if note not in noted:
                with self._transaction():
                    self._note(key, note)

    def _summarize(self) -> None:
        """Keeps what the stand-in knows of each segment that every candidate is now done with."""
        with self._transaction() as db:
            rows = db.execute(
                "SELECT id FROM segment WHERE matched IS NULL AND"
                " NOT EXISTS (SELECT 1 FROM json_each(?) AS key LEFT JOIN cursor"
                " ON cursor.candidate = key.value AND cursor.segment = segment.id WHERE NOT coalesce(cursor.done, 0))",
                [json.dumps(self.election.candidate_keys)],
            ).fetchall()
        finished = {row[0] for row in rows}
        for segment in self._segments():
            if segment.id in finished:
                self._summarize_one(segment)

    def _summarize_one(self, segment: Segment) -> None:
        path = f"/segments/{segment.id}"
        for candidate in self.election.candidates:
            # The stand-in counts the matches of the queries it was asked since it began.
            if (segment.id, candidate.key) not in self._asked:
                self._client.search_page(candidate.query, path=path, size=10)
                self._asked.add((segment.id, candidate.key))
        summary = self._client.get(f"{path}/summary")
        with self._transaction() as db:
            db.execute(
                "UPDATE segment SET read = ?, unreadable = ?, matched = ?, problems = ?, problem_count = ?"
                " WHERE id = ?",
                [
                    *(summary[name] for name in ("read", "unreadable", "matched")),
                    json.dumps(summary["problems"]),
                    summary["problem_count"],
                    segment.id,
                ],
            )

    # --- batches -----------------------------------------------------------------------------------------------------

    def _unacknowledged(self, key: str) -> tuple[str, str] | None:
        with self._transaction() as db:
            return db.execute(
                "SELECT batch_id, state FROM batch WHERE candidate = ? AND state != ?", [key, _ACKNOWLEDGED]
            ).fetchone()

    def _cut(self, key: str, count: int) -> tuple[str, str] | None:
        """Decides which pending records are the next batch; its file is written after, from the same records."""
        with self._transaction() as db:
            rows = db.execute(
                "SELECT number, csv_bytes FROM pending WHERE candidate = ? ORDER BY number LIMIT ?",
                [key, min(count, MAX_BATCH_RECORDS)],
            ).fetchall()
            size, taken = len(encode_tweets([])), 0
            for _, csv_size in rows:
                size += csv_size
                if size > MAX_BATCH_BYTES:
                    break
                taken += 1
            if not taken:
                return None
            last = db.execute("SELECT coalesce(max(number), 0) FROM batch WHERE candidate = ?", [key]).fetchone()[0]
            number = max([last, *self._numbers_on_disk(key)]) + 1
            batch_id = f"{key}-{self.root['root_id']}-{number:06d}"
            db.execute(
                "INSERT INTO batch (batch_id, candidate, number, state, records, last_pending)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                [batch_id, key, number, _CUT, taken, rows[taken - 1][0]],
            )
        return batch_id, _CUT

    def _write(self, batch_id: str) -> None:
        """Writes the raw file of a batch that was cut, then drops its records from the pending ones."""
        with self._transaction() as db:
            key, last = db.execute(
                "SELECT candidate, last_pending FROM batch WHERE batch_id = ?", [batch_id]
            ).fetchone()
            lines = db.execute(
                "SELECT line FROM pending WHERE candidate = ? AND number <= ? ORDER BY number", [key, last]
            ).fetchall()
        path = self._path(key, batch_id)
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}.part")
        content = b"".join(zlib.decompress(line) + b"\n" for (line,) in lines)
        _write_synced(beside, gzip.compress(content, compresslevel=6, mtime=0))
        beside.rename(path)
        _sync_folder(path.parent)
        _sync_folder(self._raw)
        with self._transaction() as db:
            db.execute("DELETE FROM pending WHERE candidate = ? AND number <= ?", [key, last])
            db.execute("UPDATE batch SET state = ? WHERE batch_id = ?", [_CURRENT, batch_id])
        log.info("%s: batch %s with %d records", key, batch_id, len(lines))

    def _read(self, batch_id: str, key: str) -> Batch:
        with gzip.open(self._path(key, batch_id)) as file:
            lines = [json.loads(line) for line in file]
        tweets = [flat_record(line["tweet"], line["includes"], line["retrieved_at"], line["source"]) for line in lines]
        return Batch(batch_id, key, TWEET_SCHEMA, tweets)

    def _path(self, key: str, batch_id: str) -> Path:
        return self._raw / key / f"{batch_id}.jsonl.gz"

    def _numbers_on_disk(self, key: str) -> list[int]:
        """Numbers of the batches in the folder, some of which an older state, restored, may not know."""
        stem = f"{key}-{self.root['root_id']}-"
        names = [path.name.removeprefix(stem).removesuffix(".jsonl.gz") for path in (self._raw / key).glob(f"{stem}*")]
        return [int(name) for name in names if name.isdecimal()]

    def _stray(self, batch_id: str) -> bool:
        names = {f"{batch_id}.jsonl.gz"}
        folders = (self._raw / key for key in self.election.candidate_keys)
        return any(path.name in names for folder in folders for path in folder.glob("*.jsonl.gz"))

    # --- status ------------------------------------------------------------------------------------------------------

    def _candidate_status(self, key: str) -> dict[str, Any]:
        with self._transaction() as db:
            batches, records, acknowledged = db.execute(
                "SELECT count(*), coalesce(sum(records), 0), coalesce(sum(state = ?), 0) FROM batch"
                " WHERE candidate = ? AND state != ?",
                [_ACKNOWLEDGED, key, _CUT],
            ).fetchone()
            pages, partial_errors, error = db.execute(
                "SELECT pages, partial_errors, error FROM candidate WHERE key = ?", [key]
            ).fetchone()
            notes = db.execute("SELECT note FROM note WHERE candidate = ? ORDER BY number", [key]).fetchall()
        return {
            "batches": batches,
            "records": records,
            "acknowledged": acknowledged,
            "current": self.current(key),
            "pending": self._pending(key)[0],
            "pages": pages,
            "partial_errors": partial_errors,
            "error": error,
            "notes": [note for (note,) in notes],
        }

    def _archive_status(self) -> dict[str, Any]:
        with self._transaction() as db:
            rows = db.execute(
                "SELECT read, matched, replaced, unreadable, problems, problem_count FROM segment ORDER BY position"
            ).fetchall()
        done = [row for row in rows if row[0] is not None]
        # A piece that another replaced was read, but what was wrong with it no longer is.
        present = [row for row in done if not row[2]]
        return {
            "read": sum(row[0] for row in done),
            "unreadable": sum(row[3] for row in present),
            "matched_no_candidate": sum(row[0] - row[1] for row in done if row[1] is not None),
            "problems": [problem for row in present for problem in json.loads(row[4])][:MAX_PROBLEMS],
            "problem_count": sum(row[5] for row in present),
            "segments": len(rows),
            "segments_done": len(done),
        }


def _now() -> str:
    return utc_text(dt.datetime.now(dt.UTC))


def _may_restart(cursor: _Cursor) -> bool:
    """Whether a query whose page token is refused may begin again; each time, the same tweets come again."""
    last = parse_time(cursor.restarted_at or "")
    return last is None or dt.datetime.now(dt.UTC) - last >= RESTART_PAUSE


def _largest(ids: list[object]) -> str | None:
    """The largest of X's ids; what is none does not count."""
    numbers = [int(text) for text in ids if isinstance(text, str) and re.fullmatch("[0-9]{1,25}", text)]
    return str(max(numbers)) if numbers else None


def _look(archive: Path) -> object:
    """Name, size and time of every file: equal as long as nothing changed."""
    files = list_files(archive).items()
    stats = [(name, path.lstat() if path.is_symlink() and not path.exists() else path.stat()) for name, path in files]
    return [(name, stat.st_size, stat.st_mtime_ns, stat.st_ino) for name, stat in stats]


def _lock_root(path: Path) -> int:
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(lock)
        raise DataRootError(f"Another scraper is running on {path.parent.parent}: stop it, or use that one.") from error
    return lock


def _open_state(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version > STATE_VERSION:
            raise DataRootError(f"{path} was written by a newer version of this program: update it.")
        if not version:
            db.executescript(f"BEGIN; {_STATE} PRAGMA user_version = {STATE_VERSION}; COMMIT;")
    except sqlite3.DatabaseError as error:
        db.close()
        raise DataRootError(f"{path} is damaged ({error}): restore it, or choose another ELECTION_DATA.") from error
    except DataRootError:
        db.close()
        raise
    return db


def _write_synced(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(path: Path) -> None:
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
