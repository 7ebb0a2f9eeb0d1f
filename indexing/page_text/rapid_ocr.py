"""Words on a picture by RapidOCR, with the models from its wheel: Latin letters, Chinese and Japanese."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pagesight.indexing.configuration.installation import package_command
from pagesight.indexing.errors import MissingExtra
from pagesight.indexing.page_text.recognised import Recognised
from pagesight.indexing.page_text.words import cleaned

# A line this many times as high as wide runs down the page: a short word stays below. A guess, not measured.
_SIDEWAYS = 1.5

# Letters of a line in parts of its height: measured on lines of Latin letters, 2.0 to 2.6.
_LETTERS_FOR_HEIGHT = 2.0

_WORD_MARGIN = 0.2  # around a word that is read alone, in parts of its height; a guess, not measured

_PARAMETERS = {
    "Global.log_level": "critical",
    "Global.use_cls": False,
    "Global.return_word_box": True,
    "Global.return_single_char_box": True,
    "Global.text_score": 0.0,  # what counts as read is decided elsewhere, so that what cannot be read is known
    "EngineConfig.onnxruntime.intra_op_num_threads": 1,
    "EngineConfig.onnxruntime.inter_op_num_threads": 1,
    # Measured on a scanned letter and a page of 2,324 words: as fast without, and 350 and 410 MB are held instead of
    # 690 and 1,230.
    "EngineConfig.onnxruntime.enable_cpu_mem_arena": False,
    "Det.limit_side_len": 64,  # parts of a page are not enlarged to 736 pixels, which took five times as long
    "Rec.rec_batch_num": 1,
    "Rec.rec_img_shape": [3, 48, 96],  # short lines are padded to 96 pixels, not to 320
}

_engines: dict[str, Any] = {}
_engine_lock = threading.Lock()
_unread = threading.local()  # the letters of blank lines in the picture that a thread reads


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


@dataclass(frozen=True)
class RapidReading:
    """The lines that were read, from the top down; ``unread`` is about how many letters there are in other lines, which
    RapidOCR found and took for nothing but blanks."""

    lines: list[Recognised]
    unread: float


def read_lines(picture: Image.Image) -> RapidReading:
    """What stands on an RGB picture. Several threads may read at once. Raises MissingExtra if OCR cannot start."""
    _unread.letters = 0.0
    engine = _ocr_engine("lines")
    with _memory_errors():
        result = engine(np.asarray(picture)[:, :, ::-1])
    return RapidReading([_recognised(line, picture.size) for line in _lines(result)], _unread.letters)


def read_words(picture: Image.Image, boxes: NDArray[np.float32]) -> list[tuple[str, float]]:
    """What stands in each of the boxes (n, 4) in 0–1 of an RGB picture, one word in each, and how sure that is, 0–1.

    Raises MissingExtra if OCR cannot start.
    """
    engine = _ocr_engine("words")
    pixels = np.asarray(picture)[:, :, ::-1]
    found = []
    for box in boxes:
        with _memory_errors():
            result = engine(_cut_out(pixels, box))
        found.append((result.txts[0], float(result.scores[0])) if result.txts else ("", 0.0))
    return found


@contextmanager
def _memory_errors() -> Iterator[None]:
    """What onnxruntime says of too little memory is a MemoryError: the page is then read again by a new process."""
    try:
        yield
    except Exception as error:
        if "bad_alloc" in str(error) or "Failed to allocate memory" in str(error):
            raise MemoryError(str(error)) from None
        raise


def _cut_out(pixels: NDArray[np.uint8], box: NDArray[np.float32]) -> NDArray[np.uint8]:
    height, width = pixels.shape[:2]
    left, top, right, bottom = (box * np.array([width, height, width, height])).tolist()
    margin = _WORD_MARGIN * (bottom - top)
    rows = slice(max(int(top - margin), 0), int(np.ceil(bottom + margin)) + 1)
    return np.ascontiguousarray(pixels[rows, max(int(left - margin), 0) : int(np.ceil(right + margin)) + 1])


def _recognised(line: _Line, size: tuple[int, int]) -> Recognised:
    found = list(_words(line))
    scale = np.array(size * 2)
    box = np.concatenate([line.corners.min(axis=0), line.corners.max(axis=0)]) / scale
    width, height = np.ptp(line.corners, axis=0)
    boxes = np.array([corners for _, corners in found]).reshape(-1, 4) / scale
    along, across = max(width, height), max(min(width, height), 1)
    return Recognised(
        [word for word, _ in found],
        boxes.astype(np.float32),
        box.astype(np.float32),
        line.confidence,
        bool(height > _SIDEWAYS * width),
        float(_LETTERS_FOR_HEIGHT * along / across),
    )


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


def _ocr_engine(reads: str) -> Any:
    """The engine for "lines" of a picture or for single "words", made when first needed from the models in RapidOCR's
    wheel; it may be called by several threads.

    One line at a time and one thread a page: lines need no padding then and threads don't wait for each other, which
    takes two thirds of the processor time. The classifier of upside-down lines is off, since it turns sound lines over
    (recall .994 → .980); the whole page is turned instead.
    """
    from pagesight.indexing.configuration import environment

    with _engine_lock:
        if reads not in _engines:
            try:
                # onnxruntime reports to its maker from its import on, and leaves a device id in the home folder.
                with environment.set_to(ORT_DISABLE_TELEMETRY="1"):
                    import onnxruntime  # noqa: F401
                    from rapidocr import RapidOCR

                class Engine(RapidOCR):
                    """Notes the lines that are read as blanks, which RapidOCR leaves out."""

                    def recognize_txt(self, img: list[NDArray[np.uint8]]) -> Any:
                        read = super().recognize_txt(img)
                        texts = zip(img, read.txts or (), strict=True)
                        blank = [crop.shape for crop, text in texts if not text.strip()]
                        _unread.letters = sum(_LETTERS_FOR_HEIGHT * width / height for height, width, _ in blank)
                        return read

            except ImportError as error:  # OpenCV needs libGL, which bare servers lack
                raise MissingExtra(
                    f"OCR cannot start: {error}. Install what is missing "
                    f"(`{package_command('rapidocr', 'onnxruntime')}`; on a server without a screen "
                    "`apt install libgl1 libglib2.0-0`), or set PAGESIGHT_OCR=false."
                ) from None
            _engines[reads] = Engine(params=_PARAMETERS | {"Global.use_det": reads == "lines"})
        return _engines[reads]
