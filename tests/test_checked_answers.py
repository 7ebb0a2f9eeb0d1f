"""Claims in answers: checked as they come from the model, sent back once, and shown wherever an answer is."""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from conversations import QUESTION, WAYS, agent_at, asked, followed, sent, steps
from gemini_server import GeminiServer
from PIL import Image, ImageChops, ImageStat
from small_index import PHOTO, REPORT, SHEET, make_index

from pagesight.agent import Step, ask
from pagesight.agent.reports.cited_pages import write_pictures
from pagesight.agent.reports.html_report import write_html
from pagesight.agent.reports.markdown_report import write_markdown
from pagesight.agent.reports.turns import Turn
from pagesight.indexing import PageIndex

RIGHT = f"Net revenue was 4.2 billion euros in 2023 [{REPORT} p. 2]."
WRONG = f"Net revenue was 4.7 billion euros in 2023 [{REPORT} p. 2]."


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageIndex]:
    with make_index(tmp_path_factory.mktemp("checked")) as index:
        yield index


def outcomes(answer) -> list[tuple[str, str]]:
    return [(claim.text, claim.outcome) for claim in answer.claims]


@pytest.mark.parametrize("way", WAYS)
async def test_an_answer_brings_its_claims(index: PageIndex, server: GeminiServer, way: str) -> None:
    server.calls("view_pages", pages=[f"{REPORT} p. 2"])
    server.says(RIGHT)
    answer = await asked(way, agent_at(server, index))
    assert outcomes(answer) == [("Net revenue was 4.2 billion euros in 2023", "supported")]
    assert answer.claims[0].boxes
    assert answer.as_dict()["claims"][0]["outcome"] == "supported"


@pytest.mark.parametrize("way", WAYS)
async def test_what_the_page_does_not_say_goes_back_once_with_the_reason(
    index: PageIndex, server: GeminiServer, way: str
) -> None:
    server.calls("view_pages", pages=[f"{REPORT} p. 2"])
    server.says(WRONG)
    server.says(RIGHT)
    items = await followed(way, agent_at(server, index))
    assert outcomes(items[-1]) == [("Net revenue was 4.2 billion euros in 2023", "supported")]
    request = server.model_requests[-1].body["contents"][-1]["parts"][-1]["text"]
    assert "4.7 billion euros is not on the cited page" in request
    if way in ("stream", "astream"):
        assert any("asked to correct" in step for step in steps(items, "correct"))


def test_what_stays_wrong_is_marked_and_not_asked_again(index: PageIndex, server: GeminiServer) -> None:
    server.calls("view_pages", pages=[f"{REPORT} p. 2"])
    server.says(WRONG)
    server.says(WRONG)
    answer = ask(agent_at(server, index), QUESTION)
    assert outcomes(answer) == [("Net revenue was 4.7 billion euros in 2023", "unsupported")]
    assert answer.unsupported == answer.claims
    assert server.replies_left == 0


def test_the_check_can_be_left_out(index: PageIndex, server: GeminiServer) -> None:
    server.calls("view_pages", pages=[f"{REPORT} p. 2"])
    server.says(WRONG)
    answer = ask(agent_at(server, index, verify="off"), QUESTION)
    assert answer.claims == []
    assert answer.text == WRONG


def test_the_reasons_tell_nothing_of_documents_outside_the_boundary(index: PageIndex, server: GeminiServer) -> None:
    """The data sheet says 42 Watt; who may not see it does not hear that from the check either."""
    server.calls("view_pages", pages=[f"{REPORT} p. 2"])
    server.says(f"The pump takes 43 Watt [{SHEET} p. 1]. {RIGHT}")
    server.says(f"The pump takes 43 Watt [{SHEET} p. 1]. {RIGHT}")
    answer = ask(agent_at(server, index, documents=[REPORT]), QUESTION)
    assert "42 Watt" not in str(answer.as_dict())
    assert not any("42 Watt" in str(request.body["contents"]) for request in server.model_requests)


def test_claims_stand_in_reports_and_mark_their_words(index: PageIndex, server: GeminiServer, tmp_path: Path) -> None:
    server.calls("view_pages", pages=[f"{REPORT} p. 2"])
    server.says(f"{RIGHT} <b>Profit</b> was 9.9 billion [{REPORT} p. 2].")
    server.says(f"{RIGHT} <b>Profit</b> was 9.9 billion [{REPORT} p. 2].")
    answer = ask(agent_at(server, index), QUESTION)
    turn = Turn(QUESTION, [], answer)
    write_html(tmp_path / "report.html", index, [turn])
    write_markdown(tmp_path / "report.md", index, [turn])
    page, text = (tmp_path / name for name in ("report.html", "report.md"))
    assert "<b>✓</b> Net revenue was 4.2 billion euros in 2023" in page.read_text()
    assert "<b>?</b> &lt;b&gt;Profit" in page.read_text()
    assert "- ✓ Net revenue" in text.read_text()
    (picture,) = write_pictures(index, answer, QUESTION, tmp_path).values()
    plain = index.evidence(index.page(f"{REPORT} p. 2"), tmp_path / "plain.png")
    boxes = index.evidence(index.page(f"{REPORT} p. 2"), tmp_path / "boxes.png", boxes=answer.claims[0].boxes)
    assert picture.read_bytes() == boxes.read_bytes() != plain.read_bytes()
    (source,) = re.findall(r"data:image/webp;base64,([^\"]+)", page.read_text())
    with Image.open(io.BytesIO(base64.b64decode(source))) as shown, Image.open(boxes) as marked:
        apart = ImageChops.difference(shown.convert("RGB"), marked.convert("RGB").resize(shown.size))
        assert max(ImageStat.Stat(apart).mean) < 1  # it is the same picture, but for its compression
    assert "✓ as the cited words say · ? not found there" in page.read_text()


