"""Published question sets, from copies in their own layouts that are made here: read, asked, and measured by theirs."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from gemini_server import GeminiServer
from PIL import Image, ImageDraw
from reportlab.lib.pagesizes import A4
from small_index import FERRY, PUMP, small_settings, write_pdf

from pagesight.agent.cli import main
from pagesight.agent.evaluate.answer_report import report_on
from pagesight.agent.evaluate.ask_questions import AnswerFile, AskingOptions, answer_questions
from pagesight.indexing import PageIndex
from pagesight.indexing.errors import IndexWarning, QuestionsError
from pagesight.indexing.evaluate.collections import load_collection
from pagesight.indexing.evaluate.questions import EvidencePage

datasets = pytest.importorskip("datasets")

# One row of each set as its authors publish it, about two made documents.
MMLONGBENCH: list[dict[str, Any]] = [
    {"doc_id": "ferry.pdf", "doc_type": "Brochure", "question": "How many passengers does the ferry Aurora carry?",
     "answer": "1200", "evidence_pages": "[1]", "evidence_sources": "['Pure-text (Plain-text)']",
     "answer_format": "Int"},
    {"doc_id": "pump.pdf", "doc_type": "Manual", "question": "Who is the zugzwang of the fianchetto?",
     "answer": "Not answerable", "evidence_pages": "[]", "evidence_sources": "[]", "answer_format": "None"},
]  # fmt: skip
MADQA: list[dict[str, Any]] = [
    {"id": "m1", "question": "How many kilowatts does the pump Boreas deliver?",
     "answer_variants": [["12 kilowatts"], ["12 kW"]], "evidence": [{"document": "pump.pdf", "page": 1}],
     "document_category": "manual", "domain": "heating"},
]  # fmt: skip
DOCSCOPE: list[dict[str, Any]] = [
    {"id": "urn::q1", "split": "test", "question": "How many passengers does the ferry Aurora carry?",
     "answer": {"answer_text": "1200", "is_answerable": True}, "pdf": {"doc_id_str": "ferry"},
     "evidences": [{"local_id": "e1", "page": 1, "bbox": [0.0, 0.0, A4[0] * 2, A4[1]], "element_type": "text"}],
     "facts": [], "extract_class": "class1"},
    {"id": "urn::q2", "split": "dev", "question": "Who is the zugzwang of the fianchetto?",
     "answer": {"answer_text": "", "is_answerable": False}, "pdf": {"doc_id_str": "pump"}, "evidences": [],
     "facts": [], "extract_class": "class1"},
]  # fmt: skip
FINANCEBENCH: list[dict[str, Any]] = [
    {"financebench_id": "f1", "company": "Ferries", "doc_name": "ferry", "question_type": "metrics-generated",
     "question_reasoning": None, "domain_question_num": None,
     "question": "How many passengers does the ferry Aurora carry?", "answer": "1200", "justification": "",
     "dataset_subset_label": "OPEN_SOURCE",
     "evidence": [{"evidence_text": "1200", "doc_name": "ferry", "evidence_page_num": 0,
                   "evidence_text_full_page": "1200"}]},
]  # fmt: skip


def documents(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, lines in (("ferry", FERRY), ("pump", PUMP)):
        if not names or name in names:
            write_pdf(folder / f"{name}.pdf", [lines])
    return folder


def mmlongbench(folder: Path, rows: list[dict[str, Any]] = MMLONGBENCH) -> Path:
    documents(folder / "data" / "documents")
    (folder / "data" / "samples.json").write_text(json.dumps(rows))
    return folder


def madqa(folder: Path) -> Path:
    documents(folder / "pdfs")
    (folder / "data" / "documents").mkdir(parents=True)
    hidden = [row | {"answer_variants": [], "evidence": []} for row in MADQA]
    for part, rows in (("dev", MADQA), ("test", hidden)):
        datasets.Dataset.from_list(rows).to_parquet(folder / "data" / f"{part}-00000-of-00001.parquet")
    links = datasets.Dataset.from_list([{"document": "pump.pdf", "url": "https://example.org/pump.pdf"}])
    links.to_parquet(folder / "data" / "documents" / "document_urls-00000-of-00001.parquet")
    return folder


def docscope(folder: Path) -> Path:
    documents(folder / "pdfs")
    (folder / "benchmark.json").write_text(json.dumps(DOCSCOPE))
    return folder


def financebench(folder: Path) -> Path:
    documents(folder / "pdfs")
    (folder / "data").mkdir()
    lines = "".join(json.dumps(row) + "\n" for row in FINANCEBENCH)
    (folder / "data" / "financebench_open_source.jsonl").write_text(lines)
    return folder


def slide(text: str) -> bytes:
    page, content = Image.new("RGB", (420, 120), "white"), io.BytesIO()
    ImageDraw.Draw(page).text((20, 40), text, "black", font_size=28)
    page.save(content, "PNG")
    return content.getvalue()


def slidevqa(folder: Path) -> Path:
    """As the hub has it: a row a question, with the deck's pictures in it."""
    row = {"deck_name": "fleet/2023", "deck_url": "https://example.org/deck", "qa_id": 7,
           "question": "Which ferry is last?", "answer": "Boreas", "arithmetic_expression": "None",
           "evidence_pages": [2]}  # fmt: skip
    slides = {f"page_{number}": {"bytes": slide(f"Slide {number}"), "path": None} for number in range(1, 21)}
    rows = datasets.Dataset.from_list([row | slides])
    for name in slides:
        rows = rows.cast_column(name, datasets.Image())
    (folder / "data").mkdir(parents=True)
    rows.to_parquet(folder / "data" / "test-00000-of-00001.parquet")
    return folder


