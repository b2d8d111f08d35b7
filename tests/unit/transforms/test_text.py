from __future__ import annotations

import hashlib
import hmac
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from election_assets.election import load_election
from election_assets.transforms.text import (
    TextReader,
    clean_text,
    pseudonym,
)

ELECTION = load_election("fr_2022")
KEY = b"a key for tests"
READER = TextReader(ELECTION, KEY)

ZWSP, SHY, BOM, WJ = "\u200b", "\u00ad", "\ufeff", "\u2060"
ZWJ, ZWNJ, VS15, VS16 = "\u200d", "\u200c", "\ufe0e", "\ufe0f"
FAMILY = f"👩{ZWJ}👩{ZWJ}👧{ZWJ}👦"
RAINBOW = f"🏳{VS16}{ZWJ}🌈"
CURLY_RED = f"👩🏽{ZWJ}🦰"
SCOTLAND = "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"
KEYCAP = f"1{VS16}\u20e3"
HEART = f"❤{VS16}"
FRANCE = "🇫🇷"


def hidden(handle: str) -> str:
    return "@" + hmac.new(KEY, handle.lower().encode(), hashlib.sha256).hexdigest()[:10]


@pytest.mark.parametrize(
    ("received", "cleaned"),
    [
        ("", ""),
        ("L’école, c’est l'avenir : été, œuvre, Noël…", "L’école, c’est l'avenir : été, œuvre, Noël…"),
        ("a &amp; b &lt;3 &quot;oui&quot; d&#39;accord &eacute;", 'a & b <3 "oui" d\'accord é'),
        ("&amp;lt; &amp;amp;", "&lt; &amp;"),
        ("&#x1F600; &#8203;&#233;", "😀 é"),
        ("R&D, AT&T; &notit; &copy=1 &inconnu;", "R&D, AT&T; &notit; &copy=1 &inconnu;"),
        ("&#0;&#xD800;&#9999999;", "\ufffd\ufffd\ufffd"),
        ("e\u0301te\u0301", "été"),
        (f"e{ZWSP}\u0301", "é"),
        ("e&#769;", "é"),
        (f"Ma{SHY}cron{ZWSP} {BOM}{WJ}oui\u202e\u202anon\u2066\u2069\u200f", "Macron ouinon"),
        ("a\x00b\x07c\x1b[0m\x7f\x9f", "abc[0m"),
        ("un\r\ndeux\rtrois\u2028quatre\u0085cinq\n\nsix\tsept", "un\ndeux\ntrois\nquatre\ncinq\n\nsix sept"),
        (f"a{ZWJ}b c{ZWNJ}d e{VS16} {ZWJ}", "ab cd e "),
        (f"😀{ZWJ}a {ZWJ}😀", "😀a 😀"),
        (f"😀{ZWSP}{ZWJ}😀", "😀😀"),
        (f"😀{ZWNJ}😀", f"😀{ZWNJ}😀"),
        ("a\U000e0067\U000e007fb", "ab"),
        ("\ud83d seul", "\ufffd seul"),
        ("10\u00a0000\u202f€ !", "10\u00a0000\u202f€ !"),
        ("\u212a", "K"),
        *(
            (emoji, emoji)
            for emoji in (FAMILY, RAINBOW, CURLY_RED, SCOTLAND, KEYCAP, HEART, FRANCE, f"☎{VS15}", "👍🏿")
        ),
    ],
)
def test_a_cleaned_text_keeps_what_a_reader_sees(received: str, cleaned: str) -> None:
    assert clean_text(received) == cleaned


NASTY = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from(
            "éÉàœ'’@＠#＃&;/:. \n\r\t"
            + ZWSP
            + ZWJ
            + ZWNJ
            + VS15
            + VS16
            + BOM
            + "\u20e31️😀❤🏴\U000e0067\U000e007f🇫\u0301\u2329"
        ),
    )
)
PIECES = st.lists(
    st.sampled_from(
        ["@jean_d", "@MLP_officiel", "#LePen", "https://t.co/aB1", "http://", "&amp;", "&lt;", "RT ", " ", "l'", "é",
         "e\u0301", FAMILY, KEYCAP, SCOTLAND, ZWJ, "49.3", "Le Pen", "…", "\r\n", "jean@exemple.fr", "-", "_", "\ud800"]
    )
).map("".join)  # fmt: skip


