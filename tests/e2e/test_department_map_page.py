"""The map's page in a real browser without a network: what is drawn, what changes, what a reader can read and reach."""

import json
import re

import pytest

from tests.unit.visuals.pages import make_data, results, whole_site

pytestmark = pytest.mark.e2e

SHAPES = "#map .choroplethlayer path.choroplethlocation"
RATE = "Tweets – Tweets pour 100\u202f000 habitants"


@pytest.fixture(scope="module")
def html_file(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    for path, content in whole_site(make_data()).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return folder / "department_map.html"


@pytest.fixture(params=[390, 768, 1440])
def page(request, open_page, html_file):
    page = open_page(request.param)
    page.goto(html_file.as_uri())
    page.wait_for_selector("body[data-ready=yes]")
    return page


def fills(page):
    return page.eval_on_selector_all(SHAPES, "paths => paths.map(path => getComputedStyle(path).fill)")


def number_of(page, code):
    return page.evaluate("code => document.getElementById('map').data[0].locations.indexOf(code)", code)


def choose(page, label):
    before = json.dumps(fills(page), separators=(",", ":"))
    page.select_option("#layer", label=label)
    page.wait_for_function(
        """([shapes, before]) => JSON.stringify(
            [...document.querySelectorAll(shapes)].map(one => getComputedStyle(one).fill)) !== before""",
        arg=[SHAPES, before],
    )
    assert page.inner_text("#map-title") == label


def details(page):
    rows = page.locator("#details tr").all()
    return {row.locator("th").first.inner_text(): row.locator("td").all_inner_texts() for row in rows[1:]}


def test_all_107_shapes_are_drawn_inside_the_map_and_none_fills_the_world(page):
    boxes = page.eval_on_selector_all(
        SHAPES, "paths => paths.map(path => { const b = path.getBoundingClientRect(); return [b.width, b.height]; })"
    )
    assert len(boxes) == 107
    map_box = page.locator("#map").bounding_box()
    for width, height in boxes:
        assert 1 < width < map_box["width"] / 4
        assert 1 < height < map_box["height"] / 4
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
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


def test_switching_the_layer_changes_colours_legend_table_and_definition(page):
    assert len(set(fills(page))) == 4
    assert "MACRON (44 sur 107)" in page.inner_text("#legend")
    choose(page, "2017, 1er tour – Participation (% des inscrits)")
    assert len(set(fills(page))) == 6
    assert re.search(r"moins de 77,3\u202f%", page.inner_text("#legend"))
    assert page.get_attribute("#measured", "href") == "method.html#result"
    choose(page, "2017, du 1er au 2d tour – Participation (% des inscrits)")
    assert len(set(fills(page))) == 6
    choose(page, RATE)
    # Paris has too few authors, voters abroad no population; the others have no tweet or a rate.
    assert (fills(page).count("rgb(218, 218, 218)"), fills(page).count("rgb(196, 196, 196)")) == (1, 1)
    assert fills(page).count("rgb(250, 240, 200)") == 101
    assert "moins de 10 auteurs" in page.inner_text("#legend")
    assert (
        page.locator("#values tr", has_text=re.compile("^Paris")).inner_text().split("\t")[-1] == "moins de 10 auteurs"
    )
    assert page.get_attribute("#measured", "href") == "method.html#department"


def test_few_authors_are_hatched_on_the_map_and_in_the_legend(open_page, html_file):
    page = open_page(1440)
    page.goto(html_file.as_uri())
    page.wait_for_selector("body[data-ready=yes]")
    lines = page.locator("#map .scatterlayer path.js-line")
    assert page.locator("#legend .hatched").count() == lines.count() == 0
    choose(page, RATE)
    paris = page.locator(SHAPES).nth(number_of(page, "75")).bounding_box()
    hatching = lines.bounding_box()
    for side, size in (("x", "width"), ("y", "height")):
        assert paris[side] - 1 <= hatching[side]
        assert hatching[side] + hatching[size] <= paris[side] + paris[size] + 1
    (item,) = page.locator("#legend li", has=page.locator(".hatched")).all()
    assert item.inner_text() == "moins de 10 auteurs"
    assert "gradient" in item.locator("span").evaluate("one => getComputedStyle(one).backgroundImage")
    choose(page, "2017, 1er tour – Participation (% des inscrits)")
    assert page.locator("#legend .hatched").count() == lines.count() == 0


def test_hover_tells_french_figures(page):
    shape = page.locator(SHAPES).nth(number_of(page, "33"))
    shape.scroll_into_view_if_needed()
    box = shape.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.55, box["y"] + box["height"] * 0.5)
    page.wait_for_selector("#map .hoverlayer .hovertext")
    text = page.locator("#map .hoverlayer .hovertext").text_content()
    assert re.search(r"Gironde.*MACRON \d\d,\d\u202f%", text)
    gironde, nation = details(page)["MACRON"]
    assert re.fullmatch(r"\d{3}\u202f\d{3} \(\d\d,\d\d\u202f%\)", gironde)
    votes = results()[(results()["round"] == 1) & (results()["candidate"] == "MACRON")]["votes"].sum()
    assert "".join(nation.split(" (")[0].split()) == str(votes)
    assert len(details(page)) == 6 + 11


