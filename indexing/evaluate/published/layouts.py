"""The published sets that are known, each with its columns as its authors describe them."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from pagesight.indexing.errors import QuestionsError
from pagesight.indexing.evaluate.published.layout import Layout, Row, list_of, text_of
from pagesight.indexing.evaluate.published.local_copy import LocalCopy
from pagesight.indexing.evaluate.questions import EvidencePage, JudgedQuestion
from pagesight.indexing.evaluate.vidore import as_box, listed, written_picture
from pagesight.indexing.pages import Box

_DOCSCOPE_DPI = 144  # of the pixels that its boxes are in


def _mmlongbench(where: str, row: Row, copy: LocalCopy) -> JudgedQuestion:
    """Ma et al., "MMLongBench-Doc" (2024): a row a question, lists written as Python writes them."""
    document = copy.document(text_of(where, row, "doc_id"))
    pages = _literal(where, row, "evidence_pages", int)
    fields = dict(row) | {"evidence_sources": _literal(where, row, "evidence_sources", str)}
    return _question(where, where.rpartition(" ")[2], row, document, pages, str(row["answer"]), fields)


def _madqa(where: str, row: Row, copy: LocalCopy) -> JudgedQuestion:
    """MADQA (2026): several ways to write the answer, each a list; evidence in several documents."""
    variants = tuple(tuple(map(str, variant)) for variant in row["answer_variants"] or () if variant)
    evidence: dict[EvidencePage, int] = {}
    for place in listed(row["evidence"]):
        if document := copy.document(str(place["document"])):
            evidence[EvidencePage(document, _page(where, place["page"]))] = 1
    return JudgedQuestion(
        text_of(where, row, "id"), text_of(where, row, "question"), evidence,
        tuple(dict.fromkeys(page.document for page in evidence)),
        ", ".join(variants[0]) if variants else None, row, where, variants,
    )  # fmt: skip


def _docscope(where: str, row: Row, copy: LocalCopy) -> JudgedQuestion:
    """DocScope (2026): evidence regions in pixels of the page at 144 dpi."""
    answer, document = row["answer"], copy.document(str(row["pdf"]["doc_id_str"]))
    expected = str(answer["answer_text"]) if answer.get("is_answerable", True) else "Unanswerable"
    pages = [_page(where, evidence["page"]) for evidence in row["evidences"]]
    question = _question(where, text_of(where, row, "id"), row, document, pages, expected, row)
    if document is None:
        return question
    sizes = copy.page_sizes(document)
    boxes: dict[EvidencePage, list[Box]] = {}
    for evidence, page in zip(row["evidences"], pages, strict=True):
        if page <= len(sizes) and len(evidence["bbox"]) == 4:
            width, height = (side * _DOCSCOPE_DPI / 72 for side in sizes[page - 1])
            boxes.setdefault(EvidencePage(document, page), []).append(as_box(evidence["bbox"], width, height))
    return replace(question, boxes={page: (tuple(marked),) for page, marked in boxes.items()})


def _financebench(where: str, row: Row, copy: LocalCopy) -> JudgedQuestion:
    """FinanceBench (Islam et al., 2023): pages counted from 0; evidence may stand in another document."""
    evidence: dict[EvidencePage, int] = {}
    for place in row["evidence"]:
        if document := copy.document(str(place.get("doc_name", row["doc_name"]))):
            evidence[EvidencePage(document, _page(where, place["evidence_page_num"] + 1))] = 1
    own = copy.document(text_of(where, row, "doc_name"))
    documents = tuple(dict.fromkeys([*([own] if own else []), *(page.document for page in evidence)]))
    return JudgedQuestion(
        text_of(where, row, "financebench_id"), text_of(where, row, "question"), evidence, documents,
        str(row["answer"]), row, where,
    )  # fmt: skip


def _slidevqa(where: str, row: Row, copy: LocalCopy) -> JudgedQuestion:
    """SlideVQA (Tanaka et al., 2023): decks of 20 pictures, in the row or in a folder named for the deck."""
    deck = text_of(where, row, "deck_name")
    held = [(name, row[name]) for name in _SLIDES if row.get(name)]
    slides = [str(written_picture(image, copy.pictures / _safe(deck), name)) for name, image in held]
    slides = slides or copy.slides(deck)
    pages = list_of(where, row, "evidence_pages", int)
    if slides and not all(1 <= page <= len(slides) for page in pages):
        raise QuestionsError(f"{where}: the column 'evidence_pages' is {pages}, of a deck of {len(slides)} slides.")
    evidence = {EvidencePage(slides[page - 1], 1): 1 for page in pages} if slides else {}
    fields = {name: value for name, value in row.items() if name not in _SLIDES}
    return JudgedQuestion(
        str(row["qa_id"]), text_of(where, row, "question"), evidence, tuple(slides), str(row["answer"]), fields, where,
    )  # fmt: skip


_SLIDES = [f"page_{number}" for number in range(1, 21)]

LAYOUTS = (
    Layout(
        "mmlongbench", "MMLongBench-Doc", "yubo2333/MMLongBench-Doc", "its repository's folder documents/",
        frozenset(("doc_id", "answer_format")),
        frozenset(
            ("doc_id", "doc_type", "question", "answer", "evidence_pages", "evidence_sources", "answer_format")
        ),
        frozenset(),
        _mmlongbench,
    ),
    Layout(
        "madqa", "MADQA", "OxRML/MADQA", "examples/download_pdfs.py of its repository, which fetches them",
        frozenset(("answer_variants",)),
        frozenset(("id", "question", "answer_variants", "evidence", "document_category", "domain")), frozenset(),
        _madqa,
    ),
    Layout(
        "docscope", "DocScope", "MiliLab/DocScope", "its repository's folder pdfs/",
        frozenset(("evidences", "pdf")),
        frozenset(("id", "split", "question", "answer", "pdf", "evidences", "facts", "extract_class")), frozenset(),
        _docscope,
    ),
    Layout(
        "financebench", "FinanceBench", "PatronusAI/financebench", "the folder pdfs/ of patronus-ai/financebench",
        frozenset(("financebench_id",)),
        frozenset(
            ("financebench_id", "company", "doc_name", "question_type", "question_reasoning", "domain_question_num",
             "question", "answer", "justification", "dataset_subset_label", "evidence")
        ),
        frozenset(("gics_sector", "doc_type", "doc_period", "doc_link")),
        _financebench,
    ),
    Layout(
        "slidevqa", "SlideVQA", "NTT-hil-insight/SlideVQA", "its dataset on the hub, whose rows hold the slides",
        frozenset(("deck_name", "qa_id")),
        frozenset(("deck_name", "qa_id", "question", "answer", "evidence_pages", "arithmetic_expression")),
        frozenset(("deck_url", "image_urls", "reasoning_type", "answer_type", *_SLIDES)),
        _slidevqa,
    ),
)  # fmt: skip


def _question(
    where: str, known: str, row: Row, document: str | None, pages: Iterable[int], answer: str, fields: Row
) -> JudgedQuestion:
    """A question about one document."""
    evidence = {EvidencePage(document, page): 1 for page in pages} if document else {}
    documents = (document,) if document else ()
    return JudgedQuestion(known, text_of(where, row, "question"), evidence, documents, answer, fields, where)


def _literal(where: str, row: Row, column: str, kind: type) -> list[Any]:
    """A list that is written as Python writes it, such as "[3, 5]"."""
    try:
        value = ast.literal_eval(row[column]) if isinstance(row[column], str) else row[column]
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        value = row[column]
    return list_of(where, {column: value}, column, kind)


def _page(where: str, number: Any) -> int:
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise QuestionsError(f"{where} has {number!r:.40} for a page, which is none.")
    return number


def _safe(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in name)[:120] or "deck"
