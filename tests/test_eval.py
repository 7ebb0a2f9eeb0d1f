"""Evaluation of retrieval from the outside: hand-worked measures, each format of questions, each bad input."""

from __future__ import annotations

import csv
import json
import math
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from small_index import REPORT, SHEET, SLIDES, make_index, small_settings, write_pdf

from pagesight.agent.cli import main
from pagesight.indexing import PageIndex
from pagesight.indexing.errors import QuestionsError, UnknownDocument
from pagesight.indexing.evaluate.beir import read_beir
from pagesight.indexing.evaluate.collections import load_collection
from pagesight.indexing.evaluate.compare import evaluate_retrieval
from pagesight.indexing.evaluate.metrics import MEASURES, compare, estimate, measure
from pagesight.indexing.evaluate.questions import EvidencePage, read_questions
from pagesight.indexing.evaluate.runs import KINDS, parse_run

pytest.importorskip("ir_measures")

FIELDS = ("id", "question", "document", "pages", "kind")
ROWS = [
    dict(zip(FIELDS, row, strict=True))
    for row in (
        ("revenue", "What was the net revenue in 2023?", REPORT, [2], ["text"]),
        ("people", "How many people worked for the group?", REPORT, [3], ["text"]),
        ("targets", "net revenue until 2026", SLIDES, [2], ["slide", "text"]),
        ("watts", "Wie hoch ist die Leistungsaufnahme?", SHEET, [1], ["sheet"]),
        ("nothing", "Who is the mayor of Oslo?", REPORT, [], []),
    )
]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("evaluated")
    make_index(folder).close()
    yield folder / "index"
    shutil.rmtree(folder)


@pytest.fixture
def index(made: Path) -> Iterator[PageIndex]:
    with PageIndex.open(made, settings=small_settings()) as opened:
        yield opened


def written(path: Path, rows: list[dict] | None = None) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in (ROWS if rows is None else rows)))
    return path


# measures, worked by hand


def of_one(relevant: dict[str, int], ranking: list[str]) -> dict[str, float]:
    return {name: float(values[0]) for name, values in measure({"q": relevant}, {"q": ranking}).items()}


def test_measures_of_two_pages_found_third_and_sixth():
    values = of_one({"a": 1, "b": 1}, ["x", "y", "a", "z", "w", "b"])
    ideal = 1 / math.log2(2) + 1 / math.log2(3)
    assert values["nDCG@5"] == pytest.approx((1 / math.log2(4)) / ideal, abs=1e-4)
    assert values["nDCG@10"] == pytest.approx((1 / math.log2(4) + 1 / math.log2(7)) / ideal, abs=1e-4)
    assert [values[name] for name in ("R@1", "R@5", "R@10", "R@100")] == [0, 0.5, 1, 1]
    assert values["RR"] == pytest.approx(1 / 3)
    assert set(values) == set(MEASURES)


def test_grades_count_in_ndcg():
    values = of_one({"a": 1, "b": 2}, ["a", "b"])
    assert values["nDCG@5"] == pytest.approx((1 + 2 / math.log2(3)) / (2 + 1 / math.log2(3)), abs=1e-4)


def test_pages_that_no_ranking_can_hold_count_in_the_ideal():
    ideal = 1 + 1 / math.log2(3)
    assert of_one({"a": 1, "missing": 1}, ["a"])["nDCG@5"] == pytest.approx(1 / ideal, abs=1e-4)


def test_a_question_without_hits_has_zero_and_keeps_its_place():
    values = measure({"one": {"a": 1}, "two": {"b": 1}, "three": {"c": 1}}, {"three": ["c"], "one": [], "two": ["x"]})
    assert values["RR"].tolist() == [0, 0, 1]


def test_the_order_of_a_ranking_counts_and_not_its_labels():
    assert of_one({"b": 1}, ["b", "a"])["R@1"] == 1
    assert of_one({"a": 1}, ["b", "a"])["R@1"] == 0


def test_intervals_hold_the_mean_and_narrow_with_more_questions():
    few, many = estimate(np.array([0.0, 1.0] * 10)), estimate(np.array([0.0, 1.0] * 400))
    assert few.low < few.mean == 0.5 < few.high
    # the standard error of 800 coin flips is .0177; 1.96 of them to each side
    assert many.high - many.low == pytest.approx(2 * 1.96 * 0.0177, abs=0.01)
    assert estimate(np.array([0.3])).as_dict() == {"mean": 0.3, "low": 0.3, "high": 0.3}


