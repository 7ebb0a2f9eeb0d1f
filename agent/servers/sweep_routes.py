"""`/sweeps`: one small question of each document or page, as a table that grows; and the table as a file."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response
from sse_starlette import EventSourceResponse, ServerSentEvent

from pagesight.agent.reports.sweep_files import write_sweep
from pagesight.agent.servers.access import Asker
from pagesight.agent.servers.ask_routes import EVENTS, PING, SEND_SECONDS
from pagesight.agent.servers.problems import Problem, problem_of
from pagesight.agent.servers.schemas import SweepFileRequest, SweepRequest
from pagesight.agent.servers.service import Service
from pagesight.agent.servers.tokens import Token
from pagesight.agent.sweeps.sweep import sweep

if TYPE_CHECKING:
    from pagesight.agent.sweeps.estimate import SweepEstimate
    from pagesight.agent.sweeps.swept import SweepTable

router = APIRouter()

_KINDS = {"csv": "text/csv; charset=utf-8", "json": "application/json", "html": "text/html; charset=utf-8"}
_EXAMPLE = (
    'event: estimate\ndata: {"asked": 12, "kept": 0, "dollars": 0.0031, "text": "12 documents to ask …"}\n\n'
    'event: progress\ndata: {"done": 3, "total": 12}\n\n'
    'event: table\ndata: {"question": "What is the notice period?", "rows": ["…"]}\n\n'
)


class _Unconfirmed(Exception):
    def __init__(self, estimate: SweepEstimate) -> None:
        super().__init__(str(estimate))
        self.estimate = estimate


class _Gone(Exception):
    """Nobody waits for the table any more."""


@router.post("/sweeps", responses={200: {"content": {EVENTS: {"example": _EXAMPLE, "schema": {"type": "string"}}}}})
async def ask_each(asked: SweepRequest, request: Request, token: Asker) -> EventSourceResponse:
    """Asks each of the token's documents, or each page; the reply is events: `progress` and, last, the `table`.

    Where a model is to be asked, it is an `estimate` alone unless the request has it `confirmed`. What was answered
    before costs nothing. `error` is a problem. Who hangs up ends it; what was answered until then is kept.
    """
    service: Service = request.app.state.service
    _refuse_limited(token, asked)
    return EventSourceResponse(
        _events(service, token, asked), ping=PING, send_timeout=SEND_SECONDS, headers={"Cache-Control": "no-store"}
    )


@router.post("/sweeps/file", response_class=Response, responses={200: {"content": {"text/csv": {}}}})
async def table_file(asked: SweepFileRequest, request: Request, token: Asker) -> Response:
    """The table of what is known by now, as a file; no model is asked."""
    service: Service = request.app.state.service

    def written() -> bytes:
        table = _table(service, token, asked, dollars=0.0)
        with TemporaryDirectory(prefix="pagesight-sweep-") as folder:
            path = Path(folder) / f"sweep.{asked.form}"
            write_sweep(path, table)
            return path.read_bytes()

    headers = {"Content-Disposition": f'attachment; filename="sweep.{asked.form}"', "Cache-Control": "no-store"}
    return Response(await asyncio.to_thread(written), media_type=_KINDS[asked.form], headers=headers)


def _refuse_limited(token: Token, asked: SweepRequest) -> None:
    if token.dollars_a_day is not None and not asked.offline:
        raise Problem(
            403, "Limited token", "a token with dollars of a day sweeps offline only: its cells would not count"
        )


def _table(service: Service, token: Token, asked: SweepRequest, **how: Any) -> SweepTable:
    return sweep(
        token.allowed(service.index), asked.question, by=asked.by, documents=asked.documents, where=asked.where,
        model="offline" if asked.offline else service.plan.model, transport=service.plan.transport,
        settings=service.plan.settings, **how,
    )  # fmt: skip


async def _events(service: Service, token: Token, asked: SweepRequest) -> AsyncIterator[ServerSentEvent]:
    loop, gone = asyncio.get_running_loop(), threading.Event()
    told: asyncio.Queue[tuple[str, Any] | None] = asyncio.Queue()

    def tell(name: str, data: Any) -> None:
        loop.call_soon_threadsafe(told.put_nowait, (name, data))

    def run() -> None:
        try:
            tell("table", _table(service, token, asked, **_how(asked, tell, gone)).as_dict())
        except _Gone:
            pass
        except _Unconfirmed as asks:
            tell("estimate", {**vars(asks.estimate), "text": str(asks)})
        except Exception as error:  # noqa: BLE001 (the reply has begun: what it is goes on in it)
            tell("error", problem_of(error, sees_all=token.sees_all).as_dict())
        finally:
            loop.call_soon_threadsafe(told.put_nowait, None)

    running = asyncio.create_task(asyncio.to_thread(run))
    try:
        while (item := await told.get()) is not None:
            yield ServerSentEvent(json.dumps(item[1], ensure_ascii=False), event=item[0])
        await running
    finally:
        gone.set()  # the cells that are under way are kept, and no more are begun


def _how(asked: SweepRequest, tell: Callable[[str, Any], None], gone: threading.Event) -> dict[str, Any]:
    def progress(done: int, total: int) -> None:
        if gone.is_set():
            raise _Gone
        tell("progress", {"done": done, "total": total})

    def approve(estimate: SweepEstimate) -> None:
        if not asked.confirmed:
            raise _Unconfirmed(estimate)

    return {"dollars": asked.dollars, "approve": approve, "progress": progress}
