"""Makes the two indexes that are kept for later versions to open, in the format of the version that runs this.

    python tests/make_format_fixture.py FOLDER

Writes FOLDER/words.tar.gz, by the lexical encoder, with metadata and a conversation, and FOLDER/pictures.tar.gz, by a
vision encoder of random weights, with pooled int8 vectors. test_formats.py opens what earlier versions made.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from pathlib import Path

import tiny_checkpoints
import tiny_repositories
from small_index import write_pdf

ROOT = Path("/srv/pagesight-fixture")  # where the documents of everybody's fixture were
VISION = "vidore/colqwen2-v1.0"
QUESTION = "How high was the net revenue?"


def documents(folder: Path) -> None:
    """A report of ten pages, more than one batch, and a sheet with a sidecar."""
    folder.mkdir(parents=True)
    lines = [["Annual report 2023"], ["Net revenue rose to 4.2 billion euros in 2023."]]
    lines += [[f"Appendix {number}", f"Table of auxiliary figures {number}"] for number in range(3, 11)]
    write_pdf(folder / "report.pdf", lines)
    write_pdf(folder / "datenblatt ü.pdf", [["Datenblatt Pumpe P7", "Die Leistungsaufnahme beträgt 42 Watt."]])
    (folder / "datenblatt ü.pdf.meta.json").write_text('{"year": 2021, "kind": "sheet", "public": true}')


def pagesight(*arguments: str, said: str = "", cache: Path | None = None) -> None:
    """Runs a command in the folder of the documents, with the encoder's weights in a hub cache of its own."""
    kept = {"HF_HUB_CACHE": str(cache), "HF_HUB_OFFLINE": "1"} if cache else {}
    command = [sys.executable, "-m", "pagesight.agent.cli", *arguments]
    subprocess.run(command, cwd=ROOT, input=said, text=True, check=True, env=os.environ | kept)


def packed(index: Path, archive: Path) -> None:
    """Packs an index, without who made it and when."""

    def plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = ""
        return entry

    with tarfile.open(archive, "w:gz") as file:
        file.add(index, "index", filter=plain)


def vision_cache(folder: Path) -> Path:
    """A hub cache with a tiny checkpoint under a published name."""
    tiny_checkpoints.colqwen2(tiny_repositories.snapshot(folder, VISION))
    return folder


def main(target: Path) -> None:
    """Makes both archives in a folder."""
    target.mkdir(parents=True, exist_ok=True)
    documents(ROOT / "documents")
    pagesight("index", "documents", "--meta", "source=fixture", "--index", "words")
    pagesight("chat", "--index", "words", said=f"{QUESTION}\nAnd the pump?\n")
    cache = vision_cache(ROOT / "cache")
    made = ("--encoder", VISION, "--precision", "int8", "--pool", "2")
    pagesight("index", "documents", "--index", "pictures", *made, cache=cache)
    for name in ("words", "pictures"):
        packed(ROOT / name, target / f"{name}.tar.gz")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
