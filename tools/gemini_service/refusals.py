"""What Gemini's service says when it refuses a request → whether the same request may pass later, and what helps.

Told by status, reason and the service's own words, as https://ai.google.dev/gemini-api/docs/troubleshooting,
https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/api-errors and reports of users show them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from google.genai.errors import APIError

from pagesight.indexing.calls.asked_waits import PASSING, error_details

OFFLINE = "or answer without a language model with PAGESIGHT_REASONER=offline"

_NEW_KEY = (
    f"set GOOGLE_API_KEY, in the environment or in .env, to a key from https://aistudio.google.com/apikey, {OFFLINE}"
)
_NO_CREDIT = (
    r"credits?\b.{0,40}\b(?:depleted|exhausted|used up|run out|expired)|prepa(?:id|yment)"
    r"|insufficient (?:credit|fund|balance)|(?:exhausted|depleted|used up|out of)\b.{0,40}\bcredits?\b"
    r"|spend(?:ing)? (?:cap|limit)|billing quota|BILLING_DISABLED|enable billing"
    r"|billing (?:to be enabled|account|is disabled|has not been enabled)"
)
_BAD_PICTURE = (
    r"(?:unable|failed) to (?:process|decode)\b.{0,30}\b(?:image|picture|document|pdf)"
    r"|(?:could not|cannot|can't) (?:be )?(?:process|decode)\w*\b.{0,30}\b(?:image|picture|document|pdf)"
    r"|(?:image|picture|document|pdf)\b.{0,30}\b(?:(?:is )?not valid|is invalid|is empty|is corrupt|has no pages)"
    r"|(?:image|picture|document|pdf)\b.{0,30}\bdoes not match|failed to parse\b.{0,30}\b(?:image|document|pdf)"
    r"|unsupported (?:MIME|image)"
)


@dataclass(frozen=True)
class Refusal:
    """What helps against a refusal, whether it may pass by itself, and whether it is the caller who is refused."""

    fix: str
    passing: bool = False
    of_the_key: bool = False


@dataclass(frozen=True)
class _Case:
    """One kind of refusal: by its statuses and by a pattern in what the service says, reasons counted in."""

    codes: frozenset[int]
    says: str
    refusal: Refusal
    vertex: bool | None = None  # None: both at the Gemini API and at Vertex AI

    def holds(self, code: int, said: str, vertex: bool) -> bool:
        fits = code in self.codes and self.vertex in (None, vertex)
        return fits and re.search(self.says, said, re.IGNORECASE) is not None


def refusal_of(error: APIError, *, vertex: bool = False) -> Refusal:
    """What a refusal amounts to. Quotas say how long to wait, which `asked` gives."""
    code, said = int(error.code or 0), f"{error.message} {' '.join(_reasons(error))}"
    case = next((case for case in _CASES if case.holds(code, said, vertex)), None)
    return case.refusal if case else _otherwise(code)


def names_a_file(error: APIError) -> bool:
    """Whether the service says something of a file of the Files API."""
    return re.search(r"\bfiles?\b", error.message or "", re.IGNORECASE) is not None


def _reasons(error: APIError) -> Iterator[str]:
    """The words of the details by which kinds are told apart: reasons, and the quotas that are used up."""
    for detail in error_details(error.details):
        yield str(detail.get("reason", ""))
        violations = detail.get("violations")
        for violation in violations if isinstance(violations, list) else []:
            if isinstance(violation, dict):
                yield f"{violation.get('quotaId', '')} limit: {violation.get('quotaValue', '?')}"


def _otherwise(code: int) -> Refusal:
    if code == 401:
        return Refusal(_NEW_KEY, of_the_key=True)
    if code == 429:
        return Refusal(f"take another PAGESIGHT_GEMINI_MODEL, {OFFLINE}", passing=True)
    if code >= 500 or code in PASSING:
        return Refusal(f"the trouble is at its end: ask again in a while, {OFFLINE}", passing=code in PASSING)
    return Refusal(
        "the request was not taken as it is: update pagesight, or report it with what `pagesight doctor --live --json` "
        f"says, {OFFLINE}"
    )


def _case(codes: str, says: str, fix: str, *, vertex: bool | None = None, **what: bool) -> _Case:
    return _Case(frozenset(map(int, codes.split())), says, Refusal(fix, **what), vertex)


#: The first that fits holds. What a status alone says stands in `_otherwise`.
_CASES = [
    # Where and who
    _case(
        "400 402 403 429",
        _NO_CREDIT,
        "the project has no credit left, or no billing: see to it at https://aistudio.google.com/usage (for Vertex AI "
        f"at https://console.cloud.google.com/billing), set a key of another project, {OFFLINE}",
    ),
    _case(
        "400 403",
        r"location is not supported|not (?:available|supported) in your (?:country|region|location)",
        "the Gemini API is not offered from where you are: ask through Vertex AI (PAGESIGHT_VERTEX_PROJECT, and "
        f"PAGESIGHT_VERTEX_LOCATION for a region that has the model), {OFFLINE}",
    ),
    _case(
        "429",
        r"limit: 0\b",
        "the project may not ask this model at all, as those of the free tier may not ask some: take another "
        f"PAGESIGHT_GEMINI_MODEL, or enable billing for the project, {OFFLINE}",
    ),
    _case(
        "429",
        r"Per_?Day|per day|daily",
        "its quota for the day is used up, and begins anew at midnight Pacific time: take another "
        f"PAGESIGHT_GEMINI_MODEL, enable billing for the project, {OFFLINE}",
    ),
    _case(
        "400 401 403",
        r"SERVICE_DISABLED|has not been used in project|API is disabled|it is disabled",
        "the API is not enabled in the project: run `gcloud services enable aiplatform.googleapis.com` for the project "
        f"that PAGESIGHT_VERTEX_PROJECT names, wait some minutes, {OFFLINE}",
        vertex=True, of_the_key=True,
    ),
    _case(
        "400 401 403",
        r"SERVICE_DISABLED|has not been used in project|API is disabled|it is disabled",
        "the Gemini API is not enabled in the key's project: enable it there, or take a key of another project from "
        f"https://aistudio.google.com/apikey, {OFFLINE}",
        vertex=False, of_the_key=True,
    ),
    _case(
        "403",
        r"API_KEY_\w*BLOCKED|\b(?:referer|referrer|IP address)\b.{0,60}\bblocked|are blocked",
        "the key's restrictions forbid this call: allow the Generative Language API and this machine at "
        f"https://console.cloud.google.com/apis/credentials, or take another key, {OFFLINE}",
        vertex=False, of_the_key=True,
    ),
    # Files, pictures, signatures
    _case(
        "400 409",
        r"not in an ACTIVE state|file\b.{0,60}\bstate\b.{0,30}\bPROCESSING",
        "an uploaded page is not ready yet: ask again in a moment, or send pages with the request by "
        "PAGESIGHT_TRANSPORT=bytes",
        passing=True,
    ),
    _case(
        "400",
        r"file\b.{0,60}\b(?:state\b.{0,30}\bFAILED|failed state)",
        "an uploaded page could not be read there: send pages with the request by PAGESIGHT_TRANSPORT=bytes",
    ),
    _case(
        "403 404",
        r"\bfiles?\b",
        "an uploaded page is gone: ask again, or send pages with the request by PAGESIGHT_TRANSPORT=bytes",
        vertex=False,
    ),
    _case(
        "403",
        r"storage\.objects|gs://|\bbucket\b",
        "Vertex AI may not read the bucket: give its service agent the role Storage Object Viewer "
        "(roles/storage.objectViewer) there, or unset PAGESIGHT_BUCKET",
        vertex=True,
    ),
    _case(
        "400 403 404",
        r"\bregion\b.{0,60}\bnot (?:supported|available)|unsupported (?:region|location)",
        f"take a region that has the model in PAGESIGHT_VERTEX_LOCATION, such as global, {OFFLINE}",
        vertex=True,
    ),
    _case(
        "400 404",
        r"not allowed to use\b.{0,30}\bmodel",
        "the project may not ask this model: take another PAGESIGHT_GEMINI_MODEL, or see at "
        f"https://console.cloud.google.com/vertex-ai/model-garden whether it must be enabled, {OFFLINE}",
        vertex=True,
    ),
    _case(
        "401 403",
        "",
        "the account may not ask models in this project: look at PAGESIGHT_VERTEX_PROJECT and "
        "PAGESIGHT_VERTEX_LOCATION, give the account the role Vertex AI User (roles/aiplatform.user), or log in anew "
        f"with `gcloud auth application-default login`, {OFFLINE}",
        vertex=True, of_the_key=True,
    ),
    _case(
        "400",
        _BAD_PICTURE,
        "a page's picture could not be read there: send pages in the other form, by PAGESIGHT_PAGES_AS=pdf or picture, "
        "or ask about other pages in a new conversation",
    ),
    _case(
        "400",
        r"thought[ _]signature",
        "the conversation was begun with another model, key or version, whose notes this one does not take: start "
        "a new conversation, or go back to the model that it was begun with",
    ),
    # What is asked for with it
    _case(
        "400",
        r"\bstore\b",
        "the service does not take store=false: set PAGESIGHT_STORE_REQUESTS=true, and mind that it may keep requests, "
        f"or take another PAGESIGHT_GEMINI_MODEL, {OFFLINE}",
    ),
    _case(
        "400",
        r"thinking[ _]?level",
        "the model does not take this level of thinking: leave out --thinking and PAGESIGHT_THINKING_LEVEL, or take "
        f"another PAGESIGHT_GEMINI_MODEL, {OFFLINE}",
    ),
    _case(
        "400",
        r"media[ _]?resolution",
        "the model does not take this resolution of pictures: set PAGESIGHT_MEDIA_RESOLUTION=default and "
        f"PAGESIGHT_CLOSER_REGIONS=false, or take another PAGESIGHT_GEMINI_MODEL, {OFFLINE}",
    ),
    # The key, the name, the size
    _case("403", "", _NEW_KEY, vertex=False, of_the_key=True),
    _case("400", r"API_KEY_INVALID|API key (?:not valid|expired)", _NEW_KEY, of_the_key=True),
    _case(
        "400 404 410",
        r"no longer (?:available|supported|served)|(?:has been|was|is) (?:retired|shut down|discontinued|deprecated)",
        f"the model is no longer there: take another PAGESIGHT_GEMINI_MODEL or --model, {OFFLINE}",
    ),
    _case(
        "404",
        "",
        "look at the name in PAGESIGHT_GEMINI_MODEL or PAGESIGHT_REASONER, and whether the model is there in "
        "PAGESIGHT_VERTEX_LOCATION",
        vertex=True,
    ),
    _case("404", "", "look at the name in PAGESIGHT_GEMINI_MODEL or PAGESIGHT_REASONER", vertex=False),
    _case(
        "400 413",
        r"exceed|too (?:large|long|many|big)|larger than|fewer than|at most|maximum|token (?:count|limit)",
        "ask for less at once: fewer pages with PAGESIGHT_IMAGES_PER_CALL, or a new conversation",
    ),
]  # fmt: skip
