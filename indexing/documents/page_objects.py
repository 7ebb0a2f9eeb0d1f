"""What a PDF page draws beside its text: pictures, filled areas, and outlines that may be letters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pypdfium2.raw as pdfium

from pagesight.indexing.documents import pdfium_pointers as plain
from pagesight.indexing.documents.pdfium_pointers import Cut, Rectangle

_DEEPEST = 4  # forms within forms that are looked into; a guess, not measured
_MOST_OBJECTS = 20_000  # that are looked at: a map may have millions. A guess, not measured

# Letters as outlines: filled paths of this height in points and more segments than a bar or an arrow; measured on a
# site plan: from 5 (an i without its dot) to 77.
_LETTER_HEIGHT = (3.0, 90.0)
_LETTER_SEGMENTS = 7
# Letters that are lines, as drawing programs write them, have few segments; that they stand in rows tells them. One
# path may be a whole line of letters: it is so many times as wide as high. Of a page so many segments of such paths are
# looked at. Guesses, not measured.
_LINE_SEGMENTS, _LINE_OF_LETTERS, _MOST_SEGMENTS = 3, 2.0, 20_000

_LEAST_OF_A_BAR = 4.0  # points that it is wide and high: others are rules. A guess, not measured

_Matrix = tuple[float, float, float, float, float, float]
_UPRIGHT: _Matrix = (1, 0, 0, 1, 0, 0)


class Frame(NamedTuple):
    """What forms around an object do to it: their matrix to the page, whether one is of a layer, what they cut off."""

    matrix: _Matrix = _UPRIGHT
    layered: bool = False
    cut: Cut | None = None

    def within(self, form: int, reader: plain.ObjectReader) -> Frame:
        """That of what a form in this one holds."""
        layered = self.layered or reader.is_in_layer(form)
        return Frame(_product(reader.matrix(form), self.matrix), layered, self.cut_of(form, reader))

    def cut_of(self, thing: int, reader: plain.ObjectReader) -> Cut | None:
        """What is shown of an object, on the page; None where nothing cuts it."""
        own = reader.cut(thing)
        if own is None:
            return self.cut
        return Cut(moved(own.where, self.matrix), own.is_exact).within(self.cut)


#: What an area is like.
LIGHT, DARK, PICTURE = range(3)


@dataclass
class PageObjects:
    """What a page draws, in the order in which it does, from 0 on.

    ``pictures``, ``outlines`` and ``strokes``, which are shapes of lines alone, are where they lie; ``areas`` (order,
    where, LIGHT, DARK or PICTURE) of all that may cover what is under it, ``colours`` those of DARK ones, (red, green,
    blue) 0–255, by their order, ``bars`` (order, where) rectangles that do; ``texts`` says when each text object, by
    its address, is drawn, ``frames`` what forms do to those that are in some, ``forms_may_hide`` whether they may be a
    layer's; ``count`` is how many objects there are in all.
    """

    pictures: list[Rectangle] = field(default_factory=list)
    outlines: list[Rectangle] = field(default_factory=list)
    strokes: list[Rectangle] = field(default_factory=list)
    areas: list[tuple[int, Rectangle, int]] = field(default_factory=list)
    colours: dict[int, tuple[int, int, int]] = field(default_factory=dict)
    bars: list[tuple[int, Rectangle]] = field(default_factory=list)
    texts: dict[int, int] = field(default_factory=dict)
    frames: dict[int, Frame] = field(default_factory=dict)
    forms_may_hide: bool = False
    count: int = 0
    segments: int = 0  # that were looked at one by one


def read_objects(page: Any) -> PageObjects:
    """The objects of an open page of pdfium's, those in forms too. Needs the lock `PDFIUM`."""
    found, reader = PageObjects(), plain.ObjectReader()
    whole = plain.address(page.raw)
    found.count = count = min(plain.count_objects(whole), _MOST_OBJECTS)
    page_object, object_type, text = plain.page_object, plain.object_type, pdfium.FPDF_PAGEOBJ_TEXT
    order = 0
    for number in range(count):
        thing = page_object(whole, number)
        kind = object_type(thing)
        if kind == text:  # most are
            found.texts[thing] = order
        elif kind == pdfium.FPDF_PAGEOBJ_FORM:
            order = _take_form(found, thing, order, reader)
        elif bounds := reader.bounds(thing):
            _take(found, thing, kind, order, bounds, reader)
            if kind == pdfium.FPDF_PAGEOBJ_PATH and found.texts and (bar := _bar(thing, bounds, reader)):
                found.bars.append((order, bar))
        order += 1
    return found


def cuts_of(objects: PageObjects, orders: Iterable[int]) -> dict[int, Cut]:
    """What is shown of the text objects that are drawn at these times, by these, where clip paths cut them.

    Of an open page. Needs the lock `PDFIUM`.
    """
    reader, found = plain.ObjectReader(), dict[int, Cut]()
    things = {order: thing for thing, order in objects.texts.items()}
    for order in orders:
        thing, frame = things.get(order, 0), objects.frames.get(order, Frame())
        if thing and (cut := frame.cut_of(thing, reader)):
            found[order] = cut
    return found


