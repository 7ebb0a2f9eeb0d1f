"""Which words of a text layer are seen: not those of hidden layers, white on white, cut off, or under a bar."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pagesight.indexing.documents import page_objects
from pagesight.indexing.documents.page_objects import PageObjects
from pagesight.indexing.page_text.text_layer import INVISIBLE, LAYERED, LIGHT, LayerWords

_LEAST_CONTRAST = 16  # of 255, of what can be seen; a guess, not measured

# A word of so many letters, each of which is no larger than this part of the page in both directions: half a point on
# A4. And what a word may reach beyond a bar that hides it. Guesses, not measured.
_LEAST_LETTERS, _LEAST_SIDE = 3, 0.0006
_BARELY = 0.001

_MOST_AREAS = 5_000  # that are looked at, for time's sake; a guess, not measured


#: What is shown of text objects, by when they are drawn: a box (4,), and whether all that lies in it is.
Cuts = Mapping[int, tuple[NDArray[np.float32], bool]]

#: Draws the page as small as shows whether a word is there at all, without the objects that are given.
Drawn = Callable[[Collection[int]], Image.Image]


def looked_at(
    layer: LayerWords,
    objects: PageObjects,
    areas: NDArray[np.float32],
    bars: NDArray[np.float32],
    cuts: Cuts,
    drawn: Drawn,
) -> tuple[LayerWords, NDArray[np.bool_]]:
    """The words and whether each is seen, (n,). ``areas`` and ``bars`` (m, 4) are those of the objects in 0–1 of the
    picture.

    Only what may be invisible is looked at, on pictures that are made then: a word is seen where the page without its
    texts looks otherwise. What stands on a bar over a word says nothing of the word. Words under a picture are given
    back as INVISIBLE ones, since they may be a layer of OCR's under a scan.
    """
    (gone, cut), (covered, by_picture) = _cut(layer, cuts), _covered(layer, objects, areas)
    hidden = gone | _is_replaced(layer, objects.bars, bars) | _is_microscopic(layer)
    doubtful = ~hidden & (cut | covered | _may_have_no_ink(layer, objects, areas))
    if not doubtful.any():
        return layer, ~hidden
    whole = np.asarray(drawn(())).astype(np.int16)
    places, inks, seen = np.flatnonzero(doubtful).tolist(), layer.inks.copy(), ~hidden
    seen[places] = [_contrast(whole, layer.boxes[place]) >= _LEAST_CONTRAST for place in places]
    if in_question := [place for place in places if seen[place] and inks[place] != INVISIBLE]:
        change = np.abs(whole - np.asarray(drawn(objects.texts)))
        for place in in_question:
            if _most(change, layer.boxes[place]) < _LEAST_CONTRAST:
                seen[place] = by_picture[place]
                inks[place] = INVISIBLE
    return replace(layer, inks=inks), seen


def _may_have_no_ink(layer: LayerWords, objects: PageObjects, areas: NDArray[np.float32]) -> NDArray[np.bool_]:
    """(n,): words that are not drawn, belong to a layer, are light with nothing dark behind them, or in the colour of
    what is behind them."""
    doubtful = (layer.inks >= LAYERED) | _is_of_its_ground(layer, objects, areas)
    light = np.asarray(layer.inks == LIGHT)
    if light.any():
        dark = np.array([kind != page_objects.LIGHT for _, _, kind in objects.areas], np.bool_)
        doubtful[light] |= ~_lie_in(layer.boxes[light], areas[dark][:_MOST_AREAS]).any(axis=1)
    return doubtful


def _is_of_its_ground(layer: LayerWords, objects: PageObjects, areas: NDArray[np.float32]) -> NDArray[np.bool_]:
    """(n,): words in the colour of a dark area that is drawn before them, and that they lie in."""
    places = [place for place, (order, _, _) in enumerate(objects.areas) if order in objects.colours][:_MOST_AREAS]
    found = np.zeros(len(layer.words), np.bool_)
    if not places:
        return found
    orders = np.array([objects.areas[place][0] for place in places])
    grounds = np.array([objects.colours[order] for order in orders.tolist()], np.int16)
    for colour in np.unique(layer.colours, axis=0):
        alike = np.abs(grounds - colour).max(axis=1) < _LEAST_CONTRAST
        if alike.any():
            ours = np.flatnonzero((layer.colours == colour).all(axis=1))
            behind = orders[alike] < layer.orders[ours, None]
            found[ours] = (_lie_in(layer.boxes[ours], areas[places][alike]) & behind).any(axis=1)
    return found


def _cut(layer: LayerWords, cuts: Cuts) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(n,), (n,): words of which nothing is left by what cuts their text object, and those that it may cut."""
    gone, touched = np.zeros(len(layer.words), np.bool_), np.zeros(len(layer.words), np.bool_)
    ours = [place for place, order in enumerate(layer.orders.tolist()) if order in cuts] if cuts else []
    if ours:
        boxes, exact = zip(*(cuts[order] for order in layer.orders[ours].tolist()), strict=True)
        left, top, right, bottom = (np.array(boxes) + np.array([-1, -1, 1, 1]) * _BARELY).T
        x0, y0, x1, y1 = layer.boxes[ours].T
        gone[ours] = (x1 < left) | (y1 < top) | (x0 > right) | (y0 > bottom)
        touched[ours] = ~np.array(exact) | (x0 < left) | (y0 < top) | (x1 > right) | (y1 > bottom)
    return gone, touched


def _covered(
    layer: LayerWords, objects: PageObjects, areas: NDArray[np.float32]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(n,), (n,): words over which something is drawn later, and those over which a picture is."""
    known = layer.orders >= 0
    if not len(areas) or not known.any():
        return np.zeros(len(layer.words), np.bool_), np.zeros(len(layer.words), np.bool_)
    orders, kinds = (np.array([area[place] for area in objects.areas]) for place in (0, 2))
    later = np.flatnonzero(orders > layer.orders[known].min())[:_MOST_AREAS]
    over = _lie_in(layer.boxes, areas[later]) & (layer.orders[:, None] < orders[later]) & known[:, None]
    by_picture = over[:, kinds[later] == page_objects.PICTURE]
    return np.asarray(over.any(axis=1)), np.asarray(by_picture.any(axis=1))


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
    part = _part(pixels, box)
    return int((part.max(axis=(0, 1)) - part.min(axis=(0, 1))).max()) if part.size else 0


def _most(pixels: NDArray[np.int16], box: NDArray[np.float32]) -> int:
    """The largest number in a box."""
    part = _part(pixels, box)
    return int(part.max()) if part.size else 0


def _part(pixels: NDArray[np.int16], box: NDArray[np.float32]) -> NDArray[np.int16]:
    height, width = pixels.shape[:2]
    left, top, right, bottom = (box * np.array([width, height, width, height])).tolist()
    rows = slice(int(top), max(int(np.ceil(bottom)), int(top) + 1))
    return pixels[rows, int(left) : max(int(np.ceil(right)), int(left) + 1)]
