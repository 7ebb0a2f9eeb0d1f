"""A state, a context and a store of your own, which your tools reach. Works with any reasoner that calls tools.

python docs/examples/state_context_and_store.py my-index "Who asked last time?"
"""

import sys
from dataclasses import dataclass
from typing import Any

from langgraph.prebuilt import ToolRuntime
from langgraph.store.memory import InMemoryStore

from pagesight.agent import ask, create_page_agent


@dataclass
class Who:
    """Who asks, and what they may see."""

    user: str
    documents: list[str] | None = None


def last_user(runtime: ToolRuntime) -> str:
    """Says who asked last time, and remembers who asks now."""
    before = runtime.store.get(("users",), "last")
    runtime.store.put(("users",), "last", {"name": runtime.context.user})
    return before.value["name"] if before else "nobody"


def main(index: str, question: str, model: Any = None) -> None:
    """Ask twice."""
    agent = create_page_agent(index, model=model, tools=[last_user], store=InMemoryStore(), context_schema=Who)
    for name in ("Ada", "Grace"):
        print(ask(agent, question, context=Who(name)).text)


if __name__ == "__main__":
    main(*sys.argv[1:])
