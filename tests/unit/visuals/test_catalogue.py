"""Figures, dates and texts as the language of the pages writes them, and what a catalogue lacks."""

import datetime as dt
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from election_assets.visuals.catalogue import FOLDER, Catalogue, CatalogueError, load_catalogue
from tests.unit.visuals.pages import FRENCH, french_content, pseudo_catalogue

ENGLISH = pseudo_catalogue()


def catalogue(**content) -> Catalogue:
    return Catalogue({**french_content(), **content}, "fr")


@pytest.mark.parametrize(
    ("value", "digits", "written"),
    [
        (0, 0, "0"),
        (999, 0, "999"),
        (47582183, 0, "47\u202f582\u202f183"),
        (1234.56, 1, "1\u202f234,6"),
        (-0.125, 2, "\u22120,12"),
        (-0.001, 2, "0,00"),
        (None, 0, "–"),
        (float("nan"), 2, "–"),
    ],
)
def test_number(value, digits, written):
    assert FRENCH.number(value, digits) == written


@pytest.mark.parametrize(
    ("value", "written"),
    [(0.1, "+0,10"), (0.001, "0,00"), (0, "0,00"), (-0.5, "\u22120,50"), (float("nan"), "–"), (None, "–")],
)
def test_signed(value, written):
    assert FRENCH.signed(value) == written


@pytest.mark.parametrize(
    ("share", "written"),
    [
        *((0.1234, "12,3\u202f%"), (1, "100,0\u202f%"), (0, "0,0\u202f%"), (None, "–"), (float("nan"), "–")),
        *((0.0004, "<\u00a00,1\u202f%"), (0.0006, "0,1\u202f%"), (0.9994, "99,9\u202f%")),
        *((0.9996, ">\u00a099,9\u202f%"), (-0.2, "\u221220,0\u202f%"), (1.2, "120,0\u202f%")),
    ],
)
def test_percent(share, written):
    assert FRENCH.percent(share) == written


def test_a_share_is_not_rounded_to_nothing_or_all():
    assert FRENCH.percent(12130 / 12132, 0) == ">\u00a099\u202f%"
    assert FRENCH.percent(2 / 12132, 0) == "<\u00a01\u202f%"
    assert [FRENCH.percent(share, 0) for share in (0, 0.006, 0.994, 1)] == [
        f"{percent}\u202f%" for percent in (0, 1, 99, 100)
    ]


@pytest.mark.parametrize(
    ("value", "written"),
    [(0, "0\u00a0tweet"), (1, "1\u00a0tweet"), (2, "2\u00a0tweets"), (1200, "1\u202f200\u00a0tweets")],
)
def test_count(value, written):
    assert FRENCH.count(value, "tweet") == written


def test_intervals_have_both_ends_or_none():
    assert FRENCH.interval(-0.05, 0.12) == "\u22120,05 à +0,12"
    assert FRENCH.percents(0.12, 0.18) == "12\u202f% à 18\u202f%"
    for low, high in ((None, 0.1), (0.1, None), (float("nan"), 0.1), (0.1, float("nan"))):
        assert FRENCH.interval(low, high) == FRENCH.percents(low, high) == "–"


@pytest.mark.parametrize(
    ("day", "written"),
    [(dt.date(2022, 4, 10), "dimanche 10\u00a0avril 2022"), (dt.date(2022, 4, 1), "vendredi 1er\u00a0avril 2022")],
)
def test_date(day, written):
    assert FRENCH.date(day) == written


def test_short_dates():
    assert FRENCH.short_day(dt.date(2022, 4, 1)) == "1er\u00a0avr."
    assert FRENCH.month(dt.date(2022, 8, 31)) == "août 2022"
    assert FRENCH.hour(8) == "8\u00a0h"


@pytest.mark.parametrize(
    ("first", "last", "written"),
    [
        (dt.date(2022, 3, 27), dt.date(2022, 4, 9), "du 27\u00a0mars au 9\u00a0avril 2022"),
        (dt.date(2021, 12, 31), dt.date(2022, 1, 1), "du 31\u00a0décembre 2021 au 1er\u00a0janvier 2022"),
        (dt.date(2022, 4, 9), dt.date(2022, 4, 9), "le 9\u00a0avril 2022"),
    ],
)
def test_period(first, last, written):
    assert FRENCH.period(first, last) == written


def test_moment_is_in_the_time_zone():
    instant = dt.datetime(2022, 4, 9, 22, 5, tzinfo=dt.UTC)

    assert FRENCH.moment(instant, "Europe/Paris") == "dimanche 10\u00a0avril 2022 à 0\u00a0h\u00a005"
    assert FRENCH.moment(instant, "Pacific/Auckland") == "dimanche 10\u00a0avril 2022 à 10\u00a0h\u00a005"


