"""Apache Kafka for tests: its jars from Maven Central, and a single KRaft node on loopback that can be killed."""

from __future__ import annotations

import base64
import contextlib
import os
import secrets
import shutil
import subprocess
import uuid
from pathlib import Path

from tests.servers.certificates import Certificates
from tests.servers.layout import download, laid_out
from tests.servers.processes import CACHE, Process, ServerFailedError, free_port

VERSION = "4.4.0"
FOLDER = CACHE / f"kafka-{VERSION}"

USER = "platform"
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")

POM = f"""\
<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>tests</groupId><artifactId>kafka-server</artifactId><version>1</version><packaging>pom</packaging>
<dependencies>
<dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>{VERSION}</version></dependency>
<!-- Kafka brings slf4j 1.x and log4j but nothing that binds them. -->
<dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId>
<version>2.25.5</version></dependency>
</dependencies></project>
"""

LOGGING = """\
status = warn
rootLogger.level = warn
rootLogger.appenderRef.console.ref = Console
appender.console.type = Console
appender.console.name = Console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d] %p %m (%c)%n
logger.server.name = kafka.server
logger.server.level = info
"""
READY = b"Kafka Server started"

JAVA = [
    *("java", "-Xms64m", "-Xmx256m", "-Xss512k", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
    *("-XX:MaxDirectMemorySize=64m", "-XX:MaxMetaspaceSize=128m", "-XX:ReservedCodeCacheSize=48m"),
    *(f"-Dlog4j2.configurationFile=file:{FOLDER}/log4j2.properties", "-cp", f"{FOLDER}/libs/*"),
]


def provision() -> Path:
    """Lays Kafka's jars out in the cache where they are missing; the folder that holds them.

    Raises:
        ServerFailedError: If Maven or Java is missing, or Maven fails.
    """
    if shutil.which("java") is None:
        raise ServerFailedError("Kafka needs java on the PATH: run tests/provision.sh as root, or install it.")
    with laid_out(FOLDER, POM + LOGGING) as to_make:
        if to_make:
            (FOLDER / "pom.xml").write_text(POM, encoding="utf-8")
            (FOLDER / "log4j2.properties").write_text(LOGGING, encoding="utf-8")
            maven = ["mvn", "-q", "-B", "dependency:copy-dependencies"]
            download([*maven, "-DoutputDirectory=libs", "-DincludeScope=runtime"], f"Kafka {VERSION}", FOLDER)
    return FOLDER


class KafkaServer:
    """One broker that is its own controller; its data and ports outlive `stop` and `kill`.

    Attributes:
        port: Where clients connect.
        settings: The environment variables that a client of the platform needs.
        certificates: The authority that signed the broker's certificate; None for PLAINTEXT.
    """

    def __init__(
        self,
        folder: Path,
        security: str = "PLAINTEXT",
        mechanism: str = "SCRAM-SHA-512",
        client_certificate: bool = False,
    ) -> None:
        """Describes the broker; nothing starts yet.

        Args:
            folder: Its own folder, empty or of an earlier broker of this object.
            security: What clients have to speak: PLAINTEXT, SSL or SASL_SSL.
            mechanism: What `settings` name of the `MECHANISMS`, which SASL_SSL takes all.
            client_certificate: Whether clients have to show a certificate.
        """
        self.port, self._internal, self._controller = free_port(), free_port(), free_port()
        self._folder, self._security = folder, security
        self.password = secrets.token_urlsafe(12)
        self.settings = {"KAFKA_BOOTSTRAP_SERVERS": self.bootstrap_servers}
        self.certificates: Certificates | None = None
        folder.mkdir(parents=True, exist_ok=True)
        if security != "PLAINTEXT":
            self.certificates = Certificates(folder / "certificates")
            self.settings |= {
                "KAFKA_SECURITY_PROTOCOL": security,
                "KAFKA_SSL_CAFILE": str(self.certificates.authority),
            }
        if security == "SASL_SSL":
            self.settings |= {
                "KAFKA_SASL_MECHANISM": mechanism,
                "KAFKA_SASL_USERNAME": USER,
                "KAFKA_SASL_PASSWORD": self.password,
            }
        if client_certificate:
            assert self.certificates, "a client's certificate needs SSL"
            client = self.certificates.issue("client")
            self.settings |= {"KAFKA_SSL_CERTFILE": str(client.certificate), "KAFKA_SSL_KEYFILE": str(client.key)}
        self._client_certificate = client_certificate
        self._log_seen = 0
        self._process = Process(
            [*JAVA, "kafka.Kafka", "server.properties"], folder / "broker.log", self._started, folder=folder
        )

    @property
    def bootstrap_servers(self) -> str:
        """`host:port` for clients."""
        return f"127.0.0.1:{self.port}"

    @property
    def alive(self) -> bool:
        """Whether the broker runs."""
        return self._process.alive

    @property
    def log(self) -> Path:
        """What the broker says."""
        return self._process.log

    def start(self) -> None:
        """Starts it, and returns once it serves; it is formatted at the first time.

        Raises:
            ServerFailedError: If it does not start; the message holds the end of its log.
        """
        provision()
        properties = self._folder / "server.properties"
        if not properties.exists():
            self._format()
        with contextlib.suppress(FileNotFoundError):
            self._log_seen = self.log.stat().st_size
        self._process.start()

    def stop(self) -> None:
        """Lets it end."""
        self._process.stop()

    def kill(self) -> None:
        """Ends it at once (SIGKILL)."""
        self._process.kill()

    def _started(self) -> bool:
        with self.log.open("rb") as log:
            log.seek(self._log_seen)
            return READY in log.read()

    def _format(self) -> None:
        properties = self._folder / "server.properties"
        written = properties.with_suffix(".part")
        written.write_text("".join(f"{name}={value}\n" for name, value in self._properties().items()), encoding="utf-8")
        # A first bit of zero, so that the text starts with no dash, which would be taken for an option.
        cluster = base64.urlsafe_b64encode(uuid.UUID(int=uuid.uuid4().int >> 1).bytes).decode().rstrip("=")
        users = [
            text
            for mechanism in MECHANISMS[1:]
            for text in ("--add-scram", f"{mechanism}=[name={USER},password={self.password}]")
        ]
        done = subprocess.run(
            [*JAVA, "kafka.tools.StorageTool", "format", "-t", cluster, "-c", written.name, "--standalone", *users],
            cwd=self._folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if done.returncode:
            raise ServerFailedError(f"Kafka's folder {self._folder} could not be formatted:\n{done.stdout[-3000:]}")
        os.replace(written, properties)

    def _properties(self) -> dict[str, str]:
        # The internal listener is the broker's way to itself, as for the markers of transactions.
        listeners = ",".join(
            f"{name}://127.0.0.1:{port}"
            for name, port in (("CLIENT", self.port), ("INTERNAL", self._internal), ("CONTROLLER", self._controller))
        )
        properties = {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.bootstrap.servers": f"127.0.0.1:{self._controller}",
            "listeners": listeners,
            "advertised.listeners": listeners,
            "listener.security.protocol.map": f"CLIENT:{self._security},INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": "INTERNAL",
            "log.dirs": "data",
            "num.network.threads": "2",
            "num.io.threads": "2",
            "background.threads": "2",
            "num.recovery.threads.per.data.dir": "2",
            "default.replication.factor": "1",
            "min.insync.replicas": "1",
            "offsets.topic.replication.factor": "1",
            "offsets.topic.num.partitions": "4",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "transaction.state.log.num.partitions": "4",
            "share.coordinator.state.topic.replication.factor": "1",
            "share.coordinator.state.topic.min.isr": "1",
            "share.coordinator.state.topic.num.partitions": "4",
            "auto.create.topics.enable": "false",
            "group.initial.rebalance.delay.ms": "0",
            "log.segment.bytes": "16777216",
            "log.cleaner.dedupe.buffer.size": "4194304",
            # Else the controller waits 9 s before it takes a killed broker back.
            "broker.session.timeout.ms": "3000",
            "broker.heartbeat.interval.ms": "500",
        }
        if self.certificates:
            server = self.certificates.issue("server")
            keystore = self._folder / "keystore.pem"
            keystore.write_bytes(server.key.read_bytes() + server.certificate.read_bytes())
            keystore.chmod(0o600)
            properties |= {
                "listener.name.client.ssl.keystore.type": "PEM",
                "listener.name.client.ssl.keystore.location": str(keystore),
                "listener.name.client.ssl.truststore.type": "PEM",
                "listener.name.client.ssl.truststore.location": str(self.certificates.authority),
                "listener.name.client.ssl.client.auth": "required" if self._client_certificate else "none",
            }
        if self._security == "SASL_SSL":
            plain = "org.apache.kafka.common.security.plain.PlainLoginModule"
            scram = "org.apache.kafka.common.security.scram.ScramLoginModule"
            properties |= {
                "listener.name.client.sasl.enabled.mechanisms": ",".join(MECHANISMS),
                "listener.name.client.plain.sasl.jaas.config": f'{plain} required user_{USER}="{self.password}";',
                "listener.name.client.scram-sha-256.sasl.jaas.config": f"{scram} required;",
                "listener.name.client.scram-sha-512.sasl.jaas.config": f"{scram} required;",
            }
        return properties
