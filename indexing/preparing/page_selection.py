"""Which pages of a document are wanted: "3-9", "1,4-", "-1" for the last one."""

from __future__ import annotations

import re

from pagesight.indexing.errors import SettingsError, UnreadableDocument

_PART = re.compile(r"(?P<first>-?\d+)(?P<range>\s*-\s*(?P<last>-?\d+)?)?")

#: Where a document's metadata says which of its pages are in the index, if not all are.
SELECTED = "selected_pages"


def checked_selection(pages: str) -> str:
    """The selection without blanks. Raises SettingsError for what is none."""
    parts = [part.strip() for part in pages.split(",")]
    for part in parts:
        found = _PART.fullmatch(part)
        if not found or 0 in (int(found["first"]), int(found["last"] or 1)):
            raise SettingsError(
                f"{pages!r} are no pages. Write numbers and ranges from 1 on, such as 3-9, 1,4-7,12- or -1, the last."
            )
    return ",".join("".join(part.split()) for part in parts)


def selected(pages: str, page_count: int, name: str) -> list[int]:
    """The numbers of the pages, in order. Raises UnreadableDocument if the document has none of them."""
    found: set[int] = set()
    for part in pages.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise SettingsError(f"{pages!r} are no pages")
        first = _from_end(int(match["first"]), page_count)
        last = (_from_end(int(match["last"]), page_count) if match["last"] else page_count) if match["range"] else first
        found |= set(range(max(first, 1), min(last, page_count) + 1))
    if not found:
        has = "one page" if page_count == 1 else f"{page_count} pages"
        raise UnreadableDocument(f"{name} has {has}, and none of those that were asked for ({pages}).")
    return sorted(found)


def _from_end(number: int, page_count: int) -> int:
    return number if number > 0 else page_count + 1 + number
