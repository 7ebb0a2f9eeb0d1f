"""Places that only a folder's `.env` names: no page, word or login goes there before it was confirmed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pexpect
import pytest
from small_index import write_pdf

from pagesight.agent.cli import main
from pagesight.agent.reasoners.choose import choose_reasoner, make_reasoner, transport_for
from pagesight.indexing import PageIndex, load_settings
from pagesight.indexing.calls.destinations import unconfirmed
from pagesight.indexing.encoders import choose, make_encoder
from pagesight.indexing.errors import EncoderError, ServerUnreachable, SettingsError
from pagesight.indexing.opening.named_encoder import named_by
from pagesight.indexing.rerankers import reranker_of

QUESTION = "How high was the net revenue?"
THEIRS = "https://pages.invalid:1"  # a name that no resolver knows


def index() -> object:
    return PageIndex.open(settings=load_settings())


def encoder() -> object:
    settings = load_settings(max_retries=1)
    name = settings.encoding.encoder
    named = make_encoder(name, settings, named_by=named_by(choose(name).name, [], settings, "here"))
    return named.encode_query(QUESTION, lambda term: 1.0)


def reranker() -> object:
    found = reranker_of(load_settings(max_retries=1))
    return found and found.scores(QUESTION, ["words"])


def reasoner() -> object:
    return make_reasoner("auto", load_settings())


def pictures() -> object:
    settings = load_settings()
    return transport_for(make_reasoner("auto", settings), "auto", settings, Path())


#: The lines of `.env`, what takes them, and how that fails, if it does, where a place is right and nobody answers.
CASES: list[Any] = [
    pytest.param([f"PAGESIGHT_INDEX={THEIRS}/reports"], index, ServerUnreachable, id="index"),
    pytest.param(
        [f"PAGESIGHT_INDEX={THEIRS}/r", "PAGESIGHT_MILVUS_TOKEN=a:b"], index, ServerUnreachable, id="index and token"
    ),
    pytest.param([f"PAGESIGHT_ENCODER=org/model@{THEIRS}"], encoder, EncoderError, id="encoder"),
    pytest.param([f"PAGESIGHT_ENCODER=org/model@cohere+{THEIRS}"], encoder, EncoderError, id="encoder of a form"),
    pytest.param(
        [f"PAGESIGHT_ENCODER=org/model@{THEIRS}", "PAGESIGHT_ENCODER_KEY=k"], encoder, EncoderError, id="encoder, key"
    ),
    pytest.param(
        ["PAGESIGHT_ENCODER=gemini-embedding-2", f"GOOGLE_GEMINI_BASE_URL={THEIRS}", "GOOGLE_API_KEY=AIza"],
        encoder, EncoderError, id="Gemini's encoder",
    ),
    pytest.param([f"PAGESIGHT_RERANK=org/model@{THEIRS}"], reranker, EncoderError, id="reranker"),
    pytest.param(
        [f"PAGESIGHT_RERANK=org/model@{THEIRS}", "PAGESIGHT_RERANK_KEY=k"], reranker, EncoderError, id="reranker, key"
    ),
    pytest.param([f"GOOGLE_GEMINI_BASE_URL={THEIRS}", "GOOGLE_API_KEY=AIza"], reasoner, None, id="Gemini, key"),
    pytest.param(["PAGESIGHT_VERTEX_PROJECT=theirs"], reasoner, None, id="Vertex project"),
    pytest.param(
        ["PAGESIGHT_VERTEX_PROJECT=theirs", "PAGESIGHT_ENCODER=gemini-embedding-2", "GOOGLE_API_KEY=AIza"],
        encoder, Exception, id="Vertex project of Gemini's encoder",
    ),
    pytest.param(["PAGESIGHT_VERTEX_PROJECT=mine", "PAGESIGHT_BUCKET=gs://theirs/pages"], pictures, None, id="bucket"),
]  # fmt: skip


@pytest.fixture(autouse=True)
def logged_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine has a login at Google Cloud, which is asked for nothing here."""
    from google.auth import credentials

    mine = (credentials.AnonymousCredentials(), "mine")
    monkeypatch.setattr("google.auth.default", lambda *given, **named: mine)


@pytest.mark.parametrize(("lines", "taken", "failure"), CASES)
def test_a_place_that_only_dotenv_names_is_not_taken_before_it_is_confirmed(
    own_folder: Path, monkeypatch: pytest.MonkeyPatch, lines: list[str], taken: Callable[[], object], failure: Any
) -> None:
    (own_folder / ".env").write_text("\n".join(lines))
    if taken is pictures:
        monkeypatch.setenv("PAGESIGHT_VERTEX_PROJECT", "mine")
    [place] = unconfirmed(load_settings())
    refused = rf"^not done: .*only the file {own_folder}/\.env names, by {place.variable}"
    with pytest.raises(SettingsError, match=refused):
        taken()
    place.confirm()
    assert [*unconfirmed(load_settings())] == []
    if failure:
        with pytest.raises(failure) as raised:
            taken()
        assert not isinstance(raised.value, SettingsError)
    else:
        assert taken()
    (own_folder / ".env").write_text((own_folder / ".env").read_text().replace("theirs", "others").replace(":1", ":2"))
    with pytest.raises(SettingsError, match=r"^not done: "):
        taken()


@pytest.mark.parametrize(("lines", "taken", "failure"), CASES)
def test_what_the_environment_names_too_is_taken(
    own_folder: Path, monkeypatch: pytest.MonkeyPatch, lines: list[str], taken: Callable[[], object], failure: Any
) -> None:
    (own_folder / ".env").write_text("\n".join(lines))
    for line in lines:
        monkeypatch.setenv(*line.split("=", 1))
    found: object = None
    try:
        found = taken()
    except Exception as error:  # noqa: BLE001 (Google's client has errors of its own)
        found = error
    assert found
    assert not isinstance(found, SettingsError)
    assert isinstance(found, failure or object)


