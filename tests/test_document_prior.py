"""Which documents a question is about: those that it names, and those that its rare terms pervade."""

from __future__ import annotations

import math

import pytest

from pagesight.indexing.lexical.bm25 import TermStatistics, inverse_document_frequency
from pagesight.indexing.lexical.document_prior import NameTerms, document_evidence, name_terms
from pagesight.indexing.lexical.query import read_query
from pagesight.indexing.lexical.tokens import TERM_RULES


def reports() -> tuple[TermStatistics, NameTerms]:
    """Six yearly reports of three companies, whose pages all speak of revenue; only some name their company."""
    statistics = TermStatistics()
    names = [f"{company}_{year}_10K.pdf" for company in ("ACMEWORKS", "BOREAS", "CETUS") for year in (2018, 2019)]
    for name in names:
        for number in range(4):
            own = [name.split("_")[0].lower()] if number < 2 and "ACME" not in name else []
            statistics.add(["revenue", "2018", "2019", *own], name)
    return statistics, NameTerms((place, name) for place, name in enumerate(names))


def most_likely(question: str) -> str:
    evidence = document_evidence(read_query(question), *reports())
    return max(evidence, key=lambda name: evidence[name])


def test_company_and_year_lead_to_the_document_of_that_name():
    assert most_likely("What was the revenue of Boreas in FY2019?") == "BOREAS_2019_10K.pdf"
    assert most_likely("Revenue of Acme Works in 2018") == "ACMEWORKS_2018_10K.pdf"


def test_what_stands_in_every_document_is_evidence_for_none():
    assert document_evidence(read_query("revenue"), *reports()) == {}
    assert document_evidence(read_query("revenue"), TermStatistics(), NameTerms([])) == {}


def test_a_document_is_about_what_pervades_it():
    statistics = TermStatistics()
    for document in ("pumps", "ferries", "trains", "planes"):
        for number in range(10):
            passing = ["pump"] if document == "ferries" and number == 0 else []
            statistics.add(["pump"] if document == "pumps" else ["other", *passing], document)
    names = NameTerms((place, f"{place}.pdf") for place in range(4))
    statistics.add(["more"], "boats")
    evidence = document_evidence(read_query("pump"), statistics, names)
    assert evidence["pumps"] > 1.5 * evidence["ferries"] > 0


def test_a_term_counts_by_how_few_documents_hold_it():
    statistics = TermStatistics()
    for number in range(9):
        terms = ["all", *(["three"] if number < 3 else []), *(["one"] if number == 0 else [])]
        statistics.add(terms, str(number))
    told = {}
    for term in ("one", "three"):
        evidence = document_evidence(read_query(term), statistics, NameTerms([]))["0"]
        told[term] = evidence * statistics.idf(term)  # both pervade the document
    assert told["one"] / told["three"] == pytest.approx(math.log(8.5 / 1.5) / math.log(6.5 / 3.5))


def test_words_of_names_are_weighed_by_how_few_names_hold_them():
    names = NameTerms([(0, "pump_2018.pdf"), (1, "pump_2019.pdf"), (2, "ferry.pdf")])
    assert names.holders("pump") == [0, 1]
    assert names.holders("train") == []
    assert names.idf("pump") == inverse_document_frequency(3, 2)
    assert names.idf("ferry") == inverse_document_frequency(3, 1)


def test_a_suffix_is_no_word_of_a_name():
    kept = {"notes.c": {"notes"}, "x.abcde": {"x"}, "x.abcdef": {"x", "abcdef"}, "archive.tar.gz": {"archive", "tar"}}
    for name, terms in kept.items():
        assert name_terms(name, TERM_RULES) == terms
    assert "final" in name_terms("v1.2 final", TERM_RULES)
