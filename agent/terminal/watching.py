"""`pagesight index --watch`: follows what changes in folders, and keeps the index like them."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pagesight.indexing import DocumentRecord, PageIndex


@dataclass(frozen=True)
class Changes:
    """What changed at a time: ``there`` are files and folders that are new or other than before, ``gone`` are not."""

    there: list[Path] = field(default_factory=list)
    gone: list[Path] = field(default_factory=list)


def changes(paths: Sequence[str], index: Path, stop: threading.Event | None = None) -> Iterator[Changes]:
    """All that is at the paths, and then what changes there, until Ctrl-C or ``stop``.

    That is files that may be documents, and folders; what is hidden, and what lies in the index's own folder, is left
    out. What changes while the caller is busy comes the next time.
    """
    from watchfiles import DefaultFilter, watch

    roots = [Path(os.path.abspath(path)) for path in paths]  # noqa: PTH100 (a link keeps its name)
    usual, began = DefaultFilter(), False
    watched = watch(
        *roots, stop_event=stop, raise_interrupt=False, yield_on_timeout=True, rust_timeout=_LOOK_AGAIN,
        watch_filter=lambda change, path: usual(change, path) and _may_be_document(Path(path), roots, index),
    )  # fmt: skip
    for found in watched:
        if not began:  # from here on nothing is missed
            began = True
            yield Changes(list(roots))
        touched = sorted({Path(path) for _, path in found})
        if touched:
            yield Changes([path for path in touched if path.exists()], [path for path in touched if not path.exists()])


_LOOK_AGAIN = 500  # milliseconds after which it looks whether it shall end


def gone_documents(index: PageIndex, change: Changes) -> list[DocumentRecord]:
    """The documents whose files were where nothing is any more."""
    return [record for record in index.documents() if any(_lay_at(record, path) for path in change.gone)]


def _may_be_document(path: Path, roots: Sequence[Path], index: Path) -> bool:
    from pagesight.indexing.documents.kinds import SUFFIXES

    if path.is_relative_to(index.resolve()):
        return False
    root = next((root for root in roots if path.is_relative_to(root)), None)
    parts = path.relative_to(root).parts if root else path.parts[-1:]
    if any(part.startswith(".") for part in parts):
        return False
    return path in roots or path.suffix.lower() in SUFFIXES or path.is_dir() or not path.exists()


def _lay_at(record: DocumentRecord, path: Path) -> bool:
    """Whether the document's file was at the path, in the folder there, or within the document there."""
    from pagesight.indexing.preparing.attached_documents import WITHIN

    return record.path == str(path) or record.path.startswith((f"{path}{os.sep}", f"{path}{WITHIN}"))
