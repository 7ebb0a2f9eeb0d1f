"""The service over HTTP: questions, search, pages and conversations, offline and with Gemini's stand-in."""

from __future__ import annotations

import io
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from conversations import KEY
from gemini_server import GeminiServer
from PIL import Image, ImageChops
from service_server import QUESTION, Served, events, served, wait_until
from small_index import REPORT, SLIDES

pytest.importorskip("fastapi", reason="fastapi is not installed: the extra http brings it")

PAGE = f"{REPORT} p. 2"
STREAM = {"Accept": "text/event-stream"}


@pytest.fixture(scope="module")
def service(folder: Path) -> Iterator[Served]:
    with served(folder, reasoner="offline") as running:
        yield running


@pytest.fixture
def client(service: Served) -> Iterator[httpx.Client]:
    with service.client() as asking:
        yield asking


def picture(client: httpx.Client, label: str = PAGE, **asked: object) -> Image.Image:
    reply = client.get(f"/pages/{quote(label, safe='')}.png", params=asked)
    assert reply.status_code == 200, reply.text
    assert reply.headers["content-type"] == "image/png"
    return Image.open(io.BytesIO(reply.content)).convert("RGB")


# questions


def test_a_question_is_answered_with_citations(client: httpx.Client) -> None:
    reply = client.post("/ask", json={"question": QUESTION})
    assert reply.status_code == 200
    said = reply.json()
    assert said["citations"][0] == {"label": PAGE, "document": REPORT, "page": 2, "region": None}
    assert "4.2 billion" in said["answer"]
    assert said["found"]
    assert said["hits"][0]["label"] == PAGE
    assert said["question"] == QUESTION
    assert said["usage"]["model_calls"] == 3
    assert said["seconds"] > 0


def test_a_stream_tells_the_steps_the_pieces_the_checked_answer_and_what_it_took(client: httpx.Client) -> None:
    with client.stream("POST", "/ask", json={"question": QUESTION}, headers=STREAM) as reply:
        assert reply.headers["content-type"].startswith("text/event-stream")
        told = list(events(reply.iter_lines()))
    names = [name for name, _ in told]
    assert names[0] == "start"
    assert [data["kind"] for name, data in told if name == "step"] == ["search", "view"]
    assert names[-2:] == ["answer", "usage"]
    answer = told[-2][1]
    assert "".join(data["text"] for name, data in told if name == "piece") == answer["answer"]
    assert answer["thread_id"] == told[0][1]["thread_id"]
    assert told[-1][1]["seconds"] > 0


def test_what_narrows_a_question_holds_for_its_search(client: httpx.Client) -> None:
    said = client.post("/ask", json={"question": QUESTION, "documents": [SLIDES]}).json()
    assert {hit["document"] for hit in said["hits"]} == {SLIDES}


@pytest.mark.parametrize(
    ("asked", "status", "part"),
    [
        ({"question": "  "}, 422, "the question is empty"),
        ({}, 422, "question"),
        ({"question": QUESTION, "documents": ["nothing.pdf"]}, 404, "nothing.pdf"),
        ({"question": QUESTION, "where": "year >>"}, 422, "year >>"),
        ({"question": QUESTION, "thread_id": "../../x"}, 422, "thread_id"),
        ({"question": QUESTION, "modle": "x"}, 422, "modle"),
        ({"question": 5}, 422, "question"),
        ({"question": "a" * 30_000}, 422, "question"),
        ([], 422, "body"),
    ],
)
@pytest.mark.parametrize("headers", [{}, STREAM], ids=["json", "events"])
def test_what_cannot_be_asked_is_a_problem(
    client: httpx.Client, asked: object, status: int, part: str, headers: dict[str, str]
) -> None:
    reply = client.post("/ask", json=asked, headers=headers)
    assert reply.status_code == status
    assert reply.headers["content-type"] == "application/problem+json"
    problem = reply.json()
    assert problem["status"] == status
    assert part in problem["detail"]
    assert problem["type"].startswith("urn:pagesight:")


def test_an_answer_can_be_asked_for_without_a_model(folder: Path) -> None:
    with served(folder, google_base_url="http://127.0.0.1:9") as running, running.client() as client:
        said = client.post("/ask", json={"question": QUESTION, "offline": True}).json()
        assert (said["reasoner"], said["citations"][0]["label"]) == ("offline", PAGE)


