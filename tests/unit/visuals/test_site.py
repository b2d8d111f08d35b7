"""The pages of the report as a browser's parser reads them, and the files beside them."""

import csv
import datetime as dt
import io
import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from election_assets.schemas import SENTIMENT_SCORES
from election_assets.transforms import aggregates
from election_assets.transforms.aggregates import TOTAL
from election_assets.visuals import charts
from election_assets.visuals.catalogue import Catalogue
from election_assets.visuals.department_layers import department_table
from election_assets.visuals.site import ASSETS, DEPARTMENT_COLUMNS, FOLDER, site_files
from election_assets.visuals.tables import csv_bytes
from election_assets.visuals.word_cloud import alt_text
from tests.unit.visuals import pages
from tests.unit.visuals.pages import (
    ATTACK,
    COUNTS,
    FORMULA,
    FRENCH,
    LAST,
    Page,
    archive,
    frame,
    make_data,
    make_days,
    make_election,
    make_run,
    make_tones,
    nothing,
    outside_brackets,
    pages_of,
    pseudo_catalogue,
    targets,
    whole_site,
)

HARMLESS = "qzqz"
EXTERNAL = re.compile(r"^\s*(?:[a-z][a-z0-9+.-]*:|//|\\)", re.I)


def site(catalogue: Catalogue = FRENCH, **changes: Any) -> dict[str, Page]:
    """The pages of the report, without the map."""
    return pages_of(site_files(make_data(**changes), catalogue))


def overview(**changes: Any) -> Page:
    return site(**changes)["index.html"]


def method(**changes: Any) -> Page:
    return site(**changes)["method.html"]


def section(page: Page, heading: str) -> Any:
    """The section that a heading names."""
    return page.one("section", aria_labelledby=heading)


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    """Everything a report may hold at once."""
    problems = [
        {"file": "a.jsonl", "line": line, "kind": "unreadable_line", "reason": "No JSON."} for line in (7, None)
    ]
    run = make_run(source="sample", archive=archive(segments_done=2, problem_count=1234, problems=problems))
    run["candidates"]["cyr"] |= {"error": "X answered 503.", "notes": ["Begun again."]}
    run["candidates"]["ada"]["root"]["kept"] -= 3
    return whole_site(make_data(run=run))


@pytest.fixture(scope="module")
def parsed(files) -> dict[str, Page]:
    return pages_of(files)


# What the pages say


def test_key_figures_are_in_french_numbers():
    words = section(overview(), "h-figures").words

    assert "tweets, chacun compté une fois 2\u202f000" in words
    assert "hors retweets 1\u202f300" in words
    assert "auteurs distincts 900" in words
    assert "ton calculé, sur 1\u202f000\u00a0textes 75\u202f%" in words
    assert "département 75\u202f%" in words


def test_dates_are_in_french():
    words = overview().words.replace("\u00a0", " ")

    assert "Premier tour dimanche 10 avril 2022, second tour dimanche 24 avril 2022." in words
    assert "Tweets du 5 avril au 10 avril 2022." in words
    assert "Page établie lundi 11 avril 2022 à 5 h 15 (Europe/Paris)" in words


def test_a_row_a_candidate_most_tweets_first_and_one_for_all():
    ranking = section(overview(), "h-ranking")
    rows = ranking.rows()[1:]

    assert [row[0] for row in rows] == [
        "Ada UnParti de ada",
        "Cyr TroisParti de cyr",
        "Béa DeuxParti de bea",
        "Ensemble",
    ]
    assert rows[0][1:3] == ["1\u202f234", "61,7\u202f%"]
    assert rows[0][4:] == ["800", "700", "600", "40", "500"]
    assert rows[2][1:3] == ["0", "0,0\u202f%"]
    assert rows[3][1:] == ["2\u202f000", "–", "–", "1\u202f300", "1\u202f100", "900", "50", "500"]


def test_tones_with_their_intervals_and_none_where_nothing_is_scored():
    tones = section(overview(), "h-tone")

    assert tones.row("Ada Un") == [
        "\u22120,12",
        "\u22120,17 à \u22120,07",
        "50\u202f% négatif · 30\u202f% neutre · 20\u202f% positif",
        *("450", "150"),
    ]
    assert tones.row("Béa Deux") == ["–", "–", "–", "0", "0"]
    assert tones.row("Ensemble")[:2] == ["+0,25", "+0,20 à +0,30"]
    styles = [one.attributes["style"] or "" for one in tones.all("i") if "style" in one.attributes]
    places = [float(number) for style in styles for number in re.findall(r"(?:width|left|right):([\d.-]+)%", style)]
    assert len(places) > 6
    assert all(0 <= place <= 100 for place in places)
    bars = [[one.attributes["style"] for one in bar.all("i")] for bar in tones.all("div", class_="shares")]
    assert bars[0] == ["width:50.00%", "width:30.00%", "width:20.00%"]
    # Whiskers of those who have one, on the candidate's own row.
    assert [len(row.all("span", class_="whisker")) for row in tones.all("tr")] == [0, 1, 1, 0, 0]


def test_what_happened_on_the_last_day():
    words = section(overview(), "h-today").words.replace("\u00a0", " ")

    assert "300 tweets ce jour-là, 1 % de plus que la médiane des 4 jours d’avant (297)." in words.replace(
        "\u202f", " "
    )
    assert "Ada Un est le seul nom cité." in words
    assert "La plus forte hausse : Ada Un, 100,0 % des mentions contre 74," in words.replace("\u202f", " ")
    assert "#marée, dans 4,0 % des textes des sept derniers jours, contre 0,2 % des" in words.replace("\u202f", " ")
    assert "Ce jour-là : Premier tour." in words


@pytest.mark.parametrize(("tweets", "said"), [(996, ""), (1000, ""), (1004, ""), (994, "moins"), (1006, "plus")])
def test_a_change_that_rounds_to_nothing_is_not_told(tweets, said):
    days = make_days((LAST, tweets, 5), *((LAST - dt.timedelta(days=back), 1000, 5) for back in range(1, 8)))
    words = section(overview(days=days), "h-today").words.replace("\u202f", "").replace("\u00a0", " ")

    change = f", 1% de {said} que la médiane des 7 jours d’avant (1000)" if said else ""
    assert f"{tweets} tweets ce jour-là{change}." in words
    assert ("médiane" in words) == bool(said)


def at_half_past_five(**changes: Any) -> Any:
    """Pages made on the last day that has tweets, at 5:30 in the morning of the election's time zone."""
    days = [(LAST - dt.timedelta(days=back), 100, 50) for back in range(1, 9)]
    usual = pd.concat([make_days((LAST, 7, 4), *days), make_days(*days, keys=("cyr",))], ignore_index=True)
    return make_data(**{"run": make_run(made_at="2022-04-10T03:30:00+00:00"), "days": usual, **changes})


def test_the_running_day_is_compared_with_nothing():
    page = pages_of(site_files(at_half_past_five(), FRENCH))["index.html"]
    words = section(page, "h-today").words.replace("\u00a0", " ")

    assert section(page, "h-today").one("h2").words == "Samedi 9\u00a0avril 2022"
    assert "100 tweets ce jour-là." in words
    assert "médiane" not in words
    assert "hausse" not in words
    assert "Ce jour-là : Veille du vote." in words
    # The lines of shapes end with the day before, too: all days are alike.
    (line, *_) = section(page, "h-ranking").all("polyline")
    assert {pair.split(",")[1] for pair in line.attributes["points"].split()} == {"0.00"}
    assert "Tweets du 2\u00a0avril au 10\u00a0avril 2022. Le 10\u00a0avril est en cours" in page.words


