"""Where on a page OCR has to look: pictures, letters drawn as outlines, and what else the text layer does not cover."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pagesight.indexing.documents.pdfium_pointers import Rectangle

# Smaller pictures are bullets, rules and emblems: least side in parts of the page's height, and least area of the page.
# Guesses: of real pages 90 of 654 with a text layer have pictures over .02.
_LEAST_SIDE, _LEAST_AREA = 0.012, 0.003
# Scans may be cut into strips and tiles: together they fill this part of the rectangle around them. A guess.
_FILLED = 0.8
# Fewer outlines that could be letters are arrows and ornaments. A guess, not measured.
_LEAST_OUTLINES = 6
# Shapes of lines are letters where so many others stand beside one, as parts of its height: of the same height, on the
# same line, near, and not all of one width, as marks and boxes to tick are. Measured on mmlb-dev: without this, 69 of
# 858 pages have shapes like letters.
_LEAST_BESIDE, _SAME, _LEVEL, _NEAR, _VARIED = 3, 0.25, 0.2, 5.0, 0.1
_MOST_STROKES = 5_000  # that are looked at, for time's sake; a guess, not measured
# Outlines stand together in cells of a grid of this many across and down.
_GRID = 40
# From this part of the page on, what is to be read is read in one piece: OCR takes as long for the whole.
WHOLE = 0.6
# A part of a page of which all pixels are alike by so many of 255 is blank; a row or column of pixels is where they are
# more alike than letters and paper ever are. Guesses, not measured.
_CONTRAST, _FAINT = 40, 20
_MARGIN = 0.006  # around a region, so that no letter is cut
# By how much of 255 ink differs from paper, and how wide a gap, as a part of a word's height, ends the word. Guesses.
_INK, _LINES_APART, _WORDS_APART = 60, 0.08, 0.2


def uncovered(
    pictures: NDArray[np.float32], outlines: NDArray[np.float32], others: Sequence[NDArray[np.float32]]
) -> list[NDArray[np.float32]]:
    """The regions (4,) to be read, apart from each other; boxes (n, 4) in 0–1 of the page, ``others`` as they are."""
    pictures = pictures.clip(0, 1)
    large = np.array([_is_large(box) for box in pictures], np.bool_)
    regions = [*pictures[large], *_assembled(pictures[~large])]
    if len(outlines) >= _LEAST_OUTLINES:
        groups = _clusters(outlines.clip(0, 1))
        regions += [_around(group) for group in groups if len(group) >= _LEAST_OUTLINES / 2]
    regions += list(others)
    padded = [np.concatenate([box[:2] - _MARGIN, box[2:] + _MARGIN]).clip(0, 1) for box in regions]
    apart = _apart(padded)
    if sum(_area(box) for box in apart) >= WHOLE:
        return [np.array([0, 0, 1, 1], np.float32)]
    return apart


def to_boxes(rectangles: Sequence[Rectangle], to_page: NDArray[np.float64]) -> NDArray[np.float32]:
    """(n, 4) in 0–1 of the picture, for rectangles in points; ``to_page`` is that of `to_picture`."""
    if not rectangles:
        return np.zeros((0, 4), np.float32)
    corners = np.array(rectangles, np.float64)
    first = corners[:, :2] @ to_page[:, :2].T + to_page[:, 2]
    second = corners[:, 2:] @ to_page[:, :2].T + to_page[:, 2]
    return np.hstack([np.minimum(first, second), np.maximum(first, second)]).astype(np.float32)


def in_rows(shapes: Sequence[Rectangle]) -> list[Rectangle]:
    """Those of the shapes, in points, that stand in rows as letters do, across the page or up it."""
    if len(shapes) <= _LEAST_BESIDE:
        return []
    boxes = np.array(shapes[:_MOST_STROKES], np.float64)
    found = _beside_others(boxes) | _beside_others(boxes[:, [1, 0, 3, 2]]) | _beside_others(-boxes[:, [3, 2, 1, 0]])
    return [shapes[place] for place in np.flatnonzero(found).tolist()]


def _beside_others(boxes: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(n,): the boxes (n, 4) left, bottom, right, top that have others of their height beside them on their line."""
    found, order = np.zeros(len(boxes), np.bool_), np.argsort(boxes[:, 1])
    lefts, bottoms = boxes[order, 0], boxes[order, 1]
    widths, heights = (boxes[:, 2:] - boxes[:, :2])[order].T
    first, last = (np.searchsorted(bottoms, bottoms + by * _LEVEL * heights) for by in (-1, 1))
    for place, (start, end) in enumerate(zip(first.tolist(), last.tolist(), strict=True)):
        apart, height = np.abs(lefts[start:end] - lefts[place]), heights[place]
        beside = (apart > _SAME * height) & (apart < _NEAR * height)
        beside &= np.abs(heights[start:end] - height) < _SAME * height
        if beside.sum() >= _LEAST_BESIDE and np.ptp(widths[start:end][beside]) > _VARIED * height:
            found[[order[place], *order[start:end][beside]]] = True
    return found


