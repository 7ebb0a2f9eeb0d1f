"""Encoders in an environment of their own: real processes, and each way in which they can fail, from the outside."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import textwrap
import time
import venv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from small_index import small_settings, write_pdf
from waiting import SOON

from pagesight.agent.cli import main
from pagesight.indexing import PageIndex
from pagesight.indexing.calls import worker_process
from pagesight.indexing.encoders import KNOWN, choose, make_encoder
from pagesight.indexing.errors import EncoderError, EncoderMismatch, SettingsError
from pagesight.indexing.lexical.bm25 import TermStatistics
from pagesight.indexing.lexical.query import read_query
from pagesight.indexing.pages import PageText

ROOT = Path(__file__).parent.parent
COMMIT = "a" * 40
PLAIN = """
    import os, signal, subprocess, sys, time
    import numpy as np

    def load(options):
        return Encoder()

    class Encoder:
        dim = 3

        def encode_pages(self, pages):
            return [self.page(page) for page in pages]

        def page(self, page):
            return page.picture[:, : page.picture.shape[1] // 2].mean(axis=(0, 1), keepdims=False)[None] + [0, 0, 1]

        def encode_query(self, question):
            return np.ones((1, 3)), [question]
"""


@pytest.fixture(autouse=True)
def _no_ocr(monkeypatch):
    monkeypatch.setenv("PAGESIGHT_OCR", "false")


def script(folder: Path, *more: str, name: str = "encoder.py") -> str:
    """The name of an encoder whose script is `PLAIN` with these lines after it, in the class where indented."""
    lines = sorted(more, key=lambda line: not line.startswith(" "))
    text = textwrap.dedent(PLAIN) + "".join(f"\n{line}" for line in lines) + "\n"
    (folder / name).write_text(text)
    return f"external:{folder / name}"


def method(name: str, body: str) -> str:
    return f"    def {name}:\n        {body}"


def python(folder: Path, body: str) -> str:
    """The path of a program that stands where the environment's Python would, and speaks for itself."""
    start = "import os, sys, struct, time\nsay = lambda *parts: os.write(1, b''.join(parts))\n"
    (folder / "spoken.py").write_text(start + textwrap.dedent(body))
    path = folder / "python"
    # By a shell: the line after #! takes no path with a space in it.
    path.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {shlex.quote(str(folder / "spoken.py"))} "$@"\n')
    path.chmod(0o755)
    return str(path)


def document(folder: Path, pages: int = 2) -> str:
    return str(write_pdf(folder / "a.pdf", [[f"Net revenue {number}"] for number in range(pages)]))


def opened(name: str, **settings: Any) -> Any:
    return make_encoder(name, small_settings(**settings))


def vectors_of(encoder: Any, count: int = 1, texts: list[PageText] | None = None) -> list[Any]:
    pictures = [Image.new("RGB", (60, 80), "white")] * count
    return encoder.encode_pages(pictures, texts or [PageText.empty()] * count)


def ended(pid: int, within: float = 10) -> bool:
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        try:
            if (Path(f"/proc/{pid}/stat")).read_text().rpartition(")")[2].split()[0] == "Z":
                return True  # nobody has waited for it yet
        except FileNotFoundError:
            return True
        time.sleep(0.05)
    return False


# what works


def test_the_script_in_the_documentation_finds_pages_by_colour(tmp_path, capsys, monkeypatch):
    text = (ROOT / "docs" / "encoders.md").read_text()
    (shown,) = re.findall(r"runs this script -->\n```python\n(.*?)```", text, re.S)
    Path("colours.py").write_text(shown)
    for colour in ("red", "green"):
        picture = Image.new("RGB", (400, 300), "white")
        picture.paste(colour if colour == "red" else (0, 255, 0), (0, 0, 100, 150))
        picture.save(tmp_path / f"{colour}.png")
    assert main(["index", str(tmp_path), "--encoder", "external:colours.py"]) == 0
    assert f"encoder external:{Path('colours.py').resolve()}: asked for by setting" in capsys.readouterr().out
    noted = json.loads(Path(".pagesight/index.json").read_text())["encoder"]
    assert noted["name"] == f"external:{Path('colours.py').resolve()}"
    assert re.fullmatch(r"[0-9a-f]{16}", noted["revision"])
    place = str(Path(".pagesight").resolve())
    monkeypatch.chdir(tmp_path)  # the index starts the script again, wherever it is opened
    for colour in ("red", "green"):
        assert main(["search", colour, "--json", "--index", place, "--heatmap", "maps"]) == 0
        best = json.loads(capsys.readouterr().out)[0]
        assert best["label"] == f"{colour}.png p. 1"
        assert np.all(np.array(best["boxes"][0]) <= [0.26, 0.51, 0.26, 0.51])
    heat = np.asarray(Image.open("maps/red.png-p1.png").convert("RGB")).astype(int)
    assert np.abs(heat[40, 40] - heat[280, 380]).max() > 40


def test_a_changed_script_is_refused_but_for_one_that_names_its_revision(tmp_path):
    for more, refused in (("", True), ("    revision = 'mine-1'", False)):
        name = script(tmp_path, more)
        place = tmp_path / f"index-{refused}"
        PageIndex.open(place, encoder=name, settings=small_settings()).close()
        script(tmp_path, more, "# another comment")
        with PageIndex.open(place, encoder=name, settings=small_settings()) as index:
            assert index.encoder.revision == "mine-1" or refused
            if refused:
                with pytest.raises(EncoderMismatch, match="Bring those back"):
                    index.search("anything")
            else:
                index.search("anything")


def test_words_come_to_scripts_that_want_them(tmp_path):
    page = "return np.concatenate([[[len(word), word == 'Ferry', 1]] for word in page.words]), page.boxes"
    name = script(tmp_path, "    wants = ['words']", method("page(self, page)", page))
    boxes = np.array([[0.1, 0.2, 0.3, 0.4], [0.5, 0.5, 0.75, 1]], np.float32)
    text = PageText(["Net", "Ferry"], boxes, np.zeros(2, np.int32), "text layer")
    (found,) = vectors_of(opened(name), 1, [text])
    np.testing.assert_allclose(found.vectors[1], np.array([5, 1, 1]) / np.sqrt(27), atol=1e-6)
    np.testing.assert_array_equal(found.boxes, boxes)


def test_settings_reach_the_script_and_an_index_keeps_those_that_change_vectors(tmp_path):
    load = "def load(options):\n    encoder = Encoder()\n    encoder.n = options.visual_tokens\n"
    load += "    encoder.revision = f'{options.device} {options.dtype} {options.revision}'\n    return encoder"
    page = method(
        "page(self, page)", "x = page.picture[:, 100:101].mean() + 1; return np.full((self.n, 3), [[x, 1, 2]])"
    )
    name = script(tmp_path, page, load)
    settings = {"device": "cpu", "dtype": "float16"}
    with PageIndex.open(tmp_path / "i", encoder=name, settings=small_settings(visual_tokens=7, **settings)) as index:
        assert index.encoder.revision == "cpu float16 None"
        index.add(document(tmp_path, 1))
    more = write_pdf(tmp_path / "b.pdf", [["Ferries"]])
    with PageIndex.open(tmp_path / "i", settings=small_settings(**settings)) as index:
        index.add(more)
        assert {len(index.multivector(index.page(f"{name}.pdf p. 1")).vectors) for name in "ab"} == {7}


def test_what_a_script_prints_breaks_no_message(tmp_path):
    noise = "print('loud'); os.write(1, b'louder'); subprocess.run(['echo', 'loudest'])"
    name = script(tmp_path, noise, method("encode_query(self, question)", f"{noise}; return np.ones((1, 3)), ['a']"))
    encoder = opened(name)
    assert len(vectors_of(encoder, 3)) == 3
    assert encoder.encode_query(read_query("x"), TermStatistics().idf).tokens == ["a"]


def test_out_of_memory_halves_the_batch(tmp_path, caplog):
    body = (
        "if len(pages) > 2: raise MemoryError\n"
        "        if len(pages) > 1: raise RuntimeError('CUDA out of memory. Tried to allocate')\n"
        "        return [self.page(page) for page in pages]"
    )
    name = script(tmp_path, method("encode_pages(self, pages)", body))
    assert len(vectors_of(opened(name, pages_at_once=4), 5)) == 5
    assert [record.getMessage()[:13] for record in caplog.records] == ["out of memory"] * 2


# what fails


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (["import no_such_package"], r"finds no package no_such_package in its environment\. Install it there"),
        (["raise SystemExit(3)"], r"ended with exit status 3"),
        (["os.kill(os.getpid(), signal.SIGKILL)"], r"ended by SIGKILL; .*out of memory.*PAGES_AT_ONCE=1"),
        (["del load"], r"ended with exit status 1\. It wrote last: .*no attribute 'load'"),
        (["    dim = 0"], r"gave 0 as its dimensions"),
        (["    wants = ['sounds']"], r"gave \['sounds'\] as what it wants"),
        (
            [method("page(self, page)", "return 1 / 0")],
            r"status 1\. It wrote last: .*line \d+, in page \| return 1 / 0 \| ZeroDiv",
        ),
        ([method("page(self, page)", "return np.ones((2, 4))")], r"shape \[2, 4\] instead of \[n, 3\] with n ≥ 1"),
        ([method("page(self, page)", "return np.ones(3)")], r"shape \[3\] instead of"),
        ([method("page(self, page)", "return np.ones((0, 3))")], r"shape \[0, 3\] instead of"),
        ([method("page(self, page)", "return np.full((1, 3), np.nan)")], r"vectors that are no numbers"),
        ([method("encode_pages(self, pages)", "return []")], r"vectors of 0 pages instead of 2"),
        ([method("page(self, page)", "return np.ones((1, 3)), np.ones((2, 4))")], r"boxes of shape \[2, 4\]"),
        ([method("page(self, page)", "return np.ones((1, 3)), [[0, 0, 50, 60]]")], r"between 0 and 1, nor NaN"),
        ([method("page(self, page)", "return np.ones((1, 3))")], r"does not look at pages"),
    ],
)
def test_a_script_that_fails_is_named_with_what_it_did(tmp_path, capsys, lines, says):
    name = script(tmp_path, *lines)
    assert main(["index", document(tmp_path), "--encoder", name]) == 1
    told = capsys.readouterr().err
    assert name in told
    assert re.search(says, told)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("return np.ones((2, 3)), ['a']", "2 vectors of a question with 1 tokens"),
        ("return np.ones((1, 2)), ['a']", r"shape \[1, 2\] instead of \[n, 3\]"),
        ("return 1, ['a']", r"shape \[\] instead of"),
        ("return np.full((1, 3), np.inf), ['a']", "no numbers"),
        ("raise ValueError('what a question')", "ValueError: what a question"),
    ],
)
def test_wrong_vectors_of_a_question_are_refused(tmp_path, body, says):
    encoder = opened(script(tmp_path, method("encode_query(self, question)", body)))
    with pytest.raises(EncoderError, match=says):
        encoder.encode_query(read_query("net revenue"), TermStatistics().idf)


