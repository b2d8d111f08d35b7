"""Kills at random points of the chain scraper, NiFi, Kafka, landing; after each and a rerun, every tweet is there once.

In about half of them NiFi polls by its schedule, too, as in a campaign. KILLS is how many (5), KILL_SEED what they are
drawn by; the seed is printed, to have the same ones again.
"""

from __future__ import annotations

import datetime as dt
import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

import pytest
from pyspark.sql import SparkSession

from election_assets.reconciliation import Reconciliation, reconcile
from election_assets.storage import DataRoot
from nifi.flow import POLL_PERIOD, root_group_name
from resources.nifi import NiFiResource
from tests.assets.roots import CANDIDATES, ELECTION, Run, Worker, page, tweet
from tests.fakes.scraper_proxy import ScraperProxy
from tests.integration.chain import Chain
from tests.servers.kafka import KafkaServer
from tests.servers.nifi import NiFiServer

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

KILLS = int(os.environ.get("KILLS") or 5)
SEED = int(os.environ.get("KILL_SEED") or random.SystemRandom().randrange(1_000_000))
NAMES = {"ormevaux": "Ormevaux", "bronnvik": "Brønnvik", "quintara-7": "Quíntara"}
A_CANDIDATE = 1100
"""New tweets of a candidate a kill: two full batches, and one that is not."""
BROKEN = 3
"""Of a candidate a kill, beside those: tweets that landing refuses."""
POLL_EVERY = "3 sec"
A_PAGE = 100
BATCHES = 3 * len(CANDIDATES)
WORK = ("raw_tweets", "landed_csv", "cleaned_tweets")
RERUNS = 3


class Server(Protocol):
    def start(self) -> None: ...
    def kill(self) -> None: ...


class Door(ScraperProxy):
    """NiFi's way to the scraper; `passing` is told of every request before it is passed on, and may raise."""

    passing: Callable[[str, str], None] | None = None

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        if self.passing:
            self.passing(method, path)
        return super().answer(method, path, body)


