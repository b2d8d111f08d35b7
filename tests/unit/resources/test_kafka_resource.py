"""The Kafka resource, against the embedded broker over its real socket."""

import contextlib
import logging
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka import KafkaAdminClient, KafkaProducer, TopicPartition

from election_assets.schemas import TWEET_V1_NAMES, encode_tweets
from resources import kafka as module
from resources.embedded_broker import EmbeddedBroker
from resources.embedded_services import EmbeddedServicesResource
from resources.kafka import KafkaResource, KafkaUnavailableError

LE_PEN, JADOT = "essai.tweets.le-pen", "essai.tweets.jadot"
GROUP = "essai.landing"
ROOT = Path(__file__).parents[3]
TEXT = 'L’été à Épinay\n« déjà »; "oui", dit-elle 🇫🇷'


@pytest.fixture(autouse=True)
def _unreleased_log_level() -> Iterator[None]:
    logger = logging.getLogger("kafka")
    level = logger.level
    logger.setLevel(logging.NOTSET)
    yield
    logger.setLevel(level)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker(tmp_path / "broker.sqlite") as broker:
        yield broker


@pytest.fixture
def kafka(broker: EmbeddedBroker) -> KafkaResource:
    kafka = resource(broker.address)
    kafka.ensure_topics([LE_PEN, JADOT])
    return kafka


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CONNECT_MS", 500)
    monkeypatch.setattr(module, "REQUEST_MS", 700)
    monkeypatch.setattr(module, "DELIVERY_MS", 1_000)
    monkeypatch.setattr(module, "POLL_MS", 50)
    monkeypatch.setattr(module, "SILENT_SECONDS", 0.5)


def resource(address: str) -> KafkaResource:
    return KafkaResource(bootstrap_servers=address, services=EmbeddedServicesResource(data_root="/nowhere"))


def tweets(*ids: int) -> list[dict[str, str]]:
    return [dict.fromkeys(TWEET_V1_NAMES, "") | {"id": str(one), "text": f"{TEXT} {one}"} for one in ids]


def publish(kafka: KafkaResource, topic: str, *batches: str) -> None:
    with kafka.producer() as publisher:
        for batch_id in batches:
            publisher.publish(topic, topic.rpartition(".")[2], batch_id, tweets(len(batch_id)))


def batch_ids(kafka: KafkaResource, topic: str, commit: bool = True) -> list[str]:
    found = []
    with kafka.consumer(GROUP, "cluster") as drain:
        for message in drain.messages(topic):
            found.append(message.headers["batch_id"])
            if commit:
                drain.commit(message)
    return found


def test_topics_are_made_once_with_one_partition(broker: EmbeddedBroker) -> None:
    kafka = resource(broker.address)
    assert kafka.ensure_topics([LE_PEN]) == broker.cluster_id
    assert kafka.ensure_topics(iter([JADOT, LE_PEN, JADOT])) == broker.cluster_id
    admin = KafkaAdminClient(bootstrap_servers=broker.address)
    try:
        assert sorted(admin.list_topics()) == [JADOT, LE_PEN]
        described = admin.describe_topics([LE_PEN, JADOT])
        assert [len(topic["partitions"]) for topic in described] == [1, 1]
    finally:
        admin.close()


def test_a_batch_comes_back_as_it_was_published(kafka: KafkaResource, broker: EmbeddedBroker) -> None:
    batch = tweets(1, 2, 3)
    with kafka.producer() as publisher:
        publisher.publish(LE_PEN, "le-pen", "le-pen-é", batch)
    with kafka.consumer(GROUP, broker.cluster_id) as drain:
        (message,) = drain.messages(LE_PEN)
    assert message.headers == {"batch_id": "le-pen-é", "candidate": "le-pen", "schema": "tweet.v1"}
    assert message.value == encode_tweets(batch)
    assert TEXT.encode() in message.value.replace(b'""', b'"')
    assert message.origin == f"{broker.cluster_id}~{LE_PEN}~0~{0:020d}"


