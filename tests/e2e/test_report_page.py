"""The report as `make run` writes it, opened from its folder without a network, from a phone to a wide screen."""

import json

import pytest

from election_assets.election import load_election

pytestmark = pytest.mark.e2e

COLUMNS = {
    "Reçus": "received",
    "Répétitions": "repeats",
    "Quarantaine": "quarantined",
    "Gardés": "kept",
    "Livraisons répétées": "repeated_deliveries",
}
"""Columns of the tables of counts, and what `run.json` calls them."""
SHAPES = "#map .choroplethlayer path.choroplethlocation"


@pytest.fixture(params=[390, 768, 1440])
def page(request, open_page, data_root):
    page = open_page(request.param)
    page.goto((data_root / "report" / "index.html").as_uri())
    return page


@pytest.fixture
def record(data_root):
    return json.loads((data_root / "report" / "run.json").read_text(encoding="utf-8"))


def width(page):
    return page.viewport_size["width"]


def counts(table):
    """The rows of a table of counts: a name and its numbers by what `run.json` calls them."""
    heads = table.locator("thead th").all_inner_texts()
    rows = {}
    for row in table.locator("tbody tr, tfoot tr").all():
        cells = dict(zip(heads[1:], row.locator("td").all_text_contents(), strict=True))
        rows[row.locator("th").inner_text()] = {
            name: int("".join(cells[head].split())) for head, name in COLUMNS.items()
        }
    return rows


def test_the_page_is_as_wide_as_its_window(page, screenshots):
    for picture in page.locator("img").all():
        picture.scroll_into_view_if_needed()
    page.locator("iframe.map").scroll_into_view_if_needed()
    page.frame_locator("iframe.map").locator("body[data-ready=yes]").wait_for()
    page.screenshot(path=screenshots / f"report_{width(page)}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= width(page)
    map_page = page.frame_locator("iframe.map").locator("html")
    assert map_page.evaluate("page => page.scrollHeight <= page.clientHeight")
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width(page)


def test_the_map_draws_every_department_once_it_is_scrolled_to(page):
    page.locator("iframe.map").scroll_into_view_if_needed()
    map_page = page.frame_locator("iframe.map")
    map_page.locator("body[data-ready=yes]").wait_for()
    assert map_page.locator(SHAPES).count() == 107
    sizes = map_page.locator(SHAPES).evaluate_all("all => all.map(one => one.getBoundingClientRect().width)")
    assert min(sizes) > 0


def test_every_picture_is_loaded_and_told_in_words(page):
    pictures = page.locator("img")
    assert pictures.count() == 14
    # A picture in a closed part of the page is not loaded before a reader opens it.
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    for picture in pictures.all():
        picture.scroll_into_view_if_needed()
        page.wait_for_function("image => image.complete", arg=picture.element_handle())
        assert picture.evaluate("image => image.naturalWidth") == 1200
        assert picture.get_attribute("alt").startswith("Nuage de mots")


def test_every_table_has_a_caption(page):
    tables = page.locator("table")
    assert tables.count() >= 6
    captions = tables.evaluate_all("all => all.map(one => one.caption ? one.caption.textContent.trim() : '')")
    assert all(captions)
    assert len(set(captions)) == len(captions)


@pytest.mark.parametrize(
    ("caption", "part"), [("Depuis le début de la collecte", "root"), ("Depuis le rapport précédent", "run")]
)
def test_the_counts_are_those_of_the_run_s_record(open_page, data_root, record, caption, part):
    page = open_page(1440)
    page.goto((data_root / "report" / "index.html").as_uri())
    names = {candidate.key: candidate.name for candidate in load_election("fr_2022").candidates}
    recorded = {names[key]: found[part] for key, found in record["candidates"].items()}
    assert len(recorded) == 13
    recorded["Ensemble"] = record["total"][part]
    expected = {name: {column: found[column] for column in COLUMNS.values()} for name, found in recorded.items()}
    assert counts(page.locator("table").filter(has_text=caption)) == expected
    assert record["total"]["root"]["received"] >= 800
