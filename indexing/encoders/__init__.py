"""Page encoders: one interface, one file per family. Models and torch are imported when one of them is loaded."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pagesight.indexing.encoders.choice import (
        EncoderChoice,
        choose,
        estimate_costs,
        is_called,
        lacking,
        make_encoder,
        paid_encoders,
    )
    from pagesight.indexing.encoders.interface import PageEncoder
    from pagesight.indexing.encoders.journey_calls import (
        begin_pages,
        encoder_code,
        foresee,
        note_costs,
        pages_ahead,
        settle_costs,
    )
    from pagesight.indexing.encoders.known_model import KnownModel, runnable
    from pagesight.indexing.encoders.lexical import LexicalEncoder
    from pagesight.indexing.encoders.registry import KNOWN
    from pagesight.indexing.encoders.trust import EncoderCode, refused, remember, unconfirmed
    from pagesight.indexing.vectors.multivector import MultiVector, QueryVectors

__all__ = [
    "KNOWN",
    "EncoderChoice",
    "EncoderCode",
    "KnownModel",
    "LexicalEncoder",
    "MultiVector",
    "PageEncoder",
    "QueryVectors",
    "begin_pages",
    "choose",
    "encoder_code",
    "estimate_costs",
    "foresee",
    "is_called",
    "lacking",
    "make_encoder",
    "note_costs",
    "pages_ahead",
    "paid_encoders",
    "refused",
    "remember",
    "runnable",
    "settle_costs",
    "unconfirmed",
]

_NAMES = {
    "encoders.choice": "EncoderChoice choose estimate_costs is_called lacking make_encoder paid_encoders",
    "encoders.interface": "PageEncoder",
    "encoders.journey_calls": "begin_pages encoder_code foresee note_costs pages_ahead settle_costs",
    "encoders.known_model": "KnownModel runnable",
    "encoders.lexical": "LexicalEncoder",
    "encoders.registry": "KNOWN",
    "encoders.trust": "EncoderCode refused remember unconfirmed",
    "vectors.multivector": "MultiVector QueryVectors",
}
_HOMES = {name: module for module, names in _NAMES.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    # Loaded when first used: the processes that read documents need of this package only how messages are written.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"pagesight.indexing.{_HOMES[name]}"), name)
