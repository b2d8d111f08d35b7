"""The tone of French tweets: tokens, the rules of negation, degree and contrast, features, and a small linear model.

`FrenchTweetAnalyzer` is a TextBlob analyzer; `analyze_all` scores many texts at once. What a word is worth comes from
`lexicon`; what the features and the letters of the words are worth from `reference/tone_model.npz`, which
benchmarks/sentiment/train.py makes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from math import log1p, sqrt
from typing import TYPE_CHECKING, NamedTuple
from zlib import crc32

from textblob.base import CONTINUOUS, BaseSentimentAnalyzer

from election_assets.transforms.sentiment import lexicon
from election_assets.transforms.sentiment.engines import LABELS, NOT_SCORED, Score

if TYPE_CHECKING:
    import numpy as np

RULES_VERSION = 2
"""Version of this module's own part in a score; raise it when a rule changes what a text scores."""

PACKAGES = ("textblob", "textblob-fr", "vaderSentiment-fr", "simplemma")
"""What a score depends on; each is read as data or called."""

MODEL_FILE = lexicon.REFERENCE / "tone_model.npz"

GRAM_SLOTS = 1 << 16
"""Slots that the n-grams of letters are hashed to."""

GRAM_LENGTHS = range(2, 6)
"""Letters in an n-gram, the blanks at a word's ends included."""

CACHED_TOKENS = 200_000
"""Distinct tokens whose lookups a process keeps: about 100 MB; past that it starts anew."""

NEGATED = -0.7
"""What a negation leaves of a word's tone: "pas bon" is less bad than "mauvais"."""

NEGATION_REACH = 5
"""Tokens after a negation that it turns: "n'est vraiment pas du tout bon"."""

SHORT_REACH = 3
"""Tokens after "sans", "aucun" and their like, which turn one noun phrase."""

NE_REACH = 6
"""Tokens in which "ne" finds its "pas"."""

SHIFTED = -0.6
"""What is left of a word's tone after one that announces less of it: "lutter contre la pollution"."""

SHIFT_REACH = 5
BEFORE_CONTRAST, AFTER_CONTRAST = 0.6, 1.2
"""Weights of what stands before and after "mais"."""

SHOUTED = 1.2
"""Weight of a word in capitals."""

_TOKEN = re.compile(
    r"https?://\S+|www\.\S+|\bhttps?\b|@\w+|#\w+|&\w+;"
    r"|[<>]?[:;=8xX][-'o^]?[)(\]\[dDpP/\\|@sS*]+(?!\w)|</?3|\^\^|-_-|\\o/"
    r"|[^\W\d_]+(?:-[^\W\d_]+)*'?|\d+(?:[.,:h]\d+)*|!+|\?+|\.{2,}|[^\w\s]"
)
_HASHTAG_PART = re.compile(r"[A-ZÀ-Þ]{2,}(?![a-zß-ÿœ])|[A-ZÀ-Þ]?[a-zß-ÿœ]+|\d+")
_DIGIT = re.compile(r"\d")
_STRETCHED = re.compile(r"([^\W\d_])\1{2,}")
_ENDS = frozenset('.!?;:…«»"“”(')


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_NE = _words("ne n'")
_NEGATIONS = _words("pas jamais aucunement nullement guère rien personne point")
_SHORT_NEGATIONS = _words("aucun aucune sans ni non")
_NOT_ONLY = _words("seulement que qu'")
_CONTRASTS = _words("mais cependant toutefois néanmoins pourtant")
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
_DEGREE_REACH = 2
_SHIFTERS = _words(
    "lutte lutter réduire réduction réduit éviter évite empêcher empêche limiter supprimer suppression baisse diminuer"
    " diminution diminue combattre éradiquer prévenir prévention interdire interdit abolir zéro"
)
_FIRST_PERSON = _words("je j' me m' moi mon ma mes nous notre nos on")
_SECOND_PERSON = _words("tu t' te toi ton ta tes vous votre vos")
_DUTIES = _words("faut doit doivent devrait devraient devrions faudrait devons devez devriez fallait")
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


