"""What the code location declares: assets and their edges, checks, jobs, schedules; and that importing it is light."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from election_assets import schemas
from tests.assets.roots import CANDIDATES, PROJECT, SECONDS, Command, Root

HEAVY = {"deltalake", "pandas", "plotly", "pyarrow", "pysail", "pyspark", "rich", "textblob", "tweepy", "wordcloud"}

UPSTREAM = {"x_api": {"x"}, "nifi_flow": {"nifi"}, "kafka_topics": {"kafka"}}

# Of each asset that is materialised: group, kinds, edges, what its description says that a row or file is.
ASSETS: dict[str, tuple[str, set[str], set[str], str]] = {
    "raw_tweets": ("ingestion", {"x", "json"}, {"x_api", "nifi_flow"}, "a row is a record of X"),
    "landed_csv": ("ingestion", {"kafka", "csv"}, {"raw_tweets", "kafka_topics"}, "a row is a record"),
    "cleaned_tweets": ("tweets", {"pyspark", "deltalake"}, {"landed_csv"}, "a row is a tweet id"),
    "candidate_stats": ("tweets", {"pyspark", "deltalake"}, {"cleaned_tweets"}, "a row is an hour or a day"),
    "results_2017": ("results", {"csv", "deltalake"}, set(), "a row is a department, round and candidate"),
    "merged_tweets": (
        "analysis",
        {"pyspark", "deltalake"},
        {"cleaned_tweets"},
        "a row is a tweet of a candidate",
    ),
    "sentiment_scores": (
        "analysis",
        {"pyspark", "deltalake", "textblob"},
        {"merged_tweets"},
        "a row is a distinct text",
    ),
    "department_map": (
        "visuals",
        {"plotly", "html"},
        {"results_2017", "merged_tweets", "sentiment_scores"},
        "a page that opens offline",
    ),
    "word_cloud": ("visuals", {"wordcloud", "png"}, {"merged_tweets"}, "as PNG and SVG"),
    "report": (
        "visuals",
        {"html"},
        {"department_map", "word_cloud", "merged_tweets", "sentiment_scores"},
        "The pages that set it all side by side",
    ),
}

PARTITIONED = {"raw_tweets", "landed_csv", "cleaned_tweets", "candidate_stats"}

COLUMNS = {
    "raw_tweets": schemas.TWEET_V1,
    "landed_csv": schemas.LANDED_V1,
    "cleaned_tweets": schemas.CLEANED_TWEETS.columns,
    "candidate_stats": schemas.CANDIDATE_STATS.columns,
    "results_2017": schemas.RESULTS_2017.columns,
    "merged_tweets": schemas.MERGED_TWEETS.columns,
    "sentiment_scores": schemas.SENTIMENT_SCORES.columns,
}

# Asset and whether a failure stops what is downstream.
CHECKS = {
    "collected_for_every_candidate": ("raw_tweets", False),
    "landed_for_every_candidate": ("landed_csv", False),
    "cleaned_for_every_candidate": ("cleaned_tweets", False),
    "unique_ids": ("cleaned_tweets", True),
    "no_null_dates": ("cleaned_tweets", True),
    "no_mojibake": ("cleaned_tweets", True),
    "reconciliation": ("cleaned_tweets", True),
    "counted_for_every_candidate": ("candidate_stats", False),
    "totals_agree": ("results_2017", True),
    "every_department_has_a_shape": ("results_2017", True),
    "one_row_a_tweet_and_candidate": ("merged_tweets", True),
    "one_row_a_text": ("sentiment_scores", True),
    "scores_in_range": ("sentiment_scores", True),
}

# Hours without a new materialisation after which an asset fails, and warns.
COLLECTED, DAILY = [2.0, 1.0], [36.0, 26.0]
FRESHNESS = dict.fromkeys(PARTITIONED, COLLECTED) | dict.fromkeys(
    ["merged_tweets", "sentiment_scores", "department_map", "word_cloud", "report"], DAILY
)


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    root = Root(tmp_path_factory.mktemp("described"))
    script = Path(__file__).parent / "describe.py"
    return json.loads(
        subprocess.run(
            [sys.executable, str(script)],
            cwd=PROJECT,
            env=root.environment | {"PYTHONPATH": str(PROJECT)},
            text=True,
            capture_output=True,
            check=True,
            timeout=SECONDS,
        ).stdout
    )


def test_importing_brings_no_heavy_module(described: dict[str, Any]) -> None:
    assert {"dagster", "election_assets", "resources"} <= set(described["modules"])
    assert not HEAVY & set(described["modules"])


def test_assets_with_their_groups_kinds_and_edges(described: dict[str, Any]) -> None:
    found = {
        name: (asset["group"], set(asset["kinds"]), set(asset["deps"]))
        for name, asset in described["assets"].items()
        if not asset["external"]
    }
    assert found == {name: asset[:3] for name, asset in ASSETS.items()}


def test_external_assets_stand_upstream_of_all(described: dict[str, Any]) -> None:
    found = {name: asset for name, asset in described["assets"].items() if asset["external"]}
    assert {name: set(asset["kinds"]) for name, asset in found.items()} == UPSTREAM
    assert all(asset["group"] == "upstream" and not asset["deps"] for asset in found.values())


def test_every_asset_has_an_owner_and_says_what_it_holds(described: dict[str, Any]) -> None:
    assert all(asset["owners"] == ["team:data-desk"] for asset in described["assets"].values())
    for name, (*_, said) in ASSETS.items():
        assert said in described["assets"][name]["description"]
    for name in UPSTREAM:
        assert described["assets"][name]["description"].endswith(".")


def test_every_table_declares_its_columns(described: dict[str, Any]) -> None:
    declared = {name: asset["columns"] for name, asset in described["assets"].items() if asset["columns"]}
    assert declared == {
        name: [[column.name, column.type, column.description] for column in columns]
        for name, columns in COLUMNS.items()
    }


def test_candidates_are_one_partitions_definition_run_at_once(described: dict[str, Any]) -> None:
    partitioned = {name: asset for name, asset in described["assets"].items() if asset["partitions"]}
    assert set(partitioned) == {*PARTITIONED, "kafka_topics"}
    assert len({asset["partitions_id"] for asset in partitioned.values()}) == 1
    assert all(asset["partitions"] == CANDIDATES for asset in partitioned.values())
    assert all(partitioned[name]["single_run"] for name in PARTITIONED)


def test_checks(described: dict[str, Any]) -> None:
    assert {name: (check["asset"], check["blocking"]) for name, check in described["checks"].items()} == CHECKS


def test_freshness_and_retries(described: dict[str, Any]) -> None:
    assets = described["assets"]
    assert {name: asset["freshness"] for name, asset in assets.items() if asset["freshness"]} == FRESHNESS
    assert {name: asset["retries"] for name, asset in assets.items() if asset["retries"]} == {
        "raw_tweets": 3,
        "landed_csv": 3,
        "results_2017": 2,
    }


def test_jobs_run_in_this_process(described: dict[str, Any]) -> None:
    assert {name: set(assets) for name, assets in described["jobs"].items()} == {
        "everything": set(ASSETS),
        "tweets": PARTITIONED,
        "landing": PARTITIONED - {"raw_tweets"},
        "analysis": set(ASSETS) - PARTITIONED,
    }
    assert described["executor"] == "in_process"


def test_killed_runs_do_not_keep_others_waiting_for_ever(prepared: tuple[Root, Command]) -> None:
    with prepared[0].instance() as instance:
        assert instance.run_monitoring_enabled
        assert 0 < instance.run_monitoring_max_runtime_seconds <= 24 * 3600


def test_schedules_ask_for_one_run_a_tick(described: dict[str, Any]) -> None:
    whole_range = {
        "dagster/asset_partition_range_start": CANDIDATES[0],
        "dagster/asset_partition_range_end": CANDIDATES[-1],
    }
    common = {"time_zone": "Pacific/Auckland", "running": True}
    assert described["schedules"] == {
        "tweets_every_30_minutes": common | {"job": "tweets", "cron": "*/30 * * * *", "requests": [whole_range]},
        "analysis_daily": common | {"job": "analysis", "cron": "15 5 * * *", "requests": [{}]},
    }


def test_the_sensor_waits_for_a_kafka_of_ones_own(described: dict[str, Any]) -> None:
    assert described["sensors"] == {"kafka_lag": {"job": "landing", "seconds": 60, "running": False}}


def test_assets_are_executed_after_what_they_are_made_from(prepared: tuple[Root, Command]) -> None:
    run = prepared[0].runs()[0]
    for name, (_, _, upstream, _) in ASSETS.items():
        for other in upstream & set(ASSETS):
            assert run.position("STEP_SUCCESS", other) < run.position("STEP_START", name)
    # Blocking checks come between a table and what reads it.
    assert run.position("STEP_SUCCESS", "cleaned_tweets_checks") < run.position("STEP_START", "candidate_stats")
    assert run.position("STEP_SUCCESS", "results_2017_checks") < run.position("STEP_START", "department_map")
