"""What ranks a page beside its words: page numbers in the question, names of documents, headings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from reportlab.pdfgen import canvas
from small_index import small_settings, write_pdf

from pagesight.indexing import PageIndex
from pagesight.indexing.ranking.rank_pages import Weights


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    return folder


@pytest.fixture(params=[0, 1000], ids=["candidates", "exhaustive"])
def index(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[PageIndex]:
    settings = small_settings(exhaustive_below=request.param, candidates=10)
    with PageIndex.open(tmp_path / "index", settings=settings) as opened:
        yield opened


def statements(files: Path) -> None:
    """Yearly reports of three companies, whose pages say the same; only the names of the files differ."""
    for company in ("ACMEWORKS", "BOREAS", "CETUS"):
        for year in (2018, 2019, 2020):
            pages = [["Statement of cash flows", "Capital expenditure 2018 2019 2020"], ["Notes on revenue"]]
            write_pdf(files / f"{company}_{year}_10K.pdf", pages)


@pytest.mark.parametrize(
    ("question", "document"),
    [
        ("What was the capital expenditure of Boreas in FY2019?", "BOREAS_2019_10K.pdf"),
        ("Capital expenditure 2020, Acme Works", "ACMEWORKS_2020_10K.pdf"),
    ],
)
def test_company_and_year_of_the_question_lead_to_the_report(
    index: PageIndex, files: Path, question: str, document: str
) -> None:
    statements(files)
    index.add(files)
    assert index.search(question)[0].label == f"{document} p. 1"


def test_a_page_that_the_question_names_comes_first(index: PageIndex, files: Path) -> None:
    index.add(write_pdf(files / "deck.pdf", [[f"Chart of sales, part {number}"] for number in "ABCDEFGHIJKL"]))
    assert index.search("Chart of sales")[0].page == 1
    assert index.search("What does the chart of sales on slide 7 show?")[0].page == 7


def test_a_named_page_without_a_word_of_the_question_is_found(index: PageIndex, files: Path) -> None:
    pages = [["Cover"], ["Chart of sales"], ["Quite other words"]]
    index.add(write_pdf(files / "deck.pdf", pages))
    assert 3 in [hit.page for hit in index.search("the chart on page 3", documents=["deck.pdf"])]


def test_a_heading_counts_more_than_a_passing_mention(index: PageIndex, files: Path) -> None:
    filler = ["other words stand here in this line of text"] * 6
    sheet = canvas.Canvas(str(files / "report.pdf"))
    for heading in ("Logistics", "Depreciation"):
        for row, line in enumerate(
            [*filler, f"passing mention of {'depreciation' if heading == 'Logistics' else 'goods'}"]
        ):
            sheet.setFont("Helvetica", 11)
            sheet.drawString(72, 600 - 20 * row, line)
        sheet.setFont("Helvetica", 24)
        sheet.drawString(72, 640, heading)
        sheet.showPage()
    sheet.save()
    index.add(files / "report.pdf")
    assert index.search("depreciation")[0].page == 2


def test_weights_say_what_counts(index: PageIndex, files: Path) -> None:
    statements(files)
    index.add(files)
    question = "capital expenditure of Boreas 2019"
    with_all = index.rank(question)
    words_alone = index.rank(question, weights=Weights(0.0, 0.0, 0.0))
    assert with_all[0][0].document == "BOREAS_2019_10K.pdf"
    assert words_alone[0][0].document == "ACMEWORKS_2018_10K.pdf"  # all are equal: the first
    assert with_all[0][1] > with_all[1][1]
    assert words_alone[0][1] == words_alone[1][1] == 1


@pytest.mark.parametrize(
    "question", ["sales", "What does the chart of sales on slide 7 show?", "deck", "salez", "part L"]
)
def test_scores_are_between_0_and_1(index: PageIndex, files: Path, question: str) -> None:
    index.add(write_pdf(files / "deck.pdf", [[f"Chart of sales, part {number}"] for number in "ABCDEFGHIJKL"]))
    scores = [hit.score for hit in index.search(question)]
    assert scores == sorted(scores, reverse=True)
    assert 0.2 < scores[0] <= 1
    assert scores[-1] >= 0


SEES_BARS = """
import numpy as np

