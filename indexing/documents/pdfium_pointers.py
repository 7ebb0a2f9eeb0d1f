"""pdfium's functions that are called for every word and every object of a page, with pointers as plain numbers.

ctypes' own pointers cost as much as the calls: told apart by their addresses they would cost more than reading the page
(measured: 2.3 ms a page instead of 1.3).
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

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
count_segments = _plain(pdfium.FPDFPath_CountSegments, _INT, _POINTER)

_count_marks = _plain(pdfium.FPDFPageObj_CountMarks, _INT, _POINTER)
_mark = _plain(pdfium.FPDFPageObj_GetMark, _POINTER, _POINTER, ctypes.c_ulong)
_mark_name = _plain(pdfium.FPDFPageObjMark_GetName, _INT, _POINTER, _POINTER, ctypes.c_ulong, _POINTER)
_bounds = _plain(pdfium.FPDFPageObj_GetBounds, _INT, _POINTER, *[_POINTER] * 4)
_fill = _plain(pdfium.FPDFPageObj_GetFillColor, _INT, _POINTER, *[_POINTER] * 4)
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


_BLACK = bytes((ctypes.c_uint * 4)(0, 0, 0, 255))


class ObjectReader:
    """Reads what objects are like into room of its own, which is used again and again: one thread at a time."""

    def __init__(self) -> None:
        self._floats, self._numbers = (ctypes.c_float * 6)(), (ctypes.c_uint * 4)()
        self._colour = (ctypes.c_char * 16).from_buffer(self._numbers)
        self._name, self._length = ctypes.create_string_buffer(16), ctypes.c_ulong()
        self._float_places = [ctypes.addressof(self._floats) + 4 * place for place in range(4)]
        self._number_places = [ctypes.addressof(self._numbers) + 4 * place for place in range(4)]

    def bounds(self, thing: int) -> tuple[float, float, float, float] | None:
        """(left, bottom, right, top) in the coordinates that the object is drawn in."""
        if not _bounds(thing, *self._float_places):
            return None
        left, bottom, right, top = self._floats[:4]
        return left, bottom, right, top

    def is_black(self, thing: int) -> bool:
        """Whether the object is filled with black that nothing shines through: text most often is."""
        return bool(_fill(thing, *self._number_places)) and self._colour.raw == _BLACK

    def fill(self, thing: int) -> tuple[int, int, int, int] | None:
        """(red, green, blue, alpha), 0–255; None for a pattern."""
        if not _fill(thing, *self._number_places):
            return None
        red, green, blue, alpha = self._numbers[:4]
        return red, green, blue, alpha

    def is_filled(self, path: int) -> bool:
        """Whether a path is filled, and not only its line drawn."""
        return bool(_draw_mode(path, *self._number_places[:2])) and self._numbers[0] != 0

    def matrix(self, thing: int) -> tuple[float, float, float, float, float, float]:
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
