"""Citations in the forms that models write them, and what only looks like one."""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Callable

import pytest

from pagesight.agent.answers.citations import CitationReader, asks_something, lacks_citations, unfinished

SEMICOLON, AND, ENDS_IN_PAGE, PAGE_INSIDE = "q1; q2.pdf", "sales and costs.pdf", "notes p. 2", "minutes p. 3 draft.pdf"
BRACKETS, DATED, CHINESE, JAPANESE = (
    "slides [final], v2 ü.pdf",
    "2023, a review.pdf",
    "年度报告.pdf",
    "資料（最終）.pdf",
)
ARABIC, RUSSIAN, QUOTED, ROUND = "تقرير.pdf", "Отчёт 2023.pdf", "Müller's plan.pdf", "report (final).pdf"
KNOWN = [
    "a.pdf", "b.pdf", "annual-report.pdf", "deck.pptx", "2023/report.pdf", "my_file v1.pdf", "Plan A.pdf", "Plan-A.pdf",
    SEMICOLON, AND, ENDS_IN_PAGE, PAGE_INSIDE, BRACKETS, DATED, CHINESE, JAPANESE, ARABIC, RUSSIAN, QUOTED, ROUND,
]  # fmt: skip

A1, A2, A3, A4, B1 = "a.pdf p. 1", "a.pdf p. 2", "a.pdf p. 3", "a.pdf p. 4", "b.pdf p. 1"
PLACED = f"{A2}, region 1,2,30,40"

