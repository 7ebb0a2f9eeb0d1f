"""What a question costs by model, by counting: `python benchmarks/cost.py`.

Each question of samples/questions.jsonl is played against a server on loopback that speaks Gemini's protocol, with one
course for all: two searches, three pages, one region, the answer. Nothing is asked of a real model: text is counted at
four letters a token, which is Google's rule of thumb (https://ai.google.dev/gemini-api/docs/tokens), pictures by the
published tables, output at so many tokens a call as `THOUGHT` and `SAID` say, and money by the table of prices.
"""

from __future__ import annotations

import argparse
import io
import itertools
import json
import logging
import statistics
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from gemini_server import GeminiServer, Recorded  # noqa: E402

from pagesight.agent import ask, create_page_agent  # noqa: E402
from pagesight.agent.loop.speakers import picture_rule  # noqa: E402
from pagesight.indexing import PageIndex, load_settings  # noqa: E402
from pagesight.indexing.calls.prices import answering, price_of  # noqa: E402
from pagesight.tools.gemini_service.picture_tokens import TOKENS, PictureRule  # noqa: E402

LETTERS_A_TOKEN = 4
#: Tokens that a model thinks and says in each of its calls, thinking at the usual level: guesses, not measured.
THOUGHT, SAID = 300, 60
#: Implicit caching takes a prefix that is at least as long as this, in tokens.
SHORTEST_CACHED = 4096
MODELS = ("gemini-3.5-flash-lite", "gemini-3.8-flash", "gemini-4-hydrogen", "gemini-4-argon", "gemini-4-neon")
DAYS = (date(2026, 11, 25), date(2027, 1, 1))


@dataclass(frozen=True)
class Call:
    """One model call, in tokens: ``cached`` is the beginning that it has in common with the call before."""

    text: int
    pictures: int
    cached: int
    number: int

    @property
    def input(self) -> int:
        """All that goes in."""
        return self.text + self.pictures


