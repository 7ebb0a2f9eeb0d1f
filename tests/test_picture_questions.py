"""Questions that are pictures: an image, a page or a region of it, with words beside it; by each kind of encoder."""

from __future__ import annotations

import json

import numpy as np
import pytest
from documents import picture_of_text
from encoder_servers import EncoderServer
from small_index import REPORT, SHEET, make_index, small_settings, write_pdf

from pagesight.agent.cli import main
from pagesight.indexing import PageIndex
from pagesight.indexing.encoders import make_encoder
from pagesight.indexing.errors import BadRegion, EmptyQuestion, RequestError, UnknownPage
from pagesight.indexing.lexical.bm25 import TermStatistics
from pagesight.indexing.lexical.query import read_query
from pagesight.indexing.pages import PageText

KEY = "sk-of-this-server"


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    with make_index(tmp_path_factory.mktemp("pictures")) as made:
        yield made


def labels(hits):
    return [hit.label for hit in hits]


# by words


def test_a_page_finds_those_that_are_like_it_and_never_itself(index):
    found = index.search(index.like(f"{REPORT} p. 4"))
    assert found[0].document == REPORT
    assert f"{REPORT} p. 4" not in labels(found)
    assert set(labels(found[:4])) == {f"{REPORT} p. {page}" for page in (5, 6, 7, 8)}  # the other appendices
    assert len(index.search(index.like(f"{REPORT} p. 4"), top_k=3)) == 3


def test_a_region_asks_with_what_stands_in_it_alone(index):
    whole = index.like(f"{REPORT} p. 2")
    top = index.like(f"{REPORT} p. 2, region 0,0,100,1000")
    same = index.like(index.page(f"{REPORT} p. 2"), region=(0, 0, 100, 1000))
    assert "Europe" in whole.text.text
    assert top.text.words[:2] == ["Net", "revenue"]
    assert "Europe" not in top.text.text
    assert same.text.words == top.text.words
    assert labels(index.search(top))[0].startswith("slides")  # the targets for net revenue
    assert len(index.like(f"{REPORT} p. 2, region 900,900,999,999").text.words) == 0


@pytest.mark.parametrize(
    ("label", "region", "error"),
    [
        ("nothing", None, UnknownPage),
        (f"{REPORT} p. 99", None, UnknownPage),
        (f"{REPORT} p. 2", (5, 5, 5, 5), BadRegion),
    ],
)
def test_what_is_no_page_or_region_is_said(index, label, region, error):
    with pytest.raises(error):
        index.like(label, region=region)


def test_words_go_along_and_name_documents_and_pages(index):
    plain = index.search(index.like(f"{REPORT} p. 4"))
    told = index.search(index.like(f"{REPORT} p. 4", words="Leistungsaufnahme der Pumpe in Watt"))
    assert plain[0].document == REPORT
    assert told[0].document == SHEET
    named = index.search(index.like(f"{REPORT} p. 4", words="page 8"))
    assert named[0].label == f"{REPORT} p. 8"


def test_a_picture_is_read(index, tmp_path):
    reading = PageIndex.open(index.path, settings=small_settings(ocr=True))
    with reading:
        picture = picture_of_text([("At the end of the year 5310", 40, 40), ("people worked for the group", 40, 90)])
        found = reading.search(picture)
        assert found[0].label == f"{REPORT} p. 3"
        assert "5310" in found[0].lines[0]
        picture.save(tmp_path / "cut.png")
        for given in (tmp_path / "cut.png", (tmp_path / "cut.png").read_bytes()):
            assert labels(reading.search(reading.picture_question(given))) == labels(found)


def test_a_picture_without_words_says_what_to_do(index):
    with pytest.raises(EmptyQuestion, match="lexical, compares words alone: ask with words beside it"):
        index.search(picture_of_text([]))
    assert index.search(index.picture_question(picture_of_text([]), "net revenue"))
    with pytest.raises(RequestError, match="cannot be read"):
        index.picture_question(b"no image")


def test_the_command_line_takes_pictures_and_pages(index, capsys, tmp_path):
    place = ["--index", str(index.path)]
    assert main(["search", "--like", f"{REPORT} p. 4", "--json", *place]) == 0
    assert json.loads(capsys.readouterr().out)[0]["document"] == REPORT
    picture_of_text([("Leistungsaufnahme 42 Watt", 40, 40)]).save(tmp_path / "a.png")
    assert main(["search", "--image", str(tmp_path / "a.png"), "--heatmap", str(tmp_path / "maps"), *place]) == 0
    assert capsys.readouterr().out.startswith(f"1\t{SHEET} p. 1")
    assert list((tmp_path / "maps").glob("*.png"))
    assert main(["search", "", *place]) == 1
    assert "the question is empty" in capsys.readouterr().err
    assert main(["search", *place]) == 2
    assert "ask with words, --image or --like" in capsys.readouterr().err
    assert main(["search", "--image", str(tmp_path / "none.png"), *place]) == 1
    assert "none.png cannot be read (No such file or directory)" in capsys.readouterr().err
    assert main(["search", "--image", "a.png", "--like", "b p. 1", *place]) == 2
    assert main(["search", "--like", f"{REPORT} p. 99", *place]) == 1
    assert "has the pages 1 to 8" in capsys.readouterr().err


# by encoders that see


@pytest.fixture
def seen(tmp_path, monkeypatch):
    """An index by a served encoder with one vector a page, and its server."""
    write_pdf(tmp_path / "a.pdf", [["Net revenue rose"], ["Ferries"], ["Pumps"]])
    with EncoderServer("voyage", key=KEY) as server:
        name = f"voyage-multimodal-3.5@{server.url}"
        settings = small_settings(encoder_key=KEY, dim=256)
        with PageIndex.open(tmp_path / "seen", encoder=name, settings=settings) as made:
            made.add(tmp_path / "a.pdf")
            yield made, server


