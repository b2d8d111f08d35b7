"""Tables for download: they hold what the frame holds, and no cell is computed by a spreadsheet."""

import csv
import datetime as dt
import io
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from election_assets.visuals.tables import csv_bytes
from tests.unit.visuals.pages import FORMULA, FRENCH, pseudo_catalogue

BLANKS = (" ", "  ", "\u00a0", "\u202f", "\u3000", "\ufeff", "\u200b", " \t", "\n ")
SIGNS = tuple("=+-@＝＋－＠")


def read(content: bytes, separator: str = ";") -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=separator))


def cell(value: object) -> str:
    ((_,), (written,)) = read(csv_bytes(pd.DataFrame({"a": pd.Series([value], dtype=object)}), FRENCH))
    return written


def test_a_french_spreadsheet_reads_accents_and_numbers():
    frame = pd.DataFrame({"nom": ["Éric; « ça »", 'dit "oui"'], "n": [1234567, -2], "part": [0.125, math.nan]})

    content = csv_bytes(frame, FRENCH)

    assert content.startswith(b"\xef\xbb\xbf")
    assert read(content) == [
        ["nom", "n", "part"],
        ["Éric; « ça »", "1234567", "0,125"],
        ['dit "oui"', "-2", ""],
    ]


def test_another_language_has_its_own_signs():
    content = csv_bytes(pd.DataFrame({"a": ["x"], "b": [0.5]}), pseudo_catalogue())

    assert read(content, ",") == [["a", "b"], ["x", "0.5"]]


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, ""),
        (math.nan, ""),
        (math.inf, ""),
        (pd.NA, ""),
        (pd.NaT, ""),
        (True, "1"),
        (np.False_, "0"),
        (np.int64(-7), "-7"),
        (np.float64(-0.25), "-0,25"),
        (2604361.0, "2604361"),
        (12345678.5, "12345678,5"),
        (0.00001, "0,00001"),
        (-1e-12, "0"),
        (dt.date(2022, 4, 10), "2022-04-10"),
    ],
)
def test_values(value, written):
    assert cell(value) == written


@pytest.mark.parametrize(
    "text", [FORMULA, "+33 6", "-1+1", "@SUM(A1)", "\t=1", "\rx", "\nx", "＝1", "＋1", "－1", "＠x"]
)
@pytest.mark.parametrize("blank", ["", *BLANKS])
def test_a_text_that_would_be_computed_is_not(text, blank):
    assert cell(blank + text) == f"'{blank}{text}"


@pytest.mark.parametrize("text", ["débat", "a=b", "1+1", "x-y", "a@b.fr", "'quoted'", " a", "", "5", "#mot"])
def test_other_texts_stay(text):
    assert cell(text) == text


def test_heads_of_columns_are_texts_too():
    assert read(csv_bytes(pd.DataFrame({FORMULA: [1]}), FRENCH)) == [[f"'{FORMULA}"], ["1"]]


def test_a_text_with_line_breaks_and_separators_stays_one_cell():
    text = "a\r\n=1+1;2\n@x"

    assert read(csv_bytes(pd.DataFrame({"a": [text], "b": ["c"]}), FRENCH))[1] == [text, "c"]


def test_no_rows_are_a_head():
    assert csv_bytes(pd.DataFrame(columns=["a", "b"]), FRENCH) == b"\xef\xbb\xbfa;b\r\n"


def test_a_broken_character_breaks_no_table():
    assert cell("a\ud800b") == "a?b"


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@given(st.lists(st.tuples(texts, st.integers(), st.floats(-1e9, 1e9)), max_size=5))
def test_what_is_written_reads_back_but_for_the_apostrophe(rows):
    frame = pd.DataFrame(rows, columns=["text", "whole", "part"]).astype({"text": object, "whole": object})

    found = read(csv_bytes(frame, FRENCH))[1:]

    assert len(found) == len(rows)
    for (text, whole, part), (shown, number, decimal) in zip(rows, found, strict=True):
        assert shown in (text, f"'{text}")
        assert not shown.lstrip("".join(BLANKS)).startswith(SIGNS)
        assert not shown.startswith(("\t", "\r", "\n"))
        assert int(number) == whole
        assert float(decimal.replace(",", ".")) == pytest.approx(part, abs=1e-6)


@given(st.sampled_from(SIGNS), st.lists(st.sampled_from(BLANKS), max_size=3), texts)
def test_no_blanks_hide_a_formula(sign, blanks, rest):
    assert cell("".join(blanks) + sign + rest).startswith("'")
