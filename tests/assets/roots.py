"""A data root as tests see it: the main job or single assets run on it, each in a process, and what they left."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import dagster as dg
from deltalake import DeltaTable

PROJECT = Path(__file__).parents[2]
ELECTIONS = PROJECT / "tests" / "fakes" / "elections"
ELECTION = ELECTIONS / "valmarie_2031.toml"
CANDIDATES = ["ormevaux", "bronnvik", "quintara-7"]
SECONDS = 240
"""More than any run here takes on a busy machine; then it hangs."""

# What somebody's shell may hold must not decide what is tested.
_FOREIGN = (
    *("ARCHIVE", "DAGSTER_", "ELECTION", "INGESTION", "KAFKA_", "NIFI_", "PSEUDONYM_", "REPORT_", "RESULTS_"),
    *("RETENTION_", "SAMPLE_", "SCRAPER_", "SENTIMENT_", "SPARK_REMOTE", "X_"),
)


@dataclass
class Run:
    """What Dagster's event log tells of a run.

    Attributes:
        materialised: Metadata values by partition (None where there is none), by asset.
        checks: The evaluations by name.
        failures: The innermost message of each failed step.
        events: (type, step) of every event of a step, in order.
    """

    run_id: str
    success: bool
    materialised: dict[str, dict[str | None, dict[str, Any]]] = field(default_factory=dict)
    checks: dict[str, Any] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    events: list[tuple[str, str]] = field(default_factory=list)

    def failed_checks(self) -> set[str]:
        return {name for name, check in self.checks.items() if not check.passed}

    def position(self, event: str, step: str) -> int:
        return self.events.index((event, step))


@dataclass
class Command:
    """What `python -m election_assets.run` said."""

    code: int
    out: str
    err: str

    @cached_property
    def lines(self) -> list[str]:
        return self.out.splitlines()


@dataclass
class Root:
    """A data root with the environment in which its processes run."""

    path: Path
    env: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.dagster_home.mkdir(parents=True, exist_ok=True)
        shutil.copy(PROJECT / "dagster.yaml", self.dagster_home)

    @property
    def dagster_home(self) -> Path:
        return self.path / "dagster"

    @property
    def environment(self) -> dict[str, str]:
        own = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
        return own | {
            "ELECTION": str(ELECTION),
            "ELECTION_DATA": str(self.path),
            "DAGSTER_HOME": str(self.dagster_home),
            "PYTHONWARNINGS": "ignore",
            **self.env,
        }

    def start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "election_assets.run"],
            cwd=PROJECT,
            env=self.environment,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def finish(self, process: subprocess.Popen[str]) -> Command:
        try:
            out, err = process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        return Command(process.returncode, out, err)

    def run(self) -> Command:
        return self.finish(self.start())

    @contextmanager
    def worker(self) -> Iterator[Worker]:
        with (
            (self.path / "worker.log").open("a") as log,
            subprocess.Popen(
                [sys.executable, str(Path(__file__).parent / "worker.py")],
                cwd=PROJECT,
                env=self.environment | {"PYTHONPATH": str(PROJECT)},
                text=True,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
            ) as process,
        ):
            yield Worker(self, process)
            process.stdin.close()
            process.wait(SECONDS)

    @contextmanager
    def instance(self) -> Iterator[dg.DagsterInstance]:
        with dg.DagsterInstance.from_config(str(self.dagster_home)) as instance:
            yield instance

    def runs(self) -> list[Run]:
        """The runs, oldest first."""
        with self.instance() as instance:
            return [_read(instance, record) for record in reversed(instance.get_runs())]

    def record(self) -> dict[str, Any]:
        """The content of run.json."""
        return json.loads((self.path / "report" / "run.json").read_text(encoding="utf-8"))

    def report(self, page: str = "index.html") -> str:
        return (self.path / "report" / page).read_text(encoding="utf-8")

    def table(self, name: str, candidate: str = "") -> DeltaTable:
        return DeltaTable(self.path / "tables" / name / candidate)

    def rows(self, name: str, candidate: str = "") -> list[dict[str, Any]]:
        return self.table(name, candidate).to_pyarrow_table().to_pylist()

    def tweets(self, candidate: str) -> dict[str, dict[str, Any]]:
        """The candidate's cleaned tweets by id, of which none may be there twice."""
        rows = self.rows("cleaned_tweets", candidate)
        by_id = {row["tweet_id"]: row for row in rows}
        assert len(by_id) == len(rows)
        return by_id

    def day_files(self, candidate: str) -> dict[str, set[str]]:
        """The names of the table's files by day."""
        files: dict[str, set[str]] = {}
        for name in self.table("cleaned_tweets", candidate).file_uris():
            day, file = name.split("/")[-2:]
            files.setdefault(day.removeprefix("day="), set()).add(file)
        return files

    def copy(self, path: Path) -> Root:
        """A root with the same content; nothing may run on this one."""
        self.wait_for_services()
        shutil.copytree(self.path, path)
        return Root(path, dict(self.env))

    def wait_for_services(self) -> None:
        """Waits until the embedded services have ended, which they do once nobody uses them."""
        with (self.path / "locks" / "services.serve").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)


