"""Counts for the pictures and the report, over a real Spark."""

import datetime as dt
import math
from pathlib import Path

import pandas as pd
import pytest

from election_assets import schemas
from election_assets.election import Candidate, Election
from election_assets.transforms import aggregates, sentiment
from election_assets.transforms.aggregates import TOTAL

COLUMNS = {
    "tweet_id": "string",
    "candidate": "string",
    "day": "date",
    "text_plain": "string",
    "lang": "string",
    "kind": "string",
    "hashtags": "array<string>",
    "author": "string",
    "department": "string",
    "text_hash": "string",
}
SCHEMA = ", ".join(f"{name} {type_}" for name, type_ in COLUMNS.items())
DEFAULTS = {
    "candidate": "ada",
    "day": dt.date(2022, 4, 9),
    "text_plain": "mots",
    "lang": "fr",
    "kind": "original",
    "hashtags": [],
    "author": "one",
    "department": None,
    "text_hash": "hash",
}


@pytest.fixture(scope="module")
def election() -> Election:
    candidates = tuple(
        Candidate(key, name, "", "#123456", name, (), (name,))
        for key, name in [("ada", "Ada Un"), ("bea", "Béa Deux"), ("cyr", "Cyr Trois")]
    )
    return Election(
        "test", "Essai", "fr", "Europe/Paris", dt.date(2022, 4, 10), dt.date(2022, 4, 24), "t", candidates, Path()
    )


@pytest.fixture
def merged(spark):
    def make(*rows: dict):
        values = [
            tuple({**DEFAULTS, "tweet_id": str(number), **row}[name] for name in COLUMNS)
            for number, row in enumerate(rows)
        ]
        return spark.createDataFrame(values, SCHEMA)

    return make


@pytest.fixture
def scores(spark):
    def make(*rows: tuple[str, float | None, str | None]):
        values = [
            (
                text_hash,
                polarity,
                polarity and 0.5,
                label,
                0.5 if label else 0.0,
                sentiment.ENGINE,
                sentiment.ENGINE_VERSION,
            )
            for text_hash, polarity, label in rows
        ]
        return spark.createDataFrame(values, schemas.SENTIMENT_SCORES.ddl)

    return make


def by_candidate(frame: pd.DataFrame) -> dict[str, dict]:
    return {row["candidate"]: row for row in frame.to_dict("records")}


def test_overview_counts_a_tweet_of_two_candidates_once_in_the_total(merged, scores, election):
    tweets = merged(
        {"tweet_id": "1", "candidate": "ada", "text_hash": "x", "department": "75"},
        {"tweet_id": "1", "candidate": "bea", "text_hash": "x", "department": "75"},
        {"tweet_id": "2", "candidate": "ada", "text_hash": "x", "kind": "retweet", "author": "two"},
        {"tweet_id": "3", "candidate": "bea", "text_hash": "y", "lang": "en", "author": "two"},
        {"tweet_id": "4", "candidate": "bea", "text_hash": "z", "lang": None, "author": "two"},
    )

    frame = aggregates.overview(tweets, scores(), election)

    assert frame["candidate"].tolist() == ["ada", "bea", "cyr", TOTAL]
    counts = by_candidate(
        frame[
            [
                "candidate",
                "tweets",
                "originals",
                "distinct_texts",
                "distinct_authors",
                "unplaced",
                "other_language",
            ]
        ]
    )
    assert [list(counts[key].values())[1:] for key in ("ada", "bea", "cyr", TOTAL)] == [
        [2, 1, 1, 2, 1, 0],
        [3, 3, 3, 2, 2, 2],
        [0, 0, 0, 0, 0, 0],
        [4, 3, 3, 2, 3, 2],
    ]


def test_overview_averages_distinct_scored_texts_and_shows_the_unscored(merged, scores, election):
    tweets = merged(
        {"text_hash": "good"},
        {"text_hash": "good", "kind": "retweet"},
        {"text_hash": "good", "candidate": "bea"},
        {"text_hash": "bad"},
        {"text_hash": "unknown words"},
        {"text_hash": "not yet scored"},
        {"text_hash": "english", "lang": "en"},
    )
    tones = scores(
        ("good", 0.8, "positive"),
        ("bad", -0.2, "negative"),
        ("unknown words", None, None),
        ("english", 1.0, "positive"),
    )

    rows = by_candidate(aggregates.overview(tweets, tones, election))

    for key in ("ada", TOTAL):
        assert rows[key]["scored_texts"] == 2
        assert rows[key]["unscored_texts"] == 2
        assert rows[key]["mean_polarity"] == pytest.approx(0.3)
        assert [rows[key][f"share_{label}"] for label in sentiment.LABELS] == [0.5, 0, 0.5]
    assert rows["bea"]["mean_polarity"] == pytest.approx(0.8)
    assert rows["cyr"]["scored_texts"] == 0
    assert math.isnan(rows["cyr"]["mean_polarity"])
    assert math.isnan(rows["cyr"]["share_neutral"])


def test_overview_leaves_scores_of_another_version_out(merged, spark, election):
    outdated = spark.createDataFrame(
        [("hash", 1.0, 1.0, "positive", 1.0, sentiment.ENGINE, "0")], schemas.SENTIMENT_SCORES.ddl
    )

    rows = by_candidate(aggregates.overview(merged({}), outdated, election))

    assert (rows[TOTAL]["scored_texts"], rows[TOTAL]["unscored_texts"]) == (0, 1)


