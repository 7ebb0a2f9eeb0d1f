"""A report of runs as a picture: nDCG@5 of each run with its interval, over the index and within the document."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pagesight.indexing.configuration.installation import install_command
from pagesight.indexing.documents.own_files import MAKER
from pagesight.indexing.errors import MissingExtra
from pagesight.indexing.evaluate.compare import RetrievalReport

_TITLES = {"index": "over the whole index", "document": "within the right document"}
_COLOURS = {"index": "#2f6690", "document": "#81a4cd"}
_MEASURE = "nDCG@5"


def plot(report: RetrievalReport, path: Path) -> Path:
    """Draw the runs into a PNG; returns its path. Raises MissingExtra without matplotlib."""
    figure, axes = _canvas(len(report.runs))
    _bars(axes, report)
    axes.set_title(f"{report.name}: {len(report.questions)} questions, {report.pages} pages", loc="left", fontsize=10)
    return _saved(figure, path)


def plot_split(report: RetrievalReport, split: str, path: Path) -> Path:
    """Draw the last run's results by the values of a field."""
    values = report.splits[split]
    figure, axes = _canvas(len(values))
    rows = list(values.items())
    for shift, (scope, scores) in zip(_shifts(report), report.runs[-1].scores.items(), strict=True):
        estimates = [scores.of(_MEASURE, places) for _, places in rows]
        _scope_bars(axes, np.arange(len(rows)) + shift, estimates, scope)
    _label(axes, [f"{value} ({len(places)})" for value, places in rows])
    axes.set_title(f"{report.runs[-1].run.name} by {split} (questions)", loc="left", fontsize=10)
    return _saved(figure, path)


def _bars(axes: Any, report: RetrievalReport) -> None:
    scopes = list(report.runs[0].scores)
    for shift, scope in zip(_shifts(report), scopes, strict=True):
        estimates = [run.scores[scope].of(_MEASURE) for run in report.runs]
        _scope_bars(axes, np.arange(len(report.runs)) + shift, estimates, scope)
    _label(axes, [run.run.name for run in report.runs])


def _scope_bars(axes: Any, places: NDArray[np.floating], estimates: list[Any], scope: str) -> None:
    means = [one.mean for one in estimates]
    spread = [[one.mean - one.low for one in estimates], [one.high - one.mean for one in estimates]]
    axes.barh(places, means, height=0.36, color=_COLOURS[scope], label=_TITLES[scope], xerr=spread, ecolor="#333333")
    for place, mean in zip(places, means, strict=True):
        axes.text(0.01, place, f"{mean:.3f}", va="center", color="white", fontsize=8)


def _shifts(report: RetrievalReport) -> list[float]:
    return [-0.2, 0.2] if len(report.runs[0].scores) == 2 else [0.0]


def _label(axes: Any, names: list[str]) -> None:
    axes.set_yticks(np.arange(len(names)), names)
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.set_xlabel(f"{_MEASURE}, mean with 95 % interval")
    axes.spines[["top", "right"]].set_visible(False)
    axes.figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize=8)


def _canvas(rows: int) -> tuple[Any, Any]:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtra(f"plots need the package matplotlib: run `{install_command('eval')}`") from error
    figure = Figure(figsize=(7, 1.3 + 0.55 * rows), layout="constrained")
    return figure, figure.subplots()


def _saved(figure: Any, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=130, metadata={"Software": MAKER} if path.suffix == ".png" else None)
    return path
