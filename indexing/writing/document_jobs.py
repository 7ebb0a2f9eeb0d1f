"""What is to do for the documents at the paths: which are new or unfinished, which are known, which cannot be read."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pagesight.indexing.documents.kinds import DRAWN_KINDS
from pagesight.indexing.documents.metadata import Metadata, read_sidecar
from pagesight.indexing.documents.sources import Failure, Source, find_documents
from pagesight.indexing.errors import SourceError, UnreadableDocument
from pagesight.indexing.opening.index_parts import WritingParts
from pagesight.indexing.outlines.read_outline import OutlinedPages
from pagesight.indexing.pages import PageRow
from pagesight.indexing.preparing.add_report import AddReport, PageWarning
from pagesight.indexing.preparing.attached_documents import WITHIN, Attached, AttachedDocuments
from pagesight.indexing.preparing.document_job import DocumentJob
from pagesight.indexing.preparing.page_readers import PageReaders
from pagesight.indexing.preparing.page_selection import SELECTED, checked_selection, selected
from pagesight.indexing.writing.commit import record_if_whole, remove_document
from pagesight.indexing.writing.recover import corrections_of, put_right, rows_before
from pagesight.indexing.writing.words_again import make_words_again


@dataclass
class Plan:
    """Which documents have pages to do; the ``report`` notes what is unchanged or cannot be read.

    ``pages`` are those that are wanted of each document, all if None (page_selection.py). What is read at a path of
    ``stands_for`` counts as the document at the path that it gives.
    """

    parts: WritingParts
    readers: PageReaders
    attached: AttachedDocuments
    report: AddReport
    stands_for: Mapping[Path, str]
    pages: str | None = None
    _given: frozenset[str] = frozenset()
    _seen: set[str] = field(default_factory=set)

    def jobs(self, paths: Iterable[Path | str], metadata: Metadata) -> Iterator[DocumentJob]:
        """The documents at the paths, each after those that it holds; the metadata is over that of their sidecars."""
        found = find_documents(paths, largest=self.parts.settings.documents.file_megabytes * 1_000_000)
        self.report.failed += found.failures
        self.report.passed_over += found.skipped
        self._given = frozenset(source.document_id for source in found.sources)
        for source in found.sources:
            try:
                yield from self._of_source(source, metadata)
            except SourceError as error:
                self.report.failed.append(Failure(source.path, error))
            except (ValueError, RuntimeError, OverflowError) as error:  # whatever is odd about one file ends no run
                reason = f"{source.path} cannot be indexed: {type(error).__name__}: {error}"
                self.report.failed.append(Failure(source.path, UnreadableDocument(reason)))

    def _of_source(self, source: Source, metadata: Metadata) -> Iterator[DocumentJob]:
        parts, known = self.parts, source.document_id
        # a link keeps the name that the user gave
        path = self.stands_for.get(source.path) or os.path.abspath(source.path)  # noqa: PTH100
        # On a server that would fetch all vectors, also of what has not changed: `pagesight repair` does it.
        damaged = parts.page_files is not None and put_right(parts, known)
        job = self._job(source, path, read_sidecar(source.path) | metadata, self.pages)
        held = list(self.attached.of(source, path)) if job else []
        if known in self._seen:  # the same content twice is one document
            return
        self._seen.add(known)
        if job:
            recorded = parts.page_files is not None and parts.page_files.has_record(known)
            job.repairs = damaged or recorded or known in parts.catalog.forgotten()
            job.before = rows_before(parts, known) if job.repairs else {}
            yield from self._held(held, job)
            yield job
        elif entry := parts.catalog.get(known):
            damaged |= make_words_again(parts, self.readers, entry, missing=False)
            (self.report.repaired if damaged else self.report.unchanged).append(entry.record)

    def _held(self, held: Sequence[Attached], holder: DocumentJob) -> Iterator[DocumentJob]:
        """The documents that another one holds and that have pages to do; what it held before is removed."""
        for entry in self.parts.catalog.view().entries.values():
            row = entry.first
            if row.path.startswith(holder.path + WITHIN) and row.path not in {one.path for one in held}:
                remove_document(self.parts, row.document_id)
        of_all = {key: value for key, value in holder.metadata.items() if key != SELECTED}
        for one in held:
            shown = Path(one.path)
            if one.source is None:
                self.report.warnings.append(PageWarning(shown, f"{shown.name} is not in the index: {one.fault}"))
                continue
            try:
                job = self._job(one.source, one.path, of_all)
            except SourceError as error:
                self.report.failed.append(Failure(shown, error))
                continue
            # what is also a file of its own keeps that one's name
            if job and one.source.document_id not in self._seen | self._given:
                self._seen.add(one.source.document_id)
                yield job

    def _job(self, source: Source, path: str, metadata: Metadata, pages: str | None = None) -> DocumentJob | None:
        """What is to do for a source; None where nothing is."""
        parts, readers = self.parts, self.readers
        entry = parts.catalog.get(source.document_id)
        if pages:
            metadata = metadata | {SELECTED: pages}
        others = entry is not None and entry.first.metadata.get(SELECTED) != metadata.get(SELECTED)
        not_drawn = list[str]()
        file = file_to_read(parts, readers, source, Path(path), not_drawn)
        if entry and entry.complete and not others:
            parts.folder.documents.keep(source)  # lost, or added to a server by another machine
            remove_older(parts, path, source.document_id)
            describe(parts, entry.first, metadata)
            return None
        count, warnings, bookmarks = readers.open(file, called=Path(path) if WITHIN in Path(path).name else source.path)
        left_out = pages_left_out(metadata, count, Path(path).name)
        corrections = corrections_of(parts, source.document_id)
        if others:  # what the index has of it are other pages than are wanted now
            remove_document(parts, source.document_id)
            file_to_read(parts, readers, source, Path(path), not_drawn)
        missing = missing_pages(entry.rows if entry and not others else {}, count)
        told = [*warnings, *not_drawn]
        return DocumentJob(
            source, path, count, missing, metadata, left_out, of_document=told, corrections=corrections,
            outlined=OutlinedPages(bookmarks),
        )  # fmt: skip


def describe(parts: WritingParts, first: PageRow, metadata: Metadata) -> None:
    """Gives a document that is whole other metadata, if there is any."""
    if metadata and metadata != first.metadata:
        parts.catalog.add(parts.store.describe(first.document_id, metadata))
        record_if_whole(parts, first.document_id)


def pages_left_out(metadata: Metadata, count: int, name: str) -> frozenset[int]:
    """The pages that are not wanted, of so many."""
    wanted = str(metadata.get(SELECTED, ""))
    if not wanted:
        return frozenset()
    return frozenset(range(1, count + 1)) - set(selected(checked_selection(wanted), count, name))


def file_to_read(parts: WritingParts, readers: PageReaders, source: Source, called: Path, said: list[str]) -> Path:
    """The file that is read of a source: itself, or the PDF that is made of it and kept. Raises UnreadableDocument.

    ``said`` gets what is left out of a PDF that is made now.
    """
    if source.kind not in DRAWN_KINDS:
        return source.path

    def make(kept: Path) -> bytes:
        content, left_out = readers.as_pdf(kept, source.kind, called=called)
        said.extend(left_out)
        return content

    return parts.folder.documents.keep_drawn(source, make)


def missing_pages(rows: Mapping[int, PageRow], count: int) -> list[int]:
    """The pages without a row, and those in files that one of them begins: these will be written anew."""
    lost = {number for number in range(1, count + 1) if number not in rows}
    return [number for number in range(1, count + 1) if number in lost or rows[number].batch in lost]


def remove_older(parts: WritingParts, path: str, document_id: str) -> bool:
    """Remove what the path, or the file that it leads to, held before; says whether that was something."""
    held = [entry for place in {path, os.path.realpath(path)} for entry in parts.catalog.at_path(place)]
    older = [entry for entry in held if entry.first.document_id != document_id]
    for entry in older:
        remove_document(parts, entry.first.document_id)
    return bool(older)
