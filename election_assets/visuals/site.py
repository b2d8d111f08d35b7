"""The pages of the report: what the frames say, laid out for the templates and rendered; nothing is read or written.

The site opens from disk and asks the network for nothing: every page links to files beside it alone.
"""

from __future__ import annotations

import datetime as dt
import math
import statistics
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from election_assets.election import Candidate, Election
from election_assets.transforms.aggregates import FLOOR_OF_AUTHORS, TOTAL, share_of_voice
from election_assets.transforms.sentiment import LABELS, LANGUAGE
from election_assets.visuals import charts
from election_assets.visuals.catalogue import Catalogue
from election_assets.visuals.tables import csv_bytes

if TYPE_CHECKING:
    import pandas as pd
    from jinja2 import Environment
    from markupsafe import Markup

FOLDER = Path(__file__).parent
ASSETS = ("site.css", "site.js")

RARE_COUNTS = ("deleted", "waiting")
"""Counts that have a column only where one of them is not 0."""
TONES = ("mean_polarity", "share_negative", "share_neutral", "share_positive")
DEPARTMENT_COLUMNS = (
    *("department", "department_name", "population"),
    *(f"{name}_N" for name in ("registered", "abstentions", "voters", "blank", "null_votes", "cast", "votes")),
    *("leader_N", "turnout_N", "share_N", "blank_share_N", "null_share_N"),
    *("turnout_change", "share_change", "blank_share_change", "null_share_change"),
    *("tweets", "per_100000", "authors", "scored_texts", "unscored_texts", "waiting_texts"),
    *(f"{tone}{end}" for tone in TONES for end in ("", "_low", "_high")),
    "below_floor",
)
"""Columns of `departments.csv`, which the map's asset writes; N stands for the round."""
TREND_DAYS = 14
FACT_DAYS = 7
"""Days before the last one that it is compared with."""
LEAST_FACT_DAYS = 3
"""Days before the last one without which nothing is said of a change."""
LEAST_TONE_TEXTS = 10
"""Scored texts of a day below which its tone is not drawn."""
SHOWN_ROWS = 10
SHOWN_WORDS = 30
SMALL_TIME_LABELS = 2


@dataclass(frozen=True)
class Head:
    """What the head and foot of every page tell.

    Attributes:
        election: Gives names, colours and dates.
        source: `sample`, `archive` or `x`.
        made_at: When the pages were made.
        errors: The candidates whose collection had trouble, by name, with a sentence each.
    """

    election: Election
    source: str
    made_at: dt.datetime
    errors: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class SiteData:
    """What the pages show; the frames are those of `transforms.aggregates`.

    Attributes:
        election: The election.
        run: The content of run.json (see `run_record`).
        overview: Of `overview`.
        days: Of `tweets_by_day`.
        hours: Of `tweets_by_hour`.
        tones: Of `tone_by_day`.
        hashtags: Of `top_hashtags`, by candidate and of all under `TOTAL`.
        rising: Of `rising_hashtags`.
        top_words: The words of the cloud of all: `word`, `texts`.
        words: Of `distinctive_words`.
        pairs: Of `co_mentions`.
        clouds: By candidate, and of all under `TOTAL`: the PNG's path in the site, beside which it is as SVG, too, and
            the text that stands for it.
    """

    election: Election
    run: Mapping[str, Any]
    overview: pd.DataFrame
    days: pd.DataFrame
    hours: pd.DataFrame
    tones: pd.DataFrame
    hashtags: Mapping[str, pd.DataFrame]
    rising: pd.DataFrame
    top_words: pd.DataFrame
    words: pd.DataFrame
    pairs: pd.DataFrame
    clouds: Mapping[str, tuple[str, str]]

    @cached_property
    def shares(self) -> dict[str, dict[dt.date, float]]:
        """Each candidate's share of the mentions of a day, 0 where others are named and the candidate is not."""
        frame = share_of_voice(self.days)
        days = sorted(set(frame["day"]))
        shares = {key: dict.fromkeys(days, 0.0) for key in self.election.candidate_keys}
        for row in _rows(frame):
            if row.candidate in shares:
                shares[row.candidate][row.day] = row.share
        return shares

    @cached_property
    def figures(self) -> dict[str, dict[str, Any]]:
        """The rows of `overview` by candidate."""
        return {str(row["candidate"]): row for row in _records(self.overview)}

    @property
    def made_at(self) -> dt.datetime:
        """When the pages were made, in the election's time zone."""
        return dt.datetime.fromisoformat(self.run["made_at"]).astimezone(ZoneInfo(self.election.time_zone))

    @property
    def today(self) -> dt.date:
        """The local date on which the pages were made: it had not ended."""
        return self.made_at.date()

    @cached_property
    def running(self) -> dt.date | None:
        """That date where it has tweets: it is shown, and not compared with whole days."""
        return self.today if self.today in self.counts(TOTAL) else None

    @cached_property
    def last_ended(self) -> dt.date | None:
        """The last day with tweets that had ended when the pages were made."""
        return max((day for day in self.counts(TOTAL) if day < self.today), default=None)

    @property
    def toned(self) -> bool:
        """Whether the election's texts have a tone at all."""
        return self.election.language == LANGUAGE

    def counts(self, key: str) -> dict[dt.date, tuple[int, int]]:
        """A candidate's tweets by day, and those that are no retweets."""
        rows = self.days[self.days["candidate"] == key]
        return {row.day: (int(row.tweets), int(row.originals)) for row in _rows(rows)}

    def mentions_share(self, key: str) -> float | None:
        """A candidate's share of the mentions since the beginning."""
        whole = sum(self.figures[other]["tweets"] for other in self.election.candidate_keys)
        return self.figures[key]["tweets"] / whole if whole else None


