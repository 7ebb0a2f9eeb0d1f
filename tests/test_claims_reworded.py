"""Claims in words that the page has not: ages and months as names of rows, shares in words, codes, answers of forms."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from reportlab.pdfgen.canvas import Canvas
from small_index import small_settings

from pagesight.agent import check_claims
from pagesight.indexing import PageIndex

PROSE = [
    "Seven-in-ten owners call the tower safe, and roughly half of the tenants agree. Older tenants are",
    "less sure: tenants ages 50 and older are more negative (81%) than those ages 30 to 49 (71%) or those",
    "under 30 (56%). The survey was conducted Dec. 8-13, 2015 in the harbour quarter of the town.",
    "The count does not include refunds against orders that have been sent, but not paid for by the buyer.",
]
ROWS = [
    ("Tenants who call the tower safe", "", ""), ("", "Sept", "Dec"), ("", "2014", "2015"), ("", "%", "%"),
    ("Total", "50", "46"), ("Men", "53", "51"), ("Women", "48", "41"), ("18-29", "33", "32"), ("30-49", "49", "47"),
    ("50-64", "56", "54"), ("65+", "64", "51"),
]  # fmt: skip
QUAYS = [("Market", "EPS code"), ("Old Quay", "QA01"), ("New Quay", "QA02"), ("Long Quay", "QA03")]  # a row lower
CODES = [("Market", "Code"), ("Harbour", "HB07"), ("Freight Yard", "HB08"), ("Station", "HB09")]
TRUE = [
    "Seven out of ten owners call the tower safe",
    "Half of the tenants agree",
    "Among those ages 50 and older 81 % are negative",
    "The survey was conducted from 8 to 13 December 2015",
    "Among tenants aged 65 and over the share fell from 64 % to 51 % between September 2014 and December 2015",
    "In December 2015 men were 10 points more likely than women to say this",
    "Overall, 46 percent of the tenants called the tower safe in December 2015",
    "The Freight Yard's code is HB08",
    "The Harbour is the market with the code HB07",
    "The EPS code of the market Old Quay is QA01",
    "The code HB09 stands for the market Station",
]
FALSE = [
    "Three out of ten owners call the tower safe",
    "Half of the owners agree",
    "Among those ages 50 and older 56 % are negative",
    "The survey was conducted from 8 to 14 December 2015",
    "In September 2014, 54 % of tenants aged 50 to 64 called the tower safe",
    "Von den 18- bis 29-Jährigen meinten das im Dezember 2015 54 %",
    "In December 2015 women were 10 points more likely than men to say this, and 53 % of the women called it safe",
    "The code of Freight Yard is HB09",
    "The EPS code of Old Quay is QA02",
    "The code of Freight Yard is HB12",
    "The count includes refunds against orders that were not paid for",
]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageIndex]:
    folder: Path = tmp_path_factory.mktemp("reworded")
    _write(folder / "survey.pdf")
    with PageIndex.open(folder / "index", settings=small_settings()) as index:
        index.add(folder / "survey.pdf")
        yield index


def _write(path: Path) -> None:
    canvas = Canvas(str(path), (595, 842))
    canvas.setFont("Helvetica", 10)
    for number, line in enumerate(PROSE):
        canvas.drawString(50, 780 - 13 * number, line)
    for number, (label, *cells) in enumerate(ROWS):
        canvas.drawString(50, 680 - 16 * number, label)
        for column, cell in enumerate(cells):
            canvas.drawCentredString(300 + 80 * column, 680 - 16 * number, cell)
    for number, (market, code) in enumerate(CODES):
        canvas.drawString(50, 430 - 16 * number, market)
        canvas.drawString(300, 430 - 16 * number, code)
    for number, (market, code) in enumerate(QUAYS):
        canvas.drawString(380, 398 - 16 * number, market)
        canvas.drawString(500, 398 - 16 * number, code)
    canvas.drawString(50, 330, "Was the tower inspected before it was let to tenants?")
    canvas.drawString(400, 330, "No")
    canvas.showPage()
    canvas.save()


@pytest.mark.parametrize("text", TRUE)
def test_what_is_reworded_is_not_doubted(index: PageIndex, text: str) -> None:
    (claim,) = check_claims(index, f"{text} [survey.pdf p. 1].")
    assert claim.outcome != "unsupported", claim.reason


@pytest.mark.parametrize("text", FALSE)
def test_what_is_taken_from_another_row_or_denied_is_doubted(index: PageIndex, text: str) -> None:
    (claim,) = check_claims(index, f"{text} [survey.pdf p. 1].")
    assert claim.outcome == "unsupported"
