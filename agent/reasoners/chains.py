"""Chains of chat models, such as ``with_fallbacks`` and ``with_retry`` make: taken apart, and put together anew.

Each model of a chain is spoken to in its own way, so what a chain is of is not one model with its tools but one call of
each: the pages as it takes them, then its answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import Runnable, RunnableBinding, RunnableWithFallbacks
from langchain_core.runnables.retry import RunnableRetry

from pagesight.indexing.errors import SettingsError

#: Makes one link of a chain: of a chat model, and what was bound to its calls.
Link = Callable[[BaseChatModel, Mapping[str, Any]], Runnable[Any, Any]]


def chat_models(model: Runnable[Any, Any]) -> list[BaseChatModel]:
    """The chat models of a chain, the first one first. Raises SettingsError for what is none."""
    found: list[BaseChatModel] = []

    def noted(one: BaseChatModel, bound: Mapping[str, Any]) -> Runnable[Any, Any]:
        found.append(one)
        return one

    chained(model, noted)
    return found


def chained(model: Runnable[Any, Any], link: Link) -> Runnable[Any, Any]:
    """The same chain, of what ``link`` makes of each of its chat models. Raises SettingsError for what is no chain."""
    if isinstance(model, BaseChatModel):
        return link(model, {})
    if isinstance(model, RunnableWithFallbacks):
        first, *others = [chained(one, link) for one in (model.runnable, *model.fallbacks)]
        return first.with_fallbacks(others, exceptions_to_handle=tuple(model.exceptions_to_handle))
    if isinstance(model, RunnableRetry):
        return model.model_copy(update={"bound": chained(model.bound, link)})
    if isinstance(model, RunnableBinding):
        bound, kwargs = model.bound, model.kwargs
        made = chained(bound, lambda one, options: link(one, {**options, **kwargs}))
        return made.with_config(model.config)
    raise SettingsError(
        f"the model is a {type(model).__name__}: give a chat model of LangChain's, its name, or chat models with "
        "with_fallbacks, with_retry, bind or with_config"
    )
