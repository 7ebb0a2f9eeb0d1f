"""The document's journey: find → read → encode → write, in batches, so that it can be cut off and taken up.

Its halves stand in preparing/journey.py and writing/take_pages.py.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from pagesight.indexing.documents.metadata import Metadata, checked
from pagesight.indexing.opening.index_parts import WritingParts
from pagesight.indexing.preparing.add_report import AddReport, Progress
from pagesight.indexing.preparing.attached_documents import AttachedDocuments
from pagesight.indexing.preparing.document_job import DocumentJob
from pagesight.indexing.preparing.journey import Journey, file_kept
from pagesight.indexing.preparing.page_readers import PageReaders
from pagesight.indexing.preparing.page_selection import checked_selection
from pagesight.indexing.storage.folder import disk_errors
from pagesight.indexing.writing.document_jobs import Plan
from pagesight.indexing.writing.recover import begin_writing, take_lost_rows
from pagesight.indexing.writing.take_pages import PageTaker

_log = logging.getLogger(__name__)


def add_documents(
    parts: WritingParts,
    paths: Iterable[Path | str],
    progress: Callable[[Progress], None] | None,
    metadata: Metadata | None = None,
    stands_for: Mapping[Path, str] | None = None,
    approve: Callable[[int], None] | None = None,
    pages: str | None = None,
    opened: Callable[[Progress], None] | None = None,
) -> AddReport:
    """Index the documents at the paths; what is unchanged is skipped, what changed replaces its old version.

    ``metadata`` goes to every document, over what its sidecar says; other metadata alone reads no document anew.

    What is damaged of a document is made anew; what of it cannot be read now stays as it is. With ``stands_for`` what
    is read at a path counts as the document at another one, such as a kept copy as its original. ``pages`` are those
    that are wanted of each document, such as "3-9"; the others are blank. Raises SettingsError for what are no pages.

    A path that cannot be indexed stands in the report's ``failed``, and the others go on. ``opened`` is called for each
    document when its pages are counted, ``approve`` then with the number of pages to do, and ``progress`` after each
    batch of pages that was written, by the thread that writes. Raises StorageFull and other errors of the index itself;
    what was written until then stays.
    """
    started = time.monotonic()
    report = AddReport()
    wanted = checked_selection(pages) if pages else None

    def keep(job: DocumentJob) -> Path:
        with disk_errors(f"{job.name} could not be written to the index in {parts.place}"):
            return file_kept(parts.folder.documents, job)

    begin_writing(parts)
    with PageReaders(parts.settings.documents, os.cpu_count() or 1) as readers, AttachedDocuments(readers) as attached:
        plan = Plan(parts, readers, attached, report, stands_for or {}, wanted)
        jobs = list(_told(plan.jobs(paths, checked(metadata or {})), opened))
        _log.debug(
            "%d documents to index, %d unchanged, %d failed", len(jobs), len(report.unchanged), len(report.failed)
        )
        if approve and jobs:
            approve(sum(job.to_read for job in jobs))
        encoders, reading = [one.encoder for one in parts.encoders], parts.settings.documents
        taker = PageTaker(parts, report, sum(job.to_read for job in jobs), progress)
        journey = Journey(jobs, encoders, parts.recipe, readers, keep, report.failed.append)
        journey.go(taker.take, told_before=reading)
    if report.failed:
        take_lost_rows(parts, damaged=True)  # what cannot be read anew is as damaged as it was
    if report.pages:
        parts.store.flush()
    report.seconds = time.monotonic() - started
    _log.debug("%d pages indexed in %.1f s", report.pages, report.seconds)
    return report


def _told(jobs: Iterable[DocumentJob], opened: Callable[[Progress], None] | None) -> Iterator[DocumentJob]:
    """The documents to index, each told of: office files become PDFs now, which takes a second each."""
    found = 0
    for job in jobs:
        found += job.to_read
        if opened:
            opened(Progress(0, found, job.name))
        yield job
