from __future__ import annotations

import pytest

from election_assets.landed import OriginReusedError, batches, read_landed, store
from election_assets.schemas import LANDED_V1_NAMES, encode_tweets
from election_assets.storage import DataRoot
from tests.fakes.landing import CANDIDATE, CLUSTER, TOPIC, message, record

NASTY = [
    'Il dit "non"',
    '"',
    '""',
    'à la fin"',
    '"a"\r\n"b"',
    "a\r\nb",
    "a\nb",
    "a\n\nb\n",
    "a\rb",
    "\ra",
    "a\r",
    "  au début",
    "à la fin  ",
    "\ttab",
    "contre\\oblique",
    "\\",
    '\\"',
    "\\n",
    "a,b;c",
    "👩‍👩‍👧 🇫🇷 ❤️",
    "e\u0301 é",
    "\ufeffx",
    "x\u2028y\x85z",
    "nul\0x",
    "\x1a",
    "null",
    "NULL",
    "#pas un commentaire",
    "=1+1",
    "long " * 50_000,
]


@pytest.fixture
def root(tmp_path) -> DataRoot:
    return DataRoot(tmp_path)


def files(root: DataRoot) -> dict[str, bytes]:
    return {
        str(file.relative_to(root.path)): file.read_bytes() for file in sorted(root.path.rglob("*")) if file.is_file()
    }


@pytest.mark.parametrize("cluster", [CLUSTER, "_hidden", ".hidden", "-dashed"])
def test_every_text_is_read_back_exactly_whatever_the_clusters_id(spark, root, cluster):
    # Spark takes files named _… and .… for hidden ones.
    half = len(NASTY) // 2
    store(root, CANDIDATE, message("b-1", 3, [record(n, text=NASTY[n]) for n in range(half)], cluster=cluster))
    rest = [record(n, text=NASTY[n], author_location=NASTY[n]) for n in range(half, len(NASTY))]
    store(root, CANDIDATE, message("b-2", 12, rest, cluster=cluster))
    origins = root.origins(CANDIDATE)
    assert origins == [f"{cluster}~{TOPIC}~0~{offset:020d}" for offset in (3, 12)]
    frame = read_landed(spark, root, CANDIDATE, origins)
    assert frame.columns == [*LANDED_V1_NAMES, "origin"]
    rows = sorted(frame.collect(), key=lambda row: int(row["id"]))
    assert [row["text"] for row in rows] == NASTY
    assert [row["author_location"] for row in rows[half:]] == NASTY[half:]
    assert [(row["origin"], row["batch_id"], int(row["line"])) for row in rows] == [
        *((origins[0], "b-1", number + 1) for number in range(half)),
        *((origins[1], "b-2", number + 1) for number in range(len(NASTY) - half)),
    ]


def test_no_files_are_an_empty_frame(spark, root):
    frame = read_landed(spark, root, CANDIDATE, [])
    assert frame.columns == [*LANDED_V1_NAMES, "origin"]
    assert frame.count() == 0


def test_a_file_of_a_header_line_alone_has_no_rows(spark, root):
    store(root, CANDIDATE, message("b-1", 1, [record("x")]))
    assert root.origins(CANDIDATE) == [message("b-1", 1).origin]
    assert read_landed(spark, root, CANDIDATE, root.origins(CANDIDATE)).count() == 0


def test_landing_again_changes_nothing(root):
    mixed = message("b-1", 1, [record(1), record("x"), record(3)])
    first = store(root, CANDIDATE, mixed)
    before = files(root)
    assert sorted(before) == [f"landed/macron/{mixed.origin}.csv", f"quarantine/macron/{mixed.origin}.jsonl"]
    times = {file: file.stat().st_mtime_ns for file in root.path.rglob("*.*")}
    assert store(root, CANDIDATE, mixed) == first
    assert files(root) == before
    assert {file: file.stat().st_mtime_ns for file in root.path.rglob("*.*")} == times


