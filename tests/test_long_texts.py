"""A page's text is whole, however long it is: found, quoted and marked to its end."""

from __future__ import annotations

from pathlib import Path

from reportlab.pdfgen import canvas
from small_index import small_settings

from pagesight.indexing import PageIndex

LAST = "calibration certificate GX-991 expires in Dezember für Köln"
LINES = [f"{number:05} sensor ä{number % 97:03} reading {number * 13} ok status nominal" for number in range(1500)]


def log(path: Path) -> Path:
    """One page, high enough for all lines; its text has more bytes than a field of Milvus takes."""
    sheet = canvas.Canvas(str(path), pagesize=(595, 4 * len(LINES) + 40))
    for place, line in enumerate([*LINES, LAST]):
        sheet.setFont("Helvetica", 3)
        sheet.drawString(20, 4 * (len(LINES) - place) + 20, line)
    sheet.showPage()
    sheet.drawString(72, 700, "A second page about something else")
    sheet.showPage()
    sheet.save()
    return path


def test_the_last_line_of_an_endless_page_is_found_quoted_and_marked(tmp_path: Path):
    settings = small_settings(encoder="lexical")
    with PageIndex.open(tmp_path / "index", settings=settings) as index:
        index.add(log(tmp_path / "log.pdf"))
    for describe in (False, True):
        with PageIndex.open(tmp_path / "index", settings=settings) as index:
            if describe:
                index.add(tmp_path / "log.pdf", metadata={"year": 2031})
            assert [record.pages for record in index.documents()] == [2]
            hit = index.search("calibration certificate GX-991")[0]
            assert (hit.page, hit.lines[0]) == (1, LAST)
            assert hit.boxes[0][1] > 0.99
            text = index.text(hit.ref).splitlines()
            assert (len(text), text[0], text[-1]) == (len(LINES) + 1, LINES[0], LAST)


def test_nothing_of_a_long_page_is_left_when_it_is_removed(tmp_path: Path):
    with PageIndex.open(tmp_path / "index", settings=small_settings(encoder="lexical")) as index:
        index.add(log(tmp_path / "log.pdf"))
        index.remove("log.pdf")
        assert index.search("calibration certificate") == []
        with index._parts.writing() as parts:
            assert list(parts.store._connection.rows("pages", "page >= 0", ["key"])) == []
