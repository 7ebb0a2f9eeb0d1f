"""The files that a document holds: attachments of a PDF, the parts of a portfolio, files pinned to its pages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice

import pypdfium2
import pypdfium2.raw as pdfium

from pagesight.indexing.documents.document import OpenDocument
from pagesight.indexing.documents.pdf import PdfDocument
from pagesight.indexing.documents.said_in_pdf import may_say
from pagesight.indexing.errors import UnreadableDocument

# Bytes of one attached file at most, and of all that are taken from one document. Guesses, not measured.
_LARGEST = 200_000_000
_LARGEST_ALL = 400_000_000
_MOST = 1_000
_LONGEST_NAME = 120  # characters; a file's name may have 255 bytes

_PINNED = b"FileAttachment"  # all pages are loaded to find these, which takes a third of reading them


@dataclass(frozen=True)
class Attachment:
    """A file within a document, its name fit for a file on disk, and its bytes; None where it is too large to take."""

    name: str
    content: bytes | None


def attachments(document: OpenDocument) -> list[Attachment]:
    """The files that a PDF holds, in their order, each with a name of its own; none of any other document."""
    if not isinstance(document, PdfDocument):
        return []
    with document.opened() as pdf:
        held = (pdf.get_attachment(number) for number in range(min(pdf.count_attachments(), _MOST)))
        pinned = _pinned(document, pdf) if may_say(document.path.read_bytes(), _PINNED) else iter(())
        return named_apart(dict.fromkeys((one.get_name(), _content(one)) for one in chain(held, pinned)))


def named_apart(files: Iterable[tuple[str, bytes]]) -> list[Attachment]:
    """Files by their given names, each with a name of its own; without bytes those that are too large."""
    found: list[Attachment] = []
    taken: set[str] = set()
    left = _LARGEST_ALL
    for number, (given, content) in enumerate(islice(files, _MOST)):
        fits = len(content) <= min(_LARGEST, left)
        left -= len(content) if fits else 0
        name = _unlike(_plain_name(given, number), taken)
        taken.add(name.lower())
        found.append(Attachment(name, content if fits else None))
    return found


def _pinned(document: PdfDocument, pdf: pypdfium2.PdfDocument) -> Iterator[pypdfium2.PdfAttachment]:
    """The files that are pinned to the pages of a PDF, which is open. Needs the lock `PDFIUM`."""
    for number in range(1, document.page_count + 1):
        try:
            with document.page(number) as page:
                for place in range(pdfium.FPDFPage_GetAnnotCount(page)):
                    if found := _pinned_file(page, place):
                        yield pypdfium2.PdfAttachment(found, pdf)
        except UnreadableDocument:  # which is told of the page when it is read
            continue


def _pinned_file(page: pypdfium2.PdfPage, place: int) -> object:
    """The file of an annotation of a page; None where it has none."""
    annotation = pdfium.FPDFPage_GetAnnot(page, place)
    if not annotation:
        return None
    try:
        is_pinned = pdfium.FPDFAnnot_GetSubtype(annotation) == pdfium.FPDF_ANNOT_FILEATTACHMENT
        return pdfium.FPDFAnnot_GetFileAttachment(annotation) if is_pinned else None
    finally:
        pdfium.FPDFPage_CloseAnnot(annotation)


def _content(attached: pypdfium2.PdfAttachment) -> bytes:
    try:
        return bytes(attached.get_data())
    except pypdfium2.PdfiumError:  # it has a name and no bytes
        return b""


def _plain_name(name: str, number: int) -> str:
    """A name without folders and characters that files cannot have."""
    name = re.split(r"[/\\]", name.strip())[-1]
    name = "".join(char for char in name if char.isprintable() and char not in '<>:"|?*').strip(" .")
    stem, dot, suffix = name.rpartition(".")
    if len(name) > _LONGEST_NAME:
        name = f"{stem[:_LONGEST_NAME]}{dot}{suffix[:16]}" if dot else name[:_LONGEST_NAME]
    return name or f"attachment {number + 1}"


def _unlike(name: str, taken: set[str]) -> str:
    """The name, with a number where another file has it."""
    stem, dot, suffix = name.rpartition(".") if "." in name else (name, "", "")
    unlike, number = name, 2
    while unlike.lower() in taken:
        unlike, number = f"{stem} ({number}){dot}{suffix}", number + 1
    return unlike
