"""A connection to one Milvus, in a folder or on a server, and to the collections of one index there.

Every call to Milvus goes through here: names get the index's prefix, calls a time limit, and what fails becomes an
error that says what to do.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc

from pagesight.indexing.calls.destinations import shown
from pagesight.indexing.errors import LoginRefused, PageIndexError, ServerUnreachable, SettingsError, StorageFull
from pagesight.indexing.milvus.capabilities import LITE, capabilities
from pagesight.indexing.milvus.client import CollectionSchema, DataType, IndexParams, MilvusClient, MilvusException
from pagesight.indexing.settings import Settings
from pagesight.indexing.storage.address import ServerAddress

# pymilvus pings every 10 s, also when nothing is asked; Milvus Lite takes that for an attack and closes the connection,
# with a message on standard error.
_CALM = {"grpc.keepalive_time_ms": 600_000, "grpc.keepalive_permit_without_calls": False}
_CONNECT_SECONDS = 5.0  # a guess, not measured, like the next
# A server that has gone is asked again until these are over.
_READ_SECONDS, _WRITE_SECONDS = 20.0, 120.0
_SIGNS_OF_ABSENCE = ("UNAVAILABLE", "DEADLINE_EXCEEDED", "Fail connecting")
_ROWS_AT_ONCE = 16_384  # a server's limit

#: What a row has for the vector that a server wants in every collection.
NO_VECTOR = {"no_vector": [0.0, 0.0]}


@dataclass(frozen=True)
class Collection:
    """A collection to be: ``kind`` is its name within the index.

    On Milvus Lite it is loaded by the first that reads it, which also builds its index: who writes needs neither.
    """

    kind: str
    schema: CollectionSchema
    index: IndexParams


class Connection:
    """The collections of one index. Made by `connect_folder` or `connect_server`.

    ``place`` is the address as people see it, without a password. Reads see what this process has written; with
    ``strong``, also what others have: on Milvus 2.3 that takes 0.3 s, since the server waits for its clock to tick.
    """

    def __init__(self, client: MilvusClient, place: str, *, prefix: str = "", lite: Path | None = None) -> None:
        self.place = place
        self._client = client
        self._prefix = prefix
        self._lite = lite
        self.capabilities = (
            LITE if lite else capabilities(str(self._call_client("get_server_version", "say its version")))
        )
        self._unread: set[str] = set()  # the kinds of collections that are not loaded yet
        self._limited = {} if lite else {"timeout": _READ_SECONDS}
        self._slow = {} if lite else {"timeout": _WRITE_SECONDS}

    def has(self, kind: str) -> bool:
        """Whether the collection is there."""
        return bool(self._call_client("has_collection", "be asked", self._prefix + kind, **self._limited))

    def ensure(self, collections: Sequence[Collection]) -> None:
        """Create the collections that are missing, and load them: a process that was killed leaves them unloaded.

        Milvus Lite's are loaded when they are first read.
        """
        # A server takes seconds for each, most of them waiting.
        with ThreadPoolExecutor(1 if self.capabilities.lite else len(collections)) as makers:
            list(makers.map(self._ensure, collections))

    def upsert(self, kind: str, rows: list[dict[str, Any]]) -> None:
        """Write rows, over those of the same keys."""
        # Milvus Lite takes the newest row of a key, and for an upsert looks for each in all that it holds.
        self._call_client("insert" if self._lite else "upsert", "write", self._prefix + kind, rows, **self._slow)

    def get(
        self, kind: str, keys: Sequence[str], fields: Sequence[str], *, strong: bool = False
    ) -> list[dict[str, Any]]:
        """The rows of these keys that are there, in any order."""
        if not keys:
            return []
        self._load(kind)
        options = self._limited | _level(strong)
        return list(
            self._call_client("get", "read", self._prefix + kind, ids=list(keys), output_fields=list(fields), **options)
        )

    def rows(
        self, kind: str, condition: str, fields: Sequence[str], *, at_once: int = _ROWS_AT_ONCE, strong: bool = False
    ) -> Iterator[dict[str, Any]]:
        """All rows that meet the condition, ``at_once`` in one message of a server."""
        self._load(kind)
        asked = {"filter": condition, "output_fields": list(fields)} | self._limited | _level(strong)
        if self.capabilities.lite:
            yield from self._call_client("query", "read", self._prefix + kind, **asked)
            return
        # An iterator takes three calls at the least; most indexes fit into one.
        first = self._call_client("query", "read", self._prefix + kind, limit=at_once, **asked)
        if len(first) < at_once:
            yield from first
            return
        with self._errors("read"):
            iterator = self._client.query_iterator(self._prefix + kind, batch_size=at_once, **asked)
            try:
                while batch := iterator.next():
                    yield from batch
            finally:
                iterator.close()

    def search(self, kind: str, **asked: Any) -> list[Any]:
        """`MilvusClient.search` in the collection."""
        self._load(kind)
        return list(self._call_client("search", "search", self._prefix + kind, **asked, **self._limited))

    def delete(self, kind: str, condition: str) -> None:
        """Delete the rows that meet the condition."""
        self._call_client("delete", "remove", self._prefix + kind, filter=condition, **self._slow)

    def drop(self, kind: str) -> None:
        """Remove the collection with all that it holds, if it is there."""
        if self.has(kind):
            self._unread.discard(kind)
            self._call_client("drop_collection", "remove", self._prefix + kind, **self._slow)

    def flush(self, kind: str) -> None:
        """Seal what was written, which makes Milvus Lite's next searches faster; a server does it when it is time."""
        if self.capabilities.lite:
            self._call_client("flush", "write", self._prefix + kind)

    def close(self) -> None:
        """Close the connection; Milvus Lite lets go of its folder."""
        self._client.close()
        if self._lite:
            # Its server stays behind otherwise, with the folder locked, until this process ends.
            from milvus_lite.server_manager import server_manager_instance

            server_manager_instance.release_server(str(self._lite))

    def _load(self, kind: str) -> None:
        if kind in self._unread:
            self._call_client("load_collection", "open the index", self._prefix + kind, **self._slow)
            self._unread.discard(kind)

    def _ensure(self, collection: Collection) -> None:
        name = self._prefix + collection.kind
        new = not self.has(collection.kind)
        if new:
            if self._lite:  # what a process has left of it that was killed while it was made
                shutil.rmtree(self._lite / "collections" / name, ignore_errors=True)
            # The index with it: on a filled collection Milvus Lite builds it in one call that gRPC gives up on.
            made = {"schema": collection.schema, "index_params": collection.index, "consistency_level": "Session"}
            self._call_client("create_collection", "make the index", name, **made, **self._slow)
        elif not self._has_index(name):
            self._call_client("create_index", "make the index", name, collection.index, **self._slow)
        if not self._lite:
            self._call_client("load_collection", "open the index", name, **self._slow)
            return
        self._unread.add(collection.kind)
        if new:
            self._call_client("release_collection", "make the index", name, **self._slow)

    def _has_index(self, name: str) -> bool:
        if self._lite:
            # Milvus Lite counts all rows, and so reads them, to answer that.
            with suppress(OSError, ValueError, AttributeError):
                manifest = json.loads((self._lite / "collections" / name / "manifest.json").read_bytes())
                return bool(manifest.get("index_specs"))
        return bool(self._call_client("list_indexes", "be asked", name))

    def _call_client(self, method: str, action: str, *arguments: Any, **options: Any) -> Any:
        with self._errors(action):
            return getattr(self._client, method)(*arguments, **options)

    @contextmanager
    def _errors(self, action: str) -> Iterator[None]:
        try:
            yield
        except MilvusException as error:
            text = str(error.message)
            if not self._lite and any(sign in text for sign in _SIGNS_OF_ABSENCE):
                raise _unreached(error, self.place) from error
            if "auth check failure" in text or "permission deny" in text.lower():
                raise _login_refused(self.place, text) from error
            raise _translated(error, f"Milvus at {self.place} could not {action}") from error


