"""A conversation as a web page that holds all it shows.

What comes from documents and models is untrusted: it is escaped, links and pictures in it stay text, and a policy in
the page keeps browsers from running or fetching anything.
"""

from __future__ import annotations

import base64
import html
import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from PIL.Image import open as open_image

from pagesight.agent.answers.citations import Bracket, CitationReader
from pagesight.agent.answers.claims.claim import MARKS
from pagesight.agent.answers.claims.german_reasons import in_language_of
from pagesight.agent.reports.cited_pages import write_picture
from pagesight.agent.reports.html_page import html_page
from pagesight.agent.reports.report_file import footer, write_report
from pagesight.indexing.errors import PagesightError

if TYPE_CHECKING:
    from PIL import Image

    from pagesight.agent.answers.answer import Answer
    from pagesight.agent.answers.citations import Citation
    from pagesight.agent.reports.turns import Turn
    from pagesight.indexing import PageIndex

_LONG_SIDE = 1500  # pixels of a cited page's longer side
_LONG_SIDE_OF_A_REGION = 1200
_LONG_SIDE_OF_A_SEEN_PAGE = 360
_MOST_SEEN = 12
_QUALITY = 80
#: Stands for a citation while Markdown becomes HTML; from a private area of Unicode that no text uses.
_PLACE = re.compile("\ue000(\\d+)\ue001")


def write_html(path: Path, index: PageIndex, turns: Sequence[Turn]) -> None:
    """Writes a self-contained web page of answered turns: pages that they cite stand in it as pictures.

    Raises StorageFull and PageIndexError when it cannot be written. A page that cannot be rendered is named instead.
    """
    articles = "\n".join(_article(index, turn, number) for number, turn in enumerate(turns, 1) if turn.answer)
    page = html_page(turns[0].question if turns else "pagesight", articles)
    write_report(path, page)


def _article(index: PageIndex, turn: Turn, number: int) -> str:
    answer = turn.answer
    assert answer
    labels = list(dict.fromkeys(citation.label for citation in answer.citations))
    anchors = {label: f"page-{number}-{place}" for place, label in enumerate(labels, 1)}
    absent = "" if answer.found else '<p class="absent">Not in these documents</p>\n'
    claims = _section("Claims", _claims(answer))
    cited = "\n".join(_figure(index, turn, label, anchors[label]) for label in labels)
    seen = "" if answer.found and labels else _seen(index, answer)
    steps = "\n".join(f"<li>{html.escape(step)}</li>" for step in turn.steps)
    return f"""<article>
<h1>{html.escape(turn.question)}</h1>
<div class="answer">
{absent}{_answer_as_html(answer.text, index, anchors)}
</div>
{claims}{_section("Cited pages", cited)}{seen}{_section("Steps", steps and f'<ol class="steps">{steps}</ol>')}<footer>
{html.escape(footer(answer))}</footer>
</article>"""


def _claims(answer: Answer) -> str:
    """Each claim with its mark, and why those are doubted that are; then what the marks say."""
    rows = []
    for claim in answer.claims:
        why = "" if claim.mark == "✓" else f" <small>{html.escape(in_language_of(answer.text, claim.reason))}</small>"
        rows.append(f"<li><b>{claim.mark}</b> {html.escape(claim.text)}{why}</li>")
    used = {claim.mark for claim in answer.claims}
    legend = " · ".join(f"{mark} {said}" for mark, said in MARKS.items() if mark in used)
    return f'<ul class="claims">{"".join(rows)}<li><small>{legend}</small></li></ul>' if rows else ""


def _section(title: str, content: str) -> str:
    return f"<section>\n<h2>{title}</h2>\n{content}\n</section>\n" if content else ""


def _answer_as_html(text: str, index: PageIndex, anchors: dict[str, str]) -> str:
    """The answer's Markdown as HTML, its citations as links to the pages' pictures."""
    from markdown_it import MarkdownIt

    reader = CitationReader(index.printed_labels())
    text = _PLACE.sub("", text)
    held: list[str] = []
    marked, done = "", 0
    for bracket in _brackets(reader, text):
        marked += f"{text[done : bracket.start]}\ue000{len(held)}\ue001"
        held.append(_citation(text[bracket.start : bracket.end], bracket.citations, anchors))
        done = bracket.end
    # No HTML passes, and what a document could make the model write does not become a link or a picture.
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table").disable(["image", "link", "autolink"])
    return _PLACE.sub(lambda place: held[int(place[1])], markdown.render(marked + text[done:]))


