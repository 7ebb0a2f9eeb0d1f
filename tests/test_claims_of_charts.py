"""Claims about numbers in charts, where words do not tell what they are of, and in tables as others set them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from reportlab.pdfgen.canvas import Canvas
from small_index import small_settings

from pagesight.agent import check_claims
from pagesight.indexing import PageIndex

Placed = tuple[str, float, float]

#: Two lines from one year to the next in each of four charts, and their names beside the first one.
CHART: list[Placed] = [
    ("Concern about the harbour and its neighbours is growing among owners and tenants alike", 50, 780),
    ("Loss of berths", 70, 750), ("100%", 52, 730), ("0", 66, 630), ("2020", 70, 615), ("2021", 150, 615),
    ("Owners", 70, 712), ("Tenants", 75, 650), ("52", 50, 700), ("66", 160, 706), ("43", 50, 672), ("42", 160, 668),
    ("Night flights", 290, 750), ("2020", 290, 615), ("2021", 370, 615),
    ("45", 270, 690), ("54", 380, 698), ("40", 270, 677), ("35", 380, 659), ("+19O", 320, 720),
]  # fmt: skip
#: Heads of two lines, and what the amounts are in in the line above.
TABLE: list[Placed] = [
    ("The following table details the cost of the berths in dollars (amounts in millions), and what changed:", 50, 780),
    ("Year ended December", 280, 750), ("Year ended December", 400, 750),
    ("31, 2019", 310, 738), ("31, 2018", 430, 738),
    ("Dredging of the basin", 50, 722), ("$", 310, 722), ("656", 358, 722), ("$", 430, 722), ("719", 478, 722),
    ("Wages of the pilots", 50, 708), ("2,094", 350, 708), ("2,517", 470, 708),
]  # fmt: skip
#: Footnotes behind numbers, and sizes of samples.
SURVEY: list[Placed] = [
    ("Share of the tenants who own a boat", 50, 650), ("Total (n=1,526)", 50, 634), ("18%", 300, 634),
    ("Early school (n=598)", 50, 618), ("12", 300, 618), ("Late school (n=537)", 50, 602), ("30ab", 300, 602),
    ("75-79 (n=244)", 50, 586), ("18d", 300, 586), ("80+ (n=350)", 50, 570), ("10", 300, 570),
]  # fmt: skip
#: Heads in short, of what the line above names in full.
SHORT: list[Placed] = [
    ("Republicans, Democrats and independents name other problems of the harbour", 50, 780),
    ("Rep", 300, 740), ("Dem", 380, 740), ("Ind", 460, 740), ("%", 300, 726), ("%", 380, 726), ("%", 460, 726),
    ("Terrorism", 50, 710), ("24", 300, 710), ("16", 380, 710), ("18", 460, 710),
    ("Immigration", 50, 694), ("14", 300, 694), ("3", 380, 694), ("7", 460, 694),
    ("Unemployment", 50, 678), ("4", 300, 678), ("9", 380, 678), ("8", 460, 678),
]  # fmt: skip
PROSE = [
    "4.6.2 Moorings",
    "Berth 9 supports ten kinds of rope and two kinds of chain. Among those 50 and older, 57% are content, and",
    "18% of the tenants are ready to move without help. On March 6, 2020, the board declared a dividend of $0.41",
    "per share. On March 12, 2019, the board declared a dividend of $0.37 per share. The basin has a dock of",
    "6.5 Metre and a crane for 29 Ton. The Rope Works of the harbour were set up near the old quay.",
]
READ = [
    "In 2021, 66% of the owners named the loss of berths, compared with 42% of the tenants",
    "Among the owners the share fell to 35% in 2021",
]
TRUE = [
    "The wages of the pilots fell from about $2.5 billion in 2018 to $2.1 billion in 2019 [table.pdf p. 1]",
    "Dredging cost $63 million less in 2019 than in 2018 [table.pdf p. 1]",
    "Of the tenants of late school, 30% own a boat [survey.pdf p. 1]",
    "Only 10% of the tenants aged 80 and older own a boat [survey.pdf p. 1]",
    "The gap between late and early school is 18 points [survey.pdf p. 1]",
    "The gap at night flights was 19 points [chart.pdf p. 1]",
    "Terrorism was named by 24% of Republicans, 16% of Democrats and 18% of independents [short.pdf p. 1]",
    "More than half of those aged 50 and older (57%) are content [prose.pdf p. 1]",
    "A majority of those aged 50 and older are content [prose.pdf p. 1]",
    "Berth 9 supports two kinds of chain [prose.pdf p. 1]",
    "The dividend declared in March 2020 was 4 cents per share higher than the one of the year before [prose.pdf p. 1]",
    "The dock has 6.5 metres and the crane lifts 29 tons [prose.pdf p. 1]",
    "Das Werk für Taue wurde in der Nähe des alten Kais errichtet [prose.pdf p. 1]",
]
FALSE = [
    "Dredging cost $719 million in 2019, up from $656 million in 2018 [table.pdf p. 1]",
    "The wages of the pilots were $2.3 billion in 2019 [table.pdf p. 1]",
    "Of the tenants of late school, 12% own a boat [survey.pdf p. 1]",
    "The gap between late and early school is 11 points [survey.pdf p. 1]",
    "Terrorism was named by 24% of Republicans, 18% of Democrats and 16% of independents [short.pdf p. 1]",
    "A majority of the tenants are ready to move without help [prose.pdf p. 1]",
    "Berth 9 supports three kinds of chain [prose.pdf p. 1]",
    "The dividend declared in March 2020 was 6 cents per share higher than the one of the year before [prose.pdf p. 1]",
    "In 2021, 67% of the owners named the loss of berths [chart.pdf p. 1]",
]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageIndex]:
    folder: Path = tmp_path_factory.mktemp("charts")
    prose = [(line, 50.0, 780.0 - 13 * number) for number, line in enumerate(PROSE)]
    for name, placed in (("chart", CHART), ("table", TABLE), ("survey", SURVEY), ("short", SHORT), ("prose", prose)):
        _write(folder / f"{name}.pdf", placed)
    with PageIndex.open(folder / "index", settings=small_settings()) as index:
        index.add(folder)
        yield index


def _write(path: Path, placed: list[Placed]) -> None:
    canvas = Canvas(str(path), (595, 842))
    canvas.setFont("Helvetica", 10)
    for text, left, foot in placed:
        canvas.drawString(left, foot, text)
    canvas.showPage()
    canvas.save()


@pytest.mark.parametrize("text", READ)
def test_numbers_beside_the_lines_of_a_chart_are_read_off_a_picture(index: PageIndex, text: str) -> None:
    (claim,) = check_claims(index, f"{text} [chart.pdf p. 1].")
    assert (claim.outcome, claim.mark) == ("read", "~"), claim.reason
    assert "do not tell what they are of" in claim.reason
    assert claim.boxes


@pytest.mark.parametrize("text", TRUE)
def test_what_tables_and_prose_say_in_their_ways_is_not_doubted(index: PageIndex, text: str) -> None:
    (claim,) = check_claims(index, f"{text}.")
    assert claim.outcome != "unsupported", claim.reason


@pytest.mark.parametrize("text", FALSE)
def test_what_they_do_not_say_is_doubted(index: PageIndex, text: str) -> None:
    (claim,) = check_claims(index, f"{text}.")
    assert claim.outcome == "unsupported"


@pytest.mark.parametrize(
    "line", ["The Aurora carries 1200 passengers.", "Aurora: 1200 passengers", "Aurora 1200 passengers"]
)
def test_a_short_line_says_what_its_number_is_of(tmp_path: Path, line: str) -> None:
    _write(tmp_path / "ferry.pdf", [("Fleet of ferries", 72, 760), (line, 72, 730)])
    with PageIndex.open(tmp_path / "index", settings=small_settings()) as index:
        index.add(tmp_path / "ferry.pdf")
        (claim,) = check_claims(index, "The Aurora carries 1200 passengers [ferry.pdf p. 1].")
    assert claim.outcome == "supported", claim.reason
