"""How well what an answer points to on its pages fits the regions that people marked there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pagesight.agent.evaluate.scoring import mean
from pagesight.indexing.pages import WHOLE_PAGE, Box, page_label

if TYPE_CHECKING:
    from pagesight.agent.evaluate.ask_questions import AskedQuestion
    from pagesight.indexing import PageIndex

_GRID = 1000  # cells a side in which regions are compared: a line of text is ten high


def region_scores(index: PageIndex, asked: AskedQuestion) -> dict[str, float | None]:
    """F1 and IoU of one question's regions, the mean over its marked pages; none where no page is marked."""
    if not asked.question.boxes:
        return {}
    cited = cited_boxes(asked.record or {})
    pairs = [
        (cited.get(page_label(index.document(page.document).document, page.page), []), marked)
        for page, marked in asked.question.boxes.items()
    ]
    return {
        "region_f1": mean(region_f1(given, marked) for given, marked in pairs),
        "region_iou": mean(region_iou(given, marked) for given, marked in pairs),
    }


def cited_boxes(record: Mapping[str, Any]) -> dict[str, list[Box]]:
    """Where on each page an answer points: the regions that it cites; where it cites a page alone, the words that
    support its claims, or else the whole page."""
    words: dict[str, list[Box]] = {}
    for evidence in (one for claim in record.get("claims", []) for one in claim["evidence"]):
        words.setdefault(evidence["label"], []).extend(tuple(box) for box in evidence["boxes"])
    cited: dict[str, list[Box]] = {}
    for citation in record.get("citations", []):
        label, region = citation["label"], citation["region"]
        cited.setdefault(label, []).extend([box_of(region)] if region else words.get(label, [WHOLE_PAGE]))
    return cited


def region_f1(given: Sequence[Box], marked: Sequence[Sequence[Box]]) -> float:
    """How much of a page's marked area the given boxes share, as F1 over area; the best of what each person marked."""
    return max((2 * iou / (1 + iou) for iou in _ious(given, marked)), default=0.0)


def region_iou(given: Sequence[Box], marked: Sequence[Sequence[Box]]) -> float:
    """The area that both share, as a part of the area of either; the best of what each person marked."""
    return max(_ious(given, marked), default=0.0)


def box_of(region: Sequence[int]) -> Box:
    """A region ``(ymin, xmin, ymax, xmax)`` in 0–1000 as a part of the page."""
    ymin, xmin, ymax, xmax = (edge / 1000 for edge in region)
    return xmin, ymin, xmax, ymax


def _ious(given: Sequence[Box], marked: Sequence[Sequence[Box]]) -> list[float]:
    area, found = _area(given), []
    for wanted in map(_area, marked):
        either = float((area | wanted).sum())
        found.append(float((area & wanted).sum()) / either if either else 0.0)
    return found


def _area(boxes: Sequence[Box]) -> NDArray[np.bool_]:
    cells = np.zeros((_GRID, _GRID), np.bool_)
    for box in boxes:
        left, top, right, bottom = (round(_GRID * min(max(edge, 0.0), 1.0)) for edge in box)
        cells[top:bottom, left:right] = True
    return cells
