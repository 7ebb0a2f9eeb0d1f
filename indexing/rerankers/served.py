"""Rerankers behind HTTP: Cohere's, Voyage's and Jina's services, and any server with their form, as vLLM is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import SecretStr

from pagesight.indexing.calls.destinations import refuse_address_from_dotenv, refuse_unconfirmed
from pagesight.indexing.encoders.remote.http_calls import ServerCalls
from pagesight.indexing.encoders.remote.served import read_served
from pagesight.indexing.encoders.roles import RERANKER
from pagesight.indexing.errors import SettingsError
from pagesight.indexing.settings import Settings, variables_of

# All take a model, a query and documents. vLLM refuses texts that are too long unless it is told to cut them.
_PATHS = {"vllm": "/v1/rerank", "cohere": "/v2/rerank", "voyage": "/v1/rerank", "jina": "/v1/rerank"}
_MORE = {"vllm": {"truncate_prompt_tokens": -1}}
_LONGEST = 20_000  # characters of a page that are sent; a guess, not measured


@dataclass(frozen=True)
class _Service:
    """A service's form and address; ``key`` is the flat name of the setting with its key, which goes there alone."""

    form: str
    address: str
    key: str


_COHERE = _Service("cohere", "https://api.cohere.com", "cohere_api_key")
_VOYAGE = _Service("voyage", "https://api.voyageai.com", "voyage_api_key")
_JINA = _Service("jina", "https://api.jina.ai", "jina_api_key")
#: Names, addresses and forms as published by each service until November 2026.
SERVICES = {
    "rerank-v4.0-pro": _COHERE,
    "rerank-v4.0-fast": _COHERE,
    "rerank-2.5": _VOYAGE,
    "rerank-2.5-lite": _VOYAGE,
    "jina-reranker-v3": _JINA,
    "jina-reranker-v2-base-multilingual": _JINA,
}


class ServedReranker:
    """A model behind HTTP; see `pagesight.indexing.rerankers.interface.Reranker`."""

    def __init__(self, name: str, model: str, form: str, calls: ServerCalls) -> None:
        self.name = name
        self._model, self._form, self._calls = model, form, calls

    def scores(self, question: str, texts: Sequence[str]) -> NDArray[np.float32]:
        """How well each text answers the question, (texts,) from 0 to 1; what is beyond is cut to it."""
        body = {"model": self._model, "query": question, "documents": [text[:_LONGEST] for text in texts]}
        answer = self._calls.post(_PATHS[self._form], body | _MORE.get(self._form, {}))
        found = np.full(len(texts), np.nan, np.float32)
        try:
            for one in _results(answer):
                place = int(one["index"])
                if not 0 <= place < len(texts):
                    raise IndexError(place)
                found[place] = float(one["relevance_score"])
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise self._calls.bad_answer("no scores of the texts that it was sent") from error
        if np.isnan(found).any():
            raise self._calls.bad_answer("no score of some of the texts that it was sent")
        return np.clip(found, 0, 1)


def served_reranker(setting: str, settings: Settings) -> ServedReranker | None:
    """The reranker behind HTTP that a setting names; None if it names none. Nothing is asked yet.

    Known are names of services, ``MODEL@URL`` and ``MODEL@FORM+URL``. Raises SettingsError for a bad address, and
    without a key that is needed.
    """
    if service := SERVICES.get(setting):
        key = getattr(settings.encoding, service.key)
        if not key:
            raise SettingsError(f"{setting} needs a key: set {variables_of(service.key)[0]}.")
        return ServedReranker(setting, setting, service.form, _calls(service.address, key, settings))
    served = read_served(setting)
    if served is None or served.address is None:
        return None
    if served.form not in _PATHS:
        raise SettingsError(f"{served.form} has no rerankers: in {setting!r} take one of {', '.join(_PATHS)}.")
    key = settings.reranking.rerank_key
    if key:
        refuse_address_from_dotenv(settings, "rerank", ["rerank_key"])
    refuse_unconfirmed(settings, "rerank")
    return ServedReranker(setting, served.model, served.form, _calls(served.address, key, settings))


def _calls(address: str, key: SecretStr | None, settings: Settings) -> ServerCalls:
    return ServerCalls(
        address,
        key,
        timeout=settings.reasoning.timeout,
        attempts=settings.reasoning.max_retries,
        longest_wait=settings.reasoning.longest_wait,
        at_once=settings.encoding.encoder_requests,
        role=RERANKER,
    )


def _results(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """The list of scores, which Voyage calls by another name."""
    return list(answer["results"] if "results" in answer else answer["data"])
