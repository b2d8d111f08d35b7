"""Settings of Kafka's security: what contradicts itself is refused in one sentence, before anything is connected."""

import ssl
from pathlib import Path

import pytest

from resources.embedded_services import EmbeddedServicesResource
from resources.kafka import DAY_MS, KafkaResource, TopicLag, _topic_problems
from resources.kafka_security import KafkaSettingsError, Security
from tests.servers.certificates import Certificates

USER = {"sasl_mechanism": "SCRAM-SHA-512", "sasl_username": "u", "sasl_password": "p"}


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"protocol": "TLS"}, ["KAFKA_SECURITY_PROTOCOL=TLS", "PLAINTEXT, SSL, SASL_SSL"]),
        ({"protocol": "SASL_PLAINTEXT", **USER}, ["SASL_PLAINTEXT", "SASL_SSL"]),
        ({"protocol": "SASL_SSL"}, ["KAFKA_SASL_MECHANISM"]),
        ({"protocol": "SASL_SSL", **USER, "sasl_mechanism": "GSSAPI"}, ["KAFKA_SASL_MECHANISM=GSSAPI"]),
        ({"protocol": "SASL_SSL", **USER, "sasl_username": ""}, ["KAFKA_SASL_USERNAME"]),
        ({"protocol": "SASL_SSL", **USER, "sasl_password": ""}, ["KAFKA_SASL_PASSWORD"]),
        ({"protocol": "SSL", "sasl_username": "u"}, ["KAFKA_SASL_USERNAME", "SASL_SSL"]),
        ({"sasl_password": "p"}, ["KAFKA_SASL_PASSWORD", "PLAINTEXT"]),
        ({"ssl_cafile": "/ca.pem"}, ["KAFKA_SSL_CAFILE", "PLAINTEXT"]),
        ({"protocol": "SSL", "ssl_cafile": "/nowhere/ca.pem"}, ["KAFKA_SSL_CAFILE=/nowhere/ca.pem", "no such file"]),
        ({"protocol": "SSL", "ssl_keyfile": "/client.key"}, ["KAFKA_SSL_KEYFILE", "KAFKA_SSL_CERTFILE"]),
        ({"protocol": "SSL", "ssl_certfile": "/nowhere/c.pem"}, ["KAFKA_SSL_CERTFILE=/nowhere/c.pem", "no such file"]),
    ],
)
def test_contradictions_are_refused_in_one_sentence(settings: dict[str, str], named: list[str]) -> None:
    with pytest.raises(KafkaSettingsError) as caught:
        Security(**settings).client_options("kafka:9092")
    sentence = str(caught.value)
    assert all(name in sentence for name in named)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert caught.value.allow_retries is False


@pytest.mark.parametrize("settings", [{"protocol": "SSL"}, {"ssl_cafile": "/ca.pem"}, {"sasl_username": "u"}])
def test_security_without_brokers_is_refused(settings: dict[str, str]) -> None:
    with pytest.raises(KafkaSettingsError, match="KAFKA_BOOTSTRAP_SERVERS is not"):
        Security(**settings).client_options("")


def test_no_password_is_told() -> None:
    secret = "geheim-und-lang"
    for settings in (
        {"sasl_password": secret},
        {"protocol": "SASL_SSL", "sasl_password": secret},
        {"protocol": "SSL", "ssl_password": secret},
    ):
        with pytest.raises(KafkaSettingsError) as caught:
            Security(**settings).client_options("kafka:9092")
        assert secret not in str(caught.value)
    assert secret not in repr(Security(sasl_password=secret, ssl_password=secret))


def test_nothing_set_is_plaintext() -> None:
    assert Security().client_options("") == {"security_protocol": "PLAINTEXT"}
    assert Security().client_options("kafka:9092") == {"security_protocol": "PLAINTEXT"}


def test_names_are_taken_in_any_case() -> None:
    options = Security("sasl_ssl", **{**USER, "sasl_mechanism": "scram-sha-256"}).client_options("kafka:9092")
    assert (options["security_protocol"], options["sasl_mechanism"]) == ("SASL_SSL", "SCRAM-SHA-256")


def test_the_brokers_certificate_is_always_checked(certificates: Certificates) -> None:
    for cafile, authorities in ((str(certificates.authority), 1), ("", None)):
        context = Security("SSL", cafile).client_options("kafka:9092")["ssl_context"]
        assert context.verify_mode == ssl.CERT_REQUIRED
        assert context.check_hostname
        assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
        assert authorities is None or len(context.get_ca_certs()) == authorities