def _bar(path: int, bounds: Rectangle, reader: plain.ObjectReader) -> Rectangle | None:
    """The rectangle that a path paints over what is under it, of which nothing shines through."""
    left, bottom, right, top = bounds
    if min(right - left, top - bottom) < _LEAST_OF_A_BAR or not reader.is_filled(path):
        return None
    colour = reader.fill(path)
    if colour is None or colour[3] < 255 or plain.has_transparency(path) or reader.is_in_layer(path):
        return None
    return reader.rectangle(path)


def _take_form(found: PageObjects, form: int, order: int, reader: plain.ObjectReader) -> int:
    """Take in what a form holds, drawn from ``order`` on; returns the order behind it."""
    for thing, kind, frame in _all(iter([form]), Frame(), reader, 0):
        if kind == pdfium.FPDF_PAGEOBJ_TEXT:
            found.texts[thing] = order
            found.frames[order] = frame
        elif bounds := reader.bounds(thing):
            _take(found, thing, kind, order, moved(bounds, frame.matrix), reader, frame.matrix)
        order += 1
    return order


def _all(
    things: Iterator[int], frame: Frame, reader: plain.ObjectReader, depth: int
) -> Iterator[tuple[int, int, Frame]]:
    """Each object with its kind, and what the forms around it do to it."""
    for thing in things:
        kind = plain.object_type(thing)
        if kind != pdfium.FPDF_PAGEOBJ_FORM:
            yield thing, kind, frame
        elif depth < _DEEPEST:
            inner = (plain.form_object(thing, number) for number in range(plain.count_form_objects(thing)))
            yield from _all(inner, frame.within(thing, reader), reader, depth + 1)


def _take(
    found: PageObjects,
    thing: int,
    kind: int,
    order: int,
    where: Rectangle,
    reader: plain.ObjectReader,
    matrix: _Matrix = _UPRIGHT,
) -> None:
    """Take in an object that lies there, what forms around it hold being moved by a matrix."""
    if kind == pdfium.FPDF_PAGEOBJ_IMAGE:
        found.pictures.append(where)
        found.areas.append((order, where, PICTURE))
    elif kind == pdfium.FPDF_PAGEOBJ_SHADING:
        found.areas.append((order, where, DARK))
    elif kind == pdfium.FPDF_PAGEOBJ_PATH:
        if is_filled := reader.is_filled(thing):
            _take_filled(found, thing, order, where, reader)
        _take_letters(found, thing, where, reader, matrix, is_filled)


def _take_filled(found: PageObjects, path: int, order: int, where: Rectangle, reader: plain.ObjectReader) -> None:
    colour, width, height = reader.fill(path), where[2] - where[0], where[3] - where[1]
    if colour is None or colour[3] > 250:
        is_light = colour is not None and min(colour[:3]) > 225
        found.areas.append((order, where, LIGHT if is_light else DARK))
        if colour and not is_light and min(width, height) >= _LEAST_OF_A_BAR:
            found.colours[order] = colour[:3]


def _take_letters(
    found: PageObjects, path: int, where: Rectangle, reader: plain.ObjectReader, matrix: _Matrix, is_filled: bool
) -> None:
    """Take in what of a path may be letters."""
    shapes, least = (found.outlines, _LETTER_SEGMENTS) if is_filled else (found.strokes, _LINE_SEGMENTS)
    low, high = _LETTER_HEIGHT
    short, long = sorted((where[2] - where[0], where[3] - where[1]))
    segments = plain.count_segments(path) if short <= high and long >= low else 0
    if segments < least:
        return
    parts = [where]
    if long >= _LINE_OF_LETTERS * short and segments >= _LINE_OF_LETTERS * least:
        parts = [moved(part, matrix) for part in reader.parts(path, least, _MOST_SEGMENTS - found.segments)]
        found.segments += segments
    shapes += [part for part in parts if low <= part[3] - part[1] <= high]


def _product(first: _Matrix, then: _Matrix) -> _Matrix:
    a, b, c, d, e, f = first
    g, h, i, j, k, m = then
    return (
        a * g + b * i, a * h + b * j, c * g + d * i, c * h + d * j, e * g + f * i + k, e * h + f * j + m
    )  # fmt: skip


def moved(where: Rectangle, matrix: _Matrix) -> Rectangle:
    """The rectangle around one that a matrix moves, scales and turns."""
    if matrix == _UPRIGHT:
        return where
    a, b, c, d, e, f = matrix
    corners = [(a * x + c * y + e, b * x + d * y + f) for x in where[::2] for y in where[1::2]]
    xs, ys = zip(*corners, strict=True)
    return min(xs), min(ys), max(xs), max(ys)
