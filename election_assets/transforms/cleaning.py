"""From landed rows to `cleaned_tweets`: one Python pass for what the texts hold, Spark's plan for all the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from election_assets.election import Election
from election_assets.schemas import CLEANED_TWEETS, COUNT_NAMES

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import Column, DataFrame

COUNTED = ("retweet_count", "reply_count", "like_count", "quote_count")
NEWEST = (*COUNTED, "engagement", "author_followers", "retrieved_at")
"""The columns that a repeat of a tweet brings up to date; all others stay as they first came."""

UNDETERMINED = "und"
"""What X writes where it could not tell a text's language (BCP 47)."""

_READ_IN_PYTHON = ("text", "author_id", "author_username", "author_location", "referenced_author_id", "place")
_CARRIED = ("id", "created_at", "lang", "kind", *COUNT_NAMES, "referenced_id", "retrieved_at", "source", "line")
_FOUND = (
    ("text", "string"),
    ("text_plain", "string"),
    ("hashtags", "array<string>"),
    ("mentions", "array<string>"),
    ("link_count", "int"),
    ("characters", "int"),
    ("words", "int"),
    ("named_candidates", "array<string>"),
    ("author", "string"),
    ("referenced_author", "string"),
    ("department", "string"),
)


def clean_tweets(landed: DataFrame, *, election: Election, candidate: str, pseudonym_key: bytes) -> DataFrame:
    """Clean landed rows.

    Args:
        landed: Rows with the columns of `schemas.LANDED_V1`, all strings, as the landing step let them through; an
            empty string and null are alike.
        election: Gives the time zone, the first round, and the candidates' names and handles.
        candidate: Key of the candidate whose topic the rows come from.
        pseudonym_key: Key of the pseudonyms of authors and mentions.

    Returns:
        One row a landed row: the columns of `schemas.CLEANED_TWEETS` (`first_origin` is the row's own origin) and
        `line` (int, from 1). The author's location and the tweet's place are not among them.
    """
    from pyspark.sql import functions as F

    origin = F.concat_ws("~", "cluster", "topic", "partition", F.lpad("offset", 20, "0"))
    carried = [*_CARRIED, "first_origin"]
    schema = ", ".join([*(f"`{name}` string" for name in carried), *(f"`{name}` {kind}" for name, kind in _FOUND)])
    read = landed.select(*_READ_IN_PYTHON, *_CARRIED, origin.alias("first_origin")).mapInArrow(
        _text_reader(election, pseudonym_key, carried), schema
    )
    local = F.from_utc_timestamp("created_at", election.time_zone)
    day = F.to_date(local)
    return (
        read.withColumns(
            {
                "created_at": instant("created_at"),
                "retrieved_at": instant("retrieved_at"),
                **{name: F.col(name).try_cast("bigint") for name in COUNT_NAMES},
            }
        )
        .withColumns(
            {
                "tweet_id": F.col("id"),
                "candidate": F.lit(candidate),
                "day": day,
                "local_hour": F.hour(local),
                # dayofweek counts from Sunday, 1; weekday() of Sail 0.7 gives -1 for a Sunday.
                "weekday": (F.dayofweek(local) + 5) % 7 + 1,
                "days_to_first_round": F.datediff(F.lit(election.first_round), day),
                "lang": F.when(~F.col("lang").isin("", UNDETERMINED), F.col("lang")),
                "engagement": sum((F.coalesce(name, F.lit(0)) for name in COUNTED), start=F.lit(0)),
                "referenced_id": F.when(F.col("referenced_id") != "", F.col("referenced_id")),
            }
        )
        .select(
            *(F.col(column.name).cast(column.type).alias(column.name) for column in CLEANED_TWEETS.columns),
            F.col("line").cast("int").alias("line"),
        )
    )


