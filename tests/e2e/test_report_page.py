"""The report as `make run` writes it, opened from its folder without a network, from a phone to a wide screen."""

import json
import posixpath
import re
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote

import pytest
from axe_playwright_python.sync_playwright import Axe

from election_assets.election import load_election
from tests.unit.visuals.pages import FRENCH, Page, targets

pytestmark = pytest.mark.e2e

COLUMNS = {
    "Reçus": "received",
    "Répétitions": "repeats",
    "Quarantaine": "quarantined",
    "Gardés": "kept",
    "Livraisons répétées": "repeated_deliveries",
}
"""Columns of the tables of counts, and what `run.json` calls them."""
WIDTHS = (390, 768, 1440)
MOST_BYTES = 2_000_000
"""Of a first visit: the first page with all that it loads."""
KINDS = {
    "index": "index.html",
    "candidate": "candidates/melenchon.html",
    "map": "department_map.html",
    "method": "method.html",
}
LEAST_TARGET = 24
"""Pixels of what a finger or mouse must hit (WCAG 2.2, 2.5.8)."""


@pytest.fixture(scope="module")
def report(data_root):
    return data_root / "report"


@pytest.fixture(scope="module")
def record(report):
    return json.loads((report / "run.json").read_text(encoding="utf-8"))


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture(params=WIDTHS)
def width(request):
    return request.param


def show(page, folder, path, scheme="light"):
    """Opens a page of the report and waits until its scripts are done and its pictures are drawn."""
    page.emulate_media(color_scheme=scheme)
    page.goto((folder / path).as_uri())
    page.locator("body[data-ready=yes]" if path == KINDS["map"] else "html[data-ready=yes]").wait_for()
    page.evaluate("Promise.all([...document.images].map(image => image.decode()))")
    return page


def loaded_files(page, folder, path):
    """The files that a page asks for, itself included."""
    asked = set()
    page.on("request", lambda request: asked.add(request.url))
    show(page, folder, path)
    return [Path(unquote(url.removeprefix("file://"))) for url in asked if url.startswith("file:")]


def axe(page):
    """What axe-core finds; it would fetch the stylesheet anew, which no page may that is opened from disk."""
    return Axe().run(page, options={"resultTypes": ["violations"], "preload": False})


def open_details(page):
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")


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


def column(table, number):
    return [row.split("\t")[number] for row in table.locator("tbody tr").all_inner_texts()]


