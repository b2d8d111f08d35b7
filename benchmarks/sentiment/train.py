"""Makes reference/tone_model.npz: the weights of the analyzer's features and of the words' n-grams of letters.

A multinomial logistic regression, on labelled texts that are not shipped: what is written are weights of features and
of hashed n-grams. `python -m benchmarks.sentiment.train FILE.tsv ...` (scikit-learn beside the project's packages)
first prints what cross-validation says, then writes the file.
"""

import sys
from pathlib import Path

import numpy as np

from benchmarks.sentiment.labelled import LABELS, macro_f1, read
from election_assets.transforms.sentiment import french, tokens

PENALTY = 0.02
"""Inverse strength of the penalty, C; chosen by cross-validation like the next two."""

GRAM_WEIGHT = 3.0
"""What an n-gram weighs beside a feature of variance one."""

RAREST = 3
"""Texts that an n-gram must be in."""

FOLDS = 5


class Tones:
    """Weights learnt from readings and labels."""

    def __init__(self, readings: list[french.Reading], labels: np.ndarray) -> None:
        from scipy.sparse import diags, hstack
        from sklearn.linear_model import LogisticRegression

        features, grams = _matrices(readings)
        self.mean, self.scale = features.mean(0), features.std(0)
        self.scale[self.scale == 0] = 1
        texts = np.asarray((grams > 0).sum(0)).ravel()
        rarity = np.log((1 + len(readings)) / (1 + texts)) + 1
        self.gram_scale = np.where(texts >= RAREST, GRAM_WEIGHT * rarity, 0.0)
        self.kept = np.flatnonzero(self.gram_scale)
        both = hstack([(features - self.mean) / self.scale, (grams @ diags(self.gram_scale))[:, self.kept]]).tocsr()
        fit = LogisticRegression(C=PENALTY, max_iter=1000).fit(both, labels)
        count = features.shape[1]
        self.weights = (fit.coef_[:, :count] / self.scale).T
        self.bias = fit.intercept_ - self.mean @ self.weights
        self.grams = np.zeros((tokens.GRAM_SLOTS, len(LABELS)))
        self.grams[self.kept] = fit.coef_[:, count:].T * self.gram_scale[self.kept, None]

    def labels(self, readings: list[french.Reading]) -> np.ndarray:
        """The number of the most probable label of each reading."""
        features, grams = _matrices(readings)
        return (features @ self.weights + self.bias + grams @ self.grams).argmax(1)

    def save(self, path: Path) -> None:
        """Writes the file that `french.model` reads."""
        step = np.abs(self.grams).max() / 127
        np.savez_compressed(
            path,
            weights=self.weights.astype("float32"),
            bias=self.bias.astype("float32"),
            grams=np.round(self.grams / step).astype("int8"),
            grams_scale=np.float32(step),
        )


def cross_validated(readings: list[french.Reading], labels: np.ndarray, seed: int = 0) -> np.ndarray:
    """The label of each text by a model that has not seen it."""
    from sklearn.model_selection import StratifiedKFold

    found = np.zeros(len(labels), int)
    for seen, unseen in StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(labels, labels):
        fit = Tones([readings[row] for row in seen], labels[seen])
        found[unseen] = fit.labels([readings[row] for row in unseen])
    return found


def _matrices(readings: list[french.Reading]):
    from scipy.sparse import csr_matrix

    rows, columns, values = [], [], []
    for row, reading in enumerate(readings):
        found = [slot for word in reading.words for slot in tokens.slots(word)]
        rows += [row] * len(found)
        columns += found
        values += [1 / np.sqrt(len(found) or 1)] * len(found)
    grams = csr_matrix((values, (rows, columns)), shape=(len(readings), tokens.GRAM_SLOTS))
    return np.array([reading.features for reading in readings]), grams


def main(paths: list[str]) -> int:
    """Cross-validates, then writes the model."""
    if not paths:
        print("Name the labelled files: python -m benchmarks.sentiment.train FILE.tsv ...", file=sys.stderr)
        return 2
    analyzer = french.FrenchTweetAnalyzer()
    texts, labels = [], []
    for path in paths:
        more, numbers = read(Path(path))
        texts += more
        labels += numbers
    readings, truth = [analyzer.read(text) for text in texts], np.array(labels)
    score = macro_f1(truth, cross_validated(readings, truth))
    print(f"{len(texts)} texts, {FOLDS} folds: macro-F1 {score:.3f}")
    Tones(readings, truth).save(french.MODEL_FILE)
    print(f"{french.MODEL_FILE}: {french.MODEL_FILE.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
