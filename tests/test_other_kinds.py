"""Office files, web pages, Markdown, texts, mails, pictures of phones: indexed, quoted, shown; or refused by name."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from documents import pdf
from PIL import Image, ImageDraw, ImageFont
from small_index import small_settings

from pagesight.agent.cli import main
from pagesight.indexing import AddReport, PageIndex, UnreadableDocument

HAS_OFFICE = shutil.which("soffice") is not None
needs_office = pytest.mark.skipif(not HAS_OFFICE, reason="LibreOffice is not installed (.ci/run installs it)")


def has_pango() -> bool:
    return subprocess.run([sys.executable, "-c", "import weasyprint"], capture_output=True, check=False).returncode == 0


needs_pango = pytest.mark.skipif(not has_pango(), reason="Pango is not installed (.ci/run installs it)")

_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def docx(path: Path, *paragraphs: str, picture: str = "") -> Path:
    """A Word file with these paragraphs, and a picture at an address elsewhere."""
    drawn = (
        f'<w:p><w:r><w:pict><v:shape xmlns:v="urn:schemas-microsoft-com:vml" style="width:50pt;height:50pt">'
        f'<v:imagedata xmlns:r="{_OFFICE}" r:id="r9"/></v:shape></w:pict></w:r></w:p>'
    )
    body = "".join(f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>" for text in paragraphs) + (drawn if picture else "")
    elsewhere = f'<Relationship Id="r9" Type="{_OFFICE}/image" Target="{picture}" TargetMode="External"/>'
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.openxml'
            'formats-package.relationships+xml"/><Override PartName="/word/document.xml" ContentType="application/vnd.'
            'openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>',
        )
        archive.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="r1" Type="{_OFFICE}/officeDocument" '
            'Target="word/document.xml"/></Relationships>',
        )
        archive.writestr(
            "word/_rels/document.xml.rels",
            f'<Relationships xmlns="{_PACKAGE}/relationships">{elsewhere if picture else ""}</Relationships>',
        )
        archive.writestr("word/document.xml", f'<w:document xmlns:w="{_WORD}"><w:body>{body}</w:body></w:document>')
    return path


def converted(path: Path, suffix: str) -> Path:
    """An office file of another kind, which LibreOffice makes of one."""
    profile = f"-env:UserInstallation={(path.parent / 'profile').as_uri()}"
    subprocess.run(
        ["soffice", profile, "--headless", "--convert-to", suffix, "--outdir", str(path.parent), str(path)],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    return path.with_suffix(f".{suffix}")


def mail(**headers: str) -> EmailMessage:
    made = EmailMessage()
    for name, value in headers.items():
        made[name] = value
    return made


def opened(folder: Path, **settings: object) -> PageIndex:
    return PageIndex.open(folder / "index", settings=small_settings(encoder="lexical", **settings))


def indexed(folder: Path, *paths: Path, **settings: object) -> AddReport:
    with opened(folder, **settings) as index:
        return index.add(list(paths))


def quoted(folder: Path, query: str) -> tuple[str, list[str]]:
    """The best page for a query and what is quoted from it."""
    with opened(folder) as index:
        hit = index.search(query, top_k=1)[0]
        assert max(index.picture(hit.ref, long_side=300).size) == 300
        return hit.label, hit.lines


@contextmanager
def listening() -> Iterator[tuple[str, list[str]]]:
    """An address of this machine, and the paths that are asked of it."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        do_HEAD = do_OPTIONS = do_PROPFIND = do_GET

        def log_message(self, *arguments: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
    finally:
        server.shutdown()
        server.server_close()


# office files


@needs_office
def test_office_files_are_read_quoted_and_shown(tmp_path: Path) -> None:
    source = docx(tmp_path / "lease.docx", "The lock keeper earns 3,120 thalers.", "And a cow.")
    (tmp_path / "weir.rtf").write_text(r"{\rtf1\ansi The weir was lowered by 44 centimetres.}")
    odt = converted(source, "odt")
    report = indexed(tmp_path, source, tmp_path / "weir.rtf", odt)
    assert [one.document for one in report.added] == ["lease.docx", "weir.rtf", "lease.odt"]
    assert (report.failed, report.pages) == ([], 3)
    assert quoted(tmp_path, "weir lowered") == ("weir.rtf p. 1", ["The weir was lowered by 44 centimetres."])
    with opened(tmp_path) as index:
        assert index.add([source]).unchanged[0].document == "lease.docx"
        assert "And a cow." in index.text(index.page("lease.odt p. 1"))
        kept = sorted((index.path / "documents").glob("*.docx*"))
    assert [path.suffixes for path in kept] == [[".docx"], [".docx", ".pdf"]]


@needs_office
def test_a_pdf_that_was_made_and_is_gone_is_made_again(tmp_path: Path) -> None:
    (tmp_path / "weir.rtf").write_text(r"{\rtf1\ansi The weir was lowered by 44 centimetres.}")
    indexed(tmp_path, tmp_path / "weir.rtf")
    with opened(tmp_path) as index:
        next((index.path / "documents").glob("*.rtf.pdf")).unlink()
        with pytest.raises(UnreadableDocument, match=r"the PDF that was made of weir\.rtf is gone"):
            index.picture(index.page("weir.rtf p. 1"))
        assert index.add([tmp_path / "weir.rtf"]).failed == []
        assert index.picture(index.page("weir.rtf p. 1"), long_side=200).height == 200


@needs_office
def test_nothing_that_an_office_file_names_is_fetched(tmp_path: Path) -> None:
    with listening() as (address, asked):
        report = indexed(tmp_path, docx(tmp_path / "linked.docx", "The mast is 17 m.", picture=f"{address}/a.png"))
    assert (report.failed, asked) == ([], [])


@needs_office
def test_a_damaged_office_file_is_one_failure(tmp_path: Path) -> None:
    bad = tmp_path / "bad.docx"
    bad.write_bytes(docx(tmp_path / "good.docx", "Sound words.").read_bytes()[:200])
    (failure,) = indexed(tmp_path, bad, tmp_path / "good.docx").failed
    assert failure.path == bad
    assert "It is damaged, or needs a password" in str(failure.error)
    assert quoted(tmp_path, "sound words")[0] == "good.docx p. 1"


@needs_office
def test_libreoffice_is_given_up_after_its_time(tmp_path: Path) -> None:
    path = docx(tmp_path / "slow.docx", "Words.")
    (failure,) = indexed(tmp_path, path, conversion_seconds=0.01).failed
    assert "slow.docx took LibreOffice longer than 0.01 s" in str(failure.error)
    assert "PAGESIGHT_CONVERSION_SECONDS" in str(failure.error)


def test_without_libreoffice_the_way_out_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    pdf(tmp_path / "good.pdf")
    (failure,) = indexed(tmp_path, docx(tmp_path / "a.docx", "Words."), tmp_path / "good.pdf").failed
    assert "apt install libreoffice-writer" in str(failure.error)
    assert str(tmp_path / "a.docx") in str(failure.error)


# web pages, Markdown, texts, mails


@needs_pango
def test_texts_are_drawn_as_pages(tmp_path: Path) -> None:
    (tmp_path / "note.md").write_text(
        "# Ferries\n\nTo **Kvaløya**: 412 kroner.\n\n| mast | yard |\n|---|---|\n| 17 | 9 |\n"
    )
    (tmp_path / "old.txt").write_bytes("Die Brücke trägt 99 Tonnen, nicht mehr. Für Züge gesperrt.".encode("cp1252"))
    (tmp_path / "dues.html").write_text(
        "<!doctype html><meta charset=utf-8><script>document.write('scripted')</script><h1>Harbour dues</h1>"
        "<p>The quay fee is 73 guilders.</p><p style='display:none'>secret rebate</p>"
    )
    report = indexed(tmp_path, tmp_path)
    assert [one.document for one in report.added] == ["dues.html", "note.md", "old.txt"]
    assert quoted(tmp_path, "Kvaløya kroner") == ("note.md p. 1", ["To Kvaløya: 412 kroner."])
    assert quoted(tmp_path, "Brücke Tonnen")[0] == "old.txt p. 1"
    assert "Die Brücke trägt 99 Tonnen" in quoted(tmp_path, "Brücke Tonnen")[1][0]
    assert quoted(tmp_path, "quay fee") == ("dues.html p. 1", ["The quay fee is 73 guilders."])
    with opened(tmp_path) as index:
        text = index.text(index.page("dues.html p. 1"))
    assert "scripted" not in text
    assert "secret" not in text


@needs_pango
def test_nothing_that_a_web_page_names_is_fetched_or_opened(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("the secret word is abracadabra")
    with listening() as (address, asked):
        (tmp_path / "page.html").write_text(
            f"<!doctype html><link rel=stylesheet href='{address}/a.css'><img src='{address}/a.png'>"
            f"<style>@import url({address}/b.css); @font-face {{ font-family: x; src: url({address}/x.woff) }}</style>"
            f"<link rel=attachment href='{secret.as_uri()}'><iframe src='{secret.as_uri()}'></iframe>"
            f"<object data='{secret.as_uri()}'></object><p style='font-family: x'>Plain words.</p>"
        )
        (tmp_path / "page.md").write_text(f"Other words ![a]({address}/c.png) ![b]({secret.as_uri()})")
        report = indexed(tmp_path, tmp_path / "page.html", tmp_path / "page.md")
    assert (report.failed, asked, report.pages) == ([], [], 2)
    with opened(tmp_path) as index:
        made = b"".join(path.read_bytes() for path in (index.path / "documents").glob("*.pdf"))
        assert all("abracadabra" not in index.text(page) for one in index.documents() for page in one.page_refs)
    assert b"abracadabra" not in made
    assert b"EmbeddedFile" not in made


@needs_pango
def test_wide_tables_and_long_lines_stay_on_the_page(tmp_path: Path) -> None:
    cells = "".join(f"<td>column{number}</td>" for number in range(40))
    (tmp_path / "wide.html").write_text(f"<!doctype html><table><tr>{cells}</tr></table>")
    (tmp_path / "long.txt").write_text(" ".join(f"word{number}" for number in range(400)))
    indexed(tmp_path, tmp_path / "wide.html", tmp_path / "long.txt")
    with opened(tmp_path) as index:
        wide, long = ("".join(index.text(index.page(f"{name} p. 1")).split()) for name in ("wide.html", "long.txt"))
    assert [number for number in range(40) if f"column{number}" not in wide] == []
    assert [number for number in range(400) if f"word{number}" not in long] == []


@needs_pango
def test_a_mail_is_a_page_and_what_it_brings_along_are_documents(tmp_path: Path) -> None:
    made = mail(From="Ada <ada@example.org>", To="bo@example.org", Subject="Überweisung der Miete")
    made.set_content("The rent for March is 1,377 euros.\n")
    invoice = pdf(tmp_path / "inner.pdf", [[("Invoice for 6 anvils", 72, 700, 12)]]).read_bytes()
    made.add_attachment(invoice, maintype="application", subtype="pdf", filename="../invoice.pdf")
    inner = mail(Subject="Older")
    inner.set_content("The sheep are 808.")
    made.add_attachment(inner)
    made.add_attachment(b"\0\1\2", maintype="application", subtype="octet-stream", filename="blob.bin")
    (tmp_path / "mail.eml").write_bytes(made.as_bytes())
    report = indexed(tmp_path, tmp_path / "mail.eml")
    held = ["mail.eml › invoice.pdf", "mail.eml › Older.eml", "mail.eml"]
    assert [one.document for one in report.added] == held
    assert ["blob.bin" in one.text for one in report.warnings] == [True]
    assert quoted(tmp_path, "sheep") == ("mail.eml › Older.eml p. 1", ["The sheep are 808."])
    assert quoted(tmp_path, "anvils")[0] == "mail.eml › invoice.pdf p. 1"
    with opened(tmp_path) as index:
        text = index.text(index.page("mail.eml p. 1"))
    assert "Subject: Überweisung der Miete" in text
    assert "From: Ada <ada@example.org>" in text
    assert "The rent for March is 1,377 euros." in text


@needs_pango
@pytest.mark.parametrize(
    "content",
    [
        b"Subject: =?no-such-charset?Q?=FF?=\nContent-Type: text/plain; charset=no-such\n\nodd words 5\xff\n",
        b"From: <<<>>>,,;\nTo: \xff\xfe\nDate: never\n\nodd words 5\n",
        b"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nodd words 5\n",
    ],
)
def test_an_odd_mail_ends_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "odd.eml").write_bytes(content)
    assert indexed(tmp_path, tmp_path / "odd.eml").failed == []
    assert "odd words 5" in quoted(tmp_path, "odd words")[1][0]


def test_without_pango_the_way_out_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "broken" / "weasyprint"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("raise OSError('cannot load library libpango-1.0-0')")
    monkeypatch.setattr(sys, "path", [str(broken.parent), *sys.path])
    (tmp_path / "a.txt").write_text("words")
    (failure,) = indexed(tmp_path, tmp_path / "a.txt", pdf(tmp_path / "b.pdf")).failed
    assert "apt install libpango-1.0-0" in str(failure.error)
    assert str(tmp_path / "a.txt") in str(failure.error)


# pictures


@pytest.mark.parametrize("suffix", ["heic", "avif"])
def test_pictures_of_phones_are_read(tmp_path: Path, suffix: str) -> None:
    from pillow_heif import register_heif_opener

    register_heif_opener()
    picture = Image.new("RGB", (900, 300), "white")
    ImageDraw.Draw(picture).text((40, 80), "Total income rose to 4713", "black", ImageFont.load_default(50))
    picture.save(tmp_path / f"IMG_1.{suffix}")
    report = indexed(tmp_path, tmp_path, ocr=True)
    assert [one.document for one in report.added] == [f"IMG_1.{suffix}"]
    label, lines = quoted(tmp_path, "total income")
    assert label == f"IMG_1.{suffix} p. 1"
    assert "4713" in lines[0]


def test_a_truncated_heic_is_one_failure(tmp_path: Path) -> None:
    (tmp_path / "IMG_2.HEIC").write_bytes(b"\0\0\0\x18ftypheic" + os.urandom(200))
    (failure,) = indexed(tmp_path, tmp_path, pdf(tmp_path / "good.pdf")).failed
    assert "IMG_2.HEIC is a damaged or truncated image" in str(failure.error)


def test_the_command_says_what_it_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bad.docx").write_bytes(b"not a document")
    assert main(["index", str(tmp_path / "bad.docx"), f"--index={tmp_path / 'index'}"]) == 1
    assert "bad.docx is no DOCX in spite of its name" in capsys.readouterr().err
