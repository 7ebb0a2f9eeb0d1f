"""The reading half of the front door: an open index is searched, and its pages and documents are looked at."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from pathlib import Path
from types import TracebackType
from typing import Concatenate, ParamSpec, Self, TypeVar

from PIL import Image

from pagesight.indexing.audit.audit import Audit, audit
from pagesight.indexing.corrections.corrected import corrected
from pagesight.indexing.documents.conditions import read_condition
from pagesight.indexing.documents.document import check_region
from pagesight.indexing.documents.own_files import MAKER
from pagesight.indexing.documents.png import png
from pagesight.indexing.encoders import MultiVector, PageEncoder, QueryVectors
from pagesight.indexing.encoders.interface import PICTURE_LONG_SIDE
from pagesight.indexing.errors import IndexWarning, PageIndexError, SourceError
from pagesight.indexing.highlight.best_places import best_boxes
from pagesight.indexing.highlight.mark import Mask, mark
from pagesight.indexing.highlight.similarity_map import draw, similarity_map
from pagesight.indexing.labels.page_labels import page_mention
from pagesight.indexing.lexical.document_prior import Subject
from pagesight.indexing.open_calls import OpenCalls, in_thread, while_open
from pagesight.indexing.opening.index_parts import IndexParts
from pagesight.indexing.opening.open_index import give_back
from pagesight.indexing.outlines.outline import Outline, kept_outline
from pagesight.indexing.outlines.read_outline import read_outline
from pagesight.indexing.pages import Box, Correction, DocumentRecord, Hits, PageRef, PageRow, PageText, Region
from pagesight.indexing.picture_question import (
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
from pagesight.indexing.preparing.shown_document import ShownDocument, ShownDocuments
from pagesight.indexing.ranking import Weights
from pagesight.indexing.retrieve import rank_all, retrieve
from pagesight.indexing.search import fusion_weight
from pagesight.indexing.settings import Settings
from pagesight.indexing.snapshot.array_file import SnapshotDamaged
from pagesight.indexing.storage.folder import disk_errors
from pagesight.indexing.storage.index_encoder import EncoderRecord, IndexEncoder

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def _reading(
    method: Callable[Concatenate[IndexReader, Arguments], Result],
) -> Callable[Concatenate[IndexReader, Arguments], Result]:
    """Makes a method go on where a file that readers open is damaged, if that can be made anew from the index."""

    @while_open
    @wraps(method)
    def read(self: IndexReader, /, *args: Arguments.args, **options: Arguments.kwargs) -> Result:
        try:
            return method(self, *args, **options)
        except SnapshotDamaged as damaged:
            try:
                made = self._parts.access.remake()
            except PageIndexError as error:
                raise damaged from error
            if made:
                warnings.warn(f"{damaged} That was done now.", IndexWarning, stacklevel=3)
            return method(self, *args, **options)

    return read


class IndexReader:
    """What `pagesight.indexing.PageIndex` does without writing.

    Every method that waits has a twin for asyncio with the same arguments, which runs in a thread and never blocks the
    loop: `asearch`, `atext` and so on.
    """

    def __init__(self, parts: IndexParts) -> None:
        self._parts = parts
        self._shown = ShownDocuments(parts.settings.documents)
        self._calls = OpenCalls(f"the index in {parts.place}", "Open it again with PageIndex.open.")

    @property
    def path(self) -> Path:
        """The index's folder; of an index on a server, the one with what this machine keeps of it."""
        return self._parts.folder.path

    @property
    def place(self) -> str:
        """Its folder or its address, as `open` takes it."""
        return self._parts.place

    @property
    def settings(self) -> Settings:
        """The settings that it was opened with."""
        return self._parts.settings

    @property
    def encoder(self) -> PageEncoder:
        """The encoder that its pages were made with, the first of several."""
        return self._parts.encoder

    @property
    def encoders(self) -> list[EncoderRecord]:
        """The encoders that its pages were made with, in the order in which they came."""
        return [one.told() for one in self._parts.encoders]

    @property
    def encoder_names(self) -> str:
        """The names of its encoders, as people are told of them."""
        return " and ".join(one.name for one in self._parts.encoders)

    def encoder_called(self, name: str) -> EncoderRecord:
        """The encoder of that name or id. Raises SettingsError for one that the index has not."""
        return self._parts.encoder_called(name).told()

    @property
    def fusion_weight(self) -> float:
        """How much (0 to 1) its encoders together count beside words in a search."""
        return fusion_weight([one.encoder for one in self._parts.encoders if one.recorded.finished])

    @_reading
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

    @_reading
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

    @_reading
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

    @_reading
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

    @_reading
    def pages(self) -> list[PageRow]:
        """The pages in the index as Milvus has them, without their text."""
        return self._parts.view().pages()

    @_reading
    def documents(self) -> list[DocumentRecord]:
        """The documents in the index, by name."""
        return self._parts.view().documents

    @_reading
    def printed_labels(self) -> Mapping[str, Mapping[str, int]]:
        """The names of the documents, each with the numbers of its pages by their printed labels, such as "iv"."""
        return self._parts.view().printed_labels()

    @while_open
    def document(self, name: str) -> DocumentRecord:
        """The document of that name, path or id. Raises UnknownDocument, with the names that come nearest."""
        return self._parts.view().find(name)

    @_reading
    def page(self, label: str) -> PageRef:
        """The page with that label, such as ``report.pdf p. 3``. Raises UnknownPage or UnknownDocument."""
        return self._parts.view().page(label)

    @while_open
    def picture(
        self, ref: PageRef, *, region: Region | None = None, long_side: int | None = None, dpi: float | None = None
    ) -> Image.Image:
        """The page, or a region of it, as an RGB picture, rendered anew from the kept document.

        ``long_side`` pixels of the longer side, or ``dpi`` dots per inch (144 if nothing is given). Raises UnknownPage,
        BadRegion, UnreadableDocument if the kept document is gone or was changed, or if drawing it takes more than
        `DocumentSettings.page_seconds`.
        """
        with self.opened(ref) as document:
            return document.picture(ref.page, dpi=dpi, long_side=long_side, region=region)

    @while_open
    def expect_pictures(self) -> None:
        """Start the process that draws pages, without waiting for it: the first picture then comes 0.4 s sooner."""
        self._shown.start()

    @_reading
    def opened(self, ref: PageRef) -> ShownDocument:
        """The kept document that the page is in; use it in a ``with`` statement. Raises as `picture` does."""
        row = self._parts.view().row(ref)
        return self._shown.open(self._parts.folder.documents.shown(row), Path(row.document))

    @_reading
    def text(self, ref: PageRef) -> str:
        """The page's text as it was read, in lines; empty if it has none. Raises UnknownPage."""
        view = self._parts.view()
        view.row(ref)
        return view.texts([ref.key]).get(ref.key, "")

    @_reading
    def outline(self, name: str, *, make: bool = True) -> Outline:
        """The outline of the document of that name, path or id: what its parts are called, and their pages.

        It is kept when a document is indexed; where none is kept, it is made from the kept document, which takes some
        milliseconds a page, or, unless ``make``, is empty. Raises UnknownDocument.
        """
        view, files = self._parts.view(), self._parts.page_files
        record = view.find(name)
        kept = kept_outline(files.of(record.document_id)) if files else None
        if kept or not make:
            return kept or Outline()
        refs, printed = record.page_refs, view.printed_labels()[record.document]
        texts = view.texts([ref.key for ref in refs])
        told = [texts.get(ref.key, "") for ref in refs]
        try:
            with self.opened(refs[0]) as document:
                return read_outline(document, told, printed)
        except SourceError:  # what was kept of it is gone
            return read_outline(None, told, printed)

    @_reading
    def page_kinds(self, name: str) -> dict[int, dict[str, float]]:
        """What kinds of page those of a document are, by number: each kind from 0 to 1. Raises UnknownDocument.

        See `pagesight.indexing.page_kinds.page_kinds.KINDS` for those that are told when a document is indexed;
        `classify` adds labels.
        """
        view = self._parts.view()
        return {row.page: row.kinds or {} for row in view.pages([view.find(name).document_id])}

    @_reading
    def words(self, ref: PageRef) -> PageText:
        """The page's words with their boxes and lines, as they were read when it was indexed.

        What was corrected of them is as corrected. Where the index does not have them, or not as they were written,
        they are read anew from the kept document, by OCR where it is needed, which raises as `picture` does. Raises
        UnknownPage.
        """
        row = self._parts.view().row(ref)
        return corrected(self._as_read(row), row.corrections)

    def _as_read(self, row: PageRow) -> PageText:
        if (kept := self._parts.folder.words.read(row)) is not None:
            return kept
        ref = row.ref
        with self.opened(ref) as document:
            return document.words(ref.page, ocr=self.settings.documents.ocr)

    @_reading
    def corrections_of(self, ref: PageRef) -> tuple[Correction, ...]:
        """The corrections of a page, the oldest first. Raises UnknownPage."""
        return self._parts.view().row(ref).corrections

    @_reading
    def corrections(self, documents: Sequence[str] | None = None) -> list[tuple[PageRef, Correction]]:
        """The corrections of these documents, or of all, in the order of documents, pages and times.

        Raises UnknownDocument.
        """
        view = self._parts.view()
        rows = view.pages(view.narrowed(documents, None))
        return [(row.ref, correction) for row in rows for correction in row.corrections]

    @_reading
    def multivector(self, ref: PageRef, *, encoder: str | None = None) -> MultiVector:
        """The page's vectors, (n, dim) float32, and their boxes, (n, 4) float16; by the first encoder if None is named.

        Raises UnknownPage, SettingsError for an encoder that the index has not.
        """
        return _read(self._parts.encoder_called(encoder), self._parts.view().row(ref))

    @_reading
    def query_vectors(self, question: Question, *, encoder: str | None = None) -> QueryVectors:
        """The question's vectors, as they are compared with those of pages; see `multivector`."""
        by, idf = self._parts.encoder_called(encoder), self._parts.view().statistics.idf
        asked = asked_words(question, self._parts.term_rules)
        return encode_question(by.encoder, by.id, question, asked, read_question(question, asked, idf), idf)

    @while_open
    def evidence(
        self,
        ref: PageRef,
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
        self, ref: PageRef, path: Path | str, query: Question, *, token: str | None = None, encoder: str | None = None
    ) -> Path:
        """Write the page as a PNG under a map of where it is like the query, or like one word of it; returns its path.

        By the index's first encoder, or the one of the name ``encoder``. Raises UnknownPage, BadToken, SettingsError
        for an encoder that the index has not, StorageFull, PageIndexError if the file cannot be written.
        """
        picture, page = self.picture(ref), self.multivector(ref, encoder=encoder)
        shape = picture.height, picture.width
        heat = similarity_map(self.query_vectors(query, encoder=encoder), page.vectors, page.boxes, shape, token)
        return _write_png(draw(picture, heat), Path(path))

    def close(self) -> None:
        """Let the index go; waits for other threads' calls. Twice is no error."""
        if self._calls.close():
            self._shown.close()
            give_back(self._parts)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    # Each does in a thread what the method without its first letter does.
    asearch = in_thread(search)
    apicture_question = in_thread(picture_question)
    alike = in_thread(like)
    arank = in_thread(rank)
    aaudit = in_thread(audit)
    apages = in_thread(pages)
    adocuments = in_thread(documents)
    aprinted_labels = in_thread(printed_labels)
    adocument = in_thread(document)
    apage = in_thread(page)
    apicture = in_thread(picture)
    atext = in_thread(text)
    aoutline = in_thread(outline)
    apage_kinds = in_thread(page_kinds)
    awords = in_thread(words)
    acorrections_of = in_thread(corrections_of)
    acorrections = in_thread(corrections)
    amultivector = in_thread(multivector)
    aquery_vectors = in_thread(query_vectors)
    aevidence = in_thread(evidence)
    aheatmap = in_thread(heatmap)
    aclose = in_thread(close)


def _read(by: IndexEncoder, row: PageRow) -> MultiVector:
    """A page's vectors by an encoder."""
    (page,) = by.multivectors.read([row])
    return MultiVector(page.vectors, page.boxes)


def _write_png(picture: Image.Image, path: Path) -> Path:
    with disk_errors(f"the picture {path} cannot be written"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png(picture, MAKER))
    return path
