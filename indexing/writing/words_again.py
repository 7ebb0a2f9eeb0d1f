"""The words of pages read again, where the index does not have them, or not as they were written."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from pagesight.indexing.errors import PagesightError
from pagesight.indexing.opening.index_parts import WritingParts
from pagesight.indexing.pages import PageRow, PageText
from pagesight.indexing.preparing.page_readers import PageReaders
from pagesight.indexing.storage.catalog_view import Entry


def make_words_again(parts: WritingParts, readers: PageReaders, entry: Entry, *, missing: bool) -> bool:
    """Read words of a document that are damaged, or ``missing`` too, and keep them; says whether some were made.

    An index of an earlier version has none. What the document cannot give any more stays as it is. Raises OSError.
    """
    kept, made = parts.folder.words, False
    ordered = sorted(entry.rows.values(), key=lambda row: (row.batch, row.page))
    for first_page, group in groupby(ordered, key=lambda row: row.batch):
        rows = list(group)
        wanted = missing and not kept.path(rows[0].document_id, first_page).exists()
        if wanted or any(kept.damage(rows)):
            try:
                texts = _texts(parts, readers, rows)
            except PagesightError:
                continue
            kept.write(rows[0].document_id, first_page, texts)
            made = True
    return made


def _texts(parts: WritingParts, readers: PageReaders, rows: Sequence[PageRow]) -> list[PageText]:
    """The words of the pages of a batch; of those that are in another one by now, or had none, none."""
    path = parts.folder.documents.shown(rows[0])
    read = {row.page: _text(readers, path, row) for row in rows if row.text_source != "none"}
    return [read.get(page, PageText.empty()) for page in range(rows[0].batch, rows[-1].page + 1)]


def _text(readers: PageReaders, path: Path, row: PageRow) -> PageText:
    return readers.page(path, row.page, None, called=Path(row.path)).text
