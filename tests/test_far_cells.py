"""A cell far from all others in a table is left out and named, instead of millions of pages being printed."""

from __future__ import annotations

import re
import shutil
import zipfile
from pathlib import Path

import pytest
from small_index import small_settings

from pagesight.indexing import PageIndex
from pagesight.indexing.conversion.far_cells import without_far_cells
from pagesight.indexing.conversion.narrow_columns import with_wide_columns

KINDS = "http://schemas.openxmlformats.org"
MAIN = "application/vnd.openxmlformats-officedocument.spreadsheetml"
NEAR = {f"{column}{row}": f"heron {column}{row}" for column in "ABC" for row in range(1, 6)}


def table(path: Path, cells: dict[str, str], *, names: str = "", styled: str = "") -> Path:
    """A table of one sheet with these cells; ``styled`` is one that is empty."""
    by_row: dict[int, list[str]] = {}
    for name, said in cells.items():
        row = int("".join(filter(str.isdigit, name)))
        by_row.setdefault(row, []).append(f'<c r="{name}" t="inlineStr"><is><t>{said}</t></is></c>')
    if styled:
        by_row.setdefault(int("".join(filter(str.isdigit, styled))), []).append(f'<c r="{styled}" s="0"/>')
    rows = "".join(f'<row r="{row}">{"".join(held)}</row>' for row, held in sorted(by_row.items()))
    related = f"{KINDS}/officeDocument/2006/relationships"
    relations = f'<Relationships xmlns="{KINDS}/package/2006/relationships"><Relationship Id="r1" Type="{related}/{{}}" Target="{{}}"/></Relationships>'  # noqa: E501 (it is one tag)
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{KINDS}/package/2006/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" '
        f'ContentType="{MAIN}.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="{MAIN}'
        '.worksheet+xml"/></Types>',
        "_rels/.rels": relations.format("officeDocument", "xl/workbook.xml"),
        "xl/workbook.xml": f'<workbook xmlns="{KINDS}/spreadsheetml/2006/main" xmlns:r="{related}"><sheets><sheet '
        f'name="It\'s &amp; all" sheetId="1" r:id="r1"/></sheets>{names}</workbook>',
        "xl/_rels/workbook.xml.rels": relations.format("worksheet", "worksheets/sheet1.xml"),
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{KINDS}/spreadsheetml/2006/main"><sheetData>{rows}</sheetData>'
        "</worksheet>",
    }
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, 99])
def test_a_damaged_table_is_left_as_it_is(tmp_path: Path, method: int) -> None:
    content = bytearray(table(tmp_path / "a.xlsx", NEAR | {"ZZ9": "stray"}).read_bytes())
    for head, at in ((b"PK\3\4", 8), (b"PK\1\2", 10)):  # it says that what is stored is packed so
        for found in re.finditer(re.escape(head), bytes(content)):
            content[found.start() + at] = method
    (tmp_path / "a.xlsx").write_bytes(content)
    assert without_far_cells(tmp_path / "a.xlsx") == (None, [])
    assert with_wide_columns(bytes(content)) is None


@pytest.mark.parametrize("far", ["XFD1048576", "A900000", "ZZ3"])
def test_a_print_range_ends_before_the_gap(tmp_path: Path, far: str) -> None:
    content, said = without_far_cells(table(tmp_path / "a.xlsx", NEAR | {far: "stray"}))
    assert said == [f"cells of the sheet It's & all stand far from all others and are left out: {far}"]
    assert content
    (tmp_path / "b.xlsx").write_bytes(content)
    with zipfile.ZipFile(tmp_path / "b.xlsx") as archive:
        assert "'It''s &amp; all'!$A$1:$G$5<" in archive.read("xl/workbook.xml").decode()
        assert b"heron C5" in archive.read("xl/worksheets/sheet1.xml")
    assert without_far_cells(tmp_path / "b.xlsx") == (None, [])


