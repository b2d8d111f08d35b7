"""X's search query language, as far as the platform uses it: a query becomes a test of one tweet."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from election_assets.election import fold

MAX_DEPTH = 50
"""Deepest nesting of parentheses that is read."""


class QueryError(ValueError):
    """A query cannot be read; the message says what is wrong and at which position, counted from 1."""


class SearchableTweet(NamedTuple):
    """What a query is tested against; every field is folded, lists are words between spaces.

    Attributes:
        text: Full text between two spaces; of a retweet the original's, where it is known.
        hashtags: Hashtags of that text, without `#`.
        mentions: Mentions in that text and, of a retweet, in its own, without `@`.
        author: The author's handle, empty where unknown.
        author_id: The author's user id, empty where unknown.
        lang: Language as X guessed it, empty where unknown.
        kinds: Which of retweet, quote and reply it is.
    """

    text: str
    hashtags: str
    mentions: str
    author: str
    author_id: str
    lang: str
    kinds: str


Test = Callable[[SearchableTweet], bool]

_HASHTAG = re.compile(r"(?<!\w)[#＃](\w+)")
_MENTION = re.compile(r"(?<![\w@＠])[@＠](\w{1,15})", re.ASCII)
_KINDS = {"retweeted": "retweet", "quoted": "quote", "replied_to": "reply"}


def searchable(tweet: Mapping[str, object], includes: Mapping[str, list[dict]]) -> SearchableTweet:
    """What a query sees of a tweet.

    Args:
        tweet: A tweet as X API v2 gives it; any field may be missing or malformed.
        includes: The `includes` of its page (`users`, `tweets`), or those that concern this tweet.
    """
    own_text = _text(tweet)
    text = own_text
    kinds = set()
    references = tweet.get("referenced_tweets")
    for reference in references if isinstance(references, list) else ():
        if isinstance(reference, dict) and isinstance(reference.get("type"), str):
            kinds.add(_KINDS.get(reference["type"], ""))
            if reference["type"] == "retweeted":
                originals = (other for other in includes.get("tweets", ()) if other.get("id") == reference.get("id"))
                text = next((_text(original) for original in originals if _text(original)), own_text)
    if tweet.get("in_reply_to_user_id") is not None:
        kinds.add("reply")
    author_id = tweet.get("author_id")
    authors = (user for user in includes.get("users", ()) if author_id is not None and user.get("id") == author_id)
    mentioned = _MENTION.findall(text) if text is own_text else _MENTION.findall(f"{own_text} {text}")
    return SearchableTweet(
        text=_words([text]),
        hashtags=_words(_HASHTAG.findall(text)),
        mentions=_words(mentioned),
        author=fold(str(next((user.get("username") or "" for user in authors), ""))),
        author_id=fold(str(author_id or "")),
        lang=fold(str(tweet.get("lang") or "")),
        kinds=_words(sorted(kinds)),
    )


def compile_query(query: str) -> Test:
    """Makes a test of one tweet from a query in X's language.

    Read are keywords (whole words) and quoted phrases, `#hashtag`, `@handle`, `from:handle` or `from:id`,
    `lang:fr`, `is:retweet`, `is:quote`, `is:reply`, parentheses, `OR`, and `-` before each of these; what stands
    side by side must hold together and binds tighter than `OR` (docs.x.com, 'Build a query'). Case and accents
    are ignored. A keyword with an apostrophe or hyphen is a phrase. As X does, a bare `and` or `or` is refused.

    Raises:
        QueryError: If the query is empty or holds anything else.
    """
    return _Parser(query).query()


def _text(tweet: Mapping[str, object]) -> str:
    note = tweet.get("note_tweet")
    text = note.get("text") if isinstance(note, dict) else None
    text = text if isinstance(text, str) and text else tweet.get("text")
    return unicodedata.normalize("NFC", html.unescape(text)) if isinstance(text, str) else ""


def _words(texts: list[str]) -> str:
    return f" {fold(' '.join(texts))} "


class _Token(NamedTuple):
    kind: str  # ( ) - OR word phrase end
    value: str
    position: int
    glued: bool  # nothing stands between it and the token before


_TOKEN = re.compile(r'(?P<space>\s+)|(?P<mark>[()])|(?P<minus>-)|"(?P<phrase>[^"]*)"|(?P<quote>")|(?P<word>[^\s()"]+)')
_KEYWORD = re.compile(r"\w[\w'’.&-]*")
_OPERATOR = re.compile(r"([A-Za-z_]+):(.*)")
_HANDLE = re.compile(r"[A-Za-z0-9_]{1,15}", re.ASCII)
_USER_ID = re.compile(r"[0-9]{1,19}", re.ASCII)
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z]{2,4})?", re.ASCII)


def _tokens(query: str) -> Iterator[_Token]:
    glued = False
    for found in _TOKEN.finditer(query):
        kind, position = found.lastgroup, found.start() + 1
        if kind == "space":
            glued = False
            continue
        if kind == "quote":
            raise QueryError(f"The quotation mark at position {position} is never closed.")
        value = found["phrase"] if kind == "phrase" else found.group()
        if kind == "word" and value == "OR":
            kind = "OR"
        elif kind in ("mark", "minus"):
            kind = value
        yield _Token(kind or "", value, position, glued)
        glued = True
    yield _Token("end", "", len(query) + 1, False)


class _Parser:
    """Recursive descent: query = any; any = all ('OR' all)*; all = ('-'? operand)+; operand = '(' any ')' | term."""

    def __init__(self, query: str) -> None:
        self._tokens = list(_tokens(query))
        self._next = 0

    def query(self) -> Test:
        test = self._any(0)
        if self._token.kind == ")":
            raise QueryError(f"The closing parenthesis at position {self._token.position} was never opened.")
        return test

    @property
    def _token(self) -> _Token:
        return self._tokens[self._next]

    def _take(self) -> _Token:
        token = self._token
        self._next += 1
        return token

    def _any(self, depth: int) -> Test:
        tests = [self._all(depth)]
        while self._token.kind == "OR":
            self._take()
            tests.append(self._all(depth))
        if len(tests) == 1:
            return tests[0]
        return lambda tweet: any(test(tweet) for test in tests)

    def _all(self, depth: int) -> Test:
        tests = [self._factor(depth)]
        while self._token.kind not in ("OR", ")", "end"):
            tests.append(self._factor(depth))
        if len(tests) == 1:
            return tests[0]
        return lambda tweet: all(test(tweet) for test in tests)

    def _factor(self, depth: int) -> Test:
        token = self._take()
        if token.kind != "-":
            return self._operand(token, depth)
        operand = self._take()
        if operand.kind not in ("word", "phrase", "(") or not operand.glued:
            raise QueryError(f"The '-' at position {token.position} must stand directly before what it excludes.")
        test = self._operand(operand, depth)
        return lambda tweet: not test(tweet)

    def _operand(self, token: _Token, depth: int) -> Test:
        if token.kind == "(":
            if depth == MAX_DEPTH:
                raise QueryError(f"The parentheses at position {token.position} are nested deeper than {MAX_DEPTH}.")
            test = self._any(depth + 1)
            if self._take().kind != ")":
                raise QueryError(f"The parenthesis at position {token.position} is never closed.")
            return test
        if token.kind == "phrase":
            return _phrase(token.value, token.position)
        if token.kind == "word":
            return _term(token.value, token.position)
        found = {"end": "the end", "OR": "OR", ")": "')'"}[token.kind]
        raise QueryError(f"A keyword, operator or group is missing before {found} at position {token.position}.")


def _phrase(written: str, position: int) -> Test:
    words = _words([written])
    if not words.strip():
        raise QueryError(f"{written!r} at position {position} holds no letter or digit to search for.")
    return lambda tweet: words in tweet.text


def _term(written: str, position: int) -> Test:
    if written[0] in "#@":
        return _tag(written, position)
    operator = _OPERATOR.fullmatch(written)
    if operator:
        return _operator(operator[1].lower(), operator[2], position)
    if written.lower() in ("and", "or"):
        raise QueryError(
            f"Ambiguous use of {written!r} at position {position}: write OR, or a space for and, or the word in quotes."
        )
    if not _KEYWORD.fullmatch(unicodedata.normalize("NFC", written)):
        raise QueryError(f"{written!r} at position {position} is no keyword; put punctuation in quotes.")
    return _phrase(written, position)


def _tag(written: str, position: int) -> Test:
    name = unicodedata.normalize("NFC", written[1:])
    words = _words([name])
    if written[0] == "#":
        if not re.fullmatch(r"\w+", name) or not words.strip():
            raise QueryError(f"{written!r} at position {position} is no hashtag: letters, digits and _ follow the #.")
        return lambda tweet: words in tweet.hashtags
    if not _HANDLE.fullmatch(name):
        raise QueryError(f"{written!r} at position {position} is no handle: 1 to 15 letters, digits or _ follow the @.")
    return lambda tweet: words in tweet.mentions


def _operator(name: str, value: str, position: int) -> Test:
    if name == "lang":
        if not _LANGUAGE.fullmatch(value):
            raise QueryError(f"'lang:' at position {position} wants a language such as lang:fr, not {value!r}.")
        lang = fold(value)
        return lambda tweet: tweet.lang == lang
    if name == "is":
        if value not in ("retweet", "quote", "reply"):
            raise QueryError(f"'is:' at position {position} knows retweet, quote and reply, not {value!r}.")
        kind = f" {value} "
        return lambda tweet: kind in tweet.kinds
    if name == "from":
        if not _HANDLE.fullmatch(value) and not _USER_ID.fullmatch(value):
            raise QueryError(f"'from:' at position {position} wants a handle without @ or a user id, not {value!r}.")
        author = fold(value)
        return lambda tweet: author in (tweet.author, tweet.author_id)
    raise QueryError(f"The operator '{name}:' at position {position} is not known here: use lang:, is: or from:.")
