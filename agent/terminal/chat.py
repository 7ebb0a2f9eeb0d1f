"""`pagesight chat`: question after question in one conversation, in the terminal."""

from __future__ import annotations

import asyncio
from contextlib import closing
from typing import TYPE_CHECKING, Any

from pagesight.agent.answers.answer import Answer
from pagesight.agent.reasoners.choose import choose_reasoner
from pagesight.agent.reports.cited_pages import picture_path, write_pictures
from pagesight.agent.run.steps import Step
from pagesight.agent.terminal import answering, chat_commands, printing
from pagesight.agent.terminal.line_editor import HISTORY, LineReader
from pagesight.agent.terminal.session import Session
from pagesight.agent.terminal.threads import Threads
from pagesight.agent.terminal.thumbnails import Thumbnails
from pagesight.indexing.errors import PagesightError
from pagesight.indexing.highlight.best_places import best_boxes, regions

if TYPE_CHECKING:
    from PIL import Image

    from pagesight.indexing import PageIndex
    from pagesight.indexing.settings import Settings

_SIDE_OF_A_THUMBNAIL = 800  # pixels


def converse(
    index: PageIndex, settings: Settings, *, resume: bool = False, pictures: bool = True, **options: Any
) -> None:
    """Reads lines until the input ends: each is a command or a question. ``options`` are those of `Session`.

    What fails is said, and the chat goes on. Raises what making the agent raises, and PageIndexError when conversations
    cannot be kept.
    """
    with asyncio.Runner() as runner, Threads.kept_in(index.path, runner) as threads:
        session = Session(index, threads, runner, settings, **options)
        thumbnails = Thumbnails(printing.console(), wanted=pictures)
        lines = LineReader(index.path / HISTORY, list(chat_commands.COMMANDS), session.names)
        answering.reasoner(choose_reasoner(session.model, settings))
        printing.note("Ask about the documents. /help lists commands, Ctrl-C stops an answer, Ctrl-D ends the chat.")
        if resume:
            _take(session, "/resume", thumbnails)
        while _turn(session, lines, thumbnails):
            pass


def _turn(session: Session, lines: LineReader, thumbnails: Thumbnails) -> bool:
    """Reads one line and does what it says; returns whether the chat goes on."""
    printing.gap()
    try:
        line = lines.next(f"{', '.join(session.documents)}> ")
    except KeyboardInterrupt:
        printing.note("/quit or Ctrl-D ends the chat")
        return True
    return line is not None and _take(session, line, thumbnails)


def _take(session: Session, line: str, thumbnails: Thumbnails) -> bool:
    try:
        if command := chat_commands.as_command(line):
            return chat_commands.run(command, session, thumbnails)
        if line:
            _ask_and_print(session, line, thumbnails)
    except KeyboardInterrupt:
        printing.note("\nstopped")
    except (PagesightError, OSError) as error:
        printing.error(str(error))
    return True


def _ask_and_print(session: Session, question: str, thumbnails: Thumbnails) -> None:
    flow = answering.answer_writer(
        session.index.printed_labels(), lambda label: picture_path(session.folder, label).as_uri()
    )

    def show(step: Step) -> None:
        if thumbnails and step.pages:
            _show(session, step, question, thumbnails)

    with session.costs() as costs, closing(session.ask(question, costs)) as events:
        answer: Answer = answering.followed(events, flow, show)
        costs.answer = answer
    write_pictures(session.index, answer, question, session.folder)
    answering.claims(answer)
    answering.cited(answer, session.link)


def _show(session: Session, step: Step, question: str, thumbnails: Thumbnails) -> None:
    """What a step looked at, each page once in a chat; one that cannot be rendered any more is left out."""
    pictures = []
    for label in thumbnails.not_shown_yet(step.pages):
        try:
            pictures.append(_best_part(session.index, label, question))
        except (PagesightError, OSError) as error:
            printing.note(f"{label}: {error}")
    thumbnails.show(pictures)


def _best_part(index: PageIndex, label: str, question: str) -> Image.Image:
    """The part of a page that fits the question best, or the page where none stands out."""
    ref = index.page(label)
    page = index.multivector(ref)
    places = regions(best_boxes(index.query_vectors(question), page.vectors, page.boxes))
    return index.picture(ref, region=places[0] if places else None, long_side=_SIDE_OF_A_THUMBNAIL)
