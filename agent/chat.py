"""`pagesight chat`: question after question in one conversation, in the terminal."""

from __future__ import annotations

import contextlib
import sys
import uuid
from typing import TYPE_CHECKING

from pagesight.agent import terminal
from pagesight.agent.asking import stream
from pagesight.indexing.errors import AnswerBlocked, EmptyAnswer, RequestError

if TYPE_CHECKING:
    from langgraph.graph.state import CompiledStateGraph

    from pagesight.indexing import PageIndex

_HELP = """\
Ask anything about the documents. /documents lists them, /new starts a new conversation, /quit or Ctrl-D ends.
Ctrl-C stops an answer."""


def converse(agent: CompiledStateGraph, index: PageIndex) -> None:
    """Reads lines until the input ends: each is a command or a question.

    What another question can mend (a blocked or empty answer, an unknown page) is said and the conversation goes on;
    other errors of pagesight are raised.
    """
    terminal.note(_HELP)
    thread = uuid.uuid4().hex
    while (line := _line()) is not None and line != "/quit":
        if line == "/new":
            thread = uuid.uuid4().hex
        elif line == "/documents":
            terminal.documents(index.documents())
        elif line.startswith("/"):
            terminal.note(_HELP)
        elif line:
            _answer(agent, line, thread)


def _answer(agent: CompiledStateGraph, question: str, thread: str) -> None:
    try:
        terminal.streamed(stream(agent, question, thread_id=thread))
    except KeyboardInterrupt:
        terminal.note("\nstopped")
    except (RequestError, AnswerBlocked, EmptyAnswer) as error:
        terminal.error(str(error))


def _line() -> str | None:
    """The next line without the space around it; None when the input ends. Ctrl-C empties the line."""
    prompt = ""
    if sys.stdin.isatty():
        prompt = "\n> "
        with contextlib.suppress(ImportError):  # gives `input` a history and keys to edit with
            import readline  # noqa: F401
    while True:
        try:
            return input(prompt).strip()
        except KeyboardInterrupt:
            terminal.note("\n/quit or Ctrl-D ends the conversation")
        except EOFError:
            return None
