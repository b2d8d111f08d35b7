"""What the pictures and the report show of the tweets: small frames and tables of counts, nothing about one person.

All count in Spark and collect only the result. A tweet that names several candidates counts once in totals; where its
copies differ (a profile changed between two readings), the smallest value that is not null stands for all. Texts that
differ by no more than links, mentions, case and blanks are one voice among texts, hashtags, words and tones.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection
from typing import TYPE_CHECKING
from unicodedata import normalize

from election_assets.election import Election, fold
from election_assets.transforms.sentiment import LABELS

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
MIN_NAME_CHARACTERS = 4
"""Letters of a name below which a hashtag that holds them may well be another word."""

FLOOR_OF_AUTHORS = 10
"""No figure of a place, word or hashtag is given where fewer distinct authors stand behind it: fewer may be told apart,
and their tone is chance. A tone also wants as many scored texts, all by those authors."""

ACCENTED = "".join(chr(code) for code in range(0xC0, 0x180) if len(normalize("NFD", chr(code))) > 1)
"""The letters with an accent of Unicode's blocks Latin-1 and Latin Extended-A."""
LIGATURES = {"œ": "oe", "æ": "ae"}


def overview(merged: DataFrame, scores: DataFrame, election: Election, floor: int = FLOOR_OF_AUTHORS) -> pd.DataFrame:
    """The key figures of every candidate, then those of all in the row `TOTAL`.

    Args:
        merged: Columns of `schemas.MERGED_TWEETS`.
        scores: Columns of `schemas.SENTIMENT_SCORES`; a text without a row waits to be scored.
        election: Gives the candidates and the language.
        floor: Scored texts, and authors of scored texts, below which no tone is given.

    Returns:
        One row a candidate in the election's order, those without tweets included, then `TOTAL`:
        `candidate`; `tweets`; `originals` (no retweets); `distinct_texts`; `distinct_authors`; `unplaced` (tweets
        without department); `other_language` (tweets in another or an unknown language); `scored_texts`,
        `unscored_texts` (read by the engine, which found no tone) and `waiting_texts` (not read yet), all three
        distinct texts in the election's language; `mean_polarity` (over scored texts, -1 to 1);
        `share_negative`, `share_neutral`, `share_positive` (of scored texts, 0 to 1), and of each of these four the
        ends of its 95 % interval, `…_low` and `…_high`. A mean or share is NaN where fewer than `floor`
        texts are scored or fewer authors wrote those, the interval of a mean also where only one text is scored.
    """
    from pyspark.sql import functions as F

    tweets = _with_total(merged, "text_hash", "voice", "author", "department", "lang", "kind")
    counts = tweets.groupBy("candidate").agg(
        F.count(F.lit(1)).alias("tweets"),
        F.count_if(F.col("kind") != RETWEET).alias("originals"),
        F.count_distinct("voice").alias("distinct_texts"),
        F.count_distinct("author").alias("distinct_authors"),
        F.count_if(F.col("department").isNull()).alias("unplaced"),
        F.count_if(~_in_language(election)).alias("other_language"),
    )
    tones = _tone_sums(tweets.where(_in_language(election)), scores, "candidate")
    frame = counts.toPandas().merge(tones, how="left", on="candidate").set_index("candidate")
    frame = frame.reindex([*election.candidate_keys, TOTAL]).reset_index()
    whole = [name for name in frame.columns if name not in ("candidate", *_SUMS)]
    frame[whole] = frame[whole].fillna(0).astype("int64")
    return _with_tone(frame, floor)


