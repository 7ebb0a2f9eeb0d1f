"""A call of a tool that was made before, with the same arguments: its reply stands in the conversation already."""

from __future__ import annotations

from typing import Any

from langchain_core.messages import ToolCall

from pagesight.tools.messages.conversation import Question
from pagesight.tools.messages.tool_reply import ToolReply

#: The word to the model.
REPEATED = "You made this call before, with the same arguments. It was not made again: its reply stands above."


def reply_before(question: Question | None, call_id: str | None) -> ToolReply | None:
    """The reply to a call for the same question that is the same as ``call_id``; None for a new one.

    A call that failed may be made again. The same call right beside it is one too; its reply is still to come.
    """
    calls = question.calls_of_tools if question else []
    at = next((at for at in reversed(range(len(calls))) if calls[at][0]["id"] == call_id), 0)
    same = [reply for call, reply in calls[:at] if _key(call) == _key(calls[at][0])]
    coming = ToolReply(calls[at][0]["name"], failed=False, text="") if None in same else None
    return next((reply for reply in same if reply and not (reply.failed or reply.repeated)), coming)


def _key(call: ToolCall) -> tuple[str, dict[str, Any]]:
    """The tool and its arguments, without those that say nothing."""
    return call["name"], {name: value for name, value in call["args"].items() if value not in (None, "", [])}
