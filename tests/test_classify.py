"""Labels of pages by an encoder that looks at them: a real one in a process of its own, which knows colours."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image
from small_index import FERRY, small_settings, warned, write_pdf

from pagesight.agent.cli import main
from pagesight.indexing import PageIndex
from pagesight.indexing.errors import RequestError, SettingsError, UnknownDocument

# A page's only vector is its mean colour, a question's the colour that it names, so that likeness can be told by hand.
COLOURS = """
import json, sys
import numpy as np

COLOURS = {"red": (1, 0, 0), "green": (0, 1, 0), "blue": (0, 0, 1)}

def load(options):
    return Encoder()

class Encoder:
    dim = 4

    def encode_pages(self, pages):
        left = [page.picture[:, :40].mean() / 10 for page in pages]
        return [np.append(page.picture.mean(axis=(0, 1)), most)[None] / 255 for page, most in zip(pages, left)]

    def encode_query(self, question):
        open(__file__ + ".asked", "a").write(question + "\\n")
        named = [colour for name, colour in COLOURS.items() if name in question.lower()]
        return np.array([[*(named or [(0, 0, 0)])[0], 0.1]], np.float32), [question]
"""
RED, BLUE, PURPLE = (250, 5, 5), (5, 5, 250), (135, 0, 125)


@pytest.fixture(autouse=True)
def _no_ocr(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAGESIGHT_OCR", "false")


def coloured(folder: Path, name: str, *colours: tuple[int, int, int]) -> Path:
    pages = [Image.new("RGB", (120, 160), colour) for colour in colours]
    pages[0].save(folder / name, save_all=True, append_images=pages[1:])
    return folder / name


@pytest.fixture
def encoder(tmp_path: Path) -> str:
    (tmp_path / "colours-clip.py").write_text(COLOURS)
    return f"external:{tmp_path / 'colours-clip.py'}"


@pytest.fixture
def folder(tmp_path: Path, encoder: str) -> Path:
    given = [coloured(tmp_path, "cards.pdf", RED, BLUE, PURPLE), coloured(tmp_path, "more.pdf", BLUE)]
    with PageIndex.open(tmp_path / "index", encoder=encoder, settings=small_settings()) as index:
        assert not index.add(given).failed
    return tmp_path / "index"


def opened(folder: Path, encoder: str | None = None) -> PageIndex:
    return PageIndex.open(folder, encoder=encoder, settings=small_settings())


def test_pages_are_labelled_searched_by_it_and_keep_it(folder: Path, encoder: str, tmp_path: Path) -> None:
    with opened(folder, encoder) as index:
        done = index.classify(["Red card", "blue"])
        assert (done.encoder, done.pages, done.lost) == (encoder, {"red_card": 2, "blue": 2}, [])
        kinds = index.page_kinds("cards.pdf")
        assert kinds[1]["red_card"] > 0.99
        assert kinds[2]["blue"] > 0.99
        assert all(page["red_card"] + page["blue"] == pytest.approx(1, abs=0.002) for page in kinds.values())
        assert [hit.label for hit in index.search("red", where="page_red_card >= 0.99")] == ["cards.pdf p. 1"]
        assert index.search("red", where="page_red_card")[0].kinds == ("red_card",)
        assert "cards.pdf p. 2" not in {hit.label for hit in index.search("red", where="page_red_card")}
    with opened(folder, encoder) as again:
        assert again.page_kinds("cards.pdf") == kinds
    asked = (tmp_path / "colours-clip.py.asked").read_text().splitlines()
    assert asked[:2] == ["a picture of a page with a Red card", "a picture of a page with a blue"]


def test_labels_of_an_earlier_call_go_and_only_of_these_documents(folder: Path, encoder: str) -> None:
    with opened(folder, encoder) as index:
        index.classify(["red", "blue"])
        index.classify(["green", "blue"], documents=["more.pdf"])
        assert set(index.page_kinds("cards.pdf")[1]) >= {"red", "blue"}
        assert set(index.page_kinds("more.pdf")[1]) & {"red", "green", "blue"} == {"green", "blue"}
        before = index.pages()
        index.classify(["green", "blue"], documents=["more.pdf"])
        assert index.pages() == before
        with pytest.raises(UnknownDocument):
            index.classify(["green", "blue"], documents=["none.pdf"])


def test_another_prompt_is_asked(folder: Path, encoder: str, tmp_path: Path) -> None:
    with opened(folder, encoder) as index:
        assert index.classify(["red", "blue"], prompt="{label} all over").prompt == "{label} all over"
        with pytest.raises(RequestError, match="no place for a label"):
            index.classify(["red", "blue"], prompt="a card")
    assert (tmp_path / "colours-clip.py.asked").read_text().splitlines()[-2:] == ["red all over", "blue all over"]


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (["red"], "2 to 40 labels that differ"),
        (["red", "Red"], "2 to 40 labels that differ"),
        ([f"l{number}" for number in range(41)], "2 to 40"),
        (["red", "__import__('os')"], "cannot be asked for"),
        (["red", ""], "cannot be asked for"),
        (["red", "x" * 41], "cannot be asked for"),
    ],
)
def test_labels_that_cannot_be(folder: Path, encoder: str, labels: list[str], said: str) -> None:
    with opened(folder, encoder) as index, pytest.raises(RequestError, match=said):
        index.classify(labels)


def test_who_does_not_look_says_so(tmp_path: Path) -> None:
    with opened(tmp_path / "index") as index:
        index.add([write_pdf(tmp_path / "ferry.pdf", [FERRY])])
        with pytest.raises(RequestError, match=r"lexical cannot say what a page looks like: add an encoder"):
            index.classify(["red", "blue"])
        with pytest.raises(SettingsError, match="no encoder clip"):
            index.classify(["red", "blue"], encoder="clip")


def test_a_page_that_lost_its_vectors_is_named_and_the_rest_labelled(folder: Path, encoder: str) -> None:
    with opened(folder, encoder) as index:
        ref = index.page("more.pdf p. 1")
    (kept,) = (folder / "multivectors" / ref.document_id).glob("*.npy")
    kept.unlink()
    with opened(folder, encoder) as index, warned():
        done = index.classify(["red", "blue"])
        assert (done.pages, done.lost) == ({"red": 2, "blue": 1}, [ref.key])


def test_by_the_command(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["classify", "--labels", "red, blue", "--index", str(folder), "--trust-scripts"]
    assert main(command) == 0
    told = capsys.readouterr().out.splitlines()
    assert [line.split() for line in told[:2]] == [["2", "page_red"], ["2", "page_blue"]]
    assert told[2].endswith("asked “a picture of a page with a {label}”")
    assert main([*command, "--json", "--document", "more.pdf"]) == 0
    assert json.loads(capsys.readouterr().out)["pages"] == {"red": 0, "blue": 1}
    assert main([*command, "--document", "none.pdf"]) == 1
    assert "none.pdf" in capsys.readouterr().err
    search = ["search", "red", "--where", "page_blue", "--document", "more.pdf", "--index", str(folder)]
    assert main([*search, "--trust-scripts"]) == 0
    assert "more.pdf p. 1" in capsys.readouterr().out
