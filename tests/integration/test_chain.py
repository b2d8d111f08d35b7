"""The whole chain on real servers: scraper, NiFi, Kafka, landing, report, for the thirteen candidates of 2022."""

from __future__ import annotations

import json
import shutil
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from tests.assets.roots import PROJECT, Command, Root
from tests.integration.chain import Chain
from tests.servers.kafka import KafkaServer
from tests.servers.nifi import NiFiServer

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

ELECTION_FILE = PROJECT / "election_assets" / "elections" / "fr_2022.toml"
API_KEY = "a-key-of-tests"
TWEETS = 1300
# Where and when a row came in differs from run to run.
OF_THE_RUN = ("first_origin", "retrieved_at")


@pytest.fixture(scope="module")
def chain(
    kafka_server: KafkaServer, nifi_server: NiFiServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Chain]:
    env = {"SAMPLE_TWEETS": str(TWEETS), "SCRAPER_API_KEY": API_KEY, "PSEUDONYM_KEY": "a-key-of-two-roots"}
    with Chain(
        tmp_path_factory.mktemp("chain"), ELECTION_FILE, "fr_2022_chain", kafka_server, nifi_server, env
    ) as chain:
        yield chain


@pytest.fixture(scope="module")
def said(chain: Chain) -> Command:
    """What the main job said; nobody else made NiFi ask."""
    return chain.root.run()


@pytest.fixture(scope="module")
def direct(chain: Chain, said: Command, tmp_path_factory: pytest.TempPathFactory) -> Root:
    """A root on which the main job ran with the same sample, published by itself to the embedded broker."""
    names = ("ELECTION", "SAMPLE_TWEETS", "PSEUDONYM_KEY")
    root = Root(tmp_path_factory.mktemp("direct") / "data", {name: chain.root.env[name] for name in names})
    shutil.copytree(chain.root.path / "sample", root.path / "sample")
    done = root.run()
    assert done.code == 0, done.out + done.err
    return root


def rows(root: Root, key: str) -> dict[str, dict[str, Any]]:
    return {
        tweet_id: {name: value for name, value in row.items() if name not in OF_THE_RUN}
        for tweet_id, row in root.tweets(key).items()
    }


def test_the_main_job_succeeds_and_every_check_passes(chain: Chain, said: Command) -> None:
    assert said.code == 0, said.out + said.err
    (run,) = chain.root.runs()
    assert run.success
    assert run.failed_checks() == set()
    assert set(run.materialised["cleaned_tweets"]) == set(chain.election.candidate_keys)


def test_every_record_is_accounted_for_and_came_once(chain: Chain, said: Command) -> None:
    record = chain.root.record()
    assert list(record["candidates"]) == chain.election.candidate_keys
    for key, found in record["candidates"].items():
        counts = found["root"]
        assert counts["received"] == counts["kept"] + counts["repeats"] + counts["quarantined"] > 0, (key, counts)
        assert (counts["repeated_deliveries"], counts["waiting"], found["error"]) == (0, 0, None), key
        assert counts["kept"] == len(chain.root.tweets(key))
    assert record["total"]["root"]["received"] == sum(
        found["root"]["received"] for found in record["candidates"].values()
    )
    report = chain.root.report()
    assert [candidate.name for candidate in chain.election.candidates if candidate.name not in report] == []


def test_kafka_brought_it_and_the_metadata_name_nifi_s_groups(
    chain: Chain, said: Command, kafka_server: KafkaServer, nifi_server: NiFiServer
) -> None:
    (run,) = chain.root.runs()
    for key in chain.election.candidate_keys:
        raw = run.materialised["raw_tweets"][key]
        assert raw["nifi"].startswith(f"{nifi_server.url}/nifi/#/process-groups/"), key
        assert raw["received"] == chain.root.record()["candidates"][key]["root"]["received"]
        topic = chain.election.topic(key)
        origins = [row["origin"] for row in chain.root.rows("ingested", key)]
        assert origins
        assert all(f"~{topic}~" in origin for origin in origins), origins
    groups = {run.materialised["raw_tweets"][key]["nifi"] for key in chain.election.candidate_keys}
    assert len(groups) == 13
    assert kafka_server.bootstrap_servers in chain.root.record()["engines"]["broker"]


def test_nothing_is_left_in_between(chain: Chain, said: Command) -> None:
    request = urllib.request.Request(f"{chain.scraper.url}/status", headers={"X-Api-Key": API_KEY})
    with urllib.request.urlopen(request, timeout=30) as answer:
        status = json.load(answer)
    assert {key: found["current"] for key, found in status["candidates"].items()} == dict.fromkeys(
        chain.election.candidate_keys
    )
    lines = chain.nifi("status").splitlines()
    waiting = [line for line in lines if "FlowFiles wait" in line]
    assert len(waiting) == 14
    assert all(line.endswith("; 0 FlowFiles wait") for line in waiting), waiting
    assert [file for file in chain.dead_letters.rglob("*") if file.is_file()] == []


def test_the_tables_equal_those_of_a_direct_run(chain: Chain, said: Command, direct: Root) -> None:
    for key in chain.election.candidate_keys:
        assert rows(chain.root, key) == rows(direct, key), key
    for name in ("received", "kept", "repeats", "quarantined"):
        assert chain.root.record()["total"]["root"][name] == direct.record()["total"]["root"][name], name


def test_a_second_run_adds_nothing(chain: Chain, direct: Root) -> None:
    before = chain.root.record()["total"]["root"]
    with chain.root.worker() as worker:
        run = worker.materialise(candidates=chain.election.candidate_keys)
    assert run.success, run.failures
    assert chain.root.record()["total"]["root"] == before
    assert not any(chain.root.record()["total"]["run"].values())
