"""The rules of French tone over many texts at once: each a function over their tokens, together the model's features.

Positions count the tokens of a whole batch; no rule reaches from one text into another.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from election_assets.transforms.sentiment.tokens import A_LITTLE_PAIR, TONELESS, Batch, Kind, Role, expressions

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
"""Tokens after such a word that are its object at most; a comma, "est", "qui" and their like end it before."""

FIGHT_REACH = 3
"""Tokens in which "lutte" or "loi" finds its "contre"."""

RECEDE_REACH = 3
"""Tokens before "recule" or "baisse" that hold its subject: "le chômage a enfin baissé"."""

DEGREE_REACH = 2
"""Tokens after an intensifier that it weighs: "très bon", "très très bon"."""

A_LITTLE = 0.7
"""Weight of what follows "un peu", which alone would turn like "peu"."""

BEFORE_CONTRAST, AFTER_CONTRAST = 0.6, 1.2
"""Weights of what stands before and after "mais"."""

IRONIC = -0.5
"""What is left of praise in a text with a mark of irony."""

THANKS_REACH = 6
"""Tokens after thanks that may hold what they are for: "merci au gouvernement pour la hausse"."""

AGAIN_REACH = 5
"""Tokens before ", encore un" that may hold praise, and after it that may hold blame: "bravo, encore un échec"."""

ASKED = 0.4
"""What is left of praise in a question: "qui va gagner ?"."""

SHOUTED = 1.2
"""Weight of a word in capitals."""

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
        turns: Of each, whether a negation before it turns it.
        inside: Of each token, whether it is a word of one: no other rule looks at it.
    """

    starts: list[int]
    tones: list[float]
    turns: list[bool]
    inside: np.ndarray


class Negations(NamedTuple):
    """The negations found.

    Attributes:
        starts: The position of each.
        turned: Of each token, whether one turns its tone.
    """

    starts: list[int]
    turned: np.ndarray


class Scope(NamedTuple):
    """What stands before each token does to its tone.

    Attributes:
        factors: What negations and intensifiers multiply it by.
        shifts: What else a negative one is multiplied by, unless it is an insult.
        praise: What else a positive one is.
        silent: Whether the token says nothing of what the author thinks.
    """

    factors: np.ndarray
    shifts: np.ndarray
    praise: np.ndarray
    silent: np.ndarray

    def weigh(self, tones: np.ndarray, insults: np.ndarray) -> np.ndarray:
        """The tones, a value a token, as they are here; NaN for none."""
        good, bad = tones > 0, (tones < 0) & ~insults
        found = tones * self.factors * np.where(bad, self.shifts, np.where(good, self.praise, 1.0))
        found[self.silent] = np.nan
        return found


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
    roles = np.where(phrases.inside, Role.NONE, find_roles(batch))
    negations = find_negations(batch, free, roles)
    clauses = number_clauses(batch, roles == Role.END)
    objects = number_clauses(batch, (roles == Role.END) | (known["role"] == Role.COMMA) | known["object_end"])
    degrees = np.where(free, find_degrees(batch), 0)
    scope = find_scope(batch, free, negations, degrees, clauses, objects)
    contrasts = last_contrasts(batch, free)
    tones = find_tones(batch, phrases, negations, free, scope)
    tones = weigh_contrast(tones, contrasts[batch.texts[tones.positions]])
    tones = turn_irony(tones, batch, free, objects)
    # Each word of an expression, each emoji and emoticon counts as a known word.
    marks = (known["kind"] == Kind.MARK) & known["counted"]
    counted = phrases.inside & known["counted"]
    words = _sum(batch, counted | marks | (free & known["content"]))
    known_words = _sum(batch, counted | (marks & known["known"]) | (free & known["known"]))
    count = np.maximum(words, 1)
    columns = {
        **tone_features(batch, tones, count),
        **inferred_features(batch, free, scope),
        **mark_features(batch),
        **word_features(batch, free),
        "degrees": np.minimum(_sum(batch, degrees != 0), 2) / 2,
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


def inferred_features(batch: Batch, free: np.ndarray, scope: Scope) -> dict[str, np.ndarray]:
    """What the inferred tones, which many more words have, add up to in each text."""
    count = len(batch.ends)
    tones = scope.weigh(batch.known["inferred"], batch.known["insult"])
    chosen = np.flatnonzero(free & ~np.isnan(tones))
    of_text, values = batch.texts[chosen], tones[chosen]
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
        "first person": share("first_person", 2),
        "second person": share("second_person", 2),
        "duty": share("duty", 1),
    }


