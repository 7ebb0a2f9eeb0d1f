"""Asks the agent questions with known answers and keeps what it answers, so that an evaluation can be taken up.

Each answer is a line of ``answers.jsonl``, written when it is there; its key says question, documents, index, settings
and reasoner. Running again asks only what has no line yet, or a line of other settings.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pagesight.agent.answers.question_costs import QuestionCosts
from pagesight.agent.asking import ask
from pagesight.agent.evaluate.scoring import is_answerable, judged
from pagesight.agent.evaluate.short_answer import COMPARES_BRIEF, brief_answer
from pagesight.agent.graph import create_page_agent
from pagesight.agent.reasoners.choose import choose_reasoner, make_reasoner
from pagesight.indexing.errors import EmptyQuestion, KeyRefused, QuestionsError, ReasonerError, UnknownDocument
from pagesight.indexing.storage.folder import disk_errors

if TYPE_CHECKING:
    from langgraph.graph.state import CompiledStateGraph

    from pagesight.indexing import PageIndex
    from pagesight.indexing.evaluate.questions import JudgedQuestion
    from pagesight.indexing.settings import Settings

#: Settings that change what is answered; the others say where things lie, or how long to wait.
_THAT_COUNT = (
    "top_k", "candidates", "exhaustive_below", "images_per_call", "image_tokens_per_call", "pages_per_question",
    "searches_per_question", "calls_per_question", "dollars_per_question", "pages_as", "tiles_per_picture",
    "media_resolution", "closer_regions", "thinking_level", "samples_per_question", "verify", "looks_per_question",
)  # fmt: skip


@dataclass(frozen=True)
class AskedQuestion:
    """A question's record, as it stands in ``answers.jsonl``, and why there is none if the reasoner failed."""

    question: JudgedQuestion
    record: dict[str, Any] | None
    failure: str = ""


@dataclass(frozen=True)
class AskingOptions:
    """How questions are asked: reasoner and judge by name, and whether only in the question's own document.

    ``benchmark`` is the published set that they are of, whose measures may compare the answer in brief.
    """

    reasoner: str
    within: bool = False
    judge: str | None = None
    benchmark: str = ""


