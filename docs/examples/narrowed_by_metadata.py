"""A boundary for the agent, and a narrower one for each question: by metadata, pattern or id. Works without a key.

python docs/examples/narrowed_by_metadata.py my-index "How high was the net revenue?" "year >= 2020" "annual-*"
"""

import sys
from typing import Any

from pagesight.agent import ask, create_page_agent


def main(index: str, question: str, where: str, pattern: str, model: Any = None) -> None:
    """Ask within the condition, then within the pattern as well. What lies outside is neither found nor shown."""
    agent = create_page_agent(index, model=model, where=where)
    for context in (None, {"documents": [pattern]}):
        answer = ask(agent, question, context=context)
        print(f"found in {sorted({hit.document for hit in answer.hits})}")


if __name__ == "__main__":
    main(*sys.argv[1:])
