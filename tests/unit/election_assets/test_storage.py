from __future__ import annotations

import contextlib
import gzip
import json
import os
import re
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from election_assets.election import load_election
from election_assets.storage import DataRoot, DataRootError, RootInfo, write_atomically

ELECTION = load_election("fr_2022")
REPOSITORY = Path(__file__).parents[3]


@pytest.fixture
def root(tmp_path: Path) -> DataRoot:
    return DataRoot(tmp_path)


@contextlib.contextmanager
def python(script: str, *arguments: str):
    """A process that runs a script, killed at the end if it still lives."""
    process = subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


KILLED_WHILE_WRITING = """
import os, signal, sys
from pathlib import Path
from election_assets.storage import write_atomically
step, path = sys.argv[1], Path(sys.argv[2])
def die(*arguments, **named):
    os.kill(os.getpid(), signal.SIGKILL)
if step == "fsync":
    os.fsync = die
elif step == "rename":
    Path.replace = die
else:
    replace = Path.replace
    def replace_and_die(self, target):
        replace(self, target)
        die()
    Path.replace = replace_and_die
write_atomically(path, b"new" * 100_000)
"""


@pytest.mark.parametrize(("step", "expected"), [("fsync", b"old"), ("rename", b"old"), ("renamed", b"new" * 100_000)])
def test_a_killed_write_leaves_the_old_file_or_the_new_one(root, step, expected):
    path = root.landed_file("macron", "c~t~0~1")
    write_atomically(path, b"old")
    with python(KILLED_WHILE_WRITING, step, str(path)) as process:
        assert process.wait(timeout=60) == -signal.SIGKILL
    assert path.read_bytes() == expected
    assert root.origins("macron") == ["c~t~0~1"]
    write_atomically(path, b"newest")
    assert path.read_bytes() == b"newest"


def test_a_first_write_that_is_killed_leaves_nothing_that_counts(root):
    for path in (
        root.landed_file("macron", "c~t~0~1"),
        root.quarantine_file("macron", "c~t~0~1"),
        root.raw("macron") / "b.jsonl.gz",
    ):
        with python(KILLED_WHILE_WRITING, "rename", str(path)) as process:
            assert process.wait(timeout=60) == -signal.SIGKILL
        assert list(path.parent.iterdir()), "the draft was written"
    assert root.origins("macron") == []
    assert root.quarantined_lines("macron") == {}
    assert root.batch_ids("macron") == []


def test_a_failed_write_leaves_the_old_file_and_no_draft(tmp_path):
    path = tmp_path / "file"
    path.mkdir()
    with pytest.raises(OSError, match="directory"):
        write_atomically(path, b"new")
    assert list(tmp_path.iterdir()) == [path]


def test_threads_that_write_one_file_at_once_leave_one_of_their_contents(tmp_path):
    path = tmp_path / "file"
    contents = [bytes([number]) * 200_000 for number in range(8)]
    start, errors = threading.Barrier(len(contents)), []

    def write(content: bytes) -> None:
        start.wait()
        try:
            write_atomically(path, content)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=write, args=(content,)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert path.read_bytes() in contents
    assert list(tmp_path.iterdir()) == [path]


HOLDER = """
import sys
from pathlib import Path
from election_assets.storage import DataRoot
with DataRoot(Path(sys.argv[1])).candidate_lock(sys.argv[2]):
    print("held", flush=True)
    sys.stdin.readline()
"""


