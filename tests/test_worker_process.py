"""A process that answers lines, as any program may: asked in time, its end put into words."""

from __future__ import annotations

import sys
import time
from typing import BinaryIO

import pytest
from waiting import SOON

from pagesight.indexing.calls.worker_process import WorkerFailed, WorkerProcess

ECHO = "import sys\nfor line in sys.stdin: print(line.strip().upper(), flush=True)"


def write_line(stream: BinaryIO, request: str) -> None:
    stream.write(request.encode() + b"\n")


def read_line(stream: BinaryIO) -> str | None:
    line = stream.readline().decode().strip()
    if line == "?":
        raise ValueError("a question")
    return line or None


def started(code: str, timeout: float = 20) -> WorkerProcess[str, str]:
    return WorkerProcess([sys.executable, "-c", code], timeout, write_line, read_line)


def failure(code: str, timeout: float = 20) -> WorkerFailed:
    process = started(code, timeout)
    with pytest.raises(WorkerFailed) as caught:
        process.ask("one")
    assert not process.runs
    return caught.value


def test_it_answers_as_often_as_it_is_asked_and_ends_when_it_is_closed():
    process = started(ECHO)
    assert [process.ask("one"), process.ask("two")] == ["ONE", "TWO"]
    assert process.runs
    process.close()
    assert not process.runs


def test_one_that_takes_too_long_is_ended():
    start = time.monotonic()
    late = failure("import time; time.sleep(60)", timeout=0.5)
    assert time.monotonic() - start < SOON
    assert late.late
    assert str(late) == "the process took longer than 0.5 s and was ended"


def test_how_it_ended_and_its_last_words_are_told():
    ended = failure("import sys; print('first', file=sys.stderr); print('no disk', file=sys.stderr); sys.exit(3)")
    assert (ended.what, ended.status, ended.late) == ("ended with exit status 3", 3, False)
    assert ended.last_lines == ["first", "no disk"]
    killed = failure("import os; os.kill(os.getpid(), 9)")
    assert (killed.what, killed.status) == ("was ended by SIGKILL", -9)
    missing = failure("import no_such_package")
    assert missing.missing_package == "no_such_package"
    assert missing.what == "finds no package no_such_package in its environment"


def test_what_is_no_answer_is_told_in_the_words_of_who_reads():
    assert failure("print('?', flush=True)\nimport sys\nfor line in sys.stdin: pass").what == "sent a question"


def test_one_that_cannot_be_started_is_an_error_of_the_system():
    with pytest.raises(OSError, match="no-such-program"):
        WorkerProcess(["/no-such-program"], 1, write_line, read_line)
