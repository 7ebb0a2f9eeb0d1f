"""The words on a page's picture: turned upright, by the engine that knows their script, in the order of reading."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pagesight.indexing.page_text import rapid_ocr, tesseract
from pagesight.indexing.page_text.columns import in_columns
from pagesight.indexing.page_text.rapid_ocr import RapidReading
from pagesight.indexing.page_text.reading_order import Line
from pagesight.indexing.page_text.recognised import Recognised, mean_confidence
from pagesight.indexing.page_text.scripts import (
    OF_SCRIPT,
    SECOND_ENGINE,
    is_vietnamese,
    languages_of,
    share_of_unread_scripts,
)

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

# Confidence of a line below which it is not taken for text: RapidOCR's own, and more for what is found in pictures,
# where leaves and windows look like letters. The second is a guess, not measured.
_LEAST_SURE, _LEAST_SURE_IN_PICTURES = 0.5, 0.7

# RapidOCR leaves out letters that it does not know, and is fairly sure of the others: Russian is read as blanks, of
# Greek less than two thirds of the letters. Measured on lines of nine languages; of those that it knows .9 and more.
_UNREAD = 0.62
_UNSURE = 0.92  # the confidence below which a script may be another; a guess, not measured
# Where nothing tells the script, all languages that are here are tried, more than a script has. Of what Tesseract makes
# of another script it is not sure: measured .49 to .57 on three such pictures, .81 to .97 on right ones.
_GUESSED, _LEAST_SURE_OF_A_SCRIPT = 4, 0.7
# Which part of a line's letters is read at least where all are known. Of Greek it is two thirds.
_MOSTLY_READ = 0.8
# Fewer letters that should be there say nothing of a script. A guess, not measured.
_FEW_LETTERS = 12


@dataclass(frozen=True)
class PictureText:
    """What was read on a picture: lines in reading order, boxes in 0–1 of it, and what may be missing, in words."""

    lines: list[Line]
    warnings: tuple[str, ...] = ()


def ocr_long_side(size: tuple[float, float]) -> int:
    """The longer side in pixels of the picture of a page of this size in points that OCR reads best."""
    short, long = sorted(size)
    most = min(OCR_LONG_SIDE[1], math.sqrt(OCR_PIXELS * long / short))
    return round(min(max(long * OCR_DPI / 72, OCR_LONG_SIDE[0]), most))


def read_page_picture(picture: Image.Image, languages: str = "auto") -> PictureText:
    """The lines on the picture of a whole page, which is turned upright to be read.

    ``languages`` as in `DocumentSettings.ocr_languages`. Several threads may read at once. Raises MissingExtra if OCR
    cannot start.
    """
    turn, reading = _read_upright(picture)
    upright = picture.rotate(turn, expand=True) if turn else picture
    lines, warnings = _in_languages(upright, reading, languages_of(languages))
    kept = [line for line in lines if line.words and line.confidence >= _LEAST_SURE]
    aspect = upright.width / upright.height
    order = in_columns(np.array([line.box for line in kept]).reshape(-1, 4), [line.length for line in kept], aspect)
    ordered = [kept[place] for place in order]
    return PictureText([Line(line.words, _turned_back(line.boxes, turn)) for line in ordered], warnings)


def read_part(picture: Image.Image, languages: str = "auto", near: tuple[str, ...] = ()) -> PictureText:
    """The lines on a part of a page, such as a chart, their boxes in 0–1 of it.

    ``near`` are the languages of the page's own words, for a part that says too little to tell. Raises as
    `read_page_picture` does.
    """
    turn, reading = 0, rapid_ocr.read_lines(picture)
    confidence, sideways = mean_confidence(reading.lines), _is_sideways(reading.lines)
    if sideways or (confidence < SURE and _has_doubtful_line(reading)):
        enough = max(SURE, confidence - _LESS_CONFIDENT)
        turn, reading = _turned(picture, reading, (90, 270) if sideways else (180,), enough)
    upright = picture.rotate(turn, expand=True) if turn else picture
    lines, warnings = _in_languages(upright, reading, languages_of(languages), near)
    kept = [line for line in lines if line.words and line.confidence >= _LEAST_SURE_IN_PICTURES]
    return PictureText([Line(line.words, _turned_back(line.boxes, turn)) for line in kept], warnings)


def read_words(picture: Image.Image, boxes: NDArray[np.float32]) -> list[tuple[str, float]]:
    """See `pagesight.indexing.page_text.rapid_ocr.read_words`."""
    return rapid_ocr.read_words(picture, boxes)


def _read_upright(picture: Image.Image) -> tuple[int, RapidReading]:
    """What stands on the picture as it is, or turned by so many degrees against the clock if it then reads better."""
    reading = rapid_ocr.read_lines(picture)
    confidence, sideways = mean_confidence(reading.lines), _is_sideways(reading.lines)
    seems_upright = confidence >= SURE and not sideways
    if not confidence or (seems_upright and not _is_doubtful(reading)):
        return 0, reading
    # a few words upside down may read as some of another script
    enough = max(_UNSURE, confidence) if seems_upright else max(SURE, confidence - _LESS_CONFIDENT)
    return _turned(picture, reading, (90, 270) if sideways else (180,), enough)


def _turned(
    picture: Image.Image, reading: RapidReading, turns: Sequence[int], enough: float
) -> tuple[int, RapidReading]:
    """What stands on the picture turned by one of these degrees, where that is surer than ``enough``."""
    for turn in turns:
        turned = rapid_ocr.read_lines(picture.rotate(turn, expand=True))
        if mean_confidence(turned.lines) > enough:
            return turn, turned
    return 0, reading


def _is_sideways(lines: Sequence[Recognised]) -> bool:
    """Whether most of the text runs up or down the page."""
    lengths = np.array([line.length for line in lines])
    return bool(lengths.sum()) and float(np.average([line.is_sideways for line in lines], weights=lengths)) > 0.5


def _in_languages(
    picture: Image.Image, reading: RapidReading, asked: tuple[str, ...], near: tuple[str, ...] | None = None
) -> tuple[list[Recognised], tuple[str, ...]]:
    """The lines as the engine reads them that knows their languages, and what is missing where none does.

    ``near`` are the languages that what is no whole page may be in.
    """
    lines = reading.lines
    wanted = asked or _unknown_languages(picture, reading, near)
    if not wanted or (asked and not set(asked) & SECOND_ENGINE):
        return lines, ()
    here = [language for language in wanted if language in tesseract.languages()]
    if not here:
        return _without_guesses(lines), (_not_read(wanted),)
    read = tesseract.read_lines(picture, here)
    if asked:
        return read, ()
    return _surer(lines, read, len(here) > _GUESSED, _LEAST_SURE if near is None else 0.0)


def _surer(
    lines: list[Recognised], read: list[Recognised], is_guess: bool, least: float
) -> tuple[list[Recognised], tuple[str, ...]]:
    """The lines as RapidOCR or as Tesseract reads them, and what is missing where it is a guess that fails.

    What RapidOCR reads surer than ``least`` is then a bad scan or a photo, and no other script.
    """
    if is_guess and mean_confidence(read) < _LEAST_SURE_OF_A_SCRIPT:
        is_other = mean_confidence(lines) <= least
        return (_without_guesses(lines), (_not_read(("osd",)),)) if is_other else (lines, ())
    return (_with_surely_read(read, lines), ()) if _worth(read) > _worth(lines) else (lines, ())


def _unknown_languages(picture: Image.Image, reading: RapidReading, near: tuple[str, ...] | None) -> tuple[str, ...]:
    """The languages of a picture's script where RapidOCR's reading says that it does not know it."""
    if is_vietnamese(_text(reading)):
        return OF_SCRIPT["Vietnamese"]
    if not _is_doubtful(reading) or (near is not None and not _has_doubtful_line(reading)):
        return ()
    script = tesseract.script(picture)
    if script in OF_SCRIPT:
        return OF_SCRIPT[script]
    if script is not None and not _lacks_letters(reading):
        return ()
    if "osd" not in tesseract.languages():
        return near or ("osd",)
    return near or tuple(sorted(SECOND_ENGINE & tesseract.languages()))  # all that are here are tried


def _is_doubtful(reading: RapidReading) -> bool:
    """Whether much of what stands there was not read, or not surely."""
    lines, text = reading.lines, _text(reading)
    if _expected(reading) < _FEW_LETTERS:
        return False
    return (
        _lacks_letters(reading)
        or (mean_confidence(lines) < _UNSURE and _wide(text) < len(text) / 2)
        or share_of_unread_scripts(text) > 0.3
    )


def _lacks_letters(reading: RapidReading) -> bool:
    """Whether much of what stands there was not read."""
    return sum(line.length for line in reading.lines) + _wide(_text(reading)) < _UNREAD * _expected(reading)


def _expected(reading: RapidReading) -> float:
    """About how many letters there are."""
    return sum(line.letters for line in reading.lines) + reading.unread


def _wide(text: str) -> int:
    """How many characters are as wide as two letters, as Chinese and Japanese ones."""
    return sum(ord(char) >= 0x2E80 for char in text)


def _with_surely_read(read: Sequence[Recognised], lines: Sequence[Recognised]) -> list[Recognised]:
    """Tesseract's lines, in their place those of its own letters that RapidOCR read surely, from the top down."""
    sure = [line for line in lines if _is_surely_read(line)]
    middles = [(line.box[:2] + line.box[2:]) / 2 for line in read]
    taken = [any((one.box[:2] < at).all() and (at < one.box[2:]).all() for one in sure) for at in middles]
    others = [line for line, is_taken in zip(read, taken, strict=True) if not is_taken]
    return sorted([*others, *sure], key=lambda line: float(line.box[1])) if sure else others