def main() -> None:
    """Prints a table of counts and one of money, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only every Nth question")
    wanted = parser.parse_args()
    logging.disable(logging.WARNING)
    questions = [json.loads(line) for line in (ROOT / "samples" / "questions.jsonl").read_text().splitlines()]
    with (
        tempfile.TemporaryDirectory() as folder,
        PageIndex.open(Path(folder) / "index", settings=load_settings(google_api_key="a-key")) as index,
    ):
        index.add(ROOT / "samples")
        counted = {name: count(index, questions[:: wanted.every], how) for name, how in WAYS.items()}
    result = {"counts": counted, "dollars": {name: dollars(counts) for name, counts in counted.items()}}
    print(json.dumps(result, indent=2) if wanted.json else tables(result))


WAYS: dict[str, dict[str, Any]] = {
    "as it is set": {},
    "media_resolution=low": {"media_resolution": "low"},
    "pages as PDF": {"pages_as": "pdf"},
    "without closer_regions": {"closer_regions": False},
    "a model of 2.x": {"gemini_model": "gemini-2.5-flash-lite"},
}


def count(index: PageIndex, questions: list[dict[str, Any]], how: dict[str, Any]) -> dict[str, float]:
    """The means over the questions of what goes into all calls of one."""
    each = [list(played(index, question, how)) for question in questions]
    return {
        "questions": len(each),
        "calls": statistics.mean(len(calls) for calls in each),
        "text": statistics.mean(sum(call.text for call in calls) for calls in each),
        "pictures": statistics.mean(sum(call.number for call in calls) for calls in each),
        "picture_tokens": statistics.mean(sum(call.pictures for call in calls) for calls in each),
        "input": statistics.mean(sum(call.input for call in calls) for calls in each),
        "cacheable": statistics.mean(sum(call.cached for call in calls) for calls in each),
        "output": statistics.mean(len(calls) * (THOUGHT + SAID) for calls in each),
    }


def played(index: PageIndex, question: dict[str, Any], how: dict[str, Any]) -> Iterator[Call]:
    """The calls of one question on its course."""
    with GeminiServer() as server:
        explicit = {"google_api_key": "a-key", "google_base_url": server.url, "reasoner": "auto"}
        settings = load_settings(**explicit, **how)
        agent = create_page_agent(index, settings=settings, transport="bytes")
        script(server, index, question)
        ask(agent, question["question"])
        rule = picture_rule(settings, settings.gemini.gemini_model)
        before: list[tuple[str, int]] = []
        for request in server.model_requests:
            pieces = list(in_tokens(request, rule))
            pictures = sum(tokens for kind, tokens in pieces if kind.startswith("picture"))
            text = sum(tokens for _, tokens in pieces) - pictures
            yield Call(text, pictures, repeated(before, pieces), len(request.pictures))
            before = pieces


def script(server: GeminiServer, index: PageIndex, question: dict[str, Any]) -> None:
    """The course of a question: two searches, the page that answers and the two after it, a region, the answer."""
    pages = index.document(question["document"]).pages
    first = question["pages"][0] if question["pages"] else 1
    labels = [f"{question['document']} p. {1 + (first - 1 + step) % pages}" for step in range(3)]
    server.calls("search_pages", query=question["question"])
    server.calls("search_pages", query=f"{question['evidence_sources']} {question['question'][:40]}")
    server.calls("view_pages", pages=list(dict.fromkeys(labels)))
    server.calls("view_pages", pages=labels[:1], region=[100, 0, 900, 1000])
    server.says(f"{question['answer']} [{labels[0]}].")


def repeated(before: list[tuple[str, int]], pieces: list[tuple[str, int]]) -> int:
    """Tokens of the beginning that a request has in common with the one before it, if the cache takes it."""
    same = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(before, pieces, strict=False))
    shared = sum(one[1] for one, _ in same)
    return shared if shared >= SHORTEST_CACHED else 0


def in_tokens(request: Recorded, rule: PictureRule) -> Iterator[tuple[str, int]]:
    """The pieces of a request in their order, each with what it costs: instructions and tools first."""
    for name in ("systemInstruction", "tools"):
        yield letters(json.dumps(request.body.get(name, {}), ensure_ascii=False))
    for part in request.parts:
        if picture := request.picture(part):
            mime, data = picture
            yield f"picture {hash(data)}", of_a_picture(part, mime, data, rule)
        else:
            yield letters(json.dumps(part, ensure_ascii=False))


def letters(text: str) -> tuple[str, int]:
    """A piece of text and its tokens."""
    return text, round(len(text) / LETTERS_A_TOKEN)


def of_a_picture(part: dict[str, Any], mime: str, data: bytes, rule: PictureRule) -> int:
    """The tokens of a picture, or of a PDF of one page, by the model's rule."""
    from PIL import Image

    if mime == "application/pdf":
        return rule.pdf_page_tokens()
    level = part.get("mediaResolution", {}).get("level", "")
    if level:
        return TOKENS["ultra_high" if level.endswith("ULTRA_HIGH") else "high"]
    return rule.tokens(Image.open(io.BytesIO(data)).size)


def dollars(counts: dict[str, float]) -> dict[str, dict[str, list[float]]]:
    """Cents a question by model and day: without caching, and when all that repeats is cached."""
    rows: dict[str, dict[str, list[float]]] = {}
    for model in MODELS:
        rows[model] = {}
        for day in DAYS:
            price = price_of(model, on=day)
            assert price
            assert answering(model, on=day) == model
            fresh = counts["input"] - counts["cacheable"]
            without = counts["input"] * price.input + counts["output"] * price.output
            cached = fresh * price.input + counts["cacheable"] * price.cached + counts["output"] * price.output
            rows[model][day.isoformat()] = [100 * without / 1e6, 100 * cached / 1e6]
    return rows


def tables(result: dict[str, Any]) -> str:
    """The counts by way, and the money of the usual way, as Markdown."""
    titles = ["way", "calls", "text in", "pictures sent", "their tokens", "in, all", "of it repeated", "out (guess)"]
    names = ("calls", "text", "pictures", "picture_tokens", "input", "cacheable", "output")
    lines = [f"| {' | '.join(titles)} |", "|---|" + "---:|" * 7]
    for way, counts in result["counts"].items():
        lines.append(f"| {way} | {' | '.join(f'{counts[name]:,.0f}' for name in names)} |")
    days = [day.isoformat() for day in DAYS]
    lines += ["", "| model | " + " | ".join(f"{day} | all cached" for day in days) + " |", "|---|" + "---:|" * 4]
    for model, by_day in result["dollars"]["as it is set"].items():
        cents = [cost for day in days for cost in by_day[day]]
        lines.append(f"| {model} | {' | '.join(f'{cost:.2f} ¢' for cost in cents)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
