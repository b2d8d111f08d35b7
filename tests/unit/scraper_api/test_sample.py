"""The sample corpus, read back from the file that a user's machine would hold."""

from __future__ import annotations

import datetime as dt
import gzip
import html
import json
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from election_assets.election import Election, load_election
from election_assets.schemas import parse_time
from election_assets.transforms.locations import guess_department
from election_assets.transforms.results import bundled_departments
from scraper_api.query import compile_query, searchable
from scraper_api.sample import write_sample

SECOND_ELECTION = """
key = "invented_2031"
name = "Élection inventée"
language = "fr"
time_zone = "America/Martinique"
first_round = 2031-06-01
second_round = 2031-06-15
topic_prefix = "invented"

[[candidates]]
key = "oursine"
name = "Hélène Oursine"
party = "Les Marées"
colour = "#123456"
query = '("Hélène Oursine" OR Oursine) -is:reply -"Oursine Bis"'
names = ["Oursine", "la candidate des marées"]

[[candidates]]
key = "abricot"
name = "Yves d'Abricot"
party = "Le Verger"
colour = "red"
query = '''"Yves d'Abricot" OR yves_abricot OR #AbricotPrésident'''
handles = ["yves_abricot"]

[[candidates]]
key = "tag"
name = "Ysoline Quetsche"
party = "Sans nom"
colour = "blue"
query = '#Quetsche31 lang:fr'
"""


@dataclass(frozen=True)
class Corpus:
    election: Election
    pages: list[dict]

    @cached_property
    def records(self) -> list[tuple[dict, dict]]:
        """(page, tweet) pairs in the file's order."""
        return [(page, tweet) for page in self.pages for tweet in page["data"]]

    @cached_property
    def sound(self) -> list[dict]:
        """The records that are not malformed."""
        return [
            tweet
            for _, tweet in self.records
            if re.fullmatch(r"\d+", tweet["id"] or "") and tweet["text"] and parse_time(tweet["created_at"])
        ]

    @cached_property
    def written(self) -> list[str]:
        """Texts that are no retweets, as typed."""
        return [html.unescape(tweet["text"]) for tweet in self.sound if relation(tweet) != "retweeted"]

    @cached_property
    def french(self) -> list[str]:
        """French texts that are no retweets, as typed, with one kind of space and apostrophe."""
        texts = [t["text"] for t in self.sound if relation(t) != "retweeted" and t["lang"] == "fr"]
        return [unicodedata.normalize("NFC", html.unescape(t)).replace("\u00a0", " ").replace("’", "'") for t in texts]


def relation(tweet: dict) -> str:
    return tweet["referenced_tweets"][0]["type"] if "referenced_tweets" in tweet else "original"


def read(path: Path, election: Election) -> Corpus:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return Corpus(election, [json.loads(line) for line in lines])


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    path = tmp_path_factory.mktemp("sample") / "folder" / "corpus.jsonl.gz"
    election = load_election("fr_2022")
    write_sample(path, election)
    assert [file.name for file in path.parent.iterdir()] == ["corpus.jsonl.gz"]
    return read(path, election)


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    folder = tmp_path_factory.mktemp("second")
    (folder / "invented.toml").write_text(SECOND_ELECTION, encoding="utf-8")
    election = load_election(str(folder / "invented.toml"))
    write_sample(folder / "corpus.jsonl.gz", election, seed=3, tweets=2_000)
    return read(folder / "corpus.jsonl.gz", election)


def matches(corpus: Corpus) -> list[set[str]]:
    """Of each record, the keys of the candidates whose query finds it."""
    tests = {candidate.key: compile_query(candidate.query) for candidate in corpus.election.candidates}
    found = []
    for page in corpus.pages:
        tweets = {tweet["id"]: tweet for tweet in page["includes"]["tweets"]}
        for tweet in page["data"]:
            originals = [tweets[reference["id"]] for reference in tweet.get("referenced_tweets", [])]
            seen = searchable(tweet, {"tweets": originals})
            found.append({key for key, test in tests.items() if test(seen)})
    return found


def test_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    election = load_election("fr_2022")
    for name, seed in [("a", 1), ("b", 1), ("c", 2)]:
        write_sample(tmp_path / name, election, seed=seed, tweets=700)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert (tmp_path / "a").read_bytes() != (tmp_path / "c").read_bytes()