#: What stands in a text, and the citations that are right to read in it.
FORMS: list[tuple[str, list[str]]] = [
    # The form that is asked for
    ("[a.pdf p. 2]", [A2]),
    ("[annual-report.pdf p. 12]", ["annual-report.pdf p. 12"]),
    ("[a.pdf p. 2, region 1,2,30,40]", [PLACED]),
    ("[a.pdf p. 2; b.pdf p. 1]", [A2, B1]),
    # Other brackets
    ("It rose (a.pdf p. 2).", [A2]),
    ("It rose (see a.pdf, p. 2).", [A2]),
    ("【a.pdf p. 2】", [A2]),
    ("［a.pdf p. 2］", [A2]),
    ("（a.pdf p. 2）", [A2]),
    ("〔a.pdf p. 2〕", [A2]),
    ("「a.pdf p. 2」", [A2]),
    ("{a.pdf p. 2}", [A2]),
    ("⟨a.pdf p. 2⟩", [A2]),
    ("[[a.pdf p. 2]]", [A2]),
    ("([a.pdf p. 2])", [A2]),
    ("(see [a.pdf p. 2] and [b.pdf p. 1])", [A2, B1]),
    ("[(a.pdf p. 2)]", [A2]),
    ("\\[a.pdf p. 2\\]", [A2]),
    # Page words and abbreviations
    ("[a.pdf p 2]", [A2]),
    ("[a.pdf p2]", [A2]),
    ("[a.pdf p.2]", [A2]),
    ("[a.pdf P. 2]", [A2]),
    ("[a.pdf pg. 2]", [A2]),
    ("[a.pdf pg 2]", [A2]),
    ("[a.pdf page 2]", [A2]),
    ("[a.pdf Page: 2]", [A2]),
    ("[a.pdf, page no. 2]", [A2]),
    ("[deck.pptx slide 3]", ["deck.pptx p. 3"]),
    ("[a.pdf, S. 2]", [A2]),
    ("[a.pdf, Seite 2]", [A2]),
    ("[deck.pptx, Folie 3]", ["deck.pptx p. 3"]),
    ("[a.pdf, Bl. 2]", [A2]),
    ("[deck.pptx, diapositive 3]", ["deck.pptx p. 3"]),
    ("[a.pdf, pág. 2]", [A2]),
    ("[a.pdf, página 2]", [A2]),
    ("[a.pdf, págs. 2 y 3]", [A2, A3]),
    ("[a.pdf, pag. 2]", [A2]),
    ("[a.pdf, pagine 2 e 3]", [A2, A3]),
    ("[a.pdf, blz. 2]", [A2]),
    ("[a.pdf, bladzijde 2]", [A2]),
    ("[a.pdf, str. 2]", [A2]),
    ("[a.pdf, strona 2]", [A2]),
    ("[a.pdf, стр. 2]", [A2]),
    ("[a.pdf, с. 2]", [A2]),
    ("[a.pdf, страницы 2–3]", [A2, A3]),
    ("[a.pdf 第2页]", [A2]),
    ("[a.pdf，第 2 页]", [A2]),
    ("[a.pdf 第2至4页]", [A2, A3, A4]),
    ("[a.pdf 2頁]", [A2]),
    ("[a.pdf 2ページ]", [A2]),
    ("[a.pdf、2ページ目]", [A2]),
    ("[a.pdf 2쪽]", [A2]),
    ("[a.pdf، ص 2]", [A2]),
    ("[a.pdf، صفحة ٢]", [A2]),
    ("[a.pdf, sayfa 2]", [A2]),
    ("[a.pdf, s. 2]", [A2]),
    ("[a.pdf, 2. sayfa]", [A2]),
    ("[a.pdf, पृष्ठ २]", [A2]),
    ("[a.pdf, trang 2]", [A2]),
    ("[a.pdf, σελ. 2]", [A2]),
    ("[a.pdf, עמ' 2]", [A2]),
    ("[a.pdf, 2. oldal]", [A2]),
    ("[a.pdf, sidan 2]", [A2]),
    ("[a.pdf、2～4ページ]", [A2, A3, A4]),
    ("[a.pdf 2・3ページ]", [A2, A3]),
    ("[a.pdf 2ページおよび4ページ]", [A2, A4]),
    ("[a.pdf 2ページから4ページ]", [A2, A3, A4]),
    ("[a.pdfの2ページ]", [A2]),
    ("[a.pdf 2-4쪽]", [A2, A3, A4]),
    ("[a.pdf의 2쪽과 4쪽]", [A2, A4]),
    ("[a.pdf 제2쪽]", [A2]),
    ("[a.pdf 的第2页]", [A2]),
    ("《a.pdf》（第2页）", [A2]),
    ("[a.pdf، الصفحتان 2 و3]", [A2, A3]),
    ("[a.pdf، الصفحات من 2 إلى 4]", [A2, A3, A4]),
    ("[a.pdf، رقم الصفحة 2]", [A2]),
    ("[a.pdf، الشريحة 3]", [A3]),
    ("[a.pdf، صفحات ۲ تا ۴]", [A2, A3, A4]),
    ("[a.pdf, पृष्ठ संख्या 2]", [A2]),
    ("[a.pdf, पृष्ठ 2 और 3]", [A2, A3]),
    ("[a.pdf के पृष्ठ 2]", [A2]),
    ("[a.pdf, পৃষ্ঠা ২ ও ৩]", [A2, A3]),
    ("[a.pdf, ২ নং পৃষ্ঠা]", [A2]),
    ("[a.pdf, trang 2 và 3]", [A2, A3]),
    ("[a.pdf, trang số 2]", [A2]),
    ("[a.pdf หน้าที่ 2]", [A2]),
    ("[a.pdf, 2. ve 3. sayfalar]", [A2, A3]),
    ("[a.pdf'nin 2. sayfası]", [A2]),
    ("[a.pdf, halaman ke-2]", [A2]),
    ("[a.pdf, folha 2]", [A2]),
    ("[a.pdf, page n° 2]", [A2]),
    ("[a.pdf, página núm. 2]", [A2]),
    ("[a.pdf, 2ème page]", [A2]),
    ("[a.pdf, 2-я страница]", [A2]),
    ("[a.pdf, pagine da 2 a 4]", [A2, A3, A4]),
    ("[a.pdf, страницы с 2 по 4]", [A2, A3, A4]),
    ("[a.pdf, S. 2 u. 3]", [A2, A3]),
    # Words between a name and its page
    ("[a.pdf on page 2]", [A2]),
    ("[a.pdf, PDF page 2]", [A2]),
    ("[a.pdf's page 2]", [A2]),
    ("[a.pdf, à la page 2]", [A2]),
    ("[a.pdf, en la página 2]", [A2]),
    ("[a.pdf, na stronie 2]", [A2]),
    ("[a.pdf, на странице 2]", [A2]),
    ("[a.pdf, Table 3, page 2]", [A2]),
    ("[a.pdf § 4.2, p. 2]", [A2]),
    ("[on page 2 of the file a.pdf]", [A2]),
    ("[auf Seite 2 von a.pdf]", [A2]),
    ("[page 2 du document a.pdf]", [A2]),
    ("[página 2 do arquivo a.pdf]", [A2]),
    ("[стр. 2 файла a.pdf]", [A2]),
    ("[trang 2 của a.pdf]", [A2]),
    ("[p.2 a.pdf]", [A2]),
    ("[the annual report, p. 12]", ["annual-report.pdf p. 12"]),
    ("[a.pdf, Table 3]", []),
    ("[a.pdf, section 4.2]", []),
    ("[a.pdf, 3 tables]", []),
    ("[a.pdf, 50 %]", []),
    # Digits
    ("[a.pdf 第十二页]", ["a.pdf p. 12"]),
    ("[a.pdf 第一百零二页]", ["a.pdf p. 102"]),
    ("[a.pdf p. ２]", [A2]),
    ("[a.pdf p. ٢]", [A2]),
    ("[a.pdf p. ۲]", [A2]),
    ("[a.pdf p. २]", [A2]),
    ("[a.pdf p. 02]", [A2]),
    ("[a.pdf ｐ．２]", [A2]),
    # Several pages
    ("[a.pdf pp. 2-4]", [A2, A3, A4]),
    ("[a.pdf p. 2–4, 7]", [A2, A3, A4, "a.pdf p. 7"]),
    ("[a.pdf pp. 3 to 4]", [A3, A4]),
    ("[a.pdf S. 3 bis 4]", [A3, A4]),
    ("[a.pdf p. 3 à 4]", [A3, A4]),
    ("[a.pdf pp. 3 through 4]", [A3, A4]),
    ("[a.pdf p. 3 - p. 4]", [A3, A4]),
    ("[a.pdf p. 3 und 4]", [A3, A4]),
    ("[a.pdf p. 3, p. 4]", [A3, A4]),
    ("[a.pdf p. 3; 4]", [A3, A4]),
    ("[a.pdf p. 3 & 4]", [A3, A4]),
    ("[a.pdf S. 3 f.]", [A3, A4]),
    ("[a.pdf pp. 123-4]", ["a.pdf p. 123", "a.pdf p. 124"]),
    ("[a.pdf pp. 4-3]", [A4, A3]),
    ("[a.pdf p. 2 of 8]", [A2]),
    ("[a.pdf p. 2/8]", [A2]),
    ("[a.pdf Seite 2 von 8]", [A2]),
    # Several documents
    ("[a.pdf p. 2 and b.pdf p. 1]", [A2, B1]),
    ("[a.pdf S. 2 und b.pdf S. 1]", [A2, B1]),
    ("[a.pdf p. 2 | b.pdf p. 1]", [A2, B1]),
    ("[a.pdf p. 2, b.pdf p. 1]", [A2, B1]),
    ("[a.pdf p. 2 / b.pdf p. 1]", [A2, B1]),
    ("[a.pdf p. 2 & b.pdf p. 1]", [A2, B1]),
    ("[a.pdf p. 2][b.pdf p. 1]", [A2, B1]),
    ("[a.pdf p. 2] [p. 3]", [A2, A3]),
    ("[a.pdf p. 2], (p. 3)", [A2, A3]),
    ("[a.pdf p. 2](b.pdf p. 1)", [A2, B1]),
    # What is written between name and page, and around them
    ("[a.pdf, p. 2]", [A2]),
    ("[a.pdf: p. 2]", [A2]),
    ("[a.pdf | p. 2]", [A2]),
    ("[a.pdf – p. 2]", [A2]),
    ("[a.pdf (p. 2)]", [A2]),
    ("[a.pdf#page=2]", [A2]),
    ("[a.pdf:2]", [A2]),
    ("[a.pdf, 2]", [A2]),
    ("[a.pdf p. 2.]", [A2]),
    ("[ a.pdf p. 2 ]", [A2]),
    ("[Sources: a.pdf p. 2]", [A2]),
    ("[Source: a.pdf, page 2]", [A2]),
    ("[Quelle: a.pdf, S. 2]", [A2]),
    ("[vgl. a.pdf, S. 2]", [A2]),
    ("[cf. a.pdf p. 2]", [A2]),
    ("[来源：a.pdf 第2页]", [A2]),
    ("[Document: a.pdf, Page: 2]", [A2]),
    ("[1: a.pdf p. 2]", [A2]),
    ("[page 2 of a.pdf]", [A2]),
    ("[p. 2, a.pdf]", [A2]),
    ("[Seite 2 von a.pdf]", [A2]),
    ("a.pdf (p. 2)", [A2]),
    ("As `a.pdf` says (page 2)", []),
    ("**a.pdf** [p. 2]", [A2]),
    ("[a.pdf • p. 2]", [A2]),
    ("[a.pdf → p. 2]", [A2]),
    ("[a.pdf @2]", [A2]),
    ("[a.pdf|2]", [A2]),
    ("[a.pdf:2-3]", [A2, A3]),
    ("【a.pdf†p. 2】", [A2]),
    ('{"document": "a.pdf", "page": 2}', [A2]),
    ("[a.pdf p.~2]", [A2]),
    ("[a.pdf p.\\ 2]", [A2]),
    ("[a.pdf&nbsp;p.&nbsp;2]", [A2]),
    # Decoration
    ("`[a.pdf p. 2]`", [A2]),
    ("`a.pdf p. 2`", [A2]),
    ("[`a.pdf p. 2`]", [A2]),
    ("[`a.pdf` p. 2]", [A2]),
    ("**[a.pdf p. 2]**", [A2]),
    ("[**a.pdf**, p. 2]", [A2]),
    ("[*a.pdf* p. *2*]", [A2]),
    ("[_a.pdf_, p. 2]", [A2]),
    ('["a.pdf", p. 2]', [A2]),
    ('["a.pdf p. 2"]', [A2]),
    ("[„a.pdf“, S. 2]", [A2]),
    ("[«a.pdf», p. 2]", [A2]),
    ("[《a.pdf》第2页]", [A2]),
    ("[<a.pdf> p. 2]", [A2]),
    ("[a.pdf p. 2](https://example.org/a.pdf#page=2)", [A2]),
    ("[[a.pdf p. 2](a.pdf)]", [A2]),
    ("[[a.pdf](a.pdf) p. 2]", [A2]),
    ("[see there](a.pdf#page=2)", [A2]),
    ("<sup>[a.pdf p. 2]</sup>", [A2]),
    # What stands beside the page
    ("[a.pdf p. 2, table 1]", [A2]),
    ("[a.pdf p. 2, Table 1 and Figure 3]", [A2]),
    ("[a.pdf p. 2, table 1; b.pdf p. 1, chart]", [A2, B1]),
    ("[a.pdf p. 2 (table 1)]", [A2]),
    ("[a.pdf p. 2, § 4.2]", [A2]),
    ("[a.pdf p. 2: net revenue]", [A2]),
    ("[a.pdf p. 2 – top right]", [A2]),
    ("[a.pdf, p. 2, footnote 3]", [A2]),
    ("[a.pdf p. 2, 3 tables]", [A2]),
    ("[a.pdf p. 2, 5 % more than before]", [A2]),
    ("[a.pdf p. 2 (see also b.pdf p. 1)]", [A2, B1]),
    ("[a.pdf p. 2; see also p. 3]", [A2, A3]),
    ("[a.pdf p. 2; ibid., p. 3]", [A2, A3]),
    # Regions
    ("[a.pdf p. 2, region 1, 2, 30, 40 and b.pdf p. 1]", [PLACED, B1]),
    ("[a.pdf p. 2, region 1,2,30,40; region 5,6,70,80]", [PLACED, f"{A2}, region 5,6,70,80"]),
    ("[a.pdf p. 2, regions 1,2,30,40 and 5,6,70,80]", [PLACED, f"{A2}, region 5,6,70,80"]),
    ("[a.pdf p. 2, region 1,2,30,40; p. 3, region 5,6,70,80]", [PLACED, f"{A3}, region 5,6,70,80"]),
    ("[a.pdf p. 2, region: [1, 2, 30, 40]]", [PLACED]),
    ("[a.pdf p. 2 (region 1, 2, 30, 40)]", [PLACED]),
    ("[a.pdf p. 2, region=(1,2,30,40)]", [PLACED]),
    ("[a.pdf p. 2, [1, 2, 30, 40]]", [PLACED]),
    ("[a.pdf p. 2, Bereich 1,2,30,40]", [PLACED]),
    ("[a.pdf p. 2, région 1,2,30,40]", [PLACED]),
    ("[a.pdf p. 2，区域 1，2，30，40]", [PLACED]),
    ("[a.pdf p. 2, region ymin=1, xmin=2, ymax=30, xmax=40]", [PLACED]),
    ("[a.pdf p. 2, region 30,2,1,40]", [A2]),  # upside down
    ("[a.pdf p. 2, region 1,2,3000,40]", [A2]),  # off the page
    ("[a.pdf p. 2, region 1,2]", [A2]),
    # Names
    ("[A.PDF p. 2]", [A2]),
    ("[a p. 2]", [A2]),
    ("[docs/a.pdf p. 2]", [A2]),
    ("[./my docs/a.pdf p. 2]", [A2]),
    ("[C:\\docs\\a.pdf p. 2]", [A2]),
    ("[report.pdf p. 2]", ["2023/report.pdf p. 2"]),
    ("[docs/2023/report.pdf p. 2]", ["2023/report.pdf p. 2"]),
    ("[annual\u2011report.pdf p. 2]", ["annual-report.pdf p. 2"]),
    ("[annual\u00a0report p. 2]", ["annual-report.pdf p. 2"]),
    ("[my\\_file v1.pdf p. 2]", ["my_file v1.pdf p. 2"]),
    ("[my_file\u202fv1.pdf p.\u00a02]", ["my_file v1.pdf p. 2"]),
    ("[Plan A.pdf p. 2; Plan-A.pdf p. 2]", ["Plan A.pdf p. 2", "Plan-A.pdf p. 2"]),
    (f"[{SEMICOLON} p. 2; a.pdf p. 3]", [f"{SEMICOLON} p. 2", A3]),
    (f"[{AND} p. 2 and a.pdf p. 3]", [f"{AND} p. 2", A3]),
    (f"[{ENDS_IN_PAGE} p. 3]", [f"{ENDS_IN_PAGE} p. 3"]),
    (f"[{PAGE_INSIDE} p. 1]", [f"{PAGE_INSIDE} p. 1"]),
    (f"[{BRACKETS} p. 2]", [f"{BRACKETS} p. 2"]),
    (f"({BRACKETS}, p. 2)", [f"{BRACKETS} p. 2"]),
    (unicodedata.normalize("NFD", f"[{BRACKETS} p. 2]"), [f"{BRACKETS} p. 2"]),
    (f"[a.pdf p. 3, {DATED} p. 7]", [A3, f"{DATED} p. 7"]),
    (f"[{CHINESE}第3页]", [f"{CHINESE} p. 3"]),
    (f"【{CHINESE} p. 3】", [f"{CHINESE} p. 3"]),
    ("[年度报告 第3页]", [f"{CHINESE} p. 3"]),
    (f"[{JAPANESE} 3ページ]", [f"{JAPANESE} p. 3"]),
    (f"[{ARABIC} ص ٣]", [f"{ARABIC} p. 3"]),
    (f"[{RUSSIAN}, стр. 3]", [f"{RUSSIAN} p. 3"]),
    ("[отчёт 2023, с. 3]", [f"{RUSSIAN} p. 3"]),
    (f"[{QUOTED} p. 3]", [f"{QUOTED} p. 3"]),
    ("[Müller’s plan.pdf p. 3]", [f"{QUOTED} p. 3"]),
    (f"({ROUND} p. 3)", [f"{ROUND} p. 3"]),
    # Documents that nobody knows: read, so that they can be told unverified
    ("[invented.pdf p. 1]", ["invented.pdf p. 1"]),
    ("[invented p. 1]", ["invented p. 1"]),
    ("[see invented.pdf p. 1]", ["invented.pdf p. 1"]),
    ("(invented.pdf, page 1)", ["invented.pdf p. 1"]),
    ("[a.pdf p. 2; invented.pdf p. 1]", [A2, "invented.pdf p. 1"]),
    ("[2022/report.pdf p. 2]", ["2022/report.pdf p. 2"]),
    # What is no citation
    ("As shown before [1], and by others [2, 3].", []),
    ("A link [here](https://example.org/a.html).", []),
    ("A box [x], a task [ ], a gap […].", []),
    ("x in [3, 5], y in (0, 1], z = f(2)", []),
    ("`rows[2]` and `pages[p. 3]`", []),
    ("[p. 3]", []),
    ("(p. 3)", []),
    ("[pp. 3-4]", []),
    ("[see p. 3]", []),
    ("[cf. pp. 3-4]", []),
    ("[see also page 3]", []),
    ("(Smith 2020, p. 3)", []),
    ("[5 May 2024]", []),
    ("[2024-05-12]", []),
    ("(12.05.2024)", []),
    ("[a.pdf]", []),
    ("[a.pdf, 2023]", []),
    ("[a.pdf p. ²]", []),
    ("[a.pdf p. 2²]", []),
    ("[a.pdf p. ①]", []),
    ("[a.pdf p. iv]", []),
    ("[a.pdf p. x]", []),
    ("[a.pdf p. " + "9" * 5000 + "]", []),
    ("[a.pdf p. 2.5]", []),
    ("[a.pdf p. 2", []),
    ("a.pdf p. 2", []),
    ("[a.pdf p. 2 — not verified]", []),
    ("[sic] [...] [emphasis added]", []),
    ("[reports. 2]", []),
    ("[Note: the page 3 was blank]", []),
    ("[continued on page 3]", []),
    ("[Table 3, page 2]", []),
    ("see (e.g. the chart) [b] and [a]", []),
    ("(a.pdf p. 2 shows what the company earned in the year)", []),
]  # fmt: skip