def test_the_test_of_a_difference_is_fishers():
    better = np.array([1.0, 1.0, 1.0, 1.0, 1.0])
    found = compare(better, np.zeros(5))
    # of the 2 ** 5 ways to swap, two are as extreme
    assert (found.mean, found.p) == (1.0, pytest.approx(2 / 32))
    assert compare(better, better).as_dict() == {"difference": 0.0, "low": 0.0, "high": 0.0, "p": 1.0}


# JSONL


def test_questions_keep_their_pages_answers_and_fields(tmp_path: Path):
    first, *_, last = read_questions(written(tmp_path / "q.jsonl")).questions
    assert (first.pages, first.documents) == ({EvidencePage(REPORT, 2): 1}, (REPORT,))
    assert first.fields["kind"] == ["text"]
    assert (last.pages, last.answer) == ({}, None)


def test_pages_may_be_labels_and_ids_line_numbers(tmp_path: Path):
    rows = [{"question": "a?", "pages": ["a.pdf p. 3", "b.pdf p. 1"]}]
    (question,) = read_questions(written(tmp_path / "q.jsonl", rows)).questions
    assert (question.id, set(question.pages)) == ("1", {EvidencePage("a.pdf", 3), EvidencePage("b.pdf", 1)})


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("{nonsense", "line 2 is no JSON"),
        ("[1]", "line 2 is list"),
        ('{"document": "a.pdf"}', "line 2 has no question"),
        ('{"question": "b?", "document": "a.pdf", "pages": 3}', "line 2: 'pages' is 3"),
        ('{"question": "b?", "document": "a.pdf", "pages": [0]}', "line 2: 0 is no page"),
        ('{"question": "b?", "pages": ["a.pdf p. ²"]}', "line 2: 'a.pdf p. ²' is no page"),
        ('{"question": "b?", "pages": ["a.pdf p. 0"]}', "line 2: 'a.pdf p. 0' is no page"),
        ('{"question": "b?", "pages": [1]}', "line 2 names page 1 of no document"),
        ('{"question": "b?", "document": 7}', "line 2: 'document' is 7"),
        ('{"id": "first", "question": "b?"}', "q.jsonl line 2 has the id 'first' of q.jsonl line 1"),
    ],
)
def test_a_malformed_line_is_named(tmp_path: Path, line: str, complaint: str):
    path = tmp_path / "q.jsonl"
    path.write_text(f'{{"id": "first", "question": "a?"}}\n{line}\n')
    with pytest.raises(QuestionsError, match=complaint.replace("'", ".")):
        read_questions(path)


def test_a_missing_and_an_empty_file_are_named(tmp_path: Path):
    with pytest.raises(QuestionsError, match=r"there is no file .*none\.jsonl"):
        load_collection(str(tmp_path / "none.jsonl"), tmp_path)
    (tmp_path / "empty.jsonl").write_text("\n")
    with pytest.raises(QuestionsError, match="holds no questions"):
        read_questions(tmp_path / "empty.jsonl")


# runs


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "reranked"])
def test_every_run_finds_the_evidence(index: PageIndex, tmp_path: Path, kind: str):
    collection = read_questions(written(tmp_path / "q.jsonl"))
    report = evaluate_retrieval(index, "small", collection.questions, [parse_run(kind)])
    scores = report.runs[0].scores
    assert report.left_out == {"without evidence pages": 1}
    assert scores["document"].of("R@5").mean == 1
    assert scores["index"].of("nDCG@5").mean > 0.8
    assert report.runs[0].bytes_per_page > 100


def test_splits_count_a_question_for_each_of_its_values(index: PageIndex, tmp_path: Path):
    questions = read_questions(written(tmp_path / "q.jsonl")).questions
    report = evaluate_retrieval(index, "small", questions, [parse_run("hybrid")], split=["kind", "text_source"])
    assert {value: len(rows) for value, rows in report.splits["kind"].items()} == {"text": 3}
    assert {value: len(rows) for value, rows in report.splits["text_source"].items()} == {"text layer": 4}
    with pytest.raises(QuestionsError, match=r"no question has the field 'colour'; there are .*kind"):
        evaluate_retrieval(index, "small", questions, [parse_run("hybrid")], split=["colour"])


