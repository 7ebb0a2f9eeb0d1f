"""`pagesight sweep`: one small question of each document or page, and a table of cited and checked cells."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pagesight.agent.terminal import options, printing, progress_bars
from pagesight.agent.terminal.approval import approve
from pagesight.agent.terminal.options import existing_index, open_index, settings_of
from pagesight.agent.terminal.tables import print_listing

if TYPE_CHECKING:
    from pagesight.agent.sweeps.estimate import SweepEstimate
    from pagesight.agent.sweeps.swept import SweepTable

_By = Annotated[Literal["document", "page"], typer.Option("--by", help="Ask each document, or each page.")]
_Out = Annotated[
    Path | None, typer.Option("--out", metavar="FILE", help="Write the table to a .csv, .json or .html file, too.")
]
_Dollars = Annotated[
    float | None, typer.Option("--dollars", min=0, help="US dollars that this run may cost; then it ends.")
]
_TopK = Annotated[
    int | None,
    typer.Option("--top-k", min=1, max=20, help="Pages of each document that are looked at; 3 by default."),
]


def sweep(
    context: typer.Context,
    question: Annotated[str, typer.Argument(metavar="QUESTION", show_default=False)],
    index: options.Index = None,
    by: _By = "document",
    document: options.Documents = None,
    where: options.Where = None,
    model: options.Model = None,
    dollars: _Dollars = None,
    yes: Annotated[bool, typer.Option("--yes", help="Ask a paid model without asking you first.")] = False,
    out: _Out = None,
    top_k: _TopK = None,
    effort: options.Effort = None,
    batch: Annotated[bool, typer.Option("--batch", help="Ask Gemini in jobs: half the price, within a day.")] = False,
    concurrency: Annotated[int, typer.Option("--concurrency", min=1, max=64, help="Questions at a time.")] = 4,
    transport: options.Transport = None,
    pages_as: options.PagesAs = None,
    thinking: options.Thinking = None,
    trust_scripts: options.TrustScripts = False,
    verbose: options.Verbose = False,
    as_json: options.Json = False,
) -> None:
    """Ask one small question of each document, and make a table.

    Each cell is cited and checked; "none" where a document does not say it. What was answered is kept and not paid for
    again: run the same command after Ctrl-C, or with more documents. Exit status 1 if some failed or were not asked.
    """
    if out:
        from pagesight.agent.reports.sweep_files import check_suffix

        check_suffix(out)
    settings = settings_of(
        reasoner=model, pages_as=pages_as, effort=effort, thinking_level=thinking, trust_scripts=trust_scripts
    )  # fmt: skip
    with open_index(existing_index(context, index), settings) as opened:
        from pagesight.agent.sweeps.sweep import sweep as asked

        try:
            with progress_bars.count_bar(f"{by}s") as progress:
                table = asked(
                    opened, question, by=by, documents=document or None, where=where, model=model, dollars=dollars,
                    top_k=top_k, batch=batch, concurrency=concurrency, transport=transport, settings=settings,
                    approve=partial(_approval, yes=yes), progress=progress,
                )  # fmt: skip
        except KeyboardInterrupt:
            printing.note("stopped: what was answered is kept; run the same command to go on")
            raise
    _print(table, out, as_json=as_json)


def _print(table: SweepTable, out: Path | None, *, as_json: bool) -> None:
    if out:
        from pagesight.agent.reports.sweep_files import write_sweep

        write_sweep(out, table)
    if as_json:
        printing.write_json(table.as_dict())
    else:
        print_listing(
            {"document": "label", "": "label", "answer": "text", "page": "label"},
            [[_name(row.document, row.page), row.mark, row.cell, row.citation] for row in table.rows],
        )
        for row in table.rows:
            if row.state == "failed":
                printing.error(f"{_name(row.document, row.page)}: {row.reason}")
    printing.note(_summary(table, out))
    if not table.is_whole:
        raise typer.Exit(1)


def _name(document: str, page: int | None) -> str:
    return document if page is None else f"{document} p. {page}"


def _summary(table: SweepTable, out: Path | None) -> str:
    kept = sum(row.kept for row in table.rows)
    unasked, failed = table.count("not asked"), table.count("failed")
    told = [f"{table.count('answered')} answered", f"{table.count('none')} none"]
    told += [f"{failed} failed: run the same command to ask only them"] if failed else []
    told += [f"{unasked} not asked: the limit of dollars was reached"] if unasked else []
    told += [f"{kept} known from before"] if kept else []
    dollars = "price not known" if table.dollars is None else f"${table.dollars:.4f}"
    quoted = "no language model was used: each cell is the passage that fits best"
    told += [quoted if table.reasoner == "offline" else dollars, f"{table.seconds:.1f} s"]
    return ", ".join(told) + (f"; written to {printing.short(out)}" if out else "")


def _approval(estimate: SweepEstimate, *, yes: bool) -> None:
    if not estimate.in_jobs and estimate.takes_jobs:
        printing.note("with --batch it costs half as much, and may take a day")
    approve(estimate, yes=yes, question="Ask them?", done="asked")
