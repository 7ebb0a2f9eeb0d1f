"""How texts become terms, and what is read in a question: its terms, its words as one, the pages that it names."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from small_index import small_settings, write_pdf

from pagesight.indexing import PageIndex
from pagesight.indexing.lexical.query import read_query
from pagesight.indexing.lexical.tokens import tokenize
from pagesight.indexing.testing import made_index


def test_terms_are_runs_of_letters_and_digits_in_lower_case():
    assert tokenize("Net_Revenue: 4.2 ﬁgures, Größe №5!") == ["net", "revenue", "4", "2", "figures", "größe", "no5"]
    assert tokenize("—") == []


def test_questions_lose_function_words_unless_they_have_no_others():
    assert read_query("What is the revenue of the revenue office?").terms == ("revenue", "office")
    assert read_query("Wie ist das?").terms == ("wie", "ist", "das")


def test_a_term_of_letters_and_digits_asks_for_its_parts_too():
    assert read_query("FY2018 capex").terms == ("fy2018", "fy", "2018", "capex")
    assert read_query("the Q4 of IP67").terms == ("q4", "ip67", "ip", "67")


@pytest.mark.parametrize(
    ("question", "parts"),
    [
        ("What is the fixed asset turnover ratio for 2019?", {"revenues", "property", "equipment"}),
        ("Interest coverage in 2019", {"operating", "income", "expense"}),
        ("Wie hoch war der Verschuldungsgrad 2023?", {"eigenkapital", "verbindlichkeiten"}),
        ("What is the R&D to asset ratio?", {"research", "development", "assets"}),
        ("How high was the net revenue?", set()),
        ("Which EBIT margin did they expect?", set()),  # pages print it
        ("What was the current proposal?", set()),
    ],
)
def test_a_ratio_asks_for_what_it_is_made_of(question: str, parts: set[str]):
    found = read_query(question).parts
    assert parts <= {*found}
    assert not {*found} & {*read_query(question).terms}
    assert bool(found) == bool(parts)


def test_a_question_on_a_ratio_finds_the_statement_with_its_parts():
    pages = [
        ["Staff", "Staff turnover was low, and so was the ratio of complaints."],
        ["Balance sheet", "Property and equipment, net: 253", "Net revenues: 6,489"],
        ["Outlook", "The year 2020 will be calm."],
    ]
    with made_index({"report.pdf": pages}) as index:
        assert index.search("What is the fixed asset turnover ratio?")[0].ref.page == 2


def test_neighbouring_words_are_joined_as_names_of_files_have_them():
    assert read_query("MGM Resorts Ltd").joined_words == {"mgmresorts", "resortsltd", "mgmresortsltd"}
    assert read_query("MGM").joined_words == frozenset()


@pytest.mark.parametrize(
    ("question", "numbers"),
    [
        ("What does the chart on page 14 show?", {14}),
        ("Compare slides 3-5 and p. 9", {3, 4, 5, 9}),
        ("pages 2, 4 and 6", {2, 4, 6}),
        ("the second page, the 12th slide", {2, 12}),
        ("Was steht auf Seite 7 und auf der dritten Folie?", {7, 3}),
        ("pages 9-7", {7, 8, 9}),
        ("pages 10 to 500", {10, 500}),
        ("How many pages have 14 charts in 2018?", set()),
    ],
)
def test_numbers_of_pages_that_a_question_names(question: str, numbers: set[int]):
    assert read_query(question).named_pages == numbers


@pytest.mark.parametrize("exhaustive_below", [0, 1000])
def test_a_search_reads_its_question_once(tmp_path: Path, monkeypatch, exhaustive_below: int):
    pages = [[f"Net revenue of Boreas, part {number}"] for number in range(6)]
    settings = small_settings(exhaustive_below=exhaustive_below)
    with PageIndex.open(tmp_path / "index", settings=settings) as index:
        index.add(write_pdf(tmp_path / "boreas.pdf", pages))
        asked = _texts_tokenized(monkeypatch)
        assert len(index.search("net revenue of Boreas on page 2", top_k=5)) == 5
    assert asked.count("net revenue of Boreas on page 2") == 1


def _texts_tokenized(monkeypatch) -> list[str]:
    """What is split into terms from now on, by whichever module."""
    texts: list[str] = []

    def counted(text: str, *rules: int) -> list[str]:
        texts.append(text)
        return tokenize(text, *rules)

    for module in list(sys.modules.values()):
        if getattr(module, "tokenize", None) is tokenize and module.__name__.startswith("pagesight."):
            monkeypatch.setattr(module, "tokenize", counted)
    return texts


def test_each_stage_tells_its_figures_to_who_listens(index: PageIndex, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG", "pagesight"):
        index.search("net revenue", top_k=2)
    stages = {"pagesight.indexing.retrieve", "pagesight.indexing.ranking.rank_pages"}
    told = [record.getMessage() for record in caplog.records if record.name in stages]
    assert [re.sub(r"\d+ ms", "N ms", line) for line in told] == [
        "2 query vectors in N ms",
        "12 pages (all) scored in N ms, 2 by BM25",
        "2 hits in N ms",
    ]