@pytest.mark.parametrize("command", [["search", QUESTION], ["documents"], ["verify"], ["repair"], ["remove", "a.pdf"]])
def test_no_command_goes_round_it(
    own_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    """Also with a login in the environment, which would go to the address with the first call."""
    (own_folder / ".env").write_text(f"PAGESIGHT_INDEX={THEIRS}/reports\n")
    assert main(command) == 1
    assert "not done: texts and vectors of pages would go to https://pages.invalid:1/reports" in capsys.readouterr().err
    monkeypatch.setenv("PAGESIGHT_MILVUS_TOKEN", "me:secret")
    assert main(command) == 1
    assert "PAGESIGHT_MILVUS_TOKEN is not sent to" in capsys.readouterr().err


def test_what_leads_nowhere_else_is_taken_as_before(own_folder: Path) -> None:
    lines = ["PAGESIGHT_INDEX=here", "PAGESIGHT_ENCODER=org/model@http://localhost:1", "PAGESIGHT_RERANK=rerank-2.5",
             "GOOGLE_GEMINI_BASE_URL=https://us.googleapis.com"]  # fmt: skip
    (own_folder / ".env").write_text("\n".join(lines))
    assert [*unconfirmed(load_settings())] == []
    for address in ("http://127.0.0.1.evil.example", "http://localhost.evil.example", "http://evil.example@localhost.x",
                    "https://evil.example/.googleapis.com", "http://[::ffff:1.2.3.4]:1"):  # fmt: skip
        (own_folder / ".env").write_text(f"GOOGLE_GEMINI_BASE_URL={address}\n")
        assert len([*unconfirmed(load_settings())]) == 1


def test_the_reasoners_line_says_that_its_key_is_the_folders(own_folder: Path) -> None:
    assert choose_reasoner(None, load_settings(google_api_key="AIza")).why == "there is a GOOGLE_API_KEY"
    (own_folder / ".env").write_text("GOOGLE_API_KEY=AIza-theirs\n")
    assert choose_reasoner(None, load_settings()).why == "there is a GOOGLE_API_KEY in the file .env of this folder"


#: What libraries take from the environment of where they send things, or by whom they let themselves be answered.
OTHERS = [
    "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "grpc_proxy", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE",
    "LANGSMITH_TRACING", "LANGSMITH_ENDPOINT", "LANGSMITH_API_KEY", "LANGCHAIN_TRACING_V2", "LANGCHAIN_ENDPOINT",
    "OTEL_EXPORTER_OTLP_ENDPOINT", "OPENAI_BASE_URL", "OPENAI_API_BASE", "ANTHROPIC_BASE_URL", "OLLAMA_HOST",
    "HF_ENDPOINT", "AWS_ENDPOINT_URL", "GCE_METADATA_HOST", "GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_CLOUD_PROJECT",
    "GOOGLE_VERTEX_BASE_URL", "MILVUS_URI", "FASTMCP_HOST",
]  # fmt: skip

COMMANDS = """
import os, sys
from pagesight.agent.cli import main
from pagesight.agent.mcp import make_server
from pagesight.indexing import PageIndex
assert main(["index", sys.argv[1]]) == 0
assert main(["ask", "How high was the net revenue?"]) == 0
with PageIndex.open() as index:
    assert make_server(index).settings.host == "127.0.0.1"
print("left in the environment:", [name for name in sys.argv[2:] if name in os.environ])
"""


@pytest.mark.slow
def test_no_other_variable_of_the_file_reaches_a_library(own_folder: Path, tmp_path: Path) -> None:
    (own_folder / ".env").write_text("".join(f"{name}=http://127.0.0.1:9\n" for name in OTHERS))
    paper = write_pdf(tmp_path / "paper.pdf", [["Net revenue rose to 4.2 billion euros."]])
    environment = {name: value for name, value in os.environ.items() if name not in OTHERS}
    environment.pop("PYTHON_DOTENV_DISABLED")
    done = subprocess.run(
        [sys.executable, "-c", COMMANDS, str(paper), *OTHERS], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("left in the environment: []\n")


def test_a_terminal_asks_once(own_folder: Path, tmp_path: Path) -> None:
    place = str(tmp_path / "index")
    assert main(["index", str(write_pdf(tmp_path / "paper.pdf", [["Net revenue"]])), "--index", place]) == 0
    (own_folder / ".env").write_text(f"PAGESIGHT_RERANK=org/model@{THEIRS}\nPAGESIGHT_MAX_RETRIES=1\n")

    def search(*answers: str) -> tuple[int | None, str]:
        command = ["-m", "pagesight.agent.cli", "search", "net revenue", "--index", place]
        child = pexpect.spawn(
            sys.executable, command, encoding="utf-8", timeout=60, env={**os.environ, "COLUMNS": "1000"}
        )
        shown = ""
        for answer in answers:
            child.expect(r"Is that right\? \[y/N\]")
            shown += str(child.before)
            child.send(f"{answer}\r")
        child.expect(pexpect.EOF)
        child.close()
        return child.exitstatus, " ".join(re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", " ", shown + str(child.before)).split())

    status, shown = search("n")
    assert status == 1
    assert f"words of pages would go to {THEIRS}, which only the file {own_folder}/.env names" in shown
    assert "not done" in shown
    assert "pages.invalid:1 cannot be" in search("y")[1].replace("https://", "")
    assert "Is that right?" not in search()[1]
