"""What an office file is inside, and its content where a password protects it.

Protected files of the newer kinds, and all of the older ones, are compound files (OLE), which say by the names of their
streams what they hold.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path

from pagesight.indexing.configuration.installation import package_command
from pagesight.indexing.documents.zipped import UNREADABLE
from pagesight.indexing.errors import UnreadableDocument

_PROTECTED = "EncryptedPackage"
_OLDER = ("WordDocument", "Workbook", "Book", "PowerPoint Document")
# With this one, which is in no way secret, Excel protects files that open without one.
_EXCELS_OWN = "VelvetSweatshop"
_ZIPPED = (".docx", ".docm", ".pptx", ".pptm", ".ppsx", ".xlsx", ".xlsm", ".odt", ".ods", ".odp")
_MANIFEST = "META-INF/manifest.xml"
_LARGEST_MANIFEST = 10_000_000  # bytes; a guess, not measured

_NOTHING_INSIDE = (
    "{path} cannot be read: it is no {suffix} file inside. It is damaged: open it in an office program and save it as "
    "PDF."
)
_ODF_LOCKED = (
    "{path} needs a password, and passwords of OpenDocument files cannot be used here. Open it in LibreOffice and save "
    "it as PDF, or without its password."
)


def content_of(path: Path, passwords: Sequence[str]) -> bytes | None:
    """The content of a protected office file, opened with the first password that fits; None where none protects it.

    Raises UnreadableDocument for a file that no password opens, and for what is no office file inside: LibreOffice
    would take it for a text, and draw its bytes.
    """
    if zipfile.is_zipfile(path):
        if _is_locked_odf(path):
            raise UnreadableDocument(_ODF_LOCKED.format(path=path))
        return None
    streams = _streams(path)
    if _PROTECTED in streams or any(name in streams for name in _OLDER):
        return _unlocked(path, passwords)
    if path.suffix.lower() in _ZIPPED or streams:
        raise UnreadableDocument(_NOTHING_INSIDE.format(path=path, suffix=path.suffix))
    return None


def _is_locked_odf(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive, archive.open(_MANIFEST) as manifest:
            return b"encryption-data" in manifest.read(_LARGEST_MANIFEST)
    except UNREADABLE:
        return False  # it has no manifest, or LibreOffice will say what is wrong


def _streams(path: Path) -> frozenset[str]:
    """The names of what a compound file holds at its top, ``{""}`` if that cannot be told; none of any other file."""
    import olefile

    if not olefile.isOleFile(str(path)):
        return frozenset()
    try:
        with olefile.OleFileIO(str(path)) as held:
            return frozenset(names[0] for names in held.listdir()) or frozenset(("",))
    except Exception:  # noqa: BLE001 (whatever olefile says of a damaged one)
        return frozenset(("",))


def _unlocked(path: Path, passwords: Sequence[str]) -> bytes | None:
    try:
        import msoffcrypto
        from msoffcrypto.exceptions import DecryptionError, FileFormatError, ParseError
    except ImportError as error:
        raise UnreadableDocument(
            f"{path} cannot be read: {error}. Passwords of office files are used by msoffcrypto-tool: "
            f"`{package_command('msoffcrypto-tool')}`."
        ) from None
    with path.open("rb") as file:
        try:
            office = msoffcrypto.OfficeFile(file)
            if not office.is_encrypted():
                return None
        except (FileFormatError, ParseError):  # of an age that LibreOffice alone knows
            return None
        for password in (_EXCELS_OWN, *passwords):
            target = io.BytesIO()
            try:
                office.load_key(password=password)
                office.decrypt(target)
            except DecryptionError:
                continue
            if _opens(content := target.getvalue()):
                return content
    raise UnreadableDocument(_locked(path, len(passwords)))


def _opens(content: bytes) -> bool:
    """Whether what came out is an office file: one without a checksum takes any password."""
    return content.startswith(b"\xd0\xcf\x11\xe0") or zipfile.is_zipfile(io.BytesIO(content))


def _locked(path: Path, tried: int) -> str:
    """What is said of an office file that none of so many passwords opens."""
    fault = "needs a password" if not tried else f"needs a password, and none of the {tried} that were given opens it"
    return f"{path} {fault}. Give it with `--password-file FILE` (one a line), `--password` or PAGESIGHT_PASSWORDS."
