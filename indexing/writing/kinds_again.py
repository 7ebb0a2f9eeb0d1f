"""The kinds of pages told again, where an index has none since an earlier version made it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import groupby
from pathlib import Path

from pagesight.indexing.errors import PagesightError
from pagesight.indexing.opening.index_parts import WritingParts
from pagesight.indexing.pages import PageText
from pagesight.indexing.preparing.page_readers import GivenUp, PageReaders
from pagesight.indexing.storage.catalog_view import Entry
from pagesight.indexing.writing.commit import record_if_whole


def tell_kinds_again(parts: WritingParts, readers: PageReaders, entry: Entry) -> bool:
    """Tell the kinds of a document's pages of which none are known, and keep them; says whether some were told.

    Of pages that cannot be read any more none are; behind one that was given up no more are tried. Raises StorageFull,
    OSError.
    """
    told: dict[int, dict[str, float]] = {}
    for row in entry.rows.values():
        if row.kinds is not None:
            continue
        text = parts.folder.words.read(row) or PageText.empty()
        try:
            path = parts.folder.documents.shown(row)
            told[row.page] = dict.fromkeys(readers.kinds(path, row.page, text, called=Path(row.path)), 1.0)
        except GivenUp:
            break
        except PagesightError:
            continue
    if told:
        write_kinds(parts, entry, told)
    return bool(told)


def write_kinds(parts: WritingParts, entry: Entry, kinds: Mapping[int, dict[str, float]]) -> None:
    """Write the rows of a document's pages with these kinds, by number. Raises StorageFull, OSError."""
    parts.sharing.confirm()
    rows = sorted(parts.store.whole_rows(entry.first.document_id), key=lambda row: (row.batch, row.page))
    for _, group in groupby(rows, key=lambda row: row.batch):
        batch = [replace(row, kinds=kinds[row.page]) if row.page in kinds else row for row in group]
        changed = [row for row in batch if row.page in kinds]
        if changed and parts.page_files:
            parts.page_files.write(batch)
        if changed:
            parts.catalog.add(parts.store.write_pages(changed))
    record_if_whole(parts, entry.first.document_id)
