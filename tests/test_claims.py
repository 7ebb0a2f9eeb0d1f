"""Claims of an answer, checked against the words of the pages that they cite, through `check_claims` alone."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from reportlab.pdfgen.canvas import Canvas
from small_index import small_settings

from pagesight.agent import Claim, acheck_claims, check_claims
from pagesight.indexing import PageIndex, load_settings
from pagesight.indexing.testing import made_index

sys.path.append(str(Path(__file__).resolve().parent.parent / "benchmarks"))

DOCUMENTS = {
    "review.pdf": [
        "Segments, EUR million\n2024 2023\nAir-source 486.2 441.5\nGround-source 214.7 223.9\n"
        "Net debt 119.2 120.0\nOther result (7.5) (8.8)\nGroup 962.8 885.4",
        "No customer accounts for more than 6 per cent of revenue.\n"
        "The Supervisory Board approved the third line in Torvik on 21 January 2025.\n"
        "The tax rate was 23.0 per cent, after 23.4 per cent.\n"
        "The largest plant has 1.4 megawatts. The office has 312 square metres, let for £20,600.\n"
        "The tests that were made showed no need for a write-down.",
    ],
    "annual.pdf": [
        "Key figures\nin EUR million\n2023 2022\nNet revenue 885.4 801.2\nOperating income 98.1 102.6\n"
        "Employees 4,120 3,998",
        "Net revenue rose to EUR 885.4 million in 2023, up 10.5 % from EUR 801.2 million in 2022.\n"
        "Operating income fell to EUR 98.1 million. The Chief Financial Officer is Jane Miller.\n"
        "Sales rose 5 % in Germany and 8 % in France. The agreement was signed on 31 December 2023.\n"
        "The fleet consists of 12 vessels, and Norway operates 7 of them.",
        "The outlook remains unchanged.",
    ],
    "lease.pdf": [
        "Lease between Castor Estates Ltd (the landlord) and Brightwell Dental LLP (the tenant)\n"
        "The lease runs for seven years. The rent is £86,400 a year, payable quarterly in advance.\n"
        "The service charge was reduced to £4,100 after the repairs.\n"
        "Nothing in these statements has been audited.\n"
        "There were insufficient parking spaces for visitors.",
    ],
    "bericht.pdf": [
        "Umsatz nach Regionen in Mio. EUR\n2023 2022\nEuropa 512,3 498,0\nAsien 240,1 201,7",
        "Der Umsatz stieg 2023 um 10,5 % auf 885,4 Mio. EUR. Der Vorstand sagte:\nWir wachsen schneller als der Markt.",
    ],
}

TRUE = [
    "The lease runs for 84 months [lease.pdf p. 1].",
    "The rent is £86,400 per year [lease.pdf p. 1].",
    "The landlord is Castor Estates Ltd [lease.pdf p. 1].",
    "The figures have not been audited [lease.pdf p. 1].",
    "The service charge fell to £4,100 after the repairs [lease.pdf p. 1].",
    "There were not enough parking spaces for visitors [lease.pdf p. 1].",
    "No customer accounts for more than 6 per cent of revenue [review.pdf p. 2].",
    "The third line in Torvik was approved on 21 January 2025 [review.pdf p. 2].",
    "The tax rate fell by 0.4 points to 23.0 per cent [review.pdf p. 2].",
    "The largest plant has 1,400 kW [review.pdf p. 2].",
    "The office has 312 m² [review.pdf p. 2].",
    "Net debt fell by EUR 0.8 million in 2024 [review.pdf p. 1].",
    "The other loss shrank by EUR 1.3 million in 2024, from 8.8 to 7.5 [review.pdf p. 1].",
    "Air-source made up about half of the revenue of the group in 2024 [review.pdf p. 1].",
    "Air-source rose to EUR 486.2m (2023: EUR 441.5m) [review.pdf p. 1].",
    "The revenues were 486.2 (air-source) and 214.7 (ground-source) in 2024 [review.pdf p. 1].",
    "Revenue of the group was EUR 962.8 million¹ in FY2024 [review.pdf p. 1].",
    "- Air-source, 2024: 486.2\n- Ground-source, 2024: 214.7\n[review.pdf p. 1]",
    "Der dritten Linie in Torvik wurde am 21. Januar 2025 zugestimmt [review.pdf p. 2].",
    "Net revenue was EUR 885.4 million in 2023 [annual.pdf p. 1].",
    "In 2023 net revenue reached EUR 885.4 million [annual.pdf p. 2].",
    "In 2022, net revenue had been EUR 801.2 million [annual.pdf p. 2].",
    "Net revenue was about EUR 885 million [annual.pdf p. 1].",
    "Net revenue was roughly 0.9 billion euros in 2023 [annual.pdf p. 1].",
    "Net revenue rose by EUR 84.2 million [annual.pdf p. 1].",
    "Net revenue rose by 10.5 % [annual.pdf p. 1].",
    "Sales rose 8 % in France [annual.pdf p. 2].",
    "The CFO is Jane Miller [annual.pdf p. 2].",
    "The agreement was signed on December 31, 2023 [annual.pdf p. 2].",
    "The agreement was signed on 2023-12-31 [annual.pdf p. 2].",
    "The company had 4,120 employees in 2023 [annual.pdf p. 1].",
    "The fleet has 12 vessels [annual.pdf p. 2].",
    "Der Umsatz in Europa betrug 2023 512,3 Mio. EUR [bericht.pdf S. 1].",
    "2023 stieg der Umsatz auf 885,4 Millionen Euro [bericht.pdf S. 2].",
    "„Wir wachsen schneller als der Markt“ [bericht.pdf S. 2]",
    "Revenue in Europe in 2023 was EUR 512.3 million [bericht.pdf p. 1].",
    "Net revenue: **885.4** (2023) vs. 801.2 (2022) [annual.pdf p. 1]",
    "Europa und Asien kamen 2023 zusammen auf 752,4 Mio. EUR [bericht.pdf p. 1].",
    "Operating income fell to EUR 98.1 million [annual.pdf p. 2].",
    "Operating income declined by 4.4 % to 98.1 [annual.pdf p. 1].",
    "Net revenue was 885,400,000 euros in 2023 [annual.pdf p. 1].",
    "Im Jahr 2023 lag der Nettoumsatz bei 885,4 Mio. EUR [annual.pdf p. 1].",
    "Twelve vessels make up the fleet [annual.pdf p. 2].",
    "Revenue was EUR 885.4m. Operating income was EUR 98.1m [annual.pdf p. 1].",
    "The outlook remains unchanged [annual.pdf p. 3].",
    "The agreement was signed on 31.12.2023 [annual.pdf p. 2].",
    "The agreement was signed in December 2023 [annual.pdf p. 2].",
    "Net revenue rose from EUR 801.2 million to EUR 885.4 million [annual.pdf p. 2].",
    "According to [annual.pdf p. 1], net revenue was EUR 885.4 million in 2023.",
    "In 2023 EUR 98.1 million of operating income was left [annual.pdf p. 1].",
    "In 2022 €102.6m of operating income was left [annual.pdf p. 1].",
    "| Figure | 2023 |\n|---|---|\n| Net revenue | 885.4 |\n| Operating income | 98.1 |\n\nSource: [annual.pdf p. 1]",
    "Torvik [review.pdf p. 2]",
    "Yes [review.pdf p. 2].",
    "Blue [review.pdf p. 2]",
    "The Norwegian fleet is part of it [annual.pdf p. 2].",
    "The third line is in Torvik [review.pdf p. 2].",
    "Der Vorstand sieht den Markt langsamer wachsen [bericht.pdf S. 2].",
    "Net debt fell from EUR 120.0 million to EUR 119.2 million [review.pdf p. 1].",
    "The company had 4,120 employees in 2023. That is 122 more than in 2022 [annual.pdf p. 1].",
    "In Asien waren es 2023 240,1 Mio. EUR. Das sind 38,4 Mio. EUR mehr als 2022 [bericht.pdf S. 1].",
    "1. Europa: 512,3 Mio. EUR (2023) [bericht.pdf S. 1]\n2. Asien: 240,1 Mio. EUR (2023) [bericht.pdf S. 1]",
]
FALSE = [
    "The lease runs for seven months [lease.pdf p. 1].",
    "The rent is £86,400 per month [lease.pdf p. 1].",
    "The figures have been audited [lease.pdf p. 1].",
    "The service charge rose to £4,100 after the repairs [lease.pdf p. 1].",
    "There were sufficient parking spaces for visitors [lease.pdf p. 1].",
    "Net revenue fell from EUR 801.2 million to EUR 885.4 million [annual.pdf p. 2].",
    "Sales rose 8 % in Portugal [annual.pdf p. 2].",
    "Berlin [annual.pdf p. 3]",
    "Berlin [annual.pdf p. 3].",
    "In Berlin [bericht.pdf S. 2]",
    "The agreement was signed in Berlin [annual.pdf p. 2].",
    "Siemens operates the fleet [annual.pdf p. 2].",
    "Der Vorstand sagte: Wir wachsen schneller als Siemens [bericht.pdf S. 2].",
    "One customer accounts for more than 6 per cent of revenue [review.pdf p. 2].",
    "The tests showed a need for a write-down [review.pdf p. 2].",
    "The tax rate rose by 0.4 points to 23.0 per cent [review.pdf p. 2].",
    "The largest plant has 1,400 MW [review.pdf p. 2].",
    "The office has 312 square feet [review.pdf p. 2].",
    "The office is let for 20,600 US-Dollar [review.pdf p. 2].",
    "Net debt rose by EUR 0.8 million in 2024 [review.pdf p. 1].",
    "Net revenue was EUR 885.4 million in 2023. That is EUR 82.4 million more than in 2022 [annual.pdf p. 1].",
    "Net revenue was EUR 885.4 million in 2023. That is EUR 84.2 million less than in 2022 [annual.pdf p. 1].",
    "Net revenue was EUR 885.4 million in 2023 [annual.pdf p. 1]. That is EUR 84.2 million more [annual.pdf p. 3].",
    "In Asien waren es 2023 240,1 Mio. EUR. Das sind 34,8 Mio. EUR mehr als 2022 [bericht.pdf S. 1].",
    "Net debt rose from EUR 120.0 million to EUR 119.2 million [review.pdf p. 1].",
    "The number of employees fell to 4,120 from 3,998 [annual.pdf p. 1].",
    "Der Umsatz in Asien sank von 201,7 auf 240,1 Mio. EUR [bericht.pdf S. 1].",
    "The other result fell by EUR 1.3 million in 2024, from 8.8 to 7.5 [review.pdf p. 1].",
    "Air-source made up about two thirds of the revenue of the group in 2024 [review.pdf p. 1].",
    "Air-source rose to EUR 441.5m (2023: EUR 486.2m) [review.pdf p. 1].",
    "The revenues were 486.2 (ground-source) and 214.7 (air-source) in 2024 [review.pdf p. 1].",
    "Revenue of the group was EUR 962.8 million in FY2023 [review.pdf p. 1].",
    "Der dritten Linie in Torvik wurde am 12. Juni 2025 zugestimmt [review.pdf p. 2].",
    "Net revenue was EUR 885.4 million in 2022 [annual.pdf p. 1].",
    "Operating income was EUR 885.4 million in 2023 [annual.pdf p. 1].",
    "In 2022 net revenue reached EUR 885.4 million [annual.pdf p. 2].",
    "Net revenue was USD 885.4 million in 2023 [annual.pdf p. 1].",
    "Net revenue was EUR 885.4 billion [annual.pdf p. 1].",
    "Net revenue was EUR 886 million [annual.pdf p. 1].",
    "Net revenue rose by 12.5 % [annual.pdf p. 1].",
    "Sales rose 8 % in Germany [annual.pdf p. 2].",
    "The CFO is John Miller [annual.pdf p. 2].",
    "The agreement was signed on 30 December 2023 [annual.pdf p. 2].",
    "Net revenue was EUR 885.4 million in 2023 [annual.pdf p. 3].",
    "The company had 3,998 employees in 2023 [annual.pdf p. 1].",
    "Norway operates 12 of them [annual.pdf p. 2].",
    "Der Umsatz in Asien betrug 2023 512,3 Mio. EUR [bericht.pdf S. 1].",
    "„Wir wachsen langsamer als der Markt“ [bericht.pdf S. 2]",
    "99.9 per cent [annual.pdf p. 1, region 985,985,1000,1000]",
    "Net revenue: 801.2 (2023) vs. 885.4 (2022) [annual.pdf p. 1]",
    "Europa und Asien kamen 2023 zusammen auf 758,4 Mio. EUR [bericht.pdf p. 1].",
    "Fourteen vessels make up the fleet [annual.pdf p. 2].",
    "The agreement was signed on 31.11.2023 [annual.pdf p. 2].",
    "Net revenue fell by 10.5 % to EUR 885.4 million [annual.pdf p. 2].",
    "Sales did not rise 5 % in Germany [annual.pdf p. 2].",
    "Net revenue doubled between 2022 and 2023 [annual.pdf p. 1].",
    "Net revenue was about EUR 970 million in 2023 [annual.pdf p. 1].",
    "Net revenue was 885,400 euros in 2023 [annual.pdf p. 1].",
    "According to [annual.pdf p. 1], net revenue was EUR 885.4 million in 2022.",
    "In 2023 EUR 102.6 million of operating income was left [annual.pdf p. 1].",
    "In 2022 $102.6m of operating income was left [annual.pdf p. 1].",
    "| Figure | 2023 |\n|---|---|\n| Net revenue | 98.1 |\n| Operating income | 885.4 |\n\nSource: [annual.pdf p. 1]",
]


@pytest.fixture(scope="module")
def index() -> Iterator[PageIndex]:
    with made_index(DOCUMENTS) as index:
        yield index


def checked(index: PageIndex, text: str) -> Claim:
    (claim,) = check_claims(index, text)
    return claim


@pytest.mark.parametrize("text", TRUE)
def test_what_the_cited_words_say_is_not_doubted(index: PageIndex, text: str) -> None:
    claims = check_claims(index, text)
    assert claims
    assert [claim.reason for claim in claims if claim.outcome == "unsupported"] == []


@pytest.mark.parametrize("text", FALSE)
def test_what_the_cited_words_do_not_say_is_doubted(index: PageIndex, text: str) -> None:
    claims = check_claims(index, text)
    assert [claim for claim in claims if claim.outcome == "unsupported"]
    assert all(not claim.boxes for claim in claims if claim.outcome == "unsupported")


def table_of_figures(path: Path) -> Path:
    """A table whose columns stand apart, with two rows that a claim on "net revenue" has a word of."""
    rows = [
        ("EUR million", "2023", "2024"), ("Revenue", "885.4", "962.8"), ("EBIT", "104.1", "124.6"),
        ("Net financial debt", "120.0", "119.2"), ("Employees at year end", "3,290", "3,488"),
    ]  # fmt: skip
    sheet = Canvas(str(path))
    for number, row in enumerate(rows):
        sheet.drawString(72, 700 - 18 * number, row[0])
        for column, cell in enumerate(row[1:]):
            sheet.drawRightString(350 + 80 * column, 700 - 18 * number, cell)
    sheet.save()
    return path


@pytest.mark.parametrize(
    ("claim", "outcome"),
    [
        ("Net revenue was EUR 885.4 million in 2023", "supported"),
        ("Net revenue in 2024 was EUR 962.8 million, up 8.7 %", "computed"),
        ("Net revenue was EUR 120.0 million in 2023", "unsupported"),
        ("Net revenue was EUR 962.8 million in 2023", "unsupported"),
        ("Net financial debt was EUR 885.4 million in 2023", "unsupported"),
        ("Net financial debt was EUR 120.0 million in 2023", "supported"),
    ],
)
def test_a_claim_is_of_the_row_that_it_names_whole(tmp_path: Path, claim: str, outcome: str) -> None:
    with PageIndex.open(tmp_path / "index", settings=small_settings()) as index:
        index.add(table_of_figures(tmp_path / "figures.pdf"))
        assert checked(index, f"{claim} [figures.pdf p. 1].").outcome == outcome


def test_the_boxes_are_those_of_the_number(index: PageIndex) -> None:
    claim = checked(index, "Net revenue was EUR 801.2 million in 2022 [annual.pdf p. 1].")
    assert claim.outcome == "supported"
    ((left, top, right, bottom),) = claim.boxes
    words = index.words(index.page("annual.pdf p. 1"))
    (place,) = (place for place, word in enumerate(words.words) if word == "801.2")
    assert (left, top, right, bottom) == pytest.approx(tuple(words.boxes[place]), abs=1e-4)


def test_a_computed_number_rests_on_the_numbers_that_it_comes_from(index: PageIndex) -> None:
    claim = checked(index, "Net revenue rose by EUR 84.2 million [annual.pdf p. 1].")
    assert claim.outcome == "computed"
    assert len(claim.boxes) == 2


def test_a_loss_in_cents_is_no_gain() -> None:
    with made_index({"share.pdf": ["The result per share was -12.5 cents in 2023, after 3.5 cents in 2022."]}) as index:
        gain = checked(index, "In 2023 the company earned 12.5 cents per share [share.pdf p. 1].")
        assert (gain.outcome, gain.reason) == ("unsupported", "12.5 cents: the page says the opposite, -12.5 cents")
        change = checked(index, "The result per share of 2022 and that of 2023 differ by 16 cents [share.pdf p. 1].")
        assert change.outcome == "computed"


def test_a_region_without_the_value_never_supports_it(index: PageIndex) -> None:
    claim = checked(index, "Net revenue was EUR 885.4 million [annual.pdf p. 1].")
    left, top, right, bottom = (round(1000 * edge) for edge in claim.boxes[0])
    within = (
        f"Net revenue was EUR 885.4 million [annual.pdf p. 1, region {top - 2},{left - 2},{bottom + 2},{right + 2}]."
    )
    assert checked(index, within).outcome == "supported"
    for region in ("0,0,60,1000", f"{bottom + 10},0,1000,1000", f"{top},{right + 2},{bottom},1000"):
        text = f"Net revenue was EUR 885.4 million [annual.pdf p. 1, region {region}]."
        assert checked(index, text).outcome == "unsupported", region


def test_the_reason_says_what_stands_there_instead(index: PageIndex) -> None:
    assert "801.2" in checked(index, "Net revenue was EUR 885.4 million in 2022 [annual.pdf p. 1].").reason
    elsewhere = checked(index, "Net revenue was EUR 885.4 million in 2023 [annual.pdf p. 3].").reason
    assert "annual.pdf p. 2" in elsewhere
    small = checked(index, "The cover shows 12 boats [annual.pdf p. 3].").reason
    assert small == "12 is not on the cited page"  # that of p. 2 is of vessels: a small number stands anywhere


def test_claims_come_in_order_each_with_what_it_cites(index: PageIndex) -> None:
    text = """## Result
