"""A tweet as X's API v2 gives it, made into the flat record of `tweet.v1`; no input of any shape raises."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterable, Iterator

from election_assets.schemas import MAX_BATCH_BYTES, TWEET_V1_NAMES, encode_tweets, parse_time

MAX_FIELD_CHARACTERS = 200_000
"""A longer field is cut there: some 500 times X's longest post, so only garbage is."""

_KIND_OF_REFERENCE = {"retweeted": "retweet", "quoted": "quote", "replied_to": "reply"}
"""X's types of reference, the one that decides the kind first."""

_SURROGATES = re.compile("[\ud800-\udfff]")
_HEADER_BYTES = len(encode_tweets([]))
_MAX_RECORD_BYTES = MAX_BATCH_BYTES - _HEADER_BYTES


def flat_record(tweet: object, includes: object, retrieved_at: str, source: str) -> dict[str, str]:
    """One tweet with what it refers to, as the columns of `schemas.TWEET_V1`.

    A retweet's text is the original's, in full, where `includes` holds the original; else it stays cut, as received.
    A value of a wrong type stays as it was written where it is a number or a truth value, so that the landing can say
    what is wrong with it; a null, a list or an object in its place, and a text that is none, become empty.

    Args:
        tweet: The tweet as received; anything else, too.
        includes: `{"users": [...], "tweets": [...], "places": [...]}` as received; matched by id.
        retrieved_at: When it was read from X; `__twarc.retrieved_at` on the tweet goes first.
        source: One of `schemas.SOURCES`.

    Returns:
        Strings that UTF-8 can carry, in the order of the columns; each of at most 200,000 characters, all of them
        together below the limit of a batch.
    """
    tweet = _mapping(tweet)
    references = _references(tweet)
    kind, reference = next(
        ((kind, references[name]) for name, kind in _KIND_OF_REFERENCE.items() if name in references),
        ("reply" if _scalar(tweet.get("in_reply_to_user_id")) else "original", {}),
    )
    referenced_id = _scalar(reference.get("id"))
    referenced = _included(includes, "tweets", referenced_id)
    referenced_author_id = _scalar(referenced.get("author_id"))
    if kind == "reply" and not referenced_author_id:
        referenced_author_id = _scalar(tweet.get("in_reply_to_user_id"))
    text = _full_text(tweet)
    if kind == "retweet":
        text = _full_text(referenced) or text
    author_id = _scalar(tweet.get("author_id"))
    author = _included(includes, "users", author_id)
    place = _included(includes, "places", _scalar(_mapping(tweet.get("geo")).get("place_id")))
    counts = _mapping(tweet.get("public_metrics"))
    flat = {
        "id": _scalar(tweet.get("id")),
        "created_at": _scalar(tweet.get("created_at")),
        "text": text,
        "lang": _string(tweet.get("lang")),
        "kind": kind,
        "author_id": author_id,
        "author_name": _string(author.get("name")),
        "author_username": _string(author.get("username")),
        "author_location": _string(author.get("location")),
        "author_followers": _scalar(_mapping(author.get("public_metrics")).get("followers_count")),
        **{name: _scalar(counts.get(name)) for name in ("retweet_count", "reply_count", "like_count", "quote_count")},
        "referenced_id": referenced_id,
        "referenced_author_id": referenced_author_id,
        "place": _string(place.get("full_name")),
        "retrieved_at": _time(_mapping(tweet.get("__twarc")).get("retrieved_at")) or _time(retrieved_at),
        "source": source,
    }
    if _SURROGATES.search("".join(flat.values())):
        flat = {name: _SURROGATES.sub("\N{REPLACEMENT CHARACTER}", value) for name, value in flat.items()}
    return _bounded({name: flat[name] for name in TWEET_V1_NAMES})


def csv_bytes(flat: dict[str, str]) -> int:
    """The bytes that one flat record adds to `schemas.encode_tweets`."""
    quoted = sum(len(value.encode()) + value.count('"') for value in flat.values())
    quotes_commas_and_line_end = 2 * len(flat) + len(flat) - 1 + len("\r\n")
    return quoted + quotes_commas_and_line_end


def utc_text(instant: dt.datetime) -> str:
    """An instant as ISO 8601 in UTC with milliseconds, as X writes it: `2022-04-10T18:00:00.000Z`."""
    return instant.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{instant.microsecond // 1000:03d}Z"


class Includes:
    """The `includes` of one page, by id, from which each tweet gets the ones it refers to."""

    def __init__(self, includes: object) -> None:
        self._by_id = {
            name: {_scalar(item["id"]): item for item in reversed(list(_items(includes, name))) if item.get("id")}
            for name in ("users", "tweets", "places")
        }

    def of(self, tweet: object) -> dict[str, list[dict]]:
        """What this tweet refers to: its author, the tweets it refers to and their authors, its place."""
        tweet = _mapping(tweet)
        tweet_ids = [_scalar(reference.get("id")) for reference in _references(tweet).values()]
        tweets = list(self._found("tweets", tweet_ids))
        user_ids = [
            _scalar(tweet.get("author_id")),
            _scalar(tweet.get("in_reply_to_user_id")),
            *(_scalar(referenced.get("author_id")) for referenced in tweets),
        ]
        place_ids = [_scalar(_mapping(tweet.get("geo")).get("place_id"))]
        found = {
            "users": list(self._found("users", user_ids)),
            "tweets": tweets,
            "places": list(self._found("places", place_ids)),
        }
        return {name: items for name, items in found.items() if items}

    def _found(self, name: str, ids: Iterable[str]) -> Iterator[dict]:
        return (self._by_id[name][item_id] for item_id in dict.fromkeys(ids) if item_id in self._by_id[name])


def _mapping(value: object) -> dict:
    return value if isinstance(value, dict) else {}


def _items(includes: object, name: str) -> Iterator[dict]:
    items = _mapping(includes).get(name)
    return (item for item in items if isinstance(item, dict)) if isinstance(items, list) else iter(())


def _included(includes: object, name: str, wanted: str) -> dict:
    if not wanted:
        return {}
    return next((item for item in _items(includes, name) if _scalar(item.get("id")) == wanted), {})


def _references(tweet: dict) -> dict[str, dict]:
    """The tweet's references by type, the first of each type."""
    found: dict[str, dict] = {}
    for reference in _items(tweet, "referenced_tweets"):
        if isinstance(name := reference.get("type"), str):
            found.setdefault(name, reference)
    return found


def _full_text(tweet: dict) -> str:
    return _string(_mapping(tweet.get("note_tweet")).get("text")) or _string(tweet.get("text"))


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""


def _scalar(value: object) -> str:
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, dict | list):
        return ""
    try:
        return str(value) if type(value) is int else json.dumps(value)
    except (TypeError, ValueError):  # no JSON, or an int of more digits than Python writes
        return ""


def _time(value: object) -> str:
    instant = parse_time(value) if isinstance(value, str) else None
    return utc_text(instant) if instant else ""


def _bounded(flat: dict[str, str]) -> dict[str, str]:
    limit = MAX_FIELD_CHARACTERS
    while True:
        cut = {name: value if len(value) <= limit else value[: limit - 1] + "…" for name, value in flat.items()}
        surely_small = sum(map(len, cut.values())) < MAX_FIELD_CHARACTERS
        if surely_small or csv_bytes(cut) <= _MAX_RECORD_BYTES:
            return cut
        limit //= 2
