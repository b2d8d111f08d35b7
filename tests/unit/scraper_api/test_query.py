from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from election_assets.election import fold
from scraper_api.query import MAX_DEPTH, QueryError, compile_query, searchable


def tweet(text: str, **fields: object) -> dict:
    return {"id": "1", "text": text, "author_id": "7", "lang": "fr", **fields}


AUTHOR = {"id": "7", "username": "Lectrice_75"}


def matches(query: str, record: dict, **includes: list[dict]) -> bool:
    return compile_query(query)(searchable(record, {"users": [AUTHOR], **includes}))


@pytest.mark.parametrize(
    ("query", "text", "expected"),
    [
        ("pecresse", "Valérie PÉCRESSE à Lyon", True),
        ("Pécresse", "valerie pecresse", True),
        ("pen", "un stylo se dit penna", False),
        ("vote débat", "le débat avant le vote", True),
        ("vote débat", "le débat", False),
        ('"le pen"', "Marine Le Pen", True),
        ('"le pen"', "le grand pen", False),
        ('"pen le"', "Marine Le Pen", False),
        ("l'été", "L’ÉTÉ arrive", True),
        ("Le-Pen", "Marine Le Pen", True),
        ("EmmanuelMacron", "merci @EmmanuelMacron !", True),
        ("macron", "merci @EmmanuelMacron !", False),
        ("macron", "#Macron", True),
        ("#macron", "Macron", False),
        ("#presidentielle2022", "ce soir #Présidentielle2022.", True),
        ("#president", "ce soir #Présidentielle2022.", False),
        ("@emmanuelmacron", "merci @EmmanuelMacron !", True),
        ("@emmanuelmacron", "merci EmmanuelMacron !", False),
        ("@macron", "écrire à jean@macron.fr", False),
        ("amp", "pain &amp; vin", False),
        ('"pain & vin"', "pain &amp; vin", True),
        ("macron OR zemmour", "Zemmour", True),
        ("macron débat OR zemmour", "Zemmour", True),
        ("macron (débat OR zemmour)", "Zemmour", False),
        ("-zemmour macron", "Macron", True),
        ("-zemmour macron", "Macron et Zemmour", False),
        ("débat -(zemmour OR macron)", "le débat", True),
        ("débat -(zemmour OR macron)", "le débat de Macron", False),
        ('débat -"le pen"', "débat Le Pen", False),
        ("débat -#macron -@macron", "débat Macron", True),
        ("lang:FR", "bonjour", True),
        ("lang:en", "bonjour", False),
        ("-lang:en", "bonjour", True),
        ("from:lectrice_75", "bonjour", True),
        ("from:7", "bonjour", True),
        ("from:lectrice", "bonjour", False),
        ("lectrice_75", "bonjour", False),
        ('"or"', "une médaille d'or", True),
    ],
)
def test_a_query_finds_what_x_would_find(query: str, text: str, expected: bool) -> None:
    assert matches(query, tweet(text)) is expected


def test_accents_written_as_combining_marks_match() -> None:
    assert matches("#été", tweet("vive l'#e\N{COMBINING ACUTE ACCENT}te\N{COMBINING ACUTE ACCENT}"))
    assert matches("e\N{COMBINING ACUTE ACCENT}te\N{COMBINING ACUTE ACCENT}", tweet("l'été"))


def test_a_retweet_is_matched_on_the_full_text_of_the_original() -> None:
    original = {"id": "2", "text": "un texte plus long qui finit par #Jadot et @yjadot"}
    retweet = tweet("RT @quelquun: un texte plus…", referenced_tweets=[{"type": "retweeted", "id": "2"}])
    for query in ("jadot", "#jadot", "@yjadot", "@quelquun", "is:retweet", "-is:quote"):
        assert matches(query, retweet, tweets=[original]), query
    assert not matches("-is:retweet jadot", retweet, tweets=[original])
    assert not matches("jadot", retweet, tweets=[])
    assert matches("texte", retweet, tweets=[])


def test_the_text_of_a_quoted_tweet_is_not_the_quoting_one() -> None:
    quote = tweet("regardez", referenced_tweets=[{"type": "quoted", "id": "2"}])
    assert not matches("jadot", quote, tweets=[{"id": "2", "text": "Jadot"}])
    assert matches("is:quote", quote)


def test_a_reply_is_one_by_its_reference_or_its_addressee() -> None:
    assert matches("is:reply", tweet("oui", referenced_tweets=[{"type": "replied_to", "id": "2"}]))
    assert matches("is:reply", tweet("oui", in_reply_to_user_id="9"))
    assert not matches("is:reply", tweet("oui"))


