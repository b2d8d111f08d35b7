"""The embedded services, as real processes: who starts them, who joins, what ends them, and what they tell."""

import contextlib
import fcntl
import json
import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import requests

from resources import services
from resources.embedded_services import EmbeddedServicesResource
from resources.kafka import KafkaResource, KafkaUnavailableError
from resources.services import Addresses, ServicesError, join, leave, main
from scraper_api.collector import claim_root

ROOT = Path(__file__).parents[3]
PATIENCE = 60

VARIABLES = (
    *("ELECTION", "ELECTION_DATA", "ARCHIVE", "X_BEARER_TOKEN", "KAFKA_BOOTSTRAP_SERVERS"),
    *("SCRAPER_URL", "SCRAPER_HOST", "SCRAPER_PORT", "SCRAPER_API_KEY", "REPORT_PORT"),
)

ELECTION = """
key = "essai"
name = "Élection d'essai"
language = "fr"
time_zone = "Europe/Paris"
first_round = 2022-04-10
second_round = 2022-04-24
topic_prefix = "essai.tweets"

[[candidates]]
key = "aubepine"
name = "Aube Épine"
party = "Haie"
colour = "#123456"
query = "aubépine"
"""

USER = """
import json, sys
from dataclasses import asdict
from pathlib import Path
from resources.services import ServicesError, join
try:
    said = asdict(join(Path(sys.argv[1])))
except ServicesError as error:
    said = {"error": str(error)}
print(json.dumps(said), flush=True)
sys.stdin.read()
"""


class User:
    """Another process that uses the services until it is killed."""

    def __init__(self, root: Path, **env: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", USER, str(root)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env=os.environ | env,
        )

    def said(self) -> dict[str, str]:
        assert self.process.stdout
        return json.loads(self.process.stdout.readline())

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SAMPLE_TWEETS", "40")


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    data_root = tmp_path / "data"
    try:
        yield data_root
    finally:
        leave(data_root)
        wait_for(lambda: not servers(data_root))


@pytest.fixture
def user(root: Path) -> Iterator[Callable[..., User]]:
    with contextlib.ExitStack() as users:

        def start() -> User:
            one = User(root)
            users.callback(one.kill)
            return one

        yield start


def wait_for(condition: Callable[[], Any]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "what was waited for did not come"
        time.sleep(0.05)


def servers(root: Path) -> list[int]:
    """The processes that serve a data root, those that ended and were not collected left out."""
    wanted = ["resources.services", "serve", str(root)]
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (folder / "cmdline").read_text().split("\0")[-4:-1] == wanted:
                found.append(int(folder.name))
    return found


def content(root: Path) -> dict[str, Any]:
    return json.loads((root / "services.json").read_text())


def health(addresses: Addresses) -> dict[str, str]:
    return requests.get(f"{addresses.scraper}/health", timeout=PATIENCE).json()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def test_they_outlive_the_user_that_started_them_and_end_with_the_last(root: Path, user: Callable[..., User]) -> None:
    first = user()
    said = first.said()
    (pid,) = servers(root)
    assert asdict(join(root)) == said
    assert content(root)["pid"] == pid
    assert content(root)["addresses"] == said

    first.kill()
    # Longer than the services take to see that nobody uses them; waiting too short could only let a fault pass.
    time.sleep(5 * services.WATCH_SECONDS)
    assert health(join(root))["source"] == "sample"
    assert servers(root) == [pid]

    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not services._served(root))
    assert health(join(root))["status"] == "ok"

    # Told to stop, it closes while somebody starts the next one: that one waits for the files to be free.
    (stopped,) = servers(root)
    os.kill(stopped, signal.SIGTERM)
    wait_for(lambda: not (root / "services.json").exists())
    assert health(join(root))["status"] == "ok"

    leave(root)
    wait_for(lambda: not servers(root))
    assert not (root / "services.json").exists()


def test_who_only_looks_neither_starts_them_nor_keeps_them_up(root: Path, user: Callable[..., User]) -> None:
    looking = EmbeddedServicesResource(data_root=str(root))
    assert looking.addresses_if_up() is None
    assert servers(root) == []
    first = user()
    said = first.said()
    assert looking.addresses_if_up() == Addresses(**said)
    kafka = KafkaResource(services=looking)
    assert kafka.lag("nobody", ["nothing"]) == {}
    first.kill()
    wait_for(lambda: not servers(root))
    assert looking.addresses_if_up() is None
    with pytest.raises(KafkaUnavailableError, match="embedded broker does not run"):
        kafka.lag("nobody", ["nothing"])
    assert servers(root) == []


def test_two_processes_that_start_at_once_share_one_service(root: Path, user: Callable[..., User]) -> None:
    one, other = user(), user()
    assert one.said() == other.said()
    assert servers(root) == [content(root)["pid"]]


def test_a_starter_that_is_killed_leaves_the_start_to_the_next(root: Path, user: Callable[..., User]) -> None:
    first = user()
    wait_for(lambda: servers(root))
    first.kill()
    assert health(join(root))["status"] == "ok"
    wait_for(lambda: servers(root) == [content(root)["pid"]])


