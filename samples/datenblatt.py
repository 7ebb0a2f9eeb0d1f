"""The German data sheet of the Tarn heat pumps: order data, technical data, drawing with dimensions, performance."""

import charts
import datenblatt_text as words
from house_style import (
    CAPTION,
    CHART_TITLE,
    COPPER,
    HEADING,
    MIST,
    NAVY,
    SAND,
    SEA,
    SLATE,
    TEAL,
    beside,
    colour,
    placed,
    register_fonts,
    ruled_table,
    style,
    text,
)
from matplotlib import pyplot as plt
from matplotlib.ticker import FuncFormatter
from reportlab.lib.colors import white
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, PageBreak, PageTemplate, Spacer

WIDTH, HEIGHT = A4
MARGIN = 18 * mm
INNER = WIDTH - 2 * MARGIN
BULLET = style("Sans", 10, 15, leftIndent=11, bulletIndent=0, spaceAfter=5)
INTRO = style("Sans", 10.2, 15.2, spaceAfter=6)


def make(path):
    """Write the data sheet to path."""
    register_fonts()
    sheet = BaseDocTemplate(str(path), pagesize=A4, invariant=1, title="Datenblatt Tarn 8 bis 16", author="Halvenor SE")
    frame = Frame(MARGIN, 20 * mm, INNER, HEIGHT - 52 * mm, 0, 0, 0, 0)
    sheet.addPageTemplates([PageTemplate("page", [frame], onPage=_furniture)])
    sheet.build([*_overview(), PageBreak(), *_technical_data(), PageBreak(), *_drawing_and_performance()])


def _furniture(canvas, sheet):
    canvas.setFillColor(colour(NAVY))
    canvas.rect(0, HEIGHT - 24 * mm, WIDTH, 24 * mm, stroke=0, fill=1)
    canvas.setFillColor(colour(COPPER))
    canvas.rect(0, HEIGHT - 25 * mm, WIDTH, 1 * mm, stroke=0, fill=1)
    canvas.setFillColor(white)
    canvas.setFont("Sans-Bold", 12)
    canvas.drawString(MARGIN, HEIGHT - 15 * mm, "HALVENOR")
    canvas.setFont("Sans", 9)
    canvas.drawRightString(WIDTH - MARGIN, HEIGHT - 15 * mm, "Technisches Datenblatt  |  Tarn 8 bis 16")
    canvas.setFont("Sans", 7.5)
    canvas.setFillColor(colour(SLATE))
    canvas.drawString(MARGIN, 11 * mm, "DB-TA-2025-01  |  Stand Januar 2025  |  Technische Änderungen vorbehalten")
    canvas.drawRightString(WIDTH - MARGIN, 11 * mm, f"Seite {sheet.page} von 3")


def _overview():
    half = INNER * 0.46
    features = [text(feature, BULLET.clone("b", bulletText="•")) for feature in words.FEATURES]
    return [
        text("Luft/Wasser-Wärmepumpe Tarn", style("Sans-Bold", 23, 29, NAVY)),
        text("Für Neubau und Bestand, mit natürlichem Kältemittel R290", style("Sans", 12, 17, COPPER, spaceAfter=8)),
        text(words.INTRO, INTRO),
        Spacer(1, 5 * mm),
        beside([Unit(half, 100 * mm)], [text("Merkmale", HEADING), *features], (half, INNER - half - 7 * mm)),
        text("Bestelldaten", HEADING),
        ruled_table(words.ORDERS, [INNER * w for w in (0.2, 0.37, 0.23, 0.2)], text_columns=(0, 1, 2), padding=6.5),
        text(words.ORDERS_NOTE, CAPTION),
    ]


def _technical_data():
    sections = [row for row, line in enumerate(words.TECHNICAL) if len(set(line[1:])) == 1 and not line[1]]
    widths = [INNER * w for w in (0.4, 0.12, 0.12, 0.12, 0.12, 0.12)]
    table = ruled_table(words.TECHNICAL, widths, total_rows=sections, size=8.8, padding=4.5, text_columns=(0, 1))
    table.setStyle([("BACKGROUND", (4, 1), (4, -1), colour(SAND)), ("FONT", (4, 1), (4, -1), "Sans-Bold", 8.8)])
    for row in sections:
        table.setStyle([("BACKGROUND", (0, row), (-1, row), colour(MIST))])
    return [
        text("Technische Daten", style("Sans-Bold", 18, 24, NAVY, spaceAfter=6)),
        table,
        text(words.TECHNICAL_NOTE, CAPTION),
    ]


