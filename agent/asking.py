"""Asks the agent a question: at once (`ask`), or with its steps and the answer as they come (`stream`); async twins."""

from __future__ import annotations

import unicodedata
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from pagesight.agent.answers.answer import Answer, CitationCheck, check_for, read_answer, terms_of
from pagesight.agent.answers.citations import says_not_found
from pagesight.agent.reasoners.choose import plain_failures
from pagesight.indexing.calls.progress import KEY
from pagesight.indexing.errors import EmptyAnswer, EmptyQuestion
from pagesight.tools.conversation import LIST_DOCUMENTS, LOCATE, SEARCH_PAGES, VIEW_PAGES, is_cut_off, viewed

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig
    from langgraph.graph.state import CompiledStateGraph

#: What `create_react_agent` says in the model's name when its steps are used up.
_OUT_OF_STEPS = "Sorry, need more steps to process this request."
_MODES: Any = ["custom", "messages", "updates", "values"]
#: Without "messages" the model is called without streaming.
_AT_ONCE: Any = ["custom", "values"]
_LONGEST_CITATION = 400
_CUT_OFF = "the answer is cut off: the model reached its limit of tokens; ask for less at once"


@dataclass(frozen=True)
class Step:
    """Something the agent did on the way; ``text`` is one quiet line, such as ``searched "net revenue" → 5 pages``.

    "wait" tells of a pause that the service asked for, or of another attempt; "aside" that the pieces of text before it
    were not the answer yet; "cut" that the model ran out of tokens in the middle of it.
    """

    kind: Literal["search", "view", "list", "locate", "mend", "wait", "aside", "cut"]
    text: str
    pages: tuple[str, ...] = ()  # the labels of the pages that were looked at


def ask(agent: CompiledStateGraph, question: str, *, thread_id: str | None = None) -> Answer:
    """The agent's answer to a question.

    With a checkpointer, questions on one ``thread_id`` make one conversation; without a ``thread_id`` each is its own.
    Raises EmptyQuestion, ReasonerError (KeyRefused, AnswerBlocked, EmptyAnswer) and what the index raises.
    """
    asked, config = _asked(question), _config(thread_id)
    past = agent.get_state(config).values if agent.checkpointer else {}
    run = _Run(agent)
    with plain_failures(run.terms.reasoner):
        for mode, payload in agent.stream(_after(past, asked), config, stream_mode=_AT_ONCE, durability=_kept(agent)):
            run.read(mode, payload)
    return run.answer()


async def aask(agent: CompiledStateGraph, question: str, *, thread_id: str | None = None) -> Answer:
    """The same as `ask`, async."""
    asked, config = _asked(question), _config(thread_id)
    past = (await agent.aget_state(config)).values if agent.checkpointer else {}
    run = _Run(agent)
    with plain_failures(run.terms.reasoner):
        async for mode, payload in agent.astream(
            _after(past, asked), config, stream_mode=_AT_ONCE, durability=_kept(agent)
        ):
            run.read(mode, payload)
    return run.answer()


def stream(agent: CompiledStateGraph, question: str, *, thread_id: str | None = None) -> Iterator[Step | str | Answer]:
    """What the agent does (`Step`), pieces of the final answer as they come (`str`), and last the `Answer`.

    The pieces after the last step that is not a "cut" together are the answer's text: when a text that looked like the
    answer turns out to go on with a tool, a step "aside" says so. Raises as `ask` does, also after some pieces.
    """
    asked, config = _asked(question), _config(thread_id)
    past = agent.get_state(config).values if agent.checkpointer else {}
    run = _Run(agent)
    with plain_failures(run.terms.reasoner):
        for mode, payload in agent.stream(_after(past, asked), config, stream_mode=_MODES, durability=_kept(agent)):
            yield from run.read(mode, payload)
    yield run.answer()


async def astream(
    agent: CompiledStateGraph, question: str, *, thread_id: str | None = None
) -> AsyncIterator[Step | str | Answer]:
    """The same as `stream`, async."""
    asked, config = _asked(question), _config(thread_id)
    past = (await agent.aget_state(config)).values if agent.checkpointer else {}
    run = _Run(agent)
    with plain_failures(run.terms.reasoner):
        async for mode, payload in agent.astream(
            _after(past, asked), config, stream_mode=_MODES, durability=_kept(agent)
        ):
            for item in run.read(mode, payload):
                yield item
    yield run.answer()


