"""What is in an index, in memory: documents, their pages and names. Read from Milvus at opening, kept up by the writer.

A reader takes one immutable view and sees whole documents only: a document counts from the moment that its last page is
written.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from pagesight.indexing.lexical.bm25 import TermStatistics
from pagesight.indexing.lexical.document_prior import NameTerms
from pagesight.indexing.lexical.tokens import TERM_RULES
from pagesight.indexing.pages import ORDINAL_END, DocumentRecord, PageRow
from pagesight.indexing.settings import Settings
from pagesight.indexing.storage.index_view import IndexView
from pagesight.indexing.storage.interfaces import CandidateSearch, CatalogListener, PageRows, Sharing
from pagesight.indexing.vectors.multivector import QueryVectors

_log = logging.getLogger(__name__)

# Of the time in which others change an index all the while, at most a tenth goes into reading its catalog anew: a
# guess, not measured.
_PAUSE = 10


@dataclass
class Entry:
    """A document's pages so far."""

    rows: dict[int, PageRow] = field(default_factory=dict)

    @property
    def first(self) -> PageRow:
        """Any row: what all pages of a document share stands in each."""
        return next(iter(self.rows.values()))

    @property
    def complete(self) -> bool:
        """Whether all its pages are written."""
        return len(self.rows) == self.first.page_count

    @property
    def record(self) -> DocumentRecord:
        """The document as people see it."""
        row = self.first
        return DocumentRecord(row.document_id, row.document, row.path, row.page_count, row.added, row.metadata)


class _TermCounts:
    """The terms of all documents, counted when a reader first asks, and kept up as documents come and go."""

    def __init__(self, rows: PageRows, rules: int) -> None:
        self.rules = rules
        self._rows = rows
        self._counted = TermStatistics()
        self._asked_for = False
        self._lock = threading.Lock()

    def of(self, entries: dict[str, Entry]) -> TermStatistics:
        """The statistics over these documents; terms are read only if some are not counted."""
        with self._lock:
            self._asked_for = True
            missing = {known for known in entries if not self._counted.pages_of(known)}
            wanted = {row.key: row for known in missing for row in entries[known].rows.values()}
            for key, page_terms in self._rows.terms() if missing else ():
                if row := wanted.get(key):
                    self._counted.add(page_terms, row.document_id, row.page)
            for known in missing:  # removed or written anew while it was read
                if self._counted.pages_of(known) != len(entries[known].rows):
                    self._counted.forget(known)
            return self._counted.only(entries)

    def add(self, document_id: str, rows: Iterable[PageRow]) -> None:
        """Count a document that was now written."""
        with self._lock:
            if self._asked_for:
                self._counted.forget(document_id)
                for row in rows:
                    self._counted.add(row.terms.split(), document_id, row.page)

    def forget(self, document_id: str) -> None:
        """Count a document no longer."""
        with self._lock:
            self._counted.forget(document_id)


