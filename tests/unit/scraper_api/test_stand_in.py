from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import tweepy
from flask.testing import FlaskClient

from scraper_api.archive import ArchiveError, list_segments
from scraper_api.stand_in import StandIn, create_stand_in

TOKEN = "a-token-for-tests"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
SEARCH = "/2/tweets/search/recent"
REAL_PAGES = Path(__file__).parents[4] / "shared" / "data" / "x_api"


class LocalClient(tweepy.Client):
    """tweepy's own client, whose requests go to another host."""

    def __init__(self, url: str, token: str = TOKEN, **options: Any) -> None:
        super().__init__(token, **options)

        class Session(requests.Session):
            def request(self, method: str, address: str, **given: Any) -> requests.Response:  # type: ignore[override]
                return super().request(method, address.replace("https://api.twitter.com", url), **given)

        self.session = Session()


def user(number: int) -> dict:
    return {
        "id": str(number),
        "name": f"Personne {number}",
        "username": f"personne_{number}",
        "location": "Lyon",
        "public_metrics": {"followers_count": number},
    }


def tweet(number: int, author: int = 1, text: str | None = None, **fields: object) -> dict:
    return {
        "id": str(number),
        "text": f"le débat de Macron n° {number}" if text is None else text,
        "author_id": str(author),
        "created_at": f"2022-03-28T10:{number % 60:02}:00.000Z",
        "lang": "fr",
        "public_metrics": {"retweet_count": number},
        "edit_history_tweet_ids": [str(number)],
        **fields,
    }


def page(records: list, /, retrieved: str | None = "2022-04-01T10:00:00+00:00", **includes: list) -> str:
    twarc = {"__twarc": {"retrieved_at": retrieved}} if retrieved else {}
    return json.dumps({"data": records, "includes": includes, "meta": {"result_count": len(records)}, **twarc}) + "\n"


ORIGINAL = tweet(500, 3, "un texte plus long, qui finit par Jadot", entities={"hashtags": []})
RETWEET = tweet(41, 2, "RT @personne_3: un texte…", referenced_tweets=[{"type": "retweeted", "id": "500"}])
REPLY = tweet(42, 2, "bonjour", in_reply_to_user_id="4", geo={"place_id": "p"})


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """40 tweets that name Macron and a repeat with a higher count in one file; a retweet and a reply in another."""
    folder = tmp_path / "archive"
    folder.mkdir()
    first = page([tweet(number) for number in range(1, 41)], users=[user(1)])
    again = page([tweet(7, public_metrics={"retweet_count": 99})], retrieved=None, users=[user(1)])
    (folder / "a.jsonl").write_text(first + again, encoding="utf-8")
    second = page(
        [RETWEET, REPLY],
        users=[user(2), user(3), user(4), user(5)],
        tweets=[ORIGINAL, tweet(501)],
        places=[{"id": "p", "full_name": "Lyon, France", "country": "France"}],
    )
    (folder / "b.jsonl.gz").write_bytes(gzip.compress(second.encode()))
    return folder


@pytest.fixture
def http(archive: Path) -> FlaskClient:
    return create_stand_in(archive, TOKEN).test_client()


def search(http: FlaskClient, query: str, path: str = SEARCH, **parameters: object) -> dict:
    names = {name.replace("_fields", ".fields"): value for name, value in parameters.items()}
    answer = http.get(path, query_string={"query": query, **names}, headers=BEARER)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return json.loads(answer.data)


def every(http: FlaskClient, query: str, path: str = SEARCH, **parameters: object) -> list[list[str]]:
    """The ids of all pages."""
    pages, token = [], {}
    while token is not None:
        answer = search(http, query, path, **parameters, **token)
        pages.append([record["id"] for record in answer.get("data", [])])
        following = answer["meta"].get("next_token")
        token = {"next_token": following} if following else None
    return pages


@pytest.fixture
def stand_in(archive: Path) -> Iterator[StandIn]:
    with StandIn(archive, TOKEN) as server:
        yield server


