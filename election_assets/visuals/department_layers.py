"""What the department map shows: layers of classes, the figures of every department, and the table for download.

Every layer is a set of named classes with a colour each, and every department of a layer belongs to one class. So
candidates and rates, the legend, 'no data' and 'too few authors' are drawn by one mechanism.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from election_assets.transforms.aggregates import FLOOR_OF_AUTHORS
from election_assets.transforms.results import POPULATION_YEAR, bundled_departments
from election_assets.visuals.catalogue import THIN_SPACE, Catalogue

if TYPE_CHECKING:
    import pandas as pd

NO_DATA_COLOUR, NO_TWEET_COLOUR = "#c4c4c4", "#faf0c8"
FLOOR_COLOUR = "#dadada"
"""Of too few authors, which is drawn hatched: no colour of a value is."""
TIE_COLOUR, OTHER_COLOUR = "#7a7a7a", "#4d4d4d"
# Okabe and Ito's colours, which all kinds of colour vision tell apart, given out by national rank.
CANDIDATE_COLOURS = ("#e69f00", "#0072b2", "#56b4e9", "#d55e00", "#cc79a7", "#009e73", "#f0e442")
CLASSES, DECIMALS = 6, (1, 2, 3)
CHANGE_CLASSES = 3
"""Classes on either side of 0."""
LESS, MORE = ("#5e3c99", "#998ec3", "#d8daeb"), ("#fee0b6", "#f1a340", "#b35806")
"""ColorBrewer's PuOr, dark to light and light to dark: both sides are told apart by all kinds of colour vision."""
SOMBRE, BRIGHT = ("#a63603", "#e6550d", "#fdbe85"), ("#bdd7e7", "#6baed6", "#08519c")
TONE_BOUNDS = (0.05, 0.15)
"""Where the classes of the tone end, on either side of 0: the same whatever the data are, so that maps compare."""
INDISTINCT_COLOUR = "#ececec"
PER = 100_000
"""Inhabitants that a rate of tweets is told for."""

TWEETS, CHANGE = "tweets", "change"


@dataclass(frozen=True)
class Layer:
    """One picture.

    Attributes:
        group: `1` or `2` (the rounds), `change` or `tweets`.
        label: What it shows.
        measure: Key of its definition on the method page.
        classes: Label and colour of each class.
        places: The class of each department, in the order of the codes.
        texts: The printed value of each department.
        values: The number that the departments are sorted by, None where there is none.
    """

    group: str
    label: str
    measure: str
    classes: list[tuple[str, str]]
    places: list[int]
    texts: list[str]
    values: list[float | None]


@dataclass(frozen=True)
class Figures:
    """The figures of the country or of a department, by group: label and value, in the order they are told."""

    name: str
    groups: dict[str, list[tuple[str, str]]]


@dataclass(frozen=True)
class MapData:
    """All that the map tells.

    Attributes:
        codes: The departments' codes, in the order of the shapes.
        names: Their names.
        layers: The pictures.
        departments: Their figures.
        nation: Those of the country.
        unplaced: Tweets without a department.
        tweets: Tweets with one and without.
    """

    codes: list[str]
    names: list[str]
    layers: list[Layer]
    departments: list[Figures]
    nation: Figures
    unplaced: int
    tweets: int


# A count of a round, and the count it is a share of.
_COUNTS = {
    "registered": None,
    "abstentions": "registered",
    "voters": "registered",
    "blank": "voters",
    "null_votes": "voters",
    "cast": "voters",
}