@pytest.mark.parametrize("tweets", [1, 30, 250])
def test_any_size_has_as_many_records_as_asked_for(tmp_path: Path, tweets: int) -> None:
    election = load_election("fr_2022")
    write_sample(tmp_path / "small", election, tweets=tweets)
    assert len(read(tmp_path / "small", election).records) == tweets


def test_size_and_shares_of_the_default_corpus(corpus: Corpus) -> None:
    records = corpus.records
    assert len(records) == 24_000
    kinds = Counter(relation(tweet) for _, tweet in records)
    assert 0.48 < kinds["retweeted"] / len(records) < 0.55
    assert kinds["quoted"] > 1_000
    assert kinds["replied_to"] > 2_000
    assert len(set(corpus.written)) >= 8_000
    languages = Counter(tweet["lang"] for tweet in corpus.sound)
    assert set(languages) == {"fr", "en", "es", "de", "ar", "und"}
    assert 0.03 < 1 - languages["fr"] / languages.total() < 0.07
    assert sum(200 <= len(text) <= 280 for text in corpus.written) > 1_000
    assert max(len(re.sub(r"^@\S+ ", "", text)) for text in corpus.written if text.isascii()) <= 280


def test_every_record_with_a_text_is_found_by_a_candidates_query(corpus: Corpus) -> None:
    found = matches(corpus)
    nameless = [tweet for (_, tweet), keys in zip(corpus.records, found, strict=True) if not keys]
    assert nameless
    assert all(not tweet["text"] for tweet in nameless)
    collected = Counter(key for keys in found for key in keys)
    assert collected.total() >= 20_000
    assert set(collected) == set(corpus.election.candidate_keys)
    assert min(collected.values()) >= 300
    assert max(collected.values()) >= 5 * min(collected.values())
    assert 0.10 < sum(len(keys) > 1 for keys in found) / len(found) < 0.15


def test_who_is_talked_about_most_depends_on_the_seed(tmp_path: Path) -> None:
    election = load_election("fr_2022")
    loudest = set()
    for seed in range(4):
        write_sample(tmp_path / "corpus", election, seed=seed, tweets=400)
        loudest.add(
            Counter(key for keys in matches(read(tmp_path / "corpus", election)) for key in keys).most_common(1)[0][0]
        )
    assert len(loudest) > 1


def test_ids_are_snowflakes_and_unique_but_for_repeats(corpus: Corpus) -> None:
    first: dict[str, tuple[str, dict]] = {}
    repeats = 0
    for page, tweet in corpus.records:
        if tweet["id"] is None:
            continue
        retrieved = page["__twarc"]["retrieved_at"]
        if tweet["id"] in first:
            repeats += 1
            before, old = first[tweet["id"]]
            assert before < retrieved
            assert {**old, "public_metrics": None} == {**tweet, "public_metrics": None}
            assert all(old["public_metrics"][name] <= count for name, count in tweet["public_metrics"].items())
            assert old["public_metrics"] != tweet["public_metrics"]
        first.setdefault(tweet["id"], (retrieved, tweet))
    assert 0.02 <= repeats / len(corpus.records) <= 0.03
    for tweet in corpus.sound:
        written = dt.datetime.fromisoformat(tweet["created_at"])
        assert tweet["created_at"].endswith(".000Z")
        assert ((int(tweet["id"]) >> 22) + 1_288_834_974_657) // 1000 == written.timestamp()


def test_pages_are_a_history_of_collection(corpus: Corpus) -> None:
    read_at = [dt.datetime.fromisoformat(page["__twarc"]["retrieved_at"]) for page in corpus.pages]
    assert read_at == sorted(set(read_at))
    for page, retrieved in zip(corpus.pages, read_at, strict=True):
        assert set(page) == {"data", "includes", "meta", "__twarc"}
        assert page["meta"]["result_count"] == len(page["data"]) <= 100
        times = [time for tweet in page["data"] if (time := parse_time(tweet["created_at"]))]
        assert max(times) <= retrieved
        users = {user["id"] for user in page["includes"]["users"]}
        tweets = {tweet["id"]: tweet for tweet in page["includes"]["tweets"]}
        places = {place["id"] for place in page["includes"].get("places", [])}
        assert len(tweets) == len(page["includes"]["tweets"])
        for tweet in [*page["data"], *tweets.values()]:
            assert tweet["author_id"] in users
            assert tweet.get("geo", {}).get("place_id") in {None, *places}
        for tweet in page["data"]:
            for reference in tweet.get("referenced_tweets", []):
                assert tweets[reference["id"]]["created_at"] <= tweet["created_at"]