def frames(*contents: str) -> str:
    """Code that answers with these frames, each an expression for bytes."""
    return "".join(f"say(struct.pack('>Q', len({content})), {content})\n" for content in contents)


HELLO = """b'{"type": "hello", "protocol": %d, "dim": 3, "revision": "1", "wants": ["pictures"], "arrays": [%s]}'"""


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("say(b'Loading weights: 100%')", r"begins b'Loading '; 16,777,216 are allowed"),
        ("say(struct.pack('>Q', 2**63))", r"a frame of 9,223,372,036,854,775,808 bytes"),
        (frames("b'no json'"), r"a header that is not one: b'no json'"),
        (frames("b'[' * 10**6"), r"a header that is not one: b'\[\[\["),
        (frames("b'[]'"), r"a header that is not one: b'\[\]'"),
        (
            frames(HELLO % (1, '{"dtype": "<f4", "shape": [99999999999, 128]}')),
            r"an array of [\d,]+ bytes; 268,435,456",
        ),
        (frames(HELLO % (1, '{"dtype": "|O", "shape": [1]}')), r"an array of type '\|O'"),
        (frames(HELLO % (1, '{"dtype": "<f4", "shape": [-1]}')), r"shape \[-1\]"),
        (frames(HELLO % (1, '{"dtype": "<f4", "shape": [2]}'), "b'1234'"), r"shape \[2\] in 4 bytes instead of 8"),
        ("say(struct.pack('>Q', 100), b'{')", r"breaks off before its end"),
        ("say(b'\\0\\0'); sys.exit(4)", r"breaks off before its end and ended with exit status 4"),
        (frames(HELLO % (2, "")) + "sys.stdin.read()", r"speaks version 2 of the protocol, this pagesight speaks 1"),
        (frames('b\'{"type": "error", "arrays": []}\'') + "sys.stdin.read()", r"speaks version None"),
        ("sys.stderr.write('no GPU\\n'); sys.exit(5)", r"exit status 5\. It wrote last: no GPU$"),
        ("", r"ended with exit status 0"),
    ],
)
def test_what_is_no_message_is_refused(tmp_path, capsys, monkeypatch, body, says):
    monkeypatch.setenv("PAGESIGHT_ENCODER_PYTHON", python(tmp_path, body))
    name = script(tmp_path)
    assert main(["index", document(tmp_path), "--encoder", name]) == 1
    told = capsys.readouterr().err
    assert name in told
    assert re.search(says, told)


