"""Asks one small question of each document, or of each page, and keeps each cell as soon as it is read.

Run again it asks only what is not known yet: after Ctrl-C, a crash, a limit, or with more documents.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from langchain_core.runnables import Runnable

from pagesight.agent.loop.speakers import make_speakers
from pagesight.agent.sweeps.estimate import SweepEstimate
from pagesight.agent.sweeps.in_jobs import in_jobs
from pagesight.agent.sweeps.sweep_run import SweepRun, one_by_one
from pagesight.agent.sweeps.swept import By, SweepTable
from pagesight.indexing import PageIndex
from pagesight.indexing.calls.jobs import JOB_PRICE
from pagesight.indexing.calls.whole_text import whole_text
from pagesight.indexing.configuration.efforts import Effort
from pagesight.indexing.errors import EmptyQuestion, SettingsError
from pagesight.tools.allowed_documents import AllowedDocuments
from pagesight.tools.messages.authorship import Author
from pagesight.tools.messages.index_identity import index_identity

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from pagesight.indexing.settings import Settings


def sweep(
    index: PageIndex | AllowedDocuments | str | Path,
    question: str,
    *,
    by: By = "document",
    documents: Sequence[str] | None = None,
    where: str | None = None,
    model: str | BaseChatModel | Runnable[Any, Any] | None = None,
    dollars: float | None = None,
    top_k: int | None = None,
    effort: Effort | None = None,
    batch: bool = False,
    concurrency: int = 4,
    transport: str | None = None,
    settings: Settings | None = None,
    approve: Callable[[SweepEstimate], None] | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> SweepTable:
    """One small question of each document (``by`` "document") or each page (``by`` "page"), as a table.

    Of a document its ``top_k`` best pages, by default as the settings say, are looked at in one model call. ``index``,
    ``documents``, ``where``, ``model`` and ``effort`` are as for `create_page_agent`; without a model each cell is a
    quotation. ``dollars`` is what this run may cost: no cell is begun that would go beyond it by estimate, and those
    left out are "not asked". Cells read before, for the same question, document, pages and model, are taken from the
    index's folder and cost nothing.
    ``concurrency`` cells are asked at a time; with ``batch`` all are in jobs of Gemini's batch API, for half the price,
    which may take a day: the call waits, and a run that was cut off takes its jobs up again. ``approve`` is called once
    with the estimate, where a model is to be asked; what it raises ends the run before that. One document that fails
    does not keep the others: its row says why.

    Raises EmptyQuestion, SettingsError, KeyRefused, and what `create_page_agent` raises.
    """
    if not question.strip():
        raise EmptyQuestion("the question is empty: ask something of each document")
    if by not in ("document", "page"):
        raise SettingsError(f"a sweep goes by document or by page, not by {by!r}")
    if concurrency < 1 or (top_k is not None and top_k < 1):
        raise SettingsError(f"top_k is {top_k} and concurrency {concurrency}: both must be at least 1")
    if isinstance(index, str | Path):
        with PageIndex.open(index, settings=settings, create=False) as opened:
            return sweep(
                opened, question, by=by, documents=documents, where=where, model=model, dollars=dollars, top_k=top_k,
                effort=effort, batch=batch, concurrency=concurrency, transport=transport, settings=settings,
                approve=approve, progress=progress,
            )  # fmt: skip
    seen = AllowedDocuments(index) if isinstance(index, PageIndex) else index
    settings = (settings or seen.index.settings).with_effort(effort)
    allowed = seen.narrowed(documents, where)
    speakers = make_speakers(
        model, allowed, settings, Author("sweep", index_identity(seen.index)), transport=transport, trace_pictures=batch
    )
    way = in_jobs(speakers, settings) if batch else one_by_one(concurrency)
    most = settings.budget.pages_per_cell if top_k is None else top_k
    run = SweepRun(
        allowed, " ".join(whole_text(question).split()), by, most, speakers, settings, JOB_PRICE if batch else 1.0
    )
    return run.table(dollars, way, approve, progress)


async def asweep(index: PageIndex | AllowedDocuments | str | Path, question: str, **how: Any) -> SweepTable:
    """The same as `sweep`, in a thread: it never blocks the loop."""
    return await asyncio.to_thread(sweep, index, question, **how)
