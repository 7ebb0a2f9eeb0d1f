"""The document's journey: find → render → read → encode → write, in batches, so that it can be cut off and taken up.

How a batch is written, so that a page is whole or not there, stands in commit.py; running again does only what is
missing. While a batch is encoded the next one is read and the last one written: in memory are three batches at most,
and a page for each core.
"""

from __future__ import annotations

import logging
import os
import time
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from PIL import Image

from pagesight.indexing.commit import clear_away, remove_document, write_batch
from pagesight.indexing.documents.document import OpenDocument
from pagesight.indexing.documents.metadata import Metadata, read_sidecar
from pagesight.indexing.documents.open import open_document
from pagesight.indexing.documents.sources import Failure, Source, find_documents
from pagesight.indexing.documents.text import read_text
from pagesight.indexing.encoders import MultiVector
from pagesight.indexing.errors import MissingExtra, PagesightError, SourceError, UnreadableDocument
from pagesight.indexing.index_parts import IndexParts
from pagesight.indexing.pages import DocumentRecord, PageText
from pagesight.indexing.parallel import in_order, threads
from pagesight.indexing.storage.folder import disk_errors

_log = logging.getLogger(__name__)

# Small enough to lose little to a crash and to show progress, large enough that Milvus and the disk cost little a page.
_BATCH_PAGES = 8
_ENCODER_LONG_SIDE = 1540  # pixels; the vision encoders scale pages down to less


@dataclass(frozen=True)
class Progress:
    """How far indexing has come: pages done of all pages to do, and the document that is being read."""

    done_pages: int
    total_pages: int
    document: str


@dataclass
class AddReport:
    """What `PageIndex.add` did: ``pages`` written, ``seconds`` taken, and each path that failed with its reason."""

    added: list[DocumentRecord] = field(default_factory=list)
    replaced: list[DocumentRecord] = field(default_factory=list)
    unchanged: list[DocumentRecord] = field(default_factory=list)
    failed: list[Failure] = field(default_factory=list)
    pages: int = 0
    seconds: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """The report as it stands in ``index --json``."""
        return {
            "added": [record.as_dict() for record in self.added],
            "replaced": [record.as_dict() for record in self.replaced],
            "unchanged": [record.as_dict() for record in self.unchanged],
            "failed": [{"path": str(failure.path), "reason": str(failure.error)} for failure in self.failed],
            "pages": self.pages,
            "seconds": round(self.seconds, 3),
        }


@dataclass(frozen=True)
class _Job:
    """A document of which pages are missing in the index."""

    source: Source
    path: str
    page_count: int
    missing: list[int]
    metadata: Metadata


@dataclass(frozen=True)
class _Page:
    """A page that was read; ``picture`` None where the encoder looks at none, ``fault`` why the page is blank."""

    job: _Job
    document: OpenDocument
    number: int
    text: PageText
    picture: Image.Image | None
    fault: UnreadableDocument | None


def add_documents(
    parts: IndexParts,
    paths: Iterable[Path | str],
    progress: Callable[[Progress], None] | None,
    metadata: Metadata | None = None,
) -> AddReport:
    """Index the documents at the paths; what is unchanged is skipped, what changed replaces its old version.

    ``metadata`` goes to every document, over what its sidecar says; other metadata alone reads no document anew.

    A path that cannot be indexed stands in the report's ``failed``, and the others go on. ``progress`` is called after
    each batch of pages that was written, by the thread that writes. Raises StorageFull and other
    errors of the index itself; what was written until then stays.
    """
    started = time.monotonic()
    report = AddReport()
    clear_away(parts)
    jobs = list(_plan(parts, paths, metadata or {}, report))
    _log.debug("%d documents to index, %d unchanged, %d failed", len(jobs), len(report.unchanged), len(report.failed))
    _Run(parts, jobs, report, progress).go()
    if report.pages:
        parts.store.flush()
    report.seconds = time.monotonic() - started
    _log.debug("%d pages indexed in %.1f s", report.pages, report.seconds)
    return report


def _plan(parts: IndexParts, paths: Iterable[Path | str], metadata: Metadata, report: AddReport) -> Iterator[_Job]:
    """The documents with pages to do; notes what is unchanged or cannot be read."""
    found = find_documents(paths)
    report.failed += found.failures
    seen: set[str] = set()
    for source in found.sources:
        try:
            job = _job(parts, source, read_sidecar(source.path) | metadata)
        except SourceError as error:
            report.failed.append(Failure(source.path, error))
            continue
        if source.document_id in seen:  # the same content twice is one document
            continue
        seen.add(source.document_id)
        if job:
            yield job
        elif entry := parts.catalog.get(source.document_id):
            report.unchanged.append(entry.record)


def _job(parts: IndexParts, source: Source, metadata: Metadata) -> _Job | None:
    """What is to do for a source; None where nothing is."""
    path = str(source.path.resolve())
    entry = parts.catalog.get(source.document_id)
    if entry and entry.complete:
        parts.folder.documents.keep(source)  # lost, or added to a server by another machine
        _remove_older(parts, path, source.document_id)
        if metadata and metadata != entry.first.metadata:
            parts.catalog.add(parts.store.describe(source.document_id, metadata))
        return None
    with _open(parts, source.path) as document:
        count = document.page_count
    missing = [number for number in range(1, count + 1) if not entry or number not in entry.rows]
    return _Job(source, path, count, missing, metadata)


