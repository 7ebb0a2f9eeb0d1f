"""Taking shards into an index, as `PageIndex.add` takes in what it reads itself: in the same order, by the same code.

Names and ordinals are given here. Cut off anywhere, it is taken up by doing it again. Shards may come from elsewhere:
what they say of their pages is believed, as an index is that is imported, and all of it is checked to be of its kind.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from pagesight.indexing.calls.object_store import fetch, is_stored, stored_files
from pagesight.indexing.documents.kinds import DRAWN_KINDS
from pagesight.indexing.documents.sources import Failure, PassedOver, Source, hash_file, identify
from pagesight.indexing.encoders.remote.probe import other_model
from pagesight.indexing.errors import EncoderMismatch, MissingPath, NoDocuments, SourceError, UnreadableDocument
from pagesight.indexing.opening.index_parts import WritingParts
from pagesight.indexing.outlines.read_outline import OutlinedPages
from pagesight.indexing.preparing.add_report import AddReport, Progress
from pagesight.indexing.preparing.attached_documents import WITHIN
from pagesight.indexing.preparing.document_job import DocumentJob
from pagesight.indexing.preparing.encoded_page import EncodedPage
from pagesight.indexing.preparing.journey import batches
from pagesight.indexing.preparing.page_selection import SELECTED
from pagesight.indexing.shards.shard_file import ShardFile
from pagesight.indexing.shards.shard_header import PROBE, SUFFIX, ShardHeader, id_in_name, shard_name
from pagesight.indexing.storage.folder import disk_errors
from pagesight.indexing.writing.commit import remove_document
from pagesight.indexing.writing.document_jobs import describe, missing_pages, remove_older
from pagesight.indexing.writing.recover import begin_writing, corrections_of, put_right
from pagesight.indexing.writing.take_pages import PageTaker


def commit_shards(
    parts: WritingParts, places: Iterable[Path | str], progress: Callable[[Progress], None] | None = None
) -> AddReport:
    """Take in the shards at the places, files or folders of them; see `PageIndex.commit`."""
    started, report = time.monotonic(), AddReport()
    begin_writing(parts)
    shards = _newest(parts, _fitting(parts, [Path(place).expanduser() for place in places], report), report)
    taker = PageTaker(parts, report, sum(shard.header.page_count for shard in shards.values()), progress)
    for shard in _held_first(shards):
        try:
            _Commit(parts, report, shards, shard).go(taker)
        except SourceError as error:
            report.failed.append(Failure(Path(shard.header.path), error))
    if report.pages:
        parts.store.flush()
    report.seconds = time.monotonic() - started
    return report


def _fitting(parts: WritingParts, places: Iterable[Path], report: AddReport) -> Iterator[Path]:
    """The shards that were made as the index is; what else there is is noted. Raises EncoderMismatch if none was."""
    encoders, recipe, others, fits = _described(parts), parts.recipe, list[Path](), False
    for path in _files(places, report):
        document_id = id_in_name(path.name)
        if document_id is None:
            report.failed.append(Failure(path, UnreadableDocument(f"{path} has not the name of a shard.")))
        elif path.name == shard_name(document_id, encoders, recipe):
            fits = True
            yield path
        else:
            others.append(path)
    if others and not fits:
        raise EncoderMismatch(_other(parts, others[0]))
    report.passed_over += [PassedOver(path, "a shard made otherwise") for path in others]


def _described(parts: WritingParts) -> dict[str, dict[str, Any]]:
    return {one.name: one.encoder.describe() for one in parts.encoders}


def _files(places: Iterable[Path], report: AddReport) -> Iterator[Path]:
    for place in places:
        found = sorted(place.glob(f"*{SUFFIX}")) if place.is_dir() else [place] if place.is_file() else []
        if not found and place.is_dir():
            report.failed.append(Failure(place, NoDocuments(f"{place} holds no shards. Make some: pagesight prepare.")))
        elif not found:
            report.failed.append(Failure(place, MissingPath(f"there is nothing at {place}. Check the spelling.")))
        yield from found


def _other(parts: WritingParts, path: Path) -> str:
    header, mine = ShardFile(path).header, _described(parts)
    made, known = " and ".join(header.encoders), " and ".join(mine)
    if header.encoders == mine:
        made, known = f"{made} ({header.recipe})", f"{known} ({parts.recipe})"
    return (
        f"the shards were made with {made}, such as {path.name}, and the index in {parts.place} with "
        f"{known}: their vectors cannot be compared. Prepare them as the index was made, or make a new index with the "
        "same --encoder, --precision and --pool: `pagesight commit SHARDS --index OTHER`."
    )


def _refuse_other_model(parts: WritingParts, shard: ShardFile) -> None:
    """Raises UnreadableDocument where a server that encoded the shard has another model than the index's."""
    for name, mine in _described(parts).items():
        if how := other_model(mine.get(PROBE), shard.header.encoders[name].get(PROBE)):
            raise UnreadableDocument(
                f"{shard.path} was made by another server's {name} than the index: {how}. Prepare its document again "
                "with the index's."
            )


def _newest(parts: WritingParts, paths: Iterable[Path], report: AddReport) -> dict[str, ShardFile]:
    """The shards by their documents' ids; of those of one path the one whose document was seen there last."""
    latest: dict[str, tuple[int, ShardFile]] = {}
    for path in paths:
        try:
            seen, shard = path.stat().st_mtime_ns, ShardFile(path)
            _refuse_other_model(parts, shard)
        except UnreadableDocument as error:
            report.failed.append(Failure(path, error))
            continue
        if seen >= latest.get(shard.header.path, (0, shard))[0]:
            latest[shard.header.path] = seen, shard
    return {shard.header.document_id: shard for _, shard in latest.values()}


