"""Single assets and chosen candidates, as from the UI: backfills, tables made anew, other official results."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from election_assets.transforms.results import bundled_results
from tests.assets.roots import CANDIDATES, Command, Root, Worker, page, tweet

CHAIN = ("raw_tweets", "landed_csv", "cleaned_tweets", "candidate_stats")
REBUILD = {"cleaned_tweets": {"rebuild": True}}
NEW = page(
    [
        tweet(4001, "2031-09-20T03:00:00.000Z", "Ormevaux à l’île aux Phoques"),
        tweet(4002, "2031-09-21T03:00:00.000Z", "Brønnvik a tenu parole"),
        tweet(4003, "2031-09-22T03:00:00.000Z", "Quíntara, enfin du concret"),
    ],
    "2031-10-05T00:00:00Z",
)

TOTALS = "Inscrits;Abstentions;Votants;Blancs;Nuls;Exprimés"
COUNTS = ("registered", "abstentions", "voters", "blank", "null_votes", "cast")


@pytest.fixture(scope="module")
def backfilled(
    prepared: tuple[Root, Command], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Root, Worker]]:
    root = prepared[0].copy(tmp_path_factory.mktemp("backfill") / "data")
    with root.worker() as worker:
        yield root, worker


def stats(root: Root, candidate: str) -> list[str]:
    """The rows of `candidate_stats`, sorted, without the names of the files that they were counted from."""
    return sorted(str({**row, "cleaned_files": None}) for row in root.rows("candidate_stats", candidate))


def versions(root: Root) -> dict[str, int]:
    return {candidate: root.table("cleaned_tweets", candidate).version() for candidate in CANDIDATES}


def test_a_table_made_anew_is_equal(backfilled: tuple[Root, Worker]) -> None:
    root, worker = backfilled
    before, tweets, counted = versions(root), root.tweets("bronnvik"), stats(root, "bronnvik")
    ingested = [{**row, "ingested_at": None} for row in root.rows("ingested", "bronnvik")]

    run = worker.materialise(*CHAIN, candidates=["bronnvik"], config=REBUILD)

    assert run.success
    assert {name: list(found) for name, found in run.materialised.items()} == {name: ["bronnvik"] for name in CHAIN}
    assert run.materialised["cleaned_tweets"]["bronnvik"]["kept"] == len(tweets)
    assert root.tweets("bronnvik") == tweets
    assert [{**row, "ingested_at": None} for row in root.rows("ingested", "bronnvik")] == ingested
    assert stats(root, "bronnvik") == counted
    after = versions(root)
    assert after.pop("bronnvik") > before.pop("bronnvik")
    assert after == before


def test_chosen_candidates_get_what_is_new_and_the_others_stay(backfilled: tuple[Root, Worker]) -> None:
    root, worker = backfilled
    before = {candidate: set(root.tweets(candidate)) for candidate in CANDIDATES}
    known = versions(root)
    (root.path / "sample" / "more.jsonl").write_text(NEW, encoding="utf-8")

    # A backfill makes one run a contiguous range: these two are not neighbours.
    runs = [worker.materialise(*CHAIN, candidates=[candidate]) for candidate in ("ormevaux", "quintara-7")]

    assert all(run.success and not run.failed_checks() for run in runs)
    assert [list(run.materialised["cleaned_tweets"]) for run in runs] == [["ormevaux"], ["quintara-7"]]
    new = {candidate: set(root.tweets(candidate)) - before[candidate] for candidate in CANDIDATES}
    assert new == {"ormevaux": {"4001"}, "bronnvik": set(), "quintara-7": {"4003"}}
    assert versions(root)["bronnvik"] == known["bronnvik"]


def test_rebuild_that_retention_forbids_is_that_candidates_trouble(backfilled: tuple[Root, Worker]) -> None:
    root, worker = backfilled
    gone = next((root.path / "landed" / "ormevaux").glob("*.csv"))
    kept = gone.read_bytes()
    tweets = root.tweets("ormevaux")
    gone.unlink()
    try:
        run = worker.materialise("cleaned_tweets", candidates=["ormevaux", "bronnvik"], config=REBUILD)
    finally:
        gone.write_bytes(kept)
    assert "cleaned_for_every_candidate" in run.failed_checks()
    assert gone.stem in run.checks["cleaned_for_every_candidate"].metadata["ormevaux"].value
    assert gone.stem in run.materialised["cleaned_tweets"]["ormevaux"]["error"]
    assert "error" not in run.materialised["cleaned_tweets"]["bronnvik"]
    assert root.tweets("ormevaux") == tweets


def official_second_round(moved: int) -> str:
    """The bundled second round in the ministry's layout by department, some votes of the Ain moved."""
    lines = [f"Code du département;Libellé du département;{TOTALS};Nom;Voix"]
    second = bundled_results().query("round == 2")
    for (code, name), rows in second.groupby(["department", "department_name"]):
        votes = dict(zip(rows["candidate"], rows["votes"], strict=True))
        if code == "01":
            votes["MACRON"] += moved
            votes["LE PEN"] -= moved
        counts = [rows.iloc[0][count] for count in COUNTS]
        shown = "ZX" if code == "977-978" else code
        lines.append(";".join(map(str, [shown, name, *counts, *(value for pair in votes.items() for value in pair)])))
    return "\r\n".join([*lines, ""])


def votes(root: Root) -> dict[tuple[int, str, str], int]:
    return {(row["round"], row["department"], row["candidate"]): row["votes"] for row in root.rows("results_2017")}


def test_results_2017_takes_an_official_file_for_its_round(backfilled: tuple[Root, Worker], tmp_path: Path) -> None:
    root, worker = backfilled
    before = votes(root)
    file = tmp_path / "PR17_T2.csv"
    file.write_text(official_second_round(moved=7), encoding="latin-1")

    run = worker.materialise("results_2017", env={"RESULTS_2017": str(file)})

    assert run.success
    assert run.materialised["results_2017"][None]["source"] == str(file)
    after = votes(root)
    changed = {key: after[key] - before.get(key, 0) for key in after if after[key] != before.get(key)}
    assert after.keys() == before.keys()
    assert changed == {(2, "01", "MACRON"): 7, (2, "01", "LE PEN"): -7}


def test_results_2017_that_do_not_add_up_stop_the_map(backfilled: tuple[Root, Worker], tmp_path: Path) -> None:
    worker = backfilled[1]
    file = tmp_path / "PR17_T2.csv"
    file.write_text(official_second_round(moved=0).replace("MACRON;", "MACRON;1", 1), encoding="utf-8")

    run = worker.materialise("results_2017", "department_map", env={"RESULTS_2017": str(file)})

    assert not run.success
    assert run.failed_checks() == {"totals_agree"}
    assert "01" in run.checks["totals_agree"].description
    assert "department_map" not in run.materialised


def test_results_2017_of_an_unknown_layout_fail_with_the_loaders_sentence(
    backfilled: tuple[Root, Worker], tmp_path: Path
) -> None:
    root, worker = backfilled
    before = root.table("results_2017").version()
    file = tmp_path / "autre.csv"
    file.write_text("Ville;Voix\r\nBourg-en-Bresse;12\r\n", encoding="utf-8")

    run = worker.materialise("results_2017", env={"RESULTS_2017": str(file)})

    assert not run.success
    assert "autre.csv" in run.failures["results_2017"]
    assert "Code du département" in run.failures["results_2017"]
    assert root.table("results_2017").version() == before
