"""What comes of answers in the shapes that the real service gives them."""

from __future__ import annotations

import gemini_recordings
import pytest
from conversations import WAYS, agent_at, asked, followed, steps
from gemini_server import GeminiServer, Reply
from langgraph.checkpoint.memory import InMemorySaver
from small_index import REPORT

from pagesight.indexing import PageIndex
from pagesight.indexing.errors import ReasonerError

CITED = f"4.2 billion [{REPORT} p. 2]."
LOOK = ("view_pages", {"pages": [f"{REPORT} p. 2"]})
SEARCH = ("search_pages", {"query": "net revenue"})


@pytest.mark.parametrize("way", WAYS)
async def test_thoughts_are_no_part_of_an_answer_and_go_back_as_they_came(
    server: GeminiServer, index: PageIndex, way: str
) -> None:
    agent = agent_at(server, index, checkpointer=InMemorySaver())
    server.replies(gemini_recordings.parallel_calls(LOOK, SEARCH), gemini_recordings.thoughts(CITED))

    items = await followed(way, agent, thread_id="one")
    server.replies(gemini_recordings.signed_at_the_end(CITED))
    again = await asked(way, agent, "Once more?", thread_id="one")

    assert [item for item in items if "Looking" in str(item) or "Reading" in str(item)] == []
    assert items[-1].text == again.text == CITED
    assert items[-1].usage["reasoning_tokens"] == 31 + 57
    parts = server.model_requests[-1].parts
    assert [part["text"][:11] for part in parts if part.get("thought")] == ["**Looking**", "**Reading t"]
    assert sum("thoughtSignature" in part for part in parts) == 2


@pytest.mark.parametrize("way", WAYS)
async def test_a_signature_in_an_empty_text_comes_back(server: GeminiServer, index: PageIndex, way: str) -> None:
    agent = agent_at(server, index, checkpointer=InMemorySaver())
    server.replies(gemini_recordings.signed_at_the_end("Not found in these documents."))
    await asked(way, agent, thread_id="one")
    server.says("Not found in these documents.")
    await asked(way, agent, "Once more?", thread_id="one")
    assert sum("thoughtSignature" in part for part in server.model_requests[-1].parts) == 1


@pytest.mark.parametrize("way", WAYS)
async def test_usage_in_detail_is_counted_once(server: GeminiServer, index: PageIndex, way: str) -> None:
    server.replies(gemini_recordings.usage_in_detail("Not found in these documents."))
    usage = (await asked(way, agent_at(server, index))).usage
    assert (usage["input_tokens"], usage["cached_tokens"]) == (5320, 4096)
    assert (usage["output_tokens"], usage["reasoning_tokens"]) == (41 + 210, 210)
    assert usage["total_tokens"] == 5320 + 41 + 210


@pytest.mark.parametrize("way", WAYS)
async def test_of_several_candidates_the_first_answers(server: GeminiServer, index: PageIndex, way: str) -> None:
    server.calls(LOOK[0], **LOOK[1])
    server.replies(gemini_recordings.several_candidates(CITED, "Another answer.", "A third."))
    assert (await asked(way, agent_at(server, index))).text == CITED


@pytest.mark.parametrize("way", WAYS)
async def test_the_model_that_answered_is_known(server: GeminiServer, index: PageIndex, way: str) -> None:
    agent = agent_at(server, index, checkpointer=InMemorySaver())
    server.replies(gemini_recordings.answered_by("gemini-3.6-flash", "Not found in these documents."))
    await asked(way, agent, thread_id="one")
    kept = (await agent.aget_state({"configurable": {"thread_id": "one"}})).values["messages"]
    assert kept[-1].response_metadata["model_name"] == "gemini-3.6-flash"


@pytest.mark.parametrize("way", ["invoke", "astream"])
@pytest.mark.parametrize(
    ("refusal", "named"),
    [
        (gemini_recordings.quota_used_up("0.2s"), "429 RESOURCE_EXHAUSTED"),
        (gemini_recordings.overloaded(), "503 UNAVAILABLE"),
        (gemini_recordings.too_slow(), "504 DEADLINE_EXCEEDED"),
    ],
)
async def test_what_passes_is_waited_for(
    server: GeminiServer, index: PageIndex, way: str, refusal: Reply, named: str
) -> None:
    server.replies(refusal)
    server.says("Not found in these documents.")
    items = await followed(way, agent_at(server, index, max_retries=2))
    assert not items[-1].found
    if way == "astream":
        assert named in steps(items, "wait")[0]


def test_a_quota_for_the_day_is_an_error_at_once_that_says_so(server: GeminiServer, index: PageIndex) -> None:
    from pagesight.agent import ask

    server.replies(gemini_recordings.quota_used_up("43200s", per_day=True))
    with pytest.raises(ReasonerError, match=r"429 RESOURCE_EXHAUSTED.*quota for the day is used up"):
        ask(agent_at(server, index, max_retries=3), "How much?")
    assert len(server.model_requests) == 1
