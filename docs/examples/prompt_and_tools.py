"""A prompt, a tool and a hook of your own, beside ours, as in LangGraph's quickstart. Works with any reasoner.

python docs/examples/prompt_and_tools.py my-index "How high was the net revenue in 2023, in dollars?"
"""

import sys
from typing import Any

from pagesight.agent import ask, create_page_agent


def exchange_rate(currency: str) -> str:
    """The rate of a currency in euros."""
    return f"One {currency} is 0.9 euros."


def by_user(state: dict[str, Any], config: dict[str, Any]) -> str:
    """What comes after our prompt in each call."""
    return f"The user is {config['configurable'].get('user', 'somebody')}: answer in one line."


def shown(state: dict[str, Any]) -> None:
    """What is done after each call of the model."""
    print("·", ", ".join(call["name"] for call in state["messages"][-1].tool_calls) or "the answer")


def main(index: str, question: str, model: Any = None) -> None:
    """Ask one question with all three."""
    agent = create_page_agent(index, model=model, prompt=by_user, tools=[exchange_rate], post_model_hook=shown)
    print(ask(agent, question, config={"configurable": {"user": "Ada"}}).text)


if __name__ == "__main__":
    main(*sys.argv[1:])