def departments(
    merged: DataFrame, scores: DataFrame, election: Election, floor: int = FLOOR_OF_AUTHORS
) -> pd.DataFrame:
    """Tweets that could be placed, by department, each once, and the tone of their distinct texts.

    Args:
        merged: Columns of `schemas.MERGED_TWEETS`.
        scores: Columns of `schemas.SENTIMENT_SCORES`.
        election: Gives the language.
        floor: Authors below which no figure is given; of the tone, as in `overview`.

    Returns:
        One row a department in which somebody was placed, by its INSEE code: `department`; `tweets`; `authors`
        (distinct); `scored_texts`, `unscored_texts`, `waiting_texts`, `mean_polarity`, the shares and their intervals
        as in `overview`; `below_floor`: where it is True, every figure is NaN.
    """
    from pyspark.sql import functions as F

    placed = _tweets(merged, "department", "author", "lang", "kind", "text_hash", "voice").where(
        F.col("department").isNotNull()
    )
    counts = placed.groupBy("department").agg(
        F.count(F.lit(1)).alias("tweets"), F.count_distinct("author").alias("authors")
    )
    tones = _tone_sums(placed.where(_in_language(election)), scores, "department")
    frame = counts.toPandas().merge(tones, how="left", on="department")
    counted = ["tweets", "authors", "scored_texts", "unscored_texts", "waiting_texts"]
    frame[counted] = frame[counted].fillna(0).astype("float64")
    frame = _with_tone(frame, floor)
    frame["below_floor"] = frame["authors"] < floor
    figures = [name for name in frame.columns if name not in ("department", "below_floor")]
    frame.loc[frame["below_floor"], figures] = float("nan")
    return frame.sort_values("department", ignore_index=True)


def tweets_by_day(merged: DataFrame) -> pd.DataFrame:
    """Tweets by candidate and local date, and those of all candidates in rows of `TOTAL`.

    Returns:
        `candidate`, `day` (datetime.date), `tweets`, `originals` (no retweets), `authors` (distinct), ordered by
        candidate and day; a day without tweets has no row.
    """
    from pyspark.sql import functions as F

    counts = (
        _with_total(merged, "day", "kind", "author")
        .groupBy("candidate", "day")
        .agg(
            F.count(F.lit(1)).alias("tweets"),
            F.count_if(F.col("kind") != RETWEET).alias("originals"),
            F.count_distinct("author").alias("authors"),
        )
    )
    return counts.orderBy("candidate", "day").toPandas()


def placed_total(
    merged: DataFrame, scores: DataFrame, election: Election, floor: int = FLOOR_OF_AUTHORS
) -> pd.DataFrame:
    """What a department is compared with: the figures of `departments`, of all tweets that have one.

    Returns:
        The columns of `departments`, in one row whose `department` is `TOTAL`; no row where nothing is placed.
    """
    from pyspark.sql import functions as F

    placed = merged.where(F.col("department").isNotNull())
    return departments(placed.withColumn("department", F.lit(TOTAL)), scores, election, floor)


def tweets_by_hour(merged: DataFrame, days: int = 14) -> pd.DataFrame:
    """Tweets by candidate and hour of the last days, and those of all candidates in rows of `TOTAL`.

    Args:
        merged: Columns of `schemas.MERGED_TWEETS`.
        days: How many local dates, up to the last one that has a tweet.

    Returns:
        `candidate`, `day` (datetime.date), `hour` (0 to 23, local; the hour that comes twice in October is one),
        `tweets`, `originals`, ordered by the first three; an hour without tweets has no row.
    """
    from pyspark.sql import functions as F

    counts = (
        _with_total(_last_days(merged, days), "day", "local_hour", "kind")
        .groupBy("candidate", "day", F.col("local_hour").alias("hour"))
        .agg(F.count(F.lit(1)).alias("tweets"), F.count_if(F.col("kind") != RETWEET).alias("originals"))
    )
    return counts.orderBy("candidate", "day", "hour").toPandas()


def tone_by_day(
    merged: DataFrame, scores: DataFrame, election: Election, floor: int = FLOOR_OF_AUTHORS
) -> pd.DataFrame:
    """The tone of each candidate's tweets by local date, of all candidates in rows of `TOTAL`, with its uncertainty.

    A text counts once a day however often it is copied: the copies are one voice. The intervals take an author's own
    texts for repetitions of one another, and authors for independent, which those who answer one another are not: they
    are the least that the figure is unsure.

    Args:
        merged: Columns of `schemas.MERGED_TWEETS`.
        scores: Columns of `schemas.SENTIMENT_SCORES`.
        election: Gives the language.
        floor: Scored texts of a day, and authors of them, below which it has no tone.

    Returns:
        `candidate`, `day`, `tweets` and `authors` (in the election's language), `scored_texts` (the voices),
        `unscored_texts`, `waiting_texts`, `mean_polarity` and the shares with their intervals as in `overview`, by
        candidate and day.
    """
    from pyspark.sql import functions as F

    tweets = _with_total(merged, "day", "lang", "kind", "text_hash", "voice", "author").where(_in_language(election))
    counts = tweets.groupBy("candidate", "day").agg(
        F.count(F.lit(1)).alias("tweets"), F.count_distinct("author").alias("authors")
    )
    tones = _tone_sums(tweets, scores, "candidate", "day")
    frame = counts.orderBy("candidate", "day").toPandas().merge(tones, how="left", on=["candidate", "day"])
    return _with_tone(frame, floor)


