"""Makes the documents that tests read: PDFs of every odd shape, and pictures of text."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pypdfium2
from PIL import Image, ImageDraw, ImageFont
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.pdfgen import canvas

LETTER = (612.0, 792.0)

#: A word on a page: text, left edge and baseline in points from the page's lower left corner, size in points.
Mark = tuple[str, float, float, float]


def pdf(
    path: Path,
    pages: Iterable[Iterable[Mark]] = ((("hello", 72.0, 700.0, 24.0),),),
    *,
    sizes: Iterable[tuple[float, float]] | None = None,
    encrypt: StandardEncryption | None = None,
) -> Path:
    """A PDF with the marks of each page, each page of its size in points (Letter)."""
    pages = [list(marks) for marks in pages]
    drawing = canvas.Canvas(str(path), encrypt=encrypt)
    for marks, size in zip(pages, sizes or [LETTER] * len(pages), strict=True):
        drawing.setPageSize(size)
        for text, x, y, points in marks:
            drawing.setFont("Helvetica", points)
            drawing.drawString(x, y, text)
        drawing.showPage()
    drawing.save()
    return path


def altered(path: Path, *, turn: int = 0, crop: tuple[float, float, float, float] | None = None) -> Path:
    """The PDF with its first page turned clockwise and cropped to (left, bottom, right, top) points; in place."""
    with pypdfium2.PdfDocument(path.read_bytes()) as document:
        page = document[0]
        page.set_rotation(turn)
        if crop:
            page.set_cropbox(*crop)
        document.save(path)
    return path


def without_pages(path: Path) -> Path:
    """A sound PDF that has no page."""
    with pypdfium2.PdfDocument.new() as document:
        document.save(path)
    return path


def pdf_of_pictures(path: Path, pictures: Iterable[Image.Image], stamp: str = "") -> Path:
    """A scan: each page one picture, 72 dots per inch, and perhaps a line of real text at its foot."""
    drawing = canvas.Canvas(str(path))
    for picture in pictures:
        drawing.setPageSize(picture.size)
        drawing.drawInlineImage(picture, 0, 0)
        if stamp:
            drawing.drawString(20, 10, stamp)
        drawing.showPage()
    drawing.save()
    return path


def picture_of_text(
    lines: Iterable[tuple[str, int, int]], size: tuple[int, int] = (900, 600), points: int = 32
) -> Image.Image:
    """Black text on white; each line with the left and upper edge of where it starts, in pixels."""
    picture = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(picture)
    for text, x, y in lines:
        draw.text((x, y), text, fill="black", font=ImageFont.load_default(points))
    return picture


def ink(picture: Image.Image) -> tuple[float, float, float, float] | None:
    """(left, top, right, bottom) in 0–1 around all that is darker than mid-grey; None on an empty page."""
    dark = np.asarray(picture.convert("L")) < 128
    if not dark.any():
        return None
    rows, columns = np.flatnonzero(dark.any(axis=1)), np.flatnonzero(dark.any(axis=0))
    height, width = dark.shape
    return columns[0] / width, rows[0] / height, (columns[-1] + 1) / width, (rows[-1] + 1) / height


def as_bytes(picture: Image.Image, format: str, **options: object) -> bytes:
    """The picture in a file format."""
    target = io.BytesIO()
    picture.save(target, format, **options)
    return target.getvalue()


def pdf_with_font_map(path: Path, text: str, *, first: int) -> Path:
    """A PDF of one line of text, whose font says that the text's characters, sorted, are Unicode from ``first`` on."""
    codes = sorted(set(text))
    to_unicode = "".join(f"<{ord(code):02x}> <{first + at:04x}>\n" for at, code in enumerate(codes))
    cmap = (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def /CMapType 2 def\n"
        f"1 begincodespacerange <00> <ff> endcodespacerange\n{len(codes)} beginbfchar\n{to_unicode}endbfchar\n"
        "endcmap end end"
    )
    content = f"BT /F1 40 Tf 60 600 Td ({text}) Tj ET"
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R"
        " /Resources << /Font << /F1 5 0 R >> >> >>",
        f"<< /Length {len(content)} >>\nstream\n{content}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /ToUnicode 6 0 R >>",
        f"<< /Length {len(cmap)} >>\nstream\n{cmap}\nendstream",
    ]
    return raw_pdf(path, objects)


def raw_pdf(path: Path, objects: list[str]) -> Path:
    """A PDF from its objects, numbered from 1, the first of them the catalog."""
    out, offsets = b"%PDF-1.7\n", []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n".encode("latin-1")
    table = "".join(f"{offset:010d} 00000 n \n" for offset in offsets)
    count = len(objects) + 1
    xref = f"xref\n0 {count}\n0000000000 65535 f \n{table}"
    trailer = f"trailer << /Size {count} /Root 1 0 R >>\nstartxref\n{len(out)}\n%%EOF\n"
    path.write_bytes(out + (xref + trailer).encode())
    return path
