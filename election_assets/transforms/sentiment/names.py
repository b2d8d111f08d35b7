"""What no engine is shown: the names of an election's candidates and parties, taken out of texts before they are read.

A name is no tone, yet its letters, its words (#Lassalle, Lutte ouvrière) and what a network has read elsewhere give it
one, and the report sets the candidates' tones side by side.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple
from unicodedata import normalize

from election_assets.election import Election, fold
from election_assets.transforms.sentiment.versions import checksum

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from election_assets.transforms.sentiment.engines import Engine, Score, SlowEngine

ACCOUNT = "@candidate"
"""What stands for a candidate's own account: a mention, of which engines read no more than that it is one."""

SHORTEST_INSIDE = 5
"""Letters from which a name is looked for anywhere in a hashtag (#macrondegage); a shorter one only in capitals of its
own (#VoteMLP)."""

ARTICLES = ("le", "la", "les", "l")

_ACCENTED: dict[str, str] = {}
"""The accented letters of Unicode's block Latin-1, by their letter without accent."""

for _accented in map(chr, range(0xC0, 0x100)):
    _plain = normalize("NFD", _accented)[0]
    if _plain != _accented:
        _ACCENTED[_plain] = _ACCENTED.get(_plain, "") + _accented

_BETWEEN = r"[\s\x{a0}\x{202f}_.'’‐‑-]{0,3}"
_HASHTAG = re.compile(r"#\w+")


class Names(NamedTuple):
    """The names of an election as patterns: plain values that can be sent to Spark's workers.

    Attributes:
        accounts: Mentions of the candidates' own accounts, in RE2's syntax; empty where the election names none.
        words: Names that stand for themselves, in RE2's syntax.
        inside: Names that stand inside a hashtag, in Python's syntax.
    """

    accounts: str
    words: str
    inside: str

    @property
    def checksum(self) -> str:
        """Of the names and of how they are taken out."""
        return checksum([sys.modules[__name__]], *self)


def names_of(election: Election) -> Names:
    """The candidates' names and handles, and their parties' names.

    A name is found without regard to case and accents, its words parted by blanks, hyphens, apostrophes, full stops or
    nothing, digits behind it (Macron2022), and the surname before the given name (Le Pen Marine). A party's name of
    several words is found with or without its article; one of a single word (Reconquête) only with a capital.
    """
    people: set[tuple[str, ...]] = set()
    for candidate in election.candidates:
        names = [tuple(fold(name).split()) for name in candidate.names]
        people.update(names, ((handle.casefold(),) for handle in candidate.handles))
        full = names[0]
        people.update(
            (*surname, *full[: -len(surname)]) for surname in names[1:] if full[-len(surname) :] == surname != full
        )
    parties = {_without_article(tuple(fold(candidate.party).split())) for candidate in election.candidates} - {()}
    titles = {party for party in parties if sum(len(word) > 1 for word in party) == 1}
    phrases = sorted((people | parties) - titles, key=lambda name: (-len("".join(name)), name))
    joined = sorted({"".join(name) for name in people | parties}, key=lambda name: (-len(name), name))
    patterns = [_pattern(name) for name in phrases] + [_pattern(party, capitals=True) for party in sorted(titles)]
    inside = [
        "".join(map(_letter, name))
        if len(name) >= SHORTEST_INSIDE
        else f"(?<![A-Z]){re.escape(name.upper())}(?![a-zß-ÿœ])"
        for name in joined
    ]
    handles = sorted(handle for candidate in election.candidates for handle in candidate.handles)
    return Names(
        accounts=rf"(?i)@(?:{'|'.join(map(re.escape, handles))})\b" if handles else "",
        words=rf"[@#]?(?:{'|'.join(patterns)})",
        inside=rf"(?:{'|'.join(inside)})[0-9]*",
    )


