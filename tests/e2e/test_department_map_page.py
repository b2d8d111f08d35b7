"""The map's page in a real browser without a network: what is drawn, what changes, what a reader can read."""

import re

import pandas as pd
import pytest

from election_assets.transforms.results import bundled_results, bundled_shapes
from election_assets.visuals.department_map import department_map_html

pytestmark = pytest.mark.e2e

SHAPES = "#map .choroplethlayer path.choroplethlocation"


@pytest.fixture(scope="module")
def html_file(tmp_path_factory):
    tweets = pd.DataFrame({"department": ["01", "13", "75"], "tweets": [120, 2400, 3300]})
    html = department_map_html(
        bundled_results(),
        bundled_shapes(),
        note="Données d’exemple synthétiques",
        tweets_by_department=tweets,
        tweets_period="du 27 mars au 9 avril 2022",
    )
    path = tmp_path_factory.mktemp("map") / "department_map.html"
    path.write_text(html, encoding="utf-8")
    return path


@pytest.fixture(params=[390, 768, 1440])
def page(request, open_page, html_file):
    page = open_page(request.param)
    page.goto(html_file.as_uri())
    page.wait_for_selector("body[data-ready=yes]")
    return page


def fills(page):
    return page.eval_on_selector_all(SHAPES, "paths => paths.map(path => getComputedStyle(path).fill)")


def choose(page, label):
    page.select_option("#layer", label=label)
    page.wait_for_function("label => document.getElementById('title').textContent === label", arg=label)


def test_all_107_shapes_are_drawn_inside_the_map_and_none_fills_the_world(page):
    boxes = page.eval_on_selector_all(
        SHAPES, "paths => paths.map(path => { const b = path.getBoundingClientRect(); return [b.width, b.height]; })"
    )
    assert len(boxes) == 107
    map_box = page.locator("#map").bounding_box()
    for width, height in boxes:
        assert 1 < width < map_box["width"] / 4
        assert 1 < height < map_box["height"] / 4
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]


def test_every_shape_and_label_lies_within_the_map(page):
    outside = page.evaluate(
        """shapes => {
            const map = document.getElementById("map").getBoundingClientRect();
            const labels = document.querySelectorAll("#map .scatterlayer text");
            const drawn = [...document.querySelectorAll(shapes), ...labels];
            return drawn.filter(one => {
                const box = one.getBoundingClientRect();
                return box.left < map.left || box.right > map.right || box.top < map.top || box.bottom > map.bottom;
            }).length;
        }""",
        SHAPES,
    )
    assert outside == 0
    assert page.locator("#map .scatterlayer text").count() == 11


def test_switching_the_layer_changes_colours_and_legend(page):
    leading = fills(page)
    assert len(set(leading)) == 4
    assert "MACRON (44 sur 107)" in page.inner_text("#legend")
    choose(page, "1er tour – Participation (% des inscrits)")
    turnout = fills(page)
    assert len(set(turnout)) == 6
    assert turnout != leading
    assert re.search(r"moins de 77,3\u202f%", page.inner_text("#legend"))
    choose(page, "2d tour – Candidat en tête")
    assert len(set(fills(page))) == 2
    assert page.inner_text("h1") == "Présidentielle 2017\u00a0: le vote par département"
    assert "candidats\u00a0: %\u00a0des exprimés" in page.inner_text("#bases")
    choose(page, "Tweets – Tweets pour 100\u202f000 habitants, du 27 mars au 9 avril 2022")
    assert page.inner_text("h1") == "Les tweets par département"
    assert not page.is_visible("#bases")
    assert (fills(page).count("rgb(212, 212, 212)"), fills(page).count("rgb(250, 240, 200)")) == (1, 103)
    assert page.inner_text("#legend li >> nth=0") == "aucun tweet placé"
    assert "pas de donnée" in page.inner_text("#legend")


def test_hover_tells_french_figures(page):
    number = page.evaluate("document.getElementById('map').data[0].locations.indexOf('33')")
    page.locator(SHAPES).nth(number).scroll_into_view_if_needed()
    box = page.locator(SHAPES).nth(number).bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.55, box["y"] + box["height"] * 0.5)
    page.wait_for_selector("#map .hoverlayer .hovertext")
    text = page.locator("#map .hoverlayer .hovertext").text_content()
    assert "Gironde (33)" in text
    if page.viewport_size["width"] >= 700:
        assert re.search(r"Inscrits\u00a0: \d\u202f\d{3}\u202f\d{3}", text)
        assert re.search(r"MACRON\u00a0: \d{3}\u202f\d{3} \(\d\d,\d\d\u202f%\)", text)
    else:
        assert re.search(r"MACRON\u00a0: \d\d,\d\u202f%", text)
    details = page.inner_text("#details")
    assert "Gironde (33)" in details
    assert re.search(r"MACRON\s+\d{3}\u202f\d{3} \(\d\d,\d\d\u202f%\)", details)
    assert len(page.query_selector_all("#details tr")) == 6 + 11


def test_the_menu_of_departments_shows_one_and_goes_back(page):
    page.select_option("#department", label="Français établis hors de France (ZZ)")
    assert "Français établis hors de France (ZZ)" in page.inner_text("#details")
    page.select_option("#department", label="France entière")
    assert re.search(r"Inscrits\s+47\u202f582\u202f183", page.inner_text("#details"))


def test_the_capital_s_region_can_be_enlarged_and_left(page):
    paris = page.evaluate("document.getElementById('map').data[0].locations.indexOf('75')")
    before = page.locator(SHAPES).nth(paris).bounding_box()["width"]
    page.click("#zoom")
    page.wait_for_function(
        "([shapes, number, width]) => document.querySelectorAll(shapes)[number].getBoundingClientRect().width > width",
        arg=[SHAPES, paris, 3 * before],
    )
    page.click("#zoom")
    page.wait_for_function(
        "([shapes, number, width]) => document.querySelectorAll(shapes)[number].getBoundingClientRect().width < width",
        arg=[SHAPES, paris, before + 1],
    )


def test_the_note_and_the_source_are_visible(page):
    assert page.locator(".note").inner_text() == "Données d’exemple synthétiques"
    assert "Source\N{NO-BREAK SPACE}: ministère de l’Intérieur, Licence Ouverte" in page.locator("footer").inner_text()
