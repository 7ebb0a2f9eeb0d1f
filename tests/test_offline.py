"""The quoting reasoner: the whole loop with real tools on real pages, without a key and without a language model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph.state import CompiledStateGraph
from small_index import REPORT, SHEET, small_settings, write_pdf

from pagesight.agent import Answer, QuotingReasoner, Step, aask, as_node, ask, astream, create_page_agent, stream
from pagesight.agent.reasoners.offline.asked import as_pages_say
from pagesight.agent.reasoners.offline.best_passages import PageOnHand, best_passages
from pagesight.agent.reasoners.offline.passages import passages_of_lines
from pagesight.agent.reasoners.offline.quoting import asked_with_what_went_before
from pagesight.indexing import Hit, PageIndex, PageRef
from pagesight.indexing.testing import made_index
from pagesight.tools.messages.conversation import Conversation


@pytest.fixture(scope="module")
def agent(index: PageIndex) -> CompiledStateGraph:
    return create_page_agent(index, model="offline")


def test_it_quotes_the_line_that_answers_and_cites_its_page(agent: CompiledStateGraph) -> None:
    answer = ask(agent, "How many people worked for the group at the end of the year?")

    quote, *_ = answer.text.splitlines()
    assert quote == f"- “At the end of the year 5310 people worked for the group.” [{REPORT} p. 3]"
    assert "No language model was used" in answer.text
    assert answer.found
    assert [citation.label for citation in answer.citations] == [f"{REPORT} p. 3"]
    assert answer.unverified == []
    assert answer.pages_viewed == [f"{REPORT} p. 3"]
    assert answer.hits[0].label == f"{REPORT} p. 3"
    assert answer.reasoner == "offline"
    assert answer.usage["total_tokens"] == 0
    assert answer.usage["model_calls"] == 3


def test_what_is_quoted_says_where_it_stands(agent: CompiledStateGraph, index: PageIndex) -> None:
    """So the very words are marked on the page's picture, in reports and by those who read the JSON."""
    answer = ask(agent, "How many people worked for the group at the end of the year?")

    claim, *_ = answer.claims
    assert claim.text == "“At the end of the year 5310 people worked for the group.”"
    assert (claim.outcome, claim.citations) == ("supported", answer.citations)
    [(left, top, right, bottom)] = claim.boxes
    words = index.words(index.page(f"{REPORT} p. 3"))
    inside = [
        word for word, box in zip(words.words, words.boxes, strict=True)
        if left - 0.001 <= box[0] <= right and top - 0.001 <= box[1] <= bottom
    ]  # fmt: skip
    assert " ".join(inside) in claim.text


def test_it_answers_german_questions_in_german(agent: CompiledStateGraph) -> None:
    answer = ask(agent, "Welche Leistungsaufnahme hat die Pumpe?")

    assert f"“Die Leistungsaufnahme beträgt 42 Watt.” [{SHEET} p. 1]" in answer.text
    assert "Ohne Sprachmodell beantwortet" in answer.text


def test_it_says_when_nothing_is_found_and_where_it_looked(agent: CompiledStateGraph) -> None:
    answer = ask(agent, "Who won the chess tournament in Mongolia?")

    assert answer.text.startswith("Not found in these documents.")
    assert not answer.found
    assert answer.citations == []
    assert "No language model was used" in answer.text


@pytest.mark.parametrize(
    ("question", "quoted"),
    [
        ("What does the Tarn 16 cost?", "Tarn 16"),
        ("Was kostet die Tarn 16?", "Der Preis der Tarn 16 beträgt 9000 Euro."),
    ],
)
def test_what_a_thing_costs_is_its_price(tmp_path: Path, question: str, quoted: str) -> None:
    lists = [["Price list of heat pumps", "The price of the Tarn 16 is 9000 euros."]]
    german = [["Preisliste", "Der Preis der Tarn 16 beträgt 9000 Euro."]]
    accounts = [["Cost of sales", "What the goods cost us rose by 16 per cent.", "The Tarn 16 weighs 196 kg."]]
    written = [
        write_pdf(tmp_path / f"{n}.pdf", pages) for n, pages in enumerate((accounts, accounts * 2, lists, german))
    ]
    with PageIndex.open(tmp_path / "i", settings=small_settings()) as index:
        index.add(written)
        answer = ask(create_page_agent(index, model="offline"), question)
    assert answer.found
    assert "9000" in answer.text.splitlines()[0]
    assert quoted in answer.text.splitlines()[0]


def test_it_streams_and_the_pieces_are_the_answer(agent: CompiledStateGraph) -> None:
    *items, answer = stream(agent, "How much was the net revenue in 2023?")

    assert isinstance(answer, Answer)
    steps = [item.text for item in items if isinstance(item, Step)]
    assert steps[0] == 'searched "How much was the net revenue in 2023?" → 5 pages'
    assert steps[1].startswith(f"looked at {REPORT} p. 2")
    pieces = [item for item in items if isinstance(item, str)]
    assert len(pieces) > 5
    assert "".join(pieces) == answer.text


