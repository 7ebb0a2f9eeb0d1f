"""The package as others get it: what the wheel holds, what importing costs, and who may import what."""

from __future__ import annotations

import ast
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from radon.complexity import cc_visit

ROOT = Path(__file__).parent.parent
ROOMS = ("indexing", "tools", "agent")  # in the order in which data goes: each may import those before it
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
EXTRAS = [text for extra in PROJECT["project"]["optional-dependencies"].values() for text in extra]
HEAVY = {"torch", "transformers", "colpali_engine", "sentence_transformers", "pymilvus", "milvus_lite", "langgraph"}
HEAVY |= {
    "langchain_core",
    "langchain_google_genai",
    "numpy",
    "PIL",
    "pypdfium2",
    "rapidocr",
    "cv2",
    "pydantic_settings",
}


def sources() -> Iterator[tuple[str, str, ast.Module]]:
    """(room, path in the repository, syntax tree) of each module."""
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            yield room, str(path.relative_to(ROOT)), ast.parse(path.read_text())


def imports(tree: ast.Module) -> Iterator[str]:
    """The dotted names that a module imports, wherever in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports say pagesight.…"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def run(*command: str | Path, cwd: Path | None = None) -> str:
    """What the command prints on stdout; fails the test with what it prints on stderr."""
    done = subprocess.run([str(part) for part in command], cwd=cwd, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


# the wheel


@pytest.fixture(scope="session")
def built(tmp_path_factory) -> Path:
    """A folder with the wheel and the source archive, built offline from a copy of the tree."""
    tree = tmp_path_factory.mktemp("tree with spaces")
    for room in (*ROOMS, "samples"):
        shutil.copytree(ROOT / room, tree / room, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tree)
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", tree / "dist", tree)
    return tree / "dist"


@pytest.fixture(scope="session")
def bare(built, tmp_path_factory) -> Path:
    """The Python of an environment that holds the wheel; its dependencies come from the environment of the tests."""
    home = tmp_path_factory.mktemp("bare")
    venv.create(home, with_pip=True)
    python = home / "bin" / "python"
    run(python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", *built.glob("*.whl"))
    # A path in a .pth file does not read the .pth files found there: the editable install stays invisible.
    paths = [path for path in sys.path if path.endswith("-packages")]
    site = next(home.glob("lib/python3.*/site-packages"))
    (site / "dependencies.pth").write_text("\n".join(paths))
    return python


def test_the_wheel_holds_every_module_and_nothing_else(built):
    wheel = next(built.glob("*.whl"))
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    expected = {f"pagesight/{path}" for _, path, _ in sources()}
    samples = {f"pagesight/samples/{path.name}" for path in (ROOT / "samples").glob("*.p[dy]*")}  # for `pagesight demo`
    page = {f"pagesight/{path.relative_to(ROOT)}" for path in (ROOT / "agent" / "servers" / "web" / "static").iterdir()}
    page.add("pagesight/agent/answers/claims/german_reasons.json")
    assert names == expected | samples | page | {f"pagesight/{room}/py.typed" for room in ROOMS}


def test_a_registry_would_take_the_archives(built):
    run(sys.executable, "-m", "twine", "check", "--strict", *built.iterdir())


@pytest.mark.slow
def test_the_demo_runs_without_a_clone(bare, tmp_path):
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache"), "PAGESIGHT_REASONER": "offline"}
    done = subprocess.run(
        [bare.parent / "pagesight", "demo"], capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=900
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "documents: 6 added" in done.stdout
    assert "mean interest rate of 4.3 per cent" in done.stdout
    assert done.stdout.count("No language model was used") == 2
    assert done.stdout.count("Ohne Sprachmodell beantwortet") == 1


def test_the_wheel_says_its_licence_and_brings_the_command(built):
    files = zipfile.ZipFile(next(built.glob("*.whl")))
    texts = {Path(name).name: files.read(name).decode() for name in files.namelist() if ".dist-info/" in name}
    assert "License-Expression: MIT" in texts["METADATA"]
    assert "MIT License" in texts["LICENSE"]
    assert "pagesight = pagesight.agent.cli:run" in texts["entry_points.txt"]


def test_the_source_archive_builds_the_same_wheel(built, tmp_path):
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        archive.extractall(tmp_path, filter="data")
    tree = next(tmp_path.glob("pagesight-*"))
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path / "again", tree)
    first, again = (sorted(zipfile.ZipFile(next(d.glob("*.whl"))).namelist()) for d in (built, tmp_path / "again"))
    assert first == again


def test_installed_beside_somebody_elses_tools(bare, tmp_path):
    (tmp_path / "tools.py").write_text("OWN = True\n")
    script = (
        "import tools, sys, pagesight.agent, pagesight.tools, pagesight.indexing;"
        "assert tools.OWN; print(*sorted({m.__file__ for n, m in sys.modules.items()"
        " if n.startswith('pagesight.') and n.count('.') == 1}), sep='\\n')"
    )
    files = run(bare, "-c", script, cwd=tmp_path).split("\n")[:-1]
    assert len(files) >= 3
    assert all(file.startswith(str(bare.parent.parent)) for file in files)


def test_the_installed_command_runs(bare, tmp_path):
    version = PROJECT["project"]["version"]
    assert run(bare.parent / "pagesight", "--version", cwd=tmp_path).strip() == f"pagesight {version}"


# what importing costs


def test_help_imports_nothing_heavy():
    script = (
        "import sys, json; from pagesight.agent.cli import main; status = main(['--help']);"
        "print('\\n' + json.dumps([status, sorted({name.split('.')[0] for name in sys.modules})]))"
    )
    status, loaded = json.loads(run(sys.executable, "-c", script).splitlines()[-1])
    assert status == 0
    assert not HEAVY & set(loaded)


def test_help_comes_at_once():
    """By what it loads: beside typer some modules of ours, and few of Python's."""

    def loaded(code: str) -> set[str]:
        found: list[str] = json.loads(run(sys.executable, "-c", f"{code}\nprint('\\n' + {names})").splitlines()[-1])
        return set(found)

    names = "__import__('json').dumps(sorted(__import__('sys').modules))"
    more = loaded("from pagesight.agent.cli import main; main(['--help'])") - loaded("import typer")
    assert 20 < len(more) <= 70, sorted(more)  # 61 in November 2026


