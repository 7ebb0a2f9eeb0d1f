"""How kept conversations are written and read: messages as data, never an object that the file names.

LangGraph's own serialiser imports and calls whatever a stored blob names (GHSA-g48c-2wqr-h844), and a file of
conversations may come with somebody else's index. This one writes the same format and reads LangChain's messages and
LangGraph's `Send`, which waits for a tool that was not done; anything else is refused, and nothing is imported.
"""

from __future__ import annotations

import importlib
import re
import sys
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ormsgpack
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from langgraph.checkpoint.serde.jsonplus import EXT_CONSTRUCTOR_POS_ARGS, EXT_PYDANTIC_V2, JsonPlusSerializer
from langgraph.types import Send

from pagesight.indexing.errors import PageIndexError

_MESSAGES: dict[tuple[str, str], type[BaseMessage]] = {
    (kind.__module__, kind.__name__): kind
    for kind in (HumanMessage, AIMessage, AIMessageChunk, ToolMessage, SystemMessage)
}
_SEND = ("langgraph.types", "Send")
_WRITING = ormsgpack.OPT_NON_STR_KEYS | ormsgpack.OPT_REPLACE_SURROGATES
_LONGEST_NAME = 80
_ID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")  # LangGraph makes bytes of it


def _newest_form() -> int:
    """The newest form of checkpoints that this LangGraph writes, which it says in a private place."""
    try:
        return int(importlib.import_module("langgraph.pregel._checkpoint").LATEST_VERSION)
    except (ImportError, AttributeError):
        return sys.maxsize


_NEWEST_FORM = _newest_form()


class ThreadData(JsonPlusSerializer):
    """The serialiser of one file of conversations. Reading raises PageIndexError for all but messages and data."""

    def __init__(self, file: Path):
        super().__init__(allowed_msgpack_modules=None)
        self._file = file

    def with_msgpack_allowlist(self, extra_allowlist: Any) -> ThreadData:
        """Itself: what a graph's state names adds nothing to what may be read."""
        return self

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        """A value as its kind and bytes; what is neither a message nor data is written as its text."""
        return ("null", b"") if obj is None else ("msgpack", _packed(obj))

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        """The value of a kind and bytes."""
        kind, blob = data
        if kind == "null":
            return None
        if kind != "msgpack":
            raise self.refusal(f"it holds a value of the kind {_printable(kind)}")
        value = self._read(blob, self._extension)
        if isinstance(value, dict) and "channel_values" in value:
            self._check(value)
        return value

    def _check(self, checkpoint: dict[Any, Any]) -> None:
        if not _is_checkpoint(checkpoint):
            raise self.refusal("it is damaged")
        if checkpoint.get("v", 0) > _NEWEST_FORM:
            raise self.refusal("it was written by a later version of LangGraph: update that package")

    def _read(self, blob: bytes, extension: Callable[[int, bytes], Any]) -> Any:
        refusals: list[PageIndexError] = []

        def noted(code: int, data: bytes) -> Any:
            try:
                return extension(code, data)
            except PageIndexError as error:
                refusals.append(error)  # msgpack may put an error of its own in the place of this one
                raise

        try:
            return ormsgpack.unpackb(blob, ext_hook=noted, option=ormsgpack.OPT_NON_STR_KEYS)
        except (ValueError, TypeError, RecursionError, PageIndexError) as error:
            raise (refusals or [self.refusal("it is damaged")])[0] from error

    def _extension(self, code: int, data: bytes) -> Any:
        """The message, or the `Send`, that an extension of msgpack stands for."""
        named = self._named(data)
        if code == EXT_PYDANTIC_V2 and named in _MESSAGES:
            return _MESSAGES[named](**self._read(data, self._extension)[2])
        if code == EXT_CONSTRUCTOR_POS_ARGS and named == _SEND:
            node, argument = self._read(data, self._extension)[2]
            return Send(str(node), argument)
        raise self.refusal(f"it names {_printable('.'.join(named))}, which is no message")

    def _named(self, data: bytes) -> tuple[str, str]:
        """The module and the name that an extension gives, before anything else of it is read."""
        given = self._read(data, lambda code, inner: None)
        if not isinstance(given, list) or len(given) < 3 or not all(isinstance(part, str) for part in given[:2]):
            raise self.refusal("it holds an object without a name")
        return given[0], given[1]

    def refusal(self, why: str) -> PageIndexError:
        """The error for a conversation that is no conversation."""
        return PageIndexError(
            f"a conversation in {self._file} cannot be opened: {why}. Nothing of it was run. Begin a new one with "
            "/new, or move that file away, above all if you do not know who wrote it; documents and pages are not in it"
        )


def _is_checkpoint(value: dict[Any, Any]) -> bool:
    """Whether a conversation's state has all that LangGraph goes by when it goes on."""
    values, versions, seen = (value.get(name) for name in ("channel_values", "channel_versions", "versions_seen"))
    if not (isinstance(values, dict) and isinstance(versions, dict) and isinstance(seen, dict)):
        return False
    known = isinstance(value.get("v", 0), int) and bool(_ID.fullmatch(str(value.get("id"))))
    return known and all(isinstance(one, dict) for one in seen.values())


def _packed(value: Any) -> bytes:
    return ormsgpack.packb(value, default=_as_data, option=_WRITING)


def _as_data(value: Any) -> Any:
    """What msgpack has no form for: messages and `Send` as LangGraph writes them, anything else as plain data."""
    for kind in type(value).__mro__:
        if (kind.__module__, kind.__name__) in _MESSAGES:
            named = (kind.__module__, kind.__name__, value.model_dump(), "model_validate_json")
            return ormsgpack.Ext(EXT_PYDANTIC_V2, _packed(named))
    if isinstance(value, Send):
        return ormsgpack.Ext(EXT_CONSTRUCTOR_POS_ARGS, _packed((*_SEND, (value.node, value.arg))))
    if isinstance(value, set | frozenset | deque):
        return list(value)
    return repr(value) if isinstance(value, BaseException) else str(value)


def _printable(name: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in str(name))[:_LONGEST_NAME]
