"""A tweet as tokens: where they begin and end, what is known of each, and the table that remembers it for the next.

A token's row says all that the rules of `rules` ask of it, so that a distinct token is looked up once and a text costs
no more than finding the rows of its words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from enum import IntEnum
from functools import cache, lru_cache
from itertools import chain
from math import inf, nan
from typing import Any, NamedTuple, get_type_hints
from unicodedata import category
from zlib import crc32

import numpy as np

from election_assets.transforms.sentiment import lexicon
from election_assets.transforms.sentiment.engines import LABELS

GRAM_SLOTS = 1 << 16
"""Slots that the n-grams of letters are hashed to."""

GRAM_LENGTHS = range(2, 6)
"""Letters in an n-gram, the blanks at a word's ends included."""

REMEMBERED = 200_000
"""Distinct tokens, and distinct runs between blanks, that a process remembers; past that it starts anew."""

TONELESS = 0.1
"""Inferred tones up to this, either way, are none."""

LONG_PART = 8
"""Letters from which a part of a hashtag without capitals is looked at for the words it holds."""

LONGEST_PIECE = 20
"""Letters of a word in a hashtag at most."""

SHORTEST_UNKNOWN, UNKNOWN_LETTER_COST = 3, 0.3
"""Letters of a stretch of a hashtag that is no known word, such as a name, and what each costs beside those words."""

_UNKNOWN_COSTS = [
    inf if length < SHORTEST_UNKNOWN else UNKNOWN_LETTER_COST * length for length in range(LONGEST_PIECE + 1)
]

_TOKEN = re.compile(
    r"https?://\S+|www\.\S+|\bhttps?\b|@\w+|#\w+|&\w+;"
    r"|[<>]?[:;=8xX][-'o^]?[)(\]\[dDpP/\\|@sS*]+(?!\w)|</?3|\^\^|-_-|\\o/"
    r"|[^\W\d_]+(?:-[^\W\d_]+)*'?|\d+(?:[.,:h]\d+)*|!+|\?+|\.{2,}|[^\w\s]"
)
"""No token holds a blank or looks past one, so what stands between blanks has the same tokens in every text."""

_HASHTAG_PART = re.compile(r"[A-ZÀ-Þ]{2,}(?![a-zß-ÿœ])|[A-ZÀ-Þ]?[a-zß-ÿœ]+|\d+")
_DIGIT = re.compile(r"\d")
_NUMBERS = frozenset({"49.3"})
"""Numbers that are kept as they are, for expressions: an article of the constitution."""

