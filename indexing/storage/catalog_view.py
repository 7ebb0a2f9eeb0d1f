"""What a catalog holds: documents with their pages so far, and the view of those that are complete at a moment."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property

from pagesight.indexing.pages import DocumentRecord, PageRow, encoders_of_all
from pagesight.indexing.storage.named_documents import NamedDocuments


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


class View(NamedDocuments):
    """The complete documents of a catalog at one moment, by their ids in ``entries``."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries = {entry.first.document_id: entry for entry in shown(entries)}
        self._by_name = {entry.first.document: entry for entry in self.entries.values()}
        self._by_path = {entry.first.path: entry for entry in self.entries.values()}

    @property
    def records(self) -> list[DocumentRecord]:
        """See `NamedDocuments.records`."""
        return [entry.record for entry in self.entries.values()]

    def named(self, name: str) -> DocumentRecord | None:
        """See `NamedDocuments.named`."""
        entry = self._by_name.get(name) or self.entries.get(name)
        return entry.record if entry else None

    def at_path(self, path: str) -> DocumentRecord | None:
        """See `NamedDocuments.at_path`."""
        entry = self._by_path.get(path)
        return entry.record if entry else None


def shown(entries: Iterable[Entry]) -> list[Entry]:
    """Those that are complete and no older version of another: the oldest first.

    A crash between writing a changed document and removing its old version leaves both: the newer one counts.
    """
    complete = sorted((entry for entry in entries if entry.complete), key=lambda entry: entry.first.added)
    return list({entry.first.path: entry for entry in complete}.values())
