"""No file ends a run: whatever it, its pages, its name or its sidecar do is one named failure, and the rest goes on."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from documents import pdf, raw_pdf
from PIL import Image
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen import canvas
from small_index import small_settings, write_pdf
from waiting import SOON, waited_for

from pagesight.agent.cli import main
from pagesight.agent.reports.cited_pages import picture_path
from pagesight.indexing import AddReport, MultiVector, PageIndex, PageText, Progress, UnreadableDocument
from pagesight.indexing.encoders import LexicalEncoder

CATALOG = "<< /Type /Catalog /Pages 2 0 R >>"
PAGES = "<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
PAGE = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] >>"
GOOD = ["The ferry Aurora carries 1200 passengers."]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    write_pdf(folder / "good.pdf", [GOOD])
    return folder


@contextmanager
def opened(tmp_path: Path, **settings: object) -> Iterator[PageIndex]:
    with PageIndex.open(tmp_path / "index", settings=small_settings(**settings)) as index:
        yield index


def added(tmp_path: Path, files: Path, **settings: object) -> AddReport:
    """The report on all files, once it is sure that the sound one is in the index."""
    with opened(tmp_path, **settings) as index:
        report = index.add(files)
        assert index.search("ferry Aurora")[0].label == "good.pdf p. 1"
    return report


def reasons(report: AddReport) -> dict[str, str]:
    """Each failed file's one reason."""
    found = {failure.path.name: str(failure.error) for failure in report.failed}
    assert len(found) == len(report.failed)
    return found


def with_words(path: Path, boxes: str, content: str = "BT /F1 40 Tf 60 600 Td (words here) Tj ET") -> Path:
    """A PDF of one page with these boxes."""
    page = f"<< /Type /Page /Parent 2 0 R {boxes} /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>"
    stream = f"<< /Length {len(content)} >>\nstream\n{content}\nendstream"
    return raw_pdf(path, [CATALOG, PAGES, page, stream, "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"])


def slow_pdf(path: Path) -> Path:
    """A page of millions of strokes, which takes minutes to be read."""
    return with_stream(path, b"0 0 m 600 700 l S\n" * 2_000_000)


def with_stream(path: Path, content: bytes) -> Path:
    """A page with this content, deflated."""
    packed = zlib.compress(content, 9).decode("latin-1")
    stream = f"<< /Length {len(packed)} /Filter /FlateDecode >>\nstream\n{packed}\nendstream"
    return raw_pdf(path, [CATALOG, PAGES, PAGE.replace(">>", "/Contents 4 0 R >>"), stream])


# pages


@pytest.mark.parametrize("crop", ["1000 1000 1100 1100", "612 0 700 792", "50 50 50 50"])
def test_a_crop_box_outside_the_page_shows_the_whole_page(tmp_path: Path, files: Path, crop: str) -> None:
    with_words(files / "crop.pdf", f"/MediaBox [0 0 612 792] /CropBox [{crop}]")
    with opened(tmp_path) as index:
        assert index.add(files).failed == []
        hit = index.search("words here")[0]
        assert hit.label == "crop.pdf p. 1"
        assert 0.05 < hit.boxes[0][0] < 0.15
        assert index.picture(hit.ref, long_side=792).size == (612, 792)


def test_pages_that_are_promised_and_not_there(tmp_path: Path, files: Path) -> None:
    raw_pdf(files / "none.pdf", [CATALOG, PAGES.replace("3 0 R", "").replace("Count 1", "Count 3000"), PAGE])
    raw_pdf(files / "one.pdf", [CATALOG, PAGES.replace("Count 1", "Count 3000"), PAGE])
    raw_pdf(files / "loop.pdf", [CATALOG, "<< /Type /Pages /Kids [2 0 R 3 0 R] /Count 7 >>", PAGE])
    level = "<< /Type /Pages /Kids [" + "{0} 0 R " * 15 + "] /Count {1} >>"
    tree = [level.format(3, 3375), level.format(4, 225), level.format(5, 15)]
    raw_pdf(files / "tree.pdf", [CATALOG, *tree, PAGE])
    report = added(tmp_path, files)
    assert {name: "pages" in reason for name, reason in reasons(report).items()} == {"none.pdf": True, "tree.pdf": True}
    assert report.pages == 3
    assert sorted(warning.text.split(",")[0] for warning in report.warnings) == [
        "loop.pdf: it promises 7 pages",
        "one.pdf: it promises 3",
    ]


