"""The map of official results by department: a Plotly figure, and a page around it that opens offline.

Every layer of the map is a set of named classes with a colour each, and every department of a layer belongs to one
class. So candidates and rates, the legend and 'pas de donnée' are drawn by one mechanism, and the shapes stand in the
page once.
"""

from __future__ import annotations

import json
import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from html import escape
from itertools import pairwise
from string import Template
from typing import TYPE_CHECKING, Any

from election_assets.transforms.results import bundled_departments
from election_assets.visuals.french import THIN_SPACE, number, percent, spaced

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

# The page splits a line of figures into two cells at this.
COLON = "\u00a0: "
HEADLINE = spaced("Présidentielle 2017 : le vote par département")
SOURCE = spaced("Source : ministère de l’Intérieur, Licence Ouverte")
ROUNDS = {1: "1er tour", 2: "2d tour"}
BASES = spaced(
    "Abstentions et votants : % des inscrits ; blancs, nuls et exprimés : % des votants ; candidats : % des exprimés."
).replace("% ", "%\N{NO-BREAK SPACE}")
TWEETS = "Tweets"
TWEETS_HEADLINE = "Les tweets par département"
BOTH_HEADLINES = "Présidentielle 2017 et tweets par département"
NO_DATA, NO_DATA_COLOUR = "pas de donnée", "#d4d4d4"
NO_TWEET, NO_TWEET_COLOUR = "aucun tweet placé", "#faf0c8"
TIE, TIE_COLOUR = "Égalité", "#7a7a7a"
OTHER, OTHER_COLOUR = "Autre", "#4d4d4d"
FONT = {"family": "system-ui, 'Segoe UI', Roboto, 'Noto Sans', sans-serif", "color": "#1a1a1a", "size": 12}
# Okabe and Ito's colours, which all kinds of colour vision tell apart, given out by national rank.
CANDIDATE_COLOURS = ("#e69f00", "#0072b2", "#56b4e9", "#d55e00", "#cc79a7", "#009e73", "#f0e442")
CLASSES, DECIMALS = 6, (1, 2, 3)
SHORT_NAMES = {
    "975": "St-Pierre-<br>et-Miquelon",
    "977-978": "St-Martin,<br>St-Barth.",
    "986": "Wallis-<br>et-Futuna",
    "987": "Polynésie<br>française",
    "988": "Nouvelle-<br>Calédonie",
    "ZZ": "Étranger",
}
# plotly.js asks its CDN for a world map even where every base layer is hidden, and draws nothing without an answer.
NO_WORLD_MAP = "window.PlotlyGeoAssets={topojson:{world_110m:{objects:{}}}};"


@dataclass(frozen=True)
class _Layer:
    """One picture: the class and the printed value of each department, in the order of the shapes."""

    group: str
    label: str
    classes: list[tuple[str, str]]
    z: list[int]
    text: list[str]
    details: int

    @property
    def headline(self) -> str:
        return TWEETS_HEADLINE if self.group == TWEETS else HEADLINE


