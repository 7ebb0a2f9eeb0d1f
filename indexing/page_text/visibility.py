"""Which words of a text layer are seen: not those of hidden layers, white on white, or under a black bar."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pagesight.indexing.documents.page_objects import PageObjects
from pagesight.indexing.page_text.text_layer import LAYERED, LIGHT, LayerWords

_LEAST_CONTRAST = 16  # of 255, of what can be seen; a guess, not measured

# A word of so many letters, each of which is no larger than this part of the page in both directions: half a point on
# A4. And what a word may reach beyond a bar that hides it. Guesses, not measured.
_LEAST_LETTERS, _LEAST_SIDE = 3, 0.0006
_BARELY = 0.001

_MOST_AREAS = 5_000  # that are looked at, for time's sake; a guess, not measured


def is_seen(
    layer: LayerWords,
    objects: PageObjects,
    areas: NDArray[np.float32],
    bars: NDArray[np.float32],
    picture: Callable[[], Image.Image],
) -> NDArray[np.bool_]:
    """(n,): whether each word is seen. ``areas`` and ``bars`` (m, 4) are those of the objects in 0–1 of the picture.

    Only what may be invisible is looked at on the picture, which is made then: where a word's box is all of one colour,
    there is nothing to see. What stands on a bar over a word says nothing of the word.
    """
    seen = ~(_is_replaced(layer, objects.bars, bars) | _is_microscopic(layer))
    doubtful = seen & (_may_have_no_ink(layer, objects, areas) | _is_covered(layer, objects, areas))
    if doubtful.any():
        pixels = np.asarray(picture()).astype(np.int16)
        for place in np.flatnonzero(doubtful).tolist():
            seen[place] = _contrast(pixels, layer.boxes[place]) >= _LEAST_CONTRAST
    return seen


def _may_have_no_ink(layer: LayerWords, objects: PageObjects, areas: NDArray[np.float32]) -> NDArray[np.bool_]:
    """(n,): words that are not drawn, belong to a layer, or are light with nothing dark behind them."""
    doubtful = np.asarray(layer.inks >= LAYERED)
    light = np.asarray(layer.inks == LIGHT)
    if light.any():
        dark = np.array([not is_light for _, _, is_light in objects.areas], np.bool_)
        doubtful[light] |= ~_lie_in(layer.boxes[light], areas[dark][:_MOST_AREAS]).any(axis=1)
    return doubtful


def _is_covered(layer: LayerWords, objects: PageObjects, areas: NDArray[np.float32]) -> NDArray[np.bool_]:
    """(n,): words over which something is drawn later."""
    known = layer.orders >= 0
    if not len(areas) or not known.any():
        return np.zeros(len(layer.words), np.bool_)
    orders = np.array([order for order, _, _ in objects.areas])
    later = np.flatnonzero(orders > layer.orders[known].min())[:_MOST_AREAS]
    over = _lie_in(layer.boxes, areas[later]) & (layer.orders[:, None] < orders[later])
    return np.asarray(over.any(axis=1) & known)


def _is_replaced(
    layer: LayerWords, objects: Sequence[tuple[int, object]], bars: NDArray[np.float32]
) -> NDArray[np.bool_]:
    """(n,): words that lie whole under one of the bars (m, 4), drawn later, on which others stand in their place.

    Without others on it a bar may have the same word drawn anew, which pdfium gives once.
    """
    known = layer.orders >= 0
    replaced = np.zeros(len(layer.words), np.bool_)
    if not objects or not known.any():
        return replaced
    drawn = np.array([order for order, _ in objects])
    later = np.flatnonzero(drawn > layer.orders[known].min())[:_MOST_AREAS]
    left, top, right, bottom = (bars[later] + np.array([-1, -1, 1, 1]) * _BARELY).T
    x, y = layer.boxes[:, None, 0::2], layer.boxes[:, None, 1::2]
    under = (x[..., 0] >= left) & (x[..., 1] <= right) & (y[..., 0] >= top) & (y[..., 1] <= bottom)
    under &= known[:, None] & (layer.orders[:, None] < drawn[later])
    for place in np.flatnonzero(under.any(axis=1)).tolist():
        box, on_top = layer.boxes[place], layer.orders > drawn[later][under[place]].min()
        touching = np.minimum(layer.boxes[:, 2:], box[2:]) > np.maximum(layer.boxes[:, :2], box[:2])
        replaced[place] = (on_top & touching.all(axis=1)).any()
    return replaced


def _is_microscopic(layer: LayerWords) -> NDArray[np.bool_]:
    """(n,): words that are too small to be read by anybody, on a page of any size."""
    sides = np.sort(layer.boxes[:, 2:] - layer.boxes[:, :2], axis=1)
    letters = np.array([sum(map(str.isalnum, word)) for word in layer.words], np.int64)
    # A height alone says little: fonts may tell none.
    tiny = (sides[:, 0] < _LEAST_SIDE) & (sides[:, 1] < _LEAST_SIDE * letters)
    return np.asarray(tiny & (letters >= _LEAST_LETTERS))


def _lie_in(boxes: NDArray[np.float32], areas: NDArray[np.float32]) -> NDArray[np.bool_]:
    """(n, m): whether the middle of each box (n, 4) lies in each of the areas (m, 4)."""
    x, y = ((boxes[:, None, :2] + boxes[:, None, 2:]) / 2).transpose(2, 0, 1)
    left, top, right, bottom = areas.T
    return np.asarray((x >= left) & (x <= right) & (y >= top) & (y <= bottom))


def _contrast(pixels: NDArray[np.int16], box: NDArray[np.float32]) -> int:
    """How far the colours in a box are apart, 0–255."""
    height, width = pixels.shape[:2]
    left, top, right, bottom = (box * np.array([width, height, width, height])).tolist()
    part = pixels[
        int(top) : max(int(np.ceil(bottom)), int(top) + 1), int(left) : max(int(np.ceil(right)), int(left) + 1)
    ]
    return int((part.max(axis=(0, 1)) - part.min(axis=(0, 1))).max()) if part.size else 0
