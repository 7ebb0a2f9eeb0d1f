"""`pagesight doctor --live` against the strict server: all green, each step failing by itself, what ends it."""

from __future__ import annotations

import json
import os
import re
import signal
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from encoder_servers import EncoderServer
from gemini_server import GeminiServer, Reply
from google.genai import types
from google.oauth2.credentials import Credentials
from live_scripts import (
    FIVE,
    GREEN,
    KEY,
    LOOK,
    STEPS,
    Script,
    boxes,
    breaks,
    calls_then_says,
    charges,
    fails,
    says,
    scripted,
)
from PIL import Image

from pagesight.agent.cli import main
from pagesight.agent.reasoners.gemini import GeminiReasoner
from pagesight.agent.terminal.live_checks import LiveChecks, LiveReport
from pagesight.agent.terminal.live_page import NUMBERS
from pagesight.indexing.settings import load_settings


@pytest.fixture
def live(server: GeminiServer, monkeypatch: pytest.MonkeyPatch) -> GeminiServer:
    """The server, asked by a setup with a key; nothing is asked twice."""
    monkeypatch.setenv("GOOGLE_API_KEY", KEY)
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", server.url)
    monkeypatch.setattr("pagesight.indexing.calls.retries._FIRST_WAIT", 0.01)
    return server


def report_of(server: GeminiServer, script: dict[str, Script] | None = None, model: str | None = None) -> LiveReport:
    scripted(server, **(script or {}))
    report = LiveChecks(load_settings(), model).run()
    assert server.replies_left == 0
    return report


def states(report: LiveReport) -> dict[str, str]:
    return {step.name: step.state for step in report.steps}


GREEN_STATES = {**dict.fromkeys(STEPS, "ok"), "embedding": "skipped"}


# All is well


def test_all_steps_are_green(live: GeminiServer, capsys: pytest.CaptureFixture[str]) -> None:
    scripted(live)

    assert main(["doctor", "--live"]) == 0

    out = capsys.readouterr().out
    for name in STEPS[:-1]:
        assert re.search(rf"^✓ {re.escape(name)} +\S.* \(\d+\.\d s\)$", out, re.M), name
    assert re.search(r"^– embedding +no such encoder is set$", out, re.M)
    assert "it answers, as gemini-3.8-flash" in out
    assert "went round, with its signature" in out
    assert "charged 1,089 tokens, pagesight counts 1,120" in out
    assert re.search(r"^11 steps work, 0 fail, 1 skipped; [\d,]+ tokens in, [\d,]+ out, \$0\.00\d\d$", out, re.M)
    assert live.replies_left == 0


def test_the_steps_send_what_they_say(live: GeminiServer) -> None:
    report_of(live)

    requests = live.model_requests
    assert ["store" in request.body for request in requests] == [False] + [True] * (len(requests) - 1)
    assert {request.body.get("store") for request in requests[1:]} == {False}
    assert [request.streams for request in requests].count(True) == 1
    kinds = [mime for request in requests for mime, _ in request.pictures]
    assert set(kinds) == {"image/webp", "application/pdf"}
    assert len({data for request in requests for _, data in request.pictures}) == 3  # two pages, and one as PDF
    both = requests[6]
    assert [mime for mime, _ in both.pictures] == ["image/webp"] * 2
    assert len(live.uploads) == 1
    assert live.files == {}  # deleted
    levels = [request.body["generationConfig"].get("mediaResolution") for request in requests]
    assert levels[:-2] == ["MEDIA_RESOLUTION_LOW"] * (len(requests) - 2)
    assert levels[-2:] == [None, None]  # counted as the agent shows them
    assert all(request.body["generationConfig"]["maxOutputTokens"] for request in requests)
    assert all(request.body["generationConfig"]["thinkingConfig"] for request in requests)


def test_a_model_without_levels_of_thinking_is_tried_too(live: GeminiServer) -> None:
    other = {"tokens of a picture": charges(10, 268)}
    report = report_of(live, other, "google_genai:gemini-2.5-flash")
    assert states(report) == GREEN_STATES
    assert "none was signed" in report.steps[3].says


def on_vertex(server: GeminiServer) -> GeminiReasoner:
    return GeminiReasoner(
        model="gemini-3.8-flash", vertexai=True, project="p", location="global", base_url=server.url,
        credentials=Credentials("a-token"),
    )  # fmt: skip


