"""What everything printed goes through: results on stdout, all else (steps, progress, errors) on stderr.

Text from documents and models is untrusted: control characters, which could steer the terminal, are taken out.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pagesight.agent.terminal import moving
from pagesight.indexing.errors import IndexWarning

if TYPE_CHECKING:
    from rich.console import Console

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_WIDTH_OF_A_FILE = 160
_OURS = logging.getLogger("pagesight")


def use_any_encoding() -> None:
    """Lets stdout and stderr write a ? for what their encoding lacks, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if reconfigure := getattr(stream, "reconfigure", None):
            reconfigure(errors="replace")


def quieten_milvus() -> None:
    """Keeps its client from logging to stderr what it also raises."""
    logging.getLogger("pymilvus").setLevel(logging.CRITICAL + 1)


@contextmanager
def warnings_as_lines() -> Iterator[None]:
    """Within it, what of an index cannot be used and is left out is said in a line; other warnings are Python's."""
    with warnings.catch_warnings():
        usual = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *where: Any) -> None:
            if issubclass(category, IndexWarning):
                note(f"warning: {message}")
            else:
                usual(message, category, *where)

        warnings.showwarning = show  # type: ignore[assignment]
        yield


def log_to_stderr() -> None:
    """Shows on stderr what pagesight logs of its stages, each with its figures, until :func:`end_log`."""
    end_log()
    handler = logging.StreamHandler()
    handler.setFormatter(_LogLines("%(relativeCreated)7.0f ms  %(name)s: %(message)s"))
    _OURS.addHandler(handler)
    _OURS.setLevel(logging.DEBUG)


def end_log() -> None:
    """Shows no more of the log: a program that runs a command within it has its own stderr back afterwards."""
    for handler in [one for one in _OURS.handlers if isinstance(one.formatter, _LogLines)]:
        _OURS.removeHandler(handler)
        _OURS.setLevel(logging.NOTSET)


class _LogLines(logging.Formatter):
    """Lines of a log that cannot steer the terminal, whatever was logged."""

    def format(self, record: logging.LogRecord) -> str:
        return printable(super().format(record)).replace("pagesight.", "", 1)


def printable(text: str) -> str:
    """The text without control characters but line breaks and tabs."""
    return _CONTROL.sub("", text)


def write(text: str) -> None:
    """A piece of a result, at once and without a line break."""
    moving.end()
    sys.stdout.write(printable(text))
    sys.stdout.flush()


def write_json(result: Any) -> None:
    """A result for programs."""
    moving.end()
    unicode = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    sys.stdout.write(json.dumps(result, indent=2, ensure_ascii=not unicode) + "\n")


def gap() -> None:
    """An empty line between the turns of a chat, on a terminal."""
    if sys.stderr.isatty():
        console(stderr=True).print()


def note(text: str, mark: str = "") -> None:
    """A quiet line on the way; with a mark before it, below which nothing stands when the line is wrapped."""
    screen = console(stderr=True)
    if mark and screen.is_terminal:
        from rich.table import Table

        lines = Table.grid(padding=(0, 1))
        lines.add_column(no_wrap=True)
        lines.add_column(overflow="fold")
        lines.add_row(mark, printable(text))
        screen.print(lines, style="dim")
    else:
        line = f"{mark} {text}" if mark else text
        screen.print(printable(line), style="dim", soft_wrap=not screen.is_terminal)


def error(text: str) -> None:
    """What failed: one line in a pipe, wrapped at words on a terminal."""
    message = f"error: {' '.join(printable(text).split())}"
    if sys.stderr.isatty():
        console(stderr=True).print(message, style="red")
    else:  # without rich, which takes longer to import than some errors take to find
        moving.end()
        sys.stderr.write(message + "\n")


def console(stderr: bool = False) -> Console:
    """The console for stdout or stderr; wide when it is a file. Ends what moves."""
    moving.end()
    from rich.console import Console

    terminal = (sys.stderr if stderr else sys.stdout).isatty()
    return Console(
        stderr=stderr, width=None if terminal else _WIDTH_OF_A_FILE, highlight=False, markup=False, emoji=False
    )


def short(path: Path) -> Path:
    """The path as it is seen from here."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def counted(number: int, noun: str) -> str:
    """The number with its noun, in the plural but for one."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
