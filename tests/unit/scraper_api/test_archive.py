from __future__ import annotations

import copy
import gzip
import json
import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scraper_api.archive import (
    PATIENCE,
    ArchivedTweet,
    ArchiveError,
    Problem,
    Segment,
    find_segment,
    list_segments,
    read_segment,
)

REAL_PAGES = Path(__file__).parents[4] / "shared" / "data" / "x_api"
RETRIEVED = "2022-04-01T10:00:00+00:00"


def user(number: int) -> dict:
    return {"id": str(number), "name": f"Personne {number}", "username": f"personne_{number}"}


def tweet(number: int, author: int = 1, **fields: object) -> dict:
    return {"id": str(number), "text": f"le débat n° {number}", "author_id": str(author), **fields}


def page(records: list, /, **includes: object) -> dict:
    return {
        "data": records,
        "includes": includes,
        "meta": {"result_count": len(records)},
        "__twarc": {"url": "https://api.twitter.com/2/tweets/search/all", "retrieved_at": RETRIEVED},
    }


def lines(*values: object) -> bytes:
    return b"".join(json.dumps(value, ensure_ascii=False).encode() + b"\n" for value in values)


def read(path: Path) -> tuple[list[ArchivedTweet], list[Problem]]:
    found = [item for segment in list_segments(path) for item in read_segment(path, segment)]
    return [i for i in found if isinstance(i, ArchivedTweet)], [i for i in found if isinstance(i, Problem)]


def read_bytes(folder: Path, content: bytes) -> tuple[list[ArchivedTweet], list[Problem]]:
    file = folder / "archive.jsonl"
    file.write_bytes(content)
    return read(file)


def ids(tweets: list[ArchivedTweet]) -> list[object]:
    return [item.tweet.get("id") for item in tweets]


REPLY = tweet(12, 2, in_reply_to_user_id="3", referenced_tweets=[{"type": "replied_to", "id": "90"}])
RETWEET = tweet(
    13,
    1,
    referenced_tweets=[{"type": "retweeted", "id": "91"}],
    geo={"place_id": "p1", "coordinates": {"type": "Point"}},
)
PAGE = page(
    [tweet(11), REPLY, RETWEET, tweet(14, 404)],
    users=[user(1), user(2), user(3), user(4), user(5)],
    tweets=[tweet(90, 3), tweet(91, 4), tweet(92, 5)],
    places=[{"id": "p1", "full_name": "Lyon, France", "country": "France"}, {"id": "p2", "full_name": "Nantes"}],
)


def flattened(response: dict) -> list[dict]:
    """A page as `twarc2 flatten` writes it."""
    response = copy.deepcopy(response)
    users, tweets, places = (
        {item["id"]: item for item in response["includes"][kind]} for kind in ("users", "tweets", "places")
    )

    def flat(record: dict) -> dict:
        record = {**record, "author": users.get(record["author_id"], {})}
        if "in_reply_to_user_id" in record:
            record["in_reply_to_user"] = users.get(record["in_reply_to_user_id"], {})
        if "referenced_tweets" in record:
            record["referenced_tweets"] = [
                {**reference, **flat(tweets[reference["id"]])} for reference in record["referenced_tweets"]
            ]
        if "geo" in record:
            record["geo"] = {**record["geo"], **places[record["geo"]["place_id"]]}
        return record

    return [{**flat(record), "__twarc": response["__twarc"]} for record in response["data"]]


def test_a_page_gives_each_tweet_with_what_it_refers_to(tmp_path: Path) -> None:
    tweets, problems = read_bytes(tmp_path, lines(PAGE))
    assert not problems
    assert [item.tweet for item in tweets] == PAGE["data"]
    assert {item.retrieved_at for item in tweets} == {RETRIEVED}
    named = [{kind: [i["id"] for i in found] for kind, found in item.includes.items()} for item in tweets]
    assert named == [
        {"users": ["1"], "tweets": [], "places": []},
        {"users": ["2", "3"], "tweets": ["90"], "places": []},
        {"users": ["1", "4"], "tweets": ["91"], "places": ["p1"]},
        {"users": [], "tweets": [], "places": []},
    ]


