"""What a process of the service holds open: the index, the questions' loop, conversations, jobs, each token's agent."""

from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

from pagesight.agent.answers.agent_limits import limits_of
from pagesight.agent.answers.answer import Answer
from pagesight.agent.answers.question_costs import QuestionCosts
from pagesight.agent.asking import astream
from pagesight.agent.graph import create_page_agent
from pagesight.agent.reasoners.choose import choose_reasoner
from pagesight.agent.reports.turns import Turn, turns
from pagesight.agent.run.steps import Step
from pagesight.agent.servers.job_files import JobFiles
from pagesight.agent.servers.jobs import Jobs
from pagesight.agent.servers.metrics import Metrics
from pagesight.agent.servers.problems import Problem
from pagesight.agent.servers.question_loop import QuestionLoop, Waiting
from pagesight.agent.servers.quotas import Quotas
from pagesight.agent.servers.tokens import KnownTokens, Token
from pagesight.agent.threads.kept_threads import SERVICE_FILE, KeptThreads, Thread, questions_in, storage_errors
from pagesight.indexing import PageIndex
from pagesight.indexing.calls.prices import Price, writers
from pagesight.indexing.configuration.efforts import Effort
from pagesight.indexing.errors import EmptyQuestion
from pagesight.indexing.settings import Settings
from pagesight.tools.gemini_service.generations import is_gemini

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage
    from langchain_core.runnables import RunnableConfig
    from langgraph.graph.state import CompiledStateGraph

#: Threads that render pages: rendering holds a core (a guess, not measured: 2).
_DRAWING = 2
#: Seconds that a job waits before it says who writes to the index.
_WAIT = 2.0

#: Agents that are kept: making one takes 5 ms without a model, 42 ms with Gemini.
_MOST_AGENTS = 64

Result = TypeVar("Result")
Limit = TypeVar("Limit", int, float)


@dataclass(frozen=True)
class Plan:
    """What a service is made of; each of its processes opens its own by it. ``origins`` and ``hosts`` as in `Guard`.

    ``page`` puts the page to work in before it.
    """

    place: str
    settings: Settings
    tokens: KnownTokens
    model: str | None = None
    transport: str | None = None
    hosts: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    page: bool = False


@dataclass(frozen=True)
class HowToAnswer:
    """How a question wants its answer: with which ``effort``, or without a model.

    ``dollars`` and ``pages`` are what it may cost and look at at most, ``verify`` is how its claims are checked,
    ``reasoner`` one of `Service.reasoners`.
    """

    effort: Effort | None = None
    dollars: float | None = None
    offline: bool = False
    verify: str | None = None
    pages: int | None = None
    reasoner: str | None = None


@dataclass(frozen=True)
class Branch:
    """A question of a kept conversation, by its number from 0, in the place of which another one is asked."""

    thread: str
    question: int


#: As the service's own settings have it.
_AS_SET = HowToAnswer()


