"""Figures and dates as a French reader writes them."""

from __future__ import annotations

import datetime as dt
import math
import re
from zoneinfo import ZoneInfo

THIN_SPACE = "\N{NARROW NO-BREAK SPACE}"
NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"
ABSENT = "–"
"""Stands for a figure that is not known."""

WEEKDAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
MONTHS = (
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
)


def number(value: float | None, digits: int = 0) -> str:
    """A number with narrow no-break spaces between thousands and a comma, `1 234,5`; `ABSENT` for None or NaN."""
    if value is None or math.isnan(value):
        return ABSENT
    written = f"{abs(value):,.{digits}f}".replace(",", THIN_SPACE).replace(".", ",")
    negative = value < 0 and any(digit in written for digit in "123456789")
    return MINUS + written if negative else written


def signed(value: float | None, digits: int = 2) -> str:
    """A number with its sign, `+0,12`; zero has none."""
    written = number(value, digits)
    return f"+{written}" if value and value > 0 and any(digit in written for digit in "123456789") else written


def percent(share: float | None, digits: int = 1) -> str:
    """A share of 0 to 1 in per cent, `12,3 %`; `ABSENT` for None or NaN."""
    if share is None or math.isnan(share):
        return ABSENT
    return f"{number(100 * share, digits)}{THIN_SPACE}%"


def count(value: int, one: str, many: str | None = None) -> str:
    """A count with its noun, `0 tweet`, `1 tweet`, `2 tweets`: French uses the plural from 2."""
    noun = one if abs(value) < 2 else many or f"{one}s"
    return f"{number(value)}{NO_BREAK_SPACE}{noun}"


def day(date: dt.date) -> str:
    """A day of a month, `10 avril`, `1er avril`."""
    return f"{'1er' if date.day == 1 else date.day}{NO_BREAK_SPACE}{MONTHS[date.month - 1]}"


def date(date: dt.date) -> str:
    """A date with its weekday, `dimanche 10 avril 2022`."""
    return f"{WEEKDAYS[date.weekday()]} {day(date)} {date.year}"


def period(first: dt.date, last: dt.date) -> str:
    """The days from the first to the last, `du 27 mars au 9 avril 2022`; one day alone is `le 9 avril 2022`."""
    if first == last:
        return f"le {day(last)} {last.year}"
    start = day(first) if first.year == last.year else f"{day(first)} {first.year}"
    return f"du {start} au {day(last)} {last.year}"


def moment(instant: dt.datetime, time_zone: str) -> str:
    """An instant in a time zone, `dimanche 10 avril 2022 à 20 h 05`."""
    local = instant.astimezone(ZoneInfo(time_zone))
    return f"{date(local)} à {local.hour}{NO_BREAK_SPACE}h{NO_BREAK_SPACE}{local.minute:02d}"


def spaced(text: str) -> str:
    """A text whose spaces before : ; ? ! » and after « do not break a line."""
    text = re.sub(r" (?=[;?!](?:\s|$|<))", THIN_SPACE, text)
    return re.sub(r"(?<=«) | (?=[:»](?:\s|$|<|[.,]))", NO_BREAK_SPACE, text)
