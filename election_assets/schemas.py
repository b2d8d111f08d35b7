"""The columns of every file and table, once, and the one CSV that the scraper, the publishers and the landing share."""

from __future__ import annotations

import contextlib
import csv
import datetime as dt
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

TWEET_SCHEMA = "tweet.v1"
"""Version of the CSV between scraper and landing; a changed column is a new version, and both are read."""

MAX_BATCH_RECORDS = 500
MAX_BATCH_BYTES = 900_000
"""Largest batch as CSV, so that no message passes Kafka's default limit of 1 MB with its headers."""


@dataclass(frozen=True)
class Column:
    """A column: its name, its type as Spark SQL writes it, and what it holds."""

    name: str
    type: str
    description: str


@dataclass(frozen=True)
class Table:
    """A Delta table: its name, the version of its columns, the columns, and what a row is."""

    name: str
    version: int
    row: str
    columns: tuple[Column, ...]
    partition_by: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """The names of the columns, in order."""
        return [column.name for column in self.columns]

    @property
    def ddl(self) -> str:
        """The columns as a Spark DDL schema."""
        return ", ".join(f"`{column.name}` {column.type}" for column in self.columns)


def _columns(*rows: tuple[str, str, str]) -> tuple[Column, ...]:
    return tuple(Column(*row) for row in rows)


TWEET_V1 = _columns(
    ("id", "string", "Tweet id, decimal digits"),
    (
        "created_at",
        "string",
        "When it was written, as received, in one of X's two formats (see `parse_time`)",
    ),
    ("text", "string", "Full text; of a retweet the original's full text, where X gave it"),
    ("lang", "string", "Language as X guessed it (BCP 47), empty where unknown"),
    ("kind", "string", "original, retweet, quote or reply"),
    ("author_id", "string", "Author's user id"),
    ("author_name", "string", "Author's display name"),
    ("author_username", "string", "Author's handle, without @"),
    ("author_location", "string", "Free text of the author's profile"),
    ("author_followers", "string", "Followers of the author, a whole number or empty"),
    ("retweet_count", "string", "Whole number or empty"),
    ("reply_count", "string", "Whole number or empty"),
    ("like_count", "string", "Whole number or empty"),
    ("quote_count", "string", "Whole number or empty"),
    ("referenced_id", "string", "Id of the tweet retweeted, quoted or replied to"),
    ("referenced_author_id", "string", "Author's user id of that tweet, where X gave it"),
    ("place", "string", "Full name of the place tagged in the tweet"),
    ("retrieved_at", "string", "When it was read from X, ISO 8601 in UTC"),
    ("source", "string", "sample, archive or x"),
)
TWEET_V1_NAMES = [column.name for column in TWEET_V1]
COUNT_NAMES = ["author_followers", "retweet_count", "reply_count", "like_count", "quote_count"]
KINDS = ("original", "retweet", "quote", "reply")
SOURCES = ("sample", "archive", "x")

LANDED_V1 = TWEET_V1 + _columns(
    ("cluster", "string", "Id of the Kafka cluster it came from"),
    ("topic", "string", "Kafka topic"),
    ("partition", "string", "Kafka partition"),
    ("offset", "string", "Kafka offset of the message"),
    ("batch_id", "string", "The scraper's id of the batch"),
    ("line", "string", "Number of the record in the message, from 1"),
)
LANDED_V1_NAMES = [column.name for column in LANDED_V1]

