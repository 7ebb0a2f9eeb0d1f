"""From a page to its picture, whole or a region of it, always rendered from the source at the resolution asked for.

PDFs go through pdfium, or through poppler by setting; images through Pillow. The picture shows what a viewer shows: the
crop box, turned as the page says, with annotations and form fields. Words are `text`'s matter.
"""

from __future__ import annotations

import io
import math
import shutil
import struct
import threading
import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from numbers import Integral
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pypdfium2
import pypdfium2.raw as pdfium
from numpy.typing import NDArray
from PIL import Image, ImageOps

from pagesight.indexing.documents.sources import identify
from pagesight.indexing.errors import BadRegion, MissingExtra, UnknownPage, UnreadableDocument
from pagesight.indexing.pages import Box, Region

#: pdfium keeps state of its own for the whole process and is not thread-safe, not even for two different documents, so
#: that every call into it, closing included, is made under this one lock.
PDFIUM = threading.RLock()

#: Resolution of a picture when none is asked for, in dots per inch.
DEFAULT_DPI = 144

#: The least height and width of a region, in thousandths of the page: about one line of small print.
MIN_REGION = 10

#: Dots per inch of an image that does not say; one pixel is then one point.
_ASSUMED_DPI = 72.0

_IMAGE_FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP")

_NO_POPPLER = (
    "the renderer is set to poppler, but poppler is not installed. Install it with `apt install poppler-utils` "
    "(Debian, Ubuntu), `dnf install poppler-utils` (Fedora), `brew install poppler` (macOS) or `conda install "
    "-c conda-forge poppler` (Windows), or set PAGESIGHT_RENDERER=pdfium, which needs nothing."
)

#: What Pillow raises for damaged files, by experience.
_IMAGE_FAULTS = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    KeyError,
    IndexError,
    TypeError,
    OverflowError,
    struct.error,
)

_WHOLE: Box = (0.0, 0.0, 1.0, 1.0)


def open_document(
    path: Path | str, *, renderer: Literal["pdfium", "poppler"] = "pdfium", max_pixels: int = 40_000_000
) -> OpenDocument:
    """Opens a PDF or an image; use it in a ``with`` statement. No picture will have more than ``max_pixels`` pixels.

    Raises MissingPath; UnreadableDocument for a file that is no document, is damaged, needs a password or has no pages;
    MissingExtra if ``renderer`` is "poppler" and poppler is not installed.
    """
    path = Path(path)
    if identify(path) == "image":
        return ImageDocument(path, max_pixels)
    return (PopplerDocument if renderer == "poppler" else PdfDocument)(path, max_pixels)


def check_region(region: object) -> Region:
    """The region as four integers. Raises BadRegion, with a message that a language model can act on."""
    if isinstance(region, str | bytes | dict) or not hasattr(region, "__iter__"):
        raise BadRegion(_bad_region(region, "it is not a list of four integers"))
    edges = list(region)
    if len(edges) != 4 or not all(_is_whole(edge) for edge in edges):
        raise BadRegion(_bad_region(edges, "it is not a list of four integers"))
    ymin, xmin, ymax, xmax = (int(edge) for edge in edges)
    if min(ymin, xmin, ymax, xmax) < 0 or max(ymin, xmin, ymax, xmax) > 1000:
        raise BadRegion(_bad_region(edges, "it reaches outside the page"))
    if ymin >= ymax or xmin >= xmax:
        raise BadRegion(_bad_region(edges, "it is inverted or empty"))
    if min(ymax - ymin, xmax - xmin) < MIN_REGION:
        raise BadRegion(_bad_region(edges, f"it is too small; it must be at least {MIN_REGION} high and wide"))
    return ymin, xmin, ymax, xmax