def test_flattened_tweets_give_the_same_as_their_page(tmp_path: Path) -> None:
    from_page, _ = read_bytes(tmp_path, lines(PAGE))
    from_flat, problems = read_bytes(tmp_path, lines(*flattened(PAGE)))
    assert not problems
    assert [item._replace(line=1) for item in from_flat] == from_page
    assert [item.line for item in from_flat] == [1, 2, 3, 4]


def test_a_place_under_geo_place_is_turned_back(tmp_path: Path) -> None:
    flat = tweet(1, geo={"place_id": "p1", "place": {"id": "p1", "full_name": "Lyon"}}, author=user(1)) | {
        "author_id": "1"
    }
    (item,), _ = read_bytes(tmp_path, lines(flat))
    assert item.tweet["geo"] == {"place_id": "p1"}
    assert item.includes["places"] == [{"id": "p1", "full_name": "Lyon"}]


def test_tweets_of_the_first_api_are_given_in_the_form_of_the_second(tmp_path: Path) -> None:
    author = {"id_str": "1", "name": "Une", "screen_name": "une", "location": "Lyon", "followers_count": 9}
    original = {"id_str": "5", "full_text": "entier", "user": {**author, "id_str": "2", "screen_name": "deux"}}
    status = {
        "id_str": "6",
        "full_text": "RT @deux: ent…",
        "created_at": "Fri Dec 17 11:38:08 +0000 2021",
        "lang": "fr",
        "user": author,
        "retweeted_status": original,
        "retweet_count": 3,
        "favorite_count": 4,
        "place": {"id": "p", "full_name": "Lyon"},
    }
    (item,), problems = read_bytes(tmp_path, lines(status))
    assert not problems
    assert item.tweet["id"] == "6"
    assert item.tweet["created_at"] == "Fri Dec 17 11:38:08 +0000 2021"
    assert item.tweet["referenced_tweets"] == [{"type": "retweeted", "id": "5"}]
    assert (item.tweet["public_metrics"]["retweet_count"], item.tweet["public_metrics"]["like_count"]) == (3, 4)
    assert [other["text"] for other in item.includes["tweets"]] == ["entier"]
    assert [other["username"] for other in item.includes["users"]] == ["une", "deux"]
    assert item.includes["users"][0]["public_metrics"]["followers_count"] == 9
    assert item.includes["places"][0]["full_name"] == "Lyon"
    searched, _ = read_bytes(tmp_path, lines({"statuses": [status, status]}))
    assert ids(searched) == ["6", "6"]


def test_malformed_records_are_tweets_all_the_same(tmp_path: Path) -> None:
    records = [
        {"id": None, "text": "sans id", "author_id": "1"},
        {"id": "2", "author_id": "1"},
        {"id": "3", "text": "jamais", "created_at": "2022-13-45T99:00:00Z"},
        {"id": 4, "text": None, "referenced_tweets": [None, {"type": "quoted"}], "geo": [], "author_id": {}},
    ]
    for content in (lines(page(records)), lines(*records), lines(page(records, users=[None, "x"], tweets=None))):
        tweets, problems = read_bytes(tmp_path, content)
        assert ids(tweets) == [None, "2", "3", 4]
        assert not problems


@pytest.mark.parametrize(
    ("value", "kind", "word"),
    [
        ({"errors": [{"title": "Not Found Error"}], "__twarc": {}}, "errors_only", "Not Found Error"),
        ({"errors": [{"title": "operational-disconnect"}], "data": None}, "errors_only", "operational-disconnect"),
        ({"data": [], "__twarc": {}}, "no_tweets", "nothing"),
        (
            {"data": [{"start": "a", "end": "b", "tweet_count": 4}], "meta": {"total_tweet_count": 4}},
            "no_tweets",
            "counts",
        ),
        (page([user(1)], tweets=[tweet(5)]), "no_tweets", "users"),
        (page([{"id": "1", "name": "liste", "member_count": 3}]), "no_tweets", "lists"),
        ({"id": "1", "action": "delete", "created_at": "2022-04-01T00:00:00Z"}, "no_tweets", "other objects"),
        ([1, 2], "no_tweets", "list"),
        ({}, "no_tweets", "other objects"),
    ],
)
def test_a_line_without_tweets_is_named_and_the_rest_goes_on(
    tmp_path: Path, value: object, kind: str, word: str
) -> None:
    tweets, problems = read_bytes(tmp_path, lines(page([tweet(1)]), value, page([tweet(2)])))
    assert ids(tweets) == ["1", "2"]
    ((file, line, found, reason),) = problems
    assert (file, line, found) == ("archive.jsonl", 2, kind)
    assert word in reason