class _Run:
    """The journey of all documents that have pages to do.

    While a batch is encoded, in the thread that called, others read and render the next one and write the last one.
    """

    def __init__(
        self, parts: IndexParts, jobs: list[_Job], report: AddReport, progress: Callable[[Progress], None] | None
    ) -> None:
        self._parts, self._jobs, self._report, self._progress = parts, jobs, report, progress
        self._total = sum(len(job.missing) for job in jobs)

    def go(self) -> None:
        cores = os.cpu_count() or 1
        with ExitStack() as opened, threads(cores) as readers, threads(1) as writer:
            pages = in_order(readers, self._to_read(opened), _BATCH_PAGES + cores)
            for _ in in_order(writer, self._to_write(pages), 1):
                pass

    def _to_read(self, opened: ExitStack) -> Iterator[Callable[[], _Page]]:
        """A call for each page; a document that cannot be opened any more is reported."""
        for job in self._jobs:
            try:
                with self._disk_errors(job):
                    self._parts.folder.documents.keep(job.source)
                document = _open(self._parts, job.source.path)
            except SourceError as error:  # the file vanished or changed under our hands
                self._report.failed.append(Failure(job.source.path, error))
                continue
            opened.callback(document.close)
            for number in job.missing:
                yield partial(_read_page, self._parts, job, document, number)

    def _to_write(self, pages: Iterator[_Page]) -> Iterator[Callable[[], None]]:
        """A call for each batch, once it is encoded."""
        for batch in _batches(pages):
            self._report.failed += [Failure(page.job.source.path, page.fault) for page in batch if page.fault]
            started = time.monotonic()
            vectors = self._parts.encoder.encode_pages([page.picture for page in batch], [page.text for page in batch])
            _log.debug("%d pages encoded in %.0f ms", len(batch), (time.monotonic() - started) * 1000)
            yield partial(self._write, batch, vectors)

    def _write(self, batch: list[_Page], vectors: list[MultiVector]) -> None:
        job = batch[0].job
        with self._disk_errors(job):
            numbers, texts = [page.number for page in batch], [page.text for page in batch]
            write_batch(self._parts, _shared_fields(self._parts, job), numbers, texts, vectors)
            entry = self._parts.catalog.get(job.source.document_id)
            if entry and entry.complete:
                replaced = _remove_older(self._parts, job.path, job.source.document_id)
                (self._report.replaced if replaced else self._report.added).append(entry.record)
        self._report.pages += len(batch)
        if self._progress:
            self._progress(Progress(self._report.pages, self._total, job.source.path.name))

    def _disk_errors(self, job: _Job) -> AbstractContextManager[None]:
        return disk_errors(f"{job.source.path.name} could not be written to the index in {self._parts.place}")


def _read_page(parts: IndexParts, job: _Job, document: OpenDocument, number: int) -> _Page:
    """A page's words and, if the encoder looks at it, its picture; a damaged page of a sound document is blank."""
    text, picture, fault = PageText.empty(), None, None
    try:
        text = read_text(document, number, ocr=parts.settings.documents.ocr)
        if parts.encoder.needs_pictures:
            picture = document.picture(number, long_side=_ENCODER_LONG_SIDE)
    except UnreadableDocument as error:
        picture = Image.new("RGB", (_ENCODER_LONG_SIDE, _ENCODER_LONG_SIDE), "white")
        fault = UnreadableDocument(
            f"page {number} of {document.path.name} cannot be read ({error}); its other pages are indexed."
        )
    return _Page(job, document, number, text, picture, fault)


def _shared_fields(parts: IndexParts, job: _Job) -> dict[str, Any]:
    """What all pages of a document have in their rows; as it was where earlier pages are there already."""
    entry = parts.catalog.get(job.source.document_id)
    return {
        "document_id": job.source.document_id,
        "document": entry.first.document if entry else parts.catalog.unique_name(Path(job.path)),
        "path": entry.first.path if entry else job.path,
        "page_count": job.page_count,
        "ordinal": entry.first.ordinal if entry else parts.catalog.next_ordinal(),
        "size": job.source.size,
        "modified": job.source.modified,
        "metadata": entry.first.metadata if entry else job.metadata,
        "added": entry.first.added if entry else datetime.now(UTC).isoformat(timespec="microseconds"),
    }


def _remove_older(parts: IndexParts, path: str, document_id: str) -> bool:
    """Remove what the path held before; says whether that was something."""
    older = [entry for entry in parts.catalog.at_path(path) if entry.first.document_id != document_id]
    for entry in older:
        remove_document(parts, entry.first.document_id)
    return bool(older)


def _open(parts: IndexParts, path: Path) -> OpenDocument:
    try:
        return open_document(
            path, renderer=parts.settings.documents.renderer, max_pixels=parts.settings.documents.max_pixels
        )
    except MissingExtra:
        raise
    except PagesightError as error:
        raise error if isinstance(error, SourceError) else UnreadableDocument(str(error)) from error


def _batches(pages: Iterable[_Page]) -> Iterator[list[_Page]]:
    """Runs of consecutive pages of one document, no longer than a batch; a document is closed after its last page."""
    batch: list[_Page] = []
    for page in pages:
        batch.append(page)
        after = page.job.missing[bisect_right(page.job.missing, page.number) :][:1]
        if not after:
            page.document.close()
        if after != [page.number + 1] or len(batch) == _BATCH_PAGES:
            yield batch
            batch = []
