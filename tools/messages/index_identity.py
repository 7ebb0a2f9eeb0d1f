"""What tells an index from others in messages, wherever its folder stands: a word in it that was drawn once."""

from __future__ import annotations

import hashlib
import re
import secrets
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pagesight.indexing.storage.address import server_address

if TYPE_CHECKING:
    from pagesight.indexing import PageIndex

FILE = "identity"
_IDENTITY = re.compile(r"[0-9a-f]{16}")


def index_identity(index: PageIndex) -> str:
    """16 hex digits. Of an index on a server they are of its address; of a folder that cannot be written, of its path.

    A digest stands for an address, since a conversation is no place for one.
    """
    if server_address(index.place):
        return _digest(index.place)
    file = index.path / FILE
    with suppress(OSError):
        with suppress(FileExistsError), file.open("x") as new:
            new.write(secrets.token_hex(8))
        if _IDENTITY.fullmatch(kept := file.read_text()[:100].strip()):
            return kept
    return _digest(str(Path(index.place).resolve()))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