def share_of_voice(days: pd.DataFrame) -> pd.DataFrame:
    """Each candidate's share of all that was said of candidates, by day.

    Args:
        days: What `tweets_by_day` gives.

    Returns:
        `candidate`, `day`, `tweets`, `share` (0 to 1, of the day's sum over the candidates: a tweet that names two
        counts for both, so that the shares of a day sum to 1).
    """
    of_candidates = days[days["candidate"] != TOTAL][["candidate", "day", "tweets"]].reset_index(drop=True)
    of_candidates["share"] = of_candidates["tweets"] / of_candidates.groupby("day")["tweets"].transform("sum")
    return of_candidates


def co_mentions(merged: DataFrame, floor: int = FLOOR_OF_AUTHORS) -> pd.DataFrame:
    """How many tweets name two candidates, each pair both ways; pairs of fewer than `floor` authors are left out.

    Returns:
        `candidate`, `other`, `tweets`, ordered by candidate, then by tweets, most first.
    """
    from pyspark.sql import functions as F

    pairs = merged.select("candidate", "tweet_id", "author", F.explode("candidates").alias("other"))
    counts = (
        pairs.where("candidate != other")
        .groupBy("candidate", "other")
        .agg(F.count_distinct("tweet_id").alias("tweets"), F.count_distinct("author").alias("authors"))
    )
    counts = counts.where(F.col("authors") >= floor).drop("authors")
    return counts.orderBy("candidate", F.desc("tweets"), "other").toPandas()


def top_hashtags(
    merged: DataFrame, candidate: str | None = None, limit: int = 20, floor: int = FLOOR_OF_AUTHORS
) -> pd.DataFrame:
    """The hashtags that most distinct texts use, in any language; neither case nor accents tell hashtags apart.

    Args:
        merged: Columns of `schemas.MERGED_TWEETS`.
        candidate: Key of the only candidate to count, all if None.
        limit: Rows at most.
        floor: Authors below which a hashtag is left out.

    Returns:
        `hashtag` (without #, in its most frequent spelling), `texts` (distinct), ordered by texts, then by name.
    """
    from pyspark.sql import functions as F

    if candidate is not None:
        merged = merged.where(F.col("candidate") == candidate)
    tags = merged.select("voice", "author", F.explode("hashtags").alias("hashtag"))
    tags = tags.withColumn("key", _plain_letters("hashtag"))
    counts = _by_spelling(tags, "hashtag").join(_keys_of_many(tags, floor), "key")
    return counts.orderBy(F.desc("texts"), "key").limit(limit).drop("key").toPandas()


