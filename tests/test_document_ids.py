"""An id that is none never becomes a path: each store of an index refuses it, whoever hands it over."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pagesight.indexing.errors import PageIndexError
from pagesight.indexing.storage.kept_documents import KeptDocuments
from pagesight.indexing.storage.kept_words import KeptWords
from pagesight.indexing.storage.multivector_files import MultiVectorFiles
from pagesight.indexing.storage.page_files import PageFiles
from pagesight.indexing.storage.removed import RemovedDocuments
from pagesight.indexing.vectors.quantization import VectorLayout

NO_IDS = ("../../victim", "..", ".", "", "/victim", "0123456789abcde", "0123456789ABCDEF", "0123456789abcdeg", "a" * 17)


def stores(index: Path) -> dict[str, Callable[[str], Any]]:
    """What each store does with a document's folder, by what it is called."""
    removed, kept = RemovedDocuments(index), KeptDocuments(index / "documents")
    vectors = MultiVectorFiles(index / "multivectors", VectorLayout("float16", 1), 4)
    return {
        "vectors": vectors.remove,
        "words": KeptWords(index / "words").remove,
        "page files": PageFiles(index / "pages").remove,
        "record": PageFiles(index / "pages").drop_record,
        "kept documents": kept.forget,
        "path of a kept document": lambda known: kept.path(known, ".pdf"),
        "begin to remove": removed.begin,
        "take": removed.take,
        "let go": removed.let_go,
        "put back": removed.put_back,
        "holds": removed.holds,
    }


@pytest.mark.parametrize("store", stores(Path("index")))
def test_no_store_takes_what_is_no_id(tmp_path: Path, store: str) -> None:
    victim, index = tmp_path / "victim", tmp_path / "index"
    victim.mkdir()
    (victim / "document.json").write_text("somebody's")
    for name in ("multivectors", "words", "pages", "documents", "removed"):
        (index / name).mkdir(parents=True)
    for known in (*NO_IDS, str(victim)):
        with pytest.raises(PageIndexError, match="is no document's id"):
            stores(index)[store](known)
    assert (victim / "document.json").read_text() == "somebody's"
    assert [path for path in index.rglob("*") if path.is_file()] == []
