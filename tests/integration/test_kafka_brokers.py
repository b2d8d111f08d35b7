"""The Kafka resource against Apache Kafka: every security it can be asked for, topics and their settings, lag."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import dagster as dg
import pytest
from kafka import KafkaAdminClient, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource

from election_assets.schemas import MAX_BATCH_BYTES, TWEET_V1_NAMES, encode_tweets
from resources import build_resources
from resources.kafka import DAY_MS, MESSAGE_BYTES, KafkaResource, TopicLag
from resources.kafka_security import KafkaSettingsError
from tests.integration.conftest import Environment
from tests.servers.certificates import Certificates
from tests.servers.kafka import MECHANISMS, KafkaServer

pytestmark = pytest.mark.integration

GROUP = "brokers.landing"
TEXT = 'L’été à Épinay\n« déjà »; "oui", dit-elle 🇫🇷'
Open = Callable[..., KafkaResource]


@pytest.fixture(scope="module")
def sasl_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaServer]:
    yield from started(KafkaServer(tmp_path_factory.mktemp("sasl"), "SASL_SSL"))


@pytest.fixture(scope="module")
def ssl_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaServer]:
    yield from started(KafkaServer(tmp_path_factory.mktemp("ssl"), "SSL", client_certificate=True))


def started(server: KafkaServer) -> Iterator[KafkaServer]:
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def opened(environment: Environment, tmp_path: Path) -> Iterator[Open]:
    """The platform's own resource from variables, its secrets read as Dagster reads them."""
    with contextlib.ExitStack() as stack:

        def of(settings: Mapping[str, str], **changed: str) -> KafkaResource:
            env = {"ELECTION_DATA": str(tmp_path), **settings, **changed}
            environment.use(env)
            kafka = build_resources(env)["kafka"]
            return stack.enter_context(kafka.process_config_and_initialize_cm())

        yield of


def tweets(*ids: int) -> list[dict[str, str]]:
    return [dict.fromkeys(TWEET_V1_NAMES, "") | {"id": str(one), "text": f"{TEXT} {one}"} for one in ids]


def comes_back(kafka: KafkaResource, topic: str) -> None:
    cluster = kafka.ensure_topics([topic])
    with kafka.producer() as publisher:
        publisher.publish(topic, "le-pen", "b-1", tweets(1, 2))
    assert kafka.lag(GROUP, [topic, "brokers.nobody"]) == {topic: TopicLag(0, 1, None)}
    with kafka.consumer(GROUP, cluster) as drain:
        (message,) = drain.messages(topic)
        drain.commit(message)
    assert message.value == encode_tweets(tweets(1, 2))
    assert message.headers == {"batch_id": "b-1", "candidate": "le-pen", "schema": "tweet.v1"}
    assert kafka.lag(GROUP, [topic]) == {topic: TopicLag(0, 1, 1)}
    assert kafka.problems([topic]) == {}


def test_plaintext(kafka_server: KafkaServer, opened: Open) -> None:
    comes_back(opened(kafka_server.settings), "brokers.plaintext")


def test_ssl_with_a_client_certificate(ssl_server: KafkaServer, opened: Open) -> None:
    comes_back(opened(ssl_server.settings), "brokers.ssl")


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_sasl(sasl_server: KafkaServer, opened: Open, mechanism: str) -> None:
    comes_back(opened(sasl_server.settings, KAFKA_SASL_MECHANISM=mechanism), f"brokers.{mechanism.lower()}")


def test_dagster_is_given_the_names_of_secrets_alone(sasl_server: KafkaServer, tmp_path: Path) -> None:
    env = {"ELECTION_DATA": str(tmp_path), **sasl_server.settings, "KAFKA_SSL_PASSWORD": "also-secret"}
    kafka = build_resources(env)["kafka"]
    assert kafka.sasl_password == dg.EnvVar("KAFKA_SASL_PASSWORD")
    assert kafka.ssl_password == dg.EnvVar("KAFKA_SSL_PASSWORD")
    assert sasl_server.password not in repr(kafka)


def refusals(kafka: KafkaResource) -> Iterator[str]:
    """What each way to Kafka says; a refusal comes at once, not after the time for a broker to come up."""
    for way in (
        lambda: kafka.ensure_topics(["brokers.refused"]),
        lambda: kafka.producer().__enter__(),
        lambda: kafka.consumer(GROUP, "cluster").__enter__(),
        lambda: kafka.lag(GROUP, ["brokers.refused"]),
    ):
        with pytest.raises(KafkaSettingsError) as caught:
            way()
        assert "\n" not in str(caught.value)
        assert caught.value.allow_retries is False
        yield str(caught.value)