def test_vertex_has_no_files_and_keeps_by_its_own_terms(server: GeminiServer) -> None:
    model = on_vertex(server)
    nothing: Script = lambda server: None  # noqa: E731
    scripted(server, **{"store=false": nothing, "a page as a file": nothing})

    report = LiveChecks(load_settings(), model).run()

    skipped = {"store=false": "skipped", "a page as a file": "skipped"}
    assert states(report) == GREEN_STATES | skipped
    assert report.works
    assert report.address == "Vertex AI"
    assert server.replies_left == 0
    assert server.uploads == []


# An encoder of Gemini's


class Embeddings(EncoderServer):
    """Gemini's embeddings, by which a question is as near as can be to one of the pages seen before it."""

    nearest = 0

    def page(self, picture: Image.Image, dim: int) -> list[float]:
        self.seen = [*getattr(self, "seen", []), super().page(picture, dim)]
        return self.seen[-1]

    def question(self, text: str, dim: int) -> list[float]:
        return self.seen[self.nearest]


@pytest.fixture
def embeddings(live: GeminiServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Embeddings]:
    with Embeddings("gemini", key=KEY) as server:
        monkeypatch.setenv("PAGESIGHT_ENCODER", f"gemini-embedding-2@{server.url}")
        yield server


def test_an_encoder_of_geminis_that_is_set_is_tried(live: GeminiServer, embeddings: Embeddings) -> None:
    before = report_of(live)
    report = report_of(live)
    assert states(report) == dict.fromkeys(STEPS, "ok")
    tokens = "258 tokens" if "usage_metadata" in types.EmbedContentResponse.model_fields else "tokens not told"
    assert f"3072 dimensions and took {tokens}" in report.steps[-1].says
    assert embeddings.pages == 4  # nothing is kept: each time both pages are sent
    assert report.input_tokens == before.input_tokens
    assert report.dollars == before.dollars


@pytest.mark.parametrize(("failure", "says"), [((403, {}), "403"), ((400, {}), "400"), (None, "as near to the second")])
def test_an_encoder_that_fails_fails_its_step_only(
    live: GeminiServer, embeddings: Embeddings, failure: tuple[int, dict] | None, says: str
) -> None:
    embeddings.nearest = 1
    embeddings.failures = [failure] if failure else []
    report = report_of(live)
    assert states(report) == dict.fromkeys(STEPS, "ok") | {"embedding": "failed"}
    assert says in report.steps[-1].says
    assert report.steps[-1].fix
    assert KEY not in report.steps[-1].says


# One step fails, the others go on

REFUSED = fails(400, "INVALID_ARGUMENT", "Request contains an invalid argument.")


def twice(script: Script) -> Script:
    return lambda server: [script(server) for _ in range(2)]


def corrupted(server: GeminiServer) -> None:
    server.calls(LOOK[0], **LOOK[1])
    server.fails(400, "INVALID_ARGUMENT", "Corrupted thought signature.")
    server.says("4712")


FAULTS: list[tuple[str, Script, str, str]] = [
    ("the model answers", says("I am a teapot."), "it said 'I am a teapot.'", "--model"),
    ("the model answers", twice(fails(503, "UNAVAILABLE", "overloaded")), "503 UNAVAILABLE", "ask again in a while"),
    ("store=false", fails(400, "INVALID_ARGUMENT", 'Unknown name "store"'), "does not take store=false", "STORE_REQ"),
    ("streaming", breaks, "broke off in the middle", "ask again"),
    ("streaming", says("One, two."), "the stream ended with 'One, two.'", "proxy"),
    ("a tool call", says("4712"), "made 0 calls instead of 1, and said '4712'", "--model"),
    ("a tool call", calls_then_says("1234", 1), "the page says 4712, after the tool's reply it said '1234'", "proxy"),
    ("a tool call", corrupted, "refuses the thought signature that it has just made", "proxy"),
    ("two pages in parallel", says("4712"), "made 0 calls instead of 2", "--model"),
    ("two pages in parallel", calls_then_says("8305 4712", 1, 2), "it read '8305 4712'", "report it"),
    ("a page as bytes", REFUSED, "400 INVALID_ARGUMENT", "report it"),
    ("a page as base64", says("nothing to see"), "said 'nothing to see'", "proxy"),
    ("a page as a file", says("no file"), "said 'no file'", "proxy"),
    ("a page as PDF", fails(400, "INVALID_ARGUMENT", "The document has no pages."), "has no pages", "PAGES_AS"),
    ("boxes", says("It is in the middle."), "cannot be read: 'It is in the middle.'", "--model"),
    ("boxes", says(boxes([0, 0, 100, 100])), "best overlap 0.00", "regions"),
    ("tokens of a picture", charges(10, 268), "charged 258 tokens, pagesight counts 1,120", "budgets"),
    ("tokens of a picture", says("ready", "ready"), "charged 0 tokens", "budgets"),
]