def test_a_click_pins_a_department_beside_the_country_and_another_lets_it_go(page):
    shape = page.locator(SHAPES).nth(number_of(page, "33"))
    shape.scroll_into_view_if_needed()
    box = shape.bounding_box()
    for pinned in (True, False):
        page.mouse.click(box["x"] + box["width"] * 0.55, box["y"] + box["height"] * 0.5)
        page.wait_for_function("pinned => (document.querySelectorAll('tr.pinned').length === 1) === pinned", arg=pinned)
        assert page.locator("#values [aria-pressed=true]").all_inner_texts() == (["Gironde (33)"] if pinned else [])
        page.mouse.move(1, 1)
        heads = page.locator("#details th[scope=col]").all_inner_texts()
        assert heads == ["Mesure", *(["Gironde (33)"] if pinned else []), "France entière"]


def test_a_department_can_be_pinned_from_the_table_with_the_keyboard(page):
    page.locator("#values button.place", has_text="Ain").first.focus()
    page.keyboard.press("Enter")
    assert page.input_value("#department") == str(number_of(page, "01"))
    page.locator("#values th button", has_text="Valeur").focus()
    page.keyboard.press("Enter")
    assert page.get_attribute("#values th:nth-child(2)", "aria-sort") == "descending"
    shares = [
        float(re.findall(r"[\d,]+\u202f%", text)[0][:-2].replace(",", "."))
        for text in page.locator("#values tbody td").all_inner_texts()
    ]
    assert shares == sorted(shares, reverse=True)


def test_what_is_withheld_stands_last_whichever_way_a_table_is_sorted(open_page, html_file):
    page = open_page(1440)
    page.goto(html_file.as_uri())
    page.wait_for_selector("body[data-ready=yes]")
    choose(page, RATE)
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    whole = page.locator("section[aria-labelledby=h-whole]")
    tables = [
        (page.locator("#values thead button").nth(1), page.locator("#values tbody tr td:nth-child(2)")),
        (whole.locator("thead button").nth(-2), whole.locator("tbody tr td:nth-last-child(2)")),
    ]
    for button, cells in tables:
        for reverse in (True, False, True):
            button.click()
            shown = [float(text.replace(",", ".")) for text in cells.all_inner_texts() if text[0].isdigit()]
            assert len(shown) == 4
            assert shown == sorted(shown, reverse=reverse)
            assert all(text[0].isdigit() for text in cells.all_inner_texts()[:4])
    # Names and the order of a new picture are sorted as ever.
    page.locator("#values thead button").first.click()
    assert page.locator("#values tbody th").first.inner_text() == "Ain (01)"
    page.locator("#values thead button").nth(1).click()
    choose(page, "Tweets – Ton moyen")
    assert page.locator("#values tbody td").first.inner_text().startswith("+0,60")


def test_a_pinned_department_is_outlined_above_its_neighbours(open_page, html_file):
    page = open_page(1440)
    page.goto(html_file.as_uri())
    page.wait_for_selector("body[data-ready=yes]")
    lines = page.locator("#map .scatterlayer path.js-line")
    assert lines.count() == 0
    for name, code in (("Gironde (33)", "33"), ("Val-de-Marne (94)", "94")):
        page.select_option("#department", label=name)
        shape = page.locator(SHAPES).nth(number_of(page, code)).bounding_box()
        lines.nth(1).wait_for()
        drawn = lines.nth(1).bounding_box()
        assert all(abs(drawn[side] - shape[side]) < 4 for side in shape), (drawn, shape)
        strokes = lines.evaluate_all("all => all.map(one => getComputedStyle(one).stroke)")
        assert strokes == ["rgb(255, 255, 255)", "rgb(21, 24, 28)"]
        above = "([one, other]) => Boolean(one.compareDocumentPosition(other) & Node.DOCUMENT_POSITION_FOLLOWING)"
        shapes = page.locator("#map .choroplethlayer").element_handle()
        assert page.evaluate(above, [shapes, lines.first.element_handle()])
    page.select_option("#department", label="France entière")
    lines.first.wait_for(state="detached")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_toolbar_has_the_readers_colours(open_page, html_file, scheme):
    page = open_page(1440)
    page.emulate_media(color_scheme=scheme)
    page.goto(html_file.as_uri())
    page.wait_for_selector("body[data-ready=yes]")
    page.hover("#map")
    ink = page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--soft').trim()")
    parts = [int(ink[at : at + 2], 16) for at in (1, 3, 5)]
    icon = page.locator("#map .modebar-btn path").first
    assert icon.evaluate("one => getComputedStyle(one).fill") == f"rgb({parts[0]}, {parts[1]}, {parts[2]})"
    group = page.locator("#map .modebar-group").first
    assert group.evaluate("one => getComputedStyle(one).backgroundColor") == "rgba(0, 0, 0, 0)"


