"""PDFs: through pdfium, with pictures made by poppler instead where that is set."""

from __future__ import annotations

import io
import shutil
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from itertools import islice
from pathlib import Path

import numpy as np
import pypdfium2
import pypdfium2.raw as pdfium
from numpy.typing import NDArray
from PIL import Image

from pagesight.indexing.documents.annotation_layers import hide, may_be_switched_off, switched_off
from pagesight.indexing.documents.document import OpenDocument
from pagesight.indexing.documents.poppler import DRAWN_BY_POPPLER, drawn_anew
from pagesight.indexing.documents.said_in_pdf import may_say
from pagesight.indexing.errors import MissingExtra, UnreadableDocument
from pagesight.indexing.pages import WHOLE_PAGE, Box

#: pdfium keeps state of its own for the whole process and is not thread-safe, not even for two different documents, so
#: that every call into it, closing included, is made under this one lock.
PDFIUM = threading.RLock()

# Up to so many pages at the end that are not there count as damaged ones, which poppler may draw; more of them are a
# promise of the page tree's. A guess, not measured.
_DAMAGED = 3

# Bookmarks that are read of a file: guesses, not measured.
_DEEPEST_BOOKMARK, _MOST_BOOKMARKS = 4, 1000

# Bytes of a file that is looked through for the layers of its annotations; a guess, not measured.
_LARGEST_WITH_LAYERS = 100_000_000

_XFA = (
    "it is an XFA form, which hardly any program but Adobe's shows: what it says instead is read. Open it there, print "
    "it as PDF, and index that"
)

_NO_POPPLER = (
    "the renderer is set to poppler, but poppler is not installed. Install it with `apt install poppler-utils` "
    "(Debian, Ubuntu), `dnf install poppler-utils` (Fedora), `brew install poppler` (macOS) or `conda install "
    "-c conda-forge poppler` (Windows), or set PAGESIGHT_RENDERER=pdfium, which needs nothing."
)