# with a language model


@pytest.fixture
def gemini(server: GeminiServer, folder: Path) -> Iterator[tuple[GeminiServer, Served]]:
    settings = {"google_base_url": server.url, "google_api_key": KEY, "reasoner": "google_genai:gemini-3.8-flash"}
    with served(folder, service_questions=1, service_queue=1, **settings) as running:
        yield server, running


def test_a_draft_that_goes_back_is_told_from_the_answer(gemini: tuple[GeminiServer, Served]) -> None:
    server, running = gemini
    server.calls("view_pages", pages=[PAGE])
    server.says(f"It rose to 4.2 billion euros [{REPORT} p. 7].")  # which was not shown
    server.says(f"Net revenue rose to 4.2 billion euros in 2023 [{PAGE}].")
    with (
        running.client() as client,
        client.stream("POST", "/ask", json={"question": QUESTION}, headers=STREAM) as reply,
    ):
        told = list(events(reply.iter_lines()))
    names = [name for name, _ in told]
    draft = names.index("draft")
    assert "[annual-report.pdf p. 7" in told[draft][1]["text"]
    after = [data["text"] for name, data in told[draft:] if name == "piece"]
    answer = next(data for name, data in told if name == "answer")
    assert "".join(after) == answer["answer"] == f"Net revenue rose to 4.2 billion euros in 2023 [{PAGE}]."
    assert answer["claims"][0]["outcome"] == "supported"
    assert answer["usage"]["input_tokens"] > 0


def test_effort_and_dollars_go_with_the_question(gemini: tuple[GeminiServer, Served]) -> None:
    server, running = gemini
    for _ in range(2):
        server.calls("search_pages", query="net revenue")
        server.says("Not found in these documents.")
    with running.client() as client:
        asked = {"question": QUESTION, "effort": "low", "dollars": 0.0000001}
        assert client.post("/ask", json=asked).status_code == 200
        thinking = server.model_requests[0].body["generationConfig"]["thinkingConfig"]
        assert str(thinking["thinkingLevel"]).lower() == "low"
        assert len(server.model_requests) <= 2
        assert client.post("/ask", json={"question": QUESTION}).status_code == 200
        assert "thinkingConfig" not in server.model_requests[-1].body.get("generationConfig", {})
        assert client.post("/ask", json={"question": QUESTION, "dollars": 0}).status_code == 422


@pytest.mark.parametrize("headers", [{}, STREAM], ids=["json", "events"])
def test_who_hangs_up_ends_the_run_and_its_cost(gemini: tuple[GeminiServer, Served], headers: dict[str, str]) -> None:
    server, running = gemini
    server.seconds_of_silence = 1.0
    for _ in range(10):
        server.calls("search_pages", query="net revenue")

    body = json.dumps({"question": QUESTION}).encode()
    lines = [
        "POST /ask HTTP/1.1", f"Host: {running.address.removeprefix('http://')}",
        f"Authorization: Bearer {running.sent['owner']}", "Content-Type: application/json",
        f"Content-Length: {len(body)}", *(f"{name}: {value}" for name, value in headers.items()), "", "",
    ]  # fmt: skip
    host, port = running.address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall("\r\n".join(lines).encode() + body)
        wait_until(lambda: len(server.model_requests) >= 2)
    asked = len(server.model_requests)
    time.sleep(2.5)
    assert len(server.model_requests) <= asked + 1  # one may have left while the client did
    with running.client() as client:  # and its place is free
        server.seconds_of_silence = 0.0
        server._replies.clear()
        server.says("Not found in these documents.")
        assert client.post("/ask", json={"question": QUESTION}).status_code == 200
        assert 'pagesight_questions_total{outcome="stopped"} 1.0' in client.get("/metrics").text


