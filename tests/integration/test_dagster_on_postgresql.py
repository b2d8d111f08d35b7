"""Dagster as docker-compose.yml runs it, services of their own on PostgreSQL: schedules, a backfill, a person, a fault.

The tests build on each other, as days of a campaign do: the first tick fills the tables of which the rest tells.
"""

from __future__ import annotations

import datetime as dt
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect
from pyspark.sql import SparkSession

from election_assets.election import load_election
from election_assets.reconciliation import reconcile
from election_assets.run_record import COUNTS
from election_assets.storage import DataRoot
from tests.assets.roots import Root
from tests.dagster_ui import BACKFILL, STATUS, shoot
from tests.servers.dagster_services import DagsterServices
from tests.servers.postgresql import PostgreSQLServer

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

ELECTION = load_election("fr_2022")
KEYS = ELECTION.candidate_keys
RANGE = {"dagster/asset_partition_range_start": KEYS[0], "dagster/asset_partition_range_end": KEYS[-1]}
OF_CANDIDATES = ("raw_tweets", "landed_csv", "cleaned_tweets", "candidate_stats")
OF_ALL = ("results_2017", "merged_tweets", "sentiment_scores", "department_map", "word_cloud", "report")
FIVE, QUARTER_PAST = dt.time(5), dt.time(5, 15)
WIDTH = 1800
SECONDS = 240
"""More than a run takes here on a busy machine."""

SCHEDULES = """{ schedulesOrError(repositorySelector: {
    repositoryLocationName: "election_assets", repositoryName: "__repository__" }) { ... on Schedules { results { name
    scheduleState { ticks { status timestamp runIds error { message } }
    typeSpecificData { ... on ScheduleData { startTimestamp } } } } } ... on PythonError { message } } }"""
PARTITIONS = """query ($assets: [AssetKeyInput!]) { assetNodes(assetKeys: $assets) {
    assetKey { path } partitionStats { numMaterialized numPartitions } } }"""
MATERIALISED = """query ($id: ID!) { runOrError(runId: $id) { ... on Run { assetMaterializations {
    assetKey { path } partition } } } }"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Root:
    return Root(tmp_path_factory.mktemp("root") / "data", {"ELECTION": ELECTION.key, "SAMPLE_TWEETS": "800"})


@pytest.fixture(scope="module")
def services(
    root: Root, postgresql_server: PostgreSQLServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[DagsterServices]:
    """The services, with the schedules followed since a minute before five in the morning."""
    services = DagsterServices(tmp_path_factory.mktemp("services") / "dagster", postgresql_server, root.environment)
    try:
        services.code_server.start()
        services.webserver.start()
        # A daemon starts no ticks of the time before it first saw a schedule, and may need long to come up.
        services.start_daemon(FIVE, ELECTION.time_zone, seconds=60)
        services.until(
            lambda: all(state["typeSpecificData"]["startTimestamp"] for state in schedules(services).values()),
            "the daemon follows the schedules",
        )
        yield services
    finally:
        services.kill()


@pytest.fixture
def page(services: DagsterServices, open_page: Callable[..., Page]) -> Page:
    page = open_page(WIDTH, services.url)
    page.set_default_timeout(60_000)
    return page


def schedules(services: DagsterServices) -> dict[str, Any]:
    """The state of each schedule by name."""
    found = services.graphql(SCHEDULES)["schedulesOrError"]["results"]
    return {schedule["name"]: schedule["scheduleState"] for schedule in found}


def tick(services: DagsterServices, schedule: str, time_of_day: dt.time) -> dict[str, Any]:
    """The run of the schedule's tick at a time, asked for by a daemon whose clock showed a few seconds before it."""
    services.start_daemon(time_of_day, ELECTION.time_zone)

    def run_of_tick() -> str | None:
        for each in schedules(services)[schedule]["ticks"]:
            at = dt.datetime.fromtimestamp(each["timestamp"], ZoneInfo(ELECTION.time_zone))
            assert each["status"] in ("STARTED", "SUCCESS"), each
            if at.time() == time_of_day and each["runIds"]:
                return each["runIds"][0]
        return None

    run_id = services.until(run_of_tick, f"{schedule} ticks at {time_of_day}")
    services.start_daemon()
    return services.ended(run_id, SECONDS)


