"""Words on a picture by Tesseract, where it is installed: scripts that RapidOCR's models do not know."""

from __future__ import annotations

import csv
import io
import re
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pagesight.indexing.lexical.tokens import is_unspaced
from pagesight.indexing.page_text.recognised import Recognised
from pagesight.indexing.page_text.words import cleaned

_SECONDS = 60  # for one page; it takes about one. A guess, not measured
_NO_GAP = 0.35  # of a line's height, from which on there is a space between words; a guess, not measured
_WORD = "5"  # level of a row that is a word's


def is_installed() -> bool:
    """Whether the program is on this machine."""
    return shutil.which("tesseract") is not None


@cache
def languages() -> frozenset[str]:
    """The languages whose packs are installed; empty without Tesseract. Script detection is "osd"."""
    if not is_installed():
        return frozenset()
    listed = _run(["--list-langs"], b"").splitlines()
    return frozenset(line.strip() for line in listed if re.fullmatch(r"[\w/]+", line.strip()))


def script(picture: Image.Image) -> str | None:
    """The script of the words on a picture, as Tesseract names it; None where it cannot tell."""
    if "osd" not in languages():
        return None
    told = re.search(
        r"^Script: (\w+)\n+Script confidence: ([\d.]+)", _run(["-", "-", "--psm", "0"], _png(picture)), re.M
    )
    return told[1] if told and float(told[2]) > 0 else None


def read_lines(picture: Image.Image, chosen: Sequence[str]) -> list[Recognised]:
    """The lines on a picture in these languages, in reading order; none if Tesseract fails."""
    told = _run(["-", "-", "-l", "+".join(chosen), "--psm", "3", "tsv"], _png(picture))
    rows = defaultdict[tuple[str, str, str], list[dict[str, str]]](list)
    for row in csv.DictReader(io.StringIO(told), delimiter="\t", quoting=csv.QUOTE_NONE):
        if row.get("level") == _WORD and cleaned(row.get("text") or ""):
            rows[row["block_num"], row["par_num"], row["line_num"]].append(row)
    return [_recognised(row, picture.size) for row in rows.values()]


def _recognised(row: list[dict[str, str]], size: tuple[int, int]) -> Recognised:
    words = [cleaned(word["text"]) for word in row]
    places = np.array([[float(word[side]) for side in ("left", "top", "width", "height")] for word in row])
    corners = np.hstack([places[:, :2], places[:, :2] + places[:, 2:]])
    confidence = float(np.average([float(word["conf"]) for word in row], weights=[len(word) for word in words])) / 100
    words, corners = _without_gaps(words, corners)
    boxes = corners / np.array(size * 2)
    box = np.concatenate([boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)])
    return Recognised(words, boxes.astype(np.float32), box.astype(np.float32), confidence, False, sum(map(len, words)))


def _without_gaps(words: list[str], corners: NDArray[np.float64]) -> tuple[list[str], NDArray[np.float64]]:
    """The words with their corners (n, 4), those of scripts without spaces whole: Tesseract gives them in pieces."""
    height, found, places = np.ptp(corners[:, 1::2]), list[str](), list[NDArray[np.float64]]()
    for word, place in zip(words, corners, strict=True):
        near = found and place[0] - places[-1][2] < _NO_GAP * height
        if near and is_unspaced(found[-1][-1]) and is_unspaced(word[0]):
            found[-1] = cleaned(found[-1] + word)
            places[-1] = np.concatenate([np.minimum(places[-1][:2], place[:2]), np.maximum(places[-1][2:], place[2:])])
        else:
            found.append(word)
            places.append(place)
    return found, np.array(places)


def _png(picture: Image.Image) -> bytes:
    target = io.BytesIO()
    picture.convert("L").save(target, "PNG", compress_level=1, dpi=(150, 150))
    return target.getvalue()


def _run(arguments: list[str], given: bytes) -> str:
    """What Tesseract says, by one thread; nothing where it fails or takes too long."""
    from pagesight.indexing.configuration import environment

    with environment.set_to(OMP_THREAD_LIMIT="1"):
        process = subprocess.Popen(
            ["tesseract", *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
    try:
        told, _ = process.communicate(given, timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return ""
    return told.decode("utf-8", "replace") if process.returncode == 0 else ""
