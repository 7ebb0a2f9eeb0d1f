"""Files at ``s3://`` and ``gs://`` addresses, through fsspec: read one by one, or all under an address, and written.

Keys, regions and other endpoints are what the services' own clients find: their variables and files.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

from pagesight.indexing.configuration.installation import install_command
from pagesight.indexing.errors import UnreadableDocument

_ADDRESS = re.compile(r"\s*(s3|gs)://", re.IGNORECASE)
_PACKAGES = {"s3": "s3fs", "gs": "gcsfs"}
_KEYS = {
    "s3": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS, or run `gcloud auth application-default login`",
}
_BLOCK = 1 << 20
# Seconds for a connection and for an answer, and attempts: without limits a wrong endpoint takes minutes. Guesses.
_OPTIONS: dict[str, dict[str, Any]] = {
    "s3": {"config_kwargs": {"connect_timeout": 10, "read_timeout": 60, "retries": {"max_attempts": 3}}},
    "gs": {"timeout": 60},
}


@dataclass(frozen=True)
class StoredFile:
    """A file in an object store: its address, how many bytes it has if the store says so, and the store's client."""

    address: str
    size: int | None
    store: Any


def is_stored(address: str) -> bool:
    """Whether an address is of an object store."""
    return bool(_ADDRESS.match(address))


def stored_files(address: str) -> list[StoredFile]:
    """The file at the address, or all files under one that ends in a slash or names a bucket, in the order of names.

    Raises UnreadableDocument, which names the address and the way out.
    """
    address = address.strip()
    scheme, _, path = address.partition("://")
    store = _store(address)
    with _faults(address):
        if not path.endswith("/") and "/" in path:
            return [StoredFile(address, store.info(path).get("size"), store)]
        found = store.find(path, detail=True)
    if not found:
        raise UnreadableDocument(f"{address} cannot be read: there is nothing under it. Check its spelling.")
    return [StoredFile(f"{scheme}://{name}", found[name].get("size"), store) for name in sorted(found)]


def fetch(file: StoredFile, target: BinaryIO, *, largest: int, seconds: float) -> None:
    """Write the file to ``target``: ``largest`` bytes at most, within so many seconds. Raises UnreadableDocument."""
    ends = time.monotonic() + seconds
    if file.size is not None and file.size > largest:
        raise _too_large(file.address, largest)
    written, path = 0, file.address.partition("://")[2]
    with _faults(file.address), file.store.open(path, "rb", block_size=_BLOCK) as source:
        while block := source.read(_BLOCK):
            written += len(block)
            if written > largest:
                raise _too_large(file.address, largest)
            if time.monotonic() > ends:
                raise UnreadableDocument(
                    f"{file.address} cannot be fetched: it took longer than {seconds:g} s. Set "
                    "PAGESIGHT_DOWNLOAD_SECONDS to more."
                )
            target.write(block)


class StoredFolder:
    """The files right under an address that ends in a slash. Methods raise UnreadableDocument, which names it."""

    def __init__(self, address: str) -> None:
        self._address = address.strip()

    def names(self) -> set[str]:
        """The files' names; none where there is nothing under the address."""
        with _faults(self._address):
            self._store.invalidate_cache()
            return {str(path).rpartition("/")[2] for path in self._store.find(self._path, maxdepth=1)}

    def put(self, name: str, file: Path) -> None:
        """Write a file; nobody sees half of it."""
        with _faults(f"{self._address}{name}", "written"):
            self._store.put_file(str(file), f"{self._path}{name}")

    def fetch(self, name: str, target: BinaryIO, *, largest: int, seconds: float) -> None:
        """See `fetch`."""
        fetch(StoredFile(f"{self._address}{name}", None, self._store), target, largest=largest, seconds=seconds)

    def remove(self, name: str) -> None:
        """Remove a file that is there."""
        with _faults(f"{self._address}{name}", "removed"):
            self._store.rm_file(f"{self._path}{name}")

    @cached_property
    def _store(self) -> Any:
        return _store(self._address)

    @property
    def _path(self) -> str:
        return self._address.partition("://")[2]


def _store(address: str) -> Any:
    """The file system of an address. Raises UnreadableDocument where its packages are not installed."""
    scheme = address.partition("://")[0].strip().lower()
    try:
        import fsspec

        # one of its own: a shared one keeps the keys and the list of files that it found first
        return fsspec.filesystem(scheme, skip_instance_cache=True, **_OPTIONS[scheme])
    except ImportError:
        raise UnreadableDocument(
            f"{address} cannot be read: {scheme}:// addresses are read by {_PACKAGES[scheme]}, which is not installed. "
            f"Install it with `{install_command('remote')}`."
        ) from None
    except Exception as error:  # noqa: BLE001 (credentials are looked for here; what is wrong with them differs)
        raise _failed(address, error) from None


@contextmanager
def _faults(address: str, done: str = "fetched") -> Iterator[None]:
    """Whatever a store's client raises is an UnreadableDocument that names the address."""
    try:
        yield
    except UnreadableDocument:
        raise
    except Exception as error:  # noqa: BLE001 (each client has errors of its own)
        raise _failed(address, error, done) from None


def _failed(address: str, error: Exception, done: str = "fetched") -> UnreadableDocument:
    scheme = address.partition("://")[0].strip().lower()
    if isinstance(error, FileNotFoundError):
        return UnreadableDocument(f"{address} cannot be {done}: there is nothing there. Check its spelling.")
    reason = " ".join(str(error).split())[:200].rstrip(".") or type(error).__name__
    return UnreadableDocument(f"{address} cannot be {done}: {reason}. Credentials are taken from {_KEYS[scheme]}.")


def _too_large(address: str, largest: int) -> UnreadableDocument:
    return UnreadableDocument(
        f"{address} has more than {largest / 1e6:,.0f} MB. Set PAGESIGHT_FILE_MEGABYTES to more for it."
    )