def try_lock(root: DataRoot, candidate: str) -> bool:
    import fcntl

    with (root.path / "locks" / f"{candidate}.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def test_the_lock_excludes_another_process_and_is_freed_by_its_death(root):
    with python(HOLDER, str(root.path), "macron") as holder:
        assert holder.stdout.readline() == "held\n"
        assert not try_lock(root, "macron")
        with root.candidate_lock("le-pen"):
            assert not try_lock(root, "le-pen")
        holder.send_signal(signal.SIGKILL)
        with root.candidate_lock("macron"):
            assert holder.wait(timeout=60) == -signal.SIGKILL
            assert not try_lock(root, "macron")
    assert try_lock(root, "macron")


def test_the_lock_is_freed_by_an_error_and_not_left_to_children(root):
    with pytest.raises(ZeroDivisionError), root.candidate_lock("macron"):
        _ = 1 / 0
    assert try_lock(root, "macron")
    with root.candidate_lock("macron"):
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        assert try_lock(root, "macron")
    finally:
        child.kill()
        child.wait()
        child.stdin.close()


KEY_MAKER = """
import sys
from pathlib import Path
from election_assets.storage import DataRoot
print("ready", flush=True)
sys.stdin.readline()
print(DataRoot(Path(sys.argv[1])).pseudonym_key({}).decode(), flush=True)
"""


def test_the_key_of_the_pseudonyms_is_made_once_though_processes_race(root):
    with contextlib.ExitStack() as stack:
        makers = [stack.enter_context(python(KEY_MAKER, str(root.path / "new"))) for _ in range(3)]
        for maker in makers:
            assert maker.stdout.readline() == "ready\n"
        for maker in makers:
            maker.stdin.write("go\n")
            maker.stdin.flush()
        keys = {maker.stdout.readline().strip() for maker in makers}
    assert len(keys) == 1
    assert re.fullmatch("[0-9a-f]{64}", keys.pop())
    files = [file for file in (root.path / "new").iterdir() if file.is_file()]
    assert sorted(file.name for file in files) == ["pseudonym.check", "pseudonym.key"]
    assert stat.S_IMODE((root.path / "new" / "pseudonym.key").stat().st_mode) == 0o600


def test_the_key_is_the_same_in_all_threads_and_afterwards(root):
    start, keys = threading.Barrier(8), []

    def make() -> None:
        start.wait()
        keys.append(root.pseudonym_key({}))

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 8
    assert set(keys) == {root.pseudonym_key({})}


def test_the_key_of_the_environment_wins_and_makes_no_file(root):
    assert root.pseudonym_key({"PSEUDONYM_KEY": "clé"}) == "clé".encode()
    assert not (root.path / "pseudonym.key").exists()


def test_the_key_is_private_whatever_the_umask(root):
    before = os.umask(0)
    try:
        root.pseudonym_key({})
    finally:
        os.umask(before)
    assert stat.S_IMODE((root.path / "pseudonym.key").stat().st_mode) == 0o600


def write_info(root: DataRoot, content: object) -> None:
    (root.path / "root.json").write_text(content if isinstance(content, str) else json.dumps(content))


def test_a_root_says_whose_data_it_holds(root):
    write_info(root, {"election": "fr_2022", "source": "sample", "root_id": "0a1b2c3d", "made_at": "later additions"})
    assert root.info(ELECTION) == RootInfo("fr_2022", "sample", "0a1b2c3d")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "root.json is missing"),
        ("", "not what the scraper wrote"),
        ("{", "not what the scraper wrote"),
        ("[]", "not what the scraper wrote"),
        ('"fr_2022"', "not what the scraper wrote"),
        ({"election": "fr_2022", "source": "sample"}, "not what the scraper wrote"),
        ({"election": "fr_2027", "source": "sample", "root_id": "0a1b2c3d"}, "'fr_2027'"),
    ],
)
def test_a_root_that_cannot_serve_is_refused_in_one_sentence(root, content, told):
    if content is not None:
        write_info(root, content)
    with pytest.raises(DataRootError) as raised:
        root.info(ELECTION)
    text = str(raised.value)
    assert told in text
    assert str(root.path) in text
    assert text.endswith(".")
    assert "\n" not in text
    assert not re.search(r"\.\s+[A-Z]", text)


def test_the_root_is_what_the_environment_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert DataRoot.from_env({}).path == tmp_path / "data"
    assert DataRoot.from_env({"ELECTION_DATA": ""}).path == tmp_path / "data"
    assert DataRoot.from_env({"ELECTION_DATA": "elsewhere/x"}).path == tmp_path / "elsewhere/x"


