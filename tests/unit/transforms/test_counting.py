from __future__ import annotations

import pytest

from election_assets.transforms.counting import count_rows


@pytest.fixture
def count(spark):
    def count(landed: list[tuple], cleaned: dict[str, str], deleted: list[str], times: int = 1) -> dict[str, tuple]:
        frame = count_rows(
            spark.createDataFrame(landed, "id string, line string, origin string, batch_id string"),
            spark.createDataFrame(list(cleaned.items()) * times, "tweet_id string, first_origin string"),
            spark.createDataFrame([(tweet_id,) for tweet_id in deleted], "tweet_id string"),
        )
        assert frame.columns == ["origin", "batch_id", "rows", "kept", "repeats", "deleted", "lost"]
        rows = frame.collect()
        assert len({row["origin"] for row in rows}) == len(rows)
        for row in rows:
            assert row["rows"] == row["kept"] + row["repeats"] + row["deleted"] + row["lost"]
        return {row["origin"]: tuple(row)[1:] for row in rows}

    return count


def test_each_row_has_one_fate(count):
    landed = [
        ("1", "1", "f-1", "b-1"),
        ("2", "2", "f-1", "b-1"),
        ("1", "9", "f-1", "b-1"),
        ("1", "10", "f-1", "b-1"),
        ("2", "1", "f-2", "b-2"),
        ("3", "2", "f-2", "b-2"),
        ("4", "3", "f-2", "b-2"),
        ("5", "4", "f-2", "b-2"),
        ("5", "5", "f-2", "b-2"),
    ]
    cleaned = {"1": "f-1", "2": "f-1", "3": "f-2"}
    assert count(landed, cleaned, ["4"]) == {
        "f-1": ("b-1", 4, 2, 2, 0, 0),
        "f-2": ("b-2", 5, 1, 1, 1, 2),
    }


def test_a_row_counts_as_kept_where_the_table_says_it_first_came_from(count):
    landed = [("1", "1", "f-1", "b-1"), ("1", "1", "f-2", "b-2")]
    assert count(landed, {"1": "f-2"}, []) == {"f-1": ("b-1", 1, 0, 1, 0, 0), "f-2": ("b-2", 1, 1, 0, 0, 0)}
    assert count(landed, {"1": "f-0"}, []) == {"f-1": ("b-1", 1, 0, 1, 0, 0), "f-2": ("b-2", 1, 0, 1, 0, 0)}


def test_a_deleted_tweet_is_deleted_though_the_table_still_holds_it(count):
    assert count([("1", "1", "f-1", "b-1")], {"1": "f-1"}, ["1"]) == {"f-1": ("b-1", 1, 0, 0, 1, 0)}


def test_an_id_that_stands_twice_in_the_table_makes_no_more_rows(count):
    landed = [("1", "1", "f-1", "b-1"), ("1", "2", "f-1", "b-1")]
    assert count(landed, {"1": "f-1"}, [], times=2) == {"f-1": ("b-1", 2, 1, 1, 0, 0)}


def test_no_rows_make_no_counts(count):
    assert count([], {"1": "f-1"}, ["2"]) == {}
