"""What pagesight itself has written, which is never taken for a document: indexes, and files with its mark."""

from __future__ import annotations

import json
from pathlib import Path

#: The program that a picture or report names as its maker.
MAKER = "pagesight"

#: How the mark stands in the first bytes of a file: a PNG's text, a web page's generator, a comment in Markdown.
_MARKS = (b"Software\0pagesight", b'name="generator" content="pagesight"', b"<!-- pagesight -->")

#: A file that says that all in its folder was written by pagesight.
_IN_FOLDERS = ".made-by-pagesight"

_PARTS = ("milvus.db", "multivectors", "documents", "evidence")


def is_own_file(head: bytes) -> bool:
    """Whether the file with these first bytes was written by pagesight."""
    return any(mark in head for mark in _MARKS)


def is_own_folder(folder: Path) -> bool:
    """Whether all in the folder was written by pagesight."""
    return (folder / _IN_FOLDERS).is_file()


def mark_folder(folder: Path) -> None:
    """Mark a folder, made where it is not there, as one that holds only what pagesight wrote."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _IN_FOLDERS).write_text("pagesight passes this folder over when it indexes.\n", encoding="utf-8")


def is_index(folder: Path) -> bool:
    """Whether the folder is an index, whatever it is called."""
    try:
        noted = json.loads((folder / "index.json").read_bytes()[:1_000_000])
        return isinstance(noted, dict) and {"format", "encoder"} <= noted.keys()
    except (OSError, ValueError, RecursionError):  # none, or one that is damaged
        return (folder / "milvus.db").exists() and (folder / "documents").is_dir()


def index_around(path: Path) -> Path | None:
    """The index that the path is, or that it is a part of; None for what is nobody's."""
    if is_index(path):
        return path
    parts = (path, *path.parents)
    return next((part.parent for part in parts if part.name in _PARTS and is_index(part.parent)), None)
