"""What is in an index, in memory: documents, their pages and names. Read from Milvus at opening, kept up by the writer.

A reader takes one immutable view and sees whole documents only: a document counts from the moment that its last page is
written.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from pagesight.indexing.lexical.tokens import TERM_RULES
from pagesight.indexing.pages import ORDINAL_END, Correction, PageRow
from pagesight.indexing.storage.catalog_view import Entry, TermCounts, View
from pagesight.indexing.storage.interfaces import CandidateSearch, CatalogListener, PageRows, Sharing

_log = logging.getLogger(__name__)

# Of the time in which others change an index all the while, at most a tenth goes into reading its catalog anew: a
# guess, not measured.
_PAUSE = 10


class Catalog:
    """All documents of an index, unfinished ones too, and the view that readers take.

    It reads them by itself: at opening, and again when another process has changed the index.
    """

    def __init__(
        self,
        rows: PageRows,
        candidates: Mapping[str, CandidateSearch],
        sharing: Sharing,
        term_rules: int = TERM_RULES,
        *,
        encoders: Callable[[], Iterable[str]],
        listener: CatalogListener | None = None,
        known: Callable[[], Iterable[Entry]] | None = None,
    ) -> None:
        """``encoders`` gives the ids of those that searches use; it is asked after each change of the index.

        ``known`` gives all documents, where that is known without reading every row.
        """
        self._known = known
        self._encoders = encoders
        self._rows = rows
        self._listener = listener
        self._term_rules = term_rules
        self._candidates = candidates
        self._sharing = sharing
        self._lock = threading.Lock()
        #: One writer at a time in this process; searching does not take it.
        self._writer = threading.RLock()
        self._not_before = 0.0
        self._corrections: dict[str, dict[int, tuple[Correction, ...]]] = {}  # of pages that were forgotten
        self._view: View | None = None
        self._revision = sharing.revision()  # before the rows are read: what comes in between is read again
        self._reload()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """The right to add and remove, with all that others did taken in. Raises IndexInUse."""
        with self._writer, self._sharing.lease():
            self._take_in(self._sharing.revision())
            yield
            self._revision = self._sharing.revision()

    def view(self, *, at_once: bool = False) -> View:
        """The documents that are in the index now; what others changed a moment ago may be missing but ``at_once``.

        Made when one asks, so that writing many documents costs the same for each.
        """
        # Who writes in this process has the newest catalog.
        if self._writer.acquire(blocking=False):
            try:
                if at_once or time.monotonic() >= self._not_before:
                    self._look_for_changes()
            finally:
                self._writer.release()
        with self._lock:
            if self._view is None:
                self._view = View(self._entries.values(), self._terms, self._rows, self._candidates, self._searching)
            return self._view

    def _look_for_changes(self) -> None:
        revision = self._sharing.revision()
        if revision != self._revision:
            self._take_in(revision)

    def _take_in(self, revision: str) -> None:
        started = time.monotonic()
        if revision or self._revision:
            self._reload()
        self._revision = revision
        ended = time.monotonic()
        self._not_before = ended + _PAUSE * (ended - started)

    def _reload(self) -> None:
        """Forget all and take in what the index holds now."""
        started = time.monotonic()
        entries = self._known() if self._known else _entries(self._rows.pages())
        with self._lock:
            self._entries: dict[str, Entry] = {}
            self._paths: defaultdict[str, set[str]] = defaultdict(set)  # the ids of the documents found there
            self._names: defaultdict[str, set[str]] = defaultdict(set)  # of those of that name
            self._last_ordinal = 0
            self._terms = TermCounts(self._rows, self._term_rules)
            for entry in entries:
                self._note(entry)
            self._view = None
            self._searching = frozenset(self._encoders())
        _log.debug("read %d documents in %.0f ms", len(self._entries), _ms(started))

    def took_encoders(self) -> None:
        """Look anew for the encoders that searches use, and tell the other processes."""
        with self._lock:
            self._searching = frozenset(self._encoders())
            self._view = None
        self._sharing.changed()

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
            known = self._entries.get(rows[0].document_id)
            if known and any(row.page in known.rows and row.terms for row in rows):
                self._terms.forget(rows[0].document_id)  # they may be others now
            forgotten = self._corrections.get(rows[0].document_id, {})
            for row in rows:
                forgotten.pop(row.page, None)
                entry = self._take(replace(row, text=""))  # what only searching needs stays in Milvus
            complete = entry.complete
            if complete:
                self._completed(entry)
        if self._listener:
            self._listener.wrote(rows, complete=complete)
        if complete:
            self._sharing.changed()

    def _completed(self, entry: Entry) -> None:
        if all(row.terms for row in entry.rows.values()):  # or some were written earlier, or have no words
            self._terms.add(entry.first.document_id, entry.rows.values())
        entry.rows = {page: replace(row, terms="") for page, row in entry.rows.items()}
        self._view = None

    def forget_pages(self, document_id: str, pages: Iterable[int]) -> None:
        """Forget pages of a document, whose rows are gone: until they are written anew readers do not see it."""
        with self._lock:
            if entry := self._entries.get(document_id):
                gone = set(pages)
                self._corrections[document_id] = _corrections(entry)
                rows = {page: row for page, row in entry.rows.items() if page not in gone}
                self._drop(document_id)
                for row in rows.values():
                    self._take(row)
            self._terms.forget(document_id)
            self._view = None
        if self._listener:
            self._listener.removed(document_id)
        self._sharing.changed()

    def corrections(self, document_id: str) -> dict[int, tuple[Correction, ...]]:
        """The corrections of a document by page, also of pages that were forgotten to be made anew."""
        entry = self._entries.get(document_id)
        return self._corrections.get(document_id, {}) | (_corrections(entry) if entry else {})

    def remove(self, document_id: str) -> None:
        """Forget a document."""
        with self._lock:
            self._corrections.pop(document_id, None)
            self._drop(document_id)
            self._terms.forget(document_id)
            self._view = None
        if self._listener:
            self._listener.removed(document_id)
        self._sharing.changed()

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


def _corrections(entry: Entry) -> dict[int, tuple[Correction, ...]]:
    return {page: row.corrections for page, row in entry.rows.items() if row.corrections}


def _entries(rows: Iterable[PageRow]) -> Iterable[Entry]:
    found: defaultdict[str, Entry] = defaultdict(Entry)
    for row in rows:
        found[row.document_id].rows[row.page] = row
    return found.values()


def _ms(started: float) -> float:
    return (time.monotonic() - started) * 1000
