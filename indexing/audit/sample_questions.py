"""Questions made from an index's own pages, to try its search with: no model is loaded for them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pagesight.indexing.encoders import QueryVectors
from pagesight.indexing.lexical.query import read_query
from pagesight.indexing.opening.index_parts import IndexParts
from pagesight.indexing.pages import PageRow
from pagesight.indexing.storage.index_encoder import IndexEncoder
from pagesight.indexing.storage.index_view import IndexView

_VECTORS = 16  # of a question: a guess at a sentence's tokens
_NOISE = 1.0  # as long as the vector that it is added to: their similarity is .71, as between questions and answers
_FEWEST_TERMS, _MOST_WORDS = 3, 12  # of a line; a guess, not measured


def source(by: IndexEncoder) -> str:
    """What `sample_questions` makes questions from."""
    return "vectors of its pages, with noise" if by.encoder.needs_pictures else "lines of its pages"


def sample_questions(parts: IndexParts, by: IndexEncoder, view: IndexView, count: int) -> list[QueryVectors]:
    """At most ``count`` questions, always the same for the same index; fewer where pages have too few words.

    For an encoder that reads text each is a line of a page; for one that looks at pictures, vectors that lie together
    on a page, with noise.
    """
    rng = np.random.default_rng(1)
    pages = view.pages()
    if by.encoder.needs_pictures:
        chosen = [pages[place] for place in rng.permutation(len(pages))[:count]]
        return [_from_vectors(page.vectors, rng) for page in by.multivectors.read(chosen) if len(page)]
    chosen = [pages[place] for place in rng.permutation(len(pages))[: 4 * count]]  # some pages have no text
    statistics = view.statistics
    lines = _lines(view, chosen, rng)[:count]
    return [by.encoder.encode_query(read_query(line, parts.term_rules), statistics.idf) for line in lines]


def _from_vectors(page: NDArray[np.float32], rng: np.random.Generator) -> QueryVectors:
    start = rng.integers(max(1, len(page) - _VECTORS + 1))
    near = page[start : start + _VECTORS]
    noise = rng.standard_normal(near.shape)
    lengths = np.linalg.norm(near, axis=1, keepdims=True)
    vectors = near + _NOISE * lengths * noise / np.linalg.norm(noise, axis=1, keepdims=True)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return QueryVectors(vectors.astype(np.float32), [""] * len(vectors), np.ones(len(vectors), np.float32))


def _lines(view: IndexView, pages: list[PageRow], rng: np.random.Generator) -> list[str]:
    """A line of each page, or its first words; of those that have enough of them."""
    texts = view.texts([page.key for page in pages])
    found = []
    for page in pages:
        lines = [line for line in texts.get(page.key, "").splitlines() if len(read_query(line).terms) >= _FEWEST_TERMS]
        if lines:
            found.append(" ".join(lines[rng.integers(len(lines))].split()[:_MOST_WORDS]))
    return found
