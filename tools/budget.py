"""What is left for a question: counted anew from its conversation each time, so nothing can go stale."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pagesight.indexing.calls.prices import ModelCall, Tariff
from pagesight.tools.messages.conversation import SEARCH_PAGES, VIEW_PAGES, Conversation, PageView, Question


@dataclass(frozen=True)
class Budget:
    """How many searches, page pictures, model calls and US dollars one question may take.

    ``dollars`` None is no limit; with one the ``tariff`` says what calls cost, and where it knows no price, tokens are
    counted at the dearest one that is known.
    """

    searches: int
    pages: int
    calls: int
    dollars: float | None = None
    tariff: Tariff | None = None


@dataclass(frozen=True)
class BudgetLeft:
    """What is left of a budget."""

    searches: int
    pages: int
    calls: int
    dollars: float | None = None

    @property
    def must_answer(self) -> bool:
        """Whether the next model call is the last."""
        return self.calls <= 1 or (self.dollars is not None and self.dollars <= 0)

    def after_a_call(self, call: ModelCall | None, budget: Budget) -> BudgetLeft:
        """What is left when a tool has called the model once."""
        spent = budget.tariff.at_most([call]) if call and budget.tariff else 0.0
        dollars = None if self.dollars is None else self.dollars - spent
        return replace(self, calls=max(0, self.calls - 1), dollars=dollars)

    def spent_of(self, budget: Budget) -> dict[str, float]:
        """What is gone of the budget, as a message notes it (see `spent_before`)."""
        dollars = 0.0 if budget.dollars is None or self.dollars is None else budget.dollars - self.dollars
        counts = {"calls": budget.calls - self.calls, "searches": budget.searches - self.searches}
        return {**counts, "pages": budget.pages - self.pages, "dollars": dollars}

    def __str__(self) -> str:
        return f"Left for this question: {self._counts()}.{self._advice()}"

    def _counts(self) -> str:
        counts = [
            _counted(self.searches, "search", "searches"),
            f"{_counted(self.pages, 'page', 'pages')} to look at",
            _counted(self.calls, "model call", "model calls"),
        ]
        return ", ".join(counts + ([] if self.dollars is None else [f"${max(0.0, self.dollars):.4f}"]))

    def _advice(self) -> str:
        if self.must_answer or self.searches == self.pages == 0:
            return " The budget is used up: answer now with what you have seen."
        if self.pages == 0:
            return " No more pages can be shown: answer with what you have seen."
        if self.searches == 0:
            return " No more searches: look at pages already found, or answer with what you have seen."
        return ""


def budget_left(budget: Budget, conversation: Conversation, call_id: str | None = None) -> BudgetLeft:
    """What is left of a budget when the tool call ``call_id``, one of the last message's, is about to be carried out.

    Calls of the same message that stand before it count as carried out in full, since they run at the same time. A
    call that failed counts nothing; a page or region looked at twice counts once.
    """
    question = conversation.under_way
    if question is None:
        return BudgetLeft(budget.searches, budget.pages, budget.calls, budget.dollars)
    same_step = _calls_before(question, call_id)
    done = [reply for reply in question.replies if not reply.failed and not reply.repeated]
    searches = sum(reply.tool == SEARCH_PAGES for reply in done)
    searches += sum(name == SEARCH_PAGES for name, _ in same_step)
    pages = len({view for reply in done for view in reply.views})
    pages += sum(requested for name, requested in same_step if name == VIEW_PAGES)
    searches += int(question.before.get("searches", 0))
    pages += int(question.before.get("pages", 0))
    return BudgetLeft(
        max(0, budget.searches - searches),
        max(0, budget.pages - pages),
        max(0, budget.calls - question.calls),
        _dollars_left(budget, question),
    )


def views_so_far(conversation: Conversation) -> set[PageView]:
    """The pages and regions that were looked at for the last question: each counts once."""
    return set(conversation.under_way.views) if conversation.under_way else set()


def _dollars_left(budget: Budget, question: Question) -> float | None:
    if budget.dollars is None or budget.tariff is None:
        return None
    return budget.dollars - budget.tariff.at_most(question.model_calls) - question.before.get("dollars", 0.0)


def _calls_before(question: Question, call_id: str | None) -> list[tuple[str, int]]:
    """The name, and the number of pages asked for, of each call that runs at the same time and stands before this."""
    last = question.model_messages[-1] if question.model_messages else None
    before: list[tuple[str, int]] = []
    for call in last.tool_calls if last and call_id else []:
        if call["id"] == call_id:
            return before
        pages = call["args"].get("pages")
        before.append((call["name"], len(pages) if isinstance(pages, list) else 0))
    return []


def _counted(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