class PdfDocument(OpenDocument):
    """A PDF through pdfium; what pdfium refuses of it is drawn anew by poppler, where that is installed."""

    def __init__(self, path: Path, max_pixels: int, passwords: Sequence[str] = ()) -> None:
        super().__init__(path, max_pixels)
        self._passwords = passwords
        self._is_protected = False
        self._pdf: pypdfium2.PdfDocument | None = None
        self._drawn_anew: dict[int, pypdfium2.PdfDocument] = {}
        self._last: tuple[int, pypdfium2.PdfPage] | None = None
        with PDFIUM:
            try:
                self._open(path)
            except UnreadableDocument:
                self.close()
                content = drawn_anew(path)
                if content is None:
                    raise
                self._open(content)
                self.warnings += (DRAWN_BY_POPPLER,)

    def _open(self, source: Path | bytes) -> None:
        """Open the file, or a PDF that poppler made of it. Raises UnreadableDocument."""
        try:
            # for a PDF without pages pdfium leaves the last error standing, whatever it was: make it "no such file"
            pdfium.FPDF_LoadDocument(b"", None)
            self._pdf = self._unlocked(source)
            self.page_count = self._pages_there(len(self._pdf))
            form = self._pdf.get_formtype()
            if form:
                self._pdf.init_forms()
            if form == pdfium.FORMTYPE_XFA_FULL:
                self.warnings += (_XFA,)
        except pypdfium2.PdfiumError as error:
            raise UnreadableDocument(_pdf_fault(self.path, error)) from None

    def _unlocked(self, source: Path | bytes) -> pypdfium2.PdfDocument:
        """The file, opened with the first of the passwords that fits where it needs one."""
        for password in (None, *self._passwords):
            try:
                opened = pypdfium2.PdfDocument(source, password=password)
            except pypdfium2.PdfiumError as error:
                if error.err_code != pdfium.FPDF_ERR_PASSWORD:
                    raise
            else:
                self._is_protected = password is not None
                return opened
        raise UnreadableDocument(_locked(self.path, len(self._passwords)))

    def close(self) -> None:
        """Closes the file. A second time does nothing."""
        with PDFIUM:
            self._let_go()
            for pdf in (*self._drawn_anew.values(), self._pdf):
                if pdf is not None:
                    pdf.close()
            self._drawn_anew.clear()
            self._pdf = None

    def warnings_of(self, number: int) -> tuple[str, ...]:
        """What may be missing of a page that was looked at."""
        return (DRAWN_BY_POPPLER,) if number in self._drawn_anew else ()

    @cached_property
    def has_layers(self) -> bool:
        """Whether the file may have layers (optional content), which may be switched off."""
        return may_say(self.path.read_bytes(), b"/OCProperties")

    @cached_property
    def _switched_off(self) -> Mapping[int, list[int]]:
        return switched_off(self._pdf) if self._pdf and self.path.stat().st_size <= _LARGEST_WITH_LAYERS else {}

    def _pages_there(self, promised: int) -> int:
        """The number of the last page that is in the file; a damaged page tree may promise more."""
        size = pdfium.FS_SIZEF()
        there = promised
        while there and not pdfium.FPDF_GetPageSizeByIndexF(self._pdf, there - 1, size):
            there -= 1
        if promised - there <= _DAMAGED:
            return promised
        if promised and not there:
            raise UnreadableDocument(f"{self.path} promises {promised:,} pages, of which none is there. It is damaged.")
        if there < promised:
            self.warnings += (f"it promises {promised:,} pages, of which those from p. {there + 1:,} on are missing",)
        return there

    @contextmanager
    def page(self, number: int) -> Iterator[pypdfium2.PdfPage]:
        """The page in pdfium's own terms, for the length of a ``with`` statement, which holds the lock `PDFIUM`.

        The last one stays loaded: its words, its size and its picture are most often asked for one after the other, and
        loading takes a third of the time of reading (measured on sound pages, 1.7 ms of 5).
        """
        self._check(number)
        with PDFIUM:
            if self._last is None or self._last[0] != number:
                self._let_go()
                with self._page_errors(number) as pdf:
                    self._last = number, self._loaded(pdf, number)
            yield self._last[1]

    def _let_go(self) -> None:
        if self._last is not None:
            self._last[1].close()
            self._last = None

    @contextmanager
    def opened(self) -> Iterator[pypdfium2.PdfDocument]:
        """The file in pypdfium2's own terms, for the length of a ``with`` statement, which holds the lock `PDFIUM`."""
        if self._pdf is None:
            raise ValueError(f"{self.path} is closed")
        with PDFIUM:
            yield self._pdf

    def bookmarks(self) -> list[tuple[int, str, int]]:
        """Its bookmarks, a thousand at most."""
        found: list[tuple[int, str, int]] = []
        try:
            with self.opened() as pdf:
                for mark in islice(pdf.get_toc(max_depth=_DEEPEST_BOOKMARK), _MOST_BOOKMARKS):
                    target = mark.get_dest()
                    page = target.get_index() if target else None
                    if page is not None:
                        found.append((mark.level + 1, mark.get_title(), page + 1))
        except pypdfium2.PdfiumError:  # damaged ones are none
            pass
        return found

    def copied_page(self, page: pypdfium2.PdfPage, number: int) -> pypdfium2.PdfDocument:
        """A new PDF that holds this page, which is open, alone."""
        copy = pypdfium2.PdfDocument.new()
        copy.import_pages(page.pdf, [0 if number in self._drawn_anew else number - 1])
        return copy

    def _loaded(self, pdf: pypdfium2.PdfDocument, number: int) -> pypdfium2.PdfPage:
        if number not in self._drawn_anew:
            try:
                page = _with_sound_box(pdf, number)
                if may_be_switched_off(page):
                    hide(page, self._switched_off.get(number, ()))
                return page
            except pypdfium2.PdfiumError:
                content = drawn_anew(self.path, number)
                if content is None:
                    raise
                drawn = pypdfium2.PdfDocument(content)
                if not _has_area(drawn[0]):  # what poppler makes of a page that is not in the file
                    drawn.close()
                    raise
                self._drawn_anew[number] = drawn
        return _with_sound_box(self._drawn_anew[number], 1)

    def _size(self, number: int) -> tuple[float, float]:
        with PDFIUM, self._page_errors(number) as pdf:
            size = pdfium.FS_SIZEF()
            known = pdfium.FPDF_GetPageSizeByIndexF(pdf, number - 1, size)
            width, height = size.width, size.height
            if not known or width <= 0 or height <= 0:
                with self.page(number) as page:
                    width, height = page.get_size()
        return max(width, 0.1), max(height, 0.1)

    @contextmanager
    def _page_errors(self, number: int) -> Iterator[pypdfium2.PdfDocument]:
        """The open file; what pdfium cannot read of a page in the block is an UnreadableDocument."""
        if self._pdf is None:
            raise ValueError(f"{self.path} is closed")
        try:
            yield self._pdf
        except pypdfium2.PdfiumError as error:
            raise UnreadableDocument(f"{self.path} p. {number} cannot be read: {error} The file is damaged.") from None

    def _render(self, number: int, part: Box, pixels: tuple[int, int]) -> Image.Image:
        with self.page(number) as page:
            return drawn_page(page, part, pixels)


