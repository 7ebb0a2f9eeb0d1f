"""An outline from a document's pages: as they are indexed, or from the kept document where the index keeps none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from pagesight.indexing.labels.printed_labels import by_label
from pagesight.indexing.outlines.make_outline import Bookmark, make_outline
from pagesight.indexing.outlines.outline import Outline
from pagesight.indexing.outlines.page_parts import PageParts, page_parts, parts_of_lines
from pagesight.indexing.pages import PageText


class ReadDocument(Protocol):
    """What an outline takes from a document that is read anew: `ShownDocument`."""

    def bookmarks(self) -> list[Bookmark]:
        """Its bookmarks."""
        ...

    def words(self, number: int, *, ocr: bool) -> PageText:
        """The words of a page, with their boxes."""
        ...

    def size(self, number: int) -> tuple[float, float]:
        """Width and height of a page in points."""
        ...


class OutlinedPages:
    """What a document's pages tell of its outline, page after page."""

    def __init__(self, bookmarks: Sequence[Bookmark] = ()) -> None:
        self._bookmarks = bookmarks
        self._parts: dict[int, PageParts] = {}
        self._labels: list[tuple[int, str]] = []

    @property
    def count(self) -> int:
        """How many pages it has been told of."""
        return len(self._parts)

    def add(self, number: int, text: PageText, height: float, label: str | None) -> None:
        """A page that is ``height`` points high, with what is printed as its number."""
        self._parts[number] = page_parts(number, text, height)
        self._labels += [(number, label)] if label else []

    def add_lines(self, number: int, text: str) -> None:
        """A page of which the text alone is known."""
        self._parts[number] = parts_of_lines(number, text)

    def outline(self) -> Outline:
        """The outline of all pages so far."""
        pages = [self._parts[number] for number in sorted(self._parts)]
        return make_outline(pages, self._bookmarks, by_label(self._labels))


def read_outline(document: ReadDocument | None, texts: Sequence[str], printed: Mapping[str, int]) -> Outline:
    """The outline of a document with these texts on its pages, as the index has them.

    Its text layer is read anew for how tall its lines are; of other pages, and without a document, the texts are all
    there is. ``printed`` are the numbers of pages by their printed labels.
    """
    pages = OutlinedPages(document.bookmarks() if document else ())
    labels = {number: label for label, number in printed.items()}
    for number, text in enumerate(texts, 1):
        layer = document.words(number, ocr=False) if document and text else PageText.empty()
        if layer.words and document:
            pages.add(number, layer, document.size(number)[1], labels.get(number))
        else:
            pages.add_lines(number, text)
    return pages.outline()
