"""A page as any index that keeps vectors alike can take it in: what who reads and encodes hands to who writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pagesight.indexing.corrections.corrected import corrected
from pagesight.indexing.lexical.bm25 import page_terms
from pagesight.indexing.pages import Correction, PageText
from pagesight.indexing.preparing.prepared_page import PreparedPage
from pagesight.indexing.storage.interfaces import PageVectors
from pagesight.indexing.vectors.centroids import centroids_of
from pagesight.indexing.vectors.multivector import MultiVector
from pagesight.indexing.vectors.quantization import VectorLayout, stored
from pagesight.indexing.vectors.token_pooling import pooled


@dataclass(frozen=True)
class Recipe:
    """What of an index decides how its pages are made ready.

    How it keeps the vectors of each encoder, by its name, how many candidate vectors of each a page has at most, and
    the rules that split texts into terms.
    """

    layouts: dict[str, VectorLayout]
    centroids: int
    term_rules: int


@dataclass(frozen=True)
class EncodedPage:
    """A page, read and encoded.

    ``text``, ``label`` and ``kinds`` are as `PreparedPage` has them, ``height`` is in points; ``vectors`` are those of
    each encoder, by its name, as the index keeps them; ``terms``, between spaces, are those of the text after its
    corrections.
    """

    number: int
    text: PageText
    label: str | None
    kinds: tuple[str, ...]
    height: float
    vectors: Mapping[str, PageVectors]
    terms: str


def encoded(
    pages: Sequence[PreparedPage],
    vectors: Mapping[str, Sequence[MultiVector]],
    recipe: Recipe,
    corrections: Mapping[int, tuple[Correction, ...]],
) -> list[EncodedPage]:
    """The pages with their vectors as an index keeps them, and their terms.

    ``vectors`` are those of each page by the names of encoders, ``corrections`` those of pages by their numbers.
    """
    numbers = [page.number for page in pages]
    kept = {name: kept_vectors(numbers, made, recipe, name) for name, made in vectors.items()}
    return [
        EncodedPage(
            number=page.number,
            text=page.text,
            label=page.label,
            kinds=page.kinds,
            height=page.size[1],
            vectors={name: made[place] for name, made in kept.items()},
            terms=terms_of(corrected(page.text, corrections.get(page.number, ())), recipe.term_rules),
        )
        for place, page in enumerate(pages)
    ]


def kept_vectors(
    numbers: Sequence[int], made: Sequence[MultiVector], recipe: Recipe, encoder: str
) -> list[PageVectors]:
    """What the encoder of that name made of pages, pooled and rounded, with their candidate vectors."""
    layout = recipe.layouts[encoder]
    several = [pooled(page, layout.pool) for page in made]
    few = centroids_of([page.vectors for page in several], recipe.centroids)
    return [
        PageVectors(number, stored(page, layout.precision), candidates)
        for number, page, candidates in zip(numbers, several, few, strict=True)
    ]


def terms_of(text: PageText, rules: int) -> str:
    """The terms of a page's text, as its row has them."""
    return " ".join(page_terms(text, rules))
