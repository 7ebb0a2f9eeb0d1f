"""Asks the agent a question: at once (`ask`), or with its steps and the answer as they come (`stream`); async twins."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Unpack, cast

from pagesight.agent.answers.answer import Answer
from pagesight.agent.reasoners.choose import plain_failures
from pagesight.agent.run.run import HowToAsk, Run
from pagesight.agent.run.steps import Step
from pagesight.agent.threads.thread_history import akeep_last, keep_last
from pagesight.agent.threads.thread_locks import aalone, alone

if TYPE_CHECKING:
    from langgraph.graph.state import CompiledStateGraph

_MODES: Any = ["custom", "messages", "updates", "values"]
#: Without "messages" the model is called without streaming.
_AT_ONCE: Any = ["custom", "values"]


def ask(agent: CompiledStateGraph[Any, Any, Any, Any], question: str, **how: Unpack[HowToAsk]) -> Answer:
    """The agent's answer to a question; ``how`` is as in `HowToAsk`.

    With a checkpointer, questions on one ``thread_id`` make one conversation; without a ``thread_id`` each is its own.
    Raises EmptyQuestion, ReasonerError (KeyRefused, AnswerBlocked, EmptyAnswer) and what the index raises.
    """
    return _answer_in(list(_run(Run(agent, question, how), _AT_ONCE)))


async def aask(agent: CompiledStateGraph[Any, Any, Any, Any], question: str, **how: Unpack[HowToAsk]) -> Answer:
    """The same as `ask`, async."""
    async with aclosing(_arun(Run(agent, question, how), _AT_ONCE)) as items:
        return _answer_in([item async for item in items])


def stream(
    agent: CompiledStateGraph[Any, Any, Any, Any], question: str, **how: Unpack[HowToAsk]
) -> Iterator[Step | str | Answer]:
    """What the agent does (`Step`), pieces of the final answer as they come (`str`), and last the `Answer`.

    The pieces after the last step that is not a "cut" together are the answer's text: when a text that looked like the
    answer turns out to go on with a tool, a step "aside" says so. Raises as `ask` does, also after some pieces.
    """
    return _begun(agent, question, how)


def astream(
    agent: CompiledStateGraph[Any, Any, Any, Any], question: str, **how: Unpack[HowToAsk]
) -> AsyncIterator[Step | str | Answer]:
    """The same as `stream`, async."""
    return _abegun(agent, question, how)


def resume(agent: CompiledStateGraph[Any, Any, Any, Any], thread_id: str, value: Any = None, **how: Any) -> Answer:
    """Goes on with the question that a thread was stopped in: by a crash, or by an interrupt of LangGraph's.

    ``value`` is what the interrupt waits for; ``how`` is as in `HowToAsk`. What was done before is not done again, as
    far as the thread keeps it: ask with ``durability`` "sync" or "async". Raises as `ask` does, and RequestError if the
    thread waits for nothing.
    """
    return _answer_in(list(_run(Run(agent, None, _in_thread(how, thread_id), value), _AT_ONCE)))


async def aresume(
    agent: CompiledStateGraph[Any, Any, Any, Any], thread_id: str, value: Any = None, **how: Any
) -> Answer:
    """The same as `resume`, async."""
    run = Run(agent, None, _in_thread(how, thread_id), value)
    return _answer_in([item async for item in _arun(run, _AT_ONCE)])


def _in_thread(how: dict[str, Any], thread_id: str) -> HowToAsk:
    return cast("HowToAsk", {**how, "thread_id": thread_id})


def _begun(
    agent: CompiledStateGraph[Any, Any, Any, Any], question: str, how: HowToAsk
) -> Iterator[Step | str | Answer]:
    yield from _run(Run(agent, question, how), _MODES)


async def _abegun(
    agent: CompiledStateGraph[Any, Any, Any, Any], question: str, how: HowToAsk
) -> AsyncGenerator[Step | str | Answer, None]:
    async with aclosing(_arun(Run(agent, question, how), _MODES)) as items:
        async for item in items:
            yield item


def _run(run: Run, modes: Any) -> Iterator[Step | str | Answer]:
    """What a run of the agent tells, and its answer; async in `_arun`, which is the same with ``await``."""
    run.attach()
    with alone(run.agent.checkpointer, run.shared_thread):
        past = run.agent.get_state(run.config) if run.agent.checkpointer else None
        past = run.agent.get_state(past.config) if past and run.begins_anew(past) else past
        with plain_failures(run.limits.reasoner):
            for mode, payload in run.agent.stream(run.input(past), run.config, stream_mode=modes, **run.options):
                yield from run.read(mode, payload)
        answer = run.answer()
        if run.pruned:
            keep_last(run.agent.checkpointer, run.pruned)
    yield answer


async def _arun(run: Run, modes: Any) -> AsyncGenerator[Step | str | Answer, None]:
    await asyncio.to_thread(run.attach)
    async with aalone(run.agent.checkpointer, run.shared_thread):
        past = await run.agent.aget_state(run.config) if run.agent.checkpointer else None
        past = await run.agent.aget_state(past.config) if past and run.begins_anew(past) else past
        items: Any = run.agent.astream(run.input(past), run.config, stream_mode=modes, **run.options)
        # Who stops reading ends the run, and with it what it would cost.
        with plain_failures(run.limits.reasoner):
            async with aclosing(items):
                async for mode, payload in items:
                    for item in run.read(mode, payload):
                        yield item
        answer = run.answer()
        if run.pruned:
            await akeep_last(run.agent.checkpointer, run.pruned)
    yield answer


def _answer_in(items: Sequence[Step | str | Answer]) -> Answer:
    answer = items[-1]
    assert isinstance(answer, Answer)  # a run ends with it, or raises
    return answer
