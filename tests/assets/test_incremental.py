"""Three runs of the main job on an archive that grows: each adds what is new, and touches nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from election_assets.run_record import COUNTS
from tests.assets.roots import CANDIDATES, Root, Run, page, tweet

NOTHING = dict.fromkeys(COUNTS, 0)

FIRST = [
    page(
        [
            tweet(2001, "2031-09-20T03:00:00.000Z", "Ormevaux à l’île aux Phoques : « on vous écoute »", likes=1),
            tweet(2002, "2031-09-22T03:00:00.000Z", "Et si Zoé d'Ormevaux avait raison ?", likes=2),
            tweet(2003, "2031-09-24T03:00:00.000Z", "Ormevaux face à Brønnvik, quel débat !", likes=3),
            tweet(2004, "2031-09-24T04:00:00.000Z", "Il pleut sur le port, rien d’autre à dire."),
        ],
        "2031-09-25T00:00:00Z",
    ),
    '{"data": [{"id": "2005", "text": "Ormevaux, et la ligne s’arr\n',
    page(
        [
            tweet(2006, "2031-09-23T03:00:00.000Z", "Brønnvik a tenu parole", likes=1),
            # Nobody knows when this one was written.
            tweet(2007, "un jour", "Brønnvik, un jour peut-être"),
        ],
        "2031-09-25T01:00:00Z",
    ),
]
MORE = page(
    [
        tweet(2008, "2031-09-24T05:00:00.000Z", "Ormevaux, encore elle, ce soir"),
        tweet(2002, "2031-09-22T03:00:00.000Z", "Et si Zoé d'Ormevaux avait raison ?", likes=40),
    ],
    "2031-09-26T00:00:00Z",
)
OLDER = page([tweet(900, "2031-09-02T03:00:00.000Z", "Ormevaux candidate ?")], "2031-09-26T01:00:00Z")


@dataclass
class Seen:
    """What stood after a run."""

    run: Run
    record: dict[str, Any]
    tweets: dict[str, dict[str, dict[str, Any]]]
    files: dict[str, dict[str, set[str]]]
    stats: dict[str, dict[Any, int]]
    texts: int
    page: str


def see(root: Root) -> Seen:
    return Seen(
        root.runs()[-1],
        root.record(),
        {candidate: root.tweets(candidate) for candidate in CANDIDATES},
        {candidate: root.day_files(candidate) for candidate in CANDIDATES},
        {
            candidate: {
                str(row["day"]): row["tweets"]
                for row in root.rows("candidate_stats", candidate)
                if row["period"] == "day"
            }
            for candidate in CANDIDATES
        },
        len(root.rows("sentiment_scores")),
        root.report("method.html"),
    )


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> tuple[Seen, Seen, Seen]:
    folder = tmp_path_factory.mktemp("incremental")
    archive = folder / "archive"
    archive.mkdir()
    root = Root(folder / "data", {"ARCHIVE": str(archive)})
    (archive / "one.jsonl").write_text("".join(FIRST), encoding="utf-8")
    assert root.run().code == 0
    first = see(root)
    (archive / "more.jsonl").write_text(MORE, encoding="utf-8")
    # Sorted before the others, as its id and its date are before all others.
    (archive / "a_find.jsonl").write_text(OLDER, encoding="utf-8")
    with root.worker() as worker:
        worker.materialise(candidates=CANDIDATES)
        second = see(root)
        worker.materialise(candidates=CANDIDATES)
    return first, second, see(root)


def test_every_run_succeeds(three: tuple[Seen, Seen, Seen]) -> None:
    for seen in three:
        assert seen.run.success, seen.run.failures
        assert len(seen.run.materialised) == 10
        assert not seen.run.failed_checks()


def test_first_run_keeps_what_the_archive_holds(three: tuple[Seen, ...]) -> None:
    first = three[0]
    assert {candidate: set(tweets) for candidate, tweets in first.tweets.items()} == {
        "ormevaux": {"2001", "2002", "2003"},
        "bronnvik": {"2003", "2006"},
        "quintara-7": set(),
    }
    assert first.record["candidates"]["bronnvik"]["root"] == NOTHING | {"received": 3, "kept": 2, "quarantined": 1}
    assert first.record["candidates"]["quintara-7"]["root"] == NOTHING


def test_archive_counts_what_it_read_and_what_named_nobody(three: tuple[Seen, ...]) -> None:
    first, second, third = (seen.record["archive"] for seen in three)
    assert (first["read"], first["unreadable"], first["matched_no_candidate"]) == (6, 1, 1)
    (problem,) = first["problems"]
    assert (problem["file"], problem["line"], problem["kind"]) == ("one.jsonl", 2, "unreadable_line")
    assert (second["read"], second["unreadable"], second["matched_no_candidate"]) == (9, 1, 1)
    assert third == second


def test_second_run_adds_exactly_what_is_new(three: tuple[Seen, ...]) -> None:
    first, second = three[:2]
    assert set(second.tweets["ormevaux"]) - set(first.tweets["ormevaux"]) == {"2008", "900"}
    counts = second.record["candidates"]["ormevaux"]
    assert counts["run"] == NOTHING | {"received": 3, "kept": 2, "repeats": 1}
    assert counts["root"] == NOTHING | {"received": 6, "kept": 5, "repeats": 1}
    assert second.record["total"]["run"] == counts["run"]


def test_second_run_updates_exactly_one_count(three: tuple[Seen, ...]) -> None:
    first, second = three[:2]
    before = first.tweets["ormevaux"]
    changed = {key: row for key, row in second.tweets["ormevaux"].items() if key in before and row != before[key]}
    assert set(changed) == {"2002"}
    newest = {name: value for name, value in changed["2002"].items() if value != before["2002"][name]}
    assert set(newest) == {"like_count", "engagement", "retrieved_at"}
    assert newest["like_count"] == newest["engagement"] == 40


def test_second_run_leaves_the_files_of_other_days(three: tuple[Seen, ...]) -> None:
    first, second = (seen.files["ormevaux"] for seen in three[:2])
    assert set(first) == {"2031-09-20", "2031-09-22", "2031-09-24"}
    assert set(second) == {*first, "2031-09-02"}
    assert second["2031-09-20"] == first["2031-09-20"]
    # The file of a row that was updated is written anew; a new row is a further file.
    assert not second["2031-09-22"] & first["2031-09-22"]
    assert second["2031-09-24"] - first["2031-09-24"]
    for candidate in ("bronnvik", "quintara-7"):
        assert three[1].files[candidate] == three[0].files[candidate]


def test_second_run_counts_the_changed_days_anew(three: tuple[Seen, ...]) -> None:
    assert three[1].stats["ormevaux"] == {"2031-09-02": 1, "2031-09-20": 1, "2031-09-22": 1, "2031-09-24": 2}
    counted = {
        candidate: found["days_counted"] for candidate, found in three[1].run.materialised["candidate_stats"].items()
    }
    assert counted == {"ormevaux": 3, "bronnvik": 0, "quintara-7": 0}
    assert three[1].run.materialised["sentiment_scores"][None]["new_texts"] == 2
    assert three[1].texts == three[0].texts + 2


def test_third_run_adds_nothing(three: tuple[Seen, ...]) -> None:
    second, third = three[1:]
    assert third.record["total"] == {"run": NOTHING, "root": second.record["total"]["root"]}
    assert third.tweets == second.tweets
    assert third.files == second.files
    assert third.stats == second.stats
    assert third.run.materialised["sentiment_scores"][None]["new_texts"] == 0


def test_report_of_an_archive_is_not_called_a_sample(three: tuple[Seen, ...]) -> None:
    for seen in three:
        assert seen.record["source"] == "archive"
        assert "Données d’exemple" not in seen.page
        assert "L’archive lue" in seen.page
