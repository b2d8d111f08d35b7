"""The map's page, judged by what Plotly is given and by what stands in the page."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import plotly.offline
import pytest

from election_assets.visuals.department_layers import MapData
from election_assets.visuals.department_map import ASSETS, department_map_figure, restyle
from tests.unit.visuals.pages import (
    ATTACK,
    FRENCH,
    Page,
    make_map,
    make_placed,
    map_files,
    nothing,
    results,
    shapes,
)

BUNDLE = ASSETS / "plotly-geo.min.js"


@pytest.fixture(scope="module")
def data() -> MapData:
    return make_map()


@pytest.fixture(scope="module")
def files(data) -> dict[str, bytes]:
    return map_files(data)


@pytest.fixture(scope="module")
def page(files) -> Page:
    return Page(files["department_map.html"])


def names(data: MapData) -> list[str]:
    """The departments as the tables and menus call them, in the order of their codes."""
    assert data.departments[0].name == "Ain (01)"
    return [one.name for one in data.departments]


def drawn(page: Page) -> dict[str, Any]:
    """What the page gives to its script; NaN is no JSON and is refused."""

    def refuse(name: str) -> None:
        raise AssertionError(name)

    (written,) = page.one("script", id="page").children
    return json.loads(written, parse_constant=refuse)


@pytest.fixture(scope="module")
def given(page) -> dict[str, Any]:
    return drawn(page)


def test_the_figure_is_one_that_plotly_takes(data):
    figure = department_map_figure(data, shapes(), FRENCH)
    # Plotly's own checks of names and values.
    again = go.Figure(json.loads(figure.to_json()))
    shown = again.data[0]
    assert list(shown.locations) == data.codes
    assert list(shown.z) == data.layers[0].places
    assert list(shown.text) == data.layers[0].texts
    assert [name for name, _ in data.layers[0].classes]
    assert len(shown.geojson["features"]) == len(data.codes) == 107
    assert (shown.zmin, shown.zmax) == (-0.5, len(data.layers[0].classes) - 0.5)


def test_every_layer_is_a_restyle_that_plotly_takes(data):
    figure = department_map_figure(data, shapes(), FRENCH)
    for one in data.layers:
        change = restyle(one)
        figure.update_traces(
            {name: value[0] if isinstance(value, list) else value for name, value in change.items()},
            selector={"type": "choropleth"},
        )
        (stops,) = change["colorscale"]
        assert [stop for stop, _ in stops] == sorted(stop for stop, _ in stops)
        assert (stops[0][0], stops[-1][0]) == (0, 1)
        # The colour in the middle of a class is the class's own.
        for number, (_, colour) in enumerate(one.classes):
            assert [of for _, of in stops[2 * number : 2 * number + 2]] == [colour, colour]


def test_the_page_draws_what_the_data_tells(given, data):
    assert len(given["layers"]) == len(data.layers)
    for shown, one in zip(given["layers"], data.layers, strict=True):
        assert (shown["group"], shown["label"], shown["measure"]) == (one.group, one.label, one.measure)
        assert [tuple(kind) for kind in shown["classes"]] == one.classes
        assert shown["update"]["z"] == [one.places]
        assert shown["texts"] == one.texts
        assert shown["values"] == pytest.approx(one.values, abs=1e-5)
        assert sorted(range(107), key=lambda at: -(shown["values"][at] or 0)) == sorted(
            range(107), key=lambda at: -(one.values[at] or 0)
        )
        assert one.group in given["groups"]
    assert given["names"] == [one.name for one in data.departments]
    assert [name for name, _ in given["figures"]] == ["France entière", *(one.name for one in data.departments)]
    assert set(given["figures"][0][1]) == set(given["groups"])
    # The shapes stand in the page once.
    assert json.dumps(given).count('"properties": {"code": "971"') == 1


def test_the_menus_hold_every_layer_and_department(page, data):
    menu = page.one("select", id="layer")
    assert [group.attributes["label"] for group in menu.all("optgroup")] == [
        *("2017, 1er tour", "2017, 2d tour", "2017, du 1er au 2d tour", "Tweets")
    ]
    assert [option.attributes["value"] for option in menu.all("option")] == [str(at) for at in range(len(data.layers))]
    assert menu.all("option")[-1].words == "Tweets – Ton moyen"
    places = page.one("select", id="department").all("option")
    assert [option.words for option in places] == ["France entière", *(one.name for one in data.departments)]
    # Each menu has its label around it.
    assert [len(label.all("select")) for label in page.all("label")] == [1, 1]


def test_the_table_beside_the_map_stands_without_a_script(page, data):
    table = page.one("table", id="values")
    assert table.rows()[1:] == [list(row) for row in zip(names(data), data.layers[0].texts, strict=True)]
    first = page.one("figcaption", id="map-title").words
    assert first == "2017, 1er tour – Candidat en tête"
    assert [one.words for one in page.one("ul", id="legend").all("li")] == [name for name, _ in data.layers[0].classes]
    assert page.one("table", id="details").row("Inscrits") == ["47\u202f582\u202f183"]
    assert "Sans JavaScript" in page.one("noscript").words
    # Plotly puts buttons that take the focus into the drawing, which nothing with the role of a picture may hold.
    drawing = next(one for one in page.all("div") if one.attributes.get("id") == "map")
    assert (drawing.attributes["role"], drawing.attributes["aria-label"]) == ("group", FRENCH.text("map.drawing"))


def test_the_whole_table_holds_every_layer_and_sorts_by_numbers(page, data):
    section = page.one("section", aria_labelledby="h-whole")
    heads, *rows = section.rows()
    assert len(heads) == 1 + len(data.layers)
    assert heads[-1] == "Tweets Ton moyen"
    assert [row[0] for row in rows] == names(data)
    for number, one in enumerate(data.layers, 1):
        assert [row[number] for row in rows] == one.texts
    cells = section.all("tr")[1].all("td")
    for cell, one in zip(cells, data.layers, strict=True):
        value = one.values[0]
        assert cell.attributes["data-value"] == ("" if value is None else str(round(value, 5)))
    assert {cell.attributes["data-value"] for cell in section.all("tr")[2].all("td")[-2:]} == {""}


def test_the_share_that_is_not_placed_is_said_plainly(page):
    words = page.words.replace("\u202f", " ").replace("\u00a0", " ")
    assert "500 tweets (25,0 % de tous) sont sans département : ils ne sont pas sur la carte." in words
    assert "Tweets du 5 avril au 10 avril 2022." in words


def test_few_authors_are_said_and_not_drawn_as_nothing(page, given, data):
    at = data.codes.index("75")
    for one in given["layers"][-2:]:
        assert (one["values"][at], one["texts"][at]) == (None, "moins de 10 auteurs")
        name, colour = one["classes"][one["update"]["z"][0][at]]
        assert (name, colour) == ("moins de 10 auteurs", given["hatched_colour"])
        assert one["hatched"] == [at]
    assert list(given["hatchings"]) == [str(at)]
    assert [one["hatched"] for one in given["layers"][:-2]] == [[]] * (len(given["layers"]) - 2)
    row = page.one("section", aria_labelledby="h-whole").row("Paris (75)")
    assert row[-2:] == ["moins de 10 auteurs"] * 2


def test_no_tweets_at_all_make_a_page():
    none = nothing().figures[""]
    page = Page(map_files(make_map(tweets=make_placed(), placed=make_placed(), total=none))["department_map.html"])
    assert drawn(page)["layers"][-1]["classes"] == [["aucun tweet placé", "#faf0c8"]]
    assert "nan" not in page.spoken.lower().split()


def test_one_round_alone_makes_a_page():
    page = Page(map_files(make_map(results=results()[results()["round"] == 2]))["department_map.html"])
    assert {layer["group"] for layer in drawn(page)["layers"]} == {"2", "tweets"}
    assert page.one("figcaption", id="map-title").words.startswith("2017, 2d tour")


def test_no_tone_makes_a_page_without_it():
    page = Page(map_files(make_map(toned=False))["department_map.html"])
    assert "Ton moyen" not in [option.words.split(" – ")[-1] for option in page.all("option")]


def test_the_capitals_region_can_be_enlarged(given):
    west, east = given["region"]["lonaxis"]["range"]
    south, north = given["region"]["lataxis"]["range"]
    assert west < 2.35 < east
    assert south < 48.86 < north
    assert (east - west) < (
        given["layout"]["geo"]["lonaxis"]["range"][1] - given["layout"]["geo"]["lonaxis"]["range"][0]
    ) / 3


def test_a_map_without_that_region_has_no_button_for_it():
    country = {**shapes(), "features": [one for one in shapes()["features"] if one["properties"]["code"] == "33"]}
    table = results()[results()["department"] == "33"]
    page = Page(
        map_files(make_map(results=table, geojson=country, tweets=make_placed()), geojson=country)[
            "department_map.html"
        ]
    )
    assert drawn(page)["region"] is None


def test_overseas_shapes_and_squares_are_labelled(data):
    figure = department_map_figure(data, shapes(), FRENCH)
    labels = figure.data[1].text
    assert {"Guadeloupe", "Martinique", "Guyane", "La Réunion", "Mayotte"} < set(labels)
    bold = {found for label in labels for found in re.findall("<b>(.*?)</b>", label)}
    assert bold == {"975", "977-978", "986", "987", "988", "ZZ"}
    assert "<b>ZZ</b><br>Étranger" in labels


def test_the_short_names_of_the_catalogue_are_those_of_places_there_are():
    codes = {feature["properties"]["code"] for feature in shapes()["features"]}
    assert set(FRENCH.table("map_places")) < codes


def test_no_line_can_break_before_a_french_mark(page, given):
    assert not re.findall(r"\w [:;?!»%](?=\W)", page.spoken)
    assert not re.findall(r"\w [:;?!»%](?=\W)", json.dumps([given["words"], given["groups"]], ensure_ascii=False))


def hostile(text: str) -> Page:
    edited = results().assign(candidate=results()["candidate"].replace("MACRON", text))
    renamed = {
        **shapes(),
        "features": [
            {**feature, "properties": {**feature["properties"], "name": f"{text} {number}"}}
            for number, feature in enumerate(shapes()["features"])
        ],
    }
    return Page(map_files(make_map(results=edited, geojson=renamed), geojson=renamed)["department_map.html"])


def test_foreign_text_is_text_in_the_page_and_in_its_script():
    harmless, attacked = hostile("qzqz"), hostile(ATTACK)
    assert [(one.tag, list(one.attributes)) for one in attacked.walk()] == [
        (one.tag, list(one.attributes)) for one in harmless.walk()
    ]
    assert attacked.html.count("</script>") == harmless.html.count("</script>")
    (written,) = attacked.one("script", id="page").children
    assert "<" not in written
    given = drawn(attacked)
    assert any(ATTACK.replace("'", "’") in name for name in given["names"])


def test_foreign_text_holds_no_tag_or_link_for_plotly():
    """Plotly reads tags in its texts; the page's script escapes those of the other layers likewise."""
    link = '<a href="https://evil.example">MACRON</a>'
    given = drawn(hostile(link))
    shown = [*given["data"][0]["text"], *given["data"][0]["customdata"], *given["data"][1]["text"]]
    own = re.compile(r"</?b>|<br>")
    assert any("&lt;a href=" in text for text in shown)
    assert not any("<" in own.sub("", text) for text in shown)
    assert set(given["layers"][0]["update"]) == {"z", "colorscale", "zmin", "zmax"}
    script = (ASSETS / "map.js").read_text(encoding="utf-8")
    assert "texts.map(plain)" in script
    assert not re.search(r"innerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function", script)


