"""Files below `derived/` that others wrote, with checksums that are right: made anew or told, nothing else touched."""

from __future__ import annotations

import contextlib
import json
import shutil
import warnings
import zlib
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_index import small_settings, write_pdf

from pagesight.indexing import PageIndex
from pagesight.indexing.errors import PagesightError
from pagesight.indexing.snapshot.array_file import ArrayFile, write_arrays

FERRY = ["Fleet of ferries", "The ferry Aurora carries 1200 passengers."]
PUMP = ["Heat pumps", "The pump Boreas delivers 12 kilowatts."]
SETTINGS = small_settings(exhaustive_below=0, candidates=2)

Arrays = dict[str, np.ndarray]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an index of two documents, and files beside it that are nobody's business."""
    folder = tmp_path_factory.mktemp("made")
    with PageIndex.open(folder / "i", settings=SETTINGS) as index:
        index.add([write_pdf(folder / "ferry.pdf", [FERRY, ["Annex"]]), write_pdf(folder / "pump.pdf", [PUMP])])
    for name in ("victim.arrays", "victim.faiss"):
        (folder / name).write_text("whole")
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "made"))


def changed(index: Path, change: Callable[[Arrays, dict[str, Any]], object]) -> None:
    """Writes the segment anew, with other arrays or facts, and checksums that are right."""
    path = next((index / "derived").glob("*.arrays"))
    file = ArrayFile(path)
    arrays = {name: file.all(name).copy() for name in file.names}
    facts = dict(file.facts)
    change(arrays, facts)
    write_arrays(path, arrays, facts)


