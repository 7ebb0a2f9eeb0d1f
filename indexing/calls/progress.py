"""What happens inside a model call or a tool, told to whoever follows the agent's run: waits, and bytes sent.

It goes through LangGraph's custom stream, so it reaches the run that it belongs to, also where many run at once, and
nobody where nobody listens. LangGraph is not loaded for it: where it is not, no graph runs.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from threading import Event, Thread
from typing import Any

#: The key by which our items in a custom stream are known.
KEY = "pagesight"
#: Seconds between two lines that say that an answer is still waited for: a guess, not measured.
LIFE_EVERY = 20.0


def tell(kind: str, **what: Any) -> None:
    """Puts an item into the custom stream of the graph that runs here, if one does."""
    config = sys.modules.get("langgraph.config")
    if config is None:
        return
    try:
        write = config.get_stream_writer()
    except (RuntimeError, KeyError):
        return
    write({KEY: kind, **what})


@contextmanager
def signs_of_life(who: str) -> Iterator[Callable[[], None]]:
    """Tells every `LIFE_EVERY` seconds that ``who`` is still waited for, until the block ends.

    Gives what to call when an answer begins to come: then nothing more is told.
    """
    over = Event()
    context = copy_context()
    started = time.monotonic()

    def run() -> None:
        while not over.wait(LIFE_EVERY):
            text = f"{who} has not answered yet: waiting for {time.monotonic() - started:.0f} s"
            context.run(tell, "waits", text=text)

    thread = Thread(target=run, daemon=True)
    thread.start()
    try:
        yield over.set
    finally:
        over.set()
        thread.join()


def tell_bytes(number: int) -> None:
    """Tells how many bytes of pictures leave this machine."""
    if number:
        tell("sent", bytes=number)
