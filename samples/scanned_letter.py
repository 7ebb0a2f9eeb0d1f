"""The scanned letter: two typed pages, printed, signed, stamped and put a little askew on the glass of a scanner.

The pages are first set as a clean PDF, then rendered and worn, so that the file holds pictures only and no text layer.
"""

import io

import numpy as np
import pypdfium2
from house_style import SLATE, colour, register_fonts, ruled_table, style, text
from PIL import Image, ImageFilter
from reportlab.lib.colors import black
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, NextPageTemplate, PageBreak, PageTemplate, Spacer
from scanned_letter_text import CLOSING, LETTERHEAD, MEASURED, PAGE_TWO, PARAGRAPHS, RECIPIENT, REFERENCES, SUBJECT

WIDTH, HEIGHT = A4
SCAN_DPI = 165
TILTS = (1.3, -1.0)  # degrees, one for each page
PAPER = (250, 248, 242)
TYPED = style("Serif", 12.2, 17, "#000000", spaceAfter=8)
SIGNATURE = [  # Bezier curves in points from the start of the signature: x0, y0 and three control points
    (0, 6, 14, 44, 22, 40, 12, 2),
    (12, 2, 26, 22, 34, 24, 36, 8),
    (36, 8, 46, 26, 52, 20, 50, 8),
    (50, 8, 66, 40, 74, 46, 66, 0),
    (66, 0, 76, 18, 88, 20, 92, 9),
    (92, 9, 110, 16, 128, 14, 150, 22),
    (8, -4, 60, -12, 110, -6, 142, 2),
]


def make(path):
    """Write the scan to path."""
    register_fonts()
    scan = Canvas(str(path), pagesize=A4, invariant=1)
    scan.setTitle("Scan 2025-02-20")
    for number, (page, tilt) in enumerate(zip(_printed_pages(), TILTS, strict=True)):
        scan.drawImage(ImageReader(_as_jpeg(_worn(page, tilt, seed=number))), 0, 0, WIDTH, HEIGHT)
        scan.showPage()
    scan.save()


def _printed_pages():
    """The clean letter as RGB pictures at SCAN_DPI."""
    clean = io.BytesIO()
    letter = BaseDocTemplate(clean, pagesize=A4, invariant=1)
    first = Frame(25 * mm, 18 * mm, WIDTH - 50 * mm, HEIGHT - 62 * mm, 0, 0, 0, 0)
    second = Frame(25 * mm, 18 * mm, WIDTH - 50 * mm, HEIGHT - 46 * mm, 0, 0, 0, 0)
    letter.addPageTemplates(
        [PageTemplate("first", [first], onPage=_letterhead), PageTemplate("second", [second], onPage=_second_head)]
    )
    letter.build([NextPageTemplate("second"), *_first_page(), PageBreak(), *_second_page()])
    pages = pypdfium2.PdfDocument(clean.getvalue())
    return [page.render(scale=SCAN_DPI / 72).to_pil().convert("RGB") for page in pages]


def _letterhead(canvas, _letter):
    canvas.setFillColor(colour("#2E5E4E"))
    for place, rise in enumerate((0, 7, 3)):
        canvas.rect(25 * mm + place * 11, HEIGHT - 30 * mm, 9, 18 + rise, stroke=0, fill=1)
    canvas.setFont("Sans-Bold", 15)
    canvas.drawString(40 * mm, HEIGHT - 26 * mm, LETTERHEAD[0])
    canvas.setFont("Sans", 8)
    canvas.setFillColor(colour(SLATE))
    canvas.drawString(40 * mm, HEIGHT - 30 * mm, LETTERHEAD[1])
    canvas.setStrokeColor(colour("#2E5E4E"))
    canvas.line(25 * mm, HEIGHT - 35 * mm, WIDTH - 25 * mm, HEIGHT - 35 * mm)
    canvas.setFont("Sans", 7)
    canvas.drawCentredString(WIDTH / 2, 11 * mm, LETTERHEAD[2])
    _stamp(canvas, 150 * mm, HEIGHT - 55 * mm)


def _second_head(canvas, _letter):
    canvas.setFont("Serif", 10)
    canvas.drawString(25 * mm, HEIGHT - 20 * mm, f"{LETTERHEAD[0]}, 17 February 2025")
    canvas.drawRightString(WIDTH - 25 * mm, HEIGHT - 20 * mm, "Page 2")


