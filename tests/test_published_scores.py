"""The published sets' own measures, each against cases that were worked out by hand from the authors' descriptions."""

from __future__ import annotations

import math

import pytest

from pagesight.agent.evaluate.published_scores import (
    anls_star,
    evidence_scores,
    f1,
    kuiper,
    mmlongbench_f1,
    mmlongbench_score,
    slidevqa_scores,
    wasted_effort,
)
from pagesight.agent.evaluate.regions import region_f1, region_iou


@pytest.mark.parametrize(
    ("given", "expected", "form", "score"),
    [
        ("8", "8", "Int", 1),
        ("8.7", "8", "Int", 1),  # cut, not rounded
        ("1,091", "1091", "Int", 0),  # no number to the authors' reading
        ("eight", "8", "Int", 0),
        ("inf", "8", "Int", 0),
        ("18.29%", "18.29%", "Float", 1),
        ("0.1829", "18.29%", "Float", 1),  # a part for a per cent
        ("1829", "18.29%", "Float", 1),  # and a hundredfold
        ("18.4", "18.29", "Float", 1),  # within 1 %
        ("18.5", "18.29", "Float", 0),
        ("$18.29", "18.29", "Float", 1),
        ("nan", "18.29", "Float", 0),
        ("about 18", "18.29", "Float", 0),
        ("less well off", "Less well-off", "Str", 1 - 1 / 13),
        ("worse", "Less well-off", "Str", 0),  # not above one half
        ("Europe (IPO)", "europe", "Str", 1),  # without what stands in brackets
        ("'Europe'", "Europe", "Str", 1),
        ("page 13", "page 12", "Str", 0),  # pages, addresses, times and dates to the letter
        ("https://w.wiki/6gc", "https://w.wiki/6gb", "Str", 0),
        ("10:35 a.m.", "10:45 a.m.", "Str", 0),
        ("2015-2017", "2015-2016", "Str", 0),
        ("ann@example.org", "anna@example.org", "Str", 0),
        ("Not answerable", "Not answerable", "None", 1),
        (["TIME", "The Economist"], "['The Economist', 'TIME']", "List", 1),  # in any order
        ("['The Economist', 'Time']", "['The Economist', 'TIME']", "List", 1),
        (["The Economist"], "['The Economist', 'TIME']", "List", 0),
        (["The Economst", "TIME"], "['The Economist', 'TIME']", "List", 1 - 1 / 13),  # the least similar pair
        (["10%", "4"], "['10%', '5']", "List", 0),  # numbers to the digit
        ("[", "['a']", "List", 0),
    ],
)
def test_mmlongbench(given: str | list[str], expected: str, form: str, score: float) -> None:
    assert mmlongbench_score(given, expected, form) == pytest.approx(score)


def test_mmlongbench_f1_is_of_answers_given_and_answerable_questions() -> None:
    # 1.5 right of 3 that can be answered; 4 answers were given, one of them to a question that cannot be
    scores, answerable, answered = [1, 0.5, 0, 0, 1], [True, True, True, False, False], [True, True, True, True, False]
    assert mmlongbench_f1(scores, answerable, answered) == pytest.approx(2 * 0.5 * 0.375 / 0.875)
    assert mmlongbench_f1([1.0], [False], [False]) is None


@pytest.mark.parametrize(
    ("given", "expected", "question", "precision", "recall", "exact"),
    [
        ("It is 63 percent", "63", "What share?", 1, 1, 1),
        ("three", "3", "How often?", 1, 1, 1),
        ("12 journalists", "12", "Of the two, how many journalists say so?", 1, 1, 1),  # the thing counted falls away
        ("Yes, in Asia", "yes", "Is it?", 1, 1, 1),
        ("The North of Asia", "Asia", "Where?", 1 / 3, 1, 0),
        ("Europe", "Asia", "Where?", 0, 0, 0),
        ("", "Asia", "Where?", 0, 0, 0),
    ],
)
def test_slidevqa(
    given: str, expected: str, question: str, precision: float, recall: float, exact: float
) -> None:  # fmt: skip
    assert slidevqa_scores(given, expected, question) == pytest.approx((precision, recall, exact))


def test_pages_are_compared_as_sets() -> None:
    assert evidence_scores(["a p. 1", "a p. 1", "a p. 2"], ["a p. 1"]) == (0.5, 1, 0)
    assert evidence_scores(["a p. 2", "a p. 1"], ["a p. 1", "a p. 2"]) == (1, 1, 1)
    assert evidence_scores([], ["a p. 1"]) == (0, 0, 0)
    assert f1(0.5, 1) == pytest.approx(2 / 3)
    assert f1(0, 0) == 0


def test_anls_star_takes_the_best_way_to_write_the_answer() -> None:
    assert anls_star("$1.2m", [["$1.2 million"], ["$1.2M"]]) == 1
    assert anls_star("$1.2N", [["$1.2M"]]) == pytest.approx(1 - 1 / 5)
    assert anls_star(["Ann", "Bob"], [["bob", "ann"]]) == 1  # lists in any order
    assert anls_star(["Ann"], [["Ann", "Bob"]]) == pytest.approx(0.5)  # one of two
    assert anls_star("", [["Ann"]]) == 0
    assert anls_star("Ann", []) == 0


def test_effort_is_set_against_what_is_right() -> None:
    # sorted by effort: right, right, wrong, wrong; less the mean of one half the sums are .5, 1, .5, 0
    assert kuiper([1, 2, 3, 4], [True, True, False, False]) == 1
    assert kuiper([1, 2, 3, 4], [True, False, True, False]) == 0.5
    assert kuiper([1, 2], [True, True]) is None
    assert wasted_effort([1, 2, 3, 6], [True, True, False, False]) == 3
    assert wasted_effort([1, 2], [True, True]) is None


def test_regions_are_compared_by_area_with_the_person_who_agrees_most() -> None:
    half, quarter = (0.0, 0.0, 0.5, 1.0), (0.0, 0.0, 0.5, 0.5)
    assert region_f1([half], [[half]]) == 1
    assert region_f1([half], [[quarter]]) == pytest.approx(2 * 0.25 / 0.75)
    assert region_f1([half], [[quarter], [half]]) == 1
    assert region_f1([half, quarter], [[half]]) == 1  # what lies over each other counts once
    assert region_f1([], [[half]]) == 0
    assert region_f1([(0.5, 0, 1, 1)], [[half]]) == 0
    assert not math.isnan(region_f1([], [[]]))
    assert region_iou([half], [[quarter]]) == pytest.approx(0.25 / 0.5)
    assert region_iou([half], [[quarter], [half]]) == 1
    assert region_iou([], [[half]]) == 0
