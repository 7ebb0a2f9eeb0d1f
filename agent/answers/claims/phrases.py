"""Quoted phrases and names of a claim, looked for among the words of a page."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from difflib import SequenceMatcher

from pagesight.indexing.pages import PageText

_QUOTED = re.compile(
    r"[“„\"«»‹›]([^“”„\"«»‹›]{3,600}?)[”“\"»«›‹]|‘([^‘’]{3,600}?)’(?!\w)|(?<!\w)'([^']{8,600}?)'(?!\w)"
)
_ELLIPSIS = re.compile(r"\s*(?:\[?\.\.\.\]?|\[?…\]?)\s*")
_WORD = r"(?:[A-ZÄÖÜÉÈÅØŠČŽ][\w'’&.-]*\w|[A-ZÄÖÜ])"
_JOINING = "of|the|and|de|von|van|der|für|und"
_NAME = re.compile(rf"(?<!\w){_WORD}(?: (?:{_WORD}|\d+|{_JOINING})(?!\w))* (?:{_WORD}|\d{{1,4}})(?![\w.,]\d)(?!\w)")
_ARTICLE = re.compile(r"^(?:The|An?|In|On|At|By|For|Der|Die|Das|Im|Am|Ein|Eine|Laut|Für) ")
#: Of a scan's words: how much of a phrase may be read differently, and how many characters in a row.
_MISREAD, _MISREAD_IN_A_ROW = 0.04, 2


def quoted_phrases(text: str) -> list[str]:
    """The phrases in quotation marks, divided where something is left out; single words are none."""
    quoted = [found[1] or found[2] or found[3] for found in _QUOTED.finditer(text)]
    parts = [part for phrase in quoted for part in _ELLIPSIS.split(phrase)]
    return [part for part in parts if len(re.findall(r"\w+", part)) > 1 or any(letter >= "\u2e80" for letter in part)]


def names(text: str) -> list[str]:
    """Names of two words or more: capitalised words in a row, such as Anna Berger or Tarn 16."""
    found = (_ARTICLE.sub("", match[0]) for match in _NAME.finditer(text))
    return [name for name in found if " " in name]


def find_phrase(phrase: str, page: PageText, allowed: frozenset[int] | None = None) -> list[int]:
    """The places of the words that say the phrase, in a row; none if it does not stand there.

    Compared are letters and digits alone. On a scan some may have been read wrongly, but no word left out or added.
    """
    places = [place for place in range(len(page.words)) if allowed is None or place in allowed]
    letters = [_folded(page.words[place]) for place in places]
    text, wanted = "".join(letters), _folded(phrase)
    if not wanted:
        return []
    at = text.find(wanted)
    length = len(wanted)
    if at < 0 and page.source == "ocr":
        at, length = _nearly(wanted, text)
    if at < 0:
        return []
    starts = (
        [sum(map(len, letters[:place])) for place in range(len(letters))] if len(letters) < 50 else _starts(letters)
    )
    return [
        place for place, start, word in zip(places, starts, letters, strict=True)
        if word and start < at + length and start + len(word) > at
    ]  # fmt: skip


def _starts(letters: Sequence[str]) -> list[int]:
    starts, at = [], 0
    for word in letters:
        starts.append(at)
        at += len(word)
    return starts


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).casefold()
    return "".join(letter for letter in plain if letter.isalnum())


def _nearly(wanted: str, text: str) -> tuple[int, int]:
    """Where a text has nearly the wanted letters, and how many; (-1, 0) if nowhere."""
    if len(wanted) < 8:
        return -1, 0
    matcher = SequenceMatcher(None, text, wanted, autojunk=False)
    longest = matcher.find_longest_match()
    start = max(0, longest.a - longest.b - 3)
    window = text[start : start + len(wanted) + 6]
    changes = [
        step for step in SequenceMatcher(None, window, wanted, autojunk=False).get_opcodes() if step[0] != "equal"
    ]
    if changes and changes[0][1] == 0:  # what stands before
        changes[0] = (changes[0][0], changes[0][2], changes[0][2], changes[0][3], changes[0][4])
    if changes and changes[-1][2] == len(window):
        changes[-1] = (changes[-1][0], changes[-1][1], changes[-1][1], changes[-1][3], changes[-1][4])
    sizes = [max(end - begin, to - at) for _, begin, end, at, to in changes]
    if max(sizes, default=0) > _MISREAD_IN_A_ROW or sum(sizes) > max(1, _MISREAD * len(wanted)):
        return -1, 0
    return start, len(wanted) + 6
