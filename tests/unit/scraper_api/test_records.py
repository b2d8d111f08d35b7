"""One tweet to one flat record, whatever X or an archive gives."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from election_assets.schemas import MAX_BATCH_BYTES, TWEET_V1_NAMES, encode_tweets
from scraper_api.records import MAX_FIELD_CHARACTERS, Includes, csv_bytes, flat_record

NOW = "2022-04-11T08:00:00.000Z"

AUTHOR = {"id": "7", "name": "Été", "username": "ete", "location": "Orléans", "public_metrics": {"followers_count": 12}}
ORIGINAL = {"id": "50", "text": "Le texte entier, jusqu’au bout", "author_id": "8"}
PLACE = {"id": "p1", "full_name": "Saint-Étienne, France"}
INCLUDES = {"users": [AUTHOR], "tweets": [ORIGINAL], "places": [PLACE]}
TWEET = {
    "id": "100",
    "created_at": "2022-04-10T18:00:00.000Z",
    "text": "Bonjour",
    "lang": "fr",
    "author_id": "7",
    "geo": {"place_id": "p1"},
    "public_metrics": {"retweet_count": 1, "reply_count": 2, "like_count": 3, "quote_count": 4},
}

NAMES = (
    "id text author_id created_at lang geo place_id public_metrics retweet_count followers_count referenced_tweets "
    "type retweeted quoted users tweets places full_name name note_tweet in_reply_to_user_id __twarc retrieved_at"
)
names = st.sampled_from(NAMES.split(" "))
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20) | names,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names | st.text(max_size=3), inner, max_size=6),
    max_leaves=25,
)


def reference(kind):
    return [{"type": kind, "id": "50"}]


def test_a_plain_tweet_fills_every_column_it_has():
    assert flat_record(TWEET, INCLUDES, NOW, "x") == {
        "id": "100",
        "created_at": "2022-04-10T18:00:00.000Z",
        "text": "Bonjour",
        "lang": "fr",
        "kind": "original",
        "author_id": "7",
        "author_name": "Été",
        "author_username": "ete",
        "author_location": "Orléans",
        "author_followers": "12",
        "retweet_count": "1",
        "reply_count": "2",
        "like_count": "3",
        "quote_count": "4",
        "referenced_id": "",
        "referenced_author_id": "",
        "place": "Saint-Étienne, France",
        "retrieved_at": NOW,
        "source": "x",
    }


def test_a_retweet_gets_the_originals_full_text():
    retweet = TWEET | {"text": "RT @x: Le texte enti…", "referenced_tweets": reference("retweeted")}
    flat = flat_record(retweet, INCLUDES, NOW, "x")
    assert (flat["kind"], flat["text"]) == ("retweet", ORIGINAL["text"])
    assert (flat["referenced_id"], flat["referenced_author_id"]) == ("50", "8")


def test_a_retweet_whose_original_is_missing_stays_cut():
    retweet = TWEET | {"text": "RT @x: Le texte enti…", "referenced_tweets": reference("retweeted")}
    flat = flat_record(retweet, {"users": [AUTHOR]}, NOW, "x")
    assert (flat["kind"], flat["text"], flat["referenced_author_id"]) == ("retweet", "RT @x: Le texte enti…", "")


def test_a_long_posts_whole_text_is_taken_from_its_note():
    long = {"text": "Long…", "note_tweet": {"text": "Long et entier"}}
    assert flat_record(TWEET | long, {}, NOW, "x")["text"] == "Long et entier"
    retweet = TWEET | {"text": "RT @x: Long…", "referenced_tweets": reference("retweeted")}
    assert flat_record(retweet, {"tweets": [ORIGINAL | long]}, NOW, "x")["text"] == "Long et entier"


@pytest.mark.parametrize(
    ("extra", "kind", "referenced_id", "author"),
    [
        ({"referenced_tweets": [*reference("quoted"), {"type": "replied_to", "id": "9"}]}, "quote", "50", "8"),
        ({"referenced_tweets": [{"type": "quoted", "id": "9"}, *reference("retweeted")]}, "retweet", "50", "8"),
        ({"referenced_tweets": reference("replied_to"), "in_reply_to_user_id": "6"}, "reply", "50", "8"),
        ({"referenced_tweets": [{"type": "replied_to", "id": "9"}], "in_reply_to_user_id": "6"}, "reply", "9", "6"),
        ({"in_reply_to_user_id": "6"}, "reply", "", "6"),
    ],
)
def test_the_kind_comes_from_the_references(extra, kind, referenced_id, author):
    flat = flat_record(TWEET | extra, INCLUDES, NOW, "x")
    assert (flat["kind"], flat["referenced_id"], flat["referenced_author_id"]) == (kind, referenced_id, author)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2021-12-17T12:38:08+01:00", "2021-12-17T11:38:08.000Z"),
        ("Fri Dec 17 11:38:08 +0000 2021", "2021-12-17T11:38:08.000Z"),
        ("yesterday", NOW),
        (5, NOW),
    ],
)
def test_the_archives_own_time_of_reading_goes_first(written, read):
    assert flat_record(TWEET | {"__twarc": {"retrieved_at": written}}, {}, NOW, "archive")["retrieved_at"] == read


@pytest.mark.parametrize(
    ("extra", "column", "value"),
    [
        ({"id": None}, "id", ""),
        ({"id": 12}, "id", "12"),
        ({"id": ["12"]}, "id", ""),
        ({"text": None}, "text", ""),
        ({"text": 12}, "text", ""),
        ({"created_at": "31/02/2022"}, "created_at", "31/02/2022"),
        ({"public_metrics": {"like_count": "beaucoup"}}, "like_count", "beaucoup"),
        ({"public_metrics": {"like_count": 1.5}}, "like_count", "1.5"),
        ({"public_metrics": {"like_count": True}}, "like_count", "true"),
        ({"public_metrics": [3]}, "like_count", ""),
        ({"text": "\ud83d seul"}, "text", "\N{REPLACEMENT CHARACTER} seul"),
    ],
)
def test_a_malformed_value_is_left_for_the_landing_to_judge(extra, column, value):
    assert flat_record(TWEET | extra, INCLUDES, NOW, "x")[column] == value


def test_a_field_without_end_is_cut():
    text = flat_record(TWEET | {"text": "é" * (MAX_FIELD_CHARACTERS + 1)}, {}, NOW, "x")["text"]
    assert len(text) == MAX_FIELD_CHARACTERS
    assert text.endswith("é…")


def test_a_record_never_outgrows_a_batch():
    huge = "🗳" * MAX_FIELD_CHARACTERS
    flat = flat_record(TWEET | {"text": huge, "lang": huge}, {"users": [AUTHOR | {"location": '"' * 10**6}]}, NOW, "x")
    assert 100_000 < len(encode_tweets([flat])) <= MAX_BATCH_BYTES
    assert flat["text"].endswith("…")


@given(values, values)
@example({"referenced_tweets": [{"type": "retweeted", "id": "1"}]}, {"tweets": [{"id": "1", "text": None}]})
@example(None, None)
def test_any_json_gives_a_record_of_strings(tweet, includes):
    for flat in (flat_record(tweet, includes, NOW, "x"), flat_record(tweet, Includes(includes).of(tweet), NOW, "x")):
        assert list(flat) == TWEET_V1_NAMES
        assert all(type(value) is str for value in flat.values())
        assert json.loads(json.dumps(flat, ensure_ascii=False).encode()) == flat
        assert csv_bytes(flat) == len(encode_tweets([flat])) - len(encode_tweets([]))


@given(values, values)
def test_a_tweets_own_includes_tell_as_much_as_the_pages(tweet, includes):
    assert flat_record(tweet, Includes(includes).of(tweet), NOW, "x") == flat_record(tweet, includes, NOW, "x")