def test_a_message_of_another_program_without_headers_or_value_is_read(
    kafka: KafkaResource, broker: EmbeddedBroker
) -> None:
    producer = KafkaProducer(bootstrap_servers=broker.address)
    producer.send(LE_PEN, key=b"k", value=None, headers=[("schema", b"\xff")]).get(timeout=60)
    producer.close()
    with kafka.consumer(GROUP, "cluster") as drain:
        (message,) = drain.messages(LE_PEN)
    assert (message.headers, message.value) == ({"schema": "\N{REPLACEMENT CHARACTER}"}, b"")


def test_reading_stops_at_the_end_as_it_was_at_the_call(kafka: KafkaResource) -> None:
    publish(kafka, LE_PEN, "a", "b")
    with kafka.consumer(GROUP, "cluster") as drain:
        messages = drain.messages(LE_PEN)
        publish(kafka, LE_PEN, "later")
        assert [message.headers["batch_id"] for message in messages] == ["a", "b"]
        assert [message.headers["batch_id"] for message in drain.messages(LE_PEN)] == ["a", "b", "later"]


def test_what_was_not_committed_comes_again(kafka: KafkaResource) -> None:
    publish(kafka, LE_PEN, "a", "b", "c", "d")
    with kafka.consumer(GROUP, "cluster") as drain:
        messages = drain.messages(LE_PEN)
        drain.commit(next(messages))
        assert next(messages).headers["batch_id"] == "b"
        # Of the same reader, too, whose program gave up in the middle and tries again.
        again = drain.messages(LE_PEN)
        assert next(again).headers["batch_id"] == "b"
    assert batch_ids(kafka, LE_PEN, commit=False) == ["b", "c", "d"]
    assert batch_ids(kafka, LE_PEN) == ["b", "c", "d"]
    assert batch_ids(kafka, LE_PEN) == []


def test_one_reader_takes_several_topics_and_a_batch_that_comes_twice(kafka: KafkaResource) -> None:
    publish(kafka, LE_PEN, "a", "a", "b")
    publish(kafka, JADOT, "j")
    with kafka.consumer(GROUP, "cluster") as drain:
        found = {}
        for topic in (LE_PEN, JADOT, LE_PEN):
            for message in drain.messages(topic):
                found[message.topic, message.offset] = message.headers["batch_id"]
                drain.commit(message)
    assert found == {(LE_PEN, 0): "a", (LE_PEN, 1): "a", (LE_PEN, 2): "b", (JADOT, 0): "j"}


@pytest.mark.usefixtures("_impatient")
def test_an_unknown_topic_is_told_and_not_made(kafka: KafkaResource, broker: EmbeddedBroker) -> None:
    with kafka.consumer(GROUP, "cluster") as drain:
        with pytest.raises(KafkaUnavailableError) as caught:
            drain.messages("essai.tweets.personne")
        assert str(caught.value) == f"Kafka at {broker.address} has no topic essai.tweets.personne."
    with kafka.producer() as publisher:
        with pytest.raises(KafkaUnavailableError, match=r"essai\.tweets\.personne"):
            publisher.publish("essai.tweets.personne", "personne", "a", tweets(1))
        publisher.publish(LE_PEN, "le-pen", "a", tweets(1))
    admin = KafkaAdminClient(bootstrap_servers=broker.address)
    try:
        assert sorted(admin.list_topics()) == [JADOT, LE_PEN]
    finally:
        admin.close()


@pytest.mark.usefixtures("_impatient")
def test_a_message_over_kafkas_limit_is_refused(kafka: KafkaResource) -> None:
    with kafka.producer() as publisher, pytest.raises(KafkaUnavailableError, match=r"1\d{6} bytes"):
        publisher.publish(LE_PEN, "le-pen", "a", [{"text": "é" * 600_000}])