@pytest.mark.parametrize(("name", "script", "says", "fix"), FAULTS, ids=[f"{one[0]}: {one[2][:30]}" for one in FAULTS])
def test_a_step_that_fails_is_told_and_the_others_go_on(
    live: GeminiServer, name: str, script: Script, says: str, fix: str
) -> None:
    report = report_of(live, {name: script})

    assert states(report) == GREEN_STATES | {name: "failed"}
    [failed] = [step for step in report.steps if step.state == "failed"]
    assert says in failed.says
    assert fix in failed.fix
    assert not report.works
    assert live.files == {}


@pytest.mark.parametrize("fault", ["lives too short", "not there for uploads", "cannot be deleted"])
def test_what_the_files_api_lacks_is_told(live: GeminiServer, fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    script = GREEN["a page as a file"]
    if fault == "lives too short":
        live.life_of_files, script = timedelta(minutes=10), says("4712")
    elif fault == "not there for uploads":
        refusal = {"error": {"code": 400, "status": "FAILED_PRECONDITION", "message": "no uploads here"}}
        live.refusal_of_files, script = Reply(status=400, error=refusal), says()
    else:
        live.refuses_deletion = True

    report = report_of(live, {"a page as a file": script})

    assert states(report) == GREEN_STATES | {"a page as a file": "failed"}
    told = {"lives too short": "uploaded twice", "not there for uploads": "no uploads", "cannot be deleted": "deleted"}
    assert told[fault] in report.steps[7].says


def test_five_faults_are_told_with_their_fixes(live: GeminiServer, capsys: pytest.CaptureFixture[str]) -> None:
    scripted(live, **FIVE)

    assert main(["doctor", "--live"]) == 1

    out = capsys.readouterr().out
    assert re.findall(r"^✗ (\S.*?)  ", out, re.M) == list(FIVE)
    assert len(re.findall(r"^✗ .*\n    → \S", out, re.M)) == 5
    assert "6 steps work, 5 fail, 1 skipped" in out


def test_once_store_is_refused_the_other_steps_go_without(live: GeminiServer) -> None:
    report_of(live, {"store=false": FIVE["store=false"]})
    assert all("store" not in request.body for request in live.model_requests[2:])


# What ends it


def test_a_refused_key_ends_it_with_one_line(live: GeminiServer, capsys: pytest.CaptureFixture[str]) -> None:
    message = f"API key not valid: {KEY}"
    live.fails(400, "INVALID_ARGUMENT", message, "API_KEY_INVALID")
    live.fails(400, "INVALID_ARGUMENT", message, "API_KEY_INVALID")

    assert main(["doctor", "--live"]) == 1
    out, err = capsys.readouterr()
    assert len(err.splitlines()) == 1
    assert err.startswith("error: Gemini refused the key (400 INVALID_ARGUMENT")
    assert "GOOGLE_API_KEY" in err
    assert "✗ the" not in out

    assert main(["doctor", "--live", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["live"]["steps"] == []
    assert "refused the key" in told["live"]["ended"]
    assert KEY not in out + err + json.dumps(told)


def test_an_account_that_vertex_refuses_ends_it(server: GeminiServer) -> None:
    server.fails(403, "PERMISSION_DENIED", "Permission 'aiplatform.endpoints.predict' denied on resource.")
    report = LiveChecks(load_settings(), on_vertex(server)).run()
    assert report.steps == []
    assert report.ended.startswith("Vertex AI refused the account (403 PERMISSION_DENIED")
    assert "roles/aiplatform.user" in report.ended
    assert not report.works


def test_a_key_that_may_not_upload_fails_one_step(live: GeminiServer) -> None:
    refusal = {"error": {"code": 403, "status": "PERMISSION_DENIED", "message": "The caller does not have permission"}}
    live.refusal_of_files = Reply(status=403, error=refusal)
    report = report_of(live, {"a page as a file": says()})
    assert states(report) == GREEN_STATES | {"a page as a file": "failed"}


def test_without_a_key_it_says_what_to_set(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--live"]) == 1
    err = capsys.readouterr().err
    assert "GOOGLE_API_KEY" in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("http://127.0.0.1:9", "at http://127.0.0.1:9 failed or broke off (ConnectError: "),
        ("127.0.0.1:9", "cannot be asked (UnsupportedProtocol: "),
    ],
)
def test_an_address_that_is_not_reached_ends_it_with_its_reason(
    live: GeminiServer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, address: str, says: str
) -> None:
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", address)
    assert main(["doctor", "--live"]) == 1
    out, err = capsys.readouterr()
    assert len(err.splitlines()) == 1
    assert says in err
    assert "GOOGLE_GEMINI_BASE_URL" in err
    assert "✗" not in out.partition("tried:")[2]


def test_vertex_without_credentials_says_which_are_missing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAGESIGHT_VERTEX_PROJECT", "p")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "missing.json")
    assert main(["doctor", "--live"]) == 1
    err = capsys.readouterr().err
    assert "missing.json was not found" in err
    assert "gcloud auth application-default login" in err


def test_another_reasoner_that_is_set_is_named(
    live: GeminiServer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAGESIGHT_REASONER", "offline")
    assert main(["doctor", "--live"]) == 1
    assert "unset PAGESIGHT_REASONER" in capsys.readouterr().err


def test_ctrl_c_ends_it_with_one_line(live: GeminiServer, capsys: pytest.CaptureFixture[str]) -> None:
    for name in STEPS[:3]:
        GREEN[name](live)
    live.waits_from = 3  # the fourth request is not answered
    threading.Thread(target=_interrupt, args=(live,), daemon=True).start()

    assert main(["doctor", "--live"]) == 130

    out, err = capsys.readouterr()
    assert err == "error: stopped with Ctrl-C after 3 steps\n"
    assert "✓ streaming" in out


def _interrupt(server: GeminiServer) -> None:
    while len(server.model_requests) < 4:
        threading.Event().wait(0.02)
    os.kill(os.getpid(), signal.SIGINT)


# What it costs


def test_it_never_costs_more_than_two_cents(live: GeminiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAGESIGHT_PRICES", '{"gemini-3.8-flash": [0.75, 3.75]}')
    live.says("Ready.", tokens=(25_000, 100))

    report = LiveChecks(load_settings()).run()

    assert states(report)["the model answers"] == "ok"
    assert set(states(report).values()) == {"ok", "skipped"}
    assert len(live.model_requests) == 1
    assert "take a cheaper model with --model" in report.steps[1].says
    assert report.dollars is not None
    assert report.dollars < 0.02


def test_a_model_without_a_price_is_counted_at_the_dearest(live: GeminiServer) -> None:
    live.says("Ready.", tokens=(6_000, 10), model="gemini-99-made-up")
    report = LiveChecks(load_settings(), "google_genai:gemini-99-made-up").run()
    assert report.dollars is None
    assert {step.state for step in report.steps} == {"ok", "skipped"}


# For a bug report


def test_json_holds_all_and_no_secret(live: GeminiServer, capsys: pytest.CaptureFixture[str]) -> None:
    echo = fails(400, "INVALID_ARGUMENT", f"bad request by {KEY}")
    scripted(live, **{"a page as bytes": echo})

    assert main(["doctor", "--live", "--json"]) == 1

    out, err = capsys.readouterr()
    told = json.loads(out)
    assert err == ""
    assert KEY not in out
    assert told["works"] is False
    assert told["checks"][0]["name"] == "core"
    live_report = told["live"]
    assert live_report["model"] == "google_genai:gemini-3.8-flash"
    assert live_report["address"] == live.url
    assert {"pagesight", "Python", "google-genai"} <= set(live_report["versions"])
    assert [step["name"] for step in live_report["steps"]] == STEPS
    assert all(set(step) == {"name", "state", "says", "fix", "seconds"} for step in live_report["steps"])
    assert live_report["dollars"] < 0.02
    assert NUMBERS[0] not in "".join(step["fix"] for step in live_report["steps"])


def test_what_was_not_foreseen_fails_its_step_only(live: GeminiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    def falls(*_: object) -> Iterator[None]:
        raise ZeroDivisionError("out of the blue")

    monkeypatch.setattr("pagesight.agent.terminal.live_steps.Base64Transport.blocks", falls)
    report = report_of(live, {"a page as base64": says()})
    assert states(report) == GREEN_STATES | {"a page as base64": "failed"}
    assert "ZeroDivisionError: out of the blue" in report.steps[6].says
