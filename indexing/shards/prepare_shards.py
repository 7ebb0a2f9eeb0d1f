"""Making shards: documents are found, read and encoded, and each one's shard gets its name when it is whole.

Any number of processes on any machines can do so into the same folder at the same time. A shard that is there is not
made again; what a process that is killed leaves behind is removed a day later.
"""

from __future__ import annotations

import os
import re
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import xxhash

from pagesight.indexing.calls.ledger import Ledger
from pagesight.indexing.documents.kinds import DRAWN_KINDS
from pagesight.indexing.documents.metadata import Metadata, checked, read_sidecar
from pagesight.indexing.documents.sources import Failure, Source, find_documents
from pagesight.indexing.encoders import estimate_costs, note_costs
from pagesight.indexing.errors import SettingsError, SourceError, UnreadableDocument
from pagesight.indexing.opening.named_encoder import Asked, named_encoders
from pagesight.indexing.outlines.read_outline import OutlinedPages
from pagesight.indexing.preparing.add_report import AddReport, Progress
from pagesight.indexing.preparing.attached_documents import AttachedDocuments
from pagesight.indexing.preparing.document_job import DocumentJob
from pagesight.indexing.preparing.encoded_page import Recipe
from pagesight.indexing.preparing.journey import Journey
from pagesight.indexing.preparing.page_readers import PageReaders
from pagesight.indexing.settings import Settings, load_settings
from pagesight.indexing.shards.shard_file import remove_leftovers
from pagesight.indexing.shards.shard_folder import ShardFolder
from pagesight.indexing.storage.atomic_files import private_folder
from pagesight.indexing.storage.folder import disk_errors
from pagesight.indexing.storage.kept_documents import KeptDocuments
from pagesight.indexing.writing.given_files import Given, GivenFiles, several

_LEFT_BEHIND = 86_400.0  # seconds without a new page, after which nobody works on a shard any more. A guess


@dataclass(frozen=True)
class Part:
    """Of ``count`` parts of the documents, by their paths, the one with this number, from 1."""

    number: int = 1
    count: int = 1

    @classmethod
    def read(cls, text: str) -> Part:
        """The part that "3/40" names. Raises SettingsError for what is none."""
        found = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text)
        part = cls(int(found[1]), int(found[2])) if found else cls(0)
        if not 1 <= part.number <= part.count:
            raise SettingsError(f"{text!r} is no part. Write its number and how many there are, such as 3/40.")
        return part

    def holds(self, path: str) -> bool:
        """Whether the document at the path is in this part."""
        return xxhash.xxh3_64_intdigest(os.fsencode(path)) % self.count == self.number - 1


def prepare(
    paths: Iterable[Given] | Given,
    out: Path | str,
    *,
    encoder: Asked = None,
    part: str = "1/1",
    metadata: Metadata | None = None,
    with_bytes: bool = True,
    settings: Settings | None = None,
    progress: Callable[[Progress], None] | None = None,
    approve: Callable[[int], None] | None = None,
) -> AddReport:
    """Read and encode documents without an index: each becomes a shard in the folder ``out``, for `PageIndex.commit`.

    ``paths`` and ``metadata`` are as in `PageIndex.add`, ``encoder`` a name or those of all encoders of the index.
    ``part``, such as "3/40", takes that part of the documents, by their paths: so many processes share the work. A
    shard that is there is not made again. Without ``with_bytes`` shards do not hold the documents, which are then to
    lie at their paths when the shards are taken in.
    Where an encoder is paid by the page, all documents are opened first, ``approve`` is called with the number of
    pages to encode, and what it raises ends the run; what they cost is noted in ``out`` (`pagesight costs`).
    The report's ``added`` are documents whose shards were made, ``unchanged`` those whose shards were there. Raises
    SettingsError, EncoderError, StorageFull; what was made stays.
    """
    with Preparing(out, encoder, settings or load_settings(), checked(metadata or {}), with_bytes) as preparing:
        return preparing.take(several(paths), Part.read(part), progress, approve)


