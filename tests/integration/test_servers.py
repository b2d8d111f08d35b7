"""The servers of these tests keep their data through SIGKILL, and the stand-in for the Kafka bundle publishes."""

from __future__ import annotations

import contextlib
import os
import ssl
import time
import urllib.error
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import psycopg2
import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic

from tests.servers.kafka import KafkaServer
from tests.servers.nifi import EXTENSIONS, NiFiServer
from tests.servers.postgresql import PostgreSQLServer

pytestmark = pytest.mark.integration

SECONDS = 60
BUNDLE = {"group": "org.apache.nifi", "version": "2.3.0"}
PUBLISH = "org.apache.nifi.kafka.processors.PublishKafka"
CONNECTION = "org.apache.nifi.kafka.service.Kafka3ConnectionService"
TYPES = {
    PUBLISH: "nifi-kafka-nar",
    CONNECTION: "nifi-kafka-3-service-nar",
    "org.apache.nifi.processors.standard.GenerateFlowFile": "nifi-standard-nar",
    "org.apache.nifi.ssl.StandardRestrictedSSLContextService": "nifi-ssl-context-service-nar",
    "org.apache.nifi.json.JsonTreeReader": "nifi-record-serialization-services-nar",
}
TEXT = 'id,text\r\n"1","dès l’aube, à l’heure où « blanchit »\nla campagne 🇫🇷"'


def until(question: Callable[[], Any]) -> Any:
    """The first answer that holds."""
    limit = time.monotonic() + SECONDS
    while time.monotonic() < limit:
        if answer := question():
            return answer
        time.sleep(0.1)
    raise AssertionError(f"not so in {SECONDS} s; last: {question()}")


