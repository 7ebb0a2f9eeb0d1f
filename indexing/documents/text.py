"""From a page to its words and where they stand: from the PDF's text layer, or by OCR where a page has none.

Boxes lie on the picture that `render` makes of the page, cropped and turned alike.
"""

from __future__ import annotations

import ctypes
import re
import threading
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pypdfium2
import pypdfium2.raw as pdfium
from numpy.typing import NDArray
from PIL import Image

from pagesight.indexing.documents.document import OpenDocument, PdfDocument, to_picture
from pagesight.indexing.errors import MissingExtra
from pagesight.indexing.installation import package_command
from pagesight.indexing.pages import PageText
from pagesight.indexing.settings import environment

#: A page with fewer letters and digits than this in its text layer is read by OCR if it is mostly pictures: courts and
#: publishers stamp a line of text on scans.
FEW_CHARACTERS = 200

#: How much of the page pictures must cover for that.
MOSTLY_PICTURES = 0.5

#: Part of a text layer's characters that mean nothing (private use, control, unassigned) from which it is no text.
GARBAGE = 0.3

#: Dots per inch of the picture that is read by OCR, and its longer side in pixels, at least and at most: below 1,100
#: small print is lost (recall .993 → .986), above 1,300 it only takes longer.
OCR_DPI = 96
OCR_LONG_SIDE = (1280, 2000)

#: Mean confidence below which the page is tried the other way up. Upright text reads with .9 and more, turned with .6.
SURE = 0.8

_OCR_PARAMETERS = {
    "Global.log_level": "critical",
    "Global.use_cls": False,
    "Global.return_word_box": True,
    "Global.return_single_char_box": True,
    "EngineConfig.onnxruntime.intra_op_num_threads": 1,
    "EngineConfig.onnxruntime.inter_op_num_threads": 1,
    "EngineConfig.onnxruntime.enable_cpu_mem_arena": True,
    "Rec.rec_batch_num": 1,
    "Rec.rec_img_shape": [3, 48, 96],  # short lines are padded to 96 pixels, not to 320
}

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
    and pages whose characters mean nothing (fonts without a map to Unicode) are read with RapidOCR. Several threads may
    read at once, and OCR gains by it: one page keeps one core busy. Raises UnknownPage; UnreadableDocument for a page
    that is damaged; MissingExtra if OCR is needed and cannot start.
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
    boxes = _to_boxes(np.array(corners), to_page)
    return _on_page(words, boxes, _rejoin_lines(boxes, np.array(lines, np.int32)), "text layer")


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
    goes_on = (beside >= 0.25 * height) & (gap > -0.005) & (gap < 0.015) & (height > 0)
    breaks = (np.diff(lines) > 0) & ~goes_on
    return np.concatenate([[0], np.cumsum(breaks)]).astype(np.int32)


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
    word = word.encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # pdfium gives halves of rare characters
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
    """The words that RapidOCR sees on the page's picture, which it is shown upright."""
    points = max(document.size(number))
    long_side = round(min(max(points * OCR_DPI / 72, OCR_LONG_SIDE[0]), OCR_LONG_SIDE[1]))
    picture = document.picture(number, long_side=long_side)
    reading = _recognise(picture, 0)
    if reading.words and (reading.confidence < SURE or reading.is_sideways):
        for turn in (90, 270) if reading.is_sideways else (180,):
            again = _recognise(picture, turn)
            if again.confidence > max(SURE, reading.confidence - 0.05):
                reading = again
                break
    if not reading.words:
        return PageText.empty()
    return _on_page(reading.words, _turn_back(reading.boxes, reading.turn), reading.lines, "ocr")


@dataclass(frozen=True)
class _Reading:
    """What OCR read on a picture turned by ``turn`` degrees against the clock; boxes (n, 4) in 0–1 of that picture."""

    words: list[str]
    boxes: NDArray[np.float32]
    lines: NDArray[np.int32]
    turn: int
    confidence: float
    is_sideways: bool


