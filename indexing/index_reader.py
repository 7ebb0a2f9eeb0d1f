"""The reading half of the front door: an open index is searched, and its pages and documents are looked at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PIL import Image

from pagesight.indexing.audit.audit import Audit, audit
from pagesight.indexing.documents.conditions import read_condition
from pagesight.indexing.documents.document import check_region
from pagesight.indexing.documents.own_files import MAKER
from pagesight.indexing.documents.png import png
from pagesight.indexing.encoders import MultiVector, QueryVectors
from pagesight.indexing.encoders.interface import PICTURE_LONG_SIDE
from pagesight.indexing.highlight.best_places import best_boxes
from pagesight.indexing.highlight.mark import Mask, mark
from pagesight.indexing.highlight.similarity_map import draw, similarity_map
from pagesight.indexing.index_pages import IndexPages, reading
from pagesight.indexing.labels.page_labels import page_mention
from pagesight.indexing.lexical.document_prior import Subject
from pagesight.indexing.open_calls import in_thread, while_open
from pagesight.indexing.pages import Box, Hits, PageRef, PageRow, Region
from pagesight.indexing.ranking.picture_question import (
    GivenPicture,
    PictureQuestion,
    Question,
    asked_words,
    encode_question,
    in_region,
    of_lines,
    read_picture,
    read_question,
    vectors_in,
)
from pagesight.indexing.ranking.rank_pages import Weights
from pagesight.indexing.retrieve import rank_all, retrieve
from pagesight.indexing.storage.folder import disk_errors
from pagesight.indexing.storage.index_encoder import IndexEncoder


class IndexReader(IndexPages):
    """What `pagesight.indexing.PageIndex` does without writing.

    Every method that waits has a twin for asyncio with the same arguments, which runs in a thread and never blocks the
    loop: `asearch`, `atext` and so on.
    """

    @reading
    def search(
        self,
        query: Question | Image.Image,
        *,
        top_k: int | None = None,
        documents: Sequence[str] | None = None,
        where: str | None = None,
        subject: Subject | None = None,
    ) -> Hits:
        """The pages that answer the query best, best first, at most ``top_k`` (default `SearchSettings.top_k`).

        A ``query`` is words, a picture, or what `picture_question` and `like` make of a picture and words.
        ``documents`` restricts it to these, by name, path, id or a pattern such as ``reports/*``; no names are none.
        ``where`` restricts it to those whose metadata meets a condition such as ``year >= 2020 and kind == "10-K"``,
        and to pages of a kind, as in ``page_chart`` (`page_kinds`). A ``subject`` is the document of the conversation
        so far: its pages come first among near equals, unless the question names another document.
        Raises EmptyQuestion, UnknownDocument, BadCondition, ValueError for a ``top_k`` below 1.
        """
        wanted = self.settings.search.top_k if top_k is None else top_k
        if wanted < 1:
            raise ValueError(f"top_k must be at least 1, not {wanted}")
        condition = read_condition(where) if where else None
        question = self.picture_question(query) if isinstance(query, Image.Image) else query
        named = None if documents is None else list(documents)
        return retrieve(self._parts, question, wanted, named, condition, subject)

    @while_open
    def picture_question(self, picture: GivenPicture, words: str = "") -> PictureQuestion:
        """A picture as a question for `search`, with words beside it: a path, the bytes of a file, or Pillow's.

        What stands on it is read by OCR where that is on. Raises RequestError for what is no image.
        """
        return read_picture(picture, words, self.settings, looked_at=bool(self._looking()))

    @reading
    def like(self, page: PageRef | str, *, region: Region | None = None, words: str = "") -> PictureQuestion:
        """A page, or a region of it, as a question for `search`, with words beside it: what else is like it?

        ``page`` may be a label with its region, such as ``report.pdf p. 5, region 100,200,500,600``. The index's own
        vectors are taken where there are some of the region, so that nothing is encoded anew. Raises UnknownPage,
        UnknownDocument, BadRegion, and what `picture` raises where the region has to be looked at.
        """
        view = self._parts.view()
        if isinstance(page, str):
            named = page_mention(page, view.printed_labels())
            region, page = region or (named.region if named else None), view.page(page)
        region = check_region(region) if region else None
        text = in_region(self.words(page), region) if region else of_lines(self.text(page))
        row, looking = view.row(page), self._looking()
        kept = {one.id: vectors_in(_read(one, row), region) for one in looking if row.encoded(one.id)}
        seen = {known: vectors for known, vectors in kept.items() if vectors}
        unseen = len(seen) < len(looking)
        picture = self.picture(page, region=region, long_side=PICTURE_LONG_SIDE) if unseen else None
        return PictureQuestion(words, text, picture, page, seen)

    def _looking(self) -> list[IndexEncoder]:
        """The encoders that look at pages' pictures."""
        return [one for one in self._parts.encoders if one.encoder.needs_pictures]

    @reading
    def rank(
        self,
        query: str,
        *,
        documents: Sequence[str] | None = None,
        weights: Weights | None = None,
        encoder: str | None = None,
    ) -> list[tuple[PageRow, float]]:
        """Every page that comes into question for the query with its score, best first: what evaluations look at.

        ``weights`` says what counts how much, without a reranker; by default it is ranked as `search` does, by all
        encoders. With ``encoder``, the name of one of them, by its vectors and words alone. Raises UnknownDocument,
        SettingsError for an encoder that the index has not.
        """
        return rank_all(self._parts, query, documents, weights, encoder)

    @reading
    def audit(
        self,
        questions: Sequence[str] = (),
        *,
        sample: int = 50,
        wanted: float = 0.95,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> Audit:
        """How many of the exactly best pages the HNSW candidates keep, at which cost, and what settings would do.

        For the questions, or for ``sample`` ones made from the index's own pages without loading a model; ``wanted`` is
        the recall (0-1) of the five best pages. Nothing is written meanwhile. Raises EmptyQuestion, PageIndexError if
        there is nothing to compare.
        """
        return audit(self._parts, questions, sample=sample, wanted=wanted, progress=progress)

    @reading
    def multivector(self, ref: PageRef | str, *, encoder: str | None = None) -> MultiVector:
        """The page's vectors, (n, dim) float32, and their boxes, (n, 4) float16; by the first encoder if None is named.

        Raises UnknownPage, SettingsError for an encoder that the index has not.
        """
        return _read(self._parts.encoder_called(encoder), self._parts.view().row(self._ref(ref)))

    @reading
    def query_vectors(self, question: Question, *, encoder: str | None = None) -> QueryVectors:
        """The question's vectors, as they are compared with those of pages; see `multivector`."""
        by, idf = self._parts.encoder_called(encoder), self._parts.view().statistics.idf
        asked = asked_words(question, self._parts.term_rules)
        return encode_question(by.encoder, by.id, question, asked, read_question(question, asked, idf), idf)

    @while_open
    def evidence(
        self,
        ref: PageRef | str,
        path: Path | str,
        *,
        query: str | None = None,
        regions: Sequence[Region] = (),
        masks: Sequence[Mask] = (),
        boxes: Sequence[Box] = (),
    ) -> Path:
        """Write the page as a PNG with boxes and what matches the query highlighted, regions outlined, masks tinted.

        What matches is that by the index's first encoder. A mask is a region and a picture of mode "L" that covers it,
        255 where the thing is. Returns the path.

        Raises UnknownPage, BadRegion, StorageFull, PageIndexError if the file cannot be written.
        """
        if query:
            page = self.multivector(ref)
            boxes = [*boxes, *best_boxes(self.query_vectors(query), page.vectors, page.boxes)]
        return _write_png(mark(self.picture(ref), boxes, regions, masks), Path(path))

    @while_open
    def heatmap(
        self,
        ref: PageRef | str,
        path: Path | str,
        query: Question,
        *,
        token: str | None = None,
        encoder: str | None = None,
    ) -> Path:
        """Write the page as a PNG under a map of where it is like the query, or like one word of it; returns its path.

        By the index's first encoder, or the one of the name ``encoder``. Raises UnknownPage, BadToken, SettingsError
        for an encoder that the index has not, StorageFull, PageIndexError if the file cannot be written.
        """
        picture, page = self.picture(ref), self.multivector(ref, encoder=encoder)
        shape = picture.height, picture.width
        heat = similarity_map(self.query_vectors(query, encoder=encoder), page.vectors, page.boxes, shape, token)
        return _write_png(draw(picture, heat), Path(path))

    # Each does in a thread what the method without its first letter does.
    asearch = in_thread(search)
    apicture_question = in_thread(picture_question)
    alike = in_thread(like)
    arank = in_thread(rank)
    aaudit = in_thread(audit)
    amultivector = in_thread(multivector)
    aquery_vectors = in_thread(query_vectors)
    aevidence = in_thread(evidence)
    aheatmap = in_thread(heatmap)


def _read(by: IndexEncoder, row: PageRow) -> MultiVector:
    """A page's vectors by an encoder."""
    (page,) = by.multivectors.read([row])
    return MultiVector(page.vectors, page.boxes)


def _write_png(picture: Image.Image, path: Path) -> Path:
    with disk_errors(f"the picture {path} cannot be written"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png(picture, MAKER))
    return path
