"""What the pictures and the report show of the tweets: small frames and tables of counts, nothing about one person.

All count in Spark and collect only the result. A tweet that names several candidates counts once in totals; where its
copies differ (a profile changed between two readings), the smallest value that is not null stands for all. A text that
was copied is one voice among hashtags, words and tones.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING
from unicodedata import normalize

from election_assets.election import Election
from election_assets.transforms.sentiment import LABELS, current

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql import Column, DataFrame

TOTAL = ""
"""Value of `candidate` in the rows that count the tweets of all candidates, each once."""

RETWEET = "retweet"

WORD = r"[\p{L}\p{N}]+(?:['’-][\p{L}\p{N}]+)*"
ELISIONS = {"fr": r"^(?:(?:[cdjlmnst]|(?:jus|lors|puis|quoi)?qu)['’])+"}
"""What stands before a word as a part of its own, by language and in lower case: l'école counts under école."""
MIN_WORD_CHARACTERS = 2

ACCENTED = "".join(chr(code) for code in range(0xC0, 0x180) if len(normalize("NFD", chr(code))) > 1)
"""The letters with an accent of Unicode's blocks Latin-1 and Latin Extended-A."""
LIGATURES = {"œ": "oe", "æ": "ae"}


def overview(merged: DataFrame, scores: DataFrame, election: Election) -> pd.DataFrame:
    """The key figures of every candidate, then those of all in the row `TOTAL`.

    Args:
        merged: Columns of `schemas.MERGED_TWEETS`.
        scores: Columns of `schemas.SENTIMENT_SCORES`; only rows of the current engine and version count as scored.
        election: Gives the candidates and the language.

    Returns:
        One row a candidate in the election's order, those without tweets included, then `TOTAL`:
        `candidate`; `tweets`; `originals` (no retweets); `distinct_texts`; `distinct_authors`; `unplaced` (tweets
        without department); `other_language` (tweets in another or an unknown language); `scored_texts` and
        `unscored_texts` (distinct texts in the election's language); `mean_polarity` (over scored texts, -1 to 1);
        `share_negative`, `share_neutral`, `share_positive` (of scored texts, 0 to 1). A mean or share is NaN where no
        text is scored.
    """
    from pyspark.sql import functions as F

    tweets = _with_total(merged, "text_hash", "author", "department", "lang", "kind")
    counts = tweets.groupBy("candidate").agg(
        F.count(F.lit(1)).alias("tweets"),
        F.count_if(F.col("kind") != RETWEET).alias("originals"),
        F.count_distinct("text_hash").alias("distinct_texts"),
        F.count_distinct("author").alias("distinct_authors"),
        F.count_if(F.col("department").isNull()).alias("unplaced"),
        F.count_if(~_in_language(election)).alias("other_language"),
    )
    texts = tweets.where(_in_language(election)).select("candidate", "text_hash").distinct()
    labelled = current(scores).where(F.col("label").isNotNull()).select("text_hash", "polarity", "label")
    scored = F.col("label").isNotNull()
    tones = (
        texts.join(labelled, "text_hash", "left")
        .groupBy("candidate")
        .agg(
            F.count_if(scored).alias("scored_texts"),
            F.count_if(~scored).alias("unscored_texts"),
            F.avg("polarity").alias("mean_polarity"),
            *(
                F.avg(F.when(scored, (F.col("label") == label).cast("double"))).alias(f"share_{label}")
                for label in LABELS
            ),
        )
    )
    frame = counts.toPandas().merge(tones.toPandas(), how="left", on="candidate").set_index("candidate")
    frame = frame.reindex([*election.candidate_keys, TOTAL]).reset_index()
    measures = ["mean_polarity", *(f"share_{label}" for label in LABELS)]
    whole = [name for name in frame.columns if name not in ("candidate", *measures)]
    frame[measures] = frame[measures].astype("float64")
    frame[whole] = frame[whole].fillna(0).astype("int64")
    return frame


def tweets_by_department(merged: DataFrame) -> pd.DataFrame:
    """Tweets that could be placed, by department, each once.

    Returns:
        `department` (INSEE code, ascending), `tweets`, `authors` (distinct).
    """
    from pyspark.sql import functions as F

    placed = _tweets(merged, "department", "author").where(F.col("department").isNotNull())
    counts = placed.groupBy("department").agg(
        F.count(F.lit(1)).alias("tweets"), F.count_distinct("author").alias("authors")
    )
    return counts.orderBy("department").toPandas()


def unplaced(merged: DataFrame) -> int:
    """Tweets without a department, each once: with those of `tweets_by_department` they are all tweets."""
    from pyspark.sql import functions as F

    return _tweets(merged, "department").where(F.col("department").isNull()).count()


