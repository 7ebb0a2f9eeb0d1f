"""Datasets in ViDoRe's formats, by their name on a hub or from a local copy, through the package `datasets`.

V1 and REAL-MM-RAG are one table, a row for each question with its page's picture; rows without a question only add a
page. V2, V3 and the ..._beir variants have three tables: corpus, queries and qrels. The pictures are written to files,
so that they are indexed as any other document.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image

from pagesight.indexing.configuration.installation import install_command
from pagesight.indexing.errors import MissingExtra, QuestionsError
from pagesight.indexing.evaluate.questions import EvidencePage, JudgedQuestion, QuestionSet
from pagesight.indexing.pages import Box

_TABLES = ("corpus", "queries", "qrels")
_Boxes = dict[str, dict[EvidencePage, tuple[tuple[Box, ...], ...]]]
_SIGNATURES = {b"\x89PNG": ".png", b"\xff\xd8": ".jpg", b"RIFF": ".webp", b"II*\x00": ".tif", b"MM\x00*": ".tif"}


def read_vidore(name: str, folder: Path, *, language: str | None = None) -> QuestionSet:
    """The dataset of that name, or in that folder; its pictures are written to ``folder``.

    ``language`` keeps the questions in one, where they say theirs. Raises QuestionsError if it cannot be had or is in
    another format, MissingExtra without the package `datasets`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tables = _load(name)
    title = Path(name).name
    if set(tables) >= set(_TABLES):
        questions, files = _three_tables(title, tables, folder, language)
        return QuestionSet(title, questions, files, "vidore_v3" if any(one.boxes for one in questions) else "")
    return QuestionSet(title, *_one_table(title, next(iter(tables.values())), folder))


def _one_table(name: str, rows: Iterable[dict[str, Any]], folder: Path) -> tuple[list[JudgedQuestion], list[Path]]:
    files: dict[str, Path] = {}
    questions = []
    for number, row in enumerate(rows, 1):
        if "image" not in row or not any(key in row for key in ("query", "question")):
            raise QuestionsError(
                f"{name} has the columns {', '.join(row)}: no format of ViDoRe's, which have image and query."
            )
        page = str(row.get("image_filename") or number)
        files.setdefault(page, written_picture(row["image"], folder, page))
        text = row.get("query", row.get("question"))
        if text:
            fields = {key: value for key, value in row.items() if key != "image"}
            pages = {EvidencePage(str(files[page]), 1): 1}
            questions.append(
                JudgedQuestion(
                    f"{number}",
                    text,
                    pages,
                    answer=_text(row.get("answer")),
                    fields=fields,
                    source=f"{name} row {number}",
                )
            )
    return questions, list(files.values())


def _three_tables(
    name: str, tables: Mapping[str, Iterable[dict[str, Any]]], folder: Path, language: str | None
) -> tuple[list[JudgedQuestion], list[Path]]:
    corpus = _corpus(tables["corpus"], folder)
    judged = list(tables["qrels"])
    grades, boxes = _qrels(name, judged, corpus), _boxes(judged, corpus)
    asked = [row for row in tables["queries"] if not language or row.get("language") in (None, language)]
    return [_question(name, row, corpus, grades, boxes) for row in asked], [page.file for page in corpus.values()]


@dataclass(frozen=True)
class _CorpusPage:
    """A page of a corpus: its picture's file, and the document that it is of, "" where none is named."""

    file: Path
    document: str


def _corpus(rows: Iterable[dict[str, Any]], folder: Path) -> dict[str, _CorpusPage]:
    """The pages by id; writes their pictures."""
    pages = {}
    for row in rows:
        known = str(_of(row, "corpus", "id"))
        document = next((row[key] for key in ("doc_id", "doc-id", "doc") if row.get(key) is not None), "")
        pages[known] = _CorpusPage(written_picture(row["image"], folder, known), str(document))
    return pages


def _qrels(name: str, rows: Iterable[dict[str, Any]], corpus: Mapping[str, _CorpusPage]) -> dict[str, dict[str, int]]:
    """For each query the ids of its pages and their grades; those graded 0 are left out."""
    grades: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for row in rows:
        page, grade = str(_of(row, "corpus", "id")), row.get("score", 1)
        if not isinstance(grade, int | float) or not 0 <= grade < 1e9:  # NaN too
            raise QuestionsError(f"the qrels of {name} grade the page {page} {grade!r}, which is no grade.")
        if page not in corpus:
            raise QuestionsError(f"the qrels of {name} name the page {page}, which its corpus lacks.")
        if grade > 0:
            grades[str(_of(row, "query", "id"))][page] = int(grade)
    return grades


def _boxes(rows: Iterable[dict[str, Any]], corpus: Mapping[str, _CorpusPage]) -> _Boxes:
    """For each query what people marked of its pages, each person's boxes by themselves; V3 has them in pixels."""
    found: _Boxes = defaultdict(dict)
    for row in rows:
        people: defaultdict[Any, list[Box]] = defaultdict(list)
        file = corpus[str(_of(row, "corpus", "id"))].file
        for marked in listed(row.get("bounding_boxes")):
            corners = [marked[name] for name in ("x1", "y1", "x2", "y2")]
            people[marked.get("annotator")].append(as_box(corners, *_size_of(file)))
        if people:
            evidence = EvidencePage(str(file), 1)
            found[str(_of(row, "query", "id"))][evidence] = tuple(tuple(boxes) for boxes in people.values())
    return found


