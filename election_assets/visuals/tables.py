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

FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a cell begins with that spreadsheets compute (OWASP, 'CSV Injection'), full-width forms included."""


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
    writer.writerow(frame.columns)
    for row in frame.itertuples(index=False):
        writer.writerow([_cell(value, decimal) for value in row])
    return b"\xef\xbb\xbf" + buffer.getvalue().encode(errors="replace")


def _cell(value: object, decimal: str) -> str:
    if value is None:
        return ""
    if isinstance(value, bool) or type(value).__name__ == "bool":  # numpy's is no bool
        return "1" if value else "0"
    if isinstance(value, Integral):
        return str(int(value))
    if isinstance(value, Real):
        return "" if math.isnan(value) else f"{float(value):.6g}".replace(".", decimal)
    text = str(value)
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA_SIGNS) else text
