"""A sweep's questions in jobs of Gemini's batch API, for half the price: what is sent, and what is made of the answers.

A job's note knows the pages that each question was asked of, so that a run that takes it up reads it as it was meant.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, cast

from pydantic import ValidationError

from pagesight.agent.loop.short_answers import Cell, call_of, messages_of, one_line
from pagesight.agent.sweeps.cell_reader import ReadCell, cell_question, read_cell
from pagesight.agent.sweeps.sweep_run import Item, SweepRun, Way, takes_jobs
from pagesight.indexing.calls.gemini_jobs import GeminiJobs
from pagesight.indexing.calls.jobs import Jobs, JobState
from pagesight.indexing.calls.prices import ModelCall
from pagesight.indexing.errors import KeyRefused, ReasonerError, SettingsError
from pagesight.indexing.pages import Hit, PageRef

if TYPE_CHECKING:
    from google.genai import types

    from pagesight.agent.loop.speakers import Speakers
    from pagesight.agent.reasoners.gemini import GeminiReasoner
    from pagesight.agent.sweeps.estimate import Purse
    from pagesight.agent.sweeps.swept import SweptRow
    from pagesight.indexing.settings import Settings


class _NotThere(ReasonerError):
    """The service knows nothing of that name."""


@dataclass(frozen=True)
class _Filled:
    """What came back for one cell: the form, or why there is none; and what it took."""

    cell: Cell | None
    calls: list[ModelCall]
    why: str = ""


def in_jobs(speakers: Speakers, settings: Settings) -> Way:
    """All at once, in jobs; it raises ReasonerError. Raises SettingsError for another model than Gemini by its key."""
    gemini = _Gemini(_gemini_of(speakers), settings)

    def way(run: SweepRun, items: Sequence[Item], purse: Purse, done: Callable[[Item, SweptRow], None]) -> None:
        asking = _InJobs(run, items, purse, done)
        why = Jobs(gemini.jobs(), asking, run.job_folder, _size).run(lambda: asking.requests(gemini))
        asking.tell_of_the_rest(why)

    return way


def _gemini_of(speakers: Speakers) -> GeminiReasoner:
    reasoner = speakers.first.reasoner
    if takes_jobs(speakers):
        return cast("GeminiReasoner", reasoner.model)
    raise SettingsError(
        f"{reasoner.name} is asked in no jobs: leave out --batch, or take Gemini by its name and a GOOGLE_API_KEY, "
        "such as --model google_genai:gemini-3.8-flash"
    )


class _InJobs:
    """The `Customer` of a sweep's jobs. A request's key is the cell's, and behind it the numbers of the pages."""

    def __init__(
        self, run: SweepRun, items: Sequence[Item], purse: Purse, done: Callable[[Item, SweptRow], None]
    ) -> None:
        self._run, self._purse, self._done = run, purse, done
        self._numbers = {item.key: number for number, item in enumerate(items)}
        self._items = {item.key: item for item in items}
        self._answered: set[str] = set()
        self._beyond: set[str] = set()
        self._failed: dict[str, SweptRow] = {}

    @cached_property
    def _every(self) -> dict[str, Item]:
        return self._run.every_item()

    def requests(self, client: _Gemini) -> Iterator[tuple[str, Callable[[], types.InlinedRequest]]]:
        """What is still to be asked, as far as the limit in dollars goes."""
        for number, item in enumerate(self._items.values()):
            if item.key in self._answered or item.key in self._beyond:
                continue
            if not self._purse.take(number, self._run.at_most(item)):
                self._beyond.add(item.key)
                continue
            try:
                pages = self._run.best_pages(item)
                request = client.request(self._run, pages)
            except KeyRefused:
                raise
            except Exception as error:  # noqa: BLE001 - whatever ails one document, the others are asked
                self._purse.pay(number, 0.0)
                self._failed[item.key] = self._run.failed(item, error, [])
                continue
            yield f"{item.key} {','.join(str(hit.page) for hit in pages)}", partial(_same, request)

    def holds(self, key: str) -> bool:
        """See `Customer`."""
        return self._run.kept.get(key.partition(" ")[0]) is not None

    def set_aside(self, keys: Sequence[str]) -> AbstractContextManager[None]:
        """See `Customer`: the purse has it already."""
        return nullcontext()

    def failed(self, message: str) -> ReasonerError:
        """See `Customer`."""
        return ReasonerError(message)

    def keep(self, made: Sequence[tuple[str, _Filled]]) -> None:
        """See `Customer`; what fits no form is paid for, and asked again."""
        started = time.perf_counter()
        for key, filled in made:
            name, _, numbers = key.partition(" ")
            item = self._items.get(name) or self._every.get(name)
            if item is None:  # the document is gone
                continue
            pages = [_hit(item, int(number)) for number in numbers.split(",")]
            if filled.cell is None:
                error = ReasonerError(f"what {self._run.reasoner} sent fits no cell ({filled.why}): ask again")
                row, paid = self._run.failed(item, error, filled.calls), self._run.paid(filled.calls, started)
            else:
                row, paid = self._run.taken(item, _read(filled, pages), pages, started)
            self._purse.pay(self._numbers.get(name, -1), paid)
            if row.state == "failed":
                self._failed[name] = row
            elif name in self._items:
                self._answered.add(name)
                self._done(item, row)

    def tell_of_the_rest(self, why: str | None) -> None:
        """The rows of what was asked and not answered."""
        for name, item in self._items.items():
            if name not in self._answered and name not in self._beyond:
                told = ReasonerError(f"its job came back without an answer ({why or 'no reason was given'}): ask again")
                self._done(item, self._failed.get(name) or self._run.failed(item, told, []))


