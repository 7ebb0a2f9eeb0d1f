"""An index from the outside: what is added is found, what changed is replaced, and nothing is lost on the way."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw
from small_index import small_settings, write_pdf
from waiting import SOON

from pagesight.indexing import PageIndex, Progress
from pagesight.indexing.errors import (
    EmptyQuestion,
    EncoderMismatch,
    IndexMissing,
    MissingPath,
    NoDocuments,
    PageIndexError,
    SettingsError,
    StorageFull,
    UnknownDocument,
    UnknownPage,
    UnreadableDocument,
)

FERRY = ["Fleet of ferries", "The ferry Aurora carries 1200 passengers."]
PUMP = ["Heat pumps", "The pump Boreas delivers 12 kilowatts."]


@pytest.fixture
def index(place: str) -> Iterator[PageIndex]:
    with PageIndex.open(place, settings=small_settings()) as opened:
        yield opened


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    return folder


def many_pages(path: Path, count: int) -> Path:
    return write_pdf(path, [[f"Section {number}", f"keyword{number:04d} stands here"] for number in range(count)])


def test_search_finds_the_page_and_says_where(index: PageIndex, files: Path) -> None:
    index.add(write_pdf(files / "ferries.pdf", [["Cover"], FERRY, ["Annex"]]))
    index.add(write_pdf(files / "pumps.pdf", [PUMP]))

    hit = index.search("How many passengers does the ferry Aurora carry?")[0]

    assert (hit.rank, hit.label, hit.document, hit.page) == (1, "ferries.pdf p. 2", "ferries.pdf", 2)
    assert hit.lines[0] == FERRY[1]
    # 72 pt from the left and 96 pt from the top of an A4 page is where the second line stands
    left, top, right, bottom = hit.boxes[0]
    assert 0.11 < left < right < 0.6
    assert 0.09 < top < bottom < 0.13
    assert json.loads(json.dumps(hit.as_dict()))["document_id"] == hit.document_id


def test_words_that_only_resemble_those_of_the_question_are_found(index: PageIndex, files: Path) -> None:
    index.add(write_pdf(files / "blatt.pdf", [["Vorwort"], ["Leistungsaufnahme der Umwälzpumpe 42 Watt"]]))
    assert index.search("Umwälzpumpen")[0].page == 2


def test_top_k_and_ties_in_the_order_of_pages(index: PageIndex, files: Path) -> None:
    index.add(write_pdf(files / "same.pdf", [["identical words"]] * 6))
    assert [hit.page for hit in index.search("identical", top_k=4)] == [1, 2, 3, 4]
    with pytest.raises(ValueError, match="top_k"):
        index.search("identical", top_k=0)


def test_documents_narrow_the_search(index: PageIndex, files: Path) -> None:
    write_pdf(files / "a.pdf", [FERRY])
    write_pdf(files / "b.pdf", [PUMP, [*FERRY, "b"]])
    index.add(files)
    assert [hit.label for hit in index.search("ferry Aurora", documents=["b.pdf"])] == ["b.pdf p. 2", "b.pdf p. 1"]
    with pytest.raises(UnknownDocument, match=r"c\.pdf.*b\.pdf"):
        index.search("ferry", documents=["c.pdf"])


@pytest.mark.parametrize("question", ["", "   ", "?!"])
def test_an_empty_question_is_refused(index: PageIndex, question: str) -> None:
    with pytest.raises(EmptyQuestion, match="at least one word"):
        index.search(question)


def test_an_empty_index_answers_with_nothing(index: PageIndex) -> None:
    assert index.search("anything") == []
    assert index.documents() == []


def test_candidates_and_exhaustive_search_agree(place: str, files: Path) -> None:
    source = many_pages(files / "long.pdf", 60)
    found = []
    for below in (0, 1000):
        settings = small_settings(exhaustive_below=below, candidates=20)
        with PageIndex.open(f"{place}_{below}", settings=settings) as index:
            index.add(source)
            found.append([index.search(f"keyword{number:04d}", top_k=1)[0].page for number in (0, 17, 42, 59)])
    assert found == [[1, 18, 43, 60]] * 2


def test_candidates_alone_find_what_bm25_cannot(place: str, files: Path) -> None:
    with PageIndex.open(place, settings=small_settings(exhaustive_below=0, candidates=5)) as index:
        index.add(write_pdf(files / "a.pdf", [[f"page {n}"] for n in range(30)] + [["Umwälzpumpe"]]))
        assert index.search("Umwälzpumpen")[0].page == 31


def test_what_is_unchanged_is_skipped_and_what_changed_is_replaced(index: PageIndex, files: Path) -> None:
    path = write_pdf(files / "report.pdf", [FERRY])
    first = index.add(files)
    again = index.add(files)
    write_pdf(path, [PUMP, ["more"]])
    changed = index.add(files)

    assert ([d.document for d in first.added], first.pages) == (["report.pdf"], 1)
    assert ([d.document for d in again.unchanged], again.pages, again.added) == (["report.pdf"], 0, [])
    assert ([d.document for d in changed.replaced], changed.pages, changed.added) == (["report.pdf"], 2, [])
    assert [(d.document, d.pages) for d in index.documents()] == [("report.pdf", 2)]
    assert not any("Aurora" in line for hit in index.search("ferry Aurora") for line in hit.lines)
    assert len(list((index.path / "documents").iterdir())) == 1
    assert {hit.document for hit in index.search("pump Boreas")} == {"report.pdf"}
    vectors = index.path / "multivectors"  # not there where Milvus has them
    assert not vectors.exists() or len(list(vectors.iterdir())) == 1


def test_changing_a_file_to_what_is_known_elsewhere_leaves_one_document(index: PageIndex, files: Path) -> None:
    one, two = write_pdf(files / "one.pdf", [FERRY]), write_pdf(files / "two.pdf", [PUMP])
    index.add(files)
    shutil.copyfile(one, two)
    index.add(files)
    assert [d.document for d in index.documents()] == ["one.pdf"]


def test_the_same_content_twice_is_one_document(index: PageIndex, files: Path) -> None:
    shutil.copyfile(write_pdf(files / "a.pdf", [FERRY]), files / "b.pdf")
    report = index.add(files)
    assert len(report.added) == len(index.documents()) == 1


def test_names_are_unique(index: PageIndex, files: Path) -> None:
    for year in ("2022", "2023"):
        (files / year).mkdir()
        write_pdf(files / year / "report.pdf", [[f"results of {year}"]])
    index.add(files)
    assert [d.document for d in index.documents()] == ["2023/report.pdf", "report.pdf"]
    assert index.search("results 2023", top_k=1)[0].label == "2023/report.pdf p. 1"
    assert index.page("2023/report.pdf p. 1").page == 1


def test_removing_by_name_path_and_id(index: PageIndex, files: Path) -> None:
    for name, text in (("a.pdf", FERRY), ("b.pdf", PUMP), ("c.pdf", ["third"])):
        write_pdf(files / name, [text])
    index.add(files)
    identity = index.document("c.pdf").document_id
    with pytest.raises(UnknownDocument, match=r"x\.pdf"):
        index.remove(["a.pdf", "x.pdf"])
    assert len(index.documents()) == 3
    assert [d.document for d in index.remove(["a.pdf", files / "b.pdf", identity])] == ["a.pdf", "b.pdf", "c.pdf"]
    assert index.documents() == []
    assert index.search("ferry") == []
    assert list((index.path / "documents").iterdir()) == []
    index.add(files / "a.pdf")
    assert index.search("ferry Aurora")[0].label == "a.pdf p. 1"


def test_what_cannot_be_read_is_named_and_the_others_are_indexed(index: PageIndex, files: Path) -> None:
    good = write_pdf(files / "good.pdf", [FERRY])
    (files / "truncated.pdf").write_bytes(good.read_bytes()[:300])
    (files / "text.pdf").write_text("not a PDF at all")
    (files / "empty").mkdir()
    report = index.add([files, files / "missing.pdf", files / "empty"])

    reasons = {failure.path.name: type(failure.error) for failure in report.failed}
    assert reasons == {
        "truncated.pdf": UnreadableDocument,
        "text.pdf": UnreadableDocument,
        "missing.pdf": MissingPath,
        "empty": NoDocuments,
    }
    assert [d.document for d in index.documents()] == ["good.pdf"]


def test_an_interrupted_run_is_taken_up(index: PageIndex, files: Path) -> None:
    source = many_pages(files / "long.pdf", 40)

    def interrupt(progress: Progress) -> None:
        assert progress.total_pages == 40
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        index.add(source, progress=interrupt)
    assert index.documents() == []  # nobody sees half a document
    assert index.search("keyword0003") == []

    report = index.add(source)
    assert 0 < report.pages < 40
    assert index.documents()[0].pages == 40
    assert [index.search(f"keyword{n:04d}", top_k=1)[0].page for n in (3, 39)] == [4, 40]


@pytest.mark.slow
def test_ctrl_c_ends_it_soon_and_another_run_takes_it_up(tmp_path: Path, files: Path) -> None:
    for number in range(24):
        with Image.new("RGB", (400, 200), "white") as scan:
            ImageDraw.Draw(scan).text((40, 50), f"scan{number:02d} has words", "black", font_size=36)
            scan.save(files / f"{number:02d}.png")
    with subprocess.Popen(
        [sys.executable, "-c", ADD_SCANS, str(tmp_path / "i"), str(files)], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        acknowledged = int(writer.stdout.readline())
        writer.send_signal(signal.SIGINT)
        started = time.monotonic()
        *more, last = writer.stdout.read().split()
        writer.wait(30)
    assert last == "interrupted"
    assert time.monotonic() - started < SOON
    acknowledged = max([acknowledged, *map(int, more)])
    with PageIndex.open(tmp_path / "i", settings=small_settings()) as index:
        done = len(index.documents())
        assert acknowledged <= done < 24
        assert index.add(files).pages == 24 - done


def test_a_page_that_cannot_be_read_is_blank_and_the_others_are_indexed(
    index: PageIndex, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")  # poppler would read it
    path = many_pages(files / "a.pdf", 3)
    path.write_bytes(re.sub(rb"/Type /Page\n", b"/Type /Pagx\n", path.read_bytes(), count=1))
    report = index.add(path)
    assert report.pages == 3
    (failure,) = report.failed
    assert str(failure.error).startswith("page 1 of a.pdf is not in the index; its other pages are. ")


def test_an_index_is_as_it_was_when_opened_again(place: str, files: Path) -> None:
    many_pages(files / "a.pdf", 20)
    with PageIndex.open(place, settings=small_settings()) as index:
        index.add(files)
        before = [hit.as_dict() for hit in index.search("keyword0007 section")]
    with PageIndex.open(place, settings=small_settings(), create=False) as index:
        assert [hit.as_dict() for hit in index.search("keyword0007 section")] == before
        assert index.add(files).pages == 0


def test_opening_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(IndexMissing, match="pagesight index"):
        PageIndex.open(tmp_path / "none", create=False)
    assert not (tmp_path / "none").exists()


def test_an_unknown_encoder_and_another_encoder(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"no encoder 'clipp'.*lexical"):
        PageIndex.open(tmp_path / "i", encoder="clipp")
    PageIndex.open(tmp_path / "i", settings=small_settings()).close()
    recorded = json.loads((tmp_path / "i" / "index.json").read_text())
    recorded["encoder"]["revision"] = "0"
    (tmp_path / "i" / "index.json").write_text(json.dumps(recorded))
    with pytest.raises(EncoderMismatch, match=r"revision 0.*pagesight index PATH"):
        PageIndex.open(tmp_path / "i", settings=small_settings())


def test_a_damaged_index_file(tmp_path: Path) -> None:
    PageIndex.open(tmp_path / "i", settings=small_settings()).close()
    (tmp_path / "i" / "index.json").write_text("{")
    with pytest.raises(PageIndexError, match="damaged"):
        PageIndex.open(tmp_path / "i", settings=small_settings())


def test_the_same_process_may_open_it_twice(tmp_path: Path, files: Path) -> None:
    one = PageIndex.open(tmp_path / "i", settings=small_settings())
    two = PageIndex.open(tmp_path / "i", settings=small_settings())
    one.add(write_pdf(files / "a.pdf", [FERRY]))
    one.close()
    one.close()
    assert two.search("ferry")[0].label == "a.pdf p. 1"
    two.close()
    assert not (tmp_path / "i" / "writer.json").exists()


def test_pages_are_shown_after_the_original_is_gone(index: PageIndex, files: Path) -> None:
    path = write_pdf(files / "a.pdf", [FERRY])
    index.add(path)
    ref = index.page("a.pdf p. 1")
    before = index.picture(ref, long_side=500)
    path.unlink()
    assert index.picture(ref, long_side=500).tobytes() == before.tobytes()
    assert max(before.size) == 500


def test_a_file_changed_in_place_is_noticed(index: PageIndex, files: Path) -> None:
    path = write_pdf(files / "a.pdf", [FERRY])
    index.add(path)
    other = write_pdf(files / "b.pdf", [PUMP]).read_bytes()
    kept = next((index.path / "documents").iterdir())
    with kept.open("r+b") as file:
        file.truncate()
        file.write(other)
    os.utime(kept, (1, 1))
    path.unlink()
    with pytest.raises(UnreadableDocument, match="changed in place"):
        index.picture(index.page("a.pdf p. 1"))


@pytest.mark.parametrize(
    ("label", "message"),
    [
        ("a.pdf p. 2", "pages 1 to 1"),
        ("a.pdf p. 0", "pages 1 to 1"),
        ("a.pdf", "no page label"),
        ("a.pdf p. x", "there is no page x"),
        ("a.pdf p. one", "no page label"),
        ("a.pdf p. ²", "no page label"),
        ("", "no page label"),
    ],
)
def test_labels_that_no_page_has(index: PageIndex, files: Path, label: str, message: str) -> None:
    index.add(write_pdf(files / "a.pdf", [FERRY]))
    with pytest.raises(UnknownPage, match=message):
        index.page(label)


def test_a_label_is_a_page(index: PageIndex, files: Path, tmp_path: Path) -> None:
    index.add(write_pdf(files / "ferries.pdf", [["Cover"], FERRY]))
    label, ref = "ferries p. 2", index.page("ferries.pdf p. 2")
    assert index.text(label) == index.text(ref) != ""
    assert index.words(label).words == index.words(ref).words
    assert index.picture(label, dpi=36).tobytes() == index.picture(ref, dpi=36).tobytes()
    assert index.corrections_of(label) == ()
    assert (index.multivector(label).vectors == index.multivector(ref).vectors).all()
    assert index.evidence(label, tmp_path / "a.png", query="Aurora").read_bytes() == (
        index.evidence(ref, tmp_path / "b.png", query="Aurora").read_bytes()
    )
    assert index.heatmap(label, tmp_path / "c.png", "Aurora").exists()
    corrected = index.correct(label, index.words(ref).words[0], "Corrected")
    assert index.words(ref).words[0] == "Corrected"
    assert index.undo_correction(label, corrected.id) == [corrected]
    with pytest.raises(UnknownPage, match=r"ferries.pdf has the pages 1 to 2; there is no page 3\."):
        index.text("ferries.pdf p. 3")
    with pytest.raises(UnknownPage, match="'the ferry' is no page label"):
        index.picture("the ferry")


def test_evidence_marks_the_words_that_match(index: PageIndex, files: Path, tmp_path: Path) -> None:
    index.add(write_pdf(files / "a.pdf", [FERRY]))
    ref = index.page("a.pdf p. 1")
    path = index.evidence(ref, tmp_path / "out" / "a.png", query="ferry Aurora", regions=[(500, 100, 600, 300)])
    with Image.open(path) as picture:
        pixels = np.asarray(picture.convert("RGB")).astype(int)
    height = len(pixels)
    yellow = (pixels[:, :, 0] > 240) & (pixels[:, :, 2] < 60)
    rows = np.flatnonzero(yellow.any(axis=1)) / height
    assert rows.min() > 0.06  # where the first two lines stand, and nowhere else
    assert rows.max() < 0.14
    assert ((pixels == (214, 40, 40)).all(axis=2)).any()


@pytest.mark.slow
def test_threads_search_while_documents_come_and_go(index: PageIndex, files: Path) -> None:
    index.add(write_pdf(files / "first.pdf", [FERRY, ["second page"]]))
    done = threading.Event()
    faults: list[object] = []

    def read() -> None:
        while not done.is_set():
            try:
                hits = index.search("ferry Aurora passengers page", top_k=50)
                whole = {d.document: d.pages for d in index.documents()}
                if not hits or any(hit.page > whole.get(hit.document, 99) for hit in hits):
                    faults.append(hits)
            except Exception as error:  # noqa: BLE001 - whatever goes wrong in a thread is the finding
                faults.append(error)

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(5):
        path = write_pdf(files / f"more{number}.pdf", [[f"ferry page {number}-{page}"] for page in range(20)])
        index.add(path)
        if number % 2:
            index.remove(path.name)
    done.set()
    for thread in threads:
        thread.join(30)
    assert faults == []


async def test_everything_has_a_twin_for_asyncio(place: str, files: Path) -> None:
    path = write_pdf(files / "a.pdf", [FERRY])
    async with PageIndex.open(place, settings=small_settings()) as index:
        assert (await index.aadd(path)).pages == 1
        hit = (await index.asearch("ferry", top_k=1))[0]
        assert (await index.apicture(hit.ref, long_side=300)).size[1] == 300
        assert (await index.adocuments())[0].document == "a.pdf"
        assert len(await index.aremove("a.pdf")) == 1


ADD_SCANS = """
import signal, sys
from pagesight.indexing import PageIndex, load_settings
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run in the background
with PageIndex.open(sys.argv[1], settings=load_settings(ocr=True)) as index:
    try:
        index.add(sys.argv[2], progress=lambda progress: print(progress.done_pages, flush=True))
    except KeyboardInterrupt:
        print("interrupted")
