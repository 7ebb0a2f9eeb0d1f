"""Compares runs over an index on questions with evidence pages, and says what each costs."""

from __future__ import annotations

import itertools
import os
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pagesight.indexing.errors import QuestionsError
from pagesight.indexing.evaluate.metrics import MEASURES, Difference, MeanInBounds, compare, estimate, measure
from pagesight.indexing.evaluate.questions import JudgedQuestion
from pagesight.indexing.evaluate.runs import Run, rank
from pagesight.indexing.index import PageIndex
from pagesight.indexing.pages import page_label

#: Where is searched: all documents, or only those that a question is asked about.
SCOPES = ("index", "document")
#: A field of every question that the index knows: where the text of its evidence pages comes from.
TEXT_SOURCE = "text_source"
_COMPARED = ("nDCG@5", "nDCG@10")
_FEWEST = 2  # questions with the same value of a field that are worth a row


@dataclass
class Scores:
    """A run's values in one scope, a question each, in the order of the questions; and seconds a search."""

    values: dict[str, NDArray[np.float64]]
    seconds: float

    def of(self, name: str, rows: NDArray[np.intp] | None = None) -> MeanInBounds:
        """A measure's mean over all questions or over some rows."""
        return estimate(self.values[name] if rows is None else self.values[name][rows])


@dataclass
class RunReport:
    """What a run reaches in each scope, and what it costs: bytes a page, and seconds a page where it was measured."""

    run: Run
    scores: dict[str, Scores]
    bytes_per_page: float
    seconds_per_page: float | None = None


@dataclass
class RetrievalReport:
    """Runs over the same questions; see `as_dict`."""

    name: str
    questions: list[JudgedQuestion]
    left_out: dict[str, int]
    documents: int
    pages: int
    runs: list[RunReport] = field(default_factory=list)
    splits: dict[str, dict[str, NDArray[np.intp]]] = field(default_factory=dict)
    against: str = ""

    def differences(self) -> list[tuple[str, str, str, Difference]]:
        """Each run's difference from the one it is measured ``against``: (run, scope, measure, difference)."""
        base = next(report for report in self.runs if report.run.name == self.against)
        return [
            (report.run.name, scope, name, compare(scores.values[name], base.scores[scope].values[name]))
            for report in self.runs
            if report is not base
            for scope, scores in report.scores.items()
            for name in _COMPARED
        ]

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON has it."""
        return {
            "collection": self.name,
            "questions": len(self.questions),
            "left_out": self.left_out,
            "documents": self.documents,
            "pages": self.pages,
            "runs": [self._run(report) for report in self.runs],
            "compared": [
                {"run": run, "against": self.against, "scope": scope, "measure": name} | difference.as_dict()
                for run, scope, name, difference in self.differences()
            ],
        }

    def by_question(self) -> list[dict[str, Any]]:
        """A row for each question with all values of all runs."""
        return [
            {"id": question.id, "question": question.text}
            | {
                f"{report.run.name} {scope} {name}": round(float(values[row]), 4)
                for report in self.runs
                for scope, scores in report.scores.items()
                for name, values in scores.values.items()
            }
            for row, question in enumerate(self.questions)
        ]

    def _run(self, report: RunReport) -> dict[str, Any]:
        return {
            "run": report.run.name,
            "bytes_per_page": round(report.bytes_per_page),
            "seconds_per_page": report.seconds_per_page and round(report.seconds_per_page, 3),
            "scopes": {
                scope: {"seconds_per_search": round(scores.seconds, 4)}
                | {name: scores.of(name).as_dict() for name in MEASURES}
                for scope, scores in report.scores.items()
            },
            "splits": {
                split: {
                    value: {"questions": len(rows)}
                    | {
                        scope: {name: scores.of(name, rows).as_dict() for name in MEASURES}
                        for scope, scores in report.scores.items()
                    }
                    for value, rows in values.items()
                }
                for split, values in self.splits.items()
            },
        }


def evaluate_retrieval(
    index: PageIndex,
    name: str,
    questions: Sequence[JudgedQuestion],
    runs: Sequence[Run],
    *,
    split: Iterable[str] = (),
    against: str | None = None,
    index_for: Callable[[str], tuple[PageIndex, float | None]] | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> RetrievalReport:
    """Measure the runs. ``split`` are fields of the questions by whose values results are split.

    ``index_for`` gives the index of another encoder by its name, with the seconds that a page took. Raises
    QuestionsError if no question has evidence pages or none has a field, UnknownDocument.
    """
    if against not in {None, *(run.name for run in runs)}:
        raise QuestionsError(
            f"{against!r} is none of the runs: compare with one of {', '.join(run.name for run in runs)}."
        )
    sources = {row.label: row.text_source for row in index.pages()}
    asked, left_out = _measurable(index, questions, sources)
    report = RetrievalReport(
        name, asked, left_out, len(index.documents()), len(sources), against=against or runs[0].name
    )
    report.splits = {one: _rows_by(one, asked, sources) for one in split}
    step = _counted(progress, len(runs) * len(_scopes(asked)) * len(asked))
    for run in runs:
        used, seconds_per_page = index_for(run.encoder) if run.encoder and index_for else (index, None)
        report.runs.append(RunReport(run, _run_scores(used, asked, run, step), bytes_per_page(used), seconds_per_page))
    return report


def _run_scores(
    index: PageIndex, asked: Sequence[JudgedQuestion], run: Run, step: Callable[[], None]
) -> dict[str, Scores]:
    """A run's values by scope."""
    relevant = {question.id: _labels(question) for question in asked}
    rankings = {scope: rank(index, asked, run, within=scope == "document", progress=step) for scope in _scopes(asked)}
    return {
        scope: Scores(measure(relevant, ranked.found), statistics.median(ranked.seconds))
        for scope, ranked in rankings.items()
    }


