"""Something that moves on stderr while a command works and has nothing to print yet; on a terminal only.

Whatever is printed ends it (see `printing`), so nobody has to remember to.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.live import Live

_shown: Live | None = None


def begin(text: str) -> None:
    """Shows that something is being done, until `end`. With -v the log moves, and nothing is shown."""
    global _shown
    end()
    if not sys.stderr.isatty() or logging.getLogger("pagesight").isEnabledFor(logging.DEBUG):
        return
    from rich.console import Console
    from rich.live import Live
    from rich.spinner import Spinner

    spinner = Spinner("dots", text, style="dim")
    _shown = Live(
        spinner, console=Console(stderr=True, highlight=False), transient=True, refresh_per_second=12.5,
        redirect_stdout=False, redirect_stderr=False,
    )  # fmt: skip
    _shown.start(refresh=True)


def end() -> None:
    """Takes it away again, if it is there."""
    global _shown
    shown, _shown = _shown, None
    if shown:
        shown.stop()
