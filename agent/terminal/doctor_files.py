"""What `doctor` says of reading files: what office files, texts and languages need that pip does not bring."""

from __future__ import annotations

import shutil
from ctypes.util import find_library

from pagesight.agent.terminal.check import Check

# A page with one Japanese word in a font that the file does not bring along; where there is none, nothing is drawn.
_JAPANESE = b"""%PDF-1.4
1 0 obj << /Type /Catalog /Pages 2 0 R >> endobj
2 0 obj << /Type /Pages /Kids [3 0 R] /Count 1 >> endobj
3 0 obj << /Type /Page /Parent 2 0 R /MediaBox [0 0 100 50] /Contents 4 0 R
/Resources << /Font << /F1 5 0 R >> >> >> endobj
4 0 obj << /Length 43 >> stream
BT /F1 24 Tf 10 15 Td <65E5672C8A9E> Tj ET
endstream endobj
5 0 obj << /Type /Font /Subtype /Type0 /BaseFont /HeiseiKakuGo-W5 /Encoding /UniJIS-UCS2-H
/DescendantFonts [6 0 R] >> endobj
6 0 obj << /Type /Font /Subtype /CIDFontType0 /BaseFont /HeiseiKakuGo-W5
/CIDSystemInfo << /Registry (Adobe) /Ordering (Japan1) /Supplement 2 >> /FontDescriptor 7 0 R >> endobj
7 0 obj << /Type /FontDescriptor /FontName /HeiseiKakuGo-W5 /Flags 4 /FontBBox [0 -200 1000 900]
/ItalicAngle 0 /Ascent 800 /Descent -200 /CapHeight 700 /StemV 80 >> endobj
trailer << /Root 1 0 R >>
"""


def checks_of_files() -> list[Check]:
    """What reads office files, draws texts, and shows Chinese, Japanese and Korean that a PDF does not bring along."""
    return [_office(), _texts(), _fonts()]


def _office() -> Check:
    program = shutil.which("soffice") or shutil.which("libreoffice")
    if program:
        return Check("office files", "ok", f"LibreOffice, {program}")
    fix = "apt install libreoffice-writer libreoffice-calc libreoffice-impress"
    return Check("office files", "absent", "LibreOffice is not installed; DOCX, PPTX and the like need it", fix)


def _texts() -> Check:
    if find_library("pango-1.0") and find_library("pangoft2-1.0"):
        return Check("texts and mails", "ok", "drawn by WeasyPrint with Pango")
    fix = "apt install libpango-1.0-0 libpangoft2-1.0-0"
    return Check("texts and mails", "absent", "Pango is not installed; HTML, Markdown, TXT and EML need it", fix)


def _fonts() -> Check:
    import pypdfium2

    with pypdfium2.PdfDocument(_JAPANESE) as document:
        darkest = document[0].render(scale=2).to_pil().convert("L").getextrema()[0]
    if darkest < 255:
        return Check("fonts", "ok", "Chinese, Japanese and Korean are drawn also where a PDF brings no fonts")
    says = "none for Chinese, Japanese and Korean: such words of PDFs that bring no fonts are blank on pictures"
    return Check("fonts", "absent", says, "apt install fonts-noto-cjk")