def department_map_figure(
    results: pd.DataFrame,
    geojson: Mapping,
    *,
    note: str | None = None,
    tweets_by_department: pd.DataFrame | None = None,
    tweets_period: str | None = None,
) -> go.Figure:
    """Draw the results by department, with a menu of layers.

    Args:
        results: Results as `load_results` gives them (columns of `schemas.RESULTS_2017`), of one or both rounds.
        geojson: Shapes whose features have the properties `code` and `name`.
        note: What a reader must know, such as that the data are samples; shown under the headline.
        tweets_by_department: `department` (INSEE's code) and `tweets` (a count). A department that is absent has no
            tweet, which is a class of its own; one whose count is missing, or without a known population, is without
            data. None leaves the layer out.
        tweets_period: When the tweets were written, such as `du 27 mars au 9 avril 2022`; stands in the layer's name.

    Returns:
        A figure with one choropleth trace (all layers restyle it) and one trace of labels. `layout.meta` holds the
        layers' legends for a page around the figure.

    Raises:
        ValueError: Results without rows, or a department with results and no shape.
    """
    import plotly.graph_objects as go

    shapes = {feature["properties"]["code"]: feature["properties"]["name"] for feature in geojson["features"]}
    if results.empty:
        raise ValueError("There are no results to draw.")
    lacking = sorted(set(results["department"]) - set(shapes))
    if lacking:
        raise ValueError(f"The map has no shape for the department(s) {', '.join(lacking)}.")

    layers: list[_Layer] = []
    details: list[list[str]] = []
    nation: list[str] = []
    colours = _candidate_colours(results)
    for round_number in sorted(set(results["round"])):
        rows = results[results["round"] == round_number]
        areas = _areas(rows)
        layers += _round_layers(ROUNDS[round_number], list(shapes), areas, colours, len(details))
        details.append(
            [_results_text(_title(code, name), round_number, areas.get(code)) for code, name in shapes.items()]
        )
        nation.append(_results_text("France entière", round_number, _sum(areas)))
    if tweets_by_department is not None:
        layer, texts, total = _tweets_layer(shapes, tweets_by_department, tweets_period, len(details))
        layers.append(layer)
        details.append(texts)
        nation.append(total)

    buttons = [
        {
            "label": f"{layer.group} – {layer.label}",
            "method": "update",
            "args": [_restyle(layer), {"title.text": _heading(layer, note)}, [0]],
        }
        for layer in layers
    ]
    # The room at the south is for the names beneath the lowest shapes.
    west, south, east, north = _bounds(geojson["features"])
    titles = [f"<b>{_title(code, name)}</b>" for code, name in shapes.items()]
    first = {name: value[0] if isinstance(value, list) else value for name, value in _restyle(layers[0]).items()}
    figure = go.Figure(
        go.Choropleth(
            geojson=dict(geojson),
            featureidkey="properties.code",
            locations=list(shapes),
            customdata=list(zip(*details, titles, strict=True)),
            marker={"line": {"color": "#ffffff", "width": 0.6}},
            colorbar={"thickness": 14, "len": 0.6, "outlinewidth": 0},
            **{name.replace(".", "_"): value for name, value in first.items()},
        )
    )
    figure.add_trace(_labels(geojson))
    figure.update_layout(
        title={"text": _heading(layers[0], note), "x": 0.02, "xanchor": "left", "yanchor": "top", "y": 0.98},
        font=FONT,
        paper_bgcolor="#ffffff",
        margin={"l": 0, "r": 0, "t": 110, "b": 60},
        hoverlabel={"bgcolor": "#ffffff", "bordercolor": "#333333", "align": "left", "font": FONT},
        geo={
            **{"visible": False, "bgcolor": "#ffffff", "projection": {"type": "mercator"}},
            **_view(west - 0.3, south - 0.11 * (north - south), east + 0.3, north + 0.15),
        },
        annotations=[
            {
                **{"text": SOURCE, "x": 0.02, "y": 0, "xref": "paper", "yref": "paper", "yshift": -40},
                **{"xanchor": "left", "yanchor": "bottom", "showarrow": False, "font": {"size": 11}},
            }
        ],
        updatemenus=[{"buttons": buttons, "x": 0.98, "xanchor": "right", "y": 1.01, "yanchor": "bottom"}],
        height=760,
        meta={"layers": [_legend(layer) for layer in layers], "nation": nation},
    )
    return figure


