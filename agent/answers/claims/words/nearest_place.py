"""Where the nearest place is that does say what a cited one does not: told with the fault, so that it can be cited."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pagesight.agent.answers.claims.words.cited_page import CitedPage
from pagesight.agent.answers.claims.words.phrases import find_phrase
from pagesight.indexing import PageIndex
from pagesight.indexing.lexical.tokens import tokenize
from pagesight.indexing.values.page_values import PageContent
from pagesight.indexing.values.quantities import Quantity, quantities, same_value

_PAGES_NEAR = 10  # in which something is looked for that is not on the cited page; a guess, not measured
_SMALL = 100  # whole numbers below it are those of pages, lists and axes too; a guess, not measured


def number_elsewhere(quantity: Quantity, pages: Sequence[CitedPage], index: PageIndex) -> str:
    """Where nearby a number does stand, in brackets; "" for nowhere, and for a small one, which stands anywhere."""
    if _is_small(quantity):
        return ""

    def on_page(content: PageContent) -> list[int]:
        return next((value.words for value in content.values if same_value(quantity, value.quantity)), [])

    def in_text(text: str) -> bool:
        return any(same_value(quantity, one) for one in quantities(text))

    return _nearest(pages, index, on_page, in_text)


def _is_small(quantity: Quantity) -> bool:
    plain = bool(quantity.values) and quantity.unit is None and quantity.scale is None
    return plain and all(value < _SMALL and value == int(value) for value in quantity.values)


def phrase_elsewhere(phrase: str, pages: Sequence[CitedPage], index: PageIndex) -> str:
    """Where nearby a phrase does stand, in brackets; "" for nowhere."""
    words = " ".join(tokenize(phrase))

    def on_page(content: PageContent) -> list[int]:
        return find_phrase(phrase, content.text)

    def in_text(text: str) -> bool:
        return words in " ".join(tokenize(text))

    return _nearest(pages, index, on_page, in_text)


def _nearest(
    pages: Sequence[CitedPage], index: PageIndex, on_page: Callable[[PageContent], list[int]],
    in_text: Callable[[str], bool],
) -> str:  # fmt: skip
    """The place on a cited page, outside of the region, that has something, or else the nearest page that has it."""
    for page in pages:
        if page.allowed is not None and (words := on_page(page.content)):
            return f" (it stands at {page.label}, region {','.join(map(str, page.region_of(words)))})"
    for page in pages:
        document = index.document(page.ref.document_id)
        near = sorted(document.page_refs, key=lambda ref: abs(ref.page - page.ref.page))[1 : _PAGES_NEAR + 1]
        for ref in near:
            if in_text(index.text(ref)):
                return f" (it stands on {ref.label})"
    return ""
