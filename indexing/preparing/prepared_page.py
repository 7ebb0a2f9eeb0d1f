"""A page as a process that reads documents hands it over: data alone, nothing of the document stays open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pagesight.indexing.calls.whole_text import whole_text
from pagesight.indexing.page_kinds.page_kinds import KINDS
from pagesight.indexing.pages import PageText

Message = tuple[dict[str, Any], list[NDArray[Any]]]


@dataclass(frozen=True)
class PreparedPage:
    """All that indexing needs of a page.

    ``size`` is its width and height in points; ``label`` the number that is printed or noted for it, such as "iv", None
    where the document has none; ``kinds`` those of `page_kinds.KINDS` that it is of; ``picture`` is RGB, None where
    nobody looks at it; ``warnings`` say what of it may be missing, each as it goes on from "page 3 of report.pdf: ".
    """

    number: int
    text: PageText
    size: tuple[float, float]
    label: str | None = None
    kinds: tuple[str, ...] = ()
    picture: Image.Image | None = None
    warnings: tuple[str, ...] = ()

    def as_message(self) -> Message:
        """The page as a header and arrays."""
        header = {
            "type": "page",
            "number": self.number,
            "words": self.text.words,
            "lines": self.text.lines.tolist(),
            "source": self.text.source,
            "size": list(self.size),
            "label": self.label,
            "kinds": list(self.kinds),
            "warnings": list(self.warnings),
        }
        picture = [np.asarray(self.picture)] if self.picture else []
        return header, [np.asarray(self.text.boxes, "<f4"), *picture]

    @classmethod
    def from_message(cls, header: dict[str, Any], arrays: list[NDArray[Any]]) -> PreparedPage:
        """The page in a message. Raises ValueError for one that is no page's."""
        try:
            boxes, *pictures = arrays
            words, lines = [whole_text(word) for word in header["words"]], np.array(header["lines"], np.int32)
            if boxes.shape != (len(words), 4) or lines.shape != (len(words),):
                raise ValueError(f"{len(words)} words, {len(boxes)} boxes, {len(lines)} lines")
            width, height = map(float, header["size"])
            return cls(
                int(header["number"]),
                PageText(words, boxes.astype(np.float32), lines, str(header["source"])),
                (width, height),
                None if header["label"] is None else whole_text(header["label"]),
                tuple(kind for kind in KINDS if kind in header["kinds"]),
                Image.fromarray(pictures[0]) if pictures else None,
                tuple(whole_text(warning) for warning in header["warnings"]),
            )
        except (KeyError, TypeError, OverflowError) as error:
            raise ValueError(f"no page: {error!r}") from None
