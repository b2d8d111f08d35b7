"""The tone of texts in Spark: which are to score, and their scores by an engine of `engines`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import ExitStack
from functools import partial
from multiprocessing import get_context
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
    "Score",
    "current",
    "engine_from_env",
    "load_engine",
    "score_texts",
    "texts_to_score",
)

SCORED_IN_PLACE = 10_000
"""Texts of a partition that are scored before a process of its own pays its start of about a second."""

BATCH = 4_096
"""Texts that go to a process at once; two batches are under way, so memory does not grow with the texts."""


def score_texts(texts: DataFrame, engine: Engine, partitions: int = 1) -> DataFrame:
    """Scores texts in Spark.

    Sail runs Python functions under one interpreter's lock: there, each partition has its texts scored in a process
    of its own once it has more than `SCORED_IN_PLACE`.

    Args:
        texts: Columns `text_hash` and `text`, one row a text.
        engine: What scores them.
        partitions: How many parts to score side by side; as many as there are cores.

    Returns:
        The columns of `schemas.SENTIMENT_SCORES`, one row a text.
    """
    rows = texts.select("text_hash", "text").repartition(partitions)
    return rows.mapInArrow(partial(_score_batches, engine.name), SENTIMENT_SCORES.ddl)


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


def _score_batches(name: str, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Scores a partition: its first texts in place, the others in a process, two batches at a time."""
    engine = load_engine(name)
    in_place = SCORED_IN_PLACE if engine.in_processes and "pysail" in sys.modules else sys.maxsize
    waiting: list[tuple[pa.Array, Future[list[Score]]]] = []
    with ExitStack() as stack:
        pool = None
        for hashes, texts in _chunks(batches):
            if in_place > 0:
                in_place -= len(texts)
                yield _record_batch(engine, hashes, engine.score(texts))
                continue
            if pool is None:
                pool = stack.enter_context(ProcessPoolExecutor(1, mp_context=get_context("spawn")))
            waiting.append((hashes, pool.submit(_score, name, texts)))
            if len(waiting) > 1:
                scored, future = waiting.pop(0)
                yield _record_batch(engine, scored, future.result())
        for scored, future in waiting:
            yield _record_batch(engine, scored, future.result())


def _chunks(batches: Iterator[pa.RecordBatch]) -> Iterator[tuple[pa.Array, list[str]]]:
    for batch in batches:
        for start in range(0, batch.num_rows, BATCH):
            rows = batch.slice(start, BATCH)
            yield rows.column("text_hash"), [text or "" for text in rows.column("text").to_pylist()]


def _score(name: str, texts: list[str]) -> list[Score]:
    return load_engine(name).score(texts)


def _record_batch(engine: Engine, hashes: pa.Array, scores: list[Score]) -> pa.RecordBatch:
    import pyarrow as pa

    polarity, subjectivity, label, coverage = zip(*scores, strict=True) if scores else ((), (), (), ())
    count = len(scores)
    columns = {
        "text_hash": hashes.cast(pa.string()),
        "polarity": pa.array(polarity, pa.float64()),
        "subjectivity": pa.array(subjectivity, pa.float64()),
        "label": pa.array(label, pa.string()),
        "coverage": pa.array(coverage, pa.float64()),
        "engine": pa.repeat(engine.name, count),
        "engine_version": pa.repeat(engine.version, count),
    }
    return pa.RecordBatch.from_pydict({name: columns[name] for name in SENTIMENT_SCORES.names})