def test_the_running_day_is_marked_in_charts_and_tables():
    files = site_files(at_half_past_five(tones=make_tones(("ada", LAST, 12, 0.5))), FRENCH)
    told = pages_of(files)
    for path, heading in (("index.html", "h-moves"), ("candidates/ada.html", "h-volume")):
        bars = [one for one in section(told[path], heading).all("g") if one.all("rect", class_="tweets")]
        assert [bar.attributes.get("class") for bar in bars] == [None] * 8 + ["running"], path
        assert bars[-1].one("title").words.startswith("dimanche 10\u00a0avril 2022 (en cours)\u00a0: 7"), path
        figures = section(told[path], heading).one("caption", id="c-days")
        (table_of_days,) = (one for one in told[path].all("table") if figures in one.children)
        assert table_of_days.row("dimanche 10\u00a0avril 2022 (en cours)") == ["7", "4"], path
        assert "jour en cours" in section(told[path], heading).words
    ada = told["candidates/ada.html"]
    assert ["dimanche 10\u00a0avril 2022 (en cours)", "100,0\u202f%"] in section(ada, "h-volume").rows()
    assert section(ada, "h-tone").row("dimanche 10\u00a0avril 2022 (en cours)")[0] == "+0,50"
    heat = section(ada, "h-volume").one("table", class_="heat")
    assert [row[0] for row in heat.rows()[1:]] == ["9\u00a0avr. 1", "10\u00a0avr. 2 (en cours)"]
    assert heat.rows()[2][1:] == ["0"] * 6 + ["–"] * 17 + ["5"]
    (dashed,) = section(ada, "h-volume").all("polyline", class_="running")
    (solid,) = (one for one in section(ada, "h-volume").all("polyline") if one is not dashed)
    assert solid.attributes["points"].split()[-1] == dashed.attributes["points"].split()[0]
    assert len(dashed.attributes["points"].split()) == 2
    for name in ("days", "hours", "tone_by_day"):
        assert {(row["day"], row["ended"]) for row in table(files, name)} >= {("2022-04-10", "0")}, name
    assert {row["ended"] for row in table(files, "days") if row["day"] < "2022-04-10"} == {"1"}
    # Nothing runs where the tweets end before.
    assert "en cours" not in site()["candidates/ada.html"].words


def test_the_first_day_of_all_is_not_told_before_it_has_ended():
    page = pages_of(site_files(at_half_past_five(days=make_days((LAST, 7, 4))), FRENCH))["index.html"]

    assert page.all("section", aria_labelledby="h-today") == []
    assert section(page, "h-moves").row("dimanche 10\u00a0avril 2022 (en cours)") == ["7", "4"]


def test_the_running_month_is_marked():
    days = make_days(*((LAST - dt.timedelta(days=back), 4, 3) for back in range(200)))
    moves = section(pages_of(site_files(at_half_past_five(days=days), FRENCH))["index.html"], "h-moves")

    assert [bar.attributes.get("class") for bar in moves.all("g")] == [None] * 7 + ["running"]
    assert moves.row("avril 2022 (en cours)") == ["40", "30"]
    assert "mois en cours" in moves.words


def test_a_change_is_told_only_beside_days_enough():
    two = make_days((LAST, 10, 5), (LAST - dt.timedelta(days=1), 20, 5))
    words = section(overview(days=two, rising=make_data().rising.head(0)), "h-today").words

    assert "10\u00a0tweets ce jour-là." in words
    assert "médiane" not in words
    assert "hausse" not in words


def test_less_than_usual_and_two_names():
    quiet = make_days((LAST, 30, 5), *((LAST - dt.timedelta(days=back), 60, 5) for back in (1, 2, 3)))
    both = pd.concat([quiet, make_days((LAST, 10, 5), keys=("bea",))])
    words = section(overview(days=both), "h-today").words.replace("\u202f", " ")

    assert "50 % de moins que la médiane des 3 jours d’avant (60)" in words
    assert "Ada Un est le nom le plus cité\u00a0: 75 % des mentions, devant Béa Deux (25 %)." in words


def of_two(*parts: int, of: int = 100) -> pd.DataFrame:
    """Days up to the last one on which the first candidate has so many of the mentions, and the third the rest."""
    days = [LAST - dt.timedelta(days=back) for back in reversed(range(len(parts)))]
    mine = [make_days((day, part, 0), keys=("ada",)) for day, part in zip(days, parts, strict=True)]
    rest = [make_days((day, of - part, 0), keys=("cyr",)) for day, part in zip(days, parts, strict=True)]
    whole = make_days(*((day, of, 0) for day in days), keys=(TOTAL,))
    return pd.concat([whole, *mine, *rest], ignore_index=True)


def facts(days: pd.DataFrame) -> str:
    return section(overview(days=days), "h-today").words.replace("\u202f", " ").replace("\u00a0", " ")


def test_the_last_day_is_compared_with_the_median_of_the_seven_before_it():
    tweets = [1000, 1000, 1000, 900, 150, 140, 130, 120, 110, 100, 260]
    days = [(LAST - dt.timedelta(days=back), number, 1) for back, number in enumerate(reversed(tweets))]

    assert "260 tweets ce jour-là, 100 % de plus que la médiane des 7 jours d’avant (130)." in facts(make_days(*days))
    assert "des 3 jours d’avant" in facts(make_days(*days[:4]))
    assert "jours d’avant" not in facts(make_days(*days[:3])).replace("des sept jours d’avant", "")


def test_the_strongest_rise_is_beside_the_mean_of_the_seven_days_before():
    words = facts(of_two(100, 100, 100, 70, 0, 0, 0, 0, 0, 0, 20))

    assert "La plus forte hausse : Ada Un, 20,0 % des mentions contre 10,0 % en moyenne les 7 jours d’avant." in words


@pytest.mark.parametrize(("part", "told"), [(112, True), (108, False)])
def test_a_rise_of_less_than_a_point_is_not_told(part, told):
    assert ("La plus forte hausse : Ada Un, " in facts(of_two(*[100] * 7, part, of=1000))) == told


def test_every_candidate_has_the_same_scale_in_the_small_multiples():
    page = overview()
    small = page.all("div", class_="chart small")

    assert len(small) == 3
    assert len({tuple(span.words for span in one.all("span", class_="count")) for one in small}) == 1
    assert small[0].one("svg").attributes["aria-label"] == "Ada Un\u00a0: part des mentions par jour"


def test_a_small_multiple_says_the_last_share_at_its_end_and_bears_no_flag():
    page = overview()
    small = {one.one("svg").attributes["aria-label"].split("\u00a0")[0]: one for one in page.all("div", class_="small")}

    ends = {name: one.one("span", class_="end") for name, one in small.items()}
    assert {name: end.words for name, end in ends.items()} == {
        **{"Ada Un": "100,0\u202f%", "Cyr Trois": "0,0\u202f%", "Béa Deux": "0,0\u202f%"},
    }
    assert [ends[name].attributes["style"] for name in ("Ada Un", "Cyr Trois")] == ["bottom:100.00%", "bottom:0.00%"]
    assert not any(one.all("span", class_="flag") for one in small.values())
    assert page.one("ul", class_="multiples").all("ol") == []
    assert "Au bout de la ligne, la part du 10\u00a0avril" in page.words
    # A running day is not at the end.
    running = pages_of(site_files(at_half_past_five(), FRENCH))["index.html"]
    assert "la part du 9\u00a0avril" in running.words
    assert [one.words for one in running.all("span", class_="end")] == ["50,0\u202f%", "50,0\u202f%", "0,0\u202f%"]


def test_a_candidates_shares_have_a_scale_of_their_own_and_say_their_values():
    days = [LAST - dt.timedelta(days=back) for back in range(3)]
    few = [make_days((day, tweets, 1), keys=("ada",)) for day, tweets in zip(days, (4, 8, 15), strict=True)]
    rest = [make_days((day, 500 - tweets, 1), keys=("cyr",)) for day, tweets in zip(days, (4, 8, 15), strict=True)]
    whole = make_days(*((day, 500, 1) for day in days), keys=(TOTAL,))
    told = site(days=pd.concat([whole, *few, *rest], ignore_index=True))
    chart = section(told["candidates/ada.html"], "h-volume").all("div", class_="chart")[1]

    assert [one.words for one in chart.all("span", class_="count")] == [f"{n}\u202f%" for n in (0, 1, 2, 3)]
    (line,) = chart.all("polyline", class_="line")
    assert [pair.split(",")[1] for pair in line.attributes["points"].split()] == ["0.00", "46.67", "73.33"]
    titles = [one.words for one in chart.all("title")]
    assert titles[-1] == "dimanche 10\u00a0avril 2022\u00a0: 0,8\u202f%"
    assert len(titles) == len(chart.all("rect", class_="hit")) == 3
    other = section(told["candidates/cyr.html"], "h-volume").all("div", class_="chart")[1]
    assert [one.words for one in other.all("span", class_="count")] == [f"{n}\u202f%" for n in (0, 50, 100)]
    tones = site(tones=make_tones(("ada", LAST, 12, 0.5)))["candidates/ada.html"].one("div", class_="tone-chart")
    assert [one.words for one in tones.all("title")] == ["dimanche 10\u00a0avril 2022\u00a0: +0,50 (+0,45 à +0,55)"]


def test_hours_bear_the_marks_of_the_events_and_are_told_of_all_candidates():
    told = site()
    ada = section(told["candidates/ada.html"], "h-volume")
    (figure,) = (one for one in ada.all("figure") if one.all("table", class_="heat"))

    assert [row[0] for row in figure.rows()[1:]] == ["9\u00a0avr. 1", "10\u00a0avr. 2"]
    assert [one.words for one in figure.one("ol", class_="events").all("li")] == [
        "9\u00a0avril Veille du vote",
        "10\u00a0avril Premier tour",
    ]
    heat = section(told["index.html"], "h-moves").one("table", class_="heat")
    assert heat.rows()[1:] == [["10\u00a0avr. 1", *["30" if hour == 9 else "0" for hour in range(24)]]]


