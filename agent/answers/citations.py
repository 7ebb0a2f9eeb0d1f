"""Reads the citations in a text. Only the writing is read here; whether a cited page was shown is `answer`'s question.

The form asked for is ``[annual-report.pdf p. 12]`` or ``[annual-report.pdf p. 12, region 120,50,400,900]``. Models
write many others; which are read is the grammar of `pagesight.indexing.labels.page_labels`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from pagesight.indexing.labels.document_names import Names, PlainText, document_names
from pagesight.indexing.labels.label_patterns import CLOSING
from pagesight.indexing.labels.page_labels import LONGEST, mentions_in_bracket
from pagesight.indexing.pages import Region

#: The opening of an answer that says that the documents do not hold what was asked.
NOT_FOUND = "Not found in these documents"
#: The same in the languages that the quoting reasoner answers in.
NOT_FOUND_IN = {"en": NOT_FOUND, "de": "In diesen Dokumenten nicht gefunden"}

_OPENING = re.compile(f"[{re.escape(''.join(CLOSING))}]")
# Without a digit, or a Roman numeral by itself, a bracket names no page.
_DIGIT = re.compile(r"[\d零一二三四五六七八九十百]|(?<![^\W_])[ivxl]{1,7}(?![^\W_])")
_BESIDE = r"[ \t,;&+]*"  # between brackets that stand side by side
_EMPHASIS = " *_`\"'"
_AROUND_A_NAME = ",》」』〉⟩>"
_TARGET = re.compile(r"\([^()\s]*\)")  # of a Markdown link
_PAGE_ONLY = re.compile(r"\((?:p|pp|page|s)\b", re.IGNORECASE)
_CLOSING_OF_ALL = {**CLOSING, "［": "］", "（": "）", "｛": "｝"}
_ENDS_IN_A_NAME = re.compile(rf"\.[^\W\d_]\w{{1,4}}[*_`\"'”“»{_AROUND_A_NAME}]*[ \t]*$")
_LAST_WORD = re.compile(r"[^\s\u2e80-\uffff]+$")  # it may become a name; in Chinese and Japanese it has no end
_LONGEST_NAME = 200  # letters; a file's name may have 255 bytes


@dataclass(frozen=True)
class Citation:
    """A page, or a region ``(ymin, xmin, ymax, xmax)`` of it in 0–1000, that a sentence rests on.

    ``at`` is where in the text its bracket begins, if it was read there.
    """

    label: str
    document: str
    page: int
    region: Region | None = None
    at: int | None = field(default=None, compare=False, repr=False)

    def as_dict(self) -> dict[str, Any]:
        """The citation as it stands in ``ask --json``."""
        region = list(self.region) if self.region else None
        return {"label": self.label, "document": self.document, "page": self.page, "region": region}

    def __str__(self) -> str:
        region = ", region " + ",".join(map(str, self.region)) if self.region else ""
        return f"{self.label}{region}"


@dataclass(frozen=True)
class Bracket:
    """One bracket of a text, ``text[start:end]``, and the citations in it, at least one."""

    start: int
    end: int
    citations: list[Citation]


class CitationReader:
    """Finds citations; ``documents`` are the names that may hold brackets, commas and the like without confusing it.

    As a mapping they have the numbers of their pages by what is printed on them: ``[report.pdf p. iv]``.
    """

    def __init__(self, documents: Names):
        self._names = document_names(documents)

    def read(self, text: str) -> Iterator[Bracket]:
        """The brackets of ``text`` that hold citations and nothing else, in order; a link's target belongs to them."""
        plain = PlainText(text)
        before: Bracket | None = None
        position = digit = 0
        while opening := _OPENING.search(plain.plain, position):
            position = opening.end()
            digit = _next_digit(plain.plain, digit, position)
            if digit - position > LONGEST:
                continue
            context = partial(self._document_before, plain, opening.start(), before)
            if found := mentions_in_bracket(plain, opening.start(), self._names, context):
                mentions, position = found
                position = _after_target(plain, position)
                start = plain.place(opening.start())
                citations = [Citation(one.label, one.document, one.page, one.region, start) for one in mentions]
                before = Bracket(start, plain.place(position - 1) + 1, citations)
                yield before

    def _document_before(self, text: PlainText, start: int, before: Bracket | None) -> str | None:
        """The document of a bracket that names a page only: that of the bracket right before it, or the name there."""
        if before and re.fullmatch(_BESIDE, text.written[before.end : text.place(start)]):
            return before.citations[-1].document
        begin = max(0, start - _LONGEST_NAME)
        end = begin + len(text.plain[begin:start].rstrip(_EMPHASIS + _AROUND_A_NAME))
        known = self._names.before(text, end)
        return known.document if known else None