def open_table(path: Path, rows: str) -> Path:
    """An OpenDocument table of one sheet with these rows."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", f'<table:table table:name="It\'s &amp; all">{rows}</table:table>')
    return path


def open_row(cells: str, repeated: int = 1) -> str:
    return f'<table:table-row table:number-rows-repeated="{repeated}">{cells}</table:table-row>'


CELL, GAP = (
    '<table:table-cell office:value-type="string"><text:p>heron</text:p></table:table-cell>',
    "<table:table-cell/>",
)


@pytest.mark.parametrize(
    ("rows", "far"),
    [
        (open_row(GAP, 1_048_573) + open_row('<table:table-cell table:number-columns-repeated="16383"/>' + CELL),
         "XFD1048576"),
        (open_row(GAP, 899_997) + open_row(CELL), "A900000"),
        (open_row('<table:covered-table-cell table:number-columns-repeated="701"/>' + CELL), "ZZ3"),
    ],
)  # fmt: skip
def test_a_print_range_of_an_opendocument_table_ends_before_the_gap(tmp_path: Path, rows: str, far: str) -> None:
    near = open_row(3 * CELL, 2)
    content, said = without_far_cells(open_table(tmp_path / "a.ods", near + rows))
    assert said == [f"cells of the sheet It's & all stand far from all others and are left out: {far}"]
    assert content
    (tmp_path / "b.ods").write_bytes(content)
    with zipfile.ZipFile(tmp_path / "b.ods") as archive:
        assert (
            f"""table:print-ranges="'It''s &amp; all'.A1:'It''s &amp; all'.G{3 if far == "ZZ3" else 2}">"""
            in archive.read("content.xml").decode()
        )
        assert archive.namelist()[0] == "mimetype"
    assert without_far_cells(tmp_path / "b.ods") == (None, [])
    assert without_far_cells(open_table(tmp_path / "c.ods", near + open_row(GAP, 1_048_574))) == (None, [])


def test_other_tables_stay_as_they_are(tmp_path: Path) -> None:
    rows = {f"A{row}": "heron" for row in range(1, 20_000, 400)}
    assert without_far_cells(table(tmp_path / "long.xlsx", rows)) == (None, [])
    assert without_far_cells(table(tmp_path / "styled.xlsx", NEAR, styled="XFD1048576")) == (None, [])
    own = '<definedNames><definedName name="_xlnm.Print_Area" localSheetId="0">x</definedName></definedNames>'
    assert without_far_cells(table(tmp_path / "own.xlsx", NEAR | {"ZZ9": "stray"}, names=own)) == (None, [])
    (tmp_path / "broken.xlsx").write_bytes(b"PK\3\4 and no more")
    assert without_far_cells(tmp_path / "broken.xlsx") == (None, [])


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_a_table_with_a_far_cell_is_read_and_that_is_told(tmp_path: Path) -> None:
    path = table(tmp_path / "stray.xlsx", NEAR | {"XFD1048576": "stray"})
    with PageIndex.open(tmp_path / "index", settings=small_settings(conversion_seconds=60)) as index:
        report = index.add(path)
        assert (report.failed, report.pages) == ([], 1)
        assert [warning.text.partition(": ")[0] for warning in report.warnings] == ["stray.xlsx"]
        assert "XFD1048576" in report.warnings[0].text
        assert "heron C5" in index.text(index.page("stray.xlsx p. 1")).replace("\n", " ")


def with_columns(path: Path, columns: str) -> Path:
    """A table with a text and a number in its first row, and what is said of its columns."""
    with zipfile.ZipFile(table(path.with_name("plain.xlsx"), {"A1": "heron", "B1": "771203"})) as plain:
        parts = {name: plain.read(name).decode() for name in plain.namelist()}
    sheet = parts["xl/worksheets/sheet1.xml"].replace(
        "<sheetData>", f"<cols>{columns}</cols><sheetData>" if columns else "<sheetData>"
    )
    sheet = sheet.replace('<c r="B1" t="inlineStr"><is><t>771203</t></is></c>', '<c r="B1"><v>771203</v></c>')
    with zipfile.ZipFile(path, "w") as made:
        for name, content in (parts | {"xl/worksheets/sheet1.xml": sheet}).items():
            made.writestr(name, content)
    return path


@pytest.mark.parametrize(
    ("columns", "widened"),
    [
        ("", '<col min="2" max="2" width="24" customWidth="1"/>'),
        ('<col min="2" max="2" width="40"/>', '<col min="2" max="2" width="40" customWidth="1"/>'),
        (
            '<col min="1" max="3" width="2" hidden="1"/><col min="9" max="9"/>',
            '<col min="1" max="1" width="2" hidden="1"/><col min="2" max="2" hidden="1" width="24" customWidth="1"/>'
            '<col min="3" max="3" width="2" hidden="1"/><col min="9" max="9"/>',
        ),
    ],
)  # fmt: skip
def test_columns_of_numbers_are_made_wide_and_others_stay(tmp_path: Path, columns: str, widened: str) -> None:
    content = with_wide_columns(with_columns(tmp_path / "a.xlsx", columns).read_bytes())
    assert content
    (tmp_path / "b.xlsx").write_bytes(content)
    with zipfile.ZipFile(tmp_path / "b.xlsx") as archive:
        assert f"<cols>{widened}</cols><sheetData>" in archive.read("xl/worksheets/sheet1.xml").decode()
    assert with_wide_columns(table(tmp_path / "c.xlsx", NEAR).read_bytes()) is None
    assert with_wide_columns(b"PK\3\4 and no more") is None


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_numbers_that_are_wider_than_their_column_are_seen(tmp_path: Path) -> None:
    narrow = '<col min="2" max="2" width="2" customWidth="1"/>'
    with PageIndex.open(tmp_path / "index", settings=small_settings(conversion_seconds=60)) as index:
        report = index.add(with_columns(tmp_path / "narrow.xlsx", narrow))
        assert (report.failed, report.warnings) == ([], [])
        assert index.text(index.page("narrow.xlsx p. 1")) == "heron 771203"