def test_their_process_starts_without_dagster() -> None:
    modules = "resources.services, resources.embedded_broker, scraper_api.__main__"
    script = f"import sys, {modules}; print(sorted({{'dagster', 'pandas', 'pyspark'}} & set(sys.modules)))"
    said = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert said.stdout == "[]\n"


def stale_file(root: Path, pid: int, port: int) -> None:
    root.mkdir(exist_ok=True)
    addresses = {"scraper": f"http://127.0.0.1:{port}", "kafka": f"127.0.0.1:{port}"}
    (root / "services.json").write_text(json.dumps({"pid": pid, "addresses": addresses, "settings": {}}))


def test_what_a_killed_service_left_behind_is_not_joined(root: Path) -> None:
    wanted = services._settings({})
    dead = subprocess.Popen(["true"])
    dead.wait()
    with socket.create_server(("127.0.0.1", 0)) as foreign:
        for pid in (dead.pid, os.getpid()):
            for port in (free_port(), foreign.getsockname()[1]):
                stale_file(root, pid, port)
                assert services._running(root, wanted) is None
    with services._lock(root, "serve", fcntl.LOCK_EX):
        stale_file(root, os.getpid(), free_port())
        assert services._running(root, wanted) is None
        for damaged in ("", "[1, 2", "[1, 2]", "{}", '{"addresses": {"scraper": 1, "kafka": 2}, "settings": {}}'):
            (root / "services.json").write_text(damaged)
            assert services._running(root, wanted) is None


