"""A question as retrieval takes it: read once, for BM25, the document prior, the encoder and the best lines alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pagesight.indexing.calls.whole_text import whole_text
from pagesight.indexing.lexical.kind_mentions import named_kinds
from pagesight.indexing.lexical.page_mentions import named_labels, named_pages
from pagesight.indexing.lexical.ratios import parts_of_ratios
from pagesight.indexing.lexical.tokens import TERM_RULES, informative, tokenize

# Words of a question that a file's name may write as one: MGM Resorts International. A guess, not measured.
_MOST_JOINED = 3


@dataclass(frozen=True)
class Query:
    """A question, and what was read in it.

    ``terms`` are those that count, each once: without function words unless it has no others, and with the parts of
    those that have letters and digits. ``joined_words`` are neighbouring words written as one: "Best Buy" stands in
    names of files as BESTBUY. ``named_pages`` are the numbers of pages that it names, negative those that it counts
    from a document's end, ``named_labels`` numbers as documents print them ("iv"), ``named_kinds`` the kinds of page.
    ``rules`` are those that the terms were made by, see `pagesight.indexing.lexical.tokens`. ``parts`` are the terms of
    what the ratios that it names are worked out of, beside its own.
    """

    text: str
    terms: tuple[str, ...]
    joined_words: frozenset[str]
    named_pages: frozenset[int]
    rules: int = TERM_RULES
    named_labels: frozenset[str] = frozenset()
    named_kinds: frozenset[str] = frozenset()
    parts: tuple[str, ...] = ()


def read_query(question: str, rules: int = TERM_RULES) -> Query:
    """The question as a query, by the rules of the index that it is put to; one without words has no terms."""
    question = whole_text(question)
    words = tokenize(question, rules)
    numbers, labels = frozenset(named_pages(question)), frozenset(named_labels(question))
    kinds = frozenset(named_kinds(question))
    terms = tuple(informative(words))
    parts = tuple(term for term in parts_of_ratios(question, rules) if term not in terms)
    return Query(question, terms, _joined(words), numbers, rules, labels, kinds, parts)


def _joined(words: Sequence[str]) -> frozenset[str]:
    return frozenset(
        "".join(words[start : start + length])
        for length in range(2, _MOST_JOINED + 1)
        for start in range(len(words) - length + 1)
    )
