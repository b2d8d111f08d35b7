"""What a person is told of a run at the terminal: Dagster's events read once, for plain lines or a live display."""

from __future__ import annotations

import logging
import os
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Literal, Protocol, TextIO

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


NOT_FOR_TERMINALS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""Control characters: what a message quotes from outside must not steer the terminal."""

End = Literal["done", "FAILED", "stopped"]
"""How an asset's step ended; stopped is what Ctrl-C does."""


class Display(Protocol):
    """Where the progress of a run is shown."""

    def started(self, step: str) -> None:
        """A step runs now, for the first time or again."""

    def left(self, step: str) -> None:
        """A step runs no longer."""

    def ended(self, step: str, end: End, seconds: float, figures: Sequence[str]) -> None:
        """An asset is done, failed or was stopped; its figures are such as `1,234 kept`."""

    def said(self, line: str) -> None:
        """A line begins with `!` where it tells of trouble, else with `PROGRESS_SIGN`."""


class Lines:
    """Plain lines on standard output, for logs and pipes."""

    def started(self, step: str) -> None:
        """Nothing: a line is printed once a step has ended."""

    def left(self, step: str) -> None:
        """Nothing, as above."""

    def ended(self, step: str, end: End, seconds: float, figures: Sequence[str]) -> None:
        """One line."""
        print(f"{step:<18} {end:<6} {seconds:6.1f} s   {', '.join(figures)}", flush=True)

    def said(self, line: str) -> None:
        """The line, indented."""
        print(f"  {line}", flush=True)


DISPLAY: ContextVar[Display] = ContextVar("DISPLAY", default=Lines())  # noqa: B039 (it holds no state)
"""What the logger shows the run on; Dagster itself makes the logger, so it cannot be handed over."""


def is_live(stream: TextIO, env: Mapping[str, str]) -> bool:
    """Whether a display that redraws itself suits: a terminal that a person reads, which can draw it and may."""
    return (
        stream.isatty()
        and env.get("TERM", "") not in {"", "dumb", "unknown"}
        and not env.get("NO_COLOR")
        and env.get("CI", "").lower() in {"", "0", "false"}
        and stream.encoding.lower().replace("-", "") == "utf8"
    )


@contextmanager
def shown(assets: int) -> Iterator[None]:
    """Shows the run within, which makes so many assets: live on a terminal, else in plain lines."""
    if not is_live(sys.stdout, os.environ):
        yield
        return
    # Definitions load this module, and need no rich.
    from election_assets.live_progress import on_terminal

    with on_terminal(assets) as display:
        token = DISPLAY.set(display)
        try:
            yield
        finally:
            DISPLAY.reset(token)


class ProgressHandler(logging.Handler):
    """Reads Dagster's events for a display."""

    def __init__(self, display: Display) -> None:
        super().__init__()
        self._display = display
        self._started: dict[str, float] = {}
        self._counts: dict[str, Counter[str]] = {}
        self._partitions: Counter[str] = Counter()

    def emit(self, record: logging.LogRecord) -> None:
        """Shows what a person wants to know of an event; nothing for most of them.

        Raises:
            KeyboardInterrupt: Where Dagster would try again a step that was interrupted.
        """
        event = getattr(record, "dagster_meta", {}).get("dagster_event")
        if event is None:
            message = getattr(record, "dagster_meta", {}).get("orig_message", record.getMessage())
            if record.levelno >= logging.WARNING and not any(text in message for text in OF_NO_INTEREST):
                self._say(f"! {message}")
            elif message.startswith(PROGRESS_SIGN):
                self._say(message)
            return
        step = event.step_key
        if event.event_type == dg.DagsterEventType.STEP_START:
            self._started[step] = time.monotonic()
            self._display.started(step)
        elif event.event_type == dg.DagsterEventType.STEP_RESTARTED:
            self._display.started(step)
        elif event.event_type == dg.DagsterEventType.ASSET_MATERIALIZATION:
            self._add(step, event.materialization)
        elif event.event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            self._check(event.asset_check_evaluation_data)
        elif event.event_type == dg.DagsterEventType.STEP_SUCCESS:
            self._display.left(step)
            if step in self._counts:
                self._end(step, "done")
        elif event.event_type == dg.DagsterEventType.STEP_FAILURE:
            self._display.left(step)
            error = event.step_failure_data.error
            if _interrupted(error):
                self._end(step, "stopped")
            else:
                self._end(step, "FAILED")
                self._say(f"! {_cause(error)}")
        elif event.event_type == dg.DagsterEventType.STEP_UP_FOR_RETRY:
            self._display.left(step)
            error = event.step_retry_data.error
            if _interrupted(error):
                self._end(step, "stopped")
                raise KeyboardInterrupt
            self._say(f"{PROGRESS_SIGN} {step} failed and is tried again: {_cause(error)}")

    def _say(self, line: str) -> None:
        self._display.said(NOT_FOR_TERMINALS.sub("\N{REPLACEMENT CHARACTER}", line))

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
            self._say(f"! check {name} failed ({what}): {evaluation.description}")

    def _end(self, step: str, end: End) -> None:
        counts = self._counts.get(step, Counter())
        shown = [
            f"{counts[name]:,} {name.replace('_', ' ')}"
            for name in SHOWN
            if counts[name] or name in ALWAYS & set(counts)
        ]
        if self._partitions[step]:
            shown.insert(0, f"{self._partitions[step]} candidates")
        seconds = time.monotonic() - self._started.get(step, time.monotonic())
        self._display.ended(step, end, seconds, shown)


def _interrupted(error: Any) -> bool:
    """Whether Ctrl-C is at the bottom of an error."""
    while error is not None and error.cause is not None:
        error = error.cause
    return error is not None and error.cls_name in {"DagsterExecutionInterruptedError", KeyboardInterrupt.__name__}


def _cause(error: Any) -> str:
    """An error on one line: a failure's own sentence, else the innermost message without its class's path."""
    while error is not None and error.cause is not None and error.cls_name != dg.Failure.__name__:
        error = error.cause
    return re.sub(r"^\w+(\.\w+)+: ", "", " ".join(error.message.split())) if error else "no reason given"


@dg.logger(None, description="What people are told of a run, on the display that is set.")
def progress_logger(context: dg.InitLoggerContext) -> logging.Logger:
    """Logger that `make run` chooses in its run configuration."""
    logger = logging.Logger("progress")
    logger.addHandler(ProgressHandler(DISPLAY.get()))
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    return logger
