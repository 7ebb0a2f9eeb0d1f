"""Differences that a page does not print but whose numbers it does, and numbers whose own words tell little."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from reportlab.pdfgen.canvas import Canvas
from small_index import small_settings

from pagesight.agent import check_claims
from pagesight.indexing import PageIndex

PROSE = [
    "Today, 43% of the town express confidence in the mayor to handle a flood, up from 35% in January; once 48% did.",
    "Since January, owners have grown significantly more confident in the mayor to handle a flood (84% now, 73% then).",
    "By December 31, 2018, reduce the average time to issue a permit from 65 days (2015) to 49 days.",
    "By December 31, 2018, reduce the average time to issue a mooring permit from 60 days (2015) to 45 days.",
    "On May 9, 2019, the port made an aggregate payment of $283 million to owners of record on March 28, 2019.",
    "The quay cost $116 million in 2019, as compared to $131 million in 2018.",
    "Ferries and buses carry 12% and 19% of the visitors, respectively.",
    "For the coming two years the council has named six measures, which some call a concern.",
]
VOTES = [
    ("% who would vote for the list of the", "Harbour", "Station"), ("All registered voters", "48", "43"),
    ("Men", "41", "50"), ("Women", "55", "37"), ("Ind", "31", "47"), ("Owners", "39", "53"),
]  # fmt: skip
SCORES = [("F1 of the models", "", ""), ("Alder", "55.67", "54.67", "53.2"), ("Birch", "48.27", "52.11", "51.9")]
PLANS = [("Widen the quay", "32", "12"), ("Deepen the basin", "28", "11"), ("Mark the channel", "29", "16")]
TRUE = [
    "The quay cost less in 2019 than in 2018, a decline of roughly 11% from $131 million to $116 million",
    "The cost of the quay fell from 2018 to 2019",
    "Ferries carry 12%, which is roughly two thirds of the 19% that the buses carry",
    "Women favor the Harbour list, at 55%, and men the Station list, at 50%",
    "The Harbour list leads by 5 percentage points among all registered voters",
    "Women favor the Harbour list by 18 points",
    "Independents are 10 points less likely than men to vote for the Harbour list",
    "Men are 14 points less likely than women to vote for the Harbour list",
    "Alder is 7.4 points better than Birch",
    "Confidence in the mayor to handle a flood rose by 8 percentage points since January",
    "The average time to issue a permit is to fall by 16 days",
    "An aggregate payment of $283 million was made on May 9, 2019",
    "The quay cost $116 million and $131 million in 2019 and 2018, respectively",
    "Ferries carry 12% of the visitors",
    "Buses and ferries carry 19% and 12% of the visitors, respectively",
    "Fähren und Busse befördern 12 bzw. 19 % der Besucher",
    "Only 11 of the owners ask the council for dredging, with January and moorings in mind",
]
FALSE = [
    "The cost of the quay rose from 2018 to 2019",
    "The quay cost $116 million in 2019, up from $131 million in 2018",
    "The quay cost less in 2019 than in 2018, a decline of roughly 21% from $131 million to $116 million",
    "The Harbour list leads by 6 percentage points among all registered voters",
    "Women favor the Harbour list by 17 points",
    "Independents are 9 points less likely than men to vote for the Harbour list",
    "Men are 9 points less likely than women to vote for the Harbour list",
    "Alder is 8.3 points better than Birch",
    "Confidence in the mayor to handle a flood rose by 9 percentage points since January",
    "The average time to issue a permit is to fall by 17 days",
    "The quay cost $131 million and $116 million in 2019 and 2018, respectively",
    "Ferries carry 19% of the visitors",
    "Buses and ferries carry 12% and 19% of the visitors, respectively",
]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageIndex]:
    path = tmp_path_factory.mktemp("compared") / "town.pdf"
    canvas = Canvas(str(path), (595, 842))
    canvas.setFont("Helvetica", 8)
    for number, line in enumerate(PROSE):
        canvas.drawString(40, 780 - 30 * number, line)
    for table, top in ((VOTES, 600), (SCORES, 480), (PLANS, 400)):
        for number, (name, *cells) in enumerate(table):
            canvas.drawString(40, top - 14 * number, name)
            for column, cell in enumerate(cells):
                canvas.drawRightString(320 + 80 * column, top - 14 * number, cell)
    canvas.save()
    with PageIndex.open(path.parent / "index", settings=small_settings()) as index:
        index.add(path)
        yield index


@pytest.mark.parametrize("text", TRUE)
def test_a_difference_of_what_is_printed_is_not_doubted(index: PageIndex, text: str) -> None:
    (claim,) = check_claims(index, f"{text} [town.pdf p. 1].")
    assert claim.outcome != "unsupported", claim.reason


@pytest.mark.parametrize("text", FALSE)
def test_another_difference_is_doubted(index: PageIndex, text: str) -> None:
    (claim,) = check_claims(index, f"{text} [town.pdf p. 1].")
    assert claim.outcome == "unsupported"
