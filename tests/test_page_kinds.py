"""Kinds of pages: told when a document is indexed, kept, searched by, filtered by, shown, made again by repair."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen import canvas
from small_index import small_settings, write_pdf

from pagesight.indexing import PageIndex
from pagesight.indexing.documents.conditions import read_condition
from pagesight.indexing.documents.open import open_document
from pagesight.indexing.integrity.repair import repair
from pagesight.indexing.lexical.kind_mentions import named_kinds
from pagesight.indexing.lexical.query import read_query
from pagesight.indexing.page_kinds.page_kinds import page_kinds
from pagesight.indexing.page_kinds.told import told_kinds
from pagesight.indexing.page_text.text import read_text
from pagesight.indexing.pages import PageText
from pagesight.tools.allowed_documents import AllowedDocuments
from pagesight.tools.outline import outlined_document
from pagesight.tools.search_pages import found_pages

SAMPLES = Path(__file__).parent.parent / "samples"

WRITTEN = {
    "contents": ["Contents", "Mission . . . . 3", "Exports . . . . 7", "Wages . . . . 11", "Notes . . . . 19"],
    "form": ["Name: ______________", "Street: ____________", "Town: _____________", "Signed on: ______"],
    "signature": ["The board has approved these accounts.", "", "/s/ Ada Lovelace"],
    "appendix": ["Appendix B", "Sources of the figures on exports"],
}
PROSE = [
    "The ferries of the company sailed on 330 days of the year and carried more people than ever before.",
    "Delays were rare, and 12 crossings in all were cancelled, most of them in the storms of late November.",
    "The board expects the same for the next year, and has ordered two further ships in the meantime.",
]


def table(sheet: canvas.Canvas) -> None:
    sheet.drawString(72, 760, "Exports by country, in tonnes")
    for row, name in enumerate(("Country", "Norway", "Iceland", "Chile", "Ghana", "Japan")):
        cells = [name, *("2021", "2022", "2023")] if not row else [name, *(f"{row}{column}4" for column in range(3))]
        for column, cell in enumerate(cells):
            sheet.drawString(72 + 120 * column, 720 - 24 * row, cell)


def bars(sheet: canvas.Canvas, *, alike: bool = False, numbers: bool = True) -> None:
    sheet.drawString(72, 760, "Crossings in each year")
    for place, height in enumerate((120, 150, 90, 190, 240)):
        height = 120 if alike else height
        sheet.setFillColorRGB(0.1, 0.4, 0.6)
        sheet.rect(90 + 80 * place, 300, 40, height, fill=1, stroke=0)
        sheet.setFillColorRGB(0, 0, 0)
        if numbers:
            sheet.drawString(98 + 80 * place, 306 + height, str(height))
        sheet.drawString(96 + 80 * place, 280, f"Y{place}")


def ruled_table(sheet: canvas.Canvas, *, cut: bool = False, words: bool = True) -> None:
    sheet.drawString(72, 790, "What to do when a lamp is lit")
    left, top, columns, rows = 72, 760, (0, 120, 300, 450), 6
    for row in range(rows + 1):
        sheet.line(left, top - 40 * row, left + columns[-1], top - 40 * row)
    for column in columns:
        sheet.line(left + column, top, left + column, top - 40 * rows)
    for row in range(rows if words else 0):
        for column, text in zip(columns, ("Red lamp", "Empty the tray", "Every day"), strict=False):
            sheet.drawString(left + column + (75 if cut else 6), top - 40 * row - 25, text)


def lines(
    sheet: canvas.Canvas, *, step: int = 5, falling: bool = False, below: bool = False, years: bool = True
) -> None:
    sheet.drawString(72, 790, "Views of the ferries")
    for series in range(3):
        sheet.setLineWidth(4)
        for place in range(3):
            sheet.line(100 + 100 * place, 500 + 40 * series, 200 + 100 * place, 530 + 40 * series + 50 * (place % 2))
    for place in range(4 if years else 0):
        year = 2020 - step * place if falling else 2005 + step * place
        sheet.drawString(90 + 100 * place, 450, str(year))
        for row in range(3 if below else 0):
            sheet.drawString(90 + 100 * place, 430 - 15 * row, str(71 * (place + 1) + row))


def countdown(sheet: canvas.Canvas, *, beside: int) -> None:
    """Numbers that grow up the page in even steps, with a drawing and so many other numbers beside each."""
    sheet.drawString(72, 790, "Loaves")
    sheet.setLineWidth(4)
    for place in range(10):
        sheet.line(300 + 20 * place, 400 + 30 * (place % 3), 320 + 20 * place, 400 + 30 * ((place + 1) % 3))
        sheet.drawRightString(110, 700 - 24 * place, str(100 - 10 * place))
        for column in range(beside):
            sheet.drawRightString(170 + 60 * column, 700 - 24 * place, str(17 * (place + 3) + 71 * column))


def pie(sheet: canvas.Canvas, *, colours: int = 3, said: tuple[int, ...] = (61, 32, 7)) -> None:
    sheet.drawString(72, 790, "Who travels")
    start = 0.0
    for place, share in enumerate((61, 32, 7)):
        sheet.setFillColorRGB(0.2 + 0.25 * (place % colours), 0.3, 0.6)
        sheet.wedge(150, 400, 390, 640, start, 3.6 * share, fill=1, stroke=0)
        sheet.setFillColorRGB(0, 0, 0)
        sheet.drawString(60 + 180 * place, 380, f"{said[place]}%")
        start += 3.6 * share


def drawn(path: Path, *pages: object) -> Path:
    sheet = canvas.Canvas(str(path), pagesize=A4)
    for draw in pages:
        draw(sheet)  # type: ignore[operator]
        sheet.showPage()
    sheet.save()
    return path


def kinds(path: Path, page: int = 1) -> list[str]:
    with open_document(path) as document:
        return told_kinds(document, page, read_text(document, page, ocr=False))


@pytest.mark.parametrize("kind", WRITTEN)
def test_what_words_say_of_a_page(tmp_path: Path, kind: str) -> None:
    assert kinds(write_pdf(tmp_path / "a.pdf", [PROSE, WRITTEN[kind]]), 2) == [kind]


def test_prose_is_of_no_kind(tmp_path: Path) -> None:
    assert kinds(write_pdf(tmp_path / "a.pdf", [PROSE, PROSE]), 2) == []


def test_a_table_is_rows_of_numbers_under_each_other(tmp_path: Path) -> None:
    assert kinds(drawn(tmp_path / "a.pdf", bars, table), 2) == ["table"]


def test_a_chart_is_bars_of_one_colour_on_one_line_with_numbers_at_them(tmp_path: Path) -> None:
    assert kinds(drawn(tmp_path / "a.pdf", table, bars), 2) == ["chart"]
    lying = drawn(tmp_path / "b.pdf", table, lambda sheet: (sheet.translate(0, 842), sheet.rotate(-90), bars(sheet)))
    assert kinds(lying, 2) == ["chart"]


@pytest.mark.parametrize("broken", [{"alike": True}, {"numbers": False}])
def test_boxes_that_are_alike_or_say_no_number_are_no_chart(tmp_path: Path, broken: dict[str, bool]) -> None:
    assert kinds(drawn(tmp_path / "a.pdf", table, lambda sheet: bars(sheet, **broken)), 2) == []


def test_a_table_is_a_grid_whose_cells_hold_words(tmp_path: Path) -> None:
    assert kinds(drawn(tmp_path / "a.pdf", bars, ruled_table), 2) == ["table"]


@pytest.mark.parametrize("broken", [{"cut": True}, {"words": False}])
def test_a_grid_that_cuts_words_or_holds_none_is_no_table(tmp_path: Path, broken: dict[str, bool]) -> None:
    assert kinds(drawn(tmp_path / "a.pdf", bars, lambda sheet: ruled_table(sheet, **broken)), 2) == []


@pytest.mark.parametrize(
    ("line", "told"),
    [("Table 3: Ferries by harbour", ["table"]), ("TABLE II", ["table"]), ("Table 3 shows the ferries by harbour", [])],
)
def test_a_table_has_a_caption(tmp_path: Path, line: str, told: list[str]) -> None:
    assert kinds(write_pdf(tmp_path / "a.pdf", [PROSE, [line, *PROSE]]), 2) == told


def test_a_chart_is_lines_above_years_that_grow_to_the_right(tmp_path: Path) -> None:
    assert kinds(drawn(tmp_path / "a.pdf", table, lines), 2) == ["chart"]


@pytest.mark.parametrize("broken", [{"falling": True}, {"below": True}])
def test_years_that_fall_or_stand_over_numbers_are_no_axis(tmp_path: Path, broken: dict[str, bool]) -> None:
    assert "chart" not in kinds(drawn(tmp_path / "a.pdf", bars, lambda sheet: lines(sheet, **broken)), 2)


@pytest.mark.parametrize(("beside", "told"), [(0, True), (3, False)])
def test_numbers_up_the_page_are_an_axis_unless_they_begin_rows_of_numbers(
    tmp_path: Path, beside: int, told: bool
) -> None:
    path = drawn(tmp_path / "a.pdf", table, lambda sheet: countdown(sheet, beside=beside))
    assert ("chart" in kinds(path, 2)) == told


def test_ten_to_fourteen_alone_are_no_years(tmp_path: Path) -> None:
    def written(years: list[str]) -> object:
        return lambda sheet: (
            lines(sheet, years=False),
            [sheet.drawString(90 + 100 * place, 450, year) for place, year in enumerate(years)],
        )

    assert kinds(drawn(tmp_path / "a.pdf", table, written(["10", "11", "12", "13"])), 2) == []
    assert kinds(drawn(tmp_path / "b.pdf", table, written(["09", "10", "11", "12"])), 2) == ["chart"]


def test_a_chart_is_a_disc_of_several_colours_whose_numbers_come_to_a_hundred(tmp_path: Path) -> None:
    assert kinds(drawn(tmp_path / "a.pdf", table, pie), 2) == ["chart"]


@pytest.mark.parametrize("broken", [{"said": (61, 12, 7)}, {"colours": 1}])
def test_a_disc_of_one_colour_or_of_other_numbers_is_no_chart(tmp_path: Path, broken: dict[str, Any]) -> None:
    assert kinds(drawn(tmp_path / "a.pdf", table, lambda sheet: pie(sheet, **broken)), 2) == []


def test_a_page_of_one_pixel_is_of_no_kind() -> None:
    assert page_kinds(2, PageText.empty(), Image.new("RGB", (1, 1))) == []


def test_a_photo_has_more_shades_than_a_drawing(tmp_path: Path) -> None:
    noise = Image.effect_noise((640, 480), 80)
    Image.merge("RGB", (noise, noise.rotate(90, expand=False), noise.transpose(Image.Transpose.ROTATE_180))).save(
        tmp_path / "a.png"
    )
    Image.new("RGB", (640, 480), "teal").save(tmp_path / "b.png")
    assert kinds(tmp_path / "a.png") == ["photo"]
    assert kinds(tmp_path / "b.png") == []


def test_a_map_has_names_that_run_up_it(tmp_path: Path) -> None:
    def streets(sheet: canvas.Canvas) -> None:
        sheet.setFillColorRGB(0.8, 0.85, 0.7)
        sheet.rect(40, 40, 500, 700, fill=1, stroke=0)
        for number in range(26):  # blocks of houses
            sheet.setFillColorRGB(0.5, 0.2 + 0.02 * number, 0.4)
            for row in range(34):
                sheet.rect(44 + 19 * number, 44 + 20 * row, 12, 13, fill=1, stroke=0)
        sheet.setFillColorRGB(0, 0, 0)
        for number, name in enumerate(
            ["Oak", "Elm", "Pine", "Birch", "Maple", "Willow", "Cedar", "Larch", "Aspen", "Hazel"]
        ):
            sheet.saveState()
            sheet.translate(70 + 45 * number, 100 + 55 * number)
            sheet.rotate(90)
            sheet.drawString(0, 0, name)
            sheet.restoreState()
            sheet.drawString(60 + 37 * number, 680 - 50 * number, f"{name} Square")

    assert kinds(drawn(tmp_path / "a.pdf", table, streets), 2) == ["map"]


def test_samples() -> None:
    told = {page: kinds(SAMPLES / "annual-report.pdf", page) for page in (1, 2, 10, 12)}
    assert told == {1: ["cover"], 2: ["contents"], 10: ["table"], 12: ["table", "chart"]}


@pytest.mark.parametrize(
    ("question", "named"),
    [
        ("What does the chart on exports show?", {"chart"}),
        ("Was zeigt das Balkendiagramm?", {"chart"}),
        ("the map of Oslo", {"map"}),
        ("Wer hat unterschrieben?", {"signature"}),
        ("What does the table of contents list?", {"contents"}),
        ("Which tables and photos are there?", {"table", "photo"}),
        ("Was steht im Anhang?", {"appendix"}),
        ("How many comfortable chairs are mapped?", set()),
    ],
)
def test_kinds_that_a_question_names(question: str, named: set[str]) -> None:
    assert named_kinds(question) == named


@pytest.mark.parametrize(
    ("question", "pages"),
    [
        ("What is on the cover?", {1}),
        ("Who wrote the cover letter?", set()),
        ("Does the report cover 2019?", set()),
        ("What does the title page say?", {1}),
        ("the last page", {-1}),
        ("the second last slide", {-2}),
        ("the second-to-last page", {-2}),
        ("the penultimate page", {-2}),
        ("the last three pages", {-1, -2, -3}),
        ("the first two slides", {1, 2}),
        ("page two", {2}),
        ("Was steht auf der vorletzten Seite?", {-2}),
        ("die letzten drei Seiten", {-1, -2, -3}),
        ("auf Seite zwei", {2}),
        ("Was steht auf dem Deckblatt?", {1}),
        ("How did the last two years go?", set()),
    ],
)
def test_places_in_a_document_that_a_question_names(question: str, pages: set[int]) -> None:
    assert read_query(question).named_pages == pages


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageIndex]:
    folder = tmp_path_factory.mktemp("kinds")

    def said(sheet: canvas.Canvas) -> None:
        for row, line in enumerate(["Crossings in each year, in words", *PROSE]):
            sheet.drawString(72, 700 - 20 * row, line)

    drawn(folder / "ferries.pdf", said, table, bars, said)
    write_pdf(folder / "plain.pdf", [["Crossings in each year", *PROSE]])
    (folder / "ferries.pdf.meta.json").write_text('{"year": 2023}')
    with PageIndex.open(folder / "index", settings=small_settings()) as opened:
        opened.add([folder / "ferries.pdf", folder / "plain.pdf"])
        yield opened


def test_kinds_are_kept_and_come_with_hits(index: PageIndex) -> None:
    assert index.page_kinds("ferries.pdf") == {1: {}, 2: {"table": 1.0}, 3: {"chart": 1.0}, 4: {}}
    hit = next(hit for hit in index.search("crossings in each year") if hit.page == 3)
    assert hit.kinds == ("chart",)
    assert hit.as_dict()["kinds"] == ["chart"]


def test_a_kind_that_is_named_counts(index: PageIndex) -> None:
    assert index.search("crossings in each year, by words")[0].label != "ferries.pdf p. 3"
    assert index.search("crossings in each year, by chart")[0].label == "ferries.pdf p. 3"


def test_a_place_that_is_named_counts(index: PageIndex) -> None:
    asked = "What does the last page of the ferries say on crossings?"
    assert index.search(asked)[0].label == "ferries.pdf p. 4"


@pytest.mark.parametrize("exhaustive_below", [0, 1000])
def test_conditions_on_pages_reach_every_stage(index: PageIndex, tmp_path: Path, exhaustive_below: int) -> None:
    given = [Path(record.path) for record in index.documents()]  # an index that is open keeps its settings
    settings = small_settings(exhaustive_below=exhaustive_below, candidates=1)
    with PageIndex.open(tmp_path / "i", settings=settings) as opened:
        opened.add(given)

        def found(where: str) -> list[str]:
            return [hit.label for hit in opened.search("crossings of the year", where=where)]

        assert found("page_chart") == ["ferries.pdf p. 3"]
        assert found("page_chart >= 0.5 and year == 2023") == ["ferries.pdf p. 3"]
        assert found("page_chart and year == 2022") == []
        others = set(found("not page_chart"))
        assert others >= {"ferries.pdf p. 1", "plain.pdf p. 1"}
        assert "ferries.pdf p. 3" not in others


def test_a_condition_knows_whether_it_speaks_of_pages() -> None:
    assert read_condition("page_chart and year > 3").of_pages
    assert not read_condition("year > 3").of_pages


def test_the_tools_narrow_and_tell(index: PageIndex) -> None:
    text, data = found_pages(AllowedDocuments(index), "crossings of the year", where="page_chart")
    assert [hit["label"] for hit in data["hits"]] == ["ferries.pdf p. 3"]
    assert "1. ferries.pdf p. 3 (chart; score" in text
    narrowed = AllowedDocuments(index).narrowed(where="page_table")  # as `ask --where` does
    assert narrowed.names() == ["ferries.pdf"]
    assert [hit["page"] for hit in found_pages(narrowed, "crossings of the year")[1]["hits"]] == [2]
    assert "table: 2; chart: 3" in outlined_document(AllowedDocuments(index), "ferries.pdf")[0]


def test_an_older_index_has_no_kinds_until_it_is_repaired(tmp_path: Path) -> None:
    with tarfile.open(Path(__file__).parent / "fixtures" / "format-3" / "words.tar.gz") as kept:
        kept.extractall(tmp_path, filter="data")
    place = tmp_path / "index"
    with PageIndex.open(place, settings=small_settings()) as opened:
        assert all(row.kinds is None for row in opened.pages())
        assert opened.search("net revenue", where="page_appendix") == []
    assert "report.pdf" in repair(str(place), small_settings()).repaired
    with PageIndex.open(place, settings=small_settings()) as opened:
        assert all(row.kinds is not None for row in opened.pages())
        assert all(hit.kinds == ("appendix",) for hit in opened.search("figures", where="page_appendix"))
        assert opened.search("figures", where="page_appendix")
    assert repair(str(place), small_settings()).repaired == []
