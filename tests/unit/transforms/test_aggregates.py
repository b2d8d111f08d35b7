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
    "candidates": "array<string>",
    "day": "date",
    "local_hour": "int",
    "text_plain": "string",
    "lang": "string",
    "kind": "string",
    "hashtags": "array<string>",
    "named_candidates": "array<string>",
    "author": "string",
    "department": "string",
    "text_hash": "string",
    "voice": "string",
}
SCHEMA = ", ".join(f"{name} {type_}" for name, type_ in COLUMNS.items())
DEFAULTS = {
    "candidate": "ada",
    "candidates": ["ada"],
    "day": dt.date(2022, 4, 9),
    "local_hour": 12,
    "text_plain": "mots",
    "lang": "fr",
    "kind": "original",
    "hashtags": [],
    "named_candidates": [],
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
            tuple(
                {**DEFAULTS, "tweet_id": str(number), "voice": row.get("text_hash", "hash"), **row}[name]
                for name in COLUMNS
            )
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
                "textblob",
                "1",
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

    rows = by_candidate(aggregates.overview(tweets, tones, election, floor=1))

    for key in ("ada", TOTAL):
        assert rows[key]["scored_texts"] == 2
        assert (rows[key]["unscored_texts"], rows[key]["waiting_texts"]) == (1, 1)
        assert rows[key]["mean_polarity"] == pytest.approx(0.3)
        assert [rows[key][f"share_{label}"] for label in sentiment.LABELS] == [0.5, 0, 0.5]
    assert rows["bea"]["mean_polarity"] == pytest.approx(0.8)
    assert rows["cyr"]["scored_texts"] == 0
    assert math.isnan(rows["cyr"]["mean_polarity"])
    assert math.isnan(rows["cyr"]["share_neutral"])


def test_the_engine_is_the_one_that_scored(scores):
    assert aggregates.tone_engine(scores(("hash", 1.0, "positive"))) == "textblob 1"
    assert aggregates.tone_engine(scores()) == ""


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

    placed = aggregates.departments(tweets, scores(), election, floor=1)

    assert placed[["department", "tweets", "authors"]].to_dict("list") == {
        "department": ["13", "2A", "75"],
        "tweets": [1, 1, 2],
        "authors": [1, 1, 1],
    }
    total = by_candidate(aggregates.overview(tweets, scores(), election))[TOTAL]
    assert total["unplaced"] == 1
    assert total["tweets"] == placed["tweets"].sum() + total["unplaced"]


def test_the_country_of_the_map_is_all_that_is_placed_each_tweet_text_and_author_once(merged, scores, election):
    tweets = merged(
        {"tweet_id": "1", "department": "75", "text_hash": "a", "author": "one"},
        {"tweet_id": "1", "department": "75", "text_hash": "a", "author": "one", "candidate": "bea"},
        {"tweet_id": "2", "department": "13", "text_hash": "a", "author": "one"},
        {"tweet_id": "3", "department": "13", "text_hash": "b", "author": "two"},
        {"tweet_id": "4", "text_hash": "c", "author": "three"},
    )
    toned = scores(("a", 0.5, "positive"), ("b", -0.1, "negative"), ("c", 1.0, "positive"))

    (row,) = aggregates.placed_total(tweets, toned, election, floor=2).to_dict("records")

    assert (row["department"], row["tweets"], row["authors"], row["scored_texts"]) == (TOTAL, 3, 2, 2)
    assert row["mean_polarity"] == pytest.approx(0.2)
    assert not row["below_floor"]
    (few,) = aggregates.placed_total(tweets, toned, election, floor=3).to_dict("records")
    assert few["below_floor"]
    assert math.isnan(few["tweets"])
    unplaced = merged({"tweet_id": "1", "department": None})
    assert aggregates.placed_total(unplaced, toned, election, floor=1).empty


def test_days(merged):
    first, second = dt.date(2022, 4, 9), dt.date(2022, 4, 10)
    tweets = merged(
        {"tweet_id": "1", "day": first},
        {"tweet_id": "1", "day": first, "candidate": "bea"},
        {"tweet_id": "2", "day": second, "kind": "retweet"},
    )

    assert aggregates.tweets_by_day(tweets).to_dict("split")["data"] == [
        [TOTAL, first, 1, 1, 1],
        [TOTAL, second, 1, 0, 1],
        ["ada", first, 1, 1, 1],
        ["ada", second, 1, 0, 1],
        ["bea", first, 1, 1, 1],
    ]


def test_hashtags_are_counted_by_distinct_texts(merged):
    tweets = merged(
        {"text_hash": "x", "hashtags": ["débat", "vote"]},
        {"text_hash": "x", "hashtags": ["débat", "vote"], "kind": "retweet"},
        {"text_hash": "y", "hashtags": ["vote"], "candidate": "bea"},
        {"text_hash": "z", "hashtags": ["abc"], "candidate": "bea", "lang": "en"},
        {"text_hash": "none", "hashtags": []},
    )

    assert aggregates.top_hashtags(tweets, floor=1).to_dict("list") == {
        "hashtag": ["vote", "abc", "débat"],
        "texts": [2, 1, 1],
    }
    assert aggregates.top_hashtags(tweets, candidate="ada", limit=1, floor=1).to_dict("list") == {
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

    assert aggregates.top_hashtags(tweets, floor=1).to_dict("list") == {
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

    assert aggregates.word_counts(tweets, election, floor=1) == {"école": 2, "retraites": 1}
    assert aggregates.word_counts(tweets, election, candidate="bea", floor=1) == {"école": 1}
    assert aggregates.word_counts(tweets, election, limit=1, floor=1) == {"école": 2}


def test_a_word_is_shown_in_its_most_frequent_spelling(merged, election):
    texts = ["Élysée", "ÉLYSÉE", "Élysée", "élysée", "cote", "côté", "Cœur", "cœur cœur"]
    tweets = merged(*({"text_hash": str(number), "text_plain": text} for number, text in enumerate(texts)))

    assert aggregates.word_counts(tweets, election, floor=1) == {"Élysée": 4, "cœur": 2, "cote": 1, "côté": 1}


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
    assert aggregates.word_counts(merged({"text_plain": f"{written} 2022 5 a ’ -"}), election, floor=1) == {word: 1}


def test_stop_words_are_left_out_in_any_case_and_after_elision(merged, election):
    tweets = merged({"text_plain": "Les retraites d’ici l’AVENIR LES"})

    assert aggregates.word_counts(tweets, election, stop_words={"les", "ici", "avenir"}, floor=1) == {"retraites": 1}


def test_a_department_of_few_authors_has_no_figure_and_says_so(merged, scores, election):
    tweets = merged(
        *({"department": "75", "author": str(number), "text_hash": f"p{number}"} for number in range(10)),
        *({"department": "48", "author": str(number % 9), "text_hash": f"l{number}"} for number in range(30)),
        {"department": None},
    )
    tones = scores(*((f"p{number}", 0.5 if number < 6 else -0.5, "positive") for number in range(10)))

    lozere, paris = aggregates.departments(tweets, tones, election).to_dict("records")

    assert (lozere["department"], lozere["below_floor"]) == ("48", True)
    assert all(math.isnan(value) for name, value in lozere.items() if name not in ("department", "below_floor"))
    assert (paris["department"], paris["below_floor"], paris["tweets"], paris["authors"]) == ("75", False, 10, 10)
    assert paris["scored_texts"] == 10
    assert paris["mean_polarity"] == pytest.approx(0.1)
    assert paris["mean_polarity_low"] < -0.2
    assert paris["mean_polarity_high"] > 0.4


def test_copies_of_a_text_are_one_voice_of_a_day(merged, scores, election):
    tweets = merged(
        *({"text_hash": "copied", "kind": "retweet", "author": str(number)} for number in range(50)),
        {"text_hash": "b", "author": "bea"},
        {"text_hash": "c", "author": "cyr"},
        {"text_hash": "unscored"},
        {"text_hash": "english", "lang": "en"},
        {"text_hash": "b", "day": dt.date(2022, 4, 10)},
    )
    tones = scores(
        ("copied", 0.9, "positive"), ("b", -0.3, "negative"), ("c", 0.0, "neutral"), ("unscored", None, None)
    )

    frame = aggregates.tone_by_day(tweets, tones, election, floor=1)

    assert frame[["candidate", "day"]].to_dict("split")["data"] == [
        [key, dt.date(2022, 4, day)] for key in (TOTAL, "ada") for day in (9, 10)
    ]
    first, second = frame[frame["candidate"] == "ada"].to_dict("records")
    assert [first[name] for name in ("tweets", "scored_texts", "unscored_texts")] == [53, 3, 1]
    assert first["mean_polarity"] == pytest.approx(0.2)
    assert first["mean_polarity_low"] == -1
    assert first["share_positive"] == pytest.approx(1 / 3)
    # Wilson's interval of 1 in 3.
    assert (first["share_positive_low"], first["share_positive_high"]) == pytest.approx((0.0615, 0.7923), abs=1e-4)
    assert second["mean_polarity"] == pytest.approx(-0.3)
    assert math.isnan(second["mean_polarity_low"])


def test_a_tone_of_few_authors_is_not_given(merged, scores, election):
    tweets = merged(
        *({"text_hash": str(number), "author": str(number)} for number in range(10)),
        *({"candidate": "bea", "text_hash": str(number), "author": str(number % 9)} for number in range(10)),
        *({"text_hash": str(number), "author": "one", "day": dt.date(2022, 4, 10)} for number in range(10)),
    )
    tones = scores(*((str(number), 0.5, "positive") for number in range(10)))

    rows = by_candidate(aggregates.overview(tweets, tones, election))
    days = aggregates.tone_by_day(tweets, tones, election)

    assert rows["ada"]["mean_polarity"] == rows[TOTAL]["mean_polarity"] == pytest.approx(0.5)
    assert rows["bea"]["scored_texts"] == 10
    told = [name for name in days.columns if name.startswith(("mean_", "share_"))]
    assert len(told) == 12
    assert all(math.isnan(rows["bea"][name]) for name in told)
    assert days[["candidate", "authors"]].to_dict("split")["data"] == [
        *([TOTAL, 10], [TOTAL, 1]),
        *(["ada", 10], ["ada", 1]),
        ["bea", 9],
    ]
    assert days[told].notna().all(axis=1).tolist() == [True, False, True, False, False]
    assert days["scored_texts"].tolist() == [10] * 5


def test_copies_that_are_written_otherwise_are_one_voice_with_the_tone_of_all(merged, scores, election):
    copies = [{"text_hash": f"t{number}", "voice": "one", "author": str(number)} for number in range(300)]
    tweets = merged(*copies, {"text_hash": "b", "author": "bea"}, {"text_hash": "c", "author": "cyr"})
    tones = scores(
        *((f"t{number}", 0.4 + 0.2 * (number % 2), ("neutral", "positive")[number % 2]) for number in range(300)),
        ("b", -0.3, "negative"),
        ("c", 0.1, "neutral"),
    )

    row = by_candidate(aggregates.overview(tweets, tones, election, floor=3))["ada"]

    assert (row["distinct_texts"], row["scored_texts"]) == (3, 3)
    assert row["mean_polarity"] == pytest.approx((0.5 - 0.3 + 0.1) / 3)
    assert [row[f"share_{label}"] for label in sentiment.LABELS] == pytest.approx([1 / 3, 1.5 / 3, 0.5 / 3])
    # Student's t of 2 degrees of freedom.
    deviation = pd.Series([0.5, -0.3, 0.1]).std()
    assert row["mean_polarity_high"] == pytest.approx(min(1, 0.1 + 4.3027 * deviation / math.sqrt(3)), abs=1e-4)


def test_a_voice_is_scored_if_a_copy_is_and_waits_only_while_all_copies_do(merged, scores, election):
    tweets = merged(
        *({"text_hash": f"{voice}{copy}", "voice": voice} for voice in ("said", "mute", "new") for copy in range(2)),
    )
    tones = scores(("said0", 0.5, "positive"), ("mute0", None, None), ("mute1", None, None))

    row = by_candidate(aggregates.overview(tweets, tones, election, floor=1))["ada"]

    assert [row[f"{kind}_texts"] for kind in ("scored", "unscored", "waiting")] == [1, 1, 1]


def test_the_texts_of_one_author_do_not_make_a_tone_surer(merged, scores, election):
    many = [{"text_hash": f"t{number}", "author": "busy"} for number in range(200)]
    others = [{"text_hash": f"o{number}", "author": str(number)} for number in range(20)]
    # A copy does not make its copier the writer.
    copy = {"text_hash": "o0", "author": "busy", "kind": "retweet"}
    tones = scores(
        *((f"t{number}", 0.9, "positive") for number in range(200)),
        *((f"o{number}", number % 2 - 0.5, ("negative", "positive")[number % 2]) for number in range(20)),
    )

    alone = by_candidate(aggregates.overview(merged(*others, copy), tones, election))["ada"]
    drowned = by_candidate(aggregates.overview(merged(*others, *many[:20]), tones, election))["ada"]
    single = by_candidate(aggregates.overview(merged(*others, *many), tones, election))["ada"]

    # 20 independent texts: Student's t of 19 degrees of freedom.
    deviation = pd.Series([number % 2 - 0.5 for number in range(20)]).std()
    assert alone["mean_polarity_high"] == pytest.approx(2.0930 * deviation / math.sqrt(20), abs=1e-4)
    # 40 texts are worth 40² / (20² + 20) = 3.8.
    assert drowned["scored_texts"] == 40
    assert drowned["mean_polarity_low"] < -0.2
    assert drowned["share_positive_high"] - drowned["share_positive_low"] > 0.5
    assert single["mean_polarity"] == pytest.approx(180 / 220)
    assert math.isnan(single["mean_polarity_low"])


BEHIND = {
    "nine of ten authors write in another language": [
        *({"lang": "en", "author": f"english {number}", "text_hash": f"e{number}"} for number in range(9)),
        {"author": "french", "text_hash": "t0"},
    ],
    "one author wrote all ten scored texts, nine others what has no tone or waits": [
        *({"author": "one", "text_hash": f"t{number}"} for number in range(10)),
        *({"author": f"unscored {number}", "text_hash": "unscored"} for number in range(5)),
        *({"author": f"waiting {number}", "text_hash": "waiting"} for number in range(5)),
    ],
    "twelve authors copy one text": [
        {"author": str(number), "text_hash": "t0", "kind": "retweet"} for number in range(12)
    ],
    "nine texts of eleven authors": [{"author": str(number), "text_hash": f"t{number % 9}"} for number in range(11)],
}


@pytest.mark.parametrize("rows", BEHIND.values(), ids=BEHIND)
def test_who_has_no_part_in_a_tone_does_not_lift_it_over_the_floor(merged, scores, election, rows):
    tweets = merged(*({"department": "75", **row} for row in rows))
    tones = scores(("unscored", None, None), *((f"t{number}", -0.9, "negative") for number in range(10)))

    overview = aggregates.overview(tweets, tones, election)
    places = aggregates.departments(tweets, tones, election)
    days = aggregates.tone_by_day(tweets, tones, election)

    assert places["below_floor"].tolist() == [False]
    assert places["tweets"].tolist() == [len(rows)]
    for frame in (overview, places, days):
        told = [name for name in frame.columns if name.startswith(("mean_", "share_"))]
        assert len(told) == 12
        assert frame[told].isna().all(axis=None)


def test_a_tone_of_ten_texts_of_ten_authors_is_given_everywhere(merged, scores, election):
    tweets = merged(
        *({"department": "75", "author": str(number), "text_hash": f"t{number}"} for number in range(10)),
        {"department": "75", "author": "english", "text_hash": "t0", "lang": "en"},
    )
    tones = scores(*((f"t{number}", -0.9, "negative") for number in range(10)))

    overview = by_candidate(aggregates.overview(tweets, tones, election))
    (place,) = aggregates.departments(tweets, tones, election).to_dict("records")
    day = aggregates.tone_by_day(tweets, tones, election).iloc[-1]

    for row in (overview["ada"], overview[TOTAL], place, day):
        assert row["mean_polarity"] == pytest.approx(-0.9)
        assert row["scored_texts"] == 10
    assert (overview["ada"]["distinct_authors"], place["authors"], day["authors"]) == (11, 11, 10)


def test_hours_of_the_last_days(merged):
    day = dt.date(2022, 4, 9)
    tweets = merged(
        {"tweet_id": "1", "local_hour": 8},
        {"tweet_id": "1", "local_hour": 8, "candidate": "bea"},
        {"tweet_id": "2", "local_hour": 8, "kind": "retweet"},
        {"tweet_id": "3", "local_hour": 23, "day": day - dt.timedelta(days=1)},
        {"tweet_id": "4", "local_hour": 9, "day": day - dt.timedelta(days=2)},
    )

    assert aggregates.tweets_by_hour(tweets, days=2).to_dict("split")["data"] == [
        [TOTAL, day - dt.timedelta(days=1), 23, 1, 1],
        [TOTAL, day, 8, 2, 1],
        ["ada", day - dt.timedelta(days=1), 23, 1, 1],
        ["ada", day, 8, 2, 1],
        ["bea", day, 8, 1, 1],
    ]


def test_the_shares_of_a_day_sum_to_one(merged):
    tweets = merged(
        {"tweet_id": "1"},
        {"tweet_id": "1", "candidate": "bea"},
        {"tweet_id": "2"},
        {"tweet_id": "3", "day": dt.date(2022, 4, 10), "candidate": "cyr"},
    )

    voice = aggregates.share_of_voice(aggregates.tweets_by_day(tweets))

    assert voice[["candidate", "tweets"]].to_dict("split")["data"] == [["ada", 2], ["bea", 1], ["cyr", 1]]
    assert voice["share"].tolist() == pytest.approx([2 / 3, 1 / 3, 1])


def test_pairs_named_together_count_both_ways_from_ten_authors_on(merged):
    both = {"candidates": ["ada", "bea"]}
    tweets = merged(
        *(
            {"tweet_id": str(number), "candidate": key, "author": str(number), **both}
            for number in range(10)
            for key in ("ada", "bea")
        ),
        *({"tweet_id": f"c{number}", "author": "one", "candidates": ["ada", "cyr"]} for number in range(20)),
        {"tweet_id": "alone"},
    )

    assert aggregates.co_mentions(tweets).to_dict("split")["data"] == [["ada", "bea", 10], ["bea", "ada", 10]]


def tags(hashtag: str, day: int, texts: int, **row):
    """Tweets of a day in April 2022 that hold a hashtag, each of its own author and text."""
    return (
        {"text_hash": f"{hashtag}{day}{number}", "hashtags": [hashtag] if hashtag else [], "author": str(number), **row}
        | {"day": dt.date(2022, 4, day)}
        for number in range(texts)
    )


def test_hashtags_rise_beside_the_days_before(merged):
    days = [(day, {"text_hash": f"none{day}{number}"}) for day in range(2, 10) for number in range(20)]
    tweets = [
        *({**row, "day": dt.date(2022, 4, day), "hashtags": []} for day, row in days),
        *tags("débat", 9, 20),
        *tags("DÉBAT", 8, 4),
        *tags("debat", 2, 2),
        *tags("vote", 9, 21),
        *tags("vote", 1, 30),
        *tags("rare", 9, 9),
        *tags("ancien", 1, 40),
        *tags("copie", 8, 12, text_hash="one"),
        # As often as before.
        *tags("usuel", 9, 21),
        *tags("usuel", 3, 20),
    ]

    rising = aggregates.rising_hashtags(merged(*tweets), days=4)

    # April 6 to 9 beside April 2 to 5: what stands before that is not looked at. The spelling is the usual one.
    assert rising[["candidate", "hashtag", "texts", "before"]].to_dict("split")["data"] == [
        [key, *row] for key in (TOTAL, "ada") for row in (["vote", 21, 0], ["débat", 24, 2])
    ]
    whole, before = 80 + 20 + 4 + 21 + 9 + 1 + 21, 80 + 2 + 20
    assert rising["share"].tolist()[:2] == pytest.approx([21 / whole, 24 / whole])
    assert rising["share_before"].tolist()[:2] == pytest.approx([0, 2 / before])
    ratios = [21.5 / (whole + 1) / (0.5 / (before + 1)), 24.5 / (whole + 1) / (2.5 / (before + 1))]
    assert rising["rise"].tolist()[:2] == pytest.approx([math.log(ratio) for ratio in ratios])
    assert len(aggregates.rising_hashtags(merged(*tweets), days=4, limit=1)) == 2
    # While April 10 runs, its tweets do not count, and April 9 is the last day of the week as before.
    running = merged(*tweets, *tags("matin", 10, 90))
    assert aggregates.rising_hashtags(running, days=4, today=dt.date(2022, 4, 10)).equals(rising)
    assert "matin" in set(aggregates.rising_hashtags(running, days=4)["hashtag"])


def test_no_hashtag_rises_because_more_is_written(merged):
    tweets = merged(*tags("vote", 8, 20), *tags("climat", 8, 20), *tags("vote", 9, 200), *tags("climat", 9, 200))

    assert aggregates.rising_hashtags(tweets, days=1).empty


def test_no_hashtag_rises_beside_days_that_were_not_all_collected(merged):
    rose = [*tags("vote", 9, 40), *tags("autre", 6, 40), *tags("autre", 9, 40)]

    assert aggregates.rising_hashtags(merged(*rose), days=2).empty
    whole = aggregates.rising_hashtags(merged(*rose, *tags("autre", 7, 1)), days=2)
    assert set(whole["hashtag"]) == {"vote"}


def test_no_tweet_has_no_hour_hashtag_pair_or_word(spark, scores, election):
    none = spark.createDataFrame([], SCHEMA)
    assert aggregates.tweets_by_hour(none).empty
    assert aggregates.rising_hashtags(none).empty
    assert aggregates.co_mentions(none).empty
    assert aggregates.distinctive_words(none, election).empty
    assert aggregates.tone_by_day(none, scores(), election).empty
    assert aggregates.departments(none, scores(), election).empty


def test_distinctive_words_are_said_of_one_and_not_of_the_others(merged, election):
    def texts(key: str, words: str, count: int, **row):
        return (
            {"candidate": key, "text_plain": words, "text_hash": f"{key}{words}{number}", "author": f"{key}{number}"}
            | row
            for number in range(count)
        )

    tweets = merged(
        *texts("ada", "France vote écologie", 40),
        *texts("bea", "France vote retraites", 40),
        *texts("cyr", "France vote", 40),
        *texts("ada", "secret", 30, author="alone"),
        # Who compares two says it of neither alone, whether both searches found the text or it names both.
        *(row for key in ("ada", "bea") for row in texts(key, "comparer visions", 30, candidates=["ada", "bea"])),
        *texts("cyr", "opposer", 30, candidates=["cyr"], named_candidates=["bea", "cyr"]),
    )

    words = aggregates.distinctive_words(tweets, election, stop_words={"vote"})

    assert words[["candidate", "word", "texts", "others"]].to_dict("split")["data"] == [
        ["ada", "écologie", 40, 0],
        ["bea", "retraites", 40, 0],
        ["cyr", "France", 40, 80],
    ]
    assert (words["z"] > 1.96).all()


def test_a_text_that_two_searches_gave_apart_is_of_both(merged, election):
    def said(key: str, word: str, number: int) -> dict:
        row = {"candidate": key, "candidates": [key], "author": str(number), "text_plain": word}
        return row | {"text_hash": f"{word}{number}"}

    tweets = merged(
        *(said("ada", "bravo", number) for number in range(100)),
        *(said("bea", "bravo", number) for number in range(10)),
        *(said("bea", "retraites", number) for number in range(100)),
    )

    words = aggregates.distinctive_words(tweets, election)
    assert words[["candidate", "word", "texts", "others"]].to_dict("split")["data"] == [
        ["ada", "bravo", 100, 10],
        ["bea", "retraites", 100, 0],
    ]


def test_hashtags_that_hold_a_name_are_no_words(merged, election):
    def texts(words: str, *hashtags: str):
        return (
            {"text_plain": words, "hashtags": list(hashtags), "author": str(n), "text_hash": f"{words}{n}"}
            for n in range(60)
        )

    tweets = merged(
        *texts("AvecBéaDeux CyrTrois2022", "avecbéadeux", "cyrtrois2022"),
        # The same letters said as a word, and a hashtag without a name.
        *texts("beadeuxiste", "autre"),
        *texts("Climat", "climat"),
        *({"candidate": "bea", "candidates": ["bea"], "text_plain": "impôts", "text_hash": f"b{n}"} for n in range(99)),
    )

    assert aggregates.word_counts(tweets, election) == {"beadeuxiste": 60, "Climat": 60}
    assert set(aggregates.distinctive_words(tweets, election)["word"]) == {"beadeuxiste", "Climat"}


def test_words_and_hashtags_of_few_authors_are_left_out(merged, election):
    tweets = merged(
        *({"text_plain": "école", "hashtags": ["vote"], "text_hash": str(n), "author": str(n)} for n in range(10)),
        *({"text_plain": "rare", "hashtags": ["peu"], "text_hash": f"r{n}", "author": str(n % 9)} for n in range(20)),
    )

    assert aggregates.word_counts(tweets, election) == {"école": 10}
    assert aggregates.top_hashtags(tweets).to_dict("list") == {"hashtag": ["vote"], "texts": [10]}
