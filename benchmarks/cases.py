"""Reads a folder of small inputs that went wrong once, and prints which are right: `python benchmarks/cases.py FOLDER`.

The folder's README says what is right for each; this says it again, as checks.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from pagesight.agent import ask, create_page_agent
from pagesight.indexing import AddReport, PageIndex, load_settings

KALTENBACH = [
    "Inspection report of the Kaltenbach viaduct",
    "The bearing on pier six shows cracks of four millimetres",
    "and has to be exchanged before the winter of next year.",
    "Load limit until then: twenty-eight tonnes.",
    "Inspector in charge: Ottilie Brandauer",
]


class Run:
    """An index of the folder, and what was said while it was made."""

    def __init__(self, index: PageIndex, report: AddReport) -> None:
        self.index, self.report = index, report

    def text(self, document: str) -> str:
        """The whole text of a document; empty if it is not in the index."""
        records = [record for record in self.index.documents() if record.document == document]
        return "\n".join(self.index.text(ref) for record in records for ref in record.page_refs)

    def said_of(self, document: str) -> str:
        """Failures and warnings that name the document."""
        failed = [str(failure.error) for failure in self.report.failed if failure.path.name == document]
        return "\n".join([*failed, *(one.text for one in self.report.warnings if one.path.name == document)])

    def lines_for(self, question: str) -> dict[str, list[str]]:
        """The lines that a search quotes, by document."""
        return {hit.document: hit.lines for hit in reversed(self.index.search(question, top_k=10))}


Check = Callable[[Run, str], list[str]]


def holds(*parts: str, lacks: tuple[str, ...] = ()) -> Check:
    """The text holds these and not those."""

    def check(run: Run, document: str) -> list[str]:
        text = run.text(document)
        return [f"lacks {part!r}" for part in parts if part not in text] + [
            f"has {part!r}" for part in lacks if part in text
        ]

    return check


def is_text(*lines: str) -> Check:
    """The text is exactly these lines."""

    def check(run: Run, document: str) -> list[str]:
        found = run.text(document).splitlines()
        return [] if found == list(lines) else [f"is {found[:5]!r}"]

    return check


def quotes(question: str, part: str) -> Check:
    """A search for the question finds the document and quotes a line with the part."""

    def check(run: Run, document: str) -> list[str]:
        lines = run.lines_for(question).get(document, [])
        return [] if any(part in line for line in lines) else [f"{question!r} quotes {lines!r}"]

    return check


def never_quotes(question: str, part: str) -> Check:
    """No line with the part is quoted for the question."""

    def check(run: Run, document: str) -> list[str]:
        lines = run.lines_for(question).get(document, [])
        return [f"quotes {line!r}" for line in lines if part in line]

    return check


def says(*parts: str) -> Check:
    """A failure or a warning names the document, and one of these."""

    def check(run: Run, document: str) -> list[str]:
        said = run.said_of(document)
        return [] if any(part in said for part in parts) else [f"said {said!r}"]

    return check


def is_drawn(run: Run, document: str) -> list[str]:
    """No page's picture is blank."""
    refs = [ref for record in run.index.documents() if record.document == document for ref in record.page_refs]
    drawn = [any(run.index.picture(ref).convert("L").histogram()[:128]) for ref in refs]
    return [] if drawn and all(drawn) else ["is blank"]


def answers(question: str, part: str) -> Check:
    """The offline answer holds the part."""

    def check(run: Run, document: str) -> list[str]:
        text = ask(create_page_agent(run.index, model="offline"), question).text
        return [] if part in text else [f"answers {text[:120]!r}"]

    return check


def either(*checks: Check) -> Check:
    """One of the checks is right."""

    def check(run: Run, document: str) -> list[str]:
        faults = [one(run, document) for one in checks]
        return [] if not all(faults) else [" and ".join(part for fault in faults for part in fault)]

    return check


