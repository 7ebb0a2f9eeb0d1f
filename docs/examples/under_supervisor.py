"""The agent as a worker of langgraph-supervisor. Needs GOOGLE_API_KEY and `uv pip install langgraph-supervisor`.

python docs/examples/under_supervisor.py my-index "How high was the net revenue in 2023?" last_message
"""

import sys

from langchain_google_genai import ChatGoogleGenerativeAI
from langgraph.checkpoint.memory import InMemorySaver
from langgraph_supervisor import create_supervisor

from pagesight.agent import answers_in, as_node, create_page_agent, with_fitted_requests

PROMPT = "You lead a team. Hand questions about documents to pagesight. Keep the citations in its answers as they are."


def main(index: str, question: str, output_mode: str = "last_message") -> None:
    """Ask the supervisor one question; ``output_mode`` is ``last_message`` or ``full_history``."""
    team = [as_node(create_page_agent(index))]  # put your own agents beside it
    model = with_fitted_requests(ChatGoogleGenerativeAI(model="gemini-3.8-flash"))
    supervisor = create_supervisor(team, model=model, prompt=PROMPT, output_mode=output_mode)
    app = supervisor.compile(checkpointer=InMemorySaver())

    result = app.invoke({"messages": [("user", question)]}, {"configurable": {"thread_id": "1"}})
    print(result["messages"][-1].text)
    for answer in answers_in(result["messages"]):
        print(f"rests on: {'; '.join(map(str, answer.citations)) or 'nothing found'}")


if __name__ == "__main__":
    main(*sys.argv[1:])