async def test_it_works_async(agent: CompiledStateGraph) -> None:
    question = "How much was the net revenue in 2023?"

    answer = await aask(agent, question)
    items = [item async for item in astream(agent, question)]

    assert "4.2 billion euros" in answer.text
    assert items[-1].text == answer.text


def test_each_question_of_a_thread_is_searched_anew(index: PageIndex) -> None:
    agent = create_page_agent(index, model="offline", checkpointer=InMemorySaver())

    ask(agent, "How much was the net revenue in 2023?", thread_id="one")
    answer = ask(agent, "How many people worked for the group?", thread_id="one")

    assert answer.pages_viewed == [f"{REPORT} p. 3"]
    assert "5310 people" in answer.text


def test_it_is_a_chat_model_that_can_stand_alone() -> None:
    reply = QuotingReasoner().invoke([HumanMessage("What is the net revenue?")])

    assert isinstance(reply, AIMessage)
    assert reply.text.startswith("Not found in these documents")
    assert reply.usage_metadata == {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}


def lines(page: int, *said: str) -> PageOnHand:
    hit = Hit(page, PageRef("x", "a.pdf", page), 1.0, [], list(said))
    held = [passage.held for passage in passages_of_lines(hit)]
    return PageOnHand(hit, passages_of_lines(hit), frozenset().union(*held))


def quoted(question: str, *pages: PageOnHand) -> list[tuple[int, str]]:
    return [(one.hit.ref.page, one.text) for one in best_passages(question, pages)]


def test_lines_are_chosen_by_the_rare_words_that_they_share() -> None:
    pages = lines(1, "The year in figures", "Turnover of the year"), lines(2, "The turnover of Norway: 12 million")
    (best, *_) = quoted("What was the turnover of Norway in the year?", *pages)
    assert best == (
        2,
        "The turnover of Norway: 12 million",
    )


def test_the_same_line_on_two_pages_is_quoted_once_from_the_better_page() -> None:
    pages = lines(1, "Net revenue: 4 million"), lines(2, "Net revenue: 4 million")
    assert quoted("net revenue", *pages) == [(1, "Net revenue: 4 million")]


def test_a_page_without_the_names_of_the_question_is_no_answer() -> None:
    assert quoted("What is the capital of Mongolia?", lines(1, "Working capital"), lines(2, "Capital employed")) == []
    assert quoted("Who won the cup in 2022?", lines(1, "The cup was won in 2021")) == []


def test_inflected_words_match() -> None:
    assert quoted("Which employees worked?", lines(1, "An employee works"))


TABLE = "Key figures\nin EUR million\n2023 2022\nNet revenue 885.4 801.2\nOperating income 98.1 102.6"
GROWTH = "Net revenue grew in 2023 faster than the market, and we are content."


@pytest.fixture(scope="module")
def figures() -> Iterator[PageIndex]:
    with made_index({"annual.pdf": [GROWTH, TABLE, "The outlook remains unchanged."]}) as index:
        yield index


@pytest.mark.parametrize(
    ("question", "cell"),
    [
        ("How high was the net revenue in 2023?", "Net revenue, 2023: 885.4 (EUR million)"),
        ("How high was the operating income in 2022?", "Operating income, 2022: 102.6 (EUR million)"),
    ],
)
def test_the_cell_of_a_table_answers_with_its_row_column_and_unit(figures: PageIndex, question: str, cell: str) -> None:
    answer = ask(create_page_agent(figures, model="offline"), question)
    assert answer.text.splitlines()[0] == f"- {cell} [annual.pdf p. 2]"


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("Wie schwer ist die Tarn 16?", "Tarn 16, Gewicht: 196 kg"),
        ("Wie breit ist die Tarn 16?", "Tarn 16, Breite: 1260 mm"),
        ("Wie hoch ist die Tarn 16?", "Tarn 16, Höhe: 1480 mm"),
        ("Wie laut ist die Tarn 16?", "Tarn 16, Schallleistung: 59 dB"),
        ("How heavy is the Tarn 12?", "Tarn 12, weight: 168 kg"),
        ("How high is the Tarn 12?", "Tarn 12, height: 1410 mm"),
        ("How high are the losses of the Tarn 12?", "Tarn 12, losses: 42 W"),
    ],
)
def test_who_asks_how_heavy_a_thing_is_asks_for_its_weight(question: str, told: str) -> None:
    german = lines(1, *(f"Tarn 16, {one}" for one in ("Breite: 1260 mm", "Höhe: 1480 mm", "Gewicht: 196 kg")))
    loud = lines(1, "Tarn 16, Schallleistung: 59 dB", *german.hit.lines)
    english = lines(1, *(f"Tarn 12, {one}" for one in ("losses: 42 W", "height: 1410 mm", "weight: 168 kg")))
    (_, best), *_ = quoted(as_pages_say(question), english if "12" in question else loud)
    assert best == told