def department_map_html(
    results: pd.DataFrame,
    geojson: Mapping,
    *,
    note: str | None = None,
    tweets_by_department: pd.DataFrame | None = None,
    tweets_period: str | None = None,
) -> str:
    """The map as a page that needs no network: plotly.js, shapes and figures are inside.

    Args and errors are those of `department_map_figure`; around the figure the page puts menus of layers and
    departments, a legend, and the figures of the department pointed at.

    Returns:
        The HTML of a whole page, UTF-8.
    """
    from plotly.offline import get_plotlyjs

    figure = department_map_figure(
        results, geojson, note=note, tweets_by_department=tweets_by_department, tweets_period=tweets_period
    )
    content = figure.to_plotly_json()
    layout = content["layout"]
    menu = layout.pop("updatemenus")[0]
    meta = layout.pop("meta")
    for replaced in ("title", "annotations", "height", "template"):
        layout.pop(replaced, None)
    layout["margin"] = {"l": 0, "r": 0, "t": 0, "b": 0}
    content["data"][0]["showscale"] = False
    page = {
        "data": content["data"],
        "layout": layout,
        "updates": [button["args"][0] for button in menu["buttons"]],
        "layers": meta["layers"],
        "nation": meta["nation"],
        "region": _region_view(geojson, "Île-de-France"),
    }
    embedded = json.dumps(page, ensure_ascii=False, separators=(",", ":"))
    return PAGE.substitute(
        title=escape(HEADLINE if tweets_by_department is None else BOTH_HEADLINES),
        headline=escape(HEADLINE),
        bases=escape(BASES),
        note=f'<p class="note">{escape(spaced(note))}</p>' if note else "",
        source=escape(SOURCE),
        no_world_map=NO_WORLD_MAP,
        plotly=get_plotlyjs(),
        # Inside a script element only `<` can end it; JSON may write it as an escape.
        page=embedded.replace("<", "\\u003c"),
    )


def _title(code: str, name: str) -> str:
    return f"{_name(name)} ({escape(code)})"


def _name(name: str) -> str:
    return escape(name.replace("'", "’"))


def _heading(layer: _Layer, note: str | None) -> str:
    lines = [f"<b>{escape(layer.headline)}</b>", f"{layer.group} – {layer.label}"]
    if note:
        lines.append(f"<i>{escape(spaced(note))}</i>")
    return "<br>".join(lines)


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
        total.update({name: area[name] for name in _COUNT_LABELS})
        votes.update(area["votes"])
    return {**total, "votes": dict(votes)}


# The French name of a count, and the count it is a share of.
_COUNT_LABELS = {
    "registered": ("Inscrits", None),
    "abstentions": ("Abstentions", "registered"),
    "voters": ("Votants", "registered"),
    "blank": ("Blancs", "voters"),
    "null_votes": ("Nuls", "voters"),
    "cast": ("Exprimés", "voters"),
}


def _results_text(title: str, round_number: int, area: dict[str, Any] | None) -> str:
    """Every figure of an area, a line each."""
    lines = [f"<b>{title}</b>", f"<i>Présidentielle 2017, {ROUNDS[round_number]}</i>"]
    if area is None:
        return "<br>".join([*lines, NO_DATA])
    for name, (label, whole) in _COUNT_LABELS.items():
        lines.append(f"{label}{COLON}{_with_share(area[name], area[whole] if whole else None)}")
    for candidate, votes in sorted(area["votes"].items(), key=lambda pair: (-pair[1], pair[0])):
        lines.append(f"{escape(candidate)}{COLON}{_with_share(votes, area['cast'])}")
    return "<br>".join(lines)


def _with_share(count: int, whole: int | None) -> str:
    share = f" ({percent(count / whole, 2)})" if whole else ""
    return number(count) + share


def leader_colours(results: pd.DataFrame) -> tuple[dict[str, str], dict[str, str]]:
    """The map's first layer in short: the leading candidate of each department in the earliest round.

    Returns:
        The colour of each department, by its code, and what each colour that occurs stands for, by its name.
    """
    first = results[results["round"] == results["round"].min()]
    colours = {**_candidate_colours(first), TIE: TIE_COLOUR}
    leaders = {}
    for code, rows in first.groupby("department"):
        most = rows[rows["votes"] == rows["votes"].max()]["candidate"].tolist()
        leaders[str(code)] = TIE if len(most) > 1 else most[0] if most[0] in colours else OTHER
    colours[OTHER] = OTHER_COLOUR
    shown = set(leaders.values())
    return (
        {code: colours[name] for code, name in leaders.items()},
        {name: colour for name, colour in colours.items() if name in shown},
    )


