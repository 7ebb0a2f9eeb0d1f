"""What a question costs, noted in the index's ledger however it ends: answered, failed, or stopped in the middle."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.outputs import ChatGeneration, LLMResult

from pagesight.agent.answers.spent import note, spent, spent_on_calls
from pagesight.indexing.calls.prices import ModelCall, Tariff

if TYPE_CHECKING:
    from pagesight.agent.answers.answer import Answer
    from pagesight.indexing.calls.ledger import Spent


class QuestionCosts(BaseCallbackHandler):
    """Adds one question to the ledger in an index's ``folder`` when the block ends, ``with`` or ``async with``.

    It follows the question's model calls as a callback (``config={"callbacks": [costs]}``); what they brought counts
    where no ``answer`` was set. ``kind`` is "ask", "chat" or "eval"; ``reasoner`` and ``prices`` are as for `Tariff`;
    ``by`` is the token that a service was asked with.
    """

    run_inline = True
    ignore_chain = ignore_retriever = ignore_agent = True

    def __init__(
        self, folder: Path, kind: str, reasoner: str, prices: Mapping[str, Sequence[float]] | None, by: str = ""
    ) -> None:
        self._folder, self._kind, self._reasoner, self._by = folder, kind, reasoner, by
        self._tariff = Tariff(reasoner, prices or {})
        self._calls: list[ModelCall] = []
        self._started = time.perf_counter()
        self.answer: Answer | None = None
        self.seconds = 0.0
        self._settled = False

    def __enter__(self) -> QuestionCosts:
        self._started = time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        self.settle()

    async def __aenter__(self) -> QuestionCosts:
        return self.__enter__()

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self.settle)

    def settle(self) -> None:
        """Adds the record now, instead of at the block's end."""
        if self._settled:
            return
        self._settled = True
        self.seconds = time.perf_counter() - self._started
        if self.answer:
            self._note(spent(self._kind, self.answer, self.seconds))
        elif any(call.usage["total_tokens"] for call in self._calls):
            self._note(spent_on_calls(self._kind, self._reasoner, self._calls, self._tariff, self.seconds))

    def _note(self, took: Spent) -> None:
        note(self._folder, replace(took, by=self._by))

    def on_llm_end(self, response: LLMResult, **_: Any) -> None:
        """Counts a call that brought something."""
        for generations in response.generations:
            message = generations[0].message if generations and isinstance(generations[0], ChatGeneration) else None
            usage = getattr(message, "usage_metadata", None)
            if message is not None and usage:
                self._calls.append(ModelCall(usage, str(message.response_metadata.get("model_name") or "")))
