"""Flows of NiFi as data: definitions (what they need and hold, whether two are the same), and what runs and waits."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

# Where things lie on the canvas, whether they run, and what NiFi made up for itself: no part of what a flow does.
_INCIDENTAL = frozenset(
    {"position", "zIndex", "labelIndex", "bends", "style", "width", "height", "scheduledState", "instanceIdentifier"}
)
_PARTS = {
    "processors": "processor",
    "controllerServices": "controller service",
    "connections": "connection",
    "inputPorts": "port",
    "outputPorts": "port",
    "funnels": "funnel",
    "labels": "label",
}


def needed_types(contents: Mapping[str, Any]) -> set[tuple[str, str, str]]:
    """The extensions that a flow needs: full name of the type, group and artifact of its bundle."""
    return {
        (part["type"], part["bundle"]["group"], part["bundle"]["artifact"])
        for _, group in _groups(contents)
        for part in (*group.get("processors", []), *group.get("controllerServices", []))
    }


def parts(contents: Mapping[str, Any]) -> dict[str, str]:
    """What a flow holds, groups included: a label such as `processor le-pen/poll` by identifier."""
    found: dict[str, str] = {}
    for path, group in _groups(contents):
        if path:
            found[group["identifier"]] = f"group {path}"
        for plural, kind in _PARTS.items():
            for part in group.get(plural, []):
                found[part["identifier"]] = f"{kind} {path}/{_name(part)}".replace(" /", " ")
    return found


def instances(contents: Mapping[str, Any]) -> dict[str, str]:
    """NiFi's own id of each connection of a downloaded flow, by identifier."""
    return {
        part["identifier"]: part["instanceIdentifier"]
        for _, group in _groups(contents)
        for part in group.get("connections", [])
    }


def fingerprint(contents: Mapping[str, Any]) -> str:
    """16 hex digits that change with what a flow does, and not with its layout, its order or what runs."""
    outermost = {key: value for key, value in contents.items() if key not in ("name", "comments", "identifier")}
    return hashlib.sha256(json.dumps(_essence(outermost), sort_keys=True).encode()).hexdigest()[:16]


def _groups(contents: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every group with its path, which is empty for the outermost; parents first."""
    yield path, contents
    for group in contents.get("processGroups", []):
        yield from _groups(group, f"{path}/{group['name']}".lstrip("/"))


def _name(part: Mapping[str, Any]) -> str:
    if "source" in part:
        return f"{part['source'].get('name') or '?'} → {part['destination'].get('name') or '?'}"
    return part.get("name") or part["identifier"]


def _essence(value: Any) -> Any:
    match value:
        case Mapping():
            return {key: _essence(inner) for key, inner in value.items() if key not in _INCIDENTAL}
        case list():
            return sorted((_essence(inner) for inner in value), key=lambda inner: json.dumps(inner, sort_keys=True))
        case _:
            return value


@dataclass(frozen=True)
class Queue:
    """A connection and what waits in it.

    Attributes:
        id: NiFi's id of the connection.
        group: Path of its group, such as `le-pen/one-batch`.
        source: Name of where it begins.
        destination: Name of where it ends.
        flow_files: How many wait, or are being worked on.
        bytes: Size of their content.
    """

    id: str
    group: str
    source: str
    destination: str
    flow_files: int
    bytes: int

    def __str__(self) -> str:
        what = "1 FlowFile waits" if self.flow_files == 1 else f"{self.flow_files} FlowFiles wait"
        return f"{what} in {self.group} from {self.source} to {self.destination} ({self.bytes} bytes)"


@dataclass(frozen=True)
class Part:
    """A processor or port.

    Attributes:
        id: NiFi's id.
        group: Path of its group.
        name: Its name.
        state: `Running`, `Stopped`, `Disabled`, `Invalid` or `Validating`.
        threads: How many threads work on it.
    """

    id: str
    group: str
    name: str
    state: str
    threads: int


@dataclass(frozen=True)
class Snapshot:
    """What runs and what waits in a group, at one moment.

    Attributes:
        groups: NiFi's ids of the groups by path from the flow's root, whose own path is empty.
        parts: The processors and ports.
        queues: The connections.
    """

    groups: Mapping[str, str]
    parts: tuple[Part, ...]
    queues: tuple[Queue, ...]

    @classmethod
    def read(cls, status: Mapping[str, Any], path: str = "") -> Snapshot:
        """Reads the `aggregateSnapshot` of NiFi's status of a process group, whose path is given."""
        groups: dict[str, str] = {}
        found: list[Part] = []
        queues: list[Queue] = []
        for place, group in _status_groups(status, path):
            groups[place] = group["id"]
            for kind in ("processor", "inputPort", "outputPort"):
                for entry in group[f"{kind}StatusSnapshots"]:
                    one = entry["processorStatusSnapshot" if kind == "processor" else "portStatusSnapshot"]
                    found.append(Part(one["id"], place, one["name"], one["runStatus"], one["activeThreadCount"]))
            for entry in group["connectionStatusSnapshots"]:
                one = entry["connectionStatusSnapshot"]
                queues.append(
                    Queue(
                        one["id"],
                        place,
                        one["sourceName"],
                        one["destinationName"],
                        one["flowFilesQueued"],
                        one["bytesQueued"],
                    )
                )
        return cls(groups, tuple(found), tuple(queues))

    @property
    def waiting(self) -> list[Queue]:
        """The queues that are not empty, fullest first."""
        return sorted((queue for queue in self.queues if queue.flow_files), key=lambda queue: -queue.flow_files)

    @property
    def quiet(self) -> bool:
        """Whether nothing waits and nothing is worked on."""
        return not self.waiting and not any(part.threads for part in self.parts)

    def part(self, path: str, name: str) -> Part | None:
        """The processor or port of this name in this group."""
        return next((part for part in self.parts if part.group == path and part.name == name), None)

    def inside(self, path: str) -> Snapshot:
        """What belongs to a group and the groups in it."""

        def belongs(other: str) -> bool:
            return not path or other == path or other.startswith(f"{path}/")

        return Snapshot(
            {name: number for name, number in self.groups.items() if belongs(name)},
            tuple(part for part in self.parts if belongs(part.group)),
            tuple(queue for queue in self.queues if belongs(queue.group)),
        )


def _status_groups(status: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield path, status
    for entry in status["processGroupStatusSnapshots"]:
        inner = entry["processGroupStatusSnapshot"]
        yield from _status_groups(inner, f"{path}/{inner['name']}".lstrip("/"))
