"""What a materialisation tells Dagster's UI: column schema, row counts, path, a preview."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import dagster as dg

from election_assets.schemas import Column, Table

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

PREVIEW_ROWS = 8
PREVIEW_CHARACTERS = 80


def column_schema(columns: Sequence[Column]) -> dg.TableSchema:
    """Columns as Dagster shows them."""
    return dg.TableSchema(
        columns=[dg.TableColumn(column.name, column.type, description=column.description) for column in columns]
    )


def table_definition(table: Table) -> dict[str, Any]:
    """What is known of a table before it is made."""
    return {"dagster/column_schema": column_schema(table.columns), "table_version": table.version}


def table_metadata(path: str, rows: int, preview: DataFrame | None = None) -> dict[str, Any]:
    """What is known of a table once it is made."""
    shown = {"preview": markdown_table(preview)} if preview is not None else {}
    return {"path": dg.MetadataValue.path(path), "dagster/row_count": rows, **shown}


def file_metadata(path: Path) -> dict[str, Any]:
    """Path and size of a file."""
    return {"path": dg.MetadataValue.path(str(path)), "bytes": path.stat().st_size}


def page_metadata(folder: Path, name: str, address: str) -> dict[str, Any]:
    """Path and size of a file in a folder, and its link where the folder is served."""
    return {**file_metadata(folder / name), "page": dg.MetadataValue.url(f"{address}/{quote(name)}")}


def markdown_table(frame: DataFrame) -> dg.MarkdownMetadataValue:
    """The first rows of a frame as a Markdown table."""
    return markdown_rows(frame.columns, frame.limit(PREVIEW_ROWS).collect())


def markdown_rows(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> dg.MarkdownMetadataValue:
    """Rows under these heads as a Markdown table; what stands in them is text."""
    lines = ["| " + " | ".join(heads) + " |", "|" + " --- |" * len(heads)]
    lines += ["| " + " | ".join(_cell(value) for value in row) + " |" for row in rows]
    return dg.MetadataValue.md("\n".join(lines))


def _cell(value: object) -> str:
    text = "" if value is None else " ".join(str(value).split())
    # Cut before signs are escaped, so that no escape is cut.
    text = text if len(text) <= PREVIEW_CHARACTERS else text[: PREVIEW_CHARACTERS - 1] + "…"
    for sign in "\\|`<>[]*_":
        text = text.replace(sign, "\\" + sign if sign not in "<>" else {"<": "&lt;", ">": "&gt;"}[sign])
    return text
