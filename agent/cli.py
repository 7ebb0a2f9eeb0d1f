"""The command line: parses arguments, calls the library, hands what comes back to `terminal`.

Exit status: 0 done, 1 failed, 2 wrong usage, 3 not found or not supported by `ask --strict`, 130 stopped with Ctrl-C.
Heavy parts are imported in the command that needs them, and help is plain text, so that `pagesight --help` comes at
once.
"""

from __future__ import annotations

import errno
import gc
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from typer.core import TyperGroup

from pagesight.agent.terminal import (
    answering,
    audit_cli,
    classify_command,
    correct_commands,
    demo_command,
    doctor_command,
    encoders_command,
    eval_cli,
    files_command,
    index_command,
    integrity_commands,
    mcp_command,
    missing_index,
    moving,
    options,
    printing,
    reading_commands,
    serve_http_command,
    shard_commands,
    sweep_command,
    web_command,
)
from pagesight.agent.terminal.options import existing_index, named_index, open_index, settings_of
from pagesight.indexing.errors import PagesightError

if TYPE_CHECKING:
    from pathlib import Path

    from pagesight.agent.answers.answer import Answer
    from pagesight.indexing import PageIndex
    from pagesight.indexing.settings import Settings

_IN_THE_ORDER_OF_USE = """
    demo index ask sweep chat web search view outline correct corrections documents
    remove restore verify repair export import prepare commit
    doctor encoders mcp serve-http token costs files eval audit
""".split()  # noqa: SIM905 - a line is the readable form of this list


class _Commands(TyperGroup):
    """The commands in the order in which people come to need them; those without a place come last."""

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]
        placed = [name for name in _IN_THE_ORDER_OF_USE if name in self.commands]
        return placed + [name for name in self.commands if name not in placed]


app = typer.Typer(
    help="Answers questions about documents by looking at their pages.", cls=_Commands,
    no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None,
    context_settings={"help_option_names": ["--help", "-h"]},
)  # fmt: skip
app.add_typer(eval_cli.app, name="eval")
app.command("audit")(audit_cli.audit)
app.command("index")(index_command.index)
app.command("prepare")(shard_commands.prepare)
app.command("commit")(shard_commands.commit)
app.command("demo")(demo_command.demo)
app.command("doctor")(doctor_command.doctor)


_SOON_OVER = ("ask", "search", "view", "outline", "documents")
_NOT_SUPPORTED = 3  # how `ask --strict` ends where the documents do not say it


def run() -> int:
    """`main` as the whole of a process, which ends with it."""
    # Python looks for garbage after each 700 new objects, and once more before it ends: a tenth and a fifth of the time
    # that `ask` takes, and among what is imported there is none. Commands that stay need it looked for.
    if sys.argv[1:2] and sys.argv[1] in _SOON_OVER:
        gc.set_threshold(200_000, 30, 30)
    status = main()
    gc.freeze()
    return status


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit status."""
    printing.use_any_encoding()
    try:
        missing_index.refuse_at_once(sys.argv[1:] if arguments is None else arguments)
        with printing.warnings_as_lines():
            app(arguments, prog_name="pagesight")
    except SystemExit as done:
        return _flushed(int(done.code or 0))
    except PagesightError as failure:
        printing.error(str(failure))
    except OSError as failure:
        printing.error(_of_the_system(failure))
    finally:
        moving.end()
        printing.end_log()
    return _flushed(1)


def _flushed(status: int) -> int:
    """The status; whoever read our output may have gone, which is no failure worth words."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return status


def _of_the_system(failure: OSError) -> str:
    where = f"{failure.filename}: " if failure.filename else ""
    full = failure.errno in (errno.ENOSPC, errno.EDQUOT)
    way_out = ". Free some space and run the same command again." if full else "."
    return f"{where}{failure.strerror or failure}{way_out}"


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        printing.write(f"pagesight {version('pagesight')}\n")
        raise typer.Exit


@app.callback()
def _before(
    context: typer.Context,
    index: options.Index = None,
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version.")
    ] = False,
    verbose: options.Verbose = False,
) -> None:
    context.obj = index


