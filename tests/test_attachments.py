"""Attachments of PDFs and parts of portfolios are documents of their own, called after the one that holds them."""

from __future__ import annotations

from pathlib import Path

import pypdfium2
from documents import pdf
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
