"""Asks one small question of each document, or of each page, and keeps each cell as soon as it is read.

Run again it asks only what is not known yet: after Ctrl-C, a crash, a limit, or with more documents.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from langchain_core.runnables import Runnable

from pagesight.agent.answers.claims.check_claims import claims_within
from pagesight.agent.answers.claims.claim import Claim, Outcome
from pagesight.agent.answers.spent import note, spent_on_calls
from pagesight.agent.loop.speakers import Speakers, make_speakers, picture_rule
from pagesight.agent.sweeps.cell_reader import RULES, CellReader, ModelReader, QuotingReader, ReadCell, UnreadCell
from pagesight.agent.sweeps.estimate import Prices, Purse, SweepEstimate
from pagesight.agent.sweeps.kept_cells import KeptCell, KeptCells, cell_key
from pagesight.agent.sweeps.swept import By, SweepTable, SweptRow
from pagesight.indexing import PageIndex
from pagesight.indexing.calls.prices import ModelCall, Tariff
from pagesight.indexing.efforts import Effort
from pagesight.indexing.errors import EmptyQuestion, KeyRefused, PagesightError, SettingsError
from pagesight.indexing.pages import Box, DocumentRecord, Hit, PageRef
from pagesight.tools.allowed_documents import AllowedDocuments
from pagesight.tools.messages.authorship import Author
from pagesight.tools.messages.index_identity import index_identity

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from pagesight.indexing.settings import Settings

_log = logging.getLogger(__name__)

#: Settings that change what a model sees of a page, or how it answers.
_THAT_COUNT = ("media_resolution", "pages_as", "tiles_per_picture", "thinking_level")
#: The worse the later: a cell is as good as the worst of its claims.
_BY_WORTH: Sequence[Outcome] = ("supported", "computed", "read", "unsupported")


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
    ``concurrency`` cells are asked at a time. ``approve`` is called once with the estimate, where a model is to be
    asked; what it raises ends the run before that. One document that fails does not keep the others: its row says why.

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
                effort=effort, concurrency=concurrency, transport=transport, settings=settings, approve=approve,
                progress=progress,
            )  # fmt: skip
    seen = AllowedDocuments(index) if isinstance(index, PageIndex) else index
    settings = (settings or seen.index.settings).with_effort(effort)
    allowed = seen.narrowed(documents, where)
    speakers = make_speakers(model, allowed, settings, Author("sweep", index_identity(seen.index)), transport=transport)
    most = settings.budget.pages_per_cell if top_k is None else top_k
    run = _Sweep(allowed, " ".join(question.split()), by, most, speakers, settings)
    return run.table(dollars, concurrency, approve, progress)


async def asweep(index: PageIndex | AllowedDocuments | str | Path, question: str, **how: Any) -> SweepTable:
    """The same as `sweep`, in a thread: it never blocks the loop."""
    return await asyncio.to_thread(sweep, index, question, **how)


@dataclass(frozen=True, eq=False)
class _Item:
    """What is asked: a document, or one page of it."""

    record: DocumentRecord
    page: int | None
    key: str

    def row(self, **told: Any) -> SweptRow:
        record = self.record
        return SweptRow(record.document, record.document_id, self.page, metadata=record.metadata, **told)


def _beyond(item: _Item, dollars: float | None) -> SweptRow:
    """The row of what was not asked, since the limit was reached."""
    why = f"the limit of {dollars or 0:g} dollars was reached: ask again, with more, to go on"
    return item.row(state="not asked", reason=why)


class _Sweep:
    """One run: what is to be asked, of whom, and what has been kept."""

    def __init__(
        self, allowed: AllowedDocuments, question: str, by: By, top_k: int, speakers: Speakers, settings: Settings
    ):
        first = speakers.first.reasoner
        self._allowed, self._index = allowed, allowed.index
        self._question, self._by, self._top_k = question, by, top_k
        self._reasoner = first.name
        # The quoting reasoner fills in no form; it reads the same pages, and costs nothing.
        self._reads = first.can.forms
        self._reader: CellReader = ModelReader(speakers) if self._reads else QuotingReader(self._index)
        tariff = Tariff(first.name, settings.budget.prices or {})
        rule = picture_rule(settings, first.name) if first.can.pictures else None
        self._prices = Prices(first.name, tariff, rule if self._reads else None)
        told = settings.flat()
        self._told = [{name: told[name] for name in _THAT_COUNT}] if self._reads else [version("pagesight")]
        self._kept = KeptCells(self._index.path)

    def table(
        self,
        dollars: float | None,
        concurrency: int,
        approve: Callable[[SweepEstimate], None] | None,
        progress: Callable[[int, int], None],
    ) -> SweepTable:
        started = time.perf_counter()
        purse = Purse(dollars)
        items = self._items()
        rows = {item: self._row(item, cell, kept=True) for item in items if (cell := self._kept.get(item.key))}
        asked = [item for item in items if item not in rows]
        if asked and approve and self._reads:
            pages = [self._pages_of(item) for item in asked]
            approve(self._prices.estimate(self._by, pages, len(rows), dollars))
        with closing(self._at_a_time(asked, concurrency, purse)) as answered:
            for item, row in answered:
                rows[item] = row
                progress(len(rows), len(items))
        every = [rows[item] if item in rows else _beyond(item, dollars) for item in items]
        return SweepTable(self._question, self._by, self._reasoner, every, time.perf_counter() - started)

    def _items(self) -> list[_Item]:
        pairs: list[tuple[DocumentRecord, int | None]] = [(record, None) for record in self._allowed.records()]
        if self._by == "page":
            pairs = [(record, page) for record, _ in pairs for page in range(1, record.pages + 1)]
        return [_Item(record, page, self._key(record, page)) for record, page in pairs]

    def _key(self, record: DocumentRecord, page: int | None) -> str:
        place = [self._by, page or self._top_k]
        return cell_key(RULES, self._question, record.document_id, place, self._reasoner, self._told)

    def _pages_of(self, item: _Item) -> int:
        return 1 if item.page else min(self._top_k, item.record.pages)

    def _at_a_time(
        self, items: Sequence[_Item], concurrency: int, purse: Purse
    ) -> Generator[tuple[_Item, SweptRow], None, None]:
        """The rows as they come. No more are begun once the limit is reached, one has raised, or nobody reads on."""
        waiting = list(reversed([*enumerate(items)]))
        running: dict[Future[tuple[SweptRow, float]], tuple[int, _Item]] = {}
        with ThreadPoolExecutor(concurrency, thread_name_prefix="pagesight-sweep") as pool:
            while waiting or running:
                while waiting and len(running) < concurrency and purse.take(waiting[-1][0], self._at_most(waiting[-1])):
                    number, item = waiting.pop()
                    running[pool.submit(self._asked, item)] = number, item
                if not running:
                    return
                for done in wait(running, return_when=FIRST_COMPLETED).done:
                    number, item = running.pop(done)
                    row, paid = done.result()
                    purse.pay(number, paid)
                    yield item, row

    def _at_most(self, numbered: tuple[int, _Item]) -> float:
        return self._prices.at_most(self._pages_of(numbered[1])) if self._reads else 0.0

    def _asked(self, item: _Item) -> tuple[SweptRow, float]:
        """A cell's row and what it has taken in dollars, at most. Raises KeyRefused, which no other would escape."""
        started = time.perf_counter()
        calls: list[ModelCall] = []
        try:
            pages = self._best_pages(item)
            read = self._reader(self._question, pages)
            calls = read.calls
            cell = self._checked(item, read, pages)
        except KeyRefused:
            raise
        except Exception as error:  # noqa: BLE001 - whatever ails one document, the others are asked
            calls = error.calls if isinstance(error, UnreadCell) else calls
            return self._failed(item, error, calls), self._paid(calls, started)
        paid = self._paid(calls, started)
        self._kept.add(cell)  # where that fails, the run ends: what is paid for would be lost
        return self._row(item, cell), paid

    def _failed(self, item: _Item, error: Exception, calls: Sequence[ModelCall]) -> SweptRow:
        """The row of what could not be asked; it says why."""
        is_ours = isinstance(error, PagesightError)
        _log.warning("%s was not asked: %s", item.record.document, error, exc_info=not is_ours)
        told = str(error) if is_ours else f"{type(error).__name__}: {error}"
        return item.row(state="failed", reason=" ".join(told.split()), dollars=self._prices.tariff.of(calls))

    def _paid(self, calls: Sequence[ModelCall], started: float) -> float:
        """What calls have cost at most, in dollars; it is noted in the ledger."""
        if calls:
            seconds = time.perf_counter() - started
            note(self._index.path, spent_on_calls("sweep", self._reasoner, calls, self._prices.tariff, seconds))
        return self._prices.tariff.at_most(calls)

    def _best_pages(self, item: _Item) -> list[Hit]:
        """The pages to be looked at; where fewer are found than wanted, also the first ones of the document."""
        if item.page:
            return [_unsearched(item.record, item.page)]
        hits = list(self._index.search(self._question, documents=[item.record.document_id], top_k=self._top_k))
        found = {hit.page for hit in hits}
        wanted = min(self._top_k, item.record.pages)
        rest = (page for page in range(1, item.record.pages + 1) if page not in found)
        return hits + [_unsearched(item.record, page) for page, _ in zip(rest, range(wanted - len(hits)), strict=False)]

    def _checked(self, item: _Item, read: ReadCell, pages: Sequence[Hit]) -> KeptCell:
        outcome: Outcome | None = None
        boxes: list[Box] = []
        reason = "the pages that were looked at do not say it"
        if read.value and read.ref is None:
            outcome, reason = "unsupported", "it names no page that was shown"
        elif read.value and read.ref:
            claims = claims_within(self._allowed.narrowed([item.record.document_id]), _as_text(read, read.ref))
            worst = max(claims, key=lambda claim: _BY_WORTH.index(claim.outcome), default=_UNCHECKED)
            outcome, reason, boxes = worst.outcome, worst.reason, [box for claim in claims for box in claim.boxes]
        return KeptCell(
            key=item.key, value=read.value, page=read.ref.page if read.ref else None, outcome=outcome, reason=reason,
            boxes=boxes, pages=[hit.page for hit in pages], dollars=self._prices.tariff.of(read.calls),
        )  # fmt: skip

    def _row(self, item: _Item, cell: KeptCell, *, kept: bool = False) -> SweptRow:
        record = item.record
        label = PageRef(record.document_id, record.document, cell.page).label if cell.page else ""
        return item.row(
            state="answered" if cell.value else "none", value=cell.value, citation=label, outcome=cell.outcome,
            reason=cell.reason, boxes=list(cell.boxes), pages=list(cell.pages),
            dollars=0.0 if kept else cell.dollars, kept=kept,
        )  # fmt: skip


#: Of a value in which nothing can be checked and that makes no sentence.
_UNCHECKED = Claim("", [], "unsupported", "it has nothing that could be checked")


def _as_text(read: ReadCell, ref: PageRef) -> str:
    """A cell as an answer that cites its page: the sentence that holds the value, or value and sentence."""
    value, statement = (text.replace("[", "(").replace("]", ")") for text in (read.value, read.statement))
    told = [statement] if value.casefold() in statement.casefold() else [value, statement]
    return "\n\n".join(f"{text} [{ref.label}]" for text in told if text)


def _unsearched(record: DocumentRecord, page: int) -> Hit:
    return Hit(0, PageRef(record.document_id, record.document, page), 0.0)
