"""`/agui`: the same question and answer in the events of AG-UI, the protocol of chats in a page (docs.ag-ui.com).

The conversation is the token's thread of that name, which the service keeps: of the messages that a client sends along,
the last one of the user is the question. What is special to us goes as CUSTOM events and as the run's result.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing
from typing import Any
from uuid import uuid4

from ag_ui import core
from ag_ui.encoder import EventEncoder
from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from sse_starlette import EventSourceResponse

from pagesight.agent.answers.answer import Answer
from pagesight.agent.run.steps import Step
from pagesight.agent.servers.access import Asker
from pagesight.agent.servers.ask_routes import PING, SEND_SECONDS, how_to_answer
from pagesight.agent.servers.problems import Problem, problem_of
from pagesight.agent.servers.question_loop import Waiting
from pagesight.agent.servers.replies import answer_reply
from pagesight.agent.servers.schemas import AskRequest
from pagesight.agent.servers.service import Service

router = APIRouter()


@router.post("/agui", response_class=Response, responses={200: {"content": {"text/event-stream": {}}}})
async def run_agent(asked: core.RunAgentInput, request: Request, token: Asker) -> Response:
    """Answers the last message of the user, in AG-UI's events.

    `forwardedProps` may have `documents`, `where`, `effort`, `dollars`, `pages`, `verify` and `offline`, as
    `POST /ask` has them. A draft that went back to be corrected is a message of its own, which the `MESSAGES_SNAPSHOT`
    at the end leaves out. The checked answer is the result of `RUN_FINISHED`.
    """
    service: Service = request.app.state.service
    wanted = _as_question(asked)
    context = {"documents": wanted.documents, "where": wanted.where}
    how = how_to_answer(wanted)
    items = service.ask(token, wanted.question, asked.thread_id, context, how)
    first = await anext(items)  # what the request itself is refused for has its status
    encoder = EventEncoder()

    async def encoded() -> AsyncIterator[bytes]:
        async with aclosing(_events(_Told(asked, token.sees_all), first, items)) as events:
            async for event in events:
                yield encoder.encode(event).encode()

    return EventSourceResponse(encoded(), ping=PING, send_timeout=SEND_SECONDS, headers={"Cache-Control": "no-store"})


def _as_question(asked: core.RunAgentInput) -> AskRequest:
    """The question, and what narrows it. Raises Problem 422, and what a body that does not fit raises."""
    last = next((message for message in reversed(asked.messages) if message.role == "user"), None)
    if last is None:
        raise Problem(422, "Empty question", "there is no message of a user: ask something about the documents")
    parts = [last.content] if isinstance(last.content, str) else last.content
    texts = [part if isinstance(part, str) else getattr(part, "text", None) for part in parts]
    if None in texts:
        raise Problem(422, "Not a text", "a question is text here: add pictures and files with POST /documents")
    given = asked.forwarded_props if isinstance(asked.forwarded_props, dict) else {}
    wanted = ("documents", "where", "effort", "dollars", "verify", "offline")
    known = {name: given[name] for name in wanted if name in given}
    try:
        return AskRequest(question="\n".join(map(str, texts)), thread_id=asked.thread_id, **known)
    except ValidationError as error:
        raise RequestValidationError(error.errors()) from error


async def _events(told: _Told, first: Any, items: AsyncGenerator[Any, None]) -> AsyncGenerator[core.BaseEvent, None]:
    """The events of a run; closing it ends the run."""
    async with aclosing(items):
        yield core.RunStartedEvent(thread_id=told.asked.thread_id, run_id=told.asked.run_id)
        try:
            for event in told.of(first):
                yield event
            async for item in items:
                for event in told.of(item):
                    yield event
        except Exception as error:  # noqa: BLE001 (the reply has begun: what it is goes on in it)
            problem = problem_of(error, sees_all=told.sees_all)
            for event in told.ended():
                yield event
            yield core.RunErrorEvent(message=problem.detail, code=str(problem.as_dict()["type"]))


class _Told:
    """What was told so far: the message that is open, and when the run began."""

    def __init__(self, asked: core.RunAgentInput, sees_all: bool) -> None:
        self.asked, self.sees_all = asked, sees_all
        self._message = ""
        self._started = time.monotonic()

    def of(self, item: Any) -> Iterator[core.BaseEvent]:
        """The events for one item of a run."""
        if isinstance(item, Waiting):
            if item.position:
                yield core.CustomEvent(name="waiting", value={"position": item.position})
        elif isinstance(item, str):
            yield from self._piece(item)
        elif isinstance(item, Step):
            yield from self._step(item)
        else:
            yield from self._answered(item)

    def ended(self) -> Iterator[core.BaseEvent]:
        """The end of the message that is open, if one is."""
        if self._message:
            yield core.TextMessageEndEvent(message_id=self._message)
        self._message = ""

    def _piece(self, text: str) -> Iterator[core.BaseEvent]:
        if not self._message:
            self._message = uuid4().hex
            yield core.TextMessageStartEvent(message_id=self._message, role="assistant")
        yield core.TextMessageContentEvent(message_id=self._message, delta=text)

    def _step(self, step: Step) -> Iterator[core.BaseEvent]:
        if self._message and step.kind in ("aside", "correct"):
            yield core.CustomEvent(name="draft", value={"messageId": self._message, "why": step.text})
        if step.kind != "cut":
            yield from self.ended()
        yield core.StepStartedEvent(step_name=step.text)
        yield core.StepFinishedEvent(step_name=step.text)

    def _answered(self, answer: Answer) -> Iterator[core.BaseEvent]:
        message = self._message or uuid4().hex
        yield from self.ended()
        said = core.AssistantMessage(id=message, content=answer.text)
        yield core.MessagesSnapshotEvent(messages=[*self.asked.messages, said])
        reply = answer_reply(answer, self.asked.thread_id, time.monotonic() - self._started)
        yield core.RunFinishedEvent(
            thread_id=self.asked.thread_id, run_id=self.asked.run_id, result=reply.model_dump(mode="json")
        )
