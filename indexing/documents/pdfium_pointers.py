"""pdfium's functions that are called for every word and every object of a page, with pointers as plain numbers.

ctypes' own pointers cost as much as the calls: told apart by their addresses they would cost more than reading the page
(measured: 2.3 ms a page instead of 1.3).
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pypdfium2.raw as pdfium
from numpy.typing import NDArray

_POINTER, _INT, _DOUBLE = ctypes.c_void_p, ctypes.c_int, ctypes.c_double


def address(pointer: Any) -> int:
    """The number of a pointer as pypdfium2 has it; 0 for none."""
    return ctypes.cast(pointer, _POINTER).value or 0


def _plain(function: Any, result: Any, *arguments: Any) -> Any:
    return ctypes.CFUNCTYPE(result, *arguments)(address(function))


text_object = _plain(pdfium.FPDFText_GetTextObject, _POINTER, _POINTER, _INT)
text_mode = _plain(pdfium.FPDFTextObj_GetTextRenderMode, _INT, _POINTER)
text_font = _plain(pdfium.FPDFTextObj_GetFont, _POINTER, _POINTER)
count_rectangles = _plain(pdfium.FPDFText_CountRects, _INT, _POINTER, _INT, _INT)
_rectangle = _plain(pdfium.FPDFText_GetRect, _INT, _POINTER, _INT, *[_POINTER] * 4)
count_objects = _plain(pdfium.FPDFPage_CountObjects, _INT, _POINTER)
page_object = _plain(pdfium.FPDFPage_GetObject, _POINTER, _POINTER, _INT)
count_form_objects = _plain(pdfium.FPDFFormObj_CountObjects, _INT, _POINTER)
form_object = _plain(pdfium.FPDFFormObj_GetObject, _POINTER, _POINTER, ctypes.c_ulong)
object_type = _plain(pdfium.FPDFPageObj_GetType, _INT, _POINTER)
set_active = _plain(pdfium.FPDFPageObj_SetIsActive, _INT, _POINTER, _INT)
has_transparency = _plain(pdfium.FPDFPageObj_HasTransparency, _INT, _POINTER)
count_segments = _plain(pdfium.FPDFPath_CountSegments, _INT, _POINTER)

_segment = _plain(pdfium.FPDFPath_GetPathSegment, _POINTER, _POINTER, _INT)
_segment_type = _plain(pdfium.FPDFPathSegment_GetType, _INT, _POINTER)
_segment_point = _plain(pdfium.FPDFPathSegment_GetPoint, _INT, _POINTER, *[_POINTER] * 2)
clip_of = _plain(pdfium.FPDFPageObj_GetClipPath, _POINTER, _POINTER)
count_clips = _plain(pdfium.FPDFClipPath_CountPaths, _INT, _POINTER)
_count_clip_segments = _plain(pdfium.FPDFClipPath_CountPathSegments, _INT, _POINTER, _INT)
_clip_segment = _plain(pdfium.FPDFClipPath_GetPathSegment, _POINTER, _POINTER, _INT, _INT)
_count_marks = _plain(pdfium.FPDFPageObj_CountMarks, _INT, _POINTER)
_mark = _plain(pdfium.FPDFPageObj_GetMark, _POINTER, _POINTER, ctypes.c_ulong)
_mark_name = _plain(pdfium.FPDFPageObjMark_GetName, _INT, _POINTER, _POINTER, ctypes.c_ulong, _POINTER)
_bounds = _plain(pdfium.FPDFPageObj_GetBounds, _INT, _POINTER, *[_POINTER] * 4)
_fill = _plain(pdfium.FPDFPageObj_GetFillColor, _INT, _POINTER, *[_POINTER] * 4)
_stroke = _plain(pdfium.FPDFPageObj_GetStrokeColor, _INT, _POINTER, *[_POINTER] * 4)
_draw_mode = _plain(pdfium.FPDFPath_GetDrawMode, _INT, _POINTER, _POINTER, _POINTER)
_matrix = _plain(pdfium.FPDFPageObj_GetMatrix, _INT, _POINTER, _POINTER)


def rectangles(
    textpage: int, starts: Sequence[int], lengths: Sequence[int], characters: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Where runs of a page's characters are drawn: in how many rectangles each of n is, (n,), and all of these behind
    each other, (m, 4) left, top, right, bottom in points."""
    room = (_DOUBLE * (4 * characters))()
    place = ctypes.addressof(room)
    counts = []
    for start, length in zip(starts, lengths, strict=True):
        count = count_rectangles(textpage, start, length)
        counts.append(count if count > 0 else 0)
        for number in range(count):
            _rectangle(textpage, number, place, place + 8, place + 16, place + 24)
            place += 32
    return np.array(counts, np.int64), np.ctypeslib.as_array(room).reshape(-1, 4)[: sum(counts)]


#: (left, bottom, right, top) in points of the page.
Rectangle = tuple[float, float, float, float]


def common(one: Rectangle, other: Rectangle) -> Rectangle:
    """What two rectangles both hold; a place far from all pages where that is nothing."""
    left, bottom, right, top = (
        max(one[0], other[0]),
        max(one[1], other[1]),
        min(one[2], other[2]),
        min(one[3], other[3]),
    )
    return (left, bottom, right, top) if left <= right and bottom <= top else (_FAR, _FAR, _FAR, _FAR)


class Cut(NamedTuple):
    """What clip paths leave of an object lies in a rectangle, and is all that lies there if that ``is_exact``."""

    where: Rectangle
    is_exact: bool

    def within(self, other: Cut | None) -> Cut:
        """What is left where another one cuts, too."""
        return self if other is None else Cut(common(self.where, other.where), self.is_exact and other.is_exact)


