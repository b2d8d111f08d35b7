"""The Spark session, always over Spark Connect: a named cluster, or Sail in this process."""

from __future__ import annotations

import atexit
import functools
import socket
import sys
import tempfile
import zipfile
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import dagster as dg

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


CONNECT_SECONDS = 10
DEFAULT_PORT = 15002
"""Spark Connect's (spark.apache.org/docs/latest/spark-connect-overview.html)."""


class SparkUnavailableError(RuntimeError):
    """The Spark cluster cannot be reached."""


class SparkResource(dg.ConfigurableResource):
    """A Spark session made by `dagster_pyspark.LazyPySparkResource`, in UTC.

    Attributes:
        remote: A Spark Connect address (`sc://host:15002`); empty to start Sail in the process at first use.
    """

    remote: str = ""

    @property
    def session(self) -> SparkSession:
        """The session; one a process and address.

        Raises:
            SparkUnavailableError: If nothing answers at the address, or it is none.
        """
        return _session(self.remote)

    @property
    def engine(self) -> str:
        """What runs the work, for the report."""
        from importlib.metadata import version

        if not self.remote:
            return f"Sail {version('pysail')}, embedded"
        # Not the whole address, which may hold a token.
        return "Spark {} ({}:{})".format(self.session.version, *_host_and_port(self.remote))


@functools.cache
def _session(remote: str) -> SparkSession:
    from dagster_pyspark import LazyPySparkResource

    if remote:
        _check_reachable(remote)
    address = remote or _start_sail()
    _name_main_module()
    session = LazyPySparkResource(spark_config={"spark": {"remote": address}}).spark_session
    session.conf.set("spark.sql.session.timeZone", "UTC")
    if remote:
        _ship_code(session)
    return session


def _name_main_module() -> None:
    """Gives a main module that has neither file nor spec, such as that of a run that Dagster's UI launched, a spec.

    Spark's client takes a process without either for a doctest of its own, and ends it where no whole Spark is.
    """
    main = sys.modules["__main__"]
    if main.__spec__ is None and not hasattr(main, "__file__"):
        main.__spec__ = ModuleSpec("__main__", None)


def _start_sail() -> str:
    from pysail.spark import SparkConnectServer

    server = SparkConnectServer()
    server.start()
    atexit.register(server.stop)
    host, port = server.listening_address
    return f"sc://{host}:{port}"


def _host_and_port(remote: str) -> tuple[str, int]:
    try:
        parts = urlsplit(remote)
        if parts.scheme != "sc" or not parts.hostname:
            raise ValueError("it is no sc:// address")
        return parts.hostname, parts.port or DEFAULT_PORT
    except ValueError as error:
        raise SparkUnavailableError(
            f"SPARK_REMOTE is not an address of Spark Connect such as sc://host:{DEFAULT_PORT}: {error}."
        ) from error


def _check_reachable(remote: str) -> None:
    """Spark's client itself tries for many minutes before it says that nobody answers."""
    host, port = _host_and_port(remote)
    try:
        socket.create_connection((host, port), timeout=CONNECT_SECONDS).close()
    except OSError as error:
        raise SparkUnavailableError(
            f"Spark at {host}:{port} does not answer ({error}): start it, or correct SPARK_REMOTE."
        ) from error


def _ship_code(session: SparkSession) -> None:
    """Sends the package to the cluster, whose Python workers run its functions."""
    import election_assets

    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "election_assets.zip"
        zip_package(Path(election_assets.__file__).parent, archive)
        session.addArtifacts(str(archive), pyfile=True)


def zip_package(package: Path, archive: Path) -> None:
    """Writes a package, its data files included, as an archive that Python imports from."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        for file in sorted(package.rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                zipped.write(file, file.relative_to(package.parent))
