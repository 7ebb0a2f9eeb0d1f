"""A file of any kind but PDF and image as a PDF, whose pages are then the document's."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pagesight.indexing.conversion.mail import mail_as_html
from pagesight.indexing.conversion.office import office_as_pdf
from pagesight.indexing.conversion.web_page import drawn, html_of, markdown_as_html, text_as_html
from pagesight.indexing.documents.kinds import Kind
from pagesight.indexing.errors import UnreadableDocument

_LARGEST = 20_000_000  # bytes of a web page, a text or a mail: some thousand pages. A guess, not measured


def as_pdf(
    path: Path, kind: Kind, place: Path, seconds: float, passwords: Sequence[str] = ()
) -> tuple[bytes, list[str]]:
    """The PDF of a file, and what is left out of it, each as it goes on from "report.xlsx: ".

    ``place`` is a folder for what lies on the disk meanwhile; ``seconds`` is what LibreOffice may take; ``passwords``
    are tried where an office file needs one. Nothing that the file names is fetched or opened, and nothing in it is
    run. Raises UnreadableDocument, which says what would have it read.
    """
    if kind == "office":
        return office_as_pdf(path, place, seconds, passwords)
    content = _content(path, kind)
    if kind == "mail":
        html, pictures = mail_as_html(content)
        return drawn(html, path, pictures)
    if kind == "markdown":
        return drawn(markdown_as_html(content, path.stem), path)
    return drawn(html_of(content) if kind == "html" else text_as_html(content, path.stem), path)


def _content(path: Path, kind: Kind) -> bytes:
    size = path.stat().st_size
    if size > _LARGEST and kind != "mail":  # whose attachments are documents of their own
        raise UnreadableDocument(
            f"{path} has {size / 1e6:,.0f} MB, more than the {_LARGEST / 1e6:,.0f} of a text that is drawn as pages. "
            "Split it."
        )
    return path.read_bytes()
