"""Datasets in ViDoRe's formats, from local copies that are made here: pictures are indexed and questions measured."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from pagesight.agent.cli import main
from pagesight.indexing.errors import QuestionsError
from pagesight.indexing.evaluate.vidore import read_vidore

datasets = pytest.importorskip("datasets")


def picture(text: str) -> Image.Image:
    page = Image.new("RGB", (420, 120), "white")
    ImageDraw.Draw(page).text((20, 40), text, "black", font_size=28)
    return page


def saved(folder: Path, **columns: list) -> Path:
    """A table as a hub's copy has it: parquet, pictures as bytes."""
    features = {name: datasets.Image() for name in columns if name == "image"}
    rows = datasets.Dataset.from_dict(columns)
    for name, feature in features.items():
        rows = rows.cast_column(name, feature)
    folder.mkdir(parents=True)
    rows.to_parquet(folder / "test-00000-of-00001.parquet")
    return folder


def one_table(folder: Path) -> Path:
    """As V1 and REAL-MM-RAG: two questions of one page, one of another, and a page without a question."""
    pages = {name: picture(name) for name in ("ferry", "pump", "train")}
    names = ["ferry", "ferry", "pump", "train"]
    saved(
        folder,
        query=["Where is the ferry?", "Which ferry?", "What does the pump do?", None],
        answer=["at sea", None, "pump", None],
        image=[pages[name] for name in names],
        image_filename=[f"scans/{name}.jpg" for name in names],
    )
    return folder


def three_tables(folder: Path, mark: str = "-") -> Path:
    """As V2 and the ..._beir variants, or V3 with underscores: corpus, queries, qrels."""
    corpus, query = f"corpus{mark}id", f"query{mark}id"
    names = ["ferry Aurora", "ferry Boreas", "pump"]
    saved(
        folder / "corpus",
        **{corpus: [10, 11, 12], "image": [picture(name) for name in names], "doc_id": ["fleet", "fleet", "pumps"]},
    )
    saved(
        folder / "queries",
        **{query: [0, 1, 2], "query": ["Boreas", "pump", "pompe"], "language": ["english", "english", "french"]},
    )
    saved(folder / "qrels", **{query: [0, 0, 1, 2], corpus: [11, 10, 12, 12], "score": [2, 1, 1, 1]})
    return folder


def test_one_table_holds_each_page_once_and_rows_without_a_question_too(tmp_path: Path):
    collection = read_vidore(str(one_table(tmp_path / "set")), tmp_path / "pictures")
    assert sorted(path.stem for path in collection.files) == ["ferry.jpg", "pump.jpg", "train.jpg"]
    assert [question.text for question in collection.questions] == [
        "Where is the ferry?",
        "Which ferry?",
        "What does the pump do?",
    ]
    first, second, _ = collection.questions
    assert first.pages == second.pages
    assert (first.answer, second.answer) == ("at sea", None)


@pytest.mark.parametrize("mark", ["-", "_"])
def test_three_tables_give_grades_and_the_right_document(tmp_path: Path, mark: str):
    collection = read_vidore(str(three_tables(tmp_path / "set", mark)), tmp_path / "pictures")
    boreas = collection.questions[0]
    assert {Path(place.document).stem: grade for place, grade in boreas.pages.items()} == {"11": 2, "10": 1}
    assert [Path(name).stem for name in boreas.documents] == ["10", "11"]


def test_a_language_keeps_its_questions(tmp_path: Path):
    collection = read_vidore(str(three_tables(tmp_path / "set")), tmp_path / "pictures", language="french")
    assert [question.text for question in collection.questions] == ["pompe"]


def test_pictures_keep_their_bytes(tmp_path: Path):
    collection = read_vidore(str(one_table(tmp_path / "set")), tmp_path / "pictures")
    with Image.open(io.BytesIO(collection.files[0].read_bytes())) as page:
        assert page.size == (420, 120)


def test_the_command_indexes_reads_and_measures_a_dataset(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    source, out = three_tables(tmp_path / "set"), tmp_path / "out"
    arguments = ["--language", "english", "--run", "hybrid", "--json", "--out", str(out)]
    assert main(["eval", "retrieval", "--questions", str(source), *arguments]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["collection"], report["questions"], report["pages"]) == ("set", 2, 3)
    # what stands in the pictures was read by OCR
    assert report["runs"][0]["scopes"]["index"]["RR"]["mean"] == 1
    assert report["runs"][0]["scopes"]["document"]["nDCG@5"]["mean"] == 1


def test_other_tables_are_refused_with_their_columns(tmp_path: Path):
    saved(tmp_path / "set", text=["a"], label=[1])
    with pytest.raises(QuestionsError, match="columns text, label"):
        read_vidore(str(tmp_path / "set"), tmp_path / "pictures")


def test_qrels_that_name_an_unknown_page_are_refused(tmp_path: Path):
    folder = three_tables(tmp_path / "set")
    (folder / "qrels" / "test-00000-of-00001.parquet").unlink()
    datasets.Dataset.from_dict({"query-id": [0], "corpus-id": [99], "score": [1]}).to_parquet(
        folder / "qrels" / "t.parquet"
    )
    with pytest.raises(QuestionsError, match="the page 99"):
        read_vidore(str(folder), tmp_path / "pictures")


def test_a_folder_without_tables_and_a_hub_out_of_reach_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "empty").mkdir()
    with pytest.raises(QuestionsError, match=r"no \.parquet"):
        read_vidore(str(tmp_path / "empty"), tmp_path / "pictures")
    assert main(["eval", "retrieval", "--questions", "vidore/esg_reports_v2"]) == 1
    assert "vidore/esg_reports_v2 cannot be had" in " ".join(capsys.readouterr().err.split())
