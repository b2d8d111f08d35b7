"""The department map: a Plotly figure of the first layer, and the page that restyles it, with its tables."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from election_assets.transforms.results import bundled_departments
from election_assets.visuals.catalogue import Catalogue
from election_assets.visuals.department_layers import CHANGE, FLOOR_COLOUR, TWEETS, Layer, MapData
from election_assets.visuals.shapes import exteriors, hatching, latitude_of, mercator
from election_assets.visuals.site import Head, render

if TYPE_CHECKING:
    import plotly.graph_objects as go

ASSETS = Path(__file__).parent / "assets"
SCRIPTS = ("plotly-geo.min.js", "map.js")
"""The geo bundle of plotly.js (npm plotly.js-geo-dist-min, MIT), and what drives it."""

REGION = "Île-de-France"
"""The region whose departments are too small to be pointed at on the whole map."""

HATCH_COLOUR = "#808080"

FONT = {"family": "system-ui, 'Segoe UI', Roboto, 'Noto Sans', sans-serif", "size": 12}


def department_map_figure(data: MapData, geojson: Mapping, catalogue: Catalogue) -> go.Figure:
    """The first layer as a choropleth, the names of the places that are not drawn where they lie, and lines to come.

    The last three traces are empty: the hatching of the departments of too few authors, which the first layer has none
    of, and the outline of the one that a reader pins, which is drawn twice so that it shows on light and dark fills.

    Args:
        data: What the map tells.
        geojson: Shapes whose features have the property `code`.
        catalogue: Gives the short names.
    """
    import plotly.graph_objects as go

    # The room at the south is for the names beneath the lowest shapes.
    west, south, east, north = _bounds(geojson["features"])
    figure = go.Figure(
        go.Choropleth(
            geojson=dict(geojson),
            featureidkey="properties.code",
            locations=data.codes,
            customdata=[escape(name, quote=False) for name in data.names],
            text=[escape(text, quote=False) for text in data.layers[0].texts],
            marker={"line": {"color": "#ffffff", "width": 0.6}},
            showscale=False,
            hovertemplate="<b>%{customdata}</b><br>%{text}<extra></extra>",
            **{name: value[0] if isinstance(value, list) else value for name, value in restyle(data.layers[0]).items()},
        )
    )
    figure.add_trace(_labels(geojson, catalogue.table("map_places")))
    figure.add_trace(_lines(HATCH_COLOUR, 1))
    figure.add_trace(_lines("#ffffff", 6))
    figure.add_trace(_lines("#1a1a1a", 2.5))
    figure.update_layout(
        font=FONT,
        paper_bgcolor="rgba(0,0,0,0)",
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        geo={
            **{"visible": False, "bgcolor": "rgba(0,0,0,0)", "projection": {"type": "mercator"}},
            **_view(west - 0.3, south - 0.11 * (north - south), east + 0.3, north + 0.15),
        },
    )
    return figure


def _lines(colour: str, width: float) -> go.Scattergeo:
    import plotly.graph_objects as go

    line = {"color": colour, "width": width}
    return go.Scattergeo(lon=[], lat=[], mode="lines", line=line, hoverinfo="skip", showlegend=False)


def hatched(layer: Layer) -> list[int]:
    """Numbers of the departments of too few authors."""
    return [number for number, place in enumerate(layer.places) if layer.classes[place][1] == FLOOR_COLOUR]


def restyle(layer: Layer) -> dict[str, Any]:
    """What turns the choropleth trace into this layer, but for its texts, in the form of Plotly's restyle."""
    count = len(layer.classes)
    stops = []
    for index, (_, colour) in enumerate(layer.classes):
        stops += [[index / count, colour], [(index + 1) / count, colour]]
    return {"z": [layer.places], "colorscale": [stops], "zmin": -0.5, "zmax": count - 0.5}


