"""Tables in Excel's newer form, and OpenDocument's, with cells far from all others: millions of pages would be printed.

Such a table gets a print range that ends before the gap. A range that its author has set counts as it is.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from pagesight.indexing.documents.zipped import UNREADABLE, attribute, column_number

#: The names of tables in Excel's newer form, and of those that are looked at.
EXCEL = (".xlsx", ".xlsm")
TABLES = (*EXCEL, ".ods")

# What counts as far, in empty rows and columns: some hundred pages and some tens. Guesses, not measured.
_ROWS, _COLUMNS = 5_000, 200
_LARGEST = 200_000_000  # bytes of a sheet that are looked at; a guess, not measured
_BESIDE = 4  # columns beside the last one, into which its texts may reach; a guess, not measured
_MOST_NAMED = 5  # cells that a warning names

_CELL = re.compile(rb'<c\s[^>]*?\br="([A-Z]{1,3})(\d{1,7})"[^>]*[^/>]>|<c\s+r="([A-Z]{1,3})(\d{1,7})">')
_SHEET = re.compile(r"<(?:\w+:)?sheet\s[^>]*?>")
_WORKBOOK = "xl/workbook.xml"


_CONTENT = "content.xml"
_OPEN_TABLE = re.compile(rb"<table:table\s[^>]*>.*?</table:table>", re.DOTALL)
_OPEN_ROW_OR_CELL = re.compile(rb"<table:(table-row|table-cell|covered-table-cell)((?:\s[^>]*?)?)/?>")


def without_far_cells(path: Path) -> tuple[bytes | None, list[str]]:
    """The file with print ranges where it needs some, None where it needs none; and what is then left out.

    Each as it goes on from "report.xlsx: ". What is no such file needs none.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if path.suffix.lower() not in EXCEL:
                content, said = _with_open_ranges(archive)
                return (_with(archive, _CONTENT, content), said) if said else (None, [])
            book = archive.read(_WORKBOOK).decode()
            ranges, said = _ranges(archive, book)
            return (_with(archive, _WORKBOOK, _with_names(book, ranges)), said) if ranges else (None, [])
    except UNREADABLE:
        return None, []


@dataclass(frozen=True)
class _Kept:
    """The last row and column to be printed, from 1, and the names of the cells behind the gap."""

    row: int
    column: int
    far: list[str]

    def said(self, sheet: str) -> str:
        more = f" and {len(self.far) - _MOST_NAMED:,} more" if len(self.far) > _MOST_NAMED else ""
        names = ", ".join(self.far[:_MOST_NAMED])
        return f"cells of the sheet {sheet} stand far from all others and are left out: {names}{more}"


def _kept(cells: Sequence[tuple[int, int]]) -> _Kept:
    """What is kept of cells, (column, row)."""
    row, column = _end((row for _, row in cells), _ROWS), _end((column for column, _ in cells), _COLUMNS)
    return _Kept(row, column + _BESIDE, [f"{_letters(x)}{y}" for x, y in cells if y > row or x > column])


def _ranges(archive: zipfile.ZipFile, book: str) -> tuple[dict[int, str], list[str]]:
    """The print ranges of sheets by their places from 0, and what lies outside them."""
    places = _files(archive)
    ranges, said = dict[int, str](), list[str]()
    for place, sheet in enumerate(_SHEET.findall(book)):
        file = places.get(attribute(sheet, "r:id"), "")
        own = re.search(rf'<definedName[^>]*_xlnm\.Print_Area"[^>]*localSheetId="{place}"', book)
        if own or not file or archive.getinfo(file).file_size > _LARGEST:
            continue
        kept = _kept(list(_cells(archive.read(file))))
        if kept.far:
            name = attribute(sheet, "name")
            ranges[place] = f"{_quoted(name)}!$A$1:${_letters(kept.column)}${kept.row}"
            said.append(kept.said(name))
    return ranges, said


def _with_open_ranges(archive: zipfile.ZipFile) -> tuple[bytes, list[str]]:
    """The content of an OpenDocument table with print ranges where it needs some, and what lies outside them."""
    said = list[str]()

    def ranged(table: re.Match[bytes]) -> bytes:
        tag = table[0][: table[0].index(b">")]
        kept = None if b"table:print-ranges=" in tag else _kept(list(_open_cells(table[0])))
        if not kept or not kept.far:
            return table[0]
        name = attribute(tag.decode(), "table:name")
        said.append(kept.said(name))
        cells = f"{_quoted(name)}.A1:{_quoted(name)}.{_letters(kept.column)}{kept.row}"
        return tag + f" table:print-ranges={quoteattr(cells)}".encode() + table[0][len(tag) :]

    if archive.getinfo(_CONTENT).file_size > _LARGEST:
        return b"", []
    return _OPEN_TABLE.sub(ranged, archive.read(_CONTENT)), said


def _open_cells(table: bytes) -> Iterator[tuple[int, int]]:
    """The column and the row, from 1, of each cell of an OpenDocument table that holds something; of those that are
    repeated the first and the last."""
    first = last = column = 0
    for found in _OPEN_ROW_OR_CELL.finditer(table):
        if found[1] == b"table-row":
            first, last, column = last + 1, last + _repeated(found[2], b"rows"), 0
            continue
        before, column = column, column + _repeated(found[2], b"columns")
        if b"office:value-type=" in found[2] or b"table:formula=" in found[2]:
            yield from dict.fromkeys(((before + 1, first), (column, last)))


def _repeated(attributes: bytes, what: bytes) -> int:
    found = re.search(rb'table:number-%s-repeated="(\d{1,7})"' % what, attributes)
    return int(found[1]) if found else 1


def _quoted(name: str) -> str:
    return f"'{name.replace(chr(39), chr(39) * 2)}'"


def _files(archive: zipfile.ZipFile) -> dict[str, str]:
    """The sheets' files by the ids that the workbook calls them by."""
    related = archive.read("xl/_rels/workbook.xml.rels").decode()
    found = {}
    for one in re.findall(r"<(?:\w+:)?Relationship\s[^>]*>", related):
        target = attribute(one, "Target")
        found[attribute(one, "Id")] = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    return {known: file for known, file in found.items() if file in archive.namelist()}


def _cells(sheet: bytes) -> Iterator[tuple[int, int]]:
    """The column and the row, from 1, of each cell that holds something."""
    for match in _CELL.finditer(sheet):
        yield column_number((match[1] or match[3]).decode()), int(match[2] or match[4])


def _end(numbers: Iterable[int], gap: int) -> int:
    """The last of the numbers, from 1, up to which no two neighbours are further apart than a gap."""
    ordered = sorted({0, *numbers})
    return next((before for before, after in pairwise(ordered) if after - before > gap), ordered[-1])


def _letters(number: int) -> str:
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def _with_names(book: str, ranges: dict[int, str]) -> bytes:
    names = "".join(
        f'<definedName name="_xlnm.Print_Area" localSheetId="{place}">{escape(said)}</definedName>'
        for place, said in ranges.items()
    )
    if "<definedNames>" in book:
        return book.replace("<definedNames>", f"<definedNames>{names}", 1).encode()
    return book.replace("</sheets>", f"</sheets><definedNames>{names}</definedNames>", 1).encode()


def _with(archive: zipfile.ZipFile, name: str, content: bytes) -> bytes:
    """The file with another content under a name in it."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as made:
        for entry in archive.infolist():
            made.writestr(entry, content if entry.filename == name else archive.read(entry))
    return target.getvalue()
