"""Tables in Excel's newer form with cells far from all others, which would be printed on millions of pages.

Such a table gets a print range that ends before the gap. A range that its author has set counts as it is.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Iterator
from html import unescape
from itertools import pairwise
from pathlib import Path
from xml.sax.saxutils import escape

#: The names of tables that are looked at.
TABLES = (".xlsx", ".xlsm")

# What counts as far, in empty rows and columns: some hundred pages and some tens. Guesses, not measured.
_ROWS, _COLUMNS = 5_000, 200
_LARGEST = 200_000_000  # bytes of a sheet that are looked at; a guess, not measured
_MOST_NAMED = 5  # cells that a warning names

_CELL = re.compile(rb'<c\s[^>]*?\br="([A-Z]{1,3})(\d{1,7})"[^>]*[^/>]>|<c\s+r="([A-Z]{1,3})(\d{1,7})">')
_SHEET = re.compile(r"<(?:\w+:)?sheet\s[^>]*?>")
_WORKBOOK = "xl/workbook.xml"


def without_far_cells(path: Path) -> tuple[bytes | None, list[str]]:
    """The file with print ranges where it needs some, None where it needs none; and what is then left out.

    Each as it goes on from "report.xlsx: ". What is no such file needs none.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            book = archive.read(_WORKBOOK).decode()
            ranges, said = _ranges(archive, book)
            return (_with_ranges(archive, book, ranges), said) if ranges else (None, [])
    except (OSError, ValueError, KeyError, zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError):
        return None, []


def _ranges(archive: zipfile.ZipFile, book: str) -> tuple[dict[int, str], list[str]]:
    """The print ranges of sheets by their places from 0, and what lies outside them."""
    places = _files(archive)
    ranges, said = dict[int, str](), list[str]()
    for place, sheet in enumerate(_SHEET.findall(book)):
        file = places.get(_attribute(sheet, "r:id"), "")
        own = re.search(rf'<definedName[^>]*_xlnm\.Print_Area"[^>]*localSheetId="{place}"', book)
        if own or not file or archive.getinfo(file).file_size > _LARGEST:
            continue
        cells = list(_cells(archive.read(file)))
        row = _end((line for _, line in cells), _ROWS)
        column = _end((_number(name) for name, _ in cells), _COLUMNS)
        far = [f"{name}{line}" for name, line in cells if line > row or _number(name) > column]
        if far:
            name = _attribute(sheet, "name")
            ranges[place] = f"'{name.replace(chr(39), chr(39) * 2)}'!$A$1:${_letters(column)}${row}"
            more = f" and {len(far) - _MOST_NAMED:,} more" if len(far) > _MOST_NAMED else ""
            said.append(f"cells of the sheet {name} stand far from all others and are left out: "
                        f"{', '.join(far[:_MOST_NAMED])}{more}")  # fmt: skip
    return ranges, said


def _files(archive: zipfile.ZipFile) -> dict[str, str]:
    """The sheets' files by the ids that the workbook calls them by."""
    related = archive.read("xl/_rels/workbook.xml.rels").decode()
    found = {}
    for one in re.findall(r"<(?:\w+:)?Relationship\s[^>]*>", related):
        target = _attribute(one, "Target")
        found[_attribute(one, "Id")] = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    return {known: file for known, file in found.items() if file in archive.namelist()}


def _cells(sheet: bytes) -> Iterator[tuple[str, int]]:
    """The column and the row of each cell that holds something."""
    for match in _CELL.finditer(sheet):
        yield (match[1] or match[3]).decode(), int(match[2] or match[4])


def _end(numbers: Iterable[int], gap: int) -> int:
    """The last of the numbers, from 1, up to which no two neighbours are further apart than a gap."""
    ordered = sorted({0, *numbers})
    return next((before for before, after in pairwise(ordered) if after - before > gap), ordered[-1])


def _attribute(tag: str, name: str) -> str:
    found = re.search(rf'\s{name}="([^"]*)"', tag)
    return unescape(found[1]) if found else ""


def _number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - ord("A") + 1
    return number


def _letters(number: int) -> str:
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def _with_ranges(archive: zipfile.ZipFile, book: str, ranges: dict[int, str]) -> bytes:
    names = "".join(
        f'<definedName name="_xlnm.Print_Area" localSheetId="{place}">{escape(said)}</definedName>'
        for place, said in ranges.items()
    )
    if "<definedNames>" in book:
        book = book.replace("<definedNames>", f"<definedNames>{names}", 1)
    else:
        book = book.replace("</sheets>", f"</sheets><definedNames>{names}</definedNames>", 1)
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as made:
        for entry in archive.infolist():
            made.writestr(entry, book if entry.filename == _WORKBOOK else archive.read(entry))
    return target.getvalue()
