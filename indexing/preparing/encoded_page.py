"""A page as any index that keeps vectors alike can take it in: what who reads and encodes hands to who writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pagesight.indexing.corrections.corrected import corrected
from pagesight.indexing.lexical.bm25 import page_terms
from pagesight.indexing.pages import Correction, PageText
from pagesight.indexing.preparing.prepared_page import PreparedPage
from pagesight.indexing.vectors.centroids import centroids_of
from pagesight.indexing.vectors.multivector import MultiVector
from pagesight.indexing.vectors.quantization import StoredVectors, VectorLayout, stored
from pagesight.indexing.vectors.token_pooling import pooled


@dataclass(frozen=True)
class Recipe:
    """What of an index decides how its pages are made ready.

    How it keeps vectors, how many candidate vectors a page has at most, and the rules that split texts into terms.
    """

    layout: VectorLayout
    centroids: int
    term_rules: int


@dataclass(frozen=True)
class EncodedPage:
    """A page, read and encoded.

    ``text``, ``label`` and ``kinds`` are as `PreparedPage` has them, ``height`` is in points; ``vectors`` are as the
    index keeps them, ``centroids`` (k, dim) its candidate vectors; ``terms``, between spaces, are those of the
    text after its corrections.
    """

    number: int
    text: PageText
    label: str | None
    kinds: tuple[str, ...]
    height: float
    vectors: StoredVectors
    centroids: NDArray[np.float32]
    terms: str


def encoded(
    pages: Sequence[PreparedPage],
    vectors: Sequence[MultiVector],
    recipe: Recipe,
    corrections: Mapping[int, tuple[Correction, ...]],
) -> list[EncodedPage]:
    """The pages with their vectors pooled and rounded, their candidates and terms; ``corrections`` by their numbers."""
    kept = [pooled(page, recipe.layout.pool) for page in vectors]
    few = centroids_of([page.vectors for page in kept], recipe.centroids)
    return [
        EncodedPage(
            number=page.number,
            text=page.text,
            label=page.label,
            kinds=page.kinds,
            height=page.size[1],
            vectors=stored(own, recipe.layout.precision),
            centroids=candidates,
            terms=terms_of(corrected(page.text, corrections.get(page.number, ())), recipe.term_rules),
        )
        for page, own, candidates in zip(pages, kept, few, strict=True)
    ]


def terms_of(text: PageText, rules: int) -> str:
    """The terms of a page's text, as its row has them."""
    return " ".join(page_terms(text, rules))
