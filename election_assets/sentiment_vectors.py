"""What slow engines of sentiment make of texts: made within a budget of seconds a run, kept, and removed with the text.

A network takes 10 to 100 ms a text, so its output is kept in `schemas.TEXT_VECTORS` and a text costs it once.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from election_assets import delta
from election_assets.schemas import SENTIMENT_SCORES, TEXT_VECTORS
from election_assets.transforms.sentiment.engines import Engine, SlowEngine

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

SETTING = "SENTIMENT_SECONDS"
DEFAULT_SECONDS = 600

TAKEN = 32_768
"""Texts that are held in memory at a time."""

WRITTEN = 4_096
"""Texts whose vectors are written in one commit: all that a killed run loses."""

STEP = 64
"""Texts between two looks at the clock."""

LOGGED_SECONDS = 15


class Progress(NamedTuple):
    """What a run made: texts that got a vector, and those that wait for the next run."""

    made: int
    waiting: int


class SettingError(ValueError):
    """A setting cannot be used; the message says which and what it may be."""


def seconds_from_env(env: Mapping[str, str]) -> float:
    """The seconds a run that `SENTIMENT_SECONDS` gives to slow engines, 600 where it is empty or not set.

    Raises:
        SettingError: If it is no number above 0.
    """
    text = env.get(SETTING, "").strip()
    try:
        seconds = float(text or DEFAULT_SECONDS)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise SettingError(f"{SETTING}={text}: give the seconds that a run may spend on sentiment, such as 600.")
    return seconds


def make(
    spark: SparkSession,
    texts: DataFrame,
    path: str,
    engine: SlowEngine,
    seconds: float,
    log: Callable[[str], None],
    clock: Callable[[], float] = time.monotonic,
) -> Progress:
    """Gives texts without a vector of the engine's model one, until the time is up.

    Texts are taken in the order of their hash, which is as good as random: while some wait, those done are a fair
    sample of all. At least `STEP` texts are done, so every run comes nearer to the end.

    Args:
        spark: The session that the frame belongs to.
        texts: Columns `text_hash` and `text`, one row a text.
        path: Where the table of `schemas.TEXT_VECTORS` stands.
        engine: Makes the vectors.
        seconds: How long no new step is begun after.
        log: Told now and then how far it is.
        clock: Seconds that only grow.
    """
    began = clock()
    total = made = _without(texts, current(delta.read(spark, TEXT_VECTORS, path), engine)).count()
    if not total:
        return Progress(0, 0)
    log(f"{engine.name}: {total:,} texts to read, for {seconds:,.0f} s at most")
    made, said = 0, began
    while made < total and (clock() - began < seconds or not made):
        missing = _without(texts, current(delta.read(spark, TEXT_VECTORS, path), engine))
        taken = missing.orderBy("text_hash").limit(TAKEN).toArrow()
        for part in _slices(taken, WRITTEN):
            hashes, vectors = [], []
            for step in _slices(part, STEP):
                if made and clock() - began >= seconds:
                    break
                vectors += [row.tobytes() for row in _half(engine.encode([t or "" for t in step["text"].to_pylist()]))]
                hashes += step["text_hash"].to_pylist()
                made += step.num_rows
                if clock() - said >= LOGGED_SECONDS:
                    said = clock()
                    log(f"{engine.name}: {made:,} of {total:,} texts, {made / (said - began):,.0f} a second")
            if hashes:
                delta.append(_frame(spark, hashes, vectors, engine), TEXT_VECTORS, path)
    log(f"{engine.name}: {made:,} of {total:,} texts read in {clock() - began:,.0f} s, {total - made:,} wait")
    return Progress(made, total - made)


def current(vectors: DataFrame, engine: SlowEngine) -> DataFrame:
    """The rows of `schemas.TEXT_VECTORS` that this engine's model made."""
    return vectors.where((vectors.engine == engine.name) & (vectors.model == engine.model))


def score(spark: SparkSession, texts: DataFrame, path: str, engine: SlowEngine) -> DataFrame:
    """The scores of those texts that have a vector: the columns of `schemas.SENTIMENT_SCORES`, one row a text."""
    vectors = current(delta.read(spark, TEXT_VECTORS, path), engine).select("text_hash", "vector")
    rows = texts.select("text_hash", "text").join(vectors, "text_hash").select("text_hash", "text", "vector")
    return rows.mapInArrow(partial(_decide, engine, engine.version), SENTIMENT_SCORES.ddl)


def forget(spark: SparkSession, texts: DataFrame, path: str, engine: Engine) -> int:
    """Removes the vectors of texts that are no longer there, and of other models of a slow engine.

    Args:
        spark: The session that the frame belongs to.
        texts: Column `text_hash`: the texts that there are.
        path: Where the table of `schemas.TEXT_VECTORS` stands.
        engine: The current engine; what other engines made of these texts is kept.

    Returns:
        The number of rows removed.
    """
    if not delta.row_count(path):
        return 0
    kept = delta.read(spark, TEXT_VECTORS, path)
    if isinstance(engine, SlowEngine):
        kept = kept.where((kept.engine != engine.name) | (kept.model == engine.model))
    staying = kept.join(texts.select("text_hash").distinct(), "text_hash", "left_semi")
    gone = delta.row_count(path) - staying.count()
    if gone:
        delta.replace(staying, TEXT_VECTORS, path)
        delta.vacuum(path)
    return gone


def _without(texts: DataFrame, vectors: DataFrame) -> DataFrame:
    return texts.select("text_hash", "text").join(vectors.select("text_hash"), "text_hash", "left_anti")


def _slices(table: pa.Table, rows: int) -> Iterator[pa.Table]:
    for start in range(0, table.num_rows, rows):
        yield table.slice(start, rows)


def _half(vectors: np.ndarray) -> np.ndarray:
    import numpy as np

    return np.ascontiguousarray(vectors, dtype="<f2")


def _frame(spark: SparkSession, hashes: list[str], vectors: list[bytes], engine: SlowEngine) -> DataFrame:
    import pyarrow as pa

    return spark.createDataFrame(
        pa.table(
            {
                "text_hash": pa.array(hashes, pa.string()),
                "engine": pa.repeat(pa.scalar(engine.name), len(hashes)),
                "model": pa.repeat(pa.scalar(engine.model), len(hashes)),
                "vector": pa.array(vectors, pa.binary()),
            }
        )
    )


def _decide(engine: SlowEngine, version: str, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    import numpy as np
    import pyarrow as pa

    for batch in batches:
        if not batch.num_rows:
            continue
        vectors = np.array([np.frombuffer(row, "<f2") for row in batch.column("vector").to_pylist()], np.float32)
        scores = engine.decide([text or "" for text in batch.column("text").to_pylist()], vectors)
        polarity, subjectivity, label, coverage = zip(*scores, strict=True)
        columns = {
            "text_hash": batch.column("text_hash").cast(pa.string()),
            "polarity": pa.array(polarity, pa.float64()),
            "subjectivity": pa.array(subjectivity, pa.float64()),
            "label": pa.array(label, pa.string()),
            "coverage": pa.array(coverage, pa.float64()),
            "engine": pa.repeat(engine.name, batch.num_rows),
            "engine_version": pa.repeat(version, batch.num_rows),
        }
        yield pa.RecordBatch.from_pydict({name: columns[name] for name in SENTIMENT_SCORES.names})
