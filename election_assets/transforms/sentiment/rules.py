"""The rules of French tone over many texts at once: each a function over their tokens, together the model's features.

Positions count the tokens of a whole batch; no rule reaches from one text into another.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from election_assets.transforms.sentiment.tokens import Batch, Kind, Role, expressions

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
DEGREE_REACH = 2
"""Tokens after an intensifier that it weighs: "très bon", "très très bon"."""

BEFORE_CONTRAST, AFTER_CONTRAST = 0.6, 1.2
"""Weights of what stands before and after "mais"."""

IRONIC = -0.5
"""What is left of praise in a text with a mark of irony."""

SHOUTED = 1.2
"""Weight of a word in capitals."""

TONELESS = 0.1
"""Inferred tones up to this, either way, are none."""

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
"""What the model weighs beside the letters, in the order of the columns of `read`."""


class Reading(NamedTuple):
    """Texts as the model sees them.

    Attributes:
        features: A row a text, a column a name of `FEATURES`.
        coverage: Of each text, the share of the content words, emoji and emoticons that a lexicon knows; 0 where there
            are none.
    """

    features: np.ndarray
    coverage: np.ndarray


class Phrases(NamedTuple):
    """The expressions of several words found.

    Attributes:
        starts: The position of the first word of each.
        tones: The tone of each.
        inside: Of each token, whether it is a word of one: no other rule looks at it.
    """

    starts: list[int]
    tones: list[float]
    inside: np.ndarray


class Negations(NamedTuple):
    """The negations found.

    Attributes:
        starts: The position of each.
        turned: Of each token, whether one turns its tone.
    """

    starts: list[int]
    turned: np.ndarray


class Tones(NamedTuple):
    """The tones found, in the order of the tokens.

    Attributes:
        positions: Where each stands.
        values: By all lexicons.
        own: By the project's alone; 0 where it has none.
    """

    positions: np.ndarray
    values: np.ndarray
    own: np.ndarray


def read(batch: Batch) -> Reading:
    """The features of each text of a batch, and how much of it the lexicons know."""
    known = batch.known
    phrases = find_phrases(batch)
    # The words that the rules look at one by one.
    free = (known["kind"] == Kind.WORD) & ~phrases.inside
    negations = find_negations(batch, free)
    factors = np.where(negations.turned, NEGATED, 1.0)
    factors *= nearest_before(np.where(free, known["degree"], 0), DEGREE_REACH, batch)
    factors *= nearest_before(np.where(free & known["shifter"], SHIFTED, 0), SHIFT_REACH, batch)
    factors[~free] = 1
    contrasts = last_contrasts(batch, free)
    tones = find_tones(batch, phrases, negations, free, factors)
    tones = weigh_contrast(tones, contrasts[batch.texts[tones.positions]])
    tones = turn_irony(tones, batch, free)
    # Each word of an expression, each emoji and emoticon counts as a known word.
    counted = (phrases.inside & known["counted"]) | ((known["kind"] == Kind.MARK) & known["known"])
    words = _sum(batch, counted | (free & known["content"]))
    known_words = _sum(batch, counted | (free & known["known"]))
    count = np.maximum(words, 1)
    columns = {
        **tone_features(batch, tones, count),
        **inferred_features(batch, free, factors),
        **mark_features(batch),
        **word_features(batch, free),
        "negations": np.minimum(np.bincount(batch.texts[negations.starts], minlength=len(count)), 2) / 2,
        "contrast": contrasts >= 0,
        "length": np.log1p(count) / 3,
        "unknown words": 1 - known_words / count,
    }
    return Reading(np.column_stack([columns[name] for name in FEATURES]).astype("float64"), known_words / count)


def tone_features(batch: Batch, tones: Tones, words: np.ndarray) -> dict[str, np.ndarray]:
    """What the tones found add up to in each text.

    Args:
        batch: The tokens.
        tones: Those found.
        words: Of each text, how many words it has, at least 1.
    """
    count, of_text = len(batch.ends), batch.texts[tones.positions]
    positive, negative = _sides(tones.values, of_text, count)
    own_positive, own_negative = _sides(tones.own, of_text, count)
    praise, blame, root = _saturate(positive), _saturate(negative), np.sqrt(words + 1)
    emoji = batch.known["kind"][tones.positions] == Kind.MARK
    happy = np.bincount(of_text, np.where(emoji, np.maximum(tones.own, 0), 0), count)
    last = np.zeros(count)
    last[of_text] = tones.values
    return {
        "positive": praise,
        "negative": blame,
        "most positive": _highest(np.maximum(tones.values, 0), of_text, count),
        "most negative": _highest(np.maximum(-tones.values, 0), of_text, count),
        "positive a word": positive / root,
        "negative a word": negative / root,
        "last": last,
        "net": _saturate(positive - negative),
        "own positive": _saturate(own_positive),
        "own negative": _saturate(own_negative),
        "no listed word": np.bincount(of_text, minlength=count) == 0,
        "mixed": praise * blame,
        "happy emoji beside blame": _saturate(happy) * blame,
    }


def inferred_features(batch: Batch, free: np.ndarray, factors: np.ndarray) -> dict[str, np.ndarray]:
    """What the inferred tones, which many more words have, add up to in each text."""
    count = len(batch.ends)
    chosen = np.flatnonzero(free & ~np.isnan(batch.known["inferred"]))
    of_text, values = batch.texts[chosen], batch.known["inferred"][chosen] * factors[chosen]
    words = np.bincount(of_text, minlength=count)
    good, bad = np.maximum(values - TONELESS, 0), np.maximum(-values - TONELESS, 0)
    return {
        "inferred mean": np.bincount(of_text, values, count) / np.maximum(words, 1),
        "inferred positive": np.bincount(of_text, good, count) / 2,
        "inferred negative": np.bincount(of_text, bad, count) / 2,
        "inferred highest": _highest(values, of_text, count),
        "inferred lowest": -_highest(-values, of_text, count),
    }


def mark_features(batch: Batch) -> dict[str, np.ndarray]:
    """Punctuation, spelling, links, mentions and hashtags of each text, each from 0 to 1."""
    known = batch.known

    def share(values: np.ndarray, most: int) -> np.ndarray:
        return np.minimum(_sum(batch, values != 0, values), most) / most

    links, users = known["kind"] == Kind.LINK, known["kind"] == Kind.USER
    return {
        "exclamation": share(known["exclamations"], 3),
        "question": share(known["questions"], 2),
        "ellipsis": share(known["ellipsis"], 1),
        "quotes": share(known["quote"], 2),
        "capitals": share(known["capitals"], 4),
        "stretched": share(known["stretched"], 1),
        "link": share(links, 1),
        "mentions": share(users, 3),
        "reply": _of_first(batch, users),
        "hashtags": np.minimum(batch.hashtags, 4) / 4,
        "numbers": share(known["number"], 3),
        "retweet": _of_first(batch, known["retweet"]),
    }


def word_features(batch: Batch, free: np.ndarray) -> dict[str, np.ndarray]:
    """How many words of some kinds each text has, each from 0 to 1."""

    def share(name: str, most: int) -> np.ndarray:
        return np.minimum(_sum(batch, free & (batch.known[name] != 0)), most) / most

    return {
        "degrees": share("degree", 2),
        "first person": share("first_person", 2),
        "second person": share("second_person", 2),
        "duty": share("duty", 1),
    }


def find_phrases(batch: Batch) -> Phrases:
    """The project's expressions of several words, the first and longest that begins at a word."""
    known, tails = batch.known, expressions()
    starts, tones = [], []
    inside = np.zeros(len(batch.rows), bool)
    begins = np.flatnonzero(known["opens"][:-1] & known["continues"][1:])
    after = 0
    for at, stop in zip(begins.tolist(), batch.ends[batch.texts[begins]].tolist(), strict=True):
        if at < after:
            continue
        for tail, tone in tails[batch.keys[batch.rows[at]]]:
            end = at + 1 + len(tail)
            if end <= stop and [batch.keys[row] for row in batch.rows[at + 1 : end]] == tail:
                starts.append(at)
                tones.append(tone)
                inside[at:end] = True
                after = end
                break
    inside &= known["kind"] == Kind.WORD
    return Phrases(starts, tones, inside)