def reduce_repeats(cleaned: DataFrame, sequences: dict[str, int]) -> DataFrame:
    """Bring the rows of one tweet down to one.

    Args:
        cleaned: Rows of `clean_tweets`.
        sequences: The order in which the landed files are read, by origin; every origin of `cleaned` is in it.

    Returns:
        One row a `tweet_id`, exactly the columns of `schemas.CLEANED_TWEETS`: every field from the first row by
        (sequence, line), but the columns `NEWEST` from the row read from X last, by (`retrieved_at`, sequence, line).
        Spark raises an error that names the origin where a sequence is missing.
    """
    from pyspark.sql import Window
    from pyspark.sql import functions as F

    order = cleaned.sparkSession.createDataFrame(list(sequences.items()), "`first_origin` string, `sequence` bigint")
    missing = F.raise_error(F.concat(F.lit("reduce_repeats was given no sequence for the origin "), "first_origin"))
    ordered = cleaned.join(order, "first_origin", "left").withColumn(
        "sequence", F.when(F.col("sequence").isNull(), missing.cast("bigint")).otherwise(F.col("sequence"))
    )
    tweet = Window.partitionBy("tweet_id")
    first = tweet.orderBy("sequence", "line")
    newest = tweet.orderBy(F.desc("retrieved_at"), F.desc("sequence"), F.desc("line"))
    # min_by and max_by on such wide rows take five times as long.
    return (
        ordered.withColumns(
            {"rank": F.row_number().over(first), "newest": F.first(F.struct(*NEWEST)).over(newest)},
        )
        .where(F.col("rank") == 1)
        .drop(*NEWEST)
        .select("*", "newest.*")
        .select(*CLEANED_TWEETS.names)
    )


def instant(written: str) -> Column:
    """The instant that a column of strings holds, as `schemas.parse_time` reads it: a timestamp, null if unreadable.

    Args:
        written: Name of the column, in either of X's formats.
    """
    from pyspark.sql import functions as F

    def part(start: int, length: int) -> Column:
        return F.substring(written, start, length)

    iso = F.substring(written, 11, 1) == "T"
    # ISO 8601: the zone is Z, or the last six characters.
    zulu = F.endswith(written, F.lit("Z"))
    iso_local = F.concat(part(1, 10), F.lit(" "), F.regexp_extract(written, r"T([0-9:.]+)", 1))
    iso_zone = F.when(zulu, "+00:00").otherwise(F.right(written, F.lit(6)))
    # 'Fri Dec 17 11:38:08 +0000 2021'
    month_number = (F.instr(F.lit("JanFebMarAprMayJunJulAugSepOctNovDec"), part(5, 3)) + 2) / 3
    month = F.lpad(month_number.cast("int").cast("string"), 2, "0")
    v1_local = F.concat(part(27, 4), F.lit("-"), month, F.lit("-"), part(9, 2), F.lit(" "), part(12, 8))
    v1_zone = F.concat(part(21, 3), F.lit(":"), part(24, 2))
    local = F.try_to_timestamp(F.when(iso, iso_local).otherwise(v1_local))
    zone = F.when(iso, iso_zone).otherwise(v1_zone)
    # Taken off by arithmetic: what offsets a cast reads differs from engine to engine.
    minutes = F.substring(zone, 2, 2).try_cast("bigint") * 60 + F.substring(zone, 5, 2).try_cast("bigint")
    sign = F.when(F.startswith(zone, F.lit("-")), -1).otherwise(1)
    return F.timestamp_micros(F.unix_micros(local) - sign * minutes * 60_000_000)


def _text_reader(
    election: Election, pseudonym_key: bytes, carried: list[str]
) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    def read(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa

        from election_assets.transforms.locations import guess_department
        from election_assets.transforms.text import TextReader

        reader = TextReader(election, pseudonym_key)
        types = {
            "string": pa.string(),
            "int": pa.int32(),
            "array<string>": pa.list_(pa.string()),
        }
        names = [*carried, *(name for name, _ in _FOUND)]
        for batch in batches:
            columns = (batch.column(name).to_pylist() for name in _READ_IN_PYTHON)
            rows = [
                (
                    *reader.read(text or ""),
                    reader.author(author_id, username),
                    reader.author(referenced_author_id),
                    guess_department(location) or guess_department(place),
                )
                for text, author_id, username, location, referenced_author_id, place in zip(*columns, strict=True)
            ]
            found = zip(*rows, strict=True) if rows else ([] for _ in _FOUND)
            arrays = [pa.array(values, types[kind]) for values, (_, kind) in zip(found, _FOUND, strict=True)]
            yield pa.RecordBatch.from_arrays(
                [*(batch.column(name).cast(pa.string()) for name in carried), *arrays], names
            )

    return read
