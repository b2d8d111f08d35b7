"""The live display of a run on a terminal, drawn by rich; imported only where there is one."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console, Group
from rich.live import Live
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table
from rich.text import Text

from election_assets.progress import End

NAME_WIDTH = 16
"""Columns of an asset's name; longer ones push what follows."""

SECONDS_WIDTH = 8

MARKS: dict[End, tuple[str, str]] = {"done": ("✓", "green"), "FAILED": ("✗", "bold red"), "stopped": ("■", "yellow")}
"""Mark and style of how an asset ended."""


class _Seconds(ProgressColumn):
    """How long a step runs, in the column where its line will have it."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.elapsed or 0:.0f} s".rjust(SECONDS_WIDTH), style="dim")


class LiveDisplay:
    """Lines of what has ended or was said; below them what runs, and a bar over the assets.

    Only what runs and the bar are redrawn, and they are gone in the end: it fits a terminal of any height, and what
    stays can be scrolled and copied.

    Args:
        console: Where it is drawn.
        assets: How many assets the run makes.

    Attributes:
        live: The context manager within which it is drawn.
        stopped: Whether Ctrl-C ended a step.
    """

    def __init__(self, console: Console, assets: int) -> None:
        self._console = console
        name = TextColumn(f"{{task.description:<{NAME_WIDTH}}}", markup=False)
        self._steps = Progress(SpinnerColumn(), name, _Seconds(), console=console)
        self._running: dict[str, TaskID] = {}
        self._whole = Progress(
            BarColumn(bar_width=NAME_WIDTH + SECONDS_WIDTH + 3),
            MofNCompleteColumn(separator=" of "),
            TextColumn("assets"),
            TimeElapsedColumn(),
            console=console,
        )
        self._assets = self._whole.add_task("", total=assets)
        self.stopped = False
        self.live = Live(Group(self._steps, self._whole), console=console, transient=True, redirect_stderr=False)

    def started(self, step: str) -> None:
        """A line with a spinner and the step's seconds."""
        self._running[step] = self._steps.add_task(step, total=None)

    def left(self, step: str) -> None:
        """The line goes."""
        if step in self._running:
            self._steps.remove_task(self._running.pop(step))

    def ended(self, step: str, end: End, seconds: float, figures: Sequence[str]) -> None:
        """A line that stays, with its mark; figures that do not fit go on below themselves."""
        self.stopped |= end == "stopped"
        if end == "done":
            self._whole.advance(self._assets)
        mark, style = MARKS[end]
        row = Table.grid(padding=(0, 1))
        row.add_column(width=1)
        row.add_column(min_width=NAME_WIDTH)
        row.add_column(min_width=SECONDS_WIDTH, justify="right", no_wrap=True)
        row.add_column(overflow="fold")
        said = ", ".join(figures) if end == "done" else ", ".join([end, *figures])
        row.add_row(Text(mark, style), Text(step, style), Text(f"{seconds:.1f} s", "dim"), Text(said))
        self._console.print(row)

    def said(self, line: str) -> None:
        """A line that stays, with trouble in yellow; long ones go on below their text."""
        mark, _, text = line.partition(" ")
        style = "yellow" if mark == "!" else "dim"
        row = Table.grid(padding=(0, 1))
        row.add_row(Text(" "), Text(mark, style), Text(text, style, overflow="fold"))
        self._console.print(row)


@contextmanager
def on_terminal(assets: int) -> Iterator[LiveDisplay]:
    """A live display on the terminal of standard output, which nothing else writes to meanwhile.

    Dagster takes the descriptors of standard output and error away during a step, and mirrors them by child processes
    that would write into the display and answer Ctrl-C with tracebacks. The display has a descriptor of its own; what
    is written to the others is shown on standard error once the display has ended, but after Ctrl-C, when it is about
    nothing else (Dagster's log of each step has it all the same).
    """
    with (
        os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8") as terminal,
        tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as besides,
    ):
        display = LiveDisplay(Console(file=terminal, highlight=False), assets)
        try:
            with _descriptors_to(besides.fileno()), display.live:
                yield display
        finally:
            if not display.stopped:
                besides.seek(0)
                shutil.copyfileobj(besides, sys.stderr)


@contextmanager
def _descriptors_to(target: int) -> Iterator[None]:
    kept = [(stream, os.dup(stream.fileno())) for stream in (sys.stdout, sys.stderr)]
    try:
        for stream, _ in kept:
            stream.flush()
            os.dup2(target, stream.fileno())
        yield
    finally:
        for stream, descriptor in kept:
            stream.flush()
            os.dup2(descriptor, stream.fileno())
            os.close(descriptor)
