"""Labelled texts and the measures of an engine on them."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

LABELS = ("negative", "neutral", "positive")
NOT_SCORED = len(LABELS)
RESAMPLES = 1000


class Measures(NamedTuple):
    """How an engine's labels agree with a file's.

    Attributes:
        macro_f1: Mean of the classes' F1; a text not scored is taken for neutral.
        interval: 95 % bootstrap interval of it, over the texts.
        precision: A value a label.
        recall: A value a label.
        wrong: Share of texts whose label is another than the file's; one not scored is taken for neutral.
        not_scored: Share of texts without a label.
        confusion: A row a true label, a column a predicted one; the last column counts texts not scored.
    """

    macro_f1: float
    interval: tuple[float, float]
    precision: dict[str, float]
    recall: dict[str, float]
    wrong: float
    not_scored: float
    confusion: list[list[int]]


def read(path: Path) -> tuple[list[str], list[int]]:
    """The texts of a TSV file with the columns `label` and `text`, and the number of each label in `LABELS`.

    Raises:
        ValueError: If a column is missing or a label is another.
    """
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        if not {"label", "text"} <= set(rows.fieldnames or ()):
            raise ValueError(f"{path}: the first line must name the columns label and text.")
        texts, labels = [], []
        for number, row in enumerate(rows, start=2):
            if row["label"] not in LABELS or row["text"] is None:
                raise ValueError(f"{path}, line {number}: the label must be one of {', '.join(LABELS)}, then a text.")
            texts.append(row["text"])
            labels.append(LABELS.index(row["label"]))
    return texts, labels


def macro_f1(truth: np.ndarray, predicted: np.ndarray) -> float:
    """The mean over the labels of F1; 0 for a label that is neither there nor predicted."""
    return float(_macro_f1(_confusion(truth, predicted)))


def measure(truth: Sequence[int], predicted: Sequence[int], seed: int = 0) -> Measures:
    """Compares labels.

    Args:
        truth: Numbers of labels.
        predicted: Numbers of labels, `NOT_SCORED` for a text without one.
        seed: Of the bootstrap.
    """
    true, found = np.array(truth), np.array(predicted)
    neutral = np.where(found == NOT_SCORED, 1, found)
    confusion = _confusion(true, neutral)
    generator = np.random.default_rng(seed)
    samples = generator.integers(0, len(true), (RESAMPLES, len(true)))
    scores = [_macro_f1(_confusion(true[rows], neutral[rows])) for rows in samples]
    low, high = np.percentile(scores, [2.5, 97.5])
    right, guessed, there = np.diag(confusion), confusion.sum(0), confusion.sum(1)
    shown = np.zeros((len(LABELS), NOT_SCORED + 1), int)
    np.add.at(shown, (true, found), 1)
    return Measures(
        float(_macro_f1(confusion)),
        (float(low), float(high)),
        {label: float(right[row] / max(guessed[row], 1)) for row, label in enumerate(LABELS)},
        {label: float(right[row] / max(there[row], 1)) for row, label in enumerate(LABELS)},
        float((neutral != true).mean()),
        float((found == NOT_SCORED).mean()),
        shown.tolist(),
    )


def _confusion(truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    return np.bincount(truth * len(LABELS) + predicted, minlength=len(LABELS) ** 2).reshape(len(LABELS), -1)


def _macro_f1(confusion: np.ndarray) -> float:
    sums = confusion.sum(0) + confusion.sum(1)
    return float((2 * np.diag(confusion) / np.maximum(sums, 1)).mean())
