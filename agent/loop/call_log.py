"""One line for each model call and each tool of the agent, at debug level of the log ``pagesight.agent``."""

from __future__ import annotations

import logging
import time
from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatGeneration, LLMResult

from pagesight.agent.hydrate import LABELS

logger = logging.getLogger("pagesight.agent")


class CallLog(BaseCallbackHandler):
    """Follows the agent's runs; costs nothing where nobody listens at debug level."""

    run_inline = True
    ignore_chain = True
    ignore_retriever = True

    def __init__(self) -> None:
        self._begun: dict[UUID, tuple[float, str]] = {}

    def on_chat_model_start(
        self, serialized: dict[str, Any], messages: list[list[BaseMessage]], *, run_id: UUID, **kwargs: Any
    ) -> None:
        """Notes the pictures that the call sends."""
        sent = [message for batch in messages for message in batch]
        pictures = sum(len(message.response_metadata.get(LABELS, [])) for message in sent)
        self._begin(run_id, f"model call: {len(sent)} messages, {pictures} pictures")

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **kwargs: Any) -> None:
        """Logs a call that brought something."""
        self._end(run_id, _tokens(response))

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """Logs a call that failed: by the kind of error, since its text may hold what nobody should read."""
        self._end(run_id, type(error).__name__)

    def on_tool_start(self, serialized: dict[str, Any], input_str: str, *, run_id: UUID, **kwargs: Any) -> None:
        """Notes a tool's name."""
        self._begin(run_id, f"tool {(serialized or {}).get('name', '')}")

    def on_tool_end(self, output: Any, *, run_id: UUID, **kwargs: Any) -> None:
        """Logs a tool that replied."""
        self._end(run_id, str(getattr(output, "status", "success")))

    def on_tool_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """Logs a tool that failed."""
        self._end(run_id, type(error).__name__)

    def _begin(self, run_id: UUID, what: str) -> None:
        if logger.isEnabledFor(logging.DEBUG):
            self._begun[run_id] = (time.perf_counter(), what)

    def _end(self, run_id: UUID, outcome: str) -> None:
        began, what = self._begun.pop(run_id, (0.0, ""))
        if what:
            logger.debug("%s, %s, %.0f ms", what, outcome, 1000 * (time.perf_counter() - began))


def _tokens(response: LLMResult) -> str:
    generation = response.generations[0][0] if response.generations and response.generations[0] else None
    message = generation.message if isinstance(generation, ChatGeneration) else None
    usage = getattr(message, "usage_metadata", None) or {}
    return f"{usage.get('input_tokens', 0)} tokens in, {usage.get('output_tokens', 0)} out"
