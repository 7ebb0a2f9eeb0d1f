"""Columns of numbers in tables of Excel's newer form that are too narrow for them: office programs write ### then."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator

from pagesight.indexing.documents.zipped import UNREADABLE, attribute, column_number

# Characters that such a column is wide at least: a date with a time has 19, a sum in millions with its currency some
# 20. A guess, not measured.
_WIDE_ENOUGH = 24
_LARGEST = 200_000_000  # bytes of a sheet that are looked at; a guess, not measured

_SHEET = re.compile(r"xl/worksheets/[^/]+\.xml")
_COLUMNS = re.compile(r"<cols>(.*?)</cols>|<cols/>", re.DOTALL)
_COLUMN = re.compile(r"<col\s[^>]*?/?>")
_CELL = re.compile(r'<c\s[^>]*?\br="([A-Z]{1,3})\d+"([^>]*)>')
_LAST = 16_384  # columns that there are


def with_wide_columns(table: bytes) -> bytes | None:
    """The table, columns that hold numbers made wide enough; None where it has none, or is no such table."""
    target, changed = io.BytesIO(), False
    try:
        with zipfile.ZipFile(io.BytesIO(table)) as archive, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as made:
            for entry in archive.infolist():
                content = archive.read(entry)
                if _SHEET.fullmatch(entry.filename) and entry.file_size <= _LARGEST:
                    sheet = content.decode()
                    widened = _widened(sheet)
                    content, changed = widened.encode(), changed or widened != sheet
                made.writestr(entry, content)
    except UNREADABLE:
        return None
    return target.getvalue() if changed else None


def _widened(sheet: str) -> str:
    """The sheet with the columns of its numbers made wide enough."""
    numbers = {
        column_number(letters) for letters, rest in _CELL.findall(sheet) if ' t="' not in rest or ' t="n"' in rest
    }
    if not numbers:
        return sheet
    found = _COLUMNS.search(sheet)
    columns = "".join(_columns(_COLUMN.findall(found[1] or "") if found else [], sorted(numbers)))
    if found:
        return sheet[: found.start()] + f"<cols>{columns}</cols>" + sheet[found.end() :]
    return sheet.replace("<sheetData", f"<cols>{columns}</cols><sheetData", 1)


def _columns(tags: list[str], numbers: list[int]) -> Iterator[str]:
    """The tags of columns, those of the numbers apart and wide enough."""
    start = 1
    for tag in [*tags, f'<col min="{_LAST + 1}" max="{_LAST + 1}"/>']:
        first, last = int(attribute(tag, "min")), int(attribute(tag, "max"))
        yield from (_wide(f'<col min="{one}" max="{one}"/>') for one in numbers if start <= one < first)
        ours = [one for one in numbers if first <= one <= last]
        for one in ours:
            if first < one:
                yield _of(tag, first, one - 1)
            yield _wide(_of(tag, one, one))
            first = one + 1
        if first <= last <= _LAST:
            yield _of(tag, first, last)
        start = last + 1


def _of(tag: str, first: int, last: int) -> str:
    return re.sub(r'\bmax="\d+"', f'max="{last}"', re.sub(r'\bmin="\d+"', f'min="{first}"', tag))


def _wide(tag: str) -> str:
    """The tag of a column, wide enough; a hidden one stays so."""
    width = max(float(attribute(tag, "width") or 0), _WIDE_ENOUGH)
    rest = re.sub(r'\s(?:width|customWidth|bestFit)="[^"]*"', "", tag.rstrip("/>"))
    return f'{rest} width="{width:g}" customWidth="1"/>'
