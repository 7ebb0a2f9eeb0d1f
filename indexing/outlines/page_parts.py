"""What one page tells of its document's outline: tall lines, captions, lines of a table of contents, names, years."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pagesight.indexing.lexical.tokens import tokenize
from pagesight.indexing.outlines.outline import LONGEST_TITLE
from pagesight.indexing.pages import PageText

# How much taller than the page's middling line one is that may be a heading, and how many of these and of a page's
# words are looked at. Guesses at how pages are set, not measured.
_TALLER = 1.15
_MOST_LINES, _MOST_WORDS, _MOST_TERMS = 12, 14, 40
_FEWEST_LETTERS = 3
_BELOW_THE_LINE, _WITHOUT_A_TAIL = frozenset("gjpqyQ,;()[]{}|/"), 1.25
_LONGEST_LINE = 300  # letters of a line that is looked at

_CAPTION = re.compile(
    r"(?i:figure|fig\.|table|chart|exhibit|box|map|diagram|abbildung|abb\.|tabelle|tab\.|schaubild|grafik|karte)"
    r"\s{0,2}[A-Z]?\d{1,3}(?:[.\-]\d{1,3})?(?:\s{0,2}[.:|–—-]\s+\S|\s+[A-ZÄÖÜ0-9]).{2,}",
)
#: A title, leaders or a gap, and a number as pages are counted by.
_CONTENTS = re.compile(r"(?P<title>\D.*?\w\)?)[\s.·…_]{2,}(?P<page>\d{1,4}|[ivxl]{1,6})")
_YEAR = re.compile(r"(?<![\w.,])(?:19|20)\d\d(?![\w,.]\d|\w)")
_NAME = re.compile(r"(?<![.!?:] )(?<!^)\b[A-ZÄÖÜ][\w'’-]+(?: (?:of |the |and |für |und |der |von )?[A-ZÄÖÜ][\w'’-]+)+")


@dataclass(frozen=True)
class TallLine:
    """A line of text, its height and its top in points; ``upright`` is none that runs up or down the page."""

    text: str
    height: float
    top: float
    upright: bool = True


@dataclass(frozen=True)
class PageParts:
    """What the page tells. ``body`` is the height of its middling line in points, ``words`` how many it has.

    ``first`` is its first line, if that may be a title.
    """

    number: int
    body: float = 0.0
    words: int = 0
    first: str = ""
    tall: list[TallLine] = field(default_factory=list)
    captions: list[str] = field(default_factory=list)
    contents: list[tuple[str, str]] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    years: list[int] = field(default_factory=list)
    terms: list[str] = field(default_factory=list)


def page_parts(number: int, text: PageText, height: float) -> PageParts:
    """The parts of a page that is ``height`` points high."""
    if not text.words:
        return PageParts(number)
    heights = (text.boxes[:, 3] - text.boxes[:, 1]) * height
    lines = _lines(text, heights, text.boxes[:, 1] * height)
    body = float(np.median([line.height for line in lines for _ in line.text.split()]))
    written = [line.text for line in lines]
    return PageParts(
        number, body, len(text.words), written[0][:LONGEST_TITLE] if _is_title(written[0]) else "",
        _tall(lines, body), _captions(written), _contents(written),
        [name for line in written for name in _NAME.findall(line)],
        [int(year) for line in written for year in _YEAR.findall(line)],
        _terms(text),
    )  # fmt: skip


def _tall(lines: list[TallLine], body: float) -> list[TallLine]:
    tall = [line for line in lines if line.upright and line.height >= _TALLER * body and _is_title(line.text)]
    return sorted(tall, key=lambda line: -line.height)[:_MOST_LINES]


def _captions(lines: list[str]) -> list[str]:
    return [line[:LONGEST_TITLE] for line in lines if _CAPTION.match(line)][:_MOST_LINES]


def _contents(lines: list[str]) -> list[tuple[str, str]]:
    found = filter(None, map(_CONTENTS.fullmatch, lines))
    return [(one["title"].strip()[:LONGEST_TITLE], one["page"]) for one in found]


def parts_of_lines(number: int, text: str) -> PageParts:
    """The parts of a page of which only the text is known: no line is taller than others."""
    words = [word for line in text.splitlines() for word in line.split()]
    lines = np.array([at for at, line in enumerate(text.splitlines()) for _ in line.split()], np.int32)
    boxes = np.tile(np.array([[0.0, 0.0, 1.0, 0.01]], np.float32), (len(words), 1))
    return page_parts(number, PageText(words, boxes, lines, "none"), 1000.0)


def _lines(text: PageText, heights: NDArray[np.float32], tops: NDArray[np.float32]) -> list[TallLine]:
    """The lines, each as high as its middling word."""
    rows: dict[int, list[int]] = {}
    for word, line in enumerate(text.lines.tolist()):
        rows.setdefault(line, []).append(word)
    return [_line(text, row, heights, float(tops[row[0]])) for row in rows.values()]


def _line(text: PageText, row: list[int], heights: NDArray[np.float32], top: float) -> TallLine:
    words = " ".join(text.words[word] for word in row)[:_LONGEST_LINE]
    boxes = text.boxes[row]
    across = float(boxes[:, 2].max() - boxes[:, 0].min())
    down = float(boxes[:, 3].max() - boxes[:, 1].min())
    # Boxes of words are as tall as their letters: without one that goes below the line, a line looks smaller.
    whole = 1.0 if _BELOW_THE_LINE & set(words) else _WITHOUT_A_TAIL
    return TallLine(words, float(heights[row].max()) * whole, top, across > down)


def _is_title(text: str) -> bool:
    letters = sum(letter.isalpha() for letter in text)
    return (
        text[-1:] not in ",.;"
        and letters >= max(_FEWEST_LETTERS, len(text.replace(" ", "")) / 2)
        and len(text.split()) <= _MOST_WORDS
    )


def _terms(text: PageText) -> list[str]:
    counts = Counter(token for token in tokenize(" ".join(text.words)) if len(token) > 3 and token.isalpha())
    return [term for term, _ in counts.most_common(_MOST_TERMS)]
