"""The lexical encoder: vectors of words that look alike are near each other, each with its word's box."""

from __future__ import annotations

import numpy as np
import pytest

from pagesight.indexing.encoders.lexical import LexicalEncoder
from pagesight.indexing.lexical.bm25 import TermStatistics
from pagesight.indexing.lexical.query import read_query
from pagesight.indexing.pages import PageText


def vectors(*words: str) -> np.ndarray:
    boxes = np.arange(4 * len(words), dtype=np.float32).reshape(-1, 4)
    page = PageText(list(words), boxes, np.zeros(len(words), np.int32), "text layer")
    return LexicalEncoder().encode_pages([None], [page])[0].vectors


@pytest.mark.parametrize(
    ("one", "like", "unlike"),
    [("pump", "pumps", "ferry"), ("Leistung", "Leistungsaufnahme", "Schutzart"), ("revenue", "rcvenue", "reserves")],
)
def test_words_that_look_alike_are_near(one: str, like: str, unlike: str):
    a, b, c = vectors(one, like, unlike)
    assert a @ b > a @ c + 0.2


def test_vectors_are_normal_and_the_same_each_time():
    found = vectors("net", "revenue")
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-6)
    np.testing.assert_array_equal(found, vectors("net", "revenue"))


def test_each_vector_has_the_box_of_its_word():
    boxes = np.array([[0, 0, 0.1, 0.1], [0.2, 0, 0.3, 0.1]], np.float32)
    page = PageText(["4.2", "euros"], boxes, np.zeros(2, np.int32), "text layer")
    found = LexicalEncoder().encode_pages([None], [page])[0]
    assert len(found.vectors) == 3  # 4, 2 and euros
    np.testing.assert_array_equal(found.boxes, boxes[[0, 0, 1]])


def test_a_page_without_words_has_no_vectors():
    found = LexicalEncoder().encode_pages([None], [PageText.empty()])[0]
    assert (found.vectors.shape, found.boxes.shape) == ((0, 128), (0, 4))


def test_rare_terms_of_a_question_weigh_more():
    statistics = TermStatistics()
    for words in (["pump", "boreas"], ["pump"], ["pump"], ["other"]):
        statistics.add(words)
    query = LexicalEncoder().encode_query(read_query("the pump Boreas"), statistics.idf)
    assert query.tokens == ["pump", "boreas"]
    assert query.weights.tolist() == pytest.approx([statistics.idf("pump"), statistics.idf("boreas")])
    assert query.weights[1] > query.weights[0]
