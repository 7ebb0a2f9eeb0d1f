"""Office files as PDFs, through LibreOffice where it is installed.

Each process that converts has a profile of its own and converts one file at a time. The profile forbids macros, active
content and links to other files, and sends what would still be fetched to a proxy that is not there.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pypdfium2

from pagesight.indexing.conversion.far_cells import EXCEL, TABLES, without_far_cells
from pagesight.indexing.conversion.narrow_columns import with_wide_columns
from pagesight.indexing.conversion.protected_office import content_of
from pagesight.indexing.conversion.speaker_notes import SLIDES_AND_NOTES, only_with_notes
from pagesight.indexing.documents.pdf import PDFIUM
from pagesight.indexing.errors import UnreadableDocument

_NO_OFFICE = (
    "{path} cannot be read: office files are read through LibreOffice, which is not installed. Install it with "
    "`apt install libreoffice-writer libreoffice-calc libreoffice-impress` (Debian, Ubuntu) or from libreoffice.org, "
    "or save the file as PDF."
)

_DAMAGED = "It is damaged: open it in an office program and save it as PDF."

# What LibreOffice's profile says: (place, setting, value). 3 is the highest security of macros; 2 as a link's update is
# "never"; proxies are at a port of this machine on which nobody listens.
_PROFILE = (
    ("Office.Common/Security/Scripting", "MacroSecurityLevel", "3"),
    ("Office.Common/Security/Scripting", "DisableMacrosExecution", "true"),
    ("Office.Common/Security/Scripting", "DisableActiveContent", "true"),
    ("Office.Common/Security/Scripting", "BlockUntrustedRefererLinks", "true"),
    ("Office.Writer/Content/Update", "Link", "2"),
    ("Office.Calc/Content/Update", "Link", "2"),
    ("Inet/Settings", "ooInetProxyType", "2"),
    *(("Inet/Settings", f"ooInet{kind}ProxyName", "127.0.0.1") for kind in ("HTTP", "HTTPS", "FTP")),
    *(("Inet/Settings", f"ooInet{kind}ProxyPort", "9") for kind in ("HTTP", "HTTPS", "FTP")),
)

_SHEETS = (*TABLES, ".xls")
_NOT_SHOWN = re.compile(r"###(?=\s|$)")  # as LibreOffice writes what has no room
_MOST_NAMED = 5  # pages that a warning names
_PRESENTATIONS = (".pptx", ".pptm", ".ppsx", ".ppt", ".odp")
_RESTART = (79, 81)  # how LibreOffice ends where its new profile asks it to begin again
_ATTEMPTS = 3


def office_as_pdf(path: Path, place: Path, seconds: float, passwords: Sequence[str] = ()) -> tuple[bytes, list[str]]:
    """The PDF of an office file, made in a folder within ``place``; ``passwords`` are tried where it needs one.

    With it comes what is left out of it, each as it goes on from "report.xlsx: ".
    Raises UnreadableDocument where LibreOffice is not installed, cannot read the file, or takes longer, and where no
    password fits.
    """
    program = _program()
    if program is None:
        raise UnreadableDocument(_NO_OFFICE.format(path=path))
    content, left_out = content_of(path, passwords), list[str]()
    if content is None and path.suffix.lower() in TABLES:
        content, left_out = without_far_cells(path)
    profile = _profile(place)
    with tempfile.TemporaryDirectory(dir=place) as folder:
        copy, made = Path(folder, f"source{path.suffix}"), Path(folder, "made")
        if content is None:
            shutil.copyfile(path, copy)  # LibreOffice leaves a lock file beside what it reads
        else:
            copy.write_bytes(content)
        command, pdf = _command(program, profile), made / "source.pdf"
        there = ("--outdir", str(made), str(copy))  # in this order
        if path.suffix.lower() in _PRESENTATIONS:
            _convert([*command, "--convert-to", SLIDES_AND_NOTES, *there], path, seconds)
            if pdf.is_file():
                return only_with_notes(pdf.read_bytes()), []
        _convert([*command, "--convert-to", "pdf", *there], path, seconds)
        if not pdf.is_file():
            raise UnreadableDocument(f"{path} cannot be read: LibreOffice makes no PDF of it. {_DAMAGED}")
        content = pdf.read_bytes()
        if path.suffix.lower() in _SHEETS and _too_narrow(content):
            content = _widened(command, copy, path, seconds) or content
        return content, left_out + _narrow_pages(content) if path.suffix.lower() in _SHEETS else left_out


def _widened(command: Sequence[str], copy: Path, path: Path, seconds: float) -> bytes | None:
    """The PDF of a table whose columns of numbers are made wide enough; None where that cannot be done."""
    place = copy.parent / "wide"
    if copy.suffix.lower() not in EXCEL:
        _convert([*command, "--convert-to", "xlsx", "--outdir", str(place), str(copy)], path, seconds)
        copy = place / "source.xlsx"
    content = with_wide_columns(copy.read_bytes()) if copy.is_file() else None
    if content is None:
        return None
    copy.write_bytes(content)
    _convert([*command, "--convert-to", "pdf", "--outdir", str(place), str(copy)], path, seconds)
    made = place / "source.pdf"
    return made.read_bytes() if made.is_file() else None


def _too_narrow(content: bytes) -> list[str]:
    """The numbers of the pages of a table's PDF on which numbers are wider than their columns."""
    with PDFIUM, pypdfium2.PdfDocument(content) as document:
        texts = enumerate((page.get_textpage().get_text_range() for page in document), start=1)
        return [str(number) for number, text in texts if _NOT_SHOWN.search(text)]


