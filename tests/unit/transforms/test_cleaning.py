from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from election_assets.election import load_election
from election_assets.schemas import CLEANED_TWEETS, LANDED_V1_NAMES, origin_name, parse_time
from election_assets.transforms.cleaning import NEWEST, clean_tweets, instant, reduce_repeats
from election_assets.transforms.text import pseudonym

ELECTION = load_election("fr_2022")
KEY = b"a key for tests"
LANDED_DDL = ", ".join(f"`{name}` string" for name in LANDED_V1_NAMES)
TWEET = {
    **dict.fromkeys(LANDED_V1_NAMES, ""),
    "id": "1",
    "created_at": "2022-04-01T12:00:00.000Z",
    "text": "Bonjour",
    "lang": "fr",
    "kind": "original",
    "author_id": "7",
    "retrieved_at": "2022-04-02T12:00:00Z",
    "source": "sample",
    "cluster": "cluster",
    "topic": "fr_2022.tweets.macron",
    "partition": "0",
    "offset": "3",
    "batch_id": "b",
    "line": "1",
}
ORIGIN = origin_name("cluster", "fr_2022.tweets.macron", 0, 3)


def landed(spark: SparkSession, *tweets: dict[str, str | None]) -> DataFrame:
    rows = [tuple({**TWEET, **tweet}[name] for name in LANDED_V1_NAMES) for tweet in tweets]
    return spark.createDataFrame(rows, LANDED_DDL)


def cleaned(spark: SparkSession, *tweets: dict[str, str | None], **election: Any) -> DataFrame:
    return clean_tweets(
        landed(spark, *tweets),
        election=dataclasses.replace(ELECTION, **election),
        candidate="macron",
        pseudonym_key=KEY,
    )


def collected(frame: DataFrame) -> list[dict[str, Any]]:
    """Rows as dictionaries, instants as UTC: a collected timestamp is in the machine's zone."""
    instants = [name for name, kind in frame.dtypes if kind == "timestamp"]
    rows = frame.withColumns({name: F.unix_micros(name) for name in instants}).collect()
    epoch = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    return [
        row.asDict()
        | {name: row[name] if row[name] is None else epoch + dt.timedelta(microseconds=row[name]) for name in instants}
        for row in rows
    ]


def one(frame: DataFrame) -> dict[str, Any]:
    (row,) = collected(frame)
    return row


def test_the_columns_are_those_of_the_table_and_the_line(spark: SparkSession) -> None:
    expected = [(column.name, column.type) for column in CLEANED_TWEETS.columns]
    frame = cleaned(spark, {})
    assert frame.dtypes == [*expected, ("line", "int")]
    assert reduce_repeats(frame, {ORIGIN: 1}).dtypes == expected


def test_a_landed_tweet_becomes_a_cleaned_one(spark: SparkSession) -> None:
    row = one(
        cleaned(
            spark,
            {
                "text": "RT @Une_Personne: L&#39;école de #LePen &amp; @EmmanuelMacron\r\nici 😀 https://t.co/a1",
                "kind": "retweet",
                "author_username": "Une_Autre",
                "author_location": "Bordeaux, Gironde",
                "author_followers": "12",
                "retweet_count": "3",
                "like_count": "5000000000",
                "referenced_id": "99",
                "referenced_author_id": "8",
                "line": "42",
            },
        )
    )
    person = "@" + pseudonym(KEY, "une_personne", digits=10)
    text = f"RT {person}: L'école de #LePen & @EmmanuelMacron\nici 😀 https://t.co/a1"
    assert row == {
        "tweet_id": "1",
        "candidate": "macron",
        "created_at": dt.datetime(2022, 4, 1, 12, tzinfo=dt.UTC),
        "day": dt.date(2022, 4, 1),
        "local_hour": 14,
        "weekday": 5,
        "days_to_first_round": 9,
        "text": text,
        "text_plain": "L’école de LePen ici",
        "lang": "fr",
        "kind": "retweet",
        "hashtags": ["lepen"],
        "mentions": [person, "@EmmanuelMacron"],
        "link_count": 1,
        "characters": len(text),
        "words": 4,
        "named_candidates": ["le-pen", "macron"],
        "retweet_count": 3,
        "reply_count": None,
        "like_count": 5_000_000_000,
        "quote_count": None,
        "engagement": 5_000_000_003,
        "author": pseudonym(KEY, "id:7", digits=16),
        "author_followers": 12,
        "department": "33",
        "referenced_id": "99",
        "referenced_author": pseudonym(KEY, "id:8", digits=16),
        "retrieved_at": dt.datetime(2022, 4, 2, 12, tzinfo=dt.UTC),
        "first_origin": ORIGIN,
        "source": "sample",
        "line": 42,
    }


