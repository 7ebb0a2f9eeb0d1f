"""Gemini's refusals and breakdowns: which of them pass, and each as pagesight's error. Never with a key.

An error says what happened, why, and what corrects it. All that google-genai, LangChain and the HTTP client below them
raise is read here and nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from google.auth.exceptions import GoogleAuthError
from google.genai.errors import APIError, UnknownApiResponseError
from pydantic import SecretStr

from pagesight.indexing.calls.network_errors import network_error
from pagesight.indexing.calls.retries import Attempts, FailedAttempt, retry_after
from pagesight.indexing.errors import KeyRefused, PagesightError, ReasonerError

#: Statuses after which the same request may succeed (https://ai.google.dev/gemini-api/docs/troubleshooting).
_PASSING = {408, 429, 500, 502, 503, 504}
_OFFLINE = "or answer without a language model with PAGESIGHT_REASONER=offline"


def attempts_at_gemini(most: int, longest_wait: float) -> Attempts:
    """The attempts at one call of Gemini's service, with waits of ``longest_wait`` seconds at most between them."""
    return Attempts("Gemini", failure_of, most, longest_wait)


def failure_of(error: BaseException) -> FailedAttempt | None:
    """What an error amounts to; None if it is neither the service's nor the network's.

    A server that stays silent is not asked again: that would double the wait.
    """
    said = service_error(error)
    if said is not None:
        return FailedAttempt(f"{said.code} {said.status}", said.code in _PASSING, asked_wait(error))
    network = network_error(error)
    return FailedAttempt(type(error).__name__, passing=network == "broken") if network else None


@contextmanager
def plain_refusals(key: SecretStr | None) -> Iterator[None]:
    """Within it, what google-genai and its HTTP client raise comes out as KeyRefused or another ReasonerError."""
    try:
        yield
    except Exception as error:
        plain = _plain(error, key)
        if plain is None:
            raise
        # A service may repeat the key that it refuses: then the cause, whose text holds it, does not go along.
        raise plain from (None if _holds(str(error), key) else error)


def service_error(error: BaseException) -> APIError | None:
    """What the service said, if it said anything: google-genai's error, also below LangChain's."""
    if isinstance(error, PagesightError):
        return None
    said = error if isinstance(error, APIError) else error.__cause__
    return said if isinstance(said, APIError) else None


def asked_wait(error: BaseException) -> float | None:
    """The seconds that the service asks to wait: RetryInfo in the error, or the header Retry-After; None without."""
    said = service_error(error)
    if said is None:
        return None
    for detail in _details(said):
        delay = str(detail.get("retryDelay", ""))
        if delay.endswith("s") and delay[:-1].replace(".", "", 1).isdigit():
            return float(delay[:-1])
    return retry_after(getattr(said.response, "headers", None) or {})


def is_about_a_file(error: BaseException) -> bool:
    """Whether the service says that a file of the Files API is gone or may not be used: 403 and 404 look alike."""
    said = service_error(error)
    return said is not None and said.code in (403, 404) and _names_a_file(said)


def is_about_a_signature(error: BaseException) -> bool:
    """Whether the service says that a thought signature is not one that it made for this model and key."""
    said = service_error(error)
    return said is not None and said.code == 400 and "corrupted thought signature" in (said.message or "").lower()


def _plain(error: Exception, key: SecretStr | None) -> ReasonerError | None:
    """The error in pagesight's words; None for one that is neither the service's nor the network's."""
    if (said := service_error(error)) is not None:
        return _refusal(said, key)
    if isinstance(error, GoogleAuthError):
        return KeyRefused(
            f"Google Cloud gave no credentials for Vertex AI ({type(error).__name__}): run `gcloud auth "
            f"application-default login`, or unset PAGESIGHT_VERTEX_PROJECT and set GOOGLE_API_KEY, {_OFFLINE}"
        )
    network = network_error(error)
    if network == "silent":
        return ReasonerError(
            f"Gemini did not answer in time: ask again, give it longer with PAGESIGHT_TIMEOUT, {_OFFLINE}"
        )
    if network or isinstance(error, UnknownApiResponseError):
        return ReasonerError(
            f"the connection to Gemini failed or broke off ({type(error).__name__}): look at the network and at "
            f"GOOGLE_GEMINI_BASE_URL if it is set, ask again, {_OFFLINE}"
        )
    return None


def _details(error: APIError) -> list[dict[str, str]]:
    body = error.details if isinstance(error.details, dict) else {}
    inner = body.get("error", body)
    details = inner.get("details", []) if isinstance(inner, dict) else []
    return [detail for detail in details if isinstance(detail, dict)]


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
