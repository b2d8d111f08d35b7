"""The Spark resource on Sail, and what `build_resources` makes of an environment."""

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.remote_representation.external_data import RepositorySnap
from dagster._serdes import serialize_value

import election_assets
from resources import build_resources
from resources.spark import SparkResource, SparkUnavailableError, zip_package

ROOT = Path(__file__).parents[3]

SESSION = """
import datetime as dt
from resources.spark import SparkResource
one, other = SparkResource(), SparkResource()
assert one.session is other.session
assert one.session.conf.get("spark.sql.session.timeZone") == "UTC"
row = one.session.sql("SELECT hour(timestamp'2022-03-27T01:30:00Z') AS hour").first()
assert row.hour == 1, row
print(one.engine)
"""


def run(code: str, **env: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env={"PATH": "", "RUST_LOG": "error", **env}, capture_output=True
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def test_the_session_is_one_a_process_in_utc_whatever_the_machines_zone() -> None:
    assert run(SESSION, TZ="Pacific/Auckland").splitlines()[-1] == f"Sail {version('pysail')}, embedded"


@pytest.mark.parametrize(
    ("remote", "said"),
    [
        ("sc://127.0.0.1:9/;token=geheim", r"Spark at 127\.0\.0\.1:9 does not answer \(.*refused\): start it, or"),
        ("127.0.0.1:15002", "SPARK_REMOTE is not an address of Spark Connect such as sc://host:15002: it is no sc://"),
        ("sc://host:port", "SPARK_REMOTE is not an address of Spark Connect such as sc://host:15002: Port could"),
    ],
)
def test_a_cluster_that_cannot_be_reached_is_told_in_one_sentence(remote: str, said: str) -> None:
    with pytest.raises(SparkUnavailableError, match=said) as caught:
        _ = SparkResource(remote=remote).session
    assert "geheim" not in str(caught.value)


def test_the_package_that_a_cluster_gets_can_be_imported(tmp_path: Path) -> None:
    archive = tmp_path / "code.zip"
    zip_package(Path(election_assets.__file__).parent, archive)
    code = f"""
import sys
sys.path[:] = [{str(archive)!r}, *(folder for folder in sys.path if folder not in ("", {str(ROOT)!r}))]
import election_assets.transforms.text as text
print(text.__file__)
"""
    assert run(code).strip() == f"{archive}/election_assets/transforms/text.py"
    assert run(f"import zipfile; print(*zipfile.ZipFile({str(archive)!r}).namelist())").count("__pycache__") == 0


HEAVY = ("pyspark", "pysail", "kafka", "tweepy", "flask", "pandas", "pyarrow", "deltalake", "plotly", "wordcloud")


def test_building_the_resources_starts_and_imports_nothing(tmp_path: Path) -> None:
    code = """
import os, sys
from resources import build_resources
print(sorted(build_resources(os.environ)))
print([name for name in sys.argv[1:] if name in sys.modules])
"""
    code = code.replace("sys.argv[1:]", repr(HEAVY))
    data_root = tmp_path / "data"
    names, imported = run(code, ELECTION_DATA=str(data_root)).splitlines()
    assert names == "['kafka', 'nifi', 'scraper', 'spark']"
    assert imported == "[]"
    assert not data_root.exists()


def test_dagster_is_told_no_secret(tmp_path: Path) -> None:
    env = {
        "ELECTION_DATA": str(tmp_path),
        "SCRAPER_API_KEY": "geheim",
        "SCRAPER_URL": "https://somebody:geheim@scraper.example",
        "SPARK_REMOTE": "sc://cluster.example/;token=geheim",
        "KAFKA_BOOTSTRAP_SERVERS": " broker.example:9092 ",
    }

    @dg.asset(required_resource_keys={"scraper", "spark", "kafka"})
    def user() -> None: ...

    repository = dg.Definitions(assets=[user], resources=build_resources(env)).get_repository_def()
    shown = serialize_value(RepositorySnap.from_def(repository))
    stored = [serialize_value(job.get_job_snapshot()) for job in repository.get_all_jobs()]
    assert '"broker.example:9092' in shown.replace("\\", "")
    assert "SCRAPER_API_KEY" in shown
    assert stored
    assert "geheim" not in "".join([shown, *stored])
