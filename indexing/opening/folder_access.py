"""An index in a folder: any number of processes read its snapshot, one at a time opens Milvus Lite and writes.

Reading needs neither Milvus nor a lock, and writes nothing. Only where the snapshot is behind, since a writer was
killed, or is not there, does opening the index write: it makes the snapshot anew.
"""

from __future__ import annotations

import contextlib
import errno
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pagesight.indexing.encoders import PageEncoder
from pagesight.indexing.errors import IndexInUse, IndexWarning, PageIndexError, StorageFull
from pagesight.indexing.snapshot.array_file import SnapshotDamaged
from pagesight.indexing.snapshot.newest import NewestView
from pagesight.indexing.snapshot.snapshot_files import FolderFiles
from pagesight.indexing.snapshot.snapshot_view import SnapshotView
from pagesight.indexing.snapshot.state import SnapshotState
from pagesight.indexing.storage.folder import IndexFolder, disk_errors, refuse_links
from pagesight.indexing.storage.folder_parts import FolderParts
from pagesight.indexing.storage.index_encoder import IndexEncoder, refuse_changed
from pagesight.indexing.storage.manifest import Manifest, RecordedEncoder
from pagesight.indexing.storage.multivector_files import MultiVectorFiles
from pagesight.indexing.storage.sharing import WriterLock
from pagesight.indexing.storage.stamp import stamp

if TYPE_CHECKING:
    from pagesight.indexing.milvus.folder_store import FolderStore


