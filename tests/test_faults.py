"""No fault in any kind of file of an index leads to fewer results in silence (faults.py makes the whole table)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from faults import KINDS, looked_at, made, outcome

ACCEPTED = {"right", "told", "told, not repaired"}
PAGE = Path(__file__).parent.parent / "docs" / "trust.md"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Any]]:
    """A whole index, and what it answers."""
    folder = made(tmp_path_factory.mktemp("whole"))
    before, complaints = looked_at(folder)
    assert complaints == []
    return folder, before


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_is_told_or_does_nothing(whole: tuple[Path, list[Any]], tmp_path: Path, kind: str) -> None:
    folder, before = whole
    for fault in ("emptied", "flipped at 50 %"):
        found = outcome(folder, tmp_path / fault, kind, fault, before)
        assert found in ACCEPTED, f"{kind}, {fault}: {found}"
        assert (found == "told, not repaired") == (kind == "kept document")


def test_the_table_in_the_docs_has_each_kind_and_nothing_silent() -> None:
    lines = [line for line in PAGE.read_text().split("faults -->")[1].splitlines() if line.startswith("|")]
    assert lines[0] == "| file | right | told | told, not repaired |"
    assert [line.split("|")[1].strip() for line in lines[2:]] == [*KINDS, "all"]
