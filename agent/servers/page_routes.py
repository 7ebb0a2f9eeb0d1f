"""`/search` and `/pages`: what is found, and what it looks like."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from pagesight.agent.servers.access import Reader
from pagesight.agent.servers.lookups import find_page
from pagesight.agent.servers.page_pictures import WIDEST, Wanted, page_facts, page_png, read_boxes, read_regions
from pagesight.agent.servers.schemas import PageReply, SearchReply, SearchRequest, WordsReply
from pagesight.agent.servers.service import Service
from pagesight.agent.servers.tokens import Token
from pagesight.indexing.documents.document import check_region

router = APIRouter()

#: Pictures of a page change with its corrections alone: its document's id is the hash of the bytes. Who may see it can,
#: so it is asked for.
_CACHE = "private, no-cache"


@router.post("/search")
async def search(asked: SearchRequest, request: Request, token: Reader) -> SearchReply:
    """The pages that fit a query best, of the token's documents, best first."""
    return await asyncio.to_thread(_found, request.app.state.service, token, asked)


@router.get("/search", operation_id="search_by_address")
async def search_by_address(
    request: Request,
    token: Reader,
    query: Annotated[str, Query(max_length=20_000, examples=["net revenue by region"])],
    top_k: Annotated[int | None, Query(ge=1, le=100)] = None,
    documents: Annotated[list[str] | None, Query(max_length=1000)] = None,
    where: Annotated[str | None, Query(max_length=20_000)] = None,
) -> SearchReply:
    """The same, asked for in the address."""
    asked = SearchRequest(query=query, top_k=top_k, documents=documents, where=where)
    return await asyncio.to_thread(_found, request.app.state.service, token, asked)


@router.get(
    "/pages/{label:path}.png",
    response_class=Response,
    responses={200: {"content": {"image/png": {}}, "description": "the picture"}, 304: {"description": "as it was"}},
)
async def page_picture(
    label: str,
    request: Request,
    token: Reader,
    region: Annotated[
        str | None, Query(examples=["150,100,270,400"], description="cut out ymin,xmin,ymax,xmax")
    ] = None,
    zoom: Annotated[float, Query(ge=0.05, le=20, description="1 is as large as on paper, at 96 dots per inch")] = 1.5,
    width: Annotated[int | None, Query(ge=16, le=WIDEST, description="pixels; beats zoom")] = None,
    box: Annotated[
        list[str], Query(examples=[["0.1,0.2,0.4,0.22"]], description="highlight left,top,right,bottom")
    ] = [],  # noqa: B006
    outline: Annotated[
        list[str], Query(examples=[["150,100,270,400"]], description="outline ymin,xmin,ymax,xmax")
    ] = [],  # noqa: B006
    query: Annotated[str, Query(max_length=20_000, description="highlight where the page answers it")] = "",
    show: Annotated[
        Literal["marks", "map"], Query(description="of the query: marks, or a map of where it is like it")
    ] = "marks",
    word: Annotated[str | None, Query(max_length=200, description="map only this word of the query")] = None,
) -> Response:
    """A page by its label, such as `annual-report.pdf p. 5`, or by its key: whole or a region of it, rendered anew.

    Places are given of the whole page, also where a region is cut out.
    """
    service: Service = request.app.state.service
    wanted = Wanted(
        check_region(list(read_regions([region])[0])) if region else None, zoom, width, read_boxes(box),
        read_regions(outline), query, show == "map", word,
    )  # fmt: skip
    ref = await asyncio.to_thread(find_page, token.allowed(service.index), label)
    marked = await service.index.acorrections_of(ref) if wanted.query else ()
    tag = f'"{wanted.tag(ref, *(one.id for one in marked))}"'
    headers = {"ETag": tag, "Cache-Control": _CACHE}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    data = await service.draw(lambda: page_png(service.index, ref, wanted))
    return Response(data, media_type="image/png", headers=headers)


@router.get("/pages/{label:path}/similar")
async def similar(
    label: str,
    request: Request,
    token: Reader,
    top_k: Annotated[int | None, Query(ge=1, le=100)] = None,
    documents: Annotated[list[str] | None, Query(max_length=1000)] = None,
) -> SearchReply:
    """The pages of the token's documents that are most like a page, best first; without the page itself."""
    service: Service = request.app.state.service

    def found() -> SearchReply:
        allowed = token.allowed(service.index)
        ref = find_page(allowed, label)
        asked = service.index.like(ref)
        hits = service.index.search(
            asked, top_k=top_k, documents=allowed.narrowed(documents).ids(), where=allowed.where
        )
        return SearchReply.model_validate({"query": ref.label, "hits": [hit.as_dict() for hit in hits]})

    return await asyncio.to_thread(found)


@router.get("/words")
async def words(
    request: Request, token: Reader, query: Annotated[str, Query(min_length=1, max_length=20_000)]
) -> WordsReply:
    """The words of a query that `show=map&word=…` of a page's picture can be drawn of."""
    service: Service = request.app.state.service
    found = await service.index.aquery_vectors(query)
    return WordsReply(query=query, words=list(dict.fromkeys(found.tokens)))


@router.get("/pages/{label:path}.json")
async def page(label: str, request: Request, token: Reader) -> PageReply:
    """What is known of a page: its document, its size, its text, the pages beside it."""
    service: Service = request.app.state.service
    ref = await asyncio.to_thread(find_page, token.allowed(service.index), label)
    return PageReply.model_validate(await service.draw(lambda: page_facts(service.index, ref)))


def _found(service: Service, token: Token, asked: SearchRequest) -> SearchReply:
    allowed = token.allowed(service.index).narrowed(asked.documents, asked.where)
    hits = service.index.search(asked.query, top_k=asked.top_k, documents=allowed.ids(), where=allowed.where)
    return SearchReply.model_validate({"query": asked.query, "hits": [hit.as_dict() for hit in hits]})