FEATURES = (
    "positive",
    "negative",
    "most positive",
    "most negative",
    "positive a word",
    "negative a word",
    "last",
    "net",
    "own positive",
    "own negative",
    "no listed word",
    "inferred mean",
    "inferred positive",
    "inferred negative",
    "inferred highest",
    "inferred lowest",
    "exclamation",
    "question",
    "ellipsis",
    "quotes",
    "capitals",
    "stretched",
    "link",
    "mentions",
    "reply",
    "hashtags",
    "numbers",
    "length",
    "negations",
    "degrees",
    "contrast",
    "first person",
    "second person",
    "duty",
    "mixed",
    "happy emoji beside blame",
    "retweet",
    "unknown words",
)
"""What the model weighs beside the letters, in the order of the columns of `features`."""

LONG_PART = 8
"""Letters from which a part of a hashtag without capitals is looked at for the words it holds."""

LONGEST_PIECE = 20
"""Letters of a word in a hashtag at most."""

UNKNOWN_COST, UNKNOWN_LETTER_COST = 1.0, 0.3
"""What a stretch of a hashtag that is no known word, such as a name, costs in words, and each of its letters."""

_SHORT_WORDS = _words("de du des la le les un une en et au aux ne pas non on tu il je nos vos mes ses ces sur")
_WORD, _MARK, _LINK, _USER = range(4)


@dataclass(slots=True)
class Token:
    """What is known of a token, looked up once a process."""

    key: str
    kind: int
    tone: float | None = None
    own: float = 0.0
    inferred: float | None = None
    content: bool = False
    known: bool = False
    capitals: bool = False
    stretched: bool = False
    ends: bool = False
    phrases: tuple[tuple[list[str], float], ...] = ()
    special: bool = False
    plain: bool = False
    slots: list[int] = field(default_factory=list)
    letters: tuple[float, float, float, int] = (0.0, 0.0, 0.0, 0)


_A_USER = (Token("@", _USER),)
_A_LINK = (Token("http", _LINK),)


class Reading(NamedTuple):
    """A text as the model sees it: a value a feature, its tokens, and the share of content words known."""

    features: list[float]
    tokens: list[Token]
    coverage: float


class Model(NamedTuple):
    """The numbers of `tone_model.npz`.

    Attributes:
        weights: A row a feature, a column a label.
        bias: A value a label.
        grams: A row a slot, a column a label.
    """

    weights: np.ndarray
    bias: np.ndarray
    grams: np.ndarray


@cache
def model() -> Model:
    """The shipped model, read once a process."""
    import numpy as np

    with np.load(MODEL_FILE, allow_pickle=False) as numbers:
        return Model(
            numbers["weights"].astype("float64"),
            numbers["bias"].astype("float64"),
            numbers["grams"] * numbers["grams_scale"].astype("float64"),
        )


