"""Half characters (lone surrogates) in questions, calls and answers: terminals, JSON and services let them through."""

from __future__ import annotations

from typing import Any

import pytest
from gemini_server import GeminiServer
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from small_index import REPORT

from pagesight.agent import create_page_agent
from pagesight.agent.cli import main
from pagesight.indexing import PageIndex

HALF = "\ud800"
PAGE = f"{REPORT} p. 2"


@pytest.mark.parametrize("command", ["ask", "search", "sweep"])
def test_a_question_with_one_is_answered(command: str, folder: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, f"How high was net revenue{HALF}?", "--index", str(folder), "--json"]) == 0
    assert PAGE in capsys.readouterr().out


def test_a_model_may_write_them_in_calls_and_answers(index: PageIndex, gemini: GeminiServer) -> None:
    gemini.calls("search_pages", query=f"net revenue {HALF}")
    gemini.calls("view_pages", pages=[PAGE, f"{HALF} p. 1"])
    gemini.says(f"It was 4.2 billion {HALF} euros.")
    gemini.says(f"It was 4.2 billion {HALF} euros [{PAGE}].")
    messages = create_page_agent(index).invoke({"messages": [HumanMessage(f"How much{HALF}?")]})["messages"]
    assert PAGE in messages[-1].text


@pytest.mark.parametrize("cited", [f"[{PAGE}]", "", f"[{REPORT} p. 9]"])
def test_an_answer_has_none_whether_it_is_corrected_or_stays(
    index: PageIndex, gemini: GeminiServer, cited: str
) -> None:
    gemini.calls("view_pages", pages=[PAGE])
    gemini.says(f"It was 4.2 billion {HALF} euros {cited}.")
    gemini.fails(500, "INTERNAL", "broken")
    messages = create_page_agent(index).invoke({"messages": [HumanMessage("How much?")]})["messages"]
    assert "4.2 billion ? euros" in messages[-1].text


@pytest.mark.parametrize("kind", [AIMessage, HumanMessage])
def test_so_may_messages_of_another_agent(index: PageIndex, gemini: GeminiServer, kind: type[BaseMessage]) -> None:
    gemini.says("Not found in these documents.")
    before = [AIMessage([{"type": "text", "text": f"Go on{HALF}"}]), kind([{"type": "text", "text": f"How{HALF}?"}])]
    messages = create_page_agent(index).invoke({"messages": before})["messages"]
    assert messages[-1].text == "Not found in these documents."
