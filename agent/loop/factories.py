"""The loop around the model's calls and the tools: LangGraph's `create_react_agent`, or langchain's `create_agent`.

Both run the same calls and the same hooks. The first needs nothing beside LangGraph and is taken by default; the second
needs the extra ``langchain``, and takes ``middleware`` of the user's own, which goes around ours.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, NotRequired, TypedDict, get_type_hints

from langchain_core.messages import AnyMessage
from langchain_core.runnables import Runnable, RunnableLambda
from langchain_core.tools import BaseTool
from langgraph.channels.ephemeral_value import EphemeralValue
from langgraph.graph.state import CompiledStateGraph
from langgraph.prebuilt import create_react_agent
from langgraph.prebuilt.chat_agent_executor import AgentStateWithStructuredResponse
from langgraph.runtime import Runtime
from langgraph.types import Command
from langgraph.warnings import LangGraphDeprecatedSinceV10

from pagesight.agent.loop.model_calls import ModelCalls
from pagesight.indexing.configuration.installation import install_command
from pagesight.indexing.errors import MissingExtra, SettingsError

if TYPE_CHECKING:
    from langchain.agents.middleware import AgentMiddleware

Loop = Literal["create_react_agent", "create_agent"]
Graph = CompiledStateGraph[Any, Any, Any, Any]


@dataclass(frozen=True)
class LoopParts:
    """What a loop goes around: the model's calls, the tools, and the hooks before and after a call."""

    calls: ModelCalls
    tools: Sequence[BaseTool]
    name: str
    before: Runnable[Any, Any] | None = None
    after: Runnable[Any, Any] | None = None


def looped(loop: Loop, parts: LoopParts, **graph: Any) -> Graph:
    """The graph; ``graph`` is what else its factory takes. Raises SettingsError, MissingExtra."""
    if loop == "create_react_agent":
        return _react_agent(parts, **graph)
    if loop == "create_agent":
        return _middleware_agent(parts, **graph)
    raise SettingsError(f"the loop {loop!r} is not known: take create_react_agent or create_agent")


def _react_agent(parts: LoopParts, **graph: Any) -> Graph:
    """`create_react_agent` without its warning: the successor would bring the whole langchain package into the core."""
    state: Runnable[Any, Any] = RunnableLambda(lambda state: state, name="state")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LangGraphDeprecatedSinceV10)
        return create_react_agent(
            parts.calls.next_call, list(parts.tools), prompt=state, name=parts.name, pre_model_hook=parts.before,
            post_model_hook=parts.after, **graph,
        )  # fmt: skip


def _middleware_agent(parts: LoopParts, middleware: Sequence[AgentMiddleware] = (), **graph: Any) -> Graph:
    try:
        from langchain.agents import create_agent
    except ImportError as error:
        raise MissingExtra(
            f"create_agent needs langchain, which is not installed: {install_command('langchain')}"
        ) from error
    if graph.get("state_schema"):
        graph["state_schema"] = _without_steps(graph["state_schema"])
    model: Any = parts.calls.speakers.first.reasoner.model
    given: Any = [*middleware, page_middleware(parts)]
    return create_agent(model, list(parts.tools), name=parts.name, middleware=given, **graph)


def state_with_form(schema: Any) -> Any:
    """The state of an agent that puts answers into a form. Raises SettingsError for one of the user's without it."""
    if schema is None:
        return AgentStateWithStructuredResponse
    if "structured_response" not in get_type_hints(schema):
        raise SettingsError(
            f"the state {schema.__name__} has no place for the form that answers are put into: give it a field "
            "`structured_response`"
        )
    return schema


def _without_steps(schema: Any) -> Any:
    """A state of the other loop's as this one takes it: without the steps that are left, which it does not count."""
    fields = get_type_hints(schema, include_extras=True)
    if fields.pop("remaining_steps", None) is None:
        return schema
    make: Any = TypedDict
    return make(schema.__name__, fields)


def page_middleware(parts: LoopParts) -> AgentMiddleware:
    """The middleware that makes an agent of `create_agent` this one: its calls with pages and budgets, its hooks.

    It makes the model's calls itself, so it stands last, nearest to the model.
    """
    from langchain.agents.middleware import AgentMiddleware, AgentState, ModelRequest, ModelResponse, hook_config

    class PageState(AgentState[Any]):
        """The agent's state, with what a hook has the next call see."""

        llm_input_messages: NotRequired[Annotated[list[AnyMessage], EphemeralValue]]

    class PageMiddleware(AgentMiddleware[Any, Any, Any]):
        """Pages, budgets and the correction of answers around each call of the model."""

        state_schema = PageState

        def wrap_model_call(self, request: ModelRequest[Any], handler: Any) -> ModelResponse[Any]:
            """The call, in the place of the one that is offered."""
            state = _seen(request)
            answer = parts.calls.next_call(state, request.runtime).invoke(state)
            return ModelResponse([answer.model_copy(update={"name": parts.name})])

        async def awrap_model_call(self, request: ModelRequest[Any], handler: Any) -> ModelResponse[Any]:
            """The same, async."""
            state = _seen(request)
            answer = await parts.calls.next_call(state, request.runtime).ainvoke(state)
            return ModelResponse([answer.model_copy(update={"name": parts.name})])

        def before_model(self, state: Any, runtime: Runtime[Any]) -> dict[str, Any] | None:
            """The user's hook."""
            return parts.before.invoke(state) if parts.before else None

        async def abefore_model(self, state: Any, runtime: Runtime[Any]) -> dict[str, Any] | None:
            """The same, async."""
            return await parts.before.ainvoke(state) if parts.before else None

        @hook_config(can_jump_to=["model"])
        def after_model(self, state: Any, runtime: Runtime[Any]) -> dict[str, Any] | None:
            """Our correction, then the user's hook."""
            return _as_update(parts.after.invoke(state)) if parts.after else None

        @hook_config(can_jump_to=["model"])
        async def aafter_model(self, state: Any, runtime: Runtime[Any]) -> dict[str, Any] | None:
            """The same, async."""
            return _as_update(await parts.after.ainvoke(state)) if parts.after else None

    return PageMiddleware()


def _seen(request: Any) -> dict[str, Any]:
    return {**request.state, "messages": request.state.get("llm_input_messages") or request.messages}


def _as_update(said: Any) -> dict[str, Any] | None:
    """What a hook said as a middleware says it: a way back to the model is a jump."""
    if not isinstance(said, Command):
        return said or None
    return {**(said.update or {}), **({"jump_to": "model"} if said.goto else {})}