def tweets_by_day(merged: DataFrame) -> pd.DataFrame:
    """Tweets by candidate and local date, and those of all candidates in rows of `TOTAL`.

    Returns:
        `candidate`, `day` (datetime.date), `tweets`, `originals` (no retweets), ordered by candidate and day; a day
        without tweets has no row.
    """
    from pyspark.sql import functions as F

    counts = (
        _with_total(merged, "day", "kind")
        .groupBy("candidate", "day")
        .agg(F.count(F.lit(1)).alias("tweets"), F.count_if(F.col("kind") != RETWEET).alias("originals"))
    )
    return counts.orderBy("candidate", "day").toPandas()


def top_hashtags(merged: DataFrame, candidate: str | None = None, limit: int = 20) -> pd.DataFrame:
    """The hashtags that most distinct texts use, in any language; neither case nor accents tell hashtags apart.

    Args:
        merged: Columns of `schemas.MERGED_TWEETS`.
        candidate: Key of the only candidate to count, all if None.
        limit: Rows at most.

    Returns:
        `hashtag` (without #, in its most frequent spelling), `texts` (distinct), ordered by texts, then by name.
    """
    from pyspark.sql import functions as F

    texts = _texts(merged, candidate, "hashtags")
    tags = texts.select("text_hash", F.explode("hashtags").alias("hashtag"))
    counts = _by_spelling(tags.withColumn("key", _plain_letters("hashtag")), "hashtag")
    return counts.orderBy(F.desc("texts"), "key").limit(limit).drop("key").toPandas()


def word_counts(
    merged: DataFrame,
    election: Election,
    candidate: str | None = None,
    stop_words: Collection[str] = (),
    limit: int = 200,
) -> dict[str, int]:
    """The words that most distinct texts of the election's language use.

    Case does not tell words apart, accents do; an elided article or pronoun is not part of a word. Numbers and single
    letters are no words.

    Args:
        merged: Columns of `schemas.MERGED_TWEETS`.
        election: Gives the language.
        candidate: Key of the only candidate to count, all if None.
        stop_words: Words to leave out, in lower case.
        limit: Words at most.

    Returns:
        Distinct texts that hold each word, in its most frequent spelling; by count, then by word.
    """
    from pyspark.sql import functions as F

    texts = _texts(merged.where(_in_language(election)), candidate, "text_plain")
    words = texts.select(
        "text_hash", F.explode(F.regexp_extract_all("text_plain", F.lit(WORD), F.lit(0))).alias("word")
    )
    key = F.lower("word")
    if elision := ELISIONS.get(election.language):
        word = F.regexp_replace("word", f"(?i){elision}", "")
        words = words.select("text_hash", word.alias("word"))
    words = words.select("text_hash", "word", key.alias("key")).where(
        (F.char_length("key") >= MIN_WORD_CHARACTERS) & F.col("key").rlike(r"\p{L}")
    )
    if stop_words:
        words = words.where(~F.col("key").isin(sorted(stop_words)))
    top = _by_spelling(words, "word").orderBy(F.desc("texts"), "key").limit(limit).toPandas()
    return {str(word): int(texts) for word, texts in zip(top["word"], top["texts"], strict=True)}


def _by_spelling(words: DataFrame, name: str) -> DataFrame:
    """Distinct texts that hold each `key`: `key`, the column `name` in its most frequent spelling, `texts`."""
    from pyspark.sql import functions as F

    one_a_text = words.groupBy("text_hash", "key").agg(F.min(name).alias(name))
    spellings = one_a_text.groupBy("key", name).agg(F.count(F.lit(1)).alias("texts"))
    return spellings.groupBy("key").agg(
        F.max_by(name, F.struct("texts", name)).alias(name), F.sum("texts").alias("texts")
    )


def _plain_letters(column: str) -> Column:
    """The column in lower case, its Latin letters without their accents and ligatures in two letters."""
    from pyspark.sql import functions as F

    letters = F.translate(F.lower(column), ACCENTED, "".join(normalize("NFD", letter)[0] for letter in ACCENTED))
    for ligature, pair in LIGATURES.items():
        letters = F.replace(letters, F.lit(ligature), F.lit(pair))
    return letters


def _in_language(election: Election) -> Column:
    from pyspark.sql import functions as F

    return F.coalesce(F.col("lang") == election.language, F.lit(False))


def _tweets(merged: DataFrame, *columns: str) -> DataFrame:
    """One row a tweet: `tweet_id` and these columns."""
    from pyspark.sql import functions as F

    return merged.groupBy("tweet_id").agg(*(F.min(name).alias(name) for name in columns))


def _with_total(merged: DataFrame, *columns: str) -> DataFrame:
    """One row a tweet and candidate and one a tweet for `TOTAL`: `tweet_id`, `candidate` and these columns."""
    from pyspark.sql import functions as F

    total = _tweets(merged, *columns).withColumn("candidate", F.lit(TOTAL))
    return merged.select("tweet_id", "candidate", *columns).unionByName(total)


def _texts(merged: DataFrame, candidate: str | None, column: str) -> DataFrame:
    """One row a distinct text of a candidate or of all: `text_hash` and this column."""
    from pyspark.sql import functions as F

    if candidate is not None:
        merged = merged.where(F.col("candidate") == candidate)
    return merged.select("text_hash", column).dropDuplicates(["text_hash"])
