"""Office files, web pages, Markdown, texts, mails, pictures of phones: indexed, quoted, shown; or refused by name."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import threading
import time
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


@pytest.mark.slow
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


@pytest.mark.slow
@needs_office
def test_comments_are_read_beside_what_they_are_on(tmp_path: Path) -> None:
    comment = "<office:annotation><text:p>Ask notary Brunnenmeier</text:p></office:annotation>"
    path = opendocument(tmp_path / "lease.odt", "text", f"<text:p>The rent is 990 guilders.{comment}</text:p>")
    with opened(tmp_path) as index:
        assert index.add(path).failed == []
        assert index.text(index.page("lease.odt p. 1")).splitlines() == [
            "Ask notary Brunnenmeier",
            "The rent is 990 guilders.",
        ]


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
    assert "It is damaged: open it in an office program" in str(failure.error)
    assert quoted(tmp_path, "sound words")[0] == "good.docx p. 1"


@needs_office
@pytest.mark.parametrize("name", ["fake.xls", "fake.doc", "fake.docx"])
def test_what_is_an_office_file_by_its_first_bytes_alone_is_not_drawn(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(4000))
    (failure,) = indexed(tmp_path, tmp_path / name, pdf(tmp_path / "good.pdf")).failed
    assert f"it is no {failure.path.suffix} file inside" in str(failure.error)


def protected(path: Path, password: str) -> Path:
    """The Word file, behind a password, in place."""
    from msoffcrypto.format.ooxml import OOXMLFile

    target = io.BytesIO()
    with path.open("rb") as file:
        OOXMLFile(file).encrypt(password, target)
    path.write_bytes(target.getvalue())
    return path


@pytest.mark.slow
@needs_office
def test_a_protected_office_file_is_read_with_its_password_which_is_not_kept(tmp_path: Path) -> None:
    # msoffcrypto-tool itself cannot open what it protects of less than 4,096 bytes
    made = docx(tmp_path / "lease.docx", "The lighthouse costs 990 guilders.", "And a cow. " * 500)
    path, good = protected(made, "horse 99"), "good.pdf"
    (failure,) = indexed(tmp_path, path, pdf(tmp_path / good)).failed
    assert "lease.docx needs a password. Give it with `--password-file FILE`" in str(failure.error)
    (failure,) = indexed(tmp_path, path, passwords="wrong").failed
    assert "none of the 1 that were given opens it" in str(failure.error)
    assert indexed(tmp_path, path, passwords="wrong\nhorse 99").failed == []
    assert quoted(tmp_path, "lighthouse") == ("lease.docx p. 1", ["The lighthouse costs 990 guilders."])
    files = [file for file in (tmp_path / "index").rglob("*") if file.is_file()]
    assert [file for file in files if b"horse 99" in file.read_bytes()] == []


def test_an_opendocument_file_with_a_password_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "bin" / "soffice"  # it is not asked
    program.parent.mkdir()
    program.write_text("")
    program.chmod(0o700)
    monkeypatch.setenv("PATH", str(program.parent))
    with zipfile.ZipFile(tmp_path / "plan.odt", "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.text")
        archive.writestr("META-INF/manifest.xml", "<manifest:encryption-data/>")
    (failure,) = indexed(tmp_path, tmp_path / "plan.odt", passwords="any").failed
    assert "plan.odt needs a password, and passwords of OpenDocument files cannot be used" in str(failure.error)


_CONTENT = (
    '<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:table="urn:oasis:'
    'names:tc:opendocument:xmlns:table:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" xmlns:draw='
    '"urn:oasis:names:tc:opendocument:xmlns:drawing:1.0" xmlns:svg="urn:oasis:names:tc:opendocument:xmlns:svg-'
    'compatible:1.0" xmlns:of="urn:oasis:names:tc:opendocument:xmlns:of:1.2" office:version="1.3"><office:body>'
    "<office:{kind}>{body}</office:{kind}></office:body></office:document-content>"
)
_MANIFEST = (
    '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0" manifest:version="1.3">'
    '<manifest:file-entry manifest:full-path="/" manifest:media-type="{mime}"/><manifest:file-entry manifest:full-path='
    '"content.xml" manifest:media-type="text/xml"/></manifest:manifest>'
)


def opendocument(path: Path, kind: str, body: str) -> Path:
    """An OpenDocument file of a kind, such as "presentation"."""
    mime = f"application/vnd.oasis.opendocument.{kind}"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", mime)
        archive.writestr("META-INF/manifest.xml", _MANIFEST.format(mime=mime))
        archive.writestr("content.xml", _CONTENT.format(kind=kind, body=body))
    return path


def sheets(path: Path) -> Path:
    """A table file with two sheets: text, a number, a sum, a division by zero; and one that is wider than a page."""

    def cell(content: object) -> str:
        kind = "float" if isinstance(content, int) else "string"
        value = f' office:value="{content}"' if kind == "float" else ""
        return f'<table:table-cell office:value-type="{kind}"{value}><text:p>{content}</text:p></table:table-cell>'

    formulas = "".join(
        f'<table:table-row>{cell(name)}<table:table-cell table:formula="{formula}"/></table:table-row>'
        for name, formula in (("Together", "of:=SUM([.B1:.B2])"), ("Share", "of:=1/0"))
    )
    rows = [("Osterode", 771203), ("Uslar", 51)]
    first = "".join(f"<table:table-row>{cell(name)}{cell(value)}</table:table-row>" for name, value in rows) + formulas
    wide = "<table:table-row>" + "".join(cell(f"column{number}") for number in range(60)) + "</table:table-row>"
    body = f'<table:table table:name="Sums">{first}</table:table><table:table table:name="Wide">{wide}</table:table>'
    return opendocument(path, "spreadsheet", body)


def slides(path: Path) -> Path:
    """A presentation of two slides."""
    page = (
        '<draw:page draw:name="{0}"><draw:frame svg:width="20cm" svg:height="3cm" svg:x="2cm" svg:y="2cm">'
        "<draw:text-box><text:p>{1}</text:p></draw:text-box></draw:frame></draw:page>"
    )
    body = page.format("a", "Falcons in the third quarter") + page.format("b", "They cost 8,812 thalers")
    return opendocument(path, "presentation", body)


@pytest.mark.slow
@needs_office
@pytest.mark.parametrize("suffix", ["xlsx", "ods", "xls"])
def test_tables_are_read_whole_with_what_formulas_come_to(tmp_path: Path, suffix: str) -> None:
    made = sheets(tmp_path / "sums.ods")
    path = made if suffix == "ods" else converted(made, suffix)
    assert indexed(tmp_path, path).failed == []
    label, _ = quoted(tmp_path, "Osterode and Uslar together")
    assert label == f"sums.{suffix} p. 1"
    with opened(tmp_path) as index:
        (record,) = index.documents()
        text = "\n".join(index.text(ref) for ref in record.page_refs)
    assert "Together 771254" in text
    assert "Share #DIV/0!" in text
    assert [number for number in range(60) if f"column{number}" not in text.split()] == []


@pytest.mark.slow
@needs_office
@pytest.mark.parametrize("suffix", ["pptx", "odp", "ppt"])
def test_slides_are_pages(tmp_path: Path, suffix: str) -> None:
    made = slides(tmp_path / "falcons.odp")
    path = made if suffix == "odp" else converted(made, suffix)
    report = indexed(tmp_path, path)
    assert (report.failed, report.pages) == ([], 2)
    assert quoted(tmp_path, "thalers") == (f"falcons.{suffix} p. 2", ["They cost 8,812 thalers"])


def slides_with_notes(path: Path) -> Path:
    """A presentation of three slides; the first and the last one have notes for the speaker."""
    names = 'xmlns:presentation="urn:oasis:names:tc:opendocument:xmlns:presentation:1.0"'
    notes = (
        f'<presentation:notes {names}><draw:frame presentation:class="notes" svg:width="14cm" svg:height="10cm" '
        'svg:x="3cm" svg:y="14cm"><draw:text-box><text:p>{0}</text:p></draw:text-box></draw:frame></presentation:notes>'
    )
    page = (
        '<draw:page draw:name="{0}"><draw:frame svg:width="20cm" svg:height="3cm" svg:x="2cm" svg:y="2cm">'
        "<draw:text-box><text:p>{0} heron</text:p></draw:text-box></draw:frame>{1}</draw:page>"
    )
    said = [notes.format("Mention the kestrel of 33 guilders"), "", notes.format("Then wait for the applause")]
    body = "".join(page.format(f"Slide {number}", one) for number, one in enumerate(said, 1))
    return opendocument(path, "presentation", body)


@pytest.mark.slow
@needs_office
@pytest.mark.parametrize("suffix", ["pptx", "odp", "ppt"])
def test_notes_of_a_speaker_are_pages_behind_the_slides(tmp_path: Path, suffix: str) -> None:
    made = slides_with_notes(tmp_path / "birds.odp")
    path = made if suffix == "odp" else converted(made, suffix)
    report = indexed(tmp_path, path)
    assert (report.failed, report.pages) == ([], 5)
    assert quoted(tmp_path, "kestrel guilders") == (f"birds.{suffix} p. 4", ["Mention the kestrel of 33 guilders"])
    assert quoted(tmp_path, "applause")[0] == f"birds.{suffix} p. 5"
    with opened(tmp_path) as index:
        lines = [index.text(index.page(f"birds.{suffix} p. {page}")).splitlines() for page in (2, 4, 5)]
    assert lines[0] == ["Slide 2 heron"]
    assert "Speaker notes of slide 1" in lines[1]
    assert "Speaker notes of slide 3" in lines[2]


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
def test_a_web_page_that_was_saved_without_its_styles_and_pictures_is_read(tmp_path: Path) -> None:
    (tmp_path / "style.css").write_text("p { display: none }")
    (tmp_path / "saved.html").write_text(
        "<!doctype html><link rel=stylesheet href=style.css><style>@import url(style.css); "
        "@font-face { font-family: x; src: url(x.otf) } p { background: url(a.png) } b:after { content: url(b.png) }"
        "</style><img src=c.png><p>Seven <b>godwits</b> and <a href=others.html>others</a>.</p>"
    )
    assert indexed(tmp_path, tmp_path / "saved.html").failed == []
    assert quoted(tmp_path, "godwits") == ("saved.html p. 1", ["Seven godwits and others."])


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
def test_a_run_of_letters_in_a_cell_leaves_room_for_the_cells_beside_it(tmp_path: Path) -> None:
    cells = "".join(f"<td>{'abcdef0123' * 160}&amp;</td>" for _ in range(2))
    (tmp_path / "long.html").write_text(f"<!doctype html><table><tr>{cells}<td>beside it</td></tr></table>")
    started = time.process_time()
    assert indexed(tmp_path, tmp_path / "long.html").warnings == []
    with opened(tmp_path) as index:
        text = index.text(index.page("long.html p. 1"))
    assert time.process_time() - started < 30
    assert ("".join(text.split()).count("abcdef0123"), text.split()[-1]) == (320, "it")


@needs_pango
def test_what_a_web_page_or_a_note_hides_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "form.html").write_text(
        "<!doctype html><p>The form</p><input value='typed value'><input type=password value=sesame>"
        "<input type=hidden value=token>"
    )
    (tmp_path / "note.md").write_text("Seen <b>bold</b> words\n\n<!-- a remark -->\n\n<details>folded</details>\n")
    indexed(tmp_path, tmp_path / "form.html", tmp_path / "note.md")
    with opened(tmp_path) as index:
        form, note = (index.text(index.page(f"{name} p. 1")) for name in ("form.html", "note.md"))
    assert "typed value" in form
    assert ("sesame" in form, "token" in form) == (False, False)
    assert note.splitlines()[0] == "Seen bold words"
    assert ("folded" in note, "remark" in note) == (True, False)


@needs_pango
@pytest.mark.parametrize("columns", [12, 40, 80])
def test_words_in_wide_tables_stay_whole_while_there_is_room(tmp_path: Path, columns: int) -> None:
    rows = ([f"Column{number}" for number in range(columns)], [f"value{number}x2" for number in range(columns)])
    drawn = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    (tmp_path / "wide.html").write_text(f"<!doctype html><table>{drawn}</table>")
    report = indexed(tmp_path, tmp_path / "wide.html")
    with opened(tmp_path) as index:
        text = index.text(index.page("wide.html p. 1"))
    assert report.warnings == []
    if columns <= 40:  # five pages of A4 beside each other hold so many
        assert [cell for row in rows for cell in row if cell not in text.split()] == []


@needs_pango
@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("<frameset cols='20%,80%'><frame src=menu.html><frame src='main.html'></frameset>", "menu.html, main.html"),
        ("<body><div id=root></div><script>document.write('words')</script></body>", "scripts"),
    ],
)
def test_a_web_page_that_shows_nothing_says_so(tmp_path: Path, content: str, says: str) -> None:
    (tmp_path / "page.html").write_text(f"<!doctype html><html>{content}</html>")
    report = indexed(tmp_path, tmp_path / "page.html")
    (warning,) = report.warnings
    assert warning.text.startswith("page.html: nothing of it is shown")
    assert says in warning.text


@needs_pango
@pytest.mark.parametrize(
    ("head", "charset"),
    [
        ("", "utf-8"),
        ("<meta charset=iso-8859-1>", "utf-8"),
        ("<meta charset=klingon>", "cp1252"),
        ("<meta charset=utf-8>", "cp1252"),
        ("", "cp1252"),
        ("<meta http-equiv=Content-Type content='text/html; charset=windows-1251'>", "windows-1251"),
        ("", "utf-16"),
    ],
)
def test_a_web_page_is_read_in_the_encoding_that_it_is_in(tmp_path: Path, head: str, charset: str) -> None:
    words = "Отчёт о мостах" if charset == "windows-1251" else "Übergrößenträger für fünf Züge"
    (tmp_path / "page.html").write_bytes(f"<!doctype html><html>{head}<p>{words}</p>".encode(charset))
    indexed(tmp_path, tmp_path / "page.html")
    with opened(tmp_path) as index:
        assert index.text(index.page("page.html p. 1")) == words


@needs_pango
def test_the_longest_lines_are_drawn_to_their_end(tmp_path: Path) -> None:
    (tmp_path / "long.txt").write_text("x" * 20_000 + " at-the-end 5\n" + "word " * 2_000 + "at-the-end 6\n")
    assert indexed(tmp_path, tmp_path / "long.txt").failed == []
    with opened(tmp_path) as index:
        (record,) = index.documents()
        text = " ".join(index.text(ref) for ref in record.page_refs)
    assert "at-the-end 5" in text
    assert "at-the-end 6" in text
    assert text.count("x") == 20_000
    assert text.count("word") == 2_000


@needs_pango
def test_a_web_page_that_cannot_be_drawn_is_one_failure_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "odd.html").write_text("<style>p { font-size: 1e9px } @page { size: 1px 1px }</style><p>dunlin</p>")
    (tmp_path / "zero.html").write_bytes(b"<html><p>a byte \0 of nothing, and 7 godwits</p>")
    (failure,) = indexed(tmp_path, tmp_path / "odd.html", tmp_path / "zero.html").failed
    assert "odd.html cannot be read: WeasyPrint cannot draw it" in str(failure.error)
    assert "print it as PDF" in str(failure.error)
    assert quoted(tmp_path, "godwits")[0] == "zero.html p. 1"


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


@needs_pango
def test_a_mail_that_is_nothing_but_a_file_brings_it_along(tmp_path: Path) -> None:
    scan = mail(Subject="Scan of today")
    scan.set_content(
        pdf(tmp_path / "inner.pdf", [[("Invoice for 6 anvils", 72, 700, 12)]]).read_bytes(),
        maintype="application", subtype="pdf", filename="scan.pdf",
    )  # fmt: skip
    locked = mail(Subject="Locked up")
    locked.set_content(b"\0\1", maintype="application", subtype="pkcs7-mime", filename="smime.p7m")
    (tmp_path / "scan.eml").write_bytes(scan.as_bytes())
    (tmp_path / "locked.eml").write_bytes(locked.as_bytes())
    report = indexed(tmp_path, tmp_path / "scan.eml", tmp_path / "locked.eml")
    assert quoted(tmp_path, "anvils")[0] == "scan.eml › scan.pdf p. 1"
    assert [one.text.split(" is not")[0] for one in report.warnings] == ["locked.eml › smime.p7m"]


@needs_pango
def test_texts_between_the_pictures_of_a_mail_are_read(tmp_path: Path) -> None:
    parts = ["text/plain\n\nThe first span holds.", "image/png; name=a.png\nContent-Disposition: inline\n\n",
             "text/plain\n\nThe second span is cracked.",
             "text/plain; name=b.txt\nContent-Disposition: attachment\n\nThe third is new."]  # fmt: skip
    joined = "".join(f"--x\nContent-Type: {part}\n" for part in parts)
    (tmp_path / "m.eml").write_text(f"Subject: s\nContent-Type: multipart/mixed; boundary=x\n\n{joined}--x--\n")
    indexed(tmp_path, tmp_path / "m.eml")
    with opened(tmp_path) as index:
        text = index.text(index.page("m.eml p. 1"))
        assert index.text(index.page("m.eml › b.txt p. 1")) == "The third is new."
    assert "The first span holds." in text
    assert "The second span is cracked." in text
    assert "The third is new." not in text


@needs_pango
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.eml", "From: a@b.example\nSubject: s\n\nGebühr für Züge\n".encode()),
        ("a.eml", "From: a@b.example\nSubject: s\nContent-Type: text/plain\n\nGebühr für Züge\n".encode("cp1252")),
        ("a.txt", "Gebühr für Züge".encode("utf-16-le")),
        ("a.txt", "Gebühr für Züge".encode("utf-16-be")),
        ("a.csv", "town;Gebühr für Züge\nLinz;12\n".encode()),
        ("a.tsv", "town\tGebühr für Züge\nLinz\t12\n".encode("utf-16")),
    ],
)
def test_words_are_read_whatever_encoding_nobody_names(tmp_path: Path, name: str, content: bytes) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / name).write_bytes(content)
    indexed(tmp_path, folder)
    with opened(tmp_path) as index:
        assert "Gebühr für Züge" in index.text(index.page(f"{name} p. 1"))


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


@pytest.mark.parametrize("suffix", ["heic", "avif", "jp2"])
def test_pictures_of_phones_and_archives_are_read(tmp_path: Path, suffix: str) -> None:
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
