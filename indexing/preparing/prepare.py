"""From an open document to a prepared page."""

from __future__ import annotations

import re

import numpy as np
from PIL import Image

from pagesight.indexing.configuration.setting_groups import DocumentSettings
from pagesight.indexing.documents.document import OpenDocument
from pagesight.indexing.documents.page_content import content_fault
from pagesight.indexing.documents.pdf import PdfDocument
from pagesight.indexing.page_kinds.told import told_kinds
from pagesight.indexing.page_text.printed_label import printed_label
from pagesight.indexing.page_text.text import read_page
from pagesight.indexing.pages import PageText
from pagesight.indexing.preparing.prepared_page import PreparedPage


def prepare_page(
    document: OpenDocument, number: int, settings: DocumentSettings, long_side: int | None, labelled: bool = True
) -> PreparedPage:
    """The page's words, and its picture with this longer side in pixels unless that is None.

    Unless it is to be ``labelled``, the document's table of page labels is not looked at: a damaged one has no end.

    Raises UnreadableDocument for a page that is damaged, UnknownPage, MissingExtra if OCR is needed and cannot start.
    """
    reading = read_page(document, number, ocr=settings.ocr, languages=settings.ocr_languages)
    picture = document.picture(number, long_side=long_side) if long_side else None
    size, label = document.size(number), printed_label(document, number) if labelled else None
    kinds = tuple(told_kinds(document, number, reading.text, picture))
    of_labels = () if labelled else (_NO_LABELS,)
    blank = _blank(document, number, reading.text, picture)
    warnings = (*document.warnings_of(number), *reading.warnings, *blank, *of_labels)
    return PreparedPage(number, reading.text, size, label=label, kinds=kinds, picture=picture, warnings=warnings)


def _blank(document: OpenDocument, number: int, text: PageText, picture: Image.Image | None) -> tuple[str, ...]:
    """The warning for a page without words whose content is damaged, or with words of which its picture shows nothing.

    Of the latter only words with letters that no font of pdfium's own has are looked at: of the others something is
    always drawn.
    """
    if not text.words:
        fault = content_fault(document, number) if isinstance(document, PdfDocument) else None
        return (fault,) if fault else ()
    if not _FOREIGN.search(" ".join(text.words)):
        return ()
    foreign = [_FOREIGN.search(word) is not None for word in text.words]
    pixels = np.asarray((picture or document.picture(number, long_side=_SMALL)).convert("L"))
    corners = text.boxes[foreign] * np.array([*pixels.shape[::-1]] * 2)
    shown = [np.ptp(pixels[top : bottom + 1, left : right + 1]) > 0 for left, top, right, bottom in corners.astype(int)]
    return (_IS_BLANK,) if sum(shown) < len(shown) / 2 else ()


_NO_LABELS = "its document's table of page labels is damaged: it is known by its place in the file alone"

# The picture that is looked at for it, in pixels: large enough for a letter to leave a trace. A guess, not measured.
_SMALL = 800

# Letters that the fonts that pdfium brings along lack: these have Latin, Greek and Cyrillic ones, and signs.
_FOREIGN = re.compile(
    "[\u0530-\u1cff\u2d00-\u2dff\u2e80-\ud7ff\uf900-\ufaff\ufb13-\ufdff\ufe70-\ufefc\U00010000-\U0003ffff]"
)

_IS_BLANK = (
    "it has words of which the picture shows nothing: a font is missing that the file does not bring along. For "
    "Chinese, Japanese and Korean install one, such as `apt install fonts-noto-cjk`, and index it again"
)
