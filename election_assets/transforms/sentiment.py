"""The tone of a text: one engine, TextBlob with textblob-fr's lexicon, and the Spark plans that apply it.

Another engine is another module with the same names: `ENGINE`, `ENGINE_VERSION`, `score_text`, `score_texts` and
`texts_to_score`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, NamedTuple

from election_assets.schemas import SENTIMENT_SCORES

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql import DataFrame

ENGINE = "textblob-fr"

LANGUAGE = "fr"
"""The only language that the lexicon knows; texts of an election in another one are not scored."""

RULES_VERSION = 1
"""Version of this module's own part in a score: what is taken out of a text, and the thresholds of the labels."""

ENGINE_VERSION = f"{version('textblob-fr')} (textblob {version('textblob')}, rules {RULES_VERSION})"
"""Version of everything that a score depends on; when it changes, every text is scored anew."""

POSITIVE_FROM = 0.1
"""Polarity from which a text is positive: pattern.fr's own threshold, its `positive(s, threshold=0.1)`."""

NEGATIVE_BELOW = 0.0
"""Polarity below which a text is negative. The lexicon leans to the positive: on 1,839 French tweets labelled for XLM-T
this gives a macro F1 of 0.42 with `POSITIVE_FROM`, where -0.1 gives 0.39."""

LABELS = ("negative", "neutral", "positive")

_NOT_WORDS = re.compile(r"https?://\S+|www\.\S+|@\w+|#")
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_MOOD = "mood"


class Score(NamedTuple):
    """The tone of one text.

    Attributes:
        polarity: -1 (negative) to 1 (positive); None where not scored.
        subjectivity: 0 (objective) to 1 (subjective); None where not scored.
        label: `negative`, `neutral` or `positive`; None where not scored.
        coverage: Share of the text's words that the lexicon knows, 0 to 1; an emoticon that it knows is a word.
    """

    polarity: float | None
    subjectivity: float | None
    label: str | None
    coverage: float


NOT_SCORED = Score(None, None, None, 0.0)
"""A text of which the lexicon knows no word: nothing is known of its tone, so it is not neutral."""


def score_text(text: str) -> Score:
    """The tone of a French text; mentions, links and the signs of hashtags do not count.

    Polarity and subjectivity are the averages over the words and emoticons of the lexicon, after its negations and
    intensifiers, as textblob-fr computes them (the method of pattern.fr, https://github.com/clips/pattern).
    """
    from textblob import TextBlob

    # textblob-fr knows negations such as n' by the straight apostrophe alone.
    words = _NOT_WORDS.sub(" ", text).replace("’", "'")
    sentiment = TextBlob(words, analyzer=_analyzer()).sentiment
    coverage = _coverage(words, sentiment.assessments)
    if not coverage:
        return NOT_SCORED
    polarity, subjectivity = sentiment
    # The lexicon's few negative intensities carry a subjectivity below its own scale of 0 to 1.
    return Score(polarity, min(max(subjectivity, 0.0), 1.0), label(polarity), coverage)


def label(polarity: float) -> str:
    """The label of a polarity: `positive` from `POSITIVE_FROM`, `negative` below `NEGATIVE_BELOW`, else `neutral`."""
    if polarity >= POSITIVE_FROM:
        return "positive"
    return "negative" if polarity < NEGATIVE_BELOW else "neutral"


def score_texts(texts: DataFrame) -> DataFrame:
    """Scores texts in Spark.

    Args:
        texts: Columns `text_hash` and `text`, one row a text.

    Returns:
        The columns of `schemas.SENTIMENT_SCORES`, one row a text.
    """
    return texts.select("text_hash", "text").mapInPandas(_score_frames, SENTIMENT_SCORES.ddl)


def texts_to_score(merged: DataFrame, scores: DataFrame, language: str) -> DataFrame:
    """The distinct texts of a language that the current engine and version has not scored.

    Args:
        merged: Columns of `schemas.MERGED_TWEETS`.
        scores: Columns of `schemas.SENTIMENT_SCORES`; rows of another engine or version count as missing.
        language: ISO 639-1 code; no text of a language other than `LANGUAGE` is to score. A tweet without a known
            language is in none.

    Returns:
        Columns `text_hash` and `text`, one row a text.
    """
    if language != LANGUAGE:
        return merged.select("text_hash", "text").limit(0)
    texts = merged.where(merged.lang == language).select("text_hash", "text").dropDuplicates(["text_hash"])
    return texts.join(current(scores).select("text_hash"), "text_hash", "left_anti")


def current(scores: DataFrame) -> DataFrame:
    """The rows of `schemas.SENTIMENT_SCORES` that the current engine and version made."""
    return scores.where((scores.engine == ENGINE) & (scores.engine_version == ENGINE_VERSION))


def _score_frames(frames: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    import pandas as pd

    for frame in frames:
        scores = pd.DataFrame([score_text(text or "") for text in frame["text"]], columns=list(Score._fields))
        scores.insert(0, "text_hash", frame["text_hash"].to_numpy())
        scores["engine"], scores["engine_version"] = ENGINE, ENGINE_VERSION
        yield scores[SENTIMENT_SCORES.names]


@cache
def _analyzer() -> Any:
    from textblob_fr import PatternAnalyzer

    return PatternAnalyzer()


@cache
def _lexicon() -> frozenset[str]:
    from textblob_fr.fr import sentiment

    return frozenset(sentiment)


def _coverage(text: str, assessments: list[tuple[list[str], float, float, str | None]]) -> float:
    """The share of a text's words that stand in the lexicon.

    Args:
        text: The text as it was assessed.
        assessments: textblob-fr's `(words, polarity, subjectivity, kind)`; `words` may also hold a negation or an
            exclamation mark that the lexicon does not know.
    """
    emoticons = [words for words, _, _, kind in assessments if kind == _MOOD]
    known = len(emoticons) + sum(word in _lexicon() for words, *_ in assessments for word in words)
    # An emoticon with a letter, such as :D, is among the words already.
    total = len(_WORD.findall(text)) + sum(not _WORD.search(words[0]) for words in emoticons)
    return min(known / total, 1.0) if total else 0.0
