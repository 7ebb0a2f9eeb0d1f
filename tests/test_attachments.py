"""Attachments of PDFs and parts of portfolios are documents of their own, called after the one that holds them."""

from __future__ import annotations

import io
import zipfile
import zlib
from pathlib import Path

import pypdfium2
import pypdfium2.raw as pdfium
import pytest
from documents import pdf
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.pdfgen import canvas
from small_index import small_settings

from pagesight.indexing import PageIndex

HOLDER = "portfolio.pdf"


def holding(path: Path, files: dict[str, bytes]) -> Path:
    """The PDF with these files attached, in place."""
    with pypdfium2.PdfDocument(path.read_bytes()) as document:
        for name, content in files.items():
            document.new_attachment(name).set_data(content)
        document.save(path)
    return path


def page_of(folder: Path, words: str) -> bytes:
    return pdf(folder / "inner.pdf", [[(words, 72, 700, 12)]]).read_bytes()


def opened(folder: Path) -> PageIndex:
    return PageIndex.open(folder / "index", settings=small_settings(encoder="lexical"))


def names(index: PageIndex) -> list[str]:
    return [record.document for record in index.documents()]


def test_what_a_portfolio_holds_is_found_under_its_own_name_and_what_is_no_document_is_named(tmp_path: Path):
    invoice = page_of(tmp_path, "The warranty of the crane is eleven years")
    inner = holding(tmp_path / "inner.pdf", {"annex.pdf": page_of(tmp_path, "The toll is six groats")})
    files = {"../a/invoice.pdf": invoice, "nested.pdf": inner.read_bytes(), "data.xml": b"<xml/>"}
    portfolio = holding(pdf(tmp_path / HOLDER, [[("Open this in a newer reader", 72, 700, 12)]]), files)
    with opened(tmp_path) as index:
        report = index.add(portfolio)
        assert names(index) == [
            HOLDER,
            f"{HOLDER} › invoice.pdf",
            f"{HOLDER} › nested.pdf",
            f"{HOLDER} › nested.pdf › annex.pdf",
        ]
        hit = index.search("warranty of the crane")[0]
        assert (hit.document, hit.lines) == (f"{HOLDER} › invoice.pdf", ["The warranty of the crane is eleven years"])
        assert index.picture(hit.ref).getextrema() != ((255, 255),) * 3
        assert index.page(f"{HOLDER} › invoice.pdf p. 1") == hit.ref
        (warning,) = report.warnings
        assert warning.text.startswith(f"{HOLDER} › data.xml is not in the index: ")
        assert report.failed == []
        assert [record.document for record in index.add(portfolio).unchanged] == [HOLDER]


def test_what_a_portfolio_no_longer_holds_goes_with_its_old_version(tmp_path: Path):
    first = {"a.pdf": page_of(tmp_path, "first annex"), "b.pdf": page_of(tmp_path, "second annex")}
    with opened(tmp_path) as index:
        index.add(holding(pdf(tmp_path / HOLDER), first))
        assert len(names(index)) == 3
        changed = {"a.pdf": page_of(tmp_path, "changed annex")}
        index.add(holding(pdf(tmp_path / HOLDER, [[("new", 72, 700, 12)]]), changed))
        assert names(index) == [HOLDER, f"{HOLDER} › a.pdf"]
        assert index.search("annex")[0].lines == ["changed annex"]


def pinned(path: Path, name: str, content: bytes) -> Path:
    """The PDF with a file pinned to its first page, in place."""
    with pypdfium2.PdfDocument(path.read_bytes()) as document:
        page = document[0]
        annotation = pdfium.FPDFPage_CreateAnnot(page, pdfium.FPDF_ANNOT_FILEATTACHMENT)
        pdfium.FPDFAnnot_SetRect(annotation, pdfium.FS_RECTF(100, 120, 120, 100))
        written = (name + "\0").encode("utf-16-le")
        file = pdfium.FPDFAnnot_AddFileAttachment(annotation, pdfium.cast(written, pdfium.FPDF_WIDESTRING))
        pypdfium2.PdfAttachment(file, document).set_data(content)
        pdfium.FPDFPage_CloseAnnot(annotation)
        document.save(path)
    return path


