"""The look that the samples share: fonts, colours, paragraph and table styles, pictures on a page.

Every font is embedded, because a machine without system fonts would otherwise show empty pages. They are the free ones
that matplotlib ships: STIX for serif, DejaVu Sans for sans serif, the latter narrowed to nine tenths of its width, as
in DejaVu's own condensed cut, because the wide one makes tables look clumsy.
"""

import io
import tempfile
from functools import cache
from pathlib import Path

import matplotlib
from fontTools import subset
from fontTools.ttLib import TTFont as FontFile
from reportlab import rl_config
from reportlab.lib.colors import HexColor, white
from reportlab.lib.enums import TA_JUSTIFY, TA_RIGHT
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Image, Paragraph, Table

NAVY, TEAL, SEA, MIST = "#0E3A4A", "#2F7F86", "#8FBFC4", "#E4EFF0"
COPPER, AMBER, SAND, SLATE, INK = "#C8553D", "#E0A030", "#F5F0E8", "#66757F", "#1D2A30"
PALETTE = [NAVY, TEAL, COPPER, AMBER, SEA]

CHART_DPI = 200
CONDENSED = 0.9
MATPLOTLIB_FONTS = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
SANS_FILES = {
    "Sans": "DejaVuSans.ttf",
    "Sans-Bold": "DejaVuSans-Bold.ttf",
    "Sans-Italic": "DejaVuSans-Oblique.ttf",
    "Sans-BoldItalic": "DejaVuSans-BoldOblique.ttf",
}
SERIF_FILES = {
    "Serif": "STIXGeneral.ttf",
    "Serif-Bold": "STIXGeneralBol.ttf",
    "Serif-Italic": "STIXGeneralItalic.ttf",
    "Serif-BoldItalic": "STIXGeneralBolIta.ttf",
}


def colour(code):
    """A reportlab colour from a code such as NAVY."""
    return HexColor(code)


@cache
def condensed(file_name):
    """The bytes of one of matplotlib's DejaVu fonts, Latin and symbols only, narrowed to CONDENSED of its width."""
    font = FontFile(MATPLOTLIB_FONTS / file_name, recalcTimestamp=False)
    options = subset.Options(hinting=False, layout_features=[], name_IDs=[1, 2, 4, 6])
    options.drop_tables.append("FFTM")
    latin = subset.Subsetter(options)
    latin.populate(unicodes=[*range(0x20, 0x400), *range(0x2000, 0x2300), *range(0x25A0, 0x2600)])
    latin.subset(font)
    for name in font.getGlyphOrder():
        _narrow(font["glyf"][name], font["glyf"])
        advance, bearing = font["hmtx"][name]
        font["hmtx"][name] = (round(advance * CONDENSED), round(bearing * CONDENSED))
    # DejaVu's licence asks that a changed font does not go by the old name.
    for record in font["name"].names:
        record.string = record.toUnicode().replace("DejaVu", "Sample")
    packed = io.BytesIO()
    font.save(packed)
    return packed.getvalue()


def _narrow(glyph, glyphs):
    if glyph.isComposite():
        for part in glyph.components:
            part.x = round(part.x * CONDENSED)
    elif glyph.numberOfContours > 0:
        glyph.coordinates.scale((CONDENSED, 1))
        glyph.coordinates.toInt()
    glyph.recalcBounds(glyphs)


@cache
def register_fonts():
    """Make the families Sans and Serif known to reportlab and to matplotlib."""
    for name, file_name in SANS_FILES.items():
        pdfmetrics.registerFont(TTFont(name, io.BytesIO(condensed(file_name))))
        _teach_matplotlib(name, condensed(file_name))
    for name, file_name in SERIF_FILES.items():
        pdfmetrics.registerFont(TTFont(name, str(MATPLOTLIB_FONTS / file_name)))
    for family in ("Sans", "Serif"):
        pdfmetrics.registerFontFamily(family, family, f"{family}-Bold", f"{family}-Italic", f"{family}-BoldItalic")
    rl_config.useA85 = 0  # the text encoding of streams would make every picture a quarter larger


