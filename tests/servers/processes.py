"""A server of the tests as a process of its own: started, waited for, stopped, killed; knows no server by name."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "election-assets"
"""Where provisioned servers are kept between runs, one folder a server and version."""
SHOWN_LINES = 40
PORTS = range(15_000, 32_000)
"""Below those that the system gives to who connects: a port that a killed server had would else be anybody's meanwhile,
such as a client's that reconnects to it."""
_given: set[int] = set()


class ServerFailedError(RuntimeError):
    """A server ended or did not become ready; the message holds the end of its log."""


def free_port() -> int:
    """A port of loopback that nobody listens on just now; never one that this process was given before."""
    while True:
        port = secrets.choice(PORTS)
        if port not in _given:
            with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
                _given.add(port)
                return port


def wait(condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
    """Waits until a condition holds; fails with what was waited for."""
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, f"waited {seconds} s for {what}"
        time.sleep(0.1)


def listens(port: int) -> bool:
    """Whether somebody listens on a port of loopback."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


class Process:
    """One server process in a group of its own, with its output in a file.

    Attributes:
        log: The file that its output is appended to.
    """

    def __init__(
        self,
        command: Sequence[str],
        log: Path,
        ready: Callable[[], bool],
        *,
        seconds: float = 60,
        folder: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        """Describes the process; nothing starts yet.

        Args:
            command: Program and arguments.
            log: File for its output.
            ready: Tells whether it serves; asked until it does.
            seconds: How long that may take.
            folder: Its working folder.
            env: Its whole environment; this process's by default.
        """
        self._command, self.log, self._ready, self._seconds = list(command), log, ready, seconds
        self._folder, self._env = folder, dict(os.environ if env is None else env)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Starts it and returns once it is ready.

        Raises:
            ServerFailedError: If it ends before that, or takes too long (it is killed then).
        """
        if self.alive:
            return
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=self._folder,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        limit = time.monotonic() + self._seconds
        while not self._ready():
            if not self.alive or time.monotonic() > limit:
                status = self._process.poll()
                self.kill()
                what = f"ended with {status}" if status is not None else f"was not ready in {self._seconds} s"
                raise ServerFailedError(f"{self._command[0]} {what}; the end of {self.log}:\n{self.tail()}")
            time.sleep(0.1)

    def stop(self, seconds: float = 30) -> None:
        """Asks it to end (SIGTERM), and kills it where it does not in time."""
        if self._process is None or not self.alive:
            return
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        self.kill()

    def kill(self) -> None:
        """Ends it and its children at once (SIGKILL)."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        # Another process may get its number.
        self._process = None

    def tail(self) -> str:
        """The last lines of its log."""
        with contextlib.suppress(FileNotFoundError):
            return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-SHOWN_LINES:])
        return ""