def test_pages_that_a_document_does_not_have_are_counted(index: PageIndex, tmp_path: Path):
    rows = [*ROWS, {"id": "far", "question": "revenue", "document": REPORT, "pages": [99]}]
    questions = read_questions(written(tmp_path / "q.jsonl", rows)).questions
    report = evaluate_retrieval(index, "small", questions, [parse_run("ocr")])
    assert report.left_out["with pages that their documents do not have"] == 1
    with pytest.raises(QuestionsError, match="none of the 1 questions"):
        evaluate_retrieval(index, "small", questions[-1:], [parse_run("ocr")])


def test_an_unknown_document_is_an_error_with_the_nearest(index: PageIndex, tmp_path: Path):
    rows = [{"question": "revenue", "document": "anual-report.pdf", "pages": [1]}]
    with pytest.raises(UnknownDocument, match=REPORT):
        evaluate_retrieval(
            index, "x", read_questions(written(tmp_path / "q.jsonl", rows)).questions, [parse_run("ocr")]
        )


def test_an_unknown_run_says_which_there_are():
    with pytest.raises(QuestionsError, match=r"vektors.*vectors, fused"):
        parse_run("vektors@lexical")


# the command


def test_the_command_prints_tables(made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    source = str(written(tmp_path / "q.jsonl"))
    assert main(["eval", "retrieval", "--questions", source, "--index", str(made), "--split", "kind"]) == 0
    printed = capsys.readouterr().out
    for part in (
        "4 questions",
        "left out: 1 without",
        "Within the right document",
        "nDCG@5",
        "MRR",
        "KB/page",
        "by kind",
    ):
        assert part in printed


def test_the_command_writes_json_values_and_plots(made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    source, out = str(written(tmp_path / "q.jsonl")), tmp_path / "out"
    arguments = [
        "--index",
        str(made),
        "--run",
        "ocr",
        "--run",
        "hybrid",
        "--split",
        "kind",
        "--json",
        "--out",
        str(out),
    ]
    assert main(["eval", "retrieval", "--questions", source, *arguments]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report == json.loads((out / "retrieval.json").read_text())
    assert [run["run"] for run in report["runs"]] == ["ocr", "hybrid"]
    assert report["runs"][1]["scopes"]["document"]["R@5"]["mean"] == 1
    assert {(row["run"], row["against"], row["scope"]) for row in report["compared"]} == {
        ("hybrid", "ocr", "index"), ("hybrid", "ocr", "document")
    }  # fmt: skip
    rows = list(csv.DictReader((out / "questions.csv").open()))
    assert [row["id"] for row in rows] == ["revenue", "people", "targets", "watts"]
    assert rows[0]["hybrid document nDCG@5"] == "1.0"
    assert all((out / name).read_bytes().startswith(b"\x89PNG") for name in ("retrieval.png", "by-kind.png"))


def test_a_named_encoder_gets_an_index_of_its_own(made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    source, out = str(written(tmp_path / "q.jsonl")), tmp_path / "out"
    arguments = ["--index", str(made), "--run", "vectors", "--run", "vectors@lexical", "--json", "--out", str(out)]
    assert main(["eval", "retrieval", "--questions", source, *arguments]) == 0
    here, other = json.loads(capsys.readouterr().out)["runs"]
    assert (out / "indexes" / "lexical" / "index.json").is_file()
    assert other["scopes"]["index"]["nDCG@5"] == here["scopes"]["index"]["nDCG@5"]
    assert here["seconds_per_page"] is None
    assert other["seconds_per_page"] > 0


@pytest.mark.parametrize(
    ("arguments", "status", "complaint"),
    [
        (["--questions", "none.jsonl"], 1, "there is no file none.jsonl"),
        (["--questions", "q.jsonl", "--run", "best"], 1, "there is no run 'best'"),
        (["--questions", "q.jsonl", "--run", "ocr", "--against", "text"], 1, "'text' is none of the runs"),
        (["--questions", "q.jsonl", "--documents", "missing.pdf"], 1, "missing.pdf"),
        ([], 2, "--questions"),
    ],
)
def test_bad_input_is_said(
    made: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], status: int, complaint: str
):
    written(Path("q.jsonl"))
    assert main(["eval", "retrieval", *arguments, "--index", str(made)]) == status
    assert complaint in " ".join(capsys.readouterr().err.split())


# BEIR


def beir(folder: Path) -> Path:
    (folder / "qrels").mkdir(parents=True)
    write_pdf(folder / "report.pdf", [["Cover"], ["Net revenue rose to 4.2 billion"]])
    write_pdf(folder / "pump.pdf", [["The pump draws 42 watts"]])
    corpus = [{"_id": "r1", "path": "report.pdf"}, {"_id": "r2", "path": "report.pdf", "page": 2}]
    written(folder / "corpus.jsonl", [*corpus, {"_id": "p", "path": "pump.pdf"}])
    written(folder / "queries.jsonl", [{"_id": "a", "text": "net revenue"}, {"_id": "b", "text": "watts of the pump"}])
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\na\tr2\t2\na\tr1\t0\nb\tp\t1\n")
    return folder


def test_a_beir_folder_is_indexed_and_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    folder, out = beir(tmp_path / "small"), tmp_path / "out"
    arguments = ["--questions", str(folder), "--run", "hybrid", "--json", "--out", str(out)]
    assert main(["eval", "retrieval", *arguments]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["collection"], report["questions"], report["pages"]) == ("small", 2, 3)
    assert report["runs"][0]["scopes"]["index"]["RR"]["mean"] == 1
    assert list(report["runs"][0]["scopes"]) == ["index"]


def test_grades_of_zero_are_no_evidence(tmp_path: Path):
    question = read_beir(beir(tmp_path / "small")).questions[0]
    assert {(Path(place.document).name, place.page): grade for place, grade in question.pages.items()} == {
        ("report.pdf", 2): 2
    }


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("corpus.jsonl", '{"_id": "r1", "path": "gone.pdf"}', "line 1 names gone.pdf"),
        ("corpus.jsonl", '{"_id": "r1", "text": "words"}', "line 1 names no file"),
        ("corpus.jsonl", '{"path": "report.pdf"}', "line 1 has no '_id'"),
        ("queries.jsonl", '{"_id": "a", "text": ""}', "line 1 has no question"),
        ("queries.jsonl", '{"_id": "a", "text": "x"}', "name the query 'b'"),
        ("corpus.jsonl", '{"_id": "r1", "path": "report.pdf", "page": "²"}', "line 1: '²' is no page"),
        ("corpus.jsonl", '{"_id": "r1", "path": "report.pdf", "page": 0}', "line 1: 0 is no page"),
        ("corpus.jsonl", '{"_id": "r1", "path": "report.pdf", "page": null}', "line 1: None is no page"),
        ("qrels/test.tsv", "query-id\tcorpus-id\tscore\na\tr1\t²\n", "line 2 is"),
        ("qrels/test.tsv", f"query-id\tcorpus-id\tscore\na\tr1\t{'9' * 400}\n", "line 2 is"),
        ("qrels/test.tsv", "query-id\tcorpus-id\tscore\na\tr9\t1\n", "line 2 names 'r9'"),
        ("qrels/test.tsv", "query-id\tcorpus-id\tscore\na r1 1\n", "line 2 is"),
    ],
)
def test_a_malformed_beir_folder_is_named(tmp_path: Path, name: str, content: str, complaint: str):
    folder = beir(tmp_path / "small")
    (folder / name).write_text(content)
    with pytest.raises(QuestionsError, match=complaint.replace("'", ".")):
        read_beir(folder)


def test_a_folder_of_pictures_is_a_corpus_too(tmp_path: Path):
    folder = beir(tmp_path / "small")
    (folder / "corpus.jsonl").unlink()
    with pytest.raises(QuestionsError, match=r"neither corpus\.jsonl nor"):
        read_beir(folder)
    (folder / "corpus").mkdir()
    for known in ("r1", "r2", "p"):
        write_pdf(folder / "corpus" / f"{known}.pdf", [[known]])
    assert len(read_beir(folder).files) == 3