def load(options):
    return Encoder()

class Encoder:
    dim, revision = 3, "1"

    def encode_pages(self, pages):
        dark = [page.picture[..., 1] < 250 for page in pages]
        return [np.array([[1, 16 * one.mean(), one[:, : one.shape[1] // 2].mean()]]) for one in dark]

    def encode_query(self, question):
        return np.eye(3)[1:2], [question]
"""


def test_the_vectors_of_a_model_count_from_what_any_page_has(tmp_path: Path, files: Path) -> None:
    """As docs/quality.md says: a model finds all pages somewhat alike, BM25 does not."""
    (tmp_path / "bars.py").write_text(SEES_BARS)
    pages = [[f"Chart of sales, part {number}"] for number in "ABCDEFG"]
    with PageIndex.open(
        tmp_path / "index", encoder=f"external:{tmp_path / 'bars.py'}", settings=small_settings()
    ) as index:
        index.add(write_pdf(files / "deck.pdf", pages))
        query = index.query_vectors("sales").vectors
        alike = {
            ref.page: float((index.multivector(ref).vectors @ query.T).max()) for ref in index.documents()[0].page_refs
        }
        ranked = {ref.page: score for ref, score in index.rank("sales", weights=Weights(1.0, 0.0, 0.0))}
        both = {ref.page: score for ref, score in index.rank("sales", weights=Weights(0.5, 0.0, 0.0))}
    best = max(alike.values())
    shares = {page: (one / best - 0.6) / (1 - 0.6) for page, one in alike.items()}
    assert sum(share > 0.1 for share in shares.values()) > 2
    assert min(shares.values()) < 0
    assert ranked == pytest.approx({page: max(share, 0.0) for page, share in shares.items()}, abs=1e-3)
    assert both == pytest.approx({page: max(0.5 * share + 0.5, 0.0) for page, share in shares.items()}, abs=1e-3)


def test_one_letter_is_like_the_words_that_hold_it_and_two_are_words(index: PageIndex, files: Path) -> None:
    index.add(write_pdf(files / "deck.pdf", [["Quartz and quince"], ["Sales"]]))
    assert [hit.page for hit in index.search("q")][:1] == [1]
    assert index.search("qz") == []


@pytest.mark.parametrize("question", ["zebra unicorn", "Schmetterling", "网络", "xyzzy", "Beethoven's symphonies"])
def test_what_no_page_is_about_finds_none(index: PageIndex, files: Path, question: str) -> None:
    statements(files)
    index.add(files)
    assert index.search(question) == []
    assert index.search(f"{question} revenue")  # one word of a page is enough
    assert index.search("revenues and expenditures")[0].document_id  # and so is one that is spelt nearly like it


def test_a_page_without_words_is_found_by_its_number_only(index: PageIndex, files: Path) -> None:
    index.add(write_pdf(files / "deck.pdf", [["Quartz"], []]))
    assert [hit.page for hit in index.search("quartz", top_k=9)] == [1]
    assert {hit.page for hit in index.search("quartz on page 2", top_k=9)} == {1, 2}


def test_pages_of_a_document_that_the_question_names_are_candidates_where_others_crowd_them_out(tmp_path: Path) -> None:
    crowd = [
        write_pdf(tmp_path / f"notes-{number}.pdf", [["Passengers carried", "passengers carried"]])
        for number in range(8)
    ]
    filler = [f"Line {number} on harbours, ropes and weather" for number in range(30)]
    named = write_pdf(tmp_path / "boreas.pdf", [[*filler, "It carries 240 passengers."]])
    settings = small_settings(exhaustive_below=0, candidates=2)
    with PageIndex.open(tmp_path / "index", settings=settings) as index:
        index.add([*crowd, named])
        hits = index.search("How many passengers were carried by Boreas?", top_k=20)
        assert "boreas.pdf p. 1" in [hit.label for hit in hits]
