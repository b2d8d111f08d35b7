"""NiFi's REST API as far as the resource uses it, in memory: for answers that a real NiFi gives only when it is ill.

It holds one flow, imported from a definition, whose ids are the definition's identifiers. It moves no FlowFile: running
the source of a candidate's group calls `published`.
"""

from __future__ import annotations

import copy
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

Answer = tuple[int, Any]
_STATES = {"RUNNING": "Running", "STOPPED": "Stopped", "DISABLED": "Disabled"}


class FakeNiFi:
    """One NiFi; its attributes are what a test makes of it.

    Attributes:
        login: User name and password that it wants, or None.
        tokens: The tokens that it takes.
        types: (type, artifact) of what is installed; everything that the flow needs once it is imported if None.
        invalid: Errors by name of processor.
        stale: How many changes are still refused as of a revision that is too old.
        published: Called with the candidate's key when its group is run once.
        stuck: What to show as waiting: (path of the group, source, destination).
        bulletins: (path of the group, component, level, message).
        calls: Method and path of every request.
    """

    def __init__(self, flow: dict[str, Any]) -> None:
        self.login: tuple[str, str] | None = None
        self.tokens: set[str] = set()
        self.types: set[tuple[str, str]] = {
            (part["type"], part["bundle"]["artifact"])
            for _, group in _groups(flow["flowContents"])
            for part in (*group["processors"], *group["controllerServices"])
        }
        self.invalid: dict[str, str] = {}
        self.stale = 0
        self.published: Callable[[str], None] = lambda candidate: None
        self.stuck: list[tuple[str, str, str]] = []
        self.bulletins: list[tuple[str, str, str, str]] = []
        self.calls: list[tuple[str, str]] = []
        self.flow: dict[str, Any] | None = None
        self.comments = ""
        self.states: dict[str, str] = {}
        self.enabled = False
        self.revision = 0
        self.contexts: dict[str, dict[str, Any]] = {}
        self.url = ""

    def import_flow(self, flow: dict[str, Any]) -> None:
        """Takes a flow in, everything stopped; what has a state already keeps it."""
        self.flow = copy.deepcopy(flow["flowContents"])
        for _, group in _groups(self.flow):
            for part in (*group["processors"], *group["inputPorts"]):
                state = "DISABLED" if part["scheduledState"] == "DISABLED" else "STOPPED"
                self.states.setdefault(part["identifier"], state)
            for part in (*group["connections"], *group["processors"]):
                part["instanceIdentifier"] = part["identifier"]

    def answer(self, method: str, path: str, query: dict[str, list[str]], body: Any, token: str) -> Answer:
        self.calls.append((method, path))
        if path == "/access/token":
            if (body["username"][0], body["password"][0]) != self.login:
                return 400, "The supplied username and password are not valid."
            self.tokens.add(f"token-{len(self.calls)}")
            return 201, f"token-{len(self.calls)}"
        if self.login and token not in self.tokens:
            return 401, "Unauthorized"
        if method == "PUT" and "revision" in body:
            if self.stale:
                self.stale -= 1
                return 400, "[7, client] is not the most up-to-date revision. This component appears to have changed"
            if body["revision"] != {"version": self.revision}:
                return 400, f"{body['revision']} is not the most up-to-date revision."
            self.revision += 1
        match path.strip("/").split("/"):
            case ["flow", "about"]:
                return 200, {"about": {"version": "2.3.0"}}
            case ["flow", "processor-types"]:
                return 200, {"processorTypes": self._types()}
            case ["flow", "controller-service-types"]:
                return 200, {"controllerServiceTypes": self._types()}
            case ["flow", "parameter-contexts"]:
                return 200, {"parameterContexts": list(self.contexts.values())}
            case ["flow", "bulletin-board"]:
                return 200, {"bulletinBoard": {"bulletins": self._bulletins(int(query["after"][0]))}}
            case ["flow", "process-groups", number, "status"]:
                path_of, group = self._group(number)
                return 200, {"processGroupStatus": {"aggregateSnapshot": self._status(path_of, group)}}
            case ["flow", "process-groups", _, "controller-services"]:
                self.enabled |= method == "PUT"
                return 200, {"controllerServices": self._services()}
            case ["flow", "process-groups", number]:
                self._schedule(number, body["state"])
                return 200, {}
            case ["parameter-contexts"]:
                number = f"context-{len(self.contexts)}"
                entity = {"id": number, "revision": {"version": 0}, "component": body["component"]}
                self.contexts[number] = entity
                return 201, entity
            case ["parameter-contexts", number]:
                return 200, _masked(self.contexts[number])
            case ["parameter-contexts", number, "update-requests"]:
                held = {each["parameter"]["name"]: each for each in self.contexts[number]["component"]["parameters"]}
                held |= {each["parameter"]["name"]: each for each in body["component"]["parameters"]}
                self.contexts[number]["component"]["parameters"] = list(held.values())
                return 200, self._request("/parameter-contexts/x/update-requests/1")
            case ["process-groups", "root", "process-groups"]:
                return 200, {"processGroups": [self._root()] if self.flow else []}
            case ["process-groups", "root", "process-groups", "import"]:
                self.import_flow(body["flowSnapshot"])
                return 201, self._root()
            case ["process-groups", _, "replace-requests"]:
                self.import_flow(body["versionedFlowSnapshot"])
                return 200, self._request("/process-groups/replace-requests/1")
            case ["process-groups", _, "download"]:
                return 200, {"flowContents": self.flow}
            case ["process-groups", number, "processors"]:
                return 200, {"processors": self._processors(number)}
            case ["processors", number, "config", "verification-requests"]:
                validity = self._validity(self._name(number))
                failed = [{"outcome": "FAILED", "explanation": each} for each in validity.get("validationErrors", ())]
                request = self._request(f"{path}/1")["request"]
                return 200, {"request": {**request, "results": failed or [{"outcome": "SUCCESSFUL"}]}}
            case [*_, ("update-requests" | "replace-requests" | "verification-requests"), _]:
                return 200, self._request(path)
            case ["process-groups", _]:
                if method == "PUT":
                    self.comments = body["component"]["comments"]
                return 200, self._root()
            case ["processors", number, *below]:
                if below:
                    self._run(number, body["state"])
                validity = self._validity(self._name(number))
                component = {"state": self.states[number], "config": {"properties": {}}, **validity}
                return 200, {"revision": {"version": self.revision}, "component": component}
        return 404, f"The fake knows no {method} {path}."

    def _run(self, number: str, state: str) -> None:
        if state != "RUN_ONCE":
            self.states[number] = state
            return
        for path, group in _groups(self.flow or {}):
            if any(part["identifier"] == number for part in group["processors"]):
                self.published(path)

    def _name(self, number: str) -> str:
        return next(
            part["name"]
            for _, group in _groups(self.flow or {})
            for part in group["processors"]
            if part["identifier"] == number
        )

    def _schedule(self, number: str, state: str) -> None:
        for _, group in _groups(self._group(number)[1]):
            for part in (*group["processors"], *group["inputPorts"]):
                if self.states[part["identifier"]] != "DISABLED":
                    self.states[part["identifier"]] = state

    def _group(self, number: str) -> tuple[str, dict[str, Any]]:
        return next((path, group) for path, group in _groups(self.flow or {}) if group["identifier"] == number)

    def _root(self) -> dict[str, Any]:
        assert self.flow
        return {
            "id": self.flow["identifier"],
            "revision": {"version": self.revision},
            "component": {"name": self.flow["name"], "comments": self.comments},
        }

    def _types(self) -> list[dict[str, Any]]:
        return [
            {"type": name, "bundle": {"group": "org.apache.nifi", "artifact": artifact}}
            for name, artifact in sorted(self.types)
        ]

    def _services(self) -> list[dict[str, Any]]:
        assert self.flow
        state = "ENABLED" if self.enabled else "DISABLED"
        return [
            {"component": {"name": each["name"], "state": state, **self._validity(each["name"])}}
            for each in self.flow["controllerServices"]
        ]

    def _processors(self, number: str) -> list[dict[str, Any]]:
        return [
            {
                "component": {
                    "name": each["name"],
                    "state": self.states[each["identifier"]],
                    **self._validity(each["name"]),
                }
            }
            for _, group in _groups(self._group(number)[1])
            for each in group["processors"]
        ]

    def _validity(self, name: str) -> dict[str, Any]:
        if name in self.invalid:
            return {"validationStatus": "INVALID", "validationErrors": [self.invalid[name]]}
        return {"validationStatus": "VALID"}

    def _status(self, path: str, group: dict[str, Any]) -> dict[str, Any]:
        def part(each: dict[str, Any]) -> dict[str, Any]:
            state = _STATES[self.states[each["identifier"]]]
            state = "Invalid" if each["name"] in self.invalid and state == "Stopped" else state
            return {"id": each["identifier"], "name": each["name"], "runStatus": state, "activeThreadCount": 0}

        waiting = [
            {
                "connectionStatusSnapshot": {
                    "id": each["identifier"],
                    "sourceName": each["source"]["name"],
                    "destinationName": each["destination"]["name"],
                    "flowFilesQueued": int((path, each["source"]["name"], each["destination"]["name"]) in self.stuck),
                    "bytesQueued": 12,
                }
            }
            for each in group["connections"]
        ]
        return {
            "id": group["identifier"],
            "name": group["name"],
            "processorStatusSnapshots": [{"processorStatusSnapshot": part(each)} for each in group["processors"]],
            "inputPortStatusSnapshots": [{"portStatusSnapshot": part(each)} for each in group["inputPorts"]],
            "outputPortStatusSnapshots": [],
            "connectionStatusSnapshots": waiting,
            "processGroupStatusSnapshots": [
                {"processGroupStatusSnapshot": self._status(f"{path}/{inner['name']}".lstrip("/"), inner)}
                for inner in group["processGroups"]
            ],
        }

    def _bulletins(self, after: int) -> list[dict[str, Any]]:
        numbers = {path: group["identifier"] for path, group in _groups(self.flow or {})}
        return [
            {
                "groupId": numbers[path],
                "bulletin": {"id": number, "sourceName": component, "level": level, "message": message},
            }
            for number, (path, component, level, message) in enumerate(self.bulletins)
            if number > after
        ]

    def _request(self, path: str) -> dict[str, Any]:
        return {"request": {"complete": True, "uri": f"{self.url}/nifi-api{path}"}}

    @contextmanager
    def serve(self) -> Iterator[FakeNiFi]:
        nifi = self

        class Handler(BaseHTTPRequestHandler):
            def handle_any(self) -> None:
                content = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                parts = urlsplit(self.path)
                form = self.headers.get("Content-Type") == "application/x-www-form-urlencoded"
                body = parse_qs(content) if form else json.loads(content or "{}")
                token = self.headers.get("Authorization", "").removeprefix("Bearer ")
                status, found = nifi.answer(
                    self.command, parts.path.removeprefix("/nifi-api"), parse_qs(parts.query), body, token
                )
                answer = (found if isinstance(found, str) else json.dumps(found)).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.send_header("Set-Cookie", "__Secure-Authorization-Bearer=cookie; Path=/")
                self.end_headers()
                self.wfile.write(answer)

            do_GET = do_POST = do_PUT = do_DELETE = handle_any

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


def _groups(contents: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    if not contents:
        return
    yield path, contents
    for group in contents["processGroups"]:
        yield from _groups(group, f"{path}/{group['name']}".lstrip("/"))


def _masked(context: dict[str, Any]) -> dict[str, Any]:
    shown = copy.deepcopy(context)
    for each in shown["component"]["parameters"]:
        if each["parameter"]["sensitive"]:
            each["parameter"]["value"] = "********"
    return shown
