"""The index that is shipped for the tests of other programs."""

from __future__ import annotations

import pytest

from pagesight.indexing.testing import made_index

PAGES = ["Cover", ["Net revenue rose.", "Europe 1.9 billion, Größe"]]


def test_given_pages_are_found_shown_and_gone_with_the_block() -> None:
    with made_index({"report.pdf": PAGES, "pump.pdf": ["The pump Boreas"]}) as index:
        assert [(record.document, record.pages) for record in index.documents()] == [("pump.pdf", 1), ("report.pdf", 2)]
        hit = index.search("Größe in Europe")[0]
        assert (hit.label, hit.lines[0]) == ("report.pdf p. 2", "Europe 1.9 billion, Größe")
        assert index.text(hit.ref) == "Net revenue rose.\nEurope 1.9 billion, Größe"
        left, top, right, bottom = hit.boxes[0]
        assert 0.1 < left < right < 0.6
        assert 0.05 < top < bottom < 0.15
        assert index.picture(hit.ref, long_side=300).getextrema() != ((255, 255),) * 3
        folder = index.path
    assert not folder.exists()


def test_names_lead_nowhere_else() -> None:
    with pytest.raises(ValueError, match="no file's name"), made_index({"../report.pdf": PAGES}):
        pass


def test_stages_are_logged_at_debug_and_otherwise_silent(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG", "pagesight"), made_index({"report.pdf": PAGES}):
        pass
    said = [record.getMessage() for record in caplog.records if record.name.startswith("pagesight.indexing")]
    for stage in (
        "opened",
        "1 documents to index",
        "2 pages encoded in",
        "pages 1 to 2 written in",
        "2 pages indexed in",
    ):
        assert sum(stage in one for one in said) == 1, said
    assert {record.levelname for record in caplog.records if record.name.startswith("pagesight")} == {"DEBUG"}
