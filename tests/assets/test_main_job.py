"""`python -m election_assets.run` on an invented election, from nothing: one run, every file, every count."""

from __future__ import annotations

import re
from pathlib import Path

import dagster as dg
import pytest

from election_assets.run_record import COUNTS
from tests.assets.roots import CANDIDATES, Command, Root, Run
from tests.unit.visuals.pages import pages_of, targets

PARTITIONED = ("raw_tweets", "landed_csv", "cleaned_tweets", "candidate_stats")
UNPARTITIONED = ("results_2017", "merged_tweets", "sentiment_scores", "department_map", "word_cloud", "report")


@pytest.fixture(scope="module")
def root(prepared: tuple[Root, Command]) -> Root:
    return prepared[0]


@pytest.fixture(scope="module")
def said(prepared: tuple[Root, Command]) -> Command:
    return prepared[1]


@pytest.fixture(scope="module")
def run(root: Root) -> Run:
    (run,) = root.runs()
    return run


def test_one_run_materialises_every_partition_and_asset(root: Root, said: Command, run: Run) -> None:
    assert said.code == 0
    assert run.success
    assert set(run.materialised) == {*PARTITIONED, *UNPARTITIONED}
    with root.instance() as instance:
        for name in PARTITIONED:
            assert instance.get_materialized_partitions(dg.AssetKey(name)) == set(CANDIDATES)
    for name in UNPARTITIONED:
        assert list(run.materialised[name]) == [None]


def test_all_checks_pass(run: Run) -> None:
    assert len(run.checks) == 13
    assert not run.failed_checks()


def test_every_materialisation_says_where_it_is_and_how_much(root: Root, run: Run) -> None:
    for name, found in run.materialised.items():
        for partition, metadata in found.items():
            assert str(metadata["path"]).startswith(str(root.path)), (name, partition)
    for candidate in CANDIDATES:
        kept = run.materialised["cleaned_tweets"][candidate]
        assert kept["dagster/row_count"] == len(root.tweets(candidate)) == kept["kept"]
        assert run.materialised["raw_tweets"][candidate]["received"] > 50
    for name in ("cleaned_tweets", "candidate_stats"):
        assert all("| --- |" in run.materialised[name][candidate]["preview"] for candidate in CANDIDATES)
    for name in ("department_map", "word_cloud"):
        assert "data:image/png;base64," in run.materialised[name][None]["preview"]
    pages = {"report": "index.html", "department_map": "department_map.html", "word_cloud": "word_cloud.png"}
    for name, page in pages.items():
        assert run.materialised[name][None]["page"] == f"http://127.0.0.1:3001/{page}"
        assert (root.path / "report" / page).exists()
    told = run.materialised["report"][None]
    kept = root.record()["total"]["root"]["kept"]
    assert f"| {kept} |" in told["counts"].splitlines()[-1]
    _, _, *rows = told["preview"].splitlines()
    assert [row.split(" | ")[0] for row in rows] == ["| Zoé d'Ormevaux", "| Åse Brønnvik-Çelà", "| Néstor Quíntara"]
    assert all(
        re.search(r"\| \d+ \| \d+\.\d% \| [+-]\d\.\d\d \([+-]\d\.\d\d to [+-]\d\.\d\d\) \|", row) for row in rows
    )
    shown = run.materialised["department_map"][None]
    assert shown["tweets_shown"] + shown["tweets_unplaced"] <= root.record()["archive"]["read"]
    assert shown["departments"] == 107


def test_every_candidates_tweets_are_kept_with_their_accents(root: Root) -> None:
    for candidate, name in zip(CANDIDATES, ("Ormevaux", "Brønnvik", "Quíntara"), strict=True):
        tweets = root.tweets(candidate).values()
        assert any(name in tweet["text"] for tweet in tweets)
        assert sum(candidate in tweet["named_candidates"] for tweet in tweets) > len(tweets) / 2
        assert {str(tweet["day"])[:4] for tweet in tweets} == {"2031"}
    # Auckland is half a day ahead: the local date is often the day after UTC's.
    assert any(tweet["day"] > tweet["created_at"].date() for tweet in root.tweets("ormevaux").values())


def test_topics_and_landed_files_bear_the_elections_prefix(root: Root) -> None:
    for candidate in CANDIDATES:
        files = list((root.path / "landed" / candidate).glob("*.csv"))
        assert files
        assert all(f"~valmarie.essais.{candidate}~0~" in file.name for file in files)


