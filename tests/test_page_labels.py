"""Labels of pages as models and people give them to tools and commands."""

from __future__ import annotations

import pytest

from pagesight.indexing.labels.page_labels import PageMention, page_mention, page_mentions

NAMES = ["a.pdf", "annual-report.pdf", "2023/report.pdf", "notes p. 2", "年度报告.pdf"]
PAGE = PageMention("annual-report.pdf", 2)


@pytest.mark.parametrize(
    "label",
    [
        "annual-report.pdf p. 2", "[annual-report.pdf p. 2]", "annual-report.pdf, p. 2", "annual-report.pdf page 2",
        "annual-report.pdf p.2", "annual-report.pdf p2", "annual-report.pdf#page=2", "annual-report.pdf:2",
        "annual-report.pdf 2", "annual-report.pdf, S. 2", "annual-report p. 2", "Annual-Report.pdf p. 2",
        "`annual-report.pdf p. 2`", '"annual-report.pdf p. 2"', "**annual-report.pdf** p. 2",
        "1. annual-report.pdf p. 2",
        "- annual-report.pdf p. 2", "docs/annual-report.pdf p. 2", "page 2 of annual-report.pdf",
        "annual-report.pdf p. 2.",
        "annual-report.pdf p. ２", "annual-report.pdf 第2页", "(annual-report.pdf, p. 2)", "annual-report.pdf (p. 2)",
        "annual-report.pdf p. 2 (score 0.913)", "annual-report.pdf p. 2: Net revenue by region, in millions of euros",
        "annual-report.pdf - 2", "annual-report.pdf (2)", "annual-report.pdf [p. 2]", "annual-report.pdf::2",
        "annual-report.pdf/2", "annual-report.pdf page number 2", "annual-report.pdf @ 2",
        " annual-report.pdf p. 2 ", "annual-report.pdf p. 02", "annual_report.pdf p. 2", "annual-report.pdf p. 2 of 8",
    ],
)  # fmt: skip
def test_spellings_of_a_label(label: str) -> None:
    assert page_mention(label, NAMES) == PAGE


@pytest.mark.parametrize(
    "label",
    [
        "", " ", "a.pdf", "a.pdf p. x", "a.pdf p. ²", "a.pdf p. 2²", "a.pdf p. ①", "a.pdf p. -1",
        "a.pdf -1", "a.pdf (2) and more", "notes (2)", "a.pdf p. iv",
        "a.pdf p. " + "9" * 5000, "p. 2", "2", "[]", "[1]", "a.pdf pp. 2-3", "a.pdf p. 1; a.pdf p. 2", "(" * 5000,
    ],
)  # fmt: skip
def test_what_names_no_page_or_several(label: str) -> None:
    assert page_mention(label, NAMES) is None


def test_a_label_may_name_several_pages_and_regions() -> None:
    assert page_mentions("a.pdf pp. 2-3", NAMES) == [PageMention("a.pdf", 2), PageMention("a.pdf", 3)]
    assert page_mentions("[a.pdf p. 2, region 1,2,30,40]", NAMES) == [PageMention("a.pdf", 2, (1, 2, 30, 40))]


@pytest.mark.parametrize(
    ("label", "document", "page"),
    [
        ("notes p. 2 p. 3", "notes p. 2", 3),
        ("report.pdf p. 3", "2023/report.pdf", 3),
        ("2022/report.pdf p. 3", "2022/report.pdf", 3),  # another folder's
        ("年度报告 第3页", "年度报告.pdf", 3),
        ("unknown.pdf, page 3", "unknown.pdf", 3),
        ("0123456789abcdef p. 3", "0123456789abcdef", 3),
        ("a.pdf p. 0", "a.pdf", 0),
        ("a.pdf p. 999999999", "a.pdf", 999999999),
    ],
)
def test_names_in_labels(label: str, document: str, page: int) -> None:
    assert page_mention(label, NAMES) == PageMention(document, page)
