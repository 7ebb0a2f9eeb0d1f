"""Documents that a program has in memory, or open as files: read from copies that last as long as the call."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO

from pagesight.indexing.configuration.setting_groups import DocumentSettings
from pagesight.indexing.documents.kinds import SUFFIXES, kind_by_name
from pagesight.indexing.documents.sources import Failure, PassedOver
from pagesight.indexing.errors import SettingsError, UnreadableDocument
from pagesight.indexing.preparing.add_report import AddReport

if TYPE_CHECKING:
    from pagesight.indexing.calls.object_store import StoredFile

#: What can be added: a path or an ``https://``, ``s3://`` or ``gs://`` address; a name with bytes or an open file; an
#: open file with a name.
Given = Path | str | BinaryIO | tuple[str, bytes | bytearray | memoryview | BinaryIO]

_BLOCK = 1 << 20


def several(given: Iterable[Given] | Given) -> list[Given]:
    """The documents, one or several, as a list."""
    if isinstance(given, str | os.PathLike) or hasattr(given, "read"):
        return [given]  # type: ignore[list-item]
    if isinstance(given, tuple) and len(given) == 2 and _is_content(given[1]):
        return [given]  # type: ignore[list-item]
    return list(given)  # type: ignore[arg-type]


class GivenFiles:
    """Paths of documents, those without a file of their own copied into a folder until the ``with`` statement ends.

    ``stands_for`` says for each copy which name it goes by, ``paths`` are all. Raises SettingsError for bytes or an
    open file without a name.
    """

    def __init__(
        self, given: Iterable[Given], settings: DocumentSettings, wanted: Callable[[str], bool] | None = None
    ) -> None:
        """Of what lies under an address, ``wanted`` says which addresses are fetched; None is all."""
        self._wanted = wanted
        self.paths: list[Path | str] = []
        self.stands_for: dict[Path, str] = {}
        self._settings = settings
        self._failures: list[Failure] = []
        self._passed_over: list[PassedOver] = []
        self._folder = tempfile.TemporaryDirectory(prefix="pagesight-")
        try:
            for one in given:
                self._take(one)
        except BaseException:
            self._folder.cleanup()
            raise

    def __enter__(self) -> GivenFiles:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._folder.cleanup()

    def as_named(self, report: AddReport) -> AddReport:
        """The report with the names of the documents instead of their copies' paths."""
        report.failed = [*self._failures, *(self._failure(failure) for failure in report.failed)]
        report.passed_over += self._passed_over
        report.warnings = [replace(one, path=Path(self.stands_for.get(one.path, one.path))) for one in report.warnings]
        return report

    def _failure(self, failure: Failure) -> Failure:
        name = self.stands_for.get(failure.path)
        if name is None:
            return failure
        return Failure(Path(name), type(failure.error)(str(failure.error).replace(str(failure.path), name)))

    def _take(self, given: Given) -> None:
        if isinstance(given, str) and _ADDRESS.match(given):
            try:
                self._take_from(given.strip())
            except UnreadableDocument as error:
                self._failures.append(Failure(Path(given), error))
        else:
            self.paths.append(given if isinstance(given, str | Path) else self._copied(*_named(given)))

    def _take_from(self, address: str) -> None:
        """Copies of what is at an address. Raises UnreadableDocument."""
        from pagesight.indexing.calls.download import download
        from pagesight.indexing.calls.object_store import is_stored

        if is_stored(address):
            self._take_stored(address)
        else:
            self.paths.append(self._fetched(_plain_address(address), partial(download, address)))

    def _take_stored(self, address: str) -> None:
        """Copies of what an object store has at an address; of several files those with a document's name."""
        from pagesight.indexing.calls.object_store import fetch

        files, passed_over = stored_documents(address)
        self._passed_over += passed_over
        for file in files:
            if self._wanted and not self._wanted(file.address):
                continue
            try:
                self.paths.append(self._fetched(file.address, partial(fetch, file)))
            except UnreadableDocument as error:
                self._failures.append(Failure(Path(file.address), error))

    def _fetched(self, address: str, fetch: Callable[..., None]) -> Path:
        """Where the copy lies that is fetched from an address. Raises UnreadableDocument."""
        with tempfile.TemporaryFile(dir=self._folder.name) as held:
            largest, seconds = self._settings.file_megabytes * 1_000_000, self._settings.download_seconds
            fetch(held, largest=largest, seconds=seconds)
            held.seek(0)
            return self._copied(address, held)

    def _copied(self, name: str, content: bytes | BinaryIO) -> Path:
        """Where a copy of the content lies, under the last part of its name."""
        last = re.split(r"[/\\\\]", name)[-1][-_LONGEST:].lstrip(". ")
        path = Path(tempfile.mkdtemp(dir=self._folder.name), last or "document")
        with path.open("wb") as file:
            if isinstance(content, bytes):
                file.write(content)
            else:
                while block := content.read(_BLOCK):
                    if not isinstance(block, bytes):
                        raise UnreadableDocument(f'{name} is open as a text. Open it with mode "rb".')
                    file.write(block)
        self.stands_for[path] = name
        return path


def stored_documents(address: str) -> tuple[list[StoredFile], list[PassedOver]]:
    """What an object store has at an address: of several files those with a document's name, and the others.

    Raises UnreadableDocument.
    """
    from pagesight.indexing.calls.object_store import stored_files

    files = stored_files(address)
    if len(files) == 1:
        return files, []
    others = [Path(file.address) for file in files if Path(file.address).suffix.lower() not in SUFFIXES]
    taken = [file for file in files if Path(file.address).suffix.lower() in SUFFIXES]
    return taken, [PassedOver(path, kind_by_name(path)) for path in others]


_LONGEST = 120  # characters of the copy's name: with its end, which says what it is


# Any scheme: what is none of ours is refused by name, instead of being looked for as a file.
_ADDRESS = re.compile(r"\s*[A-Za-z][A-Za-z0-9+.-]+://")


def _plain_address(url: str) -> str:
    """The address by which a document is known: without a query where it names a file of a known kind before that."""
    plain = url.partition("#")[0]
    before, _, _ = plain.partition("?")
    return before if Path(before).suffix.lower() in SUFFIXES else plain


def _is_content(content: object) -> bool:
    return isinstance(content, bytes | bytearray | memoryview) or hasattr(content, "read")


def _named(given: object) -> tuple[str, bytes | BinaryIO]:
    """A document's name and its content. Raises SettingsError for one without."""
    name, content = given if isinstance(given, tuple) else (getattr(given, "name", None), given)
    if not isinstance(name, str) or not name.strip() or not _is_content(content):
        raise SettingsError(
            f'{type(given).__name__} is no document: give a path, an open file with a name, or ("report.pdf", content).'
        )
    return name, bytes(content) if isinstance(content, bytearray | memoryview) else content
