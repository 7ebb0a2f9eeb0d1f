"""`/threads/{id}/report`: a conversation as a page of its own, with pictures of the cited pages in it."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from fastapi import APIRouter, Request, Response

from pagesight.agent.reports.html_report import write_html
from pagesight.agent.servers.access import Asker
from pagesight.agent.servers.problems import Problem
from pagesight.agent.servers.service import Service

router = APIRouter()


@router.get(
    "/threads/{thread_id}/report",
    response_class=Response,
    responses={200: {"content": {"text/html": {}}, "description": "the report, to be kept as a file"}},
)
async def report(thread_id: str, request: Request, token: Asker) -> Response:
    """A conversation as a file of HTML: questions, answers, and the cited pages with their places marked.

    For tokens without a boundary: the pictures are of any page that was cited then.
    """
    service: Service = request.app.state.service
    if not token.sees_all:
        raise Problem(403, "Within a boundary", "reports are for tokens that see all documents")
    said = await service.conversation(token, thread_id)

    def drawn() -> bytes:
        with TemporaryDirectory(prefix="pagesight-report-") as folder:
            path = Path(folder) / "report.html"
            write_html(path, service.index, said)
            return path.read_bytes()

    headers = {"Content-Disposition": 'attachment; filename="pagesight.html"', "Cache-Control": "no-store"}
    return Response(await service.draw(drawn), media_type="text/html", headers=headers)
