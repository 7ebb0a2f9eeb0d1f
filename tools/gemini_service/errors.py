"""Gemini's refusals and breakdowns, as pagesight's errors: what happened, why, and what mends it. Never with a key."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from google.auth.exceptions import GoogleAuthError
from google.genai.errors import APIError, UnknownApiResponseError
from langchain_google_genai.chat_models import ChatGoogleGenerativeAIError
from pydantic import SecretStr

from pagesight.indexing.calls.retries import asked_wait, service_error
from pagesight.indexing.errors import KeyRefused, ReasonerError

_OFFLINE = "or answer without a language model with PAGESIGHT_REASONER=offline"


@contextmanager
def plain_refusals(key: SecretStr | None) -> Iterator[None]:
    """Within it, what google-genai and its HTTP client raise comes out as KeyRefused or another ReasonerError."""
    try:
        yield
    except (ChatGoogleGenerativeAIError, APIError) as error:
        service = service_error(error)
        if service is None:
            raise
        # A service may repeat the key that it refuses: then the cause, whose text holds it, does not go along.
        raise _refusal(service, key) from (None if _holds(str(error), key) else error)
    except (httpx.TimeoutException, TimeoutError) as error:
        raise ReasonerError(
            f"Gemini did not answer in time: ask again, give it longer with PAGESIGHT_TIMEOUT, {_OFFLINE}"
        ) from error
    except (httpx.HTTPError, UnknownApiResponseError, ConnectionError) as error:
        raise ReasonerError(
            f"the connection to Gemini failed or broke off ({type(error).__name__}): look at the network and at "
            f"GOOGLE_GEMINI_BASE_URL if it is set, ask again, {_OFFLINE}"
        ) from error
    except GoogleAuthError as error:
        raise KeyRefused(
            f"Google Cloud gave no credentials for Vertex AI ({type(error).__name__}): run `gcloud auth "
            f"application-default login`, or unset PAGESIGHT_VERTEX_PROJECT and set GOOGLE_API_KEY, {_OFFLINE}"
        ) from error


def is_about_a_file(error: BaseException) -> bool:
    """Whether the service says that a file of the Files API is gone or may not be used: 403 and 404 look alike."""
    said = service_error(error)
    return said is not None and said.code in (403, 404) and _names_a_file(said)


def _names_a_file(error: APIError) -> bool:
    return re.search(r"\bfiles?\b", error.message or "", re.IGNORECASE) is not None


def _refusal(error: APIError, key: SecretStr | None) -> ReasonerError:
    said = f"{error.code} {error.status}: {error.message}"
    if _holds(said, key) and key:
        said = said.replace(key.get_secret_value(), "…")
    if _is_about_the_key(error):
        return KeyRefused(
            f"Gemini refused the key ({said}). Set GOOGLE_API_KEY, in the environment or in .env, to a key from "
            f"https://aistudio.google.com/apikey, {_OFFLINE}"
        )
    return ReasonerError(f"Gemini did not answer ({said}). {_advice(error)}")


def _holds(text: str, key: SecretStr | None) -> bool:
    return bool(key and key.get_secret_value() and key.get_secret_value() in text)


def _is_about_the_key(error: APIError) -> bool:
    """401 always; 403 unless a file is what may not be used; 400 comes with the reason API_KEY_INVALID."""
    if error.code == 403:
        return not _names_a_file(error)
    return error.code == 401 or (error.code == 400 and "API_KEY_INVALID" in str(error.details))


def _advice(error: APIError) -> str:
    if error.code == 429:
        asked = asked_wait(error)
        wait = "wait a little" if asked is None else f"wait {asked:.0f} s (or set PAGESIGHT_LONGEST_WAIT to as much)"
        return f"Its quota is used up for now: {wait}, take another PAGESIGHT_GEMINI_MODEL, {_OFFLINE}"
    if error.code >= 500:
        return f"The trouble is at its end: ask again in a while, {_OFFLINE}"
    if _names_a_file(error) and error.code in (403, 404):
        return "An uploaded page is gone: ask again, or send pages with the request by PAGESIGHT_TRANSPORT=bytes."
    if error.code == 404:
        return "Look at the name in PAGESIGHT_GEMINI_MODEL or PAGESIGHT_REASONER."
    return "Ask for less at once: fewer pages with PAGESIGHT_IMAGES_PER_CALL, or a new conversation."
