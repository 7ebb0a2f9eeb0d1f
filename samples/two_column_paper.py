"""The scientific paper: A4, two columns of serif type, with equations and figures set as pictures."""

import charts
import numpy as np
import two_column_paper_text as words
from house_style import INK, placed, register_fonts, ruled_table, style, text
from matplotlib import pyplot as plt
from PIL import Image, ImageOps
from reportlab.lib.colors import black
from reportlab.lib.enums import TA_CENTER, TA_JUSTIFY, TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.platypus import (
    BaseDocTemplate,
    CondPageBreak,
    Frame,
    FrameBreak,
    KeepTogether,
    NextPageTemplate,
    PageTemplate,
    Spacer,
    Table,
)

WIDTH, HEIGHT = A4
MARGIN, GAP = 18 * mm, 7 * mm
COLUMN = (WIDTH - 2 * MARGIN - GAP) / 2
HEAD = 65 * mm  # height of title, authors and abstract over both columns
EQUATION_DPI = 400

BODY = style("Serif", 10.8, 13.6, alignment=TA_JUSTIFY, firstLineIndent=10)
FIRST = style("Serif", 10.8, 13.6, alignment=TA_JUSTIFY)
NUMBER = style("Serif", 10.8, 13.6, alignment=TA_RIGHT)
SECTION = style("Serif-Bold", 11.5, 14, spaceBefore=9, spaceAfter=3)
CAPTION = style("Serif", 9.4, 11.6, spaceBefore=3, spaceAfter=9)
REFERENCE = style("Serif", 9.4, 11.5, leftIndent=14, firstLineIndent=-14, spaceAfter=2.5)


def make(path):
    """Write the paper to path."""
    register_fonts()
    paper = BaseDocTemplate(str(path), pagesize=A4, invariant=1, title=words.TITLE, author=words.AUTHORS)
    paper.addPageTemplates([_first_page(), _later_pages()])
    paper.build([*_head(), FrameBreak(), NextPageTemplate("later"), *_body()])


def _columns(bottom, height):
    return [Frame(x, bottom, COLUMN, height, 0, 0, 0, 0) for x in (MARGIN, MARGIN + COLUMN + GAP)]


def _first_page():
    top = HEIGHT - 22 * mm
    head = Frame(MARGIN, top - HEAD, WIDTH - 2 * MARGIN, HEAD, 0, 0, 0, 0)
    return PageTemplate("first", [head, *_columns(20 * mm, top - HEAD - 25 * mm)], onPage=_furniture)


def _later_pages():
    return PageTemplate("later", _columns(20 * mm, HEIGHT - 42 * mm), onPage=_furniture)


def _furniture(canvas, paper):
    canvas.setFont("Serif-Italic", 9)
    canvas.drawString(MARGIN, HEIGHT - 14 * mm, "Proceedings of the Brenhaven Workshop on Building Energy, 2025")
    canvas.setFont("Serif", 9)
    canvas.drawCentredString(WIDTH / 2, 11 * mm, str(paper.page))


def _head():
    middle = {"alignment": TA_CENTER}
    inset = {"leftIndent": 12 * mm, "rightIndent": 12 * mm}
    return [
        text(words.TITLE, style("Serif-Bold", 18, 22, spaceAfter=6, **middle)),
        text(words.AUTHORS, style("Serif", 11, 14, **middle)),
        text(words.PLACE, style("Serif-Italic", 9.6, 12, spaceAfter=9, **middle)),
        text(f"<b>Abstract.</b> {words.ABSTRACT}", style("Serif", 10.4, 12.9, alignment=TA_JUSTIFY, **inset)),
    ]


def _body():
    story = []
    for heading, *parts in words.SECTIONS:
        story += [CondPageBreak(22 * mm), text(heading, SECTION)]
        after_heading = True
        for part in parts:
            is_text = not part.startswith("@")
            story.append(text(part, FIRST if after_heading else BODY) if is_text else INSERTS[part]())
            after_heading = not is_text
    story.append(text("References", SECTION))
    return story + [text(f"[{n}] {entry}", REFERENCE) for n, entry in enumerate(words.REFERENCES, 1)]


def _equation(formula, number):
    """A displayed formula in matplotlib's mathtext, its number flush right."""
    plt.rcParams["mathtext.fontset"] = "stix"
    figure = plt.figure(figsize=(3.2, 0.8), dpi=EQUATION_DPI)
    figure.text(0.5, 0.5, f"${formula}$", fontsize=11, color=INK, ha="center", va="center")
    picture = charts.drawn(figure).convert("L")
    picture = picture.crop(ImageOps.invert(picture).getbbox())
    formula_picture = placed(picture, picture.width / EQUATION_DPI * 72)
    row = Table([["", formula_picture, text(f"({number})", NUMBER)]], colWidths=[10 * mm, COLUMN - 20 * mm, 10 * mm])
    row.setStyle(
        [
            ("ALIGN", (1, 0), (1, 0), "CENTER"),
            ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
            ("RIGHTPADDING", (2, 0), (2, 0), 0),
        ]
    )
    return row


