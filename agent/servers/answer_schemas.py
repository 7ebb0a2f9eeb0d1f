"""What replies about answers hold, as OpenAPI tells it, each with an example."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Box = Annotated[list[float], Field(description="left, top, right, bottom: 0–1 of the page from its top left corner")]
Region = Annotated[list[int], Field(description="ymin, xmin, ymax, xmax: 0–1000 of the page from its top left corner")]

_CITATION = {"label": "annual-report.pdf p. 5", "document": "annual-report.pdf", "page": 5, "region": None}
HIT_EXAMPLE = {
    "rank": 1, "label": "annual-report.pdf p. 5", "document": "annual-report.pdf", "document_id": "0123456789abcdef",
    "page": 5, "score": 0.91, "boxes": [[0.1, 0.2, 0.4, 0.22]], "lines": ["Net revenue rose to 4.2 billion euros."],
    "regions": [[150, 100, 270, 400]],
}  # fmt: skip
_USAGE = {
    "input_tokens": 11250, "output_tokens": 240, "total_tokens": 11490, "reasoning_tokens": 120, "cached_tokens": 0,
    "model_calls": 3, "pictures": 2, "bytes_uploaded": 70240, "cost": 0.0093,
}  # fmt: skip
CLAIM_EXAMPLE = {
    "text": "Net revenue rose to 4.2 billion euros.", "citations": [_CITATION], "outcome": "supported",
    "reason": "the cited words say it",
    "evidence": [{"label": "annual-report.pdf p. 5", "boxes": [[0.1, 0.2, 0.4, 0.22]]}],
}  # fmt: skip
_ANSWER = {
    "answer": "Net revenue rose to 4.2 billion euros [annual-report.pdf p. 5].", "found": True, "cut_off": False,
    "citations": [_CITATION], "unverified": [], "claims": [CLAIM_EXAMPLE], "pages_viewed": ["annual-report.pdf p. 5"],
    "hits": [HIT_EXAMPLE], "usage": _USAGE, "reasoner": "gemini-3.8-flash",
    "question": "How high was the net revenue in 2024?", "thread_id": "8d0c4a", "seconds": 4.2,
    "run_id": "0b0f6f7e-6f0e-4a53-9a39-5f4c1f5a0e52",
}  # fmt: skip


def example(**example: Any) -> ConfigDict:
    """For a model's configuration: an example of it."""
    return ConfigDict(json_schema_extra={"examples": [example]})


class Citation(BaseModel):
    """A page, or a region of it, that an answer rests on."""

    label: str
    document: str
    page: int
    region: Region | None = None


class Evidence(BaseModel):
    """Where a page says something."""

    label: str
    boxes: list[Box]


class Claim(BaseModel):
    """A sentence of an answer, and whether the cited words say it."""

    text: str
    citations: list[Citation]
    outcome: Literal["supported", "computed", "read", "unsupported"]
    reason: str
    evidence: list[Evidence]


class Hit(BaseModel):
    """A page that was found, with the places and lines that fit best; ``score`` 0–1, the better the higher."""

    rank: int
    label: str
    document: str
    document_id: str
    page: int
    printed_label: str = Field("", description="what is printed as its number, where that is another one")
    kinds: list[str] = Field([], description="what kind of page it is, such as chart")
    score: float
    boxes: list[Box]
    lines: list[str]
    regions: list[Region]


class AnswerReply(BaseModel):
    """The checked answer: its citations are to pages that were really looked at."""

    model_config = example(**_ANSWER)

    answer: str = Field(description="Markdown with citations such as [annual-report.pdf p. 5]")
    found: bool = Field(description="whether the documents hold what was asked")
    cut_off: bool = Field(False, description="whether the model ran out of tokens in the middle")
    citations: list[Citation]
    unverified: list[Citation] = Field(description="to pages that were not looked at: no evidence, marked in the text")
    claims: list[Claim]
    pages_viewed: list[str]
    hits: list[Hit]
    usage: dict[str, Any] = Field(description="tokens, model calls, pictures, bytes, and dollars as cost where known")
    reasoner: str
    question: str
    thread_id: str
    run_id: str | None = None
    seconds: float | None = None


class ThreadReply(BaseModel):
    """A conversation: what it began with, how many questions, when the last one was."""

    model_config = example(
        thread_id="8d0c4a", title="How high was the net revenue in 2024?", questions=2,
        last="2026-11-26T02:00:00+00:00", asked=["How high was the net revenue in 2024?", "And the year before?"],
    )  # fmt: skip

    thread_id: str
    title: str
    questions: int
    last: str
    asked: list[str] = Field([], description="its questions, each cut after 200 letters")


class ThreadsReply(BaseModel):
    """The token's conversations, the last asked first."""

    model_config = example(threads=[ThreadReply.model_config["json_schema_extra"]["examples"][0]])  # type: ignore[index]

    threads: list[ThreadReply]


class TurnReply(BaseModel):
    """A question of a conversation, what was done for it, and its answer; none if it was stopped before."""

    question: str
    steps: list[str]
    answer: AnswerReply | None


class ConversationReply(BaseModel):
    """A conversation, from its beginning."""

    model_config = example(
        thread_id="8d0c4a",
        turns=[
            {
                "question": "How high was the net revenue in 2024?",
                "steps": ['searched "net revenue 2024" → 5 pages', "looked at annual-report.pdf p. 5"],
                "answer": _ANSWER,
            }
        ],
    )

    thread_id: str
    turns: list[TurnReply]
