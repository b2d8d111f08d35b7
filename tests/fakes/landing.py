"""Builders of what the landing step meets: records, batches in `raw/`, messages, and their delivery."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Mapping
from typing import Any

from election_assets.landed import store
from election_assets.schemas import TWEET_SCHEMA, TWEET_V1_NAMES, encode_tweets
from election_assets.storage import RAW_SUFFIX, DataRoot, write_atomically
from election_assets.transforms.landing import LandedMessage, Message

CANDIDATE = "macron"
TOPIC = f"fr_2022.tweets.{CANDIDATE}"
CLUSTER = "cluster"


def record(tweet_id: int | str, **fields: str) -> dict[str, str]:
    """A record of `tweet.v1` that fits, but for the fields given."""
    return {
        **dict.fromkeys(TWEET_V1_NAMES, ""),
        "id": str(tweet_id),
        "created_at": "2022-04-01T12:00:00.000Z",
        "text": f"Bonjour {tweet_id}",
        "lang": "fr",
        "kind": "original",
        "author_id": "7",
        "like_count": "1",
        "retrieved_at": "2022-04-05T12:00:00Z",
        "source": "sample",
        **fields,
    }


def headers(batch_id: str) -> dict[str, str]:
    return {"batch_id": batch_id, "candidate": CANDIDATE, "schema": TWEET_SCHEMA}


def message(
    batch_id: str,
    offset: int,
    records: Iterable[Mapping[str, str]] = (),
    /,
    *,
    value: bytes | None = None,
    cluster: str = CLUSTER,
    **changed_headers: str,
) -> Message:
    """A message as the publisher writes it; `value` stands in for the CSV, an empty header is left out."""
    shown = {name: text for name, text in {**headers(batch_id), **changed_headers}.items() if text}
    return Message(cluster, TOPIC, 0, offset, shown, encode_tweets(records) if value is None else value)


def keep_raw(root: DataRoot, batch_id: str, records: Iterable[Mapping[str, Any]]) -> None:
    """Writes a batch as the scraper keeps it: a record a line."""
    lines = "".join(json.dumps(each) + "\n" for each in records)
    write_atomically(root.raw(CANDIDATE) / f"{batch_id}{RAW_SUFFIX}", gzip.compress(lines.encode()))


def deliver(root: DataRoot, batch_id: str, offset: int, *records: Mapping[str, str]) -> LandedMessage:
    """Keeps a batch and lands its message."""
    keep_raw(root, batch_id, records)
    return store(root, CANDIDATE, message(batch_id, offset, records))
