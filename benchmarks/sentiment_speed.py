"""Distinct texts that the default engine scores a second, beside textblob-fr in the same run, and its memory.

`python -m benchmarks sentiment_million` scores a million texts from a file, in a process of its own; `python -m
benchmarks.sentiment_speed TEXTS.parquet` those of a file with the columns `text_hash` and `text`.
"""

import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

from election_assets import delta
from election_assets.election import load_election
from election_assets.schemas import SENTIMENT_SCORES
from election_assets.transforms.sentiment import load_engine, nameless, score_texts
from election_assets.transforms.sentiment.lexicon import textblob_tones
from resources.spark import SparkResource
from scraper_api.archive import ArchivedTweet, list_segments, read_segment
from scraper_api.records import flat_record
from scraper_api.sample import write_sample

ALONE, IN_PLACE, IN_SPARK, FROM_FILE = 10_000, 40_000, 200_000, 1_000_000
WRITTEN = 50_000
"""Texts that are written to the file at a time."""

PARTITIONS = 2
LENGTH = 115
"""Characters of a text."""

RARE, STRAY, NAMED, LINKED = 0.10, 0.01, 0.01, 0.3
"""Shares of words from the dictionary or misspelt, of mentions, and of texts with a link of their own: without them the
sample's words would all be known after a thousand texts."""

_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def measure() -> Iterator[dict]:
    with tempfile.TemporaryDirectory() as folder:
        texts = list(islice(_texts(Path(folder) / "corpus.jsonl.gz"), IN_SPARK))
        alone = _a_second(_textblob_alone, texts[:ALONE])
        yield {"what": "texts scored by textblob-fr alone, a second of one core", "value": alone, "unit": "/s"}
        engine = nameless(load_engine("textblob"), load_election())
        engine.score(texts[:1])
        in_place = _a_second(engine.score, texts[:IN_PLACE])
        yield {"what": "texts scored by the default engine, a second of one core", "value": in_place, "unit": "/s"}
        yield {"what": "the latter by the former", "value": in_place / alone, "unit": "times"}
        session = SparkResource().session
        frame = session.createDataFrame(
            [(f"{number:064x}", text) for number, text in enumerate(texts)], "text_hash string, text string"
        )
        started = time.monotonic()
        delta.append(score_texts(frame, engine, PARTITIONS), SENTIMENT_SCORES, str(Path(folder) / "scores"))
        yield {
            "what": "distinct texts scored in Spark and written, wall clock",
            "value": len(texts) / (time.monotonic() - started),
            "unit": "/s",
        }
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        yield {"what": "peak of memory by then, the texts in a list included", "value": peak, "unit": "MB"}


def measure_million(number: int = FROM_FILE) -> Iterator[dict]:
    """Scores texts that no process holds all at once: the same memory for a million as for a tenth of them."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "texts.parquet"
        for count in (number // 10, number):
            _write(islice(_texts(Path(folder) / "corpus.jsonl.gz"), count), file)
            command = [sys.executable, "-W", "ignore", "-m", __name__, str(file)]
            found = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
            what = f"{found['texts']:,} distinct texts scored from a file and written"
            yield {"what": f"{what}, wall clock", "value": found["texts"] / found["seconds"], "unit": "/s"}
            yield {"what": f"{what}, peak of memory", "value": found["megabytes"], "unit": "MB"}


def score_file(file: str) -> dict[str, float]:
    """Scores the texts of a Parquet file as the platform does: how many, in which seconds, and this process's peak."""
    engine = nameless(load_engine("textblob"), load_election())
    with tempfile.TemporaryDirectory() as folder:
        scores = str(Path(folder) / "scores")
        texts = SparkResource().session.read.parquet(file)
        started = time.monotonic()
        delta.append(score_texts(texts, engine, PARTITIONS), SENTIMENT_SCORES, scores)
        seconds = time.monotonic() - started
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        return {"texts": delta.row_count(scores), "seconds": seconds, "megabytes": peak}


def _write(texts: Iterator[str], file: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    schema = pa.schema({"text_hash": pa.string(), "text": pa.string()})
    written = 0
    with parquet.ParquetWriter(file, schema) as writer:
        while part := list(islice(texts, WRITTEN)):
            hashes = [f"{number:064x}" for number in range(written, written + len(part))]
            writer.write_table(pa.table({"text_hash": hashes, "text": part}, schema))
            written += len(part)


def _a_second(score: Callable[[list[str]], object], texts: list[str]) -> float:
    """Texts a second of processor time, which other programs of a shared machine disturb least."""
    started = time.process_time()
    score(texts)
    return len(texts) / (time.process_time() - started)


def _textblob_alone(texts: list[str]) -> None:
    from textblob_fr import PatternAnalyzer

    analyzer = PatternAnalyzer()
    for text in texts:
        analyzer.analyze(text)


def _texts(corpus: Path) -> Iterator[str]:
    """Distinct texts without end: words of the sample's tweets, words of a dictionary by Zipf's law, stray letters."""
    chance = random.Random(0)
    sample, dictionary = _sample(corpus), _dictionary()
    chance.shuffle(dictionary)
    found: set[int] = set()
    while True:
        words: list[str] = []
        while sum(map(len, words)) + len(words) < LENGTH:
            source = chance.choice(sample)
            begin = chance.randrange(len(source))
            words += source[begin : begin + chance.randint(2, 6)]
        for at, word in enumerate(words):
            draw = chance.random()
            if draw < RARE:
                words[at] = dictionary[int(300 * (chance.paretovariate(0.55) - 1)) % len(dictionary)]
            elif draw < RARE + STRAY:
                words[at] = word + chance.choice(_LETTERS)
            elif draw < RARE + STRAY + NAMED:
                words[at] = "@" + "".join(chance.choices(_LETTERS, k=8))
        if chance.random() < LINKED:
            words.append("https://t.co/" + "".join(chance.choices(_LETTERS, k=10)))
        text = " ".join(words)
        if hash(text) not in found:
            found.add(hash(text))
            yield text


def _sample(corpus: Path) -> list[list[str]]:
    write_sample(corpus, load_election())
    texts = {
        flat_record(found.tweet, found.includes, found.retrieved_at or "", "sample")["text"]
        for segment in list_segments(corpus)
        for found in read_segment(corpus, segment)
        if isinstance(found, ArchivedTweet)
    }
    return [words for text in sorted(texts) if (words := text.split())]


def _dictionary() -> list[str]:
    """French word forms: those of simplemma, which no lexicon of tones holds, and textblob-fr's."""
    from simplemma.strategies.dictionaries import DefaultDictionaryFactory

    forms = DefaultDictionaryFactory().get_dictionary("fr")
    return sorted({form for form in forms if " " not in form} | set(textblob_tones()))


if __name__ == "__main__":
    print(json.dumps(score_file(sys.argv[1])))
