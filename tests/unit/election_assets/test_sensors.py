"""The sensor of Kafka's lag, against the embedded broker over its real socket."""

import json
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from election_assets.defs import sensors
from election_assets.defs.jobs import WHOLE_RANGE
from election_assets.partitions import ELECTION
from resources import kafka as kafka_module
from resources.embedded_broker import EmbeddedBroker
from resources.embedded_services import EmbeddedServicesResource
from resources.kafka import KafkaResource

GROUP = f"{ELECTION.topic_prefix}.landing"
FIRST, SECOND = ELECTION.candidate_keys[:2]


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANDING_LAG", "2")


@pytest.fixture
def kafka(tmp_path: Path) -> Iterator[KafkaResource]:
    with EmbeddedBroker(tmp_path / "broker.sqlite") as broker:
        kafka = KafkaResource(bootstrap_servers=broker.address, services=EmbeddedServicesResource(data_root="/nowhere"))
        kafka.ensure_topics([ELECTION.topic(FIRST), ELECTION.topic(SECOND)])
        yield kafka


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def publish(kafka: KafkaResource, candidate: str, *batches: str) -> None:
    with kafka.producer() as publisher:
        for batch_id in batches:
            publisher.publish(ELECTION.topic(candidate), candidate, batch_id, [])


def land(kafka: KafkaResource, candidate: str) -> None:
    with kafka.consumer(GROUP, "cluster") as drain:
        for message in drain.messages(ELECTION.topic(candidate)):
            drain.commit(message)


def tick(kafka: KafkaResource, instance: dg.DagsterInstance, cursor: str | None = None) -> dg.SensorResult:
    result = evaluate(kafka, instance, cursor)
    assert isinstance(result, dg.SensorResult)
    return result


def skipped(kafka: KafkaResource, instance: dg.DagsterInstance) -> str:
    result = evaluate(kafka, instance)
    assert isinstance(result, dg.SkipReason)
    assert result.skip_message
    assert "\n" not in result.skip_message
    return result.skip_message


def evaluate(
    kafka: KafkaResource, instance: dg.DagsterInstance, cursor: str | None = None
) -> dg.SensorResult | dg.SkipReason:
    with dg.build_sensor_context(instance=instance, cursor=cursor, resources={"kafka": kafka}) as context:
        return sensors.kafka_lag(context)


def seen(result: dg.SensorResult) -> dict[str, tuple[int, int]]:
    return {
        event.partition: (event.metadata["lag"].value, event.metadata["end_offset"].value)
        for event in result.asset_events
    }


def test_what_moved_is_observed_by_candidate(
    kafka: KafkaResource, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sensors, "OBSERVED_EVERY_SECONDS", 0)
    publish(kafka, FIRST, "a", "b")
    first = tick(kafka, instance)
    assert {event.asset_key for event in first.asset_events} == {dg.AssetKey("kafka_topics")}
    assert seen(first) == {FIRST: (2, 2), SECOND: (0, 0)}
    assert first.run_requests == []
    assert "2 batches wait in 2 of 13 topics" in first.skip_reason.skip_message
    assert seen(tick(kafka, instance, first.cursor)) == {}
    publish(kafka, SECOND, "c")
    second = tick(kafka, instance, first.cursor)
    assert seen(second) == {SECOND: (1, 1)}
    land(kafka, FIRST)
    third = tick(kafka, instance, second.cursor)
    assert seen(third) == {FIRST: (0, 2)}
    held = json.loads(third.cursor)[ELECTION.topic(FIRST)]
    assert {name: held[name] for name in ("start", "end", "committed")} == {"start": 0, "end": 2, "committed": 2}