def test_the_menu_of_departments_shows_one_and_goes_back(page):
    page.select_option("#department", label="Français établis hors de France (ZZ)")
    assert "Français établis hors de France (ZZ)" in page.inner_text("#details")
    page.select_option("#department", label="France entière")
    registered = results()[results()["round"] == 1].drop_duplicates("department")["registered"].sum()
    assert "".join(details(page)["Inscrits"][0].split()) == str(registered)


def test_the_capital_s_region_can_be_enlarged_and_left(page):
    paris = number_of(page, "75")
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


def boxes(page):
    return page.eval_on_selector_all(
        SHAPES,
        """paths => {
            const map = document.getElementById("map").getBoundingClientRect();
            return paths.map(path => { const b = path.getBoundingClientRect();
                return [b.left - map.left, b.top - map.top, b.width, b.height].map(Math.round); });
        }""",
    )


def enlarge(page, before):
    page.click("#zoom")
    page.wait_for_function(
        "([shapes, number, width]) => document.querySelectorAll(shapes)[number].getBoundingClientRect().width > width",
        arg=[SHAPES, number_of(page, "75"), 3 * before[number_of(page, "75")][2]],
    )
    assert page.inner_text("#zoom") == "Toute la France"


def await_boxes(page, wanted):
    page.wait_for_function(
        """([shapes, wanted]) => {
            const map = document.getElementById("map").getBoundingClientRect();
            return [...document.querySelectorAll(shapes)].every((path, at) => {
                const b = path.getBoundingClientRect();
                return [b.left - map.left, b.top - map.top, b.width, b.height]
                    .every((value, side) => Math.abs(value - wanted[at][side]) < 2);
            });
        }""",
        arg=[SHAPES, wanted],
    )


def test_the_toolbar_shows_the_whole_map_again_from_the_region_and_from_any_zoom(page):
    before = boxes(page)
    titles = page.locator("#map .modebar-btn").evaluate_all("all => all.map(one => one.dataset.title)")
    assert titles == ["Agrandir", "Réduire", "Toute la carte", "Enregistrer l’image (PNG)"]
    page.hover("#map")
    enlarge(page, before)
    page.click('#map .modebar-btn[data-title="Toute la carte"]')
    await_boxes(page, before)
    assert page.inner_text("#zoom") == "Agrandir l’Île-de-France"
    page.click('#map .modebar-btn[data-title="Agrandir"]')
    page.wait_for_function(
        "([shapes, width]) => document.querySelector(shapes).getBoundingClientRect().width > width",
        arg=[SHAPES, 1.5 * before[0][2]],
    )
    page.click('#map .modebar-btn[data-title="Toute la carte"]')
    await_boxes(page, before)
    # The button beside the menus enlarges once more.
    enlarge(page, before)


def test_a_double_click_on_the_map_shows_the_whole_map_again(open_page, html_file):
    page = open_page(1440)
    page.goto(html_file.as_uri())
    page.wait_for_selector("body[data-ready=yes]")
    before = boxes(page)
    enlarge(page, before)
    page.locator("#map").dblclick(position={"x": 400, "y": 400})
    await_boxes(page, before)
    assert page.inner_text("#zoom") == "Agrandir l’Île-de-France"


def test_every_layer_can_be_chosen_and_legend_table_and_figures_follow(open_page, html_file):
    page = open_page(1440)
    page.goto(html_file.as_uri())
    page.wait_for_selector("body[data-ready=yes]")
    drawn = json.loads(page.locator("script#page").text_content())
    options = page.locator("#layer option")
    assert options.count() == len(drawn["layers"]) > 25
    for label in ("1er tour", "2d tour", "du 1er au 2d tour", "Ton moyen", "Votes blancs", "Votes nuls"):
        assert any(label in text for text in options.all_inner_texts()), label
    for number, layer in enumerate(drawn["layers"]):
        page.select_option("#layer", value=str(number))
        assert page.locator("#legend li").all_inner_texts() == [name for name, _ in layer["classes"]]
        chips = page.locator("#legend span").evaluate_all(
            "all => all.map(one => getComputedStyle(one).backgroundColor)"
        )
        wanted = {chips[place] for place in layer["update"]["z"][0] if place is not None}
        page.wait_for_function(
            """([shapes, wanted]) => {
                const fills = new Set([...document.querySelectorAll(shapes)].map(one => getComputedStyle(one).fill));
                return fills.size === wanted.length && wanted.every(one => fills.has(one));
            }""",
            arg=[SHAPES, sorted(wanted)],
        )
        assert page.locator("#values tbody td").all_text_contents() == layer["texts"]
        nation = [label for label, _ in drawn["figures"][0][1][layer["group"]]]
        assert page.locator("#details tbody th").all_text_contents() == nation
    assert (html_file.parent / page.get_attribute(".map-side a[download]", "href")).is_file()
