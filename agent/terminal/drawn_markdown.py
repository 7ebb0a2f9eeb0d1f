"""A model's Markdown as it is drawn on a terminal: its citations are links to pages, and nothing else in it is a link.

Tables, headings, lists and emphasis are rich's. HTML stands as it was written, and other addresses as text: what a
document says must not become something to click.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import ClassVar

from markdown_it import MarkdownIt
from markdown_it.token import Token
from rich.console import Console, ConsoleOptions, RenderResult
from rich.markdown import Heading, Markdown, MarkdownElement
from rich.theme import Theme

from pagesight.agent.answers.citations import CitationReader

#: How it looks on light and on dark terminals.
THEME = Theme(
    {"markdown.link_url": "cyan", "markdown.h1": "bold", "markdown.h2": "bold", "markdown.h3": "bold",
     "markdown.code": "bold", "markdown.item.bullet": "none", "markdown.item.number": "none",
     "markdown.table.header": "bold", "markdown.table.border": "dim"}
)  # fmt: skip
# Around a citation's number while the text is read as Markdown: private characters, which it takes for letters.
_OPEN, _CLOSE = "\ue000", "\ue001"


class _Heading(Heading):
    """At the left and without a frame; rich's own stands in the middle, which of them differs by its version."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield self.text


class DrawnMarkdown(Markdown):
    """A text as rich draws it, on a console with `THEME`. ``link`` gives a cited page's address, or none."""

    elements: ClassVar[dict[str, type[MarkdownElement]]] = {**Markdown.elements, "heading_open": _Heading}

    def __init__(self, text: str, reader: CitationReader, link: Callable[[str], str | None]):
        super().__init__("", hyperlinks=True, code_theme="ansi_dark")
        marked, cited = _marked(text.replace(_OPEN, "").replace(_CLOSE, ""), reader, link)
        parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
        self.parsed = [_plain_links(token, cited) for token in parser.parse(marked)]


def _marked(
    text: str, reader: CitationReader, link: Callable[[str], str | None]
) -> tuple[str, list[tuple[str, str | None]]]:
    """The text with a mark for each citation, and what each stands for: its words and its page's address."""
    pieces: list[str] = []
    cited: list[tuple[str, str | None]] = []
    done = 0
    for bracket in reader.read(text):
        pieces += [text[done : bracket.start], f"{_OPEN}{len(cited)}{_CLOSE}"]
        cited.append((text[bracket.start : bracket.end], link(bracket.citations[0].label)))
        done = bracket.end
    return "".join([*pieces, text[done:]]), cited


def _plain_links(token: Token, cited: list[tuple[str, str | None]]) -> Token:
    """The token with links for marks only."""
    token.content = "".join(words for words, _ in _split(token.content, cited))
    if token.children is not None:
        token.children = list(_inline(token.children, cited))
    return token


def _inline(tokens: Iterable[Token], cited: list[tuple[str, str | None]]) -> Iterator[Token]:
    addresses: list[str] = []
    for token in tokens:
        if token.type == "text":
            yield from _linked(token.content, cited)
        elif token.type == "image":
            yield _text(f"{token.content} ({token.attrs.get('src', '')})")
        elif token.type == "link_open":
            addresses.append(str(token.attrs.get("href", "")))
        elif token.type == "link_close":
            yield _text(f" ({addresses.pop()})")
        else:
            yield _plain_links(token, cited)


def _linked(text: str, cited: list[tuple[str, str | None]]) -> Iterator[Token]:
    for words, address in _split(text, cited):
        if address:
            yield Token("link_open", "a", 1, attrs={"href": address})
        yield _text(words)
        if address:
            yield Token("link_close", "a", -1)


def _split(text: str, cited: list[tuple[str, str | None]]) -> Iterator[tuple[str, str | None]]:
    """The text in pieces, each with the address that it links to: marks turn into what they stand for."""
    for piece in text.split(_OPEN):
        number, mark, rest = piece.partition(_CLOSE)
        if mark:
            yield cited[int(number)]
        yield (rest if mark else piece), None


def _text(content: str) -> Token:
    return Token("text", "", 0, content=content)
