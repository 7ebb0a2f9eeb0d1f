"""From a page to its words and where they stand: from the PDF's text layer, or by OCR where a page has none.

Boxes lie on the picture that `render` makes of the page, cropped and turned alike.
"""

from __future__ import annotations

import ctypes
import re
import threading
import unicodedata
from collections import Counter
from typing import Any

import numpy as np
import pypdfium2
import pypdfium2.raw as pdfium
from numpy.typing import NDArray

from pagesight.indexing.pages import PageText
from pagesight.indexing.render import OpenDocument, PdfDocument, to_picture

#: A page with fewer letters and digits than this in its text layer is read by OCR if it is mostly pictures: courts and
#: publishers stamp a line of text on scans.
FEW_CHARACTERS = 200

#: How much of the page pictures must cover for that.
MOSTLY_PICTURES = 0.5

#: Part of a text layer's characters that mean nothing (private use, control, unassigned) from which it is no text.
GARBAGE = 0.3

#: Longer side in pixels of the picture that is read by OCR.
OCR_LONG_SIDE = 1600

#: Where a line ends in a hyphen, pdfium gives this in place of hyphen and line break, with the word's two parts joined.
_LINE_END_HYPHEN = "\x02"

_MEANINGLESS = frozenset(("Cc", "Cf", "Cn", "Co", "Cs"))
_JOINERS = "\u200c\u200d"  # shape letters in Persian and Indic scripts, and emoji: kept

_engine: Any = None
_engine_lock = threading.Lock()


def read_text(document: OpenDocument, number: int, *, ocr: bool) -> PageText:
    """The page's words in reading order, each with its box on the page's picture.

    A word that is broken at the end of a line stands whole where its first part does, with the first part's box.
    Characters are NFKC: a ligature is its letters. With ``ocr``, pages without text, pages of pictures with hardly any,
    and pages whose characters mean nothing (fonts without a map to Unicode) are read with RapidOCR. Raises UnknownPage;
    UnreadableDocument for a page that is damaged.
    """
    if not isinstance(document, PdfDocument):
        document.size(number)  # an unknown page is an error with and without OCR
        return _read_picture(document, number) if ocr else PageText.empty()
    layer, needs_ocr = _read_layer(document, number, ocr)
    if not needs_ocr:
        return layer
    seen = _read_picture(document, number)
    return seen if len(seen.text) >= len(layer.text) else layer


def _read_layer(document: PdfDocument, number: int, ocr: bool) -> tuple[PageText, bool]:
    """The words of the text layer, and whether OCR would say more about the page."""
    with document.page(number) as page:
        textpage = pdfium.FPDFText_LoadPage(page)
        if not textpage:
            return PageText.empty(), ocr
        try:
            characters = _characters(textpage)
            garbage = _is_garbage(characters)
            text = PageText.empty() if garbage else _layer_words(textpage, characters, to_picture(page))
        finally:
            pdfium.FPDFText_ClosePage(textpage)
        return text, ocr and (garbage or _is_mostly_pictures(page, text))


def _characters(textpage: Any) -> str:
    """The page's characters, one for each of pdfium's indices."""
    get = pdfium.FPDFText_GetUnicode
    return "".join([chr(get(textpage, index)) for index in range(pdfium.FPDFText_CountChars(textpage))])


def _is_garbage(characters: str) -> bool:
    """Whether so many characters mean nothing that the rest isn't worth reading."""
    counts = Counter("".join(characters.split()))
    del counts[_LINE_END_HYPHEN]
    bad = sum(count for char, count in counts.items() if unicodedata.category(char) in _MEANINGLESS or char == "\ufffd")
    return bad > 0 and bad >= GARBAGE * counts.total()


def _layer_words(textpage: Any, characters: str, to_page: NDArray[np.float64]) -> PageText:
    """The words with their boxes and lines; what lies outside the crop box is not on the page."""
    words, corners, lines = [], [], []
    line = 0
    end = 0
    for match in re.finditer(r"\S+", characters):
        line += "\n" in characters[end : match.start()]
        end = match.end()
        raw = match.group()
        shown = raw.find(_LINE_END_HYPHEN)
        if (word := _clean(raw)) and (box := _rectangle(textpage, match.start(), shown if shown > 0 else len(raw))):
            words.append(word)
            corners.append(box)
            lines.append(line)
        line += shown >= 0
    if not words:
        return PageText.empty()
    return _on_page(words, _to_boxes(np.array(corners), to_page), np.array(lines, np.int32), "text layer")


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