def materialised(services: DagsterServices, run_id: str) -> dict[str, list[str | None]]:
    """The partitions, None for an asset that has none, which a run materialised, by asset."""
    found: dict[str, list[str | None]] = {}
    for each in services.graphql(MATERIALISED, id=run_id)["runOrError"]["assetMaterializations"]:
        found.setdefault("/".join(each["assetKey"]["path"]), []).append(each["partition"])
    return found


def assert_all_accounted_for(root: Root) -> None:
    """Every candidate's records are where the last report says, and in all are those of the sample."""
    record = root.record()
    counts = {key: each["root"] for key, each in record["candidates"].items()}
    assert set(counts) == set(KEYS)
    for key, each in counts.items():
        assert each["received"] == each["kept"] + each["repeats"] + each["quarantined"] > 0, (key, each)
        assert each["kept"] == len(root.tweets(key)), key
        assert record["candidates"][key]["error"] is None


def see(page: Page, text: str) -> None:
    expect(page.get_by_text(text, exact=True).first).to_be_visible(timeout=60_000)


def test_the_half_hourly_tick_materialises_every_candidate(services: DagsterServices, root: Root) -> None:
    run = tick(services, "tweets_every_30_minutes", FIVE)
    assert (run["status"], run["jobName"]) == ("SUCCESS", "tweets"), services.said()
    assert run["tags"]["dagster/schedule_name"] == "tweets_every_30_minutes"
    found = materialised(services, run["id"])
    assert {asset: sorted(partitions) for asset, partitions in found.items()} == dict.fromkeys(
        OF_CANDIDATES, sorted(KEYS)
    )
    stats = services.graphql(PARTITIONS, assets=[{"path": [name]} for name in OF_CANDIDATES])["assetNodes"]
    assert [node["partitionStats"] for node in stats] == [{"numMaterialized": 13, "numPartitions": 13}] * 4
    assert not (root.path / "report" / "index.html").exists()


def test_the_daily_tick_makes_the_report(services: DagsterServices, root: Root) -> None:
    run = tick(services, "analysis_daily", QUARTER_PAST)
    assert (run["status"], run["jobName"]) == ("SUCCESS", "analysis"), services.said()
    assert set(materialised(services, run["id"])) == set(OF_ALL)
    assert root.record()["run_id"] == run["id"]
    assert "<html" in root.report()
    assert_all_accounted_for(root)


def test_a_person_sees_the_lineage(services: DagsterServices, page: Page, screenshots: Path) -> None:
    page.goto(f"{services.url}/asset-groups")
    see(page, "visuals")
    page.keyboard.press("Alt+KeyE")
    for name in ("x_api", "nifi_flow", "kafka_topics", *OF_CANDIDATES, *OF_ALL):
        see(page, name)
    shoot(page, screenshots / "postgresql_lineage.png")


def test_a_person_materialises_a_candidate_by_clicking(
    services: DagsterServices, page: Page, screenshots: Path
) -> None:
    page.goto(f"{services.url}/assets/cleaned_tweets?view=partitions&partition=zemmour")
    see(page, "Materialized (13)")
    for key in KEYS:
        see(page, key)
    shoot(page, screenshots / "postgresql_partitions.png")
    before = {run["id"] for run in services.runs()}
    page.get_by_role("button", name=re.compile("Materialize")).first.click()
    expect(page.get_by_role("dialog").get_by_text("1 partition", exact=True)).to_be_visible()
    page.get_by_role("button", name="Launch 1 run").click()
    run = services.until(lambda: [run for run in services.runs() if run["id"] not in before], "a run is asked for")[0]
    ended = services.ended(run["id"], SECONDS)
    assert ended["status"] == "SUCCESS", services.said()
    assert materialised(services, run["id"]) == {"cleaned_tweets": ["zemmour"]}
    page.goto(f"{services.url}/runs/{run['id']}")
    see(page, "Success")
    see(page, "RUN_SUCCESS")
    shoot(page, screenshots / "postgresql_run.png")


