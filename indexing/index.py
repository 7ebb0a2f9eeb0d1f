"""The front door: an index of pages that documents are added to and questions are asked of."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from pagesight.indexing.calls.destinations import index_set
from pagesight.indexing.documents.metadata import Metadata
from pagesight.indexing.errors import PageIndexError
from pagesight.indexing.index_reader import IndexReader
from pagesight.indexing.ingest import add_documents
from pagesight.indexing.open_calls import in_thread, while_open
from pagesight.indexing.opening.named_encoder import Asked
from pagesight.indexing.opening.open_index import take, with_encoder
from pagesight.indexing.pages import Box, Correction, DocumentRecord, PageRef
from pagesight.indexing.preparing.add_report import AddReport, Progress
from pagesight.indexing.settings import Settings, load_settings
from pagesight.indexing.storage.index_encoder import EncoderRecord
from pagesight.indexing.storage.removed import RemovedDocuments
from pagesight.indexing.writing.classify import Classified, classify
from pagesight.indexing.writing.commit import remove_document
from pagesight.indexing.writing.correct import correct_words, undo_correction
from pagesight.indexing.writing.encoder_changes import add_encoder, remove_encoder
from pagesight.indexing.writing.given_files import Given, GivenFiles, several
from pagesight.indexing.writing.recover import begin_writing, restore_documents


class PageIndex(IndexReader):
    """An open index. Made with `open`; close it, or use it in a ``with`` or ``async with`` statement.

    Any number of threads and processes may search while one adds or removes; each sees whole documents only. In one
    process the same index can be opened more than once. Every method that waits has a twin for asyncio with the same
    arguments, which runs in a thread and never blocks the loop: `asearch`, `aadd` and so on. Where a method takes a
    page, its label does: ``index.picture("report.pdf p. 3")``; it then raises UnknownPage or UnknownDocument.
    """

    @classmethod
    def open(
        cls,
        path_or_uri: str | os.PathLike[str] | None = None,
        *,
        encoder: Asked = None,
        settings: Settings | None = None,
        create: bool = True,
    ) -> PageIndex:
        """Open the index in a folder, or make one there.

        ``path_or_uri`` a folder, or ``http://HOST:PORT/NAME`` or ``https://…`` on a Milvus server; `Settings.index` if
        None. ``encoder`` its name, or several; by default those that the index has. Raises IndexMissing if there is
        none and ``create`` is false, IndexInUse if another process is making it, EncoderMismatch, ServerUnreachable,
        LoginRefused, SettingsError for an unknown encoder, PageIndexError if it is damaged.
        """
        settings = settings or load_settings()
        place = os.fspath(path_or_uri) if path_or_uri is not None else index_set(settings)
        return cls(take(place, encoder, settings, create))

    @classmethod
    async def aopen(
        cls,
        path_or_uri: str | os.PathLike[str] | None = None,
        *,
        encoder: Asked = None,
        settings: Settings | None = None,
        create: bool = True,
    ) -> PageIndex:
        """`open`, in a thread: loading an encoder or reaching a server takes seconds."""
        return await asyncio.to_thread(cls.open, path_or_uri, encoder=encoder, settings=settings, create=create)

    @while_open
    def use_encoder(self, name: str) -> None:
        """Make an index without documents anew with another encoder; nothing is done where it has that one already.

        Raises PageIndexError, before anything is asked of the encoder, for an index that has documents, is on a server
        or is open more than once in this process; IndexInUse, SettingsError for an unknown encoder, EncoderError.
        """
        if name != self.encoder.name:
            self._parts = with_encoder(self._parts, name)

    @while_open
    def add(
        self,
        paths: Iterable[Given] | Given,
        *,
        progress: Callable[[Progress], None] | None = None,
        metadata: Metadata | None = None,
        approve: Callable[[int], None] | None = None,
        pages: str | None = None,
        opened: Callable[[Progress], None] | None = None,
    ) -> AddReport:
        """Index documents: files, or folders with all documents in them.

        An ``https://`` address is one file, fetched from public addresses alone. What has no path is given as a name
        with bytes or an open file, ``("report.pdf", content)``, or as an open file that has a name, by which it is
        known. ``pages`` are those that are wanted of each document: "3-9", "1,4-", "-1" for the last; the others stay
        blank, and numbers are the document's own.
        What is unchanged is skipped, what changed replaces its old version, and an interrupted run is taken up.
        ``metadata`` such as ``{"year": 2023}`` goes to all of them, over what each one's sidecar says (metadata.py).
        ``opened`` is called for each document when its pages are counted, ``approve`` once with the number of pages to
        encode, before the first: what it raises ends the run; ``progress`` after each batch of pages that was written.
        A path that cannot be indexed stands in the report's ``failed`` and does not keep the others. Raises StorageFull
        if the disk is full; what was written stays;
        IndexInUse if another process writes for longer than `SharingSettings.wait`; PageIndexError if the settings ask
        for another precision or pooling than the index has.
        """
        self._refuse_other_layout()
        with GivenFiles(several(paths), self.settings.documents) as given, self._parts.writing() as parts:
            report = add_documents(parts, given.paths, progress, metadata, given.stands_for, approve, pages, opened)
            return given.as_named(report)

    @while_open
    def commit(
        self, shards: Iterable[Path | str] | Path | str, *, progress: Callable[[Progress], None] | None = None
    ) -> AddReport:
        """Take in the shards that `prepare` made, files or folders of them, as `add` would take in their documents.

        What the index has is skipped, an interrupted run is taken up. Nothing is read or encoded anew. A shard that
        cannot be taken in stands in the report's ``failed``, shards of another encoder, precision, pooling or number
        of candidate vectors in ``passed_over``. Raises EncoderMismatch if all are such, and what `add` raises.
        """
        from pagesight.indexing.shards.commit_shards import commit_shards  # pyarrow, which nothing else here needs

        self._refuse_other_layout()
        with self._parts.writing() as parts:
            return commit_shards(parts, [shards] if isinstance(shards, str | Path) else shards, progress)

    @while_open
    def add_encoder(
        self,
        name: str,
        *,
        progress: Callable[[Progress], None] | None = None,
        approve: Callable[[int], None] | None = None,
    ) -> AddReport:
        """Have all pages seen by a further encoder, from the documents that the index keeps; searches use it then, too.

        Called again it goes on where it was cut off; for one that all pages have vectors of it does nothing.
        ``approve`` is called with the number of pages to encode, before anything is changed: what it raises ends it.
        Documents that cannot be read any more stand in the report's ``failed``: until they can, no search uses the
        encoder. Raises SettingsError for an unknown encoder, IndexInUse as `add` does, and what an encoder raises.
        """
        return add_encoder(self._parts, name, self.settings, progress, approve)

    @while_open
    def remove_encoder(self, name: str) -> EncoderRecord:
        """Remove an encoder and all that it made; searches do without it from now on.

        Raises SettingsError for one that the index has not, or the only one; IndexInUse as `add` does.
        """
        return remove_encoder(self._parts, name).told()

    @while_open
    def classify(
        self,
        labels: Sequence[str],
        *,
        encoder: str | None = None,
        prompt: str | None = None,
        documents: Sequence[str] | None = None,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> Classified:
        """Say of each page how much it is of each label (0 to 1, together 1), without examples, and keep that.

        For `page_kinds`, and conditions such as ``page_letter >= 0.5``. By the ``encoder`` of that name, or the first
        one that looks at pages; ``prompt`` is what it is asked, with ``{label}`` in it. A page's labels of an earlier
        call go. Raises RequestError for labels that cannot be asked for and where no encoder looks, UnknownDocument,
        IndexInUse as `add` does, and what an encoder raises.
        """
        return classify(self._parts, labels, encoder, prompt, documents, progress)

    @while_open
    def remove(self, names_or_paths: Iterable[str | Path] | str | Path) -> list[DocumentRecord]:
        """Remove documents by name, path or id and return them; `restore` takes them back until the next call.

        Raises UnknownDocument before it removes any, IndexInUse as `add` does.
        """
        several = [names_or_paths] if isinstance(names_or_paths, str | Path) else list(names_or_paths)
        with self._parts.writing() as parts:
            view = parts.catalog.view()
            records = {record.document_id: record for record in (view.find(str(name)) for name in several)}
            begin_writing(parts)
            removed = RemovedDocuments(self.path) if parts.page_files and records else None
            if removed:
                removed.clear()
            for document_id in records:
                remove_document(parts, document_id, removed)
            parts.flush()
        return list(records.values())

    @while_open
    def removed(self) -> list[DocumentRecord]:
        """What the last `remove` took out and `restore` can take back, for 30 days."""
        kept = RemovedDocuments(self.path) if self._parts.page_files else None
        return sorted(kept.records().values(), key=lambda record: record.document) if kept else []

    @while_open
    def restore(self, names: Iterable[str] | str) -> list[DocumentRecord]:
        """Take back documents of the last `remove`, by name or id, and return them.

        Raises UnknownDocument before it takes back any, PageIndexError where another document is at its path by now.
        """
        several = [names] if isinstance(names, str) else list(names)
        with self._parts.writing() as parts:
            begin_writing(parts)
            return restore_documents(parts, RemovedDocuments(self.path), several)

    @while_open
    def correct(
        self, ref: PageRef | str, was: str, now: str, *, at: Box | int | None = None, by: str = ""
    ) -> Correction:
        """Correct words of a page that were read wrongly; they are searched, quoted and marked so from then on.

        ``was`` are words side by side in a line as they are read, or a part of one between punctuation. Where they
        stand on the page more than once, ``at`` is the number of the one that is meant, from 1, or the box of these
        very words. ``by`` says who corrects. Kept with the page, also when it is read anew, until the document
        changes or is removed. Raises BadCorrection, IndexInUse as `add` does, and what `picture` raises.
        """
        ref = self._ref(ref)
        read = self._as_read(self._parts.view().row(ref))
        with self._parts.writing() as parts:
            return correct_words(parts, ref, read, was, now, at, by)

    @while_open
    def undo_correction(self, ref: PageRef | str, known: str) -> list[Correction]:
        """Take back a correction of a page by its id, and those made later of the same words; returns them.

        Raises as `correct` does.
        """
        ref = self._ref(ref)
        read = self._as_read(self._parts.view().row(ref))
        with self._parts.writing() as parts:
            return undo_correction(parts, ref, read, known)

    # Each does in a thread what the method without its first letter does.
    ause_encoder = in_thread(use_encoder)
    aadd = in_thread(add)
    acommit = in_thread(commit)
    aadd_encoder = in_thread(add_encoder)
    aremove_encoder = in_thread(remove_encoder)
    aclassify = in_thread(classify)
    aremove = in_thread(remove)
    aremoved = in_thread(removed)
    arestore = in_thread(restore)
    acorrect = in_thread(correct)
    aundo_correction = in_thread(undo_correction)

    def _refuse_other_layout(self) -> None:
        layouts, asked = [one.recorded.layout for one in self._parts.encoders], self.settings.vectors
        for name, wanted in (("precision", asked.precision), ("pool", asked.pool)):
            has = [getattr(layout, name) for layout in layouts]
            if wanted not in (None, *has):
                raise PageIndexError(
                    f"the index in {self._parts.place} was made with --{name} {has[0]}, not {wanted}. Leave out "
                    f"--{name} (and PAGESIGHT_{name.upper()}) to go on with it, or make a new index: "
                    f"`pagesight index PATH… --{name} {wanted} --index OTHER`."
                )
