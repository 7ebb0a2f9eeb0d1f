"""A thread on the server that `langgraph dev` starts in this repository, by langgraph-sdk over HTTP.

python docs/examples/langgraph_client.py http://127.0.0.1:2024 "How high was the net revenue in 2023?"
"""

import asyncio
import sys

from langchain_core.messages import convert_to_messages
from langgraph_sdk import get_client

from pagesight.agent import answers_in


async def main(address: str, question: str) -> None:
    """Ask one question and print the tools called inside, the answer and what it cites."""
    client = get_client(url=address)
    thread = await client.threads.create()
    asked = {"messages": [{"role": "user", "content": question}]}
    async for part in client.runs.stream(
        thread["thread_id"], "pagesight", input=asked, stream_mode="updates", stream_subgraphs=True
    ):
        for reply in ((part.data or {}).get("tools") or {}).get("messages", []):
            print(f"· {reply['name']}")

    state = await client.threads.get_state(thread["thread_id"])
    answer = answers_in(convert_to_messages(state["values"]["messages"]))[-1]
    print(answer.text)
    for citation in answer.citations:
        print(f"cited: {citation}")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
