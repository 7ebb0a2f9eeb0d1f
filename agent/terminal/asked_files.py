"""Files that are asked about without an index of their own: each set of files has one in the user's cache folder.

It is named by what the files hold, so asking again about the same files reads nothing anew, wherever they lie.
"""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pagesight.agent.terminal import moving, printing, progress_bars
from pagesight.agent.terminal.options import open_index

if TYPE_CHECKING:
    from pagesight.indexing import PageIndex
    from pagesight.indexing.settings import Settings

#: After so many days without a question an index of files is removed; a guess, not measured.
_DAYS_KEPT = 30


def open_files(paths: Sequence[str], settings: Settings) -> PageIndex:
    """An open index of these files and folders, from the cache or made now; what cannot be read is said.

    Raises SourceError where nothing can be read, and what `open_index` raises.
    """
    from pagesight.indexing.configuration.environment import cache_folder
    from pagesight.indexing.encoders import choose

    moving.begin("reading the files")
    folder = cache_folder() / "asked"
    place = folder / _name(paths, choose(settings.encoding.encoder).name)
    _remove_old(folder)
    index = open_index(str(place), settings, create=True)
    try:
        _add(index, paths)
    except BaseException:
        index.close()
        raise
    (place / "asked").touch()
    return index


def _add(index: PageIndex, paths: Sequence[str]) -> None:
    with progress_bars.pages_bar() as progress:
        report = index.add(list(paths), progress=progress, opened=progress)
    if not index.documents() and report.failed:
        raise report.failed[0].error
    for failure in report.failed:
        printing.error(str(failure.error))
    if report.added:
        made = sum(record.pages for record in report.added)
        printing.note(f"read {printing.counted(made, 'page')} of {printing.counted(len(report.added), 'document')}")


def _name(paths: Sequence[str], encoder: str) -> str:
    """A name that the same files, under the same names and for the same encoder, always have."""
    from pagesight.indexing.documents.sources import find_documents

    found = find_documents(paths)
    if not found.sources and found.failures:
        raise found.failures[0].error
    held = sorted(f"{source.path.name} {source.document_id}" for source in found.sources)
    return hashlib.sha256("\n".join([encoder, *held]).encode(errors="surrogateescape")).hexdigest()[:16]


def _remove_old(folder: Path) -> None:
    """Removes the indexes that nobody has asked for a long time."""
    oldest = time.time() - _DAYS_KEPT * 86_400
    for noted in folder.glob("*/asked"):
        if noted.stat().st_mtime < oldest:
            shutil.rmtree(noted.parent, ignore_errors=True)