def test_tweepy_reads_all_pages_in_the_order_of_the_archive(stand_in: StandIn) -> None:
    client = LocalClient(stand_in.url, return_type=dict)
    pages, token = [], None
    while not pages or token:
        pages.append(
            client.search_recent_tweets(
                "macron -is:retweet lang:fr",
                max_results=10,
                next_token=token,
                tweet_fields=["created_at", "public_metrics"],
                expansions=["author_id"],
            )
        )
        token = pages[-1]["meta"].get("next_token")
    assert [answer["meta"]["result_count"] for answer in pages] == [10, 10, 10, 10, 1]
    records = [record for answer in pages for record in answer["data"]]
    assert [record["id"] for record in records] == [*map(str, range(1, 41)), "7"]
    assert [record["public_metrics"]["retweet_count"] for record in records if record["id"] == "7"] == [7, 99]
    assert (pages[0]["meta"]["newest_id"], pages[0]["meta"]["oldest_id"]) == ("10", "1")
    assert all(
        answer["includes"] == {"users": [{"id": "1", "name": "Personne 1", "username": "personne_1"}]}
        for answer in pages
    )


def test_tweepy_understands_objects_and_an_empty_answer(stand_in: StandIn) -> None:
    client = LocalClient(stand_in.url)
    response = client.search_recent_tweets("jadot", expansions="referenced_tweets.id", tweet_fields="created_at")
    (record,) = response.data
    assert (record.id, record.created_at.year) == (41, 2022)
    assert [other.text for other in response.includes["tweets"]] == ["un texte plus long, qui finit par Jadot"]
    assert client.search_recent_tweets("personne_de_ce_nom").data is None


def test_tweepy_raises_what_x_would_make_it_raise(archive: Path, stand_in: StandIn) -> None:
    with pytest.raises(tweepy.Unauthorized):
        LocalClient(stand_in.url, "another").search_recent_tweets("macron")
    with pytest.raises(tweepy.BadRequest, match="never closed"):
        LocalClient(stand_in.url).search_recent_tweets('"macron')
    with StandIn(archive, TOKEN, rate_limit=1) as limited:
        client = LocalClient(limited.url)
        client.search_recent_tweets("macron")
        with pytest.raises(tweepy.TooManyRequests) as error:
            client.search_recent_tweets("macron")
    assert error.value.reset_time is not None


def test_only_fields_that_were_asked_for_are_served(http: FlaskClient) -> None:
    plain = search(http, "jadot")
    assert plain["data"] == [
        {
            "id": "41",
            "text": "RT @personne_3: un texte…",
            "edit_history_tweet_ids": ["41"],
            "__twarc": {"retrieved_at": "2022-04-01T10:00:00+00:00"},
        }
    ]
    assert "includes" not in plain
    more = search(
        http,
        "jadot",
        tweet_fields="lang,author_id",
        user_fields="location",
        expansions="author_id,referenced_tweets.id,referenced_tweets.id.author_id",
    )
    assert set(more["data"][0]) == {
        "id", "text", "edit_history_tweet_ids", "lang", "author_id", "referenced_tweets", "__twarc",
    }  # fmt: skip
    assert [set(person) for person in more["includes"]["users"]] == [{"id", "name", "username", "location"}] * 2
    assert [person["id"] for person in more["includes"]["users"]] == ["2", "3"]
    (original,) = more["includes"]["tweets"]
    assert original["text"] == ORIGINAL["text"]
    assert set(original) == {"id", "text", "edit_history_tweet_ids", "lang", "author_id"}


@pytest.mark.parametrize(
    ("expansion", "kind", "ids"),
    [
        ("author_id", "users", ["2"]),
        ("in_reply_to_user_id", "users", ["4"]),
        ("geo.place_id", "places", ["p"]),
    ],
)
def test_an_expansion_brings_its_objects_and_no_others(
    http: FlaskClient, expansion: str, kind: str, ids: list[str]
) -> None:
    answer = search(http, "bonjour", expansions=expansion)
    assert {name: [item["id"] for item in items] for name, items in answer["includes"].items()} == {kind: ids}


