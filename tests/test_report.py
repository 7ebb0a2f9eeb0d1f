"""Reports from the outside: what stands in the file, what it weighs, and that nothing in it can run or fetch."""

from __future__ import annotations

import base64
import io
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from gemini_server import GeminiServer
from PIL import Image
from small_index import write_pdf

from pagesight.agent.cli import main

EVIL = "<script>alert(1)</script> & co.pdf"
LINE = "The net revenue was 42 <img src=x onerror=alert(2)> euros."
QUESTION = 'What was the "net revenue" of <b>Evil</b> & co?'
VOID = {"meta", "img", "br", "hr"}


class Page(HTMLParser):
    """A web page's elements, its text, and whether every element is closed."""

    def __init__(self, path: Path):
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.unclosed: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.unclosed.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.unclosed.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.unclosed and self.unclosed[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.words).replace("\u00a0", " ").split())

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def pictures(page: Page) -> list[Image.Image]:
    sources = [image["src"] or "" for image in page.of("img")]
    assert all(source.startswith("data:image/webp;base64,") for source in sources)
    return [Image.open(io.BytesIO(base64.b64decode(source.partition(",")[2]))) for source in sources]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of a document whose name and text want to be markup."""
    folder = tmp_path_factory.mktemp("evil")
    name = folder / EVIL.replace("/", "∕")
    write_pdf(name, [["Letter"], [LINE, "Second line of the page"], ["Appendix"]])
    assert main(["index", str(name), "--index", str(folder / "index")]) == 0
    return folder / "index"


@pytest.fixture
def label() -> str:
    return f"{EVIL.replace('/', '∕')} p. 2"


def report(made: Path, question: str = QUESTION) -> Page:
    assert main(["ask", question, "--index", str(made), "--report", "out/report.html", "--no-evidence"]) == 0
    page = Page(Path("out/report.html"))
    assert page.unclosed == []
    return page


def test_a_report_holds_question_answer_cited_pages_and_steps(made: Path, gemini: GeminiServer, label: str) -> None:
    gemini.calls("search_pages", query="net revenue")
    gemini.calls("view_pages", pages=[label])
    gemini.says(f"It was **42 euros** [{label}, region 50,50,200,800]. So it says [{label}].")

    page = report(made)

    assert QUESTION in page.text
    assert f"It was 42 euros {label}. So it says {label}." in page.text
    assert 'searched "net revenue" →' in page.text
    assert f"looked at {label}" in page.text
    assert page.of("strong")
    anchors = {link["href"] for link in page.of("a")}
    assert anchors == {f"#{figure['id']}" for figure in page.of("figure")}
    whole, region = pictures(page)
    assert whole.height > whole.width
    red = [colour for _, colour in whole.getcolors(1 << 24) or [] if colour[0] > 170 and max(colour[1:]) < 110]
    assert red, "the region is not outlined"
    assert region.width > region.height
    assert Path("out/report.html").stat().st_size < 500_000


def test_nothing_in_a_report_runs_or_is_fetched(made: Path, gemini: GeminiServer, label: str) -> None:
    gemini.calls("search_pages", query="<script>alert(3)</script>")
    gemini.calls("view_pages", pages=[label])
    gemini.says(
        f"<script>alert(4)</script> <img src=http://evil.example/a.png onerror=alert(5)> ![x](http://evil.example/b.png)"
        f" [click](javascript:alert(6)) <http://evil.example> \ue0000\ue001 [{label}] and [<svg onload=alert(7)> p. 1]."
    )

    page = report(made)

    allowed = {"html", "meta", "title", "style", "main", "article", "h1", "h2", "div", "p", "a", "span", "section"}
    allowed |= {"figure", "figcaption", "img", "ol", "li", "footer"}
    assert {tag for tag, _ in page.elements} <= allowed
    for tag, attributes in page.elements:
        assert not any(name.startswith("on") for name in attributes), (tag, attributes)
        for name in ("href", "src"):
            assert re.match(r"#|data:image/webp;base64,|$", attributes.get(name) or ""), (tag, attributes)
    assert "url(" not in Path("out/report.html").read_text()
    policy = next(meta["content"] for meta in page.of("meta") if "http-equiv" in meta)
    assert "default-src 'none'" in (policy or "")
    assert "<script>alert(4)</script>" in page.text
    assert "not verified" in page.text


def test_a_report_of_not_found_shows_what_was_looked_at(made: Path, gemini: GeminiServer, label: str) -> None:
    gemini.calls("search_pages", query="chess")
    gemini.calls("view_pages", pages=[label])
    gemini.says("Not found in these documents. I looked for chess.")

    page = report(made, "Who won at chess?")

    assert "Not in these documents" in page.text
    assert "Pages looked at" in page.text
    assert label in page.text
    assert len(pictures(page)) == 1


def test_a_german_answer_is_doubted_in_german(
    made: Path, gemini: GeminiServer, label: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the terminal, on a web page and as Markdown."""
    why = "43 steht nicht auf der zitierten Seite"
    for name in ("report.html", "report.md"):
        gemini.calls("view_pages", pages=[label])
        for _ in range(2):  # the second time when it was asked to correct what is not so
            gemini.says(f"Der Umsatz lag bei 43 [{label}].")
        asked = ["ask", QUESTION, "--index", str(made), "--report", f"out/{name}", "--no-evidence"]
        assert main(asked) == 0
        assert why in " ".join(capsys.readouterr().err.split())
        assert why in Path("out", name).read_text(encoding="utf-8")


def test_without_a_model_a_report_is_made_too(made: Path, label: str) -> None:
    page = report(made, "How high was the net revenue in euros?")
    assert LINE in page.text
    assert "answered by offline" in page.text
    yellow = [colour for _, colour in pictures(page)[0].getcolors(1 << 24) or [] if colour[0] > 200 and colour[2] < 90]
    assert yellow, "nothing is highlighted"


def test_a_report_that_cannot_be_written_is_said(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("file").write_text("")
    arguments = ["ask", "net revenue", "--index", str(made), "--report", "file/report.html", "--no-evidence"]
    assert main(arguments) == 1
    assert re.search("error: .*report.html cannot be written", capsys.readouterr().err)