class FrenchTweetAnalyzer(BaseSentimentAnalyzer):
    """Scores French tweets: `TextBlob(text, analyzer=FrenchTweetAnalyzer()).sentiment`."""

    kind = CONTINUOUS

    def __init__(self) -> None:
        super().__init__()
        self._tokens: dict[str, tuple[Token, ...]] = {}
        self._model: Model | None = None

    def analyze(self, text: str) -> Score:
        """The tone of one text.

        The polarity is the model's probability of positive less that of negative, the subjectivity its probability of
        not being neutral, the label the most probable: a negative text has a polarity below 0 and a positive one above,
        while one of both tones may be near 0 without being neutral. The coverage is the share of the content words,
        emoji and emoticons that a lexicon knows; without one, the text is not scored.
        """
        return self.analyze_all([str(text)])[0]

    def analyze_all(self, texts: Sequence[str]) -> list[Score]:
        """The tone of each text."""
        import numpy as np

        if not texts:
            return []
        self._model = numbers = self._model or model()
        rows, coverages = [], []
        for text in texts:
            features, tokens, coverage = self.read(text)
            features += _letters(tokens)
            rows.append(features)
            coverages.append(coverage)
        values = np.array(rows, "float64")
        logits = values[:, : len(FEATURES)] @ numbers.weights + values[:, len(FEATURES) :] + numbers.bias
        shares = np.exp(logits - logits.max(1, keepdims=True))
        shares /= shares.sum(1, keepdims=True)
        polarities = (shares[:, 2] - shares[:, 0]).tolist()
        subjectivities = (1 - shares[:, 1]).tolist()
        best = shares.argmax(1).tolist()
        return [
            Score(polarity, subjectivity, LABELS[label], coverage) if coverage else NOT_SCORED
            for polarity, subjectivity, label, coverage in zip(polarities, subjectivities, best, coverages, strict=True)
        ]

    def read(self, text: str) -> Reading:
        """The features of a text, without the model."""
        if len(self._tokens) > CACHED_TOKENS:
            self._tokens.clear()
        tokens: list[Token] = []
        cached = self._tokens
        links = users = numbers = 0
        raw = _TOKEN.findall(text.replace("’", "'"))
        for token in raw:
            known = cached.get(token)
            if known is None:
                known = self._look_up(token)
            tokens += known
        n = len(tokens)
        tones: list[float] = []
        positive_own = negative_own = happy = 0.0
        inferred: list[float] = []
        words = known_words = negations = degrees = first_person = second_person = duties = 0
        capitals = stretched = exclamations = questions = ellipses = quotes = 0
        negated_from, negated_to, degree, degree_to, shifted_to, phrase_to, reach = n, -1, 1.0, -1, -1, -1, -1
        contrast_at = -1
        for i, token in enumerate(tokens):
            if token.plain:
                continue
            kind = token.kind
            if kind == _WORD:
                if token.stretched:
                    stretched = 1
                if token.capitals:
                    capitals += 1
                if i <= phrase_to:
                    words += 1
                    known_words += 1
                    continue
                key = token.key
                if token.special:
                    if token.phrases:
                        for tail, tone in token.phrases:
                            end = i + 1 + len(tail)
                            if [other.key for other in tokens[i + 1 : end]] == tail:
                                if negated_from < i <= negated_to and tone > 0:
                                    tone *= NEGATED
                                tones.append(tone)
                                if tone > 0:
                                    positive_own += tone
                                else:
                                    negative_own -= tone
                                phrase_to = end - 1
                                break
                        if phrase_to >= i:
                            words += 1
                            known_words += 1
                            continue
                    if key in _FIRST_PERSON:
                        first_person += 1
                    elif key in _SECOND_PERSON:
                        second_person += 1
                    elif key in _DUTIES:
                        duties = 1
                    if key in _NE:
                        for j in range(i + 1, min(i + 1 + NE_REACH, n)):
                            other = tokens[j].key
                            if other in _NEGATIONS or other in _SHORT_NEGATIONS or other == "plus":
                                negated_from = i
                                negated_to = j + NEGATION_REACH
                                reach = max(reach, negated_to)
                                negations += 1
                                break
                            if other in _NOT_ONLY or tokens[j].ends:
                                break
                        continue
                    if key in _NEGATIONS or key in _SHORT_NEGATIONS:
                        if not negated_from < i <= negated_to:
                            negations += 1
                            negated_from = i
                        if i + 1 < n and tokens[i + 1].key in _NOT_ONLY:
                            negated_to = -1
                        else:
                            length = SHORT_REACH if key in _SHORT_NEGATIONS else NEGATION_REACH
                            negated_to = max(negated_to, i + length)
                            reach = max(reach, negated_to)
                    elif key in _CONTRASTS:
                        contrast_at, negated_to = len(tones), -1
                factor = 1.0
                if i <= reach:
                    if negated_from < i <= negated_to:
                        factor = NEGATED
                    if i <= degree_to:
                        factor *= degree
                    if i <= shifted_to:
                        factor *= SHIFTED
                if token.content:
                    words += 1
                    if token.known:
                        known_words += 1
                    if token.tone is not None:
                        tone = token.tone * factor
                        if token.capitals:
                            tone *= SHOUTED
                        tones.append(tone)
                        if token.own:
                            tone = token.own * factor
                            if tone > 0:
                                positive_own += tone
                            else:
                                negative_own -= tone
                    if token.inferred is not None:
                        inferred.append(token.inferred * factor)
                if token.special:
                    if key in _DEGREES:
                        degree, degree_to = _DEGREES[key], i + _DEGREE_REACH
                        degrees += 1
                        reach = max(reach, degree_to)
                    if key in _SHIFTERS:
                        shifted_to = i + SHIFT_REACH
                        reach = max(reach, shifted_to)
            elif kind == _MARK:
                if token.ends:
                    negated_to = shifted_to = degree_to = -1
                if token.known:
                    words += 1
                    known_words += 1
                    tone = token.own
                    if tone > 0:
                        happy += tone
                        positive_own += tone
                        tones.append(tone)
                    elif tone < 0:
                        negative_own -= tone
                        tones.append(tone)
                else:
                    key = token.key
                    first = key[0]
                    if first == "!":
                        exclamations += len(key)
                    elif first == "?":
                        questions += len(key)
                    elif first == "…" or key[:2] == "..":
                        ellipses = 1
                    elif first in '«»"“”':
                        quotes += 1
                    elif first.isdigit():
                        numbers += 1
            elif kind == _LINK:
                links = 1
            else:
                users += 1
        if contrast_at >= 0:
            tones = [tone * (BEFORE_CONTRAST if at < contrast_at else AFTER_CONTRAST) for at, tone in enumerate(tones)]
        positive = negative = highest = lowest = 0.0
        for tone in tones:
            if tone > 0:
                positive += tone
                if tone > highest:
                    highest = tone
            else:
                negative -= tone
                if -tone > lowest:
                    lowest = -tone
        count = words or 1
        root = sqrt(count + 1)
        mean_inferred = good = bad = top = bottom = 0.0
        if inferred:
            mean_inferred, top, bottom = sum(inferred) / len(inferred), max(inferred), min(inferred)
            for tone in inferred:
                if tone > 0.1:
                    good += tone - 0.1
                elif tone < -0.1:
                    bad -= tone + 0.1
        praise, blame = _saturate(positive), _saturate(negative)
        features = [
            praise,
            blame,
            highest,
            lowest,
            positive / root,
            negative / root,
            tones[-1] if tones else 0.0,
            _saturate(positive - negative),
            _saturate(positive_own),
            _saturate(negative_own),
            0.0 if tones else 1.0,
            mean_inferred,
            good / 2,
            bad / 2,
            top,
            bottom,
            min(exclamations, 3) / 3,
            min(questions, 2) / 2,
            ellipses,
            min(quotes, 2) / 2,
            min(capitals, 4) / 4,
            stretched,
            links,
            min(users, 3) / 3,
            1.0 if n and tokens[0].kind == _USER else 0.0,
            min(text.count("#"), 4) / 4,
            min(numbers, 3) / 3,
            log1p(count) / 3,
            min(negations, 2) / 2,
            min(degrees, 2) / 2,
            1.0 if contrast_at >= 0 else 0.0,
            min(first_person, 2) / 2,
            min(second_person, 2) / 2,
            duties,
            praise * blame,
            _saturate(happy) * blame,
            1.0 if n and tokens[0].key == "rt" else 0.0,
            1 - known_words / count,
        ]
        return Reading(features, tokens, known_words / words if words else 0.0)

    def _look_up(self, raw: str) -> tuple[Token, ...]:
        first = raw[0]
        if first == "@" and len(raw) > 1:
            return _A_USER
        if raw.startswith(("http", "www.")):
            return _A_LINK
        if first.isdigit():
            masked = _DIGIT.sub("0", raw)
            if masked != raw:
                return self._tokens.get(masked) or self._look_up(masked)
        if first == "#" and len(raw) > 1:
            parts = hashtag_words(raw[1:])
            found = tuple(_token(part, self._grams) for part in parts)
        elif first == "&" and raw[-1] == ";" and len(raw) > 1:
            found = ()
        else:
            found = (_token(raw, self._grams),)
        self._tokens[raw] = found
        return found

    @property
    def _grams(self) -> np.ndarray | None:
        return self._model.grams if self._model else None


