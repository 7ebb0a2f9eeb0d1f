"""The agent inside other graphs: as a node that shares ``messages``, or as a tool; and its answers, read from messages.

    graph.add_node("documents", as_node(agent))         # also under langgraph-supervisor, in both output modes
    tools = [as_tool(agent), ...]                       # text for the model, an `Answer` as artifact
    answers_in(result["messages"])[-1].citations        # in either case, also from a checkpoint or over HTTP

What crosses into the parent is text and references to pages: no picture enters its state, checkpoint or stream.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from typing import Any, NotRequired

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    RemoveMessage,
    ToolMessage,
    convert_to_messages,
)
from langchain_core.runnables import RunnableConfig, RunnableLambda
from langchain_core.tools import BaseTool, StructuredTool, ToolException
from langgraph.errors import ParentCommand
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import get_runtime
from langgraph.types import Command
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from pagesight.agent.answers.agent_limits import AgentLimits, limits_of
from pagesight.agent.answers.answer import Answer
from pagesight.agent.answers.read_answer import final_answer
from pagesight.agent.reasoners.choose import plain_failures
from pagesight.agent.request.call_order import broken_off
from pagesight.indexing.errors import AnswerBlocked, AnswerCutOff, EmptyAnswer, EmptyQuestion, RequestError
from pagesight.tools.messages.authorship import correction_of, with_shown

#: The key below which the last message of `as_node` carries its answer in ``response_metadata``.
_ANSWER = "pagesight_answer"
#: Which JSON in a text is an answer of ours.
_MADE_BY = "pagesight"

_DESCRIPTION = """\
Ask a question about the documents. An assistant searches them, looks at their pages and answers with citations such as
[annual-report.pdf p. 12], which were checked against the pages it looked at: keep them when you use its answer."""


class QuestionArgument(BaseModel):
    """The argument that the parent's model gives."""

    question: str = Field(description="one question that can be understood without the conversation before it")


def as_tool(
    agent: CompiledStateGraph[Any, Any, Any, Any], *, name: str | None = None, description: str | None = None
) -> BaseTool:
    """The agent as a tool of another: takes a ``question``, returns the answer's text, with the `Answer` as artifact.

    ``name`` is ``ask_<name of the agent>`` by default. Each call is a question of its own, so several can run at the
    same time, and the parent's checkpoint keeps nothing of it but the reply. What another question can fix (nothing
    asked, a blocked, broken or empty answer) comes back as text with status "error"; what it cannot (a key refused,
    the index gone) is raised as `ask` raises it.
    """
    # Run as a part of the parent's task, without a thread of its own, so that its steps stream with the parent's; but
    # nothing of it is checkpointed.
    # But for one that may wait for a word: what it did until then is not to be done, and paid for, again.
    nothing_kept = {"checkpointer": None if limits_of(agent).confirms else False}
    alone = as_node(agent.copy(update=nothing_kept)).copy(update=nothing_kept)
    reasoner = limits_of(agent).reasoner

    def answer(question: str) -> tuple[str, Answer]:
        with _errors_as_replies(), plain_failures(reasoner):
            return _reply(alone.invoke(_as_state(question)))

    async def aanswer(question: str) -> tuple[str, Answer]:
        with _errors_as_replies(), plain_failures(reasoner):
            return _reply(await alone.ainvoke(_as_state(question)))

    return StructuredTool.from_function(
        answer, aanswer, name=name or _tool_name(agent), description=description or _DESCRIPTION,
        args_schema=QuestionArgument, response_format="content_and_artifact", handle_tool_error=True,
    )  # fmt: skip


def as_node(agent: CompiledStateGraph[Any, Any, Any, Any]) -> CompiledStateGraph[Any, Any, Any, Any]:
    """The agent as a node, or as a worker of a supervisor: a graph of the same name whose last message is checked.

    It shares ``messages`` with its parent. Citations to pages that were not shown are marked in the last message's
    text, and the message carries the `Answer` (see `answers_in`), so it stays whole where only the last message is
    kept. As any subgraph it uses the parent's checkpointer, or the agent's own.
    """
    builder = StateGraph(_NodeState, input_schema=MessagesState)
    builder.add_node("look", _look(agent))
    builder.add_node("check", _check(agent))
    builder.add_edge(START, "look")
    builder.add_edge("look", "check")
    builder.add_edge("check", END)
    return builder.compile(name=agent.name)


class _NodeState(MessagesState):
    """What a node gives back: messages, and to deepagents the answer as data."""

    structured_response: NotRequired[dict[str, Any]]


def answers_in(messages: Sequence[BaseMessage | Mapping[str, Any]]) -> list[Answer]:
    """The agent's answers in a parent's messages, in order.

    The messages may be fresh, from a checkpoint, or the dictionaries that come over HTTP. In the replies of deepagents'
    sub-agents, which are texts, an answer has no ``hits``.
    """
    answers = (_carried_answer(message) for one in messages if (message := _as_message(one)))
    return [answer for answer in answers if answer]


def _as_message(given: BaseMessage | Mapping[str, Any]) -> BaseMessage | None:
    """The message; None for what cannot be read as one, which is nobody's answer."""
    if isinstance(given, BaseMessage):
        return given
    try:
        return convert_to_messages([dict(given)])[0]
    except (ValueError, TypeError, KeyError, NotImplementedError):  # the last is LangChain's for what is no message
        return None


