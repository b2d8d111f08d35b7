"""All candidates' tweets in one table: which candidates hold a tweet, and which texts are the same."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

from election_assets.schemas import CLEANED_TWEETS, MERGED_TWEETS

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

NOT_SAID = r"^(?:RT|rt) @[A-Za-z0-9_]{1,15}:?|(?:https?://|\bt\.co/|www\.)[^\p{Z}\t\n]*|@[A-Za-z0-9_]{1,15}"
"""What copies of a text differ in: whose it is, the links, which X makes anew for every tweet, and the mentions."""

BLANKS = r"[\p{Z}\t\n]+"


def merge_candidates(tables: list[DataFrame]) -> DataFrame:
    """Put the candidates' tables together.

    Args:
        tables: One frame a candidate with the columns of `schemas.CLEANED_TWEETS`, a tweet at most once in each.

    Returns:
        The columns of `schemas.MERGED_TWEETS`, every row of every table. A tweet that several tables hold stays as it
        is in each: its counts may differ, for they were collected at different moments.

    Raises:
        ValueError: If there is no table.
    """
    from pyspark.sql import Window
    from pyspark.sql import functions as F

    if not tables:
        raise ValueError("There is no candidate's table to merge; give at least one.")
    rows = reduce(lambda left, right: left.union(right), (table.select(*CLEANED_TWEETS.names) for table in tables))
    holders = F.collect_set("candidate").over(Window.partitionBy("tweet_id"))
    return rows.withColumns(
        {"candidates": F.sort_array(holders), "text_hash": F.sha2("text", 256), "voice": _voice()}
    ).select(*MERGED_TWEETS.names)


def _voice() -> Column:
    """What tells copies of a text from other texts: a hash of its words and signs."""
    from pyspark.sql import functions as F

    said = F.lower(F.regexp_replace("text", NOT_SAID, " "))
    return F.sha2(F.trim(F.regexp_replace(said, BLANKS, " ")), 256)
