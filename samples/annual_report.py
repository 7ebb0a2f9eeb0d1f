"""The annual report: fourteen A4 pages, one function for each page's content."""

import annual_report_text as words
import charts
import facts
from house_style import (
    CAPTION,
    CELL,
    CELL_BOLD,
    CHART_TITLE,
    COPPER,
    HEADING,
    KICKER,
    LEAD,
    MIST,
    NAVY,
    SAND,
    SEA,
    SLATE,
    TEAL,
    TITLE,
    beside,
    colour,
    placed,
    register_fonts,
    ruled_table,
    style,
    text,
)
from reportlab.lib.colors import white
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.platypus import BaseDocTemplate, Frame, KeepTogether, NextPageTemplate, PageBreak, PageTemplate, Spacer
from reportlab.platypus.flowables import HRFlowable

WIDTH, HEIGHT = A4
MARGIN = 22 * mm
INNER = WIDTH - 2 * MARGIN
LETTER = style("Serif", 12.2, 18.2, spaceAfter=10)


def make(path):
    """Write the report to path."""
    register_fonts()
    report = BaseDocTemplate(
        str(path), pagesize=A4, invariant=1, title="Annual Report 2024", author=facts.COMPANY, subject="Annual report"
    )
    cover = Frame(0, 0, WIDTH, HEIGHT)
    inside = Frame(MARGIN, 20 * mm, INNER, HEIGHT - 48 * mm, 0, 0, 0, 0)
    report.addPageTemplates(
        [PageTemplate("cover", [cover], onPage=_cover), PageTemplate("inside", [inside], onPage=_furniture)]
    )
    pages = [
        _contents,
        _letter,
        _key_figures,
        _markets,
        _segments,
        _products,
        _people,
        _sustainability,
        _income,
        _balance,
        _cash,
        _notes,
        _outlook,
    ]
    story = [NextPageTemplate("inside"), Spacer(1, 1)]
    for page in pages:
        story += [PageBreak(), *page()]
    report.build(story)


def _cover(canvas, _report):
    canvas.setFillColor(colour(NAVY))
    canvas.rect(0, 0, WIDTH, HEIGHT, stroke=0, fill=1)
    _rising_warmth(canvas)
    canvas.setFillColor(white)
    canvas.setFont("Sans-Bold", 15)
    canvas.drawString(MARGIN, HEIGHT - 34 * mm, "HALVENOR")
    canvas.setFont("Sans-Bold", 46)
    canvas.drawString(MARGIN, HEIGHT - 92 * mm, "Annual Report")
    canvas.setFillColor(colour(SEA))
    canvas.drawString(MARGIN, HEIGHT - 110 * mm, "2024")
    canvas.setFont("Sans", 14)
    canvas.drawString(MARGIN, HEIGHT - 124 * mm, "Heat from the air, the ground and a quiet machine")
    canvas.setFont("Sans", 9)
    canvas.setFillColor(white)
    canvas.drawString(MARGIN, 18 * mm, "Halvenor SE, Brenhaven")
    canvas.drawRightString(WIDTH - MARGIN, 18 * mm, "Financial year 1 January to 31 December 2024")


def _rising_warmth(canvas):
    """Concentric arcs from cold to warm over the lower half of the cover: air drawn in, heat given out."""
    shades = ["#14485A", "#1B5867", "#226874", "#2F7F86", "#5C9DA3", "#8FBFC4", "#E0A030", "#D27A38", COPPER]
    path = canvas.beginPath()
    path.rect(0, 30 * mm, WIDTH, 135 * mm)
    canvas.saveState()
    canvas.clipPath(path, stroke=0)
    for step, shade in enumerate(shades):
        canvas.setFillColor(colour(shade))
        canvas.circle(WIDTH - 48 * mm, 30 * mm, (134 - 14.5 * step) * mm, stroke=0, fill=1)
    canvas.restoreState()
    canvas.setFillColor(colour(SAND))
    canvas.rect(0, 29 * mm, WIDTH, 1 * mm, stroke=0, fill=1)


