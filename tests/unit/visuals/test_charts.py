"""The charts' geometry: everything stands within its area, in proportion, and gaps are gaps."""

import datetime as dt
import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from election_assets.election import Event
from election_assets.visuals import charts
from tests.unit.visuals.pages import FRENCH

DAY = dt.timedelta(days=1)
APRIL = dt.date(2022, 4, 8)

days = st.dates(dt.date(2021, 1, 1), dt.date(2022, 12, 31))
counts = st.tuples(st.integers(1, 10**7), st.floats(0, 1)).map(lambda pair: (pair[0], int(pair[0] * pair[1])))
by_day = st.dictionaries(days, counts, min_size=1, max_size=40)
events = st.lists(st.builds(Event, days, st.text(max_size=10)), max_size=5)
polarity = st.floats(-1, 1)
tones = st.tuples(polarity, polarity, polarity).map(lambda three: (sorted(three)[1], min(three), max(three)))


def points(written: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in (pair.split(",") for pair in written.split())]


def inside(*numbers: float) -> bool:
    return all(-1e-9 <= number <= 100 + 1e-9 for number in numbers)


@given(by_day, events)
def test_bars_stand_within_the_chart_in_proportion(of_day, marked):
    chart = charts.bars_by_time(of_day, FRENCH, marked)

    for bar in chart.bars:
        assert inside(bar.left, bar.left + bar.width, bar.height, bar.part)
        assert bar.part <= bar.height
    assert all(one.left + one.width < other.left for one, other in pairwise(chart.bars))
    assert inside(*(mark.at for mark in (*chart.counts, *chart.times, *chart.events)))
    assert chart.counts[0].at == 0
    assert chart.counts[-1].at == 100
    assert 1 <= len(chart.times) <= charts.MAX_TIME_LABELS
    # The heights are the tweets, whatever the unit.
    drawn = sum(bar.height for bar in chart.bars)
    whole = sum(tweets for tweets, _ in of_day.values())
    top = max(bar.height for bar in chart.bars)
    of_unit: dict[dt.date, int] = {}
    for day, (tweets, _) in of_day.items():
        key = day if chart.unit == "day" else day.replace(day=1)
        of_unit[key] = of_unit.get(key, 0) + tweets
    assert drawn / top == pytest.approx(whole / max(of_unit.values()))
    assert sum(bar.height > 0 for bar in chart.bars) == len(of_unit)


def test_a_day_without_tweets_is_a_gap():
    chart = charts.bars_by_time({APRIL: (1500, 900), APRIL + 2 * DAY: (500, 400)}, FRENCH)

    assert [(bar.height, bar.part) for bar in chart.bars] == [
        (pytest.approx(100), pytest.approx(60)),
        (0, 0),
        (pytest.approx(100 / 3), pytest.approx(80 / 3)),
    ]
    assert chart.bars[1].title == "samedi 9\u00a0avril 2022\u00a0: 0\u00a0tweet, dont 0 hors retweets"
    assert [mark.text for mark in chart.counts] == ["0", "500", "1\u202f000", "1\u202f500"]


@pytest.mark.parametrize(("last", "unit", "bars"), [(91, "day", 92), (92, "month", 4), (199, "month", 7)])
def test_a_long_period_is_shown_by_month(last, unit, bars):
    first = dt.date(2022, 1, 1)
    chart = charts.bars_by_time({first + number * DAY: (4, 2) for number in range(last + 1)}, FRENCH)

    assert (chart.unit, len(chart.bars)) == (unit, bars)


def test_months_without_tweets_are_gaps_and_years_go_on():
    chart = charts.bars_by_time(
        {dt.date(2019, 11, 30): (10, 5), dt.date(2020, 1, 1): (4, 2), dt.date(2020, 4, 2): (6, 3)},
        FRENCH,
        [Event(dt.date(2020, 1, 1), "Jour de l’an")],
    )

    assert [bar.height > 0 for bar in chart.bars] == [True, False, True, False, False, True]
    assert chart.bars[0].title.startswith("novembre 2019")
    # An event is a day: a chart of months has no place for it.
    assert (chart.events, chart.listed) == ([], [])


def test_events_are_numbered_where_they_fall_and_listed():
    marked = [
        Event(APRIL - DAY, "Avant"),
        Event(APRIL, "Débat"),
        Event(APRIL + DAY, "Vote"),
        Event(APRIL + 9 * DAY, "Après"),
    ]
    chart = charts.bars_by_time({APRIL: (1, 1), APRIL + DAY: (1, 1)}, FRENCH, marked)

    assert [(mark.at, mark.text) for mark in chart.events] == [(25, "1"), (75, "2")]
    assert chart.listed == [("8\u00a0avril", "Débat"), ("9\u00a0avril", "Vote")]
    # The mark stands in the middle of the day's bar.
    assert [bar.left + bar.width / 2 for bar in chart.bars] == [pytest.approx(25), pytest.approx(75)]


def test_one_day_is_one_bar():
    (bar,) = charts.bars_by_time({APRIL: (1, 0)}, FRENCH).bars

    assert (bar.left, bar.width, bar.height, bar.part) == (10, 80, 50, 0)


def test_dates_of_two_years_bear_the_year():
    new_year = {dt.date(2021, 12, 31): (1, 1), dt.date(2022, 1, 1): (1, 1)}

    assert [mark.text for mark in charts.bars_by_time(new_year, FRENCH).times] == [
        "31\u00a0déc. 2021",
        "1er\u00a0janv. 2022",
    ]


