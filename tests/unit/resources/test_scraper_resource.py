"""The scraper resource, against the real service over HTTP."""

import contextlib
import http.server
import os
import shutil
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from election_assets.schemas import TWEET_SCHEMA, TWEET_V1_NAMES
from resources import build_resources
from resources.embedded_services import EmbeddedServicesResource
from resources.scraper import ScraperError, ScraperResource
from resources.services import Addresses
from scraper_api.__main__ import build_service

KEY = "un secret"


@contextlib.contextmanager
def serving(data_root: Path, **env: str) -> Iterator[str]:
    service = build_service({"ELECTION_DATA": str(data_root), "SCRAPER_PORT": "0", **env})
    try:
        yield service.start()
    finally:
        service.stop()


@pytest.fixture(scope="module")
def data_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scraper")


@pytest.fixture(scope="module")
def url(data_root: Path) -> Iterator[str]:
    with serving(data_root, SAMPLE_TWEETS="300", SCRAPER_API_KEY=KEY) as url:
        yield url


@pytest.fixture
def scraper(url: str) -> ScraperResource:
    return resource(url + "/", KEY)


def resource(url: str, api_key: str = "") -> ScraperResource:
    return ScraperResource(url=url, api_key=api_key, services=EmbeddedServicesResource(data_root="/nowhere"))


def sentence(caught: pytest.ExceptionInfo[ScraperError]) -> str:
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_batch_stays_until_it_is_acknowledged(scraper: ScraperResource) -> None:
    batch = scraper.batch("macron", 3)
    assert (batch.candidate, batch.schema, len(batch.tweets)) == ("macron", TWEET_SCHEMA, 3)
    assert list(batch.tweets[0]) == TWEET_V1_NAMES
    assert scraper.batch("Emmanuel Macron", 500) == batch
    assert batch.batch_id
    scraper.acknowledge(batch.batch_id)
    scraper.acknowledge(batch.batch_id)

    following = scraper.batch("macron", 3)
    assert following.batch_id
    assert following.batch_id != batch.batch_id
    assert scraper.again(batch.batch_id) == batch
    status = scraper.status()["candidates"]["macron"]
    assert (status["batches"], status["acknowledged"], status["current"]) == (2, 1, following.batch_id)


def test_it_is_collected_to_the_end(scraper: ScraperResource, data_root: Path) -> None:
    kept = 0
    while batch_id := (batch := scraper.batch("roussel")).batch_id:
        kept += len(batch.tweets)
        scraper.acknowledge(batch_id)
    assert kept == scraper.status()["candidates"]["roussel"]["records"] > 0
    assert (batch.candidate, batch.tweets) == ("roussel", [])


def test_what_the_service_refuses_is_its_own_sentence(scraper: ScraperResource, url: str, data_root: Path) -> None:
    with pytest.raises(ScraperError) as caught:
        scraper.batch("macron", 501)
    assert sentence(caught) == "count=501 is not a whole number from 1 to 500."
    with pytest.raises(ScraperError) as caught:
        scraper.batch("personne")
    assert sentence(caught).startswith("fr_2022 has no candidate 'personne'; they are arthaud, ")
    for unknown in ("macron-0-1", "../candidates", "é/à?"):
        for ask in (scraper.acknowledge, scraper.again):
            with pytest.raises(ScraperError) as caught:
                ask(unknown)
            assert sentence(caught).startswith(("There is no batch", "There is nothing at this path"))
    with pytest.raises(ScraperError) as caught:
        resource(url, "another key").status()
    assert sentence(caught).startswith("This service wants its key")

    batch_id = scraper.batch("jadot").batch_id
    raw = data_root / "raw" / "jadot"
    shutil.copy(raw / f"{batch_id}.jsonl.gz", raw / "jadot-stray.jsonl.gz")
    with pytest.raises(ScraperError) as caught:
        scraper.acknowledge("jadot-stray")
    assert sentence(caught) == "Batch jadot-stray is not the current batch of its candidate."


def test_a_source_that_fails_is_the_services_sentence(tmp_path: Path) -> None:
    archive = tmp_path / "archive.jsonl"
    archive.write_text('{"data": [{"id": "1", "text": "Jadot"}]}\n')
    with serving(tmp_path / "data", ARCHIVE=str(archive)) as url:
        archive.unlink()
        with pytest.raises(ScraperError) as caught:
            resource(url).batch("jadot")
    assert str(archive) in sentence(caught)


def test_a_service_that_is_down_is_told_without_the_address_password() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(ScraperError) as caught:
        resource(f"http://somebody:geheim@127.0.0.1:{port}").status()
    assert sentence(caught) == (
        f"The scraper at http://127.0.0.1:{port} does not answer (ConnectionError): start it, or correct SCRAPER_URL."
    )
    with pytest.raises(ScraperError, match=r"does not answer \(InvalidSchema\)"):
        resource("127.0.0.1:8000").status()


class Other(http.server.BaseHTTPRequestHandler):
    """Another program at the scraper's address: it answers with what the path names."""

    def do_GET(self) -> None:
        body = {"/html/status": b"<html>", "/list/status": b"[1]"}.get(self.path, b'{"ok": true}')
        self.send_response(500 if self.path == "/failing/status" else 200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def test_another_program_at_the_address_is_told() -> None:
    with http.server.HTTPServer(("127.0.0.1", 0), Other) as server:
        threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
        base = f"http://127.0.0.1:{server.server_port}"
        for path in ("html", "list"):
            with pytest.raises(ScraperError) as caught:
                resource(f"{base}/{path}").status()
            assert sentence(caught) == (f"{base}/{path}/status answered 200 without a JSON object; is it the scraper?")
        with pytest.raises(ScraperError) as caught:
            resource(f"{base}/failing").status()
        assert sentence(caught) == f"{base}/failing/status answered 500."
        with pytest.raises(ScraperError, match="something else than a batch; is it the scraper"):
            resource(base).batch("macron")
        server.shutdown()


class Addressed(EmbeddedServicesResource):
    """The embedded services where they are up already."""

    scraper: str

    def addresses(self) -> Addresses:
        return Addresses(self.scraper, "")


def test_a_proxy_for_the_internet_is_not_asked_for_the_embedded_service(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    monkeypatch.setenv("NO_PROXY", "")
    services = Addressed(data_root="/nowhere", scraper=url)
    assert ScraperResource(api_key=KEY, services=services).status()["source"] == "sample"
    with pytest.raises(ScraperError, match="ProxyError"):
        resource(url, KEY).status()


def test_dagster_gives_an_asset_the_resource_with_its_key(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCRAPER_URL", url)
    monkeypatch.setenv("SCRAPER_API_KEY", KEY)
    monkeypatch.setenv("ELECTION_DATA", "/nowhere")

    @dg.asset
    def asked(scraper: ScraperResource) -> dg.MaterializeResult:
        return dg.MaterializeResult(metadata={"source": scraper.status()["source"]})

    resources = {"scraper": build_resources(os.environ)["scraper"]}
    result = dg.materialize([asked], resources=resources)
    (materialization,) = result.asset_materializations_for_node("asked")
    assert materialization.metadata["source"].value == "sample"
