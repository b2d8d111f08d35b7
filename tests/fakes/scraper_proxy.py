"""A door in front of a real scraper that answers for chosen candidates as the scraper does when X fails: 502."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlsplit
from urllib.request import ProxyHandler, Request, build_opener

# A proxy for the internet knows nothing of a scraper on this machine.
_open = build_opener(ProxyHandler({})).open


class ScraperProxy:
    """Passes requests on, but for batches of the candidates in `failing` (key to sentence).

    `meanwhile`, if set, is called once, when the service was asked for its status and before the answer goes back.
    """

    def __init__(self, scraper: str) -> None:
        self.scraper = scraper
        self.failing: dict[str, str] = {}
        self.meanwhile: Callable[[], object] | None = None
        self.url = ""

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        wanted = parse_qs(urlsplit(path).query).get("candidat", [""])[0]
        if wanted in self.failing:
            return 502, json.dumps({"error": self.failing[wanted]}).encode()
        request = Request(self.scraper + path, data=body if method == "POST" else None, method=method)
        try:
            with _open(request) as answer:
                return answer.status, answer.read()
        except HTTPError as error:
            return error.code, error.read()

    @contextmanager
    def serve(self) -> Iterator[ScraperProxy]:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def handle_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                status, content = proxy.answer(self.command, self.path, body)
                if self.path == "/status" and proxy.meanwhile:
                    meanwhile, proxy.meanwhile = proxy.meanwhile, None
                    meanwhile()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = handle_any

            def log_message(self, *_: object) -> None:
                pass

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            self.url = f"http://127.0.0.1:{server.server_port}"
            thread = threading.Thread(target=server.serve_forever, args=[0.01], daemon=True)
            thread.start()
            try:
                yield self
            finally:
                server.shutdown()
                thread.join()
