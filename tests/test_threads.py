"""Kept conversations from the outside: they survive a kill, can be listed and gone on with, and stay small."""

from __future__ import annotations

import ast
import asyncio
import json
import os
import pickle
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import ormsgpack
import pytest
from gemini_server import GeminiServer
from langchain_core.messages import AIMessageChunk, HumanMessage
from langgraph.types import Send
from small_index import REPORT, write_pdf

from pagesight.agent.cli import main
from pagesight.agent.terminal.threads import Threads
from pagesight.agent.threads.kept_threads import UNREADABLE
from pagesight.agent.threads.thread_data import ThreadData
from pagesight.indexing.errors import PageIndexError

QUESTION = "How high was the net revenue?"
COMMAND = [sys.executable, "-m", "pagesight.agent.cli", "chat", "--index"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    shelf = tmp_path_factory.mktemp("shelf")
    write_pdf(shelf / REPORT, [["Letter"], ["Net revenue rose to 4.2 billion euros in 2023."], ["Employees: 5310"]])
    assert main(["index", str(shelf), "--index", str(shelf / "index")]) == 0
    return shelf / "index"


@pytest.fixture
def index(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "index"))


def start(index: Path, *options: str) -> subprocess.Popen[str]:
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    return subprocess.Popen([*COMMAND, str(index), *options], text=True, bufsize=1, env=dict(os.environ), **pipes)


def chat(index: Path, *lines: str, options: tuple[str, ...] = ()) -> tuple[str, str]:
    """What a chat with these lines says on stdout and stderr."""
    process = start(index, *options)
    out, err = process.communicate("".join(f"{line}\n" for line in lines), timeout=120)
    assert process.returncode == 0, err
    return out, err


@pytest.mark.slow
def test_a_conversation_survives_a_kill_and_is_gone_on_with(index: Path, gemini: GeminiServer) -> None:
    gemini.calls("search_pages", query="net revenue")
    gemini.calls("view_pages", pages=[f"{REPORT} p. 2"])
    gemini.says(f"It was 4.2 billion euros [{REPORT} p. 2].")
    process = start(index)
    assert process.stdin
    assert process.stdout
    process.stdin.write(f"{QUESTION}\n")
    assert "4.2 billion" in process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)

    gemini.says(f"In Asia the same [{REPORT} p. 2].")
    out, err = chat(index, "/resume", "And in Asia?", "/threads")

    assert f"> {QUESTION}" in err
    assert f"looked at {REPORT} p. 2" in err
    assert out.startswith(f"It was 4.2 billion euros [{REPORT} p. 2].\nIn Asia the same [{REPORT} p. 2].\n")
    last = gemini.model_requests[-1]
    assert [text for text in last.texts if text in (QUESTION, "And in Asia?")] == [QUESTION, "And in Asia?"]
    assert last.pictures, "the page that was looked at before is shown again"
    assert re.search(rf"1\t.*\t2\t\(this one\) {re.escape(QUESTION)}", out)


@pytest.mark.slow
def test_a_kill_in_the_middle_of_an_answer_costs_that_question_only(index: Path, gemini: GeminiServer) -> None:
    gemini.says("Not found in these documents.")
    gemini.says("A long story " * 50, drips=0.5)
    process = start(index)
    assert process.stdin
    process.stdin.write(f"{QUESTION}\nTell me all\n")
    deadline = time.monotonic() + 60
    while len(gemini.model_requests) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    gemini.says("There is nobody.")

    out, err = chat(index, "Is anybody there?", options=("--resume",))

    assert f"> {QUESTION}" in err
    assert out == "Not found in these documents.\nThere is nobody.\n"
    assert QUESTION in gemini.model_requests[-1].texts


@pytest.mark.slow
def test_conversations_are_listed_newest_first_and_resumed_by_number(index: Path) -> None:
    chat(index, QUESTION, "/new", "How many employees are there?", "and how high was the revenue?")
    out, err = chat(index, "/threads", "/resume 2", "/pages")
    rows = re.findall(r"^(\d)\t\d{4}-\d\d-\d\d \d\d:\d\d\t(\d)\t(.*)$", out, re.M)
    assert rows == [("1", "2", "How many employees are there?"), ("2", "1", QUESTION)]
    assert f"> {QUESTION}" in err
    assert "How many employees" not in err
    assert re.search(rf"{re.escape(REPORT)} p\. 2\t.*cited", out)


