"""What became of the landed rows, counted where each of them is."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def count_rows(landed: DataFrame, cleaned: DataFrame, tombstones: DataFrame) -> DataFrame:
    """Counts the rows of each landed file by what became of them.

    Args:
        landed: Landed rows with `id`, `line` and `origin`.
        cleaned: Rows of `cleaned_tweets` with `tweet_id` and `first_origin`.
        tombstones: `tweet_id` of deleted tweets.

    Returns:
        One row an origin: `origin`, `batch_id`, `rows`; `kept`, rows that are the first of their tweet; `repeats`, rows
        whose id stands earlier in the file or first came from another one; `deleted`, rows of a deleted tweet;
        `lost`, rows of a tweet that is neither in the table nor deleted.
    """
    from pyspark.sql import Window
    from pyspark.sql import functions as F

    # An id that stands twice in the table must not multiply the rows of the files.
    stored = cleaned.groupBy("tweet_id").agg(F.min("first_origin").alias("first_origin"))
    within = Window.partitionBy("origin", "tweet_id").orderBy("line")
    rows = landed.select(
        F.col("id").alias("tweet_id"), F.col("line").cast("int").alias("line"), "origin", "batch_id"
    ).withColumn("nth", F.row_number().over(within))
    marked = (
        rows.join(stored, "tweet_id", "left")
        .join(tombstones.select("tweet_id", F.lit(True).alias("is_deleted")), "tweet_id", "left")
        .withColumn(
            "fate",
            F.when(F.col("is_deleted"), "deleted")
            .when(F.col("first_origin").isNull(), "lost")
            .when((F.col("first_origin") == F.col("origin")) & (F.col("nth") == 1), "kept")
            .otherwise("repeats"),
        )
    )
    fates = [
        F.sum(F.when(F.col("fate") == fate, 1).otherwise(0)).cast("bigint").alias(fate)
        for fate in ("kept", "repeats", "deleted", "lost")
    ]
    return marked.groupBy("origin", "batch_id").agg(F.count("*").alias("rows"), *fates)