def test_overview_of_no_tweets_has_every_row(merged, scores, election, spark):
    frame = aggregates.overview(spark.createDataFrame([], SCHEMA), scores(("hash", 1.0, "positive")), election)

    assert frame["candidate"].tolist() == ["ada", "bea", "cyr", TOTAL]
    assert frame["tweets"].tolist() == [0, 0, 0, 0]
    assert frame["mean_polarity"].isna().all()


def test_departments_and_unplaced_add_up_to_the_tweets(merged, scores, election):
    tweets = merged(
        {"tweet_id": "1", "department": "75"},
        {"tweet_id": "1", "department": "75", "candidate": "bea"},
        {"tweet_id": "2", "department": "75"},
        {"tweet_id": "3", "department": "2A", "author": "two"},
        {"tweet_id": "4"},
        {"tweet_id": "5", "department": None},
        {"tweet_id": "5", "department": "13", "candidate": "bea"},
    )

    placed = aggregates.tweets_by_department(tweets)

    assert placed.to_dict("list") == {"department": ["13", "2A", "75"], "tweets": [1, 1, 2], "authors": [1, 1, 1]}
    assert aggregates.unplaced(tweets) == 1
    total = by_candidate(aggregates.overview(tweets, scores(), election))[TOTAL]
    assert total["tweets"] == placed["tweets"].sum() + total["unplaced"]


def test_days(merged):
    first, second = dt.date(2022, 4, 9), dt.date(2022, 4, 10)
    tweets = merged(
        {"tweet_id": "1", "day": first},
        {"tweet_id": "1", "day": first, "candidate": "bea"},
        {"tweet_id": "2", "day": second, "kind": "retweet"},
    )

    assert aggregates.tweets_by_day(tweets).to_dict("split")["data"] == [
        [TOTAL, first, 1, 1],
        [TOTAL, second, 1, 0],
        ["ada", first, 1, 1],
        ["ada", second, 1, 0],
        ["bea", first, 1, 1],
    ]


def test_hashtags_are_counted_by_distinct_texts(merged):
    tweets = merged(
        {"text_hash": "x", "hashtags": ["débat", "vote"]},
        {"text_hash": "x", "hashtags": ["débat", "vote"], "kind": "retweet"},
        {"text_hash": "y", "hashtags": ["vote"], "candidate": "bea"},
        {"text_hash": "z", "hashtags": ["abc"], "candidate": "bea", "lang": "en"},
        {"text_hash": "none", "hashtags": []},
    )

    assert aggregates.top_hashtags(tweets).to_dict("list") == {"hashtag": ["vote", "abc", "débat"], "texts": [2, 1, 1]}
    assert aggregates.top_hashtags(tweets, candidate="ada", limit=1).to_dict("list") == {
        "hashtag": ["débat"],
        "texts": [1],
    }


def test_hashtags_that_differ_in_accents_or_case_are_one_in_the_most_frequent_spelling(merged):
    tweets = merged(
        {"text_hash": "a", "hashtags": ["presidentielle2022", "présidentielle2022", "cœur"]},
        {"text_hash": "b", "hashtags": ["présidentielle2022", "coeur", "français"]},
        {"text_hash": "c", "hashtags": ["présidentielle2022", "COEUR", "francais"]},
        {"text_hash": "d", "hashtags": ["presidentielle2022", "coeur", "francais", "vote"]},
        {"text_hash": "e", "hashtags": ["ÉCOLE"]},
        {"text_hash": "f", "hashtags": ["ecole"]},
    )

    assert aggregates.top_hashtags(tweets).to_dict("list") == {
        "hashtag": ["coeur", "présidentielle2022", "francais", "ÉCOLE", "vote"],
        "texts": [4, 4, 3, 2, 1],
    }


def test_words_are_counted_by_distinct_texts_of_the_language(merged, election):
    tweets = merged(
        {"text_hash": "x", "text_plain": "retraites retraites école"},
        {"text_hash": "x", "text_plain": "retraites retraites école", "kind": "retweet"},
        {"text_hash": "y", "text_plain": "école", "candidate": "bea"},
        {"text_hash": "z", "text_plain": "school", "lang": "en"},
        {"text_hash": "u", "text_plain": "inconnu", "lang": None},
    )

    assert aggregates.word_counts(tweets, election) == {"école": 2, "retraites": 1}
    assert aggregates.word_counts(tweets, election, candidate="bea") == {"école": 1}
    assert aggregates.word_counts(tweets, election, limit=1) == {"école": 2}


def test_a_word_is_shown_in_its_most_frequent_spelling(merged, election):
    texts = ["Élysée", "ÉLYSÉE", "Élysée", "élysée", "cote", "côté", "Cœur", "cœur cœur"]
    tweets = merged(*({"text_hash": str(number), "text_plain": text} for number, text in enumerate(texts)))

    assert aggregates.word_counts(tweets, election) == {"Élysée": 4, "cœur": 2, "cote": 1, "côté": 1}


@pytest.mark.parametrize(
    ("written", "word"),
    [
        ("l’école", "école"),
        ("L'École", "École"),
        ("qu’aujourd’hui", "aujourd’hui"),
        ("aujourd'hui", "aujourd'hui"),
        ("jusqu’ici", "ici"),
        ("d’l’eau", "eau"),
        ("porte-parole", "porte-parole"),
        ("S’unir", "unir"),
    ],
)
def test_elided_forms_count_under_the_word(merged, election, written, word):
    assert aggregates.word_counts(merged({"text_plain": f"{written} 2022 5 a ’ -"}), election) == {word: 1}


def test_stop_words_are_left_out_in_any_case_and_after_elision(merged, election):
    tweets = merged({"text_plain": "Les retraites d’ici l’AVENIR LES"})

    assert aggregates.word_counts(tweets, election, stop_words={"les", "ici", "avenir"}) == {"retraites": 1}
