"""Words and boxes of pages as they were read when they were indexed, so that no question has to read them again.

A file of a batch of pages, ``<folder>/<document_id>/<first page>.npy``, holds numpy arrays, one after the other:
``offsets`` (pages + 1,) int64, ``boxes`` (words, 4) uint16 in 1/65,535 of the page, ``lines`` (words,) int32,
``words`` (bytes,) uint8 of UTF-8 with a NUL behind each word; and then 8 bytes, the XXH3-64 of the document's id, the
first page and what stands before. All of it is made from the document: where a file is missing or damaged, the page is
read anew.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xxhash
from numpy.typing import NDArray

from pagesight.indexing.pages import PageRow, PageText, checked_document_id
from pagesight.indexing.storage.atomic_files import write_atomically
from pagesight.indexing.storage.npy_arrays import packed, unpacked
from pagesight.indexing.storage.page_files import DamagedFile

_FINE = 65_535
_CHECKSUM_BYTES = 8


class KeptWords:
    """The words of the pages of one index."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, document_id: str, first_page: int, texts: Sequence[PageText]) -> None:
        """Write the words of consecutive pages. Raises OSError."""
        content = _packed(texts)
        path, sealed = self.path(document_id, first_page), content + _checksum(document_id, first_page, content)
        write_atomically(path, sealed, durable=True)

    def read(self, row: PageRow) -> PageText | None:
        """The words of a page; None where they are not kept, or not as they were written."""
        try:
            return self._read(row)
        except (OSError, ValueError, IndexError):
            return None

    def damage(self, rows: Iterable[PageRow]) -> Iterator[DamagedFile]:
        """The files of these pages that are there and not as they were written; without one nothing is lost."""
        for (document_id, batch), row in {(row.document_id, row.batch): row for row in rows}.items():
            try:
                self._read(row)
            except FileNotFoundError:
                continue
            except (OSError, ValueError, IndexError) as error:
                yield DamagedFile(self.path(document_id, batch), str(error))

    def remove(self, document_id: str) -> None:
        """Remove the document's folder."""
        shutil.rmtree(self.folder / checked_document_id(document_id), ignore_errors=True)

    def path(self, document_id: str, first_page: int) -> Path:
        """The file of the batch that begins with this page."""
        return self.folder / checked_document_id(document_id) / f"{first_page:06d}.npy"

    def _read(self, row: PageRow) -> PageText:
        whole = self.path(row.document_id, row.batch).read_bytes()
        content = whole[:-_CHECKSUM_BYTES]
        if whole[-_CHECKSUM_BYTES:] != _checksum(row.document_id, row.batch, content):
            raise ValueError("its checksum is another one")
        return _unpacked(content, row.page - row.batch, row.text_source)


def _packed(texts: Sequence[PageText]) -> bytes:
    words = [word.replace("\0", "") for text in texts for word in text.words]
    boxes = np.concatenate([text.boxes for text in texts]).clip(0, 1)
    # lines are counted from 0 on each page
    lines = np.concatenate([np.unique(text.lines, return_inverse=True)[1] for text in texts])
    letters = "".join(f"{word}\0" for word in words).encode("utf-8", "replace")
    return packed(
        [
            np.cumsum([0, *(len(text.words) for text in texts)]).astype(np.int64),
            np.rint(boxes * _FINE).astype(np.uint16),
            lines.astype(np.int32),
            np.frombuffer(letters, np.uint8),
        ]
    )


def _unpacked(content: bytes, position: int, source: str) -> PageText:
    """The words of the batch's page at a position from 0. Raises ValueError, IndexError for what is no such file."""
    offsets, boxes, lines, letters = unpacked(content)
    words = letters.tobytes().decode().split("\0")[:-1]
    _check(offsets, boxes, lines, len(words))
    part = slice(int(offsets[position]), int(offsets[position + 1]))
    return PageText(words[part], (boxes[part] / _FINE).astype(np.float32), lines[part], source)


def _check(offsets: NDArray[Any], boxes: NDArray[Any], lines: NDArray[Any], words: int) -> None:
    kinds = [(offsets, np.int64), (boxes, np.uint16), (lines, np.int32)]
    if any(array.dtype != kind for array, kind in kinds) or offsets.ndim != 1:
        raise ValueError("its arrays are not those of words")
    if boxes.shape != (words, 4) or lines.shape != (words,):
        raise ValueError("its arrays are not those of words")
    if len(offsets) < 2 or offsets[0] != 0 or offsets[-1] != words or (np.diff(offsets) < 0).any():
        raise ValueError("its pages are not one after the other")
    if words and not 0 <= lines.min() <= lines.max() < words:
        raise ValueError("its lines are not those of its words")


def _checksum(document_id: str, first_page: int, content: bytes) -> bytes:
    return xxhash.xxh3_64_digest(f"{document_id}:{first_page}\n".encode() + content)
