"""Conditions on metadata and kinds of pages that a server looks through: the answers are those of who looks here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from small_index import small_settings, write_pdf

from pagesight.indexing import PageIndex
from pagesight.indexing.milvus import server_view
from pagesight.indexing.milvus.condition_filter import wider_filter
from pagesight.indexing.milvus.page_rows import PageStore

METADATA = [
    {"year": 2020, "tenant": "acme", "open": True},
    {"year": 2021.5, "tenant": "globex", "open": False, "page_table": True},
    {"year": 2022, "tenant": "acme", "open": 1, "ratio": 1.0},
    {"year": "2020", "tenant": "Acme", "open": 0, "ratio": True},
    {"tenant": "acme and sons", "page_table": 1},
    {},
]
CONDITIONS = [
    'tenant == "acme"', "year == 2020", "year == 2020.0", "year >= 2020", "year < 2022", "year > -1", "2020 <= year",
    "year in [2020, 2022]", 'tenant in ("acme", "globex")', "open == 1", "open == True", "open == False", "open >= 0",
    "open < 1", "ratio == 1", "ratio > 0.5", 'year == "2020"', 'tenant >= "acme"', 'tenant == "acme" and open',
    'tenant == "globex" or year == 2022', 'tenant == "acme" or not open', 'not tenant == "acme"', 'tenant != "acme"',
    '"ac" in tenant', "nothing == 1", "page_cover", "page_table", "page_table >= 0.9", "page_contents == 1",
    'page_table and tenant == "globex"', "year in []", "year == None", 'tenant == "a\\"b"',
]  # fmt: skip


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reports")
    for number, metadata in enumerate(METADATA):
        path = write_pdf(folder / f"report-{number}.pdf", [["Annual report"], [f"revenue of report {number}"]])
        Path(f"{path}.meta.json").write_text(json.dumps(metadata))
    return folder


@pytest.fixture
def index(address: str, reports: Path) -> Iterator[PageIndex]:
    with PageIndex.open(address, settings=small_settings(candidates=50)) as opened:
        opened.add(reports)
        yield opened


def answers(index: PageIndex, condition: str) -> list[dict[str, object]]:
    return [hit.as_dict() for hit in index.search("annual report revenue", top_k=50, where=condition)]


def test_it_answers_as_where_the_reader_looks(index: PageIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = {condition: answers(index, condition) for condition in CONDITIONS}
    assert len({json.dumps(found) for found in expected.values()}) > 12
    asked: list[str] = []
    own = PageStore.keys_meeting

    def recorded(self: PageStore, condition: str) -> Iterator[str]:
        asked.append(condition)
        return own(self, condition)

    monkeypatch.setattr(PageStore, "keys_meeting", recorded)
    monkeypatch.setattr(server_view, "_WORTH_ASKING", 0)
    for condition in CONDITIONS:
        assert answers(index, condition) == expected[condition], condition
    sayable = [condition for condition in CONDITIONS if wider_filter(condition)]
    assert len(asked) == len(sayable) > 20  # each once: its search asks for it several times
    assert answers(index, sayable[-1]) == expected[sayable[-1]]
    assert len(asked) == len(sayable)


def test_what_changes_is_asked_anew(index: PageIndex, reports: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_view, "_WORTH_ASKING", 0)
    before = answers(index, 'tenant == "globex"')
    index.add(reports / "report-5.pdf", metadata={"tenant": "globex"})
    after = answers(index, 'tenant == "globex"')
    assert {hit["document"] for hit in after} == {hit["document"] for hit in before} | {"report-5.pdf"}
    named = index.search("annual report", top_k=50, documents=["report-0.pdf"], where='tenant == "acme"')
    assert {hit.document for hit in named} == {"report-0.pdf"}


@pytest.mark.parametrize(
    "condition",
    ['tenant != "acme"', "not open", 'tenant == "é"', 'tenant == "\\\\"', "year == 1e400", "year == 1 or open", "open",
     f"year in {list(range(300))}", "year == 10**3", "1 < year < 3", "year == other", "ünder == 1"],
)  # fmt: skip
def test_what_milvus_cannot_be_trusted_with_is_left_to_the_reader(condition: str) -> None:
    assert wider_filter(condition) == ""
