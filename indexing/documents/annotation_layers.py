"""Annotations on layers (optional content) that are switched off: viewers hide them, pdfium draws and reads them.

pdfium does not say which layer an annotation is on. It writes the file anew, without encryption and compressed tables,
and Pillow reads that.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium
from PIL.PdfParser import IndirectReference, PdfParser

_NO_SECURITY = 3  # FPDF_REMOVE_SECURITY

# How several layers decide on one thing; what is not named here is that any of them is on.
_POLICIES: dict[bytes, Callable[[list[bool]], bool]] = {
    b"AllOn": all,
    b"AllOff": lambda states: not any(states),
    b"AnyOff": lambda states: not all(states),
}


def may_be_switched_off(page: pypdfium2.PdfPage) -> bool:
    """Whether an annotation of the page names a layer. Needs the lock `PDFIUM`."""
    return any(pdfium.FPDFAnnot_HasKey(one, b"OC") for one in _annotations(page, range(_count(page))))


def hide(page: pypdfium2.PdfPage, places: Collection[int]) -> None:
    """Hide the annotations at these places, from 0, as long as the file is open. Needs the lock `PDFIUM`."""
    for one in _annotations(page, places):
        pdfium.FPDFAnnot_SetFlags(one, pdfium.FPDFAnnot_GetFlags(one) | pdfium.FPDF_ANNOT_FLAG_HIDDEN)


def switched_off(pdf: pypdfium2.PdfDocument) -> Mapping[int, list[int]]:
    """By numbers of pages, the places of annotations on layers that are off; none of a damaged file.

    Needs the lock `PDFIUM`.
    """
    written = io.BytesIO()
    try:
        pdf.save(written, flags=_NO_SECURITY)
        layers = _Layers(PdfParser(buf=written.getvalue()))
        return {number: places for number, places in enumerate(layers.hidden(), start=1) if places}
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 (whatever Pillow raises for a damaged one)
        return {}


def _count(page: pypdfium2.PdfPage) -> int:
    return int(pdfium.FPDFPage_GetAnnotCount(page))


def _annotations(page: pypdfium2.PdfPage, places: Collection[int]) -> Iterator[Any]:
    for place in places:
        if one := pdfium.FPDFPage_GetAnnot(page, place):
            yield one
            pdfium.FPDFPage_CloseAnnot(one)


class _Layers:
    """The layers of a file, as it is opened."""

    def __init__(self, file: Any) -> None:
        self._file = file
        config = self._get(self._get(file.root, "OCProperties"), "D")
        self._all_off = self._get(config, "BaseState") == b"OFF"
        self._on, self._off = self._get(config, "ON") or [], self._get(config, "OFF") or []

    def hidden(self) -> Iterator[list[int]]:
        """For each page, the places of annotations that are not shown."""
        for page in self._file.pages:
            found = self._get(self._file.read_indirect(page), "Annots") or []
            named = [self._read(one).get(b"OC") for one in found]
            yield [place for place, layer in enumerate(named) if layer is not None and not self._is_shown(layer)]

    def _is_shown(self, layer: Any) -> bool:
        """Whether what names this layer, or several and how these decide (PDF 32000-1, 8.11.2.2), is shown."""
        read = self._read(layer)
        if self._get(read, "Type") != b"OCMD":
            return self._is_on(layer)
        groups = self._get(read, "OCGs")
        states = [self._is_on(one) for one in (groups if isinstance(groups, list) else [read.get(b"OCGs")])]
        return not states or _POLICIES.get(self._get(read, "P"), any)(states)

    def _is_on(self, group: Any) -> bool:
        return group in self._on if self._all_off else group not in self._off

    def _get(self, held: Any, name: str) -> Any:
        """What a dictionary holds under a name, names as bytes; None for nothing."""
        found = self._read(held.get(name.encode())) if held else None
        return getattr(found, "name", found)

    def _read(self, held: Any) -> Any:
        return self._file.read_indirect(held) if isinstance(held, IndirectReference) else held
