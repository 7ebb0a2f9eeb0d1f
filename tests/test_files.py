"""Gemini's Files API: uploaded once, shared between threads and processes, again when it must be, and removed."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from conversations import KEY, QUESTION, WAYS, agent_at, asked, sent
from gemini_server import GeminiServer, failure
from langchain_google_genai import ChatGoogleGenerativeAI
from langgraph.checkpoint.memory import InMemorySaver
from small_index import PHOTO, REPORT, make_index
from waiting import SOON

from pagesight.agent import ask
from pagesight.agent.cli import main
from pagesight.indexing import PageIndex
from pagesight.indexing.errors import KeyRefused, ReasonerError
from pagesight.tools.messages.conversation import PageView
from pagesight.tools.transport.file_cache import FileCache
from pagesight.tools.transport.files_api import FilesTransport
from pagesight.tools.transport.pictures import Picture, Pictures

CITED = f"4.2 billion [{REPORT} p. 2]."


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageIndex]:
    with make_index(tmp_path_factory.mktemp("index")) as opened:
        yield opened


@pytest.fixture
def index(made: PageIndex) -> PageIndex:
    """The index without notes of earlier tests' uploads."""
    for note in (made.path / "uploads").glob("*.json"):
        note.unlink()
    return made


def look(server: GeminiServer, *labels: str) -> None:
    server.calls("view_pages", pages=list(labels or [f"{REPORT} p. 2"]))
    server.says(CITED)


def transport_at(server: GeminiServer, folder: Path) -> FilesTransport:
    return FilesTransport(ChatGoogleGenerativeAI(model="m", api_key="AIza-test-key", base_url=server.url), folder)


def test_a_file_is_uploaded_once_and_used_in_every_turn_and_thread(server: GeminiServer, index: PageIndex) -> None:
    agent = agent_at(server, index, transport="files", checkpointer=InMemorySaver())
    counts = []
    for thread in ("one", "one", "two"):
        look(server)
        counts.append(ask(agent, QUESTION, thread_id=thread).usage["bytes_uploaded"])

    assert len(server.uploads) == 1
    assert server.uploads[0].headers["x-goog-upload-header-content-type"] == "image/webp"
    assert counts == [len(sent(index, f"{REPORT} p. 2")[1]), 0, 0]


@pytest.mark.slow
def test_another_agent_and_another_process_use_what_was_uploaded(server: GeminiServer, tmp_path: Path) -> None:
    with make_index(tmp_path) as index:
        look(server)
        ask(agent_at(server, index, transport="files"), QUESTION)
        path = index.path
    look(server)
    code = f"""if True:
        from pagesight.agent import ask, create_page_agent
        from pagesight.indexing import load_settings
        settings = load_settings(google_api_key="AIza-test-key", google_base_url={server.url!r}, transport="files")
        ask(create_page_agent({str(path)!r}, settings=settings), "How much?")"""

    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)

    assert len(server.uploads) == 1
    assert len(server.model_requests[-1].pictures) == 1


def test_another_key_does_not_use_them(server: GeminiServer, index: PageIndex) -> None:
    for key in ("AIza-one", "AIza-two"):
        look(server)
        ask(agent_at(server, index, transport="files", google_api_key=key), QUESTION)

    assert len(server.uploads) == 2
    assert "AIza" not in (index.path / "uploads" / "files.json").read_text()


@pytest.mark.parametrize("kind", ["threads", "tasks"])
async def test_questions_at_the_same_time_upload_a_page_once(
    server: GeminiServer, index: PageIndex, tmp_path: Path, kind: str
) -> None:
    server.polls_until_active = 1
    pictures = [Pictures(index).of(PageView(index.page(f"{REPORT} p. {page}"))) for page in (1, 2)]
    transports = [transport_at(server, tmp_path / "uploads") for _ in range(4)]

    if kind == "threads":
        threads = [threading.Thread(target=transport.blocks, args=(pictures,)) for transport in transports]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    else:
        await asyncio.gather(*(transport.ablocks(pictures) for transport in transports))

    assert len(server.uploads) == 2
    assert len(transports[0].cache.living()) == 2


