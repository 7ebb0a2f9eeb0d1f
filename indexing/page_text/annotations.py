"""What stands in a page's form fields and annotations: values, ticks, free text, notes, comments, stamps."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Set
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pypdfium2.raw as pdfium
from numpy.typing import NDArray

from pagesight.indexing.page_text.words import cleaned
from pagesight.indexing.pages import Box

#: What is written for a box that is ticked, and for one that is not.
TICKED, NOT_TICKED = ["☑", "ticked"], ["☐"]

_HIDDEN = pdfium.FPDF_ANNOT_FLAG_INVISIBLE | pdfium.FPDF_ANNOT_FLAG_HIDDEN | pdfium.FPDF_ANNOT_FLAG_NOVIEW
_PASSWORD = 1 << 13  # of a text field's flags (PDF 32000-1, table 228)
_NO_TEXT = (pdfium.FPDF_ANNOT_LINK, pdfium.FPDF_ANNOT_POPUP, pdfium.FPDF_ANNOT_WIDGET)
# Drawn on the page with words that may stand nowhere else.
_DRAWN = (
    pdfium.FPDF_ANNOT_STAMP,
    pdfium.FPDF_ANNOT_INK,
    pdfium.FPDF_ANNOT_FREETEXT,
    pdfium.FPDF_ANNOT_WATERMARK,
    pdfium.FPDF_ANNOT_REDACT,
)
_DRAWN_FIELDS = (pdfium.FPDF_FORMFIELD_SIGNATURE, pdfium.FPDF_FORMFIELD_PUSHBUTTON)


@dataclass(frozen=True)
class Note:
    """The lines of words that a field or an annotation says, and where it lies.

    ``in_line`` are those that stand on the line of the page's own words beside them, as a form's values do. What
    ``is_drawn`` shows words of its own, as a stamp that somebody commented on.
    """

    lines: list[list[str]]
    box: Box
    in_line: bool
    is_drawn: bool = False

    def without(self, read: Set[str]) -> Note:
        """The note without lines that were read just so where it is drawn."""
        if not self.is_drawn:
            return self
        return replace(self, lines=[line for line in self.lines if " ".join(line) not in read])


def read_annotations(page: Any, to_page: NDArray[np.float64]) -> tuple[list[Note], list[Box]]:
    """What an open page of pdfium's has in fields and annotations, and where those lie that are drawn with words of
    their own: stamps, signatures, and what else holds no text.

    ``to_page`` is that of `to_picture`. Needs the lock `PDFIUM`.
    """
    notes, drawn = list[Note](), list[Box]()
    for annotation in _annotations(page):
        kind = pdfium.FPDFAnnot_GetSubtype(annotation)
        box = _box(annotation, to_page)
        if box is None or pdfium.FPDFAnnot_GetFlags(annotation) & _HIDDEN:
            continue
        if kind == pdfium.FPDF_ANNOT_WIDGET:
            lines = _field(page.formenv, annotation) if page.formenv else []
        else:
            lines = [] if kind in _NO_TEXT else _lines(_text(pdfium.FPDFAnnot_GetStringValue, annotation, b"Contents"))
        is_drawn = kind == pdfium.FPDF_ANNOT_STAMP or (not lines and _has_picture(page, annotation, kind))
        if lines:
            notes.append(Note(lines, box, kind == pdfium.FPDF_ANNOT_WIDGET, is_drawn))
        if is_drawn:
            drawn.append(box)
    return notes, drawn


def _has_picture(page: Any, annotation: Any, kind: int) -> bool:
    """Whether what an annotation without text shows may be words."""
    if kind != pdfium.FPDF_ANNOT_WIDGET:
        return kind in _DRAWN
    return bool(page.formenv) and pdfium.FPDFAnnot_GetFormFieldType(page.formenv, annotation) in _DRAWN_FIELDS


def _annotations(page: Any) -> Iterator[Any]:
    for number in range(pdfium.FPDFPage_GetAnnotCount(page)):
        with _annotation(page, number) as annotation:
            if annotation:
                yield annotation


@contextmanager
def _annotation(page: Any, number: int) -> Iterator[Any]:
    annotation = pdfium.FPDFPage_GetAnnot(page, number)
    try:
        yield annotation
    finally:
        if annotation:
            pdfium.FPDFPage_CloseAnnot(annotation)


def _field(form: Any, annotation: Any) -> list[list[str]]:
    """What a form's field says: its text, its choices, or a tick."""
    kind = pdfium.FPDFAnnot_GetFormFieldType(form, annotation)
    if kind in (pdfium.FPDF_FORMFIELD_CHECKBOX, pdfium.FPDF_FORMFIELD_RADIOBUTTON):
        return [TICKED if pdfium.FPDFAnnot_IsChecked(form, annotation) else NOT_TICKED]
    choices = [line for choice in _choices(form, annotation) for line in _lines(choice)]
    if choices or kind == pdfium.FPDF_FORMFIELD_LISTBOX:
        return choices
    if kind == pdfium.FPDF_FORMFIELD_TEXTFIELD and pdfium.FPDFAnnot_GetFormFieldFlags(form, annotation) & _PASSWORD:
        return []
    if kind in (pdfium.FPDF_FORMFIELD_TEXTFIELD, pdfium.FPDF_FORMFIELD_COMBOBOX):
        return _lines(_text(pdfium.FPDFAnnot_GetFormFieldValue, form, annotation))
    return []


def _choices(form: Any, annotation: Any) -> Iterator[str]:
    for number in range(pdfium.FPDFAnnot_GetOptionCount(form, annotation)):
        if pdfium.FPDFAnnot_IsOptionSelected(form, annotation, number):
            yield _text(pdfium.FPDFAnnot_GetOptionLabel, form, annotation, number)


def _text(read: Any, *arguments: Any) -> str:
    """What one of pdfium's functions writes, UTF-16 with a zero at its end, into room that is asked for first."""
    count = read(*arguments, None, 0)
    if count <= 2:
        return ""
    room = ctypes.create_string_buffer(count)
    read(*arguments, ctypes.cast(room, ctypes.POINTER(ctypes.c_ushort)), count)
    return room.raw[: count - 2].decode("utf-16-le", "replace")


def _lines(text: str) -> list[list[str]]:
    rows = ([word for raw in line.split() if (word := cleaned(raw))] for line in text.splitlines())
    return [row for row in rows if row]


def _box(annotation: Any, to_page: NDArray[np.float64]) -> Box | None:
    """Where an annotation lies on the picture; None if it is not on it."""
    rectangle = pdfium.FS_RECTF()
    if not pdfium.FPDFAnnot_GetRect(annotation, rectangle):
        return None
    corners = to_page @ [[rectangle.left, rectangle.right], [rectangle.bottom, rectangle.top], [1, 1]]
    (left, right), (top, bottom) = np.sort(corners.clip(0, 1), axis=1).tolist()
    return (left, top, right, bottom) if left < right and top < bottom else None
