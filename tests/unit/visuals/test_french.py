"""Figures and dates in French."""

import datetime as dt

import pytest

from election_assets.visuals import french


@pytest.mark.parametrize(
    ("value", "digits", "written"),
    [
        (0, 0, "0"),
        (999, 0, "999"),
        (47582183, 0, "47\u202f582\u202f183"),
        (1234.56, 1, "1\u202f234,6"),
        (-0.125, 2, "\u22120,12"),
        (-0.001, 2, "0,00"),
        (None, 0, "–"),
        (float("nan"), 2, "–"),
    ],
)
def test_number(value, digits, written):
    assert french.number(value, digits) == written


@pytest.mark.parametrize(
    ("value", "written"),
    [(0.1, "+0,10"), (0.001, "0,00"), (0, "0,00"), (-0.5, "\u22120,50"), (float("nan"), "–")],
)
def test_signed(value, written):
    assert french.signed(value) == written


@pytest.mark.parametrize(("share", "written"), [(0.1234, "12,3\u202f%"), (1, "100,0\u202f%"), (None, "–")])
def test_percent(share, written):
    assert french.percent(share) == written


@pytest.mark.parametrize(
    ("value", "written"),
    [(0, "0\u00a0tweet"), (1, "1\u00a0tweet"), (2, "2\u00a0tweets"), (1200, "1\u202f200\u00a0tweets")],
)
def test_count(value, written):
    assert french.count(value, "tweet") == written


def test_count_with_its_own_plural():
    assert french.count(2, "journal", "journaux") == "2\u00a0journaux"


@pytest.mark.parametrize(
    ("day", "written"),
    [(dt.date(2022, 4, 10), "dimanche 10\u00a0avril 2022"), (dt.date(2022, 4, 1), "vendredi 1er\u00a0avril 2022")],
)
def test_date(day, written):
    assert french.date(day) == written


@pytest.mark.parametrize(
    ("first", "last", "written"),
    [
        (dt.date(2022, 3, 27), dt.date(2022, 4, 9), "du 27\u00a0mars au 9\u00a0avril 2022"),
        (dt.date(2021, 12, 31), dt.date(2022, 1, 1), "du 31\u00a0décembre 2021 au 1er\u00a0janvier 2022"),
        (dt.date(2022, 4, 9), dt.date(2022, 4, 9), "le 9\u00a0avril 2022"),
    ],
)
def test_period(first, last, written):
    assert french.period(first, last) == written


def test_moment_is_in_the_time_zone():
    instant = dt.datetime(2022, 4, 9, 22, 5, tzinfo=dt.UTC)

    assert french.moment(instant, "Europe/Paris") == "dimanche 10\u00a0avril 2022 à 0\u00a0h\u00a005"


def test_spaces_of_french_signs_do_not_break_a_line():
    assert french.spaced("Vrai : « oui » ; non ? <b>fin</b> a != b") == (
        "Vrai\u00a0: «\u00a0oui\u00a0»\u202f; non\u202f? <b>fin</b> a != b"
    )
