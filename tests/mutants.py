"""Small changes made to the code by cosmic-ray, one at a time, and whether the tests near it notice.

    python tests/mutants.py [EACH] [SEED] [KIND...] [PATH:LINE...]

So many of each kind, by default 20; with all kinds it writes docs/mutants.md. Of the named kinds, lines keep of what
is drawn only the changes at these, such as those that survived before. `make mutants` runs it.

cosmic-ray changes files where they lie, and our packages lie outside the folder `pagesight` that they are imported
from: so each kind is done in a copy of the tree with a folder `pagesight` of links, on PYTHONPATH. Changes of
annotations, which nothing reads, are left out, and of lines that only decide what the log says or how much a cache
keeps. mutmut fits less: it wants the packages at the paths that they are imported by, and runs all tests of a suite.
"""

from __future__ import annotations

import ast
import json
import os
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
PLACE = ROOT / ".cache" / "mutants"
_COPIED = ("indexing", "tools", "agent", "tests", "samples", "pyproject.toml", "README.md", "docs")
_SECONDS = 300  # a mutant whose tests take longer counts as caught: it hangs
_SOCKET = "tests.socket"
_ONLY_TOLD = re.compile(r"_log\.|monotonic\(\)|lru_cache|_ms\(")


@dataclass(frozen=True)
class Kind:
    """The files that are changed, and the tests that are run."""

    files: tuple[str, ...]
    tests: tuple[str, ...]


KINDS = {
    "ranking": Kind(("indexing/retrieve.py", "indexing/ranking/rank_pages.py",
                     "indexing/ranking/search.py", "indexing/lexical/document_prior.py"),
                    ("test_ranking.py", "test_query.py", "test_document_prior.py", "test_quality_floors.py",
                     "test_follow_ups.py", "test_damage.py::test_a_warning_lists_some_of_many_damaged_pages")),
    "candidates": Kind(("indexing/vectors/centroids.py", "indexing/snapshot/vector_lists.py"),
                       ("test_maxsim.py", "test_candidates.py")),
    "MaxSim": Kind(("indexing/vectors/maxsim.py",), ("test_maxsim.py",)),
    "terms": Kind(("indexing/lexical/bm25.py", "indexing/lexical/tokens.py", "indexing/snapshot/term_postings.py"),
                  ("test_bm25.py", "test_query.py", "test_lexical.py", "test_languages.py", "test_candidates.py")),
    "commit order": Kind(("indexing/writing/commit.py", "indexing/storage/atomic_files.py"),
                         ("test_cut_off.py::test_what_must_be_on_the_disk_before_what", "test_commit.py",
                          "test_page_kinds.py::test_kinds_are_kept_and_come_with_hits",
                          "test_several_encoders.py::test_an_index_is_made_with_two_and_searched_by_both")),
    "budgets": Kind(("tools/budget.py",), ("test_budget_left.py",)),
    "hydration": Kind(("agent/hydrate.py",), ("test_conversation.py", "test_shared_messages.py", "test_budgets.py",
                                             "test_cut_histories.py", "test_additions.py", "test_attached_images.py",
                                             "test_transport.py")),
    "citations": Kind(("agent/answers/citations.py", "agent/answers/citation_check.py"),
                      ("test_citations.py", "test_cut_histories.py")),
    "retries": Kind(("indexing/calls/retries.py",), ("test_retries.py",)),
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """A change of one place, and whether the tests noticed."""

    kind: str
    path: str
    line: int
    change: str
    caught: bool


def mutants(kind: str, each: int, seed: int, lines: Collection[str] = ()) -> list[Mutant]:
    """Makes so many mutants of a kind and runs the tests near them; of these only those at the lines, if any."""
    tree = _tree(kind)
    config, session = tree / "mutants.toml", tree / "mutants.sqlite"
    config.write_text(_config(KINDS[kind]))
    with _served(tree, KINDS[kind]) as ask:
        baseline = _run(tree, *ask, check=False)
        assert baseline.returncode == 0, f"{kind}: its tests fail without any change"
        _run(tree, _cosmic_ray(), "init", config.name, session.name)
        _keep(session, tree, each, seed, lines)
        _run(tree, _cosmic_ray(), "exec", config.name, session.name)
        _run(tree, *ask)  # who runs the tests is still there, so what counts as caught was
    return list(_results(kind, session))


@contextmanager
def _served(tree: Path, kind: Kind) -> Iterator[list[str]]:
    """A process that runs the tests, and the command that asks it to."""
    place, quiet = tree / _SOCKET, ("-x", "-q", "-p", "no:cacheprovider", f"--basetemp={tree / 'tmp'}")
    tests = [f"tests/{name}" for name in kind.tests]
    command = [sys.executable, "tests/warm_pytest.py", "serve", _SOCKET, *quiet, *tests]
    process = subprocess.Popen(command, cwd=tree, env=os.environ | _settings(tree))
    try:
        while not place.exists():
            assert process.poll() is None, "it does not start"
            time.sleep(0.1)
        yield _ask()
    finally:
        process.kill()
        process.wait()


def _ask() -> list[str]:
    return [sys.executable, "-S", "-E", "tests/warm_pytest.py", "ask", _SOCKET]


def _tree(kind: str) -> Path:
    tree = PLACE / kind.replace(" ", "-")
    shutil.rmtree(tree, ignore_errors=True)
    (tree / "pagesight").mkdir(parents=True)
    for name in _COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, tree / name)
    for name in ("indexing", "tools", "agent"):
        (tree / "pagesight" / name).symlink_to(tree / name)
    # By their content: a file that is changed twice within a second is compiled anew.
    _run(tree, sys.executable, "-m", "compileall", "-q", "--invalidation-mode", "checked-hash", *_COPIED[:4])
    return tree


