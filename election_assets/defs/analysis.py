"""What joins the candidates: `merged_tweets` and `sentiment_scores`, and their checks."""

import datetime as dt
import os

import dagster as dg

from election_assets import delta, sentiment_vectors
from election_assets.defs.tweets import SHOWN_COLUMNS, cleaned_tweets
from election_assets.defs.upstream import OWNERS
from election_assets.metadata import table_definition, table_metadata
from election_assets.partitions import DATA_ROOT, ELECTION, alone
from election_assets.progress import PROGRESS_SIGN
from election_assets.schemas import (
    CANDIDATE_STATS,
    CLEANED_TWEETS,
    INGESTED,
    MERGED_TWEETS,
    SENTIMENT_SCORES,
    TEXT_VECTORS,
)
from resources.spark import SparkResource

DAILY = dg.FreshnessPolicy.time_window(fail_window=dt.timedelta(hours=36), warn_window=dt.timedelta(hours=26))


@dg.asset(
    deps=[cleaned_tweets],
    group_name="analysis",
    kinds={"pyspark", "deltalake"},
    owners=OWNERS,
    freshness_policy=DAILY,
    metadata=table_definition(MERGED_TWEETS),
)
def merged_tweets(context: dg.AssetExecutionContext, spark: SparkResource) -> dg.MaterializeResult:
    """All candidates' tweets; a row is a tweet of a candidate. Totals count a tweet once, by `candidates`.

    Once a day is also the time to remove what was deleted from, or replaced in, the candidates' tables a week ago.
    """
    from pyspark.sql import functions as F

    from election_assets.transforms.merging import merge_candidates

    paths = [DATA_ROOT.table(CLEANED_TWEETS.name, key) for key in ELECTION.candidate_keys]
    path = DATA_ROOT.table(MERGED_TWEETS.name)
    with alone(MERGED_TWEETS.name):
        tables = [delta.read(spark.session, CLEANED_TWEETS, path) for path in paths if delta.exists(path)]
        if not tables:
            raise dg.Failure("No candidate has a table of cleaned tweets yet; materialise cleaned_tweets first.")
        delta.replace(merge_candidates(tables), MERGED_TWEETS, path)
    for table in (CLEANED_TWEETS, INGESTED, CANDIDATE_STATS):
        for key in ELECTION.candidate_keys:
            delta.vacuum(DATA_ROOT.table(table.name, key))
    delta.vacuum(path)
    merged = delta.read(spark.session, MERGED_TWEETS, path)
    counts = merged.agg(
        F.countDistinct("tweet_id").alias("tweets"),
        F.countDistinct(F.when(F.size("candidates") > 1, F.col("tweet_id"))).alias("of_several"),
    ).collect()[0]
    return dg.MaterializeResult(
        metadata={
            **table_metadata(path, delta.row_count(path), merged.select("candidate", "candidates", *SHOWN_COLUMNS)),
            "tweets": counts["tweets"],
            "tweets_of_several_candidates": counts["of_several"],
        }
    )


@dg.asset_check(asset=merged_tweets, blocking=True)
def one_row_a_tweet_and_candidate(spark: SparkResource) -> dg.AssetCheckResult:
    """No (tweet, candidate) twice: totals would count it twice."""
    from pyspark.sql import functions as F

    merged = delta.read(spark.session, MERGED_TWEETS, DATA_ROOT.table(MERGED_TWEETS.name))
    twice = merged.groupBy("candidate", "tweet_id").count().where("count > 1")
    wrong = [row["candidate"] for row in twice.select("candidate").distinct().orderBy(F.col("candidate")).collect()]
    return dg.AssetCheckResult(
        passed=not wrong,
        description=f"A tweet stands twice for {', '.join(wrong)}." if wrong else None,
        metadata={"candidates": wrong},
    )