class Corpus:
    """An archive that grows by a file a kill, with the ids that each candidate has in it.

    A file holds new tweets of each candidate, some of which name the next one, too, some of the file before, and a few
    whose counts are none; `broken` is how many of these each candidate has.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self.ids: dict[str, set[str]] = {key: set() for key in CANDIDATES}
        self.broken = 0
        self._before: list[dict] = []

    def grow(self, number: int) -> None:
        """Adds the file of a kill."""
        tweets, broken = [], []
        start = dt.datetime(2031, 9, 1, tzinfo=dt.UTC) + dt.timedelta(days=number)
        for place, key in enumerate(CANDIDATES):
            following = CANDIDATES[(place + 1) % len(CANDIDATES)]
            for count in range(A_CANDIDATE):
                tweet_id = 10_000_000 * (number + 1) + 100_000 * place + count
                named = [key, following] if count % 20 == 0 else [key]
                names = " et ".join(NAMES[each] for each in named)
                at = (start + dt.timedelta(seconds=count)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
                tweets.append(tweet(tweet_id, at, f'{names} : « été », "cité", ligne\n{count}, à suivre', likes=count))
                for each in named:
                    self.ids[each].add(str(tweet_id))
            for count in range(BROKEN):
                one = tweet(10_000_000 * (number + 1) + 100_000 * place + 50_000 + count, at, NAMES[key])
                broken.append({**one, "public_metrics": {"like_count": "beaucoup"}})
        self.broken += BROKEN
        again, self._before = self._before, tweets[::50]
        content = [*tweets, *again, *broken]
        retrieved_at = (start + dt.timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        pages = [page(content[first : first + A_PAGE], retrieved_at) for first in range(0, len(content), A_PAGE)]
        part = self.folder / f".kill-{number:03}"
        part.write_text("".join(pages), encoding="utf-8")
        part.rename(self.folder / f"kill-{number:03}.jsonl")


class Kill:
    """One kill: of which server, when; the server is started again a little later, beside the run that it hit."""

    def __init__(self, server: Server, draw: random.Random) -> None:
        self._server, self._pause = server, draw.uniform(0, 2)
        self._lock = threading.Lock()
        self._restart: threading.Thread | None = None
        self._failure: BaseException | None = None

    @property
    def done(self) -> bool:
        return self._restart is not None

    def now(self) -> None:
        with self._lock:
            if not self.done:
                self._server.kill()
                self._restart = threading.Thread(target=self._start_again)
                self._restart.start()

    def wait(self) -> None:
        """Returns once the server is up again."""
        assert self._restart, "the run ended without the kill, so nothing was tried"
        self._restart.join()
        if self._failure:
            raise self._failure

    def _start_again(self) -> None:
        time.sleep(self._pause)
        try:
            self._server.start()
        except BaseException as error:
            self._failure = error


class Stage:
    """The chain, what was written into its archive, and the servers that are killed."""

    def __init__(self, chain: Chain, door: Door, corpus: Corpus, kafka: KafkaServer, nifi: NiFiServer) -> None:
        self.chain, self.door, self.corpus, self.kafka, self.nifi = chain, door, corpus, kafka, nifi

    def start(self, polling: bool) -> None:
        """Lets NiFi ask by its schedule, too, or only when Dagster makes it ask."""
        self.chain.nifi("start", *([] if polling else ["--no-polling"]))

    @contextmanager
    def at_request(self, method: str, which: int, act: Callable[[], None]) -> Iterator[None]:
        """Acts at one of NiFi's requests, in the thread that answers it."""
        counter, lock = iter(range(1, 1_000_000)), threading.Lock()

        def passing(asked: str, path: str) -> None:
            wanted = path.startswith("/get_twitter") if method == "GET" else path.endswith("/ack")
            if asked == method and wanted:
                with lock:
                    hit = next(counter) == which
                if hit:
                    act()

        self.door.passing = passing
        try:
            yield
        finally:
            self.door.passing = None

    @contextmanager
    def at_landed_file(self, which: int, act: Callable[[], None]) -> Iterator[None]:
        """Acts once so many files more have landed."""
        over = threading.Event()
        landed = self.chain.root.path / "landed"
        before = sum(1 for _ in landed.rglob("*.csv"))

        def watch() -> None:
            while not over.wait(0.005):
                if sum(1 for _ in landed.rglob("*.csv")) >= before + which:
                    act()
                    return

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            yield
        finally:
            over.set()
            watcher.join()


Trap = tuple[Kill, AbstractContextManager[None]]
"""A kill, and what lets it happen during a run."""


def broker_while_publishing(stage: Stage, draw: random.Random) -> Trap:
    kill, delay = Kill(stage.kafka, draw), draw.uniform(0, 0.5)
    return kill, stage.at_request("GET", draw.randint(1, BATCHES), lambda: threading.Timer(delay, kill.now).start())


def broker_while_landing(stage: Stage, draw: random.Random) -> Trap:
    kill = Kill(stage.kafka, draw)
    return kill, stage.at_landed_file(draw.randint(1, BATCHES - 1), kill.now)


def nifi_between_publish_and_acknowledge(stage: Stage, draw: random.Random) -> Trap:
    """Before the scraper hears of it, or after that and before NiFi hears the answer."""
    kill, heard = Kill(stage.nifi, draw), draw.random() < 0.5

    def act() -> None:
        kill.now()
        if not heard:
            raise ConnectionAbortedError("NiFi is gone")

    return kill, stage.at_request("POST", draw.randint(1, BATCHES), act)


def scraper_while_asked(stage: Stage, draw: random.Random) -> Trap:
    kill, delay = Kill(stage.chain.scraper, draw), draw.uniform(0, 0.2)
    return kill, stage.at_request("GET", draw.randint(1, BATCHES), lambda: threading.Timer(delay, kill.now).start())


