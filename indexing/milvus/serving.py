"""Serves the Milvus Lite of an index on loopback, so that several processes of this machine can have the index open.

They open the same folder: from it they learn the address and the token, and read the multi-vectors, which need no
server. Who does not send the token is refused: others on the machine reach the port, too.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc

from pagesight.indexing.errors import PageIndexError
from pagesight.indexing.milvus.client import add_MilvusServiceServicer_to_server
from pagesight.indexing.milvus.sealed_files import seal
from pagesight.indexing.storage.folder import SEAL, IndexFolder

# Each request of a client holds one; more than Milvus Lite's usual 10 let some agents search at once.
_THREADS = 32
_GRACE_SECONDS = 5
# Of one message: a batch of pages takes some hundred kB; all rows of an index, which go the other way, 1 kB a page.
_LARGEST_REQUEST, _LARGEST_REPLY = 64 * 1024 * 1024, 256 * 1024 * 1024
# Requests at a time, waiting ones too; others are told to come again. A guess, not measured.
_MOST_REQUESTS = 128


@contextmanager
def serving(path: Path, port: int = 0, token: str = "") -> Iterator[str]:
    """Serves the index in a folder inside the block; gives the address, on ``port`` or on a free one.

    ``token`` is what clients must send, by default a new one; it stands in the folder's holder.json. Raises
    IndexMissing, IndexInUse, PageIndexError for a port that is taken.
    """
    folder = IndexFolder(path.expanduser().resolve())
    folder.hold(create=False)
    try:
        token = token or secrets.token_urlsafe(32)
        with _running(folder, port, token) as address:
            folder.say_held(address=address, token=token)
            yield address
    finally:
        folder.close()


@contextmanager
def _running(folder: IndexFolder, port: int, token: str) -> Iterator[str]:
    """Milvus Lite's own service on loopback, behind the token."""
    from milvus_lite.adapter.grpc.servicer import MilvusServicer
    from milvus_lite.db import MilvusLite

    data = MilvusLite(str(folder.path / "milvus.db"))
    server = grpc.server(
        ThreadPoolExecutor(_THREADS),
        interceptors=[_TokenNeeded(token)],
        options=[
            ("grpc.max_receive_message_length", _LARGEST_REQUEST),
            ("grpc.max_send_message_length", _LARGEST_REPLY),
            ("grpc.so_reuseport", 0),
        ],
        maximum_concurrent_rpcs=_MOST_REQUESTS,
    )
    try:
        add_MilvusServiceServicer_to_server(MilvusServicer(data), server)
        try:
            bound = server.add_insecure_port(f"127.0.0.1:{port}")
        except RuntimeError as error:
            raise PageIndexError(
                f"the index in {folder.path} cannot be served on port {port} ({error}). Leave out --port to take a "
                "free one."
            ) from error
        server.start()
        yield f"http://127.0.0.1:{bound}"
    finally:
        server.stop(_GRACE_SECONDS).wait()
        data.close()
        seal(folder.path / "milvus.db", folder.path / SEAL)


class _TokenNeeded(grpc.ServerInterceptor):  # type: ignore[misc]  # grpc has no types
    """Refuses calls without the token, which pymilvus sends in base64 as ``authorization``."""

    def __init__(self, token: str) -> None:
        self._expected = base64.b64encode(token.encode()).decode()

    def intercept_service(self, continuation: Callable[[Any], Any], details: Any) -> Any:
        """Passes the call on, or answers it with UNAUTHENTICATED."""
        sent = [value for key, value in details.invocation_metadata if key == "authorization"]
        if len(sent) == 1 and hmac.compare_digest(str(sent[0]).encode(), self._expected.encode()):
            return continuation(details)
        return grpc.unary_unary_rpc_method_handler(_refused)


def _refused(_request: Any, context: Any) -> None:
    context.abort(grpc.StatusCode.UNAUTHENTICATED, "this index asks for the token of `pagesight serve`")
