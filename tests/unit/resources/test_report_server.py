"""The report's server, over real sockets."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from resources.report_server import ReportServerError, main, report_address, report_server
from tests.servers.processes import free_port

ROOT = Path(__file__).parents[3]


@contextmanager
def served(folder: Path) -> Iterator[str]:
    port = free_port()
    server = report_server(folder, "127.0.0.1", str(port))
    threading.Thread(target=server.run, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.close()


def test_pages_and_what_they_load_are_served_and_nothing_beside_them(tmp_path: Path) -> None:
    folder = tmp_path / "report"
    (folder / "data").mkdir(parents=True)
    (folder / "index.html").write_text("<p>À la une</p>", encoding="utf-8")
    (folder / "data" / "mélange.csv").write_text("a,b\n", encoding="utf-8")
    (tmp_path / "raw.csv").write_text("texts")
    with served(folder) as url:
        first = requests.get(url, timeout=10)
        assert (first.status_code, first.content.decode()) == (200, "<p>À la une</p>")
        assert first.headers["Content-Type"] == "text/html; charset=utf-8"
        assert requests.get(f"{url}/data/mélange.csv", timeout=10).text == "a,b\n"
        for beside in ("/../raw.csv", "/%2e%2e/raw.csv", "/data/../../raw.csv", "/data", "/nothing.html"):
            session = requests.Session()
            asked = requests.Request("GET", url).prepare()
            asked.url = f"{url}{beside}"
            answer = session.send(asked, timeout=10)
            assert (answer.status_code, answer.text) == (404, "Nothing is here. The asset `report` writes it.\n")


def test_a_report_that_is_made_later_needs_no_new_start(tmp_path: Path) -> None:
    folder = tmp_path / "report"
    with served(folder) as url:
        early = requests.get(url, timeout=10)
        assert (early.status_code, early.text) == (404, "No report is here yet. The asset `report` writes it.\n")
        folder.mkdir()
        (folder / "index.html").write_text("<p>")
        assert requests.get(url, timeout=10).text == "<p>"


def test_a_port_that_is_taken_or_none_is_told(tmp_path: Path) -> None:
    with served(tmp_path) as url:
        taken = url.rpartition(":")[2]
        with pytest.raises(
            ReportServerError, match=rf"127\.0\.0\.1, port {taken} .*in use.*: choose another with REPORT_"
        ):
            report_server(tmp_path, "127.0.0.1", taken)
    for port in ("http", "70000"):
        with pytest.raises(ReportServerError, match=f"port {port} "):
            report_server(tmp_path, "127.0.0.1", port)


def test_the_address_is_where_it_is_published_or_served() -> None:
    assert report_address({}) == report_address({"REPORT_URL": "", "REPORT_PORT": ""}) == "http://127.0.0.1:3001"
    assert report_address({"REPORT_PORT": "4001"}) == "http://127.0.0.1:4001"
    published = {"REPORT_PORT": "4001", "REPORT_URL": "https://journal.test/2027/"}
    assert report_address(published) == "https://journal.test/2027"


def test_the_command_serves_a_data_root_s_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "index.html").write_text("<p>")
    port = str(free_port())
    process = subprocess.Popen(
        [sys.executable, "-m", "resources.report_server"],
        cwd=ROOT,
        env={**os.environ, "ELECTION_DATA": str(tmp_path), "REPORT_PORT": port, "REPORT_HOST": ""},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        assert process.stdout.readline() == f"the report: http://127.0.0.1:{port}\n"
        assert requests.get(f"http://127.0.0.1:{port}/", timeout=10).text == "<p>"
        monkeypatch.setenv("ELECTION_DATA", str(tmp_path))
        monkeypatch.setenv("REPORT_PORT", port)
        assert main() == 1
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)
        process.stdout.close()
