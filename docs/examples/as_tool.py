"""The agent as a tool of an assistant of yours, which asks it when it needs the documents. Needs GOOGLE_API_KEY.

python docs/examples/as_tool.py my-index "Compare the net revenue with the number of employees in 2023."
"""

import asyncio
import sys
from typing import Any

from langchain_google_genai import ChatGoogleGenerativeAI
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition

from pagesight.agent import answers_in, as_tool, create_page_agent, with_fitted_requests


async def main(index: str, question: str) -> None:
    """Ask the assistant one question; print its answer, and what the answers it was given rest on."""
    tools = [as_tool(create_page_agent(index))]  # put your own beside it; several calls run at the same time
    model = with_fitted_requests(ChatGoogleGenerativeAI(model="gemini-3.8-flash")).bind_tools(tools)

    async def assistant(state: MessagesState) -> dict[str, Any]:
        return {"messages": [await model.ainvoke(state["messages"])]}

    graph = StateGraph(MessagesState)
    graph.add_node("assistant", assistant)
    graph.add_node("tools", ToolNode(tools))
    graph.add_edge(START, "assistant")
    graph.add_conditional_edges("assistant", tools_condition)
    graph.add_edge("tools", "assistant")
    app = graph.compile(checkpointer=InMemorySaver())

    result = await app.ainvoke({"messages": [("user", question)]}, {"configurable": {"thread_id": "1"}})
    print(result["messages"][-1].text)
    for answer in answers_in(result["messages"]):
        print(f"rests on: {'; '.join(map(str, answer.citations)) or 'nothing found'}")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
