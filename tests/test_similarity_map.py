"""Maps of where a page is like a query: from the boxes, by the command line, for the whole query or one word."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from small_index import write_pdf

from pagesight.agent.cli import main
from pagesight.indexing.encoders import QueryVectors, patch_boxes
from pagesight.indexing.highlight.similarity_map import draw, similarity_map


@pytest.fixture
def indexed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAGESIGHT_OCR", "false")
    lines = ["The ferry Aurora", *[""] * 14, "Heat pumps deliver warmth", *[""] * 12, "Bicycles need none"]
    assert main(["index", str(write_pdf(tmp_path / "a.pdf", [lines]))]) == 0


def coloured(path: Path) -> tuple[float, float]:
    """The first and the last row with colour, as a part of the height."""
    pixels = np.asarray(Image.open(path).convert("RGB")).astype(int)
    warm = (pixels[:, :, 0] - pixels[:, :, 2] > 60).any(axis=1)
    rows = np.flatnonzero(warm) / len(pixels)
    return rows.min(), rows.max()


def test_search_draws_the_whole_query_and_view_one_word(indexed, own_folder, capsys):
    assert main(["search", "ferry heat pumps", "--heatmap", "maps"]) == 0
    assert "a.pdf p. 1: maps/a.pdf-p1.png" in capsys.readouterr().err
    first, last = coloured(own_folder / "maps" / "a.pdf-p1.png")
    assert 0.05 < first < 0.12
    assert 0.45 < last < 0.6

    assert main(["view", "a.pdf p. 1", "--query", "ferry heat pumps", "--token", "Heat", "--out", "heat.png"]) == 0
    assert capsys.readouterr().out == "heat.png\n"
    first, last = coloured(own_folder / "heat.png")
    assert 0.45 < first < last < 0.6

    assert main(["view", "a.pdf p. 1", "--out", "plain.png"]) == 0
    with Image.open("plain.png") as plain:
        assert plain.height > plain.width


def test_a_word_that_the_query_lacks_is_named_with_those_it_has(indexed, capsys):
    assert main(["view", "a.pdf p. 1", "--query", "ferry pumps", "--token", "boat", "--out", "x.png"]) == 1
    assert "no token 'boat'" in (err := capsys.readouterr().err)
    assert "ferry" in err
    assert not Path("x.png").exists()


def test_the_map_is_hot_where_the_vector_looks():
    boxes = patch_boxes.grid(4, 4)
    vectors = np.eye(16, dtype=np.float32)
    query = QueryVectors(vectors[[5, 10]], ["Ġre", "venue"], np.ones(2, np.float32))
    heat = similarity_map(query, vectors, boxes, (200, 100))
    assert heat.shape == (256, 128)
    assert heat[64:128, 32:64].min() == heat[128:192, 64:96].min() == 1
    assert heat.sum() == 2 * 64 * 32
    assert similarity_map(query, vectors, boxes, (200, 100), "revenue").sum() == heat.sum()
    assert similarity_map(query, vectors, boxes, (200, 100), "venue").sum() == heat.sum() / 2


def test_common_words_of_the_question_are_marked_beside_the_rare_one():
    boxes = patch_boxes.grid(4, 4)
    vectors = np.eye(16, dtype=np.float32)
    weights = np.array([2.3, 1.0, 3.1], np.float32)  # as idf has them for: net revenue by region
    heat = similarity_map(
        QueryVectors(vectors[[5, 9, 15]], ["net", "revenue", "region"], weights), vectors, boxes, (4, 4)
    )
    marked = [
        heat[64 * row : 64 * row + 64, 64 * column : 64 * column + 64] for row, column in ((1, 1), (2, 1), (3, 3))
    ]
    assert [round(float(place.max()), 2) for place in marked] == [0.86, 0.57, 1.0]
    assert np.count_nonzero(heat) == 3 * 64 * 64


def test_without_boxes_the_page_stays_as_it_is():
    page = Image.linear_gradient("L").convert("RGB")
    heat = similarity_map(
        QueryVectors(np.ones((1, 4), np.float32), ["x"], np.ones(1, np.float32)),
        np.ones((1, 4), np.float32), np.full((1, 4), np.nan), (256, 256),
    )  # fmt: skip
    assert not heat.any()
    assert draw(page, heat).tobytes() == page.tobytes()
