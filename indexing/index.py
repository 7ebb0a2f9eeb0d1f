"""The front door: an index of pages that documents are added to and questions are asked of."""

from __future__ import annotations

import asyncio
import os
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import wraps
from pathlib import Path
from types import TracebackType
from typing import Concatenate, ParamSpec, TypeVar

from PIL import Image

from pagesight.indexing.audit.audit import Audit, audit
from pagesight.indexing.corrections.corrected import corrected
from pagesight.indexing.destinations import index_set
from pagesight.indexing.documents.conditions import read_condition
from pagesight.indexing.documents.document import check_region
from pagesight.indexing.documents.metadata import Metadata
from pagesight.indexing.documents.own_files import maker_of_pictures
from pagesight.indexing.encoders import MultiVector, PageEncoder, QueryVectors
from pagesight.indexing.encoders.interface import PICTURE_LONG_SIDE
from pagesight.indexing.errors import IndexWarning, PageIndexError, SourceError
from pagesight.indexing.highlight.best_places import best_boxes
from pagesight.indexing.highlight.mark import Mask, mark
from pagesight.indexing.highlight.similarity_map import draw, similarity_map
from pagesight.indexing.ingest import add_documents
from pagesight.indexing.labels.page_labels import page_mention
from pagesight.indexing.open_calls import OpenCalls, in_thread, while_open
from pagesight.indexing.opening.index_parts import IndexParts
from pagesight.indexing.opening.named_encoder import Asked
from pagesight.indexing.opening.open_index import give_back, take, with_encoder
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
from pagesight.indexing.preparing.add_report import AddReport, Progress
from pagesight.indexing.preparing.shown_document import ShownDocument, ShownDocuments
from pagesight.indexing.retrieve import Weights, rank_all, retrieve
from pagesight.indexing.search import fusion_weight
from pagesight.indexing.settings import Settings, load_settings
from pagesight.indexing.snapshot.array_file import SnapshotDamaged
from pagesight.indexing.storage.folder import disk_errors
from pagesight.indexing.storage.index_encoder import EncoderRecord, IndexEncoder
from pagesight.indexing.storage.removed import RemovedDocuments
from pagesight.indexing.writing.classify import Classified, classify
from pagesight.indexing.writing.commit import remove_document
from pagesight.indexing.writing.correct import correct_words, undo_correction
from pagesight.indexing.writing.encoder_changes import add_encoder, remove_encoder
from pagesight.indexing.writing.given_files import Given, GivenFiles, several
from pagesight.indexing.writing.recover import begin_writing, restore_documents

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def _reading(
    method: Callable[Concatenate[PageIndex, Arguments], Result],
) -> Callable[Concatenate[PageIndex, Arguments], Result]:
    """Makes a method go on where a file that readers open is damaged, if that can be made anew from the index."""

    @while_open
    @wraps(method)
    def read(self: PageIndex, /, *args: Arguments.args, **options: Arguments.kwargs) -> Result:
        try:
            return method(self, *args, **options)
        except SnapshotDamaged as damaged:
            try:
                self._parts.access.remake()
            except PageIndexError as error:
                raise damaged from error
            warnings.warn(f"{damaged} That was done now.", IndexWarning, stacklevel=3)
            return method(self, *args, **options)

    return read


