"""Files that mean no good, made into one folder: pictures, PDFs, mails, web pages, office files, odd names, no files.

What comes of each is for a run to say (test_hostile_files.py).
"""

from __future__ import annotations

import base64
import io
import os
import socket
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pypdfium2
from documents import as_bytes, raw_pdf
from PIL import Image, ImageCms
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.pdfgen import canvas

CATALOG = "<< /Type /Catalog /Pages 2 0 R >>"
PAGES = "<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
BOX = "/MediaBox [0 0 612 792]"
PAGE = f"<< /Type /Page /Parent 2 0 R {BOX} >>"
FONT = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
GREY = Image.linear_gradient("L").resize((120, 80))
RGB = Image.merge("RGB", (GREY, GREY.rotate(180), GREY))


def write_all(folder: Path, address: str) -> list[str]:
    """Write all that can be written here; ``address`` is one that nothing may connect to. Gives their names."""
    makers = [_pictures, _pdfs, _mails, _web_pages, _names, lambda place: _links_out(place, address)]
    if hasattr(os, "mkfifo"):
        makers.append(_specials)
    for make in makers:
        make(folder)
    return sorted(path.name for path in folder.iterdir())


# pictures


def _pictures(folder: Path) -> None:
    for compression in ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg", "zstd", "webp"):
        _tiff(folder / f"frames-{compression}.tif", RGB, compression)
    for compression in ("group3", "group4"):
        _tiff(folder / f"frames-{compression}.tif", GREY.convert("1"), compression)
    _tiff(folder / "frames-cmyk.tif", RGB.convert("CMYK"), "tiff_lzw")
    _tiff(folder / "frames-float.tif", GREY.convert("F"), "raw")
    whole = (folder / "frames-raw.tif").read_bytes()
    (folder / "cut.tif").write_bytes(whole[: len(whole) // 2])
    (folder / "loop.tif").write_bytes(_tiff_that_loops())
    made: dict[str, bytes] = {
        "jpeg2000.png": as_bytes(RGB, "JPEG2000"),
        "jpeg2000.jpg": as_bytes(RGB, "JPEG2000")[:200],
        "cmyk.jpg": as_bytes(RGB.convert("CMYK"), "JPEG"),
        "profile.jpg": as_bytes(RGB, "JPEG", icc_profile=_profile()),
        "bad-profile.jpg": as_bytes(RGB, "JPEG", icc_profile=b"\0" * 500),
        "progressive.jpg": as_bytes(RGB, "JPEG", progressive=True)[:-200],
        "no-end.jpg": as_bytes(RGB, "JPEG")[:-2],
        "sixteen.png": as_bytes(Image.frombytes("I;16", (64, 64), os.urandom(8192)), "PNG"),
        "moving.gif": as_bytes(RGB, "GIF", save_all=True, append_images=[GREY.convert("RGB")] * 40),
        "moving.webp": as_bytes(RGB, "WEBP", save_all=True, append_images=[GREY.convert("RGB")] * 5),
        "moving.png": as_bytes(RGB, "PNG", save_all=True, append_images=[GREY.convert("RGB")] * 5),
        "sliver.png": as_bytes(Image.new("1", (60_000, 1)), "PNG"),
        "pole.png": as_bytes(Image.new("1", (1, 60_000)), "PNG"),
        "dot.png": as_bytes(Image.new("RGB", (1, 1)), "PNG"),
        "icon.png": as_bytes(RGB, "ICO"),
        "upside-down.bmp": _flipped(as_bytes(RGB, "BMP")),
        "vast.png": _png(100_000, 100_000),
        "none.png": _png(0, 0),
        "wrong-sums.png": as_bytes(RGB, "PNG").replace(b"IDAT", b"IDAU"),
        "long-comment.png": _png_with_long_comment(),
        "clear.png": as_bytes(Image.new("RGBA", (90, 90), (0, 0, 0, 0)), "PNG"),
        "palette.png": as_bytes(RGB.convert("P"), "PNG", transparency=b"\x80" * 256),
    }  # fmt: skip
    for name, content in made.items():
        (folder / name).write_bytes(content)


def _profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def _tiff(path: Path, picture: Image.Image, compression: str) -> None:
    try:
        picture.save(path, "TIFF", compression=compression, save_all=True, append_images=[picture.rotate(180)])
    except (OSError, ValueError, KeyError):  # this Pillow cannot write it
        path.write_bytes(b"II*\0\x08\0\0\0" + b"\0" * 40)


def _tiff_that_loops() -> bytes:
    """A TIFF whose first directory is its own next one."""
    fields = {256: 1, 257: 1, 258: 8, 259: 1, 262: 1, 273: 8, 279: 1}
    entries = [(tag, 3, 1, value) for tag, value in fields.items()]
    directory = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return b"II*\0\x08\0\0\0" + directory + struct.pack("<I", 8)


def _flipped(bitmap: bytes) -> bytes:
    (height,) = struct.unpack("<i", bitmap[22:26])
    return bitmap[:22] + struct.pack("<i", -height) + bitmap[26:]


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _png(width: int, height: int) -> bytes:
    head = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + _chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + _chunk(b"IEND", b"")


def _png_with_long_comment() -> bytes:
    """200 MB of comment, packed."""
    whole = as_bytes(RGB, "PNG")
    comment = _chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"\0" * 200_000_000, 9))
    return whole[:33] + comment + whole[33:]