@app.command("ask")
def _ask(
    context: typer.Context,
    question: Annotated[str, typer.Argument(metavar="QUESTION", show_default=False)],
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="[FILES]...", help="Ask about these files and folders, instead of an index."),
    ] = None,
    index: options.Index = None,
    image: options.Images = None,
    top_k: options.TopK = None,
    document: options.Documents = None,
    where: options.Where = None,
    rerank: options.Rerank = None,
    model: options.Model = None,
    transport: options.Transport = None,
    pages_as: options.PagesAs = None,
    effort: options.Effort = None,
    thinking: options.Thinking = None,
    verify: options.Verify = None,
    evidence: options.Evidence = None,
    no_evidence: Annotated[bool, typer.Option("--no-evidence", help="Make no pictures of cited pages.")] = False,
    report: options.ReportFile = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit status 3 if nothing was found, or a claim is not supported.")
    ] = False,
    password: options.Passwords = None,
    password_file: options.PasswordFile = None,
    trust_scripts: options.TrustScripts = False,
    verbose: options.Verbose = False,
    as_json: options.Json = False,
) -> None:
    """Answer a question, citing pages.

    Asks the index, or the files that are named: they are read once and kept in the user's cache folder. The answer
    goes to standard output; steps, sources and errors to standard error.
    """
    settings = settings_of(
        top_k=top_k, rerank=rerank, reasoner=model, pages_as=pages_as, effort=effort, thinking_level=thinking,
        verify=verify, trust_scripts=trust_scripts, passwords=password, password_file=password_file,
    )  # fmt: skip
    _refuse(files, named_index(context, index), settings, strict=strict)
    with _asked(context, index, files, settings) as opened:
        opened.expect_pictures()  # while the agent is imported
        from pagesight.agent.answers.question_costs import QuestionCosts
        from pagesight.agent.reasoners.choose import choose_reasoner
        from pagesight.agent.terminal.ask_command import answer_once

        folder = None if no_evidence or (as_json and evidence is None) else evidence or opened.path / "evidence"
        reasoner = choose_reasoner(model, settings).name
        with QuestionCosts(opened.path, "ask", reasoner, settings.budget.prices) as costs:
            answer, pictures = answer_once(
                opened, question, settings, costs, model=model, pictures=folder, report=report, quiet=as_json,
                images=image or (), transport=transport, documents=document or None, where=where,
            )  # fmt: skip
    _tell(answer.strictly() if strict else answer, pictures, costs.seconds, as_json=as_json)
    if strict and not answer.strictly().found:
        raise typer.Exit(_NOT_SUPPORTED)


def _tell(answer: Answer, pictures: dict[str, Path], seconds: float, *, as_json: bool) -> None:
    """The answer as JSON, or what stands around it; and what it took."""
    from pagesight.agent.terminal.costs_command import answer_line

    if as_json:
        printing.write_json(answer.as_dict())
    else:
        answering.claims(answer)
        answering.sources(answer, pictures)
    printing.note(answer_line(answer, seconds))


def _refuse(files: list[str] | None, place: str | None, settings: Settings, *, strict: bool) -> None:
    """Raises typer.BadParameter for options that do not go together."""
    if strict and settings.reasoning.verify == "off":
        raise typer.BadParameter("it goes by checked claims: leave out --verify off", param_hint="--strict")
    if files and place:
        raise typer.BadParameter("name files to ask about, or an index, not both", param_hint="FILES")


def _asked(context: typer.Context, index: str | None, files: list[str] | None, settings: Settings) -> PageIndex:
    """The index that a question is put to: that of the files, if some are named."""
    if files:
        from pagesight.agent.terminal.asked_files import open_files

        return open_files(files, settings)
    return open_index(existing_index(context, index), settings)


@app.command("chat")
def _chat(
    context: typer.Context,
    index: options.Index = None,
    top_k: options.TopK = None,
    document: options.Documents = None,
    where: options.Where = None,
    rerank: options.Rerank = None,
    model: options.Model = None,
    transport: options.Transport = None,
    pages_as: options.PagesAs = None,
    effort: options.Effort = None,
    thinking: options.Thinking = None,
    verify: options.Verify = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the last conversation.")] = False,
    no_pictures: Annotated[bool, typer.Option("--no-pictures", help="Show no pages in the terminal.")] = False,
    password: options.Passwords = None,
    password_file: options.PasswordFile = None,
    trust_scripts: options.TrustScripts = False,
    verbose: options.Verbose = False,
) -> None:
    """Ask question after question in one conversation; /help in it lists its commands."""
    settings = settings_of(
        top_k=top_k, rerank=rerank, reasoner=model, pages_as=pages_as, effort=effort, thinking_level=thinking,
        verify=verify, trust_scripts=trust_scripts, passwords=password, password_file=password_file,
    )  # fmt: skip
    place = existing_index(context, index)
    with open_index(place, settings) as opened:
        opened.expect_pictures()
        from pagesight.agent.terminal.chat import converse

        converse(
            opened, settings, resume=resume, pictures=not no_pictures, transport=transport, documents=document or [],
            where=where,
        )  # fmt: skip


@app.command("costs")
def _costs(context: typer.Context, index: options.Index = None, as_json: options.Json = False) -> None:
    """Say what questions have cost.

    By day, model and kind of work: tokens, pictures, seconds and, where the price is known, US dollars.
    """
    from pagesight.agent.terminal.costs_command import costs
    from pagesight.indexing.storage.address import folder_of

    settings = settings_of()
    costs(folder_of(named_index(context, index) or str(settings.index), settings), as_json=as_json)


app.command("sweep")(sweep_command.sweep)
app.command("search")(reading_commands.search)
app.command("view")(reading_commands.view)
app.command("correct")(correct_commands.correct)
app.command("corrections")(correct_commands.corrections)
app.command("classify")(classify_command.classify)
app.command("outline")(reading_commands.outline)
app.command("documents")(reading_commands.documents)
app.command("remove")(integrity_commands.remove)
app.command("encoders")(encoders_command.encoders)
app.command("restore")(integrity_commands.restore)
app.command("verify")(integrity_commands.verify)
app.command("repair")(integrity_commands.repair)
app.command("export")(integrity_commands.export)
app.command("import")(integrity_commands.import_)
app.command("mcp")(mcp_command.mcp)
app.command("web")(web_command.web)
app.command("serve-http")(serve_http_command.serve_http)
app.command("token")(serve_http_command.token)
app.command("files")(files_command.files)


if __name__ == "__main__":
    sys.exit(run())
