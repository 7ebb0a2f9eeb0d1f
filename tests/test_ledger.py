"""The ledger: several processes write it at once, a crash or a stranger may leave anything in it, and it adds up."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from pagesight.indexing.calls.ledger import FILE, Ledger, Spent, Total, by_day


def at(day: int, hour: int = 12) -> datetime:
    return datetime(2026, 11, day, hour, tzinfo=UTC)


def test_what_is_noted_is_read_in_order(tmp_path: Path) -> None:
    records = [
        Spent("ask", "gemini-3.8-flash", at(25), 6, 23_000, 800, 500, 4096, 11, 12.5, 0.02),
        Spent("index", "an-encoder", at(26), seconds=3.5),
    ]
    for record in records:
        Ledger(tmp_path).add(record)
    assert Ledger(tmp_path).read() == (records, 0)
    first, _ = (tmp_path / FILE).read_text().splitlines()
    assert json.loads(first) == {
        "kind": "ask", "model": "gemini-3.8-flash", "at": "2026-11-25T12:00:00Z", "calls": 6, "input_tokens": 23_000,
        "output_tokens": 800, "thinking_tokens": 500, "cached_tokens": 4096, "pictures": 11, "seconds": 12.5,
        "dollars": 0.02, "by": "",
    }  # fmt: skip


def test_a_record_says_when_it_was_made(tmp_path: Path) -> None:
    before = datetime.now(UTC)
    Ledger(tmp_path).add(Spent("ask", "offline"))
    [record], _ = Ledger(tmp_path).read()
    assert before <= record.at <= datetime.now(UTC)


def test_without_a_file_nothing_was_spent(tmp_path: Path) -> None:
    assert Ledger(tmp_path / "none").read() == ([], 0)


def test_a_cut_line_and_foreign_lines_are_left_out_and_swallow_nothing(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.add(Spent("ask", "one", at(1)))
    with ledger.path.open("ab") as file:
        foreign = [b"", b"no JSON", b'{"kind": "ask"}', b"[1]", b'{"kind":"ask","model":"m","at":"x"}', b"\xff\xfe"]
        file.write(b"\n".join(foreign))
        file.write(b'\n{"kind":"ask","model":"m","at":"2026-11-25T12:00:00Z","calls":-1}')
        file.write(b'\n{"kind":"ask","model":"m","at":"2026-11-25T12:00:00Z","dollars":NaN}')
        file.write(b'\n{"kind":"ask","model":"later","at":"2026-11-25T12:00:00Z","a field of a later version":1}')
        file.write(b'\n{"kind":"ask","mod')
    ledger.add(Spent("ask", "two", at(2)))
    records, unreadable = ledger.read()
    assert [record.model for record in records] == ["one", "later", "two"]
    assert unreadable == 8


def test_several_processes_write_at_once(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from pagesight.indexing.calls.ledger import Ledger, Spent\n"
        "for number in range(200): Ledger(Path(sys.argv[1])).add(Spent('ask', sys.argv[2] * 300, calls=number))"
    )
    running = [subprocess.Popen([sys.executable, "-c", script, str(tmp_path), letter]) for letter in "abc"]
    assert [process.wait(timeout=60) for process in running] == [0, 0, 0]
    records, unreadable = Ledger(tmp_path).read()
    assert unreadable == 0
    for letter in "abc":
        assert [record.calls for record in records if record.model[0] == letter] == list(range(200))


def test_a_full_disk_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        Ledger(tmp_path / "gone").add(Spent("ask", "m"))


def test_totals_by_day_model_and_kind() -> None:
    records = [
        Spent("ask", "flash", at(25, 23), 2, 100, 10, 5, 50, 3, 1.5, 0.25),
        Spent("chat", "flash", at(25), 1, 10, 1, seconds=1.0),
        Spent("ask", "flash", at(25), 3, 200, 20, 0, 0, 4, 2.0, 0.5),
        Spent("ask", "flash", at(24), 1, 1, 1, dollars=0.0),
    ]
    totals = by_day(records)
    assert list(totals) == [
        (date(2026, 11, 24), "flash", "ask"),
        (date(2026, 11, 25), "flash", "ask"),
        (date(2026, 11, 25), "flash", "chat"),
    ]
    assert totals[date(2026, 11, 25), "flash", "ask"] == Total(2, 5, 300, 30, 5, 50, 7, 3.5, 0.75, 0)
    assert totals[date(2026, 11, 25), "flash", "chat"].unpriced == 1
    assert Total.of(records) == Total(4, 7, 311, 32, 5, 50, 7, 4.5, 0.75, 1)
