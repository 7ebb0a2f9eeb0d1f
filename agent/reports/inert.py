"""Text for others' viewers that can do nothing there: no HTML, no pictures and no links of its own.

Markdown is read in many dialects. What follows holds in all of them: an entity cannot start HTML, a picture, a link's
target or its definition, and no dialect links an address with a word joiner in it.
"""

from __future__ import annotations

import html
import re

_WORD_JOINER = "\u2060"  # takes no room, and words stay whole
_ACTIVE = re.compile(r"<|!(?=\[)|(?<=\])[(:]|&(?=#?\w+;)")
_ADDRESS = re.compile(r"(?<=/)(?=/)|(?<=\bwww)(?=\.)|(?=@)|(?<=\bmailto)(?=:)|(?<=\bxmpp)(?=:)", re.IGNORECASE)


def inert(text: str) -> str:
    """The Markdown as it looks, with all that would fetch, link or run made text. `as_written` is the inverse."""
    joined = _ADDRESS.sub(_WORD_JOINER, text)
    return _ACTIVE.sub(lambda found: f"&#{ord(found[0])};", joined)


def as_written(text: str) -> str:
    """What stood in a text before it was made inert."""
    return html.unescape(text.replace(_WORD_JOINER, ""))
