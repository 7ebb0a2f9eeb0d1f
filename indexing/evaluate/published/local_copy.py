"""A folder with a copy of a published question set: its questions' rows, and its documents by name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from pagesight.indexing.documents.open import open_document
from pagesight.indexing.errors import PageIndexError, QuestionsError
from pagesight.indexing.evaluate.questions import json_lines
from pagesight.indexing.evaluate.vidore import parquet_rows

# Where the published copies keep their questions.
_PLACES = (".", "data", "annotations/qa")
_PICTURES = (".png", ".jpg", ".jpeg", ".webp")


class LocalCopy:
    """``folder`` as it was downloaded; pictures that its tables hold are written to ``pictures``."""

    def __init__(self, folder: Path, pictures: Path) -> None:
        self.folder = folder
        self.pictures = pictures
        self.missing: set[str] = set()
        self._sizes: dict[str, list[tuple[float, float]]] = {}

    def parts(self) -> dict[str, list[Path]]:
        """The files with questions by the part that they hold: "test", "dev" …, or "" where names tell none."""
        found: dict[str, list[Path]] = {}
        for place in _PLACES:
            for path in sorted((self.folder / place).glob("*")):
                if path.suffix in (".json", ".jsonl", ".parquet") and path.is_file():
                    part = path.stem.partition("-")[0]
                    found.setdefault(part if part in PARTS else "", []).append(path)
        return found

    def rows(self, path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
        """A file's rows, each with where it stands. Raises QuestionsError."""
        if path.suffix == ".parquet":
            for number, row in enumerate(parquet_rows(path), 1):
                yield f"{path.name} row {number}", row
        elif path.suffix == ".jsonl":
            yield from json_lines(path)
        else:
            yield from _json_rows(path)

    def document(self, name: str) -> str | None:
        """The path of the document of that name, with or without its suffix; None, and noted, where it is missing."""
        path = self._documents.get(name) or self._documents.get(name.removesuffix(".pdf"))
        if path is None:
            self.missing.add(name)
        return path

    def slides(self, deck: str) -> list[str]:
        """The paths of a deck's pictures in their order; none where it is missing."""
        found = self._decks.get(deck, [])
        if not found:
            self.missing.add(deck)
        return found

    def page_sizes(self, document: str) -> list[tuple[float, float]]:
        """Width and height of the document's pages in points; none where it cannot be read."""
        if document not in self._sizes:
            try:
                with open_document(document) as opened:
                    self._sizes[document] = [opened.size(page) for page in range(1, opened.page_count + 1)]
            except PageIndexError:
                self._sizes[document] = []
        return self._sizes[document]

    @cached_property
    def _documents(self) -> dict[str, str]:
        paths = sorted(path for path in self.folder.rglob("*") if path.suffix.lower() == ".pdf" and path.is_file())
        names = {path.stem: str(path.resolve()) for path in paths}
        return names | {path.name: str(path.resolve()) for path in paths}

    @cached_property
    def _decks(self) -> dict[str, list[str]]:
        decks: dict[str, list[Path]] = {}
        for path in self.folder.rglob("*"):
            if path.suffix.lower() in _PICTURES and path.is_file():
                decks.setdefault(path.parent.name, []).append(path)
        return {name: [str(path.resolve()) for path in sorted(paths, key=_number)] for name, paths in decks.items()}


#: Parts of a published set, the one first that results are given for.
PARTS = ("test", "dev", "val", "validation", "train")


def _number(path: Path) -> tuple[list[int], str]:
    """So that slide-10 comes after slide-2."""
    digits = "".join(letter if letter.isdigit() else " " for letter in path.stem).split()
    return [int(number[:9]) for number in digits], path.name


def _json_rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        rows = json.loads(path.read_bytes())
    except ValueError as error:
        raise QuestionsError(f"{path} is no JSON ({error}): get the copy anew.") from error
    if not isinstance(rows, list):
        return
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict):
            raise QuestionsError(f"{path.name} entry {number} is {type(row).__name__} and not an object.")
        yield f"{path.name} entry {number}", row