@given(st.dictionaries(days, tones, min_size=1, max_size=30), events)
def test_lines_and_bands_stand_within_the_chart(of_day, marked):
    span = (min(of_day), max(of_day))
    chart = charts.line_by_day(of_day, span, (-0.5, 0.5), [(-0.5, "a"), (0.5, "b")], FRENCH, marked)

    drawn = [points(line) for line in chart.lines]
    assert inside(*(number for line in drawn for point in line for number in point))
    assert inside(*(number for band in chart.bands for point in points(band) for number in point))
    assert inside(*(number for dot in chart.dots for number in dot))
    assert inside(*(mark.at for mark in (*chart.counts, *chart.times, *chart.events)))
    assert all(one[0] < other[0] for line in drawn for one, other in pairwise(line))
    # Every day that has a value is drawn, once, and no other day.
    assert sum(len(line) for line in drawn) + len(chart.dots) == len(of_day)
    assert chart.zero == 50
    assert len(chart.events) == sum(span[0] <= event.date <= span[1] for event in marked) == len(chart.listed)


@given(st.lists(tones, min_size=2, max_size=20))
def test_a_band_holds_its_line(values):
    of_day = {APRIL + number * DAY: value for number, value in enumerate(values)}
    chart = charts.line_by_day(of_day, (min(of_day), max(of_day)), (-1, 1), [], FRENCH)

    (line,), (band,) = (points(line) for line in chart.lines), (points(band) for band in chart.bands)
    upper, lower = band[: len(values)], band[len(values) :][::-1]
    for (x, y), (upper_x, top), (lower_x, foot) in zip(line, upper, lower, strict=True):
        assert x == upper_x == lower_x
        assert top - 0.011 <= y <= foot + 0.011


def test_a_gap_parts_a_line_and_a_day_alone_is_a_dot():
    values = {APRIL + number * DAY: (0.5, None, None) for number in (0, 1, 3, 5, 6, 7)}
    chart = charts.line_by_day(values, (APRIL, APRIL + 9 * DAY), (0, 1), [(0, "0"), (1, "1")], FRENCH)

    assert [[x for x, _ in points(line)] for line in chart.lines] == [[5, 15], [55, 65, 75]]
    assert chart.dots == [(35, 50)]
    assert list(chart.bands) == []
    assert chart.zero is None
    assert [(mark.at, mark.text) for mark in chart.counts] == [(0, "0"), (100, "1")]


def test_a_value_without_an_interval_has_no_band_there():
    values = {APRIL: (0.1, 0.0, 0.2), APRIL + DAY: (0.1, None, None), APRIL + 2 * DAY: (0.1, 0.0, 0.2)}
    (band,) = charts.line_by_day(values, (APRIL, APRIL + 2 * DAY), (-1, 1), [], FRENCH).bands

    assert [x for x, _ in points(band)] == pytest.approx([16.67, 83.33, 83.33, 16.67])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_sparklines_stand_within_their_area(values):
    line = points(charts.sparkline(values, max(values)))

    assert len(line) == len(values)
    assert inside(*(number for point in line for number in point))
    if max(values) > 0:
        assert min(y for _, y in line) == 0


@given(st.lists(st.one_of(tones, st.just((math.nan,) * 3), polarity.map(lambda mean: (mean, math.nan, math.nan)))))
def test_whiskers_stand_on_an_axis_that_holds_them_and_zero(rows):
    drawn, axis = charts.whiskers(rows, FRENCH)

    assert [mark.at for mark in axis] == [0, 50, 100]
    assert axis[1].text == FRENCH.signed(0.0, 2 if len(axis[0].text) == 5 else 1)
    assert len(drawn) == len(rows)
    for (mean, low, _), one in zip(rows, drawn, strict=True):
        assert (one.at is None) == math.isnan(mean)
        assert (one.low is None) == (one.high is None) == math.isnan(low)
        if one.at is not None:
            assert inside(one.at)
            assert (one.at > 50) == (mean > 0) or abs(mean) < 1e-9
        if one.low is not None:
            assert one.low <= one.at <= one.high
            assert inside(one.low, one.high)


@pytest.mark.parametrize(
    ("highest", "ticks"),
    [
        (0, [0, 1, 2]),
        (1, [0, 1, 2]),
        (3, [0, 1, 2, 3]),
        (5, [0, 2, 4, 6]),
        (1500, [0, 500, 1000, 1500]),
        (2339, [0, 1000, 2000, 3000]),
        (40001, [0, 20000, 40000, 60000]),
    ],
)
def test_ticks(highest, ticks):
    assert list(charts.ticks(highest)) == ticks


@given(st.integers(1, 10**12))
def test_ticks_hold_the_highest_and_no_more_than_they_need(highest):
    found = list(charts.ticks(highest))

    assert 3 <= len(found) <= 5
    assert found[-1] >= highest > found[-2] - (found[1] if highest == 1 else 0)


@pytest.mark.parametrize("length", [1, 2, 5, 6, 14, 92, 200])
@pytest.mark.parametrize("most", [1, 2, 5])
def test_a_chart_has_no_more_dates_than_fit(length, most):
    values = {APRIL: (0.5, None, None)}
    chart = charts.line_by_day(values, (APRIL, APRIL + (length - 1) * DAY), (0, 1), [], FRENCH, dates=most)

    assert 1 <= len(chart.times) <= most
