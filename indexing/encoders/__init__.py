"""Page encoders: one interface, one file per family. Models and torch are imported when one of them is loaded."""

from __future__ import annotations

from pagesight.indexing.encoders.choice import (
    EncoderChoice,
    choose,
    encoder_code,
    estimate_costs,
    is_called,
    make_encoder,
    note_costs,
    settle_costs,
)
from pagesight.indexing.encoders.interface import PageEncoder
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
    "choose",
    "encoder_code",
    "estimate_costs",
    "is_called",
    "make_encoder",
    "note_costs",
    "refused",
    "remember",
    "runnable",
    "settle_costs",
    "unconfirmed",
]
