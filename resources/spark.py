"""The Spark session, always over Spark Connect: a named cluster, or Sail in this process."""

from __future__ import annotations

import atexit
import functools
import sys
import tempfile
import zipfile
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


class SparkResource(dg.ConfigurableResource):
    """A Spark session made by `dagster_pyspark.LazyPySparkResource`, in UTC.

    Attributes:
        remote: A Spark Connect address (`sc://host:15002`); empty to start Sail in the process at first use.
    """

    remote: str = ""

    @property
    def session(self) -> SparkSession:
        """The session; one a process and address."""
        return _session(self.remote)

    @property
    def engine(self) -> str:
        """What runs the work, for the report."""
        from importlib.metadata import version

        return f"Spark {self.session.version} ({self.remote})" if self.remote else f"Sail {version('pysail')}, embedded"


@functools.cache
def _session(remote: str) -> SparkSession:
    from dagster_pyspark import LazyPySparkResource

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


def _ship_code(session: SparkSession) -> None:
    """Sends the package to the cluster, whose Python workers run its functions."""
    import election_assets

    package = Path(election_assets.__file__).parent
    archive = Path(tempfile.mkdtemp()) / "election_assets.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        for file in sorted(package.rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                zipped.write(file, file.relative_to(package.parent))
    session.addArtifacts(str(archive), pyfile=True)
