"""Remakes the measured tables and plots of docs/quality.md on questions of one's own.

    python benchmarks/quality.py --questions questions.jsonl --index DIR [--split FIELD]

The figures in docs/quality.md were made so from 25 documents of MMLongBench-Doc, which are not part of this repository.
Tables are written between marks such as <!-- table: runs -->, plots into docs/quality/.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ablation import ablation, table
from marks import write_between

from pagesight.indexing import PageIndex, load_settings
from pagesight.indexing.evaluate.compare import RetrievalReport, RunReport, evaluate_retrieval
from pagesight.indexing.evaluate.metrics import MEASURES
from pagesight.indexing.evaluate.plot import plot, plot_split
from pagesight.indexing.evaluate.questions import read_questions
from pagesight.indexing.evaluate.runs import KINDS, parse_run

PAGE = Path(__file__).parent.parent / "docs" / "quality.md"
PLOTS = PAGE.with_suffix("")
_SCOPES = {"index": "over the index", "document": "within the document"}


def runs_table(report: RetrievalReport) -> str:
    """All measures of all runs in both scopes, with their costs."""
    lines = [f"| run | | {' | '.join(MEASURES[:-1])} | MRR | s/search |", "|" + "---|" * (len(MEASURES) + 3)]
    for scope, said in _SCOPES.items():
        lines += [_run_row(run, scope, said) for run in report.runs]
    return "\n".join(lines)


def _run_row(run: RunReport, scope: str, said: str) -> str:
    scores = run.scores[scope]
    first = scores.of("nDCG@5")
    cells = [run.run.name, said, f"{first.mean:.3f} [{first.low:.3f}–{first.high:.3f}]"]
    cells += [f"{scores.of(name).mean:.3f}" for name in MEASURES[1:]]
    return f"| {' | '.join(cells)} | {scores.seconds:.3f} |"


def tests_table(report: RetrievalReport) -> str:
    """Each run against the one that they are compared with."""
    lines = [f"| run | | nDCG@5 against {report.against} | 95 % interval | p |", "|---|---|---|---|---|"]
    for run, scope, name, found in report.differences():
        if name == "nDCG@5":
            interval = f"{found.low:+.3f} to {found.high:+.3f}"
            lines.append(f"| {run} | {_SCOPES[scope]} | {found.mean:+.3f} | {interval} | {found.p:.4f} |")
    return "\n".join(lines)


def split_table(report: RetrievalReport, split: str) -> str:
    """nDCG@5 by the values of a field, for each run."""
    names = [run.run.name for run in report.runs]
    lines = [f"| {split} | questions | | {' | '.join(names)} |", "|" + "---|" * (len(names) + 3)]
    for value, rows in report.splits[split].items():
        for scope, said in _SCOPES.items():
            means = [f"{run.scores[scope].of('nDCG@5', rows).mean:.3f}" for run in report.runs]
            lines.append(f"| {value} | {len(rows)} | {said} | {' | '.join(means)} |")
    return "\n".join(lines)


def plot_ablation(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """How far nDCG@5 moves from the default's with each idea, over the index and within the document."""
    from matplotlib.figure import Figure

    shown = [row for row in rows if "index difference" in row]
    figure = Figure(figsize=(8, 0.6 + 0.3 * len(shown)), layout="constrained")
    axes = figure.subplots()
    for shift, scope, colour in ((-0.2, "index", "#2f6690"), (0.2, "document", "#81a4cd")):
        places = [place + shift for place in range(len(shown))]
        axes.barh(places, [row[f"{scope} difference"] for row in shown], 0.36, color=colour, label=_SCOPES[scope])
    axes.set_yticks(range(len(shown)), [row["idea"] for row in shown], fontsize=8)
    axes.invert_yaxis()
    axes.axvline(0, color="#333333", linewidth=0.8)
    axes.set_xlabel("difference in nDCG@5 from the default")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8)
    figure.savefig(path, dpi=130)


def main() -> None:
    """Measure, and write tables and plots."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=Path, required=True)
    parser.add_argument("--index", required=True)
    parser.add_argument("--split", action="append", default=[])
    arguments = parser.parse_args()
    questions = read_questions(arguments.questions).questions
    with PageIndex.open(arguments.index, settings=load_settings(), create=False) as index:
        runs = [parse_run(kind) for kind in KINDS]
        report = evaluate_retrieval(index, "retrieval", questions, runs, split=arguments.split, against="hybrid")
        rows = ablation(index, questions)
    PLOTS.mkdir(exist_ok=True)
    plot(report, PLOTS / "runs.png")
    plot_ablation(rows, PLOTS / "ablation.png")
    tables = {"runs": runs_table(report), "tests": tests_table(report), "ablation": table(rows)}
    for split in arguments.split:
        tables[split] = split_table(report, split)
        plot_split(report, split, PLOTS / f"by-{split}.png")
    for name, content in tables.items():
        write_between(PAGE, name, content)
    (PLOTS / "retrieval.json").write_text(json.dumps(report.as_dict(), indent=1) + "\n")


if __name__ == "__main__":
    main()