def rising_hashtags(
    merged: DataFrame,
    days: int = 7,
    limit: int = 10,
    floor: int = FLOOR_OF_AUTHORS,
    today: dt.date | None = None,
) -> pd.DataFrame:
    """The hashtags that rose most: the last days beside as many before them; of each candidate, and of all as `TOTAL`.

    What is compared is the share of the period's texts that hold the hashtag: where more is written of everything,
    nothing has risen. Where a day of the earlier period has no tweet at all, it was not collected as a whole, and
    nothing is said.

    Args:
        merged: Columns of `schemas.MERGED_TWEETS`.
        days: Length of either period in local dates; the later one ends with the last date that has a tweet.
        limit: Rows of a candidate at most.
        floor: Authors in the later period below which a hashtag is left out.
        today: A local date that has not ended; its tweets, and later ones, are not looked at.

    Returns:
        `candidate`, `hashtag` (in its most frequent spelling of the later period), `texts` (distinct, of the later
        period), `before` (of the earlier one), `share` and `share_before` (of the period's distinct texts, 0 to 1),
        `rise` (natural logarithm of the ratio of the shares, each with ½ added to its part and 1 to its whole), whose
        95 % interval is above 0 (Katz and others, Biometrics 34, 1978), ordered by candidate and rise, most first.
    """
    import numpy as np
    from pyspark.sql import functions as F

    from election_assets.transforms.intervals import Z

    if today is not None:
        merged = merged.where(F.col("day") < F.lit(today))
    both = _with_total(_last_days(merged, 2 * days), "day", "voice", "author", "hashtags")
    last = both.agg(F.max("day")).collect()[0][0]
    both = both.withColumn("later", F.date_diff(F.lit(last).cast("date"), "day") < days)
    days_before = both.where(~F.col("later")).agg(F.count_distinct("day")).collect()[0][0]
    wholes = both.groupBy("candidate").agg(
        F.count_distinct(F.when(F.col("later"), F.col("voice"))).alias("whole"),
        F.count_distinct(F.when(~F.col("later"), F.col("voice"))).alias("whole_before"),
    )
    tags = both.select("candidate", "later", "voice", "author", F.explode("hashtags").alias("hashtag"))
    tags = tags.withColumn("key", _plain_letters("hashtag"))
    counts = tags.groupBy("candidate", "key").agg(
        F.count_distinct(F.when(~F.col("later"), F.col("voice"))).alias("before"),
        F.count_distinct(F.when(F.col("later"), F.col("author"))).alias("authors"),
    )
    spellings = _by_spelling(tags.where("later"), "hashtag", "candidate")
    found = (
        counts.where(F.col("authors") >= floor)
        .join(spellings, ["candidate", "key"])
        .join(wholes, "candidate")
        .toPandas()
    )
    whole, whole_before = found["whole"] + 1, found["whole_before"] + 1
    part, part_before = found["texts"] + 0.5, found["before"] + 0.5
    found["rise"] = np.log((part / whole) / (part_before / whole_before))
    least = Z * np.sqrt(1 / part - 1 / whole + 1 / part_before - 1 / whole_before)
    found["share"] = found["texts"] / found["whole"]
    found["share_before"] = found["before"] / found["whole_before"]
    rising = found[(found["rise"] > least) & (days_before == days)].sort_values(
        ["candidate", "rise", "texts", "key"], ascending=[True, False, False, True]
    )
    columns = ["candidate", "hashtag", "texts", "before", "share", "share_before", "rise"]
    return rising.groupby("candidate").head(limit)[columns].reset_index(drop=True)