def _brackets(reader: CitationReader, text: str) -> Iterator[Bracket]:
    """The citations of a text, and the marks of those that were not verified, which hold no citation."""
    start = 0
    for bracket in reader.read(text):
        yield from _unverified(text, start, bracket.start)
        yield bracket
        start = bracket.end
    yield from _unverified(text, start, len(text))


def _unverified(text: str, start: int, end: int) -> Iterator[Bracket]:
    for found in re.compile(r"\[[^\[\]\n]+ — not verified\]").finditer(text, start, end):
        yield Bracket(found.start(), found.end(), [])


def _citation(written: str, citations: Sequence[Citation], anchors: dict[str, str]) -> str:
    if not citations:
        return f'<span class="unverified">{html.escape(written[1:-1])}</span>'
    links = [
        f'<a class="cite" href="#{anchors[label]}">{_unbroken(label)}</a>' if label in anchors else _unbroken(label)
        for label in dict.fromkeys(citation.label for citation in citations)
    ]
    return " ".join(links)


def _unbroken(label: str) -> str:
    """The label escaped, its number kept on one line with its ``p.``."""
    return "\u00a0".join(html.escape(label).rsplit(" ", 1))


def _figure(index: PageIndex, turn: Turn, label: str, anchor: str) -> str:
    """A cited page with its regions marked, and each region by itself, larger."""
    assert turn.answer
    regions = [one.region for one in turn.answer.citations if one.label == label and one.region]
    note = f"<span>{len(regions)} region{'s' * (len(regions) > 1)} cited</span>" if regions else ""
    try:
        ref = index.page(label)
        picture = _marked(index, turn, label)
        closer = "".join(
            f'<div class="closer"><p>region {",".join(map(str, region))}</p>'
            f"{_image(index.picture(ref, region=region, long_side=_LONG_SIDE_OF_A_REGION), f'{label}, region')}</div>"
            for region in regions
        )
        shown = _image(picture, label) + closer
    except PagesightError as error:
        shown = f"<p>{html.escape(str(error))}</p>"
    return f'<figure id="{anchor}">\n<figcaption>{html.escape(label)}{note}</figcaption>\n{shown}\n</figure>'


def _marked(index: PageIndex, turn: Turn, label: str) -> Image.Image:
    assert turn.answer
    with TemporaryDirectory() as folder:
        path = write_picture(index, turn.answer, turn.question, label, Path(folder) / "page.png")
        with open_image(path) as picture:
            picture.thumbnail((_LONG_SIDE, _LONG_SIDE))
            return picture.convert("RGB")


def _seen(index: PageIndex, answer: Answer) -> str:
    """What was looked at for an answer that cites nothing, or else what was found."""
    labels = answer.pages_viewed or [hit.label for hit in answer.hits]
    figures = []
    for label in labels[:_MOST_SEEN]:
        try:
            shown = _image(index.picture(index.page(label), long_side=_LONG_SIDE_OF_A_SEEN_PAGE), label)
        except PagesightError as error:
            shown = f"<p>{html.escape(str(error))}</p>"
        figures.append(f"<figure>\n<figcaption>{html.escape(label)}</figcaption>\n{shown}\n</figure>")
    title = "Pages looked at" if answer.pages_viewed else "Pages found"
    return _section(title, "\n".join(['<div class="seen">', *figures, "</div>"]) if figures else "")


def _image(picture: Image.Image, label: str) -> str:
    file = io.BytesIO()
    picture.convert("RGB").save(file, "WEBP", quality=_QUALITY, method=4)
    address = f"data:image/webp;base64,{base64.b64encode(file.getvalue()).decode()}"
    return f'<img src="{address}" width="{picture.width}" height="{picture.height}" alt="{html.escape(label)}">'
