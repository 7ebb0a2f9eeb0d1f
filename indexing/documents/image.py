"""Images: one page, or a TIFF with a page for each frame, through Pillow."""

from __future__ import annotations

import math
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageFile, ImageOps

from pagesight.indexing.configuration.installation import package_command
from pagesight.indexing.documents.document import OpenDocument
from pagesight.indexing.errors import UnreadableDocument
from pagesight.indexing.pages import WHOLE_PAGE, Box

#: Dots per inch of an image that does not say; one pixel is then one point.
_ASSUMED_DPI = 72.0

# A picture of which more than a tenth is clear, alpha below 32 of 255, and whose drawing is lighter on average than
# this cannot be seen on white: a logo or a sign for dark pages. Guesses, not measured.
_CLEAR, _LEAST_CLEAR, _LIGHT = 32, 0.1, 225

_IMAGE_FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP", "AVIF", "JPEG2000")

_DEPTHS = (8, 10, 12, 14)  # bits of grey that may be written into 16

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


class ImageDocument(OpenDocument):
    """An image file: one page, or a TIFF with a page for each frame. The first frame of what moves.

    The file is opened anew for each picture, so that threads share no state and no decoded frame stays in memory.
    """

    def __init__(self, path: Path, max_pixels: int, most: int | None = None) -> None:
        """``most`` is how many pixels a frame may have to be decoded."""
        super().__init__(path, max_pixels)
        self._most = most
        with self._frame(0) as image:
            self._frames = _page_frames(image)
        self.page_count = len(self._frames)
        self._sizes: dict[int, tuple[tuple[int, int], tuple[float, float]]] = {}

    def close(self) -> None:
        """Nothing is kept open."""

    @contextmanager
    def _frame(self, frame: int) -> Iterator[Image.Image]:
        """The frame, not yet decoded. Raises UnreadableDocument if that would take too much."""
        with _open_image(self.path, frame) as image:
            pixels = image.width * image.height
            if self._most is not None and pixels > self._most and image.format != "JPEG":  # which is decoded smaller
                raise UnreadableDocument(
                    f"{self.path} has {pixels / 1e6:,.0f} million pixels, more than {self._most / 1e6:,.0f}. Set "
                    "PAGESIGHT_IMAGE_PIXELS to more, or make it smaller: `magick in.png -resize 8000x8000 out.png`."
                )
            yield image

    def _size(self, number: int) -> tuple[float, float]:
        (width, height), (dpi_x, dpi_y) = self._measure(number)
        return width * 72 / dpi_x, height * 72 / dpi_y

    def own_size(self, number: int) -> tuple[float, float, str]:
        """Width and height in pixels, as shown. Raises UnknownPage."""
        self._check(number)
        return *self._measure(number)[0], "px"

    def _finest_dpi(self, number: int) -> float:
        return max(self._measure(number)[1])

    def _measure(self, number: int) -> tuple[tuple[int, int], tuple[float, float]]:
        """The frame's pixels and dots per inch, ((width, height), (x, y)), as shown."""
        if number not in self._sizes:
            with self._frame(self._frames[number - 1]) as image:
                size, dpi = image.size, _stated_dpi(image)
                if image.format != "TIFF" and image.getexif().get(0x0112, 1) >= 5:  # Pillow turns TIFFs by itself
                    size, dpi = size[::-1], dpi[::-1]
            self._sizes[number] = size, dpi
        return self._sizes[number]

    def _render(self, number: int, part: Box, pixels: tuple[int, int]) -> Image.Image:
        whole = max(pixels[0] / (part[2] - part[0]), pixels[1] / (part[3] - part[1]))
        with self._frame(self._frames[number - 1]) as image:
            # JPEG: decode at 1/2, 1/4 or 1/8 where that is enough
            image.draft(image.mode, (math.ceil(whole), math.ceil(whole)))
            image = ImageOps.exif_transpose(image)
            if image.mode.startswith(("I", "F")):
                image = _eight_bit(image)  # whole: its lightest place may be outside of the part
            width, height = image.size
            edges = part[0] * width, part[1] * height, part[2] * width, part[3] * height
            if part != WHOLE_PAGE:
                outer = math.floor(edges[0]), math.floor(edges[1]), math.ceil(edges[2]), math.ceil(edges[3])
                image = image.crop(outer)
                edges = edges[0] - outer[0], edges[1] - outer[1], edges[2] - outer[0], edges[3] - outer[1]
            return _on_white(_resizable(image).resize(pixels, Image.Resampling.LANCZOS, edges, reducing_gap=3.0))


@contextmanager
def _open_image(path: Path, frame: int) -> Iterator[Image.Image]:
    """The frame of the image, not yet decoded; a fault that shows in the ``with`` block is an UnreadableDocument."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # our own limit is Pillow's error, below
            image = Image.open(path, formats=_formats(path))
        with image, _whole_images():
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
            f"{path} is a damaged or truncated image: {' '.join(str(error).split())}. Fetch or export it again."
        ) from None


@contextmanager
def _whole_images() -> Iterator[None]:
    """Nothing is made of an image that is cut off, whatever WeasyPrint has set for the whole process."""
    before, ImageFile.LOAD_TRUNCATED_IMAGES = ImageFile.LOAD_TRUNCATED_IMAGES, False
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = before


def _formats(path: Path) -> tuple[str, ...]:
    """What the image may be; pillow-heif is loaded where it is a HEIC image."""
    with path.open("rb") as file:
        head = file.read(12)
    if head[4:8] != b"ftyp" or head[8:12] in (b"avif", b"avis"):
        return _IMAGE_FORMATS
    try:
        from pillow_heif import register_heif_opener
    except ImportError as error:
        raise UnreadableDocument(
            f"{path} cannot be read: {error}. HEIC images are read through pillow-heif: "
            f"`{package_command('pillow-heif')}`."
        ) from None
    register_heif_opener()
    return (*_IMAGE_FORMATS, "HEIF")


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
    if "transparency" in image.info or image.mode in ("PA", "La", "RGBa"):
        return image.convert("RGBA")
    if image.mode in ("P", "LAB", "HSV", "YCbCr"):
        return image.convert("RGB")
    return image.convert("L") if image.mode == "1" else image


def _eight_bit(image: Image.Image) -> Image.Image:
    """8 bits of grey: of 16 the upper ones, as viewers show them, and alike of fewer that are written into 16.

    Floating point goes from its darkest to its lightest.
    """
    values = np.asarray(image).astype(np.float32)
    if image.mode == "F":
        low, high = float(np.nanmin(values)), float(np.nanmax(values))
        values = np.nan_to_num((values - low) / ((high - low) or 1.0)) * 65535
    lightest = float(values.max(initial=0))
    full = next((2**bits - 1 for bits in _DEPTHS if lightest < 2**bits), 65535)
    return Image.fromarray((values.clip(0, full) * (255 / full)).round().astype(np.uint8))


def _on_white(image: Image.Image) -> Image.Image:
    """RGB, what is transparent on white; or on dark grey, where what is drawn on it is as light as white."""
    if image.mode not in ("RGBA", "LA"):
        return image.convert("RGB")
    image = image.convert("RGBA")
    alpha = np.asarray(image.getchannel("A"), np.float32)
    lightness = np.asarray(image.convert("RGB").convert("L"), np.float32)
    clear = float((alpha < _CLEAR).mean())
    is_light = clear > _LEAST_CLEAR and alpha.any() and np.average(lightness, weights=alpha) > _LIGHT
    ground = Image.new("RGB", image.size, "#303030" if is_light else "white")
    ground.paste(image, mask=image.getchannel("A"))
    return ground
