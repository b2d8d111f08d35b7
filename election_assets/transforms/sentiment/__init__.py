"""The tone of texts in Spark: which are to score, and their scores by an engine of `engines`."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from election_assets.schemas import SENTIMENT_SCORES
from election_assets.transforms.sentiment.engines import (
    DEFAULT,
    LABELS,
    LANGUAGE,
    NOT_SCORED,
    SETTING,
    Engine,
    Score,
    engine_from_env,
    load_engine,
)
from election_assets.transforms.sentiment.names import Nameless, nameless

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame

__all__ = (
    "DEFAULT",
    "LABELS",
    "LANGUAGE",
    "NOT_SCORED",
    "SETTING",
    "Engine",
    "Nameless",
    "Score",
    "current",
    "engine_from_env",
    "load_engine",
    "nameless",
    "score_texts",
    "texts_to_score",
)

BATCH = 16_384
"""Texts that are scored at once: memory does not grow with the texts, nor are the names' patterns made too often."""


def score_texts(texts: DataFrame, engine: Nameless, partitions: int = 1) -> DataFrame:
    """Scores texts in Spark.

    Sail runs Python functions in this process, under its interpreter's lock: the partitions take turns there, while
    other cores read and write. In processes of their own they took nearly twice the processor time, for each loads the
    lexicons and meets every word for itself.

    Args:
        texts: Columns `text_hash` and `text`, one row a text.
        engine: What scores them, without the election's names.
        partitions: How many parts to score side by side; as many as there are cores.

    Returns:
        The columns of `schemas.SENTIMENT_SCORES`, one row a text.
    """
    rows = texts.select("text_hash", "text").repartition(partitions)
    return rows.mapInArrow(partial(_score_batches, engine), SENTIMENT_SCORES.ddl)


def texts_to_score(merged: DataFrame, scores: DataFrame, language: str, engine: Engine) -> DataFrame:
    """The distinct texts of a language that the engine, in its current version, has not scored.

    Args:
        merged: Columns of `schemas.MERGED_TWEETS`.
        scores: Columns of `schemas.SENTIMENT_SCORES`; rows of another engine or version count as missing.
        language: ISO 639-1 code; no text of a language other than `LANGUAGE` is to score. A tweet without a known
            language is in none.
        engine: The current engine.

    Returns:
        Columns `text_hash` and `text`, one row a text.
    """
    if language != LANGUAGE:
        return merged.select("text_hash", "text").limit(0)
    texts = merged.where(merged.lang == language).select("text_hash", "text").dropDuplicates(["text_hash"])
    return texts.join(current(scores, engine).select("text_hash"), "text_hash", "left_anti")


def current(scores: DataFrame, engine: Engine) -> DataFrame:
    """The rows of `schemas.SENTIMENT_SCORES` that the engine made in its current version."""
    return scores.where((scores.engine == engine.name) & (scores.engine_version == engine.version))


def _score_batches(engine: Nameless, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for table in _gathered(batches):
        for start in range(0, table.num_rows, BATCH):
            rows = table.slice(start, BATCH).combine_chunks()
            yield _record_batch(engine, rows["text_hash"], engine.score(rows["text"].combine_chunks()))


def _gathered(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
    """The rows of several batches, at least `BATCH` together but for the last."""
    import pyarrow as pa

    held: list[pa.RecordBatch] = []
    for batch in batches:
        held.append(batch)
        if sum(each.num_rows for each in held) >= BATCH:
            yield pa.Table.from_batches(held)
            held = []
    if held:
        yield pa.Table.from_batches(held)


def _record_batch(engine: Engine, hashes: pa.ChunkedArray, scores: list[Score]) -> pa.RecordBatch:
    import pyarrow as pa

    polarity, subjectivity, label, coverage = zip(*scores, strict=True) if scores else ((), (), (), ())
    count = len(scores)
    columns = {
        "text_hash": hashes.combine_chunks().cast(pa.string()),
        "polarity": pa.array(polarity, pa.float64()),
        "subjectivity": pa.array(subjectivity, pa.float64()),
        "label": pa.array(label, pa.string()),
        "coverage": pa.array(coverage, pa.float64()),
        "engine": pa.repeat(engine.name, count),
        "engine_version": pa.repeat(engine.version, count),
    }
    return pa.RecordBatch.from_pydict({name: columns[name] for name in SENTIMENT_SCORES.names})