def tab_to(page, selector, most=40):
    """Presses Tab until the focus is on an element."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"{most} times Tab do not reach {selector}")


# Every page


def test_a_page_is_as_wide_as_its_window(open_page, report, screenshots, kind, width):
    page = show(open_page(width), report, KINDS[kind])
    page.screenshot(path=screenshots / f"{kind}_{width}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    open_details(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("kind", ["index", "map"], indirect=True)
def test_a_page_is_dark_for_readers_who_ask_for_it(open_page, report, screenshots, kind, width):
    page = show(open_page(width), report, KINDS[kind], "dark")
    page.screenshot(path=screenshots / f"{kind}_{width}_dark.png", full_page=True)
    red, green, blue = map(int, re.findall(r"\d+", page.evaluate("getComputedStyle(document.body).backgroundColor")))
    assert max(red, green, blue) < 64


def test_clouds_are_dark_where_the_page_is(open_page, report):
    page = show(open_page(768), report, "index.html")
    cloud = page.locator(".cloud img")
    shown = "image => getComputedStyle(image).filter"
    assert cloud.evaluate(shown) == "none"
    page.emulate_media(color_scheme="dark")
    assert cloud.evaluate(shown).startswith("invert(")
    page.emulate_media(media="print", color_scheme="dark")
    assert cloud.evaluate(shown) == "none"


def test_a_row_of_the_lineage_is_not_cut_on_a_phone(open_page, report):
    page = show(open_page(390), report, "method.html")
    right = "all => all.map(one => one.getBoundingClientRect().right)"
    arrow = page.evaluate("getComputedStyle(document.querySelector('.lineage li'), '::after').right.replace('px', '')")
    assert float(arrow) < 0
    assert max(page.locator(".lineage li").evaluate_all(right)) - float(arrow) <= 390


def test_a_printed_page_has_no_menus_and_hides_no_column(open_page, report, screenshots, kind):
    page = show(open_page(720), report, KINDS[kind])
    page.emulate_media(media="print", color_scheme="dark")
    page.screenshot(path=screenshots / f"{kind}_print.png", full_page=True)
    assert not page.locator("header nav").is_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("document.documentElement.scrollWidth") <= 720
    assert page.locator("select, button:not(th button)").filter(visible=True).count() == 0
    cut = "all => all.filter(one => one.scrollHeight > one.clientHeight + 1).map(one => one.textContent)"
    assert page.locator(".scroll").evaluate_all(cut) == []


def test_every_link_of_every_page_leads_to_a_page_or_file_of_the_report(open_page, report):
    files = sorted(path.relative_to(report).as_posix() for path in report.rglob("*.html"))
    assert len(files) == 3 + 13
    asked = {path: Page((report / path).read_bytes()) for path in files}
    for path, page in asked.items():
        for target, anchor in targets(page, path):
            assert (report / target).is_file(), (path, target)
            assert not anchor or anchor in asked[target].ids, (path, target, anchor)

    # What the files promise, a browser does: from the first page through the menus to all others.
    page, seen, left = open_page(1440), set(), ["index.html"]
    while left:
        path = left.pop()
        seen.add(path)
        show(page, report, path)
        loaded = page.evaluate("[...document.images].every(image => image.naturalWidth > 0)")
        assert loaded, path
        for link in page.locator("a[href]").evaluate_all("all => all.map(one => one.href)"):
            target = posixpath.relpath(unquote(link.removeprefix("file://").partition("#")[0]), report)
            if target.endswith(".html") and target not in seen and target not in left:
                left.append(target)
    assert sorted(seen) == files


def test_links_between_pages_and_to_definitions_can_be_followed(open_page, report):
    page = show(open_page(390), report, "index.html")
    page.locator("#h-ranking ~ .scroll a", has_text="Mélenchon").click()
    page.wait_for_url("**/candidates/melenchon.html")
    assert page.inner_text("h1") == "Jean-Luc Mélenchon"
    page.locator("a.measured[href$='#tweets']").first.click()
    page.wait_for_url("**/method.html#tweets")
    assert page.locator("#tweets dt").is_visible()
    page.locator("header a", has_text="Carte").click()
    page.wait_for_url("**/department_map.html")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault(open_page, report, kind, scheme):
    page = show(open_page(1440), report, KINDS[kind], scheme)
    for opened in (False, True):
        if opened:
            open_details(page)
        found = axe(page)
        grave = [one for one in found.response["violations"] if one["impact"] in ("serious", "critical")]
        assert not grave, f"{kind}, {scheme}, details open: {opened}\n{found.generate_report()}"


def test_axe_finds_no_serious_fault_on_a_phone(open_page, report, kind):
    page = show(open_page(390), report, KINDS[kind])
    open_details(page)
    found = axe(page)
    assert not [one for one in found.response["violations"] if one["impact"] in ("serious", "critical")], (
        found.generate_report()
    )


def test_a_page_says_what_it_is_to_machines(open_page, report, kind):
    page = show(open_page(390), report, KINDS[kind])
    assert page.get_attribute("html", "lang") == "fr"
    assert re.fullmatch(r".{3,60} – Élection présidentielle française de 2022", page.title())
    assert 20 <= len(page.get_attribute("meta[name=description]", "content")) <= 160
    assert page.get_attribute("meta[name=viewport]", "content") == "width=device-width, initial-scale=1"
    assert page.evaluate("document.characterSet") == "UTF-8"
    levels = [
        int(name[1]) for name in page.locator("h1, h2, h3, h4").evaluate_all("all => all.map(one => one.tagName)")
    ]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(level <= before + 1 for before, level in pairwise(levels))
    names = page.locator("a[href]").evaluate_all("all => all.map(one => (one.ariaLabel || one.textContent).trim())")
    assert all(names)
    for picture in page.locator("img").all():
        assert picture.get_attribute("alt").startswith("Nuage de mots")
        assert [picture.get_attribute(name) for name in ("width", "height")] == ["1200", "675"]
        assert picture.evaluate("image => [image.naturalWidth, image.naturalHeight]") == [1200, 675]


def test_titles_and_descriptions_tell_the_pages_apart(report):
    pages = [Page(path.read_bytes()) for path in report.rglob("*.html")]
    assert len({page.one("head").one("title").words for page in pages}) == len(pages)
    assert len({page.one("meta", name="description").attributes["content"] for page in pages}) == len(pages)


def test_nothing_moves_while_a_page_loads(open_page, report, kind, width):
    page = open_page(width)
    page.add_init_script(
        """window.shifts = 0;
        new PerformanceObserver(list => list.getEntries().forEach(one => { window.shifts += one.value; }))
            .observe({ type: "layout-shift", buffered: true });"""
    )
    show(page, report, KINDS[kind])
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert page.evaluate("window.shifts") <= 0.1


def test_what_is_to_be_hit_is_large_enough(chromium, report, kind):
    context = chromium.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, offline=True)
    page = show(context.new_page(), report, KINDS[kind])
    open_details(page)
    small = page.evaluate(
        """least => [...document.querySelectorAll("a[href], button, select, summary")].filter(one => {
            const box = one.getBoundingClientRect();
            // A link within a sentence, and one that shows itself when it has the focus, may be as small as the text.
            const within = getComputedStyle(one).display === "inline" && one.closest("p, li, dd");
            const unseen = box.width === 0 || one.matches(".skip");
            return !unseen && !within && (box.width < least || box.height < least);
        }).map(one => `${one.outerHTML.slice(0, 120)} ${JSON.stringify(one.getBoundingClientRect())}`)""",
        LEAST_TARGET,
    )
    context.close()
    assert small == []


def test_the_first_page_with_all_it_loads_is_small(open_page, report):
    page, asked = open_page(1440), []
    page.on("requestfinished", lambda request: asked.append(request.url))
    show(page, report, "index.html")
    files = [
        report / posixpath.relpath(unquote(url.removeprefix("file://")), report) for url in asked if "file:" in url
    ]
    assert {path.name for path in files} == {"index.html", "site.css", "site.js", "word_cloud.png"}
    assert sum(path.stat().st_size for path in files) <= MOST_BYTES


def test_the_map_with_all_it_loads_is_small(open_page, report):
    page, asked = open_page(1440), set()
    page.on("requestfinished", lambda request: asked.add(request.url))
    show(page, report, KINDS["map"])
    files = [
        report / posixpath.relpath(unquote(url.removeprefix("file://")), report) for url in asked if "file:" in url
    ]
    assert "plotly-geo.min.js" in {path.name for path in files}
    assert sum(path.stat().st_size for path in files) <= 1.5 * MOST_BYTES


# The keyboard


def test_the_first_tab_offers_to_skip_to_the_content(open_page, report, kind):
    page = show(open_page(1440), report, KINDS[kind])
    page.keyboard.press("Tab")
    skip = page.locator(".skip")
    assert skip.evaluate("link => link === document.activeElement")
    assert skip.bounding_box()["x"] >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")


def test_the_menu_of_candidates_opens_leads_on_and_closes(open_page, report, width):
    page = show(open_page(width), report, "method.html")
    tab_to(page, ".menu > summary")
    page.keyboard.press("Enter")
    assert page.locator(".menu a").first.is_visible()
    for link in page.locator(".menu a").all():
        box = link.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
    page.keyboard.press("Escape")
    assert not page.locator(".menu a").first.is_visible()
    assert page.evaluate("document.activeElement.matches('.menu > summary')")
    page.keyboard.press("Enter")
    page.mouse.click(4, 990)
    assert not page.locator(".menu a").first.is_visible()
    page.locator(".menu > summary").press("Enter")
    page.keyboard.press("Tab")
    name = page.evaluate("document.activeElement.textContent")
    page.keyboard.press("Enter")
    page.wait_for_url("**/candidates/*.html")
    assert page.inner_text("h1") == name
    assert page.locator(".menu a[aria-current=page]").count() == 1


def test_a_table_is_sorted_by_its_heads(open_page, report):
    page = show(open_page(1440), report, "index.html")
    table = page.locator("table", has=page.locator("#c-ranking"))
    tweets = [int("".join(text.split())) for text in column(table, 1)]
    assert tweets == sorted(tweets, reverse=True)
    tab_to(page, "#c-ranking ~ thead button")
    page.keyboard.press("Enter")
    head = table.locator("thead th").first
    assert head.get_attribute("aria-sort") == "ascending"
    names = [text.split("\n")[0] for text in column(table, 0)]
    assert names == sorted(names, key=FRENCH.sort_key)
    page.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "descending"
    assert [text.split("\n")[0] for text in column(table, 0)] == names[::-1]
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert head.get_attribute("aria-sort") is None
    assert [one.get_attribute("aria-sort") for one in table.locator("th[aria-sort]").all()] == ["descending"]
    assert [int("".join(text.split())) for text in column(table, 1)] == tweets
    assert table.locator("tfoot th").inner_text() == "Ensemble"


def test_the_map_s_menus_and_tables_are_worked_from_the_keyboard(open_page, report):
    page = show(open_page(1440), report, KINDS["map"])
    tab_to(page, "#layer")
    page.keyboard.press("ArrowDown")
    layer = page.inner_text("#map-title")
    assert layer.endswith("Participation (% des inscrits)")
    tab_to(page, "#department")
    for name in ("Ain (01)", "Aisne (02)"):
        page.keyboard.press("ArrowDown")
        assert page.locator("#details th[scope=col]").all_inner_texts()[1:] == [name, "France entière"]
    tab_to(page, "#zoom")
    page.keyboard.press("Enter")
    page.wait_for_function("document.getElementById('zoom').textContent === 'Toute la France'")
    tab_to(page, "#values thead button")
    page.keyboard.press("Enter")
    assert page.locator("#values th[aria-sort]").count() == 1
    tab_to(page, "#values button.place")
    page.keyboard.press("Space")
    assert page.evaluate("document.activeElement.getAttribute('aria-pressed')") == "true"
    assert page.locator("#values tr.pinned").count() == 1


# What the pages tell


def test_every_table_has_a_caption(open_page, report, kind):
    page = show(open_page(1440), report, KINDS[kind])
    captions = page.locator("table").evaluate_all("all => all.map(one => one.caption?.textContent.trim() || '')")
    assert len(captions) >= 3
    assert all(captions)
    assert len(set(captions)) == len(captions)


def test_the_counts_are_those_of_the_run_s_record(open_page, report, record):
    page = show(open_page(1440), report, "method.html")
    names = {candidate.key: candidate.name for candidate in load_election("fr_2022").candidates}
    recorded = {names[key]: found["root"] for key, found in record["candidates"].items()}
    assert len(recorded) == 13
    recorded["Ensemble"] = record["total"]["root"]
    expected = {name: {column: found[column] for column in COLUMNS.values()} for name, found in recorded.items()}
    assert counts(page.locator("table", has=page.locator("#c-root"))) == expected
    # It is the first report: there is none that it could count from.
    assert record["since"] is None
    assert page.locator("#c-run").count() == 0
    assert record["total"]["root"]["received"] >= 800


def test_the_pages_can_be_read_without_scripts(chromium, report, kind):
    context = chromium.new_context(java_script_enabled=False, offline=True)
    page = context.new_page()
    page.goto((report / KINDS[kind]).as_uri())
    text = page.inner_text("main")
    tables = page.locator("main table").count()
    context.close()
    assert len(text) > 1000
    assert tables >= 3
    assert ("Sans JavaScript" in text) == (kind == "map")
