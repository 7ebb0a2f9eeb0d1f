"""Searches, a chat, an MCP client and a writer on one folder at once, for 20 seconds (everything.py: three minutes)."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from everything import Everything


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="memory is read as Linux tells it")
def test_everything_at_once_goes_wrong_nowhere_and_loses_nothing(tmp_path: Path) -> None:
    figures = Everything(tmp_path, 20).run()
    assert figures.wrong == []
    assert len(figures.done) == 7
