"""What requests and other replies hold, as OpenAPI tells it, each with an example."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from pagesight.agent.servers.answer_schemas import CLAIM_EXAMPLE, HIT_EXAMPLE, Claim, Hit, example

#: A conversation's name: a client may choose it.
THREAD_ID = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"
#: Letters of a question or a query, and names in a list: guesses, not measured.
_LONGEST_TEXT, _MOST_NAMES = 20_000, 1_000

Text = Annotated[str, Field(max_length=_LONGEST_TEXT)]
Names = Annotated[list[Annotated[str, Field(max_length=4096)]], Field(max_length=_MOST_NAMES)]

_DOCUMENT = {
    "document": "annual-report.pdf", "document_id": "0123456789abcdef", "pages": 20,
    "added": "2026-11-26T02:00:00.000000+00:00", "metadata": {"year": 2024},
}  # fmt: skip


class InsteadOf(BaseModel):
    """A question of a conversation of the token's, by its number from 0."""

    model_config = {**example(thread_id="8d0c4a", question=1), "extra": "forbid"}

    thread_id: str = Field(pattern=THREAD_ID)
    question: int = Field(ge=0)


class AskRequest(BaseModel):
    """A question, and what narrows it."""

    model_config = {
        **example(question="How high was the net revenue in 2024?", where="year >= 2020", thread_id="8d0c4a"),
        "extra": "forbid",
    }

    question: Text = Field(description="what is asked; not empty")
    thread_id: str | None = Field(
        None, pattern=THREAD_ID, description="the conversation it belongs to; a new one if left out"
    )
    instead_of: InsteadOf | None = Field(
        None, description="a question of another conversation; this one, a new one, has what was said before it"
    )
    documents: Names | None = Field(None, description="only these: names, ids, patterns such as reports/*")
    where: Text | None = Field(
        None, description='only those whose metadata meets this: year >= 2020 and kind == "10-K"'
    )
    effort: Literal["low", "medium", "high"] | None = Field(
        None, description="how many searches, pages, thoughts and second readings; as the service is set if left out"
    )
    dollars: float | None = Field(
        None, gt=0, description="US dollars that the answer may cost; the service's own limit holds too"
    )
    verify: Literal["off", "words", "looks"] | None = Field(
        None, description="how claims are checked: by words, and by looking where these cannot tell"
    )
    offline: bool = Field(False, description="quote the best lines, without a language model and its cost")
    pages: int | None = Field(
        None, ge=1, description="pages that the answer may look at; the service's own limit holds too"
    )
    reasoner: str | None = Field(None, description="who answers: one of those that `GET /me` lists, none as a rule")


class SweepRequest(BaseModel):
    """One small question of each document or page."""

    model_config = {**example(question="What is the notice period?", dollars=0.5, confirmed=True), "extra": "forbid"}

    question: Text
    by: Literal["document", "page"] = "document"
    documents: Names | None = Field(None, description="only these: names, ids, patterns such as reports/*")
    where: Text | None = Field(None, description="only those whose metadata meets this")
    dollars: float | None = Field(None, ge=0, description="US dollars that it may cost at most")
    offline: bool = Field(False, description="quote the best passage of each, without a language model and its cost")
    confirmed: bool = Field(False, description="that the estimate is to be paid")


class SweepFileRequest(SweepRequest):
    """The same, as a file of what is known."""

    form: Literal["csv", "json", "html"] = "csv"


class SearchRequest(BaseModel):
    """A query, and what narrows it."""

    model_config = {**example(query="net revenue by region", top_k=5, where="year >= 2020"), "extra": "forbid"}

    query: Text = Field(description="what to look for")
    top_k: int | None = Field(None, ge=1, le=100, description="how many pages; the setting top_k if left out")
    documents: Names | None = Field(None, description="only these: names, ids, patterns such as reports/*")
    where: Text | None = Field(None, description="only those whose metadata meets this")


class SearchReply(BaseModel):
    """The pages that fit best, best first."""

    model_config = example(query="net revenue by region", hits=[HIT_EXAMPLE])

    query: str
    hits: list[Hit]


