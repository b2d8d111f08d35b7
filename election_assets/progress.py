"""What a person sees of a run at the terminal: a line an asset, with its counts and seconds."""

from __future__ import annotations

import logging
import re
import sys
import time
from collections import Counter
from typing import Any

import dagster as dg

SHOWN = (
    "received",
    "batches",
    "files",
    "rows",
    "kept",
    "repeats",
    "quarantined",
    "published_again",
    "repeated_deliveries",
    "days_counted",
    "departments",
    "tweets",
    "new_texts",
    "waiting",
    "not_scored",
    "words",
    "bytes",
)
"""Counts of the materialisations that are shown, in this order; those of the candidates are summed."""

ALWAYS = {"received", "rows", "kept", "repeats", "quarantined", "tweets", "new_texts"}
"""Counts that are shown even where they are 0."""

PROGRESS_SIGN = "…"
"""What an asset's line of information begins with that is shown while it works."""

OF_NO_INTEREST = ("Dependencies for step", "Data version mismatch")
"""What Dagster warns of where a run takes a part of the assets, or two runs go on at once, both of which are right."""


class ProgressHandler(logging.Handler):
    """Turns Dagster's events into lines."""

    def __init__(self) -> None:
        super().__init__()
        self._started: dict[str, float] = {}
        self._counts: dict[str, Counter[str]] = {}
        self._partitions: Counter[str] = Counter()

    def emit(self, record: logging.LogRecord) -> None:
        """Prints what a person wants to know of an event; nothing for most of them."""
        event = getattr(record, "dagster_meta", {}).get("dagster_event")
        if event is None:
            message = getattr(record, "dagster_meta", {}).get("orig_message", record.getMessage())
            if record.levelno >= logging.WARNING and not any(text in message for text in OF_NO_INTEREST):
                print(f"  ! {message}", flush=True)
            elif message.startswith(PROGRESS_SIGN):
                print(f"  {message}", flush=True)
            return
        step = event.step_key
        if event.event_type == dg.DagsterEventType.STEP_START:
            self._started[step] = time.monotonic()
        elif event.event_type == dg.DagsterEventType.ASSET_MATERIALIZATION:
            self._add(step, event.materialization)
        elif event.event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            self._check(event.asset_check_evaluation_data)
        elif event.event_type == dg.DagsterEventType.STEP_SUCCESS and step in self._counts:
            self._line(step, "done")
        elif event.event_type == dg.DagsterEventType.STEP_FAILURE:
            self._line(step, "FAILED")
            print(f"  ! {_cause(event.step_failure_data.error)}", flush=True)
        elif event.event_type == dg.DagsterEventType.STEP_UP_FOR_RETRY:
            print(f"  … {step} failed and is tried again: {_cause(event.step_retry_data.error)}", flush=True)

    def _add(self, step: str, materialization: Any) -> None:
        counts = self._counts.setdefault(step, Counter())
        self._partitions[step] += materialization.partition is not None
        for name, value in materialization.metadata.items():
            if name in SHOWN and isinstance(value, dg.IntMetadataValue):
                counts[name] += value.value or 0

    def _check(self, evaluation: Any) -> None:
        if not evaluation.passed:
            what = "stops what is downstream" if evaluation.blocking else "does not stop the run"
            name = f"{evaluation.check_name} of {evaluation.asset_key.to_user_string()}"
            print(f"  ! check {name} failed ({what}): {evaluation.description}", flush=True)

    def _line(self, step: str, end: str) -> None:
        counts = self._counts.get(step, Counter())
        shown = [
            f"{counts[name]:,} {name.replace('_', ' ')}"
            for name in SHOWN
            if counts[name] or name in ALWAYS & set(counts)
        ]
        if self._partitions[step]:
            shown.insert(0, f"{self._partitions[step]} candidates")
        seconds = time.monotonic() - self._started.get(step, time.monotonic())
        print(f"{step:<18} {end:<6} {seconds:6.1f} s   {', '.join(shown)}", flush=True)


def _cause(error: Any) -> str:
    """An error on one line: a failure's own sentence, else the innermost message without its class's path."""
    while error is not None and error.cause is not None and error.cls_name != dg.Failure.__name__:
        error = error.cause
    return re.sub(r"^\w+(\.\w+)+: ", "", " ".join(error.message.split())) if error else "no reason given"


@dg.logger(None, description="One line an asset, for people.")
def progress_logger(context: dg.InitLoggerContext) -> logging.Logger:
    """Logger that `make run` chooses in its run configuration."""
    logger = logging.Logger("progress")
    logger.addHandler(ProgressHandler())
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    return logger