def _stamp(canvas, x, y):
    """The recipient's stamp, pressed on at an angle; no clean red, for ink pads are old."""
    canvas.saveState()
    canvas.translate(x, y)
    canvas.rotate(7)
    canvas.setStrokeColor(colour("#B0413E"))
    canvas.setFillColor(colour("#B0413E"))
    canvas.setLineWidth(1.8)
    canvas.roundRect(-52, -26, 104, 56, 5)
    canvas.setFont("Sans-Bold", 11)
    canvas.drawCentredString(0, 14, "RECEIVED")
    canvas.setFont("Sans-Bold", 12.5)
    canvas.drawCentredString(0, -3, "20 FEB. 2025")
    canvas.setFont("Sans", 7.5)
    canvas.drawCentredString(0, -18, "Halvenor Customer Service")
    canvas.restoreState()


class Signature(Flowable):
    """A signature in blue ink, written over the line that follows it."""

    def __init__(self):
        super().__init__()
        self.width, self.height = 150, 50

    def draw(self):
        """Draw the strokes, in points from the lower left corner."""
        self.canv.setStrokeColor(colour("#24408E"))
        self.canv.setLineWidth(1.5)
        self.canv.setLineCap(1)
        self.canv.translate(8, 2)
        for curve in SIGNATURE:
            self.canv.bezier(*curve)


def _first_page():
    return [
        *[text(line, style("Serif", 11.6, 14.6, "#000000")) for line in RECIPIENT],
        Spacer(1, 7 * mm),
        text("Mühlau, 17 February 2025", style("Serif", 11.6, 15, "#000000", alignment=TA_RIGHT)),
        *[text(line, style("Serif", 10.6, 14, "#000000")) for line in REFERENCES],
        Spacer(1, 5 * mm),
        text(SUBJECT, style("Serif-Bold", 11.8, 16, "#000000", spaceAfter=8)),
        *[text(paragraph, TYPED) for paragraph in PARAGRAPHS],
        Signature(),
        *[text(line, style("Serif", 11.6, 14.6, "#000000")) for line in CLOSING],
    ]


def _second_page():
    heading, before, after = PAGE_TWO
    widths = [26 * mm, 42 * mm, 30 * mm, 34 * mm, 28 * mm]
    table = ruled_table(MEASURED, widths, text_columns=(0, 1), size=9.5, padding=4)
    table.setStyle(
        [
            ("FONT", (0, 0), (-1, -1), "Serif", 11),
            ("FONT", (0, 0), (-1, 0), "Serif-Bold", 10.5),
            ("TEXTCOLOR", (0, 0), (-1, -1), black),
            ("BACKGROUND", (0, 0), (-1, 0), colour("#E6E6E6")),
            ("GRID", (0, 0), (-1, -1), 0.5, black),
        ]
    )
    return [
        text(heading, style("Serif-Bold", 11.8, 16, "#000000", spaceAfter=6)),
        text(before, TYPED),
        table,
        Spacer(1, 5 * mm),
        *[text(paragraph, TYPED) for paragraph in after],
    ]


def _worn(page, tilt, seed):
    """The page as a cheap scanner sees it: askew, soft, shaded towards one edge, with grain and specks of dust."""
    chance = np.random.default_rng(2025 + seed)
    tinted = Image.fromarray((np.asarray(page) / 255 * PAPER).astype("uint8"))
    askew = tinted.rotate(tilt, Image.Resampling.BICUBIC, fillcolor=PAPER).filter(ImageFilter.GaussianBlur(0.75))
    pixels = np.asarray(askew).astype("float32")
    height, width, _ = pixels.shape
    across = np.linspace(0, 1, width)[None, :, None]
    down = np.linspace(0, 1, height)[:, None, None]
    shade = 1 - 0.07 * across**3 - 0.05 * (1 - down) ** 4 - 0.22 * np.exp(-across * 70)
    grain = chance.normal(0, 1, (height, width, 1)).astype("float32") * 5.5
    pixels = pixels * shade + grain
    for _ in range(60):
        y, x = chance.integers(0, height - 3), chance.integers(0, width - 3)
        pixels[y : y + chance.integers(1, 3), x : x + chance.integers(1, 3)] *= 0.55
    return Image.fromarray(pixels.clip(0, 255).astype("uint8"))


def _as_jpeg(picture):
    packed = io.BytesIO()
    picture.save(packed, "JPEG", quality=48, subsampling=2, dpi=(SCAN_DPI, SCAN_DPI))
    packed.seek(0)
    return packed
