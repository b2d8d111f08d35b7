"""A small HTTP server that plays X's recent search, with X's errors on demand."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "a-token-that-nobody-may-see"
INVALID = "https://api.twitter.com/2/problems/invalid-request"


@dataclass
class Answer:
    """One answer that the server gives instead of searching."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


SINCE_ID_TOO_OLD = Answer(
    400,
    {
        "errors": [
            {
                "parameters": {"since_id": ["1"]},
                "message": "'since_id' must be a tweet id created after 2022-04-03T00:00Z. Please use a larger one",
            }
        ],
        "title": "Invalid Request",
        "detail": "One or more parameters to your request was invalid.",
        "type": INVALID,
    },
)
TOKEN_REFUSED = Answer(
    400,
    {
        "errors": [{"parameters": {"next_token": ["x"]}, "message": "Invalid 'next_token':'x'. "}],
        "title": "Invalid Request",
        "type": INVALID,
    },
)
BAD_QUERY = Answer(
    400,
    {
        "errors": [{"parameters": {"query": ["("]}, "message": "missing EOF at '('"}],
        "title": "Invalid Request",
        "type": INVALID,
    },
)
UNAUTHORIZED = Answer(401, {"title": "Unauthorized", "type": "about:blank", "status": 401, "detail": "Unauthorized"})
CREDITS_DEPLETED = Answer(402, {"title": "CreditsDepleted", "detail": "Your account has no credits.", "status": 402})
NOT_ENROLLED = Answer(
    403,
    {
        "reason": "client-not-enrolled",
        "title": "Client Forbidden",
        "detail": "You must use keys from an App that is attached to a Project.",
    },
)
RATE_LIMIT = Answer(
    429,
    {"title": "Too Many Requests", "detail": "Too Many Requests", "type": "about:blank", "status": 429},
    {"x-rate-limit-limit": "450", "x-rate-limit-remaining": "0", "x-rate-limit-reset": "1649602800"},
)
USAGE_CAP = Answer(
    429,
    {
        "title": "UsageCapExceeded",
        "detail": "Usage cap exceeded: Monthly product cap",
        "period": "Monthly",
        "scope": "Product",
        "account_id": 1,
    },
    {"x-rate-limit-limit": "450", "x-rate-limit-remaining": "449", "x-rate-limit-reset": "1649602800"},
)
BROKEN = Answer(500, {"title": "Internal Error", "status": 500})
ERRORS_ONLY = Answer(200, {"errors": [{"title": "Service Unavailable", "detail": "Try again."}]})
NO_JSON = Answer(200, "<html>Sign in to the guest network</html>")
HANG = Answer(0)


@dataclass
class FakeX:
    """X with these tweets: every query finds all of them, newest first.

    Attributes:
        tweets: In the order in which they were written; ids grow.
        includes: Given whole with every page.
        before: Called with a search's parameters; an `Answer` is given instead of the page.
        asked: The parameters of every search, in order.
    """

    tweets: list[Any]
    includes: dict[str, list] = field(default_factory=dict)
    before: Callable[[dict[str, str]], Answer | None] = lambda parameters: None
    asked: list[dict[str, str]] = field(default_factory=list)
    page_size: int = 100
    url: str = ""
    released: threading.Event = field(default_factory=threading.Event)

    def search(self, parameters: dict[str, str]) -> Answer:
        """The page that X would give."""
        since = int(parameters.get("since_id", 0))
        token = parameters.get("next_token")
        until, skip = (int(part) for part in token.split("-")) if token else (len(self.tweets), 0)
        newer = [t for t in self.tweets[:until] if int(t.get("id") or not since) > since]
        newer.reverse()
        size = min(int(parameters["max_results"]), self.page_size)
        page = newer[skip : skip + size]
        meta: dict[str, Any] = {"result_count": len(page)}
        if not page:
            return Answer(200, {"meta": meta})
        meta |= {"newest_id": str(page[0].get("id")), "oldest_id": str(page[-1].get("id"))}
        if skip + size < len(newer):
            meta["next_token"] = f"{until}-{skip + size}"
        return Answer(200, {"data": page, "includes": self.includes, "meta": meta})


@contextmanager
def serving(fake: FakeX) -> Iterator[FakeX]:
    """Serves on a free port of 127.0.0.1 while the block runs; `fake.url` is the address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Head and body go in two packets, of which the second would wait 40 ms.
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            parameters = {name: values[0] for name, values in parse_qs(url.query).items()}
            if self.headers["Authorization"] != f"Bearer {TOKEN}":
                answer = UNAUTHORIZED
            elif not url.path.endswith("/2/tweets/search/recent"):
                answer = Answer(404, {"title": "Not Found"})
            else:
                fake.asked.append(parameters)
                answer = fake.before(parameters) or fake.search(parameters)
            if answer is HANG:
                fake.released.wait(30)
                self.close_connection = True
                return
            content = (answer.body if isinstance(answer.body, str) else json.dumps(answer.body)).encode()
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=[0.01], daemon=True)
    thread.start()
    fake.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield fake
    finally:
        fake.released.set()
        server.shutdown()
        server.server_close()
        thread.join()