def without_names(texts: Sequence[str] | pa.Array, names: Names) -> list[str]:
    """The texts without the names: nothing stands in their place, and `ACCOUNT` in that of a candidate's account.

    Args:
        texts: In Unicode's normal form NFC; a null is an empty text.
        names: Of the election.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    # RE2 reads a text in a microsecond and lets other threads run meanwhile; Python's re takes ten.
    column = texts if isinstance(texts, pa.Array) else pa.array(texts, pa.string())
    if names.accounts:
        column = pc.replace_substring_regex(column, pattern=names.accounts, replacement=ACCOUNT)
    column = pc.replace_substring_regex(column, pattern=names.words, replacement="")
    left, hashtag = pc.fill_null(column, "").to_pylist(), _hashtag_reader(names.inside)
    return [_HASHTAG.sub(hashtag, text) if "#" in text else text for text in left]


class Nameless:
    """An engine that is shown texts without the names; its version tells the names too.

    Args:
        engine: What scores what is left.
        names: Of the election.
    """

    def __init__(self, engine: Engine, names: Names) -> None:
        self.name = engine.name
        self._engine, self._names = engine, names

    @property
    def version(self) -> str:
        """The engine's, and a checksum of the names."""
        return f"{self._engine.version}, names {self._names.checksum}"

    def score(self, texts: Sequence[str] | pa.Array) -> list[Score]:
        """The tone of each text."""
        return self._engine.score(without_names(texts, self._names))


class SlowNameless(Nameless):
    """The same of a slow engine, of which the network too reads texts without the names."""

    _engine: SlowEngine

    @property
    def model(self) -> str:
        """The engine's, and a checksum of the names: what is kept is of the texts without them."""
        return f"{self._engine.model}, names {self._names.checksum}"

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """What the engine makes of the texts."""
        return self._engine.encode(without_names(texts, self._names))

    def decide(self, texts: Sequence[str], vectors: np.ndarray) -> list[Score]:
        """The tone of each text, given what `encode` made of it."""
        return self._engine.decide(without_names(texts, self._names), vectors)


def nameless(engine: Engine, election: Election) -> Nameless:
    """The engine as it scores texts on this election."""
    names = names_of(election)
    # Asked of the type: whether a slow engine's model can be read is found out when it is.
    return SlowNameless(engine, names) if hasattr(type(engine), "encode") else Nameless(engine, names)


def _without_article(party: tuple[str, ...]) -> tuple[str, ...]:
    return party[1:] if len(party) > 2 and party[0] in ARTICLES else party


def _pattern(name: tuple[str, ...], *, capitals: bool = False) -> str:
    """A folded name as it may be written, from the beginning of a word to the end of one, in RE2's syntax.

    Args:
        name: Its words.
        capitals: Whether its words, but an elided article, must begin with a capital.
    """
    words = []
    for number, word in enumerate(name):
        letters = [_letter(letter) for letter in word]
        begin, end = r"\b" if number == 0 else "", r"[0-9]*\b" if number == len(name) - 1 else ""
        only = len(word) == 1
        letters[0] = _letter(word[0], before=begin, after=end if only else "", small=only or not capitals)
        if not only:
            letters[-1] = _letter(word[-1], after=end)
        words.append("".join(letters))
    return _BETWEEN.join(words)


def _letter(letter: str, *, before: str = "", after: str = "", small: bool = True) -> str:
    """A letter with any accent or none, as a capital or also small.

    RE2's `\\b` knows ASCII alone, so what must stand before and after is asked for beside the letter without accent.
    """
    plain = letter.upper() + letter if small else letter.upper()
    accented = "".join(_ACCENTED.get(form, "") for form in plain)
    found = f"{before}[{plain}]{after}"
    if not accented:
        return found
    return f"(?:{found}|[{accented}])" if before or after else f"[{plain}{accented}]"


@lru_cache(maxsize=4)
def _hashtag_reader(inside: str) -> Callable[[re.Match[str]], str]:
    pattern = re.compile(inside)

    @lru_cache(maxsize=100_000)
    def left(hashtag: str) -> str:
        parts = [part for part in pattern.split(hashtag[1:]) if part.strip("_")]
        return f"#{'_'.join(parts)}" if parts else ""

    return lambda match: left(match[0])
