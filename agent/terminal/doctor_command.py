"""`pagesight doctor`: says what works and what is missing; with ``--live``, what the service really does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from pagesight.agent.terminal import options, printing, results
from pagesight.agent.terminal.options import named_index, settings_of

if TYPE_CHECKING:
    from pagesight.agent.terminal.live_checks import LiveChecks, LiveReport, LiveStep
    from pagesight.indexing.settings import Settings

_STATES = {"ok": "✓", "skipped": "–", "failed": "✗"}
_NAME = 22  # columns: the longest name of a step


def doctor(
    context: typer.Context,
    index: options.Index = None,
    live: Annotated[
        bool, typer.Option("--live", help="Try Gemini itself with a made-up page, for two cents at most.")
    ] = False,
    model: options.Model = None,
    verbose: options.Verbose = False,
    as_json: options.Json = False,
) -> None:
    """Say what works, what is missing.

    Tells which encoder and which reasoner would be chosen and why, and the command that fixes what is missing.
    """
    from pagesight.agent.terminal.doctor import examine

    settings = settings_of(reasoner=model)
    found = examine(settings, named_index(context, index))
    if not as_json:
        results.checkup(found)
    report, status = _tried(settings, quiet=as_json) if live else (None, 0)
    if as_json:
        printing.write_json(found.as_dict() | _with_live(report, found.works))
    if status or not found.works or (report and not report.works):
        raise typer.Exit(status or 1)


def _with_live(report: LiveReport | None, works: bool) -> dict[str, Any]:
    return {"works": works and report.works, "live": report.as_dict()} if report else {}


def _tried(settings: Settings, *, quiet: bool) -> tuple[LiveReport, int]:
    """The report of all steps, each printed as it is done unless ``quiet``, and the exit status where one is due."""
    from pagesight.agent.terminal.live_checks import LiveChecks

    checks = LiveChecks(settings)
    if not quiet:
        printing.write(f"\ntried: {checks.report.model} at {checks.report.address}\n")
    status = _run(checks, quiet=quiet)
    if checks.report.ended:
        printing.error(checks.report.ended)
    elif not quiet:
        printing.write(_summary(checks.report))
    return checks.report, status


def _run(checks: LiveChecks, *, quiet: bool) -> int:
    try:
        checks.run((lambda step: None) if quiet else _print_step)
    except KeyboardInterrupt:
        done = printing.counted(len(checks.report.steps), "step")
        checks.report.ended = f"stopped with Ctrl-C after {done}"
        return 130
    return 0


def _print_step(step: LiveStep) -> None:
    took = f" ({step.seconds:.1f} s)" if step.state != "skipped" else ""
    printing.write(f"{_STATES[step.state]} {step.name:<{_NAME}} {step.says}{took}\n")
    if step.fix:
        printing.write(f"    → {step.fix}\n")


def _summary(report: LiveReport) -> str:
    counts = {state: sum(step.state == state for step in report.steps) for state in _STATES}
    told = [f"{counts['ok']} steps work", f"{counts['failed']} fail", f"{counts['skipped']} skipped"]
    cost = "price not known" if report.dollars is None else f"${report.dollars:.4f}"
    return f"{', '.join(told)}; {report.input_tokens:,} tokens in, {report.output_tokens:,} out, {cost}\n"
