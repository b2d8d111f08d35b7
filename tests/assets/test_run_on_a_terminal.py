"""`python -m election_assets.run` on a pseudo-terminal: Ctrl-C in a step, then the run from there to its end."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import sys
import termios
import threading
from pathlib import Path

import pytest

from tests.assets.roots import PROJECT, SECONDS, Root
from tests.assets.test_definitions import ASSETS
from tests.terminal import cursor_is_shown, screen

WIDTH = 80
CTRL_C = b"\x03"
OF_ONES_OWN_TERMINAL = {"CI", "COLUMNS", "LINES", "NO_COLOR"}


def run(root: Root, stop_at: str = "") -> tuple[int, str]:
    """The exit code, and all that came to the terminal; Ctrl-C is pressed once it shows a text."""
    env = {
        name: value for name, value in root.environment.items() if name not in {"CI", "NO_COLOR", "COLUMNS", "LINES"}
    }
    env |= {"TERM": "xterm-256color", "PYTHONUTF8": "1"}
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(PROJECT)
        os.execve(sys.executable, [sys.executable, "-m", "election_assets.run"], env)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, WIDTH, 0, 0))
    killer = threading.Timer(SECONDS, os.kill, (child, 9))
    killer.start()
    written = b""
    try:
        while part := _read(terminal):
            written += part
            if stop_at and stop_at.encode() in written:
                os.write(terminal, CTRL_C)
                stop_at = ""
    finally:
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        killer.cancel()
        os.close(terminal)
    return code, written.decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:
        # How Linux says that nobody has the terminal open any more.
        return b""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Root, tuple[int, str], tuple[int, str]]:
    root = Root(tmp_path_factory.mktemp("terminal") / "data", {"SAMPLE_TWEETS": "300"})
    return root, run(root, stop_at=" raw_tweets "), run(root)


def test_ctrl_c_stops_the_run_and_leaves_the_terminal_clean(runs) -> None:
    code, written = runs[1]
    rows = [row for row in screen(written) if row]
    assert code == 130
    assert " 0 of 10" in written
    assert "■ raw_tweets" in rows[-2]
    assert rows[-1] == "Stopped. What was finished is kept; `make run` adds what is missing."
    assert "Traceback" not in written
    assert cursor_is_shown(written)
    assert not runs[0].runs()[0].success


def test_a_run_ends_with_a_line_an_asset_and_the_path_of_the_report(runs) -> None:
    code, written = runs[2]
    title, *rows, ended, report = [row for row in screen(written) if row]
    assert code == 0
    assert title.startswith("Élection présidentielle de Valmarie")
    assert [row.split()[1] for row in rows if row[0] != " "] == [
        step for kind, step in runs[0].runs()[1].events if kind == "STEP_SUCCESS" and step in ASSETS
    ]
    assert {row[0] for row in rows} <= {"✓", " "}
    assert max(map(len, rows)) <= WIDTH
    assert "3 candidates" in rows[0] + rows[1]
    assert " succeeded in " in ended
    assert Path(report.removeprefix("report: ")) == runs[0].path / "report" / "index.html"
    assert "10 of 10" in written
    assert cursor_is_shown(written)
