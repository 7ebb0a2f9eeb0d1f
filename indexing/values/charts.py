"""The axes of charts by geometry: the numbers along one, which are no data, and the labels that bars stand on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np

from pagesight.indexing.pages import Box
from pagesight.indexing.values.blocks import Block

# All are guesses at how charts are drawn, not measured.
_FEWEST_TICKS = 4
_FEWEST_LABELS = 3
_EVEN = 0.15  # by how much distances may differ that are even, as part of them
_HEIGHT_OF_A_CHART = 0.6  # of the page's, at most: on slides they are high

_Numbered = tuple[Block, float]


def axis_ticks(cells: Sequence[Block], height: float) -> list[Block]:
    """The numbers that stand along axes: four or more in a row or column, in even steps of value and of place.

    ``height`` is that of the page's middling word.
    """
    plain = [(cell, value) for cell in cells if (value := _plain_number(cell.text)) is not None]
    found: list[Block] = []
    for edge, along in ((0, 1), (1, 0), (2, 1)):
        for line in _lined_up(plain, edge, height):
            found += _even_steps(sorted(line, key=lambda one: one[0].box[along]), along)
    return [*found, *_ends_of_scales(plain, height)]


def _ends_of_scales(plain: Sequence[_Numbered], height: float) -> Iterator[Block]:
    """0 and 100 alone, the one over the other, as at the side of a chart of percentages."""
    tops, feet = ([cell for cell, value in plain if value == end] for end in (100, 0))
    for top, foot in product(tops, feet):
        if top.box[3] < foot.box[1] and any(abs(top.box[side] - foot.box[side]) < height / 2 for side in (0, 2)):
            yield from (top, foot)


def axis_labels(rows: Sequence[Sequence[Block]]) -> list[list[Block]]:
    """Of rows of labels those of three or more in even steps, from the top of the page; what else stands beside is left
    out."""
    even = [part for row in rows if len(part := _in_even_steps(row)) >= _FEWEST_LABELS]
    return sorted(even, key=lambda row: row[0].box[1])


def _in_even_steps(row: Sequence[Block]) -> list[Block]:
    """The labels of a row without those at its ends that are further off than the others."""
    left = sorted(row, key=lambda cell: _middle(cell.box))
    while len(left) >= _FEWEST_LABELS and not _step(left):
        steps = np.diff([_middle(cell.box) for cell in left])
        first, last = np.abs(steps - np.median(steps))[[0, -1]]
        left = left[:-1] if last >= first else left[1:]
    return left


def category(labels: Sequence[Sequence[Block]], box: Box) -> list[str]:
    """What the bar of a number at ``box`` stands on: the label of an axis below it; nothing if there is none."""
    for row in labels:
        under = min(row, key=lambda cell: abs(_middle(box) - _middle(cell.box)))
        apart = abs(_middle(box) - _middle(under.box))
        if 0 < under.box[1] - box[3] < _HEIGHT_OF_A_CHART and apart < _step(row) / 2:
            return [under.text]
    return []


def numbers_over(row: Sequence[Block], numbers: Sequence[Block]) -> list[list[int]]:
    """For each label of an axis the places, from the top, of the ``numbers`` that stand over it."""
    over: list[list[int]] = [[] for _ in row]
    for at in sorted(range(len(numbers)), key=lambda at: numbers[at].box[1]):
        box = numbers[at].box
        under = min(range(len(row)), key=lambda label: abs(_middle(box) - _middle(row[label].box)))
        apart = abs(_middle(box) - _middle(row[under].box))
        if 0 < row[under].box[1] - box[3] < _HEIGHT_OF_A_CHART and apart < _step(row) / 2:
            over[under].append(at)
    return over


def _middle(box: Box) -> float:
    return (box[0] + box[2]) / 2


def _step(row: Sequence[Block]) -> float:
    """How far apart the middles of labels in a row stand, if that is even; else 0."""
    steps = np.diff(sorted(_middle(cell.box) for cell in row))
    return float(steps.mean()) if np.allclose(steps, steps.mean(), rtol=_EVEN) else 0.0


def _plain_number(text: str) -> float | None:
    """The number that a cell is, and nothing else, with a percent sign at most."""
    plain = re.fullmatch(r"(\d{1,3}(?:,?\d{3})*(?:\.\d+)?) ?%?", text)
    return float(plain[1].replace(",", "")) if plain else None


def _lined_up(cells: Sequence[_Numbered], edge: int, height: float) -> Iterator[list[_Numbered]]:
    """The cells whose edges, 0 left, 1 top, 2 right, stand at one place, as many as an axis has."""
    line: list[_Numbered] = []
    for one in sorted(cells, key=lambda cell: cell[0].box[edge]):
        if line and one[0].box[edge] - line[-1][0].box[edge] > height / 2:
            yield from [line] if len(line) >= _FEWEST_TICKS else []
            line = []
        line.append(one)
    yield from [line] if len(line) >= _FEWEST_TICKS else []


def _even_steps(line: Sequence[_Numbered], along: int) -> list[Block]:
    """The cells, if their numbers and their places go on in even steps."""
    values = np.diff([value for _, value in line])
    places = np.diff([cell.box[along] for cell, _ in line])
    even = values[0] != 0 and np.allclose(values, values[0]) and np.allclose(places, places.mean(), rtol=_EVEN)
    return [cell for cell, _ in line] if even else []
