"""The report over HTTP, as any static host serves it: what the links in Dagster's UI open.

`python -m resources.report_server` serves the report of ELECTION_DATA at REPORT_HOST and REPORT_PORT until it is ended.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from waitress.server import BaseWSGIServer

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = "3001"


class ReportServerError(Exception):
    """The report cannot be served; the message says why and what to do."""


def report_address(env: Mapping[str, str]) -> str:
    """Where a browser finds the report: REPORT_URL, or what is served on this machine."""
    return env.get("REPORT_URL", "").rstrip("/") or f"http://127.0.0.1:{env.get('REPORT_PORT') or DEFAULT_PORT}"


def report_server(folder: Path, host: str, port: str) -> BaseWSGIServer:
    """A server of a report's folder that listens already; its `run` answers.

    What is not there, the report before it is made among it, is a 404 with a sentence.

    Raises:
        ReportServerError: If nothing can listen there.
    """
    from flask import Flask, Response
    from waitress.server import create_server

    app = Flask(__name__, static_folder=str(folder.absolute()), static_url_path="")

    @app.get("/")
    def index() -> Response:
        return app.send_static_file("index.html")

    @app.errorhandler(404)
    def missing(error: object) -> tuple[str, int, dict[str, str]]:
        there = "Nothing is here." if (folder / "index.html").exists() else "No report is here yet."
        return f"{there} The asset `report` writes it.\n", 404, {"Content-Type": "text/plain; charset=utf-8"}

    try:
        if not 0 < int(port) < 2**16:
            raise ValueError("no port has that number")
        return create_server(app, host=host, port=int(port), ident=None)
    except (OSError, ValueError) as error:
        raise ReportServerError(
            f"The report cannot be served at {host}, port {port} ({error}): choose another with REPORT_PORT."
        ) from error


def main() -> int:
    """Serves until it is ended; the process's exit status."""
    from election_assets.storage import DataRoot, DataRootError

    host, port = os.environ.get("REPORT_HOST") or DEFAULT_HOST, os.environ.get("REPORT_PORT") or DEFAULT_PORT
    try:
        server = report_server(DataRoot.from_env(os.environ).report, host, port)
    except (DataRootError, ReportServerError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"the report: http://{host}:{port}", flush=True)
    server.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
