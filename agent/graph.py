"""The agent: reasoner, tools, the prompt that hydrates pages, and LangGraph's ReAct loop around them."""

from __future__ import annotations

import logging
import uuid
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.runnables import Runnable, RunnableConfig, RunnableLambda
from langchain_core.tools import BaseTool
from langgraph.graph.state import CompiledStateGraph
from langgraph.prebuilt import create_react_agent
from langgraph.runtime import Runtime
from langgraph.warnings import LangGraphDeprecatedSinceV10

from pagesight.agent.additions import Hook, Prompt, as_prompt, one_after_the_other, own_tools
from pagesight.agent.answers.agent_limits import AgentLimits
from pagesight.agent.answers.claims.claim_check import ClaimCheck
from pagesight.agent.answers.correction import Correction
from pagesight.agent.call_log import CallLog
from pagesight.agent.hydrate import Hydrator
from pagesight.agent.index_identity import index_identity
from pagesight.agent.prompts import SYSTEM_PROMPT
from pagesight.agent.reasoners.choose import Reasoner, make_reasoner, transport_for
from pagesight.agent.reasoners.late_pictures import with_late_pictures
from pagesight.indexing import PageIndex
from pagesight.indexing.calls.prices import Tariff, answering, dearest
from pagesight.indexing.errors import EmptyAnswer, EmptyQuestion, ReasonerError
from pagesight.indexing.settings import Settings
from pagesight.tools.allowed_documents import AllowedDocuments
from pagesight.tools.budget import Budget, budget_left
from pagesight.tools.gemini_service.picture_tokens import PictureRule, counts_by_resolution, rule_for
from pagesight.tools.list_documents import make_list_documents
from pagesight.tools.locate import make_locate
from pagesight.tools.messages.authorship import Author, read_author, shown_with, spent_before, withheld_from
from pagesight.tools.messages.conversation import Conversation
from pagesight.tools.messages.sent_pictures import CallLimits
from pagesight.tools.search_pages import make_search_pages
from pagesight.tools.transport.hidden import HiddenTransport
from pagesight.tools.transport.pictures import Form, Pictures
from pagesight.tools.view_pages import make_view_pages

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langgraph.types import Checkpointer

    from pagesight.tools.transport.transport import Transport

_log = logging.getLogger(__name__)

#: The nodes that one model call can pass: a hook before it, the model, what comes after it, and the tools.
_STEPS_OF_A_CALL = 4


def create_page_agent(
    index: PageIndex | str | Path,
    *,
    model: str | BaseChatModel | None = None,
    transport: str | None = None,
    checkpointer: Checkpointer = None,
    documents: Sequence[str] | None = None,
    where: str | None = None,
    name: str = "pagesight",
    settings: Settings | None = None,
    trace_pictures: bool = False,
    prompt: Prompt | None = None,
    tools: Sequence[BaseTool | Callable[..., Any]] = (),
    pre_model_hook: Hook | None = None,
    post_model_hook: Hook | None = None,
    **graph: Any,
) -> CompiledStateGraph[Any, Any, Any, Any]:
    """A ReAct agent that answers questions about an index by looking at its pages.

    ``index`` is an open index or its address; ``model`` a reasoner's name (see `make_reasoner`) or any LangChain chat
    model; ``transport`` "auto", "bytes", "base64" or "files". ``documents`` narrows everything to these, by name, path,
    id or pattern, and ``where`` to those whose metadata meets a condition; no documents are none. What is not given
    comes from ``settings``, by default the index's own. Ask it with `ask` or `stream`, or run it as any graph with
    ``messages``: its state holds references to pages and no pictures.
    Callbacks and tracing see sizes in the place of pictures, unless ``trace_pictures`` asks for their bytes.

    As in LangGraph's quickstart: ``prompt``, a text or a function of the state, adds to ours; ``tools`` stand beside
    ours, under the same budget of calls; ``post_model_hook`` comes after our correction; ``graph`` takes what else
    `create_react_agent` does: ``state_schema``, ``context_schema``, ``store``, ``interrupt_before`` and the like.

    Raises what `PageIndex.open` and `make_reasoner` raise, UnknownDocument, BadCondition, and SettingsError.
    """
    index = index if isinstance(index, PageIndex) else PageIndex.open(index, settings=settings, create=False)
    settings = settings or index.settings
    allowed = AllowedDocuments(index).narrowed(documents, where)
    author = Author(name, index_identity(index))
    reasoner = make_reasoner(model, settings)
    pictures = _pictures(index, settings, reasoner)
    way = transport_for(reasoner, transport or settings.pictures.transport, settings, index.path / "uploads")
    if way and not trace_pictures:
        way, reasoner = HiddenTransport(way), replace(reasoner, model=with_late_pictures(reasoner.model))
    budget, limits = _budget(settings, reasoner), _limits(settings, way)
    ours = _tools(allowed, pictures, budget, author, reasoner, way)
    every = [*ours, *own_tools(tools, ours)]
    correction = Correction(limits, budget, author)
    verify = way is not None and settings.reasoning.verify == "words"
    hydrator = Hydrator(
        SYSTEM_PROMPT, pictures, way, limits, in_tool_replies=reasoner.can.pictures_in_tool_replies, author=author,
        allowed=allowed, addition=as_prompt(prompt),
    )  # fmt: skip
    agent = _react_agent(
        _model_of_each_call(budget, correction, reasoner, every, allowed, verify=verify), every,
        prompt=hydrator.runnable(), pre_model_hook=pre_model_hook, checkpointer=checkpointer, name=name,
        post_model_hook=one_after_the_other(correction.send_back if way else None, post_model_hook), **graph,
    )  # fmt: skip
    written = AgentLimits(reasoner.name, limits, settings.budget.prices or {}, author)
    return agent.with_config(
        recursion_limit=_STEPS_OF_A_CALL * budget.calls + 10, metadata=written.as_metadata(), callbacks=[CallLog()]
    )


