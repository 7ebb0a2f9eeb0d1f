"""`pagesight mcp`: lets MCP clients use an index, until it is stopped."""

from __future__ import annotations

import contextlib
import secrets
from typing import TYPE_CHECKING, Annotated

import typer

from pagesight.agent.terminal import options, printing
from pagesight.agent.terminal.options import existing_index, open_index, settings_of

if TYPE_CHECKING:
    from pagesight.tools.allowed_documents import AllowedDocuments

Token = Annotated[
    str,
    typer.Option("--token", metavar="TOKEN", help="What clients must send; by default a new one at each start."),
]


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
