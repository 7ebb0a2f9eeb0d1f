"""The options that several commands have, and what they lead to: settings, the index's place, the open index."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pagesight.agent.terminal import moving, printing

if TYPE_CHECKING:
    from pagesight.indexing import PageIndex
    from pagesight.indexing.settings import Settings

Index = Annotated[
    str | None,
    typer.Option(
        "--index", metavar="DIR", help="Folder of the index, or http://HOST:PORT/NAME; .pagesight by default."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
TopK = Annotated[int | None, typer.Option("--top-k", min=1, max=100, help="Pages that a search returns; 5 by default.")]
Documents = Annotated[
    list[str] | None,
    typer.Option("--document", metavar="NAME", help="Only this: a name, id or pattern; can be given again."),
]
Where = Annotated[
    str | None,
    typer.Option(
        "--where",
        metavar="CONDITION",
        help="Only documents whose metadata meets it: 'year >= 2020'; only pages of a kind: page_chart.",
    ),
]
Model = Annotated[
    str | None,
    typer.Option(
        "--model", "--reasoner", help="auto, offline, google_genai:MODEL or another LangChain PROVIDER:MODEL."
    ),
]
Token = Annotated[str | None, typer.Option("--token", metavar="WORD", help="Map only this word of the query.")]
Transport = Annotated[
    Literal["auto", "bytes", "base64", "files"] | None,
    typer.Option("--transport", help="How page pictures reach the model."),
]
Thinking = Annotated[
    Literal["default", "low", "medium", "high"] | None,
    typer.Option("--thinking", help="How much Gemini thinks before it answers."),
]
Effort = Annotated[
    Literal["low", "medium", "high"] | None,
    typer.Option("--effort", help="How many searches, pages, thoughts and second readings; what is set itself stays."),
]
Verify = Annotated[
    Literal["off", "words", "looks"] | None,
    typer.Option("--verify", help="Check claims by the cited words, and by looking where words cannot tell; or not."),
]
PagesAs = Annotated[Literal["picture", "pdf"] | None, typer.Option("--as", help="What Gemini gets of a whole page.")]

Pages = Annotated[
    str | None,
    typer.Option("--pages", metavar="3-9", help="Only these pages of each document: 3-9, 1,4-, -1 for the last."),
]
Passwords = Annotated[
    list[str] | None,
    typer.Option(
        "--password",
        metavar="WORD",
        help="Of protected PDFs; can be given again. Others see it: a file is safer.",
    ),
]
PasswordFile = Annotated[
    Path | None, typer.Option("--password-file", metavar="FILE", help="Passwords of protected PDFs, one a line.")
]


def _be_verbose(wanted: bool) -> bool:
    if wanted:
        printing.log_to_stderr()
    return wanted


Verbose = Annotated[
    bool,
    typer.Option("--verbose", "-v", callback=_be_verbose, help="Say on stderr what each stage does, with its figures."),
]
TrustScripts = Annotated[
    bool, typer.Option("--trust-scripts", help="Run a script or other code that only the index names, without asking.")
]

Images = Annotated[
    list[Path] | None,
    typer.Option("--image", metavar="FILE", help="A picture that goes along with the question; can be given again."),
]

# Of `search` and `ask`.
Heatmap = Annotated[
    Path | None,
    typer.Option("--heatmap", metavar="DIR", help="Write each page with a map of where it is like the query."),
]
Evidence = Annotated[
    Path | None,
    typer.Option("--evidence", metavar="DIR", help="Folder for pictures of cited pages; in the index by default."),
]
ReportFile = Annotated[
    Path | None,
    typer.Option("--report", metavar="FILE.html", help="Write a web page with answer, cited pages and steps, too."),
]

Rerank = Annotated[
    str | None,
    typer.Option("--rerank", metavar="MODEL", help="Read the best pages' words with this model, and order them anew."),
]

# Of `index`.
Encoder = Annotated[
    str | None,
    typer.Option(
        "--encoder", help="What makes vectors of pages: auto, a name, a folder, MODEL@URL or external:SCRIPT."
    ),
]
Encoders = Annotated[
    list[str] | None,
    typer.Option(
        "--encoder",
        help="What makes vectors of pages: auto, a name, a folder, MODEL@URL or external:SCRIPT. Can be given again.",
    ),
]
Dimensions = Annotated[
    int | None, typer.Option("--dim", min=1, help="Dimensions to cut vectors to, where the encoder allows it.")
]
Device = Annotated[
    Literal["auto", "cuda", "mps", "cpu"] | None, typer.Option("--device", help="What the encoder runs on.")
]
Revision = Annotated[
    str | None, typer.Option("--revision", metavar="COMMIT", help="Commit of the encoder's repository.")
]
TrustRemoteCode = Annotated[
    bool, typer.Option("--trust-remote-code", help="Run the repository's own code; needs --revision.")
]
Dollars = Annotated[
    float | None, typer.Option("--dollars", min=0, help="US dollars that a paid encoder may cost; then it ends.")
]
Batch = Annotated[
    bool, typer.Option("--batch", help="Have gemini-embedding-2 encode in jobs: half the price, within a day.")
]
Yes = Annotated[bool, typer.Option("--yes", help="Use a paid encoder without asking.")]
Pool = Annotated[int | None, typer.Option("--pool", min=1, help="Pool so many vectors of a page into one: less disk.")]
Precision = Annotated[Literal["float16", "int8"] | None, typer.Option("--precision", help="How page vectors are kept.")]
Wait = Annotated[
    float | None,
    typer.Option(
        "--wait", metavar="SECONDS", min=0, help="How long to wait for who writes to the index; 30 by default."
    ),
]
Metadata = Annotated[
    list[str] | None, typer.Option("--meta", metavar="KEY=VALUE", help="What to note of them; can be given again.")
]

# Of `eval`.
Efforts = Annotated[
    list[str] | None,
    typer.Option("--effort", help="low, medium or high; given again, efforts are set side by side."),
]
Questions = Annotated[
    str,
    typer.Option(
        "--questions",
        metavar="SOURCE",
        help="A JSONL file, a BEIR folder, or a published set by name or folder: MMLongBench-Doc, MADQA, DocScope, "
        "FinanceBench, SlideVQA, or one of ViDoRe's.",
        show_default=False,
    ),
]
Part = Annotated[
    str | None,
    typer.Option("--part", metavar="NAME", help="test, dev or the like, of a published set that has several."),
]
Paths = Annotated[
    list[str] | None, typer.Option("--documents", metavar="PATH", help="Index this first; can be given again.")
]
Degrade = Annotated[
    str | None,
    typer.Option(
        "--degrade",
        metavar="WAYS",
        help="Measure on bad scans of the documents instead, made of pictures of their pages: blur, noise, skew, jpeg, "
        "fax, photo, each with a level 1 to 3, as in blur:2,noise. They have no text layer.",
    ),
]
Out = Annotated[
    Path | None, typer.Option("--out", metavar="DIR", help="Write JSON, plots and values of each question there.")
]
Language = Annotated[
    str | None, typer.Option("--language", metavar="NAME", help="Only questions in it, where the dataset says theirs.")
]
Split = Annotated[
    list[str] | None,
    typer.Option(
        "--split",
        metavar="FIELD",
        help="Split by a field of the questions; of pages also by text_source (text layer, ocr). Can be given again.",
    ),
]


def settings_of(*, passwords: list[str] | None = None, **explicit: object) -> Settings:
    """The settings, with what was given on the command line; an option that was left out counts as not given.

    From here on something moves until the command prints.
    """
    moving.begin("reading the settings")
    from pagesight.indexing.settings import load_settings, unknown_variables

    for name, where in unknown_variables().items():
        printing.note(f"warning: {name} is no setting ({where})")
    explicit["passwords"] = "\n".join(passwords) if passwords else None
    settings = load_settings(**{name: value for name, value in explicit.items() if value is not False})
    _confirm_places(settings)
    return settings


def _confirm_places(settings: Settings) -> None:
    """Asks, on a terminal, whether places that only `.env` names are right; elsewhere they are refused when needed."""
    from pagesight.indexing.calls.destinations import unconfirmed

    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return
    for place in unconfirmed(settings):
        printing.note(f"{place}, now and later. A file that came with a folder may be somebody else's.")
        if not typer.confirm("Is that right?", default=False, err=True):
            raise place.refusal()
        place.confirm()


def named_index(context: typer.Context, index: str | None) -> str | None:
    """The index that the command line names, after the command or before it; None leaves it to the settings."""
    return index or context.obj


def set_index(settings: Settings) -> str:
    """The place of the index that is set. Raises SettingsError where it may not be taken."""
    from pagesight.indexing.calls.destinations import index_set

    return index_set(settings)


def existing_index(context: typer.Context, index: str | None) -> str | None:
    """`named_index`, for a command that needs one. Raises IndexMissing, before anything heavy is imported."""
    from pagesight.indexing.configuration.index_place import refuse_missing

    place = named_index(context, index)
    refuse_missing(place)
    return place


def open_index(
    place: str | None,
    settings: Settings,
    *,
    encoder: str | list[str] | None = None,
    create: bool = False,
    encodes: bool = True,
) -> PageIndex:
    """The index at a place, by default the one that is set.

    Where its encoder will run (``encodes``), code that comes with it is asked about first.

    Raises what `PageIndex.open` raises, and SettingsError for code that may not run.
    """
    moving.begin("opening the index")
    from pagesight.indexing import PageIndex

    printing.quieten_milvus()
    opened = PageIndex.open(place, encoder=encoder, settings=settings, create=create)
    if encodes:
        try:
            _confirm_code(opened)
        except BaseException:
            opened.close()
            raise
    return opened


def _confirm_code(index: PageIndex) -> None:
    """Asks, on a terminal, whether code that only the index names may run. Raises SettingsError if it may not."""
    from pagesight.indexing.encoders import encoder_code, refused, unconfirmed

    every = [code for one in index.encoders for code in encoder_code(one.encoder)]
    for code in unconfirmed(every, index.settings):
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise refused(code)
        printing.note(
            f"{code.named_by} names {code.what} {code.where}. It would run on this machine with your rights, now and "
            "later, until it changes. Read it before you say yes."
        )
        if not typer.confirm("Run it?", default=False, err=True):
            raise refused(code)
        code.confirm()
