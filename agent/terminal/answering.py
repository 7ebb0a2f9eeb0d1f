"""Prints answers as they come, and what stands around them in a conversation. Decides nothing."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pagesight.agent.terminal import printing
from pagesight.agent.terminal.tables import print_listing

if TYPE_CHECKING:
    from pagesight.agent.answers.answer import Answer
    from pagesight.agent.reasoners.choose import ReasonerChoice
    from pagesight.agent.reports.turns import Turn
    from pagesight.agent.run.steps import Step
    from pagesight.agent.terminal.streaming import PipedAnswer, TerminalAnswer
    from pagesight.agent.threads.kept_threads import Thread
    from pagesight.indexing.labels.document_names import Names


def reasoner(choice: ReasonerChoice) -> None:
    """Who answers, and why."""
    printing.note(f"reasoner: {choice.name} ({choice.why})")


def answer_writer(documents: Names, link: Callable[[str], str | None]) -> TerminalAnswer | PipedAnswer:
    """Where the pieces of an answer go: on a terminal with links to the pages of these documents, else whole."""
    from pagesight.agent.terminal.streaming import PipedAnswer, TerminalAnswer

    return TerminalAnswer(printing.console(), documents, link) if sys.stdout.isatty() else PipedAnswer(printing.write)


def followed(
    events: Iterable[Step | str | Answer],
    into: TerminalAnswer | PipedAnswer | None = None,
    shown: Callable[[Step], object] = lambda step: None,
) -> Answer:
    """Prints the steps, and the answer's pieces as they come into a flow, if there is one; returns the answer.

    ``shown`` is called after each step.
    """
    from pagesight.agent.run.steps import Step

    last: Any = None
    after: list[str] = []
    try:
        for last in _awaited(events):
            if isinstance(last, Step) and last.kind == "cut":
                after.append(last.text)
            elif isinstance(last, Step):
                if into:
                    into.start_again()
                printing.note(f"· {last.text}")
                shown(last)
            elif into and isinstance(last, str):
                into.feed(printing.printable(last))
    finally:
        if into:
            into.end()
    for text in after:
        printing.note(f"· {text}")
    answer: Answer = last
    return answer


def _awaited(events: Iterable[Any]) -> Iterator[Any]:
    """The events; on a terminal something turns while one is waited for, unless text is being written."""
    from pagesight.agent.run.steps import Step

    spinner = printing.console(stderr=True).status("") if sys.stdout.isatty() and sys.stderr.isatty() else None
    coming, in_text = iter(events), False
    while True:
        if spinner and not in_text:
            spinner.start()
        try:
            item = next(coming, None)
        finally:
            if spinner:
                spinner.stop()
        if item is None:
            return
        in_text = isinstance(item, str) or (in_text and not isinstance(item, Step))
        yield item


def sources(answer: Answer, evidence: dict[str, Path]) -> None:
    """What an answer rests on, on stderr: the ranked pages behind it, and the pictures of the cited ones."""
    if answer.hits:
        printing.note("\npages searched:")
    for rank, hit in enumerate(answer.hits, 1):
        seen = "  (looked at)" if hit.label in answer.pages_viewed else ""
        printing.note(f"{rank:3}. {hit.label}  {hit.score:.3f}{seen}")
    if evidence:
        printing.note("evidence:")
    for label, path in evidence.items():
        printing.note(f"  [{label}]  {printing.short(path)}")


def cited(answer: Answer, link: Callable[[str], str | None]) -> None:
    """The cited pages by number, as links, in one quiet line."""
    labels = list(dict.fromkeys(citation.label for citation in answer.citations))
    if labels and sys.stderr.isatty():
        _linked([(f"/open {number} {label}", link(label)) for number, label in enumerate(labels, 1)])


def claims(answer: Answer) -> None:
    """How many of an answer's claims the cited words say, in one quiet line; then those that they don't, with why.

    Nothing where no model wrote the answer and all of it stands there: quotations stand where they were taken from.
    """
    quoted = answer.reasoner == "offline" and not any(claim.mark != "✓" for claim in answer.claims)
    if quoted or not answer.claims:
        return
    from pagesight.agent.answers.claims.claim import MARKS
    from pagesight.agent.answers.claims.german_reasons import in_language_of

    marks: Counter[str] = Counter(claim.mark for claim in answer.claims)
    told = (f"{mark} {marks[mark]} {said}" for mark, said in MARKS.items() if marks[mark])
    printing.note("claims: " + ", ".join(told))
    for claim in answer.claims:
        if claim.mark != "✓":
            printing.note(f"{claim.text}: {in_language_of(answer.text, claim.reason)}", mark=f"  {claim.mark}")


def pages(answer: Answer, labels: Sequence[str], link: Callable[[str], str | None]) -> None:
    """The pages behind an answer, by number."""
    cited_labels = {citation.label for citation in answer.citations}
    scores = {hit.label: f"{hit.score:.3f}" for hit in answer.hits}
    rows = []
    for number, label in enumerate(labels, 1):
        seen = "cited" if label in cited_labels else "looked at" if label in answer.pages_viewed else "found"
        rows.append((str(number), label, scores.get(label, ""), seen))
    links = [link(label) for label in labels]
    print_listing({"": "number", "page": "label", "score": "number", "how": "label"}, rows, links)
    if not labels:
        printing.note("no page was found")


def usage(what: str, counted: Sequence[dict[str, Any]]) -> None:
    """The tokens of some answers, and what they cost."""
    tokens = {kind: sum(one.get(f"{kind}_tokens", 0) for one in counted) for kind in ("input", "cached", "output")}
    calls = sum(one.get("model_calls", 0) for one in counted)
    costs = [one.get("cost") for one in counted]
    known = [cost for cost in costs if cost is not None]
    dollars = f", ${sum(known):.4f}" if len(known) == len(costs) else ", price not known"
    cached = f" ({tokens['cached']:,} cached)" if tokens["cached"] else ""
    told = f"{tokens['input']:,} tokens in{cached}, {tokens['output']:,} out, {printing.counted(calls, 'model call')}"
    printing.write(f"{what}: {told}{dollars if any(tokens.values()) else ''}\n")


def threads(kept: Sequence[Thread], current: str) -> None:
    """The kept conversations by number, newest first."""
    if not kept:
        printing.note("no conversation is kept yet")
        return
    rows = (
        (str(number), f"{one.last:%Y-%m-%d %H:%M}", str(one.questions), "(this one) " * (one.id == current) + one.title)
        for number, one in enumerate(kept, 1)
    )
    print_listing({"": "number", "last": "label", "questions": "number", "began with": "text"}, rows)


def turn(past: Turn, into: TerminalAnswer | PipedAnswer) -> None:
    """A question of a kept conversation, with its steps and its answer."""
    printing.note(f"\n> {past.question}")
    for step in past.steps:
        printing.note(f"· {step}")
    if past.answer is None:
        printing.note("stopped")
        return
    into.feed(printing.printable(past.answer.text))
    into.end()


def commands(known: Sequence[tuple[str, str]]) -> None:
    """The commands of a chat, each with what it does."""
    width = max(len(name) for name, _ in known) + 2
    for name, does in known:
        printing.note(f"{name:{width}}{does}")


def _linked(parts: Sequence[tuple[str, str | None]]) -> None:
    from rich.columns import Columns
    from rich.style import Style
    from rich.text import Text

    texts = [Text(printing.printable(text), Style(dim=True, link=address), no_wrap=True) for text, address in parts]
    printing.console(stderr=True).print(Columns(texts, padding=(0, 3)))