def test_an_empty_field_and_null_are_alike(spark: SparkSession) -> None:
    optional = [name for name, value in TWEET.items() if value == "" or name in ("lang", "author_id")]
    empty, null = collected(cleaned(spark, dict.fromkeys(optional, ""), dict.fromkeys(optional)))
    assert empty == null
    assert empty["engagement"] == 0
    unknown = ["lang", "author", "author_followers", "retweet_count", "reply_count", "like_count", "quote_count",
               "department", "referenced_id", "referenced_author"]  # fmt: skip
    assert all(empty[name] is None for name in unknown)


def test_a_language_that_x_could_not_tell_is_unknown(spark: SparkSession) -> None:
    rows = collected(cleaned(spark, {"lang": "und"}, {"lang": "en"}))
    assert [row["lang"] for row in rows] == [None, "en"]


def test_a_landed_csv_is_read_with_its_line_breaks_and_quotes(spark: SparkSession, tmp_path: Path) -> None:
    import csv

    texts = ['Il dit "oui",\r\npuis « non »', "l’été; à Noël\n\n#fin", '"', "a,b\\"]
    path = tmp_path / "landed.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, LANDED_V1_NAMES, quoting=csv.QUOTE_ALL)
        writer.writeheader()
        writer.writerows({**TWEET, "id": str(number), "text": text} for number, text in enumerate(texts))
    frame = spark.read.csv(str(path), schema=LANDED_DDL, header=True, multiLine=True, escape='"')
    result = clean_tweets(frame, election=ELECTION, candidate="macron", pseudonym_key=KEY)
    assert {row["tweet_id"]: row["text"] for row in collected(result)} == {
        str(number): text.replace("\r\n", "\n") for number, text in enumerate(texts)
    }


def test_nothing_of_a_person_is_left(spark: SparkSession) -> None:
    person = {
        "text": "@secret_mention bonjour",
        "author_id": "123456789123",
        "author_name": "secret_name",
        "author_username": "secret_user",
        "author_location": "secret_location, Lyon",
        "place": "secret_place, Lyon",
        "referenced_author_id": "987654321987",
    }
    row = str(one(cleaned(spark, person)))
    assert not any(trace in row.lower() for trace in ("secret", "lyon", "123456789123", "987654321987"))


def test_one_author_has_one_pseudonym_whether_by_id_or_by_name(spark: SparkSession) -> None:
    rows = collected(
        cleaned(
            spark,
            {"author_id": "5", "author_username": "nom"},
            {"author_id": "5", "author_username": "autre"},
            {"author_id": "", "author_username": "Nom"},
            {"author_id": "", "author_username": "nom"},
        )
    )
    authors = [row["author"] for row in rows]
    assert None not in authors
    assert authors[0] == authors[1] != authors[2] == authors[3]


@pytest.mark.parametrize(
    ("location", "place", "department"),
    [
        ("Bordeaux", "", "33"),
        ("Bordeaux", "Marseille, France", "33"),
        ("quelque part", "Marseille, France", "13"),
        ("", "Marseille, France", "13"),
        ("Saint-Denis", "", None),
        ("", "", None),
    ],
)
def test_the_department_comes_from_the_author_or_else_from_the_place(
    spark: SparkSession, location: str, place: str, department: str | None
) -> None:
    assert one(cleaned(spark, {"author_location": location, "place": place}))["department"] == department


