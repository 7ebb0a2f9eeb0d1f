"""`/documents` and `/jobs`: what there is, uploads and removals with their progress."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import FileResponse, JSONResponse
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.datastructures import FormData, UploadFile

from pagesight.agent.servers.access import Reader, Writer
from pagesight.agent.servers.ask_routes import EVENTS
from pagesight.agent.servers.encoder_routes import offered_encoders
from pagesight.agent.servers.job_files import Job, JobFiles
from pagesight.agent.servers.jobs import Upload, check_metadata, refuse_name
from pagesight.agent.servers.lookups import find_document
from pagesight.agent.servers.problems import Problem
from pagesight.agent.servers.replies import document_reply
from pagesight.agent.servers.schemas import DocumentReply, DocumentsReply, JobReply, JobsReply
from pagesight.agent.servers.service import Service
from pagesight.agent.servers.tokens import Token
from pagesight.indexing.documents.metadata import fault_of

router = APIRouter()

_MOST_FILES = 1000
#: Seconds between two looks at a job, and for which a removal is waited for before its job is told of.
_LOOK_EVERY, _SOON = 0.3, 5.0
_SHOWN = {
    ".pdf": "application/pdf", ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp",
    ".gif": "image/gif",
}  # fmt: skip
_UPLOAD = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["files"],
                    "properties": {
                        "files": {"type": "array", "items": {"type": "string", "format": "binary"}},
                        "metadata": {
                            "type": "string",
                            "description": "a JSON object of texts, numbers and truth values, for all files",
                            "examples": ['{"year": 2024}'],
                        },
                        "encoder": {
                            "type": "string",
                            "description": "one of those that `GET /encoders` lists, for an index that is `changeable`",
                        },
                        "ask": {
                            "type": "string",
                            "enum": ["price"],
                            "description": "where encoding costs money, the job says what, and waits to be confirmed",
                        },
                    },
                }
            }
        },
    }
}


@router.get("/documents")
async def documents(
    request: Request,
    token: Reader,
    containing: Annotated[str, Query(max_length=1000, description="only those with this in their name")] = "",
    where: Annotated[str | None, Query(max_length=20_000, description="only those whose metadata meets this")] = None,
    offset: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
) -> DocumentsReply:
    """The token's documents, by name."""

    def listed() -> DocumentsReply:
        service: Service = request.app.state.service
        records = token.allowed(service.index).narrowed(None, where).records()
        chosen = [record for record in records if containing.casefold() in record.document.casefold()]
        shown = chosen[offset : offset + limit]
        return DocumentsReply(documents=[document_reply(record) for record in shown], total=len(chosen))

    return await asyncio.to_thread(listed)


@router.post("/documents", status_code=202, response_model=JobReply, openapi_extra=_UPLOAD)
async def upload(request: Request, token: Writer) -> Response:
    """Uploads documents; the reply is a job that indexes them. A file of a name that was uploaded before replaces it.

    Names may have folders, `reports/2024/annual.pdf`. `metadata` goes to all files; what the token itself says of its
    documents stands above it.
    """
    service: Service = request.app.state.service
    async with request.form(max_files=_MOST_FILES, max_fields=10) as form:
        metadata = _metadata(form)
        check_metadata(token, metadata)
        files = [one for one in form.getlist("files") if isinstance(one, UploadFile)]
        if not files:
            raise Problem(422, "No files", "there is no file in the form: send some as files")
        asks = form.get("ask") == "price"
        encoder = await asyncio.to_thread(_encoder, form, service)
        folder = await asyncio.to_thread(_received, service.jobs.files, files)
    try:
        job = await asyncio.to_thread(service.jobs.add, token, Upload(folder, metadata, asks, encoder))
    except BaseException:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        raise
    return _accepted(job)


@router.get("/documents/{document_id}/file", response_class=FileResponse)
async def file(document_id: str, request: Request, token: Reader) -> Response:
    """The document itself, as it was indexed; `#page=5` behind the address opens a PDF there."""
    service: Service = request.app.state.service

    def found() -> tuple[Path, str]:
        record = find_document(token.allowed(service.index), document_id)
        with service.index.opened(record.page_refs[0]) as document:
            return document.path, record.document

    path, name = await asyncio.to_thread(found)
    kind = _SHOWN.get(path.suffix.lower())
    return FileResponse(
        path, media_type=kind or "application/octet-stream", filename=name.rpartition("/")[2],
        content_disposition_type="inline" if kind else "attachment",
        # A viewer of PDFs does not work in a sandbox; nothing of another place is loaded.
        headers={
            "Cache-Control": "private, no-cache",
            "Content-Security-Policy": "default-src 'none'; frame-ancestors 'self'",
        },
    )  # fmt: skip


@router.get("/documents/{name:path}")
async def document(name: str, request: Request, token: Reader) -> DocumentReply:
    """A document, by name or id."""
    service: Service = request.app.state.service
    return document_reply(await asyncio.to_thread(find_document, token.allowed(service.index), name))


