"""Gemini's refusals and breakdowns, as pagesight's errors: what happened, why, and what mends it. Never with a key."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from google.genai.errors import APIError, UnknownApiResponseError
from langchain_google_genai.chat_models import ChatGoogleGenerativeAIError
from pydantic import SecretStr

from pagesight.indexing.errors import KeyRefused, ReasonerError

_OFFLINE = "or answer without a language model with PAGESIGHT_REASONER=offline"


@contextmanager
def plain_refusals(key: SecretStr | None) -> Iterator[None]:
    """Within it, what google-genai and its HTTP client raise comes out as KeyRefused or another ReasonerError."""
    try:
        yield
    except (ChatGoogleGenerativeAIError, APIError) as error:
        service = error if isinstance(error, APIError) else error.__cause__
        if not isinstance(service, APIError):
            raise
        raise _refusal(service, key) from error
    except (httpx.TimeoutException, TimeoutError) as error:
        raise ReasonerError(
            f"Gemini did not answer in time: ask again, give it longer with PAGESIGHT_TIMEOUT, {_OFFLINE}"
        ) from error
    except (httpx.HTTPError, UnknownApiResponseError, ConnectionError) as error:
        raise ReasonerError(
            f"the connection to Gemini failed or broke off ({type(error).__name__}): look at the network and at "
            f"GOOGLE_GEMINI_BASE_URL if it is set, ask again, {_OFFLINE}"
        ) from error


def _refusal(error: APIError, key: SecretStr | None) -> ReasonerError:
    said = f"{error.code} {error.status}: {error.message}"
    if key and key.get_secret_value():
        said = said.replace(key.get_secret_value(), "…")
    if _is_about_the_key(error):
        return KeyRefused(
            f"Gemini refused the key ({said}). Set GOOGLE_API_KEY, in the environment or in .env, to a key from "
            f"https://aistudio.google.com/apikey, {_OFFLINE}"
        )
    return ReasonerError(f"Gemini did not answer ({said}). {_advice(error.code)}")


def _is_about_the_key(error: APIError) -> bool:
    """401 always; 403 unless a file is what may not be used; 400 comes with the reason API_KEY_INVALID."""
    if error.code == 403:
        return "file" not in (error.message or "").lower()
    return error.code == 401 or (error.code == 400 and "API_KEY_INVALID" in str(error.details))


def _advice(code: int) -> str:
    if code == 429:
        return f"Its quota is used up for now: wait a little, take another PAGESIGHT_GEMINI_MODEL, {_OFFLINE}"
    if code >= 500:
        return f"The trouble is at its end: ask again in a while, {_OFFLINE}"
    if code == 404:
        return "Look at the name in PAGESIGHT_GEMINI_MODEL or PAGESIGHT_REASONER."
    return "Ask for less at once: fewer pages with PAGESIGHT_IMAGES_PER_CALL, or a new conversation."