def find_phrases(batch: Batch) -> Phrases:
    """The project's expressions of several words, the first and longest that begins at a word."""
    known, found = batch.known, expressions()
    starts, tones, turns = [], [], []
    inside = np.zeros(len(batch.rows), bool)
    pairs = found.pairs[known["opens"][:-1], known["continues"][1:]]
    begins = np.flatnonzero(pairs)
    rows, keys = batch.rows.tolist(), batch.keys
    after = 0
    for at, pair, stop in zip(
        begins.tolist(), pairs[begins].tolist(), batch.ends[batch.texts[begins]].tolist(), strict=True
    ):
        if at < after:
            continue
        lengths, rests = found.beginnings[pair]
        for length in lengths:
            end = at + 2 + length
            expression = rests.get(tuple([keys[row] for row in rows[at + 2 : end]])) if end <= stop else None
            if expression:
                starts.append(at)
                tones.append(expression.tone)
                turns.append(expression.turns)
                inside[at:end] = True
                after = end
                break
    inside &= known["kind"] == Kind.WORD
    return Phrases(starts, tones, turns, inside)


def find_roles(batch: Batch) -> np.ndarray:
    """What each token does to the scope of a negation where it stands.

    A comma ends a clause where another begins after it. "une personne" is no negation, "tout sauf" and "loin
    d'être" are.
    """
    known = batch.known
    roles = known["role"].copy()
    commas = np.flatnonzero(roles[:-1] == Role.COMMA)
    roles[commas[known["subject"][commas + 1]]] = Role.END
    persons = np.flatnonzero(roles == Role.NOBODY)
    before, farther = np.maximum(persons - 1, 0), np.maximum(persons - 2, 0)
    nouns = known["determiner"][before] | (known["determiner"][farther] & known["content"][before])
    roles[persons[nouns & (batch.texts[before] == batch.texts[persons])]] = Role.NONE
    for at in np.flatnonzero(roles == Role.PART).tolist():
        begin, end = max(at - 1, 0), min(at + 3, batch.ends[batch.texts[at]])
        words = [batch.keys[row] for row in batch.rows[begin:end].tolist()]
        if words[:2] == ["tout", "sauf"] or words[-3:] == ["loin", "d'", "être"]:
            roles[at] = Role.SHORT
    return roles


def find_negations(batch: Batch, free: np.ndarray, roles: np.ndarray) -> Negations:
    """What a negation turns: the tokens after it as far as it reaches, up to "mais" or the end of the clause.

    "ne" turns from itself on if a "pas" closes it, or "personne" goes before it; "ne ... que" and "pas seulement" turn
    nothing. A comparison after "jamais", "rien", "personne", "aucun" or "y a pas" says the utmost and is not turned.

    Args:
        batch: The tokens.
        free: Of each token, whether the rules look at it.
        roles: Of each token, its `Role` where it stands.
    """
    codes = roles.astype(np.uint8).tobytes()
    events = np.flatnonzero((roles >= Role.PLUS) & (free | (roles == Role.END)))
    starts = []
    turned = np.zeros(len(roles), bool)
    last, utmost = -1, False
    for at, stop in zip(events.tolist(), batch.ends[batch.texts[events]].tolist(), strict=True):
        role = codes[at]
        if role == Role.NE:
            closing = _closing(codes, at, stop)
            if closing:
                starts.append(at)
                turned[at + 1 : last + 1] = False
                last = min(closing + NEGATION_REACH, stop - 1)
                turned[at + 1 : last + 1] = True
                utmost = _is_utmost(batch, codes, closing)
            elif at <= last:
                last = min(at + NEGATION_REACH, stop - 1)
                turned[at + 1 : last + 1] = True
        elif role in _NEGATIONS:
            if at > last:
                starts.append(at)
            if at + 1 < stop and codes[at + 1] == Role.RESTRICTION:
                turned[at : last + 1] = False
                last = -1
            else:
                utmost = _is_utmost(batch, codes, at)
                reach = SHORT_REACH if role in (Role.SHORT, Role.NO) else NEGATION_REACH
                last = max(last, min(at + reach, stop - 1))
                turned[at + 1 : last + 1] = True
        elif at <= last and (utmost or role >= Role.CONTRAST):
            turned[at : last + 1] = False
            last = -1
    return Negations(starts, turned)


_NEGATIONS = (Role.NEGATION, Role.TOTAL, Role.NOBODY, Role.SHORT, Role.NO)
_UTMOST = (Role.TOTAL, Role.NOBODY, Role.NO)


