"""Words as retrieval counts them: how a text is split, which words of a page or a question count, how rare each one is.

The same terms are written to Milvus for BM25 and become the lexical encoder's vectors, so that both stages agree on
every backend, whatever its own analyzers can do.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from pagesight.indexing.pages import PageText

_TERM = re.compile(r"[^\W_]+")
_LETTERS_OR_DIGITS = re.compile(r"[^\W\d]+|\d+")

# Words that shape a question and say nothing about its subject. Left out of questions only: pages keep every word.
# Measured on real questions with evidence pages: nDCG@5 of BM25 .512 with them, .549 without.
_FUNCTION_WORDS = frozenset(
    """
    a about according an and any are as at be been being but by can could did do does each for from had has have he
    her his how i if in into is it its many may me more most much my not of on or our please she should than that the
    their there these they this those to was we were what when where which who whom whose why will with would you your
    aber alle als am an auf aus bei bis bin bitte da das dem den der des die dies diese dieser dieses durch ein eine
    einem einen einer eines er es für gibt hat hatte ich ihr im in ist kann können man mit nach nicht noch oder sein
    sich sie sind so über um und uns unter vom von vor war waren was welche welchem welchen welcher welches wenn wer
    wie wieviel wird wo wurde wurden zu zum zur
    """.split()  # noqa: SIM905 - a text is the readable form of this list
)

# What a page opens with and what it sets large say what it is about: such words count twice, or three times if both.
# Measured: nDCG@5 .579 → .596 over an index, .699 → .709 within the document; 20 to 40 words and heights from 1.5 to
# 1.8 are level.
_OPENING_TERMS = 30
_LARGE = 1.5  # times the page's median height of words


def terms(text: str) -> list[str]:
    """The terms of a text in their order: runs of letters and digits, compatibility forms resolved, lower case."""
    return _TERM.findall(unicodedata.normalize("NFKC", text).lower())


def page_terms(text: PageText) -> list[str]:
    """The terms of a page as BM25 counts them: in their order, those of its opening and of large words repeated."""
    heights = text.boxes[:, 3] - text.boxes[:, 1]
    owners = [(term, height) for word, height in zip(text.words, heights.tolist(), strict=True) for term in terms(word)]
    if not owners:
        return []
    large = _LARGE * float(np.median([height for _, height in owners]))
    counted: list[str] = []
    for place, (term, height) in enumerate(owners):
        counted += [term] * (1 + (place < _OPENING_TERMS) + (height >= large))
    return counted


def query_terms(question: str) -> list[str]:
    """The terms of a question, each once, without function words unless it has no others.

    A term of letters and digits counts with its parts of two characters or more: FY2018 asks for 2018, too.
    """
    found = list(dict.fromkeys(terms(question)))
    informative = [term for term in found if term not in _FUNCTION_WORDS] or found
    return list(dict.fromkeys(part for term in informative for part in (term, *parts_of(term))))


def parts_of(term: str) -> list[str]:
    """The runs of letters and of digits, two characters or longer, in a term that has both."""
    parts = _LETTERS_OR_DIGITS.findall(term)
    return [part for part in parts if len(part) > 1] if len(parts) > 1 else []


class TermStatistics:
    """On how many pages each term stands, in the whole index and in each document."""

    def __init__(self) -> None:
        self._terms: dict[str, int] = {}
        self._documents: dict[str, int] = {}
        self._pages: list[NDArray[np.int32]] = []
        self._owners: list[int] = []
        self._counts: _Counts | None = None

    def add(self, page_terms: Iterable[str], document_id: str = "") -> None:
        """Count a page of a document with these terms, repeated or not."""
        known = self._terms
        distinct = {known.setdefault(term, len(known)) for term in page_terms}
        self._pages.append(np.fromiter(distinct, np.int32, len(distinct)))
        self._owners.append(self._documents.setdefault(document_id, len(self._documents)))
        self._counts = None

    @property
    def pages(self) -> int:
        """How many pages were counted."""
        return len(self._pages)

    @property
    def documents(self) -> dict[str, int]:
        """The documents' ids, each with its place in the arrays of `spread`."""
        return self._documents

    def idf(self, term: str) -> float:
        """Inverse document frequency as BM25 has it: ``log((N - n + 0.5) / (n + 0.5) + 1)``, never negative."""
        found = self._terms.get(term)
        n = 0 if found is None else int(self._counted().frequency[found])
        return math.log((self.pages - n + 0.5) / (n + 0.5) + 1)

    def spread(self, term: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The documents (by place) that hold the term, and on which part of its pages (0-1) each does."""
        found = self._terms.get(term)
        if found is None:
            return np.zeros(0, np.int64), np.zeros(0)
        counts = self._counted()
        part = slice(int(counts.starts[found]), int(counts.starts[found + 1]))
        holders = counts.holders[part].astype(np.int64)
        return holders, counts.held[part] / counts.lengths[holders]

    def __contains__(self, term: str) -> bool:
        return term in self._terms

    def _counted(self) -> _Counts:
        if self._counts is None:
            self._counts = _Counts(self._pages, self._owners, len(self._terms), len(self._documents))
        return self._counts


class _Counts:
    """The pages' terms, counted: ``frequency`` (terms,), and for each term from ``starts[t]`` on its ``holders``.

    ``held`` says on how many pages of each of these documents it stands, ``lengths`` (documents,) how many each has.
    """

    def __init__(self, pages: list[NDArray[np.int32]], owners: list[int], terms: int, documents: int) -> None:
        every = np.concatenate([np.zeros(0, np.int32), *pages]).astype(np.int64)
        owner = np.repeat(np.array(owners, np.int64), [len(page) for page in pages])
        pairs, held = np.unique(every * max(documents, 1) + owner, return_counts=True)
        self.frequency = np.bincount(every, minlength=terms)
        self.starts = np.searchsorted(pairs, np.arange(terms + 1) * max(documents, 1))
        self.holders = (pairs % max(documents, 1)).astype(np.int32)
        self.held = held.astype(np.int32)
        self.lengths = np.bincount(owners, minlength=documents) if owners else np.zeros(documents, np.int64)
