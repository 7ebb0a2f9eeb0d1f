"""Checks the claims of an agent's answers as they come from the model, and writes the outcome on them.

What words cannot tell may be looked at: the cited place is rendered anew, and a model that is not told the claim says
what stands there.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.runnables import Runnable

from pagesight.agent.answers.citations import says_not_found
from pagesight.agent.answers.claims.blind_look import LookBudget, LooksMade
from pagesight.agent.answers.claims.check_claims import claims_within
from pagesight.agent.answers.claims.readings import Place
from pagesight.agent.answers.claims.settled import Settled, settled
from pagesight.indexing.errors import PagesightError
from pagesight.tools.allowed_documents import AllowedDocuments
from pagesight.tools.messages.authorship import with_claims, with_looks
from pagesight.tools.messages.conversation import PageView, is_cut_off

_log = logging.getLogger(__name__)

#: A check that stops at each place to be looked at, to be sent what was found there, and gives the checked message.
_Checking = Generator[PageView, Any, BaseMessage]


@dataclass(frozen=True)
class Asked:
    """What a check goes by of the conversation: the labels of pages ``shown``, and the looks of the question so far."""

    shown: Collection[str] = ()
    looks: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True)
class ClaimCheck:
    """The check of the claims of each answer, by the documents that the conversation may use.

    ``reader`` is who looks where words cannot tell (see `reading`), within the ``budget``; without one nobody does.
    """

    documents: AllowedDocuments
    reader: Runnable[PageView, Any] | None = None
    budget: LookBudget = field(default_factory=LookBudget)

    def of(self, message: BaseMessage, asked: Asked | None = None) -> BaseMessage:
        """The message, with its claims if it is a whole answer. What keeps the check from working is logged."""
        checking = self._checking(message, asked or Asked())
        try:
            view = next(checking)
            while True:
                view = checking.send(self._looked(view))
        except StopIteration as done:
            return _message(done)

    async def aof(self, message: BaseMessage, asked: Asked | None = None) -> BaseMessage:
        """`of`, in threads: reading pages may wait for the disk and for OCR."""
        checking = self._checking(message, asked or Asked())
        view = await asyncio.to_thread(_next, checking, None)
        while isinstance(view, PageView):
            view = await asyncio.to_thread(_next, checking, await self._alooked(view))
        return view

    def _looked(self, view: PageView) -> Any:
        assert self.reader
        try:
            return self.reader.invoke(view)
        except PagesightError as error:
            return error

    async def _alooked(self, view: PageView) -> Any:
        assert self.reader
        try:
            return await self.reader.ainvoke(view)
        except PagesightError as error:
            return error

    def _checking(self, message: BaseMessage, asked: Asked) -> _Checking:
        if not isinstance(message, AIMessage) or message.tool_calls or is_cut_off(message):
            return message
        text = message.text
        if not text.strip() or says_not_found(text):
            return message
        try:
            return (yield from self._checked(message, text, asked))
        except PagesightError as error:
            _log.warning("the claims of the answer were not checked: %s", error)
            return message

    def _checked(self, message: BaseMessage, text: str, asked: Asked) -> _Checking:
        made = LooksMade.of(asked.looks)
        result = self._settled(text, asked, made)
        for place in self._undecided(result, made):
            if not made.allows(self.budget):
                break
            view = PageView(self.documents.page(place[0]), place[1])
            made.add(place, (yield view), self.budget)
        if made.new:
            result = self._settled(text, asked, made)
            message = with_looks(message, made.as_dict())
        return with_claims(
            message, [claim.as_dict() for claim in result.claims], result.text if result.changes else "", result.changes
        )

    def _settled(self, text: str, asked: Asked, made: LooksMade) -> Settled:
        return settled(
            self.documents, text, asked.shown, lambda allowed, said: claims_within(allowed, said, made.readings)
        )

    def _undecided(self, result: Settled, made: LooksMade) -> list[Place]:
        """The places that claims cite which their words leave open, each once, but for those that were looked at."""
        if self.reader is None:
            return []
        cited = (one for claim in result.claims if claim.undecided for one in claim.citations)
        places = dict.fromkeys((one.label, one.region) for one in cited)
        return [place for place in places if place not in made.readings]


def _next(checking: _Checking, found: Any) -> PageView | BaseMessage:
    """The next place to look at, or the checked message: StopIteration leaves no thread."""
    try:
        return checking.send(found)
    except StopIteration as done:
        return _message(done)


def _message(done: StopIteration) -> BaseMessage:
    message: BaseMessage = done.value
    return message