_STRETCHED = re.compile(r"([^\W\d_])\1{2,}")
_ENDS = frozenset('.!?;:…«»"“”(')
_EMOTICON = re.compile(r"[<>]?[:;=8xX][-'o^]?[)(\]\[dDpP/\\|@sS*]+|</?3|\^\^|-_-|\\o/")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_IRONY = _words("ironie sarcasme 🙄 🙃 🤡")
_FLAGS = {
    "first_person": "je j' me m' moi mon ma mes nous notre nos on",
    "second_person": "tu t' te toi ton ta tes vous votre vos",
    "duty": "faut doit doivent devrait devraient devrions faudrait devons devez devriez fallait",
    "irony": "ironie sarcasme",
    "sneer": "ben bah beh",
    "thanks": "merci bravo félicitations chapeau",
    "shifter": "réduire réduction réduit éviter évite empêcher empêche limiter supprimer suppression baisse diminuer"
    " diminution diminue combattre éradiquer prévenir prévention interdire interdit abolir recul"
    " ralentissement",
    "fight": "lutte luttes lutter luttons luttent lutté combat combats bataille loi lois mesure mesures plan plans"
    " campagne mobilisation agir action actions protéger protège protection protections vaccin rempart"
    " engager engagé engagée",
    "recedes": "recule reculent reculé reculer recul baisse baissent baissé baisser diminue diminuent diminué"
    " diminuer régresse régressent régressé régresser chute chutent chuté chuter ralentit ralentissent"
    " ralenti disparaît disparaissent disparu cesse cessent cessé",
    "auxiliary": "a ont avait est sont était va vont se s' en enfin",
    "object_end": "est sont était étaient sera seront serait seraient être été en dans pendant durant par avec qui que"
    " qu' malgré face",
    "determiner": "un une le la l' les des du de d' ce cet cette ces mon ma mes ton ta tes son sa ses notre nos votre"
    " vos leur leurs quel quelle quelles quels chaque plusieurs certaines quelques aucune par en première"
    " seule même autre bonne belle grande petite jeune vieille mauvaise sale vraie",
    "subject": "je j' tu il elle on nous vous ils elles c' ce ça cela quel quelle quels quelles et donc car alors"
    " voilà merci bravo",
    "asks": "qui que quoi quel quelle quels quelles lequel laquelle lesquels lesquelles comment combien quand où"
    " pourquoi",
    "against": "contre",
    "again": "encore",
    "retweet": "rt",
    # Given names and surnames that are words as well.
    "name": "aimé aimée ange angèle angélique beau belle berger bienvenu blanc blanche boiteux bon bonheur bonhomme"
    " boniface bonnet boucher capucine charles chevalier clair claire clémence clément constance constant"
    " courtois céleste doux désir désiré désirée espérance fidèle fleur fontaine fort fortuné franc france"
    " félicité gentil gentile grand grâce hardi hardy heureux honorine honoré innocent joie joli joly juste"
    " justice lamour lebeau lebon ledoux lefort legrand leroy lesage lucide mal malin marchand marin marine"
    " martial maurice mignon modeste modestie nice noble olive parfait pascal patience perle petit placide"
    " prudence prudent rené rivière romain rose rosé sage salle sauvage sauveur savage serein sereine sincère"
    " soleil solide souverain sévère toussaint vaillant valeur victoire victor violette vital vivien vrai",
}
"""The words of which a `Token` says that they are so: by the name of what it says."""

_DEGREES = {
    word: factor
    for factor, words in (
        (1.5, "hyper ultra extrêmement archi incroyablement"),
        (1.4, "très tellement totalement complètement absolument vachement profondément énormément parfaitement"),
        (1.4, "sacrément"),
        (1.3, "trop vraiment super particulièrement carrément quel quelle quels quelles"),
        (1.2, "si tant grave franchement plus fort"),
        (1.1, "tout bien encore"),
        (0.8, "assez plutôt peut-être"),
        (0.7, "presque quasi"),
        (0.6, "légèrement"),
        # "peu convaincant", "moins clair" turn the tone.
        (-0.5, "peu moins"),
    )
    for word in words.split()
}
A_LITTLE_PAIR, AT_LEAST_PAIR = 1, 2
_DEGREE_PAIRS = {
    **dict.fromkeys(("un", "peu"), A_LITTLE_PAIR),
    **dict.fromkeys(("au", "du", "à", "moins"), AT_LEAST_PAIR),
}
"""Words that change the degree of the one after them that has the same number: "un peu", "au moins"."""

_SLOGANS = {("tout", "sauf"): "#toutsauf", ("tous", "sauf"): "#toutsauf", ("jamais",): "#jamais"}
"""Slogans of hashtags that a name follows, by their first words, and the lexicon's term for each."""

_STOP_WORDS = _words(
    "le la les l' un une des du de d' au aux à en dans sur sous par pour avec et ou où que qu' qui dont ce cet"
    " cette ces c' ça cela il elle ils elles se s' y est sont était être été a ont avait avoir ai as ait sera"
    " serait soit son sa ses leur leurs lui eux comme si plus ne n' pas je j' me m' mon ma mes nous notre nos"
    " on tu te t' ton ta tes vous votre vos moi toi même mêmes aussi alors donc car ni or mais quand lors"
    " lorsque depuis entre vers chez après avant pendant jusqu' jusque tout tous toute toutes autre autres"
    " très trop bien encore déjà toujours là ici via rt cc afin ainsi puis dès quoi quel quelle quels quelles"
    " chaque plusieurs certains certaines fait faire fais font peut peuvent va vont vais allons aller faut"
    " doit doivent"
)
_SHORT_WORDS = _words("de du des la le les un une en et au aux ne pas non on tu il je nos vos mes ses ces sur")


