"""The rows of an index's pages as files, whole texts among them: what its Milvus is made anew from.

<folder>/<document_id>/<first page>.json   the rows of one batch, as it was written
<folder>/<document_id>/document.json       the document's record: it is whole, and this is what it has

What stands in them: docs/format.md.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from pagesight.indexing.pages import PageRow, checked_document_id, checked_page_row, is_document_id
from pagesight.indexing.storage.checked_json import read_checked, write_checked

#: What a row shares with all rows of its document.
DOCUMENT_FIELDS = (
    *("document_id", "document", "path", "page_count", "ordinal"),
    *("size", "modified", "added", "metadata"),
)
PAGE_FIELDS = tuple(field.name for field in fields(PageRow) if field.name not in DOCUMENT_FIELDS)
RECORD = "document.json"


@dataclass(frozen=True)
class DamagedFile:
    """A file that is missing or not as it was written, and why."""

    path: Path
    why: str


def checked_record(record: dict[str, Any], document_id: str) -> dict[str, Any]:
    """The record, if it can be that of the document. Raises ValueError: it may come with somebody else's index."""
    if record.get("document_id") != document_id:
        raise ValueError("it is that of another document")
    fields = {name: record[name] for name in DOCUMENT_FIELDS if name in record}
    checked_page_row(fields | {"page": 1, "batch": 1, "text_source": ""})
    return record


class PageFiles:
    """The page files of one index."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, rows: Sequence[PageRow]) -> None:
        """Write a batch's rows, whole; on the disk when this returns."""
        kept = [{name: value for name, value in asdict(row).items() if name in PAGE_FIELDS} for row in rows]
        write_checked(self.of(rows[0].document_id) / f"{rows[0].batch:06d}.json", {"pages": kept})

    def complete(self, rows: Iterable[PageRow]) -> None:
        """Write the record of a document of which these are all rows."""
        rows = list(rows)
        shared = {name: value for name, value in asdict(rows[0]).items() if name in DOCUMENT_FIELDS}
        more = sum(one.candidates for row in rows for one in row.more_encoders.values())
        self.write_record(shared | {"candidates": sum(row.candidates for row in rows) + more})

    def write_record(self, record: dict[str, Any]) -> None:
        """Write a document's record."""
        write_checked(self.of(record["document_id"]) / RECORD, record)

    def record(self, document_id: str) -> dict[str, Any] | None:
        """The document's record, or None where there is none. Raises ValueError for a damaged one."""
        try:
            record = read_checked(self.of(document_id) / RECORD)
        except FileNotFoundError:
            return None
        return checked_record(record, document_id)

    def has_record(self, document_id: str) -> bool:
        """Whether the document has a record, damaged or not: whether it was whole once."""
        return (self.of(document_id) / RECORD).is_file()

    def name(self, document_id: str) -> str:
        """What people call the document, with its number of pages, as far as its record can be read."""
        try:
            record = self.record(document_id) or {}
        except ValueError:
            record = {}
        return f"{record.get('document', document_id)} ({record.get('page_count', 'unknown')} pages)"

    def rows(self, document_id: str, record: dict[str, Any]) -> tuple[dict[int, PageRow], list[DamagedFile]]:
        """The document's rows by their pages, with the fields of its record, and the files that are damaged.

        A page that was written again stands in two files: the one that starts nearer to it counts.
        """
        shared = {name: record.get(name) for name in DOCUMENT_FIELDS}
        found: dict[int, PageRow] = {}
        damaged = []
        for path in sorted(self.of(document_id).glob("[0-9]*.json")):
            try:
                rows = [checked_page_row(shared | page) for page in read_checked(path)["pages"]]
                found |= {row.page: row for row in rows}
            except (OSError, ValueError, KeyError, TypeError) as error:
                damaged.append(DamagedFile(path, str(error).split("\n")[0]))
        return found, damaged

    def ids(self) -> list[str]:
        """The ids of the documents of which there are files here."""
        if not self.folder.is_dir():
            return []
        return sorted(path.name for path in self.folder.iterdir() if is_document_id(path.name))

    def drop_record(self, document_id: str) -> None:
        """Take the record away: the document is no longer said to be whole."""
        (self.of(document_id) / RECORD).unlink(missing_ok=True)

    def remove(self, document_id: str) -> None:
        """Remove the document's files."""
        shutil.rmtree(self.of(document_id), ignore_errors=True)

    def of(self, document_id: str) -> Path:
        """The document's folder."""
        return self.folder / checked_document_id(document_id)