def unread_part(
    picture: Image.Image, region: NDArray[np.float32], known: NDArray[np.float32]
) -> tuple[Image.Image, NDArray[np.float32]] | None:
    """What is left of a region (4,) of a page's picture without the boxes (n, 4) that are known, and where it stands.

    Blank rows and columns around it are cut off, since OCR takes as long for them; None if there is nothing else.
    """
    left, top, right, bottom = _pixels(region, picture.size)
    pixels = np.array(picture.crop((left, top, right, bottom)))
    for box in known:
        x0, y0, x1, y1 = _pixels(box, picture.size)
        x0, y0, x1, y1 = max(x0 - left, 0), max(y0 - top, 0), min(x1 - left, right - left), min(y1 - top, bottom - top)
        if x0 < x1 and y0 < y1:
            pixels[y0:y1, x0:x1] = _background(pixels, x0, y0, x1, y1)
    rows, columns = _printed(pixels, 1), _printed(pixels, 0)
    if not (rows and columns and (np.ptp(pixels, axis=(0, 1)) > _CONTRAST).any()):
        return None
    (upper, lower), (first, last) = rows, columns
    edges = np.array([left + first, top + upper, left + last, top + lower]) / np.array([*picture.size] * 2)
    return Image.fromarray(pixels[upper:lower, first:last]), edges.astype(np.float32)


