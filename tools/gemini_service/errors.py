"""Gemini's refusals and breakdowns: which of them pass, and each as pagesight's error. Never with a key.

An error says what happened, why, and what corrects it (refusals.py). All that google-genai, LangChain and the HTTP
client below them raise is read here and nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from json import JSONDecodeError
from urllib.parse import urlsplit

from google.auth.exceptions import GoogleAuthError
from google.genai.errors import APIError, UnknownApiResponseError
from pydantic import SecretStr

from pagesight.indexing.calls import asked_waits as waits
from pagesight.indexing.calls.network_errors import network_error
from pagesight.indexing.calls.retries import Attempts, FailedAttempt
from pagesight.indexing.errors import KeyRefused, PagesightError, ReasonerError
from pagesight.tools.gemini_service.refusals import OFFLINE, Refusal, names_a_file, refusal_of

#: An answer that is no JSON, as a page of a proxy is none: google-genai's error for a stream, Python's for one piece.
_UNREADABLE = (UnknownApiResponseError, JSONDecodeError)
_TOLD = 200  # characters of what an error says; a guess, not measured


def attempts_at_gemini(most: int, longest_wait: float) -> Attempts:
    """The attempts at one call of Gemini's service, with waits of ``longest_wait`` seconds at most between them."""
    return Attempts("Gemini", failure_of, most, longest_wait)


def failure_of(error: BaseException) -> FailedAttempt | None:
    """What an error amounts to; None if it is neither the service's nor the network's.

    A server that stays silent is not asked again: that would double the wait.
    """
    said = service_error(error)
    if said is not None:
        return FailedAttempt(f"{said.code} {said.status}", refusal_of(said).passing, asked_wait(error))
    fault = "broken" if is_unreadable(error) else network_error(error)
    return FailedAttempt(type(error).__name__, passing=fault == "broken") if fault else None


@contextmanager
def plain_refusals(key: SecretStr | None, *, vertex: bool = False, address: object = None) -> Iterator[None]:
    """Within it, what google-genai and its HTTP client raise comes out as KeyRefused or another ReasonerError.

    What helps differs where Vertex AI is asked. ``address`` is the one that was set: aiohttp's errors do not hold it.
    """
    try:
        yield
    except Exception as error:
        plain = _plain(error, key, vertex, address)
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
    """The seconds that the service asks to wait: RetryInfo in the error, the header Retry-After, or its words; None
    without any of these."""
    said = service_error(error)
    if said is None:
        return None
    return waits.asked_wait(
        waits.error_details(said.details), getattr(said.response, "headers", None) or {}, said.message or ""
    )


def is_unreadable(error: BaseException) -> bool:
    """Whether an answer came that is none of the service's: not JSON, or cut off within it."""
    return isinstance(error, _UNREADABLE)


def is_about_a_file(error: BaseException) -> bool:
    """Whether the service says that a file of the Files API is gone or may not be used: 403 and 404 look alike."""
    said = service_error(error)
    return said is not None and said.code in (403, 404) and names_a_file(said)


def is_about_a_signature(error: BaseException) -> bool:
    """Whether the service says that a thought signature is not one that it made for this model and key.

    One that is missing is another matter: nothing could be left out.
    """
    said = service_error(error)
    words = (said.message or "").lower() if said is not None and said.code == 400 else ""
    return bool(re.search(r"thought[ _]?signature", words)) and "missing" not in words


def _plain(error: Exception, key: SecretStr | None, vertex: bool, address: object) -> ReasonerError | None:
    """The error in pagesight's words; None for one that is neither the service's nor the network's."""
    if (said := service_error(error)) is not None:
        return _refused(said, key, vertex)
    if isinstance(error, GoogleAuthError):
        return KeyRefused(
            f"Google Cloud gave no credentials for Vertex AI ({_because(error, key)})",
            "run `gcloud auth application-default login`, or unset PAGESIGHT_VERTEX_PROJECT and set GOOGLE_API_KEY, "
            f"{OFFLINE}",
        )
    network, place = network_error(error), _place(error, address)
    if network == "silent":
        return ReasonerError(
            f"Gemini{place} did not answer in time",
            f"ask again, give it longer with PAGESIGHT_TIMEOUT, {OFFLINE}",
        )
    if network == "unusable":
        return ReasonerError(
            f"Gemini{place} cannot be asked ({_because(error, key)})",
            f"write the address in GOOGLE_GEMINI_BASE_URL as https://HOST, or unset it for Google's own, {OFFLINE}",
        )
    if network or is_unreadable(error):
        return ReasonerError(
            f"the connection to Gemini{place} failed or broke off ({_because(error, key)})",
            f"look at the network and at GOOGLE_GEMINI_BASE_URL if it is set, ask again, {OFFLINE}",
        )
    return None


def _place(error: BaseException, address: object) -> str:
    """ " at https://HOST", where the error or who called knows what was asked; never a path, which may hold a key."""
    try:
        asked = urlsplit(str(error.request.url))  # type: ignore[attr-defined]
    except (AttributeError, RuntimeError):  # httpx raises the latter where it has no request
        asked = urlsplit(address if isinstance(address, str) else "")
    return f" at {asked.scheme}://{asked.netloc.rpartition('@')[2]}" if asked.scheme and asked.hostname else ""


def _because(error: BaseException, key: SecretStr | None) -> str:
    """The kind of an error and the first sentence of what it says, such as "[Errno 111] Connection refused"."""
    said = re.split(r"(?<=[.!])\s|\n", str(error).strip(), maxsplit=1)[0].rstrip(".")[:_TOLD]
    kind = type(error).__name__
    return f"{kind}: {said}" if said and not _holds(said, key) else kind


def _refused(error: APIError, key: SecretStr | None, vertex: bool) -> ReasonerError:
    said = f"{error.code} {error.status}: {error.message}"
    if _holds(said, key) and key:
        said = said.replace(key.get_secret_value(), "…")
    refusal = refusal_of(error, vertex=vertex)
    if refusal.of_the_key:
        return KeyRefused(f"{'Vertex AI' if vertex else 'Gemini'} refused {_who(vertex)} ({said})", refusal.fix)
    return ReasonerError(f"Gemini did not answer ({said})", _with_wait(refusal, error))


def _who(vertex: bool) -> str:
    return "the account" if vertex else "the key"


def _with_wait(refusal: Refusal, error: APIError) -> str:
    """What helps, and for a quota that will be free again, after how long."""
    if error.code != 429 or not refusal.passing:
        return refusal.fix
    asked = asked_wait(error)
    wait = "wait a little" if asked is None else f"wait {asked:.0f} s (or set PAGESIGHT_LONGEST_WAIT to as much)"
    return f"its quota is used up for now: {wait}, {refusal.fix}"


def _holds(text: str, key: SecretStr | None) -> bool:
    return bool(key and key.get_secret_value() and key.get_secret_value() in text)