class Group:
    """A process group: a source, PublishKafka, and queues behind its relationships."""

    def __init__(self, nifi: NiFiServer, brokers: str, **connection: str) -> None:
        self.nifi = nifi
        self.id = self._create("process-groups/root/process-groups", name="tests", position={"x": 0, "y": 0})["id"]
        self.connection = self.service(CONNECTION, **{"bootstrap.servers": brokers} | connection)
        self.source = self.processor("org.apache.nifi.processors.standard.GenerateFlowFile")
        self.publish = self.processor(PUBLISH, **{"Kafka Connection Service": self.connection})
        self._connect(self.source, self.publish, "success")
        self.queues = {}
        for relationship in ("success", "failure"):
            funnel = self._create(f"process-groups/{self.id}/funnels", position={"x": 0, "y": 0})["id"]
            self.queues[relationship] = self._connect(self.publish, funnel, relationship, "FUNNEL")

    def service(self, kind: str, **properties: str) -> str:
        path = f"process-groups/{self.id}/controller-services"
        return self._create(path, type=kind, bundle=BUNDLE | {"artifact": TYPES[kind]}, properties=properties)["id"]

    def processor(self, kind: str, **properties: str) -> str:
        created = self._create(
            f"process-groups/{self.id}/processors",
            type=kind,
            bundle=BUNDLE | {"artifact": TYPES[kind]},
            config={"properties": properties, "penaltyDuration": "100 ms", "yieldDuration": "100 ms"},
        )
        return created["id"]

    def errors(self, path: str, **properties: str | None) -> str:
        """What validation says after these properties were set."""
        self.configure(path, **properties)
        component = until(lambda: self._settled(path))
        return " ".join(component.get("validationErrors") or ())

    def configure(self, path: str, **properties: str | None) -> None:
        body = {"properties": properties} if path.startswith("controller") else {"config": {"properties": properties}}
        self._change(path, component={"id": path.split("/")[1], **body})

    def send(self, text: str, attributes: dict[str, str] | None = None, **properties: str | None) -> str:
        """Publishes one FlowFile; the relationship it went to."""
        publish, source = f"processors/{self.publish}", f"processors/{self.source}"
        assert not self.errors(publish, **properties)
        before = {name: self.queued(name) for name in self.queues}
        assert not self.errors(source, **{"Data Format": "Text", "generate-ff-custom-text": text} | (attributes or {}))
        self._run(publish, "RUNNING")
        self._run(source, "RUN_ONCE")
        try:
            return until(lambda: next((name for name in self.queues if self.queued(name) > before[name]), ""))
        finally:
            self.stop()
            self.configure(source, **dict.fromkeys(attributes or {}))

    def stop(self) -> None:
        self._run(f"processors/{self.publish}", "STOPPED")
        # The source that ran once may still be ending when its FlowFile is through.
        until(lambda: all(self._stopped(f"processors/{one}") for one in (self.publish, self.source)))

    def enable(self, service: str) -> None:
        path = f"controller-services/{service}"
        assert not self.errors(path)
        self._run(path, "ENABLED")
        until(lambda: self.component(path)["state"] == "ENABLED")

    def remove(self) -> None:
        call = self.nifi.call
        call("PUT", f"/flow/process-groups/{self.id}", {"id": self.id, "state": "STOPPED"})
        for queue in self.queues.values():
            request = call("POST", f"/flowfile-queues/{queue}/drop-requests")["dropRequest"]["id"]
            drop = f"/flowfile-queues/{queue}/drop-requests/{request}"
            until(lambda drop=drop: call("GET", drop)["dropRequest"]["finished"])
            call("DELETE", drop)
        services = f"/flow/process-groups/{self.id}/controller-services"
        call("PUT", services, {"id": self.id, "state": "DISABLED"})
        until(lambda: {s["component"]["state"] for s in call("GET", services)["controllerServices"]} <= {"DISABLED"})
        version = call("GET", f"/process-groups/{self.id}")["revision"]["version"]
        call("DELETE", f"/process-groups/{self.id}?version={version}")

    def _create(self, path: str, **component: Any) -> Any:
        return self.nifi.call("POST", f"/{path}", {"revision": {"version": 0}, "component": component})

    def _connect(self, source: str, target: str, relationship: str, kind: str = "PROCESSOR") -> str:
        created = self._create(
            f"process-groups/{self.id}/connections",
            source={"id": source, "groupId": self.id, "type": "PROCESSOR"},
            destination={"id": target, "groupId": self.id, "type": kind},
            selectedRelationships=[relationship],
        )
        return created["id"]

    def component(self, path: str) -> Any:
        return self.nifi.call("GET", f"/{path}")["component"]

    def _settled(self, path: str) -> Any:
        component = self.component(path)
        return component if component["validationStatus"] != "VALIDATING" else None

    def _stopped(self, path: str) -> bool:
        """Whether a processor has ended; `state` is what was asked for, `physicalState` what it has come to."""
        processor = self.nifi.call("GET", f"/{path}")
        component = processor["component"]
        states = {component["state"], component.get("physicalState") or component["state"]}
        return states == {"STOPPED"} and not processor["status"]["aggregateSnapshot"]["activeThreadCount"]

    def queued(self, relationship: str) -> int:
        status = self.nifi.call("GET", f"/flow/connections/{self.queues[relationship]}/status")
        return status["connectionStatus"]["aggregateSnapshot"]["flowFilesQueued"]

    def _run(self, path: str, state: str) -> None:
        self._change(f"{path}/run-status", state=state)

    def _change(self, path: str, **body: Any) -> None:
        revision = self.nifi.call("GET", f"/{path.removesuffix('/run-status')}")["revision"]
        self.nifi.call("PUT", f"/{path}", {"revision": revision, **body})


@contextlib.contextmanager
def group(nifi: NiFiServer, kafka: KafkaServer, **connection: str) -> Iterator[Group]:
    made = Group(nifi, kafka.bootstrap_servers, **connection)
    try:
        yield made
    finally:
        made.remove()


def create_topic(kafka: KafkaServer, topic: str) -> TopicPartition:
    with contextlib.closing(KafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)) as admin:
        admin.create_topics([NewTopic(topic, 1, 1)])
    return TopicPartition(topic, 0)