def _is_surely_read(line: Recognised) -> bool:
    """Whether RapidOCR knows all letters of a line of some length."""
    letters = sum(map(str.isalpha, "".join(line.words)))
    return letters >= _FEW_LETTERS and line.confidence >= _UNSURE and line.length >= _MOSTLY_READ * line.letters


def _has_doubtful_line(reading: RapidReading) -> bool:
    """Whether a line of some length was not read, or not surely: signs and leaves look like single letters."""
    lines = [line for line in reading.lines if line.letters >= _FEW_LETTERS / 2]
    unsure = any(line.length < _UNREAD * line.letters or line.confidence < _UNSURE for line in lines)
    return unsure or reading.unread >= _FEW_LETTERS / 2


def _text(reading: RapidReading) -> str:
    return " ".join(word for line in reading.lines for word in line.words)


def _worth(lines: Sequence[Recognised]) -> float:
    return mean_confidence(lines) * sum(line.length for line in lines)


def _without_guesses(lines: Sequence[Recognised]) -> list[Recognised]:
    """The lines that are surely of letters that RapidOCR knows; of others it gives what looks like them."""
    return [
        line
        for line in lines
        if line.confidence >= _UNSURE and line.length >= _UNREAD * line.letters and len(line.words) > 0
    ]


def _not_read(wanted: Sequence[str]) -> str:
    packs = " ".join(f"tesseract-ocr-{language.replace('_', '-')}" for language in dict.fromkeys(("osd", *wanted)))
    what = "in a script that RapidOCR does not read" if wanted == ("osd",) else f"in {' or '.join(wanted)}"
    return (
        f"words on it may be {what} and are missing. Install Tesseract with the language's pack: "
        f"`apt install tesseract-ocr {packs}`"
        + (" and the packs of your languages, such as tesseract-ocr-rus" if wanted == ("osd",) else "")
        + ", or name the languages that are there (PAGESIGHT_OCR_LANGUAGES=eng), and index again."
    )


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


def moved(lines: Sequence[Line], region: NDArray[np.float32]) -> list[Line]:
    """Lines on a region (4,) of a page, their boxes in 0–1 of it, on the page."""
    corner, size = region[:2], region[2:] - region[:2]
    return [replace(line, boxes=line.boxes * np.tile(size, 2) + np.tile(corner, 2)) for line in lines]