def site_files(data: SiteData, catalogue: Catalogue) -> dict[str, bytes]:
    """All pages but the map, their stylesheet and script, and the tables for download, by path in the site.

    Raises:
        KeyError: If `run` or a frame lacks a part that it should have.
    """
    head = Head(
        data.election,
        data.run["source"],
        data.made_at,
        _errors(data.election, data.run),
    )
    tables = _tables(data)
    pages = {
        "index.html": render("index.html", "index.html", head, catalogue, _overview(data, catalogue)),
        "method.html": render("method.html", "method.html", head, catalogue, _method(data, tables, catalogue)),
    }
    for number, one in enumerate(data.election.candidates):
        path = f"candidates/{one.key}.html"
        pages[path] = render("candidate.html", path, head, catalogue, _candidate(data, catalogue, number, one))
    files = {f"data/{name}.csv": csv_bytes(frame, catalogue) for name, frame in tables.items()}
    return {path: page.encode() for path, page in pages.items()} | assets() | files


def assets() -> dict[str, bytes]:
    """The stylesheet and script that all pages share."""
    return {f"assets/{name}": (FOLDER / "assets" / name).read_bytes() for name in ASSETS}


def render(template: str, path: str, head: Head, catalogue: Catalogue, values: Mapping[str, Any]) -> str:
    """A page.

    Args:
        template: Name of the template.
        path: Of the page in the site.
        head: What every page tells.
        catalogue: Gives the words.
        values: What the template shows besides.
    """
    c = catalogue
    return (
        _environment()
        .get_template(template)
        .render(
            c=c,
            t=c.text,
            html=c.html,
            number=c.number,
            signed=c.signed,
            percent=c.percent,
            percents=c.percents,
            interval=c.interval,
            count=c.count,
            date=c.date,
            hour_name=c.hour,
            listed=c.listed,
            known=_known,
            sort_key=c.sort_key,
            election=head.election,
            sample=head.source == "sample",
            source=c.label("sources", head.source),
            made_at=c.moment(head.made_at, head.election.time_zone),
            errors=head.errors,
            path=path,
            root="../" * path.count("/"),
            pages=[
                ("index.html", c.text("site.overview")),
                ("department_map.html", c.text("site.map")),
                ("method.html", c.text("site.method")),
            ],
            labels={label: c.text(f"labels.{label}") for label in LABELS},
            floor=FLOOR_OF_AUTHORS,
            **values,
        )
    )


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["path"] = lambda written: quote(written, safe="/")
    return environment


