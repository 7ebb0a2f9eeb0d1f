"""Finds out who asks: by the token in the header, or in the cookie that `POST /session` sets for a browser's page."""

from __future__ import annotations

from collections.abc import Callable
from http.cookies import CookieError, SimpleCookie
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request

from pagesight.agent.servers.guarded_http import Application, Receive, Scope, Send
from pagesight.agent.servers.problems import Problem
from pagesight.agent.servers.tokens import KnownTokens, Token
from pagesight.agent.servers.tokens import Scope as TokenScope

#: What everybody may ask for.
_OPEN = ("/healthz", "/openapi.json")
_HOW = "send Authorization: Bearer TOKEN"


class Authenticated:
    """An application behind tokens: a request with none, or a wrong one, ends here, before its body is read."""

    def __init__(self, application: Application, tokens: KnownTokens) -> None:
        self._application = application
        self._tokens = tokens

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request, as ASGI has it."""
        if scope["type"] == "http" and scope["path"] not in _OPEN:
            headers = {bytes(name).lower(): bytes(value).decode("latin-1") for name, value in scope["headers"]}
            sent = self._sent(scope, headers)
            token = self._tokens.find(sent) if sent else None
            if token is None:
                said = "the token is not known" if sent else "a token is needed"
                raise Problem(401, "Unauthorized", f"{said}: {_HOW}", {"WWW-Authenticate": "Bearer"})
            scope.setdefault("state", {}).update(token=token, sent=sent)
        await self._application(scope, receive, send)

    def _sent(self, scope: Scope, headers: dict[bytes, str]) -> str:
        kind, _, sent = headers.get(b"authorization", "").partition(" ")
        if kind.casefold() == "bearer":
            return sent.strip()
        if b"authorization" in headers:
            return ""
        sent = _cookie(headers.get(b"cookie", ""), cookie_name(scope))
        if sent and scope["method"] not in ("GET", "HEAD") and not _from_own_page(headers):
            raise Problem(403, "Foreign page", f"a cookie is taken from the service's own pages only: {_HOW}")
        return sent


def cookie_name(scope: Scope) -> str:
    """The cookie's name: with the port, since cookies are shared by all ports of a host."""
    return f"pagesight-{(scope.get('server') or ('', 0))[1]}"


def holder(needed: TokenScope | None) -> Callable[[Request], Token]:
    """For `Depends`: the token that asks. Raises Problem 403 where it has not the scope that is needed."""

    async def held(request: Request) -> Token:
        token: Token = request.state.token
        if needed is not None and needed not in token.scopes:
            raise Problem(
                403, "Missing scope", f"this token may {' and '.join(token.scopes) or 'nothing'}, not {needed}"
            )
        return token

    return held  # type: ignore[return-value]


Reader = Annotated[Token, Depends(holder("read"))]
Asker = Annotated[Token, Depends(holder("ask"))]
Writer = Annotated[Token, Depends(holder("write"))]
Anybody = Annotated[Token, Depends(holder(None))]


def _cookie(header: str, name: str) -> str:
    try:
        found = SimpleCookie(header).get(name)
    except CookieError:
        return ""
    return found.value if found else ""


def _from_own_page(headers: dict[bytes, str]) -> bool:
    origin, host = headers.get(b"origin"), headers.get(b"host", "")
    if origin is not None:
        return urlsplit(origin).netloc.casefold() == host.casefold()
    return headers.get(b"sec-fetch-site") == "same-origin"
