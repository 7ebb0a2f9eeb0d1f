"""What a segment of a snapshot holds, before it is written: of documents, or of other segments put together."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pagesight.indexing.lexical.document_prior import name_terms
from pagesight.indexing.pages import PageRow, encoders_of_all
from pagesight.indexing.snapshot.array_file import BLOCK, write_arrays
from pagesight.indexing.snapshot.term_postings import Postings, counted, packed, term_hash
from pagesight.indexing.snapshot.vector_lists import WORTH_LISTS, write_lists
from pagesight.indexing.vectors.multivector import MultiVector
from pagesight.indexing.vectors.quantization import stored

#: What all pages of a document have alike, and stands once.
SHARED = ("document_id", "document", "path", "page_count", "ordinal", "size", "modified", "added", "metadata")


@dataclass(frozen=True)
class CompleteDocument:
    """A document as Milvus has it: its rows by page, with terms and text, and each page's candidate vectors, (k, dim).

    ``vectors`` has, by the id of each encoder, as many entries as there are rows.
    """

    rows: Sequence[PageRow]
    vectors: Mapping[str, Sequence[NDArray[np.floating]]]


@dataclass(frozen=True)
class CandidateVectors:
    """The candidate vectors by one encoder of one page after the other."""

    values: NDArray[np.int8]  # (n, dim)
    scales: NDArray[np.float16]  # (n,), what each is multiplied with
    counts: NDArray[np.int64]  # by page


@dataclass(frozen=True)
class SegmentContent:
    """A segment to be: numbers of documents and pages count from 0 within it."""

    ids: NDArray[np.uint64]
    ordinals: NDArray[np.int64]
    names: NDArray[np.uint64]  # hashes, as are paths
    paths: NDArray[np.uint64]
    pages: NDArray[np.int64]  # of each document
    lengths: NDArray[np.int32]  # terms of each page
    described: list[bytes]  # by document; JSON
    rows: list[bytes]  # by page; JSON
    texts: list[bytes]  # by page
    terms: Postings  # by page
    name_terms: Postings  # by document
    encoders: Mapping[str, CandidateVectors]  # by id


def content_of(documents: Iterable[CompleteDocument], dims: Mapping[str, int], term_rules: int) -> SegmentContent:
    """The documents', in the order of their ordinals; ``dims`` has the dimensions of each encoder by its id."""
    documents = sorted(documents, key=lambda document: document.rows[0].ordinal)
    rows = list(chain.from_iterable(document.rows for document in documents))
    return SegmentContent(
        **_content_of_documents([document.rows for document in documents], term_rules),
        **_content_of_pages(rows),
        pages=np.array([len(document.rows) for document in documents], np.int64),
        encoders={known: _vectors_of(documents, known, dim) for known, dim in dims.items()},
    )


def _vectors_of(documents: Iterable[CompleteDocument], encoder: str, dim: int) -> CandidateVectors:
    vectors = list(chain.from_iterable(document.vectors[encoder] for document in documents))
    every = np.concatenate([np.zeros((0, dim), np.float32), *vectors]).astype(np.float32)
    kept = stored(MultiVector(every, np.zeros((len(every), 0))), "int8")
    counts = np.array([len(page) for page in vectors], np.int64)
    return CandidateVectors(kept.values, np.asarray(kept.scales, np.float16), counts)


def _none(dim: int, pages: int) -> CandidateVectors:
    """Of pages that an encoder has not seen."""
    return CandidateVectors(np.zeros((0, dim), np.int8), np.zeros(0, np.float16), np.zeros(pages, np.int64))


def _content_of_documents(documents: Sequence[Sequence[PageRow]], term_rules: int) -> dict[str, Any]:
    """What is kept of each document, from the rows of its pages."""
    first = [rows[0] for rows in documents]
    return {
        "ids": np.array([int(row.document_id, 16) for row in first], np.uint64),
        "ordinals": np.array([row.ordinal for row in first], np.int64),
        "names": np.array([term_hash(row.document) for row in first], np.uint64),
        "paths": np.array([term_hash(row.path) for row in first], np.uint64),
        "described": [_json(_described(rows)) for rows in documents],
        "name_terms": counted(
            (number, sorted(name_terms(row.document, term_rules))) for number, row in enumerate(first)
        ),
    }


