"""Serves the Milvus Lite of an index on loopback, so that several processes of this machine can have the index open.

They open the same folder: from it they learn the address, and read the multi-vectors, which need no server.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pagesight.indexing.errors import PageIndexError
from pagesight.indexing.storage.folder import IndexFolder

# Each request of a client holds one; more than Milvus Lite's usual 10 let some agents search at once.
_THREADS = 32
_GRACE_SECONDS = 5


@contextmanager
def serving(path: Path, port: int = 0) -> Iterator[str]:
    """Serves the index in a folder inside the block; gives the address, on ``port`` or on a free one.

    Raises IndexMissing, IndexInUse, PageIndexError for a port that is taken.
    """
    folder = IndexFolder(path.expanduser().resolve())
    folder.hold(create=False)
    try:
        from milvus_lite.adapter.grpc.server import start_server_in_thread

        database = str(folder.path / "milvus.db")
        try:
            server, data, bound = start_server_in_thread(database, "127.0.0.1", port, _THREADS)
        except RuntimeError as error:
            raise PageIndexError(
                f"the index in {folder.path} cannot be served on port {port} ({error}). Leave out --port to take a "
                "free one."
            ) from error
        address = f"http://127.0.0.1:{bound}"
        try:
            folder.say_held(address=address)
            yield address
        finally:
            server.stop(_GRACE_SECONDS).wait()
            data.close()
    finally:
        folder.close()