@dg.asset(
    deps=[merged_tweets],
    group_name="analysis",
    kinds={"pyspark", "deltalake", "textblob"},
    owners=OWNERS,
    freshness_policy=DAILY,
    metadata=table_definition(SENTIMENT_SCORES),
)
def sentiment_scores(context: dg.AssetExecutionContext, spark: SparkResource) -> dg.MaterializeResult:
    """The tone of each text; a row is a distinct text in the election's language, scored once by the current engine.

    The candidates' and parties' names are taken out before, so that a name has no tone; other names score anew.

    `SENTIMENT_ENGINE` names the engine; another one, or another version of it, scores every text anew. A slow engine
    has `SENTIMENT_SECONDS` a run; the texts that it does not reach have no row yet, and are counted as waiting.
    """
    from pyspark.sql import functions as F

    from election_assets.transforms.sentiment import current, engine_from_env, nameless, score_texts, texts_to_score

    try:
        engine, seconds = (
            nameless(engine_from_env(os.environ), ELECTION),
            sentiment_vectors.seconds_from_env(os.environ),
        )
        version = engine.version
    except ValueError as error:
        raise dg.Failure(str(error), allow_retries=False) from error
    path, vectors = DATA_ROOT.table(SENTIMENT_SCORES.name), DATA_ROOT.table(TEXT_VECTORS.name)
    merged = delta.read(spark.session, MERGED_TWEETS, DATA_ROOT.table(MERGED_TWEETS.name))
    with alone(SENTIMENT_SCORES.name):
        stored = delta.read(spark.session, SENTIMENT_SCORES, path)
        before, of_engine = delta.row_count(path), current(stored, engine).count()
        new = texts_to_score(merged, stored, ELECTION.language, engine)
        if isinstance(engine, sentiment_vectors.SlowEngine):
            made = sentiment_vectors.make(
                spark.session, new, vectors, engine, seconds, lambda line: context.log.info(f"{PROGRESS_SIGN} {line}")
            )
            waiting, scored = made.waiting, sentiment_vectors.score(spark.session, new, vectors, engine)
        else:
            waiting, scored = 0, score_texts(new, engine, os.cpu_count() or 1)
        if before == of_engine:
            delta.append(scored, SENTIMENT_SCORES, path)
        else:
            # Another engine, or another version of it, scored what is there: the table holds the current one's alone.
            delta.replace(current(stored, engine).unionByName(scored), SENTIMENT_SCORES, path)
        sentiment_vectors.forget(spark.session, merged, vectors, engine)
    scores = delta.read(spark.session, SENTIMENT_SCORES, path)
    labels = {row["label"]: row["count"] for row in scores.groupBy("label").count().collect()}
    rows = delta.row_count(path)
    return dg.MaterializeResult(
        metadata={
            **table_metadata(path, rows, scores.orderBy(F.desc("coverage"), "text_hash")),
            "new_texts": rows - of_engine,
            "waiting": waiting,
            "not_scored": labels.pop(None, 0),
            **labels,
            "engine": f"{engine.name} {version}",
        }
    )


@dg.multi_asset_check(
    specs=[
        dg.AssetCheckSpec("one_row_a_text", asset=sentiment_scores, blocking=True),
        dg.AssetCheckSpec("scores_in_range", asset=sentiment_scores, blocking=True),
    ]
)
def sentiment_scores_checks(spark: SparkResource):
    """No text twice; polarity in -1..1 and subjectivity in 0..1, null with the label; coverage in 0..1 or null."""
    from pyspark.sql import functions as F

    scores = delta.read(spark.session, SENTIMENT_SCORES, DATA_ROOT.table(SENTIMENT_SCORES.name))
    in_range = (
        (F.col("coverage").isNull() | F.col("coverage").between(0, 1))
        & (F.col("label").isNull() == F.col("polarity").isNull())
        & (F.col("polarity").isNull() | (F.col("polarity").between(-1, 1) & F.col("subjectivity").between(0, 1)))
    )
    found = scores.agg(
        F.count("*").alias("rows"),
        F.countDistinct("text_hash").alias("texts"),
        F.sum(F.when(F.coalesce(in_range, F.lit(False)), 0).otherwise(1)).alias("wrong"),
    ).collect()[0]
    counts = {"rows": found["rows"], "texts": found["texts"], "wrong": found["wrong"] or 0}
    for name, passed, problem in (
        ("one_row_a_text", found["rows"] == found["texts"], f"{found['rows']} rows for {found['texts']} texts."),
        ("scores_in_range", not found["wrong"], f"{found['wrong']} rows hold an impossible score."),
    ):
        yield dg.AssetCheckResult(
            check_name=name,
            asset_key=sentiment_scores.key,
            passed=passed,
            description=None if passed else problem,
            metadata=counts,
        )
