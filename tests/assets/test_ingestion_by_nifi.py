"""INGESTION=nifi: `raw_tweets` has NiFi publish, and tells what came of it; a fake NiFi does what its flow would."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from election_assets.election import load_election
from nifi.flow import generate, root_group_name
from resources.embedded_services import EmbeddedServicesResource
from resources.kafka import KafkaResource
from resources.nifi import NiFiResource
from resources.scraper import ScraperResource
from tests.assets.roots import CANDIDATES, ELECTION, Root, Worker, page, tweet
from tests.fakes.nifi_api import FakeNiFi

VALMARIE = load_election(str(ELECTION))
FLOW = generate(VALMARIE)


@pytest.fixture(scope="module")
def nifi() -> Iterator[FakeNiFi]:
    with FakeNiFi(FLOW).serve() as fake:
        client = NiFiResource(url=fake.url, flow=root_group_name(VALMARIE))
        client.deploy(FLOW, {}, {})
        client.start()
        yield fake


@pytest.fixture(scope="module")
def worker(nifi: FakeNiFi, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    env = {"SAMPLE_TWEETS": "1500", "INGESTION": "nifi", "NIFI_URL": nifi.url, "NIFI_TIMEOUT_SECONDS": "1"}
    root = Root(tmp_path_factory.mktemp("nifi") / "data", env)
    with root.worker() as worker:
        yield worker


class Publisher:
    """What a candidate's group does when it is run: it drains the scraper into Kafka."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.published: list[tuple[str, int]] = []

    def __call__(self, candidate: str) -> None:
        addresses = json.loads((self.root / "services.json").read_text(encoding="utf-8"))["addresses"]
        none = EmbeddedServicesResource(data_root="/nowhere")
        scraper = ScraperResource(url=addresses["scraper"], services=none)
        with KafkaResource(bootstrap_servers=addresses["kafka"], services=none).producer() as producer:
            while (batch := scraper.batch(candidate)).batch_id:
                producer.publish(VALMARIE.topic(candidate), candidate, batch.batch_id, batch.tweets)
                scraper.acknowledge(batch.batch_id)
                self.published.append((candidate, len(batch.tweets)))


def test_what_nifi_brought_is_reported_with_the_page_of_its_group(worker: Worker, nifi: FakeNiFi) -> None:
    nifi.published = publisher = Publisher(worker.root.path)
    run = worker.materialise("raw_tweets", "landed_csv", candidates=CANDIDATES)

    assert run.success, run.failures
    assert not run.failed_checks()
    assert {key for key, _ in publisher.published} == set(CANDIDATES)
    for candidate in CANDIDATES:
        found = run.materialised["raw_tweets"][candidate]
        records = [count for key, count in publisher.published if key == candidate]
        assert (found["batches"], found["received"]) == (len(records), sum(records))
        assert found["nifi"].startswith(f"{nifi.url}/nifi/#/process-groups/")
        landed = run.materialised["landed_csv"][candidate]
        assert (landed["rows"] + landed["quarantined"], landed["published_again"]) == (sum(records), 0)
    assert len({run.materialised["raw_tweets"][candidate]["nifi"] for candidate in CANDIDATES}) == len(CANDIDATES)


def test_nothing_new_is_no_trouble(worker: Worker, nifi: FakeNiFi) -> None:
    nifi.published = publisher = Publisher(worker.root.path)
    run = worker.materialise("raw_tweets", candidates=CANDIDATES)
    assert not run.failed_checks()
    assert not publisher.published
    assert {run.materialised["raw_tweets"][candidate]["batches"] for candidate in CANDIDATES} == {0}


def test_what_nifi_brought_by_itself_is_counted_by_the_next_run(worker: Worker, nifi: FakeNiFi) -> None:
    """As polling does between two ticks of the schedule: at the first candidate's run the second's batch is there."""
    archive = worker.root.path / "sample" / "meanwhile.jsonl"
    tweets = [
        tweet(6001, "2031-09-20T03:00:00.000Z", "Brønnvik, en passant"),
        tweet(6002, "2031-09-20T04:00:00.000Z", "Brønnvik"),
    ]
    archive.write_text(page(tweets, "2031-10-04T00:00:00Z"), encoding="utf-8")
    publisher = Publisher(worker.root.path)

    def poll(candidate: str) -> None:
        if candidate == CANDIDATES[0]:
            publisher(CANDIDATES[1])

    nifi.published = poll
    run = worker.materialise("raw_tweets", candidates=CANDIDATES)
    again = worker.materialise("raw_tweets", candidates=CANDIDATES)

    assert publisher.published == [(CANDIDATES[1], 2)]
    counted = {
        candidate: (found["batches"], found["received"])
        for candidate, found in run.materialised["raw_tweets"].items()
        if candidate
    }
    assert counted == {CANDIDATES[0]: (0, 0), CANDIDATES[1]: (1, 2), CANDIDATES[2]: (0, 0)}
    assert {again.materialised["raw_tweets"][candidate]["received"] for candidate in CANDIDATES} == {0}