# PDFs


def _with(path: Path, page: str, *others: str, catalog: str = CATALOG, pages: str = PAGES) -> Path:
    return raw_pdf(path, [catalog, pages, page, *others])


def _content(text: str) -> str:
    return f"<< /Length {len(text)} >>\nstream\n{text}\nendstream"


def _pdfs(folder: Path) -> None:
    for name, page in _ODD_PAGES.items():
        _with(folder / f"{name}.pdf", page.replace(">>", "/Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>"),
              _content("BT /F1 30 Tf 60 600 Td (some words) Tj ET"), FONT)  # fmt: skip
    objects = "/Font << /F1 5 0 R >> /XObject << /X 6 0 R >> /Pattern << /P 7 0 R >>"
    form = "<< /Type /XObject /Subtype /Form /BBox [0 0 99 99] /Resources << /XObject << /X 6 0 R >> >>"
    tiles = "<< /PatternType 1 /PaintType 1 /TilingType 1 /BBox [0 0 9 9] /XStep 0.001 /YStep 0.001"
    tiles += " /Resources << /Pattern << /P 7 0 R >> >>"
    for name, content in _ODD_CONTENTS.items():
        page = PAGE.replace(">>", f"/Contents 4 0 R /Resources << {objects} >> >>")
        inner = _content("/X Do").replace("<<", form), _content("/Pattern cs /P scn 0 0 9 9 re f").replace("<<", tiles)
        _with(folder / f"{name}.pdf", page, _content(content), FONT, *inner)
    for name, (catalog, pages, others) in _ODD_STRUCTURES.items():
        _with(folder / f"{name}.pdf", PAGE, *others, catalog=catalog, pages=pages)
    _locked_by_owner(folder / "owner.pdf")
    _portfolios(folder / "portfolios.pdf")
    sound = (folder / "owner.pdf").read_bytes()
    (folder / "no-table.pdf").write_bytes(sound.replace(b"startxref", b"startxxxx"))
    (folder / "two-ends.pdf").write_bytes(sound + b"\n%%EOF\n" * 1000)
    (folder / "version.pdf").write_bytes(sound.replace(b"%PDF-1.", b"%PDF-9.", 1))


