"""Each measure of one answer against a case worked by hand."""

from __future__ import annotations

import pytest

from pagesight.agent.evaluate import scoring


@pytest.mark.parametrize(
    ("answer", "expected", "value"),
    [
        ("The Berlin School. [a.pdf p. 2]", "berlin school", 1),
        ("“Berlin-School”", "BerlinSchool", 1),
        ("The Berlin School of psychology", "Berlin School", 0),
    ],
)
def test_exact_leaves_out_case_articles_punctuation_and_citations(answer: str, expected: str, value: float):
    assert scoring.exact(answer, expected) == value


@pytest.mark.parametrize(
    ("answer", "expected", "value"),
    [
        ("It was 21% in 2010 [a.pdf p. 14].", "21%", 1),
        ("It was 21 percent.", "21%", 1),
        ("Revenue rose to 4.2 billion euros.", "4,200,000,000", 1),
        ("Revenue rose to $4,200 million.", "4.2bn", 1),
        ("It is 0.504.", "0.5", 1),
        ("It is 0.51.", "0.5", 0),
        ("It is 11.", "12", 0),
        ("There are twelve [a.pdf p. 12].", "12", 0),
        ("It fell by -3.5 points.", "-3.5", 1),
        ("a", "three rivers", None),
        ("a", "from 5 to 7", None),
        ("5", "the 5 longest rivers of northern Europe", None),
    ],
)
def test_numeric_compares_values_and_not_digits(answer: str, expected: str, value: float | None):
    assert scoring.numeric(answer, expected) == value


@pytest.mark.parametrize(
    ("answer", "expected", "value"),
    [
        ("They met in the Berlin School, it says.", "berlin school", 1),
        ("They met in Berlin.", "Berlin School", 0),
        ("Oslo and Rome", "['Oslo', 'Rome', 'Bern', 'Paris']", 0.5),
        ("3 of 14", "['14', '3']", 1),
        ("It is 140.", "14", 0),
    ],
)
def test_contains_asks_for_each_expected_item(answer: str, expected: str, value: float):
    assert scoring.contains(answer, expected) == value


def test_token_f1_is_the_harmonic_mean_over_words():
    # given "net revenue rose", wanted "revenue rose sharply in 2023": 2 shared of 3 and of 5
    assert scoring.token_f1("The net revenue rose.", "revenue rose sharply in 2023") == pytest.approx(2 * 2 / (3 + 5))
    assert scoring.token_f1("x", "y") == 0
    assert scoring.token_f1("the", "a") == 1


def test_anls_is_one_less_the_normalised_edits_and_nothing_below_one_half():
    assert scoring.anls("Berlin Schol [a.pdf p. 1]", "Berlin School") == pytest.approx(1 - 1 / 13)
    assert scoring.anls("abcd", "abxy") == 0.5
    assert scoring.anls("abcd", "axyz") == 0
    assert scoring.anls("", "a") == 0


@pytest.mark.parametrize(
    ("cited", "evidence", "expected"),
    [
        (["a p. 1", "a p. 2", "a p. 3"], ["a p. 2", "a p. 9"], (1 / 3, 1 / 2)),
        ([], ["a p. 2"], (None, 0)),
        (["a p. 1"], [], (0, None)),
        (["a p. 1", "a p. 1"], ["a p. 1"], (1, 1)),
    ],
)
def test_citations_have_precision_and_recall(cited: list[str], evidence: list[str], expected: tuple):
    assert scoring.precision_and_recall(cited, evidence) == pytest.approx(expected)


def test_words_that_there_is_no_answer_are_none():
    assert not scoring.is_answerable("Not answerable")
    assert scoring.is_answerable("Not in Oslo")


def test_the_mean_is_over_what_there_is():
    assert scoring.mean([1.0, None, 0.0]) == 0.5
    assert scoring.mean([None]) is None
