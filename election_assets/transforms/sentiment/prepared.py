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


def prepare(text: str) -> str:
    """A text's words alone, hashtags as words, no links or mentions, cut at `LONGEST`."""
    words = _HASHTAG.sub(lambda tag: _CAMEL.sub(" ", tag[1]), _MENTION.sub(" ", _LINK.sub(" ", text)))
    return _BLANKS.sub(" ", words)[:LONGEST].strip()