def test_a_document_of_which_nothing_can_be_read_is_not_in_the_index(tmp_path: Path, files: Path) -> None:
    (files / "half.png").write_bytes(as_png(400)[:3000])
    with opened(tmp_path, ocr=True) as index:
        report = index.add(files)
        assert [document.document for document in index.documents()] == ["good.pdf"]
    assert "half.png" in reasons(report)["half.png"]
    assert "documents" not in reasons(report)["half.png"]  # the name of the kept copy is nobody's business


def as_png(side: int) -> bytes:
    from documents import as_bytes

    return as_bytes(Image.effect_noise((side, side), 60), "PNG")


@pytest.mark.skipif(shutil.which("pdftocairo") is None, reason="poppler is not installed")
def test_a_page_that_pdfium_refuses_is_drawn_by_poppler(tmp_path: Path, files: Path) -> None:
    path = write_pdf(files / "three.pdf", [["first"], ["a second page of seals"], ["third"]])
    parts = path.read_bytes().split(b"/Type /Page\n")
    path.write_bytes(b"/Type /Page\n".join(parts[:2]) + b"/Type /Pagx\n" + b"/Type /Page\n".join(parts[2:]))
    alone = write_pdf(files / "alone.pdf", [["alone with walruses"]])
    alone.write_bytes(alone.read_bytes().replace(b"/Type /Page\n", b"/Type /Pagx\n"))
    with opened(tmp_path) as index:
        report = index.add(files)
        assert report.failed == []
        assert sorted(one.text.partition(": ")[0] for one in report.warnings) == [
            "page 1 of alone.pdf",
            "page 2 of three.pdf",
        ]
        assert all("poppler" in one.text for one in report.warnings)
        assert index.search("walruses", top_k=1)[0].label == "alone.pdf p. 1"
        hit = index.search("seals", top_k=1)[0]
        assert hit.label == "three.pdf p. 2"
        assert index.picture(hit.ref, long_side=300).getextrema()[0][0] < 100
        with index.opened(hit.ref) as document:
            assert b"%PDF-" in (document.single_page(2) or b"")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have Japanese fonts")
def test_words_that_the_picture_does_not_show_are_a_warning(tmp_path: Path, files: Path) -> None:
    fonts = [path.name.lower() for path in Path("/usr/share/fonts").rglob("*")]
    if any("cjk" in name or "gothic" in name or "mincho" in name for name in fonts):
        pytest.skip("a Japanese font is installed")
    pdfmetrics.registerFont(UnicodeCIDFont("HeiseiMin-W3"))
    sheet = canvas.Canvas(str(files / "ja.pdf"))
    sheet.drawString(72, 700, "Annual report")
    sheet.setFont("HeiseiMin-W3", 20)
    sheet.drawString(72, 600, "当社の純利益は三百二十億円でした")
    sheet.save()
    [warning] = added(tmp_path, files).warnings
    assert warning.text.startswith("page 1 of ja.pdf: ")
    assert "fonts-noto-cjk" in warning.text