def test_a_page_that_found_nothing_is_no_problem(tmp_path: Path) -> None:
    assert read_bytes(tmp_path, lines({"meta": {"result_count": 0}, "__twarc": {}})) == ([], [])


def test_errors_beside_tweets_are_no_problem(tmp_path: Path) -> None:
    tweets, problems = read_bytes(tmp_path, lines({**PAGE, "errors": [{"title": "Not Found Error"}]}))
    assert len(tweets) == 4
    assert not problems


def test_a_record_that_is_no_object_is_counted(tmp_path: Path) -> None:
    tweets, problems = read_bytes(tmp_path, lines(page([tweet(1), None, "x"])))
    assert len(tweets) == 1
    assert [problem.kind for problem in problems] == ["unreadable_line"] * 2


@pytest.mark.parametrize(
    "bad",
    [
        b'{"data": [{"id": "1", "te',
        b"no json",
        b"\xff\xfe\x00",
        b'{"id": "1", "text": NaN}',
        b'{"id": "1", "text": 1e999}',
        b'{"text": ' + b"[" * 500 + b"]" * 500 + b"}",
        b'{"text": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
        b'{"id": ' + b"9" * 5_000 + b', "text": ""}',
        b"17",
    ],
)
def test_an_unreadable_line_is_named_and_the_rest_goes_on(tmp_path: Path, bad: bytes) -> None:
    tweets, problems = read_bytes(tmp_path, lines(tweet(1)) + bad + b"\r\n\n" + lines(tweet(2)))
    assert ids(tweets) == ["1", "2"]
    assert [(problem.line, problem.kind) for problem in problems] == [(2, "unreadable_line")]
    assert [item.line for item in tweets] == [1, 4]


def test_bad_lines_at_the_start_are_named_too(tmp_path: Path) -> None:
    tweets, problems = read_bytes(tmp_path, b"# a note\n" * 3 + lines(tweet(1)))
    assert ids(tweets) == ["1"]
    assert [problem.line for problem in problems] == [1, 2, 3]


def test_a_line_too_long_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scraper_api.archive.MAX_LINE_BYTES", 2_000)
    tweets, problems = read_bytes(tmp_path, lines(tweet(1), tweet(2, note="x" * 3_000_000), tweet(3)))
    assert ids(tweets) == ["1", "3"]
    assert [item.line for item in tweets] == [1, 3]
    assert [(problem.line, problem.kind) for problem in problems] == [(2, "too_long")]


@pytest.mark.parametrize(
    "content",
    [
        b"id;nom\r\n" + b"1;Dupont\r\n" * 1_000,
        b"id;nom\n1;Dupont",
        bytes(range(256)) * 50,
        b"\x89PNG\r\n\x1a\n\x00\x00",
        "1\n2\n3\n".encode("utf-16"),
        b"17\n18\n" * PATIENCE,
    ],
)
def test_a_file_that_is_no_archive_is_one_problem(tmp_path: Path, content: bytes) -> None:
    for packed in (content, gzip.compress(content)):
        tweets, problems = read_bytes(tmp_path, packed)
        assert not tweets
        assert [problem.kind for problem in problems] == ["no_archive"]


@pytest.mark.parametrize("content", [b"", b"\n \n", gzip.compress(b"", mtime=0)])
def test_an_empty_file_is_one_problem(tmp_path: Path, content: bytes) -> None:
    assert [problem.kind for problem in read_bytes(tmp_path, content)[1]] == ["empty"]