@pytest.mark.slow
def test_processes_at_the_same_time_upload_a_page_once(server: GeminiServer, tmp_path: Path) -> None:
    code = f"""if True:
        from pathlib import Path
        from langchain_google_genai import ChatGoogleGenerativeAI
        from pagesight.tools.transport.files_api import FilesTransport
        from pagesight.tools.transport.pictures import Picture
        model = ChatGoogleGenerativeAI(model="m", api_key="k", base_url={server.url!r})
        FilesTransport(model, Path({str(tmp_path / "uploads")!r})).blocks([Picture(b"one page", "image/png")])"""
    running = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(3)]

    assert [process.wait(60) for process in running] == [0, 0, 0]
    assert len(server.uploads) == 1


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
async def test_a_file_is_waited_for_until_it_is_active(
    server: GeminiServer, index: PageIndex, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pagesight.tools.transport.files_api._POLL_EVERY", 0.01)
    server.polls_until_active = 2
    look(server)

    await asked(way, agent_at(server, index, transport="files"))

    [upload] = server.files.values()
    order = [request.path.split("?")[0] for request in server.requests]
    assert order.count(f"/v1beta/{upload.name}") == 2
    assert order[-1].endswith(":generateContent")


def test_a_file_is_uploaded_again_before_it_expires(server: GeminiServer, index: PageIndex) -> None:
    server.life_of_files = timedelta(minutes=1)
    agent = agent_at(server, index, transport="files", checkpointer=InMemorySaver())
    for _ in range(2):
        look(server)
        ask(agent, QUESTION, thread_id="one")

    assert len(server.uploads) == 3  # one for each model call that has the page


@pytest.mark.parametrize("status", [403, 404])
@pytest.mark.parametrize("way", WAYS)
async def test_a_file_that_is_gone_in_mid_conversation_is_uploaded_again(
    server: GeminiServer, index: PageIndex, way: str, status: int
) -> None:
    server.refuses_unknown_files = status
    agent = agent_at(server, index, transport="files", checkpointer=InMemorySaver())
    look(server, f"{REPORT} p. 2", f"{PHOTO} p. 1")
    await asked(way, agent, thread_id="one")
    server.files.clear()
    server.says(CITED)

    answer = await asked(way, agent, "And now?", thread_id="one")

    assert answer.citations
    assert len(server.uploads) == 4
    assert server.model_requests[-1].pictures == [sent(index, f"{REPORT} p. 2"), sent(index, f"{PHOTO} p. 1")]


def test_a_file_that_is_refused_again_is_an_error_that_says_so(server: GeminiServer, index: PageIndex) -> None:
    server.calls("view_pages", pages=[f"{REPORT} p. 2"])
    for _ in range(2):
        server.fails(403, "PERMISSION_DENIED", "You do not have permission to access the File f1.")

    with pytest.raises(ReasonerError, match="PAGESIGHT_TRANSPORT=bytes") as raised:
        ask(agent_at(server, index, transport="files"), QUESTION)
    assert not isinstance(raised.value, KeyRefused)


def test_auto_uploads_what_would_not_fit_into_the_request(server: GeminiServer, index: PageIndex) -> None:
    labels = [f"{REPORT} p. 1", f"{REPORT} p. 2", f"{PHOTO} p. 1"]
    sizes = [4 * -(-len(sent(index, label)[1]) // 3) for label in labels]
    transports = []
    for limit in (sum(sizes), sum(sizes) - 1):
        look(server, *labels)
        ask(agent_at(server, index, inline_limit=limit), QUESTION)
        request = server.model_requests[-1]
        transports.append([key for part in request.media for key in part])
        assert request.pictures == [sent(index, label) for label in labels]

    assert transports == [["inlineData"] * 3, ["inlineData", "inlineData", "fileData"]]
    assert len(server.uploads) == 1


# What breaks


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
async def test_a_refused_upload_ends_the_run_and_says_why(server: GeminiServer, index: PageIndex, way: str) -> None:
    server.refusal_of_files = failure(403, "PERMISSION_DENIED", "The caller does not have permission")
    server.calls("view_pages", pages=[f"{REPORT} p. 2"])

    with pytest.raises(KeyRefused, match="GOOGLE_API_KEY"):
        await asked(way, agent_at(server, index, transport="files"))


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
async def test_an_upload_that_breaks_after_a_chunk_is_tried_again(
    server: GeminiServer, index: PageIndex, way: str
) -> None:
    server.uploads_that_break = 1
    look(server)

    answer = await asked(way, agent_at(server, index, transport="files", max_retries=2))

    assert answer.citations
    assert server.model_requests[-1].pictures == [sent(index, f"{REPORT} p. 2")]


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
async def test_an_upload_that_keeps_breaking_ends_in_bounded_time_and_the_thread_goes_on(
    server: GeminiServer, index: PageIndex, way: str
) -> None:
    agent = agent_at(server, index, transport="files", checkpointer=InMemorySaver(), timeout=2)
    server.uploads_that_break = 9
    server.calls("view_pages", pages=[f"{REPORT} p. 2"])
    started = time.monotonic()

    with pytest.raises(ReasonerError, match="connection to Gemini"):
        await asked(way, agent, thread_id="one")

    assert time.monotonic() - started < SOON
    assert not FileCache(index.path / "uploads", "any").living()
    server.uploads_that_break = 0
    server.says(CITED)
    assert (await asked(way, agent, "Once more?", thread_id="one")).citations


def test_a_file_that_never_gets_ready_ends_the_run(
    server: GeminiServer, index: PageIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pagesight.tools.transport.files_api._POLL_EVERY", 0.01)
    monkeypatch.setattr("pagesight.tools.transport.files_api._LONGEST_PROCESSING", 0.05)
    server.polls_until_active = 1000
    server.calls("view_pages", pages=[f"{REPORT} p. 2"])

    with pytest.raises(ReasonerError, match=r"PROCESSING.*PAGESIGHT_TRANSPORT=bytes"):
        ask(agent_at(server, index, transport="files"), QUESTION)


def test_a_damaged_note_of_uploads_costs_an_upload_and_no_more(server: GeminiServer, tmp_path: Path) -> None:
    transport = transport_at(server, tmp_path)
    (tmp_path / "files.json").write_text('{"half a')

    [block] = transport.blocks([Picture(b"one page", "image/png")])

    assert block["file_id"] in server.files
    [owner] = json.loads((tmp_path / "files.json").read_text()).values()
    assert len(owner) == 1


# Listed and removed


def test_uploads_are_listed_and_purged_by_the_command_line(
    server: GeminiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with make_index(tmp_path) as index:
        look(server, f"{REPORT} p. 2", f"{PHOTO} p. 1")
        ask(agent_at(server, index, transport="files"), QUESTION)
        place = str(index.path)
        monkeypatch.setenv("GOOGLE_API_KEY", KEY)
        monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", server.url)
        names = [file.name for file in server.files.values()]

        assert main(["files", "--index", place, "--json"]) == 0  # also while the index is open elsewhere
    assert sorted(file["name"] for file in json.loads(capsys.readouterr().out)) == sorted(names)
    assert main(["files", "--index", place]) == 0
    assert all(name in capsys.readouterr().out for name in names[:1])
    monkeypatch.delenv("GOOGLE_API_KEY")
    assert main(["files", "--index", place, "--json"]) == 0  # what is noted needs no key to be listed
    assert sorted(file["name"] for file in json.loads(capsys.readouterr().out)) == sorted(names)
    monkeypatch.setenv("GOOGLE_API_KEY", KEY)

    server.files.popitem()  # one has expired meanwhile
    assert main(["files", "--index", place, "--purge", "--json"]) == 0
    assert [file["name"] for file in json.loads(capsys.readouterr().out)] == names[:1]
    assert server.files == {}
    assert main(["files", "--index", place, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_pages_are_exported_for_a_bucket(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], server: GeminiServer
) -> None:
    with make_index(tmp_path) as index:
        place, ref = str(index.path), index.page(f"{REPORT} p. 2")
        _, data = sent(index, ref.label)

    assert main(["files", "--index", place, "--export", str(tmp_path / "out")]) == 0

    assert "12 pages" in capsys.readouterr().out
    assert (tmp_path / "out" / ref.document_id / "2.webp").read_bytes() == data
