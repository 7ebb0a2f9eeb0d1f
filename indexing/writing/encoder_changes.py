"""Adding an encoder to an index that has pages, and removing one.

The manifest says what counts. An encoder that is added stands in it as unfinished, page after page gets vectors of it,
and once all have them it is finished: searches use it from then on. Cut off anywhere, the same call goes on. One that
is removed goes from the manifest first; what it had made goes then, and is cleared away by the next writer if that is
cut off. What rows say of it stays there, and means nothing.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import groupby
from pathlib import Path

from pagesight.indexing.calls.ledger import Ledger
from pagesight.indexing.documents.sources import Source
from pagesight.indexing.encoders import choose, encoder_code, note_costs, remember
from pagesight.indexing.errors import SettingsError
from pagesight.indexing.opening.index_parts import IndexParts, WritingParts
from pagesight.indexing.opening.named_encoder import new_encoder
from pagesight.indexing.pages import PageRow, PageText
from pagesight.indexing.preparing.add_report import AddReport, Progress
from pagesight.indexing.preparing.document_job import DocumentJob
from pagesight.indexing.preparing.encoded_page import EncodedPage
from pagesight.indexing.preparing.journey import Journey
from pagesight.indexing.preparing.page_readers import PageReaders
from pagesight.indexing.settings import Settings
from pagesight.indexing.storage.catalog_view import Entry, shown
from pagesight.indexing.storage.folder import disk_errors
from pagesight.indexing.storage.index_encoder import IndexEncoder, by_id
from pagesight.indexing.storage.interfaces import PageVectors
from pagesight.indexing.writing.commit import batch_with, record_if_whole, with_candidates
from pagesight.indexing.writing.document_jobs import pages_left_out
from pagesight.indexing.writing.recover import begin_writing, clear_gone
from pagesight.indexing.writing.take_pages import PageTaker
from pagesight.indexing.writing.words_again import make_words_again

_log = logging.getLogger(__name__)


def add_encoder(
    parts: IndexParts,
    name: str,
    settings: Settings,
    progress: Callable[[Progress], None] | None = None,
    approve: Callable[[int], None] | None = None,
) -> AddReport:
    """Have all pages seen by a further encoder; see `PageIndex.add_encoder`."""
    report = AddReport()
    with parts.writing() as writing:
        begin_writing(writing)
        lacking = _pages_lacking(parts, writing, choose(name).name)
        if approve and lacking:
            approve(lacking)
        by = by_id(parts.encoders, choose(name).name) or _begun(parts, name, settings, finished=not lacking)
    if lacking or not by.recorded.finished:
        with parts.writing() as writing:
            _fill(writing, by, report, progress)
            if not any(by.lacks(entry.rows.values()) for entry in shown(writing.catalog.entries())):
                _finish(parts, by)
        with parts.writing():  # which publishes what searches use now
            pass
    return report


def remove_encoder(parts: IndexParts, name: str) -> IndexEncoder:
    """Have the index without one of its encoders; see `PageIndex.remove_encoder`."""
    with parts.writing() as writing:
        gone = parts.encoder_called(name)
        rest = [one for one in parts.encoders if one is not gone]
        if not any(one.recorded.finished for one in rest):
            raise SettingsError(
                f"{gone.encoder.name} is the only encoder that all pages in the index in {parts.place} have vectors "
                "of, and stays. Add another one first: `pagesight index --encoder NAME`."
            )
        manifest = parts.access.manifest()
        parts.access.note_manifest(manifest.with_encoders(one.recorded for one in rest))
        parts.encoders[:] = rest
        clear_gone(writing)
    with parts.writing():  # which publishes what searches use now
        pass
    gone.multivectors.close()
    gone.encoder.close()
    _log.debug("removed the encoder %s from %s", gone.encoder.name, parts.place)
    return gone


def _pages_lacking(parts: IndexParts, writing: WritingParts, name: str) -> int:
    """How many pages have no vectors of an encoder yet."""
    rows = [row for entry in shown(writing.catalog.entries()) for row in entry.rows.values()]
    known = by_id(parts.encoders, name)
    return len(known.lacks(rows) if known else rows)


def _begun(parts: IndexParts, name: str, settings: Settings, *, finished: bool) -> IndexEncoder:
    """A new encoder, noted in the manifest."""
    manifest = parts.access.manifest()
    taken = [*(one.id for one in manifest.encoders), *manifest.gone]
    made, recorded = new_encoder(name, [name], settings, parts.place, first=False, taken=taken)
    try:
        by = parts.access.with_stores(replace(recorded, finished=finished), made)
        parts.access.note_manifest(manifest.with_encoders([*manifest.encoders, by.recorded]))
    except BaseException:
        made.close()
        raise
    note_costs(made, Ledger(parts.folder.path).add)
    remember(encoder_code(made))
    parts.encoders.append(by)
    return by


def _finish(parts: IndexParts, by: IndexEncoder) -> None:
    """Note that all pages have vectors of an encoder."""
    manifest = parts.access.manifest()
    known = [replace(one, finished=True) if one.id == by.id else one for one in manifest.encoders]
    parts.access.note_manifest(manifest.with_encoders(known))
    parts.encoders[:] = [one.finish() if one.id == by.id else one for one in parts.encoders]


def _fill(
    parts: WritingParts, by: IndexEncoder, report: AddReport, progress: Callable[[Progress], None] | None
) -> None:
    documents = {one.first.path: one for one in shown(parts.catalog.entries()) if by.lacks(one.rows.values())}
    jobs = [_job(by, one) for one in documents.values()]
    taker = _VectorTaker(parts, report, sum(job.to_read for job in jobs), progress, by, documents)
    with PageReaders(parts.settings.documents, os.cpu_count() or 1) as readers:
        for entry in documents.values():
            make_words_again(parts, readers, entry, missing=True)
    reading = parts.settings.documents.model_copy(update={"ocr": False})
    with PageReaders(reading, os.cpu_count() or 1) as readers:
        journey = Journey(jobs, [by.encoder], parts.recipe, readers, taker.file, report.failed.append, taker.words)
        journey.go(taker.take, told_before=reading if jobs else None)
    parts.flush()


def _job(by: IndexEncoder, entry: Entry) -> DocumentJob:
    """The pages of a document that the encoder has not seen."""
    first, missing = entry.first, sorted(row.page for row in by.lacks(entry.rows.values()))
    source = Source(Path(first.path), "pdf", first.size, first.modified)
    blank = pages_left_out(first.metadata, first.page_count, first.document)
    corrections = {row.page: row.corrections for row in entry.rows.values()}
    return DocumentJob(source, first.path, first.page_count, missing, first.metadata, blank, corrections=corrections)


class _VectorTaker(PageTaker):
    """Takes in what one more encoder made of pages that the index has: what is kept of them is what is read."""

    def __init__(
        self,
        parts: WritingParts,
        report: AddReport,
        total: int,
        progress: Callable[[Progress], None] | None,
        by: IndexEncoder,
        documents: Mapping[str, Entry],
    ) -> None:
        """``documents`` are those of the jobs by their paths."""
        super().__init__(parts, report, total, progress)
        self._by, self._documents = by, documents
        self._document: tuple[DocumentJob, dict[int, PageRow]] | None = None

    def file(self, job: DocumentJob) -> Path:
        """What the index keeps of a document. Raises UnreadableDocument."""
        with disk_errors(f"{job.name} cannot be read in the index in {self._parts.place}"):
            return self._parts.folder.documents.shown(self._entry(job).first)

    def words(self, job: DocumentJob, number: int) -> PageText | None:
        """Those of a page that were read once."""
        return self._parts.folder.words.read(self._entry(job).rows[number])

    def write(self, job: DocumentJob, pages: list[EncodedPage]) -> None:
        """Write the vectors, candidates, page file and rows of pages, in this order: the rows are the commit."""
        parts, by, rows = self._parts, self._by, self._rows(job)
        parts.sharing.confirm()
        made = [page.vectors[by.name] for page in pages]
        changed = []
        for first, group in groupby(sorted(made, key=_batch_in(rows)), key=_batch_in(rows)):
            new = list(group)
            whole = sorted((row for row in rows.values() if row.batch == first), key=lambda row: row.page)
            by.multivectors.write(
                whole[0].document_id, first, batch_with(by, whole, {one.page: one.vectors for one in new})
            )
            seen = [rows[one.page].with_encoded(by.id, by.recorded_of(rows[one.page].key, one.vectors)) for one in new]
            changed += with_candidates(parts, by.id, seen, new)
            rows |= {row.page: row for row in changed}
            if parts.page_files:
                parts.page_files.write([rows[row.page] for row in whole])
        parts.store.write_pages(changed)

    def finish(self, job: DocumentJob) -> None:
        """Note that the encoder has seen the document, and report what could not be read of it."""
        rows = self._rows(job)
        self._parts.catalog.add(list(rows.values()))
        record_if_whole(self._parts, next(iter(rows.values())).document_id)
        self._document = None
        if failure := job.failure():
            self._report.failed.append(failure)

    def _entry(self, job: DocumentJob) -> Entry:
        return self._documents[job.path]

    def _rows(self, job: DocumentJob) -> dict[int, PageRow]:
        """The document's rows, whole, as they are by now."""
        if self._document is None or self._document[0] is not job:
            rows = self._parts.store.whole_rows(self._entry(job).first.document_id)
            self._document = job, {row.page: row for row in rows}
        return self._document[1]


def _batch_in(rows: Mapping[int, PageRow]) -> Callable[[PageVectors], int]:
    return lambda one: rows[one.page].batch
