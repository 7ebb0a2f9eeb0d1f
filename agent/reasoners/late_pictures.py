"""A chat model that puts hidden pictures into its requests below LangChain's callbacks, whoever made the model."""

from __future__ import annotations

import types
from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any, TypeVar

from langchain_core.language_models import BaseChatModel

from pagesight.tools.transport.hidden import revealed

Model = TypeVar("Model", bound=BaseChatModel)

#: What LangChain calls after the callbacks.
_CALLS = ("_generate", "_agenerate", "_stream", "_astream")
_STATE = ("__dict__", "__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__")


def with_late_pictures(model: Model) -> Model:
    """The same model, with the same state, seen through a class whose requests have their pictures revealed.

    No copy: what either notes of its calls, the other knows. Hold the given one for as long as this is used, since some
    close their client when they are collected.
    """
    kind: type[Model] = _late(type(model))
    seen: Model = object.__new__(kind)
    for name in _STATE:
        object.__setattr__(seen, name, getattr(model, name))
    return seen


@lru_cache(maxsize=64)
def _late(kind: type[Any]) -> type[Any]:
    """The class, whose calls reveal pictures first; only those of its own, by which LangChain knows what it can."""
    own = [name for name in _CALLS if getattr(kind, name) is not getattr(BaseChatModel, name)]
    body: dict[str, Any] = {name: _revealing(getattr(kind, name)) for name in own}
    body |= {"__module__": kind.__module__, "__doc__": kind.__doc__, "__del__": lambda self: None}
    return types.new_class(kind.__name__, (kind,), {}, lambda space: space.update(body))


def _revealing(call: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(call)
    def revealing(self: Any, messages: Any, *arguments: Any, **named: Any) -> Any:
        return call(self, revealed(messages), *arguments, **named)

    return revealing
