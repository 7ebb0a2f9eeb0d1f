"""Questions, a few at a time, on an event loop of their own: so the loop that answers requests is free for others.

LangGraph's steps are Python that holds the loop for some milliseconds each, and threads that search and quote hold the
interpreter: with 50 questions on one loop a request waited 76 to 89 ms (p95), with a loop of their own, two threads
for their work and a shorter switch between threads 22 to 27 ms (2 busy cores, 26 November 2026, docs/service.md).
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from pagesight.agent.servers.problems import Problem

Item = TypeVar("Item")
Result = TypeVar("Result")

#: Threads for what questions wait for: searches, pictures. More of them only take turns (measured as above, 4 threads:
#: 38 to 44 ms).
_THREADS = 2
#: Seconds that a question is taken to need before one was answered: a guess, not measured.
_USUAL_SECONDS = 5.0


@dataclass(frozen=True)
class Waiting:
    """A question was taken: its place among those that wait, 0 where it begins at once."""

    position: int


class QuestionLoop:
    """A thread with an event loop; runs begin there, at most ``at_once`` at a time, and ``queue`` wait beyond these.

    Runs of one ``thread`` come one after the other. A run may take ``seconds``, its waiting not counted.
    """

    def __init__(self, *, at_once: int, queue: int, seconds: float) -> None:
        self._loop = asyncio.new_event_loop()
        self._loop.set_default_executor(ThreadPoolExecutor(_THREADS, "pagesight-question"))
        self._slots = asyncio.Semaphore(at_once)
        self._at_once, self._most, self._seconds = at_once, at_once + queue, seconds
        self._lock = threading.Lock()
        self._threads: defaultdict[str, _Turn] = defaultdict(_Turn)
        self._thread = threading.Thread(target=self._loop.run_forever, name="pagesight-questions", daemon=True)
        self._mean = _USUAL_SECONDS
        self.admitted = 0
        self.running = 0
        self._thread.start()

    @property
    def waiting(self) -> int:
        """How many questions wait for others."""
        return max(self.admitted - self.running, 0)

    async def call(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        """What a coroutine gives that runs there, for whoever waits on another loop."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(coroutine, self._loop))

    async def items(self, run: Callable[[], AsyncIterator[Item]], thread: str) -> AsyncGenerator[Item | Waiting, None]:
        """What a run gives, item by item, after a `Waiting`.

        The run ends when this generator is closed, wherever it is. Raises Problem 429 if too many wait, 504 if it takes
        too long, and what the run raises.
        """
        self._admit()
        home = asyncio.get_running_loop()
        items: asyncio.Queue[_Told[Item]] = asyncio.Queue()

        def tell(told: _Told[Item]) -> None:
            with contextlib.suppress(RuntimeError):  # whoever asked is gone with its loop
                home.call_soon_threadsafe(items.put_nowait, told)

        work = self._start(run, thread, tell)
        try:
            while True:
                told = await items.get()
                if told.error is not None:
                    raise told.error
                if told.over:
                    return
                yield told.item
        finally:
            work.cancel()

    def close(self) -> None:
        """Ends all runs and the thread."""

        async def end() -> None:
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)
            await self._loop.shutdown_asyncgens()

        asyncio.run_coroutine_threadsafe(end(), self._loop).result(timeout=30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=30)

    def _admit(self) -> None:
        with self._lock:
            if self.admitted >= self._most:
                wait = min(max(round(self._mean * self.admitted / self._at_once), 1), 60)
                raise Problem(
                    429, "Too many questions", f"{self.admitted} questions are under way: ask again in {wait} s",
                    {"Retry-After": str(wait)},
                )  # fmt: skip
            self.admitted += 1

    def _start(
        self, run: Callable[[], AsyncIterator[Item]], thread: str, tell: Callable[[_Told[Item]], None]
    ) -> Future[None]:
        work = self._work(run, thread, tell)
        try:
            future = asyncio.run_coroutine_threadsafe(work, self._loop)
        except RuntimeError:  # the loop is closed
            work.close()
            self._leave()
            raise
        # Not in the work itself: what is cancelled before it begins never runs.
        future.add_done_callback(lambda done: self._leave())
        return future

    def _leave(self) -> None:
        with self._lock:
            self.admitted -= 1

    async def _work(
        self, run: Callable[[], AsyncIterator[Item]], thread: str, tell: Callable[[_Told[Item]], None]
    ) -> None:
        try:
            waits = self._slots.locked() or thread in self._threads
            tell(_Told(Waiting(self.waiting if waits else 0)))
            async with self._turn(thread), self._slots:
                await self._go(run, tell)
        except Exception as error:  # noqa: BLE001 (whoever asked is told, and raises it)
            tell(_Told(error=error))
        else:
            tell(_Told(over=True))

    async def _go(self, run: Callable[[], AsyncIterator[Item]], tell: Callable[[_Told[Item]], None]) -> None:
        started = time.monotonic()
        self.running += 1
        try:
            async with asyncio.timeout(self._seconds) as limit:
                async with contextlib.aclosing(cast("AsyncGenerator[Item, None]", run())) as items:
                    async for item in items:
                        tell(_Told(item))
        except TimeoutError:
            if not limit.expired():
                raise
            raise Problem(504, "Out of time", f"no answer came in {self._seconds:g} s: ask for less at once") from None
        finally:
            self.running -= 1
            self._mean = 0.8 * self._mean + 0.2 * (time.monotonic() - started)

    @contextlib.asynccontextmanager
    async def _turn(self, thread: str) -> AsyncGenerator[None, None]:
        """Within it no other run of the thread goes on."""
        turn = self._threads[thread]
        turn.wanted += 1
        try:
            async with turn.lock:
                yield
        finally:
            turn.wanted -= 1
            if turn.wanted == 0:
                self._threads.pop(thread, None)


class _Turn:
    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.wanted = 0


class _Told(Generic[Item]):
    """One thing that a run tells: an item, an error, or that it is over."""

    def __init__(self, item: Any = None, *, error: BaseException | None = None, over: bool = False) -> None:
        self.item = item
        self.error = error
        self.over = over
