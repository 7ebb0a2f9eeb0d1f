"""Where the index is, and whether there is one: read without the settings, whose library takes a third of a second.

So that "there is no index" is said at once. `load_settings` remains what decides: what this cannot read, it leaves.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from pagesight.indexing.errors import IndexMissing

DEFAULT = ".pagesight"
_VARIABLE = "PAGESIGHT_INDEX"


def refuse_missing(place: str | None) -> None:
    """Raises IndexMissing where a folder, by default the one that is set, holds no index; an address is left alone."""
    place = place or configured_place()
    if place is not None and not re.match(r"https?:/", place, re.IGNORECASE):
        path = Path(place).expanduser().resolve()
        if not holds_index(path):
            raise index_missing(path)


def configured_place() -> str | None:
    """The index's place by the environment, `.env` or the default, as `Settings.index` has it; None if unreadable."""
    for name, value in os.environ.items():
        if name.upper() == _VARIABLE and value:
            return value
    if not Path(".env").is_file():
        return DEFAULT
    from dotenv import dotenv_values

    try:
        noted = dotenv_values(".env", encoding="utf-8")
    except (OSError, ValueError):
        return None
    return next((value for name, value in noted.items() if name.upper() == _VARIABLE and value), DEFAULT)


def holds_index(path: Path) -> bool:
    """Whether there is an index in the folder."""
    return (path / "index.json").is_file()


def index_missing(path: Path) -> IndexMissing:
    """The error for a folder without an index."""
    return IndexMissing(
        f"there is no index in {path}. Make one with `pagesight index PATH… --index {path}`, or name another with "
        "--index."
    )