def test_what_a_killed_service_left_behind_is_replaced(root: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as foreign:
        port = foreign.getsockname()[1]
        stale_file(root, os.getpid(), port)
        addresses = join(root)
    assert addresses.kafka != f"127.0.0.1:{port}"
    assert health(addresses)["status"] == "ok"
    assert [content(root)["pid"]] == servers(root)


def test_other_settings_are_refused_and_a_refused_process_keeps_nothing_up(
    root: Path, tmp_path: Path, user: Callable[..., User], monkeypatch: pytest.MonkeyPatch
) -> None:
    election = tmp_path / "essai.toml"
    election.write_text(ELECTION)
    monkeypatch.setenv("ELECTION", str(election))
    addresses = join(root)

    def refusal(name: str, value: str) -> str:
        with monkeypatch.context() as other:
            other.setenv(name, value)
            with pytest.raises(ServicesError) as caught:
                join(root)
        return str(caught.value)

    for name, value in {
        "ARCHIVE": str(tmp_path),
        "ELECTION": "fr_2022",
        "X_BEARER_TOKEN": "geheim",
        "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
    }.items():
        sentence = refusal(name, value)
        assert sentence.startswith(f"{root} is in use by embedded services with other settings ({name}=")
        assert sentence.endswith("; stop what uses them (such as make dev), or name another ELECTION_DATA.")
        assert "geheim" not in sentence
    assert f"(ARCHIVE=(unset) and not {tmp_path})" in refusal("ARCHIVE", str(tmp_path))
    assert "ELECTION=nowhere: neither a bundled election" in refusal("ELECTION", "nowhere")
    assert join(root) == addresses

    with monkeypatch.context() as other:
        other.setenv("ARCHIVE", str(tmp_path))
        refused = user()
        assert "ARCHIVE=" in refused.said()["error"]
    election.write_text(ELECTION.replace('"aubépine"', '"épine"'))
    with pytest.raises(ServicesError, match=r"ELECTION=essai, contents \w{8} and not essai, contents \w{8}"):
        join(root)
    leave(root)
    wait_for(lambda: not servers(root))
    assert refused.process.poll() is None


def test_what_keeps_them_from_starting_is_told_in_one_sentence(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as other:
        other.setenv("ARCHIVE", str(tmp_path / "nothing.jsonl"))
        with pytest.raises(ServicesError) as caught:
            join(root)
    log = root / "services.log"
    assert str(caught.value) == (
        f"The embedded services did not start ({log}):"
        f" ARCHIVE={tmp_path}/nothing.jsonl: there is no such file or folder."
    )
    assert root not in services._users

    claim_root(root, "autre", "sample")
    with pytest.raises(dg.Failure) as failed:
        EmbeddedServicesResource(data_root=str(root)).addresses()
    assert failed.value.allow_retries is False
    assert f"): {root} holds data of election autre from source sample, not of fr_2022" in str(failed.value.description)

    (root / "broker.sqlite").write_text("no database, whatever its name says")
    with pytest.raises(ServicesError, match=r"\): The embedded broker cannot open .*broker\.sqlite"):
        join(root)
    with pytest.raises(ServicesError, match=r"cannot use .*services\.log"):
        join(log)
    assert not servers(root)


def test_a_service_that_neither_comes_up_nor_ends_is_given_up(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "START_SECONDS", 0.3)
    (root / "locks").mkdir(parents=True)
    with (root / "locks" / "services.serve").open("a") as hung:
        fcntl.flock(hung, fcntl.LOCK_EX)
        with pytest.raises(ServicesError, match=r"were not up after 0\.3 s .*: no word from them"):
            join(root)


def test_nothing_secret_is_written_and_an_outside_kafka_has_no_embedded_one_beside_it(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("X_BEARER_TOKEN", "geheim-x")
    monkeypatch.setenv("SCRAPER_API_KEY", "geheim-key")
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    addresses = join(root)
    assert addresses.kafka == ""
    assert not (root / "broker.sqlite").exists()
    asked = [
        requests.get(f"{addresses.scraper}/candidates", headers={"X-Api-Key": key}, timeout=PATIENCE).status_code
        for key in ("geheim-key", "geheim-wrong")
    ]
    assert asked == [200, 401]
    assert content(root)["settings"]["X_BEARER_TOKEN"] == "set"
    for file in ("services.json", "services.log", "root.json"):
        assert "geheim" not in (root / file).read_text()


def test_relative_paths_are_the_starters_and_the_scraper_listens_on_loopback_alone(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "essai.toml").write_text(ELECTION)
    (tmp_path / "archive.jsonl").write_text(json.dumps({"data": [{"id": "1", "text": "aubépine"}]}) + "\n")
    monkeypatch.setenv("ELECTION", "essai.toml")
    monkeypatch.setenv("ARCHIVE", "archive.jsonl")
    monkeypatch.setenv("SCRAPER_HOST", "0.0.0.0")
    addresses = join(root)
    assert addresses.scraper.startswith("http://127.0.0.1:")
    assert (health(addresses)["election"], health(addresses)["source"]) == ("essai", "archive")


def test_an_outside_scraper_has_no_embedded_one_beside_it(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCRAPER_URL", "http://somebody:geheim@127.0.0.1:1")
    addresses = join(root)
    assert addresses.scraper == ""
    assert re.fullmatch(r"127\.0\.0\.1:\d+", addresses.kafka)
    assert not (root / "root.json").exists()
    assert "geheim" not in (root / "services.json").read_text()


def test_during_a_command_they_are_up_and_its_exit_code_is_given(
    root: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ELECTION_DATA", str(root))
    handlers = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    assert main(["during", "sh", "-c", f"cat {root}/services.json; exit 7"]) == 7
    heading, _, shown = capfd.readouterr().out.partition("\n")
    addresses = json.loads(shown)["addresses"]
    assert heading == f"embedded services: scraper {addresses['scraper']}, Kafka {addresses['kafka']}"
    assert main(["during", "sh", "-c", "kill -KILL $$"]) == 128 + signal.SIGKILL
    assert main(["during", "no-such-command"]) == 1
    assert capfd.readouterr().err == "no-such-command cannot be run: No such file or directory.\n"
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == handlers


def test_during_a_command_the_report_is_served_where_a_port_is_given(
    root: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    port = free_port()
    monkeypatch.setenv("ELECTION_DATA", str(root))
    monkeypatch.setenv("REPORT_PORT", str(port))
    asks = f"import requests as r; print(r.get('http://127.0.0.1:{port}/', timeout=10).text)"
    assert main(["during", sys.executable, "-c", asks]) == 0
    assert "No report is here yet." in capfd.readouterr().out
    with socket.create_server(("127.0.0.1", port := free_port())):
        monkeypatch.setenv("REPORT_PORT", str(port))
        assert main(["during", "true"]) == 1
    assert f"port {port}" in capfd.readouterr().err


def test_signals_are_passed_on_to_the_command(root: Path) -> None:
    trap = "trap 'echo interrupted' INT; trap 'exit 9' TERM; echo ready; while :; do sleep 0.1; done"
    process = subprocess.Popen(
        [sys.executable, "-m", "resources.services", "during", "sh", "-c", trap],
        cwd=ROOT,
        env=os.environ | {"ELECTION_DATA": str(root)},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout
    assert process.stdout.readline().startswith("embedded services: scraper http://127.0.0.1:")
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline() == "interrupted\n"
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 9
    wait_for(lambda: not servers(root))
    assert not (root / "services.json").exists()


COUNTING = """
import signal, sys, time
count = 0
def interrupted(*_):
    global count
    count += 1
signal.signal(signal.SIGINT, interrupted)
print("ready", flush=True)
while not count:
    time.sleep(0.05)
time.sleep(0.5)
print("interrupts:", count, flush=True)
"""


def test_ctrl_c_at_a_terminal_reaches_the_command_once(root: Path) -> None:
    command = [sys.executable, "-m", "resources.services", "during", sys.executable, "-c", COUNTING]
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(ROOT)
        os.execve(command[0], command, os.environ | {"ELECTION_DATA": str(root)})
    shown = ""
    interrupted = False
    try:
        while not re.search(r"interrupts: \d", shown):
            assert select.select([terminal], [], [], PATIENCE)[0], shown
            shown += os.read(terminal, 4096).decode()
            if "ready" in shown and not interrupted:
                interrupted = True
                os.write(terminal, b"\x03")
        _, status = os.waitpid(pid, 0)
    finally:
        os.close(terminal)
    assert "interrupts: 1" in shown
    assert os.waitstatus_to_exitcode(status) == 0
