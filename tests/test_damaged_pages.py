"""A PDF page of which nothing can be shown is a warning that names it; one that is empty is none."""

from __future__ import annotations

import io
import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from reportlab.pdfgen import canvas
from small_index import small_settings

from pagesight.indexing.documents.open import open_document
from pagesight.indexing.preparing.prepare import prepare_page

RANDOM = random.Random(13)


def three_pages(compressed: bool) -> bytes:
    file = io.BytesIO()
    sheet = canvas.Canvas(file, pageCompression=int(compressed))
    for number in (1, 2, 3):
        for row in range(20):
            sheet.drawString(72, 750 - 20 * row, f"Page {number}: the ferry Aurora carries {row} passengers.")
        sheet.showPage()
    sheet.save()
    return file.getvalue()


def second_stream(content: bytes) -> tuple[int, int]:
    found = list(re.finditer(rb"stream\r?\n(.*?)\s*endstream", content, re.DOTALL))[1]
    return found.start(1), found.end(1)


def noise(length: int) -> bytes:
    return bytes(RANDOM.randrange(256) for _ in range(length))


def with_stream(change: Callable[[bytes], bytes], *, compressed: bool = True) -> bytes:
    content = three_pages(compressed)
    start, end = second_stream(content)
    return content[:start] + change(content[start:end]) + content[end:]


def with_contents(named: bytes) -> bytes:
    """Page 2 names something else as its content."""
    content = three_pages(False)
    found = list(re.finditer(rb"/Contents \d+ 0 R", content))[1]
    return content[: found.start()] + named.ljust(len(found[0])) + content[found.end() :]


DESTROYED = {
    "zeroed": with_stream(lambda stream: b"\0" * len(stream)),
    "noise": with_stream(lambda stream: noise(len(stream))),
    "first bytes": with_stream(lambda stream: b"zzzzzzzzzz" + stream[10:]),
    "first bytes are noise": with_stream(lambda stream: noise(20) + stream[20:]),
    "zeroed, not compressed": with_stream(lambda stream: b"\0" * len(stream), compressed=False),
    "noise, not compressed": with_stream(lambda stream: noise(len(stream)), compressed=False),
    "cut within a text": with_stream(lambda stream: stream[: stream.index(b"BT") + 12], compressed=False),
    "another filter": with_stream(lambda stream: stream).replace(b"/FlateDecode", b"/FlatDecodeX"),
    "no filter": with_stream(lambda stream: stream).replace(b"/Filter", b"/Filtre"),
    "a content that is not there": with_contents(b"/Contents 99 0 R"),
    "a content that is a page": with_contents(b"/Contents 1 0 R"),
}
EMPTY = {
    "no content": with_contents(b""),
    "null": with_contents(b"/Contents null"),
    "an empty stream": with_stream(lambda stream: b"", compressed=False),
    "nothing drawn": with_stream(
        lambda stream: b"q 1 0 0 1 0 0 cm /Span <</MCID 0>> BDC 0 0 0 rg BT /F1 12 Tf () Tj ET EMC Q", compressed=False
    ),
}


def warnings_of(path: Path) -> dict[int, list[str]]:
    with open_document(path) as document:
        pages = range(1, document.page_count + 1)
        settings = small_settings().documents
        return {page: list(found) for page in pages if (found := prepare_page(document, page, settings, None).warnings)}


@pytest.mark.parametrize("how", DESTROYED)
def test_a_page_whose_content_is_destroyed_is_named(tmp_path: Path, how: str) -> None:
    (tmp_path / "three.pdf").write_bytes(DESTROYED[how])
    found = warnings_of(tmp_path / "three.pdf")
    assert 2 in found
    assert all("its content is damaged" in text for texts in found.values() for text in texts)


@pytest.mark.parametrize("how", EMPTY)
def test_an_empty_page_is_no_fault(tmp_path: Path, how: str) -> None:
    (tmp_path / "three.pdf").write_bytes(EMPTY[how])
    assert warnings_of(tmp_path / "three.pdf") == {}


def test_a_picture_that_cannot_be_decoded_is_named(tmp_path: Path) -> None:
    from PIL import Image

    Image.effect_noise((200, 200), 80).convert("RGB").save(tmp_path / "noise.jpg")
    sheet = canvas.Canvas(str(tmp_path / "scan.pdf"))
    sheet.drawImage(str(tmp_path / "noise.jpg"), 0, 0, 500, 700)
    sheet.save()
    assert warnings_of(tmp_path / "scan.pdf") == {}
    content = (tmp_path / "scan.pdf").read_bytes()
    start, end = next(
        (found.start(1), found.end(1))
        for found in re.finditer(rb"stream\r?\n(.*?)endstream", content, re.DOTALL)
        if b"/Image" in content[max(found.start() - 300, 0) : found.start()]
    )
    (tmp_path / "scan.pdf").write_bytes(content[:start] + noise(end - start) + content[end:])
    assert "cannot be decoded" in warnings_of(tmp_path / "scan.pdf")[1][0]