def cited(text: str) -> list[str]:
    return [str(citation) for bracket in CitationReader(KNOWN).read(text) for citation in bracket.citations]


@pytest.mark.parametrize(("text", "citations"), FORMS)
def test_forms_that_models_write(text: str, citations: list[str]) -> None:
    assert cited(text) == citations
    assert cited(f"Net revenue rose: {text} And so on.") == citations


def test_a_bracket_is_where_it_stands_and_a_link_belongs_to_it() -> None:
    text = "Ünder 【a.pdf　第２页】 and [a.pdf p. 3](a.pdf#page=3)."
    brackets = list(CitationReader(KNOWN).read(text))
    assert [text[bracket.start : bracket.end] for bracket in brackets] == [
        "【a.pdf　第２页】",
        "[a.pdf p. 3](a.pdf#page=3)",
    ]


def test_of_two_documents_that_differ_in_case_the_one_that_is_written_is_meant() -> None:
    reader = CitationReader(["Notes.pdf", "notes.pdf"])
    [one, other] = reader.read("[notes.pdf p. 1] [Notes.pdf p. 1]")
    assert [one.citations[0].document, other.citations[0].document] == ["notes.pdf", "Notes.pdf"]


# What takes time


ENDLESS = [
    "[",
    "(",
    "`",
    "[1a",
    "[a.pdf p. 1, ",
    "1, ",
    "[a.pdf p. 1, `",
    "a.pdf (p. 3) ",
    "[a.pdf p. 1](",
    "[a/",
    "[a: ",
]


