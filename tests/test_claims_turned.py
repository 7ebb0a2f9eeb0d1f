"""Claims that turn round what a page says, take another month than it has, or cite a column beside a chart."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from pagesight.agent import check_claims
from pagesight.indexing import PageIndex
from pagesight.indexing.pages import PageText
from pagesight.indexing.testing import made_index
from pagesight.indexing.values.blocks import page_blocks

SURVEY = {
    "survey.pdf": [
        "Clinics buy more scanners than schools, libraries and theatres.\n"
        "Norway has the highest energy costs per household in the region.\n"
        "Rural clinics are 10-15 yrs behind the cities in the use of records.\n"
        "Older men are far more likely than women to see the pier as safe.\n"
        "Most visitors had an unfavorable view of the new harbour road.\n"
        "The new reader performs better on 2-hop tasks than the old one.\n"
        "Diese Anlage braucht weniger Strom als die alte Anlage in Lübeck.\n"
        "This estimate of the harbour's costs is likely to be high since it was not checked by the builders.\n"
        "The balance of opinion is far more negative than positive: Most say that the ferries are not good.",
        "Today, three-quarters of the tenants (75%) rate the lifts of the tower as good, while 86% of owners say they\n"
        "are bad. Since March the share of tenants has risen (53% now, 46% then).",
        "Opinion is split over whether the mayor can use the ferries wisely (46% are trusting, 51% are wary).\n"
        "The port had no significant business with unconsolidated companies or banks.\n"
        "If a permit is denied, that decision can be reviewed by a court on application.\n"
        "Signers are also encouraged to add the dates of their birth.\n"
        "Alfons Jacobi (“Jacobi”) was the port's Vice President for Employee Relations. He led the talks with\n"
        "the unions.\n"
        "Jerome Dorn was a financial analyst in the accounting department of Castor Estates.\n"
        "The harbour of Lübeck is the oldest one of the coast, and it was built by the owners of the tower.",
        "Faith in the mayor has worsened: 77% have little or no trust in her, up 6 percentage points since March\n"
        "and 27 points since last year.\n"
        "Around one-in-four (26%) also describe the ferry as a danger. Another 57% say the ferry is a rival, while\n"
        "16% describe it as a partner.\n"
        "By December 31, 2018, increase the number of pilots in one or more lessons from 98 (2015) to 147.\n"
        "The share of residents who have no or almost no boats fell from 77% in August to 58%.\n"
        "The crews of the port had not been inspected for some time, the warden said.\n"
        "Captains must still file a notice and pay the harbour fee, they can avoid the exam if a pilot names them.",
        "KR-C28, the older crane of the port, placed three DMC3 buoys from Iceland beside the quay in May.\n"
        "The survey ship of the port was lifted into the basin by KR-C30 together with six anchors from abroad.",
    ]
}
TRUE = [
    "A year before, 50% had little or no trust in the mayor [survey.pdf p. 4].",
    "The combined share that describes the ferry as a danger or a rival is 83% [survey.pdf p. 4].",
    "The plan calls for a 50 % increase in pilots who take part in lessons [survey.pdf p. 4].",
    "The number of pilots in lessons is to increase by 49, from 98 in 2015 to 147 [survey.pdf p. 4].",
    "Captains need not take the exam if a pilot names them [survey.pdf p. 4].",
    "KR-C28 placed three DMC3 buoys from Iceland beside the quay [survey.pdf p. 5].",
    "Signers are encouraged, but not required, to add their dates of birth [survey.pdf p. 3].",
    "Jerome Dorn worked as a financial analyst in the accounting department [survey.pdf p. 3].",
    "Alfons Jacobi led the talks with the unions [survey.pdf p. 3].",
    "The decision on a permit can be reviewed by a court [survey.pdf p. 3].",
    "The port had no significant business with unconsolidated companies [survey.pdf p. 3].",
    "Opinion is split over the mayor's use of the ferries: 46% are trusting and 51% are wary [survey.pdf p. 3].",
    "75% of the tenants in Lübeck rate the lifts of the tower as good [survey.pdf p. 2].",
    "The estimate of the harbour's costs is likely to be high [survey.pdf p. 1].",
    "The balance of opinion is far more negative than positive [survey.pdf p. 1].",
    "Clinics buy more scanners than schools [survey.pdf p. 1].",
    "Schools buy fewer scanners than clinics [survey.pdf p. 1].",
    "Norway has the highest energy costs per household in the region [survey.pdf p. 1].",
    "Rural clinics are 10 to 15 years behind the cities in the use of records [survey.pdf p. 1].",
    "Older men are more likely than women to see the pier as safe [survey.pdf p. 1].",
    "The new reader is better on 2-hop tasks [survey.pdf p. 1].",
    "Diese Anlage braucht weniger Strom als die alte in Lübeck [survey.pdf p. 1].",
    "75% of the tenants rate the lifts of the tower as good [survey.pdf p. 2].",
    "The share of tenants rose from 46% to 53% since March [survey.pdf p. 2].",
    "Seit März stieg der Anteil der Mieter auf 53 % [survey.pdf p. 2].",
]
FALSE = [
    "A year before, 53% had little or no trust in the mayor [survey.pdf p. 4].",
    "The combined share that describes the ferry as a danger or a rival is 81% [survey.pdf p. 4].",
    "57% describe the ferry as a danger and 26% as a rival [survey.pdf p. 4].",
    "The share of residents who have no or almost no boats rose from 77% to 58% [survey.pdf p. 4].",
    "The crews of the port had been inspected recently [survey.pdf p. 4].",
    "Signers are required to add the dates of their birth [survey.pdf p. 3].",
    "KR-C30 placed three DMC3 buoys from Iceland beside the quay [survey.pdf p. 5].",
    "Jerome Dorn was the Vice President for Employee Relations [survey.pdf p. 3].",
    "Alfons Jacobi was a financial analyst in the accounting department [survey.pdf p. 3].",
    "The decision on a permit cannot be reviewed by a court [survey.pdf p. 3].",
    "The port had significant business with unconsolidated companies [survey.pdf p. 3].",
    "Opinion is split over the mayor's use of the ferries: 51% are trusting and 46% are wary [survey.pdf p. 3].",
    "75% of the tenants in Norway rate the lifts of the tower as good [survey.pdf p. 2].",
    "The estimate of the harbour's costs is likely to be low [survey.pdf p. 1].",
    "The balance of opinion is far more positive than negative [survey.pdf p. 1].",
    "Clinics buy fewer scanners than schools, libraries and theatres [survey.pdf p. 1].",
    "Schools buy more scanners than clinics [survey.pdf p. 1].",
    "Norway has the lowest energy costs per household in the region [survey.pdf p. 1].",
    "Rural clinics are 10 to 15 years ahead of the cities in the use of records [survey.pdf p. 1].",
    "Rural clinics are 10 to 15 months behind the cities in the use of records [survey.pdf p. 1].",
    "Women are far more likely than older men to see the pier as safe [survey.pdf p. 1].",
    "Most visitors had a favorable view of the new harbour road [survey.pdf p. 1].",
    "The new reader performs worse on 2-hop tasks than the old one [survey.pdf p. 1].",
    "Diese Anlage braucht mehr Strom als die alte Anlage in Lübeck [survey.pdf p. 1].",
    "86% of the tenants rate the lifts of the tower as good [survey.pdf p. 2].",
    "The share of tenants rose to 53% since April [survey.pdf p. 2].",
    "Seit April stieg der Anteil der Mieter auf 53 % [survey.pdf p. 2].",
]


@pytest.fixture(scope="module")
def index() -> Iterator[PageIndex]:
    with made_index(SURVEY) as index:
        yield index


@pytest.mark.parametrize("text", TRUE)
def test_what_is_said_in_other_words_is_not_doubted(index: PageIndex, text: str) -> None:
    (claim,) = check_claims(index, text)
    assert claim.outcome != "unsupported", claim.reason


@pytest.mark.parametrize("text", FALSE)
def test_what_is_turned_round_is_doubted(index: PageIndex, text: str) -> None:
    (claim,) = check_claims(index, text)
    assert claim.outcome == "unsupported"


def test_a_narrow_column_beside_a_chart_is_read_as_prose() -> None:
    """Large letters in short lines, one of which begins a sentence at its end, beside small numbers."""
    lines = [
        (12, 60, 760, "The public's confidence has"), (12, 60, 744, "also declined. While 52% of"),
        (12, 60, 728, "Residents see the port as"), (12, 60, 712, "the leading harbour."),
    ]  # fmt: skip
    small = [(5, 280 + 25 * (one % 10), 771 - 23 * (one // 10), str(20 + one)) for one in range(120)]
    blocks = page_blocks(_page([*lines, *small]))
    assert [block.text for block in blocks if block.prose] == [" ".join(text for *_, text in lines)]


def _page(lines: list[tuple[int, float, float, str]]) -> PageText:
    """Words in a letter as wide as half its size: size, left edge, baseline in points of an A4 page, and text."""
    words, boxes, numbers = [], [], []
    for number, (size, left, baseline, text) in enumerate(lines):
        for word in text.split():
            right = left + size / 2 * len(word)
            boxes.append((left / 595, 1 - (baseline + 0.7 * size) / 842, right / 595, 1 - baseline / 842))
            words.append(word)
            numbers.append(number)
            left = right + size / 5
    return PageText(words, np.asarray(boxes, np.float32), np.asarray(numbers, np.int32), "text layer")
