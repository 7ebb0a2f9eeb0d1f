"""A shard's file: Parquet, a row for each page, after the document's bytes in pieces. What it says is checked.

part "source"   ``bytes``: a piece of the document's file
part "drawn"    ``bytes``: a piece of the PDF that was made of it, where it is none
part "page"     all else: a page as `EncodedPage` has it, arrays as little-endian bytes

The header stands in the file's own metadata. Each of Parquet's own pages has a checksum.
"""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pagesight.indexing.errors import UnreadableDocument
from pagesight.indexing.page_kinds.page_kinds import KINDS
from pagesight.indexing.pages import PageText
from pagesight.indexing.preparing.encoded_page import EncodedPage, Recipe
from pagesight.indexing.shards.shard_header import ShardHeader, read_header
from pagesight.indexing.storage.atomic_files import on_the_disk, private_folder
from pagesight.indexing.storage.interfaces import PageVectors
from pagesight.indexing.vectors.quantization import StoredVectors

_HEADER = b"pagesight"
_PIECE = 1 << 24  # bytes of a document in one row
_LARGEST_GROUP = 1 << 30  # bytes, unpacked: eight pages have 10 MB; more is none of ours

_ENCODED = pa.struct(  # what one encoder made of a page
    [
        ("encoder", pa.string()),
        ("vectors", pa.binary()),  # (n, dim) float16 or int8
        ("scales", pa.binary()),  # (n,) float16, for int8
        ("boxes", pa.binary()),  # (n, 4) float16
        ("centroids", pa.binary()),  # (k, dim) float32
    ]
)
_SCHEMA = pa.schema(
    [
        ("part", pa.string()),
        ("bytes", pa.binary()),
        ("number", pa.int32()),
        ("words", pa.list_(pa.string())),
        ("lines", pa.list_(pa.int32())),
        ("word_boxes", pa.binary()),  # (words, 4) float32
        ("source", pa.string()),
        ("label", pa.string()),
        ("kinds", pa.list_(pa.string())),
        ("height", pa.float64()),
        ("encoded", pa.list_(_ENCODED)),
        ("terms", pa.string()),
    ]
)


class ShardWriter:
    """Writes a shard beside its place, under a name of its own, and gives it its name when it is whole."""

    def __init__(self, path: Path) -> None:
        private_folder(path.parent)
        self._path = path
        self._unfinished = path.with_name(f"{path.name}.{uuid.uuid4().hex}.part")
        self._file = pq.ParquetWriter(self._unfinished, _SCHEMA, compression="zstd", write_page_checksum=True)

    def __enter__(self) -> ShardWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        self._unfinished.unlink(missing_ok=True)

    def add_bytes(self, part: str, file: Path) -> None:
        """Take in a file. Raises OSError."""
        with file.open("rb") as content:
            while piece := content.read(_PIECE):
                self._add([{"part": part, "bytes": piece}])

    def add_pages(self, pages: Sequence[EncodedPage]) -> None:
        """Take in consecutive pages. Raises OSError."""
        self._add([_row(page) for page in pages])

    def finish(self, header: ShardHeader) -> None:
        """Say what the shard is, and give it its name; it is on the disk when this returns. Raises OSError."""
        self._file.add_key_value_metadata({_HEADER: header.as_text().encode()})
        self._file.close()
        on_the_disk(self._unfinished)
        self._unfinished.replace(self._path)
        on_the_disk(self._path.parent)

    def copy(self, other: Path) -> None:
        """Take in all that another shard has but its header. Raises OSError, ValueError."""
        with _opened(other) as file:
            for group in range(file.num_row_groups):
                self._file.write_table(file.read_row_group(group))

    def _add(self, rows: list[dict[str, Any]]) -> None:
        self._file.write_table(pa.Table.from_pylist(rows, schema=_SCHEMA))


