"""The rules of Gemini's service that the server for tests keeps: each refuses a request that is wrong in one point."""

from __future__ import annotations

import base64
import copy
import json
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import gemini_rules
import pytest
from gemini_server import BrokenRules, GeminiServer
from gemini_wire import Json

KEY = "AIza-test-key"
PIXELS = base64.b64encode(b"\x89PNG and so on").decode()
PICTURE = {"inlineData": {"mimeType": "image/png", "data": PIXELS}}
NEW, MIDDLE, OLD = "gemini-3.5-flash", "gemini-3-flash-preview", "gemini-2.5-flash"
BYPASS = "skip_thought_signature_validator"


def posted(server: GeminiServer, body: Json, model: str = NEW, *, key: str = KEY, path: str = "") -> tuple[int, Json]:
    """The status and the answer to a request as it is."""
    address = server.url + (path or f"/v1beta/models/{model}:generateContent")
    request = urllib.request.Request(address, json.dumps(body).encode(), {"x-goog-api-key": key} if key else {})
    try:
        with urllib.request.urlopen(request, timeout=20) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def said(answer: Json) -> str:
    """The text of an answer, or the message of a refusal."""
    if "error" in answer:
        return str(answer["error"]["message"])
    parts = answer["candidates"][0]["content"]["parts"]
    return "".join(part.get("text", "") for part in parts)


def user(*parts: Json) -> Json:
    return {"role": "user", "parts": list(parts)}


def model(*parts: Json) -> Json:
    return {"role": "model", "parts": list(parts)}


def call(name: str, number: int, **more: Any) -> Json:
    return {"functionCall": {"id": f"c{number}", "name": name, "args": {}}, **more}


def reply(name: str, number: int, **more: Any) -> Json:
    return {"functionResponse": {"id": f"c{number}", "name": name, "response": {"output": "done"}, **more}}


ASKED = user({"text": "How much?"})
CALLED = model(call("look", 1, thoughtSignature=BYPASS), call("find", 2))
REPLIED = user(reply("look", 1, parts=[PICTURE]), reply("find", 2))


def conversation() -> Json:
    """A right one: a question, two calls at once, their replies with a picture in the first."""
    return {"contents": copy.deepcopy([ASKED, CALLED, REPLIED])}


def for_old() -> Json:
    """The same as 2.x wants it: the picture beside its reply, no ids needed."""
    return {"contents": [ASKED, CALLED, user(PICTURE, reply("look", 1), reply("find", 2))]}


@pytest.mark.parametrize("asked", [NEW, MIDDLE, "gemini-3.6-flash", "gemini-4-neon", "gemini-flash-latest"])
def test_a_right_conversation_is_answered(server: GeminiServer, asked: str) -> None:
    server.says("Much.")
    status, answer = posted(server, conversation(), asked)
    assert (status, said(answer)) == (200, "Much.")
    assert answer["modelVersion"] == asked


def test_the_older_form_is_answered_by_2(server: GeminiServer) -> None:
    server.says("Much.")
    assert said(posted(server, for_old(), OLD)[1]) == "Much."


# Requests that are wrong in one point. Each is a change of the right one, the model that is asked, what is said to it
# ("" where the answer comes and is empty), and why.

Wrong = tuple[Callable[[Json], Any], str, str]


def turns(*contents: Json) -> Callable[[Json], Any]:
    return lambda body: body.update(contents=list(contents))


def config(**fields: Any) -> Callable[[Json], Any]:
    return lambda body: body.update(generationConfig=fields)


def response(number: int, **fields: Any) -> Callable[[Json], Any]:
    return lambda body: body["contents"][2]["parts"][number]["functionResponse"].update(fields)


