"""QuotingReasoner: a chat model that needs no key. It searches, looks, quotes the best lines and cites them."""

from __future__ import annotations

import json
import math
import re
import uuid
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, SystemMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool

from pagesight.agent.answers.citations import NOT_FOUND
from pagesight.agent.reasoners.capabilities import Capabilities
from pagesight.indexing.lexical.query import read_query
from pagesight.indexing.lexical.stems import stems
from pagesight.indexing.lexical.tokens import tokenize
from pagesight.indexing.pages import Hit
from pagesight.tools.messages.authorship import read_author
from pagesight.tools.messages.conversation import SEARCH_PAGES, VIEW_PAGES, Conversation, ToolReply

#: A line that is quoted, and the page that it stands on.
Quote = tuple[Hit, str]

_MOST_QUOTES = 4
_LONGEST_QUOTE = 300
#: Lines are quoted that score at least half of what the best one does.
_NEAR_THE_BEST = 0.5
#: Lines that share fewer of the question's words, all lines together, are no answer to it.
_LEAST_WORDS = 2

#: How a question opens that goes on from the one before it: "and the year before?", "und im Jahr davor?".
_GOES_ON = re.compile(
    r"\W*(and|but|or|what about|how about|also|then|und|aber|oder|auch|was ist mit|wie steht es mit|dann)\b",
    re.IGNORECASE,
)
#: A question of fewer words of its own goes on as well, such as "In Asia?".
_OWN_WORDS = 2

_GERMAN = frozenset(
    tokenize("der das dem den des ein eine ist im wie welche welcher welches wer wo wann warum und für")
)
_ENGLISH = frozenset(tokenize("the what how which who where when why is are does did do of and for many much"))
_SAID = {
    "en": {
        "quoted": "No language model was used: these are the lines that match the question best.",
        "missed": "The best pages for this question were {pages}; their lines share too few of its words.",
        "nothing": "The search found no page.",
        "model": "No language model was used: only words were compared.",
    },
    "de": {
        "quoted": "Ohne Sprachmodell beantwortet: Dies sind die Zeilen, die am besten zur Frage passen.",
        "missed": "Am besten passten {pages}; ihre Zeilen haben zu wenige Wörter mit der Frage gemeinsam.",
        "nothing": "Die Suche fand keine Seite.",
        "model": "Ohne Sprachmodell beantwortet: Es wurden nur Wörter verglichen.",
    },
}


class QuotingReasoner(BaseChatModel):
    """Plays the agent's loop with its tools, as a language model would, and answers with quotations.

    It reads what the tools found since the last question from their artifacts, and understands nothing: it picks the
    lines that share most of the question's words, and says so.
    """

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
        message = _next_step(messages, _names(kwargs.get("tools", [])))
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        for message in _in_pieces(_next_step(messages, _names(kwargs.get("tools", [])))):
            chunk = ChatGenerationChunk(message=message)
            if run_manager:
                run_manager.on_llm_new_token(chunk.text, chunk=chunk)
            yield chunk


def _names(tools: Sequence[dict[str, Any]]) -> set[str]:
    return {tool["function"]["name"] for tool in tools}


def _next_step(messages: Sequence[BaseMessage], tools: set[str]) -> AIMessage:
    """The ReAct loop: search, then look at the pages whose lines would be quoted, then answer."""
    conversation = _conversation(messages)
    question = asked_with_what_went_before(conversation)
    replies = conversation.under_way.replies if conversation.under_way else []
    if SEARCH_PAGES in tools and not _has(replies, SEARCH_PAGES):
        return _call(SEARCH_PAGES, query=question)
    hits = [hit for reply in replies for hit in reply.hits]
    quotes = best_quotes(question, hits)
    if quotes and VIEW_PAGES in tools and not _has(replies, VIEW_PAGES):
        return _call(VIEW_PAGES, pages=list(dict.fromkeys(hit.label for hit, _ in quotes)))
    return _message(_answer_text(question, hits, _of_shown_pages(quotes, replies), _failures(replies)))


