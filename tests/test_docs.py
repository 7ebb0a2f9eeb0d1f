"""Every command in README and docs does what it says there: it is run on the samples, and what it prints is compared.

What needs weights, a server, a key or minutes is not run: its command and its options must exist. Numbers, dates and
folders may differ from what the page shows; "…" stands for any lines, and at a line's end for its rest.
"""

from __future__ import annotations

import io
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from pagesight.agent.cli import main
from pagesight.indexing import PageIndex

ROOT = Path(__file__).parent.parent
SAMPLES = sorted((ROOT / "samples").glob("*.pdf"))
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "docs" / "skill").rglob("*.md"))]

#: Words that keep a command from being run: it goes on for ever, takes minutes, or needs weights, a key or a server.
NOT_RUN = {"mcp", "serve-http", "web", "demo", "eval", "audit", "--encoder", "--live", "--token", "--purge", "--rerank"}
NOT_RUN |= {"-v", "classify"}


def blocks(page: Path) -> Iterator[str]:
    """What stands between fences of the page that hold commands."""
    for language, text in re.findall(r"^```(\w*)\n(.*?)^```$", page.read_text(encoding="utf-8"), re.M | re.S):
        if language in ("console", "sh", "bash", ""):
            yield text


def commands(page: Path) -> list[tuple[list[str], list[str]]]:
    """Each `pagesight` command of a page as its words, and the lines that are shown below it."""
    found = []
    for text in blocks(page):
        shown: list[str] = []
        for line in text.splitlines():
            if match := re.match(r"(?:\$ )?(?:export )?(pagesight .*)", line):
                shown = []
                found.append((words(match[1]), shown))
            elif line.strip() and not line.startswith("$"):
                shown.append(line)
    return found


def words(command: str) -> list[str]:
    """The command's words after its name, up to what the shell does with its output."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars="|>;&")
    lexer.whitespace_split = True
    lexer.commenters = "#"
    found = []
    for word in lexer:
        if set(word) <= set("|>;&"):
            break
        found.append(word)
    return found[1:]


def shape(line: str) -> str:
    """A line without what differs from run to run."""
    line = re.sub(r"[^\s“\"'\[]*/", "", line)
    return re.sub(r"\d+(?:[.,:]\d+)*", "0", " ".join(line.split()))


def test_the_pages_have_commands():
    assert sum(len(commands(page)) for page in PAGES) > 50
    assert shape("34 pages in 4.3 s, /a/b c.pdf") == shape("7 pages in 12.0 s, x/b c.pdf") == "0 pages in 0 s, b c.pdf"


def test_links_lead_to_files_and_headings():
    for page in [*PAGES, ROOT / "SECURITY.md", ROOT / "CHANGELOG.md"]:
        for target in re.findall(r"\]\(([^)\s:]+)\)", page.read_text(encoding="utf-8")):
            name, _, heading = target.partition("#")
            found = page.parent / name if name else page
            assert found.exists(), (page.name, target)
            assert not heading or heading in headings(found), (page.name, target)


def headings(page: Path) -> list[str]:
    """A page's headings as links name them."""
    found = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.M)
    return [re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in found]


def test_the_tree_of_rooms_names_every_folder():
    tree = (ROOT / "README.md").read_text(encoding="utf-8").partition("## How it works")[2]
    rooms = {path.parent.name for top in ("indexing", "tools", "agent") for path in (ROOT / top).glob("*/__init__.py")}
    assert not [room for room in rooms if not re.search(rf"(^|[ ,]){room}/", tree, re.M)]


def test_the_page_for_starters_lists_every_command(capsys: pytest.CaptureFixture[str]):
    assert main(["--help"]) == 0
    commands_there = re.findall(r"^  ([a-z]+) ", capsys.readouterr().out.partition("Commands:")[2], re.M)
    start = (ROOT / "docs" / "start.md").read_text(encoding="utf-8")
    assert not [name for name in commands_there if f"| `{name}` |" not in start]


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of two samples, for pages that do not begin with one."""
    folder = tmp_path_factory.mktemp("indexed")
    files = [str(path) for path in SAMPLES if path.name in ("annual-report.pdf", "price-list.pdf")]
    assert main(["index", *files, "--index", str(folder / "index")]) == 0
    return folder / "index"


@pytest.fixture
def desk(own_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder as the pages take it for granted: samples in it, no key, and nobody at the keyboard."""
    (own_folder / "samples").mkdir()
    for path in SAMPLES:
        shutil.copy(path, own_folder / "samples")
    for variable in ("GOOGLE_API_KEY", "GEMINI_API_KEY"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    return own_folder


def runs(command: list[str]) -> bool:
    """Whether the command can be run here."""
    return not NOT_RUN & set(command) and not any("://" in word or "COMMIT" in word for word in command)


def prepared(command: list[str], desk: Path, indexed: Path) -> None:
    """Puts there what a command takes for granted: files of these names, and an index."""
    for folder in command[1:] if command[0] == "index" else []:
        if folder.endswith("/") and not (desk / folder).exists():
            (desk / folder).mkdir()
            shutil.copy(desk / "samples" / "price-list.pdf", desk / folder)
    brings_its_files = any((desk / word).exists() for word in command[2:])
    for place in (".pagesight", "my-index"):
        if command[0] != "index" and not brings_its_files and not (desk / place).exists():
            shutil.copytree(indexed, desk / place)


@pytest.mark.slow
def test_the_check_of_claims_says_what_the_page_for_engineers_shows(indexed: Path, capsys: pytest.CaptureFixture[str]):
    page = (ROOT / "docs" / "engineers.md").read_text(encoding="utf-8")
    (code,) = [text for text in re.findall(r"^```python\n(.*?)^```$", page, re.M | re.S) if "check_claims" in text]
    with PageIndex.open(indexed) as index:
        exec(code, {"index": index})
    assert capsys.readouterr().out.splitlines() == re.findall(r"^# (.*)$", code, re.M)


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_commands_do_what_the_page_shows(page: Path, desk: Path, indexed: Path, capsys: pytest.CaptureFixture[str]):
    for command, shown in commands(page):
        if not runs(command):
            has_its_options(command, capsys)
            continue
        prepared(command, desk, indexed)
        capsys.readouterr()
        status = main(command)
        printed = capsys.readouterr()
        assert status == 0, (command, printed.err)
        lines = [shape(line) for line in (printed.out + printed.err).splitlines()]
        missing = [line for line in shown if not any(fits(line, printed_line) for printed_line in lines)]
        assert not missing, (command, missing, lines)


def fits(shown: str, printed: str) -> bool:
    """Whether a line of a page is one that was printed, by its shape."""
    return printed.startswith(shape(shown)[:-1]) if shown.endswith("…") else printed == shape(shown)


def has_its_options(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """The command exists, and so does each option."""
    names = command[:2] if command[0] == "eval" else command[:1]
    capsys.readouterr()
    assert main([*names, "--help"]) == 0
    known = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", capsys.readouterr().out))
    unknown = [word for word in command if re.match(r"--?[a-z]", word) and word not in known]
    assert not unknown, (command, unknown)