def test_lists():
    assert [FRENCH.listed(list(names)) for names in ("", "a", "ab", "abc")] == ["", "a", "a et b", "a, b et c"]


def test_names_are_sorted_without_case_and_accents():
    names = ["Zemmour", "écologie", "Éric", "Arthaud", "eau"]

    assert sorted(names, key=FRENCH.sort_key) == ["Arthaud", "eau", "écologie", "Éric", "Zemmour"]


def test_spaces_of_french_signs_do_not_break_a_line():
    signs = catalogue(one={"text": "Vrai : « oui » ; non ? 5 % <b>fin</b> a != b"})

    written = "Vrai\u00a0: «\u00a0oui\u00a0»\u202f; non\u202f? 5\u202f% <b>fin</b> a != b"
    assert signs.text("one.text") == signs.html("one.text") == signs.label("one", "text") == written
    assert signs.table("one") == {"text": written}


def test_another_language_writes_figures_and_dates_its_own_way():
    assert ENGLISH.number(1234.5, 1) == "1,234.5"
    assert ENGLISH.percent(0.5) == "50.0%"
    assert ENGLISH.date(dt.date(2022, 4, 1)) == "⟦Friday⟧, 1 ⟦M4⟧ 2022"
    assert (ENGLISH.count(0, "tweet"), ENGLISH.count(1, "tweet")) == ("0\u00a0⟦tweets⟧", "1\u00a0⟦tweet⟧")
    assert ENGLISH.csv == (",", ".")
    assert pseudo_catalogue({"a": {"b": "x : y"}, "format": {}}).text("a.b") == "⟦x : y⟧"


def test_values_of_html_are_escaped_and_the_text_is_not():
    one = catalogue(one={"text": "<b>{name}</b>"})

    assert one.html("one.text", name="<i>") == Markup("<b>&lt;i&gt;</b>")
    assert one.text("one.text", name="{x}<i>") == "<b>{x}<i></b>"


def test_a_name_that_the_catalogue_does_not_know_is_its_own_label():
    assert FRENCH.label("sources", "x") == "API de X"
    assert FRENCH.label("sources", "mars") == "mars"
    assert FRENCH.label("nowhere", "mars") == "mars"


@pytest.mark.parametrize("key", ["nowhere", "site.nowhere", "site.skip.deeper"])
def test_a_text_that_is_not_there_is_refused(key):
    with pytest.raises(CatalogueError, match=f"Catalogue fr has no text '{key}'"):
        FRENCH.text(key)


def test_a_table_is_no_text_and_a_text_no_table():
    with pytest.raises(CatalogueError, match="'site' is no text"):
        FRENCH.text("site")
    with pytest.raises(CatalogueError, match=r"'site\.skip' is no table"):
        FRENCH.table("site.skip")


@pytest.mark.parametrize("write", [FRENCH.text, FRENCH.html])
def test_a_value_that_is_not_given_is_refused(write):
    with pytest.raises(CatalogueError, match=r"text 'site\.made': the value 'moment' is not given"):
        write("site.made")


@pytest.mark.parametrize("language", ["xx", "../fr", "FR", ""])
def test_a_language_without_a_catalogue_is_refused_with_those_there_are(language):
    with pytest.raises(CatalogueError, match="those there are: fr"):
        load_catalogue(language)


def test_every_file_of_the_folder_is_a_catalogue():
    for file in FOLDER.glob("*.toml"):
        assert load_catalogue(file.stem).number(0) == "0"


def test_french_texts_are_written_with_their_own_signs():
    """Typographic apostrophes and no doubled or outer space; the catalogue itself adds the narrow ones."""

    def texts(value):
        if isinstance(value, str):
            yield value
        else:
            for one in value.values() if isinstance(value, dict) else value:
                if not isinstance(one, bool):
                    yield from texts(one)

    content = tomllib.loads((FOLDER / "fr.toml").read_text(encoding="utf-8"))
    for text in texts({name: table for name, table in content.items() if name != "format"}):
        assert "'" not in text
        assert "  " not in text
        assert text.strip(" ") == text


@given(st.floats(-1e12, 1e12), st.integers(0, 3))
def test_numbers_can_be_read_back(value, digits):
    written = FRENCH.number(value, digits)

    read = float(written.replace("\u202f", "").replace(",", ".").replace("\u2212", "-"))
    assert read == pytest.approx(round(value, digits), abs=10**-digits)
    assert FRENCH.signed(value, digits).lstrip("+") == written
