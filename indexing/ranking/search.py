"""A question as it is searched: its words, its vectors by each encoder of the index, and what these find and score."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field

from pagesight.indexing.encoders import PageEncoder, QueryVectors
from pagesight.indexing.errors import IndexWarning
from pagesight.indexing.lexical.bm25 import Statistics
from pagesight.indexing.lexical.query import Query
from pagesight.indexing.opening.index_parts import IndexParts
from pagesight.indexing.pages import PageRow, page_label
from pagesight.indexing.ranking.picture_question import Question, encode_question, read_question
from pagesight.indexing.storage.index_encoder import IndexEncoder
from pagesight.indexing.storage.index_view import IndexView
from pagesight.indexing.storage.interfaces import Lost
from pagesight.indexing.vectors.maxsim import best_similarities, scores

_MOST_WEIGHT = 0.99  # of an encoder beside BM25, where there are others
_MOST_NAMED = 8  # pages that a warning lists; a guess, not measured


@dataclass(frozen=True)
class EncodedBy:
    """A question's vectors by one encoder, and which part (0-1) of all that vectors say it counts for."""

    by: IndexEncoder
    vectors: QueryVectors
    part: float


@dataclass(frozen=True)
class Search:
    """An encoded question and the documents that it is put to: what all stages work with.

    ``document_ids`` None is all documents of the view; pages that turn out to be damaged are left out, and noted in
    ``lost``. ``meeting`` are the pages that meet a condition on single pages; None is all of the documents. ``asked``
    are the words that somebody asked with, which name documents and pages; ``query`` has those on a picture, too.
    ``subject`` is the id of the document that the conversation is about; "" for none.
    """

    parts: IndexParts
    view: IndexView
    query: Query
    encoded: Sequence[EncodedBy]
    statistics: Statistics
    document_ids: Sequence[str] | None
    asked: Query
    meeting: Sequence[PageRow] | None = None
    subject: str = ""
    lost: Lost = field(default_factory=dict)

    @property
    def vector_count(self) -> int:
        """How many vectors the question has, by all encoders."""
        return sum(len(one.vectors.vectors) for one in self.encoded)

    def bm25(self, limit: int, document_ids: Sequence[str] | None) -> dict[str, float]:
        """BM25's best pages by key, with their scores; what a ratio is made of counts as if it had been said."""
        return self.statistics.bm25([*self.query.terms, *self.query.parts], limit, document_ids)


def encode(
    parts: IndexParts,
    view: IndexView,
    question: Question,
    asked: Query,
    document_ids: Sequence[str] | None,
    encoder: str | None = None,
) -> Search:
    """The question with its vectors; ``asked`` are its words, ``document_ids`` None means all.

    By all encoders that all pages have vectors of, or by the one of the name ``encoder``. Raises PageIndexError.
    """
    statistics = view.statistics
    query = read_question(question, asked, statistics.idf)
    chosen = [parts.encoder_called(encoder)] if encoder else parts.searching(view)
    shares = _shares([one.encoder for one in chosen])
    encoded = [
        EncodedBy(one, encode_question(one.encoder, one.id, question, asked, query, statistics.idf), share)
        for one, share in zip(chosen, shares, strict=True)
    ]
    return Search(parts, view, query, encoded, statistics, document_ids, asked)


def fusion_weight(encoders: Sequence[PageEncoder]) -> float:
    """What all encoders together count (0-1) beside BM25.

    Each has its own weight against BM25's as it would have alone, so that one gets `PageEncoder.fusion_weight`.
    """
    against = sum(map(_against_words, encoders))
    return against / (1 + against)


def _shares(encoders: Sequence[PageEncoder]) -> list[float]:
    """What each encoder counts of all that vectors say; together 1."""
    against = [_against_words(encoder) for encoder in encoders]
    return [one / sum(against) for one in against]


def _against_words(encoder: PageEncoder) -> float:
    return encoder.fusion_weight / (1 - min(encoder.fusion_weight, _MOST_WEIGHT))


def near_pages(
    parts: IndexParts,
    view: IndexView,
    by: IndexEncoder,
    vectors: QueryVectors,
    document_ids: Sequence[str] | None = None,
) -> list[PageRow]:
    """The pages nearest to the query by an encoder's centroids, nearest first, at most `most_candidates`."""
    return view.near(by.id, vectors, parts.settings, document_ids)


def exact_scores(
    by: IndexEncoder, vectors: QueryVectors, pages: Sequence[PageRow], lost: Lost | None = None
) -> dict[str, float]:
    """The pages' MaxSim by their keys, from their full multi-vectors by an encoder; without those that it has not seen.

    Nor those that are damaged if ``lost`` is given. Raises VectorsMissing for a damaged page otherwise.
    """
    seen, damaged = [page for page in pages if page.encoded(by.id)], Lost()
    read = by.multivectors.read(seen, None if lost is None else damaged)
    found = scores(vectors, best_similarities(vectors.vectors, read)).tolist()
    if lost is not None:
        lost |= damaged
    return dict(zip([page.key for page in seen if page.key not in damaged], found, strict=True))


def warn_of_damage(search: Search) -> None:
    """Warns of the pages that were left out since their vectors are damaged, by their labels."""
    if search.lost:
        places = [key.partition(":") for key in list(search.lost)[:_MOST_NAMED]]
        labels = [page_label(search.view.find(known).document, int(page)) for known, _, page in places]
        more = f" and {len(search.lost) - len(labels)} more" if len(search.lost) > len(labels) else ""
        warnings.warn(
            f"left out of the answers: {', '.join(labels)}{more}. {next(iter(search.lost.values()))}",
            IndexWarning,
            stacklevel=3,
        )