# matplotlib opens the file again when it draws, so the folder has to live as long as the program.
_FONT_FOLDER = tempfile.TemporaryDirectory(prefix="sample-fonts-")


def _teach_matplotlib(name, font_bytes):
    path = Path(_FONT_FOLDER.name) / f"{name}.ttf"
    path.write_bytes(font_bytes)
    matplotlib.font_manager.fontManager.addfont(path)


def style(font="Sans", size=9, leading=None, code=INK, **more):
    """A paragraph style; leading and space are in points."""
    return ParagraphStyle(
        f"{font}-{size}-{code}",
        fontName=font,
        fontSize=size,
        leading=leading or size * 1.38,
        textColor=colour(code),
        **more,
    )


BODY = style("Serif", 11.3, 16.2, spaceAfter=8, alignment=TA_JUSTIFY)
LEAD = style("Sans", 11.5, 17, TEAL, spaceAfter=10)
TITLE = style("Sans-Bold", 23, 28, NAVY, spaceAfter=4)
KICKER = style("Sans-Bold", 8, 11, COPPER, spaceAfter=3)
HEADING = style("Sans-Bold", 12, 16, NAVY, spaceBefore=11, spaceAfter=4)
CAPTION = style("Sans", 7.6, 10.4, SLATE, spaceBefore=2, spaceAfter=8)
CHART_TITLE = style("Sans-Bold", 9, 12, NAVY, spaceBefore=4, spaceAfter=3)
CELL = style("Sans", 8.6, 11)
CELL_BOLD = style("Sans-Bold", 8.6, 11)
CELL_RIGHT = style("Sans", 8.6, 11, alignment=TA_RIGHT)


def placed(picture, width):
    """A PIL picture as a flowable of this width in points; its height follows."""
    packed = io.BytesIO()
    picture.save(packed, "PNG")
    packed.seek(0)
    return Image(packed, width, width * picture.height / picture.width)


def beside(left, right, widths, gap=7 * mm):
    """Two lists of flowables next to each other; widths in points, the gap comes between them."""
    table = Table([[left, "", right]], colWidths=[widths[0], gap, widths[1]])
    table.setStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), *_no_padding()])
    return table


def _no_padding():
    sides = ("LEFTPADDING", "RIGHTPADDING", "TOPPADDING", "BOTTOMPADDING")
    return [(side, (0, 0), (-1, -1), 0) for side in sides]


def ruled_table(rows, widths, *, total_rows=(), text_columns=(0,), size=8.6, padding=4.4, repeat_header=0):
    """A table with a dark header row, hairlines and bold totals; columns outside text_columns are set flush right."""
    table = Table(rows, colWidths=widths, repeatRows=repeat_header, hAlign="LEFT")
    table.setStyle(
        [
            ("FONT", (0, 0), (-1, -1), "Sans", size),
            ("TEXTCOLOR", (0, 1), (-1, -1), colour(INK)),
            ("FONT", (0, 0), (-1, 0), "Sans-Bold", size),
            ("TEXTCOLOR", (0, 0), (-1, 0), white),
            ("BACKGROUND", (0, 0), (-1, 0), colour(NAVY)),
            ("ALIGN", (0, 0), (-1, -1), "RIGHT"),
            ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
            ("LINEBELOW", (0, 1), (-1, -1), 0.4, colour(SEA)),
            ("TOPPADDING", (0, 0), (-1, -1), padding),
            ("BOTTOMPADDING", (0, 0), (-1, -1), padding),
            *[("ALIGN", (column, 0), (column, -1), "LEFT") for column in text_columns],
            *[("FONT", (0, row), (-1, row), "Sans-Bold", size) for row in total_rows],
            *[("BACKGROUND", (0, row), (-1, row), colour(MIST)) for row in total_rows],
        ]
    )
    return table


def text(content, paragraph_style=BODY):
    """A paragraph; content may hold reportlab's inline tags."""
    return Paragraph(content, paragraph_style)
