"""What it costs to read a conversation: `python benchmarks/conversation.py`.

A conversation of made-up turns (a search with five hits, two pages looked at, an answer that cites them, one answer in
ten sent back) is read back as turns, and made ready for its next model call, at two lengths each: where reading is
linear, twice the length takes twice the time. "Going on" is a step of a conversation that was read one step before.
No picture is rendered, and nothing is sent. The last line counts how often one offline question reads an artifact.
"""

from __future__ import annotations

import gc
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage  # noqa: E402
from small_index import make_index, small_settings  # noqa: E402

from pagesight.agent import ask, create_page_agent  # noqa: E402
from pagesight.agent.answers.agent_limits import AgentLimits  # noqa: E402
from pagesight.agent.answers.correction import Correction  # noqa: E402
from pagesight.agent.hydrate import Hydrator  # noqa: E402
from pagesight.agent.reports.turns import turns  # noqa: E402
from pagesight.indexing.pages import Hit, PageRef  # noqa: E402
from pagesight.tools.budget import Budget, budget_left  # noqa: E402
from pagesight.tools.messages.conversation import Conversation, PageView  # noqa: E402
from pagesight.tools.messages.sent_pictures import CallLimits  # noqa: E402
from pagesight.tools.messages.tool_reply import ToolReply, read_tool_reply  # noqa: E402
from pagesight.tools.transport.pictures import Picture  # noqa: E402
from pagesight.tools.transport.transport import Base64Transport  # noqa: E402

DOCUMENT, DOCUMENT_ID, PAGES = "annual-report.pdf", "0123456789abcdef", 300
LIMITS = CallLimits(images=20)
BUDGET = Budget(8, 16, 25)


class OnePicture:
    """Stands for `Pictures`: every page has the same few bytes."""

    def of(self, view: PageView) -> Picture:
        """The picture of any page."""
        return Picture(b"x" * 100, "image/png", 1032)


def called(name: str, number: int, **arguments: Any) -> AIMessage:
    """What the model says when it calls a tool."""
    call = {"name": name, "args": arguments, "id": f"{name}-{number}"}
    return AIMessage("", tool_calls=[call], usage_metadata={"input_tokens": 9, "output_tokens": 1, "total_tokens": 10})


def replied(name: str, number: int, **artifact: Any) -> ToolMessage:
    """What a tool replies."""
    return ToolMessage(name, name=name, tool_call_id=f"{name}-{number}", artifact=artifact)


def turn(number: int) -> list[BaseMessage]:
    """A question with what follows."""
    pages = [2 * number % PAGES + 1, (2 * number + 1) % PAGES + 1]
    refs = [PageRef(DOCUMENT_ID, DOCUMENT, page) for page in [*pages, 301, 302, 303]]
    hits = [Hit(rank, ref, 1 / rank, [(0.1, 0.2, 0.3, 0.4)], ["A line"], []) for rank, ref in enumerate(refs, 1)]
    views = [PageView(ref, None, 1032, 70_000) for ref in refs[:2]]
    wrong = [AIMessage(f"It was 4 [{DOCUMENT} p. 999].")] if number % 10 == 5 else []
    return [
        HumanMessage(f"Question {number}?"),
        called("search_pages", number, query="revenue"),
        replied("search_pages", number, query="revenue", hits=[hit.as_dict() for hit in hits]),
        called("view_pages", number, pages=[view.label for view in views]),
        replied("view_pages", number, pages=[view.as_dict() for view in views]),
        *wrong,
        AIMessage(f"It was 4 [{refs[0].label}], then 5 [{refs[1].label}]."),
    ]


def thread(length: int) -> list[BaseMessage]:
    """The messages of a conversation of so many turns."""
    return [message for number in range(length) for message in turn(number)]


def prepared(messages: list[BaseMessage]) -> None:
    """What happens around one model call: its budget, its messages, and the check of what it brings."""
    correction = Correction(LIMITS, BUDGET)
    hydrator = Hydrator("prompt", OnePicture(), Base64Transport(), LIMITS)  # type: ignore[arg-type]
    conversation = Conversation.read(messages)
    budget_left(BUDGET, conversation)
    correction.is_due(conversation)
    hydrator.messages({"messages": messages})
    correction.send_back({"messages": messages})


def seconds(work: Callable[[], object]) -> float:
    """How long it takes."""
    gc.collect()
    gc.disable()  # a collection in the middle costs more than what is measured
    start = time.perf_counter()
    work()
    taken = time.perf_counter() - start
    gc.enable()
    return taken


def rows() -> Iterator[tuple[str, int, float, float]]:
    """What is measured, the longer length in turns, and the seconds at half of it and at it."""
    half, whole = (seconds(partial(_turns_read, length)) for length in (100, 200))
    yield "turns() read back", 200, half, whole
    for name, goes_on in (("a model call, read for the first time", False), ("a model call, going on", True)):
        times = []
        for length in (75, 150):
            messages: list[BaseMessage] = [*thread(length), HumanMessage("And?")]
            if goes_on:
                prepared(messages)
                messages = [*messages, *turn(length)[1:-1]]
            times.append(seconds(partial(prepared, messages)))
        yield name, 150, times[0], times[1]


def _turns_read(length: int) -> object:
    return turns(thread(length), AgentLimits("x", LIMITS))


def artifacts_read() -> int:
    """How often one offline question reads the artifact of a tool's reply."""
    counted: list[ToolMessage] = []

    def read(message: ToolMessage) -> ToolReply:
        counted.append(message)
        return read_tool_reply(message)

    with tempfile.TemporaryDirectory() as folder, make_index(Path(folder)) as index:
        agent = create_page_agent(index, model="offline", settings=small_settings())
        with patch("pagesight.tools.messages.conversation.read_tool_reply", read):
            ask(agent, "How high was the net revenue in 2023?")
    return len(counted)


def main() -> None:
    """Measures and prints."""
    prepared(thread(2))  # the first one loads what it needs
    print(f"{'':40} {'turns':>6} {'ms at half':>11} {'ms':>8} {'ratio':>6}")
    for name, length, half, whole in rows():
        print(f"{name:40} {length:6} {half * 1000:11.1f} {whole * 1000:8.1f} {whole / half:6.1f}")
    print(f"artifacts read in one offline question: {artifacts_read()}")


if __name__ == "__main__":
    main()