REFUSED: dict[str, Wrong] = {
    "no contents": (turns(), NEW, "contents is not specified"),
    "a turn without parts": (turns(user()), NEW, "parts must not be empty"),
    "a part without content": (turns(user({"thought": True})), NEW, "must have one initialized field"),
    "a part with two contents": (turns(user({"text": "?", **PICTURE})), NEW, "must have one initialized field"),
    "a role that is none": (turns({"role": "tool", "parts": [{"text": "?"}]}), NEW, "valid role"),
    "the model first": (turns(model({"text": "Hm."}), ASKED), NEW, "begin with a user"),
    "two turns of the user": (turns(ASKED, ASKED), NEW, "alternate"),
    "two turns of the model": (turns(ASKED, model({"text": "A"}), model({"text": "B"}), ASKED), NEW, "alternate"),
    "the model last": (turns(ASKED, model({"text": "It is"})), "gemini-3.6-flash", "end with a model turn"),
    "the model last, Lite": (turns(ASKED, model({"text": "It"})), "gemini-3.5-flash-lite", "end with a model turn"),
    "a call of the user's": (turns(user(call("look", 1))), NEW, "cannot stand"),
    "a reply of the model's": (turns(ASKED, model(reply("look", 1)), ASKED), NEW, "cannot stand"),
    "a reply without a call": (turns(ASKED, model({"text": "A"}), user(reply("look", 1))), NEW, "immediately after"),
    "a reply too few": (turns(ASKED, CALLED, user(reply("look", 1))), NEW, "number of function response parts"),
    "no reply": (turns(ASKED, CALLED, ASKED), NEW, "number of function response parts"),
    "a reply too many": (turns(ASKED, model(call("look", 1, thoughtSignature=BYPASS)), REPLIED), NEW, "number of"),
    "a reply without a name": (response(0, name=""), NEW, "required field"),
    "a reply that is no object": (response(0, response="done"), NEW, "required field"),
    "pictures inside a reply, 2.x": (lambda _: None, OLD, "not supported for this model"),
    "no signature": (turns(ASKED, model(call("look", 1)), user(reply("look", 1))), MIDDLE, "missing a thought_sign"),
    "an invented signature": (
        turns(ASKED, model(call("look", 1, thoughtSignature="AAAA")), user(reply("look", 1))),
        NEW,
        "Corrupted thought signature.",
    ),
    "an unknown field": (lambda body: body.update(temprature=1), NEW, 'Unknown name "temprature"'),
    "an unknown field of a part": (turns(user({"text": "?", "mime": "a"})), NEW, "'contents[0].parts[0]'"),
    "an unknown field of a call": (response(0, tool_call_id="c1"), NEW, 'Unknown name "toolCallId"'),
    "an unknown field of a schema": (
        lambda body: body.update(
            tools=[
                {
                    "functionDeclarations": [
                        {"name": "look", "parameters": {"properties": {"a": {"type": "STRING", "$ref": "b"}}}}
                    ]
                }
            ]
        ),
        NEW,
        'Unknown name "$ref"',
    ),
    "a temperature": (config(temperature=0.5), "gemini-3.6-flash", "temperature"),
    "top_p": (config(top_p=0.5), "gemini-3.8-flash", "topP"),
    "top_k": (config(topK=3), "gemini-4-neon", "topK"),
    "a budget of thinking, 4": (config(thinkingConfig={"thinking_budget": 0}), "gemini-4-neon", "Thinking budget"),
    "a budget and a level": (
        config(thinkingConfig={"thinkingBudget": 9, "thinkingLevel": "LOW"}),
        MIDDLE,
        "cannot both be set",
    ),
    "a level of thinking that is none": (config(thinkingConfig={"thinkingLevel": "DEEP"}), NEW, "thinking_level"),
    "ultra high for all": (config(mediaResolution="MEDIA_RESOLUTION_ULTRA_HIGH"), NEW, "can only be set for a part"),
    "explicit caching, 4": (lambda body: body.update(cachedContent="cachedContents/x"), "gemini-4-argon", "caching"),
    "a kind of picture": (
        turns(user({"inlineData": {"mimeType": "image/tiff", "data": PIXELS}})),
        NEW,
        "Unsupported MIME type: image/tiff",
    ),
    "no base64": (turns(user({"inlineData": {"mimeType": "image/png", "data": "%%%"}})), NEW, "Base64"),
    "an empty picture": (turns(user({"inlineData": {"mimeType": "image/png", "data": ""}})), NEW, "empty"),
}
SILENT: dict[str, Wrong] = {
    "no id on a reply": (response(1, id=None), NEW, "has the id None, its call c2"),
    "another id on a reply": (response(1, id="c1"), NEW, "has the id c1, its call c2"),
    "no id on a call": (lambda body: body["contents"][1]["parts"][1]["functionCall"].pop("id"), NEW, "has no id"),
    "another name": (response(1, name="look"), MIDDLE, "stands where that of find is expected"),
    "another order": (lambda body: body["contents"][2]["parts"].reverse(), NEW, "stands where that of look"),
    "a picture beside the replies": (turns(ASKED, CALLED, for_old()["contents"][2]), NEW, "beside the reply"),
    "a picture after the replies": (turns(ASKED, CALLED, user(*REPLIED["parts"], PICTURE)), MIDDLE, "beside the reply"),
}


