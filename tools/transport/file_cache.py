"""What was uploaded to Gemini's Files API, and until when it lives: a small file that processes and threads share.

<folder>/files.json      owner → sha256 of the picture → its file; the owner is a fingerprint of address and key
<folder>/lock            held while files.json is written
<folder>/<0-f>.lock      held while a picture whose sha256 starts so is uploaded, so that it is uploaded once
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from filelock import AsyncFileLock, FileLock

from pagesight.indexing.storage.atomic_files import write_atomically
from pagesight.indexing.storage.folder import disk_errors

#: A file this near its expiry is uploaded again, so that it outlives the model call, which takes minutes: a guess.
MARGIN = timedelta(minutes=30)

#: Seconds between two looks at a lock that another process holds: a guess.
_POLL = 0.05


@dataclass(frozen=True)
class Upload:
    """A file of the Files API: ``name`` such as ``files/abc``, by which it is deleted, ``uri`` by which it is shown."""

    name: str
    uri: str
    mime_type: str
    size: int
    expires: datetime

    def lives(self, margin: timedelta = MARGIN) -> bool:
        """Whether it will still be there when ``margin`` has passed."""
        return self.expires - margin > datetime.now(UTC)

    def as_dict(self) -> dict[str, Any]:
        """The upload as it stands in files.json and in ``files --json``."""
        return {**vars(self), "expires": self.expires.isoformat(timespec="seconds")}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Upload:
        """The inverse of `as_dict`."""
        return cls(**{**stored, "expires": datetime.fromisoformat(stored["expires"])})


def noted_uploads(folder: Path) -> list[Upload]:
    """The files that are noted in ``folder`` and still live, whichever key uploaded them."""
    caches = [FileCache(folder, owner) for owner in FileCache(folder, "").owners()]
    found = {upload.name: upload for cache in caches for upload in cache.all().values()}
    return [upload for upload in found.values() if upload.lives(timedelta())]


class FileCache:
    """The uploads of one ``owner`` that are noted in ``folder``. Raises StorageFull, PageIndexError from the disk."""

    def __init__(self, folder: Path, owner: str):
        self._folder = folder
        self._owner = owner

    def living(self) -> dict[str, Upload]:
        """The uploads that can be used, by the SHA-256 of what they hold."""
        return {sha256: upload for sha256, upload in self.all().items() if upload.lives()}

    def owners(self) -> list[str]:
        """Those of whom uploads are noted."""
        return list(self._stored())

    def all(self) -> dict[str, Upload]:
        """All uploads that are noted, those that have expired too."""
        stored = self._stored().get(self._owner, {})
        read = {sha256: _upload(kept) for sha256, kept in stored.items()} if isinstance(stored, dict) else {}
        return {sha256: upload for sha256, upload in read.items() if upload}

    def keep(self, sha256: str, upload: Upload) -> None:
        """Note an upload; those that have expired are struck out."""
        self._change({sha256: upload})

    def forget(self, sha256: str) -> None:
        """Strike an upload out."""
        self._change({sha256: None})

    def uploading(self, sha256: str) -> FileLock:
        """The lock to be held while this picture is looked up and uploaded."""
        return FileLock(self._ensured_folder() / f"{sha256[0]}.lock", poll_interval=_POLL)

    def auploading(self, sha256: str) -> AsyncFileLock:
        """The same, async."""
        return AsyncFileLock(self._ensured_folder() / f"{sha256[0]}.lock", poll_interval=_POLL, thread_local=False)

    def _change(self, changes: Mapping[str, Upload | None]) -> None:
        with FileLock(self._ensured_folder() / "lock", poll_interval=_POLL):
            stored = self._stored()
            uploads: dict[str, Upload | None] = {**self.living(), **changes}
            stored[self._owner] = {sha256: upload.as_dict() for sha256, upload in uploads.items() if upload}
            with disk_errors(f"{self._folder / 'files.json'} cannot be written"):
                write_atomically(self._folder / "files.json", json.dumps(stored, indent=1) + "\n")

    def _stored(self) -> dict[str, Any]:
        """What the file says; nothing if it is not there or was damaged, which costs an upload and no more."""
        with suppress(OSError, ValueError, RecursionError):
            stored = json.loads((self._folder / "files.json").read_text(encoding="utf-8"))
            return stored if isinstance(stored, dict) else {}
        return {}

    def _ensured_folder(self) -> Path:
        with disk_errors(f"the folder {self._folder} cannot be made"):
            self._folder.mkdir(parents=True, exist_ok=True)
        return self._folder


def _upload(stored: Any) -> Upload | None:
    """The upload of a record; None where it is none, which costs an upload and no more."""
    try:
        found = Upload.from_dict(stored)
    except (TypeError, KeyError, ValueError, AttributeError):
        return None
    texts = (found.name, found.uri, found.mime_type)
    return found if all(isinstance(text, str) for text in texts) and found.expires.tzinfo else None
