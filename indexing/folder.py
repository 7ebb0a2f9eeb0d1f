"""An index's folder: what it was made with, who holds it, and the bytes of its documents.

<folder>/index.json      format, encoder, how vectors are kept
<folder>/lock            held by the process that has the index open
<folder>/milvus.db/      Milvus Lite
<folder>/multivectors/   see multivectors.py
<folder>/documents/      the indexed files by their ids, hard-linked where the disk can
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from pagesight.indexing.errors import (
    EncoderMismatch,
    IndexInUse,
    IndexMissing,
    PageIndexError,
    StorageFull,
    UnreadableDocument,
)
from pagesight.indexing.precision import VectorLayout
from pagesight.indexing.sources import Source, hash_file

FORMAT = 3  # 3: how vectors are kept is noted; other candidate vectors


class IndexFolder:
    """The folder of one index, held by this process until `close`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = FileLock(path / "lock", timeout=0)

    @property
    def exists(self) -> bool:
        """Whether there is an index in the folder."""
        return (self.path / "index.json").is_file()

    def hold(self, *, create: bool) -> None:
        """Take the index for this process. Raises IndexMissing, IndexInUse, PageIndexError for a bad folder."""
        if not self.exists and not create:
            raise IndexMissing(
                f"there is no index in {self.path}. Make one with `pagesight index PATH… --index {self.path}`, "
                "or name another with --index."
            )
        with disk_errors(f"the index folder {self.path} cannot be used"):
            self.path.mkdir(parents=True, exist_ok=True)
            try:
                self._lock.acquire()
            except Timeout:
                raise IndexInUse(self._in_use()) from None
            (self.path / "holder.json").write_text(json.dumps({"pid": os.getpid(), "command": _command()}))

    def encoder(self) -> dict[str, Any] | None:
        """The description of the encoder that the index was made with; None for a new index."""
        recorded = self._recorded()
        return recorded and dict(recorded["encoder"])

    def layout(self) -> VectorLayout | None:
        """How the index keeps page vectors; None for a new index."""
        recorded = self._recorded()
        return VectorLayout(**recorded["vectors"]) if recorded else None

    def record(self, encoder: dict[str, Any], layout: VectorLayout) -> None:
        """Note what a new index is made with; refuse another encoder than the noted one with EncoderMismatch."""
        known = self.encoder()
        if known is None:
            self._write_json("index.json", {"format": FORMAT, "encoder": encoder, "vectors": asdict(layout)})
        elif known != encoder:
            raise self._mismatch(known, encoder)

    def _recorded(self) -> dict[str, Any] | None:
        if not self.exists:
            return None
        try:
            recorded = json.loads((self.path / "index.json").read_text(encoding="utf-8"))
            if recorded["format"] == FORMAT:
                return {name: dict(recorded[name]) for name in ("encoder", "vectors")}
        except (ValueError, KeyError, TypeError, OSError) as error:
            raise PageIndexError(
                f"{self.path / 'index.json'} is damaged ({error}). Make a new index: "
                "`pagesight index PATH… --index OTHER`."
            ) from error
        raise PageIndexError(
            f"the index in {self.path} has format {recorded['format']}, this version of pagesight reads {FORMAT}. Make "
            "a new one: `pagesight index PATH… --index OTHER`."
        )

    def refuse_other(self, name: str) -> None:
        """Raise EncoderMismatch if the index was made with an encoder of another name, before that one is loaded."""
        known = self.encoder()
        if known and known["name"] != name:
            raise self._mismatch(known, {"name": name})

    def _mismatch(self, known: dict[str, Any], other: dict[str, Any]) -> EncoderMismatch:
        return EncoderMismatch(
            f"the index in {self.path} was made with the encoder {_title(known)}, not {_title(other)}; their "
            f"vectors cannot be compared. Leave out --encoder to go on with {known['name']}, or make a new index: "
            f"`pagesight index PATH… --encoder {other['name']} --index OTHER`."
        )

    def keep(self, source: Source) -> None:
        """Keep the document's bytes under its id, so that its pages can be shown after the original moved."""
        kept = self._kept(source.document_id, source.path.suffix)
        if kept.exists():
            return
        kept.parent.mkdir(exist_ok=True)
        unfinished = kept.with_name(kept.name + ".part")
        unfinished.unlink(missing_ok=True)
        try:
            os.link(source.path, unfinished)
        except OSError:  # another disk, or one without links
            shutil.copy2(source.path, unfinished)
        unfinished.replace(kept)

    def kept(self, document_id: str, suffix: str, modified: int) -> Path:
        """The path of a kept document, known to hold the bytes that were indexed. Raises UnreadableDocument."""
        path = self._kept(document_id, suffix)
        way_out = "Index the document again: `pagesight index PATH`."
        if not path.exists():
            raise UnreadableDocument(f"the index has lost its copy of the document ({path} is gone). {way_out}")
        # A hard link shares its bytes with the original: writing into that one in place changes the kept one too.
        if path.stat().st_mtime_ns != modified and hash_file(path) != document_id:
            raise UnreadableDocument(f"the document was changed in place since it was indexed ({path}). {way_out}")
        return path

    def forget(self, document_id: str) -> None:
        """Remove the kept bytes of a document."""
        for path in (self.path / "documents").glob(f"{document_id}*"):
            path.unlink(missing_ok=True)

    def close(self) -> None:
        """Let the index go, for other processes to take."""
        with contextlib.suppress(OSError):
            (self.path / "holder.json").unlink()
        self._lock.release()

    def _kept(self, document_id: str, suffix: str) -> Path:
        return self.path / "documents" / f"{document_id}{suffix.lower()}"

    def _write_json(self, name: str, content: dict[str, Any]) -> None:
        unfinished = self.path / f"{name}.part"
        unfinished.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        unfinished.replace(self.path / name)

    def _in_use(self) -> str:
        try:
            holder = json.loads((self.path / "holder.json").read_text())
            by = f"process {holder['pid']} ({holder['command']})"
        except (OSError, ValueError, KeyError):
            by = "another process"
        return (
            f"the index in {self.path} is in use by {by}. Only one process at a time can open it: wait until that "
            "one is done or end it, or use another index with --index."
        )


@contextlib.contextmanager
def disk_errors(what: str) -> Iterator[None]:
    """Turns the errors of the file system inside the block into StorageFull or PageIndexError."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull(
                f"{what}: the disk is full. Free some space and run the same command again; what was written stays."
            ) from error
        raise PageIndexError(f"{what}: {error.strerror or error}.") from error


def _command() -> str:
    """How this process was started, shortened: it is shown to whoever finds the index in use."""
    return " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])[:200]


def _title(encoder: dict[str, Any]) -> str:
    more = {name: value for name, value in encoder.items() if name not in ("name", "dim")}
    said = [f"{name.replace('_', ' ')} {value}" for name, value in more.items()]
    said += [f"{encoder['dim']} dimensions"] if "dim" in encoder else []
    return f"{encoder.get('name')} ({', '.join(said)})" if said else str(encoder.get("name"))
