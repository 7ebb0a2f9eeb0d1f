"""Bad scans of documents: their pages as pictures, made worse in known ways, so that retrieval can be measured on them.

The same document, ways and levels give the same files, byte for byte: what is random goes by the document's bytes.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from io import BytesIO
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageFilter

from pagesight.indexing.documents.open import open_document
from pagesight.indexing.documents.sources import find_documents, hash_file
from pagesight.indexing.errors import QuestionsError
from pagesight.indexing.storage.folder import disk_errors

_DPI = 150  # as office scanners are set for mail
_MOST_PIXELS = 4_000_000  # of a page: A4 at that resolution has two million
_QUALITY = 90  # of the JPEG in the files, where JPEG is not what makes a page worse
LEVELS = 3
#: No time of their own, or two runs would write different files.
_WRITTEN = time.struct_time((2000, 1, 1, 0, 0, 0, 5, 1, 0))

_Random = np.random.Generator


class Way(NamedTuple):
    """One way in which pages are made worse, and how much: 1 as in a fair office scan, 3 hardly to be read."""

    kind: str
    level: int


def parse_ways(text: str) -> tuple[Way, ...]:
    """The ways in a text such as "blur:2,noise", level 1 where none is said, in their order. Raises QuestionsError."""
    ways = []
    for part in text.split(","):
        kind, _, level = part.strip().partition(":")
        if kind not in KINDS:
            raise QuestionsError(f"pages cannot be made worse by {kind!r}: choose from {', '.join(KINDS)}.")
        if level not in ("", *map(str, range(1, LEVELS + 1))):
            raise QuestionsError(f"there is no level {level!r} of {kind}: write {kind}:1 to {kind}:{LEVELS}.")
        ways.append(Way(kind, int(level or 1)))
    return tuple(ways)


def degraded_documents(
    paths: Sequence[Path | str],
    ways: Sequence[Way],
    folder: Path,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Path]:
    """The documents as PDFs of pictures alone in ``folder``, each under its own name with ".pdf"; made once.

    Raises QuestionsError for two documents of one name, MissingPath and UnreadableDocument as reading them does,
    StorageFull.
    """
    found = find_documents(paths)
    if found.failures:
        raise found.failures[0].error
    files = [source.path for source in found.sources]
    targets = [folder / f"{file.stem}.pdf" for file in files]
    if len(set(targets)) < len(targets):
        raise QuestionsError("two of the documents have one name: their bad scans would have one, too.")
    for done, (file, target) in enumerate(zip(files, targets, strict=True), 1):
        if not target.exists():
            _write(file, ways, target)
        progress(done, len(files))
    return targets


def degrade(picture: Image.Image, ways: Sequence[Way], seed: int) -> Image.Image:
    """The picture of a page, RGB at 150 dots per inch, made worse; ``seed`` decides what is random."""
    random = np.random.default_rng(seed)
    for way in ways:
        picture = KINDS[way.kind](picture.convert("RGB"), way.level, random)
    return picture


def _write(file: Path, ways: Sequence[Way], target: Path) -> None:
    told = ",".join(f"{way.kind}:{way.level}" for way in ways)
    seed = int.from_bytes(hashlib.sha256(f"{hash_file(file)} {told}".encode()).digest()[:6])
    unfinished = target.with_suffix(".part")
    with disk_errors(f"the bad scans cannot be written to {target.parent}"):
        target.parent.mkdir(parents=True, exist_ok=True)
        pages = _pages(file, ways, seed)
        first = next(pages)
        first.save(
            unfinished, "PDF", resolution=_DPI, quality=_QUALITY, save_all=True, append_images=chain(pages),
            creationDate=_WRITTEN, modDate=_WRITTEN,
        )  # fmt: skip
        unfinished.replace(target)


def _pages(file: Path, ways: Sequence[Way], seed: int) -> Iterator[Image.Image]:
    with open_document(file, max_pixels=_MOST_PIXELS) as document:
        for number in range(1, document.page_count + 1):
            yield degrade(document.picture(number, dpi=_DPI), ways, seed + number)


def _blur(picture: Image.Image, level: int, random: _Random) -> Image.Image:
    """Out of focus, by a radius of some pixels: an x of body text is about ten high."""
    return picture.filter(ImageFilter.GaussianBlur((0.9, 1.7, 2.6)[level - 1]))


def _noise(picture: Image.Image, level: int, random: _Random) -> Image.Image:
    """Grain on every pixel, and specks of black and white."""
    grain, specks = ((14, 0.002), (28, 0.01), (48, 0.03))[level - 1]
    values = np.asarray(picture, np.float32)
    height, width = values.shape[:2]
    values = values + random.normal(0, grain, (height, width, 1)).astype(np.float32)
    struck = random.random((height, width))
    values[struck < specks / 2], values[struck > 1 - specks / 2] = 0, 255
    return Image.fromarray(values.clip(0, 255).astype(np.uint8))


def _skew(picture: Image.Image, level: int, random: _Random) -> Image.Image:
    """Laid in askew, to either side."""
    degrees = (1.0, 2.5, 5.0)[level - 1] * random.choice((-1, 1))
    return picture.rotate(float(degrees), Image.Resampling.BICUBIC, fillcolor="white")


def _jpeg(picture: Image.Image, level: int, random: _Random) -> Image.Image:
    """Packed far too small."""
    packed = BytesIO()
    picture.save(packed, "JPEG", quality=(30, 12, 5)[level - 1])
    return Image.open(packed).convert("RGB")


def _fax(picture: Image.Image, level: int, random: _Random) -> Image.Image:
    """Black and white alone, at a fax machine's dots per inch: fine, standard, and standard made smaller."""
    across, down = ((204, 196), (204, 98), (120, 80))[level - 1]
    width, height = picture.size
    grey = picture.convert("L").resize((width * across // _DPI, height * down // _DPI))
    values = np.asarray(grey, np.float32) + random.normal(0, 8 * level, (grey.height, grey.width))
    return Image.fromarray(np.where(values > 150, 255, 0).astype(np.uint8)).resize((width, height)).convert("RGB")


def _photo(picture: Image.Image, level: int, random: _Random) -> Image.Image:
    """Taken by hand from the side, under a lamp: corners moved, light from one edge, slightly out of focus."""
    width, height = picture.size
    moved = (0.015, 0.04, 0.08)[level - 1]
    shifts = random.uniform(0, moved, 8) * np.array([width, height] * 4)
    (x0, y0, x1, y1, x2, y2, x3, y3) = shifts
    corners = (-x0, -y0, -x1, height + y1, width + x2, height + y2, width + x3, -y3)
    bent = picture.transform(
        picture.size, Image.Transform.QUAD, tuple(map(float, corners)), Image.Resampling.BICUBIC, fillcolor="white"
    )
    darkest = (0.85, 0.65, 0.45)[level - 1]
    light = np.linspace(darkest, 1.0, width, dtype=np.float32)[None, :, None]
    light = light[:, ::-1] if random.random() < 0.5 else light
    lit = Image.fromarray((np.asarray(bent, np.float32) * light).astype(np.uint8))
    return lit.filter(ImageFilter.GaussianBlur(0.5 * level))


#: Each way with what does it.
KINDS: dict[str, Callable[[Image.Image, int, _Random], Image.Image]] = {
    "blur": _blur, "noise": _noise, "skew": _skew, "jpeg": _jpeg, "fax": _fax, "photo": _photo,
}  # fmt: skip
