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
from pagesight.indexing.lexical.query import Query, read_query
from pagesight.indexing.lexical.tokens import TERM_RULES, places_of_terms
from pagesight.indexing.pages import PageText
from pagesight.indexing.vectors.multivector import MultiVector, QueryVectors

_DIM = 128  # as ColPali's vectors have, so that sizes and times of an index are alike
_REVISIONS = tuple(str(rules) for rules in range(1, TERM_RULES + 1))
_NGRAMS = ((3, 1.0), (2, 0.7))  # (length, weight); without a whole-word term, which measured worse


class LexicalEncoder:
    """Hashed character n-grams of words; see `pagesight.indexing.encoders.interface.PageEncoder`."""

    name = "lexical"
    dim = _DIM
    needs_pictures = False
    # Measured: .25 to .35 beside BM25 are level and best; either alone is worse.
    fusion_weight = 0.3
    sharpness = 5.0

    def __init__(self, revision: str = str(TERM_RULES)) -> None:
        """``revision`` is that of the index: the rules that terms are made by."""
        self.revision = revision

    @classmethod
    def of(cls, known: dict[str, Any] | None) -> LexicalEncoder:
        """The one that an index was made with, by what `describe` said of it; the newest for a new index."""
        revision = str((known or {}).get("revision"))
        return cls(revision) if revision in _REVISIONS else cls()

    def encode_pages(self, pictures: Sequence[Image | None], texts: Sequence[PageText]) -> list[MultiVector]:
        """A vector for each term of each page's words; the pictures are not looked at."""
        return [_encode_page(text, int(self.revision)) for text in texts]

    def encode_query(self, query: Query, idf: Idf) -> QueryVectors:
        """A vector for each informative term, weighted by its inverse document frequency."""
        weights = np.array([idf(term) for term in query.terms], np.float32)
        return QueryVectors(_stack([_vector(term) for term in query.terms]), list(query.terms), weights, self.sharpness)

    def encode_picture(self, seen: Image | MultiVector, text: PageText, words: Query | None, idf: Idf) -> QueryVectors:
        """The vectors of the words on the picture and beside it; the picture is not looked at."""
        asked = f"{words.text if words else ''} {text.text}"
        return self.encode_query(read_query(asked, int(self.revision)), idf)

    def describe(self) -> dict[str, Any]:
        """Name, revision and dimensions."""
        return {"name": self.name, "revision": self.revision, "dim": self.dim}

    def close(self) -> None:
        """It holds nothing."""


def _encode_page(text: PageText, rules: int) -> MultiVector:
    vectors: list[NDArray[np.float32]] = []
    owners: list[tuple[int, float, float]] = []
    for position, word in enumerate(text.words):
        for term, begin, end in places_of_terms(word, rules):
            vectors.append(_vector(term))
            owners.append((position, begin, end))
    words, begins, ends = np.array(owners, np.float32).reshape(-1, 3).T
    return MultiVector(_stack(vectors), _parts_of(text.boxes[words.astype(int)].reshape(-1, 4), begins, ends))


def _parts_of(
    boxes: NDArray[np.float32], begins: NDArray[np.float32], ends: NDArray[np.float32]
) -> NDArray[np.float32]:
    """(n, 4): of each word's box the part that a term fills, along its longer side; characters are equally wide."""
    along = np.where(boxes[:, 2] - boxes[:, 0] >= boxes[:, 3] - boxes[:, 1], 0, 1)
    rows, parts = np.arange(len(boxes)), boxes.astype(np.float32, copy=True)
    start, length = boxes[rows, along], boxes[rows, along + 2] - boxes[rows, along]
    parts[rows, along] = np.where(begins > 0, start + begins * length, start)
    parts[rows, along + 2] = np.where(ends < 1, start + ends * length, boxes[rows, along + 2])
    return parts


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
