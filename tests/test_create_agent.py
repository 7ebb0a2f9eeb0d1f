"""The same tests over langchain's `create_agent`, whose middleware makes of it the same agent."""

from __future__ import annotations

import pytest

pytest.importorskip("langchain.agents")

from test_additions import *  # noqa: F403
from test_asking import *  # noqa: F403
from test_cut_histories import *  # noqa: F403


@pytest.fixture(autouse=True)
def over_create_agent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Agents of these tests run in the other loop."""
    monkeypatch.setattr("pagesight.agent.graph.LOOP", "create_agent")
