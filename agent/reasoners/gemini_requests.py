"""A request as LangChain makes it → as the asked generation of Gemini takes it. Pure functions, no network.

LangChain leaves out the ids of tool calls, puts the pictures of a tool's reply beside it, and keeps two turns of the
user apart. From 3.5 on a reply without the id of its call, and from 3 on a picture beside it, makes an empty answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from google.genai import types
from langchain_core.messages import AIMessage, BaseMessage, ToolCall, ToolMessage
from langchain_google_genai import ChatGoogleGenerativeAI

from pagesight.tools.gemini_service.generations import generation

#: The first generations whose calls have ids, and whose replies hold their pictures.
_WITH_IDS, _WITH_NESTED_PICTURES = (3, 5), (3, 0)
#: Where LangChain keeps the signatures of calls in `additional_kwargs`, by the id of the call.
_OF_CALLS = "__gemini_function_call_thought_signatures__"
_UNANSWERED = {"error": "Nothing came back."}


def fitted(contents: Sequence[types.Content], messages: Sequence[BaseMessage], model: str) -> list[types.Content]:
    """The contents that LangChain made of ``messages``, as ``model`` takes them: each call with a reply, in the order
    of the calls and with their ids and names, pictures where its generation wants them, user and model in turn."""
    made = generation(model)
    steps = _steps(messages)
    rest = list(contents)
    done: list[types.Content] = []
    while rest:
        content = rest.pop(0)
        step = next(steps) if _has(content, "function_call") else None
        if step is None:
            done.append(content)
            continue
        replies = rest.pop(0) if rest and _has(rest[0], "function_response") else types.Content(parts=[])
        done.append(_with_ids(content, step) if made >= _WITH_IDS else content)
        done.append(_replies(replies, step, made))
    return _in_turns(done)


@dataclass(frozen=True)
class _Step:
    """The calls of one answer, and the ids of the replies to them in the order in which LangChain puts these."""

    calls: list[ToolCall]
    replied: list[str]


def _steps(messages: Sequence[BaseMessage]) -> Iterator[_Step | None]:
    """One for each answer of which LangChain makes calls; None for the old form, which has no ids."""
    replies = [message.tool_call_id for message in messages if isinstance(message, ToolMessage)]
    for message in messages:
        if isinstance(message, AIMessage) and message.tool_calls:
            ids = {call["id"] for call in message.tool_calls}
            yield _Step(message.tool_calls, [one for one in dict.fromkeys(replies) if one in ids])
        elif isinstance(message, AIMessage) and message.additional_kwargs.get("function_call"):
            yield None


def _has(content: types.Content, kind: str) -> bool:
    return any(getattr(part, kind) for part in content.parts or [])


def _with_ids(content: types.Content, step: _Step) -> types.Content:
    calls = iter(step.calls)
    return types.Content(role=content.role, parts=[_with_id(part, calls) for part in content.parts or []])


def _with_id(part: types.Part, calls: Iterator[ToolCall]) -> types.Part:
    if not part.function_call:
        return part
    call = part.function_call.model_copy(update={"id": next(calls)["id"]})
    return part.model_copy(update={"function_call": call})


def _replies(content: types.Content, step: _Step, made: tuple[int, int]) -> types.Content:
    """The user's turn after calls: a reply for each, in their order."""
    given = dict(zip(step.replied, _grouped(content.parts or []), strict=False))
    parts: list[types.Part] = []
    for call in step.calls:
        reply, media = given.get(call["id"] or "", (types.FunctionResponse(response=_UNANSWERED), []))
        named: dict[str, Any] = {"name": call["name"], "id": call["id"] if made >= _WITH_IDS else None}
        if media and made >= _WITH_NESTED_PICTURES:
            named["parts"] = [_nested(part) for part in media]
            media = []
        parts += [*media, types.Part(function_response=reply.model_copy(update=named))]
    return types.Content(role="user", parts=parts)