def _overview(data: SiteData, c: Catalogue) -> dict[str, Any]:
    total, counts = data.figures[TOTAL], data.counts(TOTAL)
    texts = total["scored_texts"] + total["unscored_texts"] + total["waiting_texts"]
    span = (min(counts), max(counts)) if counts else None
    most = max((data.figures[key]["tweets"] for key in data.election.candidate_keys), default=0)
    top = _share_top(data)
    # A day that runs is drawn alone, not at the end of a line.
    last = data.last_ended or data.running
    ranked = sorted(data.election.candidates, key=lambda one: -data.figures[one.key]["tweets"])
    axis_rows = [_tone(data.figures[one.key]) for one in ranked]
    drawn, axis = charts.whiskers(axis_rows, c)
    chart = charts.bars_by_time(counts, c, data.election.events, data.running) if counts else None
    return {
        "period": c.period(*span) if span else "",
        "running": c.day(data.running) if data.running else "",
        "last_ended": c.capital(c.date(data.last_ended)) if data.last_ended else "",
        "facts": _facts(data, data.last_ended, c) if data.last_ended else [],
        "total": total,
        "texts": texts,
        "scored_share": total["scored_texts"] / texts if texts else None,
        "placed_share": _placed(total),
        "trend_days": TREND_DAYS,
        "ranking": [
            {
                "person": one,
                "row": data.figures[one.key],
                "share": data.mentions_share(one.key),
                "part": 100 * data.figures[one.key]["tweets"] / most if most else 0,
                "trend": _trend(data.shares[one.key], data.last_ended),
                "multiple": _multiple(data, one.key, c, top, last) if last else None,
            }
            for one in ranked
        ],
        "hours": _hours(data, TOTAL, c),
        "multiples_top": top,
        "multiples_last": c.day(last) if last else "",
        "chart": chart,
        "toned": data.toned,
        "tones": [
            {"person": one, "row": data.figures[one.key], "whisker": whisker}
            for one, whisker in zip(ranked, drawn, strict=True)
        ],
        "tone_axis": axis,
        "hashtags": _records(data.hashtags[TOTAL].head(SHOWN_ROWS)),
        "rising": _records(_of(data.rising, TOTAL).head(SHOWN_ROWS)),
        "words": _records(data.top_words.head(SHOWN_WORDS)),
        "cloud": _cloud(data, TOTAL),
    }


def _candidate(data: SiteData, c: Catalogue, number: int, one: Candidate) -> dict[str, Any]:
    row, counts = data.figures[one.key], data.counts(one.key)
    people = data.election.candidates
    chart = charts.bars_by_time(counts, c, data.election.events, data.running) if counts else None
    days = data.counts(TOTAL)
    span = (min(days), max(days)) if days else None
    tones = _of(data.tones, one.key)
    drawn = {
        row.day: (row.mean_polarity, row.mean_polarity_low, row.mean_polarity_high)
        for row in _rows(tones)
        if row.scored_texts >= LEAST_TONE_TEXTS and _known(row.mean_polarity)
    }
    of_key = {other.key: other for other in people}
    return {
        "person": one,
        "period": c.period(min(counts), max(counts)) if counts else "",
        "running": c.day(data.running) if data.running else "",
        "row": row,
        "share": data.mentions_share(one.key),
        "placed_share": _placed(row),
        "chart": chart,
        "hours": _hours(data, one.key, c),
        "share_chart": _share_chart(data, one.key, c, span) if span and data.shares[one.key] else None,
        "share_rows": [(charts.day_name(day, data.running, c), share) for day, share in data.shares[one.key].items()],
        "toned": data.toned,
        "tone_floor": LEAST_TONE_TEXTS,
        "tone_chart": _tone_chart(drawn, data, c, span) if drawn and span else None,
        "tone_rows": [(charts.day_name(of_day["day"], data.running, c), of_day) for of_day in _records(tones)],
        "words": _records(_of(data.words, one.key).head(SHOWN_WORDS)),
        "cloud": _cloud(data, one.key),
        "hashtags": _records(data.hashtags[one.key].head(SHOWN_ROWS)),
        "rising": _records(_of(data.rising, one.key).head(SHOWN_ROWS)),
        "pairs": [(of_key[row.other], row.tweets) for row in _rows(_of(data.pairs, one.key)) if row.other in of_key],
        "before": people[number - 1],
        "after": people[(number + 1) % len(people)],
    }