CASES: dict[str, list[Check]] = {
    "crop-outside-media.pdf": [either(holds(""), says("cannot be read"))],
    "slow-lines.pdf": [says("longer than")],
    "permit-form.pdf": [
        holds("Quintanilla", "Leocadia", "KX-7741-203", "EUR 184,350", "Thatched", "Heating: heat pump ☑"),
        quotes("KX-7741-203", "KX-7741-203"),
    ],
    "lease-annotated.pdf": [holds("7,450 francs", "notary Brunnenmeier", "annex Zeta", "Approved")],
    "site-plan-outlined.pdf": [holds("Design flow 312 litres per second", "DN 600", "minus 3.85 m", "Sheet 3")],
    "slide-short-text-picture.pdf": [holds("Bavaria", "51.3 million", "Corsica", "12.4 million")],
    **{f"garbage-{kind}.pdf": [is_text(*KALTENBACH)] for kind in ("no-tounicode", "shifted", "swapped", "cyr")},
    "scan-longer-garbage.pdf": [is_text("Toll bridge tariff", "Carts pay 6 groats", "Riders pay 2 groats")],
    "numbers.pdf": [
        holds("10⁶", "3½", "45¹", "512³", lacks=("106", "31⁄2", "451 ", "5123")),
        quotes("Headcount in Nairobi", "512³"),
    ],
    "typography.pdf": [
        holds("SUSTAINABILITY", "REMUNERATION", "intergovernmental", "co-operative", "electrification", "long-term"),
        quotes("remuneration", "REMUNERATION"),
        lambda run, document: [] if run.text(document).count("Zwickmühle") == 1 else ["the shadow is doubled"],
    ],
    "layers.pdf": [
        holds("18 dollars each", lacks=("63 per cent",)),
        never_quotes("internal margin on sprockets", "63 per cent"),
    ],
    "portfolio.pdf": [lambda run, _: holds("eleven years")(run, "portfolio.pdf › annex-a.pdf")],
    "endless-log.pdf": [quotes("calibration certificate GX-991", "calibration certificate GX-991 expires in December")],
    "report-ja.pdf": [quotes("研究開発費", "研究開発費は7億円"), answers("研究開発費はいくらですか", "7億円")],
    "cjk-not-embedded.pdf": [either(says("font"), is_drawn)],
    **{
        f"{name}.pdf": [
            holds("تقرير الإنتاجية وحل المشكلات في الأردن لعام 2031", "بلغت الأرباح خلال العام 4520 دينارا")
        ]
        for name in ("ar-typst", "arabic-hebrew")
    },
    "lang-ru.png": [either(holds("Чистая прибыль"), says("apt install"))],
    "lang-el.png": [either(holds("Ετήσια έκθεση"), says("apt install"))],
    "IMG_0001.HEIC": [either(holds("a"), says("HEIC", "heif"))],
    "white-on-transparent.png": [lambda run, document: [] if run.text(document).strip() else ["no words"]],
    "crop.pdf": [is_text("Inside the crop: the lighthouse keeper earns 2,300 marks")],
    "userunit.pdf": [is_text("Poster scale: the aqueduct is 14 kilometres long")],
    "sideways-table.pdf": [quotes("rainfall Grimsel", "Grimsel 1,914 2,030")],
    "Plan A.pdf": [holds("1,111 dinars")],
    "Plan-A.pdf": [holds("2,222 dinars")],
}


def main() -> int:
    """Index the folder, check each case, print the table; the status is 1 if one is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seconds", type=float, default=20, help="a page's limit of time")
    chosen = parser.parse_args()
    table = Table("input", "", "what is wrong")
    wrong = 0
    with tempfile.TemporaryDirectory() as place:
        settings = load_settings(encoder="lexical", page_seconds=chosen.seconds, index=Path(place) / "index")
        with PageIndex.open(settings.index, settings=settings) as index:
            paths = [path for path in sorted(chosen.folder.iterdir()) if path.suffix != ".md"]
            run = Run(index, index.add(paths))
            for name, checks in CASES.items():
                faults = [fault for check in checks for fault in check(run, name)]
                wrong += bool(faults)
                table.add_row(name, "wrong" if faults else "right", "; ".join(faults))
    Console(width=160).print(table, f"{len(CASES) - wrong} of {len(CASES)} right")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
