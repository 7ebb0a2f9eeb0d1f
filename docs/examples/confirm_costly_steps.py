"""A run that waits for a word before it looks at many pages or costs much, by LangGraph's `interrupt`.

python docs/examples/confirm_costly_steps.py my-index "Compare all figures of the report."
"""

import sys
from collections.abc import Callable
from typing import Any

from langgraph.checkpoint.memory import InMemorySaver

from pagesight.agent import ConfirmBefore, ask, create_page_agent, resume
from pagesight.indexing.errors import AnswerWaits


def main(index: str, question: str, model: Any = None, say: Callable[[str], str] = input) -> None:
    """Ask, and ask back; anything but yes refuses the step, and says why."""
    wanted = ConfirmBefore(pages=3, dollars=0.10)
    agent = create_page_agent(index, model=model, confirm=wanted, checkpointer=InMemorySaver())
    go_on = lambda: ask(agent, question, thread_id="one")  # noqa: E731
    while True:
        try:
            print(go_on().text)
            return
        except AnswerWaits as waits:
            step: Any = waits.value
            word = say(f"Look at {len(step['pages'])} pages, for ${step['dollars_with_this_step']:.4f} so far? ")
            go_on = lambda word=word: resume(agent, "one", True if word == "yes" else word)  # noqa: E731


if __name__ == "__main__":
    main(*sys.argv[1:])