CLEANED_TWEETS = Table(
    "cleaned_tweets",
    1,
    "one tweet id of one candidate",
    _columns(
        ("tweet_id", "string", "X's id of the tweet"),
        ("candidate", "string", "Key of the candidate whose query found it"),
        ("created_at", "timestamp", "When it was written, UTC"),
        ("day", "date", "Date in the election's time zone; the Delta partition"),
        ("local_hour", "int", "Hour of the day in the election's time zone, 0 to 23"),
        ("weekday", "int", "ISO day of the week in the election's time zone, 1 is Monday"),
        ("days_to_first_round", "int", "Days from `day` to the first round, negative after it"),
        ("text", "string", "Text in NFC, entities decoded, without control characters; mentions are pseudonyms"),
        ("text_plain", "string", "Words of the text: no links, mentions, symbols; hashtags without #"),
        ("lang", "string", "Language as X guessed it, null where unknown"),
        ("kind", "string", "original, retweet, quote or reply"),
        ("hashtags", "array<string>", "Hashtags in the text, lower case, without #, in order, each once"),
        ("mentions", "array<string>", "Mentions in the text as they stand there, in order, each once"),
        ("link_count", "int", "Links in the text"),
        ("characters", "int", "Characters of `text`"),
        ("words", "int", "Words of `text_plain`"),
        ("named_candidates", "array<string>", "Keys of the candidates named in the text, in the election's order"),
        ("retweet_count", "bigint", "Newest count"),
        ("reply_count", "bigint", "Newest count"),
        ("like_count", "bigint", "Newest count"),
        ("quote_count", "bigint", "Newest count"),
        ("engagement", "bigint", "Sum of the four counts, unknown ones as 0"),
        ("author", "string", "Keyed pseudonym of the author, 16 hex digits"),
        ("author_followers", "bigint", "Followers of the author when last seen"),
        (
            "department",
            "string",
            "INSEE code guessed from the author's location or the place, null if unplaced",
        ),
        ("referenced_id", "string", "Id of the tweet retweeted, quoted or replied to"),
        ("referenced_author", "string", "Keyed pseudonym of that tweet's author"),
        ("retrieved_at", "timestamp", "When the newest counts were read, UTC"),
        ("first_origin", "string", "Landed file that it first came from"),
        ("source", "string", "sample, archive or x"),
    ),
    partition_by=("day",),
)

INGESTED = Table(
    "ingested",
    1,
    "one landed file that cleaned_tweets has read",
    _columns(
        ("origin", "string", "Name of the landed file: cluster, topic, partition and offset"),
        ("batch_id", "string", "The scraper's id of the batch"),
        ("sequence", "bigint", "Order in which the files were read, from 1"),
        ("rows", "bigint", "Rows of the file"),
        ("kept", "bigint", "Rows that became a row of cleaned_tweets"),
        ("repeats", "bigint", "Rows whose tweet was there already"),
        ("quarantined", "bigint", "Lines of the message that went to quarantine"),
        ("repeated_delivery", "boolean", "True if the batch had come before: its rows count nowhere else"),
        ("ingested_at", "timestamp", "UTC"),
    ),
)

CANDIDATE_STATS = Table(
    "candidate_stats",
    1,
    "one hour or one day of one candidate",
    _columns(
        ("candidate", "string", "Key of the candidate"),
        ("period", "string", "hour or day"),
        ("day", "date", "Date in the election's time zone"),
        ("hour", "int", "Hour of the day, null for a day's row"),
        ("tweets", "bigint", "Tweets"),
        ("originals", "bigint", "Tweets that are no retweets"),
        ("retweet_share", "double", "Retweets / tweets, 0 to 1"),
        ("distinct_authors", "bigint", "Distinct author pseudonyms"),
        ("engagement", "bigint", "Sum of the tweets' engagement"),
        ("top_hashtags", "array<struct<hashtag:string,texts:bigint>>", "At most ten, by distinct texts, then by name"),
        ("cleaned_files", "string", "Fingerprint of the day's files of cleaned_tweets that this was computed from"),
    ),
)

RESULTS_2017 = Table(
    "results_2017",
    1,
    "one department, round and candidate of the 2017 election",
    _columns(
        ("round", "int", "1 or 2"),
        ("department", "string", "INSEE's code; ZZ is voters abroad, 977-978 Saint-Barthélemy and Saint-Martin"),
        ("department_name", "string", "Name as INSEE writes it"),
        ("registered", "bigint", "Inscrits"),
        ("abstentions", "bigint", "Abstentions"),
        ("voters", "bigint", "Votants"),
        ("blank", "bigint", "Blancs"),
        ("null_votes", "bigint", "Nuls"),
        ("cast", "bigint", "Exprimés"),
        ("candidate", "string", "As the ministry prints the name"),
        ("votes", "bigint", "Voix"),
    ),
)

MERGED_TWEETS = Table(
    "merged_tweets",
    2,
    "one tweet of one candidate, over all candidates",
    (
        *CLEANED_TWEETS.columns,
        Column("candidates", "array<string>", "Keys of all candidates whose table holds the tweet, sorted"),
        Column("text_hash", "string", "SHA-256 of `text`, hex"),
        Column("voice", "string", "SHA-256 of `text` in lower case without links, mentions and spare blanks, hex"),
    ),
)