_Matrix = tuple[float, float, float, float, float, float]
_UPRIGHT: _Matrix = (1, 0, 0, 1, 0, 0)
_MOST_OF_A_RECTANGLE, _EVEN = 5, 0.05  # segments, the last back to the first; points by which corners may be off

_BLACK = bytes((ctypes.c_uint * 4)(0, 0, 0, 255))


_MOST_POINTS = 100  # of a path that are looked at; a guess, not measured
_FAR = 1e6  # points
_EVERYWHERE: Rectangle = (-_FAR, -_FAR, _FAR, _FAR)


def _few(segments: int) -> range:
    return range(min(segments, _MOST_POINTS + 1))


class ObjectReader:
    """Reads what objects are like into room of its own, which is used again and again: one thread at a time."""

    def __init__(self) -> None:
        self._floats, self._numbers = (ctypes.c_float * 6)(), (ctypes.c_uint * 4)()
        self._colour = (ctypes.c_char * 16).from_buffer(self._numbers)
        self._name, self._length = ctypes.create_string_buffer(16), ctypes.c_ulong()
        self._float_places = [ctypes.addressof(self._floats) + 4 * place for place in range(4)]
        self._number_places = [ctypes.addressof(self._numbers) + 4 * place for place in range(4)]

    def bounds(self, thing: int) -> Rectangle | None:
        """(left, bottom, right, top) in the coordinates that the object is drawn in."""
        if not _bounds(thing, *self._float_places):
            return None
        left, bottom, right, top = self._floats[:4]
        return left, bottom, right, top

    def is_black(self, thing: int) -> bool:
        """Whether the object is filled with black that nothing shines through: text most often is."""
        return bool(_fill(thing, *self._number_places)) and self._colour.raw == _BLACK

    def fill(self, thing: int, *, line: bool = False) -> tuple[int, int, int, int] | None:
        """(red, green, blue, alpha), 0–255, of what fills an object, or of its ``line``; None for a pattern."""
        if not (_stroke if line else _fill)(thing, *self._number_places):
            return None
        red, green, blue, alpha = self._numbers[:4]
        return red, green, blue, alpha

    def is_filled(self, path: int) -> bool:
        """Whether a path is filled, and not only its line drawn."""
        return bool(_draw_mode(path, *self._number_places[:2])) and self._numbers[0] != 0

    def rectangle(self, path: int) -> Rectangle | None:
        """The part of a path that is shown, in points of the page, where that is a rectangle; without its line."""
        own = self._around([_segment(path, number) for number in _few(count_segments(path))], self.matrix(path))
        shown = own.within(self.cut(path)) if own else None
        return shown.where if shown and shown.is_exact else None

    def cut(self, thing: int) -> Cut | None:
        """What clip paths leave of an object, in the coordinates that it is drawn in; None where there are none."""
        clip = clip_of(thing)
        left: Cut | None = None
        for number in range(count_clips(clip)):
            corners = [_clip_segment(clip, number, place) for place in _few(_count_clip_segments(clip, number))]
            if path := self._around(corners, _UPRIGHT):
                left = path.within(left)
        return left

    def parts(self, path: int, least: int, most: int) -> list[Rectangle]:
        """Where the parts of a path lie that are drawn without a break and have so many segments at ``least``; ``most``
        of the path's are looked at."""
        a, b, c, d, e, f = self.matrix(path)
        parts = list[list[tuple[float, float]]]()
        for number in range(min(count_segments(path), most)):
            segment = _segment(path, number)
            if not parts or _segment_type(segment) == pdfium.FPDF_SEGMENT_MOVETO:
                parts.append([])
            x, y = self._point(segment)
            parts[-1].append((a * x + c * y + e, b * x + d * y + f))
        corners = [tuple(zip(*points, strict=True)) for points in parts if len(points) >= least]
        return [(min(xs), min(ys), max(xs), max(ys)) for xs, ys in corners]

    def _around(self, segments: Sequence[int], matrix: _Matrix) -> Cut | None:
        """The rectangle around a path's points, exact if it goes from corner to corner of that."""
        if len(segments) < 3:
            return None
        if len(segments) > _MOST_POINTS:
            return Cut(_EVERYWHERE, False)
        a, b, c, d, e, f = matrix
        points = [(a * x + c * y + e, b * x + d * y + f) for x, y in map(self._point, segments)]
        xs, ys = zip(*points, strict=True)
        left, bottom, right, top = min(xs), min(ys), max(xs), max(ys)
        off = [max(min(x - left, right - x), min(y - bottom, top - y)) for x, y in points]
        return Cut((left, bottom, right, top), 4 <= len(segments) <= _MOST_OF_A_RECTANGLE and max(off) < _EVEN)

    def _point(self, segment: int) -> tuple[float, float]:
        _segment_point(segment, *self._float_places[:2])
        return self._floats[0], self._floats[1]

    def matrix(self, thing: int) -> _Matrix:
        """(a, b, c, d, e, f) from the coordinates inside a form to those that it is drawn in."""
        if not _matrix(thing, ctypes.addressof(self._floats)):
            return 1, 0, 0, 1, 0, 0
        a, b, c, d, e, f = self._floats[:6]
        return a, b, c, d, e, f

    def is_in_layer(self, thing: int) -> bool:
        """Whether the object is marked as a layer's (optional content), which may be switched off."""
        for number in range(_count_marks(thing)):
            where = ctypes.addressof(self._name), 16, ctypes.addressof(self._length)
            if _mark_name(_mark(thing, number), *where) and self._name.raw[:6] == b"O\0C\0\0\0":
                return True
        return False
