"""Opens a file in the program that the desktop has for it, where there is a desktop."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from pathlib import Path


def open_outside(path: Path) -> None:
    """Opens the file and does not wait; nothing happens without a desktop.

    The program has no part in the terminal: it may be one of text.
    """
    opener = {"darwin": "open", "win32": "explorer"}.get(sys.platform, "xdg-open")
    none = subprocess.DEVNULL
    with suppress(OSError):
        subprocess.Popen([opener, str(path)], stdin=none, stdout=none, stderr=none, start_new_session=True)