def test_beyond_the_queue_questions_are_refused_with_when_to_retry(gemini: tuple[GeminiServer, Served]) -> None:
    server, running = gemini
    server.seconds_of_silence = 1.5
    for _ in range(4):
        server.says("Not found in these documents.")
    replies: list[httpx.Response] = []
    waiting: list[tuple[str, object]] = []

    def ask(headers: dict[str, str]) -> None:
        with running.client() as client:
            reply = client.post("/ask", json={"question": QUESTION}, headers=headers)
            replies.append(reply)
            waiting.extend(event for event in events(iter(reply.text.splitlines())) if event[0] == "waiting")

    threads = [threading.Thread(target=ask, args=(STREAM,)) for _ in range(3)]
    for thread in threads:
        thread.start()
        time.sleep(0.3)
    for thread in threads:
        thread.join()
    assert sorted(reply.status_code for reply in replies) == [200, 200, 429]
    refused = next(reply for reply in replies if reply.status_code == 429)
    assert int(refused.headers["retry-after"]) >= 1
    assert "ask again in" in refused.json()["detail"]
    assert waiting == [("waiting", {"position": 1})]


def test_a_model_that_fails_is_a_problem_also_in_a_stream(gemini: tuple[GeminiServer, Served]) -> None:
    server, running = gemini
    server.fails(403, "PERMISSION_DENIED", "API key not valid", reason="API_KEY_INVALID")
    server.fails(403, "PERMISSION_DENIED", "API key not valid", reason="API_KEY_INVALID")
    with running.client() as client:
        reply = client.post("/ask", json={"question": QUESTION})
        assert reply.status_code == 502
        assert reply.json()["type"] == "urn:pagesight:key-refused"
        assert KEY not in reply.text
        streamed = client.post("/ask", json={"question": QUESTION}, headers=STREAM)
        name, problem = list(events(iter(streamed.text.splitlines())))[-1]
        assert (name, problem["type"]) == ("error", "urn:pagesight:key-refused")


def test_a_question_that_takes_too_long_is_ended(server: GeminiServer, folder: Path) -> None:
    server.seconds_of_silence = 3.0
    settings = {"google_base_url": server.url, "google_api_key": KEY, "service_seconds": 0.5}
    with served(folder, **settings) as running, running.client() as client:
        reply = client.post("/ask", json={"question": QUESTION})
        assert (reply.status_code, reply.json()["title"]) == (504, "Out of time")


# search and pages


def test_search_finds_pages_by_body_and_by_address(client: httpx.Client) -> None:
    found = client.post("/search", json={"query": "net revenue by region", "top_k": 2}).json()
    assert [hit["label"] for hit in found["hits"]][:1] == [PAGE]
    assert len(found["hits"]) == 2
    assert client.get("/search", params={"query": "net revenue by region", "top_k": 2}).json() == found
    assert client.post("/search", json={"query": ""}).status_code == 422
    assert client.post("/search", json={"query": "x", "top_k": 0}).status_code == 422


def test_a_page_comes_whole_and_as_large_as_asked_for(client: httpx.Client) -> None:
    whole = picture(client)
    assert abs(whole.width - 595 / 72 * 96 * 1.5) < 3
    assert picture(client, width=400).width == pytest.approx(400, abs=1)
    assert picture(client, zoom=1).width == pytest.approx(595 / 72 * 96, abs=2)
    assert picture(client, f"{SLIDES} p. 1", width=300).width == pytest.approx(300, abs=1)


def test_a_page_is_found_by_its_key_too(client: httpx.Client) -> None:
    facts = client.get(f"/pages/{quote(PAGE)}.json").json()
    assert (facts["label"], facts["page"], facts["pages"]) == (PAGE, 2, 8)
    assert (facts["previous"], facts["next"]) == (f"{REPORT} p. 1", f"{REPORT} p. 3")
    assert "4.2 billion" in facts["text"]
    assert client.get(f"/pages/{facts['key']}.json").json() == facts
    wrong = client.get(f"/pages/{facts['document_id']}:99.json")
    assert (wrong.status_code, wrong.json()["detail"]) == (404, f"{REPORT} has pages 1 to 8, not 99")


def test_a_region_is_rendered_anew_with_its_marks_in_place(client: httpx.Client) -> None:
    box = "0.1,0.05,0.6,0.15"
    marked = picture(client, width=1000, box=box)
    changed = ImageChops.difference(marked, picture(client, width=1000)).getbbox()
    assert changed
    edges = [edge / size for edge, size in zip(changed, marked.size * 2, strict=True)]
    assert edges == pytest.approx([0.1, 0.05, 0.6, 0.15], abs=0.01)
    part = picture(client, region="0,0,200,1000", width=1000, box=box)
    assert part.width == pytest.approx(1000, abs=1)
    assert part.height == pytest.approx(marked.height / 5, abs=2)
    changed = ImageChops.difference(part, picture(client, region="0,0,200,1000", width=1000)).getbbox()
    assert changed
    assert changed[3] / part.height == pytest.approx(0.75, abs=0.03)  # 0.15 of the page in a fifth of it


