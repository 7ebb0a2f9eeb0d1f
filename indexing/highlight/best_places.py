"""Where on a page a question is answered: the boxes of the best-matching vectors, regions of them, the best lines.

Nothing here knows whether a box is around a word or a patch of the picture: what counts is how far a place stands out
from the page's others, and distances are measured in boxes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pagesight.indexing.encoders.interface import Idf
from pagesight.indexing.lexical.query import Query
from pagesight.indexing.lexical.tokens import is_one_character, tokenize
from pagesight.indexing.pages import Box, Region
from pagesight.indexing.vectors.multivector import QueryVectors

# How much of a hit is told: a guess at what a person or a model reads, not measured.
_MOST_BOXES = 12
_MOST_LINES = 3
_MOST_PLACES = 600  # that are looked at for support: a page has more only where a word repeats and repeats
# What a place adds to a query vector's score must be this part of what the best place adds: the same word elsewhere on
# the page, the next patch of the same thing. And this part of what a perfect match adds, or nothing fits.
_AS_GOOD = 0.8
_LEAST_WORTH = 1 / 32
# How far support reaches, in widths and heights of the page's middling box: some words across, some lines up and down.
_REACH = np.array([5, 3])
_LEAST_SUPPORT = 0.6  # of the best place's; a guess, not measured
# Letters from which words with the same start count as one in a line: revenue, revenues. A guess, not measured.
_PREFIX = 5

_MOST_REGIONS = 3
# A region is at least this high and wide, in thousandths: a word alone says little. Boxes that lie within one share it
# until it covers this part of the page; one that covers more is not worth a closer look.
_LEAST_HEIGHT, _LEAST_WIDTH = 120, 300
_LARGEST_REGION = 0.5
_TOUCHING = 0.05  # a guess, not measured: of the lower one's height: boxes are kept in half precision


def best_boxes(query: QueryVectors, vectors: NDArray[np.floating], boxes: NDArray[np.floating]) -> list[Box]:
    """The boxes, best first, of the vectors that match the query best and stand near each other; neighbours joined.

    ``vectors`` (n, dim) and ``boxes`` (n, 4) of one page. A thing that is in many places is taken where what else the
    query asks for is near. None if no vector has a box or nothing on the page stands out.
    """
    known = ~np.isnan(boxes).any(axis=1)
    if not known.any():
        return []
    strength = _strength(query, query.vectors @ vectors[known].astype(np.float32).T)
    boxes = boxes[known].astype(np.float32)
    places = np.sort(np.argsort(-strength.max(axis=0, initial=0), kind="stable")[:_MOST_PLACES])
    places = places[strength[:, places].any(axis=0)]
    if not len(places):
        return []
    support = _support(strength[:, places], boxes[places], np.median(boxes[:, 2:] - boxes[:, :2], axis=0))
    chosen = support >= _LEAST_SUPPORT * support.max()
    return _joined(boxes[places[chosen]], support[chosen])[:_MOST_BOXES]


def regions(boxes: Sequence[Box]) -> list[Region]:
    """The few places that are worth a closer look, best first: boxes near each other, with some surroundings.

    ``boxes`` of one page, best first. None of them is most of the page: there is nothing to be seen closer then.
    """
    groups: list[list[Box]] = []
    for box in boxes:
        near = next((group for group in groups if _overlap(_around(group), _around([box]))), None)
        if near and _area(_around([*near, box])) <= _LARGEST_REGION:
            near.append(box)
        elif len(groups) < _MOST_REGIONS:
            groups.append([box])
    return [region for region in map(_around, groups) if _area(region) <= _LARGEST_REGION]


def best_lines(query: Query, text: str, idf: Idf) -> list[str]:
    """The lines of a page's text that hold most of the question's rare words, best first; none if no line holds any."""
    wanted = [(term if is_one_character(term) else f" {_start(term)}", idf(term)) for term in query.terms]
    ranked = []
    for place, line in enumerate(text.splitlines()):
        held = f" {' '.join(tokenize(line, query.rules))} "
        score = sum(worth for start, worth in wanted if start in held)
        if score > 0:
            ranked.append((-score, place, line.strip()))
    return list(dict.fromkeys(line for _, _, line in sorted(ranked)))[:_MOST_LINES]


def _start(term: str) -> str:
    """What a word of a line must start with to count as the term: a short term itself, a longer one's stem."""
    return f"{term} " if len(term) < _PREFIX else term[: max(_PREFIX, len(term) - 2)]


