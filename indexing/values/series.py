"""The numbers of a page that belong together: the bars of charts over their labels, and the columns of tables."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pagesight.indexing.values.blocks import Block, over, same_row
from pagesight.indexing.values.cell_texts import is_data, is_range
from pagesight.indexing.values.charts import numbers_over
from pagesight.indexing.values.page_values import PageContent, PageValue

# Lengths are in heights of the page's middling word. All are guesses at how pages are set, not measured one by one.
_LEGEND_STEP = 8.0  # between a chart's highest number and its legend
_AXIS_STEP = 2.0  # between an axis' labels and its name
_EDGE = 0.01  # between the edges of labels in one column, as part of the page's width
_LEAST_BARS, _LEAST_ROWS = 2, 3

_FIGURE = re.compile(r"(?i)(?:figure|fig\.|chart|abbildung|abb\.|diagramm)\s*\d")
_SENTENCES = re.compile(r"[.!?](?:\s|$)")


class Series(NamedTuple):
    """Numbers that belong together, each with the label of its own, and what is written over and beside them all."""

    pairs: list[tuple[str, PageValue]]
    about: list[str]


class Bar(NamedTuple):
    """A label of a chart's axis with the numbers that stand over it, from the top."""

    label: Block
    values: list[PageValue]


class Chart(NamedTuple):
    """The bars of a chart, and what else stands over and among them: its title and its legend."""

    bars: list[Bar]
    about: list[str]


def charts(content: PageContent) -> list[Chart]:
    """The charts whose bars stand on labels: each label that has numbers over it, with these."""
    numbers = [one for one in content.values if _may_be_of_a_bar(content, one)]
    found, taken = list[Chart](), set[int]()
    for row in content.tables.axis_labels:
        free = [one for one in numbers if id(one) not in taken]
        over_labels = numbers_over(row, [one.block for one in free])
        chart = [Bar(label, [free[at] for at in places]) for label, places in zip(row, over_labels, strict=True)]
        if _is_a_chart(content, chart):
            found.append(Chart(chart, _about(content, chart)))
            taken.update(id(value) for bar in chart for value in bar.values)
    return found


def _about(content: PageContent, chart: Sequence[Bar]) -> list[str]:
    """The titles over a chart, and the names that stand among its bars or right over them."""
    values = [value for bar in chart for value in bar.values]
    highest = min(values, key=lambda value: value.block.box[1])
    titles = [text for text in (highest.place.captions if highest.place else []) if not _SENTENCES.search(text)]
    first, last = chart[0].label.box, chart[-1].label.box
    step = (last[0] - first[0]) / (len(chart) - 1)
    top = highest.block.box[1] - _LEGEND_STEP * content.tables.height
    names = [
        cell.text
        for cell in content.tables.cells
        if not is_data(cell.text) and top < cell.box[1] < first[1] - content.tables.height / 2
        and first[0] - step < cell.box[0] < last[2] + step and not content.is_furniture(cell)
    ]  # fmt: skip
    return list(dict.fromkeys([*reversed(titles), *names, *_captions_under(content, chart)]))


def _captions_under(content: PageContent, chart: Sequence[Bar]) -> list[str]:
    """What stands under a chart and calls itself a figure, as in papers."""
    first, last = chart[0].label.box, chart[-1].label.box
    room = _LEGEND_STEP * content.tables.height
    return [
        block.text
        for block in content.blocks
        if _FIGURE.match(block.text) and 0 < block.box[1] - first[3] < room and over(block.box, (*first[:2], *last[2:]))
    ]


def _may_be_of_a_bar(content: PageContent, value: PageValue) -> bool:
    """Whether a value is a number that no row's name stands to the left of."""
    block = value.block
    if value.quantity.year or value.quantity.days or not is_data(block.text):
        return False
    if content.tables.is_of_an_axis(block) or content.is_furniture(block):
        return False
    left = (one for one in content.tables.cells if one.box[2] <= block.box[0] and same_row(one.box, block.box))
    return not any(letter.isalpha() for one in left for letter in one.text)


