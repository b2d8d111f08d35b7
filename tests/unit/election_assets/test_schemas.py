from __future__ import annotations

import csv
import datetime as dt
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from election_assets.schemas import (
    CANDIDATE_STATS,
    CLEANED_TWEETS,
    INGESTED,
    LANDED_V1_NAMES,
    MERGED_TWEETS,
    RESULTS_2017,
    SENTIMENT_SCORES,
    TWEET_V1_NAMES,
    encode_tweets,
    origin_name,
    parse_time,
)

UTC = dt.UTC
ANY_TEXT = st.text(st.characters(exclude_categories=())) | st.text(st.sampled_from("\"'\\,;\r\n\0\ud800\udfff é"))


def read_back(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode(), newline=""), strict=True))


def without_surrogates(text: str) -> str:
    return "".join("\ufffd" if 0xD800 <= ord(sign) <= 0xDFFF else sign for sign in text)


def test_the_columns_of_the_message_stand_in_their_order():
    columns = """
        id created_at text lang kind author_id author_name author_username author_location author_followers
        retweet_count reply_count like_count quote_count referenced_id referenced_author_id place retrieved_at source
    """
    assert columns.split() == TWEET_V1_NAMES
    assert [*TWEET_V1_NAMES, "cluster", "topic", "partition", "offset", "batch_id", "line"] == LANDED_V1_NAMES


@pytest.mark.parametrize(
    "table", [CLEANED_TWEETS, INGESTED, CANDIDATE_STATS, RESULTS_2017, MERGED_TWEETS, SENTIMENT_SCORES]
)
def test_a_table_names_each_column_once_and_describes_it(table):
    assert len(set(table.names)) == len(table.names)
    assert all(column.description for column in table.columns)
    assert set(table.partition_by) <= set(table.names)


def test_a_batch_is_a_header_line_and_quoted_fields_ended_by_crlf():
    content = encode_tweets([{"id": 5, "text": 'Il dit "non"', "lang": None}])
    header = ",".join(f'"{name}"' for name in TWEET_V1_NAMES)
    fields = ["5", "", 'Il dit ""non""', *[""] * (len(TWEET_V1_NAMES) - 3)]
    assert content.decode() == header + "\r\n" + ",".join(f'"{field}"' for field in fields) + "\r\n"


def test_a_batch_without_records_is_its_header_line():
    assert read_back(encode_tweets([])) == [TWEET_V1_NAMES]


@given(st.lists(st.dictionaries(st.sampled_from(TWEET_V1_NAMES), ANY_TEXT), max_size=4))
def test_any_text_is_read_back(records):
    content = encode_tweets(records)
    expected = [[without_surrogates(record.get(name, "")) for name in TWEET_V1_NAMES] for record in records]
    assert read_back(content) == [TWEET_V1_NAMES, *expected]


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        ("2022-03-27T01:30:00.000Z", dt.datetime(2022, 3, 27, 1, 30, tzinfo=UTC)),
        ("2022-03-27T01:30:00Z", dt.datetime(2022, 3, 27, 1, 30, tzinfo=UTC)),
        ("2022-03-27T01:30:00.5Z", dt.datetime(2022, 3, 27, 1, 30, 0, 500_000, tzinfo=UTC)),
        ("2022-03-27T01:30:00.123456+02:00", dt.datetime(2022, 3, 26, 23, 30, 0, 123_456, tzinfo=UTC)),
        ("2022-03-27T01:30:00-05:45", dt.datetime(2022, 3, 27, 7, 15, tzinfo=UTC)),
        ("Fri Dec 17 11:38:08 +0000 2021", dt.datetime(2021, 12, 17, 11, 38, 8, tzinfo=UTC)),
        ("Fri Dec 17 00:38:08 +0130 2021", dt.datetime(2021, 12, 16, 23, 8, 8, tzinfo=UTC)),
        ("Sat Feb 29 23:59:59 -0100 2020", dt.datetime(2020, 3, 1, 0, 59, 59, tzinfo=UTC)),
        ("2020-02-29T00:00:00Z", dt.datetime(2020, 2, 29, tzinfo=UTC)),
        ("2006-03-21T00:00:00Z", dt.datetime(2006, 3, 21, tzinfo=UTC)),
        ("2099-12-31T23:59:59Z", dt.datetime(2099, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_both_formats_are_read_as_utc(written, instant):
    assert parse_time(written) == instant
    assert parse_time(written).utcoffset() == dt.timedelta(0)


@pytest.mark.parametrize(
    "written",
    [
        "",
        "yesterday",
        "2022-03-27",
        "2022-03-27T01:30:00",
        "2022-03-27 01:30:00Z",
        " 2022-03-27T01:30:00Z",
        "2022-03-27T01:30:00Z\n",
        "2022-02-30T00:00:00Z",
        "2021-02-29T00:00:00Z",
        "2022-13-01T00:00:00Z",
        "2022-00-01T00:00:00Z",
        "2022-04-01T24:00:00Z",
        "2022-04-01T12:60:00Z",
        "2022-04-01T12:00:60Z",
        "2022-04-01T12:00:00+19:00",
        "2022-04-01T12:00:00+05:75",
        "2006-03-20T23:59:59Z",
        "1970-01-01T00:00:00Z",
        "2100-01-01T00:00:00Z",
        "0001-01-01T00:00:00+18:00",
        "9999-12-31T23:59:59-18:00",
        "٢٠٢٢-٠٤-٠١T12:00:00Z",
        "Fri Fev 17 11:38:08 +0000 2021",
        "Wed Feb 30 11:38:08 +0000 2022",
        "Fri Dec 17 11:38:08 2021",
        "Fri Dec 17 11:38:08 +0000 2005",
        "17 Dec 2021 11:38:08 +0000",
    ],
)
def test_what_is_no_possible_date_is_none(written):
    assert parse_time(written) is None


INSTANTS = st.datetimes(dt.datetime(2006, 3, 22), dt.datetime(2099, 12, 30))
OFFSETS = st.integers(-18 * 60, 18 * 60).map(lambda minutes: dt.timezone(dt.timedelta(minutes=minutes)))


@given(INSTANTS, OFFSETS)
def test_iso_8601_goes_round(naive, zone):
    instant = naive.replace(tzinfo=UTC)
    assert parse_time(instant.astimezone(zone).isoformat()) == instant


@given(INSTANTS, OFFSETS)
def test_the_format_of_v1_goes_round(naive, zone):
    instant = naive.replace(microsecond=0, tzinfo=UTC)
    assert parse_time(instant.astimezone(zone).strftime("%a %b %d %H:%M:%S %z %Y")) == instant


@given(st.text())
def test_no_text_breaks_the_reading_of_dates(written):
    assert parse_time(written) is None or parse_time(written).tzinfo is UTC


def test_origins_sort_as_offsets_do():
    names = [origin_name("c", "t", 0, offset) for offset in (2, 10, 9_999_999_999)]
    assert names == sorted(names)
    assert names[0] == "c~t~0~00000000000000000002"