def find_negations(batch: Batch, free: np.ndarray) -> Negations:
    """What a negation turns: the tokens after it as far as it reaches, up to "mais" or the end of the sentence.

    "ne" turns from itself on if a "pas" closes it; "ne ... que" and "pas seulement" turn nothing.
    """
    found = batch.known["role"]
    roles = found.astype(np.uint8).tobytes()
    events = np.flatnonzero((found >= Role.NE) & (free | (found == Role.END)))
    starts = []
    turned = np.zeros(len(found), bool)
    last = -1
    for at, stop in zip(events.tolist(), batch.ends[batch.texts[events]].tolist(), strict=True):
        role = roles[at]
        if role == Role.NE:
            closing = _closing(roles, at, stop)
            if closing:
                starts.append(at)
                turned[at + 1 : last + 1] = False
                last = min(closing + NEGATION_REACH, stop - 1)
                turned[at + 1 : last + 1] = True
        elif role in (Role.NEGATION, Role.SHORT_NEGATION):
            if at > last:
                starts.append(at)
            if at + 1 < stop and roles[at + 1] == Role.RESTRICTION:
                turned[at : last + 1] = False
                last = -1
            else:
                reach = SHORT_REACH if role == Role.SHORT_NEGATION else NEGATION_REACH
                last = max(last, min(at + reach, stop - 1))
                turned[at + 1 : last + 1] = True
        elif at <= last:
            turned[at : last + 1] = False
            last = -1
    return Negations(starts, turned)


