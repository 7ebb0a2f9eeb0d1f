"""How texts and questions become terms, what counts how often, and what a question says of documents and pages."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pagesight.indexing.lexical.bm25 import TermStatistics, page_terms
from pagesight.indexing.lexical.document_prior import DocumentNames, document_evidence
from pagesight.indexing.lexical.page_mentions import named_pages
from pagesight.indexing.lexical.tokens import query_terms, terms
from pagesight.indexing.pages import PageText


def page(*words: str, heights: list[float] | None = None) -> PageText:
    tall = heights or [0.01] * len(words)
    boxes = np.array([[0.1, 0.1, 0.2, 0.1 + height] for height in tall], np.float32).reshape(-1, 4)
    return PageText(list(words), boxes, np.zeros(len(words), np.int32), "text layer")


def test_terms_are_runs_of_letters_and_digits_in_lower_case():
    assert terms("Net_Revenue: 4.2 ﬁgures, Größe №5!") == ["net", "revenue", "4", "2", "figures", "größe", "no5"]
    assert terms("—") == []


def test_questions_lose_function_words_unless_they_have_no_others():
    assert query_terms("What is the revenue of the revenue office?") == ["revenue", "office"]
    assert query_terms("Wie ist das?") == ["wie", "ist", "das"]


def test_a_term_of_letters_and_digits_asks_for_its_parts_too():
    assert query_terms("FY2018 capex") == ["fy2018", "fy", "2018", "capex"]
    assert query_terms("the Q4 of IP67") == ["q4", "ip67", "ip", "67"]


def test_the_opening_of_a_page_counts_twice():
    words = [f"w{number}" for number in range(40)]
    assert page_terms(page(*words)).count("w29") == 2
    assert page_terms(page(*words)).count("w30") == 1


def test_large_words_count_once_more():
    small = ["text"] * 40
    heights = [0.01] * 40 + [0.02, 0.014]
    counted = page_terms(page(*small, "Heading", "emphasis", heights=heights))
    assert (counted.count("heading"), counted.count("emphasis")) == (2, 1)
    assert page_terms(page("Title", *small, heights=[0.03] + [0.01] * 40))[:3] == ["title"] * 3


def test_a_page_without_words_has_no_terms():
    assert page_terms(PageText.empty()) == []


def test_idf_is_that_of_bm25():
    statistics = TermStatistics()
    for words in (["a", "a", "b"], ["a"], ["c"], []):
        statistics.add(words)
    assert statistics.pages == 4
    assert statistics.idf("a") == pytest.approx(math.log((4 - 2 + 0.5) / (2 + 0.5) + 1))
    assert statistics.idf("unknown") == pytest.approx(math.log(4.5 / 0.5 + 1))
    assert "b" in statistics
    assert "unknown" not in statistics


def test_bm25_is_its_formula():
    pages = {"one": ["pump", "pump", "valve"], "two": ["valve"], "three": ["pump", "seal", "seal", "seal"]}
    statistics = TermStatistics()
    for name, found in pages.items():
        statistics.add(found, name)
    mean = 8 / 3

    def score(name: str, term: str) -> float:
        often = pages[name].count(term)
        norm = 1 - 0.75 + 0.75 * len(pages[name]) / mean
        return statistics.idf(term) * often * 2.5 / (often + 1.5 * norm)

    found = statistics.bm25(["pump", "valve", "unknown"], 10)
    assert list(found) == ["one:1", "two:1", "three:1"]
    assert found == pytest.approx(
        {"one:1": score("one", "pump") + score("one", "valve"), "two:1": score("two", "valve"),
         "three:1": score("three", "pump")}
    )  # fmt: skip
    assert list(statistics.bm25(["pump"], 1)) == ["one:1"]
    assert statistics.bm25(["pump"], 10, ["three", "gone"]) == {"three:1": found["three:1"]}
    assert statistics.bm25(["unknown"], 10) == statistics.bm25([], 10) == TermStatistics().bm25(["pump"], 10) == {}


def test_statistics_of_some_documents_know_nothing_of_the_others():
    statistics = TermStatistics()
    statistics.add(["pump", "seal"], "one")
    statistics.add(["valve"], "two")
    some = statistics.only(["two", "gone"])
    assert (some.pages, list(some.documents)) == (1, ["two"])
    assert "pump" not in some
    assert some.bm25(["pump", "valve"], 5).keys() == {"two:1"}
    statistics.forget("two")
    assert statistics.pages == 1


def test_statistics_count_on_which_part_of_each_document_a_term_stands():
    statistics = TermStatistics()
    statistics.add(["pump", "pump"], "one")
    statistics.add(["valve"], "one")
    statistics.add(["pump"], "two")
    holders, spread = statistics.spread("pump")
    assert dict(zip(holders.tolist(), spread.tolist(), strict=True)) == {0: 0.5, 1: 1.0}
    assert statistics.spread("unknown")[0].size == 0
    statistics.add(["pump"], "three")
    assert statistics.spread("pump")[0].tolist() == [0, 1, 2]


def reports() -> tuple[TermStatistics, DocumentNames]:
    """Six yearly reports of three companies, whose pages all speak of revenue; only some name their company."""
    statistics = TermStatistics()
    names = [f"{company}_{year}_10K.pdf" for company in ("ACMEWORKS", "BOREAS", "CETUS") for year in (2018, 2019)]
    for name in names:
        for number in range(4):
            own = [name.split("_")[0].lower()] if number < 2 and "ACME" not in name else []
            statistics.add(["revenue", "2018", "2019", *own], name)
    return statistics, DocumentNames((place, name) for place, name in enumerate(names))


def most_likely(question: str) -> str:
    evidence = document_evidence(question, *reports())
    return max(evidence, key=lambda name: evidence[name])


def test_company_and_year_lead_to_the_document_of_that_name():
    assert most_likely("What was the revenue of Boreas in FY2019?") == "BOREAS_2019_10K.pdf"
    assert most_likely("Revenue of Acme Works in 2018") == "ACMEWORKS_2018_10K.pdf"


def test_what_stands_in_every_document_is_evidence_for_none():
    assert document_evidence("revenue", *reports()) == {}
    assert document_evidence("revenue", TermStatistics(), DocumentNames([])) == {}


def test_a_document_is_about_what_pervades_it():
    statistics = TermStatistics()
    for document in ("pumps", "ferries", "trains", "planes"):
        for number in range(10):
            passing = ["pump"] if document == "ferries" and number == 0 else []
            statistics.add(["pump"] if document == "pumps" else ["other", *passing], document)
    names = DocumentNames((place, f"{place}.pdf") for place in range(4))
    statistics.add(["more"], "boats")
    evidence = document_evidence("pump", statistics, names)
    assert evidence["pumps"] > 1.5 * evidence["ferries"] > 0


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
    assert named_pages(question) == numbers
