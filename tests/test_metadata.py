"""Metadata of documents: where it comes from, and conditions on it that reach every stage of a search."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from small_index import small_settings, write_pdf

from pagesight.agent.cli import main
from pagesight.indexing import PageIndex
from pagesight.indexing.documents.conditions import read_condition
from pagesight.indexing.documents.metadata import read_pairs
from pagesight.indexing.errors import BadCondition, SettingsError, UnreadableDocument


@pytest.fixture
def index(place: str) -> Iterator[PageIndex]:
    with PageIndex.open(place, settings=small_settings()) as opened:
        yield opened


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    folder = tmp_path / "reports"
    folder.mkdir()
    for year in range(2015, 2025):
        write_pdf(folder / f"report-{year}.pdf", [["Cover"], [f"net revenue of the group {year}"]])
        (folder / f"report-{year}.pdf.meta.json").write_text(f'{{"year": {year}, "kind": "10-K"}}')
    return folder


CASES = [
    ("year >= 2020", True),
    ("year < 2020", False),
    ('year >= 2020 and kind == "10-K"', True),
    ('year >= 2020 and kind != "10-K"', False),
    ("year < 2020 or audited", True),
    ("not audited", False),
    ("year in [2019, 2021]", True),
    ("year not in (2019, 2021)", False),
    ("2020 <= year <= 2022", True),
    ('"10" in kind', True),
    ("margin > -0.5", True),
    ("author == 'x'", False),  # a key that is not there
    ("not author == 'x'", True),
    ("kind > 3", False),  # a text is not compared with a number
]


@pytest.mark.parametrize(("expression", "met"), CASES)
def test_conditions(expression: str, met: bool) -> None:
    metadata = {"year": 2021, "kind": "10-K", "audited": True, "margin": -0.1}
    assert read_condition(expression)(metadata) is met


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "year >",
        "year = 2020",
        "year is 2020",
        "__import__('os').system('x')",
        "year.real == 1",
        "2020",
        "f(x) == 1",
        "(",
    ],
)
def test_what_is_no_condition_is_refused_and_never_run(expression: str) -> None:
    with pytest.raises(BadCondition, match="year >= 2020"):
        read_condition(expression)


def test_pairs() -> None:
    pairs = ["year=2023", "kind=10-K", "margin=0.25", "audited=true", "note=a=b"]
    assert read_pairs(pairs) == {"year": 2023, "kind": "10-K", "margin": 0.25, "audited": True, "note": "a=b"}
    for wrong in ("year", "=3", "a b=3"):
        with pytest.raises(SettingsError, match="KEY=VALUE"):
            read_pairs([wrong])


@pytest.mark.parametrize("exhaustive_below", [0, 1000])
def test_a_condition_reaches_every_stage(place: str, reports: Path, exhaustive_below: int) -> None:
    settings = small_settings(exhaustive_below=exhaustive_below, candidates=3)
    with PageIndex.open(place, settings=settings) as index:
        index.add(reports)
        # nine other documents hold the same words and crowd it out of three candidates
        found = index.search("net revenue of the group", top_k=1, where="year == 2017")
        assert [hit.label for hit in found] == ["report-2017.pdf p. 2"]
        both = index.search("net revenue", where="year > 2016", documents=["report-2016.pdf", "report-2018.pdf"])
        assert {hit.document for hit in both} == {"report-2018.pdf"}
        assert index.search("net revenue", where="year > 2030") == []


def test_pairs_win_over_the_sidecar_and_outlive_the_index(place: str, reports: Path) -> None:
    with PageIndex.open(place, settings=small_settings()) as index:
        index.add(reports / "report-2020.pdf", metadata={"kind": "annual"})
    with PageIndex.open(place, settings=small_settings()) as index:
        assert index.documents()[0].metadata == {"year": 2020, "kind": "annual"}


def test_other_metadata_alone_reads_no_page_anew(index: PageIndex, reports: Path) -> None:
    path = reports / "report-2020.pdf"
    index.add(path)
    report = index.add(path, metadata={"year": 1999})
    assert (report.pages, [record.metadata["year"] for record in report.unchanged]) == (0, [1999])
    assert index.search("net revenue", where="year == 1999", top_k=1)[0].label == "report-2020.pdf p. 2"
    assert index.search("net revenue", where="year == 2020") == []
    assert index.search("net revenue")[0].lines == ["net revenue of the group 2020"]


def test_the_command_line_notes_and_filters(place: str, reports: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = f"--index={place}"
    assert main(["index", str(reports), "--meta", "audited=true", folder]) == 0
    capsys.readouterr()
    assert main(["search", "net revenue", "--where", "year == 2019 and audited", "--json", "--top-k=1", folder]) == 0
    assert json.loads(capsys.readouterr().out)[0]["label"] == "report-2019.pdf p. 2"
    assert main(["search", "net revenue", "--where", "year =", folder]) == 1
    assert "condition" in capsys.readouterr().err
    assert main(["index", str(reports), "--meta", "2023", folder]) == 1
    assert "KEY=VALUE" in capsys.readouterr().err


@pytest.mark.parametrize("content", ["{", "[1]", '{"a": [1]}', '{"a": null}'])
def test_a_sidecar_that_cannot_be_read_is_named(index: PageIndex, reports: Path, content: str) -> None:
    (reports / "report-2020.pdf.meta.json").write_text(content)
    report = index.add(reports)
    assert [str(failure.path.name) for failure in report.failed] == ["report-2020.pdf"]
    assert isinstance(report.failed[0].error, UnreadableDocument)
    assert "report-2020.pdf.meta.json" in str(report.failed[0].error)
    assert len(index.documents()) == 9