def test_a_cloud_can_be_had_as_a_drawing_that_scales(files, parsed):
    for path, heading, drawing in (
        ("index.html", "h-words", "word_cloud.svg"),
        ("candidates/ada.html", "h-words", "../word_clouds/ada.svg"),
    ):
        links = [one.attributes["href"] for one in section(parsed[path], heading).all("a")]
        assert drawing in links, path
        assert files[drawing.removeprefix("../")].startswith(b"<svg")


def styles(part: Any, tag: str, class_: str) -> list[str]:
    return [one.attributes["style"] or "" for one in part.all(tag, class_=class_)]


def test_bars_stand_on_the_foot_of_their_chart_as_high_as_their_tweets():
    last = section(overview(), "h-moves").all("g")[-1]

    (tweets,), (originals,) = last.all("rect", class_="tweets"), last.all("rect", class_="originals")
    assert [tweets.attributes[name] for name in ("x", "width", "y", "height")] == ["85.000", "13.333", "0.00", "100.00"]
    assert [originals.attributes[name] for name in ("y", "height")] == ["33.33", "66.67"]
    first = section(overview(), "h-moves").all("rect", class_="tweets")[0]
    assert [first.attributes[name] for name in ("x", "y", "height")] == ["1.667", "1.67", "98.33"]


def test_cells_are_marked_as_their_tweets_are_many():
    page = site()["candidates/ada.html"]
    cells = section(page, "h-volume").one("table", class_="heat").all("td")
    heat = {cell.words: cell.attributes["style"] for cell in cells if "style" in cell.attributes}

    assert heat == {"20": "--heat:1.00", "5": "--heat:0.25", "0": "--heat:0.00"}
    assert styles(section(overview(), "h-ranking"), "span", "cell-bar") == [
        "--part:100.0%",
        "--part:62.1%",
        "--part:0.0%",
    ]


def test_a_sparkline_is_the_shape_of_the_last_fourteen_days():
    def lines(days: pd.DataFrame) -> list[str]:
        svgs = section(overview(days=days), "h-ranking").all("svg", class_="spark")
        return [one.one("polyline").attributes["points"] or "" for one in svgs]

    ada, cyr, bea = lines(of_two(20, 40, 80))
    assert ada == "0.00,75.00 50.00,50.00 100.00,0.00"
    assert cyr == "0.00,0.00 50.00,25.00 100.00,75.00"
    assert bea == "0.00,100.00 50.00,100.00 100.00,100.00"
    ada, *_ = lines(of_two(*[100] * 6, 10, *[20] * 13))
    assert [pair.split(",")[1] for pair in ada.split()] == ["50.00", *["0.00"] * 13]


def test_whiskers_stand_where_their_values_are():
    tones = section(overview(), "h-tone")

    axis = tones.one("span", class_="whisker-axis")
    assert [one.words for one in axis.all("i")] == ["\u22120,75", "0,00", "+0,75"]
    ada, cyr = tones.all("span", class_="whisker")
    assert (styles(ada, "i", "interval"), styles(ada, "i", "point")) == (["left:38.33%;right:55.00%"], ["left:41.67%"])
    assert (styles(cyr, "i", "interval"), styles(cyr, "i", "point")) == (["left:80.00%;right:13.33%"], ["left:83.33%"])


def test_the_axis_of_the_tone_is_as_long_as_its_values_need():
    def chart(mean: float) -> Any:
        tones = make_tones(("ada", LAST, 10, mean), ("ada", LAST - dt.timedelta(days=1), 30, -0.125))
        return site(tones=tones)["candidates/ada.html"].one("div", class_="tone-chart")

    near, far = chart(0.125), chart(0.6)
    assert [one.words for one in near.all("span", class_="count")] == ["\u22120,25", "0,00", "+0,25"]
    assert [one.words for one in far.all("span", class_="count")] == ["\u22121,00", "0,00", "+1,00"]
    # Ten texts are enough for a day to be drawn; days are 5 to 10 April.
    assert near.one("polyline").attributes["points"] == "75.00,75.00 91.67,25.00"
    assert near.one("polygon").attributes["points"] == "75.00,65.00 91.67,15.00 91.67,35.00 75.00,85.00"


def test_a_candidates_figures_are_each_in_their_place():
    page = site()["candidates/ada.html"]

    figures = section(page, "h-figures")
    assert [one.words for one in figures.all("dd")] == [
        *("1\u202f234", "61,7\u202f%", "700", "600", "\u22120,12", "59\u202f%"),
    ]
    said = section(page, "h-tone").words.replace("\u00a0", " ").replace("\u202f", " ")
    assert "Parmi 450 textes : 50 % négatifs, 30 % neutres, 20 % positifs." in said
    whole = section(overview(), "h-figures")
    assert [one.words for one in whole.all("dd")] == [
        *("2\u202f000", "1\u202f300", "1\u202f100", "900", "75\u202f%", "75\u202f%"),
    ]


def test_a_candidates_page():
    page = site()["candidates/ada.html"]
    words = page.words.replace("\u202f", " ").replace("\u00a0", " ")

    assert page.one("h1").words == "Ada Un"
    assert "Parti de ada · Tweets du 5 avril au 10 avril 2022." in words
    assert "tweets 1 234 des mentions de candidats 61,7 %" in words
    assert "ton moyen (−0,17 à −0,07) −0,12" in words
    assert section(page, "h-words").row("vélo") == ["50", "3", "8,2"]
    assert section(page, "h-pairs").row("Cyr Trois") == ["77"]
    assert section(page, "h-hashtags").row("#marée") == ["37 (8,0\u202f%)", "3 (0,5\u202f%)"]
    tones = section(page, "h-tone")
    assert tones.row("dimanche 10\u00a0avril 2022")[:2] == ["+0,50", "+0,45 à +0,55"]
    assert tones.row("dimanche 10\u00a0avril 2022")[-3:] == ["12", "1", "24"]
    assert "Les 2 derniers jours, heure par heure" in words
    assert "Heure par heure" in site(hours=make_data().hours.head(1))["candidates/ada.html"].words
    heat = section(page, "h-volume").one("table", class_="heat")
    assert [row[1:] for row in heat.rows()[1:]] == [
        ["20" if hour == 8 else "0" for hour in range(24)],
        ["5" if hour == 23 else "0" for hour in range(24)],
    ]
    assert [one.words for one in page.one("nav", class_="neighbours").all("a")] == [
        "Précédent Cyr Trois",
        "Suivant Béa Deux",
    ]


def test_every_chart_of_a_page_has_its_figures_in_a_table():
    page = site()["candidates/ada.html"]

    for chart in page.all("div", class_="chart"):
        (holder,) = (one for one in page.all("section") if chart in list(one.walk()))
        assert holder.all("details"), holder.attributes
    shares = page.one("caption", id="c-shares")
    assert shares.words == "La part des mentions, jour par jour"
    rows = section(page, "h-volume").rows()
    assert ["dimanche 10\u00a0avril 2022", "100,0\u202f%"] in rows


def test_a_day_of_few_scored_texts_is_in_the_table_and_not_drawn():
    page = site()["candidates/cyr.html"]

    assert "Aucun jour n’a 10 textes notés de 10 auteurs." in page.words
    assert page.all("div", class_="tone-chart") == []
    assert section(page, "h-tone").row("dimanche 10\u00a0avril 2022")[0] == "+0,75"


def test_counts_of_the_root_and_of_the_run():
    page = method()
    root, run = page.all("table", class_="wide")

    assert root.row("Ada Un") == ["1\u202f012", "3", "1", "1\u202f008", "2", "juste"]
    assert run.row("Ada Un") == ["12", "3", "1", "8", "2", "juste"]
    assert root.row("Ensemble") == ["3\u202f036", "9", "3", "3\u202f024", "6", "juste"]
    assert run.row("Ensemble") == ["36", "9", "3", "24", "6", "juste"]
    assert "Tous les comptes tombent juste." in page.words


def test_a_run_that_brought_nothing_has_no_table():
    run = make_run()
    nothing_new = dict.fromkeys(COUNTS, 0)
    for of in (run["total"], *run["candidates"].values()):
        of["run"] = nothing_new
    said = "Rien de nouveau depuis le rapport précédent."

    page = method(run=run)
    assert said in page.words
    assert "c-run" not in page.ids
    assert section(page, "coverage").row("Ada Un")[0] == "1\u202f012"

    run["candidates"]["bea"]["run"] = {**nothing_new, "repeated_deliveries": 1}
    page = method(run=run)
    assert said not in page.words
    assert page.all("table", class_="wide")[1].row("Béa Deux")[4] == "1"


