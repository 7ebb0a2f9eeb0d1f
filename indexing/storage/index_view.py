"""What readers of an index see: its complete documents at one moment. The same for a server and for a folder."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from pagesight.indexing.documents.conditions import Condition
from pagesight.indexing.errors import UnknownPage
from pagesight.indexing.labels.page_labels import page_mention
from pagesight.indexing.labels.printed_labels import DocumentLabels
from pagesight.indexing.lexical.bm25 import Statistics
from pagesight.indexing.lexical.document_prior import Names
from pagesight.indexing.pages import DocumentRecord, PageRef, PageRow
from pagesight.indexing.settings import Settings
from pagesight.indexing.storage.named_documents import NamedDocuments
from pagesight.indexing.vectors.multivector import QueryVectors

_LONGEST_LABEL = 300  # characters that a message repeats


class IndexView(NamedDocuments):
    """Never changes; a document that has been removed since may be in it still."""

    @property
    @abstractmethod
    def encoders(self) -> frozenset[str]:
        """The ids of the encoders that searches use: all pages have vectors of them."""

    @property
    @abstractmethod
    def statistics(self) -> Statistics:
        """What BM25 counts, over all pages."""

    @property
    @abstractmethod
    def names(self) -> Names:
        """The words in the documents' names, by the documents' places in `statistics`."""

    @abstractmethod
    def page_count(self, document_ids: Sequence[str] | None = None) -> int:
        """How many pages these documents have, or all."""

    @abstractmethod
    def pages(self, document_ids: Sequence[str] | None = None) -> list[PageRow]:
        """The pages of these documents, or of all, in the order of documents and numbers; without terms and text."""

    @abstractmethod
    def page_row(self, document_id: str, page: int) -> PageRow | None:
        """The page's row, without terms and text, if it is here."""

    @abstractmethod
    def page_rows(self, keys: Sequence[str]) -> list[PageRow]:
        """The rows of the pages with these keys that are here, without terms and text."""

    @abstractmethod
    def texts(self, keys: Sequence[str]) -> dict[str, str]:
        """The pages' texts, in lines, by key."""

    @abstractmethod
    def near(
        self, encoder: str, query: QueryVectors, settings: Settings, document_ids: Sequence[str] | None
    ) -> list[PageRow]:
        """The pages nearest to the query by the candidate vectors of the encoder with this id, nearest first.

        At most `most_candidates`.
        """

    def narrowed(self, documents: Sequence[str] | None, where: Condition | None) -> list[str] | None:
        """The ids of the documents, of the named ones or all, whose metadata meets the condition; None is all.

        Of a condition that speaks of pages, those that have such a page.

        Raises UnknownDocument.
        """
        if documents is None and where is None:
            return None
        records = self.records if documents is None else self.matching(documents).values()
        return [record.document_id for record in records if where is None or self._meets(record, where)]

    def pages_meeting(self, where: Condition, document_ids: Sequence[str] | None) -> list[PageRow]:
        """The pages of these documents, or of all, that meet a condition, by kinds and their document's metadata."""
        return [row for row in self.pages(document_ids) if where.on_page(row.metadata, row.kinds)]

    def _meets(self, record: DocumentRecord, where: Condition) -> bool:
        """Whether the document, or, where the condition speaks of pages, one of its pages meets it."""
        if not where.of_pages:
            return where(record.metadata)
        return bool(self.pages_meeting(where, [record.document_id]))

    def row(self, ref: PageRef) -> PageRow:
        """The page's row. Raises UnknownPage."""
        row = self.page_row(ref.document_id, ref.page)
        if row is None:
            raise UnknownPage(f"there is no page {ref.label!r} in the index; it may have been removed or replaced.")
        return row

    def page(self, label: str) -> PageRef:
        """The page with that label, such as ``report.pdf p. 3``. Raises UnknownPage or UnknownDocument."""
        named = page_mention(label, self.printed_labels())
        if named is None:
            raise UnknownPage(
                f"{label[:_LONGEST_LABEL]!r} is no page label. A label is a document's name and a page number, such as "
                f"{self._example()!r}. {self._instead_of(label[:_LONGEST_LABEL])}"
            )
        record = self.find(named.document)
        if not 1 <= named.page <= record.pages:
            asked = named.printed or named.page
            raise UnknownPage(f"{record.document} has the pages 1 to {record.pages}; there is no page {asked}.")
        return PageRef(record.document_id, record.document, named.page)

    def printed_labels(self) -> DocumentLabels:
        """The names of all documents, each with the numbers of its pages by their printed labels, such as "iv"."""
        ids = {record.document: record.document_id for record in self.records}
        return DocumentLabels(ids, lambda name: ((row.page, row.printed_label) for row in self.pages([ids[name]])))

    def _example(self) -> str:
        first = next(iter(self.records), None)
        return f"{first.document if first else 'report.pdf'} p. 1"