def published(index: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Writes the state anew."""
    path = index / "derived" / "current.json"
    state = json.loads(json.loads(path.read_bytes())["snapshot"])
    change(state)
    text = json.dumps(state)
    path.write_text(json.dumps({"snapshot": text, "check": zlib.crc32(text.encode())}))


def put(arrays: Arrays, name: str, texts: list[bytes]) -> None:
    arrays[f"{name}.starts"] = np.append(0, np.cumsum([len(text) for text in texts])).astype(np.int64)
    arrays[f"{name}.bytes"] = np.frombuffer(b"".join(texts), np.uint8)


def json_changed(name: str, **fields: Any) -> Callable[[Arrays, dict[str, Any]], None]:
    def change(arrays: Arrays, facts: dict[str, Any]) -> None:
        starts, content = arrays[f"{name}.starts"], arrays[f"{name}.bytes"].tobytes()
        texts = [json.loads(content[start:stop]) for start, stop in pairwise(starts)]
        put(arrays, name, [json.dumps(text | fields).encode() for text in texts])

    return change


def array(name: str, value: Callable[[np.ndarray], np.ndarray]) -> Callable[[Arrays, dict[str, Any]], None]:
    def change(arrays: Arrays, facts: dict[str, Any]) -> None:
        arrays[name] = value(arrays[name])

    return change


NUMBERS = ("terms.holders", "vector_starts:", "rows.starts", "pages")
OF_DOCUMENTS: list[dict[str, Any]] = [
    {"document_id": "../../victim"},
    {"document_id": "0123456789abcdef"},
    {"document": 7},
    {"path": None},
    {"path": "a\0b"},
    {"page_count": 10**7},
    {"ordinal": "x"},
    {"metadata": [1]},
    {"more": 1},
    {"encoders": 7},
]
OF_PAGES: list[dict[str, Any]] = [
    {"batch": "../../victim"},
    {"batch": 9},
    {"page": 2},
    {"vectors": -1},
    {"checksum": "../x"},
    {"more_encoders": {"../../victim": {"vectors": 1}}},
    {"document_id": "0123456789abcdef"},
]
CHANGES: dict[str, Callable[[Arrays, dict[str, Any]], object]] = {
    **{f"{name}: negative": array(name, lambda one: one * 0 - 1) for name in NUMBERS},
    **{f"{name}: huge": array(name, lambda one: one * 0 + 2**30) for name in NUMBERS},
    **{f"{name}: other type": array(name, lambda one: one.astype(np.float64)) for name in NUMBERS},
    **{f"{name}: shorter": array(name, lambda one: one[:-1]) for name in NUMBERS},
    **{f"{name}: gone": lambda arrays, facts, name=name: arrays.pop(name) for name in NUMBERS},
    **{f"of documents: {fields}": json_changed("described", **fields) for fields in OF_DOCUMENTS},
    **{f"of pages: {fields}": json_changed("rows", **fields) for fields in OF_PAGES},
    "no JSON": lambda arrays, facts: put(arrays, "rows", [b"{", b"[1]", b'"x"']),
    "deep JSON": lambda arrays, facts: put(arrays, "described", [b"[" * 100_000] * 2),
    "no UTF-8": lambda arrays, facts: put(arrays, "texts", [b"\xff"] * 3),
    "vectors of other pages": array("vector_starts:", lambda one: one[::-1].copy()),
    "vectors of another size": array("vectors:", lambda one: one[:, :7]),
    "lists that are none": lambda arrays, facts: facts["encoders"][""].update(lists={"size": 1}),
    "lists elsewhere": lambda arrays, facts: facts["encoders"][""].update(lists="../../victim"),
    "an encoder whose id leads out": lambda arrays, facts: facts["encoders"].update({"../../victim": {"dim": 128}}),
    "no encoders": lambda arrays, facts: facts.update(encoders=7),
    "no facts": lambda arrays, facts: facts.clear(),
}
STATES: dict[str, Callable[[dict[str, Any]], object]] = {
    "a name that leads out": lambda state: state["parts"][0].update(name="../../victim"),
    "a part more, whose name leads out": lambda state: state["parts"].append(
        {"name": "../../victim", "documents": 1, "pages": 1, "hidden": [0]}
    ),
    "hidden: none of it": lambda state: state["parts"][0].update(hidden=[99]),
    "hidden: negative": lambda state: state["parts"][0].update(hidden=[-1]),
    "more documents": lambda state: state["parts"][0].update(documents=10**12),
    "no parts": lambda state: state.update(parts=5),
    "twice the same": lambda state: state.update(parts=state["parts"] * 2),
    "other vectors": lambda state: state.update(encoders={"": 3}),
    "an encoder whose id leads out": lambda state: state["encoders"].update({"../../victim": 128}),
    "no encoders": lambda state: state.update(encoders={}),
}


def looked_at(folder: Path, *, written: bool = False) -> None:
    """Opens, looks at all, perhaps writes, and looks again: the right answers at last, or errors of ours before."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with contextlib.suppress(PagesightError):
            _answers(folder)
        if written:
            _write(folder)
        _answers(folder)
    assert [(folder / name).read_text() for name in ("victim.arrays", "victim.faiss")] == ["whole"] * 2


def _write(folder: Path) -> None:
    with PageIndex.open(folder / "i", settings=SETTINGS) as index:
        index.add(write_pdf(folder / "third.pdf", [["The gull Livia"]]))
        index.remove("third.pdf")


def _answers(folder: Path) -> None:
    with PageIndex.open(folder / "i", settings=SETTINGS, create=False) as index:
        for record in index.documents():
            for ref in record.page_refs:
                index.text(ref)
                index.picture(ref, long_side=20)
                index.multivector(ref)
        index.search("ferry Aurora passengers", documents=["ferry.pdf"])
        index.rank("pump Boreas")
        assert [record.document for record in index.documents()] == ["ferry.pdf", "pump.pdf"]
        assert len(index.pages()) == 3
        assert index.search("ferry Aurora passengers")[0].label == "ferry.pdf p. 1"


@pytest.mark.parametrize("name", CHANGES)
def test_a_segment_that_others_wrote(folder: Path, name: str) -> None:
    changed(folder / "i", CHANGES[name])
    looked_at(folder)


@pytest.mark.parametrize("name", STATES)
def test_a_state_that_others_wrote(folder: Path, name: str) -> None:
    published(folder / "i", STATES[name])
    looked_at(folder, written=True)


def test_a_folder_among_the_files_changes_nothing(folder: Path) -> None:
    (folder / "i" / "derived" / "folder").mkdir()
    looked_at(folder, written=True)