def _told(carried: Mapping[str, Any]) -> dict[str, Any]:
    """An answer as a model reads it: its text first, without what only programs need much room for."""
    return {**{name: one for name, one in carried.items() if name not in ("hits", "claims")}, _MADE_BY: True}


@contextmanager
def _errors_as_replies() -> Iterator[None]:
    """Within it, an error that another question can fix becomes a reply to the parent's model."""
    try:
        yield
    except (RequestError, AnswerBlocked, AnswerCutOff, EmptyAnswer) as error:
        raise ToolException(f"No answer: {error}") from error


def _as_state(question: str) -> Any:
    if not question.strip():
        raise EmptyQuestion("the question is empty: ask something about the documents")
    return {"messages": [HumanMessage(question)]}


def _reply(state: dict[str, Any]) -> tuple[str, Answer]:
    answer = answers_in(state["messages"])[-1]
    return answer.text, answer


def _look(agent: CompiledStateGraph[Any, Any, Any, Any]) -> RunnableLambda[MessagesState, dict[str, Any]]:
    """The agent with the limit of steps that its budget gives it; as a bare node it would have the parent's."""
    own: Any = {"recursion_limit": (agent.config or {}).get("recursion_limit")}

    def look(state: MessagesState, config: RunnableConfig) -> dict[str, Any]:
        with _handed_over():
            return {"messages": agent.invoke(_with_every_reply(state), {**config, **own})["messages"]}

    async def alook(state: MessagesState, config: RunnableConfig) -> dict[str, Any]:
        with _handed_over():
            done = await agent.ainvoke(_with_every_reply(state), {**config, **own})
            return {"messages": done["messages"]}

    return RunnableLambda(look, alook)


@contextmanager
def _handed_over() -> Iterator[None]:
    """Within it, a tool that hands over to another agent of the parent does so, past the node's own graph."""
    try:
        yield
    except ParentCommand as handed:
        raise ParentCommand(replace(handed.args[0], graph=Command.PARENT)) from handed


def _check(agent: CompiledStateGraph[Any, Any, Any, Any]) -> RunnableLambda[MessagesState, dict[str, Any]]:
    limits = limits_of(agent)

    def check(state: MessagesState, config: RunnableConfig) -> dict[str, Any]:
        last: BaseMessage = state["messages"][-1]
        answer = final_answer(state["messages"], limits, _run_of(config))
        # An answer that went back to be corrected is nobody's business outside.
        drafts = [message for message in state["messages"] if _is_draft(message, limits)]
        last = with_shown(last, drafts)
        carried = {**last.response_metadata, _ANSWER: _answers().dump_python(answer, mode="json")}
        # Text that needs no mark keeps its form: a provider's content blocks may carry more than text.
        content = last.content if answer.text == last.text else answer.text
        removed = [RemoveMessage(id=str(message.id)) for message in drafts]
        # deepagents keeps nothing of a sub-agent but a text, and takes this one for it where there is one.
        alone = config.get("configurable", {}).get("ls_agent_type") == "subagent"
        told = {"structured_response": _told(carried[_ANSWER])} if alone else {}
        return {
            **told,
            "messages": [*removed, last.model_copy(update={"content": content, "response_metadata": carried})],
        }

    return RunnableLambda(check)


def _run_of(config: RunnableConfig) -> tuple[str | None, str | None]:
    """The thread, and the run as whoever started it has named it, or else as tracing knows the node's."""
    execution = get_runtime().execution_info
    traced = getattr(config.get("callbacks"), "parent_run_id", None)
    run_id = (execution.run_id if execution else None) or (str(traced) if traced else None)
    thread_id = config.get("configurable", {}).get("thread_id")
    return str(thread_id) if thread_id else None, run_id


def _with_every_reply(state: MessagesState) -> Any:
    """The state, with a word on calls that others left open: LangGraph takes no conversation with one."""
    return {**state, "messages": [*state["messages"], *broken_off(state["messages"])]}


def _is_draft(message: BaseMessage, limits: AgentLimits) -> bool:
    return limits.author is not None and limits.author.wrote(message) and bool(correction_of(message))


def _carried_answer(message: BaseMessage) -> Answer | None:
    """The answer that a message carries: as an object, or in the form that a checkpoint makes of it."""
    if isinstance(message, ToolMessage):
        carried = message.artifact if message.artifact is not None else _in_text(message.text)
    else:
        carried = message.response_metadata.get(_ANSWER) if isinstance(message, AIMessage) else None
    if carried is None or isinstance(carried, Answer):
        return carried
    try:
        return _answers().validate_python(carried)
    except ValidationError:
        return None  # somebody else's artifact


def _in_text(text: str) -> Any:
    """An answer that stands in a text as JSON; None if none does."""
    if not text.startswith("{") or _MADE_BY not in text:
        return None
    try:
        carried = json.loads(text)
    except ValueError:
        return None
    return {name: one for name, one in carried.items() if name != _MADE_BY} if _MADE_BY in carried else None


@lru_cache(maxsize=1)
def _answers() -> TypeAdapter[Answer]:
    return TypeAdapter(Answer)


def _tool_name(agent: CompiledStateGraph[Any, Any, Any, Any]) -> str:
    """In letters that every provider takes."""
    plain = unicodedata.normalize("NFKD", agent.name).encode("ascii", "ignore").decode()
    return "ask_" + (re.sub(r"\W+", "_", plain).strip("_").lower() or "documents")
