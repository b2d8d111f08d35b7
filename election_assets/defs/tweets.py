"""A candidate's tables: `cleaned_tweets`, `candidate_stats`, and the checks that keep a wrong table from going on."""

import datetime as dt
import hashlib
import os
from collections.abc import Iterator
from typing import Any

import dagster as dg

from election_assets import delta
from election_assets.candidates import completeness, each_candidate, report_errors, sentence
from election_assets.defs.ingestion import COMPLETENESS, FRESHNESS, landed_csv
from election_assets.defs.upstream import OWNERS
from election_assets.ingest import ingest
from election_assets.metadata import table_definition, table_metadata
from election_assets.partitions import CANDIDATES, DATA_ROOT, ELECTION, ONE_RUN
from election_assets.reconciliation import reconcile
from election_assets.retention import retention_days, retire
from election_assets.schemas import CANDIDATE_STATS, CLEANED_TWEETS
from resources.spark import SparkResource

SHOWN_COLUMNS = ["created_at", "kind", "lang", "hashtags", "named_candidates", "department", "engagement"]
"""Columns of the preview: Dagster keeps previews for ever, so no text and no author is among them."""


class CleaningConfig(dg.Config):
    """Settings of a run.

    Attributes:
        rebuild: Make the tables anew from everything that landed, instead of adding what is new.
    """

    rebuild: bool = False


@dg.asset(
    partitions_def=CANDIDATES,
    backfill_policy=ONE_RUN,
    deps=[landed_csv],
    group_name="tweets",
    kinds={"pyspark", "deltalake"},
    owners=OWNERS,
    freshness_policy=FRESHNESS,
    check_specs=[dg.AssetCheckSpec("cleaned_for_every_candidate", asset="cleaned_tweets", description=COMPLETENESS)],
    metadata=table_definition(CLEANED_TWEETS),
)
def cleaned_tweets(
    context: dg.AssetExecutionContext, config: CleaningConfig, spark: SparkResource
) -> dg.MaterializeResult:
    """Clean tweets with their features; a row is a tweet id.

    New is what landed and is not in the `ingested` table: a run costs what is new, not what is stored. A repeat updates
    the counts of its tweet and adds no row. Files of batches older than RETENTION_DAYS are removed once they were read;
    their counts stay.
    """
    DATA_ROOT.info(ELECTION)
    session, key = spark.session, DATA_ROOT.pseudonym_key(os.environ)
    retention = retention_days(os.environ)

    def work(candidate: str) -> dict[str, Any]:
        added = ingest(session, DATA_ROOT, ELECTION, candidate, key, rebuild=config.rebuild)
        ended = 0
        if retention is not None:
            ended = retire(DATA_ROOT, candidate, dt.datetime.now(dt.UTC) - dt.timedelta(days=retention))
        path = DATA_ROOT.table(CLEANED_TWEETS.name, candidate)
        table = delta.read(session, CLEANED_TWEETS, path)
        return {
            "files": added.files,
            "kept": added.kept,
            "repeats": added.repeats,
            "quarantined": added.quarantined,
            "repeated_deliveries": added.repeated_deliveries,
            "retired_batches": ended,
            "days": f"{len(added.days)}, {added.days[0]} to {added.days[-1]}" if added.days else "none",
            **table_metadata(path, delta.row_count(path), table.select(*SHOWN_COLUMNS)),
        }

    done, errors = each_candidate(context, work)
    for candidate, metadata in done.items():
        context.add_asset_metadata(metadata, partition_key=candidate)
    report_errors(context, errors)
    return dg.MaterializeResult(
        check_results=[completeness("cleaned_for_every_candidate", context.asset_key, errors)],
    )


_BLOCKING = {
    "unique_ids": "No tweet id twice in a candidate's table.",
    "no_null_dates": "Every tweet has its instant and its day.",
    "no_mojibake": "No text that was decoded with a wrong character set.",
    "reconciliation": "received = kept + repeats + quarantined (+ deleted + waiting), every term counted where it is.",
}
MOJIBAKE = "Ã[©¨ª«§¢´»®¯¹\u00a0]|â€[™œ\u009d“”¦]|\ufffd{2,}"
"""UTF-8 read as Latin-1 or Windows-1252 (é, è, ê, ’, … in their broken forms), and runs of replacement characters."""
MOJIBAKE_SHARE = 0.01
"""Tweets are quoted as they came, a few broken by their own authors; more than this share is our own fault."""