@pytest.mark.parametrize(
    ("zone", "written", "day", "hour", "weekday", "days"),
    [
        ("Europe/Paris", "2022-03-27T00:59:59.999Z", "2022-03-27", 1, 7, 14),
        ("Europe/Paris", "2022-03-27T01:00:00.000Z", "2022-03-27", 3, 7, 14),
        ("Europe/Paris", "Sat Mar 26 22:59:59 +0000 2022", "2022-03-26", 23, 6, 15),
        ("Europe/Paris", "Sat Mar 26 23:00:00 +0000 2022", "2022-03-27", 0, 7, 14),
        ("Europe/Paris", "2022-03-27T22:00:00Z", "2022-03-28", 0, 1, 13),
        ("Europe/Paris", "2022-10-30T00:30:00Z", "2022-10-30", 2, 7, -203),
        ("Europe/Paris", "2022-10-30T01:30:00Z", "2022-10-30", 2, 7, -203),
        ("Europe/Paris", "2022-10-30T02:00:00Z", "2022-10-30", 3, 7, -203),
        ("Europe/Paris", "2022-10-29T22:00:00Z", "2022-10-30", 0, 7, -203),
        ("Indian/Reunion", "2022-03-27T01:00:00Z", "2022-03-27", 5, 7, 14),
        ("Indian/Reunion", "2022-10-30T20:00:00Z", "2022-10-31", 0, 1, -204),
        ("America/Martinique", "2022-04-11T03:59:59Z", "2022-04-10", 23, 7, 0),
    ],
)  # fmt: skip
def test_local_time_follows_the_zone_of_the_election(
    spark: SparkSession, zone: str, written: str, day: str, hour: int, weekday: int, days: int
) -> None:
    row = one(cleaned(spark, {"created_at": written}, time_zone=zone))
    found = (row["day"].isoformat(), row["local_hour"], row["weekday"], row["days_to_first_round"])
    assert found == (day, hour, weekday, days)


OFFSETS = st.tuples(st.sampled_from("+-"), st.integers(0, 17), st.integers(0, 59))
# Two days within what is possible, as an offset moves an instant by less than a day.
LOCALS = st.datetimes(dt.datetime(2006, 3, 23), dt.datetime(2099, 12, 29))
ISO_TIMES = st.builds(
    lambda local, digits, zone: f"{local:%Y-%m-%dT%H:%M:%S}{digits and '.' + digits}{zone}",
    LOCALS,
    st.text("0123456789", max_size=6),
    st.just("Z") | OFFSETS.map(lambda offset: "{}{:02}:{:02}".format(*offset)),
)
V1_TIMES = st.builds(
    lambda local, offset: f"{local:%a %b %d %H:%M:%S} {'{}{:02}{:02}'.format(*offset)} {local:%Y}", LOCALS, OFFSETS
)


@given(st.lists(ISO_TIMES | V1_TIMES, min_size=10, max_size=60))
@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
    # Each step of shrinking would be a query; the difference of the dictionaries shows the row.
    phases=[Phase.generate],
)
def test_spark_reads_every_time_that_landing_lets_through(spark: SparkSession, written: list[str]) -> None:
    assert all(map(parse_time, written))
    frame = spark.createDataFrame([(text,) for text in written], "written string")
    rows = collected(frame.select("written", instant("written").alias("read")))
    assert {row["written"]: row["read"] for row in rows} == {text: parse_time(text) for text in written}


@pytest.mark.parametrize(
    "written", ["", "2022", "hier", "2022-13-01T00:00:00Z", "Fri Foo 17 11:38:08 +0000 2021", None]
)
def test_what_is_no_time_is_null(spark: SparkSession, written: str | None) -> None:
    frame = spark.createDataFrame([(written,)], "written string")
    assert one(frame.select(instant("written").alias("read"))) == {"read": None}


