"""The words of the pages and how their language writes figures and dates: one file a language, in `catalogues/`."""

from __future__ import annotations

import datetime as dt
import math
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from election_assets.election import fold

if TYPE_CHECKING:
    from markupsafe import Markup

FOLDER = Path(__file__).parent / "catalogues"
DEFAULT_LANGUAGE = "fr"

ABSENT = "–"
"""Stands for a figure that is not known."""

MINUS = "\N{MINUS SIGN}"
THIN_SPACE = "\N{NARROW NO-BREAK SPACE}"
NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"


class CatalogueError(ValueError):
    """A catalogue lacks what a page asks for, or there is none of a language."""


class Catalogue:
    """The labels of one language, and its way to write figures and dates.

    Attributes:
        language: ISO 639-1 code.
    """

    def __init__(self, content: Mapping[str, Any], language: str) -> None:
        """Takes the content of a catalogue's file.

        Args:
            content: Tables of texts; `format` is the way to write figures and dates.
            language: ISO 639-1 code.
        """
        self.language = language
        self._content = content
        self._format = content["format"]

    def text(self, key: str, **values: object) -> str:
        """A text by its path in the file, such as `overview.title`, with these values in its braces.

        Raises:
            CatalogueError: If there is none, or it asks for a value that is not given.
        """
        try:
            return self._spaced(self._entry(key).format(**values))
        except (KeyError, IndexError) as error:
            raise CatalogueError(f"Catalogue {self.language}, text '{key}': the value {error} is not given.") from error

    def html(self, key: str, **values: object) -> Markup:
        """A text that is HTML; the values are escaped, the text is not.

        Raises:
            CatalogueError: As for `text`.
        """
        from markupsafe import Markup

        try:
            return Markup(self._spaced(self._entry(key))).format(**values)
        except (KeyError, IndexError) as error:
            raise CatalogueError(f"Catalogue {self.language}, text '{key}': the value {error} is not given.") from error

    def label(self, table: str, name: str) -> str:
        """The label of a name that may not be in the catalogue: then the name itself."""
        found = self._content.get(table, {}).get(name)
        return self._spaced(found) if isinstance(found, str) else name

    def table(self, key: str) -> dict[str, str]:
        """All texts of a table, in the file's order."""
        found = self._find(key)
        if not isinstance(found, Mapping):
            raise CatalogueError(f"Catalogue {self.language}: '{key}' is no table.")
        return {name: self._spaced(text) for name, text in found.items()}

    def count(self, value: int, noun: str) -> str:
        """A count with its noun, `2 tweets`; the noun's key is one of the table `nouns`, `[one, many]`."""
        one, many = self._find(f"nouns.{noun}")
        singular = abs(value) < 2 if self._format["singular_below_two"] else abs(value) == 1
        return f"{self.number(value)}{NO_BREAK_SPACE}{one if singular else many}"

    def number(self, value: float | None, digits: int = 0) -> str:
        """A number, `1 234,5`; `ABSENT` for None or NaN."""
        if value is None or math.isnan(value):
            return ABSENT
        thousands, decimal = self._format["thousands"], self._format["decimal"]
        written = f"{abs(value):,.{digits}f}".replace(",", "\0").replace(".", decimal).replace("\0", thousands)
        negative = value < 0 and any(digit in written for digit in "123456789")
        return MINUS + written if negative else written

    def signed(self, value: float | None, digits: int = 2) -> str:
        """A number with its sign, `+0,12`; zero has none."""
        written = self.number(value, digits)
        positive = value is not None and value > 0 and any(digit in written for digit in "123456789")
        return f"+{written}" if positive else written

    def percent(self, share: float | None, digits: int = 1) -> str:
        """A share of 0 to 1 in per cent, `12,3 %`; `ABSENT` for None or NaN.

        What is neither nothing nor all is not rounded to it: `< 0,1 %`, `> 99,9 %`.
        """
        if share is None or math.isnan(share):
            return ABSENT
        written, least = round(100 * share, digits), 10.0**-digits
        if 0 < share < 1 and written == 0:
            return self._format["less"].format(self.percent(least / 100, digits))
        if 0 < share < 1 and written == 100:
            return self._format["more"].format(self.percent(1 - least / 100, digits))
        return self._format["percent"].format(self.number(100 * share, digits))

    def interval(self, low: float | None, high: float | None, digits: int = 2) -> str:
        """The ends of an interval of signed numbers, `−0,05 à +0,12`; `ABSENT` where there is none."""
        if low is None or high is None or math.isnan(low) or math.isnan(high):
            return ABSENT
        return self._format["interval"].format(self.signed(low, digits), self.signed(high, digits))

    def percents(self, low: float | None, high: float | None, digits: int = 0) -> str:
        """The ends of an interval of shares, `12 % à 18 %`; `ABSENT` where there is none."""
        if low is None or high is None or math.isnan(low) or math.isnan(high):
            return ABSENT
        return self._format["interval"].format(self.percent(low, digits), self.percent(high, digits))

    def day(self, date: dt.date) -> str:
        """A day of a month, `10 avril`, `1er avril`."""
        return self._format["day"].format(day=self._day_of_month(date), month=self._format["months"][date.month - 1])

    def short_day(self, date: dt.date) -> str:
        """A day of a month where room is scarce, `10 avr.`."""
        month = self._format["short_months"][date.month - 1]
        return self._format["day"].format(day=self._day_of_month(date), month=month)

    def month(self, date: dt.date) -> str:
        """A month of a year, `avril 2022`."""
        return f"{self._format['months'][date.month - 1]} {date.year}"

    def date(self, date: dt.date) -> str:
        """A date with its weekday, `dimanche 10 avril 2022`."""
        weekday = self._format["weekdays"][date.weekday()]
        return self._format["date"].format(weekday=weekday, day=self.day(date), year=date.year)

    def period(self, first: dt.date, last: dt.date) -> str:
        """The days from the first to the last, `du 27 mars au 9 avril 2022`; one day alone is `le 9 avril 2022`."""
        end = f"{self.day(last)} {last.year}"
        if first == last:
            return self._format["on"].format(end)
        start = self.day(first) if first.year == last.year else f"{self.day(first)} {first.year}"
        return self._format["period"].format(start, end)

    def moment(self, instant: dt.datetime, time_zone: str) -> str:
        """An instant in a time zone, `dimanche 10 avril 2022 à 20 h 05`."""
        local = instant.astimezone(ZoneInfo(time_zone))
        return self._format["moment"].format(date=self.date(local), hour=local.hour, minute=f"{local.minute:02d}")

    def hour(self, hour: int) -> str:
        """An hour of the day, `8 h`."""
        return self._format["hour"].format(hour)

    @staticmethod
    def capital(text: str) -> str:
        """A text as it begins a line of its own."""
        return text[:1].upper() + text[1:]

    def listed(self, texts: list[str]) -> str:
        """Texts one after the other, `a, b et c`."""
        if len(texts) < 2:
            return "".join(texts)
        return self._format["and"].format(", ".join(texts[:-1]), texts[-1])

    @staticmethod
    def sort_key(text: str) -> str:
        """What texts are sorted by: neither case nor accents tell them apart."""
        return fold(text)

    @property
    def csv(self) -> tuple[str, str]:
        """What a spreadsheet of this language expects between fields, and as the decimal sign."""
        return self._format["csv_separator"], self._format["decimal"]

    def _day_of_month(self, date: dt.date) -> str:
        return self._format["first"] if date.day == 1 else str(date.day)

    def _entry(self, key: str) -> str:
        found = self._find(key)
        if not isinstance(found, str):
            raise CatalogueError(f"Catalogue {self.language}: '{key}' is no text.")
        return found

    def _find(self, key: str) -> Any:
        found: Any = self._content
        for part in key.split("."):
            if not isinstance(found, Mapping) or part not in found:
                raise CatalogueError(f"Catalogue {self.language} has no text '{key}'.")
            found = found[part]
        return found

    def _spaced(self, text: str) -> str:
        """A text whose spaces before : ; ? ! % » and after « break no line, where the language has such spaces."""
        text = " ".join(text.split(" "))
        if not self._format["spaces_before_signs"]:
            return text
        text = re.sub(r" (?=[;?!%](?:[^\w=]|$))", THIN_SPACE, text)
        return re.sub(r"(?<=«) | (?=[:»](?:\W|$))", NO_BREAK_SPACE, text)


def load_catalogue(language: str = DEFAULT_LANGUAGE) -> Catalogue:
    """The catalogue of a language.

    Raises:
        CatalogueError: If there is none; the message names those there are.
    """
    file = FOLDER / f"{language}.toml"
    if not re.fullmatch("[a-z]{2}", language) or not file.is_file():
        names = ", ".join(sorted(file.stem for file in FOLDER.glob("*.toml")))
        raise CatalogueError(f"The pages have no catalogue of the language {language!r}; those there are: {names}.")
    return Catalogue(tomllib.loads(file.read_text(encoding="utf-8")), language)
