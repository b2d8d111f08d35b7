"""The servers that the integration tests share: one of each a session, started when a test first asks for it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Protocol, TypeVar

import pytest

from tests.servers.kafka import KafkaServer
from tests.servers.nifi import EXTENSIONS, NiFiServer
from tests.servers.postgresql import PostgreSQLServer

OURS = (
    *("KAFKA_", "NIFI_", "SCRAPER_", "DAGSTER_", "ELECTION", "INGESTION", "SPARK_REMOTE"),
    *("X_", "ARCHIVE", "SAMPLE_", "PSEUDONYM_", "RETENTION_", "RESULTS_"),
)
"""How the names of the variables begin that the platform reads."""


@pytest.fixture(scope="session")
def kafka_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaServer]:
    """Apache Kafka over PLAINTEXT; use topics with a prefix of your own."""
    yield from _running(KafkaServer(tmp_path_factory.mktemp("kafka")))


@pytest.fixture(scope="session")
def nifi_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NiFiServer]:
    """Apache NiFi over plain HTTP; use a process group of your own, and remove it."""
    yield from _running(NiFiServer(tmp_path_factory.mktemp("nifi")))


@pytest.fixture(scope="session")
def postgresql_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgreSQLServer]:
    """PostgreSQL; use a database of your own."""
    yield from _running(PostgreSQLServer(tmp_path_factory.mktemp("postgresql")))


class Environment:
    """This process's environment without the platform's variables, until the test's end."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        for name in [name for name in os.environ if name.startswith(OURS) and name != EXTENSIONS]:
            monkeypatch.delenv(name)

    def use(self, *settings: Mapping[str, str]) -> None:
        """Sets variables, as those that a server names in its `settings`."""
        for setting in settings:
            for name, value in setting.items():
                self._monkeypatch.setenv(name, value)


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Environment:
    """An environment that names none of the platform's services and settings."""
    return Environment(monkeypatch)


class Server(Protocol):
    def start(self) -> None: ...
    def stop(self) -> None: ...


Started = TypeVar("Started", bound=Server)


def _running(server: Started) -> Iterator[Started]:
    server.start()
    try:
        yield server
    finally:
        server.stop()
