"""How one question is asked: with a config and a context of its own, in a thread, after a crash; what comes back."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from small_index import small_settings, write_pdf

from pagesight.agent import aask, answers_in, as_node, as_tool, ask, create_page_agent, resume, stream
from pagesight.agent.testing import ScriptedReasoner, calls
from pagesight.indexing import PageIndex
from pagesight.indexing.errors import BadCondition, RequestError, SettingsError, UnknownDocument

NOT_FOUND = "Not found in these documents."
QUESTION = "How high was the net revenue?"
YEARS = {"2019.pdf": "acme", "2020.pdf": "acme", "2021.pdf": "globex"}


@pytest.fixture(scope="module")
def tenants(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageIndex]:
    """Three reports of two tenants."""
    files = tmp_path_factory.mktemp("files")
    for name, tenant in YEARS.items():
        write_pdf(files / name, [[f"Net revenue of {name[:4]}", f"The net revenue was {name[2:4]} million euros."]])
        said = json.dumps({"year": int(name[:4]), "tenant": tenant})
        Path(f"{files / name}.meta.json").write_text(said)
    with PageIndex.open(tmp_path_factory.mktemp("index") / "i", settings=small_settings()) as index:
        index.add(files)
        yield index


def searching(index: PageIndex, times: int = 1, **options: Any) -> tuple[Any, ScriptedReasoner]:
    script = [step for _ in range(times) for step in (calls("search_pages", query="net revenue"), NOT_FOUND)]
    model = ScriptedReasoner(script=script)
    return create_page_agent(index, model=model, **options), model


def found(answer: Any) -> set[str]:
    return {hit.document for hit in answer.hits}


# What one call may see


NARROWED = [
    ({"tenant": "acme"}, {"2019.pdf", "2020.pdf"}),
    ({"where": "year >= 2020"}, {"2020.pdf", "2021.pdf"}),
    ({"documents": ["2021.pdf"]}, {"2021.pdf"}),
    ({"documents": ["202*"], "tenant": "acme"}, {"2020.pdf"}),
    ({"documents": []}, set()),
    ({"tenant": "nobody"}, set()),
    ({"locale": "de"}, set(YEARS)),
    (None, set(YEARS)),
]


async def test_one_agent_serves_all_tenants(tenants: PageIndex) -> None:
    agent, _ = searching(tenants, 3 * len(NARROWED))
    for context, documents in NARROWED:
        assert found(ask(agent, QUESTION, context=context)) == documents, context
        assert found(await aask(agent, QUESTION, context=context)) == documents, context
        assert found(list(stream(agent, QUESTION, context=context))[-1]) == documents, context


def test_a_context_widens_nothing(tenants: PageIndex) -> None:
    agent, _ = searching(tenants, where="tenant == 'acme'")
    assert found(ask(agent, QUESTION, context={"where": "year >= 2020"})) == {"2020.pdf"}
    with pytest.raises(UnknownDocument, match=r"which are 2019\.pdf, 2020\.pdf"):
        ask(agent, QUESTION, context={"documents": ["2021.pdf"]})


@pytest.mark.parametrize(("context", "error"), [
    ({"documents": "2021.pdf"}, SettingsError), ({"where": ["x"]}, SettingsError), ({"tenant": ["x"]}, SettingsError),
    ({"where": "year ="}, BadCondition), ({"documents": ["none.pdf"]}, UnknownDocument),
])  # fmt: skip
def test_a_context_that_cannot_be_read_is_an_error_before_a_call_is_paid(
    tenants: PageIndex, context: Any, error: type[Exception]
) -> None:
    agent, model = searching(tenants)
    with pytest.raises(error):
        ask(agent, QUESTION, context=context)
    assert model.requests == []


def test_a_label_of_a_document_outside_tells_nothing_of_it(tenants: PageIndex) -> None:
    looks = [calls("view_pages", pages=[f"{name} p. 1"]) for name in ("2021.pdf", "2022.pdf", "2019.pdf")]
    model = ScriptedReasoner(script=[*looks, calls("view_pages", pages=["2021.pdf p. 77"]), NOT_FOUND])
    agent = create_page_agent(tenants, model=model)

    ask(agent, QUESTION, context={"tenant": "acme"})

    replies = [text for text in model.requests[-1].texts if "No page is shown" in text]
    assert len(replies) == 3
    for text in replies:
        assert "which are 2019.pdf, 2020.pdf" in text
    assert model.requests[-1].pictures == ["2019.pdf p. 1"]


def test_the_context_of_a_parent_reaches_the_agent_inside(tenants: PageIndex) -> None:
    agent, _ = searching(tenants)
    graph = StateGraph(MessagesState, context_schema=dict)
    graph.add_node("documents", as_node(agent))
    graph.add_edge(START, "documents")
    state = graph.compile().invoke({"messages": [HumanMessage(QUESTION)]}, context={"tenant": "globex"})
    assert found(answers_in(state["messages"])[0]) == {"2021.pdf"}


# Config and what an answer says of its run


class Noted(BaseCallbackHandler):
    """Keeps the tags, the metadata and the run of the first chain."""

    def __init__(self) -> None:
        self.runs: list[Any] = []

    def on_chain_start(self, *_: Any, run_id: Any, tags: Any, metadata: Any, **__: Any) -> None:
        self.runs.append((str(run_id), tags, metadata))


@pytest.mark.parametrize("way", [ask, aask])
async def test_a_config_reaches_the_graph(tenants: PageIndex, way: Any) -> None:
    agent, _ = searching(tenants)
    noted = Noted()
    config = {"callbacks": [noted], "tags": ["mine"], "metadata": {"customer": "7"}}
    answer = way(agent, QUESTION, config=config, thread_id="one")
    answer = answer if way is ask else await answer

    run_id, tags, metadata = noted.runs[0]
    assert (answer.run_id, answer.thread_id, answer.question) == (run_id, "one", QUESTION)
    assert "mine" in tags
    assert metadata["customer"] == "7"
    assert metadata["pagesight_reasoner"] == "ScriptedReasoner"


def test_a_thread_may_stand_in_the_config(tenants: PageIndex) -> None:
    agent, model = searching(tenants, 2, checkpointer=InMemorySaver())
    for _ in range(2):
        answer = ask(agent, QUESTION, config={"configurable": {"thread_id": "seven"}})
    assert answer.thread_id == "seven"
    assert len(model.requests[-1].messages) > len(model.requests[1].messages)


def test_a_node_and_a_tool_say_what_was_asked(tenants: PageIndex) -> None:
    agent, _ = searching(tenants, 2)
    graph = StateGraph(MessagesState)
    graph.add_node("documents", as_node(agent))
    graph.add_edge(START, "documents")
    config: Any = {"configurable": {"thread_id": "mine"}, "run_id": "01234567-89ab-4def-8123-456789abcdef"}
    state = graph.compile(checkpointer=InMemorySaver()).invoke({"messages": [HumanMessage(QUESTION)]}, config)
    (answer,) = answers_in(state["messages"])
    assert (answer.question, answer.thread_id) == (QUESTION, "mine")
    assert answer.run_id
    call: Any = {"name": "ask_pagesight", "args": {"question": QUESTION}, "id": "1", "type": "tool_call"}
    assert as_tool(agent).invoke(call).artifact.question == QUESTION


def test_messages_may_stand_before_the_question(tenants: PageIndex) -> None:
    agent, model = searching(tenants)
    answer = ask(agent, "And in 2020?", messages=[HumanMessage(QUESTION), AIMessage("In 2019: 19 million.")])
    assert [text for text in model.requests[0].texts[1:] if text] == [QUESTION, "In 2019: 19 million.", "And in 2020?"]
    assert answer.usage["model_calls"] == 2


@pytest.mark.parametrize(("name", "tool"), [("Jahresbericht Ä", "ask_jahresbericht_a"), ("文書", "ask_documents")])
def test_a_tools_name_is_ascii(tenants: PageIndex, name: str, tool: str) -> None:
    assert as_tool(create_page_agent(tenants, model="offline", name=name)).name == tool


# Going on


def test_a_question_goes_on_after_a_crash(tenants: PageIndex) -> None:
    """What was done before is not done again, and counts."""
    memory = InMemorySaver()
    script = [calls("search_pages", query="net revenue"), OSError("the machine is gone")]
    broken = create_page_agent(tenants, model=ScriptedReasoner(script=script), checkpointer=memory)
    with pytest.raises(OSError, match="gone"):
        ask(broken, QUESTION, thread_id="one", durability="sync")

    model = ScriptedReasoner(script=[NOT_FOUND])
    answer = resume(create_page_agent(tenants, model=model, checkpointer=memory), "one")

    assert (answer.question, answer.usage["model_calls"]) == (QUESTION, 2)
    assert found(answer) == set(YEARS)
    with pytest.raises(RequestError, match="no question to go on with"):
        resume(broken, "one")


@pytest.mark.parametrize(
    ("how", "error", "says"),
    [
        ({"thread": "one"}, TypeError, "'thread' is no way to ask: there are thread_id, config"),
        ({"durability": "never"}, SettingsError, "it must be one of exit, async, sync"),
        ({"history": "first"}, SettingsError, "it must be one of last, all"),
        ({"messages": "Hello"}, SettingsError, "it must be a list of messages"),
        ({"images": [b"no image"]}, RequestError, "the image that was given cannot be read (it is none"),
        ({"images": ["nowhere.png"]}, RequestError, "the image nowhere.png cannot be read (No such file"),
        ({"context": {"where": 5}}, SettingsError, "it must be a condition"),
    ],
)  # fmt: skip
def test_a_way_to_ask_that_there_is_not_is_an_error_and_nothing_is_sent(
    tenants: PageIndex, how: Any, error: type[Exception], says: str
) -> None:
    model = ScriptedReasoner(script=[])
    with pytest.raises(error, match=re.escape(says)):
        ask(create_page_agent(tenants, model=model), QUESTION, **how)
    assert model.requests == []


def test_what_is_no_condition_is_told_when_the_agent_is_made(tenants: PageIndex) -> None:
    with pytest.raises(SettingsError, match="'where' is 5: it must be a condition"):
        create_page_agent(tenants, model="offline", where=5)  # type: ignore[arg-type]


def test_an_agent_for_other_graphs_says_what_it_needs_to_be_asked_alone(tenants: PageIndex) -> None:
    agent = create_page_agent(tenants, model="offline", checkpointer=True)
    with pytest.raises(SettingsError, match="give it one of its own"):
        ask(agent, QUESTION)


def test_a_thread_may_come_with_the_agent(tenants: PageIndex) -> None:
    agent = create_page_agent(tenants, model="offline", checkpointer=InMemorySaver())
    answer = ask(agent.with_config(configurable={"thread_id": "own"}), QUESTION)
    assert answer.thread_id == "own"
    assert agent.get_state({"configurable": {"thread_id": "own"}}).values["messages"]