def _drawing_and_performance():
    half = INNER * 0.56
    distances = ruled_table(words.SOUND, [(INNER - half - 7 * mm) * w for w in (0.34, 0.33, 0.33)], padding=5)
    return [
        text("Abmessungen und Leistung", style("Sans-Bold", 18, 24, NAVY, spaceAfter=4)),
        text("Maßzeichnung Tarn 12 (Maße in mm)", CHART_TITLE),
        Dimensions(INNER, 100 * mm),
        Spacer(1, 4 * mm),
        beside(
            [text("Heizleistung Tarn 12 nach Außentemperatur", CHART_TITLE), placed(_heat_output(), half)],
            [text("Schalldruckpegel Tarn 12", CHART_TITLE), distances, text(words.SOUND_NOTE, CAPTION)],
            (half, INNER - half - 7 * mm),
        ),
        text("Aufstellung", HEADING),
        text(words.INSTALLATION, INTRO),
    ]


def _heat_output():
    """Heat output over outdoor temperature for three flow temperatures, with the decimal commas of a German sheet."""
    figure, ax = charts.axes((98, 74), 7.5)
    for (name, values), shade in zip(words.HEAT_OUTPUT.items(), (NAVY, TEAL, COPPER), strict=True):
        ax.plot(words.OUTDOOR, values, marker="o", markersize=3.5, color=shade, label=name)
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.1f}".replace(".", ",")))
    ax.set_ylim(5, 14)
    ax.set_xticks(words.OUTDOOR)
    ax.set_xlabel("Außentemperatur in °C")
    ax.set_ylabel("Heizleistung in kW")
    ax.legend(loc="upper left", frameon=False)
    plt.setp(ax.get_legend().get_texts(), fontsize=7)
    return charts.drawn(figure)


class Unit(Flowable):
    """The outdoor unit from the front, before a wall."""

    def __init__(self, width, height):
        super().__init__()
        self.width, self.height = width, height

    def draw(self):
        """Draw ground, casing, fan and grille, in points from the lower left corner."""
        canvas, left, bottom = self.canv, self.width * 0.14, 36
        wide, high = self.width * 0.72, self.width * 0.72 * 1.253
        canvas.setFillColor(colour(MIST))
        canvas.rect(0, 0, self.width, self.height, stroke=0, fill=1)
        canvas.setFillColor(colour("#C9D6D3"))
        canvas.rect(0, 0, self.width, bottom - 8, stroke=0, fill=1)
        _casing(canvas, left, bottom, wide, high)
        canvas.setFillColor(colour(NAVY))
        canvas.setFont("Sans-Bold", 9)
        canvas.drawString(left + 12, bottom + 14, "HALVENOR")


def _casing(canvas, left, bottom, wide, high):
    """Casing with feet, fan behind its grille and the louvred lower half."""
    canvas.setFillColor(colour(SLATE))
    for foot in (0.1, 0.78):
        canvas.rect(left + wide * foot, bottom - 10, wide * 0.12, 11, stroke=0, fill=1)
    canvas.setFillColor(white)
    canvas.setStrokeColor(colour(SLATE))
    canvas.setLineWidth(1)
    canvas.roundRect(left, bottom, wide, high, 5, stroke=1, fill=1)
    x, y, radius = left + wide / 2, bottom + high * 0.62, wide * 0.37
    canvas.setFillColor(colour("#22323A"))
    canvas.circle(x, y, radius, stroke=0, fill=1)
    canvas.setFillColor(colour("#3F5661"))
    for turn in range(0, 360, 72):
        canvas.wedge(
            x - radius * 0.92, y - radius * 0.92, x + radius * 0.92, y + radius * 0.92, turn, 44, stroke=0, fill=1
        )
    canvas.setStrokeColor(colour(SEA))
    canvas.setLineWidth(0.6)
    for ring in range(1, 9):
        canvas.circle(x, y, radius * ring / 8, stroke=1, fill=0)
    canvas.setFillColor(colour(COPPER))
    canvas.circle(x, y, radius * 0.13, stroke=0, fill=1)
    canvas.setStrokeColor(colour("#C5CED2"))
    for row in range(7):
        height = bottom + high * 0.09 + row * high * 0.021
        canvas.line(left + wide * 0.55, height, left + wide * 0.93, height)


