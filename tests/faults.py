"""Faults put into every kind of file of an index, one at a time, and what comes of each.

    python tests/faults.py        writes the table in docs/trust.md

An outcome is `right` (answers as before, and nothing was said), `told` (something was said that names the file, the
page or the document, and `repair` makes all as before), `told, not repaired` (there is nothing to make it from), or
one of those that must not be: `SILENT`, `UNNAMED`, `WRONG AFTER REPAIR`.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from small_index import small_settings, write_pdf

from pagesight.indexing import PageIndex
from pagesight.indexing.errors import IndexWarning, PagesightError
from pagesight.indexing.integrity.repair import repair
from pagesight.indexing.integrity.verify import verify
from pagesight.indexing.settings import Settings

DOCUMENTS = {
    "ferry.pdf": [["Fleet of ferries", "The ferry Aurora carries 1200 passengers."]],
    "pump.pdf": [["Heat pumps", "The pump Boreas delivers 12 kilowatts."]],
    "annex.pdf": [[f"Annex {number}", f"The buoy {number} lies in the bay."] for number in range(1, 11)],
}
QUESTIONS = ("ferry Aurora passengers", "pump Boreas kilowatts", "buoy 9 in the bay", "annex 4", "heat")
_MILVUS = "milvus.db/collections"
#: Each kind of file, and where files of it lie; the first one of each is harmed.
KINDS = {
    "manifest": "index.json",
    "copy of the manifest": "index.backup.json",
    "list of Milvus' files": "milvus.json",
    "kept document": "documents/*.pdf",
    "document's record": "pages/*/document.json",
    "page file": "pages/*/000001.json",
    "multi-vectors": "multivectors/*/000001.npy",
    "words": "words/*/000001.npy",
    "Milvus: rows": f"{_MILVUS}/pages/**/data/*.parquet",
    "Milvus: candidates": f"{_MILVUS}/candidates/**/data/*.parquet",
    "snapshot": "derived/*.arrays",
    "state of the snapshot": "derived/current.json",
    "Milvus: index of rows": f"{_MILVUS}/pages/**/*.idx",
    "Milvus: schema of rows": f"{_MILVUS}/pages/schema.json",
    "Milvus: schema of candidates": f"{_MILVUS}/candidates/schema.json",
    "Milvus: manifest of rows": f"{_MILVUS}/pages/manifest.json",
    "Milvus: manifest of candidates": f"{_MILVUS}/candidates/manifest.json",
    "Milvus: older manifest of rows": f"{_MILVUS}/pages/manifest.json.prev",
    "Milvus: older manifest of candidates": f"{_MILVUS}/candidates/manifest.json.prev",
    "lock": "lock",
    "Milvus: lock": "milvus.db/LOCK",
}


def halve(path: Path) -> None:
    """Cuts off the second half."""
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def flip(path: Path, at: float) -> None:
    """Flips a bit of the byte at a part of the file."""
    content = bytearray(path.read_bytes())
    if content:
        content[int(len(content) * at)] ^= 0x04
        path.write_bytes(content)


FAULTS: dict[str, Callable[[Path], None]] = {
    "removed": Path.unlink,
    "emptied": lambda path: path.write_bytes(b"") and None,
    "halved": halve,
    "flipped at 10 %": lambda path: flip(path, 0.1),
    "flipped at 50 %": lambda path: flip(path, 0.5),
    "flipped at 90 %": lambda path: flip(path, 0.9),
}


def settings() -> Settings:
    """With so few candidates that the graph over them decides what is found."""
    return small_settings(candidates=4, exhaustive_below=4, hits_per_vector=20)


def made(folder: Path) -> Path:
    """An index of the documents, which are gone then: what it has lost can come from itself alone."""
    sources = folder / "sources"
    sources.mkdir(parents=True)
    for name, pages in DOCUMENTS.items():
        write_pdf(sources / name, pages)
    with PageIndex.open(folder / "index", settings=settings()) as index:
        index.add(sources)
        index.correct(index.page("ferry.pdf p. 1"), "1200", "1250")
    shutil.rmtree(sources)
    return folder / "index"


def answers(index: PageIndex) -> list[Any]:
    """What people see of an index: documents, answers, texts and pages."""
    hits = [[(hit.label, hit.lines) for hit in index.search(question, top_k=3)] for question in QUESTIONS]
    pages = [ref for record in index.documents() for ref in record.page_refs]
    shown = [index.picture(ref, long_side=20).tobytes() for ref in pages]
    words = [index.words(ref).text for ref in pages]
    return [index.documents(), index.corrections(), hits, [index.text(ref) for ref in pages], words, shown]


@contextmanager
def said() -> Iterator[list[str]]:
    """What is said in the block, by warnings and by an error that ends it."""
    texts: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            yield texts
        except PagesightError as error:
            texts.append(str(error))
        texts += [str(warning.message) for warning in caught if issubclass(warning.category, IndexWarning)]


def outcome(whole: Path, folder: Path, kind: str, fault: str, before: list[Any]) -> str:
    """What comes of a fault in a copy of a whole index, which is made in ``folder``."""
    shutil.copytree(whole, folder)
    path = sorted(folder.glob(KINDS[kind]))[0]
    FAULTS[fault](path)
    named = [path.name, path.parent.name if path.parent.parent.parent == folder else path.name, *DOCUMENTS]
    seen = looked_at(folder)
    if seen[0] == before and not seen[1]:
        verdict = "right"
    elif not seen[1]:
        return "SILENT"
    elif not any(name in text for name in named for text in seen[1]):
        return "UNNAMED"
    else:
        verdict = "told"
    with said() as complaints:
        left = repair(str(folder), settings()).left
    if complaints:
        return "UNNAMED" if not any(name in text for name in named for text in complaints) else "told, not repaired"
    if left:
        return "told, not repaired" if any(name in one.what for name in named for one in left) else "UNNAMED"
    if looked_at(folder) != (before, []) or verify(str(folder), settings()).damage:
        return "WRONG AFTER REPAIR"
    return verdict


def looked_at(folder: Path) -> tuple[list[Any], list[str]]:
    """The answers of an index, as far as it gives any, and what was said meanwhile."""
    found: list[Any] = []
    with said() as texts, PageIndex.open(folder, settings=settings(), create=False) as index:
        found = answers(index)
    return found, texts


def table(folder: Path, told: Callable[[str], object] = lambda line: None) -> dict[str, Counter[str]]:
    """The outcomes of all faults in each kind of file."""
    whole = made(folder / "whole")
    before, complaints = looked_at(whole)
    assert not complaints, complaints
    outcomes: dict[str, Counter[str]] = {}
    for kind in KINDS:
        outcomes[kind] = Counter()
        for fault in FAULTS:
            found = outcome(whole, folder / "harmed", kind, fault, before)
            told(f"{kind}, {fault}: {found}")
            outcomes[kind][found] += 1
            shutil.rmtree(folder / "harmed")
    return outcomes


def as_markdown(outcomes: dict[str, Counter[str]]) -> str:
    """The table, as it stands in docs/trust.md."""
    kinds = sorted({found for counts in outcomes.values() for found in counts}, key=lambda one: (one.isupper(), one))
    lines = [f"| file | {' | '.join(kinds)} |", f"|---{'|---' * len(kinds)}|"]
    lines += [
        f"| {kind} | {' | '.join(str(counts[found] or '') for found in kinds)} |" for kind, counts in outcomes.items()
    ]
    total = sum(outcomes.values(), Counter[str]())
    return "\n".join([*lines, f"| all | {' | '.join(str(total[found]) for found in kinds)} |"])


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        made_table = as_markdown(table(Path(scratch), lambda line: print(line, file=sys.stderr)))
    page = Path(__file__).parent.parent / "docs" / "trust.md"
    start, end = "<!-- faults -->\n", "<!-- /faults -->"
    before_it, _, rest = page.read_text().partition(start)
    page.write_text(f"{before_it}{start}{made_table}\n{end}{rest.partition(end)[2]}")
