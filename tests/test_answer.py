"""Citations as models write them, and the check against the pages that were shown."""

from __future__ import annotations

import unicodedata

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

from pagesight.agent import Answer, Citation
from pagesight.agent.answers.agent_limits import AgentLimits
from pagesight.agent.answers.citation_check import CitationCheck
from pagesight.agent.answers.read_answer import read_answer
from pagesight.indexing.pages import Hit, PageRef
from pagesight.tools.messages.conversation import Conversation

REPORT, SLIDES, DATED = "annual-report.pdf", "slides [final], v2 ü.pdf", "2023, a review.pdf"
SHOWN = [f"{REPORT} p. {page}" for page in (1, 2, 3, 4, 5)] + [f"{SLIDES} p. 2", f"{DATED} p. 7"]
ID = "0123456789abcdef"


def check() -> CitationCheck:
    return CitationCheck([REPORT, SLIDES, DATED, "unseen.pdf"], SHOWN)


def cited(text: str) -> list[str]:
    found, others = check().cited(text)
    assert not others
    return [str(citation) for citation in found]


@pytest.mark.parametrize(
    ("text", "citations"),
    [
        ("It rose [annual-report.pdf p. 2].", [f"{REPORT} p. 2"]),
        ("It rose [annual-report.pdf p. 2; annual-report.pdf p. 1].", [f"{REPORT} p. 2", f"{REPORT} p. 1"]),
        ("[annual-report.pdf pp. 3-5]", [f"{REPORT} p. {page}" for page in (3, 4, 5)]),
        ("[annual-report.pdf pp. 3–4]", [f"{REPORT} p. 3", f"{REPORT} p. 4"]),
        ("[annual-report.pdf p. 3, 5]", [f"{REPORT} p. 3", f"{REPORT} p. 5"]),
        ("[annual-report.pdf pp. 3 and 5]", [f"{REPORT} p. 3", f"{REPORT} p. 5"]),
        ("[annual-report.pdf p. 3; p. 4]", [f"{REPORT} p. 3", f"{REPORT} p. 4"]),
        ("[annual-report.pdf, p. 3]", [f"{REPORT} p. 3"]),
        ("[annual-report.pdf page 3]", [f"{REPORT} p. 3"]),
        ("[Annual-Report.PDF p.3]", [f"{REPORT} p. 3"]),
        ("[annual-report p. 3]", [f"{REPORT} p. 3"]),
        ("[see annual-report.pdf p. 3]", [f"{REPORT} p. 3"]),
        ("[slides [final], v2 ü.pdf p. 2]", [f"{SLIDES} p. 2"]),
        (unicodedata.normalize("NFD", "[slides [final], v2 ü.pdf p. 2]"), [f"{SLIDES} p. 2"]),
        ("[slides  [final], v2 ü.pdf p. 2, annual-report.pdf p. 1]", [f"{SLIDES} p. 2", f"{REPORT} p. 1"]),
        ("[annual-report.pdf p. 3, 2023, a review.pdf p. 7]", [f"{REPORT} p. 3", f"{DATED} p. 7"]),
        ("[annual-report.pdf p. 2, region 120,50,400,900]", [f"{REPORT} p. 2, region 120,50,400,900"]),
        ("[annual-report.pdf p. 2, region [120, 50, 400, 900]]", [f"{REPORT} p. 2, region 120,50,400,900"]),
        (
            "[annual-report.pdf p. 2, region 1,2,3,4; slides [final], v2 ü.pdf p. 2]",
            [f"{REPORT} p. 2, region 1,2,3,4", f"{SLIDES} p. 2"],
        ),
        ("[annual-report.pdf p. 2, region 400,50,120,900]", [f"{REPORT} p. 2"]),  # upside down: no region
        ("Twice [annual-report.pdf p. 2], twice [annual-report.pdf p. 2].", [f"{REPORT} p. 2"]),
        ("A list [1], a link [here](https://example.org), a box [x] and an open [annual-report.pdf p.", []),
    ],
)
def test_citations_are_read_however_they_are_written(text: str, citations: list[str]) -> None:
    assert cited(unicodedata.normalize("NFC", text)) == citations


def test_a_citation_knows_its_parts() -> None:
    found, _ = check().cited("[annual-report.pdf p. 2, region 120,50,400,900]")

    assert found == [Citation(f"{REPORT} p. 2", REPORT, 2, (120, 50, 400, 900))]
    expected = {"label": f"{REPORT} p. 2", "document": REPORT, "page": 2, "region": [120, 50, 400, 900]}
    assert found[0].as_dict() == expected


@pytest.mark.parametrize(
    ("written", "passed_on"),
    [
        ("Yes [unseen.pdf p. 1].", "Yes [unseen.pdf p. 1 — not verified]."),
        ("Yes [invented.pdf p. 1].", "Yes [invented.pdf p. 1 — not verified]."),
        ("Yes [annual-report.pdf p. 9].", "Yes [annual-report.pdf p. 9 — not verified]."),
        (
            "Yes [annual-report.pdf p. 1; unseen.pdf p. 2].",
            "Yes [annual-report.pdf p. 1] [unseen.pdf p. 2 — not verified].",
        ),
        ("Yes [annual-report.pdf pp. 1-2].", "Yes [annual-report.pdf pp. 1-2]."),
    ],
)
def test_a_page_that_was_not_shown_is_marked(written: str, passed_on: str) -> None:
    assert check().mark(written) == passed_on


