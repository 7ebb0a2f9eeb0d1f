"""How often something is asked of Gemini's service again, and how long to wait before: as long as the service says."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx
from google.genai.errors import APIError
from langchain_google_genai.chat_models import ChatGoogleGenerativeAIError

from pagesight.indexing.calls.progress import tell

#: What a request can fail with: the service's refusals, as google-genai and as LangChain raise them, and the network's.
FAILURES = (APIError, ChatGoogleGenerativeAIError, httpx.TransportError)

_PASSING = {408, 429, 500, 502, 503, 504}
#: Seconds before the second attempt where the service does not say; twice that before the third, and so on.
_FIRST_WAIT = 1.0


class Patience:
    """The attempts at one request: ``attempts`` in all, ``longest`` seconds of waiting between two at most."""

    def __init__(self, attempts: int, longest: float):
        self._attempts = attempts
        self._longest = longest
        self._made = 1

    def wait(self, error: Exception) -> float:
        """Seconds to wait before the next attempt, told to whoever follows. Raises ``error`` if another is no use."""
        asked = asked_wait(error)
        seconds = asked if asked is not None else _FIRST_WAIT * 2 ** (self._made - 1) * random.uniform(0.8, 1.2)
        if self._made >= self._attempts or not _passes(error) or seconds > self._longest:
            raise error
        self._made += 1
        told = "asks to wait" if asked is not None else "failed: waiting"
        tell("waits", text=f"Gemini {told} {seconds:.0f} s ({_name(error)}), attempt {self._made} of {self._attempts}")
        return seconds


def service_error(error: BaseException) -> APIError | None:
    """What the service said, if it said anything."""
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
    return _retry_after(getattr(said.response, "headers", None) or {})


def _details(error: APIError) -> list[dict[str, str]]:
    body = error.details if isinstance(error.details, dict) else {}
    inner = body.get("error", body)
    details = inner.get("details", []) if isinstance(inner, dict) else []
    return [detail for detail in details if isinstance(detail, dict)]


def _retry_after(headers: dict[str, str] | httpx.Headers) -> float | None:
    """The header's seconds, which stand there as such or as the date until which to wait."""
    value = headers.get("retry-after") or headers.get("Retry-After") or ""
    if value.strip().isdigit():
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None


def _passes(error: Exception) -> bool:
    """Whether the same request may succeed later. A server that is silent for too long is not asked again."""
    said = service_error(error)
    if said is not None:
        return said.code in _PASSING
    return isinstance(error, httpx.TransportError) and not isinstance(error, httpx.ReadTimeout | httpx.WriteTimeout)


def _name(error: Exception) -> str:
    said = service_error(error)
    return f"{said.code} {said.status}" if said else type(error).__name__