def loaded(folder: Path, tmp_path: Path, **how: Any):
    return load_collection(str(folder), tmp_path / "pictures", **how)


# each layout


def test_mmlongbench_is_read(tmp_path: Path) -> None:
    found = loaded(mmlongbench(tmp_path / "set"), tmp_path)
    ferry, none = found.questions
    assert (found.name, found.benchmark, len(found.files)) == ("MMLongBench-Doc", "mmlongbench", 2)
    assert ferry.pages == {EvidencePage(ferry.documents[0], 1): 1}
    assert ferry.fields["evidence_sources"] == ["Pure-text (Plain-text)"]
    assert (none.answer, none.pages) == ("Not answerable", {})


def test_madqa_is_read_from_the_part_that_has_answers(tmp_path: Path) -> None:
    found = loaded(madqa(tmp_path / "set"), tmp_path)
    (question,) = found.questions
    assert found.benchmark == "madqa"
    assert question.variants == (("12 kilowatts",), ("12 kW",))
    assert [Path(page.document).name for page in question.pages] == ["pump.pdf"]


def test_docscope_is_read_with_its_regions_as_parts_of_the_page(tmp_path: Path) -> None:
    found = loaded(docscope(tmp_path / "set"), tmp_path)
    ferry, none = found.questions
    (((box,),),) = ferry.boxes.values()
    assert box == pytest.approx((0, 0, 1, 0.5), abs=0.01)
    assert none.answer == "Unanswerable"
    assert [question.id for question in loaded(tmp_path / "set", tmp_path, part="dev").questions] == ["urn::q2"]


def test_financebench_is_read_and_its_pages_counted_from_1(tmp_path: Path) -> None:
    (question,) = loaded(financebench(tmp_path / "set"), tmp_path).questions
    assert [page.page for page in question.pages] == [1]


def test_slidevqa_is_read_with_its_pictures(tmp_path: Path) -> None:
    found = loaded(slidevqa(tmp_path / "set"), tmp_path)
    (question,) = found.questions
    assert len(found.files) == 20
    (page,) = question.pages
    assert Path(page.document).read_bytes() == slide("Slide 2")
    assert "page_1" not in question.fields