@dataclass
class Worker:
    """The process of `worker.py`."""

    root: Root
    process: subprocess.Popen[str]

    def said(self) -> list[str]:
        """The lines of progress and of errors."""
        return (self.root.path / "worker.log").read_text(encoding="utf-8").splitlines()

    def materialise(
        self,
        *assets: str,
        job: str = "everything",
        candidates: Sequence[str] = (),
        config: dict[str, Any] | None = None,
        env: dict[str, str] | None = None,
        retries: bool = False,
    ) -> Run:
        """Materialises the assets of a job, all if none is named, for a range of candidates."""
        order = {
            "job": job,
            "assets": assets,
            "candidates": list(candidates),
            "config": config or {},
            "env": env or {},
            "retries": retries,
        }
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer, self.said()[-40:]
        run_id = json.loads(answer)["run_id"]
        with self.root.instance() as instance:
            return _read(instance, instance.get_run_by_id(run_id))


def _read(instance: dg.DagsterInstance, dagster_run: dg.DagsterRun) -> Run:
    run = Run(dagster_run.run_id, dagster_run.status == dg.DagsterRunStatus.SUCCESS)
    for entry in instance.all_logs(dagster_run.run_id):
        event = entry.dagster_event
        if event is None or not event.step_key:
            continue
        run.events.append((event.event_type.value, event.step_key))
        if event.event_type == dg.DagsterEventType.ASSET_MATERIALIZATION:
            found = event.materialization
            values = {name: value.value for name, value in found.metadata.items()}
            run.materialised.setdefault(found.asset_key.to_user_string(), {})[found.partition] = values
        elif event.event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            run.checks[event.asset_check_evaluation_data.check_name] = event.asset_check_evaluation_data
        elif event.event_type == dg.DagsterEventType.STEP_FAILURE:
            error = event.step_failure_data.error
            while error.cause is not None:
                error = error.cause
            run.failures[event.step_key] = error.message
    return run


def tweet(tweet_id: int, created_at: str, text: str, likes: int = 0) -> dict[str, Any]:
    """A tweet of an invented author, as X API v2 gives it."""
    return {
        "id": str(tweet_id),
        "author_id": "77",
        "created_at": created_at,
        "lang": "fr",
        "text": text,
        "public_metrics": {"retweet_count": 0, "reply_count": 0, "like_count": likes, "quote_count": 0},
    }


def page(tweets: Sequence[dict[str, Any]], retrieved_at: str) -> str:
    """A line of a twarc2 archive: one page of X's API."""
    content = {
        "data": list(tweets),
        "includes": {"users": [{"id": "77", "name": "Lecture du soir", "username": "lecture_du_soir"}]},
        "meta": {"result_count": len(tweets)},
        "__twarc": {"url": "https://api.twitter.com/2/tweets/search/recent", "retrieved_at": retrieved_at},
    }
    return json.dumps(content, ensure_ascii=False) + "\n"