@pytest.mark.parametrize("harm", ["no database", "a folder"])
def test_a_file_of_conversations_that_is_damaged_is_named(index: Path, harm: str) -> None:
    if harm == "a folder":
        (index / "threads.db").mkdir()
    else:
        (index / "threads.db").write_bytes(b"this is no database " * 400)
    process = start(index)
    _, err = process.communicate("/threads\n", timeout=60)
    assert process.returncode == 1
    assert re.search(
        r"^error: the kept conversations in .*threads\.db cannot be used .* move that file away", err, re.M
    )
    assert "Traceback" not in err


# A file of conversations that somebody else has written


class Touching:
    """What pickle calls when it is read."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


def extension(code: int, *parts: object) -> ormsgpack.Ext:
    return ormsgpack.Ext(code, ormsgpack.packb(parts))


def nested(depth: int) -> ormsgpack.Ext:
    """A message in a message in a message, deeper than any stack."""
    inner: Any = "x"
    for _ in range(depth):
        named = ("langchain_core.messages.human", "HumanMessage", {"content": [inner]}, "x")
        inner = ormsgpack.Ext(5, ormsgpack.packb(named))
    return inner


def blobs(path: Path) -> dict[str, tuple[str, bytes]]:
    """For each way in which a blob may name something that is called, its type and bytes; it would make ``path``."""
    touch = f"touch '{path}'"
    values = {
        "one argument": extension(0, "os", "system", touch),
        "arguments": extension(1, "os", "system", [touch]),
        "keywords": extension(2, "os", "system", {"command": touch}),
        "a method": extension(3, "pathlib", "Path", str(path), "touch"),
        "pydantic 1": extension(4, "subprocess", "run", {"args": touch, "shell": True}),
        "pydantic 2": extension(5, "subprocess", "run", {"args": touch, "shell": True}, "model_validate_json"),
        "an array": extension(6, "|O", [1], "C", b"12345678"),
        "a snapshot": ormsgpack.Ext(7, ormsgpack.packb(extension(1, "os", "system", [touch]))),
        "another code": extension(99, "os", "system", touch),
        "inside a message": extension(5, "langchain_core.messages.human", "HumanMessage",
                                      {"content": [extension(0, "os", "system", touch)]}, "x"),
        "inside a task": extension(1, "langgraph.types", "Send", ["tools", extension(0, "os", "system", touch)]),
        "a safe type": extension(1, "re", "compile", ["(a+)+$", 0]),
        "no name": extension(5, 1, 2, 3),
        "no fields": extension(5, "langchain_core.messages.human", "HumanMessage", "x", "x"),
        "no message": [1, 2],
        "too deep": nested(3000),
    }  # fmt: skip
    made = {
        name: ("msgpack", ormsgpack.packb({"v": 4, "id": "1", "channel_values": {"messages": [value]}}))
        for name, value in values.items()
    }
    constructor = {"lc": 2, "type": "constructor", "id": ["os", "system"], "args": [touch]}
    core = {"lc": 1, "type": "constructor", "id": ["langchain", "schema", "messages", "HumanMessage"],
            "kwargs": {"content": "x"}}  # fmt: skip
    made["json, ours"] = ("json", json.dumps({"v": 4, "channel_values": {"messages": [core]}}).encode())
    made["json, theirs"] = ("json", json.dumps({"v": 4, "channel_values": {"messages": [constructor]}}).encode())
    made["pickle"] = ("pickle", pickle.dumps(Touching(path)))
    said = ormsgpack.Ext(5, ormsgpack.packb(("langchain_core.messages.human", "HumanMessage", {"content": "x"}, "x")))
    whole: dict[str, Any] = {"v": 4, "id": str(UUID(int=7)), "channel_values": {"messages": [said]},
                             "channel_versions": {}, "versions_seen": {}}  # fmt: skip
    odd = {"no versions": {"channel_versions": None}, "versions in a list": {"channel_versions": [1]},
           "nothing seen": {"versions_seen": 7}, "seen in a list": {"versions_seen": {"agent": [1]}},
           "an odd id": {"id": "123"}, "an id that is none": {"id": ["x"]},
           "no values": {"channel_values": [said]}}  # fmt: skip
    made |= {name: ("msgpack", ormsgpack.packb({**whole, **fields})) for name, fields in odd.items()}
    made["cut off"] = ("msgpack", made["no message"][1][:-3])
    made["nothing"] = ("msgpack", b"")
    return made


KINDS = list(blobs(Path("x")))


ID = "2fffffff-0000-6000-8000-000000000000"  # of the newest


def put(index: Path, kind: str, blob: bytes) -> None:
    """Puts a conversation with this blob beside the kept ones, as the newest."""
    with sqlite3.connect(index / "threads.db") as database:
        database.execute(
            "insert into checkpoints values ('theirs', '', ?, null, ?, ?, '{}')",
            (ID, kind, blob),
        )
    database.close()


@pytest.fixture(scope="module")
def talked(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index with one conversation."""
    index = Path(shutil.copytree(made, tmp_path_factory.mktemp("talked") / "index"))
    chat(index, QUESTION)
    return index


