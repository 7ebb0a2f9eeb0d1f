"""Tables that an answer holds in Markdown: each row told as what it says of each column."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pagesight.indexing.values.quantities import Span

_RULE = re.compile(r"^[\s|:\-–—]+$")
_CELL = re.compile(r"(?<!\\)\|")


def is_table_row(line: str) -> bool:
    """Whether a line is a row of a table."""
    return line.lstrip().startswith("|") and line.count("|") > 1


def read_rows(text: str, brackets: Sequence[Span]) -> dict[int, str]:
    """By where it starts, what each row of a table says: "Air-source, Revenue 2024: 486.2; Air-source, EBIT: 66.1".

    Heads and rules say nothing. ``brackets`` are citations, which belong to no cell.
    """
    rows: dict[int, str] = {}
    heads: list[str] = []
    at = 0
    lines = text.splitlines(keepends=True)
    for number, line in enumerate(lines):
        start, at = at, at + len(line)
        if not is_table_row(line):
            heads = []
            continue
        cells = _cells(_without(line, start, brackets))
        ruled = number + 1 < len(lines) and _RULE.match(lines[number + 1]) and is_table_row(lines[number + 1])
        if _RULE.match(line) or (ruled and not heads):
            heads = heads if _RULE.match(line) else cells
            rows[start] = ""
        else:
            rows[start] = _said(cells, heads)
    return rows


def _without(line: str, start: int, brackets: Sequence[Span]) -> str:
    kept = list(line)
    for begin, end in brackets:
        for place in range(max(begin - start, 0), min(end - start, len(kept))):
            kept[place] = " "
    return "".join(kept)


def _cells(line: str) -> list[str]:
    return [" ".join(cell.replace("**", "").split()) for cell in _CELL.split(line.strip().strip("|"))]


def _said(cells: Sequence[str], heads: Sequence[str]) -> str:
    """The row's first cell with each of the others; all of them where the first is a number itself."""
    label, rest = cells[0], list(zip(cells, heads or [""] * len(cells), strict=False))[1:]
    told = [f"{label}, {head}: {cell}".replace(", :", ":") for cell, head in rest if cell]
    return "; ".join(told) or label
