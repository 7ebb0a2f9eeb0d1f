"""The second half of a document's journey: its pages, read and encoded, are written to the index in today's order.

How a batch is written, so that a page is whole or not there, stands in commit.py; running again does only what is
missing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pagesight.indexing.opening.index_parts import WritingParts
from pagesight.indexing.outlines.outline import keep_outline
from pagesight.indexing.pages import PageRow
from pagesight.indexing.preparing.add_report import AddReport, PageWarning, Progress
from pagesight.indexing.preparing.document_job import DocumentJob
from pagesight.indexing.preparing.encoded_page import EncodedPage
from pagesight.indexing.storage.folder import disk_errors
from pagesight.indexing.storage.interfaces import Lost, PageVectors
from pagesight.indexing.writing.commit import remove_document, write_batch
from pagesight.indexing.writing.document_jobs import remove_older
from pagesight.indexing.writing.recover import shared_fields, sound_vectors

# Pages that Milvus Lite holds in memory before it writes them into files, for which it needs their memory several times
# (measured: 500 MB for 3,000 pages at once).
_PAGES_HELD = 500


class PageTaker:
    """Takes pages into an index, in the order of their documents; the ``report`` notes what became of each."""

    def __init__(
        self, parts: WritingParts, report: AddReport, total: int, progress: Callable[[Progress], None] | None
    ) -> None:
        """``total`` pages are to come; ``progress`` is called after each batch that is written."""
        self._parts, self._report, self._total, self._progress = parts, report, total, progress
        self._held = 0  # pages that Milvus Lite holds in memory

    def take(self, job: DocumentJob, pages: list[EncodedPage]) -> None:
        """Write consecutive pages of a document that are missing. Raises StorageFull, PageIndexError."""
        numbers = [page.number for page in pages]
        with disk_errors(f"{job.name} could not be written to the index in {self._parts.place}"):
            self.write(job, pages)
            if numbers[-1] == job.missing[-1]:
                self.finish(job)
            self._held += len(numbers)
            if self._parts.page_files and self._held >= _PAGES_HELD:
                self._parts.flush()
                self._held = 0
        self._report.pages += sum(number not in job.left_out for number in numbers)
        if self._progress:
            self._progress(Progress(self._report.pages, self._total, job.name))

    def write(self, job: DocumentJob, pages: list[EncodedPage]) -> None:
        """Write consecutive pages, and note what they tell of the document's outline."""
        # What a damaged page was that cannot be read anew is worth more than a blank one.
        unread = [page.number for page in pages if page.number in job.faults]
        before = {number: job.before[number] for number in unread if number in job.before}
        pages = self._as_before(pages, before)
        for page in pages:
            job.outlined.add(page.number, page.text, page.height, page.label)
        write_batch(self._parts, _shared_fields(self._parts, job), pages, job.corrections, before)

    def _as_before(self, pages: list[EncodedPage], before: Mapping[int, PageRow]) -> list[EncodedPage]:
        """The pages with the words and the vectors that some had, as far as these are sound."""
        if not before:
            return pages
        words = {number: self._parts.folder.words.read(row) for number, row in before.items()}
        vectors: dict[int, dict[str, PageVectors]] = defaultdict(dict)
        for one in self._parts.encoders:
            for made in sound_vectors(self._parts, one, list(before.values()), Lost()):
                vectors[made.page][one.name] = made
        return [
            replace(
                page, text=words.get(page.number) or page.text, vectors={**page.vectors, **vectors.get(page.number, {})}
            )
            for page in pages
        ]

    def finish(self, job: DocumentJob) -> None:
        """Report a document whose last page is written; one of which nothing could be read is taken out again."""
        if failure := job.failure():
            self._report.failed.append(failure)
        if job.repairs and job.faults:
            return
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