class View(IndexView):
    """The complete documents of a catalog at one moment."""

    def __init__(
        self, entries: Iterable[Entry], terms: _TermCounts, rows: PageRows, candidates: CandidateSearch | None
    ) -> None:
        self.entries = {entry.first.document_id: entry for entry in shown(entries)}
        self._by_name = {entry.first.document: entry for entry in self.entries.values()}
        self._by_path = {entry.first.path: entry for entry in self.entries.values()}
        self._by_ordinal = {entry.first.ordinal: entry for entry in self.entries.values()}
        self._terms = terms
        self._rows = rows
        self._candidates = candidates
        self._statistics: TermStatistics | None = None
        self._names: NameTerms | None = None
        self._lock = threading.Lock()

    @property
    def records(self) -> list[DocumentRecord]:
        """See `IndexView.records`."""
        return [entry.record for entry in self.entries.values()]

    @property
    def statistics(self) -> TermStatistics:
        """The statistics over this view's pages, read and counted when first asked for."""
        with self._lock:
            if self._statistics is None:
                self._statistics = self._terms.of(self.entries)
            return self._statistics

    @property
    def names(self) -> NameTerms:
        """See `IndexView.names`."""
        places = self.statistics.documents.items()
        with self._lock:
            if self._names is None:
                self._names = NameTerms(
                    ((place, self.entries[known].first.document) for known, place in places), self._terms.rules
                )
            return self._names

    def page_count(self, document_ids: Sequence[str] | None = None) -> int:
        """See `IndexView.page_count`."""
        return sum(len(entry.rows) for entry in self._chosen(document_ids))

    def pages(self, document_ids: Sequence[str] | None = None) -> list[PageRow]:
        """See `IndexView.pages`."""
        ordered = sorted(self._chosen(document_ids), key=lambda entry: entry.first.ordinal)
        return [entry.rows[number] for entry in ordered for number in sorted(entry.rows)]

    def page_row(self, document_id: str, page: int) -> PageRow | None:
        """See `IndexView.page_row`."""
        entry = self.entries.get(document_id)
        return entry.rows.get(page) if entry else None

    def texts(self, keys: Sequence[str]) -> dict[str, str]:
        """See `IndexView.texts`."""
        return self._rows.texts(keys)

    def near(self, query: QueryVectors, settings: Settings, document_ids: Sequence[str] | None) -> list[PageRow]:
        """See `IndexView.near`."""
        places = self._candidates.near(query, settings, document_ids) if self._candidates else []
        return [row for row in (self._page_of_ordinal(*place) for place in places) if row]

    def named(self, name: str) -> DocumentRecord | None:
        """See `IndexView.named`."""
        entry = self._by_name.get(name) or self.entries.get(name)
        return entry.record if entry else None

    def at_path(self, path: str) -> DocumentRecord | None:
        """See `IndexView.at_path`."""
        entry = self._by_path.get(path)
        return entry.record if entry else None

    def _chosen(self, document_ids: Sequence[str] | None) -> Iterable[Entry]:
        return self.entries.values() if document_ids is None else [self.entries[known] for known in document_ids]

    def _page_of_ordinal(self, ordinal: int, page: int) -> PageRow | None:
        """The page that a candidate vector stands for, unless its document is not in the view."""
        entry = self._by_ordinal.get(ordinal)
        return entry.rows.get(page) if entry else None


def shown(entries: Iterable[Entry]) -> list[Entry]:
    """Those that are complete and no older version of another: the oldest first.

    A crash between writing a changed document and removing its old version leaves both: the newer one counts.
    """
    complete = sorted((entry for entry in entries if entry.complete), key=lambda entry: entry.first.added)
    return list({entry.first.path: entry for entry in complete}.values())


class Catalog:
    """All documents of an index, unfinished ones too, and the view that readers take.

    It reads them by itself: at opening, and again when another process has changed the index.
    """

    def __init__(
        self,
        rows: PageRows,
        candidates: CandidateSearch,
        sharing: Sharing,
        term_rules: int = TERM_RULES,
        listener: CatalogListener | None = None,
    ) -> None:
        self._rows = rows
        self._listener = listener
        self._term_rules = term_rules
        self._candidates = candidates
        self._sharing = sharing
        self._lock = threading.Lock()
        #: One writer at a time in this process; searching does not take it.
        self._writer = threading.RLock()
        self._not_before = 0.0
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
                self._view = View(self._entries.values(), self._terms, self._rows, self._candidates)
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
        rows = list(self._rows.pages())
        with self._lock:
            self._entries: dict[str, Entry] = {}
            self._paths: defaultdict[str, set[str]] = defaultdict(set)  # the ids of the documents found there
            self._names: defaultdict[str, set[str]] = defaultdict(set)  # of those of that name
            self._last_ordinal = 0
            self._terms = _TermCounts(self._rows, self._term_rules)
            for row in rows:
                self._take(row)
            self._view = None
        _log.debug("read %d pages of %d documents in %.0f ms", len(rows), len(self._entries), _ms(started))

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
            for row in rows:
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
                rows = {page: row for page, row in entry.rows.items() if page not in gone}
                self._drop(document_id)
                for row in rows.values():
                    self._take(row)
            self._terms.forget(document_id)
            self._view = None
        if self._listener:
            self._listener.removed(document_id)
        self._sharing.changed()

    def remove(self, document_id: str) -> None:
        """Forget a document."""
        with self._lock:
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
        entry = self._entries.setdefault(row.document_id, Entry())
        entry.rows[row.page] = row
        self._paths[row.path].add(row.document_id)
        self._names[row.document].add(row.document_id)
        self._last_ordinal = max(self._last_ordinal, row.ordinal)
        return entry


def _ms(started: float) -> float:
    return (time.monotonic() - started) * 1000