def test_the_first_report_has_no_counts_since_another():
    page = method(run=make_run(since=None))

    assert "Depuis le rapport précédent" not in page.words
    assert [one.attributes["id"] for one in section(page, "coverage").all("caption")] == ["c-root"]
    assert section(page, "coverage").row("Ada Un")[0] == "1\u202f012"


def test_counts_by_candidate_are_told_apart_from_tweets():
    words = section(method(), "coverage").words.replace("\u00a0", " ")

    assert "Les lignes gardées, 3\u202f024, sont celles de 2\u202f000 tweets distincts." in words


def test_not_all_texts_scored_is_not_told_as_all():
    figures = pages.make_overview()
    figures.loc[figures["candidate"] == TOTAL, ["scored_texts", "unscored_texts"]] = (12130, 2)

    assert "12\u202f132\u00a0textes >\u00a099\u202f%" in section(overview(overview=figures), "h-figures").words


def test_a_lost_record_is_told():
    run = make_run()
    run["candidates"]["ada"]["root"]["kept"] -= 3
    run["candidates"]["bea"]["root"]["kept"] += 1

    page = method(run=run)

    root = page.all("table", class_="wide")[0]
    assert root.row("Ada Un")[-1] == "écart de +3"
    assert root.row("Béa Deux")[-1] == "écart de \u22121"
    assert root.row("Cyr Trois")[-1] == "juste"
    assert "Les comptes ne tombent pas juste pour Ada Un et Béa Deux\u00a0:" in page.words
    assert "Tous les comptes tombent juste" not in page.words


def test_a_candidate_that_the_run_does_not_have():
    run = make_run()
    del run["candidates"]["bea"]

    assert method(run=run).all("table", class_="wide")[0].row("Béa Deux") == ["–"] * 6


def test_rare_counts_have_a_column_only_where_there_are_some():
    assert "En attente" not in [one.words for one in method().all("th")]
    waiting = make_run()
    for counts in (waiting["candidates"]["ada"]["root"], waiting["total"]["root"]):
        counts["waiting"] = 5
        counts["received"] += 5

    page = method(run=waiting)

    heads = [one.words for one in page.all("th")]
    assert "En attente" in heads
    assert "Supprimés" not in heads
    assert "Tous les comptes tombent juste." in page.words


def test_an_archives_counts_and_problems():
    problems = [
        {"file": "a.jsonl", "line": line, "kind": "unreadable_line", "reason": "No JSON."} for line in (7, None)
    ]
    page = method(run=make_run(archive=archive(problem_count=1234, problems=problems), source="archive"))

    words = page.words.replace("\u00a0", " ")
    assert "60\u202f000 enregistrements lus" in words
    assert "1 enregistrement illisible " in words
    assert "40 enregistrements sans aucun candidat" in words
    assert "1\u202f234 problèmes de lecture, dont voici les 2 premiers" in words
    rows = [row for row in page.rows() if row[:1] == ["a.jsonl"]]
    assert rows == [["a.jsonl", "7", "ligne illisible", "No JSON."], ["a.jsonl", "–", "ligne illisible", "No JSON."]]
    assert "archive lue" not in method().words


@pytest.mark.parametrize(("source", "title"), [("sample", "Le corpus d’exemple"), ("archive", "L’archive lue")])
def test_an_archive_read_in_part_is_told(source, title):
    def words(segments, done, read):
        told = archive(segments=segments, segments_done=done, read=read)
        return method(run=make_run(archive=told, source=source)).words.replace("\u00a0", " ").replace("\u202f", " ")

    assert f"{title} Lecture inachevée : rien n’est encore lu en entier" in words(3, 0, 0)
    assert "enregistrement lu" not in words(3, 0, 0)
    assert f"{title} Lecture inachevée : 2 morceaux sur 3 ; les nombres" in words(3, 2, 500)
    assert "500 enregistrements lus" in words(3, 2, 500)
    assert f"{title} 900 enregistrements lus" in words(3, 3, 900)
    assert "Lecture inachevée" not in words(3, 3, 900)


def test_an_archive_that_tells_no_segments():
    old = archive(read=900)
    del old["segments"], old["segments_done"]

    assert "900\u00a0enregistrements lus" in method(run=make_run(archive=old, source="archive")).words


def test_a_candidates_error_is_told_on_every_page_and_in_full():
    run = make_run()
    run["candidates"]["bea"]["error"] = "X answered 503."
    told = site(run=run)

    for page in told.values():
        (banner,) = page.all("div", class_="trouble")
        assert "Collecte incomplète pour Béa Deux." in banner.words
        assert banner.one("a").attributes["href"].endswith("method.html#incidents")
    assert "Béa Deux – X answered 503." in told["method.html"].words
    assert not any(page.all("div", class_="trouble") for page in site().values())


def test_what_was_noted_of_the_collection_is_told_and_what_all_share_once():
    run = make_run()
    for key in ("ada", "bea", "cyr"):
        run["candidates"][key]["notes"] = ["Begun again."]
    run["candidates"]["ada"]["notes"] = ["<Gone> since Monday.", "Begun again."]
    words = method(run=run).words

    assert words.count("Begun again.") == 1
    assert "Ada Un – <Gone> since Monday." in words
    assert "Notes de collecte" not in method().words


def test_engines_versions_and_seconds():
    page = section(method(), "h-made")

    assert page.row("Calcul") == ["Sail 0.7.2"]
    assert page.row("wordcloud") == ["1.9.6"]
    assert page.row("raw_tweets") == ["1,2"]
    assert "Exécution abc" in page.words


def test_a_language_without_a_lexicon_is_said_to_have_no_tone():
    told = site(election=make_election(language="en"))

    for path in ("index.html", "method.html"):
        assert "Le ton n’est calculé pour aucun texte" in told[path].words
        assert "langue de cette élection (en)" in told[path].words
    assert told["candidates/ada.html"].all("section", aria_labelledby="h-tone") == []
    assert "ton moyen" not in told["candidates/ada.html"].words
    assert "Le ton n’est calculé" not in method().words


@pytest.mark.parametrize(("source", "said"), [("sample", True), ("archive", False), ("x", False)])
def test_sample_data_says_so_on_every_page(source, said):
    for page in site(run=make_run(source=source)).values():
        assert ("Données d’exemple synthétiques." in page.words) == said
        assert len(page.all("div", class_="banner sample")) == said


# What is not known


def test_no_tweets_at_all_give_pages_that_say_so():
    told = pages_of(site_files(nothing(), FRENCH))

    assert "Aucun tweet n’a encore été collecté." in told["index.html"].words
    assert "Aucun tweet ne nomme encore Ada Un." in told["candidates/ada.html"].words
    assert "ton calculé, sur 0\u00a0texte –" in told["index.html"].words
    for page in told.values():
        assert page.all("svg", role="img") == []


def test_what_is_not_known_is_a_dash_and_never_zero_or_nan(parsed):
    for told in (parsed, pages_of(site_files(nothing(), FRENCH))):
        for path, page in told.items():
            assert not re.search(r"\b(?:nan|none|null|inf|undefined|nat)\b", page.spoken, re.I), path
            for one in page.walk():
                for name in ("style", "points", "data-value", "x", "y", "width", "height"):
                    assert "nan" not in (one.attributes.get(name) or "").lower(), (path, one)
    page = overview()
    assert section(page, "h-tone").row("Béa Deux")[:3] == ["–", "–", "–"]


def test_a_candidate_without_tweets_has_a_page_that_says_so():
    page = site()["candidates/bea.html"]

    assert "Aucun tweet ne nomme encore Béa Deux." in page.words
    assert len(page.all("section")) == 0
    assert len(page.one("nav", class_="neighbours").all("a")) == 2


def test_no_words_hashtags_pairs_and_clouds_are_said():
    empty = nothing()
    page = site(hashtags=empty.hashtags, rising=empty.rising, words=empty.words, pairs=empty.pairs, clouds={})[
        "candidates/ada.html"
    ]

    for said in (
        "Aucun mot ne distingue nettement ces textes",
        "Aucun mot-dièse n’est employé par assez d’auteurs.",
        "Aucun mot-dièse ne monte nettement chez assez d’auteurs",
        "Aucun autre candidat n’est nommé avec Ada Un par assez d’auteurs.",
    ):
        assert said in page.words
    assert page.all("img") == []


def test_one_day_is_a_period_of_one_day():
    one = make_days((LAST, 10, 5))
    page = overview(days=one)

    assert "Tweets le 10\u00a0avril 2022." in page.words
    assert section(page, "h-moves").row("dimanche 10\u00a0avril 2022") == ["10", "5"]
    assert len(section(page, "h-moves").all("rect", class_="tweets")) == 1


