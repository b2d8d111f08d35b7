"""The embedded services of a data root: one process that hosts the scraper and the broker while somebody uses them.

Every user holds a shared lock on `locks/services.users`; the process ends once it can take that lock alone, so a user
that is killed leaves nothing running. The first user starts it, later ones join the addresses in `services.json`.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

import dagster as dg

from election_assets.election import load_election
from election_assets.storage import DataRoot, write_atomically

START_SECONDS = 60
_SETTINGS = ("ELECTION", "ARCHIVE", "X_BEARER_TOKEN", "KAFKA_BOOTSTRAP_SERVERS", "SCRAPER_URL")


class ServicesError(RuntimeError):
    """The embedded services cannot be started or joined."""


@dataclass(frozen=True)
class Addresses:
    """Where the embedded services listen: an URL and `host:port`; empty where an outside one is used instead."""

    scraper: str
    kafka: str


class EmbeddedServicesResource(dg.ConfigurableResource):
    """The embedded services of a data root, started at first use.

    Attributes:
        data_root: The folder they belong to.
    """

    data_root: str

    def addresses(self) -> Addresses:
        """Joins the services or starts them; they live at least as long as this process.

        Raises:
            dg.Failure: If they do not start, or run with other settings; trying again does not help.
        """
        try:
            return join(Path(self.data_root))
        except ServicesError as error:
            raise dg.Failure(str(error), allow_retries=False) from error


@functools.cache
def join(data_root: Path) -> Addresses:
    """Joins the services of a data root, or starts them, for the rest of this process's life.

    Raises:
        ServicesError: If they do not start, or run with other settings than this process has.
    """
    _lock(data_root / "locks" / "services.users", fcntl.LOCK_SH)
    starting = _lock(data_root / "locks" / "services.start", fcntl.LOCK_EX)
    try:
        return _running(data_root) or _start(data_root)
    finally:
        starting.close()


def _lock(path: Path, kind: int) -> IO[str]:
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.open("a")
    fcntl.flock(file, kind)
    _held.append(file)
    return file


_held: list[IO[str]] = []
"""Locks held until they are closed or the process ends: without a reference they would be closed at once."""


def _settings(env: Mapping[str, str]) -> dict[str, str]:
    """What services started from this environment serve; a secret counts only as being there."""
    settings = {name: env.get(name, "") for name in _SETTINGS}
    settings["ELECTION"] = load_election(env.get("ELECTION")).key
    settings["ARCHIVE"] = settings["ARCHIVE"] and str(Path(settings["ARCHIVE"]).resolve())
    settings["X_BEARER_TOKEN"] = "set" if settings["X_BEARER_TOKEN"] else ""
    return settings


def _running(data_root: Path) -> Addresses | None:
    try:
        content = json.loads(DataRoot(data_root).services_file.read_text())
        addresses = Addresses(**content["addresses"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
    if not (_alive(content["pid"]) and _listens(addresses)):
        return None
    wanted = _settings(os.environ)
    other = [f"{name}={value or '(unset)'}" for name, value in content["settings"].items() if value != wanted.get(name)]
    if other:
        raise ServicesError(
            f"{data_root} is in use by embedded services with other settings ({', '.join(other)});"
            " stop what uses them (such as make dev), or name another ELECTION_DATA."
        )
    return addresses


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def _listens(addresses: Addresses) -> bool:
    for address in (addresses.scraper.removeprefix("http://"), addresses.kafka):
        host, _, port = address.rpartition(":")
        if address:
            try:
                socket.create_connection((host, int(port)), timeout=2).close()
            except OSError:
                return False
    return True


def _start(data_root: Path) -> Addresses:
    log = data_root / "services.log"
    DataRoot(data_root).services_file.unlink(missing_ok=True)
    with log.open("ab") as output:
        start = output.tell()
        process = subprocess.Popen(
            [sys.executable, "-m", "resources.services", "serve", str(data_root)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=Path(__file__).parents[1],
            env=os.environ | {"PYTHONWARNINGS": "ignore"},
            start_new_session=True,
        )
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        if addresses := _running(data_root):
            return addresses
        time.sleep(0.05)
    process.kill()
    with log.open("rb") as written:
        written.seek(start)
        said = written.read().decode(errors="replace").strip().splitlines()
    raise ServicesError(f"The embedded services did not start ({log}): {said[-1] if said else 'no word from them'}")


def serve(data_root: Path, env: Mapping[str, str]) -> None:
    """Hosts the services until nobody uses them any more or the process is told to stop."""
    from scraper_api.__main__ import build_service

    from resources.embedded_broker import EmbeddedBroker

    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    with contextlib.ExitStack() as services:
        kafka = scraper = ""
        if not env.get("KAFKA_BOOTSTRAP_SERVERS"):
            kafka = services.enter_context(EmbeddedBroker(data_root / "broker.sqlite")).address
        if not env.get("SCRAPER_URL"):
            service = build_service({**env, "ELECTION_DATA": str(data_root), "SCRAPER_PORT": "0"})
            scraper = service.start()
            services.callback(service.stop)
        content = {
            "pid": os.getpid(),
            "addresses": asdict(Addresses(scraper, kafka)),
            "settings": _settings(env),
        }
        file = DataRoot(data_root).services_file
        write_atomically(file, json.dumps(content, indent=1).encode())
        with (data_root / "locks" / "services.users").open("a") as users:
            while not stopped.wait(1) and not _nobody_uses(users):
                pass
            file.unlink(missing_ok=True)
            # The lock on the users, if taken, is held to the end: who joins now waits, and then starts anew.
            services.close()


def _nobody_uses(users: IO[str]) -> bool:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextlib.contextmanager
def _terminated_with_us(process: subprocess.Popen[bytes]) -> Iterator[None]:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _: process.send_signal(received))
    yield


def keep_during(data_root: Path, command: Sequence[str]) -> int:
    """Keeps the services up while a command runs; its exit code."""
    addresses = join(data_root)
    print(f"embedded services: scraper {addresses.scraper or 'outside'}, Kafka {addresses.kafka or 'outside'}")
    process = subprocess.Popen(command)
    with _terminated_with_us(process):
        return process.wait()


def main(arguments: Sequence[str]) -> int:
    """`serve DATA_ROOT` hosts the services; `during COMMAND...` keeps those of ELECTION_DATA up during a command."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    if arguments[:1] == ["serve"] and len(arguments) == 2:
        serve(Path(arguments[1]), os.environ)
        return 0
    if arguments[:1] == ["during"] and len(arguments) > 1:
        try:
            return keep_during(DataRoot.from_env(os.environ).path, arguments[1:])
        except ServicesError as error:
            print(error, file=sys.stderr)
            return 1
    print(main.__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
