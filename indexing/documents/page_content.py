"""Whether a PDF page of which nothing is drawn is empty, or its content cannot be read.

pdfium draws what it can of a damaged page, and says nothing of the rest. Only pages without anything are looked at:
their content as it stands in a copy of the page, where pdfium has taken off encryption and other wrapping.
"""

from __future__ import annotations

import base64
import re
import zlib
from pathlib import Path

import pypdfium2
import pypdfium2.raw as pdfium

from pagesight.indexing.documents import pdfium_pointers as plain
from pagesight.indexing.documents.pdf import PdfDocument, single_page

_MOST_BYTES = 1_000_000  # of a content that are looked at; a guess, not measured
_LARGEST_FILE = 100_000_000  # bytes, that is searched for a content; a guess, not measured
_MOST_PICTURES = 20  # of a page that are tried; a guess, not measured

_CONTENTS = re.compile(rb"/Contents\s*(\[[^\]]*\]|\d+\s+0\s+R)")
_OBJECT = rb"(?<!\d)%d 0 obj\s*<<(.*?)>>\s*stream\r?\n"
_FILTERS = re.compile(rb"/Filter\s*(\[[^\]]*\]|/\w+)")

# What stands between operators (PDF 32000-1, 7.3), and strings that show nothing.
_SHOWS_NOTHING = re.compile(rb"\(\s*\)\s*(?:Tj|')|\[\s*\]\s*TJ")
_OPERANDS = re.compile(
    rb"%[^\r\n]*|\((?:\\.|[^\\()])*\)|<<|>>|<[0-9A-Fa-f\s]*>|/[^\s/<>\[\]()]*|[\[\]]|(?<![\w.])[-+]?\d*\.?\d+(?![\w.])"
)
# The operators that draw nothing by themselves (PDF 32000-1, annex A).
_QUIET = frozenset(
    b"q Q cm w J j M d ri i gs BT ET Tc Tw Tz TL Tf Tr Ts Td TD Tm T* g G rg RG k K cs CS sc SC scn SCN W W* n m l c v "
    b"y h re BMC BDC EMC MP DP BX EX true false null".split()
)

_DAMAGED = "its content is damaged, and nothing of it is shown ({}). Fetch the file again, or try `qpdf in.pdf out.pdf`"


def content_fault(document: PdfDocument, number: int) -> str | None:
    """Why nothing is shown of a page, as it goes on from "page 3 of report.pdf: "; None where it is not for a fault.

    For a page without words. Raises UnknownPage, UnreadableDocument.
    """
    with document.page(number) as page:
        if plain.count_objects(plain.address(page.raw)):
            pictures = page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_IMAGE])
            tried = [_is_drawn(picture) for _, picture in zip(range(_MOST_PICTURES), pictures, strict=False)]
            return _DAMAGED.format("its picture cannot be decoded") if tried and not any(tried) else None
    copy = single_page(document, number)
    if _CONTENTS.search(copy) is None:
        return _DAMAGED.format("it is not in the file") if _lacks_a_content(document.path) else None
    try:
        content = _content(copy)
    except ValueError as error:
        return _DAMAGED.format(error)
    return _DAMAGED.format("it is no content of a page") if _should_be_seen(content) else None


def _is_drawn(picture: pypdfium2.PdfObject) -> bool:
    bitmap = pdfium.FPDFImageObj_GetBitmap(picture)
    if bitmap:
        pdfium.FPDFBitmap_Destroy(bitmap)
    return bool(bitmap)


def _content(copy: bytes) -> bytes:
    """The content of the only page of a PDF as pdfium writes it. Raises ValueError."""
    named = b"".join(_CONTENTS.findall(copy))
    numbers = [int(number) for number in re.findall(rb"(\d+)\s+0\s+R", named)]
    return b"\n".join(_stream(copy, number) for number in numbers)[:_MOST_BYTES]


def _lacks_a_content(path: Path) -> bool:
    """Whether a page of the file, as far as it is not compressed, names a content that is not there: it was cut off."""
    if path.stat().st_size > _LARGEST_FILE:
        return False
    whole = path.read_bytes()
    named = {int(number) for found in _CONTENTS.findall(whole) for number in re.findall(rb"(\d+)\s+0\s+R", found)}
    there = {int(number) for number in re.findall(rb"(?<!\d)(\d{1,9})\s+\d+\s+obj", whole)}
    return not named <= there


def _stream(copy: bytes, number: int) -> bytes:
    """What an object's stream says. Raises ValueError."""
    found = re.search(_OBJECT % number, copy, re.DOTALL)
    length = re.search(rb"/Length (\d+)", found[1]) if found else None
    if found is None or length is None:
        raise ValueError("it is no stream")
    content = copy[found.end() : found.end() + int(length[1])]
    named = _FILTERS.search(found[1])
    for name in re.findall(rb"/(\w+)", named[1]) if named else ():
        content = _decoded(content, name.decode())
    return content


def _decoded(content: bytes, name: str) -> bytes:
    """A stream's content without a filter. Raises ValueError where it does not fit, or is none that pages have."""
    if name in ("FlateDecode", "Fl"):
        inflating = zlib.decompressobj()
        try:
            return inflating.decompress(content, _MOST_BYTES)
        except zlib.error:
            raise ValueError("it is not compressed as it says") from None
    if name in ("ASCII85Decode", "A85"):
        return base64.a85decode(content.strip().removesuffix(b"~>").removeprefix(b"<~"))
    if name in ("ASCIIHexDecode", "AHx"):
        digits = b"".join(content.split()).removesuffix(b">")
        return bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode("latin-1"))
    raise ValueError(f"its filter is {name}")


def _should_be_seen(content: bytes) -> bool:
    """Whether a content draws something, is cut off within a text, or says nothing that a content can say."""
    words = _OPERANDS.sub(b" ", _SHOWS_NOTHING.sub(b" ", content)).split()
    return not _QUIET.issuperset(words) or words.count(b"BT") != words.count(b"ET")
