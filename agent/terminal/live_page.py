"""The pages that `pagesight doctor --live` shows: drawn on the spot, with numbers that no model can know."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

from pagesight.tools.transport.pictures import Picture, encode

if TYPE_CHECKING:
    from PIL import Image

#: The number on each of the two pages.
NUMBERS = ("4712", "8305")
#: Where the red rectangle lies, as a region ``[ymin, xmin, ymax, xmax]`` in 0–1000.
RECTANGLE = (550, 250, 850, 750)

#: The words on each of them.
WORDS = ("Ferry Tarnholm", "Pump Quillfox")
#: Pixels of their sides: one tile of Gemini 2.x, so that it costs little there.
SIDE = 768


def page(number: int) -> Picture:
    """Page 1 or 2 as a picture."""
    return Picture(*encode(_drawn(number), webp=True))


def page_as_png(number: int) -> bytes:
    """The same as a PNG, as encoders are sent pages."""
    file = io.BytesIO()
    _drawn(number).save(file, "PNG")
    return file.getvalue()


def page_as_pdf(number: int) -> Picture:
    """The same as a PDF of one page."""
    file = io.BytesIO()
    _drawn(number).save(file, "PDF", resolution=96)
    return Picture(file.getvalue(), "application/pdf")


def read_numbers(text: str) -> list[str]:
    """The pages' numbers in a text, in the order in which they first stand there, however they are written."""
    plain = re.sub(r"(?<=\d)[\s,.'’](?=\d)", "", text)
    return sorted((number for number in NUMBERS if number in plain), key=plain.find)


def _drawn(number: int) -> Image.Image:
    from PIL import Image, ImageDraw, ImageFont

    image = Image.new("RGB", (SIDE, SIDE), "white")
    pen = ImageDraw.Draw(image)
    pen.text((60, 70), WORDS[number - 1], "black", ImageFont.load_default(64))
    pen.text((60, 190), NUMBERS[number - 1], "black", ImageFont.load_default(120))
    top, left, bottom, right = (edge * SIDE / 1000 for edge in RECTANGLE)
    pen.rectangle((left, top, right, bottom), fill="red")
    return image
