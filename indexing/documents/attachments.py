"""The files that a document holds: attachments of a PDF, the parts of a portfolio."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

import pypdfium2

from pagesight.indexing.documents.document import OpenDocument
from pagesight.indexing.documents.pdf import PdfDocument

# Bytes of one attached file at most, and of all that are taken from one document. Guesses, not measured.
_LARGEST = 200_000_000
_LARGEST_ALL = 400_000_000
_MOST = 1_000
_LONGEST_NAME = 120  # characters; a file's name may have 255 bytes


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
        return named_apart((one.get_name(), _content(one)) for one in held)


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
