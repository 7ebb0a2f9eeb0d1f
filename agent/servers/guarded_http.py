"""An ASGI application behind a token, and within bounds: what one request may bring, and how many run at a time."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from pagesight.indexing.labels.page_numbers import whole_number

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

#: Bytes of a request's body: guesses, not measured; a question and some labels take a few thousand.
LARGEST_BODY = 1_000_000
#: Requests at a time, streams that wait for messages apart: guesses, not measured.
MOST_REQUESTS, MOST_STREAMS = 16, 64


class GuardedApplication:
    """Passes on requests with ``Authorization: Bearer TOKEN``.

    Others get 401, bodies above `LARGEST_BODY` bytes 413, and what is beyond `MOST_REQUESTS` at a time 503.
    """

    def __init__(self, application: Application, token: str) -> None:
        self._application = application
        self._expected = f"Bearer {token}".encode()
        self._running = {"GET": 0, "": 0}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request, as ASGI has it."""
        if scope["type"] != "http":  # the server's own start and end
            await self._application(scope, receive, send)
        elif not hmac.compare_digest(_header(scope, b"authorization"), self._expected):
            await _refuse(send, 401, "a token is needed: Authorization: Bearer TOKEN", (b"www-authenticate", b"Bearer"))
        else:
            await self._counted(scope, receive, send)

    async def _counted(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = "GET" if scope["method"] == "GET" else ""
        if self._running[kind] >= (MOST_STREAMS if kind else MOST_REQUESTS):
            await _refuse(send, 503, "too many requests at a time: try again", (b"retry-after", b"1"))
            return
        self._running[kind] += 1
        try:
            await self._limited(scope, receive, send)
        finally:
            self._running[kind] -= 1

    async def _limited(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (whole_number(_header(scope, b"content-length").decode("latin-1")) or 0) > LARGEST_BODY:
            await _refuse(send, 413, f"a request may have {LARGEST_BODY} bytes")
            return
        read, answered, refused = 0, False, False

        async def bounded() -> Message:
            nonlocal read, refused
            message = await receive()
            read += len(message.get("body", b""))
            if read <= LARGEST_BODY:
                return message
            refused = True
            if not answered:
                await _refuse(send, 413, f"a request may have {LARGEST_BODY} bytes")
            return {"type": "http.disconnect"}

        async def passed_on(message: Message) -> None:
            nonlocal answered
            answered = True
            if not refused:
                await send(message)

        await self._application(scope, bounded, passed_on)


def _header(scope: Scope, name: bytes) -> bytes:
    return next((bytes(value) for key, value in scope["headers"] if key.lower() == name), b"")


async def _refuse(send: Send, status: int, why: str, *more: tuple[bytes, bytes]) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": f"{why}\n".encode()})