def test_an_answer_that_is_an_error_is_shown(tmp_path):
    answers = frames(HELLO % (1, "")) + frames('b\'{"type": "error", "text": "the page is sad", "arrays": []}\'')
    name = script(tmp_path)
    with pytest.raises(EncoderError, match="gave the page is sad instead of vectors"):
        vectors_of(opened(name, encoder_python=python(tmp_path, answers + "sys.stdin.read()")))


def test_without_a_python_or_a_script_nothing_starts(tmp_path):
    name = script(tmp_path)
    with pytest.raises(EncoderError, match=r"no-python is no program\. Set PAGESIGHT_ENCODER_PYTHON"):
        vectors_of(opened(name, encoder_python=tmp_path / "no-python"))
    with pytest.raises(EncoderError, match="is no program"):
        vectors_of(opened(name, encoder_python=tmp_path))
    with pytest.raises(EncoderError, match=r"there is no script .*gone\.py"):
        vectors_of(opened(f"external:{tmp_path}/gone.py"))


def test_doctor_says_what_is_missing(tmp_path, capsys, monkeypatch):
    name = script(tmp_path)
    for encoder, python, says in (
        (name, "", f"ok: {name} for new indexes"),
        (f"external:{tmp_path}/gone.py", "", "broken: .*there is no script"),
        (name, "no-such-python", "broken: .*no-such-python is no program"),
        ("jinaai/jina-clip-v2", "", "broken: .*uv venv .*PAGESIGHT_ENCODER_PYTHON"),
        ("jinaai/jina-clip-v2", sys.executable, "ok: jinaai/jina-clip-v2"),
    ):
        monkeypatch.setenv("PAGESIGHT_ENCODER", encoder)
        monkeypatch.setenv("PAGESIGHT_ENCODER_PYTHON", python)
        assert main(["doctor", "--json"]) == says.startswith("broken")
        checks = {check["name"]: check for check in json.loads(capsys.readouterr().out)["checks"]}
        assert re.match(says, f"{checks['encoder']['state']}: {checks['encoder']['says']}")


