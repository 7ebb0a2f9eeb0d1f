"""The document's journey: find → read → encode → write, in batches, so that it can be cut off and taken up.

How a batch is written, so that a page is whole or not there, stands in commit.py; running again does only what is
missing. Pages are read in processes of their own (preparing/). While a batch is encoded the next one is read and the
last one written: in memory are three batches at most, and a page for each core.
"""

from __future__ import annotations

import logging
import os
import time
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from pagesight.indexing.corrections.corrected import corrected
from pagesight.indexing.documents.kinds import DRAWN_KINDS
from pagesight.indexing.documents.metadata import Metadata, checked
from pagesight.indexing.documents.sources import Failure
from pagesight.indexing.encoders import MultiVector, foresee, settle_costs
from pagesight.indexing.encoders.interface import PICTURE_LONG_SIDE
from pagesight.indexing.errors import PagesightError, SourceError, UnreadableDocument
from pagesight.indexing.opening.index_parts import WritingParts
from pagesight.indexing.outlines.outline import keep_outline
from pagesight.indexing.pages import PageText
from pagesight.indexing.parallel import in_order, threads
from pagesight.indexing.preparing.page_readers import GivenUp, PageReaders
from pagesight.indexing.preparing.prepared_page import PreparedPage
from pagesight.indexing.storage.folder import disk_errors
from pagesight.indexing.writing.add_report import AddReport, PageWarning, Progress
from pagesight.indexing.writing.attached_documents import AttachedDocuments
from pagesight.indexing.writing.commit import remove_document, write_batch
from pagesight.indexing.writing.document_jobs import DocumentJob, Plan, remove_older
from pagesight.indexing.writing.page_selection import checked_selection
from pagesight.indexing.writing.recover import begin_writing, shared_fields

_log = logging.getLogger(__name__)

# Small enough to lose little to a crash and to show progress, large enough that Milvus and the disk cost little a page.
_BATCH_PAGES = 8

# Pages that Milvus Lite holds in memory before it writes them into files, for which it needs their memory several times
# (measured: 500 MB for 3,000 pages at once).
_PAGES_HELD = 500

# Pages in a row that are given up before the rest of their document is not tried: three minutes with the usual limit.
# A guess, not measured.
_GIVEN_UP_IN_A_ROW = 3


class _ReadPage(NamedTuple):
    """A page of a job as it was read; blank where it has a fault."""

    job: DocumentJob
    prepared: PreparedPage


def add_documents(
    parts: WritingParts,
    paths: Iterable[Path | str],
    progress: Callable[[Progress], None] | None,
    metadata: Metadata | None = None,
    stands_for: Mapping[Path, str] | None = None,
    approve: Callable[[int], None] | None = None,
    pages: str | None = None,
) -> AddReport:
    """Index the documents at the paths; what is unchanged is skipped, what changed replaces its old version.

    ``metadata`` goes to every document, over what its sidecar says; other metadata alone reads no document anew.

    What is damaged of a document is made anew. With ``stands_for`` what is read at a path counts as the document at
    another one, such as a kept copy as its original. ``pages`` are those that are wanted of each document, such as
    "3-9"; the others are blank. Raises SettingsError for what are no pages.

    A path that cannot be indexed stands in the report's ``failed``, and the others go on. ``progress`` is called after
    each batch of pages that was written, by the thread that writes, ``approve`` before the first with the number of
    pages to do. Raises StorageFull and other
    errors of the index itself; what was written until then stays.
    """
    started = time.monotonic()
    report = AddReport()
    wanted = checked_selection(pages) if pages else None
    begin_writing(parts)
    with PageReaders(parts.settings.documents, os.cpu_count() or 1) as readers, AttachedDocuments(readers) as attached:
        plan = Plan(parts, readers, attached, report, stands_for or {}, wanted)
        jobs = list(plan.jobs(paths, checked(metadata or {})))
        _log.debug(
            "%d documents to index, %d unchanged, %d failed", len(jobs), len(report.unchanged), len(report.failed)
        )
        if approve and jobs:
            approve(sum(job.to_read for job in jobs))
        try:
            if jobs:
                foresee(parts.encoder, partial(_foreseen, parts, jobs))
            _Journey(parts, readers, jobs, report, progress).go()
        finally:
            settle_costs(parts.encoder)
    if report.pages:
        parts.store.flush()
    report.seconds = time.monotonic() - started
    _log.debug("%d pages indexed in %.1f s", report.pages, report.seconds)
    return report