@pytest.mark.parametrize("wrong", REFUSED)
def test_a_wrong_request_is_refused(server: GeminiServer, wrong: str) -> None:
    change, asked, why = REFUSED[wrong]
    server.says("Not for this request.")

    with server.expects(""):
        status, answer = posted(server, changed(change), asked)

    assert status == 400
    assert answer["error"]["status"] == "INVALID_ARGUMENT"
    assert why in said(answer)
    assert server.replies_left == 1


@pytest.mark.parametrize("wrong", SILENT)
def test_what_does_not_fit_together_has_an_empty_answer(server: GeminiServer, wrong: str) -> None:
    change, asked, why = SILENT[wrong]
    server.says("Not for this request.")

    with server.expects(why):
        status, answer = posted(server, changed(change), asked)

    assert status == 200
    assert answer["candidates"] == [{"index": 0, "content": {"role": "model", "parts": []}, "finishReason": "STOP"}]
    assert server.replies_left == 1


def changed(change: Callable[[Json], Any]) -> Json:
    body = conversation()
    change(body)
    return body


def test_what_a_person_adds_after_the_replies_is_no_picture_of_theirs(server: GeminiServer) -> None:
    server.says("Fine.")
    body = {"contents": [ASKED, CALLED, user(*REPLIED["parts"], {"text": "And this?"}, PICTURE)]}
    assert said(posted(server, body)[1]) == "Fine."


def test_a_level_of_thinking_is_for_3_and_later_and_sampling_for_those_before_3_6(server: GeminiServer) -> None:
    body = {"contents": [ASKED], "generationConfig": {"thinkingConfig": {"thinkingLevel": "low"}}}
    with server.expects("Thinking level is not supported"):
        assert posted(server, body, OLD)[0] == 400
    server.says("Fine.")
    server.says("Fine.")
    assert posted(server, body)[0] == 200
    assert posted(server, {"contents": [ASKED], "generationConfig": {"temperature": 1}}, NEW)[0] == 200


def test_a_fault_fails_the_test_that_made_it() -> None:
    with pytest.raises(BrokenRules, match=r"gemini-3\.5-flash.*alternate"), GeminiServer() as server:
        posted(server, {"contents": [ASKED, ASKED]})


# Signatures


def signed(server: GeminiServer, **how: Any) -> Json:
    """The turn of the model as it came, with two calls and the signature of the first."""
    server.calls_at_once([("look", {}), ("find", {})])
    _, answer = posted(server, {"contents": [ASKED]}, **how)
    parts = answer["candidates"][0]["content"]["parts"]
    assert ["thoughtSignature" in part for part in parts] == [True, False]
    assert len({part["functionCall"]["id"] for part in parts}) == 2
    return model(*parts)


