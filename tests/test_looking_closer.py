"""Looking closer: regions, neighbours, `locate`; pages as PDF; Vertex AI and pictures in a bucket; resolution."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from conversations import QUESTION, WAYS, agent_at, asked, followed, sent, steps
from gemini_server import GeminiServer
from google.oauth2.credentials import Credentials
from langchain_core.messages import HumanMessage, ToolMessage
from langgraph.graph.state import CompiledStateGraph
from PIL import Image
from small_index import PHOTO, REPORT, SLIDES, small_settings

from pagesight.agent import ask, create_page_agent
from pagesight.agent.reasoners.gemini import GeminiReasoner
from pagesight.indexing import PageIndex
from pagesight.indexing.errors import SettingsError
from pagesight.tools.box_reply import Box2D
from pagesight.tools.gemini_service.picture_tokens import ByResolution
from pagesight.tools.locate import checked
from pagesight.tools.transport.export import write_pages
from pagesight.tools.transport.pictures import Pictures


def replies(agent: CompiledStateGraph) -> list[ToolMessage]:
    state = agent.invoke({"messages": [HumanMessage(QUESTION)]})
    return [message for message in state["messages"] if isinstance(message, ToolMessage)]


# Neighbours


@pytest.mark.parametrize(
    ("page", "neighbours", "shown"),
    [(2, "next", [2, 3]), (2, "previous", [1, 2]), (2, "both", [1, 2, 3]), (8, "next", [8]), (1, "both", [1, 2])],
)
def test_neighbours_are_shown_in_the_order_of_the_pages(
    server: GeminiServer, index: PageIndex, page: int, neighbours: str, shown: list[int]
) -> None:
    server.calls("view_pages", pages=[f"{REPORT} p. {page}"], neighbours=neighbours)
    server.says("Seen.")

    [reply] = replies(agent_at(server, index))

    assert [one["page"] for one in reply.artifact["pages"]] == shown
    assert server.model_requests[-1].pictures == [sent(index, f"{REPORT} p. {number}") for number in shown]
    assert (f"{REPORT} p. 8 is the last page of its document." in reply.text) == (page == 8)
    assert (f"{REPORT} p. 1 is the first page of its document." in reply.text) == (page == 1)


def test_neighbours_of_a_region_are_whole_and_count(server: GeminiServer, index: PageIndex) -> None:
    server.calls("view_pages", pages=[f"{REPORT} p. 2"], region=[0, 0, 500, 1000], neighbours="next")
    server.says("Seen.")

    [reply] = replies(agent_at(server, index))

    assert server.model_requests[-1].pictures == [
        sent(index, f"{REPORT} p. 2", (0, 0, 500, 1000)),
        sent(index, f"{REPORT} p. 3"),
    ]
    assert "14 pages to look at" in reply.text


# Labels as models spell them


def test_a_label_in_another_spelling_shows_its_page(server: GeminiServer, index: PageIndex) -> None:
    server.calls("view_pages", pages=[f"[{REPORT}, S. 2]", "annual-report page 3", f"{REPORT} pp. 4-5"])
    server.says("Seen.")

    [reply] = replies(agent_at(server, index))

    assert [one["page"] for one in reply.artifact["pages"]] == [2, 3, 4, 5]


def test_a_label_with_a_region_shows_the_region(server: GeminiServer, index: PageIndex) -> None:
    server.calls("view_pages", pages=[f"[{REPORT} p. 2, region 0,0,500,1000]"])
    server.says("Seen.")

    replies(agent_at(server, index))

    assert server.model_requests[-1].pictures == [sent(index, f"{REPORT} p. 2", (0, 0, 500, 1000))]


# Locate


def boxes(*found: tuple[str, list[int]]) -> str:
    return json.dumps({"boxes": [{"label": label, "box_2d": box} for label, box in found]})


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("transport", ["bytes", "base64", "files"])
async def test_things_are_located_drawn_and_cited(
    server: GeminiServer, index: PageIndex, transport: str, way: str
) -> None:
    label = f"{REPORT} p. 2"
    server.calls("view_pages", pages=[label])
    server.calls("locate", page=label, things=["net revenue", "the bar"])
    server.says(boxes(("net revenue", [90, 100, 130, 700]), ("the bar", [830, 120, 881, 400]), ("x", [9, 9, 5, 5])))
    server.says(f"4.2 billion [{label}, region 90,100,130,700].")

    items = await followed(way, agent_at(server, index, transport=transport))

    answer, request = items[-1], server.model_requests[2]
    assert request.pictures == [sent(index, label)]
    assert "net revenue; the bar" in request.texts[0]
    assert request.body["generationConfig"]["responseMimeType"] == "application/json"
    told = server.model_requests[3].replies[1]
    assert f"- net revenue: [{label}, region 90,100,130,700]" in told
    assert "Left out, since these are no boxes: x [9, 9, 5, 5]." in told
    assert "21 model calls" in told
    assert [citation.region for citation in answer.citations] == [(102, 302, 116, 333)]  # drawn to the number's words
    assert answer.usage["model_calls"] == 4
    assert answer.usage["total_tokens"] == 440
    if way.endswith("stream"):
        assert steps(items, "locate") == ["located 2 things on a page"]
        assert "box_2d" not in "".join(item for item in items if isinstance(item, str))


def test_located_boxes_are_in_pixels_and_on_the_drawing(server: GeminiServer, index: PageIndex) -> None:
    server.calls("locate", page=f"{REPORT} p. 2", things=["net revenue"])
    server.says(boxes(("net revenue", [90, 100, 130, 700])))
    server.says("Done.")

    [reply] = replies(agent_at(server, index))

    [box] = reply.artifact["boxes"]
    page = index.picture(index.page(f"{REPORT} p. 2"))
    left, top, right, bottom = box["pixels"]
    assert (left, top) == (round(0.1 * page.width), round(0.09 * page.height))
    assert (right, bottom) == (round(0.7 * page.width), round(0.13 * page.height))
    drawn = Image.open(reply.artifact["picture"])
    assert drawn.size == page.size
    red, green, blue = drawn.getpixel((left, (top + bottom) // 2))
    assert red > 150 > max(green, blue)


def test_what_is_not_on_the_page_is_not_located(server: GeminiServer, index: PageIndex) -> None:
    server.calls("locate", page=f"{REPORT} p. 2", things=["a horse"])
    server.says(boxes())
    server.says("Done.")

    [reply] = replies(agent_at(server, index))

    assert reply.text.startswith(f"None of it is on {REPORT} p. 2.")
    assert reply.artifact["picture"] is None


@pytest.mark.parametrize(
    ("arguments", "says"),
    [({"page": f"{REPORT} p. 99", "things": ["x"]}, "99"), ({"page": f"{REPORT} p. 1", "things": []}, "at least one")],
)
def test_a_place_that_cannot_be_looked_at_is_answered_with_how_to_mend_it(
    server: GeminiServer, index: PageIndex, arguments: dict[str, Any], says: str
) -> None:
    server.calls("locate", **arguments)
    server.says("Done.")

    [reply] = replies(agent_at(server, index))

    assert reply.status == "error"
    assert says in reply.text


@pytest.mark.parametrize("way", ["invoke", "astream"])
@pytest.mark.parametrize("fault", ["no JSON", "blocked"])
async def test_boxes_that_cannot_be_read_or_are_blocked_do_not_end_the_run(
    server: GeminiServer, index: PageIndex, fault: str, way: str
) -> None:
    server.calls("locate", page=f"{REPORT} p. 2", things=["net revenue"])
    server.says("It is at the top.") if fault == "no JSON" else server.blocks_the_prompt()
    server.says("I could not locate it.")

    answer = await asked(way, agent_at(server, index))

    assert answer.text == "I could not locate it."
    assert "Nothing was located: " in server.model_requests[-1].replies[0]
    assert "Left for this question" in server.model_requests[-1].replies[0]


@pytest.mark.parametrize("box", [[0, 0, 1001, 5], [500, 0, 100, 900], [0, 0, 5, 5], [-1, 0, 500, 500]])
def test_a_box_that_is_none_is_left_out(box: list[int]) -> None:
    good = Box2D(label="good", box_2d=[0, 0, 500, 1000])
    spots, bad = checked([Box2D(label="bad", box_2d=box), good], (200, 100))
    assert [(spot.thing, spot.pixels) for spot in spots] == [("good", (0, 0, 200, 50))]
    assert bad == [f"bad {box}"]


# Pages as PDF


@pytest.mark.parametrize("way", ["invoke", "astream"])
@pytest.mark.parametrize("transport", ["bytes", "base64", "files"])
async def test_a_whole_page_can_go_as_a_pdf_of_this_page(
    server: GeminiServer, index: PageIndex, transport: str, way: str
) -> None:
    server.calls("view_pages", pages=[f"{REPORT} p. 2", f"{PHOTO} p. 1"])
    server.calls("view_pages", pages=[f"{REPORT} p. 2"], region=[0, 0, 500, 1000])
    server.says("Seen.")

    await asked(way, agent_at(server, index, transport=transport, pages_as="pdf"))

    assert [mime for mime, _ in server.model_requests[-1].pictures] == ["application/pdf", "image/webp", "image/webp"]
    with pypdfium2.PdfDocument(server.model_requests[-1].pictures[0][1]) as pdf:
        assert len(pdf) == 1
        assert "4.2 billion" in pdf[0].get_textpage().get_text_bounded()


# Vertex AI


def on_vertex(server: GeminiServer) -> GeminiReasoner:
    return GeminiReasoner(
        model="gemini-3.8-flash", vertexai=True, project="p", location="global", base_url=server.url,
        credentials=Credentials("a-token"),
    )  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
async def test_vertex_gets_pictures_inline(server: GeminiServer, index: PageIndex, way: str) -> None:
    server.calls("view_pages", pages=[f"{REPORT} p. 2"])
    server.says(f"4.2 billion [{REPORT} p. 2].")
    settings = small_settings(inline_limit=10)

    answer = await asked(way, create_page_agent(index, model=on_vertex(server), settings=settings))

    assert answer.citations
    assert "/projects/p/locations/global/" in server.model_requests[-1].path
    assert [mime for mime, _ in server.model_requests[-1].pictures] == ["image/webp"]
    assert server.uploads == []
    with pytest.raises(SettingsError, match=r"files.*PAGESIGHT_TRANSPORT"):
        create_page_agent(index, model=on_vertex(server), transport="files")


def test_vertex_is_told_where_in_a_bucket_a_page_is(server: GeminiServer, index: PageIndex, tmp_path: Path) -> None:
    settings = small_settings(bucket="gs://bucket/pages/")
    server.calls("view_pages", pages=[f"{REPORT} p. 2", f"{PHOTO} p. 1"])
    server.calls("view_pages", pages=[f"{SLIDES} p. 2"], region=[0, 0, 300, 600])
    server.says("Seen.")

    ask(create_page_agent(index, model=on_vertex(server), settings=settings), QUESTION)

    named = [part["fileData"] for part in server.model_requests[-1].media if "fileData" in part]
    inline = [part for part in server.model_requests[-1].media if "inlineData" in part]
    ref = index.page(f"{REPORT} p. 2")
    assert named[0] == {"fileUri": f"gs://bucket/pages/{ref.document_id}/2.webp", "mimeType": "image/webp"}
    assert len(named) == 2
    assert len(inline) == 1
    assert write_pages(index, Pictures(index, ByResolution(), webp=True), tmp_path) == 12
    assert (tmp_path / ref.document_id / "2.webp").read_bytes() == sent(index, ref.label)[1]


# How closely Gemini looks


def test_media_resolution_reaches_the_request(server: GeminiServer, index: PageIndex) -> None:
    for _ in range(2):
        server.says("Hello!")
    ask(agent_at(server, index, media_resolution="high"), QUESTION)
    ask(agent_at(server, index), QUESTION)

    high, default = (request.body["generationConfig"] for request in server.model_requests)
    assert high["mediaResolution"] == "MEDIA_RESOLUTION_HIGH"
    assert "mediaResolution" not in default


def test_small_print_in_a_region_has_many_dots(server: GeminiServer, index: PageIndex) -> None:
    server.calls("view_pages", pages=[f"{REPORT} p. 2"], region=[80, 100, 140, 500])
    server.says("Seen.")
    ask(agent_at(server, index), QUESTION)
    [(_, data)] = server.model_requests[-1].pictures
    inches = 0.4 * index.picture(index.page(f"{REPORT} p. 2"), dpi=72).width / 72
    assert Image.open(io.BytesIO(data)).width / inches == pytest.approx(400, rel=0.01)