def _is_a_chart(content: PageContent, chart: Sequence[Bar]) -> bool:
    """Whether numbers over labels are bars: two labels have some, and an axis or no row's name stands beside them."""
    values = [value for bar in chart for value in bar.values]
    if sum(bool(bar.values) for bar in chart) < _LEAST_BARS:
        return False
    top, foot = min(value.block.box[1] for value in values), chart[0].label.box[3]
    axis = any(content.tables.is_of_an_axis(cell) and top - 0.05 < cell.box[1] < foot for cell in content.tables.cells)
    return axis or not any(value.place and value.place.labels and value.place.heads for value in values)


def series(content: PageContent) -> list[Series]:
    """The columns of tables and the bars of charts: three or more labels in a line, with a number each."""
    columns = [pairs for pairs in _labelled_columns(content) if len(pairs) >= _LEAST_ROWS]
    whole = [pairs for pairs in columns if not any(_is_part(pairs, other) for other in columns)]
    return [one for chart in charts(content) for one in _of_chart(content, chart)] + [_series(pairs) for pairs in whole]


def _of_chart(content: PageContent, chart: Chart) -> Iterator[Series]:
    """The first numbers over all labels, the second, and so on; none where a bar has fewer: any of its may lack."""
    named = _name_of_axis(content, [bar.label for bar in chart.bars])
    full = [bar for bar in chart.bars if bar.values]
    counts = {len(bar.values) for bar in full}
    for at in range(min(counts) if len(counts) == 1 else 0):
        yield Series([(f"{named} {bar.label.text}".strip(), bar.values[at]) for bar in full], chart.about)


def _is_part(pairs: Sequence[tuple[str, PageValue]], other: Sequence[tuple[str, PageValue]]) -> bool:
    """Whether a longer column has all numbers of a column."""
    mine, others = {id(value) for _, value in pairs}, {id(value) for _, value in other}
    return mine < others


def _series(pairs: list[tuple[str, PageValue]]) -> Series:
    places = [value.place for _, value in pairs if value.place]
    about = [text for place in places[:2] for text in (*place.heads, *place.corner, *place.captions)]
    return Series(pairs, list(dict.fromkeys(about)))


def _name_of_axis(content: PageContent, labels: Sequence[Block]) -> str:
    """What stands under the labels of an axis in their middle: what they are."""
    foot, middle = labels[0].box[3], (labels[0].box[0] + labels[-1].box[2]) / 2
    for cell in content.tables.cells:
        under = 0 < cell.box[1] - foot < _AXIS_STEP * content.tables.height
        if under and cell.box[0] < middle < cell.box[2] and len(cell.words) == 1 and not is_data(cell.text):
            return cell.text
    return ""


def _labelled_columns(content: PageContent) -> list[list[tuple[str, PageValue]]]:
    """The numbers of rows whose labels begin or end in a line, by which number they are of their row, from the top."""
    columns: dict[frozenset[int], list[tuple[str, PageValue]]] = {}
    labelled = list(_labelled(content))
    for nth in sorted({nth for nth, _, _ in labelled}):
        for side in (0, 2):
            pairs = [(label, value) for at, label, value in labelled if at == nth]
            for line in _in_line(pairs, side):
                columns[frozenset(id(value) for _, value in line)] = [(label.text, value) for label, value in line]
    return list(columns.values())


def _in_line(pairs: Sequence[tuple[Block, PageValue]], side: int) -> list[list[tuple[Block, PageValue]]]:
    """The numbers whose labels have their left (0) or right (2) edge at one place."""
    lines = list[list[tuple[Block, PageValue]]]()
    for pair in sorted(pairs, key=lambda one: one[0].box[side]):
        if lines and pair[0].box[side] - lines[-1][-1][0].box[side] < _EDGE / 2:
            lines[-1].append(pair)
        else:
            lines.append([pair])
    return [sorted(line, key=lambda one: one[0].box[1]) for line in lines]


def _labelled(content: PageContent) -> Iterator[tuple[int, Block, PageValue]]:
    """The numbers of rows, each with which it is of those behind its label."""
    values = {id(value.block): value for value in content.values if not (value.quantity.year or value.quantity.days)}
    for row in content.tables.rows:
        label, nth = None, 0
        for cell in row:
            if not is_data(cell.text) or is_range(cell.text):
                label, nth = cell, 0
                continue
            if label and id(cell) in values and not (content.tables.is_of_an_axis(cell) or content.is_furniture(cell)):
                yield nth, label, values[id(cell)]
            nth += 1
