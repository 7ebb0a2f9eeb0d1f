"""Pictures of pages on the terminal: by kitty's protocol or by Sixel (iTerm2 too); none elsewhere.

Which protocol it has is known by what terminals say of themselves in the environment. Asking the terminal would take
what is typed meanwhile for its reply, and a reply that comes late, as over a slow line, for what is typed.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from PIL import Image

from pagesight.indexing.configuration import environment

if TYPE_CHECKING:
    from rich.console import Console

_EDGE = (128, 128, 128)  # between and around white pages; seen on light and on dark terminals
_LEAST_ROWS = 6
#: Terminals by a variable and its value: those with kitty's placeholders, and those that show Sixel as they come.
_KITTY = {("TERM", "xterm-kitty"), ("TERM", "xterm-ghostty"), ("TERM_PROGRAM", "ghostty")}
_SIXEL = {
    ("TERM_PROGRAM", "iTerm.app"), ("LC_TERMINAL", "iTerm2"), ("TERM_PROGRAM", "WezTerm"), ("TERM", "wezterm"),
    ("TERM_PROGRAM", "mintty"), ("TERM_PROGRAM", "rio"), ("TERM", "foot"), ("TERM", "contour"), ("TERM", "mlterm"),
}  # fmt: skip
#: Terminals within terminals, which keep their pictures to themselves.
_WITHIN = ("screen", "tmux")


class Thumbnails:
    """Shows pictures on a console, where its terminal is known to have a protocol for them."""

    def __init__(self, console: Console, *, wanted: bool = True):
        self._console = console
        self._kind = _kind() if wanted and shows_pictures(console) else None
        self._labels: set[str] = set()

    def __bool__(self) -> bool:
        return self._kind is not None

    def not_shown_yet(self, labels: Sequence[str]) -> list[str]:
        """Those of the pages that were not asked for here before."""
        new = [label for label in labels if label not in self._labels]
        self._labels.update(new)
        return new

    def show(self, pictures: Sequence[Image.Image], rows: int = 12) -> None:
        """Shows pages side by side, at most ``rows`` lines of text high; what does not fit in width is left out."""
        if not self._kind or not pictures:
            return
        rows = max(_LEAST_ROWS, min(rows, self._console.height - _LEAST_ROWS))
        width, fitting = self._console.width - 1, list(pictures)
        while _columns(fitting, rows) > width and len(fitting) > 1:
            fitting.pop()
        # The height follows from the width and the picture's proportions.
        shown = self._kind(side_by_side(fitting), width=min(_columns(fitting, rows), width), height="auto")
        self._console.print(shown, end="")


def side_by_side(pictures: Sequence[Image.Image], *, height: int = 640, gap: int = 12) -> Image.Image:
    """One picture of several, each ``height`` pixels high, with grey between and around them."""
    sizes = [(max(1, round(one.width * height / one.height)), height) for one in pictures]
    scaled = [one.resize(size, Image.Resampling.LANCZOS) for one, size in zip(pictures, sizes, strict=True)]
    sheet = Image.new("RGB", (sum(one.width + gap for one in scaled) + gap, height + 2 * gap), _EDGE)
    left = gap
    for one in scaled:
        sheet.paste(one, (left, gap))
        left += one.width + gap
    return sheet


def shows_pictures(console: Console) -> bool:
    """Whether the console is a terminal with colours."""
    return console.is_terminal and not console.is_dumb_terminal and console.color_system is not None


def _columns(pictures: Sequence[Image.Image], rows: int) -> int:
    """How many columns of text so many rows of pictures take; a row is about as high as two columns are wide."""
    return round(sum(one.width / one.height for one in pictures) * 2 * rows)


def _kind() -> Any:
    """The class of rich's renderables that suits the terminal, or None where it has no protocol for pictures.

    Pages in half-blocks cannot be read.
    """
    said = environment.variables()
    kitty, sixel = _is_one_of(_KITTY, said), _is_one_of(_SIXEL, said) or "KONSOLE_VERSION" in said
    if said.get("TERM", "").startswith(_WITHIN) or not (kitty or sixel) or not _tells_its_pixels():
        return None
    kept = sys.__stdout__
    sys.__stdout__ = None  # type: ignore[misc]  # else the package asks the terminal while it is imported
    try:
        from textual_image.renderable import SixelImage, TGPImage
    finally:
        sys.__stdout__ = kept  # type: ignore[misc]
    return TGPImage if kitty else SixelImage


def _is_one_of(terminals: set[tuple[str, str]], said: Mapping[str, str]) -> bool:
    return any(said.get(variable) == value for variable, value in terminals)


def _tells_its_pixels() -> bool:
    """Whether the size of a cell is known without asking."""
    try:
        from fcntl import ioctl
        from termios import TIOCGWINSZ

        _, _, width, height = struct.unpack("HHHH", ioctl(1, TIOCGWINSZ, bytes(8)))
    except (ImportError, OSError):  # not a Unix, or no terminal
        return False
    return bool(width and height)