class Preparing:
    """Makes shards in a folder with encoders that stay loaded; what they cost is noted there. Raises as `prepare`."""

    def __init__(
        self, out: Path | str, encoder: Asked, settings: Settings, metadata: Metadata, with_bytes: bool
    ) -> None:
        self._settings, self._metadata, self._with_bytes, self._out = settings, metadata, with_bytes, Path(out)
        self._encoders, self._made_with = named_encoders(None, encoder, settings, out)
        for one in self._encoders:
            note_costs(one, Ledger(self._out).add)

    def __enter__(self) -> Preparing:
        return self

    def __exit__(self, *_: object) -> None:
        for one in self._encoders:
            one.close()

    def take(
        self,
        paths: Iterable[Given],
        part: Part,
        progress: Callable[[Progress], None] | None = None,
        approve: Callable[[int], None] | None = None,
    ) -> AddReport:
        """Read and encode what is at the paths; see `prepare`."""
        settings, started, report = self._settings, time.monotonic(), AddReport()
        with ExitStack() as ending:
            given = ending.enter_context(GivenFiles(paths, settings.documents, part.holds))
            with disk_errors(f"the shards in {self._out} cannot be written"):
                private_folder(self._out)
                remove_leftovers(self._out, time.time() - _LEFT_BEHIND)
            shards = ending.enter_context(self._shards(ending, report, progress))
            readers = ending.enter_context(PageReaders(settings.documents, os.cpu_count() or 1))
            attached = ending.enter_context(AttachedDocuments(readers))
            plan = _Plan(shards, readers, attached, given.stands_for, self._metadata)
            found = find_documents(given.paths, largest=settings.documents.file_megabytes * 1_000_000)
            report.failed += found.failures
            report.passed_over += found.skipped
            mine = (one for one in found.sources if part.holds(given.stands_for.get(one.path) or str(one.path)))
            paid = estimate_costs([one.name for one in self._encoders], 1, settings) is not None
            jobs = _approved(plan.jobs(mine), approve) if paid else plan.jobs(mine)
            journey = Journey(jobs, self._encoders, shards.recipe, readers, shards.keep, report.failed.append)
            journey.go(shards.take, told_before=settings.documents if paid else None)
            report.seconds = time.monotonic() - started
            return given.as_named(report)

    def _shards(self, ending: ExitStack, report: AddReport, progress: Callable[[Progress], None] | None) -> ShardFolder:
        kept = KeptDocuments(Path(ending.enter_context(tempfile.TemporaryDirectory(prefix="pagesight-"))))
        layouts = {one.name: one.layout for one in self._made_with.encoders}
        described = {one.name: one.description for one in self._made_with.encoders}
        recipe = Recipe(layouts, self._settings.vectors.centroids, self._made_with.term_rules)
        return ShardFolder(self._out, kept, described, recipe, report, self._with_bytes, progress)


def _approved(jobs: Iterable[DocumentJob], approve: Callable[[int], None] | None) -> list[DocumentJob]:
    """The documents, once all are opened and their pages approved."""
    known = list(jobs)
    if approve and known:
        approve(sum(job.to_read for job in known))
    return known


@dataclass
class _Plan:
    """Which documents have no shard yet; one after the other, so that the first is read before the last is opened."""

    shards: ShardFolder
    readers: PageReaders
    attached: AttachedDocuments
    stands_for: Mapping[Path, str]
    metadata: Metadata
    _seen: set[str] = field(default_factory=set)

    def jobs(self, sources: Iterable[Source]) -> Iterator[DocumentJob]:
        """The documents, each after those that it holds."""
        for source in sources:
            try:
                yield from self._of_source(source)
            except SourceError as error:
                self.shards.report.failed.append(Failure(source.path, error))
            except (ValueError, RuntimeError, OverflowError) as error:  # whatever is odd about one file ends no run
                reason = f"{source.path} cannot be prepared: {type(error).__name__}: {error}"
                self.shards.report.failed.append(Failure(source.path, UnreadableDocument(reason)))

    def _of_source(self, source: Source) -> Iterator[DocumentJob]:
        # a link keeps the name that the user gave
        path = self.stands_for.get(source.path) or os.path.abspath(source.path)  # noqa: PTH100
        metadata = read_sidecar(source.path) | self.metadata
        job = self._job(source, path, metadata)
        if job is None:
            return
        held = []
        for one in self.attached.of(source, path):
            shown = Path(one.path)
            if one.source is None:
                job.of_document.append(f"{shown.name} is not in the index: {one.fault}")
                continue
            held.append(one.source.document_id)
            try:
                within = self._job(one.source, one.path, metadata)
            except SourceError as error:
                self.shards.report.failed.append(Failure(shown, error))
                held.pop()
                continue
            if within:
                yield within
        self.shards.holds[source.document_id] = tuple(held)
        yield job

    def _job(self, source: Source, path: str, metadata: Metadata) -> DocumentJob | None:
        """What is to do for a source; None where its shard is there, or was made in this run."""
        shards, known = self.shards, source.document_id
        if known in self._seen:  # the same content twice is one document
            return None
        self._seen.add(known)
        if (there := shards.place(known)).exists():
            shards.describe(there, metadata)
            return None
        of_document: list[str] = []
        file = self._file(source, Path(path), of_document)
        count, warnings, bookmarks = self.readers.open(file, called=source.path)
        shards.planned += count
        shards.bookmarks[known] = bookmarks
        return DocumentJob(
            source, path, count, list(range(1, count + 1)), metadata, of_document=[*warnings, *of_document],
            outlined=OutlinedPages(bookmarks),
        )  # fmt: skip

    def _file(self, source: Source, called: Path, said: list[str]) -> Path:
        if source.kind not in DRAWN_KINDS:
            return source.path

        def make(kept: Path) -> bytes:
            content, left_out = self.readers.as_pdf(kept, source.kind, called=called)
            said.extend(left_out)
            return content

        return self.shards.documents.keep_drawn(source, make)