class Kind(IntEnum):
    """What a token is."""

    WORD, MARK, LINK, USER = range(4)


class Role(IntEnum):
    """What a token does to the scope of a negation; those from `PLUS` on do it by themselves.

    After "jamais", "rien", "personne" (`TOTAL`, `NOBODY`) and "aucun" (`NO`) a comparison says the utmost: "jamais
    aussi bon". "point" (`CLOSING`) is none without its "ne", "sauf" (`PART`) without "tout" before it, "loin" without
    "d'être" after it.
    """

    NONE, RESTRICTION, CLOSING, COMMA, PART = range(5)
    PLUS, COMPARISON, NE, NEGATION, TOTAL, NOBODY, SHORT, NO, CONTRAST, END = range(5, 15)


_ROLES = {
    word: role
    for role, words in (
        (Role.NE, "ne n'"),
        (Role.NEGATION, "pas aucunement nullement guère"),
        (Role.TOTAL, "jamais rien"),
        (Role.NOBODY, "personne"),
        (Role.CLOSING, "point"),
        (Role.PART, "sauf loin"),
        (Role.SHORT, "sans ni non zéro"),
        (Role.NO, "aucun aucune"),
        (Role.RESTRICTION, "seulement que qu'"),
        (Role.CONTRAST, "mais cependant toutefois néanmoins pourtant"),
        (Role.PLUS, "plus"),
        (Role.COMPARISON, "aussi autant mieux meilleur meilleure meilleurs meilleures pire pires"),
    )
    for word in words.split()
}


@cache
def _said() -> dict[str, dict[str, Any]]:
    """What a `Token` says of the words that the rules know, without the lexicons and expressions."""
    said: dict[str, dict[str, Any]] = {}
    for name, words in _FLAGS.items():
        for word in words.split():
            said.setdefault(word, {})[name] = True
    for name, values in (("degree", _DEGREES), ("role", _ROLES)):
        for word, value in values.items():
            said.setdefault(word, {})[name] = value
    for word, number in _DEGREE_PAIRS.items():
        said.setdefault(word, {})["after_degree" if word in _DEGREES else "before_degree"] = number
    # All those count as words of an expression that they stand in, but names, determiners and their like.
    for says in said.values():
        says["counted"] = (
            says.get("role", Role.NONE) >= Role.NE
            or says.get("degree", 0) != 0
            or bool({"shifter", "first_person", "second_person", "duty"} & says.keys())
        )
    return said


_NEGATIONS = (Role.NE, Role.NEGATION, Role.TOTAL, Role.NOBODY, Role.SHORT, Role.NO)


