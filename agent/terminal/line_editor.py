"""The line that people type: editing, history and completion on a terminal, plain lines from a pipe."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from prompt_toolkit.completion import Completer

HISTORY = "chat-history"


class LineReader:
    """Gives one line after the other. ``history`` is the file that keeps them; None keeps none.

    ``commands`` complete a line that begins with a slash, ``documents`` the word after /document, paths those after
    /index and /export.
    """

    def __init__(self, history: Path | None, commands: Sequence[str], documents: Callable[[], Iterable[str]]):
        self._session: Any = None
        if sys.stdin.isatty():
            self._session = _session(history, _completer(commands, documents))

    def next(self, prompt: str) -> str | None:
        """The next line without the space around it; None at the end of input. Raises KeyboardInterrupt on Ctrl-C."""
        with suppress(EOFError):
            if self._session:
                return str(self._session.prompt(prompt)).strip()
            if line := sys.stdin.readline():
                return line.strip()
        return None


def _session(history: Path | None, completer: Completer) -> Any:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
    from prompt_toolkit.history import FileHistory, InMemoryHistory
    from prompt_toolkit.output import create_output

    return PromptSession(
        history=FileHistory(str(history)) if history else InMemoryHistory(),
        completer=completer,
        complete_while_typing=False,
        auto_suggest=AutoSuggestFromHistory(),
        output=create_output(always_prefer_tty=True),
    )


def _completer(commands: Sequence[str], documents: Callable[[], Iterable[str]]) -> Completer:
    from prompt_toolkit.completion import Completer, Completion, PathCompleter
    from prompt_toolkit.document import Document

    paths = PathCompleter(expanduser=True)

    class OfCommands(Completer):
        """Completes the command, or its argument."""

        def get_completions(self, document: Document, event: Any) -> Iterator[Completion]:
            command, space, argument = document.text_before_cursor.partition(" ")
            if not command.startswith("/"):
                return
            if not space:
                yield from (Completion(name, -len(command)) for name in commands if name.startswith(command))
            elif command == "/document":
                yield from _names(argument, documents())
            elif command in ("/index", "/export"):
                yield from paths.get_completions(Document(argument, len(argument)), event)

    def _names(typed: str, names: Iterable[str]) -> Iterator[Completion]:
        start = typed.casefold()
        return (Completion(name, -len(typed)) for name in names if name.casefold().startswith(start))

    return OfCommands()
