"""What Gemini's service refuses, in its own words: each with its own advice, asked again only where that may help."""

from __future__ import annotations

from typing import Any

import pytest
from gemini_recordings import quota_used_up
from gemini_server import GeminiServer, Reply
from google.oauth2.credentials import Credentials
from langchain_core.messages import HumanMessage

from pagesight.agent.reasoners.gemini import GeminiReasoner
from pagesight.indexing.errors import KeyRefused, ReasonerError

_TYPE = "type.googleapis.com/google.rpc."


def refusal(code: int, status: str, message: str, *details: dict[str, Any]) -> Reply:
    error = {"code": code, "status": status, "message": message, "details": list(details)}
    return Reply(status=code, error={"error": error})


def reason(name: str) -> dict[str, Any]:
    return {"@type": f"{_TYPE}ErrorInfo", "reason": name, "domain": "googleapis.com"}


def quota(name: str, value: str) -> dict[str, Any]:
    violation = {"quotaId": name, "quotaValue": value}
    return {"@type": f"{_TYPE}QuotaFailure", "violations": [violation]}


def reasoner(server: GeminiServer, *, vertex: bool = False) -> GeminiReasoner:
    place: dict[str, Any] = {"vertexai": False, "api_key": "AIza-test-key"}
    if vertex:
        place = {"vertexai": True, "project": "p", "location": "global", "credentials": Credentials("a-token")}
    return GeminiReasoner(model="gemini-3.8-flash", base_url=server.url, attempts=3, longest_wait=60, **place)


