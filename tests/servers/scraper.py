"""The scraper as a process of its own, which can be killed; its port stays."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from tests.servers.processes import Process, free_port, listens

PROJECT = Path(__file__).parents[2]


class ScraperServer:
    """`python -m scraper_api` on loopback.

    Attributes:
        url: Its address.
    """

    def __init__(self, log: Path, env: Mapping[str, str]) -> None:
        """Describes the scraper; nothing starts yet.

        Args:
            log: File for what it says.
            env: Its environment, without host and port.
        """
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._process = Process(
            [sys.executable, "-m", "scraper_api"],
            log,
            lambda: listens(port),
            folder=PROJECT,
            env={**env, "SCRAPER_HOST": "127.0.0.1", "SCRAPER_PORT": str(port)},
        )

    @property
    def log(self) -> Path:
        """What it says."""
        return self._process.log

    def start(self) -> None:
        """Starts it, and returns once it listens.

        Raises:
            ServerFailedError: If it does not.
        """
        self._process.start()

    def stop(self) -> None:
        """Lets it end."""
        self._process.stop()

    def kill(self) -> None:
        """Ends it at once (SIGKILL)."""
        self._process.kill()