def test_a_long_post_is_matched_beyond_its_cut() -> None:
    assert matches("fin", tweet("début…", note_tweet={"text": "début et fin"}))


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("", "missing before the end at position 1"),
        ("macron OR", "missing before the end at position 10"),
        ("OR macron", "missing before OR at position 1"),
        ("()", "missing before ')' at position 2"),
        ("(macron", "parenthesis at position 1 is never closed"),
        ("macron)", "position 7 was never opened"),
        ('"le pen', "quotation mark at position 1 is never closed"),
        ('""', "no letter or digit"),
        ("🔥", "no keyword"),
        ("macron*", "no keyword"),
        ("a or b", "Ambiguous use of 'or' at position 3"),
        ("- a", "'-' at position 1"),
        ("--a", "'-' at position 1"),
        ("-", "'-' at position 1"),
        ("a - OR b", "'-' at position 3"),
        ("has:links", "'has:' at position 1"),
        ("point_radius:[1 2 3]", "'point_radius:' at position 1"),
        ("is:verified", "not 'verified'"),
        ("lang:français", "not 'français'"),
        ("from:@macron", "not '@macron'"),
        ("#", "no hashtag"),
        ("@nom-composé", "no handle"),
        ("(" * (MAX_DEPTH + 1) + "a" + ")" * (MAX_DEPTH + 1), "nested deeper"),
    ],
)
def test_what_is_not_known_is_named_with_its_position(query: str, message: str) -> None:
    with pytest.raises(QueryError) as error:
        compile_query(query)
    assert message in str(error.value)


@pytest.mark.parametrize(
    "record", [{}, {"text": 3, "referenced_tweets": 5, "author_id": []}, {"lang": {}, "text": None}]
)
def test_malformed_records_can_be_tested(record: dict) -> None:
    assert matches("-macron", record)


VOCABULARY = ["débat", "DEBAT", "Macron", "été", "vote", "n_arthaud"]
PIECES = [*VOCABULARY, "#Été", "#vote", "@Macron", "@n_arthaud", "😀", "!"]

words = st.sampled_from(VOCABULARY)
leaves = st.one_of(
    st.tuples(st.just("phrase"), st.lists(words, min_size=1, max_size=3)),
    st.tuples(st.just("tag"), st.sampled_from(["été", "vote", "débat"])),
    st.tuples(st.just("mention"), st.sampled_from(["macron", "N_arthaud", "autre"])),
    st.tuples(st.just("lang"), st.sampled_from(["fr", "en"])),
    st.tuples(st.just("is"), st.sampled_from(["retweet", "quote", "reply"])),
    st.tuples(st.just("from"), st.sampled_from(["lectrice_75", "LECTRICE_75", "7", "autre"])),
)
queries = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.tuples(st.just("not"), inner),
        st.tuples(st.sampled_from(["and", "or"]), st.lists(inner, min_size=2, max_size=3)),
    ),
    max_leaves=8,
)
records = st.builds(
    lambda pieces, lang, kinds: tweet(
        " ".join(pieces), lang=lang, referenced_tweets=[{"type": kind, "id": "99"} for kind in kinds]
    ),
    st.lists(st.sampled_from(PIECES), max_size=6),
    st.sampled_from(["fr", "en"]),
    st.lists(st.sampled_from(["retweeted", "quoted", "replied_to"]), max_size=2),
)


def written(query: tuple) -> str:
    """The query with no more parentheses than precedence asks for."""
    kind, value = query
    if kind == "phrase":
        return value[0] if len(value) == 1 else f'"{" ".join(value)}"'
    if kind == "not":
        # A negation of a negation needs a group between the two.
        return f"-({written(value)})" if value[0] in ("not", "and", "or") else f"-{written(value)}"
    if kind == "or":
        return " OR ".join(f"({written(part)})" if part[0] == "or" else written(part) for part in value)
    if kind == "and":
        return " ".join(f"({written(part)})" if part[0] in ("or", "and") else written(part) for part in value)
    return {"tag": "#", "mention": "@", "lang": "lang:", "is": "is:", "from": "from:"}[kind] + value


def naive(query: tuple, record: dict) -> bool:
    kind, value = query
    tokens = record["text"].split()
    if kind == "phrase":
        wanted = [fold(word) for word in value]
        bare = [fold(token) for token in tokens if fold(token)]
        return any(bare[start : start + len(wanted)] == wanted for start in range(len(bare)))
    if kind in ("tag", "mention"):
        mark = "#" if kind == "tag" else "@"
        return any(token[0] == mark and fold(token) == fold(value) for token in tokens)
    if kind == "lang":
        return record["lang"] == value
    if kind == "is":
        names = {"retweet": "retweeted", "quote": "quoted", "reply": "replied_to"}
        return any(reference["type"] == names[value] for reference in record["referenced_tweets"])
    if kind == "from":
        return value.lower() in ("lectrice_75", "7")
    if kind == "not":
        return not naive(value, record)
    return (any if kind == "or" else all)(naive(part, record) for part in value)


@given(queries, records)
def test_any_query_agrees_with_a_naive_reading(query: tuple, record: dict) -> None:
    assert matches(written(query), record) is naive(query, record)


@given(st.one_of(st.text(), st.text(alphabet='ab ()"-OR#@:éis.lang')))
def test_any_text_is_a_query_or_a_query_error(text: str) -> None:
    refusal = ""
    try:
        test = compile_query(text)
    except QueryError as error:
        refusal = str(error)
    if refusal:
        assert "position" in refusal
    else:
        assert test(searchable(tweet("bonjour"), {})) in (True, False)
