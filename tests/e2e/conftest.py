"""What the browser tests share: one Chromium, pages that fail a test which asked another host, a small data root."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parents[2]
SCREENSHOTS = ROOT / ".screenshots"
LOCAL = ("file:", "data:", "blob:")
ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
OTHERS = ("ELECTION", "ARCHIVE", "X_BEARER_TOKEN", "INGESTION", "RESULTS_2017", "PSEUDONYM_KEY", "PORT")
"""Settings of the project, besides those by prefix, that a developer may have set and the tests must not see."""


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The browser that all tests share; each opens pages of its own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", headless=True, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """Opens an empty page of a width; at the test's end no request went elsewhere and no page logged an error.

    A page may ask `host` alone (`http://127.0.0.1:3000`); without one it has no network.
    """
    contexts, outside, errors = [], [], []

    def open_one(width: int, host: str | None = None) -> Page:
        context = chromium.new_context(viewport={"width": width, "height": 1000}, offline=host is None)
        contexts.append(context)
        allowed = (*LOCAL, f"{host}/", f"{host.replace('http', 'ws')}/") if host else LOCAL

        def note(url: str) -> None:
            if not url.startswith(allowed):
                outside.append(url)

        context.on("request", lambda asked: note(asked.url))
        page = context.new_page()
        page.on("websocket", lambda socket: note(socket.url))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert outside == []
    assert errors == []


@pytest.fixture(scope="session")
def screenshots() -> Path:
    """The folder of pictures for a person to look at."""
    SCREENSHOTS.mkdir(exist_ok=True)
    return SCREENSHOTS


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a fresh data root with a small sample, without any setting of this machine."""
    prefixes = ("DAGSTER_", "SCRAPER_", "KAFKA_", "SPARK_", "SAMPLE_", "NIFI_", "MAKE", "MFLAGS")
    inherited = {
        name: value for name, value in os.environ.items() if name not in OTHERS and not name.startswith(prefixes)
    }
    root = tmp_path_factory.mktemp("root") / "data"
    env = inherited | {"ELECTION_DATA": str(root), "DAGSTER_HOME": str(root / "dagster"), "SAMPLE_TWEETS": "800"}
    subprocess.run(["make", "-s", "instance"], cwd=ROOT, env=env, check=True)
    return env


@pytest.fixture(scope="session")
def data_root(environment: dict[str, str]) -> Path:
    """A data root in which the main job ran once."""
    done = subprocess.run(
        [sys.executable, "-m", "election_assets.run"],
        cwd=ROOT,
        env=environment | {"PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return Path(environment["ELECTION_DATA"])