def test_a_long_period_is_shown_by_month():
    long = make_days(*((LAST - dt.timedelta(days=back), 4, 3) for back in range(200)))
    page = overview(days=long)
    moves = section(page, "h-moves")

    assert moves.one("caption", id="c-days").words == "Tweets par mois"
    assert moves.row("mars 2022") == ["124", "93"]
    assert len(moves.all("rect", class_="tweets")) == 8
    assert all(len(one.all("span", class_="time")) <= charts.MAX_TIME_LABELS for one in page.all("div", class_="chart"))


# The words


def pages_columns() -> list[str]:
    """The names of the files for download and of their columns, which are the same in every language."""
    files = {path: content for path, content in site_files(make_data(), FRENCH).items() if path.endswith(".csv")}
    heads = [content.decode("utf-8-sig").splitlines()[0].split(";") for content in files.values()]
    return ["departments.csv", *(Path(path).name for path in files), *(name for head in heads for name in head)]


def data_of(run: Mapping[str, Any]) -> list[str]:
    """Texts that no catalogue holds: names, hashtags, words, what programs say."""
    election = make_election()
    texts = [election.name, election.time_zone, election.language, run["run_id"], "z", "log", "x"]
    texts += [text for one in election.candidates for text in (one.name, one.party)]
    texts += [event.title for event in election.events]
    texts += ["débat", "marée", "vélo", "école", "mer", "X answered 503.", "Begun again.", "a.jsonl", "No JSON."]
    texts += [*DEPARTMENT_COLUMNS, *pages_columns()]
    texts += [*run["versions"], *run["versions"].values(), *run["engines"].values(), *run["seconds"]]
    return [text for text in texts if len(text) > 1]


def everything(catalogue: Catalogue) -> Iterator[tuple[str, Page]]:
    """The pages in all situations that have words of their own."""
    problems = [{"file": "a.jsonl", "line": 7, "kind": "unreadable_line", "reason": "No JSON."}]
    run = make_run(source="sample", archive=archive(segments_done=2, problem_count=1, problems=problems))
    for counts in (run["total"]["root"], run["candidates"]["cyr"]["root"]):
        counts |= {"waiting": 1, "deleted": 1}
    run["candidates"]["cyr"] |= {"error": "X answered 503.", "notes": ["Begun again."]}
    few = make_run(source="archive", archive=archive(segments_done=0, problem_count=3, problems=problems))
    for of in (few["total"], *few["candidates"].values()):
        of["run"] = dict.fromkeys(COUNTS, 0)
    quiet = make_days((LAST, 30, 5), *((LAST - dt.timedelta(days=back), 60, 5) for back in range(1, 120)))
    both = pd.concat([quiet, make_days((LAST, 10, 5), keys=("bea",)), make_days((LAST, 10, 5), keys=("cyr",))])
    empty = nothing()
    situations = {
        "usual": make_data(run=run),
        "quiet": make_data(run=few, days=both, tones=make_tones(("ada", LAST, 3, 0.5))),
        "first": make_data(
            days=make_days((LAST, 10, 5)), hours=make_data().hours.head(1), rising=empty.rising, hashtags=empty.hashtags
        ),
        "words": make_data(words=empty.words, pairs=empty.pairs),
        "running": at_half_past_five(tones=make_tones(("ada", LAST, 12, 0.5))),
        "running month": at_half_past_five(
            days=make_days(*((LAST - dt.timedelta(days=back), 4, 3) for back in range(120)))
        ),
        "waiting": make_data(overview=pages.make_overview().assign(waiting_texts=7, unplaced=1)),
        "unplaced": make_data(overview=pages.make_overview().assign(unplaced=[1233, 0, 765, 1999])),
        "empty": empty,
        "other": make_data(election=make_election(language="en")),
    }
    for name, data in situations.items():
        files = whole_site(data, catalogue) if name == "usual" else site_files(data, catalogue)
        for path, content in files.items():
            if path.endswith(".html"):
                yield f"{name} {path}", Page(content)
            elif path.endswith(".svg"):
                yield f"{name} {path}", Page(re.sub(rb"<style>.*?</style>", b"", content))


@pytest.fixture(scope="module")
def foreign() -> dict[str, Page]:
    return dict(everything(pseudo_catalogue()))


def strange(text: str, data: list[str]) -> list[str]:
    """The words of a text that are neither in brackets nor data."""
    left = outside_brackets(text)
    for known in sorted(data, key=len, reverse=True):
        left = left.replace(known, " ")
    return re.findall(r"[^\W\d_]{2,}", left)


def test_every_word_of_every_page_is_of_the_catalogue_or_data(foreign):
    known = data_of(make_run())
    places = {feature["properties"]["name"].replace("'", "’") for feature in pages.shapes()["features"]}
    names = {*places, *pages.results()["candidate"]}
    for path, page in foreign.items():
        data = [*known, *names, "(ZZ)"] if "department_map" in path else known
        # The pages' texts, and the attributes, each whole.
        assert strange(page.spoken, [*data, "ada", "cyr", "mot"]) == [], path


def test_texts_that_wait_to_be_scored_are_told_and_count_among_the_texts():
    overview = pages.make_overview().assign(waiting_texts=250)
    files = site_files(make_data(overview=overview), pages.FRENCH)

    index = Page(files["index.html"]).words
    assert "250\u00a0textes attendent encore d’être notés" in index
    assert "ton calculé, sur 1\u202f250\u00a0textes" in index
    assert "attendent encore" in Page(files["candidates/ada.html"]).words
    assert "attendent encore" in Page(files["method.html"]).words


def test_pages_and_pictures_of_another_language_are_written_in_it(foreign):
    assert {page.one("html").attributes["lang"] for path, page in foreign.items() if path.endswith("html")} == {"en"}
    words = foreign["usual index.html"].words
    assert "2,000" in words
    assert "⟦Sunday⟧, 10 ⟦M4⟧ 2022" in words
    assert "61.7%" in words
    assert any(path.endswith(".svg") and "⟦Aucun mot⟧" in page.words for path, page in foreign.items())


def test_what_the_map_draws_and_its_script_writes_is_of_the_catalogue(foreign):
    page = json.loads(foreign["usual department_map.html"].one("script", id="page").children[0])
    names = [feature["properties"]["name"].replace("'", "’") for feature in pages.shapes()["features"]]
    data = [*names, *pages.results()["candidate"], *page["data"][0]["locations"]]

    def texts(value: Any) -> Iterator[str]:
        if isinstance(value, str):
            yield value
        elif isinstance(value, (list, dict)):
            for one in value.values() if isinstance(value, dict) else value:
                yield from texts(one)

    layers = [
        {name: of for name, of in layer.items() if name in ("label", "classes", "texts")} for layer in page["layers"]
    ]
    colours = re.compile(r"#[0-9a-f]{6}|rgb\([\d, ]+\)")
    for text in texts([layers, page["groups"], page["figures"], page["words"], page["data"][1]["text"]]):
        if not colours.fullmatch(text):
            assert strange(re.sub(r"</?(b|br)>", " ", text), data) == []


class Used(dict):
    """A table of the catalogue that notes which of its texts are asked for."""

    def __init__(self, table: Mapping[str, Any], path: str, seen: set[str]) -> None:
        super().__init__(
            {name: Used(of, f"{path}{name}.", seen) if isinstance(of, dict) else of for name, of in table.items()}
        )
        self.path, self.seen = path, seen

    def __getitem__(self, name):
        self.seen.add(self.path + name)
        return super().__getitem__(name)

    def get(self, name, default=None):
        if name not in self:
            return default
        return self[name]

    def items(self):
        return [(name, self[name]) for name in self]

    def texts(self) -> Iterator[str]:
        for name, of in super().items():
            if isinstance(of, Used):
                yield from of.texts()
            else:
                yield self.path + name


def test_every_text_of_the_catalogue_is_used():
    seen: set[str] = set()
    content = Used(pages.french_content(), "", seen)
    for _ in everything(Catalogue(content, "fr")):
        pass
    # The scraper and the source of a data root say which of these occurs.
    of_data = {f"kinds.{name}" for name in pages.french_content()["kinds"]} | {"sources.x"}
    # Of the asset's preview.
    of_data.add("overview.map_preview")

    assert set(content.texts()) - seen - of_data == set()


def test_every_word_given_to_the_maps_script_is_written_by_it():
    script = (FOLDER / "assets" / "map.js").read_text(encoding="utf-8")

    assert set(re.findall(r"page\.words\.(\w+)", script)) == set(pages.french_content()["map_script"])