def packed(path: Path, name: str, content: bytes) -> Path:
    """A PDF whose only page has a file pinned to it, with all that says so in a compressed stream of objects."""
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 300] /Annots [4 0 R] >>",
        "<< /Type /Annot /Subtype /FileAttachment /Rect [10 10 30 30] /FS 5 0 R >>",
        f"<< /Type /Filespec /F ({name}) /UF ({name}) /EF << /F 6 0 R >> >>",
    ]
    places = [sum(len(one) + 1 for one in objects[:number]) for number in range(5)]
    index = " ".join(f"{number + 1} {place}" for number, place in enumerate(places)) + " "
    body = zlib.compress((index + "\n".join(objects)).encode())
    written = b"%PDF-1.5\n"
    starts = {}
    for number, head, data in (
        (6, "/Type /EmbeddedFile", content),
        (7, f"/Type /ObjStm /N 5 /First {len(index)} /Filter /FlateDecode", body),
    ):
        starts[number] = len(written)
        written += f"{number} 0 obj << {head} /Length {len(data)} >> stream\n".encode() + data + b"\nendstream endobj\n"
    starts[8] = len(written)
    rows = [(0, 0, 0), *((2, 7, number) for number in range(5)), *((1, starts[number], 0) for number in (6, 7, 8))]
    table = b"".join(bytes([kind]) + place.to_bytes(4, "big") + bytes([last]) for kind, place, last in rows)
    written += (
        f"8 0 obj << /Type /XRef /Size 9 /W [1 4 1] /Root 1 0 R /Length {len(table)} >> stream\n".encode()
        + table
        + f"\nendstream endobj\nstartxref\n{starts[8]}\n%%EOF\n".encode()
    )
    path.write_bytes(written)
    return path


@pytest.mark.parametrize("make", [lambda path, *file: pinned(pdf(path), *file), packed], ids=["plain", "compressed"])
def test_what_is_pinned_to_a_page_is_a_document_of_its_own(tmp_path: Path, make):
    contract = make(tmp_path / "contract.pdf", "annex.pdf", page_of(tmp_path, "The wyvern costs 7,719 florins"))
    with opened(tmp_path) as index:
        report = index.add(contract)
        assert (report.failed, names(index)) == ([], ["contract.pdf", "contract.pdf › annex.pdf"])
        hit = index.search("wyvern florins")[0]
        assert (hit.label, hit.lines) == ("contract.pdf › annex.pdf p. 1", ["The wyvern costs 7,719 florins"])


def test_a_file_that_is_pinned_and_attached_is_one_document(tmp_path: Path):
    annex = page_of(tmp_path, "The gryphon")
    both = pinned(holding(pdf(tmp_path / HOLDER), {"annex.pdf": annex}), "annex.pdf", annex)
    with opened(tmp_path) as index:
        assert index.add(both).failed == []
        assert names(index) == [HOLDER, f"{HOLDER} › annex.pdf"]


def test_one_attachment_that_cannot_be_read_takes_nothing_else_along(tmp_path: Path):
    sheet = canvas.Canvas(str(tmp_path / "locked.pdf"), encrypt=StandardEncryption("secret"))
    sheet.drawString(72, 700, "behind a lock")
    sheet.save()
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as bundle:  # not compressed: its first bytes hold a PDF's
        bundle.writestr("inner.pdf", page_of(tmp_path, "zipped away"))
    files = {
        "locked.pdf": (tmp_path / "locked.pdf").read_bytes(),
        "broken.pdf": b"%PDF-1.7\nnothing else",
        "bundle.zip": archive.getvalue(),
        "annex.pdf": page_of(tmp_path, "The toll is six groats"),
    }
    holder = holding(pdf(tmp_path / HOLDER, [[("The cover", 72, 700, 12)]]), files)
    with opened(tmp_path) as index:
        report = index.add(holder)
        assert names(index) == [HOLDER, f"{HOLDER} › annex.pdf"]
        assert sorted(failure.path.name for failure in report.failed) == [
            f"{HOLDER} › broken.pdf",
            f"{HOLDER} › locked.pdf",
        ]
        (warning,) = report.warnings
        assert "bundle.zip is no document: it is a ZIP archive" in warning.text


def test_what_is_a_file_and_attached_keeps_the_file_s_name(tmp_path: Path):
    (tmp_path / "files").mkdir()
    annex = page_of(tmp_path, "The gryphon")
    (tmp_path / "files" / "z annex.pdf").write_bytes(annex)
    holding(pdf(tmp_path / "files" / HOLDER), {"annex.pdf": annex})
    with opened(tmp_path) as index:
        assert index.add(tmp_path / "files").failed == []
        assert names(index) == [HOLDER, "z annex.pdf"]


def test_what_lies_too_deep_is_named(tmp_path: Path):
    content = page_of(tmp_path, "The manticore at the bottom")
    for shell in range(5):
        content = holding(
            pdf(tmp_path / "shell.pdf", [[(f"shell {shell}", 72, 700, 12)]]), {"in.pdf": content}
        ).read_bytes()
    (tmp_path / HOLDER).write_bytes(content)
    with opened(tmp_path) as index:
        report = index.add(tmp_path / HOLDER)
        assert len(names(index)) == 4
        (warning,) = report.warnings
        assert "in.pdf is not in the index: it lies more than 3 documents deep. Save it as a file" in warning.text