class Token(NamedTuple):
    """What is known of a token wherever it stands: a row of the table, apart from its letters.

    Attributes:
        kind: A `Kind`.
        role: A `Role`.
        tone: Of a content word, an emoji or an emoticon, by the project's own lexicon or else the listed words; NaN
            where none has it.
        own: The same by the project's lexicon alone; 0 where it has none.
        inferred: A content word's, by the inferred tones; NaN where they have none.
        content: Whether it is a word and no stop word.
        counted: Whether it counts as a word of an expression that it stands in; of a mark, whether it is an emoji or an
            emoticon.
        known: Whether a lexicon gives it a tone or says that it has none.
        insult: Whether it is an insult: what is fought is no person.
        mute: Whether nothing may be read from it, not even from its letters: what people are.
        name: Whether it is a name as well as a word.
        title: Whether it begins with a capital and goes on in small letters.
        capitals: Whether it is written in capitals.
        stretched: Whether a letter stands three times or more in a row.
        degree: The factor of an intensifier; 0 for any other word.
        before_degree: Of a word that changes the degree of the next, the number they share.
        after_degree: The same of that next one.
        shifter: Whether it announces less of what follows.
        fight: Whether it announces a fight where "contre" follows.
        against: Whether it is "contre".
        recedes: Whether it says that what stands before it grows less.
        auxiliary: Whether it may stand between that and its subject.
        object_end: Whether the object of a verb ends before it.
        determiner: Whether a noun may follow it.
        subject: Whether a clause of its own begins with it after a comma.
        asks: Whether it asks for something.
        again: Whether it is "encore".
        first_person: Whether it says "I" or "we".
        second_person: Whether it says "you".
        duty: Whether it says what must be done.
        irony: Whether it marks irony.
        sneer: Whether it makes what follows ironic if that is praise: "ben bravo".
        thanks: Whether it thanks or congratulates.
        opens: The number of the first word of expressions that it is; 0 for most.
        continues: The number of their second word that it is; 0 for most.
        retweet: Whether it is "RT".
        exclamations: Its exclamation marks.
        questions: Its question marks.
        ellipsis: Whether it is one.
        quote: Whether it is a quotation mark.
        colon: Whether it is a colon.
        number: Whether it is a number.
    """

    kind: Kind
    role: Role = Role.NONE
    tone: float = nan
    own: float = 0.0
    inferred: float = nan
    content: bool = False
    counted: bool = False
    known: bool = False
    insult: bool = False
    mute: bool = False
    name: bool = False
    title: bool = False
    capitals: bool = False
    stretched: bool = False
    degree: float = 0.0
    before_degree: int = 0
    after_degree: int = 0
    shifter: bool = False
    fight: bool = False
    against: bool = False
    recedes: bool = False
    auxiliary: bool = False
    object_end: bool = False
    determiner: bool = False
    subject: bool = False
    asks: bool = False
    again: bool = False
    first_person: bool = False
    second_person: bool = False
    duty: bool = False
    irony: bool = False
    sneer: bool = False
    thanks: bool = False
    opens: int = 0
    continues: int = 0
    retweet: bool = False
    exclamations: int = 0
    questions: int = 0
    ellipsis: bool = False
    quote: bool = False
    colon: bool = False
    number: bool = False


_TYPES = {Kind: "i1", Role: "i1", int: "i4", float: "f8", bool: "?"}
COLUMNS = {
    **{name: np.dtype(_TYPES[kind]) for name, kind in get_type_hints(Token).items()},
    "letters": np.dtype((float, len(LABELS))),
    "grams": np.dtype("i4"),
}
"""A `Token`'s, and of its n-grams of letters what they say for each label and how many they are."""

_A_USER, _A_LINK = (0,), (1,)
_LINK_STARTS = ("https://", "http://")


class Batch(NamedTuple):
    """The tokens of several texts, one text after the other.

    Attributes:
        rows: The row of each token in the table.
        known: What is known of it, by the names of `COLUMNS`.
        texts: The number of the text it stands in.
        ends: Of each text, the number of the token after its last.
        hashtags: Of each text, how often "#" stands in it.
        keys: The lower-case word of each row of the table.
    """

    rows: np.ndarray
    known: dict[str, np.ndarray]
    texts: np.ndarray
    ends: np.ndarray
    hashtags: np.ndarray
    keys: list[str]

    def words(self) -> list[str]:
        """The tokens in lower case without mentions and links."""
        return [self.keys[row] for row in self.rows[self.known["grams"] > 0].tolist()]


