"""What kinds of files there are: which ones are read, and of the others what they are and what would read them."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

#: What a document is: a PDF, or an image of one page (a TIFF: of several).
Kind = Literal["pdf", "image"]

#: Names of the files that are taken from a folder. A file that is given by its own path may have any name.
SUFFIXES = frozenset((".pdf", ".png", ".jpg", ".jpeg", ".jpe", ".webp", ".tif", ".tiff", ".gif", ".bmp"))

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
)

_AS_PDF = "save it as PDF, for example with `soffice --headless --convert-to pdf`"
_AS_PNG = "save it as PNG or JPEG, for example with `magick in.heic out.png`"
_UNPACK = "unpack it and index the folder"

#: First bytes of what people often point at instead of a PDF: what the file is, and what would help.
_OTHERS = (
    (b"PK\x03\x04", "a ZIP archive or an office file (docx, pptx, xlsx, odt)", _AS_PDF),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old office file (doc, ppt, xls) or an Outlook mail (msg)", _AS_PDF),
    (b"{\\rtf", "an RTF file", _AS_PDF),
    (b"%!PS", "a PostScript file", "save it as PDF with `ps2pdf`"),
    (b"\x1f\x8b", "a gzip archive", _UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", _UNPACK),
    (b"Rar!\x1a\x07", "a RAR archive", _UNPACK),
    (b"AT&TFORM", "a DjVu file", "save it as PDF with `ddjvu -format=pdf`"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "a JPEG 2000 image", "save it as PNG with `magick in.jp2 out.png`"),
    (b"8BPS", "a Photoshop file", "save it as PNG or PDF"),
    (
        b"version https://git-lfs",
        "a Git LFS pointer, not the file itself (`git lfs pull` fetches it)",
        "fetch it with `git lfs pull`",
    ),
)

# What of a folder is passed over though people may have meant it, by suffix: what would have it read.
_WAYS = {
    **dict.fromkeys((".docx", ".pptx", ".xlsx", ".odt", ".odp", ".ods", ".rtf", ".doc", ".ppt", ".xls"), _AS_PDF),
    **dict.fromkeys((".heic", ".heif", ".avif"), _AS_PNG),
    **dict.fromkeys((".html", ".htm", ".md", ".txt", ".eml"), "save it as PDF, for example by printing it"),
    **dict.fromkeys((".zip", ".7z", ".rar", ".gz", ".tar"), _UNPACK),
    ".djvu": "save it as PDF with `ddjvu -format=pdf`",
    ".ps": "save it as PDF with `ps2pdf`",
    ".eps": "save it as PDF with `ps2pdf`",
    ".svg": "save it as PDF, for example with `rsvg-convert -f pdf`",
    ".jp2": "save it as PNG with `magick in.jp2 out.png`",
    ".psd": "save it as PNG or PDF",
    ".epub": "save it as PDF, for example with `ebook-convert`",
    ".msg": "save it as EML or PDF",
}

_HEIF_BRANDS = frozenset((b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1", b"avif", b"avis"))


def kind_of(head: bytes) -> Kind | None:
    """What the file with these first bytes is; None for what is not read."""
    if head.startswith(_IMAGE_STARTS) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP"):
        return "image"
    return "pdf" if b"%PDF-" in head else None


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
        f"{path} is no {suffix[1:].upper()} in spite of its name"
        if suffix in SUFFIXES
        else f"{path} is no PDF or image"
    )
    if not head:
        return f"{path} is empty (0 bytes). Fetch or export it again."
    for start, name, way in _OTHERS:
        if head.startswith(start):
            return f"{claim}: it is {name}. Please {way}."
    if head[4:8] == b"ftyp" and head[8:12] in _HEIF_BRANDS:
        return f"{claim}: it is a HEIC or AVIF image. Please {_AS_PNG}."
    return f"{claim}: it is {_text_or_bytes(head)}. Please {way_out(suffix) or 'give a PDF or an image'}."


def _text_or_bytes(head: bytes) -> str:
    """What to call a file that no signature names."""
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if start[:14].lower().startswith((b"<!doctype html", b"<html")):
        return "a web page (HTML)"
    if b"\0" in head:
        return f"a file of unknown kind that starts with the bytes {head[:8].hex(' ')}"
    first = start.decode("utf-8", "replace").splitlines()[0][:40] if start else ""
    return f"a text that starts with {first!r}"
