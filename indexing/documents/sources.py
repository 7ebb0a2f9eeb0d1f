"""Finds the documents to be indexed, says what each one is by looking into it, and names it by the hash of its bytes.

A file is what its first bytes say, whatever it is called: a PNG named ``scan.pdf`` is an image. Nothing here opens a
document or counts its pages; that is `render`.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

from pagesight.indexing.errors import MissingPath, NoDocuments, SourceError, UnreadableDocument

#: What a document is: a PDF, or an image of one page (a TIFF: of several).
Kind = Literal["pdf", "image"]

#: Names of the files that are taken from a folder. A file that is given by its own path may have any name.
SUFFIXES = frozenset((".pdf", ".png", ".jpg", ".jpeg", ".jpe", ".webp", ".tif", ".tiff", ".gif", ".bmp"))

_IMAGE_STARTS = (
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff",
    b"II*\0",
    b"MM\0*",
    b"II+\0",
    b"MM\0+",
    b"GIF87a",
    b"GIF89a",
    b"BM",
)

#: First bytes of what people often point at instead of a PDF, so that the message can say what the file is.
_OTHERS = (
    (b"PK\x03\x04", "a ZIP archive or an office file (docx, pptx, xlsx, odt)"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old office file (doc, ppt, xls)"),
    (b"{\\rtf", "an RTF file"),
    (b"%!PS", "a PostScript file"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"AT&TFORM", "a DjVu file"),
    (b"version https://git-lfs", "a Git LFS pointer, not the file itself (`git lfs pull` fetches it)"),
)


@dataclass(frozen=True)
class Source:
    """A document on disk: ``size`` in bytes, ``modified`` in nanoseconds since the epoch.

    The bytes are hashed when ``document_id`` is first asked for, so that whoever already knows the file by path, size
    and time need not read it.
    """

    path: Path
    kind: Kind
    size: int
    modified: int

    @cached_property
    def document_id(self) -> str:
        """The first 16 hex digits of the SHA-256 of the file's bytes. Raises UnreadableDocument if it can't be read."""
        return hash_file(self.path)


@dataclass(frozen=True)
class Failure:
    """A path that cannot be indexed, and why."""

    path: Path
    error: SourceError


@dataclass
class FoundDocuments:
    """What is at the paths: documents, what failed, and the files in folders that have the name of no document."""

    sources: list[Source] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    skipped: list[Path] = field(default_factory=list)


def find_documents(paths: Iterable[Path | str]) -> FoundDocuments:
    """The documents at the paths, in the paths' order, each file once.

    A folder is searched to any depth in the order of names; hidden files and folders in it are passed over, links to
    folders are not followed. Never raises for a path: a missing one (MissingPath), a folder without documents
    (NoDocuments) or a file that can't be read (UnreadableDocument) is a failure, and the others go on.
    """
    found = FoundDocuments()
    seen: set[Path] = set()
    for path in (Path(given).expanduser() for given in paths):
        try:
            candidates = _files_at(path, found)
        except SourceError as error:
            found.failures.append(Failure(path, error))
            continue
        for file in candidates:
            if (place := file.resolve()) not in seen:
                seen.add(place)
                _add(found, file)
    return found


def identify(path: Path | str) -> Kind:
    """What the file is by its first KiB. Raises MissingPath, or UnreadableDocument saying what it is instead."""
    path = Path(path)
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # opening a named pipe would wait for ever
            raise UnreadableDocument(f"{path} is not a file")
        with path.open("rb") as file:
            head = file.read(1024)
    except FileNotFoundError:
        raise MissingPath(
            f"there is nothing at {path}. Check the spelling; a relative path starts in {Path.cwd()}."
        ) from None
    except OSError as error:
        raise UnreadableDocument(f"{path} cannot be read: {error.strerror or error}") from None
    if head.startswith(_IMAGE_STARTS) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP"):
        return "image"
    if b"%PDF-" in head:
        return "pdf"
    raise UnreadableDocument(_not_a_document(path, head))


def hash_file(path: Path) -> str:
    """The first 16 hex digits of the SHA-256 of the file's bytes, read as a stream. Raises UnreadableDocument."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()[:16]
    except OSError as error:
        raise UnreadableDocument(f"{path} cannot be read: {error.strerror or error}") from None


def _add(found: FoundDocuments, file: Path) -> None:
    """Puts the file among the sources or the failures."""
    try:
        kind = identify(file)
        status = file.stat()
    except SourceError as error:
        found.failures.append(Failure(file, error))
    except OSError as error:  # removed in between
        found.failures.append(Failure(file, UnreadableDocument(f"{file} cannot be read: {error.strerror or error}")))
    else:
        found.sources.append(Source(file, kind, status.st_size, status.st_mtime_ns))


def _files_at(path: Path, found: FoundDocuments) -> list[Path]:
    """The path itself, or the files under it that have the name of a document; notes the others as skipped."""
    if not path.is_dir():
        return [path]
    files = list(_walk(path, found))
    candidates = [file for file in files if file.suffix.lower() in SUFFIXES]
    found.skipped += [file for file in files if file.suffix.lower() not in SUFFIXES]
    if not candidates:
        raise NoDocuments(_no_documents(path, files))
    return candidates


def _walk(folder: Path, found: FoundDocuments) -> Iterator[Path]:
    """The files under the folder that are not hidden, in the order of names; a closed folder is a failure."""

    def closed(error: OSError) -> None:
        place = Path(error.filename or folder)
        found.failures.append(
            Failure(place, UnreadableDocument(f"{place} cannot be searched: {error.strerror or error}"))
        )

    for place, folders, names in os.walk(folder, onerror=closed):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(place, name) for name in sorted(names) if not name.startswith("."))


def _no_documents(folder: Path, files: list[Path]) -> str:
    """Why the folder gives nothing, with the kinds of file that it holds."""
    kinds = sorted({file.suffix.lower() or "no suffix" for file in files})
    holds = f"it holds only files of other kinds ({', '.join(kinds[:6])})" if kinds else "it is empty"
    return f"{folder} has no PDF or image to index: {holds}. Hidden files and folders are passed over."


def _not_a_document(path: Path, head: bytes) -> str:
    """Says what the file is, and what would help."""
    suffix = path.suffix.lower()
    claim = (
        f"{path} is no {suffix[1:].upper()} in spite of its name"
        if suffix in SUFFIXES
        else f"{path} is no PDF or image"
    )
    if not head:
        return f"{path} is empty (0 bytes). Fetch or export it again."
    other = next((name for start, name in _OTHERS if head.startswith(start)), None) or _text_or_bytes(head)
    way_out = (
        "save it as PDF, for example with `soffice --headless --convert-to pdf`"
        if "office" in other
        else "give a PDF or an image"
    )
    return f"{claim}: it is {other}. Please {way_out}."


def _text_or_bytes(head: bytes) -> str:
    """What to call a file that no signature names."""
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if start[:14].lower().startswith((b"<!doctype html", b"<html")):
        return "a web page (HTML)"
    if b"\0" in head:
        return f"a file of unknown kind that starts with the bytes {head[:8].hex(' ')}"
    first = start.decode("utf-8", "replace").splitlines()[0][:40] if start else ""
    return f"a text that starts with {first!r}"
