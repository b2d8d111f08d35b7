"""The embedded services of a data root: one process that hosts the scraper and the broker while somebody uses them.

Every user holds a shared lock on `locks/services.users`; the process ends once it can take that lock alone, so a user
that is killed leaves nothing running. The first user starts it, later ones join the addresses in `services.json`. The
process holds `locks/services.serve` as long as it lives, so what a killed one left behind is told from what runs.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from election_assets.election import ElectionFileError, load_election
from election_assets.storage import DataRoot, write_atomically
from resources.report_server import DEFAULT_HOST, ReportServerError, report_server

START_SECONDS = 60
WATCH_SECONDS = 0.2
"""How often the services look whether anybody still uses them; a look is one flock."""


class ServicesError(RuntimeError):
    """The embedded services cannot be started or joined."""


@dataclass(frozen=True)
class Addresses:
    """Where the embedded services listen: an URL and `host:port`; empty where an outside one is used instead."""

    scraper: str
    kafka: str


_users: dict[Path, IO[str]] = {}
"""The lock that this process holds as a user of a data root's services."""

_started: list[subprocess.Popen[bytes]] = []
"""Services that this process started: they are collected when they end, and outlive it otherwise."""


def join(data_root: Path) -> Addresses:
    """Joins the services of a data root, or starts them; they are kept up until `leave` or the end of this process.

    Joining again is cheap, and starts the services anew where they died.

    Raises:
        ServicesError: If they do not start, or run with other settings than this process has.
    """
    data_root = data_root.resolve()
    users = _users.get(data_root)
    try:
        wanted = _settings(os.environ)
        if users is None:
            users = _lock(data_root, "users", fcntl.LOCK_SH)
        with _lock(data_root, "start", fcntl.LOCK_EX):
            addresses = _running(data_root, wanted) or _start(data_root, wanted)
    except BaseException as error:
        if users is not None and data_root not in _users:
            users.close()
        if isinstance(error, ElectionFileError):
            raise ServicesError(str(error)) from error
        if isinstance(error, OSError):
            raise ServicesError(f"The embedded services cannot use {data_root}: {error}.") from error
        raise
    _users[data_root] = users
    return addresses


def leave(data_root: Path) -> None:
    """Uses the services no more, so that they end if nobody else does."""
    users = _users.pop(data_root.resolve(), None)
    if users is not None:
        users.close()


def listening(data_root: Path) -> Addresses | None:
    """Where the services of a data root listen, None if they do not run; it is no use of them that keeps them up."""
    found = _found(data_root)
    return found and found[0]


def _lock(data_root: Path, name: str, kind: int) -> IO[str]:
    path = data_root / "locks" / f"services.{name}"
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.open("a")
    try:
        fcntl.flock(file, kind)
    except BaseException:
        file.close()
        raise
    return file


def _settings(env: Mapping[str, str]) -> dict[str, str]:
    """What services started from this environment serve; what may hold a secret counts only as being there."""
    election = load_election(env.get("ELECTION"))
    # An election file that was edited is another one: the scraper read its queries when it started.
    content = hashlib.sha256(election.path.read_bytes()).hexdigest()[:8]
    archive = env.get("ARCHIVE", "").strip()
    return {
        "ELECTION": f"{election.key}, contents {content}",
        "ARCHIVE": str(Path(archive).resolve()) if archive else "",
        **{
            name: "set" if env.get(name, "").strip() else ""
            for name in ("X_BEARER_TOKEN", "KAFKA_BOOTSTRAP_SERVERS", "SCRAPER_URL")
        },
    }


def _running(data_root: Path, wanted: Mapping[str, str]) -> Addresses | None:
    if not _served(data_root):
        return None
    found = _found(data_root)
    if found is None:
        return None
    addresses, settings = found
    other = [
        f"{name}={settings.get(name) or '(unset)'} and not {value or '(unset)'}"
        for name, value in wanted.items()
        if value != settings.get(name)
    ]
    if other:
        raise ServicesError(
            f"{data_root} is in use by embedded services with other settings ({'; '.join(other)});"
            " stop what uses them (such as make dev), or name another ELECTION_DATA."
        )
    return addresses


def _found(data_root: Path) -> tuple[Addresses, dict[str, str]] | None:
    """The addresses and settings that services wrote down, if somebody listens there."""
    try:
        content = json.loads(DataRoot(data_root).services_file.read_text(encoding="utf-8"))
        addresses, settings = Addresses(**content["addresses"]), dict(content["settings"])
        return (addresses, settings) if _listens(addresses) else None
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _served(data_root: Path) -> bool:
    """Whether a process serves this data root: starting, up or closing."""
    try:
        _lock(data_root, "serve", fcntl.LOCK_SH | fcntl.LOCK_NB).close()
    except BlockingIOError:
        return True
    return False


def _listens(addresses: Addresses) -> bool:
    for address in (addresses.scraper.removeprefix("http://"), addresses.kafka):
        host, _, port = address.rpartition(":")
        if address:
            try:
                socket.create_connection((host, int(port)), timeout=2).close()
            except OSError:
                return False
    return True


def _start(data_root: Path, wanted: Mapping[str, str]) -> Addresses:
    """Starts the services, after those that are closing, or waits for those that are starting."""
    log = data_root / "services.log"
    process: subprocess.Popen[bytes] | None = None
    end = time.monotonic() + START_SECONDS
    written = 0
    while time.monotonic() < end:
        if addresses := _running(data_root, wanted):
            return addresses
        if process is None and not _served(data_root):
            written = log.stat().st_size if log.exists() else 0
            process = _launch(data_root, log)
        elif process is not None and process.poll() is not None:
            if process.returncode:
                raise ServicesError(f"The embedded services did not start ({log}): {_last_line(log, written)}")
            process = None  # Another one was first.
        time.sleep(0.05)
    if process is not None:
        process.kill()
        process.wait()
    raise ServicesError(
        f"The embedded services were not up after {START_SECONDS} s ({log}): {_last_line(log, written)}"
    )


