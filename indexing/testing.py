"""A real index of made pages, for the tests of programs that use pagesight.

    from pagesight.indexing.testing import made_index

    @pytest.fixture
    def index():
        with made_index({"report.pdf": ["Cover", "Net revenue rose.\\nEurope 1.9 billion"]}) as index:
            yield index

It is Milvus Lite and the lexical encoder in a temporary folder, which goes when the block ends: nothing is mocked
and nothing is downloaded.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pypdfium2
import pypdfium2.raw as pdfium

from pagesight.indexing.index import PageIndex
from pagesight.indexing.settings import Settings, load_settings

_A4 = 595.0, 842.0  # points
_MARGIN, _LEADING, _SIZE = 72.0, 18.0, 12.0


@contextmanager
def made_index(
    documents: Mapping[str, Sequence[str | Sequence[str]]], *, settings: Settings | None = None
) -> Iterator[PageIndex]:
    """An open index of documents by their names, such as ``report.pdf``; each page a text, or its lines.

    Pages are A4 with the lines in Helvetica, which has Western European letters only. ``settings`` are those of
    `load_settings`, without OCR, if None. Raises ValueError for a name that is more than a file's name.
    """
    with TemporaryDirectory(prefix="pagesight-") as folder:
        sources = Path(folder) / "documents"
        sources.mkdir()
        for name, pages in documents.items():
            if Path(name).name != name:
                raise ValueError(f"{name!r} is no file's name")
            _write(sources / name, [page.splitlines() if isinstance(page, str) else page for page in pages])
        with PageIndex.open(
            Path(folder) / "index", encoder="lexical", settings=settings or load_settings(ocr=False)
        ) as index:
            if documents:
                report = index.add(sources)
                if report.failed:
                    raise report.failed[0].error
            yield index


def _write(path: Path, pages: Sequence[Sequence[str]]) -> None:
    document = pypdfium2.PdfDocument.new()
    try:
        for lines in pages:
            page = document.new_page(*_A4)
            for number, line in enumerate(lines):
                _draw(document, page, line, _A4[1] - _MARGIN - number * _LEADING)
            page.gen_content()
        document.save(path)
    finally:
        document.close()


def _draw(document: pypdfium2.PdfDocument, page: pypdfium2.PdfPage, line: str, height: float) -> None:
    text = pdfium.FPDFPageObj_NewTextObj(document, b"Helvetica", _SIZE)
    encoded = f"{line}\0".encode("utf-16-le")
    pdfium.FPDFText_SetText(text, ctypes.cast(ctypes.create_string_buffer(encoded), pdfium.FPDF_WIDESTRING))
    pdfium.FPDFPageObj_Transform(text, 1, 0, 0, 1, _MARGIN, height)
    pdfium.FPDFPage_InsertObject(page, text)