def test_the_words_of_a_query_each_have_a_map(client: httpx.Client) -> None:
    words = client.get("/words", params={"query": "net revenue by region"}).json()["words"]
    assert {"net", "revenue", "region"} <= set(words)
    maps = [picture(client, width=200, query="net revenue by region", show="map", word=word) for word in words[:2]]
    assert ImageChops.difference(*maps).getbbox()


@pytest.mark.parametrize(
    "asked", [{"query": "net revenue"}, {"query": "net revenue", "show": "map"}, {"outline": "100,100,300,900"}]
)
def test_marks_change_the_picture(client: httpx.Client, asked: dict[str, str]) -> None:
    assert ImageChops.difference(picture(client, width=500, **asked), picture(client, width=500)).getbbox()


def test_who_has_a_picture_is_not_sent_it_again(client: httpx.Client) -> None:
    address = f"/pages/{quote(PAGE)}.png?width=200"
    first = client.get(address)
    again = client.get(address, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = client.get(address + "&query=revenue", headers={"If-None-Match": first.headers["etag"]})
    assert other.status_code == 200


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        ({"region": "1,2"}, "four numbers"), ({"region": "500,0,100,1000"}, "region"), ({"box": "0,0,2,1"}, "a box"),
        ({"outline": "a,b,c,d"}, "four numbers"), ({"width": 100_000}, "width"), ({"zoom": 0}, "zoom"),
        ({"box": ["0,0,1,1"] * 300}, "too many"), ({"query": "revenue", "show": "map", "word": "pump"}, "pump"),
    ],
)  # fmt: skip
def test_a_picture_that_cannot_be_is_a_problem(client: httpx.Client, asked: dict[str, object], part: str) -> None:
    reply = client.get(f"/pages/{quote(PAGE)}.png", params=asked)
    assert reply.status_code == 422
    assert part in reply.json()["detail"]


def test_a_text_that_cites_pages_is_checked_by_their_words(client: httpx.Client) -> None:
    text = f"Net revenue rose to 4.2 billion euros [{PAGE}]. Net revenue rose to 4.7 billion euros [{PAGE}]."
    right, wrong = client.post("/claims", json={"text": text}).json()["claims"]
    assert (right["outcome"], wrong["outcome"]) == ("supported", "unsupported")
    (evidence,) = right["evidence"]
    assert evidence["label"] == PAGE
    assert evidence["boxes"]


# conversations


def test_a_conversation_goes_on_is_read_back_and_is_deleted(client: httpx.Client) -> None:
    client.post("/ask", json={"question": QUESTION, "thread_id": "talk"})
    client.post("/ask", json={"question": "And how many people worked for the group?", "thread_id": "talk"})
    (kept,) = [one for one in client.get("/threads").json()["threads"] if one["thread_id"] == "talk"]
    assert (kept["title"], kept["questions"]) == (QUESTION, 2)
    said = client.get("/threads/talk").json()
    assert said["turns"][0]["question"] == QUESTION
    assert said["turns"][0]["answer"]["citations"][0]["label"] == PAGE
    assert said["turns"][0]["answer"]["thread_id"] == "talk"
    assert "searched" in said["turns"][0]["steps"][0]
    assert client.delete("/threads/talk").status_code == 204
    assert client.get("/threads/talk").status_code == 404
    assert client.delete("/threads/talk").status_code == 404


