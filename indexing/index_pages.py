"""An open index without searching: its documents, its pages' pictures, words and outlines, and its end."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import wraps
from pathlib import Path
from types import TracebackType
from typing import Concatenate, ParamSpec, Self, TypeVar

from PIL import Image

from pagesight.indexing.corrections.corrected import corrected
from pagesight.indexing.encoders import PageEncoder
from pagesight.indexing.errors import IndexWarning, PageIndexError, SourceError
from pagesight.indexing.open_calls import OpenCalls, in_thread, while_open
from pagesight.indexing.opening.index_parts import IndexParts
from pagesight.indexing.opening.open_index import give_back
from pagesight.indexing.outlines.outline import Outline, kept_outline
from pagesight.indexing.outlines.read_outline import read_outline
from pagesight.indexing.pages import Correction, DocumentRecord, PageRef, PageRow, PageText, Region
from pagesight.indexing.preparing.shown_document import ShownDocument, ShownDocuments
from pagesight.indexing.ranking.search import fusion_weight
from pagesight.indexing.settings import Settings
from pagesight.indexing.snapshot.array_file import SnapshotDamaged
from pagesight.indexing.storage.index_encoder import EncoderRecord

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
Reader = TypeVar("Reader", bound="IndexPages")


def reading(
    method: Callable[Concatenate[Reader, Arguments], Result],
) -> Callable[Concatenate[Reader, Arguments], Result]:
    """Makes a method go on where a file that readers open is damaged, if that can be made anew from the index."""

    @while_open
    @wraps(method)
    def read(self: Reader, /, *args: Arguments.args, **options: Arguments.kwargs) -> Result:
        try:
            return method(self, *args, **options)
        except SnapshotDamaged as damaged:
            try:
                made = self._parts.access.remake()
            except PageIndexError as error:
                raise damaged from error
            if made:
                warnings.warn(f"{damaged} That was done now.", IndexWarning, stacklevel=3)
            return method(self, *args, **options)

    return read


class IndexPages:
    """What is in an open index; see `pagesight.indexing.index_reader.IndexReader`."""

    def __init__(self, parts: IndexParts) -> None:
        self._parts = parts
        self._shown = ShownDocuments(parts.settings.documents)
        self._calls = OpenCalls(f"the index in {parts.place}", "Open it again with PageIndex.open.")

    @property
    def path(self) -> Path:
        """The index's folder; of an index on a server, the one with what this machine keeps of it."""
        return self._parts.folder.path

    @property
    def place(self) -> str:
        """Its folder or its address, as `open` takes it."""
        return self._parts.place

    @property
    def settings(self) -> Settings:
        """The settings that it was opened with."""
        return self._parts.settings

    @property
    def encoder(self) -> PageEncoder:
        """The encoder that its pages were made with, the first of several."""
        return self._parts.encoder

    @property
    def encoders(self) -> list[EncoderRecord]:
        """The encoders that its pages were made with, in the order in which they came."""
        return [one.told() for one in self._parts.encoders]

    @property
    def encoder_names(self) -> str:
        """The names of its encoders, as people are told of them."""
        return " and ".join(one.name for one in self._parts.encoders)

    def encoder_called(self, name: str) -> EncoderRecord:
        """The encoder of that name or id. Raises SettingsError for one that the index has not."""
        return self._parts.encoder_called(name).told()

    @property
    def fusion_weight(self) -> float:
        """How much (0 to 1) its encoders together count beside words in a search."""
        return fusion_weight([one.encoder for one in self._parts.encoders if one.recorded.finished])

    @reading
    def pages(self) -> list[PageRow]:
        """The pages in the index as Milvus has them, without their text."""
        return self._parts.view().pages()

    @reading
    def documents(self) -> list[DocumentRecord]:
        """The documents in the index, by name."""
        return self._parts.view().documents

    @reading
    def printed_labels(self) -> Mapping[str, Mapping[str, int]]:
        """The names of the documents, each with the numbers of its pages by their printed labels, such as "iv"."""
        return self._parts.view().printed_labels()

    @while_open
    def document(self, name: str) -> DocumentRecord:
        """The document of that name, path or id. Raises UnknownDocument, with the names that come nearest."""
        return self._parts.view().find(name)

    @reading
    def page(self, label: str) -> PageRef:
        """The page with that label, such as ``report.pdf p. 3``. Raises UnknownPage or UnknownDocument."""
        return self._parts.view().page(label)

    @while_open
    def picture(
        self,
        ref: PageRef | str,
        *,
        region: Region | None = None,
        long_side: int | None = None,
        dpi: float | None = None,
    ) -> Image.Image:
        """The page, or a region of it, as an RGB picture, rendered anew from the kept document.

        ``long_side`` pixels of the longer side, or ``dpi`` dots per inch (144 if nothing is given). Raises UnknownPage,
        BadRegion, UnreadableDocument if the kept document is gone or was changed, or if drawing it takes more than
        `DocumentSettings.page_seconds`.
        """
        ref = self._ref(ref)
        with self.opened(ref) as document:
            return document.picture(ref.page, dpi=dpi, long_side=long_side, region=region)

    @while_open
    def expect_pictures(self) -> None:
        """Start the process that draws pages, without waiting for it: the first picture then comes 0.4 s sooner."""
        self._shown.start()

    @reading
    def opened(self, ref: PageRef | str) -> ShownDocument:
        """The kept document that the page is in; use it in a ``with`` statement. Raises as `picture` does."""
        row = self._parts.view().row(self._ref(ref))
        return self._shown.open(self._parts.folder.documents.shown(row), Path(row.document))

    @reading
    def text(self, ref: PageRef | str) -> str:
        """The page's text as it was read, in lines; empty if it has none. Raises UnknownPage."""
        view = self._parts.view()
        key = view.row(self._ref(ref)).key
        return view.texts([key]).get(key, "")

    @reading
    def outline(self, name: str, *, make: bool = True) -> Outline:
        """The outline of the document of that name, path or id: what its parts are called, and their pages.

        It is kept when a document is indexed; where none is kept, it is made from the kept document, which takes some
        milliseconds a page, or, unless ``make``, is empty. Raises UnknownDocument.
        """
        view, files = self._parts.view(), self._parts.page_files
        record = view.find(name)
        kept = kept_outline(files.of(record.document_id)) if files else None
        if kept or not make:
            return kept or Outline()
        refs, printed = record.page_refs, view.printed_labels()[record.document]
        texts = view.texts([ref.key for ref in refs])
        told = [texts.get(ref.key, "") for ref in refs]
        try:
            with self.opened(refs[0]) as document:
                return read_outline(document, told, printed)
        except SourceError:  # what was kept of it is gone
            return read_outline(None, told, printed)

    @reading
    def term_shares(self, name: str, terms: Iterable[str]) -> dict[str, float]:
        """On which part of the pages of a document, 0 to 1, each of the terms stands. Raises UnknownDocument.

        A term is a word as `pagesight.indexing.lexical.tokens.tokenize` gives it.
        """
        statistics = (view := self._parts.view()).statistics
        place, shares = statistics.place(view.find(name).document_id), dict[str, float]()
        for term in terms:
            holders, parts = statistics.spread(term)
            shares[term] = float(parts[holders == place].sum())
        return shares

    @reading
    def page_kinds(self, name: str) -> dict[int, dict[str, float]]:
        """What kinds of page those of a document are, by number: each kind from 0 to 1. Raises UnknownDocument.

        See `pagesight.indexing.page_kinds.page_kinds.KINDS` for those that are told when a document is indexed;
        `classify` adds labels.
        """
        view = self._parts.view()
        return {row.page: row.kinds or {} for row in view.pages([view.find(name).document_id])}

    @reading
    def words(self, ref: PageRef | str) -> PageText:
        """The page's words with their boxes and lines, as they were read when it was indexed.

        What was corrected of them is as corrected. Where the index does not have them, or not as they were written,
        they are read anew from the kept document, by OCR where it is needed, which raises as `picture` does. Raises
        UnknownPage.
        """
        row = self._parts.view().row(self._ref(ref))
        return corrected(self._as_read(row), row.corrections)

    def _ref(self, page: PageRef | str) -> PageRef:
        """The page that is meant, by itself or by its label."""
        return self._parts.view().page(page) if isinstance(page, str) else page

    def _as_read(self, row: PageRow) -> PageText:
        if (kept := self._parts.folder.words.read(row)) is not None:
            return kept
        ref = row.ref
        with self.opened(ref) as document:
            return document.words(ref.page, ocr=self.settings.documents.ocr)

    @reading
    def corrections_of(self, ref: PageRef | str) -> tuple[Correction, ...]:
        """The corrections of a page, the oldest first. Raises UnknownPage."""
        return self._parts.view().row(self._ref(ref)).corrections

    @reading
    def corrections(self, documents: Sequence[str] | None = None) -> list[tuple[PageRef, Correction]]:
        """The corrections of these documents, or of all, in the order of documents, pages and times.

        Raises UnknownDocument.
        """
        view = self._parts.view()
        rows = view.pages(view.narrowed(documents, None))
        return [(row.ref, correction) for row in rows for correction in row.corrections]

    def close(self) -> None:
        """Let the index go; waits for other threads' calls. Twice is no error."""
        if self._calls.close():
            self._shown.close()
            give_back(self._parts)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    # Each does in a thread what the method without its first letter does.
    apages = in_thread(pages)
    adocuments = in_thread(documents)
    aprinted_labels = in_thread(printed_labels)
    adocument = in_thread(document)
    apage = in_thread(page)
    apicture = in_thread(picture)
    atext = in_thread(text)
    aoutline = in_thread(outline)
    apage_kinds = in_thread(page_kinds)
    awords = in_thread(words)
    acorrections_of = in_thread(corrections_of)
    acorrections = in_thread(corrections)
    aclose = in_thread(close)
