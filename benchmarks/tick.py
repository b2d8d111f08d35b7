"""What 500 new records cost beside little and much that is stored: a tick should cost what is new."""

import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from election_assets import delta
from election_assets.election import load_election
from election_assets.ingest import ingest
from election_assets.landed import store
from election_assets.schemas import CLEANED_TWEETS, TWEET_SCHEMA, encode_tweets
from election_assets.storage import DataRoot
from election_assets.transforms.landing import Message
from resources.spark import SparkResource

STORED = (10_000, 1_000_000)
NEW = 500
ROUNDS = 5


def measure() -> Iterator[dict]:
    session = SparkResource().session
    medians = {}
    for stored in STORED:
        with tempfile.TemporaryDirectory() as folder:
            root = DataRoot(Path(folder))
            _fill(session, root, stored)
            seconds = []
            for number in range(ROUNDS + 1):
                store(root, "macron", _message(number))
                started = time.monotonic()
                added = ingest(session, root, load_election(), "macron", b"key")
                seconds.append(time.monotonic() - started)
                if added.kept != NEW:
                    raise SystemExit(f"{added.kept} rows kept instead of {NEW}")
            # The first round warms up.
            medians[stored] = statistics.median(seconds[1:])
        yield {"what": f"{NEW} new records beside {stored:,} stored", "value": medians[stored], "unit": "s"}
    few, many = STORED
    yield {
        "what": f"ratio of the two, for {many // few} times as many",
        "value": medians[many] / medians[few],
        "unit": "x",
    }


def _fill(session, root: DataRoot, rows: int) -> None:
    """Stores rows over 90 days before the ones that come new."""
    from pyspark.sql import functions as F

    values = {
        "tweet_id": F.concat(F.lit("9"), F.col("id").cast("string")),
        "day": F.date_add(F.lit("2022-01-01").cast("date"), (F.col("id") % 90).cast("int")),
        "created_at": F.lit("2022-01-01 12:00:00").cast("timestamp"),
        "retrieved_at": F.lit("2022-01-01 12:00:00").cast("timestamp"),
        "text": F.concat(F.lit("Un texte de la longueur d’un tweet, "), F.sha2(F.col("id").cast("string"), 256)),
        "first_origin": F.lit("before"),
    }
    frame = session.range(rows).select(
        *[
            values.get(column.name, F.lit(None)).cast(column.type).alias(column.name)
            for column in CLEANED_TWEETS.columns
        ]
    )
    delta.append(frame, CLEANED_TWEETS, root.table(CLEANED_TWEETS.name, "macron"))


def _message(number: int) -> Message:
    records = [
        {
            "id": f"7{number * NEW + line:018d}",
            "created_at": f"2022-04-01T{line % 20:02d}:00:00.000Z",
            "text": f"Macron parle d’écologie, texte {number} {line} #Élection",
            "kind": "original",
            "author_id": str(line),
            "author_location": "Lyon, France",
            "retrieved_at": "2022-04-02T00:00:00.000Z",
            "source": "sample",
        }
        for line in range(NEW)
    ]
    headers = {"batch_id": f"macron-00000000-{number:06d}", "candidate": "macron", "schema": TWEET_SCHEMA}
    return Message("cluster", "topic", 0, number, headers, encode_tweets(records))