def _closing(roles: bytes, at: int, stop: int) -> int:
    """Where the "pas" of the "ne" at this position stands; 0 if it has none."""
    for position in range(at + 1, min(at + 1 + NE_REACH, stop)):
        role = roles[position]
        if role in (Role.NEGATION, Role.SHORT_NEGATION, Role.PLUS):
            return position
        if role in (Role.RESTRICTION, Role.END):
            break
    return 0


def nearest_before(factors: np.ndarray, reach: int, batch: Batch) -> np.ndarray:
    """The factor that each token takes from the nearest word before it that has one, in its clause and within reach.

    Args:
        factors: Of each token, what it multiplies those after it by; 0 for most, which leave them as they are.
        reach: How many tokens.
        batch: The tokens.

    Returns:
        Of each token, the factor taken; 1 for most.
    """
    taken = np.ones(len(factors))
    givers = np.flatnonzero(factors)
    clauses = _clauses(batch)
    for distance in range(reach, 0, -1):
        near = givers[givers + distance < len(factors)]
        near = near[clauses[near] == clauses[near + distance]]
        taken[near + distance] = factors[near]
    return taken


def _clauses(batch: Batch) -> np.ndarray:
    """The number of each token's clause: a text begins one, and so does a mark that ends a sentence or part of it."""
    begins = batch.known["role"] == Role.END
    begins[np.flatnonzero(np.diff(batch.texts, prepend=-1))] = True
    return np.cumsum(begins)


def last_contrasts(batch: Batch, free: np.ndarray) -> np.ndarray:
    """Of each text, the position of its last "mais"; -1 where there is none."""
    found = np.full(len(batch.ends), -1)
    positions = np.flatnonzero(free & (batch.known["role"] == Role.CONTRAST))
    found[batch.texts[positions]] = positions
    return found


def weigh_contrast(tones: Tones, contrasts: np.ndarray) -> Tones:
    """The tones, those before the last "mais" of their text weaker and those after it stronger.

    Args:
        tones: Those found.
        contrasts: Of each tone, the position of the last "mais" of its text; -1 where there is none.
    """
    weights = np.where(tones.positions < contrasts, BEFORE_CONTRAST, AFTER_CONTRAST)
    return tones._replace(values=tones.values * np.where(contrasts < 0, 1.0, weights))


def turn_irony(tones: Tones, batch: Batch, free: np.ndarray) -> Tones:
    """The tones, praise turned where a text has a mark of irony, or thanks for something bad and trails off.

    "Merci pour la hausse des prix..."
    """
    known, of_text = batch.known, batch.texts[tones.positions]
    marks = known["irony"] & (free | (known["kind"] == Kind.MARK))
    blames = np.bincount(of_text, tones.values < 0, len(batch.ends))
    thanks = _sum(batch, free & known["thanks"]) * _sum(batch, known["ellipsis"]) * blames
    ironic = (_sum(batch, marks) + thanks) > 0
    turned = np.where(ironic[of_text] & (tones.values > 0), tones.values * IRONIC, tones.values)
    return tones._replace(values=turned)


def find_tones(batch: Batch, phrases: Phrases, negations: Negations, free: np.ndarray, factors: np.ndarray) -> Tones:
    """The tones of words by what stands before them and by their capitals, of expressions, emoji and emoticons."""
    known = batch.known
    values, own = known["tone"] * factors, known["own"] * factors
    values[known["capitals"]] *= SHOUTED
    values[~free & (known["kind"] == Kind.WORD)] = np.nan
    for at, tone in zip(phrases.starts, phrases.tones, strict=True):
        values[at] = own[at] = tone * NEGATED if tone > 0 and negations.turned[at] else tone
    positions = np.flatnonzero(~np.isnan(values))
    return Tones(positions, values[positions], own[positions])


def _sum(batch: Batch, chosen: np.ndarray, values: np.ndarray | None = None) -> np.ndarray:
    """Of each text, how many of its tokens are chosen, or the sum of their values."""
    return np.bincount(batch.texts[chosen], None if values is None else values[chosen], len(batch.ends))


def _sides(values: np.ndarray, of_text: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Of each text, the sums of the values above and below 0, both as positive numbers."""
    return np.bincount(of_text, np.maximum(values, 0), count), np.bincount(of_text, np.maximum(-values, 0), count)


def _highest(values: np.ndarray, of_text: np.ndarray, count: int) -> np.ndarray:
    """Of each text, the highest of its values; 0 where it has none."""
    found = np.zeros(count)
    if len(values):
        firsts = np.flatnonzero(np.diff(of_text, prepend=-1))
        found[of_text[firsts]] = np.maximum.reduceat(values, firsts)
    return found


def _of_first(batch: Batch, chosen: np.ndarray) -> np.ndarray:
    """Of each text, whether its first token is chosen."""
    found = np.zeros(len(batch.ends), bool)
    firsts = np.flatnonzero(np.diff(batch.texts, prepend=-1))
    found[batch.texts[firsts]] = chosen[firsts]
    return found


def _saturate(values: np.ndarray) -> np.ndarray:
    return values / np.sqrt(values * values + 1)