SPOTS = (broker_while_publishing, nifi_between_publish_and_acknowledge, scraper_while_asked, broker_while_landing)
_DRAW = random.Random(SEED)
DRAWN = [
    (SPOTS[number % len(SPOTS)], (number + number // len(SPOTS)) % 2 == 1, _DRAW.randrange(1_000_000))
    for number in range(KILLS)
]
"""Each spot in turn, so that few kills try them all; whether NiFi polls, each spot both ways; the seed of all else."""


@pytest.fixture(scope="module")
def stage(
    kafka_server: KafkaServer, nifi_server: NiFiServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("faults")
    corpus = Corpus(folder / "archive")
    chain = Chain(
        folder / "chain", ELECTION, "valmarie_faults", kafka_server, nifi_server, {"ARCHIVE": str(corpus.folder)}
    )
    door = Door(chain.scraper.url)
    with door.serve():
        chain.root.env["NIFI_SCRAPER_URL"] = door.url
        with chain:
            client = NiFiResource(url=nifi_server.url, flow=root_group_name(chain.election))
            client.set_parameters({POLL_PERIOD: POLL_EVERY})
            yield Stage(chain, door, corpus, kafka_server, nifi_server)


@pytest.fixture(scope="module")
def worker(stage: Stage) -> Iterator[Worker]:
    with stage.chain.root.worker() as worker:
        yield worker


@pytest.fixture(autouse=True)
def seed_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print(f" KILL_SEED={SEED}", end=" ", flush=True)


def account(spark: SparkSession, stage: Stage) -> dict[str, Reconciliation]:
    """Every candidate's records, counted anew from files and tables, after it was seen that none is missing."""
    accounts = {key: reconcile(spark, DataRoot(stage.chain.root.path), key) for key in CANDIDATES}
    for key, found in accounts.items():
        assert found.problems == [], key
        assert found.received == found.kept + found.repeats + found.quarantined, (key, found)
        assert (found.waiting, found.quarantined) == (0, stage.corpus.broken), (key, found)
        assert set(stage.chain.root.tweets(key)) == stage.corpus.ids[key]
        assert found.kept == len(stage.corpus.ids[key])
    return accounts


@pytest.mark.parametrize("number", range(KILLS))
def test_nothing_is_lost_or_counted_twice_by_a_kill(
    stage: Stage, worker: Worker, spark: SparkSession, number: int
) -> None:
    spot, polling, seed = DRAWN[number]
    print(f"kill {number}: {spot.__name__}, drawn by {seed}, {'polling' if polling else 'asked by Dagster alone'}")
    stage.start(polling)
    kill, trap = spot(stage, random.Random(seed))
    with trap:
        # Not before: who polls would take it all.
        stage.corpus.grow(number)
        hit = worker.materialise(*WORK, candidates=CANDIDATES)
    kill.wait()
    print(f"the run that was hit: success {hit.success}, failures {hit.failures}, checks {hit.failed_checks()}")
    for _ in range(RERUNS):
        rerun: Run = worker.materialise(*WORK, candidates=CANDIDATES)
        print(f"a rerun: success {rerun.success}, failures {rerun.failures}, checks {rerun.failed_checks()}")
        if rerun.success and not rerun.failed_checks():
            break
    assert rerun.success, rerun.failures
    assert rerun.failed_checks() == set()
    account(spark, stage)


def test_the_report_tells_the_same_counts(stage: Stage, worker: Worker, spark: SparkSession) -> None:
    accounts = account(spark, stage)
    run = worker.materialise(candidates=CANDIDATES)
    assert run.success, run.failures
    for key, told in stage.chain.root.record()["candidates"].items():
        found = accounts[key]
        counts = {name: getattr(found, name) for name in ("received", "kept", "repeats", "quarantined", "waiting")}
        assert {name: told["root"][name] for name in counts} == counts, key
        assert told["root"]["repeated_deliveries"] == found.repeated_deliveries
