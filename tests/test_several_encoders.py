"""An index with several encoders: each is searched and fused, can be added to pages that are there, and be removed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from encoder_servers import EncoderServer
from PIL import Image, ImageDraw, ImageFont
from small_index import FERRY, PUMP, open_index, small_settings, warned, write_pdf
from test_chat import piped
from test_cut_off import every_cut

from pagesight.agent.cli import main
from pagesight.indexing import PageIndex, Weights, prepare
from pagesight.indexing.errors import EncoderMismatch, PageIndexError, SettingsError
from pagesight.indexing.integrity.archive import export_index, import_index
from pagesight.indexing.integrity.repair import repair
from pagesight.indexing.integrity.verify import verify

SERVED = "voyage-multimodal-3.5"
SETTINGS = {"voyage_api_key": "k", "encoder_key": "k"}


@pytest.fixture
def server() -> Iterator[EncoderServer]:
    with EncoderServer("voyage", key="k", life=900) as running:
        yield running


@pytest.fixture
def served(server: EncoderServer, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("PAGESIGHT_OCR", "false")
    monkeypatch.setenv("PAGESIGHT_ENCODER_KEY", "k")
    return f"{SERVED}@{server.url}"


def opened(folder: Path, *encoders: str, **settings: object) -> PageIndex:
    return PageIndex.open(folder, encoder=list(encoders), settings=small_settings(**settings))


def files(tmp_path: Path) -> list[Path]:
    return [
        write_pdf(tmp_path / "ferry.pdf", [FERRY, ["Second page"]]),
        write_pdf(tmp_path / "pump.pdf", [PUMP]),
    ]


def names(index: PageIndex) -> list[str]:
    return [encoder.name for encoder in index.encoders]


def undamaged(folder: Path) -> bool:
    return verify(str(folder), small_settings()).damage == []


def test_an_index_is_made_with_two_and_searched_by_both(tmp_path: Path, served: str) -> None:
    folder = tmp_path / "index"
    with opened(folder, "lexical", served) as index:
        assert names(index) == ["lexical", SERVED]
        assert not index.add(files(tmp_path)).failed
        assert index.search("ferry Aurora passengers")[0].label == "ferry.pdf p. 1"
        ref = index.page("pump.pdf p. 1")
        assert index.multivector(ref, encoder=SERVED).vectors.shape == (1, 1024)
        assert index.multivector(ref).vectors.shape[1] == 128
        alone = {name: index.rank("pump", weights=Weights(1.0, 0.0, 0.0), encoder=name) for name in names(index)}
        both = {row.key: score for row, score in index.rank("pump", weights=Weights(1.0, 0.0, 0.0))}
        of_words, of_pictures = ({row.key: score for row, score in alone[name]} for name in names(index))
        # .3 and .7 beside BM25 are .3 / .7 and .7 / .3 against it, and so .155 and .845 of what all vectors say.
        assert both[ref.key] == pytest.approx(0.1552 * of_words[ref.key] + 0.8448 * of_pictures[ref.key], abs=1e-3)
        assert index.fusion_weight == pytest.approx((0.3 / 0.7 + 0.7 / 0.3) / (1 + 0.3 / 0.7 + 0.7 / 0.3))
        with pytest.raises(SettingsError, match=r"no encoder clip; it has lexical, voyage.*--encoder clip"):
            index.rank("pump", encoder="clip")
    assert undamaged(folder)
    with opened(folder) as index, pytest.raises(EncoderMismatch, match="add it"):
        opened(folder, "lexical", "vidore/colpali-v1.3")
    with pytest.raises(SettingsError, match="once"):
        opened(folder, "lexical", "lexical")


def test_candidates_come_from_each_encoder(tmp_path: Path, served: str) -> None:
    few = {"candidates": 1, "exhaustive_below": 1, "hits_per_vector": 1}
    many = write_pdf(tmp_path / "many.pdf", [[f"Chapter {number}", "words"] for number in range(1, 8)])
    with opened(tmp_path / "index", "lexical", served, **few) as index:
        index.add(many)
        found = {row.page for row, _ in index.rank("zzz", weights=Weights(1.0, 0.0, 0.0), encoder=SERVED)}
        assert len(found) == 1
        assert found <= {row.page for row, _ in index.rank("chapter", weights=Weights(1.0, 0.0, 0.0))} | found


def test_one_is_added_to_pages_that_are_there_and_removed(
    tmp_path: Path, server: EncoderServer, served: str, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [str(path) for path in files(tmp_path)]
    folder = Path(".pagesight")
    assert main(["index", *paths]) == 0
    with open_index(folder) as index:
        before = [(row.label, score) for row, score in index.rank("ferry Aurora")]
        ref = index.page("ferry.pdf p. 1")
        index.correct(ref, "Aurora", "Borealis")
        index.undo_correction(ref, index.corrections_of(ref)[0].id)
    capsys.readouterr()
    assert main(["index", "--encoder", served]) == 1  # nobody is there to agree to the costs
    assert "with --yes" in capsys.readouterr().err
    with open_index(folder) as index:
        assert names(index) == ["lexical"]
    pages = server.pages
    assert main(["index", "--encoder", served, "--yes"]) == 0
    assert "has seen 3 pages" in capsys.readouterr().out
    assert server.pages - pages <= 5  # two of them to try it
    assert main(["index", "--encoder", served, "--yes"]) == 0  # does nothing
    assert main(["doctor"]) in (0, 1)
    assert f"encoders lexical, {SERVED}" in " ".join(capsys.readouterr().out.split())
    with opened(folder, "lexical", served) as index:
        assert [encoder.finished for encoder in index.encoders] == [True, True]
        assert index.search("ferry Aurora")[0].label == "ferry.pdf p. 1"
        report = index.add(write_pdf(tmp_path / "more.pdf", [["A third document"]]))
        assert index.multivector(index.page("more.pdf p. 1"), encoder=SERVED).vectors.shape == (1, 1024)
        assert (report.pages, report.failed) == (1, [])
        index.remove("more.pdf")
        index.restore("more.pdf")
        assert len(index.search("third document")) > 0
        index.remove("more.pdf")
    assert undamaged(folder)
    assert main(["remove", "--encoder", SERVED]) == 0
    assert f"removed the encoder {SERVED}" in capsys.readouterr().out
    assert not list(folder.rglob("*voyage*"))
    assert undamaged(folder)
    with open_index(folder) as index:
        assert [(row.label, score) for row, score in index.rank("ferry Aurora")] == before
        with pytest.raises(SettingsError, match="only encoder"):
            index.remove_encoder("lexical")


def test_what_is_added_in_a_chat_is_not_paid_without_a_yes(tmp_path: Path, server: EncoderServer, served: str) -> None:
    with opened(tmp_path / "index", "lexical", served):
        pass
    paths, pages = files(tmp_path), server.pages
    said = piped(tmp_path / "index", f"/index {paths[0]}")
    assert "with --yes" in said.stderr
    assert server.pages == pages


def test_words_of_a_scan_that_were_read_are_what_one_more_encoder_is_given(tmp_path: Path, served: str) -> None:
    picture = Image.new("RGB", (1240, 600), "white")
    ImageDraw.Draw(picture).text((80, 80), "The lighthouse is high.", "black", ImageFont.load_default(48))
    picture.save(tmp_path / "scan.png", dpi=(150, 150))
    with opened(tmp_path / "index", served, ocr=True) as index:
        index.add(tmp_path / "scan.png")
    with opened(tmp_path / "index", ocr=False) as index:
        assert not index.add_encoder("lexical").failed
        assert len(index.multivector(index.page("scan.png p. 1"), encoder="lexical").vectors) > 1


def test_the_first_one_can_go_and_come_again(tmp_path: Path, served: str) -> None:
    folder = tmp_path / "index"
    with opened(folder, "lexical", served) as index:
        index.add(files(tmp_path))
        assert index.remove_encoder("lexical").name == "lexical"
        assert names(index) == [SERVED]
        assert index.search("ferry Aurora")[0].label == "ferry.pdf p. 1"  # by BM25
    recorded = json.loads((folder / "index.json").read_text())
    assert recorded["format"] == 5  # which says to versions that read format 4 that they cannot
    assert "encoder" not in recorded
    assert not list(folder.glob("multivectors/*/000001.npy"))
    assert undamaged(folder)
    with opened(folder, served) as index:
        index.add(write_pdf(tmp_path / "more.pdf", [["A third document"]]))
        index.add_encoder("lexical")
        assert names(index) == [SERVED, "lexical"]
        assert index.rank("ferry Aurora", encoder="lexical")[0][0].label == "ferry.pdf p. 1"
    assert undamaged(folder)


@pytest.mark.slow
def test_damage_by_either_is_found_and_repaired(tmp_path: Path, served: str) -> None:
    folder = tmp_path / "index"
    with opened(folder, "lexical", served) as index:
        index.add(files(tmp_path))
        ref = index.page("pump.pdf p. 1")
        kept = index.multivector(ref, encoder=SERVED).vectors
    for ending in ("000001.npy", "000001.voyage*.npy"):
        (file,) = (folder / "multivectors" / ref.document_id).glob(ending)
        file.write_bytes(b"")
        found = verify(str(folder), small_settings()).damage
        assert [(one.kind, one.what) for one in found] == [("vectors", "pump.pdf p. 1")]
        with opened(folder, "lexical", served) as index:
            with warned() as said:
                assert "pump.pdf p. 1" not in [hit.label for hit in index.search("pump Boreas")]
            assert "left out of the answers: pump.pdf p. 1" in said[0]
            assert repair(str(folder), small_settings()).left == []
            assert index.search("pump Boreas")[0].label == "pump.pdf p. 1"
            np.testing.assert_array_equal(index.multivector(ref, encoder=SERVED).vectors, kept)
    shutil.rmtree(folder / "milvus.db")
    shutil.rmtree(folder / "derived")
    assert repair(str(folder), small_settings()).left == []
    with opened(folder, "lexical", served, exhaustive_below=1, candidates=4) as index:
        assert index.search("pump Boreas")[0].label == "pump.pdf p. 1"


def test_an_archive_has_both(tmp_path: Path, served: str) -> None:
    with opened(tmp_path / "index", "lexical", served) as index:
        index.add(files(tmp_path))
        before = [(row.label, score) for row, score in index.rank("ferry Aurora")]
    export_index(str(tmp_path / "index"), tmp_path / "kept.zip", small_settings())
    import_index(tmp_path / "kept.zip", str(tmp_path / "other"), small_settings())
    assert undamaged(tmp_path / "other")
    with opened(tmp_path / "other", "lexical", served) as index:
        assert names(index) == ["lexical", SERVED]
        assert [(row.label, score) for row, score in index.rank("ferry Aurora")] == before


def test_shards_have_both_in_whichever_order(tmp_path: Path, served: str) -> None:
    paths, shards = files(tmp_path), tmp_path / "shards"
    with opened(tmp_path / "index", "lexical", served) as index:
        index.add(paths)
        refs = [ref for record in index.documents() for ref in record.page_refs]
        kept = {(ref.key, name): index.multivector(ref, encoder=name).vectors for ref in refs for name in names(index)}
        before = {row.label: score for row, score in index.rank("ferry Aurora")}
    assert len(prepare(paths, shards, encoder=[served, "lexical"], settings=small_settings()).added) == 2
    with opened(tmp_path / "other", "lexical", served) as index:
        report = index.commit(shards)
        assert (len(report.added), report.failed, report.pages) == (2, [], 3)
        for (key, name), vectors in kept.items():
            ref = next(ref for ref in refs if ref.key == key)
            np.testing.assert_array_equal(index.multivector(ref, encoder=name).vectors, vectors)
        assert {row.label: score for row, score in index.rank("ferry Aurora")} == pytest.approx(before, abs=1e-5)
    assert undamaged(tmp_path / "other")
    with opened(tmp_path / "alone", "lexical") as index, pytest.raises(EncoderMismatch, match=f"{SERVED}.*--encoder"):
        index.commit(shards)


def test_a_restored_document_is_found_by_what_it_has(tmp_path: Path, served: str) -> None:
    folder = tmp_path / "index"
    with opened(folder, "lexical") as index:
        index.add(files(tmp_path))
        index.remove("pump.pdf")
        index.add_encoder(served)
        index.restore("pump.pdf")
        assert index.search("pump Boreas")[0].label == "pump.pdf p. 1"
        assert [one.kind for one in verify(str(folder), small_settings()).damage] == ["vectors"]
        index.add(tmp_path / "pump.pdf")  # which completes it
        assert undamaged(folder)


def test_who_has_it_open_does_without_what_was_removed_and_does_not_write_without_what_was_added(
    tmp_path: Path, served: str
) -> None:
    folder, other = tmp_path / "index", tmp_path / "other"
    with opened(folder, "lexical", served) as index:
        index.add(files(tmp_path))
    shutil.copytree(folder, other)
    with opened(folder, "lexical", served) as stale:
        with opened(other, "lexical", served) as index:
            index.remove_encoder(SERVED)
        for name in ("index.json", "index.backup.json"):
            shutil.copy(other / name, folder / name)
        for file in folder.glob("multivectors/*/*.voyage*.npy"):
            file.unlink()
        shutil.rmtree(folder / "derived")
        shutil.copytree(other / "derived", folder / "derived")
        assert stale.search("ferry Aurora")[0].label == "ferry.pdf p. 1"
        with pytest.raises(PageIndexError, match="open it again"):
            stale.add(tmp_path / "ferry.pdf")


def test_a_question_with_a_picture_is_looked_at_by_who_looks(tmp_path: Path, served: str) -> None:
    with opened(tmp_path / "index", "lexical", served) as index:
        index.add(files(tmp_path))
        for name in ("ferry.pdf p. 1", "pump.pdf p. 1"):
            picture = index.picture(index.page(name), long_side=1540)
            vectors = index.query_vectors(index.picture_question(picture), encoder=SERVED)
            kept = index.multivector(index.page(name), encoder=SERVED).vectors
            assert float((vectors.vectors @ kept.T).max()) > 0.99
        like = index.like("ferry.pdf p. 1")
        assert list(like.kept) == [index.encoders[1].id]
        assert "ferry.pdf p. 1" not in [hit.label for hit in index.search(like)]
        assert index.heatmap(index.page("pump.pdf p. 1"), tmp_path / "map.png", "pump").exists()


@pytest.mark.slow
@pytest.mark.parametrize("work", ["add_encoder", "remove_encoder"])
def test_adding_and_removing_are_cut_off_before_any_step(tmp_path: Path, served: str, work: str) -> None:
    made = tmp_path / "made" / "index"
    with opened(made, "lexical") as index:
        index.add(files(tmp_path))
        if work == "remove_encoder":
            index.add_encoder(served)

    def check(folder: Path) -> None:
        with opened(folder) as index:
            assert index.search("ferry Aurora passengers")[0].label == "ferry.pdf p. 1"
            if work == "add_encoder":
                assert not index.add_encoder(served).failed
                assert index.multivector(index.page("ferry.pdf p. 2"), encoder=SERVED).vectors.shape == (1, 1024)
            elif names(index) != ["lexical"]:
                index.remove_encoder(SERVED)
            else:
                index.add(tmp_path / "pump.pdf")
            assert [one.finished for one in index.encoders] == [True] * (1 + (work == "add_encoder"))
            assert index.search("pump Boreas kilowatts")[0].label == "pump.pdf p. 1"
        assert undamaged(folder)
        assert (work == "add_encoder") == bool(list(folder.rglob("*voyage*")))

    name, stride = (served, 7) if work == "add_encoder" else (SERVED, 3)
    assert every_cut(made.parent, tmp_path, work, name, check, stride) > 20
