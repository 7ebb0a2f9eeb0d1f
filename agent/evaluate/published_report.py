"""What a published set's own measures make of the answers to its questions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pagesight.agent.evaluate import published_scores as by
from pagesight.agent.evaluate.scoring import is_answerable, without_citations
from pagesight.indexing.pages import page_label

if TYPE_CHECKING:
    from pagesight.agent.evaluate.ask_questions import AskedQuestion
    from pagesight.indexing import PageIndex

Scores = dict[str, float | None]

_PAGES = {
    "page_precision": "pages cited that are evidence, 0 where none is cited",
    "page_recall": "evidence pages that are cited",
    "page_f1": "harmonic mean of the two, for each question",
}

#: Of each published set its own measures, and what each says.
MEASURES: dict[str, dict[str, str]] = {
    "mmlongbench": {"mmlongbench_accuracy": "MMLongBench-Doc's score, by the form of the expected answer"},
    "madqa": {
        "anls_star": "ANLS*, the best over the ways to write the answer",
        "madqa_accuracy": "questions with ANLS* of one half or more",
        "document_f1": "documents cited against those of the evidence",
        "page_f1": _PAGES["page_f1"],
    },
    "slidevqa": {
        "qa_em": "the expected words and no others, as SlideVQA writes them alike",
        "qa_f1": "words shared with the expected answer",
        "evidence_em": "the evidence slides cited and no others",
        "evidence_f1": "slides cited against the evidence",
        "joint_em": "both exactly",
        "joint_f1": "F1 of the products of both precisions and both recalls",
    },
    "docscope": _PAGES,
    "financebench": {
        "correct": "in the judge's view right",
        "incorrect": "answered, and in the judge's view wrong",
        "refused": "told that there is no answer",
    },
}

#: Figures over all questions that are no mean of single ones, and what each says.
TOTALS = {
    "mmlongbench_f1": "of the scores over answerable questions and over answers given",
    "page_f1_micro": "F1 over all pages cited and all evidence pages",
    "kuiper": "how far what is right depends on the model calls; less is better",
    "wasted_effort": "model calls for wrong answers, as a part of those for right ones",
}


def published_scores(benchmark: str, index: PageIndex, asked: AskedQuestion) -> Scores:
    """One question's values of the set's own measures; none for other sets."""
    score = _BY_BENCHMARK.get(benchmark)
    return score(index, asked) if score else {}


def published_totals(benchmark: str, index: PageIndex, asked: Sequence[AskedQuestion]) -> dict[str, float]:
    """The set's figures over all questions."""
    total = _TOTALS_BY_BENCHMARK.get(benchmark)
    found = total(index, asked) if total else {}
    return {name: value for name, value in found.items() if value is not None}


def _mmlongbench(index: PageIndex, asked: AskedQuestion) -> Scores:
    form = str(asked.question.fields.get("answer_format", "Str"))
    return {"mmlongbench_accuracy": by.mmlongbench_score(_brief(asked), asked.question.answer or "", form)}


def _madqa(index: PageIndex, asked: AskedQuestion) -> Scores:
    score = by.anls_star(_brief(asked), asked.question.variants)
    cited, evidence = _cited(asked), _evidence(index, asked)
    documents = by.evidence_scores([_document_of(one) for one in cited], [_document_of(one) for one in evidence])
    return {
        "anls_star": score,
        "madqa_accuracy": float(score >= 0.5),
        "document_f1": by.f1(*documents[:2]) if evidence else None,
        "page_f1": by.f1(*by.evidence_scores(cited, evidence)[:2]) if evidence else None,
    }


def _slidevqa(index: PageIndex, asked: AskedQuestion) -> Scores:
    words = by.slidevqa_scores(_brief(asked), asked.question.answer or "", asked.question.text)
    slides = by.evidence_scores(_cited(asked), _evidence(index, asked))
    return {
        "qa_em": words[2],
        "qa_f1": by.f1(*words[:2]),
        "evidence_em": slides[2],
        "evidence_f1": by.f1(*slides[:2]),
        "joint_em": words[2] * slides[2],
        "joint_f1": by.f1(words[0] * slides[0], words[1] * slides[1]),
    }


def _docscope(index: PageIndex, asked: AskedQuestion) -> Scores:
    evidence = _evidence(index, asked)
    if not evidence:
        return {}
    precision, recall, _ = by.evidence_scores(_cited(asked), evidence)
    return {"page_precision": precision, "page_recall": recall, "page_f1": by.f1(precision, recall)}


def _financebench(index: PageIndex, asked: AskedQuestion) -> Scores:
    record = asked.record or {}
    if not record["found"]:
        return {"correct": 0.0, "incorrect": 0.0, "refused": 1.0}
    if "judgement" not in record:
        return {"refused": 0.0}
    right = float(record["judgement"])
    return {"correct": right, "incorrect": 1 - right, "refused": 0.0}


_BY_BENCHMARK = {
    "mmlongbench": _mmlongbench, "madqa": _madqa, "slidevqa": _slidevqa, "docscope": _docscope,
    "financebench": _financebench,
}  # fmt: skip


def _mmlongbench_totals(index: PageIndex, asked: Sequence[AskedQuestion]) -> Scores:
    scores = [_mmlongbench(index, one)["mmlongbench_accuracy"] or 0.0 for one in asked]
    answerable = [is_answerable(one.question.answer or "") for one in asked]
    return {"mmlongbench_f1": by.mmlongbench_f1(scores, answerable, [(one.record or {})["found"] for one in asked])}


def _madqa_totals(index: PageIndex, asked: Sequence[AskedQuestion]) -> Scores:
    right = [by.anls_star(_brief(one), one.question.variants) >= 0.5 for one in asked]
    effort = [float((one.record or {})["usage"].get("model_calls") or 0) for one in asked]
    return {"kuiper": by.kuiper(effort, right), "wasted_effort": by.wasted_effort(effort, right)}


def _docscope_totals(index: PageIndex, asked: Sequence[AskedQuestion]) -> Scores:
    pairs = [(set(_cited(one)), set(evidence)) for one in asked if (evidence := _evidence(index, one))]
    shared = sum(len(cited & evidence) for cited, evidence in pairs)
    given, wanted = (sum(len(pair[side]) for pair in pairs) for side in (0, 1))
    return {"page_f1_micro": 2 * shared / (given + wanted) if given + wanted else None}


_TOTALS_BY_BENCHMARK = {"mmlongbench": _mmlongbench_totals, "madqa": _madqa_totals, "docscope": _docscope_totals}


def _brief(asked: AskedQuestion) -> str | list[str]:
    """What is compared: the answer in brief, where a model made it so; else its whole text."""
    record: dict[str, Any] = asked.record or {}
    if not record["found"]:
        return "Not answerable"
    brief: str | list[str] = record.get("brief_answer") or without_citations(record["answer"])
    return brief


def _cited(asked: AskedQuestion) -> list[str]:
    return list((asked.record or {}).get("cited", []))


def _evidence(index: PageIndex, asked: AskedQuestion) -> list[str]:
    return [page_label(index.document(page.document).document, page.page) for page in asked.question.pages]


def _document_of(label: str) -> str:
    """The document of a page's label."""
    return label.rpartition(" p. ")[0]
