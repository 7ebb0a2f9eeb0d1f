"""A question that goes on after a crash: written at each step, and nothing that was done is done again.

python docs/examples/resume_after_a_crash.py my-index "How high was the net revenue in 2023?" threads.db
"""

import sqlite3
import sys
from contextlib import closing
from typing import Any

from langgraph.checkpoint.sqlite import SqliteSaver

from pagesight.agent import ask, create_page_agent, resume
from pagesight.indexing.errors import RequestError


def main(index: str, question: str, file: str, model: Any = None) -> None:
    """Go on with what the thread was stopped in, or else ask. Run it again after Ctrl-C."""
    with closing(sqlite3.connect(file, check_same_thread=False)) as connection:
        agent = create_page_agent(index, model=model, checkpointer=SqliteSaver(connection))
        try:
            answer = resume(agent, "one")
        except RequestError:  # nothing is under way
            answer = ask(agent, question, thread_id="one", durability="sync")
        print(answer.text)


if __name__ == "__main__":
    main(*sys.argv[1:])
