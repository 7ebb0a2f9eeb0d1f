"""Documents by their names: as people call them, with what is nearest where there is none of that name."""

from __future__ import annotations

import difflib
import itertools
import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from pagesight.indexing.errors import UnknownDocument
from pagesight.indexing.pages import DocumentRecord

_LONGEST_LABEL = 300  # characters that a message repeats
_MOST_NAMES = 8  # that a message lists


class NamedDocuments(ABC):
    """The documents of an index at one moment. Never changes."""

    @property
    @abstractmethod
    def records(self) -> Iterable[DocumentRecord]:
        """The documents in any order."""

    @abstractmethod
    def named(self, name: str) -> DocumentRecord | None:
        """The document of that very name or id."""

    @abstractmethod
    def at_path(self, path: str) -> DocumentRecord | None:
        """The document that was found at that very path."""

    @property
    def documents(self) -> list[DocumentRecord]:
        """The documents in the order of their names."""
        return sorted(self.records, key=lambda record: record.document)

    def find(self, name: str) -> DocumentRecord:
        """The document of that name, path or id. Raises UnknownDocument, with the names that come nearest."""
        found = self.named(name) or self._found_at(name) or self._by_file_name(name)
        if found is None:
            shown = name[:_LONGEST_LABEL]
            raise UnknownDocument(f"there is no document {shown!r} in the index. {self._instead_of(name)}")
        return found

    def matching(self, names: Sequence[str]) -> dict[str, DocumentRecord]:
        """The documents of these names, paths, ids or patterns, by their ids. Raises UnknownDocument."""
        return {one.document_id: one for name in names for one in self._matching(name)}

    def _matching(self, name: str) -> list[DocumentRecord]:
        """The document of that name, path or id, or those whose names a pattern such as ``reports/*`` fits."""
        try:
            return [self.find(name)]
        except UnknownDocument:
            path = os.path.abspath(name)  # noqa: PTH100 - a pattern is no path that could be resolved
            fitting = [one for one in self.records if fnmatchcase(one.document, name) or fnmatchcase(one.path, path)]
            if not fitting:
                raise
            return fitting

    def _found_at(self, name: str) -> DocumentRecord | None:
        """The document that was found at a path, as it is given or where a link leads."""
        try:
            given = Path(name).expanduser()
            paths = dict.fromkeys((os.path.abspath(given), str(given.resolve())))  # noqa: PTH100
        except (OSError, RuntimeError, ValueError):  # no home of that name, or no path at all
            return None
        return next(filter(None, map(self.at_path, paths)), None)

    def _by_file_name(self, name: str) -> DocumentRecord | None:
        """A document whose name was made unique, by its plain file name where only one has it."""
        named = list(itertools.islice((one for one in self.records if Path(one.path).name == name), 2))
        return named[0] if len(named) == 1 else None

    def _instead_of(self, name: str) -> str:
        names = [record.document for record in self.records]
        if not names:
            return "The index is empty."
        near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
        return f"Nearest: {', '.join(near)}." if near else f"It holds: {_shortened(sorted(names))}."


def _shortened(names: list[str]) -> str:
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(names[:_MOST_NAMES]) + more