def _method(data: SiteData, tables: Mapping[str, pd.DataFrame], c: Catalogue) -> dict[str, Any]:
    run, election = data.run, data.election
    columns = {name: [str(column) for column in frame.columns] for name, frame in tables.items()}
    return {
        "run": run,
        "toned": data.toned,
        "measures": c.table("measures"),
        "total": data.figures[TOTAL],
        "tables": [
            (scope, c.text(f"method.{scope}"), _count_rows(election, run, scope, c))
            # Without a report before this one, both would say the same.
            for scope in (("root", "run") if run["since"] else ("root",))
        ],
        "count_names": _shown_counts(run, c),
        "new": any(any(counts["run"].values()) for counts in (run["total"], *run["candidates"].values())),
        "unbalanced": [name for name, _, difference in _count_rows(election, run, "root", c) if difference],
        "notes": _notes(election, run),
        "files": [
            (f"{name}.csv", c.text(f"files.{name}"), [(column, _meaning(name, column, c)) for column in of_file])
            for name, of_file in (columns | {"departments": DEPARTMENT_COLUMNS}).items()
        ],
        "made": [
            (
                *(c.text(f"method.{key}") for key in ("engines", "role", "engine")),
                [(c.label("engines", role), name) for role, name in run["engines"].items()],
            ),
            (*(c.text(f"method.{key}") for key in ("versions", "package", "version")), sorted(run["versions"].items())),
            (
                *(c.text(f"method.{key}") for key in ("durations", "step", "seconds")),
                [(asset, c.number(seconds, 1)) for asset, seconds in run["seconds"].items()],
            ),
        ],
    }


def _meaning(table: str, column: str, c: Catalogue) -> str:
    """What a column of a table for download holds; its name where the catalogue does not know it."""
    general, own = c.label("columns", column), c.label("columns", f"{table}.{column}")
    return general if own == f"{table}.{column}" else own


def _facts(data: SiteData, last: dt.date, c: Catalogue) -> list[Markup]:
    """What happened on the last day that has ended, a sentence each; a change only where there are days before it."""
    counts, shares, people = data.counts(TOTAL), data.shares, data.election.candidates
    before = [last - dt.timedelta(days=number) for number in range(1, FACT_DAYS + 1)]
    known = [day for day in before if day in counts]
    tweets, facts = counts[last][0], []
    usual = statistics.median(counts[day][0] for day in known) if len(known) >= LEAST_FACT_DAYS else 0
    change = tweets / usual - 1 if usual else 0.0
    if round(100 * change):
        facts.append(
            c.html(
                "overview.fact_volume_more" if change > 0 else "overview.fact_volume_less",
                tweets=c.count(tweets, "tweet"),
                change=c.percent(abs(change), 0),
                days=len(known),
                median=c.number(usual),
            )
        )
    else:
        facts.append(c.html("overview.fact_volume", tweets=c.count(tweets, "tweet")))
    ranked = sorted((one for one in people if shares[one.key].get(last)), key=lambda one: -shares[one.key][last])
    link = "candidates/{}.html".format
    if len(ranked) > 1:
        first, second = ranked[:2]
        facts.append(
            c.html(
                "overview.fact_first",
                link=link(first.key),
                name=first.name,
                share=c.percent(shares[first.key][last], 0),
                second=second.name,
                second_share=c.percent(shares[second.key][last], 0),
            )
        )
    elif ranked:
        facts.append(c.html("overview.fact_first_alone", link=link(ranked[0].key), name=ranked[0].name))
    if len(known) >= LEAST_FACT_DAYS:
        means = {one.key: statistics.mean(shares[one.key].get(day, 0.0) for day in known) for one in people}
        up = max(people, key=lambda one: shares[one.key].get(last, 0.0) - means[one.key])
        if shares[up.key].get(last, 0.0) - means[up.key] >= 0.01:
            facts.append(
                c.html(
                    "overview.fact_up",
                    link=link(up.key),
                    name=up.name,
                    share=c.percent(shares[up.key][last]),
                    before=c.percent(means[up.key]),
                    days=len(known),
                )
            )
    for row in _rows(_of(data.rising, TOTAL).head(1)):
        share, earlier = c.percent(row.share), c.percent(row.share_before)
        facts.append(c.html("overview.fact_hashtag", hashtag=row.hashtag, share=share, before=earlier))
    facts += [c.html("overview.fact_event", title=event.title) for event in data.election.events if event.date == last]
    return facts


