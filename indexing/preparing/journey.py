"""The first half of a document's journey: its pages read and encoded, in batches, and handed to who keeps them.

Pages are read in processes of their own. While a batch is encoded the next one is read and the last one taken: in
memory are three batches at most, and a page for each core; some more of an encoder that is asked over a network, and is
sent them before those that it has are done. Nothing here knows where pages go: into an index
(writing/) or into a file of their own (shards/).
"""

from __future__ import annotations

import logging
import os
import time
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
from PIL import Image

from pagesight.indexing.configuration.setting_groups import DocumentSettings
from pagesight.indexing.corrections.corrected import corrected
from pagesight.indexing.documents.kinds import DRAWN_KINDS
from pagesight.indexing.documents.sources import Failure
from pagesight.indexing.encoders import (
    MultiVector,
    PageEncoder,
    begin_pages,
    foresee,
    pages_ahead,
    settle_costs,
)
from pagesight.indexing.encoders.interface import PICTURE_LONG_SIDE
from pagesight.indexing.errors import PagesightError, SourceError, UnreadableDocument
from pagesight.indexing.pages import PageText
from pagesight.indexing.parallel import in_order, threads
from pagesight.indexing.preparing.document_job import DocumentJob
from pagesight.indexing.preparing.encoded_page import EncodedPage, Recipe, encoded
from pagesight.indexing.preparing.page_readers import GivenUp, PageReaders
from pagesight.indexing.preparing.prepared_page import PreparedPage
from pagesight.indexing.storage.kept_documents import KeptDocuments

_log = logging.getLogger(__name__)

# Small enough to lose little to a crash and to show progress, large enough that Milvus and the disk cost little a page.
_BATCH_PAGES = 8

# Pages in a row that are given up before the rest of their document is not tried: three minutes with the usual limit.
# A guess, not measured.
_GIVEN_UP_IN_A_ROW = 3

#: Keeps consecutive pages of a document; called by one thread, batch after batch, document after document.
Take = Callable[[DocumentJob, list[EncodedPage]], None]


_Numbered = TypeVar("_Numbered", PreparedPage, EncodedPage)


class _ReadPage(NamedTuple):
    """A page of a job as it was read; blank where it has a fault."""

    job: DocumentJob
    prepared: PreparedPage


#: Gives the vectors of a batch, as soon as they are there.
_Vectors = Callable[[], list[MultiVector]]


class _Begun(NamedTuple):
    """A batch of pages of a job, and what gives its vectors, by each encoder's name."""

    job: DocumentJob
    batch: list[PreparedPage]
    vectors: dict[str, _Vectors]


