"""A conversation as Markdown, with pictures of the cited pages in a folder beside it.

What documents and models say in it is inert: it links and shows nothing but those pictures.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from pagesight.agent.answers.claims.german_reasons import in_language_of
from pagesight.agent.reports.cited_pages import write_pictures
from pagesight.agent.reports.inert import inert
from pagesight.agent.reports.report_file import footer, write_report

if TYPE_CHECKING:
    from pagesight.agent.reports.turns import Turn
    from pagesight.indexing import PageIndex


def write_markdown(path: Path, index: PageIndex, turns: Sequence[Turn]) -> None:
    """Writes answered turns as Markdown; pictures of the cited pages lie in a folder beside it.

    Raises StorageFull and PageIndexError when it cannot be written.
    """
    parts = [_as_markdown(index, turn, path) for turn in turns if turn.answer]
    write_report(path, "<!-- pagesight -->\n\n" + "\n\n---\n\n".join(parts) + "\n")


def _as_markdown(index: PageIndex, turn: Turn, path: Path) -> str:
    assert turn.answer
    folder = path.with_name(f"{path.stem}-pages")
    pictures = write_pictures(index, turn.answer, turn.question, folder)
    sources = [f"- [{_plain(label)}](<{_address(picture)}>)" for label, picture in pictures.items()]
    sources = sources or [f"- looked at {_plain(label)}" for label in turn.answer.pages_viewed]
    steps = [f"{number}. {_plain(step)}" for number, step in enumerate(turn.steps, 1)]
    blocks = [f"# {_plain(turn.question)}", inert(turn.answer.text.strip()), "\n".join(["## Pages", "", *sources])]
    if turn.answer.claims:
        claims = [
            f"- {claim.mark} {_plain(claim.text)}: {_plain(in_language_of(turn.answer.text, claim.reason))}"
            for claim in turn.answer.claims
        ]
        blocks.append("\n".join(["## Claims", "", *claims]))
    blocks += ["\n".join(["## Steps", "", *steps]), _plain(footer(turn.answer))]
    return "\n\n".join(blocks)


def _address(picture: Path) -> str:
    return quote(f"{picture.parent.name}/{picture.name}", safe="/()+")


def _plain(text: str) -> str:
    """The text on one line, with what Markdown would read otherwise made plain."""
    return inert(re.sub(r"([\\`*_\[\]#|~$])", r"\\\1", " ".join(text.split())))