def test_a_client_certificate_and_the_password_of_its_key(certificates: Certificates, tmp_path: Path) -> None:
    client, other = certificates.issue("client", key_password="p"), certificates.issue("other")
    files = {"ssl_certfile": str(client.certificate), "ssl_keyfile": str(client.key)}
    assert Security("SSL", **files, ssl_password="p").client_options("kafka:9092")["ssl_context"]
    for wrong in (
        {**files, "ssl_password": "q"},
        # Without a password OpenSSL would ask the terminal.
        files,
        {**files, "ssl_keyfile": str(other.key)},
    ):
        with pytest.raises(KafkaSettingsError, match=r"KAFKA_SSL_CERTFILE=.* cannot be used"):
            Security("SSL", **wrong).client_options("kafka:9092")
    damaged = tmp_path / "ca.pem"
    damaged.write_text("no certificate")
    with pytest.raises(KafkaSettingsError, match="cannot be read as PEM"):
        Security("SSL", str(damaged)).client_options("kafka:9092")


@pytest.mark.parametrize(("days", "ms"), [("", 7 * DAY_MS), ("30", 30 * DAY_MS), ("0", -1)])
def test_retention_of_topics_in_days(days: str, ms: int) -> None:
    assert retaining(days)._retention_ms() == ms


@pytest.mark.parametrize("days", ["-1", "1.5", "a week", "٣"])
def test_a_retention_that_is_no_number_is_refused(days: str) -> None:
    with pytest.raises(KafkaSettingsError, match="whole number of days"):
        retaining(days)._retention_ms()


def retaining(days: str) -> KafkaResource:
    return KafkaResource(topic_retention_days=days, services=EmbeddedServicesResource(data_root="/nowhere"))


FIT = {
    "cleanup.policy": "delete",
    "retention.ms": str(7 * DAY_MS),
    "retention.bytes": "-1",
    "segment.ms": str(DAY_MS),
    "max.message.bytes": "1048588",
}


@pytest.mark.parametrize(
    ("changed", "wanted", "told"),
    [
        ({}, 7 * DAY_MS, []),
        ({"retention.ms": "-1"}, -1, []),
        ({"retention.ms": str(DAY_MS)}, 7 * DAY_MS, ["retention.ms"]),
        ({}, -1, ["retention.ms"]),
        ({"cleanup.policy": "compact"}, 7 * DAY_MS, ["cleanup.policy"]),
        ({"cleanup.policy": "compact,delete"}, 7 * DAY_MS, ["cleanup.policy"]),
        ({"retention.bytes": "1000000"}, 7 * DAY_MS, ["retention.bytes"]),
        ({"segment.ms": str(DAY_MS + 1)}, 7 * DAY_MS, ["segment.ms"]),
        ({"segment.ms": str(7 * DAY_MS), "retention.ms": "-1"}, -1, []),
        ({"max.message.bytes": "900000"}, 7 * DAY_MS, ["max.message.bytes"]),
        ({"max.message.bytes": "1000", "retention.bytes": "5"}, 7 * DAY_MS, ["retention.bytes", "max.message.bytes"]),
    ],
)
def test_settings_that_keep_messages_too_short_or_long(changed: dict[str, str], wanted: int, told: list[str]) -> None:
    problems = _topic_problems(FIT | changed, wanted)
    assert [problem.partition("=")[0] for problem in problems] == told


def test_settings_that_cannot_be_read_are_told() -> None:
    assert len(_topic_problems({}, DAY_MS)) == 1


@pytest.mark.parametrize(
    ("lag", "waiting", "lost"),
    [
        (TopicLag(0, 5, None), 5, 0),
        (TopicLag(3, 5, None), 2, 0),
        (TopicLag(0, 5, 5), 0, 0),
        (TopicLag(0, 5, 2), 3, 0),
        (TopicLag(4, 5, 2), 1, 2),
        (TopicLag.of([(0, 10, 10), (100, 110, None)]), 10, 0),
        (TopicLag.of([(0, 10, None), (100, 110, None)]), 20, 0),
        (TopicLag.of([(2, 10, 1), (100, 110, 100)]), 18, 1),
    ],
)
def test_lag_counts_what_is_still_there_and_tells_what_was_removed(lag: TopicLag, waiting: int, lost: int) -> None:
    assert (lag.lag, lag.lost) == (waiting, lost)
