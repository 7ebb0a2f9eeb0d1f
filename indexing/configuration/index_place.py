"""Where the index is, and whether there is one: read without the settings, whose library takes a third of a second.

So that "there is no index" is said at once. `load_settings` remains what decides: what this cannot read, it leaves.
"""

from __future__ import annotations

import re
from pathlib import Path

from pagesight.indexing.configuration import environment
from pagesight.indexing.errors import IndexMissing

DEFAULT = ".pagesight"
_VARIABLE = "PAGESIGHT_INDEX"
# Ours that take any text, so that none of their values is an error that would have to be said first.
_ANY_TEXT = {_VARIABLE, "PAGESIGHT_REASONER", "PAGESIGHT_GEMINI_MODEL", "PAGESIGHT_ENCODER", "PAGESIGHT_REVISION"}


def refuse_missing(place: str | None) -> None:
    """Raises IndexMissing where a folder, by default the one that is set, holds no index; an address is left alone."""
    place = place or configured_place()
    if place is not None and not re.match(r"https?:/", place, re.IGNORECASE):
        path = Path(place).expanduser().resolve()
        if not holds_index(path):
            raise index_missing(path)


def configured_place() -> str | None:
    """The index's place by the environment, `.env` or the default, as `Settings.index` has it; None if unreadable."""
    noted = _noted()
    return None if noted is None else noted.get(_VARIABLE, DEFAULT)


def settings_need_no_check() -> bool:
    """Whether no setting of ours is set that could be unusable: that is said before that there is no index."""
    noted = _noted()
    return noted is not None and all(name in _ANY_TEXT for name in noted if name.startswith("PAGESIGHT_"))


def _noted() -> dict[str, str] | None:
    """The variables of `.env` and, before them, of the environment; None if the file cannot be read."""
    noted: dict[str, str] = {}
    if (file := Path(".env")).is_file():
        try:
            noted = environment.of_dotenv(file)
        except (OSError, ValueError):
            return None
    return {name.upper(): value for name, value in (*noted.items(), *environment.variables().items()) if value}


def holds_index(path: Path) -> bool:
    """Whether there is an index in the folder, whole or not: one that has documents is no new folder."""
    named = any((path / name).is_file() for name in ("index.json", "index.backup.json"))
    return named or any(next((path / name).glob("*"), None) for name in ("pages", "multivectors"))


def index_missing(path: Path) -> IndexMissing:
    """The error for a folder without an index."""
    return IndexMissing(
        f"there is no index in {path}. Make one with `pagesight index PATH… --index {path}`, or name another with "
        "--index."
    )
