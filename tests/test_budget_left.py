"""What is left for a question, counted from the messages of its conversation."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.messages.ai import UsageMetadata

from pagesight.indexing.calls.prices import ModelCall, Tariff
from pagesight.indexing.pages import PageRef
from pagesight.tools.budget import Budget, BudgetLeft, budget_left, views_so_far
from pagesight.tools.messages.conversation import Conversation, PageView

ID = "0123456789abcdef"
TARIFF = Tariff("mine", {"mine": (1.0, 2.0)})  # dollars for a million tokens, in and out
WHOLE = Budget(searches=5, pages=9, calls=12, dollars=1.0, tariff=TARIFF)
USAGE = UsageMetadata(input_tokens=100_000, output_tokens=50_000, total_tokens=150_000)  # $0.20


def view(page: int, region: tuple[int, int, int, int] | None = None) -> PageView:
    return PageView(PageRef(ID, "a.pdf", page), region, 1, 1)


def called(*calls: tuple[str, dict[str, Any]], usage: UsageMetadata | None = None) -> AIMessage:
    named = [{"name": name, "args": args, "id": str(number)} for number, (name, args) in enumerate(calls)]
    return AIMessage("", tool_calls=named, usage_metadata=usage)


def replied(tool: str, artifact: dict[str, Any], number: int = 0, **fields: Any) -> ToolMessage:
    return ToolMessage("reply", name=tool, tool_call_id=str(number), artifact=artifact, **fields)


def viewed(*views: PageView, number: int = 0, **fields: Any) -> ToolMessage:
    return replied("view_pages", {"pages": [one.as_dict() for one in views]}, number, **fields)


SEARCH: tuple[str, dict[str, Any]] = ("search_pages", {"query": "x"})
LOOK: tuple[str, dict[str, Any]] = ("view_pages", {"pages": ["a.pdf p. 1", "a.pdf p. 2"]})
ASKED = HumanMessage("?")


def left(*messages: BaseMessage, budget: Budget = WHOLE, call_id: str | None = None) -> BudgetLeft:
    return budget_left(budget, Conversation.read(list(messages)), call_id)


def counts(found: BudgetLeft) -> tuple[int, int, int]:
    return found.searches, found.pages, found.calls


def test_each_search_page_and_call_counts() -> None:
    messages = [ASKED, called(SEARCH), replied("search_pages", {"hits": []}), called(LOOK), viewed(view(1), view(2))]
    assert counts(left(*messages)) == (4, 7, 10)
    messages += [called(LOOK), viewed(view(2), view(3)), called(("list_documents", {})), replied("list_documents", {})]
    assert counts(left(*messages)) == (4, 6, 8)  # a page looked at twice counts once
    assert views_so_far(Conversation.read(messages)) == {view(1), view(2), view(3)}
    assert counts(left(*messages, called(LOOK), viewed(view(1, (0, 0, 9, 9))))) == (4, 5, 7)


def test_what_failed_or_was_done_before_counts_nothing() -> None:
    failed = replied("search_pages", {"hits": []}, status="error")
    again = replied("search_pages", {"repeated": True})
    assert counts(left(ASKED, called(SEARCH), failed, called(SEARCH), again)) == (5, 9, 10)
    assert counts(left(ASKED, called(LOOK), viewed(view(1), status="error"))) == (5, 9, 11)


def test_nothing_is_left_below_nothing() -> None:
    few = Budget(searches=1, pages=1, calls=1)
    searched = [called(SEARCH), replied("search_pages", {"hits": []})]
    found = left(ASKED, *searched, *searched, called(LOOK), viewed(view(1), view(2)), budget=few)
    assert counts(found) == (0, 0, 0)
    assert found.dollars is None


def test_another_question_begins_anew() -> None:
    messages = [ASKED, called(SEARCH), replied("search_pages", {"hits": []}), AIMessage("So it is."), ASKED]
    assert left(*messages) == BudgetLeft(5, 9, 12, 1.0)
    assert views_so_far(Conversation.read([])) == set()


def test_calls_of_one_message_count_before_they_are_done() -> None:
    both = called(SEARCH, LOOK, SEARCH, ("view_pages", {"pages": "a.pdf p. 1"}), ("locate", {"page": "x"}))
    assert [counts(left(ASKED, both, call_id=str(number))) for number in range(5)] == [
        (5, 9, 11),
        (4, 9, 11),
        (4, 7, 11),
        (3, 7, 11),
        (3, 7, 11),
    ]
    assert counts(left(ASKED, both, call_id="unknown")) == (5, 9, 11)
    assert counts(left(ASKED, both)) == (5, 9, 11)


def test_dollars_are_those_of_the_tokens() -> None:
    spent = [called(SEARCH, usage=USAGE), replied("search_pages", {"hits": []})]
    assert left(ASKED, *spent, *spent).dollars == pytest.approx(0.6)
    assert left(ASKED, *spent, budget=Budget(5, 9, 12, dollars=None, tariff=TARIFF)).dollars is None
    assert left(ASKED, *spent, budget=Budget(5, 9, 12, dollars=1.0)).dollars is None


def test_a_call_by_a_tool_is_taken_off() -> None:
    now = BudgetLeft(5, 9, 3, 1.0)
    assert now.after_a_call(ModelCall(USAGE), WHOLE) == BudgetLeft(5, 9, 2, pytest.approx(0.8))
    assert now.after_a_call(None, WHOLE) == BudgetLeft(5, 9, 2, 1.0)
    assert BudgetLeft(5, 9, 0).after_a_call(ModelCall(USAGE), WHOLE) == BudgetLeft(5, 9, 0)
    assert now.after_a_call(ModelCall(USAGE), Budget(5, 9, 12)) == BudgetLeft(5, 9, 2, 1.0)


def test_what_is_gone_is_the_difference() -> None:
    found = BudgetLeft(3, 4, 5, 0.25).spent_of(WHOLE)
    assert found == {"searches": 2, "pages": 5, "calls": 7, "dollars": 0.75}
    assert BudgetLeft(5, 9, 12).spent_of(WHOLE)["dollars"] == 0.0
    assert BudgetLeft(5, 9, 12, 0.5).spent_of(Budget(5, 9, 12))["dollars"] == 0.0


def test_what_a_run_had_spent_before_its_history_was_cut_counts() -> None:
    from pagesight.tools.messages.authorship import Author

    author = Author("agent", "index")
    message = author.signed(called(SEARCH, usage=USAGE), before={"searches": 2, "pages": 3, "calls": 4, "dollars": 0.5})
    messages: list[BaseMessage] = [ASKED, message, replied("search_pages", {"hits": []})]
    found = budget_left(WHOLE, Conversation.read(messages))
    assert counts(found) == (2, 6, 7)
    assert found.dollars == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("now", "must", "advice"),
    [
        (BudgetLeft(1, 1, 1), True, "The budget is used up"),
        (BudgetLeft(1, 1, 0), True, "The budget is used up"),
        (BudgetLeft(1, 1, 2, 0.0), True, "The budget is used up"),
        (BudgetLeft(1, 1, 2, -0.1), True, "The budget is used up"),
        (BudgetLeft(0, 0, 2), False, "The budget is used up"),
        (BudgetLeft(1, 0, 2), False, "No more pages can be shown"),
        (BudgetLeft(0, 1, 2), False, "No more searches"),
        (BudgetLeft(1, 1, 2, 0.01), False, None),
        (BudgetLeft(2, 2, 2), False, None),
    ],
)
def test_it_says_what_to_do_when_something_is_used_up(now: BudgetLeft, must: bool, advice: str | None) -> None:
    assert now.must_answer is must
    assert (advice in str(now)) if advice else str(now).endswith((" calls.", "$0.0100."))


def test_it_says_what_is_left() -> None:
    assert str(BudgetLeft(1, 1, 2, 0.5)) == (
        "Left for this question: 1 search, 1 page to look at, 2 model calls, $0.5000."
    )
    assert str(BudgetLeft(2, 2, 3)) == "Left for this question: 2 searches, 2 pages to look at, 3 model calls."
    assert "$0.0000" in str(BudgetLeft(2, 2, 3, -1.0))
    with pytest.raises(dataclasses.FrozenInstanceError):
        BudgetLeft(1, 1, 1).calls = 2  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        WHOLE.calls = 2  # type: ignore[misc]