class OpenDocument(ABC):
    """An open document: its pages' sizes and pictures. Pages count from 1."""

    page_count: int

    def __init__(self, path: Path, max_pixels: int) -> None:
        self.path = path
        self.max_pixels = max_pixels

    def __enter__(self) -> OpenDocument:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def size(self, number: int) -> tuple[float, float]:
        """Width and height of the page as shown, cropped and turned, in points (1/72 inch).

        An image's size comes from its pixels and the resolution that it states; where it states none, a pixel is a
        point. Raises UnknownPage.
        """
        self._check(number)
        return self._size(number)

    def picture(
        self, number: int, *, dpi: float | None = None, long_side: int | None = None, region: Region | None = None
    ) -> Image.Image:
        """The page, or the ``region`` of it, as an RGB picture rendered from the source.

        ``dpi`` dots per inch (144 if nothing is given; an image is not enlarged for it), or ``long_side`` the picture's
        longer side in pixels; what would have more than ``max_pixels`` pixels is made smaller. Raises UnknownPage,
        BadRegion, UnreadableDocument for a page that is damaged, ValueError if both or no positive sizes are given.
        """
        self._check(number)
        if dpi is not None and long_side is not None:
            raise ValueError("give dpi or long_side, not both")
        if (dpi is not None and not dpi > 0) or (long_side is not None and not long_side > 0):
            raise ValueError("dpi and long_side must be above 0")
        part = _WHOLE if region is None else _as_box(check_region(region))
        width, height = self._size(number)
        points = width * (part[2] - part[0]), height * (part[3] - part[1])
        scale = long_side / max(points) if long_side else min(dpi or DEFAULT_DPI, self._finest_dpi(number)) / 72
        return self._render(number, part, _pixels(points, scale, self.max_pixels))

    @abstractmethod
    def close(self) -> None:
        """Closes the file. A second time does nothing."""

    @abstractmethod
    def _size(self, number: int) -> tuple[float, float]: ...

    @abstractmethod
    def _render(self, number: int, part: Box, pixels: tuple[int, int]) -> Image.Image: ...

    def _finest_dpi(self, number: int) -> float:
        """The resolution beyond which there is nothing more to see."""
        return math.inf

    def _check(self, number: int) -> None:
        if not 1 <= number <= self.page_count:
            pages = "one page, p. 1" if self.page_count == 1 else f"pages 1 to {self.page_count}"
            raise UnknownPage(f"{self.path.name} has no page {number}: it has {pages}")


class PdfDocument(OpenDocument):
    """A PDF through pdfium."""

    def __init__(self, path: Path, max_pixels: int) -> None:
        super().__init__(path, max_pixels)
        self._pdf: pypdfium2.PdfDocument | None = None
        with PDFIUM:
            # for a PDF without pages pdfium leaves the last error standing, whatever it was: make it "no such file"
            pdfium.FPDF_LoadDocument(b"", None)
            try:
                self._pdf = pypdfium2.PdfDocument(path)
                self.page_count = len(self._pdf)
                if self._pdf.get_formtype():
                    self._pdf.init_forms()
            except pypdfium2.PdfiumError as error:
                self.close()
                raise UnreadableDocument(_pdf_fault(path, error)) from None

    def close(self) -> None:
        """Closes the file. A second time does nothing."""
        with PDFIUM:
            if self._pdf is not None:
                self._pdf.close()
                self._pdf = None

    @contextmanager
    def page(self, number: int) -> Iterator[pypdfium2.PdfPage]:
        """The page in pdfium's own terms, for the length of a ``with`` statement, which holds the lock `PDFIUM`."""
        self._check(number)
        with PDFIUM:
            if self._pdf is None:
                raise ValueError(f"{self.path} is closed")
            try:
                page = self._pdf[number - 1]
            except pypdfium2.PdfiumError as error:
                raise UnreadableDocument(
                    f"{self.path} p. {number} cannot be read: {error} The file is damaged."
                ) from None
            try:
                yield page
            finally:
                page.close()

    def _size(self, number: int) -> tuple[float, float]:
        with PDFIUM:
            if self._pdf is None:
                raise ValueError(f"{self.path} is closed")
            try:
                width, height = self._pdf.get_page_size(number - 1)
            except pypdfium2.PdfiumError as error:
                raise UnreadableDocument(
                    f"{self.path} p. {number} cannot be read: {error} The file is damaged."
                ) from None
        return max(width, 0.1), max(height, 0.1)

    def _render(self, number: int, part: Box, pixels: tuple[int, int]) -> Image.Image:
        width, height = pixels
        # pdfium is told the size of the whole page and where on it the bitmap lies; what is outside it does not draw
        canvas = round(width / (part[2] - part[0])), round(height / (part[3] - part[1]))
        window = (-round(part[0] * canvas[0]), -round(part[1] * canvas[1]), *canvas, 0)
        with self.page(number) as page:
            bitmap = pypdfium2.PdfBitmap.new_native(width, height, pdfium.FPDFBitmap_BGRx, rev_byteorder=True)
            bitmap.fill_rect((255, 255, 255, 255), 0, 0, width, height)
            flags = pdfium.FPDF_ANNOT | pdfium.FPDF_REVERSE_BYTE_ORDER
            pdfium.FPDF_RenderPageBitmap(bitmap, page, *window, flags)
            if page.formenv:
                pdfium.FPDF_FFLDraw(page.formenv, bitmap, page, *window, flags)
            picture = bitmap.to_pil().convert("RGB")
            bitmap.close()
        return picture