def test_one_fault_behind_nifi_costs_its_time_once_and_is_not_tried_again(worker: Worker, nifi: FakeNiFi) -> None:
    nifi.published = lambda candidate: nifi.stuck.append((f"{candidate}/one-batch", "check-count", "publish"))
    try:
        run = worker.materialise("raw_tweets", candidates=CANDIDATES, retries=True)
    finally:
        nifi.stuck.clear()
    reason = run.failures["raw_tweets"]
    assert f"Failed for every candidate ({', '.join(CANDIDATES)}). The first: NiFi was not done" in reason
    assert "in 1 s: 1 FlowFile waits in ormevaux/one-batch from check-count to publish" in reason
    said = "\n".join(worker.said())
    assert all(f"NiFi was not done with {candidate} in 0 s" in said for candidate in CANDIDATES[1:])
    assert [event for event, _ in run.events if event == "STEP_UP_FOR_RETRY"] == []


def test_a_candidate_for_whom_batches_come_is_late_and_not_in_trouble(worker: Worker, nifi: FakeNiFi) -> None:
    archive = worker.root.path / "sample" / "late.jsonl"
    new = page([tweet(6101, "2031-09-20T05:00:00.000Z", "Ormevaux, plus tard")], "2031-10-04T12:00:00Z")
    archive.write_text(new, encoding="utf-8")
    publisher = Publisher(worker.root.path)

    def publish_and_go_on(candidate: str) -> None:
        publisher(candidate)
        nifi.stuck = [("ormevaux/one-batch", "check-count", "publish")]

    nifi.published = publish_and_go_on
    try:
        run = worker.materialise("raw_tweets", candidates=CANDIDATES)
    finally:
        nifi.stuck.clear()
    assert not run.failed_checks()
    assert run.materialised["raw_tweets"]["ormevaux"]["received"] == 1
    assert "ormevaux: 1 batches came, and NiFi is not done" in "\n".join(worker.said())


def test_trouble_of_one_candidate_is_that_candidates(worker: Worker, nifi: FakeNiFi) -> None:
    def trouble(candidate: str) -> None:
        if candidate == CANDIDATES[1]:
            nifi.bulletins.append((f"{candidate}/one-batch", "ask", "ERROR", "The scraper gave no batch: 401"))

    nifi.published = trouble
    run = worker.materialise("raw_tweets", candidates=CANDIDATES)
    assert run.success
    check = run.checks["collected_for_every_candidate"]
    assert {name: value.value for name, value in check.metadata.items()} == {
        CANDIDATES[1]: run.materialised["raw_tweets"][CANDIDATES[1]]["error"]
    }
    assert (
        "NiFi brought nothing: bronnvik/one-batch/ask: The scraper gave no batch: 401"
        in (run.materialised["raw_tweets"][CANDIDATES[1]]["error"])
    )


def test_a_batch_that_nifi_took_and_did_not_bring_is_told(worker: Worker, nifi: FakeNiFi) -> None:
    archive = worker.root.path / "sample" / "more.jsonl"
    new = page([tweet(7001, "2031-09-20T03:00:00.000Z", "Ormevaux, toujours")], "2031-10-05T00:00:00Z")
    archive.write_text(new, encoding="utf-8")

    def lose(candidate: str) -> None:
        addresses = json.loads(worker.root.path.joinpath("services.json").read_text(encoding="utf-8"))["addresses"]
        ScraperResource(url=addresses["scraper"], services=EmbeddedServicesResource(data_root="/nowhere")).batch(
            candidate
        )

    nifi.published = lose
    lost = worker.materialise("raw_tweets", candidates=CANDIDATES)
    nifi.published = Publisher(worker.root.path)
    healed = worker.materialise("raw_tweets", candidates=CANDIDATES)

    assert lost.success
    assert "NiFi did not bring batch ormevaux-" in lost.materialised["raw_tweets"]["ormevaux"]["error"]
    assert (healed.materialised["raw_tweets"]["ormevaux"]["received"], healed.failed_checks()) == (1, set())


def test_nifi_that_is_down_and_a_value_that_is_none_fail_in_one_sentence(worker: Worker) -> None:
    # Taken, so that nobody else listens there meanwhile, and not listened on.
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        down = worker.materialise("raw_tweets", candidates=CANDIDATES, env={"NIFI_URL": address})
    wrong = worker.materialise("raw_tweets", candidates=CANDIDATES, env={"INGESTION": "kafka"})

    said = "\n".join(worker.said())
    assert not down.success
    assert f"NiFi at {address} does not answer (ConnectionError): start it, or correct NIFI_URL." in said
    assert not wrong.success
    assert "INGESTION=kafka is neither direct nor nifi; set one of the two." in wrong.failures["raw_tweets"], wrong