def test_a_page_that_the_encoder_cannot_take_is_blank(
    tmp_path: Path, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_pdf(files / "three.pdf", [["first"], ["cursed"], ["third words"]])
    usual = LexicalEncoder.encode_pages

    def choosy(self: LexicalEncoder, pictures: Sequence[Any], texts: Sequence[PageText]) -> list[MultiVector]:
        if any("cursed" in text.words for text in texts):
            raise ValueError("absolute aspect ratio must be smaller than 200")
        return usual(self, pictures, texts)

    monkeypatch.setattr(LexicalEncoder, "encode_pages", choosy)
    with opened(tmp_path) as index:
        report = index.add(files)
        assert "page 2 of three.pdf" in reasons(report)["three.pdf"]
        assert "aspect ratio" in reasons(report)["three.pdf"]
        assert index.search("third words", top_k=1)[0].label == "three.pdf p. 3"


# limits


def test_a_page_that_takes_too_long_is_given_up(tmp_path: Path, files: Path) -> None:
    slow_pdf(files / "slow.pdf")
    report = added(tmp_path, files, page_seconds=1)
    assert list(reasons(report)) == ["slow.pdf"]
    assert "PAGESIGHT_PAGE_SECONDS" in reasons(report)["slow.pdf"]
    assert report.pages == 2


def slow_to_show(tmp_path: Path) -> Path:
    """A document whose second page would take minutes to be drawn, in an index that did not read it."""
    content = zlib.compress(b"0 0 m 600 700 l S\n" * 2_000_000, 9).decode("latin-1")
    stream = f"<< /Length {len(content)} /Filter /FlateDecode >>\nstream\n{content}\nendstream"
    pages = "<< /Type /Pages /Kids [3 0 R 5 0 R] /Count 2 >>"
    raw_pdf(tmp_path / "slow.pdf", [CATALOG, pages, PAGE, stream, PAGE.replace(">>", "/Contents 4 0 R >>")])
    with opened(tmp_path) as index:
        assert index.add(tmp_path / "slow.pdf", pages="1").failed == []
    return tmp_path / "index"


def test_a_page_that_takes_too_long_to_be_shown_is_given_up_and_others_are_shown(tmp_path: Path) -> None:
    slow_to_show(tmp_path)
    with opened(tmp_path, page_seconds=1) as index:
        with pytest.raises(
            UnreadableDocument, match=r"p\. 2 of slow\.pdf took longer than 1 s .*PAGESIGHT_PAGE_SECONDS"
        ):
            index.picture(index.page("slow.pdf p. 2"))
        assert index.picture(index.page("slow.pdf p. 1"), long_side=100).size == (77, 100)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_looking_at_a_slow_page_is_ended_by_ctrl_c(tmp_path: Path) -> None:
    command = "import sys; from pagesight.agent.cli import main; sys.exit(main(sys.argv[1:]))"
    asked = ["view", "slow.pdf p. 2", f"--index={slow_to_show(tmp_path)}"]
    with subprocess.Popen([sys.executable, "-c", command, *asked], stderr=subprocess.PIPE, text=True) as run:
        assert waited_for(lambda: readers_of(run.pid))
        readers, started = readers_of(run.pid), time.monotonic()
        run.send_signal(signal.SIGINT)
        run.wait(30)
        seconds = time.monotonic() - started
    assert run.returncode == 130
    assert seconds < 2 or os.getloadavg()[0] > 2 * (os.cpu_count() or 1)
    assert waited_for(lambda: not any(Path(f"/proc/{reader}").exists() for reader in readers))


@pytest.mark.slow
def test_a_page_that_takes_too_much_memory_is_given_up(tmp_path: Path, files: Path) -> None:
    with_stream(files / "inflates.pdf", bytes(600_000_000))
    report = added(tmp_path, files, reader_memory=300)
    assert "PAGESIGHT_READER_MEMORY" in reasons(report)["inflates.pdf"]


def test_size_pages_and_pixels_have_limits(tmp_path: Path, files: Path) -> None:
    pdf(files / "pages.pdf", [[]] * 4)
    (files / "pixels.png").write_bytes(as_png(200))
    with (files / "bytes.pdf").open("wb") as file:
        file.truncate(2_000_000)
        file.write(b"%PDF-1.7")
    report = added(tmp_path, files, pages_per_document=3, image_pixels=30_000, file_megabytes=1)
    named = {"pages.pdf": "PAGES_PER_DOCUMENT", "pixels.png": "IMAGE_PIXELS", "bytes.pdf": "FILE_MEGABYTES"}
    assert set(reasons(report)) == set(named)
    assert all(f"PAGESIGHT_{setting}" in reasons(report)[name] for name, setting in named.items())


def test_the_same_limits_hold_where_a_page_is_shown(tmp_path: Path) -> None:
    (tmp_path / "pixels.png").write_bytes(as_png(200))
    paths = [tmp_path / "pixels.png", pdf(tmp_path / "pages.pdf", [[]] * 4)]
    with opened(tmp_path) as index:
        assert index.add(paths).failed == []
    with opened(tmp_path, pages_per_document=3, image_pixels=30_000) as index:
        for label, setting in (("pixels.png p. 1", "IMAGE_PIXELS"), ("pages.pdf p. 2", "PAGES_PER_DOCUMENT")):
            with pytest.raises(UnreadableDocument, match=f"PAGESIGHT_{setting}"):
                index.picture(index.page(label))


# names and sidecars

SIDECARS = {
    "nan": '{"year": NaN}',
    "infinite": '{"year": 1e999}',
    "long": '{"year": 99999999999999999999}',
    "deep": "[" * 100_000,
    "half": r'{"name": "\ud800"}',
    "key": r'{"\udfff": 1}',
    "digits": '{"year": ' + "9" * 6000 + "}",
    "large": '{"text": "' + "x" * 70_000 + '"}',
    "binary": "\x00\x01",
}


def test_whatever_stands_in_a_sidecar_is_one_failure(tmp_path: Path, files: Path) -> None:
    for name, content in SIDECARS.items():
        write_pdf(files / f"{name}.pdf", [[name]])
        (files / f"{name}.pdf.meta.json").write_text(content)
    write_pdf(files / "folder.pdf", [["folder"]])
    (files / "folder.pdf.meta.json").mkdir()
    found = reasons(added(tmp_path, files))
    assert set(found) == {f"{name}.pdf" for name in (*SIDECARS, "folder")}
    assert all(f"{Path(name).stem}.pdf.meta.json" in reason for name, reason in found.items())


def test_a_sidecar_may_be_in_any_encoding_that_json_is_in(tmp_path: Path, files: Path) -> None:
    for name, encoding in (("bom", "utf-8-sig"), ("wide", "utf-16"), ("plain", "utf-8")):
        write_pdf(files / f"{name}.pdf", [[name]])
        (files / f"{name}.pdf.meta.json").write_bytes('{"kind": "Bürgschaft"}'.encode(encoding))
    with opened(tmp_path) as index:
        assert index.add(files).failed == []
        assert [one.metadata for one in index.documents() if one.metadata] == [{"kind": "Bürgschaft"}] * 3


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names, and have no such files")
def test_odd_names_and_files_that_are_none(tmp_path: Path, files: Path) -> None:
    content = (files / "good.pdf").read_bytes()
    (files / os.fsdecode(b"caf\xe9.pdf")).write_bytes(content + b"%1")
    write_pdf(files / "two\nlines.pdf", [["a name of two lines"]])
    os.mkfifo(files / "pipe.pdf")
    os.mkfifo(files / "good.pdf.meta.json.pdf")
    (files / "a.pdf").symlink_to("b.pdf")
    (files / "b.pdf").symlink_to("a.pdf")
    (files / "zero.pdf").symlink_to("/dev/zero")
    (files / "self").symlink_to(files, target_is_directory=True)
    with socket.socket(socket.AF_UNIX) as listening:
        os.chdir(files)
        listening.bind("socket.pdf")
        report = added(tmp_path, files)
    found = reasons(report)
    assert {os.fsencode(name) for name in found} == {
        b"caf\xe9.pdf", b"pipe.pdf", b"good.pdf.meta.json.pdf", b"a.pdf", b"b.pdf", b"zero.pdf", b"socket.pdf",
    }  # fmt: skip
    assert all("caf\\xe9" in reason for name, reason in found.items() if "caf" in name)
    assert report.pages == 2
    assert json.dumps(report.as_dict()).encode()


def test_the_summary_and_the_status_always_come(
    tmp_path: Path, files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (files / "bad.pdf").write_bytes(b"%PDF-1.7 and no more")
    (files / "notes.log").write_text("notes")
    (files / "more.log").write_text("notes")
    folder = f"--index={tmp_path / 'index'}"
    assert main(["index", "~nobody-of-this-name/a.pdf", "a\0b.pdf", str(files), folder, "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert [Path(one["path"]).name for one in told["failed"]] == ["a.pdf", "a\0b.pdf", "bad.pdf"]
    assert told["passed_over"] == {".log": 2}
    assert main(["index", str(files), folder]) == 1
    assert "passed over: 2 .log\n" in capsys.readouterr().out


# bytes


@pytest.mark.slow
def test_what_was_hashed_is_what_is_read(tmp_path: Path, files: Path) -> None:
    path = write_pdf(files / "changing.pdf", [[f"page {number}"] for number in range(40)])

    def change(progress: Progress) -> None:
        path.write_bytes(bytes(len(path.read_bytes())))

    with opened(tmp_path) as index:
        assert index.add(files, progress=change).failed == []
        assert [index.search(f"page {number}", top_k=1)[0].page for number in (3, 39)] == [4, 40]
        assert index.picture(index.page("changing.pdf p. 40"), long_side=300).getextrema()[2][0] < 200


@pytest.mark.slow
def test_a_link_keeps_its_name_and_its_bytes(tmp_path: Path, files: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    target = write_pdf(elsewhere / "0815.bin", [["linked words"]])
    (files / "lease.pdf").symlink_to(target)
    with opened(tmp_path) as index:
        assert index.add(files).failed == []
        assert index.document(str(files / "lease.pdf")).document == "lease.pdf"
        target.unlink()
        assert index.search("linked words")[0].label == "lease.pdf p. 1"
        assert index.picture(index.page("lease.pdf p. 1"), long_side=200).height == 200
        write_pdf(target, [["other words"]])
        assert [record.document for record in index.add(files).replaced] == ["lease.pdf"]


# what pagesight wrote


@pytest.mark.slow
def test_an_index_and_what_pagesight_wrote_are_passed_over(tmp_path: Path, files: Path) -> None:
    with PageIndex.open(files / "my index", settings=small_settings()) as index:
        first = index.add(files)
        page = index.page("good.pdf p. 1")
        index.evidence(page, files / "evidence.png", query="ferry")
        index.heatmap(page, files / "maps" / "map.png", "ferry")
        again = index.add([files, files / "my index", files / "my index" / "documents"])
        given = index.add(files / "evidence.png")
        assert [document.document for document in index.documents()] == ["good.pdf"]
    assert first.kinds_passed_over() == {"an index of pagesight": 1}
    assert again.kinds_passed_over() == {"written by pagesight": 2, "an index of pagesight": 1}
    assert [failure.path.name for failure in again.failed + given.failed] == ["my index", "documents", "evidence.png"]


@pytest.mark.parametrize(
    "others", ["Plan-A.pdf", "Plan  A.pdf", "plan a.pdf", "Plan/A.pdf", "Plan:A.pdf", "Plan A\u0308.pdf"]
)
def test_no_two_labels_share_a_picture(tmp_path: Path, others: str) -> None:
    paths = {picture_path(tmp_path, f"{name} p. 1") for name in ("Plan A.pdf", "Plan Ä.pdf", others)}
    assert len({path.name.casefold() for path in paths}) == 3
    assert picture_path(tmp_path, "annual-report.pdf p. 12") == tmp_path / "annual-report.pdf-p12.png"
    assert len(picture_path(tmp_path, "名" * 300 + ".pdf p. 1").name.encode()) < 255


# stopping

ADD = """
import sys
from pathlib import Path
from pagesight.agent.cli import main
sys.exit(main(["index", *sys.argv[1:]]))
"""


def readers_of(pid: int) -> list[int]:
    """The processes that a process has started, and that run."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid and fields[0] != "Z":
            found.append(int(status.parent.name))
    return found


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_run_that_is_stopped_leaves_no_process_and_keeps_what_is_written(
    tmp_path: Path, files: Path, how: signal.Signals
) -> None:
    slow_pdf(files / "slow.pdf")
    folder = f"--index={tmp_path / 'index'}"
    command = [sys.executable, "-c", ADD, str(files), folder]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as run:
        assert waited_for(lambda: list(tmp_path.glob("index/multivectors/*/*")) and readers_of(run.pid))
        readers = readers_of(run.pid)
        run.send_signal(how)
        run.wait(SOON)
        assert run.stderr is not None
        told = run.stderr.read()
    assert waited_for(lambda: not any(Path(f"/proc/{reader}").exists() for reader in readers), 5)
    if how == signal.SIGINT:
        assert run.returncode == 130
        assert "1 of 2 pages are written" in told
        with opened(tmp_path) as index:
            assert [document.document for document in index.documents()] == ["good.pdf"]


# the processes


def test_what_reads_documents_imports_neither_milvus_nor_models() -> None:
    script = (
        "import sys, pagesight.indexing.preparing.read_documents;"
        "print({'torch', 'pymilvus', 'milvus_lite', 'langchain_core', 'langgraph', 'transformers'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_what_reads_documents_has_no_keys(tmp_path: Path, files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if sys.platform != "linux":
        pytest.skip("looks into /proc")
    monkeypatch.setenv("GOOGLE_API_KEY", "AIza-a-secret")
    write_pdf(files / "long.pdf", [[str(number)] for number in range(20)])
    seen: list[bytes] = []

    def look(_: Progress) -> None:
        seen.extend((Path(f"/proc/{reader}/environ")).read_bytes() for reader in readers_of(os.getpid()))

    with opened(tmp_path) as index:
        index.add(files, progress=look)
    assert seen
    assert not any(b"AIza-a-secret" in environment for environment in seen)


@pytest.mark.parametrize("seed", range(3))
def test_bytes_at_random(tmp_path: Path, files: Path, seed: int) -> None:
    rng = random.Random(seed)
    sound = (files / "good.pdf").read_bytes(), as_png(60)
    for number in range(12):
        content = bytearray(sound[number % 2])
        for _ in range(rng.randrange(1, 60)):
            content[rng.randrange(len(content))] = rng.randrange(256)
        (files / f"{number}.{'png' if number % 2 else 'pdf'}").write_bytes(content)
    report = added(tmp_path, files)
    done = {record.document for record in report.added} | {failure.path.name for failure in report.failed}
    assert len(done) == 13
