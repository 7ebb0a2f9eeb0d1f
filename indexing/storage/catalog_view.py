"""What a reader has of a catalog: one immutable view of the documents that are complete at a moment."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from pagesight.indexing.lexical.bm25 import TermStatistics
from pagesight.indexing.lexical.document_prior import NameTerms
from pagesight.indexing.pages import DocumentRecord, PageRow, encoders_of_all
from pagesight.indexing.settings import Settings
from pagesight.indexing.storage.index_view import IndexView
from pagesight.indexing.storage.interfaces import CandidateSearch, PageRows
from pagesight.indexing.vectors.multivector import QueryVectors


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
    def encoders(self) -> frozenset[str]:
        """The ids of the further encoders that all its pages have vectors of."""
        return encoders_of_all(self.rows.values())

    @property
    def record(self) -> DocumentRecord:
        """The document as people see it."""
        row = self.first
        return DocumentRecord(row.document_id, row.document, row.path, row.page_count, row.added, row.metadata)


class UnreadEntry(Entry):
    """A whole document whose rows are read when somebody asks for more than what all of them share."""

    def __init__(self, first: PageRow, read: Callable[[], Iterable[PageRow]]) -> None:
        self._first = first
        self._read = read

    @cached_property
    def rows(self) -> dict[int, PageRow]:  # type: ignore[override]
        """See `Entry`."""
        return {row.page: row for row in self._read()}

    @property
    def first(self) -> PageRow:
        """See `Entry.first`."""
        return super().first if "rows" in self.__dict__ else self._first

    @property
    def complete(self) -> bool:
        """See `Entry.complete`."""
        return super().complete if "rows" in self.__dict__ else True


class TermCounts:
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
        self,
        entries: Iterable[Entry],
        terms: TermCounts,
        rows: PageRows,
        candidates: Mapping[str, CandidateSearch],
        encoders: frozenset[str],
    ) -> None:
        self._encoders = encoders
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
    def encoders(self) -> frozenset[str]:
        """See `IndexView.encoders`."""
        return self._encoders

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

    def near(
        self, encoder: str, query: QueryVectors, settings: Settings, document_ids: Sequence[str] | None
    ) -> list[PageRow]:
        """See `IndexView.near`."""
        chosen = None if document_ids is None else self._chosen(document_ids)
        wanted = None if chosen is None else {entry.first.ordinal: entry.first.document_id for entry in chosen}
        places = self._candidates[encoder].near(query, settings, wanted)
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