def _react_agent(*arguments: Any, **named: Any) -> CompiledStateGraph[Any, Any, Any, Any]:
    """`create_react_agent` without its warning: the successor would bring the whole langchain package into the core."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LangGraphDeprecatedSinceV10)
        return create_react_agent(*arguments, **named)


def _model_of_each_call(
    budget: Budget,
    correction: Correction,
    reasoner: Reasoner,
    tools: list[BaseTool],
    allowed: AllowedDocuments,
    *,
    verify: bool,
) -> Callable[..., Runnable[Any, Any]]:
    """The model for each call of the loop: with tools while the budget lasts, then without, so that it must answer."""
    with_tools = reasoner.model.bind_tools(tools)
    # Those that cannot be forced are told, and the loop ends after them.
    last = reasoner.model.bind_tools(tools, tool_choice="none") if reasoner.can.forced_answer else with_tools

    author = correction.author

    def model(state: dict[str, Any], runtime: Runtime[Any]) -> Runnable[Any, Any]:
        conversation = Conversation.read(state["messages"], author)
        if conversation.asks_nothing:
            raise EmptyQuestion("the question is empty: ask something about the documents")
        if conversation.under_way is None or not conversation.under_way.model_messages:
            allowed.within(runtime.context)  # what cannot be read in it is an error now, not a reply to the model
        rest = budget_left(budget, conversation)
        if rest.calls == 0 or _was_told(conversation, budget):
            raise EmptyAnswer(
                f"{reasoner.name} kept calling tools and gave no answer in {budget.calls - rest.calls} model calls: "
                "ask for less at once, allow more with PAGESIGHT_CALLS_PER_QUESTION, or take another model with "
                "PAGESIGHT_REASONER"
            )
        checked = ClaimCheck(allowed.within(runtime.context)) if verify else None
        chosen = _signing(last if rest.must_answer else with_tools, checked, conversation, rest.spent_of(budget))
        return _or_as_it_is(chosen, conversation.messages[-1]) if correction.is_due(conversation) else chosen

    return model


def _was_told(conversation: Conversation, budget: Budget) -> bool:
    """Whether the last call was made without a cent left: who cannot be made to answer then has had its last call."""
    said = conversation.under_way.model_messages if conversation.under_way else []
    return bool(said and budget.dollars is not None and spent_before(said[-1]).get("dollars", 0) >= budget.dollars)


def _signing(
    model: Runnable[Any, Any], checked: ClaimCheck | None, conversation: Conversation, before: Mapping[str, float]
) -> Runnable[Any, Any]:
    """The model, whose messages are marked as the agent's, as the prompt of the call says, and its answers' claims."""

    def signed(answer: BaseMessage, prompt: BaseMessage) -> BaseMessage:
        author, answer = read_author(prompt), _with_own_ids(answer, conversation)
        return author.signed(answer, shown_with(prompt) or [], withheld_from(prompt), before) if author else answer

    def call(messages: list[BaseMessage], config: RunnableConfig) -> BaseMessage:
        answer = signed(model.invoke(messages, config), messages[0])
        return checked.of(answer) if checked else answer

    async def acall(messages: list[BaseMessage], config: RunnableConfig) -> BaseMessage:
        answer = signed(await model.ainvoke(messages, config), messages[0])
        return await checked.aof(answer) if checked else answer

    return RunnableLambda(call, acall, name="reasoner")


def _with_own_ids(answer: BaseMessage, conversation: Conversation) -> BaseMessage:
    """The message, whose calls have ids that no call before them has: some models count theirs anew each time, and
    LangGraph then takes a call for one that has its reply."""
    if not isinstance(answer, AIMessage) or not answer.tool_calls:
        return answer
    taken, calls = conversation.call_ids, []
    for call in answer.tool_calls:
        own = call["id"] if call["id"] and call["id"] not in taken else f"call_{uuid.uuid4().hex[:16]}"
        taken.add(own)
        calls.append({**call, "id": own})
    return answer if calls == answer.tool_calls else answer.model_copy(update={"tool_calls": calls})


def _or_as_it_is(model: Runnable[Any, Any], answer: BaseMessage) -> Runnable[Any, Any]:
    """The model; when it fails to correct its answer, the answer stays, and what is not verified in it is marked."""
    as_it_is: Runnable[Any, Any] = RunnableLambda(
        lambda messages: author.signed(AIMessage(answer.text)) if (author := read_author(answer)) else answer
    )
    return model.with_fallbacks([as_it_is], exceptions_to_handle=(ReasonerError,))


def _pictures(index: PageIndex, settings: Settings, reasoner: Reasoner) -> Pictures:
    form: Form = settings.pictures.pages_as if reasoner.can.pdf_pages else "picture"
    return Pictures(index, picture_rule(settings, reasoner.name), form=form, webp=reasoner.can.webp)


def picture_rule(settings: Settings, reasoner: str) -> PictureRule:
    """How the reasoner of that name counts pictures, as the settings have it."""
    shown = settings.pictures
    # The client drops a picture's own resolution for an old name, also where a newer model answers to it.
    closer = shown.closer_regions and counts_by_resolution(reasoner)
    return rule_for(
        answering(reasoner), tiles=shown.tiles_per_picture, asked=shown.media_resolution, closer_regions=closer
    )


def _limits(settings: Settings, way: Transport | None) -> CallLimits:
    inline_bytes = settings.pictures.inline_limit if way and way.inline_only else None
    return CallLimits(settings.budget.images_per_call, settings.budget.image_tokens_per_call, inline_bytes)


def _budget(settings: Settings, reasoner: Reasoner) -> Budget:
    tariff = Tariff(reasoner.name, settings.budget.prices or {})
    dollars = settings.budget.dollars_per_question
    if dollars is not None and tariff.price() is None:
        _log.warning(_at_the_dearest_price(reasoner.name, dollars))
    return Budget(
        settings.budget.searches_per_question, settings.budget.pages_per_question, settings.budget.calls_per_question,
        dollars, tariff,
    )  # fmt: skip


def _at_the_dearest_price(reasoner: str, dollars: float) -> str:
    price = dearest()
    tokens = round(1_000_000 * dollars / price.input)
    return (
        f"the price of {reasoner} is not known: PAGESIGHT_DOLLARS_PER_QUESTION={dollars:g} is kept as {tokens:,} "
        f"tokens, one of output for {price.output / price.input:g}, at the dearest price known; set PAGESIGHT_PRICES, "
        'such as {"MODEL": [0.3, 2.5]} for US dollars per million tokens of input and output'
    )


def _tools(
    allowed: AllowedDocuments, pictures: Pictures, budget: Budget, author: Author, reasoner: Reasoner,
    way: Transport | None,
) -> list[BaseTool]:  # fmt: skip
    """Our tools; only a reasoner that sees pictures locates things on them."""
    located = [make_locate(allowed, pictures, reasoner.model, way, budget, author)] if way else []
    return [
        make_search_pages(allowed, budget, author),
        make_view_pages(allowed, pictures, budget, author),
        make_list_documents(allowed, budget, author),
        *located,
    ]