def test_a_crash_between_the_two_files_is_made_good(root):
    mixed = message("b-1", 1, [record(1), record("x")])
    store(root, CANDIDATE, mixed)
    whole = files(root)
    root.landed_file(CANDIDATE, mixed.origin).unlink()
    store(root, CANDIDATE, mixed)
    assert files(root) == whole


def test_what_is_refused_is_kept_with_reason_batch_line_and_original(root):
    refused = message("b-1", 1, [record(1), record("x", text='né "là"\r\nlà')])
    store(root, CANDIDATE, refused)
    [line] = root.quarantined_lines(CANDIDATE)[refused.origin]
    assert line == {
        "reason": "id 'x' is not a number.",
        "batch_id": "b-1",
        "line": 2,
        "original": encode_tweets([record("x", text='né "là"\r\nlà')])
        .decode()
        .split("\r\n", 1)[1]
        .removesuffix("\r\n"),
    }


def test_lost_refused_lines_are_written_again(root):
    mixed = message("b-1", 1, [record(1), record("x")])
    store(root, CANDIDATE, mixed)
    whole = files(root)
    root.quarantine_file(CANDIDATE, mixed.origin).unlink()
    store(root, CANDIDATE, mixed)
    assert files(root) == whole


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([record(1)], [record(2)]),
        ([record(1)], [record("x")]),
        ([record("x")], [record("y")]),
        ([record(1), record("x")], [record(1)]),
    ],
)
def test_other_content_from_the_same_place_is_refused_and_nothing_is_written(root, before, after):
    store(root, CANDIDATE, message("b-1", 1, before))
    stored = files(root)
    with pytest.raises(OriginReusedError, match=r"topic_prefix.*ELECTION_DATA"):
        store(root, CANDIDATE, message("b-1", 1, after))
    assert files(root) == stored


def test_a_message_refused_whole_does_not_take_the_place_of_a_landed_one(root):
    store(root, CANDIDATE, message("b-1", 1, [record(1)]))
    store(root, CANDIDATE, message("b-2", 2, [record(1)], schema="tweet.v0"))
    stored = files(root)
    with pytest.raises(OriginReusedError):
        store(root, CANDIDATE, message("b-1", 1, [record(1)], schema="tweet.v0"))
    with pytest.raises(OriginReusedError):
        store(root, CANDIDATE, message("b-2", 2, [record(1)]))
    assert files(root) == stored


def test_the_batch_of_every_message_is_known_whether_it_landed_or_not(root):
    messages = {
        "landed": message("b-1", 1, [record(1)]),
        "in part": message("b-2", 2, [record("x"), record(2)]),
        "all lines refused": message("b-3", 3, [record("x")]),
        "refused whole": message("b-4", 4, [record(1)], schema="tweet.v0"),
        "without batch": message("", 5, [record(1)]),
        "again": message("b-1", 6, [record(1)]),
    }
    for each in messages.values():
        store(root, CANDIDATE, each)
    assert batches(root, CANDIDATE, {}) == {
        messages["landed"].origin: "b-1",
        messages["in part"].origin: "b-2",
        messages["all lines refused"].origin: "b-3",
        messages["refused whole"].origin: "b-4",
        messages["without batch"].origin: "",
        messages["again"].origin: "b-1",
    }


def test_an_emptied_quarantine_file_names_no_batch(root):
    refused = message("b-1", 1, [record(1)], schema="tweet.v0")
    store(root, CANDIDATE, refused)
    root.quarantine_file(CANDIDATE, refused.origin).write_bytes(b"")
    assert batches(root, CANDIDATE, {}) == {}


def test_the_batch_of_a_file_that_was_read_needs_no_file(root):
    read = message("b-1", 1, [record(1)])
    store(root, CANDIDATE, read)
    root.landed_file(CANDIDATE, read.origin).unlink()
    assert batches(root, CANDIDATE, {read.origin: "b-1"}) == {read.origin: "b-1"}
