"""What the answers to questions come to: how many are right, how well they cite, what they cost."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from pagesight.agent.evaluate import published_report
from pagesight.agent.evaluate.ask_questions import AskedQuestion
from pagesight.agent.evaluate.published_report import published_scores, published_totals
from pagesight.agent.evaluate.regions import region_scores
from pagesight.agent.evaluate.scoring import (
    anls,
    contains,
    exact,
    is_answerable,
    mean,
    numeric,
    precision_and_recall,
    token_f1,
)
from pagesight.indexing.errors import QuestionsError
from pagesight.indexing.evaluate.metrics import MeanInBounds, estimate
from pagesight.indexing.pages import page_label

if TYPE_CHECKING:
    from pagesight.indexing import PageIndex

#: Each measure with what it says; see `agent/evaluate/scoring.py`.
MEASURES = {
    "right": "exact or numeric match, or that there is no answer where there is none",
    "exact": "the expected answer and nothing else",
    "numeric": "the expected number is among the answer's, where a number is expected",
    "contains": "the expected answer stands in the answer",
    "token_f1": "words shared with the expected answer",
    "anls": "letters shared with the expected answer",
    "judged": "in the judge's view the answer says what is expected",
    "citation_precision": "pages cited that are evidence",
    "citation_recall": "evidence pages that are cited",
    "region_f1": "area of the marked regions shared with those cited, or with the words that support the answer",
    "region_iou": "the same, as a part of all that is marked or cited",
    "not_found_precision": "answers that say that there is none, where there is none",
    "not_found_recall": "questions without an answer that are told so",
}


@dataclass
class AnswerReport:
    """The measures of answers, each with its interval, their costs, and the questions that failed.

    ``benchmark`` is the published set that the questions are of, if any, and ``totals`` its figures over all of them;
    ``effort`` is the one that they were answered with, if one was set.
    """

    name: str
    reasoner: str
    scores: list[dict[str, float | None]]
    costs: dict[str, float | None]
    failures: dict[str, str] = field(default_factory=dict)
    splits: dict[str, dict[str, list[int]]] = field(default_factory=dict)
    benchmark: str = ""
    totals: dict[str, float] = field(default_factory=dict)
    effort: str | None = None

    @property
    def measures(self) -> dict[str, str]:
        """The measures that apply, the published set's own first, each with what it says."""
        return published_report.MEASURES.get(self.benchmark, {}) | MEASURES

    def of(self, measure: str, rows: Sequence[int] | None = None) -> tuple[int, MeanInBounds] | None:
        """Over how many questions a measure is taken, and its mean; None if it is of none."""
        chosen = self.scores if rows is None else [self.scores[row] for row in rows]
        values = np.array([value for one in chosen if (value := one.get(measure)) is not None])
        return (len(values), estimate(values)) if len(values) else None

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON has it."""
        return {
            "collection": self.name,
            "reasoner": self.reasoner,
            **({"effort": self.effort} if self.effort else {}),
            "questions": len(self.scores),
            "failed": self.failures,
            "measures": self._measures(None),
            **({"totals": {name: round(value, 4) for name, value in self.totals.items()}} if self.totals else {}),
            "costs": self.costs,
            "splits": {
                split: {value: self._measures(rows) for value, rows in values.items()}
                for split, values in self.splits.items()
            },
        }

    @property
    def who(self) -> str:
        """Who answered, and with which effort."""
        return f"{self.reasoner}, effort {self.effort}" if self.effort else self.reasoner

    @property
    def accuracy(self) -> dict[str, float]:
        """How many answers are right: by the published set's first measure, by the judge, by exact match."""
        own = [*published_report.MEASURES.get(self.benchmark, {})][:1]
        found = {name: self.of(name) for name in dict.fromkeys([*own, "judged", "right"])}
        return {name: one[1].mean for name, one in found.items() if one}

    def _measures(self, rows: Sequence[int] | None) -> dict[str, Any]:
        found = {measure: self.of(measure, rows) for measure in self.measures}
        return {name: {"questions": one[0]} | one[1].as_dict() for name, one in found.items() if one}