def _share_top(data: SiteData) -> float:
    """The upper end of the axis of shares, the same for all candidates."""
    highest = max((share for shares in data.shares.values() for share in shares.values()), default=0.0)
    return next(top for top in (0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0) if top >= highest)


def _share_chart(data: SiteData, key: str, c: Catalogue, span: tuple[dt.date, dt.date]) -> charts.Chart:
    """A candidate's shares on a scale of their own, so that their moves can be read."""
    shares = data.shares[key]
    thousandths = charts.ticks(math.ceil(1000 * max(shares.values())))
    digits = 0 if thousandths.step % 10 == 0 else 1
    labels = [(tick / 1000, c.percent(tick / 1000, digits)) for tick in thousandths]
    return charts.line_by_day(
        {day: (share, None, None) for day, share in shares.items()},
        span,
        (0.0, labels[-1][0]),
        labels,
        c,
        data.election.events,
        running=data.running,
        titles={day: c.percent(share) for day, share in shares.items()},
    )


def _multiple(data: SiteData, key: str, c: Catalogue, top: float, last: dt.date) -> charts.Chart:
    """A candidate's shares up to a day, as high as all candidates' reach, with the value of that day at the end."""
    shares = {day: share for day, share in data.shares[key].items() if day <= last}
    values = {day: (share, None, None) for day, share in shares.items()}
    labels = [(0.0, c.percent(0, 0)), (top, c.percent(top, 0))]
    chart = charts.line_by_day(values, (min(data.counts(TOTAL)), last), (0.0, top), labels, c, dates=SMALL_TIME_LABELS)
    return replace(
        chart, end=charts.Mark(100 * shares[last] / top, c.percent(shares[last])) if last in shares else None
    )


def _tone_chart(
    values: Mapping[dt.date, tuple[float, float, float]], data: SiteData, c: Catalogue, span: tuple[dt.date, dt.date]
) -> charts.Chart:
    reach = max(abs(number) for of_day in values.values() for number in of_day)
    half = next(step for step in (0.25, 0.5, 1.0) if step >= min(reach, 1.0))
    labels = [(value, c.signed(value, 2)) for value in (-half, 0.0, half)]
    titles = {
        day: f"{c.signed(mean)} ({c.interval(low, high)})" if _known(low) else c.signed(mean)
        for day, (mean, low, high) in values.items()
    }
    return charts.line_by_day(
        values, span, (-half, half), labels, c, data.election.events, running=data.running, titles=titles
    )


def _trend(shares: Mapping[dt.date, float], last: dt.date | None) -> str:
    """The line of the days up to `last`, each candidate's as high as its highest: shapes, not heights, are compared."""
    days = [last - dt.timedelta(days=number) for number in reversed(range(TREND_DAYS))] if last and shares else []
    values = [shares.get(day, 0.0) for day in days if day >= min(shares)]
    return charts.sparkline(values, max(values)) if values else ""


def _cloud(data: SiteData, key: str) -> dict[str, str] | None:
    """The paths of a cloud's two pictures, and its text."""
    if key not in data.clouds:
        return None
    picture, alt = data.clouds[key]
    return {"picture": picture, "vector": f"{picture.removesuffix('.png')}.svg", "alt": alt}


def _hours(data: SiteData, key: str, c: Catalogue) -> dict[str, Any] | None:
    """The rows of the table of hours: a day with its events' numbers and its 24 cells; None where there is no tweet."""
    hours = _of(data.hours, key)
    if hours.empty:
        return None
    tweets = {(row.day, row.hour): int(row.tweets) for row in _rows(hours)}
    top = max(tweets.values())
    first, last = hours["day"].min(), hours["day"].max()
    events = [event for event in data.election.events if first <= event.date <= last]
    rows = []
    for day in (first + dt.timedelta(days=number) for number in range((last - first).days + 1)):
        date = charts.day_name(day, data.running, c)
        cells: list[dict[str, Any]] = []
        for hour in range(24):
            count = tweets.get((day, hour), 0)
            if not count and (day, hour) > (data.today, data.made_at.hour):
                cells.append({"tweets": None})
                continue
            title = c.text("candidate.hour_title", date=date, hour=c.hour(hour), tweets=c.count(count, "tweet"))
            cells.append({"tweets": count, "heat": f"{count / top:.2f}", "title": title})
        marks = [str(number) for number, event in enumerate(events, 1) if event.date == day]
        rows.append((c.short_day(day), day == data.running, marks, cells))
    return {"rows": rows, "top": top, "listed": [(c.day(event.date), event.title) for event in events]}


