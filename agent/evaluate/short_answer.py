"""Brings an answer in sentences to the few words that published sets compare, by a model."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pagesight.agent.evaluate.scoring import without_citations

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.runnables import RunnableConfig

#: The sets whose measures compare brief answers letter by letter.
COMPARES_BRIEF = frozenset(("mmlongbench", "madqa", "slidevqa"))

_PROMPT = """Here is a question and an answer to it. Write down what the answer gives as the result, and nothing else:
a number, a few words, or a JSON list of texts where several things are asked for. Keep its wording and units.
Do not judge or correct it. Where it says that there is no answer, write: Not answerable

Question: {question}
Answer: {answer}"""


def brief_answer(
    model: BaseChatModel, question: str, answer: str, config: RunnableConfig | None = None
) -> str | list[str]:
    """What an answer gives as the result: a text, or a list of them where several things were asked for."""
    text = str(model.invoke(_PROMPT.format(question=question, answer=without_citations(answer)), config).text).strip()
    fenced = text.removeprefix("```json").removeprefix("```").removesuffix("```").strip()
    try:
        read = json.loads(fenced) if fenced.startswith("[") else None
    except ValueError:
        read = None
    return [str(each) for each in read] if isinstance(read, list) else text