def test_an_object_in_two_states_is_served_once_as_last_seen(tmp_path: Path) -> None:
    changed = {**user(1), "location": "Nantes"}
    (tmp_path / "a.jsonl").write_text(page([tweet(1)], users=[user(1)]) + page([tweet(2)], users=[changed]))
    http = create_stand_in(tmp_path, TOKEN).test_client()
    answer = search(http, "macron", expansions="author_id", user_fields="location")
    assert [person["location"] for person in answer["includes"]["users"]] == ["Nantes"]


def test_a_tweet_says_when_it_was_read_only_if_the_archive_knows(http: FlaskClient) -> None:
    records = search(http, "macron", max_results=100)["data"]
    assert ["__twarc" in record for record in records] == [True] * 40 + [False]


def test_nothing_found_has_no_data(http: FlaskClient) -> None:
    assert search(http, "zemmour") == {"meta": {"result_count": 0}}


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        ({"since_id": "38"}, ["39", "40"]),
        ({"until_id": "3"}, ["1", "2"]),
        ({"since_id": "5", "until_id": "8"}, ["6", "7", "7"]),
        ({"start_time": "2022-03-28T10:39:00Z"}, ["39", "40"]),
        ({"end_time": "2022-03-28T10:02:00Z"}, ["1"]),
        ({"start_time": "2022-03-28T12:39:00+02:00", "end_time": "2022-03-28T10:40:00Z"}, ["39"]),
    ],
)
def test_bounds_on_ids_and_times(http: FlaskClient, bounds: dict[str, str], expected: list[str]) -> None:
    assert every(http, "macron", **bounds) == [expected]


def test_pages_go_on_over_files_and_end_without_an_empty_one(http: FlaskClient) -> None:
    pages = every(http, "lang:fr", max_results=10)
    assert [len(found) for found in pages] == [10, 10, 10, 10, 3]
    assert pages[-1] == ["7", "41", "42"]
    assert every(http, "lang:fr", max_results=43)[0][-1] == "42"
    assert len(every(http, "lang:fr", max_results=43)) == 1


def test_a_piece_is_searched_alone(http: FlaskClient, archive: Path) -> None:
    for segment, expected in zip(list_segments(archive), ([*map(str, range(1, 41)), "7"], ["41", "42"]), strict=True):
        found = every(http, "lang:fr", f"/segments/{segment.id}{SEARCH}", max_results=10)
        assert [record for records in found for record in records] == expected


def test_tokens_outlive_the_stand_in_but_fit_their_search_alone(http: FlaskClient, archive: Path) -> None:
    segment = list_segments(archive)[0]
    for path in (SEARCH, f"/segments/{segment.id}{SEARCH}"):
        token = search(http, "macron", path)["meta"]["next_token"]
        restarted = create_stand_in(archive, TOKEN).test_client()
        assert search(restarted, "jadot OR lang:fr", path)["data"][0]["id"] == "1"
        for name in ("next_token", "pagination_token"):
            assert search(restarted, "macron", path, **{name: token})["data"][0]["id"] == "11"
        for query, given in (("débat", token), ("macron", token[:-3]), ("macron", "é!"), ("macron", "")):
            answer = restarted.get(path, query_string={"query": query, "next_token": given}, headers=BEARER)
            assert answer.status_code == 400
            assert json.loads(answer.data)["errors"][0]["parameters"] == {"next_token": [given]}


def test_a_token_of_an_archive_that_changed_is_refused(http: FlaskClient, archive: Path) -> None:
    token = search(http, "macron")["meta"]["next_token"]
    (archive / "a.jsonl").write_text(page([tweet(1)]))
    answer = http.get(SEARCH, query_string={"query": "macron", "next_token": token}, headers=BEARER)
    assert answer.status_code == 400
    assert "has changed" in json.loads(answer.data)["errors"][0]["message"]