class Table:
    """All distinct tokens met, a row each.

    Args:
        grams: What each slot of the n-grams of letters says for each label.
    """

    def __init__(self, grams: np.ndarray) -> None:
        self._grams = grams
        self._columns = _columns(1024)
        self._forget()

    def __len__(self) -> int:
        return max(len(self._runs), len(self.keys))

    def batch(self, texts: Sequence[str]) -> Batch:
        """The tokens of the texts."""
        if len(self) > REMEMBERED:
            self._forget()
        rows: list[int] = []
        ends, hashtags = [], []
        rows_of = self._runs.__getitem__
        for text in texts:
            rows += chain.from_iterable(map(rows_of, text.replace("’", "'").split()))
            ends.append(len(rows))
            hashtags.append(text.count("#"))
        self._fill()
        row, end = np.array(rows, np.int64), np.array(ends, np.int64)
        texts_of = np.repeat(np.arange(len(end)), np.diff(end, prepend=0))
        known = {name: column[row] for name, column in self._columns.items()}
        _silence_names(known, texts_of)
        return Batch(row, known, texts_of, end, np.array(hashtags, np.int64), self.keys)

    def _forget(self) -> None:
        self._runs = _Runs(self)
        self._row: dict[str, int] = {}
        self.keys: list[str] = ["@", "http"]
        self._new: list[Token] = [Token(Kind.USER), Token(Kind.LINK)]

    def rows_of(self, raw: str) -> tuple[int, ...]:
        """The rows of a token as it is written; a hashtag has one a word, a character reference none."""
        first = raw[0]
        if first == "@" and len(raw) > 1:
            return _A_USER
        if raw.startswith(("http", "www.")):
            return _A_LINK
        if first == "#" and len(raw) > 1:
            words = hashtag_words(raw[1:])
            # The capitals of a hashtag part its words and make no names of them.
            return tuple(self._row_of(word.lower() if word.istitle() else word) for word in words)
        if first == "&" and raw[-1] == ";" and len(raw) > 1:
            return ()
        return (self._row_of(_DIGIT.sub("0", raw) if first.isdigit() and raw not in _NUMBERS else raw),)

    def _row_of(self, word: str) -> int:
        row = self._row.get(word)
        if row is None:
            row = self._row[word] = len(self.keys)
            key = word.lower()
            self.keys.append(key)
            self._new.append(_token(word, key))
        return row

    def _fill(self) -> None:
        """Writes the rows of the tokens that are new since the last time."""
        new = self._new
        if not new:
            return
        self._new = []
        begin, end = len(self.keys) - len(new), len(self.keys)
        if end > len(self._columns["kind"]):
            larger = _columns(2 * end)
            for name, column in self._columns.items():
                larger[name][:begin] = column[:begin]
            self._columns = larger
        for name, values in zip(Token._fields, zip(*new, strict=True), strict=True):
            self._columns[name][begin:end] = values
        found = [
            [] if token.mute or token.kind in (Kind.USER, Kind.LINK) else slots(key)
            for token, key in zip(new, self.keys[begin:], strict=True)
        ]
        counts = np.fromiter(map(len, found), np.int64, len(found))
        self._columns["grams"][begin:end] = counts
        has = np.flatnonzero(counts)
        if len(has):
            says = self._grams[np.fromiter(chain.from_iterable(found), np.int64, counts.sum())]
            self._columns["letters"][begin + has] = np.add.reduceat(says, (np.cumsum(counts) - counts)[has])


def _silence_names(known: dict[str, np.ndarray], texts: np.ndarray) -> None:
    """Takes tone and letters from words that are written as names: inside a sentence, or before another name."""
    named = np.flatnonzero(known["name"] & known["title"])
    if not len(named):
        return
    before, after = np.maximum(named - 1, 0), np.minimum(named + 1, len(texts) - 1)
    inside = (named > 0) & (texts[before] == texts[named]) & (known["role"][before] != Role.END)
    paired = (after > named) & (texts[after] == texts[named]) & known["title"][after]
    named = named[inside | paired]
    known["tone"][named] = known["inferred"][named] = nan
    known["own"][named] = known["letters"][named] = known["grams"][named] = 0
    known["known"][named] = False


def _columns(rows: int) -> dict[str, np.ndarray]:
    return {name: np.zeros(rows, kind) for name, kind in COLUMNS.items()}


class _Runs(dict[str, tuple[int, ...]]):
    """The rows of the tokens in what stands between two blanks, looked up where missing."""

    def __init__(self, table: Table) -> None:
        super().__init__()
        self._table = table

    def __missing__(self, run: str) -> tuple[int, ...]:
        if run.startswith(_LINK_STARTS) and run not in _LINK_STARTS:
            # All of it, and seldom to come again.
            return _A_LINK
        rows: list[int] = []
        for raw in _TOKEN.findall(run):
            rows += self._table.rows_of(raw)
        self[run] = found = tuple(rows)
        return found


