"""The report of an election in which every text of others is an attack, in a browser and as tables: nothing runs."""

import json
import re
from dataclasses import replace

import pandas as pd
import pytest

from election_assets.transforms.aggregates import TOTAL
from election_assets.visuals.word_cloud import word_cloud
from tests.unit.visuals.pages import (
    ATTACK,
    FORMULA,
    FRENCH,
    RISING,
    archive,
    frame,
    make_data,
    make_election,
    make_map,
    make_run,
    map_files,
    results,
    shapes,
    whole_site,
)

pytestmark = pytest.mark.e2e

ATTACKS = [
    ATTACK,
    "</title></textarea><script>ran=true</script>",
    "<svg onload=ran=true><img src=x onerror=ran=true>",
    '" onmouseover=ran=true onfocus=ran=true autofocus x="',
    "' style=animation-name:x onanimationstart=ran=true '",
    "<a href=javascript:ran=true>javascript</a>",
    "javascript:ran=true",
    "<!--<script>ran=true//-->",
    "\\u003cscript>ran=true\\u003c/script>",
]
FORMULAS = [FORMULA, "+1+1", "-2+3", "@SUM(1+1)", "\t=1+1", "\r=1+1", " =1+1", "＝1+1", "=cmd|' /C calc'!A0"]
TEXTS = [*ATTACKS, *FORMULAS]


def report_files():
    election = make_election(ATTACKS[1], ATTACKS[2], FORMULA, name=ATTACK)
    election = replace(
        election,
        candidates=tuple(replace(one, party=ATTACKS[3]) for one in election.candidates),
        events=tuple(replace(event, title=ATTACKS[2]) for event in election.events),
    )
    problems = [{"file": text, "line": 1, "kind": text, "reason": text} for text in TEXTS]
    run = make_run(
        run_id=ATTACK,
        versions=dict.fromkeys(TEXTS, ATTACK),
        engines={"spark": ATTACK, "broker": FORMULA, "sentiment": ATTACKS[2]},
        seconds=dict.fromkeys(TEXTS, 1.0),
        archive=archive(problem_count=len(problems), problems=problems),
    )
    for text, of in zip(ATTACKS[2:], run["candidates"].values(), strict=False):
        of.update(error=text, notes=TEXTS)
    hashtags = frame("hashtag texts", *((text, 50) for text in TEXTS))
    rising = [(key, text, 40, 2, 0.1, 0.01, 2.7) for key in (TOTAL, "ada") for text in TEXTS]
    data = make_data(
        election=election,
        run=run,
        hashtags=dict.fromkeys((TOTAL, "ada", "bea", "cyr"), hashtags),
        rising=frame(RISING, *rising),
        words=frame("candidate word texts others log_odds z", *(("ada", text, 50, 3, 2.5, 8.0) for text in TEXTS)),
        clouds={key: (f"word_clouds/all{key}.png", " ".join(TEXTS)) for key in (TOTAL, "ada", "cyr")},
    )
    cloud = word_cloud({text[:30]: 9.0 for text in ATTACKS}, title=ATTACK, catalogue=FRENCH, sample=True)
    return whole_site(data) | map_of_others() | {"word_clouds/attack.svg": cloud.svg.encode()}


def map_of_others():
    """The map's page where the names of departments and candidates are attacks."""
    known = results()
    names = dict(zip(sorted(set(known["candidate"])), ATTACKS, strict=False))
    edited = known.assign(candidate=known["candidate"].replace(names))
    features = [
        {**feature, "properties": {**feature["properties"], "name": f"{TEXTS[number % len(TEXTS)]} {number}"}}
        for number, feature in enumerate(shapes()["features"])
    ]
    renamed = {**shapes(), "features": features}
    return map_files(make_map(results=edited, geojson=renamed), geojson=renamed)


@pytest.fixture(scope="module")
def attacked(tmp_path_factory):
    folder = tmp_path_factory.mktemp("attacked")
    for path, content in report_files().items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return folder