_ODD_PAGES = {
    f"{kind}-{number}": f"<< /Type /Page /Parent 2 0 R {given} >>"
    for kind, several in {
        "box": ["/MediaBox [0 0 1e9 1e9]", "/MediaBox [0 0 -612 -792]", "/MediaBox [612 792 0 0]",
                "/MediaBox [0 0 0 0]",
                "/MediaBox [(a) (b) (c) (d)]", "/MediaBox 99 0 R", "/MediaBox [0 0]", "/MediaBox [0 0 1e-9 1e-9]",
                "/MediaBox [-1e38 -1e38 1e38 1e38]"],
        "turn": [f"{BOX} /Rotate {turn}" for turn in ("45", "90.5", "-270", "1e99", "(x)", "99 0 R")],
        "unit": [f"{BOX} /UserUnit {unit}" for unit in ("1e9", "0", "-3", "(x)")],
        "parent": [f"{BOX} /Parent 3 0 R", f"{BOX} /Parent 99 0 R"],
        "notes": [f"{BOX} /Annots [3 0 R]", f"{BOX} /Annots 3 0 R",
                  f"{BOX} /Annots [<< /Subtype /Widget /Parent 3 0 R >>]"],
    }.items()
    for number, given in enumerate(several)
}  # fmt: skip
_ODD_CONTENTS = {
    "deep-states": "q " * 60_000,
    "never-begun": "Q ET EMC " * 20_000,
    "deep-lists": "[" * 50_000,
    "deep-names": "<<" * 20_000,
    "endless-numbers": f"BT /F1 1{'0' * 4000} Tf 1e999 -1e999 Td (words) Tj ET",
    "open-string": "BT /F1 12 Tf (" + "(" * 5_000,
    "octal": "BT /F1 12 Tf 60 600 Td (" + "\\777\\9\\" * 2_000 + ") Tj ET",
    "picture-without-end": "BI /W 99999 /H 99999 /CS /RGB /BPC 8 ID " + "x" * 500,
    "form-in-itself": "/X Do",
    "pattern-in-itself": "/Pattern cs /P scn 0 0 600 700 re f",
    "no-such-font": "BT /F9 12 Tf 60 600 Td (words of no font) Tj ET",
    "all-comment": "%" * 50_000,
}
_ODD_STRUCTURES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "tree-of-itself": (CATALOG, "<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 2 >>", ()),
    "tree-of-catalogs": (CATALOG, "<< /Type /Pages /Kids [1 0 R 3 0 R] /Count 2 >>", ()),
    "tree-of-nothing": (CATALOG, "<< /Type /Pages /Kids [null 99 0 R 3 0 R (x)] /Count 4 >>", ()),
    "fewer-than-none": (CATALOG, PAGES.replace("/Count 1", "/Count -5"), ()),
    "count-of-words": (CATALOG, PAGES.replace("/Count 1", "/Count (many)"), ()),
    "outline-of-itself": (CATALOG.replace(">>", "/Outlines 4 0 R >>"), PAGES,
                          ("<< /First 5 0 R /Last 5 0 R >>",
                           "<< /Title (a) /Next 5 0 R /First 5 0 R /Parent 4 0 R >>")),
    "labels-of-themselves": (CATALOG.replace(">>", "/PageLabels 4 0 R >>"), PAGES, ("<< /Kids [4 0 R] >>",)),
    "names-of-themselves": (CATALOG.replace(">>", "/Names << /EmbeddedFiles 4 0 R >> >>"), PAGES,
                            ("<< /Kids [4 0 R] >>",)),
    "action": (CATALOG.replace(">>", "/OpenAction << /S /Launch /F (/bin/true) >> >>"), PAGES, ()),
    "script": (CATALOG.replace(">>", "/OpenAction << /S /JavaScript /JS (while(1){}) >> >>"), PAGES, ()),
    "xfa": (CATALOG.replace(">>", "/AcroForm << /XFA [(template) 4 0 R] /Fields [] >> >>"), PAGES,
            (_content("<template xmlns='http://www.xfa.org/schema/xfa-template/3.3/'><subform/></template>"),)),
    "fields-of-themselves": (CATALOG.replace(">>", "/AcroForm << /Fields [4 0 R] >> >>"), PAGES,
                             ("<< /FT /Tx /T (a) /Kids [4 0 R] /Parent 4 0 R /V (b) >>",)),
    "broken-object-stream": (CATALOG, PAGES,
                             (_content("99 0 98 5 garbage").replace("<<", "<< /Type /ObjStm /N 9999 /First 3"),)),
    "layers-of-themselves": (CATALOG.replace(">>", "/OCProperties << /OCGs [4 0 R] "
        "/D << /Order [4 0 R [4 0 R]] >> >> >>"),
                             PAGES,
                             ("<< /Type /OCG /Name (l) /Parent 4 0 R >>",)),
}  # fmt: skip


def _locked_by_owner(path: Path) -> None:
    sheet = canvas.Canvas(str(path), encrypt=StandardEncryption("", ownerPassword="owner", canPrint=0, canCopy=0))
    sheet.drawString(72, 700, "The owner forbids copying the pelicans")
    sheet.save()


def _portfolios(path: Path) -> None:
    """Portfolios in each other, with names that lead elsewhere."""
    content = _page("the innermost page")
    for name in ("../../etc/passwd.pdf", "two\nlines.pdf", "\u202efdp.exe.pdf", ".", "a" * 300 + ".pdf", "con.pdf"):
        with pypdfium2.PdfDocument(_page(f"around {len(name)}")) as holder:
            holder.new_attachment(name).set_data(content)
            target = io.BytesIO()
            holder.save(target)
            content = target.getvalue()
    path.write_bytes(content)