def _is_utmost(batch: Batch, roles: bytes, at: int) -> bool:
    """Whether a comparison after the negation at this position says the utmost."""
    return roles[at] in _UTMOST or (roles[at] == Role.NEGATION and at > 1 and batch.keys[batch.rows[at - 2]] == "y")


_CLOSINGS = (*_NEGATIONS, Role.PLUS, Role.CLOSING)


def _closing(roles: bytes, at: int, stop: int) -> int:
    """Where the "pas" of the "ne" at this position stands; 0 if it has none."""
    for position in range(at + 1, min(at + 1 + NE_REACH, stop)):
        role = roles[position]
        if role in _CLOSINGS:
            return position
        if role in (Role.RESTRICTION, Role.END):
            break
    return 0


def find_degrees(batch: Batch) -> np.ndarray:
    """The factor of each intensifier; 0 for any other word. "un peu" only weakens, "au moins" does nothing."""
    known = batch.known
    degrees = known["degree"].copy()
    second = known["after_degree"]
    paired = np.flatnonzero((second[1:] > 0) & (second[1:] == known["before_degree"][:-1])) + 1
    degrees[paired] = np.where(second[paired] == A_LITTLE_PAIR, A_LITTLE, 0)
    return degrees


def find_scope(
    batch: Batch,
    free: np.ndarray,
    negations: Negations,
    degrees: np.ndarray,
    clauses: np.ndarray,
    objects: np.ndarray,
) -> Scope:
    """What stands before each token does to its tone.

    Args:
        batch: The tokens.
        free: Of each token, whether the rules look at it.
        negations: Those found.
        degrees: Of each token, the factor of the intensifier that it is; 0 for most.
        clauses: Of each token, the number of its clause.
        objects: The same, where the object of a verb counts as a clause of its own.
    """
    known = batch.known
    factors = np.where(negations.turned, NEGATED, 1.0)
    factors *= nearest_before(degrees, DEGREE_REACH, clauses)
    factors[~free] = 1
    fights = nearest_before(known["fight"] * 2.0, FIGHT_REACH, objects) > 1
    shifters = (free & known["shifter"]) | (known["against"] & fights)
    shifts = nearest_before(np.where(shifters, SHIFTED, 0), SHIFT_REACH, objects)
    silent = reported(batch)
    receding, subjects = find_receding(batch, free, clauses)
    shifts[subjects] = SHIFTED
    silent[receding] = True
    # "le recul de la pauvreté" is no loss.
    bad = (known["tone"] < 0) & ~known["insult"] & (shifts < 0)
    silent |= known["recedes"] & shifters & (nearest_before(bad[::-1] * 2.0, RECEDE_REACH, -objects[::-1])[::-1] > 1)
    return Scope(factors, shifts, np.where(find_asked(batch, clauses), ASKED, 1.0), silent)


