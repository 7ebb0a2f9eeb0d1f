"""Writing pages, and removing them, so that at every moment a page is whole or not there.

A batch is written in this order: multi-vectors (a file renamed into place) → candidate vectors → rows in `pages`. The
row is the commit: whatever happens, a page with a row is whole. Removal goes the other way round and ends with the
document's kept bytes: where these have no row, a removal or the first batch was cut off.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import Any

from pagesight.indexing.encoders import MultiVector
from pagesight.indexing.index_parts import IndexParts
from pagesight.indexing.lexical.bm25 import page_terms
from pagesight.indexing.pages import PageRow, PageText
from pagesight.indexing.vectors.quantization import stored
from pagesight.indexing.vectors.token_pooling import pooled

_log = logging.getLogger(__name__)


def write_batch(
    parts: IndexParts,
    document: dict[str, Any],
    numbers: Sequence[int],
    texts: Sequence[PageText],
    labels: Sequence[str | None],
    vectors: Sequence[MultiVector],
) -> None:
    """Write consecutive pages of a document, findable when its last page is.

    ``document`` has what all its pages have in their rows (see `PageRow`). Raises StorageFull, PageIndexError, OSError.
    """
    started = time.monotonic()
    parts.sharing.confirm()
    layout, document_id, first = parts.layout, document["document_id"], numbers[0]
    pages = [pooled(page, layout.pool) for page in vectors]
    parts.multivectors.write(document_id, first, [stored(page, layout.precision) for page in pages])
    vectors_of = [(number, page.vectors) for number, page in zip(numbers, pages, strict=True)]
    parts.candidates.write(document["ordinal"], document_id, vectors_of, parts.settings)
    rows = [
        _row(document, first, number, text, len(page.vectors), parts.term_rules, label)
        for number, text, page, label in zip(numbers, texts, pages, labels, strict=True)
    ]
    parts.catalog.add(parts.store.write_pages(rows))
    took = (time.monotonic() - started) * 1000
    _log.debug("%s: pages %d to %d written in %.0f ms", document_id, first, numbers[-1], took)


def _row(
    document: dict[str, Any], batch: int, number: int, text: PageText, vectors: int, rules: int, label: str | None
) -> PageRow:
    return PageRow(
        page=number,
        batch=batch,
        vectors=vectors,
        text_source=text.source,
        terms=" ".join(page_terms(text, rules)),
        text=text.text,
        printed_label=label or "",
        **document,
    )


def remove_document(parts: IndexParts, document_id: str) -> None:
    """Remove a document: first its rows in `pages`, so that nothing half there is ever found."""
    parts.sharing.confirm()
    parts.store.remove_pages(document_id)
    parts.catalog.remove(document_id)
    parts.candidates.remove(document_id)
    parts.multivectors.remove(document_id)
    parts.folder.documents.forget(document_id)


def clear_away(parts: IndexParts) -> None:
    """Remove what was left behind when removing a document, or writing its first pages, was cut off."""
    for document_id in parts.folder.documents.ids():
        if parts.catalog.get(document_id) is None:
            remove_document(parts, document_id)
