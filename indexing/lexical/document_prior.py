"""Which documents a question is about: those that it names, that its rare terms pervade, or that it goes on about."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePath
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pagesight.indexing.lexical.bm25 import Statistics, inverse_document_frequency
from pagesight.indexing.lexical.query import Query, read_query
from pagesight.indexing.lexical.tokens import TERM_RULES, tokenize, with_parts

# A term on a tenth of a document's pages counts half of one on all of them: from there on it is what the document is
# about, however long that is. A guess, not measured.
_HALF_SPREAD = 0.1


@dataclass(frozen=True)
class Subject:
    """The document, by id, that a conversation was about before its last ``question``, in the person's words."""

    document_id: str
    question: str


class Names(Protocol):
    """The words in the names of an index's documents: companies, years, products."""

    def holders(self, term: str) -> Sequence[int] | NDArray[np.integer]:
        """The places of the documents whose names hold the term, as in `Statistics`."""
        ...

    def idf(self, term: str) -> float:
        """How rare the term is in names; see `Statistics.idf`."""
        ...


class NameTerms:
    """The words in the names of documents, in memory; see `Names`."""

    def __init__(self, names: Iterable[tuple[int, str]], rules: int = TERM_RULES) -> None:
        """``names`` with each document's place, as in `TermStatistics.documents`."""
        self.count = 0
        self._holders: dict[str, list[int]] = {}
        for place, name in names:
            self.count += 1
            for term in name_terms(name, rules):
                self._holders.setdefault(term, []).append(place)

    def holders(self, term: str) -> list[int]:
        """The places of the documents whose names hold the term."""
        return self._holders.get(term, [])

    def idf(self, term: str) -> float:
        """How rare the term is in names; see `TermStatistics.idf`."""
        return inverse_document_frequency(self.count, len(self.holders(term)))


def document_evidence(query: Query, statistics: Statistics, names: Names) -> dict[str, float]:
    """How much each document, by id, is what the question is about; rarely above 1, those at 0 are left out.

    A part of the question's whole information, the sum of its terms' idf: terms that few documents hold count by how
    much of the document they pervade, and those in the document's name in full. So "3M" and "2018" lead to the pages
    of ``3M_2018_10K.pdf`` although a thousand pages of other reports hold the rest of the question.
    """
    evidence = _named(query, statistics, names)
    for term in query.terms:
        holders, spread = statistics.spread(term)
        evidence[holders] += _rarity(len(holders), len(evidence)) * spread / (spread + _HALF_SPREAD)
    information = sum(statistics.idf(term) for term in query.terms)
    found = np.flatnonzero(evidence)
    return dict(zip(statistics.document_ids(found), (evidence[found] / information).tolist(), strict=True))


def subject_kept(subject: Subject | None, query: Query, statistics: Statistics, names: Names) -> str:
    """The id of the conversation's document; "" for none, or where its question or ``query`` names another one.

    Another is named where its name holds more of the words than the document's own name does.
    """
    if subject is None:
        return ""
    for asked in (read_query(subject.question, query.rules), query):
        named = _named(asked, statistics, names)
        most = np.flatnonzero(named == named.max(initial=0))
        if named.any() and subject.document_id not in statistics.document_ids(most):
            return ""
    return subject.document_id


def _named(query: Query, statistics: Statistics, names: Names) -> NDArray[np.float64]:
    """How much of the question stands in each document's name, (documents,): the sum of these terms' idf."""
    named = np.zeros(statistics.document_count)
    for term in sorted(query.joined_words | set(query.terms)):
        named[names.holders(term)] += min(names.idf(term), statistics.idf(term))
    return named


def _rarity(holders: int, documents: int) -> float:
    """Robertson's and Spärck Jones's weight: nothing for what stands in half of the documents."""
    return max(0.0, math.log((documents - holders + 0.5) / (holders + 0.5)))


@lru_cache(maxsize=100_000)  # each time a document comes or goes, all names are looked at
def name_terms(name: str, rules: int) -> frozenset[str]:
    """The terms of a document's name, without its suffix."""
    path = PurePath(name)
    stem = path.with_suffix("") if path.suffix[1:].isalnum() and len(path.suffix) <= 6 else path
    return frozenset(with_parts(tokenize(str(stem), rules)))