# Looking where words cannot tell

SEEN = f"The photo shows 17 boats [{PHOTO} p. 1]."


def lines(*said: str) -> str:
    return json.dumps({"lines": said})


@pytest.mark.parametrize("way", WAYS)
async def test_what_words_cannot_tell_is_read_by_a_model_that_is_not_told_the_claim(
    index: PageIndex, server: GeminiServer, way: str
) -> None:
    server.calls("view_pages", pages=[f"{PHOTO} p. 1"])
    server.says(SEEN)
    server.says(lines("17 boats in a harbour", "sky"))
    items = await followed(way, agent_at(server, index, verify="looks"))
    answer = items[-1]
    assert [(claim.text, claim.outcome, claim.mark) for claim in answer.claims] == [
        ("The photo shows 17 boats", "read", "~")
    ]
    assert "17 boats in a harbour" in answer.claims[0].reason
    look = server.model_requests[-1]
    assert look.pictures == [sent(index, f"{PHOTO} p. 1")]
    assert "17" not in "".join(look.texts)
    assert QUESTION not in "".join(look.texts)
    assert (answer.usage["model_calls"], answer.usage["total_tokens"]) == (3, 330)
    assert "harbour" not in "".join(item for item in items[:-1] if isinstance(item, str))


def test_what_is_read_and_says_something_else_supports_nothing(index: PageIndex, server: GeminiServer) -> None:
    server.calls("view_pages", pages=[f"{PHOTO} p. 1"])
    server.says(SEEN)
    server.says(lines("12 boats in a harbour"))
    server.says(SEEN)  # sent back once; the place was read already
    answer = ask(agent_at(server, index, verify="looks"), QUESTION)
    assert [claim.outcome for claim in answer.claims] == ["unsupported"]
    assert (answer.usage["model_calls"], server.replies_left) == (4, 0)


@pytest.mark.parametrize("limit", [{"looks_per_question": 0}, {"look_dollars": 0.0}, {"verify": "words"}])
def test_looks_keep_to_their_budget(index: PageIndex, server: GeminiServer, limit: dict[str, object]) -> None:
    server.calls("view_pages", pages=[f"{PHOTO} p. 1"])
    server.says(SEEN)
    server.says(SEEN)
    answer = ask(agent_at(server, index, **{"verify": "looks", **limit}), QUESTION)
    assert [claim.outcome for claim in answer.claims] == ["unsupported"]
    assert server.replies_left == 0


def test_a_look_that_fails_leaves_the_claim_in_doubt(index: PageIndex, server: GeminiServer) -> None:
    server.calls("view_pages", pages=[f"{PHOTO} p. 1"])
    server.says(SEEN)
    server.blocks_the_prompt()
    server.says(SEEN)
    answer = ask(agent_at(server, index, verify="looks"), QUESTION)
    assert [claim.outcome for claim in answer.claims] == ["unsupported"]
    assert server.replies_left == 0


def test_what_words_deny_is_not_looked_at(index: PageIndex, server: GeminiServer) -> None:
    wrong = f"Net revenue was 1.9 billion euros in 2023 [{REPORT} p. 2]."  # that of Europe
    server.calls("view_pages", pages=[f"{REPORT} p. 2"])
    server.says(wrong)
    server.says(wrong)
    answer = ask(agent_at(server, index, verify="looks"), QUESTION)
    assert [claim.outcome for claim in answer.claims] == ["unsupported"]
    assert server.replies_left == 0


def test_a_region_is_looked_at_by_itself(index: PageIndex, server: GeminiServer) -> None:
    region = (0, 0, 500, 500)
    server.calls("view_pages", pages=[f"{PHOTO} p. 1"])
    server.says(f"The photo shows 17 boats [{PHOTO} p. 1, region 0,0,500,500].")
    server.says(lines("17 boats"))
    answer = ask(agent_at(server, index, verify="looks"), QUESTION)
    assert server.model_requests[-1].pictures == [sent(index, f"{PHOTO} p. 1", region)]
    assert answer.claims[0].outcome == "read"
    assert answer.claims[0].boxes == [(0.0, 0.0, 0.5, 0.5)]


# Citations put right