@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize("changed", ["KAFKA_SASL_PASSWORD", "KAFKA_SASL_USERNAME"])
def test_a_wrong_user_or_password_is_told_at_once(
    sasl_server: KafkaServer, opened: Open, mechanism: str, changed: str
) -> None:
    kafka = opened(sasl_server.settings, **{"KAFKA_SASL_MECHANISM": mechanism, changed: "wrong"})
    for sentence in refusals(kafka):
        assert sentence.startswith(f"Kafka at {sasl_server.bootstrap_servers}")
        assert "it refuses the user: are KAFKA_SASL_USERNAME, KAFKA_SASL_PASSWORD" in sentence
        assert sasl_server.password not in sentence


def test_an_untrusted_certificate_is_told_at_once(
    sasl_server: KafkaServer, ssl_server: KafkaServer, opened: Open, tmp_path: Path
) -> None:
    other = Certificates(tmp_path / "other")
    for server in (sasl_server, ssl_server):
        for sentence in refusals(opened(server.settings, KAFKA_SSL_CAFILE=str(other.authority))):
            assert "its certificate is not trusted: name its authority in KAFKA_SSL_CAFILE" in sentence


def test_a_missing_or_foreign_client_certificate_is_told_at_once(
    ssl_server: KafkaServer, opened: Open, tmp_path: Path
) -> None:
    client = Certificates(tmp_path / "other").issue("client")
    for certificate, key in (("", ""), (str(client.certificate), str(client.key))):
        kafka = opened(ssl_server.settings, KAFKA_SSL_CERTFILE=certificate, KAFKA_SSL_KEYFILE=key)
        for sentence in refusals(kafka):
            assert "it refuses this client's certificate: name one that it trusts in KAFKA_SSL_CERTFILE" in sentence


def test_another_protocol_than_the_listeners_is_told_at_once(
    sasl_server: KafkaServer, ssl_server: KafkaServer, opened: Open
) -> None:
    for server in (sasl_server, ssl_server):
        for sentence in refusals(opened({"KAFKA_BOOTSTRAP_SERVERS": server.bootstrap_servers})):
            assert "its listener does not speak PLAINTEXT: set KAFKA_SECURITY_PROTOCOL" in sentence
    user = {"KAFKA_SASL_MECHANISM": "PLAIN", "KAFKA_SASL_USERNAME": "u", "KAFKA_SASL_PASSWORD": "p"}
    for sentence in refusals(opened(ssl_server.settings, KAFKA_SECURITY_PROTOCOL="SASL_SSL", **user)):
        assert "its listener asks for no user: set KAFKA_SECURITY_PROTOCOL=SSL" in sentence


@pytest.fixture
def admin(kafka_server: KafkaServer) -> Iterator[KafkaAdminClient]:
    with contextlib.closing(KafkaAdminClient(bootstrap_servers=kafka_server.bootstrap_servers)) as admin:
        yield admin


def settings_of(admin: KafkaAdminClient, topic: str) -> dict[str, str]:
    described = admin.describe_configs([ConfigResource("TOPIC", topic)], config_filter="all")["topic"][topic]
    return {name: setting["value"] for name, setting in described.items()}


@pytest.mark.parametrize(("days", "retention_ms"), [("", 7 * DAY_MS), ("30", 30 * DAY_MS), ("0", -1)])
def test_missing_topics_are_made_to_keep_what_has_not_landed(
    kafka_server: KafkaServer, opened: Open, admin: KafkaAdminClient, days: str, retention_ms: int
) -> None:
    topic = f"brokers.made-{days}"
    kafka = opened(kafka_server.settings, KAFKA_TOPIC_RETENTION_DAYS=days)
    kafka.ensure_topics([topic])
    found = settings_of(admin, topic)
    assert found["retention.ms"] == str(retention_ms)
    assert found["retention.bytes"] == "-1"
    assert found["segment.ms"] == str(DAY_MS)
    assert found["cleanup.policy"] == "delete"
    assert found["max.message.bytes"] == str(MESSAGE_BYTES)
    assert found["message.timestamp.type"] == "LogAppendTime"
    assert found["min.insync.replicas"] == "1", "left to the cluster"
    assert len(admin.describe_topics([topic])[0]["partitions"]) == 1


