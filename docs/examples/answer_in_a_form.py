"""An answer in a form of your own, its citations kept. Needs a language model, such as Gemini by GOOGLE_API_KEY.

python docs/examples/answer_in_a_form.py my-index "How high was the net revenue in 2023?"
"""

import sys
from typing import Any

from pydantic import BaseModel, Field

from pagesight.agent import ask, create_page_agent


class Revenue(BaseModel):
    """The net revenue of a year."""

    billions: float
    currency: str
    source: str = Field(description="the sentence that says it, with its citation")


def main(index: str, question: str, model: Any = None) -> None:
    """Ask one question; print the form, and what the answer rests on."""
    answer = ask(create_page_agent(index, model=model, response_format=Revenue), question)
    print(answer.structured)  # a Revenue; None where nothing was found
    for citation in answer.citations:
        print(f"cited: {citation}")


if __name__ == "__main__":
    main(*sys.argv[1:])
