"""The main job from the command line: the sample twice, and an archive of 60,000 tweets."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from election_assets.election import load_election
from scraper_api.sample import write_sample

ROOT = Path(__file__).parents[1]
ARCHIVE_TWEETS = 60_000


def measure() -> Iterator[dict]:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "sample"
        yield from _run("sample, first run", root, {})
        yield from _run("sample, second run", root, {})
        archive = Path(folder) / "archive.jsonl.gz"
        write_sample(archive, load_election(), seed=1, tweets=ARCHIVE_TWEETS)
        yield from _run(f"archive of {ARCHIVE_TWEETS:,} tweets", Path(folder) / "archive", {"ARCHIVE": str(archive)})


def _run(what: str, root: Path, settings: dict[str, str]) -> Iterator[dict]:
    home = root / "dagster"
    home.mkdir(parents=True, exist_ok=True)
    (home / "dagster.yaml").write_text((ROOT / "dagster.yaml").read_text())
    env = {name: value for name, value in os.environ.items() if name not in ("ARCHIVE", "X_BEARER_TOKEN")}
    env |= {"ELECTION_DATA": str(root), "DAGSTER_HOME": str(home), "RUST_LOG": "error", **settings}
    started = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "election_assets.run"], cwd=ROOT, env=env, stdout=subprocess.DEVNULL
    )
    run_peak = services_peak = 0
    while process.poll() is None:
        services_peak = max(services_peak, _peak_of_services(root))
        run_peak = max(run_peak, _peak(process.pid))
        time.sleep(0.2)
    seconds = time.monotonic() - started
    if process.returncode:
        raise SystemExit(f"{what}: the main job failed")
    received = json.loads((root / "report" / "run.json").read_text())["total"]["run"]["received"]
    yield {"what": f"{what}: {received:,} records", "value": seconds, "unit": "s"}
    yield {"what": f"{what}: peak memory of the run", "value": run_peak / 1024, "unit": "MB"}
    yield {"what": f"{what}: peak memory of the embedded services", "value": services_peak / 1024, "unit": "MB"}


def _peak_of_services(root: Path) -> int:
    try:
        return _peak(json.loads((root / "services.json").read_text())["pid"])
    except (FileNotFoundError, ValueError):
        return 0


def _peak(pid: int) -> int:
    """Peak resident memory of a process in kB, 0 if it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")), 0)
