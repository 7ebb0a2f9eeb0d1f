"""What is in an index, in memory, for the one process that writes to it: documents, their pages and names.

A view is immutable and has whole documents only: a document counts from the moment that its last page is written.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from pagesight.indexing.pages import ORDINAL_END, Correction, PageRow
from pagesight.indexing.storage.catalog_view import Entry, View
from pagesight.indexing.storage.interfaces import CatalogListener

_log = logging.getLogger(__name__)


class Catalog:
    """All documents of an index, unfinished ones too, and views of those that are whole."""

    def __init__(self, entries: Iterable[Entry], listener: CatalogListener) -> None:
        """``entries`` are all documents; the ``listener`` is told of what comes and goes."""
        started = time.monotonic()
        self._listener = listener
        self._lock = threading.Lock()
        self._forgotten: dict[str, dict[int, PageRow]] = {}
        self._view: View | None = None
        self._entries: dict[str, Entry] = {}
        self._paths: defaultdict[str, set[str]] = defaultdict(set)  # the ids of the documents found there
        self._names: defaultdict[str, set[str]] = defaultdict(set)  # of those of that name
        self._last_ordinal = 0
        for entry in entries:
            self._note(entry)
        _log.debug("read %d documents in %.0f ms", len(self._entries), (time.monotonic() - started) * 1000)

    def view(self) -> View:
        """The documents that are in the index now.

        Made when one asks, so that writing many documents costs the same for each.
        """
        with self._lock:
            if self._view is None:
                self._view = View(self._entries.values())
            return self._view

    def entries(self) -> list[Entry]:
        """All documents, finished or not."""
        return list(self._entries.values())

    def get(self, document_id: str) -> Entry | None:
        """The document of that id, finished or not."""
        return self._entries.get(document_id)

    def at_path(self, path: str) -> list[Entry]:
        """The documents, finished or not, that were found at a path."""
        return [self._entries[known] for known in sorted(self._paths.get(path, ()))]

    def next_ordinal(self) -> int:
        """A number that no document has."""
        return self.free_ordinal(self._last_ordinal + 1)

    def free_ordinal(self, wanted: object) -> int:
        """The wanted number, or the lowest one above all others that can be had; others may have written any."""
        taken = {entry.first.ordinal for entry in self._entries.values()}
        if isinstance(wanted, int) and 0 < wanted < ORDINAL_END and wanted not in taken:
            return wanted
        if self._last_ordinal + 1 < ORDINAL_END:
            return self._last_ordinal + 1
        return next(number for number in range(1, ORDINAL_END) if number not in taken)

    def free_name(self, wanted: str, path: Path) -> str:
        """The wanted name, unless a document at another path has it."""
        taken = any(self._entries[known].first.path != str(path) for known in self._names.get(wanted, ()))
        return self.unique_name(path) if taken else wanted

    def unique_name(self, path: Path) -> str:
        """The file's name, with as many of its folders as make it unlike those of documents at other paths."""
        parts = path.parts[1:] if path.anchor else path.parts
        for length in range(1, len(parts) + 1):
            name = "/".join(parts[-length:])
            if all(self._entries[known].first.path == str(path) for known in self._names.get(name, ())):
                return name
        return str(path)

    def add(self, rows: Sequence[PageRow]) -> None:
        """Take in pages of a document that are now written; readers see it with its last page."""
        with self._lock:
            forgotten = self._forgotten.get(rows[0].document_id, {})
            for row in rows:
                forgotten.pop(row.page, None)
                entry = self._take(replace(row, terms="", text=""))  # what only searching needs stays in Milvus
            complete = entry.complete
            self._view = None
        self._listener.wrote(rows, complete=complete)

    def forget_pages(self, document_id: str, whole: Iterable[PageRow]) -> None:
        """Forget pages of a document: until they are written anew readers do not see it.

        Their ``whole`` rows, with terms and texts, are set aside until then.
        """
        with self._lock:
            if entry := self._entries.get(document_id):
                gone = {row.page: row for row in whole}
                self._forgotten[document_id] = self._forgotten.get(document_id, {}) | gone
                rows = {page: row for page, row in entry.rows.items() if page not in gone}
                self._drop(document_id)
                for row in rows.values():
                    self._take(row)
            self._view = None
        self._listener.removed(document_id)

    def forgotten(self) -> dict[str, dict[int, PageRow]]:
        """The rows that are set aside, of each document by page."""
        return {known: dict(rows) for known, rows in self._forgotten.items() if rows}

    def corrections(self, document_id: str) -> dict[int, tuple[Correction, ...]]:
        """The corrections of a document by page, also of pages that were forgotten to be made anew."""
        entry = self._entries.get(document_id)
        rows = self._forgotten.get(document_id, {}) | (entry.rows if entry else {})
        return {page: row.corrections for page, row in rows.items() if row.corrections}

    def remove(self, document_id: str) -> None:
        """Forget a document."""
        with self._lock:
            self._forgotten.pop(document_id, None)
            self._drop(document_id)
            self._view = None
        self._listener.removed(document_id)

    def _drop(self, document_id: str) -> None:
        if entry := self._entries.pop(document_id, None):
            self._paths[entry.first.path].discard(document_id)
            self._names[entry.first.document].discard(document_id)

    def _take(self, row: PageRow) -> Entry:
        entry = self._entries.get(row.document_id) or Entry()
        entry.rows[row.page] = row
        return self._note(entry)

    def _note(self, entry: Entry) -> Entry:
        row = entry.first
        self._entries[row.document_id] = entry
        self._paths[row.path].add(row.document_id)
        self._names[row.document].add(row.document_id)
        self._last_ordinal = max(self._last_ordinal, row.ordinal)
        return entry


def entries_of(rows: Iterable[PageRow]) -> Iterable[Entry]:
    """The documents whose rows these are."""
    found: defaultdict[str, Entry] = defaultdict(Entry)
    for row in rows:
        found[row.document_id].rows[row.page] = row
    return found.values()
