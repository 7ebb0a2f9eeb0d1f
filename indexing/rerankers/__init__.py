"""Rerankers: models that read the best pages' words beside the question, and say how well each answers it."""

from __future__ import annotations

import threading
from typing import Any

from pagesight.indexing.rerankers.interface import Reranker
from pagesight.indexing.settings import Settings

# Loading takes seconds and gigabytes: a process does it once for all its indexes.
_loaded: dict[tuple[Any, ...], Reranker] = {}
_lock = threading.Lock()


def reranker_of(settings: Settings) -> Reranker | None:
    """The reranker that the settings name, loaded when first asked for; None if they name none.

    Raises EncoderError, SettingsError, MissingExtra.
    """
    name = settings.reranking.rerank
    if name is None:
        return None
    known = (name, settings.reranking.model_dump_json(), settings.encoding.device, settings.encoding.dtype)
    with _lock:
        if known not in _loaded:
            _loaded[known] = _served(name, settings) or _cross_encoder(name, settings)
        return _loaded[known]


def _served(name: str, settings: Settings) -> Reranker | None:
    from pagesight.indexing.rerankers.served import served_reranker  # a client for HTTP, which takes time to load

    return served_reranker(name, settings)


def _cross_encoder(name: str, settings: Settings) -> Reranker:
    from pagesight.indexing.rerankers.cross_encoder import CrossEncoderReranker

    return CrossEncoderReranker(name, settings)
