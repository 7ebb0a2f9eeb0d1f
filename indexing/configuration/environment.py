"""The environment and `.env`: nothing else in pagesight reads them, or knows where the user's own folders are.

Light, so that what needs no settings, whose library takes a third of a second, does without them.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

_lock = threading.RLock()


def variables() -> Mapping[str, str]:
    """The variables of the environment, by name."""
    return os.environ


def of_dotenv(path: Path) -> dict[str, str]:
    """The variables of a file like `.env` that are set to something, as they are written: no ${VARIABLE} is put in.

    Raises OSError, and ValueError for a file that is not UTF-8.
    """
    from dotenv import dotenv_values

    noted = dotenv_values(path, encoding="utf-8", interpolate=False)
    return {name: value for name, value in noted.items() if value}


@contextmanager
def set_to(**variables: str | None) -> Iterator[None]:
    """Sets variables of the environment inside the block, None takes one away.

    For packages that read some while they are imported, and for processes that must not have all. One thread at a time:
    two at once would leave behind what the other had set.
    """
    with _lock:
        before = {name: os.environ.get(name) for name in variables}
        _set(variables)
        try:
            yield
        finally:
            _set(before)


def _set(variables: dict[str, str | None]) -> None:
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def state_folder() -> Path:
    """The user's own folder for what pagesight notes outside of indexes; it need not be there yet.

    $XDG_STATE_HOME/pagesight, by default ~/.local/state/pagesight; on Windows in %LOCALAPPDATA%, on macOS in
    ~/Library/Application Support.
    """
    if set_to := os.environ.get("XDG_STATE_HOME"):
        return Path(set_to) / "pagesight"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "pagesight"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "pagesight"
    return Path.home() / ".local" / "state" / "pagesight"


def cache_folder() -> Path:
    """The user's own folder for what pagesight can make again; it need not be there yet.

    $XDG_CACHE_HOME/pagesight, by default ~/.cache/pagesight; on Windows in %LOCALAPPDATA%, on macOS in
    ~/Library/Caches.
    """
    if set_to := os.environ.get("XDG_CACHE_HOME"):
        return Path(set_to) / "pagesight"
    if sys.platform == "win32":
        return state_folder() / "cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "pagesight"
    return Path.home() / ".cache" / "pagesight"
