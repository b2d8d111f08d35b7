from __future__ import annotations

import dagster as dg

from election_assets.metadata import (
    PREVIEW_CHARACTERS,
    PREVIEW_ROWS,
    column_schema,
    file_metadata,
    markdown_rows,
    markdown_table,
    page_metadata,
    table_definition,
    table_metadata,
)
from election_assets.schemas import CANDIDATE_STATS, CLEANED_TWEETS


def preview(spark, *values: str | None) -> list[str]:
    """The rows of a preview of one column, without the header."""
    frame = spark.createDataFrame([(value,) for value in values], "text string")
    return markdown_table(frame).md_str.split("\n")[2:]


def test_the_ui_shows_every_column_with_type_and_meaning():
    shown = column_schema(CLEANED_TWEETS.columns).columns
    assert [column.name for column in shown] == CLEANED_TWEETS.names
    assert [column.type for column in shown] == [column.type for column in CLEANED_TWEETS.columns]
    assert all(column.description for column in shown)
    assert table_definition(CANDIDATE_STATS) == {
        "dagster/column_schema": column_schema(CANDIDATE_STATS.columns),
        "table_version": CANDIDATE_STATS.version,
    }


def test_a_table_tells_path_rows_and_preview(spark):
    frame = spark.createDataFrame([("a", 1, None)], "name string, count bigint, tags array<string>")
    told = table_metadata("/data/t", 1, frame)
    assert told["path"] == dg.MetadataValue.path("/data/t")
    assert told["dagster/row_count"] == 1
    assert told["preview"].md_str == "| name | count | tags |\n| --- | --- | --- |\n| a | 1 |  |"
    assert "preview" not in table_metadata("/data/t", 1)


def test_a_file_tells_path_and_size(tmp_path):
    (tmp_path / "file").write_bytes(b"12345")
    assert file_metadata(tmp_path / "file") == {"path": dg.MetadataValue.path(str(tmp_path / "file")), "bytes": 5}


def test_a_preview_is_short(spark):
    assert len(preview(spark, *(str(number) for number in range(PREVIEW_ROWS + 5)))) == PREVIEW_ROWS


def test_a_text_cannot_break_out_of_its_cell(spark):
    assert preview(spark, "a|b\r\nc\td", "<b>x</b> `y` [z](u) *w* _v_ \\") == [
        "| a\\|b c d |",
        "| &lt;b&gt;x&lt;/b&gt; \\`y\\` \\[z\\](u) \\*w\\* \\_v\\_ \\\\ |",
    ]


def test_a_long_text_is_cut_and_no_escape_is_cut_with_it(spark):
    [plain, pipes, at_limit] = preview(spark, "x" * 200, "|" * 200, "y" * PREVIEW_CHARACTERS)
    assert plain == f"| {'x' * (PREVIEW_CHARACTERS - 1)}… |"
    assert pipes == "| " + "\\|" * (PREVIEW_CHARACTERS - 1) + "… |"
    assert at_limit == f"| {'y' * PREVIEW_CHARACTERS} |"
    for shift in range(5):
        [row] = preview(spark, "z" * (PREVIEW_CHARACTERS - 6 + shift) + "<" * 50)
        assert row.count("&") == row.count("&lt;") > 0


def test_a_page_has_a_link_that_opens_it(tmp_path):
    (tmp_path / "la une.html").write_text("<p>")
    told = page_metadata(tmp_path, "la une.html", "https://journal.test/2027")
    assert told["page"] == dg.MetadataValue.url("https://journal.test/2027/la%20une.html")
    assert (told["path"].path, told["bytes"]) == (f"{tmp_path}/la une.html", 3)


def test_rows_are_a_table_of_texts():
    table = markdown_rows(("name", "n"), [("a|b <b>", 1), ("*c*", None)])
    assert table.md_str.split("\n") == [
        "| name | n |",
        "| --- | --- |",
        "| a\\|b &lt;b&gt; | 1 |",
        "| \\*c\\* |  |",
    ]