def after(turn: Json) -> Json:
    calls = [part["functionCall"] for part in turn["parts"]]
    replies = [{"functionResponse": {"id": c["id"], "name": c["name"], "response": {"output": ""}}} for c in calls]
    return {"contents": [ASKED, turn, user(*replies)]}


def test_a_signature_comes_back_byte_for_byte_on_its_own_part(server: GeminiServer) -> None:
    turn = signed(server)
    server.says("Fine.")
    assert said(posted(server, after(turn))[1]) == "Fine."

    first, second = turn["parts"]
    signature = first["thoughtSignature"]
    for wrong in (
        model({**first, "thoughtSignature": signature[:-4] + "AAA="}, second),
        model({**first, "thoughtSignature": BYPASS}, {**second, "thoughtSignature": signature}),
        model({**first, "functionCall": {**first["functionCall"], "args": {"a": 1}}}, second),
    ):
        with server.expects("a signature"):
            status, answer = posted(server, after(wrong))
        assert (status, said(answer)) == (400, "Corrupted thought signature.")


@pytest.mark.parametrize("other", [{"model": "gemini-3.6-flash"}, {"key": "another-key"}, {}])
def test_a_signature_of_another_model_key_or_version_is_corrupted(server: GeminiServer, other: dict[str, str]) -> None:
    turn = signed(server)
    if not other:
        server.forgets_signatures()

    status, answer = posted(server, after(turn), **other)

    assert (status, said(answer)) == (400, "Corrupted thought signature.")
    assert server.faults == []  # who asks cannot have known


def test_an_answer_in_words_is_signed_too_and_a_stream_of_it_in_an_empty_text(server: GeminiServer) -> None:
    server.says("It is much.")
    server.says("It is much.")
    _, answer = posted(server, {"contents": [ASKED]})
    path = f"/v1beta/models/{NEW}:streamGenerateContent?alt=sse"
    request = urllib.request.Request(
        server.url + path, json.dumps({"contents": [ASKED]}).encode(), {"x-goog-api-key": KEY}
    )
    with urllib.request.urlopen(request, timeout=20) as stream:
        last = [json.loads(line[6:]) for line in stream.read().splitlines() if line.startswith(b"data: ")][-1]

    assert set(answer["candidates"][0]["content"]["parts"][0]) == {"text", "thoughtSignature"}
    assert last["candidates"][0]["content"]["parts"][0]["text"] == ""
    assert last["candidates"][0]["content"]["parts"][0]["thoughtSignature"]
    server.says("Fine.")
    turn = model(*answer["candidates"][0]["content"]["parts"])
    assert posted(server, {"contents": [ASKED, turn, ASKED]})[0] == 200


# The request as a whole