def _candidate_colours(results: pd.DataFrame) -> dict[str, str]:
    """A colour a candidate, the same in both rounds: by votes in the earliest round there is."""
    first = results[results["round"] == results["round"].min()]
    votes = first.groupby("candidate")["votes"].sum().to_dict()
    ranked = sorted(votes, key=lambda name: (-votes[name], name))
    return dict(zip(ranked, CANDIDATE_COLOURS, strict=False))


def _round_layers(
    group: str, codes: Sequence[str], areas: Mapping[str, dict[str, Any]], colours: Mapping[str, str], details: int
) -> list[_Layer]:
    nation = _sum(areas)

    def rates(label: str, scale: str, rate: Callable[[dict[str, Any]], float | None]) -> _Layer:
        values = [rate(areas[code]) if code in areas else None for code in codes]
        return _rates_layer(group, label, scale, values, details, f"{THIN_SPACE}%")

    layers = [_leaders_layer(group, codes, areas, colours, details)]
    layers.append(rates("Participation (% des inscrits)", "YlGnBu", lambda area: _share(area, "voters", "registered")))
    for candidate in sorted(nation["votes"], key=lambda name: (-nation["votes"][name], name)):
        label = f"{escape(candidate)} (% des exprimés)"
        layers.append(rates(label, "YlGnBu", partial(_vote_share, candidate=candidate)))
    layers.append(rates("Votes blancs (% des votants)", "YlOrBr", lambda area: _share(area, "blank", "voters")))
    layers.append(rates("Votes nuls (% des votants)", "YlOrBr", lambda area: _share(area, "null_votes", "voters")))
    return layers


def _share(area: dict[str, Any], part: str, whole: str) -> float | None:
    return 100 * area[part] / area[whole] if area[whole] else None


def _vote_share(area: dict[str, Any], candidate: str) -> float | None:
    votes = area["votes"].get(candidate)
    return 100 * votes / area["cast"] if area["cast"] and votes is not None else None


def _leaders_layer(
    group: str, codes: Sequence[str], areas: Mapping[str, dict[str, Any]], colours: Mapping[str, str], details: int
) -> _Layer:
    names, texts = [], []
    for code in codes:
        area = areas.get(code)
        if area is None or not area["cast"]:
            names.append(NO_DATA)
            texts.append(NO_DATA)
            continue
        most = max(area["votes"].values())
        leaders = sorted(name for name, votes in area["votes"].items() if votes == most)
        colour = TIE if len(leaders) > 1 else leaders[0] if leaders[0] in colours else OTHER
        names.append(colour)
        texts.append(f"{escape(', '.join(leaders))}{COLON}{percent(most / area['cast'])}")
    counts = Counter(names)
    special = {TIE: TIE_COLOUR, OTHER: OTHER_COLOUR, NO_DATA: NO_DATA_COLOUR}
    order = sorted(counts, key=lambda name: (name in special, -counts[name], name))
    classes = []
    for name in order:
        label = f"{escape(name)} ({counts[name]} sur {len(codes)})"
        classes.append((label, special.get(name) or colours[name]))
    return _Layer(group, "Candidat en tête", classes, [order.index(name) for name in names], texts, details)