class PopplerDocument(PdfDocument):
    """A PDF whose pictures poppler makes, through pdf2image; sizes and words still come from pdfium."""

    def __init__(self, path: Path, max_pixels: int, passwords: Sequence[str] = ()) -> None:
        if shutil.which("pdftoppm") is None or shutil.which("pdfinfo") is None:
            raise MissingExtra(_NO_POPPLER)
        super().__init__(path, max_pixels, passwords)

    def _render(self, number: int, part: Box, pixels: tuple[int, int]) -> Image.Image:
        from pdf2image import convert_from_bytes, convert_from_path
        from pdf2image.exceptions import PDFPageCountError

        with self.page(number) as page:
            upright = pixels if page.get_rotation() % 180 == 0 else pixels[::-1]  # poppler scales before it turns
        try:
            if part == WHOLE_PAGE and not self._is_protected:  # a password would stand in the list of processes
                pictures = convert_from_path(
                    self.path, first_page=number, last_page=number, size=upright, use_cropbox=True
                )
            else:
                pictures = convert_from_bytes(self._cut_out(number, part), size=upright, use_cropbox=True)
        except PDFPageCountError as error:
            raise UnreadableDocument(f"{self.path} cannot be read by poppler: {error}") from None
        if not pictures:
            raise UnreadableDocument(
                f"{self.path} p. {number} cannot be rendered by poppler; pdfium may still read it."
            )
        return pictures[0].convert("RGB")

    def _cut_out(self, number: int, part: Box) -> bytes:
        """A PDF of this one page, cropped to the part: pdf2image has no option for a part of a page."""
        with self.page(number) as page, self.copied_page(page, number) as cut:
            to_page = np.linalg.inv(np.vstack([to_picture(page), [0, 0, 1]]))
            corners = to_page @ np.array([[part[0], part[2]], [part[1], part[3]], [1, 1]])
            (left, right), (bottom, top) = np.sort(corners[0]), np.sort(corners[1])
            cut[0].set_cropbox(left, bottom, right, top)
            target = io.BytesIO()
            cut.save(target)
        return target.getvalue()