def find_receding(batch: Batch, free: np.ndarray, clauses: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The positions of verbs that say that something bad grows less, and of what does: "le chômage a baissé"."""
    known = batch.known
    bad = free & (known["tone"] < 0) & ~known["insult"] & ~known["recedes"]
    verbs = np.flatnonzero(free & known["recedes"])
    receding, subjects = [], []
    for distance in range(1, RECEDE_REACH + 1):
        verbs = verbs[verbs >= distance]
        near = verbs[bad[verbs - distance] & (clauses[verbs - distance] == clauses[verbs])]
        receding.append(near)
        subjects.append(near - distance)
        verbs = verbs[known["auxiliary"][verbs - distance]]
    return np.concatenate(receding), np.concatenate(subjects)


def find_asked(batch: Batch, clauses: np.ndarray) -> np.ndarray:
    """Of each token, whether its clause asks for something: it holds "qui", "quel" or their like, and ends with "?"."""
    known = batch.known
    marks = np.flatnonzero(known["questions"])
    marks = marks[marks > 0]
    # A mark that ends a clause is counted to the next one.
    ended = marks[batch.texts[marks - 1] == batch.texts[marks]] - 1
    asked = np.zeros(clauses[-1] + 2 if len(clauses) else 1, bool)
    asked[clauses[np.flatnonzero(known["asks"])]] = True
    questions = np.zeros_like(asked)
    questions[clauses[ended]] = True
    return (asked & questions)[clauses]


def reported(batch: Batch) -> np.ndarray:
    """Of each token, whether it is in a quotation that the text asks about: "« Une honte » : que s'est-il passé ?"."""
    known, found = batch.known, np.zeros(len(batch.rows), bool)
    closings = np.flatnonzero(known["quote"][:-1])
    closings = closings[known["colon"][closings + 1]]
    for closing in closings.tolist():
        text = batch.texts[closing]
        begin, end = batch.ends[text - 1] if text else 0, batch.ends[text]
        quotes = np.flatnonzero(known["quote"][begin:closing])
        if len(quotes) and known["questions"][closing:end].any():
            found[begin + quotes[-1] : closing] = True
    return found


def nearest_before(factors: np.ndarray, reach: int, clauses: np.ndarray) -> np.ndarray:
    """The factor that each token takes from the nearest word before it that has one, in its clause and within reach.

    Args:
        factors: Of each token, what it multiplies those after it by; 0 for most, which leave them as they are.
        reach: How many tokens.
        clauses: Of each token, the number of its clause.

    Returns:
        Of each token, the factor taken; 1 for most.
    """
    taken = np.ones(len(factors))
    givers = np.flatnonzero(factors)
    for distance in range(reach, 0, -1):
        near = givers[givers + distance < len(factors)]
        near = near[clauses[near] == clauses[near + distance]]
        taken[near + distance] = factors[near]
    return taken


def number_clauses(batch: Batch, ends: np.ndarray) -> np.ndarray:
    """The number of each token's clause: a text begins one, and so does each mark or word that ends the one before."""
    begins = ends.copy()
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


def turn_irony(tones: Tones, batch: Batch, free: np.ndarray, objects: np.ndarray) -> Tones:
    """The tones, praise turned where a text is ironic.

    It has a mark of irony, or one before its praise ("ben bravo"), or thanks for something bad and trails off ("Merci
    pour la hausse des prix..."), or adds to its praise that something bad happened again ("Bravo, encore un échec").

    Args:
        tones: Those found.
        batch: The tokens.
        free: Of each token, whether the rules look at it.
        objects: Of each token, the number of its clause, the object of a verb being one of its own.
    """
    known, of_text = batch.known, batch.texts[tones.positions]
    ironic = _sum(batch, known["irony"] & (free | (known["kind"] == Kind.MARK))) > 0
    praise, blame = np.zeros(len(free), bool), np.zeros(len(free), bool)
    praise[tones.positions[tones.own > 0]] = True
    blame[tones.positions[tones.values < 0]] = True
    sneers = np.flatnonzero(known["sneer"][:-1] & praise[1:])
    ironic[batch.texts[sneers[batch.texts[sneers] == batch.texts[sneers + 1]]]] = True
    thanked = nearest_before(np.where(free & known["thanks"], 2.0, 0), THANKS_REACH, objects) > 1
    ironic |= (_sum(batch, thanked & blame) > 0) & (_sum(batch, known["ellipsis"]) > 0)
    agains = np.flatnonzero(known["again"][1:-1] & ((known["determiner"] | known["number"])[2:])) + 1
    role = known["role"][agains - 1]
    for at in agains[(role == Role.COMMA) | (role == Role.END)].tolist():
        text = batch.texts[at]
        begin, end = max(at - 1 - AGAIN_REACH, batch.ends[text - 1] if text else 0), batch.ends[text]
        if praise[begin:at].any() and blame[at : min(at + 1 + AGAIN_REACH, end)].any():
            ironic[text] = True
    turned = np.where(ironic[of_text] & (tones.values > 0), tones.values * IRONIC, tones.values)
    return tones._replace(values=turned)


def find_tones(batch: Batch, phrases: Phrases, negations: Negations, free: np.ndarray, scope: Scope) -> Tones:
    """The tones of words by what stands before them and by their capitals, of expressions, emoji and emoticons."""
    known = batch.known
    values, own = scope.weigh(known["tone"], known["insult"]), scope.weigh(known["own"], known["insult"])
    values[known["capitals"]] *= SHOUTED
    values[~free & (known["kind"] == Kind.WORD)] = np.nan
    for at, tone, turns in zip(phrases.starts, phrases.tones, phrases.turns, strict=True):
        if not scope.silent[at]:
            values[at] = own[at] = tone * _of_phrase(tone, turns and negations.turned[at], scope, at)
    positions = np.flatnonzero(~np.isnan(values))
    return Tones(positions, values[positions], own[positions])


def _of_phrase(tone: float, turned: bool, scope: Scope, at: int) -> float:
    """What the tone of an expression is multiplied by."""
    return (NEGATED if turned else 1.0) * float(scope.shifts[at] if tone < 0 else scope.praise[at])


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
