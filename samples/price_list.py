"""The price list: one long table over three pages, its header repeated on each."""

import facts
from house_style import CAPTION, COPPER, MIST, NAVY, SEA, SLATE, colour, register_fonts, ruled_table, style, text
from price_list_items import GROUPS
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.platypus import BaseDocTemplate, Frame, PageTemplate, Spacer

WIDTH, HEIGHT = A4
MARGIN = 18 * mm
COLUMNS = [27 * mm, 76 * mm, 19 * mm, 19 * mm, 24 * mm, 9 * mm]
HEADER = ["Order number", "Description", "Weight kg", "Delivery", "Price EUR", "G"]
TERMS = (
    "Prices in euros for one piece unless stated, ex works, without value added tax. Delivery in weeks; S means from "
    "stock. G is the discount group: A heat pumps, B storage, C controls, D accessories, E services (no discount). "
    "This list replaces the list of 1 January 2024."
)


def make(path):
    """Write the price list to path."""
    register_fonts()
    listing = BaseDocTemplate(str(path), pagesize=A4, invariant=1, title="Price list 2025", author=facts.COMPANY)
    frame = Frame(MARGIN, 20 * mm, WIDTH - 2 * MARGIN, HEIGHT - 46 * mm, 0, 0, 0, 0)
    listing.addPageTemplates([PageTemplate("page", [frame], onPage=_furniture)])
    listing.build(
        [
            text("Price list 2025", style("Sans-Bold", 22, 27, NAVY)),
            text("Valid from 1 January to 31 December 2025", style("Sans", 10.5, 15, COPPER, spaceAfter=5)),
            text(TERMS, style("Sans", 8, 11.4, SLATE, spaceAfter=8)),
            _table(),
            Spacer(1, 3 * mm),
            text("Prices may be changed with eight weeks' notice. Errors excepted.", CAPTION),
        ]
    )


def _table():
    rows, group_rows = [HEADER], []
    for title, items in GROUPS:
        group_rows.append(len(rows))
        rows.append([title, "", "", "", "", ""])
        rows += [[*item[:4], f"{item[4]:,.2f}", item[5]] for item in items]
    table = ruled_table(rows, COLUMNS, text_columns=(0, 1), size=8.2, padding=4.1, repeat_header=1)
    table.setStyle([("ALIGN", (5, 0), (5, -1), "CENTER")])
    for row in group_rows:
        # a group title at the foot of a page, its items on the next, would mislead
        table.setStyle(
            [
                ("SPAN", (0, row), (-1, row)),
                ("FONT", (0, row), (-1, row), "Sans-Bold", 8.6),
                ("TEXTCOLOR", (0, row), (-1, row), colour(NAVY)),
                ("BACKGROUND", (0, row), (-1, row), colour(MIST)),
                ("NOSPLIT", (0, row), (-1, row + 1)),
            ]
        )
    return table


def _furniture(canvas, listing):
    canvas.setFont("Sans-Bold", 8)
    canvas.setFillColor(colour(NAVY))
    canvas.drawString(MARGIN, HEIGHT - 15 * mm, "HALVENOR")
    canvas.setStrokeColor(colour(SEA))
    canvas.line(MARGIN, HEIGHT - 18 * mm, WIDTH - MARGIN, HEIGHT - 18 * mm)
    canvas.setFont("Sans", 7.5)
    canvas.setFillColor(colour(SLATE))
    canvas.drawRightString(WIDTH - MARGIN, HEIGHT - 15 * mm, "Price list 2025, trade")
    canvas.drawString(MARGIN, 11 * mm, "Halvenor SE, Kaien 7, Brenhaven   |   orders@halvenor.example")
    canvas.drawRightString(WIDTH - MARGIN, 11 * mm, f"Page {listing.page}")
