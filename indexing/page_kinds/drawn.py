"""What a small picture of a page shows beside words: bars and pies of charts, cells of tables, and photos."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pagesight.indexing.page_kinds.pies import pies
from pagesight.indexing.page_kinds.ruled_tables import has_ruled_table
from pagesight.indexing.pages import Box, PageText

#: Pixels of the longer side of the picture that is looked at: a bar of a chart is some pixels thick, and a page takes
#: 8 ms to draw.
LONG_SIDE = 400

# All were set while looking at pages of mmlb-dev (docs/quality.md), so they will do worse on other documents.
_THIN, _LONG = 3, 6  # pixels, at least, of a bar
FEWEST_BARS, _LONGEST_OF_A_CHART = 3, 20
_BESIDE = 10  # pixels between a bar and the middle of the number at its end, at most
_NUMBER = re.compile(r"[-−+]?\$?\d{1,3}(?:[.,]?\d+)*%?")
_OF_COLOUR = 0.15  # of a colour's pixels lie in the bars of a chart, at least: what is between lines on a panel is none
_MOST_RECTANGLES = 2000  # that are looked at
_LARGEST_BAR = 0.25  # of the page
_PALE = 235  # a colour lighter than it in all channels is no bar's
_BLOCK = 8  # pixels of the sides of the blocks that photos are made of
_FEWEST_SHADES, _LEAST_CONTRAST = 32, 5.0  # of a block's 64 pixels; of their brightness, as standard deviation


@dataclass(frozen=True)
class Drawn:
    """``charts`` are where bars with numbers at them stand, ``bars`` how many others one chart has at most.

    ``pies`` are where discs with shares of a whole stand, and ``ruled`` says whether cells of a table are drawn.
    ``photo`` is the share of the page that photos cover, ``drawing`` that of all that is drawn beside words, 0-1.
    """

    charts: list[Box]
    bars: int
    pies: list[Box]
    ruled: bool
    photo: float
    drawing: float


def drawn(picture: Image.Image, text: PageText) -> Drawn:
    """What the page's picture, `LONG_SIDE` long, shows beside its words."""
    pixels = np.array(picture.convert("RGB"))
    boxes = _in_pixels(text, pixels)
    photo, drawing = _photo_and_drawing(pixels, _under_words(pixels, boxes))
    lettered = np.array([any(map(str.isalpha, word)) for word in text.words], np.bool_)
    ruled = has_ruled_table(pixels, boxes, lettered)
    numbers = boxes[[_NUMBER.fullmatch(word) is not None for word in text.words]] if text.words else boxes
    _wipe(pixels, numbers)
    charts = list(_bars(_rectangles(pixels)))
    labelled = [with_one for each in charts if _differing(with_one := _with_number(each, numbers)) >= FEWEST_BARS]
    bars = max(map(_differing, charts), default=0)
    round_ones = pies(pixels, text.words, boxes)
    return Drawn([_around(each, pixels) for each in labelled], bars, round_ones, ruled, photo, drawing)


def _around(bars: NDArray[np.int64], pixels: NDArray[np.uint8]) -> Box:
    height, width = pixels.shape[:2]
    left, top = bars[:, :2].min(axis=0).tolist()
    right, bottom = bars[:, 2:].max(axis=0).tolist()
    return left / width, top / height, right / width, bottom / height


def _in_pixels(text: PageText, pixels: NDArray[np.uint8]) -> NDArray[np.int64]:
    """(words, 4): where words lie: left, top, right, bottom."""
    height, width = pixels.shape[:2]
    edges = np.nan_to_num(np.clip(text.boxes, 0, 1)) * np.array([width - 1, height - 1, width - 1, height - 1])
    return np.concatenate([np.floor(edges[:, :2]), np.ceil(edges[:, 2:])], 1).astype(np.int64)


def _wipe(pixels: NDArray[np.uint8], boxes: NDArray[np.int64]) -> None:
    """Fill the boxes of words with what is to the left of them, where the same is to the right: a label in a bar."""
    width = pixels.shape[1]
    for left, top, right, bottom in boxes.tolist():
        before, behind, rows = max(left - 2, 0), min(right + 1, width - 1), slice(max(top - 1, 0), bottom + 1)
        same = (pixels[rows, before] >> 4 == pixels[rows, behind] >> 4).all(axis=-1)
        part = pixels[rows, before:behind]
        part[same] = pixels[rows, before][same][:, None]


