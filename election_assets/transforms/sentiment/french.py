"""The default engine's analyzer: French tweets by the rules of `rules` and a small linear model over what they say.

`FrenchTweetAnalyzer` is a TextBlob analyzer; `analyze_all` scores many texts at once. What a word is worth comes from
`lexicon`; what the features and the letters of the words are worth from `reference/tone_model.npz`, which
benchmarks/sentiment/train.py makes.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import cache
from importlib.metadata import version
from threading import Lock
from typing import NamedTuple

import numpy as np
from textblob.base import CONTINUOUS, BaseSentimentAnalyzer

from election_assets.transforms.sentiment import lexicon, rules, tokens
from election_assets.transforms.sentiment.engines import LABELS, NOT_SCORED, Score
from election_assets.transforms.sentiment.versions import checksum

PACKAGES = ("textblob", "textblob-fr", "vaderSentiment-fr", "simplemma")
"""What a score depends on; each is read as data or called."""

MODEL_FILE = lexicon.REFERENCE / "tone_model.npz"

BATCH = 2_048
"""Texts that are read at once: their tokens fit a processor's cache."""


class Reading(NamedTuple):
    """A text as the model sees it.

    Attributes:
        features: A value a name of `rules.FEATURES`.
        words: Its tokens in lower case, hashtags as their words, without mentions and links.
        coverage: The share of the content words, emoji and emoticons that a lexicon knows.
    """

    features: list[float]
    words: list[str]
    coverage: float


class Model(NamedTuple):
    """The numbers of `tone_model.npz`.

    Attributes:
        weights: A row a feature, a column a label.
        bias: A value a label.
        grams: A row a slot, a column a label.
    """

    weights: np.ndarray
    bias: np.ndarray
    grams: np.ndarray


@cache
def model() -> Model:
    """The shipped model, read once a process."""
    with np.load(MODEL_FILE, allow_pickle=False) as numbers:
        return Model(
            numbers["weights"].astype("float64"),
            numbers["bias"].astype("float64"),
            numbers["grams"] * numbers["grams_scale"].astype("float64"),
        )


class FrenchTweetAnalyzer(BaseSentimentAnalyzer):
    """Scores French tweets: `TextBlob(text, analyzer=FrenchTweetAnalyzer()).sentiment`."""

    kind = CONTINUOUS

    def __init__(self) -> None:
        super().__init__()
        self._table: tokens.Table | None = None
        # Threads share the table, which grows as it reads.
        self._lock = Lock()

    def analyze(self, text: str) -> Score:
        """The tone of one text.

        The polarity is the model's probability of positive less that of negative, the subjectivity its probability of
        not being neutral, the label the most probable: a negative text has a polarity below 0 and a positive one above,
        while one of both tones may be near 0 without being neutral. The coverage is the share of the content words,
        emoji and emoticons that a lexicon knows; without one, the text is not scored.
        """
        return self.analyze_all([str(text)])[0]

    def analyze_all(self, texts: Sequence[str]) -> list[Score]:
        """The tone of each text."""
        return [score for begin in range(0, len(texts), BATCH) for score in self._scores(texts[begin : begin + BATCH])]

    def read(self, text: str) -> Reading:
        """The features of a text, without what the model makes of them."""
        batch, found = self._read([text])
        return Reading(found.features[0].tolist(), batch.words(), float(found.coverage[0]))

    def _scores(self, texts: Sequence[str]) -> list[Score]:
        numbers = model()
        batch, found = self._read(texts)
        shares = softmax(found.features @ numbers.weights + letters(batch) + numbers.bias)
        return [
            Score(polarity, subjectivity, LABELS[label], coverage) if coverage else NOT_SCORED
            for polarity, subjectivity, label, coverage in zip(
                (shares[:, 2] - shares[:, 0]).tolist(),
                (1 - shares[:, 1]).tolist(),
                shares.argmax(1).tolist(),
                found.coverage.tolist(),
                strict=True,
            )
        ]

    def _read(self, texts: Sequence[str]) -> tuple[tokens.Batch, rules.Reading]:
        with self._lock:
            if self._table is None:
                self._table = tokens.Table(model().grams)
            batch = self._table.batch(texts)
            return batch, rules.read(batch)


def letters(batch: tokens.Batch) -> np.ndarray:
    """What the letters of a text's words say, by the square root of the number of n-grams.

    Returns:
        A row a text, a column a label.
    """
    count = len(batch.ends)
    says = batch.known["letters"]
    root = np.sqrt(np.maximum(np.bincount(batch.texts, batch.known["grams"], count), 1))
    return np.column_stack([np.bincount(batch.texts, says[:, label], count) / root for label in range(len(LABELS))])


def softmax(logits: np.ndarray) -> np.ndarray:
    """The probability of each label, a row a text."""
    shares = np.exp(logits - logits.max(1, keepdims=True))
    return shares / shares.sum(1, keepdims=True)


def engine_version() -> str:
    """A checksum of all that a score depends on: the analyzer's modules, its lexicons, its model, the packages."""
    modules = (sys.modules[__name__], rules, tokens, lexicon)
    files = (lexicon.OWN_FILE, lexicon.WORDS_FILE, MODEL_FILE)
    return checksum((*modules, *files), *(version(package) for package in PACKAGES))