def test_slidevqa_is_read_with_a_folder_of_pictures(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    (folder / "annotations" / "qa").mkdir(parents=True)
    row = {"deck_name": "fleet", "deck_url": "", "image_urls": [], "qa_id": 1, "question": "Which?", "answer": "b",
           "arithmetic_expression": "", "evidence_pages": [10], "reasoning_type": "", "answer_type": ""}  # fmt: skip
    (folder / "annotations" / "qa" / "test.jsonl").write_text(json.dumps(row) + "\n")
    (folder / "images" / "test" / "fleet").mkdir(parents=True)
    for number in range(1, 13):
        (folder / "images" / "test" / "fleet" / f"slide-{number}-1024.png").write_bytes(slide(str(number)))
    (question,) = loaded(folder, tmp_path).questions
    assert [Path(page.document).name for page in question.pages] == ["slide-10-1024.png"]


def test_vidore_v3_is_read_with_what_each_person_marked(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    image = datasets.Features({"corpus_id": datasets.Value("int64"), "image": datasets.Image()})
    marks = [{"annotator": 0, "x1": 0, "x2": 210, "y1": 0, "y2": 120},
             {"annotator": 1, "x1": 0, "x2": 420, "y1": 0, "y2": 60}]  # fmt: skip
    tables = {
        "corpus": datasets.Dataset.from_dict(
            {"corpus_id": [5], "image": [{"bytes": slide("ferry"), "path": None}]}, features=image
        ),
        "queries": datasets.Dataset.from_list(
            [{"query_id": 1, "query": "Which ferry?", "answer": "Aurora", "language": "english"}]
        ),
        "qrels": datasets.Dataset.from_list([{"query_id": 1, "corpus_id": 5, "score": 2, "bounding_boxes": marks}]),
    }
    for name, rows in tables.items():
        (folder / name).mkdir(parents=True)
        rows.to_parquet(folder / name / "test-00000-of-00001.parquet")
    found = loaded(folder, tmp_path)
    assert found.benchmark == "vidore_v3"
    assert list(found.questions[0].boxes.values()) == [(((0, 0, 0.5, 1),), ((0, 0, 1, 0.5),))]


# what is wrong with a copy is named


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda row: {name: row[name] for name in row if name != "doc_type"}, "lacks the column 'doc_type'"),
        (lambda row: row | {"difficulty": 3}, "has the column 'difficulty', which is not known of MMLongBench-Doc"),
        (lambda row: row | {"question": None}, "'question' is None"),
        (lambda row: row | {"evidence_pages": "[one]"}, "'evidence_pages' is '[one]', no list of int"),
        (lambda row: row | {"evidence_pages": "[" * 5000}, "no list of int"),
    ],
)
def test_a_column_that_is_not_as_published_is_named(tmp_path: Path, change: Any, complaint: str) -> None:
    folder = mmlongbench(tmp_path / "set", [MMLONGBENCH[0], change(MMLONGBENCH[1])])
    with pytest.raises(QuestionsError, match=r"samples\.json entry 2") as raised:
        loaded(folder, tmp_path)
    assert complaint in str(raised.value)


def test_an_entry_of_another_form_is_named(tmp_path: Path) -> None:
    folder = docscope(tmp_path / "set")
    (folder / "benchmark.json").write_text(json.dumps([DOCSCOPE[0], DOCSCOPE[1] | {"answer": "none"}]))
    with pytest.raises(QuestionsError, match=r"benchmark\.json entry 2 is not as DocScope is published"):
        loaded(folder, tmp_path)


def test_questions_whose_document_is_missing_are_left_out_with_a_word(tmp_path: Path) -> None:
    folder = mmlongbench(tmp_path / "set")
    (folder / "data" / "documents" / "pump.pdf").unlink()
    with pytest.warns(IndexWarning, match=r"1 documents are missing .* 'pump.pdf'; 1 questions"):
        assert len(loaded(folder, tmp_path).questions) == 1


def test_a_copy_without_documents_says_where_they_are_had(tmp_path: Path) -> None:
    folder = financebench(tmp_path / "set")
    for path in (folder / "pdfs").iterdir():
        path.unlink()
    with pytest.raises(QuestionsError, match=r"none of its documents, such as 'ferry'.*patronus-ai/financebench"):
        loaded(folder, tmp_path)