def test_the_largest_batch_fits(kafka_server: KafkaServer, opened: Open) -> None:
    topic = "brokers.largest"
    kafka = opened(kafka_server.settings)
    cluster = kafka.ensure_topics([topic])
    (one,) = tweets(1)
    one["text"] = "e" * (MAX_BATCH_BYTES - len(encode_tweets([one | {"text": ""}])))
    assert len(encode_tweets([one])) == MAX_BATCH_BYTES
    with kafka.producer() as publisher:
        publisher.publish(topic, "le-pen", "b-" + "1" * 100, [one])
    with kafka.consumer(GROUP, cluster) as drain:
        (message,) = drain.messages(topic)
    assert message.value == encode_tweets([one])


def test_topics_that_are_there_are_left_and_told_where_they_do_not_keep_messages_as_they_should(
    kafka_server: KafkaServer, opened: Open, admin: KafkaAdminClient, caplog: pytest.LogCaptureFixture
) -> None:
    topic, fit = "brokers.unfit", "brokers.fit"
    unfit = {"retention.ms": "60000", "max.message.bytes": "1000", "cleanup.policy": "compact", "retention.bytes": "9"}
    unfit |= {"segment.ms": str(7 * DAY_MS)}
    admin.create_topics({topic: {"num_partitions": 1, "configs": unfit}}, wait_for_metadata=True)
    kafka = opened(kafka_server.settings)
    with caplog.at_level(logging.WARNING):
        kafka.ensure_topics([topic, fit])
        kafka.ensure_topics([topic, fit])
    assert {name: settings_of(admin, topic)[name] for name in unfit} == unfit
    told = [record.getMessage() for record in caplog.records if "does not keep messages" in record.getMessage()]
    assert len(told) == 2
    assert told[0] == told[1] == kafka.problems([topic, fit, "brokers.nobody"])[topic]
    assert all(f"{name}={value}" in told[0] for name, value in unfit.items())
    assert kafka.problems([fit]) == {}


def test_what_kafka_removed_before_it_landed_is_seen(
    kafka_server: KafkaServer, opened: Open, admin: KafkaAdminClient
) -> None:
    topic = "brokers.removed"
    kafka = opened(kafka_server.settings)
    cluster = kafka.ensure_topics([topic])
    with kafka.producer() as publisher:
        for number in range(5):
            publisher.publish(topic, "le-pen", f"b-{number}", tweets(number))
    with kafka.consumer(GROUP, cluster) as drain:
        drain.commit(next(drain.messages(topic)))
    admin.delete_records({TopicPartition(topic, 0): 3})
    lag = kafka.lag(GROUP, [topic])[topic]
    assert (lag, lag.lag, lag.lost) == (TopicLag(3, 5, 1), 2, 2)


def test_transactions_land_whole_and_leave_no_lag(kafka_server: KafkaServer, opened: Open) -> None:
    topic = "brokers.transactions"
    kafka = opened(kafka_server.settings)
    cluster = kafka.ensure_topics([topic])
    producer = KafkaProducer(bootstrap_servers=kafka_server.bootstrap_servers, transactional_id="brokers-nifi")
    with contextlib.closing(producer):
        producer.init_transactions()

        def send(*batches: str) -> None:
            producer.begin_transaction()
            for batch_id in batches:
                headers = [("batch_id", batch_id.encode()), ("candidate", b"le-pen"), ("schema", b"tweet.v1")]
                producer.send(topic, value=encode_tweets(tweets(1)), headers=headers)

        def landed() -> list[tuple[str, int]]:
            found = []
            with kafka.consumer(GROUP, cluster) as drain:
                for message in drain.messages(topic):
                    found.append((message.headers["batch_id"], message.offset))
                    drain.commit(message)
            return found

        send("a", "b")
        producer.commit_transaction()
        send("never")
        producer.flush()
        producer.abort_transaction()
        send("c")
        producer.commit_transaction()
        # Offset 2 is the marker of the first transaction, 3 and 4 those of the one that was given up.
        assert landed() == [("a", 0), ("b", 1), ("c", 5)]
        assert kafka.lag(GROUP, [topic])[topic] == TopicLag(0, 7, 7)
        send("open")
        producer.flush()
        assert landed() == [], "a transaction that is not over is not read"
        assert kafka.lag(GROUP, [topic])[topic].lag == 0
        producer.abort_transaction()
        assert landed() == []
        assert kafka.lag(GROUP, [topic])[topic] == TopicLag(0, 9, 9)
        send("d")
        producer.commit_transaction()
        with kafka.consumer(GROUP, cluster) as drain:
            assert [message.offset for message in drain.messages(topic)] == [9]
        assert kafka.lag(GROUP, [topic])[topic].committed == 9, "what was not committed is not skipped"
        assert landed() == [("d", 9)]