def _tables(data: SiteData) -> dict[str, pd.DataFrame]:
    """The tables for download, by name; `candidate` is a key, empty for all."""
    import pandas as pd

    of_all = [data.hashtags[key].assign(candidate=key) for key in (TOTAL, *data.election.candidate_keys)]
    hashtags = pd.concat(of_all, ignore_index=True)[["candidate", "hashtag", "texts"]]
    days = data.days.merge(
        share_of_voice(data.days)[["candidate", "day", "share"]], how="left", on=["candidate", "day"]
    )
    counts = [
        {"candidate": key, "scope": scope, **report[scope]}
        for key, report in [*data.run["candidates"].items(), (TOTAL, data.run["total"])]
        for scope in ("root", "run")
    ]
    return {
        "candidates": data.overview,
        "days": _with_ended(days, data.today),
        "hours": _with_ended(data.hours, data.today),
        "tone_by_day": _with_ended(data.tones, data.today),
        "hashtags": hashtags,
        "rising_hashtags": data.rising,
        "words": data.top_words,
        "distinctive_words": data.words,
        "co_mentions": data.pairs,
        "counts": pd.DataFrame(counts),
    }


def _with_ended(frame: pd.DataFrame, today: dt.date) -> pd.DataFrame:
    """A frame with the column `ended`: 0 for the day that was running."""
    return frame.assign(ended=[int(day < today) for day in frame["day"]])


def _tone(row: Mapping[str, Any]) -> tuple[float, float, float]:
    return row["mean_polarity"], row["mean_polarity_low"], row["mean_polarity_high"]


def _known(value: float) -> bool:
    return not math.isnan(value)


def _placed(row: Mapping[str, Any]) -> float | None:
    return (row["tweets"] - row["unplaced"]) / row["tweets"] if row["tweets"] else None


def _of(frame: pd.DataFrame, key: str) -> pd.DataFrame:
    return frame[frame["candidate"] == key]


def _rows(frame: pd.DataFrame) -> Iterator[Any]:
    """The rows of a frame as named tuples, whose fields pandas' types do not know."""
    yield from frame.itertuples()


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def _errors(election: Election, run: Mapping[str, Any]) -> list[tuple[str, str]]:
    reports = ((one.name, run["candidates"].get(one.key, {}).get("error")) for one in election.candidates)
    return [(name, error) for name, error in reports if error]


def _notes(election: Election, run: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What was noted of each candidate's collection; a note that all share is told once, without a name."""
    noted = [
        (one.name, note) for one in election.candidates for note in run["candidates"].get(one.key, {}).get("notes", ())
    ]
    texts = Counter(note for _, note in noted)
    of_all = [note for note, count in texts.items() if count == len(election.candidates) > 1]
    return [("", note) for note in of_all] + [(name, note) for name, note in noted if note not in of_all]


def _difference(counts: Mapping[str, int]) -> int:
    """Records received that are nowhere: neither kept, repeats, in quarantine, deleted nor waiting."""
    told = ("kept", "repeats", "quarantined", "deleted", "waiting")
    return counts["received"] - sum(counts[name] for name in told)


def _shown_counts(run: Mapping[str, Any], c: Catalogue) -> dict[str, str]:
    return {
        name: label
        for name, label in c.table("counts").items()
        if name not in RARE_COUNTS or any(counts[name] for counts in run["total"].values())
    }


def _count_rows(
    election: Election, run: Mapping[str, Any], scope: str, c: Catalogue
) -> list[tuple[str, Mapping[str, int] | None, int]]:
    """A row a candidate, then all: name, counts (None where the run has none) and what does not add up."""
    reports = [(one.name, run["candidates"].get(one.key)) for one in election.candidates]
    whole = (c.text("site.all"), run["total"])
    rows = [(name, report[scope] if report else None) for name, report in [*reports, whole]]
    return [(name, counts, _difference(counts) if counts else 0) for name, counts in rows]
