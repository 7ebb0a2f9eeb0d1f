"""Vectors that were paid for, kept in the user's own folder: the same page is never paid twice, in whichever index.

A file for each page or question, by its content and by all that changes its vectors.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pagesight.indexing.configuration.environment import state_folder


class PaidVectors:
    """The kept vectors of one model with one set of settings, ``how``, all of which must be JSON."""

    def __init__(self, how: dict[str, Any]) -> None:
        self._how = json.dumps(how, sort_keys=True)

    def get(self, kind: str, content: bytes) -> NDArray[np.float32] | None:
        """(n, dim), or None; what cannot be read counts as not kept."""
        return self.named(self.name(kind, content))

    def named(self, name: str) -> NDArray[np.float32] | None:
        """The same by the name that `name` gives the content."""
        path = self._path(name)
        try:
            vectors = np.array(np.load(path, mmap_mode="r"))  # mapped: no memory for what a damaged head promises
        except (OSError, ValueError, EOFError):
            return None
        usable = vectors.ndim == 2 and vectors.dtype == np.float32 and vectors.size and np.isfinite(vectors).all()
        return vectors if usable else None

    def keep(self, kind: str, content: bytes, vectors: NDArray[np.float32]) -> None:
        """Note them; where the disk takes none, they will be paid for again."""
        self.keep_named(self.name(kind, content), vectors)

    def keep_named(self, name: str, vectors: NDArray[np.float32]) -> None:
        """The same by the name that `name` gives the content."""
        path = self._path(name)
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle, written = tempfile.mkstemp(dir=path.parent)
            with os.fdopen(handle, "wb") as file:
                np.save(file, np.ascontiguousarray(vectors, np.float32), allow_pickle=False)
            os.replace(written, path)  # noqa: PTH105 (whole or not there)

    def name(self, kind: str, content: bytes) -> str:
        """What a page's or a question's vectors are kept by: 40 hex digits."""
        known_by = hashlib.sha256(f"{kind}\0{self._how}\0".encode())
        known_by.update(content)
        return known_by.hexdigest()[:40]

    @property
    def jobs(self) -> Path:
        """The folder for notes of the jobs that make such vectors."""
        return state_folder() / "paid-vectors" / "jobs" / hashlib.sha256(self._how.encode()).hexdigest()[:40]

    def _path(self, name: str) -> Path:
        return state_folder() / "paid-vectors" / name[:2] / f"{name[2:]}.npy"