class FolderAccess:
    """See `IndexAccess`."""

    def __init__(self, parts: FolderParts, lock: WriterLock) -> None:
        self._parts = parts
        self._folder = parts.folder
        self._lock = lock
        self._read_in(self._folder.path / "derived")
        self._copy: tempfile.TemporaryDirectory[str] | None = None

    def view(self, *, at_once: bool = False) -> SnapshotView:
        """See `IndexAccess.view`. Raises SnapshotDamaged."""
        return self._newest.view()

    def _read_in(self, derived: Path) -> None:
        self._files = FolderFiles(derived)
        self._newest = NewestView(self._files, lambda: self._dims, SnapshotView)

    @contextlib.contextmanager
    def writing(self, wait: float, *, from_rows: bool = False, anew: bool = False) -> Iterator[FolderStore]:
        """See `IndexAccess.writing`; with ``anew`` the whole snapshot is made anew at first."""
        from pagesight.indexing.milvus.folder_store import open_store

        with contextlib.ExitStack() as held:
            with disk_errors(f"the index in {self._folder.path} cannot be written to"):
                held.enter_context(self._lock.held(wait))
                refuse_links(self._folder.path, below=True)
            # Another process may have changed the encoders, or chosen another while there was nothing in the index.
            refuse_changed(self._folder.manifest_as_written(), self._parts.encoders, self._folder.path)
            held.callback(self._folder.make_private)
            done = False
            try:
                with open_store(self._parts, anew=anew) as opened:
                    yield opened
                    done = True
            except SnapshotDamaged:
                with open_store(self._parts, anew=True):
                    pass
                if not done:
                    raise

    def prepare(self, wait: float) -> None:
        """See that there is a snapshot, and that it is not behind unless somebody writes.

        Raises IndexInUse where there is none and somebody else writes, PageIndexError where none can be made.
        """
        state = self._sound_state()
        if self._is_current(state):
            return
        try:
            self._catch_up(0 if state else wait)
        except StorageFull:
            if not state:
                raise
        except IndexInUse:
            if not state and not self._sound_state():
                raise
        except PageIndexError as error:
            if not state:
                self._read_from_copy(error)
            elif not _read_only(error):
                warnings.warn(f"{error} What was searchable before still is.", IndexWarning, stacklevel=2)

    def _catch_up(self, wait: float) -> None:
        with contextlib.ExitStack() as held:
            with disk_errors(f"the index in {self._folder.path} cannot be written to"):
                held.enter_context(self._lock.held(wait))
            if not self._is_current(self._sound_state()):  # a writer may have ended meanwhile
                with self.writing(0):
                    pass

    def _is_current(self, state: SnapshotState | None) -> bool:
        finished = {one.id for one in self._parts.encoders if one.recorded.finished}
        return state is not None and state.store == stamp(self._parts.database) and {*state.encoders} == finished

    @property
    def _dims(self) -> dict[str, int]:
        return {one.id: one.dim for one in self._parts.encoders}

    def remake(self) -> bool:
        """See `IndexAccess.remake`."""
        with contextlib.suppress(SnapshotDamaged):
            if self._newest.is_renewed():
                return False
        with self.writing(0, anew=True):
            pass
        self._newest.forget()
        return True

    def manifest(self) -> Manifest:
        """See `IndexAccess.manifest`."""
        manifest = self._folder.manifest()
        if manifest is None:
            raise PageIndexError(f"there is no index in {self._folder.path} any more. Make a new one.")
        return manifest

    def note_manifest(self, manifest: Manifest) -> None:
        """See `IndexAccess.note_manifest`."""
        with disk_errors(f"the index in {self._folder.path} cannot be written to"):
            self._folder.note_manifest(manifest)

    def with_stores(self, recorded: RecordedEncoder, encoder: PageEncoder) -> IndexEncoder:
        """See `IndexAccess.with_stores`."""
        return in_folder(self._folder.path, recorded, encoder)

    def check(self) -> None:
        """Read all of the snapshot. Raises SnapshotDamaged, which names the file that is not as it was written."""
        for segment in self.view().snapshot.segments:
            segment.check()

    def close(self) -> None:
        """See `IndexAccess.close`."""
        self._newest.forget()
        if self._copy:
            self._copy.cleanup()
        self._folder.make_private(written=False)

    def _sound_state(self) -> SnapshotState | None:
        """The state of a snapshot whose segments are all there."""
        with contextlib.suppress(SnapshotDamaged):
            state = self._files.state()
            if state and state.fits(self._dims, self._parts.term_rules):
                self.view()
                return state
        return None

    def _read_from_copy(self, error: PageIndexError) -> None:
        """For a folder that nobody may write to and that has no snapshot: makes one in a temporary folder."""
        if not _read_only(error):
            raise error
        from pagesight.indexing.milvus.folder_store import open_store

        self._copy = tempfile.TemporaryDirectory(prefix="pagesight-")
        copy = Path(self._copy.name)
        with disk_errors(f"the index in {self._folder.path} cannot be written to, and not be copied to {copy}"):
            shutil.copytree(self._parts.database, copy / "milvus.db")
        with open_store(replace(self._parts, folder=IndexFolder(copy))):
            pass
        self._read_in(copy / "derived")
        warnings.warn(
            f"{self._folder.path} cannot be written to, and has nothing yet that readers can open: this took a copy of "
            f"its rows to {copy} for now. Open the index once where it can be written to, and this is over.",
            IndexWarning,
            stacklevel=2,
        )


def in_folder(path: Path, recorded: RecordedEncoder, encoder: PageEncoder) -> IndexEncoder:
    """An encoder of the index in a folder."""
    files = MultiVectorFiles(path / "multivectors", recorded.layout, encoder.dim, recorded.id)
    return IndexEncoder(recorded, encoder, files)


def start(folder: IndexFolder, manifest: Manifest) -> None:
    """Publish that a new index is empty, so that who only reads it has no need of Milvus. Raises OSError."""
    files = FolderFiles(folder.path / "derived")
    if files.state() is None:
        dims = {one.id: one.description["dim"] for one in manifest.encoders}
        state = SnapshotState(dims, manifest.term_rules, stamp(folder.path / "milvus.db"), rest=())
        files.publish(state)


def _read_only(error: BaseException) -> bool:
    cause = error.__cause__
    return isinstance(cause, OSError) and cause.errno in (errno.EROFS, errno.EACCES, errno.EPERM)