class _Journey:
    """The journey of all documents that have pages to do.

    While a batch is encoded, in the thread that called, others have the next one read and write the last one.
    """

    def __init__(
        self,
        parts: WritingParts,
        readers: PageReaders,
        jobs: list[DocumentJob],
        report: AddReport,
        progress: Callable[[Progress], None] | None,
    ) -> None:
        self._parts, self._readers, self._jobs = parts, readers, jobs
        self._report, self._progress = report, progress
        self._total = sum(job.to_read for job in jobs)
        self._written = 0  # pages that Milvus Lite holds in memory

    def go(self) -> None:
        cores = os.cpu_count() or 1
        with ExitStack() as ending:
            reading, writing = ending.enter_context(threads(cores)), ending.enter_context(threads(1))
            ending.callback(self._readers.close)  # before threads are waited for that wait for an answer
            pages = in_order(reading, self._to_read(), _BATCH_PAGES + cores)
            for _ in in_order(writing, self._to_write(pages), 1):
                pass

    def _to_read(self) -> Iterator[Callable[[], _ReadPage]]:
        """A call for each page; a document that cannot be read any more is reported."""
        for job in self._jobs:
            try:
                with self._disk_errors(job):
                    file = _kept(self._parts, job)
            except SourceError as error:  # the file vanished or changed under our hands
                self._report.failed.append(Failure(job.shown, error))
                continue
            for number in job.missing:
                yield partial(self._read, job, file, number)

    def _read(self, job: DocumentJob, file: Path, number: int) -> _ReadPage:
        """A page's words and, if the encoder looks at it, its picture; a damaged page of a sound document is blank."""
        if number in job.left_out:
            return _ReadPage(job, _blank(number, False))
        needs_picture = self._parts.encoder.needs_pictures
        try:
            if job.given_up >= _GIVEN_UP_IN_A_ROW:
                raise UnreadableDocument("not tried")
            prepared = self._readers.page(file, number, PICTURE_LONG_SIDE if needs_picture else None, called=job.shown)
        except UnreadableDocument as error:
            job.faults[number] = str(error)
            job.given_up += isinstance(error, GivenUp)
            return _ReadPage(job, _blank(number, needs_picture))
        job.given_up = 0
        for warning in prepared.warnings:
            job.warnings.setdefault(warning, []).append(number)
        return _ReadPage(job, prepared)

    def _to_write(self, pages: Iterator[_ReadPage]) -> Iterator[Callable[[], None]]:
        """A call for each batch, once it is encoded."""
        for job, batch in _batches(pages):
            started = time.monotonic()
            batch, vectors = self._encoded(job, batch)
            _log.debug("%d pages encoded in %.0f ms", len(batch), (time.monotonic() - started) * 1000)
            yield partial(self._write, job, batch, vectors)

    def _encoded(self, job: DocumentJob, batch: list[PreparedPage]) -> tuple[list[PreparedPage], list[MultiVector]]:
        """The pages with their vectors; those that are not wanted have none."""
        wanted = [page for page in batch if page.number not in job.left_out]
        pages, vectors = self._encoded_by_model(job, wanted) if wanted else ([], [])
        made = {page.number: (page, vector) for page, vector in zip(pages, vectors, strict=True)}
        nothing = MultiVector(np.zeros((0, self._parts.encoder.dim), np.float32), np.zeros((0, 4), np.float16))
        both = [made.get(page.number, (page, nothing)) for page in batch]
        return [page for page, _ in both], [vector for _, vector in both]

    def _encoded_by_model(
        self, job: DocumentJob, batch: list[PreparedPage]
    ) -> tuple[list[PreparedPage], list[MultiVector]]:
        """The pages with their vectors; one that the encoder cannot take is blank. Raises EncoderError, MemoryError."""
        encode = self._parts.encoder.encode_pages
        texts = [corrected(page.text, job.corrections.get(page.number, ())) for page in batch]
        try:
            return batch, encode([page.picture for page in batch], texts)
        except (PagesightError, MemoryError):
            raise
        except Exception as error:  # whatever an encoder says of a page
            if len(batch) > 1:
                alone = [self._encoded_by_model(job, [page]) for page in batch]
                return [pages[0] for pages, _ in alone], [vectors[0] for _, vectors in alone]
            number = batch[0].number
            if number in job.faults:  # a blank one: then it is the encoder's fault
                raise
            job.faults[number] = f"the encoder cannot take it: {type(error).__name__}: {error}"
            return self._encoded_by_model(job, [_blank(number, self._parts.encoder.needs_pictures)])

    def _write(self, job: DocumentJob, batch: list[PreparedPage], vectors: list[MultiVector]) -> None:
        with self._disk_errors(job):
            numbers, texts = [page.number for page in batch], [page.text for page in batch]
            labels, kinds = [page.label for page in batch], [page.kinds for page in batch]
            for page in batch:
                job.outlined.add(page.number, page.text, page.size[1], page.label)
            write_batch(
                self._parts, _shared_fields(self._parts, job), numbers, texts, labels, kinds, vectors, job.corrections
            )
            if numbers[-1] == job.missing[-1]:
                self._finish(job)
            self._written += len(numbers)
            if self._parts.page_files and self._written >= _PAGES_HELD:
                self._parts.flush()
                self._written = 0
        self._report.pages += sum(number not in job.left_out for number in numbers)
        if self._progress:
            self._progress(Progress(self._report.pages, self._total, job.name))

    def _finish(self, job: DocumentJob) -> None:
        """Report a document whose last page is written; one of which nothing could be read is taken out again."""
        if failure := job.failure():
            self._report.failed.append(failure)
        if job.is_blank:
            remove_document(self._parts, job.source.document_id)
            return
        self._report.warnings += [PageWarning(job.shown, text) for text in job.all_warnings()]
        if (entry := self._parts.catalog.get(job.source.document_id)) and entry.complete:
            replaced = remove_older(self._parts, job.path, job.source.document_id)
            self._keep_outline(job)
            new = self._report.replaced if replaced else self._report.added
            (self._report.repaired if job.repairs else new).append(entry.record)

    def _keep_outline(self, job: DocumentJob) -> None:
        """Keeps the outline of a document whose pages were all read now; that of another is made when it is asked for.

        An index on a server keeps none.
        """
        if self._parts.page_files and job.outlined.count == job.page_count:
            keep_outline(self._parts.page_files.of(job.source.document_id), job.outlined.outline())

    def _disk_errors(self, job: DocumentJob) -> AbstractContextManager[None]:
        return disk_errors(f"{job.name} could not be written to the index in {self._parts.place}")