class ClaimsRequest(BaseModel):
    """A text that cites pages, as answers do."""

    model_config = {
        **example(text="Net revenue rose to 4.2 billion euros [annual-report.pdf p. 5]."),
        "extra": "forbid",
    }

    text: Text


class ClaimsReply(BaseModel):
    """Its sentences, each with whether the cited words say it."""

    model_config = example(claims=[CLAIM_EXAMPLE])

    claims: list[Claim]


class DocumentReply(BaseModel):
    """A document of the index."""

    model_config = example(**_DOCUMENT)

    document: str = Field(description="its name, as labels of its pages begin")
    document_id: str = Field(description="the first 16 hex digits of the file's SHA-256")
    pages: int
    added: str = Field(description="when, ISO 8601 in UTC")
    metadata: dict[str, Any]


class DocumentsReply(BaseModel):
    """Some of the documents, by name; ``total`` counts all that meet what was asked."""

    model_config = example(documents=[_DOCUMENT], total=1)

    documents: list[DocumentReply]
    total: int


class WordsReply(BaseModel):
    """The words of a query that a map can be drawn of."""

    model_config = example(query="net revenue by region", words=["net", "revenue", "region"])

    query: str
    words: list[str]


class PageReply(BaseModel):
    """A page: where it stands, how large it is in points (1/72 inch), and its text."""

    model_config = example(
        label="annual-report.pdf p. 5", key="0123456789abcdef:5", document="annual-report.pdf", page=5, pages=20,
        document_id="0123456789abcdef", width=595.0, height=842.0, text="Net revenue by region …",
        previous="annual-report.pdf p. 4", next="annual-report.pdf p. 6",
    )  # fmt: skip

    label: str
    key: str = Field(description="<document id>:<number>, which works in the place of a label")
    document: str
    document_id: str
    page: int
    pages: int
    width: float
    height: float
    text: str
    previous: str | None
    next: str | None


_CORRECTION = {
    "id": "8f0c1d2e3b4a", "label": "annual-report.pdf p. 5", "key": "0123456789abcdef:5", "was": "1O5.2",
    "now": "105.2", "box": (0.1, 0.2, 0.2, 0.22), "by": "owner", "at": "2026-11-26T02:00:00+00:00",
}  # fmt: skip
_Box = tuple[float, float, float, float]


class CorrectionRequest(BaseModel):
    """Words of a page that were read wrongly. Where they stand there more than once, ``box`` or ``nth`` says which."""

    model_config = {**example(was="1O5.2", now="105.2", box=(0.1, 0.2, 0.2, 0.22)), "extra": "forbid"}

    was: Text = Field(description="the words as they were read, side by side in a line")
    now: Text = Field(description="what stands on the page")
    box: _Box | None = Field(None, description="left, top, right, bottom, 0 to 1 of the page, of these very words")
    nth: int | None = Field(None, ge=1, description="which one, from the top, if there is no box")


class CorrectionReply(BaseModel):
    """A correction: what was read, what is there, who said so and when (ISO 8601 in UTC)."""

    model_config = example(**_CORRECTION)

    id: str
    label: str
    key: str
    was: str
    now: str
    box: _Box
    by: str
    at: str


class CorrectionsReply(BaseModel):
    """Corrections, in the order of pages and times."""

    model_config = example(corrections=[_CORRECTION])

    corrections: list[CorrectionReply]


class PageWordsReply(BaseModel):
    """A page's words in reading order, the place of each (0 to 1 of the page) and the number of its line."""

    model_config = example(
        label="annual-report.pdf p. 5", words=["Net", "revenue"], lines=[0, 0],
        boxes=[(0.1, 0.2, 0.14, 0.22), (0.15, 0.2, 0.21, 0.22)], corrections=[_CORRECTION],
    )  # fmt: skip

    label: str
    words: list[str]
    boxes: list[_Box]
    lines: list[int]
    corrections: list[CorrectionReply]


class FailedFile(BaseModel):
    """A file that is not in the index, or not whole, and why."""

    document: str
    reason: str
    code: str = Field("", description="the kind of reason, such as unreadable-document")


