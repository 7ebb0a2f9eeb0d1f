"""Whether an encoder works here, shown on pages that are drawn for it: what `pagesight encoders --check` says.

It is loaded as for an index, so that weights that are missing or left over end it. Then its vectors must tell the
pages apart, find each page by its own question, and look at the place where the answer stands.
"""

from __future__ import annotations

import resource
import sys
import time
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from pagesight.indexing.encoders import MultiVector, PageEncoder, QueryVectors
from pagesight.indexing.errors import PagesightError
from pagesight.indexing.highlight.best_places import best_boxes
from pagesight.indexing.lexical.bm25 import TermStatistics
from pagesight.indexing.lexical.query import read_query
from pagesight.indexing.pages import Box, PageText
from pagesight.indexing.vectors.maxsim import best_similarities, scores
from pagesight.indexing.vectors.quantization import StoredVectors

_SIZE = (1089, 1540)  # pixels: an A4 page as pages are rendered for encoders
_LETTERS = 44  # pixels high
# Each page's question, the words that answer it, where they begin, and what else stands on the page.
_PAGES = (
    ("net revenue by region", "Net revenue by region: Europe 1.9 billion", (0.08, 0.10), "Annual report 2023"),
    ("ferry timetable to the island", "Ferry timetable: to the island at 7 and 9", (0.08, 0.80), "Harbour office"),
    ("power consumption of the pump", "Power consumption of the pump: 42 watts", (0.08, 0.45), "Data sheet, model P7"),
    ("recipe for lentil soup", "Recipe: lentil soup with carrots and thyme", (0.08, 0.62), "Kitchen notes of autumn"),
)  # fmt: skip
#: Pages that an encoder is sent at most, with those on which it is tried before.
PAGES_SENT = 3 + len(_PAGES)
_LEAST_DIFFERENCE = 1e-4  # between the vectors of two pages; of the same page they differ by 1e-5 at most


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: ``passed`` None where the encoder has nothing to look at."""

    what: str
    passed: bool | None
    told: str


@dataclass
class EncoderCheck:
    """What a check has found. ``pages_per_second``; ``memory`` and ``gpu_memory`` in bytes, at most."""

    name: str
    findings: list[Finding] = field(default_factory=list)
    pages_per_second: float | None = None
    memory: int | None = None
    gpu_memory: int | None = None

    @property
    def works(self) -> bool:
        """Whether nothing failed."""
        return all(finding.passed is not False for finding in self.findings)

    def as_dict(self) -> dict[str, Any]:
        """As it stands in ``encoders --check --json``."""
        return asdict(self) | {"works": self.works}


def check_encoder(encoder: PageEncoder) -> EncoderCheck:
    """Checks an encoder; what it raises on purpose becomes a finding."""
    check = EncoderCheck(encoder.name)
    drawn = [_drawn(*page[1:]) for page in _PAGES]
    try:
        started = time.perf_counter()
        told = encoder.describe()
        seconds = time.perf_counter() - started
        dims = f"{told['dim']} dimensions, revision {told['revision']}, in {seconds:.1f} s"
        check.findings.append(Finding("loads, with no weight missing or left over", True, dims))
        pages = _encoded(check, encoder, drawn)
        check.findings.append(_tells_apart(pages))
        queries = [encoder.encode_query(read_query(page[0]), TermStatistics().idf) for page in _PAGES]
        check.findings.append(_finds(pages, queries))
        check.findings.append(_looks_there(pages, queries, [place for _, _, place in drawn]))
    except PagesightError as error:
        check.findings.append(Finding("works", False, str(error)))
    check.memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    check.gpu_memory = _gpu_memory()
    return check


def _encoded(
    check: EncoderCheck, encoder: PageEncoder, drawn: list[tuple[Image.Image, PageText, Box]]
) -> list[MultiVector]:
    pictures = [picture if encoder.needs_pictures else None for picture, _, _ in drawn]
    texts = [text for _, text, _ in drawn]
    encoder.encode_pages(pictures[:1], texts[:1])  # what is done once only, such as its first look, is not its speed
    started = time.perf_counter()
    pages = encoder.encode_pages(pictures, texts)
    check.pages_per_second = len(pages) / (time.perf_counter() - started)
    return pages


def _tells_apart(pages: list[MultiVector]) -> Finding:
    least = min(_difference(one, other) for place, one in enumerate(pages) for other in pages[place + 1 :])
    count = len(pages[0].vectors)
    return Finding(
        "different pages have different vectors", least > _LEAST_DIFFERENCE,
        f"the least difference is {least:.3g}; {count} vectors on the first page",
    )  # fmt: skip


def _difference(one: MultiVector, other: MultiVector) -> float:
    if one.vectors.shape != other.vectors.shape:
        return 1.0
    return float(np.abs(one.vectors - other.vectors).max(initial=0.0))


def _finds(pages: list[MultiVector], queries: list[QueryVectors]) -> Finding:
    stored = [StoredVectors(page.vectors, page.boxes) for page in pages]
    ranks = []
    for own, query in enumerate(queries):
        found = np.asarray(scores(query, best_similarities(query.vectors, stored)))
        ranks.append(1 + int((np.delete(found, own) >= found[own]).sum()))
    first = sum(rank == 1 for rank in ranks)
    told = f"{first} of {len(ranks)} pages come first, ranks {', '.join(map(str, ranks))}"
    return Finding("each page is found by its own question", first == len(ranks), told)


def _looks_there(pages: list[MultiVector], queries: list[QueryVectors], places: list[Box]) -> Finding:
    """Whether the best box of each page lies where its answer stands."""
    what = "it looks at the place of the answer"
    if all(np.isnan(page.boxes).all() for page in pages):
        return Finding(what, None, "its vectors have no boxes: a map of them stays blank")
    hits = 0
    for page, query, place in zip(pages, queries, places, strict=True):
        boxes = best_boxes(query, page.vectors, page.boxes)
        hits += any(_overlap(box, place) for box in boxes[:1])
    return Finding(what, hits == len(pages), f"on {hits} of {len(pages)} pages")


def _overlap(box: Box, place: Box) -> bool:
    return box[0] < place[2] and box[2] > place[0] and box[1] < place[3] and box[3] > place[1]


def _drawn(answer: str, start: tuple[float, float], heading: str) -> tuple[Image.Image, PageText, Box]:
    """A page with a heading in its middle and an answer, its words with their boxes, and the answer's place."""
    page = Image.new("RGB", _SIZE, "white")
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(_LETTERS)
    words: list[str] = []
    boxes: list[Box] = []
    for text, (left, top) in ((heading, (0.3, 0.28)), (answer, start)):
        x = left * _SIZE[0]
        for word in text.split():
            box = pen.textbbox((x, top * _SIZE[1]), word, font=font)
            pen.text((x, top * _SIZE[1]), word, fill="black", font=font)
            words.append(word)
            boxes.append((box[0] / _SIZE[0], box[1] / _SIZE[1], box[2] / _SIZE[0], box[3] / _SIZE[1]))
            x = box[2] + pen.textlength(" ", font=font)
    count = len(answer.split())
    whole = np.array(boxes[-count:])
    place = (*whole[:, :2].min(axis=0).tolist(), *whole[:, 2:].max(axis=0).tolist())
    lines = np.array([0] * (len(words) - count) + [1] * count, np.int32)
    return page, PageText(words, np.clip(np.array(boxes, np.float32), 0, 1), lines, "text layer"), place


def _gpu_memory() -> int | None:
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return None
    return int(torch.cuda.max_memory_allocated())