def test_files_stand(root: Root) -> None:
    report = root.path / "report"
    for name in ("index.html", "department_map.html", "run.json", "word_cloud.svg", "word_clouds/quintara-7.png"):
        assert (report / name).stat().st_size > 1000
    # Whatever a page links to or loads stands beside it.
    files = {file.relative_to(report).as_posix(): file.read_bytes() for file in report.rglob("*") if file.is_file()}
    pages = pages_of(files)
    assert set(pages) == {"index.html", "department_map.html", "method.html"} | {
        f"candidates/{candidate}.html" for candidate in CANDIDATES
    }
    for path, page in pages.items():
        for file, anchor in targets(page, path):
            assert file in files, (path, file)
            assert not anchor or anchor in pages[file].ids, (path, file, anchor)
    assert (report / "word_cloud.png").read_bytes().startswith(b"\x89PNG")


def test_tables_stand(root: Root) -> None:
    merged = root.rows("merged_tweets")
    assert len(merged) == sum(len(root.tweets(candidate)) for candidate in CANDIDATES)
    hashes = {row["text_hash"] for row in root.rows("sentiment_scores")}
    assert hashes == {row["text_hash"] for row in merged if row["lang"] == "fr"}
    assert len({row["department"] for row in root.rows("results_2017")}) == 107
    for candidate in CANDIDATES:
        days = [row for row in root.rows("candidate_stats", candidate) if row["period"] == "day"]
        assert sum(row["tweets"] for row in days) == len(root.tweets(candidate))


def test_run_record_adds_up(root: Root, run: Run) -> None:
    record = root.record()
    assert (record["election"]["key"], record["source"], record["run_id"]) == ("valmarie_2031", "sample", run.run_id)
    assert list(record["candidates"]) == CANDIDATES
    for candidate, found in record["candidates"].items():
        counts = found["root"]
        assert found["run"] == counts
        assert found["error"] is None
        assert counts["received"] == counts["kept"] + counts["repeats"] + counts["quarantined"]
        assert counts["kept"] == len(root.tweets(candidate))
        assert counts["received"] == run.materialised["raw_tweets"][candidate]["received"]
    for span in ("run", "root"):
        assert record["total"][span] == {
            name: sum(found[span][name] for found in record["candidates"].values()) for name in COUNTS
        }
    assert record["total"]["root"]["repeats"] > 0
    assert record["total"]["root"]["quarantined"] > 0
    assert record["archive"]["read"] == 600
    assert set(record["seconds"]) >= {*PARTITIONED, *UNPARTITIONED} - {"report"}
    assert record["engines"]["broker"] == "embedded broker"


def test_report_says_that_it_is_sample_data(root: Root) -> None:
    page = root.report()
    assert "Données d’exemple synthétiques" in page
    assert "Zoé d&#39;Ormevaux" in page or "Zoé d'Ormevaux" in page
    assert "exemple" in (root.path / "report" / "department_map.html").read_text(encoding="utf-8")


def test_progress_is_a_line_an_asset_and_ends_with_the_report(root: Root, said: Command) -> None:
    first, *assets, last_but_one, last = said.lines
    assert first == f"Élection présidentielle de Valmarie de 2031: 3 candidates, data in {root.path}"
    names = [re.match(r"(\w+) +done +\d+\.\d s   \S", line) for line in assets]
    assert sorted(match[1] for match in names if match) == sorted((*PARTITIONED, *UNPARTITIONED))
    assert len(assets) == len(PARTITIONED) + len(UNPARTITIONED)
    assert re.fullmatch(r"run [0-9a-f-]{36} succeeded in \d+ min \d+ s", last_but_one)
    assert last == f"report: {root.path}/report/index.html"
    assert said.err == ""


def test_progress_tells_the_counts_of_all_candidates(root: Root, said: Command) -> None:
    total = root.record()["total"]["root"]
    (line,) = (line for line in said.lines if line.startswith("cleaned_tweets"))
    assert f"3 candidates, 3 files, {total['kept']} kept, {total['repeats']} repeats" in line


@pytest.mark.parametrize(
    ("env", "sentence"),
    [
        ({"DAGSTER_HOME": ""}, "DAGSTER_HOME is not set: use `make run`, or name a folder that holds dagster.yaml.\n"),
        (
            {"ELECTION": "nulle_part_1900"},
            "ELECTION=nulle_part_1900: neither a bundled election (fr_2022) nor the path of a file;"
            " give one of the two.\n",
        ),
        (
            {"DAGSTER_HOME": "dagster"},
            'Dagster\'s instance cannot be opened: $DAGSTER_HOME "dagster" must be an absolute path. Dagster requires'
            " this environment variable to be set to an existing directory in your filesystem.\n",
        ),
    ],
)
def test_what_cannot_run_says_so_in_one_sentence(tmp_path: Path, env: dict[str, str], sentence: str) -> None:
    said = Root(tmp_path / "data", env).run()
    assert (said.code, said.out, said.err) == (1, "", sentence)
