"""What can be quoted of a page beside its numbers and sentences: rows of several lines, texts of tables with row and
column, labels with what stands under them, lists with their items, the bars of charts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain

from pagesight.agent.reasoners.offline.passages import Passage, terms_of, with_unit
from pagesight.indexing.pages import Hit
from pagesight.indexing.values.blocks import Block
from pagesight.indexing.values.cell_texts import is_data
from pagesight.indexing.values.groups import lists, stacks
from pagesight.indexing.values.page_values import PageContent
from pagesight.indexing.values.series import Bar, Chart, charts
from pagesight.indexing.values.text_tables import Cell, TextTable, text_tables, wrapped_rows, written

#: How closely a table's title, and what stands in a cell, belong to what the cell is called by; a guess, not measured.
_OF_THE_TABLE = 0.7
_YEAR = re.compile(r"(?:19|20)\d\d")
_OF_THE_CHART = 0.8  # how closely a chart's title and legend belong to its bars; a guess, not measured


def grouped_passages(hit: Hit, content: PageContent, language: str) -> Iterator[Passage]:
    """The groups of a page, each told in one piece."""
    for chart in charts(content):
        for bar in chart.bars:
            if bar.values:
                yield _of_bar(hit, chart, bar, language)
    for row in wrapped_rows(content):
        yield _passage(hit, " | ".join(map(written, row)), list(chain(*row)))
    for table in text_tables(content):
        yield from _of_rows(hit, table)
        yield from _of_groups(hit, table)
    for lines in stacks(content):
        yield _told(hit, f"{lines[0].text}: {' '.join(line.text for line in lines[1:])}", lines)
    for head, items in lists(content):
        yield _passage(hit, f"{head.text} {'; '.join(item.text for item in items)}", [head, *items])


def _of_bar(hit: Hit, chart: Chart, bar: Bar, language: str) -> Passage:
    """A bar as the chart's title and legend, its label and its numbers from the top: which of several numbers is of
    which name of the legend only the picture tells."""
    about, own = ", ".join(chart.about), terms_of(bar.label.text)
    # A title that says "2020 to 2024" does not make the bar of 2020 one of 2024.
    of_title = (term for term in terms_of(about) if not (_YEAR.fullmatch(term) and any(map(_YEAR.fullmatch, own))))
    numbers = " | ".join(with_unit(value, language) for value in bar.values)
    held = dict.fromkeys(of_title, _OF_THE_CHART) | own
    words = frozenset(word for value in bar.values for word in value.words) | {*bar.label.words}
    text = f"{bar.label.text}: {numbers}"
    return Passage(hit, f"{about}, {text}" if about else text, held, words, cell=True)


def _of_rows(hit: Hit, table: TextTable) -> Iterator[Passage]:
    """Each text of a table that stands under a head, with its row's name."""
    for row in table.rows:
        for at, cell in row.items():
            if at and 0 in row and table.heads[at] and not is_data(written(cell)):
                yield _of_table(hit, table, f"{written(row[0])}, {table.heads[at]}", [cell])


def _of_groups(hit: Hit, table: TextTable) -> Iterator[Passage]:
    """What several rows that share a cell have in another column."""
    for at in range(len(table.heads)):
        for shared, rows in _sharing(table, at).items():
            for other, head in enumerate(table.heads):
                cells = {written(row[other]): row[other] for row in rows if other in row and other != at}
                if len(cells) > 1:
                    called = ", ".join(filter(None, [table.heads[at], shared, head]))
                    yield _of_table(hit, table, called, list(cells.values()))


def _sharing(table: TextTable, at: int) -> dict[str, list[dict[int, Cell]]]:
    """The rows that have the same text in a column, where several have, by that text."""
    groups: dict[str, list[dict[int, Cell]]] = {}
    for row in table.rows:
        if at in row and not is_data(written(row[at])):
            groups.setdefault(written(row[at]), []).append(row)
    return {shared: rows for shared, rows in groups.items() if len(rows) > 1}


def _of_table(hit: Hit, table: TextTable, called: str, cells: Sequence[Cell]) -> Passage:
    told = "; ".join(map(written, cells))
    held = dict.fromkeys(terms_of(f"{table.title} {told}"), _OF_THE_TABLE) | terms_of(called)
    words = frozenset(word for line in chain(*cells) for word in line.words)
    return Passage(hit, f"{called}: {told}", held, words, cell=True)


def _passage(hit: Hit, text: str, blocks: Sequence[Block]) -> Passage:
    return Passage(hit, text, terms_of(text), frozenset(word for block in blocks for word in block.words))


def _told(hit: Hit, text: str, blocks: Sequence[Block]) -> Passage:
    return replace(_passage(hit, text, blocks), cell=True)
