"""A page that the model looks at, as the conversation's state keeps it: a reference, never a picture."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeGuard

from pagesight.indexing.pages import PageRef, Region

_DOCUMENT_ID = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True)
class PageView:
    """A page that the model looks at, whole or a ``region`` of it. This, not a picture, is what the state keeps.

    ``tokens`` and ``size``, its bytes in a request, say what its picture costs in a model call; 0 where unknown.
    ``printed_label`` is what its document counts the page by, such as "iv", where that is not its number.
    """

    ref: PageRef
    region: Region | None = None
    tokens: int = field(default=0, compare=False)
    size: int = field(default=0, compare=False)
    printed_label: str = field(default="", compare=False)

    @property
    def label(self) -> str:
        """Such as ``annual-report.pdf p. 12`` or ``annual-report.pdf p. 12, region 120,50,400,900``."""
        return self.ref.label + (f", region {','.join(map(str, self.region))}" if self.region else "")

    def as_dict(self) -> dict[str, Any]:
        """The reference as it stands in a tool message's artifact and so in the checkpoint."""
        region = list(self.region) if self.region else None
        ref = self.ref
        place = {"document_id": ref.document_id, "document": ref.document, "page": ref.page, "region": region}
        printed = {"printed_label": self.printed_label} if self.printed_label else {}
        return {**place, **printed, "tokens": self.tokens, "size": self.size}


def read_page_view(reference: object) -> PageView | None:
    """The inverse of `PageView.as_dict`; None for what is no reference to a page, as another agent's message may hold.

    What the picture costs is 0 where it is no number.
    """
    ref = read_page_ref(reference)
    if ref is None or not isinstance(reference, Mapping):
        return None
    region = read_region(reference.get("region")) if reference.get("region") else None
    if reference.get("region") and region is None:
        return None
    costs = [cost if is_whole(cost := reference.get(name)) and cost >= 0 else 0 for name in ("tokens", "size")]
    tokens, size = costs
    return PageView(ref, region, tokens, size, read_printed_label(reference))


def read_printed_label(reference: Mapping[str, Any]) -> str:
    """What a reference to a page says that its document counts it by; empty if nothing."""
    label = reference.get("printed_label", "")
    return label if isinstance(label, str) else ""


def read_page_ref(reference: object) -> PageRef | None:
    """The page that a mapping refers to; None unless it has an id of 16 hex digits, a name and a page from 1 on."""
    if not isinstance(reference, Mapping):
        return None
    document_id, document, page = (reference.get(name) for name in ("document_id", "document", "page"))
    if not isinstance(document_id, str) or not _DOCUMENT_ID.fullmatch(document_id):
        return None
    if not isinstance(document, str) or not document or not is_whole(page) or page < 1:
        return None
    return PageRef(document_id, document, page)


def read_region(numbers: object) -> Region | None:
    """A region of four integers 0 to 1000, the first ones below the last; None for anything else."""
    if not isinstance(numbers, list | tuple) or len(numbers) != 4 or not all(map(is_whole, numbers)):
        return None
    ymin, xmin, ymax, xmax = numbers
    return (ymin, xmin, ymax, xmax) if 0 <= ymin < ymax <= 1000 and 0 <= xmin < xmax <= 1000 else None


def is_whole(number: object) -> TypeGuard[int]:
    """Whether it is an integer; True and False are none."""
    return isinstance(number, int) and not isinstance(number, bool)
