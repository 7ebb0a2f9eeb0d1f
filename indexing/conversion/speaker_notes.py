"""The speaker's notes of a presentation, as pages behind its slides.

LibreOffice prints a page of notes for each slide, with the slide in small on it. Those that say no more than the slide
are taken out; each of the others says on it whose notes it has, so that it can be found and cited by that.
"""

from __future__ import annotations

import io
import re
from collections import Counter

import pypdfium2
import pypdfium2.raw as pdfium

from pagesight.indexing.documents.pdf import PDFIUM

#: What LibreOffice makes of a presentation: its slides, and then as many pages of notes.
SLIDES_AND_NOTES = (
    'pdf:impress_pdf_Export:{"ExportNotesPages":{"type":"boolean","value":"true"},'
    '"ExportNotes":{"type":"boolean","value":"true"}}'
)

_FROM_THE_EDGE, _SIZE = 24.0, 10.0  # points, of what is added


def only_with_notes(printed: bytes) -> bytes:
    """The PDF that LibreOffice makes so, without the pages of notes of slides that have none."""
    with PDFIUM, pypdfium2.PdfDocument(printed) as pdf:
        slides = len(pdf) // 2
        if len(pdf) % 2 or not slides:
            return printed
        for number in reversed(range(slides)):
            if _says_more(pdf, slides + number, number):
                _name(pdf, slides + number, f"Speaker notes of slide {number + 1}")
            else:
                pdf.del_page(slides + number)
        target = io.BytesIO()
        pdf.save(target)
        return target.getvalue()


def _says_more(pdf: pypdfium2.PdfDocument, notes: int, slide: int) -> bool:
    """Whether a page of notes has words that its slide has not; its number is none."""
    more = Counter(_words(pdf, notes))
    more.subtract(_words(pdf, slide))
    return any(count > 0 and word != str(slide + 1) for word, count in more.items())


def _words(pdf: pypdfium2.PdfDocument, place: int) -> list[str]:
    page = pdf[place]
    text = page.get_textpage()
    try:
        return re.findall(r"\w+", text.get_text_range())
    finally:
        text.close()
        page.close()


def _name(pdf: pypdfium2.PdfDocument, place: int, said: str) -> None:
    """Write a line at the top of a page."""
    page = pdf[place]
    line = pdfium.FPDFPageObj_NewTextObj(pdf, b"Helvetica", _SIZE)
    content = (said + "\0").encode("utf-16-le")
    pdfium.FPDFText_SetText(line, (pdfium.FPDF_WCHAR * (len(content) // 2)).from_buffer_copy(content))
    pdfium.FPDFPageObj_Transform(line, 1, 0, 0, 1, _FROM_THE_EDGE, page.get_height() - _FROM_THE_EDGE)
    pdfium.FPDFPage_InsertObject(page, line)
    page.gen_content()
    page.close()