def _content_of_pages(rows: Sequence[PageRow]) -> dict[str, Any]:
    """What is kept of each page beside its vectors."""
    return {
        "lengths": np.array([len(row.terms.split()) for row in rows], np.int32),
        "rows": [_json(_of_a_page(row)) for row in rows],
        "texts": [row.text.encode(errors="replace") for row in rows],
        "terms": counted((number, row.terms.split()) for number, row in enumerate(rows)),  # held for one page at a time
    }


def _described(rows: Sequence[PageRow]) -> dict[str, Any]:
    shared = {name: getattr(rows[0], name) for name in SHARED}
    return shared | {"encoders": sorted(encoders_of_all(rows))}


def _of_a_page(row: PageRow) -> dict[str, Any]:
    left_out = {*SHARED, "terms", "text"}
    return {name: value for name, value in asdict(row).items() if name not in left_out}


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def merged(parts: Iterable[SegmentContent], dims: Mapping[str, int]) -> SegmentContent:
    """The parts one after the other, in the order of their first ordinals, with the vectors of these encoders."""
    contents = sorted((part for part in parts if len(part.ids)), key=lambda content: int(content.ordinals[0]))
    page_base = np.cumsum([0, *(len(content.lengths) for content in contents)])
    document_base = np.cumsum([0, *(len(content.ids) for content in contents)])

    def joined(name: str) -> Any:
        return np.concatenate([getattr(content, name) for content in contents])

    def listed(name: str) -> Any:
        return [item for content in contents for item in getattr(content, name)]

    def moved(name: str, base: NDArray[np.int64]) -> Postings:
        every = [getattr(content, name) for content in contents]
        holders = [(one.holders + start).astype(np.int32) for one, start in zip(every, base, strict=False)]
        return Postings(
            np.concatenate([one.terms for one in every]),
            np.concatenate(holders),
            np.concatenate([one.often for one in every]),
        )

    def vectors_of(encoder: str, dim: int) -> CandidateVectors:
        every = [content.encoders.get(encoder) or _none(dim, len(content.lengths)) for content in contents]
        return CandidateVectors(
            np.concatenate([one.values for one in every]),
            np.concatenate([one.scales for one in every]),
            np.concatenate([one.counts for one in every]),
        )

    return SegmentContent(
        **{name: joined(name) for name in ("ids", "ordinals", "names", "paths", "pages", "lengths")},
        **{name: listed(name) for name in ("described", "rows", "texts")},
        terms=moved("terms", page_base),
        name_terms=moved("name_terms", document_base),
        encoders={known: vectors_of(known, dim) for known, dim in dims.items()},
    )


def write_content(folder: Path, name: str, content: SegmentContent, block: int = BLOCK) -> None:
    """Write the segment's files; ``block`` as in `write_arrays`. Raises OSError."""
    kept: dict[str, NDArray[Any]] = {}
    facts = {}
    for encoder, own in content.encoders.items():
        many = len(own.values) >= WORTH_LISTS
        lists = _write_lists(folder / lists_name(name, encoder), own) if many else None
        facts[encoder] = {"dim": own.values.shape[1], "lists": lists}
        kept |= {
            f"vectors:{encoder}": own.values,
            f"vector_scales:{encoder}": own.scales,
            f"vector_starts:{encoder}": np.append(0, np.cumsum(own.counts)).astype(np.int64),
        }
    arrays = {
        **{each: getattr(content, each) for each in ("ids", "ordinals", "names", "paths", "pages", "lengths")},
        **_blobs("described", content.described),
        **_blobs("rows", content.rows),
        **_blobs("texts", content.texts),
        **packed("terms", content.terms),
        **packed("name_terms", content.name_terms),
        **kept,
    }
    write_arrays(folder / f"{name}.arrays", arrays, {"encoders": facts}, block)


def lists_name(name: str, encoder: str) -> str:
    """The file with many candidate vectors of a segment by one encoder."""
    return f"{name}.{encoder}.faiss" if encoder else f"{name}.faiss"


def _write_lists(path: Path, candidates: CandidateVectors) -> dict[str, int]:
    pages = np.repeat(np.arange(len(candidates.counts), dtype=np.int32), candidates.counts)
    return write_lists(path, candidates.values, candidates.scales, pages)


def _blobs(name: str, blobs: Sequence[bytes]) -> dict[str, NDArray[Any]]:
    starts = np.append(0, np.cumsum([len(blob) for blob in blobs])).astype(np.int64)
    return {f"{name}.starts": starts, f"{name}.bytes": np.frombuffer(b"".join(blobs), np.uint8)}
