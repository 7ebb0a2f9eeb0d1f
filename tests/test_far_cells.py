"""A cell far from all others in a table is left out and named, instead of millions of pages being printed."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import pytest
from small_index import small_settings

from pagesight.indexing import PageIndex
from pagesight.indexing.conversion.far_cells import without_far_cells

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


@pytest.mark.parametrize("far", ["XFD1048576", "A900000", "ZZ3"])
def test_a_print_range_ends_before_the_gap(tmp_path: Path, far: str) -> None:
    content, said = without_far_cells(table(tmp_path / "a.xlsx", NEAR | {far: "stray"}))
    assert said == [f"cells of the sheet It's & all stand far from all others and are left out: {far}"]
    assert content
    (tmp_path / "b.xlsx").write_bytes(content)
    with zipfile.ZipFile(tmp_path / "b.xlsx") as archive:
        assert "'It''s &amp; all'!$A$1:$C$5<" in archive.read("xl/workbook.xml").decode()
        assert b"heron C5" in archive.read("xl/worksheets/sheet1.xml")
    assert without_far_cells(tmp_path / "b.xlsx") == (None, [])


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


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_numbers_that_are_wider_than_their_column_are_told(tmp_path: Path) -> None:
    with zipfile.ZipFile(table(tmp_path / "plain.xlsx", {"A1": "heron", "B1": "771203"})) as plain:
        parts = {name: plain.read(name).decode() for name in plain.namelist()}
    sheet = parts["xl/worksheets/sheet1.xml"].replace(
        "<sheetData>", '<cols><col min="2" max="2" width="2" customWidth="1"/></cols><sheetData>'
    )
    narrow = sheet.replace('<c r="B1" t="inlineStr"><is><t>771203</t></is></c>', '<c r="B1"><v>771203</v></c>')
    with zipfile.ZipFile(tmp_path / "narrow.xlsx", "w") as made:
        for name, content in (parts | {"xl/worksheets/sheet1.xml": narrow}).items():
            made.writestr(name, content)
    with PageIndex.open(tmp_path / "index", settings=small_settings(conversion_seconds=60)) as index:
        (warning,) = index.add(tmp_path / "narrow.xlsx").warnings
    assert warning.text == "narrow.xlsx: numbers on p. 1 are wider than their columns and shown as ###: widen these"