def test_a_part_of_a_decimal_is_no_number_of_the_question() -> None:
    with made_index({"sheet.pdf": ["The Tarn 12 and the Tarn 16 need 7,9 kW and 1.009 litres."]}) as index:
        agent = create_page_agent(index, model="offline")
        assert not ask(agent, "What does the Tarn 9 need?").found
        assert ask(agent, "What does the Tarn 16 need?").found
        assert ask(agent, "Which Tarn needs 7,9 kW?").found


@pytest.mark.parametrize("count", ["4,120 3,998", "412 98"])
def test_whole_numbers_among_decimals_are_not_told_in_the_tables_unit(count: str) -> None:
    with made_index({"annual.pdf": [f"{TABLE}\nEmployees {count}"]}) as index:
        answer = ask(create_page_agent(index, model="offline"), "How many employees were there in 2023?")
    assert answer.text.splitlines()[0] == f"- Employees, 2023: {count.split()[0]} [annual.pdf p. 1]"


def test_a_row_that_is_called_otherwise_is_no_answer_for_one_rare_word() -> None:
    rows = "Key figures\nin EUR million\n2023 2022\nRevenue 885.4 801.2\nEBIT 99.1 98.3\nNet financial debt 120.0 98.1"
    with made_index({"annual.pdf": ["Revenue rose again.", rows, "Revenue by region"]}) as index:
        answer = ask(create_page_agent(index, model="offline"), "How high was the net revenue in 2023?")
    assert answer.text.splitlines()[0] == "- Revenue, 2023: 885.4 (EUR million) [annual.pdf p. 2]"


def test_a_question_that_goes_on_asks_of_the_year_before_and_is_not_told_the_same_again(figures: PageIndex) -> None:
    agent = create_page_agent(figures, model="offline", checkpointer=InMemorySaver())
    first = ask(agent, "How high was the net revenue in 2023?", thread_id="years")
    second = ask(agent, "And the year before?", thread_id="years")
    assert "885.4" in first.text.splitlines()[0]
    assert second.text.splitlines()[0] == "- Net revenue, 2022: 801.2 (EUR million) [annual.pdf p. 2]"


@pytest.mark.slow
@pytest.mark.parametrize("between", [[], ["Who audited the accounts?"], ["And the year before?"], ["Revenue 2022?"]])
def test_a_question_that_is_asked_again_gets_the_same_answer(figures: PageIndex, between: list[str]) -> None:
    agent = create_page_agent(figures, model="offline", checkpointer=InMemorySaver())
    question = "How high was the net revenue in 2023?"
    texts = [ask(agent, one, thread_id="again").text for one in [question, *between, question, "Again: " + question]]
    assert texts[0].startswith("- Net revenue, 2023: 885.4")
    assert texts[-2] == texts[-1] == texts[0]


def test_it_answers_what_another_agent_asks_where_no_person_has_said_anything(figures: PageIndex) -> None:
    asked = AIMessage("How high was the net revenue in 2023?", name="planner")
    messages = as_node(create_page_agent(figures, model="offline")).invoke({"messages": [asked]})["messages"]
    assert messages[-1].text.startswith("- Net revenue, 2023: 885.4")


def test_what_goes_on_asked_again_gets_the_same_answer(figures: PageIndex) -> None:
    agent = create_page_agent(figures, model="offline", checkpointer=InMemorySaver())
    questions = ["How high was the net revenue in 2023?", "And the year before?"]
    texts = [ask(agent, one, thread_id="on").text for one in [*questions, *questions]]
    assert texts[2:] == texts[:2]


@pytest.mark.parametrize(
    ("questions", "asked"),
    [
        (["How high was it in 2023?", "And the year before?"], "How high was it in 2022?"),
        (["How high was it in 2023?", "And the year before?", "und im Jahr davor?"], "How high was it in 2021?"),
        (["How high was it in 2023?", "And in 2020?"], "How high was it in 2020?"),
        (["How high was it in 2023?", "And in Asia the year before?"], "How high was it in 2022? And in Asia the ?"),
        (["How high was it in 2023?", "And in 2020 and 2021?"], "How high was it in ? And in 2020 and 2021?"),
        (["How high was it?", "And the year before?"], "How high was it? And the year before?"),
        (["How high was it in 2023?", "Who audited the accounts?"], "Who audited the accounts?"),
    ],
)
def test_a_question_that_goes_on_is_put_after_the_ones_before_it(questions: list[str], asked: str) -> None:
    conversation = Conversation([HumanMessage(question) for question in questions])
    assert asked_with_what_went_before(conversation) == asked


def test_what_is_not_found_is_told_in_the_language_of_the_question(figures: PageIndex) -> None:
    answer = ask(create_page_agent(figures, model="offline"), "Wer gewann das Schachturnier in der Mongolei?")
    assert not answer.found
    assert answer.text.startswith("In diesen Dokumenten nicht gefunden.")