def _rates_layer(
    group: str, label: str, scale: str, values: Sequence[float | None], details: int, unit: str = ""
) -> _Layer:
    """A layer of classes with about as many departments each.

    Rates and bounds are rounded alike, to as many decimals as keep the bounds apart, so that the printed rate of a
    department always lies in the printed class.
    """
    import numpy as np

    known = [value for value in values if value is not None]
    parts = np.linspace(0, 1, CLASSES + 1)[1:-1]
    quantiles: list[float] = np.quantile(known, parts, method="nearest").tolist() if known else []
    distinct = len(set(quantiles))
    digits = next(digits for digits in DECIMALS if _distinct(quantiles, digits) == distinct or digits == DECIMALS[-1])
    rates = [None if value is None else round(value, digits) for value in values]
    least = min((rate for rate in rates if rate is not None), default=0)
    bounds = sorted({round(bound, digits) for bound in quantiles} - {least})
    texts = [NO_DATA if rate is None else number(rate, digits) + unit for rate in rates]
    if bounds:
        labels = [f"moins de {number(bounds[0], digits)}{unit}"]
        labels += [f"{number(low, digits)} à {number(high, digits)}{unit}" for low, high in pairwise(bounds)]
        labels.append(f"{number(bounds[-1], digits)}{unit} et plus")
    else:
        labels = [f"{number(least, digits)}{unit}"] if known else []
    classes = list(zip(labels, _scale_colours(scale, len(labels)), strict=True))
    z = [len(labels) if rate is None else bisect_right(bounds, rate) for rate in rates]
    if len(known) < len(values):
        classes.append((NO_DATA, NO_DATA_COLOUR))
    return _Layer(group, label, classes, z, texts, details)


def _distinct(values: Sequence[float], digits: int) -> int:
    return len({round(value, digits) for value in values})


def _scale_colours(scale: str, count: int) -> list[str]:
    """`count` colours of one of ColorBrewer's scales, light to dark, without its near-white end."""
    from plotly.colors import sample_colorscale, sequential

    positions = [0.12 + 0.88 * index / max(count - 1, 1) for index in range(count)]
    return sample_colorscale(getattr(sequential, scale), positions) if count else []


def _tweets_layer(
    shapes: Mapping[str, str], tweets: pd.DataFrame, period: str | None, details: int
) -> tuple[_Layer, list[str], str]:
    known = tweets.dropna(subset=["department", "tweets"])
    counts = dict(zip(known["department"].astype(str), known["tweets"].astype(int).tolist(), strict=True))
    lacking = sorted(set(counts) - set(shapes))
    if lacking:
        raise ValueError(f"The map has no shape for the department(s) {', '.join(lacking)}.")
    missing = set(tweets["department"].dropna().astype(str)) - set(counts)
    people = bundled_departments().dropna(subset=["population"]).set_index("department")["population"].to_dict()
    kind = f"<i>Tweets placés{', ' + escape(period) if period else ''}</i>"
    rates: list[float | None] = []
    texts = []
    for code, name in shapes.items():
        population = people.get(code)
        count = counts.get(code, None if code in missing or not population else 0)
        rate = 100_000 * count / population if count is not None and population else None
        rates.append(rate)
        lines = [f"<b>{_title(code, name)}</b>", kind]
        lines.append(f"Tweets{COLON}{NO_DATA if count is None else number(count) if count else NO_TWEET}")
        lines.append(f"Habitants{COLON}{number(population) if population else NO_DATA}")
        if rate != 0:
            lines.append(f"Pour 100{THIN_SPACE}000 habitants{COLON}{NO_DATA if rate is None else number(rate, 1)}")
        texts.append("<br>".join(lines))
    label = f"Tweets pour 100{THIN_SPACE}000 habitants{', ' + escape(period) if period else ''}"
    layer = _own_class_of_zero(_rates_layer(TWEETS, label, "BuPu", [rate or None for rate in rates], details), rates)
    total = [
        "<b>France entière</b>",
        kind,
        f"Tweets placés{COLON}{number(sum(counts.values()))}",
        f"Territoires avec un tweet placé{COLON}{sum(map(bool, counts.values()))} sur {len(shapes)}",
    ]
    return layer, texts, "<br>".join(total)


def _own_class_of_zero(layer: _Layer, rates: Sequence[float | None]) -> _Layer:
    """The layer with a first class for rates of 0, which it was made without."""
    zeros = [rate == 0 for rate in rates]
    if not any(zeros):
        return layer
    classes = [kind for kind in layer.classes if kind[0] != NO_DATA or None in rates]
    return replace(
        layer,
        classes=[(NO_TWEET, NO_TWEET_COLOUR), *classes],
        z=[0 if zero else place + 1 for zero, place in zip(zeros, layer.z, strict=True)],
        text=[NO_TWEET if zero else text for zero, text in zip(zeros, layer.text, strict=True)],
    )