@pytest.fixture
def page(open_page):
    """A page whose test fails where a dialog opens, a script of a text ran or a link to a script was made."""
    page, dialogs = open_page(1440), []

    def dismiss(dialog):
        dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", dismiss)
    page.add_init_script("window.ran = false")
    yield page
    assert dialogs == []
    assert page.evaluate("window.ran") is False
    made = page.locator("a, img, script, iframe, object, embed, form").evaluate_all(
        "all => all.flatMap(one => [...one.attributes].map(of => of.value))"
    )
    assert not [value for value in made if value.strip().lower().startswith("javascript:")]
    handlers = "all => all.filter(one => [...one.attributes].some(of => /^on/.test(of.name))).length"
    assert page.locator("*").evaluate_all(handlers) == 0


@pytest.mark.parametrize("path", ["index.html", "method.html", "candidates/ada.html", "candidates/bea.html"])
def test_no_text_runs_in_a_page(page, attacked, path):
    page.goto((attacked / path).as_uri())
    page.locator("html[data-ready=yes]").wait_for()
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert page.locator("header .brand a").inner_text() == ATTACK
    for head in page.locator("th button").all():
        head.click()
    for bar in page.locator(".chart g").all()[:3]:
        bar.dispatch_event("mouseover")
    for _ in range(30):
        page.keyboard.press("Tab")


def test_the_texts_stand_in_the_pages_as_they_were_written(page, attacked):
    page.goto((attacked / "index.html").as_uri())
    shown = [text.removeprefix("#") for text in page.locator("th.any").all_text_contents()]
    assert set(ATTACKS) <= set(shown)
    assert page.get_attribute(".cloud img", "alt").split() == " ".join(TEXTS).split()


def test_no_text_runs_in_the_map(page, attacked):
    page.goto((attacked / "department_map.html").as_uri())
    page.locator("body[data-ready=yes]").wait_for()
    shapes_drawn = page.locator("#map .choroplethlayer path.choroplethlocation")
    assert shapes_drawn.count() == 107
    for value in page.locator("#layer option").evaluate_all("all => all.map(one => one.value)"):
        page.select_option("#layer", value)
        page.select_option("#department", str(int(value) % 107))
        # A legend, the figures and a hover's label are written anew.
        shape = shapes_drawn.nth(15)
        shape.scroll_into_view_if_needed()
        box = shape.bounding_box()
        page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.5 + int(value) % 3)
    page.select_option("#layer", "0")
    assert ATTACKS[1] in page.locator("#details").text_content()
    hover = page.locator("#map .hoverlayer a, #map svg a, #map svg image, #map foreignObject")
    assert hover.count() == 0


def test_no_text_runs_in_a_cloud_that_is_opened_by_itself(page, attacked):
    page.goto((attacked / "word_clouds" / "attack.svg").as_uri())
    drawn = page.evaluate("[...document.querySelectorAll('text')].map(one => one.textContent)")
    assert any("<" in text for text in drawn)


def test_a_spreadsheet_computes_no_cell(attacked):
    """The tables as pandas reads them: what is no number begins with no sign of a formula."""
    files = sorted((attacked / "data").glob("*.csv"))
    assert len(files) == 11
    read = {path.name: pd.read_csv(path, sep=";", decimal=",", keep_default_na=False, dtype=str) for path in files}
    for name, table in read.items():
        for cell in (cell for row in [list(table), *table.to_numpy().tolist()] for cell in row):
            computed = re.match(r"[\s\ufeff\u200b]*[=+\-@＝＋－＠]", cell) or re.match(r"[\t\r\n]", cell)
            assert not computed or re.fullmatch(r"-?\d+(,\d+)?", cell), (name, cell)
    for name, column in (("hashtags.csv", "hashtag"), ("distinctive_words.csv", "word")):
        assert set(ATTACKS) <= set(read[name][column]), json.dumps(list(read[name][column]))
        assert {f"'{text}" for text in FORMULAS if text.strip() == text} <= set(read[name][column])