def _launch(data_root: Path, log: Path) -> subprocess.Popen[bytes]:
    # It runs in another folder: paths have to be whole.
    env = os.environ | {"ELECTION": str(load_election().path.resolve()), "PYTHONWARNINGS": "ignore"}
    if archive := env.get("ARCHIVE", "").strip():
        env["ARCHIVE"] = str(Path(archive).resolve())
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "resources.services", "serve", str(data_root)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=Path(__file__).parents[1],
            env=env,
            start_new_session=True,
        )
    _started[:] = [one for one in _started if one.poll() is None] + [process]
    return process


def _last_line(log: Path, start: int) -> str:
    if not log.exists():
        return "no word from them"
    with log.open("rb") as file:
        file.seek(start)
        said = file.read().decode(errors="replace").strip().splitlines()
    return said[-1] if said else "no word from them"


def serve(data_root: Path, env: Mapping[str, str]) -> None:
    """Hosts the services until nobody uses them any more or the process is told to stop.

    Does nothing where another process serves the data root.

    Raises:
        ServicesError: If one of the services cannot start.
    """
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    file = DataRoot(data_root).services_file
    with contextlib.ExitStack() as services:
        try:
            services.enter_context(_lock(data_root, "serve", fcntl.LOCK_EX | fcntl.LOCK_NB))
        except BlockingIOError:
            return
        file.unlink(missing_ok=True)
        addresses = _open(services, data_root, env)
        content = {"pid": os.getpid(), "addresses": asdict(addresses), "settings": _settings(env)}
        write_atomically(file, json.dumps(content, indent=1).encode())
        with (data_root / "locks" / "services.users").open("a") as users:
            while not stopped.wait(WATCH_SECONDS) and not _nobody_uses(users):
                pass
            file.unlink(missing_ok=True)
            # The lock on the users, if taken, is held to the end: who joins now waits, and then starts anew.
            services.close()


def _open(services: contextlib.ExitStack, data_root: Path, env: Mapping[str, str]) -> Addresses:
    """Starts the services that the environment does not name elsewhere; they are closed with the stack."""
    kafka = scraper = ""
    if not env.get("KAFKA_BOOTSTRAP_SERVERS", "").strip():
        from resources.embedded_broker import EmbeddedBroker

        try:
            kafka = services.enter_context(EmbeddedBroker(data_root / "broker.sqlite")).address
        except RuntimeError as error:
            raise ServicesError(str(error)) from error
    if not env.get("SCRAPER_URL", "").strip():
        from scraper_api.__main__ import build_service
        from scraper_api.collector import DataRootError
        from scraper_api.settings import SettingsError

        own = {"ELECTION_DATA": str(data_root), "SCRAPER_HOST": "127.0.0.1", "SCRAPER_PORT": "0"}
        try:
            service = build_service({**env, **own})
            scraper = service.start()
        except (SettingsError, DataRootError, ElectionFileError) as error:
            raise ServicesError(str(error)) from error
        services.callback(service.stop)
    return Addresses(scraper, kafka)


def _nobody_uses(users: IO[str]) -> bool:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def keep_during(data_root: Path, command: Sequence[str]) -> int:
    """Keeps the services up while a command runs; its exit code, 128 and the signal's number if one killed it.

    SIGTERM and SIGINT are passed on to the command. Where REPORT_PORT is set, the report is served there meanwhile.

    Raises:
        ServicesError: If the services cannot be had, or there is no such command.
    """
    if port := os.environ.get("REPORT_PORT"):
        _serve_report(data_root, port)
    addresses = join(data_root)
    print(
        f"embedded services: scraper {addresses.scraper or 'outside'}, Kafka {addresses.kafka or 'outside'}", flush=True
    )
    process: subprocess.Popen[bytes] | None = None
    early: list[int] = []

    def pass_on(received: int, _: object) -> None:
        if process is None:
            early.append(received)
        # Ctrl-C reaches the command, too, and a second one would interrupt its cleaning up.
        elif received != signal.SIGINT or not _in_foreground():
            process.send_signal(received)

    before = {number: signal.signal(number, pass_on) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        process = subprocess.Popen(command)
        for number in early:
            process.send_signal(number)
        code = process.wait()
    except OSError as error:
        raise ServicesError(f"{command[0]} cannot be run: {error.strerror}.") from error
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return 128 - code if code < 0 else code


def _serve_report(data_root: Path, port: str) -> None:
    try:
        server = report_server(DataRoot(data_root).report, DEFAULT_HOST, port)
    except ReportServerError as error:
        raise ServicesError(str(error)) from error
    # Ends with this process.
    threading.Thread(target=server.run, daemon=True).start()


def _in_foreground() -> bool:
    """Whether this process belongs to those that its terminal's Ctrl-C reaches."""
    try:
        with open("/dev/tty", "rb", buffering=0) as terminal:
            return os.tcgetpgrp(terminal.fileno()) == os.getpgrp()
    except OSError:
        return False


def main(arguments: Sequence[str]) -> int:
    """`serve DATA_ROOT` hosts the services; `during COMMAND...` keeps those of ELECTION_DATA up during a command."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    try:
        if arguments[:1] == ["serve"] and len(arguments) == 2:
            serve(Path(arguments[1]).resolve(), os.environ)
            return 0
        if arguments[:1] == ["during"] and len(arguments) > 1:
            return keep_during(DataRoot.from_env(os.environ).path, arguments[1:])
    except ServicesError as error:
        print(error, file=sys.stderr)
        return 1
    print(main.__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
