"""Our own objects as the replies of `schemas`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pagesight.agent.servers.answer_schemas import AnswerReply, ThreadReply, TurnReply
from pagesight.agent.servers.jobs import document_row
from pagesight.agent.servers.schemas import DocumentReply

if TYPE_CHECKING:
    from pagesight.agent.answers.answer import Answer
    from pagesight.agent.reports.turns import Turn
    from pagesight.agent.threads.kept_threads import Thread
    from pagesight.indexing.pages import DocumentRecord


_LONGEST_QUESTION = 200  # letters, in a list


def answer_reply(answer: Answer, thread_id: str, seconds: float | None = None) -> AnswerReply:
    """An answer, as ``ask --json`` has it and more."""
    row: dict[str, Any] = {
        **answer.as_dict(),
        "unverified": [one.as_dict() for one in answer.unverified],
        "hits": [hit.as_dict() for hit in answer.hits],
        "question": answer.question,
        "thread_id": thread_id,
        "run_id": answer.run_id,
        "seconds": None if seconds is None else round(seconds, 3),
    }
    return AnswerReply.model_validate(row)


def document_reply(record: DocumentRecord) -> DocumentReply:
    """A document."""
    return DocumentReply.model_validate(document_row(record))


def thread_reply(thread: Thread) -> ThreadReply:
    """A conversation in a list."""
    return ThreadReply(
        thread_id=thread.id, title=thread.title, questions=thread.questions, last=thread.last.isoformat(),
        asked=[one[:_LONGEST_QUESTION] for one in thread.asked],
    )  # fmt: skip


def turn_reply(turn: Turn, thread_id: str) -> TurnReply:
    """A question of a conversation."""
    answer = answer_reply(turn.answer, thread_id) if turn.answer else None
    return TurnReply(question=turn.question, steps=turn.steps, answer=answer)
