"""Asks the agent a question: at once (`ask`), or with its steps and the answer as they come (`stream`); async twins."""

from __future__ import annotations

import unicodedata
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from pagesight.agent.answer import Answer, CitationCheck, check_for, read_answer
from pagesight.agent.citations import says_not_found
from pagesight.agent.reasoner import plain_failures
from pagesight.indexing.errors import EmptyAnswer, EmptyQuestion
from pagesight.tools.conversation import LIST_DOCUMENTS, SEARCH_PAGES, VIEW_PAGES, viewed

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig
    from langgraph.graph.state import CompiledStateGraph

#: What `create_react_agent` says in the model's name when its steps are used up.
_OUT_OF_STEPS = "Sorry, need more steps to process this request."
_MODES: Any = ["messages", "updates", "values"]
_LONGEST_CITATION = 400


@dataclass(frozen=True)
class Step:
    """Something the agent did on the way; ``text`` is one quiet line, such as ``searched "net revenue" → 5 pages``."""

    kind: Literal["search", "view", "list", "mend"]
    text: str


def ask(agent: CompiledStateGraph, question: str, *, thread_id: str | None = None) -> Answer:
    """The agent's answer to a question.

    With a checkpointer, questions on one ``thread_id`` make one conversation; without a ``thread_id`` each is its own.
    Raises EmptyQuestion, ReasonerError (KeyRefused, AnswerBlocked, EmptyAnswer) and what the index raises.
    """
    asked, config = _asked(question), _config(thread_id)
    past = agent.get_state(config).values if agent.checkpointer else {}
    with plain_failures(_told(agent)["reasoner"]):
        result = agent.invoke(_after(past, asked), config)
    return _answer(agent, result["messages"])


async def aask(agent: CompiledStateGraph, question: str, *, thread_id: str | None = None) -> Answer:
    """The same as `ask`, async."""
    asked, config = _asked(question), _config(thread_id)
    past = (await agent.aget_state(config)).values if agent.checkpointer else {}
    with plain_failures(_told(agent)["reasoner"]):
        result = await agent.ainvoke(_after(past, asked), config)
    return _answer(agent, result["messages"])


def stream(agent: CompiledStateGraph, question: str, *, thread_id: str | None = None) -> Iterator[Step | str | Answer]:
    """What the agent does (`Step`), pieces of the final answer as they come (`str`), and last the `Answer`.

    The pieces together are the answer's text. Raises as `ask` does, also when some pieces have come already.
    """
    asked, config = _asked(question), _config(thread_id)
    past = agent.get_state(config).values if agent.checkpointer else {}
    run = _Run(agent)
    with plain_failures(_told(agent)["reasoner"]):
        for mode, payload in agent.stream(_after(past, asked), config, stream_mode=_MODES):
            yield from run.read(mode, payload)
    yield _answer(agent, run.messages)


async def astream(
    agent: CompiledStateGraph, question: str, *, thread_id: str | None = None
) -> AsyncIterator[Step | str | Answer]:
    """The same as `stream`, async."""
    asked, config = _asked(question), _config(thread_id)
    past = (await agent.aget_state(config)).values if agent.checkpointer else {}
    run = _Run(agent)
    with plain_failures(_told(agent)["reasoner"]):
        async for mode, payload in agent.astream(_after(past, asked), config, stream_mode=_MODES):
            for item in run.read(mode, payload):
                yield item
    yield _answer(agent, run.messages)


class _Run:
    """One run of the agent, as its stream tells it; holds the messages so far."""

    def __init__(self, agent: CompiledStateGraph):
        self.messages: list[BaseMessage] = []
        self._images_per_call = _told(agent)["images_per_call"]
        self._text: _FinalText | None = None

    def read(self, mode: str, payload: Any) -> list[Step | str]:
        """What one item of the graph's stream has to tell."""
        if mode == "values":
            self.messages = payload["messages"]
            return []
        if mode == "messages":
            message, metadata = payload
            return self._piece(message) if metadata.get("langgraph_node") == "agent" else []
        return [
            item
            for node in ("agent", "tools")
            for message in (payload.get(node) or {}).get("messages", [])
            for item in self._done(message)
        ]

    def _piece(self, message: BaseMessage) -> list[Step | str]:
        if not isinstance(message, AIMessage):
            return []
        if self._text is None:
            self._text = _FinalText(check_for(self.messages, self._images_per_call))
        piece = self._text.feed(message.text)
        return [piece] if piece else []

    def _done(self, message: BaseMessage) -> list[Step | str]:
        if isinstance(message, ToolMessage):
            return [_step(message)]
        rest = self._text.rest() if self._text else ""
        self._text = None
        calls_tools = isinstance(message, AIMessage) and message.tool_calls
        return [rest] if rest and not calls_tools else []


class _FinalText:
    """The text of one message of the model, let through from where it shows itself to be the final answer.

    Models think aloud before they call a tool. An answer is known by its first citation, or by saying that nothing was
    found; a text with neither is let through at its end, when it is known that no tool is called. From then on
    only an open bracket is held back, so that a citation to a page that was not shown leaves marked.
    """

    def __init__(self, check: CitationCheck):
        self._check = check
        self._held = ""
        self._is_answer = False

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


def _step(message: ToolMessage) -> Step:
    artifact = message.artifact if isinstance(message.artifact, dict) else {}
    if message.status == "error":
        return Step("mend", f"{message.name} failed: {str(message.text).splitlines()[0]}")
    if message.name == SEARCH_PAGES:
        return Step("search", f'searched "{artifact.get("query")}" → {_counted(len(artifact.get("hits", [])), "page")}')
    if message.name == VIEW_PAGES:
        labels = "; ".join(view.label for view in viewed(message))
        return Step("view", f"looked at {labels or 'nothing: no pages are left for this question'}")
    if message.name == LIST_DOCUMENTS:
        return Step("list", f"listed {_counted(len(artifact.get('documents', [])), 'document')}")
    return Step("mend", f"called {message.name}")


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _asked(question: str) -> HumanMessage:
    if not question.strip():
        raise EmptyQuestion("the question is empty: ask something about the documents")
    return HumanMessage(question)


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


def _answer(agent: CompiledStateGraph, messages: Sequence[BaseMessage]) -> Answer:
    told = _told(agent)
    text = messages[-1].text
    if text == _OUT_OF_STEPS:
        raise EmptyAnswer(
            f"{told['reasoner']} kept calling tools and gave no answer: ask for less at once, or take another model "
            "with PAGESIGHT_REASONER or PAGESIGHT_GEMINI_MODEL"
        )
    if not text.strip():
        raise EmptyAnswer(f"{told['reasoner']} returned an empty answer: ask again, or in other words")
    return read_answer(messages, **told)


def _told(agent: CompiledStateGraph) -> dict[str, Any]:
    """What `create_page_agent` wrote on the graph for whoever reads its answers."""
    metadata = (agent.config or {}).get("metadata", {})
    return {
        "reasoner": metadata.get("pagesight_reasoner", agent.name),
        "images_per_call": metadata.get("pagesight_images_per_call", 3000),
    }
