"""The reading order of lines that OCR found: columns of prose one after the other, rows of a table as rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

# A gutter is at least so many lines' heights wide; and a column has at least so many lines, of so many characters in
# the middle: fewer are cells of a table, read row by row. Guesses, not measured.
_GUTTER = 0.6
_LEAST_LINES = 3
_LEAST_CHARACTERS = 16
# A gap between lines that parts what is above from what is below, in heights of a line.
_GAP = 0.3
_DEEPEST = 8


def in_columns(boxes: NDArray[np.float32], lengths: Sequence[int], aspect: float) -> list[int]:
    """The places of lines with boxes (n, 4) in 0–1 of the page, and so many characters, in the order of reading.

    ``aspect`` is the page's width as a part of its height. Recursive cuts, down a gutter or across a gap (Nagy and
    Seth, 1984).
    """
    if not len(boxes):
        return []
    height = float(np.median(boxes[:, 3] - boxes[:, 1]))
    return _ordered(list(range(len(boxes))), boxes, np.asarray(lengths), height, aspect, 0)


def _ordered(
    places: list[int], boxes: NDArray[np.float32], lengths: NDArray[np.int64], height: float, aspect: float, depth: int
) -> list[int]:
    if len(places) < 2 * _LEAST_LINES or depth == _DEEPEST:
        return places
    columns = _cut(places, boxes[places][:, [0, 2]], _GUTTER * height / aspect)
    if len(columns) > 1 and all(_is_prose(column, lengths) for column in columns):
        return [place for column in columns for place in _ordered(column, boxes, lengths, height, aspect, depth + 1)]
    bands = _cut(places, boxes[places][:, [1, 3]], _GAP * height)
    if len(bands) == 1:
        return places
    return [place for band in _joined(bands, boxes, lengths, height, aspect) for place in band]


def _joined(
    bands: list[list[int]], boxes: NDArray[np.float32], lengths: NDArray[np.int64], height: float, aspect: float
) -> list[list[int]]:
    """Runs of bands that have a gutter together are read by columns, the others band by band."""
    found: list[list[int]] = []
    start = 0
    while start < len(bands):
        end = _end_of_columns(bands, start, boxes, lengths, height, aspect)
        run = sorted(place for band in bands[start:end] for place in band)
        columns = _cut(run, boxes[run][:, [0, 2]], _GUTTER * height / aspect)
        found += columns if end > start + 1 or _are_columns(columns, lengths) else [run]
        start = end
    return found


def _end_of_columns(
    bands: list[list[int]],
    start: int,
    boxes: NDArray[np.float32],
    lengths: NDArray[np.int64],
    height: float,
    aspect: float,
) -> int:
    """Behind the last of the bands from ``start`` on that are columns of prose together; the next one if none are."""
    best = start + 1
    run: list[int] = []
    for end in range(start, len(bands)):
        run += bands[end]
        columns = _cut(sorted(run), boxes[sorted(run)][:, [0, 2]], _GUTTER * height / aspect)
        if len(columns) == 1:
            break
        if _are_columns(columns, lengths):
            best = end + 1
    return best


def _are_columns(columns: list[list[int]], lengths: NDArray[np.int64]) -> bool:
    return len(columns) > 1 and all(_is_prose(column, lengths) for column in columns)


def _is_prose(places: list[int], lengths: NDArray[np.int64]) -> bool:
    return len(places) >= _LEAST_LINES and float(np.median(lengths[places])) >= _LEAST_CHARACTERS


def _cut(places: list[int], spans: NDArray[np.float32], least: float) -> list[list[int]]:
    """The places in groups whose spans (n, 2) are at least so far apart, the first ones first, in their own order."""
    order = np.argsort(spans[:, 0], kind="stable")
    reached = np.maximum.accumulate(spans[order, 1])
    breaks = np.flatnonzero(spans[order[1:], 0] - reached[:-1] >= least) + 1
    return [sorted(places[place] for place in group) for group in np.split(order, breaks)]