def _page(words: str) -> bytes:
    target = io.BytesIO()
    sheet = canvas.Canvas(target)
    sheet.drawString(72, 700, words)
    sheet.save()
    return target.getvalue()


# mails, web pages, texts


def _mails(folder: Path) -> None:
    plain = "From: a@example.org\nTo: b@example.org\nSubject: {}\nContent-Type: {}\n\n{}"
    nested = plain.format("innermost", "text/plain", "The quay is closed.")
    for depth in range(40):
        nested = plain.format(f"level {depth}", "message/rfc822", nested)
    parts = "--x\nContent-Type: application/pdf; name=\"{0}\"\nContent-Disposition: attachment; filename=\"{0}\"\n" \
            "Content-Transfer-Encoding: base64\n\n{1}\n"  # fmt: skip
    attached = "".join(
        parts.format(name, base64.b64encode(_page(name)).decode()) for name in ("../../up.pdf", "a.pdf", "a.pdf")
    )
    mixed = 'multipart/mixed; boundary="x"'
    made = {
        "nested": nested,
        "never-closed": plain.format("open", mixed, "--x\n\nfirst part\n--x\n"),
        "no-boundary": plain.format("none", "multipart/mixed", "words"),
        "not-base64": plain.format("n", "text/plain\nContent-Transfer-Encoding: base64", "!!!not base64!!!"),
        "long-header": plain.format("s" * 1_000_000, "text/plain", "words"),
        "many-headers": "X-A: b\n" * 20_000 + plain.format("s", "text/plain", "words"),
        "charset": plain.format("c", "text/plain; charset=klingon", "words"),
        "encoded": plain.format("=?utf-8?b?////?= =?x?q?y?=", "text/plain", "words"),
        "attached": plain.format("up", mixed, attached + "--x--"),
        "twice-itself": plain.format("s", mixed, f"--x\nContent-Type: {mixed}\n\n--x\n\nw\n--x--"),
    }  # fmt: skip
    for name, content in made.items():
        (folder / f"{name}.eml").write_text(content)


def _web_pages(folder: Path) -> None:
    bomb = '<!DOCTYPE s [<!ENTITY a "aaaaaaaaaa">' + "".join(
        f'<!ENTITY {name} "{f"&{before};" * 10}">' for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    )
    picture = f'{bomb}]><svg xmlns="http://www.w3.org/2000/svg"><text>&i;</text></svg>'
    made = {
        "deep.html": "<div>" * 2_000 + "words",
        "wide.html": "<p style='width:1e9px;font-size:1e6px'>words</p>",
        "small-paper.html": "<style>@page { size: 1pt 1pt }</style><p>words</p>",
        "bomb.html": f"<p>words<img src='data:image/svg+xml;base64,{base64.b64encode(picture.encode()).decode()}'>",
        "nothing.html": "",
        "zeros.txt": "\0" * 5_000,
        "controls.txt": "".join(map(chr, range(1, 32))) * 50,
        "turned.txt": "\u202e\u2066words that run\u202c backwards\n" * 20,
        "marks.txt": "Z" + "\u0301\u0323" * 5_000,
        "deep.md": "> " * 500 + "words\n" + "- " * 500 + "words\n" + "[" * 5_000,
    }
    for name, content in made.items():
        (folder / name).write_text(content)
    (folder / "utf-7.html").write_bytes(b"<meta charset=utf-7>+ADw-script+AD4-words")
    (folder / "halves.txt").write_bytes("words \ud800 \udfff".encode("utf-16-le", "surrogatepass"))


def _links_out(folder: Path, address: str) -> None:
    """What names an address, or a file of this machine, in each of several kinds."""
    secret = (Path(__file__).parent / "small_index.py").as_uri()
    (folder / "links.html").write_text(
        f"<base href='{address}/'><meta http-equiv=refresh content='0;url={address}/r'>"
        "<img src=a.png srcset='b.png 2x'>"
        f"<svg><image href='{address}/c.png'/><use href='{address}/d.svg#x'/></svg>"
        f"<video poster='{address}/e.png'></video>"
        f"<embed src='{secret}'><style>body {{ background: url({address}/f.png) }}</style><p>Linked words</p>"
    )
    (folder / "links.eml").write_text(
        f"From: a@b.example\nSubject: s\nContent-Type: text/html\n\n<p>Mailed words"
        f"<img src='{address}/g.png'><img src='{secret}'>"
    )
    with zipfile.ZipFile(folder / "template.docx", "w") as archive:
        for name, content in _TEMPLATE.items():
            there = content.replace("KINDS", "http://schemas.openxmlformats.org").replace("ADDRESS", address)
            archive.writestr(name, there)
    with zipfile.ZipFile(folder / "inflates.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.xml", b" " * 200_000_000)
    (folder / "links.rtf").write_text(
        r"{\rtf1{\*\template "
        + address
        + r"/t.dot}{\field{\*\fldinst INCLUDEPICTURE "
        + f'"{address}/h.png"'
        + r"}}Rich words}"
    )


