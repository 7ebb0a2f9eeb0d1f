"""The strategy deck: nine 16:9 slides of 960 by 540 points, drawn straight onto the canvas."""

import itertools

import charts
import facts
from house_style import (
    AMBER,
    COPPER,
    INK,
    MIST,
    NAVY,
    PALETTE,
    SAND,
    SEA,
    SLATE,
    TEAL,
    colour,
    register_fonts,
    style,
    text,
)
from reportlab.lib.colors import white
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

WIDTH, HEIGHT = 960, 540
LEFT, RIGHT = 60, WIDTH - 60
POINTS_PER_MM = 72 / 25.4

MILESTONES = [  # (quarter, what happens), from the left; years are marked on the line
    ("Q3 2025", "Kern 4 control\non the market"),
    ("Q1 2026", "Torvik line 3\nmakes its first unit"),
    ("Q2 2026", "Tarn 20 for\napartment houses"),
    ("Q4 2026", "Grund R290\nreplaces Grund 17"),
    ("Q2 2027", "Massif 140,\n75 °C flow"),
    ("Q4 2027", "Silent defrost\nin all Tarn models"),
    ("Q2 2028", "Last plant on\nrenewable power"),
]
PILLARS = [
    ("1", "Quiet", "Be the machine that neighbours do not notice.", "Night mode at 45 dB(A) by 2028, from 49 dB(A)"),
    ("2", "Retrofit", "Fit the radiators of the houses that stand.", "60 % of units in existing houses, from 44 %"),
    ("3", "Service", "Earn on every year that a machine runs.", "Service share of revenue 15 %, from 10.8 %"),
]
GOALS = [
    ("Goal", "2024", "2028"),
    ("Revenue, EUR million", "962.8", "1,400"),
    ("EBIT margin", "12.9 %", "15 %"),
    ("Units per year, Torvik", "62,000", "110,000"),
    ("Service share of revenue", "10.8 %", "15 %"),
    ("Night mode, Tarn 12", "49 dB(A)", "45 dB(A)"),
]


def make(path):
    """Write the deck to path."""
    register_fonts()
    canvas = Canvas(str(path), pagesize=(WIDTH, HEIGHT), invariant=1)
    canvas.setTitle("Strategy 2028")
    canvas.setAuthor(facts.COMPANY)
    slides = [_title, _start, _market, _pillars, _path, _network, _timeline, _investment, _goals]
    for number, slide in enumerate(slides, 1):
        slide(canvas)
        if 1 < number < len(slides):
            _foot(canvas, number)
        canvas.showPage()
    canvas.save()


def _foot(canvas, number):
    _line(canvas, LEFT, 26, "HALVENOR", "Sans-Bold", 9, NAVY)
    _line(canvas, LEFT + 78, 26, "Strategy 2028   |   12 June 2025", "Sans", 9, SLATE)
    canvas.drawRightString(RIGHT, 26, str(number))


def _line(canvas, x, y, words, font, size, code):
    canvas.setFont(font, size)
    canvas.setFillColor(colour(code))
    canvas.drawString(x, y, words)


def _centred(canvas, x, y, words, font, size, code, leading=1.3):
    """Lines of words centred on x, the first at height y."""
    canvas.setFont(font, size)
    canvas.setFillColor(colour(code))
    for row, line in enumerate(words.split("\n")):
        canvas.drawCentredString(x, y - row * size * leading, line)


def _headline(canvas, words, under=""):
    canvas.setFillColor(colour(COPPER))
    canvas.rect(LEFT, HEIGHT - 52, 46, 5, stroke=0, fill=1)
    _line(canvas, LEFT, HEIGHT - 94, words, "Sans-Bold", 30, NAVY)
    _line(canvas, LEFT, HEIGHT - 120, under, "Sans", 15, SLATE)


def _picture(canvas, picture, x, y, width):
    canvas.drawImage(ImageReader(picture), x, y, width, width * picture.height / picture.width)


def _written(canvas, words, x, top, width, size=15, code=INK, font="Sans"):
    """A paragraph hanging from top; returns the height where it ends."""
    paragraph = text(words, style(font, size, size * 1.4, code))
    _, height = paragraph.wrap(width, HEIGHT)
    paragraph.drawOn(canvas, x, top - height)
    return top - height


def _title(canvas):
    canvas.setFillColor(colour(NAVY))
    canvas.rect(0, 0, WIDTH, HEIGHT, stroke=0, fill=1)
    for step, shade in enumerate(["#14485A", "#1B5867", TEAL, SEA, AMBER, COPPER]):
        canvas.setFillColor(colour(shade))
        canvas.circle(WIDTH - 110, 60, 330 - step * 56, stroke=0, fill=1)
    _line(canvas, LEFT, HEIGHT - 70, "HALVENOR", "Sans-Bold", 18, MIST)
    canvas.setFillColor(white)
    canvas.setFont("Sans-Bold", 58)
    canvas.drawString(LEFT, 290, "Strategy 2028")
    _line(canvas, LEFT, 250, "Quiet. Retrofit. Service.", "Sans", 24, SEA)
    _line(canvas, LEFT, 60, "Strategy day, Torvik, 12 June 2025", "Sans", 14, MIST)


