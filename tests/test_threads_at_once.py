"""Two runs at once on one thread: the second waits, in one process and in several; nothing of either is lost."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from run_together import run_together
from small_index import REPORT, make_index, small_settings

from pagesight.agent import aask, ask, astream, create_page_agent
from pagesight.agent.testing import ScriptedReasoner, calls
from pagesight.agent.threads import thread_locks
from pagesight.indexing import PageIndex
from pagesight.indexing.errors import ThreadInUse

NOT_FOUND = "Not found in these documents."
ASKED = [f"Question {number}?" for number in range(4)]


def agent_with(index: PageIndex, memory: Any, **options: Any) -> Any:
    script = [step for _ in range(9) for step in (calls("list_documents"), NOT_FOUND)]
    return create_page_agent(index, model=ScriptedReasoner(script=script), checkpointer=memory, **options)


def kept(agent: Any) -> list[str]:
    messages = agent.get_state({"configurable": {"thread_id": "one"}}).values["messages"]
    return [message.text for message in messages if message.type == "human"]


@pytest.mark.parametrize("saver", ["memory", "sqlite"])
def test_threads_of_one_process_wait_for_each_other(index: PageIndex, tmp_path: Path, saver: str) -> None:
    connection = sqlite3.connect(tmp_path / "threads.db", check_same_thread=False)
    agent = agent_with(index, InMemorySaver() if saver == "memory" else SqliteSaver(connection))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda question: ask(agent, question, thread_id="one"), ASKED))
    assert sorted(kept(agent)) == ASKED
    connection.close()


def test_a_savers_connection_is_used_by_one_thread_at_a_time(index: PageIndex, tmp_path: Path) -> None:
    class Guarded(sqlite3.Connection):
        def execute(self, *asked: Any) -> sqlite3.Cursor:
            assert saver.lock.locked(), asked
            return super().execute(*asked)

    with sqlite3.connect(tmp_path / "threads.db", check_same_thread=False, factory=Guarded) as connection:
        saver = SqliteSaver(connection)
        assert ask(agent_with(index, saver), "Who?", thread_id="one").text == NOT_FOUND
    connection.close()


async def test_tasks_of_one_process_wait_for_each_other(index: PageIndex, tmp_path: Path) -> None:
    async with AsyncSqliteSaver.from_conn_string(str(tmp_path / "threads.db")) as saver:
        agent = agent_with(index, saver)
        await asyncio.gather(*(aask(agent, question, thread_id="one") for question in ASKED))
        state = await agent.aget_state({"configurable": {"thread_id": "one"}})
    assert sorted(one.text for one in state.values["messages"] if one.type == "human") == ASKED


def test_processes_wait_for_each_other(tmp_path: Path) -> None:
    index = make_index(tmp_path)
    script = f"""
import sqlite3, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from langgraph.checkpoint.sqlite import SqliteSaver
from test_threads_at_once import agent_with, ask
from pagesight.indexing import PageIndex
saver = SqliteSaver(sqlite3.connect({str(tmp_path / "threads.db")!r}, check_same_thread=False))
agent = agent_with(PageIndex.open({str(index.path)!r}), saver)
print("ready", flush=True)
sys.stdin.readline()
for number in range(2):
    ask(agent, sys.argv[1] + str(number), thread_id="one")
