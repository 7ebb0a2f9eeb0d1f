"""Prints what evaluations found: a table for each scope and split. Decides nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pagesight.agent.terminal import printing
from pagesight.agent.terminal.tables import print_figures

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pagesight.agent.evaluate.answer_report import AnswerReport
    from pagesight.indexing.audit.audit import Audit, Measured
    from pagesight.indexing.evaluate.compare import RetrievalReport, RunReport
    from pagesight.indexing.evaluate.metrics import Difference, MeanInBounds

_TITLES = {"index": "Over the whole index", "document": "Within the right document"}
_SHOWN = ("nDCG@5", "nDCG@10", "R@1", "R@5", "R@10", "R@100", "RR")
_SHORT = {"RR": "MRR"}
_WITH_INTERVAL = "nDCG@5"


def retrieval(report: RetrievalReport) -> None:
    """The runs side by side, what they cost, how they differ, and the splits."""
    left_out = ", ".join(f"{count} {reason}" for reason, count in report.left_out.items())
    printing.write(
        f"{report.name}: {len(report.questions)} questions with evidence pages, {report.documents} documents, "
        f"{report.pages} pages{f'; left out: {left_out}' if left_out else ''}\n"
    )
    differences = {(run, scope): found for run, scope, name, found in report.differences() if name == _WITH_INTERVAL}
    for scope in report.runs[0].scores:
        printing.write(f"\n{_TITLES[scope]}\n")
        names = [_SHORT.get(name, name) for name in _SHOWN]
        header = ["run", *names, f"against {report.against}", "s/search", "s/page", "KB/page"]
        print_figures(header, [_row(run, scope, differences.get((run.run.name, scope))) for run in report.runs])
    for split in report.splits:
        _split(report, split)


def _row(report: RunReport, scope: str, difference: Difference | None) -> list[str]:
    scores = report.scores[scope]
    estimates = [scores.of(name) for name in _SHOWN]
    shown = [
        _interval(one) if name == _WITH_INTERVAL else _short(one.mean)
        for name, one in zip(_SHOWN, estimates, strict=True)
    ]
    cost = [f"{scores.seconds:.3f}", f"{report.seconds_per_page:.2f}" if report.seconds_per_page else "–"]
    return [report.run.name, *shown, _difference(difference), *cost, f"{report.bytes_per_page / 1000:.0f}"]


def _split(report: RetrievalReport, split: str) -> None:
    for scope in report.runs[0].scores:
        printing.write(f"\n{_TITLES[scope]}, {_WITH_INTERVAL} by {split}\n")
        rows = [
            [value, str(len(places)), *(_interval(run.scores[scope].of(_WITH_INTERVAL, places)) for run in report.runs)]
            for value, places in report.splits[split].items()
        ]
        print_figures([split, "questions", *(run.run.name for run in report.runs)], rows)


def _interval(estimate: MeanInBounds) -> str:
    return f"{_short(estimate.mean)} [{_short(estimate.low)}–{_short(estimate.high)}]"


def _difference(found: Difference | None) -> str:
    return "–" if found is None else f"{found.mean:+.3f} (p {'< .001' if found.p < 0.001 else f'{found.p:.3f}'})"


def _short(value: float) -> str:
    return f"{value:.3f}".removeprefix("0") if value < 1 else f"{value:.2f}"


def answers(report: AnswerReport) -> None:
    """The measures of answers, what they cost, the splits, and what failed."""
    from pagesight.agent.evaluate.published_report import TOTALS

    printing.write(f"{report.name}: {len(report.scores)} questions answered by {report.who}\n\n")
    found = {name: report.of(name) for name in report.measures}
    rows = [[name, _interval(one[1]), str(one[0]), report.measures[name]] for name, one in found.items() if one]
    rows += [[name, _short(value), str(len(report.scores)), TOTALS[name]] for name, value in report.totals.items()]
    print_figures(["measure", "mean", "questions", "what it says"], rows, left=(0, 3))
    printing.write("\n")
    print_figures(["", ""], [[name.replace("_", " "), _amount(value)] for name, value in report.costs.items()])
    for split, values in report.splits.items():
        printing.write(f"\nBy {split}\n")
        names = [name for name in report.measures if found[name]]
        rows = [
            [value, str(len(places)), *(_mean(report.of(name, places)) for name in names)]
            for value, places in values.items()
        ]
        print_figures([split, "questions", *names], rows)
    for known, reason in report.failures.items():
        printing.error(f"{known}: {reason}")


def efforts(reports: Sequence[AnswerReport]) -> None:
    """How many answers of each effort are right, and what a question took."""
    printing.write("\nBy effort\n")
    names = list(dict.fromkeys(name for report in reports for name in report.accuracy))
    spent = ("model_calls_per_question", "pages_viewed_per_question", "tokens_per_question", "seconds_median")
    rows = []
    for report in reports:
        dollars, asked = report.costs["dollars"], len(report.scores)
        each = "–" if dollars is None or not asked else f"{dollars / asked:.4f}"
        right = [_short(report.accuracy[name]) if name in report.accuracy else "–" for name in names]
        rows.append([report.effort or "", *right, each, *(_amount(report.costs[name]) for name in spent)])
    print_figures(["effort", *names, "$ a question", "calls", "pages", "tokens", "s, median"], rows)


def save(report: dict[str, Any], path: Path) -> None:
    """Write a report as JSON. Raises StorageFull, PageIndexError."""
    from pagesight.indexing.storage.folder import disk_errors

    with disk_errors(f"the report {path} cannot be written"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _mean(found: tuple[int, MeanInBounds] | None) -> str:
    return _short(found[1].mean) if found else "–"


def _amount(value: float | None) -> str:
    return "–" if value is None else f"{value:,.2f}"


def audited(audit: Audit) -> None:
    """What candidates keep of the exactly best pages, what they cost, and what to set."""
    printing.write(
        f"{printing.counted(audit.pages, 'page')}, {printing.counted(audit.questions, 'question')}: {audit.source}\n"
    )
    exhaustive = ["exhaustive search", *("1" for _ in audit.now.recall), f"{1000 * audit.exhaustive_seconds:.1f}"]
    rows = [_candidates(audit.now, "as they are set"), exhaustive]
    if audit.cheapest and audit.settings:
        rows.append(_candidates(audit.cheapest, f"cheapest that keep {audit.wanted:g}"))
    print_figures(["", *(f"top {depth}" for depth in audit.now.recall), "ms a search"], rows)
    printing.write(
        f"Exhaustive search is faster than the candidates below some {printing.counted(audit.break_even, 'page')}.\n"
    )
    printing.write(f"{_advice(audit)}\n")


def _candidates(measured: Measured, which: str) -> list[str]:
    recall = [f"{kept:.3f}" for kept in measured.recall.values()]
    return [f"candidates, {which}", *recall, f"{1000 * measured.seconds:.1f}"]


def _advice(audit: Audit) -> str:
    if audit.is_exhaustive:
        return f"Nothing to set: an index of up to {audit.exhaustive_below} pages is searched exhaustively."
    if not audit.settings:
        return f"Nothing to set: the candidates keep {audit.wanted:g} of the five best pages."
    setting = " ".join(f"PAGESIGHT_{name.upper()}={value}" for name, value in audit.settings.items())
    return f"To keep {audit.wanted:g} of the five best pages, set {setting}"
