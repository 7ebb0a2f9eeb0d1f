"""`pagesight serve` and `pagesight mcp`: let other processes use an index, until they are stopped."""

from __future__ import annotations

import contextlib
import secrets
import signal
import threading
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from pagesight.agent.terminal import options, printing
from pagesight.agent.terminal.options import existing_index, open_index, settings_of
from pagesight.indexing.errors import PageIndexError

if TYPE_CHECKING:
    from pagesight.tools.allowed_documents import AllowedDocuments

Token = Annotated[
    str,
    typer.Option("--token", metavar="TOKEN", help="What clients must send; by default a new one at each start."),
]


def serve(
    context: typer.Context,
    index: options.Index = None,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port on loopback; 0 takes a free one.")] = 0,
    token: Token = "",
) -> None:
    """Let several processes open the index in a folder, until Ctrl-C.

    They name the same folder as ever. Many may search, one at a time may add or remove.
    """
    settings = settings_of()
    place = existing_index(context, index)
    printing.quieten_milvus()
    _serve_until_stopped(place or str(settings.index), port, token)


def mcp(
    context: typer.Context,
    index: options.Index = None,
    document: options.Documents = None,
    where: options.Where = None,
    http: Annotated[bool, typer.Option("--http", help="Serve HTTP on loopback instead of stdin and stdout.")] = False,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port of --http; 0 takes a free one.")] = 8365,
    token: Token = "",
    trust_scripts: options.TrustScripts = False,
    verbose: options.Verbose = False,
) -> None:
    """Serve the index to MCP clients.

    They can search its pages, look at them and list its documents. Over HTTP they send a token. Needs the extra mcp.
    """
    from pagesight.agent.mcp import serve_stdio
    from pagesight.tools.allowed_documents import AllowedDocuments

    settings = settings_of(trust_scripts=trust_scripts)
    place = existing_index(context, index)
    with open_index(place, settings) as opened:
        allowed = AllowedDocuments(opened).narrowed(document or None, where)
        if http:
            _serve_http(allowed, port, token or secrets.token_urlsafe(32))
        else:
            serve_stdio(allowed)


def _serve_http(allowed: AllowedDocuments, port: int, token: str) -> None:
    """Serves MCP over HTTP; the token stands where only this user can read it."""
    from pagesight.agent.mcp import serve_http
    from pagesight.indexing.storage.sharing import noted_service

    with contextlib.ExitStack() as noted:

        def started(address: str) -> None:
            printing.note(f"MCP server at {address}")
            found = noted.enter_context(noted_service(allowed.index.path, "mcp", address=address, token=token))
            where = f"that stands in {allowed.index.path / 'holder.json'}, under mcp" if found else token
            printing.note(f"clients send the token {where}: Authorization: Bearer TOKEN")

        serve_http(allowed, port, started, token)


def _serve_until_stopped(place: str, port: int, token: str) -> None:
    """Serves the index in a folder until Ctrl-C or SIGTERM. Raises as `serving` does."""
    from pagesight.indexing.milvus.serving import serving
    from pagesight.indexing.storage.address import server_address

    if address := server_address(place):
        raise PageIndexError(f"{address} is on a Milvus server, which any number of processes can open as it is.")
    stopped = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        stopped.set()

    signal.signal(signal.SIGTERM, stop)
    with serving(Path(place), port, token) as served_at, contextlib.suppress(KeyboardInterrupt):
        printing.note(f"serving {place} at {served_at}; open it with --index {place} as ever. Ctrl-C ends this.")
        stopped.wait()