def drawn_page(page: pypdfium2.PdfPage, part: Box, pixels: tuple[int, int]) -> Image.Image:
    """A part of an open page, in so many pixels, (width, height). Needs the lock `PDFIUM`."""
    width, height = pixels
    # pdfium is told the size of the whole page and where on it the bitmap lies; what is outside it does not draw
    canvas = round(width / (part[2] - part[0])), round(height / (part[3] - part[1]))
    window = (-round(part[0] * canvas[0]), -round(part[1] * canvas[1]), *canvas, 0)
    bitmap = pypdfium2.PdfBitmap.new_native(width, height, pdfium.FPDFBitmap_BGRx, rev_byteorder=True)
    bitmap.fill_rect((255, 255, 255, 255), 0, 0, width, height)
    flags = pdfium.FPDF_ANNOT | pdfium.FPDF_REVERSE_BYTE_ORDER
    pdfium.FPDF_RenderPageBitmap(bitmap, page, *window, flags)
    if page.formenv:
        pdfium.FPDF_FFLDraw(page.formenv, bitmap, page, *window, flags)
    picture: Image.Image = bitmap.to_pil().convert("RGB")
    bitmap.close()
    return picture


def single_page(document: PdfDocument, number: int) -> bytes:
    """The bytes of a PDF that holds this page alone. Raises UnknownPage, UnreadableDocument for a damaged page."""
    target = io.BytesIO()
    with PDFIUM, document.page(number) as page, document.copied_page(page, number) as copy:
        copy.save(target)
    return target.getvalue()


def _has_area(page: pypdfium2.PdfPage) -> bool:
    left, bottom, right, top = page.get_mediabox()
    return bool(left < right and bottom < top)


def _with_sound_box(pdf: pypdfium2.PdfDocument, number: int) -> pypdfium2.PdfPage:
    """The page; one whose crop box lies outside its media box is shown whole."""
    page = pdf[number - 1]
    left, bottom, right, top = page.get_bbox()
    if left < right and bottom < top:
        return page
    page.set_cropbox(*page.get_mediabox())
    page.close()
    return pdf[number - 1]


def to_picture(page: pypdfium2.PdfPage) -> NDArray[np.float64]:
    """(2, 3): from (x, y, 1) in points in the page's own coordinates to 0–1 of the picture's width and height.

    Needs the lock `PDFIUM`. It takes in cropping and turning, since pdfium itself is asked where corners come to lie.
    """
    left, bottom, right, top = page.get_bbox()
    corners = np.array([[left, bottom, 1], [right, bottom, 1], [left, top, 1]])
    fine = 1 << 24  # pdfium answers in whole pixels
    x, y = pdfium.c_int(), pdfium.c_int()
    shown = []
    for across, up, _ in corners.tolist():
        pdfium.FPDF_PageToDevice(page, 0, 0, fine, fine, 0, across, up, x, y)
        shown.append((x.value / fine, y.value / fine))
    return np.linalg.solve(corners, np.array(shown)).T


def _locked(path: Path, tried: int) -> str:
    """What is said of a file that none of so many passwords opens."""
    fault = "needs a password" if not tried else f"needs a password, and none of the {tried} that were given opens it"
    return (
        f"{path} {fault}. Give it with `--password-file FILE` (one a line), `--password` or PAGESIGHT_PASSWORDS; it is "
        "needed again to show pages, since it is not kept."
    )


def _pdf_fault(path: Path, error: pypdfium2.PdfiumError) -> str:
    """Why pdfium does not open the file, and what would help."""
    if error.err_code == pdfium.FPDF_ERR_SECURITY:
        return (
            f"{path} is encrypted in a way that pdfium does not know, mostly for the holder of a certificate. Open it "
            "in the program that has the certificate, and print or save it as a PDF without encryption."
        )
    if error.err_code in (pdfium.FPDF_ERR_SUCCESS, pdfium.FPDF_ERR_FILE):
        return f"{path} has no pages; it may be damaged. `qpdf --check` says more."
    return f"{path} is a damaged or truncated PDF. Fetch it again, or try to repair it: `qpdf in.pdf out.pdf`."