def _start(canvas):
    _headline(canvas, "We start from the best year we have had", "Financial year 2024")
    numbers = [("962.8", "EUR million revenue", "+8.7 % on 2023"), ("12.9 %", "EBIT margin", "11.8 % in 2023")]
    numbers.append(("141.2", "EUR million operating cash flow", "+60.8 million on 2023"))
    for place, (number, name, change) in enumerate(numbers):
        x = LEFT + place * 286
        canvas.setFillColor(colour(SAND))
        canvas.rect(x, 190, 268, 190, stroke=0, fill=1)
        canvas.setFillColor(colour(COPPER))
        canvas.rect(x, 376, 268, 4, stroke=0, fill=1)
        _line(canvas, x + 22, 292, number, "Sans-Bold", 54, NAVY)
        _line(canvas, x + 22, 258, name, "Sans", 15, INK)
        _line(canvas, x + 22, 214, change, "Sans-Bold", 14, TEAL)
    _written(
        canvas,
        "At the end of 2024, four in ten of our air-source machines still left the plant without propane. "
        "By the end of 2027 every new Halvenor will run on R290.",
        LEFT,
        150,
        840,
        16,
        SLATE,
    )


def _market(canvas):
    _headline(canvas, "The market comes back through old houses", "Heat pumps sold in our 14 markets, thousand")
    stock = {"New houses": [612, 540, 498, 470, 455, 450], "Existing houses": [688, 665, 706, 830, 965, 1110]}
    years = ["2023", "2024", "2025e", "2026e", "2027e", "2028e"]
    picture = charts.stacked_bars((205, 108), years, stock, form="{:,.0f}", font_size=11)
    _picture(canvas, picture, LEFT - 6, 62, 205 * POINTS_PER_MM)
    canvas.setFillColor(colour(MIST))
    canvas.rect(680, 92, 220, 250, stroke=0, fill=1)
    end = _written(canvas, "Existing houses", 698, 322, 190, 18, NAVY, "Sans-Bold")
    end = _written(canvas, "need flow temperatures above 65 °C and room for little noise.", 698, end - 8, 186, 15)
    _written(canvas, "Both are what the Tarn series was built for.", 698, end - 14, 186, 15, COPPER, "Sans-Bold")
    _line(canvas, 680, 68, "Source: company estimate, May 2025", "Sans", 9.5, SLATE)


def _pillars(canvas):
    _headline(canvas, "Three things we will be known for")
    for place, (number, name, promise, measure) in enumerate(PILLARS):
        x, shade = LEFT + place * 286, PALETTE[place]
        canvas.setFillColor(colour(shade))
        canvas.rect(x, 318, 268, 74, stroke=0, fill=1)
        canvas.setFillColor(white)
        canvas.setFont("Sans-Bold", 30)
        canvas.drawString(x + 20, 344, number)
        canvas.drawString(x + 58, 344, name)
        canvas.setFillColor(colour(SAND))
        canvas.rect(x, 92, 268, 226, stroke=0, fill=1)
        _written(canvas, promise, x + 20, 296, 228, 19, NAVY, "Sans-Bold")
        canvas.setStrokeColor(colour(shade))
        canvas.setLineWidth(2)
        canvas.line(x + 20, 196, x + 70, 196)
        _written(canvas, measure, x + 20, 182, 228, 15)


def _path(canvas):
    _headline(canvas, "The path to EUR 1.4 billion", "Revenue, EUR million; 2024 actual, later years expected")
    shades = [NAVY, *[SEA] * 3, COPPER]
    picture = charts.bars(
        (220, 112),
        list(facts.REVENUE_PATH),
        list(facts.REVENUE_PATH.values()),
        colours=shades,
        form="{:,.0f}",
        font_size=12,
    )
    _picture(canvas, picture, LEFT - 6, 56, 220 * POINTS_PER_MM)
    _line(canvas, 712, 330, "9.8 %", "Sans-Bold", 40, COPPER)
    end = _written(canvas, "mean growth a year from 2024 to 2028", 712, 316, 190, 15)
    _written(
        canvas,
        "2025 stands at the middle of the guidance of EUR 1,020 to 1,060 million.",
        712,
        end - 18,
        190,
        13,
        SLATE,
    )