def messages(kafka: KafkaServer, partition: TopicPartition, count: int, **settings: Any) -> list[Any]:
    consumer = KafkaConsumer(
        bootstrap_servers=kafka.bootstrap_servers,
        isolation_level="read_committed",
        enable_auto_commit=False,
        **settings,
    )
    with contextlib.closing(consumer):
        consumer.assign([partition])
        consumer.seek_to_beginning(partition)
        got: list[Any] = []
        until(lambda: got.extend(consumer.poll(500).get(partition, [])) or len(got) >= count)
        return got


def test_kafka_keeps_its_messages_through_sigkill(kafka_server: KafkaServer) -> None:
    partition = create_topic(kafka_server, "servers.kept")
    with contextlib.closing(KafkaProducer(bootstrap_servers=kafka_server.bootstrap_servers)) as producer:
        producer.send(partition.topic, TEXT.encode()).get(30)
        kafka_server.kill()
        assert not kafka_server.alive
        kafka_server.start()
        producer.send(partition.topic, b"after").get(30)
    assert [message.value for message in messages(kafka_server, partition, 2)] == [TEXT.encode(), b"after"]


def test_postgresql_keeps_its_rows_through_sigkill(postgresql_server: PostgreSQLServer) -> None:
    with contextlib.closing(psycopg2.connect(postgresql_server.url)) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE kept (line text)")
        cursor.execute("INSERT INTO kept VALUES (%s)", (TEXT,))
        connection.commit()
    postgresql_server.kill()
    assert not postgresql_server.alive
    postgresql_server.start()
    with contextlib.closing(psycopg2.connect(postgresql_server.url)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT line FROM kept")
        assert cursor.fetchall() == [(TEXT,)]
        cursor.execute("DROP TABLE kept")
        connection.commit()


def test_nifi_has_every_type_that_was_laid_out(nifi_server: NiFiServer) -> None:
    processors = nifi_server.call("GET", "/flow/processor-types")["processorTypes"]
    services = nifi_server.call("GET", "/flow/controller-service-types")["controllerServiceTypes"]
    bundles = {kind["type"]: kind["bundle"] for kind in processors + services}
    assert {name: bundles.get(name) for name in TYPES} == {
        name: BUNDLE | {"artifact": nar} for name, nar in TYPES.items()
    }
    assert "org.apache.nifi.processors.attributes.UpdateAttribute" in bundles


def test_nifi_keeps_its_flow_and_queues_through_sigkill(nifi_server: NiFiServer, kafka_server: KafkaServer) -> None:
    partition = create_topic(kafka_server, "servers.queued")
    with group(nifi_server, kafka_server) as made:
        made.enable(made.connection)
        assert made.send(TEXT, **{"Topic Name": partition.topic}) == "success"
        nifi_server.kill()
        assert not nifi_server.alive
        nifi_server.start()
        assert until(lambda: made.queued("success")) == 1
        # NiFi writes its flow half a second late: the processor may run again as it did before it was stopped.
        made.stop()
        assert made.send("after", **{"Topic Name": partition.topic}) == "success"
    assert [message.value.decode() for message in messages(kafka_server, partition, 2)] == [TEXT, "after"]


@pytest.mark.skipif(EXTENSIONS in os.environ, reason="NIFI_EXTENSIONS puts Apache's own bundle in the stand-in's place")
def test_the_stand_in_says_what_it_is_and_refuses_what_it_does_not_implement(
    nifi_server: NiFiServer, kafka_server: KafkaServer
) -> None:
    kinds = nifi_server.call("GET", "/flow/processor-types?type=" + PUBLISH)["processorTypes"]
    assert kinds[0]["description"].startswith("A stand-in for tests")
    with group(nifi_server, kafka_server) as made:
        publish, connection = f"processors/{made.publish}", f"controller-services/{made.connection}"
        made.enable(made.connection)
        assert not made.errors(publish, **{"Topic Name": "t"})
        reader = made.service("org.apache.nifi.json.JsonTreeReader")
        made.enable(reader)
        for name, value in {
            "Record Reader": reader,
            "Message Demarcator": "|",
            "partition": "1",
            "partitioner.class": "org.apache.nifi.processors.kafka.pubsub.Partitioners.RoundRobinPartitioner",
            "Publish Strategy": "USE_WRAPPER",
            "Record Metadata Strategy": "FROM_RECORD",
        }.items():
            default = made.component(publish)["config"]["properties"][name]
            assert "does not implement this property" in made.errors(publish, **{name: value}), name
            assert not made.errors(publish, **{name: default}), name
        assert "is not a supported property" in made.errors(publish, **{"Max Request Size": "2 MB"})
        assert not made.errors(publish, **{"Max Request Size": None})
        made.nifi.call(
            "PUT", f"/flow/process-groups/{made.id}/controller-services", {"id": made.id, "state": "DISABLED"}
        )
        until(lambda: made.component(connection)["state"] == "DISABLED")
        assert "GSSAPI" in made.errors(connection, **{"security.protocol": "SASL_PLAINTEXT"})
        assert not made.errors(connection, **{"security.protocol": "PLAINTEXT"})
        assert "does not implement this property" in made.errors(connection, **{"max.poll.records": "7"})
        made.configure(connection, **{"max.poll.records": "10000"})


def test_the_stand_in_publishes_with_headers_a_key_compression_and_transactions(
    nifi_server: NiFiServer, kafka_server: KafkaServer
) -> None:
    partition, unread = create_topic(kafka_server, "servers.published"), create_topic(kafka_server, "servers.unread")
    with group(nifi_server, kafka_server) as made:
        made.enable(made.connection)
        attributes = {"batch_id": "é-1", "schema": "tweet.v1", "other": "not sent", "author": "k"}
        settings = {
            "Topic Name": partition.topic,
            "acks": "all",
            "FlowFile Attribute Header Pattern": "batch_id|schema",
            "Kafka Key": "author",
            "Transactions Enabled": "false",
        }
        assert made.send(TEXT, attributes, **settings) == "success"
        transactions = {"Transactions Enabled": "true"}
        assert made.send("first", **transactions, **{"compression.type": "gzip"}) == "success"
        assert made.send("second") == "success"
        # kafka-python reads these two with other packages only; that Kafka took them is what is told.
        for codec in ("snappy", "lz4"):
            assert made.send("unread", **{"Topic Name": unread.topic, "compression.type": codec}) == "success"
        got = messages(kafka_server, partition, 3)
    assert [message.value.decode() for message in got] == [TEXT, "first", "second"]
    assert got[0].key == b"k"
    assert sorted(got[0].headers) == [("batch_id", "é-1".encode()), ("schema", b"tweet.v1")]
    assert got[1].key is None
    # Each transaction ends with a marker that takes an offset.
    assert [message.offset for message in got] == [0, 1, 3]


def test_the_stand_in_routes_what_kafka_does_not_take_to_failure(
    nifi_server: NiFiServer, kafka_server: KafkaServer
) -> None:
    partition = create_topic(kafka_server, "servers.refused")
    with group(nifi_server, kafka_server, **{"max.block.ms": "2 sec"}) as made:
        made.enable(made.connection)
        assert made.send("x", **{"Topic Name": "servers.absent", "Transactions Enabled": "false"}) == "failure"
        assert made.send("x" * 2000, **{"Topic Name": partition.topic, "max.request.size": "1 KB"}) == "failure"
        # The client's own limit, which the property does not raise.
        assert made.send("x" * 1_100_000, **{"max.request.size": "2 MB", "Transactions Enabled": "true"}) == "failure"
        assert made.send("taken") == "success"
    assert [message.value for message in messages(kafka_server, partition, 1)] == [b"taken"]


def test_the_stand_in_logs_in_over_tls(nifi_server: NiFiServer, tmp_path: Path) -> None:
    kafka = KafkaServer(tmp_path, security="SASL_SSL")
    kafka.start()
    client = {
        "security_protocol": "SASL_SSL",
        "ssl_cafile": kafka.settings["KAFKA_SSL_CAFILE"],
        "sasl_plain_username": kafka.settings["KAFKA_SASL_USERNAME"],
        "sasl_plain_password": kafka.settings["KAFKA_SASL_PASSWORD"],
        "sasl_mechanism": kafka.settings["KAFKA_SASL_MECHANISM"],
    }
    try:
        with contextlib.closing(KafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers, **client)) as admin:
            admin.create_topics([NewTopic("secure", 1, 1)])
        with group(
            nifi_server,
            kafka,
            **{
                "security.protocol": "SASL_SSL",
                "sasl.mechanism": kafka.settings["KAFKA_SASL_MECHANISM"],
                "sasl.username": kafka.settings["KAFKA_SASL_USERNAME"],
                "sasl.password": kafka.settings["KAFKA_SASL_PASSWORD"],
            },
        ) as made:
            tls = made.service(
                "org.apache.nifi.ssl.StandardRestrictedSSLContextService",
                **{
                    "Truststore Filename": str(kafka.certificates.truststore),
                    "Truststore Password": kafka.certificates.password,
                    "Truststore Type": "PKCS12",
                },
            )
            made.enable(tls)
            made.configure(f"controller-services/{made.connection}", **{"SSL Context Service": tls})
            made.enable(made.connection)
            assert made.send(TEXT, **{"Topic Name": "secure"}) == "success"
        assert messages(kafka, TopicPartition("secure", 0), 1, **client)[0].value.decode() == TEXT
    finally:
        kafka.stop()


