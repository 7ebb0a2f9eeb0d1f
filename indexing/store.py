"""The Milvus collection `pages` of an index: a row a page, with BM25 over its terms.

The same code for Milvus Lite in a folder and for a server. What it does not do: find pages by their vectors
(candidate_search.py), or decide what is written in which order (writing.py).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from pagesight.indexing.capabilities import Capabilities
from pagesight.indexing.connection import NO_VECTOR, Collection, Connection, without_vectors
from pagesight.indexing.settings import environment

with environment(PYTHON_DOTENV_DISABLED="1"):  # see connection.py
    from pymilvus import DataType, Function, FunctionType, MilvusClient

# BM25's usual constants; at k1 1.2 or b 0.5 real questions scored up to .04 nDCG@5 lower.
_BM25 = {"bm25_k1": 1.5, "bm25_b": 0.75}
VARCHAR_BYTES = 65_535  # a server's limit; Milvus Lite does not check it
_TERMS_AT_ONCE = 1_000  # rows whose terms a server hands out in one message


@dataclass(frozen=True)
class PageRow:
    """A page's row in `pages`; written last, so that a page with a row is complete.

    ``ordinal`` numbers the documents of an index, so that a page is a number in `candidates`; ``batch`` is the first
    page of its multi-vector file; ``terms`` are separated by spaces; ``size`` bytes and ``modified`` nanoseconds are
    the file's when it was indexed; ``added`` is ISO 8601 in UTC; ``metadata`` is the document's.
    """

    key: str
    document_id: str
    document: str
    path: str
    page: int
    page_count: int
    ordinal: int
    batch: int
    text_source: str
    size: int
    modified: int
    added: str
    metadata: dict[str, Any] = field(default_factory=dict)
    vectors: int = 0
    terms: str = ""
    text: str = ""


_LIGHT_FIELDS = [item.name for item in fields(PageRow) if item.name not in ("terms", "text")]


class PageStore:
    """The pages of an index behind a connection, which must have the `collection`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @property
    def lacks(self) -> str:
        """What is switched off, in a line for people; see `Capabilities`."""
        return self._connection.capabilities.lacks

    def write_pages(self, rows: Sequence[PageRow]) -> None:
        """Write the rows that make pages findable."""
        more = {} if self._connection.capabilities.bm25 else NO_VECTOR
        self._connection.upsert("pages", [_fitted(row) | more for row in rows])

    def flush(self) -> None:
        """Make the next searches faster; nothing is lost without it."""
        self._connection.flush("pages")

    def pages(self) -> list[PageRow]:
        """All rows of `pages`, without terms and text."""
        return [_page_row(row) for row in self._connection.rows("pages", "page > 0", _LIGHT_FIELDS, strong=True)]

    def describe(self, document_id: str, metadata: dict[str, Any]) -> list[PageRow]:
        """Give a document other metadata; returns its rows without terms and text."""
        every = [item.name for item in fields(PageRow)]
        found = self._connection.rows("pages", documents_filter([document_id]), every, at_once=_TERMS_AT_ONCE // 2)
        described = [replace(_page_row(row), metadata=metadata) for row in found]
        self.write_pages(described)
        return [replace(row, terms="", text="") for row in described]

    def terms(self) -> Iterator[tuple[str, list[str]]]:
        """Each page's key and terms."""
        for row in self._connection.rows("pages", "page > 0", ["key", "terms"], at_once=_TERMS_AT_ONCE):
            yield row["key"], row["terms"].split()

    def texts(self, keys: Sequence[str]) -> dict[str, str]:
        """The pages' texts, in lines, by key."""
        return {row["key"]: row["text"] for row in self._connection.get("pages", keys, ["key", "text"])}

    def search_terms(self, terms: Sequence[str], limit: int, document_ids: Sequence[str] | None) -> dict[str, float]:
        """The BM25 scores of the best ``limit`` pages, higher is better, by key; none where Milvus has no BM25."""
        if not self._connection.capabilities.bm25:
            return {}
        found = self._connection.search(
            "pages",
            data=[" ".join(terms)],
            anns_field="bm25",
            limit=limit,
            filter=documents_filter(document_ids),
            # Asked for nothing, Milvus Lite hands out every field, at ten times the time of the search.
            output_fields=["key"],
        )
        # Milvus Lite hands BM25 scores out negative, a server positive.
        return {hit.id: abs(hit.distance) for hit in found[0]}

    def remove_pages(self, document_id: str) -> None:
        """Remove a document's rows from `pages`: from here on it is not found."""
        self._connection.delete("pages", documents_filter([document_id]))

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def collection(able: Capabilities) -> Collection:
    """What `PageStore` needs of a Milvus."""
    schema = MilvusClient.create_schema(enable_dynamic_field=True)
    schema.add_field("key", DataType.VARCHAR, is_primary=True, max_length=64)
    schema.add_field("document_id", DataType.VARCHAR, max_length=64)
    schema.add_field("page", DataType.INT64)
    # Terms come split and in lower case: the standard analyzer takes them as they are, on Lite and on servers.
    analyzed = {"enable_analyzer": True} if able.bm25 else {}
    schema.add_field("terms", DataType.VARCHAR, max_length=VARCHAR_BYTES, **analyzed)
    schema.add_field("text", DataType.VARCHAR, max_length=VARCHAR_BYTES)
    if not able.bm25:
        return Collection("pages", schema, without_vectors(schema))
    schema.add_field("bm25", DataType.SPARSE_FLOAT_VECTOR)
    function = {"input_field_names": ["terms"], "output_field_names": ["bm25"]}
    schema.add_function(Function(name="bm25", function_type=FunctionType.BM25, **function))
    index = MilvusClient.prepare_index_params()
    index.add_index("bm25", index_type="SPARSE_INVERTED_INDEX", metric_type="BM25", params=_BM25)
    return Collection("pages", schema, index)


def documents_filter(document_ids: Sequence[str] | None) -> str:
    """The condition of Milvus for rows of these documents; None is all."""
    return "" if document_ids is None else f"document_id in {json.dumps(list(document_ids))}"


def _page_row(row: dict[str, Any]) -> PageRow:
    return PageRow(**{item.name: row[item.name] for item in fields(PageRow) if item.name in row})


def _fitted(row: PageRow) -> dict[str, Any]:
    return asdict(row) | {"terms": _cut(row.terms), "text": _cut(row.text)}


def _cut(text: str) -> str:
    encoded = text.encode()
    return text if len(encoded) <= VARCHAR_BYTES else encoded[:VARCHAR_BYTES].decode(errors="ignore")