class PageIndex:
    """An open index. Made with `open`; close it, or use it in a ``with`` or ``async with`` statement.

    Any number of threads and processes may search while one adds or removes; each sees whole documents only. In one
    process the same index can be opened more than once. Every method that waits has a twin for asyncio with the same
    arguments, which runs in a thread and never blocks the loop: `asearch`, `aadd` and so on.
    """

    def __init__(self, parts: IndexParts) -> None:
        self._parts = parts
        self._shown = ShownDocuments(parts.settings.documents)
        self._calls = OpenCalls(f"the index in {parts.place}", "Open it again with PageIndex.open.")

    @classmethod
    def open(
        cls,
        path_or_uri: str | os.PathLike[str] | None = None,
        *,
        encoder: Asked = None,
        settings: Settings | None = None,
        create: bool = True,
    ) -> PageIndex:
        """Open the index in a folder, or make one there.

        ``path_or_uri`` a folder, or ``http://HOST:PORT/NAME`` or ``https://…`` on a Milvus server; `Settings.index` if
        None. ``encoder`` its name, or several; by default those that the index has. Raises IndexMissing if there is
        none and ``create`` is false, IndexInUse if another process is making it, EncoderMismatch, ServerUnreachable,
        LoginRefused, SettingsError for an unknown encoder, PageIndexError if it is damaged.
        """
        settings = settings or load_settings()
        place = os.fspath(path_or_uri) if path_or_uri is not None else index_set(settings)
        return cls(take(place, encoder, settings, create))

    @classmethod
    async def aopen(
        cls,
        path_or_uri: str | os.PathLike[str] | None = None,
        *,
        encoder: Asked = None,
        settings: Settings | None = None,
        create: bool = True,
    ) -> PageIndex:
        """`open`, in a thread: loading an encoder or reaching a server takes seconds."""
        return await asyncio.to_thread(cls.open, path_or_uri, encoder=encoder, settings=settings, create=create)

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

    def encoder_called(self, name: str) -> EncoderRecord:
        """The encoder of that name or id. Raises SettingsError for one that the index has not."""
        return self._parts.encoder_called(name).told()

    @property
    def fusion_weight(self) -> float:
        """How much (0 to 1) its encoders together count beside words in a search."""
        return fusion_weight([one.encoder for one in self._parts.encoders if one.recorded.finished])

    @while_open
    def use_encoder(self, name: str) -> None:
        """Make an index without documents anew with another encoder; nothing is done where it has that one already.

        Raises PageIndexError, before anything is asked of the encoder, for an index that has documents, is on a server
        or is open more than once in this process; IndexInUse, SettingsError for an unknown encoder, EncoderError.
        """
        if name != self.encoder.name:
            self._parts = with_encoder(self._parts, name)

    @while_open
    def add(
        self,
        paths: Iterable[Given] | Given,
        *,
        progress: Callable[[Progress], None] | None = None,
        metadata: Metadata | None = None,
        approve: Callable[[int], None] | None = None,
        pages: str | None = None,
    ) -> AddReport:
        """Index documents: files, or folders with all documents in them.

        An ``https://`` address is one file, fetched from public addresses alone. What has no path is given as a name
        with bytes or an open file, ``("report.pdf", content)``, or as an open file that has a name, by which it is
        known. ``pages`` are those that are wanted of each document: "3-9", "1,4-", "-1" for the last; the others stay
        blank, and numbers are the document's own.
        What is unchanged is skipped, what changed replaces its old version, and an interrupted run is taken up.
        ``metadata`` such as ``{"year": 2023}`` goes to all of them, over what each one's sidecar says (metadata.py).
        ``progress`` is called after each batch of pages, ``approve`` once with the number of pages to encode, before
        the first: what it raises ends the run. A path that cannot be indexed stands in the report's
        ``failed`` and does not keep the others. Raises StorageFull if the disk is full; what was written stays;
        IndexInUse if another process writes for longer than `SharingSettings.wait`; PageIndexError if the settings ask
        for another precision or pooling than the index has.
        """
        self._refuse_other_layout()
        with GivenFiles(several(paths), self.settings.documents) as given, self._parts.writing() as parts:
            report = add_documents(parts, given.paths, progress, metadata, given.stands_for, approve, pages)
            return given.as_named(report)

    @while_open
    def commit(
        self, shards: Iterable[Path | str] | Path | str, *, progress: Callable[[Progress], None] | None = None
    ) -> AddReport:
        """Take in the shards that `prepare` made, files or folders of them, as `add` would take in their documents.

        What the index has is skipped, an interrupted run is taken up. Nothing is read or encoded anew. A shard that
        cannot be taken in stands in the report's ``failed``, shards of another encoder, precision, pooling or number
        of candidate vectors in ``passed_over``. Raises EncoderMismatch if all are such, and what `add` raises.
        """
        from pagesight.indexing.shards.commit_shards import commit_shards  # pyarrow, which nothing else here needs

        self._refuse_other_layout()
        with self._parts.writing() as parts:
            return commit_shards(parts, [shards] if isinstance(shards, str | Path) else shards, progress)

    @while_open
    def add_encoder(
        self,
        name: str,
        *,
        progress: Callable[[Progress], None] | None = None,
        approve: Callable[[int], None] | None = None,
    ) -> AddReport:
        """Have all pages seen by a further encoder, from the documents that the index keeps; searches use it then, too.

        Called again it goes on where it was cut off; for one that all pages have vectors of it does nothing.
        ``approve`` is called with the number of pages to encode, before anything is changed: what it raises ends it.
        Documents that cannot be read any more stand in the report's ``failed``: until they can, no search uses the
        encoder. Raises SettingsError for an unknown encoder, IndexInUse as `add` does, and what an encoder raises.
        """
        return add_encoder(self._parts, name, self.settings, progress, approve)

    @while_open
    def remove_encoder(self, name: str) -> EncoderRecord:
        """Remove an encoder and all that it made; searches do without it from now on.

        Raises SettingsError for one that the index has not, or the only one; IndexInUse as `add` does.
        """
        return remove_encoder(self._parts, name).told()

    @while_open
    def classify(
        self,
        labels: Sequence[str],
        *,
        encoder: str | None = None,
        prompt: str | None = None,
        documents: Sequence[str] | None = None,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> Classified:
        """Say of each page how much it is of each label (0 to 1, together 1), without examples, and keep that.

        For `page_kinds`, and conditions such as ``page_letter >= 0.5``. By the ``encoder`` of that name, or the first
        one that looks at pages; ``prompt`` is what it is asked, with ``{label}`` in it. A page's labels of an earlier
        call go. Raises RequestError for labels that cannot be asked for and where no encoder looks, UnknownDocument,
        IndexInUse as `add` does, and what an encoder raises.
        """
        return classify(self._parts, labels, encoder, prompt, documents, progress)

    @_reading
    def search(
        self,
        query: Question | Image.Image,
        *,
        top_k: int | None = None,
        documents: Sequence[str] | None = None,
        where: str | None = None,
    ) -> Hits:
        """The pages that answer the query best, best first, at most ``top_k`` (default `SearchSettings.top_k`).

        A ``query`` is words, a picture, or what `picture_question` and `like` make of a picture and words.
        ``documents`` restricts it to these, by name, path, id or a pattern such as ``reports/*``; no names are none.
        ``where`` restricts it to those whose metadata meets a condition such as ``year >= 2020 and kind == "10-K"``,
        and to pages of a kind, as in ``page_chart`` (`page_kinds`).
        Raises EmptyQuestion, UnknownDocument, BadCondition, ValueError for a ``top_k`` below 1.
        """
        wanted = self.settings.search.top_k if top_k is None else top_k
        if wanted < 1:
            raise ValueError(f"top_k must be at least 1, not {wanted}")
        condition = read_condition(where) if where else None
        question = self.picture_question(query) if isinstance(query, Image.Image) else query
        return retrieve(self._parts, question, wanted, None if documents is None else list(documents), condition)

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
    def remove(self, names_or_paths: Iterable[str | Path] | str | Path) -> list[DocumentRecord]:
        """Remove documents by name, path or id and return them; `restore` takes them back until the next call.

        Raises UnknownDocument before it removes any, IndexInUse as `add` does.
        """
        several = [names_or_paths] if isinstance(names_or_paths, str | Path) else list(names_or_paths)
        with self._parts.writing() as parts:
            view = parts.catalog.view()
            records = {record.document_id: record for record in (view.find(str(name)) for name in several)}
            begin_writing(parts)
            removed = RemovedDocuments(self.path) if parts.page_files and records else None
            if removed:
                removed.clear()
            for document_id in records:
                remove_document(parts, document_id, removed)
            parts.flush()
        return list(records.values())

    @while_open
    def removed(self) -> list[DocumentRecord]:
        """What the last `remove` took out and `restore` can take back, for 30 days."""
        kept = RemovedDocuments(self.path) if self._parts.page_files else None
        return sorted(kept.records().values(), key=lambda record: record.document) if kept else []

    @while_open
    def restore(self, names: Iterable[str] | str) -> list[DocumentRecord]:
        """Take back documents of the last `remove`, by name or id, and return them.

        Raises UnknownDocument before it takes back any, PageIndexError where another document is at its path by now.
        """
        several = [names] if isinstance(names, str) else list(names)
        with self._parts.writing() as parts:
            begin_writing(parts)
            return restore_documents(parts, RemovedDocuments(self.path), several)

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

    @while_open
    def correct(self, ref: PageRef, was: str, now: str, *, at: Box | int | None = None, by: str = "") -> Correction:
        """Correct words of a page that were read wrongly; they are searched, quoted and marked so from then on.

        ``was`` are words side by side in a line as they are read, or a part of one between punctuation. Where they
        stand on the page more than once, ``at`` is the number of the one that is meant, from 1, or the box of these
        very words. ``by`` says who corrects. Kept with the page, also when it is read anew, until the document
        changes or is removed. Raises BadCorrection, IndexInUse as `add` does, and what `picture` raises.
        """
        read = self._as_read(self._parts.view().row(ref))
        with self._parts.writing() as parts:
            return correct_words(parts, ref, read, was, now, at, by)

    @while_open
    def undo_correction(self, ref: PageRef, known: str) -> list[Correction]:
        """Take back a correction of a page by its id, and those made later of the same words; returns them.

        Raises as `correct` does.
        """
        read = self._as_read(self._parts.view().row(ref))
        with self._parts.writing() as parts:
            return undo_correction(parts, ref, read, known)

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

    def __enter__(self) -> PageIndex:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> PageIndex:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    # Each does in a thread what the method without its first letter does.
    ause_encoder = in_thread(use_encoder)
    aadd = in_thread(add)
    acommit = in_thread(commit)
    aadd_encoder = in_thread(add_encoder)
    aremove_encoder = in_thread(remove_encoder)
    aclassify = in_thread(classify)
    asearch = in_thread(search)
    apicture_question = in_thread(picture_question)
    alike = in_thread(like)
    arank = in_thread(rank)
    aaudit = in_thread(audit)
    apages = in_thread(pages)
    adocuments = in_thread(documents)
    aremove = in_thread(remove)
    aremoved = in_thread(removed)
    arestore = in_thread(restore)
    adocument = in_thread(document)
    aprinted_labels = in_thread(printed_labels)
    apage = in_thread(page)
    apicture = in_thread(picture)
    atext = in_thread(text)
    aoutline = in_thread(outline)
    apage_kinds = in_thread(page_kinds)
    awords = in_thread(words)
    acorrect = in_thread(correct)
    aundo_correction = in_thread(undo_correction)
    acorrections = in_thread(corrections)
    acorrections_of = in_thread(corrections_of)
    amultivector = in_thread(multivector)
    aquery_vectors = in_thread(query_vectors)
    aevidence = in_thread(evidence)
    aheatmap = in_thread(heatmap)
    aclose = in_thread(close)

    def _refuse_other_layout(self) -> None:
        layouts, asked = [one.recorded.layout for one in self._parts.encoders], self.settings.vectors
        for name, wanted in (("precision", asked.precision), ("pool", asked.pool)):
            has = [getattr(layout, name) for layout in layouts]
            if wanted not in (None, *has):
                raise PageIndexError(
                    f"the index in {self._parts.place} was made with --{name} {has[0]}, not {wanted}. Leave out "
                    f"--{name} (and PAGESIGHT_{name.upper()}) to go on with it, or make a new index: "
                    f"`pagesight index PATH… --{name} {wanted} --index OTHER`."
                )


def _read(by: IndexEncoder, row: PageRow) -> MultiVector:
    """A page's vectors by an encoder."""
    (page,) = by.multivectors.read([row])
    return MultiVector(page.vectors, page.boxes)


def _write_png(picture: Image.Image, path: Path) -> Path:
    with disk_errors(f"the picture {path} cannot be written"):
        path.parent.mkdir(parents=True, exist_ok=True)
        picture.save(path, "PNG", pnginfo=maker_of_pictures())
    return path
