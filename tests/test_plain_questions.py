"""Plain questions to documents that are about one thing: who, when, how many, what it is, and what stands nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from placed_page import page
from small_index import small_settings

from pagesight.agent import ask, create_page_agent
from pagesight.agent.reasoners.offline.asked import wanted_kind
from pagesight.agent.reasoners.offline.passages import passages_of
from pagesight.indexing import Hit, PageIndex, PageRef, UnknownDocument
from pagesight.indexing.testing import made_index
from pagesight.indexing.values.page_values import PageContent
from pagesight.indexing.values.quantities import quantities

HEAD = "Northwind Mills"
PAGES = [
    f"{HEAD}\nReport on a year of grain\nTo the owners of Northwind",
    f"{HEAD}\nForm of notice of awards to employees of Northwind Mills who are no directors of Northwind Mills.\n"
    "Northwind Mills keeps a programme of honours of its chief executive officer.",
    f"{HEAD}\nAda Quist has been chief executive officer since March 2019.\nSome 9,200 employees work at 40 sites.",
    f"{HEAD}\nThe mill at Harrow grinds wheat for bakers.\nThe mill at Harrow was opened on 14 October 1987.",
    f"{HEAD}\nThe number of monthly active bakers (MAB) is what we go by.\nA MAB counts once, and we count each MAB.",
    f"{HEAD}\nBetween Feb. 1 and Feb. 7, 2021 we asked 2,596 bakers.\nBakers like to be asked of flour.",
    f"{HEAD}\nSpare parts and where to order them\nMilk hose 00 0048 4948\nGrounds tray 33 2634 1000",
    f"{HEAD}\nThe auditors of Northwind Mills know mills.",
]


@pytest.fixture(scope="module")
def mills() -> Iterator[PageIndex]:
    with made_index({"mills.pdf": PAGES, "other.pdf": ["The bakers of Harrow swim in the pool."]}) as index:
        yield index


def first_line(index: PageIndex, question: str) -> str:
    return ask(create_page_agent(index, model="offline"), question).text.splitlines()[0]


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("Who is the CEO of Northwind Mills?", "Ada Quist has been chief executive officer"),
        ("How many employees does Northwind Mills have?", "Some 9,200 employees"),
        ("When was the mill at Harrow opened?", "opened on 14 October 1987"),
        ("What is a MAB?", "monthly active bakers (MAB)"),
        ("How many bakers were asked in February 2021?", "we asked 2,596 bakers"),
        ("What is the order number of the milk hose?", "00 0048 4948"),
        ("What does the grounds tray's order number read?", "33 2634 1000"),
    ],
)
def test_the_first_line_answers(mills: PageIndex, question: str, told: str) -> None:
    assert told in first_line(mills, question)


def test_a_number_in_a_name_that_stands_on_most_pages_still_tells_the_column(tmp_path: Path) -> None:
    with PageIndex.open(tmp_path / "index", settings=small_settings()) as index:
        index.add([Path(__file__).parent.parent / "samples" / "datenblatt.pdf"])
        assert "A2/W35, Tarn 16: 4,08" in first_line(index, "Welche Leistungszahl hat die Tarn 16 bei A2/W35?")


def test_words_that_stand_nowhere_are_told(mills: PageIndex) -> None:
    agent = create_page_agent(mills, model="offline")
    assert "Nowhere in these documents: “turbines”." in ask(agent, "Which turbines grind at Harrow?").text
    assert (
        "Nirgends in diesen Dokumenten: „schwimmbad“" in ask(agent, "Wie groß ist das Schwimmbad von Northwind?").text
    )
    assert "Nowhere" not in ask(agent, "When was the mill at Harrow opened?").text


def test_of_words_that_stand_nowhere_only_those_that_were_asked_with_are_told() -> None:
    with made_index({"bread.pdf": ["The bakery has an oven.", "Flour is ground.", "Bread is baked."]}) as index:
        answer = ask(create_page_agent(index, model="offline"), "Who is the CEO of the bakery?").text
    assert "Nowhere in these documents: “ceo”." in answer


def test_what_is_said_in_short_does_not_stand_nowhere() -> None:
    pages = [f"{HEAD}\nThe CEO has grinding in mind.", f"{HEAD}\nFlour is ground.", f"{HEAD}\nBread is baked."]
    with made_index({"short.pdf": pages}) as index:
        answer = ask(create_page_agent(index, model="offline"), "Who is the chief executive officer?").text
    assert answer.startswith("- “The CEO has grinding in mind.”")
    assert "Nowhere" not in answer


def test_a_page_that_has_only_what_its_document_is_about_is_no_answer(mills: PageIndex) -> None:
    assert first_line(mills, "Is Northwind Mills insured against lightning?").startswith("Not found in these documents")


def test_a_short_question_names_what_it_names(mills: PageIndex) -> None:
    assert first_line(mills, "When was the Eiffel Mill opened?").startswith("Not found in these documents")


def test_the_share_of_a_documents_pages_that_have_a_term(mills: PageIndex) -> None:
    shares = mills.term_shares("mills.pdf", ["northwind", "harrow", "pool"])
    assert shares == {"northwind": 1.0, "harrow": 1 / 8, "pool": 0.0}
    assert mills.term_shares("other.pdf", ["harrow"]) == {"harrow": 1.0}
    with pytest.raises(UnknownDocument, match=r"nothing\.pdf"):
        mills.term_shares("nothing.pdf", ["harrow"])


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("What was the total revenue of Activision in 2019?", "number"),
        ("What is the pump's maximum pressure?", "number"),
        ("Was ist der Umsatz im Jahr 2023?", "number"),
        ("What is RAG?", "meaning"),
        ("What does “Securities Act” mean?", "meaning"),
        ("Was bedeutet COP?", "meaning"),
        ("What is the telephone number of the home?", "telephone"),
        ("What is said of the new mill and its owners?", None),
    ],
)
def test_what_a_question_asks_for(question: str, kind: str | None) -> None:
    assert wanted_kind(question) == kind


@pytest.mark.parametrize("code", ["00 0048 4948", "33 2634 1000", "014-00-01", "01983 873655"])
def test_groups_of_digits_that_are_no_thousands_are_no_numbers(code: str) -> None:
    assert quantities(code) == []


@pytest.mark.parametrize("number", ["12 500", "1 234 567", "3 450,5"])
def test_groups_of_three_are_thousands(number: str) -> None:
    assert len(quantities(number)) == 1


def test_a_period_over_all_columns_and_the_unit_of_a_table_are_of_each_of_its_numbers() -> None:
    content = page(
        ("Net revenues by channel were as follows (amounts in USD million):", 0.05, 0.10),
        ("Year Ended December 31, 2019", 0.36, 0.14),
        ("Other", 0.45, 0.17),
        ("North", 0.30, 0.18),
        ("South", 0.45, 0.18),
        ("Total", 0.65, 0.18),
        *((text, left, top) for top, row in ((0.20, ROW), (0.22, SUM)) for text, left in row),
    )
    total = next(value for value in content.values if value.written == "4,489")
    assert total.place
    assert total.place.labels == ["Total revenues"]
    assert total.place.heads == ["Total", "Year Ended December 31, 2019"]
    assert (total.quantity.unit, total.quantity.scale) == ("USD", 10**6)
    assert total.place.captions[0].startswith("Net revenues by channel")


ROW = [("Retail", 0.05), ("818", 0.31), ("91", 0.46), ("909", 0.66)]
SUM = [("Total revenues", 0.05), ("2,187", 0.30), ("2,302", 0.45), ("4,489", 0.65)]


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("What does the Zyx do?", "The Zyx is a counter"),
        ("What is Zyx used for?", "The Zyx is a counter"),
        ("What does ZAQ stand for?", "The Zero Air Quality (ZAQ) office"),
    ],
)
def test_what_a_thing_is_may_be_told_on_any_page_that_has_its_name(question: str, told: str) -> None:
    pages = [f"Zyx options {at}: the Zyx, the Zyx and ZAQ of ZAQ take option {at} of Zyx." for at in range(5)]
    pages += ["The Zyx is a counter of loaves, and measures how many of them are sold in a day in each of the shops."]
    pages += ["The Zero Air Quality (ZAQ) office looks after the air of bakeries, and has done so for as many years."]
    with made_index({"zyx.pdf": pages}) as index:
        assert told in first_line(index, question)


def test_who_wrote_asks_for_the_author() -> None:
    written = {"manual.pdf": ["Grindstone manual", "Ada Quist is the author of Grindstone.", "We wrote a log."]}
    with made_index(written | {"log.pdf": ["The log wrote itself.", "What wrote the log?"]}) as index:
        assert "Ada Quist" in first_line(index, "Who wrote Grindstone?")
        assert "Ada Quist" in first_line(index, "Wer hat Grindstone geschrieben?")


@pytest.mark.parametrize("question", ["What is the capital of Harrow?", "How many pools does Northwind have?"])
def test_of_two_words_both_stand_in_the_document_that_is_quoted(mills: PageIndex, question: str) -> None:
    assert first_line(mills, question).startswith("Not found in these documents")


def dotted(title: str, at: float, number: str, page_number: str) -> list[tuple[str, float, float]]:
    """A line of contents: its number, its title, each dot, and its page."""
    dots = [(".", 0.5 + 0.01 * place, at) for place in range(30)]
    return [(number, 0.1, at), (title, 0.2, at), *dots, (page_number, 0.85, at)]


def told_cells(content: PageContent) -> list[str]:
    hit = Hit(PageRef("a" * 16, "a.pdf", 1), 1.0, 1, [])
    return [one.text for one in passages_of(hit, content, "en") if one.cell]


def test_lines_of_contents_and_numbers_of_headings_are_no_cells_of_a_table() -> None:
    lines = [dotted(f"How can bread {at}th rise?", 0.1 + 0.03 * at, f"{at}.1", str(20 + at)) for at in range(2, 9)]
    assert told_cells(page(*(word for line in lines for word in line))) == []
    assert told_cells(page(("12.4", 0.1, 0.1), ("Ovens of stone", 0.2, 0.1))) == []


def test_dots_do_not_divide_the_words_of_a_line() -> None:
    lines = [dotted("How can bread rise", 0.1 + 0.03 * at, f"{at}.1", str(20 + at)) for at in range(2, 9)]
    rows = page(*(word for line in lines for word in line)).tables.rows
    assert [cell.text for cell in rows[0]] == ["2.1", "How can bread rise", "22"]


def test_a_code_is_told_whole_and_a_name_with_signs_is_no_unit() -> None:
    heads = [("Package", 0.1, 0.1), ("Popcon", 0.4, 0.1), ("Size", 0.7, 0.1)]
    rows = [("g++", 0.1, 0.13), ("V:56, I:503", 0.4, 0.13), ("14", 0.7, 0.13)]
    more = [("flex", 0.1, 0.16), ("V:8, I:82", 0.4, 0.16), ("1260", 0.7, 0.16)]
    cells = told_cells(page(*heads, *rows, *more))
    assert {"g++, Popcon: V:56, I:503", "g++, Size: 14", "flex, Size: 1260"} <= set(cells)


def test_equations_are_no_cells() -> None:
    cells = told_cells(page(("STATS σ =", 0.1, 0.1), ("17", 0.4, 0.1), ("min(y) = i", 0.1, 0.13), ("18", 0.4, 0.13)))
    assert cells == []


def test_beside_what_a_thing_is_nothing_else_is_quoted() -> None:
    pages = [
        "The Zyx is a counter of loaves.\nThe Zyx of Harrow counts on.\nZyx options are few, and Zyx rules are many."
    ]
    with made_index({"zyx.pdf": pages}) as index:
        answer = ask(create_page_agent(index, model="offline"), "What is the Zyx?").text
    assert [line for line in answer.splitlines() if line.startswith("- ")] == [
        "- “The Zyx is a counter of loaves.” [zyx.pdf p. 1]"
    ]
