"""What the strict server does in the steps of `pagesight doctor --live`.

`python tests/live_scripts.py` prints two transcripts: all steps green, and five faults at once.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from typing import Any

from gemini_server import GeminiServer

from pagesight.agent.terminal.live_page import RECTANGLE

KEY = "AIza-a-secret-of-tests"
COUNTED = "One, two, three, four, five, six, seven, eight, nine, ten, eleven, twelve, and on to twenty."
LOOK = ("look", {"number": 1})
Script = Callable[[GeminiServer], object]


def boxes(box: list[int]) -> str:
    return json.dumps({"boxes": [{"label": "red rectangle", "box_2d": box}]})


def calls_then_says(text: str, *numbers: int) -> Script:
    def script(server: GeminiServer) -> None:
        server.calls_at_once([("look", {"number": number}) for number in numbers])
        server.says(text)

    return script


def says(*texts: str, **how: Any) -> Script:
    return lambda server: [server.says(text, **how) for text in texts]


def charges(without: int, with_picture: int) -> Script:
    def script(server: GeminiServer) -> None:
        server.says("ready", tokens=(without, 1))
        server.says("ready", tokens=(with_picture, 1))

    return script


def fails(status: int, name: str, message: str, reason: str | None = None) -> Script:
    return lambda server: server.fails(status, name, message, reason)


#: What the service does in each step when all is well.
GREEN: dict[str, Script] = {
    "the model answers": says("Ready."),
    "store=false": says("ready"),
    "streaming": says(COUNTED),
    "a tool call": calls_then_says("4712", 1),
    "two pages in parallel": calls_then_says("4,712 and 8305", 1, 2),
    "a page as bytes": says("4712"),
    "a page as base64": says("4712"),
    "a page as a file": says("4712", "4712"),
    "a page as PDF": says("4712"),
    "boxes": says(boxes(list(RECTANGLE))),
    "tokens of a picture": charges(10, 1099),
    "embedding": lambda server: None,
}
STEPS = list(GREEN)


def scripted(server: GeminiServer, **other: Script) -> None:
    """All steps, some of them otherwise."""
    for script in {**GREEN, **other}.values():
        script(server)


def breaks(server: GeminiServer) -> None:
    server.says(COUNTED, breaks=2)


#: Five faults at once, each in a step of its own.
FIVE: dict[str, Script] = {
    "store=false": fails(400, "INVALID_ARGUMENT", 'Invalid JSON payload received. Unknown name "store".'),
    "streaming": breaks,
    "two pages in parallel": calls_then_says("8305 4712", 1, 2),
    "a page as PDF": fails(400, "INVALID_ARGUMENT", "The document has no pages."),
    "tokens of a picture": charges(10, 268),
}


def main() -> None:
    """Prints both transcripts."""
    from pagesight.agent.cli import main as pagesight

    os.chdir(tempfile.mkdtemp())
    for other in ({}, FIVE):
        with GeminiServer() as server:
            scripted(server, **other)
            os.environ |= {"GOOGLE_API_KEY": KEY, "GOOGLE_GEMINI_BASE_URL": server.url}
            print("$ pagesight doctor --live", flush=True)
            print(f"exit status {pagesight(['doctor', '--live'])}\n", flush=True)


if __name__ == "__main__":
    main()
