"""How well the regions that answers point to fit those where the facts of made documents are known to stand.

    python benchmarks/regions.py --out FOLDER

It writes documents with known boxes (tables, prose, scans; English and German) and questions about them, in the form
that `pagesight eval answers` takes, and measures with that command what the answers without a model point to. Then it
cites each fact with a region that is too large, as models do, and measures the region that the check draws.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from claim_documents import PLACES, Fact, Made, make_documents

from pagesight.agent import ask, create_page_agent
from pagesight.agent.cli import main as pagesight
from pagesight.agent.evaluate.regions import cited_boxes, region_f1, region_iou
from pagesight.agent.testing import ScriptedReasoner, calls
from pagesight.indexing import PageIndex, load_settings
from pagesight.indexing.pages import Box

_ASKED = {
    "en": {
        "figure": ["What was {row} in {column}?", "How high was {row} in {column}?"],
        "measure": ["What is the {column} of the {row}?", "Which {column} does the {row} have?"],
        "country": ["How high were the sales in {row} in {column}?", "What were {column} sales in {row}?"],
        "prose": ["What was {row} in {place} in {column}?", "How high was {row} for {place} in {column}?"],
    },
    "de": {
        "figure": ["Wie hoch war der Posten {row} im Jahr {column}?", "Wie hoch war {row} {column}?"],
        "measure": ["Welche {column} hat der {row}?", "Wie hoch ist {column} des {row}?"],
        "country": ["Wie hoch war der Absatz in {row} im Jahr {column}?", "Wie viel Absatz hatte {row} {column}?"],
        "prose": ["Wie hoch war {row} in {place} im Jahr {column}?", "Wie hoch lag {row} in {place} {column}?"],
    },
}
_CLAIMED = {"en": "{row} in {column}: {value}", "de": "{row} {column}: {value}"}
_MONEY = {"en": "EUR {value} million", "de": "{value} Mio. EUR"}
_WIDER, _HIGHER = 250, 60  # by how much at most a cited region reaches beyond the fact, in thousandths of the page


def facts_asked(made: Made, chance: random.Random, most: int) -> Iterator[tuple[str, Fact]]:
    """Facts that stand once in a document, up to so many of each form, each with the form of question for it."""
    twice = Counter((fact.form, fact.row, fact.column, fact.place) for fact in made.facts)
    forms: dict[str, list[Fact]] = defaultdict(list)
    for fact in made.facts:
        if twice[fact.form, fact.row, fact.column, fact.place] == 1:
            forms[_form(fact)].append(fact)
    for form, facts in forms.items():
        for fact in chance.sample(facts, min(most, len(facts))):
            yield form, fact


def _form(fact: Fact) -> str:
    if fact.form == "prose":
        return "prose"
    if not fact.column.isdigit():
        return "measure"
    return "country" if fact.row in PLACES[fact.language].split("|") else "figure"


def boxes_of(fact: Fact) -> list[Box]:
    """Where a fact stands: its cell, or the lines of its sentence."""
    return [fact.box] if fact.box else list(fact.lines)


def questions(documents: Sequence[Made], chance: random.Random, most: int) -> list[dict[str, Any]]:
    """A question for each fact, as `pagesight eval answers --questions` reads them."""
    rows = []
    for made in documents:
        for form, fact in facts_asked(made, chance, most):
            text = chance.choice(_ASKED[fact.language][form])
            rows.append({
                "id": f"{made.path.stem} {fact.page} {fact.row} {fact.column} {fact.place}".strip(),
                "question": text.format(row=fact.row, column=fact.column, place=fact.place),
                "document": made.path.name, "pages": [fact.page], "answer": fact.written,
                "boxes": {str(fact.page): [[min(max(edge, 0), 1) for edge in box] for box in boxes_of(fact)]},
                "form": form, "language": fact.language, "read": "scan" if made.scan else "text",
            })  # fmt: skip
    return rows


def drawn(
    index: PageIndex, documents: Sequence[Made], chance: random.Random, most: int
) -> dict[str, list[list[float]]]:
    """F1 and IoU of too large a region and of the one drawn from it, for each fact, by form."""
    found: dict[str, list[list[float]]] = defaultdict(list)
    for made in documents:
        for form, fact in facts_asked(made, chance, most):
            label = f"{made.path.name} p. {fact.page}"
            loose = _around(fact, chance)
            said = f"{_said(fact)} [{label}, region {','.join(map(str, loose))}]."
            script = [calls("view_pages", pages=[label]), said, said]  # once more, where the check doubts it
            answer = ask(create_page_agent(index, model=ScriptedReasoner(script=script)), "?").as_dict()
            given = cited_boxes(answer).get(label, [])
            before = cited_boxes({"citations": [{"label": label, "region": loose}]})[label]
            marked = [boxes_of(fact)]
            scores = [score(boxes, marked) for boxes in (before, given) for score in (region_f1, region_iou)]
            found[f"{form}, {'scan' if made.scan else 'text'}"].append(scores)
    return found


def _said(fact: Fact) -> str:
    if fact.sentence:
        return fact.sentence.rstrip(".")
    form = _MONEY[fact.language] if fact.unit == "EUR million" else "{value} " + fact.unit
    value = form.format(value=fact.written).strip()
    return _CLAIMED[fact.language].format(row=fact.row, column=fact.column, value=value)


def _around(fact: Fact, chance: random.Random) -> list[int]:
    boxes = boxes_of(fact)
    left, top = (min(box[edge] for box in boxes) * 1000 for edge in (0, 1))
    right, bottom = (max(box[edge] for box in boxes) * 1000 for edge in (2, 3))
    return [
        max(round(top) - chance.randint(5, _HIGHER), 0), max(round(left) - chance.randint(5, _WIDER), 0),
        min(round(bottom) + chance.randint(5, _HIGHER), 1000), min(round(right) + chance.randint(5, _WIDER), 1000),
    ]  # fmt: skip


def main() -> None:
    """Make, ask, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--most", type=int, default=6, help="questions of each form and document (6)")
    options = parser.parse_args()
    folder = options.out / "documents"
    folder.mkdir(parents=True, exist_ok=True)
    documents = make_documents(folder)
    asked = options.out / "questions.jsonl"
    rows = questions(documents, random.Random(1), options.most)
    asked.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    with PageIndex.open(options.out / "index", settings=load_settings()) as index:
        index.add([made.path for made in documents])
        scores = drawn(index, documents, random.Random(2), options.most)
    print("| form | claims | cited: F1 | IoU | drawn: F1 | IoU |\n|---|---|---|---|---|---|")
    for form, values in sorted(scores.items()):
        means = [sum(column) / len(values) for column in zip(*values, strict=True)]
        print(f"| {form} | {len(values)} | " + " | ".join(f"{value:.3f}" for value in means) + " |")
    arguments = ["--index", str(options.out / "index"), "--model", "offline", "--within-document", "--split", "form"]
    pagesight(["eval", "answers", "--questions", str(asked), *arguments, "--split", "read", "--out", str(options.out)])


if __name__ == "__main__":
    main()