def test_gzip_is_told_by_its_bytes_and_members_follow_one_another(tmp_path: Path) -> None:
    tweets, problems = read_bytes(tmp_path, gzip.compress(lines(PAGE)) + gzip.compress(lines(tweet(15))))
    assert ids(tweets) == ["11", "12", "13", "14", "15"]
    assert not problems


def test_what_precedes_the_cut_of_a_gzip_file_is_kept(tmp_path: Path) -> None:
    whole = lines(*(tweet(number, note=str(number**40)) for number in range(2_000)))
    packed = gzip.compress(whole)
    for cut in (len(packed) // 2, len(packed) - 4):
        tweets, problems = read_bytes(tmp_path, packed[:cut])
        assert ids(tweets) == [str(number) for number in range(len(tweets))]
        assert len(tweets) > 900
        assert [problem.kind for problem in problems] == ["truncated"]
    damaged = packed[: len(packed) // 2] + b"\x00" * 500 + packed[len(packed) // 2 + 500 :]
    tweets, problems = read_bytes(tmp_path, damaged)
    assert ids(tweets)[:800] == [str(number) for number in range(800)]
    assert "truncated" in {problem.kind for problem in problems}


@pytest.mark.parametrize("indent", [None, 2])
def test_json_documents_are_read(tmp_path: Path, indent: int | None) -> None:
    records = [tweet(number) for number in range(30)]
    for value in (records, page(records)):
        for end in ("", "\n"):
            tweets, problems = read_bytes(tmp_path, (json.dumps(value, indent=indent) + end).encode())
            assert ids(tweets) == [str(number) for number in range(30)]
            assert not problems


def test_an_array_with_an_element_a_line_is_read_even_if_one_is_broken(tmp_path: Path) -> None:
    body = [json.dumps(tweet(number)) for number in range(5)]
    body[2] = body[2][:-3]
    tweets, problems = read_bytes(tmp_path, ("[\n" + ",\n".join(body) + "\n]\n").encode())
    assert ids(tweets) == ["0", "1", "3", "4"]
    assert [(problem.kind, problem.line) for problem in problems] == [("unreadable_line", 4)]


def test_what_precedes_the_cut_of_a_gzipped_array_is_kept(tmp_path: Path) -> None:
    body = ",\n".join(json.dumps(tweet(number, note=str(number**40))) for number in range(2_000))
    packed = gzip.compress(f"[\n{body}\n]\n".encode())
    tweets, problems = read_bytes(tmp_path, packed[: len(packed) // 2])
    assert ids(tweets) == [str(number) for number in range(len(tweets))]
    assert len(tweets) > 900
    assert [problem.kind for problem in problems] == ["truncated"]


def test_a_byte_order_mark_is_no_problem(tmp_path: Path) -> None:
    tweets, problems = read_bytes(tmp_path, b"\xef\xbb\xbf" + lines(tweet(1)))
    assert (len(tweets), problems) == (1, [])


def test_a_folder_is_read_by_name_with_all_below(tmp_path: Path) -> None:
    for name, number in (("b.jsonl", 2), ("a/z.jsonl", 1), ("c.txt", 3), (".hidden", 8), (".git/x.jsonl", 9)):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(lines(tweet(number)))
    assert [segment.file for segment in list_segments(tmp_path)] == ["a/z.jsonl", "b.jsonl", "c.txt"]
    assert ids(read(tmp_path)[0]) == ["1", "2", "3"]


def test_an_archive_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="neither a file nor a folder"):
        list_segments(tmp_path / "nothing")


def test_a_file_that_vanished_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(lines(tweet(1)))
    (segment,) = list_segments(tmp_path)
    (tmp_path / "a.jsonl").unlink()
    (problem,) = read_segment(tmp_path, segment)
    assert isinstance(problem, Problem)
    assert problem.kind == "unreadable_file"
    (tmp_path / "broken").symlink_to(tmp_path / "nowhere")
    assert [problem.kind for problem in read(tmp_path)[1]] == ["unreadable_file"]


class Memory:
    """What a collector remembers of an archive between two looks."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.known: dict[str, list[Segment]] = {}
        self.current: list[Segment] = []

    def look(self) -> list[Segment]:
        """Pieces that were not there at any look before."""
        self.current = list_segments(self.path, self.known)
        before = {segment.id for segments in self.known.values() for segment in segments}
        new = [segment for segment in self.current if segment.id not in before]
        for segment in new:
            self.known.setdefault(segment.file, []).append(segment)
        return new


def test_only_what_is_new_of_a_grown_file_is_a_further_piece(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    memory = Memory(tmp_path)
    file.write_bytes(lines(tweet(1), tweet(2)))
    (first,) = memory.look()
    assert memory.look() == []
    with file.open("ab") as handle:
        handle.write(lines(tweet(3)))
    (second,) = memory.look()
    assert (second.start, second.end) == (first.end, file.stat().st_size)
    (item,) = read_segment(tmp_path, second)
    assert (item.tweet["id"], item.line) == ("3", 3)
    assert memory.current == [first, second]
    (tmp_path / "older.jsonl").write_bytes(lines(tweet(0)))
    assert [segment.file for segment in memory.look()] == ["older.jsonl"]


def test_an_unfinished_last_line_is_counted_and_read_when_it_is_complete(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    memory = Memory(tmp_path)
    whole = lines(tweet(1), tweet(2))
    file.write_bytes(whole[:-20])
    first, rest = memory.look()
    assert [type(item) for item in read_segment(tmp_path, first)] == [ArchivedTweet]
    assert [(p.kind, p.line) for p in read_segment(tmp_path, rest)] == [("unreadable_line", 2)]
    file.write_bytes(whole)
    (second,) = memory.look()
    assert [item.tweet["id"] for item in read_segment(tmp_path, second)] == ["2"]
    assert memory.current == [first, second]
    assert memory.look() == []


def test_a_complete_last_line_needs_no_line_end(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    memory = Memory(tmp_path)
    file.write_bytes(lines(tweet(1)).rstrip())
    (first,) = memory.look()
    file.write_bytes(lines(tweet(1), tweet(2)))
    (second,) = memory.look()
    assert second.start == first.end
    assert [item.tweet["id"] for item in read_segment(tmp_path, second)] == ["2"]


def test_a_file_changed_otherwise_is_one_new_piece(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    memory = Memory(tmp_path)
    file.write_bytes(lines(tweet(1), tweet(2)))
    (first,) = memory.look()
    file.write_bytes(lines(tweet(9), tweet(2), tweet(3)))
    (second,) = memory.look()
    assert (second.start, second.end) == (0, file.stat().st_size)
    assert memory.current == [second]
    file.write_bytes(lines(tweet(9)))
    assert len(memory.look()) == 1
    file.write_bytes(gzip.compress(lines(tweet(1))))
    memory.look()
    file.write_bytes(gzip.compress(lines(tweet(1))) + gzip.compress(lines(tweet(2))))
    (packed,) = memory.look()
    assert packed.start == 0
    assert len({segment.id for segment in memory.known["a.jsonl"]}) == 5
    assert first.id != second.id


def test_a_piece_is_found_by_its_id_as_long_as_its_bytes_are_there(tmp_path: Path) -> None:
    file = tmp_path / "données.jsonl"
    memory = Memory(tmp_path)
    file.write_bytes(lines(tweet(1)))
    memory.look()
    with file.open("ab") as handle:
        handle.write(lines(tweet(2)))
    memory.look()
    for segment in memory.current:
        assert re.fullmatch("[0-9a-z-]{1,64}", segment.id)
        assert find_segment(tmp_path, segment.id) == segment
    assert find_segment(tmp_path, "nonsense") is None
    file.write_bytes(lines(tweet(3), tweet(4)))
    assert find_segment(tmp_path, memory.current[1].id) is None


json_lines = st.lists(
    st.one_of(
        st.builds(lambda n: lines(page([tweet(n), tweet(n + 1)])), st.integers(0, 99)),
        st.builds(lambda n: lines(tweet(n)), st.integers(0, 99)),
        st.just(lines({"errors": [{"title": "é"}]})),
        st.just(b'{"cut": \n'),
        st.just(b"\n"),
    ),
    max_size=8,
).map(b"".join)


@given(content=json_lines, cuts=st.lists(st.integers(0, 3_000), max_size=4), newline=st.booleans())
def test_pieces_of_a_growing_file_together_are_the_file(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, cuts: list[int], newline: bool
) -> None:
    content = content if newline else content.rstrip()
    folder = tmp_path_factory.mktemp("growing")
    memory = Memory(folder)
    for cut in [*sorted(cuts), len(content)]:
        (folder / "a.jsonl").write_bytes(content[:cut])
        memory.look()
    grown = [item for segment in memory.current for item in read_segment(folder, segment)]
    assert sum(segment.end - segment.start for segment in memory.current) == len(content)
    if content.strip():
        anew = [item for segment in list_segments(folder) for item in read_segment(folder, segment)]
        assert [i for i in grown if isinstance(i, ArchivedTweet)] == [i for i in anew if isinstance(i, ArchivedTweet)]


scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=5))
# fmt: off
names = st.sampled_from([
    "id", "id_str", "text", "full_text", "user", "data", "includes", "users", "tweets", "places", "errors", "meta",
    "author", "author_id", "geo", "place", "referenced_tweets", "place_id", "type", "__twarc", "retweeted_status",
    "statuses", "username", "in_reply_to_user", "in_reply_to_user_id", "retrieved_at", "extended_tweet",
])
# fmt: on
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(names, inner, max_size=4)),
    max_leaves=20,
)


@settings(max_examples=300)
@given(
    content=st.one_of(st.lists(values, max_size=5).map(lambda v: lines(*v)), st.binary(max_size=500)),
    cut=st.integers(0, 500),
)
def test_no_content_makes_the_reader_raise(tmp_path_factory: pytest.TempPathFactory, content: bytes, cut: int) -> None:
    folder = tmp_path_factory.mktemp("any")
    packed = gzip.compress(content)
    for written in (content, packed[: max(len(packed) - cut, 0)]):
        tweets, problems = read_bytes(folder, written)
        assert all(
            isinstance(item.tweet, dict) and set(item.includes) == {"users", "tweets", "places"} for item in tweets
        )
        assert all(problem.reason.endswith(".") and problem.line >= 1 for problem in problems)


@given(st.lists(st.sampled_from(["tweet", "page", "empty page", "errors", "cut", "users", "text"]), max_size=12))
def test_every_line_is_a_tweet_or_a_problem_and_the_counts_add_up(
    tmp_path_factory: pytest.TempPathFactory, kinds: list[str]
) -> None:
    written = {
        "tweet": lines(tweet(1)),
        "page": lines(page([tweet(2), tweet(3), tweet(4)])),
        "empty page": lines({"meta": {"result_count": 0}}),
        "errors": lines({"errors": [{"title": "é"}]}),
        "cut": b'{"data": [\n',
        "users": lines(page([user(1)])),
        "text": b"un texte\n",
    }
    tweets, problems = read_bytes(
        tmp_path_factory.mktemp("counted"), lines(tweet(0)) + b"".join(written[kind] for kind in kinds)
    )
    counts = Counter(kinds)
    assert len(tweets) == 1 + counts["tweet"] + 3 * counts["page"]
    assert len(problems) == counts["errors"] + counts["cut"] + counts["users"] + counts["text"]


@pytest.mark.skipif(not REAL_PAGES.is_dir(), reason="the real pages of X's API are not at ../shared/data/x_api")
def test_real_pages_are_read() -> None:
    tweets, problems = read(REAL_PAGES)
    assert len(tweets) == 3
    assert all(item.retrieved_at and item.includes["users"] for item in tweets)
    assert [(problem.file, problem.kind) for problem in problems] == [("counts.jsonl", "no_tweets")]