def test_an_index_whose_script_is_gone_still_lists_its_documents(tmp_path, capsys):
    name = script(tmp_path)
    assert main(["index", document(tmp_path), "--encoder", name]) == 0
    (tmp_path / "encoder.py").unlink()
    assert main(["documents"]) == 0
    assert "a.pdf" in capsys.readouterr().out
    assert main(["search", "net"]) == 1
    assert "there is no script" in capsys.readouterr().err


def test_a_process_that_takes_too_long_is_ended_and_the_next_request_starts_another(tmp_path):
    slow = "open('pid', 'w').write(str(os.getpid())); time.sleep(60 * (question == 'slow')); return [[1, 1, 1]], ['a']"
    encoder = opened(script(tmp_path, method("encode_query(self, question)", slow)), encoder_timeout=1)
    encoder.describe()
    start = time.monotonic()
    with pytest.raises(EncoderError, match=r"took longer than 1 s and was ended\. Set PAGESIGHT_ENCODER_TIMEOUT"):
        encoder.encode_query(read_query("slow"), TermStatistics().idf)
    assert time.monotonic() - start < SOON
    first = int(Path("pid").read_text())
    assert ended(first)
    assert encoder.encode_query(read_query("fast"), TermStatistics().idf).tokens == ["a"]
    assert int(Path("pid").read_text()) != first


