from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from election_assets.schemas import CANDIDATE_STATS, CLEANED_TWEETS
from election_assets.transforms.stats import candidate_stats

FRIDAY, SATURDAY = dt.date(2022, 4, 1), dt.date(2022, 4, 2)


def cleaned(spark: SparkSession, *tweets: dict[str, Any]) -> DataFrame:
    """Cleaned tweets; what a test does not name is null, or one engagement of one author on Friday at 12."""
    usual = {"candidate": "macron", "day": FRIDAY, "local_hour": 12, "kind": "original", "author": "a"}
    usual |= {"engagement": 1, "hashtags": [], "text": "texte"}
    rows = [
        tuple(({"tweet_id": str(number)} | usual | tweet).get(name) for name in CLEANED_TWEETS.names)
        for number, tweet in enumerate(tweets)
    ]
    return spark.createDataFrame(rows, CLEANED_TWEETS.ddl)


def by_period(stats: DataFrame) -> dict[tuple[dt.date, int | None], dict[str, Any]]:
    rows = stats.collect()
    found = {(row["day"], row["hour"]): row.asDict(recursive=True) for row in rows}
    assert len(found) == len(rows)
    assert all(row["period"] == ("day" if hour is None else "hour") for (_, hour), row in found.items())
    return found


def test_the_columns_are_those_of_the_table(spark: SparkSession) -> None:
    stats = candidate_stats(cleaned(spark, {}), {FRIDAY: "f"})
    assert stats.dtypes == [(column.name, column.type) for column in CANDIDATE_STATS.columns]


def test_an_hour_with_tweets_and_every_day_has_a_row(spark: SparkSession) -> None:
    stats = by_period(
        candidate_stats(
            cleaned(
                spark,
                {"local_hour": 0, "author": "a", "engagement": 5},
                {"local_hour": 0, "author": "b", "engagement": 0, "kind": "retweet"},
                {"local_hour": 23, "author": "a", "engagement": 7, "kind": "quote"},
                {"local_hour": 23, "author": None, "engagement": 1, "kind": "reply"},
                {"day": SATURDAY, "local_hour": 0, "kind": "retweet"},
            ),
            {FRIDAY: "friday's files", SATURDAY: "saturday's files"},
        )
    )
    figures = ["tweets", "originals", "retweet_share", "distinct_authors", "engagement", "cleaned_files"]
    assert {key: tuple(row[name] for name in figures) for key, row in stats.items()} == {
        (FRIDAY, 0): (2, 1, 0.5, 2, 5, "friday's files"),
        (FRIDAY, 23): (2, 2, 0.0, 1, 8, "friday's files"),
        (FRIDAY, None): (4, 3, 0.25, 2, 13, "friday's files"),
        (SATURDAY, 0): (1, 0, 1.0, 1, 1, "saturday's files"),
        (SATURDAY, None): (1, 0, 1.0, 1, 1, "saturday's files"),
    }
    assert {row["candidate"] for row in stats.values()} == {"macron"}


def test_top_hashtags_count_a_copied_text_once_and_break_ties_by_name(spark: SparkSession) -> None:
    tweets = [
        *({"text": "copie", "hashtags": ["copie", "zèle"], "local_hour": hour} for hour in (8, 8, 9)),
        {"text": "un", "hashtags": ["zèle", "été"], "local_hour": 9},
        {"text": "deux", "hashtags": ["été"], "local_hour": 9},
        {"text": "trois", "hashtags": [], "local_hour": 10},
    ]
    stats = by_period(candidate_stats(cleaned(spark, *tweets), {FRIDAY: "f"}))
    found = {hour: [(top["hashtag"], top["texts"]) for top in row["top_hashtags"]] for (_, hour), row in stats.items()}
    assert found == {
        8: [("copie", 1), ("zèle", 1)],
        9: [("zèle", 2), ("été", 2), ("copie", 1)],
        10: [],
        None: [("zèle", 2), ("été", 2), ("copie", 1)],
    }


def test_at_most_ten_hashtags_are_shown(spark: SparkSession) -> None:
    stats = candidate_stats(
        cleaned(
            spark,
            {"text": "un", "hashtags": [f"h{number:02}" for number in range(15)]},
            {"text": "deux", "hashtags": ["h14"]},
        ),
        {FRIDAY: "f"},
    )
    top = by_period(stats)[FRIDAY, None]["top_hashtags"]
    assert [row["hashtag"] for row in top] == ["h14", *(f"h{number:02}" for number in range(9))]


@pytest.mark.parametrize("files", [{}, {SATURDAY: "saturday's files"}])
def test_a_day_without_fingerprint_is_kept_with_null(spark: SparkSession, files: dict[dt.date, str]) -> None:
    stats = by_period(candidate_stats(cleaned(spark, {}), files))
    assert {key: row["cleaned_files"] for key, row in stats.items()} == {(FRIDAY, 12): None, (FRIDAY, None): None}


def test_no_tweets_give_no_rows(spark: SparkSession) -> None:
    assert candidate_stats(cleaned(spark), {}).collect() == []
