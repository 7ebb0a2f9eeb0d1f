"""The service as the steps of `pagesight doctor --live` ask it: cheaply, and never for more than two cents in all."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.tools import StructuredTool

from pagesight.agent.reasoners.choose import Reasoner
from pagesight.agent.terminal.live_page import page, page_as_pdf
from pagesight.indexing.calls.prices import ModelCall, Tariff, answering
from pagesight.indexing.errors import SettingsError
from pagesight.tools.gemini_service.generations import generation
from pagesight.tools.gemini_service.picture_tokens import rule_for

if TYPE_CHECKING:
    from pagesight.agent.reasoners.gemini import GeminiReasoner
    from pagesight.indexing.settings import Settings
    from pagesight.tools.transport.pictures import Picture
    from pagesight.tools.transport.transport import Block

#: US dollars that all steps together may cost.
MOST_DOLLARS = 0.02
#: Tokens of an answer at most, thinking counted in, and of a question besides its pictures. Guesses: the answers are a
#: word, the questions and the tool some lines.
_MOST_OUTPUT = 600
_TEXT = 400
#: A service that does not answer twice is told of, not waited for.
_ATTEMPTS, _SECONDS = 2, 60.0


class StepFailed(Exception):
    """A step that did not show what it should: why, and what helps."""

    def __init__(self, why: str, fix: str):
        super().__init__(why)
        self.fix = fix


class StepSkipped(Exception):
    """A step that does not apply, and why."""


class LiveService:
    """The model that is tried, the pages that it is shown, and what it has cost so far.

    ``model`` asks at low resolution and with little thinking, where these are not set otherwise. Raises SettingsError
    for a reasoner that is not our Gemini.
    """

    def __init__(self, reasoner: Reasoner, settings: Settings, folder: Path):
        if not hasattr(reasoner.model, "store_requests"):
            raise SettingsError(
                f"doctor --live tries Gemini, and the reasoner is {reasoner.name}: {_to_gemini(settings)}"
            )
        self.reasoner, self.settings, self.folder = reasoner, settings, folder
        self.calls: list[ModelCall] = []
        #: The answer that called a tool, with its question before it: what later steps reply to.
        self.tool_call: list[BaseMessage] = []
        self.tariff = Tariff(reasoner.name, settings.budget.prices or {})
        self._as_set = cast("GeminiReasoner", reasoner.model)
        self.model = self._copy(resolution=self._resolution, **self._little_thinking)
        self._tokens_at_low = rule_for(answering(reasoner.name), asked="low")

    @property
    def vertex(self) -> bool:
        """Whether it is Vertex AI."""
        return self.reasoner.can.buckets

    @property
    def dollars(self) -> float | None:
        """What the calls have cost; None where the price is not known."""
        return self.tariff.of(self.calls)

    @cached_property
    def pages(self) -> list[Picture]:
        """The two pages as pictures."""
        return [page(1), page(2)]

    @cached_property
    def pdf(self) -> Picture:
        """The first page as a PDF."""
        return page_as_pdf(1)

    @property
    def look(self) -> StructuredTool:
        """The tool that shows a page."""

        def look(number: int) -> str:
            """Shows page 1 or page 2 as a picture."""
            return f"page {number}"

        return StructuredTool.from_function(look)

    def keeping(self, keeps: bool) -> GeminiReasoner:
        """The model that lets the service keep its requests, or tells it not to."""
        return self.model.model_copy(update={"store_requests": keeps})

    def lets_keep(self) -> None:
        """Ask without ``store=false`` from now on: the service does not take it, and only our own page is sent."""
        self.model = self.keeping(True)

    def at_own_resolution(self) -> GeminiReasoner:
        """The model that looks at pictures as closely as it is set."""
        return self.model.model_copy(update={"resolution": self._as_set.resolution})

    def tokens_as_set(self, picture: Picture) -> int:
        """What pagesight counts for a picture of a page, as the settings have it."""
        shown = self.settings.pictures
        asked: Any = self._as_set.resolution
        rule = rule_for(answering(self.reasoner.name), tiles=shown.tiles_per_picture, asked=asked)
        return rule.tokens(_size(picture))

    def ask(
        self, messages: Sequence[BaseMessage], model: Any = None, *, pictures: int = 0, tokens: int = 0
    ) -> AIMessage:
        """The answer. ``pictures`` is how many go along, each of ``tokens``, by default those of a low resolution.

        Raises StepSkipped where it could pass what may be spent, and what the model raises.
        """
        self.afford(pictures * (tokens or self._tokens_at_low.tokens(_size(self.pages[0]))))
        answer: AIMessage = (model or self.model).invoke(list(messages))
        self.count(answer)
        return answer

    def afford(self, tokens: int = 0) -> None:
        """Raises StepSkipped unless a call with pictures of so many tokens stays below what may be spent."""
        given = _TEXT + tokens
        dearest = UsageMetadata(input_tokens=given, output_tokens=_MOST_OUTPUT, total_tokens=given + _MOST_OUTPUT)
        if self.tariff.at_most([*self.calls, ModelCall(dearest)]) > MOST_DOLLARS:
            raise StepSkipped(
                f"not tried: with {self.reasoner.name} all steps could cost more than ${MOST_DOLLARS}; take a cheaper "
                "model with --model"
            )

    def count(self, answer: Any) -> None:
        """Add what an answer has cost."""
        usage = getattr(answer, "usage_metadata", None)
        if usage:
            self.calls.append(ModelCall(usage, str(answer.response_metadata.get("model_name") or "")))

    def count_embedding(self, model: str, tokens: int) -> None:
        """Add what an embedding of so many tokens has cost."""
        self.calls.append(ModelCall(UsageMetadata(input_tokens=tokens, output_tokens=0, total_tokens=tokens), model))

    def show(self, text: str, blocks: Sequence[Block]) -> AIMessage:
        """The answer when pages are shown as the agent shows them: as the reply of a tool, where one was called."""
        if not self.tool_call:
            return self.ask([HumanMessage([{"type": "text", "text": text}, *blocks])], pictures=len(blocks))
        call = self.tool_call[-1]
        assert isinstance(call, AIMessage)
        reply = replied(call.tool_calls[0]["id"], blocks)
        return self.ask([*self.tool_call, reply], self.model.bind_tools([self.look]), pictures=len(blocks))

    def _copy(self, **fields: Any) -> GeminiReasoner:
        seconds = min(self._as_set.timeout or _SECONDS, _SECONDS)
        bounds = {"max_output_tokens": _MOST_OUTPUT, "attempts": _ATTEMPTS, "timeout": seconds}
        return self._as_set.model_copy(update={**bounds, **fields})

    @property
    def _resolution(self) -> str:
        return "low" if self._as_set.resolution == "default" else self._as_set.resolution

    @property
    def _little_thinking(self) -> dict[str, str]:
        takes = generation(self.reasoner.name) >= (3, 0) and not self._as_set.thinking_level
        # The one field has another name in newer versions of LangChain's client.
        name = "reasoning_effort" if "reasoning_effort" in type(self._as_set).model_fields else "thinking_level"
        return {name: "low"} if takes else {}


def _to_gemini(settings: Settings) -> str:
    """What leads to Gemini: without a key one, else naming it."""
    named = "name one with --model google_genai:MODEL"
    if settings.gemini.google_api_key or settings.gemini.vertex_project:
        return f"unset PAGESIGHT_REASONER, or {named}"
    return f"set GOOGLE_API_KEY or PAGESIGHT_VERTEX_PROJECT, and {named} where PAGESIGHT_REASONER names another"


def replied(call_id: str | None, blocks: Sequence[Block]) -> ToolMessage:
    """The reply of the tool that shows a page."""
    text = {"type": "text", "text": "Shown as a picture."}
    return ToolMessage([text, *blocks], tool_call_id=call_id or "", name="look")


def _size(picture: Picture) -> tuple[int, int]:
    import io

    from PIL import Image

    return Image.open(io.BytesIO(picture.data)).size
