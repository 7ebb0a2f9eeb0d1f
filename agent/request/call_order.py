"""A conversation's messages in an order that every provider takes, whoever wrote them and wherever it was cut.

Providers refuse a reply without its call, a conversation that the model begins, and one that ends with its words.
What is put in stands at the same place in every later call, so that a cache of prefixes holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

from pagesight.indexing.calls.whole_text import whole_text
from pagesight.tools.messages.authorship import MARK, correction_of
from pagesight.tools.messages.conversation import Conversation

#: A message with its position in the conversation; None for one that was put in.
Placed = tuple[int | None, BaseMessage]

_BEGINS_LATER = "What was said before this is left out."
_GO_ON = "Answer the question now, from the documents."


def in_call_order(conversation: Conversation) -> list[Placed]:
    """The messages of a call, without the system prompt: the user's turn first and last, each reply after its call."""
    placed = list(_with_replies(conversation))
    notes = [one for one in placed if isinstance(one[1], SystemMessage)]
    turns = [one for one in placed if not isinstance(one[1], SystemMessage)]
    if turns and not isinstance(turns[0][1], HumanMessage):
        turns.insert(0, (None, _put_in(_BEGINS_LATER)))
    return [*notes, *_with_requests(conversation, turns)]


def _with_replies(conversation: Conversation) -> Iterator[Placed]:
    """The messages, each reply right after its call; a reply whose call was cut off is left out."""
    replies = _reply_positions(conversation.messages)
    for position, message in enumerate(conversation.messages):
        if isinstance(message, ToolMessage) or _says_nothing(message):
            continue
        if not isinstance(message, AIMessage):
            yield position, message
        elif position == conversation.asked_at:
            yield position, HumanMessage(whole_text(message.text))
        else:
            yield position, message
            yield from ((at, conversation.messages[at]) for at in _replies_to(message, position, replies))


def _reply_positions(messages: Sequence[BaseMessage]) -> dict[str, list[int]]:
    """Where the replies to each call stand, by the call's id."""
    replies: dict[str, list[int]] = {}
    for position, message in enumerate(messages):
        if isinstance(message, ToolMessage):
            replies.setdefault(message.tool_call_id, []).append(position)
    return replies


def _replies_to(message: AIMessage, position: int, replies: dict[str, list[int]]) -> Iterator[int]:
    """Where the replies to a message's calls stand; they are taken out of ``replies``."""
    for call in message.tool_calls:
        # Some models count their calls anew in each message: a reply belongs to the last call before it.
        waiting = replies.get(call["id"] or "", [])
        later = next((at for at in waiting if at > position), None)
        if later is not None:
            waiting.remove(later)
            yield later


def _says_nothing(message: BaseMessage) -> bool:
    return isinstance(message, AIMessage) and not message.tool_calls and not message.content


def _with_requests(conversation: Conversation, turns: Sequence[Placed]) -> Iterator[Placed]:
    """The turns, with a word of the user's wherever our model spoke, or is to speak, after words of a model."""
    for (position, message), following in zip(turns, [*turns[1:], None], strict=True):
        yield position, message
        is_words = isinstance(message, AIMessage) and not message.tool_calls
        if is_words and (following is None or _is_our_models(following, conversation)):
            yield None, _put_in(correction_of(message) or _GO_ON)


def _is_our_models(placed: Placed, conversation: Conversation) -> bool:
    position, message = placed
    return isinstance(message, AIMessage) and position is not None and conversation.is_own(position)


def _put_in(text: str) -> HumanMessage:
    """A message of this call only, which is no question of a person's."""
    return HumanMessage(text, response_metadata={MARK: {}})


def broken_off(messages: Sequence[BaseMessage]) -> list[ToolMessage]:
    """Replies to the calls of tools that have none, since a run was broken off, or another agent's is under way."""
    replied = {message.tool_call_id for message in messages if isinstance(message, ToolMessage)}
    calls = [call for message in messages if isinstance(message, AIMessage) for call in message.tool_calls]
    return [
        ToolMessage("Stopped before it was done.", name=call["name"], tool_call_id=call["id"], status="error")
        for call in calls
        if call["id"] not in replied
    ]