def test_a_repeat_brings_newer_counts_and_nothing_else(spark: SparkSession) -> None:
    frame = cleaned(
        spark,
        {"text": "premier", "like_count": "1", "author_followers": "9", "offset": "5", "line": "2", "author_id": "1"},
        {"text": "second", "like_count": "8", "offset": "4", "line": "9", "author_id": "2",
         "retrieved_at": "2022-04-05T00:00:00Z"},
        {"text": "troisième", "like_count": "3", "offset": "6", "line": "1", "author_id": "3"},
        {"id": "2", "text": "autre", "offset": "5", "line": "1"},
    )  # fmt: skip
    # Offset 4 was read from X last, offset 6 landed last.
    sequences = {origin_name("cluster", TWEET["topic"], 0, offset): order for order, offset in enumerate((5, 4, 6), 1)}
    rows = {row["tweet_id"]: row for row in collected(reduce_repeats(frame, sequences))}
    assert rows.keys() == {"1", "2"}
    assert rows["1"]["text"] == "premier"
    assert rows["1"]["author"] == pseudonym(KEY, "id:1", digits=16)
    assert rows["1"]["first_origin"] == origin_name("cluster", TWEET["topic"], 0, 5)
    assert (rows["1"]["like_count"], rows["1"]["engagement"], rows["1"]["author_followers"]) == (8, 8, None)
    assert rows["1"]["retrieved_at"] == dt.datetime(2022, 4, 5, tzinfo=dt.UTC)


def test_of_counts_read_at_one_moment_the_later_file_counts(spark: SparkSession) -> None:
    frame = cleaned(spark, {"offset": "9", "line": "9", "like_count": "9"}, {"offset": "8", "like_count": "2"})
    sequences = {origin_name("cluster", TWEET["topic"], 0, offset): order for order, offset in enumerate((9, 8), 1)}
    row = one(reduce_repeats(frame, sequences))
    assert (row["like_count"], row["first_origin"]) == (2, origin_name("cluster", TWEET["topic"], 0, 9))


def test_lines_of_one_file_are_in_the_order_of_numbers(spark: SparkSession) -> None:
    frame = cleaned(
        spark,
        {"text": "dixième", "line": "10", "like_count": "10"},
        {"text": "neuvième", "line": "9", "like_count": "9"},
    )
    row = one(reduce_repeats(frame, {ORIGIN: 1}))
    assert (row["text"], row["like_count"]) == ("neuvième", 10)


def test_an_origin_without_sequence_is_an_error_that_names_it(spark: SparkSession) -> None:
    with pytest.raises(PySparkException, match=ORIGIN):
        reduce_repeats(cleaned(spark, {}), {}).collect()


FILES = st.lists(
    st.lists(st.tuples(st.integers(1, 3), st.integers(1, 4), st.integers(0, 9)), min_size=1, max_size=4),
    min_size=1,
    max_size=5,
)
SPLITS = st.lists(st.booleans(), min_size=5, max_size=5)


@given(st.lists(st.tuples(FILES, SPLITS), min_size=3, max_size=12))
@settings(
    max_examples=4,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
    phases=[Phase.generate],
)
def test_files_in_any_batches_give_what_all_at_once_gives(
    spark: SparkSession, histories: list[tuple[list[list[tuple[int, int, int]]], list[bool]]]
) -> None:
    """Many histories share a frame: each has tweets and files of its own, and its own split into batches."""
    tweets: list[tuple[int, dict[str, str | None]]] = []
    sequences: dict[str, int] = {}
    for history, (files, splits) in enumerate(histories):
        batch = 0
        for sequence, rows in enumerate(files, 1):
            # A later file may have a lower offset: the order is that of the sequences.
            offset = history * 10 + 9 - sequence
            sequences[origin_name("cluster", TWEET["topic"], 0, offset)] = sequence
            batch += splits[sequence - 1]
            for line, (number, retrieved, likes) in enumerate(rows, 1):
                tweet = {
                    "id": f"{history}{number:03}",
                    "text": f"fichier {sequence} ligne {line}",
                    "like_count": str(likes),
                    "retrieved_at": f"2022-04-0{retrieved}T00:00:00Z",
                    "offset": str(offset),
                    "line": str(line),
                }
                tweets.append((batch, tweet))
    everything = collected(reduce_repeats(cleaned(spark, *(tweet for _, tweet in tweets)), sequences))
    merged: dict[str, dict[str, Any]] = {}
    for batch in sorted({batch for batch, _ in tweets}):
        some = cleaned(spark, *(tweet for number, tweet in tweets if number == batch))
        for row in collected(reduce_repeats(some, sequences)):
            known = merged.setdefault(row["tweet_id"], row)
            if row["retrieved_at"] >= known["retrieved_at"]:
                merged[row["tweet_id"]] = known | {name: row[name] for name in NEWEST}
    assert {row["tweet_id"]: row for row in everything} == merged
    assert len(everything) == len(merged)
