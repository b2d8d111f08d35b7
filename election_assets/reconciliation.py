"""Whether every record that was received is accounted for, counted anew from the files and tables themselves."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from election_assets import delta
from election_assets.ingest import ingested_rows
from election_assets.landed import batches, read_landed
from election_assets.retention import RetiredBatch, retired
from election_assets.schemas import CLEANED_TWEETS
from election_assets.storage import DataRoot
from election_assets.transforms.counting import count_rows

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@dataclass
class Reconciliation:
    """Where the records of a candidate are.

    Attributes:
        received: Records in `raw/`, and of the batches whose files were removed.
        waiting: Records of batches that have not landed, and landed rows that were not read yet.
        quarantined: Lines in `quarantine/` of the first delivery of their batch.
        kept: Rows of the table by the landed file that they first came from.
        repeats: Landed rows whose tweet was there already.
        deleted: Landed rows of deleted tweets.
        repeated_deliveries: Messages whose batch had come before.
        foreign: Lines of messages that were refused whole and belong to no batch of this root; they harm nothing.
        problems: What does not add up, a sentence each; empty if everything does.
    """

    received: int = 0
    waiting: int = 0
    quarantined: int = 0
    kept: int = 0
    repeats: int = 0
    deleted: int = 0
    repeated_deliveries: int = 0
    foreign: int = 0
    problems: list[str] = field(default_factory=list)


def reconcile(spark: SparkSession, root: DataRoot, candidate: str) -> Reconciliation:
    """Counts every term where it happens, and compares: batch by batch, file by file, and in all.

    Holds the candidate's lock meanwhile: a run that lands or merges between two of the counts would look like a loss.
    """
    with root.candidate_lock(candidate):
        return _reconcile(spark, root, candidate)


def _reconcile(spark: SparkSession, root: DataRoot, candidate: str) -> Reconciliation:
    ingested = {row["origin"]: row for row in ingested_rows(root, candidate)}
    refused = {origin: len(lines) for origin, lines in root.quarantined_lines(candidate).items()}
    cleaned = delta.read(spark, CLEANED_TWEETS, root.table(CLEANED_TWEETS.name, candidate)).select(
        "tweet_id", "first_origin"
    )
    tombstones = spark.createDataFrame([(tweet_id,) for tweet_id in root.tombstones()], schema="tweet_id string")
    landed = read_landed(spark, root, candidate, root.origins(candidate))
    counted = {row["origin"]: row for row in count_rows(landed, cleaned, tombstones).collect()}
    stored = {row["first_origin"]: row["count"] for row in cleaned.groupBy("first_origin").count().collect()}
    deliveries: dict[str, list[str]] = {}
    for origin, batch_id in batches(root, candidate, {name: row["batch_id"] for name, row in ingested.items()}).items():
        deliveries.setdefault(batch_id, []).append(origin)

    found = Reconciliation()
    ended = retired(root, candidate)
    for batch in ended.values():
        deliveries.pop(batch.batch_id, None)
        _add_retired(found, batch, ingested, stored, bool(root.tombstones()))
    for batch_id in root.batch_ids(candidate):
        if batch_id in ended:
            continue
        received = root.raw_records(candidate, batch_id)
        found.received += received
        origins = deliveries.pop(batch_id, [])
        if not origins:
            found.waiting += received
            continue
        first = _first_delivery(origins, ingested, root, candidate)
        found.repeated_deliveries += len(origins) - 1
        rows = counted[first]["rows"] if first in counted else 0
        lines = refused.get(first, 0)
        found.quarantined += lines
        if rows + lines != received:
            found.problems.append(f"Batch {batch_id}: {received} received, {rows} landed and {lines} quarantined.")
        if first not in ingested:
            found.waiting += rows
            # A run that died after the MERGE left rows of a file that the next run reads again.
            stored.pop(first, None)
            continue
        kept = stored.pop(first, 0)
        found.kept += kept
        if first in counted:
            count = counted[first]
            found.repeats += count["repeats"]
            found.deleted += count["deleted"]
            if kept != count["kept"] or count["lost"]:
                found.problems.append(
                    f"{first}: the table holds {kept} rows that first came from it; it has {count['kept']} such rows"
                    f" and {count['lost']} whose tweet is nowhere; with rebuild: true cleaned_tweets makes it anew."
                )
    for batch_id, origins in deliveries.items():
        if any(origin in ingested or root.landed_file(candidate, origin).exists() for origin in origins):
            found.problems.append(
                f"Batch {batch_id or '(without id)'} landed ({', '.join(origins)}) and is not in {root.raw(candidate)}."
            )
        else:
            found.foreign += sum(refused[origin] for origin in origins)
    for origin, rows in stored.items():
        found.problems.append(f"The table holds {rows} rows that first came from {origin}, which was not delivered.")
    told = found.kept + found.repeats + found.quarantined + found.deleted + found.waiting
    if told != found.received:
        found.problems.append(
            f"{found.received} received, but {found.kept} kept + {found.repeats} repeats + {found.quarantined}"
            f" quarantined + {found.deleted} deleted + {found.waiting} waiting = {told}."
        )
    return found


def _add_retired(
    found: Reconciliation, batch: RetiredBatch, ingested: dict[str, dict], stored: dict[str, int], deletions: bool
) -> None:
    """Adds a batch whose files were removed: what was counted of it then, beside what the table still holds."""
    first = batch.origins[0]
    row = ingested.get(first, {"kept": 0, "repeats": 0, "rows": 0})
    kept = stored.pop(first, 0)
    found.received += batch.received
    found.quarantined += batch.quarantined
    found.repeated_deliveries += len(batch.origins) - 1
    found.kept += kept
    found.repeats += row["repeats"]
    found.deleted += row["rows"] - row["kept"] - row["repeats"]
    if deletions and kept < row["kept"]:
        found.deleted += row["kept"] - kept
    elif kept != row["kept"]:
        found.problems.append(f"{first}: the table holds {kept} rows that first came from it, and {row['kept']} once.")


def _first_delivery(origins: list[str], ingested: dict[str, dict], root: DataRoot, candidate: str) -> str:
    """The delivery that counts: the one that was read, else one with rows, else one that was refused whole."""
    read = [origin for origin in origins if origin in ingested and not ingested[origin]["repeated_delivery"]]
    landed = [origin for origin in origins if root.landed_file(candidate, origin).exists()]
    return sorted(read or landed or origins)[0]