def _furniture(canvas, report):
    """Running head and foot of every page after the cover."""
    canvas.setFont("Sans-Bold", 7.5)
    canvas.setFillColor(colour(NAVY))
    canvas.drawString(MARGIN, HEIGHT - 15 * mm, "HALVENOR")
    canvas.setFont("Sans", 7.5)
    canvas.setFillColor(colour(SLATE))
    canvas.drawRightString(WIDTH - MARGIN, HEIGHT - 15 * mm, "Annual Report 2024")
    canvas.setStrokeColor(colour(SEA))
    canvas.setLineWidth(0.6)
    canvas.line(MARGIN, HEIGHT - 17.5 * mm, WIDTH - MARGIN, HEIGHT - 17.5 * mm)
    canvas.drawString(MARGIN, 11 * mm, words.SECTIONS[report.page])
    canvas.setFont("Sans-Bold", 8)
    canvas.setFillColor(colour(NAVY))
    canvas.drawRightString(WIDTH - MARGIN, 11 * mm, str(report.page))


def _opening(kicker, title, lead=None):
    opening = [text(kicker.upper(), KICKER), text(title, TITLE), Spacer(1, 2 * mm)]
    return opening + ([text(lead, LEAD)] if lead else [])


def _chart(title, picture, caption, width=INNER):
    return KeepTogether([text(title, CHART_TITLE), placed(picture, width), text(caption, CAPTION)])


def _contents():
    listed = ruled_table(
        [["Section", "Page"], *[[name, str(page)] for page, name in words.SECTIONS.items() if page > 2]],
        [INNER * 0.85, INNER * 0.15],
        size=9.5,
        padding=5,
    )
    return [
        *_opening("Contents", "The year in brief", words.BRIEF_LEAD),
        _number_tiles(),
        Spacer(1, 8 * mm),
        listed,
        text("About Halvenor", HEADING),
        text(words.ABOUT),
    ]


def _number_tiles():
    """Four large figures of the year in a band."""
    tiles = [
        [text(number, style("Sans-Bold", 19, 24, COPPER)), text(name, style("Sans", 8, 11, NAVY))]
        for number, name in words.TILES
    ]
    band = ruled_table([["", "", "", ""], tiles], [INNER / 4] * 4)
    band.setStyle(
        [
            ("BACKGROUND", (0, 0), (-1, 0), colour(COPPER)),
            ("TOPPADDING", (0, 0), (-1, 0), 0),
            ("BOTTOMPADDING", (0, 0), (-1, 0), 0),
            ("FONTSIZE", (0, 0), (-1, 0), 1),
            ("BACKGROUND", (0, 1), (-1, 1), colour(SAND)),
            ("VALIGN", (0, 1), (-1, 1), "TOP"),
            ("BOTTOMPADDING", (0, 1), (-1, 1), 10),
            ("TOPPADDING", (0, 1), (-1, 1), 8),
            ("LINEBELOW", (0, 1), (-1, 1), 0, colour(SAND)),
        ]
    )
    band._argH[0] = 2.5
    return band


def _letter():
    signed = style("Sans-Bold", 9.5, 13, NAVY, spaceBefore=6)
    return [
        *_opening("Letter to shareholders", "A quieter machine, a stronger year"),
        text(words.LETTER_LEAD, LEAD),
        *[text(paragraph, LETTER) for paragraph in words.LETTER],
        Spacer(1, 3 * mm),
        text("Ragna Tolvessen", signed),
        text("Chair of the Management Board", style("Sans", 8.5, 12, SLATE)),
        text("Brenhaven, 6 March 2025", style("Sans", 8.5, 12, SLATE)),
    ]


def _key_figures():
    margins = [100 * ebit / revenue for ebit, revenue in zip(facts.EBIT, facts.REVENUE, strict=True)]
    rows = [["EUR million unless stated", *facts.YEARS]]
    rows += [[label, *values] for label, values in words.five_years(margins)]
    picture = charts.bars_with_line(
        (166, 76),
        facts.YEARS,
        facts.REVENUE,
        margins,
        names=("Revenue", "EBIT margin"),
        units=("EUR million", "per cent of revenue"),
    )
    return [
        *_opening("Key figures", "Five years at a glance"),
        text(words.KEY_FIGURES),
        _chart("Revenue and EBIT margin, 2020 to 2024", picture, "The margin is EBIT as a share of revenue."),
        Spacer(1, 2 * mm),
        ruled_table(rows, [INNER * 0.4, *[INNER * 0.12] * 5], padding=5),
        text(words.KEY_FIGURES_NOTE, CAPTION),
    ]