- **Net revenue** was EUR 885.4 million [annual.pdf p. 1] and income 98.1 [annual.pdf p. 2, region 0,0,500,1000].
- It had 4,120 employees. Sales rose 5 % in Germany. [annual.pdf p. 1] [annual.pdf p. 2]

Its margin was 77 %."""
    claims = check_claims(index, text)
    assert [(claim.text, [str(one) for one in claim.citations], claim.outcome) for claim in claims] == [
        ("Net revenue was EUR 885.4 million", ["annual.pdf p. 1"], "supported"),
        ("and income 98.1", ["annual.pdf p. 2, region 0,0,500,1000"], "supported"),
        ("It had 4,120 employees.", ["annual.pdf p. 1", "annual.pdf p. 2"], "supported"),
        ("Sales rose 5 % in Germany.", ["annual.pdf p. 1", "annual.pdf p. 2"], "supported"),
        ("Its margin was 77 %.", [], "unsupported"),
    ]


def test_a_page_that_is_not_there_is_a_reason_and_no_error(index: PageIndex) -> None:
    claim = checked(index, "Net revenue was EUR 885.4 million [annual.pdf p. 99].")
    assert claim.outcome == "unsupported"
    assert "99" in claim.reason


@pytest.mark.parametrize(
    "text", ["", "\n\n", "Thank you.", "| --- | --- |", "[annual.pdf p. 1]", "²³ [annual.pdf p. 1]", "(" * 3000]
)
def test_odd_texts_are_no_error(index: PageIndex, text: str) -> None:
    check_claims(index, text)


async def test_the_twin_says_the_same(index: PageIndex) -> None:
    text = TRUE[0] + FALSE[0]
    assert await acheck_claims(index, text) == check_claims(index, text)


@pytest.mark.slow
def test_made_claims_are_told_apart(tmp_path: Path) -> None:
    from claim_documents import make_documents
    from claims import Claims, sampled

    made = [document for document in make_documents(tmp_path, seed=7) if not document.scan]
    chance = random.Random(7)
    claims = sampled([claim for one in made for claim in Claims(one, chance).all()], 12, chance)
    with PageIndex.open(tmp_path / "index", settings=load_settings(encoder="lexical", ocr=False)) as index:
        index.add([one.path for one in made])
        results = [
            (claim, any(one.outcome == "unsupported" for one in check_claims(index, claim.text))) for claim in claims
        ]
    doubted = [claim.text for claim, result in results if claim.true and result]
    missed = [claim.text for claim, result in results if not claim.true and not result]
    true = sum(claim.true for claim, _ in results)
    assert len(doubted) <= 0.02 * true, doubted
    assert len(missed) <= 0.05 * (len(results) - true), missed
