"""An answer as it comes: on a terminal wrapped at words, its citations links that open the page; in a pipe whole."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text

from pagesight.agent.answers.citations import CitationReader

if TYPE_CHECKING:
    from rich.console import Console

_WIDEST = 100
_ITEM = re.compile(r"(?:[-*•]|\d+[.)])$")  # what opens an item of a list; its further lines are set in


class PipedAnswer:
    """Takes the pieces of one answer and writes it when it has ended, so that nothing else stands in a pipe."""

    def __init__(self, write: Callable[[str], None]):
        self._write = write
        self._text = ""

    def feed(self, text: str) -> None:
        """Takes a piece."""
        self._text += text

    def start_again(self) -> None:
        """Drops the pieces so far: they were not the answer."""
        self._text = ""

    def end(self) -> None:
        """Writes the answer."""
        self._write(self._text.rstrip("\n") + "\n")


class TerminalAnswer:
    """Takes the pieces of one answer, each with its citations whole, and writes them word by word on a terminal.

    ``link`` gives a cited page's address, or none. ``documents`` are the names that citations may hold.
    """

    def __init__(self, console: Console, documents: Iterable[str], link: Callable[[str], str | None]):
        self._console = console
        self._reader = CitationReader(documents)
        self._link = link
        self._width = min(console.width, _WIDEST)
        self._word = Text()
        self._space = ""
        self._column = 0
        self._indent = 0

    def feed(self, text: str) -> None:
        """Writes the words that are whole; the last one waits for what follows."""
        done = 0
        for bracket in self._reader.read(text):
            self._plain(text[done : bracket.start])
            address = self._link(bracket.citations[0].label)
            self._word.append(text[bracket.start : bracket.end], Style(color="cyan", link=address))
            done = bracket.end
        self._plain(text[done:])

    def start_again(self) -> None:
        """Ends the line: what was written was not the answer."""
        self.end()

    def end(self) -> None:
        """Writes what is still held back, and ends the line."""
        self._end_word()
        if self._column:
            self._write("\n")
        self._column, self._indent, self._space = 0, 0, ""

    def _plain(self, text: str) -> None:
        for run in re.findall(r"\s+|\S+", text):
            if run.isspace():
                self._end_word()
                self._break(run)
            else:
                self._word.append(run)

    def _end_word(self) -> None:
        if not self._word:
            return
        length = cell_len(self._word.plain)
        if self._column and self._column + len(self._space) + length > self._width:
            self._write("\n" + " " * self._indent)
            self._column = self._indent
        else:
            self._write(self._space)
            self._column += len(self._space)
        if self._column == 0 and _ITEM.match(self._word.plain):
            self._indent = length + 1
        self._write(self._word)
        self._column += length
        self._word, self._space = Text(), ""

    def _break(self, space: str) -> None:
        if "\n" not in space:
            self._space = space
            return
        self._write("\n" * min(space.count("\n"), 2))
        self._column, self._indent, self._space = 0, 0, space.rpartition("\n")[2]

    def _write(self, text: str | Text) -> None:
        self._console.print(text, end="", soft_wrap=True)
