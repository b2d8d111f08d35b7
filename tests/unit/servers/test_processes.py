"""A server process is waited for, ended with its children, and tells why it did not start."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.servers import processes
from tests.servers.processes import Process, ServerFailedError, free_port, listens, wait

CHILD = "echo started; sleep 600 & echo $! >child; exec sleep 600"


def server(folder: Path, script: str = CHILD, seconds: float = 30) -> Process:
    return Process(
        ["sh", "-c", script], folder / "log", lambda: (folder / "child").exists(), seconds=seconds, folder=folder
    )


def has_ended(stat: Path) -> bool:
    """Whether a process is gone, or a zombie, which waits for its parent to ask for its end."""
    try:
        return stat.read_text().split()[2] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_it_is_ready_when_started_and_gone_with_its_children_when_killed(tmp_path: Path) -> None:
    process = server(tmp_path)
    assert not process.alive
    process.start()
    assert process.alive
    assert process.tail() == "started"
    child = Path("/proc", (tmp_path / "child").read_text().strip(), "stat")
    assert child.exists()
    process.kill()
    assert not process.alive
    wait(lambda: has_ended(child), "the killed child's end")
    process.kill()
    process.start()
    process.stop()
    assert not process.alive


def test_a_server_that_ends_or_is_never_ready_is_told_with_the_end_of_its_log(tmp_path: Path) -> None:
    with pytest.raises(ServerFailedError, match=r"sh ended with 3; the end of .*/log:\nno such port"):
        server(tmp_path, "echo no such port; exit 3").start()
    late = server(tmp_path, "sleep 600", seconds=0.2)
    with pytest.raises(ServerFailedError, match=r"was not ready in 0\.2 s"):
        late.start()
    assert not late.alive


def test_a_free_port_is_one_that_nobody_listens_on_and_that_was_not_given_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.create_server(("127.0.0.1", free_port())) as taken:
        port = taken.getsockname()[1]
        assert listens(port)
        monkeypatch.setattr(processes, "PORTS", [port, *(free_port() for _ in range(4))])
        monkeypatch.setattr(processes, "_given", set())
        assert {free_port() for _ in range(4)} == set(processes.PORTS) - {port}