def test_dates_fill_the_two_weeks_before_the_first_round(corpus: Corpus) -> None:
    zone = ZoneInfo(corpus.election.time_zone)
    local = [dt.datetime.fromisoformat(tweet["created_at"]).astimezone(zone) for tweet in corpus.sound]
    days = Counter(time.date() for time in local)
    assert sorted(days) == [corpus.election.first_round - dt.timedelta(days=n) for n in range(14, 0, -1)]
    ordered = [days[day] for day in sorted(days)]
    assert sum(ordered[-4:]) > 1.5 * sum(ordered[:4])
    hours = Counter(time.hour for time in local)
    assert max(hours[hour] for hour in (2, 3, 4)) * 5 < min(hours[12], hours[20])
    assert hours[12] > hours[10]
    assert hours[12] > hours[15]
    evening = Counter(time.date() for time in local if time.hour == 21)
    assert max(evening.values()) > 3 * sorted(evening.values())[7]


def test_retweets_are_cut_and_their_originals_whole(corpus: Corpus) -> None:
    inside = {tweet["id"] for tweet in corpus.sound}
    cut = outside = 0
    for page, tweet in corpus.records:
        if relation(tweet) != "retweeted":
            continue
        original = next(t for t in page["includes"]["tweets"] if t["id"] == tweet["referenced_tweets"][0]["id"])
        author = next(user for user in page["includes"]["users"] if user["id"] == original["author_id"])
        text = html.unescape(tweet["text"])
        whole = f"RT @{author['username']}: {html.unescape(original['text'])}"
        assert len(text) <= 140
        assert text == whole or (text[-1] == "…" and whole.startswith(text[:-1]))
        assert author["id"] != tweet["author_id"]
        assert tweet["public_metrics"]["retweet_count"] >= 1
        cut += text != whole
        outside += original["id"] not in inside
    assert cut > 5_000
    assert 2_000 < outside < 6_000


@pytest.mark.parametrize(
    "feature",
    [
        "é", "'", "’", "\n", '"', "«", "\u00a0", "\u200b", "\ufeff", "\u2060", "🇫🇷", "👩‍🌾", "👏🏽", "❤️", "1️⃣",
        "https://t.co/", "@EmmanuelMacron", "#Présidentielle2022", "#Presidentielle2022", "#retraites", "<3", " & ",
        "De Le Pen|de Le Pen", "d'Éric Zemmour|d’Éric Zemmour", "qu'Anne Hidalgo|qu’Anne Hidalgo", "Du Havre|du Havre",
    ],
)  # fmt: skip
def test_features_of_the_texts(corpus: Corpus, feature: str) -> None:
    assert any(form in text for text in corpus.written for form in feature.split("|"))


def test_entities_and_decomposed_letters_are_as_delivered(corpus: Corpus) -> None:
    delivered = [tweet["text"] for tweet in corpus.sound]
    assert {"&amp;", "&lt;", "&gt;"} <= {entity for text in delivered for entity in re.findall(r"&\w+;", text)}
    assert not any(re.search(r"&(?!(amp|lt|gt);)|[<>]", text) for text in delivered)
    assert sum(unicodedata.normalize("NFC", text) != text for text in delivered) > 30


def test_french_is_written_with_care(corpus: Corpus, second: Corpus) -> None:
    wrong = re.compile(
        r"""[{}]|[ ]{2}|[ ][.,]
        |\b(?:de|que|je|ne|me|le|la|se|lorsque|puisque)[ ](?=[aàâeéèêiîoôuœ])
        |\b(?:de|que)[ ](?=hidalgo|hélène|yves)
        |\b(?:d'|qu')(?=yannick|ysoline|[bcdfgjklmnpqrstvwxz@])
        |\b(?:de|à)[ ](?:le|les)[ ](?!pen\b)
        |\b(?:un|une|le|la)[ ](?:un|une|le|la)\b
        |['][ ]""",
        re.IGNORECASE | re.VERBOSE,
    )
    for text in [*corpus.french, *second.french]:
        plain = re.sub("[\u200b\ufeff\u2060\u200e]", "", text)
        assert not wrong.search(plain), plain


