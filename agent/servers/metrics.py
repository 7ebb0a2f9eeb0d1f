"""Counts for Prometheus, by its library: of requests, questions, tokens, dollars, pages. No names and no questions.

Several processes count into files of one folder where PROMETHEUS_MULTIPROC_DIR names it, as `run` does.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, values
from prometheus_client.multiprocess import MultiProcessCollector

from pagesight.agent.servers.guarded_http import Application, Message, Receive, Scope, Send

if TYPE_CHECKING:
    from pagesight.agent.answers.answer import Answer

#: Seconds: around what searches, offline answers and models take.
_SECONDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
_LAGS = (0.001, 0.005, 0.01, 0.02, 0.03, 0.04, 0.05, 0.075, 0.1, 0.25, 0.5, 1)
_WATCH_EVERY = 0.05


class Metrics:
    """The counts of one process."""

    def __init__(self) -> None:
        self._registry = own = CollectorRegistry()
        self.requests = Counter("pagesight_requests", "Requests", ["route", "method", "status"], registry=own)
        self.seconds = Histogram(
            "pagesight_request_seconds", "Seconds until a reply has ended", ["route"], buckets=_SECONDS, registry=own
        )
        self.questions = Counter("pagesight_questions", "Questions by how they ended", ["outcome"], registry=own)
        self.tokens = Counter("pagesight_tokens", "Tokens of models", ["kind"], registry=own)
        self.dollars = Counter("pagesight_dollars", "US dollars that answers cost, where known", registry=own)
        self.pages = Counter("pagesight_pages_indexed", "Pages written to the index", registry=own)
        self.running = Gauge(
            "pagesight_questions_running", "Questions being answered", registry=own, multiprocess_mode="livesum"
        )
        self.waiting = Gauge(
            "pagesight_questions_waiting", "Questions that wait", registry=own, multiprocess_mode="livesum"
        )
        self.lag = Histogram(
            "pagesight_event_loop_lag_seconds",
            "How late the loop that answers requests is",
            buckets=_LAGS,
            registry=own,
        )

    def text(self) -> bytes:
        """What Prometheus reads; of all processes, where several count. Waits for the disk then."""
        if getattr(values.ValueClass, "__name__", "") == "MutexValue":
            return generate_latest(self._registry)
        every = CollectorRegistry()
        MultiProcessCollector(every)  # type: ignore[no-untyped-call]
        return generate_latest(every)

    def count_answer(self, answer: Answer) -> None:
        """Counts an answer, and what it took."""
        self.questions.labels("answered" if answer.found else "not found").inc()
        for kind in ("input", "output", "cached", "reasoning"):
            self.tokens.labels(kind).inc(answer.usage.get(f"{kind}_tokens") or 0)
        self.dollars.inc(answer.usage.get("cost") or 0)

    async def watch(self, questions: Callable[[], tuple[int, int]]) -> None:
        """Notes how late the loop is, and how many questions run and wait, until it is cancelled."""
        while True:
            before = time.perf_counter()
            await asyncio.sleep(_WATCH_EVERY)
            self.lag.observe(max(time.perf_counter() - before - _WATCH_EVERY, 0))
            running, waiting = questions()
            self.running.set(running)
            self.waiting.set(waiting)


class Counted:
    """An application whose requests are counted, by the route that answered; what has none is one route."""

    def __init__(self, application: Application, metrics: Metrics) -> None:
        self._application = application
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request, as ASGI has it."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        started, status = time.perf_counter(), "broken off"

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
            await send(message)

        try:
            await self._application(scope, receive, noted)
        finally:
            route = getattr(scope.get("route"), "path", "none")
            method = scope["method"] if scope["method"] in ("GET", "POST", "DELETE", "HEAD", "OPTIONS") else "other"
            self._metrics.requests.labels(route, method, status).inc()
            self._metrics.seconds.labels(route).observe(time.perf_counter() - started)
