"""Reads a published question set from a folder, or fetches it from the hub first."""

from __future__ import annotations

import warnings
from pathlib import Path

from pagesight.indexing.configuration.installation import install_command
from pagesight.indexing.errors import IndexWarning, MissingExtra, QuestionsError
from pagesight.indexing.evaluate.published.layout import Layout
from pagesight.indexing.evaluate.published.layouts import LAYOUTS
from pagesight.indexing.evaluate.published.local_copy import PARTS, LocalCopy
from pagesight.indexing.evaluate.questions import JudgedQuestion, QuestionSet, refuse_repeated


def read_published(folder: Path, pictures: Path, part: str | None = None) -> QuestionSet | None:
    """The published set that the folder holds a copy of; None if it holds none.

    ``part`` is "test", "dev" or the like; by default the first of these whose questions have answers. Pictures that
    its tables hold are written to ``pictures``. Questions about documents that are missing are left out, with a
    warning. Raises QuestionsError for a column that is missing or unknown, and where no document is there.
    """
    copy = LocalCopy(folder, pictures)
    parts = copy.parts()
    ordered = [part if part in parts else ""] if part else [*PARTS, ""]
    for one in ordered:
        for path in parts.get(one, []):
            if (layout := _layout_of(copy, path)) is None:
                continue
            found = _questions(copy, path, layout, part)
            if any(question.answer is not None for question in found):
                return _set(copy, layout, found)
    if part and any(_layout_of(copy, path) for paths in parts.values() for path in paths):
        raise QuestionsError(f"{folder} has no part {part!r} with answers; there are {', '.join(filter(None, parts))}.")
    return None


def by_name(name: str) -> Layout | None:
    """The published set of that name: its title or its repository on the hub, in any case."""
    return next((one for one in LAYOUTS if name.lower() in (one.title.lower(), one.hub.lower())), None)


def fetch(layout: Layout) -> Path:
    """A copy of the set from the hub, kept in the hub's cache. Raises QuestionsError, MissingExtra."""
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HfHubHTTPError
    except ImportError as error:
        raise MissingExtra(f"fetching {layout.hub} needs more packages: run `{install_command('eval')}`") from error
    try:
        return Path(snapshot_download(layout.hub, repo_type="dataset"))
    except (OSError, ValueError, HfHubHTTPError) as error:
        reason = " ".join(str(error).split())[:300]
        raise QuestionsError(
            f"{layout.title} cannot be fetched from {layout.hub} ({type(error).__name__}: {reason}). Some sets ask for "
            "a login: run `hf auth login`, accept the conditions on the set's page, or name a folder with a copy."
        ) from error


def _layout_of(copy: LocalCopy, path: Path) -> Layout | None:
    _, first = next(iter(copy.rows(path)), ("", {}))
    return next((layout for layout in LAYOUTS if layout.marks <= set(first)), None)


def _questions(copy: LocalCopy, path: Path, layout: Layout, part: str | None) -> list[JudgedQuestion]:
    found = []
    for where, row in copy.rows(path):
        layout.check(where, row)
        if part and row.get("split", part) != part:
            continue
        try:
            found.append(layout.read(where, row, copy))
        except (KeyError, TypeError, AttributeError, IndexError) as error:
            raise QuestionsError(
                f"{where} is not as {layout.title} is published ({type(error).__name__}: {error}): get the copy anew."
            ) from error
    refuse_repeated(found)
    return found


def _set(copy: LocalCopy, layout: Layout, found: list[JudgedQuestion]) -> QuestionSet:
    """The questions whose documents are there."""
    kept = [question for question in found if question.documents]
    if not kept:
        raise QuestionsError(
            f"{copy.folder} has the questions of {layout.title} and none of its documents, such as "
            f"{min(copy.missing)!r}: put them into a folder documents/ there. They come from {layout.source}."
        )
    if copy.missing:
        warnings.warn(
            f"{layout.title}: {len(copy.missing)} documents are missing in {copy.folder}, such as "
            f"{min(copy.missing)!r}; {len(found) - len(kept)} questions about them are left out.",
            IndexWarning,
            stacklevel=2,
        )
    files = dict.fromkeys(document for question in kept for document in question.documents)
    return QuestionSet(layout.title, kept, [Path(file) for file in files], layout.name)
