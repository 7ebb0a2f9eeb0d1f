"""What comes after each call of the model: the correction of answers, a word before costly steps, a form, then a hook
of the user's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from langchain_core.runnables import Runnable, RunnableConfig, RunnableLambda
from langgraph.types import Command

from pagesight.agent.answers.answer_form import AnswerForm
from pagesight.agent.answers.correction import Correction
from pagesight.agent.loop.confirmation import Confirmation


@dataclass(frozen=True)
class AfterModel:
    """The steps in their order; the first two end it where they have something to say."""

    correction: Correction | None = None
    confirmation: Confirmation | None = None
    form: AnswerForm | None = None
    hook: Runnable[Any, Any] | None = None

    def runnable(self) -> Runnable[Any, Any] | None:
        """For ``post_model_hook``; None where there is nothing to do."""
        steps = (self.correction, self.confirmation, self.form, self.hook)
        return RunnableLambda(self._after, self._aafter, name="after_the_model") if any(steps) else None

    def _after(self, state: Any, config: RunnableConfig) -> Any:
        said = self._ours(state)
        if said is not None:
            return said
        filled = self.form.filled(state) if self.form else None
        return _both(filled, self.hook.invoke(state, config) if self.hook else None)

    async def _aafter(self, state: Any, config: RunnableConfig) -> Any:
        said = self._ours(state)
        if said is not None:
            return said
        filled = await self.form.afilled(state) if self.form else None
        return _both(filled, await self.hook.ainvoke(state, config) if self.hook else None)

    def _ours(self, state: Any) -> Any:
        corrected = self.correction.send_back(state) if self.correction else None
        if corrected is not None:
            return corrected
        return self.confirmation.asked(state) if self.confirmation else None


def _both(filled: dict[str, Any] | None, said: Any) -> Any:
    """What the form and the hook say together."""
    if not filled:
        return said
    if isinstance(said, Command):
        return Command(
            graph=said.graph, goto=said.goto, resume=said.resume, update=_together(filled, said.update or {})
        )
    return _together(filled, said or {})


def _together(filled: dict[str, Any], said: Any) -> dict[str, Any]:
    messages = [*filled.get("messages", []), *said.get("messages", [])]
    return {**filled, **said, **({"messages": messages} if messages else {})}