def report_on(
    name: str,
    reasoner: str,
    index: PageIndex,
    asked: Sequence[AskedQuestion],
    split: Sequence[str] = (),
    benchmark: str = "",
    effort: str | None = None,
) -> AnswerReport:
    """The report on answers. Raises QuestionsError for a field that no question has, UnknownDocument."""
    answered = [one for one in asked if one.record and not one.failure]
    failures = {one.question.id: one.failure for one in asked if one.failure}
    scores = [_scores(index, one) | published_scores(benchmark, index, one) for one in answered]
    splits = {field: _rows_by(field, answered) for field in split}
    costs, totals = _costs([one.record or {} for one in answered]), published_totals(benchmark, index, answered)
    return AnswerReport(name, reasoner, scores, costs, failures, splits, benchmark, totals, effort)


def _scores(index: PageIndex, asked: AskedQuestion) -> dict[str, float | None]:
    """One question's values; None where a measure says nothing about it."""
    record, expected = asked.record or {}, asked.question.answer or ""
    if not is_answerable(expected):
        said = float(not record["found"])
        return {"right": said, "not_found_precision": None if record["found"] else 1.0, "not_found_recall": said}
    scores = _scores_of_text(record, expected) if record["found"] else _scores_of_none(expected)
    evidence = [page_label(index.document(page.document).document, page.page) for page in asked.question.pages]
    precision, recall = precision_and_recall(record["cited"], evidence)
    scores |= {"citation_precision": precision if evidence else None, "citation_recall": recall}
    return scores | region_scores(index, asked)


def _scores_of_text(record: dict[str, Any], expected: str) -> dict[str, float | None]:
    """What an answer's text is worth beside the expected one."""
    scores: dict[str, float | None] = {name: of(record["answer"], expected) for name, of in _BY_TEXT.items()}
    judged = float(record["judgement"]) if "judgement" in record else None
    return scores | {"right": max(scores["exact"] or 0.0, scores["numeric"] or 0.0), "judged": judged}


def _scores_of_none(expected: str) -> dict[str, float | None]:
    """What it is worth to say that there is no answer where there is one."""
    expects_number = numeric("", expected) is not None
    scores: dict[str, float | None] = dict.fromkeys(("exact", "contains", "token_f1", "anls", "right"), 0.0)
    return scores | {"numeric": 0.0 if expects_number else None, "judged": None, "not_found_precision": 0.0}


_BY_TEXT = {"exact": exact, "numeric": numeric, "contains": contains, "token_f1": token_f1, "anls": anls}


def _costs(records: Sequence[dict[str, Any]]) -> dict[str, float | None]:
    """US dollars, tokens, seconds and steps; dollars are None where the price is not known."""
    dollars = [record["usage"].get("cost") for record in records]
    seconds = sorted(record["seconds"] for record in records)
    return {
        "dollars": sum(one for one in dollars if one is not None) if records and None not in dollars else None,
        "tokens_per_question": mean(record["usage"].get("total_tokens") for record in records),
        "model_calls_per_question": mean(record["usage"].get("model_calls") for record in records),
        "pages_viewed_per_question": mean(len(record["pages_viewed"]) for record in records),
        "seconds_median": statistics.median(seconds) if seconds else None,
        "seconds_p90": float(np.quantile(seconds, 0.9)) if seconds else None,
    }


def _rows_by(name: str, answered: Sequence[AskedQuestion]) -> dict[str, list[int]]:
    rows: dict[str, list[int]] = {}
    for row, one in enumerate(answered):
        value = one.question.fields.get(name)
        for each in value if isinstance(value, list) else [value]:
            if each is not None:
                rows.setdefault(str(each), []).append(row)
    if not rows:
        fields = sorted({key for one in answered for key in one.question.fields})
        raise QuestionsError(f"no question has the field {name!r}; there are {', '.join(fields)}.")
    return dict(sorted(rows.items()))
