"""Web pages, Markdown and plain text drawn as pages, through WeasyPrint.

No script runs, since WeasyPrint knows none, and nothing is fetched: of what a page names, only ``data:`` addresses and
the pictures that are handed in with it are there.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from html import escape
from pathlib import Path
from typing import Any

import pypdfium2

from pagesight.indexing.configuration.installation import package_command
from pagesight.indexing.documents.kinds import utf_16
from pagesight.indexing.documents.pdf import PDFIUM
from pagesight.indexing.errors import UnreadableDocument

#: What is drawn beside the page's own style: nothing may stick out of a page of paper, where it would not be seen.
_STYLE = """
    @page { size: A4; margin: 16mm; }
    html { font-family: "DejaVu Sans", sans-serif; font-size: 10pt; overflow-wrap: anywhere; }
    img, svg, video, table { max-width: 100% !important; }
    pre, code { white-space: pre-wrap !important; overflow-wrap: anywhere; }
    table { border-collapse: collapse; }
    td, th { border: 0.5pt solid #999; padding: 2pt 4pt; overflow-wrap: normal; }
    input[type=hidden], input[type=password] { display: none !important; }
    .headers { margin-bottom: 8pt; border-bottom: 1pt solid #999; }
"""

_A4 = (595.28, 841.89)  # points
_MARGIN = 46.0
_WIDEST = 5 * _A4[0]  # where words of tables are broken, and what is still wider is cut off. A guess, not measured
_BROKEN_CELLS = "td, th { overflow-wrap: anywhere !important; }"

_CUT_OFF = "it is wider than five pages beside each other, and cut off on the right"
_BLANK = (
    "nothing of it is shown{why}. What scripts write is not read here: where a browser shows more, "
    "print it as PDF there"
)
_FRAMES = re.compile(r"<i?frame\s[^>]*?\bsrc\s*=\s*[\"']?([^\"'\s>]+)", re.IGNORECASE)
_MOST_FRAMES = 5  # that a warning names

_NO_PANGO = (
    "{path} cannot be read: web pages, Markdown, texts and mails are drawn as pages by WeasyPrint, which cannot start: "
    "{error}. It needs Pango: `apt install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0` (Debian, Ubuntu), "
    "`brew install pango` (macOS)."
)

Pictures = Mapping[str, tuple[bytes, str]]
# Where a page's own addresses start; none is fetched. Without one WeasyPrint gives up at "@import url(a.css)".
_NOWHERE = "https://nowhere.invalid/"


def drawn(html: str, path: Path, pictures: Pictures | None = None) -> tuple[bytes, list[str]]:
    """The PDF of a web page, ``path`` being what messages call it, and what is left out of it.

    Each as it goes on from "page.html: ". ``pictures`` are those that it names as ``cid:…``, by that name, each with
    its bytes and type. Raises UnreadableDocument where WeasyPrint cannot start, or cannot draw it.
    """
    try:
        from weasyprint import CSS, HTML
        from weasyprint.urls import URLFetcher, URLFetcherResponse
    except ImportError as error:
        raise UnreadableDocument(
            f"{path} cannot be read: {error}. Web pages, Markdown, texts and mails are drawn as pages by WeasyPrint: "
            f"`{package_command('weasyprint')}`."
        ) from None
    except OSError as error:  # Pango is not there
        raise UnreadableDocument(_NO_PANGO.format(path=path, error=str(error).splitlines()[0])) from None

    class OnlyGiven(URLFetcher):  # type: ignore[misc]
        """Fetches nothing."""

        def fetch(self, url: str, headers: Any = None) -> Any:
            if url.startswith("cid:") and pictures and url in pictures:
                content, kind = pictures[url]
                return URLFetcherResponse(url, content, {"Content-Type": kind})
            return super().fetch(url, headers)

    logging.getLogger("weasyprint").setLevel(logging.CRITICAL)  # it tells of every style that it does not know
    try:
        page = HTML(
            string=_LONG_RUN.sub(_with_breaks, html),
            base_url=_NOWHERE,
            url_fetcher=OnlyGiven(allowed_protocols=("data",)),
        )
        return _as_wide_as_it_needs(
            lambda *styles: bytes(page.write_pdf(stylesheets=[CSS(string=s) for s in styles])), html
        )
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 (whatever WeasyPrint raises for an odd page)
        raise UnreadableDocument(
            f"{path} cannot be read: WeasyPrint cannot draw it ({type(error).__name__}). Open it in a browser and "
            "print it as PDF."
        ) from None


# Letters without a blank between them in the text of a page: those in a cell of a table would make it as wide, and the
# time to break them grows with the square of their number (1,600 take 6 s, measured).
_LONGEST_RUN = 60
_RUN = rf"(?:&#?\w{{1,30}};|[^\s<>&]){{{_LONGEST_RUN}}}"
_LONG_RUN = re.compile(
    rf"<(script|style|title|textarea)\b.*?</\1|<!--.*?-->|<[^>]*>|{_RUN}(?=[^\s<>])", re.DOTALL | re.IGNORECASE
)


def _with_breaks(part: re.Match[str]) -> str:
    """A tag as it is, a run of letters with a place behind it where a line may end."""
    return part[0] if part[0].startswith("<") else f"{part[0]}<wbr>"


def _as_wide_as_it_needs(draw: Callable[..., bytes], html: str) -> tuple[bytes, list[str]]:
    """What is drawn with some styles, on paper that holds its tables, and what is left out of it."""
    content = draw(_STYLE)
    right = _right(content)
    if right is None:
        frames = ", ".join(_FRAMES.findall(html)[:_MOST_FRAMES])
        return content, [
            _BLANK.format(why=f": it is a frame around other files ({frames}); index those" if frames else "")
        ]
    if right <= _A4[0]:
        return content, []
    width = min(right + _MARGIN, _WIDEST)
    styles = [_STYLE, f"@page {{ size: {width}pt {width * _A4[1] / _A4[0]}pt; }}"]
    content = draw(*styles, *([_BROKEN_CELLS] if right > _WIDEST else []))
    return content, [_CUT_OFF] if (_right(content) or 0) > width else []


def _right(content: bytes) -> float | None:
    """How far in points what is drawn on the pages of a PDF reaches to the right; None where nothing is."""
    with PDFIUM, pypdfium2.PdfDocument(content) as document:
        rights = [thing.get_bounds()[2] for page in document for thing in page.get_objects(max_depth=1)]
    return max(rights, default=None)


def html_of(content: bytes) -> str:
    """The text of a web page: UTF-8 where it can be that, else in the encoding that it names, if it is in that."""
    try:
        return text_of(content) if utf_16(content) else content.decode("utf-8-sig")
    except UnicodeDecodeError:
        named = _CHARSET.search(content[:_HEAD])
        with suppress(LookupError):
            text = content.decode(named[1].decode(), "replace") if named else ""
            unknown = text.count("\ufffd")
            if text and 2 * unknown <= sum(not char.isascii() for char in text):
                return text
        return text_of(content)


_CHARSET = re.compile(rb"charset\s*=\s*[\"']?([\w.:-]+)")
_HEAD = 4096  # bytes in which a web page names its encoding; browsers look at the first 1024


def markdown_as_html(content: bytes, title: str) -> str:
    """The web page of a Markdown text, with the HTML within it."""
    from markdown_it import MarkdownIt

    made = MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(text_of(content))
    return f"<title>{escape(title)}</title><body>{made}</body>"


def text_as_html(content: bytes, title: str) -> str:
    """The web page of a plain text, whose lines stay."""
    return f"<title>{escape(title)}</title><body>{preformatted(text_of(content))}</body>"


def preformatted(text: str) -> str:
    """A text whose lines stay; the longest are broken, at a blank where there is one.

    The time to draw a line grows with the square of its length, 200 s for 100,000 letters without a blank, and of one
    of 300,000 only a part is drawn (measured).
    """
    return f"<pre>{escape(_LONG_LINE.sub(_broken, text))}</pre>"


_LONGEST_LINE = 2_000  # letters: far beyond what stands on a line of a page, so that it is broken anyway
_LONG_LINE = re.compile(rf"[^\n]{{{_LONGEST_LINE},}}")
_PIECE = re.compile(rf"[^\n]{{1,{_LONGEST_LINE}}}(?:\s|$)|[^\n]{{{_LONGEST_LINE}}}")


def _broken(line: re.Match[str]) -> str:
    return "\n".join(piece.rstrip(" ") for piece in _PIECE.findall(line[0]))


def text_of(content: bytes) -> str:
    """The text in a file's bytes: UTF-8, UTF-16, or what charset-normalizer takes it for."""
    if encoding := utf_16(content):
        return content.decode(encoding, "replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        from charset_normalizer import from_bytes

        best = from_bytes(content[:_LOOKED_AT], cp_isolation=_ENCODINGS).best()
        return content.decode(best.encoding if best else "cp1252", "replace")


# That texts which are not Unicode are in: those of Windows and of East Asia. With DOS's among them, a few lines of
# German are taken for these.
_ENCODINGS = [
    *("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "koi8_r"),
    *("cp932", "gb18030", "big5", "cp949"),
]
_LOOKED_AT = 200_000  # bytes that say which encoding a text has; a guess, not measured
