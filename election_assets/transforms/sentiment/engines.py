"""The engines that give a text its tone, by name; each is loaded only when it is asked for."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np

SETTING = "SENTIMENT_ENGINE"
DEFAULT = "textblob"

LANGUAGE = "fr"
"""The language, an ISO 639-1 code, that the engines know; texts of an election in another one are not scored."""

LABELS = ("negative", "neutral", "positive")


class Score(NamedTuple):
    """The tone of one text.

    Attributes:
        polarity: -1 (negative) to 1 (positive); None where not scored.
        subjectivity: 0 (objective) to 1 (subjective); None where not scored.
        label: `negative`, `neutral` or `positive`; None where not scored.
        coverage: Share of the text's content words, emoji and emoticons that the engine's lexicons know, 0 to 1; None
            of an engine without lexicons, where it scored.
    """

    polarity: float | None
    subjectivity: float | None
    label: str | None
    coverage: float | None


NOT_SCORED = Score(None, None, None, 0.0)
"""A text of which the engine knows nothing."""


class EngineError(ValueError):
    """An engine cannot serve as things are set up; the message says why and what to do."""


class Engine(Protocol):
    """What every engine gives.

    Attributes:
        name: What `SENTIMENT_ENGINE` names it by; a column of the scores.
    """

    name: str

    @property
    def version(self) -> str:
        """Of everything that a score depends on; when it changes, every text is scored anew."""
        ...

    def score(self, texts: Sequence[str]) -> list[Score]:
        """The tone of each text."""
        ...


@runtime_checkable
class SlowEngine(Engine, Protocol):
    """An engine whose `score` is `decide` of `encode`, of which `encode` is slow and its output worth keeping.

    It can be sent to Spark's workers, where it decides alone: the network stays behind.
    """

    @property
    def model(self) -> str:
        """Version of all that `encode` depends on."""
        ...

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """A row of floating point numbers a text."""
        ...

    def decide(self, texts: Sequence[str], vectors: np.ndarray) -> list[Score]:
        """The tone of each text, given its row of `encode`."""
        ...


class TextBlobEngine:
    """The default: `french.FrenchTweetAnalyzer`, a TextBlob analyzer."""

    name = "textblob"

    def __reduce__(self) -> tuple[Callable[[str], Engine], tuple[str]]:
        # Elsewhere it is that process's own, with the words that it has met.
        return load_engine, (self.name,)

    @cached_property
    def version(self) -> str:
        """Of the packages, the rules, the lexicons and the model."""
        from election_assets.transforms.sentiment.french import engine_version

        return engine_version()

    def score(self, texts: Sequence[str]) -> list[Score]:
        """The tone of each text."""
        return self._analyzer.analyze_all(texts)

    @cached_property
    def _analyzer(self):
        from election_assets.transforms.sentiment.french import FrenchTweetAnalyzer

        return FrenchTweetAnalyzer()


def _embedding() -> Engine:
    from election_assets.transforms.sentiment.embedding import EmbeddingEngine

    return EmbeddingEngine()


def _transformer() -> Engine:
    from election_assets.transforms.sentiment.transformer import TransformerEngine

    return TransformerEngine.from_env()


_ENGINES: dict[str, Callable[[], Engine]] = {
    "textblob": TextBlobEngine,
    "embedding": _embedding,
    "transformer": _transformer,
}
_LOADED: dict[str, Engine] = {}


def names() -> tuple[str, ...]:
    """The engines that there are."""
    return tuple(_ENGINES)


def installed() -> tuple[str, ...]:
    """The engines that have here what they need."""
    found = []
    for name in _ENGINES:
        with contextlib.suppress(EngineError):
            _ = load_engine(name).version
            found.append(name)
    return tuple(found)


def load_engine(name: str) -> Engine:
    """The engine of this name, one a process.

    Raises:
        ValueError: If there is none.
    """
    if name not in _ENGINES:
        raise ValueError(f"{SETTING}={name}: there is no such engine; choose one of {', '.join(_ENGINES)}.")
    if name not in _LOADED:
        _LOADED[name] = _ENGINES[name]()
    return _LOADED[name]


def engine_from_env(env: Mapping[str, str]) -> Engine:
    """The engine that the setting `SENTIMENT_ENGINE` names, `textblob` where it is empty or not set.

    Raises:
        ValueError: If there is no engine of that name.
    """
    return load_engine(env.get(SETTING, "").strip() or DEFAULT)