def _config(kind: Kind) -> str:
    return f"""[cosmic-ray]
module-path = {json.dumps(list(kind.files))}
timeout = {_SECONDS}
excluded-modules = []
test-command = "{" ".join(_ask())}"
[cosmic-ray.distributor]
name = "local"
"""


def _run(tree: Path, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=tree, env=os.environ | _settings(tree), check=check, capture_output=True, text=True
    )


def _settings(tree: Path) -> dict[str, str]:
    return {"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}


def _cosmic_ray() -> str:
    return str(ROOT / ".venv-mutants" / "bin" / "cosmic-ray")


def _keep(session: Path, tree: Path, each: int, seed: int, wanted: Collection[str]) -> None:
    """Leaves so many mutants in the session, one of each kind at a place, none of them in an annotation."""
    with sqlite3.connect(session) as database:
        asked = "select job_id, module_path, start_pos_row, start_pos_col, operator_name from mutation_specs"
        found = list(database.execute(f"{asked} order by module_path, operator_name, occurrence"))
        annotated = {path: _annotations(tree / path) for path in {path for _, path, *_ in found}}
        lines = {path: (tree / path).read_text().splitlines() for path in annotated}
        places: dict[tuple[object, ...], list[str]] = {}  # one operator has a dozen mutants at each place
        for job, path, row, column, operator in found:
            if not _is_in(annotated[path], (row, column)) and not _ONLY_TOLD.search(lines[path][row - 1]):
                places.setdefault((path, row, column, operator.split("_")[0]), []).append(job)
        chance = random.Random(seed)
        read = [chance.choice(jobs) for jobs in places.values()]
        at = {job: f"{path}:{row}" for job, path, row, *_ in found}
        kept = {job for job in chance.sample(read, min(each, len(read))) if not wanted or at[job] in wanted}
        for job in (job for job, *_ in found if job not in kept):
            database.execute("delete from mutation_specs where job_id = ?", (job,))
            database.execute("delete from work_items where job_id = ?", (job,))
    database.close()


def _annotations(path: Path) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """From where to where the annotations of a file go: lines from 1, columns from 0."""
    places = []
    for node in ast.walk(ast.parse(path.read_text())):
        for name in ("annotation", "returns"):
            if isinstance(noted := getattr(node, name, None), ast.expr):
                places.append(((noted.lineno, noted.col_offset), (noted.end_lineno or 0, noted.end_col_offset or 0)))
    return places


def _is_in(places: list[tuple[tuple[int, int], tuple[int, int]]], at: tuple[int, int]) -> bool:
    return any(start <= at < end for start, end in places)


def _results(kind: str, session: Path) -> Iterator[Mutant]:
    asked = """select module_path, start_pos_row, test_outcome, worker_outcome, diff from mutation_specs
        join work_results using (job_id) order by module_path, start_pos_row"""
    with sqlite3.connect(session) as database:
        for path, row, outcome, worker, diff in database.execute(asked):
            if worker == "SKIPPED":
                continue
            lines = [line for line in (diff or "").splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")]
            yield Mutant(kind, path, row, " → ".join(line[1:].strip() for line in lines), outcome != "SURVIVED")
    database.close()


def as_markdown(found: dict[str, list[Mutant]]) -> str:
    """The table of all kinds, as it stands in docs/mutants.md."""
    lines = ["| what | mutants | caught | |", "|---|---|---|---|"]
    every: list[Mutant] = [mutant for several in found.values() for mutant in several]
    for name, several in {**found, "all": every}.items():
        caught = sum(mutant.caught for mutant in several)
        lines.append(f"| {name} | {len(several)} | {caught} | {100 * caught / max(1, len(several)):.0f} % |")
    return "\n".join(lines)


def main(each: int, seed: int, names: list[str], lines: Collection[str] = ()) -> dict[str, list[Mutant]]:
    """All kinds, two at a time; tells of each survivor."""

    def done(name: str) -> tuple[str, list[Mutant]]:
        several = mutants(name, each, seed, lines)
        for mutant in several:
            if not mutant.caught:
                print(f"survived: {mutant.path}:{mutant.line}: {mutant.change}", flush=True)
        print(f"{name}: {sum(one.caught for one in several)} of {len(several)} caught", flush=True)
        return name, several

    with ThreadPoolExecutor(2) as pool:
        return dict(pool.map(done, names))


if __name__ == "__main__":
    given: list[Any] = sys.argv[1:]
    named, at_lines = [one for one in given[2:] if one in KINDS], [one for one in given[2:] if one not in KINDS]
    results = main(int(given[0]) if given else 20, int(given[1]) if given[1:] else 1, named or [*KINDS], at_lines)
    table = as_markdown(results)
    print(table)
    page = ROOT / "docs" / "mutants.md"
    if not given[2:] and page.exists():
        before, start, rest = page.read_text().partition("<!-- mutants -->\n")
        page.write_text(f"{before}{start}{table}\n<!-- /mutants -->{rest.partition('<!-- /mutants -->')[2]}")