def test_a_part_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(QuestionsError, match="no part 'train' with answers; there are dev, test"):
        loaded(madqa(tmp_path / "set"), tmp_path, part="train")


# asked and measured


def asked_offline(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], *more: str) -> dict[str, Any]:
    arguments = ["eval", "answers", "--questions", str(folder), "--model", "offline", "--out", str(tmp_path / "out")]
    assert main([*arguments, "--json", *more]) == 0
    report: dict[str, Any] = json.loads(capsys.readouterr().out)
    return report


def test_the_command_prints_a_sets_own_measures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = mmlongbench(tmp_path / "set")
    arguments = ["eval", "answers", "--questions", str(folder), "--model", "offline", "--out", str(tmp_path / "out")]
    assert main(arguments) == 0
    printed = capsys.readouterr()
    assert "MMLongBench-Doc: 2 questions answered by offline" in printed.out
    assert "mmlongbench_accuracy" in printed.out
    assert "mmlongbench_f1" in printed.out
    assert "--judge MODEL" in printed.err  # whole answers are compared with brief ones
    report = asked_offline(folder, tmp_path, capsys)
    # the sentence that is quoted is no number, and the other question is rightly told to have no answer
    assert report["measures"]["mmlongbench_accuracy"]["mean"] == 0.5
    assert report["totals"] == {"mmlongbench_f1": 0.0}


def test_docscopes_pages_and_regions_are_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = asked_offline(docscope(tmp_path / "set"), tmp_path, capsys)
    measures = {name: measure["mean"] for name, measure in report["measures"].items()}
    assert measures["page_f1"] == report["totals"]["page_f1_micro"] == 1
    iou = measures["region_iou"]  # the upper half of the page is marked, and the quoted words are a small part of it
    assert 0 < iou < 0.1
    assert measures["region_f1"] == pytest.approx(2 * iou / (1 + iou), abs=1e-3)


def test_a_judge_brings_answers_to_a_few_words_once(tmp_path: Path, server: GeminiServer) -> None:
    found = loaded(mmlongbench(tmp_path / "set"), tmp_path)
    model = "google_genai:gemini-3.6-flash"
    settings = small_settings(google_base_url=server.url)
    options = AskingOptions("offline", judge=model, benchmark=found.benchmark)
    server.says("Yes.")
    server.says("1200")
    for _ in range(2):
        with PageIndex.open(tmp_path / "index", settings=settings) as index:
            index.add(found.files)
            asked = answer_questions(
                index, found.questions, AnswerFile(tmp_path / "a.jsonl"), options, settings=settings
            )
            report = report_on(found.name, "offline", index, asked, [], found.benchmark)
        assert report.of("mmlongbench_accuracy")[1].mean == 1
        assert report.totals == {"mmlongbench_f1": 1.0}
    assert len(server.model_requests) == 2
    assert "1200 passengers" in server.model_requests[-1].texts[-1]


def test_refusals_count_by_themselves_for_financebench(tmp_path: Path, server: GeminiServer) -> None:
    found = loaded(financebench(tmp_path / "set"), tmp_path)
    settings = small_settings(google_base_url=server.url)
    options = AskingOptions("offline", judge="google_genai:gemini-3.6-flash", benchmark=found.benchmark)
    server.says("No.")
    with PageIndex.open(tmp_path / "index", settings=settings) as index:
        index.add(found.files)
        asked = answer_questions(index, found.questions, AnswerFile(tmp_path / "a.jsonl"), options, settings=settings)
        report = report_on(found.name, "offline", index, asked, [], found.benchmark)
    means = {name: report.of(name)[1].mean for name in ("correct", "incorrect", "refused")}
    assert means == {"correct": 0, "incorrect": 1, "refused": 0}


def test_a_set_that_cannot_be_fetched_names_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert main(["eval", "answers", "--questions", "mmlongbench-doc", "--model", "offline"]) == 1
    complaint = " ".join(capsys.readouterr().err.split())
    assert "MMLongBench-Doc cannot be fetched from yubo2333/MMLongBench-Doc" in complaint
    assert "name a folder with a copy" in complaint
