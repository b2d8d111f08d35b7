"""Fixtures that several test packages share: a Spark session, and one Chromium whose pages ask nobody else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from pyspark.sql import SparkSession

from resources.spark import SparkResource

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

# No test depends on timing: an example may be slow on a busy machine.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

SCREENSHOTS = Path(__file__).parents[1] / ".screenshots"
LOCAL = ("file:", "data:", "blob:")
ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]


@pytest.fixture(scope="session")
def spark() -> SparkSession:
    """The project's own session: a Sail server in this process, in UTC."""
    return SparkResource().session


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The browser that all tests share; each opens pages of its own."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", headless=True, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """Opens an empty page of a width; at the test's end no request went elsewhere and no page logged an error.

    A page may ask `hosts` alone (`http://127.0.0.1:3000`); without one it has no network.
    """
    contexts, outside, errors = [], [], []

    def open_one(width: int, *hosts: str) -> Page:
        context = chromium.new_context(viewport={"width": width, "height": 1000}, offline=not hosts)
        contexts.append(context)
        allowed = (*LOCAL, *(f"{url}/" for host in hosts for url in (host, host.replace("http", "ws"))))

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