def _scopes(asked: Sequence[JudgedQuestion]) -> tuple[str, ...]:
    return SCOPES if all(question.documents for question in asked) else SCOPES[:1]


def _counted(progress: Callable[[int, int], None], total: int) -> Callable[[], None]:
    """Calls ``progress`` with how often it was called itself, of ``total`` times."""
    done = itertools.count(1)
    return lambda: progress(next(done), total)


def bytes_per_page(index: PageIndex) -> float:
    """What the index takes on the disk a page: vectors and Milvus, without the documents themselves."""
    kept = index.path / "documents"
    sizes = (
        (Path(folder) / name).stat().st_size
        for folder, _, names in os.walk(index.path)
        if not Path(folder).is_relative_to(kept)
        for name in names
    )
    return sum(sizes) / max(1, len(index.pages()))


def _labels(question: JudgedQuestion) -> dict[str, int]:
    return {page_label(place.document, place.page): grade for place, grade in question.pages.items()}


def _measurable(
    index: PageIndex, questions: Sequence[JudgedQuestion], known: Mapping[str, Any]
) -> tuple[list[JudgedQuestion], dict[str, int]]:
    """The questions with a page that is in the index, documents by the names that it has for them; and how many not."""
    with_pages = [_named(index, question) for question in questions if question.pages]
    kept = [question for question in with_pages if any(label in known for label in _labels(question))]
    if not kept:
        raise QuestionsError(
            f"none of the {len(questions)} questions has an evidence page that is in the index: retrieval cannot be "
            "measured with them. Give them 'pages', and index their documents."
        )
    counts = {
        "without evidence pages": len(questions) - len(with_pages),
        "with pages that their documents do not have": len(with_pages) - len(kept),
    }
    return kept, {reason: count for reason, count in counts.items() if count}


def _named(index: PageIndex, question: JudgedQuestion) -> JudgedQuestion:
    names = {place.document: index.document(place.document).document for place in question.pages}
    pages = {replace(place, document=names[place.document]): grade for place, grade in question.pages.items()}
    documents = tuple(index.document(name).document for name in question.documents)
    return replace(question, pages=pages, documents=documents)


def _rows_by(name: str, questions: Sequence[JudgedQuestion], sources: Mapping[str, str]) -> dict[str, NDArray[np.intp]]:
    """For each value of a field the rows of the questions that have it; of a list each member counts."""
    rows: dict[str, list[int]] = {}
    for row, question in enumerate(questions):
        for value in _values(name, question, sources):
            rows.setdefault(value, []).append(row)
    if not rows:
        fields = sorted({key for question in questions for key in question.fields} | {TEXT_SOURCE})
        raise QuestionsError(f"no question has the field {name!r}; there are {', '.join(fields)}.")
    return {value: np.array(rows[value]) for value in sorted(rows) if len(rows[value]) >= _FEWEST}


def _values(name: str, question: JudgedQuestion, sources: Mapping[str, str]) -> list[str]:
    if name == TEXT_SOURCE:
        found = {sources[label] for label in _labels(question) if label in sources}
        return [found.pop() if len(found) == 1 else "several"]
    value = question.fields.get(name)
    every = value if isinstance(value, list) else [value]
    return list(dict.fromkeys(str(one) for one in every if one is not None))
