"""What the words of a question say of pages: scores, documents that it is about, pages and kinds that it names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pagesight.indexing.pages import PageRow


@dataclass(frozen=True)
class LexicalScores:
    """What words say of the pages, where it counts.

    ``bm25`` are scores by page key, ``documents`` how much each document, by id, is what the question is about,
    ``named_pages`` the numbers of pages that it names.
    """

    bm25: Mapping[str, float]
    documents: Mapping[str, float]
    named_pages: frozenset[int]
    named_labels: frozenset[str]
    named_kinds: frozenset[str] = frozenset()

    def names(self, page: PageRow) -> bool:
        """Whether the question names the page, by its number or by what is printed on it."""
        from_end = page.page - page.page_count - 1
        return not self.named_pages.isdisjoint((page.page, from_end)) or (
            bool(page.printed_label) and page.printed_label.lower() in self.named_labels
        )

    def is_of_named_kind(self, page: PageRow) -> bool:
        """Whether the question names a kind of page that it is of."""
        return not self.named_kinds.isdisjoint(page.named_kinds)
