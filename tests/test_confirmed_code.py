"""Code that somebody else's index or `.env` names: it runs only once the user has named or confirmed it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest
from small_index import small_settings, write_pdf

from pagesight.agent.cli import main
from pagesight.indexing import PageIndex
from pagesight.indexing.encoders import make_encoder
from pagesight.indexing.errors import EncoderMismatch, PagesightError, SettingsError

COMMAND = [sys.executable, "-m", "pagesight.agent.cli"]
COMMIT = "a" * 40
SCRIPT = """
import os
from pathlib import Path
import numpy as np

Path(__file__).with_name("ran").write_text("\\n".join(os.environ))

def load(options):
    return Encoder()

class Encoder:
    dim, revision = 128, "1"

    def encode_pages(self, pages):
        return [page.picture[:, :128].mean(axis=(0, 2), keepdims=False)[None] + np.arange(128) for page in pages]

    def encode_query(self, question):
        return np.ones((1, 128)), [question]
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of one document, made by words."""
    folder = tmp_path_factory.mktemp("made")
    paper = write_pdf(folder / "paper.pdf", [["Net revenue"], ["Employees"]])
    assert main(["index", str(paper), "--index", str(folder / "index")]) == 0
    return folder / "index"


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """Somebody else's script, which leaves the file `ran` beside it."""
    (tmp_path / "theirs").mkdir()
    script = tmp_path / "theirs" / "encoder.py"
    script.write_text(SCRIPT)
    return script


def naming(made: Path, tmp_path: Path, **encoder: object) -> Path:
    """A copy of the index that says it was made with another encoder."""
    place = Path(shutil.copytree(made, tmp_path / "index"))
    recorded = json.loads((place / "index.json").read_text())
    recorded["encoder"] = {"name": "lexical", "revision": "1", "dim": 128} | encoder
    (place / "index.json").write_text(json.dumps(recorded))
    return place


@pytest.fixture
def place(made: Path, theirs: Path, tmp_path: Path) -> Path:
    """An index that names the script as its encoder."""
    return naming(made, tmp_path, name=f"external:{theirs}")


def ran(script: Path) -> bool:
    return script.with_name("ran").exists()


