"""The service on a free port of loopback, in a thread: a real uvicorn, asked over HTTP, with a bounded life."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from small_index import small_settings

from pagesight.agent.servers.app import make_app
from pagesight.agent.servers.run import listening
from pagesight.agent.servers.service import Plan
from pagesight.agent.servers.tokens import Token, Tokens, new_token

LONGEST_LIFE = 180.0
QUESTION = "How high was the net revenue in 2023?"


@dataclass
class Served:
    """A service that runs: its address, and what each of its tokens sends."""

    address: str
    sent: dict[str, str]

    def client(self, token: str = "owner", **options: Any) -> httpx.Client:
        headers = {"Authorization": f"Bearer {self.sent[token]}"} if token else {}
        return httpx.Client(base_url=self.address, headers=headers, timeout=60, **options)


@contextlib.contextmanager
def served(
    place: Path | str,
    *,
    tokens: dict[str, dict[str, Any]] | None = None,
    plan: dict[str, Any] | None = None,
    port: int = 0,
    life: float = LONGEST_LIFE,
    made: dict[str, tuple[str, Token]] | None = None,
    **settings: Any,
) -> Iterator[Served]:
    """The service of an index; ``tokens`` are the arguments of `new_token` by name, the owner's if there are none.

    ``port`` and ``made``, tokens as `new_token` gives them, are of an earlier one. It ends after ``life`` seconds.
    """
    made = made or {name: new_token(name, **given) for name, given in (tokens or {"owner": {}}).items()}
    known = {"tokens": Tokens(tuple(token for _, token in made.values()))}
    app = make_app(Plan(str(place), small_settings(**settings), **{**known, **(plan or {})}))
    with listening("127.0.0.1", port) as listener:
        server = uvicorn.Server(
            uvicorn.Config(app, log_level="error", lifespan="on", ws="none", timeout_graceful_shutdown=2)
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        end = threading.Timer(life, lambda: setattr(server, "should_exit", True))
        end.start()
        try:
            wait_until(lambda: server.started or not thread.is_alive())
            assert server.started, "the service did not start"
            port = listener.getsockname()[1]
            yield Served(f"http://127.0.0.1:{port}", {name: sent for name, (sent, _) in made.items()})
        finally:
            end.cancel()
            server.should_exit = True
            thread.join(timeout=30)
            assert not thread.is_alive(), "the service did not end"


def wait_until(holds: Any, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


def events(lines: Iterator[str]) -> Iterator[tuple[str, Any]]:
    """The server-sent events in the lines of a reply: names and data."""
    name = ""
    for line in lines:
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))