class AnswerFile:
    """The records so far, by key, and the file that each new one is appended to."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._records = {record["key"]: record for record in _records(path)}

    def get(self, key: str) -> dict[str, Any] | None:
        """The record of that key."""
        return self._records.get(key)

    def add(self, record: dict[str, Any]) -> None:
        """Keep a record; it is on the disk when this returns. Raises StorageFull, PageIndexError."""
        with self._lock, disk_errors(f"the answers in {self._path} cannot be written"):
            self._records[record["key"]] = record
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(record, ensure_ascii=False) + "\n")


def answer_questions(
    index: PageIndex,
    questions: Sequence[JudgedQuestion],
    answers: AnswerFile,
    options: AskingOptions,
    *,
    settings: Settings,
    concurrency: int = 4,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[AskedQuestion]:
    """The record of each question in its order, from the file or by asking, ``concurrency`` at a time at most.

    A question at which the reasoner fails has no record, and is asked again next time. Raises KeyRefused, which no
    other question would escape, QuestionsError if no question has an answer, UnknownDocument.
    """
    known = [question for question in questions if question.answer is not None]
    if not known:
        raise QuestionsError("no question has an answer to compare with: give it one in the field 'answer'.")
    asker = _Asker(index, answers, options, settings)
    done: dict[str, AskedQuestion] = {}
    for asked in _at_a_time(asker, known, concurrency):
        done[asked.question.id] = asked
        progress(len(done), len(known))
    return [done[question.id] for question in known]


class _Asker:
    """Asks one question, unless its answer is known."""

    def __init__(self, index: PageIndex, answers: AnswerFile, options: AskingOptions, settings: Settings) -> None:
        self._index = index
        self._answers = answers
        self._options = options
        self._settings = settings
        self._agents: dict[tuple[str, ...], CompiledStateGraph[Any, Any, Any, Any]] = {}
        self._lock = threading.Lock()
        self._judge = make_reasoner(options.judge, settings).model if options.judge else None
        chosen = choose_reasoner(options.reasoner, settings).name
        # Also what is wrong with the reasoner comes out here, before anything is asked.
        self._told = [make_reasoner(options.reasoner, settings).name or chosen, *_fingerprint(index, settings)]

    def __call__(self, question: JudgedQuestion) -> AskedQuestion:
        record = None
        try:
            documents = self._documents(question)
            key = _key([question.text, documents, *self._told])
            record = self._answers.get(key)
            if record is None:
                record = self._ask(question, documents) | {"key": key}
                self._answers.add(record)
            return AskedQuestion(question, self._in_brief(question, self._with_judgement(question, record)))
        except KeyRefused:
            raise
        except (ReasonerError, EmptyQuestion, UnknownDocument) as error:
            return AskedQuestion(question, record, str(error))

    def _ask(self, question: JudgedQuestion, documents: tuple[str, ...]) -> dict[str, Any]:
        agent = self._agent(documents)
        with self._costs(self._told[0]) as costs:
            costs.answer = answer = ask(agent, question.text, config={"callbacks": [costs]})
        return {
            "id": question.id,
            "question": question.text,
            "seconds": round(costs.seconds, 3),
            **answer.as_dict(),
            "cited": list(dict.fromkeys(citation.label for citation in answer.citations)),
            "unverified": len(answer.unverified),
        }

    def _costs(self, reasoner: str) -> QuestionCosts:
        return QuestionCosts(self._index.path, "eval", reasoner, self._settings.budget.prices)

    def _with_judgement(self, question: JudgedQuestion, record: dict[str, Any]) -> dict[str, Any]:
        expected = question.answer or ""
        if self._judge is None or not record["found"] or not is_answerable(expected):
            return record
        name = f"{self._options.judge}: {expected}"
        if name not in record.get("judged", {}):
            with self._costs(self._options.judge or "") as costs:
                verdict = judged(self._judge, question.text, expected, record["answer"], {"callbacks": [costs]})
            record = record | {"judged": record.get("judged", {}) | {name: verdict}}
            self._answers.add(record)
        return record | {"judgement": record["judged"][name]}

    def _in_brief(self, question: JudgedQuestion, record: dict[str, Any]) -> dict[str, Any]:
        """The record with the answer in the few words that the set's measures compare, by the judge's model."""
        if self._judge is None or not record["found"] or self._options.benchmark not in COMPARES_BRIEF:
            return record
        name = str(self._options.judge)
        if name not in record.get("brief", {}):
            with self._costs(name) as costs:
                brief = brief_answer(self._judge, question.text, record["answer"], {"callbacks": [costs]})
            record = record | {"brief": record.get("brief", {}) | {name: brief}}
            self._answers.add(record)
        return record | {"brief_answer": record["brief"][name]}

    def _documents(self, question: JudgedQuestion) -> tuple[str, ...]:
        if not self._options.within or not question.documents:
            return ()
        return tuple(self._index.document(name).document for name in question.documents)

    def _agent(self, documents: tuple[str, ...]) -> CompiledStateGraph[Any, Any, Any, Any]:
        with self._lock:
            if documents not in self._agents:
                self._agents[documents] = create_page_agent(
                    self._index, model=self._options.reasoner, documents=documents or None, settings=self._settings
                )
            return self._agents[documents]


def _at_a_time(asker: _Asker, questions: Sequence[JudgedQuestion], concurrency: int) -> Iterator[AskedQuestion]:
    """The answers as they come. No more are begun once one has raised or the caller stops."""
    waiting = list(reversed(questions))
    running: set[Future[AskedQuestion]] = set()
    with ThreadPoolExecutor(concurrency, thread_name_prefix="pagesight-eval") as pool:
        while waiting or running:
            while waiting and len(running) < concurrency:
                running.add(pool.submit(asker, waiting.pop()))
            finished, running = wait(running, return_when=FIRST_COMPLETED)
            for one in finished:
                yield one.result()


def _fingerprint(index: PageIndex, settings: Settings) -> list[Any]:
    documents = sorted(record.document_id for record in index.documents())
    told = settings.flat()
    return [
        documents,
        *(one.encoder.describe() for one in index.encoders),
        {name: told.get(name) for name in _THAT_COUNT},
    ]


def _key(told: list[Any]) -> str:
    return hashlib.sha256(json.dumps(told, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:24]


def _records(path: Path) -> Iterator[dict[str, Any]]:
    """The records in the file; a last line that was cut off in the middle is removed from it."""
    if not path.is_file():
        return
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if whole != content:
        path.write_bytes(whole)
    for number, line in enumerate(whole.splitlines(), 1):
        try:
            yield json.loads(line)
        except ValueError:
            raise QuestionsError(f"{path} line {number} is damaged: remove that line, and it is asked again.") from None
