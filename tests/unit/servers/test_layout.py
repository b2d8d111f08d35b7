"""Provisioned folders are whole or made anew, and a download that fails says so once, after several tries."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers import layout, provision
from tests.servers.layout import STAMP, TRIES, download, laid_out
from tests.servers.processes import ServerFailedError

ROOT = Path(__file__).parents[3]

# Downloads with a program that says when it runs, and runs until it is told to end.
MAKER = """
import sys
from pathlib import Path
from tests.servers.layout import download, laid_out
with laid_out(Path(sys.argv[1]), "recipe"):
    download(["sh", "-c", "echo >runs; read line <end"], "content", Path(sys.argv[2]))
"""


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "PAUSE", 0)


def make(folder: Path, recipe: str) -> bool:
    with laid_out(folder, recipe) as to_make:
        if to_make:
            assert not list(folder.iterdir())
            (folder / "content").write_text(recipe)
    return to_make


def test_a_folder_is_made_once_for_a_recipe(tmp_path: Path) -> None:
    folder = tmp_path / "cache" / "server-1"
    assert [make(folder, recipe) for recipe in ("a", "a", "b", "b")] == [True, False, True, False]
    assert (folder / "content").read_text() == "b"


def test_a_folder_that_was_not_finished_is_made_anew(tmp_path: Path) -> None:
    folder = tmp_path / "server-1"
    with pytest.raises(ServerFailedError), laid_out(folder, "a"):
        download(["sh", "-c", "echo >half; false"], "content", folder)
    assert (folder / "half").exists()
    assert not (folder / STAMP).exists()
    assert make(folder, "a")
    assert not (folder / "half").exists()


def test_after_a_killed_process_the_next_waits_for_what_it_started(tmp_path: Path) -> None:
    folder, runs, end = tmp_path / "server-1", tmp_path / "runs", tmp_path / "end"
    os.mkfifo(runs)
    os.mkfifo(end)
    killed = subprocess.Popen(
        [sys.executable, "-c", MAKER, str(folder), str(tmp_path)], env=os.environ | {"PYTHONPATH": str(ROOT)}
    )
    runs.read_text()
    killed.kill()
    killed.wait()
    lock = (tmp_path / "server-1.lock").open("a")
    with lock, pytest.raises(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    end.write_text("\n")
    assert make(folder, "recipe")


def test_a_download_is_tried_again(tmp_path: Path) -> None:
    download(["sh", "-c", "echo >>tries; test $(wc -l <tries) = 2"], "content", tmp_path)
    assert (tmp_path / "tries").read_text() == "\n\n"


def test_a_download_that_fails_each_time_tells_its_first_error_in_one_sentence(tmp_path: Path) -> None:
    script = "echo >>tries; echo resolving; echo '[ERROR] Unknown host'; echo '[ERROR] Run with -X'; false"
    with pytest.raises(ServerFailedError) as failure:
        download(["sh", "-c", script], "NiFi", tmp_path)
    assert str(failure.value) == (
        f"NiFi could not be downloaded in {TRIES} tries with sh; is the network there? [ERROR] Unknown host"
    )
    assert len((tmp_path / "tries").read_text().splitlines()) == TRIES


def test_a_program_that_is_missing_is_named_with_what_installs_it(tmp_path: Path) -> None:
    with pytest.raises(ServerFailedError, match=r"NiFi needs no-such-program on the PATH: run tests/provision\.sh"):
        download(["no-such-program"], "NiFi", tmp_path)


def test_an_unknown_server_is_refused() -> None:
    assert provision.main(["kafka", "rabbit"]) == (
        "There is no server rabbit: choose of postgresql, kafka, nifi, containers."
    )