@dataclass(frozen=True)
class Journey:
    """The journey of the pages that are missing of some documents.

    ``keep`` gives the file to read of a document, known to be the bytes that were hashed, and raises SourceError where
    it cannot: that goes to ``failed``, and the others go on. ``words`` gives those of a page that were read before:
    they are not read anew.
    """

    jobs: Iterable[DocumentJob]
    encoders: Sequence[PageEncoder]
    recipe: Recipe
    readers: PageReaders
    keep: Callable[[DocumentJob], Path]
    failed: Callable[[Failure], None]
    words: Callable[[DocumentJob, int], PageText | None] = lambda job, number: None

    def go(self, take: Take, *, told_before: DocumentSettings | None = None) -> None:
        """Read and encode all pages. Raises what ``take`` and the encoders raise.

        With ``told_before`` the encoders are told of all pages first, read with these settings: then ``jobs`` are gone
        through several times.
        """
        try:
            if told_before and self.jobs:
                for encoder in self.encoders:
                    foresee(encoder, partial(_foreseen, told_before, self.keep, self.jobs))
            self._read_encode_take(take)
        finally:
            for encoder in self.encoders:
                settle_costs(encoder)

    @property
    def _needs_pictures(self) -> bool:
        return any(encoder.needs_pictures for encoder in self.encoders)

    def _read_encode_take(self, take: Take) -> None:
        cores = os.cpu_count() or 1
        with ExitStack() as ending:
            reading, taking = ending.enter_context(threads(cores)), ending.enter_context(threads(1))
            ending.callback(self.readers.close)  # before threads are waited for that wait for an answer
            pages = in_order(reading, self._to_read(), _BATCH_PAGES + cores)
            for _ in in_order(taking, self._to_take(pages, take), 1):
                pass

    def _to_read(self) -> Iterator[Callable[[], _ReadPage]]:
        """A call for each page; a document that cannot be read any more is reported."""
        for job in self.jobs:
            try:
                file = self.keep(job)
            except SourceError as error:  # the file vanished or changed under our hands
                self.failed(Failure(job.shown, error))
                continue
            for number in job.missing:
                yield partial(self._read, job, file, number)

    def _read(self, job: DocumentJob, file: Path, number: int) -> _ReadPage:
        """A page's words and, if an encoder looks at it, its picture; a damaged page of a sound document is blank."""
        if number in job.left_out:
            return _ReadPage(job, _blank(number, False))
        try:
            if job.given_up >= _GIVEN_UP_IN_A_ROW:
                raise UnreadableDocument("not tried")
            prepared = self._prepared(job, file, number)
        except UnreadableDocument as error:
            job.faults[number] = str(error)
            job.given_up += isinstance(error, GivenUp)
            return _ReadPage(job, _blank(number, self._needs_pictures))
        job.given_up = 0
        for warning in prepared.warnings:
            job.warnings.setdefault(warning, []).append(number)
        return _ReadPage(job, prepared)

    def _prepared(self, job: DocumentJob, file: Path, number: int) -> PreparedPage:
        """A page as the encoders need it. Raises UnreadableDocument."""
        words = self.words(job, number)
        if words is not None and not self._needs_pictures:
            return PreparedPage(number, words, (0.0, 0.0))
        long_side = PICTURE_LONG_SIDE if self._needs_pictures else None
        page = self.readers.page(file, number, long_side, called=job.shown)
        return page if words is None else replace(page, text=words)

    def _to_take(self, pages: Iterator[_ReadPage], take: Take) -> Iterator[Callable[[], None]]:
        """A call for each batch, once its vectors are there."""
        ahead = max(map(pages_ahead, self.encoders), default=0) // _BATCH_PAGES
        begun: deque[_Begun] = deque()
        for job, batch in batches(pages):
            begun.append(self._begin(job, batch))
            if len(begun) > ahead:
                yield self._to_take_one(begun.popleft(), take)
        while begun:
            yield self._to_take_one(begun.popleft(), take)

    def _begin(self, job: DocumentJob, batch: list[PreparedPage]) -> _Begun:
        wanted = [page for page in batch if page.number not in job.left_out]
        return _Begun(job, batch, {one.name: self._begun(one, job, wanted) for one in self.encoders} if wanted else {})

    def _begun(self, encoder: PageEncoder, job: DocumentJob, batch: list[PreparedPage]) -> _Vectors:
        texts = [corrected(page.text, job.corrections.get(page.number, ())) for page in batch]
        return begin_pages(encoder, [page.picture if encoder.needs_pictures else None for page in batch], texts)

    def _to_take_one(self, begun: _Begun, take: Take) -> Callable[[], None]:
        started = time.monotonic()
        batch, vectors = self._encoded(begun)
        _log.debug("%d pages encoded in %.0f ms", len(batch), (time.monotonic() - started) * 1000)
        return partial(self._take, begun.job, batch, vectors, take)

    def _take(
        self, job: DocumentJob, batch: list[PreparedPage], vectors: dict[str, list[MultiVector]], take: Take
    ) -> None:
        take(job, encoded(batch, vectors, self.recipe, job.corrections))

    def _encoded(self, begun: _Begun) -> tuple[list[PreparedPage], dict[str, list[MultiVector]]]:
        """The pages with their vectors by each encoder's name; those that are not wanted have none."""
        job, batch, made_by = begun
        vectors = {}
        for encoder in self.encoders:
            wanted = [page for page in batch if page.number not in job.left_out]
            pages, made = self._encoded_by_model(encoder, job, wanted, made_by[encoder.name]) if wanted else ([], [])
            taken = {page.number: page for page in pages}
            batch = [taken.get(page.number, page) for page in batch]
            by_page = dict(zip(taken, made, strict=True))
            nothing = MultiVector(np.zeros((0, encoder.dim), np.float32), np.zeros((0, 4), np.float16))
            vectors[encoder.name] = [by_page.get(page.number, nothing) for page in batch]
        return batch, vectors

    def _encoded_by_model(
        self, encoder: PageEncoder, job: DocumentJob, batch: list[PreparedPage], begun: _Vectors
    ) -> tuple[list[PreparedPage], list[MultiVector]]:
        """The pages with their vectors; one that the encoder cannot take is blank. Raises EncoderError, MemoryError."""
        try:
            return batch, begun()
        except (PagesightError, MemoryError):
            raise
        except Exception as error:  # whatever an encoder says of a page
            if len(batch) > 1:
                alone = [self._encoded_alone(encoder, job, page) for page in batch]
                return [pages[0] for pages, _ in alone], [vectors[0] for _, vectors in alone]
            number = batch[0].number
            if number in job.faults:  # a blank one: then it is the encoder's fault
                raise
            job.faults[number] = f"the encoder cannot take it: {type(error).__name__}: {error}"
            return self._encoded_alone(encoder, job, _blank(number, self._needs_pictures))

    def _encoded_alone(
        self, encoder: PageEncoder, job: DocumentJob, page: PreparedPage
    ) -> tuple[list[PreparedPage], list[MultiVector]]:
        return self._encoded_by_model(encoder, job, [page], self._begun(encoder, job, [page]))


