"""Checks the claims of an agent's answers as they come from the model, and writes the outcome on them."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from langchain_core.messages import AIMessage, BaseMessage

from pagesight.agent.answers.citations import says_not_found
from pagesight.agent.answers.claims.check_claims import claims_within
from pagesight.indexing.errors import PagesightError
from pagesight.tools.allowed_documents import AllowedDocuments
from pagesight.tools.messages.authorship import with_claims
from pagesight.tools.messages.conversation import is_cut_off

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ClaimCheck:
    """The check of the claims of each answer, by the documents that the conversation may use."""

    documents: AllowedDocuments

    def of(self, message: BaseMessage) -> BaseMessage:
        """The message, with its claims if it is a whole answer. What keeps the check from working is logged."""
        if not isinstance(message, AIMessage) or message.tool_calls or is_cut_off(message):
            return message
        text = message.text
        if not text.strip() or says_not_found(text):
            return message
        try:
            claims = claims_within(self.documents, text)
        except PagesightError as error:
            _log.warning("the claims of the answer were not checked: %s", error)
            return message
        return with_claims(message, [claim.as_dict() for claim in claims])

    async def aof(self, message: BaseMessage) -> BaseMessage:
        """`of`, in a thread: reading pages may wait for the disk and for OCR."""
        return await asyncio.to_thread(self.of, message)