@cache
def _size_of(file: Path) -> tuple[int, int]:
    with Image.open(file) as picture:
        return picture.size


def listed(places: Any) -> list[Any]:
    """A list of structs, which some versions of `datasets` give as a struct of lists."""
    if isinstance(places, dict):
        return [dict(zip(places, values, strict=True)) for values in zip(*places.values(), strict=True)]
    return list(places or ())


def as_box(corners: Iterable[float], width: float, height: float) -> Box:
    """A box in parts of a page from its left, top, right and bottom in the unit of width and height."""
    left, top, right, bottom = corners
    return left / width, top / height, right / width, bottom / height


def _question(
    name: str,
    row: dict[str, Any],
    corpus: Mapping[str, _CorpusPage],
    grades: Mapping[str, dict[str, int]],
    boxes: _Boxes,
) -> JudgedQuestion:
    """A row of the queries as a question about the documents that its pages are of."""
    known = str(_of(row, "query", "id"))
    evidence = grades.get(known, {})
    documents = {corpus[page].document for page in evidence} - {""}
    within = tuple(str(page.file) for page in corpus.values() if page.document in documents)
    pages = {EvidencePage(str(corpus[page].file), 1): grade for page, grade in evidence.items()}
    text = str(row.get("query") or row.get("text"))
    return JudgedQuestion(
        known, text, pages, within, _text(row.get("answer")), row, f"{name} query {known}", boxes=boxes.get(known, {})
    )


def _of(row: Mapping[str, Any], *parts: str) -> Any:
    """A column that some write with a hyphen and others with an underscore."""
    for mark in ("-", "_"):
        if mark.join(parts) in row:
            return row[mark.join(parts)]
    raise QuestionsError(f"a row has the columns {', '.join(row)} and lacks {'-'.join(parts)}: no format of ViDoRe's.")


def _text(answer: Any) -> str | None:
    return None if answer is None else str(answer)


def written_picture(image: Any, folder: Path, name: str) -> Path:
    """The picture's own bytes in a file named for the page, in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    content = image["bytes"] if image.get("bytes") else Path(image["path"]).read_bytes()
    suffix = next((suffix for start, suffix in _SIGNATURES.items() if content.startswith(start)), ".png")
    path = folder / (re.sub(r"[^\w.-]+", "-", name.rpartition("/")[2]) + suffix)
    if not path.is_file() or path.stat().st_size != len(content):
        path.write_bytes(content)
    return path.resolve()


def parquet_rows(path: Path) -> Any:
    """The rows of a parquet file, pictures as bytes. Raises QuestionsError, MissingExtra."""
    with _as_questions_error(f"the file {path}") as datasets:
        return _as_bytes(_rows(datasets.load_dataset("parquet", data_files=[str(path)])))


def _load(name: str) -> dict[str, Any]:
    """The dataset's tables by name, pictures as bytes."""
    with _as_questions_error(f"the dataset {name}") as datasets:
        return {table: _as_bytes(rows) for table, rows in _tables(name, datasets).items()}


@contextmanager
def _as_questions_error(what: str) -> Iterator[Any]:
    """The package `datasets`; what it raises in the block becomes QuestionsError. Raises MissingExtra without it."""
    try:
        import datasets
    except ImportError as error:
        raise MissingExtra(
            f"published datasets need the package `datasets`: run `{install_command('eval')}`"
        ) from error
    datasets.disable_progress_bars()
    try:
        yield datasets
    except (OSError, ValueError, datasets.exceptions.DatasetsError) as error:
        reason = " ".join(str(error).split())[:300]
        raise QuestionsError(
            f"{what} cannot be had ({type(error).__name__}: {reason}). Name a folder with a copy of it, "
            "or one on the hub, such as vidore/docvqa_test_subsampled, where the hub can be reached."
        ) from error


def _tables(name: str, datasets: Any) -> dict[str, Any]:
    folder = Path(name)
    if folder.is_dir() and not (folder / "README.md").is_file():
        parts = [table for table in _TABLES if (folder / table).is_dir()] or [""]
        return {
            part or "all": _rows(datasets.load_dataset("parquet", data_files=_files(folder / part))) for part in parts
        }
    configurations = datasets.get_dataset_config_names(name)
    if set(configurations) >= set(_TABLES):
        return {table: _rows(datasets.load_dataset(name, table)) for table in _TABLES}
    return {"all": _rows(datasets.load_dataset(name, configurations[0]))}


def _files(folder: Path) -> list[str]:
    found = sorted(str(path) for path in folder.rglob("*.parquet"))
    if not found:
        raise QuestionsError(f"{folder} holds no .parquet file: no copy of a dataset.")
    return found


def _rows(loaded: Any) -> Any:
    """The rows of the split that is for testing, or of the only one."""
    return loaded["test"] if "test" in loaded else next(iter(loaded.values()))


def _as_bytes(rows: Any) -> Any:
    import datasets

    for column, feature in rows.features.items():
        if isinstance(feature, datasets.Image):
            rows = rows.cast_column(column, datasets.Image(decode=False))
    return rows