def test_what_is_too_large_is_refused(server: GeminiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (gemini_rules.LONGEST_REQUEST, gemini_rules.LONGEST_PDF) == (100_000_000, 50_000_000)
    pdf = {"inlineData": {"mimeType": "application/pdf", "data": base64.b64encode(bytes(3000)).decode()}}
    monkeypatch.setattr(gemini_rules, "LONGEST_PDF", 2999)
    with server.expects("larger than"):
        assert posted(server, {"contents": [user(pdf)]})[0] == 400
    monkeypatch.setattr(gemini_rules, "LONGEST_REQUEST", 3000)
    with server.expects("payload size exceeds the limit"):
        assert posted(server, {"contents": [user(pdf)]})[0] == 400
    with server.expects("3600 images"):
        monkeypatch.setattr(gemini_rules, "LONGEST_REQUEST", 10**9)
        assert posted(server, {"contents": [user(*[PICTURE] * 3601)]})[0] == 400


def test_an_address_that_is_none_and_a_request_without_a_key_are_refused(server: GeminiServer) -> None:
    with server.expects("there is nothing at"):
        assert posted(server, {"contents": [ASKED]}, path=f"/v2/models/{NEW}:generateContent")[0] == 404
    with server.expects("unregistered callers"):
        assert posted(server, {"contents": [ASKED]}, key="")[0] == 403


VERTEX = f"projects/p/locations/global/publishers/google/models/{NEW}:generateContent"


def test_v1_knows_no_resolution_of_a_part_and_vertex_no_store(server: GeminiServer) -> None:
    close = {"contents": [user({**PICTURE, "mediaResolution": {"level": "MEDIA_RESOLUTION_ULTRA_HIGH"}})]}
    kept = {"contents": [ASKED], "store": False}
    for _ in range(4):
        server.says("Fine.")
    assert posted(server, close)[0] == 200
    assert posted(server, kept)[0] == 200
    assert posted(server, kept, path=f"/v1/models/{NEW}:generateContent")[0] == 200
    assert posted(server, conversation(), path=f"/v1beta1/{VERTEX}", key="")[0] == 200
    with server.expects("mediaResolution"):
        assert posted(server, close, path=f"/v1/models/{NEW}:generateContent")[0] == 400
    with server.expects("store"):
        assert posted(server, kept, path=f"/v1beta1/{VERTEX}", key="")[0] == 400


def test_an_answer_goes_on_only_for_the_same_request(server: GeminiServer) -> None:
    token = base64.b64encode(b"go on").decode()
    server.says("It is", finish="CONTINUATION", token=token)
    server.says(" much.")
    _, first = posted(server, {"contents": [ASKED]})
    assert first["candidates"][0]["continuationToken"] == token
    with server.expects("does not belong"):
        assert posted(server, {"contents": [user({"text": "Another"})], "continuationToken": token})[0] == 400
    assert said(posted(server, {"contents": [ASKED], "continuationToken": token})[1]) == " much."


# Files


def uploaded(server: GeminiServer) -> str:
    """The address of a file of `KEY`."""
    headers = {
        "x-goog-api-key": KEY,
        "X-Goog-Upload-Command": "start",
        "X-Goog-Upload-Header-Content-Type": "image/png",
    }
    start = urllib.request.Request(f"{server.url}/upload/v1beta/files", b"{}", headers)
    with urllib.request.urlopen(start, timeout=20) as response:
        session = response.headers["X-Goog-Upload-URL"]
    command = {"X-Goog-Upload-Command": "upload, finalize"}
    with urllib.request.urlopen(urllib.request.Request(session, b"\x89PNG", command), timeout=20) as response:
        return str(json.load(response)["file"]["uri"])


def showing(address: str) -> Json:
    return {"contents": [user({"fileData": {"mimeType": "image/png", "fileUri": address}})]}


def test_a_file_is_its_keys_own_and_gone_when_deleted(server: GeminiServer) -> None:
    file = uploaded(server)
    server.says("Seen.")
    assert posted(server, showing(file))[0] == 200
    with server.expects("do not have permission"):
        assert posted(server, showing(file), key="another-key")[0] == 403
    assert status_of(server, file, "GET", "another-key") == 403
    assert status_of(server, file, "DELETE", "another-key") == 403
    assert status_of(server, file, "DELETE", KEY) == 200
    assert status_of(server, file, "GET", KEY) == 404
    assert posted(server, showing(file))[0] == 403
    assert server.faults == []


def test_a_file_is_ready_when_it_was_asked_for_often_enough(server: GeminiServer) -> None:
    server.polls_until_active = 1
    file = uploaded(server)
    with server.expects("not in an ACTIVE state"):
        assert posted(server, showing(file))[0] == 400
    assert status_of(server, file, "GET", KEY) == 200
    server.says("Seen.")
    assert posted(server, showing(file))[0] == 200


def status_of(server: GeminiServer, address: str, method: str, key: str) -> int:
    try:
        request = urllib.request.Request(address, headers={"x-goog-api-key": key}, method=method)
        with urllib.request.urlopen(request, timeout=20) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code