def test_users_are_invented_and_their_locations_vary(corpus: Corpus) -> None:
    users = {user["id"]: user for page in corpus.pages for user in page["includes"]["users"]}.values()
    handles = [user["username"] for user in users]
    own = {handle.casefold() for candidate in corpus.election.candidates for handle in candidate.handles}
    assert len(set(handles)) == len(handles) > 3_000
    assert all(re.fullmatch(r"[A-Za-z]{1,8}_x\d{5}", handle) for handle in handles)
    assert not own & {handle.casefold() for handle in handles}
    mentioned = {handle for text in corpus.written for handle in re.findall(r"@(\w+)", text)}
    assert all(re.fullmatch(r"\w+_x\d{5}", handle) for handle in mentioned if handle.casefold() not in own)
    locations = Counter(user.get("location", "") for user in users)
    assert 0.28 < locations[""] / len(handles) < 0.38
    assert {"Lyon 3e", "Toulouse, France", "Saint-Denis (93)", "Ta tête", "🌍 partout", "Narnia", "Bruxelles"} <= set(
        locations
    )
    followers = sorted(user["public_metrics"]["followers_count"] for user in users)
    assert followers[-1] > 100 * followers[len(followers) // 2]


def test_locations_are_spread_over_all_departments(corpus: Corpus) -> None:
    tweets = Counter()
    for page, tweet in corpus.records:
        users = {user["id"]: user.get("location") for user in page["includes"]["users"]}
        places = {place["id"]: place["full_name"] for place in page["includes"].get("places", [])}
        attached = places.get(tweet.get("geo", {}).get("place_id"))
        tweets[guess_department(users[tweet["author_id"]]) or guess_department(attached)] += 1
    assert 0.35 < 1 - tweets.pop(None) / len(corpus.records) < 0.47
    departments = bundled_departments()
    departments = departments[departments["kind"].isin(["metropolitan", "overseas department"])]
    assert set(departments["department"]) <= set(tweets)
    populous = departments.nlargest(30, "population")["department"]
    assert 0.5 < sum(tweets[department] for department in populous) / tweets.total() < 0.65


def test_places_are_served_in_includes(corpus: Corpus) -> None:
    names = {place["full_name"] for page in corpus.pages for place in page["includes"].get("places", [])}
    assert "Nantes, France" in names
    assert sum("geo" in tweet for tweet in corpus.sound) > 100


def test_counts_have_a_heavy_tail(corpus: Corpus) -> None:
    likes = sorted(tweet["public_metrics"]["like_count"] for tweet in corpus.sound if relation(tweet) == "original")
    assert likes[len(likes) // 2] <= 5
    assert likes[-1] > 500


def test_ten_records_are_malformed_in_the_ways_of_real_archives(corpus: Corpus) -> None:
    faults = Counter()
    for _, tweet in corpus.records:
        faults["null id"] += tweet["id"] is None
        faults["other id"] += tweet["id"] is not None and not tweet["id"].isdigit()
        faults["no text"] += not tweet["text"]
        faults["date"] += parse_time(tweet["created_at"]) is None
    assert faults == {"null id": 2, "other id": 2, "no text": 3, "date": 3}


def test_a_second_election_needs_its_file_alone(second: Corpus) -> None:
    found = matches(second)
    kinds = Counter()
    for (_, tweet), keys in zip(second.records, found, strict=True):
        refused = relation(tweet) == "replied_to" or tweet["lang"] != "fr" or not tweet["text"]
        assert keys or refused
        kinds.update(keys)
    assert set(kinds) == {"oursine", "abricot", "tag"}
    assert any("1er juin" in text for text in second.french)
    assert any("d'Hélène Oursine" in text for text in second.french)
    assert any("qu'Yves d'Abricot" in text for text in second.french)
    assert not any("candidate des marées" in text for text in second.french)
    zone = ZoneInfo("America/Martinique")
    days = {dt.datetime.fromisoformat(tweet["created_at"]).astimezone(zone).date() for tweet in second.sound}
    assert (min(days), max(days)) == (dt.date(2031, 5, 18), dt.date(2031, 5, 31))


def test_a_query_without_words_is_refused_in_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "wordless.toml"
    file.write_text(SECOND_ELECTION.replace("#Quetsche31 lang:fr", "from:nobody lang:fr"), encoding="utf-8")
    with pytest.raises(ValueError, match="Candidate tag: the query 'from:nobody lang:fr' holds no word"):
        write_sample(tmp_path / "corpus", load_election(str(file)))
    assert [left.name for left in tmp_path.iterdir()] == ["wordless.toml"]
