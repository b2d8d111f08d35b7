"""What is read out of one tweet's text, and the keyed pseudonyms: pure Python on strings, no Spark, no frames."""

from __future__ import annotations

import hashlib
import hmac
import html
import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from html.entities import html5
from typing import NamedTuple

from election_assets.election import Election, fold

MENTION_DIGITS = 10
AUTHOR_DIGITS = 16
APOSTROPHE = "’"
"""The one apostrophe of `text_plain`, which French typography uses; `text` keeps what was written."""

_ENTITY = re.compile(r"&(?:#[0-9]{1,7};|#[xX][0-9A-Fa-f]{1,6};|([A-Za-z][A-Za-z0-9]{1,31};))")
_LINE_BREAK = re.compile("\r\n|[\r\v\f\x85\u2028\u2029]")

# Blocks that hold the emoji of UTS #51, regional indicators and skin tones among them, without the two angle
# brackets (U+2329, U+232A) that NFC turns into CJK ones.
_PICTOGRAPH = (
    "[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u2328\u232b-\u23ff\u24c2\u25a0-\u27bf\u2900-\u297f"
    "\u2b00-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff]"
)
_EMOJI_ELEMENT = (
    f"(?:{_PICTOGRAPH}[\ufe0e\ufe0f]?[\U0001f3fb-\U0001f3ff]?\u20e3?(?:[\U000e0020-\U000e007e]+\U000e007f)?"
    "|[0-9#*]\ufe0f?\u20e3)"
)
_EMOJI = f"{_EMOJI_ELEMENT}(?:[\u200c\u200d]{_EMOJI_ELEMENT})*"

# Control characters but \n, surrogates aside, interlinear annotations, and Unicode's Default_Ignorable_Code_Point
# (DerivedCoreProperties.txt): soft hyphen, joiners, bidirectional controls, byte order mark, selectors, tags ...
_INVISIBLE = (
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff]"
)
_SURROGATE = re.compile("[\ud800-\udfff]")
_HAS_INVISIBLE = re.compile(_INVISIBLE)
_EMOJI_OR_INVISIBLE = re.compile(f"({_EMOJI})|{_INVISIBLE}")

_LINK = re.compile(r"""(?:(?i:https?)://|(?<![\w.@/-])t\.co/(?=\w))(?:[^\s<>"«»“”…]*[^\s<>"«»“”….,;:!?'’)\]}*])?""")
# Marks that no composed letter holds after NFC belong to the letter before them.
_LETTER_OR_MARK = r"[\w\u0300-\u036f]"
# A mention stands after the start, a sign, or RT; not after a letter, a digit or another @ (an e-mail address). The
# sign comes first in the pattern: what may stand before it is looked at only where there is one.
_MENTION = re.compile(rf"[@＠](?:(?<![\w@＠].)|(?<=\b[Rr][Tt].))([A-Za-z0-9_]{{1,15}})(?!{_LETTER_OR_MARK}|[@＠])")
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_HASHTAG = re.compile(rf"(?<![&\w])[#＃]({_LETTER_OR_MARK}*[^\W\d_]{_LETTER_OR_MARK}*)")

# Not words: emoji that Unicode counts as digits or letters, RT before a mention, and what an old archive's cut leaves
# of a link.
_NOT_WORDS = re.compile(r"[0-9]\ufe0f?\u20e3|\u2139|\b[Rr][Tt](?=\s*[@＠])|\bhtt?p?s?:?/{0,2}…")
_APOSTROPHES = re.compile("['‘ʼ´`＇]")
_HYPHENS = re.compile("[\u2010\u2011]")
_WORD = re.compile(rf"\d+(?:[.,]\d+){{1,3}}(?!\w)|\w{_LETTER_OR_MARK}*(?:[’-]\w{_LETTER_OR_MARK}*)*")
# Parts of a hashtag by the shape of its letters: U upper case, l other letters, d digits.
_SHAPE = re.compile("U+(?=Ul)|U?l+|U+|d+")


class TextFeatures(NamedTuple):
    """What `TextReader.read` finds in one text; the columns of `cleaned_tweets` of the same names."""

    text: str
    text_plain: str
    hashtags: list[str]
    mentions: list[str]
    link_count: int
    characters: int
    words: int
    named_candidates: list[str]