@pytest.mark.parametrize("kind", KINDS)
def test_a_conversation_that_names_anything_but_messages_is_refused_and_nothing_runs(
    talked: Path, tmp_path: Path, kind: str
) -> None:
    canary = tmp_path / "it-ran"
    shutil.copy(talked / "threads.db", tmp_path)
    put(tmp_path, *blobs(canary)[kind])

    with asyncio.Runner() as runner, Threads.kept_in(tmp_path, runner) as threads:
        theirs, ours = threads.newest()
        with pytest.raises(PageIndexError, match=r"threads\.db cannot be opened: .*Nothing of it was run.*/new"):
            threads.messages("theirs")
        assert theirs.title == UNREADABLE
        assert (ours.title, ours.questions) == (QUESTION, 1)
        assert threads.messages(ours.id)[0].text == QUESTION
    assert not canary.exists()


@pytest.mark.parametrize("metadata", [b"\xff{", "[" * 100_000, "{"])
def test_notes_beside_a_conversation_that_are_none_refuse_it_alone(talked: Path, tmp_path: Path, metadata: Any) -> None:
    shutil.copy(talked / "threads.db", tmp_path)
    with sqlite3.connect(tmp_path / "threads.db") as database:
        copied = (
            f"insert into checkpoints select 'theirs', '', '{ID}', null, type, checkpoint, ? from checkpoints limit 1"
        )
        database.execute(copied, (metadata,))
    database.close()
    with asyncio.Runner() as runner, Threads.kept_in(tmp_path, runner) as threads:
        theirs, ours = threads.newest()
        assert (theirs.title, ours.title) == (UNREADABLE, QUESTION)
        with pytest.raises(PageIndexError, match="is damaged"):
            threads.messages("theirs")


def test_what_waits_to_be_written_is_read_the_same_way(talked: Path, tmp_path: Path) -> None:
    canary = tmp_path / "it-ran"
    shutil.copy(talked / "threads.db", tmp_path)
    with sqlite3.connect(tmp_path / "threads.db") as database:
        [(thread, checkpoint)] = database.execute("select thread_id, checkpoint_id from checkpoints")
        blob = ormsgpack.packb(extension(0, "os", "system", f"touch '{canary}'"))
        row = {"thread_id": thread, "checkpoint_ns": "", "checkpoint_id": checkpoint, "task_id": "t", "idx": 0,
               "channel": "messages", "type": "msgpack", "value": blob}  # fmt: skip
        names = ", ".join(row)  # by name: a later saver has a column more
        database.execute(f"insert into writes ({names}) values ({', '.join('?' * len(row))})", [*row.values()])
    database.close()

    with (
        asyncio.Runner() as runner,
        Threads.kept_in(tmp_path, runner) as threads,
        pytest.raises(PageIndexError, match=r"it names os\.system, which is no message"),
    ):
        threads.messages(thread)
    assert not canary.exists()


def test_a_chat_refuses_such_a_conversation_and_goes_on_with_the_others(talked: Path, tmp_path: Path) -> None:
    index = Path(shutil.copytree(talked, tmp_path / "index"))
    put(index, *blobs(tmp_path / "it-ran")["one argument"])

    out, err = chat(index, QUESTION, "/threads", "/resume 3", "/threads", options=("--resume",))

    assert "error: a conversation in" in err
    assert "it names os.system, which is no message" in err
    assert "Traceback" not in err
    assert "4.2 billion" in out  # a question after the refusal is answered, in a conversation of its own
    rows = re.findall(r"^(\d)\t.*\t(\d)\t(.*)$", out, re.M)
    ours = f"(this one) {QUESTION}"
    assert [title for _, _, title in rows] == [UNREADABLE, ours, QUESTION, UNREADABLE, QUESTION, ours]
    assert not (tmp_path / "it-ran").exists()


