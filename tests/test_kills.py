"""Work that is killed at random moments loses nothing and is completed by doing it again (kills.py: 200 kills)."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from kills import LEFT, WORKS, many_killed

PAGE = Path(__file__).parent.parent / "docs" / "trust.md"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="what a killed process has started is looked for as on Linux")
def test_what_is_killed_loses_nothing(tmp_path: Path) -> None:
    left = many_killed(tmp_path, 8, 7, ["index", "shards", "repair", "import"], print)
    assert sum(sum(counts.values()) for counts in left.values()) == 8
    assert {found for counts in left.values() for found in counts} <= set(LEFT)


def test_the_table_in_the_docs_has_each_work() -> None:
    lines = [line for line in PAGE.read_text().split("kills -->")[1].splitlines() if line.startswith("|")]
    assert [line.split("|")[1].strip() for line in lines[2:]] == [*WORKS, "all"]
