"""QuotingReasoner: a chat model that needs no key. It searches, looks, quotes the best lines and cites them."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, SystemMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import Field

from pagesight.agent.answers.citations import Citation
from pagesight.agent.answers.claims.claim import FOLLOWS, SAYS_IT, Claim, Evidence
from pagesight.agent.answers.claims.words.cited_page import boxes_of, page_content
from pagesight.agent.reasoners.capabilities import Capabilities
from pagesight.agent.reasoners.offline.asked import as_pages_say, asked_terms, wanted_kind
from pagesight.agent.reasoners.offline.best_passages import best_passages
from pagesight.agent.reasoners.offline.follow_up import (
    YEAR,
    asked_with_what_went_before,
    first_of_those_gone_on_from,
    language_of,
)
from pagesight.agent.reasoners.offline.grouped_passages import grouped_passages
from pagesight.agent.reasoners.offline.measured_question import PageOnHand
from pagesight.agent.reasoners.offline.passages import (
    Passage,
    number_parts,
    passages_of,
    passages_of_lines,
    terms_of,
)
from pagesight.agent.reasoners.offline.quoted_answer import answer_text, quoted, unsaid_words
from pagesight.agent.reasoners.offline.worked_out import worked_out
from pagesight.indexing.errors import PagesightError
from pagesight.indexing.lexical.stems import stems
from pagesight.indexing.lexical.tokens import tokenize
from pagesight.indexing.pages import Hit
from pagesight.indexing.values.page_values import PageContent
from pagesight.tools.messages.authorship import read_author, with_claims
from pagesight.tools.messages.conversation import SEARCH_PAGES, VIEW_PAGES, Conversation, ToolReply

if TYPE_CHECKING:
    from pagesight.indexing import PageIndex

#: Of the pages found, those that are read for quotations: reading one takes a tenth of a second, or more where OCR has
#: to be done again. A guess, not measured.
_PAGES_READ = 3
#: Where the meaning of a word is asked: it is told on one of many pages that have the word.
_PAGES_FOR_A_MEANING = 8

#: A word on so many pages that are all of a document counts half of what it does in one of many pages; a guess.
_PAGES_OF_A_SUBJECT = 4


class QuotingReasoner(BaseChatModel):
    """Plays the agent's loop with its tools, as a language model would, and answers with quotations.

    It reads what the tools found since the last question from their artifacts, and understands nothing: it picks the
    cells of tables and the sentences that share most of the question's words, and says so.
    """

    #: The index whose pages are quoted; without one only the lines that a search found are.
    index: Any = Field(default=None, exclude=True, repr=False)

    @property
    def _llm_type(self) -> str:
        return "pagesight-quoting"

    @property
    def capabilities(self) -> Capabilities:
        """It reads what the tools found, and sees nothing."""
        return Capabilities(pictures=False, forms=False)

    def bind_tools(
        self, tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool], **kwargs: Any
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """The reasoner with these tools; it uses `search_pages` and `view_pages` when they are among them."""
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools], **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        message = _next_step(messages, _names(kwargs.get("tools", [])), self.index)
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        for message in _in_pieces(_next_step(messages, _names(kwargs.get("tools", [])), self.index)):
            chunk = ChatGenerationChunk(message=message)
            if run_manager:
                run_manager.on_llm_new_token(chunk.text, chunk=chunk)
            yield chunk


def _names(tools: Sequence[dict[str, Any]]) -> set[str]:
    return {tool["function"]["name"] for tool in tools}


def _next_step(messages: Sequence[BaseMessage], tools: set[str], index: PageIndex | None) -> AIMessage:
    """The ReAct loop: search, then look at the pages that would be quoted, then answer."""
    conversation = _conversation(messages)
    asked = asked_with_what_went_before(conversation)
    question = as_pages_say(asked)
    replies = conversation.under_way.replies if conversation.under_way else []
    if SEARCH_PAGES in tools and not _has(replies, SEARCH_PAGES):
        more = {"top_k": pages_read(question)} if pages_read(question) > _PAGES_READ else {}
        return _call(SEARCH_PAGES, query=question, **more)
    hits = [hit for reply in replies for hit in reply.hits]
    pages = [on_hand(hit, index, question) for hit in hits[: pages_read(question)]]
    quotes = best_passages(question, pages, _quoted_before(conversation))
    if quotes and VIEW_PAGES in tools and not _has(replies, VIEW_PAGES):
        return _call(VIEW_PAGES, pages=list(dict.fromkeys(one.hit.label for one in quotes)))
    shown = _of_shown_pages(quotes, replies)
    text = answer_text(question, hits, shown, _failures(replies), unsaid_words(asked, shown, pages))
    return _with_grounds(_message(text), shown, index)


def pages_read(question: str) -> int:
    """How many of the pages found are read for quotations."""
    return _PAGES_FOR_A_MEANING if wanted_kind(question) == "meaning" else _PAGES_READ


def _with_grounds(answer: AIMessage, quotes: Sequence[Passage], index: PageIndex | None) -> AIMessage:
    """The answer with a claim for each quotation; without an index, where their words stand is not known."""
    return with_claims(answer, [_claim(one, index).as_dict() for one in quotes]) if index else answer


def _claim(quote: Passage, index: PageIndex) -> Claim:
    """What is quoted, with where its words stand; that they stand there needs no check."""
    hit = quote.hit
    words = [Evidence(hit.label, boxes_of(page_content(index, hit.ref), sorted(quote.words)))] if quote.words else []
    cited, text = [Citation(hit.label, hit.ref.document, hit.ref.page)], quoted(quote)
    if quote.worked_out:
        return Claim(text, cited, "computed", FOLLOWS, words)
    return Claim(text, cited, "supported", SAYS_IT, words)


def on_hand(hit: Hit, index: PageIndex | None, question: str) -> PageOnHand:
    """A page that was found, with what can be quoted of it for a question; only the lines found, where its words cannot
    be read."""
    try:
        content = page_content(index, hit.ref) if index else None
    except PagesightError:
        content = None
    pervading = _pervading(index, hit, question) if index else {}
    if content is None or not content.text.words:
        lines = passages_of_lines(hit)
        return PageOnHand(hit, lines, _named(hit).union(*(one.held for one in lines)), pervading)
    return read_page(hit, content, question, pervading)


def _pervading(index: PageIndex, hit: Hit, question: str) -> dict[str, float]:
    """How far the document of a page is about each word of a question, 0-1; a year tells one column of many."""
    terms = [term for term in asked_terms(question) if not YEAR.fullmatch(term)]
    try:
        pages = index.document(hit.ref.document).pages
        shares = index.term_shares(hit.ref.document, terms)
    except PagesightError:  # removed since it was found
        return {}
    return {term: share * pages / (pages + _PAGES_OF_A_SUBJECT) for term, share in shares.items()}


def read_page(
    hit: Hit, content: PageContent, question: str, pervading: Mapping[str, float] | None = None
) -> PageOnHand:
    """A page that was found, with what can be quoted of what stands on it for a question."""
    language = language_of(question)
    passages = [*passages_of(hit, content, language), *grouped_passages(hit, content, language)]
    passages += worked_out(hit, content, question, language)
    text = " ".join(content.text.words)
    # A page whose lines all stand at its edges is no page of running heads.
    passages = passages or passages_of_lines(hit)
    return PageOnHand(hit, passages, _named(hit) | terms_of(text).keys(), pervading or {}, number_parts(text))


def _named(hit: Hit) -> frozenset[str]:
    """The stems of the document's name: what it is about need not stand on each page."""
    return frozenset(stem for token in tokenize(hit.ref.document) for stem in stems(token))


