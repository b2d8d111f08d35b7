from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from election_assets.schemas import LANDED_V1_NAMES, TWEET_V1_NAMES, encode_tweets
from election_assets.transforms.landing import LandedMessage, land
from tests.fakes.landing import CANDIDATE, CLUSTER, TOPIC, message, record

HEADER, FIRST, SECOND, THIRD = encode_tweets([record(1), record(2), record(3)]).splitlines(keepends=True)


def landed(*lines: bytes, **headers: str) -> LandedMessage:
    return land(message("b-1", 7, value=b"".join(lines), **headers), CANDIDATE)


def rows(result: LandedMessage) -> list[dict[str, str]]:
    read = list(csv.reader(io.StringIO(result.csv.decode(), newline=""), strict=True))
    assert read[0] == LANDED_V1_NAMES
    assert len(read) - 1 == result.rows
    return [dict(zip(LANDED_V1_NAMES, row, strict=True)) for row in read[1:]]


def reasons(result: LandedMessage) -> list[tuple[int, str]]:
    for line in result.refused:
        assert line.batch_id == result.batch_id
        assert line.reason.endswith(".")
    return [(line.line, line.reason) for line in result.refused]


def test_a_good_message_lands_with_where_it_came_from():
    result = landed(HEADER, FIRST, SECOND)
    place = {"cluster": CLUSTER, "topic": TOPIC, "partition": "0", "offset": "7", "batch_id": "b-1"}
    assert rows(result) == [
        {**record(1), **place, "line": "1"},
        {**record(2), **place, "line": "2"},
    ]
    assert (result.batch_id, result.rows, result.refused) == ("b-1", 2, ())


def test_the_landed_file_is_written_as_the_message_is():
    result = landed(HEADER, FIRST)
    line = FIRST.rstrip(b"\r\n") + f',"{CLUSTER}","{TOPIC}","0","7","b-1","1"\r\n'.encode()
    assert result.csv.split(b"\r\n", 1)[1] == line


@pytest.mark.parametrize("end", [b"\n", b"\r"])
def test_other_line_ends_are_read_too(end):
    result = landed(*(line.replace(b"\r\n", end) for line in (HEADER, FIRST, SECOND)))
    assert [row["id"] for row in rows(result)] == ["1", "2"]
    assert not result.refused


def test_a_last_line_without_end_is_a_row():
    assert landed(HEADER, FIRST.rstrip()).rows == 1


def test_a_header_line_alone_has_no_rows_and_nothing_to_refuse():
    result = landed(HEADER)
    assert (rows(result), result.refused) == ([], ())


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        ({"batch_id": ""}, "batch_id"),
        ({"schema": ""}, "schema"),
        ({"schema": "tweet.v2"}, "'tweet.v2'"),
        ({"candidate": ""}, "candidate"),
        ({"candidate": "le-pen"}, "'le-pen'"),
    ],
)
def test_wrong_headers_refuse_the_whole_message_line_by_line(headers, told):
    result = landed(HEADER, FIRST, SECOND, **headers)
    assert (result.csv, result.rows) == (None, 0)
    assert [number for number, _ in reasons(result)] == [1, 2]
    assert all(told in reason for _, reason in reasons(result))
    assert [line.original.encode() + b"\r\n" for line in result.refused] == [FIRST, SECOND]
    assert result.batch_id == headers.get("batch_id", "b-1")


@pytest.mark.parametrize(
    "header",
    [
        HEADER.replace(b'"retweet_count","reply_count"', b'"reply_count","retweet_count"'),
        HEADER.replace(b'"text"', b'"full_text"'),
        HEADER.replace(b'"id",', b""),
        HEADER.replace(b'"source"', b'"source","more"'),
        HEADER.upper(),
        b"\xef\xbb\xbf" + HEADER,
        HEADER.replace(b'"id"', b'"id'),
    ],
    ids=["swapped", "renamed", "one less", "one more", "upper case", "byte order mark", "broken"],
)
def test_another_header_line_refuses_the_whole_message(header):
    result = landed(header, FIRST, SECOND)
    assert (result.csv, result.rows) == (None, 0)
    assert [line.original.encode() + b"\r\n" for line in result.refused[-2:]] == [FIRST, SECOND]
    assert all("header line" in reason for _, reason in reasons(result))


def test_a_message_without_a_byte_is_refused_and_counted():
    result = landed(b"")
    assert (result.csv, result.rows) == (None, 0)
    assert [(line.line, line.original) for line in result.refused] == [(0, "")]


def test_a_wrong_header_line_alone_is_kept():
    result = landed(b'"id","text"\r\n')
    assert [(line.line, line.original) for line in result.refused] == [(0, '"id","text"')]