@dg.multi_asset_check(
    specs=[
        dg.AssetCheckSpec(name, asset=cleaned_tweets, blocking=True, description=description)
        for name, description in _BLOCKING.items()
    ]
)
def cleaned_tweets_checks(spark: SparkResource) -> Iterator[dg.AssetCheckResult]:
    """Checks every candidate's table and names those that are wrong."""
    from functools import reduce

    from pyspark.sql import DataFrame
    from pyspark.sql import functions as F

    keys = [key for key in ELECTION.candidate_keys if delta.exists(DATA_ROOT.table(CLEANED_TWEETS.name, key))]
    problems: dict[str, dict[str, list[str]]] = {name: {} for name in _BLOCKING}
    if keys:
        tables = [
            delta.read(spark.session, CLEANED_TWEETS, DATA_ROOT.table(CLEANED_TWEETS.name, key)).select(
                F.lit(key).alias("candidate"), "tweet_id", "created_at", "day", "text"
            )
            for key in keys
        ]
        counted = (
            reduce(DataFrame.unionByName, tables)
            .groupBy("candidate")
            .agg(
                F.count("*").alias("rows"),
                F.countDistinct("tweet_id").alias("ids"),
                F.sum(F.when(F.col("created_at").isNull() | F.col("day").isNull(), 1).otherwise(0)).alias("undated"),
                F.sum(F.when(F.col("text").rlike(MOJIBAKE), 1).otherwise(0)).alias("broken"),
            )
        )
        for row in counted.collect():
            key = row["candidate"]
            if row["ids"] != row["rows"]:
                problems["unique_ids"][key] = [f"{row['rows']} rows for {row['ids']} tweet ids."]
            if row["undated"]:
                problems["no_null_dates"][key] = [f"{row['undated']} rows without a date."]
            if row["broken"] > max(1, MOJIBAKE_SHARE * row["rows"]):
                problems["no_mojibake"][key] = [f"{row['broken']} of {row['rows']} texts."]
    totals: dict[str, int] = {}
    for key in ELECTION.candidate_keys:
        try:
            found = reconcile(spark.session, DATA_ROOT, key)
        except Exception as error:
            # Such as a file that is cut off: it is that candidate's, and has to be named.
            problems["reconciliation"][key] = [f"Not to be counted: {type(error).__name__}: {sentence(error)}"]
            continue
        if found.problems:
            problems["reconciliation"][key] = found.problems
        for term in (
            "received",
            "kept",
            "repeats",
            "quarantined",
            "deleted",
            "waiting",
            "repeated_deliveries",
            "foreign",
        ):
            totals[term] = totals.get(term, 0) + getattr(found, term)
    for name, wrong in problems.items():
        yield dg.AssetCheckResult(
            check_name=name,
            asset_key=cleaned_tweets.key,
            passed=not wrong,
            description=f"Wrong: {', '.join(wrong)}." if wrong else None,
            metadata={
                **{key: dg.MetadataValue.md("\n".join(f"- {text}" for text in texts)) for key, texts in wrong.items()},
                **(totals if name == "reconciliation" else {}),
            },
        )


@dg.asset(
    partitions_def=CANDIDATES,
    backfill_policy=ONE_RUN,
    deps=[cleaned_tweets],
    group_name="tweets",
    kinds={"pyspark", "deltalake"},
    owners=OWNERS,
    freshness_policy=FRESHNESS,
    check_specs=[dg.AssetCheckSpec("counted_for_every_candidate", asset="candidate_stats", description=COMPLETENESS)],
    metadata=table_definition(CANDIDATE_STATS),
)
def candidate_stats(context: dg.AssetExecutionContext, spark: SparkResource) -> dg.MaterializeResult:
    """Aggregates; a row is an hour or a day of a candidate. Only days whose tweets changed are counted again."""

    def work(candidate: str) -> dict[str, Any]:
        with DATA_ROOT.candidate_lock(candidate):
            stale = _count_stale_days(spark, candidate)
        path = DATA_ROOT.table(CANDIDATE_STATS.name, candidate)
        table = delta.read(spark.session, CANDIDATE_STATS, path)
        newest = table.where("period = 'day'").orderBy("day", ascending=False)
        preview = newest.select("day", "tweets", "retweet_share", "distinct_authors", "engagement")
        return {"days_counted": stale, **table_metadata(path, delta.row_count(path), preview)}

    done, errors = each_candidate(context, work)
    for candidate, metadata in done.items():
        context.add_asset_metadata(metadata, partition_key=candidate)
    report_errors(context, errors)
    return dg.MaterializeResult(
        check_results=[completeness("counted_for_every_candidate", context.asset_key, errors)],
    )


def _count_stale_days(spark: SparkResource, candidate: str) -> int:
    """Counts the days whose files of `cleaned_tweets` are not those that the stored rows were computed from."""
    from pyspark.sql import functions as F

    from election_assets.transforms.stats import candidate_stats as count

    source, path = (DATA_ROOT.table(table.name, candidate) for table in (CLEANED_TWEETS, CANDIDATE_STATS))
    files = {
        dt.date.fromisoformat(day): hashlib.sha256("\n".join(names).encode()).hexdigest()[:16]
        for day, names in delta.partition_files(source, "day").items()
    }
    stored = delta.read(spark.session, CANDIDATE_STATS, path)
    counted = {row["day"]: row["cleaned_files"] for row in stored.select("day", "cleaned_files").distinct().collect()}
    stale = [day for day, names in files.items() if counted.get(day) != names]
    gone = [day for day in counted if day not in files]
    if stale or gone or not delta.exists(path):
        cleaned = delta.read(spark.session, CLEANED_TWEETS, source).where(F.col("day").isin(stale))
        kept = stored.where(~F.col("day").isin([*stale, *gone]))
        new = count(cleaned, {day: files[day] for day in stale}).select(*CANDIDATE_STATS.names)
        delta.replace(kept.unionByName(new), CANDIDATE_STATS, path)
    return len(stale)