def map_data(
    results: pd.DataFrame,
    geojson: Mapping,
    catalogue: Catalogue,
    *,
    tweets: pd.DataFrame,
    placed: pd.DataFrame,
    total: Mapping[Any, Any],
    toned: bool = True,
) -> MapData:
    """The layers and figures of the map.

    Args:
        results: Columns of `schemas.RESULTS_2017`, of one or both rounds.
        geojson: Shapes whose features have the properties `code` and `name`.
        catalogue: Gives the words.
        tweets: What `aggregates.departments` gives.
        placed: What `aggregates.placed_total` gives: the country that a department is compared with.
        total: The row `TOTAL` of `aggregates.overview`, which holds the tweets without a department, too.
        toned: Whether the texts have a tone at all; without, there is no layer of it.

    Raises:
        ValueError: Results without rows, or a department with results or tweets and no shape.
    """
    shapes = {feature["properties"]["code"]: feature["properties"]["name"] for feature in geojson["features"]}
    if results.empty:
        raise ValueError("There are no results to draw.")
    lacking = sorted({*results["department"], *tweets["department"]} - set(shapes))
    if lacking:
        raise ValueError(f"The map has no shape for the department(s) {', '.join(lacking)}.")
    codes = list(shapes)
    names = {code: name.replace("'", "’") for code, name in shapes.items()}
    colours = _candidate_colours(results)
    rounds = _rounds(results)
    layers: list[Layer] = []
    for number, areas in rounds.items():
        layers += _round_layers(str(number), codes, areas, colours, catalogue)
    if len(rounds) > 1:
        layers += _change_layers(codes, rounds[1], rounds[2], catalogue)
    layers += _tweet_layers(codes, tweets, catalogue, toned)
    people = _populations()
    of_tweets = {row["department"]: row for row in tweets.to_dict("records")}

    def figures(name: str, code: str | None) -> Figures:
        areas = {number: _sum(of) if code is None else of.get(code) for number, of in rounds.items()}
        groups = {str(number): _round_figures(area, catalogue) for number, area in areas.items()}
        if len(areas) > 1:
            groups[CHANGE] = _change_figures(areas[1], areas[2], catalogue)
        if code is None:
            groups[TWEETS] = _nation_tweets(tweets, placed, total, people, catalogue, toned)
        else:
            groups[TWEETS] = _tweet_figures(of_tweets.get(code), people.get(code), catalogue, toned)
        return Figures(name, groups)

    return MapData(
        codes,
        [names[code] for code in codes],
        layers,
        [figures(f"{names[code]} ({code})", code) for code in codes],
        figures(catalogue.text("map.nation"), None),
        int(total["unplaced"]),
        int(total["tweets"]),
    )


def department_table(results: pd.DataFrame, tweets: pd.DataFrame) -> pd.DataFrame:
    """The figures of the map for download, a row a department.

    Args:
        results: Columns of `schemas.RESULTS_2017`.
        tweets: What `aggregates.departments` gives.

    Returns:
        `department`, `department_name`, `population`; of each round the counts (`registered_1`, …), each candidate's
        votes (`votes_1 MACRON`) and what the map draws of them: `leader_1` (several names in a tie), `turnout_1`
        (of the registered), each candidate's share of the votes cast (`share_1 MACRON`), `blank_share_1` and
        `null_share_1` (of the voters); of both rounds the second less the first (`turnout_change`,
        `share_change MACRON`, …); the columns of `tweets` and `per_100000`. Shares are 0 to 1. What is not known is
        NaN; `below_floor` is 1 where figures are withheld.
    """
    places = bundled_departments()[["department", "department_name", "population"]]
    table = places[places["department"].isin(set(results["department"]))]
    rounds = _rounds(results)
    for number, areas in rounds.items():
        rows = results[results["round"] == number]
        counts = rows.drop_duplicates("department")[["department", *_COUNTS]]
        counts = counts.rename(columns={name: f"{name}_{number}" for name in _COUNTS})
        candidates = _ranked(_sum(areas)["votes"])
        votes = rows.pivot_table(index="department", columns="candidate", values="votes", aggfunc="sum")
        votes = votes[candidates]
        votes.columns = [f"votes_{number} {name}" for name in votes.columns]
        table = table.merge(counts, how="left", on="department").merge(votes.reset_index(), how="left", on="department")
        voted = {code: area for code, area in areas.items() if area["cast"]}
        leaders = {code: ", ".join(_leaders(area["votes"])) for code, area in voted.items()}
        table[f"leader_{number}"] = table["department"].map(leaders)
        for rate in _rates(candidates):
            shares = {code: rate.of(area) for code, area in areas.items()}
            table[rate.column(str(number))] = table["department"].map(shares).astype("float64") / 100
    if len(rounds) > 1:
        for rate in _rates(_ranked(_sum(rounds[2])["votes"])):
            changes = {code: _change(rate, rounds[1].get(code), rounds[2].get(code)) for code in table["department"]}
            table[rate.column("change")] = table["department"].map(changes).astype("float64") / 100
    table = table.merge(tweets, how="left", on="department")
    table.insert(list(table.columns).index("tweets") + 1, "per_100000", PER * table["tweets"] / table["population"])
    table["below_floor"] = table["below_floor"].map({True: 1, False: 0})
    return table