def word_counts(
    merged: DataFrame,
    election: Election,
    candidate: str | None = None,
    stop_words: Collection[str] = (),
    limit: int = 200,
    floor: int = FLOOR_OF_AUTHORS,
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
        floor: Authors below which a word is left out.

    Returns:
        Distinct texts that hold each word, in its most frequent spelling; by count, then by word.
    """
    from pyspark.sql import functions as F

    if candidate is not None:
        merged = merged.where(F.col("candidate") == candidate)
    words = _words(merged, election, stop_words)
    counts = _by_spelling(words, "word").join(_keys_of_many(words, floor), "key")
    top = counts.orderBy(F.desc("texts"), "key").limit(limit).toPandas()
    return {str(word): int(texts) for word, texts in zip(top["word"], top["texts"], strict=True)}


def distinctive_words(
    merged: DataFrame,
    election: Election,
    stop_words: Collection[str] = (),
    limit: int = 100,
    floor: int = FLOOR_OF_AUTHORS,
) -> pd.DataFrame:
    """What is said of one candidate and not of the others: words by the log-odds of their texts (`intervals.log_odds`).

    Only texts on one candidate alone count: a comparison of two says nothing of either that is not said of the other.

    Args:
        merged: Columns of `schemas.MERGED_TWEETS`.
        election: Gives the candidates and the language.
        stop_words: Words to leave out, in lower case.
        limit: Words of a candidate at most.
        floor: Authors of the candidate's texts below which a word is left out.

    Returns:
        `candidate`, `word` (in its most frequent spelling), `texts` (distinct texts with it on the candidate alone),
        `others` (those on another one alone, summed over the others), `log_odds`, `z`; of each candidate the words with
        z of at least 1.96, most first.
    """
    import pandas as pd
    from pyspark.sql import functions as F

    from election_assets.transforms.intervals import Z, log_odds

    alone = F.size(F.array_union("candidates", "named_candidates")) == 1
    words = _words(merged.where(alone), election, stop_words)
    spellings = _by_spelling(words, "word").toPandas().set_index("key")["word"]
    counts = words.groupBy("candidate", "key").agg(
        F.count_distinct("voice").alias("texts"), F.count_distinct("author").alias("authors")
    )
    own = counts.toPandas()
    of_all = own.groupby("key")["texts"].sum().reindex(spellings.index)
    found = []
    for candidate in election.candidate_keys:
        mine = own[own["candidate"] == candidate].set_index("key")
        texts = mine["texts"].reindex(of_all.index).fillna(0)
        frame = pd.DataFrame({"word": spellings, "texts": texts, "others": of_all - texts})
        frame["log_odds"], frame["z"] = log_odds(frame["texts"], frame["others"])
        known = mine.index[mine["authors"] >= floor]
        frame = frame.loc[known][frame.loc[known, "z"] >= Z]
        frame = frame.sort_values(["z", "word"], ascending=[False, True]).head(limit)
        found.append(frame.assign(candidate=candidate))
    columns = ["candidate", "word", "texts", "others", "log_odds", "z"]
    return pd.concat(found, ignore_index=True)[columns].astype({"texts": "int64", "others": "int64"})


def _words(merged: DataFrame, election: Election, stop_words: Collection[str]) -> DataFrame:
    """The words of the texts in the election's language: `candidate`, `author`, `voice`, `word`, `key`.

    A hashtag that holds a candidate's name is left out: it says whom a text is about, not what it says.
    """
    from pyspark.sql import functions as F

    elision = ELISIONS.get(election.language)
    word = F.regexp_replace("word", f"(?i){elision}", "") if elision else F.col("word")
    words = (
        merged.where(_in_language(election))
        .select(
            *("candidate", "author", "voice", "hashtags"),
            F.explode(F.regexp_extract_all("text_plain", F.lit(WORD), F.lit(0))).alias("word"),
        )
        .withColumn("word", word)
        .withColumn("key", F.lower("word"))
        .where((F.char_length("key") >= MIN_WORD_CHARACTERS) & F.col("key").rlike(r"\p{L}"))
    )
    names = {fold(name).replace(" ", "").replace("-", "") for one in election.candidates for name in one.names}
    names = {name for name in names if len(name) >= MIN_NAME_CHARACTERS}
    if names:
        named = _plain_letters("key").rlike("|".join(sorted(map(re.escape, names))))
        words = words.where(~(F.array_contains("hashtags", F.col("key")) & named))
    words = words.drop("hashtags")
    return words.where(~F.col("key").isin(sorted(stop_words))) if stop_words else words


def _keys_of_many(words: DataFrame, floor: int) -> DataFrame:
    """The values of `key` that at least `floor` distinct authors use."""
    from pyspark.sql import functions as F

    authors = words.groupBy("key").agg(F.count_distinct("author").alias("authors"))
    return authors.where(F.col("authors") >= floor).select("key")


def tone_engine(scores: DataFrame) -> str:
    """Name and version of the engine that scored the texts; empty where none is scored yet."""
    found = scores.select("engine", "engine_version").limit(1).collect()
    return " ".join(found[0]) if found else ""


def _read(scores: DataFrame) -> DataFrame:
    """The texts that the engine has read: `text_hash`, `polarity` and `label` (null where it found no tone), `read`."""
    from pyspark.sql import functions as F

    return scores.select("text_hash", "polarity", "label", F.lit(True).alias("read"))


_SUMS = (
    "scored_authors",
    "squared_writers",
    "polarity_sum",
    "polarity_squares",
    *(f"{label}_texts" for label in LABELS),
)


def _tone_sums(tweets: DataFrame, scores: DataFrame, *keys: str) -> pd.DataFrame:
    """What the tone is made of, by `keys`, over voices: how many are scored, have no tone or wait; `_SUMS`.

    The tone of a voice is the mean of its scored copies', and its writer an author of an original of it, or else one
    who copied it. `squared_writers` is the sum over the writers of the square of how many scored voices they wrote.

    Args:
        tweets: `keys`, `text_hash`, `voice`, `kind` and `author` of tweets in the election's language.
        scores: Columns of `schemas.SENTIMENT_SCORES`.
        keys: Columns to group by.
    """
    from pyspark.sql import functions as F

    scored = F.col("label").isNotNull()
    read = tweets.join(_read(scores), "text_hash", "left")
    originals_first = F.struct(F.col("kind") == RETWEET, F.coalesce("author", F.lit("")))
    voices = read.groupBy(*keys, "voice").agg(
        F.min_by(F.coalesce("author", F.lit("")), originals_first).alias("writer"),
        (F.count("label") > 0).alias("scored"),
        (F.count("read") > 0).alias("read"),
        F.avg("polarity").alias("polarity"),
        *(F.avg(F.when(scored, (F.col("label") == label).cast("double"))).alias(label) for label in LABELS),
    )
    writers = voices.groupBy(*keys, "writer").agg(
        F.count_if("scored").alias("scored_texts"),
        F.count_if(F.col("read") & ~F.col("scored")).alias("unscored_texts"),
        F.count_if(~F.col("read")).alias("waiting_texts"),
        F.sum("polarity").alias("polarity_sum"),
        F.sum(F.col("polarity") * F.col("polarity")).alias("polarity_squares"),
        *(F.sum(label).alias(f"{label}_texts") for label in LABELS),
    )
    summed = [name for name in writers.columns if name not in (*keys, "writer")]
    sums = writers.groupBy(*keys).agg(
        *(F.sum(name).alias(name) for name in summed),
        F.sum(F.col("scored_texts") * F.col("scored_texts")).alias("squared_writers"),
    )
    authors = read.where(scored).groupBy(*keys).agg(F.count_distinct("author").alias("scored_authors"))
    return sums.toPandas().merge(authors.toPandas(), how="left", on=list(keys))


def _with_tone(frame: pd.DataFrame, floor: int) -> pd.DataFrame:
    """A frame of `_tone_sums` with the mean, the shares and their intervals in place of `_SUMS`.

    They are NaN where fewer than `floor` texts are scored, or fewer authors wrote those.
    """
    from election_assets.transforms.intervals import mean_interval, share_interval

    texts, sums = frame["scored_texts"].astype("float64"), frame[list(_SUMS)].astype("float64").fillna(0)
    known = texts.where(texts > 0)
    worth = known**2 / sums["squared_writers"]
    tone = frame.drop(columns=list(_SUMS))
    tone["mean_polarity"] = sums["polarity_sum"] / known
    tone["mean_polarity_low"], tone["mean_polarity_high"] = mean_interval(
        sums["polarity_sum"], sums["polarity_squares"], texts, worth
    )
    for label in LABELS:
        counts = sums[f"{label}_texts"]
        tone[f"share_{label}"] = counts / known
        tone[f"share_{label}_low"], tone[f"share_{label}_high"] = share_interval(counts, texts, worth)
    made = [name for name in tone.columns if name not in frame.columns]
    tone[made] = tone[made].where((texts >= floor) & (sums["scored_authors"] >= floor), axis=0)
    return tone


def _last_days(merged: DataFrame, days: int) -> DataFrame:
    """The tweets of the last local dates, up to the last one that has a tweet."""
    from pyspark.sql import functions as F

    last = merged.agg(F.max("day")).collect()[0][0]
    return merged.where(F.date_diff(F.lit(last).cast("date"), "day") < days)


def _by_spelling(words: DataFrame, name: str, *by: str) -> DataFrame:
    """Distinct texts that hold each `key`: `by`, `key`, the column `name` in its most frequent spelling, `texts`."""
    from pyspark.sql import functions as F

    one_a_text = words.groupBy(*by, "voice", "key").agg(F.min(name).alias(name))
    spellings = one_a_text.groupBy(*by, "key", name).agg(F.count(F.lit(1)).alias("texts"))
    return spellings.groupBy(*by, "key").agg(
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