def test_a_question_in_the_place_of_another_begins_a_conversation_with_what_was_before_it(client: httpx.Client) -> None:
    for question in (QUESTION, "How many people worked for the group?", "And Asia?"):
        client.post("/ask", json={"question": question, "thread_id": "root"})
    other = {"question": "What rose?", "thread_id": "other", "instead_of": {"thread_id": "root", "question": 1}}
    assert client.post("/ask", json=other).status_code == 200
    listed = {one["thread_id"]: one["asked"] for one in client.get("/threads").json()["threads"]}
    assert listed["other"] == [QUESTION, "What rose?"]
    assert len(listed["root"]) == 3
    first = client.get("/threads/other").json()["turns"][0]
    assert first["answer"]["citations"][0]["label"] == PAGE  # what was shown then counts as shown
    assert client.post("/ask", json=other).status_code == 409
    unknown = {**other, "thread_id": "more", "instead_of": {"thread_id": "nothing", "question": 0}}
    assert client.post("/ask", json=unknown).status_code == 404
    past = {**unknown, "instead_of": {"thread_id": "root", "question": 3}}
    assert client.post("/ask", json=past).status_code == 404
    for thread in ("root", "other"):
        client.delete(f"/threads/{thread}")


def test_a_conversation_is_had_as_a_report_by_those_without_a_boundary(service: Served, client: httpx.Client) -> None:
    client.post("/ask", json={"question": f"{QUESTION} <b>", "thread_id": "report"})
    reply = client.get("/threads/report/report")
    assert reply.headers["content-disposition"].startswith("attachment")
    assert "4.2 billion" in reply.text
    assert "&lt;b&gt;" in reply.text
    assert "data:image/" in reply.text
    assert client.get("/threads/nothing/report").status_code == 404


def test_conversations_are_there_after_a_new_start_and_apart_from_the_chats(folder: Path) -> None:
    with served(folder, reasoner="offline") as running, running.client() as client:
        client.post("/ask", json={"question": QUESTION, "thread_id": "kept"})
    with served(folder, reasoner="offline") as running, running.client() as client:
        assert len(client.get("/threads/kept").json()["turns"]) == 1
    assert not (folder / "threads.db").exists()


# the rest


def test_what_openapi_shows_is_what_is_answered(service: Served, client: httpx.Client) -> None:
    told = httpx.get(f"{service.address}/openapi.json").json()
    paths = {
        "/ask", "/search", "/documents", "/documents/{name}", "/documents/{document_id}/file", "/jobs/{job_id}",
        "/pages/{label}.png", "/pages/{label}.json", "/threads", "/threads/{thread_id}", "/me", "/session", "/metrics",
        "/healthz", "/words", "/jobs", "/claims", "/threads/{thread_id}/report", "/agui", "/encoders", "/sweeps",
        "/sweeps/file", "/jobs/{job_id}/confirm", "/pages/{label}/similar", "/corrections", "/pages/{label}/words",
        "/pages/{label}/corrections", "/pages/{label}/corrections/{known}",
    }  # fmt: skip
    assert set(told["paths"]) == paths
    schemas = told["components"]["schemas"]
    for name in ("AskRequest", "SearchRequest", "AnswerReply", "SearchReply", "JobReply", "PageReply", "ProblemReply"):
        (example,) = schemas[name]["examples"]
        missing = set(schemas[name].get("required", [])) - set(example)
        assert not missing, name
    asked = schemas["SearchRequest"]["examples"][0]
    found = client.post("/search", json={**asked, "where": None})
    assert found.status_code == 200
    example = schemas["AnswerReply"]["examples"][0]
    assert set(client.post("/ask", json={"question": QUESTION}).json()) == set(example)


def test_health_metrics_and_what_the_token_may(service: Served, client: httpx.Client) -> None:
    assert httpx.get(f"{service.address}/healthz").json() == {"status": "ok"}
    client.post("/ask", json={"question": QUESTION})
    text = client.get("/metrics").text
    assert 'pagesight_questions_total{outcome="answered"}' in text
    assert 'pagesight_requests_total{method="POST",route="/ask",status="200"}' in text
    assert "pagesight_event_loop_lag_seconds_bucket" in text
    assert REPORT not in text
    me = client.get("/me").json()
    assert (me["documents"], me["pages"], me["reasoner"]) == (4, 12, "offline")
    assert "GOOGLE_API_KEY" not in json.dumps(me) or "with one" in me["why"]


def test_what_an_answer_cost_is_in_the_ledger(service: Served, folder: Path) -> None:
    with service.client() as client:
        client.post("/ask", json={"question": QUESTION})
    rows = [json.loads(line) for line in (folder / "costs.jsonl").read_text().splitlines()]
    assert rows[-1]["kind"] == "ask"
