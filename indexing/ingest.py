"""The document's journey: find → render → read → encode → write, in batches, so that it can be cut off and taken up.

How a batch is written, so that a page is whole or not there, stands in writing.py; running again does only what is
missing.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pagesight.indexing.errors import MissingExtra, PagesightError, SourceError, UnreadableDocument
from pagesight.indexing.folder import disk_errors
from pagesight.indexing.metadata import Metadata, read_sidecar
from pagesight.indexing.pages import DocumentRecord, PageText
from pagesight.indexing.parts import IndexParts
from pagesight.indexing.render import OpenDocument, open_document
from pagesight.indexing.sources import Failure, Source, find_documents
from pagesight.indexing.text import read_text
from pagesight.indexing.writing import remove_document, write_batch

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


def add_documents(
    parts: IndexParts,
    paths: Iterable[Path | str],
    progress: Callable[[Progress], None] | None,
    metadata: Metadata | None = None,
) -> AddReport:
    """Index the documents at the paths; what is unchanged is skipped, what changed replaces its old version.

    ``metadata`` goes to every document, over what its sidecar says; other metadata alone reads no document anew.

    A path that cannot be indexed stands in the report's ``failed``, and the others go on. Raises StorageFull and other
    errors of the index itself; what was written until then stays.
    """
    started = time.monotonic()
    report = AddReport()
    jobs = list(_plan(parts, paths, metadata or {}, report))
    total = sum(len(job.missing) for job in jobs)
    for job in jobs:
        for done in _run(parts, job, report):
            report.pages += done
            if progress:
                progress(Progress(report.pages, total, job.source.path.name))
    if report.pages:
        parts.store.flush()
    report.seconds = time.monotonic() - started
    return report


def _plan(parts: IndexParts, paths: Iterable[Path | str], metadata: Metadata, report: AddReport) -> Iterator[_Job]:
    """The documents with pages to do; notes what is unchanged or cannot be read."""
    found = find_documents(paths)
    report.failed += found.failures
    planned: set[str] = set()
    for source in found.sources:
        try:
            job = _job(parts, source, read_sidecar(source.path) | metadata)
        except SourceError as error:
            report.failed.append(Failure(source.path, error))
            continue
        if job is None:
            entry = parts.catalog.get(source.document_id)
            if entry and entry.record not in report.unchanged:
                report.unchanged.append(entry.record)
        elif source.document_id not in planned:  # the same content twice is one document
            planned.add(source.document_id)
            yield job


def _job(parts: IndexParts, source: Source, metadata: Metadata) -> _Job | None:
    """What is to do for a source; None where nothing is."""
    path = str(source.path.resolve())
    entry = parts.catalog.get(source.document_id)
    if entry and entry.complete:
        _remove_older(parts, path, source.document_id)
        if metadata and metadata != entry.first.metadata:
            parts.catalog.add(parts.store.describe(source.document_id, metadata))
        return None
    with _open(parts, source.path) as document:
        count = document.page_count
    missing = [number for number in range(1, count + 1) if not entry or number not in entry.rows]
    return _Job(source, path, count, missing, metadata)


def _run(parts: IndexParts, job: _Job, report: AddReport) -> Iterator[int]:
    """Write the missing pages of a document, batch by batch; yields how many pages each batch had."""
    with disk_errors(f"{job.source.path.name} could not be written to the index in {parts.folder.path}"):
        parts.folder.keep(job.source)
        shared = _shared_fields(parts, job)
        try:
            with _open(parts, job.source.path) as document:
                for batch in _batches(job.missing):
                    _write_batch(parts, document, batch, shared, report)
                    yield len(batch)
        except SourceError as error:  # the file vanished or changed under our hands
            report.failed.append(Failure(job.source.path, error))
            return
    entry = parts.catalog.get(job.source.document_id)
    assert entry is not None
    replaced = _remove_older(parts, job.path, job.source.document_id)
    (report.replaced if replaced else report.added).append(entry.record)


def _write_batch(
    parts: IndexParts, document: OpenDocument, numbers: list[int], shared: dict[str, Any], report: AddReport
) -> None:
    # OCR of one page keeps one core busy; reading a text layer takes turns under pdfium's lock.
    with ThreadPoolExecutor(os.cpu_count()) as readers:
        texts = list(readers.map(lambda number: _read_page(parts, document, number, report), numbers))
    pictures = [
        document.picture(number, long_side=_ENCODER_LONG_SIDE) if parts.encoder.needs_pictures else None
        for number in numbers
    ]
    vectors = parts.encoder.encode_pages(pictures, texts)
    write_batch(parts, shared, numbers, texts, vectors)


def _read_page(parts: IndexParts, document: OpenDocument, number: int, report: AddReport) -> PageText:
    """The page's words; a damaged page of a sound document is without words, and reported."""
    try:
        return read_text(document, number, ocr=parts.settings.ocr)
    except UnreadableDocument as error:
        path = document.path
        note = UnreadableDocument(
            f"page {number} of {path.name} cannot be read ({error}); its other pages are indexed."
        )
        report.failed.append(Failure(path, note))
        return PageText.empty()


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
        return open_document(path, renderer=parts.settings.renderer, max_pixels=parts.settings.max_pixels)
    except MissingExtra:
        raise
    except PagesightError as error:
        raise error if isinstance(error, SourceError) else UnreadableDocument(str(error)) from error


def _batches(numbers: list[int]) -> Iterator[list[int]]:
    """Runs of consecutive page numbers, no longer than a batch."""
    batch: list[int] = []
    for number in numbers:
        if batch and (number != batch[-1] + 1 or len(batch) == _BATCH_PAGES):
            yield batch
            batch = []
        batch.append(number)
    if batch:
        yield batch