TEXT_VECTORS = Table(
    "text_vectors",
    1,
    "one distinct text, as the network of a slow engine of sentiment gave it back",
    _columns(
        ("text_hash", "string", "SHA-256 of `text`, hex"),
        ("engine", "string", "Engine whose network it is"),
        ("model", "string", "Version of the network and of the text as it is given to it"),
        ("vector", "binary", "Half-precision floating point numbers, little-endian"),
    ),
)

SENTIMENT_SCORES = Table(
    "sentiment_scores",
    1,
    "one distinct text, scored by the current engine",
    _columns(
        ("text_hash", "string", "SHA-256 of `text`, hex"),
        ("polarity", "double", "-1 (negative) to 1 (positive), null where not scored"),
        ("subjectivity", "double", "0 (objective) to 1 (subjective), null where not scored"),
        ("label", "string", "negative, neutral or positive, null where not scored"),
        ("coverage", "double", "Share of the words that the lexicons know, 0 to 1, null of an engine without lexicons"),
        ("engine", "string", "Engine that scored it"),
        ("engine_version", "string", "Version of the engine"),
    ),
)


def encode_tweets(records: Iterable[Mapping[str, object]]) -> bytes:
    r"""A batch as the CSV of `tweet.v1`: header line, UTF-8, every field quoted, lines ended by CRLF.

    Args:
        records: Flat records with the columns of `TWEET_V1`; a missing or None value is written as an empty field.
            A lone surrogate, which UTF-8 cannot carry, is written as U+FFFD.
    """
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(TWEET_V1_NAMES)
    for record in records:
        values = (record.get(name) for name in TWEET_V1_NAMES)
        writer.writerow(["" if value is None else str(value) for value in values])
    return re.sub("[\ud800-\udfff]", "\N{REPLACEMENT CHARACTER}", buffer.getvalue()).encode()


@contextlib.contextmanager
def fields_of_any_length() -> Iterator[None]:
    """Lets Python's csv read fields as long as a message meanwhile; the limit is one for the whole process."""
    before = csv.field_size_limit(2 * MAX_BATCH_BYTES)
    try:
        yield
    finally:
        csv.field_size_limit(before)


_MONTH_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTHS = {name: number for number, name in enumerate(_MONTH_NAMES, 1)}
_ISO = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?(Z|[+-]\d\d:\d\d)", re.ASCII)
_V1 = re.compile(
    r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) ([A-Z][a-z]{2}) (\d\d) (\d\d):(\d\d):(\d\d) ([+-]\d{4}) (\d{4})", re.ASCII
)
_FIRST_TWEET = dt.datetime(2006, 3, 21, tzinfo=dt.UTC)
_LAST_YEAR = 2100


def parse_time(written: str) -> dt.datetime | None:
    """The instant of a `created_at` or `retrieved_at`, in UTC; None where it is no possible date of a tweet.

    Both of X's formats are read: v2's ISO 8601 (`2022-03-27T01:30:00.000Z`, any offset) and v1.1's
    (`Fri Dec 17 11:38:08 +0000 2021`). Nothing before the first tweet (21 March 2006) or from 2100 on is possible.
    """
    if iso := _ISO.fullmatch(written):
        year, month, day, hour, minute, second = (int(part) for part in iso.groups()[:6])
        micro = int((iso[7] or "0").ljust(6, "0"))
        offset = "+00:00" if iso[8] == "Z" else iso[8]
    elif v1 := _V1.fullmatch(written):
        month, day, hour, minute, second = _MONTHS.get(v1[1], 0), *(int(part) for part in v1.groups()[1:5])
        year, micro, offset = int(v1[7]), 0, f"{v1[6][:3]}:{v1[6][3:]}"
    else:
        return None
    sign = -1 if offset[0] == "-" else 1
    shift = sign * dt.timedelta(hours=int(offset[1:3]), minutes=int(offset[4:6]))
    if abs(shift) > dt.timedelta(hours=18) or int(offset[4:6]) > 59:
        return None
    try:
        instant = dt.datetime(year, month, day, hour, minute, second, micro, tzinfo=dt.UTC) - shift
    except (ValueError, OverflowError):
        return None
    return instant if instant >= _FIRST_TWEET and instant.year < _LAST_YEAR else None


def origin_name(cluster: str, topic: str, partition: int, offset: int) -> str:
    """The origin of a message, which names its landed file: `cluster~topic~partition~offset`, offset in 20 digits."""
    return f"{cluster}~{topic}~{partition}~{offset:020d}"
