"""The commands of a chat, each a line that begins with a slash: what it is called, what it does, what it prints."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PIL.Image import open as open_image

from pagesight.agent.terminal import answering, costs_of_encoding, printing, progress_bars, results
from pagesight.agent.terminal.desktop import open_outside
from pagesight.indexing.errors import RequestError
from pagesight.indexing.labels.page_numbers import whole_number
from pagesight.indexing.ranking.picture_question import opened_picture

if TYPE_CHECKING:
    from pagesight.agent.terminal.session import Session
    from pagesight.agent.terminal.thumbnails import Thumbnails

_ROWS_OF_A_PAGE = 40


@dataclass(frozen=True)
class ChatCommand:
    """A command: the argument it takes, in words, what it does in one line, and the function that does it."""

    argument: str
    help: str
    run: Callable[[Session, str, Thumbnails], None]


def run(line: str, session: Session, thumbnails: Thumbnails) -> bool:
    """Runs the command of a line, by its name or what it begins with; returns whether the chat goes on.

    Raises RequestError when there is none of that name, and what the command raises.
    """
    name, _, argument = line.partition(" ")
    fitting = [known for known in COMMANDS if known.startswith(name)] if name not in COMMANDS else [name]
    if len(fitting) != 1:
        meant = f"did you mean {' or '.join(fitting)}?" if fitting else "/help lists the commands"
        raise RequestError(f"there is no command {name}: {meant}")
    COMMANDS[fitting[0]].run(session, argument.strip(), thumbnails)
    return fitting[0] != "/quit"


def _documents(session: Session, argument: str, thumbnails: Thumbnails) -> None:
    results.documents(session.index.documents())
    if session.documents:
        printing.note(f"this chat keeps to {', '.join(session.documents)}; /document alone opens it to all")


def _pages(session: Session, argument: str, thumbnails: Thumbnails) -> None:
    turn = session.last_answered()
    if turn and turn.answer:
        answering.pages(turn.answer, session.pages(), session.link)
    else:
        printing.note("no answer yet")


def _open(session: Session, argument: str, thumbnails: Thumbnails) -> None:
    pages = session.pages()
    number = whole_number(argument or "1")
    if argument and number is not None and not 1 <= number <= len(pages):
        raise RequestError(f"there is no page {argument} in the last answer: /pages lists its {len(pages)}")
    if not argument and not pages:
        raise RequestError("no page to open yet: name one, such as /open report.pdf p. 3")
    label = argument.strip("[]") if number is None else pages[number - 1]
    path = session.picture(label)
    with open_image(path) as picture:
        thumbnails.show([picture], _ROWS_OF_A_PAGE)
    printing.write(f"{printing.short(path)}\n")
    open_outside(path)


def _index(session: Session, argument: str, thumbnails: Thumbnails) -> None:
    if not argument:
        raise RequestError("name files or folders: /index PATH")
    whole = Path(argument).expanduser()
    paths = [whole] if whole.exists() else [Path(one).expanduser() for one in _words(argument)]
    with progress_bars.pages_bar() as progress:
        approve = partial(costs_of_encoding.ask, session.index, yes=False)
        report = session.index.add(paths, progress=progress, opened=progress, approve=approve)
    results.added(report, session.index.encoder_names)


def _image(session: Session, argument: str, thumbnails: Thumbnails) -> None:
    if not argument:
        session.images = []
        printing.note("no image goes along with the next question")
        return
    whole = Path(argument).expanduser()
    paths = [whole] if whole.exists() else [Path(one).expanduser() for one in _words(argument)]
    for path in paths:
        opened_picture(path)
    session.images += paths
    printing.note(f"with the next question: {', '.join(path.name for path in session.images)}")


def _document(session: Session, argument: str, thumbnails: Thumbnails) -> None:
    names = {record.document for record in session.index.documents()}
    session.narrow([argument] if argument in names else _words(argument))
    printing.note(
        f"this chat keeps to {', '.join(session.documents)}" if session.documents else "open to all documents"
    )


def _cost(session: Session, argument: str, thumbnails: Thumbnails) -> None:
    answers = [turn.answer for turn in session.turns() if turn.answer]
    if not answers:
        printing.note("no answer yet")
        return
    answering.usage("last answer", [answers[-1].usage])
    answering.usage(f"this conversation, {len(answers)} answered", [answer.usage for answer in answers])


def _threads(session: Session, argument: str, thumbnails: Thumbnails) -> None:
    answering.threads(session.threads.newest(), session.thread)


def _resume(session: Session, argument: str, thumbnails: Thumbnails) -> None:
    kept = session.threads.newest()
    others = [thread for thread in kept if thread.id != session.thread]
    if not others and not argument:
        raise RequestError("no other conversation is kept")
    number = whole_number(argument)
    if argument and (number is None or not 1 <= number <= len(kept)):
        raise RequestError(f"there is no conversation {argument}: /threads lists them by number")
    session.start(others[0].id if number is None else kept[number - 1].id)
    for turn in session.turns():
        answering.turn(turn, answering.answer_writer(session.index.printed_labels(), session.link))
    printing.note("the conversation goes on from here")


def _new(session: Session, argument: str, thumbnails: Thumbnails) -> None:
    session.start()
    printing.note("a new conversation")


def _export(session: Session, argument: str, thumbnails: Thumbnails) -> None:
    from pagesight.agent.reports.html_report import write_html
    from pagesight.agent.reports.markdown_report import write_markdown

    path = Path(argument).expanduser()
    if path.suffix not in (".md", ".html") or path.exists():
        problem = f"{argument} is there already" if path.exists() else "it becomes Markdown or a web page"
        raise RequestError(f"{problem}: name a new file, /export FILE.md or /export FILE.html")
    turns = [turn for turn in session.turns() if turn.answer]
    if not turns:
        raise RequestError("there is no answer to export yet")
    if path.suffix == ".html":
        write_html(path, session.index, turns)
    else:
        write_markdown(path, session.index, turns)
    printing.note(f"written: {printing.short(path)}")


def _model(session: Session, argument: str, thumbnails: Thumbnails) -> None:
    if argument:
        session.take_model(argument)
    printing.note(f"reasoner: {session.reasoner}")


def _help(session: Session, argument: str, thumbnails: Thumbnails) -> None:
    answering.commands([(f"{name} {one.argument}".strip(), one.help) for name, one in COMMANDS.items()])


def _quit(session: Session, argument: str, thumbnails: Thumbnails) -> None:
    """Nothing to do: `run` says that the chat ends."""


def _words(argument: str) -> list[str]:
    try:
        return shlex.split(argument)
    except ValueError as error:
        raise RequestError(f"{argument} cannot be read ({error}): put names with spaces in quotes") from error


COMMANDS = {
    "/documents": ChatCommand("", "the documents in the index", _documents),
    "/pages": ChatCommand("", "the pages behind the last answer", _pages),
    "/open": ChatCommand("[N]", "show a page of the last answer, or one by its label", _open),
    "/index": ChatCommand("PATH", "add a file or folder to the index", _index),
    "/image": ChatCommand("[FILE]", "ask the next question about this picture, too; without a name about none", _image),
    "/document": ChatCommand("[NAME…]", "keep to these documents; without a name to none in particular", _document),
    "/model": ChatCommand("[NAME]", "who answers; with a name, another from now on", _model),
    "/cost": ChatCommand("", "tokens and, where the price is known, dollars", _cost),
    "/threads": ChatCommand("", "the conversations that are kept", _threads),
    "/resume": ChatCommand("[N]", "go on with a kept conversation, by default the last one", _resume),
    "/new": ChatCommand("", "begin a new conversation", _new),
    "/export": ChatCommand("FILE", "write the conversation to FILE.md or FILE.html", _export),
    "/help": ChatCommand("", "this list", _help),
    "/quit": ChatCommand("", "end; so do exit and Ctrl-D", _quit),
}

#: What people type who do not know of the slash, alone on a line: no question about documents is one of these words.
_BARE = {"help": "/help", "?": "/help", "exit": "/quit", "quit": "/quit", "/exit": "/quit"}


def as_command(line: str) -> str | None:
    """The line as a command, where it is one; None for a question."""
    bare = _BARE.get(line.lower())
    return bare or (line if line.startswith("/") else None)
