"""`/pages/…/words` and corrections: what was read of a page, and what of it was read wrongly."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from pagesight.agent.servers.access import Reader, Writer
from pagesight.agent.servers.lookups import find_page
from pagesight.agent.servers.schemas import (
    CorrectionReply,
    CorrectionRequest,
    CorrectionsReply,
    PageWordsReply,
)
from pagesight.agent.servers.service import Service
from pagesight.indexing.pages import Correction, PageRef

router = APIRouter()


@router.get("/corrections")
async def corrections(
    request: Request, token: Reader, documents: Annotated[list[str] | None, Query(max_length=1000)] = None
) -> CorrectionsReply:
    """The corrections of the token's documents, or of some of these, in the order of pages and times."""
    service: Service = request.app.state.service

    def listed() -> list[tuple[PageRef, Correction]]:
        return service.index.corrections(token.allowed(service.index).narrowed(documents).ids())

    return CorrectionsReply(corrections=[_reply(*one) for one in await asyncio.to_thread(listed)])


@router.get("/pages/{label:path}/words")
async def page_words(label: str, request: Request, token: Reader) -> PageWordsReply:
    """The words of a page as they were read or corrected, where each stands, and the page's corrections."""
    service: Service = request.app.state.service
    ref = await asyncio.to_thread(find_page, token.allowed(service.index), label)

    def read() -> PageWordsReply:
        text = service.index.words(ref)
        boxes: Any = [[round(edge, 5) for edge in box] for box in text.boxes.tolist()]
        found = [_reply(ref, one) for one in service.index.corrections_of(ref)]
        return PageWordsReply(
            label=ref.label, words=text.words, boxes=boxes, lines=text.lines.tolist(), corrections=found
        )

    return await service.draw(read)


@router.post("/pages/{label:path}/corrections", status_code=201)
async def correct(label: str, asked: CorrectionRequest, request: Request, token: Writer) -> CorrectionReply:
    """Corrects words of a page that were read wrongly; they are searched, quoted and marked so from then on.

    Whose token it is stands with the correction.
    """
    service: Service = request.app.state.service
    ref = await asyncio.to_thread(find_page, token.allowed(service.index), label)
    made = await service.index.acorrect(ref, asked.was, asked.now, at=asked.box or asked.nth, by=token.name)
    return _reply(ref, made)


@router.delete("/pages/{label:path}/corrections/{known}")
async def undo(label: str, known: str, request: Request, token: Writer) -> CorrectionsReply:
    """Takes a correction back, and those that were made later of its words; the reply has these."""
    service: Service = request.app.state.service
    ref = await asyncio.to_thread(find_page, token.allowed(service.index), label)
    gone = await service.index.aundo_correction(ref, known[:80])
    return CorrectionsReply(corrections=[_reply(ref, one) for one in gone])


def _reply(ref: PageRef, made: Correction) -> CorrectionReply:
    return CorrectionReply.model_validate({"label": ref.label, "key": ref.key} | made.as_dict())