class Dimensions(Flowable):
    """Front and side view with dimension lines, to one scale; sizes in mm."""

    WIDE, HIGH, DEEP, FEET, PIPES = 1125, 1410, 548, 100, 186

    def __init__(self, width, height):
        super().__init__()
        self.width, self.height = width, height

    def draw(self):
        """Draw both views, in points from the lower left corner."""
        scale, bottom = 0.152, 44
        wide, high, deep = self.WIDE * scale, self.HIGH * scale, self.DEEP * scale
        front, side = 50, 50 + wide + 80
        self.canv.setStrokeColor(colour("#DDE3E5"))
        self.canv.rect(0, 0, self.width, self.height, stroke=1, fill=0)
        self._view(front, bottom, wide, high, scale)
        self._view(side, bottom, deep, high, scale)
        self._details(front, side, bottom, scale)
        self._across(front, front + wide, bottom - 16, str(self.WIDE))
        self._across(side, side + deep, bottom - 16, str(self.DEEP))
        self._upright(front - 24, bottom, bottom + high, str(self.HIGH))
        self._upright(side + deep + 22, bottom, bottom + self.PIPES * scale, str(self.PIPES))
        self._upright(front + wide + 20, bottom, bottom + self.FEET * scale, str(self.FEET))
        self.canv.setFont("Sans-Bold", 8)
        self.canv.setFillColor(colour(TEAL))
        self.canv.drawCentredString(front + wide / 2, bottom + high + 10, "Ansicht von vorn")
        self.canv.drawCentredString(side + deep / 2, bottom + high + 10, "Ansicht von rechts")

    def _view(self, x, y, wide, high, scale):
        self.canv.setStrokeColor(colour(NAVY))
        self.canv.setLineWidth(1.1)
        feet = self.FEET * scale
        self.canv.rect(x, y + feet, wide, high - feet)
        for foot in (0.12, 0.74):
            self.canv.rect(x + wide * foot, y, wide * 0.14, feet)

    def _details(self, front, side, bottom, scale):
        """Fan, and the two pipe ends that the height of 186 mm refers to."""
        canvas = self.canv
        canvas.setLineWidth(0.7)
        x, y = front + self.WIDE * scale / 2, bottom + 900 * scale
        for radius in (380, 290, 200, 60):
            canvas.circle(x, y, radius * scale)
        canvas.setDash(6, 2)
        canvas.setStrokeColor(colour(SLATE))
        canvas.line(x, y - 430 * scale, x, y + 430 * scale)
        canvas.line(x - 430 * scale, y, x + 430 * scale, y)
        canvas.setDash()
        canvas.setStrokeColor(colour(COPPER))
        for offset in (150, 300):
            canvas.circle(side + offset * scale, bottom + self.PIPES * scale, 22 * scale)
        self._pointer(side + 225 * scale, bottom + self.PIPES * scale, side + self.DEEP * scale + 24)

    def _pointer(self, x, y, text_x):
        self.canv.setLineWidth(0.5)
        self.canv.line(x, y + 4, x + 20, y + 46)
        self.canv.line(x + 20, y + 46, text_x, y + 46)
        self.canv.setFillColor(colour(COPPER))
        self.canv.setFont("Sans", 7.5)
        self.canv.drawString(text_x + 3, y + 44, "Vorlauf und Rücklauf")
        self.canv.drawString(text_x + 3, y + 34, "G 1¼, Abstand 150")

    def _across(self, x0, x1, y, words_on_line):
        self._measure_style()
        self.canv.line(x0, y, x1, y)
        for x in (x0, x1):
            self.canv.line(x, y - 4, x, y + 12)
            self.canv.line(x - 2.5, y - 2.5, x + 2.5, y + 2.5)
        self.canv.drawCentredString((x0 + x1) / 2, y + 3, words_on_line)

    def _upright(self, x, y0, y1, words_on_line):
        self._measure_style()
        self.canv.line(x, y0, x, y1)
        for y in (y0, y1):
            self.canv.line(x - 12, y, x + 4, y)
            self.canv.line(x - 2.5, y - 2.5, x + 2.5, y + 2.5)
        self.canv.saveState()
        self.canv.translate(x - 4, (y0 + y1) / 2)
        self.canv.rotate(90)
        self.canv.drawCentredString(0, 0, words_on_line)
        self.canv.restoreState()

    def _measure_style(self):
        self.canv.setStrokeColor(colour(SLATE))
        self.canv.setFillColor(colour(NAVY))
        self.canv.setLineWidth(0.6)
        self.canv.setFont("Sans", 8)