def file_kept(documents: KeptDocuments, job: DocumentJob) -> Path:
    """What is kept of the job's document, which is what is read. Raises UnreadableDocument."""
    documents.keep(job.source)
    if job.source.kind in DRAWN_KINDS:
        return documents.drawn(job.source.document_id, job.source.path.suffix)
    return documents.path(job.source.document_id, Path(job.path).suffix)


def _foreseen(
    settings: DocumentSettings, keep: Callable[[DocumentJob], Path], jobs: Iterable[DocumentJob]
) -> Iterator[Image.Image]:
    """The pictures of all pages that will be encoded; those that cannot be read are left to the journey to name."""
    without_ocr = settings.model_copy(update={"ocr": False})
    with PageReaders(without_ocr, os.cpu_count() or 1) as readers:
        for job in jobs:
            with suppress(SourceError):
                file = keep(job)
                for number in job.missing:
                    if number not in job.left_out:
                        with suppress(UnreadableDocument):
                            page = readers.page(file, number, PICTURE_LONG_SIDE, called=job.shown)
                            if page.picture:
                                yield page.picture


def _blank(number: int, needs_picture: bool) -> PreparedPage:
    """A page that cannot be read, as the index has it."""
    side = PICTURE_LONG_SIDE
    picture = Image.new("RGB", (side, side), "white") if needs_picture else None
    return PreparedPage(number, PageText.empty(), (0.0, 0.0), picture=picture)


def batches(pages: Iterable[tuple[DocumentJob, _Numbered]]) -> Iterator[tuple[DocumentJob, list[_Numbered]]]:
    """Runs of consecutive pages of one document, no longer than a batch; the pages are those that the job misses."""
    batch: list[_Numbered] = []
    for job, page in pages:
        batch.append(page)
        after = job.missing[bisect_right(job.missing, page.number) :][:1]
        if after != [page.number + 1] or len(batch) == _BATCH_PAGES:
            yield job, batch
            batch = []
