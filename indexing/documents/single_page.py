"""One page of a PDF as a PDF of its own, for readers that take PDFs."""

from __future__ import annotations

import io

import pypdfium2

from pagesight.indexing.documents.document import PDFIUM, PdfDocument


def single_page(document: PdfDocument, number: int) -> bytes:
    """The bytes of a PDF that holds this page alone. Raises UnknownPage, UnreadableDocument for a damaged page."""
    target = io.BytesIO()
    with PDFIUM, document.page(number) as page, pypdfium2.PdfDocument.new() as alone:
        alone.import_pages(page.pdf, [number - 1])
        alone.save(target)
    return target.getvalue()
