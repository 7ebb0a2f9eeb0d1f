"""A page's picture on the wire: in the right place, as the right bytes, by each transport and each way of asking."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pytest
from conversations import QUESTION, WAYS, agent_at, asked, sent
from gemini_server import GeminiServer, Recorded, reply_text
from langgraph.checkpoint.memory import InMemorySaver
from PIL import Image, ImageChops
from small_index import PHOTO, REPORT, SLIDES, small_settings

from pagesight.agent import ask, create_page_agent
from pagesight.agent.reasoners.capabilities import Capabilities
from pagesight.agent.reasoners.choose import make_reasoner
from pagesight.indexing import PageIndex
from pagesight.indexing.errors import SettingsError

TRANSPORTS = ["bytes", "base64", "files"]


def kinds(request: Recorded) -> list[str | list[str]]:
    """What each part is; a reply that holds pictures is the list of their kinds."""
    return [_kind(part) for part in request.parts]


def _kind(part: dict[str, Any]) -> str | list[str]:
    held = [kind for one in part.get("functionResponse", {}).get("parts", []) for kind in one]
    return held or next(key for key in part if key != "thoughtSignature")


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_pages_arrive_as_they_are_rendered(
    server: GeminiServer, index: PageIndex, transport: str, way: str
) -> None:
    labels = [f"{REPORT} p. 3", f"{REPORT} p. 2", f"{PHOTO} p. 1"]
    server.calls("view_pages", pages=labels)
    server.calls("view_pages", pages=[f"{SLIDES} p. 2"], region=[0, 0, 300, 600])
    server.says(f"4.2 billion euros [{REPORT} p. 2].")

    answer = await asked(way, agent_at(server, index, transport=transport))

    assert [citation.label for citation in answer.citations] == [f"{REPORT} p. 2"]
    first, second, third = server.model_requests
    assert all(request.streams == way.endswith("stream") for request in server.model_requests)
    whole = [sent(index, label) for label in labels]
    assert first.pictures == []
    assert second.pictures == whole
    assert third.pictures == [*whole, sent(index, f"{SLIDES} p. 2", (0, 0, 300, 600))]
    assert len({data for _, data in third.pictures}) == 4
    assert [mime for mime, _ in third.pictures] == ["image/webp"] * 4


@pytest.mark.parametrize("model", ["gemini-3.5-flash", "gemini-3-flash-preview", "gemini-2.5-flash"])
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_each_picture_goes_with_the_reply_that_names_it_in_that_order(
    server: GeminiServer, index: PageIndex, transport: str, model: str
) -> None:
    """Inside it, or with 2.x, which refuses that, before it."""
    server.calls_at_once(
        [
            ("view_pages", {"pages": [f"{REPORT} p. 2", f"{REPORT} p. 1"]}),
            ("view_pages", {"pages": [f"{REPORT} p. 3"], "region": [100, 100, 500, 900]}),
        ]
    )
    server.says("Seen.")

    ask(agent_at(server, index, transport=transport, gemini_model=model), QUESTION)

    request = server.model_requests[-1]
    picture = "fileData" if transport == "files" else "inlineData"
    older = [picture, picture, "functionResponse", picture, "functionResponse"]
    replies = older if model == "gemini-2.5-flash" else [[picture, picture], [picture]]
    assert kinds(request) == ["text", "functionCall", "functionCall", *replies]
    assert [content["role"] for content in request.body["contents"]] == ["user", "model", "user"]
    assert f"1. {REPORT} p. 2\n2. {REPORT} p. 1" in request.replies[0]
    assert f"1. {REPORT} p. 3, region 100,100,500,900" in request.replies[1]


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_no_picture_is_written_as_text(server: GeminiServer, index: PageIndex, transport: str) -> None:
    server.calls("view_pages", pages=[f"{REPORT} p. 2"])
    server.says("Seen.")

    ask(agent_at(server, index, transport=transport), QUESTION)

    [reply] = [part for part in server.model_requests[-1].parts if "functionResponse" in part]
    assert len(str(reply["functionResponse"]["response"])) < 1000
    assert set(reply["functionResponse"]["response"]) == {"output"}
    for word in ("base64", "image", "file_id", "pagesight-inline", "extras"):
        assert word not in reply_text(reply)


@pytest.mark.parametrize("region", [None, (50, 100, 150, 700)])
def test_the_picture_shows_the_page_as_it_is_rendered_dot_by_dot(
    server: GeminiServer, index: PageIndex, region: tuple[int, int, int, int] | None
) -> None:
    server.calls("view_pages", pages=[f"{REPORT} p. 2"], region=list(region) if region else None)
    server.says("Seen.")

    ask(agent_at(server, index), QUESTION)

    [(_, data)] = server.model_requests[-1].pictures
    picture = Image.open(io.BytesIO(data)).convert("RGB")
    rendered = index.picture(index.page(f"{REPORT} p. 2"), region=region, long_side=max(picture.size))
    assert ImageChops.difference(picture, rendered).getbbox() is None


def test_a_region_is_rendered_larger_not_cut_out_of_the_page(server: GeminiServer, index: PageIndex) -> None:
    server.calls("view_pages", pages=[f"{REPORT} p. 2"])
    server.calls("view_pages", pages=[f"{REPORT} p. 2"], region=[50, 100, 150, 700])
    server.says("Seen.")

    ask(agent_at(server, index), QUESTION)

    page, closer = (Image.open(io.BytesIO(data)).width for _, data in server.model_requests[-1].pictures)
    assert closer / (0.6 * page) > 2  # the region is 0.6 of the page's width
    inches = 0.6 * index.picture(index.page(f"{REPORT} p. 2"), dpi=72).width / 72
    assert 300 <= closer / inches <= 401


def test_a_page_shown_twice_is_sent_once_and_stays_at_its_place(server: GeminiServer, index: PageIndex) -> None:
    server.calls("view_pages", pages=[f"{REPORT} p. 1", f"{REPORT} p. 2"])
    server.calls("view_pages", pages=[f"{REPORT} p. 2", f"{REPORT} p. 2"])
    server.says("Seen.")

    ask(agent_at(server, index), QUESTION)

    request = server.model_requests[-1]
    assert request.pictures == [sent(index, f"{REPORT} p. 1"), sent(index, f"{REPORT} p. 2")]
    assert kinds(request)[2:] == [["inlineData", "inlineData"], "functionCall", "functionResponse"]
    assert f"1. {REPORT} p. 1\n2. {REPORT} p. 2\n" in request.replies[0]


def test_the_newest_pictures_stay_and_older_ones_become_a_line_of_text(server: GeminiServer, index: PageIndex) -> None:
    for number in (1, 2, 3):
        server.calls("view_pages", pages=[f"{REPORT} p. {number}"])
    server.says(f"Seen [{REPORT} p. 1].")

    answer = ask(agent_at(server, index, images_per_call=2), QUESTION)

    request = server.model_requests[-1]
    assert request.pictures == [sent(index, f"{REPORT} p. 2"), sent(index, f"{REPORT} p. 3")]
    assert f"{REPORT} p. 1 is not attached here any more; to see it again call view_pages" in request.replies[0]
    assert [citation.label for citation in answer.citations] == [f"{REPORT} p. 1"]  # it was shown earlier


def test_a_page_beyond_what_one_call_takes_is_not_evidence(server: GeminiServer, index: PageIndex) -> None:
    server.calls("view_pages", pages=[f"{REPORT} p. {number}" for number in (1, 2, 3)])
    server.says(f"One [{REPORT} p. 1], two [{REPORT} p. 2].")

    answer = ask(agent_at(server, index, images_per_call=2), QUESTION)

    assert [citation.label for citation in answer.citations] == [f"{REPORT} p. 2"]
    assert [citation.label for citation in answer.unverified] == [f"{REPORT} p. 1"]
    assert answer.pages_viewed == [f"{REPORT} p. 2", f"{REPORT} p. 3"]


def test_auto_sends_bytes_to_gemini(server: GeminiServer, index: PageIndex) -> None:
    server.calls("view_pages", pages=[f"{REPORT} p. 2"])
    server.says("Seen.")

    ask(agent_at(server, index), QUESTION)

    assert kinds(server.model_requests[-1])[-1] == ["inlineData"]
    assert server.uploads == []


def test_the_transport_can_change_within_a_conversation(server: GeminiServer, index: PageIndex) -> None:
    memory = InMemorySaver()
    for transport, kind in (("bytes", "inlineData"), ("files", "fileData"), ("base64", "inlineData")):
        server.calls("view_pages", pages=[f"{REPORT} p. 2"])
        server.says("Seen.")
        ask(agent_at(server, index, transport=transport, checkpointer=memory), QUESTION, thread_id="one")
        assert kinds(server.model_requests[-1]).count([kind]) == 1
        assert server.model_requests[-1].pictures == [sent(index, f"{REPORT} p. 2")]


def test_a_transport_that_the_model_cannot_take_is_an_error_at_once(index: PageIndex) -> None:
    from langchain_google_genai import ChatGoogleGenerativeAI

    theirs = ChatGoogleGenerativeAI(model="gemini-test", api_key="AIza-test-key")

    with pytest.raises(SettingsError, match=r"bytes.*PAGESIGHT_TRANSPORT"):
        create_page_agent(index, model=theirs, transport="bytes")
    with pytest.raises(SettingsError, match="not known"):
        create_page_agent(index, model=theirs, transport="pigeon")


@pytest.mark.parametrize("model", ["gemini-2.5-flash", "gemini-3.5-flash"])
def test_a_gemini_model_of_the_users_own_gets_base64(server: GeminiServer, index: PageIndex, model: str) -> None:
    from langchain_google_genai import ChatGoogleGenerativeAI

    theirs = ChatGoogleGenerativeAI(model=model, api_key="AIza-test-key", base_url=server.url)
    server.calls("view_pages", pages=[f"{REPORT} p. 2"])
    server.says("Seen.")

    ask(create_page_agent(index, model=theirs), QUESTION)

    assert server.model_requests[-1].pictures == [sent(index, f"{REPORT} p. 2", model=model)]


def test_a_reasoner_says_what_it_can() -> None:
    from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
    from langchain_google_genai import ChatGoogleGenerativeAI

    ours = make_reasoner("google_genai:gemini-3.5-flash", small_settings()).can
    theirs = make_reasoner(ChatGoogleGenerativeAI(model="gemini-test", api_key="k"), small_settings()).can
    other = make_reasoner(GenericFakeChatModel(messages=iter([])), small_settings()).can
    offline = make_reasoner("offline", small_settings()).can

    assert (ours.raw_parts, theirs.raw_parts, other.raw_parts) == (True, False, False)
    assert theirs == replace(ours, raw_parts=False)
    assert other == Capabilities()
    assert (other.pictures, other.pictures_in_tool_replies, other.webp, other.files) == (True, False, False, False)
    assert not offline.pictures