def _next_digit(text: str, known: int, position: int) -> int:
    """Where the first digit from a position on is, if not the one that is known; far away if there is none."""
    if known >= position:
        return known
    digit = _DIGIT.search(text, position)
    return digit.start() if digit else len(text) + LONGEST + 1


def _after_target(text: PlainText, position: int) -> int:
    """Where the target of a link ends, if one follows: ``[a.pdf p. 2](a.pdf#page=2)``."""
    target = _TARGET.match(text.plain, position, position + 2000)
    if not target or text.plain[position - 1] != "]" or _PAGE_ONLY.match(target[0]):
        return position
    return target.end()


def says_not_found(text: str) -> bool:
    """Whether an answer opens with `NOT_FOUND`, whatever its emphasis or case."""
    plain = text.lstrip(" \n*_>#\"'").casefold()
    return any(plain.startswith(opening.casefold()) for opening in NOT_FOUND_IN.values())


def lacks_citations(text: str, documents: Names) -> bool:
    """Whether an answer states facts and holds no citation that can be read, be it to a page that was shown or not.

    A text that says that nothing was found, one that only asks back and a word of thanks state none.
    """
    if says_not_found(text) or not any(map(_states_something, re.split(r"(?<=[.!?。！？؟])\s*|\n+", text))):
        return False
    return next(CitationReader(documents).read(text), None) is None


def asks_something(text: str) -> bool:
    """Whether a message is more than a greeting or a word of thanks: it asks, or has three words or more.

    Five letters where words are not divided by spaces. Both are guesses, not measured.
    """
    words = re.findall(r"[^\W_]+", text)
    undivided = any(word >= "\u2e80" and len(word) >= 5 for word in words)
    return len(words) >= 3 or undivided or any(sign in text for sign in "?？؟")


def _states_something(sentence: str) -> bool:
    """Whether a sentence says something: it has a number, or as many words as a fact needs, and asks nothing."""
    if sentence.rstrip(_EMPHASIS).endswith(("?", "？", "؟")):
        return False
    # Four words, or eight letters where words are not divided by spaces: a guess, not measured.
    words = re.findall(r"[^\W\d_]+", sentence)
    return bool(re.search(r"\d", sentence)) or len(words) >= 4 or any(w >= "\u2e80" and len(w) >= 8 for w in words)


def unfinished(text: str, longest: int) -> int:
    """Where what may still become a citation begins; the text's length when nothing may.

    That is the first bracket that is still open, unless ``longest`` characters ago, and before it what a bracket with
    a page only would refer to: a bracket right beside it, or the name of a file. The last word is not whole yet.
    """
    opened, closed = _brackets(text, max(0, len(text) - longest + 1))
    start = min(opened, default=len(text))
    held = start
    for bracket in reversed(closed):
        if bracket[1] <= held and re.fullmatch(_BESIDE, text[bracket[1] : held]):
            held = bracket[0]
    if _ENDS_IN_A_NAME.search(text, max(0, held - _LONGEST_NAME), held):
        held = max(text.rfind("\n", 0, held) + 1, held - _LONGEST_NAME)
    elif word := _LAST_WORD.search(text, max(0, held - _LONGEST_NAME), held):
        held = word.start()
    held = min((begin for begin, end in closed if begin < held < end), default=held)
    return held if len(text) - held < longest else start


def _brackets(text: str, start: int) -> tuple[list[int], list[tuple[int, int]]]:
    """Where after ``start`` brackets open that stay open; and where the others begin and end, by their ends."""
    opened: list[tuple[str, int]] = []
    closed: list[tuple[int, int]] = []
    for at, letter in enumerate(text[start:], start):
        depth = next((depth for depth in reversed(range(len(opened))) if opened[depth][0] == letter), None)
        if depth is not None:
            closed.append((opened[depth][1], at + 1))
            del opened[depth:]
        elif letter in _CLOSING_OF_ALL:
            opened.append((_CLOSING_OF_ALL[letter], at))
    return [at for _, at in opened], closed
