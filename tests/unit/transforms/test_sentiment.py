"""The tone of texts, by the real French lexicon."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textblob import TextBlob

from election_assets import schemas
from election_assets.transforms import sentiment
from election_assets.transforms.sentiment import NOT_SCORED, score_text, score_texts, texts_to_score

TEXTS_SCHEMA = "text_hash string, text string"
MERGED_SCHEMA = "tweet_id string, candidate string, lang string, text_hash string, text string"


def test_the_french_analyzer_is_used():
    text = "Un bilan terrible et un projet formidable, un bon choix"

    score = score_text(text)

    assert score.polarity == pytest.approx((-0.7 + 0.85 + 0.7) / 3)
    assert score.polarity != pytest.approx(TextBlob(text).sentiment.polarity)


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Un discours magnifique", "positive"),
        ("Un discours horrible", "negative"),
        ("Un budget acceptable", "neutral"),
    ],
)
def test_labels(text, label):
    assert score_text(text).label == label


@pytest.mark.parametrize(
    ("polarity", "label"),
    [(-1, "negative"), (-0.001, "negative"), (0, "neutral"), (0.099, "neutral"), (0.1, "positive")],
)
def test_thresholds_of_the_labels(polarity, label):
    assert sentiment.label(polarity) == label


@pytest.mark.parametrize("text", ["", "   ", "!!!", "12 %", "Réunion mardi au Zénith", "🙂🗳️"])
def test_a_text_without_known_words_is_not_scored(text):
    assert score_text(text) == NOT_SCORED
    assert NOT_SCORED.label is None
    assert NOT_SCORED.polarity is None


def test_coverage_is_the_share_of_known_words():
    assert score_text("terrible").coverage == 1
    assert score_text("Zénith terrible").coverage == 0.5
    assert score_text("Zénith terrible !").coverage == 0.5
    assert score_text("Zénith terrible @terrible https://terrible.example/terrible").coverage == 0.5


def test_an_emoticon_is_a_known_word():
    assert score_text("Zénith <3").coverage == 0.5
    assert score_text("Zénith :D").coverage == 0.5
    assert score_text("Zénith :D").label == "positive"


def test_mentions_and_links_do_not_count_and_hashtags_count_as_words():
    plain = score_text("Un débat terrible")

    assert score_text("Un débat terrible @horrible https://t.co/horrible www.horrible.fr") == plain
    assert score_text("Un débat #terrible") == plain


@pytest.mark.parametrize(
    "text", ["Ce n'est pas bon", "L'école n'est jamais terrible", "Je n'aime plus ce bon vieux parti"]
)
def test_both_apostrophes_score_alike(text):
    assert score_text(text.replace("'", "’")) == score_text(text)


def test_a_negation_turns_the_tone():
    assert score_text("Ce programme n’est pas bon").polarity < 0 < score_text("Ce programme est bon").polarity


@given(st.text())
def test_every_text_has_a_score_in_range_or_none(text):
    score = score_text(text)

    if score.label is None:
        assert score == NOT_SCORED
    else:
        assert -1 <= score.polarity <= 1
        assert 0 <= score.subjectivity <= 1
        assert 0 < score.coverage <= 1
        assert score.label in sentiment.LABELS


def test_score_texts_gives_the_columns_of_the_table(spark):
    texts = spark.createDataFrame(
        [("a", "Un discours magnifique"), ("b", "Réunion au Zénith"), ("c", None)], TEXTS_SCHEMA
    )

    scored = score_texts(texts)

    assert [(field.name, field.dataType.simpleString()) for field in scored.schema] == [
        (column.name, column.type) for column in schemas.SENTIMENT_SCORES.columns
    ]
    rows = {row.text_hash: row for row in scored.collect()}
    assert rows["a"].label == "positive"
    assert rows["a"].polarity == 1
    for text_hash in "bc":
        assert rows[text_hash].label is None
        assert rows[text_hash].polarity is None
        assert rows[text_hash].subjectivity is None
        assert rows[text_hash].coverage == 0
    assert {(row.engine, row.engine_version) for row in rows.values()} == {(sentiment.ENGINE, sentiment.ENGINE_VERSION)}


def test_not_scored_is_null_and_not_nan_in_a_frame_of_them_alone(spark):
    (row,) = score_texts(spark.createDataFrame([("b", "Réunion au Zénith")], TEXTS_SCHEMA)).collect()

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
            ("scored", None, None, None, 0.0, sentiment.ENGINE, sentiment.ENGINE_VERSION),
            ("outdated", 0.5, 0.5, "positive", 1.0, sentiment.ENGINE, "0.1.0"),
            ("other engine", 0.5, 0.5, "positive", 1.0, "other", sentiment.ENGINE_VERSION),
        ],
        schemas.SENTIMENT_SCORES.ddl,
    )

    rows = texts_to_score(merged, scores, "fr").collect()

    assert sorted((row.text_hash, row.text) for row in rows) == [
        ("new", "Bonjour"),
        ("other engine", "À demain"),
        ("outdated", "Au revoir"),
    ]


def test_a_french_lexicon_scores_no_other_language(spark):
    merged = spark.createDataFrame([("1", "a", "en", "english", "A terrible idea")], MERGED_SCHEMA)
    scores = spark.createDataFrame([], schemas.SENTIMENT_SCORES.ddl)

    assert texts_to_score(merged, scores, "en").collect() == []


def test_the_engine_names_the_installed_packages():
    assert sentiment.ENGINE == "textblob-fr"
    assert sentiment.ENGINE_VERSION.startswith("0.2.0 (textblob 0.20.1, rules ")