def hashtag_words(tag: str) -> list[str]:
    """The words of a hashtag, told by its capitals and digits, or else by the lexicons (`macrondegage`)."""
    parts = _HASHTAG_PART.findall(tag) or [tag]
    return [word for part in parts for word in (_run_words(part) if len(part) >= LONG_PART else [part])]


def _run_words(run: str) -> list[str]:
    """Splits letters without blanks into the fewest known words; a stretch that is none costs more."""
    key, known = run.lower(), _vocabulary()
    if key in known or lexicon.lemma(key) in known:
        return [run]
    costs: list[tuple[float, int]] = [(0.0, 0)]
    for end in range(1, len(key) + 1):
        options = []
        for start in range(max(0, end - LONGEST_PIECE), end):
            piece = key[start:end]
            if piece in known or (len(piece) > 3 and piece in _STOP_WORDS):
                options.append((costs[start][0] + 1, start))
            elif len(piece) > 2:
                options.append((costs[start][0] + UNKNOWN_COST + UNKNOWN_LETTER_COST * len(piece), start))
        costs.append(min(options, default=(costs[end - 1][0] + len(key), end - 1)))
    words, end = [], len(key)
    while end:
        start = costs[end][1]
        words.append(run[start:end])
        end = start
    return words[::-1]


@cache
def _vocabulary() -> frozenset[str]:
    found = lexicon.load()
    words = {word for word in (*found.own, *found.listed) if len(word) > 3 and word.isalpha()}
    return frozenset(
        words | {plain for plain, word in found.unfolded.items() if word in words} | set(found.inferred) | _SHORT_WORDS
    )