class _Gemini:
    """A Gemini model as it is asked in jobs. Methods raise ReasonerError."""

    def __init__(self, model: GeminiReasoner, settings: Settings) -> None:
        self._model, self._settings = model, settings

    def jobs(self) -> GeminiJobs[types.InlinedRequest, _Filled]:
        """Its jobs."""
        return GeminiJobs(self._batches, self._asked, _NotThere, self._begun, _made)

    def request(self, run: SweepRun, pages: Sequence[Hit]) -> types.InlinedRequest:
        """One cell's request, as the same model is asked one by one."""
        from google.genai import types

        messages = messages_of(run.speakers.first, cell_question(run.question, pages))
        asked = self._model._prepare_request(
            messages, response_mime_type="application/json", response_json_schema=Cell.model_json_schema()
        )
        return types.InlinedRequest(contents=asked["contents"], config=asked["config"])

    @property
    def _batches(self) -> Any:
        client: Any = self._model.client
        return client.batches

    def _begun(self, called: str, requests: list[types.InlinedRequest]) -> Any:
        return self._batches.create(model=self._model.model, src=requests, config={"display_name": called})

    def _asked(self, ask: Callable[[], Any]) -> Any:
        from pagesight.tools.gemini_service.errors import attempts_at_gemini, plain_refusals

        reasoning = self._settings.reasoning
        try:
            with plain_refusals(self._settings.gemini.google_api_key, address=self._settings.gemini.google_base_url):
                for attempt in attempts_at_gemini(reasoning.max_retries, reasoning.longest_wait):
                    with attempt:
                        return ask()
        except ReasonerError as error:
            if getattr(error.__cause__, "code", None) == 404:
                raise _NotThere(str(error)) from error
            raise


def _made(job: Any) -> JobState[_Filled]:
    made: list[_Filled | None] = []
    why = ""
    for one in (job.dest.inlined_responses if job.dest else None) or []:
        made.append(_filled(one.response) if one.response else None)
        why = why if one.response else one_line(getattr(one.error, "message", None) or why or "an empty answer")
    return JobState("done", tuple(made), why)


def _filled(response: types.GenerateContentResponse) -> _Filled:
    """The form in an answer, read as it is where the model answers at once."""
    from langchain_google_genai.chat_models import _response_to_result

    from pagesight.agent.reasoners.finish import Ending

    result = _response_to_result(response)
    message = result.generations[0].message if result.generations else None
    calls = [call] if message is not None and (call := call_of(message)) else []
    fault = Ending.of(result).fault("it")
    try:
        if fault or message is None:
            return _Filled(None, calls, one_line(fault or "it is empty"))
        return _Filled(Cell.model_validate_json(message.text), calls)
    except ValidationError as error:
        return _Filled(None, calls, one_line(error))


def _read(filled: _Filled, pages: Sequence[Hit]) -> ReadCell:
    assert filled.cell
    return read_cell(filled.cell, pages, filled.calls)


def _size(request: types.InlinedRequest) -> int:
    """The bytes of a request, its pictures as they are before base64."""
    parts = [part for content in request.contents or [] for part in content.parts or []]  # type: ignore[union-attr]
    blobs = sum(len(part.inline_data.data or b"") for part in parts if part.inline_data)
    texts = sum(len(part.text or "") for part in parts)
    return blobs + texts + len(json.dumps(Cell.model_json_schema()))


def _hit(item: Item, page: int) -> Hit:
    return Hit(0, PageRef(item.record.document_id, item.record.document, page), 0.0)


def _same(request: types.InlinedRequest) -> types.InlinedRequest:
    return request
