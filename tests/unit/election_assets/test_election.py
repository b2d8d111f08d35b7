from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest

from election_assets.election import ElectionFileError, fold, load_election

THIRTEEN = [
    "Nathalie Arthaud",
    "François Asselineau",
    "Anne Hidalgo",
    "Yannick Jadot",
    "Jean Lassalle",
    "Marine Le Pen",
    "Emmanuel Macron",
    "Jean-Luc Mélenchon",
    "Arnaud Montebourg",
    "Valérie Pécresse",
    "Florian Philippot",
    "Fabien Roussel",
    "Éric Zemmour",
]

GOOD = """
key = "moon_2030"
name = "Élection lunaire"
language = "fr"
time_zone = "Europe/Paris"
first_round = 2030-04-10
second_round = 2030-04-24
topic_prefix = "moon_2030.tweets"

[[candidates]]
key = "selene"
name = "Sélène Lumière"
party = "Pleine lune"
colour = "#AABBCC"
query = "selene"
handles = ["selene_officiel"]
names = ["Sélène"]

[[candidates]]
key = "la-nuit"
name = "Anna La Nuit"
party = "Nouvelle lune"
colour = "navy"
query = "nuit"
"""


@pytest.fixture
def write(tmp_path: Path):
    def write(content: str | bytes) -> str:
        file = tmp_path / "moon.toml"
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(file)

    return write


def refusal(path: str) -> str:
    with pytest.raises(ElectionFileError) as raised:
        load_election(path)
    text = str(raised.value)
    assert "\n" not in text
    assert text.endswith(".")
    assert not re.search(r"\.\s+[A-Z]", text), f"more than one sentence: {text}"
    return text


def test_the_bundled_election_has_the_thirteen_of_2022(monkeypatch):
    monkeypatch.delenv("ELECTION", raising=False)
    election = load_election()
    assert [candidate.name for candidate in election.candidates] == THIRTEEN
    assert len(set(election.candidate_keys)) == 13
    assert (election.first_round, election.second_round) == (dt.date(2022, 4, 10), dt.date(2022, 4, 24))
    assert election.topic("le-pen") == "fr_2022.tweets.le-pen"
    assert election.time_zone == "Europe/Paris"
    for candidate in election.candidates:
        assert re.fullmatch("#[0-9a-f]{6}", candidate.colour)
        assert candidate.names[0] == candidate.name
        assert election.candidate(candidate.key) is candidate


def test_an_election_is_chosen_by_name_path_or_environment(write, monkeypatch):
    path = write(GOOD)
    assert load_election("fr_2022").key == "fr_2022"
    assert load_election(path).key == "moon_2030"
    monkeypatch.setenv("ELECTION", path)
    assert load_election().key == "moon_2030"
    assert load_election("fr_2022").key == "fr_2022"


def test_what_a_file_says_is_read_and_made_uniform(write):
    election = load_election(write(GOOD))
    selene, night = election.candidates
    assert (selene.colour, night.colour) == ("#aabbcc", "#000080")
    assert selene.names == ("Sélène Lumière", "Sélène")
    assert night.names == ("Anna La Nuit",)
    assert night.handles == ()


@pytest.mark.parametrize(
    "written", ["le-pen", "Marine Le Pen", "MARINE LE PEN", "marine le pen", "Le Pen", "  marine   lé-pèn "]
)
def test_a_candidate_is_found_without_accents_and_case(written):
    assert load_election("fr_2022").find(written).key == "le-pen"


@pytest.mark.parametrize("written", ["jean-luc melenchon", "MELENCHON", "Mélenchon", "Me\u0301lenchon"])
def test_accents_make_no_difference(written):
    assert load_election("fr_2022").find(written).key == "melenchon"


@pytest.mark.parametrize("written", ["", "?", "Marine", "Charles de Gaulle", "le-pen-2"])
def test_nobody_is_found_by_another_name(written):
    assert load_election("fr_2022").find(written) is None


def test_an_unknown_key_raises():
    with pytest.raises(KeyError, match="de-gaulle"):
        load_election("fr_2022").candidate("de-gaulle")


def test_fold_keeps_words_apart():
    assert fold("Jean-Luc  MÉLENCHON!") == "jean luc melenchon"


