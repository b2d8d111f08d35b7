"""What the tests of the pages share: a page as a browser's parser reads it, and invented data for all pages."""

from __future__ import annotations

import copy
import datetime as dt
import math
import posixpath
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pandas as pd

from election_assets.election import Candidate, Election, Event
from election_assets.transforms.aggregates import TOTAL
from election_assets.transforms.results import bundled_results, bundled_shapes
from election_assets.visuals.catalogue import FOLDER, Catalogue, load_catalogue
from election_assets.visuals.department_layers import MapData, department_table, map_data
from election_assets.visuals.department_map import department_map_files
from election_assets.visuals.site import Head, SiteData, site_files
from election_assets.visuals.tables import csv_bytes
from election_assets.visuals.word_cloud import word_cloud

FRENCH = load_catalogue("fr")
VOID = {"meta", "img", "link", "br", "hr", "input"}
BLOCKS = {"br", "caption", "dd", "div", "dt", "figcaption", "h1", "h2", "h3", "li", "p", "td", "th", "tr"}
UNSEEN = {"script", "style"}
SPOKEN = ("alt", "title", "aria-label", "content", "placeholder", "label")
"""Attributes that hold words for readers."""
LINKS = ("src", "href", "srcset", "action", "data", "poster", "formaction", "xlink:href")

ATTACK = "</script></style><script>alert('x')</script><img src=x onerror=alert(1)>\"'{{ 7*7 }}{% raw %}{0}"
FORMULA = '=HYPERLINK("http://evil.example","+")'

LAST = dt.date(2022, 4, 10)


@dataclass(repr=False)
class Element:
    """An element of a page with what is in it."""

    tag: str
    attributes: dict[str, str | None] = field(default_factory=dict)
    children: list[Element | str] = field(default_factory=list)

    def __repr__(self) -> str:
        return f"<{self.tag} {self.attributes}>"

    def walk(self) -> Iterator[Element]:
        """This element and all in it, in the page's order."""
        yield self
        for child in self.children:
            if isinstance(child, Element):
                yield from child.walk()

    def all(self, tag: str, **attributes: str) -> list[Element]:
        """The elements of a tag whose attributes (`class_` for class) hold these words."""
        wanted = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}
        return [
            one
            for one in self.walk()
            if one.tag == tag
            and all(
                set(value.split()) <= set((one.attributes.get(name) or "").split()) for name, value in wanted.items()
            )
        ]

    def one(self, tag: str, **attributes: str) -> Element:
        (found,) = self.all(tag, **attributes)
        return found

    @property
    def raw(self) -> str:
        """The text as it is written, without scripts and styles."""
        if self.tag in UNSEEN:
            return ""
        text = "".join(child if isinstance(child, str) else child.raw for child in self.children)
        return f"\n{text}\n" if self.tag in BLOCKS else text

    @property
    def words(self) -> str:
        """The text as it is shown: line breaks and spaces are one space, no-break spaces stay."""
        return re.sub(r"[ \n]+", " ", self.raw).strip()

    def rows(self) -> list[list[str]]:
        """The cells of a table, of all its tables."""
        return [
            [cell.words for cell in row.children if isinstance(cell, Element) and cell.tag in ("th", "td")]
            for row in self.all("tr")
        ]

    def row(self, first: str) -> list[str]:
        """The cells after the first, of the only row that begins with this text."""
        (found,) = (row for row in self.rows() if row and row[0] == first)
        return found[1:]


