"""A document or a page by what a request names it, within what a token may see; nothing outside is named."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pagesight.indexing.errors import UnknownDocument, UnknownPage
from pagesight.indexing.labels.page_numbers import whole_number
from pagesight.indexing.pages import PageRef, is_document_id

if TYPE_CHECKING:
    from pagesight.indexing.pages import DocumentRecord
    from pagesight.tools.allowed_documents import AllowedDocuments


def find_document(allowed: AllowedDocuments, name: str) -> DocumentRecord:
    """The document of that name or id. Raises UnknownDocument."""
    try:
        return allowed.document(name)
    except UnknownDocument as error:
        if allowed.is_all:
            raise
        raise UnknownDocument(
            f"{name[:200]!r} is not among the documents of this token: GET /documents lists them"
        ) from error


def find_page(allowed: AllowedDocuments, name: str) -> PageRef:
    """The page with that label, or that key, ``<document id>:<number>``. Raises UnknownPage, UnknownDocument."""
    document_id, _, written = name.partition(":")
    number = whole_number(written)
    if number is None or not is_document_id(document_id):
        return allowed.page(name)
    record = find_document(allowed, document_id)
    if not 1 <= number <= record.pages:
        raise UnknownPage(f"{record.document} has pages 1 to {record.pages}, not {number}")
    return record.page_refs[number - 1]
