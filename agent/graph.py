"""The agent: reasoner, tools, the prompt that hydrates pages, and LangGraph's ReAct loop around them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langgraph.graph.state import CompiledStateGraph

from pagesight.agent.answers.agent_limits import AgentLimits
from pagesight.agent.answers.answer_form import AnswerForm
from pagesight.agent.answers.claims.blind_look import LookBudget
from pagesight.agent.answers.correction import Correction
from pagesight.agent.loop.after_model import AfterModel
from pagesight.agent.loop.call_log import CallLog
from pagesight.agent.loop.comparison import Comparison
from pagesight.agent.loop.confirmation import Confirmation, ConfirmBefore
from pagesight.agent.loop.factories import Loop, LoopParts, looped, state_with_form
from pagesight.agent.loop.model_calls import ModelCalls
from pagesight.agent.loop.short_answers import short_answers
from pagesight.agent.loop.speakers import Speakers, make_speakers
from pagesight.agent.reasoners.chains import chained
from pagesight.agent.request.additions import Hook, Prompt, as_hook, as_prompt, own_tools
from pagesight.indexing import PageIndex
from pagesight.indexing.calls.prices import Tariff, dearest
from pagesight.indexing.configuration.efforts import Effort
from pagesight.indexing.settings import Settings
from pagesight.tools.allowed_documents import AllowedDocuments
from pagesight.tools.budget import Budget
from pagesight.tools.list_documents import make_list_documents
from pagesight.tools.locate import make_locate
from pagesight.tools.messages.authorship import Author
from pagesight.tools.messages.index_identity import index_identity
from pagesight.tools.outline import make_outline_tool
from pagesight.tools.read_pages import make_read_pages
from pagesight.tools.search_pages import make_search_pages
from pagesight.tools.view_pages import make_view_pages

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langgraph.types import Checkpointer

_log = logging.getLogger(__name__)

#: The loop that is taken where none is asked for.
LOOP: Loop = "create_react_agent"
#: The nodes that one model call can pass: a hook before it, the model, what comes after it, and the tools.
_STEPS_OF_A_CALL = 4


def create_page_agent(
    index: PageIndex | AllowedDocuments | str | Path,
    *,
    model: str | BaseChatModel | Runnable[Any, Any] | None = None,
    transport: str | None = None,
    checkpointer: Checkpointer = None,
    documents: Sequence[str] | None = None,
    where: str | None = None,
    name: str = "pagesight",
    settings: Settings | None = None,
    effort: Effort | None = None,
    trace_pictures: bool = False,
    prompt: Prompt | None = None,
    tools: Sequence[BaseTool | Callable[..., Any]] = (),
    pre_model_hook: Hook | None = None,
    post_model_hook: Hook | None = None,
    response_format: Any = None,
    confirm: ConfirmBefore | None = None,
    loop: Loop | None = None,
    **graph: Any,
) -> CompiledStateGraph[Any, Any, Any, Any]:
    """A ReAct agent that answers questions about an index by looking at its pages.

    ``index`` is an open index, some of its documents (`AllowedDocuments`), or its address; ``model`` a reasoner's name
    (see `make_reasoner`), any LangChain chat model, or some with ``with_fallbacks`` and ``with_retry``, each of which
    gets pictures in its own form; ``transport`` "auto", "bytes", "base64" or "files". ``documents`` narrows everything
    to these, by name, path, id or pattern, and ``where`` to those whose metadata meets a condition; no documents are
    none. What is not given comes from ``settings``, by default the index's own; ``effort`` "low", "medium" or "high" is
    for those among them that nobody has set (see `EFFORTS`). Ask it with `ask` or `stream`, or run
    it as any graph with ``messages``: its state holds references to pages and no pictures.
    Callbacks and tracing see sizes in the place of pictures, unless ``trace_pictures`` asks for their bytes.

    As in LangGraph's quickstart: ``prompt``, a text or a function of the state, adds to ours; ``tools`` stand beside
    ours, under the same budget of calls; ``post_model_hook`` comes after our correction; ``graph`` takes what else
    the loop's factory does: ``state_schema``, ``context_schema``, ``store``, ``interrupt_before`` and the like. The
    ``loop`` is LangGraph's "create_react_agent", or langchain's "create_agent", which also takes ``middleware``.

    ``response_format``, a Pydantic class or another schema, is what each answer is also put into, by one more call on
    the checked text: `Answer.structured`, and ``structured_response`` of the state. ``confirm`` says before which steps
    a run waits for a word, which needs a checkpointer.

    Raises what `PageIndex.open` and `make_reasoner` raise, UnknownDocument, BadCondition, and SettingsError.
    """
    if isinstance(index, str | Path):
        index = PageIndex.open(index, settings=settings, create=False)
    seen = AllowedDocuments(index) if isinstance(index, PageIndex) else index
    index = seen.index
    settings = (settings or index.settings).with_effort(effort)
    allowed = seen.narrowed(documents, where)
    author = Author(name, index_identity(index))
    speakers = make_speakers(
        model, allowed, settings, author, transport=transport, addition=as_prompt(prompt),
        trace_pictures=trace_pictures, form=response_format,
    )  # fmt: skip
    reasoner, prices = speakers.first.reasoner.name, settings.budget.prices or {}
    budget = _budget(settings, reasoner)
    correction = Correction(speakers.limits, budget, author)
    ours = _tools(allowed, budget, author, speakers)
    every = [*ours, *own_tools(tools, ours)]
    verify = speakers.see and settings.reasoning.verify != "off"
    after = AfterModel(
        correction if speakers.see else None,
        Confirmation(confirm, allowed, budget, author) if confirm else None,
        AnswerForm(speakers.filler(response_format), speakers.limits, author) if response_format else None,
        as_hook(post_model_hook),
    ).runnable()
    calls = ModelCalls(
        speakers, every, budget, correction, allowed, verify, _looks(settings, budget),
        _comparison(speakers, settings, budget),
    )  # fmt: skip
    parts = LoopParts(calls, every, name, as_hook(pre_model_hook), after)
    graph |= {"state_schema": state_with_form(graph.get("state_schema"))} if response_format else {}
    agent = looped(loop or LOOP, parts, checkpointer=checkpointer, **graph)
    written = AgentLimits(reasoner, speakers.limits, prices, author, confirm is not None)
    return agent.with_config(
        recursion_limit=_STEPS_OF_A_CALL * budget.calls + 10, metadata=written.as_metadata(), callbacks=[CallLog()]
    )


def _looks(settings: Settings, budget: Budget) -> LookBudget:
    """What looks at claims may take: nothing where words alone are to tell."""
    asked = settings.reasoning
    if asked.verify != "looks":
        return LookBudget()
    return LookBudget(asked.looks_per_question, asked.look_dollars, budget.tariff)


def _comparison(speakers: Speakers, settings: Settings, budget: Budget) -> Comparison | None:
    """What compares answers with short ones, where some are asked for, of who sees pages and fills in forms."""
    samples = settings.budget.samples_per_question
    if samples == 1 or not speakers.see or not speakers.first.reasoner.can.forms:
        return None
    return Comparison(short_answers(speakers), samples, budget, settings.budget.images_per_call)


def _budget(settings: Settings, reasoner: str) -> Budget:
    tariff = Tariff(reasoner, settings.budget.prices or {})
    dollars = settings.budget.dollars_per_question
    if dollars is not None and tariff.price() is None:
        _log.warning(_at_the_dearest_price(reasoner, dollars))
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


def _tools(allowed: AllowedDocuments, budget: Budget, author: Author, speakers: Speakers) -> list[BaseTool]:
    """Our tools; only reasoners that see pictures locate things on them."""
    view = make_view_pages(allowed, speakers.first.pictures, budget, author)
    ours = [make_search_pages(allowed, budget, author), view, make_list_documents(allowed, budget, author)]
    ours += [make_outline_tool(allowed, budget, author), make_read_pages(allowed, budget, author)]
    if not speakers.see:
        return ours
    return [*ours, make_locate(allowed, chained(speakers.model, speakers.looking), budget, author)]
