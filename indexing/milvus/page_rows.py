"""The Milvus collection `pages` of an index: a row a page, with its terms and its text.

The same code for Milvus Lite in a folder and for a server. What it does not do: find pages by their vectors
(centroid_search.py), or decide what is written in which order (commit.py).
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, fields, replace
from typing import Any

from pydantic import ValidationError

from pagesight.indexing.errors import IndexWarning
from pagesight.indexing.milvus.client import DataType, MilvusClient
from pagesight.indexing.milvus.connection import NO_VECTOR, Collection, Connection, without_vectors
from pagesight.indexing.milvus.long_texts import IS_PAGE, VARCHAR_BYTES, is_cut, split_rows, whole_rows
from pagesight.indexing.pages import PageRow, checked_page_row

_TERMS_AT_ONCE = 1_000  # rows whose terms a server hands out in one message

_FIELDS = ["key", *(item.name for item in fields(PageRow))]
_LIGHT_FIELDS = [name for name in _FIELDS if name not in ("terms", "text")]


class PageStore:
    """The pages of an index behind a connection, which must have the `collection`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def write_pages(self, rows: Sequence[PageRow]) -> list[PageRow]:
        """Write the rows that make pages findable; returns them as kept."""
        fields = ({"key": row.key} | asdict(row) | NO_VECTOR for row in rows)
        self._connection.upsert("pages", list(split_rows(fields)))
        return list(rows)

    def may_be_cut(self, row: PageRow) -> bool:
        """Whether there may have been more of a row's terms or text: earlier versions cut them to a field's length."""
        return is_cut(row.terms) or is_cut(row.text)

    def flush(self) -> None:
        """Make the next searches faster; nothing is lost without it."""
        self._connection.flush("pages")

    def pages(self) -> list[PageRow]:
        """All rows of `pages`, without terms and text; one that cannot be ours is left out with an IndexWarning."""
        return self._checked(self._connection.rows("pages", IS_PAGE, _LIGHT_FIELDS, strong=True))

    def rows_of(self, document_ids: Sequence[str]) -> list[PageRow]:
        """The rows of these documents with terms and text, in any order, checked as `pages` does."""
        condition = documents_filter(document_ids)
        found = self._connection.rows("pages", condition, _FIELDS, at_once=_TERMS_AT_ONCE // 2)
        return self._checked(self._whole(found, _FIELDS))

    def keys_meeting(self, condition: str) -> Iterator[str]:
        """The keys of the pages that meet a condition of Milvus, also of those that others have just written."""
        found = self._connection.rows("pages", f"{IS_PAGE} and ({condition})", ["key"], strong=True)
        return (str(row["key"]) for row in found)

    def describe(self, document_id: str, metadata: dict[str, Any]) -> list[PageRow]:
        """Give a document other metadata; returns its rows without terms and text."""
        described = [replace(row, metadata=metadata) for row in self.whole_rows(document_id)]
        self.write_pages(described)
        return [replace(row, terms="", text="") for row in described]

    def texts(self, keys: Sequence[str]) -> dict[str, str]:
        """The pages' texts, in lines, by key."""
        fields = ["key", "text"]
        found = self._connection.get("pages", keys, fields)
        return {row["key"]: row["text"] for row in self._whole(found, fields)}

    def whole_rows(self, document_id: str) -> list[PageRow]:
        """A document's rows as Milvus has them, with their whole terms and texts."""
        asked = documents_filter([document_id])
        found = self._connection.rows("pages", asked, _FIELDS, at_once=_TERMS_AT_ONCE // 2)
        return self._checked(self._whole(found, _FIELDS))

    def remove_rows(self, keys: Sequence[str]) -> None:
        """Remove single pages' rows: they are no longer found, and count as not yet written."""
        self._connection.delete("pages", f"key in {json.dumps(list(keys))}")

    def remove_pages(self, document_id: str, rows: Sequence[PageRow] = ()) -> None:
        """See `RowStore.remove_pages`."""
        if rows:
            self.remove_rows([row["key"] for row in split_rows({"key": row.key} | asdict(row) for row in rows)])
        else:
            self._connection.delete("pages", documents_filter([document_id]))

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _whole(self, rows: Iterable[dict[str, Any]], fields: Sequence[str]) -> Iterator[dict[str, Any]]:
        return whole_rows(rows, lambda keys: self._connection.get("pages", keys, fields))

    def _checked(self, rows: Iterable[dict[str, Any]]) -> list[PageRow]:
        """The rows, without those that others must have written: what stands in them becomes paths and sizes."""
        checked = []
        for row in rows:
            try:
                checked.append(_page_row(row))
            except ValueError as error:
                warnings.warn(
                    f"the index at {self._connection.place} has a row that pagesight did not write so, and leaves it "
                    f"out: {_why(error)}. Index the document again if it is one of yours.",
                    IndexWarning,
                    stacklevel=2,
                )
        return checked


def collection() -> Collection:
    """What `PageStore` needs of a Milvus."""
    schema = MilvusClient.create_schema(enable_dynamic_field=True)
    schema.add_field("key", DataType.VARCHAR, is_primary=True, max_length=64)
    schema.add_field("document_id", DataType.VARCHAR, max_length=64)
    schema.add_field("page", DataType.INT64)
    schema.add_field("terms", DataType.VARCHAR, max_length=VARCHAR_BYTES)
    schema.add_field("text", DataType.VARCHAR, max_length=VARCHAR_BYTES)
    return Collection("pages", schema, without_vectors(schema))


def documents_filter(document_ids: Sequence[str] | None) -> str:
    """The condition of Milvus for rows of these documents; None is all."""
    return "" if document_ids is None else f"document_id in {json.dumps(list(document_ids))}"


def _page_row(row: dict[str, Any]) -> PageRow:
    """The row, if it can be one of ours. Raises ValueError."""
    checked = checked_page_row(row)
    if row.get("key") != checked.key:
        raise ValueError(f"its key is {row.get('key')!r:.80}, not {checked.key!r}")
    return checked


def _why(error: ValueError) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors(include_url=False)[0]
    return f"{'.'.join(map(str, first['loc']))} {first['input']!r:.80}: {first['msg']}"