def over_their_ink(picture: Image.Image, boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """The boxes (n, 4) in 0–1 of words on a scan, wider where they cut letters: OCR's layers are often a little too
    narrow, or too high or low, and what they leave of a word would be read as another one.

    A box grows to the next gap between lines or words, by its height at most.
    """
    if not len(boxes):
        return boxes
    grey = np.asarray(picture.convert("L")).astype(np.int16)
    ink = np.abs(grey - np.median(grey[::8, ::8])) > _INK
    grown = np.array([_over_its_ink(ink, _pixels(box, picture.size)) for box in boxes.clip(0, 1)], np.float32)
    grown /= np.array([*picture.size] * 2, np.float32)
    return grown


def _over_its_ink(ink: NDArray[np.bool_], box: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    x0, y0, x1, y1 = box
    height = max(y1 - y0, 1)
    y0, y1 = (
        y0 - _reach(ink[max(y0 - height, 0) : y0, x0:x1][::-1], _LINES_APART * height),
        y1 + _reach(ink[y1 : y1 + height, x0:x1], _LINES_APART * height),
    )
    columns = ink[y0:y1].T
    before, after = columns[max(x0 - height, 0) : x0][::-1], columns[x1 : x1 + height]
    return x0 - _reach(before, _WORDS_APART * height), y0, x1 + _reach(after, _WORDS_APART * height), y1


def _reach(lines: NDArray[np.bool_], gap: float) -> int:
    """How many lines of pixels, from an edge outwards, come before the first gap without ink that is wider."""
    end = 0
    for place in np.flatnonzero(lines.any(axis=1)).tolist():
        if place - end > gap:
            break
        end = place + 1
    return end


def _printed(pixels: NDArray[np.uint8], across: int) -> tuple[int, int] | None:
    """From which row (``across`` 1) or column (0) to which something is printed, with a margin; None if nothing is."""
    varied = (np.ptp(pixels, axis=across) > _FAINT).any(axis=1)
    if not varied.any():
        return None
    places, margin = np.flatnonzero(varied), math.ceil(_MARGIN * max(pixels.shape))
    return max(int(places[0]) - margin, 0), min(int(places[-1]) + margin + 1, len(varied))


def _background(pixels: NDArray[np.uint8], x0: int, y0: int, x1: int, y1: int) -> NDArray[np.uint8]:
    """The colour around a box: the middling one of the rows above and below it."""
    rows = pixels[[max(y0 - 1, 0), min(y1, len(pixels) - 1)], x0:x1].reshape(-1, 3)
    return np.asarray(np.median(rows, axis=0), np.uint8)


def _pixels(box: NDArray[np.float32], size: tuple[int, int]) -> tuple[int, int, int, int]:
    left, top, right, bottom = (box * np.array([*size, *size])).tolist()
    return int(left), int(top), int(np.ceil(right)), int(np.ceil(bottom))


def _is_large(box: NDArray[np.float32]) -> bool:
    return bool((box[2:] - box[:2]).min() >= _LEAST_SIDE and _area(box) >= _LEAST_AREA)


def _area(box: NDArray[np.float32]) -> float:
    return float(np.prod(np.maximum(box[2:] - box[:2], 0)))


def _assembled(pieces: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """Boxes around small pictures that are strips and tiles of large ones."""
    groups = [(_around(group), group) for group in (_clusters(pieces) if len(pieces) else [])]
    return [box for box, group in groups if _is_large(box) and sum(map(_area, group)) >= _FILLED * _area(box)]


def _around(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.concatenate([boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)])


def _clusters(boxes: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """The boxes (n, 4), those together that stand together."""
    cells = np.minimum(((boxes[:, :2] + boxes[:, 2:]) / 2 * _GRID).astype(int), _GRID - 1)
    taken = {(x, y) for x, y in cells.tolist()}
    number: dict[tuple[int, int], int] = {}
    for start in taken:
        if start not in number:
            _spread(start, len(number), taken, number)
    owners = np.array([number[x, y] for x, y in cells.tolist()])
    return [boxes[owners == owner] for owner in np.unique(owners)]


def _spread(
    start: tuple[int, int], owner: int, taken: set[tuple[int, int]], number: dict[tuple[int, int], int]
) -> None:
    """Number all cells that neighbour the start, by way of others too; words have gaps, across the page and up it."""
    waiting = [start]
    while waiting:
        x, y = waiting.pop()
        if (x, y) in taken and (x, y) not in number:
            number[x, y] = owner
            waiting += [(x + dx, y + dy) for dx in range(-3, 4) for dy in range(-2, 3)]


def _apart(boxes: list[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
    """The boxes, those that overlap joined."""
    left = list(boxes)
    found: list[NDArray[np.float32]] = []
    while left:
        box = left.pop()
        touching = [place for place, other in enumerate(left) if _overlap(box, other)]
        if not touching:
            found.append(box)
            continue
        for place in reversed(touching):
            other = left.pop(place)
            box = np.concatenate([np.minimum(box[:2], other[:2]), np.maximum(box[2:], other[2:])])
        left.append(box)
    return found


def _overlap(one: NDArray[np.float32], other: NDArray[np.float32]) -> bool:
    return bool((np.minimum(one[2:], other[2:]) > np.maximum(one[:2], other[:2])).all())