def _restyle(layer: _Layer) -> dict[str, Any]:
    """What turns the choropleth trace into this layer, in the form of Plotly's restyle."""
    count = len(layer.classes)
    stops = []
    for index, (_, colour) in enumerate(layer.classes):
        stops += [[index / count, colour], [(index + 1) / count, colour]]
    return {
        "z": [layer.z],
        "text": [layer.text],
        "colorscale": [stops],
        "zmin": -0.5,
        "zmax": count - 0.5,
        "hovertemplate": f"%{{customdata[{layer.details}]}}<extra></extra>",
        "colorbar.tickvals": [list(range(count))],
        "colorbar.ticktext": [[label for label, _ in layer.classes]],
    }


def _legend(layer: _Layer) -> dict[str, Any]:
    return {
        **{"group": layer.group, "label": layer.label, "headline": layer.headline},
        **{"classes": layer.classes, "details": layer.details, "bases": layer.group != TWEETS},
    }


def _bounds(features: Sequence[Mapping]) -> tuple[float, float, float, float]:
    """West, south, east, north."""
    points: list[Sequence[float]] = []
    for geometry in (feature["geometry"] for feature in features):
        polygons = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
        points += [point for polygon in polygons for point in polygon[0]]
    lons, lats = zip(*points, strict=True)
    return min(lons), min(lats), max(lons), max(lats)


def _view(west: float, south: float, east: float, north: float) -> dict[str, Any]:
    """What Plotly's geo layout needs to show these bounds; the middle is Mercator's, which is not the latitudes'."""
    heights = [math.asinh(math.tan(math.radians(lat))) for lat in (south, north)]
    middle = math.degrees(math.atan(math.sinh(sum(heights) / 2)))
    return {
        "center": {"lon": (west + east) / 2, "lat": middle},
        "lonaxis": {"range": [west, east]},
        "lataxis": {"range": [south, north]},
    }


def _region_view(geojson: Mapping, region: str) -> dict[str, Any] | None:
    departments = bundled_departments()
    codes = set(departments[departments["region"] == region]["department"])
    features = [feature for feature in geojson["features"] if feature["properties"]["code"] in codes]
    return _view(*_bounds(features)) if features else None


def _labels(geojson: Mapping) -> go.Scattergeo:
    """Names under the shapes that do not stand in their place: overseas insets and squares."""
    import plotly.graph_objects as go

    kinds = bundled_departments().set_index("department")["kind"].to_dict()
    lons, lats, texts = [], [], []
    for feature in geojson["features"]:
        code, name = feature["properties"]["code"], feature["properties"]["name"]
        kind = kinds.get(code, "metropolitan")
        if kind == "metropolitan":
            continue
        west, south, east, _ = _bounds([feature])
        lons.append((west + east) / 2)
        lats.append(south - 0.05)
        place = _name(name) if kind == "overseas department" else SHORT_NAMES.get(code, _name(name))
        texts.append(place if kind == "overseas department" else f"<b>{escape(code)}</b><br>{place}")
    return go.Scattergeo(
        **{"lon": lons, "lat": lats, "text": texts, "mode": "text", "textposition": "bottom center"},
        **{"textfont": {"size": 10, "color": "#1a1a1a"}, "hoverinfo": "skip", "showlegend": False},
    )