SELENE, NIGHT = r"candidate 1 (selene)", r"candidate 2 (la-nuit)"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        # of the election
        ('key = "moon_2030"\n', "", ["'key'", "missing"]),
        ('key = "moon_2030"', 'key = "Moon 2030"', ["'key'", "Moon 2030"]),
        ('name = "Élection lunaire"\n', "", ["'name'", "missing"]),
        ('language = "fr"', 'language = "French"', ["'language'", "French"]),
        ('"Europe/Paris"', '"Europe/Lutèce"', ["'time_zone'", "Europe/Lutèce"]),
        ('"Europe/Paris"', '"Europe"', ["'time_zone'", "'Europe'"]),
        ('"Europe/Paris"', '"../../etc/passwd"', ["'time_zone'"]),
        ("first_round = 2030-04-10\n", "", ["'first_round'", "missing"]),
        ("first_round = 2030-04-10", 'first_round = "2030-04-10"', ["'first_round'", "is not a date"]),
        ("first_round = 2030-04-10", "first_round = 2030-04-10T20:00:00", ["'first_round'", "is not a date"]),
        ("second_round = 2030-04-24", "second_round = 2030-04-10", ["'second_round'", "not after"]),
        ("moon_2030.tweets", "moon/tweets", ["'topic_prefix'", "moon/tweets"]),
        ('language = "fr"', 'language = "fr"\nlunguage = "fr"', ["'lunguage'", "unknown"]),
        # of a candidate
        ('key = "selene"\n', "", ["candidate 1 (Sélène Lumière)", "'key'", "missing"]),
        ('key = "selene"', 'key = "Sélène"', ["candidate 1 (Sélène)", "'key'"]),
        ('key = "la-nuit"', 'key = "selene"', ["candidate 2 (selene)", "'key'", "candidate 1 (selene)"]),
        ('name = "Sélène Lumière"\n', "", [SELENE, "'name'", "missing"]),
        ('name = "Sélène Lumière"', 'name = "  "', [SELENE, "'name'"]),
        ('name = "Sélène Lumière"', 'name = "!!"', [SELENE, "'name'"]),
        ('name = "Anna La Nuit"', 'name = "SELENE"', [NIGHT, "'names'", SELENE]),
        ('party = "Pleine lune"\n', "", [SELENE, "'party'", "missing"]),
        ('party = "Pleine lune"', "party = 7", [SELENE, "'party'", "7"]),
        ('colour = "navy"\n', "", [NIGHT, "'colour'", "missing"]),
        ('"navy"', '"bleu nuit"', [NIGHT, "'colour'", "bleu nuit"]),
        ('"navy"', '"#12345"', [NIGHT, "'colour'", "#12345"]),
        ('"navy"', '"rgb(999, 0, 0)"', [NIGHT, "'colour'", "rgb(999, 0, 0)"]),
        ('query = "nuit"\n', "", [NIGHT, "'query'", "missing"]),
        ('query = "nuit"', f'query = "{"n" * 513}"', [NIGHT, "'query'", "513", "512"]),
        ('query = "nuit"', "query = '(nuit OR jour'", [NIGHT, "'query'", "not closed"]),
        ('query = "nuit"', "query = 'nuit) OR (jour'", [NIGHT, "'query'", "not closed"]),
        ('query = "nuit"', "query = '\"la nuit'", [NIGHT, "'query'", "not closed"]),
        ('"selene_officiel"', '"@selene"', [SELENE, "'handles'", "@selene"]),
        ('"selene_officiel"', f'"{"s" * 16}"', [SELENE, "'handles'"]),
        ('["selene_officiel"]', '"selene_officiel"', [SELENE, "'handles'", "list"]),
        ('names = ["Sélène"]', "names = [1]", [SELENE, "'names'", "list"]),
        ('names = ["Sélène"]', 'names = [""]', [SELENE, "'names'", "list"]),
        ('names = ["Sélène"]', 'nicknames = ["Sélène"]', [SELENE, "'nicknames'", "unknown"]),
    ],
)
def test_an_error_names_file_candidate_and_field(write, old, new, told):
    assert GOOD.count(old) == 1
    path = write(GOOD.replace(old, new))
    text = refusal(path)
    assert text.startswith(path)
    for part in told:
        assert part in text


def test_a_query_of_512_characters_is_taken(write):
    assert len(load_election(write(GOOD.replace('"nuit"', f'"{"n" * 512}"'))).candidates[1].query) == 512


@pytest.mark.parametrize("candidates", ["", "candidates = []", "candidates = 3", 'candidates = ["selene"]'])
def test_an_election_without_candidates_is_refused(write, candidates):
    path = write(GOOD[: GOOD.index("[[candidates]]")] + candidates)
    text = refusal(path)
    assert text.startswith(path)
    assert "'candidates'" in text


@pytest.mark.parametrize("content", ["key = ", "[[candidates]\n", b'key = "\xe9"', "=", b"\x00\xff"])
def test_what_is_no_toml_is_refused(write, content):
    path = write(content)
    text = refusal(path)
    assert text.startswith(path)
    assert "TOML" in text


@pytest.mark.parametrize("missing", ["fr_1848", "/nowhere/moon.toml", "/", "a\x00b"])
def test_a_missing_file_is_refused_naming_the_bundled_elections(missing):
    text = refusal(missing)
    assert missing in text
    assert "fr_2022" in text


def test_events_stand_by_date(write):
    events = """
[[events]]
date = 2030-04-05
title = "Débat à la télévision"

[[events]]
date = 2030-03-20
title = "Liste officielle"
"""
    election = load_election(write(GOOD + events))
    assert [(event.date.isoformat(), event.title) for event in election.events] == [
        ("2030-03-20", "Liste officielle"),
        ("2030-04-05", "Débat à la télévision"),
    ]
    assert load_election(write(GOOD)).events == ()


@pytest.mark.parametrize(
    ("entry", "field"),
    [
        ('title = "Sans date"', "date"),
        ("date = 2030-04-05", "title"),
        (f'date = 2030-04-05\ntitle = "{"x" * 61}"', "title"),
        ('date = 2030-04-05\ntitle = "Bien"\nplace = "Paris"', "place"),
        ('date = "demain"\ntitle = "Bien"', "date"),
    ],
)
def test_an_event_that_cannot_be_shown_is_refused(write, entry, field):
    told = refusal(write(f"{GOOD}\n[[events]]\n{entry}\n"))
    assert "event 1 (" in told
    assert f"field '{field}'" in told


def test_events_that_are_no_tables_are_refused(write):
    assert "write [[events]] tables" in refusal(write('events = ["demain"]\n' + GOOD))


def test_the_bundled_events_are_those_of_the_campaign():
    events = {event.date: event.title for event in load_election("fr_2022").events}
    assert events[dt.date(2022, 4, 10)] == "Premier tour"
    assert events[dt.date(2022, 4, 20)] == "Débat de l’entre-deux-tours"
    assert list(events) == sorted(events)