def test_a_topic_that_moves_all_the_time_is_observed_once_in_a_while_and_at_the_threshold(
    kafka: KafkaResource, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(kafka, FIRST, "a")
    result = tick(kafka, instance)
    assert seen(result) == {FIRST: (1, 1), SECOND: (0, 0)}
    publish(kafka, FIRST, "b")
    result = tick(kafka, instance, result.cursor)
    assert (seen(result), "2 batches wait" in result.skip_reason.skip_message) == ({}, True)
    publish(kafka, FIRST, "c")
    result = tick(kafka, instance, result.cursor)
    assert (seen(result), len(result.run_requests)) == ({FIRST: (3, 3)}, 1)
    publish(kafka, FIRST, "d")
    result = tick(kafka, instance, result.cursor)
    assert (seen(result), len(result.run_requests)) == ({}, 1)
    land(kafka, FIRST)
    result = tick(kafka, instance, result.cursor)
    assert seen(result) == {FIRST: (0, 4)}
    publish(kafka, FIRST, "e")
    result = tick(kafka, instance, result.cursor)
    assert seen(result) == {}
    monkeypatch.setattr(sensors, "OBSERVED_EVERY_SECONDS", 0)
    assert seen(tick(kafka, instance, result.cursor)) == {FIRST: (1, 5)}


def test_a_cursor_of_an_earlier_release_is_read(kafka: KafkaResource, instance: dg.DagsterInstance) -> None:
    publish(kafka, FIRST, "a")
    former = {ELECTION.topic(key): {"start": 0, "end": 0, "committed": None} for key in (FIRST, SECOND)}
    assert seen(tick(kafka, instance, json.dumps(former)))[FIRST] == (1, 1)


def test_past_the_threshold_one_run_over_all_candidates_is_asked_for(
    kafka: KafkaResource, instance: dg.DagsterInstance
) -> None:
    publish(kafka, FIRST, "a", "b", "c")
    result = tick(kafka, instance)
    (request,) = result.run_requests
    assert request.tags == {**WHOLE_RANGE, "election/behind": ELECTION.topic(FIRST)}
    assert result.skip_reason is None
    # Dagster launches one run a key.
    (again,) = tick(kafka, instance, result.cursor).run_requests
    assert again.run_key == request.run_key
    publish(kafka, FIRST, "d")
    (other,) = tick(kafka, instance, result.cursor).run_requests
    assert other.run_key != request.run_key
    land(kafka, FIRST)
    assert tick(kafka, instance, result.cursor).run_requests == []


def test_a_run_that_lands_already_is_left_to_it(kafka: KafkaResource, instance: dg.DagsterInstance) -> None:
    publish(kafka, FIRST, "a", "b", "c")
    run = instance.create_run_for_job(dg.job(name="tweets")(lambda: None), status=dg.DagsterRunStatus.STARTED)
    result = tick(kafka, instance)
    assert result.run_requests == []
    assert run.run_id in result.skip_reason.skip_message
    assert seen(result)[FIRST] == (3, 3)
    instance.delete_run(run.run_id)
    for name, status in (("analysis", dg.DagsterRunStatus.STARTED), ("tweets", dg.DagsterRunStatus.FAILURE)):
        instance.create_run_for_job(dg.job(name=name)(lambda: None), status=status)
    assert len(tick(kafka, instance).run_requests) == 1


def test_zero_asks_for_no_run(
    kafka: KafkaResource, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANDING_LAG", "0")
    publish(kafka, FIRST, "a", "b", "c")
    result = tick(kafka, instance)
    assert result.run_requests == []
    assert "LANDING_LAG=0" in result.skip_reason.skip_message


def test_no_kafka_is_a_skip_with_one_sentence(instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka_module, "LOOK_MS", 300)
    down = KafkaResource(bootstrap_servers="127.0.0.1:1", services=EmbeddedServicesResource(data_root="/nowhere"))
    assert skipped(down, instance).startswith("Kafka at 127.0.0.1:1")


def test_settings_that_make_no_sense_are_a_skip_with_one_sentence(
    kafka: KafkaResource, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANDING_LAG", "many")
    assert "LANDING_LAG=many" in skipped(kafka, instance)
    monkeypatch.setenv("LANDING_LAG", "")
    contradicting = KafkaResource(ssl_cafile="/ca.pem", services=EmbeddedServicesResource(data_root="/nowhere"))
    assert "KAFKA_SSL_CAFILE" in skipped(contradicting, instance)


def test_the_embedded_services_are_not_started(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    kafka = KafkaResource(services=EmbeddedServicesResource(data_root=str(tmp_path)))
    assert "embedded broker does not run" in skipped(kafka, instance)
    assert list(tmp_path.iterdir()) == []
