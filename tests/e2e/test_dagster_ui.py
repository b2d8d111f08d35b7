"""Dagster's UI as `make dev` starts it, used as a person uses it: looking, clicking, and ending it with Ctrl-C."""

import fcntl
import json
import os
import re
import socket
import subprocess
import termios
import time
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from election_assets.election import load_election
from tests.dagster_ui import BACKFILL, STATUS, shoot

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[2]
KEYS = load_election("fr_2022").candidate_keys
ASSETS = [
    *("x_api", "nifi_flow", "kafka_topics", "raw_tweets", "landed_csv", "cleaned_tweets", "candidate_stats"),
    *("results_2017", "merged_tweets", "sentiment_scores", "department_map", "word_cloud", "report"),
]
WIDTH = 1800


class DagsterUI:
    """`make dev` on a free port, in a terminal of its own."""

    def __init__(self, environment, log):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.root = environment["ELECTION_DATA"]
        self.log = log
        self._keyboard, terminal = os.openpty()
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                ["make", "dev", f"PORT={port}"],
                cwd=ROOT,
                env=environment,
                stdin=terminal,
                stdout=output,
                stderr=output,
                start_new_session=True,
                # The first terminal of a session is the one whose Ctrl-C reaches it.
                preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
            )
        os.close(terminal)

    def until(self, condition, what, seconds=240):
        """Waits until a condition holds; fails at once where the process ended.

        Returns:
            What the condition gave.
        """
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if found := condition():
                return found
            assert self.process.poll() is None, f"make dev ended: {self.said()}"
            time.sleep(0.25)
        raise AssertionError(f"Not within {seconds} s: {what}. {self.said()}")

    def lives(self):
        try:
            with urlopen(f"{self.url}/server_info", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    def ask(self, query, **variables):
        body = json.dumps({"query": query, "variables": variables}).encode()
        with urlopen(Request(f"{self.url}/graphql", body, {"Content-Type": "application/json"}), timeout=60) as answer:
            content = json.load(answer)
        assert "errors" not in content, content
        return content["data"]

    def press_ctrl_c(self):
        os.write(self._keyboard, b"\x03")

    def processes(self):
        """Command lines, by id, of all processes that have this data root in their environment."""
        found = {}
        mark = f"ELECTION_DATA={self.root}".encode()
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (folder / "environ").read_bytes().split(b"\0"):
                    found[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
        return {process: command for process, command in found.items() if command}

    def said(self):
        return self.log.read_text(errors="replace")[-3000:]

    def close(self):
        os.close(self._keyboard)
        for process in self.processes():
            os.kill(process, 9)
        self.process.wait()


@pytest.fixture(scope="module")
def ui(environment, data_root, tmp_path_factory):
    ui = DagsterUI(environment, tmp_path_factory.mktemp("log") / "make_dev.txt")
    try:
        ui.until(ui.lives, "the UI answers")
        yield ui
    finally:
        ui.close()


@pytest.fixture
def page(ui, open_page):
    return open_page(WIDTH, ui.url)


def see(ui, locator):
    """Waits until something is visible."""
    ui.until(locator.first.is_visible, f"{locator} is visible", seconds=120)
    return locator.first


def test_make_dev_tells_its_address(ui):
    assert f"Dagster's UI: {ui.url}\n" in ui.log.read_text()


def test_the_lineage_shows_every_asset(ui, page, screenshots):
    page.goto(f"{ui.url}/asset-groups")
    see(ui, page.get_by_text("visuals", exact=True))
    graph = page.locator("svg foreignObject")
    ui.until(lambda: graph.count() == 6, "the six groups are drawn")
    page.keyboard.press("Alt+KeyE")
    for name in ASSETS:
        see(ui, graph.get_by_text(name, exact=True))
    shoot(page, screenshots / "lineage.png")


def test_a_group_s_lineage_shows_kinds_checks_and_partitions(ui, page, screenshots):
    page.goto(f"{ui.url}/locations/election_assets/asset-groups/tweets/lineage")
    graph = page.locator("svg foreignObject")
    for text in ("cleaned_tweets", "candidate_stats", "5 / 5 Passed", "13 partitions", "PySpark", "Delta Lake"):
        see(ui, graph.get_by_text(text, exact=True))
    shoot(page, screenshots / "lineage_tweets.png")


def test_every_candidate_s_partition_is_materialised(ui, page, screenshots):
    page.goto(f"{ui.url}/assets/cleaned_tweets?view=partitions&partition=le-pen")
    see(ui, page.get_by_text("Materialized (13)"))
    see(ui, page.get_by_text("Missing (0)"))
    for key in KEYS:
        see(ui, page.get_by_text(key, exact=True))
    see(ui, page.get_by_text("dagster/row_count", exact=True))
    shoot(page, screenshots / "partitions.png")


def test_the_main_job_s_run_is_listed_and_succeeded(ui, page, data_root, screenshots):
    run = json.loads((data_root / "report" / "run.json").read_text(encoding="utf-8"))["run_id"]
    page.goto(f"{ui.url}/runs")
    see(ui, page.locator(f'a[href="/runs/{run}"]').get_by_text(run[:8])).click()
    page.wait_for_url(f"**/runs/{run}")
    see(ui, page.get_by_text("Success", exact=True))
    see(ui, page.get_by_text("10 assets"))
    see(ui, page.get_by_text("RUN_SUCCESS"))
    shoot(page, screenshots / "run.png")


@pytest.mark.parametrize("asset", ["department_map", "word_cloud"])
def test_a_picture_is_shown_as_preview(ui, page, screenshots, asset):
    page.goto(f"{ui.url}/assets/{asset}")
    see(ui, page.get_by_text("[Show Markdown]")).click()
    picture = page.get_by_role("dialog").locator("img")
    see(ui, picture)
    assert picture.evaluate("image => image.naturalWidth") >= 600
    shoot(page, screenshots / f"preview_{asset}.png")


@pytest.mark.parametrize(
    ("asset", "title"), [("report", "De qui parle-t-on"), ("department_map", "La carte des départements")]
)
def test_a_link_opens_the_page(ui, open_page, environment, asset, title):
    report = f"http://127.0.0.1:{environment['REPORT_PORT']}"
    page = open_page(WIDTH, ui.url, report)
    page.goto(f"{ui.url}/assets/{asset}")
    link = see(ui, page.locator(f'a[href^="{report}/"]'))
    with page.expect_popup() as opened:
        link.click()
    opened.value.wait_for_load_state()
    assert title in opened.value.title()


def test_both_schedules_run_and_say_what_they_do(ui, page, screenshots):
    page.goto(f"{ui.url}/automation")
    see(ui, page.get_by_text("analysis_daily", exact=True))
    see(ui, page.get_by_text("tweets_every_30_minutes", exact=True))
    see(ui, page.get_by_text("Every 30 minutes", exact=True))
    shoot(page, screenshots / "schedules.png")
    found = ui.ask(
        """{ repositoriesOrError { ... on RepositoryConnection { nodes { schedules {
            name description scheduleState { status } } } } } }"""
    )
    schedules = found["repositoriesOrError"]["nodes"][0]["schedules"]
    assert {one["name"]: one["scheduleState"]["status"] for one in schedules} == {
        "analysis_daily": "RUNNING",
        "tweets_every_30_minutes": "RUNNING",
    }
    assert all(one["description"] for one in schedules)


def newest_run(ui):
    return ui.ask("{ runsOrError(limit: 1) { ... on Runs { results { id } } } }")["runsOrError"]["results"][0]["id"]


def test_a_candidate_is_materialised_by_clicking(ui, page, screenshots):
    page.goto(f"{ui.url}/assets/cleaned_tweets?view=partitions&partition=le-pen")
    see(ui, page.get_by_text("Materialized (13)"))
    see(ui, page.get_by_role("button", name=re.compile("Materialize"))).click()
    see(ui, page.get_by_role("dialog").get_by_text("1 partition", exact=True))
    before = newest_run(ui)
    page.get_by_role("button", name="Launch 1 run").click()
    ui.until(lambda: newest_run(ui) != before, "a run is launched")
    page.goto(f"{ui.url}/runs")
    see(ui, page.locator(f'a[href="/runs/{newest_run(ui)}"]')).click()
    see(ui, page.get_by_text("RUN_SUCCESS"))
    see(ui, page.get_by_text("Success", exact=True))
    shoot(page, screenshots / "run_of_a_candidate.png")


def test_two_candidates_tables_are_made_anew_by_a_backfill(ui, page, screenshots):
    launched = ui.ask(
        BACKFILL,
        p={
            "assetSelection": [{"path": ["cleaned_tweets"]}],
            "partitionNames": ["jadot", "lassalle"],
            "runConfigData": {"ops": {"cleaned_tweets": {"config": {"rebuild": True}}}},
        },
    )["launchPartitionBackfill"]
    assert launched["__typename"] == "LaunchBackfillSuccess", launched

    def ended():
        found = ui.ask(STATUS, id=launched["backfillId"])["partitionBackfillOrError"]
        return found if found["status"] not in ("REQUESTED", "COMPLETING") else None

    found = ui.until(ended, "the backfill ends")
    assert found["status"] == "COMPLETED_SUCCESS", ui.said()
    # The two are neighbours, and a contiguous range is one run.
    assert [run["status"] for run in found["runs"]] == ["SUCCESS"]
    assert "rebuild: true" in found["runs"][0]["runConfigYaml"]
    page.goto(f"{ui.url}/runs/b/{launched['backfillId']}")
    see(ui, page.get_by_text("cleaned_tweets", exact=True))
    shoot(page, screenshots / "backfill.png")


def test_ctrl_c_leaves_no_process(ui):
    assert any("dagster" in command for command in ui.processes().values())
    ui.press_ctrl_c()
    ui.process.wait(timeout=120)
    end = time.monotonic() + 60
    while (left := ui.processes()) and time.monotonic() < end:
        time.sleep(0.25)
    assert left == {}