def test_every_measure_has_a_definition():
    content = pages.french_content()

    assert list(content["measures"]) == list(content["measures_text"])
    definitions = method().one("dl", class_="measures")
    assert [one.attributes["id"] for one in definitions.all("div")] == list(content["measures"])
    assert all(one.words for one in definitions.all("dd"))


# Links


def test_every_link_leads_to_a_file_and_an_anchor_that_are_there(files, parsed):
    for path, page in parsed.items():
        for file, anchor in targets(page, path):
            assert file in files, (path, file)
            if anchor:
                assert anchor in parsed[file].ids, (path, file, anchor)
    linked = {file for path, page in parsed.items() for file, _ in targets(page, path) if not file.endswith(".png")}
    assert {path for path in files if path.endswith((".csv", ".html", ".js", ".css", ".svg"))} == linked


def test_every_figure_links_to_its_definition(parsed):
    for path, page in parsed.items():
        for holder in page.all("figure"):
            outer = [one for one in page.all("section") if holder in list(one.walk())] or [holder]
            assert any(link for one in outer for link in one.all("a", class_="measured")), path
    anchors = {anchor for path, page in parsed.items() for file, anchor in targets(page, path) if file == "method.html"}
    assert set(pages.french_content()["measures"]) <= anchors


def definitions(part: Any) -> list[str]:
    """The measures whose definition a part of a page leads to, in its order."""
    links = [link.attributes["href"] or "" for link in part.all("a")]
    return [link.partition("method.html#")[2] for link in links if "method.html#" in link]


def test_every_key_figure_and_every_column_of_figures_leads_to_its_own_definition(parsed):
    for path, page in parsed.items():
        for figures in page.all("dl", class_="figures"):
            assert all(len(definitions(name)) == 1 for name in figures.all("dt")), path
        for table in page.all("table"):
            if path.startswith("department_map") or "heat" in (table.attributes.get("class") or ""):
                continue
            heads = [one for one in table.all("th", scope="col") if "text" not in (one.attributes.get("class") or "")]
            assert all(len(definitions(one)) == 1 for one in heads if one.words not in ("Ligne",)), (
                path,
                table.rows()[0],
            )
    index, ada = parsed["index.html"], parsed["candidates/ada.html"]
    figures = ["tweets", "tweets", "texts", "authors", "unscored", "department"]
    assert definitions(index.one("dl", class_="figures")) == figures
    assert definitions(ada.one("dl", class_="figures")) == ["tweets", "share", "texts", "authors", "tone", "department"]
    ranking, tones = (section(index, name).one("thead") for name in ("h-ranking", "h-tone"))
    assert definitions(ranking) == [
        *("tweets", "share", "share", "tweets", "texts", "authors", "other_language", "department"),
    ]
    assert definitions(tones) == ["tone", "interval", "label", "tone", "unscored"]
    assert "floor" in definitions(section(index, "h-hashtags"))


def test_nothing_is_asked_of_the_network(files, parsed):
    for path, page in parsed.items():
        for one in page.walk():
            for name in pages.LINKS:
                written = one.attributes.get(name) or ""
                assert written.startswith("data:,") or not EXTERNAL.match(written), (path, written)
            assert "url(" not in (one.attributes.get("style") or "")
        # The pages run what stands in their files alone.
        assert [
            one
            for one in page.all("script")
            if "src" not in one.attributes and one.attributes.get("type") != "application/json"
        ] == []
        assert not any(name.startswith("on") for one in page.walk() for name in one.attributes)
    for name in ASSETS:
        content = files[f"assets/{name}"].decode()
        assert not re.search(r"url\(|@import|https?:|fetch\(|import\(|XMLHttpRequest", content), name


def test_the_page_in_hand_is_marked_in_the_navigation(parsed):
    for path, page in parsed.items():
        marked = [link.attributes["href"] for link in page.one("nav", aria_label="Pages").all("a", aria_current="page")]
        assert len(marked) == 1, path
        assert path.endswith(marked[0].replace("../", "")), path


def test_file_names_are_quoted():
    clouds = {TOTAL: ("mots d'été.png", "Nuage"), "ada": ("a b/#c.png", "Nuage")}
    told = site(clouds=clouds)

    assert told["index.html"].one("img").attributes["src"] == "mots%20d%27%C3%A9t%C3%A9.png"
    assert told["candidates/ada.html"].one("img").attributes["src"] == "../a%20b/%23c.png"


# For all readers


def test_tables_have_a_caption_and_heads_a_scope(parsed):
    for path, page in parsed.items():
        for table in page.all("table"):
            (caption,) = table.all("caption")
            assert caption.words or table.attributes.get("id") == "details", path
            assert all(one.attributes.get("scope") in ("col", "row") for one in table.all("th")), path
            width = len(table.rows()[0])
            assert {len(row) for row in table.rows()} == {width}, path


def test_headings_stand_in_order(parsed):
    for path, page in parsed.items():
        levels = [int(one.tag[1]) for one in page.walk() if re.fullmatch("h[1-6]", one.tag)]
        assert levels[0] == 1, path
        assert levels.count(1) == 1, path
        assert all(after <= before + 1 for before, after in pairwise(levels)), (path, levels)
        assert all(one.words for one in page.walk() if re.fullmatch("h[1-6]", one.tag)), path


def test_landmarks_and_what_names_them(parsed):
    for path, page in parsed.items():
        assert not [one for one, times in Counter(page.ids).items() if times > 1], path
        ids = set(page.ids)
        for one in page.walk():
            for name in ("aria-labelledby", "aria-describedby", "for", "headers"):
                assert set((one.attributes.get(name) or "").split()) <= ids, (path, name, one)
        assert all(len(page.all(tag)) == 1 for tag in ("main", "header", "footer", "h1")), path
        first = next(one for one in page.one("body").walk() if one.tag == "a")
        assert first.attributes["href"] == f"#{page.one('main').attributes['id']}"
        names = [one.attributes.get("aria-label") for one in page.all("nav")]
        assert len(set(names)) == len(names), path
        assert page.one("html").attributes["lang"] == "fr"
        assert page.one("head").one("title").words.endswith("– Essai")
        assert page.one("meta", name="description").attributes["content"]
        assert page.one("meta", name="viewport").attributes["content"] == "width=device-width, initial-scale=1"


def test_what_scrolls_can_be_reached_with_the_keyboard_and_has_a_name(parsed):
    for path, page in parsed.items():
        regions = page.all("div", class_="scroll")
        assert all(one.attributes["tabindex"] == "0" and one.attributes["role"] == "region" for one in regions)
        named = [
            one.attributes.get("aria-labelledby") or one.attributes.get("aria-label")
            for one in page.walk()
            if one.tag == "section" or one.attributes.get("role") == "region"
        ]
        assert all(named), path
        assert len(set(named)) == len(named), (path, [one for one, n in Counter(named).items() if n > 1])
        # No order of focus but that of the page.
        assert {one.attributes["tabindex"] for one in page.walk() if "tabindex" in one.attributes} <= {"0", "-1"}


def test_pictures_and_charts_have_a_text(parsed):
    for path, page in parsed.items():
        for one in page.all("img"):
            assert one.attributes["alt"], path
            assert (one.attributes["width"], one.attributes["height"]) == ("1200", "675")
        for one in page.all("svg"):
            told = one.attributes.get("role") == "img" and one.attributes.get("aria-label")
            assert told or one.attributes.get("aria-hidden") == "true", path
        for one in page.walk():
            if one.attributes.get("aria-hidden") == "true":
                assert not any(inner.tag in ("a", "button", "select", "summary") for inner in one.walk()), path
        for one in (*page.all("a"), *page.all("button"), *page.all("summary")):
            assert one.words, (path, one.attributes)


def test_what_programs_say_is_marked_as_english(parsed):
    said = [one.words for one in parsed["method.html"].walk() if one.attributes.get("lang") == "en"]

    assert said == ["No JSON.", "No JSON.", "X answered 503.", "Begun again."]


def luminance(colour: str) -> float:
    """Relative luminance of `#rgb` or `#rrggbb`, as WCAG 2.2 defines it."""
    digits = colour.lstrip("#")
    digits = "".join(2 * digit for digit in digits) if len(digits) == 3 else digits
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def tokens() -> dict[str, dict[str, str]]:
    """The colours of site.css by scheme; each scheme replaces what it names."""
    css = (FOLDER / "assets" / "site.css").read_text(encoding="utf-8")
    assert css.count("prefers-color-scheme: dark") == css.count("@media screen and (prefers-color-scheme: dark)") == 1
    light, dark, paper = (
        dict(re.findall(r"--([\w-]+):\s*(#[0-9a-f]+)", block)) for block in re.findall(r":root \{(.*?)\}", css, re.S)
    )
    return {"light": light, "dark": {**light, **dark}, "print": {**light, **paper}}