def without_vectors(schema: CollectionSchema) -> IndexParams:
    """Gives a collection that needs no vector the one that a server wants; returns its index."""
    schema.add_field("no_vector", DataType.FLOAT_VECTOR, dim=2)
    index = MilvusClient.prepare_index_params()
    index.add_index("no_vector", index_type="FLAT", metric_type="L2")
    return index


def connect_folder(database: Path) -> Connection:
    """Milvus Lite in a folder, in this process, until the connection is closed."""
    from pagesight.indexing.milvus.lite_memory import hold_little

    hold_little()
    return Connection(_client(str(database), str(database), {}), str(database), lite=database)


def connect_server(address: ServerAddress, settings: Settings) -> Connection:
    """A Milvus server. Raises ServerUnreachable, LoginRefused, SettingsError for a certificate that is not there."""
    token = settings.milvus.token or address.token
    options: dict[str, Any] = {"timeout": _CONNECT_SECONDS, "token": token.get_secret_value() if token else ""}
    if settings.milvus.database:
        options["db_name"] = settings.milvus.database
    if certificate := settings.milvus.certificate:
        if not certificate.expanduser().is_file():
            raise SettingsError(f"there is no certificate {certificate}. Correct PAGESIGHT_MILVUS_CERTIFICATE.")
        options["server_pem_path"] = str(certificate.expanduser())
    if settings.milvus.server_name:
        options["server_name"] = settings.milvus.server_name
    return Connection(_client(address.uri, str(address), options), str(address), prefix=f"{address.name}_")


