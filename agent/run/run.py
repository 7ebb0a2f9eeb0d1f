"""One run of the agent: what goes into its graph, and what comes out of the graph's stream."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.runnables.config import RunnableConfig, merge_configs
from langgraph.types import Command, Interrupt, StateSnapshot

from pagesight.agent.answers.agent_limits import limits_of
from pagesight.agent.answers.answer import Answer
from pagesight.agent.answers.citation_check import check_of_next
from pagesight.agent.answers.read_answer import final_answer
from pagesight.agent.request.attached_images import GivenImage, with_images
from pagesight.agent.request.call_order import broken_off
from pagesight.agent.run.final_text import FinalText
from pagesight.agent.run.steps import Step, step_of
from pagesight.indexing.calls.progress import KEY
from pagesight.indexing.errors import AnswerWaits, EmptyQuestion, RequestError, SettingsError
from pagesight.tools.messages.authorship import answer_text, changes_of
from pagesight.tools.messages.conversation import Conversation, is_cut_off
from pagesight.tools.messages.tool_reply import read_tool_reply

if TYPE_CHECKING:
    from langgraph.graph.state import CompiledStateGraph

#: The node of the model's calls, in either loop.
_MODEL_NODES = ("agent", "model")
_CUT_OFF = "the answer is cut off: the model reached its limit of tokens; ask for less at once"


class HowToAsk(TypedDict, total=False):
    """How one question is asked.

    ``thread_id`` is the conversation that it belongs to. ``config`` is LangChain's: callbacks, tags, metadata,
    recursion_limit, run_id. ``context`` narrows this one call by ``documents`` (names, ids, patterns), ``where`` (a
    condition on metadata) and ``tenant`` (those whose metadata has it as ``tenant``), within what the agent may see; it
    also reaches tools of your own. ``messages`` stand before the question, for who keeps conversations elsewhere.
    ``images`` go along with the question: paths, bytes of files, or Pillow's; the thread keeps references to them.
    ``durability`` says when a thread is written: "exit", at the end of a question, by default; "async" or "sync" at
    each step, so that `resume` can go on after a crash. Once a question is answered its thread keeps the last state;
    with ``history`` "all" each one before it, too, and so it does after a question that begins from one of them
    (``checkpoint_id`` in ``config["configurable"]``, as LangGraph's `get_state_history` tells them).
    """

    thread_id: str | None
    config: RunnableConfig | None
    context: Any
    messages: Sequence[BaseMessage]
    durability: Literal["exit", "async", "sync"]
    images: Sequence[GivenImage]
    history: Literal["last", "all"]


#: The values that may be given, where there are few.
_KNOWN = {"durability": ("exit", "async", "sync"), "history": ("last", "all")}


class Run:
    """One run of the agent: what goes into its graph, and what comes out of the graph's stream.

    Holds the messages so far, and counts the bytes that were sent. Raises EmptyQuestion, SettingsError for a way to ask
    that there is not, and TypeError for one that is not known.
    """

    def __init__(
        self, agent: CompiledStateGraph[Any, Any, Any, Any], question: str | None, how: HowToAsk, value: Any = None
    ):
        if question is not None and not question.strip():
            raise EmptyQuestion("the question is empty: ask something about the documents")
        _check(agent, how)
        self.agent = agent
        self.limits = limits_of(agent)
        named = _named(agent, how)
        self.config = _config(agent, how, named)
        self._is_named = bool(named)
        #: The checkpoint that it begins from, in the place of the thread's last one.
        self._fork = str(self.config["configurable"].get("checkpoint_id") or "")
        #: A thread is kept at the end of each question, also of one that failed: at each step it would be written anew.
        durability = how.get("durability", "exit") if agent.checkpointer else None
        self.options: dict[str, Any] = {"durability": durability, "context": how.get("context")}
        self._before = list(how.get("messages") or [])
        self._question = None if question is None else HumanMessage(question)
        has_saver = self.agent.checkpointer not in (None, True, False)
        self._keeps_last = has_saver and how.get("history", "all" if self._fork else "last") == "last"
        self._images = list(how.get("images") or [])
        self._value = value
        self._messages: list[BaseMessage] = []
        self._structured: Any = None
        self._waits: Sequence[Interrupt] = ()
        self._bytes = 0
        self._text: FinalText | None = None
        self._text_of: str | None = None
        self._withheld: Sequence[str] = ()

    @property
    def pruned(self) -> str:
        """The thread whose earlier checkpoints go now; "" where all are kept."""
        return str(self.config["configurable"]["thread_id"]) if self._keeps_last else ""

    def attach(self) -> None:
        """Keeps the images that come with the question. Waits for the disk. Raises RequestError, SettingsError."""
        if self._images and self._question and self.limits.author:
            index, reasoner = self.limits.author.index, self.limits.reasoner
            self._question = with_images(self._question, self._images, index, reasoner)

    def begins_anew(self, past: StateSnapshot) -> bool:
        """Whether a question comes after a run that was broken off: LangGraph then forgets what was done of its step,
        which a state shows as done unless it is asked for by its own id."""
        return self._question is not None and bool(past.tasks)

    @property
    def shared_thread(self) -> str | None:
        """The thread that another run may be in, too; None for one that was begun for this question alone."""
        return str(self.config["configurable"]["thread_id"]) if self._is_named else None

    def input(self, past: StateSnapshot | None) -> Any:
        """The graph's: the question, after a word on tool calls that a run broken off has left without a reply.

        None, or what an interrupt waits for, where a question is gone on with. Raises RequestError if there is none,
        and for a checkpoint that there is not.
        """
        if self._fork and (past is None or past.metadata is None):
            thread_id = self.config["configurable"]["thread_id"]
            raise RequestError(
                f"the thread {thread_id!r} has no checkpoint {self._fork!r}: get_state_history tells them"
            )
        if self._question is None:
            if past is None or not past.next:
                raise RequestError("there is no question to go on with in this thread: ask one")
            self._messages = past.values.get("messages", [])
            return None if self._value is None else Command(resume=self._value)
        messages = [*(past.values.get("messages", []) if past else []), *self._before]
        return {"messages": [*self._before, *broken_off(messages), self._question]}

    def read(self, mode: str, payload: Any) -> list[Step | str]:
        """What one item of the graph's stream has to tell."""
        if mode == "values":
            self._messages = payload.get("messages", self._messages)
            self._structured = payload.get("structured_response")
            if "__interrupt__" in payload:  # one of ``interrupt_before`` has no value
                self._waits = payload["__interrupt__"] or (Interrupt(None),)
            return []
        if mode == "custom":
            return self._news(payload)
        if mode == "messages":
            message, metadata = payload
            return self._piece(message) if metadata.get("langgraph_node") in _MODEL_NODES else []
        return [
            item
            for node in (*_MODEL_NODES, "tools")
            for message in (payload.get(node) or {}).get("messages", [])
            for item in self._done(message)
        ]

    def answer(self) -> Answer:
        """The answer with which the run has ended. Raises EmptyAnswer when there is none."""
        run = str(self.config["configurable"]["thread_id"]), str(self.config["run_id"])
        if self._waits:
            raise _waiting(run[0] if self.agent.checkpointer else "", self._waits[0].value)
        answer = final_answer(self._messages, self.limits, run, self._bytes)
        asked = answer.question if self._question is None else self._question.text
        structured = None if answer.structured is None else self._structured
        return replace(answer, question=asked, structured=structured)

    def _news(self, item: Any) -> list[Step | str]:
        kind = item.get(KEY) if isinstance(item, dict) else None
        if kind == "sent":
            self._bytes += item["bytes"]
        if kind == "withholds":
            self._withheld = item["labels"]
        if kind == "corrects":
            return [Step("correct", item["text"])]
        return [Step("wait", item["text"])] if kind == "waits" else []

    def _piece(self, message: BaseMessage) -> list[Step | str]:
        if not isinstance(message, AIMessage):
            return []
        # Where the next model of a chain goes on for one that broke off, it begins anew.
        broken = self._text is not None and self._text.let_through and message.id != self._text_of
        if self._text is None or message.id != self._text_of:
            conversation = Conversation.read(self._messages, self.limits.author)
            self._text = FinalText(check_of_next(conversation, self.limits.call, self._withheld))
            self._text_of = message.id
        piece = self._text.feed(message.text)
        told: list[Step | str] = [Step("aside", "that answer broke off: asking once more")] if broken else []
        return [*told, piece] if piece else told

    def _done(self, message: BaseMessage) -> list[Step | str]:
        if isinstance(message, ToolMessage):
            return [step_of(read_tool_reply(message))]
        text, self._text = self._text, None
        if text is None or not isinstance(message, AIMessage):
            return []
        if message.tool_calls:
            return [Step("aside", "that was not the answer yet: looking further")] if text.let_through else []
        if changes := changes_of(message):
            return [Step("correct", "; ".join(changes)), text.check.mark(answer_text(message))]
        rest = text.rest()
        ending: list[Step | str] = [rest] if rest else []
        return [*ending, Step("cut", _CUT_OFF)] if is_cut_off(message) else ending


def _waiting(thread_id: str, value: Any = None) -> AnswerWaits:
    way_out = "give the agent a checkpointer, so that it can be gone on with"
    if thread_id:
        way_out = f"go on with resume(agent, {thread_id!r}, True), or another value"
    return AnswerWaits(f"the run waits for a word ({value}): {way_out}", value)


def _check(agent: CompiledStateGraph[Any, Any, Any, Any], how: HowToAsk) -> None:
    """Raises TypeError for a name that is none of `HowToAsk`'s, and SettingsError for a value that cannot be."""
    for name in how:
        if name not in HowToAsk.__annotations__:
            raise TypeError(f"{name!r} is no way to ask: there are {', '.join(HowToAsk.__annotations__)}")
    for name, known in _KNOWN.items():
        if (given := how.get(name, known[0])) not in known:
            raise SettingsError(f"{name!r} is {given!r}: it must be one of {', '.join(known)}, or be left out")
    if isinstance(how.get("messages"), str):
        raise SettingsError("'messages' is a text: it must be a list of messages, or be left out")
    if agent.checkpointer is True:
        raise SettingsError(
            "checkpointer=True is for an agent within another graph, which has a checkpointer: give it one of its own "
            "to ask it alone, such as InMemorySaver()"
        )


def _named(agent: CompiledStateGraph[Any, Any, Any, Any], how: HowToAsk) -> Any:
    """The thread that was named, by the call or with the agent; None where none was."""
    configs = [how.get("config") or {}, agent.config or {}]
    return how.get("thread_id") or next(
        filter(None, (one.get("configurable", {}).get("thread_id") for one in configs)), None
    )


def _config(agent: CompiledStateGraph[Any, Any, Any, Any], how: HowToAsk, named: Any) -> RunnableConfig:
    """The caller's config over the agent's own, with a thread and a run."""
    given = how.get("config") or {}
    own: RunnableConfig = {
        "configurable": {"thread_id": named or uuid.uuid4().hex},
        "run_id": given.get("run_id") or uuid.uuid4(),
    }
    return merge_configs(agent.config, given, own)
