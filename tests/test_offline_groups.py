"""What the quoting reasoner reads off charts, timelines, lists and rows of several lines, and what it works out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from placed_page import page
from small_index import small_settings

from pagesight.agent import ask, create_page_agent
from pagesight.agent.reasoners.offline.asked import as_pages_say
from pagesight.agent.reasoners.offline.best_passages import best_passages
from pagesight.agent.reasoners.offline.quoting import read_page
from pagesight.indexing import Hit, PageIndex, PageRef
from pagesight.indexing.values.groups import lists, stacks
from pagesight.indexing.values.page_values import PageContent
from pagesight.indexing.values.series import charts, series
from pagesight.indexing.values.text_tables import text_tables, wrapped_rows

SAMPLES = Path(__file__).parent.parent / "samples"


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageIndex]:
    folder = tmp_path_factory.mktemp("reports") / "index"
    with PageIndex.open(folder, settings=small_settings(ocr=True)) as index:
        index.add([SAMPLES / "strategy-deck.pdf", SAMPLES / "annual-report.pdf"])
        yield index


@pytest.mark.slow  # OCR of the charts
@pytest.mark.parametrize(
    ("question", "told"),
    [
        # The numbers of a bar, from the top, and the legend: which is which only the picture tells.
        ("How many tonnes of scope 2 emissions did Halvenor report for 2022?", "2022: 27.0 | 15.2 | 11.8 [annual"),
        ("How many heat pumps go into existing houses in 2025?", "2025e: 1,204 | 706 | 498 [strategy-deck.pdf p. 3]"),
        ("Which milestone stands at the fourth quarter of 2027?", "Q4 2027: Silent defrost in all Tarn models"),
        ("Which age group is the largest among the employees?", "35-44: 29 % (the largest of 5)"),
        ("By how many employees did the site in Torvik grow in 2024?", "Torvik (plant): 986 (2024) − 871 (2023) = 115"),
    ],
)
def test_charts_and_timelines_answer(reports: PageIndex, question: str, told: str) -> None:
    first = ask(create_page_agent(reports, model="offline"), question).text.splitlines()[0]
    assert told in first.replace("\N{EN DASH}", "-")


def test_a_row_whose_cells_go_on_is_one_row() -> None:
    content = page(
        ("Part", 0.1, 0.1), ("Kind", 0.4, 0.1), ("Share", 0.7, 0.1),
        ("Instrumentation", 0.1, 0.14), ("Development", 0.4, 0.14), ("9", 0.7, 0.14),
        ("and testing", 0.1, 0.154), ("and integration", 0.4, 0.154),
        ("Training", 0.1, 0.19), ("Human capital", 0.4, 0.19), ("1", 0.7, 0.19),
    )  # fmt: skip
    rows = [[" ".join(line.text for line in cell) for cell in row] for row in wrapped_rows(content)]
    assert rows == [["Instrumentation and testing", "Development and integration", "9"]]


METHODS = page(
    ("Summary of the methods", 0.1, 0.22),
    ("Method", 0.1, 0.3), ("Retrieval", 0.435, 0.285), ("granularity", 0.43, 0.3), ("Stage", 0.8, 0.3),
    ("Copier", 0.1, 0.34), ("Phrase", 0.45, 0.34), ("Training", 0.79, 0.34),
    ("Densifier", 0.1, 0.37), ("Proposition", 0.43, 0.37), ("Inference alone", 0.76, 0.37),
    ("Listener", 0.1, 0.4), ("Sentence", 0.443, 0.4), ("Training", 0.79, 0.4),
)  # fmt: skip


def test_a_table_of_words_has_the_heads_of_its_centred_columns() -> None:
    [table] = text_tables(METHODS)
    assert table.heads == ["Method", "Retrieval granularity", "Stage"]
    assert [len(row) for row in table.rows] == [3, 3, 3]


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("What is the retrieval granularity of the Densifier?", "Densifier, Retrieval granularity: Proposition"),
        ("Which method has the retrieval granularity phrase?", "Copier, Retrieval granularity: Phrase"),
        ("Which methods are of the stage training?", "Stage, Training, Method: Copier; Listener"),
        ("How many methods does the summary have?", "Summary of the methods, Method: 3 counted"),
    ],
)
def test_the_words_of_tables_answer_with_row_and_column(question: str, told: str) -> None:
    assert told in answered(question, METHODS)


def test_a_row_of_numbers_is_no_head() -> None:
    content = page(
        ("Repair", 0.1, 0.1), ("Back office", 0.4, 0.1), ("9", 0.8, 0.1),
        ("Training", 0.1, 0.14), ("Front office", 0.4, 0.14), ("17", 0.8, 0.14),
    )  # fmt: skip
    [table] = text_tables(content)
    assert table.heads == ["", "", ""]
    assert len(table.rows) == 2


def test_names_with_lines_under_them_belong_together_only_side_by_side() -> None:
    content = page(
        ("Q1 2026", 0.1, 0.3), ("Q4 2026", 0.5, 0.3), ("Line 3", 0.1, 0.315), ("Grund R290", 0.5, 0.315),
        ("Alone", 0.1, 0.6), ("and what follows", 0.1, 0.615),
    )  # fmt: skip
    assert [[block.text for block in stack] for stack in stacks(content)] == [
        ["Q1 2026", "Line 3"],
        ["Q4 2026", "Grund R290"],
    ]


def test_a_list_is_quoted_with_what_introduces_it() -> None:
    content = page(
        ("We ask the following questions:", 0.1, 0.2), ("Is it safe?", 0.12, 0.225), ("Is it kind?", 0.12, 0.25),
        ("Other matters", 0.1, 0.5),
    )  # fmt: skip
    [(head, items)] = lists(content)
    assert head.text == "We ask the following questions:"
    assert [item.text for item in items] == ["Is it safe?", "Is it kind?"]


def test_a_table_over_column_heads_in_even_steps_is_no_chart() -> None:
    rows = [(name, 0.05, 0.1 + 0.03 * at) for at, name in enumerate(["Revenue", "Costs", "Profit"])]
    numbers = [(f"{at}{column}5", 0.3 + 0.2 * column, 0.1 + 0.03 * at) for at in range(3) for column in range(3)]
    heads = [(name, 0.3 + 0.2 * at, 0.3) for at, name in enumerate(["Air", "Sea", "Road"])]
    bare = [one for one in numbers if one[1] > 0.2]
    assert charts(page(*rows, *numbers, *heads)) == []
    assert [bar.label.text for bar in charts(page(*bare, *heads))[0].bars] == ["Air", "Sea", "Road"]


def test_the_columns_of_a_table_are_series_by_row() -> None:
    names = [("Air", 0.1, 0.1), ("Sea", 0.1, 0.13), ("Total", 0.1, 0.16)]
    numbers = [("12", 0.4, 0.1), ("30", 0.4, 0.13), ("42", 0.4, 0.16)]
    found = [[(label, value.written) for label, value in one.pairs] for one in series(page(*names, *numbers))]
    assert found == [[("Air", "12"), ("Sea", "30"), ("Total", "42")]]


def answered(question: str, *contents: PageContent) -> list[str]:
    """What is quoted for a question of pages of one document, best first."""
    refs = [PageRef("d" * 16, "trial.pdf", at) for at in range(1, len(contents) + 1)]
    hits = [Hit(ref.page, ref, 0.9 - ref.page / 10) for ref in refs]
    pages = [read_page(hit, content, question) for hit, content in zip(hits, contents, strict=True)]
    return [passage.text for passage in best_passages(question, pages)]


def test_what_a_question_says_of_the_answers_form_need_not_stand_on_the_page() -> None:
    content = page(("The home has twelve bedrooms and a garden.", 0.1, 0.3))
    question = "How many bedrooms does the home have?"
    for form in (
        "Please give your answer to the nearest hundred, such as 300.",
        'Write the answer in list form, ["7"]',
    ):
        assert as_pages_say(f"{question} {form}") == question
        assert answered(f"{question} {form}", content) == []
    assert answered(question, content) == ["The home has twelve bedrooms and a garden."]


def test_names_and_numbers_may_stand_on_several_pages_of_a_document() -> None:
    pages = [
        page((f"Error {number}: {what} is too hot.", 0.1, 0.3)) for number, what in ((88, "boiler"), (188, "heater"))
    ]
    told = answered("What do the errors 88 and 188 say?", *pages)
    assert told == ["Error 88: boiler is too hot.", "Error 188: heater is too hot."]
    assert answered("What do the errors 88 and 189 say?", *pages) == []


def test_a_total_is_not_the_largest() -> None:
    names = [(name, 0.1, 0.1 + 0.03 * at) for at, name in enumerate(["Sites", "Berlin", "Torvik", "Oslo", "Total"])]
    numbers = [(number, 0.4, 0.1 + 0.03 * at) for at, number in enumerate(["Employees", "30", "42", "12", "84"])]
    assert answered("Which site has the most employees?", page(*names, *numbers))[0] == "Torvik: 42 (the largest of 3)"


@pytest.mark.parametrize(
    ("question", "line"),
    [
        ("What is the telephone number of the home?", "Tel: 01983 873655"),
        ("What is the e-mail address of the home?", "Write to us: home@limes.org"),
        ("What is the website of the home?", "See www.limes.org"),
    ],
)
def test_a_number_to_call_is_told_by_how_it_looks(question: str, line: str) -> None:
    lines = ["The home has 28 rooms", "Tel: 01983 873655", "Write to us: home@limes.org", "See www.limes.org"]
    content = page(*((text, 0.1, 0.1 + 0.1 * at) for at, text in enumerate(lines)))
    assert answered(question, content)[0] == line


def test_capitals_stand_for_the_words_that_begin_with_them() -> None:
    table = [("Method", 0.1, 0.1), ("SPF", 0.4, 0.1), ("Timer", 0.1, 0.13), ("3.62", 0.4, 0.13)]
    table += [("Temperature", 0.1, 0.16), ("3.70", 0.4, 0.16)]
    question = "Which seasonal performance factor was reached with the temperature method?"
    assert "Temperature, SPF: 3.70" in answered(question, page(*table))


def test_a_head_that_stands_on_every_page_is_no_answer() -> None:
    found = ["safe and well led", "kind to all", "clean and warm"]
    pages = [
        page((f"{at} Report on the quiet home 2015", 0.1, 0.2), (f"The inspection found it {word}.", 0.1, 0.5))
        for at, word in enumerate(found)
    ]
    question = "What did the inspection of the quiet home find?"
    assert answered(question, *pages)[0] == "The inspection found it safe and well led."


def test_years_are_also_those_of_expectations_and_of_quarters() -> None:
    labels = [("Q3 26", 0.2, 0.4), ("Q4 26", 0.4, 0.4), ("2027e", 0.6, 0.4)]
    numbers = [("105", 0.2, 0.3), ("120", 0.4, 0.3), ("480", 0.6, 0.3)]
    content = page(("Orders by quarter", 0.2, 0.2), *labels, *numbers)
    assert answered("How high were the orders of Q4 2026?", content)[0].endswith("Q4 26: 120")
    assert answered("How high are the orders of 2027?", content)[0].endswith("2027e: 480")


def test_bars_with_fewer_numbers_are_not_compared_by_their_order() -> None:
    labels = [("2024", 0.2, 0.4), ("2025e", 0.4, 0.4), ("2026e", 0.6, 0.4)]
    upper = [("85", 0.2, 0.3), ("90", 0.4, 0.3), ("70", 0.6, 0.3)]
    lower = [("16", 0.2, 0.35), ("20", 0.4, 0.35)]
    full = [
        [value.written for _, value in one.pairs] for one in series(page(*labels, *upper, *lower, ("9", 0.6, 0.35)))
    ]
    assert full == [["85", "90", "70"], ["16", "20", "9"]]
    assert series(page(*labels, *upper, *lower)) == []


def test_a_title_that_tells_the_years_of_all_bars_makes_none_of_them_one_of_another() -> None:
    title = ("Revenue in EUR million, 2022 to 2024", 0.2, 0.2)
    bars = [(year, left, 0.4) for year, left in (("2022", 0.2), ("2023", 0.4), ("2024", 0.6))]
    numbers = [(text, left, 0.3) for text, left in (("774.6", 0.2), ("885.4", 0.4), ("962.8", 0.6))]
    (told,) = answered("How high was the revenue in 2024?", page(title, *numbers, *bars))
    assert "962.8" in told


def test_numbers_in_other_units_are_not_subtracted() -> None:
    heads = [("Profit", 0.1, 0.1), ("2024", 0.4, 0.1), ("2023", 0.7, 0.1)]
    question = "By how much did the income grow in 2024?"
    alike = page(*heads, ("Income", 0.1, 0.13), ("120", 0.4, 0.13), ("90", 0.7, 0.13))
    other = page(*heads, ("Income", 0.1, 0.13), ("1.2 bn", 0.4, 0.13), ("900 m", 0.7, 0.13))
    assert answered(question, alike)[0] == "Income: 120 (2024) − 90 (2023) = 30"
    assert not any("=" in text for text in answered(question, other))


SALES = page(
    ("Genre", 0.1, 0.1), ("Albums", 0.4, 0.1), ("Songs", 0.7, 0.1),
    ("Country", 0.1, 0.13), ("12 %", 0.4, 0.13), ("8 %", 0.7, 0.13),
    ("Rock", 0.1, 0.16), ("36 %", 0.4, 0.16), ("24 %", 0.7, 0.16),
    ("Latin", 0.1, 0.19), ("3 %", 0.4, 0.19), ("1 %", 0.7, 0.19),
)  # fmt: skip


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("What is the combined share of albums and songs of country?", "Country: 12 % (Albums) + 8 % (Songs) = 20"),
        ("What is the difference between rock and country in albums?", "36 % (Rock) − 12 % (Country) = 24"),
        ("What is the ratio of rock to Latin in songs?", "24 % (Rock) ÷ 1 % (Latin) = 24.00"),
        ("Wie hoch ist das Verhältnis von Rock zu Country bei Albums?", "36 % (Rock) ÷ 12 % (Country) = 3.00"),
    ],
)
def test_two_numbers_that_a_question_names_are_worked_out(question: str, told: str) -> None:
    assert told in answered(question, SALES)


def test_the_change_between_two_years_is_told_in_per_cent() -> None:
    heads = [("Profit", 0.1, 0.1), ("2024", 0.4, 0.1), ("2023", 0.7, 0.1)]
    content = page(*heads, ("Income", 0.1, 0.13), ("120", 0.4, 0.13), ("90", 0.7, 0.13))
    told = answered("What was the percentage change of income from 2023 to 2024?", content)
    assert told[0] == "Income: 120 (2024) against 90 (2023) = +33.3 %"


FIGURES = [
    ("Figures", 0.1, 0.1), ("2024", 0.4, 0.1), ("2023", 0.7, 0.1),
    ("Profit", 0.1, 0.13), ("125.0", 0.4, 0.13), ("90.5", 0.7, 0.13),
    ("Revenue", 0.1, 0.16), ("1,250.0", 0.4, 0.16), ("905.0", 0.7, 0.16),
    ("Staff", 0.1, 0.19), ("3,488", 0.4, 0.19), ("2,418", 0.7, 0.19),
]  # fmt: skip


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("What is the ratio of profit to revenue in 2024?", ["125.0 (Profit) ÷ 1,250.0 (Revenue) = 0.10"]),
        ("What is the sum of profit and revenue in 2023?", ["90.5 (Profit) + 905.0 (Revenue) = 995.5"]),
        ("By how much did the staff grow in 2024?", ["Staff: 3,488 (2024) − 2,418 (2023) = 1,070"]),
    ],
)
def test_what_is_divided_or_added_in_one_year_is_of_that_year(question: str, told: list[str]) -> None:
    """And what is not asked about stays away."""
    assert answered(question, page(*FIGURES)) == told
    assert not any("÷" in text for text in answered("What is the ratio of profit in 2024?", page(*FIGURES)))


def test_a_result_has_the_marks_of_its_numbers() -> None:
    german = page(*((text.translate(str.maketrans(",.", ".,")), *place) for text, *place in FIGURES))
    told = answered("Wie hoch ist die Summe von Profit und Revenue 2024?", german)
    assert told[0] == "125,0 (Profit) + 1.250,0 (Revenue) = 1.375,0"
    assert answered("By how much did the staff grow in 2024?", german)[0].endswith("= 1.070")


def test_of_numbers_with_thousands_and_without_the_largest_is_told() -> None:
    names = [(name, 0.1, 0.1 + 0.03 * at) for at, name in enumerate(["Sites", "Berlin", "Torvik", "Oslo"])]
    numbers = [(number, 0.4, 0.1 + 0.03 * at) for at, number in enumerate(["Employees", "912", "3,488", "87"])]
    assert answered("Which site has the most employees?", page(*names, *numbers))[0].startswith("Torvik: 3,488")


def test_a_year_alone_is_no_answer() -> None:
    """As where the question is in another language than the page."""
    assert answered("Wie hoch war der Umsatz 2023?", page(*FIGURES)) == []


def test_where_three_numbers_are_named_none_is_worked_out() -> None:
    assert not any("=" in text for text in answered("What is the sum of rock, country and Latin?", SALES))


def test_an_amount_in_a_rows_name_gives_no_unit_to_its_numbers() -> None:
    content = page(
        ("Part", 0.1, 0.1), ("Pieces", 0.5, 0.1), ("EUR", 0.7, 0.1),
        ("Microphone", 0.1, 0.14), ("1", 0.5, 0.14), ("0.90", 0.7, 0.14),
        ("Cable with plug, 40 cm", 0.1, 0.16), ("1", 0.5, 0.16), ("0.31", 0.7, 0.16),
    )  # fmt: skip
    units = {value.written.strip(): value.quantity.unit for value in content.values}
    assert (units["0.90"], units["0.31"]) == ("EUR", "EUR")