"""

SCAN = """
import sys
from pagesight.indexing import PageIndex, load_settings
with PageIndex.open(sys.argv[1], settings=load_settings()) as index:
    index.add(sys.argv[2])
    print(index.search("ferry")[0].label)
"""


def test_indexing_a_scan_leaves_nothing_in_the_home_folder(tmp_path: Path, files: Path) -> None:
    with Image.new("RGB", (900, 300), "white") as scan:
        ImageDraw.Draw(scan).text((40, 100), "The ferry Aurora", "black", font_size=72)
        scan.save(files / "scan.png")
    home = tmp_path / "home"
    home.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", SCAN, str(tmp_path / "i"), str(files)],
        env={name: value for name, value in os.environ.items() if name != "XDG_CACHE_HOME"} | {"HOME": str(home)},
        capture_output=True,
        text=True,
    )
    assert done.stdout == "scan.png p. 1\n", done.stderr
    assert list(home.rglob("*")) == []


def test_each_opening_has_its_own_settings(place: str, files: Path) -> None:
    write_pdf(files / "a.pdf", [["ferry"]] * 5)
    with PageIndex.open(place, settings=small_settings(top_k=1)) as one:
        one.add(files)
        with PageIndex.open(place, settings=small_settings(top_k=3)) as two:
            assert (len(one.search("ferry")), len(two.search("ferry"))) == (1, 3)


def test_vectors_of_pages_and_questions_can_be_looked_at(index: PageIndex, files: Path) -> None:
    index.add(write_pdf(files / "a.pdf", [FERRY]))
    page, query = index.multivector(index.page("a.pdf p. 1")), index.query_vectors("the ferry Aurora")
    assert page.vectors.shape == (9, index.encoder.dim)
    assert page.boxes.shape == (9, 4)
    assert query.tokens == ["ferry", "aurora"]
    best = (query.vectors @ page.vectors.astype(np.float32).T).max(axis=1)
    np.testing.assert_allclose(best, 1, atol=1e-3)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="mounting a small disk needs root")
def test_a_full_disk_says_so_and_loses_nothing(tmp_path: Path, files: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "none", str(small)], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.decode().strip()}")
    try:
        with PageIndex.open(small / "i", settings=small_settings()) as index:
            index.add(write_pdf(files / "first.pdf", [FERRY]))
            words = [" ".join(f"word{page}x{n}" for n in range(12)) for page in range(40)]
            big = write_pdf(files / "big.pdf", [words] * 200)
            with pytest.raises(StorageFull, match="disk is full"):
                index.add(big)
            assert [d.document for d in index.documents()] == ["first.pdf"]
            assert index.search("ferry Aurora")[0].label == "first.pdf p. 1"
    finally:
        subprocess.run(["umount", "-l", str(small)], check=False, capture_output=True)