@pytest.mark.parametrize(
    "command",
    [
        ["search", "net revenue"],
        ["search", "net revenue", "--json"],
        ["ask", "How high was the net revenue?"],
        ["chat"],
        ["index", "more.pdf"],
        ["view", "paper.pdf p. 1", "--out", "page.png", "--query", "revenue"],
        ["audit"],
        ["mcp"],
        ["eval", "retrieval", "--questions", "questions.jsonl"],
    ],
)
def test_no_command_runs_a_script_that_only_the_index_names(place, theirs, capsys, command):
    write_pdf(Path("more.pdf"), [["Ferries"]])
    Path("questions.jsonl").write_text('{"id": "1", "question": "revenue?", "pages": ["paper.pdf p. 1"]}\n')
    assert main([*command, "--index", str(place)]) == 1
    assert not ran(theirs)
    (told,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    for part in (str(place), str(theirs), "--trust-scripts", "PAGESIGHT_TRUST_SCRIPTS", "--encoder"):
        assert part in told


def test_what_needs_no_vectors_works_and_leaves_the_script_alone(place, theirs, capsys):
    assert main(["documents", "--index", str(place)]) == 0
    assert "paper.pdf" in capsys.readouterr().out
    assert main(["doctor", "--json", "--index", str(place)]) == 1
    (check,) = [one for one in json.loads(capsys.readouterr().out)["checks"] if one["name"] == "index"]
    assert check["state"] == "broken"
    assert str(theirs) in check["says"]
    assert main(["view", "paper.pdf p. 1", "--out", "page.png", "--index", str(place)]) == 0
    assert main(["remove", "paper.pdf", "--index", str(place)]) == 0
    assert not ran(theirs)


def test_the_library_says_which_script_which_index_and_what_to_do(place, theirs, tmp_path):
    more = write_pdf(tmp_path / "more.pdf", [["Ferries"]])
    with PageIndex.open(place, settings=small_settings()) as index:
        for call in (lambda: index.search("revenue"), lambda: index.add(more)):
            with pytest.raises(SettingsError, match=rf"{place} names the script {theirs} .*--trust-scripts.*encoder=…"):
                call()
    assert not ran(theirs)


def test_it_runs_with_the_option_and_with_the_variable_and_is_not_remembered(place, theirs, monkeypatch):
    assert main(["search", "net revenue", "--trust-scripts", "--index", str(place)]) == 0
    assert ran(theirs)
    assert main(["search", "net revenue", "--index", str(place)]) == 1
    theirs.with_name("ran").unlink()
    monkeypatch.setenv("PAGESIGHT_TRUST_SCRIPTS", "true")
    assert main(["search", "net revenue", "--index", str(place)]) == 0
    assert ran(theirs)


def test_the_env_file_of_a_folder_trusts_nothing(place, theirs, tmp_path):
    Path(".env").write_text("PAGESIGHT_TRUST_SCRIPTS=true\n")
    assert main(["search", "net revenue", "--index", str(place)]) == 1
    Path(".env").write_text(f"PAGESIGHT_ENCODER=external:{theirs}\n")
    assert main(["search", "net revenue", "--index", str(place)]) == 1
    paper = write_pdf(tmp_path / "new.pdf", [["Ferries"]])
    assert main(["index", str(paper), "--index", "new"]) == 1
    assert not ran(theirs)


def test_what_the_user_names_is_confirmed_until_it_changes(place, theirs, monkeypatch):
    monkeypatch.setenv("PAGESIGHT_ENCODER", f"external:{theirs}")
    assert main(["search", "net revenue", "--index", str(place)]) == 0
    monkeypatch.delenv("PAGESIGHT_ENCODER")
    assert main(["search", "net revenue", "--index", str(place)]) == 0
    theirs.with_name("ran").unlink()
    theirs.write_text(f"{SCRIPT}\n# changed\n")
    assert main(["search", "net revenue", "--index", str(place)]) == 1
    elsewhere = theirs.parent.parent / "elsewhere.py"
    elsewhere.write_text(SCRIPT)
    recorded = (place / "index.json").read_text().replace(str(theirs), str(elsewhere))
    (place / "index.json").write_text(recorded)
    assert main(["search", "net revenue", "--index", str(place)]) == 1
    assert not ran(theirs)
    assert not ran(elsewhere)
    with PageIndex.open(place, encoder=f"external:{elsewhere}", settings=small_settings()) as index:
        index.search("net revenue")
    assert ran(elsewhere)


def test_a_terminal_asks_once_and_again_when_the_script_has_changed(place, theirs):
    def search(*answer: str) -> tuple[int, str]:
        child = pexpect.spawn(
            COMMAND[0], [*COMMAND[1:], "search", "net revenue", "--index", str(place)], encoding="utf-8", timeout=60,
            env=dict(os.environ), dimensions=(40, 200),
        )  # fmt: skip
        shown = ""
        for line in answer:
            child.expect(r"Run it\? \[y/N\]")
            shown += child.before
            child.send(f"{line}\r")
        child.expect(pexpect.EOF)
        child.close()
        shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown + child.before)  # each line has its colours
        return child.exitstatus, " ".join(shown.split())

    status, shown = search("n")
    assert status == 1
    # A path that is longer than the line goes on in the next one.
    assert f"{place} names the script {theirs}".replace(" ", "") in shown.replace(" ", "")
    assert not ran(theirs)
    status, shown = search("y")
    assert (status, ran(theirs)) == (0, True)
    assert "paper.pdf p. 1" in shown
    status, shown = search()
    assert status == 0
    assert "Run it?" not in shown
    theirs.write_text(f"{SCRIPT}\n# changed\n")
    theirs.with_name("ran").unlink()
    assert search("")[0] == 1
    assert not ran(theirs)


def test_an_index_sets_no_program_and_trusts_nothing(made, theirs, tmp_path):
    program = tmp_path / "python"
    program.write_text(f"#!/bin/sh\ntouch {theirs.with_name('ran')}\n")
    program.chmod(0o755)
    place = naming(
        made, tmp_path, name="nomic-ai/nomic-embed-vision-v1.5", revision=COMMIT, encoder_python=str(program),
        trust_remote_code=True, visual_tokens="many",
    )  # fmt: skip
    with pytest.raises(EncoderMismatch, match="encoder python"):
        PageIndex.open(place, settings=small_settings())
    assert not ran(theirs)


