from __future__ import annotations

import hashlib
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from election_assets.schemas import CLEANED_TWEETS, MERGED_TWEETS
from election_assets.transforms.merging import merge_candidates


def table(spark: SparkSession, candidate: str, *tweets: dict[str, Any]) -> DataFrame:
    rows = [
        tuple(({"candidate": candidate, "text": "texte"} | tweet).get(name) for name in CLEANED_TWEETS.names)
        for tweet in tweets
    ]
    return spark.createDataFrame(rows, CLEANED_TWEETS.ddl)


def test_a_tweet_knows_every_candidate_that_holds_it(spark: SparkSession) -> None:
    merged = merge_candidates(
        [
            table(spark, "zemmour", {"tweet_id": "1", "like_count": 1}, {"tweet_id": "2"}),
            table(spark, "arthaud", {"tweet_id": "1", "like_count": 5}),
            table(spark, "macron", {"tweet_id": "1"}, {"tweet_id": "3"}),
        ]
    )
    assert merged.dtypes == [(column.name, column.type) for column in MERGED_TWEETS.columns]
    rows = sorted((row["tweet_id"], row["candidate"], row["candidates"], row["like_count"]) for row in merged.collect())
    everyone = ["arthaud", "macron", "zemmour"]
    assert rows == [
        ("1", "arthaud", everyone, 5),
        ("1", "macron", everyone, None),
        ("1", "zemmour", everyone, 1),
        ("2", "zemmour", ["zemmour"], None),
        ("3", "macron", ["macron"], None),
    ]


def test_one_text_has_one_hash(spark: SparkSession) -> None:
    merged = merge_candidates(
        [
            table(spark, "macron", {"tweet_id": "1", "text": "L’été 😀"}, {"tweet_id": "2", "text": "L'été 😀"}),
            table(spark, "le-pen", {"tweet_id": "3", "text": "L’été 😀"}),
        ]
    )
    hashes = {row["tweet_id"]: row["text_hash"] for row in merged.collect()}
    assert hashes["1"] == hashes["3"] == hashlib.sha256("L’été 😀".encode()).hexdigest() != hashes["2"]


SAID = "Le débat de ce soir 👏 : à lire"


@pytest.mark.parametrize(
    "copy",
    [
        f"{SAID} https://t.co/AbCdEf1234",
        f"{SAID} t.co/zzz",
        f"https://exemple.fr/a?b=c {SAID}",
        f"@a1b2c3d4e5 {SAID}",
        f"@a1b2c3d4e5 @MLP_officiel {SAID}",
        f"RT @a1b2c3d4e5: {SAID}",
        SAID.upper(),
        SAID.replace(" ", "  \n"),
        SAID.replace(" :", "\N{NO-BREAK SPACE}:"),
    ],
)
def test_copies_that_differ_by_link_mention_case_or_blanks_are_one_voice(spark: SparkSession, copy: str) -> None:
    others = [SAID.replace("👏", "🤮"), SAID.replace("soir", "matin"), ""]
    tweets = [{"tweet_id": str(number), "text": text} for number, text in enumerate([SAID, copy, *others])]
    rows = sorted(merge_candidates([table(spark, "macron", *tweets)]).collect(), key=lambda row: row["tweet_id"])
    voices = [row["voice"] for row in rows]
    assert voices[0] == voices[1]
    assert len(set(voices)) == 4
    assert len({row["text_hash"] for row in rows}) == 5


def test_columns_are_taken_by_name(spark: SparkSession) -> None:
    macron = table(spark, "macron", {"tweet_id": "1", "department": "33"})
    turned = table(spark, "le-pen", {"tweet_id": "2", "department": "13"}).select(*reversed(CLEANED_TWEETS.names))
    rows = merge_candidates([macron, turned]).collect()
    assert sorted((row["tweet_id"], row["department"]) for row in rows) == [("1", "33"), ("2", "13")]


def test_thirteen_tables_merge_and_an_empty_one_adds_nothing(spark: SparkSession) -> None:
    tables = [table(spark, f"c{number:02}", {"tweet_id": "1"}) for number in range(13)]
    rows = merge_candidates([*tables, table(spark, "empty")]).collect()
    assert len(rows) == 13
    assert all(row["candidates"] == [f"c{number:02}" for number in range(13)] for row in rows)


def test_no_table_is_an_error(spark: SparkSession) -> None:
    with pytest.raises(ValueError, match="at least one"):
        merge_candidates([])
