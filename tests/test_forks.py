"""A thread that is gone back in: a question asked from an earlier checkpoint, with each saver; the others stay."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from small_index import REPORT

from pagesight.agent import aask, aresume, ask, astream, create_page_agent, resume
from pagesight.agent.testing import ScriptedReasoner, calls
from pagesight.indexing import PageIndex
from pagesight.indexing.errors import RequestError

CITED = f"4.2 billion euros [{REPORT} p. 2]."
THREAD: Any = {"configurable": {"thread_id": "one"}}


def looks_and_says(word: str) -> list[Any]:
    return [calls("view_pages", pages=[f"{REPORT} p. 2"]), f"{word} {CITED}"]


def agent_with(index: PageIndex, saver: Any, *more: Any) -> Any:
    script = [*looks_and_says("First"), *looks_and_says("Second"), *more]
    return create_page_agent(index, model=ScriptedReasoner(script=script), checkpointer=saver)


@contextmanager
def saver_of(kind: str, folder: Path) -> Iterator[Any]:
    if kind == "memory":
        yield InMemorySaver()
        return
    connection = sqlite3.connect(folder / "threads.db", check_same_thread=False)
    yield SqliteSaver(connection)
    connection.close()


@asynccontextmanager
async def forkable(index: PageIndex, folder: Path, *more: Any) -> AsyncIterator[Any]:
    async with AsyncSqliteSaver.from_conn_string(str(folder / "threads.db")) as saver:
        agent = agent_with(index, saver, *more)
        for question in ("One?", "Two?"):
            await aask(agent, question, thread_id="one", history="all", durability="sync")
        yield agent


def asked_in(state: Any) -> list[str]:
    return [message.text for message in state.values["messages"] if message.type == "human"]


def ended(states: list[Any], questions: int) -> Any:
    return next(state for state in states if not state.next and len(asked_in(state)) == questions)


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_another_question_from_the_middle_is_a_branch_and_the_first_one_stays(
    index: PageIndex, tmp_path: Path, kind: str
) -> None:
    with saver_of(kind, tmp_path) as saver:
        agent = agent_with(index, saver, *looks_and_says("Other"))
        for question in ("One?", "Two?"):
            ask(agent, question, thread_id="one", history="all")
        before = ended(list(agent.get_state_history(THREAD)), 1)
        answer = ask(agent, "Another?", config=before.config)
        assert (answer.text, answer.thread_id) == (f"Other {CITED}", "one")
        assert answer.citations
        assert not answer.unverified
        states = list(agent.get_state_history(THREAD))
        assert asked_in(states[0]) == ["One?", "Another?"]
        assert asked_in(ended(states[1:], 2)) == ["One?", "Two?"]  # what was there is not lost by a branch


def test_who_wants_a_branch_alone_says_so(index: PageIndex) -> None:
    agent = agent_with(index, InMemorySaver(), *looks_and_says("Other"))
    for question in ("One?", "Two?"):
        ask(agent, question, thread_id="one", history="all")
    before = ended(list(agent.get_state_history(THREAD)), 1)
    ask(agent, "Another?", config=before.config, history="last")
    assert [asked_in(state) for state in agent.get_state_history(THREAD)] == [["One?", "Another?"]]


async def test_a_branch_streams_too(index: PageIndex, tmp_path: Path) -> None:
    async with forkable(index, tmp_path, *looks_and_says("Other")) as agent:
        before = ended([state async for state in agent.aget_state_history(THREAD)], 1)
        items = [item async for item in astream(agent, "Another?", config=before.config)]
        assert items[-1].text == f"Other {CITED}"
        assert asked_in(await agent.aget_state(THREAD)) == ["One?", "Another?"]


async def test_a_question_is_gone_on_with_from_any_of_its_steps(index: PageIndex, tmp_path: Path) -> None:
    async with forkable(index, tmp_path, f"Again {CITED}", *looks_and_says("Anew")) as agent:
        states = [state async for state in agent.aget_state_history(THREAD)]
        looked = next(state for state in states if state.next == ("agent",) and len(asked_in(state)) == 2)
        answer = await aresume(agent, "one", config=looked.config)
        assert (answer.text, answer.question) == (f"Again {CITED}", "Two?")
        assert not answer.unverified  # the page was shown before
        waits = next(state for state in states if state.next == ("tools",) and len(asked_in(state)) == 1)
        answer = await aask(agent, "Three?", config=waits.config)  # the call that waited is broken off
        assert answer.text == f"Anew {CITED}"
        assert asked_in(await agent.aget_state(THREAD)) == ["One?", "Three?"]


def test_a_checkpoint_that_is_not_there_is_an_error_and_nothing_is_lost(index: PageIndex) -> None:
    agent = agent_with(index, InMemorySaver(), "unused")
    ask(agent, "One?", thread_id="one")
    nowhere = {"configurable": {"thread_id": "one", "checkpoint_id": "1f0"}}
    for way in (lambda: ask(agent, "Two?", config=nowhere), lambda: resume(agent, "one", config=nowhere)):
        with pytest.raises(RequestError, match="no checkpoint '1f0'"):
            way()
    assert asked_in(agent.get_state(THREAD)) == ["One?"]