def test_a_thread_that_was_stopped_in_a_tool_is_read_with_what_waits(tmp_path: Path) -> None:
    data = ThreadData(tmp_path / "threads.db")
    call = {"name": "search_pages", "args": {"query": "a"}, "id": "1", "type": "tool_call"}
    said = AIMessageChunk("Ä", tool_calls=[call], response_metadata={"at": datetime(2026, 1, 1), "id": UUID(int=1)})
    state = {"messages": [HumanMessage("?"), said], "__pregel_tasks": [Send("tools", {"call": call})], "none": None}

    kept = data.loads_typed(data.dumps_typed(state))

    plain = {"at": "2026-01-01T00:00:00", "id": str(UUID(int=1))}
    assert kept == state | {"messages": [HumanMessage("?"), said.model_copy(update={"response_metadata": plain})]}


def changed_by(*statements: str) -> Callable[[Path], None]:
    def change(file: Path) -> None:
        with sqlite3.connect(file) as database:
            for statement in statements:
                database.execute(statement)
        database.close()

    return change


def flipped(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[100] ^= 0xFF  # the kind of its first page
    file.write_bytes(content)


def written_by_a_later_one(file: Path) -> None:
    with sqlite3.connect(file) as database:
        [(kind, blob)] = database.execute("select type, checkpoint from checkpoints").fetchall()
        later = ThreadData(file).loads_typed((kind, blob)) | {"v": 99}
        database.execute("update checkpoints set checkpoint = ?", (ThreadData(file).dumps_typed(later)[1],))
    database.close()


@pytest.mark.parametrize(
    ("harm", "why"),
    [
        (changed_by("alter table checkpoints drop column metadata"), "the table checkpoints has no column metadata"),
        (changed_by("alter table writes rename column value to content"), "the table writes has no column value"),
        (changed_by("drop table writes"), "the table writes is gone"),
        (lambda file: file.write_bytes(b"") and None, "the table checkpoints is gone"),
        (lambda file: file.write_bytes(file.read_bytes()[:5000]) and None, "malformed"),
        (flipped, "malformed"),
        (changed_by("update checkpoints set checkpoint = substr(checkpoint, 9)"), r"conversation \w+ cannot be opened"),
        (changed_by("update checkpoints set type = 'pickle'"), r"conversation \w+ cannot be opened"),
        (changed_by("update checkpoints set metadata = '{'"), r"conversation \w+ cannot be opened"),
        (written_by_a_later_one, r"conversation \w+ cannot be opened: .* later version of LangGraph"),
    ],
    ids=["a column less", "another column", "a table less", "emptied", "halved", "flipped", "cut off", "another kind",
         "notes", "a later LangGraph"],
)  # fmt: skip
@pytest.mark.parametrize("name", ["threads.db", "service-threads.db"])
def test_verify_reads_conversations(
    talked: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], harm: Callable[[Path], None], why: str, name: str
) -> None:
    index = Path(shutil.copytree(talked, tmp_path / "index"))
    shutil.move(index / "threads.db", index / name)
    assert main(["verify", "--index", str(index)]) == 0
    harm(index / name)
    assert main(["verify", "--index", str(index)]) == 1
    assert re.search(rf"conversations: .*/{name}: .*{why}", capsys.readouterr().out)


def test_a_column_more_is_no_damage(talked: Path, tmp_path: Path) -> None:
    index = Path(shutil.copytree(talked, tmp_path / "index"))
    changed_by("alter table checkpoints add column of_a_later_saver text")(index / "threads.db")
    assert main(["verify", "--index", str(index)]) == 0


def test_no_file_is_read_as_code() -> None:
    """Neither pickle and its kin nor eval: what the agent and its tools read is data."""
    root = Path(__file__).parent.parent
    for source in [*(root / "agent").rglob("*.py"), *(root / "tools").rglob("*.py")]:
        names = {name.id for name in ast.walk(ast.parse(source.read_text())) if isinstance(name, ast.Name)}
        names |= {alias.name for line in ast.walk(ast.parse(source.read_text()))
                  if isinstance(line, ast.Import | ast.ImportFrom) for alias in line.names}  # fmt: skip
        assert not names & {"pickle", "marshal", "shelve", "dill", "eval", "exec", "compile", "__import__"}, source


@pytest.mark.slow
def test_a_long_conversation_stays_small(index: Path) -> None:
    chat(index, *[f"How high was the net revenue, question {number}?" for number in range(12)])
    assert sum(file.stat().st_size for file in index.glob("threads.db*")) < 4_000_000
