"""The Milvus collections of an index: `pages`, a row a page with BM25 over its terms, and `candidates`, K rows a page.

The same code for Milvus Lite in a folder and for a server. What it does not do: decide what is written in which order
(ingest.py), or score pages exactly (maxsim.py).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pagesight.indexing.capabilities import Capabilities
from pagesight.indexing.connection import NO_VECTOR, Collection, Connection, without_vectors
from pagesight.indexing.settings import environment

with environment(PYTHON_DOTENV_DISABLED="1"):  # see connection.py
    from pymilvus import DataType, Function, FunctionType, MilvusClient

# BM25's usual constants; at k1 1.2 or b 0.5 real questions scored up to .04 nDCG@5 lower.
_BM25 = {"bm25_k1": 1.5, "bm25_b": 0.75}
# M and efConstruction as FAISS recommends for some 100,000 vectors.
_HNSW = {"M": 16, "efConstruction": 200}
VARCHAR_BYTES = 65_535  # a server's limit; Milvus Lite does not check it
_TERMS_AT_ONCE = 1_000  # rows whose terms a server hands out in one message
_PAGE_BITS, _CENTROID_BITS = 24, 8


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
    """The two collections of an index behind one connection, which must have `collections`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @property
    def lacks(self) -> str:
        """What is switched off, in a line for people; see `Capabilities`."""
        return self._connection.capabilities.lacks

    def write_candidates(
        self, ordinal: int, document_id: str, pages: Sequence[tuple[int, NDArray[np.float32]]]
    ) -> None:
        """Write the candidate vectors of pages, (number, (k, dim) float32) each; k at most 256."""
        rows = [
            {"id": candidate_id(ordinal, page, position), "document_id": document_id, "vector": vector}
            for page, vectors in pages
            for position, vector in enumerate(vectors)
        ]
        if rows:
            self._connection.upsert("candidates", rows)

    def write_pages(self, rows: Sequence[PageRow]) -> None:
        """Write the rows that make pages findable."""
        more = {} if self._connection.capabilities.bm25 else NO_VECTOR
        self._connection.upsert("pages", [_fitted(row) | more for row in rows])

    def flush(self) -> None:
        """Make the next searches faster; nothing is lost without it."""
        self._connection.flush("candidates")
        self._connection.flush("pages")

    def pages(self) -> list[PageRow]:
        """All rows of `pages`, without terms and text."""
        return [_page_row(row) for row in self._connection.rows("pages", "page > 0", _LIGHT_FIELDS, strong=True)]

    def describe(self, document_id: str, metadata: dict[str, Any]) -> list[PageRow]:
        """Give a document other metadata; returns its rows without terms and text."""
        every = [item.name for item in fields(PageRow)]
        found = self._connection.rows("pages", _documents_filter([document_id]), every, at_once=_TERMS_AT_ONCE // 2)
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
            filter=_documents_filter(document_ids),
            # Asked for nothing, Milvus Lite hands out every field, at ten times the time of the search.
            output_fields=["key"],
        )
        # Milvus Lite hands BM25 scores out negative, a server positive.
        return {hit.id: abs(hit.distance) for hit in found[0]}

    def search_vectors(
        self, query: NDArray[np.float32], limit: int, ef: int, document_ids: Sequence[str] | None
    ) -> list[list[tuple[int, int, float]]]:
        """For each query vector of (m, dim), its best ``limit`` candidates as (ordinal, page, similarity).

        ``ef`` is how many HNSW keeps in view as it goes: more find better ones, in more time.
        """
        found = self._connection.search(
            "candidates",
            data=list(query),
            anns_field="vector",
            limit=limit,
            filter=_documents_filter(document_ids),
            search_params={"params": {"ef": max(ef, limit)}},
            output_fields=["id"],
        )
        return [[(*_page_of(hit.id), hit.distance) for hit in hits] for hits in found]

    def remove_pages(self, document_id: str) -> None:
        """Remove a document's rows from `pages`: from here on it is not found."""
        self._connection.delete("pages", _documents_filter([document_id]))

    def remove_candidates(self, document_id: str) -> None:
        """Remove a document's candidate vectors."""
        self._connection.delete("candidates", _documents_filter([document_id]))

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def collections(dim: int, able: Capabilities) -> list[Collection]:
    """What `PageStore` needs of a Milvus, for vectors of ``dim`` numbers."""
    return [_pages(able), _candidates(dim, able)]


def _pages(able: Capabilities) -> Collection:
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


def _candidates(dim: int, able: Capabilities) -> Collection:
    schema = MilvusClient.create_schema()
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("document_id", DataType.VARCHAR, max_length=64)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=dim)
    index = MilvusClient.prepare_index_params()
    index.add_index("vector", index_type=able.graph, metric_type="IP", params=_HNSW)
    return Collection("candidates", schema, index)


def candidate_id(ordinal: int, page: int, centroid: int) -> int:
    """A candidate vector's key, which carries its page: asking Milvus for fields would double the time of a search."""
    return (ordinal << (_PAGE_BITS + _CENTROID_BITS)) | (page << _CENTROID_BITS) | centroid


def _page_of(key: int) -> tuple[int, int]:
    return key >> (_PAGE_BITS + _CENTROID_BITS), (key >> _CENTROID_BITS) & ((1 << _PAGE_BITS) - 1)


def _documents_filter(document_ids: Sequence[str] | None) -> str:
    return "" if document_ids is None else f"document_id in {json.dumps(list(document_ids))}"


def _page_row(row: dict[str, Any]) -> PageRow:
    return PageRow(**{item.name: row[item.name] for item in fields(PageRow) if item.name in row})


def _fitted(row: PageRow) -> dict[str, Any]:
    return asdict(row) | {"terms": _cut(row.terms), "text": _cut(row.text)}


def _cut(text: str) -> str:
    encoded = text.encode()
    return text if len(encoded) <= VARCHAR_BYTES else encoded[:VARCHAR_BYTES].decode(errors="ignore")