def test_the_page_asks_for_files_beside_it_alone(files, page):
    assert set(files) == {"department_map.html", "assets/map.js", "assets/plotly-geo.min.js"}
    assert [one.attributes["src"] for one in page.all("script") if "src" in one.attributes] == [
        *("assets/site.js", "assets/plotly-geo.min.js", "assets/map.js")
    ]
    assert all("defer" in one.attributes for one in page.all("script") if "src" in one.attributes)
    assert "topojsonURL" not in files["assets/map.js"].decode()
    assert "https:" not in files["assets/map.js"].decode()
    # What a phone loads for the map, all in all.
    weight = sum(len(content) for content in files.values())
    assert weight + sum(len((ASSETS / name).read_bytes()) for name in ("site.css", "site.js")) < 2_000_000


def version(script: str) -> str:
    found = re.search(r"plotly\.js (?:\(.*?\) )?v(\d+\.\d+\.\d+)", script[:400])
    assert found
    return found[1]


def test_the_bundle_is_of_the_version_that_plotly_brings():
    bundled = BUNDLE.read_text(encoding="utf-8")
    assert "geo - minified" in bundled[:200]
    assert version(bundled) == version(plotly.offline.get_plotlyjs())


def test_the_bundles_source_version_and_hash_are_written_down():
    readme = (ASSETS / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"\b[0-9a-f]{64}\b", readme) == [hashlib.sha256(BUNDLE.read_bytes()).hexdigest()]
    assert f"npm `plotly.js-geo-dist-min` {version(BUNDLE.read_text(encoding='utf-8'))}" in readme
    third_party = (Path(__file__).parents[3] / "THIRD_PARTY.md").read_text(encoding="utf-8")
    assert f"plotly.js-geo-dist-min` {version(BUNDLE.read_text(encoding='utf-8'))}" in third_party


def test_rows_can_be_found_by_their_names(data):
    assert pd.Series(data.names).is_unique