@router.delete("/documents/{name:path}", response_model=JobReply)
async def remove(name: str, request: Request, token: Writer) -> Response:
    """Takes a document out of the index: 200 once it is done, 202 with the job where somebody writes meanwhile."""
    service: Service = request.app.state.service
    record = await asyncio.to_thread(find_document, token.allowed(service.index), name)
    job = await asyncio.to_thread(service.jobs.remove, token, [record])
    for _ in range(round(_SOON / 0.1)):
        await asyncio.sleep(0.1)
        job = await asyncio.to_thread(_job, service, token, job.id)
        if job.is_over:
            break
    if job.state == "failed":
        raise Problem(409, "Not removed", job.message)
    return JSONResponse(job.as_dict()) if job.is_over else _accepted(job)


@router.get("/jobs")
async def jobs(request: Request, token: Writer) -> JobsReply:
    """The token's jobs of the last day, the newest first."""
    service: Service = request.app.state.service
    found = await asyncio.to_thread(service.jobs.files.of, token.name)
    return JobsReply.model_validate({"jobs": [one.as_dict() for one in found]})


@router.get(
    "/jobs/{job_id}",
    response_model=JobReply,
    responses={200: {"content": {EVENTS: {"schema": {"type": "string"}}}}},
)
async def job(job_id: str, request: Request, token: Writer) -> Any:
    """How far a job is; with `Accept: text/event-stream` an event `progress` whenever that changes, and `end`."""
    service: Service = request.app.state.service
    found = await asyncio.to_thread(_job, service, token, job_id)
    if EVENTS in request.headers.get("accept", ""):
        return EventSourceResponse(_progress(service, token, job_id), ping=15, send_timeout=30.0)
    return found.as_dict()


@router.post("/jobs/{job_id}/confirm", status_code=202, response_model=JobReply)
async def confirm_job(job_id: str, request: Request, token: Writer) -> Any:
    """Says to a job that is `asking` that what it will cost is to be paid. Problem 409 where it does not ask."""
    service: Service = request.app.state.service
    found = await asyncio.to_thread(_job, service, token, job_id)
    if found.state != "asking":
        raise Problem(409, "Nothing asked", f"the job {job_id} is {found.state}: there is nothing to confirm")
    await asyncio.to_thread(service.jobs.files.confirm, job_id)
    return found.as_dict()


@router.delete("/jobs/{job_id}", status_code=202, response_model=JobReply)
async def stop_job(job_id: str, request: Request, token: Writer) -> Any:
    """Asks a job to stop; what it has written stays."""
    service: Service = request.app.state.service
    found = await asyncio.to_thread(_job, service, token, job_id)
    if not found.is_over:
        await asyncio.to_thread(service.jobs.files.ask_to_stop, job_id)
    return found.as_dict()


async def _progress(service: Service, token: Token, job_id: str) -> AsyncIterator[ServerSentEvent]:
    before: Job | None = None
    while True:
        now = await asyncio.to_thread(_job, service, token, job_id)
        if now != before:
            name = "end" if now.is_over else "progress"
            yield ServerSentEvent(json.dumps(now.as_dict(), ensure_ascii=False), event=name)
        if now.is_over:
            return
        before = now
        await asyncio.sleep(_LOOK_EVERY)


def _job(service: Service, token: Token, job_id: str) -> Job:
    found = service.jobs.files.read(job_id, token.name)
    if found is None:
        raise Problem(404, "Unknown job", f"this token has no job {job_id[:40]!r}")
    return found


def _accepted(job: Job) -> JSONResponse:
    return JSONResponse(job.as_dict(), status_code=202, headers={"Location": f"/jobs/{job.id}"})


def _metadata(form: FormData) -> dict[str, Any]:
    text = form.get("metadata") or "{}"
    try:
        given = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict) or not all(isinstance(one, str | int | float | bool) for one in given.values()):
        raise Problem(
            422, "Bad metadata", 'metadata is a JSON object of texts, numbers and truth values: {"year": 2024}'
        )
    if fault := fault_of(given):
        raise Problem(422, "Bad metadata", f"the metadata cannot be kept: {fault}")
    return given


def _encoder(form: FormData, service: Service) -> str:
    """The encoder that an empty index shall take; "" leaves the one that it has. Raises Problem 422."""
    name = str(form.get("encoder") or "")
    if name and not (service.plan.page and name in offered_encoders()):
        raise Problem(422, "Unknown encoder", f"{name[:100]!r} cannot be chosen here: GET /encoders lists what can")
    return name


def _received(files: JobFiles, uploads: list[UploadFile]) -> Path:
    """The uploaded files in a folder of their own. Raises Problem 422 for a name that cannot be one."""
    # Browsers write a quotation mark in a form's file name as %22, by the rules of HTML.
    names = [refuse_name((one.filename or "").replace("%22", '"')) for one in uploads]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise Problem(422, "Bad file name", f"two files are named {str(twice)!r}: send one of them under another")
    folder = files.incoming()
    try:
        for name, one in zip(names, uploads, strict=True):
            place = folder / name
            place.parent.mkdir(parents=True, exist_ok=True)
            with place.open("xb") as target:
                shutil.copyfileobj(one.file, target)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return folder