def _kept(parts: WritingParts, job: DocumentJob) -> Path:
    """What the index keeps of the document, which is what is read: known to be the bytes that were hashed."""
    documents = parts.folder.documents
    documents.keep(job.source)
    if job.source.kind in DRAWN_KINDS:
        return documents.drawn(job.source.document_id, job.source.path.suffix)
    return documents.path(job.source.document_id, Path(job.path).suffix)


def _foreseen(parts: WritingParts, jobs: Sequence[DocumentJob]) -> Iterator[Image.Image]:
    """The pictures of all pages that will be encoded; those that cannot be read are left to the journey to name."""
    without_ocr = parts.settings.documents.model_copy(update={"ocr": False})
    with PageReaders(without_ocr, os.cpu_count() or 1) as readers:
        for job in jobs:
            with suppress(SourceError):
                file = _kept(parts, job)
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


def _shared_fields(parts: WritingParts, job: DocumentJob) -> dict[str, Any]:
    """What all pages of a document have in their rows; as it was where the index has or had some of them."""
    known = shared_fields(parts, job.source.document_id)
    if known:
        return known | {"page_count": job.page_count}
    return {
        "document_id": job.source.document_id,
        "document": parts.catalog.unique_name(Path(job.path)),
        "path": job.path,
        "ordinal": parts.catalog.next_ordinal(),
        "metadata": job.metadata,
        "added": datetime.now(UTC).isoformat(timespec="microseconds"),
        "page_count": job.page_count,
        "size": job.source.size,
        "modified": job.source.modified,
    }


def _batches(pages: Iterable[_ReadPage]) -> Iterator[tuple[DocumentJob, list[PreparedPage]]]:
    """Runs of consecutive pages of one document, no longer than a batch."""
    batch: list[PreparedPage] = []
    for job, page in pages:
        batch.append(page)
        after = job.missing[bisect_right(job.missing, page.number) :][:1]
        if after != [page.number + 1] or len(batch) == _BATCH_PAGES:
            yield job, batch
            batch = []
