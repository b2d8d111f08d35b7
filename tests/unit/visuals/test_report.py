"""The report's page, read as a browser's parser reads it."""

import copy
import datetime as dt
import math
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from election_assets.election import Candidate, Election
from election_assets.visuals import report
from election_assets.visuals.report import TOTAL, report_html

ATTACK = "</style><script>alert('x')</script><img src=x onerror=alert(1)>\""
VOID = {"meta", "img", "link", "br", "hr", "rect", "input"}
COUNTS = {
    "received": 12,
    "repeats": 3,
    "quarantined": 1,
    "kept": 8,
    "repeated_deliveries": 2,
    "deleted": 0,
    "waiting": 0,
}


class Page(HTMLParser):
    """The elements of a page with their attributes, the text of each table, and whether tags match."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.tables: list[list[list[str]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("th", "td"):
            self.tables[-1][-1].append("")

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if "style" in self._open:
            return
        self.text += data
        if "td" in self._open or "th" in self._open:
            self.tables[-1][-1][-1] += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def row(self, first: str, table: int = 0) -> list[str]:
        """The cells after the first of the table-th row that starts with this text."""
        rows = [row for rows in self.tables for row in rows if row and row[0] == first]
        return [one_line(cell) for cell in rows[table][1:]]

    @property
    def words(self) -> str:
        return one_line(self.text)


def one_line(text: str) -> str:
    """Text as a browser shows it: line breaks and spaces are one space, no-break spaces stay."""
    return re.sub(r"[ \n]+", " ", text).strip()


def make_election(name: str = "Ada Un") -> Election:
    candidates = (
        Candidate("ada", name, "", "#123456", name, (), (name,)),
        Candidate("bea", "Béa Deux", "", "#654321", "Béa", (), ("Béa Deux",)),
    )
    return Election(
        "test", "Essai", "fr", "Europe/Paris", dt.date(2022, 4, 10), dt.date(2022, 4, 24), "t", candidates, Path()
    )


def make_run(**changes) -> dict:
    candidate = {"run": COUNTS, "root": {**COUNTS, "received": 1012, "kept": 1008}, "error": None}
    return {
        "election": {"key": "test", "name": "Essai"},
        "source": "x",
        "made_at": "2022-04-10T18:05:00+00:00",
        "run_id": "abc",
        "candidates": {"ada": copy.deepcopy(candidate), "bea": copy.deepcopy(candidate)},
        "total": {
            "run": {name: 2 * count for name, count in COUNTS.items()},
            "root": {**{name: 2 * count for name, count in COUNTS.items()}, "received": 2024, "kept": 2016},
        },
        "archive": None,
        "versions": {"wordcloud": "1.9.6"},
        "engines": {"spark": "Sail 0.7.2", "broker": "Kafka", "sentiment": "textblob-fr 0.2.0"},
        "seconds": {"raw_tweets": 1.25},
        **changes,
    }


def make_overview() -> pd.DataFrame:
    names = ["tweets", "originals", "distinct_texts", "distinct_authors", "unplaced", "other_language"]
    tones = ["scored_texts", "unscored_texts", "mean_polarity", "share_negative", "share_neutral", "share_positive"]
    return pd.DataFrame(
        [
            ["ada", 1234, 800, 700, 600, 500, 40, 450, 150, -0.125, 0.5, 0.3, 0.2],
            ["bea", 0, 0, 0, 0, 0, 0, 0, 0, math.nan, math.nan, math.nan, math.nan],
            [TOTAL, 2000, 1300, 1100, 900, 500, 50, 750, 250, 0.25, 0.25, 0.25, 0.5],
        ],
        columns=["candidate", *names, *tones],
    )


def make_days(*days: tuple[dt.date, int, int]) -> pd.DataFrame:
    rows = [(TOTAL, *day) for day in days] + [("ada", *day) for day in days]
    return pd.DataFrame(rows, columns=["candidate", "day", "tweets", "originals"])


DAYS = make_days((dt.date(2022, 4, 8), 1500, 900), (dt.date(2022, 4, 10), 500, 400))


def make_page(**changes) -> Page:
    arguments = {
        "election": make_election(),
        "run": make_run(),
        "overview": make_overview(),
        "hashtags": pd.DataFrame({"hashtag": ["débat"], "texts": [1500]}),
        "days": DAYS,
        "clouds": {TOTAL: ("word_cloud.png", "Nuage de tous"), "ada": ("word_cloud/ada.png", "Nuage d’Ada")},
        **changes,
    }
    return Page(report_html(**arguments))


@pytest.fixture(scope="module")
def page() -> Page:
    return make_page()


def test_key_figures_are_in_french_numbers(page):
    words = page.words

    assert "tweets, chacun compté une fois 2\u202f000" in words
    assert "sans les retweets 1\u202f300" in words
    assert "auteurs distincts 900" in words
    assert "ton calculé, sur 1\u202f000\u00a0textes 75\u202f%" in words
    assert "département 75\u202f%" in words


def test_dates_are_in_french(page):
    words = page.words.replace("\u00a0", " ")

    assert "Premier tour dimanche 10 avril 2022, second tour dimanche 24 avril 2022." in words
    assert "Tweets du vendredi 8 avril 2022 au dimanche 10 avril 2022." in words
    assert "Page établie dimanche 10 avril 2022 à 20 h 05" in words


def test_a_row_a_candidate_and_one_for_all(page):
    assert page.row("Ada Un") == [
        *("1\u202f234", "800", "700", "600", "\u22120,12"),
        "50\u202f% négatif · 30\u202f% neutre · 20\u202f% positif",
        *("150", "40", "500"),
    ]
    assert page.row("Béa Deux") == ["0", "0", "0", "0", "–", "–", "0", "0", "0"]
    assert page.row("Ensemble")[:5] == ["2\u202f000", "1\u202f300", "1\u202f100", "900", "+0,25"]


def test_bars_are_as_wide_as_the_shares(page):
    widths = [attributes["style"] for attributes in page.all("i") if "style" in attributes]

    assert widths == [f"width:{width}%" for width in ("50.00", "30.00", "20.00", "25.00", "25.00", "50.00")]


def test_counts_of_the_root_and_of_the_run(page):
    assert page.row("Ada Un", 1) == ["1\u202f012", "3", "1", "1\u202f008", "2", "bon"]
    assert page.row("Ada Un", 2) == ["12", "3", "1", "8", "2", "bon"]
    assert page.row("Ensemble", 1) == ["2\u202f024", "6", "2", "2\u202f016", "4", "bon"]
    assert page.row("Ensemble", 2) == ["24", "6", "2", "16", "4", "bon"]
    assert "Le compte est bon" in page.text


def test_a_run_that_brought_nothing_has_no_table():
    run = make_run()
    nothing = dict.fromkeys(COUNTS, 0)
    for report_of_one in (run["total"], *run["candidates"].values()):
        report_of_one["run"] = nothing
    said = "Rien de nouveau depuis le rapport précédent."

    page = make_page(run=run)
    assert said in page.words
    assert "c-run" not in [caption.get("id") for caption in page.all("caption")]
    assert page.row("Ada Un", 1)[0] == "1\u202f012"

    run["candidates"]["bea"]["run"] = {**nothing, "repeated_deliveries": 1}
    assert said not in make_page(run=run).words
    assert make_page(run=run).row("Béa Deux", 2)[4] == "1"


def test_a_language_without_a_lexicon_is_said_to_have_no_tone(page):
    assert "dont le lexique ne connaît aucun mot" in page.words
    method = make_page(election=replace(make_election(), language="en")).words
    assert "Le ton n’est calculé pour aucun texte\u00a0: le lexique de textblob-fr 0.2.0" in method
    assert "langue de cette élection (en)" in method
    assert "dont le lexique ne connaît aucun mot" not in method


def test_a_lost_record_is_told():
    run = make_run()
    run["candidates"]["ada"]["root"]["kept"] -= 3

    page = make_page(run=run)

    assert page.row("Ada Un", 1)[-1] == "écart de 3"
    assert page.row("Béa Deux", 1)[-1] == "bon"
    assert "Le compte n’y est pas pour Ada Un\u00a0:" in page.words
    assert "Le compte est bon" not in page.text


def test_a_candidate_that_the_run_does_not_have():
    run = make_run()
    del run["candidates"]["bea"]

    assert make_page(run=run).row("Béa Deux", 1) == ["–"] * 6


def test_pictures_are_relative_and_have_a_text(page):
    (frame,) = page.all("iframe")
    assert frame["src"] == "department_map.html"
    assert frame["loading"] == "lazy"
    assert frame["title"]
    assert "department_map.html" in [link.get("href") for link in page.all("a")]
    assert [(image["src"], image["alt"]) for image in page.all("img")] == [
        ("word_cloud.png", "Nuage de tous"),
        ("word_cloud/ada.png", "Nuage d’Ada"),
    ]


def test_file_names_are_quoted():
    page = make_page(clouds={TOTAL: ("mots d'été.png", "Nuage")}, map_file="a b.html")

    assert page.all("img")[0]["src"] == "mots%20d%27%C3%A9t%C3%A9.png"
    assert page.all("iframe")[0]["src"] == "a%20b.html"


def test_no_clouds_and_no_hashtags_are_said():
    page = make_page(clouds={}, hashtags=pd.DataFrame({"hashtag": [], "texts": []}))

    assert page.all("img") == []
    assert "Aucun nuage de mots." in page.text
    assert "Aucun mot-dièse." in page.text


def test_nothing_is_asked_of_the_network(page):
    for _, attributes in page.elements:
        for name in ("src", "href", "srcset", "action", "data"):
            assert not (attributes.get(name) or "").startswith(("http:", "https:", "//"))
    assert page.all("script") == []
    assert page.all("link") == []
    assert "url(" not in report.CSS
    assert "@import" not in report.CSS


def test_tables_have_a_caption_and_scopes(page):
    assert len(page.all("caption")) == len(page.all("table"))
    assert all(heading.get("scope") in ("col", "row") for heading in page.all("th"))
    labels = {attributes["aria-labelledby"] for _, attributes in page.elements if "aria-labelledby" in attributes}
    assert labels <= {attributes["id"] for _, attributes in page.elements if "id" in attributes}
    assert page.all("html")[0]["lang"] == "fr"


@pytest.mark.parametrize(("source", "said"), [("sample", True), ("archive", False), ("x", False)])
def test_sample_data_says_so(source, said):
    page = make_page(run=make_run(source=source))

    assert ("Données d’exemple synthétiques." in page.words) == said
    assert any(attributes.get("class") == "banner sample" for attributes in page.all("div")) == said


def test_everything_from_outside_is_text():
    run = make_run(
        run_id=ATTACK,
        versions={ATTACK: ATTACK},
        engines={"spark": ATTACK, ATTACK: ATTACK, "sentiment": ATTACK},
        seconds={ATTACK: 1.0},
        archive={
            "read": 1,
            "unreadable": 1,
            "matched_no_candidate": 0,
            "problem_count": 1,
            "problems": [{"file": ATTACK, "line": 1, "kind": ATTACK, "reason": ATTACK}],
        },
    )
    run["candidates"]["ada"]["error"] = ATTACK

    page = make_page(
        election=make_election(ATTACK),
        run=run,
        hashtags=pd.DataFrame({"hashtag": [ATTACK], "texts": [1]}),
        clouds={TOTAL: (ATTACK, ATTACK), "ada": (ATTACK, ATTACK)},
        map_file=ATTACK,
    )

    assert page.all("script") == []
    assert len(page.all("style")) == 1
    assert [image["alt"] for image in page.all("img")] == [ATTACK, ATTACK]
    # What the programs say is English, and a screen reader has to know.
    assert [tag for tag, attributes in page.elements if attributes.get("lang") == "en"] == ["td", "td", "span"]
    assert not any("onerror" in attributes for _, attributes in page.elements)
    assert page.text.count("<script>alert('x')</script>") >= 10


def test_an_archives_counts_and_problems():
    problems = [{"file": "a.jsonl", "line": line, "kind": "unreadable", "reason": "Pas du JSON."} for line in (7, None)]
    archive = {
        "read": 60000,
        "unreadable": 1,
        "matched_no_candidate": 40,
        "problem_count": 1234,
        "problems": problems,
    }

    page = make_page(run=make_run(archive=archive, source="archive"))

    words = page.words.replace("\u00a0", " ")
    assert "60\u202f000 enregistrements lus" in words
    assert "1 enregistrement illisible " in words
    assert "40 enregistrements sans aucun candidat" in words
    assert "les 2 premiers sur 1\u202f234" in words
    assert page.row("a.jsonl") == ["7", "unreadable", "Pas du JSON."]
    assert page.row("a.jsonl", 1) == ["–", "unreadable", "Pas du JSON."]
    assert "archive lue" not in make_page().text


@pytest.mark.parametrize(("source", "title"), [("sample", "Le corpus d’exemple"), ("archive", "L’archive lue")])
def test_an_archive_read_in_part_is_told(source, title):
    def words(segments, done, read):
        counts = {"read": read, "unreadable": 0, "matched_no_candidate": 0, "problem_count": 0, "problems": []}
        archive = {**counts, "segments": segments, "segments_done": done}
        return make_page(run=make_run(archive=archive, source=source)).words.replace("\u00a0", " ")

    assert f"{title} Lecture inachevée. Rien n’est encore lu en entier" in words(3, 0, 0)
    assert "enregistrement lu" not in words(3, 0, 0)
    assert f"{title} Lecture inachevée. 2 morceaux sur 3\u202f; les nombres" in words(3, 2, 500)
    assert "500 enregistrements lus" in words(3, 2, 500)
    assert f"{title} 900 enregistrements lus" in words(3, 3, 900)
    assert "Lecture inachevée" not in words(3, 3, 900)


def test_a_candidates_error_is_told_at_the_top_and_in_full():
    run = make_run()
    run["candidates"]["bea"]["error"] = "X a répondu 503."

    words = make_page(run=run).words.replace("\u00a0", " ")

    assert "Collecte incomplète pour 1 candidat." in words
    assert "Béa Deux : X a répondu 503." in words


def test_engines_versions_and_seconds(page):
    assert page.row("Calcul") == ["Sail 0.7.2"]
    assert page.row("wordcloud") == ["1.9.6"]
    assert page.row("raw_tweets") == ["1,2"]


def test_the_chart_leaves_a_gap_for_a_day_without_tweets(page):
    titles = [title for title in page.text.replace("\u00a0", " ").splitlines() if "sans les retweets" in title]
    bars = [rect for rect in page.all("rect") if rect["class"] == "tweets"]

    assert [float(bar["height"] or 0) for bar in bars] == [100, 0, 33.333]
    assert any(title.startswith("samedi 9 avril 2022 : 0 tweet, dont 0 sans") for title in titles)
    assert page.row("vendredi 8\u00a0avril 2022") == ["1\u202f500", "900"]


@pytest.mark.parametrize(
    ("highest", "ticks"),
    [
        (1, [0, 1, 2]),
        (3, [0, 1, 2, 3]),
        (5, [0, 2, 4, 6]),
        (1500, [0, 500, 1000, 1500]),
        (2339, [0, 1000, 2000, 3000]),
        (40001, [0, 20000, 40000, 60000]),
    ],
)
def test_ticks(highest, ticks):
    assert list(report._ticks(highest)) == ticks


def test_a_long_period_is_shown_by_month():
    page = make_page(
        days=make_days((dt.date(2019, 11, 30), 10, 5), (dt.date(2020, 1, 1), 4, 2), (dt.date(2020, 4, 2), 6, 3))
    )

    assert "Combien de tweets par mois" in page.text
    assert len([rect for rect in page.all("rect") if rect["class"] == "tweets"]) == 6
    assert page.row("novembre 2019") == ["10", "5"]
    assert page.row("janvier 2020") == ["4", "2"]


@pytest.mark.parametrize("length", [1, 2, 14, 92])
def test_the_chart_has_at_most_five_dates(length):
    days = make_days(*((dt.date(2022, 1, 1) + dt.timedelta(days=number), 5, 3) for number in range(length)))
    page = make_page(days=days)
    dates = [attributes for attributes in page.all("span") if attributes.get("class") == "time"]

    assert 1 <= len(dates) <= report.MAX_TIME_LABELS


def test_no_tweets_at_all_give_a_page():
    overview = make_overview()
    overview.iloc[:, 1:9] = 0
    overview.iloc[:, 9:] = math.nan

    page = make_page(overview=overview, days=make_days())

    assert "Aucun tweet." in page.text
    assert "ton calculé –" in page.words
    assert "nan" not in page.text


def test_rare_counts_have_a_column_only_where_there_are_some(page):
    assert "En attente" not in page.text
    waiting = make_run()
    for counts in (waiting["candidates"]["ada"]["root"], waiting["total"]["root"]):
        counts["waiting"] = 5
        counts["received"] += 5
    shown = make_page(run=waiting)
    assert "En attente" in shown.text
    assert "Supprimés" not in shown.text
    assert "Le compte est bon" in shown.text


def test_what_was_noted_of_the_collection_is_told_and_what_all_share_once():
    run = make_run()
    run["candidates"]["ada"]["notes"] = ["<Gone> since Monday.", "Begun again."]
    run["candidates"]["bea"]["notes"] = ["Begun again."]
    page = make_page(run=run)
    assert page.text.count("Begun again.") == 1
    assert "<Gone> since Monday." in page.text
    assert "Notes de collecte" not in make_page().text
