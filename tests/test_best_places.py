"""Where a page matches: the same rules for words with boxes of their own and for patches of a picture."""

from __future__ import annotations

import numpy as np
import pytest

from pagesight.indexing.encoders import LexicalEncoder, QueryVectors, patch_boxes
from pagesight.indexing.highlight.best_places import best_boxes, regions
from pagesight.indexing.lexical.bm25 import TermStatistics
from pagesight.indexing.lexical.query import read_query
from pagesight.indexing.pages import PageText

DIM = 64


def words(*lines: str, leading: float = 0.02) -> PageText:
    """Lines of words, each word 0.06 wide and 0.012 high, from the top left corner down."""
    placed = [(word, 0.07 * x, leading * y, y) for y, line in enumerate(lines) for x, word in enumerate(line.split())]
    boxes = [(left, top, left + 0.06, top + 0.012) for _, left, top, _ in placed]
    numbers = np.array([y for *_, y in placed], np.int32)
    return PageText([word for word, *_ in placed], np.array(boxes, np.float32), numbers, "text layer")


def lexical(question: str, text: PageText) -> list[tuple[float, ...]]:
    encoder, statistics = LexicalEncoder(), TermStatistics()
    statistics.add(text.text.split())
    [page] = encoder.encode_pages([None], [text])
    return best_boxes(encoder.encode_query(read_query(question), statistics.idf), page.vectors, page.boxes)


def patches(boxes: np.ndarray, *alike: np.ndarray, noise: float = 0.05, strength: float = 0.4) -> tuple:
    """A query with a vector for each of ``alike``, masks of the patches that are a little like it, and the patches.

    As vision models have it: all patches are alike to some degree, and the best are far from the query.
    """
    chance = np.random.default_rng(0)
    query = np.eye(DIM, dtype=np.float32)[: len(alike)]
    vectors = chance.normal(0, noise, (len(boxes), DIM))
    vectors[:, DIM - 1] += 1
    vectors[:, : len(alike)] += 0.2
    for place, mask in enumerate(alike):
        vectors[mask, place] += strength
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    tokens = [str(place) for place in range(len(alike))]
    return QueryVectors(query, tokens, np.ones(len(alike), np.float32)), vectors.astype(np.float16), boxes


def within(boxes: np.ndarray, left: float, top: float, right: float, bottom: float) -> np.ndarray:
    x, y = (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2
    return (left < x) & (x < right) & (top < y) & (y < bottom)


def test_words_side_by_side_are_one_box_and_other_lines_another():
    found = lexical("mean interest rate of loans", words("the mean interest rate", "x y z", *["-"] * 3, "all loans"))
    assert found[0] == pytest.approx((0.07, 0, 0.27, 0.012), abs=1e-3)
    assert lexical("ferry", words("a pump", "a house")) == []


def test_a_word_in_many_places_is_taken_where_the_others_are():
    text = words("revenue", *["filler text"] * 20, "revenue of the ferry Aurora", *["filler text"] * 20, "revenue")
    assert [top for _, top, *_ in lexical("revenue ferry Aurora", text)] == pytest.approx([0.42, 0.42], abs=1e-3)


@pytest.mark.parametrize("where", [(0.25, 0.25, 0.5, 0.375), (0.0, 0.0, 0.25, 0.25), (0.75, 0.5, 1.0, 1.0)])
def test_neighbouring_patches_that_stand_out_are_one_box(where: tuple[float, float, float, float]):
    boxes = patch_boxes.grid(16, 16)
    found = best_boxes(*patches(boxes, within(boxes, *where), within(boxes, *where)))
    assert found[0] == pytest.approx(where, abs=1e-3)
    assert len(found) == 1


def test_where_all_patches_are_alike_nothing_is_found():
    boxes = patch_boxes.grid(8, 8)
    assert best_boxes(*patches(boxes, within(boxes, 2, 2, 3, 3), noise=0.001)) == []


def test_patches_that_match_one_thing_count_less_than_those_that_match_two():
    boxes = patch_boxes.grid(20, 20)
    both, one = within(boxes, 0.6, 0.6, 0.7, 0.7), within(boxes, 0.1, 0.1, 0.2, 0.2)
    assert best_boxes(*patches(boxes, both | one, both)) == [pytest.approx((0.6, 0.6, 0.7, 0.7), abs=1e-3)]


def test_tiles_say_more_than_the_view_of_the_whole_page():
    boxes = patch_boxes.tiles(3, 4, 64)
    where = within(boxes, 0.4, 0.29, 0.47, 0.34)  # two patches of a tile, and one eight times their size
    assert where.sum() == 3
    found = best_boxes(*patches(boxes, where, where))
    assert found == [pytest.approx((10 / 24, 9 / 32, 11 / 24, 11 / 32), abs=0.01)]


def test_vectors_without_boxes_are_left_out():
    boxes = np.full((4, 4), np.nan, np.float32)
    assert best_boxes(*patches(boxes, np.array([True, False, False, False]))) == []


def test_a_region_holds_the_box_and_some_of_its_surroundings():
    [(ymin, xmin, ymax, xmax)] = regions([(0.5, 0.5, 0.52, 0.51)])
    assert ymin < 500 < 510 < ymax
    assert xmin < 500 < 520 < xmax
    assert ymax - ymin >= 120
    assert xmax - xmin >= 300


def test_regions_stay_on_the_page_and_near_boxes_share_one():
    found = regions([(0.0, 0.0, 0.02, 0.01), (0.03, 0.01, 0.05, 0.02), (0.98, 0.99, 1.0, 1.0)])
    assert found == [(0, 0, 120, 300), (880, 700, 1000, 1000)]
    assert regions([(0.1, 0.1, 0.5, 0.2), (0.3, 0.15, 0.8, 0.4)]) == [(100, 100, 400, 800)]


def test_there_are_few_regions_and_none_that_is_the_page():
    assert len(regions([(0.0, y / 10, 0.1, y / 10 + 0.01) for y in range(0, 10, 2)])) == 3
    assert regions([(0.0, 0.0, 1.0, 1.0)]) == []
    assert regions([]) == []
    whole = regions([(0.0, y / 20, 1.0, y / 20 + 0.05) for y in range(20)])
    assert all((ymax - ymin) * (xmax - xmin) <= 500_000 for ymin, xmin, ymax, xmax in whole)
