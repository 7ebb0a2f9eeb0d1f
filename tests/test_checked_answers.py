"""Claims in answers: checked as they come from the model, sent back once, and shown wherever an answer is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from conversations import QUESTION, WAYS, agent_at, asked, followed, steps
from gemini_server import GeminiServer
from small_index import REPORT, SHEET, make_index

from pagesight.agent import ask
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