@pytest.mark.parametrize("scheme", ["light", "dark", "print"])
def test_texts_are_readable_in_both_schemes_and_on_paper(scheme):
    colour = tokens()[scheme]
    pairs = [(ink, paper) for ink in ("ink", "soft", "accent", "good", "bad") for paper in ("paper", "shade")]
    pairs += [("warn-ink", "warn-paper"), ("trouble-ink", "trouble-paper"), ("paper", "accent")]

    assert {pair: ratio for pair in pairs if (ratio := contrast(colour[pair[0]], colour[pair[1]])) < 4.5} == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_lines_bars_and_what_is_focused_are_told_from_the_page(scheme):
    colour = tokens()[scheme]

    for name in ("accent", "negative", "positive"):
        assert contrast(colour[name], colour["paper"]) >= 3, name
    # The two parts of a bar, and the three of a tone, beside one another.
    assert contrast(colour["accent"], colour["light"]) >= 2
    assert len({colour[name] for name in ("negative", "neutral", "positive")}) == 3


# What comes from outside


def hostile(text: str) -> dict[str, bytes]:
    """A site in which this text stands wherever a text comes from outside."""
    election = make_election(f"{text} 1", f"{text} 2", f"{text} 3", name=text)
    election = replace(
        election,
        candidates=tuple(replace(one, party=text) for one in election.candidates),
        events=tuple(replace(event, title=text) for event in election.events),
    )
    run = make_run(
        run_id=text,
        versions={text: text},
        engines={"spark": text, text: text, "sentiment": text},
        seconds={text: 1.0},
        archive=archive(problem_count=1, problems=[{"file": text, "line": 1, "kind": text, "reason": text}]),
    )
    run["candidates"]["ada"] |= {"error": text, "notes": [text, text]}
    data = make_data(
        election=election,
        run=run,
        hashtags={key: frame("hashtag texts", (text, 12)) for key in (TOTAL, "ada", "bea", "cyr")},
        rising=frame(pages.RISING, *((key, text, 12, 1, 0.1, 0.01, 2.0) for key in (TOTAL, "ada"))),
        words=frame("candidate word texts others log_odds z", ("ada", text, 12, 1, 2.0, 3.0)),
        clouds=dict.fromkeys((TOTAL, "ada", "cyr"), (f"clouds/{text}.png", text)),
    )
    return site_files(data, FRENCH)


def structure(page: Page) -> list[tuple[str, list[str]]]:
    return [(one.tag, list(one.attributes)) for one in page.walk()]


def test_everything_from_outside_is_text():
    harmless, attacked = pages_of(hostile(HARMLESS)), pages_of(hostile(ATTACK))

    assert set(harmless) == set(attacked)
    for path, page in attacked.items():
        # Not one element or attribute more than with a harmless word.
        assert structure(page) == structure(harmless[path]), path
        shown = page.spoken.replace("\u00a0", " ").replace("\u202f", " ")
        assert shown.count(ATTACK) == harmless[path].spoken.count(HARMLESS) > 5, path


def test_no_cell_of_a_table_for_download_is_computed():
    for path, content in hostile(FORMULA).items():
        if path.endswith(".csv"):
            rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig")), delimiter=";"))
            for value in (value for row in rows for value in row):
                number = re.fullmatch(r"-?\d+(,\d+)?", value)
                assert number or not value.startswith(("=", "+", "-", "@", "\t", "\r")), (path, value)
    assert FORMULA.encode() not in hostile(FORMULA)["data/hashtags.csv"].replace(b'""', b'"').replace(b"'=", b"")


# The floor of ten authors, from the tweets to the files

TWEET = {
    "tweet_id": "string",
    "candidate": "string",
    "candidates": "array<string>",
    "day": "date",
    "local_hour": "int",
    "text_plain": "string",
    "lang": "string",
    "kind": "string",
    "hashtags": "array<string>",
    "named_candidates": "array<string>",
    "author": "string",
    "department": "string",
    "text_hash": "string",
    "voice": "string",
}


@pytest.fixture(scope="module")
def of_few(spark) -> dict[str, bytes]:
    """A report of tweets in which nine authors write much of one thing and ten write of another."""
    election = make_election()

    def of(authors: int, key: str, other: str, word: str, department: str, day: dt.date = LAST) -> list[tuple]:
        tweets = []
        for number in range(5 * authors):
            name = f"{word}{number}" if day == LAST else f"{word}{number}-{day}"
            named = [key, other] if number < authors else [key]
            fixed = (day, 12, f"{word} texte {name}", "fr", "original", [word.capitalize()], named)
            tweets += [
                (name, one, named, *fixed, f"{word}-{number % authors}", department, name, name) for one in named
            ]
        return tweets

    rows = of(9, "ada", "bea", "rarissime", "48") + of(10, "ada", "cyr", "courant", "33")
    rows += of(20, "cyr", "cyr", "ailleurs", "75")
    # A week before that, so that something may rise.
    for back in range(7, 14):
        rows += of(20, "cyr", "cyr", "ailleurs", "75", LAST - dt.timedelta(days=back))
    merged = spark.createDataFrame(list({(row[0], row[1]): row for row in rows}.values()), _ddl(TWEET))
    scored = [(row[0], 0.5, 0.5, "positive", 0.5, "textblob", "1") for row in rows]
    scores = spark.createDataFrame(list({row[0]: row for row in scored}.values()), SENTIMENT_SCORES.ddl)
    figures = aggregates.overview(merged, scores, election)
    words = aggregates.word_counts(merged, election)
    data = make_data(
        election=election,
        overview=figures,
        days=aggregates.tweets_by_day(merged),
        hours=aggregates.tweets_by_hour(merged),
        tones=aggregates.tone_by_day(merged, scores, election),
        hashtags={key: aggregates.top_hashtags(merged, key or None) for key in (TOTAL, "ada", "bea", "cyr")},
        rising=aggregates.rising_hashtags(merged),
        top_words=pd.DataFrame(words.items(), columns=["word", "texts"]),
        words=aggregates.distinctive_words(merged, election),
        pairs=aggregates.co_mentions(merged),
        clouds={TOTAL: ("word_cloud.png", alt_text(words, title="Essai", catalogue=FRENCH, words=99))},
    )
    placed = aggregates.departments(merged, scores, election)
    total = figures[figures["candidate"] == TOTAL].to_dict("records")[0]
    table = csv_bytes(department_table(pages.results(), placed), FRENCH)
    return (
        site_files(data, FRENCH)
        | pages.map_files(pages.make_map(tweets=placed, total=total))
        | {"data/departments.csv": table}
    )


