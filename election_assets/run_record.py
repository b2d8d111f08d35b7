"""What a run did, as `report/run.json` and the report tell it: counts, errors, versions, engines, seconds."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import Any, NamedTuple

from election_assets.election import Election
from election_assets.ingest import ingested_rows
from election_assets.retention import retired
from election_assets.storage import DataRoot

COUNTS = ("received", "repeats", "quarantined", "kept", "repeated_deliveries", "deleted", "waiting")
PACKAGES = (
    "dagster",
    "pyspark-client",
    "pysail",
    "deltalake",
    "kafka-python",
    "tweepy",
    "textblob",
    "textblob-fr",
    "vaderSentiment-fr",
    "simplemma",
    "plotly",
    "wordcloud",
)


def run_record(
    root: DataRoot,
    election: Election,
    *,
    run_id: str,
    errors: Mapping[str, str],
    notes: Mapping[str, Sequence[str]],
    archive: Mapping[str, Any] | None,
    engines: Mapping[str, str],
    seconds: Mapping[str, float],
    now: dt.datetime,
) -> dict[str, Any]:
    """The record of a run.

    Args:
        root: The data root.
        election: The election.
        run_id: Dagster's id of the run.
        errors: The candidates that had trouble, with a sentence each.
        notes: What the scraper noted of a candidate's collection, such as tweets that may be missing.
        archive: What the scraper says of the archive it reads, None where it reads X.
        engines: What does the work: `spark`, `broker`, `sentiment`.
        seconds: Seconds that each asset took.
        now: The time of the report.

    Returns:
        `election`, `source`, `made_at`, `since` (of the report before this one, None if there is none), `run_id`;
        `candidates`, by key: `run`, `root`, `error` and `notes`; `total`:
        `run` and `root`; `archive`, `versions`, `engines`, `seconds`. `root` counts since the data root began, `run`
        what was read since the report before this one. The counts: `received` records, of which `repeats`,
        `quarantined`, `kept`, `deleted` (rows of deleted tweets) and `waiting` (collected, not read yet); and
        `repeated_deliveries`, messages whose batch had come before.
    """
    since = _previous_report(root)
    start = since or dt.datetime.min.replace(tzinfo=dt.UTC)
    counts = {
        "run": {key: _counts(root, key, start, now) for key in election.candidate_keys},
        "root": {key: _counts(root, key, None, now) for key in election.candidate_keys},
    }
    return {
        "election": {"key": election.key, "name": election.name},
        "source": root.info(election).source,
        "made_at": now.isoformat(),
        "since": since.isoformat() if since else None,
        "run_id": run_id,
        "candidates": {
            key: {
                **{span: each[key] for span, each in counts.items()},
                "error": errors.get(key),
                "notes": list(notes.get(key, ())),
            }
            for key in election.candidate_keys
        },
        "total": {span: _total(list(each.values())) for span, each in counts.items()},
        "archive": dict(archive) if archive else None,
        "versions": {package: version(package) for package in PACKAGES},
        "engines": dict(engines),
        "seconds": {name: round(value, 2) for name, value in seconds.items()},
    }


def _previous_report(root: DataRoot) -> dt.datetime | None:
    try:
        return dt.datetime.fromisoformat(json.loads((root.report / "run.json").read_text(encoding="utf-8"))["made_at"])
    except (FileNotFoundError, ValueError, KeyError):
        return None


def _counts(root: DataRoot, candidate: str, since: dt.datetime | None, now: dt.datetime) -> dict[str, int]:
    """Counts of the messages read since then and up to now, or of all that was ever received."""
    read = ingested_rows(root, candidate)
    known = {row["origin"] for row in read}
    rows = [row for row in read if since is None or since < row["ingested_at"] <= now]
    refused = [each for each in _refused_whole(root, candidate, read) if since is None or since < each.landed_at <= now]
    delivered = {row["batch_id"] for row in rows if not row["repeated_delivery"]} | {each.batch_id for each in refused}
    ended = retired(root, candidate)
    kept = [batch_id for batch_id in root.batch_ids(candidate) if batch_id not in ended]
    records = {batch_id: batch.received for batch_id, batch in ended.items()}
    # Of batches that were not read since then the files need not be counted.
    records |= {each: root.raw_records(candidate, each) for each in kept if since is None or each in delivered}
    refused_before = sum(batch.quarantined for batch in ended.values() if batch.origins[0] not in known)
    return {
        "received": sum(count for batch_id, count in records.items() if since is None or batch_id in delivered),
        "repeats": sum(row["repeats"] for row in rows),
        "quarantined": sum(row["quarantined"] for row in rows)
        + sum(each.lines for each in refused)
        + (refused_before if since is None else 0),
        "kept": sum(row["kept"] for row in rows),
        "repeated_deliveries": sum(row["repeated_delivery"] for row in rows),
        "deleted": sum(row["rows"] - row["kept"] - row["repeats"] for row in rows if not row["repeated_delivery"]),
        "waiting": sum(records[each] for each in kept if since is None and each not in delivered),
    }


class _Refused(NamedTuple):
    batch_id: str
    lines: int
    landed_at: dt.datetime


def _refused_whole(root: DataRoot, candidate: str, read: list[dict[str, Any]]) -> Iterator[_Refused]:
    """The batches of the candidate that landed in quarantine alone: no table tells of them."""
    missing = set(root.batch_ids(candidate)) - {row["batch_id"] for row in read}
    landed = set(root.origins(candidate))
    for origin, lines in root.quarantined_lines(candidate).items():
        batch_id = str(lines[0]["batch_id"]) if lines else ""
        if origin not in landed and batch_id in missing:
            missing.remove(batch_id)
            written = root.quarantine_file(candidate, origin).stat().st_mtime
            yield _Refused(batch_id, len(lines), dt.datetime.fromtimestamp(written, dt.UTC))


def _total(counts: list[dict[str, int]]) -> dict[str, int]:
    return {name: sum(each[name] for each in counts) for name in COUNTS}