def slots(word: str) -> list[int]:
    """The slots of a lower-case word's n-grams of letters, each once, sorted."""
    padded = f" {word} "
    return sorted(
        {
            crc32(padded[start : start + length].encode()) % GRAM_SLOTS
            for length in GRAM_LENGTHS
            for start in range(len(padded) - length + 1)
        }
    )


def engine_version() -> str:
    """The version of the rules, and a checksum of all else that a score depends on: lexicons, model, packages."""
    held = crc32(" ".join(version(package) for package in PACKAGES).encode())
    for path in (lexicon.OWN_FILE, lexicon.WORDS_FILE, MODEL_FILE):
        held = crc32(path.read_bytes(), held)
    return f"{RULES_VERSION}-{held:08x}"


def _letters(tokens: Iterable[Token]) -> tuple[float, float, float]:
    """What the letters of all words say for each label, by the square root of the number of n-grams."""
    negative = neutral = positive = 0.0
    count = 0
    for token in tokens:
        first, second, third, grams = token.letters
        negative += first
        neutral += second
        positive += third
        count += grams
    root = sqrt(count or 1)
    return negative / root, neutral / root, positive / root


def _saturate(value: float) -> float:
    return value / sqrt(value * value + 1)


@cache
def _phrases() -> dict[str, tuple[tuple[list[str], float], ...]]:
    """The project's expressions of several words, longest first, by their first word."""
    found: dict[str, list[tuple[list[str], float]]] = {}
    for term, tone in lexicon.load().own.items():
        parts = _TOKEN.findall(term)
        if len(parts) > 1 and any(map(str.isalpha, term)):
            found.setdefault(parts[0], []).append((parts[1:], tone))
    return {first: tuple(sorted(tails, key=lambda tail: -len(tail[0]))) for first, tails in found.items()}


@cache
def _special() -> frozenset[str]:
    """Words that the rules look at."""
    return frozenset().union(
        _NE,
        _NEGATIONS,
        _SHORT_NEGATIONS,
        _CONTRASTS,
        _DEGREES,
        _SHIFTERS,
        _FIRST_PERSON,
        _SECOND_PERSON,
        _DUTIES,
        _phrases(),
    )


def _token(raw: str, grams: np.ndarray | None) -> Token:
    first, key = raw[0], raw.lower()
    found = lexicon.load()
    if not first.isalpha() or (not raw.isalpha() and "'" not in raw[-1] and (raw in found.own or key in found.own)):
        tone = found.own.get(raw, found.own.get(key))
        token = Token(key, _MARK, own=tone or 0.0, known=tone is not None, ends=first in _ENDS and tone is None)
    else:
        token = _word(raw, key, found)
    token.slots = slots(key)
    if grams is not None:
        total = grams[token.slots].sum(0).tolist()
        token.letters = (total[0], total[1], total[2], len(token.slots))
    return token


def _word(raw: str, key: str, found: lexicon.Lexicon) -> Token:
    stretched = bool(_STRETCHED.search(key))
    forms = [key]
    if stretched:
        forms += [_STRETCHED.sub(r"\1", key), _STRETCHED.sub(r"\1\1", key)]
    own = listed = inferred = None
    for form in forms:
        for candidate in _candidates(form, found):
            if own is None:
                own = found.own.get(candidate)
            if listed is None:
                listed = found.listed.get(candidate)
            if inferred is None:
                inferred = found.inferred.get(candidate)
    tone = listed if own is None else own
    content, special, capitals = key not in _STOP_WORDS, key in _special(), len(raw) > 2 and raw.isupper()
    return Token(
        key,
        _WORD,
        tone=tone if content else None,
        own=own or 0.0,
        inferred=inferred,
        content=content,
        known=content and (tone is not None or inferred is not None),
        capitals=capitals,
        stretched=stretched,
        phrases=_phrases().get(key, ()),
        special=special,
        plain=not (content or special or stretched or capitals),
    )


def _candidates(form: str, found: lexicon.Lexicon) -> Iterable[str]:
    """The forms under which a word may stand in a lexicon, the surest first."""
    yield form
    yield lexicon.lemma(form)
    with_accents = found.unfolded.get(form)
    if with_accents:
        yield with_accents
        yield lexicon.lemma(with_accents)