@pytest.mark.usefixtures("_impatient")
def test_no_broker_is_told_in_one_sentence_and_without_a_log_flood(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with EmbeddedBroker(tmp_path / "broker.sqlite") as broker:
        kafka = resource(broker.address)
        kafka.ensure_topics([LE_PEN, JADOT])
        publish(kafka, LE_PEN, "a", "b")
        opened = contextlib.ExitStack()
        drain = opened.enter_context(kafka.consumer(GROUP, "cluster"))
        publisher = opened.enter_context(kafka.producer())
        message, _ = drain.messages(LE_PEN)
    with opened:
        for attempt in (
            lambda: kafka.ensure_topics([LE_PEN]),
            lambda: kafka.producer().__enter__(),
            lambda: kafka.consumer(GROUP, "cluster").__enter__(),
            lambda: list(drain.messages(LE_PEN)),
            lambda: list(drain.messages(JADOT)),
            lambda: drain.commit(message),
            lambda: publisher.publish(LE_PEN, "le-pen", "c", tweets(3)),
        ):
            with pytest.raises(KafkaUnavailableError) as caught:
                attempt()
            sentence = str(caught.value)
            assert sentence.startswith(f"Kafka at {kafka.bootstrap_servers}")
            assert sentence.endswith("; is it up, and is the address right?")
            assert "\n" not in sentence
    assert capfd.readouterr().err == ""


@pytest.mark.usefixtures("_impatient")
def test_a_broker_that_hangs_is_given_up(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "resources.embedded_broker", str(tmp_path / "broker.sqlite")],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
        text=True,
    )
    try:
        assert process.stdout
        kafka = resource(process.stdout.readline().strip())
        kafka.ensure_topics([LE_PEN, JADOT])
        publish(kafka, LE_PEN, "a")
        with kafka.consumer(GROUP, "cluster") as drain, kafka.producer() as publisher:
            (message,) = drain.messages(LE_PEN)
            half = drain.messages(LE_PEN)
            # Else what came in the background before the broker hung is given.
            drain._consumer.pause(TopicPartition(LE_PEN, 0))
            process.send_signal(signal.SIGSTOP)
            for attempt in (
                lambda: list(half),
                lambda: drain.messages(JADOT),
                lambda: drain.commit(message),
                lambda: publisher.publish(LE_PEN, "le-pen", "b", tweets(1)),
            ):
                with pytest.raises(KafkaUnavailableError):
                    attempt()
            process.send_signal(signal.SIGCONT)
        # Another group: the broker may have taken the commit that was given up.
        with kafka.consumer("another", "cluster") as drain:
            assert next(drain.messages(LE_PEN)).headers["batch_id"] == "a"
    finally:
        process.kill()
        process.communicate()


def test_a_broker_that_comes_back_loses_nothing_of_what_was_published(tmp_path: Path) -> None:
    broker = EmbeddedBroker(tmp_path / "broker.sqlite")
    broker.start()
    kafka, port = resource(broker.address), int(broker.address.rpartition(":")[2])
    kafka.ensure_topics([LE_PEN])
    with kafka.producer() as publisher, kafka.consumer(GROUP, "cluster") as drain:
        publisher.publish(LE_PEN, "le-pen", "a", tweets(1))
        (first,) = drain.messages(LE_PEN)
        broker.stop()
        broker = EmbeddedBroker(tmp_path / "broker.sqlite", port)
        broker.start()
        try:
            publisher.publish(LE_PEN, "le-pen", "b", tweets(2))
            drain.commit(first)
            assert [message.headers["batch_id"] for message in drain.messages(LE_PEN)] == ["b"]
        finally:
            broker.stop()


def test_a_level_that_somebody_set_for_kafkas_log_stays(broker: EmbeddedBroker) -> None:
    logging.getLogger("kafka").setLevel(logging.INFO)
    resource(broker.address).ensure_topics([LE_PEN])
    assert logging.getLogger("kafka").level == logging.INFO


def test_the_report_says_which_broker_it_is(broker: EmbeddedBroker) -> None:
    assert resource(broker.address).engine == f"Kafka ({broker.address})"
    assert resource("").engine == "embedded broker"
