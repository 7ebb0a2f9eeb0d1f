"""`/encoders`: what made the vectors of pages, what another encoder would cost, and which ones a new index may take."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from fastapi import APIRouter, Request

from pagesight.agent.servers.access import Reader
from pagesight.agent.servers.schemas import EncoderOffer, EncodersReply
from pagesight.agent.servers.service import Service
from pagesight.indexing import PageIndex
from pagesight.indexing.encoders import LexicalEncoder, choose, estimate_costs, lacking, paid_encoders

router = APIRouter()

#: Pages of which costs are told while there are none.
_PAGES = 1000


@router.get("/encoders")
async def encoders(request: Request, token: Reader) -> EncodersReply:
    """The index's encoder, and what others would cost for the token's pages, or for 1,000 where there are none.

    While the index of `pagesight web` is empty, an upload may name one of the others as its `encoder`.
    """
    service: Service = request.app.state.service

    def told() -> EncodersReply:
        used = [one.name for one in service.index.encoders]
        pages = sum(record.pages for record in token.allowed(service.index).records())
        own = _offer(used, pages or _PAGES, service)
        others = [_offer([name], pages or _PAGES, service) for name in offered_encoders() if name not in used]
        changeable = service.plan.page and _is_free(service.index)
        return EncodersReply(encoder=own.model, pages=pages, own=own, others=others, changeable=changeable)

    return await asyncio.to_thread(told)


def offered_encoders() -> list[str]:
    """The encoders that a new index may take here: by words, the best that runs here, those that are paid by the page.

    Not those that a name alone could have run: scripts, folders, servers.
    """
    return list(dict.fromkeys([LexicalEncoder.name, choose("auto").name, *paid_encoders()]))


def _offer(names: Sequence[str], pages: int, service: Service) -> EncoderOffer:
    settings = service.index.settings
    named, lacks = " and ".join(names), [lack for name in names if (lack := lacking(name, settings))]
    estimate = estimate_costs(names, pages, settings)
    if estimate is None:
        return EncoderOffer(model=named, pages=pages, tokens=None, dollars=0.0, seconds=None)
    return EncoderOffer(**estimate.as_dict() | {"model": named}, lacks=" ".join(lacks))


def _is_free(index: PageIndex) -> bool:
    """Whether it may take another encoder; on a server none does."""
    return index.place == str(index.path) and not index.documents() and not index.removed()