#: What the service says, what helps, and whether it is the key that is refused.
GEMINI: list[tuple[Reply, str, bool]] = [
    (
        refusal(400, "FAILED_PRECONDITION", "User location is not supported for the API use."),
        "not offered from where you are: ask through Vertex AI",
        False,
    ),
    (
        refusal(
            400, "FAILED_PRECONDITION",
            "Gemini API free tier is not available in your country. Please enable billing.",
        ),
        "no credit left, or no billing",
        False,
    ),
    (
        refusal(429, "RESOURCE_EXHAUSTED", "Your prepayment credits are depleted. Please go to AI Studio."),
        "no credit left, or no billing",
        False,
    ),
    (
        refusal(429, "RESOURCE_EXHAUSTED", "Your project has exceeded its monthly spending cap."),
        "no credit left, or no billing",
        False,
    ),
    (
        refusal(403, "PERMISSION_DENIED", "This API requires billing to be enabled.", reason("BILLING_DISABLED")),
        "no credit left, or no billing",
        False,
    ),
    (quota_used_up("20s", per_day=True), "quota for the day is used up", False),
    (
        refusal(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota.", quota("RequestsPerMinute", "0")),
        "may not ask this model at all",
        False,
    ),
    (
        refusal(400, "INVALID_ARGUMENT", "Unable to process input image. Please retry or report."),
        "picture could not be read there: send pages in the other form",
        False,
    ),
    (refusal(400, "INVALID_ARGUMENT", "Provided image is not valid."), "send pages in the other form", False),
    (refusal(400, "INVALID_ARGUMENT", "The document has no pages."), "send pages in the other form", False),
    (refusal(400, "INVALID_ARGUMENT", "Failed to parse the PDF document."), "send pages in the other form", False),
    (
        refusal(400, "FAILED_PRECONDITION", "The File f1 is in state FAILED and cannot be used."),
        "PAGESIGHT_TRANSPORT=bytes",
        False,
    ),
    *(
        (refusal(400, "INVALID_ARGUMENT", said), "start a new conversation, or go back to the model", False)
        for said in (
            "Corrupted thought signature.",
            "Thought signature is not valid.",
            "Function call is missing a thought_signature in functionCall parts.",
        )
    ),
    (
        refusal(400, "INVALID_ARGUMENT", 'Invalid JSON payload received. Unknown name "store": Cannot find field.'),
        "PAGESIGHT_STORE_REQUESTS=true",
        False,
    ),
    (
        refusal(400, "INVALID_ARGUMENT", "Thinking level HIGH is not supported for this model."),
        "leave out --thinking",
        False,
    ),
    (
        refusal(400, "INVALID_ARGUMENT", "Media resolution per part is not supported for this model."),
        "PAGESIGHT_CLOSER_REGIONS=false",
        False,
    ),
    (refusal(404, "NOT_FOUND", "The model is no longer available."), "the model is no longer there", False),
    (
        refusal(429, "RESOURCE_EXHAUSTED", "The project has exceeded its billing quota for the month."),
        "no credit left, or no billing",
        False,
    ),
    (
        refusal(400, "INVALID_ARGUMENT", "The input token count (1200000) exceeds the maximum of tokens allowed."),
        "fewer pages with PAGESIGHT_IMAGES_PER_CALL",
        False,
    ),
    (refusal(400, "INVALID_ARGUMENT", "Request contains an invalid argument."), "doctor --live --json", False),
    (refusal(404, "NOT_FOUND", "models/gemini-x is not found."), "PAGESIGHT_GEMINI_MODEL", False),
    (
        refusal(403, "PERMISSION_DENIED", "Generative Language API has not been used in project 1 before or it is "
                "disabled.", reason("SERVICE_DISABLED")),
        "not enabled in the key's project",
        True,
    ),
    (
        refusal(403, "PERMISSION_DENIED", "Requests to this API are blocked.", reason("API_KEY_SERVICE_BLOCKED")),
        "the key's restrictions forbid this call",
        True,
    ),
    (refusal(403, "PERMISSION_DENIED", "Your API key was reported as leaked."), "set GOOGLE_API_KEY", True),
    (refusal(400, "INVALID_ARGUMENT", "API key expired.", reason("API_KEY_INVALID")), "set GOOGLE_API_KEY", True),
    (refusal(401, "UNAUTHENTICATED", "Request had invalid credentials."), "set GOOGLE_API_KEY", True),
]  # fmt: skip

_PREDICT = "Permission 'aiplatform.endpoints.predict' denied on resource '//aiplatform.googleapis.com/projects/p'."
VERTEX: list[tuple[Reply, str, bool]] = [
    (refusal(403, "PERMISSION_DENIED", _PREDICT), "the role Vertex AI User (roles/aiplatform.user)", True),
    (
        refusal(403, "PERMISSION_DENIED", "Vertex AI API has not been used in project p before or it is disabled."),
        "gcloud services enable aiplatform.googleapis.com",
        True,
    ),
    (
        refusal(403, "PERMISSION_DENIED", "service-1@… does not have storage.objects.get access to the bucket."),
        "roles/storage.objectViewer",
        False,
    ),
    (refusal(401, "UNAUTHENTICATED", "Request had invalid credentials."), "gcloud auth application-default", True),
    (
        refusal(400, "INVALID_ARGUMENT", "Unsupported region for model."),
        "a region that has the model in PAGESIGHT_VERTEX_LOCATION",
        False,
    ),
    (
        refusal(400, "FAILED_PRECONDITION", "Project p is not allowed to use Publisher Model gemini-x."),
        "the project may not ask this model",
        False,
    ),
    (refusal(404, "NOT_FOUND", "Publisher Model was not found."), "PAGESIGHT_VERTEX_LOCATION", False),
    (refusal(429, "RESOURCE_EXHAUSTED", "Quota exceeded", quota("OnlinePredictionRequestsPerDay", "9")), "day", False),
]


def asked(server: GeminiServer, reply: Reply, *, vertex: bool) -> ReasonerError:
    server.replies(reply, reply, reply)
    with pytest.raises(ReasonerError) as caught:
        reasoner(server, vertex=vertex).invoke([HumanMessage("?")])
    return caught.value


CASES = [(*one, False) for one in GEMINI] + [(*one, True) for one in VERTEX]


NAMES = [f"{helps[:40]} {number}" for number, (_, helps, *_) in enumerate(CASES)]


@pytest.mark.parametrize(("reply", "helps", "of_the_key", "vertex"), CASES, ids=NAMES)
def test_what_cannot_succeed_is_told_at_once_with_its_own_advice(
    server: GeminiServer, reply: Reply, helps: str, of_the_key: bool, vertex: bool
) -> None:
    error = asked(server, reply, vertex=vertex)
    assert len(server.model_requests) == 1
    assert helps in error.fix
    assert str(error) == f"{error.said}: {error.fix}"
    assert isinstance(error, KeyRefused) == of_the_key
    assert reply.error is not None
    assert reply.error["error"]["message"][:40] in error.said


@pytest.mark.parametrize(
    ("reply", "helps"),
    [
        (refusal(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota, please check your plan and billing "
                 "details.", quota("GenerateRequestsPerMinutePerProjectPerModel", "10")), "wait a little"),
        (refusal(503, "UNAVAILABLE", "The model is overloaded."), "ask again in a while"),
        (refusal(400, "FAILED_PRECONDITION", "The File f1 is not in an ACTIVE state and usage is not allowed."),
         "not ready yet: ask again in a moment"),
    ],
)  # fmt: skip
def test_what_may_pass_is_asked_again(
    server: GeminiServer, reply: Reply, helps: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pagesight.indexing.calls.retries._FIRST_WAIT", 0.01)
    error = asked(server, reply, vertex=False)
    assert len(server.model_requests) == 3
    assert helps in error.fix