def _recognise(picture: Image.Image, turn: int) -> _Reading:
    """Reads the picture turned by 0, 90, 180 or 270 degrees; confidence is the mean of the lines' by their length."""
    picture = picture.rotate(turn, expand=True) if turn else picture
    result = _ocr_engine()(np.asarray(picture)[:, :, ::-1])
    words, boxes, lines = [], [], []
    corners = np.asarray(result.boxes if result.txts else np.zeros((0, 4, 2)), np.float64)
    for line, (text, spots) in enumerate(zip(result.txts or (), _spots(result), strict=True)):
        for word, box in _words_of_line(text, corners[line], spots):
            words.append(word)
            boxes.append(box)
            lines.append(line)
    if not words:
        return _Reading([], np.zeros((0, 4), np.float32), np.zeros(0, np.int32), turn, 0.0, False)
    lengths = [len(text) for text in result.txts]
    extents = np.ptp(corners, axis=1)
    is_sideways = float(np.average(extents[:, 1] > 1.5 * extents[:, 0], weights=lengths)) > 0.5
    confidence = float(np.average(result.scores, weights=lengths))
    fractions = (np.array(boxes) / np.array(picture.size * 2)).astype(np.float32)
    return _Reading(words, fractions, np.array(lines, np.int32), turn, confidence, is_sideways)


def _spots(result: Any) -> list[Any]:
    """For each line its characters with their boxes, or None where RapidOCR leaves them out."""
    spots = result.word_results or ()
    return list(spots) if len(spots) == len(result.txts or ()) else [None] * len(result.txts or ())


def _words_of_line(text: str, corners: NDArray[np.float64], spots: Any) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """The line's words, each with its (left, top, right, bottom) in pixels: around its characters, or an even share.

    ``corners`` (4, 2) of the line from its first character's upper corner clockwise.
    """
    characters = [np.asarray(spot[2], np.float64) for spot in spots or () if spot[0].strip()]
    if len(characters) != len("".join(text.split())):
        characters = _even_shares(text, corners)
    used = 0
    for match in re.finditer(r"\S+", text):
        points = np.concatenate(characters[used : used + len(match.group())])
        used += len(match.group())
        if word := _clean(match.group()):
            yield word, np.concatenate([points.min(axis=0), points.max(axis=0)])


def _even_shares(text: str, corners: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """The corners (4, 2) of each character but spaces, as if all were equally wide."""
    along = (corners[1] - corners[0]) / len(text), (corners[2] - corners[3]) / len(text)
    upper, lower = corners[0], corners[3]
    return [
        np.array(
            [upper + at * along[0], upper + (at + 1) * along[0], lower + (at + 1) * along[1], lower + at * along[1]]
        )
        for at, char in enumerate(text)
        if not char.isspace()
    ]


def _turn_back(boxes: NDArray[np.float32], turn: int) -> NDArray[np.float32]:
    """(n, 4) boxes on a picture that was turned against the clock, on the picture before."""
    left, top, right, bottom = boxes.T
    turned = {
        0: (left, top, right, bottom),
        90: (1 - bottom, left, 1 - top, right),
        180: (1 - right, 1 - bottom, 1 - left, 1 - top),
        270: (top, 1 - right, bottom, 1 - left),
    }
    return np.stack(turned[turn], axis=1)


def _ocr_engine() -> Any:
    """The engine, made when first needed from the models in RapidOCR's wheel; it may be called by several threads.

    One line at a time and one thread a page: lines need no padding then and threads don't wait for each other, which
    takes two thirds of the processor time. The classifier of upside-down lines is off, since it turns sound lines over
    (recall .994 → .980); `_read_picture` turns the page instead.
    """
    global _engine
    with _engine_lock:
        if _engine is None:
            try:
                # onnxruntime reports to its maker from its import on, and leaves a device id in the home folder.
                with environment(ORT_DISABLE_TELEMETRY="1"):
                    import onnxruntime  # noqa: F401
                    from rapidocr import RapidOCR
            except ImportError as error:  # OpenCV needs libGL, which bare servers lack
                raise MissingExtra(
                    f"OCR cannot start: {error}. Install what is missing "
                    f"(`{package_command('rapidocr', 'onnxruntime')}`; on a server without a screen "
                    "`apt install libgl1 libglib2.0-0`), or set PAGESIGHT_OCR=false."
                ) from None
            _engine = RapidOCR(params=_OCR_PARAMETERS)
        return _engine