def test_a_file_added_while_serving_is_found(http: FlaskClient, archive: Path) -> None:
    search(http, "macron")
    (archive / "c.jsonl").write_text(page([tweet(1_000, text="Zemmour")]))
    assert every(http, "zemmour") == [["1000"]]


def test_a_piece_of_a_grown_file_is_served_by_its_id_alone(http: FlaskClient, archive: Path) -> None:
    known = {"a.jsonl": [segment for segment in list_segments(archive) if segment.file == "a.jsonl"]}
    with (archive / "a.jsonl").open("a") as handle:
        handle.write(page([tweet(77)]))
    grown = list_segments(archive, known)[1]
    assert grown.start > 0
    assert every(http, "macron", f"/segments/{grown.id}{SEARCH}") == [["77"]]
    assert every(http, "macron", f"/segments/{known['a.jsonl'][0].id}{SEARCH}", max_results=100)[0][-1] == "7"


def test_malformed_records_are_served_like_every_other(tmp_path: Path) -> None:
    records = [
        {"id": None, "text": "Macron sans id", "author_id": "1"},
        {"id": "2", "lang": "fr"},
        tweet(3, created_at="2022-13-45T99:00:00Z"),
        {"text": "Macron \ud800 sans rien"},
        {"id": "9" * 40, "text": "Macron"},
    ]
    (tmp_path / "a.jsonl").write_text(page(records, users=[user(1)]))
    http = create_stand_in(tmp_path, TOKEN).test_client()
    answer = search(http, "macron OR lang:fr", expansions="author_id", tweet_fields="created_at")
    assert [record["id"] for record in answer["data"]] == [None, "2", "3", None, "9" * 40]
    assert "text" not in answer["data"][1]
    assert answer["data"][2]["created_at"] == "2022-13-45T99:00:00Z"
    assert answer["meta"] == {"newest_id": "3", "oldest_id": "2", "result_count": 5}
    assert every(http, "macron OR lang:fr", since_id="1") == [["2", "3"]]


@pytest.mark.parametrize(
    ("parameters", "name"),
    [
        ({}, "query"),
        ({"query": " "}, "query"),
        ({"query": "(macron"}, "query"),
        ({"query": "a" * 513}, "query"),
        ({"query": "a", "max_results": "9"}, "max_results"),
        ({"query": "a", "max_results": "101"}, "max_results"),
        ({"query": "a", "max_results": "dix"}, "max_results"),
        ({"query": "a", "since_id": "x"}, "since_id"),
        ({"query": "a", "until_id": "9" * 19}, "until_id"),
        ({"query": "a", "start_time": "hier"}, "start_time"),
        ({"query": "a", "end_time": "Fri Dec 17 11:38:08 +0000 2021"}, "end_time"),
        ({"query": "a", "since_id": "1", "start_time": "2022-03-28T00:00:00Z"}, "since_id"),
        ({"query": "a", "tweet.fields": "lang,colour"}, "tweet.fields"),
        ({"query": "a", "expansions": "attachments.media_keys"}, "expansions"),
        ({"query": "a", "colour": "1"}, "colour"),
        ({"query": "a", "next_token": "nonsense"}, "next_token"),
    ],
)
def test_a_bad_parameter_is_400_in_the_shape_of_x(http: FlaskClient, parameters: dict[str, str], name: str) -> None:
    answer = http.get(SEARCH, query_string=parameters, headers=BEARER)
    body = json.loads(answer.data)
    assert answer.status_code == 400
    assert body["title"] == "Invalid Request"
    assert body["type"].endswith("/invalid-request")
    assert list(body["errors"][0]["parameters"]) == [name]
    assert body["errors"][0]["message"].endswith(".")
    assert "x-rate-limit-remaining" in answer.headers


