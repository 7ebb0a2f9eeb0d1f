"""Pie and ring charts, as a small picture of a page shows them: a disc of several colours with shares of a whole."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pagesight.indexing.pages import Box

# All were set while looking at pages of mmlb-dev (docs/quality.md), so they will do worse on other documents.
_SMALLEST = 24  # pixels of its diameter
_ROUND = 0.9  # of the ellipse around it that it covers, at least
_OVAL = 1.15  # its longer side by the shorter one, at most: pies are drawn from the front
_BESIDE = 0.4  # of its diameter, how far its numbers stand from it, at most
_WHOLE = 95, 105  # what its shares come to, in per cent: they are rounded, and one may not be printed
_FEWEST_SHARES, _FEWEST_COLOURS, _OF_A_COLOUR = 2, 2, 0.04
_INK = 30  # by which a channel, 0-255, differs from the page's own colour
_SHARE = re.compile(r"(\d{1,2}(?:[.,]\d+)?)%?")


def pies(pixels: NDArray[np.uint8], words: Sequence[str], boxes: NDArray[np.int64]) -> list[Box]:
    """Where the page has discs of several colours whose numbers come to a hundred; ``boxes``, (words, 4), in pixels."""
    shares = [
        (float(share[1].replace(",", ".")), at) for at, word in enumerate(words) if (share := _SHARE.fullmatch(word))
    ]
    if len(shares) < _FEWEST_SHARES:
        return []
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2
    height, width = pixels.shape[:2]
    found = []
    for left, top, right, bottom in _discs(pixels):
        far = _BESIDE * (right - left)
        corners = np.array([left - far, top - far]), np.array([right + far, bottom + far])
        near = [
            share for share, at in shares if (corners[0] <= middles[at]).all() and (middles[at] <= corners[1]).all()
        ]
        if len(near) >= _FEWEST_SHARES and _WHOLE[0] <= sum(near) <= _WHOLE[1]:
            found.append((left / width, top / height, right / width, bottom / height))
    return found


def _discs(pixels: NDArray[np.uint8]) -> list[tuple[int, int, int, int]]:
    """Round shapes of two colours or more: left, top, right, bottom in pixels."""
    import cv2

    red, green, blue = (pixels[..., channel].astype(np.int16) >> 5 for channel in range(3))
    colours = (red << 6) + (green << 3) + blue
    own = np.bincount(colours.ravel()).argmax()
    ground = pixels[colours == own][0]
    apart = cv2.split(cv2.absdiff(pixels, np.broadcast_to(ground, pixels.shape).copy()))
    inked = (cv2.max(cv2.max(apart[0], apart[1]), apart[2]) > _INK).astype(np.uint8)
    square = np.ones((3, 3), np.uint8)  # what divides sectors is closed, and the lines that lead to labels go
    shapes = cv2.morphologyEx(cv2.morphologyEx(inked, cv2.MORPH_CLOSE, square), cv2.MORPH_OPEN, square)
    outlines, _ = cv2.findContours(shapes, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    found = []
    for outline in outlines:
        left, top, width, height = cv2.boundingRect(outline)
        if min(width, height) < _SMALLEST or max(width, height) > _OVAL * min(width, height):
            continue
        if not _ROUND <= cv2.contourArea(outline) / (np.pi / 4 * (width - 1) * (height - 1)) <= 1 / _ROUND:
            continue
        within = np.s_[top : top + height, left : left + width]
        counts = np.bincount(colours[within][shapes[within] > 0])
        if (counts > _OF_A_COLOUR * counts.sum()).sum() >= _FEWEST_COLOURS:
            found.append((left, top, left + width, top + height))
    return found
