"""Shapes of Gemini's real answers, for the server for tests: fields and texts as the service's documents show them.

https://ai.google.dev/api/generate-content, /gemini-api/docs/thinking, /thought-signatures, /rate-limits and
/troubleshooting. Numbers and names are made up.
"""

from __future__ import annotations

from gemini_wire import Json, Reply

_TYPE = "type.googleapis.com/google.rpc."


def thoughts(text: str, thought: str = "**Reading the page**\n\nI read the numbers.") -> Reply:
    """A summary of thoughts, then the answer."""
    return Reply([{"text": thought, "thought": True}, {"text": text}], thinking=57)


def signed_at_the_end(text: str) -> Reply:
    """The answer's signature comes in an empty text of its own."""
    return Reply([{"text": text}, {"text": ""}])


def parallel_calls(*calls: tuple[str, Json]) -> Reply:
    """Thoughts, then calls side by side, of which the first is signed."""
    made = [{"functionCall": {"name": name, "args": arguments}} for name, arguments in calls]
    return Reply([{"text": "**Looking**\n\nTwo things are needed.", "thought": True}, *made], thinking=31)


def usage_in_detail(text: str) -> Reply:
    """Tokens by modality, with cached ones and those of thinking."""
    return Reply(
        [{"text": text}],
        tokens=(5320, 41),
        thinking=210,
        cached=4096,
        usage={
            "promptTokensDetails": [
                {"modality": "TEXT", "tokenCount": 4200},
                {"modality": "IMAGE", "tokenCount": 1120},
            ],
            "cacheTokensDetails": [{"modality": "TEXT", "tokenCount": 4096}],
            "candidatesTokensDetails": [{"modality": "TEXT", "tokenCount": 41}],
            "serviceTier": "standard",
        },
    )


def several_candidates(*texts: str) -> Reply:
    """More than one candidate; in a stream each event has a piece of every one."""
    return Reply([{"text": texts[0]}], others=list(texts[1:]))


def answered_by(model: str, text: str) -> Reply:
    """Another model than the asked one answers, since that one is retired."""
    return Reply([{"text": text}], model=model)


def quota_used_up(wait: str, *, per_day: bool = False) -> Reply:
    """429 with the quota that is used up and how long to wait."""
    span = "PerDay" if per_day else "PerMinute"
    metric = "generativelanguage.googleapis.com/generate_content_free_tier_requests"
    quota = {
        "quotaMetric": metric,
        "quotaId": f"GenerateRequests{span}PerProjectPerModel-FreeTier",
        "quotaDimensions": {"location": "global", "model": "gemini-3.5-flash"},
        "quotaValue": "20",
    }
    message = (
        f"You exceeded your current quota. * Quota exceeded for metric: {metric}, limit: 20 Please retry in {wait}."
    )
    link = {
        "description": "Learn more about Gemini API quotas",
        "url": "https://ai.google.dev/gemini-api/docs/rate-limits",
    }
    details = [
        {"@type": f"{_TYPE}QuotaFailure", "violations": [quota]},
        {"@type": f"{_TYPE}Help", "links": [link]},
        {"@type": f"{_TYPE}RetryInfo", "retryDelay": wait},
    ]
    return _error(429, "RESOURCE_EXHAUSTED", message, details)


def overloaded() -> Reply:
    """503: too many ask at once."""
    return _error(503, "UNAVAILABLE", "The model is overloaded. Please try again later.")


def too_slow() -> Reply:
    """504: the service gave up by itself."""
    return _error(504, "DEADLINE_EXCEEDED", "Deadline expired before operation could complete.")


def _error(code: int, status: str, message: str, details: list[Json] | None = None) -> Reply:
    error: Json = {"code": code, "message": message, "status": status}
    return Reply(status=code, error={"error": error | ({"details": details} if details else {})})