def _client(uri: str, place: str, options: dict[str, Any]) -> MilvusClient:
    # Milvus Lite logs what it also raises, and its server the calls of pymilvus that it does not have.
    logging.getLogger("milvus_lite").setLevel(logging.CRITICAL)
    logging.getLogger("grpc._server").addFilter(_is_no_missing_call)
    logging.getLogger("pymilvus.client.iterator.query_iterator").addFilter(_is_no_old_server)
    try:
        # Connections are shared by address otherwise, also with one that was opened with another certificate.
        return MilvusClient(uri, grpc_options=_CALM, dedicated="://" in uri, **options)
    except MilvusException as error:
        if "://" not in uri:
            raise _translated(error, f"Milvus at {place} cannot be opened") from error
        raise _unreached(error, place) from error


def _level(strong: bool) -> dict[str, str]:
    return {"consistency_level": "Strong"} if strong else {}


def _is_no_missing_call(record: logging.LogRecord) -> bool:
    """Keeps back only what Milvus Lite's server logs of a call that it lacks: pymilvus tries it and does without."""
    return not (record.exc_info and isinstance(record.exc_info[1], NotImplementedError))


def _is_no_old_server(record: logging.LogRecord) -> bool:
    return "failed to get mvccTs" not in record.getMessage()


def _unreached(error: MilvusException, place: str) -> PageIndexError:
    """The error for a server that cannot be talked to; gRPC knows why, what pymilvus raises does not."""
    cause = error.__cause__
    why = str(cause.details()) if isinstance(cause, grpc.Call) else str(error.message)
    if isinstance(cause, grpc.Call) and cause.code() == grpc.StatusCode.UNAUTHENTICATED:
        return _login_refused(place, why)
    return ServerUnreachable(
        f"Milvus at {place} cannot be reached ({shown(why)}). Check that the server runs and that the address is "
        "right: https:// for one with TLS; PAGESIGHT_MILVUS_CERTIFICATE names a certificate that no authority signed."
    )


def _login_refused(place: str, why: str) -> LoginRefused:
    return LoginRefused(
        f"Milvus at {place} refuses the login ({shown(why)}). Set PAGESIGHT_MILVUS_TOKEN to the server's API key or to "
        "USER:PASSWORD."
    )


def _translated(error: MilvusException, what: str) -> PageIndexError:
    text = shown(str(error.message)).strip()
    if "No space left" in text or "Errno 28" in text:
        return StorageFull(
            f"{what}: the disk is full. Free some space and run the same command again; what was written stays."
        )
    return PageIndexError(f"{what}: {text}. Run `pagesight doctor` to see whether the index can be used.")
