"""Makes reference/tone_model.npz: the weights of the analyzer's features and of the words' n-grams of letters.

A multinomial logistic regression, on labelled texts that are not shipped: what is written are weights of features and
of hashed n-grams. `python -m benchmarks.sentiment.train FILE.tsv ...` (scikit-learn beside the project's packages)
first prints what cross-validation says, then writes the file: the files of tweets, then benchmarks/sentiment/written_*.

Each file is a subject of its own. Folds by chance have every subject on both sides and flatter; so each file is also
labelled by a model that saw the others alone, and each topic of a large one by a model that saw no text of that topic.
"""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from benchmarks.sentiment.labelled import LABELS, NOT_SCORED, macro_f1, read
from election_assets.transforms.sentiment import french, tokens

PENALTY = 0.01
"""Inverse strength of the penalty, C; chosen like the next two by the figures on subjects not seen."""

GRAM_WEIGHT = 3.0
"""What an n-gram weighs beside a feature of variance one."""

RAREST = 3
"""Texts that an n-gram must be in."""

FOLDS = 5

LARGE = 1_000
"""Texts from which a file is parted into topics."""

TOPICS = 8
"""Topics: clusters of the texts' words."""


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


def cross_validated(
    readings: list[french.Reading], labels: np.ndarray, folds: Iterable[tuple[np.ndarray, np.ndarray]]
) -> np.ndarray:
    """The label of each text by a model that has not seen it; `NOT_SCORED` for those in no fold."""
    found = np.full(len(labels), NOT_SCORED)
    for seen, unseen in folds:
        fit = Tones([readings[row] for row in seen], labels[seen])
        found[unseen] = fit.labels([readings[row] for row in unseen])
    return found


def by_chance(labels: np.ndarray, seed: int = 0) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Folds of texts drawn by lot: the rows to learn from and the rows to label."""
    from sklearn.model_selection import StratifiedKFold

    yield from StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(labels, labels)


def by_group(groups: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """A fold a group, each labelled by what all the others teach; texts of a group below 0 are only learnt from."""
    for group in np.unique(groups[groups >= 0]):
        yield np.flatnonzero(groups != group), np.flatnonzero(groups == group)


def topics(readings: list[french.Reading], seed: int = 0) -> np.ndarray:
    """The number of each text's topic, by the words that the texts share."""
    from sklearn.cluster import KMeans
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.preprocessing import normalize

    words = TfidfVectorizer(analyzer=list, min_df=RAREST, max_df=0.1).fit_transform([r.words for r in readings])
    places = normalize(TruncatedSVD(50, random_state=seed).fit_transform(words))
    return KMeans(TOPICS, n_init=5, random_state=seed).fit_predict(places)


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
    texts, labels, files = [], [], []
    for number, path in enumerate(paths):
        more, numbers = read(Path(path))
        texts += more
        labels += numbers
        files += [number] * len(more)
    readings, truth, file_of = [analyzer.read(text) for text in texts], np.array(labels), np.array(files)
    score = macro_f1(truth, cross_validated(readings, truth, by_chance(truth)))
    print(f"{len(texts)} texts, {FOLDS} folds by chance: macro-F1 {score:.3f}")
    if len(paths) > 1:
        found = cross_validated(readings, truth, by_group(file_of))
        for number, path in enumerate(paths):
            rows = file_of == number
            print(f"{Path(path).name}, learnt from the other files: macro-F1 {macro_f1(truth[rows], found[rows]):.3f}")
    for number, path in enumerate(paths):
        rows = np.flatnonzero(file_of == number)
        if len(rows) >= LARGE:
            groups = np.full(len(texts), -1)
            groups[rows] = topics([readings[row] for row in rows])
            found = cross_validated(readings, truth, by_group(groups))
            print(
                f"{Path(path).name}, each of {TOPICS} topics learnt from all other texts: macro-F1 "
                f"{macro_f1(truth[rows], found[rows]):.3f}"
            )
    Tones(readings, truth).save(french.MODEL_FILE)
    print(f"{french.MODEL_FILE}: {french.MODEL_FILE.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
