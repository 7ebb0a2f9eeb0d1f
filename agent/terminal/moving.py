"""Something that moves on stderr while a command works and has nothing to print yet; on a terminal only.

Whatever is printed ends it (see `printing`), so nobody has to remember to. Written without rich, whose import would
keep it waiting.
"""

from __future__ import annotations

import logging
import sys
import threading

_DOTS = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_ASCII = "|/-\\"
_SECONDS_A_FRAME = 0.1  # a guess, not measured: what the eye takes for movement
_ERASED = "\r\x1b[K"
_shown: _Spinner | None = None


class _Spinner:
    """A line that is redrawn by a thread of its own until it is stopped."""

    def __init__(self, text: str):
        unicode = (sys.stderr.encoding or "").lower().replace("-", "") == "utf8"
        self._frames = _DOTS if unicode else _ASCII
        self._stopped = threading.Event()
        sys.stderr.write(f"\x1b[2m{self._frames[0]} {text}\x1b[0m")
        sys.stderr.flush()
        self._thread = threading.Thread(target=self._turn, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()
        sys.stderr.write(_ERASED)
        sys.stderr.flush()

    def _turn(self) -> None:
        turned = 0
        while not self._stopped.wait(_SECONDS_A_FRAME):
            turned += 1
            sys.stderr.write(f"\r\x1b[2m{self._frames[turned % len(self._frames)]}\x1b[0m")
            sys.stderr.flush()


def begin(text: str) -> None:
    """Shows that something is being done, in a few words, until `end`. With -v the log moves, and nothing is shown."""
    global _shown
    end()
    # Windows' older consoles show what should steer them.
    if (
        sys.stderr.isatty()
        and sys.platform != "win32"
        and not logging.getLogger("pagesight").isEnabledFor(logging.DEBUG)
    ):
        _shown = _Spinner(text)


def end() -> None:
    """Takes it away again, if it is there."""
    global _shown
    shown, _shown = _shown, None
    if shown:
        shown.stop()
