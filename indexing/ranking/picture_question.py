"""A question that is a picture: an image, a page of the index or a region of it, with words beside it or without.

Encoders that see pages compare it as a page; what is read on it counts as the words of a question do, and is all that
an encoder of words looks at.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageOps

from pagesight.indexing.encoders import MultiVector, PageEncoder, QueryVectors
from pagesight.indexing.encoders.interface import PICTURE_LONG_SIDE, Idf
from pagesight.indexing.errors import EmptyQuestion, RequestError
from pagesight.indexing.lexical.query import Query, read_query
from pagesight.indexing.lexical.tokens import informative, tokenize
from pagesight.indexing.page_text.ocr import OCR_LONG_SIDE, read_page_picture
from pagesight.indexing.page_text.reading_order import merged
from pagesight.indexing.pages import PageRef, PageText, Region

if TYPE_CHECKING:
    from pagesight.indexing.settings import Settings

#: An image as it is given: the path of its file, the bytes of it, or one of Pillow's.
GivenPicture = str | Path | bytes | Image.Image

# Words of a picture that are asked for, the rarest: a page has 300 and more, and each costs as much as one that was
# typed. A guess, not measured.
_MOST_TERMS = 48


@dataclass(frozen=True)
class PictureQuestion:
    """A picture as a question; made by `PageIndex.picture_question` and `PageIndex.like`.

    ``words`` stand beside it; ``text`` is what was read on it. ``seen`` is the picture that encoders look at, None
    where they look at words alone, or at the vectors that the index has ``kept`` of it, by the encoders' ids. ``page``
    is the page that it is of, which is no answer to it.
    """

    words: str = ""
    text: PageText = field(default_factory=PageText.empty)
    seen: Image.Image | None = None
    page: PageRef | None = None
    kept: Mapping[str, MultiVector] = field(default_factory=dict)

    def seen_by(self, encoder: str) -> Image.Image | MultiVector | None:
        """What the encoder with this id looks at."""
        return self.kept.get(encoder, self.seen)


Question = str | PictureQuestion


def opened_picture(given: Any) -> Image.Image:
    """An image as it was given, upright and RGB. Raises RequestError for what is none."""
    what = str(given) if isinstance(given, str | Path) else "that was given"
    try:
        file = io.BytesIO(given) if isinstance(given, bytes) else given
        image = given if isinstance(given, Image.Image) else Image.open(file)
        return ImageOps.exif_transpose(image.copy()).convert("RGB")
    except (OSError, ValueError, TypeError, AttributeError, SyntaxError, Image.DecompressionBombError) as error:
        why = getattr(error, "strerror", None) or "it is none, or is damaged"
        raise RequestError(f"the image {what} cannot be read ({why}): give a PNG, JPEG or WebP file") from error


def read_picture(given: GivenPicture, words: str, settings: Settings, *, looked_at: bool) -> PictureQuestion:
    """The question that an image is; what stands on it is read by OCR where that is on.

    ``looked_at`` says whether an encoder looks at pictures. Raises RequestError for what is no image, MissingExtra
    if OCR cannot start.
    """
    picture = opened_picture(given)
    text = _read(picture, settings.documents.ocr_languages) if settings.documents.ocr else PageText.empty()
    picture.thumbnail((PICTURE_LONG_SIDE, PICTURE_LONG_SIDE))
    return PictureQuestion(words, text, picture if looked_at else None)


def in_region(text: PageText, region: Region) -> PageText:
    """The words whose middle lies in the region."""
    kept = _inside(text.boxes, region)
    places = np.flatnonzero(kept).tolist()
    return PageText([text.words[place] for place in places], text.boxes[kept], text.lines[kept], text.source)


def vectors_in(page: MultiVector, region: Region | None) -> MultiVector | None:
    """The page's vectors that look into the region, or all; None if none is known to."""
    if region is None:
        return page
    kept = _inside(page.boxes, region)
    return MultiVector(page.vectors[kept], page.boxes[kept]) if kept.any() else None


def of_lines(text: str) -> PageText:
    """A page's text as its words, where their places do not matter."""
    words = [(word, number) for number, line in enumerate(text.splitlines()) for word in line.split()]
    lines = np.array([number for _, number in words], np.int32)
    return PageText([word for word, _ in words], np.zeros((len(words), 4), np.float32), lines, "text layer")


def refuse_empty(question: Question, asked: Query, encoders: Sequence[PageEncoder]) -> None:
    """Raises EmptyQuestion for one that asks nothing, or nothing that an encoder can look at."""
    if isinstance(question, str):
        if not asked.terms:
            raise EmptyQuestion(
                "the question is empty. Ask with at least one word, such as `pagesight search 'net revenue'`."
            )
    elif question.seen is None and not question.kept and not (asked.terms or tokenize(question.text.text, asked.rules)):
        names = ", ".join(encoder.name for encoder in encoders)
        raise EmptyQuestion(
            f"no word can be read on the picture, and the index's encoder, {names}, compares words alone: ask "
            "with words beside it, or make an index with an encoder that looks at pages (docs/encoders.md)."
        )


def asked_words(question: Question, rules: int) -> Query:
    """The words that somebody asked with, without those on a picture."""
    return read_query(question if isinstance(question, str) else question.words, rules)


def read_question(question: Question, asked: Query, idf: Idf) -> Query:
    """The question as a query: the words that were ``asked`` with and the rarest of those on the picture."""
    if isinstance(question, str):
        return asked
    read = question.text.text
    often = Counter(tokenize(read, asked.rules))
    terms = [term for term in informative(often) if term not in asked.terms]
    rarest = sorted(terms, key=lambda term: -idf(term) * often[term])[:_MOST_TERMS]
    return replace(asked, text=f"{asked.text}\n{read}".strip(), terms=(*asked.terms, *rarest))


def encode_question(
    encoder: PageEncoder, known: str, question: Question, asked: Query, query: Query, idf: Idf
) -> QueryVectors:
    """A question's vectors by an encoder, whose id in the index is ``known``.

    ``asked`` and ``query`` are what `asked_words` and `read_question` made of it.
    """
    seen = None if isinstance(question, str) else question.seen_by(known)
    if isinstance(question, str) or seen is None or not encoder.needs_pictures:
        return encoder.encode_query(query, idf)
    return encoder.encode_picture(seen, question.text, asked if question.words.strip() else None, idf)


def _read(picture: Image.Image, languages: str) -> PageText:
    small = picture.copy()
    small.thumbnail((OCR_LONG_SIDE[1], OCR_LONG_SIDE[1]))
    return merged(read_page_picture(small, languages).lines, [], "ocr")


def _inside(boxes: Any, region: Sequence[int]) -> Any:
    """(n,): whether the middle of each box, (n, 4) in 0–1, lies in the region."""
    ymin, xmin, ymax, xmax = (edge / 1000 for edge in region)
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    return (middle >= (xmin, ymin)).all(axis=1) & (middle <= (xmax, ymax)).all(axis=1)