def _held_first(shards: Mapping[str, ShardFile]) -> Iterator[ShardFile]:
    """Each shard once, after those of the documents that its own holds."""
    given: set[str] = set()
    for shard in shards.values():
        within = [held for held in shard.header.holds if held in shards]
        for known in [*within, shard.header.document_id]:
            if known not in given:
                given.add(known)
                yield shards[known]


class _Commit:
    """One shard on its way into the index."""

    def __init__(
        self, parts: WritingParts, report: AddReport, shards: Mapping[str, ShardFile], shard: ShardFile
    ) -> None:
        self._parts, self._report, self._shards, self._shard = parts, report, shards, shard

    @property
    def _header(self) -> ShardHeader:
        return self._shard.header

    def go(self, taker: PageTaker) -> None:
        """Take in what the index lacks of the document. Raises SourceError; then nothing of it is in the index."""
        parts, known = self._parts, self._header.document_id
        damaged = parts.page_files is not None and put_right(parts, known)
        self._refuse_without_held()
        with tempfile.TemporaryDirectory(prefix="pagesight-") as folder:
            entry = parts.catalog.get(known)
            if not (entry and parts.folder.documents.is_kept(entry.first)):
                with disk_errors(f"{self._header.path} could not be written to the index in {parts.place}"):
                    self._keep(Path(folder))
        if entry and SELECTED in entry.first.metadata:  # what the index has of it are some of its pages
            remove_document(parts, known)
            return self.go(taker)
        self._drop_held_before()
        if entry and entry.complete:
            remove_older(parts, self._header.path, known)
            describe(parts, entry.first, dict(self._header.metadata))
            (self._report.repaired if damaged else self._report.unchanged).append(entry.record)
            return None
        if corrections_of(parts, known):
            raise UnreadableDocument(
                f"{Path(self._header.path).name} has corrections in the index that its shard does not know. Index the "
                "document itself: `pagesight index PATH`."
            )
        return self._take_missing(taker, damaged)

    def _take_missing(self, taker: PageTaker, damaged: bool) -> None:
        parts, known, header = self._parts, self._header.document_id, self._header
        entry = parts.catalog.get(known)
        kept = parts.folder.documents.path(known, Path(header.path).suffix)
        job = DocumentJob(
            Source(kept, identify(kept), header.size, header.modified), header.path, header.page_count,
            missing_pages(entry.rows if entry else {}, header.page_count), dict(header.metadata),
            faults=dict(header.faults), warnings=dict(header.warnings), of_document=header.of_document,
            repairs=damaged or bool(parts.page_files and parts.page_files.has_record(known)),
            outlined=OutlinedPages(header.bookmarks),
        )  # fmt: skip
        try:
            for _, batch in batches((job, page) for page in self._pages(job)):
                taker.take(job, batch)
        except UnreadableDocument:
            remove_document(parts, known)
            raise

    def _pages(self, job: DocumentJob) -> Iterator[EncodedPage]:
        """The pages that the index lacks; the outline is told of the others, too."""
        missing = set(job.missing)
        for page in self._shard.pages():
            if page.number in missing:
                yield page
            else:
                job.outlined.add(page.number, page.text, page.height, page.label)

    def _refuse_without_held(self) -> None:
        for held in self._header.holds:
            entry = self._parts.catalog.get(held)
            if held not in self._shards and not (entry and entry.complete):
                raise UnreadableDocument(
                    f"{Path(self._header.path).name} holds a document whose shard is not there ({held}). Prepare it "
                    "again."
                )

    def _drop_held_before(self) -> None:
        """Remove what an older version of the document held, and this one does not."""
        if not self._parts.catalog.at_path(self._header.path):
            return
        for entry in list(self._parts.catalog.view().entries.values()):
            row = entry.first
            if row.path.startswith(self._header.path + WITHIN) and row.document_id not in self._header.holds:
                remove_document(self._parts, row.document_id)

    def _keep(self, folder: Path) -> None:
        """Keep the document's bytes, and the PDF that was made of it. Raises UnreadableDocument, OSError."""
        header, documents = self._header, self._parts.folder.documents
        largest = self._parts.settings.documents.file_megabytes * 1_000_000
        file = Path(header.path)
        if header.has_bytes:
            file = folder / f"document{documents.path(header.document_id, file.suffix).suffix}"
            self._shard.write_bytes("source", file, largest)
        elif is_stored(header.path):
            file = self._fetched(folder)
        try:
            found = hash_file(file)
        except UnreadableDocument as error:
            raise UnreadableDocument(f"{error} The shard {self._shard.path} says that the document is there.") from None
        if found != header.document_id:
            raise UnreadableDocument(
                f"{file.name} is not the document that {self._shard.path} is of. Prepare it again."
            )
        source = Source(file, identify(file), header.size, header.modified)
        documents.keep(source)
        if source.kind in DRAWN_KINDS:
            drawn = folder / "drawn.pdf"
            if not self._shard.write_bytes("drawn", drawn, largest):
                raise UnreadableDocument(f"{self._shard.path} lacks the PDF of its document. Prepare it again.")
            documents.keep_drawn(source, lambda _: drawn.read_bytes())

    def _fetched(self, folder: Path) -> Path:
        """The document of a shard without it, which lies in an object store. Raises UnreadableDocument, OSError."""
        settings = self._parts.settings.documents
        target = folder / f"document{PurePosixPath(self._header.path).suffix}"
        with target.open("wb") as written:
            (found,) = stored_files(self._header.path)
            fetch(found, written, largest=settings.file_megabytes * 1_000_000, seconds=settings.download_seconds)
        return target