def _conversation(messages: Sequence[BaseMessage]) -> Conversation:
    """The messages of the state, which are known already; the prompt that stands before them says whose call it is."""
    author = next((author for message in messages[:1] if (author := read_author(message))), None)
    return Conversation.read([message for message in messages if not isinstance(message, SystemMessage)], author)


def _of_shown_pages(quotes: Sequence[Passage], replies: Sequence[ToolReply]) -> list[Passage]:
    labels = {view.ref.label for reply in replies for view in reply.views}
    return [quote for quote in quotes if quote.hit.label in labels]


def _failures(replies: Sequence[ToolReply]) -> list[str]:
    return [line for reply in replies if reply.failed for line in reply.text.splitlines()[:1]]


def _quoted_before(conversation: Conversation) -> list[str]:
    """What was quoted for the questions that the last one goes on from; the same question gets the same answer."""
    first = first_of_those_gone_on_from(conversation.asked)
    last = tokenize(conversation.asked[-1]) if conversation.asked else []
    before = [one for one in conversation.questions[first:-1] if tokenize(one.messages[0].text) != last]
    texts = [message.text for one in before for message in one.messages if isinstance(message, AIMessage)]
    lines = [line[2:].rsplit(" [", 1)[0] for text in texts for line in text.splitlines() if line.startswith("- ")]
    return [line.strip("“”") for line in lines]


def _has(replies: Sequence[ToolReply], tool: str) -> bool:
    return any(reply.tool == tool for reply in replies)


def _call(tool: str, **arguments: Any) -> AIMessage:
    call = {"name": tool, "args": arguments, "id": f"call_{uuid.uuid4().hex[:16]}", "type": "tool_call"}
    return AIMessage("", tool_calls=[call], usage_metadata=_no_tokens())


def _message(text: str) -> AIMessage:
    return AIMessage(text, usage_metadata=_no_tokens())


def _in_pieces(message: AIMessage) -> Iterator[AIMessageChunk]:
    calls = [
        tool_call_chunk(name=call["name"], args=json.dumps(call["args"]), id=call["id"], index=index)
        for index, call in enumerate(message.tool_calls)
    ]
    yield AIMessageChunk(content="", tool_call_chunks=calls, usage_metadata=_no_tokens())
    for word in re.findall(r"\S+\s*", message.text):
        yield AIMessageChunk(content=word)
    yield AIMessageChunk(content="", response_metadata=message.response_metadata)


def _no_tokens() -> UsageMetadata:
    return UsageMetadata(input_tokens=0, output_tokens=0, total_tokens=0)