@pytest.mark.parametrize("trusted", ["environment", ".env"])
def test_trusting_one_commit_does_not_trust_what_an_index_names(made, theirs, tmp_path, monkeypatch, trusted):
    program = tmp_path / "python"
    program.write_text(f"#!/bin/sh\ntouch '{theirs.with_name('ran')}'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PAGESIGHT_ENCODER_PYTHON", str(program))
    name = "nomic-ai/nomic-embed-vision-v1.5"
    place = naming(made, tmp_path, name=name, revision=COMMIT)
    if trusted == ".env":
        Path(".env").write_text(f"PAGESIGHT_TRUST_REMOTE_CODE=true\nPAGESIGHT_REVISION={COMMIT}\n")
    else:
        monkeypatch.setenv("PAGESIGHT_TRUST_REMOTE_CODE", "true")
        monkeypatch.setenv("PAGESIGHT_REVISION", "b" * 40)
    assert main(["search", "net revenue", "--index", str(place)]) == 1
    assert not ran(theirs)
    monkeypatch.setenv("PAGESIGHT_TRUST_REMOTE_CODE", "true")
    monkeypatch.setenv("PAGESIGHT_REVISION", COMMIT)  # the commit that the user has read
    assert main(["search", "net revenue", "--index", str(place)]) == 1  # the program is no encoder
    assert ran(theirs)


def test_a_python_that_the_env_file_names_does_not_run(theirs, tmp_path):
    program = tmp_path / "python"
    program.write_text(f"#!/bin/sh\ntouch {theirs.with_name('ran')}\n")
    program.chmod(0o755)
    Path(".env").write_text(f"PAGESIGHT_ENCODER_PYTHON={program}\n")
    with pytest.raises(SettingsError, match=rf"\.env.* names the program {program}"):
        make_encoder(f"external:{theirs}").describe()
    assert not ran(theirs)


@pytest.mark.parametrize("kind", ["modeling.py", "pytorch_model.bin", "config.json", "modules.json"])
def test_a_folder_with_code_or_pickles_is_not_loaded_because_an_index_names_it(made, tmp_path, kind):
    model = tmp_path / "model"
    model.mkdir()
    (model / "config.json").write_text('{"architectures": ["CLIPModel"]}')
    place = naming(made, tmp_path, name=str(model))
    with PageIndex.open(place, settings=small_settings()) as index, pytest.raises(PagesightError) as caught:
        index.search("net revenue")
    assert not isinstance(caught.value, SettingsError)  # there are no weights in it; a folder without code is loaded
    carriers = {
        "config.json": '{"architectures": ["CLIPModel"], "auto_map": {"AutoModel": "modeling.Model"}}',
        "modules.json": '[{"idx": 0, "name": "0", "path": "", "type": "modeling.Model"}]',
    }
    (model / kind).write_text(carriers.get(kind, ""))
    with (
        PageIndex.open(place, settings=small_settings()) as index,
        pytest.raises(SettingsError, match=rf"program code in the folder {model} "),
    ):
        index.search("net revenue")


def test_keys_are_not_in_the_environment_of_a_worker(theirs, monkeypatch):
    keys = ["GOOGLE_API_KEY", "GEMINI_API_KEY", "PAGESIGHT_MILVUS_TOKEN", "OPENAI_API_KEY"]
    for name in keys:
        monkeypatch.setenv(name, "a-secret-key")
    make_encoder(f"external:{theirs}", small_settings()).describe()
    seen = theirs.with_name("ran").read_text().split("\n")
    assert "PATH" in seen
    assert not {*keys} & {*seen}
    assert all(os.environ[name] == "a-secret-key" for name in keys)


def test_a_yes_from_a_pipe_confirms_nothing(place, theirs):
    done = subprocess.run(
        [*COMMAND, "search", "revenue", "--index", str(place)], input="y\n", capture_output=True, text=True
    )
    assert done.returncode == 1
    assert not ran(theirs)
