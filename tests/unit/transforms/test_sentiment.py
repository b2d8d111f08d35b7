"""Which texts are scored, by which engine, and the Spark plan that scores them."""

import math

import pytest

from election_assets import schemas
from election_assets.election import load_election
from election_assets.transforms import sentiment
from election_assets.transforms.sentiment import engine_from_env, load_engine, nameless, score_texts, texts_to_score
from election_assets.transforms.sentiment.engines import NOT_SCORED

TEXTS_SCHEMA = "text_hash string, text string"
MERGED_SCHEMA = "tweet_id string, candidate string, lang string, text_hash string, text string"
ENGINE = nameless(load_engine("textblob"), load_election("fr_2022"))


def test_the_setting_names_the_engine():
    assert engine_from_env({}).name == "textblob"
    assert engine_from_env({"SENTIMENT_ENGINE": " "}).name == "textblob"
    assert engine_from_env({"SENTIMENT_ENGINE": "textblob"}) is load_engine("textblob")
    with pytest.raises(ValueError, match="SENTIMENT_ENGINE=magic: there is no such engine; choose one of textblob"):
        engine_from_env({"SENTIMENT_ENGINE": "magic"})


def test_score_texts_gives_the_columns_of_the_table(spark):
    texts = spark.createDataFrame([("a", "Un discours magnifique"), ("b", "Zzyzx 12 %"), ("c", None)], TEXTS_SCHEMA)

    scored = score_texts(texts, ENGINE)

    assert [(field.name, field.dataType.simpleString()) for field in scored.schema] == [
        (column.name, column.type) for column in schemas.SENTIMENT_SCORES.columns
    ]
    rows = {row.text_hash: row for row in scored.collect()}
    assert rows["a"].label == "positive"
    assert rows["a"].polarity > 0
    for text_hash in "bc":
        assert rows[text_hash].label is None
        assert rows[text_hash].polarity is None
        assert rows[text_hash].subjectivity is None
        assert rows[text_hash].coverage == 0
    assert {(row.engine, row.engine_version) for row in rows.values()} == {(ENGINE.name, ENGINE.version)}


def test_not_scored_is_null_and_not_nan_in_a_frame_of_them_alone(spark):
    (row,) = score_texts(spark.createDataFrame([("b", "Zzyzx 12 %")], TEXTS_SCHEMA), ENGINE).collect()

    assert row.polarity is None
    assert not (isinstance(row.subjectivity, float) and math.isnan(row.subjectivity))


def test_a_distinct_text_of_the_language_is_scored_once_an_engine_and_version(spark):
    merged = spark.createDataFrame(
        [
            ("1", "a", "fr", "new", "Bonjour"),
            ("1", "b", "fr", "new", "Bonjour"),
            ("2", "a", "fr", "new", "Bonjour"),
            ("3", "a", "fr", "scored", "Bonsoir"),
            ("4", "a", "fr", "outdated", "Au revoir"),
            ("5", "a", "fr", "other engine", "À demain"),
            ("6", "a", "en", "english", "Hello"),
            ("7", "a", None, "unknown", "Allo"),
        ],
        MERGED_SCHEMA,
    )
    scores = spark.createDataFrame(
        [
            ("scored", None, None, None, 0.0, ENGINE.name, ENGINE.version),
            ("outdated", 0.5, 0.5, "positive", 1.0, ENGINE.name, "0.1.0"),
            ("other engine", 0.5, 0.5, "positive", 1.0, "other", ENGINE.version),
        ],
        schemas.SENTIMENT_SCORES.ddl,
    )

    rows = texts_to_score(merged, scores, "fr", ENGINE).collect()

    assert sorted((row.text_hash, row.text) for row in rows) == [
        ("new", "Bonjour"),
        ("other engine", "À demain"),
        ("outdated", "Au revoir"),
    ]


def test_a_french_lexicon_scores_no_other_language(spark):
    merged = spark.createDataFrame([("1", "a", "en", "english", "A terrible idea")], MERGED_SCHEMA)
    scores = spark.createDataFrame([], schemas.SENTIMENT_SCORES.ddl)

    assert texts_to_score(merged, scores, "en", ENGINE).collect() == []


def test_the_current_rows_are_of_the_engine_and_its_version(spark):
    rows = [
        ("a", 0.5, 0.5, "positive", 1.0, ENGINE.name, ENGINE.version),
        ("b", 0.5, 0.5, "positive", 1.0, ENGINE.name, "0"),
        ("c", 0.5, 0.5, "positive", 1.0, "other", ENGINE.version),
    ]
    scores = spark.createDataFrame(rows, schemas.SENTIMENT_SCORES.ddl)

    assert [row.text_hash for row in sentiment.current(scores, ENGINE).collect()] == ["a"]


def test_many_texts_score_in_spark_as_they_do_one_by_one(spark, monkeypatch):
    monkeypatch.setattr(sentiment, "BATCH", 3)
    words = ("magnifique", "horrible", "honteux", "🙂", "Zzyzx")
    texts = {f"{number:02d}": f"Un discours {words[number % 5]} {'!' * (number % 3)}" for number in range(20)}
    frame = spark.createDataFrame(list(texts.items()), TEXTS_SCHEMA)

    rows = score_texts(frame, ENGINE, 2).collect()

    assert len(rows) == len(texts)
    for row in rows:
        (alone,) = ENGINE.score([texts[row.text_hash]])
        assert (row.label, row.coverage) == (alone.label, alone.coverage)
        assert row.polarity == pytest.approx(alone.polarity)


def test_an_empty_frame_has_no_scores(spark):
    assert score_texts(spark.createDataFrame([], TEXTS_SCHEMA), ENGINE, 2).collect() == []
    assert ENGINE.score([]) == []
    assert ENGINE.score([""]) == [NOT_SCORED]
