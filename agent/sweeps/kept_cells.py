"""The cells that sweeps have read so far, in one file of the index's folder: nothing is paid for twice.

A cell is known by the question, the document's bytes, the page or how many pages were looked at, the model and what
else decides what it sees. Lines are only ever appended, each in one write, so that several processes can add at the
same time; a line that is none of ours, or that a crash has cut off, is left out, and what it held is asked again.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pagesight.agent.answers.claims.claim import Outcome
from pagesight.indexing.pages import Box
from pagesight.indexing.storage.folder import disk_errors

FILE = "sweeps.jsonl"


class KeptCell(BaseModel):
    """One cell: ``page`` is the number of the cited page, None without one; ``pages`` those looked at."""

    model_config = ConfigDict(frozen=True, strict=True)

    key: Annotated[str, Field(pattern="^[0-9a-f]{32}$")]
    value: str
    page: int | None
    outcome: Outcome | None
    reason: str
    boxes: list[Annotated[Box, Field(strict=False)]]
    pages: list[int]
    dollars: float | None


class KeptCells:
    """The cells in the folder of an index, by key."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._lock = threading.Lock()
        lines = self._path.read_bytes().split(b"\n") if self._path.is_file() else []
        self._cells = {cell.key: cell for line in lines if (cell := _read(line))}

    def get(self, key: str) -> KeptCell | None:
        """The cell of that key."""
        return self._cells.get(key)

    def add(self, cell: KeptCell) -> None:
        """Keep a cell; it is in the file when this returns. Raises StorageFull, PageIndexError."""
        line = cell.model_dump_json().encode() + b"\n"
        with self._lock, disk_errors(f"what was read cannot be kept in {self._path}"):
            self._cells[cell.key] = cell
            self._path.parent.mkdir(parents=True, exist_ok=True)
            file = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                size = os.fstat(file).st_size
                whole = size == 0 or os.pread(file, 1, size - 1) == b"\n"
                os.write(file, line if whole else b"\n" + line)
            finally:
                os.close(file)


def cell_key(*told: Any) -> str:
    """The key of what decides a cell."""
    return hashlib.sha256(json.dumps(told, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:32]


def _read(line: bytes) -> KeptCell | None:
    try:
        return KeptCell.model_validate_json(line)
    except ValidationError:
        return None
