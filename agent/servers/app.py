"""The service as an ASGI application: routes behind tokens behind checks of where requests come from."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.exceptions import HTTPException

from pagesight.agent.reasoners.choose import choose_reasoner
from pagesight.agent.servers import (
    agui_routes,
    ask_routes,
    claim_routes,
    correction_routes,
    document_routes,
    encoder_routes,
    page_routes,
    report_routes,
    sweep_routes,
)
from pagesight.agent.servers.access import Anybody, Authenticated, cookie_name
from pagesight.agent.servers.guard import Guard
from pagesight.agent.servers.guarded_http import Application
from pagesight.agent.servers.metrics import Counted, Metrics
from pagesight.agent.servers.problems import MEDIA_TYPE, Problem, problem_of
from pagesight.agent.servers.schemas import HealthReply, MeReply, ProblemReply, ReasonerOffer
from pagesight.agent.servers.service import Plan, Service
from pagesight.agent.servers.web.site import Site
from pagesight.indexing.errors import PagesightError

_log = logging.getLogger(__name__)

_REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {"model": ProblemReply, "description": why, "content": {MEDIA_TYPE: {}}}
    for status, why in {
        401: "no token, or one that is not known", 403: "the token may not do this", 404: "there is none of that name",
        413: "the request is too large", 422: "the request cannot be read or answered", 429: "too many at a time",
        502: "the language model did not answer", 503: "the index cannot be used now", 504: "it took too long",
    }.items()
}  # fmt: skip

_ROUTES = (
    ask_routes,
    agui_routes,
    claim_routes,
    correction_routes,
    document_routes,
    encoder_routes,
    page_routes,
    report_routes,
    sweep_routes,
)

router = APIRouter()


def make_app(plan: Plan) -> Application:
    """The application; run it with uvicorn, as `pagesight.agent.servers.run` does."""
    metrics = Metrics()
    app = FastAPI(
        title="pagesight", version=version("pagesight"), docs_url=None, redoc_url=None, responses=_REFUSALS,
        description="Answers questions about documents by looking at their pages.", lifespan=_lifespan(plan, metrics),
    )  # fmt: skip
    for routes in (router, *(one.router for one in _ROUTES)):
        app.include_router(routes)
    for kind in (Problem, PagesightError, Exception):
        app.add_exception_handler(kind, _problem)
    app.add_exception_handler(RequestValidationError, _unreadable)
    app.add_exception_handler(HTTPException, _of_the_framework)
    largest = plan.settings.service.upload_megabytes * 1_000_000
    service: Application = Authenticated(app, plan.tokens)
    if plan.page:
        service = Site(service, plan.tokens)
    return Counted(Guard(service, hosts=plan.hosts, origins=plan.origins, largest_upload=largest), metrics)


def _lifespan(plan: Plan, metrics: Metrics) -> Any:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with Service.opened(plan, metrics) as service:
            app.state.service = service
            questions = service.questions
            watching = asyncio.create_task(metrics.watch(lambda: (questions.running, questions.waiting)))
            try:
                yield
            finally:
                watching.cancel()

    return lifespan


@router.get("/healthz")
async def health(request: Request) -> HealthReply:
    """Whether the service works: the index can be read."""
    service: Service = request.app.state.service
    await service.index.adocuments()
    return HealthReply(status="ok")


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def metrics(request: Request, token: Anybody) -> Response:
    """Counts for Prometheus, of all tokens: for one that sees all documents. They name no document and no question."""
    if not token.sees_all:
        raise Problem(403, "Missing scope", "the counts are of all tokens: a token with documents of its own has none")
    service: Service = request.app.state.service
    return Response(await asyncio.to_thread(service.metrics.text), media_type=CONTENT_TYPE_LATEST)


@router.get("/me")
async def me(request: Request, token: Anybody) -> MeReply:
    """What the token may do, and who answers."""
    service: Service = request.app.state.service

    def told() -> MeReply:
        records = token.allowed(service.index).records()
        choice = choose_reasoner(service.plan.model, service.plan.settings)
        return MeReply(
            name=token.name, scopes=list(token.scopes), where=token.where, documents=len(records),
            pages=sum(record.pages for record in records), encoder=service.index.encoder_names, reasoner=choice.name,
            why=choice.why, version=version("pagesight"),
            reasoners=[
                ReasonerOffer(name=name, input=price.input, output=price.output)
                for name, price in service.reasoners().items()
            ],
        )  # fmt: skip

    return await asyncio.to_thread(told)


@router.post("/session", status_code=204)
async def begin_session(request: Request, token: Anybody) -> Response:
    """Puts the token into a cookie, which scripts cannot read: for pictures in a page of the service's own."""
    reply = Response(status_code=204)
    secure = request.url.scheme == "https"
    reply.set_cookie(
        cookie_name(request.scope), request.state.sent, httponly=True, samesite="strict", secure=secure, path="/"
    )
    return reply


@router.delete("/session", status_code=204)
async def end_session(request: Request, token: Anybody) -> Response:
    """Takes the cookie away."""
    reply = Response(status_code=204)
    reply.delete_cookie(cookie_name(request.scope), httponly=True, samesite="strict", path="/")
    return reply


async def _problem(request: Request, error: Exception) -> Response:
    token = getattr(request.state, "token", None)
    problem = problem_of(error, sees_all=token is not None and token.sees_all)
    if problem.status == 500 and not isinstance(error, PagesightError):
        _log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return _reply(problem)


async def _unreadable(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    faults = error.errors()
    if any(fault["type"] == "json_invalid" for fault in faults):
        return _reply(Problem(400, "Bad JSON", "the request's body is no JSON"))
    told = "; ".join(f"{_place(fault['loc'])}: {fault['msg']}" for fault in faults[:10])
    return _reply(Problem(422, "Bad request", told))


def _place(parts: tuple[Any, ...]) -> str:
    return ".".join(str(part)[:80] for part in parts[1:]) or str(parts[0] if parts else "request")


async def _of_the_framework(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    said = {404: f"there is no {request.url.path[:200]} here", 405: f"{request.method} is not for this address"}
    problem = Problem(
        error.status_code, _TITLES.get(error.status_code, "Bad request"), said.get(error.status_code, str(error.detail))
    )
    return _reply(problem, dict(error.headers or {}))


_TITLES = {404: "Not found", 405: "Method not allowed"}


def _reply(problem: Problem, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse(
        problem.as_dict(),
        status_code=problem.status,
        media_type=MEDIA_TYPE,
        headers={**(headers or {}), **problem.headers},
    )
