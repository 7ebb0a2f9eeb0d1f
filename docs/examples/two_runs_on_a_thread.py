"""Two questions at once in one conversation: the second waits for the first, and neither is lost.

python docs/examples/two_runs_on_a_thread.py my-index "How high was the net revenue?" "How many people work there?"
"""

import asyncio
import sys
from typing import Any

from langgraph.checkpoint.memory import InMemorySaver

from pagesight.agent import aask, create_page_agent


async def main(index: str, *questions: str, model: Any = None) -> None:
    """Ask all at once; print how many questions the thread holds."""
    agent = create_page_agent(index, model=model, checkpointer=InMemorySaver())
    await asyncio.gather(*(aask(agent, question, thread_id="one") for question in questions))
    state = await agent.aget_state({"configurable": {"thread_id": "one"}})
    print(f"{sum(message.type == 'human' for message in state.values['messages'])} questions in the thread")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
