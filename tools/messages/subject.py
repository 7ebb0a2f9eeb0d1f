"""Which document a conversation is about when its next question comes: what the searches for that one lean to."""

from __future__ import annotations

from pagesight.indexing.lexical.document_prior import Subject
from pagesight.tools.messages.conversation import Conversation
from pagesight.tools.messages.question import Question


def subject_of(conversation: Conversation) -> Subject | None:
    """The one document of the last question before this that pages were looked at for.

    None where there is no such question, or where it was about several documents.
    """
    for question in reversed(conversation.questions[:-1]):
        if documents := _documents(question):
            return Subject(documents.pop(), conversation.asked[-1]) if len(documents) == 1 else None
    return None


def _documents(question: Question) -> set[str]:
    """The ids of the documents that its answer names of those looked at; of all of these where it names none."""
    seen = [view.ref for reply in question.replies for view in reply.seen]
    answer = question.model_messages[-1].text if question.model_messages else ""
    return {ref.document_id for ref in seen if ref.document in answer} or {ref.document_id for ref in seen}
