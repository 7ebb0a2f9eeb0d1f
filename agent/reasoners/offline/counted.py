"""How many there are: the items of a list, the rows of a table, as the page tells them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pagesight.agent.reasoners.offline.passages import Passage, terms_of
from pagesight.indexing.pages import Hit
from pagesight.indexing.values.cell_texts import is_data
from pagesight.indexing.values.groups import lists
from pagesight.indexing.values.page_values import PageContent
from pagesight.indexing.values.text_tables import Cell, text_tables, written

_SAID = {"en": "{n} counted", "de": "{n} gezählt"}


def counts(hit: Hit, content: PageContent, language: str) -> Iterator[Passage]:
    """How many items a list has, and how many rows with names, or numbers from 1 on, a table."""
    for head, items in lists(content):
        yield _counted(hit, head.text, [[head], *([item] for item in items)], len(items), language)
    for table in text_tables(content):
        named = [row[0] for row in table.rows if 0 in row]
        texts = [written(cell) for cell in named]
        numbered = [text.rstrip(".") for text in texts] == [str(at) for at in range(1, len(texts) + 1)]
        if numbered or (len(set(texts)) == len(texts) and not any(map(is_data, texts))):
            called = ", ".join(filter(None, [table.title, table.heads[0]]))
            yield _counted(hit, called, named, len(named), language)


def _counted(hit: Hit, called: str, cells: Sequence[Cell], number: int, language: str) -> Passage:
    named = called.rstrip(" :.")
    told = _SAID.get(language, _SAID["en"]).format(n=number)
    words = frozenset(word for cell in cells for line in cell for word in line.words)
    return Passage(hit, f"{named}: {told}", terms_of(named), words, cell=True, worked_out=True)