class Page(HTMLParser, Element):
    """A page as a tree of elements; tags that do not match fail."""

    def __init__(self, html: str | bytes) -> None:
        HTMLParser.__init__(self)
        Element.__init__(self, "page")
        self.html = html.decode() if isinstance(html, bytes) else html
        self._open: list[Element] = [self]
        self.feed(self.html)
        self.close()
        assert self._open == [self]

    def handle_starttag(self, tag, attrs):
        assert len({name for name, _ in attrs}) == len(attrs), (tag, attrs)
        one = Element(tag, dict(attrs))
        self._open[-1].children.append(one)
        if tag not in VOID:
            self._open.append(one)

    def handle_startendtag(self, tag, attrs):
        self._open[-1].children.append(Element(tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self._open.pop().tag == tag, (tag, self.getpos())

    def handle_data(self, data):
        self._open[-1].children.append(data)

    def __eq__(self, other):
        return self is other

    @property
    def ids(self) -> list[str]:
        return [one.attributes["id"] or "" for one in self.walk() if "id" in one.attributes]

    @property
    def spoken(self) -> str:
        """All that a reader may come across: the text, and the attributes that hold words."""
        attributes = [
            one.attributes[name] or ""
            for one in self.walk()
            for name in SPOKEN
            if name in one.attributes and not (one.tag == "meta" and one.attributes.get("name") != "description")
        ]
        return "\n".join([self.raw, *attributes])


def targets(page: Page, path: str) -> Iterator[tuple[str, str]]:
    """Path in the site and anchor of everything that a page links to or shows."""
    for one in page.walk():
        for name in LINKS:
            written = one.attributes.get(name)
            if written and not written.startswith("data:"):
                file, _, anchor = unquote(written).partition("#")
                yield posixpath.normpath(posixpath.join(posixpath.dirname(path), file)) if file else path, anchor


def make_election(*names: str, **changes: Any) -> Election:
    """An election of three: the first is much talked about, the second not at all."""
    names = names or ("Ada Un", "Béa Deux", "Cyr Trois")
    candidates = tuple(
        Candidate(key, name, f"Parti de {key}", colour, name, (), (name,))
        for key, name, colour in zip(("ada", "bea", "cyr"), names, ("#123456", "#654321", "#00aa00"), strict=False)
    )
    election = Election(
        *("test", "Essai", "fr", "Europe/Paris", dt.date(2022, 4, 10), dt.date(2022, 4, 24), "t"),
        *(candidates, Path(), (Event(dt.date(2022, 4, 9), "Veille du vote"), Event(LAST, "Premier tour"))),
    )
    return replace(election, **changes)


COUNTS = {
    "received": 12,
    "repeats": 3,
    "quarantined": 1,
    "kept": 8,
    "repeated_deliveries": 2,
    "deleted": 0,
    "waiting": 0,
}


def make_run(**changes: Any) -> dict[str, Any]:
    """The content of run.json for `make_election`."""
    one = {"run": COUNTS, "root": {**COUNTS, "received": 1012, "kept": 1008}, "error": None, "notes": []}
    run = {
        "election": {"key": "test", "name": "Essai"},
        "source": "x",
        "made_at": "2022-04-11T03:15:00+00:00",
        "since": "2022-04-10T03:15:00+00:00",
        "run_id": "abc",
        "candidates": {key: copy.deepcopy(one) for key in ("ada", "bea", "cyr")},
        "total": {
            "run": {name: 3 * count for name, count in COUNTS.items()},
            "root": {**{name: 3 * count for name, count in COUNTS.items()}, "received": 3036, "kept": 3024},
        },
        "archive": None,
        "versions": {"wordcloud": "1.9.6"},
        "engines": {"spark": "Sail 0.7.2", "broker": "Kafka", "sentiment": "textblob-fr 0.2.0"},
        "seconds": {"raw_tweets": 1.25},
    }
    return copy.deepcopy({**run, **changes})


def archive(**changes: Any) -> dict[str, Any]:
    """What run.json says of an archive."""
    counts = {"read": 60000, "unreadable": 1, "matched_no_candidate": 40, "problem_count": 0, "problems": []}
    return {**counts, "segments": 3, "segments_done": 3, **changes}


TONE = ["mean_polarity", "share_negative", "share_neutral", "share_positive"]
TONES = [name for of in TONE for name in (of, f"{of}_low", f"{of}_high")]
NO_TONE = dict.fromkeys(TONES, math.nan)


def tone(mean: float, negative: float, neutral: float, positive: float) -> dict[str, float]:
    """A mean and shares with intervals around them."""
    values = dict(zip(TONE, (mean, negative, neutral, positive), strict=True))
    return {
        name: value
        for of, middle in values.items()
        for name, value in ((of, middle), (f"{of}_low", middle - 0.05), (f"{of}_high", middle + 0.05))
    }


def make_overview() -> pd.DataFrame:
    """Of `aggregates.overview`; the second candidate has no tweet."""
    names = ["tweets", "originals", "distinct_texts", "distinct_authors", "unplaced", "other_language"]
    names += ["scored_texts", "unscored_texts", "waiting_texts"]
    counts = {
        "ada": (1234, 800, 700, 600, 500, 40, 450, 150, 0),
        "bea": (0,) * 9,
        "cyr": (766, 500, 400, 300, 0, 10, 300, 100, 0),
        TOTAL: (2000, 1300, 1100, 900, 500, 50, 750, 250, 0),
    }
    tones = {"ada": tone(-0.125, 0.5, 0.3, 0.2), "cyr": tone(0.5, 0.1, 0.2, 0.7), TOTAL: tone(0.25, 0.25, 0.25, 0.5)}
    return pd.DataFrame(
        [
            {"candidate": key, **dict(zip(names, of, strict=True)), **tones.get(key, NO_TONE)}
            for key, of in counts.items()
        ]
    )


def make_days(*days: tuple[dt.date, int, int], keys: tuple[str, ...] = (TOTAL, "ada")) -> pd.DataFrame:
    """Of `aggregates.tweets_by_day`, the same tweets for each key."""
    rows = [(key, *day, 11) for key in keys for day in days]
    return pd.DataFrame(rows, columns=["candidate", "day", "tweets", "originals", "authors"])


def make_tones(*rows: tuple[str, dt.date, int, float]) -> pd.DataFrame:
    """Of `aggregates.tone_by_day`: candidate, day, scored texts, mean."""
    return pd.DataFrame(
        [
            {
                "candidate": key,
                "day": day,
                "tweets": 2 * scored,
                "authors": 11,
                "scored_texts": scored,
                "unscored_texts": 1,
                "waiting_texts": 0,
            }
            | tone(mean, 0.25, 0.25, 0.5)
            for key, day, scored, mean in rows
        ],
        columns=["candidate", "day", "tweets", "authors", "scored_texts", "unscored_texts", "waiting_texts", *TONES],
    )


def frame(columns: str, *rows: tuple) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=columns.split())


RISING = "candidate hashtag texts before share share_before rise"
WORDS = "candidate word texts others log_odds z"
CLOUDS = {key: (f"word_clouds/{key}.png" if key else "word_cloud.png", f"mot{key}") for key in (TOTAL, "ada", "cyr")}
DAYS = pd.concat(
    [
        make_days(*((LAST - dt.timedelta(days=back), 300 - back, 200) for back in (0, 1, 2, 4, 5))),
        make_days(*((LAST - dt.timedelta(days=back), 100, 50) for back in (1, 2, 4, 5)), keys=("cyr",)),
    ],
    ignore_index=True,
)


def make_data(**changes: Any) -> SiteData:
    """All that the pages show."""
    data = SiteData(
        election=make_election(),
        run=make_run(),
        overview=make_overview(),
        days=DAYS,
        hours=frame(
            "candidate day hour tweets originals",
            ("ada", LAST - dt.timedelta(days=1), 8, 20, 10),
            ("ada", LAST, 23, 5, 5),
            (TOTAL, LAST, 9, 30, 12),
        ),
        tones=make_tones(
            ("ada", LAST, 12, 0.5), ("ada", LAST - dt.timedelta(days=1), 30, -0.25), ("cyr", LAST, 9, 0.75)
        ),
        hashtags={
            TOTAL: frame("hashtag texts", ("débat", 1500)),
            "ada": frame("hashtag texts", ("débat", 900)),
            "bea": frame("hashtag texts"),
            "cyr": frame("hashtag texts"),
        },
        rising=frame(RISING, (TOTAL, "marée", 40, 2, 0.04, 0.0025, 2.6), ("ada", "marée", 37, 3, 0.08, 0.005, 2.4)),
        top_words=frame("word texts", ("école", 1234), ("vélo", 53)),
        words=frame(
            "candidate word texts others log_odds z", ("ada", "vélo", 50, 3, 2.5, 8.25), ("cyr", "mer", 30, 2, 1.5, 4.0)
        ),
        pairs=frame("candidate other tweets", ("ada", "cyr", 77), ("cyr", "ada", 77)),
        clouds=CLOUDS,
    )
    return replace(data, **changes)


def nothing(election: Election | None = None) -> SiteData:
    """The data of an election of which nothing was collected."""
    data = make_data(election=election or make_election())
    overview = data.overview.copy()
    overview.iloc[:, 1:9] = 0
    overview[TONES] = math.nan
    return replace(
        data,
        overview=overview,
        **{
            name: getattr(data, name).head(0)
            for name in ("days", "hours", "tones", "rising", "top_words", "words", "pairs")
        },
        hashtags={key: of.head(0) for key, of in data.hashtags.items()},
    )


def make_placed(**rows: dict[str, Any] | None) -> pd.DataFrame:
    """Of `aggregates.departments`, a row a department (`d75`); None is one of too few authors."""
    columns = [
        "department",
        "tweets",
        "authors",
        "scored_texts",
        "unscored_texts",
        "waiting_texts",
        *TONES,
        "below_floor",
    ]
    usual = {"tweets": 100.0, "authors": 40.0, "scored_texts": 50.0, "unscored_texts": 5.0, "waiting_texts": 0.0}
    usual |= tone(0.1, 0.3, 0.3, 0.4)
    unknown = dict.fromkeys(columns[1:-1], math.nan)
    values = [
        {"department": code[1:], **(unknown if row is None else usual | row), "below_floor": row is None}
        for code, row in rows.items()
    ]
    return pd.DataFrame(values, columns=columns).astype({"below_floor": bool})


PLACED = make_placed(
    d01={"tweets": 68.0},
    d13={"mean_polarity": -0.4, "mean_polarity_low": -0.5, "mean_polarity_high": -0.3},
    d33={"scored_texts": 0.0, **NO_TONE},
    d69={"mean_polarity": 0.6, "mean_polarity_low": math.nan, "mean_polarity_high": math.nan},
    d75=None,
    dZZ={"tweets": 50.0},
)


def make_placed_total(**row: Any) -> pd.DataFrame:
    """Of `aggregates.placed_total`."""
    usual = {
        "tweets": 1500.0,
        "authors": 700.0,
        "scored_texts": 600.0,
        "unscored_texts": 20.0,
        **tone(0.2, 0.3, 0.2, 0.5),
    }
    return make_placed(d=usual | row)


@cache
def shapes() -> Mapping[str, Any]:
    return bundled_shapes()


@cache
def results() -> pd.DataFrame:
    return bundled_results()


def make_map(catalogue: Catalogue = FRENCH, tweets: pd.DataFrame = PLACED, **changes: Any) -> MapData:
    arguments = {
        "results": results(),
        "geojson": shapes(),
        "total": make_overview().iloc[-1].to_dict(),
        "tweets": tweets,
        "placed": make_placed_total(),
        **changes,
    }
    return map_data(arguments.pop("results"), arguments.pop("geojson"), catalogue, **arguments)


def map_files(
    data: MapData, catalogue: Catalogue = FRENCH, head: Head | None = None, geojson: Mapping | None = None
) -> dict[str, bytes]:
    head = head or Head(make_election(), "x", dt.datetime(2022, 4, 10, 18, 5, tzinfo=dt.UTC))
    period = catalogue.period(LAST - dt.timedelta(days=5), LAST)
    return department_map_files(data, geojson or shapes(), head, catalogue, period=period)


def whole_site(data: SiteData, catalogue: Catalogue = FRENCH) -> dict[str, bytes]:
    """All files of a report, as the three visual assets write them."""
    clouds = {}
    for key, (picture, _) in data.clouds.items():
        cloud = word_cloud({"vélo": 9.0} if key else {}, title=key or "Essai", catalogue=catalogue, sample=True)
        clouds |= {picture: cloud.png, picture.replace(".png", ".svg"): cloud.svg.encode()}
    table = csv_bytes(department_table(results(), PLACED), catalogue)
    return (
        map_files(make_map(catalogue), catalogue, Head(data.election, data.run["source"], _made(data)))
        | {"data/departments.csv": table}
        | clouds
        | site_files(data, catalogue)
    )


def _made(data: SiteData) -> dt.datetime:
    return dt.datetime.fromisoformat(data.run["made_at"])


def pages_of(files: Mapping[str, bytes]) -> dict[str, Page]:
    return {path: Page(content) for path, content in files.items() if path.endswith(".html")}


ENGLISH_FORMAT = {
    "decimal": ".",
    "thousands": ",",
    "percent": "{}%",
    "less": "<{}",
    "more": ">{}",
    "interval": "{} ⟦to⟧ {}",
    "csv_separator": ",",
    "singular_below_two": False,
    "spaces_before_signs": False,
    "weekdays": [f"⟦{day}day⟧" for day in ("Mon", "Tues", "Wednes", "Thurs", "Fri", "Satur", "Sun")],
    "months": [f"⟦M{month}⟧" for month in range(1, 13)],
    "short_months": [f"⟦m{month}⟧" for month in range(1, 13)],
    "first": "1",
    "day": "{day} {month}",
    "date": "{weekday}, {day} {year}",
    "moment": "{date} ⟦at⟧ {hour}:{minute}",
    "hour": "{}:00",
    "on": "⟦on⟧ {}",
    "period": "⟦from⟧ {} ⟦to⟧ {}",
    "and": "{} ⟦and⟧ {}",
}


def french_content() -> dict[str, Any]:
    return tomllib.loads((FOLDER / "fr.toml").read_text(encoding="utf-8"))


def pseudo_catalogue(content: Mapping[str, Any] | None = None) -> Catalogue:
    """A catalogue of another language: every text of the French one in brackets, figures and dates as the English."""

    def wrapped(value: Any) -> Any:
        if isinstance(value, str):
            return f"⟦{value}⟧"
        return [wrapped(one) for one in value] if isinstance(value, list) else {k: wrapped(v) for k, v in value.items()}

    content = dict(content or french_content())
    del content["format"]
    return Catalogue({**wrapped(content), "format": ENGLISH_FORMAT}, "en")


def outside_brackets(text: str) -> str:
    """What is left of a text without what stands in ⟦…⟧, which may stand in one another."""
    depth, left = 0, []
    for sign in text:
        depth += sign == "⟦"
        if not depth:
            left.append(sign)
        depth -= sign == "⟧"
        assert depth >= 0, text
    assert depth == 0, text
    return "".join(left)