_RELATED = (
    '<Relationships xmlns="KINDS/package/2006/relationships">'
    '<Relationship Id="r" Type="{}" Target="{}"/></Relationships>'
)
_WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml"
_OFFICE = "KINDS/officeDocument/2006/relationships"
#: A document whose template lies at the ADDRESS.
_TEMPLATE = {
    "[Content_Types].xml": '<Types xmlns="KINDS/package/2006/content-types"><Default Extension="rels" '
    'ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/word/document.xml" '
    f'ContentType="{_WORD}.document.main+xml"/><Override PartName="/word/settings.xml" ContentType="{_WORD}.settings'
    '+xml"/></Types>',
    "_rels/.rels": _RELATED.format(f"{_OFFICE}/officeDocument", "word/document.xml"),
    "word/document.xml": '<w:document xmlns:w="KINDS/wordprocessingml/2006/main"><w:body><w:p><w:r><w:t>Words by a '
    "template</w:t></w:r></w:p></w:body></w:document>",
    "word/settings.xml": '<w:settings xmlns:w="KINDS/wordprocessingml/2006/main" '
    f'xmlns:r="{_OFFICE}"><w:attachedTemplate r:id="r"/></w:settings>',
    "word/_rels/settings.xml.rels": _RELATED.format(
        f"{_OFFICE}/attachedTemplate", 'ADDRESS/t.dotm" TargetMode="External'
    ),
    "word/_rels/document.xml.rels": _RELATED.format(f"{_OFFICE}/settings", "settings.xml"),
}


# names and what is no file


def _names(folder: Path) -> None:
    for number, name in enumerate(_odd_names()):
        (folder / name).write_bytes(_page(f"the words of name {number}"))


def _odd_names() -> Iterator[str]:
    yield from (
        "two\nlines.pdf",
        "\u202egpj.pdf",
        "tab\tbed.pdf",
        " spaces .pdf",
        "...pdf",
        "-rf.pdf",
        "%s%n.pdf",
        "a'b\"c.pdf",
    )
    yield from (
        "back\\slash.pdf",
        "[a-z]*?.pdf",
        "\U0001f600.pdf",
        "e\u0301.pdf",
        "\u00e9.pdf",
        "CON.pdf",
        "n" * 250 + ".pdf",
        "a › b.pdf",
    )
    yield from ("$(id).pdf", "\x1b[31mred.pdf", "x.pdf p. 3.pdf", "[x.pdf p. 1].pdf")


def _specials(folder: Path) -> None:
    os.mkfifo(folder / "waits.pdf")
    (folder / "endless.png").symlink_to("/dev/zero")
    (folder / "nowhere.docx").symlink_to("no such file")
    (folder / "round.txt").symlink_to("round.txt")
    (folder / "folder.pdf").mkdir()
    with socket.socket(socket.AF_UNIX) as listening:
        before = Path.cwd()
        os.chdir(folder)  # a socket's path is short
        listening.bind("socket.pdf")
        os.chdir(before)
    with (folder / "holes.pdf").open("wb") as file:
        file.write(b"%PDF-1.7\n")
        file.truncate(60_000_000)
    with (folder / "vast-holes.pdf").open("wb") as file:
        file.write(b"%PDF-1.7\n")
        file.truncate(60_000_000_000)
    for suffix in ("pdf", "png", "docx", "eml", "heic"):
        (folder / f"empty.{suffix}").touch()


#: What is done to files that were found already, while the first of them are read.
MEANWHILE: dict[str, Callable[[Path], object]] = {
    "gone.pdf": Path.unlink,
    "cut.pdf": lambda path: path.write_bytes(path.read_bytes()[:300]),
    "other.pdf": lambda path: path.write_bytes(_page("other words than before")),
    "longer.pdf": lambda path: path.write_bytes(path.read_bytes() + b"%" * 5_000),
}
