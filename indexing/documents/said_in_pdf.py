"""Whether a PDF speaks of something anywhere: what pdfium tells page by page only, or not at all."""

from __future__ import annotations

import re
import zlib

# It may stand in a compressed stream of objects, of which so many bytes are looked at; a guess, not measured.
_OBJECTS = re.compile(rb"/ObjStm\b.{0,1000}?\bstream\r?\n", re.DOTALL)
_LARGEST_OBJECTS = 50_000_000


def may_say(content: bytes, word: bytes) -> bool:
    """Whether a PDF's bytes may hold the word, outside its pages' own contents."""
    if word in content or b"/Encrypt" in content:
        return True
    for found in _OBJECTS.finditer(content):
        try:
            objects = zlib.decompressobj().decompress(memoryview(content)[found.end() :], _LARGEST_OBJECTS)
        except zlib.error:  # packed in another way, or damaged
            return True
        if word in objects:
            return True
    return False
