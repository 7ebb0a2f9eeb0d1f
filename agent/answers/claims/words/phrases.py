"""Quoted phrases and names of a claim, looked for among the words of a page."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from difflib import SequenceMatcher
from itertools import accumulate

from pagesight.indexing.pages import PageText
from pagesight.indexing.values.dates import dates

_QUOTED = re.compile(
    r"[“„\"«»‹›]([^“”„\"«»‹›]{3,600}?)[”“\"»«›‹]|‘([^‘’]{3,600}?)’(?!\w)|(?<!\w)'([^']{8,600}?)'(?!\w)"
)
_ELLIPSIS = re.compile(r"\s*(?:\[?\.\.\.\]?|\[?…\]?)\s*")
_WORD = r"(?:[A-ZÄÖÜÉÈÅØŠČŽ][\w'’&.-]*\w|[A-ZÄÖÜ])"
_JOINING = "of|the|and|de|von|van|der|für|und"
_NAME = re.compile(rf"(?<!\w){_WORD}(?: (?:{_WORD}|\d+|{_JOINING})(?!\w))* (?:{_WORD}|\d{{1,4}})(?![\w.,]\d)(?!\w)")
_POSSESSIVE = re.compile(r"(?<=\w)['’]s(?= )")  # whose something is, is no part of its name
#: A thing's letters and digits; Q3 and FY24 are times.
_CODE = re.compile(
    r"(?<![\w.,-])(?!(?:[QH][1-4]|FY\d\d|GJ\d\d)\b)(?:[A-Z]{1,5}-?\d{2,}(?:-\w+)*|\d+(?:-\d+){2,})(?![\w-])"
)
_ARTICLE = re.compile(r"^(?:The|An?|In|On|At|By|For|Der|Die|Das|Im|Am|Ein|Eine|Laut|Für) ")
#: Of a scan's words: how much of a phrase may be read differently, and how many characters in a row.
_MISREAD, _MISREAD_IN_A_ROW = 0.04, 2
_FEWEST_LETTERS = 8  # of a phrase that may be misread; a guess, not measured
_ROOM = 6  # letters around a phrase, by which it may be misplaced; a guess, not measured


def quoted_phrases(text: str) -> list[str]:
    """The phrases in quotation marks, divided where something is left out; single words are none."""
    quoted = [found[1] or found[2] or found[3] for found in _QUOTED.finditer(text)]
    parts = [part for phrase in quoted for part in _ELLIPSIS.split(phrase)]
    return [part for part in parts if len(re.findall(r"\w+", part)) > 1 or any(letter >= "\u2e80" for letter in part)]


def names(text: str) -> list[str]:
    """Names of two words or more: capitalised words in a row, such as Anna Berger or Tarn 16."""
    found = (_ARTICLE.sub("", match[0]) for match in _NAME.finditer(_POSSESSIVE.sub(" ,", text)))
    return [name for name in found if " " in name]


def codes(text: str) -> list[str]:
    """Letters and digits in one word, such as NY27 or 014-00-01: they name a thing, and are no numbers."""
    return [found[0] for found in _CODE.finditer(text) if not dates(found[0])]


def find_phrase(phrase: str, page: PageText, allowed: frozenset[int] | None = None) -> list[int]:
    """The places of the words that say the phrase, in a row; none if it does not stand there.

    Compared are letters and digits alone. On a scan some may have been read wrongly, but no word left out or added.
    """
    places = [place for place in range(len(page.words)) if allowed is None or place in allowed]
    letters = [_folded(page.words[place]) for place in places]
    span = _span_of(_folded(phrase), "".join(letters), misread=page.source == "ocr")
    ends = accumulate(map(len, letters))
    return [
        place for place, word, end in zip(places, letters, ends, strict=True)
        if word and end > span.start and end - len(word) < span.stop
    ]  # fmt: skip


def _span_of(wanted: str, text: str, *, misread: bool) -> range:
    """Where a text has the wanted letters, or nearly where some may be misread; empty if nowhere."""
    at = text.find(wanted) if wanted else -1
    if at >= 0:
        return range(at, at + len(wanted))
    return _nearly(wanted, text) if misread else range(0)


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).casefold()
    return "".join(letter for letter in plain if letter.isalnum())


def _nearly(wanted: str, text: str) -> range:
    """Where a text has nearly the wanted letters, with a few more; empty if nowhere."""
    if len(wanted) < _FEWEST_LETTERS:
        return range(0)
    longest = SequenceMatcher(None, text, wanted, autojunk=False).find_longest_match()
    start = max(0, longest.a - longest.b - _ROOM // 2)
    end = start + len(wanted) + _ROOM
    sizes = list(_changes(wanted, text[start:end]))
    if max(sizes, default=0) > _MISREAD_IN_A_ROW or sum(sizes) > max(1, _MISREAD * len(wanted)):
        return range(0)
    return range(start, end)


def _changes(wanted: str, window: str) -> Iterator[int]:
    """How many letters each change from a window to what is wanted in it has; what stands around it is none."""
    for step, begin, end, at, to in SequenceMatcher(None, window, wanted, autojunk=False).get_opcodes():
        if step != "equal":
            around = begin == 0 or end == len(window)
            yield max(0 if around else end - begin, to - at)