def _ddl(columns: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {kind}" for name, kind in columns.items())


def test_no_word_and_no_hashtag_of_few_authors_is_in_any_file(of_few):
    for path, content in of_few.items():
        if not path.startswith("assets/"):
            assert b"rarissime" not in content.lower(), path
    for path in ("index.html", "candidates/ada.html", "data/hashtags.csv", "data/rising_hashtags.csv"):
        assert b"Courant" in of_few[path], path
    assert b"courant" in of_few["data/distinctive_words.csv"]
    assert b"courant" in of_few["data/words.csv"]


def test_no_figure_of_a_department_of_few_authors_is_in_any_file(of_few):
    rows = {row["department"]: row for row in table(of_few, "departments")}
    figures = ("tweets", "authors", "per_100000", "scored_texts", "unscored_texts", "mean_polarity")
    assert [rows["48"][name] for name in figures] == [""] * 6
    assert (rows["48"]["below_floor"], rows["33"]["below_floor"], rows["01"]["below_floor"]) == ("1", "0", "")
    assert (rows["33"]["tweets"], rows["33"]["authors"]) == ("50", "10")
    page = Page(of_few["department_map.html"])
    whole = section(page, "h-whole")
    assert whole.row("Lozère (48)")[-2:] == ["moins de 10 auteurs"] * 2
    assert whole.row("Ain (01)")[-2:] == ["aucun tweet placé"] * 2
    assert whole.row("Gironde (33)")[-1] == "+0,50 (+0,50 à +0,50)"
    told = json.loads(page.one("script", id="page").children[0])
    (lozere,) = (groups["tweets"] for name, groups in told["figures"] if name == "Lozère (48)")
    assert [label for label, _ in lozere] == ["Tweets placés", "Habitants en 2023"]


def test_no_tone_of_few_authors_is_in_any_file(of_few):
    """The second candidate is named by nine authors: counted, but without a tone."""
    named = {row["candidate"]: row for row in table(of_few, "candidates")}
    assert (named["bea"]["tweets"], named["bea"]["distinct_authors"], named["bea"]["scored_texts"]) == ("9", "9", "9")
    assert {name for name in named["bea"] if named["bea"][name] == ""} == set(pages.TONES)
    assert named["ada"]["mean_polarity"] == "0,5"
    days = {row["candidate"]: row for row in table(of_few, "tone_by_day")}
    assert {name for name in days["bea"] if days["bea"][name] == ""} == set(pages.TONES)
    assert (days["bea"]["authors"], days["ada"]["mean_polarity"]) == ("9", "0,5")
    assert section(Page(of_few["index.html"]), "h-tone").row("Béa Deux") == ["–", "–", "–", "9", "0"]
    page = Page(of_few["candidates/bea.html"])
    assert "ton moyen\u00a0: trop peu de textes ou d’auteurs –" in page.words
    assert section(page, "h-tone").row("dimanche 10\u00a0avril 2022")[:2] == ["–", "–"]
    assert page.all("div", class_="tone-chart") == []


def test_no_pair_of_few_authors_is_in_any_file(of_few):
    assert [(row["candidate"], row["other"]) for row in table(of_few, "co_mentions")] == [
        ("ada", "cyr"),
        ("cyr", "ada"),
    ]
    pairs = section(Page(of_few["candidates/ada.html"]), "h-pairs")
    assert [row[0] for row in pairs.rows()[1:]] == ["Cyr Trois"]
    assert "Aucun autre candidat n’est nommé avec Béa Deux" in Page(of_few["candidates/bea.html"]).words


def test_what_is_given_of_few_authors_is_what_the_pages_say(of_few):
    """Counts of tweets have no floor: nine authors' are in the files, and no page promises otherwise."""
    few = [row for row in table(of_few, "hours") if row["candidate"] == "bea"]
    assert [(row["tweets"], row["hour"]) for row in few] == [("9", "12")]
    days = [(row["tweets"], row["authors"]) for row in table(of_few, "days") if row["candidate"] == "bea"]
    assert days == [("9", "9")]
    told = pages_of(of_few)
    assert not any(
        "Aucun chiffre n’est donné" in page.words or "rien n’est dit" in page.words for page in told.values()
    )
    floor = told["method.html"].one("div", id="floor").words
    assert "moins de 10 auteurs distincts" in floor
    assert "en tout, par jour et par heure, sont donnés sans ce seuil" in floor
    assert "sont donnés quels qu’ils soient" in section(told["method.html"], "h-people").words
    for path in ("index.html", "candidates/ada.html"):
        said = section(told[path], "h-hashtags").words
        assert "Ne paraissent que les mots-dièse qu’emploient au moins 10 auteurs distincts." in said, path


# Tables for download


def table(files: Mapping[str, bytes], name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(files[f"data/{name}.csv"].decode("utf-8-sig")), delimiter=";"))


def test_the_tables_hold_the_figures_of_the_pages(files):
    candidates = {row["candidate"]: row for row in table(files, "candidates")}
    assert candidates["ada"]["tweets"] == "1234"
    assert candidates["ada"]["mean_polarity"] == "-0,125"
    assert candidates["bea"]["mean_polarity"] == candidates["bea"]["share_negative_low"] == ""
    day = [row for row in table(files, "days") if row["day"] == "2022-04-09"]
    assert [(row["candidate"], row["tweets"], row["share"]) for row in day] == [
        ("", "299", ""),
        ("ada", "299", "0,749373"),
        ("cyr", "100", "0,250627"),
    ]
    assert table(files, "hashtags")[0] == {"candidate": "", "hashtag": "débat", "texts": "1500"}
    assert table(files, "hours")[0] == {
        "candidate": "ada",
        "day": "2022-04-09",
        "hour": "8",
        "tweets": "20",
        "originals": "10",
        "ended": "1",
    }
    counts = {(row["candidate"], row["scope"]): row["received"] for row in table(files, "counts")}
    assert counts[("ada", "root")] == "1012"
    assert counts[("", "run")] == "36"
    for name in ("tone_by_day", "rising_hashtags", "distinctive_words", "co_mentions", "departments"):
        assert table(files, name)


@pytest.mark.parametrize(
    ("path", "heading", "measure", "file", "column", "figures"),
    [
        ("index.html", "h-figures", "tweets", "candidates", "distinct_authors", {"900"}),
        ("index.html", "h-ranking", "share", "candidates", "originals", {"800", "500"}),
        ("index.html", "h-moves", "tweets", "days", "tweets", {"300", "299"}),
        ("index.html", "h-moves", "share", "days", "share", {"0,749373"}),
        ("index.html", "h-tone", "tone", "candidates", "mean_polarity", {"-0,125", "0,25"}),
        ("index.html", "h-hashtags", "hashtag", "hashtags", "hashtag", {"débat"}),
        ("index.html", "h-hashtags", "rise", "rising_hashtags", "hashtag", {"marée"}),
        ("index.html", "h-words", "word", "words", "texts", {"1234", "53"}),
        ("candidates/ada.html", "h-figures", "tweets", "candidates", "distinct_texts", {"700"}),
        ("candidates/ada.html", "h-volume", "tweets", "days", "originals", {"200"}),
        ("candidates/ada.html", "h-volume", "tweets", "hours", "tweets", {"20", "5"}),
        ("candidates/ada.html", "h-volume", "share", "days", "share", {"0,749373"}),
        ("candidates/ada.html", "h-tone", "tone", "tone_by_day", "mean_polarity", {"-0,25"}),
        ("candidates/ada.html", "h-words", "distinctive", "distinctive_words", "z", {"8,25"}),
        ("candidates/ada.html", "h-hashtags", "hashtag", "hashtags", "texts", {"900"}),
        ("candidates/ada.html", "h-hashtags", "rise", "rising_hashtags", "share_before", {"0,005"}),
        ("candidates/ada.html", "h-pairs", "pairs", "co_mentions", "tweets", {"77"}),
        ("method.html", "coverage", "counts", "counts", "received", {"1012"}),
    ],
)
def test_under_a_figure_stands_the_file_that_holds_it(files, parsed, path, heading, measure, file, column, figures):
    lines = [
        (definitions(line), [one.attributes["href"] for one in line.all("a", class_="download")])
        for line in section(parsed[path], heading).all("p", class_="source")
    ]
    assert ([measure], [f"{'../' * path.count('/')}data/{file}.csv"]) in lines
    # The file holds what the page shows there; no other line of the section offers another for the same measure.
    assert figures <= {row[column] for row in table(files, file)}
    assert len({tuple(links) for of, links in lines if of == [measure] and "hours" not in links[0]}) == 1


def test_every_column_of_every_file_is_explained_on_the_method_page(files, parsed):
    told = {}
    for one in section(parsed["method.html"], "h-files").all("table"):
        (link,) = one.one("caption").all("a")
        told[link.attributes["href"]] = dict(one.rows()[1:])
    assert set(told) == {path for path in files if path.endswith(".csv")}
    for path, meanings in told.items():
        head = files[path].decode("utf-8-sig").splitlines()[0].split(";")
        if path == "data/departments.csv":
            plain = [re.sub(r"_change .*$", "_change", re.sub(r"_[12]( .*)?$", "_N", name)) for name in head]
            head = list(dict.fromkeys(plain))
        assert list(meanings) == head, path
        # A name alone is no meaning.
        assert all(meaning and meaning != name for name, meaning in meanings.items()), path
    assert told["data/tone_by_day.csv"]["tweets"] == "Tweets dans la langue de l’élection"
    assert told["data/days.csv"]["tweets"] == "Tweets"


def test_a_table_without_rows_has_its_heads():
    empty = site_files(nothing(), FRENCH)

    for path, content in empty.items():
        if path.endswith(".csv"):
            assert len(content.decode("utf-8-sig").splitlines()[0].split(";")) >= 2, path
            assert not re.search(r"\bnan\b", content.decode(), re.I)


def test_every_file_that_the_pages_are_made_of_is_in_the_package():
    """What pyproject.toml declares as package data holds each catalogue, template and asset."""
    import tomllib

    project = Path(__file__).parents[3]
    declared = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = declared["tool"]["setuptools"]["package-data"]["election_assets"]
    package = project / "election_assets"
    packed = {file for pattern in patterns for file in package.glob(pattern)}

    needed = [file for name in ("catalogues", "templates", "assets") for file in (FOLDER / name).iterdir()]
    assert needed
    assert set(needed) <= packed


def test_the_numbers_of_nan_frames_stay_out_of_the_pages_style():
    part = make_data().overview
    part.loc[part["candidate"] == "cyr", "mean_polarity_low"] = math.nan
    part.loc[part["candidate"] == "cyr", "mean_polarity_high"] = math.nan
    row = next(row for row in section(overview(overview=part), "h-tone").all("tr") if "Cyr" in row.words)

    assert row.all("i", class_="interval") == []
    assert len(row.all("i", class_="point")) == 1
    assert "+0,50 –" in row.words
