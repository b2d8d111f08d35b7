"""A text as networks read it. What they make of it is kept, and is made anew when this file changes."""

from __future__ import annotations

import re

LONGEST = 1_000
"""Characters of a text that are read: all of a tweet, the beginning of the longer posts of paying accounts."""

_LINK = re.compile(r"\bhttps?(?:://\S*|\b)|www\.\S+")
"""Links, also as labelled tweets mask them."""

_MENTION = re.compile(r"@\w+")
_HASHTAG = re.compile(r"#(\w+)")
_CAMEL = re.compile(r"(?<=[a-zß-ÿœ])(?=[A-ZÀ-ÞŒ])")
_BLANKS = re.compile(r"[\s\0]+")
_LETTER = r"[^\W\d_]"
_EMOJI = r"[\u2600-\u27bf\u2b50\u2b55\U0001f000-\U0001faff]"
_EMOTICON = r"[:;=][-'o^]?[)(\]\[dDpP/\\|@sS*]|</?3(?!\d)|\^\^|-_-|\\o/"
_SAYS_SOMETHING = re.compile(f"{_LETTER}|{_EMOJI}|{_EMOTICON}")


def prepare(text: str) -> str:
    """A text's words alone, hashtags as words, no links or mentions, cut at `LONGEST`."""
    words = _HASHTAG.sub(lambda tag: _CAMEL.sub(" ", tag[1]), _MENTION.sub(" ", _LINK.sub(" ", text)))
    return _BLANKS.sub(" ", words)[:LONGEST].strip()


def says_something(prepared: str) -> bool:
    """Whether a prepared text holds a letter, an emoji or an emoticon; without one there is no tone to read."""
    return bool(_SAYS_SOMETHING.search(prepared))
