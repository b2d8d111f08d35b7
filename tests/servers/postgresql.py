"""PostgreSQL from Debian's package, on loopback and small; it knows nothing of what is stored in it."""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import weakref
from pathlib import Path
from urllib.parse import quote

import psycopg2

from tests.servers.processes import Process, ServerFailedError, free_port

USER = "postgres"
SERVER_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "shared_buffers": "16MB",
    "max_connections": "80",
    # A killed process leaves what it wrote with the system; only a machine that dies needs it on the disk.
    "fsync": "off",
}


class MissingPackageError(RuntimeError):
    """PostgreSQL is not installed; the message says what to install."""


def provision() -> Path:
    """The folder of PostgreSQL's own commands, those of the newest version that is installed.

    Raises:
        MissingPackageError: If there is none.
    """
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda file: int(file.parts[-3]))
    on_path = shutil.which("postgres")
    if not found and not on_path:
        raise MissingPackageError(
            "PostgreSQL is not installed: install Debian's package (apt-get install postgresql), or put postgres and"
            " initdb on the PATH."
        )
    return found[-1].parent if found else Path(on_path).resolve().parent


class PostgreSQLServer:
    """A server with an empty cluster of its own; its data outlive stop and kill, and the port stays.

    PostgreSQL refuses to run as root: root runs it as the user postgres, with the data in a folder which that user can
    reach; anybody else runs it as oneself, with the data in `folder`.

    Attributes:
        port: Port of loopback.
        password: Of the user postgres.
    """

    def __init__(self, folder: Path) -> None:
        """Describes the server; nothing starts yet.

        Args:
            folder: For its log and, unless root runs it, its data.
        """
        self._bin = provision()
        self.port = free_port()
        self.password = secrets.token_hex(16)
        folder.mkdir(parents=True, exist_ok=True)
        if os.geteuid() == 0:
            # pytest's folders are closed to others, and their parents, too.
            self._folder = Path(tempfile.mkdtemp(prefix="postgresql-"))
            shutil.chown(self._folder, USER)
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        else:
            self._folder = folder
        settings = {**SERVER_SETTINGS, "port": str(self.port)}
        self._process = Process(
            [
                *self._as_user(),
                *(str(self._bin / "postgres"), "-D", str(self._data)),
                *(word for name, value in settings.items() for word in ("-c", f"{name}={value}")),
            ],
            folder / "postgresql.log",
            self._answers,
            folder=self._folder,
        )

    @property
    def alive(self) -> bool:
        """Whether the server's process runs."""
        return self._process.alive

    @property
    def log(self) -> Path:
        """What the server wrote."""
        return self._process.log

    @property
    def settings(self) -> dict[str, str]:
        """The environment of a client of the database `postgres`, by the names that compose/dagster.yaml reads."""
        return self._settings("postgres")

    @property
    def url(self) -> str:
        """The address of the database `postgres`, for libpq."""
        return f"postgresql://{USER}:{quote(self.password)}@127.0.0.1:{self.port}/postgres"

    def create_database(self, name: str) -> dict[str, str]:
        """Makes a database.

        Returns:
            The environment of its client.
        """
        with contextlib.closing(psycopg2.connect(self.url)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(f'CREATE DATABASE "{name}"')
        return self._settings(name)

    def start(self) -> None:
        """Starts the server, the first time with a new cluster, and returns once it answers.

        Raises:
            ServerFailedError: If it does not.
        """
        if not self._data.exists():
            self._make_cluster()
        self._process.start()

    def stop(self) -> None:
        """Ends it in order without waiting for its clients, whose connections break (`fast`)."""
        if self.alive:
            subprocess.run(
                [*self._as_user(), str(self._bin / "pg_ctl"), "-D", str(self._data), "-m", "fast", "-w", "-s", "stop"],
                cwd=self._folder,
                check=True,
            )
            self._process.stop()

    def restart(self) -> None:
        """Stops and starts it."""
        self.stop()
        self.start()

    def kill(self) -> None:
        """Ends it and every process of a connection at once (SIGKILL)."""
        workers = self._workers()
        self._process.kill()
        for worker in workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def _settings(self, database: str) -> dict[str, str]:
        return {
            "DAGSTER_POSTGRES_HOST": "127.0.0.1",
            "DAGSTER_POSTGRES_PORT": str(self.port),
            "DAGSTER_POSTGRES_USER": USER,
            "DAGSTER_POSTGRES_PASSWORD": self.password,
            "DAGSTER_POSTGRES_DB": database,
        }

    def _as_user(self) -> list[str]:
        if os.geteuid() != 0:
            return []
        group = str(pwd.getpwnam(USER).pw_gid)
        return ["setpriv", f"--reuid={USER}", f"--regid={group}", "--clear-groups", "--reset-env"]

    def _make_cluster(self) -> None:
        password = self._folder / "password"
        password.touch(mode=0o600)
        password.write_text(f"{self.password}\n", encoding="ascii")
        shutil.chown(password, self._folder.owner())
        made = subprocess.run(
            [
                *self._as_user(),
                *(str(self._bin / "initdb"), "-D", str(self._data), "-U", USER, "-E", "UTF8", "--locale=C.UTF-8"),
                *("--auth=scram-sha-256", "--no-sync", f"--pwfile={password}"),
            ],
            cwd=self._folder,
            capture_output=True,
            text=True,
        )
        if made.returncode:
            raise ServerFailedError(f"PostgreSQL's cluster could not be made: {made.stderr}")

    def _answers(self) -> bool:
        with contextlib.suppress(psycopg2.OperationalError):
            psycopg2.connect(self.url, connect_timeout=2).close()
            return True
        return False

    def _workers(self) -> list[int]:
        """The server's own processes beside its first: each is the leader of a session of its own."""
        with contextlib.suppress(FileNotFoundError):
            first = (self._data / "postmaster.pid").read_text().split()[0]
            return [int(word) for word in Path(f"/proc/{first}/task/{first}/children").read_text().split()]
        return []
