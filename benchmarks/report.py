"""How large the report's pages are and how soon they can be used, in Chromium on a processor slowed down fourfold."""

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(__file__).parents[1]
TWEETS = 15_000
SLOWDOWN = 4
ROUNDS = 5
PAGES = {
    "first page": ("index.html", "html[data-ready=yes]"),
    "candidate": ("candidates/macron.html", "html[data-ready=yes]"),
    "map": ("department_map.html", "body[data-ready=yes]"),
    "method": ("method.html", "html[data-ready=yes]"),
}
"""Path of a page, and what its scripts set when they are done."""
QUIET = """ready => new Promise(done => {
    // Ready, and no task of more than 50 ms for half a second: the time is that of the last of both.
    let last = 0, at = null;
    new PerformanceObserver(list => list.getEntries().forEach(one => {
        last = Math.max(last, one.startTime + one.duration);
    })).observe({ type: "longtask", buffered: true });
    const look = () => {
        if (at === null && document.querySelector(ready)) { at = performance.now(); }
        const since = performance.now() - Math.max(last, at === null ? performance.now() : at);
        if (since > 500) { done(Math.max(last, at)); } else { setTimeout(look, 20); }
    };
    look();
})"""


def measure() -> Iterator[dict]:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "data"
        _run(root)
        yield from measure_report(root / "report")


def measure_report(report: Path) -> Iterator[dict]:
    """Size of a page with all that it loads, and seconds until it is ready and no long task runs."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", headless=True, args=arguments)
        for name, (path, ready) in PAGES.items():
            seconds, sizes = zip(*(_visit(browser, report / path, ready) for _ in range(ROUNDS)), strict=True)
            what = f"{name}: interactive at {SLOWDOWN}x slowdown, median of {ROUNDS}"
            yield {"what": f"{name}: size with all that it loads", "value": max(sizes) / 1e6, "unit": "MB"}
            yield {"what": what, "value": statistics.median(seconds), "unit": "s"}
        browser.close()


def _run(root: Path) -> None:
    """The main job over a sample."""
    home = root / "dagster"
    home.mkdir(parents=True)
    (home / "dagster.yaml").write_text((ROOT / "dagster.yaml").read_text())
    env = {name: value for name, value in os.environ.items() if name not in ("ARCHIVE", "X_BEARER_TOKEN", "ELECTION")}
    env |= {"ELECTION_DATA": str(root), "DAGSTER_HOME": str(home), "SAMPLE_TWEETS": str(TWEETS)}
    command = [sys.executable, "-W", "ignore", "-m", "election_assets.run"]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"the main job failed: {done.stderr}")


def _visit(browser: "Browser", page_file: Path, ready: str) -> tuple[float, int]:
    """Seconds until the page can be used, and bytes of the files that it asked for, on a phone's screen."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, offline=True)
    page, asked = context.new_page(), set()
    page.on("request", lambda request: asked.add(request.url))
    context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": SLOWDOWN})
    page.goto(page_file.as_uri(), wait_until="commit")
    milliseconds = page.evaluate(QUIET, ready)
    files = [Path(unquote(url.removeprefix("file://"))) for url in asked if url.startswith("file:")]
    context.close()
    return milliseconds / 1000, sum(file.stat().st_size for file in files)