def seconds(read: Callable[[], object]) -> float:
    """The shortest of three times."""

    def once() -> float:
        start = time.process_time()
        read()
        return time.process_time() - start

    return min(once() for _ in range(3))


@pytest.mark.parametrize("piece", ENDLESS)
def test_time_grows_with_the_text_and_not_faster(piece: str) -> None:
    names = [f"report number {number:04d} of a {'very ' * (number % 17)}long series.pdf" for number in range(2000)]
    reader = CitationReader([*names, "a.pdf"])
    half, whole = ("[a.pdf p. 1, " + piece * (length // len(piece)) for length in (25_000, 50_000))
    list(reader.read(half))  # compiles the patterns

    assert seconds(lambda: list(reader.read(whole))) < 3 * seconds(lambda: list(reader.read(half))) + 0.01
    assert seconds(lambda: unfinished(whole, 400)) < 3 * seconds(lambda: unfinished(half, 400)) + 0.01


# What streams


@pytest.mark.parametrize(
    ("text", "settled"),
    [
        ("It rose [a.pdf p", "It rose "),
        ("It rose (a.pdf p", "It rose "),
        ("It rose 【a.pdf", "It rose "),
        ("It rose ［a.pdf", "It rose "),
        ("It rose `a.pdf p", "It rose "),
        ("It rose (see [a.pdf p. 2] and", "It rose "),
        ("It rose [a.pdf p. 2]", "It rose "),  # a link's target or one more page may follow
        ("It rose [a.pdf p. 2] ", "It rose "),
        ("It rose [a.pdf p. 2] (p", "It rose "),
        ("It rose [a.pdf p. 2] and", "It rose [a.pdf p. 2] "),
        ("It rose.\nAs a.pdf", "It rose.\n"),  # "(p. 2)" may follow
        ("a) It rose ", "a) It rose "),
        ("(" + "x" * 500 + " [a.pdf p", "(" + "x" * 500 + " "),
        ("x" * 500 + ".\nAs a.pdf", "x" * 500 + ".\n"),  # long before, as in any answer that has gone on
    ],
)
def test_only_what_may_become_a_citation_is_unfinished(text: str, settled: str) -> None:
    assert text[: unfinished(text, 400)] == settled


@pytest.mark.parametrize(("text", "citations"), FORMS)
def test_a_text_that_comes_letter_by_letter_is_read_as_a_whole_one(text: str, citations: list[str]) -> None:
    held, read = "", []
    for letter in f"Net revenue rose: {text} And so on.":
        held += letter
        end = unfinished(held, 400)
        read += cited(held[:end])
        held = held[end:]
    assert read + cited(held) == citations


# Answers without citations


@pytest.mark.parametrize(
    ("text", "lacks"),
    [
        ("Net revenue was 4.2 billion euros.", True),
        ("4.2", True),
        ("The director is called Smith.", True),
        ("Net revenue was 4.2 billion euros. Source: a.pdf p. 2", True),  # named, in no form that is read
        ("净收入为四十二亿欧元整。", True),
        ("Net revenue was 4.2 billion euros [a.pdf p. 2].", False),
        ("Net revenue was 4.2 billion euros (a.pdf, S. 2).", False),
        ("Net revenue was 4.2 billion euros [invented.pdf p. 2].", False),  # read, and told unverified
        ("Not found in these documents. I looked at all 5 of them.", False),
        ("Which of the two years do you mean, 2022 or 2023?", False),
        ("You are welcome!", False),
        ("", False),
    ],
)
def test_an_answer_that_states_facts_without_a_citation_is_known(text: str, lacks: bool) -> None:
    assert lacks_citations(text, KNOWN) == lacks


@pytest.mark.parametrize("text", ["Revenue in 2023?", "How high was it", "净收入是多少", "Umsatz 2023 bitte", "Why?"])
def test_a_question_asks_something(text: str) -> None:
    assert asks_something(text)


@pytest.mark.parametrize("text", ["Hi", "Thanks!", "Danke schön.", "你好", "", "👋"])
def test_a_greeting_asks_nothing(text: str) -> None:
    assert not asks_something(text)