def test_a_process_that_does_not_read_is_ended_too(tmp_path):
    deaf = frames(HELLO % (1, "")) + "time.sleep(60)"
    encoder = opened(script(tmp_path), encoder_python=python(tmp_path, deaf), encoder_timeout=1, pages_at_once=8)
    with pytest.raises(EncoderError, match="took longer than 1 s"):
        encoder.encode_pages([Image.new("RGB", (2000, 2000))] * 8, [PageText.empty()] * 8)


@pytest.mark.slow
def test_a_crash_in_the_middle_keeps_what_was_written(tmp_path, capsys):
    # Eight pages are written at a time: the last ones crash, until the file `well` is there.
    body = (
        "self.seen = getattr(self, 'seen', 0) + len(pages)\n"
        f"        if self.seen > 20 and not os.path.exists({str(tmp_path / 'well')!r}): os._exit(9)\n"
        "        return [self.page(page) for page in pages]"
    )
    name = script(tmp_path, method("encode_pages(self, pages)", body))
    long = document(tmp_path, 24)
    assert main(["index", long, "--encoder", name]) == 1
    assert "ended with exit status 9" in capsys.readouterr().err
    (tmp_path / "well").touch()
    assert main(["index", long, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["pages"] == 8
    with PageIndex.open(settings=small_settings()) as index:
        assert len(index.pages()) == 24


# how it ends

PID = "open('pid', 'w').write(str(os.getpid()))"


def test_the_process_ends_with_the_index(tmp_path):
    name = script(tmp_path, PID)
    with PageIndex.open(tmp_path / "i", encoder=name, settings=small_settings()) as index:
        index.add(document(tmp_path))
        pid = int(Path("pid").read_text())
        assert not ended(pid, 0.1)
    assert ended(pid)


def test_one_that_hangs_at_its_end_is_ended_by_force_with_what_it_started(tmp_path, monkeypatch):
    monkeypatch.setattr(worker_process, "_END_SECONDS", 0.5)
    hang = "import atexit; atexit.register(time.sleep, 60)"
    child = "open('child', 'w').write(str(subprocess.Popen(['sleep', '60']).pid))"
    encoder = opened(script(tmp_path, PID, hang, child))
    encoder.describe()
    start = time.monotonic()
    encoder.close()
    assert time.monotonic() - start < SOON
    assert ended(int(Path("pid").read_text()))
    assert ended(int(Path("child").read_text()))
    assert len(vectors_of(encoder)) == 1  # and is started again when it is needed
    encoder.close()


@pytest.mark.slow
@pytest.mark.parametrize("busy", [False, True])
def test_the_process_ends_when_pagesight_is_killed(tmp_path, busy):
    slow = method("encode_query(self, question)", f"{PID}; time.sleep(60 * {busy}); return [[1, 1, 1]], ['a']")
    name = script(tmp_path, slow)
    code = (
        "import sys, time\nfrom pagesight.indexing.encoders import make_encoder\n"
        "from pagesight.indexing.lexical.bm25 import TermStatistics\n"
        "from pagesight.indexing.lexical.query import read_query\n"
        "make_encoder(sys.argv[1]).encode_query(read_query('x'), TermStatistics().idf)\ntime.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code, name]) as parent:
        deadline = time.monotonic() + 30
        while not Path("pid").exists() or not Path("pid").read_text():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        parent.send_signal(signal.SIGKILL)
    assert ended(int(Path("pid").read_text()))


def test_ctrl_c_ends_the_process_and_leaves_no_answer_behind(tmp_path):
    ask = f"{PID}; time.sleep(60 * (question == 'slow')); return [[1, 1, 1]], [question]"
    encoder = opened(script(tmp_path, method("encode_query(self, question)", ask)))
    encoder.describe()
    with pytest.raises(KeyboardInterrupt):
        _interrupted(encoder)
    assert ended(int(Path("pid").read_text()))
    assert encoder.encode_query(read_query("next"), TermStatistics().idf).tokens == ["next"]


def _interrupted(encoder: Any) -> None:
    waiting = f"import os, signal, time; time.sleep(1); os.kill({os.getpid()}, signal.SIGINT)"
    with subprocess.Popen([sys.executable, "-c", waiting]):
        encoder.encode_query(read_query("slow"), TermStatistics().idf)


# models that are known to need it

EXTERNAL = [name for name, model in KNOWN.items() if model.route == "external"]


@pytest.fixture(scope="session")
def environment(tmp_path_factory) -> Path:
    """The Python of an environment that holds numpy and nothing else."""
    home = tmp_path_factory.mktemp("environment")
    venv.create(home, with_pip=False)
    site = next(home.glob("lib/python3.*/site-packages"))
    for part in Path(np.__file__).parent.parent.glob("numpy*"):
        with contextlib.suppress(FileExistsError):
            (site / part.name).symlink_to(part)
    return home / "bin" / "python"


@pytest.mark.parametrize("name", EXTERNAL)
def test_a_known_model_names_the_environment_that_it_needs(name, capsys):
    with pytest.raises(SettingsError, match=r"program code of its own.*--trust-remote-code"):
        opened(name).describe()
    with pytest.raises(SettingsError, match="40 hex digits"):
        opened(name, trust_remote_code=True, revision="main").describe()
    with pytest.raises(SettingsError, match=r"`uv venv .*transformers==4\.52\.3.*PAGESIGHT_ENCODER_PYTHON="):
        opened(name, trust_remote_code=True, revision=COMMIT).describe()
    assert main(["encoders"]) == 0
    assert re.search(rf"{name}\texternal\t.*in an environment of its own", capsys.readouterr().out)


@pytest.mark.parametrize("name", EXTERNAL)
def test_its_worker_starts_and_says_what_is_missing(name, environment):
    settings = {"trust_remote_code": True, "revision": COMMIT, "encoder_python": environment}
    with pytest.raises(EncoderError, match=r"finds no package (huggingface_hub|transformers)") as caught:
        opened(name, **settings).describe()
    assert name in str(caught.value)
    assert f"`hf download {name.partition(':')[0]} --revision {COMMIT}`" in str(caught.value)
    assert "uv pip install" in str(caught.value)


def test_jina_embeddings_has_two_names_for_its_two_kinds_of_vectors():
    several, single = (KNOWN[f"jinaai/jina-embeddings-v4{variant}"] for variant in ("", ":single"))
    assert (several.dim, several.variant) == (128, None)
    assert (single.dim, single.variant) == (2048, "single")
    assert several.repository == single.repository == "jinaai/jina-embeddings-v4"
    assert choose("jinaai/jina-embeddings-v4:single").name == single.name


def test_the_best_page_by_vectors_comes_before_the_best_by_words(tmp_path: Path) -> None:
    """Any page of a vision encoder has most of the best one's score: that must not leave the choice to words."""
    told = script(tmp_path, method("page(self, page)", _BY_BLUE), method("encode_query(self, question)", _FIRST_AXIS))
    lines = [["Ferry"], ["Net revenue"], ["Harbour"], ["Chart without these words"]]  # with ever longer blue bars
    path = write_pdf(tmp_path / "a.pdf", lines)
    with PageIndex.open(tmp_path / "index", encoder=told, settings=small_settings()) as index:
        index.add(path)
        found = [hit.ref.page for hit in index.search("net revenue")]
    assert found[:2] == [4, 2]


# .72 of the best similarity without a long blue bar; the rest of the vector makes any two pictures different.
_BY_BLUE = """
        seen = page.picture.astype(float)
        like = 1.0 if (seen[:, :, 2] - seen[:, :, 0] > 50).mean() > 0.017 else 0.72
        turned = seen[:, : seen.shape[1] // 2].mean() / 255
        rest = (1 - like * like) ** 0.5
        return np.array([[like, rest * np.cos(turned), rest * np.sin(turned)]])
"""
_FIRST_AXIS = "return np.array([[1.0, 0.0, 0.0]]), [question]"