def _conversation(messages: Sequence[BaseMessage]) -> Conversation:
    """The messages of the state, which are known already; the prompt that stands before them says whose call it is."""
    author = next((author for message in messages[:1] if (author := read_author(message))), None)
    return Conversation.read([message for message in messages if not isinstance(message, SystemMessage)], author)


def _of_shown_pages(quotes: Sequence[Quote], replies: Sequence[ToolReply]) -> list[Quote]:
    labels = {view.ref.label for reply in replies for view in reply.views}
    return [quote for quote in quotes if quote[0].label in labels]


def _failures(replies: Sequence[ToolReply]) -> list[str]:
    return [line for reply in replies if reply.failed for line in reply.text.splitlines()[:1]]


def asked_with_what_went_before(conversation: Conversation) -> str:
    """The last question; where it goes on from the ones before it, after these, back to one that does not."""
    asked: list[str] = []
    for question in reversed(conversation.asked):
        asked.insert(0, question)
        if not _goes_on(question):
            break
    return " ".join(asked)


def _goes_on(question: str) -> bool:
    return bool(_GOES_ON.match(question)) or len(read_query(question).terms) < _OWN_WORDS


def best_quotes(question: str, hits: Sequence[Hit]) -> list[Quote]:
    """The lines, four at most, that share most of the question's words; or none.

    Rare words count more, and so do lines of pages that the search ranks higher.
    """
    asked = read_query(question).terms
    lines = {tuple(tokenize(line)): (hit, line) for hit in reversed(hits) for line in hit.lines}
    shared = {key: _shared(asked, key) for key in lines}
    weight = _rarity(shared.values())
    score = {key: _worth(key, words, weight) * (1 + lines[key][0].score) for key, words in shared.items() if words}
    ranked = sorted(score, key=lambda key: -score[key])
    best = [key for key in ranked if score[key] >= _NEAR_THE_BEST * score[ranked[0]]][:_MOST_QUOTES]
    covered = frozenset[str]().union(*(shared[key] for key in best))
    return [lines[key] for key in best] if len(covered) >= min(_LEAST_WORDS, len(asked)) else []


def _shared(asked: Sequence[str], line: Sequence[str]) -> frozenset[str]:
    return frozenset(term for term in asked if _stands_in(term, line))


def _rarity(lines: Collection[frozenset[str]]) -> dict[str, float]:
    """What each of the question's words weighs, by the words that lines share with it."""
    standing = Counter(term for words in lines for term in words)
    return {term: math.log(1 + len(lines) / count) for term, count in standing.items()}


def _worth(line: Sequence[str], shared: frozenset[str], weight: Mapping[str, float]) -> float:
    """The weight of the shared words; of lines that share the same ones the fuller first: a heading repeats the
    question, a sentence answers it."""
    return sum(weight[term] for term in shared) + 0.01 * min(len(line) - len(shared), 10)


def _stands_in(term: str, line: Sequence[str]) -> bool:
    return any(stems(term) & stems(word) for word in line)


def _answer_text(question: str, hits: Sequence[Hit], quotes: Sequence[tuple[Hit, str]], failures: Sequence[str]) -> str:
    said = _SAID[_language(question)]
    if quotes:
        quoted = "\n".join(f"- “{line.strip()[:_LONGEST_QUOTE]}” [{hit.label}]" for hit, line in quotes)
        return f"{quoted}\n\n{said['quoted']}"
    pages = ", ".join(dict.fromkeys(hit.label for hit in hits))
    why = " ".join(failures) or (said["missed"].format(pages=pages) if pages else said["nothing"])
    return f"{NOT_FOUND}. {why}\n\n{said['model']}"


def _language(question: str) -> str:
    words = set(tokenize(question))
    german = len(words & _GERMAN) + bool(re.search("[äöüß]", question.lower()))
    return "de" if german > len(words & _ENGLISH) else "en"


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


def _no_tokens() -> UsageMetadata:
    return UsageMetadata(input_tokens=0, output_tokens=0, total_tokens=0)
