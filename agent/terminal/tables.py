"""Tables: what names a row stays whole at any width, long text gives way; in a pipe rows are lines for programs."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pagesight.agent.terminal import printing

if TYPE_CHECKING:
    from rich.text import Text

#: "number" and "label" are never cut, the former stands to the right; "text" is cut where the terminal ends.
Kind = Literal["number", "label", "text"]

_GAP = 2
_LEAST_TEXT = 24  # columns: with less, a line of text says nothing, and stands below its row (a guess, not measured)
_WIDEST_FIGURES = 240


def print_listing(
    columns: Mapping[str, Kind], rows: Iterable[Sequence[str]], links: Iterable[str | None] = itertools.repeat(None)
) -> None:
    """Prints rows below the names of columns; in columns of the kind "label" each row links to its address.

    Where too little room is left for text, it stands on a line of its own below its row. In a pipe each row is one
    line, whole, its cells separated by tabs, without the names of columns.
    """
    shown = [[" ".join(printing.printable(cell).split()) for cell in row] for row in rows]
    if not sys.stdout.isatty():
        printing.write("".join("\t".join(row) + "\n" for row in shown))
        return
    screen = printing.console()
    for line in _lines(dict(columns), shown, links, screen.width):
        screen.print(line, soft_wrap=True)


def print_figures(header: Sequence[str], rows: Sequence[Sequence[str]], left: Sequence[int] = (0,)) -> None:
    """Prints columns of figures to the right, those in ``left`` to the left; in a pipe as wide as they are."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold", show_header=any(header))
    for place, name in enumerate(header):
        table.add_column(name, justify="left" if place in left else "right", no_wrap=True)
    for row in rows:
        table.add_row(*(Text(printing.printable(cell)) for cell in row))
    screen = printing.console()
    screen.print(table, width=screen.width if screen.is_terminal else _WIDEST_FIGURES)


@dataclass(frozen=True)
class _Layout:
    """Where the cells of a listing stand: each column's kind and width; ``below`` puts texts below their rows."""

    kinds: list[Kind]
    widths: list[int]
    below: bool
    screen: int

    def row(self, cells: Sequence[Text]) -> Text:
        """The cells side by side, texts cut to their columns; what follows a label that is too long stands below it."""
        from rich.text import Text

        line, column = Text(), 0
        for cell, kind, width in zip(cells, self.kinds, self.widths, strict=True):
            if kind == "text" and self.below:
                continue
            if kind == "text":
                cell.truncate(width, overflow="ellipsis")
            room = " " * (width - cell.cell_len)
            line.append_text(Text(room) + cell if kind == "number" else cell + Text(room))
            column += width + _GAP
            line.append(" " * _GAP if cell.cell_len <= width else "\n" + " " * column)
        line.rstrip()
        return line

    def text_below(self, cells: Sequence[str]) -> Text | None:
        """The row's texts in a line of their own, where they stand there."""
        from rich.text import Text

        texts = [cell for cell, kind in zip(cells, self.kinds, strict=True) if kind == "text" and cell]
        if not self.below or not texts:
            return None
        line = Text("    " + " · ".join(texts), "dim")
        line.truncate(self.screen, overflow="ellipsis")
        return line


def _layout(columns: dict[str, Kind], rows: Sequence[Sequence[str]], screen: int) -> _Layout:
    from rich.cells import cell_len

    kinds = list(columns.values())
    widths = [max(map(cell_len, column)) for column in zip(list(columns), *rows, strict=True)]
    rest = screen - _taken(widths, kinds)
    if rest + _GAP < 0 and "label" in kinds:  # the longest label then folds, and no other row does
        widest = max((place for place, kind in enumerate(kinds) if kind == "label"), key=widths.__getitem__)
        widths[widest] = max(widths[widest] + rest + _GAP, cell_len(list(columns)[widest]))
        rest = screen - _taken(widths, kinds)
    texts = kinds.count("text")
    if _taken(widths, kinds, texts=True) <= screen + _GAP:
        return _Layout(kinds, widths, below=False, screen=screen)
    share = rest // max(texts, 1) - _GAP
    cut = [min(width, share) if kind == "text" else width for width, kind in zip(widths, kinds, strict=True)]
    return _Layout(kinds, cut, below=share < _LEAST_TEXT, screen=screen)


def _taken(widths: Sequence[int], kinds: Sequence[Kind], *, texts: bool = False) -> int:
    """The room that columns take with a gap behind each, with those of texts or without."""
    return sum(width + _GAP for width, kind in zip(widths, kinds, strict=True) if texts or kind != "text")


def _lines(
    columns: dict[str, Kind], rows: Sequence[Sequence[str]], links: Iterable[str | None], screen: int
) -> Iterator[Text]:
    """The names of the columns, then one or two lines for each row."""
    from rich.style import Style
    from rich.text import Text

    layout = _layout(columns, rows, screen)
    yield layout.row([Text(name, "bold") for name in columns])
    for row, link in zip(rows, links, strict=False):
        styles = [Style(link=link if kind == "label" else None) for kind in layout.kinds]
        yield layout.row([Text(cell, style) for cell, style in zip(row, styles, strict=True)])
        if below := layout.text_below(row):
            yield below
