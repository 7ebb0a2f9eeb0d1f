"""Gemini's embedding models, through google-genai: one vector a page, by the key that people have already.

(https://ai.google.dev/gemini-api/docs/embeddings) A picture goes alone, a question with its task in its text. Several
contents in one request are one vector each on the Gemini API; Vertex AI takes one content a request.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from json import JSONDecodeError
from typing import TYPE_CHECKING, Any

import numpy as np

from pagesight.indexing.calls.asked_waits import PASSING, asked_wait, error_details
from pagesight.indexing.calls.deadline import ends_within, without_header
from pagesight.indexing.calls.gemini_jobs import GeminiJobs
from pagesight.indexing.calls.jobs import JobState
from pagesight.indexing.calls.network_errors import network_error
from pagesight.indexing.calls.retries import Attempts, FailedAttempt
from pagesight.indexing.encoders.remote.forms import Encoded
from pagesight.indexing.errors import EncoderError

if TYPE_CHECKING:
    from google.genai import Client, types

    from pagesight.indexing.settings import Settings

_QUESTION = "task: search result | query: "
_PICTURES_A_REQUEST = 6  # the service's limit, as published
#: gemini-embedding-2's form is the same in v1; our other calls speak this version.
_VERSION, _VERTEX_VERSION = "v1beta", "v1beta1"
_TOLD = 300  # letters of what the service says that an error repeats


class _NotThere(EncoderError):
    """The service knows nothing of that name."""


class GeminiClient:
    """A Gemini embedding model; ``address`` None is Google's own. Methods raise EncoderError."""

    def __init__(self, model: str, address: str | None, settings: Settings, dim: int | None) -> None:
        self._model, self._dim, self._settings = model, dim, settings
        self._client = _client(address, settings)
        self.pages_at_once = 1 if settings.gemini.vertex_project else _PICTURES_A_REQUEST
        self.prompts = {"query_prefix": _QUESTION}

    def pages(self, pictures: Sequence[bytes], sizes: Sequence[tuple[int, int]]) -> list[Encoded]:
        """A vector for each picture."""
        from google.genai import types

        parts = [types.Part.from_bytes(data=picture, mime_type="image/png") for picture in pictures]
        return self._embed([types.Content(parts=[part], role="user") for part in parts])

    def question(self, question: str) -> tuple[Encoded, list[str]]:
        """The vector of a question."""
        from google.genai import types

        (encoded,) = self._embed([types.Content(parts=[types.Part(text=f"{_QUESTION}{question}")], role="user")])
        return encoded, [question]

    def picture_and_words(self, picture: bytes, words: str) -> Encoded:
        """The vector of a picture and words: several parts of one content are one vector."""
        from google.genai import types

        seen = types.Part.from_bytes(data=picture, mime_type="image/png")
        (encoded,) = self._embed([types.Content(parts=[types.Part(text=f"{_QUESTION}{words}"), seen], role="user")])
        return encoded

    def jobs(self) -> GeminiJobs[bytes, Encoded]:
        """Its jobs: pictures (PNG) in, a vector for each out."""
        return GeminiJobs(self._client.batches, self._asked, _NotThere, self._begun, _made)

    def _begun(self, called: str, pictures: list[bytes]) -> Any:
        from google.genai import types

        parts = [types.Part.from_bytes(data=picture, mime_type="image/png") for picture in pictures]
        contents: Any = [types.Content(parts=[part], role="user") for part in parts]
        config = types.EmbedContentConfig(output_dimensionality=self._dim)
        source = types.EmbeddingsBatchJobSource(
            inlined_requests=types.EmbedContentBatch(contents=contents, config=config)
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "experimental"
            return self._client.batches.create_embeddings(
                model=self._model, src=source, config={"display_name": called}
            )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _asked(self, ask: Callable[[], Any]) -> Any:
        """What a call gives, tried again where that may help. Raises EncoderError, and `_NotThere` for a 404."""
        reasoning = self._settings.reasoning
        try:
            for attempt in Attempts("Gemini", _failure_of, reasoning.max_retries, reasoning.longest_wait):
                with attempt:
                    return ask()
        except Exception as error:
            if _failure_of(error) is None:
                raise
            if getattr(error, "code", None) == 404:
                raise _NotThere(str(self._error(error))) from None
            raise self._error(error) from None

    def _embed(self, contents: list[types.Content]) -> list[Encoded]:
        from google.genai import types

        config = types.EmbedContentConfig(output_dimensionality=self._dim)
        asked: Any = contents
        answer = self._asked(
            lambda: self._client.models.embed_content(model=self._model, contents=asked, config=config)
        )
        return self._read(answer, len(contents))

    def _read(self, answer: types.EmbedContentResponse, count: int) -> list[Encoded]:
        found = [np.asarray(one.values or [], np.float32)[None] for one in answer.embeddings or []]
        if len(found) != count or any(not one.size or not np.isfinite(one).all() for one in found):
            raise EncoderError(
                f"{self._model} answered with {len(found)} vectors for {count} pages or questions, or with vectors "
                "that are no numbers. Run the same again; what was encoded until now is kept."
            )
        usage = getattr(answer, "usage_metadata", None)
        tokens = getattr(usage, "prompt_token_count", None) or getattr(usage, "total_token_count", None)
        return [(one, round(tokens / count) if tokens else None) for one in found]

    def _error(self, error: Exception) -> EncoderError:
        key = self._settings.gemini.google_api_key
        said = " ".join(str(getattr(error, "message", None) or error).split())[:_TOLD]
        said = said.replace(key.get_secret_value(), "…") if key else said
        code = getattr(error, "code", None)
        tail = {
            400: "Check GOOGLE_API_KEY and --dim.",
            401: "Set GOOGLE_API_KEY to a key of https://aistudio.google.com/apikey.",
            403: "Set GOOGLE_API_KEY to a key that may use this model.",
            429: "Run the same again later; what was encoded until now is kept.",
        }.get(code if isinstance(code, int) else 0, "Run the same again; what was encoded until now is kept.")
        return EncoderError(f"{self._model} could not be asked ({code or type(error).__name__}: {said}). {tail}")


def _made(job: Any) -> JobState[Encoded]:
    """What a job made of each picture."""
    made: list[Encoded | None] = []
    why = ""
    for one in (job.dest.inlined_embed_content_responses if job.dest else None) or []:
        values = one.response.embedding.values if one.response and one.response.embedding else None
        vector = np.asarray(values or [], np.float32)[None]
        if vector.size and np.isfinite(vector).all():
            made.append((vector, one.response.token_count))
        else:
            made.append(None)
            why = str(getattr(one.error, "message", None) or why or "a vector of nothing")[:_TOLD]
    return JobState("done", tuple(made), why)


def _client(address: str | None, settings: Settings) -> Client:
    from google.genai import Client, types

    seconds = settings.encoding.encoder_timeout
    # The service is not told our own limit: a 504 after it would look like its own.
    hooks = {"request": [without_header("X-Server-Timeout")], "response": [ends_within(seconds)]}
    vertex = settings.gemini.vertex_project
    version = _VERTEX_VERSION if vertex else _VERSION
    options = types.HttpOptions(
        base_url=address, timeout=round(seconds * 1000), api_version=version, client_args={"event_hooks": hooks}
    )
    if vertex:
        return Client(vertexai=True, project=vertex, location=settings.gemini.vertex_location, http_options=options)
    key = settings.gemini.google_api_key
    return Client(vertexai=False, api_key=key.get_secret_value() if key else None, http_options=options)


def _failure_of(error: BaseException) -> FailedAttempt | None:
    from google.genai.errors import APIError, UnknownApiResponseError

    if isinstance(error, APIError):
        return FailedAttempt(f"{error.code} {error.status}", error.code in PASSING, _asked_wait(error))
    if isinstance(error, (UnknownApiResponseError, JSONDecodeError)):  # such as a page of a proxy
        return FailedAttempt("an answer that is no JSON", passing=True)
    network = network_error(error)
    return FailedAttempt(type(error).__name__, passing=network == "broken") if network else None


def _asked_wait(error: Any) -> float | None:
    return asked_wait(error_details(error.details), getattr(error.response, "headers", None) or {}, str(error.message))
