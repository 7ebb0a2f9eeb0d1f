"""The words of a PDF's text layer, by pdfium, and whether the page's picture may hold words that the layer lacks."""

from __future__ import annotations

import ctypes
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import pypdfium2
import pypdfium2.raw as pdfium
from numpy.typing import NDArray

from pagesight.indexing.documents.pdf import PdfDocument, to_picture
from pagesight.indexing.documents.words import MEANINGLESS, cleaned, on_page
from pagesight.indexing.pages import PageText

#: A page with fewer letters and digits than this in its text layer may lack words if it is mostly pictures: courts and
#: publishers stamp a line of text on scans. A guess, not measured.
FEW_CHARACTERS = 200

#: How much of the page pictures must cover for that. A guess, not measured.
MOSTLY_PICTURES = 0.5

#: Part of a text layer's characters that mean nothing (private use, control, unassigned) from which it is no text. A
#: guess, not measured.
GARBAGE = 0.3

# Where a line ends in a hyphen, pdfium gives this in place of hyphen and line break, with the word's two parts joined.
_LINE_END_HYPHEN = "\x02"

# When a word goes on with the line of its predecessor: as parts of the lower one's height, and of the page's width.
# Guesses, not measured; a gutter between columns is wider.
_LEAST_BESIDE = 0.25
_LEAST_GAP, _WIDEST_GAP = -0.005, 0.015


@dataclass(frozen=True)
class TextLayer:
    """The words of a page's text layer; ``may_lack_words`` says whether OCR may find more on its picture."""

    text: PageText
    may_lack_words: bool


def read_text_layer(document: PdfDocument, number: int) -> TextLayer:
    """The page's text layer; empty where it has none. Raises UnknownPage, UnreadableDocument for a damaged page."""
    with document.page(number) as page:
        textpage = pdfium.FPDFText_LoadPage(page)
        if not textpage:
            return TextLayer(PageText.empty(), True)
        try:
            characters = _characters(textpage)
            if _is_garbage(characters):
                return TextLayer(PageText.empty(), True)
            text = _words(textpage, characters, to_picture(page))
        finally:
            pdfium.FPDFText_ClosePage(textpage)
        return TextLayer(text, _is_mostly_pictures(page, text))


def _characters(textpage: Any) -> str:
    """The page's characters, one for each of pdfium's indices."""
    get = pdfium.FPDFText_GetUnicode
    return "".join([chr(get(textpage, index)) for index in range(pdfium.FPDFText_CountChars(textpage))])


def _is_garbage(characters: str) -> bool:
    """Whether so many characters mean nothing that the rest isn't worth reading."""
    counts = Counter("".join(characters.split()))
    del counts[_LINE_END_HYPHEN]
    bad = sum(count for char, count in counts.items() if unicodedata.category(char) in MEANINGLESS or char == "\ufffd")
    return bad > 0 and bad >= GARBAGE * counts.total()


def _words(textpage: Any, characters: str, to_page: NDArray[np.float64]) -> PageText:
    """The words with their boxes and lines; what lies outside the crop box is not on the page."""
    words, corners, lines = [], [], []
    line = 0
    end = 0
    for match in re.finditer(r"\S+", characters):
        line += "\n" in characters[end : match.start()]
        end = match.end()
        raw = match.group()
        on_first_line = raw.find(_LINE_END_HYPHEN)
        box = _rectangle(textpage, match.start(), on_first_line if on_first_line > 0 else len(raw))
        if box and (word := cleaned(_joined(raw))):
            words.append(word)
            corners.append(box)
            lines.append(line)
        line += on_first_line >= 0
    if not words:
        return PageText.empty()
    boxes = _to_boxes(np.array(corners), to_page)
    return on_page(words, boxes, _rejoin_lines(boxes, np.array(lines, np.int32)), "text layer")


def _joined(word: str) -> str:
    """The word as it was before a line's end broke it; one that has a hyphen elsewhere, as two-in-ten, keeps it too."""
    return word.replace(_LINE_END_HYPHEN, "-" if "-" in word else "")


def _rectangle(textpage: Any, start: int, length: int) -> tuple[float, float, float, float] | None:
    """(left, bottom, right, top) around the characters, in points of the page; None if nothing of them is drawn."""
    count = pdfium.FPDFText_CountRects(textpage, start, length)
    left, top, right, bottom = (ctypes.c_double() for _ in range(4))
    boxes = []
    for index in range(count):
        pdfium.FPDFText_GetRect(textpage, index, left, top, right, bottom)
        boxes.append((left.value, bottom.value, right.value, top.value))
    if len(boxes) < 2:
        return boxes[0] if boxes else None
    lefts, bottoms, rights, tops = zip(*boxes, strict=True)
    return min(lefts), min(bottoms), max(rights), max(tops)


def _to_boxes(corners: NDArray[np.float64], to_page: NDArray[np.float64]) -> NDArray[np.float32]:
    """(n, 4) left, bottom, right, top in points → (n, 4) left, top, right, bottom in 0–1 of the picture."""
    first = corners[:, :2] @ to_page[:, :2].T + to_page[:, 2]
    second = corners[:, 2:] @ to_page[:, :2].T + to_page[:, 2]
    return np.hstack([np.minimum(first, second), np.maximum(first, second)]).astype(np.float32)


def _rejoin_lines(boxes: NDArray[np.float32], lines: NDArray[np.int32]) -> NDArray[np.int32]:
    """Line numbers without the breaks that pdfium makes at raised and lowered characters in the middle of a line.

    A word goes on with its predecessor's line where it follows on its right, nearer than a gutter, and they are beside
    each other for a quarter of the smaller one's height or more.
    """
    before, after = boxes[:-1], boxes[1:]
    beside = np.minimum(before[:, 3], after[:, 3]) - np.maximum(before[:, 1], after[:, 1])
    height = np.minimum(before[:, 3] - before[:, 1], after[:, 3] - after[:, 1])
    gap = after[:, 0] - before[:, 2]
    goes_on = (beside >= _LEAST_BESIDE * height) & (gap > _LEAST_GAP) & (gap < _WIDEST_GAP) & (height > 0)
    breaks = (np.diff(lines) > 0) & ~goes_on
    return np.concatenate([[0], np.cumsum(breaks)]).astype(np.int32)


def _is_mostly_pictures(page: pypdfium2.PdfPage, text: PageText) -> bool:
    """Whether the page has hardly any text, and pictures, or drawings in place of text, that may hold some."""
    letters = sum(char.isalnum() for word in text.words for char in word)
    if letters >= FEW_CHARACTERS:
        return False
    if not letters:
        return bool(pdfium.FPDFPage_CountObjects(page) > 0)
    left, bottom, right, top = page.get_bbox()
    area = 0.0
    for image in page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_IMAGE], max_depth=3):
        x0, y0, x1, y1 = image.get_bounds()
        area += max(0.0, min(x1, right) - max(x0, left)) * max(0.0, min(y1, top) - max(y0, bottom))
    return bool(area >= MOSTLY_PICTURES * (right - left) * (top - bottom))
