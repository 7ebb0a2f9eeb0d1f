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
from dataclasses import dataclass
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
# Comments become notes on the page, as those of a PDF are.
_WITH_COMMENTS = '{"ExportNotes":{"type":"boolean","value":"true"}}'
_TEXT, _TABLE = (f"pdf:{kind}_pdf_Export:{_WITH_COMMENTS}" for kind in ("writer", "calc"))
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
    office = _LibreOffice(_command(program, _profile(place)), path, seconds)
    with tempfile.TemporaryDirectory(dir=place) as folder:
        copy = Path(folder, f"source{path.suffix}")
        if content is None:
            shutil.copyfile(path, copy)  # LibreOffice leaves a lock file beside what it reads
        else:
            copy.write_bytes(content)
        printed, narrow = _printed(copy, office)
        if printed is None:
            raise UnreadableDocument(f"{path} cannot be read: LibreOffice makes no PDF of it. {_DAMAGED}")
        return printed, left_out + narrow


def _printed(copy: Path, office: _LibreOffice) -> tuple[bytes | None, list[str]]:
    """The PDF of a file, None where there is none, and what is said of numbers that it does not show."""
    suffix = copy.suffix.lower()
    if suffix in _PRESENTATIONS and (slides := office.converted(copy, SLIDES_AND_NOTES)):
        return only_with_notes(slides), []
    printed = office.converted(copy, _TABLE if suffix in _SHEETS else _TEXT) or office.converted(copy, "pdf")
    if printed is None or suffix not in _SHEETS or not _too_narrow(printed):
        return printed, []
    printed = _widened(copy, office) or printed
    return printed, _narrow_pages(printed)


@dataclass(frozen=True)
class _LibreOffice:
    """LibreOffice's command, what messages call the file that it reads, and how many seconds it may take."""

    command: Sequence[str]
    path: Path
    seconds: float

    def converted(self, copy: Path, way: str) -> bytes | None:
        """What it makes of a file in a way that begins with what it then is; None where it makes nothing."""
        place = copy.parent / "made"
        _convert([*self.command, "--convert-to", way, "--outdir", str(place), str(copy)], self.path, self.seconds)
        made = place / f"{copy.stem}.{way.partition(':')[0]}"
        return made.read_bytes() if made.is_file() else None


def _widened(copy: Path, office: _LibreOffice) -> bytes | None:
    """The PDF of a table whose columns of numbers are made wide enough; None where that cannot be done."""
    is_excel = copy.suffix.lower() in EXCEL
    table = copy.read_bytes() if is_excel else office.converted(copy, "xlsx")
    wide = with_wide_columns(table) if table else None
    if wide is None:
        return None
    widened = copy.with_name(f"wide{copy.suffix if is_excel else '.xlsx'}")
    widened.write_bytes(wide)
    return office.converted(widened, _TABLE)


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
