"""What stands before the service: names of hosts and origins, sizes and times of bodies, headers of every reply.

A page of another site can send requests to a loopback address, also under a name of its own (DNS rebinding): the name
must be one of ours, and an origin that is told must be ours or one that was named. No other origin may read replies.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from urllib.parse import urlsplit

from pagesight.agent.servers.guarded_http import Application, Message, Receive, Scope, Send
from pagesight.agent.servers.problems import MEDIA_TYPE, Problem
from pagesight.indexing.labels.page_numbers import whole_number

#: Bytes of a request's body but for uploads: a guess, not measured; a question and some labels take a few thousand.
LARGEST_BODY = 1_000_000
#: Seconds that the next piece of a body may take: a guess, not measured.
SECONDS_A_PIECE = 30.0

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"x-frame-options", b"SAMEORIGIN"),
]
#: For replies that a browser may show: nothing in them runs or loads anything.
_POLICY = (b"content-security-policy", b"default-src 'none'; sandbox; frame-ancestors 'self'")


class Guard:
    """An application behind checks of where requests come from and how much they bring.

    ``hosts`` are names that the service has beside those of loopback; ``origins`` those of others' pages that may read
    its replies, such as ``https://app.example``; ``largest_upload`` is in bytes.
    """

    def __init__(
        self, application: Application, *, hosts: Iterable[str] = (), origins: Iterable[str] = (),
        largest_upload: int = LARGEST_BODY,
    ) -> None:  # fmt: skip
        self._application = application
        self._hosts = {*_LOOPBACK, *(host.casefold() for host in hosts)}
        self._origins = {origin.rstrip("/").casefold() for origin in origins}
        self._largest_upload = largest_upload

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request, as ASGI has it."""
        if scope["type"] == "lifespan":
            await self._application(scope, receive, send)
            return
        if scope["type"] != "http":
            return  # websockets are none of ours
        headers = {bytes(name).lower(): bytes(value).decode("latin-1") for name, value in scope["headers"]}
        reply = _Reply(send, self._shared_with(headers))
        try:
            self._check_place(headers)
            if self._asks_first(scope, headers):
                await reply.allow()
                return
            await self._application(scope, self._bounded(scope, headers, receive, reply), reply)
        except Problem as problem:
            await reply.refuse(problem)

    def _check_place(self, headers: dict[bytes, str]) -> None:
        host = headers.get(b"host", "")
        if _name(host) not in self._hosts:
            raise Problem(421, "Unknown host", f"{host[:200]!r} is no name of this service: --host-name names one")
        origin = headers.get(b"origin")
        if origin is None or origin.casefold() in self._origins:
            return
        if urlsplit(origin).netloc.casefold() != host.casefold():
            raise Problem(
                403, "Foreign origin", f"pages of {origin[:200]} may not use this service: --origin names one"
            )

    def _shared_with(self, headers: dict[bytes, str]) -> str | None:
        """The origin that may read the reply, of those that were named."""
        origin = headers.get(b"origin")
        return origin if origin is not None and origin.casefold() in self._origins else None

    def _asks_first(self, scope: Scope, headers: dict[bytes, str]) -> bool:
        return scope["method"] == "OPTIONS" and b"access-control-request-method" in headers

    def _bounded(self, scope: Scope, headers: dict[bytes, str], receive: Receive, reply: _Reply) -> Receive:
        uploads = scope["method"] == "POST" and scope["path"] == "/documents"
        most = self._largest_upload if uploads else LARGEST_BODY
        if (whole_number(headers.get(b"content-length", "")) or 0) > most:
            raise _too_large(most)
        read, whole = 0, False

        async def bounded() -> Message:
            nonlocal read, whole
            if whole:  # what comes now is that the client has gone
                return await receive()
            try:
                async with asyncio.timeout(SECONDS_A_PIECE):
                    message = await receive()
            except TimeoutError:
                raise reply.refusing(_too_slow()) from None
            read += len(message.get("body", b""))
            if read > most:
                raise reply.refusing(_too_large(most))
            whole = not message.get("more_body", False)
            return message

        return bounded


class _Reply:
    """Sends a reply with the headers that each has; refuses once, unless something was sent before."""

    def __init__(self, send: Send, shared_with: str | None) -> None:
        self._send = send
        self._headers = [*_HEADERS, *_shared(shared_with)]
        self._begun = self._over = False
        self._refusal: Problem | None = None

    def refusing(self, problem: Problem) -> Problem:
        """The problem, which is the reply from now on: what reads a body may have an error of its own for it."""
        self._refusal = None if self._begun else problem
        return problem

    async def __call__(self, message: Message) -> None:
        if self._refusal and not self._begun:
            await self.refuse(self._refusal)
        if self._over:
            return
        if message["type"] == "http.response.start":
            self._begun = True
            names = {bytes(name).lower() for name, _ in message.get("headers", [])}
            more = [(name, value) for name, value in [*self._headers, _POLICY] if name not in names]
            message = {**message, "headers": [*message.get("headers", []), *more]}
        await self._send(message)

    async def allow(self) -> None:
        """Answers a browser that asks before it sends a request of a named origin's page."""
        headers = [
            (b"access-control-allow-methods", b"GET, POST, DELETE"),
            (b"access-control-allow-headers", b"authorization, content-type"),
            (b"access-control-max-age", b"600"),
        ]
        await self({"type": "http.response.start", "status": 204, "headers": headers})
        await self({"type": "http.response.body", "body": b""})

    async def refuse(self, problem: Problem) -> None:
        """Sends a problem; raises it where a part of a reply was sent."""
        if self._over:
            return
        if self._begun:
            raise problem  # the server ends the connection, so that nobody takes a part for the whole
        body = json.dumps(problem.as_dict(), ensure_ascii=False).encode()
        headers = [(b"content-type", MEDIA_TYPE.encode()), (b"content-length", str(len(body)).encode())]
        headers += [(name.lower().encode(), value.encode()) for name, value in problem.headers.items()]
        # What is left of the body is not read.
        headers.append((b"connection", b"close"))
        self._refusal = None
        await self({"type": "http.response.start", "status": problem.status, "headers": headers})
        await self({"type": "http.response.body", "body": body})
        self._over = True


def _too_slow() -> Problem:
    return Problem(408, "Slow request", f"nothing came for {SECONDS_A_PIECE:.0f} s: send it again")


def _too_large(most: int) -> Problem:
    return Problem(413, "Too large", f"a request to here may have {most:,} bytes: send less at once")


def _shared(origin: str | None) -> list[tuple[bytes, bytes]]:
    vary: list[tuple[bytes, bytes]] = [(b"vary", b"Origin")]
    return [] if origin is None else [(b"access-control-allow-origin", origin.encode("latin-1")), *vary]


def _name(host: str) -> str:
    """The name in a Host header, without the port."""
    try:
        return (urlsplit(f"//{host}").hostname or "").casefold()
    except ValueError:
        return ""