def _narrow_pages(content: bytes) -> list[str]:
    """What is said of numbers that are still wider than their columns."""
    pages = _too_narrow(content)
    more = f" and {len(pages) - _MOST_NAMED:,} more" if len(pages) > _MOST_NAMED else ""
    where = f"p. {', '.join(pages[:_MOST_NAMED])}{more}"
    return [f"numbers on {where} are wider than their columns and shown as ###: widen these"] if pages else []


def _program() -> str | None:
    """LibreOffice itself rather than the script that starts it, which would leave it running when it is ended."""
    found = shutil.which("soffice") or shutil.which("libreoffice")
    if found is None:
        return None
    binary = Path(os.path.realpath(found)).parent / "soffice.bin"
    return str(binary) if binary.is_file() else found


def _command(program: str, profile: Path) -> list[str]:
    options = ["--headless", "--norestore", "--nolockcheck", "--nodefault", "--nofirststartwizard", "--nologo"]
    return [program, f"-env:UserInstallation={profile.as_uri()}", *options]


def _convert(command: list[str], path: Path, seconds: float) -> None:
    """Run LibreOffice, in the process group of this process, so that whoever ends that ends both."""
    for _ in range(_ATTEMPTS):
        nowhere = subprocess.DEVNULL
        process = subprocess.Popen(command, stdin=nowhere, stdout=nowhere, stderr=nowhere)
        try:
            status = process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise UnreadableDocument(
                f"{path} took LibreOffice longer than {seconds:g} s and was given up. Set "
                "PAGESIGHT_CONVERSION_SECONDS to more to wait for it, or save what matters of it as PDF."
            ) from None
        if status not in _RESTART:
            return


def _profile(place: Path) -> Path:
    """This process's own profile of LibreOffice."""
    profile = place / f"office-{os.getpid()}"
    settings = profile / "user" / "registrymodifications.xcu"
    if not settings.exists():
        settings.parent.mkdir(parents=True)
        settings.write_text("\n".join(_registry()), encoding="utf-8")
    return profile


def _registry() -> Iterator[str]:
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield '<oor:items xmlns:oor="http://openoffice.org/2001/registry">'
    for where, name, value in _PROFILE:
        yield (
            f'<item oor:path="/org.openoffice.{where}"><prop oor:name="{name}" oor:op="fuse"><value>{value}</value>'
            "</prop></item>"
        )
    yield "</oor:items>"