@dataclass
class Service:
    """An open service. Nothing here blocks the loop that asks."""

    plan: Plan
    index: PageIndex
    questions: QuestionLoop
    threads: KeptThreads
    jobs: Jobs
    metrics: Metrics
    drawing: ThreadPoolExecutor
    quotas: Quotas
    _agents: OrderedDict[Hashable, CompiledStateGraph[Any, Any, Any, Any]] = field(default_factory=OrderedDict)
    _making: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    @asynccontextmanager
    async def opened(cls, plan: Plan, metrics: Metrics) -> AsyncIterator[Service]:
        """The service until the block ends. Raises what opening the index raises."""
        settings, limits = plan.settings.changed(wait=_WAIT), plan.settings.service
        async with AsyncExitStack() as stack:
            index = await stack.enter_async_context(await PageIndex.aopen(plan.place, settings=settings, create=False))
            files = JobFiles(index.path.with_name(f"{index.path.name}-service"))
            await asyncio.to_thread(files.tidy)
            questions = QuestionLoop(at_once=limits.questions, queue=limits.queue, seconds=limits.seconds)
            stack.push_async_callback(asyncio.to_thread, questions.close)
            kept = KeptThreads.kept_in(index.path / SERVICE_FILE)
            threads = await questions.call(kept.__aenter__())
            stack.push_async_callback(lambda: questions.call(kept.__aexit__(None, None, None)))
            jobs = Jobs(index, files, metrics.pages.inc)
            stack.push_async_callback(asyncio.to_thread, jobs.close)
            drawing = ThreadPoolExecutor(_DRAWING, "pagesight-drawing")
            stack.callback(drawing.shutdown, wait=False, cancel_futures=True)
            yield cls(plan, index, questions, threads, jobs, metrics, drawing, Quotas(index.path))

    async def draw(self, work: Callable[[], Result]) -> Result:
        """What drawing a page gives; a few at a time."""
        return await asyncio.get_running_loop().run_in_executor(self.drawing, work)

    async def ask(
        self, token: Token, question: str, thread: str, context: dict[str, Any], how: HowToAnswer = _AS_SET,
        branch: Branch | None = None,
    ) -> AsyncGenerator[Waiting | Step | str | Answer, None]:  # fmt: skip
        """What `stream` yields for a question, after `Waiting`; closing it ends the run, and so its cost.

        With a ``branch`` the thread, which must be new, begins with what was said before that question.

        Raises what `ask` raises, Problem 429 and 504; errors of the request itself come before anything is yielded.
        """
        if not question.strip():
            raise EmptyQuestion("the question is empty: ask something about the documents")
        if how.reasoner and how.reasoner not in self.reasoners():
            named = f"{how.reasoner[:100]!r}"
            raise Problem(422, "Unknown reasoner", f"{named} cannot be named here: GET /me lists what can")
        agent = await asyncio.to_thread(self._checked, token, context, how)
        run_id, name = uuid4(), _internal(token, thread)
        before = await self._before(token, thread, branch) if branch else []
        prices = self.plan.settings.budget.prices
        costs = QuestionCosts(self.index.path, "ask", limits_of(agent).reasoner, prices, by=token.name)

        def run() -> AsyncIterator[Step | str | Answer]:
            config: RunnableConfig = {"run_id": run_id, "callbacks": [costs]}
            return astream(agent, question, thread_id=name, context=context, config=config, messages=before)

        outcome = "stopped"
        try:
            async with (
                self.quotas.taken(token, free=how.offline),
                costs,
                aclosing(self.questions.items(run, name)) as items,
            ):
                async for item in items:
                    if isinstance(item, Answer):
                        outcome = ""
                        item = replace(item, thread_id=thread)
                        self.metrics.count_answer(item)
                        costs.answer = item
                        await asyncio.to_thread(costs.settle)
                    yield item
        except Exception:
            outcome = "failed"
            raise
        finally:
            if outcome:
                self.metrics.questions.labels(outcome).inc()

    async def conversations(self, token: Token, most: int) -> list[Thread]:
        """The token's conversations, newest first. Raises PageIndexError."""
        beginning = _internal(token, "")
        kept = await self._stored(lambda: self.threads.newest(most, beginning))
        return [replace(thread, id=thread.id.removeprefix(beginning)) for thread in kept]

    async def conversation(self, token: Token, thread: str) -> list[Turn]:
        """What was said in one of the token's conversations. Raises Problem 404, PageIndexError."""
        await self._refuse_unknown(token, thread)
        messages = await self._stored(lambda: self.threads.messages(_internal(token, thread)))
        agent = await asyncio.to_thread(self.agent, token)
        return await asyncio.to_thread(turns, messages, limits_of(agent))

    async def _before(self, token: Token, thread: str, branch: Branch) -> list[BaseMessage]:
        """What was said before a question. Raises Problem 404, and 409 where the thread is not new."""
        if await self._stored(lambda: self.threads.is_kept(_internal(token, thread))):
            raise Problem(409, "Known thread", f"there is a conversation {thread!r} already: name a new one")
        await self._refuse_unknown(token, branch.thread)
        messages = await self._stored(lambda: self.threads.messages(_internal(token, branch.thread)))
        questions = questions_in(messages)
        if branch.question >= len(questions):
            raise Problem(404, "Unknown question", f"the conversation has {len(questions)} questions, from 0")
        return list(messages[: messages.index(questions[branch.question])])

    async def forget(self, token: Token, thread: str) -> None:
        """Deletes one of the token's conversations. Raises Problem 404, PageIndexError."""
        await self._refuse_unknown(token, thread)
        await self._stored(lambda: self.threads.delete(_internal(token, thread)))

    def reasoners(self) -> dict[str, Price]:
        """The models that a question of the page's may name, where Gemini answers: those whose price is known."""
        choice = choose_reasoner(self.plan.model, self.plan.settings)
        provider, _, _ = choice.name.partition(":")
        if not self.plan.page or not is_gemini(choice.name):
            return {}
        return {f"{provider}:{model}": price for model, price in writers().items()}

    def agent(self, token: Token, how: HowToAnswer = _AS_SET) -> CompiledStateGraph[Any, Any, Any, Any]:
        """The token's agent, which sees its documents only. Waits for the disk when it is made."""
        wanted = (token.name, token.where, token.ids, how)
        with self._making:
            made = self._agents.pop(wanted, None) or self._made(token, how)
            self._agents[wanted] = made  # the last used is the last to go
            if len(self._agents) > _MOST_AGENTS:
                self._agents.popitem(last=False)
            return made

    def _made(self, token: Token, how: HowToAnswer) -> CompiledStateGraph[Any, Any, Any, Any]:
        settings = self.plan.settings.with_effort(how.effort)
        budget = settings.budget
        asked = {
            "verify": how.verify,
            "dollars_per_question": _least(budget.dollars_per_question, how.dollars),
            "pages_per_question": _least(budget.pages_per_question, how.pages),
        }
        return create_page_agent(
            token.allowed(self.index), model="offline" if how.offline else how.reasoner or self.plan.model,
            transport=self.plan.transport, checkpointer=self.threads.saver,
            settings=settings.changed(**{name: value for name, value in asked.items() if value is not None}),
        )  # fmt: skip

    def _checked(
        self, token: Token, context: dict[str, Any], how: HowToAnswer
    ) -> CompiledStateGraph[Any, Any, Any, Any]:
        """The token's agent, once the context is known to be within what it may see."""
        token.allowed(self.index).within(context)
        return self.agent(token, how)

    async def _refuse_unknown(self, token: Token, thread: str) -> None:
        if not await self._stored(lambda: self.threads.is_kept(_internal(token, thread))):
            raise Problem(404, "Unknown thread", f"this token has no conversation {thread!r}: GET /threads lists them")

    async def _stored(self, asked: Callable[[], Any]) -> Any:
        with storage_errors(self.index.path / SERVICE_FILE):
            return await self.questions.call(asked())


def _least(*limits: Limit | None) -> Limit | None:
    return min((one for one in limits if one is not None), default=None)


def _internal(token: Token, thread: str) -> str:
    """A conversation's name among those of all tokens: a token's name holds no slash."""
    return f"{token.name}/{thread}"
