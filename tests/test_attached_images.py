"""Images that come with a question: seen by the model, kept once, and never in a thread."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from conversations import WAYS, agent_at, asked
from documents import picture_of_text
from gemini_server import GeminiServer
from langgraph.checkpoint.memory import InMemorySaver
from PIL import Image
from small_index import REPORT, SHEET, small_settings, write_photo

from pagesight.agent import ask, create_page_agent
from pagesight.agent.cli import main
from pagesight.agent.testing import ScriptedReasoner, calls
from pagesight.indexing import PageIndex
from pagesight.indexing.errors import RequestError, SettingsError

NOT_FOUND = "Not found in these documents."
THREAD: Any = {"configurable": {"thread_id": "one"}}


@pytest.mark.parametrize("way", WAYS)
async def test_the_model_sees_the_images_of_a_question(server: GeminiServer, index: PageIndex, way: str) -> None:
    server.calls("view_pages", pages=[f"{REPORT} p. 2"])
    server.says(f"4.2 billion [{REPORT} p. 2].")
    server.says(NOT_FOUND)
    photo, memory = write_photo(Path("photo.png")), InMemorySaver()
    agent = agent_at(server, index, checkpointer=memory)
    data = io.BytesIO()
    Image.new("RGB", (5000, 300), "red").save(data, "PNG")

    answer = await asked(way, agent, "Is that in the report?", images=[photo, data.getvalue()], thread_id="one")
    await asked(way, agent, "And what else?", thread_id="one")

    assert [citation.label for citation in answer.citations] == [f"{REPORT} p. 2"]
    assert [len(request.pictures) for request in server.model_requests] == [2, 3, 3]
    shown = [Image.open(io.BytesIO(picture)) for _, picture in server.model_requests[0].pictures]
    assert [image.size for image in shown] == [(640, 480), (2048, 123)]
    state = (await agent.aget_state(THREAD)).values
    assert len(str(state)) < 8_000
    assert all(picture not in str(memory.storage).encode("latin-1", "ignore") for _, picture in
               server.model_requests[0].pictures)  # fmt: skip


def test_an_image_is_kept_once_and_its_loss_is_told(index: PageIndex) -> None:
    model = ScriptedReasoner(script=[NOT_FOUND] * 3)
    agent = create_page_agent(index, model=model, checkpointer=InMemorySaver())
    image = Image.new("RGB", (40, 30), "blue")
    for _ in range(2):
        ask(agent, "What is that?", images=[image], thread_id="one")
    (kept,) = [path for path in (index.path / "attached").iterdir() if Image.open(path).size == (40, 30)]
    assert kept.stat().st_mode & 0o777 == 0o600
    kept.unlink()
    ask(agent, "And that?", thread_id="one")
    assert "not kept here any more" in model.requests[-1].texts[1]


@pytest.mark.parametrize("image", ["nowhere.png", b"no image", 7, None])
def test_what_is_no_image_is_told_before_a_call_is_paid(index: PageIndex, image: Any) -> None:
    model = ScriptedReasoner(script=[])
    with pytest.raises(RequestError, match="the image"):
        ask(create_page_agent(index, model=model), "What is that?", images=[image])
    with pytest.raises(SettingsError, match="offline sees no pictures"):
        ask(create_page_agent(index, model="offline"), "What is that?", images=[Image.new("RGB", (9, 9))])


def test_the_model_searches_by_an_image_and_by_a_region(index: PageIndex) -> None:
    with PageIndex.open(index.path, settings=small_settings(ocr=True)) as reading:
        image = picture_of_text([("At the end of the year 5310", 40, 40), ("people worked for the group", 40, 90)])
        script: list[Any] = [
            calls("search_pages", query="", like="image 1"),
            calls("search_pages", query="", like=f"[{REPORT} p. 4, region 0,0,300,1000]"),
            calls("search_pages", query="", like="image 2"),
            calls("search_pages", query="", like=f"{REPORT} p. 99"),
            NOT_FOUND,
        ]
        model = ScriptedReasoner(script=script)
        memory = InMemorySaver()
        agent = create_page_agent(reading, model=model, checkpointer=memory)
        answer = ask(agent, "Is that in the report?", images=[image], thread_id="one")
        replies = [message.content for message in agent.get_state(THREAD).values["messages"] if message.type == "tool"]
        assert f"1. {REPORT} p. 3" in replies[0]
        assert f"1. {REPORT} p. 5" in replies[1]
        assert "there is no image 2: 1 images came with the question" in replies[2]
        assert "has the pages 1 to 8" in replies[3]
        assert {hit.label for hit in answer.hits} >= {f"{REPORT} p. 3", f"{REPORT} p. 5"}
        model.assert_finished()


def test_a_boundary_holds_for_pages_that_are_asked_with(index: PageIndex) -> None:
    model = ScriptedReasoner(script=[calls("search_pages", query="", like=f"{SHEET} p. 1"), NOT_FOUND])
    agent = create_page_agent(index, model=model, documents=[REPORT], checkpointer=InMemorySaver())
    ask(agent, "What is like it?", thread_id="one")
    (reply,) = [message.content for message in agent.get_state(THREAD).values["messages"] if message.type == "tool"]
    assert "is not among the documents of this conversation" in reply


def test_ask_takes_pictures_on_the_command_line(server: GeminiServer, index: PageIndex, monkeypatch, capsys) -> None:
    monkeypatch.setenv("GOOGLE_API_KEY", "AIza-test-key")
    monkeypatch.setenv("PAGESIGHT_GOOGLE_BASE_URL", server.url)
    server.calls("view_pages", pages=[f"{REPORT} p. 2"])
    server.says(f"4.2 billion [{REPORT} p. 2].")
    photo = str(write_photo(Path("photo.png")))
    place = ["--index", str(index.path)]
    assert main(["ask", "Is that in the report?", "--image", photo, "--image", photo, "--no-evidence", *place]) == 0
    assert [len(request.pictures) for request in server.model_requests] == [2, 3]
    assert main(["ask", "Is that there?", "--image", "none.png", *place]) == 1
    assert "none.png cannot be read" in capsys.readouterr().err
    assert main(["ask", "Is that there?", "--image", photo, "--model", "offline", *place]) == 1
    assert "`pagesight search --image FILE` finds pages" in capsys.readouterr().err


def test_a_chat_takes_a_picture_for_the_next_question(
    server: GeminiServer, index: PageIndex, monkeypatch, capsys
) -> None:
    monkeypatch.setenv("GOOGLE_API_KEY", "AIza-test-key")
    monkeypatch.setenv("PAGESIGHT_GOOGLE_BASE_URL", server.url)
    server.says(NOT_FOUND)
    server.says(NOT_FOUND)
    write_photo(Path("a photo.png"))
    lines = "/image none.png\n/image a photo.png\nIs that there?\n/image\nAnd that?\n"
    monkeypatch.setattr("sys.stdin", io.StringIO(lines))
    assert main(["chat", "--no-pictures", "--index", str(index.path)]) == 0
    told = capsys.readouterr().err
    assert "none.png cannot be read" in told
    assert "with the next question: a photo.png" in told
    assert [len(request.pictures) for request in server.model_requests] == [1, 1]
