"""Questions with the pages that answer them, and the JSONL file that they are usually kept in.

One JSON object a line::

    {"id": "q1", "question": "How high was the net revenue?", "document": "report.pdf", "pages": [12], "answer": "4.2"}

Only `question` must be there. `pages` are numbers in `document`, or labels such as "report.pdf p. 12"; without any, the
question counts for answers only. `boxes` are where on these pages the answer stands, by page as there: `{"12": [[left,
top, right, bottom]]}`, each 0-1 of the page from its top left corner. All other fields are kept, to split results by.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pagesight.indexing.errors import QuestionsError
from pagesight.indexing.labels.page_numbers import whole_number
from pagesight.indexing.pages import Box


@dataclass(frozen=True)
class EvidencePage:
    """A page as a collection names it: a document's name, path or id, and the page's number."""

    document: str
    page: int


@dataclass(frozen=True)
class JudgedQuestion:
    """A question; ``pages`` are its evidence with their grades (1 or more), ``documents`` those it is asked about.

    ``source`` says where it stands, such as ``questions.jsonl line 3``; ``fields`` is all that stands there.
    ``variants`` are ways to write the answer, each a list, any of which will do; ``boxes`` what each person marked of
    an evidence page, as parts of it.
    """

    id: str
    text: str
    pages: Mapping[EvidencePage, int] = field(default_factory=dict)
    documents: tuple[str, ...] = ()
    answer: str | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    source: str = ""
    variants: tuple[tuple[str, ...], ...] = ()
    boxes: Mapping[EvidencePage, tuple[tuple[Box, ...], ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class QuestionSet:
    """Questions, and the files that must be indexed for them: none if they are asked of an index that is there.

    ``benchmark`` is the published set whose own measures apply, such as "mmlongbench"; "" for others.
    """

    name: str
    questions: list[JudgedQuestion]
    files: list[Path] = field(default_factory=list)
    benchmark: str = ""


def read_questions(path: Path) -> QuestionSet:
    """The questions of a JSONL file. Raises QuestionsError, naming the line."""
    if not path.is_file():
        raise QuestionsError(f"there is no file {path}: name a JSONL file with a question on each line.")
    questions = [_question(*row) for row in json_lines(path)]
    if not questions:
        raise QuestionsError(f"{path} holds no questions: write one JSON object a line.")
    refuse_repeated(questions)
    return QuestionSet(path.stem, questions)


def json_lines(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each object of a JSONL file with where it stands. Raises QuestionsError, naming the line."""
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        if not line.strip():
            continue
        where = f"{path.name} line {number}"
        try:
            row = json.loads(line)
        except ValueError as error:
            raise QuestionsError(f"{where} is no JSON ({error}): write one object a line.") from error
        if not isinstance(row, dict):
            raise QuestionsError(f"{where} is {type(row).__name__} and not an object: write {{…}}.")
        yield where, row


def refuse_repeated(questions: list[JudgedQuestion]) -> None:
    """Raises QuestionsError if two questions have the same id."""
    first: dict[str, JudgedQuestion] = {}
    for question in questions:
        if question.id in first:
            raise QuestionsError(
                f"{question.source} has the id {question.id!r} of {first[question.id].source}: ids must differ."
            )
        first[question.id] = question


def _question(where: str, row: dict[str, Any]) -> JudgedQuestion:
    text = row.get("question", row.get("query"))
    if not isinstance(text, str) or not text.strip():
        raise QuestionsError(f"{where} has no question: give it a text in the field 'question'.")
    document = row.get("document")
    if document is not None and not isinstance(document, str):
        raise QuestionsError(f"{where}: 'document' is {document!r}; write the document's name, or leave it out.")
    answer = row.get("answer")
    return JudgedQuestion(
        id=str(row.get("id", where.rpartition(" ")[2])),
        text=text,
        pages={_evidence_page(where, page, document): 1 for page in _list(where, row.get("pages"))},
        documents=(document,) if document else (),
        answer=None if answer is None else str(answer),
        fields=row,
        source=where,
        boxes=_boxes(where, row.get("boxes"), document),
    )


def _boxes(where: str, marked: Any, document: str | None) -> dict[EvidencePage, tuple[tuple[Box, ...], ...]]:
    """What is marked of each page, by one person."""
    if marked is None:
        return {}
    try:
        return {
            _evidence_page(where, int(page) if page.isdigit() else page, document): (tuple(map(_box, boxes)),)
            for page, boxes in marked.items()
        }
    except (AttributeError, TypeError, ValueError) as error:
        raise QuestionsError(
            f"{where}: 'boxes' is {marked!r}; write {{\"12\": [[left, top, right, bottom]]}}, each 0-1 of the page."
        ) from error


def _box(edges: Any) -> Box:
    left, top, right, bottom = map(float, edges)
    if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
        raise ValueError(edges)
    return left, top, right, bottom


def _list(where: str, pages: Any) -> list[Any]:
    if pages is None:
        return []
    if not isinstance(pages, list):
        raise QuestionsError(f"{where}: 'pages' is {pages!r}; write a list of page numbers, such as [3, 4].")
    return pages


def _evidence_page(where: str, page: Any, document: str | None) -> EvidencePage:
    if isinstance(page, str) and " p. " in page:
        name, _, written = page.rpartition(" p. ")
        if number := whole_number(written):
            return EvidencePage(name, number)
    if not isinstance(page, int) or isinstance(page, bool) or page < 1:
        raise QuestionsError(
            f"{where}: {page!r} is no page; write its number from 1, or a label as 'report.pdf p. 12'."
        )
    if document is None:
        raise QuestionsError(f"{where} names page {page} of no document: give its name in the field 'document'.")
    return EvidencePage(document, page)