def _with_number(bars: NDArray[np.int64], numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """The bars, (n, 4), that have a number in or right at them."""
    middles = (numbers[:, :2] + numbers[:, 2:]) / 2
    near = (middles[:, None] >= bars[None, :, :2] - _BESIDE) & (middles[:, None] <= bars[None, :, 2:] + _BESIDE)
    return bars[near.all(axis=-1).any(axis=0)]


def _under_words(pixels: NDArray[np.uint8], boxes: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(height, width): the pixels that words cover."""
    covered = np.zeros(pixels.shape[:2], np.bool_)
    for left, top, right, bottom in boxes.tolist():
        covered[max(top, 0) : bottom + 1, max(left, 0) : right + 1] = True
    return covered


def _rectangles(pixels: NDArray[np.uint8]) -> NDArray[np.int64]:
    """(n, 6): left, top, right, bottom in pixels, of what is filled with one colour and not pale; the colour, and how
    many pixels of it the page has."""
    codes = (pixels >> 4).astype(np.int64) @ np.array([256, 16, 1])
    height, width = codes.shape
    changes = np.ones((height, width + 1), np.bool_)
    changes[:, 1:-1] = codes[:, 1:] != codes[:, :-1]
    rows, columns = np.nonzero(changes)
    same_row = rows[1:] == rows[:-1]
    rows, left, right = rows[:-1][same_row], columns[:-1][same_row], columns[1:][same_row]
    colours = codes[rows, left]
    pale = (pixels[rows, left] > _PALE).all(axis=1)
    kept = ~pale & (right - left >= _THIN)
    rows, left, right, colours = rows[kept], left[kept], right[kept], colours[kept]
    order = np.lexsort((rows, right, left, colours))
    rows, left, right, colours = rows[order], left[order], right[order], colours[order]
    if not len(rows):
        return np.zeros((0, 6), np.int64)
    goes_on = (np.diff(rows) == 1) & (np.diff(left) == 0) & (np.diff(right) == 0) & (np.diff(colours) == 0)
    first = np.flatnonzero(np.append(True, ~goes_on))
    last = np.append(first[1:], len(rows)) - 1
    everywhere = np.bincount(codes.ravel(), minlength=4096)[colours[first]]
    found = np.stack([left[first], rows[first], right[first], rows[last] + 1, colours[first], everywhere], axis=1)
    sides = found[:, 2:4] - found[:, :2]
    size = sides.prod(axis=1) / (height * width)
    fits = (sides.min(axis=1) >= _THIN) & (sides.max(axis=1) >= _LONG) & (size < _LARGEST_BAR)
    return np.asarray(found[fits][:_MOST_RECTANGLES])


def _bars(rectangles: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Rectangles, (n, 4), of one colour that stand side by side on one line, and are equally thick: bars, maybe."""
    for base, thick in ((0, (1, 3)), (3, (0, 2))):  # bars that lie, and those that stand
        thickness = rectangles[:, thick[1]] - rectangles[:, thick[0]]
        left = np.ones(len(rectangles), np.bool_)
        for at in range(len(rectangles)):
            if not left[at]:
                continue
            alike = (rectangles[:, 4] == rectangles[at, 4]) & (abs(rectangles[:, base] - rectangles[at, base]) <= 1)
            alike &= abs(thickness - thickness[at]) <= 1
            left &= ~alike
            bars = rectangles[alike, :4]
            if (
                len(bars) >= FEWEST_BARS
                and (bars[:, 2:] - bars[:, :2]).prod(axis=1).sum() >= _OF_COLOUR * rectangles[at, 5]
            ):
                yield bars


def _differing(bars: NDArray[np.int64]) -> int:
    """How many lengths bars have, and places beside each other: a row of alike boxes is no chart."""
    if len(bars) < FEWEST_BARS:
        return 0
    sides, corners = bars[:, 2:] - bars[:, :2], bars[:, :2]
    across = int(np.ptp(bars[:, 0]) <= np.ptp(bars[:, 3]))  # lying bars stand one below the other
    lengths = np.unique(sides[:, 1 - across])
    if lengths[-1] < _LONGEST_OF_A_CHART:
        return 0
    apart = len(np.unique(corners[:, across]))
    return min(1 + int((np.diff(lengths) > 1).sum()), apart)


def _photo_and_drawing(pixels: NDArray[np.uint8], words: NDArray[np.bool_]) -> tuple[float, float]:
    """Which part of the page lies under blocks with as many shades as a photo's, side by side; and under any."""
    height, width = (edge // _BLOCK for edge in words.shape)
    if not height or not width:
        return 0.0, 0.0
    cut = slice(0, height * _BLOCK), slice(0, width * _BLOCK)
    blocks = pixels[cut].reshape(height, _BLOCK, width, _BLOCK, 3).swapaxes(1, 2).reshape(height, width, -1, 3)
    with_words = words[cut].reshape(height, _BLOCK, width, _BLOCK).any(axis=(1, 3))
    inked = (blocks[..., 1].astype(np.float32).std(axis=-1) >= _LEAST_CONTRAST) & ~with_words
    shades = np.sort((blocks[inked] >> 3).astype(np.int32) @ np.array([1024, 32, 1]), axis=-1)
    photo = np.zeros_like(inked)
    photo[inked] = 1 + (np.diff(shades, axis=-1) != 0).sum(axis=-1) >= _FEWEST_SHADES
    return float(_with_neighbours(photo).mean()), float(inked.mean())


def _with_neighbours(blocks: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The blocks most of whose neighbours are of the kind as well: a photo, and no logo or edge."""
    padded = np.pad(blocks.astype(int), 1)
    around = sum(
        padded[1 + down : 1 + down + blocks.shape[0], 1 + right : 1 + right + blocks.shape[1]]
        for down in (-1, 0, 1)
        for right in (-1, 0, 1)
    )
    return blocks & (np.asarray(around) >= 6)