def test_a_person_sees_the_report_s_preview(
    services: DagsterServices, root: Root, page: Page, screenshots: Path
) -> None:
    page.goto(f"{services.url}/assets/report")
    see(page, "preview")

    def rows_of(head: str) -> dict[str, list[str]]:
        """The cells of each candidate in the table with this head."""
        heads = page.get_by_role("columnheader", name=head, exact=True)
        table = page.get_by_role("table").filter(has=heads).last
        expect(table).to_be_visible(timeout=60_000)
        rows = [row.get_by_role("cell").all_inner_texts() for row in table.get_by_role("row").all()]
        return {cells[0]: cells[1:] for cells in rows if cells}

    counts = {ELECTION.candidate(key).name: each["root"] for key, each in root.record()["candidates"].items()}
    told = rows_of("received")
    assert {name: told[name] for name in counts} == {
        name: [str(each[count]) for count in COUNTS] for name, each in counts.items()
    }
    overview = rows_of("mean tone (95 % interval)")
    assert {name: overview[name][0] for name in counts} == {name: str(each["kept"]) for name, each in counts.items()}
    shoot(page, screenshots / "postgresql_report_preview.png")


def test_a_backfill_of_two_candidates_completes(services: DagsterServices) -> None:
    asked = {"assetSelection": [{"path": ["cleaned_tweets"]}], "partitionNames": ["jadot", "le-pen"]}
    launched = services.graphql(BACKFILL, p=asked)["launchPartitionBackfill"]
    assert launched["__typename"] == "LaunchBackfillSuccess", launched

    def ended() -> dict[str, Any] | None:
        found = services.graphql(STATUS, id=launched["backfillId"])["partitionBackfillOrError"]
        return found if found["status"] not in ("REQUESTED", "COMPLETING") else None

    found = services.until(ended, "the backfill ends", SECONDS)
    assert found["status"] == "COMPLETED_SUCCESS", services.said()
    # They are no neighbours, and a contiguous range is one run.
    assert [run["status"] for run in found["runs"]] == ["SUCCESS", "SUCCESS"]
    done = [materialised(services, run["id"]) for run in found["runs"]]
    assert sorted(run["cleaned_tweets"] for run in done) == [["jadot"], ["le-pen"]]


def started(services: DagsterServices) -> str:
    """A run that makes every candidate's table anew, seen at work."""
    run_id = services.launch("tweets", RANGE, {"cleaned_tweets": {"rebuild": True}})
    services.until(lambda: materialised(services, run_id), "the run works", SECONDS)
    return run_id


def assert_nothing_is_lost(root: Root, spark: SparkSession, before: dict[str, set[str]]) -> None:
    """Counts every candidate's records anew where they lie, and compares the tweets with those of before."""
    for key in KEYS:
        found = reconcile(spark, DataRoot(root.path), key)
        assert found.problems == [], key
        assert found.received == found.kept + found.repeats + found.quarantined > 0, (key, found)
        assert set(root.tweets(key)) == before[key]


def following(services: DagsterServices, run_id: str) -> dict[str, Any]:
    """The end of the run that the daemon starts after a failed one."""

    def again() -> list[dict[str, Any]]:
        return [run for run in services.runs() if run["tags"].get("dagster/parent_run_id") == run_id]

    (run,) = services.until(again, "the daemon starts the run that follows", SECONDS)
    return services.ended(run["id"], SECONDS)


def test_a_restart_of_postgresql_loses_no_run(
    services: DagsterServices, root: Root, postgresql_server: PostgreSQLServer, spark: SparkSession
) -> None:
    before = {key: set(root.tweets(key)) for key in KEYS}
    run_id = started(services)
    assert services.runs(runIds=[run_id])[0]["status"] == "STARTED"
    postgresql_server.restart()
    # Dagster connects again, but fails a step whose query was on its way just then: such a run is done again, too.
    if services.ended(run_id, SECONDS)["status"] == "FAILURE":
        assert following(services, run_id)["status"] == "SUCCESS", services.said()
    assert_nothing_is_lost(root, spark, before)


def test_a_run_that_loses_postgresql_is_told_as_failed_and_done_again(
    services: DagsterServices, root: Root, postgresql_server: PostgreSQLServer, spark: SparkSession
) -> None:
    before = {key: set(root.tweets(key)) for key in KEYS}
    run_id = started(services)
    assert services.runs(runIds=[run_id])[0]["status"] == "STARTED"
    postgresql_server.kill()
    # Longer than Dagster tries to connect again.
    time.sleep(20)
    postgresql_server.start()
    assert services.ended(run_id, SECONDS)["status"] == "FAILURE", services.said()
    assert following(services, run_id)["status"] == "SUCCESS", services.said()
    assert_nothing_is_lost(root, spark, before)
