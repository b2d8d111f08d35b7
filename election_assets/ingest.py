"""Landed files become rows of `cleaned_tweets`: each file once, each tweet once, and every row counted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from election_assets import delta
from election_assets.election import Election
from election_assets.landed import batches, read_landed
from election_assets.schemas import CLEANED_TWEETS, INGESTED
from election_assets.storage import DataRoot
from election_assets.transforms.cleaning import NEWEST, clean_tweets, reduce_repeats
from election_assets.transforms.counting import count_rows

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

FILES_A_MERGE = 200
"""Files merged in one go, so that a large backlog needs no more memory than a small one."""


class RebuildRefusedError(RuntimeError):
    """A table cannot be made anew, because files that it was made from are gone."""


@dataclass(frozen=True)
class Ingestion:
    """What one call added.

    Attributes:
        files: Landed files read.
        rows: Their rows.
        kept: Rows that became a row of the table.
        repeats: Rows whose tweet was there already.
        quarantined: Lines of the same messages that were refused at landing.
        repeated_deliveries: Files whose batch had come before.
        days: Dates that the read rows fall on.
    """

    files: int = 0
    rows: int = 0
    kept: int = 0
    repeats: int = 0
    quarantined: int = 0
    repeated_deliveries: int = 0
    days: tuple[dt.date, ...] = ()


def ingested_rows(root: DataRoot, candidate: str) -> list[dict[str, Any]]:
    """The rows of the `ingested` table, in the order in which the files were read; empty if there is none."""
    from deltalake import DeltaTable

    path = root.table(INGESTED.name, candidate)
    if not delta.exists(path):
        return []
    delta.check_version(INGESTED, path)
    rows = DeltaTable(path).to_pyarrow_table().to_pylist()
    return sorted(rows, key=lambda row: row["sequence"])


def ingest(
    spark: SparkSession, root: DataRoot, election: Election, candidate: str, key: bytes, *, rebuild: bool = False
) -> Ingestion:
    """Reads the landed files that were not read yet and MERGEs their tweets; holds the candidate's lock meanwhile.

    The rows of `ingested` are written after the MERGE, which is idempotent: a crash between the two only reads files
    again. With `rebuild` both tables are made anew from everything that landed, with an equal result.

    Args:
        spark: The session.
        root: The data root.
        election: The election.
        candidate: Key of the candidate.
        key: Key of the pseudonyms.
        rebuild: Make the tables anew.

    Raises:
        RebuildRefusedError: If files that the table was made from are gone.
    """
    with root.candidate_lock(candidate):
        known = ingested_rows(root, candidate)
        if rebuild:
            return _rebuild(spark, root, election, candidate, key, known)
        seen = {row["origin"] for row in known}
        new = [origin for origin in root.origins(candidate) if origin not in seen]
        delta.ensure(CLEANED_TWEETS, root.table(CLEANED_TWEETS.name, candidate))
        _delete_tombstones(spark, root, candidate, known)
        total = Ingestion()
        for start in range(0, len(new), FILES_A_MERGE):
            step = _Step(spark, root, election, candidate, key, known, new[start : start + FILES_A_MERGE])
            added = step.merge()
            known = known + step.rows
            total = _sum(total, added)
        return total


def _rebuild(
    spark: SparkSession, root: DataRoot, election: Election, candidate: str, key: bytes, known: list[dict[str, Any]]
) -> Ingestion:
    present = root.origins(candidate)
    order = [row["origin"] for row in known]
    missing = sorted(set(order) - set(present))
    if missing:
        raise RebuildRefusedError(
            f"{candidate}: the table cannot be made anew, because {len(missing)} landed files that it was made from are"
            f" gone: {', '.join(missing)}."
        )
    order += sorted(set(present) - set(order))
    return _Step(spark, root, election, candidate, key, [], order).replace()


class _Step:
    """Some landed files on their way into the table."""

    def __init__(
        self,
        spark: SparkSession,
        root: DataRoot,
        election: Election,
        candidate: str,
        key: bytes,
        known: Sequence[dict[str, Any]],
        origins: Sequence[str],
    ) -> None:
        self.spark, self.root, self.candidate = spark, root, candidate
        self.table = root.table(CLEANED_TWEETS.name, candidate)
        self.batches = batches(root, candidate, {row["origin"]: row["batch_id"] for row in known})
        self.quarantined = {origin: len(lines) for origin, lines in root.quarantined_lines(candidate).items()}
        self.sequences = {origin: number for number, origin in enumerate(origins, len(known) + 1)}
        delivered = {row["batch_id"] for row in known}
        self.repeated = set()
        for origin in origins:
            batch_id = self.batches.get(origin, "")
            if batch_id and batch_id in delivered:
                self.repeated.add(origin)
            delivered.add(batch_id)
        first = [origin for origin in origins if origin not in self.repeated]
        self.landed = read_landed(spark, root, candidate, origins)
        self.first_landed = read_landed(spark, root, candidate, first)
        self.tweets = self._without_tombstones(
            reduce_repeats(
                clean_tweets(self.first_landed, election=election, candidate=candidate, pseudonym_key=key),
                {origin: self.sequences[origin] for origin in first},
            )
        )
        self.rows: list[dict[str, Any]] = []

    def merge(self) -> Ingestion:
        from pyspark.sql import functions as F

        # A MERGE reads its source more than once, and the texts are the costly part: they are cleaned once, to a file.
        with self.root.staging(self.candidate) as folder:
            self.tweets.write.parquet(folder)
            tweets = self._on_stored_days(self.spark.read.schema(CLEANED_TWEETS.ddl).parquet(folder))
            days = sorted(row["day"] for row in tweets.select("day").distinct().collect())
            if days:
                listed = ", ".join(f"date'{day}'" for day in days)
                delta.merge(
                    self.spark,
                    tweets,
                    CLEANED_TWEETS,
                    self.table,
                    on=f"t.day IN ({listed}) AND t.day = s.day AND t.tweet_id = s.tweet_id",
                    update_if="s.retrieved_at >= t.retrieved_at",
                    update=NEWEST,
                )
        stored = delta.read(self.spark, CLEANED_TWEETS, self.table).where(F.col("day").isin(days))
        self.rows = self._count(stored)
        delta.append(_ingested_frame(self.spark, self.rows), INGESTED, self.root.table(INGESTED.name, self.candidate))
        return self._ingestion(days)

    def _on_stored_days(self, tweets: DataFrame) -> DataFrame:
        """The tweets, those that the table holds under another day on that one: the MERGE looks at one day only.

        A tweet's date does not change, but a broken record's does, and all do with another time zone in the election
        file. Reading the stored ids takes 0.05 s a million.
        """
        from pyspark.sql import functions as F

        stored = delta.read(self.spark, CLEANED_TWEETS, self.table).select("tweet_id", F.col("day").alias("stored_day"))
        new = tweets.select("tweet_id", "day")
        elsewhere = stored.join(new, "tweet_id").where("day != stored_day").select("tweet_id", "stored_day").collect()
        if not elsewhere:
            return tweets
        moved = self.spark.createDataFrame([tuple(row) for row in elsewhere], schema="tweet_id string, stored_day date")
        return (
            tweets.join(moved, "tweet_id", "left")
            .withColumn("day", F.coalesce("stored_day", "day"))
            .select(*CLEANED_TWEETS.names)
        )

    def replace(self) -> Ingestion:
        delta.replace(self.tweets, CLEANED_TWEETS, self.table)
        stored = delta.read(self.spark, CLEANED_TWEETS, self.table)
        self.rows = self._count(stored)
        delta.replace(_ingested_frame(self.spark, self.rows), INGESTED, self.root.table(INGESTED.name, self.candidate))
        return self._ingestion(sorted(row["day"] for row in stored.select("day").distinct().collect()))

    def _without_tombstones(self, tweets: DataFrame) -> DataFrame:
        deleted = self.root.tombstones()
        return tweets.join(_ids(self.spark, deleted), "tweet_id", "left_anti") if deleted else tweets

    def _count(self, stored: DataFrame) -> list[dict[str, Any]]:
        now = dt.datetime.now(dt.UTC)
        counted = count_rows(self.landed, stored, _ids(self.spark, self.root.tombstones())).collect()
        counts = {row["origin"]: row for row in counted}
        rows = []
        for origin, sequence in self.sequences.items():
            count, repeated = counts.get(origin), origin in self.repeated
            rows.append(
                {
                    "origin": origin,
                    "batch_id": self.batches.get(origin, ""),
                    "sequence": sequence,
                    "rows": count["rows"] if count else 0,
                    "kept": count["kept"] if count and not repeated else 0,
                    "repeats": count["repeats"] if count and not repeated else 0,
                    "quarantined": 0 if repeated else self.quarantined.get(origin, 0),
                    "repeated_delivery": repeated,
                    "ingested_at": now,
                }
            )
        return rows

    def _ingestion(self, days: Sequence[dt.date]) -> Ingestion:
        return Ingestion(
            files=len(self.rows),
            rows=sum(row["rows"] for row in self.rows),
            kept=sum(row["kept"] for row in self.rows),
            repeats=sum(row["repeats"] for row in self.rows),
            quarantined=sum(row["quarantined"] for row in self.rows),
            repeated_deliveries=sum(row["repeated_delivery"] for row in self.rows),
            days=tuple(days),
        )


def _delete_tombstones(spark: SparkSession, root: DataRoot, candidate: str, known: list[dict[str, Any]]) -> None:
    """Removes tweets that were declared deleted after they were stored, from the table and from what counts as kept."""
    from pyspark.sql import functions as F

    deleted = root.tombstones()
    path = root.table(CLEANED_TWEETS.name, candidate)
    stored = delta.read(spark, CLEANED_TWEETS, path).select(
        "first_origin", F.col("tweet_id").isin(deleted).alias("gone")
    )
    counts = stored.groupBy("first_origin").agg(
        F.count_if("gone").alias("gone"), F.count_if(~F.col("gone")).alias("left")
    )
    left = {row["first_origin"]: row["left"] for row in counts.where("gone > 0").collect()} if deleted else {}
    if left:
        for row in known:
            row["kept"] = left.get(row["origin"], row["kept"])
        # Before the rows go, and as what is left: a crash in between changes nothing when it is done again.
        delta.replace(_ingested_frame(spark, known), INGESTED, root.table(INGESTED.name, candidate))
        delta.delete(spark, path, f"tweet_id IN ({', '.join(repr(tweet_id) for tweet_id in deleted)})")


def _ingested_frame(spark: SparkSession, rows: Sequence[dict[str, Any]]) -> DataFrame:
    return spark.createDataFrame([tuple(row[name] for name in INGESTED.names) for row in rows], schema=INGESTED.ddl)


def _ids(spark: SparkSession, ids: Sequence[str]) -> DataFrame:
    return spark.createDataFrame([(tweet_id,) for tweet_id in ids], schema="tweet_id string")


def _sum(one: Ingestion, other: Ingestion) -> Ingestion:
    return Ingestion(
        files=one.files + other.files,
        rows=one.rows + other.rows,
        kept=one.kept + other.kept,
        repeats=one.repeats + other.repeats,
        quarantined=one.quarantined + other.quarantined,
        repeated_deliveries=one.repeated_deliveries + other.repeated_deliveries,
        days=tuple(sorted({*one.days, *other.days})),
    )
