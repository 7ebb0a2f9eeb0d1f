"""The agent as a sub-agent of deepagents. Needs `uv pip install deepagents` and a language model.

python docs/examples/deep_agent.py my-index "How high was the net revenue in 2023?" google_genai:gemini-3.8-flash
"""

import sys
from typing import Any

from deepagents import create_deep_agent

from pagesight.agent import answers_in, as_node, create_page_agent


def main(index: str, question: str, lead: Any, model: Any = None) -> None:
    """Ask the deep agent one question; print its answer, and what the answers it was given rest on."""
    documents = as_node(create_page_agent(index, model=model))
    sub = {"name": "documents", "description": "Answers questions about the documents.", "runnable": documents}
    messages = create_deep_agent(model=lead, subagents=[sub]).invoke({"messages": [("user", question)]})["messages"]
    print(messages[-1].text)
    for answer in answers_in(messages):
        print(f"rests on: {'; '.join(map(str, answer.citations)) or 'nothing found'}")


if __name__ == "__main__":
    main(*sys.argv[1:])