def test_nifi_with_certificates_knows_its_administrator_alone(tmp_path: Path) -> None:
    nifi = NiFiServer(tmp_path, security="certificate", kafka_bundle=False)
    nifi.start()
    try:
        root = nifi.call("GET", "/process-groups/root")
        assert root["permissions"] == {"canRead": True, "canWrite": True}
        kinds = nifi.call("GET", "/flow/processor-types")["processorTypes"]
        assert len(kinds) > 100
        assert not [kind["type"] for kind in kinds if "kafka" in kind["type"].lower()]
        about = f"{nifi.url}/nifi-api/flow/about"
        with pytest.raises(urllib.error.URLError, match="certificate verify failed"):
            urlopen(about, context=ssl.create_default_context())
        # Not in the handshake: TLS 1.3 tells a client later that a certificate is wanted.
        with pytest.raises(OSError, match=r"(?i)bad.certificate|certificate.required"):
            urlopen(about, context=ssl.create_default_context(cafile=nifi.settings["NIFI_CA_FILE"]))
    finally:
        nifi.stop()


def test_nifi_with_a_password_gives_a_token_for_it_alone(tmp_path: Path) -> None:
    nifi = NiFiServer(tmp_path, security="password")
    nifi.start()

    tls = ssl.create_default_context(cafile=nifi.settings["NIFI_CA_FILE"])

    def token(password: str) -> str:
        form = urllib.parse.urlencode({"username": nifi.settings["NIFI_USERNAME"], "password": password}).encode()
        with urlopen(f"{nifi.url}/nifi-api/access/token", form, context=tls) as answer:
            return answer.read().decode()

    try:
        with pytest.raises(urllib.error.HTTPError, match="400"):
            token("wrong")
        with pytest.raises(urllib.error.HTTPError, match="401"):
            nifi.call("GET", "/process-groups/root")
        root = nifi.call("GET", "/process-groups/root", token=token(nifi.settings["NIFI_PASSWORD"]))
        assert root["permissions"] == {"canRead": True, "canWrite": True}
    finally:
        nifi.stop()
