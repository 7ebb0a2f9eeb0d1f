"""`pagesight ask`: one question, its steps and its answer in the terminal, pictures of the cited pages and a report."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pagesight.agent.asking import astream
from pagesight.agent.graph import create_page_agent
from pagesight.agent.reasoners.choose import choose_reasoner
from pagesight.agent.reports.cited_pages import picture_path, write_pictures
from pagesight.agent.reports.html_report import write_html
from pagesight.agent.reports.turns import Turn
from pagesight.agent.terminal import answering
from pagesight.agent.terminal.interruptible import follow

if TYPE_CHECKING:
    from pagesight.agent.answers.answer import Answer
    from pagesight.agent.answers.question_costs import QuestionCosts
    from pagesight.indexing import PageIndex
    from pagesight.indexing.settings import Settings


def answer_once(
    index: PageIndex, question: str, settings: Settings, costs: QuestionCosts, *, model: str | None,
    pictures: Path | None, report: Path | None, quiet: bool, images: Sequence[Path] = (), **options: Any,
) -> tuple[Answer, dict[str, Path]]:  # fmt: skip
    """The answer to a question, and the pictures of its cited pages in the folder ``pictures``, if there is one.

    ``images`` go along with it. What it takes is told to ``costs``. Prints the steps, and the answer unless ``quiet``;
    writes the ``report``.
    ``options`` are those of `create_page_agent`. Ctrl-C ends it at once. Raises what `ask`, `write_pictures` and
    `write_html` raise.
    """
    agent = create_page_agent(index, settings=settings, **options)
    answering.reasoner(choose_reasoner(model, settings))
    folder = pictures.resolve() if pictures else None
    flow = answering.answer_writer(
        index.printed_labels(), lambda label: picture_path(folder, label).as_uri() if folder else None
    )
    steps: list[str] = []
    with asyncio.Runner() as runner:
        events = follow(runner, astream(agent, question, images=images, config={"callbacks": [costs]}))
        answer = answering.followed(events, None if quiet else flow, lambda step: steps.append(step.text))
    costs.answer = answer
    written = write_pictures(index, answer, question, pictures) if pictures else {}
    if report:
        write_html(report, index, [Turn(question, steps, answer)])
    return answer, written
