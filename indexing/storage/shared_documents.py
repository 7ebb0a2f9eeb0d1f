"""Documents' bytes where every machine finds them, beside an index on a server: in a folder, at ``s3://`` or ``gs://``.

They are called there as each machine calls its own copies (kept_documents.py): by the document's id and its suffix.
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import BinaryIO, Protocol

from pagesight.indexing.calls.object_store import StoredFolder, is_stored
from pagesight.indexing.configuration.setting_groups import DocumentSettings
from pagesight.indexing.documents.sources import readable
from pagesight.indexing.errors import UnreadableDocument
from pagesight.indexing.storage.atomic_files import replacing

_LISTED_SECONDS = 60.0  # after which who misses a document there looks again. A guess, not measured


class _Place(Protocol):
    def names(self) -> set[str]: ...

    def put(self, name: str, file: Path) -> None: ...

    def fetch(self, name: str, target: BinaryIO, *, largest: int, seconds: float) -> None: ...

    def remove(self, name: str) -> None: ...


class SharedDocuments:
    """The documents of one index, all by their files' names. Methods raise UnreadableDocument, which names the place.

    ``place`` is a folder, or an address of an object store; below it each index has a folder by its ``index`` name.
    """

    def __init__(self, place: str, index: str, settings: DocumentSettings) -> None:
        self.place = f"{place.rstrip('/')}/{index}/"
        self._there: _Place = StoredFolder(self.place) if is_stored(place) else _Folder(Path(self.place).expanduser())
        self._settings = settings
        self._names: set[str] = set()
        self._listed = -_LISTED_SECONDS

    def holds(self, name: str) -> bool:
        """Whether there is a file of this name; one that another machine put there just now may be missed."""
        if name not in self._names and time.monotonic() - self._listed > _LISTED_SECONDS:
            self._names, self._listed = self._there.names(), time.monotonic()
        return name in self._names

    def put(self, file: Path) -> None:
        """Keep a file under its own name, unless one of that name is there."""
        if not self.holds(file.name):
            self._there.put(file.name, file)
            self._names.add(file.name)

    def fetch(self, name: str, target: Path) -> None:
        """Write the file of that name to ``target``."""
        with target.open("wb") as written:
            largest = self._settings.file_megabytes * 1_000_000
            self._there.fetch(name, written, largest=largest, seconds=self._settings.download_seconds)

    def remove(self, document_id: str) -> None:
        """Remove what is there of a document."""
        self.holds(document_id)  # which lists them, if that was not done a moment ago
        for name in [name for name in self._names if name.partition(".")[0] == document_id]:
            self._there.remove(name)
            self._names.discard(name)


class _Folder:
    """A folder that all machines see, such as one of a network's file system."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def names(self) -> set[str]:
        return {path.name for path in self._folder.iterdir()} if self._folder.is_dir() else set()

    def put(self, name: str, file: Path) -> None:
        try:
            with replacing(self._folder / name, durable=True) as unfinished:
                shutil.copyfile(file, unfinished)
        except OSError as error:
            raise self._fault("written", name, error) from error

    def fetch(self, name: str, target: BinaryIO, *, largest: int, seconds: float) -> None:
        try:
            with (self._folder / name).open("rb") as source:
                shutil.copyfileobj(source, target)
        except OSError as error:
            raise self._fault("read", name, error) from error

    def remove(self, name: str) -> None:
        try:
            (self._folder / name).unlink(missing_ok=True)
        except OSError as error:
            raise self._fault("removed", name, error) from error

    def _fault(self, done: str, name: str, error: OSError) -> UnreadableDocument:
        return UnreadableDocument(
            f"{readable(self._folder / name)} cannot be {done}: {error.strerror}. It is where PAGESIGHT_DOCUMENTS_AT "
            "keeps documents for all machines."
        )
