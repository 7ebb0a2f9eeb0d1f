"""The words on a page's picture, by RapidOCR with the models from its wheel."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pagesight.indexing.documents.document import OpenDocument
from pagesight.indexing.documents.words import cleaned, on_page
from pagesight.indexing.errors import MissingExtra
from pagesight.indexing.installation import package_command
from pagesight.indexing.pages import PageText
from pagesight.indexing.settings import environment

#: Dots per inch of the picture that is read.
OCR_DPI = 96

#: Its longer side in pixels, at least and at most: below 1,100 small print is lost (recall .993 → .986), above 1,300 it
#: only takes longer.
OCR_LONG_SIDE = (1280, 2000)

#: Its pixels at most: finding lines takes 180 MB for each million of them (measured), beside the 330 MB of the models.
OCR_PIXELS = 2_800_000

#: Mean confidence below which the page is tried the other way up. Upright text reads with .9 and more, turned with .6.
SURE = 0.8

# A page that was turned must be read with nearly the confidence of before. A guess, not measured.
_LESS_CONFIDENT = 0.05

# A line this many times as high as wide runs down the page: a short word stays below. A guess, not measured.
_SIDEWAYS = 1.5

_OCR_PARAMETERS = {
    "Global.log_level": "critical",
    "Global.use_cls": False,
    "Global.return_word_box": True,
    "Global.return_single_char_box": True,
    "EngineConfig.onnxruntime.intra_op_num_threads": 1,
    "EngineConfig.onnxruntime.inter_op_num_threads": 1,
    # Measured on a scanned letter and a page of 2,324 words: as fast without, and 350 and 410 MB are held instead of
    # 690 and 1,230.
    "EngineConfig.onnxruntime.enable_cpu_mem_arena": False,
    "Rec.rec_batch_num": 1,
    "Rec.rec_img_shape": [3, 48, 96],  # short lines are padded to 96 pixels, not to 320
}

_engine: Any = None
_engine_lock = threading.Lock()


def read_picture(document: OpenDocument, number: int) -> PageText:
    """The words on the page's picture, which is turned upright to be read.

    Several threads may read at once. Raises UnknownPage, UnreadableDocument for a damaged page, MissingExtra if OCR
    cannot start.
    """
    short, long = sorted(document.size(number))
    long_side = round(
        min(max(long * OCR_DPI / 72, OCR_LONG_SIDE[0]), OCR_LONG_SIDE[1], (OCR_PIXELS * long / short) ** 0.5)
    )
    reading = _read_upright(document.picture(number, long_side=long_side))
    if not reading.words:
        return PageText.empty()
    return on_page(reading.words, _turned_back(reading.boxes, reading.turn), reading.lines, "ocr")


@dataclass(frozen=True)
class _Reading:
    """What was read on a picture turned by ``turn`` degrees against the clock; boxes (n, 4) in 0–1 of that picture.

    ``confidence`` is the mean of the lines' by their length.
    """

    words: list[str]
    boxes: NDArray[np.float32]
    lines: NDArray[np.int32]
    turn: int
    confidence: float
    is_sideways: bool


@dataclass(frozen=True)
class _Line:
    """A line as RapidOCR reads it: ``corners`` (4, 2) in pixels, from its first character's upper one clockwise.

    ``characters`` are the corners of each character but spaces, an even share of the line's where RapidOCR leaves them
    out.
    """

    text: str
    corners: NDArray[np.float64]
    characters: list[NDArray[np.float64]]
    confidence: float


def _read_upright(picture: Image.Image) -> _Reading:
    """The picture as it is, or turned, if it then reads better."""
    reading = _read(picture, 0)
    if not reading.words or (reading.confidence >= SURE and not reading.is_sideways):
        return reading
    turns = (90, 270) if reading.is_sideways else (180,)
    enough = max(SURE, reading.confidence - _LESS_CONFIDENT)
    return next((turned for turn in turns if (turned := _read(picture, turn)).confidence > enough), reading)


def _read(picture: Image.Image, turn: int) -> _Reading:
    """Reads the picture turned by 0, 90, 180 or 270 degrees."""
    picture = picture.rotate(turn, expand=True) if turn else picture
    lines = _lines(_ocr_engine()(np.asarray(picture)[:, :, ::-1]))
    found = [(*word, number) for number, line in enumerate(lines) for word in _words(line)]
    if not found:
        return _Reading([], np.zeros((0, 4), np.float32), np.zeros(0, np.int32), turn, 0.0, False)
    words, boxes, numbers = zip(*found, strict=True)
    fractions = (np.array(boxes) / np.array(picture.size * 2)).astype(np.float32)
    confidence = float(np.average([line.confidence for line in lines], weights=[len(line.text) for line in lines]))
    return _Reading(list(words), fractions, np.array(numbers, np.int32), turn, confidence, _is_sideways(lines))


def _lines(result: Any) -> list[_Line]:
    """RapidOCR's lines; none where it found no text."""
    if not result.txts:
        return []
    characters = result.word_results or ()
    if len(characters) != len(result.txts):
        characters = [()] * len(result.txts)
    found = zip(result.txts, result.boxes, characters, result.scores, strict=True)
    return [_line(text, np.asarray(corners, np.float64), placed, score) for text, corners, placed, score in found]


def _line(text: str, corners: NDArray[np.float64], placed: Any, score: float) -> _Line:
    """A line from what RapidOCR says of it; each of ``placed`` is a character, its score and its corners."""
    characters = [np.asarray(box, np.float64) for character, _, box in placed or () if character.strip()]
    if len(characters) != len("".join(text.split())):
        characters = _even_shares(text, corners)
    return _Line(text, corners, characters, float(score))


def _is_sideways(lines: list[_Line]) -> bool:
    """Whether most of the text runs up or down the page."""
    extents = np.array([np.ptp(line.corners, axis=0) for line in lines])
    sideways = extents[:, 1] > _SIDEWAYS * extents[:, 0]
    return float(np.average(sideways, weights=[len(line.text) for line in lines])) > 0.5


def _words(line: _Line) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """The line's words, each with the (left, top, right, bottom) around its characters, in pixels."""
    used = 0
    for match in re.finditer(r"\S+", line.text):
        points = np.concatenate(line.characters[used : used + len(match.group())])
        used += len(match.group())
        if word := cleaned(match.group()):
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


def _turned_back(boxes: NDArray[np.float32], turn: int) -> NDArray[np.float32]:
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
    (recall .994 → .980); `_read_upright` turns the page instead.
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