class TextReader:
    """Reads texts for one election, with the pseudonyms of one key.

    Args:
        election: Gives the candidates' names and handles.
        pseudonym_key: Key of the pseudonyms.

    Raises:
        ValueError: If the key is empty.
    """

    def __init__(self, election: Election, pseudonym_key: bytes) -> None:
        if not pseudonym_key:
            raise ValueError("The key of the pseudonyms is empty; give at least one byte.")
        self._handles = frozenset(handle.lower() for one in election.candidates for handle in one.handles)
        self._order = election.candidate_keys
        self._keys: dict[str, str] = {}
        for candidate in election.candidates:
            for name in (*candidate.names, *candidate.handles):
                self._keys.setdefault(fold(name), candidate.key)
                self._keys.setdefault(fold(name).replace(" ", ""), candidate.key)
        longest_first = sorted(self._keys, key=lambda name: (-len(name), name))
        self._named = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)")
        # Handles and authors come again and again; the bound keeps memory flat on a large archive.
        self._pseudonym = lru_cache(maxsize=100_000)(
            lambda value, digits: pseudonym(pseudonym_key, value, digits=digits)
        )

    def read(self, text: str) -> TextFeatures:
        """The features of a text as received.

        Args:
            text: Text as X gave it, HTML entities and all.

        Returns:
            The text cleaned (`clean_text`) with every mention but the candidates' own handles as `@` and 10 hex
            digits, and what was found in it before the mentions were replaced:

            - `text_plain`, its words for counting, with one space between them. Links, mentions, e-mail addresses,
              emoji and signs are left out; a hashtag is its word without `#`. Hyphens stay inside words (Jean-Luc),
              separators inside numbers (49.3). Apostrophes stay inside words, all written `’`: `l’école` is one
              word here, and what counts words takes the elided article off.
            - `hashtags` by X's rule: letters (accented too), digits and underscores, at least one letter, not after
              a letter, a digit or `&`. Lower case, NFC, without `#`, each once, in order.
            - `mentions` as they stand in `text`, with `@`, each handle once, in order.
            - `named_candidates`: names and hashtags on word boundaries without accents and case, and own handles;
              the parts of a hashtag are told by upper case, digits and underscores (`#JeVoteLePen2022`).
        """
        written = clean_text(text)
        mentions: dict[str, str] = {}

        def replace(match: re.Match[str]) -> str:
            handle = match[1].lower()
            shown = match[0] if handle in self._handles else f"@{self._pseudonym(handle, MENTION_DIGITS)}"
            mentions.setdefault(handle, shown)
            return shown

        links = _LINK.findall(written)
        between_links = _LINK.split(written)
        replaced = "".join(
            _MENTION.sub(replace, part) + link for part, link in zip(between_links, [*links, ""], strict=True)
        )
        unlinked = " ".join(between_links)
        hashtags_as_written = _HASHTAG.findall(unlinked)
        words = _words(unlinked)
        return TextFeatures(
            text=replaced,
            text_plain=" ".join(words),
            hashtags=_lower_once(hashtags_as_written),
            mentions=list(mentions.values()),
            link_count=len(links),
            characters=len(replaced),
            words=len(words),
            named_candidates=self._named_candidates(unlinked, hashtags_as_written),
        )

    def author(self, author_id: str | None, username: str | None = None) -> str | None:
        """The pseudonym of an author, by id or else by handle; None where neither is known."""
        if author_id:
            return self._pseudonym(f"id:{author_id}", AUTHOR_DIGITS)
        if username:
            return self._pseudonym(f"name:{username.lower()}", AUTHOR_DIGITS)
        return None

    def _named_candidates(self, unlinked: str, hashtags: list[str]) -> list[str]:
        def own_handle(match: re.Match[str]) -> str:
            return match[0] if match[1].lower() in self._handles else " "

        prose = fold(_MENTION.sub(own_handle, unlinked))
        found = {
            self._keys[name] for part in (prose, *map(_hashtag_words, hashtags)) for name in self._named.findall(part)
        }
        return [key for key in self._order if key in found]


def clean_text(text: str) -> str:
    r"""A text as a reader sees it, in Unicode's normal form NFC.

    HTML entities are decoded once (`&amp;lt;` becomes `&lt;`), and only where they end in a semicolon. Line breaks
    become `\n`, tabs a space. Characters that show nothing are removed; joiners, variation selectors and tags stay
    inside emoji. Lone surrogates become U+FFFD.
    """
    if "&" in text:
        text = _ENTITY.sub(_decode_entity, text)
    text = _LINE_BREAK.sub("\n", text).replace("\t", " ")
    if not text.isascii():
        text = _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text)
    if _HAS_INVISIBLE.search(text):
        text = _EMOJI_OR_INVISIBLE.sub(lambda match: match[1] or "", text)
    return unicodedata.normalize("NFC", text)


def pseudonym(key: bytes, value: str, *, digits: int) -> str:
    """The first hex digits of HMAC-SHA256 (RFC 2104) of a value."""
    return hmac.digest(key, value.encode(), hashlib.sha256).hex()[:digits]


def _decode_entity(match: re.Match[str]) -> str:
    name = match[1]
    # html.unescape takes the longest name that fits ('&notit;' as '¬it;'); only whole names are meant here.
    return html5.get(name, match[0]) if name else html.unescape(match[0])


def _words(unlinked: str) -> list[str]:
    text = _MENTION.sub(" ", _NOT_WORDS.sub(" ", unlinked))
    if "@" in text:
        text = _EMAIL.sub(" ", text)
    words = _HYPHENS.sub("-", _APOSTROPHES.sub(APOSTROPHE, text))
    return [stripped for word in _WORD.findall(words) if (stripped := word.strip("_"))]


def _lower_once(hashtags: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(unicodedata.normalize("NFC", hashtag.lower()) for hashtag in hashtags))


@lru_cache(maxsize=10_000)
def _hashtag_words(hashtag: str) -> str:
    """A hashtag as folded words: `JeVoteLePen2022` is `je vote le pen 2022`."""
    shape = "".join("_" if c == "_" else "d" if c.isdigit() else "U" if c.isupper() else "l" for c in hashtag)
    return fold(" ".join(hashtag[match.start() : match.end()] for match in _SHAPE.finditer(shape)))