def test_a_range_without_end_does_not_run_away() -> None:
    _, others = check().cited("[unseen.pdf pp. 1-999999]")
    assert [citation.page for citation in others] == [1, 999999]


# The answer of a conversation


def view(*pages: tuple[str, int], call: str = "v") -> ToolMessage:
    references = [{"document_id": ID, "document": name, "page": page, "region": None} for name, page in pages]
    return ToolMessage("shown", name="view_pages", tool_call_id=call, artifact={"pages": references})


def search(*hits: Hit) -> ToolMessage:
    return ToolMessage("", name="search_pages", tool_call_id="s", artifact={"hits": [hit.as_dict() for hit in hits]})


def called(name: str, tokens: int) -> AIMessage:
    call = {"name": name, "args": {}, "id": name[0]}
    usage = {"input_tokens": tokens, "output_tokens": 1, "total_tokens": tokens + 1}
    return AIMessage("", tool_calls=[call], usage_metadata=usage)


def test_an_answer_is_read_from_the_conversation() -> None:
    hits = [Hit(1, PageRef(ID, REPORT, 2), 0.9, [(0.1, 0.2, 0.3, 0.4)], ["Net revenue"])]
    messages = [
        HumanMessage("How much?"),
        called("search_pages", 10),
        search(*hits),
        called("view_pages", 20),
        view((REPORT, 2), (REPORT, 3)),
        AIMessage(f"4.2 billion [{REPORT} p. 2] or [{REPORT} p. 8].", usage_metadata=None),
    ]

    answer = read_answer(Conversation.read(messages), AgentLimits("a-model"))

    assert answer.text == f"4.2 billion [{REPORT} p. 2] or [{REPORT} p. 8 — not verified]."
    assert answer.found
    assert [citation.page for citation in answer.citations] == [2]
    assert [citation.page for citation in answer.unverified] == [8]
    assert answer.pages_viewed == [f"{REPORT} p. 2", f"{REPORT} p. 3"]
    assert answer.hits == hits
    assert answer.usage["total_tokens"] == 32
    assert answer.usage["model_calls"] == 3
    assert list(answer.as_dict()) == ["answer", "found", "citations", "claims", "pages_viewed", "usage", "reasoner"]


def test_pages_shown_earlier_in_the_thread_are_evidence_but_count_for_their_question() -> None:
    messages = [
        HumanMessage("How much?"),
        called("view_pages", 1),
        view((REPORT, 2)),
        AIMessage("4.2 billion."),
        HumanMessage("And where does it say so?"),
        AIMessage(f"There [{REPORT} p. 2]."),
    ]

    answer = read_answer(Conversation.read(messages), AgentLimits("a-model"))

    assert [citation.page for citation in answer.citations] == [2]
    assert answer.pages_viewed == []
    assert answer.usage["model_calls"] == 1


def test_a_page_that_a_search_found_but_nobody_looked_at_is_no_evidence() -> None:
    messages = [
        HumanMessage("How much?"),
        called("search_pages", 1),
        search(Hit(1, PageRef(ID, REPORT, 2), 0.9)),
        AIMessage(f"4.2 billion [{REPORT} p. 2]."),
    ]

    answer = read_answer(Conversation.read(messages), AgentLimits("a-model"))

    assert answer.citations == []
    assert [citation.page for citation in answer.unverified] == [2]


@pytest.mark.parametrize(
    "text",
    [
        "Not found in these documents. I looked at …",
        "**Not found in these documents**",
        "not found in these documents: nichts",
    ],
)
def test_not_found_is_an_answer(text: str) -> None:
    answer = read_answer(Conversation.read([HumanMessage("?"), AIMessage(text)]), AgentLimits("a-model"))
    assert isinstance(answer, Answer)
    assert not answer.found


def test_a_notebook_shows_it_escaped_with_its_evidence() -> None:
    citation = Citation("a<b>.pdf p. 1", "a<b>.pdf", 1, None)
    shown = Answer("1 < 2 [a<b>.pdf p. 1]", True, [citation], reasoner="offline")._repr_html_()
    assert "1 &lt; 2" in shown
    assert "rests on a&lt;b&gt;.pdf p. 1" in shown
    assert "<b>" not in shown


@pytest.mark.parametrize("region", ["region 50,100,150,700", "region [50, 100, 150, 700]", "region: (50,100,150,700)"])
@pytest.mark.parametrize("after", ["", ".", ", and more", "; so it is"])
def test_a_region_is_read_whatever_follows_it(region: str, after: str) -> None:
    check = CitationCheck(["a.pdf"], ["a.pdf p. 2"])
    shown, _ = check.cited(f"It grew [a.pdf p. 2, {region}]{after}")
    assert [(one.label, one.region) for one in shown] == [("a.pdf p. 2", (50, 100, 150, 700))]
