"""The forms of services that make vectors of pictures and of texts, one page a request: what is sent, what comes back.

Cohere's (https://docs.cohere.com/reference/embed; vLLM has it as ``/v2/embed``), Voyage's
(https://docs.voyageai.com/reference/multimodal-embeddings-api), NVIDIA NIM's and Jina's. All are cut and made 1 again
by who asked.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pagesight.indexing.encoders.remote.http_calls import ServerCalls
from pagesight.indexing.encoders.remote.served import Form

#: The vectors of one page, (n, dim) float32, and the tokens that it was counted as, None if nobody says.
Encoded = tuple[NDArray[np.float32], int | None]


class RequestForm(Protocol):
    """How a service is asked; ``dim`` is None where its usual one is wanted."""

    path: str

    def page(self, model: str, picture: bytes, dim: int | None) -> dict[str, Any]:
        """The request for the vectors of a page's picture, a PNG."""
        ...

    def question(self, model: str, question: str, dim: int | None) -> dict[str, Any]:
        """The request for the vectors of a question."""
        ...

    def vectors(self, answer: dict[str, Any]) -> Any:
        """What an answer holds: a vector, or a list of them. Raises KeyError, IndexError, TypeError."""
        ...


def data_url(picture: bytes) -> str:
    """A PNG as an address that holds it."""
    return f"data:image/png;base64,{base64.b64encode(picture).decode()}"


class _Cohere:
    """Cohere's embed-v4, and vLLM's servers that speak like it."""

    path = "/v2/embed"

    def page(self, model: str, picture: bytes, dim: int | None) -> dict[str, Any]:
        return self._asked(model, "search_document", [self._seen(picture)], dim)

    def question(self, model: str, question: str, dim: int | None) -> dict[str, Any]:
        return self._asked(model, "search_query", [{"type": "text", "text": question}], dim)

    def together(self, model: str, picture: bytes, words: str, dim: int | None) -> dict[str, Any]:
        return self._asked(model, "search_query", [{"type": "text", "text": words}, self._seen(picture)], dim)

    def vectors(self, answer: dict[str, Any]) -> Any:
        (vector,) = answer["embeddings"]["float"]
        return vector

    def _seen(self, picture: bytes) -> dict[str, Any]:
        return {"type": "image_url", "image_url": {"url": data_url(picture)}}

    def _asked(self, model: str, kind: str, parts: list[dict[str, Any]], dim: int | None) -> dict[str, Any]:
        body = {"model": model, "input_type": kind, "inputs": [{"content": parts}], "embedding_types": ["float"]}
        return body | ({"output_dimension": dim} if dim else {})


class _Voyage:
    """voyage-multimodal-3.5; it puts its prompts in by ``input_type``."""

    path = "/v1/multimodalembeddings"

    def page(self, model: str, picture: bytes, dim: int | None) -> dict[str, Any]:
        return self._asked(model, "document", [self._seen(picture)], dim)

    def question(self, model: str, question: str, dim: int | None) -> dict[str, Any]:
        return self._asked(model, "query", [{"type": "text", "text": question}], dim)

    def together(self, model: str, picture: bytes, words: str, dim: int | None) -> dict[str, Any]:
        return self._asked(model, "query", [{"type": "text", "text": words}, self._seen(picture)], dim)

    def vectors(self, answer: dict[str, Any]) -> Any:
        (one,) = answer["data"]
        return one["embedding"]

    def _seen(self, picture: bytes) -> dict[str, Any]:
        return {"type": "image_base64", "image_base64": data_url(picture)}

    def _asked(self, model: str, kind: str, parts: list[dict[str, Any]], dim: int | None) -> dict[str, Any]:
        body = {"model": model, "inputs": [{"content": parts}], "input_type": kind}
        return body | ({"output_dimension": dim} if dim else {})


