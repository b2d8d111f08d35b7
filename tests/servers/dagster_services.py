"""Dagster's services as docker-compose.yml runs them, code server, webserver and daemon, with a clock to set."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar
from urllib.error import URLError
from urllib.request import ProxyHandler, Request, build_opener
from zoneinfo import ZoneInfo

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.servers.postgresql import PostgreSQLServer
from tests.servers.processes import Process, ServerFailedError, free_port, listens

PROJECT = Path(__file__).parents[2]
CONFIG = PROJECT / "compose" / "dagster.yaml"
LOCATION = "election_assets"
BIN = Path(sys.executable).parent
DATABASE = "dagster"
START_SECONDS = 120
"""A code location loads in three seconds, and in twenty on a busy machine."""
ENDED = ("SUCCESS", "FAILURE", "CANCELED")

HEALTH = """{ instance { daemonHealth { allDaemonStatuses { daemonType required lastHeartbeatTime } } } }"""
LOCATIONS = """{ workspaceOrError { ... on Workspace { locationEntries {
    locationOrLoadError { __typename ... on PythonError { message } } } } ... on PythonError { message } } }"""
RUNS = """query ($filter: RunsFilter) { runsOrError(filter: $filter) { ... on Runs { results {
    id jobName status startTime endTime tags { key value } } } ... on PythonError { message } } }"""
LAUNCH = """mutation ($parameters: ExecutionParams!) { launchRun(executionParams: $parameters) { __typename
    ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } ... on UnauthorizedError { message }
    ... on RunConfigValidationInvalid { errors { message } } } }"""

# A proxy for the internet knows nothing of a server on this machine.
_open = build_opener(ProxyHandler({})).open
Found = TypeVar("Found")


def moved_clock(seconds: float) -> dict[str, str]:
    """The environment in which a Python process sees a time so many seconds after the real one (libfaketime).

    Raises:
        ServerFailedError: If libfaketime is not installed.
    """
    libraries = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    if not libraries:
        raise ServerFailedError("libfaketime is missing: install Debian's package (apt-get install faketime).")
    return {
        "LD_PRELOAD": str(libraries[0]),
        "FAKETIME": f"{seconds:+.0f}s",
        # What waits for a number of seconds has to wait for real ones.
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "NO_FAKE_STAT": "1",
        "PYTHONPATH": str(Path(__file__).parent / "moved_clock"),
    }


def seconds_until(time_of_day: dt.time, zone: str) -> float:
    """Real seconds until it is so late in a time zone."""
    now = dt.datetime.now(ZoneInfo(zone))
    days = 0 if now.time() < time_of_day else 1
    return dt.datetime.combine(now.date() + dt.timedelta(days), time_of_day, now.tzinfo).timestamp() - now.timestamp()


class DagsterServices:
    """Code server, webserver and daemon as processes of their own, on a database of their own.

    Attributes:
        url: Address of the webserver.
        env: The environment of each.
        code_server, webserver, daemon: The processes.
    """

    def __init__(self, folder: Path, postgresql: PostgreSQLServer, env: Mapping[str, str]) -> None:
        """Describes the services and makes their database; nothing starts yet.

        Args:
            folder: For their logs and configuration.
            postgresql: A running server.
            env: The environment of the platform's processes: ELECTION_DATA and what else they are told.
        """
        self.folder = folder
        home = folder / "home"
        home.mkdir(parents=True)
        shutil.copy(CONFIG, home / "dagster.yaml")
        code_port, web_port = free_port(), free_port()
        (folder / "workspace.yaml").write_text(
            f"load_from:\n  - grpc_server: {{host: 127.0.0.1, port: {code_port}, location_name: {LOCATION}}}\n",
            encoding="utf-8",
        )
        self.env = {
            **env,
            **postgresql.create_database(DATABASE),
            "DAGSTER_HOME": str(home),
            "PYTHONWARNINGS": "ignore",
        }
        self.url = f"http://127.0.0.1:{web_port}"
        self._workspace = ["--workspace", str(folder / "workspace.yaml")]
        self.code_server = self._process(
            "code_server",
            [
                *("dagster", "code-server", "start", "--host", "127.0.0.1", "--port", str(code_port)),
                *("--module-name", "election_assets.definitions", "--location-name", LOCATION),
            ],
            lambda: _serves_grpc(code_port),
        )
        self.webserver = self._process(
            "webserver",
            # A connection of before a restart of PostgreSQL is an error on a page otherwise.
            [
                *("dagster-webserver", "--host", "127.0.0.1", "--port", str(web_port), "--db-pool-recycle", "0"),
                *self._workspace,
            ],
            self._web_is_ready,
        )
        self.daemon = self._daemon(0)

    def start(self) -> None:
        """Starts all of them, and returns once the code is loaded and every daemon has shown that it works.

        Raises:
            ServerFailedError: If one does not start; the message holds the end of its log.
        """
        self.code_server.start()
        self.webserver.start()
        self.daemon.start()

    def stop(self) -> None:
        """Ends all of them in order."""
        for process in (self.daemon, self.webserver, self.code_server):
            process.stop()

    def kill(self) -> None:
        """Ends all of them at once (SIGKILL), with the runs that they started."""
        for process in (self.daemon, self.webserver, self.code_server):
            process.kill()

    def start_daemon(self, time_of_day: dt.time | None = None, zone: str = "UTC", seconds: float = 3) -> None:
        """Starts the daemon anew with another clock: one that shows some seconds before the next such time.

        The webserver and the runs keep the real time, so a run that such a daemon started was asked for in the future.
        Start it with the real time again at once: where it looks after the runs (`run_monitoring`), they last for hours
        to it, and it ends them.

        Args:
            time_of_day: The time; the real one if None.
            zone: Time zone that it is meant in.
            seconds: How long before it.
        """
        self.daemon.stop()
        self.daemon = self._daemon(seconds_until(time_of_day, zone) - seconds if time_of_day else 0)
        self.daemon.start()

    def graphql(self, query: str, **variables: Any) -> dict[str, Any]:
        """Asks the webserver.

        Returns:
            The answer's `data`.

        Raises:
            RuntimeError: If the answer holds errors.
        """
        body = json.dumps({"query": query, "variables": variables}).encode()
        with _open(Request(f"{self.url}/graphql", body, {"Content-Type": "application/json"}), timeout=60) as answer:
            content = json.load(answer)
        if "errors" in content:
            raise RuntimeError(f"GraphQL: {content['errors']}")
        return content["data"]

    def runs(self, **wanted: Any) -> list[dict[str, Any]]:
        """The runs, newest first, of a filter of GraphQL's `RunsFilter`; `tags` is a dict of each run's."""
        found = self.graphql(RUNS, filter=wanted)["runsOrError"]["results"]
        return [{**run, "tags": {tag["key"]: tag["value"] for tag in run["tags"]}} for run in found]

    def launch(
        self, job: str, tags: Mapping[str, str] | None = None, config: Mapping[str, Mapping[str, Any]] | None = None
    ) -> str:
        """Asks for a run of a job, which the daemon starts.

        Args:
            job: Name of the job.
            tags: Such as the range of partitions.
            config: What assets are told, by name.

        Returns:
            The run's id.
        """
        parameters = {
            "selector": {"repositoryLocationName": LOCATION, "repositoryName": "__repository__", "jobName": job},
            "runConfigData": {"ops": {name: {"config": told} for name, told in (config or {}).items()}},
            "executionMetadata": {"tags": [{"key": key, "value": value} for key, value in (tags or {}).items()]},
        }
        answer = self.graphql(LAUNCH, parameters=parameters)["launchRun"]
        if answer["__typename"] != "LaunchRunSuccess":
            raise RuntimeError(f"The run was not taken: {answer}")
        return answer["run"]["runId"]

    def until(self, condition: Callable[[], Found], what: str, seconds: float = 120) -> Found:
        """Waits until a condition gives something, and answers it.

        Raises:
            AssertionError: If it does not in time; the message holds the ends of the logs.
        """
        limit = time.monotonic() + seconds
        while not (found := condition()):
            if time.monotonic() > limit:
                raise AssertionError(f"Not within {seconds} s: {what}.\n{self.said()}")
            time.sleep(0.25)
        return found

    def ended(self, run_id: str, seconds: float = 120) -> dict[str, Any]:
        """Waits for the end of a run."""

        def look() -> dict[str, Any] | None:
            run = self.runs(runIds=[run_id])[0]
            return run if run["status"] in ENDED else None

        return self.until(look, f"run {run_id} ends", seconds)

    def said(self) -> str:
        """The ends of the logs."""
        processes = (self.code_server, self.webserver, self.daemon)
        return "\n".join(f"--- {process.log}\n{process.tail()}" for process in processes)

    def _process(
        self, name: str, command: list[str], ready: Callable[[], bool], clock: Mapping[str, str] | None = None
    ) -> Process:
        return Process(
            [str(BIN / command[0]), *command[1:]],
            self.folder / f"{name}.log",
            ready,
            seconds=START_SECONDS,
            folder=PROJECT,
            env={**self.env, **(clock or {})},
        )

    def _daemon(self, moved: float) -> Process:
        begin = time.time() + moved
        return self._process(
            "daemon",
            ["dagster-daemon", "run", *self._workspace],
            lambda: self._beats(begin, time.time() + moved),
            moved_clock(moved) if moved else None,
        )

    def _web_is_ready(self) -> bool:
        try:
            with _open(f"{self.url}/server_info", timeout=5) as answer:
                if answer.status != 200:
                    return False
            entries = self.graphql(LOCATIONS)["workspaceOrError"]["locationEntries"]
        except (URLError, OSError):
            return False
        return [entry["locationOrLoadError"]["__typename"] for entry in entries] == ["RepositoryLocation"]

    def _beats(self, begin: float, end: float) -> bool:
        """Whether every daemon that is needed told between two times (seconds since 1970) that it works."""
        statuses = self.graphql(HEALTH)["instance"]["daemonHealth"]["allDaemonStatuses"]
        beats = [status["lastHeartbeatTime"] or 0 for status in statuses if status["required"]]
        return all(begin <= beat <= end + 1 for beat in beats)


def _serves_grpc(port: int) -> bool:
    if not listens(port):
        return False
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        try:
            asked = health_pb2.HealthCheckRequest(service="DagsterApi")
            answer = health_pb2_grpc.HealthStub(channel).Check(asked, timeout=5)
        except grpc.RpcError:
            return False
    return answer.status == health_pb2.HealthCheckResponse.SERVING
