"""Finds the documents to be indexed, says what each one is by looking into it, and names it by the hash of its bytes.

A file is what its first bytes say, whatever it is called: a PNG named ``scan.pdf`` is an image (kinds.py). What
pagesight wrote itself is passed over (own_files.py). Nothing here opens a document or counts its pages.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from pagesight.indexing.documents.kinds import SUFFIXES, Kind, kind_by_name, kind_of, not_a_document
from pagesight.indexing.documents.own_files import index_around, is_index, is_own_file, is_own_folder
from pagesight.indexing.errors import MissingPath, NoDocuments, SourceError, UnreadableDocument

_HEAD = 1024  # bytes that say what a file is


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


class PassedOver(NamedTuple):
    """A file or folder in a folder that was not taken, and its kind: a suffix, or what else it is."""

    path: Path
    kind: str


@dataclass
class FoundDocuments:
    """What is at the paths: documents, what failed, and what in folders was passed over."""

    sources: list[Source] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    skipped: list[PassedOver] = field(default_factory=list)

    def fail(self, path: Path, error: SourceError) -> None:
        """Note that a path cannot be indexed."""
        self.failures.append(Failure(path, error))


def find_documents(paths: Iterable[Path | str], *, largest: int | None = None) -> FoundDocuments:
    """The documents at the paths, in the paths' order, each file once.

    A folder is searched to any depth in the order of names; in it are passed over, and noted: what is hidden, links to
    folders, indexes and what else pagesight wrote, files whose name is no document's. Never raises for a path: a
    missing one (MissingPath), a folder without documents (NoDocuments), a file that can't be read or has more than
    ``largest`` bytes (UnreadableDocument) is a failure, and the others go on.
    """
    found = FoundDocuments()
    seen: set[str] = set()
    for given in paths:
        path = Path(given)
        try:
            path = path.expanduser()
            places = _by_place(_files_at(path, found))
        except SourceError as error:
            found.fail(path, error)
            continue
        except (OSError, ValueError, RuntimeError) as error:
            found.fail(path, _unreadable(path, error))
            continue
        for file in (file for place, file in places.items() if place not in seen):
            _add(found, file, largest, given=file == path)
        seen |= places.keys()
    return found


def _by_place(files: Iterable[Path]) -> dict[str, Path]:
    """Each file once, by where it really is; a link only where the file itself is not among them."""
    places: dict[str, Path] = {}
    for file in files:
        place = os.path.realpath(file)
        if place not in places or not file.is_symlink():
            places[place] = file
    return places


def identify(path: Path | str) -> Kind:
    """What the file is by its first KiB. Raises MissingPath, or UnreadableDocument saying what it is instead."""
    path = Path(path)
    head = _head(path)
    if kind := kind_of(path, head):
        return kind
    raise UnreadableDocument(not_a_document(path, head))


def hash_file(path: Path) -> str:
    """The first 16 hex digits of the SHA-256 of the file's bytes, read as a stream. Raises UnreadableDocument."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()[:16]
    except OSError as error:
        raise _unreadable(path, error) from None


