"""The same agent in langchain's `create_agent`, with a middleware of your own around ours. Needs the extra `langchain`.

python docs/examples/create_agent.py my-index "How high was the net revenue in 2023?"
"""

import sys
from typing import Any

from langchain.agents.middleware import AgentMiddleware

from pagesight.agent import ask, create_page_agent


class Counted(AgentMiddleware):
    """Counts the calls of the model."""

    calls = 0

    def wrap_model_call(self, request: Any, handler: Any) -> Any:
        """One call."""
        self.calls += 1
        return handler(request)


def main(index: str, question: str, model: Any = None) -> None:
    """Ask one question."""
    counted = Counted()
    agent = create_page_agent(index, model=model, loop="create_agent", middleware=[counted])
    print(f"{ask(agent, question).text} ({counted.calls} calls)")


if __name__ == "__main__":
    main(*sys.argv[1:])
