"""Where everything lies under the data root, and how a file is written there: whole or not at all."""

from __future__ import annotations

import contextlib
import fcntl
import gzip
import hmac
import json
import os
import re
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from election_assets.election import Election

RAW_SUFFIX = ".jsonl.gz"
LANDED_SUFFIX = ".csv"
QUARANTINE_SUFFIX = ".jsonl"

_PATH = re.compile(r"[A-Za-z0-9/._~+@=:,()-]+")
"""Paths that Sail and deltalake read alike; Sail writes others (spaces, accents, %, #, [) to an encoded name."""


class DataRootError(ValueError):
    """The data root cannot serve this election; the message says why and what to do."""


@dataclass(frozen=True)
class RootInfo:
    """What the scraper wrote in `root.json`: whose data this is.

    Attributes:
        election: Key of the election.
        source: `sample`, `archive` or `x`.
        root_id: 8 hex digits, made once; part of every batch id.
    """

    election: str
    source: str
    root_id: str


@dataclass(frozen=True)
class DataRoot:
    """The folder under which all data of one election and one source lies."""

    path: Path

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> DataRoot:
        """The folder that ELECTION_DATA names, `./data` by default.

        Raises:
            DataRootError: If its absolute path holds a character that Spark engines do not all write as it stands.
        """
        path = Path(env.get("ELECTION_DATA") or "data").resolve()
        if not _PATH.fullmatch(str(path)):
            raise DataRootError(
                f"The data cannot lie in {path}: tables want a path of unaccented letters, digits and /._~+@=:,()-"
                " alone; name such a folder in ELECTION_DATA."
            )
        return cls(path)

    def info(self, election: Election) -> RootInfo:
        """Whose data this is.

        Raises:
            DataRootError: If nothing was collected yet, or it belongs to another election.
        """
        file = self.path / "root.json"
        try:
            content = json.loads(file.read_text(encoding="utf-8"))
            info = RootInfo(content["election"], content["source"], content["root_id"])
        except FileNotFoundError as error:
            raise DataRootError(
                f"{file} is missing: the scraper has collected nothing here yet; materialise raw_tweets first."
            ) from error
        except (ValueError, KeyError, TypeError) as error:
            raise DataRootError(
                f"{file} is not what the scraper wrote; restore it, or name another ELECTION_DATA."
            ) from error
        if info.election != election.key:
            raise DataRootError(
                f"{self.path} holds election {info.election!r} and ELECTION is {election.key!r};"
                " name another ELECTION_DATA for it."
            )
        return info

    def check_source(self, election: Election, env: Mapping[str, str]) -> None:
        """Refuses a source that this data is not from; an outside scraper (SCRAPER_URL) knows its own.

        Raises:
            DataRootError: If the environment asks for another source, or the root belongs to another election.
        """
        found = self.info(election).source
        asked = "x" if env.get("X_BEARER_TOKEN") else "archive" if env.get("ARCHIVE") else "sample"
        if not env.get("SCRAPER_URL") and asked != found:
            raise DataRootError(
                f"{self.path} holds data from source {found!r} and {asked!r} is asked for;"
                " name another ELECTION_DATA for it."
            )

    def raw(self, candidate: str) -> Path:
        """Folder of the batches as received, one file a batch; the scraper alone writes there."""
        return self.path / "raw" / candidate

    def landed(self, candidate: str) -> Path:
        """Folder of the landed CSV files, one a message."""
        return self.path / "landed" / candidate

    def quarantine(self, candidate: str) -> Path:
        """Folder of the refused lines, one JSON lines file a message that had any."""
        return self.path / "quarantine" / candidate

    def table(self, name: str, candidate: str | None = None) -> str:
        """Path of a Delta table; of a candidate's where there is one a candidate."""
        folder = self.path / "tables" / name
        return str(folder / candidate if candidate else folder)

    @contextlib.contextmanager
    def staging(self, candidate: str) -> Iterator[str]:
        """A path for a candidate's half-made rows, which is free at first and removed at the end."""
        folder = self.path / "tables" / "staging" / candidate
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield str(folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    @property
    def report(self) -> Path:
        """Folder of the files that a reader opens."""
        return self.path / "report"

    @property
    def services_file(self) -> Path:
        """Addresses of the embedded services of this root."""
        return self.path / "services.json"

    def retired_file(self, candidate: str) -> Path:
        """Counts of the batches whose files were removed, a JSON line a batch."""
        return self.path / "retired" / f"{candidate}.jsonl"

    @property
    def tombstones_file(self) -> Path:
        """Ids of deleted tweets, one a line, which no table may hold."""
        return self.path / "deleted_tweets.txt"

    def tombstones(self) -> list[str]:
        """Ids of deleted tweets.

        Raises:
            DataRootError: If the file holds something else, which would leave the tweet that was meant in the tables.
        """
        if not self.tombstones_file.exists():
            return []
        ids = set(self.tombstones_file.read_text(encoding="utf-8-sig").split())
        for word in sorted(ids):
            if not (word.isascii() and word.isdigit()):
                raise DataRootError(
                    f"{self.tombstones_file}: {word!r} is no tweet id; write one id a line, digits alone."
                )
        return sorted(ids)

    def batch_ids(self, candidate: str) -> list[str]:
        """Ids of the batches kept in `raw/`, in order of collection."""
        return sorted(file.name.removesuffix(RAW_SUFFIX) for file in self.raw(candidate).glob(f"*{RAW_SUFFIX}"))

    def raw_records(self, candidate: str, batch_id: str) -> int:
        """Number of records in a kept batch, counted in the file."""
        with gzip.open(self.raw(candidate) / f"{batch_id}{RAW_SUFFIX}", "rb") as file:
            return sum(1 for _ in file)

    def origins(self, candidate: str) -> list[str]:
        """Origins of the landed files, sorted."""
        return sorted(
            file.name.removesuffix(LANDED_SUFFIX).removeprefix("~")
            for file in self.landed(candidate).glob(f"*{LANDED_SUFFIX}")
        )

    def landed_file(self, candidate: str, origin: str) -> Path:
        """The landed file of an origin."""
        # Spark passes over files whose names begin so, and one Kafka cluster's id in 64 begins with _.
        hidden = origin.startswith(("_", "."))
        return self.landed(candidate) / f"{'~' if hidden else ''}{origin}{LANDED_SUFFIX}"

    def quarantine_file(self, candidate: str, origin: str) -> Path:
        """The refused lines of an origin."""
        return self.quarantine(candidate) / f"{origin}{QUARANTINE_SUFFIX}"

    def quarantined_lines(self, candidate: str) -> dict[str, list[dict[str, object]]]:
        """The refused lines by origin: `reason`, `batch_id`, `line` and `original` of each."""
        return {
            file.name.removesuffix(QUARANTINE_SUFFIX): [json.loads(line) for line in file.read_bytes().splitlines()]
            for file in sorted(self.quarantine(candidate).glob(f"*{QUARANTINE_SUFFIX}"))
        }

    def candidate_lock(self, candidate: str) -> AbstractContextManager[None]:
        """Holds the candidate's lock: one run at a time lands and merges."""
        return self.lock(candidate)

    def collection_lock(self, candidate: str) -> AbstractContextManager[None]:
        """Holds the lock of the candidate's collection: two at once would both publish every batch."""
        # No candidate's key holds a `_`.
        return self.lock(f"_collect_{candidate}")

    @contextlib.contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Holds a lock that all processes of this root share; the system frees it if the process dies."""
        folder = self.path / "locks"
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / f"{name}.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def pseudonym_key(self, env: Mapping[str, str]) -> bytes:
        """The key of the pseudonyms: PSEUDONYM_KEY, or a random one made once under the root for its owner alone.

        Raises:
            DataRootError: If the root's pseudonyms were made with another key: one author would count as two.
        """
        key = env["PSEUDONYM_KEY"].encode() if env.get("PSEUDONYM_KEY") else self._own_pseudonym_key()
        file = self.path / "pseudonym.check"
        check = hmac.new(key, b"election-assets", "sha256").hexdigest()[:16].encode()
        with self.lock("_pseudonym"):
            if not file.exists():
                write_atomically(file, check)
        if file.read_bytes() != check:
            raise DataRootError(
                f"{self.path} holds pseudonyms made with another key; give PSEUDONYM_KEY as it was, or remove {file}"
                " and make the tables of all candidates anew (rebuild: true)."
            )
        return key

    def _own_pseudonym_key(self) -> bytes:
        file = self.path / "pseudonym.key"
        with contextlib.suppress(FileExistsError):
            if not file.exists():
                self.path.mkdir(parents=True, exist_ok=True)
                draft = self.path / f".pseudonym.{secrets.token_hex(8)}"
                with os.fdopen(os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600), "w") as new:
                    new.write(secrets.token_hex(32))
                    new.flush()
                    os.fsync(new.fileno())
                try:
                    # A link fails where another process was first, and never shows half a key.
                    os.link(draft, file)
                finally:
                    draft.unlink()
        return file.read_bytes()


def write_atomically(path: Path, content: bytes) -> None:
    """Writes a file beside its place, syncs it and renames it, so that a crash leaves the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Random, because two threads share a process id, and so do the first processes of two containers.
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.draft")
    try:
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
