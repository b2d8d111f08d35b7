"""Tables for download: CSV as a spreadsheet of the page's language opens it, without a cell that is computed."""

from __future__ import annotations

import csv
import io
import math
from numbers import Integral, Real
from typing import TYPE_CHECKING

from election_assets.visuals.catalogue import Catalogue

if TYPE_CHECKING:
    import pandas as pd

FORMULA_SIGNS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
"""What a cell begins with that spreadsheets compute (OWASP, 'CSV Injection'), full-width forms included."""
CONTROL_SIGNS = ("\t", "\r", "\n")
"""What spreadsheets skip at the beginning of a cell before they look for a formula."""
UNSEEN_SIGNS = "\ufeff\u200b\u200c\u200d\u2060"
"""Signs without width, which are no blanks to Python."""
DIGITS = 6
"""Decimals of a number at most."""


def csv_bytes(frame: pd.DataFrame, catalogue: Catalogue) -> bytes:
    """A frame as CSV: UTF-8 with a byte-order mark, so that spreadsheets read the accents.

    Args:
        frame: Numbers are written with the language's decimal sign, what is not known as an empty cell; a text that
            a spreadsheet would compute gets an apostrophe before it.
        catalogue: Gives the signs of the language.
    """
    separator, decimal = catalogue.csv
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=separator, lineterminator="\r\n")
    writer.writerow([_text(str(name)) for name in frame.columns])
    for row in frame.itertuples(index=False):
        writer.writerow([_cell(value, decimal) for value in row])
    return b"\xef\xbb\xbf" + buffer.getvalue().encode(errors="replace")


def _cell(value: object, decimal: str) -> str:
    if isinstance(value, bool) or type(value).__name__ == "bool":  # numpy's is no bool
        return "1" if value else "0"
    if isinstance(value, Integral):
        return str(int(value))
    if isinstance(value, Real):
        return _number(float(value)).replace(".", decimal)
    # The marks of pandas for what is not known, which are no numbers.
    return "" if value is None or type(value).__name__ in ("NAType", "NaTType") else _text(str(value))


def _number(value: float) -> str:
    """A number without exponent, which a spreadsheet may take for a text."""
    if not math.isfinite(value):
        return ""
    written = f"{value:.{DIGITS}f}".rstrip("0").rstrip(".")
    return "0" if written == "-0" else written


def _text(text: str) -> str:
    shown = text.lstrip(UNSEEN_SIGNS + "".join(sign for sign in text if sign.isspace()))
    skipped = text[: len(text) - len(shown)]
    computed = shown.startswith(FORMULA_SIGNS) or any(sign in skipped for sign in CONTROL_SIGNS)
    return f"'{text}" if computed else text