def _strength(query: QueryVectors, similarities: NDArray[np.float32]) -> NDArray[np.float32]:
    """(m, n): what each place adds to a query vector's score beyond the page's middling place; 0 where others add more.

    Patches of a blank margin are like every query vector a little, and random words share a syllable.
    """
    worth = np.maximum(similarities, 0) ** query.sharpness
    worth = np.maximum(worth - np.median(worth, axis=1, keepdims=True), 0)
    least = np.maximum(worth.max(axis=1, keepdims=True) * _AS_GOOD, _LEAST_WORTH)
    return np.where(worth >= least, query.weights[:, None] * worth, 0).astype(np.float32)


def _support(
    strength: NDArray[np.float32], boxes: NDArray[np.float32], size: NDArray[np.float32]
) -> NDArray[np.float32]:
    """(n,): for each place the strongest match within reach of every query vector, together.

    ``size`` (2,) is the width and height that reach is measured in.
    """
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    near = (np.abs(centres[:, None] - centres[None]) <= _REACH * size).all(axis=2)
    places, neighbours = np.nonzero(near)  # every place is near itself, so none is left out
    starts = np.flatnonzero(np.diff(places, prepend=-1))
    return np.asarray(np.maximum.reduceat(strength[:, neighbours], starts, axis=1).sum(axis=0))


def _joined(boxes: NDArray[np.float32], support: NDArray[np.float32]) -> list[Box]:
    """The boxes, with those joined that stand side by side on one line or touch; the best-supported first."""
    kept = ~_holds_smaller(boxes)
    boxes, support = boxes[kept], support[kept]
    groups = _groups(_beside(boxes))
    order = sorted(set(groups.tolist()), key=lambda group: -support[groups == group].max())
    edges = [(boxes[groups == group, :2].min(axis=0), boxes[groups == group, 2:].max(axis=0)) for group in order]
    return [_box([*upper_left, *lower_right]) for upper_left, lower_right in edges]


def _holds_smaller(boxes: NDArray[np.float32]) -> NDArray[np.bool_]:
    """(n,): whether a box lies around a much smaller one: the view of the whole page over the tiles of its parts."""
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    around = ((boxes[:, None, :2] <= centres) & (centres <= boxes[:, None, 2:])).all(axis=2)
    return np.asarray((around & (areas[None] < areas[:, None] / 2)).any(axis=1))


def _beside(boxes: NDArray[np.float32]) -> NDArray[np.bool_]:
    """(n, n): which boxes stand side by side on one line, no more than their height apart, or touch each other."""
    left, top, right, bottom = boxes.T
    heights = np.minimum.outer(bottom - top, bottom - top)
    apart_x = np.maximum.outer(left, left) - np.minimum.outer(right, right)
    apart_y = np.maximum.outer(top, top) - np.minimum.outer(bottom, bottom)
    shift = np.maximum(np.abs(np.subtract.outer(top, top)), np.abs(np.subtract.outer(bottom, bottom)))
    on_a_line = (shift < heights / 2) & (apart_x <= heights)
    return np.asarray(on_a_line | (np.maximum(apart_x, apart_y) <= _TOUCHING * heights))


def _groups(linked: NDArray[np.bool_]) -> NDArray[np.int64]:
    """(n,): a number for each place, the same for those that are linked, by way of others too."""
    numbers = np.arange(len(linked))
    while True:
        lowest = np.where(linked, numbers, len(linked)).min(axis=1)
        if (lowest == numbers).all():
            return numbers
        numbers = lowest


def _box(edges: Sequence[float]) -> Box:
    left, top, right, bottom = (min(max(float(edge), 0.0), 1.0) for edge in edges)
    return left, top, right, bottom


def _around(boxes: Sequence[Box]) -> Region:
    """The region around the boxes, widened to what is worth looking at."""
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    (ymin, ymax), (xmin, xmax) = (
        _widened(min(tops), max(bottoms), _LEAST_HEIGHT), _widened(min(lefts), max(rights), _LEAST_WIDTH)
    )  # fmt: skip
    return ymin, xmin, ymax, xmax


def _widened(low: float, high: float, least: int) -> tuple[int, int]:
    """An edge pair, 0–1, in thousandths and at least ``least`` apart, kept on the page."""
    middle, half = (low + high) * 500, max((high - low) * 500, least / 2)
    start = min(max(middle - half, 0), 1000 - 2 * half)
    return max(round(start), 0), min(round(start + 2 * half), 1000)


def _overlap(one: Region, other: Region) -> bool:
    (top, left, bottom, right), (ymin, xmin, ymax, xmax) = one, other
    return left < xmax and right > xmin and top < ymax and bottom > ymin


def _area(region: Region) -> float:
    """The part of the page that it covers."""
    ymin, xmin, ymax, xmax = region
    return (ymax - ymin) * (xmax - xmin) / 1e6
