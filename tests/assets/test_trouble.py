"""What goes wrong for one candidate stays that one's, and what is corrupt goes no further."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from scraper_api.__main__ import build_service
from tests.assets.roots import CANDIDATES, ELECTION, ELECTIONS, Command, Root, Worker, page, tweet
from tests.fakes.scraper_proxy import ScraperProxy

SENTENCE = "X's monthly cap is spent: collection goes on when it is renewed."
TWEETS = page(
    [
        tweet(3001, "2031-09-20T03:00:00.000Z", "Ormevaux à l’île aux Phoques"),
        tweet(3002, "2031-09-21T03:00:00.000Z", "Brønnvik a tenu parole"),
        tweet(3003, "2031-09-22T03:00:00.000Z", "Quíntara, enfin du concret"),
        tweet(3004, "2031-09-22T04:00:00.000Z", "Quíntara ou Brønnvik ?"),
    ],
    "2031-09-25T00:00:00Z",
)
IN_TROUBLE = "bronnvik"
OTHERS = ["ormevaux", "quintara-7"]
STAGES = ("cleaned_tweets", "candidate_stats", "merged_tweets")


@pytest.fixture(scope="module")
def behind_proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Worker, ScraperProxy]]:
    """An empty root whose scraper stands outside, behind a door that can answer as if X failed."""
    folder = tmp_path_factory.mktemp("trouble")
    archive = folder / "archive"
    archive.mkdir()
    (archive / "tweets.jsonl").write_text(TWEETS, encoding="utf-8")
    service = build_service(
        {
            "ELECTION": str(ELECTION),
            "ELECTION_DATA": str(folder / "data"),
            "ARCHIVE": str(archive),
            "SCRAPER_PORT": "0",
        }
    )
    proxy = ScraperProxy(service.start())
    try:
        with proxy.serve():
            root = Root(folder / "data", {"SCRAPER_URL": proxy.url, "ARCHIVE": str(archive)})
            with root.worker() as worker:
                yield worker, proxy
    finally:
        service.stop()


def test_one_candidates_failure_leaves_the_others_and_the_report(behind_proxy: tuple[Worker, ScraperProxy]) -> None:
    worker, proxy = behind_proxy
    root = worker.root
    proxy.failing = {IN_TROUBLE: SENTENCE}
    run = worker.materialise(candidates=CANDIDATES)

    assert f"  ! {IN_TROUBLE}: {SENTENCE}" in worker.said()
    line = "  ! check collected_for_every_candidate of raw_tweets failed (does not stop the run)"
    assert f"{line}: Failed for {IN_TROUBLE}." in worker.said()
    assert run.success
    assert len(run.materialised) == 10
    assert run.failed_checks() == {"collected_for_every_candidate"}
    check = run.checks["collected_for_every_candidate"]
    assert {name: value.value for name, value in check.metadata.items()} == {IN_TROUBLE: SENTENCE}
    assert not check.blocking
    assert run.materialised["raw_tweets"][IN_TROUBLE]["error"] == SENTENCE
    assert all("error" not in run.materialised["raw_tweets"][candidate] for candidate in OTHERS)

    record = root.record()
    assert {key: found["error"] for key, found in record["candidates"].items()} == {
        "ormevaux": None,
        IN_TROUBLE: SENTENCE,
        "quintara-7": None,
    }
    assert {key: found["root"]["kept"] for key, found in record["candidates"].items()} == {
        "ormevaux": 1,
        IN_TROUBLE: 0,
        "quintara-7": 2,
    }
    assert "Collecte incomplète pour Åse Brønnvik-Çelà." in root.report()
    assert "monthly cap is spent" in root.report("method.html")
    assert all(root.tweets(candidate) for candidate in OTHERS)


def test_failure_of_all_fails_the_asset_and_the_next_run_heals(behind_proxy: tuple[Worker, ScraperProxy]) -> None:
    worker, proxy = behind_proxy
    root = worker.root
    proxy.failing = dict.fromkeys(CANDIDATES, SENTENCE)
    failed = worker.materialise("raw_tweets", "landed_csv", candidates=CANDIDATES)
    proxy.failing = {}
    healed = worker.materialise("raw_tweets", "landed_csv", *STAGES, "report", candidates=CANDIDATES)

    assert not failed.success
    reason = failed.failures["raw_tweets"]
    assert f"Failed for every candidate ({', '.join(CANDIDATES)}). The first: {SENTENCE}" in reason
    assert ("STEP_START", "landed_csv") not in failed.events

    assert healed.success
    assert not healed.failed_checks()
    assert set(root.tweets(IN_TROUBLE)) == {"3002", "3004"}
    assert all(found["error"] is None for found in root.record()["candidates"].values())
    assert "Collecte incomplète" not in root.report()
    assert SENTENCE not in root.report("method.html")


def test_a_batch_that_another_run_collects_meanwhile_is_not_taken_for_lost(
    behind_proxy: tuple[Worker, ScraperProxy],
) -> None:
    worker, proxy = behind_proxy
    proxy.failing = {}
    new = page([tweet(3005, "2031-09-23T03:00:00.000Z", "Ormevaux, encore elle")], "2031-09-26T00:00:00Z")
    (Path(worker.root.env["ARCHIVE"]) / "more.jsonl").write_text(new, encoding="utf-8")
    given: list[tuple[int, bytes]] = []
    proxy.meanwhile = lambda: given.append(proxy.answer("GET", "/get_twitter?candidat=ormevaux", b""))

    landed = worker.materialise("landed_csv", candidates=CANDIDATES)
    after = worker.materialise("raw_tweets", "landed_csv", "cleaned_tweets", candidates=CANDIDATES)

    assert [(status, len(json.loads(content)["tweets"])) for status, content in given] == [(200, 1)]
    assert landed.materialised["landed_csv"]["ormevaux"]["published_again"] == 0
    found = after.materialised["cleaned_tweets"]["ormevaux"]
    assert (found["kept"], found["repeated_deliveries"]) == (1, 0)
    assert not after.failed_checks()


def test_what_the_broker_lost_before_it_landed_is_published_again(
    prepared: tuple[Root, Command], tmp_path: Path
) -> None:
    root = prepared[0].copy(tmp_path / "data")
    known = set(root.tweets("ormevaux"))
    new = page([tweet(5001, "2031-09-20T03:00:00.000Z", "Ormevaux, toujours")], "2031-10-05T00:00:00Z")
    (root.path / "sample" / "more.jsonl").write_text(new, encoding="utf-8")
    with root.worker() as worker:
        assert worker.materialise("raw_tweets", candidates=CANDIDATES).materialised["raw_tweets"]["ormevaux"][
            "received"
        ]
    root.wait_for_services()
    for file in root.path.glob("broker.sqlite*"):
        file.unlink()

    with root.worker() as worker:
        run = worker.materialise("landed_csv", "cleaned_tweets", candidates=CANDIDATES)

    again = {key: found["published_again"] for key, found in run.materialised["landed_csv"].items()}
    assert again == {"ormevaux": 1, "bronnvik": 0, "quintara-7": 0}
    assert set(root.tweets("ormevaux")) == known | {"5001"}
    assert not run.failed_checks()


def test_corrupt_tables_and_lost_lines_stop_what_is_downstream(prepared: tuple[Root, Command], tmp_path: Path) -> None:
    root = prepared[0].copy(tmp_path / "data")
    table = root.table("cleaned_tweets", "ormevaux")
    whole = table.version()
    write_deltalake(table, table.to_pyarrow_table().slice(0, 1), mode="append")
    landed = next((root.path / "landed" / "quintara-7").glob("*.csv"))
    content = landed.read_bytes()

    with root.worker() as worker:
        doubled = worker.materialise(*STAGES, candidates=CANDIDATES)
        root.table("cleaned_tweets", "ormevaux").restore(whole)

        with landed.open(newline="", encoding="utf-8") as file:
            rows = list(csv.reader(file))
        with landed.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerows(rows[:-1])
        lost = worker.materialise(*STAGES, candidates=CANDIDATES)

        landed.write_bytes(content)
        raw = next((root.path / "raw" / "bronnvik").glob("*.gz"))
        received = raw.read_bytes()
        raw.write_bytes(received[:-10])
        cut_off = worker.materialise(*STAGES, candidates=CANDIDATES)

        raw.write_bytes(received)
        mended = worker.materialise(*STAGES, candidates=CANDIDATES)

    assert "unique_ids" in doubled.failed_checks()
    assert doubled.checks["unique_ids"].description == "Wrong: ormevaux."
    assert lost.failed_checks() == {"reconciliation"}
    assert lost.checks["reconciliation"].description == "Wrong: quintara-7."
    assert f"{len(rows) - 2} landed" in lost.checks["reconciliation"].metadata["quintara-7"].value
    assert cut_off.failed_checks() == {"reconciliation"}
    assert cut_off.checks["reconciliation"].description == "Wrong: bronnvik."
    for stopped in (doubled, lost, cut_off):
        assert not stopped.success
        assert set(stopped.materialised) == {"cleaned_tweets"}
        started = {step for event, step in stopped.events if event == "STEP_START"}
        assert started == {"cleaned_tweets", "cleaned_tweets_checks"}
    assert "  ! check unique_ids of cleaned_tweets failed (stops what is downstream): Wrong: ormevaux." in worker.said()
    assert mended.success
    assert set(mended.materialised) == set(STAGES)


def test_the_daily_job_joins_no_table_that_a_check_refuses(prepared: tuple[Root, Command], tmp_path: Path) -> None:
    root = prepared[0].copy(tmp_path / "data")
    table = root.table("cleaned_tweets", "ormevaux")
    rows = table.to_pyarrow_table().to_pylist()
    rows[0]["created_at"] = None
    for row in rows[:20]:
        row["text"] = f"Ã©lection {row['text']}"
    write_deltalake(table, pa.Table.from_pylist(rows, schema=pa.schema(table.schema())), mode="overwrite")

    with root.worker() as worker:
        run = worker.materialise(job="analysis")

    assert not run.success
    assert run.failed_checks() == {"no_null_dates", "no_mojibake"}
    assert {run.checks[name].description for name in run.failed_checks()} == {"Wrong: ormevaux."}
    assert run.checks["no_null_dates"].metadata["ormevaux"].value == "- 1 rows without a date."
    assert run.checks["no_mojibake"].metadata["ormevaux"].value == f"- 20 of {len(rows)} texts."
    assert set(run.materialised) == {"results_2017"}


def test_root_of_another_election_is_refused_before_anything_runs(prepared: tuple[Root, Command]) -> None:
    root = prepared[0]
    runs = len(root.runs())
    said = Root(root.path, {"ELECTION": str(ELECTIONS / "hautes_terres_2029.toml")}).run()
    sentence = (
        f"{root.path} holds election 'valmarie_2031' and ELECTION is 'hautes_terres_2029';"
        " name another ELECTION_DATA for it.\n"
    )
    assert (said.code, said.out, said.err) == (1, "", sentence)
    assert len(root.runs()) == runs


def test_root_of_another_source_is_refused_before_anything_runs(prepared: tuple[Root, Command], tmp_path: Path) -> None:
    root = prepared[0]
    runs = len(root.runs())
    archive = tmp_path / "tweets.jsonl"
    archive.write_text(TWEETS, encoding="utf-8")
    said = Root(root.path, {"ARCHIVE": str(archive)}).run()
    sentence = (
        f"{root.path} holds data from source 'sample' and 'archive' is asked for; name another ELECTION_DATA for it.\n"
    )
    assert (said.code, said.out, said.err) == (1, "", sentence)
    assert len(root.runs()) == runs


def test_two_runs_at_once_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    # Several batches a candidate, so that the two take turns.
    root = Root(tmp_path / "data", {"SAMPLE_TWEETS": "2400"})
    both = [root.start(), root.start()]
    said = [root.finish(process) for process in both]

    assert [one.code for one in said] == [0, 0], said
    assert [run.success for run in root.runs()] == [True, True]
    assert [run.failed_checks() for run in root.runs()] == [set(), set()]
    for candidate, found in root.record()["candidates"].items():
        counts = found["root"]
        assert len(list((root.path / "raw" / candidate).glob("*.jsonl.gz"))) > 1
        assert len(root.tweets(candidate)) == counts["kept"]
        assert counts["received"] == counts["kept"] + counts["repeats"] + counts["quarantined"]
        ingested = root.rows("ingested", candidate)
        assert len({row["origin"] for row in ingested}) == len(ingested)
        days = [row for row in root.rows("candidate_stats", candidate) if row["period"] == "day"]
        assert len({row["day"] for row in days}) == len(days)
        assert sum(row["tweets"] for row in days) == counts["kept"]
    merged = root.rows("merged_tweets")
    assert len({(row["candidate"], row["tweet_id"]) for row in merged}) == len(merged)
    assert {row["tweet_id"] for row in merged} == {key for candidate in CANDIDATES for key in root.tweets(candidate)}
    scores = root.rows("sentiment_scores")
    assert len({row["text_hash"] for row in scores}) == len(scores)
