"""Raw, landed and quarantined files are removed when they have served; their counts stay."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from election_assets.ingest import ingested_rows
from election_assets.landed import batches
from election_assets.storage import RAW_SUFFIX, DataRoot, write_atomically

DEFAULT_DAYS = 90


@dataclass(frozen=True)
class RetiredBatch:
    """What stays of a batch whose files were removed.

    Attributes:
        batch_id: The scraper's id of the batch.
        received: Its records.
        quarantined: Lines of it that were refused.
        origins: Every delivery of it, the one that counts first.
    """

    batch_id: str
    received: int
    quarantined: int
    origins: tuple[str, ...]


def retention_days(env: Mapping[str, str]) -> int | None:
    """Days that RETENTION_DAYS keeps a batch's files, None where it is 0: for ever.

    Raises:
        ValueError: If it is no whole number.
    """
    written = env.get("RETENTION_DAYS", "").strip() or str(DEFAULT_DAYS)
    if not (written.isascii() and written.isdigit()):
        raise ValueError(f"RETENTION_DAYS={written} is not a whole number of days; 0 keeps the files for ever.")
    return int(written) or None


def retired(root: DataRoot, candidate: str) -> dict[str, RetiredBatch]:
    """The batches of a candidate whose files were removed, by id."""
    file = root.retired_file(candidate)
    if not file.exists():
        return {}
    entries = (json.loads(line) for line in file.read_text(encoding="utf-8").splitlines())
    return {entry["batch_id"]: RetiredBatch(**{**entry, "origins": tuple(entry["origins"])}) for entry in entries}


def retire(root: DataRoot, candidate: str, before: dt.datetime) -> int:
    """Removes the files of the batches that were collected before an instant and have been read; how many batches.

    The counts are kept first, so a crash in between only removes the files at the next call.

    Args:
        root: The data root.
        candidate: Key of the candidate.
        before: Batches whose raw file is younger stay.
    """
    with root.candidate_lock(candidate):
        known = retired(root, candidate)
        ingested = {row["origin"]: row for row in ingested_rows(root, candidate)}
        deliveries: dict[str, list[str]] = {}
        for origin, batch_id in batches(
            root, candidate, {name: row["batch_id"] for name, row in ingested.items()}
        ).items():
            deliveries.setdefault(batch_id, []).append(origin)
        refused = {origin: len(lines) for origin, lines in root.quarantined_lines(candidate).items()}
        ended = []
        for batch_id in root.batch_ids(candidate):
            raw = root.raw(candidate) / f"{batch_id}{RAW_SUFFIX}"
            origins = deliveries.get(batch_id, [])
            if raw.stat().st_mtime >= before.timestamp() or not _all_read(root, candidate, origins, ingested):
                continue
            # The delivery that counts is the one that was read first, or the only one that there is.
            origins.sort(key=lambda origin: (origin not in ingested or ingested[origin]["repeated_delivery"], origin))
            if batch_id not in known:
                received, lines = root.raw_records(candidate, batch_id), refused.get(origins[0], 0)
                known[batch_id] = RetiredBatch(batch_id, received, lines, tuple(origins))
            ended.append(batch_id)
        if ended:
            entries = [json.dumps(asdict(entry), ensure_ascii=False) + "\n" for entry in known.values()]
            write_atomically(root.retired_file(candidate), "".join(entries).encode())
        present = {*root.origins(candidate), *refused}
        # Of all that were ever removed: a batch may be delivered again after that.
        for batch_id in known:
            origins = deliveries.get(batch_id, [])
            if _all_read(root, candidate, origins, ingested):
                for origin in present.intersection(origins):
                    root.landed_file(candidate, origin).unlink(missing_ok=True)
                    root.quarantine_file(candidate, origin).unlink(missing_ok=True)
        for batch_id in ended:
            # Last, for it is what a call after a crash goes by.
            (root.raw(candidate) / f"{batch_id}{RAW_SUFFIX}").unlink()
        return len(ended)


def _all_read(root: DataRoot, candidate: str, origins: list[str], ingested: Mapping[str, object]) -> bool:
    """Whether a batch was delivered, and no delivery of it waits to be read."""
    return bool(origins) and all(
        origin in ingested or not root.landed_file(candidate, origin).exists() for origin in origins
    )
