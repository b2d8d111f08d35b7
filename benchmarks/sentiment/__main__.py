"""`python -m benchmarks.sentiment [FILE.tsv ...]`: every engine on labelled texts, as a Markdown table and JSON.

What an engine scores on a file that it learnt from says nothing of other texts, and the table marks it.
"""

import argparse
import json
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

from benchmarks.sentiment.labelled import LABELS, NOT_SCORED, measure, read
from election_assets.election import load_election
from election_assets.transforms.sentiment.engines import installed, load_engine
from election_assets.transforms.sentiment.names import nameless

HERE = Path(__file__).parent
SHARED = HERE.parents[2] / "shared" / "data" / "sentiment"
RESULT = HERE.parent / "results" / "sentiment.json"
ENGINE = "engine "
TEXTBLOB_POSITIVE, TEXTBLOB_NEGATIVE = 0.1, 0.0
VADER_NEUTRAL = 0.05
"""Compound score up to which a text is neutral: VADER's own advice."""

LEARNT = "5d654c3c01f6196343c9d7a05bc68c8e403587385f730fc7a6131bc07a72fa60"
"""SHA-256 of the labelled tweets that the shipped models learnt from, which are not shipped: XLM-T's training file."""

WRITTEN = "written_*.tsv"
"""The files beside this one that they learnt from too."""

Labeller = Callable[[Sequence[str]], list[int]]


def default_files() -> list[Path]:
    """The labelled files of the data folder, where it is there."""
    return sorted(SHARED.glob("*.tsv"))


def learnt_from(path: Path, others: Sequence[Path] = ()) -> bool:
    """Whether the project's engines learnt from a file with this content.

    Args:
        path: The file.
        others: Files that models of one's own learnt from.
    """
    known = {_digest(file) for file in (*HERE.glob(WRITTEN), *others)}
    return _digest(path) in known | {LEARNT}


def _digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


def majority(truth: Sequence[int]) -> tuple[str, Labeller]:
    """Calls every text what most of the file's are: its name, and the labeller."""
    most = max(range(len(LABELS)), key=list(truth).count)
    return f"always {LABELS[most]}", lambda texts: [most] * len(texts)


def textblob_fr(texts: Sequence[str]) -> list[int]:
    """textblob-fr alone, by pattern.fr's own threshold; a text of which it assesses no word is not scored."""
    from textblob import TextBlob
    from textblob_fr import PatternAnalyzer

    analyzer, found = PatternAnalyzer(), []
    for text in texts:
        sentiment = TextBlob(text, analyzer=analyzer).sentiment
        polarity = sentiment[0]
        positive = polarity >= TEXTBLOB_POSITIVE
        label = 2 if positive else 0 if polarity < TEXTBLOB_NEGATIVE else 1
        found.append(label if sentiment.assessments else NOT_SCORED)
    return found


def vader_fr(texts: Sequence[str]) -> list[int]:
    """vaderSentiment-fr alone; a compound score of exactly 0 is a text of which it knows no word."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from vaderSentiment_fr.vaderSentiment import SentimentIntensityAnalyzer

    analyzer, found = SentimentIntensityAnalyzer(), []
    for text in texts:
        compound = analyzer.polarity_scores(text)["compound"]
        label = 2 if compound >= VADER_NEUTRAL else 0 if compound <= -VADER_NEUTRAL else 1
        found.append(label if compound else NOT_SCORED)
    return found


def engine(name: str) -> Labeller:
    """One of the project's engines, as it scores tweets: without the names of the election."""
    scorer = nameless(load_engine(name), load_election())

    def label(texts: Sequence[str]) -> list[int]:
        scores = scorer.score(texts)
        return [NOT_SCORED if score.label is None else LABELS.index(score.label) for score in scores]

    return label


def labellers(truth: Sequence[int]) -> Iterator[tuple[str, Labeller]]:
    """What is compared: what is installed of it."""
    yield majority(truth)
    yield "textblob-fr", textblob_fr
    if find_spec("vaderSentiment_fr") and find_spec("fuzzywuzzy"):
        yield "vaderSentiment-fr", vader_fr
    for name in installed():
        yield f"{ENGINE}{name}", engine(name)


def compare(path: Path, learnt: Sequence[Path] = ()) -> list[dict]:
    """A row an engine on one file; `learnt` as in `learnt_from`."""
    texts, truth = read(path)
    seen = learnt_from(path, learnt)
    rows = []
    for name, label in labellers(truth):
        label(texts[:1])
        started = time.process_time()
        found = label(texts)
        rate = len(texts) / max(time.process_time() - started, 1e-9)
        row = {"file": path.name, "engine": name, "learnt_from_it": seen and name.startswith(ENGINE)}
        rows.append(row | {"texts_a_second": round(rate)} | measure(truth, found)._asdict())
    return rows


def table(rows: list[dict]) -> str:
    """The rows as a Markdown table; precision and recall in the order of the labels."""
    lines = [
        "| file | engine | macro-F1 (95 %) | wrong | precision neg/neu/pos | recall neg/neu/pos | unscored | texts/s |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        low, high = row["interval"]
        precision, recall = (
            "/".join(f"{row[kind][label]:.2f}" for label in LABELS) for kind in ("precision", "recall")
        )
        mark = ", LEARNT FROM IT" if row["learnt_from_it"] else ""
        lines.append(
            f"| {row['file']} | {row['engine']}{mark} | {row['macro_f1']:.3f} ({low:.2f}-{high:.2f})"
            f" | {row['wrong']:.1%} | {precision} | {recall} | {row['not_scored']:.1%} | {row['texts_a_second']:,} |"
        )
    return "\n".join(lines)


def confusions(rows: list[dict]) -> str:
    """The confusion matrix of every row, for those that are an engine of the project."""
    blocks = []
    for row in rows:
        if row["engine"].startswith(ENGINE):
            head = f"{row['engine']} on {row['file']} (rows: true; columns: {', '.join(LABELS)}, not scored)"
            body = "\n".join(
                f"  {label:<9}" + "".join(f"{count:>6}" for count in counts)
                for label, counts in zip(LABELS, row["confusion"], strict=True)
            )
            blocks.append(f"{head}\n{body}")
    return "\n\n".join(blocks)


def main(arguments: list[str]) -> int:
    """Prints the table and writes the JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sentiment", description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, help="TSV with the columns label and text")
    parser.add_argument(
        "--learnt",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="a file that a model of yours learnt from",
    )
    parser.add_argument("--json", type=Path, default=RESULT, help="where the figures go")
    options = parser.parse_args(arguments)
    files = options.files or default_files()
    rows = []
    try:
        for path in files:
            rows += compare(path, options.learnt)
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{table(rows)}\n\n{confusions(rows)}\n")
    options.json.parent.mkdir(exist_ok=True)
    options.json.write_text(json.dumps(rows, indent=1) + "\n")
    print(options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
