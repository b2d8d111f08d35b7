from __future__ import annotations

import re
from pathlib import Path

import pytest
from deltalake import DeltaTable

from election_assets import delta
from election_assets.schemas import (
    CANDIDATE_STATS,
    CLEANED_TWEETS,
    INGESTED,
    MERGED_TWEETS,
    RESULTS_2017,
    SENTIMENT_SCORES,
    Column,
    Table,
)

FRUIT = Table(
    "fruit",
    3,
    "one fruit",
    (Column("name", "string", "Name"), Column("basket", "string", "Basket"), Column("count", "bigint", "How many")),
    partition_by=("basket",),
)


@pytest.fixture
def path(tmp_path) -> str:
    return str(tmp_path / "tables" / "fruit")


def frame(spark, *rows: tuple[str, str, int]):
    return spark.createDataFrame(list(rows), schema=FRUIT.ddl)


def stored(spark, path: str) -> list[tuple]:
    return sorted(tuple(row) for row in delta.read(spark, FRUIT, path).collect())


def merge(spark, path: str, *rows: tuple[str, str, int]) -> None:
    delta.merge(
        spark,
        frame(spark, *rows),
        FRUIT,
        path,
        on="t.basket IN ('a', 'c') AND t.basket = s.basket AND t.name = s.name",
        update_if="s.`count` >= t.`count`",
        update=["count"],
    )


@pytest.mark.parametrize(
    "table", [CLEANED_TWEETS, INGESTED, CANDIDATE_STATS, RESULTS_2017, MERGED_TWEETS, SENTIMENT_SCORES]
)
def test_a_table_is_made_with_its_version_and_the_columns_of_its_schema(spark, tmp_path, table):
    path = str(tmp_path / table.name)
    assert delta.read(spark, table, path).columns == table.names
    assert not delta.exists(path)
    delta.ensure(table, path)
    delta.ensure(table, path)
    made = DeltaTable(path)
    assert made.version() == 0
    assert made.metadata().configuration[delta.VERSION_PROPERTY] == str(table.version)
    assert made.metadata().partition_columns == list(table.partition_by)
    declared = spark.createDataFrame([], schema=table.ddl)
    assert dict(delta.read(spark, table, path).dtypes) == dict(declared.dtypes)
    assert delta.row_count(path) == 0


def test_rows_are_appended_replaced_and_merged_and_the_version_stays(spark, path):
    delta.append(frame(spark, ("apple", "a", 1), ("pear", "b", 2)), FRUIT, path)
    delta.append(frame(spark).select("count", "name", "basket"), FRUIT, path)
    assert stored(spark, path) == [("apple", "a", 1), ("pear", "b", 2)]
    untouched = delta.partition_files(path, "basket")["b"]

    merge(spark, path, ("apple", "a", 5), ("fig", "c", 1))
    merge(spark, path, ("apple", "a", 4))
    assert stored(spark, path) == [("apple", "a", 5), ("fig", "c", 1), ("pear", "b", 2)]
    assert delta.row_count(path) == 3
    assert delta.partition_files(path, "basket")["b"] == untouched
    assert not [table.name for table in spark.catalog.listTables() if table.name.startswith("merge_source")]

    # The frame reads the table that it replaces.
    delta.replace(delta.read(spark, FRUIT, path).where("basket != 'b'"), FRUIT, path)
    assert stored(spark, path) == [("apple", "a", 5), ("fig", "c", 1)]
    delta.delete(spark, path, "name = 'fig'")
    assert stored(spark, path) == [("apple", "a", 5)]
    assert list(delta.partition_files(path, "basket")) == ["a"]

    metadata = DeltaTable(path).metadata()
    assert metadata.configuration[delta.VERSION_PROPERTY] == "3"
    assert metadata.partition_columns == ["basket"]


def test_no_table_is_an_empty_one(spark, path):
    assert stored(spark, path) == []
    assert delta.row_count(path) == 0
    assert delta.partition_files(path, "basket") == {}