def test_what_is_not_utf_8_is_refused_whole_with_every_line_kept():
    bad = encode_tweets([record(2, text="café")]).splitlines(keepends=True)[1].replace("é".encode(), b"\xe9")
    result = landed(HEADER, FIRST, bad)
    assert (result.csv, result.rows) == (None, 0)
    assert [number for number, _ in reasons(result)] == [1, 2]
    assert "UTF-8" in result.refused[0].reason
    assert result.refused[0].original.encode() + b"\r\n" == FIRST
    assert "caf\\xe9" in result.refused[1].original


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        (SECOND.replace(b'"original",', b""), "18 fields instead of 19"),
        (SECOND.replace(b'"original"', b'"original","more"'), "20 fields instead of 19"),
        (b"\r\n", "0 fields"),
        (SECOND.replace(b'"Bonjour 2"', b'"Bonjour 2'), "not CSV"),
        (SECOND.replace(b'"Bonjour 2"', b'"Bon"jour 2"'), "not CSV"),
        (SECOND.replace(b'"sample"', b'"sample'), "not CSV"),
        (SECOND.replace(b'"2"', b'"2', 1), "not CSV"),
    ],
    ids=["short", "long", "blank", "unclosed quote", "stray quote", "unclosed at the end", "unclosed at the start"],
)
@pytest.mark.parametrize("last", [False, True])
def test_a_line_that_does_not_fit_is_kept_and_what_follows_lands(broken, told, last):
    following = [] if last else [THIRD]
    result = landed(HEADER, FIRST, broken, *following)
    assert [row["id"] for row in rows(result)] == ["1"] if last else ["1", "3"]
    [(number, reason)] = reasons(result)
    assert number == 2
    assert told in reason
    assert result.refused[0].original.encode() + b"\r\n" == broken
    if not last:
        assert rows(result)[-1] == {**rows(landed(HEADER, FIRST, SECOND, THIRD))[-1], "line": "3"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", ""),
        ("id", "12a"),
        ("id", "-1"),
        ("id", "1.0"),
        ("id", " 1"),
        ("id", "²"),
        ("id", "٣"),
        ("text", ""),
        ("text", " \r\n\t"),
        ("created_at", ""),
        ("created_at", "2022-02-30T00:00:00Z"),
        ("created_at", "1999-01-01T00:00:00Z"),
        ("retrieved_at", "soon"),
        ("kind", ""),
        ("kind", "Retweet"),
        ("author_followers", "-1"),
        ("retweet_count", "many"),
        ("reply_count", "1.5"),
        ("like_count", "1e3"),
        ("quote_count", "9" * 19),
    ],
)
def test_a_value_that_does_not_fit_is_named(field, value):
    result = land(message("b", 1, [record(1), record(2, **{"id": "2", field: value}), record(3)]), CANDIDATE)
    assert [row["id"] for row in rows(result)] == ["1", "3"]
    [(number, reason)] = reasons(result)
    assert number == 2
    assert reason.startswith(field)
    kept = next(csv.reader(io.StringIO(result.refused[0].original, newline="")))
    assert dict(zip(TWEET_V1_NAMES, kept, strict=True))[field] == value.rstrip("") == value


def test_counts_may_be_empty_and_as_large_as_a_table_holds():
    result = land(message("b", 1, [record(1, like_count="", quote_count="9" * 18)]), CANDIDATE)
    assert (result.rows, result.refused) == (1, ())


FIELD = st.text(st.sampled_from("\"',;\r\n\\\0 é👍a1")) | st.text()
RECORD = st.builds(
    lambda fields: record(1, **fields),
    st.dictionaries(st.sampled_from(TWEET_V1_NAMES), FIELD, max_size=3),
)


@given(st.lists(RECORD, max_size=6))
def test_every_record_is_a_row_or_a_refused_line_and_none_is_changed(records):
    result = land(message("b", 1, records), CANDIDATE)
    assert result.rows + len(result.refused) == len(records)
    lines = [int(row["line"]) for row in rows(result)] + [line.line for line in result.refused]
    assert sorted(lines) == list(range(1, len(records) + 1))
    expected = list(csv.reader(io.StringIO(encode_tweets(records).decode(), newline="")))[1:]
    for row in rows(result):
        assert [row[name] for name in TWEET_V1_NAMES] == expected[int(row["line"]) - 1]
    for line in result.refused:
        assert next(csv.reader(io.StringIO(line.original, newline=""))) == expected[line.line - 1]


@given(st.binary(max_size=200) | st.lists(st.sampled_from([HEADER, FIRST, b'"', b"\r\n", b",", b"a"])).map(b"".join))
def test_no_bytes_break_the_landing(value):
    result = landed(value)
    assert (result.csv is None) <= bool(result.refused)
    if result.csv is not None:
        rows(result)


def test_a_field_as_long_as_a_message_is_read_and_other_readers_keep_their_limit():
    before = csv.field_size_limit()
    landed = land(message("b-1", 1, [record(1, text="é" * 300_000)]), CANDIDATE)
    assert (landed.rows, landed.refused) == (1, ())
    assert csv.field_size_limit() == before
