"""What is known of French words: their tones, from packages and from the project's own reviewed file; their lemmas."""

from __future__ import annotations

import gzip
import unicodedata
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from xml.etree import ElementTree

if TYPE_CHECKING:
    from simplemma import Lemmatizer

REFERENCE = Path(__file__).parents[2] / "reference"
OWN_FILE = REFERENCE / "tone_lexicon.tsv"
WORDS_FILE = REFERENCE / "tone_words.tsv.gz"
SHORTEST_FOLDED = 5
"""Letters from which a word written without its accents is taken for the one with them."""

INSULT, PEOPLE = "insulte", "ce que sont des gens"
"""What the reasons of insults, and of words that must never have a tone, begin with."""

_OWN_HIGHEST = 3
_VADER_HIGHEST = 4
_SPELLING_OF_1990 = str.maketrans("ûî", "ui")


class Lexicon(NamedTuple):
    """Tones from -1 (negative) to 1 (positive) by lower-case word.

    Attributes:
        own: The project's words, expressions, emoji and emoticons.
        listed: Words of textblob-fr and vaderSentiment-fr, the mean where both know one.
        inferred: Lemmas whose tone was inferred from those lists by way of word embeddings; near 0 is toneless.
        unfolded: A word with accents by itself without them, all or those that the spelling of 1990 leaves out.
        insults: The project's words that insult a person.
        people: Its words for what people are (origin, religion, sex, disability, camp), which have no tone.
    """

    own: dict[str, float]
    listed: dict[str, float]
    inferred: dict[str, float]
    unfolded: dict[str, str]
    insults: frozenset[str]
    people: frozenset[str]


@cache
def load() -> Lexicon:
    """All lexicons, read once a process."""
    own, vader, textblob = own_tones(), vader_tones(), textblob_tones()
    listed = dict(vader)
    for word, (tone, _) in textblob.items():
        listed[word] = (tone + vader[word]) / 2 if word in vader else tone
    unfolded = {}
    for word in (*listed, *own):
        plain = fold(word)
        if plain != word and len(plain) >= SHORTEST_FOLDED:
            unfolded[plain] = word
        modern = word.translate(_SPELLING_OF_1990)
        if modern != word:
            unfolded[modern] = word
    insults, people = (
        frozenset(term for term, _, reason in own_lines() if reason.startswith(kind)) for kind in (INSULT, PEOPLE)
    )
    return Lexicon(own, listed, inferred_tones(), unfolded, insults, people)


def own_lines() -> list[list[str]]:
    """The lines of the project's file after its comments and its header: a term, its tone from -3 to 3, the reason."""
    lines = [line for line in OWN_FILE.read_text(encoding="utf-8").splitlines() if not line.startswith("# ")]
    return [line.split("\t") for line in lines[1:]]


def own_tones() -> dict[str, float]:
    """The terms of the project's file."""
    return {term: int(tone) / _OWN_HIGHEST for term, tone, _ in own_lines()}


def vader_tones() -> dict[str, float]:
    """The words of vaderSentiment-fr's `fr_lexicon.txt`: `word->tone` a line, from -4 to 4.

    The file alone is read: the package's code would bring a fuzzy matcher that nothing here needs.
    """
    tones = {}
    for line in _package_file("vaderSentiment_fr", "fr_lexicon.txt").splitlines():
        word, arrow, tone = line.rpartition("->")
        if arrow and any(map(str.isalpha, word)):
            tones[word.lower()] = float(tone) / _VADER_HIGHEST
    return tones


def textblob_tones() -> dict[str, tuple[float, float]]:
    """The mean (polarity, subjectivity) of each form in textblob-fr's `fr-sentiment.xml`."""
    senses: dict[str, list[tuple[float, float]]] = {}
    for word in ElementTree.fromstring(_package_file("textblob_fr", "fr-sentiment.xml")):
        form = word.get("form", "").lower()
        senses.setdefault(form, []).append((float(word.get("polarity", 0)), float(word.get("subjectivity", 0))))
    return {
        form: (sum(polarity for polarity, _ in found) / len(found), sum(subject for _, subject in found) / len(found))
        for form, found in senses.items()
    }


def inferred_tones() -> dict[str, float]:
    """The lemmas of `tone_words.tsv.gz`, which benchmarks/sentiment/word_tones.py makes."""
    with gzip.open(WORDS_FILE, "rt", encoding="utf-8") as lines:
        next(lines)
        return {word: int(tone) / 100 for word, _, tone in (line.rstrip("\n").partition("\t") for line in lines)}


def lemma(word: str) -> str:
    """The dictionary form of a lower-case French word, itself where none is known."""
    return _lemmatizer().lemmatize(word, lang="fr").lower()


@cache
def _lemmatizer() -> Lemmatizer:
    from simplemma import Lemmatizer

    return Lemmatizer()


def fold(word: str) -> str:
    """A word without its accents."""
    return "".join(mark for mark in unicodedata.normalize("NFD", word) if not unicodedata.combining(mark))


def _package_file(package: str, name: str) -> str:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"The package {package} is not installed: run `make setup`.")
    return (Path(spec.origin).parent / name).read_text(encoding="utf-8")
