"""The registry, the choice of an encoder, and what every encoder with weights keeps to; no torch is needed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from small_index import small_settings

from pagesight.agent.cli import main
from pagesight.indexing import PageIndex
from pagesight.indexing.encoders import KNOWN, MultiVector, choose, make_encoder, patch_boxes
from pagesight.indexing.encoders.choice import best_within
from pagesight.indexing.encoders.vision import VisionEncoder
from pagesight.indexing.errors import EncoderError, EncoderMismatch, MissingExtra, SettingsError
from pagesight.indexing.lexical.bm25 import TermStatistics
from pagesight.indexing.lexical.query import read_query
from pagesight.indexing.pages import PageText

PAGE = Image.new("RGB", (60, 80), "white")


def pages(count: int) -> tuple[list[Image.Image | None], list[PageText]]:
    return [PAGE] * count, [PageText.empty()] * count


class FakeModel:
    """A model of two vectors a page, which runs out of memory beyond ``fits`` pages."""

    def __init__(self, *, fits: int = 99, blind: bool = False, dim: int = 4, revision: str = "a1") -> None:
        self.fits, self.blind, self.dim, self.revision = fits, blind, dim, revision
        self.batches: list[int] = []

    def encode_pages(self, pictures: Sequence[Image.Image]) -> list[MultiVector]:
        self.batches.append(len(pictures))
        if len(pictures) > self.fits:
            raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return [MultiVector(self._vectors(picture), np.full((2, 4), np.nan, np.float32)) for picture in pictures]

    def encode_query(self, question: str) -> tuple[np.ndarray, list[str]]:
        return np.full((1, self.dim), 2.0, np.float32), [question]

    def _vectors(self, picture: Image.Image) -> np.ndarray:
        seen = 0 if self.blind else np.asarray(picture)[:, : picture.width // 2].mean()
        return np.array([[3, 4, *[seen] * (self.dim - 2)], [1, 0, *[0] * (self.dim - 2)]], np.float32)


def encoder(model: FakeModel, **options) -> VisionEncoder:
    return VisionEncoder("fake", lambda: model, **options)


def test_the_table_says_of_each_encoder_how_it_is_loaded_and_what_it_makes(capsys):
    assert main(["encoders"]) == 0
    out = capsys.readouterr().out
    for model in KNOWN.values():
        assert f"{model.name}\t" in out
        assert model.licence in out
    assert main(["encoders", "--json"]) == 0
    told = {one["name"]: one for one in json.loads(capsys.readouterr().out)}
    assert told["lexical"]["installed"] is told["lexical"]["weights"] is True
    assert told["vidore/colqwen2.5-v0.2"]["route"] == "colpali-engine"
    assert told["vidore/colqwen2.5-v0.2"]["weights"] is False
    assert {len(one["revision"] or "1") for one in told.values()} <= {1, 40}


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("vidore/colqwen2.5-v0.3", "vidore/colqwen2.5-v0.2"),
        ("colpali-v1.3", "vidore/colpali-v1.3"),
        ("colsmol-256m", "vidore/colSmol-256M"),
        ("gemini-embeding-2", "gemini-embedding-2"),
        ("Lexikal", "lexical"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest(name, near):
    pytest.importorskip("huggingface_hub", reason="the hub's client is not installed")
    with pytest.raises((SettingsError, EncoderError, MissingExtra)) as caught:
        make_encoder(name).describe()
    assert near in str(caught.value)


def test_auto_without_a_gpu_is_lexical_and_imports_no_torch(monkeypatch):
    code = (
        "import sys\nfrom pagesight.indexing.encoders import choose, make_encoder\n"
        "assert make_encoder('auto').name == choose('auto').name == 'lexical'\n"
        "heavy = {'torch', 'transformers', 'colpali_engine', 'sentence_transformers', 'huggingface_hub'}\n"
        "print(choose('auto').why, sorted(heavy & set(sys.modules)))"
    )
    monkeypatch.setenv("PATH", "")
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert told.endswith(" []\n")
    assert "no GPU" in told


@pytest.mark.parametrize(
    ("gigabytes", "best"),
    [(2, None), (8, "Flash-Qwen3.5-0.8B"), (24, "Core-Qwen3.5-4.5B"), (80, "Prime-Qwen3.5-8B")],
)
def test_a_gpu_gets_the_best_that_its_memory_holds_and_that_may_be_sold(gigabytes, best):
    found = best_within(gigabytes)
    assert (found and found.name) == (best and f"vultr/VultronRetriever{best}")
    assert all(model.commercial is not False for model in [found] if model)
    assert KNOWN["vidore/colqwen2.5-v0.2"].commercial is False  # Qwen2.5-VL-3B's own licence


def test_a_folder_is_named_by_its_whole_path(own_folder):
    (own_folder / "model").mkdir()
    assert choose("model").name == choose("./model").name == str((own_folder / "model").resolve())


def test_without_its_packages_the_command_that_installs_them_is_named(monkeypatch):
    import importlib.util

    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == "torch" else real(name, *rest))
    with pytest.raises(MissingExtra, match=r"uv pip install .*\[colpali\]"):
        make_encoder("vidore/colpali-v1.3").describe()
    assert choose("auto").name == "lexical"


def test_batches_are_halved_until_they_fit_and_that_is_said(caplog):
    model = FakeModel(fits=2)
    found = encoder(model, batch=8).encode_pages(*pages(9))
    assert len(found) == 9
    assert model.batches == [2, 8, 4, 2, 2, 2, 2, 1]
    assert [record.getMessage().split(": ")[1] for record in caplog.records] == [
        "fake goes on with 4 pages at once (PAGESIGHT_PAGES_AT_ONCE)",
        "fake goes on with 2 pages at once (PAGESIGHT_PAGES_AT_ONCE)",
    ]


def test_a_page_that_does_not_fit_is_an_error_that_says_what_to_do():
    with pytest.raises(EncoderError, match=r"does not hold fake and one page.*PAGESIGHT_DTYPE"):
        encoder(FakeModel(fits=0)).encode_pages(*pages(2))


def test_a_fault_that_is_not_about_memory_passes():
    class Faulty(FakeModel):
        def encode_pages(self, pictures: Sequence[Image.Image]) -> list[MultiVector]:
            raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    with pytest.raises(RuntimeError, match="mat1"):
        encoder(Faulty()).encode_pages(*pages(1))


def test_a_model_that_does_not_look_is_refused():
    with pytest.raises(EncoderError, match="does not look at pages"):
        encoder(FakeModel(blind=True)).encode_pages(*pages(1))


def test_vectors_are_cut_and_normalised_again():
    cut = encoder(FakeModel(), dim=2)
    found = cut.encode_pages(*pages(1))[0]
    np.testing.assert_allclose(found.vectors, [[0.6, 0.8], [1, 0]], atol=1e-6)
    assert (cut.dim, cut.describe()["dim"]) == (2, 2)
    np.testing.assert_allclose(
        np.linalg.norm(cut.encode_query(read_query("x"), TermStatistics().idf).vectors, axis=1), 1, atol=1e-6
    )
    with pytest.raises(SettingsError, match="makes vectors of 4 dimensions, 8 were asked for"):
        encoder(FakeModel(), dim=8).describe()


def test_nothing_is_loaded_for_what_an_index_notes_and_other_weights_are_refused():
    def load() -> FakeModel:
        raise AssertionError("loaded")

    noted = {"name": "fake", "revision": "a1", "dim": 4}
    assert VisionEncoder("fake", load, recorded=noted).describe() == noted
    other = encoder(FakeModel(revision="b2"), recorded=noted)
    with pytest.raises(EncoderMismatch, match=r"revision a1.*now are b2"):
        other.encode_query(read_query("x"), TermStatistics().idf)


def test_vectors_that_are_no_numbers_are_refused():
    class Broken(FakeModel):
        def encode_query(self, question: str) -> tuple[np.ndarray, list[str]]:
            return np.full((1, 4), np.nan, np.float32), ["x"]

    with pytest.raises(EncoderError, match="no numbers"):
        encoder(Broken()).encode_query(read_query("x"), TermStatistics().idf)


def test_an_index_refuses_another_encoder_without_loading_it(tmp_path: Path):
    PageIndex.open(tmp_path / "i", settings=small_settings()).close()
    with pytest.raises(EncoderMismatch, match=r"encoder lexical .*not vidore/colpali-v1.3;"):
        PageIndex.open(tmp_path / "i", encoder="vidore/colpali-v1.3", settings=small_settings())


def test_grids_are_read_row_by_row_and_tiles_one_after_the_other():
    np.testing.assert_allclose(
        patch_boxes.grid(2, 2), [[0, 0, 0.5, 0.5], [0.5, 0, 1, 0.5], [0, 0.5, 0.5, 1], [0.5, 0.5, 1, 1]]
    )
    tiled = patch_boxes.tiles(2, 1, 4)
    assert tiled.shape == (12, 4)
    np.testing.assert_allclose(tiled[1], [0.25, 0, 0.5, 0.5])
    np.testing.assert_allclose(tiled[4], [0.5, 0, 0.75, 0.5])
    np.testing.assert_allclose(tiled[-4:], patch_boxes.grid(2, 2))
    assert patch_boxes.tiles(0, 0, 9).shape == (9, 4)
    with pytest.raises(ValueError, match="no square"):
        patch_boxes.square(10)
