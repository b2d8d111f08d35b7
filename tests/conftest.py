"""Fixtures that several test packages share."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession

from resources.spark import SparkResource


@pytest.fixture(scope="session")
def spark() -> SparkSession:
    """The project's own session: a Sail server in this process, in UTC."""
    return SparkResource().session