class JobReport(BaseModel):
    """What a job did."""

    added: list[DocumentReply] = []
    replaced: list[DocumentReply] = []
    unchanged: list[DocumentReply] = []
    removed: list[DocumentReply] = []
    failed: list[FailedFile] = []
    warnings: list[FailedFile] = []


class EncodingCost(BaseModel):
    """What encoding pages will take, most likely; tokens and US dollars are null where they are not known."""

    model_config = example(model="gemini-embedding-2", pages=34, tokens=8772, dollars=0.0018, seconds=9.0)

    model: str
    pages: int
    tokens: int | None
    dollars: float | None
    seconds: float | None = Field(description="null also for jobs, which the service does when it likes")


class EncoderOffer(EncodingCost):
    """The same of an encoder that could be taken, and what it lacks here."""

    model_config = example(model="gemini-embedding-2", pages=34, tokens=8772, dollars=0.0018, seconds=9.0, lacks="")

    lacks: str = Field("", description="such as that it needs a key, and how to give it one")


class EncodersReply(BaseModel):
    """The encoder of the index, and what others would cost: beside it, or in an empty index in its place."""

    model_config = example(
        encoder="lexical", pages=34,
        own={"model": "lexical", "pages": 34, "tokens": None, "dollars": 0.0, "seconds": None},
        others=[{"model": "gemini-embedding-2", "pages": 34, "tokens": 8772, "dollars": 0.0018, "seconds": 9.0}],
    )  # fmt: skip

    encoder: str
    pages: int
    own: EncoderOffer = Field(description="what the index's encoder costs for as many pages, all of them new")
    others: list[EncoderOffer]
    changeable: bool = Field(False, description="whether an upload may name one of the others, as nothing is in yet")


class JobReply(BaseModel):
    """How far an upload or a removal is. ``lost`` means that its process ended in the middle."""

    model_config = example(
        id="4f1c9a0e5b7d4c2f", kind="add", state="running", files=["annual-report.pdf"], done_pages=8, total_pages=20,
        document="annual-report.pdf", pages_per_second=7.9, seconds_left=1.5, message="", report=None,
    )  # fmt: skip

    id: str
    kind: Literal["add", "remove"]
    state: Literal["waiting", "asking", "running", "done", "failed", "stopped", "lost"]
    files: list[str]
    done_pages: int = 0
    total_pages: int = 0
    document: str = Field("", description="which one is being read")
    pages_per_second: float | None = None
    seconds_left: float | None = None
    message: str = Field("", description="what it waits for, or why it failed")
    code: str = Field("", description="the kind of message: another-upload, another-program, lost, or an error's")
    report: JobReport | None = None
    estimate: EncodingCost | None = Field(None, description="what it will cost, where it is asking")


class JobsReply(BaseModel):
    """The token's jobs of the last day, the newest first."""

    model_config = example(jobs=[])

    jobs: list[JobReply]


class ReasonerOffer(BaseModel):
    """A model that a question may name, and US dollars per million tokens of what it reads and writes."""

    model_config = example(name="google_genai:gemini-3.8-flash", input=0.75, output=3.75)

    name: str
    input: float
    output: float


class MeReply(BaseModel):
    """What a token may do, and what the service is made of."""

    model_config = example(
        name="acme", scopes=["read", "ask"], where="tenant == 'acme'", documents=12, pages=340, encoder="lexical",
        reasoner="offline", why="there is no GOOGLE_API_KEY; with one, Gemini would answer", version="0.1.0",
    )  # fmt: skip

    name: str
    scopes: list[str]
    where: str | None = None
    documents: int
    pages: int
    encoder: str
    reasoner: str
    why: str = Field(description="why it is this reasoner, and what would take another")
    reasoners: list[ReasonerOffer] = Field([], description="others that a question may name; none but for the page")
    version: str


class HealthReply(BaseModel):
    """That the service works."""

    model_config = example(status="ok")

    status: Literal["ok"]


class ProblemReply(BaseModel):
    """An error, as RFC 9457 has it; ``detail`` is the sentence that the command line prints."""

    model_config = example(
        type="urn:pagesight:unknown-page", title="Unknown page", status=404,
        detail="annual-report.pdf has pages 1 to 20, not 99",
    )  # fmt: skip

    type: str
    title: str
    status: int
    detail: str