def _head(path: Path) -> bytes:
    """The first KiB of a file. Raises MissingPath, UnreadableDocument."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # opening a named pipe would wait for ever
            raise UnreadableDocument(f"{path} is not a file")
        with path.open("rb") as file:
            return file.read(_HEAD)
    except FileNotFoundError:
        raise MissingPath(
            f"there is nothing at {path}. Check the spelling; a relative path starts in {Path.cwd()}."
        ) from None
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from None


def _add(found: FoundDocuments, file: Path, largest: int | None, *, given: bool) -> None:
    """Puts the file among the sources, the failures, or what is passed over."""
    try:
        head = _head(file)
        if is_own_file(head):
            if given:
                raise UnreadableDocument(f"{file} was written by pagesight itself, and is no document.")
            found.skipped.append(PassedOver(file, "written by pagesight"))
            return
        kind, status = identify(file), file.stat()
        _check(file, status.st_size, largest)
    except SourceError as error:
        found.fail(file, error)
    except OSError as error:  # removed in between
        found.fail(file, _unreadable(file, error))
    else:
        found.sources.append(Source(file, kind, status.st_size, status.st_mtime_ns))


def _check(file: Path, size: int, largest: int | None) -> None:
    """Raises UnreadableDocument for a file that is too large, or whose name nothing can keep."""
    if largest is not None and size > largest:
        raise UnreadableDocument(
            f"{file} has {size / 1e6:,.0f} MB, more than {largest / 1e6:,.0f}. Set PAGESIGHT_FILE_MEGABYTES to more."
        )
    try:
        os.path.abspath(file).encode()  # noqa: PTH100 (it must not follow links)
    except UnicodeEncodeError:
        raise UnreadableDocument(
            f"{readable(file)} cannot be indexed: its name, or that of a folder that it is in, is not UTF-8. Rename "
            "it, for example with `convmv -f latin1 -t utf8 --notest`."
        ) from None


def readable(path: Path) -> str:
    """The path as text that any encoding of Unicode holds: bytes that are no UTF-8 as their escapes."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _files_at(path: Path, found: FoundDocuments) -> list[Path]:
    """The path itself, or the files under it that have the name of a document; notes the others as passed over."""
    if index := index_around(Path(os.path.abspath(path))):  # noqa: PTH100 (as above)
        raise NoDocuments(f"{path} belongs to the index of pagesight in {index}, and is no document.")
    if not path.is_dir():
        return [path]
    files = list(_walk(path, found))
    candidates = [file for file in files if file.suffix.lower() in SUFFIXES]
    others = [file for file in files if file.suffix.lower() not in SUFFIXES]
    found.skipped += [PassedOver(file, kind_by_name(file)) for file in others if not _is_sidecar(file)]
    if not candidates:
        raise NoDocuments(_no_documents(path, files))
    return candidates


_HIDDEN = (".", "~$")  # the second are what office programs put beside a file that is open in one


def _walk(folder: Path, found: FoundDocuments) -> Iterator[Path]:
    """The files under the folder that are not hidden, in the order of names; a closed folder is a failure."""

    def closed(error: OSError) -> None:
        place = Path(error.filename or folder)
        found.fail(place, UnreadableDocument(f"{place} cannot be searched: {error.strerror or error}"))

    for place, folders, names in os.walk(folder, onerror=closed):
        within = [PassedOver(Path(place, name), _kind_of_folder(Path(place, name))) for name in sorted(folders)]
        folders[:] = [one.path.name for one in within if not one.kind]
        found.skipped += [one for one in within if one.kind]
        hidden = sorted(name for name in names if name.startswith(_HIDDEN))
        found.skipped += [PassedOver(Path(place, name), "hidden") for name in hidden]
        yield from (Path(place, name) for name in sorted(names) if not name.startswith(_HIDDEN))


def _kind_of_folder(folder: Path) -> str:
    """Why the folder is not searched; empty if it is."""
    if folder.name.startswith("."):
        return "hidden"
    if folder.is_symlink():
        return "a link to a folder"
    if is_own_folder(folder):
        return "written by pagesight"
    return "an index of pagesight" if is_index(folder) else ""


def _is_sidecar(file: Path) -> bool:
    return file.name.endswith(".meta.json") and file.with_name(file.name.removesuffix(".meta.json")).exists()


def _no_documents(folder: Path, files: list[Path]) -> str:
    """Why the folder gives nothing, with the kinds of file that it holds."""
    kinds = sorted({kind_by_name(file) for file in files})
    holds = f"it holds only files of other kinds ({', '.join(kinds[:6])})" if kinds else "it is empty"
    return f"{folder} has no document to index: {holds}. Hidden files and folders are passed over."


def _unreadable(path: Path, error: Exception) -> UnreadableDocument:
    return UnreadableDocument(f"{readable(path)} cannot be read: {getattr(error, 'strerror', None) or error}")