def _markets():
    intake = charts.bars(
        (166, 64), facts.QUARTERS, facts.ORDER_INTAKE, colours=[SEA] * 4 + [TEAL] * 4, unit="EUR million"
    )
    ring = charts.donut((84, 66), facts.REGION_SHARES, "EUR 962.8 m")
    half = INNER * 0.52
    return [
        *_opening("Business review", "Orders came back quarter by quarter"),
        *[text(paragraph) for paragraph in words.MARKETS],
        _chart("Order intake by quarter, EUR million", intake, "Firm orders received, before cancellations."),
        beside(
            [text("Revenue by region, 2024", CHART_TITLE), placed(ring, half)],
            [text("Where we sell", HEADING), *[text(p) for p in words.REGIONS]],
            (half, INNER - half - 7 * mm),
        ),
    ]


def _segments():
    stacked = charts.stacked_bars((166, 74), facts.YEARS, facts.SEGMENTS, unit="EUR million")
    rows = [["EUR million", "Revenue\n2024", "Revenue\n2023", "Change", "EBIT\n2024", "EBIT\n2023", "Margin\n2024"]]
    rows += words.segment_rows()
    return [
        *_opening("Segments", "Four businesses, one compressor platform"),
        text(words.SEGMENTS_INTRO),
        _chart("Revenue by segment, 2020 to 2024", stacked, "Parts are rounded to whole millions of euros."),
        ruled_table(rows, [INNER * 0.28, *[INNER * 0.12] * 6], total_rows=[len(rows) - 1]),
        text("Segment commentary", HEADING),
        *[text(paragraph) for paragraph in words.SEGMENTS],
    ]


def _products():
    sold = charts.lines((166, 84), facts.YEARS, facts.UNITS_SOLD, unit="thousand heat pumps")
    return [
        *_opening("Products and innovation", "Natural refrigerant, half the noise"),
        text(words.PRODUCTS_LEAD, LEAD),
        *[text(paragraph) for paragraph in words.PRODUCTS],
        _chart("Heat pumps sold by heat source", sold, "Units delivered to installers and wholesalers."),
        text("Development projects", HEADING),
        ruled_table(words.PROJECTS, [INNER * w for w in (0.2, 0.44, 0.18, 0.18)], text_columns=(0, 1), padding=5.5),
        text("Spending is the amount to completion, in millions of euros.", CAPTION),
    ]


def _people():
    def counted(heading, rows):
        total = ["Total", f"{sum(r[1] for r in rows):,}", f"{sum(r[2] for r in rows):,}"]
        lines = [[heading, "2024", "2023"], *[[r[0], f"{r[1]:,}", f"{r[2]:,}"] for r in rows], total]
        return ruled_table(lines, [half * 0.6, half * 0.2, half * 0.2], total_rows=[len(lines) - 1], padding=6)

    half = (INNER - 7 * mm) / 2
    ages = charts.horizontal_bars((80, 64), facts.AGE_BANDS)
    return [
        *_opening("People", "3,488 colleagues in eleven countries", words.PEOPLE_LEAD),
        *[text(paragraph) for paragraph in words.PEOPLE],
        text("Employees at 31 December", HEADING),
        beside(
            [counted("By function", facts.HEADCOUNT_BY_FUNCTION)],
            [counted("By site", facts.HEADCOUNT_BY_SITE)],
            (half, half),
        ),
        text("Counted in heads, without 96 apprentices and 41 temporary workers.", CAPTION),
        beside(
            [text("Age of employees, 2024", CHART_TITLE), placed(ages, half)],
            [text("Learning and safety", HEADING), *[text(p) for p in words.SAFETY]],
            (half, half),
        ),
    ]


