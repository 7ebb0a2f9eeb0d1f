"""`pagesight audit`: compares the candidates of an index's search with exhaustive search, and says what to set."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pagesight.agent.terminal import eval_tables, options, printing, progress_bars
from pagesight.agent.terminal.options import existing_index, open_index, settings_of


def audit(
    context: typer.Context,
    index: options.Index = None,
    questions: Annotated[
        str | None,
        typer.Option(
            "--questions", metavar="SOURCE",
            help="A text file with a question on each line, or what `eval retrieval` reads; by default they are made "
            "from the index's own pages.",
        ),
    ] = None,
    sample: Annotated[int, typer.Option("--sample", min=1, help="Questions to make, or to take of those given.")] = 50,
    recall: Annotated[
        float, typer.Option("--recall", min=0.0, max=1.0, help="The recall of the five best pages that is wanted.")
    ] = 0.95,
    trust_scripts: options.TrustScripts = False,
    verbose: options.Verbose = False,
    as_json: options.Json = False,
) -> None:  # fmt: skip
    """Find out what the HNSW candidates lose.

    Prints how many of the pages that exhaustive search ranks best are among the candidates, what both cost, and the
    settings that would reach a wanted recall. Made from the index's own pages, questions need no model.
    """
    settings = settings_of(trust_scripts=trust_scripts)
    place = existing_index(context, index)
    asked = _questions(questions)[:sample] if questions else []
    with (
        open_index(place, settings) as opened,
        progress_bars.count_bar("searches") as progress,
    ):
        found = opened.audit(asked, sample=sample, wanted=recall, progress=progress)
    if as_json:
        printing.write_json(found.as_dict())
    else:
        eval_tables.audited(found)


def _questions(source: str) -> list[str]:
    """The questions of a text file, or of a collection. Raises QuestionsError."""
    from pagesight.indexing.errors import QuestionsError
    from pagesight.indexing.evaluate.collections import load_collection

    path = Path(source).expanduser()
    if path.suffix != ".txt":
        found = load_collection(source, Path(f"evaluation-{path.name}") / "pictures").questions
        return [question.text for question in found]
    if not path.is_file():
        raise QuestionsError(f"there is no file {path}: name a text file with a question on each line.")
    lines = [line.strip() for line in path.read_text(encoding="utf-8", errors="replace").splitlines()]
    if not any(lines):
        raise QuestionsError(f"{path} holds no questions: write one on each line.")
    return [line for line in lines if line]
