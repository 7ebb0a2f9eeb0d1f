"""`pagesight costs`: what an index's ledger adds up to; and the line with which `pagesight ask` ends."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pagesight.agent.answers.spent import spent
from pagesight.agent.terminal import printing
from pagesight.agent.terminal.tables import print_figures
from pagesight.indexing.calls.ledger import Ledger, Total, by_day
from pagesight.indexing.calls.prices import stale

if TYPE_CHECKING:
    from pagesight.agent.answers.answer import Answer
    from pagesight.indexing.calls.ledger import Spent


def costs(folder: Path, *, as_json: bool = False) -> None:
    """Prints what work on the index in ``folder`` has taken, by day, model and kind. Raises OSError."""
    records, unreadable = Ledger(folder).read()
    if as_json:
        printing.write_json(as_dict(records, unreadable))
        return
    if records:
        _table(records)
    else:
        printing.note(
            "nothing has been noted yet: `pagesight ask`, `chat`, `eval answers` and indexing with a paid encoder do it"
        )
    for word in _remarks(records, unreadable):
        printing.note(word)


def as_dict(records: list[Spent], unreadable: int) -> dict[str, Any]:
    """The ledger as it stands in ``costs --json``: the days, their total, and how many lines could not be read."""
    days = [
        {"day": day.isoformat(), "model": model, "kind": kind, **asdict(total)}
        for (day, model, kind), total in by_day(records).items()
    ]
    return {"days": days, "total": asdict(Total.of(records)), "unreadable_lines": unreadable}


def answer_line(answer: Answer, seconds: float) -> str:
    """What an answer took: tokens, pictures, seconds and dollars; pages and seconds where no model was called."""
    one = spent("ask", answer, seconds)
    if not one.input_tokens:
        return f"{printing.counted(len(answer.pages_viewed), 'page')} looked at, {seconds:.1f} s"
    counts = f"{tokens(one)}, {printing.counted(one.pictures, 'picture')}, {seconds:.1f} s"
    return f"{counts}, {'price not known' if one.dollars is None else f'${one.dollars:.4f}'}"


def tokens(one: Spent | Total) -> str:
    """Such as ``23,000 tokens in (4,096 cached), 800 out (500 thinking)``."""
    cached = f" ({one.cached_tokens:,} cached)" if one.cached_tokens else ""
    thinking = f" ({one.thinking_tokens:,} thinking)" if one.thinking_tokens else ""
    return f"{one.input_tokens:,} tokens in{cached}, {one.output_tokens:,} out{thinking}"


def _table(records: list[Spent]) -> None:
    header = [
        "day",
        "model",
        "kind",
        "times",
        "calls",
        "in",
        "cached",
        "out",
        "thinking",
        "pictures",
        "seconds",
        "dollars",
    ]
    rows = [[day.isoformat(), model, kind, *_numbers(total)] for (day, model, kind), total in by_day(records).items()]
    print_figures(header, [*rows, ["total", "", "", *_numbers(Total.of(records))]], left=(0, 1, 2))


def _numbers(total: Total) -> list[str]:
    counts = [total.records, total.calls, total.input_tokens, total.cached_tokens, total.output_tokens]
    counts += [total.thinking_tokens, total.pictures]
    return [*(f"{count:,}" for count in counts), f"{total.seconds:,.1f}", _dollars(total)]


def _dollars(total: Total) -> str:
    if total.unpriced == total.records:
        return "not known"
    return f"{total.dollars:.4f}{' and more' if total.unpriced else ''}"


def _remarks(records: list[Spent], unreadable: int) -> list[str]:
    without = sorted({record.model for record in records if record.dollars is None})
    remarks = []
    if without:
        remarks.append(f"the price of {', '.join(without)} was not known: set it in PAGESIGHT_PRICES from now on")
    if unreadable:
        remarks.append(f"{printing.counted(unreadable, 'line')} of the ledger could not be read and left out")
    if old := stale():
        remarks.append(f"{old}: check it, and set what differs in PAGESIGHT_PRICES")
    return remarks
