"""The lexical encoder: a real multi-vector of every page without weights, downloads or a GPU.

A vector for each word on the page: its character trigrams and bigrams, hashed with signs into 128 dimensions, with the
word's box. Words that look alike (plurals, inflections, OCR errors, parts of compounds) have similar vectors; raising
similarities to a power keeps words that share a syllable by chance from adding up.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

from pagesight.indexing.encoders.interface import Idf
from pagesight.indexing.lexical.query import Query
from pagesight.indexing.lexical.tokens import tokenize
from pagesight.indexing.pages import PageText
from pagesight.indexing.vectors.multivector import MultiVector, QueryVectors

_DIM = 128
_NGRAMS = ((3, 1.0), (2, 0.7))  # (length, weight); without a whole-word term, which measured worse


class LexicalEncoder:
    """Hashed character n-grams of words; see `pagesight.indexing.encoders.interface.PageEncoder`."""

    name = "lexical"
    revision = "1"
    dim = _DIM
    needs_pictures = False
    # Measured: .25 to .35 beside BM25 are level and best; either alone is worse.
    fusion_weight = 0.3
    sharpness = 5.0

    def encode_pages(self, pictures: Sequence[Image | None], texts: Sequence[PageText]) -> list[MultiVector]:
        """A vector for each term of each page's words; the pictures are not looked at."""
        return [_encode_page(text) for text in texts]

    def encode_query(self, query: Query, idf: Idf) -> QueryVectors:
        """A vector for each informative term, weighted by its inverse document frequency."""
        weights = np.array([idf(term) for term in query.terms], np.float32)
        return QueryVectors(_stack([_vector(term) for term in query.terms]), list(query.terms), weights, self.sharpness)

    def describe(self) -> dict[str, Any]:
        """Name, revision and dimensions."""
        return {"name": self.name, "revision": self.revision, "dim": self.dim}

    def close(self) -> None:
        """It holds nothing."""


def _encode_page(text: PageText) -> MultiVector:
    vectors: list[NDArray[np.float32]] = []
    owners: list[int] = []
    for position, word in enumerate(text.words):
        for term in tokenize(word):
            vectors.append(_vector(term))
            owners.append(position)
    return MultiVector(_stack(vectors), text.boxes[owners].astype(np.float32).reshape(-1, 4))


def _stack(vectors: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    return np.stack(vectors) if vectors else np.zeros((0, _DIM), np.float32)


@lru_cache(maxsize=200_000)
def _vector(term: str) -> NDArray[np.float32]:
    vector = np.zeros(_DIM, np.float32)
    marked = f"<{term}>"
    for length, weight in _NGRAMS:
        for start in range(len(marked) - length + 1):
            # CRC-32 and not hash(): the same on every machine and in every process.
            code = zlib.crc32(f"{length}{marked[start : start + length]}".encode())
            vector[(code >> 1) % _DIM] += weight if code & 1 else -weight
    norm = float(np.linalg.norm(vector))
    return vector / norm if norm else vector
