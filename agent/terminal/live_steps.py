"""The steps of `pagesight doctor --live`: each shows one thing that pagesight relies on, or says why it fails."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
from google.genai.errors import ClientError
from langchain_core.messages import AIMessage, HumanMessage
from numpy.typing import NDArray

from pagesight.agent.reasoners.gemini_requests import signatures
from pagesight.agent.terminal.live_page import NUMBERS, RECTANGLE, SIDE, WORDS, page_as_png, read_numbers
from pagesight.agent.terminal.live_service import LiveService, StepFailed, StepSkipped, replied
from pagesight.indexing.encoders.remote.connect import client_of
from pagesight.indexing.encoders.remote.forms import Encoded
from pagesight.indexing.encoders.remote.model import PageClient
from pagesight.indexing.encoders.remote.served import read_served
from pagesight.indexing.errors import EncoderError, PagesightError, ReasonerError
from pagesight.tools.box_reply import Boxes
from pagesight.tools.transport.files_api import FilesTransport, purge
from pagesight.tools.transport.transport import Base64Transport, Block, BytesTransport

_READY = "Reply with the word ready."
_READ = "Reply with the number on the page alone."
_LOOK = f"Call look with number 1. {_READ}"
_LOOK_AT_BOTH = (
    "Call look for number 1 and for number 2 at the same time, in one reply. Then reply with the numbers on page 1 and "
    "on page 2, in this order, and nothing else."
)
_COUNT = "Count from one to twenty in words."
_FIND = "Give the bounding box of the red rectangle as box_2d, [ymin, xmin, ymax, xmax] normalised to 0-1000."
#: What the first page says, asked of an embedding; and what one costs where its tokens are not told: a guess.
_NEEDLE, _TOKENS_OF_AN_EMBEDDING = f"{WORDS[0]} {NUMBERS[0]}", 300
#: Intersection over union with the rectangle, and how far a picture's tokens may be from what is counted: guesses.
_LEAST_OVERLAP, _TOKENS_OFF = 0.5, 0.25
_OTHER_MODEL = "take another model with --model or PAGESIGHT_GEMINI_MODEL"
_PROXY = "look at what stands between you and the service: a proxy, or the address in GOOGLE_GEMINI_BASE_URL"
_REPORT = "update pagesight; if it stays so, report it with what `pagesight doctor --live --json` says"


def _answers(service: LiveService) -> str:
    answer = service.ask([HumanMessage(_READY)], service.keeping(True))
    if "ready" not in answer.text.lower():
        raise StepFailed(f"asked for the word ready, it said {_shown(answer)}", _OTHER_MODEL)
    return f"it answers, as {answer.response_metadata.get('model_name') or 'an unnamed version'}"


def _is_not_stored(service: LiveService) -> str:
    if service.vertex:
        raise StepSkipped("Vertex AI has no such field; the project's own terms hold")
    if service.model.store_requests:
        raise StepSkipped("PAGESIGHT_STORE_REQUESTS lets the service keep requests")
    try:
        service.ask([HumanMessage(_READY)], service.keeping(False))
    except ReasonerError as error:
        if not re.search(r"\bstore\b", error.said):
            raise
        service.lets_keep()
        raise StepFailed(
            f"the service does not take store=false ({error.said})",
            "set PAGESIGHT_STORE_REQUESTS=true, and mind that the service may keep requests; or take another model",
        ) from error
    return "the service takes store=false"


def _streams(service: LiveService) -> str:
    service.afford()
    whole: Any = None
    pieces = 0
    for piece in service.model.stream([HumanMessage(_COUNT)]):
        whole = piece if whole is None else whole + piece
        pieces += bool(piece.text)
    service.count(whole)
    if whole is None or "twenty" not in whole.text.lower():
        raise StepFailed(f"asked to count to twenty, the stream ended with {_shown(whole)}", _PROXY)
    return f"the answer came in {pieces} piece{'s' * (pieces != 1)}"


def _calls_a_tool(service: LiveService) -> str:
    with_tool = service.model.bind_tools([service.look])
    question = HumanMessage(_LOOK)
    call = service.ask([question], with_tool)
    _called(call, 1)
    blocks = BytesTransport().blocks(service.pages[:1])
    answer = service.ask([question, call, replied(call.tool_calls[0]["id"], blocks)], with_tool, pictures=1)
    _read_first(answer, "after the tool's reply")
    if service.model._refused & signatures([call]):
        raise StepFailed("the service refuses the thought signature that it has just made", _PROXY)
    service.tool_call = [question, call]
    return f"a call and its reply went round, {'with its signature' if signatures([call]) else 'none was signed'}"


def _calls_in_parallel(service: LiveService) -> str:
    with_tool = service.model.bind_tools([service.look])
    question = HumanMessage(_LOOK_AT_BOTH)
    call = service.ask([question], with_tool)
    _called(call, 2)
    replies = [
        replied(one["id"], BytesTransport().blocks([service.pages[one["args"].get("number") == 2]]))
        for one in call.tool_calls
    ]
    answer = service.ask([question, call, *replies], with_tool, pictures=2)
    if read_numbers(answer.text) != list(NUMBERS):
        raise StepFailed(f"the pages say {' and '.join(NUMBERS)}, it read {_shown(answer)}", _REPORT)
    return "each page arrived with its own call"


def _reads_bytes(service: LiveService) -> str:
    return _reads(service, BytesTransport().blocks(service.pages[:1]))


def _reads_base64(service: LiveService) -> str:
    return _reads(service, Base64Transport().blocks(service.pages[:1]))


def _reads_a_pdf(service: LiveService) -> str:
    return _reads(service, BytesTransport().blocks([service.pdf]))


def _reads_files(service: LiveService) -> str:
    if not service.reasoner.can.files:
        raise StepSkipped("Vertex AI has no Files API; PAGESIGHT_BUCKET names pages in a bucket")
    try:
        _reads_a_file_twice(service)
    except BaseException:
        with suppress(PagesightError, ClientError):
            purge(service.model, service.folder)
        raise
    names = [upload.name for upload in _files(service).cache.all().values()]
    purge(service.model, service.folder)
    if any(_is_there(service, name) for name in names):
        raise StepFailed(
            "the uploaded page could not be deleted", f"it holds nothing of yours and expires in two days; {_REPORT}"
        )
    return "uploaded once, read twice, deleted"


def _reads_a_file_twice(service: LiveService) -> None:
    service.afford()
    first = _files(service).blocks(service.pages[:1])
    _reads(service, first)
    # As another process would: from the note on the disk.
    again = _files(service).blocks(service.pages[:1])
    if first[0]["file_id"] != again[0]["file_id"]:
        raise StepFailed("the same page was uploaded twice: its file does not live half an hour", _REPORT)
    _reads(service, again)


def _files(service: LiveService) -> FilesTransport:
    return FilesTransport(service.model, service.folder, attempts=service.model.attempts)


def _is_there(service: LiveService, name: str) -> bool:
    try:
        service.model.client.files.get(name=name)  # type: ignore[union-attr]
    except ClientError:
        return False
    return True


def _finds_boxes(service: LiveService) -> str:
    finder = service.model.with_structured_output(Boxes, include_raw=True)
    request = HumanMessage([{"type": "text", "text": _FIND}, *BytesTransport().blocks(service.pages[:1])])
    service.afford(service.tokens_as_set(service.pages[0]))
    found: Any = finder.invoke([request])
    service.count(found["raw"])
    if found["parsed"] is None:
        raise StepFailed(f"the boxes cannot be read: {_shown(found['raw'])}", _OTHER_MODEL)
    best = max((_overlap(box.box_2d, RECTANGLE) for box in found["parsed"].boxes), default=0.0)
    if best < _LEAST_OVERLAP:
        raise StepFailed(
            f"no box lies on the rectangle at {list(RECTANGLE)} (best overlap {best:.2f})",
            f"regions that are located and cited will be wrong: {_OTHER_MODEL}",
        )
    return f"the box lies on the rectangle (overlap {best:.2f})"


def _costs_what_is_counted(service: LiveService) -> str:
    model, page = service.at_own_resolution(), service.pages[0]
    counted = service.tokens_as_set(page)
    words: dict[Any, Any] = {"type": "text", "text": _READY}
    without = service.ask([HumanMessage([words])], model).usage_metadata
    shown: list[str | dict[Any, Any]] = [words, *BytesTransport().blocks([page])]
    with_picture = service.ask([HumanMessage(shown)], model, pictures=1, tokens=counted).usage_metadata
    if not without or not with_picture:
        raise StepFailed("the service does not say how many tokens it took", "what a question costs is not known then")
    charged = with_picture["input_tokens"] - without["input_tokens"]
    if abs(charged - counted) > _TOKENS_OFF * counted:
        raise StepFailed(
            f"a page's picture was charged {charged:,} tokens, pagesight counts {counted:,}",
            f"budgets are off by as much: {_REPORT}",
        )
    return f"a page's picture was charged {charged:,} tokens, pagesight counts {counted:,}"


def _embeds(service: LiveService) -> str:
    """Where an encoder that embeds by Gemini is set: two pages and a question, with nothing kept of earlier answers."""
    served = read_served(service.settings.encoding.encoder)
    if served is None or served.form != "gemini":
        raise StepSkipped("no such encoder is set")
    service.afford()
    pages, question = _embedded(client_of(served, service.settings))
    told = [tokens for _, tokens in [*pages, question]]
    service.count_embedding(served.model, sum(tokens or _TOKENS_OF_AN_EMBEDDING for tokens in told))
    near, far = (float(_unit(question[0]) @ _unit(vectors)) for vectors, _ in pages)
    if near <= far:
        raise StepFailed(
            f"a question about the first page is as near to the second ({near:.3f} to {far:.3f})",
            f"pages would be found wrongly: take another encoder with --encoder, or {_REPORT}",
        )
    tokens = f"{told[0]:,} tokens" if told[0] is not None else "tokens not told"
    return f"a page has {pages[0][0].shape[-1]} dimensions and took {tokens}; the question was nearer to its page"


def _embedded(client: PageClient) -> tuple[list[Encoded], Encoded]:
    """Both pages, and a question about the first."""
    try:
        pages = [made for number in (1, 2) for made in client.pages([page_as_png(number)], [(SIDE, SIDE)])]
        return pages, client.question(_NEEDLE)[0]
    except EncoderError as error:
        why, _, fix = str(error).partition("). ")
        raise StepFailed(f"{why})" if fix else why, (fix or _REPORT).rstrip(".")) from error
    finally:
        client.close()


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    vector = vectors.reshape(-1)
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-12), np.float32)


Step = Callable[[LiveService], str]

STEPS: dict[str, Step] = {
    "the model answers": _answers,
    "store=false": _is_not_stored,
    "streaming": _streams,
    "a tool call": _calls_a_tool,
    "two pages in parallel": _calls_in_parallel,
    "a page as bytes": _reads_bytes,
    "a page as base64": _reads_base64,
    "a page as a file": _reads_files,
    "a page as PDF": _reads_a_pdf,
    "boxes": _finds_boxes,
    "tokens of a picture": _costs_what_is_counted,
    "embedding": _embeds,
}


def _reads(service: LiveService, blocks: Sequence[Block]) -> str:
    _read_first(service.show(_READ, blocks), "of the page")
    return "it arrived, and was read right"


def _read_first(answer: AIMessage, when: str) -> None:
    if read_numbers(answer.text) != [NUMBERS[0]]:
        raise StepFailed(
            f"the page says {NUMBERS[0]}, {when} it said {_shown(answer)}",
            f"the picture did not arrive as it was sent, or the model cannot read it: {_PROXY}, or {_OTHER_MODEL}",
        )


def _called(answer: AIMessage, count: int) -> None:
    if len(answer.tool_calls) != count:
        calls = f"{len(answer.tool_calls)} call{'s' * (len(answer.tool_calls) != 1)}"
        raise StepFailed(
            f"it made {calls} instead of {count}, and said {_shown(answer)}",
            f"run it again; if it stays so, {_OTHER_MODEL}",
        )


def _overlap(box: Sequence[int], other: Sequence[int]) -> float:
    """Intersection over union of two boxes."""
    if len(box) != 4:
        return 0.0
    height = min(box[2], other[2]) - max(box[0], other[0])
    width = min(box[3], other[3]) - max(box[1], other[1])
    both = max(height, 0) * max(width, 0)
    areas = sum((one[2] - one[0]) * (one[3] - one[1]) for one in (box, other))
    return both / (areas - both) if areas > both else 0.0


def _shown(answer: Any) -> str:
    text = " ".join(answer.text.split()) if answer is not None else ""
    return repr(text[:80]) if text else "nothing"
