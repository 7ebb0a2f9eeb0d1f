"""What kinds of files there are: which ones are read, and of the others what they are and what would read them."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

#: What a document is: a PDF, an image of one page (a TIFF: of several), or what is drawn as a PDF first.
Kind = Literal["pdf", "image", "office", "html", "markdown", "text", "mail"]

#: The kinds that are drawn as a PDF, which is then what is read and shown.
DRAWN_KINDS: frozenset[Kind] = frozenset(("office", "html", "markdown", "text", "mail"))

_IMAGES = (
    *(".png", ".jpg", ".jpeg", ".jpe", ".jp2", ".webp", ".tif", ".tiff", ".gif", ".bmp"),
    *(".heic", ".heif", ".avif"),
)
_OFFICE = (
    *(".docx", ".pptx", ".xlsx", ".odt", ".odp", ".ods", ".rtf"),
    *(".docm", ".pptm", ".ppsx", ".xlsm"),
)
_OLD_OFFICE = (".doc", ".ppt", ".xls")
_TEXTS: dict[str, Kind] = {
    **dict.fromkeys((".html", ".htm", ".xhtml"), "html"),
    **dict.fromkeys((".md", ".markdown"), "markdown"),
    **dict.fromkeys((".txt", ".csv", ".tsv"), "text"),
    ".eml": "mail",
}

#: Names of the files that are taken from a folder. A file that is given by its own path may have any name.
SUFFIXES = frozenset((".pdf", *_IMAGES, *_OFFICE, *_OLD_OFFICE, *_TEXTS))

_IMAGE_STARTS = (
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff",
    b"II*\0",
    b"MM\0*",
    b"II+\0",
    b"MM\0+",
    b"GIF87a",
    b"GIF89a",
    b"BM",
    b"\0\0\0\x0cjP  \r\n\x87\n",  # JPEG 2000, which archives keep scans in
)

_PDF = b"%PDF-"
_ZIP, _OLE, _RTF = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"{\\rtf"

_AS_PDF = "save it as PDF, for example with `soffice --headless --convert-to pdf`"
_UNPACK = "unpack it and index the folder"

#: First bytes of what people often point at instead of a PDF: what the file is, and what would help.
_OTHERS = (
    (_ZIP, "a ZIP archive", _UNPACK),
    (_OLE, "an old office file (doc, ppt, xls) or an Outlook mail (msg)", _AS_PDF),
    (b"%!PS", "a PostScript file", "save it as PDF with `ps2pdf`"),
    (b"\x1f\x8b", "a gzip archive", _UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", _UNPACK),
    (b"Rar!\x1a\x07", "a RAR archive", _UNPACK),
    (b"AT&TFORM", "a DjVu file", "save it as PDF with `ddjvu -format=pdf`"),
    (b"8BPS", "a Photoshop file", "save it as PNG or PDF"),
    (
        b"version https://git-lfs",
        "a Git LFS pointer, not the file itself (`git lfs pull` fetches it)",
        "fetch it with `git lfs pull`",
    ),
)

_STARTS_OF_OTHERS = tuple(start for start, _, _ in _OTHERS)

# What of a folder is passed over though people may have meant it, by suffix: what would have it read.
_WAYS = {
    **dict.fromkeys((".zip", ".7z", ".rar", ".gz", ".tar"), _UNPACK),
    ".djvu": "save it as PDF with `ddjvu -format=pdf`",
    ".ps": "save it as PDF with `ps2pdf`",
    ".eps": "save it as PDF with `ps2pdf`",
    ".svg": "save it as PDF, for example with `rsvg-convert -f pdf`",
    ".psd": "save it as PNG or PDF",
    ".epub": "save it as PDF, for example with `ebook-convert`",
    ".msg": "save it as EML or PDF",
    **dict.fromkeys((".mht", ".mhtml"), "open it in a browser and print it as PDF"),
    **dict.fromkeys((".log", ".json", ".xml", ".tex", ".rst", ".org"), "copy it to a name with .txt at its end"),
}

_HEIF_BRANDS = frozenset((b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1", b"avif", b"avis"))


def kind_of(path: Path, head: bytes) -> Kind | None:
    """What the file with these first bytes is, by them, and by its name where they are a text; None for what is not
    read."""
    suffix = path.suffix.lower()
    if _is_image(head):
        return "image"
    if _is_office(suffix, head):
        return "office"
    if suffix in _TEXTS and _is_drawn_text(head):
        return "html" if _TEXTS[suffix] == "text" and _is_html(head) else _TEXTS[suffix]
    if _PDF in head and not head.startswith(_STARTS_OF_OTHERS):  # which may hold one
        return "pdf"
    return "html" if suffix not in SUFFIXES and _is_html(head) else None  # a PDF that is one is an error's page


def _is_image(head: bytes) -> bool:
    webp = head[:4] == b"RIFF" and head[8:12] == b"WEBP"
    return webp or head.startswith(_IMAGE_STARTS) or (head[4:8] == b"ftyp" and head[8:12] in _HEIF_BRANDS)


def _is_drawn_text(head: bytes) -> bool:
    """Whether these first bytes are a text's, or a web page's, in which browsers pass over bytes of nothing."""
    return bool(head) and not head.startswith(_PDF) and (is_text(head) or _is_html(head))


def _is_office(suffix: str, head: bytes) -> bool:
    if head.startswith(_ZIP):
        return suffix in _OFFICE or b"[Content_Types].xml" in head or b"application/vnd.oasis.opendocument" in head
    return head.startswith(_RTF) or (head.startswith(_OLE) and suffix in _OFFICE + _OLD_OFFICE)


def is_text(head: bytes) -> bool:
    """Whether these first bytes of a file are a text's."""
    return b"\0" not in head or utf_16(head) is not None