@lru_cache(REMEMBERED // 10)
def hashtag_words(tag: str) -> tuple[str, ...]:
    """The words of a hashtag, told by its capitals and digits, or else by the lexicons (`macrondegage`)."""
    parts = _HASHTAG_PART.findall(tag) or [tag]
    words = [word for part in parts for word in (_run_words(part) if len(part) >= LONG_PART else [part])]
    for length in (2, 1):
        slogan = _SLOGANS.get(tuple(map(str.lower, words[:length])))
        if slogan and len(words) > length:
            return (slogan, *words[length:])
    return tuple(words)


def _run_words(run: str) -> list[str]:
    """Splits letters without blanks into the fewest known words; a stretch that is none costs more."""
    key, known = run.lower(), _vocabulary()
    if key in known or lexicon.lemma(key) in known:
        return [run]
    costs, starts = [0.0], [0]
    for end in range(1, len(key) + 1):
        best, best_start = inf, 0
        for start in range(max(0, end - LONGEST_PIECE), end):
            cost = costs[start] + 1
            if key[start:end] not in known:
                cost += _UNKNOWN_COSTS[end - start]
            if cost < best:
                best, best_start = cost, start
        if best == inf:
            best, best_start = costs[end - 1] + len(key), end - 1
        costs.append(best)
        starts.append(best_start)
    words, end = [], len(key)
    while end:
        words.append(run[starts[end] : end])
        end = starts[end]
    return words[::-1]


@cache
def _vocabulary() -> frozenset[str]:
    """The words that a hashtag may hold."""
    found = lexicon.load()
    words = {word for word in (*found.own, *found.listed) if len(word) > 3 and word.isalpha()}
    unfolded = {plain for plain, word in found.unfolded.items() if word in words}
    return frozenset(words | unfolded | set(found.inferred) | _SHORT_WORDS | {w for w in _STOP_WORDS if len(w) > 3})


def slots(word: str) -> set[int]:
    """The slots of a lower-case word's n-grams of letters."""
    letters = f" {word} "
    # Bytes are sliced faster than letters are encoded.
    grams = _grams_of_bytes(letters.encode()) if word.isascii() else _grams_of_letters(letters)
    return {crc32(gram) % GRAM_SLOTS for gram in grams}


def _grams_of_bytes(letters: bytes) -> list[bytes]:
    size = len(letters)
    return [letters[start : start + length] for length in GRAM_LENGTHS for start in range(size - length + 1)]


def _grams_of_letters(letters: str) -> list[bytes]:
    size = len(letters)
    return [letters[start : start + length].encode() for length in GRAM_LENGTHS for start in range(size - length + 1)]


class Expression(NamedTuple):
    """An expression of several words.

    Attributes:
        tone: The project's.
        turns: Whether a negation before it turns it: one that holds a negation means what it says.
    """

    tone: float
    turns: bool


class Beginning(NamedTuple):
    """Two words that expressions begin with.

    Attributes:
        lengths: How many words more those have, the most first.
        rests: The expressions by the words that follow the two.
    """

    lengths: tuple[int, ...]
    rests: dict[tuple[str, ...], Expression]


class Expressions(NamedTuple):
    """The project's expressions of several words.

    Attributes:
        firsts: The numbers, from 1, of the words that they begin with.
        seconds: The numbers, from 1, of their second words.
        pairs: The number of the beginning by the numbers of its words; 0 for those that begin none.
        beginnings: By their numbers.
    """

    firsts: dict[str, int]
    seconds: dict[str, int]
    pairs: np.ndarray
    beginnings: list[Beginning]


@cache
def expressions() -> Expressions:
    """The project's expressions of several words, as written and without accents."""
    own = lexicon.load().own
    terms = {lexicon.fold(term): tone for term, tone in own.items()} | own
    found: dict[tuple[str, str], dict[tuple[str, ...], Expression]] = {}
    for term, tone in terms.items():
        parts = _TOKEN.findall(term)
        if len(parts) > 1 and any(map(str.isalpha, term)):
            turns = not any(_ROLES.get(part, Role.NONE) in _NEGATIONS for part in parts)
            found.setdefault((parts[0], parts[1]), {})[tuple(parts[2:])] = Expression(tone, turns)
    firsts = {word: number for number, word in enumerate(dict.fromkeys(first for first, _ in found), start=1)}
    seconds = {word: number for number, word in enumerate(dict.fromkeys(second for _, second in found), start=1)}
    pairs = np.zeros((len(firsts) + 1, len(seconds) + 1), np.int16)
    beginnings = [Beginning((), {})]
    for (first, second), rests in found.items():
        pairs[firsts[first], seconds[second]] = len(beginnings)
        beginnings.append(Beginning(tuple(sorted({len(rest) for rest in rests}, reverse=True)), rests))
    return Expressions(firsts, seconds, pairs, beginnings)


def _token(raw: str, key: str) -> Token:
    first, found = raw[0], lexicon.load()
    if not first.isalpha() or (not raw.isalpha() and "'" not in raw[-1] and (raw in found.own or key in found.own)):
        return _mark(key, found.own.get(raw, found.own.get(key)))
    return _word(raw, key, found)


def _mark(key: str, tone: float | None) -> Token:
    """An emoji, an emoticon, an expression with a hyphen, a slogan of a hashtag, punctuation or a number."""
    opens, continues = expressions().firsts.get(key, 0), expressions().seconds.get(key, 0)
    if tone is not None:
        return Token(
            Kind.MARK,
            tone=tone or nan,
            own=tone,
            counted=True,
            known=True,
            irony=key in _IRONY,
            opens=opens,
            continues=continues,
        )
    first = key[0]
    return Token(
        Kind.MARK,
        role=Role.END if first in _ENDS else Role.COMMA if first == "," else Role.NONE,
        # The letters of flags are no emoji of their own.
        counted=(category(first) == "So" and not "🇦" <= first <= "🇿") or bool(_EMOTICON.fullmatch(key)),
        opens=opens,
        continues=continues,
        exclamations=len(key) if first == "!" else 0,
        questions=len(key) if first == "?" else 0,
        ellipsis=first == "…" or key[:2] == "..",
        quote=first in '«»"“”',
        colon=first == ":",
        number=first.isdigit(),
    )


def _word(raw: str, key: str, found: lexicon.Lexicon) -> Token:
    stretched, title = bool(_STRETCHED.search(key)), raw.istitle()
    content, capitals = key not in _STOP_WORDS, not title and len(raw) > 2 and raw.isupper()
    opens, said = expressions().firsts.get(key, 0), _said().get(key, _NOTHING)
    own = listed = inferred = None
    insult = mute = False
    if content:
        for candidate in _candidates(key, stretched, found):
            if own is None and candidate in found.own:
                own = found.own[candidate]
                insult, mute = candidate in found.insults, candidate in found.people
            if listed is None:
                listed = found.listed.get(candidate)
            if inferred is None:
                inferred = found.inferred.get(candidate)
    tone = listed if own is None else own
    if own == 0:
        inferred = 0.0
    return Token(
        Kind.WORD,
        tone=nan if tone is None else tone,
        own=own or 0.0,
        inferred=nan if inferred is None else inferred,
        content=content,
        known=tone is not None or (inferred is not None and abs(inferred) > TONELESS),
        insult=insult,
        mute=mute,
        title=title,
        capitals=capitals,
        stretched=stretched,
        opens=opens,
        continues=expressions().seconds.get(key, 0),
        **said | {"counted": said["counted"] or content or stretched or capitals or opens > 0},
    )


_NOTHING: dict[str, Any] = {"counted": False}


def _candidates(key: str, stretched: bool, found: lexicon.Lexicon) -> Iterator[str]:
    """The forms under which a word may stand in a lexicon, the surest first."""
    forms: Iterable[str] = (key,)
    if stretched:
        forms = (key, _STRETCHED.sub(r"\1", key), _STRETCHED.sub(r"\1\1", key))
    for form in forms:
        yield form
        base = lexicon.lemma(form)
        yield base
        if base == form and form[-1] == "s" and form[:-1] in found.own:
            # The plural of a word that no dictionary holds: slang.
            yield form[:-1]
        if base in found.unfolded and not base.isascii():
            # The spelling of 1990 leaves out some accents and keeps others: "dégouter".
            yield found.unfolded[base]
        with_accents = found.unfolded.get(form)
        if with_accents:
            yield with_accents
            yield lexicon.lemma(with_accents)
