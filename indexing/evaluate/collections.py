"""From what was named on the command line to questions, and to an index that holds their pages."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from pagesight.indexing.errors import IndexWarning, QuestionsError
from pagesight.indexing.evaluate.beir import is_beir, read_beir
from pagesight.indexing.evaluate.published.read import by_name, fetch, read_published
from pagesight.indexing.evaluate.questions import QuestionSet, read_questions
from pagesight.indexing.evaluate.vidore import read_vidore
from pagesight.indexing.index import PageIndex
from pagesight.indexing.preparing.add_report import Progress


def load_collection(
    source: str, pictures: Path, *, language: str | None = None, part: str | None = None
) -> QuestionSet:
    """The questions in a JSONL file, a BEIR folder, or a published set by name or folder.

    ``pictures`` is where a set's pictures are written; ``language`` keeps the questions in one, where a set says
    theirs; ``part`` is "test", "dev" or the like of a set that has several. Raises QuestionsError if there is no such
    thing or it cannot be used.
    """
    path = Path(source).expanduser()
    if path.is_dir():
        if is_beir(path):
            return read_beir(path)
        return read_published(path, pictures, part) or read_vidore(str(path), pictures, language=language)
    if layout := by_name(source):
        found = read_published(fetch(layout), pictures, part)
        if found is None:
            raise QuestionsError(f"{layout.hub} holds no questions of {layout.title} as it was published.")
        return found
    if path.is_file() or path.suffix in (".jsonl", ".json", ".tsv", ".csv") or source.count("/") != 1:
        return read_questions(path)
    return read_vidore(source, pictures, language=language)


def add_files(
    index: PageIndex,
    files: Iterable[Path | str],
    progress: Callable[[Progress], None] | None = None,
    *,
    published: bool = False,
) -> float | None:
    """Index the files and return the seconds that a page took; None if nothing was to be done.

    Raises QuestionsError if one of them cannot be indexed. Where they are those of a ``published`` set, which may hold
    broken ones, that is a warning, unless it is all of them: questions about them count, and find nothing.
    """
    report = index.add(files, progress=progress)
    if report.failed:
        message = f"{len(report.failed)} files cannot be indexed; the first: {report.failed[0].error}"
        if not published or not index.documents():
            raise QuestionsError(message)
        warnings.warn(message, IndexWarning, stacklevel=2)
    return report.seconds / report.pages if report.pages else None


class EncoderIndexes:
    """Indexes of the same documents by other encoders, each in a folder of its own; closed with the context."""

    def __init__(self, index: PageIndex, folder: Path) -> None:
        self._index = index
        self._folder = folder
        self._opened: dict[str, tuple[PageIndex, float | None]] = {}
        self._stack = ExitStack()

    def make(self, encoders: Iterable[str], progress: Callable[[Progress], None] | None = None) -> None:
        """Open the encoders' indexes and add what is missing in them."""
        files = [record.path for record in self._index.documents()]
        for encoder in encoders:
            place = self._folder / re.sub(r"[^\w.-]+", "-", encoder)
            index = self._stack.enter_context(PageIndex.open(place, encoder=encoder, settings=self._index.settings))
            self._opened[encoder] = (index, add_files(index, files, progress))

    def __call__(self, encoder: str) -> tuple[PageIndex, float | None]:
        """The index of an encoder by name, and the seconds that a page took if pages were to be indexed."""
        return self._opened[encoder]

    def __enter__(self) -> EncoderIndexes:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
