"""Fixtures that several test packages share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pyspark.sql import SparkSession


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    """A session on a Sail server in this process, in UTC."""
    from pysail.spark import SparkConnectServer

    server = SparkConnectServer()
    server.start()
    host, port = server.listening_address
    session = (
        SparkSession.builder.remote(f"sc://{host}:{port}").config("spark.sql.session.timeZone", "UTC").getOrCreate()
    )
    yield session
    session.stop()
    server.stop()
