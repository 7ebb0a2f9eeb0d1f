"""A second model where the first one fails: each gets the pages in its own form. Needs the providers' packages.

python docs/examples/fallback_models.py my-index "How high was the net revenue in 2023?"
"""

import sys
from typing import Any

from langchain.chat_models import init_chat_model

from pagesight.agent import ask, create_page_agent


def chain() -> Any:
    """Gemini, tried twice, then a model of OpenAI's."""
    gemini, other = init_chat_model("google_genai:gemini-3.8-flash"), init_chat_model("openai:gpt-5.5")
    return gemini.with_retry(stop_after_attempt=2).with_fallbacks([other])


def main(index: str, question: str, model: Any = None) -> None:
    """Ask one question, and say who answered."""
    answer = ask(create_page_agent(index, model=model or chain()), question)
    print(f"{answer.text} (by {answer.reasoner})")


if __name__ == "__main__":
    main(*sys.argv[1:])
