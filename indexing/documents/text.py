"""From a page to its words and where they stand: by the PDF's text layer, or by OCR where that says more.

Boxes lie on the picture that `OpenDocument.picture` makes of the page, cropped and turned alike.
"""

from __future__ import annotations

from pagesight.indexing.documents.document import OpenDocument
from pagesight.indexing.documents.ocr import read_picture
from pagesight.indexing.documents.pdf import PdfDocument
from pagesight.indexing.documents.text_layer import read_text_layer
from pagesight.indexing.pages import PageText


def read_text(document: OpenDocument, number: int, *, ocr: bool) -> PageText:
    """The page's words in reading order, each with its box on the page's picture.

    A word that is broken at the end of a line stands whole where its first part does, with the first part's box.
    Characters are NFKC: a ligature is its letters. With ``ocr``, pages without text, pages of pictures with hardly any,
    and pages whose characters mean nothing (fonts without a map to Unicode) are read with RapidOCR. Several threads may
    read at once, and OCR gains by it: one page keeps one core busy. Raises UnknownPage; UnreadableDocument for a page
    that is damaged; MissingExtra if OCR is needed and cannot start.
    """
    if not isinstance(document, PdfDocument):
        document.size(number)  # an unknown page is an error with and without OCR
        return read_picture(document, number) if ocr else PageText.empty()
    layer = read_text_layer(document, number)
    if not (ocr and layer.may_lack_words):
        return layer.text
    seen = read_picture(document, number)
    return seen if len(seen.text) >= len(layer.text.text) else layer.text