class PopplerDocument(PdfDocument):
    """A PDF whose pictures poppler makes, through pdf2image; sizes and words still come from pdfium."""

    def __init__(self, path: Path, max_pixels: int) -> None:
        if shutil.which("pdftoppm") is None or shutil.which("pdfinfo") is None:
            raise MissingExtra(_NO_POPPLER)
        super().__init__(path, max_pixels)

    def _render(self, number: int, part: Box, pixels: tuple[int, int]) -> Image.Image:
        from pdf2image import convert_from_bytes, convert_from_path
        from pdf2image.exceptions import PDFPageCountError

        with self.page(number) as page:
            upright = pixels if page.get_rotation() % 180 == 0 else pixels[::-1]  # poppler scales before it turns
        try:
            if part == _WHOLE:
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
        with self.page(number) as page, pypdfium2.PdfDocument.new() as cut:
            to_page = np.linalg.inv(np.vstack([to_picture(page), [0, 0, 1]]))
            corners = to_page @ np.array([[part[0], part[2]], [part[1], part[3]], [1, 1]])
            (left, right), (bottom, top) = np.sort(corners[0]), np.sort(corners[1])
            assert self._pdf is not None
            cut.import_pages(self._pdf, [number - 1])
            cut[0].set_cropbox(left, bottom, right, top)
            target = io.BytesIO()
            cut.save(target)
        return target.getvalue()


class ImageDocument(OpenDocument):
    """An image file: one page, or a TIFF with a page for each frame. The first frame of what moves.

    The file is opened anew for each picture, so that threads share no state and no decoded frame stays in memory.
    """

    def __init__(self, path: Path, max_pixels: int) -> None:
        super().__init__(path, max_pixels)
        with _open_image(path, 0) as image:
            self._frames = _page_frames(image)
        self.page_count = len(self._frames)
        self._sizes: dict[int, tuple[tuple[int, int], tuple[float, float]]] = {}

    def close(self) -> None:
        """Nothing is kept open."""

    def _size(self, number: int) -> tuple[float, float]:
        (width, height), (dpi_x, dpi_y) = self._measure(number)
        return width * 72 / dpi_x, height * 72 / dpi_y

    def _finest_dpi(self, number: int) -> float:
        return max(self._measure(number)[1])

    def _measure(self, number: int) -> tuple[tuple[int, int], tuple[float, float]]:
        """The frame's pixels and dots per inch, ((width, height), (x, y)), as shown."""
        if number not in self._sizes:
            with _open_image(self.path, self._frames[number - 1]) as image:
                size, dpi = image.size, _stated_dpi(image)
                if image.format != "TIFF" and image.getexif().get(0x0112, 1) >= 5:  # Pillow turns TIFFs by itself
                    size, dpi = size[::-1], dpi[::-1]
            self._sizes[number] = size, dpi
        return self._sizes[number]

    def _render(self, number: int, part: Box, pixels: tuple[int, int]) -> Image.Image:
        whole = max(pixels[0] / (part[2] - part[0]), pixels[1] / (part[3] - part[1]))
        with _open_image(self.path, self._frames[number - 1]) as image:
            image.draft(
                image.mode, (math.ceil(whole), math.ceil(whole))
            )  # JPEG: decode at 1/2, 1/4, 1/8 where that is enough
            image = ImageOps.exif_transpose(image)
            width, height = image.size
            edges = part[0] * width, part[1] * height, part[2] * width, part[3] * height
            if part != _WHOLE:
                outer = math.floor(edges[0]), math.floor(edges[1]), math.ceil(edges[2]), math.ceil(edges[3])
                image = image.crop(outer)
                edges = edges[0] - outer[0], edges[1] - outer[1], edges[2] - outer[0], edges[3] - outer[1]
            return _on_white(_resizable(image).resize(pixels, Image.Resampling.LANCZOS, edges, reducing_gap=3.0))


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