@given(NASTY | PIECES)
def test_any_text_is_read(received: str) -> None:
    found = READER.read(received)
    for text in (clean_text(received), found.text, found.text_plain, *found.hashtags):
        assert unicodedata.is_normalized("NFC", text)
        assert all(c == "\n" or unicodedata.category(c) not in ("Cc", "Cs") for c in text)
        text.encode()
    assert found.characters == len(found.text)
    assert found.words == len(found.text_plain.split())
    assert " ".join(found.text_plain.split()) == found.text_plain
    assert len(set(found.hashtags)) == len(found.hashtags)
    assert all(mention in found.text for mention in found.mentions)


@given(NASTY | PIECES)
def test_cleaning_a_cleaned_text_changes_nothing(received: str) -> None:
    # Entities are decoded once, so a text that still holds one is not its own cleaned text.
    once = clean_text(received.replace("&", "+"))
    assert clean_text(once) == once


@given(st.text("éèêëàâäùûüïîôöçœæÉÈÀÇŒ’' -!?€«»", min_size=1))
def test_accents_survive(text: str) -> None:
    assert clean_text(unicodedata.normalize("NFD", text)) == text
    letters = [c for c in text if c.isalpha()]
    assert [c for c in READER.read(text).text_plain if c.isalpha()] == letters


@pytest.mark.parametrize(
    ("received", "text", "mentions"),
    [
        ("@Jean_D bonjour", f"{hidden('jean_d')} bonjour", [hidden("jean_d")]),
        ("@jean_d et @JEAN_D", f"{hidden('jean_d')} et {hidden('jean_d')}", [hidden("jean_d")]),
        (".@a (@b) d'@d", f".{hidden('a')} ({hidden('b')}) d'{hidden('d')}", [hidden("a"), hidden("b"), hidden("d")]),
        ("RT@a: RT @b: rt", f"RT{hidden('a')}: RT {hidden('b')}: rt", [hidden("a"), hidden("b")]),
        ("＠jean_d", hidden("jean_d"), [hidden("jean_d")]),
        (f"@{ZWSP}jean_d", hidden("jean_d"), [hidden("jean_d")]),
        ("&#64;jean_d", hidden("jean_d"), [hidden("jean_d")]),
        ("@EmmanuelMacron et @mlp_OFFICIEL", "@EmmanuelMacron et @mlp_OFFICIEL", ["@EmmanuelMacron", "@mlp_OFFICIEL"]),
        ("@EmmanuelMacron @emmanuelmacron", "@EmmanuelMacron @emmanuelmacron", ["@EmmanuelMacron"]),
        ("écrire à jean.dupont@exemple.fr", "écrire à jean.dupont@exemple.fr", []),
        ("https://exemple.fr/@jean_d/1 @https://exemple.fr", "https://exemple.fr/@jean_d/1 @https://exemple.fr", []),
        ("https://t.co/a1 @b https://t.co/c2", f"https://t.co/a1 {hidden('b')} https://t.co/c2", [hidden("b")]),
        ("@Mélenchon @abcdefghijklmnop @ a@ @@b @q\u0302", "@Mélenchon @abcdefghijklmnop @ a@ @@b @q\u0302", []),
        ("@abcdefghijklmno", hidden("abcdefghijklmno"), [hidden("abcdefghijklmno")]),
    ],
)  # fmt: skip
def test_mentions_become_pseudonyms(received: str, text: str, mentions: list[str]) -> None:
    found = READER.read(received)
    assert (found.text, found.mentions) == (text, mentions)