class _Run:
    """One run of the agent, as its stream tells it; holds the messages so far, and counts the bytes that were sent."""

    def __init__(self, agent: CompiledStateGraph):
        self.terms = terms_of(agent)
        self._messages: list[BaseMessage] = []
        self._bytes = 0
        self._text: _FinalText | None = None

    def read(self, mode: str, payload: Any) -> list[Step | str]:
        """What one item of the graph's stream has to tell."""
        if mode == "values":
            self._messages = payload["messages"]
            return []
        if mode == "custom":
            return self._news(payload)
        if mode == "messages":
            message, metadata = payload
            return self._piece(message) if metadata.get("langgraph_node") == "agent" else []
        return [
            item
            for node in ("agent", "tools")
            for message in (payload.get(node) or {}).get("messages", [])
            for item in self._done(message)
        ]

    def answer(self) -> Answer:
        """The answer with which the run has ended. Raises EmptyAnswer when there is none."""
        text = self._messages[-1].text
        if text == _OUT_OF_STEPS:
            raise EmptyAnswer(
                f"{self.terms.reasoner} kept calling tools and gave no answer: ask for less at once, or take another "
                "model with PAGESIGHT_REASONER or PAGESIGHT_GEMINI_MODEL"
            )
        if not text.strip():
            raise EmptyAnswer(f"{self.terms.reasoner} returned an empty answer: ask again, or in other words")
        return read_answer(self._messages, self.terms, self._bytes)

    def _news(self, item: Any) -> list[Step | str]:
        kind = item.get(KEY) if isinstance(item, dict) else None
        if kind == "sent":
            self._bytes += item["bytes"]
        if kind == "mends":
            return [Step("mend", item["text"])]
        return [Step("wait", item["text"])] if kind == "waits" else []

    def _piece(self, message: BaseMessage) -> list[Step | str]:
        if not isinstance(message, AIMessage):
            return []
        if self._text is None:
            self._text = _FinalText(check_for(self._messages, self.terms.limits))
        piece = self._text.feed(message.text)
        return [piece] if piece else []

    def _done(self, message: BaseMessage) -> list[Step | str]:
        if isinstance(message, ToolMessage):
            return [step_of(message)]
        text, self._text = self._text, None
        if text is None or not isinstance(message, AIMessage):
            return []
        if message.tool_calls:
            return [Step("aside", "that was not the answer yet: looking further")] if text.let_through else []
        rest = text.rest()
        ending: list[Step | str] = [rest] if rest else []
        return [*ending, Step("cut", _CUT_OFF)] if is_cut_off(message) else ending


class _FinalText:
    """The text of one message of the model, let through from where it shows itself to be the final answer.

    Models think aloud before they call a tool. An answer is known by its first citation, or by saying that nothing was
    found; a text with neither is let through at its end, when it is known that no tool is called. From then on
    only an open bracket is held back, so that a citation to a page that was not shown leaves marked. ``let_through``
    says that some of it has left.
    """

    def __init__(self, check: CitationCheck):
        self._check = check
        self._held = ""
        self._is_answer = False
        self.let_through = False

    def feed(self, text: str) -> str:
        """What may be let through now."""
        self._held = unicodedata.normalize("NFC", self._held + text)
        self._is_answer = self._is_answer or says_not_found(self._held) or self._check.cites(self._held)
        return self._let_through(_settled(self._held)) if self._is_answer else ""

    def rest(self) -> str:
        """What is still held back when the message has ended."""
        return self._let_through(len(self._held))

    def _let_through(self, end: int) -> str:
        piece, self._held = self._check.mark(self._held[:end]), self._held[end:]
        self.let_through = self.let_through or bool(piece)
        return piece


def _settled(text: str) -> int:
    """Where the first bracket that is still open starts; the text's length when none is."""
    depth, start = 0, len(text)
    for position, letter in enumerate(text):
        if letter == "[":
            start = position if depth == 0 else start
            depth += 1
        elif letter == "]" and depth:
            depth -= 1
    return start if depth and len(text) - start < _LONGEST_CITATION else len(text)


def step_of(message: ToolMessage) -> Step:
    """The step that a tool's reply tells of."""
    artifact = message.artifact if isinstance(message.artifact, dict) else {}
    if message.status == "error":
        return Step("mend", f"{message.name} failed: {str(message.text).splitlines()[0]}")
    if message.name == SEARCH_PAGES:
        return Step("search", f'searched "{artifact.get("query")}" → {_counted(len(artifact.get("hits", [])), "page")}')
    if message.name == VIEW_PAGES:
        labels = "; ".join(view.label for view in viewed(message))
        pages = tuple(dict.fromkeys(view.ref.label for view in viewed(message)))
        return Step("view", f"looked at {labels or 'nothing: no pages are left for this question'}", pages)
    if message.name == LIST_DOCUMENTS:
        return Step("list", f"listed {_counted(len(artifact.get('documents', [])), 'document')}")
    if message.name == LOCATE:
        return Step("locate", f"located {_counted(len(artifact.get('boxes', [])), 'thing')} on a page")
    return Step("mend", f"called {message.name}")


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _asked(question: str) -> HumanMessage:
    if not question.strip():
        raise EmptyQuestion("the question is empty: ask something about the documents")
    return HumanMessage(question)


def _kept(agent: CompiledStateGraph) -> Literal["exit"] | None:
    """A thread is kept at the end of each question, also of one that failed: at each step it would be written anew."""
    return "exit" if agent.checkpointer else None


def _config(thread_id: str | None) -> RunnableConfig:
    return {"configurable": {"thread_id": thread_id or uuid.uuid4().hex}}


def _after(past: dict[str, Any], question: HumanMessage) -> dict[str, Any]:
    """The graph's input: the question, after a word on tool calls that a run broken off has left without a reply."""
    return {"messages": [*_broken_off(past.get("messages", [])), question]}


def _broken_off(messages: Sequence[BaseMessage]) -> list[ToolMessage]:
    replied = {message.tool_call_id for message in messages if isinstance(message, ToolMessage)}
    calls = [call for message in messages if isinstance(message, AIMessage) for call in message.tool_calls]
    return [
        ToolMessage("Stopped before it was done.", name=call["name"], tool_call_id=call["id"], status="error")
        for call in calls
        if call["id"] not in replied
    ]
