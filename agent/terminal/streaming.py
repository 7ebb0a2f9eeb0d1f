"""An answer as it comes: on a terminal its Markdown drawn, its citations links that open the page; in a pipe whole."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from rich.live import Live
from rich.segment import Segment, Segments

from pagesight.agent.answers.citations import CitationReader

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from pagesight.indexing.labels.document_names import Names

_WIDEST = 100
_FRAMES_A_SECOND = 8  # a guess, not measured: each reads the whole text again


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
        """Writes the answer, if there is one."""
        if self._text.strip():
            self._write(self._text.rstrip("\n") + "\n")
        self._text = ""


class TerminalAnswer:
    """Takes the pieces of one answer, each with its citations whole, and draws its Markdown on a terminal as it comes.

    While it comes, what fits the terminal of its end is shown, redrawn as it grows; once it has ended it stands there
    whole. ``link`` gives a cited page's address, or none. ``documents`` are the names that citations may hold.
    """

    def __init__(self, console: Console, documents: Names, link: Callable[[str], str | None]):
        # A pipe has no use for what draws Markdown, a hundred modules.
        from pagesight.agent.terminal.drawn_markdown import THEME, DrawnMarkdown

        console.push_theme(THEME)
        self._console = console
        self._drawn = DrawnMarkdown
        self._reader = CitationReader(documents)
        self._link = link
        self._width = min(console.width, _WIDEST)
        self._text = ""
        self._live: Live | None = None

    def feed(self, text: str) -> None:
        """Takes a piece, and shows it with those before."""
        self._text += text
        if not self._live:
            self._live = Live(
                get_renderable=self._tail, console=self._console, transient=True, redirect_stdout=False,
                redirect_stderr=False, refresh_per_second=_FRAMES_A_SECOND, vertical_overflow="crop",
            )  # fmt: skip
            self._live.start()

    def start_again(self) -> None:
        """Takes away what was shown: it was not the answer."""
        self._stop()
        self._text = ""

    def end(self) -> None:
        """Draws the whole answer."""
        self._stop()
        if self._text.strip():
            self._console.print(_joined([*_without_empty_end(self._lines()), []]), soft_wrap=True)
        self._text = ""

    def _stop(self) -> None:
        if self._live:
            self._live.stop()
            self._live = None

    def _tail(self) -> RenderableType:
        """The last lines of what has come, as many as the terminal holds."""
        return _joined(self._lines()[-max(1, self._console.height - 1) :])

    def _lines(self) -> list[list[Segment]]:
        drawn = self._drawn(self._text, self._reader, self._link)
        options = self._console.options.update(width=self._width, height=None)
        return [_without_padding(line) for line in self._console.render_lines(drawn, options, pad=False)]


def _without_padding(line: list[Segment]) -> list[Segment]:
    """The line without the blanks at its end, which a narrower window would wrap."""
    while line and not line[-1].text.strip():
        line = line[:-1]
    return [*line[:-1], Segment(line[-1].text.rstrip(), *line[-1][1:])] if line else line


def _without_empty_end(lines: list[list[Segment]]) -> list[list[Segment]]:
    """The lines without the empty ones below a table."""
    while lines and not lines[-1]:
        lines = lines[:-1]
    return lines


def _joined(lines: list[list[Segment]]) -> Segments:
    return Segments([segment for line in lines for segment in (*line, Segment.line())][:-1])