def test_a_page_is_compared_by_the_vectors_that_the_index_has(seen):
    made, server = seen
    before = server.pages
    hits = made.search(made.like("a.pdf p. 2"))
    assert sorted(labels(hits)) == ["a.pdf p. 1", "a.pdf p. 3"]
    assert server.pages == before  # nothing was encoded anew


def test_an_image_finds_the_page_that_it_is_of(seen):
    made, server = seen
    for number in (1, 2, 3):
        picture = made.picture(made.page(f"a.pdf p. {number}"), long_side=1540)
        before = server.pages
        assert made.search(picture)[0].label == f"a.pdf p. {number}"
        assert server.pages == before  # paid for when it was indexed
    bare = made.picture(made.page("a.pdf p. 3"), region=(0, 0, 500, 1000), long_side=300)
    vectors = made.query_vectors(made.picture_question(bare))
    wanted = np.array(server.page(bare, 256))
    np.testing.assert_allclose(vectors.vectors[0], wanted / np.linalg.norm(wanted), atol=2e-3)


def test_a_region_without_vectors_of_its_own_is_looked_at(seen):
    made, server = seen
    before = server.pages
    question = made.like("a.pdf p. 1, region 0,0,500,1000")
    assert made.query_vectors(question).vectors.shape == (1, 256)
    assert server.pages == before + 1
    assert "a.pdf p. 1" not in labels(made.search(question))


@pytest.mark.slow
def test_picture_and_words_count_for_half_each_where_the_model_takes_one_at_a_time(tmp_path):
    tiny = pytest.importorskip("tiny_checkpoints")
    folder = tiny.COLPALI_ENGINE["ColQwen2"](tmp_path / "model")
    write_pdf(tmp_path / "a.pdf", [["Net revenue rose"], ["Ferries"], ["Pumps"]])
    settings = small_settings(device="cpu", dtype="float32")
    with PageIndex.open(tmp_path / "seen", encoder=str(folder), settings=settings) as made:
        made.add(tmp_path / "a.pdf")
        words = made.query_vectors("net revenue")
        whole = made.query_vectors(made.like("a.pdf p. 1"))
        both = made.query_vectors(made.like("a.pdf p. 1", words="net revenue"))
        part = made.query_vectors(made.like("a.pdf p. 1, region 0,0,400,1000"))
        count = len(words.vectors)
        assert len(whole.vectors) == len(both.vectors) - count <= 64
        np.testing.assert_allclose(both.vectors[-count:], words.vectors, atol=1e-5)
        np.testing.assert_allclose(both.weights.sum(), 1, atol=1e-5)
        np.testing.assert_allclose(both.weights[-count:].sum(), 0.5, atol=1e-5)
        page = made.multivector(made.page("a.pdf p. 1"))
        inside = (page.boxes[:, 1] + page.boxes[:, 3]) / 2 <= 0.4
        assert 0 < len(part.vectors) <= inside.sum() < len(page.vectors)
        assert made.search(made.like("a.pdf p. 1"), top_k=3)


@pytest.mark.parametrize("model", ["gemini-embedding-2", "embed-v4.0", "voyage-multimodal-3.5", "jina-embeddings-v4"])
def test_services_take_a_picture_and_words_as_they_were_made_to(model, tmp_path):
    form = {"g": "gemini", "e": "cohere", "v": "voyage", "j": "jina"}[model[0]]
    with EncoderServer(form, key=KEY) as server:
        settings = small_settings(encoder_key=KEY, google_api_key=KEY, dim=512)
        encoder = make_encoder(f"{model}@{server.url}", settings)
        picture, idf = picture_of_text([("Revenue", 40, 40)]), TermStatistics().idf
        asked = encoder.encode_picture(picture, PageText.empty(), read_query("in per cent"), idf)
        text = "task: search result | query: in per cent" if form == "gemini" else "in per cent"
        seen, said = np.array(server.page(picture, 512)), np.array(server.question(text, 512))
        if form == "jina":  # which takes one at a time
            wanted = np.stack([seen, said])
        else:
            wanted = (seen + said)[None]
            before = len(server.requests)
            encoder.encode_picture(picture, PageText.empty(), read_query("in per cent"), idf)
            assert len(server.requests) == before  # paid for once
        wanted /= np.linalg.norm(wanted, axis=1, keepdims=True)
        np.testing.assert_allclose(asked.vectors, wanted, atol=1e-4)
        encoder.close()


@pytest.mark.slow
def test_vlm2vec_takes_a_picture_with_a_question(tmp_path):
    tiny = pytest.importorskip("tiny_checkpoints")
    folder = tiny.vlm2vec(tmp_path / "VLM2Vec-Qwen2VL-2B")
    encoder = make_encoder(str(folder), small_settings(device="cpu", dtype="float32"))
    picture, idf = picture_of_text([("Revenue", 40, 40)]), TermStatistics().idf
    alone = encoder.encode_picture(picture, PageText.empty(), None, idf)
    both = [encoder.encode_picture(picture, PageText.empty(), read_query(words), idf) for words in ("one", "another")]
    (page,) = encoder.encode_pages([picture], [PageText.empty()])
    np.testing.assert_allclose(alone.vectors, page.vectors, atol=1e-5)
    assert [one.vectors.shape for one in both] == [page.vectors.shape] * 2  # one vector of both, not one of each
    assert np.abs(both[0].vectors - both[1].vectors).max() > 1e-4
    assert np.abs(both[0].vectors - alone.vectors).max() > 1e-4