def test_no_handle_is_left_of_those_mentioned() -> None:
    found = READER.read("RT @Une_Personne: merci @une_personne et @autre !")
    assert not any("personne" in value.lower() for value in (found.text, found.text_plain, *found.mentions))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("#LePen #Élysée2022, #lepen.", ["lepen", "élysée2022"]),
        ("＃Débat #2022 #1er #_ #a_b #-", ["débat", "1er", "a_b"]),
        ("a#non &#non x_#non (#oui) #oui2#non", ["oui", "oui2"]),
        ("https://exemple.fr/#ancre", []),
        (KEYCAP.replace("1", "#") + "abc #\u20e3abc", []),
        ("#L’Europe", ["l"]),
        ("#J\u030cx", ["\u01f0x"]),
        ("#E\u0301COLE #ąq\u0302a", ["école", "ąq\u0302a"]),
    ],
)
def test_hashtags_follow_the_rule_of_x(text: str, expected: list[str]) -> None:
    assert READER.read(text).hashtags == expected


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("https://t.co/aB1 HTTP://exemple.fr/x?y=1&z=2.", 2),
        ("(https://exemple.fr)«https://t.co/a»", 2),
        ("t.co/aB1 mais pas at.co/x", 1),
        ("coupé https://…", 1),
        ("http et https : rien", 0),
    ],
)
def test_links_are_counted(text: str, count: int) -> None:
    assert READER.read(text).link_count == count


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("L'école d’été : l’avenir !", "L’école d’été l’avenir"),
        ("Jean-Luc Mélenchon, a-t-il dit – non ?", "Jean-Luc Mélenchon a-t-il dit non"),
        ("Jean\u2011Luc", "Jean-Luc"),
        ("Le 49.3, 12,5 % et 1789-1799", "Le 49.3 12,5 et 1789-1799"),
        ("Oui #LePen #a_b _mot_ 'cité'", "Oui LePen a_b mot cité"),
        ("RT @jean_d: merci @MLP_officiel https://t.co/aB1 !", "merci"),
        (f"😀{HEART}ok {KEYCAP} {FRANCE}{FAMILY}", "ok"),
        ("écrire à jean.d@exemple.fr svp", "écrire à svp"),
        ("la suite https://t.c… ou htt…", "la suite ou"),
        ("un\ndeux\n\ntrois\u00a0quatre", "un deux trois quatre"),
        ("... !!! 😀", ""),
    ],
)
def test_plain_text_is_words(text: str, plain: str) -> None:
    found = READER.read(text)
    assert found.text_plain == plain
    assert found.words == len(plain.split())


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Rien du tout", []),
        ("MACRON et Zemmour", ["macron", "zemmour"]),
        ("zemmour puis d'Arthaud", ["arthaud", "zemmour"]),
        ("Marine Le Pen", ["le-pen"]),
        ("Le, Pen… LE PEN", ["le-pen"]),
        ("marine lepen", ["le-pen"]),
        ("le stylo, pen ; Lepenser ; macronisme", []),
        ("MLP ou JLM ?", ["le-pen", "melenchon"]),
        ("Me\u0301lenchon, 𝐌𝐚𝐜𝐫𝐨𝐧", ["macron", "melenchon"]),
        ("Jean-Luc Melenchon", ["melenchon"]),
        ("@EmmanuelMacron @n_arthaud", ["arthaud", "macron"]),
        ("@Macron_fan @Roussel_75 @macron", []),
        ("#LePen #Macron2022", ["le-pen", "macron"]),
        ("#lepen2022 #macron_2022 #JLM2022", ["le-pen", "macron", "melenchon"]),
        ("#JeVoteZemmour #ToutSaufLePen #MarineLePenPresidente", ["le-pen", "zemmour"]),
        ("#MLPrésidente2022 #emmanuelmacron", ["macron"]),
        ("#lepenser #macronie", []),
        ("https://exemple.fr/macron", []),
        (f"Ma{ZWSP}cron &amp; Jadot", ["jadot", "macron"]),
    ],
)
def test_candidates_are_named_on_word_boundaries(text: str, named: list[str]) -> None:
    assert READER.read(text).named_candidates == named


def test_authors_are_pseudonyms_of_the_id_or_else_of_the_name() -> None:
    assert READER.author("12") == pseudonym(KEY, "id:12", digits=16)
    assert READER.author("12", "Jean_D") == READER.author("12")
    assert READER.author("", "Jean_D") == READER.author(None, "jean_d") == pseudonym(KEY, "name:jean_d", digits=16)
    assert READER.author("", "") is READER.author(None) is None
    assert READER.author("12") != TextReader(ELECTION, b"another key").author("12")


def test_a_pseudonym_is_the_start_of_an_hmac() -> None:
    # RFC 4231, test case 2.
    assert pseudonym(b"Jefe", "what do ya want for nothing?", digits=16) == "5bdcc146bf60754e"


def test_an_empty_key_is_refused() -> None:
    with pytest.raises(ValueError, match="key"):
        TextReader(ELECTION, b"")


@pytest.mark.parametrize(
    "unit", ["a", "1.", "a.", "http://", "htt", "RT ", "#1", "@a", "&amp", "😀\u200d", "’", "é’", "1\ufe0f"]
)
def test_a_very_long_text_is_read(unit: str) -> None:
    found = READER.read(f"#début {unit * 20_000} #fin")
    assert found.hashtags[0] == "début"
    assert found.hashtags[-1] == "fin"