@pytest.mark.parametrize("way", WAYS)
async def test_a_wrong_page_gives_way_to_the_one_beside_it(index: PageIndex, server: GeminiServer, way: str) -> None:
    server.calls("view_pages", pages=[f"{REPORT} p. 2", f"{REPORT} p. 3"])
    server.says(f"Net revenue was 4.2 billion euros in 2023 [{REPORT} p. 3].")
    items = await followed(way, agent_at(server, index))
    answer = items[-1]
    assert answer.text == RIGHT
    assert [citation.label for citation in answer.citations] == [f"{REPORT} p. 2"]
    assert outcomes(answer) == [("Net revenue was 4.2 billion euros in 2023", "supported")]
    said = f"{REPORT} p. 3 was cited, it stands on {REPORT} p. 2: corrected"
    assert said in answer.claims[0].reason
    assert server.replies_left == 0
    if way in ("stream", "astream"):
        last = max(at for at, item in enumerate(items) if isinstance(item, Step))
        assert (items[last].kind, items[last].text) == ("correct", said)
        assert "".join(items[last + 1 : -1]) == RIGHT


def test_a_page_that_was_not_looked_at_is_not_cited_in_the_place_of_another(
    index: PageIndex, server: GeminiServer
) -> None:
    server.calls("view_pages", pages=[f"{REPORT} p. 3"])
    server.says(f"Net revenue was 4.2 billion euros in 2023 [{REPORT} p. 3].")
    server.says("Not found in these documents.")
    ask(agent_at(server, index), QUESTION)
    assert f"(it stands on {REPORT} p. 2)" in server.model_requests[-1].texts[-1]


def test_a_number_that_only_follows_from_a_page_beside_it_is_not_moved_there(
    index: PageIndex, server: GeminiServer
) -> None:
    """It may follow by chance: the model is asked."""
    moved = f"Revenue in Asia was 0.4 billion euros above that of Europe [{REPORT} p. 3]."
    server.calls("view_pages", pages=[f"{REPORT} p. 2", f"{REPORT} p. 3"])
    server.says(moved)
    server.says(moved.replace("p. 3", "p. 2"))
    answer = ask(agent_at(server, index), QUESTION)
    assert [claim.outcome for claim in answer.claims] == ["computed"]
    assert server.replies_left == 0


def test_a_page_that_says_another_sentence_is_not_given_up(index: PageIndex, server: GeminiServer) -> None:
    both = f"Net revenue was 4.2 billion euros in 2023. At the end of it 5310 people worked there [{REPORT} p. 3]."
    server.calls("view_pages", pages=[f"{REPORT} p. 2", f"{REPORT} p. 3"])
    server.says(both)
    server.says(both)
    answer = ask(agent_at(server, index), QUESTION)
    assert [claim.outcome for claim in answer.claims] == ["unsupported", "supported"]
    assert answer.text == both


def test_what_no_page_beside_it_says_stays_as_it_is(index: PageIndex, server: GeminiServer) -> None:
    server.calls("view_pages", pages=[f"{REPORT} p. 2", f"{REPORT} p. 3"])
    server.says(WRONG)
    server.says(WRONG)
    answer = ask(agent_at(server, index), QUESTION)
    assert answer.text == WRONG


def test_a_region_is_drawn_to_the_words_that_say_it(index: PageIndex, server: GeminiServer) -> None:
    label = f"{REPORT} p. 2"
    server.calls("view_pages", pages=[label])
    server.says(f"Net revenue was 4.2 billion euros in 2023 [{label}, region 0,0,500,1000].")
    answer = ask(agent_at(server, index), QUESTION)
    [citation] = answer.citations
    [claim] = answer.claims
    (left, top, right, bottom) = claim.boxes[0]
    assert citation.region == (
        round(1000 * top) - 2, round(1000 * left) - 2, round(1000 * bottom) + 2, round(1000 * right) + 2
    )  # fmt: skip
    assert answer.text == f"Net revenue was 4.2 billion euros in 2023 [{citation}]."
    assert claim.citations == [citation]
    assert "drawn to the words" in claim.reason


def test_a_region_without_the_words_stays_and_the_place_is_told(index: PageIndex, server: GeminiServer) -> None:
    label = f"{REPORT} p. 2"
    said = f"Net revenue was 4.2 billion euros in 2023 [{label}, region 500,0,1000,1000]."
    server.calls("view_pages", pages=[label])
    server.says(said)
    server.says(said)
    answer = ask(agent_at(server, index), QUESTION)
    assert answer.text == said
    assert answer.claims[0].outcome == "unsupported"
    assert f"(it stands at {label}, region " in answer.claims[0].reason


def test_strictly_only_what_all_pages_say_is_found(index: PageIndex, server: GeminiServer) -> None:
    server.calls("view_pages", pages=[f"{REPORT} p. 2"])
    server.says(WRONG)
    server.says(WRONG)
    answer = ask(agent_at(server, index), QUESTION)
    assert answer.found
    assert not answer.strictly().found
    server.calls("view_pages", pages=[f"{REPORT} p. 2"])
    server.says(RIGHT)
    assert ask(agent_at(server, index), QUESTION).strictly().found
