"""A BEIR-style folder: what is searched, what is asked, and which page answers what.

corpus.jsonl     {"_id": "p1", "path": "pages/report.pdf", "page": 3}; `page` is 1 if left out. In place of this file a
                 folder corpus/ (or images/, pages/) will do, with one file a page, named for its id: corpus/p1.png
queries.jsonl    {"_id": "q1", "text": "How high was the net revenue?"}
qrels/test.tsv   query-id, corpus-id, score: a line each, the columns named in the first one

The form is that of Thakur et al., "BEIR" (2021), with pages in place of texts.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

from pagesight.indexing.errors import QuestionsError
from pagesight.indexing.evaluate.questions import EvidencePage, JudgedQuestion, QuestionSet, json_lines, refuse_repeated
from pagesight.indexing.labels.page_numbers import whole_number

_SPLITS = ("test", "dev", "validation", "train")
_FOLDERS = ("corpus", "images", "pages")


def is_beir(folder: Path) -> bool:
    """Whether the folder has queries and qrels as files that BEIR has."""
    return (folder / "queries.jsonl").is_file()


def read_beir(folder: Path) -> QuestionSet:
    """The collection in a folder. Raises QuestionsError, naming the file and line."""
    corpus = _corpus(folder)
    answers = _qrels(folder, corpus)
    questions = []
    for where, row in json_lines(folder / "queries.jsonl"):
        known = _id(where, row)
        text = row.get("text") or row.get("query")
        if not isinstance(text, str) or not text.strip():
            raise QuestionsError(f"{where} has no question: give it a text in the field 'text'.")
        questions.append(
            JudgedQuestion(known, text, answers.pop(known, {}), answer=row.get("answer"), fields=row, source=where)
        )
    if answers:
        raise QuestionsError(
            f"the qrels of {folder} name the query {next(iter(answers))!r}, which queries.jsonl lacks."
        )
    refuse_repeated(questions)
    return QuestionSet(folder.name, questions, sorted({Path(place.document) for place in corpus.values()}))


def _corpus(folder: Path) -> dict[str, EvidencePage]:
    if (folder / "corpus.jsonl").is_file():
        return dict(_described(folder, where, row) for where, row in json_lines(folder / "corpus.jsonl"))
    found = [path for name in _FOLDERS if (folder / name).is_dir() for path in sorted((folder / name).iterdir())]
    if not found:
        raise QuestionsError(
            f"{folder} has neither corpus.jsonl nor a folder corpus/: put the pages there, as pictures or PDFs."
        )
    return {path.stem: EvidencePage(str(path.resolve()), 1) for path in found if path.is_file()}


def _described(folder: Path, where: str, row: dict[str, Any]) -> tuple[str, EvidencePage]:
    known = _id(where, row)
    named = next((row[key] for key in ("path", "file", "image", "pdf") if row.get(key)), None)
    if not isinstance(named, str):
        raise QuestionsError(f"{where} names no file: give its path, from {folder.name}/ on, in the field 'path'.")
    path = (folder / named).resolve()
    if not path.is_file():
        raise QuestionsError(f"{where} names {named}, and there is no such file in {folder}.")
    page = whole_number(str(row.get("page", 1)))
    if not page:
        raise QuestionsError(f"{where}: {row['page']!r} is no page; write its number from 1.")
    return known, EvidencePage(str(path), page)


def _qrels(folder: Path, corpus: dict[str, EvidencePage]) -> dict[str, dict[EvidencePage, int]]:
    """For each query its pages and their grades; those graded 0 are left out."""
    tables = [folder / "qrels" / f"{split}.tsv" for split in _SPLITS] + [folder / "qrels.tsv"]
    table = next((path for path in tables if path.is_file()), None)
    if table is None:
        raise QuestionsError(f"{folder} has no qrels/test.tsv: write query-id, corpus-id and score, tabs between them.")
    answers: dict[str, dict[EvidencePage, int]] = {}
    with table.open(newline="", encoding="utf-8") as file:
        for number, cells in enumerate(csv.reader(file, delimiter="\t"), 1):
            if not cells or (number == 1 and not _is_grade(cells[-1])):
                continue
            query, page, grade = _graded(f"{table.name} line {number}", cells, corpus)
            if grade > 0:
                answers.setdefault(query, {})[page] = int(grade)
    return answers


def _graded(where: str, cells: list[str], corpus: dict[str, EvidencePage]) -> tuple[str, EvidencePage, float]:
    """A query, a page of the corpus and its grade, from a line of qrels. Raises QuestionsError."""
    if len(cells) not in (3, 4) or not _is_grade(cells[-1]):
        raise QuestionsError(f"{where} is {cells}: write query-id, corpus-id and score, tabs between them.")
    if cells[-2] not in corpus:
        raise QuestionsError(f"{where} names {cells[-2]!r}, which the corpus lacks.")
    return cells[0], corpus[cells[-2]], float(cells[-1])


def _is_grade(cell: str) -> bool:
    return re.fullmatch(r"[0-9]{1,9}(\.[0-9]*)?", cell.strip()) is not None


def _id(where: str, row: dict[str, Any]) -> str:
    if "_id" not in row:
        raise QuestionsError(f"{where} has no '_id'.")
    return str(row["_id"])
