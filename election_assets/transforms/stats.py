"""Aggregates of one candidate's tweets, an hour and a day."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from election_assets.schemas import CANDIDATE_STATS

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

TOP_HASHTAGS = 10
_WHOLE_DAY = -1


def candidate_stats(cleaned: DataFrame, cleaned_files: dict[dt.date, str]) -> DataFrame:
    """Aggregate the tweets of every hour and every day.

    Args:
        cleaned: Rows with the columns of `schemas.CLEANED_TWEETS`.
        cleaned_files: A day's fingerprint of the files that `cleaned` was read from, written into each row of the day;
            null for a day that is not in it.

    Returns:
        The columns of `schemas.CANDIDATE_STATS`: one row a (candidate, local day), and one row a (candidate, local
        day, hour) that has tweets.
    """
    from pyspark.sql import Window
    from pyspark.sql import functions as F

    def period(name: str, hour: Column) -> Column:
        return F.struct(F.lit(name).alias("period"), hour.alias("hour"))

    key = ["candidate", "day", "period", "hour"]
    periods = F.explode(F.array(period("hour", F.col("local_hour")), period("day", F.lit(_WHOLE_DAY)))).alias("p")
    # A day's row has an hour of its own until the end, as nulls do not join.
    tweets = cleaned.select("candidate", "day", periods, "kind", "author", "engagement", "hashtags", "text").select(
        "*", "p.*"
    )
    totals = tweets.groupBy(*key).agg(
        F.count("*").alias("tweets"),
        F.count_if(F.col("kind") != "retweet").alias("originals"),
        F.avg((F.col("kind") == "retweet").cast("double")).alias("retweet_share"),
        F.countDistinct("author").alias("distinct_authors"),
        F.sum("engagement").alias("engagement"),
    )
    by_texts = Window.partitionBy(*key).orderBy(F.desc("texts"), "hashtag")
    ranked = (
        tweets.select(*key, "text", F.explode("hashtags").alias("hashtag"))
        .groupBy(*key, "hashtag")
        .agg(F.countDistinct("text").alias("texts"))
        .withColumn("rank", F.row_number().over(by_texts))
        .where(F.col("rank") <= TOP_HASHTAGS)
    )
    in_order = F.sort_array(F.collect_list(F.struct("rank", "hashtag", "texts")))
    top = ranked.groupBy(*key).agg(
        F.transform(in_order, lambda row: F.struct(row["hashtag"].alias("hashtag"), row["texts"].alias("texts"))).alias(
            "top_hashtags"
        )
    )
    fingerprints = cleaned.sparkSession.createDataFrame(
        list(cleaned_files.items()), "`day` date, `cleaned_files` string"
    )
    hashtags_type = next(column.type for column in CANDIDATE_STATS.columns if column.name == "top_hashtags")
    return (
        totals.join(top, key, "left")
        .join(fingerprints, "day", "left")
        .withColumns(
            {
                "hour": F.when(F.col("hour") != _WHOLE_DAY, F.col("hour")),
                "top_hashtags": F.coalesce("top_hashtags", F.array().cast(hashtags_type)),
            }
        )
        .select(*(F.col(column.name).cast(column.type).alias(column.name) for column in CANDIDATE_STATS.columns))
    )
