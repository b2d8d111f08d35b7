"""The kept vectors of slow engines: with real tables, and an engine that counts what it is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from pyspark.sql import DataFrame, SparkSession

from election_assets import delta, sentiment_vectors
from election_assets.schemas import SENTIMENT_SCORES, TEXT_VECTORS
from election_assets.sentiment_vectors import STEP, Progress, SettingError, SlowEngine, seconds_from_env
from election_assets.transforms.sentiment.engines import Score

TEXTS = [(f"{index:04d}", f"mardi {index}") for index in range(3 * STEP)]
ENDLESS = 1e9


class CountingEngine:
    """Reads of a text the number that it ends with."""

    def __init__(self, model: str = "m1", version: str = "v1", name: str = "counting") -> None:
        self.name, self.model, self.version = name, model, version
        self.read: list[str] = []

    def __getstate__(self) -> dict[str, object]:
        return {"name": self.name, "model": self.model, "version": self.version, "read": []}

    def score(self, texts: Sequence[str]) -> list[Score]:
        return self.decide(texts, self.encode(texts))

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        self.read += texts
        return np.array([[float(text.split()[-1]), 0.5] for text in texts])

    def decide(self, texts: Sequence[str], vectors: np.ndarray) -> list[Score]:
        sign = -1 if self.version == "v2" else 1
        return [Score(sign * row[0] / 1000, float(row[1]), "neutral", 1.0) for row in vectors.tolist()]


def ticking(seconds: float) -> Callable[[], float]:
    """A clock that is read in steps of so many seconds."""
    times: Iterator[float] = iter(np.arange(0, 1e9, seconds))
    return lambda: float(next(times))


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "text_vectors")


@pytest.fixture
def texts(spark: SparkSession) -> DataFrame:
    return spark.createDataFrame(TEXTS, "text_hash string, text string")


def silent(_: str) -> None:
    """No log."""


def test_every_text_is_read_once_and_scored(spark: SparkSession, texts: DataFrame, path: str):
    engine = CountingEngine()
    assert isinstance(engine, SlowEngine)

    first = sentiment_vectors.make(spark, texts, path, engine, ENDLESS, silent)
    second = sentiment_vectors.make(spark, texts, path, engine, ENDLESS, silent)
    scores = sentiment_vectors.score(spark, texts, path, engine).orderBy("text_hash").toArrow()

    assert (first, second) == (Progress(len(TEXTS), 0), Progress(0, 0))
    assert sorted(engine.read) == sorted(text for _, text in TEXTS)
    assert scores.column_names == SENTIMENT_SCORES.names
    assert scores["text_hash"].to_pylist() == [text_hash for text_hash, _ in TEXTS]
    assert scores["polarity"].to_pylist() == pytest.approx([index / 1000 for index in range(len(TEXTS))])
    assert set(scores["engine"].to_pylist()) == {"counting"}
    assert set(scores["engine_version"].to_pylist()) == {"v1"}


def test_what_the_time_does_not_reach_waits_for_the_next_run(spark: SparkSession, texts: DataFrame, path: str):
    engine = CountingEngine()
    said: list[str] = []

    first = sentiment_vectors.make(spark, texts, path, engine, 1, said.append, ticking(10))

    assert first == Progress(STEP, len(TEXTS) - STEP)
    assert sentiment_vectors.score(spark, texts, path, engine).count() == STEP
    assert f"{len(TEXTS) - STEP} wait" in said[-1]

    second = sentiment_vectors.make(spark, texts, path, engine, ENDLESS, silent)

    assert second == Progress(len(TEXTS) - STEP, 0)
    assert len(engine.read) == len(set(engine.read)) == len(TEXTS)
    assert sentiment_vectors.score(spark, texts, path, engine).count() == len(TEXTS)


def test_progress_is_told(spark: SparkSession, texts: DataFrame, path: str):
    said: list[str] = []

    sentiment_vectors.make(spark, texts, path, CountingEngine(), ENDLESS, said.append, ticking(20))

    assert said[0].startswith(f"counting: {len(TEXTS)} texts to read")
    assert any(f"{STEP} of {len(TEXTS)} texts" in line for line in said[1:-1])


def test_a_new_head_reads_no_text_anew(spark: SparkSession, texts: DataFrame, path: str):
    sentiment_vectors.make(spark, texts, path, CountingEngine(), ENDLESS, silent)
    changed = CountingEngine(version="v2")

    progress = sentiment_vectors.make(spark, texts, path, changed, ENDLESS, silent)
    scores = sentiment_vectors.score(spark, texts, path, changed).where("text_hash = '0100'").toArrow()

    assert (progress, changed.read) == (Progress(0, 0), [])
    assert scores["polarity"].to_pylist() == pytest.approx([-0.1])
    assert scores["engine_version"].to_pylist() == ["v2"]


def test_a_new_model_reads_all_texts_anew_and_the_old_ones_vectors_go(spark, texts: DataFrame, path: str):
    sentiment_vectors.make(spark, texts, path, CountingEngine(), ENDLESS, silent)
    sentiment_vectors.make(spark, texts, path, CountingEngine(name="another"), ENDLESS, silent)
    newer = CountingEngine(model="m2")

    progress = sentiment_vectors.make(spark, texts, path, newer, ENDLESS, silent)
    gone = sentiment_vectors.forget(spark, texts, path, newer)

    assert (progress.made, gone) == (len(TEXTS), len(TEXTS))
    kept = delta.read(spark, TEXT_VECTORS, path).groupBy("engine", "model").count().collect()
    assert {(row["engine"], row["model"]): row["count"] for row in kept} == {
        ("counting", "m2"): len(TEXTS),
        ("another", "m1"): len(TEXTS),
    }


def test_the_vector_of_a_text_that_is_gone_is_removed(spark: SparkSession, texts: DataFrame, path: str):
    engine = CountingEngine()
    sentiment_vectors.make(spark, texts, path, engine, ENDLESS, silent)
    left = texts.where("text_hash < '0010'")

    assert sentiment_vectors.forget(spark, left, path, engine) == len(TEXTS) - 10
    assert sentiment_vectors.forget(spark, left, path, engine) == 0
    assert sentiment_vectors.score(spark, texts, path, engine).count() == 10
    assert delta.row_count(path) == 10


def test_without_texts_nothing_is_read_or_scored(spark: SparkSession, texts: DataFrame, path: str):
    engine, none = CountingEngine(), texts.limit(0)

    assert sentiment_vectors.make(spark, none, path, engine, ENDLESS, silent) == Progress(0, 0)
    assert sentiment_vectors.score(spark, none, path, engine).count() == 0
    assert sentiment_vectors.forget(spark, none, path, engine) == 0


@pytest.mark.parametrize(("value", "seconds"), [("", 600), (" 30 ", 30), ("0.5", 0.5)])
def test_the_seconds_of_a_run_are_a_setting(value: str, seconds: float):
    assert seconds_from_env({"SENTIMENT_SECONDS": value}) == seconds


@pytest.mark.parametrize("value", ["0", "-1", "ten", "nan", "inf"])
def test_seconds_that_are_none_are_refused(value: str):
    with pytest.raises(SettingError, match=f"SENTIMENT_SECONDS={value}: give the seconds"):
        seconds_from_env({"SENTIMENT_SECONDS": value})