def leader_colours(results: pd.DataFrame, catalogue: Catalogue) -> tuple[dict[str, str], dict[str, str]]:
    """The map's first layer in short: the leading candidate of each department in the earliest round.

    Returns:
        The colour of each department, by its code, and what each colour that occurs stands for, by its name.
    """
    first = results[results["round"] == results["round"].min()]
    tie, other = catalogue.text("map.tie"), catalogue.text("map.other")
    colours = {**_candidate_colours(first), tie: TIE_COLOUR}
    leaders = {}
    for code, area in _areas(first).items():
        most = _leaders(area["votes"])
        leaders[code] = tie if len(most) > 1 else most[0] if most[0] in colours else other
    colours[other] = OTHER_COLOUR
    shown = set(leaders.values())
    return (
        {code: colours[name] for code, name in leaders.items()},
        {name: colour for name, colour in colours.items() if name in shown},
    )


def _populations() -> dict[str, float]:
    known = bundled_departments().dropna(subset=["population"])
    return dict(zip(known["department"], known["population"], strict=True))


def _rounds(results: pd.DataFrame) -> dict[int, dict[str, dict[str, Any]]]:
    """The departments' totals by round, in order."""
    return {
        int(number): _areas(results[results["round"] == number]) for number in sorted(set(results["round"].tolist()))
    }