def _on_page(words: list[str], boxes: NDArray[np.float32], lines: NDArray[np.int32], source: str) -> PageText:
    """The words whose middle is on the page, boxes cut at its edges, lines counted without gaps."""
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2
    inside = ((middles >= 0) & (middles <= 1)).all(axis=1)
    if not inside.any():
        return PageText.empty()
    kept = [words[index] for index in np.flatnonzero(inside).tolist()]
    without_gaps = np.unique(lines[inside], return_inverse=True)[1].astype(np.int32)
    return PageText(kept, boxes[inside].clip(0, 1), without_gaps, source)


def _clean(word: str) -> str:
    """The word in NFKC without characters that mean nothing; joined where a line's end broke it."""
    if word.isascii() and word.isprintable():
        return word
    if _LINE_END_HYPHEN in word:
        # "two-in\x02ten" was two-in-ten before the line ended: a word that has a hyphen elsewhere keeps this one too
        word = word.replace(_LINE_END_HYPHEN, "-" if "-" in word else "")
    word = "".join(unicodedata.normalize("NFKC", word).split())
    return "".join(char for char in word if char in _JOINERS or unicodedata.category(char) not in _MEANINGLESS)


def _is_mostly_pictures(page: pypdfium2.PdfPage, text: PageText) -> bool:
    """Whether the page has hardly any text, and pictures, or drawings in place of text, that may hold some."""
    letters = sum(char.isalnum() for word in text.words for char in word)
    if letters >= FEW_CHARACTERS:
        return False
    if not letters:
        return pdfium.FPDFPage_CountObjects(page) > 0
    left, bottom, right, top = page.get_bbox()
    area = 0.0
    for image in page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_IMAGE], max_depth=3):
        x0, y0, x1, y1 = image.get_bounds()
        area += max(0.0, min(x1, right) - max(x0, left)) * max(0.0, min(y1, top) - max(y0, bottom))
    return area >= MOSTLY_PICTURES * (right - left) * (top - bottom)


def _read_picture(document: OpenDocument, number: int) -> PageText:
    """The words that RapidOCR sees on the page's picture."""
    picture = document.picture(number, long_side=OCR_LONG_SIDE)
    with _engine_lock:  # one page at a time: the engine itself uses all cores
        result = _ocr_engine()(np.asarray(picture)[:, :, ::-1])
    if not result.txts:
        return PageText.empty()
    words, boxes, lines = [], [], []
    for line, (text, corners) in enumerate(zip(result.txts, result.boxes, strict=True)):
        for word, box in _split_line(text, np.asarray(corners, np.float64)):
            words.append(word)
            boxes.append(box)
            lines.append(line)
    if not words:
        return PageText.empty()
    fractions = np.array(boxes) / np.array(picture.size * 2)
    return _on_page(words, fractions.astype(np.float32), np.array(lines, np.int32), "ocr")


def _split_line(text: str, corners: NDArray[np.float64]) -> list[tuple[str, tuple[float, float, float, float]]]:
    """The line's words, each with its share of the line's four corners: (left, top, right, bottom) in pixels."""
    start, end = (corners[0] + corners[3]) / 2, (corners[1] + corners[2]) / 2
    half = (corners[3] - corners[0]) / 2
    words = []
    for match in re.finditer(r"\S+", text):
        if not (word := _clean(match.group())):
            continue
        first, last = (start + (end - start) * at / len(text) for at in match.span())
        around = np.array([first - half, first + half, last - half, last + half])
        left, top = around.min(axis=0).tolist()
        right, bottom = around.max(axis=0).tolist()
        words.append((word, (left, top, right, bottom)))
    return words


def _ocr_engine() -> Any:
    """The engine, made when first needed; the caller holds its lock."""
    global _engine
    if _engine is None:
        from rapidocr import RapidOCR

        _engine = RapidOCR(params={"Global.log_level": "critical", "Global.use_cls": False})
    return _engine
