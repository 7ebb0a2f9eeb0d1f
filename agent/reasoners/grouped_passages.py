"""What can be quoted of a page beside its cells and sentences: rows of several lines, labels with what stands under
them, lists with their items, the bars of charts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain

from pagesight.agent.reasoners.passages import Passage, terms_of, with_unit
from pagesight.indexing.pages import Hit
from pagesight.indexing.values.blocks import Block
from pagesight.indexing.values.groups import lists, stacks, wrapped_rows
from pagesight.indexing.values.page_values import PageContent
from pagesight.indexing.values.series import Bar, Chart, charts

_OF_THE_CHART = 0.8  # how closely a chart's title and legend belong to its bars; a guess, not measured


def grouped_passages(hit: Hit, content: PageContent, language: str) -> Iterator[Passage]:
    """The groups of a page, each told in one piece."""
    for chart in charts(content):
        for bar in chart.bars:
            if bar.values:
                yield _of_bar(hit, chart, bar, language)
    for row in wrapped_rows(content):
        yield _passage(hit, " | ".join(" ".join(line.text for line in cell) for cell in row), list(chain(*row)))
    for lines in stacks(content):
        yield _told(hit, f"{lines[0].text}: {' '.join(line.text for line in lines[1:])}", lines)
    for head, items in lists(content):
        yield _passage(hit, f"{head.text} {'; '.join(item.text for item in items)}", [head, *items])


def _of_bar(hit: Hit, chart: Chart, bar: Bar, language: str) -> Passage:
    """A bar as the chart's title and legend, its label and its numbers from the top: which of several numbers is of
    which name of the legend only the picture tells."""
    about = ", ".join(chart.about)
    numbers = " | ".join(with_unit(value, language) for value in bar.values)
    held = dict.fromkeys(terms_of(about), _OF_THE_CHART) | terms_of(bar.label.text)
    words = frozenset(word for value in bar.values for word in value.words) | {*bar.label.words}
    text = f"{bar.label.text}: {numbers}"
    return Passage(hit, f"{about}, {text}" if about else text, held, words, cell=True)


def _passage(hit: Hit, text: str, blocks: Sequence[Block]) -> Passage:
    return Passage(hit, text, terms_of(text), frozenset(word for block in blocks for word in block.words))


def _told(hit: Hit, text: str, blocks: Sequence[Block]) -> Passage:
    return replace(_passage(hit, text, blocks), cell=True)