@pytest.mark.parametrize("path", [SEARCH, "/segments", "/segments/x/summary", f"/segments/x{SEARCH}", "/elsewhere"])
def test_every_route_wants_the_bearer_token(http: FlaskClient, path: str) -> None:
    for headers in ({}, {"Authorization": TOKEN}, {"Authorization": "Bearer é"}, {"Authorization": f"Bearer {TOKEN}x"}):
        answer = http.get(path, headers=headers)
        assert answer.status_code == 401
        assert answer.content_type.startswith("application/problem+json")
        assert json.loads(answer.data)["title"] == "Unauthorized"


def test_searches_are_counted_in_a_window(archive: Path) -> None:
    http = create_stand_in(archive, TOKEN, rate_limit=2).test_client()
    answers = [http.get(SEARCH, query_string={"query": "macron"}, headers=BEARER) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [answer.headers["x-rate-limit-remaining"] for answer in answers] == ["1", "0", "0"]
    assert {answer.headers["x-rate-limit-limit"] for answer in answers} == {"2"}
    assert len({answer.headers["x-rate-limit-reset"] for answer in answers}) == 1
    assert json.loads(answers[2].data)["title"] == "Too Many Requests"
    assert http.get("/segments", headers=BEARER).status_code == 200


def test_an_unknown_piece_is_404(http: FlaskClient) -> None:
    for path in ("/segments/x/summary", f"/segments/00000000-0-5-0000000000000000{SEARCH}?query=a"):
        answer = http.get(path, headers=BEARER)
        assert answer.status_code == 404
        assert json.loads(answer.data)["title"] == "Not Found Error"
        assert ("x-rate-limit-remaining" in answer.headers) is (SEARCH in path)


def test_the_pieces_are_listed(http: FlaskClient, archive: Path) -> None:
    listed = json.loads(http.get("/segments", headers=BEARER).data)["segments"]
    assert listed == [vars(segment) for segment in list_segments(archive)]
    assert [segment["file"] for segment in listed] == ["a.jsonl", "b.jsonl.gz"]


def test_the_summary_counts_what_was_read_and_what_any_query_found(tmp_path: Path) -> None:
    bad = '{"errors": [{"title": "\\ud800"}]}\n' + "no json\n" * 150
    (tmp_path / "a.jsonl").write_text(page([tweet(1), tweet(2, text="Jadot et Macron"), tweet(3, text="rien")]) + bad)
    http = create_stand_in(tmp_path, TOKEN).test_client()
    path = f"/segments/{list_segments(tmp_path)[0].id}"
    before = json.loads(http.get(f"{path}/summary", headers=BEARER).data)
    assert (before["read"], before["unreadable"], before["matched"]) == (3, 151, 0)
    assert before["problem_count"] == 151
    assert len(before["problems"]) == 100
    assert before["problems"][0]["kind"] == "errors_only"
    assert before["problems"][1] == {
        "file": "a.jsonl",
        "line": 3,
        "kind": "unreadable_line",
        "reason": "The line is no complete JSON: Expecting value from character 1 on.",
    }
    for query in ("macron", "jadot", "jadot"):
        search(http, query, path + SEARCH)
    assert json.loads(http.get(f"{path}/summary", headers=BEARER).data)["matched"] == 2


def test_an_archive_must_exist(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError):
        create_stand_in(tmp_path / "nothing", TOKEN)


def test_closing_ends_the_thread_and_the_socket(archive: Path) -> None:
    server = StandIn(archive, TOKEN)
    with requests.Session() as session:
        assert session.get(f"{server.url}/segments", headers=BEARER).status_code == 200
        server.close()
        server.close()
        with pytest.raises(requests.ConnectionError):
            session.get(f"{server.url}/segments", headers=BEARER)


@pytest.mark.skipif(not REAL_PAGES.is_dir(), reason="the real pages of X's API are not at ../shared/data/x_api")
def test_real_pages_are_served() -> None:
    http = create_stand_in(REAL_PAGES, TOKEN).test_client()
    answer = search(http, "-is:retweet", expansions="author_id,referenced_tweets.id")
    assert answer["meta"]["result_count"] == 3
    assert {record["author_id"] for record in answer["data"]} <= {
        person["id"] for person in answer["includes"]["users"]
    }
