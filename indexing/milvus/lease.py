"""How machines share an index on a Milvus server: by rows of one small collection, `state`.

    about        what the index was made with (manifest.py)
    revision     another text after each change
    writer:…     who writes, and a count that goes up while that one lives

Milvus has no lock. Who wants to write notes so, then looks who else has: if two do at the same time, at least one sees
the other, and both take theirs back and try again. Nobody compares clocks: a writer is dead when its count has stood
still for a while on the watch of the one who waits.
"""

from __future__ import annotations

import contextlib
import json
import random
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pagesight.indexing.errors import IndexInUse, PageIndexError
from pagesight.indexing.milvus.client import DataType, MilvusClient
from pagesight.indexing.milvus.connection import NO_VECTOR, Collection, Connection, without_vectors
from pagesight.indexing.storage.manifest import damaged
from pagesight.indexing.storage.sharing import named, this_process

_VALUE_CHARACTERS = 16_384  # far more than a holder's note has; Milvus allows 65,535


@dataclass(frozen=True)
class Heartbeat:
    """Seconds: ``beat`` between two signs of life of a writer, ``dead`` without one until it counts as dead."""

    beat: float = 2.0
    dead: float = 20.0


def collection() -> Collection:
    """What `ServerSharing` needs of a Milvus."""
    schema = MilvusClient.create_schema()
    schema.add_field("key", DataType.VARCHAR, is_primary=True, max_length=64)
    schema.add_field("value", DataType.VARCHAR, max_length=_VALUE_CHARACTERS)
    return Collection("state", schema, without_vectors(schema))


@dataclass
class _Lease:
    """A right to write; ``renewed`` is when the server last heard of it."""

    key: str
    renewed: float
    lost: bool = False
    ended: threading.Event = field(default_factory=threading.Event)


class ServerSharing:
    """This process' share in an index on a server; see `Sharing`."""

    def __init__(self, connection: Connection, heartbeat: Heartbeat | None = None) -> None:
        self._connection = connection
        self._heartbeat = heartbeat or Heartbeat()
        self._lease: _Lease | None = None

    def manifest(self, *, strong: bool = False) -> Any:
        """What `note_manifest` noted, or None."""
        return self._value("about", strong=strong)

    def note_manifest(self, manifest: dict[str, Any]) -> None:
        """Note what a new index is made with."""
        self._put("about", manifest)

    @contextlib.contextmanager
    def lease(self) -> Iterator[None]:
        """Waits for a writer that may be dead, `Heartbeat.dead` seconds at most."""
        lease = self._acquired()
        beating = threading.Thread(target=self._beat, args=(lease,), daemon=True)
        self._lease = lease
        beating.start()
        try:
            yield
        finally:
            self._lease = None
            lease.ended.set()
            beating.join()
            # Who cannot be told that this writer is done, finds it dead.
            with contextlib.suppress(PageIndexError):
                self._connection.delete("state", f'key == "{lease.key}"')

    def confirm(self) -> None:
        """Lost when another process counts this one as dead: it slept, or the server could not be reached."""
        lease = self._lease
        if lease and (lease.lost or self._is_late(lease)):
            raise IndexInUse(
                f"{self._connection.place} did not hear of this process for too long, and another may write there now. "
                "Run the same command again; what was written stays."
            )

    def revision(self) -> str:
        """As this process' last write left it, or newer."""
        return str(self._value("revision"))

    def publish(self, revision: str) -> None:
        """Tell the other processes that there is something new, by a text of its own."""
        self._put("revision", revision)

    def _acquired(self) -> _Lease:
        lease = _Lease(f"writer:{uuid.uuid4().hex}", time.monotonic())
        while True:
            self._put(lease.key, this_process() | {"count": 0})
            lease.renewed = time.monotonic()
            others = self._writers(lease.key)
            if not others:
                return lease
            self._connection.delete("state", f'key == "{lease.key}"')
            self._outlive(others)
            time.sleep(random.uniform(0, self._heartbeat.beat / 2))

    def _outlive(self, others: dict[str, Any]) -> None:
        """Wait until the writers are gone, or dead; raise IndexInUse once one gives a sign of life."""
        end = time.monotonic() + self._heartbeat.dead
        while time.monotonic() < end:
            time.sleep(self._heartbeat.beat / 4)
            now = self._writers()
            for key in others.keys() & now.keys():
                if now[key].get("count") != others[key].get("count"):
                    raise IndexInUse(
                        f"{named(now[key])} is writing to the index at {self._connection.place}. Wait until that one "
                        "is done, or end it; searching goes on meanwhile."
                    )
            others = {key: others[key] for key in others.keys() & now.keys()}
            if not others:
                return
        self._connection.delete("state", f"key in {json.dumps(sorted(others))}")

    def _beat(self, lease: _Lease) -> None:
        count = 0
        while not lease.ended.wait(self._heartbeat.beat):
            count += 1
            # A server that cannot be reached for a while loses the lease by time, not at once.
            with contextlib.suppress(PageIndexError):
                asked = time.monotonic()
                # The clock stands still while a machine sleeps; then the row has gone.
                if self._is_late(lease) or self._value(lease.key) is None:
                    lease.lost = True
                    return
                self._put(lease.key, this_process() | {"count": count})
                lease.renewed = asked

    def _is_late(self, lease: _Lease) -> bool:
        # Others wait twice as long before they count it as dead.
        return time.monotonic() - lease.renewed > self._heartbeat.dead / 2

    def _writers(self, mine: str = "") -> dict[str, Any]:
        rows = self._connection.rows("state", 'key like "writer:%"', ["key", "value"], strong=True)
        found = {row["key"]: self._read(row["value"]) for row in rows if row["key"] != mine}
        return {key: value if isinstance(value, dict) else {} for key, value in found.items()}

    def _value(self, key: str, *, strong: bool = False) -> Any:
        rows = self._connection.get("state", [key], ["value"], strong=strong)
        return self._read(rows[0]["value"]) if rows else None

    def _read(self, value: str) -> Any:
        try:
            return json.loads(value)
        except ValueError as error:
            raise damaged(self._connection.place, error) from error

    def _put(self, key: str, value: Any) -> None:
        self._connection.upsert("state", [{"key": key, "value": json.dumps(value)} | NO_VECTOR])
