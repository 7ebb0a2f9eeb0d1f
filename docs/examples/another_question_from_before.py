"""A thread that is gone back in: the last question is asked in other words, from the state before it.

python docs/examples/another_question_from_before.py my-index "How high was it?" "How high was the net revenue in 2023?"
"""

import sys
from typing import Any

from langgraph.checkpoint.memory import InMemorySaver

from pagesight.agent import ask, create_page_agent


def main(index: str, question: str, better: str, model: Any = None) -> None:
    """Ask, then ask anew from before; both answers stay in the thread, as two branches."""
    agent = create_page_agent(index, model=model, checkpointer=InMemorySaver())
    ask(agent, "What is in these documents?", thread_id="one", history="all")
    before = agent.get_state({"configurable": {"thread_id": "one"}})
    print(ask(agent, question, thread_id="one", history="all").text)
    print(ask(agent, better, config=before.config).text)
    ends = [state for state in agent.get_state_history({"configurable": {"thread_id": "one"}}) if not state.next]
    print(f"{len(ends)} states can be gone back to")


if __name__ == "__main__":
    main(*sys.argv[1:])