@pytest.mark.parametrize(
    "name", ["two words", "données", "100%", "a#b", "[a]", "a*", "a?", "{a}", "a`b", "a\\b", 'a"b']
)
def test_a_path_that_the_table_engines_write_differently_is_refused(tmp_path, name):
    with pytest.raises(DataRootError, match="ELECTION_DATA") as raised:
        DataRoot.from_env({"ELECTION_DATA": str(tmp_path / name)})
    assert name in str(raised.value)


def test_files_are_listed_by_name_and_records_counted(root):
    for batch_id, records in (("b-2", b"{}\n{}\n"), ("b-1", b"{}\n")):
        write_atomically(root.raw("macron") / f"{batch_id}.jsonl.gz", gzip.compress(records))
    assert root.batch_ids("macron") == ["b-1", "b-2"]
    assert [root.raw_records("macron", batch_id) for batch_id in root.batch_ids("macron")] == [1, 2]
    assert root.batch_ids("le-pen") == []


def test_refused_lines_come_back_by_origin(root):
    lines = [{"reason": "r", "batch_id": "b", "line": 1, "original": "a\u2028b\x85\r\nc"}]
    content = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    write_atomically(root.quarantine_file("macron", "c~t~0~1"), content.encode())
    assert root.quarantined_lines("macron") == {"c~t~0~1": lines}


def test_tombstones_are_distinct_and_sorted(root):
    assert root.tombstones() == []
    root.tombstones_file.write_text("20\n10\n\n20\n")
    assert root.tombstones() == ["10", "20"]
    # As some editors begin a file.
    root.tombstones_file.write_bytes(b"\xef\xbb\xbf10\r\n20\r\n")
    assert root.tombstones() == ["10", "20"]


def test_a_tombstone_that_is_no_id_is_refused_instead_of_leaving_its_tweet(root):
    root.tombstones_file.write_text("10\nhttps://x.com/i/status/20\n")
    with pytest.raises(DataRootError, match=r"deleted_tweets\.txt: 'https://x\.com/i/status/20' is no tweet id"):
        root.tombstones()


def test_staging_is_free_at_first_and_gone_at_the_end(root):
    with root.staging("macron") as folder:
        Path(folder).mkdir()
        (Path(folder) / "half").touch()
    assert not Path(folder).exists()
    Path(folder).mkdir()
    with root.staging("macron") as again:
        assert again == folder
        assert not Path(again).exists()


@pytest.mark.parametrize(
    ("env", "source"),
    [({}, "sample"), ({"ARCHIVE": "a.jsonl"}, "archive"), ({"X_BEARER_TOKEN": "t"}, "x"), ({"SCRAPER_URL": "u"}, None)],
)
@pytest.mark.parametrize("held", ["sample", "archive", "x"])
def test_another_source_is_refused_before_anything_runs(tmp_path, env, source, held):
    election = load_election("fr_2022")
    (tmp_path / "root.json").write_text(json.dumps({"election": election.key, "source": held, "root_id": "0"}))
    if source in (held, None):
        DataRoot(tmp_path).check_source(election, env)
    else:
        with pytest.raises(DataRootError, match=f"from source '{held}' and '{source}' is asked for; name another"):
            DataRoot(tmp_path).check_source(election, env)


def test_another_key_of_the_pseudonyms_is_refused_once_some_were_made(root):
    assert root.pseudonym_key({"PSEUDONYM_KEY": "one"}) == b"one"
    assert root.pseudonym_key({"PSEUDONYM_KEY": "one"}) == b"one"
    with pytest.raises(DataRootError, match="made with another key"):
        root.pseudonym_key({"PSEUDONYM_KEY": "two"})
    with pytest.raises(DataRootError, match="made with another key"):
        root.pseudonym_key({})
    assert b"one" not in (root.path / "pseudonym.check").read_bytes()
    (root.path / "pseudonym.check").unlink()
    assert root.pseudonym_key({"PSEUDONYM_KEY": "two"}) == b"two"
