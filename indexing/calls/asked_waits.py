"""Which HTTP statuses may pass by themselves, and how long a service asks to wait before the next attempt."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from pagesight.indexing.labels.page_numbers import whole_number

#: Statuses after which the same request may succeed; those from 520 on come from what stands before a service
#: (https://developers.cloudflare.com/support/troubleshooting/http-status-codes/cloudflare-5xx-errors).
PASSING = frozenset({408, 409, 425, 429, 499, 500, 502, 503, 504, *range(520, 525), 529})

#: "Please retry in 1h2m3.5s." or "… in 850ms."
_IN_WORDS = re.compile(
    r"retry in (?:([0-9]{1,9})h)?(?:([0-9]{1,9})m(?!s))?(?:([0-9]*\.?[0-9]+)\s?(m?)s)?", re.IGNORECASE
)
_SECONDS = re.compile(r"[0-9]+\.?[0-9]*s")


def asked_wait(details: Iterable[Mapping[str, Any]], headers: Mapping[str, str], message: str) -> float | None:
    """The seconds that a service asks to wait; None where it says nothing.

    Google's RetryInfo among an error's ``details`` comes first, then the header Retry-After, then its words.
    """
    for detail in details:
        delay = str(detail.get("retryDelay", ""))
        if _SECONDS.fullmatch(delay):
            return float(delay[:-1])
    by_header = retry_after(headers)
    return by_header if by_header is not None else _in_words(message)


def error_details(body: Any) -> list[dict[str, Any]]:
    """The details in the body of one of Google's errors, such as RetryInfo and QuotaFailure."""
    inner = body.get("error", body) if isinstance(body, dict) else {}
    details = inner.get("details") if isinstance(inner, dict) else None
    return [one for one in details if isinstance(one, dict)] if isinstance(details, list) else []


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds that the header Retry-After asks to wait: it holds them, or the date until which to wait."""
    value = headers.get("retry-after") or headers.get("Retry-After") or ""
    if (seconds := whole_number(value.strip())) is not None:
        return float(seconds)
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None


def _in_words(message: str) -> float | None:
    found = _IN_WORDS.search(message)
    if found is None or not any(found.groups()):
        return None
    hours, minutes, seconds, thousandths = found.groups()
    return 3600 * int(hours or 0) + 60 * int(minutes or 0) + float(seconds or 0) / (1000 if thousandths else 1)