@pytest.mark.slow
def test_every_module_imports_with_the_core_alone_and_connects_to_nothing():
    script = """
import importlib, pkgutil, sys
extra = {"torch", "torchvision", "transformers", "colpali_engine", "sentence_transformers"}
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in extra:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Absent())
def audit(event, arguments):
    assert event not in ("socket.connect", "socket.bind", "socket.getaddrinfo", "subprocess.Popen"), (event, arguments)
sys.addaudithook(audit)
for room in ("agent", "tools", "indexing"):
    package = importlib.import_module(f"pagesight.{room}")
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        importlib.import_module(module.name)
        print(module.name)
"""
    assert "pagesight.agent.cli" in run(sys.executable, "-c", script).splitlines()


def test_every_dependency_ends_below_a_version_and_starts_at_one():
    texts = PROJECT["project"]["dependencies"] + EXTRAS + PROJECT["build-system"]["requires"]
    texts += [text for group in PROJECT["dependency-groups"].values() for text in group if isinstance(text, str)]
    for requirement in map(Requirement, texts):
        operators = {specifier.operator for specifier in requirement.specifier}
        assert "<" in operators, f"{requirement} has no upper bound"
        # torchvision's versions follow torch's, and each fits one of them only.
        assert ">=" in operators or requirement.name == "torchvision", f"{requirement} has no lower bound"


# who may do what


def test_imports_never_go_backwards():
    for room, path, tree in sources():
        for name in imports(tree):
            if name.startswith("pagesight."):
                target = name.split(".")[1]
                assert ROOMS.index(target) <= ROOMS.index(room), f"{path} imports {name}"


#: The rooms within each package, in the order in which data goes; those of one row may import each other.
ORDER = {
    "indexing": """
        errors configuration settings pages parallel open_calls
        labels
        calls
        lexical
        vectors corrections
        documents
        conversion
        page_text values page_kinds
        encoders
        rerankers
        highlight
        storage
        outlines
        preparing
        snapshot
        milvus
        opening
        writing
        ranking
        retrieve
        ingest audit shards
        integrity
        index_pages index_reader
        index
        evaluate testing
    """,
    "tools": """
        messages allowed_documents
        gemini_service
        budget
        transport
        outline page_words
        search_pages view_pages list_documents box_reply masks
        read_pages
        locate
    """,
    "agent": """
        request threads
        hydrate
        answers
        prompts reasoners
        loop run
        graph asking testing sweeps
        subagent
        reports evaluate
        servers
        mcp studio
        terminal
        cli
    """,
}


def room_of(name: str) -> tuple[str, str]:
    """``pagesight.indexing.storage.folder`` or ``indexing/storage/folder.py`` → ("indexing", "storage")."""
    parts = name.removeprefix("pagesight.").removesuffix(".py").replace("/", ".").split(".")
    return parts[0], parts[1] if len(parts) > 1 else "__init__"


