"""Reading what is packed in a ZIP file: office files are such, and so are archives of an index."""

from __future__ import annotations

import lzma
import re
import struct
import zipfile
import zlib
from html import unescape

#: What zipfile and all that unpacks for it raise for damaged, locked and unknown content, with what looking for a
#: member and decoding its text raises.
DAMAGED = (
    ValueError,
    KeyError,
    EOFError,
    RuntimeError,  # locked; NotImplementedError, a compression that is not known, is one
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
)
#: The same where the file itself may be gone, too.
UNREADABLE = (OSError, *DAMAGED)


def attribute(tag: str, name: str) -> str:
    """The value of an XML tag's attribute; "" where it has none."""
    found = re.search(rf'\s{name}="([^"]*)"', tag)
    return unescape(found[1]) if found else ""


def column_number(letters: str) -> int:
    """The number of a table's column, from 1, by its letters: 28 for "AB"."""
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - ord("A") + 1
    return number
