"""Runs the scraper: `python -m scraper_api`, or `build_service` inside another process."""

from __future__ import annotations

import logging
import os
import secrets
import signal
import socket
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

from flask import Flask
from waitress import wasyncore
from waitress.server import create_server

from election_assets.election import Election, ElectionFileError
from scraper_api.app import create_app
from scraper_api.collector import Collector, DataRootError
from scraper_api.sample import write_sample
from scraper_api.settings import Settings, SettingsError, read_settings
from scraper_api.stand_in import StandIn
from scraper_api.x_client import XClient

STAND_IN_NAME = "The local stand-in of X"
_STAND_IN_TIMEOUT = (10, 900)
"""Seconds; the first question about a big file of an archive waits until it is indexed."""
_THREADS = 16


class Service:
    """The scraper and, unless it talks to X, its stand-in, in threads of this process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stand_in: StandIn | None = None
        self._collector: Collector | None = None
        self._server: _Server | None = None
        self.url = ""

    def start(self) -> str:
        """Starts to listen; the address is returned once it does.

        Raises:
            SettingsError: If the address cannot be had, or the token cannot be sent.
            DataRootError: If the data root belongs to another election, source or running scraper.
        """
        settings = self._settings
        listening = _listen(settings.host, settings.port)
        try:
            token = settings.bearer_token or secrets.token_hex(16)
            client = self._client(token)
            self._collector = Collector(
                settings.data_root, settings.election, settings.source, client, settings.archive
            )
            if settings.source == "sample":
                _make_sample(settings.data_root / "sample", settings.election, settings.sample_tweets)
            if settings.archive:
                self._stand_in = StandIn(settings.archive, token)
                client.base_url = self._stand_in.url
        except BaseException:
            listening.close()
            self.stop()
            raise
        self._server = _Server(create_app(self._collector, settings.api_key), listening)
        self._server.start()
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        self.url = f"http://{host}:{listening.getsockname()[1]}"
        return self.url

    def stop(self) -> None:
        """Stops to listen and lets the data root go; stopping twice is fine."""
        if self._server:
            self._server.stop()
        if self._stand_in:
            self._stand_in.close()
        if self._collector:
            self._collector.close()
        self._server = self._stand_in = self._collector = None

    def _client(self, token: str) -> XClient:
        if not self._settings.bearer_token:
            return XClient(token, "http://127.0.0.1", name=STAND_IN_NAME, timeout=_STAND_IN_TIMEOUT, trust_env=False)
        try:
            return XClient(token)
        except ValueError as error:
            raise SettingsError(f"X_BEARER_TOKEN: {error}") from error


def build_service(env: Mapping[str, str]) -> Service:
    """The service that an environment asks for (see `settings.read_settings`), not yet started.

    Raises:
        SettingsError: If the environment contradicts itself.
        ElectionFileError: If the election file cannot be used.
    """
    return Service(read_settings(env))


class _Server:
    """Waitress in a daemon thread that can be stopped, which its own `run` cannot."""

    def __init__(self, app: Flask, listening: socket.socket) -> None:
        self._map: dict = {}
        self._server = create_server(app, map=self._map, sockets=[listening], threads=_THREADS, ident=None)
        self._thread = threading.Thread(target=self._server.run, name="scraper_api", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        # In the server's own thread, so that no socket is closed while its loop waits on it.
        self._server.trigger.pull_trigger(lambda: wasyncore.close_all(self._map))
        self._thread.join()
        self._server.task_dispatcher.shutdown()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        raise SettingsError(
            f"{host}:{port} cannot be listened on ({error.strerror}): set SCRAPER_PORT or SCRAPER_HOST."
        ) from error


def _make_sample(folder: Path, election: Election, tweets: int) -> None:
    corpus = folder / "corpus.jsonl.gz"
    if corpus.exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    beside = folder / ".making.corpus.jsonl.gz"
    write_sample(beside, election, tweets=tweets)
    beside.rename(corpus)


def main() -> int:
    """Runs the service of this process's environment until it is told to stop.

    Returns:
        The process's exit status: 2 if it cannot start.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)

    def leave(number: int, frame: object) -> NoReturn:
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, leave)
    try:
        service = build_service(os.environ)
        url = service.start()
    except (SettingsError, ElectionFileError, DataRootError) as error:
        print(error, file=sys.stderr)
        return 2
    try:
        print(url, flush=True)
        threading.Event().wait()
    except KeyboardInterrupt:
        return 0
    finally:
        service.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
