"""One run of a sweep: what is asked, how a cell is asked for, checked, paid for and kept. Which way the questions go,
one by one or in jobs, is `Way`."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pagesight.agent.answers.claims.check_claims import claims_within
from pagesight.agent.answers.claims.claim import Claim, Outcome
from pagesight.agent.answers.spent import note, spent_on_calls
from pagesight.agent.loop.speakers import Speakers, picture_rule
from pagesight.agent.sweeps.cell_reader import RULES, CellReader, ModelReader, QuotingReader, ReadCell, UnreadCell
from pagesight.agent.sweeps.estimate import Prices, Purse, SweepEstimate
from pagesight.agent.sweeps.kept_cells import KeptCell, KeptCells, cell_key
from pagesight.agent.sweeps.swept import By, SweepTable, SweptRow
from pagesight.indexing.calls.prices import ModelCall, Tariff
from pagesight.indexing.errors import KeyRefused, PagesightError
from pagesight.indexing.pages import Box, DocumentRecord, Hit, PageRef
from pagesight.tools.allowed_documents import AllowedDocuments

if TYPE_CHECKING:
    from pagesight.indexing.settings import Settings

_log = logging.getLogger(__name__)

#: Settings that change what a model sees of a page, or how it answers.
_THAT_COUNT = ("media_resolution", "pages_as", "tiles_per_picture", "thinking_level")
#: The worse the later: a cell is as good as the worst of its claims.
_BY_WORTH: Sequence[Outcome] = ("supported", "computed", "read", "unsupported")


@dataclass(frozen=True, eq=False)
class Item:
    """What is asked: a document, or one page of it, by the ``key`` of its cell."""

    record: DocumentRecord
    page: int | None
    key: str

    def row(self, **told: Any) -> SweptRow:
        """Its row in the table."""
        record = self.record
        return SweptRow(record.document, record.document_id, self.page, metadata=record.metadata, **told)


#: Asks for the cells of a run within the purse, and tells of each row as it comes.
Way = Callable[["SweepRun", Sequence[Item], Purse, Callable[[Item, SweptRow], None]], None]


def takes_jobs(speakers: Speakers) -> bool:
    """Whether the model can be asked in jobs: ours for Gemini, by a key, and no chain of several."""
    can = speakers.first.reasoner.can
    return can.raw_parts and can.files and len(speakers.each) == 1


def _beyond(item: Item, dollars: float | None) -> SweptRow:
    """The row of what was not asked, since the limit was reached."""
    why = f"the limit of {dollars or 0:g} dollars was reached: ask again, with more, to go on"
    return item.row(state="not asked", reason=why)


class SweepRun:
    """One run: what is to be asked, of whom, and what has been kept; it pays this ``share`` of the price."""

    def __init__(
        self, allowed: AllowedDocuments, question: str, by: By, top_k: int, speakers: Speakers, settings: Settings,
        share: float = 1.0,
    ):  # fmt: skip
        first = speakers.first.reasoner
        self._allowed, self._index = allowed, allowed.index
        self.question, self._by, self._top_k = question, by, top_k
        self.reasoner, self.speakers = first.name, speakers
        # The quoting reasoner fills in no form; it reads the same pages, and costs nothing.
        self._reads = first.can.forms
        self._reader: CellReader = ModelReader(speakers) if self._reads else QuotingReader(self._index)
        tariff = Tariff(first.name, settings.budget.prices or {}, share)
        rule = picture_rule(settings, first.name) if first.can.pictures else None
        self.prices = Prices(first.name, tariff, rule if self._reads else None, takes_jobs=takes_jobs(speakers))
        told = settings.flat()
        self._told = [{name: told[name] for name in _THAT_COUNT}] if self._reads else [version("pagesight")]
        self.kept = KeptCells(self._index.path)

    def table(
        self,
        dollars: float | None,
        way: Way,
        approve: Callable[[SweepEstimate], None] | None,
        progress: Callable[[int, int], None],
    ) -> SweepTable:
        """The table: what is kept, and what is asked now, in this ``way``."""
        started = time.perf_counter()
        purse = Purse(dollars)
        items = self._items()
        rows = {item: self.row(item, cell, kept=True) for item in items if (cell := self.kept.get(item.key))}
        asked = [item for item in items if item not in rows]
        if asked and approve and self._reads:
            pages = [self._pages_of(item) for item in asked]
            approve(self.prices.estimate(self._by, pages, len(rows), dollars))

        def done(item: Item, row: SweptRow) -> None:
            rows[item] = row
            progress(len(rows), len(items))

        if asked:
            way(self, asked, purse, done)
        every = [rows[item] if item in rows else _beyond(item, dollars) for item in items]
        return SweepTable(self.question, self._by, self.reasoner, every, time.perf_counter() - started)

    @property
    def job_folder(self) -> Path:
        """Where jobs that ask this very question are noted, of whichever documents."""
        named = cell_key(RULES, self.question, self._by, self._top_k, self.reasoner, self._told)
        return self._index.path / "sweep-jobs" / named

    def every_item(self) -> dict[str, Item]:
        """All that the index has, by key: jobs of an earlier run may be of more than this one asks."""
        return {item.key: item for item in self._items_of(self._index.documents())}

    def _items(self) -> list[Item]:
        return self._items_of(self._allowed.records())

    def _items_of(self, records: Iterable[DocumentRecord]) -> list[Item]:
        pairs: list[tuple[DocumentRecord, int | None]] = [(record, None) for record in records]
        if self._by == "page":
            pairs = [(record, page) for record, _ in pairs for page in range(1, record.pages + 1)]
        return [Item(record, page, self._key(record, page)) for record, page in pairs]

    def _key(self, record: DocumentRecord, page: int | None) -> str:
        place = [self._by, page or self._top_k]
        return cell_key(RULES, self.question, record.document_id, place, self.reasoner, self._told)

    def _pages_of(self, item: Item) -> int:
        return 1 if item.page else min(self._top_k, item.record.pages)

    def at_most(self, item: Item) -> float:
        """What it takes in dollars, by estimate."""
        return self.prices.at_most(self._pages_of(item)) if self._reads else 0.0

    def asked(self, item: Item) -> tuple[SweptRow, float]:
        """A cell's row and what it has taken in dollars, at most. Raises KeyRefused, which no other would escape."""
        started = time.perf_counter()
        try:
            pages = self.best_pages(item)
            read = self._reader(self.question, pages)
        except KeyRefused:
            raise
        except Exception as error:  # noqa: BLE001 - whatever ails one document, the others are asked
            calls = error.calls if isinstance(error, UnreadCell) else []
            return self.failed(item, error, calls), self.paid(calls, started)
        return self.taken(item, read, pages, started)

    def taken(self, item: Item, read: ReadCell, pages: Sequence[Hit], started: float) -> tuple[SweptRow, float]:
        """What was read, checked, paid for and kept: the cell's row, and its dollars at most."""
        try:
            cell = self._checked(item, read, pages)
        except Exception as error:  # noqa: BLE001 - whatever ails one document, the others are asked
            return self.failed(item, error, read.calls), self.paid(read.calls, started)
        paid = self.paid(read.calls, started)
        self.kept.add(cell)  # where that fails, the run ends: what is paid for would be lost
        return self.row(item, cell), paid

    def failed(self, item: Item, error: Exception, calls: Sequence[ModelCall]) -> SweptRow:
        """The row of what could not be asked; it says why."""
        is_ours = isinstance(error, PagesightError)
        _log.warning("%s was not asked: %s", item.record.document, error, exc_info=not is_ours)
        told = str(error) if is_ours else f"{type(error).__name__}: {error}"
        return item.row(state="failed", reason=" ".join(told.split()), dollars=self.prices.tariff.of(calls))

    def paid(self, calls: Sequence[ModelCall], started: float) -> float:
        """What calls have cost at most, in dollars; it is noted in the ledger."""
        if calls:
            seconds = time.perf_counter() - started
            note(self._index.path, spent_on_calls("sweep", self.reasoner, calls, self.prices.tariff, seconds))
        return self.prices.tariff.at_most(calls)

    def best_pages(self, item: Item) -> list[Hit]:
        """The pages to be looked at; where fewer are found than wanted, also the first ones of the document."""
        if item.page:
            return [_unsearched(item.record, item.page)]
        hits = list(self._index.search(self.question, documents=[item.record.document_id], top_k=self._top_k))
        found = {hit.page for hit in hits}
        wanted = min(self._top_k, item.record.pages)
        rest = (page for page in range(1, item.record.pages + 1) if page not in found)
        return hits + [_unsearched(item.record, page) for page, _ in zip(rest, range(wanted - len(hits)), strict=False)]

    def _checked(self, item: Item, read: ReadCell, pages: Sequence[Hit]) -> KeptCell:
        outcome: Outcome | None = None
        boxes: list[Box] = []
        reason = "the pages that were looked at do not say it"
        if read.value and read.ref is None:
            outcome, reason = "unsupported", "it names no page that was shown"
        elif read.value and read.ref:
            own = AllowedDocuments(self._index).narrowed([item.record.document_id])
            claims = claims_within(own, _as_text(read, read.ref))
            worst = max(claims, key=lambda claim: _BY_WORTH.index(claim.outcome), default=_UNCHECKED)
            outcome, reason, boxes = worst.outcome, worst.reason, [box for claim in claims for box in claim.boxes]
        return KeptCell(
            key=item.key, value=read.value, page=read.ref.page if read.ref else None, outcome=outcome, reason=reason,
            boxes=boxes, pages=[hit.page for hit in pages], dollars=self.prices.tariff.of(read.calls),
        )  # fmt: skip

    def row(self, item: Item, cell: KeptCell, *, kept: bool = False) -> SweptRow:
        """The row of a kept cell."""
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


