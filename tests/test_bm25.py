"""What counts how often on a page, how rare terms are, and the scores from that."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pagesight.indexing.lexical.bm25 import TermStatistics, page_terms
from pagesight.indexing.pages import PageText


def page(*words: str, heights: list[float] | None = None) -> PageText:
    tall = heights or [0.01] * len(words)
    boxes = np.array([[0.3, 0.1, 0.4, 0.1 + height] for height in tall], np.float32).reshape(-1, 4)
    return PageText(list(words), boxes, np.zeros(len(words), np.int32), "text layer")


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
