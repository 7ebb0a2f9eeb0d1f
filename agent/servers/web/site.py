"""The page's files before the service, and the way in: the address with the token sets a cookie and is left at once.

The files hold nothing of anybody's, so everybody may have them; what the page then asks the service for needs the
cookie. Scripts, styles and pictures come from here only, nothing inline, and no script can make HTML of a text
(``require-trusted-types-for``): the browser itself holds what the page's own code promises.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.resources import files
from urllib.parse import parse_qs

from starlette.responses import RedirectResponse, Response

from pagesight.agent.servers.access import cookie_name
from pagesight.agent.servers.guarded_http import Application, Receive, Scope, Send
from pagesight.agent.servers.problems import Problem
from pagesight.agent.servers.tokens import KnownTokens

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types"
)
_KINDS = {
    ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}  # fmt: skip
_START = "index.html"


@dataclass(frozen=True)
class _File:
    body: bytes
    kind: str
    tag: str


class Site:
    """An application with the page before it, whose files are read once."""

    def __init__(self, application: Application, tokens: KnownTokens) -> None:
        self._application = application
        self._tokens = tokens
        self._files = _built()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request, as ASGI has it. Raises Problem 401 for an address with a wrong token."""
        path = scope.get("path", "").removeprefix("/") or _START
        file = self._files.get(path) if scope["type"] == "http" and scope["method"] in ("GET", "HEAD") else None
        if file is None:
            await self._application(scope, receive, send)
            return
        sent = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0] if path == _START else ""
        reply = self._let_in(scope, sent) if sent else _shown(scope, file)
        await reply(scope, receive, send)

    def _let_in(self, scope: Scope, sent: str) -> Response:
        if self._tokens.find(sent) is None:
            raise Problem(401, "Unauthorized", "this address is an old one: open the one that `pagesight web` printed")
        reply = RedirectResponse("/", 303, {"Cache-Control": "no-store"})
        secure = scope["scheme"] == "https"
        reply.set_cookie(cookie_name(scope), sent, httponly=True, samesite="strict", secure=secure, path="/")
        return reply


def _built() -> dict[str, _File]:
    found = {}
    for file in (files(__package__) / "static").iterdir():
        body = file.read_bytes()
        suffix = file.name[file.name.rfind(".") :]
        if suffix in _KINDS:
            found[file.name] = _File(body, _KINDS[suffix], f'"{hashlib.sha256(body).hexdigest()[:32]}"')
    return found


def _shown(scope: Scope, file: _File) -> Response:
    headers = {"ETag": file.tag, "Cache-Control": "no-cache", "Content-Security-Policy": POLICY}
    known = next((bytes(value) for name, value in scope["headers"] if name.lower() == b"if-none-match"), b"")
    if file.tag.encode() in known:
        return Response(status_code=304, headers=headers)
    return Response(file.body, media_type=file.kind, headers=headers)