PAGE = Template("""<!DOCTYPE html>
<html lang="fr">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:">
<link rel="icon" href="data:,">
<title>$title</title>
<style>
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 16px; max-width: 1200px; background: #fff; color: #1a1a1a;
  font: 16px/1.45 system-ui, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
h1 { margin: 0; font-size: clamp(1.35rem, 4.5vw, 2rem); line-height: 1.2; }
h2 { margin: 0 0 8px; font-size: 1.05rem; }
.note { display: inline-block; margin: 10px 0 0; padding: 6px 12px; border-left: 4px solid #d55e00;
  background: #fdf1e7; }
.controls { display: flex; flex-wrap: wrap; gap: 12px; align-items: end; margin: 14px 0; }
label { display: block; flex: 1 1 200px; max-width: 420px; font-size: .85rem; color: #444; }
label:first-child { flex: 2 1 280px; max-width: 480px; }
select, button { width: 100%; padding: 9px 10px; border: 1px solid #767676; border-radius: 6px; background: #fff;
  color: #1a1a1a; font: inherit; font-size: 1rem; }
button { width: auto; cursor: pointer; }
main { display: grid; gap: 16px; }
#map { width: 100%; height: 114vw; }
#legend { list-style: none; margin: 0; padding: 0; display: flex; flex-wrap: wrap; gap: 4px 16px; font-size: .92rem; }
#legend li { display: flex; align-items: center; gap: 8px; }
#legend span { flex: none; width: 22px; height: 16px; border: 1px solid #999; }
table { width: 100%; border-collapse: collapse; font-size: .92rem; }
td { padding: 3px 0; border-bottom: 1px solid #e6e6e6; vertical-align: top; }
td + td { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.kind, .hint, footer { color: #555; font-size: .88rem; }
.kind { margin: 0 0 6px; font-style: italic; }
.hint { margin: 8px 0 0; }
aside { display: grid; gap: 20px; align-content: start; }
@media (min-width: 700px) {
  main { grid-template-columns: minmax(0, 1fr) 260px; }
  #map { height: 64vw; }
  #legend { flex-direction: column; }
}
@media (min-width: 1000px) {
  main { grid-template-columns: minmax(0, 1fr) 340px; }
  #map { height: 820px; }
}
</style>
</head>
<body>
<header><h1 id="headline">$headline</h1>$note</header>
<div class="controls">
<label>Carte affichée<select id="layer"></select></label>
<label>Département<select id="department"></select></label>
<button id="zoom" type="button" aria-pressed="false">Agrandir l’Île-de-France</button>
</div>
<main>
<div id="map" role="img"
 aria-label="Carte des départements&#8239;; les chiffres de chacun se lisent par le menu Département"></div>
<aside>
<section><h2 id="title"></h2><ul id="legend"></ul></section>
<section><div id="details" aria-live="polite"></div><p id="bases" class="hint">$bases</p></section>
</aside>
</main>
<footer><p>$source. Outre-mer&nbsp;: hors échelle&#8239;; carrés&nbsp;: collectivités et Français établis hors de
France.</p></footer>
<script>$no_world_map</script>
<script>$plotly</script>
<script id="page" type="application/json">$page</script>
<script>
"use strict";
(function () {
  const page = JSON.parse(document.getElementById("page").textContent);
  const element = (id) => document.getElementById(id);
  const map = element("map"), layerMenu = element("layer"), departmentMenu = element("department");
  const shapes = page.data[0], narrow = window.matchMedia("(max-width: 699px)");
  const whole = JSON.parse(JSON.stringify(page.layout.geo));
  const name = shapes.customdata[0].length - 1;
  let layer = 0, kept = -1, enlarged = false;

  function plain(html) {
    return new DOMParser().parseFromString(html, "text/html").body.textContent;
  }
  function fillMenus() {
    let group = null;
    page.layers.forEach((one, number) => {
      if (!group || group.label !== one.group) {
        group = document.createElement("optgroup");
        group.label = one.group;
        layerMenu.append(group);
      }
      group.append(new Option(plain(one.group + " – " + one.label), number));
    });
    departmentMenu.append(new Option("France entière", -1));
    shapes.locations.forEach((code, number) => {
      departmentMenu.append(new Option(plain(shapes.customdata[number][name]), number));
    });
  }
  function showLegend() {
    const one = page.layers[layer];
    element("headline").textContent = one.headline;
    element("bases").hidden = !one.bases;
    element("title").innerHTML = one.group + " – " + one.label;
    element("legend").replaceChildren(...one.classes.map(([label, colour]) => {
      const item = document.createElement("li"), chip = document.createElement("span");
      chip.style.background = colour;
      item.innerHTML = label;
      item.prepend(chip);
      return item;
    }));
  }
  function showDetails(number) {
    const column = page.layers[layer].details;
    const lines = (number < 0 ? page.nation[column] : shapes.customdata[number][column]).split("<br>");
    const rows = lines.slice(2).map((line) => {
      const cells = line.split("\\u00a0: ");
      return "<tr><td>" + cells.join("</td><td>") + "</td></tr>";
    });
    element("details").innerHTML = "<h2>" + lines[0] + "</h2><p class=kind>" + lines[1] + "</p><table>" +
      rows.join("") + "</table><p class=hint>" + (number < 0 ?
      "Touchez ou survolez un département pour lire ses chiffres." :
      "Cliquez pour fixer un département&#8239;; choisissez «&nbsp;France entière&nbsp;» pour revenir.") + "</p>";
  }
  function lineUpdate() {
    return {
      "marker.line.width": [shapes.locations.map((_, number) => number === kept ? 2.5 : 0.6)],
      "marker.line.color": [shapes.locations.map((_, number) => number === kept ? "#000000" : "#ffffff")],
    };
  }
  function forgetHover() {
    Plotly.Fx.loneUnhover(map.querySelector(".hoverlayer"));
  }
  function update() {
    forgetHover();
    const change = Object.assign({}, page.updates[layer], lineUpdate());
    if (narrow.matches) {
      change.hovertemplate = "%{customdata[" + name + "]}<br>%{text}<extra></extra>";
    }
    return Plotly.update(map, change, { dragmode: narrow.matches ? false : "pan" }, [0]);
  }
  function keep(number) {
    kept = number;
    departmentMenu.value = String(number);
    showDetails(number);
    return Plotly.restyle(map, lineUpdate(), [0]);
  }

  fillMenus();
  showLegend();
  showDetails(-1);
  const dictionary = { "Zoom in": "Agrandir", "Zoom out": "Réduire", "Reset": "Toute la carte",
    "Download plot as a PNG": "Enregistrer l’image (PNG)" };
  Plotly.newPlot(map, page.data, page.layout, {
    responsive: true, displaylogo: false, scrollZoom: false, locale: "fr", locales: { fr: { dictionary } },
    modeBarButtons: [["zoomInGeo", "zoomOutGeo", "resetGeo", "toImage"]],
  }).then(update).then(() => {
    map.on("plotly_hover", (event) => { if (kept < 0) showDetails(event.points[0].pointNumber); });
    map.on("plotly_unhover", () => { if (kept < 0) showDetails(-1); });
    map.on("plotly_click", (event) => keep(event.points[0].pointNumber));
    layerMenu.addEventListener("change", () => {
      layer = Number(layerMenu.value);
      showLegend();
      showDetails(kept);
      update();
    });
    departmentMenu.addEventListener("change", () => {
      forgetHover();
      keep(Number(departmentMenu.value));
    });
    narrow.addEventListener("change", update);
    element("zoom").hidden = !page.region;
    element("zoom").addEventListener("click", () => {
      enlarged = !enlarged;
      forgetHover();
      const view = enlarged ? page.region : whole;
      Plotly.relayout(map, {
        "geo.center": Object.assign({}, view.center), "geo.projection.scale": 1,
        "geo.lonaxis.range": view.lonaxis.range.slice(), "geo.lataxis.range": view.lataxis.range.slice(),
      });
      element("zoom").textContent = enlarged ? "Toute la France" : "Agrandir l’Île-de-France";
      element("zoom").setAttribute("aria-pressed", String(enlarged));
    });
    document.body.dataset.ready = "yes";
  });
})();
</script>
</body>
</html>
""")
