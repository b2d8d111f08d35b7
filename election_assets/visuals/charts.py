"""The geometry of the pages' charts, in per cent of their area; `templates/charts.html` draws it as SVG with labels.

A chart stretches to the width of its page, so that its shapes are given in per cent, and its labels stand beside the
SVG as text, which a stretched SVG would distort.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from election_assets.election import Event
from election_assets.visuals.catalogue import Catalogue

MAX_DAYS_BY_DAY = 92
"""Longest period that bars show by day; a longer one is shown by month."""
MAX_TIME_LABELS = 5
"""Dates under a chart at most, so that they fit a screen of 390 px."""


@dataclass(frozen=True)
class Mark:
    """A label at a per cent of an axis."""

    at: float
    text: str


@dataclass(frozen=True)
class Bar:
    """A bar with what it says when pointed at; `part` is the height of its lower, darker part."""

    left: float
    width: float
    height: float
    part: float
    title: str
    running: bool = False
    """Whether its day or month had not ended."""


@dataclass(frozen=True)
class Hit:
    """The part of a chart of lines that belongs to a day, and what it says when pointed at."""

    left: float
    width: float
    title: str


@dataclass(frozen=True)
class Whisker:
    """A value with its interval on a horizontal axis; None where there is none."""

    at: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Chart:
    """What is drawn: bars, lines (SVG points), bands around lines, labels of both axes, and events.

    Attributes:
        bars: From left to right.
        lines: Each a text of SVG points, `x,y x,y`, y downwards; a gap parts a line in two.
        bands: Polygons of the same form.
        dots: Points of lines that stand alone.
        running: Lines that lead to a day that had not ended.
        hits: Of the days that have a value and say so.
        end: The label beside the end of the line.
        counts: Labels of the vertical axis, 0 at the foot.
        times: Labels of the horizontal axis.
        events: Vertical marks; the text is the event's number in the list under the chart.
        zero: Height of a zero line above the foot, None without one.
        unit: `day` or `month`, of the bars.
        rows: The figures of the bars, without the gaps: time, tweets, and those that are no retweets.
    """

    bars: Sequence[Bar] = ()
    lines: Sequence[str] = ()
    bands: Sequence[str] = ()
    dots: Sequence[tuple[float, float]] = ()
    running: Sequence[str] = ()
    hits: Sequence[Hit] = ()
    end: Mark | None = None
    counts: Sequence[Mark] = ()
    times: Sequence[Mark] = ()
    events: Sequence[Mark] = ()
    zero: float | None = None
    unit: str = "day"
    rows: Sequence[tuple[str, int, int]] = ()
    listed: Sequence[tuple[str, str]] = field(default=())
    """The events by number: date and title."""


def day_name(day: dt.date, running: dt.date | None, catalogue: Catalogue) -> str:
    """A date that says so where the day had not ended."""
    return _named(catalogue.date(day), day == running, catalogue)


def bars_by_time(
    days: Mapping[dt.date, tuple[int, int]],
    catalogue: Catalogue,
    events: Sequence[Event] = (),
    running: dt.date | None = None,
) -> Chart:
    """Bars of tweets by day, or by month over a long period, each with its part that is no retweets.

    Args:
        days: Tweets, and those of them that are no retweets, by day; at least one. A day that is absent is a gap.
        catalogue: Writes the labels.
        events: Marked where they fall among the days; not marked on a chart of months.
        running: The day that had not ended; its bar, or that of its month, says so.
    """
    first, last = min(days), max(days)
    if (last - first).days < MAX_DAYS_BY_DAY:
        times = [first + dt.timedelta(days=number) for number in range((last - first).days + 1)]
        counts, names, unit, current = dict(days), [catalogue.date(time) for time in times], "day", running
        labels = _day_labels(times, catalogue)
    else:
        counts = {}
        for day, (tweets, originals) in days.items():
            month = day.replace(day=1)
            before = counts.get(month, (0, 0))
            counts[month] = (before[0] + tweets, before[1] + originals)
        span = range(12 * first.year + first.month - 1, 12 * last.year + last.month)
        times = [dt.date(number // 12, number % 12 + 1, 1) for number in span]
        names = labels = [catalogue.month(time) for time in times]
        unit, current = "month", running and running.replace(day=1)
    axis = ticks(max(tweets for tweets, _ in counts.values()))
    slot, top = 100 / len(times), axis[-1]
    bars, rows = [], []
    for number, (time, name) in enumerate(zip(times, names, strict=True)):
        tweets, originals = counts.get(time, (0, 0))
        told = _named(name, time == current, catalogue)
        title = catalogue.text(
            "charts.bar",
            time=told,
            tweets=catalogue.count(tweets, "tweet"),
            originals=catalogue.number(originals),
        )
        left, heights = (number + 0.1) * slot, (100 * tweets / top, 100 * originals / top)
        bars.append(Bar(left, 0.8 * slot, *heights, title, time == current))
        if time in counts:
            rows.append((told, tweets, originals))
    marks, listed = _events(events, times if unit == "day" else (), catalogue)
    return Chart(
        bars=bars,
        counts=[Mark(100 * tick / top, catalogue.number(tick)) for tick in axis],
        times=_time_marks(labels),
        events=marks,
        unit=unit,
        rows=rows,
        listed=listed,
    )


def line_by_day(
    values: Mapping[dt.date, tuple[float, float | None, float | None]],
    span: tuple[dt.date, dt.date],
    scale: tuple[float, float],
    labels: Sequence[tuple[float, str]],
    catalogue: Catalogue,
    events: Sequence[Event] = (),
    dates: int = MAX_TIME_LABELS,
    running: dt.date | None = None,
    titles: Mapping[dt.date, str] | None = None,
) -> Chart:
    """A line of values by day with the band of their intervals; a day without a value is a gap.

    Args:
        values: By day: the value, and the ends of its interval, None where it has none. Ends beyond the scale are cut.
        span: First and last day of the axis.
        scale: Lowest and highest value of the vertical axis.
        labels: Values of the vertical axis that are labelled, and how.
        catalogue: Writes the dates.
        events: Marked where they fall within the span.
        dates: Labels of the horizontal axis at most.
        running: The day that had not ended; the way to it is a line of its own.
        titles: The values of the days as they are told to those who point at them.
    """
    times = [span[0] + dt.timedelta(days=number) for number in range((span[1] - span[0]).days + 1)]
    low_end, high_end = scale

    def height(value: float) -> float:
        return 100 * (min(max(value, low_end), high_end) - low_end) / (high_end - low_end)

    lines, bands, dots, to_running = [], [], [], []
    for run in _runs(times, values):
        points = [((number + 0.5) * 100 / len(times), values[times[number]]) for number in run]
        drawn = [(x, height(value)) for x, (value, _, _) in points]
        if len(drawn) > 1 and times[run[-1]] == running:
            to_running.append(_points(drawn[-2:]))
            drawn.pop()
        if len(drawn) > 1:
            lines.append(_points(drawn))
        elif len(points) == 1:
            dots.append((drawn[0][0], 100 - drawn[0][1]))
        ends = [(x, low, high) for x, (_, low, high) in points if low is not None and high is not None]
        if len(ends) > 1:
            above = [(x, height(high)) for x, _, high in ends]
            bands.append(_points([*above, *((x, height(low)) for x, low, _ in reversed(ends))]))
    marks, listed = _events(events, times, catalogue)
    slot = 100 / len(times)
    hits = [
        Hit(
            number * slot,
            slot,
            catalogue.text("charts.point", time=day_name(time, running, catalogue), value=titles[time]),
        )
        for number, time in enumerate(times)
        if titles and time in titles
    ]
    return Chart(
        hits=hits,
        lines=lines,
        bands=bands,
        dots=dots,
        running=to_running,
        counts=[Mark(height(value), label) for value, label in labels],
        times=_time_marks(_day_labels(times, catalogue), dates),
        events=marks,
        zero=height(0) if low_end < 0 < high_end else None,
        listed=listed,
    )


def sparkline(values: Sequence[float], top: float) -> str:
    """The SVG points of a line without axes, in an area of 100 by 100; `top` is the value at its upper edge."""
    step = 100 / max(len(values) - 1, 1)
    return _points((number * step, 100 * value / top if top else 0) for number, value in enumerate(values))


def whiskers(rows: Sequence[tuple[float, float, float]], catalogue: Catalogue) -> tuple[list[Whisker], list[Mark]]:
    """Values with their intervals on a common axis that holds 0.

    Args:
        rows: Value and ends of the interval; NaN where not known, and a row without a value has no place.
        catalogue: Writes the labels.

    Returns:
        A whisker a row, and the labels of the axis, in per cent of its length.
    """
    known = [number for row in rows for number in row if not math.isnan(number)]
    reach = max([0.1, *(abs(number) for number in known)])
    half = next(step for step in (0.1, 0.2, 0.25, 0.5, 0.75, 1.0, math.inf) if step >= min(reach, 1.0))

    def place(value: float) -> float | None:
        return None if math.isnan(value) else 100 * (min(max(value, -half), half) + half) / (2 * half)

    drawn = [Whisker(*(place(number) for number in row)) for row in rows]
    digits = 2 if half in (0.25, 0.75) else 1
    return drawn, [Mark(at, catalogue.signed(value, digits)) for at, value in ((0, -half), (50, 0.0), (100, half))]


def ticks(highest: int) -> range:
    """Three to five round numbers from 0 to at least this count, in steps of 1, 2 or 5 times a power of ten."""
    power = 1
    while True:
        for step in (power, 2 * power, 5 * power):
            if 4 * step >= highest:
                return range(0, step * max(2, -(-highest // step)) + 1, step)
        power *= 10


def _runs(times: Sequence[dt.date], values: Mapping[dt.date, object]) -> list[list[int]]:
    """The numbers of neighbouring days that have a value, run by run."""
    runs: list[list[int]] = []
    for number, time in enumerate(times):
        if time in values:
            if runs and runs[-1][-1] == number - 1:
                runs[-1].append(number)
            else:
                runs.append([number])
    return runs


def _named(name: str, running: bool, catalogue: Catalogue) -> str:
    return catalogue.text("charts.running_time", time=name) if running else name


def _points(points) -> str:
    return " ".join(f"{x:.2f},{100 - y:.2f}" for x, y in points)


def _day_labels(times: Sequence[dt.date], catalogue: Catalogue) -> list[str]:
    several_years = times[0].year != times[-1].year
    return [
        f"{catalogue.short_day(time)} {time.year}" if several_years else catalogue.short_day(time) for time in times
    ]


def _time_marks(labels: Sequence[str], most: int = MAX_TIME_LABELS) -> list[Mark]:
    step = -(-len(labels) // most)
    slot = 100 / len(labels)
    return [Mark((number + 0.5) * slot, labels[number]) for number in range(step // 2, len(labels), step)]


def _events(
    events: Sequence[Event], times: Sequence[dt.date], catalogue: Catalogue
) -> tuple[list[Mark], list[tuple[str, str]]]:
    """The marks of the events that fall among the days, numbered, and the list that the numbers point to."""
    shown = [event for event in events if times and times[0] <= event.date <= times[-1]]
    slot = 100 / len(times) if times else 0
    marks = [Mark(((event.date - times[0]).days + 0.5) * slot, str(number)) for number, event in enumerate(shown, 1)]
    return marks, [(catalogue.day(event.date), event.title) for event in shown]