def _grouped(parts: Sequence[types.Part]) -> Iterator[tuple[types.FunctionResponse, list[types.Part]]]:
    """Each reply with the pictures that stand before it."""
    media: list[types.Part] = []
    for part in parts:
        if part.function_response:
            yield part.function_response, media
            media = []
        else:
            media.append(part)


def _nested(part: types.Part) -> types.FunctionResponsePart:
    held: dict[str, Any] = {}
    if part.file_data:
        file = types.FunctionResponseFileData(file_uri=part.file_data.file_uri, mime_type=part.file_data.mime_type)
        held["file_data"] = file
    else:
        blob = part.inline_data or types.Blob()
        held["inline_data"] = types.FunctionResponseBlob(data=blob.data, mime_type=blob.mime_type)
    # google-genai knows a resolution here from 3 on; before, such a picture is looked at as the others are.
    if part.media_resolution and "media_resolution" in types.FunctionResponsePart.model_fields:
        held["media_resolution"] = part.media_resolution
    return types.FunctionResponsePart(**held)


def _in_turns(contents: Sequence[types.Content]) -> list[types.Content]:
    """Contents of the same side after one another as one turn."""
    turns: list[types.Content] = []
    for content in contents:
        if turns and turns[-1].role == content.role:
            both = [*(turns[-1].parts or []), *(content.parts or [])]
            turns[-1] = types.Content(role=content.role, parts=both)
        else:
            turns.append(content)
    return turns


def with_fitted_requests(model: ChatGoogleGenerativeAI) -> ChatGoogleGenerativeAI:
    """A copy of a chat model of the user's own, with the same client, whose requests are `fitted`."""
    copy = model.model_copy()

    def prepared(messages: list[BaseMessage], **how: Any) -> dict[str, Any]:
        request = model._prepare_request(messages, **how)
        return {**request, "contents": fitted(request["contents"], messages, model.model)}

    # A method set on the one object: its class may be the user's own, too.
    object.__setattr__(copy, "_prepare_request", prepared)
    return copy


# Thought signatures


def signatures(messages: Sequence[BaseMessage]) -> set[str]:
    """The thought signatures in a conversation, in base64."""
    answers = [message for message in messages if isinstance(message, AIMessage)]
    of_calls = {signature for answer in answers for signature in _of_calls(answer).values()}
    return of_calls | {one for answer in answers for block in _blocks(answer) if (one := _signature(block))}


def without_signatures(messages: Sequence[BaseMessage], refused: Set[str]) -> list[BaseMessage]:
    """The messages without the signatures that the service has ``refused``, and without the thoughts that had them."""
    return [_without(message, refused) if signatures([message]) & refused else message for message in messages]


def _without(message: BaseMessage, refused: Set[str]) -> BaseMessage:
    assert isinstance(message, AIMessage)
    of_calls = {name: one for name, one in _of_calls(message).items() if one not in refused}
    content: Any = message.content
    if isinstance(content, list):
        content = [kept for block in content if (kept := _unsigned(block, refused))]
    extra = {**message.additional_kwargs, _OF_CALLS: of_calls}
    return message.model_copy(update={"content": content, "additional_kwargs": extra})


def _unsigned(block: Any, refused: Set[str]) -> Any:
    """The block without a refused signature; None for what is nothing without it."""
    if not isinstance(block, dict) or _signature(block) not in refused:
        return block
    if block.get("type") != "text" or not block.get("text"):
        return None
    return {"type": "text", "text": block["text"]}


def _of_calls(message: AIMessage) -> Mapping[str, str]:
    found = message.additional_kwargs.get(_OF_CALLS)
    return found if isinstance(found, Mapping) else {}


def _blocks(message: AIMessage) -> list[dict[str, Any]]:
    content = message.content if isinstance(message.content, list) else []
    return [block for block in content if isinstance(block, dict)]


def _signature(block: Mapping[str, Any]) -> str:
    """The signature of a block of an answer, wherever LangChain's versions put it."""
    extras = block.get("extras")
    inner = extras.get("signature") if isinstance(extras, Mapping) else None
    found = block.get("signature") or block.get("thought_signature") or inner
    return found if isinstance(found, str) else ""