class ShardFile:
    """A shard to be read, from wherever it comes. Raises UnreadableDocument for one that pagesight did not write so."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._checked(), _opened(path) as file:
            self.header = read_header((file.metadata.metadata or {}).get(_HEADER, b""))
            if self.header.name != path.name:
                raise ValueError("it has another name than the document and the encoder that it is of")

    def write_bytes(self, part: str, target: Path, largest: int) -> bool:
        """Write what the shard has of a file; says whether it has it. Raises UnreadableDocument, OSError."""
        written = 0
        with self._checked(), _opened(self.path) as file, target.open("wb") as kept:
            for row in _rows(file, ["part", "bytes"]):
                if row["part"] == part:
                    written += kept.write(row["bytes"] or b"")
                if written > largest:
                    raise ValueError(f"the document in it has more than {largest / 1e6:,.0f} MB")
        return written > 0

    def pages(self) -> Iterator[EncodedPage]:
        """All pages of the document, in their order. Raises UnreadableDocument."""
        number = 0
        with self._checked(), _opened(self.path) as file:
            dims = {name: int(one["dim"]) for name, one in self.header.encoders.items()}
            for row in _rows(file, [name for name in _SCHEMA.names if name != "bytes"]):
                if row["part"] != "page":
                    continue
                number += 1
                if row["number"] != number:
                    raise ValueError(f"page {row['number']} stands in the place of page {number}")
                yield _page(row, dims, self.header.recipe)
            if number != self.header.page_count:
                raise ValueError(f"it has {number} of {self.header.page_count} pages")

    @contextlib.contextmanager
    def _checked(self) -> Iterator[None]:
        try:
            yield
        except (pa.ArrowException, OSError, ValueError, KeyError, TypeError, OverflowError, MemoryError) as error:
            if isinstance(error, OSError) and error.errno is not None:  # the disk's; pyarrow's own have no number
                raise
            why = " ".join(str(error).split())[:300]
            raise UnreadableDocument(
                f"{self.path} is no shard that can be taken in ({why}). Remove it, and prepare its document again."
            ) from error


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[pq.ParquetFile]:
    """The file, if it has our columns. Raises ArrowException, ValueError, OSError."""
    if not path.is_file():
        raise ValueError("it is no file")
    with pq.ParquetFile(path, page_checksum_verification=True, arrow_extensions_enabled=False) as file:
        if not file.schema_arrow.equals(_SCHEMA):
            raise ValueError("its columns are not those of a shard")
        yield file


def _rows(file: pq.ParquetFile, columns: list[str]) -> Iterator[dict[str, Any]]:
    """The rows, a group in memory at a time."""
    for group in range(file.num_row_groups):
        if file.metadata.row_group(group).total_byte_size > _LARGEST_GROUP:
            raise ValueError("it has more in one piece than pagesight writes")
        yield from file.read_row_group(group, columns=columns).to_pylist()


def _row(page: EncodedPage) -> dict[str, Any]:
    return {
        "part": "page",
        "number": page.number,
        "words": page.text.words,
        "lines": page.text.lines.tolist(),
        "word_boxes": page.text.boxes.astype("<f4").tobytes(),
        "source": page.text.source,
        "label": page.label,
        "kinds": list(page.kinds),
        "height": page.height,
        "encoded": [_encoded_row(name, one) for name, one in page.vectors.items()],
        "terms": page.terms,
    }


def _encoded_row(encoder: str, page: PageVectors) -> dict[str, Any]:
    scales = page.vectors.scales
    return {
        "encoder": encoder,
        "vectors": page.vectors.values.tobytes(),
        "scales": None if scales is None else scales.tobytes(),
        "boxes": page.vectors.boxes.astype("<f2").tobytes(),
        "centroids": page.centroids.astype("<f4").tobytes(),
    }


def _page(row: dict[str, Any], dims: Mapping[str, int], recipe: Recipe) -> EncodedPage:
    """The page in a row. Raises ValueError for what is none, TypeError where something is missing."""
    words, lines = [str(word) for word in row["words"]], np.array(row["lines"], np.int32)
    if len(lines) != len(words):
        raise ValueError(f"page {row['number']} has {len(words)} words in {len(lines)} lines")
    if sorted(one["encoder"] for one in row["encoded"]) != sorted(dims):
        raise ValueError(f"page {row['number']} has not the vectors of its encoders")
    word_boxes = _array(row["word_boxes"], np.float32, 4)
    if len(word_boxes) != len(words):
        raise ValueError(f"page {row['number']} has {len(words)} words and {len(word_boxes)} places")
    return EncodedPage(
        number=row["number"],
        text=PageText(words, word_boxes, lines, str(row["source"])),
        label=row["label"],
        kinds=tuple(kind for kind in KINDS if kind in row["kinds"]),
        height=float(row["height"]),
        vectors={one["encoder"]: _vectors(row["number"], one, dims, recipe) for one in row["encoded"]},
        terms=str(row["terms"]),
    )


def _vectors(page: int, row: dict[str, Any], dims: Mapping[str, int], recipe: Recipe) -> PageVectors:
    """What an encoder made of a page. Raises ValueError for what is none, TypeError where something is missing."""
    encoder, dim = row["encoder"], dims[row["encoder"]]
    whole = recipe.layouts[encoder].precision == "int8"
    values = _array(row["vectors"], np.int8 if whole else np.float16, dim)
    scales = _array(row["scales"], np.float16) if whole else None
    boxes, few = _array(row["boxes"], np.float16, 4, finite=False), _array(row["centroids"], np.float32, dim)
    if len(boxes) != len(values) or len(few) > recipe.centroids or (scales is not None and len(scales) != len(values)):
        raise ValueError(f"page {page} has not one box and one scale for each vector")
    return PageVectors(page, StoredVectors(values, boxes, scales), few)


def _array(content: bytes, kind: type[np.generic], *width: int, finite: bool = True) -> NDArray[Any]:
    """An array of that type and width, its own copy. Raises ValueError where it has another size, or odd numbers."""
    found = np.frombuffer(content, np.dtype(kind).newbyteorder("<")).reshape(-1, *width).astype(kind)
    if finite and not np.isfinite(found).all():
        raise ValueError("it has numbers that are none")
    return found


def remove_leftovers(folder: Path, older_than: float) -> None:
    """Remove unfinished shards that nobody has written to since then, in seconds since the epoch."""
    with os.scandir(folder) as entries:
        stale = [entry for entry in entries if entry.name.endswith(".part") and entry.stat().st_mtime < older_than]
    for entry in stale:
        Path(entry.path).unlink(missing_ok=True)
