"""`/ask`: a question and its answer, in JSON or as it comes; `/threads`: the token's conversations."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import fields
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from sse_starlette import EventSourceResponse, ServerSentEvent

from pagesight.agent.answers.answer import Answer
from pagesight.agent.run.steps import Step
from pagesight.agent.servers.access import Asker
from pagesight.agent.servers.answer_schemas import AnswerReply, ConversationReply, ThreadsReply
from pagesight.agent.servers.problems import Problem, problem_of
from pagesight.agent.servers.question_loop import Waiting
from pagesight.agent.servers.replies import answer_reply, thread_reply, turn_reply
from pagesight.agent.servers.schemas import AskRequest
from pagesight.agent.servers.service import Branch, HowToAnswer, Service

#: Seconds between two signs of life in a stream, and that a client may take for an event: guesses, not measured.
PING, SEND_SECONDS = 15, 30.0
EVENTS = "text/event-stream"
_STREAM_EXAMPLE = (
    'event: start\ndata: {"thread_id": "8d0c4a"}\n\n'
    'event: step\ndata: {"kind": "search", "text": "searched \\"net revenue\\" → 5 pages", "pages": []}\n\n'
    'event: piece\ndata: {"text": "Net revenue rose to 4.2 billion euros "}\n\n'
    'event: answer\ndata: {"answer": "Net revenue rose to 4.2 billion euros [annual-report.pdf p. 5].", "…": "…"}\n\n'
    'event: usage\ndata: {"input_tokens": 11250, "output_tokens": 240, "cost": 0.0093, "seconds": 4.2}\n\n'
)

router = APIRouter()


@router.post(
    "/ask",
    response_model=AnswerReply,
    responses={200: {"content": {EVENTS: {"example": _STREAM_EXAMPLE, "schema": {"type": "string"}}}}},
)
async def ask(asked: AskRequest, request: Request, token: Asker) -> Any:
    """Answers a question, citing pages that were looked at.

    With `Accept: text/event-stream` the reply is events: `start`, `waiting` (its place among those that wait),
    `step`, `piece` (of the answer's text), `draft` (what the pieces so far were: no answer yet, begin anew), `answer`
    (checked, as the JSON reply), `usage`; or `error`, a problem. Who hangs up ends the run.
    """
    service: Service = request.app.state.service
    thread = asked.thread_id or uuid.uuid4().hex
    context = {"documents": asked.documents, "where": asked.where}
    how = how_to_answer(asked)
    branch = Branch(asked.instead_of.thread_id, asked.instead_of.question) if asked.instead_of else None
    items = service.ask(token, asked.question, thread, context, how, branch)
    started = time.monotonic()
    first = await anext(items)  # what the request itself is refused for has its status
    if EVENTS in request.headers.get("accept", ""):
        events = _events(first, items, thread, started, token.sees_all)
        return EventSourceResponse(events, ping=PING, send_timeout=SEND_SECONDS, headers={"Cache-Control": "no-store"})
    answer = await _unless_gone(request, _last(items))
    return answer_reply(answer, thread, time.monotonic() - started)


@router.get("/threads")
async def threads(request: Request, token: Asker, limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> ThreadsReply:
    """The token's conversations, the last asked first."""
    service: Service = request.app.state.service
    return ThreadsReply(threads=[thread_reply(one) for one in await service.conversations(token, limit)])


@router.get("/threads/{thread_id}")
async def read_thread(thread_id: str, request: Request, token: Asker) -> ConversationReply:
    """A conversation, from its beginning: each question with its steps and its answer."""
    service: Service = request.app.state.service
    said = await service.conversation(token, thread_id)
    turns = await asyncio.to_thread(lambda: [turn_reply(turn, thread_id) for turn in said])
    return ConversationReply(thread_id=thread_id, turns=turns)


@router.delete("/threads/{thread_id}", status_code=204)
async def delete_thread(thread_id: str, request: Request, token: Asker) -> Response:
    """Deletes a conversation."""
    service: Service = request.app.state.service
    await service.forget(token, thread_id)
    return Response(status_code=204)


def how_to_answer(asked: AskRequest) -> HowToAnswer:
    """What a request says of how it wants its answer."""
    return HowToAnswer(**{one.name: getattr(asked, one.name) for one in fields(HowToAnswer)})


async def _events(
    first: Any, items: AsyncGenerator[Any, None], thread: str, started: float, sees_all: bool
) -> AsyncIterator[ServerSentEvent]:
    """The events of a run; closing it ends the run."""
    draft = ""
    async with aclosing(items):
        yield _event("start", {"thread_id": thread})
        try:
            async for item in _with_first(first, items):
                if isinstance(item, Step) and draft and item.kind in ("aside", "correct"):
                    yield _event("draft", {"text": draft, "why": item.text})
                draft = _draft_after(draft, item)
                for event in _told(item, thread, started):
                    yield event
        except Exception as error:  # noqa: BLE001 (the reply has begun: what it is goes on in it)
            yield _event("error", problem_of(error, sees_all=sees_all).as_dict())


def _draft_after(draft: str, item: Any) -> str:
    """The pieces that may still turn out to be no answer."""
    if isinstance(item, str):
        return draft + item
    return draft if isinstance(item, Step) and item.kind == "cut" else ""


def _told(item: Any, thread: str, started: float) -> list[ServerSentEvent]:
    if isinstance(item, Waiting):
        return [_event("waiting", {"position": item.position})] if item.position else []
    if isinstance(item, Step):
        return [_event("step", {"kind": item.kind, "text": item.text, "pages": list(item.pages)})]
    if isinstance(item, str):
        return [_event("piece", {"text": item})]
    seconds = time.monotonic() - started
    answer = answer_reply(item, thread, seconds)
    usage = {**item.usage, "seconds": round(seconds, 3)}
    return [ServerSentEvent(answer.model_dump_json(), event="answer"), _event("usage", usage)]


def _event(name: str, data: dict[str, Any]) -> ServerSentEvent:
    return ServerSentEvent(json.dumps(data, ensure_ascii=False), event=name)


async def _with_first(first: Any, items: AsyncIterator[Any]) -> AsyncIterator[Any]:
    yield first
    async for item in items:
        yield item


async def _last(items: AsyncGenerator[Any, None]) -> Answer:
    async with aclosing(items):
        answers = [item async for item in items if isinstance(item, Answer)]
    return answers[-1]  # a run ends with it, or raises


async def _unless_gone(request: Request, work: Any) -> Answer:
    """What the work gives. Who hangs up ends it: then nobody reads what is raised, Problem 499 as some servers say."""
    task: asyncio.Task[Answer] = asyncio.create_task(work)
    gone = asyncio.create_task(_gone(request))
    try:
        await asyncio.wait((task, gone), return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise Problem(499, "Client gone", "nobody waits for this answer any more")
        return task.result()
    finally:
        task.cancel()
        gone.cancel()


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