def _sustainability():
    emitted = charts.stacked_bars(
        (166, 84), facts.YEARS, facts.EMISSIONS, unit="thousand tonnes CO2 equivalent", form="{:.1f}"
    )
    return [
        *_opening("Sustainability", "Emissions from our own plants, halved", words.SUSTAINABILITY_LEAD),
        *[text(paragraph) for paragraph in words.SUSTAINABILITY],
        _chart(
            "Emissions from own operations, 2020 to 2024",
            emitted,
            "Scope 1: fuels and refrigerant losses in the plants. Scope 2: purchased electricity and district heat.",
        ),
        text("Targets and progress", HEADING),
        ruled_table(words.TARGETS, [INNER * w for w in (0.46, 0.18, 0.18, 0.18)], padding=6),
    ]


def _amount(value):
    if value == 0:
        return "–"
    return f"({-value:,.1f})" if value < 0 else f"{value:,.1f}"


def _statement(rows, padding=4.3):
    table_rows = [["EUR million", "Note", "2024", "2023"]]
    table_rows += [[label, note, _amount(this), _amount(last)] for label, note, this, last, _ in rows]
    totals = [place for place, row in enumerate(rows, 1) if row[4] == "total"]
    widths = [INNER * 0.58, INNER * 0.1, INNER * 0.16, INNER * 0.16]
    return ruled_table(table_rows, widths, total_rows=totals, size=8.8, padding=padding)


def _income():
    return [
        *_opening("Financial statements", "Consolidated income statement"),
        text("For the year ended 31 December", CAPTION),
        _statement(facts.income_statement(), 5.2),
        Spacer(1, 5 * mm),
        ruled_table(words.PER_SHARE, [INNER * 0.68, INNER * 0.16, INNER * 0.16], size=8.8, padding=5.2),
        text("Comment on the result", HEADING),
        *[text(paragraph) for paragraph in words.INCOME],
    ]


def _balance():
    return [
        *_opening("Financial statements", "Consolidated balance sheet"),
        text("At 31 December", CAPTION),
        _statement(facts.assets()),
        Spacer(1, 5 * mm),
        _statement(facts.equity_and_liabilities()),
        text(words.BALANCE, CAPTION),
    ]


def _cash():
    steps = [
        ("Cash\n1 Jan 2024", 96.5),
        ("Operating\nactivities", 141.2),
        ("Investing\nactivities", -102.7),
        ("Financing\nactivities", -49.2),
        ("Cash\n31 Dec 2024", 85.8),
    ]
    return [
        *_opening("Financial statements", "Consolidated cash flow statement"),
        text("For the year ended 31 December", CAPTION),
        _statement(facts.cash_flow()),
        Spacer(1, 4 * mm),
        _chart(
            "From opening to closing cash, EUR million",
            charts.waterfall((166, 58), steps, unit="EUR million"),
            "Bars that float are the year's flows.",
        ),
    ]


def _notes():
    story = _opening("Financial statements", "Notes to the statements")
    small = style("Serif", 10.8, 14.8, spaceAfter=4)
    head = style("Sans-Bold", 9.6, 13, NAVY, spaceBefore=6, spaceAfter=2)
    for number, (title, note) in enumerate(words.NOTES, 1):
        story += [text(f"{number}&nbsp;&nbsp;{title}", head), text(note, small)]
        if title == "Borrowings":
            story += [ruled_table(words.MATURITIES, [INNER / 6] * 6, size=7.8, padding=3), Spacer(1, 3)]
    return story


def _outlook():
    calendar = [[text(day, CELL_BOLD), text(event, CELL)] for day, event in words.CALENDAR]
    return [
        *_opening("Outlook", "Cautious steps, a clear direction", words.OUTLOOK_LEAD),
        *[text(paragraph) for paragraph in words.OUTLOOK],
        ruled_table(words.GUIDANCE, [INNER * w for w in (0.4, 0.3, 0.3)], padding=5),
        text("Opportunities and risks", HEADING),
        *[text(paragraph) for paragraph in words.RISKS],
        text("Financial calendar 2025", HEADING),
        ruled_table([["Date", "Event"], *calendar], [INNER * 0.3, INNER * 0.7], text_columns=(0, 1), padding=4),
        Spacer(1, 6 * mm),
        HRFlowable(width="100%", color=colour(MIST), thickness=1),
        text(words.IMPRINT, CAPTION),
    ]
