"""What users add to the agent as to any of LangGraph's: a prompt, tools and hooks of their own, beside ours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from langchain_core.messages import SystemMessage
from langchain_core.runnables import Runnable, RunnableLambda
from langchain_core.tools import BaseTool, tool

from pagesight.indexing.errors import SettingsError

#: A text, or what makes one (or the messages of a prompt) of the state, as `create_react_agent` takes it.
Prompt = str | SystemMessage | Callable[..., Any] | Runnable[Any, Any]
#: What a graph calls with its state.
Hook = Callable[..., Any] | Runnable[Any, Any]


def as_prompt(prompt: Prompt | None) -> Runnable[Any, Any] | None:
    """The prompt as what is asked in each call; None without one."""
    if prompt is None or isinstance(prompt, Runnable):
        return prompt
    if isinstance(prompt, str | SystemMessage):
        return RunnableLambda(lambda state: prompt, name="prompt")
    return RunnableLambda(prompt, name="prompt")


def prompt_text(made: object) -> str:
    """The text that a prompt adds to ours; of messages, that of the system's. Raises SettingsError for another kind."""
    if isinstance(made, str):
        return made
    if hasattr(made, "to_messages"):
        made = made.to_messages()
    several = made if isinstance(made, list | tuple) else [made]
    texts = [one.text for one in several if isinstance(one, SystemMessage)]
    if texts or isinstance(made, list | tuple):
        return "\n\n".join(texts)
    raise SettingsError(f"the prompt made {type(made).__name__}: it must make a text, a SystemMessage or messages")


def own_tools(tools: Sequence[BaseTool | Callable[..., Any]], ours: Sequence[BaseTool]) -> list[BaseTool]:
    """The user's tools. Raises SettingsError for one that is named as ours."""
    made = [one if isinstance(one, BaseTool) else tool(one) for one in tools]
    taken = {one.name for one in ours} & {one.name for one in made}
    if taken:
        raise SettingsError(f"the tool {sorted(taken)[0]!r} of yours has the name of one of ours: give it another")
    return made


def as_hook(hook: Hook | None) -> Runnable[Any, Any] | None:
    """The hook as a runnable; None without one."""
    return hook if hook is None or isinstance(hook, Runnable) else RunnableLambda(hook)