def _areas(rows: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """The totals of each department of one round, with `votes` by candidate."""
    areas: dict[str, dict[str, Any]] = {}
    for record in rows.to_dict("records"):
        row: dict[str, Any] = {str(name): value for name, value in record.items()}
        candidate, votes = row.pop("candidate"), row.pop("votes")
        areas.setdefault(row["department"], {**row, "votes": {}})["votes"][candidate] = votes
    return areas


def _sum(areas: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    total: Counter[str] = Counter()
    votes: Counter[str] = Counter()
    for area in areas.values():
        total.update({name: area[name] for name in _COUNTS})
        votes.update(area["votes"])
    return {**total, "votes": dict(votes)}


def _ranked(votes: Mapping[str, int]) -> list[str]:
    return sorted(votes, key=lambda name: (-votes[name], name))


def _candidate_colours(results: pd.DataFrame) -> dict[str, str]:
    """A colour a candidate, the same in both rounds: by votes in the earliest round there is."""
    first = results[results["round"] == results["round"].min()]
    return dict(zip(_ranked(first.groupby("candidate")["votes"].sum().to_dict()), CANDIDATE_COLOURS, strict=False))


def _share(area: Mapping[str, Any], part: str, whole: str) -> float | None:
    return 100 * area[part] / area[whole] if area[whole] else None


def _vote_share(area: Mapping[str, Any], candidate: str) -> float | None:
    votes = area["votes"].get(candidate)
    return 100 * votes / area["cast"] if area["cast"] and votes is not None else None


def _leaders(votes: Mapping[str, int]) -> list[str]:
    """Who has the most votes, several in a tie."""
    most = max(votes.values())
    return sorted(name for name, count in votes.items() if count == most)


@dataclass(frozen=True)
class _Rate:
    """A rate of a round.

    Attributes:
        key: Of its label in the catalogue's table `map`.
        scale: Name of its colours.
        of: Gives its per cent of a round's counts, None where there is nothing to divide by.
        candidate: Whose share it is, empty for the others.
    """

    key: str
    scale: str
    of: Callable[[Mapping[str, Any]], float | None]
    candidate: str = ""

    def label(self, c: Catalogue) -> str:
        return c.text(f"map.{self.key}", candidate=self.candidate)

    def column(self, number: str) -> str:
        """Its name in the table for download, of a round or `change`."""
        name = {"votes_of": "share", "blank": "blank_share", "null_votes": "null_share"}.get(self.key, self.key)
        return f"{name}_{number} {self.candidate}".rstrip()


def _rates(candidates: Sequence[str]) -> list[_Rate]:
    """The rates of a round in the order they are told: turnout, each candidate's share, blank and null."""
    return [
        _Rate("turnout", "YlGnBu", partial(_share, part="voters", whole="registered")),
        *(_Rate("votes_of", "YlGnBu", partial(_vote_share, candidate=name), name) for name in candidates),
        _Rate("blank", "YlOrBr", partial(_share, part="blank", whole="voters")),
        _Rate("null_votes", "YlOrBr", partial(_share, part="null_votes", whole="voters")),
    ]


def _change(rate: _Rate, first: Mapping[str, Any] | None, second: Mapping[str, Any] | None) -> float | None:
    """The rate of the second round less that of the first, in points; None where either has none."""
    before, after = (None if area is None else rate.of(area) for area in (first, second))
    return None if before is None or after is None else after - before


def _round_layers(
    group: str, codes: Sequence[str], areas: Mapping[str, dict[str, Any]], colours: Mapping[str, str], c: Catalogue
) -> list[Layer]:
    layers = [_leaders_layer(group, codes, areas, colours, c)]
    for rate in _rates(_ranked(_sum(areas)["votes"])):
        values = [rate.of(areas[code]) if code in areas else None for code in codes]
        layers.append(_rates_layer(group, rate.label(c), "result", rate.scale, values, c, f"{THIN_SPACE}%"))
    return layers


def _leaders_layer(
    group: str, codes: Sequence[str], areas: Mapping[str, dict[str, Any]], colours: Mapping[str, str], c: Catalogue
) -> Layer:
    no_data, tie, other = (c.text(f"map.{name}") for name in ("no_data", "tie", "other"))
    names: list[str] = []
    texts: list[str] = []
    values: list[float | None] = []
    for code in codes:
        area = areas.get(code)
        if area is None or not area["cast"]:
            names.append(no_data)
            texts.append(no_data)
            values.append(None)
            continue
        leaders = _leaders(area["votes"])
        most = area["votes"][leaders[0]]
        names.append(tie if len(leaders) > 1 else leaders[0] if leaders[0] in colours else other)
        texts.append(f"{', '.join(leaders)} {c.percent(most / area['cast'])}")
        values.append(100 * most / area["cast"])
    counts = Counter(names)
    special = {tie: TIE_COLOUR, other: OTHER_COLOUR, no_data: NO_DATA_COLOUR}
    order = sorted(counts, key=lambda name: (name in special, -counts[name], name))
    classes = [
        (c.text("map.class_count", name=name, count=counts[name], all=len(codes)), special.get(name) or colours[name])
        for name in order
    ]
    return Layer(group, c.text("map.leader"), "result", classes, [order.index(name) for name in names], texts, values)


def _change_layers(
    codes: Sequence[str], first: Mapping[str, Any], second: Mapping[str, Any], c: Catalogue
) -> list[Layer]:
    layers = []
    for rate in _rates(_ranked(_sum(second)["votes"])):
        values = [_change(rate, first.get(code), second.get(code)) for code in codes]
        points = c.text("map.points")
        layers.append(_diverging_layer(CHANGE, rate.label(c), "result", (LESS, MORE), values, c, 1, points))
    return layers


def _tweet_layers(codes: Sequence[str], tweets: pd.DataFrame, c: Catalogue, toned: bool) -> list[Layer]:
    rows = {row["department"]: row for row in tweets.to_dict("records")}
    people = _populations()
    shown = {code: row for code, row in rows.items() if not row["below_floor"]}
    rates = [PER * shown[code]["tweets"] / people[code] if code in shown and code in people else None for code in codes]
    layers = [_rates_layer(TWEETS, c.text("map.per_100000"), "department", "BuPu", rates, c, "")]
    if toned:
        layers.append(_tone_layer(codes, shown, c))
    return [_with_reasons(layer, codes, rows, c) for layer in layers]


def _tone_layer(codes: Sequence[str], shown: Mapping[str, Any], c: Catalogue) -> Layer:
    """A layer with colours for the means that differ from 0, and one pale class for all whose interval holds it."""
    toned = {code: row for code, row in shown.items() if not math.isnan(row["mean_polarity"])}
    bounds = [*(-bound for bound in reversed(TONE_BOUNDS)), 0.0, *TONE_BOUNDS]
    classes = list(zip(_class_labels(bounds, c, c.signed), [*SOMBRE, *BRIGHT], strict=True))
    middle = len(SOMBRE)
    classes.insert(middle, (c.text("map.indistinct"), INDISTINCT_COLOUR))
    no_data = c.text("map.no_data")
    classes.append((no_data, NO_DATA_COLOUR))
    places: list[int] = []
    texts: list[str] = []
    for code in codes:
        if code not in toned:
            places.append(len(classes) - 1)
            texts.append(no_data)
            continue
        mean, low, high = (toned[code][f"mean_polarity{end}"] for end in ("", "_low", "_high"))
        texts.append(f"{c.signed(mean)} ({c.interval(low, high)})")
        # Without an interval (a single text) nothing tells the mean from 0.
        if low > 0:
            places.append(bisect_right(bounds, round(mean, 2)) + 1)
        elif high < 0:
            places.append(min(bisect_right(bounds, round(mean, 2)), middle - 1))
        else:
            places.append(middle)
    values = [toned[code]["mean_polarity"] if code in toned else None for code in codes]
    return _without_empty(Layer(TWEETS, c.text("map.tone"), "tone", classes, places, texts, values))


def _with_reasons(layer: Layer, codes: Sequence[str], rows: Mapping[str, Any], c: Catalogue) -> Layer:
    """The layer with classes of its own, where it has 'no data', for no tweet, too few authors and too little tone."""
    classes, places, texts = list(layer.classes), list(layer.places), list(layer.texts)
    few = {code for code, row in rows.items() if row["below_floor"]}
    for reason, colour, of_it in (
        (c.text("map.no_tweet"), NO_TWEET_COLOUR, set(codes) - set(rows)),
        (c.text("map.floor", floor=FLOOR_OF_AUTHORS), FLOOR_COLOUR, few),
        (c.text("map.tone_floor"), NO_DATA_COLOUR, {code for code in rows if layer.measure == "tone"} - few),
    ):
        classes.append((reason, colour))
        for number, code in enumerate(codes):
            if layer.values[number] is None and code in of_it:
                places[number], texts[number] = len(classes) - 1, reason
    return _without_empty(replace(layer, classes=classes, places=places, texts=texts))


def _without_empty(layer: Layer) -> Layer:
    """The layer without classes that no department is in."""
    kept = sorted(set(layer.places))
    return replace(
        layer,
        classes=[layer.classes[place] for place in kept],
        places=[kept.index(place) for place in layer.places],
    )


def _rates_layer(
    group: str, label: str, measure: str, scale: str, values: Sequence[float | None], c: Catalogue, unit: str
) -> Layer:
    """A layer of classes with about as many departments each.

    Rates and bounds are rounded alike, to as many decimals as keep the bounds apart, so that the printed rate of a
    department always lies in the printed class.
    """
    known = [value for value in values if value is not None]
    quantiles = _quantiles(known, CLASSES)
    distinct = len(set(quantiles))
    digits = next(
        digits
        for digits in DECIMALS
        if len({round(value, digits) for value in quantiles}) == distinct or digits == DECIMALS[-1]
    )
    rates = [None if value is None else round(value, digits) for value in values]
    least = min((rate for rate in rates if rate is not None), default=0)
    bounds = sorted({round(bound, digits) for bound in quantiles} - {least}) or _last_bound(rates)
    labels = _class_labels(bounds, c, lambda value: c.number(value, digits) + unit) if bounds else []
    if known and not bounds:
        labels = [c.number(least, digits) + unit]
    classes = list(zip(labels, _scale_colours(scale, len(labels)), strict=True))
    places = [len(labels) if rate is None else bisect_right(bounds, rate) for rate in rates]
    no_data = c.text("map.no_data")
    if len(known) < len(values):
        classes.append((no_data, NO_DATA_COLOUR))
    texts = [no_data if rate is None else c.number(rate, digits) + unit for rate in rates]
    return Layer(group, label, measure, classes, places, texts, list(values))


def _diverging_layer(
    group: str,
    label: str,
    measure: str,
    colours: tuple[Sequence[str], Sequence[str]],
    values: Sequence[float | None],
    c: Catalogue,
    digits: int,
    unit: str,
) -> Layer:
    """A layer of up to three classes below 0 and three from 0 on, each side in colours of its own."""
    rates = [None if value is None else round(value, digits) for value in values]
    known = [rate for rate in rates if rate is not None]
    less, more = [rate for rate in known if rate < 0], [rate for rate in known if rate >= 0]
    below = sorted(set(_quantiles(less, CHANGE_CLASSES)) - {min(less, default=0)})
    above = sorted(set(_quantiles(more, CHANGE_CLASSES)) - {min(more, default=0)} - {0})
    bounds = sorted({*below, *({0} if less and more else ()), *above}) or _last_bound(rates)

    def written(value: float) -> str:
        return c.signed(value, digits) + unit

    labels = _class_labels(bounds, c, written) if bounds else [written(rate) for rate in sorted(set(known))[:1]]
    count_less = sum(bound < 0 for bound in bounds) + 1 if less else 0
    dark = [*colours[0][: count_less - 1], colours[0][-1]] if count_less else []
    count_more = len(labels) - count_less
    bright = [colours[1][0], *colours[1][len(colours[1]) - count_more + 1 :]] if count_more else []
    classes = list(zip(labels, [*dark, *bright], strict=True))
    places = [len(labels) if rate is None else bisect_right(bounds, rate) for rate in rates]
    no_data = c.text("map.no_data")
    if len(known) < len(values):
        classes.append((no_data, NO_DATA_COLOUR))
    texts = [no_data if rate is None else written(rate) for rate in rates]
    return Layer(group, label, measure, classes, places, texts, list(values))


def _quantiles(known: Sequence[float], classes: int) -> list[float]:
    import numpy as np

    parts = np.linspace(0, 1, classes + 1)[1:-1]
    return np.quantile(known, parts, method="nearest").tolist() if known else []


def _last_bound(rates: Sequence[float | None]) -> list[float]:
    """What parts the highest rate from the others, where so many are the same that no quantile does."""
    known = {rate for rate in rates if rate is not None}
    return [max(known)] if len(known) > 1 else []


def _class_labels(bounds: Sequence[float], c: Catalogue, written: Callable[[float], str]) -> list[str]:
    labels = [c.text("map.below", bound=written(bounds[0]))]
    labels += [c.text("map.between", low=written(low), high=written(high)) for low, high in pairwise(bounds)]
    return [*labels, c.text("map.from", bound=written(bounds[-1]))]


def _scale_colours(scale: str, count: int) -> list[str]:
    """`count` colours of one of ColorBrewer's scales, light to dark, without its near-white end."""
    from plotly.colors import sample_colorscale, sequential

    positions = [0.12 + 0.88 * index / max(count - 1, 1) for index in range(count)]
    return sample_colorscale(getattr(sequential, scale), positions) if count else []


def _round_figures(area: Mapping[str, Any] | None, c: Catalogue) -> list[tuple[str, str]]:
    if area is None:
        return []
    rows = [
        (c.text(f"map_counts.{name}"), _with_share(area[name], area[whole] if whole else None, c))
        for name, whole in _COUNTS.items()
    ]
    return rows + [(name, _with_share(area["votes"][name], area["cast"], c)) for name in _ranked(area["votes"])]


def _with_share(count: int, whole: int | None, c: Catalogue) -> str:
    return c.number(count) + (f" ({c.percent(count / whole, 2)})" if whole else "")


def _change_figures(
    first: Mapping[str, Any] | None, second: Mapping[str, Any] | None, c: Catalogue
) -> list[tuple[str, str]]:
    if first is None or second is None:
        return []
    changes = [(rate.label(c), _change(rate, first, second)) for rate in _rates(_ranked(second["votes"]))]
    return [(label, c.signed(change, 1) + c.text("map.points")) for label, change in changes if change is not None]


def _tweet_figures(
    row: Mapping[Any, Any] | None, population: float | None, c: Catalogue, toned: bool
) -> list[tuple[str, str]]:
    inhabitants = (c.text("map.inhabitants", year=POPULATION_YEAR), c.number(population))
    tweets = c.text("map.tweets")
    if row is None:
        return [(tweets, c.text("map.no_tweet")), inhabitants]
    if row["below_floor"]:
        return [(tweets, c.text("map.floor", floor=FLOOR_OF_AUTHORS)), inhabitants]
    rows = [(tweets, c.number(row["tweets"])), (c.text("map.authors"), c.number(row["authors"])), inhabitants]
    if population:
        rows.append((c.text("map.per_100000"), c.number(PER * row["tweets"] / population, 1)))
    return rows + (_tone_figures(row, c) if toned else [])


def _tone_figures(row: Mapping[Any, Any], c: Catalogue) -> list[tuple[str, str]]:
    withheld = row["scored_texts"] > 0 and math.isnan(row["mean_polarity"])
    tone = c.text("map.tone_floor") if withheld else c.signed(row["mean_polarity"])
    return [
        (c.text("map.tone"), tone),
        (c.text("charts.interval"), c.interval(row["mean_polarity_low"], row["mean_polarity_high"])),
        (c.text("overview.column_scored"), c.number(row["scored_texts"])),
        (c.text("overview.column_unscored"), c.number(row["unscored_texts"])),
    ]


def _nation_tweets(
    tweets: pd.DataFrame,
    placed: pd.DataFrame,
    total: Mapping[Any, Any],
    people: Mapping[str, float],
    c: Catalogue,
    toned: bool,
) -> list[tuple[str, str]]:
    """The country's figures, of the placed tweets as a department's are, then what the map does not show."""
    row = placed.to_dict("records")[0] if len(placed) else None
    shown = int((~tweets["below_floor"].astype(bool)).sum())
    share = (total["tweets"] - total["unplaced"]) / total["tweets"] if total["tweets"] else None
    return [
        *_tweet_figures(row, sum(people.values()), c, toned),
        (c.text("map.placed"), c.percent(share)),
        (c.text("map.unplaced"), c.number(total["unplaced"])),
        (c.text("map.departments_shown"), c.number(shown)),
        (c.text("map.departments_below"), c.number(len(tweets) - shown)),
    ]
