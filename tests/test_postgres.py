"""Conversations in Postgres, by LangGraph's savers: asked, gone on with, branched, small, one run at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from postgres_server import installed, postgres
from run_together import run_together
from small_index import REPORT, make_index

from pagesight.agent import aask, aresume, ask, create_page_agent
from pagesight.agent.testing import ScriptedReasoner, calls
from pagesight.indexing import PageIndex

psycopg = pytest.importorskip("psycopg", reason="psycopg is not installed")
pytest.importorskip("langgraph.checkpoint.postgres", reason="langgraph-checkpoint-postgres is not installed")
if installed() is None:
    pytest.skip("no Postgres is installed here", allow_module_level=True)

from langgraph.checkpoint.postgres import PostgresSaver  # noqa: E402
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver  # noqa: E402
from psycopg.rows import dict_row  # noqa: E402
from psycopg_pool import ConnectionPool  # noqa: E402

CITED = f"4.2 billion euros [{REPORT} p. 2]."
LOOKS = ("view_pages", {"pages": [f"{REPORT} p. 2"]})
ASKED = [f"Question {number}?" for number in range(4)]


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    with postgres() as address:
        with PostgresSaver.from_conn_string(address) as saver:
            saver.setup()
        yield address


def agent_with(index: PageIndex, saver: Any, *script: Any) -> Any:
    usual = [step for _ in range(9) for step in (calls(LOOKS[0], **LOOKS[1]), CITED)]
    return create_page_agent(index, model=ScriptedReasoner(script=[*script] or usual), checkpointer=saver)


def thread(name: str) -> Any:
    return {"configurable": {"thread_id": name}}


def asked_in(state: Any) -> list[str]:
    return [message.text for message in state.values["messages"] if message.type == "human"]


@pytest.mark.parametrize("durability", ["exit", "async", "sync"])
def test_a_thread_goes_on_stays_small_and_is_branched(index: PageIndex, database: str, durability: Any) -> None:
    with PostgresSaver.from_conn_string(database) as saver:
        agent = agent_with(index, saver)
        for question in ASKED:
            answer = ask(agent, question, thread_id=f"small-{durability}", durability=durability)
        assert (answer.text, asked_in(agent.get_state(thread(f"small-{durability}")))) == (CITED, ASKED)
        (row,) = saver.conn.execute(  # type: ignore[union-attr]
            "SELECT count(*) AS n, (SELECT sum(length(blob)) FROM checkpoint_blobs WHERE thread_id = %(t)s) AS size "
            "FROM checkpoints WHERE thread_id = %(t)s", {"t": f"small-{durability}"},
        ).fetchall()  # fmt: skip
        assert row["n"] == 1
        assert row["size"] < 2_000 * len(ASKED)
        for question in ASKED[:2]:
            ask(agent, question, thread_id=f"kept-{durability}", durability=durability, history="all")
        states = list(agent.get_state_history(thread(f"kept-{durability}")))
        first = next(state for state in states if not state.next and len(asked_in(state)) == 1)
        ask(agent, "Another?", config=first.config)
        assert asked_in(agent.get_state(thread(f"kept-{durability}"))) == [ASKED[0], "Another?"]


async def test_a_question_goes_on_after_a_crash(index: PageIndex, database: str) -> None:
    async with AsyncPostgresSaver.from_conn_string(database) as saver:
        agent = agent_with(index, saver, calls(LOOKS[0], **LOOKS[1]), OSError("gone"), CITED)
        with pytest.raises(OSError, match="gone"):
            await aask(agent, "Before?", thread_id="crash", durability="sync")
        answer = await aresume(agent, "crash")
    assert (answer.text, answer.question, answer.usage["model_calls"]) == (CITED, "Before?", 2)


def test_threads_of_one_process_wait_for_each_other(index: PageIndex, database: str) -> None:
    options = {"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row}
    with ConnectionPool(database, min_size=1, max_size=2, kwargs=options) as pool:
        agent = agent_with(index, PostgresSaver(pool))  # type: ignore[arg-type]
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(lambda question: ask(agent, question, thread_id="pool"), ASKED))
        assert sorted(asked_in(agent.get_state(thread("pool")))) == ASKED


async def test_tasks_wait_and_who_gives_up_holds_nobody_up(index: PageIndex, database: str) -> None:
    async with (
        AsyncPostgresSaver.from_conn_string(database) as saver,
        AsyncPostgresSaver.from_conn_string(database) as other,
    ):
        agents = [agent_with(index, saver), agent_with(index, other)]  # as two processes have them
        waiting = [
            asyncio.create_task(aask(agents[number % 2], question, thread_id="tasks"))
            for number, question in enumerate(ASKED)
        ]
        given_up = asyncio.create_task(aask(agents[0], "Never?", thread_id="tasks"))
        await asyncio.sleep(0.05)
        given_up.cancel()
        await asyncio.wait_for(asyncio.gather(*waiting), 60)
        assert sorted(asked_in(await agents[1].aget_state(thread("tasks")))) == ASKED


@pytest.mark.slow
def test_processes_wait_for_each_other(tmp_path: Path, database: str) -> None:
    make_index(tmp_path).close()
    script = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from test_postgres import PostgresSaver, agent_with, ask
from pagesight.indexing import PageIndex
with PostgresSaver.from_conn_string({database!r}) as saver:
    agent = agent_with(PageIndex.open({str(tmp_path / "index")!r}), saver)
    print("ready", flush=True)
    sys.stdin.readline()
    for number in range(3):
        ask(agent, sys.argv[1] + str(number), thread_id="processes")
"""
    run_together(script, ["A", "B"])
    with PageIndex.open(tmp_path / "index") as opened, PostgresSaver.from_conn_string(database) as saver:
        state = agent_with(opened, saver).get_state(thread("processes"))
    assert sorted(asked_in(state)) == ["A0", "A1", "A2", "B0", "B1", "B2"]


async def test_a_saver_that_cannot_forget_loses_no_answer(
    index: PageIndex, database: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: Any, **__: Any) -> None:
        raise psycopg.errors.DeadlockDetected("deadlock detected")

    monkeypatch.setattr(AsyncPostgresSaver, "aprune", fails)
    async with AsyncPostgresSaver.from_conn_string(database) as saver:
        assert (await aask(agent_with(index, saver), "Once?", thread_id="loses")).text == CITED
    assert "the earlier checkpoints of the thread loses stay: deadlock detected" in caplog.text