class _Nim:
    """llama-nemotron-embed-vl behind NVIDIA NIM."""

    path = "/v1/embeddings"

    def page(self, model: str, picture: bytes, dim: int | None) -> dict[str, Any]:
        return self._asked(model, "passage", "image", data_url(picture), dim)

    def question(self, model: str, question: str, dim: int | None) -> dict[str, Any]:
        return self._asked(model, "query", "text", question, dim)

    def vectors(self, answer: dict[str, Any]) -> Any:
        (one,) = answer["data"]
        return one["embedding"]

    def _asked(self, model: str, kind: str, modality: str, content: str, dim: int | None) -> dict[str, Any]:
        body = {"model": model, "input": [content], "input_type": kind, "modality": modality}
        return body | ({"dimensions": dim} if dim else {})


class _Jina:
    """jina-embeddings-v4, with one vector a page or one a token."""

    path = "/v1/embeddings"

    def __init__(self, *, several: bool) -> None:
        self._several = several

    def page(self, model: str, picture: bytes, dim: int | None) -> dict[str, Any]:
        return self._asked(model, "retrieval.passage", {"image": base64.b64encode(picture).decode()}, dim)

    def question(self, model: str, question: str, dim: int | None) -> dict[str, Any]:
        return self._asked(model, "retrieval.query", {"text": question}, dim)

    def vectors(self, answer: dict[str, Any]) -> Any:
        (one,) = answer["data"]
        # The key of several vectors is supposed from the service's examples, and was not seen.
        return one["embeddings"] if self._several and "embeddings" in one else one["embedding"]

    def _asked(self, model: str, task: str, content: dict[str, str], dim: int | None) -> dict[str, Any]:
        body = {"model": model, "task": task, "input": [content], "embedding_type": "float"}
        if self._several:
            return body | {"return_multivector": True}
        return body | ({"dimensions": dim} if dim else {})


def form_of(form: Form, *, several: bool) -> RequestForm:
    """The form of that name, of those with one page a request."""
    if form == "jina":
        return _Jina(several=several)
    forms: dict[str, RequestForm] = {"cohere": _Cohere(), "voyage": _Voyage(), "nim": _Nim()}
    return forms[form]


class FormClient:
    """A service that is asked in one of these forms."""

    pages_at_once = 1

    def __init__(self, calls: ServerCalls, form: RequestForm, model: str, dim: int | None) -> None:
        self._calls, self._form, self._model, self._dim = calls, form, model, dim
        self.prompts: dict[str, str] = {}

    def pages(self, pictures: Sequence[bytes], sizes: Sequence[tuple[int, int]]) -> list[Encoded]:
        """The vectors of a page."""
        (picture,) = pictures
        return [self._ask(self._form.page(self._model, picture, self._dim))]

    def question(self, question: str) -> tuple[Encoded, list[str]]:
        """The vectors of a question, and the token of each where that is known."""
        encoded = self._ask(self._form.question(self._model, question, self._dim))
        count = len(encoded[0])
        return encoded, [question] if count == 1 else [""] * count

    @property
    def picture_and_words(self) -> Callable[[bytes, str], Encoded]:
        """What asks for the vector of a picture and words together; AttributeError where the form has no such thing."""
        together = self._form.together  # type: ignore[attr-defined]
        return lambda picture, words: self._ask(together(self._model, picture, words, self._dim))

    def close(self) -> None:
        """Close the connections."""
        self._calls.close()

    def _ask(self, body: dict[str, Any]) -> Encoded:
        answer = self._calls.post(self._form.path, body)
        try:
            vectors = np.atleast_2d(np.asarray(self._form.vectors(answer), np.float32))
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise self._calls.bad_answer("no vector of what it was sent") from error
        return checked(vectors, self._calls), tokens_of(answer)


def checked(vectors: NDArray[np.float32], calls: ServerCalls) -> NDArray[np.float32]:
    """The vectors, if they are some: (n, dim) finite numbers."""
    if vectors.ndim != 2 or not vectors.size or not np.isfinite(vectors).all():
        raise calls.bad_answer("vectors that are none, or no numbers")
    return vectors


def tokens_of(answer: dict[str, Any]) -> int | None:
    """The tokens that a request was counted as, where an answer says so."""
    usage = answer.get("usage") or (answer.get("meta") or {}).get("billed_units") or {}
    found = [usage.get(name) for name in ("total_tokens", "prompt_tokens", "image_tokens", "input_tokens")]
    return next((int(one) for one in found if isinstance(one, int | float)), None)