def department_map_files(
    data: MapData, geojson: Mapping, head: Head, catalogue: Catalogue, *, period: str
) -> dict[str, bytes]:
    """The map's page and scripts, by path in the site; it asks for nothing but files beside it.

    Args:
        data: What the map tells.
        geojson: The shapes.
        head: What every page tells.
        catalogue: Gives the words.
        period: When the tweets were written, such as `du 27 mars au 9 avril 2022`; empty without any.
    """
    content = department_map_figure(data, geojson, catalogue).to_plotly_json()
    content["layout"].pop("template", None)
    groups = {"1": "map.round_1", "2": "map.round_2", CHANGE: "map.change", TWEETS: "map.tweets_group"}
    names = [figures.name for figures in data.departments]
    of_few = sorted({number for layer in data.layers for number in hatched(layer)})
    page = {
        "data": content["data"],
        "layout": content["layout"],
        "names": names,
        "layers": [
            {
                "group": layer.group,
                "label": layer.label,
                "measure": layer.measure,
                "classes": layer.classes,
                "update": restyle(layer),
                "texts": layer.texts,
                "values": _sort_keys(layer),
                "hatched": hatched(layer),
            }
            for layer in data.layers
        ],
        "groups": {key: catalogue.text(label) for key, label in groups.items()},
        "figures": [[figures.name, figures.groups] for figures in (data.nation, *data.departments)],
        "hatchings": {number: hatching(geojson["features"][number]) for number in of_few},
        "hatched_colour": FLOOR_COLOUR,
        "region": _region_view(geojson, REGION),
        "words": catalogue.table("map_script"),
    }
    embedded = json.dumps(page, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    html = render(
        "department_map.html",
        "department_map.html",
        head,
        catalogue,
        {
            "period": period,
            "unplaced": data.unplaced,
            "unplaced_share": data.unplaced / data.tweets if data.tweets else None,
            "layer": data.layers[0],
            "hatched_colour": FLOOR_COLOUR,
            "groups": [
                (
                    catalogue.text(label),
                    [(number, one.label) for number, one in enumerate(data.layers) if one.group == key],
                )
                for key, label in groups.items()
                if any(one.group == key for one in data.layers)
            ],
            "group_name": catalogue.text(groups[data.layers[0].group]),
            "places": list(enumerate(names)),
            "rows": list(zip(names, data.layers[0].texts, _sort_keys(data.layers[0]), strict=True)),
            "nation": data.nation,
            "nation_rows": data.nation.groups[data.layers[0].group],
            "whole": _whole_table(data),
            # Inside a script element only `<` can end it; JSON may write it as an escape.
            "page": embedded.replace("<", "\\u003c"),
        },
    )
    return {"department_map.html": html.encode()} | {f"assets/{name}": (ASSETS / name).read_bytes() for name in SCRIPTS}


def _whole_table(data: MapData) -> dict[str, Any]:
    """Every layer's figures in one table: the heads, and a row a department of printed values and sort keys."""
    keys = [_sort_keys(layer) for layer in data.layers]
    return {
        "heads": [(layer.group, layer.label) for layer in data.layers],
        "rows": [
            (name, [(layer.texts[number], of[number]) for layer, of in zip(data.layers, keys, strict=True)])
            for number, name in enumerate(figures.name for figures in data.departments)
        ],
    }


def _sort_keys(layer: Layer) -> list[float | None]:
    """The values in as many digits as tell them apart: all of them are a tenth of what the page weighs."""
    return [None if value is None else round(value, 5) for value in layer.values]


def _bounds(features: Sequence[Mapping]) -> tuple[float, float, float, float]:
    """West, south, east, north."""
    points = [point for feature in features for ring in exteriors(feature) for point in ring]
    lons, lats = zip(*points, strict=True)
    return min(lons), min(lats), max(lons), max(lats)


def _view(west: float, south: float, east: float, north: float) -> dict[str, Any]:
    """What Plotly's geo layout needs to show these bounds; the middle is Mercator's, which is not the latitudes'."""
    middle = latitude_of((mercator(south) + mercator(north)) / 2)
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


def _labels(geojson: Mapping, short_names: Mapping[str, str]) -> go.Scattergeo:
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
        place = short_names.get(code) or escape(name.replace("'", "’"))
        texts.append(place if kind == "overseas department" else f"<b>{escape(code)}</b><br>{place}")
    return go.Scattergeo(
        **{"lon": lons, "lat": lats, "text": texts, "mode": "text", "textposition": "bottom center"},
        **{"textfont": {"size": 10, "color": "#1a1a1a"}, "hoverinfo": "skip", "showlegend": False},
    )
