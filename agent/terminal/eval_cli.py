"""`pagesight eval`: measures retrieval and answers on questions of one's own, or on a published dataset."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from pagesight.agent.terminal import eval_tables, options, printing, progress_bars
from pagesight.agent.terminal.options import named_index, open_index, settings_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pagesight.agent.evaluate.answer_report import AnswerReport
    from pagesight.indexing import PageIndex
    from pagesight.indexing.configuration.efforts import Effort
    from pagesight.indexing.evaluate.questions import QuestionSet
    from pagesight.indexing.settings import Settings

app = typer.Typer(
    help="Measure retrieval and answers on questions.", no_args_is_help=True, pretty_exceptions_enable=False,
    rich_markup_mode=None,
)  # fmt: skip


@app.command("retrieval")
def _retrieval(
    context: typer.Context,
    questions: options.Questions,
    documents: options.Paths = None,
    index: options.Index = None,
    run: Annotated[
        list[str] | None,
        typer.Option(
            "--run", metavar="NAME",
            help="text, ocr, vectors, fused, hybrid, reranked, candidates or exhaustive, also of another encoder, as "
            "in vectors@lexical; can be given again. text, ocr, vectors, hybrid and with --rerank reranked by default.",
        ),
    ] = None,
    against: Annotated[
        str | None,
        typer.Option("--against", metavar="NAME", help="Run that others are tested against; the first by default."),
    ] = None,
    split: options.Split = None,
    rerank: options.Rerank = None,
    language: options.Language = None,
    part: options.Part = None,
    degrade: options.Degrade = None,
    trust_scripts: options.TrustScripts = False,
    verbose: options.Verbose = False,
    as_json: options.Json = False,
    out: options.Out = None,
) -> None:  # fmt: skip
    """Find out how well pages are found.

    Prints nDCG, recall and MRR with 95 % intervals, over the whole index and within the right document, seconds a
    search, bytes a page, and whether runs differ.
    """
    from pagesight.indexing.evaluate.collections import EncoderIndexes
    from pagesight.indexing.evaluate.compare import evaluate_retrieval
    from pagesight.indexing.evaluate.runs import DEFAULT, parse_run

    runs = [parse_run(name) for name in run or (*DEFAULT, *(["reranked"] if rerank else []))]
    settings = settings_of(rerank=rerank, trust_scripts=trust_scripts)
    collection = _collection(questions, out, language, part)
    with (
        _opened(context, index, settings, collection, documents, out, degrade) as opened,
        EncoderIndexes(opened, _folder(collection, out) / "indexes") as indexes,
    ):
        with progress_bars.pages_bar() as indexing:
            indexes.make(dict.fromkeys(run.encoder for run in runs if run.encoder), indexing)
        with progress_bars.count_bar("searches") as searching:
            report = evaluate_retrieval(
                opened, collection.name, collection.questions, runs,
                split=split or [], against=against, index_for=indexes, progress=searching,
            )  # fmt: skip
    if out:
        from pagesight.indexing.evaluate.report_files import write_retrieval_report

        write_retrieval_report(report, out)
    if as_json:
        printing.write_json(report.as_dict())
    else:
        eval_tables.retrieval(report)


@app.command("answers")
def _answers(
    context: typer.Context,
    questions: options.Questions,
    documents: options.Paths = None,
    index: options.Index = None,
    model: options.Model = None,
    judge: Annotated[
        str | None, typer.Option("--judge", metavar="MODEL", help="A model that says whether answers are right.")
    ] = None,
    within: Annotated[
        bool, typer.Option("--within-document", help="Look only into the document that a question is about.")
    ] = False,
    effort: options.Efforts = None,
    top_k: options.TopK = None,
    concurrency: Annotated[int, typer.Option("--concurrency", min=1, max=64, help="Questions at a time.")] = 4,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, metavar="N", help="Only the first N questions with an answer.")
    ] = None,
    split: options.Split = None,
    language: options.Language = None,
    part: options.Part = None,
    trust_scripts: options.TrustScripts = False,
    verbose: options.Verbose = False,
    as_json: options.Json = False,
    out: options.Out = None,
) -> None:  # fmt: skip
    """Find out how good answers are.

    Asks the whole agent questions with known answers. What was answered is kept in answers.jsonl and not asked again
    with the same settings. Exit status 1 if some questions failed.
    """
    from pagesight.agent.evaluate.answer_report import report_on
    from pagesight.agent.evaluate.ask_questions import AnswerFile, AskingOptions, answer_questions
    from pagesight.agent.evaluate.short_answer import COMPARES_BRIEF
    from pagesight.agent.reasoners.choose import choose_reasoner

    settings = settings_of(top_k=top_k, trust_scripts=trust_scripts)
    reasoner = choose_reasoner(model, settings).name
    collection = _collection(questions, out, language, part)
    known = [question for question in collection.questions if question.answer is not None][:limit]
    kept = AnswerFile(_folder(collection, out) / "answers.jsonl")
    reports: list[AnswerReport] = []
    wanted = cast("list[Effort]", list(dict.fromkeys(effort or [])))
    efforts = [settings.with_effort(one) for one in wanted] or [settings]
    asking_as = AskingOptions(reasoner, within, judge, collection.benchmark)
    with _opened(context, index, settings, collection, documents, out) as opened:
        for each in efforts:
            with progress_bars.count_bar(_counted_as(each.reasoning.effort)) as asking:
                asked = answer_questions(
                    opened, known, kept, asking_as, settings=each, concurrency=concurrency, progress=asking
                )
            reports.append(
                report_on(
                    collection.name, reasoner, opened, asked, split or [], collection.benchmark, each.reasoning.effort
                )
            )
    _tell(reports, out, as_json=as_json)
    if collection.benchmark in COMPARES_BRIEF and judge is None:
        printing.note(
            f"{collection.name} compares brief answers, and whole ones stand here: with --judge MODEL each is brought "
            "to a few words first"
        )
    failures = sum(len(report.failures) for report in reports)
    if failures:
        printing.error(f"{failures} questions failed; run the same command again to ask only them")
        raise typer.Exit(1)


def _counted_as(effort: str | None) -> str:
    return f"questions, effort {effort}" if effort else "questions"


def _tell(reports: list[AnswerReport], out: Path | None, *, as_json: bool) -> None:
    """The report, or that of each effort and how these compare."""
    told = reports[0].as_dict() if len(reports) == 1 else {"efforts": [report.as_dict() for report in reports]}
    if out:
        eval_tables.save(told, out / "answers.json")
    if as_json:
        printing.write_json(told)
        return
    for report in reports:
        eval_tables.answers(report)
    if len(reports) > 1:
        eval_tables.efforts(reports)


def _collection(source: str, out: Path | None, language: str | None, part: str | None) -> QuestionSet:
    from pagesight.indexing.evaluate.collections import load_collection

    name = Path(source).name
    pictures = (out or Path(f"evaluation-{name}")) / "pictures"
    return load_collection(source, pictures, language=language, part=part)


def _folder(collection: QuestionSet, out: Path | None) -> Path:
    """Where an evaluation keeps what it makes: --out, or a folder named for the collection."""
    return out or Path(f"evaluation-{collection.name}")


def _bad_scans(ways: str, documents: list[str], folder: Path) -> tuple[list[str], str]:
    """Bad scans of the documents, and the index that they have for themselves."""
    from pagesight.indexing.errors import QuestionsError
    from pagesight.indexing.evaluate.degrade import degraded_documents, parse_ways

    parsed = parse_ways(ways)
    if not documents:
        raise QuestionsError("bad scans are made of documents: name these with --documents PATH.")
    place = folder / "degraded" / "-".join(f"{way.kind}{way.level}" for way in parsed)
    with progress_bars.count_bar("bad scans") as progress:
        made = degraded_documents(documents, parsed, place / "documents", progress)
    return [*map(str, made)], str(place / "index")


@contextmanager
def _opened(
    context: typer.Context,
    index: str | None,
    settings: Settings,
    collection: QuestionSet,
    documents: list[str] | None,
    out: Path | None,
    degrade: str | None = None,
) -> Iterator[PageIndex]:
    """The index that is asked, with what must be in it: a collection that brings its pages has an index of its own."""
    from pagesight.indexing.evaluate.collections import add_files

    if degrade:
        documents, index = _bad_scans(degrade, documents or [*map(str, collection.files)], _folder(collection, out))
        collection = replace(collection, files=[])
    own = str(_folder(collection, out) / "index") if collection.files else None
    create = bool(collection.files or documents)
    with open_index(named_index(context, index) or own, settings, create=create) as opened:
        with progress_bars.pages_bar() as progress:
            if collection.files:
                add_files(opened, collection.files, progress, published=True)
            if documents:
                add_files(opened, documents, progress)
        yield opened