def utf_16(content: bytes) -> str | None:
    """Which UTF-16 a text is in: by its mark, or by zeros in every second byte of its start, as Latin letters have."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    start = content[: len(content[:_LOOKED_AT]) // 2 * 2]
    for encoding, zeros, others in (("utf-16-le", start[1::2], start[::2]), ("utf-16-be", start[::2], start[1::2])):
        if zeros and b"\0" not in others and zeros.count(0) > _MOSTLY * len(zeros):
            return encoding
    return None


_LOOKED_AT, _MOSTLY = 1000, 0.5  # bytes, and which part of them; guesses, not measured


def _is_html(head: bytes) -> bool:
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:14].lower()
    return start.startswith((b"<!doctype html", b"<html"))


def kind_by_name(path: Path) -> str:
    """What to call the kind of a file that nobody looks into: its suffix, or "no suffix"."""
    return path.suffix.lower() or "no suffix"


def way_out(kind: str) -> str | None:
    """What would have files of a kind (see `kind_by_name`) read; None where nothing is known."""
    return _WAYS.get(kind)


def not_a_document(path: Path, head: bytes) -> str:
    """Says what the file with these first bytes is instead of a document, and what would help."""
    suffix = path.suffix.lower()
    claim = (
        f"{path} is no {suffix[1:].upper()} in spite of its name" if suffix in SUFFIXES else f"{path} is no document"
    )
    if not head:
        return f"{path} is empty (0 bytes). Fetch or export it again."
    for start, name, way in _OTHERS:
        if head.startswith(start):
            return f"{claim}: it is {name}. Please {way}."
    as_it_is = "fetch the document again, or name it .html to have it read as it is" if _is_html(head) else None
    way = as_it_is or way_out(suffix) or "give a PDF or an image"
    return f"{claim}: it is {_text_or_bytes(head)}. Please {way}."


def _text_or_bytes(head: bytes) -> str:
    """What to call a file that no signature names."""
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if _is_html(head):
        return "a web page (HTML)"
    if b"\0" in head:
        return f"a file of unknown kind that starts with the bytes {head[:8].hex(' ')}"
    first = start.decode("utf-8", "replace").splitlines()[0][:40] if start else ""
    return f"a text that starts with {first!r}"
