"""`pagesight audit` from the outside: what candidates lose is found, and what it says to set fixes it."""

from __future__ import annotations

import json
import random
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from small_index import small_settings, write_pdf

from pagesight.agent.cli import main
from pagesight.indexing import PageIndex
from pagesight.indexing.errors import EmptyQuestion, PageIndexError
from pagesight.indexing.ranking.rank_pages import Weights

NARROW = {"exhaustive_below": 0, "candidates": 5, "hits_per_vector": 20, "ef": 20}
_SYLLABLES = "ka re mo ti lun sor ven dal pim qu est ar on is".split()  # noqa: SIM905 - a text is easier to read


def _vocabulary() -> tuple[random.Random, list[str]]:
    """Words of few syllables, and what drew them."""
    rng = random.Random(1)
    return rng, ["".join(rng.choices(_SYLLABLES, k=rng.randint(2, 4))) for _ in range(600)]


@pytest.fixture(scope="module")
def alike(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of 250 pages with words from one small vocabulary, so that all of them are somewhat alike."""
    folder = tmp_path_factory.mktemp("alike")
    rng, words = _vocabulary()
    write_pdf(folder / "a.pdf", [[" ".join(rng.choices(words, k=8)) for _ in range(4)] for _ in range(250)])
    with PageIndex.open(folder / "index", settings=small_settings()) as index:
        index.add(folder / "a.pdf")
    return folder / "index"


def test_what_it_says_to_set_has_the_wanted_recall(alike: Path) -> None:
    with PageIndex.open(alike, settings=small_settings(**NARROW)) as index:
        found = index.audit(sample=20, wanted=0.95)
    assert (found.pages, found.questions, found.source) == (250, 20, "lines of its pages")
    assert found.now.recall[5] < 0.95
    assert found.now.recall[10] <= 0.5  # of five candidates
    assert not found.suffices
    assert found.settings

    for change in (found.settings, asdict(found.cheapest.breadth) if found.cheapest else {}):
        with PageIndex.open(alike, settings=small_settings(**NARROW | change)) as index:
            again = index.audit(sample=20, wanted=0.95)
        assert again.suffices
        assert again.settings == {}
    assert again.now.recall[5] >= 0.95
    assert again.now.recall == found.cheapest.recall


def test_recall_is_that_of_searching(alike: Path) -> None:
    # Words misspelt: near enough to those of pages, and none of theirs, so that BM25 adds nothing to the candidates.
    rng, words = random.Random(2), _vocabulary()[1]
    questions = [" ".join(f"{word[:2]}x{word[2:]}" for word in rng.choices(words, k=4)) for _ in range(8)]
    wide = small_settings(exhaustive_below=1000)
    with PageIndex.open(alike, settings=wide) as exact:
        best = [set(_ranked(exact, question)[:5]) for question in questions]
    with PageIndex.open(alike, settings=small_settings(**NARROW | {"candidates": 8})) as index:
        found = index.audit(questions)
        kept = [len(best[place] & set(_ranked(index, question))) / 5 for place, question in enumerate(questions)]
    assert found.source == "given"
    assert found.now.recall[5] < 1
    assert found.now.recall[5] == pytest.approx(np.mean(kept))


def _ranked(index: PageIndex, question: str) -> list[int]:
    return [row.page for row, _ in index.rank(question, weights=Weights(1.0, 0.0, 0.0))]


def test_an_index_that_is_searched_exhaustively_needs_nothing(alike: Path) -> None:
    with PageIndex.open(alike, settings=small_settings(candidates=5)) as index:
        found = index.audit(sample=5)
    assert found.is_exhaustive
    assert found.suffices
    assert found.settings == {}


def test_on_the_command_line(alike: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in NARROW.items():
        monkeypatch.setenv(f"PAGESIGHT_{name.upper()}", str(value))
    common = ["audit", "--index", str(alike), "--sample", "8"]
    assert main([*common, "--recall", "0.9"]) == 0
    told = capsys.readouterr().out
    assert "250 pages, 8 questions: lines of its pages" in told
    assert "exhaustive search" in told
    assert "To keep 0.9 of the five best pages, set PAGESIGHT_" in told

    Path("mine.txt").write_text("ka re mo\n\nsor ven\n")
    assert main([*common, "--questions", "mine.txt", "--json"]) == 0
    as_json = json.loads(capsys.readouterr().out)
    assert (as_json["questions"], as_json["source"]) == (2, "given")
    assert as_json["candidates"]["candidates"] == 5
    assert 0 <= as_json["candidates"]["recall@5"] <= 1

    Path("mine.jsonl").write_text('{"question": "tilun sorven"}\n')
    assert main([*common, "--questions", "mine.jsonl", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["questions"] == 1
    assert main([*common, "--questions", "none.txt"]) == 1
    assert "none.txt" in capsys.readouterr().err


def test_nothing_to_compare_is_an_error(tmp_path: Path) -> None:
    with PageIndex.open(tmp_path / "i", settings=small_settings()) as index:
        with pytest.raises(PageIndexError, match=r"0 pages.*pagesight index"):
            index.audit()
        with pytest.raises(EmptyQuestion, match="no word"):
            index.audit(["ferry", "?!"])
        with pytest.raises(PageIndexError, match="0 pages"):
            index.audit(["ferry"])


SILENT = """
import numpy as np
def load(options):
    return Mosaic()
class Mosaic:
    dim = 12
    def encode_pages(self, pages):
        return [self.cells(page.picture) for page in pages]
    def cells(self, picture):  # (64, 12): the colours of 2 x 2 points each
        rows, columns = (np.linspace(0, size - 1, 16).astype(int) for size in picture.shape[:2])
        points = picture[rows][:, columns].reshape(8, 2, 8, 2, 3).swapaxes(1, 2)
        return points.reshape(64, 12) - 127.5
    def encode_query(self, question):
        raise RuntimeError("no question is to be encoded")
"""


@pytest.mark.slow
def test_an_index_of_pictures_is_audited_without_encoding_a_question(tmp_path: Path) -> None:
    (tmp_path / "mosaic.py").write_text(SILENT)
    (tmp_path / "pages").mkdir()
    rng = np.random.default_rng(5)
    for number in range(40):
        Image.fromarray(rng.integers(0, 255, (64, 64, 3), np.uint8)).save(tmp_path / "pages" / f"{number}.png")
    settings = small_settings(exhaustive_below=0, candidates=3)
    with PageIndex.open(tmp_path / "i", encoder=f"external:{tmp_path / 'mosaic.py'}", settings=settings) as index:
        assert index.add(tmp_path / "pages").pages == 40
        found = index.audit(sample=10, wanted=0.9)
    assert (found.pages, found.questions, found.source) == (40, 10, "vectors of its pages, with noise")
    assert found.now.recall[1] > found.now.recall[10]
    assert found.now.recall[10] <= 0.3