"""
    index.close()
    run_together(script, ["A", "B"])
    connection = sqlite3.connect(tmp_path / "threads.db", check_same_thread=False)
    with PageIndex.open(tmp_path / "index") as opened:
        assert sorted(kept(agent_with(opened, SqliteSaver(connection)))) == ["A0", "A1", "B0", "B1"]
    connection.close()


def test_other_threads_wait_for_nobody(index: PageIndex) -> None:
    both = threading.Barrier(2, timeout=30)

    def meets() -> str:
        """Waits until the other run is here too."""
        both.wait()
        return "met"

    script = [calls("meets"), calls("meets"), NOT_FOUND, NOT_FOUND]
    agent = create_page_agent(index, model=ScriptedReasoner(script=script), checkpointer=InMemorySaver(), tools=[meets])
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda name: ask(agent, "Who?", thread_id=name), ["one", "two"]))
    assert [answer.text for answer in answers] == [NOT_FOUND] * 2


def test_who_waits_too_long_or_for_itself_is_told(index: PageIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    agents: list[Any] = []

    def asks_itself() -> str:
        """Asks the agent in the thread in which it is asked."""
        return ask(agents[0], "And?", thread_id="one").text

    model = ScriptedReasoner(script=[calls("asks_itself")])
    agents.append(create_page_agent(index, model=model, checkpointer=InMemorySaver(), tools=[asks_itself]))
    with pytest.raises(ThreadInUse, match="by the run that asks"):
        ask(agents[0], "Who?", thread_id="one")
    monkeypatch.setattr(thread_locks, "LONGEST_WAIT", 0.2)
    with thread_locks.alone(agents[0].checkpointer, "one"), ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(ask, agents[0], "Who?", thread_id="one")
        with pytest.raises(ThreadInUse, match="not free"):
            waiting.result()


async def test_a_run_that_is_given_up_lets_the_next_one_go_on(index: PageIndex) -> None:
    script = [calls("view_pages", pages=[f"{REPORT} p. 2"]), NOT_FOUND, NOT_FOUND]
    agent = create_page_agent(index, model=ScriptedReasoner(script=script), checkpointer=InMemorySaver())
    items = astream(agent, "First?", thread_id="one")
    async for _ in items:
        break
    await items.aclose()  # type: ignore[attr-defined]
    assert (await asyncio.wait_for(aask(agent, "Second?", thread_id="one"), 20)).text == NOT_FOUND


@pytest.mark.parametrize("durability", ["exit", "async", "sync"])
@pytest.mark.parametrize("way", ["sync", "async", "memory"])
async def test_a_thread_stays_small_at_every_durability(
    index: PageIndex, tmp_path: Path, durability: Any, way: str
) -> None:
    """At most 2 kB for each page that was looked at, with the whole of its history."""
    file, pages = tmp_path / "threads.db", [f"{REPORT} p. {number}" for number in range(1, 9)]
    script = [step for page in pages for step in (calls("view_pages", pages=[page]), f"It says so [{page}].")]
    made: Any = {"model": ScriptedReasoner(script=script), "settings": small_settings(verify="off")}
    if way == "async":
        async with AsyncSqliteSaver.from_conn_string(str(file)) as saver:
            agent = create_page_agent(index, checkpointer=saver, **made)
            for page in pages:
                await aask(agent, f"What is on {page}?", thread_id="one", durability=durability)
        size = stored(file)
    else:
        on_disk = SqliteSaver(sqlite3.connect(file, check_same_thread=False))
        memory: Any = InMemorySaver() if way == "memory" else on_disk
        agent = create_page_agent(index, checkpointer=memory, **made)
        for page in pages:
            answer = ask(agent, f"What is on {page}?", thread_id="one", durability=durability)
        assert len(agent.get_state({"configurable": {"thread_id": "one"}}).values["messages"]) == 4 * len(pages)
        assert answer.usage["model_calls"] == 2
        size = stored(file) if way == "sync" else sum(len(data) for _, data in memory.blobs.values())
    assert size < 2000 * len(pages)


def stored(file: Path) -> int:
    """The bytes of all checkpoints and writes."""
    connection = sqlite3.connect(file)
    total = 0
    for table, column in (("checkpoints", "checkpoint"), ("checkpoints", "metadata"), ("writes", "value")):
        total += connection.execute(f"SELECT coalesce(sum(length({column})), 0) FROM {table}").fetchone()[0]
    connection.close()
    return total


def test_a_history_can_be_kept(index: PageIndex) -> None:
    agent = agent_with(index, InMemorySaver())
    for question in ASKED:
        ask(agent, question, thread_id="one", history="all")
    past = list(agent.get_state_history({"configurable": {"thread_id": "one"}}))
    assert [sum(one.type == "human" for one in state.values["messages"]) for state in past] == [4, 3, 2, 1]
