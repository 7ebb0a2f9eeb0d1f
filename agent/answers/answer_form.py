"""A form that answers are put into, such as a Pydantic model: filled from the checked answer, by one more call.

The call sees the question and the answer with its citations, no pages: what is in the form stands in the answer, and so
rests on what it cites.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from langchain_core.runnables import Runnable
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import BaseModel

from pagesight.agent.answers.citation_check import check_at
from pagesight.agent.answers.citations import says_not_found
from pagesight.tools.messages.authorship import Author, answer_text, with_form
from pagesight.tools.messages.conversation import Conversation, is_cut_off
from pagesight.tools.messages.sent_pictures import CallLimits

_log = logging.getLogger(__name__)

#: Attempts at filling a form: a guess, not measured.
_ATTEMPTS = 2

_FILL = """\
Put the answer below into the form. Take everything from the answer; where it does not say something, leave it out or
empty. Citations in square brackets that stand behind what goes into a text stay with it, as they are written."""

_NOTE = """
Your answer will be put into this form afterwards: say all that it asks for, with a citation after each statement.
{form}
"""


@dataclass(frozen=True)
class AnswerForm:
    """Fills a form from each whole answer of the ``author``. ``filler`` takes messages and gives raw and parsed."""

    filler: Runnable[Any, Any]
    limits: CallLimits
    author: Author

    def filled(self, state: Any) -> dict[str, Any] | None:
        """The state's update: the form, and the answer that carries it; None where the last message is no answer."""
        asked = self._asked(state)
        if not asked:
            return None if asked is None else {"structured_response": None}
        done: list[Mapping[str, Any]] = []
        for _ in range(_ATTEMPTS):
            done.append(self.filler.invoke(_again(asked, done)))
            if done[-1]["parsed"] is not None:
                break
        return self._update(state, done)

    async def afilled(self, state: Any) -> dict[str, Any] | None:
        """The same, async."""
        asked = self._asked(state)
        if not asked:
            return None if asked is None else {"structured_response": None}
        done: list[Mapping[str, Any]] = []
        for _ in range(_ATTEMPTS):
            done.append(await self.filler.ainvoke(_again(asked, done)))
            if done[-1]["parsed"] is not None:
                break
        return self._update(state, done)

    def _asked(self, state: Any) -> list[BaseMessage] | None:
        """The messages of the call; none where nothing was found, and None where there is no answer."""
        conversation = Conversation.of_state(state, self.author)
        at = len(conversation) - 1
        message = conversation.messages[at]
        whole = isinstance(message, AIMessage) and not message.tool_calls and not is_cut_off(message)
        if not whole or not conversation.is_own(at):
            return None
        if says_not_found(message.text) or not message.text.strip():
            return []
        question = conversation.question.text if conversation.question else ""
        answer = check_at(conversation, self.limits, at).mark(answer_text(message))
        return [SystemMessage(_FILL), HumanMessage(f"Question: {question}\n\nAnswer: {answer}")]

    def _update(self, state: Any, done: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        message = Conversation.of_state(state, self.author).messages[-1]
        parsed = done[-1]["parsed"]
        if parsed is None:
            _log.warning("the answer was not put into its form: %s", done[-1]["parsing_error"])
        usages = [usage for one in done if (usage := getattr(one["raw"], "usage_metadata", None))]
        value = parsed.model_dump(mode="json") if isinstance(parsed, BaseModel) else parsed
        model = str(done[-1]["raw"].response_metadata.get("model_name") or "")
        carried = {"value": value, "usages": [dict(usage) for usage in usages], "model": model, "calls": len(done)}
        return {"messages": [with_form(message, carried)], "structured_response": parsed}


def form_note(schema: Any) -> str:
    """What the system prompt says of a form."""
    return _NOTE.format(form=json.dumps(convert_to_openai_tool(schema)["function"], ensure_ascii=False))


def _again(asked: Sequence[BaseMessage], done: Sequence[Mapping[str, Any]]) -> list[BaseMessage]:
    """The messages of an attempt; after one that failed they say why."""
    if not done:
        return list(asked)
    why = f"Your last attempt does not fit the form ({done[-1]['parsing_error']}): give all of it again."
    return [*asked[:-1], HumanMessage(f"{asked[-1].text}\n\n{why}")]
