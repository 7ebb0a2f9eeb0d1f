"""What one token may ask for: questions at a time, and dollars of a day, by the index's ledger."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pagesight.agent.servers.problems import Problem
from pagesight.agent.servers.tokens import Token
from pagesight.indexing.calls.ledger import Ledger, Today


class Quotas:
    """The questions of each token that are under way in this process, and what it has spent in all of them."""

    def __init__(self, folder: Path) -> None:
        self._today = Today(Ledger(folder))
        self._running: Counter[str] = Counter()

    @asynccontextmanager
    async def taken(self, token: Token, *, free: bool) -> AsyncIterator[None]:
        """The block in which a question of the token is under way; ``free`` says that it costs nothing.

        Raises Problem 429 where the token may ask for no more.
        """
        if token.questions is not None and self._running[token.name] >= token.questions:
            raise Problem(
                429, "Too many questions",
                f"the token {token.name} has {token.questions} under way, as many as it may: ask again after one of "
                "them", {"Retry-After": "5"},
            )  # fmt: skip
        self._running[token.name] += 1
        try:
            if token.dollars_a_day is not None and not free:
                await self._check_dollars(token, token.dollars_a_day)
            yield
        finally:
            self._running[token.name] -= 1

    async def _check_dollars(self, token: Token, most: float) -> None:
        spent = await asyncio.to_thread(self._today.dollars, token.name)
        if spent >= most:
            now = datetime.now(UTC)
            tomorrow = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
            raise Problem(
                429, "Day's dollars spent",
                f"the token {token.name} has spent {spent:.2f} of {most:.2f} US dollars today (UTC): ask again "
                "tomorrow, or offline",
                {"Retry-After": str(int((tomorrow - now).total_seconds()) + 1)},
            )  # fmt: skip
