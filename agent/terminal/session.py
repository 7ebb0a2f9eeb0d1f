"""What a chat goes on with: the index, who answers, over which documents, in which conversation. Prints nothing."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pagesight.agent.answers.agent_limits import limits_of
from pagesight.agent.answers.answer import Answer
from pagesight.agent.answers.question_costs import QuestionCosts
from pagesight.agent.asking import astream
from pagesight.agent.graph import create_page_agent
from pagesight.agent.reports.cited_pages import picture_path, write_pictures
from pagesight.agent.reports.turns import Turn, turns
from pagesight.agent.run.run import HowToAsk
from pagesight.agent.run.steps import Step
from pagesight.agent.terminal.interruptible import follow
from pagesight.agent.terminal.threads import Threads
from pagesight.agent.threads.kept_threads import FILE, storage_errors
from pagesight.indexing.errors import RequestError

if TYPE_CHECKING:
    from pagesight.indexing import PageIndex
    from pagesight.indexing.settings import Settings


@dataclass
class Session:
    """A chat in progress; ``model`` is as for `create_page_agent`.

    ``documents`` narrows it by name, path, id or pattern, ``where`` by metadata; ``images`` go along with the next
    question. Raises what `create_page_agent`
    raises, when it is made and in `narrow` and `take_model`, which then change nothing.
    """

    index: PageIndex
    threads: Threads
    runner: asyncio.Runner
    settings: Settings
    transport: str | None = None
    documents: list[str] = field(default_factory=list)
    where: str | None = None
    model: str | None = None
    thread: str = field(default_factory=lambda: uuid.uuid4().hex)
    images: list[Path] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._agent = self._make_agent(self.documents, self.model)

    @property
    def reasoner(self) -> str:
        """The name of who answers."""
        return limits_of(self._agent).reasoner

    def names(self) -> list[str]:
        """The names of all documents in the index."""
        return [record.document for record in self.index.documents()]

    def link(self, label: str) -> str | None:
        """The address that opens a page: its picture with what is cited marked, or the page in its document."""
        picture = picture_path(self.folder, label)
        if picture.exists():
            return picture.as_uri()
        try:
            page = self.index.page(label)
        except RequestError:
            return None
        return f"{Path(self.index.document(page.document).path).as_uri()}#page={page.page}"

    @property
    def folder(self) -> Path:
        """Where the pictures of cited pages are written."""
        return self.index.path / "evidence"

    def costs(self) -> QuestionCosts:
        """What notes the next question in the index's ledger."""
        return QuestionCosts(self.index.path, "chat", self.reasoner, self.settings.budget.prices)

    def ask(self, question: str, costs: QuestionCosts) -> Generator[Step | str | Answer, None, None]:
        """What `stream` yields for the next question; Ctrl-C ends it at once. Raises as `stream` does."""
        how: HowToAsk = {"thread_id": self.thread, "config": {"callbacks": [costs]}, "images": self.images}
        self.images = []
        with storage_errors(self.index.path / FILE):
            yield from follow(self.runner, astream(self._agent, question, **how))

    def turns(self) -> list[Turn]:
        """The questions and answers of this conversation so far."""
        return turns(self.threads.messages(self.thread), limits_of(self._agent))

    def narrow(self, names: Sequence[str]) -> None:
        """Keeps to these documents, by name, path, id or pattern; to all with none. Raises UnknownDocument."""
        documents = list(names)
        self._agent = self._make_agent(documents, self.model)
        self.documents = documents

    def take_model(self, model: str) -> None:
        """Lets another model answer from now on; the conversation goes on."""
        self._agent = self._make_agent(self.documents, model)
        self.model = model

    def start(self, thread: str | None = None) -> None:
        """Goes on with a kept conversation, or begins a new one. Raises PageIndexError when it cannot be opened."""
        if thread:
            self.threads.messages(thread)
        self.thread = thread or uuid.uuid4().hex

    def last_answered(self) -> Turn | None:
        """The last question that has an answer."""
        return next((turn for turn in reversed(self.turns()) if turn.answer), None)

    def pages(self) -> list[str]:
        """The labels of the last answer's pages: cited first, then looked at, then found."""
        turn = self.last_answered()
        return pages_of(turn.answer) if turn and turn.answer else []

    def picture(self, label: str) -> Path:
        """A new picture of a page, with what the last answer cites of it marked. Raises UnknownPage and SourceError."""
        turn = self.last_answered()
        if turn and turn.answer:
            return write_pictures(self.index, turn.answer, turn.question, self.folder, labels=[label])[label]
        return self.index.evidence(self.index.page(label), picture_path(self.folder, label))

    def _make_agent(self, documents: Sequence[str], model: str | None) -> Any:
        return create_page_agent(
            self.index, model=model, transport=self.transport, checkpointer=self.threads.saver,
            documents=documents or None, where=self.where, settings=self.settings,
        )  # fmt: skip


def pages_of(answer: Answer) -> list[str]:
    """The labels of an answer's pages: cited first, then looked at, then found."""
    cited = [citation.label for citation in answer.citations]
    return list(dict.fromkeys([*cited, *answer.pages_viewed, *(hit.label for hit in answer.hits)]))
