"""Images that come with a question: seen by the model, kept once, and never in a thread."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from conversations import WAYS, agent_at, asked
from gemini_server import GeminiServer
from langgraph.checkpoint.memory import InMemorySaver
from PIL import Image
from small_index import REPORT, write_photo

from pagesight.agent import ask, create_page_agent
from pagesight.agent.testing import ScriptedReasoner
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