def _network(canvas):
    """Where parts are made, where machines are put together, and how they reach the customer."""
    _headline(canvas, "One network: three plants, four hubs", "Flow of parts and machines from 2026")
    suppliers = [
        ("Compressors", "own make, Brenhaven"),
        ("Heat exchangers", "own make, Mühlau"),
        ("Inverters", "three suppliers"),
    ]
    plants = [("Torvik", "Tarn, air-source"), ("Brenhaven", "Grund, ground-source"), ("Mühlau", "Massif, commercial")]
    hubs = [("Hub North", "Sundvika"), ("Hub Centre", "Mühlau"), ("Hub West", "Averon"), ("Hub Isles", "Port Ellory")]
    columns = [(LEFT, suppliers, SEA, NAVY), (375, plants, NAVY, "#FFFFFF"), (690, hubs, SAND, NAVY)]
    for (x, boxes, _, _), (x_next, boxes_next, _, _) in itertools.pairwise(columns):
        for height in _heights(boxes):
            for height_next in _heights(boxes_next):
                _flow(canvas, x + 210, height, x_next, height_next)
    for (x, boxes, fill, ink), name in zip(columns, ("Parts", "Plants", "Service hubs"), strict=True):
        _line(canvas, x, 380, name, "Sans-Bold", 16, COPPER)
        for height, (title, under) in zip(_heights(boxes), boxes, strict=True):
            canvas.setFillColor(colour(fill))
            canvas.roundRect(x, height - 28, 210, 56, 6, stroke=0, fill=1)
            _centred(canvas, x + 105, height + 5, title, "Sans-Bold", 16, ink)
            _centred(canvas, x + 105, height - 15, under, "Sans", 12, ink)


def _heights(boxes):
    step = 288 / len(boxes)
    return [362 - step * (place + 0.5) for place in range(len(boxes))]


def _flow(canvas, x0, y0, x1, y1):
    canvas.setStrokeColor(colour("#B7CDD0"))
    canvas.setLineWidth(1.4)
    canvas.bezier(x0, y0, x0 + 50, y0, x1 - 50, y1, x1, y1)


def _timeline(canvas):
    _headline(canvas, "Seven milestones to 2028")
    first, last, height = LEFT + 20, RIGHT - 20, 250
    canvas.setStrokeColor(colour(NAVY))
    canvas.setLineWidth(4)
    canvas.line(first, height, last, height)
    for year in range(2025, 2029):
        x = first + (year - 2025) * (last - first) / 4
        canvas.line(x, height - 10, x, height + 10)
        _line(canvas, x + 4, height + 15, str(year), "Sans-Bold", 15, TEAL)
    for place, (quarter, what) in enumerate(MILESTONES):
        years = int(quarter[3:]) - 2025 + (int(quarter[1]) - 0.5) / 4
        x, above = first + years * (last - first) / 4, place % 2 == 0
        tip = height + 80 if above else height - 80
        canvas.setStrokeColor(colour(SLATE))
        canvas.setLineWidth(1)
        canvas.line(x, height, x, tip)
        canvas.setFillColor(colour(COPPER))
        canvas.circle(x, height, 9, stroke=0, fill=1)
        _centred(canvas, x, tip + (50 if above else -24), quarter, "Sans-Bold", 18, NAVY)
        _centred(canvas, x, tip + (29 if above else -45), what, "Sans", 14, INK)


def _investment(canvas):
    _headline(canvas, "EUR 316 million for growth", "Investment by programme, EUR million")
    picture = charts.stacked_bars((215, 110), ["2025", "2026", "2027", "2028"], facts.INVESTMENT_PLAN, font_size=11)
    _picture(canvas, picture, LEFT - 6, 60, 215 * POINTS_PER_MM)
    end = _written(canvas, "Peak in 2026", 700, 350, 200, 20, COPPER, "Sans-Bold")
    end = _written(
        canvas, "when the third line in Torvik is fitted out. The plan is paid from cash flow.", 700, end - 6, 200, 15
    )
    _written(canvas, "Net financial debt stays below 1.0 times EBITDA in every year.", 700, end - 14, 200, 15, SLATE)


def _goals(canvas):
    canvas.setFillColor(colour(NAVY))
    canvas.rect(0, 0, WIDTH, HEIGHT, stroke=0, fill=1)
    canvas.setFillColor(colour(COPPER))
    canvas.rect(LEFT, HEIGHT - 52, 46, 5, stroke=0, fill=1)
    _line(canvas, LEFT, HEIGHT - 94, "What you can hold us to", "Sans-Bold", 30, "#FFFFFF")
    for row, (goal, now, then) in enumerate(GOALS):
        y = HEIGHT - 158 - row * 50
        font, shade, goal_shade = ("Sans", "#FFFFFF", AMBER) if row else ("Sans-Bold", SEA, SEA)
        _line(canvas, LEFT, y, goal, font, 20, shade)
        canvas.drawRightString(LEFT + 600, y, now)
        canvas.setFont("Sans-Bold", 20)
        canvas.setFillColor(colour(goal_shade))
        canvas.drawRightString(RIGHT, y, then)
        canvas.setStrokeColor(colour(TEAL))
        canvas.setLineWidth(0.8)
        canvas.line(LEFT, y - 16, RIGHT, y - 16)
    _line(canvas, LEFT, 50, "We report on these five goals every June.", "Sans", 15, SEA)
    canvas.setFont("Sans", 9)
    canvas.drawRightString(RIGHT, 26, "9")
