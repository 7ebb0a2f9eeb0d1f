"""A conversation that your own program keeps: its messages go along with each question, and no checkpointer is needed.

python docs/examples/conversation_kept_elsewhere.py my-index "How high was the net revenue in 2023?" "And in dollars?"
"""

import sys
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from pagesight.agent import ask, create_page_agent


def main(index: str, *questions: str, model: Any = None) -> None:
    """Ask one after the other; each question comes with what was said before it."""
    agent = create_page_agent(index, model=model)
    said: list[BaseMessage] = []
    for question in questions:
        answer = ask(agent, question, messages=said)
        said += [HumanMessage(question), AIMessage(answer.text)]
        print(answer.text)


if __name__ == "__main__":
    main(*sys.argv[1:])
