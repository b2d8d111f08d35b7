"""What the provisioning of the tests' servers shares: a folder that is whole or made anew, and downloads."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.servers.processes import ServerFailedError

STAMP = "provisioned"
TRIES = 3
PAUSE = 5
SHOWN = 300


@contextlib.contextmanager
def laid_out(folder: Path, recipe: str) -> Iterator[bool]:
    """Keeps a folder whole: made by one process at a time, and taken for made only once the block has ended.

    Args:
        folder: The folder; emptied where it is not of this recipe or was not finished.
        recipe: What the folder is made from: another text makes it anew.

    Yields:
        Whether the block has to make it.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f"{folder.name}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # What `download` starts inherits the lock: where this process is killed, the next waits for what still writes.
        os.set_inheritable(lock.fileno(), True)
        stamp = folder / STAMP
        made = stamp.is_file() and stamp.read_text(encoding="utf-8") == recipe
        if not made:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
        yield not made
        if not made:
            part = folder / f"{STAMP}.part"
            part.write_text(recipe, encoding="utf-8")
            part.rename(stamp)


def download(command: Sequence[str], what: str, folder: Path) -> None:
    """Runs a command that downloads, and once or twice again where it fails.

    Args:
        command: Program and arguments.
        what: What it gets, for the message.
        folder: Its working folder.

    Raises:
        ServerFailedError: If the program is missing, or fails each time: one sentence that tells its first error.
    """
    if shutil.which(command[0]) is None:
        raise ServerFailedError(
            f"{what} needs {command[0]} on the PATH: run tests/provision.sh as root, or install it."
        )
    for attempt in range(1, TRIES + 1):
        done = subprocess.run(
            command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, close_fds=False
        )
        if done.returncode == 0:
            return
        if attempt < TRIES:
            time.sleep(PAUSE)
    lines = [line.strip() for line in done.stdout.splitlines() if line.strip()]
    first = next((line for line in lines if "error" in line.lower()), lines[-1] if lines else "it said nothing")
    raise ServerFailedError(
        f"{what} could not be downloaded in {TRIES} tries with {command[0]}; is the network there? {first[:SHOWN]}"
    )