def _figure(picture, caption):
    return KeepTogether([Spacer(1, 5), placed(picture, COLUMN), text(caption, CAPTION)])


def _spectrogram():
    """Band levels of a made-up fan over two hours: the hum sinks and broadens as frost closes the fins."""
    seed = np.random.default_rng(7)
    minutes, bands = np.meshgrid(np.arange(0, 120), np.linspace(0, 2, 60))
    since_defrost = minutes % 47
    hum = 32 * np.exp(-(((bands - 0.62 + 0.003 * since_defrost) / (0.05 + 0.0018 * since_defrost)) ** 2))
    level = 22 + hum + 0.14 * since_defrost * (bands < 0.5) + seed.normal(0, 1.6, minutes.shape)
    level[:, (since_defrost[0] < 4) & (minutes[0] > 10)] = 20
    figure, ax = charts.axes((86, 52), 7)
    shown = ax.pcolormesh(minutes, bands, level, cmap="viridis", rasterized=True)
    figure.colorbar(shown, label="level in dB")
    ax.set_xlabel("time in minutes")
    ax.set_ylabel("frequency in kHz")
    return _figure(_fewer_colours(charts.drawn(figure)), words.SPECTROGRAM)


def _fewer_colours(picture):
    return picture.quantize(64, dither=Image.Dither.NONE).convert("RGB")


def _overhead():
    picture = charts.lines(
        (86, 66),
        [-10, -7, -4, -1, 2, 5],
        words.OVERHEAD_PERCENT,
        x_label="outdoor temperature in °C",
        unit="defrost energy, % of heat",
        font_size=7,
        label_offsets=(6, -11, -11),
    )
    return _figure(picture, words.OVERHEAD)


def _by_house():
    picture = charts.bars((86, 46), *words.SAVING_BY_HOUSE, form="{:.1f}", unit="saving in %", font_size=7)
    return _figure(picture, words.BY_HOUSE)


def _results():
    widths = [COLUMN * share for share in (0.29, 0.22, 0.19, 0.13, 0.17)]
    return _booktab(words.RESULTS, widths, words.RESULTS_CAPTION)


def _sites():
    widths = [COLUMN * share for share in (0.36, 0.2, 0.2, 0.24)]
    return _booktab(words.SITES, widths, words.SITES_CAPTION)


def _parts():
    return _booktab(words.PARTS, [COLUMN * share for share in (0.6, 0.2, 0.2)], words.PARTS_CAPTION)


def _threshold():
    picture = charts.lines(
        (86, 58), *words.THRESHOLD, x_label="threshold θ", unit="per cent", font_size=7, label_offsets=(6, 6)
    )
    return _figure(picture, words.THRESHOLD_CAPTION)


def _booktab(rows, widths, caption):
    """A table in the manner of journals: three rules and no shading."""
    table = ruled_table(rows, widths, size=8, padding=2)
    plain = [
        ("FONT", (0, 0), (-1, -1), "Serif", 9.2),
        ("FONT", (0, 0), (-1, 0), "Serif-Bold", 9.2),
        ("TEXTCOLOR", (0, 0), (-1, -1), black),
        ("BACKGROUND", (0, 0), (-1, 0), "#FFFFFF"),
        ("LINEBELOW", (0, 1), (-1, -1), 0.3, "#FFFFFF"),
        ("LINEABOVE", (0, 0), (-1, 0), 1, black),
        ("LINEBELOW", (0, 0), (-1, 0), 0.5, black),
        ("LINEBELOW", (0, -1), (-1, -1), 1, black),
    ]
    table.setStyle(plain)
    return KeepTogether([Spacer(1, 4), text(caption, CAPTION), table, Spacer(1, 10)])


INSERTS = {
    "@band": lambda: _equation(r"L_b(t) = 10\,\log_{10}\,\dfrac{1}{N}\,\sum_{n=1}^{N}\;\dfrac{x_b^2(n)}{x_0^2}", 1),
    "@shift": lambda: _equation(r"s(t) = \dfrac{f_0 - f(t)}{f_0} + \lambda\,\dfrac{\sigma_f(t)}{f_0}", 2),
    "@cost": lambda: _equation(r"J = \dfrac{E_\mathrm{defrost} + \Delta E_\mathrm{frost}}{Q_\mathrm{heat}}", 3),
    "@spectrogram": _spectrogram,
    "@overhead": _overhead,
    "@house": _by_house,
    "@threshold": _threshold,
    "@parts": _parts,
    "@results": _results,
    "@sites": _sites,
}
