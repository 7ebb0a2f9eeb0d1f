"""The folder of shards, and the one that is being written: it gets its name when it is whole."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pagesight.indexing.documents.kinds import DRAWN_KINDS
from pagesight.indexing.documents.metadata import Metadata
from pagesight.indexing.pages import DocumentRecord
from pagesight.indexing.preparing.add_report import AddReport, PageWarning, Progress
from pagesight.indexing.preparing.document_job import DocumentJob
from pagesight.indexing.preparing.encoded_page import EncodedPage, Recipe
from pagesight.indexing.preparing.journey import file_kept
from pagesight.indexing.shards.shard_file import ShardFile, ShardWriter
from pagesight.indexing.shards.shard_header import ShardHeader, shard_name
from pagesight.indexing.storage.folder import disk_errors
from pagesight.indexing.storage.kept_documents import KeptDocuments


class ShardFolder:
    """The folder of shards, and the one that is being written."""

    def __init__(
        self,
        out: Path,
        documents: KeptDocuments,
        encoders: dict[str, dict[str, Any]],
        recipe: Recipe,
        report: AddReport,
        with_bytes: bool,
        progress: Callable[[Progress], None] | None,
    ) -> None:
        self.out, self.documents, self.report = out, documents, report
        self.holds: dict[str, tuple[str, ...]] = {}  # documents within documents, by ids
        self.bookmarks: dict[str, list[tuple[int, str, int]]] = {}
        self.planned = 0  # pages
        self.recipe = recipe
        self._encoders, self._with_bytes, self._progress = encoders, with_bytes, progress
        self._writer: ShardWriter | None = None

    def __enter__(self) -> ShardFolder:
        return self

    def __exit__(self, *_: object) -> None:
        self._give_up()

    def place(self, document_id: str) -> Path:
        """Where the shard of a document is, once it is made."""
        return self.out / shard_name(document_id, self._encoders, self.recipe)

    def keep(self, job: DocumentJob) -> Path:
        """The file that is read of a job: a copy, known to be what was hashed. Raises UnreadableDocument."""
        with self._disk_errors(job):
            return file_kept(self.documents, job)

    def take(self, job: DocumentJob, pages: list[EncodedPage]) -> None:
        """Take in consecutive pages of a document; after the last one its shard is whole."""
        with self._disk_errors(job):
            writer = self._writer = self._writer or self._begun(job)
            writer.add_pages(pages)
            if pages[-1].number == job.page_count:
                self._finish(job, writer)
        self.report.pages += len(pages)
        if self._progress:
            self._progress(Progress(self.report.pages, self.planned, job.name))

    def describe(self, path: Path, metadata: Metadata) -> None:
        """Give a shard that is there this metadata, and note that its document was seen now. Raises UnreadableDocument.

        Of shards of different contents of one path that counts which was seen last.
        """
        with disk_errors(f"the shard {path} cannot be written"):
            shard = ShardFile(path)
            self.report.unchanged.append(_record(shard.header))
            if shard.header.metadata == metadata:
                os.utime(path)
                return
            with ShardWriter(path) as writer:
                writer.copy(path)
                writer.finish(replace(shard.header, metadata=metadata))

    def _begun(self, job: DocumentJob) -> ShardWriter:
        writer = ShardWriter(self.place(job.source.document_id))
        document_id, suffix = job.source.document_id, job.source.path.suffix
        if self._with_bytes:
            writer.add_bytes("source", self.documents.path(document_id, suffix))
        if job.source.kind in DRAWN_KINDS:
            writer.add_bytes("drawn", self.documents.drawn(document_id, suffix))
        return writer

    def _finish(self, job: DocumentJob, writer: ShardWriter) -> None:
        """Give a shard its name, unless no page of its document could be read; the copy that was read goes."""
        if failure := job.failure():
            self.report.failed.append(failure)
        if not job.is_blank:
            header = self._header(job)
            writer.finish(header)
            self.report.added.append(_record(header))
            self.report.warnings += [PageWarning(job.shown, text) for text in job.all_warnings()]
        self._give_up()
        self.documents.forget(job.source.document_id)

    def _header(self, job: DocumentJob) -> ShardHeader:
        source = job.source
        return ShardHeader(
            source.document_id, job.path, source.size, source.modified, job.page_count, self._encoders, self.recipe,
            metadata=dict(job.metadata), has_bytes=self._with_bytes, holds=self.holds.pop(source.document_id, ()),
            bookmarks=self.bookmarks.pop(source.document_id, []), faults=job.faults, warnings=job.warnings,
            of_document=job.of_document,
        )  # fmt: skip

    def _give_up(self) -> None:
        if self._writer:
            self._writer.__exit__(None, None, None)
            self._writer = None

    def _disk_errors(self, job: DocumentJob) -> Any:
        return disk_errors(f"the shard of {job.name} cannot be written to {self.out}")


def _record(header: ShardHeader) -> DocumentRecord:
    """The document of a shard, by its file's name: which name it gets in an index is found when it is taken in."""
    now = datetime.now(UTC).isoformat(timespec="microseconds")
    return DocumentRecord(
        header.document_id, Path(header.path).name, header.path, header.page_count, now, header.metadata
    )
