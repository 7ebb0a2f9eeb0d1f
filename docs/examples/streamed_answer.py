"""A streamed answer, told apart from a draft that was corrected. Works without a key.

python docs/examples/streamed_answer.py my-index "How high was the net revenue in 2023?"
"""

import sys
from typing import Any

from pagesight.agent import Step, create_page_agent, stream


def main(index: str, question: str, model: Any = None) -> None:
    """Print the steps; pieces since the last step are the answer, and what came before one was a draft."""
    pieces: list[str] = []
    for item in stream(create_page_agent(index, model=model), question):
        if isinstance(item, Step) and item.kind != "cut":
            if pieces:
                print(f"(a draft: {''.join(pieces)})")
            pieces = []
            print(f"· {item.text}")
        elif isinstance(item, str):
            pieces.append(item)
    print("".join(pieces))


if __name__ == "__main__":
    main(*sys.argv[1:])