def test_a_newer_table_is_refused_in_one_sentence_and_left_alone(spark, path):
    newer = Table(FRUIT.name, 4, FRUIT.row, FRUIT.columns, FRUIT.partition_by)
    delta.append(frame(spark, ("apple", "a", 1)), newer, path)
    version = DeltaTable(path).version()
    for work in (
        lambda: delta.read(spark, FRUIT, path),
        lambda: delta.ensure(FRUIT, path),
        lambda: delta.append(frame(spark, ("pear", "b", 2)), FRUIT, path),
        lambda: delta.replace(frame(spark), FRUIT, path),
        lambda: merge(spark, path, ("apple", "a", 5)),
    ):
        with pytest.raises(delta.TableVersionError) as raised:
            work()
        text = str(raised.value)
        assert text.startswith(f"{path}: ")
        assert "version 4" in text
        assert "up to 3" in text
        assert text.endswith(".")
        assert "\n" not in text
        assert not re.search(r"\.\s+[A-Z]", text)
    assert DeltaTable(path).version() == version


def test_an_older_table_is_read(spark, path):
    older = Table(FRUIT.name, 2, FRUIT.row, FRUIT.columns, FRUIT.partition_by)
    delta.append(frame(spark, ("apple", "a", 1)), older, path)
    assert stored(spark, path) == [("apple", "a", 1)]


def test_two_rows_for_one_match_are_refused_and_change_nothing(spark, path):
    delta.append(frame(spark, ("apple", "a", 1)), FRUIT, path)
    with pytest.raises(Exception, match="MERGE_CARDINALITY_VIOLATION"):
        merge(spark, path, ("apple", "a", 5), ("apple", "a", 6))
    assert stored(spark, path) == [("apple", "a", 1)]


class LosingSession:
    """A session whose first statements are told that another writer was first, or that the disk is full."""

    def __init__(self, spark, *errors: str) -> None:
        self.spark, self.errors = spark, list(errors)

    def sql(self, statement: str):
        if self.errors:
            raise RuntimeError(self.errors.pop(0))
        return self.spark.sql(statement)


def test_a_commit_that_loses_a_race_is_tried_again(spark, path):
    delta.append(frame(spark, ("apple", "a", 1), ("pear", "b", 2)), FRUIT, path)
    session = LosingSession(spark, "Failed to commit transaction: 7", "... ConcurrentAppend ...")
    delta.delete(session, path, "name = 'pear'")
    assert not session.errors
    assert stored(spark, path) == [("apple", "a", 1)]


def test_another_failure_is_not_tried_again(spark, path):
    delta.append(frame(spark, ("apple", "a", 1)), FRUIT, path)
    session = LosingSession(spark, "disk full", "never reached")
    with pytest.raises(RuntimeError, match="disk full"):
        delta.delete(session, path, "name = 'apple'")
    assert session.errors == ["never reached"]
    assert stored(spark, path) == [("apple", "a", 1)]


def test_vacuum_removes_what_was_replaced_long_ago_and_nothing_else(spark, path):
    def files() -> set[Path]:
        return set(Path(path).glob("**/*.parquet"))

    delta.vacuum(path)
    assert not Path(path).exists()
    delta.replace(frame(spark, ("1", "a", 1)), FRUIT, path)
    replaced = files()
    delta.replace(frame(spark, ("2", "b", 2)), FRUIT, path)
    delta.vacuum(path)
    assert replaced < files(), "younger than a week"
    delta.vacuum(path, kept_hours=0)
    assert not replaced & files()
    assert len(stored(spark, path)) == 1


def test_a_table_that_lacks_a_column_asks_to_be_made_again_and_is(spark, path):
    older = Table(FRUIT.name, 2, FRUIT.row, FRUIT.columns[:2])
    delta.append(frame(spark, ("apple", "a", 1)), older, path)

    with pytest.raises(delta.TableVersionError, match="an older release wrote the table, without count; materialise"):
        delta.read(spark, FRUIT, path)
    newer = Table(FRUIT.name, FRUIT.version, FRUIT.row, FRUIT.columns)
    for count in (2, 3):
        delta.replace(frame(spark, ("pear", "b", count)), newer, path)
        assert stored(spark, path) == [("pear", "b", count)]
        assert DeltaTable(path).metadata().configuration[delta.VERSION_PROPERTY] == str(FRUIT.version)
