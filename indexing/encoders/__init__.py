"""Page encoders: one interface, one file per family."""

from __future__ import annotations

from typing import Any

from pagesight.indexing.encoders.base import MultiVector, PageEncoder, QueryVectors
from pagesight.indexing.encoders.lexical import LexicalEncoder
from pagesight.indexing.errors import SettingsError

__all__ = ["LexicalEncoder", "MultiVector", "PageEncoder", "QueryVectors", "make_encoder", "reason_for"]

_ENCODERS: dict[str, Any] = {LexicalEncoder.name: LexicalEncoder}


def make_encoder(name: str) -> PageEncoder:
    """The encoder of that name; "auto" is the best that runs here. Raises SettingsError for a name it does not know."""
    chosen = LexicalEncoder.name if name == "auto" else name
    if chosen not in _ENCODERS:
        known = ", ".join(["auto", *_ENCODERS])
        raise SettingsError(
            f"there is no encoder {name!r}. Known are: {known}; set --encoder or PAGESIGHT_ENCODER to one of them."
        )
    encoder: PageEncoder = _ENCODERS[chosen]()
    return encoder


def reason_for(name: str) -> str:
    """Why `make_encoder(name)` takes what it takes, in a line for people."""
    if name == "auto":
        return "lexical: needs no weights, no download and no GPU"
    return f"{name}: asked for by setting"
