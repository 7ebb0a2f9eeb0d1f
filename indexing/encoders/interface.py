"""The interface of every page encoder, pages in and multi-vectors out, and that of the models behind most of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

from pagesight.indexing.lexical.query import Query
from pagesight.indexing.pages import PageText
from pagesight.indexing.vectors.multivector import MultiVector, QueryVectors

#: The inverse document frequency of a term in an index: how rare it is there.
Idf = Callable[[str], float]

#: Pixels of the longer side of pages' pictures; the vision encoders scale them down to less.
PICTURE_LONG_SIDE = 1540


class PageEncoder(Protocol):
    """What the document's and the question's journey need of a model.

    ``needs_pictures`` says whether pages must be rendered for it; ``fusion_weight`` (0–1) how much its scores count
    beside BM25's.
    """

    name: str
    needs_pictures: bool
    fusion_weight: float

    @property
    def revision(self) -> str:
        """The commit or the fingerprint of its weights."""
        ...

    @property
    def dim(self) -> int:
        """Dimensions of its vectors."""
        ...

    def encode_pages(self, pictures: Sequence[Image | None], texts: Sequence[PageText]) -> list[MultiVector]:
        """The multi-vectors of a batch of pages; ``pictures`` are None where ``needs_pictures`` is false."""
        ...

    def encode_query(self, query: Query, idf: Idf) -> QueryVectors:
        """The vectors of a question, weighted, where the encoder does so, by how rare its terms are in the index."""
        ...

    def encode_picture(self, seen: Image | MultiVector, text: PageText, words: Query | None, idf: Idf) -> QueryVectors:
        """The vectors of a question that is a picture, with the words of ``text`` on it and ``words`` beside it.

        ``seen`` is the picture, or vectors that were made of it as of a page. Only where ``needs_pictures`` is true.
        """
        ...

    def describe(self) -> dict[str, Any]:
        """What an index records, so that it refuses vectors of another encoder: name, revision, dim, settings."""
        ...

    def close(self) -> None:
        """Let go what it holds: memory of a device, a process."""
        ...


class PageModel(Protocol):
    """A loaded model behind a `pagesight.indexing.encoders.vision.VisionEncoder`; vectors need not be normalised.

    ``revision`` is the commit or the fingerprint of its weights. One that was trained on questions with a picture in
    them has `encode_picture_and_words`, too, with the picture and the words as arguments, (m, dim); or it is None.
    """

    revision: str
    dim: int

    def encode_pages(self, pictures: Sequence[Image]) -> list[MultiVector]:
        """The vectors of RGB pictures, in one pass; raises what the device raises when its memory is too small."""
        ...

    def encode_query(self, question: str) -> tuple[NDArray[np.float32], list[str]]:
        """The vectors of a question, (m, dim), and the token of each."""
        ...