def one_by_one(concurrency: int) -> Way:
    """So many cells at a time."""

    def way(run: SweepRun, items: Sequence[Item], purse: Purse, done: Callable[[Item, SweptRow], None]) -> None:
        with closing(_at_a_time(run, items, concurrency, purse)) as answered:
            for item, row in answered:
                done(item, row)

    return way


def _at_a_time(
    run: SweepRun, items: Sequence[Item], concurrency: int, purse: Purse
) -> Generator[tuple[Item, SweptRow], None, None]:
    """The rows as they come. No more are begun once the limit is reached, one has raised, or nobody reads on."""
    waiting = list(reversed([*enumerate(items)]))
    running: dict[Future[tuple[SweptRow, float]], tuple[int, Item]] = {}
    with ThreadPoolExecutor(concurrency, thread_name_prefix="pagesight-sweep") as pool:
        while waiting or running:
            while waiting and len(running) < concurrency and purse.take(waiting[-1][0], run.at_most(waiting[-1][1])):
                number, item = waiting.pop()
                running[pool.submit(run.asked, item)] = number, item
            if not running:
                return
            for done in wait(running, return_when=FIRST_COMPLETED).done:
                number, item = running.pop(done)
                row, paid = done.result()
                purse.pay(number, paid)
                yield item, row