def _pixels(points: tuple[float, float], scale: float, max_pixels: int) -> tuple[int, int]:
    """Whole pixels for the points: each side at least one, max_pixels in all at most."""
    width, height = points
    if width * height * scale * scale > max_pixels:
        scale = math.sqrt(max_pixels / (width * height))
    across, down = max(1, round(width * scale)), max(1, round(height * scale))
    if across * down > max_pixels:  # by rounding, or because one side is less than a pixel
        across, down = (max(1, max_pixels // down), down) if across > down else (across, max(1, max_pixels // across))
    return across, down


def _is_whole(edge: Any) -> bool:
    return not isinstance(edge, bool) and (
        isinstance(edge, Integral) or (isinstance(edge, float) and edge.is_integer())
    )


def _as_box(region: Region) -> Box:
    ymin, xmin, ymax, xmax = region
    return xmin / 1000, ymin / 1000, xmax / 1000, ymax / 1000


def _bad_region(region: object, fault: str) -> str:
    return (
        f"region {region!r} cannot be shown: {fault}. A region is [ymin, xmin, ymax, xmax], integers in 0-1000 of the "
        "page's height and width from its top left corner, with ymin < ymax and xmin < xmax; "
        "the upper half of a page is [0, 0, 500, 1000]."
    )


def _pdf_fault(path: Path, error: pypdfium2.PdfiumError) -> str:
    """Why pdfium does not open the file, and what would help."""
    if error.err_code == pdfium.FPDF_ERR_PASSWORD:
        return f"{path} needs a password. Save it without one: `qpdf --decrypt --password=… in.pdf out.pdf`."
    if error.err_code == pdfium.FPDF_ERR_SECURITY:
        return (
            f"{path} is encrypted in a way that pdfium does not know. Save it without: `qpdf --decrypt in.pdf out.pdf`."
        )
    if error.err_code in (pdfium.FPDF_ERR_SUCCESS, pdfium.FPDF_ERR_FILE):
        return f"{path} has no pages; it may be damaged. `qpdf --check` says more."
    return f"{path} is a damaged or truncated PDF. Fetch it again, or try to mend it: `qpdf in.pdf out.pdf`."


@contextmanager
def _open_image(path: Path, frame: int) -> Iterator[Image.Image]:
    """The frame of the image, not yet decoded; a fault that shows in the ``with`` block is an UnreadableDocument."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # our own limit is Pillow's error, below
            image = Image.open(path, formats=_IMAGE_FORMATS)
        with image:
            if frame:
                image.seek(frame)
            yield image
    except Image.DecompressionBombError:
        limit = 2 * (Image.MAX_IMAGE_PIXELS or 0) // 1_000_000
        raise UnreadableDocument(
            f"{path} has more than {limit} million pixels, too many to be decoded safely. "
            "Make it smaller: `magick in.tif -resize 12000x12000 out.png`."
        ) from None
    except _IMAGE_FAULTS as error:
        raise UnreadableDocument(
            f"{path} is a damaged or truncated image: {error}. Fetch or export it again."
        ) from None


def _page_frames(image: Any) -> list[int]:
    """The frames that are pages: all of a TIFF but its previews (NewSubfileType bit 0), the first of anything else."""
    if image.format != "TIFF":
        return [0]
    pages = []
    for frame in range(image.n_frames):
        image.seek(frame)
        if not image.tag_v2.get(254, 0) & 1:
            pages.append(frame)
    return pages or [0]


def _stated_dpi(image: Image.Image) -> tuple[float, float]:
    """Dots per inch (x, y) that the image states, if they can be true."""
    stated = image.info.get("dpi", (0, 0))
    try:
        x, y = (float(dots) for dots in stated)
    except (TypeError, ValueError, ZeroDivisionError):
        return _ASSUMED_DPI, _ASSUMED_DPI
    return (x, y) if 20 <= x <= 5000 and 20 <= y <= 5000 else (_ASSUMED_DPI, _ASSUMED_DPI)


def _resizable(image: Image.Image) -> Image.Image:
    """The image in a mode of 8 bits a channel that can be scaled smoothly."""
    if image.mode.startswith(("I", "F")):
        return _eight_bit(image)
    if "transparency" in image.info or image.mode in ("PA", "La", "RGBa"):
        return image.convert("RGBA")
    if image.mode in ("P", "LAB", "HSV", "YCbCr"):
        return image.convert("RGB")
    return image.convert("L") if image.mode == "1" else image


def _eight_bit(image: Image.Image) -> Image.Image:
    """16-bit grey by its upper byte, as viewers show it; floating point from its darkest to its lightest."""
    values = np.asarray(image).astype(np.float32)
    if image.mode == "F":
        low, high = float(np.nanmin(values)), float(np.nanmax(values))
        values = np.nan_to_num((values - low) / ((high - low) or 1.0)) * 65535
    return Image.fromarray((values.clip(0, 65535) / 257).round().astype(np.uint8))


def _on_white(image: Image.Image) -> Image.Image:
    """RGB, what is transparent on white."""
    if image.mode not in ("RGBA", "LA"):
        return image.convert("RGB")
    image = image.convert("RGBA")
    white = Image.new("RGB", image.size, "white")
    white.paste(image, mask=image.getchannel("A"))
    return white