def test_rooms_import_only_those_before_them():
    places = {
        package: {room: row for row, rooms in enumerate(text.strip().splitlines()) for room in rooms.split()}
        for package, text in ORDER.items()
    }
    backward = {}
    for package, path, tree in sources():
        home, room = room_of(path)
        if room == "__init__":  # the front doors
            continue
        assert room in places[home], f"{path} is in no row of ORDER"
        for name in imports(tree):
            owner, target = room_of(name) if name.startswith("pagesight.") else ("", "")
            if owner == package and target in places[owner] and places[owner][target] > places[owner][room]:
                backward.setdefault((f"{home}.{room}", f"{owner}.{target}"), f"{path} imports {name}")
    assert backward == {}


CLAIM_ROOMS = ["answer_text", "words", "polarity", "numbers"]


def test_the_rooms_of_the_check_of_claims_import_only_those_before_them():
    front = "pagesight.agent.answers.claims."
    later = [
        (path, name)
        for _, path, tree in sources()
        if path.startswith("agent/answers/claims/") and (room := path.split("/")[3]) in CLAIM_ROOMS
        for name in imports(tree)
        if name.startswith(front) and name.split(".")[4] in CLAIM_ROOMS[CLAIM_ROOMS.index(room) + 1 :]
    ]
    assert later == []


def test_no_function_is_complex():
    """As radon counts it, comprehensions and boolean operators too: at most 12."""
    found = {
        f"{path}: {block.fullname}": block.complexity
        for path in (path for package in ("agent", "tools", "indexing") for path in (ROOT / package).rglob("*.py"))
        for block in cc_visit(path.read_text())
    }
    assert len(found) > 3000
    assert {name: count for name, count in found.items() if count > 12} == {}


def test_pymilvus_is_imported_in_one_place():
    owners = {path for _, path, tree in sources() if any(name.split(".")[0] == "pymilvus" for name in imports(tree))}
    assert owners == {"indexing/milvus/client.py"}


def test_the_environment_is_read_in_one_place():
    for _, path, tree in sources():
        names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)} | {*imports(tree)}
        found = {name for name in names if name.split(".")[-1] in ("environ", "environb", "getenv", "load_dotenv")}
        assert not found or path == "indexing/configuration/environment.py", f"{path} uses {found}"


def test_every_import_is_declared():
    declared = {canonical(Requirement(text).name) for text in PROJECT["project"]["dependencies"] + EXTRAS}
    owners = importlib.metadata.packages_distributions()
    for _, path, tree in sources():
        for top in {name.split(".")[0] for name in imports(tree)} - set(sys.stdlib_module_names) - {"pagesight"}:
            distributions = {canonical(name) for name in owners.get(top, [top])}
            assert distributions & declared, f"{path} imports {top}, which pyproject.toml does not name"


# the pinned sets


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(name: str) -> dict[str, set[str]]:
    """Package → its pinned versions (more than one where Python versions differ)."""
    found: dict[str, set[str]] = {}
    for package, version in re.findall(
        r"^([\w.-]+)(?:\[.*\])?==(\S+)", (ROOT / "requirements" / name).read_text(), re.M
    ):
        found.setdefault(canonical(package), set()).add(version)
    return found


@pytest.mark.parametrize("name", ["uv.txt", "core.txt", "http.txt", "all.txt", "peers.txt", "plaid.txt", "milvus.txt"])
def test_pins_have_hashes_and_no_addresses(name):
    text = (ROOT / "requirements" / name).read_text()
    assert not re.search(r"://|--(extra-)?index-url|--find-links|^-e|@ file", text, re.M)
    for entry in re.split(r"\n(?=\S)", text):
        assert entry.startswith("#") or "--hash=sha256:" in entry, entry


def test_pins_agree_and_cover_what_is_asked_for():
    core, http, everything = pins("core.txt"), pins("http.txt"), pins("all.txt")
    assert "torch" not in core
    assert set(core) <= set(http)
    assert all(everything[package] == versions for part in (core, http) for package, versions in part.items())
    extras = PROJECT["project"]["optional-dependencies"]
    asked = [(http, text) for text in extras["http"]]
    asked += [(core, text) for text in PROJECT["project"]["dependencies"] + PROJECT["dependency-groups"]["build"]]
    groups = [
        text for group in ("dev", "test") for text in PROJECT["dependency-groups"][group] if isinstance(text, str)
    ]
    asked += [(everything, text) for text in EXTRAS + groups]
    for pinned, text in asked:
        requirement = Requirement(text)
        versions = pinned[canonical(requirement.name)]
        assert any(requirement.specifier.contains(version) for version in versions), text
