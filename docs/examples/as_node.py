"""The agent as a node of a graph of yours, which shares `messages` with it. Works without a key.

python docs/examples/as_node.py my-index "How high was the net revenue in 2023?"
"""

import sys

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph

from pagesight.agent import answers_in, as_node, create_page_agent


def main(index: str, question: str) -> None:
    """Ask one question and print the steps inside, the answer and what it cites."""
    graph = StateGraph(MessagesState)
    graph.add_node("documents", as_node(create_page_agent(index)))
    graph.add_edge(START, "documents")
    app = graph.compile(checkpointer=InMemorySaver())

    thread = {"configurable": {"thread_id": "1"}}
    asked = {"messages": [("user", question)]}
    for _, update in app.stream(asked, thread, stream_mode="updates", subgraphs=True):
        for reply in (update.get("tools") or {}).get("messages", []):
            print(f"· {reply.name}: {reply.text.splitlines()[0]}")

    # Read from the checkpoint, which holds references to pages and no pictures.
    answer = answers_in(app.get_state(thread).values["messages"])[-1]
    print(answer.text)
    for citation in answer.citations:
        print(f"cited: {citation}")


if __name__ == "__main__":
    main(*sys.argv[1:])
